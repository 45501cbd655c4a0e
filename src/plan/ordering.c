/* The trait kind ordering. */
#include "plan/ordering.h"

#include "plan/plan_internal.h"
#include "plan/props.h"
#include "plan/table.h"

#include <stddef.h>

fl_ordering fl_ordering_of(const fl_plan *plan, int32_t value)
{
    const fl_ordering *ordering = fl_trait_payload(plan, &fl_trait_ordering, value);
    return ordering != NULL ? *ordering : (fl_ordering){0};
}

bool fl_order_key_has(const fl_order_key *key, fl_col_id col)
{
    for (int32_t i = 0; i < key->n_cols; i++)
        if (fl_col_is_equal(key->cols[i], col))
            return true;
    return false;
}

int32_t fl_ordering_match(fl_ordering order, const fl_col_id *cols, int32_t n_cols, int32_t *ret_places)
{
    int32_t n = 0;
    for (bool goes_on = true; n < order.n_keys && goes_on; n += goes_on) {
        goes_on = false;
        for (int32_t c = 0; c < n_cols && !goes_on; c++) {
            goes_on = fl_order_key_has(&order.keys[n], cols[c]);
            for (int32_t k = 0; k < n && goes_on; k++)
                goes_on = ret_places[k] != c;
            if (goes_on)
                ret_places[n] = c;
        }
    }
    return n;
}

static bool shares_col(const fl_order_key *a, const fl_order_key *b)
{
    for (int32_t i = 0; i < a->n_cols; i++)
        if (fl_order_key_has(b, a->cols[i]))
            return true;
    return false;
}

static bool satisfies(const fl_plan *plan, int32_t a, int32_t b)
{
    fl_ordering have = fl_ordering_of(plan, a), want = fl_ordering_of(plan, b);
    if (want.n_keys > have.n_keys)
        return false;
    for (int32_t i = 0; i < want.n_keys; i++) {
        const fl_order_key *x = &have.keys[i], *y = &want.keys[i];
        bool has_nulls_there = x->is_null_free || (x->nulls_first == y->nulls_first && !y->is_null_free);
        if (x->is_descending != y->is_descending || !has_nulls_there || !shares_col(x, y))
            return false;
    }
    return true;
}

/* Adds a column to those of a key, which are sorted and different. */
static void insert_col(fl_col_id *cols, int32_t *n, fl_col_id col)
{
    int32_t at = *n;
    while (at > 0 && cols[at - 1].n > col.n)
        at--;
    if (at > 0 && cols[at - 1].n == col.n)
        return;
    memmove(cols + at + 1, cols + at, (size_t)(*n - at) * sizeof(*cols));
    cols[at] = col;
    ++*n;
}

/* Whether rows that tie in the keys before tie in this one as well. */
static bool is_decided(const fl_order_key *before, int32_t n, const fl_order_key *key)
{
    for (int32_t i = 0; i < n; i++)
        if (shares_col(&before[i], key))
            return true;
    return false;
}

fl_status fl_ordering_make(fl_plan *plan, const fl_order_key *keys, int32_t n_keys, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_order_key *made = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_keys + 1, &made, err));
    for (int32_t i = 0; i < n_keys; i++) {
        fl_col_id *cols = NULL;
        FL_ASSERT(keys[i].n_cols > 0);
        if (is_decided(made, n, &keys[i]))
            continue;
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), keys[i].n_cols, &cols, err));
        made[n] = keys[i];
        made[n].cols = cols;
        made[n].n_cols = 0;
        for (int32_t c = 0; c < keys[i].n_cols; c++)
            insert_col(cols, &made[n].n_cols, keys[i].cols[c]);
        n++;
    }
    fl_ordering ordering = {.keys = made, .n_keys = n};
    st = fl_trait_intern(plan, &fl_trait_ordering, &ordering, ret, err);
cleanup:
    return st;
}

/* The keys up to the first of which no column is left. A column may go on under several names. */
static fl_status project(fl_plan *plan, int32_t value, const fl_col_map *map, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ordering from = fl_ordering_of(plan, value);
    fl_order_key *keys = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), from.n_keys, &keys, err));
    for (; n < from.n_keys; n++) {
        fl_col_id *cols = NULL;
        keys[n] = from.keys[n];
        FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), map->n, &cols, err));
        keys[n].cols = cols;
        keys[n].n_cols = 0;
        for (int32_t i = 0; i < map->n; i++)
            if (fl_order_key_has(&from.keys[n], map->from[i]))
                cols[keys[n].n_cols++] = map->to[i];
        if (keys[n].n_cols == 0)
            break;
    }
    st = fl_ordering_make(plan, keys, n, ret, err);
cleanup:
    return st;
}

fl_status fl_ordering_of_keys(fl_plan *plan, const fl_sort_key *keys, int32_t n, int32_t *ret, bool *ret_is_whole,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_order_key *order = NULL;
    int32_t n_order = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n, &order, err));
    for (; n_order < n && keys[n_order].expr->kind == FL_EXPR_COLUMN; n_order++)
        order[n_order] = (fl_order_key){.cols = &keys[n_order].expr->col,
                                        .n_cols = 1,
                                        .is_descending = keys[n_order].is_descending,
                                        .nulls_first = keys[n_order].nulls_first};
    if (ret_is_whole != NULL)
        *ret_is_whole = n_order == n;
    st = fl_ordering_make(plan, order, n_order, ret, err);
cleanup:
    return st;
}

/* The place for what is known of a node; it may move when others are asked. */
static fl_status known_order(fl_plan *plan, const fl_node *node, fl_known_order **ret, fl_err *err)
{
    fl_plan_making *making = plan->making;
    FL_ASSERT(making != NULL);
    int64_t old = making->orders_capacity;
    fl_status st = fl_grow(plan->memory, (void **)&making->orders, &making->orders_capacity, plan->n_nodes + 1,
                           (int64_t)sizeof(*making->orders), err);
    if (st != FL_OK)
        return st;
    if (making->orders_capacity > old)
        memset(making->orders + old, 0, (size_t)(making->orders_capacity - old) * sizeof(*making->orders));
    *ret = &making->orders[node->id];
    return FL_OK;
}

/* The order that a node gives over inputs that have these, or none at all (NULL). */
static fl_status order_given(fl_plan *plan, const fl_node *node, const int32_t *inputs, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_trait_set **sets = NULL, *given = node->traits;
    *ret = 0;
    if (node->op->gives == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), node->n_inputs, &sets, err));
    for (int32_t i = 0; i < node->n_inputs; i++)
        FL_TRY(fl_trait_with(plan, fl_trait_none(plan), &fl_trait_ordering, inputs != NULL ? inputs[i] : 0, &sets[i],
                             err));
    FL_TRY(node->op->gives(plan, node, sets, &given, err));
    *ret = fl_trait_get(given, &fl_trait_ordering);
cleanup:
    return st;
}

/* Finds out whether a node or one below it makes an order. */
static fl_status find_makers(fl_plan *plan, const fl_node *node, fl_known_order *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_known_order *known = NULL, below;
    int32_t own = 0;
    FL_TRY(known_order(plan, node, &known, err));
    *ret = *known;
    if (known->is_asked)
        return FL_OK;
    FL_TRY(order_given(plan, node, NULL, &own, err));
    *ret = (fl_known_order){.is_asked = true, .has_maker = own != 0, .has_inner_maker = own != 0 && node->n_inputs > 0};
    for (int32_t i = 0; i < node->n_inputs && !node->op->is_computed_once; i++) {
        FL_TRY(find_makers(plan, node->inputs[i], &below, err));
        ret->has_maker |= below.has_maker;
        ret->has_inner_maker |= below.has_inner_maker;
    }
    FL_TRY(known_order(plan, node, &known, err));
    *known = *ret;
cleanup:
    return st;
}

fl_status fl_ordering_has_maker(fl_plan *plan, const fl_node *node, bool *ret, fl_err *err)
{
    fl_known_order known = {0};
    fl_status st = find_makers(plan, node, &known, err);
    *ret = known.has_maker;
    return st;
}

fl_status fl_ordering_may_have(fl_plan *plan, const fl_node *node, fl_col_id col, bool *ret, fl_err *err)
{
    fl_known_order known = {0};
    const fl_table_order *orders = NULL;
    const fl_col_info *info = fl_plan_col(plan, col);
    fl_status st = find_makers(plan, node, &known, err);
    *ret = known.has_inner_maker || (known.has_maker && info->table == NULL);
    int32_t n = !known.has_maker || info->table == NULL ? 0 : fl_table_orders(info->table, &orders);
    for (int32_t i = 0; i < n; i++)
        for (int32_t k = 0; k < orders[i].n_keys; k++)
            *ret |= orders[i].keys[k].col == info->table_col;
    return st;
}

/* The order in which a plan's rows come as it stands: by what each of its operators says that it gives. */
static fl_status order_of_node(fl_plan *plan, const fl_node *node, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_known_order *known = NULL;
    int32_t *inputs = NULL;
    bool has_maker = false;
    *ret = 0;
    FL_TRY(fl_ordering_has_maker(plan, node, &has_maker, err));
    if (!has_maker)
        return FL_OK;
    FL_TRY(known_order(plan, node, &known, err));
    if (known->order_next > 0) {
        *ret = known->order_next - 1;
        return FL_OK;
    }
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), node->n_inputs, &inputs, err));
    for (int32_t i = 0; i < node->n_inputs; i++)
        FL_TRY(order_of_node(plan, node->inputs[i], &inputs[i], err));
    FL_TRY(order_given(plan, node, inputs, ret, err));
    FL_TRY(known_order(plan, node, &known, err));
    known->order_next = *ret + 1;
cleanup:
    return st;
}

fl_status fl_orderings_of_node(fl_plan *plan, const fl_node *node, fl_ordering *ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props *props = NULL;
    bool has_maker = false;
    int32_t value = 0;
    *ret_n = 0;
    FL_TRY(fl_ordering_has_maker(plan, node, &has_maker, err));
    if (!has_maker)
        return FL_OK;
    FL_TRY(order_of_node(plan, node, &value, err));
    if (value != 0)
        ret[(*ret_n)++] = fl_ordering_of(plan, value);
    FL_TRY(fl_node_props(plan, node, &props, err));
    for (int32_t i = 0; i < props->n_orders && *ret_n < FL_ORDERINGS_MAX; i++)
        if (props->orders[i].n_keys > 0)
            ret[(*ret_n)++] = props->orders[i];
cleanup:
    return st;
}

fl_status fl_ordering_needs_passed(fl_plan *plan, const fl_node *node, int32_t input, const fl_trait_set *want,
                                   int32_t way, const fl_trait_set **ret, fl_err *err)
{
    int32_t value = fl_trait_get(want, &fl_trait_ordering);
    fl_ordering ordering = fl_ordering_of(plan, value);
    *ret = fl_trait_none(plan);
    if (way == 0)
        return FL_OK;
    bool has_all = ordering.n_keys > 0;
    for (int32_t i = 0; i < ordering.n_keys; i++) {
        bool has_one = false;
        for (int32_t c = 0; c < ordering.keys[i].n_cols; c++)
            has_one |= fl_col_set_has(&node->inputs[0]->made, ordering.keys[i].cols[c]);
        has_all &= has_one;
    }
    if (!has_all)
        *ret = NULL;
    return has_all && input == 0 ? fl_trait_with(plan, *ret, &fl_trait_ordering, value, ret, err) : FL_OK;
}

fl_status fl_ordering_gives_passed(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs,
                                   const fl_trait_set **ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t value = fl_trait_get(inputs[0], &fl_trait_ordering);
    fl_col_map map = {.from = node->cols, .to = node->cols, .n = node->n_cols};
    if (value == 0)
        return FL_OK;
    FL_TRY(fl_trait_project(plan, &fl_trait_ordering, value, &map, &value, err));
    st = fl_trait_with(plan, *ret, &fl_trait_ordering, value, ret, err);
cleanup:
    return st;
}

static void print(fl_text *text, const fl_plan *plan, int32_t value)
{
    fl_ordering ordering = fl_ordering_of(plan, value);
    for (int32_t i = 0; i < ordering.n_keys; i++) {
        fl_text_add(text, i == 0 ? FL_STR("ordered(") : FL_STR(", "));
        fl_order_key_print(text, plan, &ordering.keys[i]);
    }
    fl_text_add_char(text, ')');
}

static const fl_attr_field fields[] = {
    {"keys", FL_FIELD_ORDER_KEYS, offsetof(fl_ordering, keys), offsetof(fl_ordering, n_keys), NULL, false, false},
};

const fl_trait_desc fl_trait_ordering = {FL_DESC(fl_trait_desc),
                                         .name = "ordering",
                                         .payload_bytes = sizeof(fl_ordering),
                                         .fields = fields,
                                         .n_fields = FL_LEN(fields),
                                         .satisfies = satisfies,
                                         .project = project,
                                         .print = print,
                                         .doc = "the order in which rows come"};
