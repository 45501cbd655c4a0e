/* recursion: a source whose morsel is a round.
 *
 * The first input is gathered as a pipeline of the run is. Each round behind it is a run of its own, which this source's one worker waits for
 * and whose helpers are the pool's, over the segments that the round before left. What they share, as tables of joins with what does not change,
 * is made by one more run, before the first. A round's rows go on before the next one
 * begins, so a reader who has enough ends a recursion that would not. Of UNION a stage before the gathering drops rows that any
 * round made before; their keys stay in memory. With keys all rounds are run first: their rows are kept by key, and go on behind the
 * last one. */
#include "exec/exec.h"
#include "exec/group_table.h"
#include "op/materialize/gather.h"
#include "op/materialize/segment_pieces.h"
#include "op/recursion/keyed_rows.h"
#include "op/recursion/node.h"

typedef struct recursion_source {
    fl_source base;
    fl_gather *first;
    fl_segment **rows; /* of the last round; references */
    int64_t n_rows;    /* segments */
    int64_t round;
    int32_t *from;        /* per output column: of the attributes' */
    fl_row_layout layout; /* UNION: all columns, and whether the row was put out */
    fl_group_table known;
    bool has_known;
    fl_keyed_rows keyed;
    int64_t n_put_out; /* segments of keyed rows */
    fl_exec *keeper;   /* made what the rounds share; NULL: no round has begun */
    const fl_kept_build *kept;
} recursion_source;

static bool has_keys(const recursion_source *source)
{
    return fl_recursion_of(source->base.node)->n_keys >= 0;
}

/* ---- rows that are new --------------------------------------------------------------------------------------------- */

typedef struct fresh_stage {
    fl_stage base;
    recursion_source *source;
    int32_t *cols; /* of the batches, in the order of the layout's */
    uint16_t *list;
    uint8_t **rows;
} fresh_stage;

static fl_status push_fresh(fl_stage *base, fl_worker *worker, void *local, fl_batch *batch, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    fresh_stage *stage = (fresh_stage *)base;
    recursion_source *source = stage->source;
    fl_vec *keys = NULL;
    uint64_t *mask = NULL;
    int32_t count = 0, n_fresh = 0, n = source->layout.n_cols;
    int64_t words = fl_bitmap_words(batch->rows);
    FL_TRY(FL_NEW_ARRAY(&worker->arena, n + 1, &keys, err));
    FL_TRY(fl_arena_get_zero(&worker->arena, words * 8 + 8, (void **)&mask, err));
    for (int32_t c = 0; c < n; c++)
        keys[c] = batch->vec[stage->cols[c]];
    if (batch->mask != NULL)
        count = fl_bitmap_to_list(batch->mask, batch->rows, stage->list);
    else
        for (; count < batch->rows; count++)
            stage->list[count] = (uint16_t)count;
    FL_TRY(fl_group_table_find(&source->known, keys, stage->list, count, worker->exec->context.session->seed, true,
                               stage->rows, err));
    for (int32_t i = 0; i < count; i++) {
        uint64_t *was_put_out = (uint64_t *)(stage->rows[i] + source->layout.extra_offset);
        if (*was_put_out)
            continue;
        *was_put_out = 1;
        fl_bit_set(mask, stage->list[i]);
        n_fresh++;
    }
    fl_batch out = *batch;
    out.mask = mask;
    out.kept = n_fresh;
    FL_ASSERT(n_fresh <= batch->kept);
    st = n_fresh > 0 ? fl_push(NULL, base->next, worker, &out, err) : FL_OK;
cleanup:
    return st;
}

static const fl_stage_ops fresh_ops = {.push = push_fresh};

/* What takes a round's rows in: the gathering, behind what drops known rows. */
static fl_status chain_of(recursion_source *source, fl_exec *exec, int32_t input, fl_gather **ret_gather,
                          fl_stage **ret_chain, fl_err *err)
{
    fl_status st = FL_OK;
    fresh_stage *fresh = NULL;
    const fl_node *node = source->base.node, *rows = node->inputs[input];
    const fl_recursion_attrs *attrs = fl_recursion_of(node);
    const fl_col_id *cols = input == 0 ? attrs->first : attrs->step;
    int32_t rows_max = exec->context.session->vector_rows;
    FL_TRY(fl_gather_new(exec, cols, attrs->n_cols, rows, FL_SEGMENT_TABLE, exec->context.memory, ret_gather, err));
    *ret_chain = &(*ret_gather)->base;
    if (attrs->is_all || attrs->n_keys >= 0)
        return FL_OK;
    FL_TRY(fl_exec_add_stage(exec, &fresh_ops, (int64_t)sizeof(*fresh), NULL, *ret_chain, &fresh, err));
    fresh->base.is_ordered = true; /* one worker at a time: the table has no lock */
    fresh->source = source;
    FL_TRY(fl_exec_col_map(exec, cols, attrs->n_cols, rows, &fresh->cols, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, rows_max + 64, &fresh->list, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, rows_max + 64, &fresh->rows, err));
    *ret_chain = &fresh->base;
cleanup:
    return st;
}

/* ---- rounds -------------------------------------------------------------------------------------------------------- */

static void forget_rows(recursion_source *source)
{
    for (int64_t i = 0; i < source->n_rows; i++)
        fl_segment_unref(source->rows[i]);
    fl_free(source->rows);
    source->rows = NULL;
    source->n_rows = 0;
}

static fl_status take_rows(recursion_source *source, const fl_gather *from, fl_memory *memory, fl_err *err)
{
    fl_segment **rows = NULL;
    fl_status st = fl_alloc(memory, (from->n_segments + 1) * (int64_t)sizeof(*rows), (void **)&rows, err);
    if (st != FL_OK)
        return st;
    for (int64_t i = 0; i < from->n_segments; i++)
        rows[i] = fl_segment_ref(from->segments[i]);
    forget_rows(source);
    source->rows = rows;
    source->n_rows = from->n_segments;
    return FL_OK;
}

typedef struct keeping {
    recursion_source *source;
    fl_exec *keeper;
} keeping;

static fl_status keep_node(void *ctx, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    const keeping *k = ctx;
    fl_kept_build *kept = NULL;
    void *built = NULL;
    if (node->op->exec == NULL || node->op->exec->keep == NULL)
        return FL_OK;
    FL_TRY(node->op->exec->keep(k->keeper, node, &built, err));
    if (built == NULL)
        return FL_OK;
    FL_TRY(FL_NEW(&k->keeper->arena, &kept, err));
    *kept = (fl_kept_build){k->source->kept, node, built};
    k->source->kept = kept;
cleanup:
    return st;
}

/* Before the first round: what is the same in all of them. */
static fl_status make_kept(recursion_source *source, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec_context context = worker->exec->context;
    context.fibers = NULL;
    FL_TRY(fl_exec_new(&context, &source->keeper, err));
    source->kept = context.kept;
    keeping k = {source, source->keeper};
    FL_TRY(fl_node_visit(source->base.node->inputs[1], keep_node, &k, err));
    FL_TRY(fl_exec_run(source->keeper, err));
    if (context.session->tally != NULL) /* EXPLAIN ANALYZE */
        fl_exec_count_run(worker, source->keeper);
cleanup:
    return st;
}

static fl_status run_round(recursion_source *source, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = source->base.node;
    fl_exec *round = NULL;
    fl_gather *gather = NULL;
    fl_stage *chain = NULL;
    fl_exec_context context = worker->exec->context;
    fl_working_rows working = {.outer = context.working,
                               .number = fl_recursion_of(node)->number,
                               .segments = source->rows,
                               .n_segments = source->n_rows,
                               .is_live_only = has_keys(source) && !fl_recursion_of(node)->is_all,
                               .all = source->keyed.segments,
                               .n_all = source->keyed.n_segments};
    if (source->keeper == NULL)
        FL_TRY(make_kept(source, worker, err));
    context.working = &working;
    context.kept = source->kept;
    context.fibers = NULL;
    FL_TRY(fl_exec_new(&context, &round, err));
    FL_TRY(chain_of(source, round, 1, &gather, &chain, err));
    FL_TRY(fl_exec_build(round, node->inputs[1], chain, err));
    FL_TRY(fl_exec_add_finish(round, &gather->base, err));
    FL_TRY(fl_exec_run(round, err));
    if (context.session->tally != NULL) /* EXPLAIN ANALYZE */
        fl_exec_count_run(worker, round);
    st = take_rows(source, gather, context.memory, err);
cleanup:
    fl_exec_free(round);
    return st;
}

/* Takes in the rows of a round, or puts out a segment when there is none that is new. */
static fl_status run_keyed(recursion_source *source, fl_worker *worker, fl_stage *to, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    fl_keyed_rows *keyed = &source->keyed;
    bool keeps_same = !fl_recursion_of(source->base.node)->is_all;
    int64_t n_working = 0;
    if (source->n_rows > 0) {
        FL_TRY(fl_keyed_rows_put(keyed, source->rows, source->n_rows, keeps_same, err));
        for (int64_t i = 0; i < source->n_rows; i++)
            n_working += keeps_same ? fl_segment_live_rows(source->rows[i]) : source->rows[i]->rows;
        *ret_any = true;
        if (n_working == 0)
            forget_rows(source);
        return FL_OK;
    }
    *ret_any = source->n_put_out < keyed->n_segments;
    if (*ret_any) {
        const fl_segment *segment = keyed->segments[source->n_put_out++];
        fl_segment_piece whole = {segment, 0, segment->rows, segment->live};
        st = fl_segment_piece_push(&whole, source->base.node, source->from, worker, to, err);
    }
cleanup:
    return st;
}

static fl_status run(fl_source *base, fl_worker *worker, void *local, fl_stage *to, bool *ret_any, fl_err *err)
{
    (void)local;
    fl_status st = FL_OK;
    recursion_source *source = (recursion_source *)base;
    int64_t rounds_max = worker->exec->context.session->rounds_max;
    if (rounds_max > 0 && source->round > rounds_max && source->n_rows > 0) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "a recursive query made rows in %lld rounds and goes on: that is the limit",
                     (long long)rounds_max);
        fl_err_hint(err,
                    "a condition in the part that reads itself ends it, as WHERE n < 100; recursion_limit says how "
                    "many rounds there may be, 0: any number");
        return fl_err_state(err, "54001", st);
    }
    worker->morsel = source->round;
    fl_arena_reset(&worker->arena);
    if (source->round == 0)
        FL_TRY(take_rows(source, source->first, worker->exec->context.memory, err));
    else if (!has_keys(source) || source->n_rows > 0) /* with keys: the last round has made something */
        FL_TRY(run_round(source, worker, err));
    source->round++;
    if (has_keys(source)) {
        FL_TRY(run_keyed(source, worker, to, ret_any, err));
        st = fl_exec_check(worker->exec, err);
        goto cleanup;
    }
    *ret_any = source->n_rows > 0;
    for (int64_t i = 0; i < source->n_rows; i++) {
        FL_ASSERT(source->rows[i]->rows > 0); /* else a round without rows would not be the last */
        fl_segment_piece whole = {source->rows[i], 0, source->rows[i]->rows, NULL};
        FL_TRY(fl_segment_piece_push(&whole, base->node, source->from, worker, to, err));
    }
    st = fl_exec_check(worker->exec, err);
cleanup:
    return st;
}

static void source_free(fl_source *base)
{
    recursion_source *source = (recursion_source *)base;
    forget_rows(source);
    if (source->has_known)
        fl_group_table_drop(&source->known);
    fl_keyed_rows_drop(&source->keyed);
    fl_exec_free(source->keeper);
}

static bool has_large_morsels(const fl_source *base)
{
    (void)base;
    return true; /* a round may be of any number of rows */
}

static const fl_source_ops source_ops = {.run = run, .has_large_morsels = has_large_morsels, .free = source_free};

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    recursion_source *source = NULL;
    fl_stage *chain = NULL;
    fl_type *types = NULL;
    fl_index_map places;
    const fl_recursion_attrs *attrs = fl_recursion_of(node);
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    source->base.workers_max = 1;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &source->from, err));
    FL_TRY(fl_exec_col_places(exec, attrs->cols, attrs->n_cols, &places, err));
    for (int32_t c = 0; c < node->n_cols; c++)
        source->from[c] = fl_index_map_find(&places, (uint64_t)node->cols[c].n);
    FL_TRY(FL_NEW_ARRAY(&exec->arena, attrs->n_cols + 1, &types, err));
    for (int32_t c = 0; c < attrs->n_cols; c++)
        types[c] = fl_plan_col(exec->plan, attrs->cols[c])->type;
    if (attrs->n_keys >= 0) {
        FL_TRY(fl_keyed_rows_init(&source->keyed, &exec->arena, types, attrs->n_cols, (int32_t)attrs->n_keys,
                                  exec->context.session->vector_rows, exec->context.session->seed, exec->context.memory,
                                  err));
    } else if (!attrs->is_all) {
        FL_TRY(fl_row_layout_init(&source->layout, &exec->arena, types, attrs->n_cols, 8, err));
        FL_TRY(fl_group_table_init(&source->known, &source->layout, attrs->n_cols, exec->context.session->vector_rows,
                                   exec->context.memory, err));
        source->has_known = true;
    }
    FL_TRY(chain_of(source, exec, 0, &source->first, &chain, err));
    FL_TRY(fl_exec_build(exec, node->inputs[0], chain, err));
    FL_TRY(fl_exec_add_finish(exec, &source->first->base, err));
    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, &source->first->base, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_recursion_exec = {.build = build};
