/* Comparing rows by the keys of an order. A batch with one key is looked through as a whole, others row by row. */
#include "op/scan/order_check.h"

#include "arrow/vec_order.h"
#include "op/scan/node.h"

#include <pthread.h>

/* A morsel's ends: values of the keys. */
typedef struct ends {
    int64_t morsel;
    fl_value *first, *last;
} ends;

struct fl_order_check {
    const fl_node *node;
    const fl_plan *plan;
    fl_ordering order;
    int32_t *cols; /* per key: place among the scan's output columns */
    fl_memory *memory;
    pthread_mutex_t lock; /* guards what follows */
    fl_arena arena;       /* of values */
    ends *done;           /* by morsel */
    int64_t n_done, capacity;
};

/* The keys of one row, copied. */
typedef struct kept_row {
    fl_value *values;
    fl_arena arena; /* of their texts */
} kept_row;

struct fl_order_check_worker {
    fl_order_check *check;
    bool has_rows;               /* the morsel had some */
    kept_row first, last, begin; /* of the morsel so far; of the batch at hand */
};

/* ---- shared ------------------------------------------------------------------------------------------------------- */

fl_status fl_order_check_new(fl_exec *exec, const fl_node *node, fl_order_check **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_order_check *check = NULL;
    FL_ASSERT(fl_scan_checks_order(node));
    FL_TRY(FL_NEW(&exec->arena, &check, err));
    check->node = node;
    check->plan = exec->context.plan;
    check->order = fl_ordering_of(check->plan, fl_trait_get(node->traits, &fl_trait_ordering));
    check->memory = exec->context.memory;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, check->order.n_keys, &check->cols, err));
    for (int32_t k = 0; k < check->order.n_keys; k++) {
        while (check->cols[k] < node->n_cols && !fl_order_key_has(&check->order.keys[k], node->cols[check->cols[k]]))
            check->cols[k]++;
        FL_ASSERT(check->cols[k] < node->n_cols); /* an order is asked for in terms of what is put out */
    }
    pthread_mutex_init(&check->lock, NULL);
    fl_arena_init(&check->arena, check->memory);
    *ret = check;
cleanup:
    return st;
}

void fl_order_check_drop(fl_order_check *check)
{
    if (check == NULL)
        return;
    fl_free(check->done);
    fl_arena_drop(&check->arena);
    pthread_mutex_destroy(&check->lock);
}

fl_status fl_order_check_worker_new(fl_order_check *check, fl_memory *memory, fl_order_check_worker **ret, fl_err *err)
{
    fl_order_check_worker *w = NULL;
    int32_t n = check->order.n_keys;
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*w) + 3 * n * (int64_t)sizeof(fl_value), (void **)&w, err);
    if (st != FL_OK)
        return st;
    w->check = check;
    w->first.values = (fl_value *)(w + 1);
    w->last.values = w->first.values + n;
    w->begin.values = w->last.values + n;
    fl_arena_init(&w->first.arena, memory);
    fl_arena_init(&w->last.arena, memory);
    fl_arena_init(&w->begin.arena, memory);
    *ret = w;
    return FL_OK;
}

void fl_order_check_worker_free(fl_order_check_worker *w)
{
    if (w == NULL)
        return;
    fl_arena_drop(&w->first.arena);
    fl_arena_drop(&w->last.arena);
    fl_arena_drop(&w->begin.arena);
    fl_free(w);
}

const int32_t *fl_order_check_cols(const fl_order_check_worker *w, int32_t *ret_n)
{
    *ret_n = w->check->order.n_keys;
    return w->check->cols;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------- */

static int compare_nulls(bool is_null_a, bool is_null_b, const fl_order_key *key)
{
    return is_null_a == is_null_b ? 0 : is_null_a == key->nulls_first ? -1 : 1;
}

/* Row a beside row b: positive where a has to stand behind b. *ret_key: the key that decides. */
static int compare_rows(const fl_order_check *check, const fl_batch *batch, int64_t a, int64_t b, int32_t *ret_key)
{
    for (int32_t k = 0; k < check->order.n_keys; k++) {
        const fl_order_key *key = &check->order.keys[k];
        const fl_vec *vec = &batch->vec[check->cols[k]];
        bool is_valid_a = fl_vec_is_valid(vec, a), is_valid_b = fl_vec_is_valid(vec, b);
        int order = compare_nulls(!is_valid_a, !is_valid_b, key);
        if (is_valid_a && is_valid_b) {
            order = fl_vec_compare(vec, a, vec, b);
            order = key->is_descending ? -order : order;
        }
        *ret_key = k;
        if (order != 0)
            return order;
    }
    return 0;
}

static int compare_values(const fl_order_check *check, const fl_value *a, const fl_value *b, int32_t *ret_key)
{
    for (int32_t k = 0; k < check->order.n_keys; k++) {
        const fl_order_key *key = &check->order.keys[k];
        int order = compare_nulls(a[k].is_null, b[k].is_null, key);
        if (!a[k].is_null && !b[k].is_null) {
            order = fl_value_compare(&a[k], &b[k]);
            order = key->is_descending ? -order : order;
        }
        *ret_key = k;
        if (order != 0)
            return order;
    }
    return 0;
}

static fl_status fail(const fl_order_check *check, const fl_scan *scan, int64_t morsel, int32_t key, fl_err *err)
{
    fl_text place;
    fl_str table = fl_scan_of(check->node)->table->name;
    fl_text_init(&place, NULL);
    if (scan->ops->place != NULL)
        scan->ops->place(scan, morsel, &place);
    else
        fl_text_addf(&place, "\"%.*s\"", FL_STR_ARG(table));
    fl_status st = FL_FAIL(
        err, FL_ERR_CORRUPT, "%.*s: rows are not in the order of column \"%.*s\", as it says that they are",
        FL_STR_ARG(fl_text_str(&place)), FL_STR_ARG(fl_plan_col(check->plan, check->order.keys[key].cols[0])->name));
    fl_err_hint(err, "SET disabled_rules = 'order_scan,stop_topk' reads it without relying on that");
    fl_text_drop(&place);
    return st;
}

/* ---- batches ------------------------------------------------------------------------------------------------------ */

/* Whether all rows of the batch, wanted or not, are seen to be in order: so are those that are wanted. */
static bool is_whole_in_order(const fl_order_check *check, const fl_batch *batch)
{
    const fl_order_key *key = &check->order.keys[0];
    if (check->order.n_keys > 1)
        return false;
    fl_vec_order order = fl_vec_order_of(&batch->vec[check->cols[0]], batch->rows);
    return (key->is_descending ? order.descends : order.ascends) &&
           (key->nulls_first ? order.nulls_first : order.nulls_last);
}

static fl_status keep_row(const fl_order_check *check, const fl_batch *batch, int64_t row, kept_row *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena_reset(&ret->arena);
    for (int32_t k = 0; k < check->order.n_keys; k++) {
        const fl_vec *vec = &batch->vec[check->cols[k]];
        fl_value value = {.type = vec->type, .is_null = true};
        if (fl_vec_is_valid(vec, row))
            FL_TRY(fl_value_from_vec(&ret->arena, vec, row, &value, err));
        FL_TRY(fl_value_copy(&ret->arena, &value, &ret->values[k], err));
    }
cleanup:
    return st;
}

static int64_t next_row(const fl_batch *batch, int64_t row)
{
    while (row < batch->rows && batch->mask != NULL && !fl_bit_get(batch->mask, row))
        row++;
    return row;
}

static int64_t last_row(const fl_batch *batch)
{
    int64_t row = batch->rows - 1;
    while (batch->mask != NULL && !fl_bit_get(batch->mask, row))
        row--;
    return row;
}

fl_status fl_order_check_rows(fl_order_check_worker *w, const fl_batch *batch, const fl_scan *scan, int64_t morsel,
                              fl_err *err)
{
    fl_status st = FL_OK;
    const fl_order_check *check = w->check;
    int64_t first = next_row(batch, 0);
    int32_t key = 0;
    FL_ASSERT(batch->kept > 0);
    if (!is_whole_in_order(check, batch))
        for (int64_t row = first, next = next_row(batch, row + 1); next < batch->rows;
             row = next, next = next_row(batch, row + 1))
            if (compare_rows(check, batch, row, next, &key) > 0)
                return fail(check, scan, morsel, key, err);
    FL_TRY(keep_row(check, batch, first, w->has_rows ? &w->begin : &w->first, err));
    if (w->has_rows && compare_values(check, w->last.values, w->begin.values, &key) > 0)
        return fail(check, scan, morsel, key, err);
    w->has_rows = true;
    st = keep_row(check, batch, last_row(batch), &w->last, err);
cleanup:
    return st;
}

/* ---- morsels ------------------------------------------------------------------------------------------------------ */

static fl_status keep_end(fl_order_check *check, const kept_row *row, fl_value **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(&check->arena, check->order.n_keys, ret, err));
    for (int32_t k = 0; k < check->order.n_keys; k++)
        FL_TRY(fl_value_copy(&check->arena, &row->values[k], &(*ret)[k], err));
cleanup:
    return st;
}

/* Puts the morsel between those that are done. */
static fl_status add_ends(fl_order_check *check, const ends *e, const fl_scan *scan, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t at = check->n_done;
    int32_t key = 0;
    FL_TRY(
        fl_grow(check->memory, (void **)&check->done, &check->capacity, check->n_done + 1, (int64_t)sizeof(*e), err));
    while (at > 0 && check->done[at - 1].morsel > e->morsel)
        at--;
    if (at > 0 && compare_values(check, check->done[at - 1].last, e->first, &key) > 0)
        return fail(check, scan, e->morsel, key, err);
    if (at < check->n_done && compare_values(check, e->last, check->done[at].first, &key) > 0)
        return fail(check, scan, check->done[at].morsel, key, err);
    memmove(check->done + at + 1, check->done + at, (size_t)(check->n_done - at) * sizeof(*e));
    check->done[at] = *e;
    check->n_done++;
cleanup:
    return st;
}

fl_status fl_order_check_end(fl_order_check_worker *w, const fl_scan *scan, int64_t morsel, fl_err *err)
{
    fl_status st = FL_OK;
    fl_order_check *check = w->check;
    ends e = {.morsel = morsel};
    if (!w->has_rows)
        return FL_OK;
    w->has_rows = false;
    pthread_mutex_lock(&check->lock);
    FL_TRY(keep_end(check, &w->first, &e.first, err));
    FL_TRY(keep_end(check, &w->last, &e.last, err));
    st = add_ends(check, &e, scan, err);
cleanup:
    pthread_mutex_unlock(&check->lock);
    return st;
}
