/* Opening and closing an engine: budget, buffer pool, workers, registry, empty catalog. */
#include "engine/internal.h"

#include "base/system.h"

#include <stdlib.h>
#include <unistd.h>

#define POOL_KEEP_BYTES (1ll << 30) /* idle regions, which no budget counts */
#define POOL_KEEP_PART 16           /* of the limit, where that is less */

static int64_t machine_bytes(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
}

/* Where files go that a run needs for a while, as other programs take it from the environment. */
static void find_temp_directory(char ret[FL_TEMP_DIRECTORY_BYTES])
{
    const char *named = getenv("TMPDIR");
    bool fits = named != NULL && named[0] != 0 && strlen(named) < FL_TEMP_DIRECTORY_BYTES;
    strcpy(ret, fits ? named : "/tmp");
}

fl_status fl_engine_open(const fl_engine_options *options, fl_engine **ret_engine, fl_err *err)
{
    return fl_engine_open_on(NULL, options, ret_engine, err);
}

fl_status fl_engine_open_on(const fl_system *system, const fl_engine_options *options, fl_engine **ret_engine,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = NULL;
    fl_registry *registry = NULL;
    int32_t threads = options != NULL ? options->threads : 0;
    int64_t limit = options != NULL ? options->memory_limit_bytes : 0;
    if (options != NULL && options->size < sizeof(fl_engine_options))
        return FL_FAIL(err, FL_ERR_CONFIG, "fl_engine_options.size is %u, expected %u", options->size,
                       (unsigned)sizeof(fl_engine_options));
    if (threads < 0 || threads > FL_THREADS_MAX)
        return FL_FAIL(err, FL_ERR_CONFIG, "threads is %d, expected 0 (as many as processors) to %d", threads,
                       FL_THREADS_MAX);
    if (limit < 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "memory_limit_bytes is %lld, expected 0 (most of the machine's) or more",
                       (long long)limit);
    if (threads == 0)
        threads = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*engine), (void **)&engine, err));
    pthread_mutex_init(&engine->lock, NULL);
    fl_condition_init(&engine->changed);
    pthread_mutex_init(&engine->registry_lock, NULL);
    engine->refs = 1;
    engine->threads = threads < 1 ? 1 : threads > FL_THREADS_MAX ? FL_THREADS_MAX : threads;
    fl_memory_init(&engine->memory, NULL, "engine's memory", limit > 0 ? limit : machine_bytes() / 10 * 8);
    engine->memory.system = system;
    fl_spill_quota_init(&engine->spill_quota, NULL, "the engine's temp_limit", 0);
    find_temp_directory(engine->temp_directory);
    int64_t keep = engine->memory.limit_bytes / POOL_KEEP_PART;
    FL_TRY(fl_buffer_pool_new(keep < POOL_KEEP_BYTES ? keep : POOL_KEEP_BYTES, &engine->pool, err));
    engine->memory.pool = engine->pool;
    FL_TRY(fl_files_cache_new(&engine->memory, &engine->files, err));
    engine->memory.give_up = fl_files_cache_give_up;
    engine->memory.kept = engine->files;
    FL_TRY(fl_workers_new(FL_THREADS_MAX, &engine->workers, err));
    FL_TRY(fl_registry_new(&registry, err));
    engine->registry = registry;
    FL_TRY(fl_engine_add_builtins(registry, err));
    FL_TRY(fl_registry_seal(registry, err));
    int failure = fl_system_random(system, &engine->seed, (int64_t)sizeof(engine->seed));
    if (failure < 0) {
        st = FL_FAIL(err, FL_ERR_IO, "the system gives no random bytes: %s", fl_system_reason(failure));
        goto cleanup;
    }
    *ret_engine = engine;
    return FL_OK;
cleanup:
    fl_engine_close(engine);
    return st;
}

void fl_engine_close(fl_engine *engine)
{
    if (engine != NULL)
        fl_engine_unref(engine);
}

void fl_engine_unref(fl_engine *engine)
{
    if (atomic_fetch_sub(&engine->refs, 1) > 1)
        return;
    fl_engine_clear(engine);
    fl_files_cache_free(engine->files);
    fl_workers_free(engine->workers);
    fl_registry_unref(engine->registry);
    fl_buffer_pool_free(engine->pool);
    pthread_mutex_destroy(&engine->lock);
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->registry_lock);
    fl_free(engine);
}

const char *fl_version(void)
{
    return FLETCH_VERSION;
}

void fl_text_free(char *text)
{
    fl_free(text);
}
