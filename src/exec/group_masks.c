/* Groups are taken out one by one: the first row that has none yet names the next group. */
#include "exec/group_masks.h"

#include "base/bitmap.h"
#include "base/simd.h"

fl_status fl_group_masks_split(uint8_t *const *groups, const uint16_t *list, int32_t count, int32_t rows,
                               fl_arena *arena, fl_group_masks *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_group_masks_run run = *FL_SIMD_CHOOSE(fl_group_masks_kernel);
    int64_t words = fl_bitmap_words(rows);
    uint8_t **by_row = NULL;
    uint64_t *left = NULL;
    ret->n = 0;
    if (count == 0)
        return FL_OK;
    if (count < rows) { /* rows that are not in the list belong to no group */
        FL_TRY(fl_arena_get_zero(arena, rows * 8, (void **)&by_row, err));
        for (int32_t i = 0; i < count; i++)
            by_row[list[i]] = groups[i];
        groups = by_row;
    }
    FL_TRY(fl_arena_get(arena, words * 8, (void **)&left, err));
    if (by_row != NULL) {
        run(groups, NULL, rows, left);
        for (int64_t w = 0; w < words; w++)
            left[w] = ~left[w];
    } else {
        fl_bitmap_fill(left, rows, true);
    }
    left[words - 1] &= fl_bitmap_tail(rows);
    int32_t n = 0;
    FL_ASSERT(groups != NULL);
    for (int64_t w = 0; w < words;) {
        if (left[w] == 0) {
            w++;
            continue;
        }
        if (n == FL_GROUP_MASKS_MAX)
            return FL_OK;
        ret->groups[n] = groups[w * 64 + __builtin_ctzll(left[w])];
        FL_TRY(fl_arena_get(arena, words * 8, (void **)&ret->masks[n], err));
        run(groups, ret->groups[n], rows, ret->masks[n]);
        for (int64_t v = w; v < words; v++) {
            FL_ASSERT_SLOW((left[v] & ret->masks[n][v]) == ret->masks[n][v]); /* no row has two groups */
            left[v] &= ~ret->masks[n][v];
        }
        n++;
    }
    ret->n = n;
cleanup:
    return st;
}
