/* Expressions as text, nearly as SQL writes them: what EXPLAIN shows, and what columns without a name are called. */
#include "plan/plan_internal.h"

#define PRINT_PARTS 100000 /* larger ones are told by their size */

void fl_expr_print_list(fl_text *text, const fl_plan *plan, const fl_expr *const *args, int32_t n, const char *between)
{
    for (int32_t i = 0; i < n; i++) {
        if (i > 0)
            fl_text_add(text, fl_str_of(between));
        if (i == 20 && n > 24) {
            fl_text_addf(text, "… %d more", n - i);
            return;
        }
        fl_expr_print(text, plan, args[i]);
    }
}

static void print_subquery(fl_text *text, const fl_plan *plan, const fl_subquery *s)
{
    static const char *const words[] = {"", "EXISTS ", "ANY ", "ALL "};
    if (s->n_left > 0) {
        fl_expr_print_list(text, plan, s->left, s->n_left, ", ");
        fl_text_addf(text, " %s ", s->compare);
    }
    fl_text_addf(text, "%s(subquery)", words[s->kind]);
}

void fl_expr_print(fl_text *text, const fl_plan *plan, const fl_expr *e)
{
    if (e->size > PRINT_PARTS) { /* what parts share is said once for each of them */
        fl_text_addf(text, "… an expression of %s%d parts", e->size == INT32_MAX ? "more than " : "", e->size);
        return;
    }
    switch (e->kind) {
    case FL_EXPR_COLUMN:
        fl_text_add(text, fl_plan_col(plan, e->col)->name);
        return;
    case FL_EXPR_CONST:
        fl_value_print_sql(text, e->value);
        return;
    case FL_EXPR_PARAM:
        fl_text_addf(text, "$%d", e->param + 1);
        return;
    case FL_EXPR_CALL: {
        char c = e->func->name[0];
        bool is_operator = !((c | 32) >= 'a' && (c | 32) <= 'z') && c != '_';
        if (is_operator && e->n_args == 2) {
            fl_text_add_char(text, '(');
            fl_expr_print(text, plan, e->args[0]);
            fl_text_addf(text, " %s ", e->func->name);
            fl_expr_print(text, plan, e->args[1]);
            fl_text_add_char(text, ')');
            return;
        }
        fl_text_addf(text, "%s(", e->func->name);
        fl_expr_print_list(text, plan, e->args, e->n_args, ", ");
        fl_text_add_char(text, ')');
        return;
    }
    case FL_EXPR_CAST:
        fl_text_add(text, e->is_try ? FL_STR("TRY_CAST(") : FL_STR("CAST("));
        fl_expr_print(text, plan, e->args[0]);
        fl_text_add(text, FL_STR(" AS "));
        fl_type_print(text, e->type);
        fl_text_add_char(text, ')');
        return;
    case FL_EXPR_CASE:
        fl_text_add(text, FL_STR("CASE"));
        for (int32_t i = 0; i + 1 < e->n_args; i += 2) {
            fl_text_add(text, FL_STR(" WHEN "));
            fl_expr_print(text, plan, e->args[i]);
            fl_text_add(text, FL_STR(" THEN "));
            fl_expr_print(text, plan, e->args[i + 1]);
        }
        fl_text_add(text, FL_STR(" ELSE "));
        fl_expr_print(text, plan, e->args[e->n_args - 1]);
        fl_text_add(text, FL_STR(" END"));
        return;
    case FL_EXPR_AND:
    case FL_EXPR_OR:
        fl_text_add_char(text, '(');
        fl_expr_print_list(text, plan, e->args, e->n_args, e->kind == FL_EXPR_AND ? " AND " : " OR ");
        fl_text_add_char(text, ')');
        return;
    case FL_EXPR_NOT:
        fl_text_add(text, FL_STR("NOT "));
        fl_expr_print(text, plan, e->args[0]);
        return;
    case FL_EXPR_IS_NULL:
        fl_expr_print(text, plan, e->args[0]);
        fl_text_add(text, FL_STR(" IS NULL"));
        return;
    case FL_EXPR_IN:
        fl_expr_print(text, plan, e->args[0]);
        fl_text_add(text, FL_STR(" IN ("));
        fl_expr_print_list(text, plan, e->args + 1, e->n_args - 1, ", ");
        fl_text_add_char(text, ')');
        return;
    case FL_EXPR_SUBQUERY:
        print_subquery(text, plan, e->subquery);
        return;
    case FL_EXPR_FIELD:
        fl_expr_print(text, plan, e->args[0]);
        fl_text_addf(text, ".%.*s", FL_STR_ARG(e->args[0]->type.fields[e->param].name));
        return;
    case FL_EXPR_STRUCT: {
        bool is_row = fl_type_is_row(e->type);
        fl_text_add(text, is_row ? FL_STR("ROW(") : FL_STR("{"));
        for (int32_t i = 0; i < e->n_args; i++) {
            if (i > 0)
                fl_text_add(text, FL_STR(", "));
            if (!is_row)
                fl_text_addf(text, "'%.*s': ", FL_STR_ARG(e->type.fields[i].name));
            fl_expr_print(text, plan, e->args[i]);
        }
        fl_text_add_char(text, is_row ? ')' : '}');
        return;
    }
    default:
        FL_ASSERT(false); /* every kind has a text */
    }
}
