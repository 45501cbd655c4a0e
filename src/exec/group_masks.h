/* A batch's rows by group, where there are few groups in it: a bitmap for each. Aggregates that are cheap under a mask (sums in
 * 64 bits, counts) then run once a group over whole columns, instead of once a row through a pointer to its state. */
#ifndef FL_EXEC_GROUP_MASKS_H
#define FL_EXEC_GROUP_MASKS_H

#include "base/arena.h"

#define FL_GROUP_MASKS_MAX 8

typedef struct fl_group_masks {
    int32_t n;                           /* groups; 0: there are more than FL_GROUP_MASKS_MAX */
    uint8_t *groups[FL_GROUP_MASKS_MAX]; /* their rows */
    uint64_t *masks[FL_GROUP_MASKS_MAX]; /* of the batch's rows; the tail is 0 */
} fl_group_masks;

/** Splits row list[i], whose group is groups[i], for i in 0 .. count; the batch has `rows` rows. Bitmaps lie in the arena.
 *  Cost: a pass over `groups` per group found. */
fl_status fl_group_masks_split(uint8_t *const *groups, const uint16_t *list, int32_t count, int32_t rows,
                               fl_arena *arena, fl_group_masks *ret, fl_err *err);

/** Bits of the groups[i] that are `group`, for i in 0 .. rows; the tail is 0. One loop per instruction set. */
typedef void (*fl_group_masks_run)(uint8_t *const *groups, const uint8_t *group, int32_t rows, uint64_t *bits);

extern const fl_group_masks_run fl_group_masks_kernel_baseline, fl_group_masks_kernel_avx2,
    fl_group_masks_kernel_avx512;

#endif
