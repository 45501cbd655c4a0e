/* The pool of regions. They are kept by size class: a power of two from 1 MB, and a page more for what blocks have in front and buffers behind. */
#include "base/region_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MORE_BYTES 4096
#define CLASSES 24
#define KEPT_PER_CLASS 128
#define BLOCKS_KEEP_MIN (64ll << 20) /* a smaller pool is one of a small limit, which idle blocks would pass */
#define UNFILLED_PART 16             /* of a region may be left unused by a block */

/* Under a sanitizer nothing is kept, so that it sees what is used after it was freed. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS false
#else
#define KEEPS true
#endif

struct fl_region_pool {
    pthread_mutex_t lock;
    int64_t keep_bytes;
    int64_t kept_bytes;
    int32_t kept[CLASSES];
    void *region[CLASSES][KEPT_PER_CLASS];
};

void *fl_region_alloc(int64_t bytes)
{
    FL_ASSERT(bytes >= 0);
    if (bytes < FL_HUGE_PAGE_BYTES)
        return aligned_alloc(64, (size_t)((bytes + 63) & ~63ll));
    size_t whole = (size_t)((bytes + 4095) & ~4095ll);
    void *region = NULL;
    if (posix_memalign(&region, FL_HUGE_PAGE_BYTES, whole) != 0)
        return NULL;
    (void)madvise(region, whole, MADV_HUGEPAGE); /* without it pages are small, and all is well */
    return region;
}

static int64_t class_bytes(int32_t class)
{
    return (FL_REGION_BYTES_MIN << class) + MORE_BYTES;
}

/* The smallest class that holds the bytes; -1: none does, or one would be far too large. */
static int32_t class_of(const fl_region_pool *pool, int64_t bytes)
{
    if (pool == NULL || bytes < FL_REGION_BYTES_MIN || bytes > class_bytes(CLASSES - 1))
        return -1;
    int32_t class = 0;
    while (class_bytes(class) < bytes)
        class ++;
    return class;
}

fl_status fl_region_pool_new(int64_t keep_bytes, fl_region_pool **ret, fl_err *err)
{
    FL_ASSERT(keep_bytes >= 0);
    fl_region_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: the system has no %zu bytes more", sizeof(*pool));
    pthread_mutex_init(&pool->lock, NULL);
    pool->keep_bytes = keep_bytes;
    *ret = pool;
    return FL_OK;
}

void fl_region_pool_free(fl_region_pool *pool)
{
    if (pool == NULL)
        return;
    for (int32_t c = 0; c < CLASSES; c++)
        for (int32_t i = 0; i < pool->kept[c]; i++)
            free(pool->region[c][i]);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int64_t fl_region_bytes(const fl_region_pool *pool, int64_t bytes)
{
    int32_t class = class_of(pool, bytes);
    return class < 0 ? bytes : class_bytes(class);
}

bool fl_region_is_filled(const fl_region_pool *pool, int64_t bytes)
{
    int32_t class = class_of(pool, bytes);
    return class >= 0 && pool->keep_bytes >= BLOCKS_KEEP_MIN &&
           class_bytes(class) - bytes <= class_bytes(class) / UNFILLED_PART;
}

void *fl_region_get(fl_region_pool *pool, int64_t bytes)
{
    int32_t class = class_of(pool, bytes);
    void *region = NULL;
    if (class >= 0) {
        pthread_mutex_lock(&pool->lock);
        if (pool->kept[class] > 0) {
            region = pool->region[class][--pool->kept[class]];
            pool->kept_bytes -= class_bytes(class);
        }
        pthread_mutex_unlock(&pool->lock);
    }
    return region != NULL ? region : fl_region_alloc(fl_region_bytes(pool, bytes));
}

void fl_region_put(fl_region_pool *pool, void *region, int64_t bytes)
{
    int32_t class = class_of(pool, bytes);
    bool keep = false;
    if (class >= 0 && KEEPS) {
        pthread_mutex_lock(&pool->lock);
        keep = pool->kept[class] < KEPT_PER_CLASS && pool->kept_bytes + class_bytes(class) <= pool->keep_bytes;
        if (keep) {
            pool->region[class][pool->kept[class]++] = region;
            pool->kept_bytes += class_bytes(class);
        }
        FL_ASSERT(pool->kept_bytes <= pool->keep_bytes);
        pthread_mutex_unlock(&pool->lock);
    }
    if (!keep)
        free(region);
}
