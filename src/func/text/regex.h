/* Regular expressions in linear time: a pattern becomes a small program (Thompson 1968; see Cox, "Regular expression
 * matching: the virtual machine approach"). On short texts it is run depth first with a bit for each instruction and
 * place, so that nothing is tried twice; on long ones all threads walk the text together, with Pike's captures.
 *
 * Syntax: what POSIX extended expressions and RE2 share: . [] [^] [:class:] ^ $ | () (?:) * + ? {m,n} and their lazy
 * forms, \d \s \w \D \S \W, \b \y (border of a word) \B \Y \m \M \A \Z, \t \n \r \f \v \xhh \uhhhh. Of several matches the
 * leftmost counts, then what the pattern prefers. Not there: look-around, references back into the pattern.
 *
 *     fl_regex *re;
 *     fl_regex_run run;
 *     FL_TRY(fl_regex_compile(arena, pattern, 0, &re, err));
 *     FL_TRY(fl_regex_run_init(&run, re, true, arena, err));
 *     if (fl_regex_search(&run, text, 0))
 *         ... run.caps[0] to run.caps[1], groups from caps[2] */
#ifndef FL_FUNC_TEXT_REGEX_H
#define FL_FUNC_TEXT_REGEX_H

#include "base/arena.h"

enum {
    FL_REGEX_NO_CASE = 1,
    FL_REGEX_LINES = 2,   /* ^ and $ match at line ends, . and [^] no newline */
    FL_REGEX_LITERAL = 4, /* the pattern is plain text */
    FL_REGEX_GLOBAL = 8   /* for callers: replace all */
};

#define FL_REGEX_CAPS_MAX 20 /* whole match and nine groups */

typedef struct fl_regex fl_regex;
struct fl_regex_threads;

/* The memory of one search after the other; one thread at a time. */
typedef struct fl_regex_run {
    const fl_regex *regex;
    struct fl_regex_threads *now, *next;
    struct fl_regex_jump *stack;
    fl_arena *arena;   /* for what follows, as texts need it */
    uint64_t *visited; /* instruction and place */
    int64_t visited_words;
    struct fl_regex_jump *trail;
    int64_t trail_capacity;
    int32_t n_caps;                  /* 0: only whether it matches */
    int64_t caps[FL_REGEX_CAPS_MAX]; /* pairs of byte offsets, -1 where a group took no part */
} fl_regex_run;

/** Reads flags as PostgreSQL writes them: i, g, c, n, m, s, q. FL_ERR_VALUE (22023). */
fl_status fl_regex_flags(fl_str text, uint32_t *flags, fl_err *err);

/** Compiles in the arena; the pattern need not live on. FL_ERR_VALUE (2201B) with the reason. Read-only afterwards: many
 *  threads may run it. */
fl_status fl_regex_compile(fl_arena *arena, fl_str pattern, uint32_t flags, fl_regex **ret, fl_err *err);

/** Readies the memory of a search in the arena, which must outlive it. */
fl_status fl_regex_run_init(fl_regex_run *run, const fl_regex *regex, bool wants_caps, fl_arena *arena, fl_err *err);

/** Searches text (UTF-8) from byte `start` on; what lies before is context. Cost: O(text * pattern). */
bool fl_regex_search(fl_regex_run *run, fl_str text, int64_t start);

#endif
