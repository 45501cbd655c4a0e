/* EXPLAIN, generic over the operators' fields. */
#include "plan/explain.h"

#include "plan/explain_functions.h"
#include "plan/plan_hash.h"
#include "plan/props.h"
#include "plan/provenance.h"
#include "plan/table.h"

#include <math.h>

static void print_rows(fl_text *text, double rows)
{
    if (rows < 1e15)
        fl_text_addf(text, "%.0f", rows < 1 && rows > 0 ? 1.0 : rows);
    else
        fl_text_addf(text, "%.3g", rows);
}

void fl_explain_ns(fl_text *text, double ns)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    int32_t unit = 0;
    for (; unit + 1 < FL_LEN(units) && ns >= 999.5; unit++)
        ns /= 1000;
    fl_text_addf(text, "%.*f %s", ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2, ns, units[unit]);
}

void fl_explain_operator(fl_text *text, const fl_plan *plan, const fl_node *node)
{
    const char *between = " ";
    fl_text value;
    fl_text_init(&value, text->memory);
    fl_text_addf(text, "%s [", node->op->name);
    fl_trait_print(text, plan, node->traits);
    fl_text_add_char(text, ']');
    for (int32_t i = 0; i < node->op->n_fields; i++) {
        fl_text_clear(&value);
        if (fl_field_print(&value, plan, &node->op->fields[i], node->attrs)) {
            fl_text_addf(text, "%s%s: ", between, node->op->fields[i].name);
            fl_text_add_text(text, &value);
            between = ", ";
        }
    }
    fl_text_drop(&value);
}

static void indent(fl_text *text, int level)
{
    for (int i = 0; i < level; i++)
        fl_text_add(text, FL_STR("  "));
}

/* `| made by lower_join, order_joins`, the last one first. */
static void print_provenance(fl_text *text, const fl_plan *plan, const fl_node *node)
{
    const char *rules[FL_PROVENANCE_RULES_MAX];
    int32_t n = fl_provenance_rules(plan, node, rules);
    fl_text_add(text, n == 0 ? FL_STR("| as the query has it") : FL_STR("| made by "));
    for (int32_t i = 0; i < n; i++)
        fl_text_addf(text, "%s%s", i == 0 ? "" : ", ", rules[i]);
    fl_text_add_char(text, '\n');
}

/* `shown`: bits of nodes by id, inputs that are computed once and stand further up already. */
static void print_node(fl_text *text, const fl_explain *x, const fl_node *node, int level, uint64_t *shown)
{
    indent(text, level);
    fl_explain_operator(text, x->query->plan, node);
    fl_text_add(text, FL_STR("  ~"));
    print_rows(text, node->rows);
    fl_text_add(text, FL_STR(" rows"));
    if (x->costs != NULL) {
        fl_text_add(text, FL_STR(", costs "));
        fl_explain_ns(text, x->costs[node->id]);
    }
    if (x->actual != NULL && x->actual[node->id].has_run) {
        const fl_node_actual *a = &x->actual[node->id];
        fl_text_addf(text, ", actual %lld rows, %.3f ms", (long long)a->rows, (double)a->ns / 1e6);
        if (a->spilled_bytes > 0)
            fl_text_addf(text, ", %lld bytes spilled, %lld splits", (long long)a->spilled_bytes,
                         (long long)a->spill_splits);
        if (a->bytes > 0)
            fl_text_addf(text, ", %.1f KB", (double)a->bytes / 1024);
    }
    fl_text_add_char(text, '\n');
    if (x->has_provenance) {
        indent(text, level);
        print_provenance(text, x->query->plan, node);
    }
    if (x->props != NULL) {
        indent(text, level);
        fl_text_add(text, FL_STR("| "));
        fl_props_print(text, x->query->plan, x->props[node->id]);
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
    fl_trait_print(text, x->query->plan, node->traits);
    fl_text_add_char(text, '"');
    for (int32_t i = 0; i < node->op->n_fields; i++) {
        const fl_attr_field *f = &node->op->fields[i];
        fl_text_clear(&value);
        if (fl_field_print(&value, x->query->plan, f, node->attrs)) {
            fl_text_addf(text, ",\"%s\":", f->name);
            fl_text_add_json(text, fl_text_str(&value));
        }
    }
    fl_text_addf(text, ",\"rows\":%.17g", floor(node->rows));
    if (x->actual != NULL && x->actual[node->id].has_run) {
        const fl_node_actual *a = &x->actual[node->id];
        fl_text_addf(text, ",\"actual\":{\"rows\":%lld,\"ms\":%.6f,\"bytes\":%lld", (long long)a->rows,
                     (double)a->ns / 1e6, (long long)a->bytes);
        fl_text_addf(text, ",\"spilled_bytes\":%lld,\"spill_splits\":%lld}", (long long)a->spilled_bytes,
                     (long long)a->spill_splits);
    }
    if (x->costs != NULL)
        fl_text_addf(text, ",\"cost_ns\":%.0f", x->costs[node->id]);
    if (x->props != NULL) {
        fl_text_clear(&value);
        fl_props_print(&value, x->query->plan, x->props[node->id]);
        fl_text_add(text, FL_STR(",\"properties\":"));
        fl_text_add_json(text, fl_text_str(&value));
    }
    if (x->has_provenance) {
        const char *rules[FL_PROVENANCE_RULES_MAX];
        int32_t n = fl_provenance_rules(x->query->plan, node, rules);
        fl_text_add(text, FL_STR(",\"made_by\":["));
        for (int32_t i = 0; i < n; i++)
            fl_text_addf(text, "%s\"%s\"", i == 0 ? "" : ",", rules[i]);
        fl_text_add_char(text, ']');
    }
    fl_text_add(text, FL_STR(",\"cols\":["));
    for (int32_t i = 0; i < node->n_cols; i++) {
        if (i > 0)
            fl_text_add_char(text, ',');
        fl_text_add_json(text, fl_plan_col(x->query->plan, node->cols[i])->name);
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
    if (value.st != FL_OK)
        text->st = value.st;
    fl_text_drop(&value);
}

static void print_root(fl_text *text, const fl_explain *explain, bool is_json)
{
    uint64_t *shown = NULL;
    fl_status st = fl_alloc_zero(text->memory, fl_bitmap_words(fl_plan_nodes(explain->query->plan) + 1) * 8,
                                 (void **)&shown, NULL);
    if (st == FL_OK && is_json)
        print_node_json(text, explain, explain->query->root, shown);
    else if (st == FL_OK)
        print_node(text, explain, explain->query->root, 0, shown);
    else if (text->st == FL_OK)
        text->st = st;
    fl_free(shown);
}

void fl_explain_text(fl_text *text, const fl_explain *explain)
{
    print_root(text, explain, false);
    fl_explain_functions(text, explain, false);
    fl_text_add(text, explain->memo);
    fl_text_add(text, explain->why_not);
}

static void print_lines(fl_text *text, const char *name, fl_str lines)
{
    if (lines.len == 0)
        return;
    fl_text_addf(text, ",\"%s\":", name);
    fl_text_add_json(text, lines);
}

/* The hash in hexadecimal digits, quoted. */
static void print_hash(fl_text *text, const fl_explain *explain, bool literals)
{
    uint64_t hash = 0;
    fl_status st = fl_plan_hash(explain->query, literals, &hash, NULL);
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
    fl_explain_functions(text, explain, true);
    print_lines(text, "memo", explain->memo);
    print_lines(text, "why_not", explain->why_not);
    fl_text_add_char(text, '}');
}
