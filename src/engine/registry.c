/* The engine's registry: snapshots that follow each other. What is published is sealed and never changes. */
#include "engine/internal.h"

const fl_registry *fl_engine_registry(fl_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    const fl_registry *registry = fl_registry_ref(engine->registry);
    pthread_mutex_unlock(&engine->lock);
    return registry;
}

static void publish(fl_engine *engine, const fl_registry *registry)
{
    pthread_mutex_lock(&engine->lock);
    const fl_registry *before = engine->registry;
    engine->registry = registry;
    pthread_mutex_unlock(&engine->lock);
    fl_registry_unref(before);
}

fl_status fl_engine_extend(fl_engine *engine, fl_registry_adder add, void *ctx, fl_err *err)
{
    return fl_engine_extend_kept(engine, add, NULL, ctx, err);
}

fl_status fl_engine_extend_kept(fl_engine *engine, fl_registry_adder add, fl_status (*keep)(void *ctx, fl_err *err),
                                void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    fl_registry *next = NULL;
    pthread_mutex_lock(&engine->registry_lock);
    FL_TRY(fl_registry_copy(engine->registry, &next, err));
    FL_TRY(add(ctx, next, err));
    FL_TRY(fl_registry_seal(next, err));
    if (keep != NULL)
        FL_TRY(keep(ctx, err));
    publish(engine, next);
    next = NULL;
cleanup:
    pthread_mutex_unlock(&engine->registry_lock);
    fl_registry_unref(next);
    return st;
}
