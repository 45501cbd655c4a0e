/* The characters of a text, to be asked for one by one: what trim takes away, and what translate puts something else for.
 *
 * Made in time linear in the text, asked in constant time, so that long sets do not make long texts quadratic. */
#ifndef FL_FUNC_TEXT_CHAR_SET_H
#define FL_FUNC_TEXT_CHAR_SET_H

#include "func/text/text.h"

typedef struct fl_char_set_entry {
    uint32_t code;  /* + 1; 0: free */
    uint32_t width; /* bytes of what stands for it */
    int64_t at;     /* in `to` */
} fl_char_set_entry;

typedef struct fl_char_set {
    fl_str from, to;
    fl_char_set_entry *entries; /* open addressing; a power of two, at least half of them free */
    uint64_t mask;
    bool is_made;
} fl_char_set;

/** The characters of `from`, each with the one at its place in `to`, where that is as long; of equal ones the first counts.
 *  A set of the same texts (as constants are) is kept. Memory is of the call's heap. */
fl_status fl_char_set_make(fl_call *call, fl_str from, fl_str to, fl_char_set *set, fl_err *err);

/** Whether the code point is in the set; then *ret_to stands for it, empty where `to` is shorter. */
bool fl_char_set_find(const fl_char_set *set, uint32_t code, fl_str *ret_to);

#endif
