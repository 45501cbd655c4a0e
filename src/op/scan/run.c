/* scan: reads a table morsel by morsel. Filter columns first, conjunct by conjunct, then run-time filters; the other
 * columns are only read for batches in which rows are left. */
#include "arrow/vec_check.h"
#include "exec/eval.h"
#include "exec/exec.h"
#include "exec/runtime_filter.h"
#include "op/scan/order_check.h"
#include "op/scan/node.h"
#include "plan/bounds.h"

#include <pthread.h>

#define COMPACT_BELOW 8 /* as in op/filter */
#define RUNTIME_FILTERS_MAX 8

typedef struct scan_source {
    fl_source base;
    fl_scan_bounds *bounds;
    int32_t n_slots;
    int32_t *table_cols;  /* per slot */
    fl_col_id *slot_cols; /* per slot: its id */
    int32_t *out_slots;   /* per output column */
    fl_program *filters;
    int32_t n_filters;
    int32_t n_runtime;
    struct {
        fl_runtime_filter *filter;
        int32_t slot;
        _Atomic bool is_bounded; /* the bounds were handed to the scan */
        int64_t bound;           /* of a threshold: the one that was */
    } runtime[RUNTIME_FILTERS_MAX];
    pthread_mutex_t lock;
    bool has_lock;
    int64_t limit;
    _Atomic int64_t passed;
    int64_t skipped_max; /* rows that do not come out; one worker reads then */
    int64_t skipped;
    fl_order_check *order; /* NULL: nobody relies on an order that is claimed */
} scan_source;

/* What a run-time filter is worth, by worker: one that drops little is left out for a while (micro-adaptivity). */
typedef struct filter_yield {
    int64_t rows;
    int64_t kept;
    int32_t pause; /* batches for which it is left out */
} filter_yield;

#define YIELD_ROWS 16384 /* after which it is judged */
#define YIELD_PAUSE 64

/* Whether the filter is to be tried on this batch. */
static bool is_worth_trying(filter_yield *yield)
{
    if (yield->pause > 0) {
        yield->pause--;
        return false;
    }
    if (yield->rows >= YIELD_ROWS) {
        bool drops_little = yield->kept > yield->rows / 8 * 7;
        *yield = (filter_yield){.pause = drops_little ? YIELD_PAUSE : 0};
    }
    return true;
}

typedef struct scan_local {
    fl_scan_worker *worker;
    fl_eval *eval;
    fl_vec *vecs;    /* per slot */
    bool *is_loaded; /* per slot */
    fl_order_check_worker *order;
    int64_t morsel; /* claimed last; -1: none yet */
    filter_yield yields[RUNTIME_FILTERS_MAX];
} scan_local;

static fl_status local_new(fl_source *base, fl_worker *worker, void **ret, fl_err *err)
{
    fl_status st = FL_OK;
    scan_source *source = (scan_source *)base;
    scan_local *local = NULL;
    fl_memory *memory = worker->exec->context.memory;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*local), (void **)&local, err));
    *ret = local;
    local->morsel = -1;
    FL_TRY(base->scan->ops->worker_new(base->scan, memory, &local->worker, err));
    FL_TRY(fl_alloc_zero(memory, (source->n_slots + 1) * (int64_t)sizeof(fl_vec), (void **)&local->vecs, err));
    FL_TRY(fl_alloc_zero(memory, source->n_slots + 1, (void **)&local->is_loaded, err));
    if (source->order != NULL)
        FL_TRY(fl_order_check_worker_new(source->order, memory, &local->order, err));
    if (source->n_filters > 0)
        FL_TRY(fl_eval_new(source->filters, memory, worker->exec->context.session->vector_rows, &local->eval, err));
cleanup:
    return st; /* what was made is freed with the local */
}

static void local_free(fl_source *base, void *ptr)
{
    scan_local *local = ptr;
    if (local->worker != NULL)
        base->scan->ops->worker_free(local->worker);
    fl_eval_free(local->eval);
    fl_order_check_worker_free(local->order);
    fl_free(local->vecs);
    fl_free(local->is_loaded);
    fl_free(local);
}

typedef struct loading {
    scan_source *source;
    scan_local *local;
    int32_t rows;
} loading;

static fl_status load(void *ctx, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    loading *l = ctx;
    if (!l->local->is_loaded[slot]) {
        fl_status st = l->source->base.scan->ops->read(l->local->worker, slot, mask, &l->local->vecs[slot], err);
        if (st != FL_OK)
            return st;
        l->local->is_loaded[slot] = true;
        FL_ASSERT_NO_FAULT(fl_vec_fault(&l->local->vecs[slot], mask, l->rows));
    }
    *ret = l->local->vecs[slot];
    return FL_OK;
}

static void set_bound_value(fl_value *value, fl_type type, int64_t number)
{
    *value = (fl_value){.type = type};
    if (type.id == FL_DECIMAL)
        value->d = number;
    else
        value->i = number;
}

/* Tells the scan what run-time filters say by now: the range of keys once, a threshold when it is sharper than before. */
static fl_status sharpen(scan_source *source, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < source->n_runtime && st == FL_OK; i++) {
        fl_runtime_filter *filter = source->runtime[i].filter;
        int32_t slot = source->runtime[i].slot;
        fl_type type = fl_scan_of(source->base.node)->table->fields[source->table_cols[slot]].type;
        fl_scan_bound bound = {.slot = slot, .has_low = true, .has_high = true};
        int64_t low = 0, high = 0;
        if (!fl_runtime_filter_is_open(filter) || (source->runtime[i].is_bounded && !filter->is_threshold))
            continue;
        if (filter->is_threshold && filter->keeps_nulls) /* a zone of nulls would be skipped */
            continue;
        pthread_mutex_lock(&source->lock);
        fl_runtime_filter_range(filter, &low, &high);
        if (filter->is_threshold) {
            bound.has_low = filter->is_descending;
            bound.has_high = !filter->is_descending;
        }
        int64_t sharp = filter->is_descending ? low : high;
        bool is_new = !source->runtime[i].is_bounded || (filter->is_threshold && sharp != source->runtime[i].bound);
        set_bound_value(&bound.low, type, low);
        set_bound_value(&bound.high, type, high);
        if (is_new && low <= high)
            st = fl_scan_bounds_add(source->bounds, &bound, err);
        source->runtime[i].bound = sharp;
        source->runtime[i].is_bounded = true;
        pthread_mutex_unlock(&source->lock);
    }
    return st;
}

/* Takes the first n rows out of a batch. */
static fl_status leave_out(scan_source *source, fl_worker *worker, fl_batch *batch, int32_t n, fl_err *err)
{
    uint64_t *mask = NULL;
    int64_t words = fl_bitmap_words(batch->rows);
    fl_status st = fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err);
    if (st != FL_OK)
        return st;
    if (batch->mask != NULL)
        memcpy(mask, batch->mask, (size_t)words * 8);
    else
        fl_bitmap_fill(mask, batch->rows, true);
    mask[words - 1] &= fl_bitmap_tail(batch->rows);
    fl_bitmap_clear_first(mask, n);
    batch->mask = mask;
    batch->kept -= n;
    source->skipped += n;
    return FL_OK;
}

/* Drops the rows of a batch that a run-time filter does not want. */
static fl_status apply_runtime(loading *l, int32_t i, uint64_t *mask, int32_t *kept, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec vec;
    scan_source *source = l->source;
    filter_yield *yield = &l->local->yields[i];
    if (!fl_runtime_filter_is_open(source->runtime[i].filter) || !is_worth_trying(yield))
        return FL_OK;
    yield->rows += *kept;
    FL_TRY(load(l, source->runtime[i].slot, mask, &vec, err));
    fl_runtime_filter_apply(source->runtime[i].filter, &vec, l->rows, mask);
    *kept = (int32_t)fl_bitmap_count(mask, l->rows);
    yield->kept += *kept;
cleanup:
    return st;
}

static fl_status run_batch(scan_source *source, scan_local *local, fl_worker *worker, fl_stage *to, int32_t rows,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = source->base.node;
    loading l = {source, local, rows};
    const uint64_t *there = local->worker->mask;
    uint64_t *mask = NULL;
    int32_t kept = there == NULL ? rows : (int32_t)fl_bitmap_count(there, rows);
    fl_vec *vecs = NULL;
    fl_arena_reset(&worker->arena);
    memset(local->is_loaded, 0, (size_t)source->n_slots + 1);
    if (there != NULL || source->n_filters + source->n_runtime > 0) {
        int64_t words = fl_bitmap_words(rows);
        FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err));
        if (there != NULL)
            memcpy(mask, there, (size_t)words * 8);
        else
            fl_bitmap_fill(mask, rows, true);
        mask[words - 1] &= fl_bitmap_tail(rows);
        if (source->n_filters > 0)
            fl_eval_begin_lazy(local->eval, rows, load, &l, &worker->arena);
        for (int32_t i = 0; i < source->n_runtime && kept > 0; i++) /* there is one where no filter can raise */
            if (source->runtime[i].filter->is_threshold)
                FL_TRY(apply_runtime(&l, i, mask, &kept, err));
        for (int32_t i = 0; i < source->n_filters && kept > 0; i++)
            FL_TRY(fl_eval_filter(local->eval, i, mask, &kept, err));
        for (int32_t i = 0; i < source->n_runtime && kept > 0; i++)
            if (!source->runtime[i].filter->is_threshold)
                FL_TRY(apply_runtime(&l, i, mask, &kept, err));
        if (kept == 0)
            return FL_OK;
        if (kept == rows)
            mask = NULL;
    }
    int64_t skipped = source->skipped_max - source->skipped;
    if (skipped >= kept && local->order == NULL) { /* an order is held against rows that are left out, too */
        source->skipped += kept;
        return FL_OK;
    }
    FL_TRY(FL_NEW_ARRAY(&worker->arena, node->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < node->n_cols; c++)
        FL_TRY(load(&l, source->out_slots[c], mask, &vecs[c], err));
    fl_batch batch = {.rows = rows, .cols = node->n_cols, .vec = vecs, .mask = mask, .kept = kept};
    if (local->order != NULL)
        FL_TRY(fl_order_check_rows(local->order, &batch, source->base.scan, worker->morsel, err));
    if (skipped > 0)
        FL_TRY(leave_out(source, worker, &batch, skipped < kept ? (int32_t)skipped : kept, err));
    kept = batch.kept;
    if (kept == 0)
        return FL_OK;
    if (kept * COMPACT_BELOW < rows)
        FL_TRY(fl_batch_compact(&worker->arena, &batch, err));
    if (source->limit >= 0)
        atomic_fetch_add(&source->passed, kept);
    st = fl_push(node, to, worker, &batch, err);
cleanup:
    return st;
}

/* Looks at the rest of the morsel's order. Filters do not run: a row that they drop is in order, too. */
static fl_status check_morsel(scan_source *source, scan_local *local, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    fl_scan *scan = source->base.scan;
    loading l = {.source = source, .local = local};
    fl_vec *vecs = NULL;
    int32_t rows = 0, n = 0, n_cols = source->base.node->n_cols;
    const int32_t *cols = fl_order_check_cols(local->order, &n);
    FL_TRY(scan->ops->next(local->worker, &rows, err));
    while (rows > 0) {
        l.rows = rows;
        fl_arena_reset(&worker->arena);
        memset(local->is_loaded, 0, (size_t)source->n_slots + 1);
        FL_TRY(FL_NEW_ARRAY(&worker->arena, n_cols + 1, &vecs, err));
        for (int32_t k = 0; k < n; k++)
            FL_TRY(load(&l, source->out_slots[cols[k]], NULL, &vecs[cols[k]], err));
        fl_batch batch = {.rows = rows, .cols = n_cols, .vec = vecs, .kept = rows};
        FL_TRY(fl_order_check_rows(local->order, &batch, scan, worker->morsel, err));
        FL_TRY(fl_exec_check(worker->exec, err));
        FL_TRY(scan->ops->next(local->worker, &rows, err));
    }
    st = fl_order_check_end(local->order, scan, worker->morsel, err);
cleanup:
    return st;
}

/* No more rows are wanted: those that were put out are the first ones only if no row that was not read belongs before them. */
static fl_status check_rest(scan_source *source, scan_local *local, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    fl_scan *scan = source->base.scan;
    for (bool any = true, is_apart = false; any && !is_apart;) {
        FL_TRY(check_morsel(source, local, worker, err));
        FL_TRY(scan->ops->claim(local->worker, &any, &worker->morsel, err));
        is_apart = any && scan->ops->is_apart != NULL && scan->ops->is_apart(scan, worker->morsel);
    }
cleanup:
    return st;
}

static fl_status run(fl_source *base, fl_worker *worker, void *ptr, fl_stage *to, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    scan_source *source = (scan_source *)base;
    scan_local *local = ptr;
    int32_t rows = 0;
    if (source->limit >= 0 && atomic_load(&source->passed) >= source->limit) {
        *ret_any = false;
        return FL_OK;
    }
    FL_TRY(sharpen(source, err));
    FL_TRY(base->scan->ops->claim(local->worker, ret_any, &worker->morsel, err));
    FL_ASSERT(!*ret_any || worker->morsel > local->morsel); /* results are put together by it */
    local->morsel = *ret_any ? worker->morsel : local->morsel;
    while (*ret_any) {
        FL_TRY(base->scan->ops->next(local->worker, &rows, err));
        if (rows == 0)
            break;
        FL_ASSERT(rows > 0 && rows <= worker->exec->context.session->vector_rows);
        FL_TRY(run_batch(source, local, worker, to, rows, err));
        FL_TRY(fl_exec_check(worker->exec, err)); /* also when filters keep nothing to push */
    }
    if (*ret_any && local->order != NULL)
        st = fl_order_check_end(local->order, base->scan, worker->morsel, err);
cleanup:
    if (st == FL_DONE && local->order != NULL) {
        fl_status rest = check_rest(source, local, worker, err);
        st = rest != FL_OK ? rest : st;
    }
    if (st == FL_DONE && base->scan->ops->leave != NULL)
        base->scan->ops->leave(local->worker);
    return st;
}

static void source_free(fl_source *base)
{
    scan_source *source = (scan_source *)base;
    if (base->scan != NULL)
        base->scan->ops->free(base->scan);
    fl_scan_bounds_free(source->bounds);
    fl_order_check_drop(source->order);
    if (source->has_lock)
        pthread_mutex_destroy(&source->lock);
}

static bool has_large_morsels(const fl_source *base)
{
    return base->scan->has_large_morsels;
}

static const fl_source_ops source_ops = {.local_new = local_new,
                                         .run = run,
                                         .has_large_morsels = has_large_morsels,
                                         .local_free = local_free,
                                         .free = source_free};

/* ---- building ----------------------------------------------------------------------------------------------------- */

/* A slot for the scan's i-th column, where it has none yet. */
static fl_status add_slot(scan_source *source, const fl_scan_attrs *scan, int32_t i, fl_index_map *slots, fl_err *err)
{
    if (i < 0 || fl_index_map_find(slots, (uint64_t)scan->cols[i].n) >= 0)
        return FL_OK;
    source->slot_cols[source->n_slots] = scan->cols[i];
    source->table_cols[source->n_slots] = i;
    return fl_index_map_add(slots, (uint64_t)scan->cols[i].n, source->n_slots++, err);
}

static const fl_value *constant_of(const fl_exec *exec, const fl_expr *e)
{
    if (e->kind == FL_EXPR_CONST)
        return e->value;
    if (e->kind == FL_EXPR_PARAM && e->param < exec->context.session->n_params)
        return &exec->context.session->params[e->param];
    return NULL;
}

/* Hands conjuncts of the form `column compare constant` to the source, for its zone maps. */
static fl_status add_bound(fl_exec *exec, scan_source *source, const fl_expr *e, fl_err *err)
{
    fl_scan_bound bound = {.slot = -1};
    const fl_expr *col = e->n_args > 0 ? e->args[0] : NULL;
    if (col == NULL)
        return FL_OK;
    if (e->kind == FL_EXPR_IN && col->kind == FL_EXPR_COLUMN) {
        bound.has_low = bound.has_high = true;
        bound.low = *e->args[1]->value;
        bound.high = *e->args[e->n_args - 1]->value;
    } else if (e->kind == FL_EXPR_CALL && e->n_args == 2) {
        const char *name = e->func->name;
        const fl_value *value = constant_of(exec, e->args[1]);
        bool swapped = false;
        if (col->kind != FL_EXPR_COLUMN) {
            col = e->args[1];
            value = constant_of(exec, e->args[0]);
            swapped = true;
        }
        if (col->kind != FL_EXPR_COLUMN || value == NULL || value->is_null || !fl_type_is_equal(value->type, col->type))
            return FL_OK;
        bool less = name[0] == '<', greater = name[0] == '>', open = name[1] == 0;
        if (strcmp(name, "=") == 0) {
            bound.has_low = bound.has_high = true;
            open = false;
        } else if ((less || greater) && strcmp(name, "<>") != 0) {
            bound.has_high = less != swapped;
            bound.has_low = !bound.has_high;
        } else {
            return FL_OK;
        }
        if (fl_type_is_float(value->type) && bound.has_low &&
            !bound.has_high) /* NaN is greatest: bounds don't show it */
            return FL_OK;
        bound.low = bound.high = *value;
        bound.is_low_open = bound.is_high_open = open;
    } else {
        return FL_OK;
    }
    for (int32_t i = 0; i < source->n_slots; i++)
        if (source->slot_cols[i].n == col->col.n)
            bound.slot = i;
    return bound.slot < 0 ? FL_OK : fl_scan_bounds_add(source->bounds, &bound, err);
}

/* Hands the range to the source in which a test of a column is true: that of the texts with a prefix. */
static fl_status add_range(fl_exec *exec, scan_source *source, const fl_expr *e, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_value *args[FL_FUNC_ARGS_MAX] = {NULL};
    fl_func_range range = {0};
    if (e->kind != FL_EXPR_CALL || e->func->range == NULL || e->n_args > FL_FUNC_ARGS_MAX ||
        e->args[0]->kind != FL_EXPR_COLUMN)
        return FL_OK;
    for (int32_t i = 1; i < e->n_args; i++)
        args[i] = constant_of(exec, e->args[i]);
    FL_TRY(e->func->range(&exec->arena, args, e->n_args, &range, err));
    if (!(range.has_low || range.has_high) ||
        !fl_type_is_equal(e->args[0]->type, range.has_low ? range.low.type : range.high.type))
        return FL_OK;
    fl_scan_bound bound = {.has_low = range.has_low,
                           .has_high = range.has_high,
                           .is_high_open = range.is_high_open,
                           .low = range.low,
                           .high = range.high};
    for (int32_t i = 0; i < source->n_slots; i++) {
        bound.slot = i;
        if (fl_col_is_equal(source->slot_cols[i], e->args[0]->col))
            FL_TRY(fl_scan_bounds_add(source->bounds, &bound, err));
    }
cleanup:
    return st;
}

/* A comparison of expressions over one column, and whose parameters they read. */
typedef struct zone_test {
    const fl_exec *exec;
    const fl_expr *compare;
    const fl_value *min, *max; /* of the zone at hand */
} zone_test;

/* fl_bounds_leaf */
static fl_bounds zone_bounds(void *ctx, const fl_expr *leaf)
{
    const zone_test *test = ctx;
    const fl_value *value = leaf->kind == FL_EXPR_PARAM ? constant_of(test->exec, leaf) : NULL;
    if (leaf->kind == FL_EXPR_PARAM)
        return value == NULL ? (fl_bounds){0} : fl_bounds_of_values(value, value);
    return fl_type_is_equal(test->min->type, leaf->type) ? fl_bounds_of_values(test->min, test->max) : (fl_bounds){0};
}

/* fl_scan_test.can_hold: not if the intervals of both sides lie so that the comparison is false for all that is within. */
static bool comparison_can_hold(const void *ctx, const fl_value *min, const fl_value *max)
{
    zone_test test = *(const zone_test *)ctx;
    const char *name = test.compare->func->name;
    test.min = min;
    test.max = max;
    fl_bounds a = fl_expr_bounds(test.compare->args[0], zone_bounds, &test);
    fl_bounds b = fl_expr_bounds(test.compare->args[1], zone_bounds, &test);
    if (!a.is_known || !b.is_known)
        return true;
    if (name[0] == '=')
        return a.low <= b.high && b.low <= a.high;
    bool or_equal = name[1] == '=';
    fl_i128 least = name[0] == '<' ? a.low : b.low, most = name[0] == '<' ? b.high : a.high;
    return least < most || (or_equal && least == most);
}

#define READS_PARTS_MAX 1000 /* shared parts are met as often as they occur */

/* Whether an expression reads no other column than *ret_col (NULL: none yet), through calls and casts that make null of null. */
static bool reads_one(const fl_expr *e, const fl_expr **ret_col)
{
    if (e->size > READS_PARTS_MAX)
        return false;
    if (e->kind == FL_EXPR_CONST || e->kind == FL_EXPR_PARAM)
        return true;
    if (e->kind == FL_EXPR_COLUMN) {
        bool is_same = *ret_col == NULL || fl_col_is_equal((*ret_col)->col, e->col);
        *ret_col = e;
        return is_same;
    }
    if (e->kind != FL_EXPR_CAST &&
        !(e->kind == FL_EXPR_CALL && (e->traits & FL_NULL_GIVES_NULL) && (e->traits & FL_PURE)))
        return false;
    for (int32_t i = 0; i < e->n_args; i++)
        if (!reads_one(e->args[i], ret_col))
            return false;
    return true;
}

/* Hands comparisons of whole numbers made of one column to the source: a + 1 > 1000, extract(year FROM d) = 1995. */
static fl_status add_test(fl_exec *exec, scan_source *source, const fl_expr *e, fl_err *err)
{
    fl_status st = FL_OK;
    static const char *const names[] = {"=", "<", "<=", ">", ">="};
    const fl_expr *col = NULL;
    zone_test *test = NULL;
    bool is_comparison = false;
    for (int64_t i = 0; e->kind == FL_EXPR_CALL && e->n_args == 2 && i < FL_LEN(names); i++)
        is_comparison |= strcmp(e->func->name, names[i]) == 0;
    if (!is_comparison || !fl_bounds_apply(e->args[0]->type) || !fl_type_is_equal(e->args[0]->type, e->args[1]->type) ||
        !reads_one(e, &col) || col == NULL || e->args[0] == col || e->args[1] == col)
        return FL_OK;
    for (int32_t i = 0; i < source->n_slots; i++) {
        if (source->slot_cols[i].n != col->col.n)
            continue;
        FL_TRY(FL_NEW(&exec->arena, &test, err));
        *test = (zone_test){.exec = exec, .compare = e};
        FL_TRY(fl_scan_bounds_add_test(source->bounds, &(fl_scan_test){i, comparison_can_hold, test}, err));
    }
cleanup:
    return st;
}

static fl_status build(fl_exec *exec, const fl_node *node, fl_stage *next, fl_err *err)
{
    fl_status st = FL_OK;
    scan_source *source = NULL;
    const fl_scan_attrs *scan = fl_scan_of(node);
    fl_col_set used;
    fl_index_map places, slots;
    FL_TRY(fl_exec_add_source(exec, &source_ops, (int64_t)sizeof(*source), node, &source, err));
    pthread_mutex_init(&source->lock, NULL);
    source->has_lock = true;
    source->limit = scan->limit;
    source->skipped_max = scan->offset > 0 ? scan->offset : 0;
    source->base.workers_max = scan->offset > 0 ? 1 : 0;
    if (fl_scan_checks_order(node))
        FL_TRY(fl_order_check_new(exec, node, &source->order, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, scan->n_cols + 1, &source->slot_cols, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, scan->n_cols + 1, &source->table_cols, err));
    FL_TRY(FL_NEW_ARRAY(&exec->arena, node->n_cols + 1, &source->out_slots, err));
    fl_col_set_init(&used);
    for (int32_t i = 0; i < scan->n_filters; i++)
        FL_TRY(fl_expr_add_cols(&exec->arena, scan->filters[i], &used, err));
    FL_TRY(fl_exec_col_places(exec, scan->cols, scan->n_cols, &places, err));
    fl_index_map_init(&slots, &exec->arena);
    for (int32_t i = 0; i < node->n_cols; i++)
        FL_TRY(add_slot(source, scan, fl_index_map_find(&places, (uint64_t)node->cols[i].n), &slots, err));
    for (int32_t i = 0; i < scan->n_cols; i++)
        if (fl_col_set_has(&used, scan->cols[i]))
            FL_TRY(add_slot(source, scan, i, &slots, err));
    for (int32_t i = 0; i < node->n_cols; i++)
        if (fl_index_map_find(&slots, (uint64_t)node->cols[i].n) >= 0)
            source->out_slots[i] = fl_index_map_find(&slots, (uint64_t)node->cols[i].n);
    FL_TRY(fl_program_new(&exec->arena, exec->plan, exec->context.session, scan->filters, scan->n_filters,
                          source->slot_cols, source->n_slots, &source->filters, err));
    source->n_filters = scan->n_filters;
    FL_TRY(fl_scan_bounds_new(exec->context.memory, &source->bounds, err));
    bool may_raise = false; /* then later conjuncts must not hide it */
    for (int32_t i = 0; i < scan->n_filters; i++) {
        FL_TRY(add_bound(exec, source, scan->filters[i], err));
        if (!may_raise) {
            FL_TRY(add_test(exec, source, scan->filters[i], err));
            FL_TRY(add_range(exec, source, scan->filters[i], err));
        }
        may_raise |= (scan->filters[i]->flags & FL_EXPR_CAN_FAIL) != 0;
    }
    for (int32_t s = 0; s < source->n_slots; s++) {
        fl_type type = scan->table->fields[source->table_cols[s]].type;
        for (fl_runtime_filter *f = NULL; (f = fl_runtime_filter_find(exec, source->slot_cols[s], f)) != NULL;)
            if (source->n_runtime < RUNTIME_FILTERS_MAX && fl_type_is_whole_word(type)) {
                if (f->build != NULL)
                    FL_TRY(fl_exec_wait_for(exec, &source->base.waits, f->build, err));
                source->runtime[source->n_runtime].filter = f;
                source->runtime[source->n_runtime++].slot = s;
            }
    }
    fl_scan_request request = {.cols = source->table_cols,
                               .n_cols = source->n_slots,
                               .rows_max = exec->context.session->vector_rows,
                               .n_workers = exec->n_workers,
                               .memory = exec->context.memory,
                               .bounds = source->bounds};
    FL_TRY(scan->table->ops->scan_new(scan->table, &request, &source->base.scan, err));
    st = fl_exec_add_pipeline(exec, &source->base, next, err);
cleanup:
    return st;
}

const fl_op_exec fl_scan_exec = {.build = build};
