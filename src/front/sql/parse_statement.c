/* Statements: which one begins here; and the small ones (SET, SHOW, EXPLAIN, PREPARE, ...). */
#include "front/sql/ast_make.h"
#include "front/sql/parse.h"

/* ---- what is refused by name ---- */

static const char no_transactions[] =
    "each statement takes effect as a whole or not at all; for several changes at once write one statement";

static const struct {
    uint16_t keyword;
    const char *what;
    const char *instead;
} refused[] = {
    {FL_KW_BEGIN, "transactions are", no_transactions},
    {FL_KW_START, "transactions are", no_transactions},
    {FL_KW_COMMIT, "transactions are", no_transactions},
    {FL_KW_ROLLBACK, "transactions are", no_transactions},
    {FL_KW_ABORT, "transactions are", no_transactions},
    {FL_KW_SAVEPOINT, "transactions are", no_transactions},
    {FL_KW_END, "transactions are", no_transactions},
    {FL_KW_CALL, "CALL is", "write SELECT f(…), or SELECT * FROM f(…)"},
    {FL_KW_GRANT, "GRANT is", "there are no roles: who can run the program can read what it can read"},
    {FL_KW_REVOKE, "REVOKE is", "there are no roles: who can run the program can read what it can read"},
    {FL_KW_VACUUM, "VACUUM is", "leave it out: there is nothing to clean up"},
    {FL_KW_INSTALL, "INSTALL is", "there are no extensions: Parquet, CSV, JSON and Arrow are built in"},
    {FL_KW_LOAD, "LOAD is", "there are no extensions: Parquet, CSV, JSON and Arrow are built in"},
    {FL_KW_LOCK, "LOCK is", "leave it out: statements that change tables take turns"},
    {FL_KW_CHECKPOINT, "CHECKPOINT is", "leave it out: tables live in memory"},
};

/* ---- settings ---- */

/* A setting's name may have dots; it is kept as one text. */
static fl_status parse_setting_name(parser *p, fl_ast_name *ret)
{
    fl_status st = FL_OK;
    fl_ast_path path;
    if (is_word(p, FL_KW_TIME) && ahead(p, 1)->keyword == FL_KW_ZONE) { /* SET TIME ZONE */
        ret->text = FL_STR("timezone");
        ret->start = p->now->start;
        advance(p);
        advance(p);
        ret->end = end_before(p);
        return FL_OK;
    }
    FL_TRY(fl_sql_parse_path(p, "a setting's name", &path));
    *ret = path.parts[0];
    if (path.count > 1) {
        ret->end = path.parts[path.count - 1].end;
        ret->text = text_between(p, ret->start, ret->end);
    }
cleanup:
    return st;
}

/* A constant, or a word that stands for the string of its letters. */
static fl_status parse_setting_value(parser *p, fl_ast_expr **ret)
{
    fl_status st = FL_OK;
    fl_sql_keyword word = (fl_sql_keyword)p->now->keyword;
    bool is_constant = word == FL_KW_TRUE || word == FL_KW_FALSE || word == FL_KW_NULL || word == FL_KW_INTERVAL;
    if (!is_at(p, FL_SQL_WORD) || is_constant)
        return fl_sql_parse_expr(p, ret);
    FL_TRY(fl_sql_new_expr(p, FL_AST_STRING, p->now->start, ret));
    (*ret)->text = text_of(p, p->now);
    (*ret)->end = p->now->end;
    advance(p);
cleanup:
    return st;
}

static bool is_variable(const parser *p)
{
    return fl_sql_is_said(p, ahead(p, 1), "variable") && fl_sql_is_name_token(ahead(p, 2)) &&
           ahead(p, 2)->keyword != FL_KW_TO;
}

/* SET VARIABLE name { = | TO } expression, RESET VARIABLE name */
static fl_status parse_variable(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_expr *value;
    bool is_set = is_word(p, FL_KW_SET);
    FL_TRY(NEW(p, &statement->variable));
    statement->kind = is_set ? FL_AST_SET_VARIABLE : FL_AST_RESET_VARIABLE;
    advance(p);
    advance(p);
    FL_TRY(fl_sql_parse_name(p, "a variable's name", &statement->variable->name));
    if (!is_set)
        return FL_OK;
    if (!accept(p, FL_SQL_EQUAL) && !accept_word(p, FL_KW_TO))
        return fl_sql_fail_expected(p, "\"=\" or TO");
    int32_t start = p->now->start;
    FL_TRY(fl_sql_parse_expr(p, &value));
    fl_ast_maker m = fl_sql_maker(p->arena, start, end_before(p), p->err);
    fl_ast_item item = {.expr = value};
    statement->variable->query = fl_sql_make_query(&m, &item, 1, NULL);
    st = m.st;
cleanup:
    return st;
}

/* SET [SESSION | LOCAL] name { = | TO } value [, ...] */
static fl_status parse_set(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_setting *setting;
    int64_t mark = p->stack_count;
    statement->kind = FL_AST_SET;
    advance(p);
    if (is_word(p, FL_KW_TRANSACTION) || (is_word(p, FL_KW_SESSION) && ahead(p, 1)->keyword == FL_KW_CHARACTER))
        return fl_sql_fail_unsupported(p, p->now->start, "transactions are", no_transactions);
    if ((is_word(p, FL_KW_SESSION) || is_word(p, FL_KW_LOCAL) || is_word(p, FL_KW_GLOBAL)) &&
        ahead(p, 1)->kind == FL_SQL_WORD && ahead(p, 1)->keyword != FL_KW_TO)
        advance(p);
    FL_TRY(NEW(p, &setting));
    statement->setting = setting;
    bool is_zone = is_word(p, FL_KW_TIME);
    FL_TRY(parse_setting_name(p, &setting->name));
    if (!accept(p, FL_SQL_EQUAL) && !accept_word(p, FL_KW_TO) && !is_zone)
        return fl_sql_fail_expected(p, "\"=\" or TO");
    if (accept_word(p, FL_KW_DEFAULT)) {
        statement->kind = FL_AST_RESET;
        return FL_OK;
    }
    do {
        fl_ast_expr *value;
        FL_TRY(parse_setting_value(p, &value));
        FL_TRY(fl_sql_push(p, value));
    } while (accept(p, FL_SQL_COMMA));
    FL_TRY(fl_sql_pop_list(p, mark, &setting->values, &setting->value_count));
cleanup:
    return st;
}

/* RESET name, DEALLOCATE [PREPARE] name; ALL leaves the name empty. */
static fl_status parse_named_setting(parser *p, fl_ast_statement *statement, fl_ast_statement_kind kind)
{
    statement->kind = kind;
    advance(p);
    if (kind == FL_AST_DEALLOCATE)
        accept_word(p, FL_KW_PREPARE);
    fl_status st = NEW(p, &statement->setting);
    if (st != FL_OK || accept_word(p, FL_KW_ALL))
        return st;
    return parse_setting_name(p, &statement->setting->name);
}

/* KILL id, as SHOW queries tells it. */
static fl_status parse_kill(parser *p, fl_ast_statement *statement)
{
    statement->kind = FL_AST_KILL;
    advance(p);
    if (!is_at(p, FL_SQL_INTEGER))
        return fl_sql_fail_expected(p, "the id of a statement, as SHOW queries tells it");
    fl_status st = NEW(p, &statement->setting);
    if (st != FL_OK)
        return st;
    statement->setting->name.text = text_of(p, p->now);
    statement->setting->name.start = p->now->start;
    advance(p);
    statement->setting->name.end = end_before(p);
    return FL_OK;
}

static fl_status parse_describe(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    statement->kind = FL_AST_DESCRIBE;
    advance(p);
    if (fl_sql_is_query_start(p) && !is_word(p, FL_KW_TABLE))
        return fl_sql_parse_query(p, &statement->describe);
    accept_word(p, FL_KW_TABLE);
    FL_TRY(fl_sql_parse_table_primary(p, &table));
    FL_TRY(fl_sql_query_of_table(p, table, &statement->describe));
cleanup:
    return st;
}

/* PRAGMA name(arguments) is the query of the table function pragma_name, PRAGMA name = value is SET. */
static fl_status parse_pragma(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    fl_str name;
    if (ahead(p, 2)->kind == FL_SQL_EQUAL)
        return parse_set(p, statement);
    advance(p);
    FL_TRY(fl_sql_parse_table_primary(p, &table));
    if (table->kind == FL_AST_TABLE_NAME) { /* no parentheses */
        fl_ast_call *call = NULL;
        FL_TRY(NEW(p, &call));
        call->path = table->path;
        table->kind = FL_AST_TABLE_FUNCTION;
        table->call = call;
    }
    if (table->kind != FL_AST_TABLE_FUNCTION)
        return fl_sql_fail_at(p, table->start, FL_ERR_SYNTAX, "expected the name of a pragma, as table_info('t')");
    fl_ast_name *last = &table->call->path.parts[table->call->path.count - 1];
    FL_TRY(fl_arena_format(p->arena, &name, p->err, "pragma_%.*s", FL_STR_ARG(last->text)));
    last->text = name;
    statement->kind = FL_AST_QUERY;
    FL_TRY(fl_sql_query_of_table(p, table, &statement->query));
cleanup:
    return st;
}

static fl_status parse_analyze(parser *p, fl_ast_statement *statement)
{
    statement->kind = FL_AST_ANALYZE;
    advance(p);
    if (p->now->kind == FL_SQL_END || p->now->kind == FL_SQL_SEMICOLON)
        return FL_OK;
    return fl_sql_parse_path(p, "a table's name", &statement->analyze);
}

static fl_status parse_show(parser *p, fl_ast_statement *statement)
{
    fl_sql_token_kind after = (fl_sql_token_kind)ahead(p, 2)->kind;
    bool is_last = after == FL_SQL_END || after == FL_SQL_SEMICOLON;
    if (ahead(p, 1)->keyword == FL_KW_TABLES && is_last) {
        statement->kind = FL_AST_SHOW_TABLES;
        advance(p);
        advance(p);
        return FL_OK;
    }
    if (ahead(p, 1)->keyword == FL_KW_ALL && ahead(p, 2)->keyword == FL_KW_TABLES) {
        statement->kind = FL_AST_SHOW_TABLES;
        advance(p);
        advance(p);
        advance(p);
        return FL_OK;
    }
    return parse_named_setting(p, statement, FL_AST_SHOW);
}

/* ---- EXPLAIN ---- */

/* ON, OFF, TRUE, FALSE, 1, 0 behind an option; nothing means on. */
static bool parse_switch(parser *p)
{
    fl_str word = text_of(p, p->now);
    if (is_at(p, FL_SQL_COMMA) || is_at(p, FL_SQL_RIGHT_PAREN) || is_at(p, FL_SQL_END))
        return true;
    advance(p);
    return !fl_str_is_equal_nocase(word, FL_STR("off")) && !fl_str_is_equal_nocase(word, FL_STR("false")) &&
           !fl_str_is_equal_nocase(word, FL_STR("0"));
}

static fl_status parse_explain_option(parser *p, fl_ast_explain *explain)
{
    fl_str word = text_of(p, p->now);
    if (accept_word(p, FL_KW_ANALYZE)) {
        explain->is_analyze = parse_switch(p);
    } else if (is_at(p, FL_SQL_WORD) && fl_str_is_equal_nocase(word, FL_STR("properties"))) {
        advance(p);
        explain->has_properties = parse_switch(p);
    } else if (is_at(p, FL_SQL_WORD) && fl_str_is_equal_nocase(word, FL_STR("costs"))) {
        advance(p);
        explain->has_costs = parse_switch(p);
    } else if (is_at(p, FL_SQL_WORD) && fl_str_is_equal_nocase(word, FL_STR("memo"))) {
        advance(p);
        explain->has_memo = parse_switch(p);
    } else if (is_at(p, FL_SQL_WORD) && fl_str_is_equal_nocase(word, FL_STR("why"))) {
        advance(p);
        if (accept_word(p, FL_KW_NOT))
            return fl_sql_parse_name(p, "a rule's name", &explain->why_not);
        explain->has_provenance = parse_switch(p);
    } else if (is_at(p, FL_SQL_WORD) && fl_str_is_equal_nocase(word, FL_STR("format"))) {
        advance(p);
        fl_str format = text_of(p, p->now);
        if (fl_str_is_equal_nocase(format, FL_STR("json")))
            explain->format = FL_AST_FORMAT_JSON;
        else if (fl_str_is_equal_nocase(format, FL_STR("text")))
            explain->format = FL_AST_FORMAT_TEXT;
        else
            return fl_sql_fail_expected(p, "TEXT or JSON");
        advance(p);
    } else {
        return fl_sql_fail_expected(p, "ANALYZE, COSTS, FORMAT, MEMO, PROPERTIES, WHY or WHY NOT");
    }
    return FL_OK;
}

static fl_status parse_explain(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_explain *explain;
    FL_TRY(fl_sql_enter(p));
    statement->kind = FL_AST_EXPLAIN;
    FL_TRY(NEW(p, &explain));
    statement->explain = explain;
    advance(p);
    explain->is_analyze = accept_word(p, FL_KW_ANALYZE);
    accept_word(p, FL_KW_VERBOSE);
    if (is_at(p, FL_SQL_LEFT_PAREN) && !fl_sql_is_query_start(p)) {
        advance(p);
        do {
            FL_TRY(parse_explain_option(p, explain));
        } while (accept(p, FL_SQL_COMMA));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    }
    int32_t at = p->now->start;
    FL_TRY(fl_sql_parse_statement(p, &explain->statement));
    switch (explain->statement->kind) {
    case FL_AST_QUERY:
    case FL_AST_INSERT:
    case FL_AST_UPDATE:
    case FL_AST_DELETE:
    case FL_AST_MERGE:
    case FL_AST_CREATE_TABLE:
    case FL_AST_EXECUTE:
    case FL_AST_COPY_TO:
    case FL_AST_COPY_FROM:
        break;
    default:
        fl_sql_fail_at(p, at, FL_ERR_UNSUPPORTED,
                       "EXPLAIN explains queries, INSERT, UPDATE, DELETE, MERGE, COPY and CREATE TABLE AS");
        fl_err_hint(p->err, "run the statement alone: it has no plan");
        return FL_ERR_UNSUPPORTED;
    }
    p->depth--;
cleanup:
    return st;
}

/* ---- prepared statements ---- */

static fl_status parse_prepare(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_prepare *prepare;
    int64_t mark = p->stack_count;
    FL_TRY(fl_sql_enter(p));
    statement->kind = FL_AST_PREPARE;
    FL_TRY(NEW(p, &prepare));
    statement->prepare = prepare;
    advance(p);
    FL_TRY(fl_sql_parse_name(p, "a name for the prepared statement", &prepare->name));
    if (accept(p, FL_SQL_LEFT_PAREN)) {
        do {
            fl_ast_type *type;
            FL_TRY(fl_sql_parse_type(p, &type));
            FL_TRY(fl_sql_push(p, type));
        } while (accept(p, FL_SQL_COMMA));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
        FL_TRY(fl_sql_pop_list(p, mark, &prepare->types, &prepare->type_count));
    }
    FL_TRY(fl_sql_expect_word(p, FL_KW_AS));
    int32_t at = p->now->start;
    FL_TRY(fl_sql_parse_statement(p, &prepare->statement));
    prepare->statement->end = end_before(p);
    prepare->statement->parameter_count = p->parameter_count;
    prepare->statement->parameter_names = p->parameter_names;
    prepare->statement->has_rowid = p->has_rowid;
    switch (prepare->statement->kind) {
    case FL_AST_QUERY:
    case FL_AST_INSERT:
    case FL_AST_UPDATE:
    case FL_AST_DELETE:
    case FL_AST_MERGE:
        break;
    default:
        fl_sql_fail_at(p, at, FL_ERR_UNSUPPORTED, "what can be prepared: queries, INSERT, UPDATE, DELETE and MERGE");
        fl_err_hint(p->err, "run the statement without PREPARE: it takes no parameters");
        return FL_ERR_UNSUPPORTED;
    }
    p->depth--;
cleanup:
    return st;
}

static fl_status parse_execute(parser *p, fl_ast_statement *statement)
{
    fl_status st = FL_OK;
    fl_ast_execute *execute;
    statement->kind = FL_AST_EXECUTE;
    FL_TRY(NEW(p, &execute));
    statement->execute = execute;
    advance(p);
    FL_TRY(fl_sql_parse_name(p, "the name of a prepared statement", &execute->name));
    if (accept(p, FL_SQL_LEFT_PAREN)) {
        if (!is_at(p, FL_SQL_RIGHT_PAREN))
            FL_TRY(fl_sql_parse_args(p, &execute->args, &execute->arg_count));
        FL_TRY(fl_sql_expect(p, FL_SQL_RIGHT_PAREN, "\",\" or \")\""));
    }
cleanup:
    return st;
}

/* ---- which one ---- */

/* Whether behind WITH and its table expressions a change of rows stands. */
static bool is_change_behind_with(const parser *p)
{
    int32_t depth = 0;
    if (!is_word(p, FL_KW_WITH))
        return false;
    for (const fl_sql_token *token = p->now; token->kind != FL_SQL_END && token->kind != FL_SQL_SEMICOLON; token++) {
        depth += (token->kind == FL_SQL_LEFT_PAREN) - (token->kind == FL_SQL_RIGHT_PAREN);
        if (depth > 0)
            continue;
        if (token->keyword == FL_KW_SELECT || token->keyword == FL_KW_FROM)
            return false;
        if (fl_sql_is_change(p, token))
            return true;
    }
    return false;
}

fl_status fl_sql_parse_statement(parser *p, fl_ast_statement **ret)
{
    fl_status st = FL_OK;
    fl_ast_statement *statement;
    FL_TRY(NEW(p, &statement));
    statement->start = p->now->start;
    if (is_change_behind_with(p)) {
        fl_ast_query *with;
        FL_TRY(NEW(p, &with));
        advance(p);
        FL_TRY(fl_sql_parse_ctes(p, with));
        int32_t start = statement->start;
        FL_TRY(fl_sql_parse_change(p, with, statement));
        statement->start = start;
    } else if (fl_sql_is_query_start(p)) {
        statement->kind = FL_AST_QUERY;
        FL_TRY(fl_sql_parse_query(p, &statement->query));
    } else {
        switch ((fl_sql_keyword)p->now->keyword) {
        case FL_KW_CREATE:
            FL_TRY(fl_sql_parse_create(p, statement));
            break;
        case FL_KW_DROP:
            FL_TRY(fl_sql_parse_drop(p, statement));
            break;
        case FL_KW_INSERT:
            FL_TRY(fl_sql_parse_insert(p, statement));
            break;
        case FL_KW_UPDATE:
            FL_TRY(fl_sql_parse_update(p, statement));
            break;
        case FL_KW_DELETE:
        case FL_KW_TRUNCATE:
            FL_TRY(fl_sql_parse_delete(p, statement));
            break;
        case FL_KW_ALTER:
            FL_TRY(fl_sql_parse_alter(p, statement));
            break;
        case FL_KW_MERGE:
            FL_TRY(fl_sql_parse_merge(p, statement));
            break;
        case FL_KW_SET:
            FL_TRY(is_variable(p) ? parse_variable(p, statement) : parse_set(p, statement));
            break;
        case FL_KW_PRAGMA:
            FL_TRY(parse_pragma(p, statement));
            break;
        case FL_KW_RESET:
            FL_TRY(is_variable(p) ? parse_variable(p, statement) : parse_named_setting(p, statement, FL_AST_RESET));
            break;
        case FL_KW_DEALLOCATE:
            FL_TRY(parse_named_setting(p, statement, FL_AST_DEALLOCATE));
            break;
        case FL_KW_KILL:
            FL_TRY(parse_kill(p, statement));
            break;
        case FL_KW_SHOW:
            FL_TRY(parse_show(p, statement));
            break;
        case FL_KW_DESCRIBE:
        case FL_KW_DESC:
            FL_TRY(parse_describe(p, statement));
            break;
        case FL_KW_ANALYZE:
            FL_TRY(parse_analyze(p, statement));
            break;
        case FL_KW_EXPLAIN:
            FL_TRY(parse_explain(p, statement));
            break;
        case FL_KW_PREPARE:
            FL_TRY(parse_prepare(p, statement));
            break;
        case FL_KW_EXECUTE:
            FL_TRY(parse_execute(p, statement));
            break;
        case FL_KW_COMMENT:
            FL_TRY(fl_sql_parse_comment(p, statement));
            break;
        case FL_KW_ATTACH:
            FL_TRY(fl_sql_parse_attach(p, statement));
            break;
        case FL_KW_DETACH:
            FL_TRY(fl_sql_parse_detach(p, statement));
            break;
        case FL_KW_USE:
            FL_TRY(fl_sql_parse_use(p, statement));
            break;
        case FL_KW_COPY:
            FL_TRY(fl_sql_parse_copy(p, statement));
            break;
        case FL_KW_EXPORT:
        case FL_KW_IMPORT:
            FL_TRY(fl_sql_parse_export(p, statement));
            break;
        default:
            for (int64_t i = 0; i < FL_LEN(refused); i++)
                if (is_word(p, (fl_sql_keyword)refused[i].keyword))
                    return fl_sql_fail_unsupported(p, p->now->start, refused[i].what, refused[i].instead);
            return fl_sql_fail_expected(p, "a statement (SELECT, FROM, INSERT, CREATE, ...)");
        }
    }
    statement->end = end_before(p);
    *ret = statement;
cleanup:
    return st;
}
