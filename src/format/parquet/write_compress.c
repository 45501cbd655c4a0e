/* Compressing pages: each library's call. */
#include "format/parquet/metadata.h"
#include "format/parquet/write_column.h"

#include <lz4.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#define GZIP_WINDOW (15 + 16)
#define GZIP_MEMORY 8
#define ZSTD_LEVEL 3

static bool gzip(fl_str from, char *to, int64_t room, int64_t *ret)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)from.data,
                  .avail_in = (uInt)from.len,
                  .next_out = (Bytef *)to,
                  .avail_out = (uInt)room};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    bool is_done = deflate(&z, Z_FINISH) == Z_STREAM_END;
    *ret = (int64_t)z.total_out;
    deflateEnd(&z);
    return is_done;
}

static int64_t room_of(int32_t codec, int64_t bytes)
{
    switch (codec) {
    case FL_PQ_SNAPPY:
        return (int64_t)snappy_max_compressed_length((size_t)bytes);
    case FL_PQ_GZIP:
        return bytes + bytes / 1000 + 128;
    case FL_PQ_ZSTD:
        return (int64_t)ZSTD_compressBound((size_t)bytes);
    case FL_PQ_LZ4_RAW:
        return LZ4_compressBound((int)bytes);
    default:
        return bytes;
    }
}

fl_status fl_pq_compress(fl_pq_out_codec codec, fl_str from, fl_text *to, fl_err *err)
{
    bool is_done = true;
    if (from.len > LZ4_MAX_INPUT_SIZE)
        return FL_FAIL(err, FL_ERR_LIMIT, "a page of %lld bytes is too large for Parquet", (long long)from.len);
    int64_t room_bytes = room_of(codec.codec, from.len), n = from.len;
    size_t packed = (size_t)room_bytes;
    char *room = fl_text_room(to, room_bytes);
    if (room == NULL)
        return fl_text_status(to, err);
    switch (codec.codec) {
    case FL_PQ_SNAPPY:
        is_done = snappy_compress(from.data, (size_t)from.len, room, &packed) == SNAPPY_OK;
        n = (int64_t)packed;
        break;
    case FL_PQ_GZIP:
        is_done = gzip(from, room, room_bytes, &n);
        break;
    case FL_PQ_ZSTD:
        packed = ZSTD_compress(room, packed, from.data, (size_t)from.len, codec.level != 0 ? codec.level : ZSTD_LEVEL);
        is_done = !ZSTD_isError(packed);
        n = (int64_t)packed;
        break;
    case FL_PQ_LZ4_RAW:
        n = LZ4_compress_default(from.data, room, (int)from.len, (int)room_bytes);
        is_done = n > 0;
        break;
    default:
        if (from.len > 0)
            memcpy(room, from.data, (size_t)from.len);
    }
    if (!is_done)
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: a page could not be compressed");
    FL_ASSERT(n >= 0 && n <= room_bytes);
    to->len += n;
    return FL_OK;
}
