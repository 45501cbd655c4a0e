/* scan: its class, and how one is built. Running it: op/scan/run.c. */
#include "op/scan/node.h"

#include "opt/cost.h"
#include "plan/estimate.h"
#include "plan/props.h"

#include <stddef.h>

static int32_t derive_cols(const fl_plan *plan, const void *attrs, const fl_node *const *inputs, fl_col_id *ret)
{
    (void)plan;
    (void)inputs;
    const fl_scan_attrs *scan = attrs;
    memcpy(ret, scan->cols, (size_t)scan->n_cols * sizeof(*ret));
    return scan->n_cols;
}

static double derive_rows(const fl_plan *plan, const fl_node *node)
{
    const fl_scan_attrs *scan = fl_scan_of(node);
    double rows =
        fl_estimate_table_rows(plan, scan->table) * fl_estimate_conjuncts(plan, scan->filters, scan->n_filters);
    if (scan->offset > 0)
        rows -= (double)scan->offset;
    if (scan->limit >= 0 && rows > (double)scan->limit)
        rows = (double)scan->limit;
    return rows < 1 ? 1 : rows;
}

fl_status fl_scan_order(fl_plan *plan, const fl_node *node, const fl_table_order *order, fl_ordering *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_scan_attrs *scan = fl_scan_of(node);
    fl_order_key *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), order->n_keys, &keys, err));
    for (int32_t i = 0; i < order->n_keys; i++)
        keys[i] = (fl_order_key){.cols = &scan->cols[order->keys[i].col],
                                 .n_cols = 1,
                                 .is_descending = order->keys[i].is_descending,
                                 .nulls_first = order->keys[i].nulls_first,
                                 .is_null_free = order->keys[i].is_null_free};
    *ret = (fl_ordering){.keys = keys, .n_keys = order->n_keys};
cleanup:
    return st;
}

static bool has_claims(const fl_table_order *orders, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        if (orders[i].is_claimed)
            return true;
    return false;
}

/* A search may ask for an order that is claimed, and may not: nothing else does. */
static fl_status has_choice(fl_plan *plan, const fl_node *node, bool *ret, fl_err *err)
{
    (void)plan, (void)err;
    const fl_table_order *orders = NULL;
    int32_t n = fl_table_orders(fl_scan_of(node)->table, &orders);
    *ret = has_claims(orders, n);
    return FL_OK;
}

/* Of a scan that has no implementation yet, an order that it can be asked for. */
static fl_status gives(fl_plan *plan, const fl_node *node, const fl_trait_set *const *inputs, const fl_trait_set **ret,
                       fl_err *err)
{
    (void)inputs;
    fl_status st = FL_OK;
    const fl_table_order *orders = NULL;
    fl_ordering order = {0};
    int32_t n = fl_table_orders(fl_scan_of(node)->table, &orders), shown = 0, value = 0;
    if (fl_trait_get(node->traits, &fl_trait_convention) != FL_LOGICAL)
        return FL_OK;
    for (int32_t i = 0; i < n && shown == 0; i++) {
        FL_TRY(fl_scan_order(plan, node, &orders[i], &order, err));
        while (shown < order.n_keys && fl_col_set_has(&node->made, order.keys[shown].cols[0]))
            shown++;
    }
    FL_TRY(fl_ordering_make(plan, order.keys, shown, &value, err));
    st = fl_trait_with(plan, *ret, &fl_trait_ordering, value, ret, err);
cleanup:
    return st;
}

bool fl_scan_checks_order(const fl_node *node)
{
    const fl_table_order *orders = NULL;
    int32_t n = fl_table_orders(fl_scan_of(node)->table, &orders);
    return fl_trait_get(node->traits, &fl_trait_ordering) != 0 && has_claims(orders, n);
}

/* Whether a column is put out, or what is the same in every row. */
static fl_status is_shown(fl_plan *plan, const fl_node *node, const fl_props *props, fl_col_id col, bool *ret,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set same;
    *ret = fl_col_set_has(&node->made, col) || fl_col_set_has(&props->constant, col);
    if (*ret || props->n_equal == 0)
        return FL_OK;
    fl_col_set_init(&same);
    FL_TRY(fl_col_set_add(fl_plan_arena(plan), &same, col, err));
    FL_TRY(fl_props_close(plan, props, &same, err));
    *ret = fl_col_set_meets(&same, &node->made);
cleanup:
    return st;
}

/* The orders of the table's rows that can be relied on without looking, and what the scan itself makes sure of. */
static fl_status add_orders(fl_plan *plan, const fl_node *node, fl_props *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_scan_attrs *scan = fl_scan_of(node);
    const fl_table_order *orders = NULL;
    int32_t n = fl_table_orders(scan->table, &orders);
    for (int32_t i = 0; i < n; i++) {
        fl_ordering order = {0};
        bool tells = false;
        if (!orders[i].is_claimed)
            FL_TRY(is_shown(plan, node, ret, scan->cols[orders[i].keys[0].col], &tells, err));
        if (!tells)
            continue;
        FL_TRY(fl_scan_order(plan, node, &orders[i], &order, err));
        FL_TRY(fl_props_add_order(plan, ret, order, err));
    }
    /* Behind those: there is no end of orders in a table of few rows, and of these it is one. */
    FL_TRY(fl_props_add_order(plan, ret, fl_ordering_of(plan, fl_trait_get(node->traits, &fl_trait_ordering)), err));
cleanup:
    return st;
}

static fl_status derive_props(fl_plan *plan, const fl_node *node, const fl_props *const *inputs, fl_props *ret,
                              fl_err *err)
{
    (void)inputs;
    fl_status st = FL_OK;
    const fl_scan_attrs *scan = fl_scan_of(node);
    const fl_table *table = scan->table;
    for (int32_t i = 0; i < scan->n_cols; i++)
        if (!table->fields[i].nullable)
            FL_TRY(fl_col_set_add(fl_plan_arena(plan), &ret->not_null, scan->cols[i], err));
    FL_TRY(fl_props_add_conjuncts(plan, ret, scan->filters, scan->n_filters, err));
    for (int32_t k = 0; k < table->n_keys; k++) {
        fl_col_set key;
        fl_col_set_init(&key);
        for (int32_t i = 0; i < table->keys[k].n_cols; i++)
            FL_TRY(fl_col_set_add(fl_plan_arena(plan), &key, scan->cols[table->keys[k].cols[i]], err));
        if (fl_col_set_has_all(&ret->not_null, &key)) /* rows with a null among them may repeat */
            FL_TRY(fl_props_add_key(plan, ret, &key, err));
    }
    if (scan->offset > 0) {
        ret->rows_min = ret->rows_min > (double)scan->offset ? ret->rows_min - (double)scan->offset : 0;
        ret->rows_max = ret->rows_max > (double)scan->offset ? ret->rows_max - (double)scan->offset : 0;
    }
    if (scan->limit >= 0 && ret->rows_max > (double)scan->limit)
        ret->rows_max = (double)scan->limit;
    st = add_orders(plan, node, ret, err);
cleanup:
    return st;
}

static void cost(const fl_plan *plan, const fl_node *node, fl_cost *cost)
{
    const fl_scan_attrs *scan = fl_scan_of(node);
    double rows = fl_estimate_table_rows(plan, scan->table);
    fl_cost_add(cost, FL_COST_READ, rows * scan->n_filters);
    fl_cost_add_tests(plan, scan->filters, scan->n_filters, rows, cost);
    fl_cost_add(cost, FL_COST_READ, node->rows * node->n_cols);
    if (fl_scan_checks_order(node)) {
        int32_t n_keys = fl_ordering_of(plan, fl_trait_get(node->traits, &fl_trait_ordering)).n_keys;
        fl_cost_add(cost, n_keys == 1 ? FL_COST_ROW : FL_COST_TEST,
                    node->rows * n_keys); /* of one, batches at a time */
    }
}

static const fl_attr_field fields[] = {
    {"table", FL_FIELD_TABLE, offsetof(fl_scan_attrs, table), 0, NULL, false, false},
    {"cols", FL_FIELD_COLS, offsetof(fl_scan_attrs, cols), offsetof(fl_scan_attrs, n_cols), NULL, true, false},
    {"filters", FL_FIELD_EXPRS, offsetof(fl_scan_attrs, filters), offsetof(fl_scan_attrs, n_filters), NULL, false,
     true},
    {"limit", FL_FIELD_I64, offsetof(fl_scan_attrs, limit), 0, NULL, false, false},
    {"offset", FL_FIELD_I64, offsetof(fl_scan_attrs, offset), 0, NULL, false, false},
};

extern const fl_op_rewrites fl_scan_rewrites;
extern const struct fl_op_exec fl_scan_exec;

const fl_op_desc fl_op_scan = {FL_DESC(fl_op_desc),
                               .name = "scan",
                               .n_inputs = 0,
                               .attr_bytes = sizeof(fl_scan_attrs),
                               .fields = fields,
                               .n_fields = FL_LEN(fields),
                               .derive_cols = derive_cols,
                               .derive_rows = derive_rows,
                               .derive_props = derive_props,
                               .cost = cost,
                               .gives = gives,
                               .has_choice = has_choice,
                               .rewrites = &fl_scan_rewrites,
                               .exec = &fl_scan_exec,
                               .doc = "rows of a table or file"};

fl_status fl_scan_build(fl_plan *plan, fl_table *table, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *cols = NULL;
    fl_scan_attrs attrs = {.table = table, .n_cols = table->n_cols, .limit = -1, .offset = -1};
    FL_TRY(fl_plan_hold_table(plan, table, err));
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), table->n_cols, &cols, err));
    for (int32_t i = 0; i < table->n_cols; i++) {
        fl_str name = table->fields[i].name;
        fl_col_info info = {.name = name, .type = table->fields[i].type, .table = table, .table_col = i};
        FL_TRY(fl_plan_add_col(plan, &info, &cols[i], err));
    }
    attrs.cols = cols;
    st = fl_node_make(plan, &fl_op_scan, &attrs, NULL, NULL, 0, NULL, 0, ret, err);
cleanup:
    return st;
}
