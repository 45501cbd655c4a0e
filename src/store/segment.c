/* Segments and their builder. Columns grow in buffers; nested columns have builders for their children. */
#include "store/segment.h"

#include "arrow/vec_extremes.h"
#include "arrow/vec_check.h"
#include "base/hash.h"

#define DICT_VALUES_MAX 4096 /* string columns with fewer distinct values become dictionaries */
#define DICT_SLOTS (DICT_VALUES_MAX * 4)
#define DICT_KNOWN_MAX 65536 /* values of a dictionary whose codes are remembered */

typedef struct column {
    fl_type type;
    bool is_offsets;
    int64_t rows;
    int64_t nulls;
    fl_buffer *data;  /* values; bits; views; int32 offsets (rows + 1); uint32 codes while is_dict */
    fl_buffer *valid; /* made with the first null */
    fl_buffer *chars; /* offsets: characters */
    int64_t n_chars;
    bool is_dict;    /* table strings: codes so far */
    fl_view *values; /* [DICT_VALUES_MAX] */
    int32_t n_values;
    uint16_t *slots;      /* [DICT_SLOTS]: value number + 1 */
    uint64_t known_id;    /* of the dictionary that rows came in last, */
    int32_t *known_codes; /* and the codes of its values here; -1: not met yet */
    int64_t known_capacity;
    struct column *children;
    int32_t n_children;
} column;

struct fl_segment_builder {
    fl_memory *memory;
    fl_segment_use use;
    int32_t n_cols;
    column *cols;
    fl_arena heap; /* strings and dictionaries; moves into the segment */
    int64_t rows;
};

fl_segment *fl_segment_ref(fl_segment *segment)
{
    atomic_fetch_add_explicit(&segment->refs, 1, memory_order_relaxed);
    return segment;
}

void fl_segment_unref(fl_segment *segment)
{
    if (segment == NULL || atomic_fetch_sub_explicit(&segment->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (segment->release != NULL)
        segment->release(segment);
    for (int32_t i = 0; segment->buffers != NULL && i < segment->n_cols * 3; i++)
        fl_buffer_unref(segment->buffers[i]);
    for (int32_t i = 0; segment->owners != NULL && i < segment->n_cols; i++)
        fl_segment_unref(segment->owners[i]);
    fl_arena_drop(&segment->arena);
    fl_free(segment);
}

fl_status fl_segment_list_add(fl_memory *memory, fl_segment ***list, int64_t *n, int64_t *capacity, fl_segment *segment,
                              fl_err *err)
{
    fl_status st = fl_grow(memory, (void **)list, capacity, *n + 1, (int64_t)sizeof(**list), err);
    if (st == FL_OK)
        (*list)[(*n)++] = segment;
    else
        fl_segment_unref(segment);
    return st;
}

fl_status fl_segment_new(fl_memory *memory, int32_t n_cols, fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *segment = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*segment), (void **)&segment, err));
    atomic_store(&segment->refs, 1);
    segment->n_cols = n_cols;
    fl_arena_init(&segment->arena, memory);
    FL_TRY(FL_NEW_ARRAY(&segment->arena, n_cols + 1, &segment->vecs, err));
    FL_TRY(FL_NEW_ARRAY(&segment->arena, n_cols + 1, &segment->min, err));
    FL_TRY(FL_NEW_ARRAY(&segment->arena, n_cols + 1, &segment->max, err));
    FL_TRY(FL_NEW_ARRAY(&segment->arena, n_cols + 1, &segment->nulls, err));
    FL_TRY(FL_NEW_ARRAY(&segment->arena, n_cols + 1, &segment->order, err));
    FL_TRY(FL_NEW_ARRAY(&segment->arena, n_cols * 3 + 1, &segment->buffers, err));
    for (int32_t i = 0; i < n_cols; i++) {
        segment->min[i].is_null = segment->max[i].is_null = true;
        segment->nulls[i] = -1;
    }
    *ret = segment;
    return FL_OK;
cleanup:
    fl_segment_unref(segment);
    return st;
}

/* ---- sharing ------------------------------------------------------------------------------------------------------ */

/* Nulls of the column among the rows that were not deleted. */
static int64_t count_nulls(const fl_segment *segment, int32_t c)
{
    const fl_vec *vec = &segment->vecs[c];
    int64_t nulls = 0, rows = fl_segment_live_rows(segment);
    if (vec->type.id == FL_NULL)
        return rows;
    if (vec->valid == NULL)
        return 0;
    if (vec->layout == FL_CONST)
        return fl_bit_get(vec->valid, 0) ? 0 : rows;
    if (segment->live == NULL)
        return rows - fl_bitmap_count(vec->valid, rows);
    for (int64_t w = 0; w < fl_bitmap_words(segment->rows); w++)
        nulls += __builtin_popcountll(segment->live[w] & ~vec->valid[w]);
    return nulls;
}

#if defined(FLETCH_SLOW_ASSERTS)
/* Whether all ones of a map are ones of another (NULL: it has all). */
static bool is_part_of(const uint64_t *map, const uint64_t *other, int64_t words)
{
    for (int64_t w = 0; w < words && other != NULL; w++)
        if ((map[w] & ~other[w]) != 0)
            return false;
    return true;
}
#endif

fl_status fl_segment_share(fl_memory *memory, fl_segment *segment, fl_segment *const *columns, const uint64_t *live,
                           fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *made = NULL;
    uint64_t *copy = NULL;
    int64_t words = fl_bitmap_words(segment->rows);
    FL_TRY(fl_segment_new(memory, segment->n_cols, &made, err));
    made->rows = segment->rows;
    live = live != NULL ? live : segment->live;
    if (live != NULL) {
        FL_TRY(FL_NEW_ARRAY(&made->arena, words + 1, &copy, err));
        memcpy(copy, live, (size_t)words * 8);
        copy[words - 1] &= fl_bitmap_tail(segment->rows);
        FL_ASSERT_SLOW(is_part_of(copy, segment->live, words)); /* what was deleted does not come back */
        made->live = copy;
        made->n_deleted = made->rows - fl_bitmap_count(copy, made->rows);
    }
    FL_TRY(FL_NEW_ARRAY(&made->arena, segment->n_cols + 1, &made->owners, err));
    for (int32_t c = 0; c < segment->n_cols; c++) {
        bool is_new = columns != NULL && columns[c] != NULL;
        fl_segment *from = is_new ? columns[c] : segment;
        int32_t at = is_new ? 0 : c;
        FL_ASSERT(from->rows == segment->rows && from->vecs[at].type.id == segment->vecs[c].type.id);
        made->vecs[c] = from->vecs[at];
        made->min[c] = from->min[at];
        made->max[c] = from->max[at];
        made->order[c] = from->order[at];
        made->nulls[c] = from->nulls[at] <= 0 && !is_new ? from->nulls[at] : count_nulls(made, c);
        made->owners[c] = fl_segment_ref(from->owners != NULL ? from->owners[at] : from);
    }
    *ret = made;
    return FL_OK;
cleanup:
    fl_segment_unref(made);
    return st;
}

/* ---- building ----------------------------------------------------------------------------------------------------- */

static fl_status init_column(fl_segment_builder *b, column *c, fl_type type, fl_err *err)
{
    fl_status st = FL_OK;
    *c = (column){.type = type};
    if (fl_type_is_string(type)) {
        c->is_offsets = b->use == FL_SEGMENT_RESULT;
        c->is_dict = !c->is_offsets && type.id == FL_UTF8;
    }
    if (type.n_fields > 0) {
        c->n_children = type.n_fields;
        FL_TRY(fl_alloc_zero(b->memory, type.n_fields * (int64_t)sizeof(column), (void **)&c->children, err));
        for (int32_t i = 0; i < type.n_fields; i++)
            FL_TRY(init_column(b, &c->children[i], type.fields[i].type, err));
    }
cleanup:
    return st;
}

static void drop_column(column *c)
{
    for (int32_t i = 0; c->children != NULL && i < c->n_children; i++)
        drop_column(&c->children[i]);
    fl_free(c->children);
    fl_buffer_unref(c->data);
    fl_buffer_unref(c->valid);
    fl_buffer_unref(c->chars);
    fl_free(c->values);
    fl_free(c->slots);
    fl_free(c->known_codes);
    *c = (column){.type = c->type};
}

fl_status fl_segment_builder_new(fl_memory *memory, const fl_type *types, int32_t n_cols, fl_segment_use use,
                                 fl_segment_builder **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment_builder *b = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*b), (void **)&b, err));
    b->memory = memory;
    b->use = use;
    fl_arena_init(&b->heap, memory);
    FL_TRY(fl_alloc_zero(memory, (n_cols + 1) * (int64_t)sizeof(column), (void **)&b->cols, err));
    b->n_cols = n_cols;
    for (int32_t i = 0; i < n_cols; i++)
        FL_TRY(init_column(b, &b->cols[i], types[i], err));
    *ret = b;
    return FL_OK;
cleanup:
    fl_segment_builder_free(b);
    return st;
}

void fl_segment_builder_free(fl_segment_builder *b)
{
    if (b == NULL)
        return;
    for (int32_t i = 0; b->cols != NULL && i < b->n_cols; i++)
        drop_column(&b->cols[i]);
    fl_free(b->cols);
    fl_arena_drop(&b->heap);
    fl_free(b);
}

static fl_status reserve(fl_segment_builder *b, fl_buffer **buffer, int64_t bytes, fl_err *err)
{
    if (*buffer == NULL)
        return fl_buffer_new(b->memory, bytes < 256 ? 256 : bytes, buffer, err);
    return fl_buffer_grow(buffer, bytes, err);
}

#define ROW(i) (list != NULL ? (int64_t)list[i] : (int64_t)(i))

/* Whether n (≤ 64) rows from a multiple of 64 on are valid; no other bits. */
static uint64_t valid_word(const fl_vec *vec, const int32_t *list, int64_t start, int64_t n)
{
    uint64_t all = fl_bitmap_tail(n), word = 0;
    if (vec->type.id == FL_NULL)
        return 0;
    if (vec->valid == NULL)
        return all;
    if (vec->layout == FL_CONST)
        return fl_bit_get(vec->valid, 0) ? all : 0;
    if (list == NULL)
        return vec->valid[start >> 6] & all;
    for (int64_t i = 0; i < n; i++)
        word |= (uint64_t)fl_bit_get(vec->valid, list[start + i]) << i;
    return word;
}

/* Puts n (1 to 64) bits at a place; bits behind them may change. */
static void put_bits(uint64_t *map, int64_t at, uint64_t word, int64_t n)
{
    int64_t shift = at & 63;
    uint64_t *to = &map[at >> 6], kept = ((uint64_t)1 << shift) - 1;
    to[0] = (to[0] & kept) | word << shift;
    if (shift + n > 64)
        to[1] = word >> (64 - shift);
}

static fl_status add_validity(fl_segment_builder *b, column *c, const fl_vec *vec, const int32_t *list, int64_t count,
                              fl_err *err)
{
    bool all_null = vec->type.id == FL_NULL;
    if (vec->valid == NULL && !all_null && c->valid == NULL)
        return FL_OK;
    int64_t old = c->valid == NULL ? 0 : c->valid->bytes;
    fl_status st = reserve(b, &c->valid, fl_bitmap_words(c->rows + count) * 8, err);
    if (st != FL_OK)
        return st;
    if (old == 0) /* no nulls until now */
        memset(c->valid->data, 0xFF, (size_t)c->valid->bytes);
    else if (c->valid->bytes > old)
        memset(c->valid->data + old, 0xFF, (size_t)(c->valid->bytes - old));
    uint64_t *map = (uint64_t *)c->valid->data;
    for (int64_t i = 0; i < count; i += 64) {
        int64_t n = count - i < 64 ? count - i : 64;
        uint64_t word = valid_word(vec, list, i, n);
        put_bits(map, c->rows + i, word, n);
        c->nulls += n - __builtin_popcountll(word);
    }
    return FL_OK;
}

static fl_status to_views(fl_segment_builder *b, column *c, fl_err *err)
{
    fl_status st = FL_OK;
    fl_buffer *views = NULL;
    FL_TRY(fl_buffer_new(b->memory, c->rows * 16 + 4096, &views, err));
    for (int64_t i = 0; i < c->rows; i++)
        ((fl_view *)views->data)[i] = c->values[((uint32_t *)c->data->data)[i]];
    fl_buffer_unref(c->data);
    c->data = views;
    c->is_dict = false;
    fl_free(c->slots);
    c->slots = NULL;
cleanup:
    return st;
}

static fl_status copy_view(fl_segment_builder *b, fl_view *view, fl_err *err)
{
    char *copy = NULL;
    if (view->len <= FL_VIEW_INLINE_MAX)
        return FL_OK;
    fl_status st = fl_arena_get(&b->heap, view->len, (void **)&copy, err);
    if (st == FL_OK) {
        memcpy(copy, view->ptr, view->len);
        view->ptr = copy;
    }
    return st;
}

/* The dictionary's number for a value; -1 when it is full. */
static fl_status dict_code(fl_segment_builder *b, column *c, fl_view view, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (c->slots == NULL) {
        FL_TRY(fl_alloc_zero(b->memory, DICT_SLOTS * 2, (void **)&c->slots, err));
        FL_TRY(fl_alloc(b->memory, DICT_VALUES_MAX * (int64_t)sizeof(fl_view), (void **)&c->values, err));
    }
    uint32_t slot = (uint32_t)fl_hash_str(fl_view_data(&view), view.len, 0) & (DICT_SLOTS - 1);
    for (; c->slots[slot] != 0; slot = (slot + 1) & (DICT_SLOTS - 1))
        if (fl_view_is_equal(&c->values[c->slots[slot] - 1], &view)) {
            *ret = c->slots[slot] - 1;
            return FL_OK;
        }
    *ret = -1;
    if (c->n_values == DICT_VALUES_MAX)
        return FL_OK;
    FL_TRY(copy_view(b, &view, err));
    c->values[c->n_values] = view;
    *ret = c->n_values++;
    c->slots[slot] = (uint16_t)c->n_values;
cleanup:
    return st;
}

/* Gets ready to remember the codes of the vector's dictionary; *ret NULL: it has none, or too many values. */
static fl_status remember_codes(fl_segment_builder *b, column *c, const fl_vec *vec, int32_t **ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = NULL;
    if (vec->layout != FL_DICT || vec->dict_id == 0 || vec->child_rows > DICT_KNOWN_MAX)
        return FL_OK;
    if (c->known_id != vec->dict_id) {
        c->known_id = 0;
        FL_TRY(fl_grow(b->memory, (void **)&c->known_codes, &c->known_capacity, vec->child_rows,
                       (int64_t)sizeof(*c->known_codes), err));
        memset(c->known_codes, 0xFF, (size_t)vec->child_rows * sizeof(*c->known_codes));
        c->known_id = vec->dict_id;
    }
    *ret = c->known_codes;
cleanup:
    return st;
}

/* Adds codes of rows until the dictionary is full; *ret_done: how many. */
static fl_status add_codes(fl_segment_builder *b, column *c, const fl_vec *vec, const int32_t *list, int64_t count,
                           int64_t *ret_done, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *known = NULL;
    FL_TRY(reserve(b, &c->data, (c->rows + count) * 4, err));
    FL_TRY(remember_codes(b, c, vec, &known, err));
    uint32_t *codes = (uint32_t *)c->data->data + c->rows;
    for (int64_t i = 0; i < count; i++) {
        int32_t code = -1;
        fl_view view = {0};
        bool on = vec->type.id != FL_NULL && fl_vec_is_valid(vec, ROW(i));
        int32_t *place = on && known != NULL ? &known[((const uint32_t *)vec->data)[ROW(i)]] : &code;
        if (*place < 0) {
            view = on ? fl_vec_view(vec, ROW(i)) : view;
            FL_TRY(dict_code(b, c, view, place, err));
        }
        if (*place < 0)
            break;
        codes[i] = (uint32_t)*place;
        *ret_done = i + 1;
    }
cleanup:
    return st;
}

/* Exactly n bytes, without a call for what texts mostly are. */
static inline void copy_text(char *to, const char *from, int64_t n)
{
    if (n > 32) {
        memcpy(to, from, (size_t)n);
    } else if (n >= 16) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else if (n > 0) {
        to[0] = from[0];
        to[n - 1] = from[n - 1];
        to[n / 2] = from[n / 2];
    }
}

/* Behind a column's characters: short texts of views are stored whole, the next one lies over their rest. */
#define CHARS_SLACK 16

/* Texts of views, which a kernel for each layout goes over twice: for the offsets and the sum, then for the characters. */
typedef struct view_texts {
    const fl_view *values;
    const uint32_t *codes; /* of the rows, into values; NULL: there is a value a row */
    const int32_t *list;
    const uint64_t *valid;
    int64_t count;
} view_texts;

#define VIEW_OF(i) (&t->values[codes != NULL ? (int64_t)codes[ROW(i)] : ROW(i)])

static inline __attribute__((always_inline)) int64_t put_offsets(const view_texts *t, const uint32_t *codes,
                                                                 const int32_t *list, const uint64_t *valid,
                                                                 int64_t end, int32_t *offsets)
{
    for (int64_t i = 0; i < t->count; i++) {
        end += valid == NULL ? VIEW_OF(i)->len : VIEW_OF(i)->len & -(int64_t)fl_bit_get(valid, ROW(i));
        offsets[i] = (int32_t)end;
    }
    return end;
}

static inline __attribute__((always_inline)) void put_chars(const view_texts *t, const uint32_t *codes,
                                                            const int32_t *list, const uint64_t *valid, char *to)
{
    for (int64_t i = 0; i < t->count; i++) {
        if (!fl_is_valid(valid, ROW(i)))
            continue;
        const fl_view *view = VIEW_OF(i);
        if (view->len <= FL_VIEW_INLINE_MAX)
            memcpy(to, view->prefix, FL_VIEW_INLINE_MAX);
        else
            copy_text(to, view->ptr, view->len);
        to += view->len;
    }
}

/* The loop with what there is not left out. */
#define FOR_LAYOUT(call)                                                                    \
    do {                                                                                    \
        if (t->valid != NULL)                                                               \
            call(t->codes, t->list, t->valid) else if (t->codes != NULL && t->list != NULL) \
                call(t->codes, t->list, NULL) else if (t->codes != NULL)                    \
                    call(t->codes, NULL, NULL) else if (t->list != NULL)                    \
                        call(NULL, t->list, NULL) else call(NULL, NULL, NULL)               \
    } while (0)

static int64_t add_offsets(const view_texts *t, int64_t end, int32_t *offsets)
{
#define PUT(codes, list, valid) return put_offsets(t, codes, list, valid, end, offsets);
    FOR_LAYOUT(PUT);
#undef PUT
}

static void add_chars(const view_texts *t, char *to)
{
#define PUT(codes, list, valid) put_chars(t, codes, list, valid, to);
    FOR_LAYOUT(PUT);
#undef PUT
}

/* Of a result's column: texts one behind the other. */
static fl_status add_texts(fl_segment_builder *b, column *c, const fl_vec *vec, const int32_t *list, int64_t count,
                           fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *values = vec->layout == FL_DICT ? vec->child : vec;
    bool has_views = vec->type.id != FL_NULL && vec->layout != FL_CONST && values->form == FL_VIEWS;
    view_texts texts = {.values = values->data, .list = list, .valid = vec->valid, .count = count};
    FL_TRY(reserve(b, &c->data, (c->rows + count + 1) * 4, err));
    int32_t *offsets = (int32_t *)c->data->data + c->rows;
    int64_t end = c->n_chars;
    if (c->rows == 0)
        offsets[0] = 0;
    if (has_views) {
        texts.codes = vec->layout == FL_DICT ? vec->data : NULL;
        end = add_offsets(&texts, end, offsets + 1);
    } else {
        for (int64_t i = 0; i < count; i++) {
            if (vec->type.id != FL_NULL && fl_vec_is_valid(vec, ROW(i)))
                end += fl_vec_str(vec, ROW(i)).len;
            offsets[i + 1] = (int32_t)end;
        }
    }
    if (end > INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "a column of text is longer than 2 GB within %d rows",
                       (int)(c->rows + count));
    FL_TRY(reserve(b, &c->chars, end + CHARS_SLACK, err));
    char *chars = (char *)c->chars->data;
    if (has_views)
        add_chars(&texts, chars + c->n_chars);
    else
        for (int64_t i = 0; i < count; i++)
            if (offsets[i + 1] > offsets[i])
                copy_text(chars + offsets[i], fl_vec_str(vec, ROW(i)).data, offsets[i + 1] - offsets[i]);
    c->n_chars = end;
cleanup:
    return st;
}

static fl_status add_strings(fl_segment_builder *b, column *c, const fl_vec *vec, const int32_t *list, int64_t count,
                             fl_err *err)
{
    fl_status st = FL_OK;
    if (c->is_offsets)
        return add_texts(b, c, vec, list, count, err);
    int64_t done = 0;
    if (c->is_dict) {
        FL_TRY(add_codes(b, c, vec, list, count, &done, err));
        if (done == count)
            return FL_OK;
        c->rows += done; /* what is coded so far becomes views, the rest follows as such */
        st = to_views(b, c, err);
        c->rows -= done;
        FL_TRY(st);
    }
    FL_TRY(reserve(b, &c->data, (c->rows + count) * 16, err));
    fl_view *views = (fl_view *)c->data->data + c->rows;
    int64_t bytes = 0;
    for (int64_t i = done; i < count; i++) {
        bool on = vec->type.id != FL_NULL && fl_vec_is_valid(vec, ROW(i));
        views[i] = on ? fl_vec_view(vec, ROW(i)) : (fl_view){0};
        bytes += views[i].len > FL_VIEW_INLINE_MAX ? views[i].len : 0;
    }
    char *to = NULL; /* the batch's characters one behind the other: searches run over many texts at once */
    FL_TRY(fl_arena_get(&b->heap, bytes + 1, (void **)&to, err));
    for (int64_t i = done; i < count; i++)
        if (views[i].len > FL_VIEW_INLINE_MAX) {
            memcpy(to, views[i].ptr, views[i].len);
            views[i].ptr = to;
            to += views[i].len;
        }
cleanup:
    return st;
}

#define COPY(type)                                          \
    do {                                                    \
        type *to = (type *)c->data->data + c->rows;         \
        const type *from = vec->data;                       \
        if (vec->layout == FL_CONST)                        \
            for (int64_t i = 0; i < count; i++)             \
                to[i] = from[0];                            \
        else if (list == NULL)                              \
            memcpy(to, from, (size_t)count * sizeof(type)); \
        else                                                \
            for (int64_t i = 0; i < count; i++)             \
                to[i] = from[list[i]];                      \
    } while (0)

static fl_status add_column(fl_segment_builder *b, column *c, const fl_vec *vec, const int32_t *list, int64_t count,
                            fl_err *err);

static fl_status add_lists(fl_segment_builder *b, column *c, const fl_vec *vec, const int32_t *list, int64_t count,
                           fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *rows = NULL;
    int64_t n = 0, capacity = 0;
    FL_TRY(reserve(b, &c->data, (c->rows + count) * 8, err));
    fl_list_entry *to = (fl_list_entry *)c->data->data + c->rows;
    for (int64_t i = 0; i < count; i++) {
        fl_list_entry entry = {0};
        if (vec->type.id != FL_NULL && fl_vec_is_valid(vec, ROW(i)))
            entry = ((const fl_list_entry *)vec->data)[fl_vec_row(vec, ROW(i))];
        to[i] = (fl_list_entry){(int32_t)(c->children[0].rows + n), entry.len};
        FL_TRY(fl_grow(b->memory, (void **)&rows, &capacity, n + entry.len + 1, 4, err));
        for (int32_t e = 0; e < entry.len; e++)
            rows[n++] = entry.start + e;
    }
    if (n > 0)
        st = add_column(b, &c->children[0], vec->child, rows, n, err);
cleanup:
    fl_free(rows);
    return st;
}

/* Rows of a vector up to the last one of a list, which ascends or not. */
static int64_t rows_read(const int32_t *list, int64_t count)
{
    int64_t rows = list == NULL ? count : 0;
    for (int64_t i = 0; list != NULL && i < count; i++)
        rows = list[i] + 1 > rows ? list[i] + 1 : rows;
    return rows;
}

static fl_status add_column(fl_segment_builder *b, column *c, const fl_vec *vec, const int32_t *list, int64_t count,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena scratch;
    fl_vec flat = *vec;
    fl_arena_init(&scratch, b->memory);
    int32_t width = fl_type_width(c->type);
    FL_TRY(add_validity(b, c, vec, list, count, err));
    if (c->type.id == FL_NULL) {
    } else if (fl_type_is_string(c->type)) {
        FL_TRY(add_strings(b, c, vec, list, count, err));
    } else if (c->type.id == FL_LIST) {
        FL_TRY(add_lists(b, c, vec, list, count, err));
    } else if (c->type.id == FL_STRUCT) {
        for (int32_t f = 0; f < c->n_children; f++) {
            fl_vec none;
            fl_vec_set_const(&none, c->children[f].type, NULL);
            if (vec->child != NULL && vec->type.id == FL_STRUCT) {
                none = vec->child[f];
                if (vec->layout == FL_CONST)
                    none.layout = FL_CONST;
            }
            FL_TRY(add_column(b, &c->children[f], &none, list, count, err));
        }
    } else if (c->type.id == FL_BOOL) {
        FL_TRY(reserve(b, &c->data, fl_bitmap_words(c->rows + count) * 8, err));
        if (vec->layout == FL_DICT)
            FL_TRY(fl_vec_flatten(&scratch, vec, rows_read(list, count), &flat, err));
        for (int64_t i = 0; i < count; i++) {
            bool on = vec->type.id != FL_NULL &&
                      (flat.layout == FL_CONST ? *(const uint8_t *)flat.data != 0 : fl_bit_get(flat.data, ROW(i)));
            fl_bit_put((uint64_t *)c->data->data, c->rows + i, on);
        }
    } else {
        FL_TRY(reserve(b, &c->data, (c->rows + count) * width, err));
        if (vec->type.id == FL_NULL) {
            memset(c->data->data + c->rows * width, 0, (size_t)(count * width));
        } else if (width == 16 && c->type.id == FL_DECIMAL) {
            for (int64_t i = 0; i < count; i++)
                ((fl_i128 *)c->data->data)[c->rows + i] = fl_vec_i128(vec, ROW(i));
        } else {
            if (vec->layout == FL_DICT) {
                FL_TRY(fl_vec_flatten(&scratch, vec, rows_read(list, count), &flat, err));
                vec = &flat;
            }
            switch (width) {
            case 1:
                COPY(uint8_t);
                break;
            case 2:
                COPY(uint16_t);
                break;
            case 4:
                COPY(uint32_t);
                break;
            case 8:
                COPY(uint64_t);
                break;
            default:
                COPY(fl_i128);
                break;
            }
        }
    }
    c->rows += count;
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

fl_status fl_segment_builder_add(fl_segment_builder *b, const fl_vec *vecs, const uint16_t *list, int32_t count,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *wide = NULL;
    if (list != NULL) {
        FL_TRY(fl_alloc(b->memory, (int64_t)count * 4 + 8, (void **)&wide, err));
        for (int32_t i = 0; i < count; i++)
            wide[i] = list[i];
    }
    for (int32_t c = 0; c < b->n_cols; c++) {
        FL_ASSERT(vecs[c].type.id == b->cols[c].type.id || vecs[c].type.id == FL_NULL);
        FL_ASSERT(b->cols[c].rows == b->rows); /* what failed halfway is not gone on with */
        FL_TRY(add_column(b, &b->cols[c], &vecs[c], wide, count, err));
    }
    b->rows += count;
cleanup:
    fl_free(wide);
    return st;
}

fl_status fl_segment_builder_add_live(fl_segment_builder *b, const fl_segment *segment, int64_t start, int32_t count,
                                      fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena scratch;
    fl_vec *vecs = NULL;
    uint16_t *list = NULL;
    fl_arena_init(&scratch, b->memory);
    FL_TRY(FL_NEW_ARRAY(&scratch, b->n_cols + 1, &vecs, err));
    for (int32_t c = 0; c < b->n_cols; c++)
        FL_TRY(fl_vec_slice(&scratch, &segment->vecs[c], start, count, &vecs[c], err));
    if (segment->live != NULL) {
        FL_TRY(fl_arena_get(&scratch, (int64_t)count * 2 + 64, (void **)&list, err));
        count = fl_bitmap_to_list(segment->live + start / 64, count, list);
    }
    if (count > 0)
        st = fl_segment_builder_add(b, vecs, list, count, err);
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

static int64_t column_bytes(const column *c)
{
    int64_t bytes = c->known_capacity * (int64_t)sizeof(*c->known_codes);
    bytes += c->data != NULL ? c->data->capacity : 0;
    bytes += c->valid != NULL ? c->valid->capacity : 0;
    bytes += c->chars != NULL ? c->chars->capacity : 0;
    for (int32_t i = 0; i < c->n_children; i++)
        bytes += column_bytes(&c->children[i]);
    return bytes;
}

int64_t fl_segment_builder_bytes(const fl_segment_builder *b)
{
    int64_t bytes = b->heap.bytes;
    for (int32_t c = 0; c < b->n_cols; c++)
        bytes += column_bytes(&b->cols[c]);
    return bytes;
}

int64_t fl_segment_builder_rows(const fl_segment_builder *b)
{
    return b->rows;
}

bool fl_segment_builder_is_full(const fl_segment_builder *b)
{
    if (b->rows >= FL_SEGMENT_ROWS)
        return true;
    for (int32_t c = 0; c < b->n_cols; c++)
        if (b->cols[c].n_chars >= FL_SEGMENT_CHARS_MAX)
            return true;
    return false;
}

/* Frees the holders of children's buffers. */
static void release_children(fl_segment *segment)
{
    for (fl_segment *holder = segment->owner; holder != NULL;) {
        fl_segment *next = holder->owner;
        holder->release = NULL;
        fl_segment_unref(holder);
        holder = next;
    }
}

/* Moves a column's buffers into a vector; buffers of children go to the list as well. `type` is the column's, with fields that
 * live as long as the segment does. */
static fl_status finish_column(column *c, fl_segment *segment, fl_type type, fl_vec *ret, fl_buffer **ret_buffers,
                               fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *children = NULL;
    static const uint8_t empty[64] __attribute__((aligned(64)));
    FL_ASSERT(type.id == c->type.id && c->n_children <= type.n_fields);
    fl_vec_set_flat(ret, type, c->data != NULL ? c->data->data : empty,
                    c->nulls > 0 ? (uint64_t *)c->valid->data : NULL);
    if (c->is_offsets) {
        ret->form = FL_OFFSETS;
        ret->width = 4;
        ret->chars = c->chars != NULL ? (const char *)c->chars->data : (const char *)empty;
    }
    if (c->is_dict && c->data != NULL) {
        fl_vec *dict = NULL;
        fl_view *values = NULL;
        FL_TRY(FL_NEW(&segment->arena, &dict, err));
        FL_TRY(FL_NEW_ARRAY(&segment->arena, c->n_values + 4, &values, err));
        if (c->n_values > 0)
            memcpy(values, c->values, (size_t)c->n_values * sizeof(*values));
        fl_vec_set_flat(dict, c->type, values, NULL);
        ret->layout = FL_DICT;
        ret->child = dict;
        ret->child_rows = c->n_values;
        ret->dict_id = fl_dict_id_new();
        ret->width = 4;
    }
    if (c->n_children > 0) {
        FL_TRY(FL_NEW_ARRAY(&segment->arena, c->n_children, &children, err));
        for (int32_t i = 0; i < c->n_children; i++) {
            fl_buffer **buffers = NULL;
            fl_segment *holder =
                NULL; /* a child's buffers are held by a segment of their own, chained to the arena's end */
            FL_TRY(fl_segment_new(segment->arena.memory, 1, &holder, err));
            buffers = holder->buffers;
            holder->owner = segment->owner;
            segment->owner = holder;
            segment->release = release_children;
            FL_TRY(finish_column(&c->children[i], segment, type.fields[i].type, &children[i], buffers, err));
        }
        ret->child = children;
        ret->child_rows = c->n_children > 0 ? c->children[0].rows : 0;
    }
    ret_buffers[0] = c->data;
    ret_buffers[1] = c->valid;
    ret_buffers[2] = c->chars;
    c->data = c->valid = c->chars = NULL;
cleanup:
    return st;
}

/* Of a column that is in order they are at its ends; false: it is not. */
static bool find_ends(const fl_segment *segment, int32_t c, int64_t *ret_low, int64_t *ret_high)
{
    fl_vec_order order = segment->order[c];
    int64_t values = segment->rows - segment->nulls[c];
    int64_t first = order.nulls_last ? 0 : segment->nulls[c];
    if ((!order.ascends && !order.descends) || values <= 0)
        return false;
    *ret_low = order.ascends ? first : first + values - 1;
    *ret_high = order.ascends ? first + values - 1 : first;
    return true;
}

static fl_status find_bounds(fl_segment *segment, int32_t c, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *vec = &segment->vecs[c];
    int64_t low = -1, high = -1;
    if (!fl_type_is_ordered(vec->type) || vec->type.id == FL_BOOL || vec->type.id == FL_BINARY)
        return FL_OK;
    if (!find_ends(segment, c, &low, &high))
        return fl_vec_extremes(&segment->arena, vec, segment->rows, &segment->min[c], &segment->max[c], err);
    FL_TRY(fl_value_from_vec(&segment->arena, vec, low, &segment->min[c], err));
    st = fl_value_from_vec(&segment->arena, vec, high, &segment->max[c], err);
cleanup:
    return st;
}

fl_status fl_segment_measure(fl_segment *segment, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t c = 0; c < segment->n_cols && st == FL_OK; c++) {
        segment->order[c] = fl_vec_order_of(&segment->vecs[c], segment->rows);
        st = find_bounds(segment, c, err);
    }
    return st;
}

fl_status fl_segment_builder_finish(fl_segment_builder *b, fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_segment *segment = NULL;
    FL_TRY(fl_segment_new(b->memory, b->n_cols, &segment, err));
    segment->rows = b->rows;
    for (int32_t c = 0; c < b->n_cols; c++) {
        FL_ASSERT(b->cols[c].rows == b->rows && b->cols[c].nulls <= b->rows);
        segment->nulls[c] = b->cols[c].nulls;
        fl_type type;
        FL_TRY(fl_type_copy(&segment->arena, b->cols[c].type, &type, err));
        FL_TRY(finish_column(&b->cols[c], segment, type, &segment->vecs[c], &segment->buffers[c * 3], err));
        FL_ASSERT_NO_FAULT(fl_vec_fault(&segment->vecs[c], NULL, segment->rows));
    }
    if (b->use == FL_SEGMENT_TABLE)
        FL_TRY(fl_segment_measure(segment, err));
    /* The strings' arena moves: chained behind the segment's own by a holder. */
    if (b->heap.first != NULL) {
        fl_segment *holder = NULL;
        FL_TRY(fl_segment_new(b->memory, 0, &holder, err));
        fl_arena_drop(&holder->arena);
        holder->vecs = NULL;
        holder->buffers = NULL;
        holder->arena = b->heap;
        fl_arena_init(&b->heap, b->memory);
        holder->owner = segment->owner;
        segment->owner = holder;
        segment->release = release_children;
    }
    for (int32_t c = 0; c < b->n_cols; c++) {
        fl_type type = b->cols[c].type;
        drop_column(&b->cols[c]);
        FL_TRY(init_column(b, &b->cols[c], type, err));
    }
    b->rows = 0;
    *ret = segment;
    return FL_OK;
cleanup:
    fl_segment_unref(segment);
    return st;
}
