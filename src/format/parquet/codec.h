/* Decompression of pages. One fl_pq_codecs per worker keeps what libraries want to reuse. */
#ifndef FL_FORMAT_PARQUET_CODEC_H
#define FL_FORMAT_PARQUET_CODEC_H

#include "base/status.h"

#include <stdint.h>

typedef struct fl_pq_codecs {
    void *zstd; /* made when first needed */
} fl_pq_codecs;

void fl_pq_codecs_drop(fl_pq_codecs *codecs);

/** Decompresses to exactly `to_bytes` bytes; both sides have 64 spare bytes behind them. Returns NULL, or what is
 *  wrong in words that follow "cannot decompress: ". codec: an fl_pq_codec that has a name. */
const char *fl_pq_decompress(fl_pq_codecs *codecs, int codec, const uint8_t *from, int64_t from_bytes, uint8_t *to,
                             int64_t to_bytes);

/** The name of a codec; NULL when there is none that can be read. */
const char *fl_pq_codec_name(int codec);

/** CRC-32 with gzip's polynomial, as page headers have it. */
uint32_t fl_pq_crc32(const uint8_t *data, int64_t bytes);

#endif
