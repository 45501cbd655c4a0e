/* Regions: memory of the system by the megabyte, in huge pages, kept between queries.
 *
 * The kernel clears each page that is touched for the first time, which costs more than most queries do with it (4 KB pages: 5.6 ms for
 * 16 MB; a region that was used before: 0.12). So buffers (base/buffer.h) and large blocks (base/memory.h) take their regions from a pool of
 * the engine's. What is idle in it no budget counts. Relies on the C library's allocator. */
#ifndef FL_BASE_REGION_POOL_H
#define FL_BASE_REGION_POOL_H

#include "base/status.h"

/* Regions from this size on are asked for in huge pages: touching and giving back gigabytes is cheap then. */
#define FL_HUGE_PAGE_BYTES (2ll << 20)

/** Memory of the system, not counted and not cleared: aligned to a huge page where it is at least one. NULL when there is none. Free
 *  with free(). */
void *fl_region_alloc(int64_t bytes);

#define FL_REGION_BYTES_MIN (1ll << 20) /* what is smaller is not kept */

typedef struct fl_region_pool fl_region_pool;

/** A pool that keeps at most `keep_bytes` of idle regions; FL_ERR_MEMORY. Thread-safe: it locks. Outlives all that is made of its regions. */
fl_status fl_region_pool_new(int64_t keep_bytes, fl_region_pool **ret, fl_err *err);
void fl_region_pool_free(fl_region_pool *pool); /* NULL does nothing */

/** The bytes of the region that holds `bytes`: of its size class where there is a pool and it is large enough, else exactly these. */
int64_t fl_region_bytes(const fl_region_pool *pool, int64_t bytes);

/** Whether a block of that size nearly fills a region of a pool: others would hold memory that nobody counts. Never of a small pool. */
bool fl_region_is_filled(const fl_region_pool *pool, int64_t bytes);

/** A region of fl_region_bytes(pool, bytes), not cleared; NULL when there is none. Give it back with fl_region_put and the same arguments. */
void *fl_region_get(fl_region_pool *pool, int64_t bytes);
void fl_region_put(fl_region_pool *pool, void *region, int64_t bytes);

#endif
