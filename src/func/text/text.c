/* Work on long texts in pieces, between which a statement can be stopped (text.h). */
#include "func/text/text.h"

#define FILL_BYTES 65536

fl_status fl_text_find_long(fl_call *call, fl_str text, int64_t from, fl_str wanted, int64_t *ret_at, fl_err *err)
{
    FL_ASSERT(wanted.len > 0 && from >= 0 && from <= text.len);
    int64_t step =
        2 * wanted.len > FL_WORK_STEPS ? 2 * wanted.len : FL_WORK_STEPS; /* looking ahead costs no more than it */
    for (int64_t at = from; text.len - at >= wanted.len; at += step) {
        int64_t left = text.len - at, window = step + wanted.len - 1 < left ? step + wanted.len - 1 : left;
        const char *hit = memmem(text.data + at, (size_t)window, wanted.data, (size_t)wanted.len);
        *ret_at = hit == NULL ? -1 : hit - text.data;
        fl_status st = fl_call_work(call, (hit == NULL ? window : *ret_at - at) + 8, err);
        if (st != FL_OK || hit != NULL)
            return st;
    }
    *ret_at = -1;
    return FL_OK;
}

fl_status fl_text_fill(fl_call *call, char *to, int64_t bytes, fl_str unit, fl_err *err)
{
    FL_ASSERT(unit.len > 0 && bytes >= 0);
    int64_t have = unit.len < bytes ? unit.len : bytes;
    int64_t at_once = unit.len < FILL_BYTES ? FILL_BYTES / unit.len * unit.len : unit.len;
    if (have > 0)
        memcpy(to, unit.data, (size_t)have);
    while (have < bytes) { /* doubling, up to a size that stays in the cache; `have` is a multiple of the unit */
        int64_t copied = have < at_once ? have : at_once;
        copied = copied < bytes - have ? copied : bytes - have;
        memcpy(to + have, to, (size_t)copied);
        have += copied;
        fl_status st = fl_call_work(call, copied / 8, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

fl_status fl_text_prefix_range(fl_arena *arena, fl_str prefix, fl_func_range *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char *bytes = NULL;
    int64_t n = prefix.len;
    if (n == 0)
        return FL_OK;
    FL_TRY(fl_arena_get(arena, 2 * n, (void **)&bytes, err));
    memcpy(bytes, prefix.data, (size_t)n);
    memcpy(bytes + n, prefix.data, (size_t)n);
    ret->low = (fl_value){.type = FL_TYPE(FL_UTF8), .s = {bytes, n}};
    ret->has_low = true;
    while (n > 0 &&
           (uint8_t)prefix.data[n - 1] == UINT8_MAX) /* no text has this byte, but bytes are what is compared */
        n--;
    if (n == 0)
        return FL_OK;
    char *high = bytes + prefix.len;
    high[n - 1] = (char)((uint8_t)high[n - 1] + 1);
    ret->high = (fl_value){.type = FL_TYPE(FL_UTF8), .s = {high, n}};
    ret->has_high = ret->is_high_open = true;
cleanup:
    return st;
}
