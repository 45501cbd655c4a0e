/* ATTACH, DETACH and USE. */
#include "front/sql/parse.h"

/* [DATABASE] [IF NOT EXISTS] ':memory:' AS name */
fl_status fl_sql_parse_attach(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_database *database;
    fl_str place;
    statement->kind = FL_AST_ATTACH;
    FL_TRY(NEW(p, &database));
    statement->database = database;
    advance(p);
    accept_word(p, FL_KW_DATABASE);
    FL_TRY(fl_sql_parse_if_not_exists(p, &database->if_not_exists));
    int32_t at = p->now->start;
    FL_TRY(fl_sql_parse_string(p, "':memory:', the place of a database in memory", &place));
    if (!fl_str_is_equal_nocase(place, FL_STR(":memory:")))
        return fl_sql_fail_unsupported(p, at, "attaching a file is",
                                       "ATTACH ':memory:' AS name makes a database in memory; IMPORT DATABASE reads a "
                                       "folder that EXPORT DATABASE wrote");
    FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
    FL_TRY(fl_sql_parse_name(p, "the database's name", &database->name));
    if (is_at(p, FL_SQL_LEFT_PAREN))
        return fl_sql_fail_unsupported(p, p->now->start, "options of ATTACH are", "leave them out");
cleanup:
    return st;
}

fl_status fl_sql_parse_detach(parser *p, fl_ast_statement *statement)
{
    statement->kind = FL_AST_DETACH;
    fl_status st = NEW(p, &statement->database);
    if (st != FL_OK)
        return st;
    advance(p);
    accept_word(p, FL_KW_DATABASE);
    statement->database->if_exists = fl_sql_accept_if_exists(p);
    return fl_sql_parse_name(p, "the database's name", &statement->database->name);
}

/* database, schema, database.schema */
fl_status fl_sql_parse_use(parser *p, fl_ast_statement *statement)
{
    statement->kind = FL_AST_USE;
    advance(p);
    fl_status st = fl_sql_parse_path(p, "a database's or schema's name", &statement->use);
    if (st == FL_OK && statement->use.count > 2)
        st = fl_sql_fail_at(p, statement->use.parts[2].start, FL_ERR_SYNTAX, "USE takes a database and a schema");
    return st;
}
