/* Fragments: pieces of a query that are parsed by themselves and must be used up by it. */
#include "front/sql/parse.h"

/* Behind the piece: nothing may be left. Takes what the parser learned and drops it. */
static fl_status end(parser *p, fl_sql_fragment *fragment, fl_sql_whole whole, const char *expected, fl_status st)
{
    if (st == FL_OK && !is_at(p, FL_SQL_END))
        st = fl_sql_fail_expected(p, expected);
    if (st == FL_ERR_SYNTAX && p->fault != NULL)
        st = fl_sql_explain_fault(p, whole);
    FL_ASSERT(st != FL_OK || p->stack_count == 0);
    fragment->parameter_count = p->parameter_count;
    fl_sql_parser_drop(p);
    return st;
}

static fl_status try_select(parser *p)
{
    fl_ast_select select = {0};
    return fl_sql_parse_select_list(p, &select);
}

fl_status fl_sql_fragment_select(fl_sql_fragment *fragment, fl_ast_select *ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_select_list(&p, ret);
    return end(&p, fragment, try_select, "\",\" or the end of the list", st);
}

static fl_status try_items(parser *p)
{
    fl_ast_item *items;
    int32_t count;
    return fl_sql_parse_items(p, &items, &count);
}

fl_status fl_sql_fragment_items(fl_sql_fragment *fragment, fl_ast_item **ret, int32_t *ret_count, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_items(&p, ret, ret_count);
    return end(&p, fragment, try_items, "\",\" or the end of the list", st);
}

fl_status fl_sql_parse_whole_piece(fl_sql_fragment *fragment, fl_status (*parse)(parser *p, void *ret),
                                   fl_sql_whole whole, const char *expected, void *ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = parse(&p, ret);
    return end(&p, fragment, whole, expected, st);
}

static fl_status parse_groups(parser *p, void *ret)
{
    return fl_sql_parse_group(p, ret);
}

static fl_status try_groups(parser *p)
{
    fl_ast_select select = {0};
    return fl_sql_parse_group(p, &select);
}

fl_status fl_sql_fragment_groups(fl_sql_fragment *fragment, fl_ast_select *ret, fl_err *err)
{
    return fl_sql_parse_whole_piece(fragment, parse_groups, try_groups, "\",\" or the end of the keys", ret, err);
}

static fl_status parse_windows(parser *p, void *ret)
{
    fl_ast_select *select = ret;
    return fl_sql_parse_windows(p, &select->windows, &select->window_count);
}

static fl_status try_windows(parser *p)
{
    fl_ast_select select = {0};
    return parse_windows(p, &select);
}

fl_status fl_sql_fragment_windows(fl_sql_fragment *fragment, fl_ast_select *ret, fl_err *err)
{
    return fl_sql_parse_whole_piece(fragment, parse_windows, try_windows, "\",\" or the end of the windows", ret, err);
}

static fl_status parse_sample(parser *p, void *ret)
{
    return fl_sql_parse_sample(p, ret);
}

static fl_status try_sample(parser *p)
{
    fl_ast_sample *sample;
    return fl_sql_parse_sample(p, &sample);
}

fl_status fl_sql_fragment_sample(fl_sql_fragment *fragment, fl_ast_sample **ret, fl_err *err)
{
    return fl_sql_parse_whole_piece(fragment, parse_sample, try_sample, "the end of the sample", (void *)ret, err);
}

static fl_status parse_copy_options(parser *p, void *ret)
{
    return fl_sql_parse_copy_options(p, ret);
}

static fl_status try_copy_options(parser *p)
{
    fl_ast_copy copy = {0};
    return fl_sql_parse_copy_options(p, &copy);
}

fl_status fl_sql_fragment_copy_options(fl_sql_fragment *fragment, fl_ast_copy *ret, fl_err *err)
{
    return fl_sql_parse_whole_piece(fragment, parse_copy_options, try_copy_options, "the end of the options", ret, err);
}

static fl_status parse_type(parser *p, void *ret)
{
    return fl_sql_parse_type(p, ret);
}

static fl_status try_type(parser *p)
{
    fl_ast_type *type;
    return fl_sql_parse_type(p, &type);
}

fl_status fl_sql_fragment_type(fl_sql_fragment *fragment, fl_ast_type **ret, fl_err *err)
{
    return fl_sql_parse_whole_piece(fragment, parse_type, try_type, "the end of the type", (void *)ret, err);
}

static fl_status parse_keys(parser *p, void *ret)
{
    return fl_sql_parse_pivot_keys(p, ret);
}

static fl_status try_keys(parser *p)
{
    fl_ast_pivot pivot = {0};
    return fl_sql_parse_pivot_keys(p, &pivot);
}

fl_status fl_sql_fragment_pivot_keys(fl_sql_fragment *fragment, fl_ast_pivot *ret, fl_err *err)
{
    return fl_sql_parse_whole_piece(fragment, parse_keys, try_keys, "\",\" or the end of the keys", ret, err);
}

static fl_status parse_usings(parser *p, void *ret)
{
    return fl_sql_parse_pivot_usings(p, ret);
}

static fl_status try_usings(parser *p)
{
    fl_ast_pivot pivot = {0};
    return fl_sql_parse_pivot_usings(p, &pivot);
}

fl_status fl_sql_fragment_pivot_usings(fl_sql_fragment *fragment, fl_ast_pivot *ret, fl_err *err)
{
    return fl_sql_parse_whole_piece(fragment, parse_usings, try_usings, "\",\" or the end of the list", ret, err);
}

static fl_status parse_names(parser *p, void *ret)
{
    return fl_sql_parse_value_names(p, ret);
}

static fl_status try_names(parser *p)
{
    fl_ast_unpivot unpivot = {0};
    return fl_sql_parse_value_names(p, &unpivot);
}

fl_status fl_sql_fragment_value_names(fl_sql_fragment *fragment, fl_ast_unpivot *ret, fl_err *err)
{
    return fl_sql_parse_whole_piece(fragment, parse_names, try_names, "\",\" or the end of the names", ret, err);
}

static fl_status try_condition(parser *p)
{
    fl_ast_expr *condition;
    return fl_sql_parse_expr(p, &condition);
}

fl_status fl_sql_fragment_condition(fl_sql_fragment *fragment, fl_ast_expr **ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_expr(&p, ret);
    return end(&p, fragment, try_condition, "the end of the condition", st);
}

static fl_status try_order(parser *p)
{
    fl_ast_query query = {0};
    return fl_sql_parse_order(p, &query);
}

fl_status fl_sql_fragment_order(fl_sql_fragment *fragment, fl_ast_query *ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_order(&p, ret);
    return end(&p, fragment, try_order, "\",\" or the end of the keys", st);
}

static fl_status try_table(parser *p)
{
    fl_ast_table *table;
    return fl_sql_parse_table_primary(p, &table);
}

fl_status fl_sql_fragment_table(fl_sql_fragment *fragment, fl_ast_table **ret, fl_err *err)
{
    parser p;
    fl_status st = fl_sql_fragment_begin(&p, fragment, err);
    if (st == FL_OK)
        st = fl_sql_parse_table_primary(&p, ret);
    return end(&p, fragment, try_table, "the end of the table's name", st);
}
