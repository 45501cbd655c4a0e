/* Vectors and batches: how columns move through the engine.
 *
 * A vector is up to a batch's worth of values of one type, borrowed from whoever made it: a source's batch and all that
 * it points to is valid until the source makes its next batch on that worker; sinks copy what they keep. So no reference
 * is counted on the way.
 *
 *   layout     data                                            used for
 *   FL_FLAT    width bytes a row (bool: bits)                   everything
 *   FL_CONST   one value (row 0), for all rows                  literals, parameters, all-NULL columns
 *   FL_DICT    a uint32 code a row into child (FL_FLAT)         strings from Parquet, results of functions of them
 *
 * Strings lie flat in two forms: FL_VIEWS (fl_view, 16 bytes) and FL_OFFSETS (Arrow's int32 offsets into `chars`, as
 * imported, untouched); offsets are 64 bits wide where width is 8. Read one with fl_vec_str().
 *
 * validity: NULL = no nulls, else a bit a row (row 0 at bit 0), 1 = valid. In a dictionary vector the codes' validity
 * decides; dictionary values themselves are never null. Slots of null rows hold any bytes, but are safe to read: views
 * of null rows have length 0 or point to live memory, codes are in range.
 *
 * A selection is `mask`: NULL = all rows, else a bitmap. Kernels work on all rows and masks; where rows are gathered,
 * the mask becomes a list of 16-bit row numbers (fl_bitmap_to_list). A filter that keeps few rows compacts its batch. */
#ifndef FL_ARROW_VEC_H
#define FL_ARROW_VEC_H

#include "arrow/type.h"
#include "base/bitmap.h"
#include "base/buffer.h"

#define FL_VECTOR_ROWS 2048 /* default rows of a batch; a session may set fewer */
#define FL_VECTOR_ROWS_MAX \
    16384 /* where calls that cost much by themselves want many at once; row numbers of 16 bits hold them */

typedef enum fl_layout { FL_FLAT, FL_CONST, FL_DICT } fl_layout;
typedef enum fl_string_form { FL_VIEWS, FL_OFFSETS } fl_string_form;

/* A string value of 16 bytes: up to 12 bytes lie inside, longer ones are pointed to; the first four are always inside,
 * so that most comparisons end there (Neumann & Freitag 2020, "Umbra"). */
typedef struct fl_view {
    uint32_t len;
    char prefix[4];
    union {
        char rest[8];
        const char *ptr;
    };
} fl_view;

#define FL_VIEW_INLINE_MAX 12

static inline const char *fl_view_data(const fl_view *view)
{
    return view->len <= FL_VIEW_INLINE_MAX ? view->prefix : view->ptr;
}

static inline fl_str fl_view_str(const fl_view *view)
{
    return (fl_str){fl_view_data(view), view->len};
}

/** A view of bytes that outlive it (short ones are copied inside). Unused bytes are zero, so that equal short strings
 *  have equal 16 bytes. */
static inline fl_view fl_view_of(const char *data, int64_t len)
{
    fl_view view = {.len = (uint32_t)len};
    if (len <= FL_VIEW_INLINE_MAX) {
        if (len > 0)
            memcpy(view.prefix, data, (size_t)len);
    } else {
        memcpy(view.prefix, data, 4);
        view.ptr = data;
    }
    return view;
}

static inline bool fl_view_is_equal(const fl_view *a, const fl_view *b)
{
    uint64_t head_a, head_b;
    memcpy(&head_a, a, 8);
    memcpy(&head_b, b, 8);
    if (head_a != head_b)
        return false;
    if (a->len <= FL_VIEW_INLINE_MAX)
        return memcmp(a->rest, b->rest, 8) == 0;
    return a->ptr == b->ptr || memcmp(a->ptr + 4, b->ptr + 4, a->len - 4) == 0;
}

static inline int fl_view_compare(const fl_view *a, const fl_view *b)
{
    uint32_t prefix_a, prefix_b;
    memcpy(&prefix_a, a->prefix, 4);
    memcpy(&prefix_b, b->prefix, 4);
    if (prefix_a != prefix_b) {
        prefix_a = __builtin_bswap32(prefix_a);
        prefix_b = __builtin_bswap32(prefix_b);
        return prefix_a < prefix_b ? -1 : 1;
    }
    return fl_str_compare(fl_view_str(a), fl_view_str(b));
}

typedef struct fl_vec {
    fl_type type;
    uint8_t layout;
    uint8_t form;        /* flat strings: fl_string_form */
    uint8_t width;       /* bytes of a stored value: canonical, but decimals of any precision may be stored in 8 */
    bool is_sorted_dict; /* dictionary values ascend */
    const void *data;
    const uint64_t *valid;
    const char *chars;          /* FL_OFFSETS: the characters */
    const struct fl_vec *child; /* dictionary values; list elements; struct fields (type.n_fields of them) */
    int64_t child_rows;         /* values in the dictionary, elements in the list child */
    uint64_t dict_id;           /* equal ids mean the same dictionary (never 0), for caches of per-value results */
    bool has_bounds;            /* proved: the values of valid rows lie in [low, high]; see arrow/bounds.h */
    int64_t low, high;
} fl_vec;

/** A dictionary identity that no other dictionary of this process has. */
uint64_t fl_dict_id_new(void);

/** Row of the data that row i uses: 0 in a constant. */
static inline int64_t fl_vec_row(const fl_vec *vec, int64_t i)
{
    return vec->layout == FL_CONST ? 0 : i;
}

static inline bool fl_vec_is_valid(const fl_vec *vec, int64_t i)
{
    return vec->valid == NULL || fl_bit_get(vec->valid, fl_vec_row(vec, i));
}

/** The string in row i, whatever the layout and form. Row must be valid. */
static inline fl_str fl_vec_str(const fl_vec *vec, int64_t i)
{
    i = fl_vec_row(vec, i);
    if (vec->layout == FL_DICT) {
        i = ((const uint32_t *)vec->data)[i];
        vec = vec->child;
    }
    if (vec->form == FL_VIEWS)
        return fl_view_str((const fl_view *)vec->data + i);
    if (vec->width == 8) {
        const int64_t *at = (const int64_t *)vec->data + i;
        return (fl_str){vec->chars + at[0], at[1] - at[0]};
    }
    const int32_t *at = (const int32_t *)vec->data + i;
    return (fl_str){vec->chars + at[0], at[1] - at[0]};
}

/** As a view; points into the vector's memory. */
static inline fl_view fl_vec_view(const fl_vec *vec, int64_t i)
{
    int64_t row = fl_vec_row(vec, i);
    if (vec->layout == FL_DICT) {
        row = ((const uint32_t *)vec->data)[row];
        vec = vec->child;
    }
    if (vec->form == FL_VIEWS)
        return ((const fl_view *)vec->data)[row];
    fl_str s = fl_vec_str(vec, row);
    return fl_view_of(s.data, s.len);
}

/** A flat or constant decimal or integer's value, widened. Not for other layouts and types. */
static inline fl_i128 fl_vec_i128(const fl_vec *vec, int64_t i)
{
    i = fl_vec_row(vec, i);
    return vec->width == 16 ? ((const fl_i128 *)vec->data)[i] : ((const int64_t *)vec->data)[i];
}

typedef struct fl_batch {
    int32_t rows; /* physical rows */
    int32_t cols;
    fl_vec *vec;          /* [cols], borrowed */
    const uint64_t *mask; /* NULL = all rows; bits past rows are 0 */
    int32_t kept;         /* ones in mask; rows where mask is NULL */
} fl_batch;

/** Sets vec to a constant: value bytes (width of the type; bool: a byte 0/1; string: fl_view) borrowed, or NULL for null. */
void fl_vec_set_const(fl_vec *vec, fl_type type, const void *value);

/** Sets vec to flat data in canonical width, borrowed. Strings: views. */
void fl_vec_set_flat(fl_vec *vec, fl_type type, const void *data, const uint64_t *valid);

/** Rewrites `from` as FL_FLAT with canonical width (strings: views) in arena memory; a vector that already is so is
 *  passed as it is. Nested types: entries and children stay, dictionary and constant layouts are resolved. */
fl_status fl_vec_flatten(fl_arena *arena, const fl_vec *from, int64_t rows, fl_vec *ret, fl_err *err);

/** Rows `list[0 .. count)` of `from` as a flat (or dictionary, or constant) vector in arena memory. */
fl_status fl_vec_gather(fl_arena *arena, const fl_vec *from, const uint16_t *list, int32_t count, fl_vec *ret,
                        fl_err *err);

/** As fl_vec_gather with 32-bit row numbers; a negative row gives NULL. */
fl_status fl_vec_gather32(fl_arena *arena, const fl_vec *from, const int32_t *list, int64_t count, fl_vec *ret,
                          fl_err *err);

/** Rows `start .. start+count` of `from`, sharing its memory where start is a multiple of 64 or there are no bits;
 *  else bits are copied to the arena. */
fl_status fl_vec_slice(fl_arena *arena, const fl_vec *from, int64_t start, int64_t count, fl_vec *ret, fl_err *err);

#endif
