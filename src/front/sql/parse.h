/* What the parts of the parser share: looking at tokens, naming faults, building lists. Private to the parse*.c files.
 *
 * A list under way is a run of pointers on the parser's stack: mark the height, push, then move the run to the arena.
 * Lists nest as the calls do. On failure the stack is cut by the next statement. */
#ifndef FL_FRONT_SQL_PARSE_H
#define FL_FRONT_SQL_PARSE_H

#include "front/sql/parser.h"

typedef fl_sql_parser parser;

#define NEW(p, ret) FL_NEW((p)->arena, (ret), (p)->err)

/* ---- tokens ---- */

static inline bool is_at(const parser *p, fl_sql_token_kind kind)
{
    return p->now->kind == kind;
}

static inline bool is_word(const parser *p, fl_sql_keyword keyword)
{
    return p->now->keyword == keyword;
}

static inline void advance(parser *p)
{
    p->now++;
}

/* The token n places on; the last one when there are fewer. */
static inline const fl_sql_token *ahead(const parser *p, int64_t n)
{
    int64_t at = p->now - p->tokens + n;
    return &p->tokens[at < p->token_count ? at : p->token_count - 1];
}

static inline bool accept(parser *p, fl_sql_token_kind kind)
{
    if (p->now->kind != kind)
        return false;
    p->now++;
    return true;
}

static inline bool accept_word(parser *p, fl_sql_keyword keyword)
{
    if (p->now->keyword != keyword)
        return false;
    p->now++;
    return true;
}

/* End of the last token taken. */
static inline int32_t end_before(const parser *p)
{
    return p->now > p->tokens ? p->now[-1].end : p->now->start;
}

/* The text between two places. */
static inline fl_str text_between(const parser *p, int32_t start, int32_t end)
{
    return (fl_str){p->lexer.text.data + (start - p->base), end - start};
}

static inline fl_str text_of(const parser *p, const fl_sql_token *token)
{
    return text_between(p, token->start, token->end);
}

/* ---- parser.c ---- */

/** Reads the tokens of a fragment into a fresh parser, to be dropped in any case. */
fl_status fl_sql_fragment_begin(parser *p, const fl_sql_fragment *fragment, fl_err *err);

/** Fails at a place in the text. */
fl_status fl_sql_fail_at(parser *p, int32_t at, fl_status code, const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));

/** Fails at the current token, and notes it as the fault: `expected` is a phrase ("a table name"). */
fl_status fl_sql_fail_expected(parser *p, const char *expected) __attribute__((cold));

/** Fails with "<what> not supported yet" at a place; `what` brings its verb ("window functions are"), `instead` is the
 *  hint: what to write that works. */
fl_status fl_sql_fail_unsupported(parser *p, int32_t at, const char *what, const char *instead) __attribute__((cold));

/** Fails at the current token, an operator that fletch has not, with what to write instead. */
fl_status fl_sql_fail_operator(parser *p) __attribute__((cold));

fl_status fl_sql_expect(parser *p, fl_sql_token_kind kind, const char *what);
fl_status fl_sql_expect_word(parser *p, fl_sql_keyword keyword);

/** Goes one level down; FL_ERR_LIMIT when there are too many. Undone by p->depth--, which a failure does not need. */
fl_status fl_sql_enter(parser *p);

/** Fails with 54001 at a place that is one level too deep. */
fl_status fl_sql_fail_deep(parser *p, int32_t at) __attribute__((cold));

fl_status fl_sql_push(parser *p, void *item);

/** Moves the items pushed since `mark` into the arena as an array of pointers. */
fl_status fl_sql_pop_list(parser *p, int64_t mark, void *ret_items, int32_t *ret_count);

/** The same for structs of `bytes` each: the pointed-to values are copied side by side. */
fl_status fl_sql_pop_values(parser *p, int64_t mark, int64_t bytes, void *ret_items, int32_t *ret_count);

/** Behind a comma: whether it was a trailing one, because the list plainly ends here. */
bool fl_sql_is_list_end(const parser *p);

/** Whether the current token can be a name (quoted, or a word that is not reserved). */
bool fl_sql_is_name(const parser *p);
bool fl_sql_is_name_token(const fl_sql_token *token);

/** `what` is for the message: "a table name". */
fl_status fl_sql_parse_name(parser *p, const char *what, fl_ast_name *ret);

/** Any word will do, reserved or not: behind AS and behind a dot. */
fl_status fl_sql_parse_label(parser *p, const char *what, fl_ast_name *ret);

/** [AS] alias; empty when there is none. */
fl_status fl_sql_parse_alias(parser *p, fl_ast_name *ret);

/** a.b.c */
fl_status fl_sql_parse_path(parser *p, const char *what, fl_ast_path *ret);

/** A collation's name, which may have points in it. */
fl_status fl_sql_parse_collation(parser *p, fl_ast_name *ret);

/** a, b, c: at least one; what: for the error where there is none. */
fl_status fl_sql_parse_names(parser *p, const char *what, fl_ast_name **ret, int32_t *ret_count);

/** (a, b, c), parentheses included. */
fl_status fl_sql_parse_name_list(parser *p, fl_ast_name **ret, int32_t *ret_count);

/** Takes the current token, a word, string, number or blob, and gives its value. */
fl_status fl_sql_parse_value(parser *p, fl_str *ret);
fl_status fl_sql_parse_string(parser *p, const char *what, fl_str *ret);
fl_status fl_sql_parse_type(parser *p, fl_ast_type **ret);

/** Writes the keyword in capitals, terminated; gives `upper` back. */
const char *fl_sql_keyword_upper(fl_sql_keyword keyword, char upper[32]);

/* ---- parse_guess.c ---- */

/** Parses all that the parser has tokens of; for trials. */
typedef fl_status (*fl_sql_whole)(parser *p);

/** Behind a syntax error at p->fault: finds the form of another engine or the misspelt keyword, if one is to blame, and points the error at
 *  it, with a hint. Gives the error's code. */
fl_status fl_sql_explain_fault(parser *p, fl_sql_whole whole);

/** The first of these alone; FL_OK where there is none (parse_elsewhere.c). */
fl_status fl_sql_fail_elsewhere(parser *p);

/** The same for a name that parsed, at a place in the text: hints at a reserved word with which all parses as well. */
void fl_sql_guess_name(parser *p, fl_sql_whole whole, int32_t place);

/* ---- parse_expr.c ---- */

fl_status fl_sql_parse_expr(parser *p, fl_ast_expr **ret);

/** An expression without comparisons, AND, IN and the like: what may stand before IN and AND. */
fl_status fl_sql_parse_operand(parser *p, fl_ast_expr **ret);

/** Comma-separated, at least one, trailing comma allowed. */
fl_status fl_sql_parse_expr_list(parser *p, fl_ast_expr ***ret, int32_t *ret_count);

/** Comma-separated ORDER BY keys, behind BY. */
fl_status fl_sql_parse_order_list(parser *p, fl_ast_order **ret, int32_t *ret_count);

/** The same of a query, whose keys may have COLUMNS(...) in them. */
fl_status fl_sql_parse_query_order_list(parser *p, fl_ast_order **ret, int32_t *ret_count);

/** ASC, DESC, NULLS FIRST, NULLS LAST. */
fl_status fl_sql_parse_nulls_order(parser *p, fl_ast_order *order);

/** Whether what stands here, behind a left parenthesis, is a query rather than an expression. */
bool fl_sql_is_query_inside(parser *p);

/* ---- parse_grouping.c ---- */

/** Whether an element of GROUP BY begins here that makes several sets. */
bool fl_sql_is_grouping_sets(parser *p);
fl_status fl_sql_parse_grouping_sets(parser *p, fl_ast_expr **ret);

fl_status fl_sql_new_expr(parser *p, fl_ast_kind kind, int32_t start, fl_ast_expr **ret);

/** Sets the end to the last token taken and the height to one more than `below`. */
fl_status fl_sql_end_expr(parser *p, fl_ast_expr *expr, int32_t below);

/** The greater of a height and an expression's (NULL has none). */
static inline int32_t higher(int32_t height, const fl_ast_expr *expr)
{
    return expr != NULL && expr->height > height ? expr->height : height;
}

int32_t fl_sql_height_of(fl_ast_expr *const *items, int32_t count);

/* ---- parse_lambda.c ---- */

/** Whether the function takes a lambda behind its list, and whether one stands here. */
bool fl_sql_takes_lambda(fl_ast_path path);
bool fl_sql_is_lambda(const parser *p);

/** A lambda: its parameters and its body. */
fl_status fl_sql_parse_lambda(parser *p, fl_ast_arg *arg);

/** The expression that a call with a lambda stands for; the call has its end and height. */
fl_status fl_sql_expand_lambda(parser *p, const fl_ast_expr *call, fl_ast_expr **ret);

/* ---- parse_reduce.c ---- */

/** The same of list_reduce. */
fl_status fl_sql_expand_reduce(parser *p, const fl_ast_expr *call, fl_ast_expr **ret);

/* ---- parse_primary.c, parse_star.c, parse_call.c ---- */

/** Signs, a primary, and casts, indexes and fields behind it. */
fl_status fl_sql_parse_prefix(parser *p, fl_ast_expr **ret);

/** The asterisk stands here; `table` is what was before it and its dot. */
fl_status fl_sql_parse_star(parser *p, fl_ast_path table, int32_t start, fl_ast_expr **ret);

/** COLUMNS(...) and *COLUMNS(...): whether one stands here, and the node, which is noted in p->columns. */
bool fl_sql_is_columns(const parser *p);
fl_status fl_sql_parse_columns(parser *p, fl_ast_expr **ret);

/** A call's arguments and what follows them; the path is read, the left parenthesis stands here. */
fl_status fl_sql_parse_call(parser *p, fl_ast_path path, fl_ast_call **ret);
fl_status fl_sql_parse_call_expr(parser *p, fl_ast_path path, int32_t start, fl_ast_expr **ret);

/** Arguments apart by commas, at least one: `value`, `name := value`, `name => value`. */
fl_status fl_sql_parse_args(parser *p, fl_ast_arg **ret, int32_t *ret_count);

/** x.f(y), which is f(x, y): the path is f's, the left parenthesis stands here. */
fl_status fl_sql_parse_method_call(parser *p, fl_ast_path path, fl_ast_expr *first, fl_ast_expr **ret);

/** A call of a word that is no free name (LEFT, RIGHT) or needs no parentheses (CURRENT_DATE). */
fl_status fl_sql_parse_word_call(parser *p, fl_ast_expr **ret);

/** A call of a function that the grammar writes otherwise, `word`, with room for so many arguments. */
fl_status fl_sql_new_call(parser *p, const fl_sql_token *word, const char *name, int32_t arg_max, fl_ast_expr **ret);

/** EXTRACT, SUBSTRING, POSITION, TRIM, OVERLAY, where such a word and a parenthesis stand here; *ret stays as it is
 *  when the call is an ordinary one. */
fl_status fl_sql_parse_special_call(parser *p, fl_ast_expr **ret);

/* ---- parse_window.c ---- */

/** Behind OVER: a name, or a specification in parentheses. */
fl_status fl_sql_parse_over(parser *p, fl_ast_window **ret);

/** Behind WINDOW: name AS (...), comma-separated. */
fl_status fl_sql_parse_windows(parser *p, fl_ast_named_window **ret, int32_t *ret_count);

/* ---- parse_select.c, parse_table.c ---- */

/** Whether SUMMARIZE begins a query here; the word alone is a free name. */
bool fl_sql_is_summarize(const fl_sql_token *token);

/** Whether a query begins here, parentheses looked through. */
bool fl_sql_is_query_start(const parser *p);

/** WITH ... SELECT ... ORDER BY ... LIMIT ...; also VALUES, FROM-first, TABLE t. */
fl_status fl_sql_parse_query(parser *p, fl_ast_query **ret);

/** Behind WITH: the table expressions. */
fl_status fl_sql_parse_ctes(parser *p, fl_ast_query *query);

/** Behind SELECT: DISTINCT and the list. */
fl_status fl_sql_parse_select_list(parser *p, fl_ast_select *select);

/** `expr`, `expr AS name`, `expr name`, `name: expr`, `*`, comma-separated, at least one, trailing comma allowed. */
fl_status fl_sql_parse_items(parser *p, fl_ast_item **ret, int32_t *ret_count);

/** Behind GROUP BY: keys, ALL, ROLLUP and its kin. */
fl_status fl_sql_parse_group(parser *p, fl_ast_select *select);

/** Behind ORDER BY: keys, or ALL. */
fl_status fl_sql_parse_order(parser *p, fl_ast_query *query);

/** The list behind FROM: joins and commas as one tree. */
fl_status fl_sql_parse_from(parser *p, fl_ast_table **ret);

/** SELECT * FROM table, made for TABLE t and DESCRIBE t. */
fl_status fl_sql_query_of_table(parser *p, fl_ast_table *table, fl_ast_query **ret);

/* ---- parse_sample.c ---- */

/** Behind TABLESAMPLE or USING SAMPLE. */
fl_status fl_sql_parse_sample(parser *p, fl_ast_sample **ret);

/* ---- parse_search.c ---- */

/** SEARCH and CYCLE behind a table expression, if they stand there. */
fl_status fl_sql_parse_search(parser *p, bool is_recursive, fl_ast_cte *cte);

/* ---- parse_pivot.c ---- */

/** PIVOT or UNPIVOT as a statement or a query's body: SELECT * FROM it. */
fl_status fl_sql_parse_pivot(parser *p, fl_ast_query **ret);

/** Behind ON and USING of PIVOT; behind VALUE of UNPIVOT. */
fl_status fl_sql_parse_pivot_keys(parser *p, fl_ast_pivot *pivot);
fl_status fl_sql_parse_pivot_usings(parser *p, fl_ast_pivot *pivot);
fl_status fl_sql_parse_value_names(parser *p, fl_ast_unpivot *unpivot);

/** PIVOT (...) or UNPIVOT (...) behind a table, which becomes its source. */
fl_status fl_sql_parse_pivot_suffix(parser *p, fl_ast_table **table);

fl_status fl_sql_new_table(parser *p, fl_ast_table_kind kind, int32_t start, fl_ast_table **ret);

/** Sets the end to the last token taken and the height to one more than `below`. */
fl_status fl_sql_end_table(parser *p, fl_ast_table *table, int32_t below);

/** One table without joins. */
fl_status fl_sql_parse_table_primary(parser *p, fl_ast_table **ret);

/* ---- parse_statement.c, parse_ddl.c, parse_dml.c ---- */

fl_status fl_sql_parse_statement(parser *p, fl_ast_statement **ret);
fl_status fl_sql_parse_create(parser *p, fl_ast_statement *statement);

/** Whether a token is this word: one that only some statements know, and that is no keyword, so that it stays free for names. */
static inline bool fl_sql_is_said(const parser *p, const fl_sql_token *token, const char *word)
{
    return token->kind == FL_SQL_WORD && fl_str_is_equal_nocase(text_of(p, token), fl_str_of(word));
}

/** Takes this word if it is here. */
static inline bool fl_sql_accept_said(parser *p, const char *word)
{
    bool is_here = fl_sql_is_said(p, p->now, word);
    p->now += is_here;
    return is_here;
}

/** Behind CREATE [OR REPLACE] [AGGREGATE] FUNCTION. */
fl_status fl_sql_parse_create_function(parser *p, fl_ast_statement *statement, bool or_replace, bool is_aggregate);

/** [IF NOT EXISTS] */
fl_status fl_sql_parse_if_not_exists(parser *p, bool *ret);
fl_status fl_sql_parse_drop(parser *p, fl_ast_statement *statement);
fl_status fl_sql_parse_insert(parser *p, fl_ast_statement *statement);
fl_status fl_sql_parse_update(parser *p, fl_ast_statement *statement);
fl_status fl_sql_parse_delete(parser *p, fl_ast_statement *statement);

/** name [[AS] alias] of what is changed, without what else may stand behind FROM. */
fl_status fl_sql_parse_target(parser *p, fl_ast_table **ret);

/** Behind SET: a = e, (b, c) = (e, f), ... */
fl_status fl_sql_parse_assigns(parser *p, fl_ast_assign **ret, int32_t *ret_count);

/** Whether INSERT, UPDATE, DELETE or MERGE begins at a token; and parses the one that begins here, behind its table expressions (NULL: there
 *  are none). */
bool fl_sql_is_change(const parser *p, const fl_sql_token *token);
fl_status fl_sql_parse_change(parser *p, fl_ast_query *with, fl_ast_statement *statement);

void fl_sql_set_with(fl_ast_statement *change, fl_ast_query *with);

/** [RETURNING list] */
fl_status fl_sql_parse_returning(parser *p, fl_ast_returning *ret);

/* ---- parse_constraint.c, parse_alter.c, parse_sequence.c ---- */

/** A column's name, type and constraints; those of the table go to `create`. Without a type, where none follows. */
fl_status fl_sql_parse_column_def(parser *p, fl_ast_create_table *create, fl_ast_column_def **ret);

/** [CONSTRAINT name] PRIMARY KEY (…), UNIQUE (…), CHECK (…), FOREIGN KEY (…), if one stands here. */
fl_status fl_sql_parse_table_constraint(parser *p, fl_ast_create_table *create, bool *ret_any);

/** Behind ALTER. */
fl_status fl_sql_parse_alter(parser *p, fl_ast_statement *statement);

/** Behind CREATE SEQUENCE and ALTER SEQUENCE. */
fl_status fl_sql_parse_create_sequence(parser *p, fl_ast_statement *statement, bool or_replace);
fl_status fl_sql_parse_alter_sequence(parser *p, fl_ast_statement *statement);
fl_status fl_sql_parse_sequence_options(parser *p, fl_ast_sequence_options *ret);

/* ---- parse_macro.c ---- */

/** Behind CREATE [OR REPLACE] MACRO. */
fl_status fl_sql_parse_create_macro(parser *p, fl_ast_statement *statement, bool or_replace);

/** Whether what stands behind CREATE FUNCTION, which is here, is a macro: name (params) AS what is no text. */
bool fl_sql_is_macro(const parser *p);

/* ---- parse_fragment.c ---- */

/** A piece that `parse` takes into `ret`, whole. */
fl_status fl_sql_parse_whole_piece(fl_sql_fragment *fragment, fl_status (*parse)(parser *p, void *ret),
                                   fl_sql_whole whole, const char *expected, void *ret, fl_err *err);

/* ---- parse_comment.c ---- */
fl_status fl_sql_parse_comment(parser *p, fl_ast_statement *statement);

/* ---- parse_database.c ---- */
fl_status fl_sql_parse_attach(parser *p, fl_ast_statement *statement);
fl_status fl_sql_parse_detach(parser *p, fl_ast_statement *statement);
fl_status fl_sql_parse_use(parser *p, fl_ast_statement *statement);

/** [IF EXISTS] */
bool fl_sql_accept_if_exists(parser *p);

/** [CASCADE | RESTRICT]: whether it is CASCADE. */
bool fl_sql_accept_cascade(parser *p);

/* ---- parse_conflict.c, parse_merge.c ---- */

/** [ON CONFLICT ...] */
fl_status fl_sql_parse_conflict(parser *p, fl_ast_conflict **ret);
fl_status fl_sql_parse_merge(parser *p, fl_ast_statement *statement);

/* ---- parse_copy.c ---- */

fl_status fl_sql_parse_copy(parser *p, fl_ast_statement *statement);

/** What stands behind the file's name: `options` and `option_count` of `copy`. */
fl_status fl_sql_parse_copy_options(parser *p, fl_ast_copy *copy);

/** EXPORT DATABASE, IMPORT DATABASE. */
fl_status fl_sql_parse_export(parser *p, fl_ast_statement *statement);

#endif
