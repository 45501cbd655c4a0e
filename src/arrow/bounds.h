/* Bounds: an interval that holds a column's or expression's values, as whole numbers of the stored representation (decimals
 * unscaled, dates as days); only for integers, decimals, dates and times.
 *
 * Two kinds are never mixed up. A vector's bounds are proofs: of constants, of zone maps that we computed ourselves, measured
 * on the data, or derived from such by the functions; kernels leave checks out because of them. Bounds of statistics are
 * hints as good as the file that they come from: they skip zones and size tables, and nothing breaks when they are wrong.
 *
 *     fl_bounds sum = fl_expr_bounds_step(call, args);           what a + b lies between
 *     if (fl_bounds_fit(sum, call->type))                        then it cannot overflow
 *         fl_vec_set_bounds(ret, sum); */
#ifndef FL_ARROW_BOUNDS_H
#define FL_ARROW_BOUNDS_H

#include "arrow/value.h"

typedef struct fl_bounds {
    bool is_known;
    fl_i128 low;
    fl_i128 high;
} fl_bounds;

/** Whether values of the type are whole numbers that can have bounds. */
bool fl_bounds_apply(fl_type type);

/** Of all that a vector of the type can store. Decimals: unknown, their precision is a promise of whoever stored them. */
fl_bounds fl_bounds_of_type(fl_type type);

/** Between two values of one type, from which both may be the same. Unknown for nulls and where bounds do not apply. */
fl_bounds fl_bounds_of_values(const fl_value *min, const fl_value *max);

/** What holds both; unknown when one is. */
fl_bounds fl_bounds_hull(fl_bounds a, fl_bounds b);

/** Whether every value within is one of the type: its range, or a decimal's precision. */
bool fl_bounds_fit(fl_bounds bounds, fl_type type);

/** What a vector's valid rows lie between: its own bounds, else its type's. */
fl_bounds fl_vec_bounds(const fl_vec *vec);

/** Notes proved bounds; those beyond 64 bits are forgotten. */
void fl_vec_set_bounds(fl_vec *vec, fl_bounds bounds);

/** Looks at all rows of a flat vector, null slots too (so the bounds may be wider than need be), and notes what they lie
 *  between. Does nothing where that is known, or values are not of 64 bits or fewer. Cost: about 0.1 ns a row. */
void fl_vec_measure(fl_vec *vec, int64_t rows);

/** Whether the noted bounds hold for valid rows of the mask (NULL: all). For assertions. */
bool fl_vec_bounds_hold(const fl_vec *vec, const uint64_t *mask, int64_t rows);

/* The loops behind fl_vec_measure, one set per instruction set (bounds_simd.c). By log2 of the width; rows > 0. */
typedef struct fl_bounds_kernels {
    void (*of_signed[4])(const void *data, int64_t rows, int64_t *ret_low, int64_t *ret_high);
    void (*of_unsigned[4])(const void *data, int64_t rows, uint64_t *ret_low, uint64_t *ret_high);
} fl_bounds_kernels;

extern const fl_bounds_kernels fl_bounds_kernels_baseline, fl_bounds_kernels_avx2, fl_bounds_kernels_avx512;

#endif
