/* WHERE and HAVING over their input. What can never be true leaves no rows, and then nothing below it is computed and nothing
 * can raise, as in PostgreSQL: x AND NULL is never true, whatever x is. It is seen here and not by a rule, because a rule
 * must keep what the query as written raises. */
#include "front/sql/bind.h"

#include "op/filter/node.h"
#include "op/values/node.h"
#include "plan/rule.h"

#define PARTS_MAX 1000000 /* of an expression that is looked into: shared parts are met as often as they occur */

/* Whether it is never this truth value: false or null (never true), true or null (never false) for all rows. */
static bool is_never(binder *b, const fl_expr *e, bool truth)
{
    fl_value value;
    if (e->size > PARTS_MAX)
        return false;
    switch (e->kind) {
    case FL_EXPR_AND:
    case FL_EXPR_OR: {
        bool needs_all = (e->kind == FL_EXPR_OR) == truth; /* never true: all of OR, one of AND */
        for (int32_t i = 0; i < e->n_args; i++)
            if (is_never(b, e->args[i], truth) != needs_all)
                return !needs_all;
        return needs_all;
    }
    case FL_EXPR_NOT:
        return is_never(b, e->args[0], !truth);
    case FL_EXPR_CONST:
        return e->value->is_null || e->value->b != truth;
    default:
        if (e->flags & (FL_EXPR_HAS_COLUMN | FL_EXPR_VOLATILE | FL_EXPR_HAS_PARAM | FL_EXPR_HAS_SUBQUERY) ||
            b->env->evaluator == NULL)
            return false;
        return b->env->evaluator->fold(b->env->evaluator, b->plan, e, b->arena, &value, NULL) == FL_OK &&
               (value.is_null || value.b != truth);
    }
}

fl_status fl_sql_filter(binder *b, const fl_node *input, const fl_expr *predicate, const fl_node **ret)
{
    if (!is_never(b, predicate, true))
        return fl_filter_build(b->plan, input, predicate, ret, b->err);
    fl_values_attrs none = {.n_cols = input->n_cols, .cols = input->cols};
    return fl_node_make(b->plan, &fl_op_values, &none, NULL, NULL, 0, NULL, 0, ret, b->err);
}
