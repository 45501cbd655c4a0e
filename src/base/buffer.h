/* Buffers: counted memory for columns, from a pool of huge-page regions.
 *
 * A buffer is 64-byte aligned and has 64 readable bytes past its end, so that kernels may read whole registers. It is
 * charged to the budget that asked for it until the last reference goes, from any thread. Large buffers (≥ 1 MB) come
 * from the engine's pool: 2 MB-aligned regions with huge pages asked for, kept between queries up to a limit, because
 * the first touch of fresh pages costs more than most queries (4 KB pages: 5.6 ms for 16 MB; reused: 0.12). */
#ifndef FL_BASE_BUFFER_H
#define FL_BASE_BUFFER_H

#include "base/memory.h"

typedef struct fl_buffer {
    _Atomic int32_t refs;
    uint8_t *data;
    int64_t bytes;    /* asked for */
    int64_t capacity; /* of the region, without the padding */
    fl_memory *memory;
    struct fl_buffer_pool *pool; /* where the region returns to; NULL = free() */
} fl_buffer;

typedef struct fl_buffer_pool fl_buffer_pool;

/** A pool that keeps at most `keep_bytes` of idle regions. Locks. Outlives all its buffers. */
fl_status fl_buffer_pool_new(int64_t keep_bytes, fl_buffer_pool **ret, fl_err *err);
void fl_buffer_pool_free(fl_buffer_pool *pool);

/** A new buffer with one reference; contents are not cleared. */
fl_status fl_buffer_new(fl_memory *memory, int64_t bytes, fl_buffer **ret, fl_err *err);

/** Grows *buffer (held once) to at least `bytes`, keeping contents. */
fl_status fl_buffer_grow(fl_buffer **buffer, int64_t bytes, fl_err *err);

fl_buffer *fl_buffer_ref(fl_buffer *buffer);
void fl_buffer_unref(fl_buffer *buffer); /* NULL does nothing */

#endif
