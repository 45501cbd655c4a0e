/* Codecs: both ways to frame lz4, several gzip members, sizes that are not the page header's, damage. */
#include "format/parquet/codec.h"
#include "format/parquet/metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <brotli/encode.h>
#include <lz4.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define BYTES 5000
#define ROOM 20000

static uint8_t raw[BYTES], packed[ROOM], again[ROOM];
static fl_pq_codecs codecs;

static const char *unpack(int codec, int64_t packed_bytes, int64_t bytes)
{
    memset(again, 0xEE, sizeof(again));
    return fl_pq_decompress(&codecs, codec, packed, packed_bytes, again, bytes);
}

static int64_t put_be32(uint8_t *to, int64_t value)
{
    for (int b = 0; b < 4; b++)
        to[b] = (uint8_t)(value >> (24 - 8 * b));
    return 4;
}

static int64_t pack(int codec)
{
    size_t bytes = ROOM;
    uLongf z_bytes = ROOM;
    switch (codec) {
    case FL_PQ_SNAPPY:
        assert_int_equal(snappy_compress((char *)raw, BYTES, (char *)packed, &bytes), SNAPPY_OK);
        return (int64_t)bytes;
    case FL_PQ_GZIP:
        assert_int_equal(compress(packed, &z_bytes, raw, BYTES), Z_OK);
        return (int64_t)z_bytes;
    case FL_PQ_BROTLI:
        assert_true(BrotliEncoderCompress(5, 20, BROTLI_MODE_GENERIC, BYTES, raw, &bytes, packed));
        return (int64_t)bytes;
    case FL_PQ_ZSTD:
        return (int64_t)ZSTD_compress(packed, ROOM, raw, BYTES, 3);
    case FL_PQ_LZ4_RAW:
        return LZ4_compress_default((char *)raw, (char *)packed, BYTES, ROOM);
    case FL_PQ_LZ4_HADOOP: { /* two blocks */
        int64_t at = 0;
        for (int half = 0; half < 2; half++) {
            at += put_be32(packed + at, BYTES / 2);
            int block =
                LZ4_compress_default((char *)raw + half * BYTES / 2, (char *)packed + at + 4, BYTES / 2, ROOM / 2);
            at += put_be32(packed + at, block) + block;
        }
        return at;
    }
    default:
        memcpy(packed, raw, BYTES);
        return BYTES;
    }
}

static void test_every_codec(void **state)
{
    (void)state;
    for (int codec = 0; codec < FL_PQ_CODEC_COUNT; codec++) {
        if (fl_pq_codec_name(codec) == NULL)
            continue;
        int64_t bytes = pack(codec);
        assert_null(unpack(codec, bytes, BYTES));
        assert_memory_equal(again, raw, BYTES);
        assert_int_equal(again[BYTES + 64], 0xEE); /* spare bytes are 64 */
        assert_non_null(unpack(codec, bytes, BYTES - 1));
        assert_non_null(unpack(codec, bytes, BYTES + 1));
        for (int64_t cut = 0; cut < bytes; cut += 1 + bytes / 100)
            assert_non_null(unpack(codec, cut, BYTES));
        for (int64_t bit = 0; bit < bytes * 8; bit += 1 + bytes / 50) { /* no crash; the checksum is what sees it */
            packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
            (void)unpack(codec, bytes, BYTES);
            packed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    assert_null(fl_pq_codec_name(FL_PQ_LZO));
    assert_null(fl_pq_codec_name(FL_PQ_CODEC_COUNT));
}

static void test_lz4_without_framing(void **state)
{
    (void)state;
    int64_t bytes = pack(FL_PQ_LZ4_RAW);
    assert_null(unpack(FL_PQ_LZ4_HADOOP, bytes, BYTES));
    assert_memory_equal(again, raw, BYTES);
}

static void test_gzip_members(void **state)
{
    (void)state;
    z_stream z = {0};
    int64_t at = 0;
    for (int half = 0; half < 2; half++) {
        z = (z_stream){
            .next_in = raw + half * BYTES / 2, .avail_in = BYTES / 2, .next_out = packed + at, .avail_out = ROOM / 2};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        at += (int64_t)z.total_out;
        deflateEnd(&z);
    }
    assert_null(unpack(FL_PQ_GZIP, at, BYTES));
    assert_memory_equal(again, raw, BYTES);
}

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < BYTES; i++)
        raw[i] = (uint8_t)(i % 7 * (i / 100) + "the quick brown fox"[i % 19]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fl_pq_codecs_drop(&codecs);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_codec),
        cmocka_unit_test(test_lz4_without_framing),
        cmocka_unit_test(test_gzip_members),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
