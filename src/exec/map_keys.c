/* Keys that are null or stand twice, by hash (map_keys.h). */
#include "exec/map_keys.h"

#include "arrow/value.h"

fl_status fl_map_faulty_key(fl_call *call, const fl_vec *keys, fl_list_entry entries, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena_mark mark = fl_arena_mark_get(call->heap);
    int32_t *slots = NULL; /* number of a key, from one */
    fl_value *values = NULL;
    uint64_t mask = 1;
    *ret = -1;
    while (mask < (uint64_t)entries.len * 2)
        mask *= 2;
    FL_TRY(FL_NEW_ARRAY(call->heap, (int64_t)mask, &slots, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, entries.len + 1, &values, err));
    mask--;
    for (int32_t i = 0; i < entries.len && *ret < 0; i++) {
        int64_t row = (int64_t)entries.start + i;
        FL_TRY(fl_call_work(call, 16, err));
        FL_TRY(fl_value_from_vec(call->heap, keys, row, &values[i], err));
        if (values[i].is_null) {
            *ret = row;
            break;
        }
        uint64_t slot = fl_value_hash(&values[i]) & mask;
        for (; slots[slot] > 0 && *ret < 0; slot = (slot + 1) & mask)
            if (fl_value_compare(&values[slots[slot] - 1], &values[i]) == 0)
                *ret = row;
        slots[slot] = i + 1;
    }
cleanup:
    fl_arena_rewind(call->heap, mark);
    return st;
}

fl_status fl_map_fail_key(fl_call *call, const fl_vec *keys, int64_t row, fl_err *err)
{
    fl_value key;
    fl_text text;
    fl_status st = fl_value_from_vec(call->heap, keys, row, &key, err);
    if (st != FL_OK)
        return st;
    if (key.is_null)
        return fl_err_state(err, "22004", FL_FAIL(err, FL_ERR_VALUE, "a key of a map cannot be null"));
    fl_text_init(&text, NULL);
    fl_value_print(&text, &key);
    st = FL_FAIL(err, FL_ERR_VALUE, "a map has the key %.*s twice", (int)(text.len > 100 ? 100 : text.len),
                 text.data == NULL ? "" : text.data);
    fl_text_drop(&text);
    return fl_err_state(err, "22023", st);
}
