/* Tokens of SQL: cuts one statement's text into tokens, which hold places only; values are taken out when asked for.
 *
 * The text is checked once, before the first token: UTF-8 without NUL bytes, below 2 GB. Comments (nested) and
 * whitespace vanish here. An unquoted word is looked up among the keywords (keyword.def) while it is scanned. */
#ifndef FL_FRONT_SQL_LEXER_H
#define FL_FRONT_SQL_LEXER_H

#include "base/arena.h"

typedef enum fl_sql_token_kind {
    FL_SQL_END, /* of the text */
    FL_SQL_WORD,
    FL_SQL_QUOTED, /* "Name" */
    FL_SQL_INTEGER,
    FL_SQL_DECIMAL,
    FL_SQL_FLOAT,
    FL_SQL_STRING,
    FL_SQL_ESCAPE_STRING, /* E'...' */
    FL_SQL_DOLLAR_STRING,
    FL_SQL_BLOB,      /* X'...' */
    FL_SQL_PARAMETER, /* $1 */
    FL_SQL_QUESTION,

    FL_SQL_SEMICOLON,
    FL_SQL_COMMA,
    FL_SQL_DOT,
    FL_SQL_LEFT_PAREN,
    FL_SQL_RIGHT_PAREN,
    FL_SQL_LEFT_BRACKET,
    FL_SQL_RIGHT_BRACKET,
    FL_SQL_LEFT_BRACE,
    FL_SQL_RIGHT_BRACE,
    FL_SQL_COLON,
    FL_SQL_DOUBLE_COLON,
    FL_SQL_COLON_EQUAL,
    FL_SQL_FAT_ARROW, /* => */

    FL_SQL_PLUS,
    FL_SQL_MINUS,
    FL_SQL_ASTERISK,
    FL_SQL_SLASH,
    FL_SQL_DOUBLE_SLASH,
    FL_SQL_PERCENT,
    FL_SQL_POWER, /* ^ and ** */
    FL_SQL_CONCAT,
    FL_SQL_EQUAL, /* = and == */
    FL_SQL_NOT_EQUAL,
    FL_SQL_LESS,
    FL_SQL_LESS_EQUAL,
    FL_SQL_GREATER,
    FL_SQL_GREATER_EQUAL,
    FL_SQL_TILDE,
    FL_SQL_TILDE_STAR,
    FL_SQL_NOT_TILDE,
    FL_SQL_NOT_TILDE_STAR,
    FL_SQL_LIKE_OP, /* ~~ */
    FL_SQL_ILIKE_OP,
    FL_SQL_NOT_LIKE_OP,
    FL_SQL_NOT_ILIKE_OP,
    FL_SQL_AMPERSAND,
    FL_SQL_PIPE,
    FL_SQL_HASH,
    FL_SQL_SHIFT_LEFT,
    FL_SQL_SHIFT_RIGHT,
    FL_SQL_ARROW,
    FL_SQL_ARROW_TEXT,
    FL_SQL_PATH,        /* #> */
    FL_SQL_PATH_TEXT,   /* #>> */
    FL_SQL_PATH_DELETE, /* #- */
    FL_SQL_PATH_EXISTS, /* @? */
    FL_SQL_PATH_MATCH,  /* @@ */
    FL_SQL_HAS_ANY,     /* ?| */
    FL_SQL_HAS_ALL,     /* ?& */
    FL_SQL_CONTAINS,    /* @> */
    FL_SQL_CONTAINED,   /* <@ */
    FL_SQL_OVERLAPS,    /* && */
    FL_SQL_STARTS,      /* ^@ */
    FL_SQL_OTHER_OP,    /* an operator of PostgreSQL's that fletch has not: named when it is met */
} fl_sql_token_kind;

typedef enum fl_sql_keyword {
    FL_KW_NONE,
#define FL_KEYWORD(name, word, class) FL_KW_##name,
#include "front/sql/keyword.def"
#undef FL_KEYWORD
    FL_KW_COUNT
} fl_sql_keyword;

typedef enum fl_sql_keyword_class {
    FL_SQL_FREE,
    FL_SQL_NO_BARE,
    FL_SQL_RESERVED,
} fl_sql_keyword_class;

typedef struct fl_sql_token {
    int32_t start, end;
    uint8_t kind;     /* fl_sql_token_kind */
    uint8_t is_plain; /* the value is the text between the delimiters, as it stands */
    uint16_t keyword; /* of an FL_SQL_WORD */
} fl_sql_token;

typedef struct fl_sql_lexer {
    fl_str text;
    int32_t at;
    int32_t begin; /* of the statement at hand, blanks before it included: errors count lines from here */
} fl_sql_lexer;

/** Begins at the start of `text` (borrowed) after checking all of it. FL_ERR_SYNTAX (22021) for bytes that are no
 *  UTF-8 and for NUL, with their place; FL_ERR_LIMIT from 2 GB on. Cost: one pass. */
fl_status fl_sql_lexer_init(fl_sql_lexer *lexer, fl_str text, fl_err *err);

/** The next token; FL_SQL_END again and again at the end. FL_ERR_SYNTAX, with the place where the fault begins (and its
 *  line) for strings and comments without end and for characters that begin no token. Cost: O(token). */
fl_status fl_sql_lexer_next(fl_sql_lexer *lexer, fl_sql_token *ret, fl_err *err);

/** The value of a word, string, number or blob token: a piece of the text when it stands there as it is, else made in
 *  the arena. FL_ERR_SYNTAX for a bad escape; FL_ERR_MEMORY. */
fl_status fl_sql_token_value(fl_str text, const fl_sql_token *token, fl_arena *arena, fl_str *ret, fl_err *err);

/** The keyword that `word` is, in any case, or FL_KW_NONE. */
fl_sql_keyword fl_sql_keyword_find(fl_str word);

/** A keyword's text in lower case; empty for FL_KW_NONE. */
fl_str fl_sql_keyword_text(fl_sql_keyword keyword);

fl_sql_keyword_class fl_sql_keyword_class_of(fl_sql_keyword keyword);

#endif
