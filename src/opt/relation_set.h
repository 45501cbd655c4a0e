/* Sets of a join region's relations: bits by number, in as many words as the region needs.
 *
 * All sets of one region have the same number of words. The functions are inlined, so that where the number is the constant 1
 * each of them is an instruction or two. */
#ifndef FL_OPT_RELATION_SET_H
#define FL_OPT_RELATION_SET_H

#include "base/arena.h"

#include <string.h>

static inline bool fl_relation_set_has(const uint64_t *set, int32_t relation)
{
    return (set[relation >> 6] >> (relation & 63)) & 1;
}

static inline void fl_relation_set_add(uint64_t *set, int32_t relation)
{
    set[relation >> 6] |= 1ull << (relation & 63);
}

static inline void fl_relation_set_add_all(uint64_t *set, const uint64_t *other, int32_t n_words)
{
    for (int32_t w = 0; w < n_words; w++)
        set[w] |= other[w];
}

static inline void fl_relation_set_unite(uint64_t *ret, const uint64_t *a, const uint64_t *b, int32_t n_words)
{
    for (int32_t w = 0; w < n_words; w++)
        ret[w] = a[w] | b[w];
}

static inline bool fl_relation_set_has_all(const uint64_t *set, const uint64_t *part, int32_t n_words)
{
    for (int32_t w = 0; w < n_words; w++)
        if ((part[w] & ~set[w]) != 0)
            return false;
    return true;
}

static inline bool fl_relation_set_meets(const uint64_t *a, const uint64_t *b, int32_t n_words)
{
    for (int32_t w = 0; w < n_words; w++)
        if ((a[w] & b[w]) != 0)
            return true;
    return false;
}

static inline bool fl_relation_set_is_equal(const uint64_t *a, const uint64_t *b, int32_t n_words)
{
    return memcmp(a, b, (size_t)n_words * sizeof(*a)) == 0;
}

static inline int32_t fl_relation_set_count(const uint64_t *set, int32_t n_words)
{
    int32_t n = 0;
    for (int32_t w = 0; w < n_words; w++)
        n += __builtin_popcountll(set[w]);
    return n;
}

/** The least relation from `from` on; -1: there is none. */
static inline int32_t fl_relation_set_next(const uint64_t *set, int32_t from, int32_t n_words)
{
    for (int32_t w = from >> 6; w < n_words; w++) {
        uint64_t word = w == from >> 6 ? set[w] & (~0ull << (from & 63)) : set[w];
        if (word != 0)
            return w * 64 + __builtin_ctzll(word);
    }
    return -1;
}

/* for (FL_EACH_RELATION(i, set, n_words)) */
#define FL_EACH_RELATION(i, set, n_words)              \
    int32_t i = fl_relation_set_next(set, 0, n_words); \
    (i) >= 0;                                          \
    (i) = fl_relation_set_next(set, (i) + 1, n_words)

/** A copy in the arena; `set` NULL: an empty set. */
static inline fl_status fl_relation_set_copy(fl_arena *arena, const uint64_t *set, int32_t n_words, uint64_t **ret,
                                             fl_err *err)
{
    fl_status st = FL_NEW_ARRAY(arena, n_words, ret, err);
    if (st == FL_OK && set != NULL)
        memcpy(*ret, set, (size_t)n_words * sizeof(**ret));
    return st;
}

#endif
