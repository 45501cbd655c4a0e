/* The runtime: building chains, running pipelines on workers, stopping, counting. */
#include "exec/exec.h"

#include "base/clock.h"
#include "exec/runtime_filter.h"

#include <pthread.h>
#include <stdio.h>

typedef struct fl_task {
    struct fl_task *next;
    fl_source *source; /* a pipeline; or: */
    fl_stage *stage;   /* its chain; without a source: the sink to finish */
} fl_task;

fl_status fl_exec_new(const fl_exec_context *context, fl_exec **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = NULL;
    FL_TRY(fl_alloc_zero(context->memory, (int64_t)sizeof(*exec), (void **)&exec, err));
    exec->context = *context;
    exec->plan = context->plan;
    fl_arena_init(&exec->arena, context->memory);
    exec->n_workers = context->session->threads < 1 ? 1 : context->session->threads;
    *ret = exec;
    return FL_OK;
cleanup:
    return st;
}

void fl_exec_free(fl_exec *exec)
{
    if (exec == NULL)
        return;
    for (int32_t w = 0; exec->workers != NULL && w < exec->n_workers; w++) {
        fl_worker *worker = &exec->workers[w];
        for (int32_t i = 0; i < exec->n_stages; i++)
            if (worker->locals[exec->stages[i]->part] != NULL && exec->stages[i]->ops->local_free != NULL)
                exec->stages[i]->ops->local_free(exec->stages[i], worker->locals[exec->stages[i]->part]);
        for (int32_t i = 0; i < exec->n_sources; i++)
            if (worker->locals[exec->sources[i]->part] != NULL && exec->sources[i]->ops->local_free != NULL)
                exec->sources[i]->ops->local_free(exec->sources[i], worker->locals[exec->sources[i]->part]);
        fl_arena_drop(&worker->arena);
    }
    for (int32_t i = 0; i < exec->n_sources; i++)
        if (exec->sources[i]->ops->free != NULL)
            exec->sources[i]->ops->free(exec->sources[i]);
    for (int32_t i = 0; i < exec->n_stages; i++)
        if (exec->stages[i]->ops->free != NULL)
            exec->stages[i]->ops->free(exec->stages[i]);
    fl_free(exec->stages);
    fl_free(exec->sources);
    fl_arena_drop(&exec->arena);
    fl_free(exec);
}

fl_status fl_exec_build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    if (fl_trait_get(node->traits, &fl_trait_convention) != FL_VECTORIZED || node->op->exec == NULL)
        return FL_FAIL(err, FL_ERR_PLAN, "the operator %s has no implementation in this plan: it is still logical",
                       node->op->name);
    for (fl_runtime_filter *f = exec->runtime_filters; f != NULL; f = f->next)
        f->hidden += !fl_col_set_has(&node->made, f->col);
    fl_runtime_filter *seen = exec->runtime_filters; /* those announced further down count from where they began */
    fl_status st = node->op->exec->build(exec, node, next, err);
    for (fl_runtime_filter *f = seen; f != NULL; f = f->next)
        f->hidden -= !fl_col_set_has(&node->made, f->col);
    return st;
}

fl_status fl_exec_add_stage(fl_exec *exec, const fl_stage_ops *ops, int64_t bytes, const fl_node *node, fl_stage *next,
                            void *ret_stage, fl_err *err)
{
    fl_status st = FL_OK;
    fl_stage *stage = NULL;
    FL_TRY(fl_arena_get_zero(&exec->arena, bytes, (void **)&stage, err));
    FL_TRY(fl_grow(exec->context.memory, (void **)&exec->stages, &exec->stages_capacity, exec->n_stages + 1,
                   (int64_t)sizeof(*exec->stages), err));
    stage->ops = ops;
    stage->next = next;
    stage->node = node;
    stage->part = exec->n_parts++;
    exec->stages[exec->n_stages++] = stage;
    *(fl_stage **)ret_stage = stage;
cleanup:
    return st;
}

fl_status fl_exec_add_source(fl_exec *exec, const fl_source_ops *ops, int64_t bytes, const fl_node *node,
                             void *ret_source, fl_err *err)
{
    fl_status st = FL_OK;
    fl_source *source = NULL;
    FL_TRY(fl_arena_get_zero(&exec->arena, bytes, (void **)&source, err));
    FL_TRY(fl_grow(exec->context.memory, (void **)&exec->sources, &exec->sources_capacity, exec->n_sources + 1,
                   (int64_t)sizeof(*exec->sources), err));
    source->ops = ops;
    source->node = node;
    source->part = exec->n_parts++;
    exec->sources[exec->n_sources++] = source;
    *(fl_source **)ret_source = source;
cleanup:
    return st;
}

static fl_status add_task(fl_exec *exec, fl_source *source, fl_stage *stage, fl_err *err)
{
    fl_task *task = NULL;
    fl_status st = FL_NEW(&exec->arena, &task, err);
    if (st != FL_OK)
        return st;
    task->source = source;
    task->stage = stage;
    if (exec->tasks_last == NULL)
        exec->tasks = task;
    else
        exec->tasks_last->next = task;
    exec->tasks_last = task;
    return FL_OK;
}

fl_status fl_exec_add_pipeline(fl_exec *exec, fl_source *source, fl_stage *chain, fl_err *err)
{
    return add_task(exec, source, chain, err);
}

fl_status fl_exec_add_finish(fl_exec *exec, fl_stage *sink, fl_err *err)
{
    return add_task(exec, NULL, sink, err);
}

typedef struct fl_exec_shared {
    struct fl_exec_shared *next;
    int64_t key;
    void *value;
} fl_exec_shared;

fl_status fl_exec_place(fl_exec *exec, int64_t key, void ***ret, fl_err *err)
{
    fl_exec_shared *shared = exec->shared;
    while (shared != NULL && shared->key != key)
        shared = shared->next;
    if (shared == NULL) {
        fl_status st = FL_NEW(&exec->arena, &shared, err);
        if (st != FL_OK)
            return st;
        *shared = (fl_exec_shared){.next = exec->shared, .key = key};
        exec->shared = shared;
    }
    *ret = &shared->value;
    return FL_OK;
}

fl_status fl_exec_col_places(fl_exec *exec, const fl_col_id *cols, int32_t n, fl_index_map *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_index_map_init(ret, &exec->arena);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        st = fl_index_map_add(ret, (uint64_t)cols[i].n, i, err);
    return st;
}

fl_status fl_exec_col_map(fl_exec *exec, const fl_col_id *cols, int32_t n, const fl_node *input, int32_t **ret,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_index_map places;
    FL_TRY(fl_exec_col_places(exec, input->cols, input->n_cols, &places, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, n + 1, ret, err));
    for (int32_t i = 0; i < n && st == FL_OK; i++) {
        (*ret)[i] = fl_index_map_find(&places, (uint64_t)cols[i].n);
        if ((*ret)[i] < 0)
            st = FL_FAIL(err, FL_ERR_INTERNAL, "%s does not put out column %.*s (%d)", input->op->name,
                         FL_STR_ARG(fl_plan_col(exec->plan, cols[i])->name), cols[i].n);
    }
cleanup:
    return st;
}

fl_status fl_batch_compact(fl_arena *arena, fl_batch *batch, fl_err *err)
{
    fl_status st = FL_OK;
    uint16_t *list = NULL;
    fl_vec *vecs = NULL;
    if (batch->mask == NULL)
        return FL_OK;
    FL_TRY(fl_arena_get(arena, batch->rows * 2 + 64, (void **)&list, err));
    FL_TRY(FL_NEW_ARRAY(arena, batch->cols + 1, &vecs, err));
    int32_t kept = fl_bitmap_to_list(batch->mask, batch->rows, list);
    for (int32_t c = 0; c < batch->cols; c++)
        FL_TRY(fl_vec_gather(arena, &batch->vec[c], list, kept, &vecs[c], err));
    batch->vec = vecs;
    batch->mask = NULL;
    batch->rows = batch->kept = kept;
cleanup:
    return st;
}

fl_status fl_exec_check(fl_exec *exec, fl_err *err)
{
    return fl_interrupt_check(exec->context.memory->interrupt, err);
}

/* A limit that is passed is the fault of who asks: the innermost stage or source that the error comes from. */
static void say_who(const char *what, const fl_node *node, fl_err *err)
{
    char who[64];
    snprintf(who, sizeof(who), "the %s", node == NULL ? "" : node->op->name);
    if (what != NULL || node != NULL)
        fl_memory_say_who(err, what != NULL ? what : who);
}

fl_status fl_push(const fl_node *from, fl_stage *to, fl_worker *worker, fl_batch *batch, fl_err *err)
{
    if (batch->kept == 0)
        return FL_OK;
    fl_status st = fl_exec_check(worker->exec, err);
    if (st != FL_OK)
        return st;
    int64_t started = fl_clock_ns();
    if (from != NULL)
        worker->actual[from->id].rows += batch->kept;
    st = to->ops->push(to, worker, worker->locals[to->part], batch, err);
    if (st == FL_ERR_MEMORY)
        say_who(to->ops->what, to->node, err);
    int64_t spent = fl_clock_ns() - started;
    if (from != NULL)
        worker->actual[from->id].ns -= spent; /* time further down the chain is not the producer's */
    if (to->node != NULL) {
        worker->actual[to->node->id].ns += spent;
        worker->actual[to->node->id].has_run = true;
    }
    return st;
}

double fl_exec_progress(fl_exec *exec)
{
    double total = (double)atomic_load(&exec->rows_total), done = (double)atomic_load(&exec->rows_done);
    fl_scan *scan = atomic_load(&exec->scan_now);
    if (scan != NULL)
        done += (double)atomic_load(&scan->rows_done);
    if (total <= 0)
        return 0;
    return done < total ? done / total : 1;
}

/* A pipeline under way: shared by its workers. */
typedef struct run {
    fl_exec *exec;
    fl_source *source;
    fl_stage *chain;
    int32_t number; /* of the pipeline, in order */
    pthread_mutex_t lock;
    fl_status st; /* first failure */
    fl_err err;
    _Atomic bool stops;
} run;

static void fail(run *r, fl_status st, const fl_err *err)
{
    pthread_mutex_lock(&r->lock);
    if (r->st == FL_OK) {
        r->st = st;
        r->err = *err;
    }
    pthread_mutex_unlock(&r->lock);
    atomic_store(&r->stops, true);
}

static fl_status make_locals(run *r, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    fl_source *source = r->source;
    if (source->ops->local_new != NULL && worker->locals[source->part] == NULL)
        st = source->ops->local_new(source, worker, &worker->locals[source->part], err);
    if (st == FL_ERR_MEMORY)
        say_who(NULL, source->node, err);
    if (st != FL_OK)
        goto cleanup;
    for (fl_stage *s = r->chain; s != NULL; s = s->next)
        if (s->ops->local_new != NULL && worker->locals[s->part] == NULL) {
            st = s->ops->local_new(s, worker, &worker->locals[s->part], err);
            if (st == FL_ERR_MEMORY)
                say_who(s->ops->what, s->node, err);
            if (st != FL_OK)
                goto cleanup;
        }
cleanup:
    return st;
}

static void run_worker(void *task, int32_t id)
{
    run *r = task;
    fl_worker *worker = &r->exec->workers[id];
    fl_err err = {0};
    fl_status st = make_locals(r, worker, &err);
    worker->pipeline = r->number;
    bool any = true;
    int64_t started = fl_clock_ns();
    while (st == FL_OK && any && !atomic_load_explicit(&r->stops, memory_order_relaxed)) {
        st = r->source->ops->run(r->source, worker, worker->locals[r->source->part], r->chain, &any, &err);
        if (st == FL_ERR_MEMORY)
            say_who(NULL, r->source->node, &err);
        if (st == FL_OK)
            st = fl_exec_check(r->exec, &err);
    }
    if (st == FL_DONE) { /* a limit is reached: nobody needs to go on, but held-back rows still flow */
        atomic_store(&r->stops, true);
        st = FL_OK;
    }
    for (fl_stage *s = r->chain; s != NULL && st == FL_OK; s = s->next)
        if (s->ops->flush != NULL) {
            st = s->ops->flush(s, worker, worker->locals[s->part], &err);
            if (st == FL_ERR_MEMORY)
                say_who(s->ops->what, s->node, &err);
        }
    if (st == FL_DONE)
        st = FL_OK;
    if (r->source->node != NULL) {
        worker->actual[r->source->node->id].ns += fl_clock_ns() - started;
        worker->actual[r->source->node->id].has_run = true;
    }
    if (st != FL_OK)
        fail(r, st, &err);
}

static fl_status run_pipeline(fl_exec *exec, const fl_task *task, int32_t number, fl_err *err)
{
    run r = {.exec = exec, .source = task->source, .chain = task->stage, .number = number};
    int32_t workers = exec->n_workers;
    pthread_mutex_init(&r.lock, NULL);
    for (fl_stage *s = task->stage; s != NULL; s = s->next)
        if (s->is_ordered)
            workers = 1;
    if (task->source->workers_max > 0 && workers > task->source->workers_max)
        workers = task->source->workers_max;
    atomic_store(&exec->scan_now, task->source->scan);
    fl_workers_run(exec->context.workers, workers, run_worker, &r);
    if (task->source->scan != NULL) {
        atomic_store(&exec->scan_now, NULL);
        atomic_fetch_add(&exec->rows_done, task->source->scan->rows_total);
    }
    pthread_mutex_destroy(&r.lock);
    if (r.st != FL_OK && err != NULL)
        *err = r.err;
    return r.st;
}

static fl_status make_workers(fl_exec *exec, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t nodes = fl_plan_nodes(exec->plan) + 1;
    fl_worker *workers = NULL;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_workers, &workers, err));
    for (int32_t w = 0; w < exec->n_workers; w++) {
        workers[w].exec = exec;
        workers[w].id = w;
        fl_arena_init(&workers[w].arena, exec->context.memory);
        FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_parts, &workers[w].locals, err));
        FL_TRY(FL_NEW_ARRAY(&exec->arena, nodes + 1, &workers[w].actual, err));
    }
    exec->workers = workers;
cleanup:
    return st;
}

fl_status fl_exec_run(fl_exec *exec, fl_err *err)
{
    fl_status st = FL_OK;
    void **locals = NULL;
    int64_t total = 0;
    int32_t number = 0;
    for (int32_t i = 0; i < exec->n_sources; i++)
        if (exec->sources[i]->scan != NULL)
            total += exec->sources[i]->scan->rows_total;
    atomic_store(&exec->rows_total, total);
    FL_TRY(make_workers(exec, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_workers, &locals, err));
    for (fl_task *task = exec->tasks; task != NULL; task = task->next) {
        FL_TRY(fl_exec_check(exec, err));
        if (task->source != NULL) {
            FL_TRY(run_pipeline(exec, task, number++, err));
            continue;
        }
        for (int32_t w = 0; w < exec->n_workers; w++)
            locals[w] = exec->workers[w].locals[task->stage->part];
        st = task->stage->ops->finish(task->stage, locals, exec->n_workers, err);
        if (st == FL_ERR_MEMORY)
            say_who(task->stage->ops->what, task->stage->node, err);
        if (st != FL_OK)
            goto cleanup;
    }
cleanup:
    return st;
}

void fl_exec_actual(fl_exec *exec, fl_node_actual *ret, int32_t n)
{
    memset(ret, 0, (size_t)n * sizeof(*ret));
    int32_t nodes = fl_plan_nodes(exec->plan) + 1;
    for (int32_t w = 0; exec->workers != NULL && w < exec->n_workers; w++)
        for (int32_t i = 0; i < n && i < nodes; i++) {
            const fl_node_actual *a = &exec->workers[w].actual[i];
            ret[i].rows += a->rows;
            ret[i].ns += a->ns;
            ret[i].bytes += a->bytes;
            ret[i].has_run |= a->has_run;
        }
}

fl_status fl_exec_parallel(fl_exec *exec, int32_t n, fl_status (*fn)(void *ctx, int32_t i, fl_err *err), void *ctx,
                           fl_err *err)
{
    return fl_workers_each(exec->context.workers, exec->n_workers, n, fn, ctx, exec->context.memory->interrupt, err);
}
