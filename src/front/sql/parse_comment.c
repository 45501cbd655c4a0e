/* COMMENT ON. */
#include "front/sql/parse.h"

static const struct {
    const char *word;
    fl_ast_object object;
} objects[] = {
    {"table", FL_AST_OBJECT_TABLE},       {"view", FL_AST_OBJECT_VIEW},      {"column", FL_AST_OBJECT_COLUMN},
    {"sequence", FL_AST_OBJECT_SEQUENCE}, {"schema", FL_AST_OBJECT_SCHEMA},  {"index", FL_AST_OBJECT_INDEX},
    {"macro", FL_AST_OBJECT_MACRO},       {"function", FL_AST_OBJECT_MACRO}, {"type", FL_AST_OBJECT_TYPE},
};

/* Behind COMMENT: ON object name IS { 'text' | NULL } */
fl_status fl_sql_parse_comment(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_comment *comment;
    int64_t at = 0;
    statement->kind = FL_AST_COMMENT;
    FL_TRY(NEW(p, &comment));
    statement->comment = comment;
    advance(p);
    FL_TRY(fl_sql_expect_word(p, FL_KW_ON));
    while (at < FL_LEN(objects) && !fl_sql_is_said(p, p->now, objects[at].word))
        at++;
    if (at == FL_LEN(objects))
        return fl_sql_fail_expected(p, "TABLE, VIEW, COLUMN, SEQUENCE, SCHEMA, INDEX, TYPE or MACRO");
    comment->object = objects[at].object;
    advance(p);
    if (comment->object == FL_AST_OBJECT_MACRO)
        comment->is_table_macro = accept_word(p, FL_KW_TABLE);
    FL_TRY(fl_sql_parse_path(p, "a name", &comment->path));
    if (comment->object == FL_AST_OBJECT_COLUMN && comment->path.count < 2)
        return fl_sql_fail_expected(p, "\".\" and a column's name");
    FL_TRY(fl_sql_expect_word(p, FL_KW_IS));
    comment->is_null = accept_word(p, FL_KW_NULL);
    if (!comment->is_null)
        FL_TRY(fl_sql_parse_string(p, "the comment, a string, or NULL", &comment->text));
    comment->is_null |= comment->text.len == 0;
cleanup:
    return st;
}
