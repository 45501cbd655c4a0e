/* Looking at every slot of a vector. Each check names what it missed. */
#include "arrow/vec_check.h"

#include "arrow/bounds.h"
#include "base/utf8.h"

#define BATCH_ROWS_MAX (UINT16_MAX + 1) /* what lists of row numbers reach */
#define BATCH_WORDS_MAX (BATCH_ROWS_MAX / 64)

/* Reads both ends of a piece of memory. The sink is volatile, so that reading is not left out. */
static void touch(const void *data, int64_t bytes)
{
    const volatile uint8_t *at = data;
    if (bytes > 0) {
        (void)at[0];
        (void)at[bytes - 1];
    }
}

static bool is_wanted(const fl_vec *vec, const uint64_t *mask, int64_t row)
{
    return fl_is_valid(mask, row) && fl_is_valid(vec->valid, row);
}

static const char *text_fault(fl_type type, const char *data, int64_t bytes)
{
    return type.id == FL_UTF8 && !fl_utf8_is_valid(data, bytes) ? "a text is no UTF-8" : NULL;
}

static const char *view_fault(fl_type type, const fl_view *view)
{
    static const char zeros[FL_VIEW_INLINE_MAX];
    if (view->len > FL_VIEW_INLINE_MAX) {
        if (memcmp(view->prefix, view->ptr, sizeof(view->prefix)) != 0)
            return "a view's prefix is not its text's";
    } else if (memcmp(fl_view_data(view) + view->len, zeros, FL_VIEW_INLINE_MAX - view->len) != 0) {
        return "a short view's unused bytes are not zero";
    }
    return text_fault(type, fl_view_data(view), view->len);
}

static const char *views_fault(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    const fl_view *views = vec->data;
    const char *fault = vec->width == sizeof(fl_view) ? NULL : "a view is not as wide as one";
    for (int64_t row = 0; row < rows && fault == NULL; row++) {
        if (views[row].len > FL_VIEW_INLINE_MAX)
            touch(views[row].ptr, views[row].len);
        if (is_wanted(vec, mask, row))
            fault = view_fault(vec->type, &views[row]);
    }
    return fault;
}

static int64_t offset_at(const fl_vec *vec, int64_t i)
{
    return vec->width == 8 ? ((const int64_t *)vec->data)[i] : ((const int32_t *)vec->data)[i];
}

static const char *offsets_fault(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    const char *fault = vec->width == 4 || vec->width == 8 ? NULL : "offsets are 32 or 64 bits wide";
    if (fault == NULL && offset_at(vec, 0) < 0)
        fault = "an offset is negative";
    for (int64_t row = 0; row < rows && fault == NULL; row++) {
        int64_t start = offset_at(vec, row), end = offset_at(vec, row + 1);
        if (start > end)
            return "offsets do not ascend";
        if (start == end) /* there may be no characters at all */
            continue;
        touch(vec->chars + start, end - start);
        if (is_wanted(vec, mask, row))
            fault = text_fault(vec->type, vec->chars + start, end - start);
    }
    return fault;
}

/* Dictionaries are larger than batches: of their values those are looked at that have a code here. */
static const char *codes_fault(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    const uint32_t *codes = vec->data;
    const fl_vec *values = vec->child;
    if (values == NULL || values->layout != FL_FLAT || values->valid != NULL || values->type.id != vec->type.id)
        return "a dictionary's values are not flat, null or of another type";
    for (int64_t row = 0; row < rows; row++) {
        int64_t code = codes[row];
        if (code >= vec->child_rows)
            return "a code is beyond its dictionary";
        if (!fl_type_is_string(vec->type) || !is_wanted(vec, mask, row))
            continue;
        fl_str value = fl_vec_str(values, code);
        const char *fault = text_fault(vec->type, value.data, value.len);
        if (fault != NULL)
            return fault;
        if (vec->is_sorted_dict && code > 0 && fl_str_compare(fl_vec_str(values, code - 1), value) >= 0)
            return "a sorted dictionary does not ascend";
    }
    return NULL;
}

static const char *lists_fault(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    const fl_list_entry *entries = vec->data;
    for (int64_t row = 0; row < rows; row++) {
        if (!is_wanted(vec, mask, row))
            continue;
        if (entries[row].start < 0 || entries[row].len < 0)
            return "a list begins or ends in front of its elements";
        if (entries[row].len > 0 && (vec->child == NULL || entries[row].start > vec->child_rows - entries[row].len))
            return "a list ends behind its elements";
    }
    /* of a large table's elements only few are of these rows */
    return vec->child != NULL && vec->child_rows <= 4 * rows + FL_VECTOR_ROWS
               ? fl_vec_fault(vec->child, NULL, vec->child_rows)
               : NULL;
}

/* Digits of decimals and the hours of a day are a promise of whoever stored them. */
static const char *numbers_fault(const fl_vec *vec, int64_t rows)
{
    int32_t width = fl_type_width(vec->type);
    if (vec->width != width && !(vec->type.id == FL_DECIMAL && (vec->width == 8 || vec->width == 16)))
        return "values are not as wide as their type says";
    touch(vec->data, vec->type.id == FL_BOOL ? (rows + 7) / 8 : rows * vec->width);
    return NULL;
}

static const char *constant_fault(const fl_vec *vec)
{
    if (vec->type.id == FL_BOOL) { /* a byte */
        touch(vec->data, 1);
        return fl_is_valid(vec->valid, 0) && *(const uint8_t *)vec->data > 1 ? "a constant bool is neither" : NULL;
    }
    if (!fl_is_valid(vec->valid, 0) && vec->type.id == FL_STRUCT) /* a null may have no fields */
        return NULL;
    fl_vec one = *vec;
    one.layout = FL_FLAT;
    return fl_vec_fault(&one, NULL, 1);
}

/* A row of a null struct may hold anything, as one that is not wanted. */
static const char *fields_fault(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    uint64_t both[BATCH_WORDS_MAX];
    const uint64_t *wanted = mask == NULL ? vec->valid : mask;
    if (vec->child == NULL && vec->type.n_fields > 0)
        return "a struct has no fields";
    if (mask != NULL && vec->valid != NULL) {
        if (fl_bitmap_words(rows) > BATCH_WORDS_MAX)
            return "a mask is of more rows than a batch has";
        for (int64_t w = 0; w < fl_bitmap_words(rows); w++)
            both[w] = mask[w] & vec->valid[w];
        wanted = both;
    }
    for (int32_t f = 0; f < vec->type.n_fields; f++) {
        const fl_vec *field = &vec->child[f];
        const char *fault = field->type.id == vec->type.fields[f].type.id ? fl_vec_fault(field, wanted, rows)
                                                                          : "a field is of another type";
        if (fault != NULL)
            return fault;
    }
    return NULL;
}

static const char *values_fault(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    if (vec->type.id == FL_NULL)
        return NULL;
    if (vec->type.id == FL_STRUCT)
        return fields_fault(vec, mask, rows);
    if (vec->data == NULL)
        return "there are rows and no data";
    if (vec->layout == FL_DICT)
        return codes_fault(vec, mask, rows);
    if (fl_type_is_string(vec->type))
        return vec->form == FL_VIEWS ? views_fault(vec, mask, rows) : offsets_fault(vec, mask, rows);
    return vec->type.id == FL_LIST ? lists_fault(vec, mask, rows) : numbers_fault(vec, rows);
}

const char *fl_vec_fault(const fl_vec *vec, const uint64_t *mask, int64_t rows)
{
    if (vec->type.id >= FL_TYPE_COUNT || vec->layout > FL_DICT || vec->form > FL_OFFSETS)
        return "the type, layout or form is none";
    if (rows == 0)
        return NULL;
    if (vec->layout == FL_CONST)
        return constant_fault(vec);
    if (vec->valid != NULL)
        touch(vec->valid, fl_bitmap_words(rows) * 8);
    const char *fault = values_fault(vec, mask, rows);
    if (fault == NULL && !fl_vec_bounds_hold(vec, mask, rows))
        fault = "a value is out of proved bounds";
    return fault;
}

const char *fl_batch_fault(const fl_batch *batch)
{
    if (batch->rows < 0 || batch->rows > BATCH_ROWS_MAX || batch->kept < 0 || batch->kept > batch->rows)
        return "rows or kept rows are out of range";
    if (batch->mask == NULL && batch->kept != batch->rows)
        return "all rows are kept, and are not";
    if (batch->mask != NULL) {
        if (fl_bitmap_count(batch->mask, batch->rows) != batch->kept)
            return "the mask has not as many ones as rows are kept";
        if (fl_bitmap_count(batch->mask, fl_bitmap_words(batch->rows) * 64) != batch->kept)
            return "the mask has ones behind its rows";
    }
    const char *fault = NULL;
    for (int32_t c = 0; c < batch->cols && fault == NULL; c++)
        fault = fl_vec_fault(&batch->vec[c], batch->mask, batch->rows);
    return fault;
}

const char *fl_list_fault(const uint16_t *list, int32_t count, int32_t rows)
{
    for (int32_t i = 0; i < count; i++)
        if (list[i] >= rows || (i > 0 && list[i] <= list[i - 1]))
            return "row numbers do not ascend, or are beyond the rows";
    return NULL;
}
