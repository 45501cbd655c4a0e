/* Sets of characters as small hash tables. */
#include "func/text/char_set.h"

static fl_char_set_entry *place_of(const fl_char_set *set, uint32_t code)
{
    uint64_t i = (code * 0x9E3779B97F4A7C15ull >> 32) & set->mask;
    while (set->entries[i].code != 0 && set->entries[i].code != code + 1)
        i = (i + 1) & set->mask;
    return &set->entries[i];
}

fl_status fl_char_set_make(fl_call *call, fl_str from, fl_str to, fl_char_set *set, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t slots = 16, n = fl_utf8_count(from.data, from.len);
    if (set->is_made && from.data == set->from.data && from.len == set->from.len && to.data == set->to.data &&
        to.len == set->to.len)
        return FL_OK;
    while (slots < 2 * n)
        slots *= 2;
    *set = (fl_char_set){.from = from, .to = to, .mask = (uint64_t)slots - 1};
    FL_TRY(FL_NEW_ARRAY(call->heap, slots, &set->entries, err));
    for (int64_t i = 0, at = 0; i < from.len;) {
        int width, step = at < to.len ? fl_utf8_width(to.data + at, to.len - at) : 0;
        uint32_t code = fl_utf8_decode(from.data + i, from.len - i, &width);
        fl_char_set_entry *entry = place_of(set, code);
        if (entry->code == 0)
            *entry = (fl_char_set_entry){.code = code + 1, .width = (uint32_t)step, .at = at};
        i += width;
        at += step;
        FL_TRY(fl_call_work(call, 8, err));
    }
    set->is_made = true;
cleanup:
    return st;
}

bool fl_char_set_find(const fl_char_set *set, uint32_t code, fl_str *ret_to)
{
    const fl_char_set_entry *entry = place_of(set, code);
    if (entry->code == 0)
        return false;
    *ret_to =
        entry->width > 0 ? (fl_str){set->to.data + entry->at, entry->width} : FL_STR(""); /* there may be no `to` */
    return true;
}
