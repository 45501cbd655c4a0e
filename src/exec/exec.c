/* The runtime: building chains, passing batches and events on, counting. How tasks run is in exec/task_graph.c. */
#include "exec/exec.h"

#include "arrow/vec_check.h"
#include "base/clock.h"
#include "exec/runtime_filter.h"
#include "exec/spill_file.h"
#include "exec/task_graph.h"

#include <stdio.h>

static fl_status make_workers(fl_exec *exec, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t nodes = fl_plan_nodes(exec->plan) + 1;
    fl_worker *workers = NULL;
    fl_stay *stays = NULL;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_workers + 1, &workers, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_workers, &stays, err));
    for (int32_t w = 0; w <= exec->n_workers; w++) {
        workers[w].exec = exec;
        workers[w].id = w;
        fl_arena_init(&workers[w].arena, exec->context.memory);
        FL_TRY(FL_NEW_ARRAY(&exec->arena, nodes + 1, &workers[w].actual, err));
    }
    for (int32_t w = 0; w < exec->n_workers; w++) {
        workers[w].stay = &stays[w];
        stays[w].worker = &workers[w];
    }
    exec->workers = workers;
    exec->finisher = &workers[exec->n_workers];
    exec->stays = stays;
cleanup:
    return st;
}

static _Atomic uint64_t last_number;

fl_status fl_exec_new(const fl_exec_context *context, fl_exec **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = NULL;
    FL_TRY(fl_alloc_zero(context->memory, (int64_t)sizeof(*exec), (void **)&exec, err));
    exec->context = *context;
    exec->number = atomic_fetch_add(&last_number, 1) + 1;
    exec->plan = context->plan;
    exec->started_ns = fl_clock_ns(context->memory->system);
    pthread_mutex_init(&exec->lock, NULL);
    pthread_mutex_init(&exec->spill_lock, NULL);
    pthread_cond_init(&exec->changed, NULL);
    fl_arena_init(&exec->arena, context->memory);
    fl_job_init(&exec->job, context->workers, context->session->threads < 1 ? 1 : context->session->threads,
                FL_JOB_WEIGHT, fl_exec_help);
    exec->n_workers = exec->job.workers_max;
    FL_TRY(make_workers(exec, err));
    *ret = exec;
    return FL_OK;
cleanup:
    fl_exec_free(exec);
    return st;
}

void fl_exec_free(fl_exec *exec)
{
    if (exec == NULL)
        return;
    atomic_store(&exec->stops, true);
    fl_job_end(&exec->job);
    fl_exec_end_paused(exec);
    for (int32_t w = 0; w < exec->n_workers; w++) {
        for (int32_t i = 0; i < exec->n_stages; i++)
            if (exec->stages[i]->locals[w] != NULL && exec->stages[i]->ops->local_free != NULL)
                exec->stages[i]->ops->local_free(exec->stages[i], exec->stages[i]->locals[w]);
        for (int32_t i = 0; i < exec->n_sources; i++)
            if (exec->sources[i]->locals[w] != NULL && exec->sources[i]->ops->local_free != NULL)
                exec->sources[i]->ops->local_free(exec->sources[i], exec->sources[i]->locals[w]);
    }
    for (int32_t w = 0; exec->workers != NULL && w <= exec->n_workers; w++)
        fl_arena_drop(&exec->workers[w].arena);
    for (int32_t i = 0; i < exec->n_sources; i++)
        if (exec->sources[i]->ops->free != NULL)
            exec->sources[i]->ops->free(exec->sources[i]);
    for (int32_t i = 0; i < exec->n_stages; i++)
        if (exec->stages[i]->ops->free != NULL)
            exec->stages[i]->ops->free(exec->stages[i]);
    fl_free(exec->stages);
    fl_free(exec->sources);
    fl_arena_drop(&exec->arena);
    fl_spill_file_free(exec->spill_file);
    pthread_mutex_destroy(&exec->lock);
    pthread_mutex_destroy(&exec->spill_lock);
    pthread_cond_destroy(&exec->changed);
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
    for (fl_runtime_filter *f = seen; f != NULL; f = f->next) {
        f->hidden -= !fl_col_set_has(&node->made, f->col);
        FL_ASSERT(f->hidden >= 0);
    }
    return st;
}

fl_status fl_exec_add_stage(fl_exec *exec, const fl_stage_ops *ops, int64_t bytes, const fl_node *node, fl_stage *next,
                            void *ret_stage, fl_err *err)
{
    fl_status st = FL_OK;
    fl_stage *stage = NULL;
    FL_ASSERT(ops->push != NULL && bytes >= (int64_t)sizeof(fl_stage));
    FL_TRY(fl_arena_get_zero(&exec->arena, bytes, (void **)&stage, err));
    FL_TRY(fl_grow(exec->context.memory, (void **)&exec->stages, &exec->stages_capacity, exec->n_stages + 1,
                   (int64_t)sizeof(*exec->stages), err));
    stage->ops = ops;
    stage->next = next;
    stage->node = node;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_workers, &stage->locals, err));
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
    FL_ASSERT(ops->run != NULL && bytes >= (int64_t)sizeof(fl_source));
    FL_TRY(fl_arena_get_zero(&exec->arena, bytes, (void **)&source, err));
    FL_TRY(fl_grow(exec->context.memory, (void **)&exec->sources, &exec->sources_capacity, exec->n_sources + 1,
                   (int64_t)sizeof(*exec->sources), err));
    source->ops = ops;
    source->node = node;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_workers, &source->locals, err));
    exec->sources[exec->n_sources++] = source;
    *(fl_source **)ret_source = source;
cleanup:
    return st;
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
    FL_ASSERT(kept == batch->kept);
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

void fl_exec_say_who(const char *what, const fl_node *node, fl_err *err)
{
    char who[64];
    snprintf(who, sizeof(who), "the %s", node == NULL ? "" : node->op->name);
    if (what == NULL && node == NULL)
        return;
    bool is_new = fl_memory_say_who(err, what != NULL ? what : who);
    if (is_new && node != NULL && node->op->in_memory != NULL)
        fl_err_hint_add(err, "%s", node->op->in_memory);
}

/* Whether a batch is what its node says: as many columns, of their types, and no more rows than are kept. */
static bool is_batch_of(const fl_exec *exec, const fl_node *node, const fl_batch *batch)
{
    bool is = batch->cols == node->n_cols && batch->kept <= batch->rows &&
              (batch->mask != NULL || batch->kept == batch->rows);
    for (int32_t c = 0; is && c < batch->cols; c++)
        is = batch->vec[c].type.id == fl_plan_col(exec->plan, node->cols[c])->type.id;
    return is;
}

fl_status fl_push(const fl_node *from, fl_stage *to, fl_worker *worker, fl_batch *batch, fl_err *err)
{
    FL_ASSERT(from == NULL || is_batch_of(worker->exec, from, batch));
    FL_ASSERT(to->ops->local_new == NULL || to->locals[worker->id] != NULL);
    FL_ASSERT_NO_FAULT(fl_batch_fault(batch));
    for (int32_t c = 0; from != NULL && c < batch->cols; c++)
        FL_ASSERT_SLOW(fl_type_is_equal(batch->vec[c].type, fl_plan_col(worker->exec->plan, from->cols[c])->type));
    if (batch->kept == 0)
        return FL_OK;
    fl_status st = fl_exec_check(worker->exec, err);
    if (st != FL_OK)
        return st;
    const fl_system *system = worker->exec->context.memory->system;
    int64_t started = fl_clock_ns(system);
    if (from != NULL)
        worker->actual[from->id].rows += batch->kept;
    st = to->ops->push(to, worker, to->locals[worker->id], batch, err);
    if (st == FL_ERR_MEMORY)
        fl_exec_say_who(to->ops->what, to->node, err);
    int64_t spent = fl_clock_ns(system) - started;
    if (from != NULL)
        worker->actual[from->id].ns -= spent; /* time further down the chain is not the producer's */
    if (to->node != NULL) {
        worker->actual[to->node->id].ns += spent;
        worker->actual[to->node->id].has_run = true;
    }
    return st;
}

fl_status fl_push_event(fl_stage *to, fl_worker *worker, fl_event event, fl_err *err)
{
    while (to != NULL && to->ops->on_event == NULL)
        to = to->next;
    if (to == NULL)
        return FL_OK;
    fl_status st = to->ops->on_event(to, worker, to->locals[worker->id], event, err);
    if (st == FL_ERR_MEMORY)
        fl_exec_say_who(to->ops->what, to->node, err);
    return st;
}

double fl_exec_progress(fl_exec *exec)
{
    double total = 0, done = 0;
    for (fl_source *source = atomic_load(&exec->scans); source != NULL; source = source->next_scan) {
        double rows = (double)source->scan->rows_total, read = (double)atomic_load(&source->scan->rows_done);
        total += rows;
        done += atomic_load(&source->has_ended) || read > rows ? rows : read;
    }
    return total <= 0 ? 0 : done / total;
}

static void add_actual(const fl_exec *exec, fl_node_actual *to, int32_t n)
{
    int32_t nodes = fl_plan_nodes(exec->plan) + 1;
    for (int32_t w = 0; exec->workers != NULL && w <= exec->n_workers; w++)
        for (int32_t i = 0; i < n && i < nodes; i++) {
            const fl_node_actual *a = &exec->workers[w].actual[i];
            to[i].rows += a->rows;
            to[i].ns += a->ns;
            to[i].bytes += a->bytes;
            to[i].spilled_bytes += a->spilled_bytes;
            to[i].spill_splits += a->spill_splits;
            to[i].has_run |= a->has_run;
        }
}

void fl_exec_actual(fl_exec *exec, fl_node_actual *ret, int32_t n)
{
    memset(ret, 0, (size_t)n * sizeof(*ret));
    add_actual(exec, ret, n);
}

void *fl_exec_kept(const fl_exec *exec, const fl_node *node)
{
    const fl_kept_build *kept = exec->context.kept;
    while (kept != NULL && kept->node != node)
        kept = kept->next;
    return kept != NULL ? kept->built : NULL;
}

void fl_exec_count_run(fl_worker *worker, const fl_exec *run)
{
    FL_ASSERT(run->plan == worker->exec->plan); /* so that ids mean the same nodes */
    add_actual(run, worker->actual, fl_plan_nodes(run->plan) + 1);
}

fl_status fl_exec_parallel(fl_exec *exec, int32_t n, fl_status (*fn)(void *ctx, int32_t i, fl_err *err), void *ctx,
                           fl_err *err)
{
    return fl_workers_each(exec->context.workers, exec->n_workers, n, fn, ctx, exec->context.memory->interrupt, err);
}

/* ---- commits ------------------------------------------------------------------------------------------------------- */

void fl_exec_add_commit(fl_exec *exec, fl_stage *stage)
{
    FL_ASSERT(stage->ops->commit != NULL && stage->next_commit == NULL);
    fl_stage **at = &exec->commits;
    while (*at != NULL)
        at = &(*at)->next_commit;
    *at = stage;
}

fl_status fl_exec_commit(fl_exec *exec, fl_err *err)
{
    fl_status st = FL_OK;
    for (fl_stage *stage = exec->commits; stage != NULL && st == FL_OK; stage = stage->next_commit)
        st = stage->ops->commit(stage, err);
    return st;
}
