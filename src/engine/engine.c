/* Opening and closing an engine: budget, buffer pool, workers, registry, empty catalog. */
#include "engine/function_store.h"
#include "engine/internal.h"
#include "engine/signed_function.h"
#include "udf/plugin.h"

#include "base/metrics.h"
#include "base/system.h"

#include <stdlib.h>
#include <unistd.h>

#define POOL_KEEP_BYTES (1ll << 30) /* idle regions, which no budget counts */
#define POOL_KEEP_PART 16           /* of the limit, where that is less */

/* Whether the caller knows an option: it may have been built before there was one. */
#define HAS(options, member) \
    ((options) != NULL && (options)->size >= offsetof(fl_engine_options, member) + sizeof((options)->member))
#define OPTIONS_BYTES_MIN offsetof(fl_engine_options, udf_dir) /* what came later is 0 for who knows less */

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

static fl_status copy_text(const char *text, char **ret, fl_err *err)
{
    fl_status st = fl_alloc(NULL, (int64_t)strlen(text) + 1, (void **)ret, err);
    if (st == FL_OK)
        strcpy(*ret, text);
    return st;
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
    const char *udf_dir = HAS(options, udf_dir) ? options->udf_dir : NULL;
    if (HAS(options, plugin_dir) && options->plugin_dir != NULL && options->plugin_dir[0] != 0)
        fl_plugin_set_folder(fl_str_of(options->plugin_dir));
    if (options != NULL && options->size < OPTIONS_BYTES_MIN)
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
    pthread_mutex_init(&engine->functions_lock, NULL);
    engine->refs = 1;
    engine->threads = threads < 1 ? 1 : threads > FL_THREADS_MAX ? FL_THREADS_MAX : threads;
    fl_memory_init(&engine->memory, NULL, "engine's memory", limit > 0 ? limit : machine_bytes() / 10 * 8);
    engine->memory.system = system;
    fl_spill_quota_init(&engine->spill_quota, NULL, "the engine's temp_limit", 0);
    find_temp_directory(engine->temp_directory);
    int64_t keep = engine->memory.limit_bytes / POOL_KEEP_PART;
    FL_TRY(fl_region_pool_new(keep < POOL_KEEP_BYTES ? keep : POOL_KEEP_BYTES, &engine->pool, err));
    engine->memory.pool = engine->pool;
    FL_TRY(fl_metrics_new(engine->threads, &engine->memory.metrics, err));
    FL_TRY(fl_files_cache_new(&engine->memory, &engine->files, err));
    engine->memory.give_up = fl_files_cache_give_up;
    engine->memory.kept = engine->files;
    FL_TRY(fl_workers_new(FL_THREADS_MAX, &engine->workers, err));
    FL_TRY(fl_fibers_new(&engine->fibers, err));
    FL_TRY(fl_registry_new(&registry, err));
    engine->registry = registry;
    FL_TRY(fl_engine_add_builtins(registry, err));
    FL_TRY(fl_registry_seal(registry, err));
    int failure = fl_system_random(system, &engine->seed, (int64_t)sizeof(engine->seed));
    if (failure < 0) {
        st = FL_FAIL(err, FL_ERR_IO, "the system gives no random bytes: %s", fl_system_reason(failure));
        goto cleanup;
    }
    if (HAS(options, n_udf_keys))
        FL_TRY(fl_engine_read_udf_keys(engine, options->udf_keys, options->n_udf_keys, err));
    engine->allow_python = HAS(options, allow_python) ? options->allow_python : 0;
    if (HAS(options, python_path) && options->python_path != NULL)
        FL_TRY(copy_text(options->python_path, &engine->python_path, err));
    if (udf_dir != NULL && udf_dir[0] != 0)
        FL_TRY(fl_function_store_open(engine, fl_str_of(udf_dir), err));
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
    fl_fibers_free(engine->fibers);
    fl_registry_unref(engine->registry);
    fl_region_pool_free(engine->pool);
    pthread_mutex_destroy(&engine->lock);
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->registry_lock);
    pthread_mutex_destroy(&engine->functions_lock);
    fl_udf_store_drop(&engine->functions);
    fl_function_store_free(engine->function_store);
    fl_free(engine->udf_keys);
    fl_free(engine->python_path);
    fl_metrics_free(engine->memory.metrics);
    fl_free(engine);
}

const char *fl_version(void)
{
    return FLETCH_VERSION;
}

fl_status fl_engine_metrics(fl_engine *engine, char **ret_text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    char *copy = NULL;
    fl_text_init(&text, NULL);
    fl_metrics_print(&text, engine->memory.metrics);
    FL_TRY(fl_text_status(&text, err));
    FL_TRY(fl_alloc_zero(NULL, text.len + 1, (void **)&copy, err));
    memcpy(copy, text.data, (size_t)text.len);
    *ret_text = copy;
cleanup:
    fl_text_drop(&text);
    return st;
}

void fl_text_free(char *text)
{
    fl_free(text);
}
