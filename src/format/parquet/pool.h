/* A worker's page buffers: taken while a batch is made, given back all at once when the next one begins.
 *
 * Views of plain strings point into pages, so that a page lives as long as the batch that it gave values to. The first
 * `used` buffers are taken; the others wait to be taken again. */
#ifndef FL_FORMAT_PARQUET_POOL_H
#define FL_FORMAT_PARQUET_POOL_H

#include "base/buffer.h"

typedef struct fl_pq_pool {
    fl_memory *memory;
    fl_buffer **buffers;
    int64_t capacity;
    int32_t n;
    int32_t used;
} fl_pq_pool;

void fl_pq_pool_init(fl_pq_pool *pool, fl_memory *memory);
void fl_pq_pool_drop(fl_pq_pool *pool);

/** A buffer of at least `bytes` bytes and 64 more, valid until it is released. */
fl_status fl_pq_pool_take(fl_pq_pool *pool, int64_t bytes, uint8_t **ret, fl_err *err);

/** Gives back all buffers but those that begin at one of the `kept` addresses (NULLs are passed over). */
void fl_pq_pool_release(fl_pq_pool *pool, uint8_t *const *kept, int32_t n_kept);

#endif
