/* How alike two texts are, character by character: levenshtein, damerau_levenshtein, hamming, jaccard, jaro_similarity,
 * jaro_winkler_similarity. */
#include "func/text/text.h"

#include "base/utf8.h"

#include <stdlib.h>

#define DISTANCE_CHARS_MAX 16384 /* time grows with the product of both lengths */

typedef struct characters {
    uint32_t *codes;
    int64_t n;
} characters;

static fl_status decode(fl_call *call, fl_str x, characters *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0;
    FL_TRY(fl_arena_get(call->heap, (x.len + 1) * (int64_t)sizeof(*ret->codes), (void **)&ret->codes, err));
    for (int64_t at = 0; at < x.len;) {
        int width;
        ret->codes[n++] = fl_utf8_decode(x.data + at, x.len - at, &width);
        at += width;
    }
    if (n > DISTANCE_CHARS_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "%s takes texts of up to %d characters", call->func->name,
                       DISTANCE_CHARS_MAX);
    ret->n = n;
cleanup:
    return st;
}

/* Characters put in, left out or changed to make one text the other (Wagner & Fischer 1974). One row of the table of distances at
 * a time: costs[j] is that of the first i characters of a and j of b. */
static fl_status levenshtein_of(fl_call *call, characters a, characters b, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t *costs = NULL;
    FL_TRY(FL_NEW_ARRAY(call->heap, b.n + 1, &costs, err));
    for (int64_t j = 0; j <= b.n; j++)
        costs[j] = j;
    for (int64_t i = 1; i <= a.n; i++) {
        int64_t diagonal = costs[0];
        costs[0] = i;
        for (int64_t j = 1; j <= b.n; j++) {
            int64_t changed = diagonal + (a.codes[i - 1] != b.codes[j - 1]), left_out = costs[j] + 1,
                    put_in = costs[j - 1] + 1;
            int64_t least = left_out < put_in ? left_out : put_in;
            diagonal = costs[j];
            costs[j] = changed < least ? changed : least;
        }
        FL_TRY(fl_call_work(call, 2 * b.n + 8, err));
    }
    *ret = costs[b.n];
cleanup:
    return st;
}

/* Where each character of b was last met in a, while its rows are gone through: b's different characters, in order. */
typedef struct last_rows {
    characters letters;
    int64_t *row; /* from 1; 0: nowhere yet */
} last_rows;

static int compare_codes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int64_t *last_row_of(const last_rows *last, uint32_t code)
{
    int64_t low = 0, high = last->letters.n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (last->letters.codes[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < last->letters.n && last->letters.codes[low] == code ? &last->row[low] : NULL;
}

#define DAMERAU_CHARS_MAX 2048 /* the whole table is kept */

/* As it, where neighbours may also change places, before or after others come between them (Lowrance & Wagner 1975). */
static fl_status damerau_of(fl_call *call, characters a, characters b, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t width = b.n + 2, far = a.n + b.n, *table = NULL;
    last_rows last = {.letters.n = b.n};
    if (a.n > DAMERAU_CHARS_MAX || b.n > DAMERAU_CHARS_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "damerau_levenshtein takes texts of up to %d characters", DAMERAU_CHARS_MAX);
    FL_TRY(FL_NEW_ARRAY(call->heap, (a.n + 2) * width, &table, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, b.n + 1, &last.row, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, b.n + 1, &last.letters.codes, err));
    memcpy(last.letters.codes, b.codes, (size_t)b.n * sizeof(*b.codes));
    qsort(last.letters.codes, (size_t)b.n, sizeof(*b.codes), compare_codes);
    for (int64_t i = 0; i <= a.n; i++) {
        table[(i + 1) * width] = far;
        table[(i + 1) * width + 1] = i;
    }
    for (int64_t j = 0; j <= b.n; j++) {
        table[j + 1] = far;
        table[width + j + 1] = j;
    }
    table[0] = far;
    for (int64_t i = 1; i <= a.n; i++) {
        int64_t last_match = 0;
        for (int64_t j = 1; j <= b.n; j++) {
            int64_t *above = table + i * width + j, *here = above + width, row = *last_row_of(&last, b.codes[j - 1]);
            bool is_same = a.codes[i - 1] == b.codes[j - 1];
            int64_t least = above[0] + !is_same, left_out = above[1] + 1, put_in = here[0] + 1;
            int64_t swapped = table[row * width + last_match] + (i - row - 1) + 1 + (j - last_match - 1);
            least = left_out < least ? left_out : least;
            least = put_in < least ? put_in : least;
            here[1] = swapped < least ? swapped : least;
            if (is_same)
                last_match = j;
        }
        int64_t *row = last_row_of(&last, a.codes[i - 1]);
        if (row != NULL)
            *row = i;
        FL_TRY(fl_call_work(call, 16 * b.n + 8, err));
    }
    *ret = table[(a.n + 1) * width + b.n + 1];
cleanup:
    return st;
}

static fl_status fail_argument(const fl_call *call, const char *what, fl_err *err)
{
    return fl_err_state(err, "22023", FL_FAIL(err, FL_ERR_VALUE, "%s takes texts %s", call->func->name, what));
}

/* Places at which the texts differ. */
static fl_status hamming_of(fl_call *call, characters a, characters b, int64_t *ret, fl_err *err)
{
    if (a.n != b.n || a.n == 0)
        return fail_argument(call, a.n != b.n ? "of one length" : "that are not empty", err);
    *ret = 0;
    for (int64_t i = 0; i < a.n; i++)
        *ret += a.codes[i] != b.codes[i];
    return FL_OK;
}

static int64_t sort_codes(characters x)
{
    int64_t n = 0;
    qsort(x.codes, (size_t)x.n, sizeof(*x.codes), compare_codes);
    for (int64_t i = 0; i < x.n; i++)
        if (i == 0 || x.codes[i] != x.codes[i - 1])
            x.codes[n++] = x.codes[i];
    return n;
}

/* Of all different characters the part that is in both texts. */
static fl_status jaccard_of(fl_call *call, characters a, characters b, double *ret, fl_err *err)
{
    int64_t both = 0;
    if (a.n == 0 || b.n == 0)
        return fail_argument(call, "that are not empty", err);
    a.n = sort_codes(a);
    b.n = sort_codes(b);
    for (int64_t i = 0, j = 0; i < a.n && j < b.n;) {
        both += a.codes[i] == b.codes[j];
        if (a.codes[i] <= b.codes[j])
            j += a.codes[i++] == b.codes[j];
        else
            j++;
    }
    *ret = (double)both / (double)(a.n + b.n - both);
    return fl_call_work(call, 16 * (a.n + b.n), err);
}

/* Characters that are the same within half of the longer text's length, and how many of them are in another order (Jaro 1989). */
static fl_status jaro_of(fl_call *call, characters a, characters b, double *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t longer = a.n > b.n ? a.n : b.n, reach = longer / 2 - 1, same = 0, moved = 0, at = 0;
    bool *of_a = NULL, *of_b = NULL;
    *ret = 0;
    if (a.n == 0 || b.n == 0)
        return FL_OK;
    reach = reach < 0 ? 0 : reach;
    FL_TRY(FL_NEW_ARRAY(call->heap, a.n, &of_a, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, b.n, &of_b, err));
    for (int64_t i = 0; i < a.n; i++) {
        int64_t from = i > reach ? i - reach : 0, to = i + reach + 1 < b.n ? i + reach + 1 : b.n;
        for (int64_t j = from; j < to && !of_a[i]; j++)
            if (!of_b[j] && a.codes[i] == b.codes[j]) {
                of_a[i] = of_b[j] = true;
                same++;
            }
        FL_TRY(fl_call_work(call, 2 * reach + 8, err));
    }
    for (int64_t i = 0; i < a.n; i++) {
        if (!of_a[i])
            continue;
        while (!of_b[at])
            at++;
        moved += a.codes[i] != b.codes[at++];
    }
    if (same > 0)
        *ret =
            ((double)same / (double)a.n + (double)same / (double)b.n + (double)(same - moved / 2) / (double)same) / 3;
cleanup:
    return st;
}

/* Up to four characters that both begin with count for more where the texts are alike at all (Winkler 1990). */
static fl_status winkler_of(fl_call *call, characters a, characters b, double *ret, fl_err *err)
{
    int64_t n = 0;
    while (n < 4 && n < a.n && n < b.n && a.codes[n] == b.codes[n])
        n++;
    fl_status st = jaro_of(call, a, b, ret, err);
    if (st == FL_OK && *ret > 0.7)
        *ret += (double)n * 0.1 * (1 - *ret);
    return st;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

typedef fl_status (*counter)(fl_call *call, characters a, characters b, int64_t *ret, fl_err *err);
typedef fl_status (*measure)(fl_call *call, characters a, characters b, double *ret, fl_err *err);

static bool is_wanted(const fl_call *call, int32_t row)
{
    bool wanted = fl_call_wants(call, row);
    for (int32_t a = 0; a < call->n_args; a++)
        wanted &= fl_vec_is_valid(&call->args[a], row);
    return wanted;
}

/* One of the two is given. */
static fl_status run(fl_call *call, counter count, measure weigh, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < call->rows; row++) {
        characters a = {0}, b = {0};
        fl_ret_i64(call)[row] = 0;
        if (!is_wanted(call, row))
            continue;
        fl_arena_mark mark = fl_arena_mark_get(call->heap);
        FL_TRY(decode(call, fl_text_arg(call, 0, row), &a, err));
        FL_TRY(decode(call, fl_text_arg(call, 1, row), &b, err));
        FL_TRY(fl_call_work(call, a.n + b.n + 8, err));
        if (count != NULL) {
            FL_TRY(count(call, a, b, &fl_ret_i64(call)[row], err));
        } else {
            FL_TRY(weigh(call, a, b, &fl_ret_f64(call)[row], err));
            const fl_vec *least = call->n_args > 2 ? &call->args[2] : NULL;
            if (least != NULL && fl_ret_f64(call)[row] < ((const double *)least->data)[fl_vec_row(least, row)])
                fl_ret_f64(call)[row] = 0;
        }
        fl_arena_rewind(call->heap, mark);
    }
cleanup:
    return st;
}

#define COUNTER(name)                                 \
    static fl_status name(fl_call *call, fl_err *err) \
    {                                                 \
        return run(call, name##_of, NULL, err);       \
    }
#define MEASURE(name)                                 \
    static fl_status name(fl_call *call, fl_err *err) \
    {                                                 \
        return run(call, NULL, name##_of, err);       \
    }
COUNTER(levenshtein)
COUNTER(damerau)
COUNTER(hamming)
MEASURE(jaccard)
MEASURE(jaro)
MEASURE(winkler)

#define COUNTED(name, run_, help) FL_TEXT_FUNC(name, help, {FL_ARGS(FL_UTF8, FL_UTF8), FL_I64, FL_CAN_FAIL, run_})
#define MEASURED(name, run_, help)                                                   \
    FL_TEXT_FUNC(name, help, {FL_ARGS(FL_UTF8, FL_UTF8), FL_F64, FL_CAN_FAIL, run_}, \
                 {FL_ARGS(FL_UTF8, FL_UTF8, FL_F64), FL_F64, FL_CAN_FAIL, run_})

static const fl_func_desc funcs[] = {
    COUNTED("levenshtein", levenshtein, "levenshtein(x, y): characters put in, left out or changed to make x from y"),
    COUNTED("editdist3", levenshtein, "editdist3(x, y): as levenshtein"),
    COUNTED("damerau_levenshtein", damerau,
            "damerau_levenshtein(x, y): as levenshtein, but neighbours that change places count once"),
    COUNTED("hamming", hamming, "hamming(x, y): places at which texts of one length differ"),
    FL_TEXT_FUNC("jaccard", "jaccard(x, y): of the different characters of both texts the part that is in both",
                 {FL_ARGS(FL_UTF8, FL_UTF8), FL_F64, FL_CAN_FAIL, jaccard}),
    MEASURED(
        "jaro_similarity", jaro,
        "jaro_similarity(x, y [, least]): 1 for equal texts, 0 for those with nothing in common, and below `least`"),
    MEASURED("jaro_winkler_similarity", winkler,
             "jaro_winkler_similarity(x, y [, least]): as it, more where both begin alike"),
};

FL_FUNC_SET(distance, funcs);
