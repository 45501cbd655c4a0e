/* x GLOB pattern: shells' patterns, with regard to case. */
#include "base/glob.h"
#include "func/text/text.h"

static fl_status glob(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        bool wanted = fl_call_wants(call, row);
        for (int32_t a = 0; a < call->n_args && wanted; a++)
            wanted = fl_vec_is_valid(&call->args[a], row);
        fl_bit_clear(fl_ret_bits(call), row);
        if (!wanted)
            continue;
        fl_str x = fl_text_arg(call, 0, row), pattern = fl_text_arg(call, 1, row);
        FL_TRY(fl_call_work(call, x.len + pattern.len, err));
        fl_bit_put(fl_ret_bits(call), row, fl_glob_matches(pattern, x));
    }
cleanup:
    return st;
}

static const fl_func_desc funcs[] = {
    FL_TEXT_FUNC("glob", "x GLOB pattern: * is any text, ? one character, [a-z] one of a set",
                 {FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, 0, glob}),
};

FL_FUNC_SET(glob, funcs);
