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
