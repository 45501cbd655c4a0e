/* Sequences as functions see them: numbers that are given out once, to whoever asks. The engine has them. Any worker may call. */
#ifndef FL_EXEC_SEQUENCES_H
#define FL_EXEC_SEQUENCES_H

#include "base/status.h"
#include "base/str.h"

typedef struct fl_sequences {
    /** The next number of the sequence of that name. FL_ERR_TABLE (42P01) where there is none, FL_ERR_RANGE (2200H) behind its last
     *  one. */
    fl_status (*next)(struct fl_sequences *sequences, fl_str name, int64_t *ret, fl_err *err);
    /** The number that the session was given last, by the sequence or, where the name is empty, by any. FL_ERR_VALUE (55000) where it
     *  was given none. */
    fl_status (*current)(struct fl_sequences *sequences, fl_str name, int64_t *ret, fl_err *err);
    /** Says which number was given out last; not is_given: which comes next. */
    fl_status (*set)(struct fl_sequences *sequences, fl_str name, int64_t value, bool is_given, fl_err *err);
} fl_sequences;

#endif
