/* Segments in order are a table in order when each goes on where the one before it ended. */
#include "store/table_order.h"

/* What holds of a column from the first segment to the one at hand. */
typedef struct progress {
    fl_vec_order order;
    const fl_vec *last; /* with the last value so far; NULL: there was none */
    int64_t last_row;
    bool has_nulls;
} progress;

/* Nulls of one segment stand between the values of others. */
static void go_on_with_nulls(progress *p, bool has_nulls, bool has_values)
{
    p->order.nulls_first &= !(has_nulls && p->last != NULL);
    p->order.nulls_last &= !(has_values && p->has_nulls);
    p->has_nulls |= has_nulls;
}

/* The first and the last row with a value. There is one; where no row was deleted, nulls are at one end. */
static void find_values(const fl_segment *segment, int32_t c, int64_t *ret_first, int64_t *ret_last)
{
    const fl_vec *vec = &segment->vecs[c];
    *ret_first = 0;
    *ret_last = segment->rows - 1;
    if (segment->live == NULL) {
        *ret_first += segment->order[c].nulls_last ? 0 : segment->nulls[c];
        *ret_last -= segment->order[c].nulls_last ? segment->nulls[c] : 0;
        return;
    }
    while (!fl_bit_get(segment->live, *ret_first) || !fl_vec_is_valid(vec, *ret_first))
        ++*ret_first;
    while (!fl_bit_get(segment->live, *ret_last) || !fl_vec_is_valid(vec, *ret_last))
        --*ret_last;
}

static void go_on(progress *p, const fl_segment *segment, int32_t c)
{
    const fl_vec *vec = &segment->vecs[c];
    fl_vec_order here = segment->order[c];
    int64_t nulls = segment->nulls[c], values = fl_segment_live_rows(segment) - nulls, first, last;
    p->order.ascends &= here.ascends;
    p->order.descends &= here.descends;
    p->order.nulls_first &= here.nulls_first;
    p->order.nulls_last &= here.nulls_last;
    go_on_with_nulls(p, nulls > 0, values > 0);
    if (values == 0 || (!p->order.ascends && !p->order.descends))
        return;
    find_values(segment, c, &first, &last);
    int order = p->last == NULL ? 0 : fl_vec_compare(p->last, p->last_row, vec, first);
    p->order.ascends &= order <= 0;
    p->order.descends &= order >= 0;
    p->last = vec;
    p->last_row = last;
}

static bool is_any_order(fl_vec_order order)
{
    return (order.ascends || order.descends) && (order.nulls_first || order.nulls_last);
}

/* Whether the column by itself is in order, and in which. One that is nothing but null is in none. */
static bool find_key(fl_segment *const *segments, int64_t n_segments, int32_t c, fl_table_order_key *ret)
{
    progress p = {.order = {true, true, true, true}};
    for (int64_t s = 0; s < n_segments && is_any_order(p.order); s++)
        if (fl_segment_live_rows(segments[s]) > 0)
            go_on(&p, segments[s], c);
    if (!is_any_order(p.order) || p.last == NULL)
        return false;
    *ret = (fl_table_order_key){
        .col = c, .is_descending = !p.order.ascends, .nulls_first = !p.order.nulls_last, .is_null_free = !p.has_nulls};
    return true;
}

static bool is_null_free(fl_segment *const *segments, int64_t n_segments, int32_t c)
{
    for (int64_t s = 0; s < n_segments; s++)
        if (segments[s]->nulls[c] != 0)
            return false;
    return true;
}

static fl_status add_declared(fl_arena *arena, fl_segment *const *segments, int64_t n_segments,
                              const fl_table_order *declared, fl_table_order *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table_order_key *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, declared->n_keys, &keys, err));
    for (int32_t i = 0; i < declared->n_keys; i++) {
        keys[i] = declared->keys[i];
        keys[i].is_null_free = is_null_free(segments, n_segments, keys[i].col);
    }
    *ret = (fl_table_order){.keys = keys, .n_keys = declared->n_keys};
cleanup:
    return st;
}

fl_status fl_table_order_find(fl_arena *arena, fl_segment *const *segments, int64_t n_segments, int32_t n_cols,
                              const fl_table_order *declared, const fl_table_order **ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table_order *orders = NULL;
    fl_table_order_key *keys = NULL;
    int64_t rows = 0;
    int32_t n = 0;
    for (int64_t s = 0; s < n_segments; s++)
        rows += fl_segment_live_rows(segments[s]);
    FL_TRY(FL_NEW_ARRAY(arena, n_cols + 1, &orders, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_cols, &keys, err));
    if (rows > 1 && declared->n_keys > 0)
        FL_TRY(add_declared(arena, segments, n_segments, declared, &orders[n++], err));
    for (int32_t c = 0; c < n_cols && rows > 1; c++) {
        bool is_said = declared->n_keys > 0 && declared->keys[0].col == c;
        if (!is_said && find_key(segments, n_segments, c, &keys[c]))
            orders[n++] = (fl_table_order){.keys = &keys[c], .n_keys = 1};
    }
    *ret = orders;
    *ret_n = n;
cleanup:
    return st;
}

/* Row i of a beside row j of b by the keys: below, at or above zero. Nothing is said of keys whose types have no order here. */
static int compare_rows(const fl_table_order *order, const fl_segment *a, int64_t i, const fl_segment *b, int64_t j)
{
    for (int32_t k = 0; k < order->n_keys; k++) {
        const fl_table_order_key *key = &order->keys[k];
        const fl_vec *x = &a->vecs[key->col], *y = &b->vecs[key->col];
        if (!fl_type_is_ordered(x->type) || x->type.id != y->type.id)
            return 0;
        bool is_x = fl_vec_is_valid(x, i), is_y = fl_vec_is_valid(y, j);
        if (is_x != is_y)
            return is_y == key->nulls_first ? -1 : 1;
        int found = is_x ? fl_vec_compare(x, i, y, j) : 0;
        if (found != 0)
            return key->is_descending ? -found : found;
    }
    return 0;
}

const char *fl_table_order_fault(fl_segment *const *segments, int64_t n_segments, const fl_table_order *order)
{
    const fl_segment *before = NULL;
    int64_t row_before = 0;
    for (int64_t s = 0; s < n_segments && order->n_keys > 0; s++)
        for (int64_t row = 0; row < segments[s]->rows; row++) {
            if (!fl_segment_is_live(segments[s], row))
                continue;
            if (before != NULL && compare_rows(order, before, row_before, segments[s], row) > 0)
                return "rows of a table are not in the order that is said of them";
            before = segments[s];
            row_before = row;
        }
    return NULL;
}
