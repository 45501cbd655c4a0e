/* The row that a change leaves: its generated columns, what CHECK says of it, what RETURNING gives of it. All three are expressions over
 * the new row, and columns of the change's query: the engine only looks at them. */
#include "front/sql/bind_change.h"

#include "op/project/node.h"

fl_status fl_sql_bind_rule(binder *b, const fl_rule_text *rule, const fl_col_id *image, const fl_expr **ret)
{
    fl_status st = FL_OK;
    fl_sql_parser parser = {0};
    fl_ast_statement *statement = NULL;
    fl_str text;
    fl_col_id *cols = NULL;
    scope s;
    fl_sql_scope_init(&s, NULL, CLAUSE_VALUES);
    FL_TRY(fl_arena_format(b->arena, &text, b->err, "SELECT %.*s", FL_STR_ARG(rule->text)));
    FL_TRY(fl_sql_parser_init(&parser, b->env->memory, text, b->err));
    FL_TRY(fl_sql_parser_next(&parser, b->arena, &statement, b->err));
    if (rule->n_cols > 0) {
        FL_TRY(FL_NEW_ARRAY(b->arena, rule->n_cols, &cols, b->err));
        for (int32_t i = 0; i < rule->n_cols; i++)
            cols[i] = image[rule->cols[i]];
        FL_TRY(fl_sql_scope_add_table(b, &s, (fl_str){0}, (fl_str){0}, rule->names, cols, rule->n_cols, -1));
    }
    FL_TRY(fl_sql_bind_expr(b, &s, statement->query->body->select->items[0].expr, ret));
cleanup:
    if (st != FL_OK && b->err != NULL)
        b->err->position = 0; /* it counts in the rule's text */
    fl_sql_parser_drop(&parser);
    return st;
}

fl_status fl_sql_generate(binder *b, const change *ch, changed_rows *rows)
{
    fl_status st = FL_OK;
    const fl_table *table = ch->table;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    int32_t n = 0, at = 0;
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, table->n_cols + 1, &cols, b->err));
    for (int32_t c = 0; c < table->n_cols; c++) {
        if (!fl_sql_is_generated(ch, c))
            continue;
        names[n] = table->fields[c].name;
        FL_TRY(fl_sql_bind_rule(b, &ch->rules[c].generated, rows->image, &exprs[n]));
        FL_TRY(fl_sql_assign(b, exprs[n], table->fields[c].type, names[n], -1, &exprs[n]));
        n++;
    }
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_project_extend(b->plan, rows->node, exprs, names, n, cols, &rows->node, b->err));
    for (int32_t c = 0; c < table->n_cols; c++)
        if (fl_sql_is_generated(ch, c))
            rows->image[c] = cols[at++];
cleanup:
    return st;
}

/* What RETURNING may name: the table's columns as they are now, and those of the other tables. */
static fl_status open_returning(binder *b, const change *ch, const changed_rows *rows, scope *s)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_sql_scope_init(s, NULL, CLAUSE_RETURNING);
    s->ctes = ch->ctes;
    FL_TRY(FL_NEW_ARRAY(b->arena, ch->table->n_cols + 1, &names, b->err));
    for (int32_t c = 0; c < ch->table->n_cols; c++)
        names[c] = ch->table->fields[c].name;
    FL_TRY(fl_sql_scope_add_table(b, s, ch->alias, ch->bound->name, names, rows->image, ch->table->n_cols, -1));
    if (rows->beside != NULL)
        FL_TRY(fl_sql_scope_add_all(b, s, rows->beside));
cleanup:
    return st;
}

fl_status fl_sql_put_rows(binder *b, change *ch, changed_rows *rows, output *ret)
{
    fl_status st = FL_OK;
    const fl_table *table = ch->table;
    const fl_ast_select list = {.items = ch->returning->items, .item_count = ch->returning->item_count};
    int32_t n_checks = rows->is_new ? ch->constraints->n_checks : 0, n_items = 0, n = 0;
    select_item *items = NULL;
    const fl_expr **exprs = NULL;
    fl_str *names = NULL;
    fl_col_id *cols = NULL;
    scope s;
    if (rows->is_new)
        FL_TRY(fl_sql_generate(b, ch, rows));
    FL_TRY(open_returning(b, ch, rows, &s));
    if (list.item_count > 0)
        FL_TRY(fl_sql_expand_items(b, &s, &list, &items, &n_items));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_checks + n_items + 1, &exprs, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_checks + n_items + 1, &names, b->err));
    FL_TRY(FL_NEW_ARRAY(b->arena, n_checks + n_items + 1, &cols, b->err));
    for (; n < n_checks; n++) {
        const fl_table_check *check = &ch->constraints->checks[n];
        names[n] = check->name;
        FL_TRY(fl_sql_bind_rule(b, &check->condition, rows->image, &exprs[n]));
        FL_TRY(fl_expr_cast(b->plan, exprs[n], FL_TYPE(FL_BOOL), false, -1, &exprs[n], b->err));
        if (rows->is_gone != NULL) {
            const fl_expr *cases[3] = {rows->is_gone, NULL, exprs[n]};
            FL_TRY(fl_sql_expr_bool(b, true, -1, &cases[1]));
            FL_TRY(fl_expr_case(b->plan, cases, 3, -1, &exprs[n], b->err));
        }
    }
    for (int32_t i = 0; i < n_items; i++, n++) {
        names[n] = items[i].name;
        exprs[n] = items[i].expr;
        if (items[i].ast != NULL)
            FL_TRY(fl_sql_bind_expr(b, &s, items[i].ast, &exprs[n]));
    }
    if (n > 0)
        FL_TRY(fl_project_extend(b->plan, rows->node, exprs, names, n, cols, &rows->node, b->err));
    ret->root = rows->node;
    FL_TRY(FL_NEW_ARRAY(b->arena, rows->n_lead + rows->n_put + n + 1, &ret->cols, b->err));
    ret->n_cols = 0;
    for (int32_t i = 0; i < rows->n_lead; i++)
        ret->cols[ret->n_cols++] = rows->lead[i];
    for (int32_t i = 0; i < rows->n_put; i++)
        ret->cols[ret->n_cols++] =
            (out_col){.name = table->fields[rows->put[i]].name, .col = rows->image[rows->put[i]]};
    for (int32_t i = 0; i < n; i++)
        ret->cols[ret->n_cols++] = (out_col){.name = names[i], .col = cols[i]};
    ch->bound->n_checks = n_checks;
    ch->bound->n_returning = n_items;
    ch->bound->returns = list.item_count > 0;
cleanup:
    return st;
}
