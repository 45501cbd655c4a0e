/* levenshtein: how many characters are put in, left out or changed to make one text the other (Wagner & Fischer 1974). */
#include "func/text/text.h"

#include "base/utf8.h"

#define DISTANCE_CHARS_MAX 16384 /* time grows with the product of both lengths */

static fl_status decode(fl_call *call, fl_str x, uint32_t **ret, int64_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0;
    FL_TRY(fl_arena_get(call->heap, (x.len + 1) * (int64_t)sizeof(**ret), (void **)ret, err));
    for (int64_t at = 0; at < x.len;) {
        int width;
        (*ret)[n++] = fl_utf8_decode(x.data + at, x.len - at, &width);
        at += width;
    }
    if (n > DISTANCE_CHARS_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "levenshtein takes texts of up to %d characters", DISTANCE_CHARS_MAX);
    *ret_n = n;
cleanup:
    return st;
}

/* One row of the table of distances at a time: costs[j] is that of the first i characters of a and j of b. */
static fl_status distance(fl_call *call, const uint32_t *a, int64_t n_a, const uint32_t *b, int64_t n_b, int64_t *costs,
                          fl_err *err)
{
    for (int64_t j = 0; j <= n_b; j++)
        costs[j] = j;
    for (int64_t i = 1; i <= n_a; i++) {
        int64_t diagonal = costs[0];
        costs[0] = i;
        for (int64_t j = 1; j <= n_b; j++) {
            int64_t changed = diagonal + (a[i - 1] != b[j - 1]), left_out = costs[j] + 1, put_in = costs[j - 1] + 1;
            int64_t least = left_out < put_in ? left_out : put_in;
            diagonal = costs[j];
            costs[j] = changed < least ? changed : least;
        }
        fl_status st = fl_call_work(call, 2 * n_b + 8, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

static fl_status levenshtein(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        uint32_t *a = NULL, *b = NULL;
        int64_t n_a, n_b, *costs = NULL;
        fl_ret_i64(call)[row] = 0;
        if (!fl_call_wants(call, row))
            continue;
        fl_arena_mark mark = fl_arena_mark_get(call->heap);
        FL_TRY(decode(call, fl_text_arg(call, 0, row), &a, &n_a, err));
        FL_TRY(decode(call, fl_text_arg(call, 1, row), &b, &n_b, err));
        FL_TRY(FL_NEW_ARRAY(call->heap, n_b + 1, &costs, err));
        FL_TRY(distance(call, a, n_a, b, n_b, costs, err));
        fl_ret_i64(call)[row] = costs[n_b];
        fl_arena_rewind(call->heap, mark);
    }
cleanup:
    return st;
}

#define LEVENSHTEIN(name, help) FL_TEXT_FUNC(name, help, {FL_ARGS(FL_UTF8, FL_UTF8), FL_I64, FL_CAN_FAIL, levenshtein})

static const fl_func_desc funcs[] = {
    LEVENSHTEIN("levenshtein", "levenshtein(x, y): characters put in, left out or changed to make x from y"),
    LEVENSHTEIN("editdist3", "editdist3(x, y): as levenshtein"),
};

FL_FUNC_SET(distance, funcs);
