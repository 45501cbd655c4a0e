/* Buffers: counted memory for columns.
 *
 * A buffer is 64-byte aligned and has 64 readable bytes past its end, so that kernels may read whole registers. It is
 * charged to the budget that asked for it until the last reference goes, from any thread. Large buffers (≥ 1 MB) are
 * regions of the engine's pool (base/region_pool.h). */
#ifndef FL_BASE_BUFFER_H
#define FL_BASE_BUFFER_H

#include "base/memory.h"
#include "base/region_pool.h"

typedef struct fl_buffer {
    _Atomic int32_t refs;
    uint8_t *data;
    int64_t bytes;    /* asked for */
    int64_t capacity; /* of the region, without the padding */
    fl_memory *memory;
    fl_region_pool *pool; /* where the region returns to; NULL = free() */
} fl_buffer;

/** A new buffer with one reference; contents are not cleared. */
fl_status fl_buffer_new(fl_memory *memory, int64_t bytes, fl_buffer **ret, fl_err *err);

/** Grows *buffer (held once) to at least `bytes`, keeping contents. */
fl_status fl_buffer_grow(fl_buffer **buffer, int64_t bytes, fl_err *err);

fl_buffer *fl_buffer_ref(fl_buffer *buffer);
void fl_buffer_unref(fl_buffer *buffer); /* NULL does nothing */

#endif
