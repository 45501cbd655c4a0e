/* EXPLAIN, generic over the operators' fields. */
#include "plan/explain.h"

#include "plan/plan_hash.h"
#include "plan/props.h"
#include "plan/table.h"

#include <math.h>

#define FIELD_AT(type, attrs, offset) (*(type const *)((const char *)(attrs) + (offset)))

static void print_key(fl_text *text, const fl_plan *plan, const fl_sort_key *key)
{
    fl_expr_print(text, plan, key->expr);
    if (key->is_descending)
        fl_text_add(text, FL_STR(" DESC"));
    if (key->nulls_first != key->is_descending)
        fl_text_add(text, key->nulls_first ? FL_STR(" NULLS FIRST") : FL_STR(" NULLS LAST"));
}

/* Whether the order is the aggregate's own, which nobody wrote. */
static bool is_own_order(const fl_agg *agg)
{
    return agg->agg->is_sorted && agg->n_order == 1 && agg->order[0].expr == agg->args[0] &&
           !agg->order[0].is_descending && !agg->order[0].nulls_first;
}

static void print_agg(fl_text *text, const fl_plan *plan, const fl_agg *agg)
{
    fl_text_addf(text, "%s(%s", agg->agg->name, agg->is_distinct ? "DISTINCT " : "");
    if (agg->n_args == 0)
        fl_text_add_char(text, '*');
    for (int32_t i = 0; i < agg->n_args; i++) {
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        fl_expr_print(text, plan, agg->args[i]);
    }
    for (int32_t i = 0; i < agg->n_order && !is_own_order(agg); i++) {
        fl_text_add(text, i == 0 ? FL_STR(" ORDER BY ") : FL_STR(", "));
        print_key(text, plan, &agg->order[i]);
    }
    fl_text_add_char(text, ')');
    if (agg->filter != NULL) {
        fl_text_add(text, FL_STR(" FILTER "));
        fl_expr_print(text, plan, agg->filter);
    }
}

/* Adds the field's value; false when there is nothing to show. */
static bool print_field(fl_text *text, const fl_plan *plan, const fl_attr_field *f, const void *attrs)
{
    if (f->is_hidden)
        return false;
    int32_t n = 0;
    switch (f->kind) {
    case FL_FIELD_EXPR: {
        const fl_expr *e = FIELD_AT(const fl_expr *, attrs, f->offset);
        if (e != NULL)
            fl_expr_print(text, plan, e);
        return e != NULL;
    }
    case FL_FIELD_I64:
        if (FIELD_AT(int64_t, attrs, f->offset) < 0)
            return false;
        fl_text_addf(text, "%lld", (long long)FIELD_AT(int64_t, attrs, f->offset));
        return true;
    case FL_FIELD_I32:
        fl_text_addf(text, "%d", FIELD_AT(int32_t, attrs, f->offset));
        return true;
    case FL_FIELD_BOOL:
        if (FIELD_AT(bool, attrs, f->offset))
            fl_text_add(text, FL_STR("yes"));
        return FIELD_AT(bool, attrs, f->offset);
    case FL_FIELD_ENUM:
        fl_text_add(text, fl_str_of(f->names[FIELD_AT(int32_t, attrs, f->offset)]));
        return true;
    case FL_FIELD_TABLE:
        fl_text_add(text, FIELD_AT(fl_table *, attrs, f->offset)->name);
        return true;
    case FL_FIELD_NAME:
        fl_text_add(text, FIELD_AT(fl_str, attrs, f->offset));
        return true;
    case FL_FIELD_COL:
        if (FIELD_AT(fl_col_id, attrs, f->offset).n == 0)
            return false;
        fl_text_add(text, fl_plan_col(plan, FIELD_AT(fl_col_id, attrs, f->offset))->name);
        return true;
    case FL_FIELD_EXPRS:
    case FL_FIELD_COLS:
    case FL_FIELD_COLS_USED:
    case FL_FIELD_SORT_KEYS:
    case FL_FIELD_AGGS:
        break;
    }
    n = FIELD_AT(int32_t, attrs, f->count_offset);
    bool is_conjunction = f->is_unordered && f->kind == FL_FIELD_EXPRS;
    for (int32_t i = 0; i < n; i++) {
        if (i > 0)
            fl_text_add(text, is_conjunction ? FL_STR(" AND ") : FL_STR(", "));
        if (f->kind == FL_FIELD_EXPRS) {
            fl_expr_print(text, plan, FIELD_AT(const fl_expr *const *, attrs, f->offset)[i]);
        } else if (f->kind == FL_FIELD_SORT_KEYS) {
            print_key(text, plan, &FIELD_AT(const fl_sort_key *, attrs, f->offset)[i]);
        } else if (f->kind == FL_FIELD_AGGS) {
            print_agg(text, plan, &FIELD_AT(const fl_agg *, attrs, f->offset)[i]);
        } else {
            fl_text_add(text, fl_plan_col(plan, FIELD_AT(const fl_col_id *, attrs, f->offset)[i])->name);
        }
    }
    return n > 0;
}

static void print_rows(fl_text *text, double rows)
{
    if (rows < 1e15)
        fl_text_addf(text, "%.0f", rows < 1 && rows > 0 ? 1.0 : rows);
    else
        fl_text_addf(text, "%.3g", rows);
}

/* `shown`: bits of nodes by id, inputs that are computed once and stand further up already. */
static void print_node(fl_text *text, const fl_explain *x, const fl_node *node, int level, uint64_t *shown)
{
    for (int i = 0; i < level; i++)
        fl_text_add(text, FL_STR("  "));
    fl_text_addf(text, "%s [", node->op->name);
    fl_trait_print(text, node->traits);
    fl_text_add_char(text, ']');
    bool first = true;
    for (int32_t i = 0; i < node->op->n_fields; i++) {
        const fl_attr_field *f = &node->op->fields[i];
        fl_text value;
        fl_text_init(&value, text->memory);
        if (print_field(&value, x->plan, f, node->attrs)) {
            fl_text_addf(text, "%s%s: ", first ? " " : ", ", f->name);
            fl_text_add(text, fl_text_str(&value));
            first = false;
        }
        fl_text_drop(&value);
    }
    fl_text_add(text, FL_STR("  ~"));
    print_rows(text, node->rows);
    fl_text_add(text, FL_STR(" rows"));
    if (x->actual != NULL && x->actual[node->id].has_run) {
        const fl_node_actual *a = &x->actual[node->id];
        fl_text_addf(text, ", actual %lld rows, %.3f ms", (long long)a->rows, (double)a->ns / 1e6);
        if (a->bytes > 0)
            fl_text_addf(text, ", %.1f KB", (double)a->bytes / 1024);
    }
    fl_text_add_char(text, '\n');
    if (x->props != NULL) {
        for (int i = 0; i < level; i++)
            fl_text_add(text, FL_STR("  "));
        fl_text_add(text, FL_STR("| "));
        fl_props_print(text, x->plan, x->props[node->id]);
        fl_text_add_char(text, '\n');
    }
    if (node->op->is_computed_once) {
        if (fl_bit_get(shown, node->inputs[0]->id))
            return;
        fl_bit_set(shown, node->inputs[0]->id);
    }
    for (int32_t i = 0; i < node->n_inputs; i++)
        print_node(text, x, node->inputs[i], level + 1, shown);
}

static void print_node_json(fl_text *text, const fl_explain *x, const fl_node *node, uint64_t *shown)
{
    fl_text value;
    fl_text_init(&value, text->memory);
    fl_text_addf(text, "{\"op\":\"%s\",\"traits\":\"", node->op->name);
    fl_trait_print(text, node->traits);
    fl_text_add_char(text, '"');
    for (int32_t i = 0; i < node->op->n_fields; i++) {
        const fl_attr_field *f = &node->op->fields[i];
        fl_text_clear(&value);
        if (print_field(&value, x->plan, f, node->attrs)) {
            fl_text_addf(text, ",\"%s\":", f->name);
            fl_text_add_json(text, fl_text_str(&value));
        }
    }
    fl_text_addf(text, ",\"rows\":%.17g", floor(node->rows));
    if (x->actual != NULL && x->actual[node->id].has_run) {
        const fl_node_actual *a = &x->actual[node->id];
        fl_text_addf(text, ",\"actual\":{\"rows\":%lld,\"ms\":%.6f,\"bytes\":%lld}", (long long)a->rows,
                     (double)a->ns / 1e6, (long long)a->bytes);
    }
    if (x->props != NULL) {
        fl_text_clear(&value);
        fl_props_print(&value, x->plan, x->props[node->id]);
        fl_text_add(text, FL_STR(",\"properties\":"));
        fl_text_add_json(text, fl_text_str(&value));
    }
    fl_text_add(text, FL_STR(",\"cols\":["));
    for (int32_t i = 0; i < node->n_cols; i++) {
        if (i > 0)
            fl_text_add_char(text, ',');
        fl_text_add_json(text, fl_plan_col(x->plan, node->cols[i])->name);
    }
    fl_text_add(text, FL_STR("],\"inputs\":["));
    bool is_shown = node->op->is_computed_once && fl_bit_get(shown, node->inputs[0]->id);
    if (node->op->is_computed_once)
        fl_bit_set(shown, node->inputs[0]->id);
    for (int32_t i = 0; i < node->n_inputs && !is_shown; i++) {
        if (i > 0)
            fl_text_add_char(text, ',');
        print_node_json(text, x, node->inputs[i], shown);
    }
    fl_text_add(text, FL_STR("]}"));
    fl_text_drop(&value);
}

static void print_root(fl_text *text, const fl_explain *explain, bool is_json)
{
    uint64_t *shown = NULL;
    fl_status st =
        fl_alloc_zero(text->memory, fl_bitmap_words(fl_plan_nodes(explain->plan) + 1) * 8, (void **)&shown, NULL);
    if (st == FL_OK && is_json)
        print_node_json(text, explain, explain->root, shown);
    else if (st == FL_OK)
        print_node(text, explain, explain->root, 0, shown);
    else if (text->st == FL_OK)
        text->st = st;
    fl_free(shown);
}

void fl_explain_text(fl_text *text, const fl_explain *explain)
{
    print_root(text, explain, false);
}

/* The hash in hexadecimal digits, quoted. */
static void print_hash(fl_text *text, const fl_explain *explain, bool literals)
{
    uint64_t hash = 0;
    fl_query query = {.plan = (fl_plan *)(uintptr_t)explain->plan,
                      .root = explain->root,
                      .n_outputs = explain->n_outputs,
                      .outputs = explain->outputs};
    fl_status st = fl_plan_hash(&query, literals, &hash, NULL);
    if (st == FL_OK)
        fl_text_addf(text, "\"%016llx\"", (unsigned long long)hash);
    else if (text->st == FL_OK)
        text->st = st;
}

void fl_explain_json(fl_text *text, const fl_explain *explain)
{
    fl_text_add(text, FL_STR("{\"plan\":"));
    print_root(text, explain, true);
    fl_text_add(text, FL_STR(",\"rules_fired\":["));
    for (int32_t i = 0; explain->rules_fired != NULL && explain->rules_fired[i] != NULL; i++)
        fl_text_addf(text, "%s\"%s\"", i > 0 ? "," : "", explain->rules_fired[i]);
    fl_text_add(text, FL_STR("],\"plan_hash\":"));
    print_hash(text, explain, true);
    fl_text_add(text, FL_STR(",\"shape_hash\":"));
    print_hash(text, explain, false);
    fl_text_add_char(text, '}');
}
