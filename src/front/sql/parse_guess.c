/* Misspelt keywords: which word of a text that does not parse was meant to be which keyword.
 *
 * The grammar itself is asked. At the word where parsing failed, and at those before it (`SELECT a FORM t` takes FORM for an
 * alias and fails behind it), each keyword that is a few letters away is put in and the text parsed again: the keyword
 * with which all of it parses is meant; else, at the place of the fault or just before, the one that gets farther. So a
 * hint never names a keyword that the place cannot take. A keyword that helps only as any name would is none. */
#include "front/sql/parse.h"

#include "base/nearest.h"

#define BACK_MAX 8    /* tokens before the fault that are looked at */
#define TRIALS_MAX 32 /* how often a text is parsed again */

typedef struct trial {
    bool is_whole;
    int64_t reach; /* tokens that were taken, or were being looked at, when parsing ended */
} trial;

typedef struct guess {
    int64_t token;
    fl_sql_keyword keyword; /* FL_KW_NONE: nothing so far */
    int32_t distance;
    trial with;
} guess;

static bool is_better(trial a, trial b)
{
    return a.is_whole != b.is_whole ? a.is_whole : !a.is_whole && a.reach > b.reach;
}

/* Parses all tokens with another keyword in one place. */
static trial try_keyword(parser *p, fl_sql_whole whole, int64_t at, fl_sql_keyword keyword)
{
    parser other = *p; /* the list of what is under way goes its own way: */
    fl_arena arena;
    uint16_t before = p->tokens[at].keyword;
    fl_arena_init(&arena, p->memory);
    other.stack = NULL;
    other.stack_count = other.stack_capacity = 0;
    other.depth = other.tallest = other.parameter_count = 0;
    other.has_question = other.has_dollar = false;
    other.parameter_names = NULL;
    other.arena = &arena;
    other.err = NULL;
    other.now = other.tokens;
    p->tokens[at].keyword = (uint16_t)keyword;
    fl_status st = whole(&other);
    trial ret = {.is_whole = st == FL_OK && (is_at(&other, FL_SQL_END) || is_at(&other, FL_SQL_SEMICOLON)),
                 .reach = other.now - other.tokens};
    p->tokens[at].keyword = before;
    fl_free(other.stack);
    fl_arena_drop(&arena);
    return ret;
}

/* Of two keywords that are as good, DSC is rather DESC than ASC: few slips are in the first letter. */
static bool is_likelier(fl_str word, fl_sql_keyword keyword, int32_t distance, const guess *best)
{
    char first = fl_char_lower(word.data[0]);
    return distance == best->distance && fl_sql_keyword_text(keyword).data[0] == first &&
           fl_sql_keyword_text(best->keyword).data[0] != first;
}

/* How many edits make a slip of this word. */
static int32_t distance_limit(fl_str word)
{
    return word.len <= 4 ? 1 : 2;
}

/* Tries the keywords near one word, the nearest first. */
static void guess_at(parser *p, fl_sql_whole whole, int64_t at, trial without, bool needs_all, int32_t *trials,
                     guess *best)
{
    fl_str word = text_of(p, &p->tokens[at]);
    if (word.len < 2)
        return;
    if (p->tokens[at].keyword != FL_KW_NONE) {
        trial as_name = try_keyword(p, whole, at, FL_KW_NONE);
        ++*trials;
        if (is_better(as_name, without))
            without = as_name;
    }
    for (int32_t distance = 1; distance <= distance_limit(word); distance++) {
        for (int keyword = 1; keyword < FL_KW_COUNT && *trials < TRIALS_MAX; keyword++) {
            fl_str text = fl_sql_keyword_text((fl_sql_keyword)keyword);
            if (keyword == p->tokens[at].keyword || distance >= text.len ||
                fl_nearest_distance(word, text, distance) != distance)
                continue;
            trial with = try_keyword(p, whole, at, (fl_sql_keyword)keyword);
            ++*trials;
            if (!is_better(with, without) || (needs_all && !with.is_whole))
                continue;
            if (best->keyword == FL_KW_NONE || is_better(with, best->with) ||
                (at == best->token && !is_better(best->with, with) &&
                 is_likelier(word, (fl_sql_keyword)keyword, distance, best)))
                *best = (guess){at, (fl_sql_keyword)keyword, distance, with};
        }
    }
}

static void hint_keyword(parser *p, fl_sql_keyword keyword)
{
    char upper[32];
    fl_err_hint(p->err, "did you mean %s?", fl_sql_keyword_upper(keyword, upper));
}

static void guess_keyword(parser *p, fl_sql_whole whole)
{
    int64_t fault = p->fault - p->tokens;
    trial without = {.reach = fault};
    guess best = {0};
    int32_t trials = 0;
    FL_ASSERT(p->fault != NULL && fault < p->token_count);
    for (int64_t at = fault; at >= 0 && at >= fault - BACK_MAX && !best.with.is_whole; at--) {
        const fl_sql_token *token = &p->tokens[at];
        bool is_near = at >= fault - 1;
        if (token->kind != FL_SQL_WORD ||
            (!is_near && fl_sql_keyword_class_of((fl_sql_keyword)token->keyword) == FL_SQL_RESERVED))
            continue;
        guess_at(p, whole, at, without, !is_near, &trials, &best);
    }
    if (best.keyword == FL_KW_NONE)
        return;
    if (best.token != fault) {
        fl_str word = text_of(p, &p->tokens[best.token]);
        if (p->err != NULL)
            p->err->position = 0;
        fl_sql_fail_at(p, p->tokens[best.token].start, FL_ERR_SYNTAX, "syntax error at or near \"%.*s\"",
                       word.len > 60 ? 60 : (int)word.len, word.data);
    }
    hint_keyword(p, best.keyword);
}

fl_status fl_sql_explain_fault(parser *p, fl_sql_whole whole)
{
    fl_status st = fl_sql_fail_elsewhere(p);
    if (st != FL_OK)
        return st;
    guess_keyword(p, whole);
    return FL_ERR_SYNTAX;
}

void fl_sql_guess_name(parser *p, fl_sql_whole whole, int32_t place)
{
    for (int64_t at = 0; at < p->token_count; at++) {
        const fl_sql_token *token = &p->tokens[at];
        if (token->start != place || token->kind != FL_SQL_WORD || token->keyword != FL_KW_NONE)
            continue;
        fl_str word = text_of(p, token);
        for (int keyword = 1; keyword < FL_KW_COUNT; keyword++) {
            fl_str text = fl_sql_keyword_text((fl_sql_keyword)keyword);
            int32_t limit = distance_limit(word);
            if (fl_sql_keyword_class_of((fl_sql_keyword)keyword) != FL_SQL_RESERVED || word.len < 3 ||
                fl_nearest_distance(word, text, limit) > limit ||
                !try_keyword(p, whole, at, (fl_sql_keyword)keyword).is_whole)
                continue;
            hint_keyword(p, (fl_sql_keyword)keyword);
            return;
        }
    }
}
