/* The codecs: each library's call, and what it says about bad input put into words.
 *
 * Sizes are known beforehand from the page header, so that nothing grows: output that does not fill the page exactly is
 * an error. */
#include "format/parquet/codec.h"

#include "format/parquet/metadata.h"
#include "format/parquet/snappy.h"

#include <brotli/decode.h>
#include <lz4.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE_BYTES_MAX (1 << 30)

static const char *const wrong_size = "its size differs from the page header's";

void fl_pq_codecs_drop(fl_pq_codecs *codecs)
{
    if (codecs->zstd != NULL)
        ZSTD_freeDCtx(codecs->zstd);
    codecs->zstd = NULL;
}

/* gzip or zlib, one member or several. */
static const char *gunzip(const uint8_t *from, int64_t from_bytes, uint8_t *to, int64_t to_bytes)
{
    z_stream z = {
        .next_in = (Bytef *)(uintptr_t)from, .avail_in = (uInt)from_bytes, .next_out = to, .avail_out = (uInt)to_bytes};
    if (inflateInit2(&z, MAX_WBITS + 32) != Z_OK)
        return "out of memory";
    int rc;
    while ((rc = inflate(&z, Z_FINISH)) == Z_STREAM_END && z.avail_in > 0 && z.avail_out > 0)
        if (inflateReset(&z) != Z_OK)
            break;
    bool is_whole = rc == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    return is_whole ? NULL : rc == Z_DATA_ERROR ? "bad gzip data" : wrong_size;
}

static const char *unbrotli(const uint8_t *from, int64_t from_bytes, uint8_t *to, int64_t to_bytes)
{
    size_t bytes = (size_t)to_bytes;
    if (BrotliDecoderDecompress((size_t)from_bytes, from, &bytes, to) != BROTLI_DECODER_RESULT_SUCCESS)
        return "bad brotli data";
    return (int64_t)bytes == to_bytes ? NULL : wrong_size;
}

static const char *unzstd(fl_pq_codecs *codecs, const uint8_t *from, int64_t from_bytes, uint8_t *to, int64_t to_bytes)
{
    if (codecs->zstd == NULL && (codecs->zstd = ZSTD_createDCtx()) == NULL)
        return "out of memory";
    size_t bytes = ZSTD_decompressDCtx(codecs->zstd, to, (size_t)to_bytes, from, (size_t)from_bytes);
    if (ZSTD_isError(bytes))
        return ZSTD_getErrorName(bytes);
    return (int64_t)bytes == to_bytes ? NULL : wrong_size;
}

static const char *unlz4(const uint8_t *from, int64_t from_bytes, uint8_t *to, int64_t to_bytes)
{
    int bytes = LZ4_decompress_safe((const char *)from, (char *)to, (int)from_bytes, (int)to_bytes);
    return bytes < 0 ? "bad lz4 data" : bytes == to_bytes ? NULL : wrong_size;
}

static int64_t load_be32(const uint8_t *p)
{
    return (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | p[3];
}

/* Hadoop's framing: [uncompressed size][compressed size][block] …, both big-endian. */
static const char *unlz4_hadoop(const uint8_t *from, int64_t from_bytes, uint8_t *to, int64_t to_bytes)
{
    int64_t at = 0, done = 0;
    while (from_bytes - at >= 8) {
        int64_t raw = load_be32(from + at), packed = load_be32(from + at + 4);
        at += 8;
        if (packed > from_bytes - at || raw > to_bytes - done || unlz4(from + at, packed, to + done, raw) != NULL)
            break;
        at += packed;
        done += raw;
    }
    if (at == from_bytes && done == to_bytes)
        return NULL;
    return unlz4(from, from_bytes, to, to_bytes); /* some writers left the framing out */
}

const char *fl_pq_codec_name(int codec)
{
    static const char *const names[FL_PQ_CODEC_COUNT] = {[FL_PQ_UNCOMPRESSED] = "uncompressed",
                                                         [FL_PQ_SNAPPY] = "snappy",
                                                         [FL_PQ_GZIP] = "gzip",
                                                         [FL_PQ_BROTLI] = "brotli",
                                                         [FL_PQ_LZ4_HADOOP] = "lz4",
                                                         [FL_PQ_ZSTD] = "zstd",
                                                         [FL_PQ_LZ4_RAW] = "lz4_raw"};
    return codec >= 0 && codec < FL_PQ_CODEC_COUNT ? names[codec] : NULL;
}

const char *fl_pq_decompress(fl_pq_codecs *codecs, int codec, const uint8_t *from, int64_t from_bytes, uint8_t *to,
                             int64_t to_bytes)
{
    if (from_bytes > PIECE_BYTES_MAX || to_bytes > PIECE_BYTES_MAX)
        return "it is too large";
    if (to_bytes == 0)
        return NULL;
    switch (codec) {
    case FL_PQ_SNAPPY:
        return fl_pq_unsnappy(from, from_bytes, to, to_bytes);
    case FL_PQ_GZIP:
        return gunzip(from, from_bytes, to, to_bytes);
    case FL_PQ_BROTLI:
        return unbrotli(from, from_bytes, to, to_bytes);
    case FL_PQ_ZSTD:
        return unzstd(codecs, from, from_bytes, to, to_bytes);
    case FL_PQ_LZ4_RAW:
        return unlz4(from, from_bytes, to, to_bytes);
    case FL_PQ_LZ4_HADOOP:
        return unlz4_hadoop(from, from_bytes, to, to_bytes);
    default:
        if (from_bytes != to_bytes)
            return wrong_size;
        memcpy(to, from, (size_t)to_bytes);
        return NULL;
    }
}

uint32_t fl_pq_crc32(const uint8_t *data, int64_t bytes)
{
    return (uint32_t)crc32_z(0, data, (size_t)bytes);
}
