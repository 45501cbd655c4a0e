/* EXPLAIN of calls: functions that can say how they are called, in the order in which the plan has them, and those that became a part of it. */
#include "plan/explain_functions.h"

#include "plan/expr_walk.h"

/* A function or an aggregate. */
typedef struct callee {
    const fl_func_desc *func;
    const fl_agg_desc *agg;
} callee;

typedef struct callees {
    fl_expr_walk walk;
    callee *items;
    int64_t capacity;
    int32_t n;
} callees;

static fl_status add(callees *c, callee one, fl_err *err)
{
    for (int32_t i = 0; i < c->n; i++)
        if (c->items[i].func == one.func && c->items[i].agg == one.agg)
            return FL_OK;
    fl_status st =
        fl_grow(c->walk.arena.memory, (void **)&c->items, &c->capacity, c->n + 1, (int64_t)sizeof(*c->items), err);
    if (st == FL_OK)
        c->items[c->n++] = one;
    return st;
}

static fl_status look_at_expr(void *ctx, const fl_expr *expr, fl_err *err)
{
    fl_status st = FL_OK;
    callees *c = ctx;
    bool is_new = false;
    if (expr == NULL)
        return FL_OK;
    FL_TRY(fl_expr_walk_enter(&c->walk, expr, &is_new, err));
    for (int32_t i = 0; is_new && i < expr->n_args; i++)
        FL_TRY(look_at_expr(ctx, expr->args[i], err));
    if (is_new && expr->kind == FL_EXPR_CALL && expr->func->explain != NULL)
        st = add(c, (callee){.func = expr->func}, err);
cleanup:
    return st;
}

static fl_status look_at_aggs(callees *c, const fl_attr_field *field, const void *attrs, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_agg *aggs = FL_FIELD_AT(const fl_agg *, attrs, field->offset);
    for (int32_t i = 0; i < fl_field_count(field, attrs) && st == FL_OK; i++)
        if (aggs[i].agg->explain != NULL)
            st = add(c, (callee){.agg = aggs[i].agg}, err);
    return st;
}

static fl_status look_at_node(void *ctx, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_node_visit_exprs(node, look_at_expr, ctx, err));
    for (int32_t i = 0; i < node->op->n_fields; i++)
        if (node->op->fields[i].kind == FL_FIELD_AGGS)
            FL_TRY(look_at_aggs(ctx, &node->op->fields[i], node->attrs, err));
cleanup:
    return st;
}

static void print_how(fl_text *how, callee one)
{
    if (one.agg != NULL)
        one.agg->explain(one.agg, how);
    else if (one.func->explain != NULL)
        one.func->explain(one.func, how);
}

/* As the tally has it. */
static const void *key_of(callee one)
{
    return one.agg != NULL ? (const void *)one.agg : one.func;
}

/* `; 100000 rows: 2048 interpreted, 97952 compiled` */
static void print_rows(fl_text *text, const fl_explain *x, callee one)
{
    int64_t rows = 0, n = 0;
    for (int32_t i = 0; x->tally != NULL && i < x->tally->n; i++)
        rows += x->tally->entries[i].callee == key_of(one) ? x->tally->entries[i].rows : 0;
    if (rows == 0)
        return;
    fl_text_addf(text, "; %lld rows", (long long)rows);
    for (int32_t i = 0; i < x->tally->n; i++)
        if (x->tally->entries[i].callee == key_of(one))
            fl_text_addf(text, "%s%lld %s", n++ == 0 ? ": " : ", ", (long long)x->tally->entries[i].rows,
                         x->tally->entries[i].how);
}

static void print_one(fl_text *text, const fl_explain *x, callee one)
{
    fl_text_addf(text, "function %s: ", one.agg != NULL ? one.agg->name : one.func->name);
    print_how(text, one);
    print_rows(text, x, one);
    fl_text_add_char(text, '\n');
}

static void print_one_json(fl_text *text, const fl_explain *x, callee one)
{
    const char *between = "";
    fl_text how;
    fl_text_init(&how, text->memory);
    print_how(&how, one);
    fl_text_add(text, FL_STR("{\"name\":"));
    fl_text_add_json(text, fl_str_of(one.agg != NULL ? one.agg->name : one.func->name));
    fl_text_add(text, FL_STR(",\"how\":"));
    fl_text_add_json(text, fl_text_str(&how));
    fl_text_add(text, FL_STR(",\"rows\":{"));
    for (int32_t i = 0; x->tally != NULL && i < x->tally->n; i++)
        if (x->tally->entries[i].callee == key_of(one)) {
            fl_text_addf(text, "%s\"%s\":%lld", between, x->tally->entries[i].how,
                         (long long)x->tally->entries[i].rows);
            between = ",";
        }
    fl_text_add(text, FL_STR("}}"));
    if (how.st != FL_OK)
        text->st = how.st;
    fl_text_drop(&how);
}

void fl_explain_functions(fl_text *text, const fl_explain *x, bool is_json)
{
    fl_status st = FL_OK;
    callees c = {0};
    fl_expr_walk_init(&c.walk, x->query->plan);
    FL_TRY(fl_node_visit(x->query->root, look_at_node, &c, NULL));
    for (int32_t i = 0; i < x->n_expanded; i++)
        if (x->expanded[i]->explain != NULL)
            FL_TRY(add(&c, (callee){.func = x->expanded[i]}, NULL));
    if (is_json && c.n > 0)
        fl_text_add(text, FL_STR(",\"functions\":["));
    for (int32_t i = 0; i < c.n; i++) {
        if (is_json && i > 0)
            fl_text_add_char(text, ',');
        (is_json ? print_one_json : print_one)(text, x, c.items[i]);
    }
    if (is_json && c.n > 0)
        fl_text_add_char(text, ']');
cleanup:
    if (st != FL_OK && text->st == FL_OK)
        text->st = st;
    fl_free(c.items);
    fl_expr_walk_drop(&c.walk);
}
