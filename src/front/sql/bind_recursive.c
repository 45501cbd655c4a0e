/* WITH RECURSIVE: a table expression of the form first UNION [ALL] step, where the step reads the table expression itself: the rows that the
 * round before made. One that does not read itself is like any other. */
#include "front/sql/bind.h"

#include "base/nearest.h"
#include "op/project/node.h"
#include "op/recursion/node.h"
#include "op/working_table/node.h"

#define WIDENINGS_MAX 4 /* of a type: it goes from whole numbers to decimals or doubles, and these have no wider ones */

/* What a reference of a table expression to itself means, where it stands. */
typedef struct self_reads {
    const char *refused; /* why it is refused; NULL: it reads the last round */
    int32_t pos;         /* of the first one that was met; -1: there is none */
    int64_t number;
    int64_t guess;
    const fl_type *types;
    const fl_str *names;
    int32_t n_cols;
    fl_str system[FL_SQL_SEARCH_COLS_MAX]; /* what the last columns are called here, which SEARCH and CYCLE have */
    int32_t n_system;
    int32_t *places; /* of each column among those of the operators, which have keys first */
    int32_t n_keys;
} self_reads;

static fl_status fail_form(binder *b, const cte *c, int32_t pos, const char *what)
{
    fl_status st = fl_sql_bind_fail_state(b, pos, FL_ERR_SYNTAX, "42P19", "recursive query \"%.*s\" %s",
                                          FL_STR_ARG(c->ast->name.text), what);
    fl_err_hint(b->err, "write WITH RECURSIVE %.*s AS (SELECT … UNION ALL SELECT … FROM %.*s WHERE …)",
                FL_STR_ARG(c->ast->name.text), FL_STR_ARG(c->ast->name.text));
    return st;
}

fl_status fl_sql_bind_self(binder *b, cte *c, int32_t pos, bool is_recurring, output *ret)
{
    fl_status st = FL_OK;
    self_reads *self = c->self;
    fl_type *types = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    output made = {.n_cols = self->n_cols - self->n_system, .n_system = self->n_system};
    self->pos = self->pos < 0 ? pos : self->pos;
    if (self->refused != NULL)
        return fail_form(b, c, pos, self->refused);
    if (is_recurring && self->n_keys == 0) {
        st = fl_sql_bind_fail(b, pos, FL_ERR_UNSUPPORTED, "recurring.\"%.*s\" is there where the query has keys",
                              FL_STR_ARG(c->ast->name.text));
        fl_err_hint(b->err, "write USING KEY (…) before AS; \"%.*s\" alone has the rows of the last round",
                    FL_STR_ARG(c->ast->name.text));
        return st;
    }
    FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &types, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &made.cols, b->err));
    for (int32_t i = 0; i < self->n_cols; i++) {
        types[self->places[i]] = self->types[i];
        names[self->places[i]] = self->names[i];
    }
    FL_TRY(fl_working_table_build(b->plan, self->number, c->ast->name.text, is_recurring, self->guess, types, names,
                                  self->n_cols, cols, &made.root, b->err));
    for (int32_t i = 0; i < self->n_cols; i++)
        made.cols[i] = (out_col){.name = self->names[i], .col = cols[self->places[i]], .pos = pos};
    made.system = made.cols + made.n_cols;
    for (int32_t i = 0; i < self->n_system; i++)
        made.system[i].name = self->system[i];
    *ret = made;
cleanup:
    return st;
}

fl_status fl_sql_find_column_of(binder *b, const fl_ast_cte *cte, const fl_str *names, int32_t n,
                                const fl_ast_name *name, int32_t *ret)
{
    fl_nearest near;
    fl_nearest_init(&near, name->text);
    for (*ret = 0; *ret < n && !fl_str_is_equal_nocase(names[*ret], name->text); ++*ret)
        fl_nearest_offer(&near, names[*ret]);
    if (*ret < n)
        return FL_OK;
    fl_status st = fl_sql_bind_fail(b, name->start, FL_ERR_COLUMN, "\"%.*s\" has no column \"%.*s\"",
                                    FL_STR_ARG(cte->name.text), FL_STR_ARG(name->text));
    fl_nearest_hint(&near, b->err);
    return st;
}

/* Keys come first, in the order in which they are written; the others keep theirs. */
static fl_status place_keys(binder *b, const cte *c, self_reads *self)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &self->places, b->err));
    for (int32_t i = 0; i < self->n_cols; i++)
        self->places[i] = -1;
    for (int32_t k = 0; k < c->ast->key_count; k++) {
        const fl_ast_name *key = &c->ast->keys[k];
        int32_t found;
        FL_TRY(fl_sql_find_column_of(b, c->ast, self->names, self->n_cols, key, &found));
        if (self->places[found] < 0)
            self->places[found] = n++;
    }
    self->n_keys = n;
    for (int32_t i = 0; i < self->n_cols; i++)
        if (self->places[i] < 0)
            self->places[i] = n++;
    FL_ASSERT(n == self->n_cols);
cleanup:
    return st;
}

/* The names and types of the first rows are the table's: literals become texts. */
static fl_status look_at_first(binder *b, const cte *c, output *first, self_reads *self)
{
    fl_status st = FL_OK;
    fl_type *types = NULL;
    fl_str *names = NULL;
    FL_TRY(fl_sql_output_exact(b, first));
    FL_TRY(FL_NEW_ARRAY(b->arena, first->n_cols + 1, &types, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, first->n_cols + 1, &names, b->err));
    for (int32_t i = 0; i < first->n_cols; i++) {
        types[i] = fl_plan_col(b->plan, first->cols[i].col)->type;
        names[i] = i < c->ast->column_count ? c->ast->columns[i].text : first->cols[i].name;
        if (types[i].id == FL_NULL)
            types[i] = FL_TYPE(FL_UTF8);
        else if (types[i].id == FL_DECIMAL) /* what is made of them has more digits, as 1.0 + n */
            types[i].precision = FL_DECIMAL_PRECISION_MAX;
    }
    self->types = types;
    self->names = names;
    self->n_cols = first->n_cols;
    self->guess = first->root->rows > 1 ? (int64_t)(first->root->rows < 1e15 ? first->root->rows : 1e15) : 1;
    st = place_keys(b, c, self);
cleanup:
    return st;
}

/* A side with the types of the table. */
static fl_status cast_side(binder *b, const cte *c, const self_reads *self, output *side, fl_col_id **ret_cols)
{
    fl_status st = FL_OK;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(b->arena, side->n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, side->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, side->n_cols + 1, &cols, b->err));
    for (int32_t i = 0; i < side->n_cols; i++) {
        const out_col *col = &side->cols[i];
        fl_type here = fl_plan_col(b->plan, col->col)->type, common;
        names[i] = self->names[i];
        if (col->literal != NULL) {
            FL_TRY(fl_expr_cast_beside(b->plan, col->literal, self->types[i], &exprs[i], b->err));
            continue;
        }
        if (!fl_type_common_in(b->arena, self->types[i], here, &common) || !fl_type_is_equal(common, self->types[i])) {
            if (c->ast->widens)
                return fl_sql_bind_fail_state(b, col->pos, FL_ERR_TYPE, "42804",
                                              "the lambda gives %s where the value so far is %s", FL_TYPE_NAME(here),
                                              FL_TYPE_NAME(self->types[i]));
            st = fl_sql_bind_fail_state(b, col->pos, FL_ERR_TYPE, "42804",
                                        "column %d of recursive query \"%.*s\" is %s in its first part, and %s in the "
                                        "part that reads it",
                                        i + 1, FL_STR_ARG(c->ast->name.text), FL_TYPE_NAME(self->types[i]),
                                        FL_TYPE_NAME(here));
            fl_err_hint(b->err, "cast one of them to the other's type, for example the first to %s",
                        FL_TYPE_NAME(here));
            goto cleanup;
        }
        FL_TRY(fl_expr_column(b->plan, col->col, col->pos, &exprs[i], b->err));
        FL_TRY(fl_expr_cast(b->plan, exprs[i], self->types[i], false, col->pos, &exprs[i], b->err));
    }
    FL_TRY(fl_project_build(b->plan, side->root, exprs, names, side->n_cols, cols, &side->root, b->err));
    *ret_cols = cols;
cleanup:
    return st;
}

static fl_status combine(binder *b, const cte *c, const fl_ast_set *ast, const self_reads *self, output *first,
                         output *step, output *ret)
{
    fl_status st = FL_OK;
    fl_col_id *sides[2] = {NULL, NULL}, *placed[2] = {NULL, NULL}, *cols = NULL;
    fl_str *names = NULL;
    output made = {.n_cols = self->n_cols};
    if (step->n_cols != first->n_cols)
        return fl_sql_bind_fail(b, step->cols[0].pos, FL_ERR_SYNTAX, "the sides of UNION have %d and %d columns",
                                first->n_cols, step->n_cols);
    FL_TRY(fl_sql_output_exact(b, step));
    FL_TRY(cast_side(b, c, self, first, &sides[0]));
    FL_TRY(cast_side(b, c, self, step, &sides[1]));
    FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &cols, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &made.cols, b->err));
    for (int side = 0; side < 2; side++) {
        FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &placed[side], b->err));
        for (int32_t i = 0; i < self->n_cols; i++)
            placed[side][self->places[i]] = sides[side][i];
    }
    for (int32_t i = 0; i < self->n_cols; i++)
        names[self->places[i]] = self->names[i];
    FL_TRY(fl_recursion_build(b->plan, self->number, ast->is_all, self->n_keys > 0 ? self->n_keys : -1, first->root,
                              placed[0], step->root, placed[1], names, self->n_cols, cols, &made.root, b->err));
    for (int32_t i = 0; i < self->n_cols; i++)
        made.cols[i] = (out_col){.name = first->cols[i].name, .col = cols[self->places[i]], .pos = first->cols[i].pos};
    *ret = made;
cleanup:
    return st;
}

/* Where the step's types are wider, the table gets them, and the step is bound anew. */
static fl_status widen(binder *b, cte *c, self_reads *self, const fl_ast_body *last, output *step)
{
    fl_status st = FL_OK;
    fl_type *types = NULL;
    bool is_wider = true;
    for (int round = 0; is_wider && round < WIDENINGS_MAX; round++) {
        is_wider = false;
        FL_TRY(fl_sql_output_exact(b, step));
        FL_TRY(FL_NEW_ARRAY(b->arena, self->n_cols + 1, &types, b->err));
        for (int32_t i = 0; i < self->n_cols; i++) {
            fl_type common;
            types[i] = self->types[i];
            if (step->cols[i].literal == NULL &&
                fl_type_common_in(b->arena, types[i], fl_plan_col(b->plan, step->cols[i].col)->type, &common) &&
                !fl_type_is_equal(common, types[i])) {
                types[i] = common;
                if (common.id == FL_DECIMAL)
                    types[i].precision = FL_DECIMAL_PRECISION_MAX; /* as of any recursion */
                is_wider = true;
            }
        }
        self->types = types;
        if (is_wider)
            FL_TRY(fl_sql_bind_query_body(b, c->outer, c, last, step));
    }
cleanup:
    return st;
}

static fl_status bind_union(binder *b, cte *c, const fl_ast_query *query, self_reads *self, output *ret)
{
    fl_status st = FL_OK;
    const fl_ast_set *ast = query->body->set;
    fl_ast_body *last = ast->inputs[ast->input_count - 1], *begin = NULL;
    output first, step;
    self->refused = "reads itself in its first part, which makes the first rows";
    FL_TRY(fl_sql_bind_set_of(b, c->outer, c, ast, ast->input_count - 1, &first));
    FL_TRY(look_at_first(b, c, &first, self));
    if (c->ast->search != NULL || c->ast->cycle != NULL) {
        FL_TRY(fl_sql_expand_search(b, c->ast, ast, self->names, self->n_cols, &begin, &last, self->system,
                                    &self->n_system));
        FL_TRY(fl_sql_bind_query_body(b, c->outer, c, begin, &first));
        FL_TRY(look_at_first(b, c, &first, self));
    }
    self->number = b->n_recursions++;
    self->refused = NULL;
    FL_TRY(fl_sql_bind_query_body(b, c->outer, c, last, &step));
    if (c->ast->widens)
        FL_TRY(widen(b, c, self, last, &step));
    if (self->pos < 0 && (self->n_keys > 0 || self->n_system > 0))
        return fail_form(b, c, c->ast->name.start, "does not read itself");
    if (self->pos < 0) { /* it does not read itself */
        c->self = NULL;
        return fl_sql_bind_query(b, c->outer, c->next, query, ret);
    }
    if (query->order_count > 0 || query->limit != NULL || query->offset != NULL)
        return fl_sql_bind_fail(
            b, self->pos, FL_ERR_UNSUPPORTED,
            "ORDER BY and LIMIT of a recursive query are not supported: write them where it is read");
    st = combine(b, c, ast, self, &first, &step, ret);
cleanup:
    return st;
}

fl_status fl_sql_bind_recursive(binder *b, cte *c, output *ret)
{
    fl_status st = FL_OK;
    const fl_ast_query *query = c->ast->query;
    const fl_ast_body *body = query->body;
    self_reads self = {.pos = -1};
    c->self = &self;
    if (query->cte_count == 0 && body->kind == FL_AST_BODY_SET && body->set->op == FL_AST_UNION) {
        FL_TRY(bind_union(b, c, query, &self, ret));
    } else {
        self.refused = "does not have the form first UNION [ALL] step";
        if (c->ast->key_count > 0 || c->ast->search != NULL || c->ast->cycle != NULL)
            FL_TRY(fail_form(b, c, c->ast->name.start, self.refused));
        FL_TRY(fl_sql_bind_query(b, c->outer, c, query, ret));
    }
cleanup:
    c->self = NULL;
    return st;
}
