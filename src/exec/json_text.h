/* JSON in texts: reading a text as a tree of values, and printing. Relies on yyjson, whose memory comes from the call's heap here and
 * goes with the row. */
#ifndef FL_EXEC_JSON_TEXT_H
#define FL_EXEC_JSON_TEXT_H

#include "arrow/value.h"
#include "base/json_memory.h"
#include "base/text.h"
#include "exec/func.h"

#define FL_JSON_NESTING_MAX 1000

/* One row's work: where its memory comes from, and what went wrong there. Lies where it is used: yyjson points at it. */
typedef struct fl_json_work {
    fl_call *call;
    fl_arena_mark mark;
    fl_json_memory memory;
} fl_json_work;

void fl_json_begin(fl_json_work *work, fl_call *call);

/** Gives back what the row took: all values of its trees are gone. */
void fl_json_end(fl_json_work *work);

/** What memory failed with, or an internal error: for NULL from yyjson. */
fl_status fl_json_fail_memory(const fl_json_work *work, fl_err *err);

/** Reads a text. FL_ERR_VALUE (22P02) with the place where it is no JSON; FL_ERR_LIMIT for nesting beyond FL_JSON_NESTING_MAX, so that
 *  walking a tree may recurse. */
fl_status fl_json_read(fl_json_work *work, fl_str text, yyjson_val **ret, fl_err *err);

/** Whether a text is JSON. */
fl_status fl_json_is_valid(fl_json_work *work, fl_str text, bool *ret, fl_err *err);

/** Adds a value as JSON. */
fl_status fl_json_print_value(fl_json_work *work, const yyjson_val *value, yyjson_write_flag flags, fl_text *to,
                              fl_err *err);

/** Adds a value of any type as JSON: texts become strings, and so do numbers that JSON has not. */
fl_status fl_json_add_value(const fl_value *value, fl_text *to, fl_err *err);

/** Adds the text of a string, and of all else its JSON. FL_ERR_VALUE (22P05) for a string with a NUL, which no text holds. */
fl_status fl_json_print_plain(fl_json_work *work, yyjson_val *value, fl_text *to, fl_err *err);

static inline bool fl_json_wants(const fl_call *call, int32_t row)
{
    bool wanted = fl_call_wants(call, row);
    for (int32_t a = 0; a < call->n_args; a++)
        wanted &= fl_vec_is_valid(&call->args[a], row);
    return wanted;
}

static inline fl_str fl_json_str(yyjson_val *value)
{
    return (fl_str){unsafe_yyjson_get_str(value), (int64_t)unsafe_yyjson_get_len(value)};
}

/** The result of a row: a copy of a text in the call's heap. */
fl_status fl_json_keep(fl_call *call, int32_t row, const fl_text *text, fl_err *err);

#endif
