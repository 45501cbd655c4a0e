/* Frames of LZ4 and Zstandard. */
#include "format/arrow/pack_buffer.h"

#include "format/arrow/ipc.h"

#include <lz4frame.h>
#include <zstd.h>

#define HEAD_BYTES 8
#define ZSTD_LEVEL 1
#define BYTES_MAX (1ll << 33)

fl_status fl_ipc_pack(int32_t codec, fl_str from, fl_text *to, fl_err *err)
{
    int64_t head = from.len;
    size_t bound =
        codec == FL_IPC_ZSTD ? ZSTD_compressBound((size_t)from.len) : LZ4F_compressFrameBound((size_t)from.len, NULL);
    if (from.len == 0)
        return FL_OK;
    char *room = fl_text_room(to, (int64_t)bound + HEAD_BYTES);
    if (room == NULL)
        return fl_text_status(to, err);
    size_t n = codec == FL_IPC_ZSTD ? ZSTD_compress(room + HEAD_BYTES, bound, from.data, (size_t)from.len, ZSTD_LEVEL)
                                    : LZ4F_compressFrame(room + HEAD_BYTES, bound, from.data, (size_t)from.len, NULL);
    bool is_bad = codec == FL_IPC_ZSTD ? ZSTD_isError(n) : LZ4F_isError(n);
    if (is_bad)
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: a buffer could not be compressed");
    if ((int64_t)n >= from.len) {
        head = -1;
        n = (size_t)from.len;
        memcpy(room + HEAD_BYTES, from.data, n);
    }
    memcpy(room, &head, HEAD_BYTES);
    to->len += HEAD_BYTES + (int64_t)n;
    return FL_OK;
}

int64_t fl_ipc_unpacked_bytes(fl_str from)
{
    int64_t bytes = 0;
    if (from.len == 0)
        return 0;
    if (from.len < HEAD_BYTES)
        return -1;
    memcpy(&bytes, from.data, HEAD_BYTES);
    if (bytes == -1)
        return from.len - HEAD_BYTES;
    return bytes >= 0 && bytes <= BYTES_MAX ? bytes : -1;
}

static const char *unlz4(const char *from, size_t from_bytes, char *to, size_t to_bytes)
{
    LZ4F_dctx *context = NULL;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return "out of memory";
    size_t done = 0, used = 0, left = 1;
    while (left != 0 && used < from_bytes && !LZ4F_isError(left)) {
        size_t out = to_bytes - done, in = from_bytes - used;
        left = LZ4F_decompress(context, to + done, &out, from + used, &in, NULL);
        done += out;
        used += in;
        if (out == 0 && in == 0)
            break;
    }
    LZ4F_freeDecompressionContext(context);
    return left == 0 && done == to_bytes ? NULL : "a buffer is no frame of LZ4 of its length";
}

const char *fl_ipc_unpack(int32_t codec, fl_str from, char *to)
{
    int64_t bytes = fl_ipc_unpacked_bytes(from), head = 0;
    FL_ASSERT(bytes >= 0);
    if (from.len == 0)
        return NULL;
    memcpy(&head, from.data, HEAD_BYTES);
    fl_str packed = {from.data + HEAD_BYTES, from.len - HEAD_BYTES};
    if (head == -1) {
        memcpy(to, packed.data, (size_t)packed.len);
        return NULL;
    }
    if (codec == FL_IPC_LZ4)
        return unlz4(packed.data, (size_t)packed.len, to, (size_t)bytes);
    size_t n = ZSTD_decompress(to, (size_t)bytes, packed.data, (size_t)packed.len);
    return !ZSTD_isError(n) && (int64_t)n == bytes ? NULL : "a buffer is no frame of Zstandard of its length";
}
