/* Buffers and their pool. Regions in the pool are kept by size class (powers of two from 1 MB). */
#include "base/buffer.h"

#include "base/fault.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PADDING 64
#define POOLED_BYTES_MIN (1 << 20)
#define CLASSES 24
#define KEPT_PER_CLASS 64

struct fl_buffer_pool {
    pthread_mutex_t lock;
    int64_t keep_bytes;
    int64_t kept_bytes;
    int32_t kept[CLASSES];
    uint8_t *region[CLASSES][KEPT_PER_CLASS];
};

fl_status fl_buffer_pool_new(int64_t keep_bytes, fl_buffer_pool **ret, fl_err *err)
{
    fl_buffer_pool *pool = NULL;
    fl_status st = fl_alloc_zero(NULL, sizeof(*pool), (void **)&pool, err);
    if (st != FL_OK)
        return st;
    pthread_mutex_init(&pool->lock, NULL);
    pool->keep_bytes = keep_bytes;
    *ret = pool;
    return FL_OK;
}

static int64_t class_bytes(int32_t class)
{
    return (int64_t)POOLED_BYTES_MIN << class;
}

void fl_buffer_pool_free(fl_buffer_pool *pool)
{
    if (pool == NULL)
        return;
    for (int32_t c = 0; c < CLASSES; c++)
        for (int32_t i = 0; i < pool->kept[c]; i++)
            free(pool->region[c][i]);
    pthread_mutex_destroy(&pool->lock);
    fl_free(pool);
}

static int32_t class_of(int64_t bytes)
{
    int32_t class = 0;
    while (class < CLASSES - 1 && class_bytes(class) < bytes)
        class ++;
    return class;
}

static uint8_t *region_get(fl_buffer_pool *pool, int64_t bytes, int64_t *ret_capacity)
{
    if (fl_fault_is_due(FL_FAULT_ALLOC))
        return NULL;
    if (pool == NULL || bytes + PADDING < POOLED_BYTES_MIN) {
        *ret_capacity = bytes;
        return fl_region_alloc(bytes + PADDING);
    }
    int32_t class = class_of(bytes + PADDING);
    if (class_bytes(class) < bytes + PADDING)
        return NULL;
    *ret_capacity = class_bytes(class) - PADDING;
    uint8_t *region = NULL;
    pthread_mutex_lock(&pool->lock);
    if (pool->kept[class] > 0) {
        region = pool->region[class][--pool->kept[class]];
        pool->kept_bytes -= class_bytes(class);
    }
    pthread_mutex_unlock(&pool->lock);
    return region != NULL ? region : fl_region_alloc(class_bytes(class));
}

static void region_put(fl_buffer_pool *pool, uint8_t *region, int64_t capacity)
{
    if (pool != NULL && capacity + PADDING >= POOLED_BYTES_MIN) {
        int32_t class = class_of(capacity + PADDING);
        pthread_mutex_lock(&pool->lock);
        bool keep = pool->kept[class] < KEPT_PER_CLASS && pool->kept_bytes + class_bytes(class) <= pool->keep_bytes;
        if (keep) {
            pool->region[class][pool->kept[class]++] = region;
            pool->kept_bytes += class_bytes(class);
        }
        pthread_mutex_unlock(&pool->lock);
        if (keep)
            return;
    }
    free(region);
}

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
    fl_buffer_pool *pool = memory != NULL ? memory->pool : NULL;
    buffer->data = region_get(pool, bytes, &buffer->capacity);
    if (buffer->data == NULL) {
        fl_memory_release(memory, bytes);
        fl_free(buffer);
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: the system has no %lld bytes more", (long long)bytes);
    }
    atomic_store(&buffer->refs, 1);
    buffer->bytes = bytes;
    buffer->memory = memory;
    buffer->pool = pool;
    *ret = buffer;
    return FL_OK;
}

/* At least `bytes`, by half as much again or more, so that growing step by step is linear: twice as much, or what the size
 * class holds, since a power of two with the padding behind it would take a region of twice the size. */
static int64_t grown_bytes(const fl_buffer *old, int64_t bytes)
{
    int64_t in_class = class_bytes(class_of(bytes + PADDING)) - PADDING;
    if (old->pool != NULL && bytes + PADDING > POOLED_BYTES_MIN / 2 && in_class >= bytes &&
        in_class >= old->bytes + old->bytes / 2)
        return in_class;
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
    region_put(buffer->pool, buffer->data, buffer->capacity);
    fl_memory_release(buffer->memory, buffer->bytes);
    fl_free(buffer);
}
