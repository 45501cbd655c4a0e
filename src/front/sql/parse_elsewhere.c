/* Forms of other engines' SQL: a text that does not parse may be right there. Words around the fault tell which form was meant; the
 * fault is then theirs, with what does the same here. What is only spelled otherwise stays a syntax error, what is a feature that there is
 * not is refused by its name. */
#include "front/sql/parse.h"

#define BACK_MAX 4 /* tokens before the fault that are looked at */
#define WORDS_MAX 3

static const struct {
    const char *words[WORDS_MAX]; /* in a row; "#" is a number */
    int at;                       /* which of them the error points at */
    const char *what;             /* a feature; NULL: another spelling */
    const char *instead;
} forms[] = {
    {{"MATCH_RECOGNIZE"}, 0, "MATCH_RECOGNIZE is", "lag, lead and other windows look at neighbouring rows"},
    {{"CONNECT", "BY"}, 0, "CONNECT BY is", "WITH RECURSIVE walks a hierarchy"},
    {{"START", "WITH"}, 0, "START WITH is", "WITH RECURSIVE walks a hierarchy"},
    {{"LATERAL", "VIEW"}, 0, NULL, "write CROSS JOIN unnest(list) AS t(x)"},
    {{"CROSS", "APPLY"}, 0, NULL, "write CROSS JOIN LATERAL (query)"},
    {{"OUTER", "APPLY"}, 0, NULL, "write LEFT JOIN LATERAL (query) ON true"},
    {{"MINUS", "SELECT"}, 0, NULL, "write EXCEPT"},
    {{"SELECT", "TOP", "#"}, 1, NULL, "write LIMIT count behind the query"},
    {{"GROUPBY"}, 0, NULL, "did you mean GROUP BY?"},
    {{"ORDERBY"}, 0, NULL, "did you mean ORDER BY?"},
    {{"PARTITIONBY"}, 0, NULL, "did you mean PARTITION BY?"},
};

static bool is_here(const parser *p, const fl_sql_token *token, const char *word)
{
    if (strcmp(word, "#") == 0)
        return token->kind == FL_SQL_INTEGER;
    return token->kind == FL_SQL_WORD && fl_str_is_equal_nocase(text_of(p, token), fl_str_of(word));
}

static bool has_words(const parser *p, int64_t at, const char *const *words)
{
    for (int64_t i = 0; i < WORDS_MAX && words[i] != NULL; i++)
        if (at + i >= p->token_count || !is_here(p, &p->tokens[at + i], words[i]))
            return false;
    return true;
}

fl_status fl_sql_fail_elsewhere(parser *p)
{
    int64_t fault = p->fault - p->tokens;
    FL_ASSERT(p->fault != NULL && fault < p->token_count);
    if (is_here(p, p->tokens, "CREATE") || is_here(p, p->tokens, "ALTER")) /* a sequence starts with a number */
        return FL_OK;
    for (int64_t at = fault; at >= 0 && at >= fault - BACK_MAX; at--)
        for (int64_t f = 0; f < FL_LEN(forms); f++) {
            if (!has_words(p, at, forms[f].words))
                continue;
            const fl_sql_token *token = &p->tokens[at + forms[f].at];
            if (p->err != NULL)
                p->err->position = 0;
            if (forms[f].what != NULL)
                return fl_sql_fail_unsupported(p, token->start, forms[f].what, forms[f].instead);
            fl_status st = fl_sql_fail_at(p, token->start, FL_ERR_SYNTAX, "syntax error at or near \"%.*s\"",
                                          FL_STR_ARG(text_of(p, token)));
            fl_err_hint(p->err, "%s", forms[f].instead);
            return st;
        }
    return FL_OK;
}
