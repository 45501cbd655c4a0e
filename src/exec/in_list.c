/* Every value is looked up by one word: numbers by their 64 bits, strings by what the view holds of them, behind which the view
 * decides. Whole numbers that lie near each other are bits of a map. Items that need more than 64 bits are few; only vectors of
 * 128-bit values can meet them. */
#include "exec/in_list.h"

#include "base/bitmap.h"

#include <math.h>

#define MAP_BITS_MAX (1ll << 23)
#define MAP_BITS_PER_ITEM (1ll << 17)

struct fl_in_list {
    fl_type type;
    uint64_t *words;       /* [slots]: open addressing, linear probing */
    const fl_view **views; /* [slots]: strings; else any pointer. NULL: an empty slot */
    int32_t shift;         /* of the hash */
    uint64_t mask;         /* slots - 1 */
    uint64_t *
        map; /* bit i: low + i is an item; the one behind `range` is not set. NULL: items lie far apart, or are no numbers */
    uint64_t low, range;
    const fl_i128 *wide;
    int32_t n_wide;
};

static uint64_t word_of_double(double value)
{
    uint64_t word;
    if (value == 0)
        value = 0; /* -0 is 0 */
    if (isnan(value))
        value = NAN; /* and any NaN equals any */
    memcpy(&word, &value, sizeof(word));
    return word;
}

static uint64_t word_of_view(const fl_view *view)
{
    uint64_t word, rest;
    memcpy(&word, view, sizeof(word)); /* length and prefix */
    if (view->len > FL_VIEW_INLINE_MAX)
        return word;
    memcpy(&rest, view->rest, sizeof(rest));
    return word ^ (rest * 0xC2B2AE3D27D4EB4Full);
}

static inline uint64_t slot_of(const fl_in_list *list, uint64_t word)
{
    return word * 0x9E3779B97F4A7C15ull >> list->shift;
}

static void enter(fl_in_list *list, uint64_t word, const fl_view *view)
{
    uint64_t slot = slot_of(list, word);
    while (list->views[slot] != NULL)
        slot = (slot + 1) & list->mask;
    list->words[slot] = word;
    list->views[slot] = view;
}

static uint64_t word_of_number(const fl_value *v)
{
    return v->type.id == FL_DECIMAL ? (uint64_t)v->d : v->type.id == FL_BOOL ? v->b : v->u;
}

/* A map of the items, where it is small for so many. */
static fl_status make_map(fl_arena *arena, const fl_expr *const *items, int32_t n, fl_in_list *list, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t sign = list->type.id == FL_U64 ? 0 : 1ull << 63; /* so that words compare as numbers do */
    uint64_t low = UINT64_MAX, high = 0, bits_max = MAP_BITS_PER_ITEM * (uint64_t)n;
    for (int32_t i = 0; i < n; i++) {
        uint64_t key = word_of_number(items[i]->value) ^ sign;
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    if (high - low >= (bits_max < MAP_BITS_MAX ? bits_max : MAP_BITS_MAX))
        return FL_OK;
    list->low = low ^ sign;
    list->range = high - low;
    FL_TRY(fl_arena_get_zero(arena, fl_bitmap_words((int64_t)list->range + 2) * 8, (void **)&list->map, err));
    for (int32_t i = 0; i < n; i++)
        fl_bit_set(list->map, (int64_t)(word_of_number(items[i]->value) - list->low));
cleanup:
    return st;
}

fl_status fl_in_list_new(fl_arena *arena, const fl_expr *const *items, int32_t n, fl_in_list **ret, fl_err *err)
{
    static const fl_view number; /* what a used slot of numbers points at */
    fl_status st = FL_OK;
    fl_in_list *list = NULL;
    fl_view *views = NULL;
    fl_i128 *wide = NULL;
    int32_t bits = 3;
    while (1ll << bits < 2ll * n)
        bits++;
    FL_TRY(FL_NEW(arena, &list, err));
    *list = (fl_in_list){.type = items[0]->type, .shift = 64 - bits, .mask = (1ull << bits) - 1};
    FL_TRY(FL_NEW_ARRAY(arena, 1ll << bits, &list->words, err));
    FL_TRY(FL_NEW_ARRAY(arena, 1ll << bits, &list->views, err));
    if (fl_type_is_string(list->type))
        FL_TRY(FL_NEW_ARRAY(arena, n, &views, err));
    else if (list->type.id == FL_DECIMAL)
        FL_TRY(FL_NEW_ARRAY(arena, n, &wide, err));
    list->wide = wide;
    for (int32_t i = 0; i < n; i++) {
        const fl_value *v = items[i]->value;
        if (views != NULL) {
            views[i] = fl_view_of(v->s.data, v->s.len);
            enter(list, word_of_view(&views[i]), &views[i]);
        } else if (fl_type_is_float(list->type)) {
            enter(list, word_of_double(v->f), &number);
        } else if (list->type.id == FL_DECIMAL && v->d != (int64_t)v->d) {
            wide[list->n_wide++] = v->d;
        } else {
            enter(list, word_of_number(v), &number);
        }
    }
    if (views == NULL && !fl_type_is_float(list->type) && list->type.id != FL_BOOL && list->n_wide == 0)
        FL_TRY(make_map(arena, items, n, list, err));
    *ret = list;
cleanup:
    return st;
}

static inline bool has_word(const fl_in_list *list, uint64_t word)
{
    for (uint64_t slot = slot_of(list, word); list->views[slot] != NULL; slot = (slot + 1) & list->mask)
        if (list->words[slot] == word)
            return true;
    return false;
}

/* has_word of a map. */
static inline bool has_bit(const fl_in_list *list, uint64_t word)
{
    uint64_t at = word - list->low;
    at = at <= list->range ? at : list->range + 1;
    return list->map[at >> 6] >> (at & 63) & 1;
}

static inline bool has_view(const fl_in_list *list, const fl_view *view)
{
    uint64_t word = word_of_view(view);
    for (uint64_t slot = slot_of(list, word); list->views[slot] != NULL; slot = (slot + 1) & list->mask)
        if (list->words[slot] == word && fl_view_is_equal(list->views[slot], view))
            return true;
    return false;
}

static bool has_i128(const fl_in_list *list, fl_i128 value)
{
    if (value == (int64_t)value)
        return has_word(list, (uint64_t)value);
    for (int32_t i = 0; i < list->n_wide; i++)
        if (list->wide[i] == value)
            return true;
    return false;
}

/* One loop per type of value: `found` of x, row by row, 64 rows a word. */
#define RUN(type, found)                                     \
    do {                                                     \
        const type *values = arg->data;                      \
        for (int32_t base = 0; base < rows; base += 64) {    \
            int32_t n = rows - base < 64 ? rows - base : 64; \
            uint64_t word = 0;                               \
            for (int32_t i = 0; i < n; i++) {                \
                const type *x = &values[base + i];           \
                word |= (uint64_t)(found) << i;              \
            }                                                \
            bits[base >> 6] = word;                          \
        }                                                    \
    } while (0)

/* Of numbers that are looked up by `word` of x. */
#define RUN_WORDS(type, word_)                  \
    do {                                        \
        if (list->map != NULL)                  \
            RUN(type, has_bit(list, (word_)));  \
        else                                    \
            RUN(type, has_word(list, (word_))); \
    } while (0)

void fl_in_list_run(const fl_in_list *list, const fl_vec *arg, int32_t rows, uint64_t *bits)
{
    if (fl_type_is_string(list->type)) {
        RUN(fl_view, fl_is_valid(arg->valid, base + i) && has_view(list, x)); /* a null row's view may be any */
        return;
    }
    switch (list->type.id) {
    case FL_BOOL:
        memset(bits, 0, (size_t)fl_bitmap_words(rows) * 8);
        for (int32_t row = 0; row < rows; row++)
            fl_bit_put(bits, row, has_word(list, fl_bit_get(arg->data, row)));
        return;
    case FL_F32:
        RUN(float, has_word(list, word_of_double((double)*x)));
        return;
    case FL_F64:
        RUN(double, has_word(list, word_of_double(*x)));
        return;
    case FL_U8:
        RUN_WORDS(uint8_t, *x);
        return;
    case FL_U16:
        RUN_WORDS(uint16_t, *x);
        return;
    case FL_U32:
        RUN_WORDS(uint32_t, *x);
        return;
    default:
        break;
    }
    switch (arg->width) {
    case 1:
        RUN_WORDS(int8_t, (uint64_t)(int64_t)*x);
        return;
    case 2:
        RUN_WORDS(int16_t, (uint64_t)(int64_t)*x);
        return;
    case 4:
        RUN_WORDS(int32_t, (uint64_t)(int64_t)*x);
        return;
    case 8:
        RUN_WORDS(int64_t, (uint64_t)*x);
        return;
    default:
        RUN(fl_i128, has_i128(list, *x));
        return;
    }
}
