/* Taking and releasing page buffers. */
#include "format/parquet/pool.h"

#define BYTES_MIN 4096

void fl_pq_pool_init(fl_pq_pool *pool, fl_memory *memory)
{
    *pool = (fl_pq_pool){.memory = memory};
}

void fl_pq_pool_drop(fl_pq_pool *pool)
{
    for (int32_t i = 0; i < pool->n; i++)
        fl_buffer_unref(pool->buffers[i]);
    fl_free(pool->buffers);
    fl_pq_pool_init(pool, pool->memory);
}

static void swap(fl_pq_pool *pool, int32_t a, int32_t b)
{
    fl_buffer *buffer = pool->buffers[a];
    pool->buffers[a] = pool->buffers[b];
    pool->buffers[b] = buffer;
}

fl_status fl_pq_pool_take(fl_pq_pool *pool, int64_t bytes, uint8_t **ret, fl_err *err)
{
    int64_t rounded = BYTES_MIN; /* pages differ a little in size: by a quarter of a power of two they fit again */
    while (rounded < bytes)
        rounded *= 2;
    if (rounded - rounded / 4 >= bytes)
        rounded -= rounded / 4;
    int32_t found = -1;
    for (int32_t i = pool->used; i < pool->n && found < 0; i++)
        if (pool->buffers[i]->bytes >= bytes)
            found = i;
    if (found < 0) {
        fl_buffer *buffer = NULL;
        if (pool->n > pool->used) { /* too small: replaced */
            fl_buffer_unref(pool->buffers[pool->n - 1]);
            pool->n--;
        }
        fl_status st = fl_grow(pool->memory, (void **)&pool->buffers, &pool->capacity, pool->n + 1,
                               (int64_t)sizeof(*pool->buffers), err);
        if (st == FL_OK)
            st = fl_buffer_new(pool->memory, rounded, &buffer, err);
        if (st != FL_OK)
            return st;
        pool->buffers[found = pool->n++] = buffer;
    }
    swap(pool, pool->used, found);
    *ret = pool->buffers[pool->used++]->data;
    return FL_OK;
}

void fl_pq_pool_release(fl_pq_pool *pool, uint8_t *const *kept, int32_t n_kept)
{
    int32_t stay = 0;
    for (int32_t i = 0; i < pool->used; i++)
        for (int32_t k = 0; k < n_kept; k++)
            if (pool->buffers[i]->data == kept[k]) {
                swap(pool, i, stay++);
                break;
            }
    pool->used = stay;
}
