/* Buffers: counted references to regions (base/region_pool.h). */
#include "base/buffer.h"

#include "base/fault.h"

#include <string.h>

#define PADDING 64

fl_status fl_buffer_new(fl_memory *memory, int64_t bytes, fl_buffer **ret, fl_err *err)
{
    FL_ASSERT(bytes >= 0);
    fl_buffer *buffer = NULL;
    fl_status st = fl_alloc_zero(NULL, sizeof(*buffer), (void **)&buffer, err);
    if (st != FL_OK)
        return st;
    if ((st = fl_memory_charge(memory, bytes, err)) != FL_OK) {
        fl_free(buffer);
        return st;
    }
    fl_region_pool *pool = memory != NULL ? memory->pool : NULL;
    buffer->data = fl_fault_is_due(FL_FAULT_ALLOC) ? NULL : fl_region_get(pool, bytes + PADDING);
    if (buffer->data == NULL) {
        fl_memory_release(memory, bytes);
        fl_free(buffer);
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: the system has no %lld bytes more", (long long)bytes);
    }
    atomic_store(&buffer->refs, 1);
    buffer->bytes = bytes;
    buffer->capacity = fl_region_bytes(pool, bytes + PADDING) - PADDING;
    buffer->memory = memory;
    buffer->pool = pool;
    *ret = buffer;
    return FL_OK;
}

/* At least `bytes`, by half as much again or more, so that growing step by step is linear: twice as much, or what the region
 * of `bytes` holds. */
static int64_t grown_bytes(const fl_buffer *old, int64_t bytes)
{
    int64_t in_region = fl_region_bytes(old->pool, bytes + PADDING) - PADDING;
    if (in_region >= old->bytes + old->bytes / 2)
        return in_region;
    return bytes < old->bytes * 2 ? old->bytes * 2 : bytes;
}

fl_status fl_buffer_grow(fl_buffer **buffer, int64_t bytes, fl_err *err)
{
    fl_buffer *old = *buffer;
    FL_ASSERT(atomic_load(&old->refs) == 1);
    if (bytes <= old->bytes)
        return FL_OK;
    if (bytes <= old->capacity) {
        fl_status st = fl_memory_charge(old->memory, bytes - old->bytes, err);
        if (st == FL_OK)
            old->bytes = bytes;
        return st;
    }
    fl_buffer *grown = NULL;
    fl_status st = fl_buffer_new(old->memory, grown_bytes(old, bytes), &grown, err);
    if (st != FL_OK)
        return st;
    memcpy(grown->data, old->data, (size_t)old->bytes);
    fl_buffer_unref(old);
    *buffer = grown;
    return FL_OK;
}

fl_buffer *fl_buffer_ref(fl_buffer *buffer)
{
    atomic_fetch_add_explicit(&buffer->refs, 1, memory_order_relaxed);
    return buffer;
}

void fl_buffer_unref(fl_buffer *buffer)
{
    if (buffer == NULL || atomic_fetch_sub_explicit(&buffer->refs, 1, memory_order_acq_rel) != 1)
        return;
    fl_region_put(buffer->pool, buffer->data, buffer->capacity + PADDING);
    fl_memory_release(buffer->memory, buffer->bytes);
    fl_free(buffer);
}
