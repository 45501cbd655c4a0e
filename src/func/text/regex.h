/* Regular expressions in linear time: a pattern becomes a small program (Thompson 1968; see Cox, "Regular expression
 * matching: the virtual machine approach"). On short texts it is run depth first with a bit for each instruction and
 * place, so that nothing is tried twice; on long ones all threads walk the text together, with Pike's captures.
 *
 * Finding all matches of a text is linear, too: what failed depth first fails for later matches as well, so its bits stay.
 * Threads have no such memory: when they have walked far more than the text's length, the rest is searched depth first.
 *
 * Syntax: what POSIX extended expressions and RE2 share: . [] [^] [:class:] ^ $ | () (?:) * + ? {m,n} and their lazy
 * forms, \d \s \w \D \S \W, \b \y (border of a word) \B \Y \m \M \A \Z, \t \n \r \f \v \xhh \uhhhh. Of several matches the
 * leftmost counts, then what the pattern prefers. Not there: look-around, references back into the pattern.
 *
 *     fl_regex *re;
 *     fl_regex_run run;
 *     FL_TRY(fl_regex_compile(arena, pattern, 0, &re, err));
 *     FL_TRY(fl_regex_run_init(&run, re, true, arena, err));
 *     fl_regex_begin(&run, text);
 *     FL_TRY(fl_regex_search(&run, 0, &found, err));
 *     if (found)
 *         ... run.caps[0] to run.caps[1], groups from caps[2] */
#ifndef FL_FUNC_TEXT_REGEX_H
#define FL_FUNC_TEXT_REGEX_H

#include "base/arena.h"
#include "base/interrupt.h"

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
    fl_str text; /* of fl_regex_begin */
    fl_work work;
    bool is_depth_first;
    int64_t walked;    /* characters that threads have gone through in this text */
    fl_arena *arena;   /* for what follows, as texts need it */
    uint64_t *visited; /* instruction and place */
    int64_t visited_capacity;
    int64_t visited_words; /* those of this text so far; what lies behind is not cleared yet */
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

/** Groups of the pattern that a search tells of, at most FL_REGEX_CAPS_MAX / 2 - 1. */
int32_t fl_regex_groups(const fl_regex *regex);

/** Readies the memory of a search in the arena, which must outlive it. */
fl_status fl_regex_run_init(fl_regex_run *run, const fl_regex *regex, bool wants_caps, fl_arena *arena, fl_err *err);

/** The text (UTF-8, borrowed) that is searched from now on. */
void fl_regex_begin(fl_regex_run *run, fl_str text);

/** Searches from byte `start` on, which never goes back in a text; what lies before is context. Cost of all searches of a
 *  text: O(text * pattern). Looks whether the statement shall stop. */
fl_status fl_regex_search(fl_regex_run *run, int64_t start, bool *ret_found, fl_err *err);

#endif
