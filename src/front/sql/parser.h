/* SQL text to syntax trees, one statement at a time.
 *
 * Recursive descent, precedence climbing for operators. Re-entrant: all state is in the parser, which the caller owns.
 * Trees are made in the caller's arena and point into the text, which must outlive them.
 *
 *     fl_sql_parser parser;
 *     FL_TRY(fl_sql_parser_init(&parser, memory, text, err));
 *     for (;;) {
 *         fl_ast_statement *statement;
 *         FL_TRY(fl_sql_parser_next(&parser, arena, &statement, err));
 *         if (statement == NULL)
 *             break;
 *     }
 *     ...
 *     fl_sql_parser_drop(&parser); */
#ifndef FL_FRONT_SQL_PARSER_H
#define FL_FRONT_SQL_PARSER_H

#include "front/sql/ast.h"
#include "front/sql/lexer.h"

typedef struct fl_sql_parser {
    fl_sql_lexer lexer;
    fl_memory *memory;
    int32_t base;                              /* place of the text's first byte: 0, but for fragments */
    const fl_sql_token *plain_from, *plain_to; /* parentheses from one to the other begin no query */
    fl_sql_token *tokens;                      /* of the statement at hand; ends with a semicolon or FL_SQL_END */
    int64_t token_count, token_capacity;
    const fl_sql_token *now;
    const fl_sql_token *fault; /* where something else was expected, once that has failed; else NULL */
    void **stack;              /* lists under way, see parse.h */
    int64_t stack_count, stack_capacity;
    int32_t depth;           /* of what is being parsed */
    int32_t tallest;         /* height of the tallest node of the query being parsed */
    int32_t parameter_count; /* of the statement */
    fl_str *parameter_names; /* of parameters by name, in the arena; NULL: none yet */
    bool has_question, has_dollar;
    bool has_rowid;       /* of the statement, as it is there */
    fl_ast_expr *columns; /* the last COLUMNS(...) of the item or condition being parsed, or NULL */
    fl_arena *arena;      /* during fl_sql_parser_next only, as err is */
    fl_err *err;
} fl_sql_parser;

/** Begins with the first statement of `text` (borrowed). Errors as fl_sql_lexer_init; the parser is empty then and may
 *  be dropped. `memory` is charged for working space. */
fl_status fl_sql_parser_init(fl_sql_parser *parser, fl_memory *memory, fl_str text, fl_err *err);

/** Frees working space; trees live on in their arena. */
void fl_sql_parser_drop(fl_sql_parser *parser);

/** Parses the next statement into `arena`; *ret is NULL when only blanks and semicolons are left. Positions count from
 *  the start of the whole text.
 *  FL_ERR_SYNTAX: what was expected and what was found, a guess as hint where a keyword looks misspelt.
 *  FL_ERR_UNSUPPORTED: the name of something that fletch does not do yet. FL_ERR_LIMIT (54001): nested too deep.
 *  FL_ERR_MEMORY. After an error the parser stands behind the statement that failed, where its tokens could be read.
 *  Cost: linear in the statement's length. */
fl_status fl_sql_parser_next(fl_sql_parser *parser, fl_arena *arena, fl_ast_statement **ret, fl_err *err);

/** For a statement that parses but has no column of the name at err->position: adds a hint where the name is a misspelt
 *  keyword (`SELECT DISTINT a`). `text` is what the statement was parsed from. Parses it again a few times. */
void fl_sql_hint_keyword(fl_memory *memory, fl_str text, const fl_ast_statement *statement, fl_err *err);

/* Pieces of a query, for frontends that put queries together of nodes, not of text. A piece is parsed by itself and to its
 * end: what does not belong to it is FL_ERR_SYNTAX, so that it cannot reach into what stands around it. */
typedef struct fl_sql_fragment {
    fl_memory *memory;       /* charged for working space */
    fl_arena *arena;         /* holds the nodes */
    fl_str text;             /* outlives the nodes */
    int32_t base;            /* added to the positions of nodes and errors: tells fragments apart */
    int32_t parameter_count; /* out: the highest $n */
} fl_sql_fragment;

/** A select list: [DISTINCT [ON (...)]] expressions with or without aliases, stars. Fills the list's fields of `ret`.
 *  Errors of these functions are those of fl_sql_parser_next. */
fl_status fl_sql_fragment_select(fl_sql_fragment *fragment, fl_ast_select *ret, fl_err *err);

/** Expressions with or without aliases, stars. */
fl_status fl_sql_fragment_items(fl_sql_fragment *fragment, fl_ast_item **ret, int32_t *ret_count, fl_err *err);
fl_status fl_sql_fragment_condition(fl_sql_fragment *fragment, fl_ast_expr **ret, fl_err *err);

/** What stands behind ORDER BY. Fills `order`, `order_count` and `order_all` of `ret`. */
fl_status fl_sql_fragment_order(fl_sql_fragment *fragment, fl_ast_query *ret, fl_err *err);

/** Keys of GROUP BY, ROLLUP and its kin among them. Fills `groups`, `group_count`, `group_all` and `has_group` of `ret`. */
fl_status fl_sql_fragment_groups(fl_sql_fragment *fragment, fl_ast_select *ret, fl_err *err);

/** What stands behind WINDOW. Fills `windows` and `window_count` of `ret`. */
fl_status fl_sql_fragment_windows(fl_sql_fragment *fragment, fl_ast_select *ret, fl_err *err);

/** What stands behind USING SAMPLE. */
fl_status fl_sql_fragment_sample(fl_sql_fragment *fragment, fl_ast_sample **ret, fl_err *err);

/** What stands behind the file's name of COPY. Fills `options` and `option_count`. */
fl_status fl_sql_fragment_copy_options(fl_sql_fragment *fragment, fl_ast_copy *ret, fl_err *err);

/** What stands behind ON and behind USING of PIVOT. Fills `keys` and `key_count`, `usings` and `using_count`. */
fl_status fl_sql_fragment_pivot_keys(fl_sql_fragment *fragment, fl_ast_pivot *ret, fl_err *err);
fl_status fl_sql_fragment_pivot_usings(fl_sql_fragment *fragment, fl_ast_pivot *ret, fl_err *err);

/** What stands behind VALUE of UNPIVOT. Fills `values` and `value_count`. */
fl_status fl_sql_fragment_value_names(fl_sql_fragment *fragment, fl_ast_unpivot *ret, fl_err *err);

/** What a macro is: (params) AS expression or AS TABLE query, of several by commas. */
fl_status fl_sql_fragment_type(fl_sql_fragment *fragment, fl_ast_type **ret, fl_err *err);
fl_status fl_sql_fragment_macro(fl_sql_fragment *fragment, fl_ast_macro **ret, int32_t *ret_count, fl_err *err);

/** One table: a name, file, function or subquery, with or without an alias. */
fl_status fl_sql_fragment_table(fl_sql_fragment *fragment, fl_ast_table **ret, fl_err *err);

#endif
