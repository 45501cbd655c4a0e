/* Sorting a sample: a word of each value decides, and runs of equal words are sorted by the next word. Numbers have one word
 * or two; of texts a word is eight bytes, behind what all of a run begin with. Nothing but pointers to texts is copied. */
#include "plan/sample_values.h"

#include "arrow/sort_key.h"

#define TEXT_BYTES 1024 /* of a text that are compared: bounds the depth, and the time that long ones take */
#define RADIX_ROWS_MIN 64
#define WORD_BYTES 8

typedef struct entry {
    uint64_t word;
    int32_t pick;
} entry;

typedef struct sorting {
    entry *entries;
    entry *spare;
    fl_str *texts;     /* by pick; NULL: not text */
    uint64_t *seconds; /* by pick: second words; NULL: there is one */
    fl_sample_values *out;
} sorting;

bool fl_sample_values_takes(fl_type type)
{
    return fl_type_is_string(type) || fl_sort_key_words(type) > 0;
}

static void insertion_sort(entry *a, int32_t n)
{
    for (int32_t i = 1; i < n; i++) {
        entry moving = a[i];
        int32_t at = i;
        for (; at > 0 && a[at - 1].word > moving.word; at--)
            a[at] = a[at - 1];
        a[at] = moving;
    }
}

/* From the lowest byte to the highest, without the bytes that all have in common. */
static void radix_sort(entry *a, entry *spare, int32_t n)
{
    int32_t counts[WORD_BYTES][256] = {{0}};
    entry *from = a, *to = spare;
    for (int32_t i = 0; i < n; i++)
        for (int byte = 0; byte < WORD_BYTES; byte++)
            counts[byte][a[i].word >> byte * 8 & 0xFF]++;
    for (int byte = 0; byte < WORD_BYTES; byte++) {
        int32_t starts[256], sum = 0;
        if (counts[byte][a[0].word >> byte * 8 & 0xFF] == n)
            continue;
        for (int i = 0; i < 256; i++) {
            starts[i] = sum;
            sum += counts[byte][i];
        }
        for (int32_t i = 0; i < n; i++)
            to[starts[from[i].word >> byte * 8 & 0xFF]++] = from[i];
        entry *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != a)
        memcpy(a, from, (size_t)n * sizeof(*a));
}

static void sort_words(const sorting *s, int32_t start, int32_t n)
{
    if (n < RADIX_ROWS_MIN)
        insertion_sort(s->entries + start, n);
    else
        radix_sort(s->entries + start, s->spare, n);
}

static void put_out(const sorting *s, int32_t start, int32_t n)
{
    s->out->values[s->out->n++] = (fl_sample_value){start, n};
}

static uint64_t text_word(fl_str text, int64_t depth)
{
    uint64_t word = 0;
    int64_t left = text.len - depth;
    if (left > 0)
        memcpy(&word, text.data + depth, left < WORD_BYTES ? (size_t)left : WORD_BYTES);
    return __builtin_bswap64(word);
}

/* How many bytes, at least `depth`, all texts of a run begin with. */
static int64_t common_bytes(const sorting *s, int32_t start, int32_t n, int64_t depth)
{
    fl_str first = s->texts[s->entries[start].pick];
    int64_t ret = first.len < TEXT_BYTES ? first.len : TEXT_BYTES;
    for (int32_t i = 1; i < n && ret > depth; i++) {
        fl_str text = s->texts[s->entries[start + i].pick];
        int64_t same = depth;
        ret = text.len < ret ? text.len : ret;
        if (text.data == first.data)
            continue;
        while (same < ret && text.data[same] == first.data[same])
            same++;
        ret = same;
    }
    return ret > depth ? ret : depth;
}

static void split_equal_words(const sorting *s, int32_t start, int32_t n, int64_t depth);

/* Texts that are the same as far as they are compared: the shorter first. */
static void sort_by_length(const sorting *s, int32_t start, int32_t n)
{
    for (int32_t i = start; i < start + n; i++) {
        fl_str text = s->texts[s->entries[i].pick];
        uint32_t end = 0;
        if (text.len > TEXT_BYTES)
            memcpy(&end, text.data + text.len - sizeof(end), sizeof(end));
        s->entries[i].word = (uint64_t)text.len << 32 | end;
    }
    sort_words(s, start, n);
    split_equal_words(s, start, n, INT64_MAX);
}

/* Sorts a run by the word behind what its texts have in common from `depth` on. */
static void sort_texts(const sorting *s, int32_t start, int32_t n, int64_t depth)
{
    int64_t longest = 0;
    depth = common_bytes(s, start, n, depth);
    for (int32_t i = start; i < start + n; i++) {
        fl_str text = s->texts[s->entries[i].pick];
        longest = text.len > longest ? text.len : longest;
        s->entries[i].word = text_word(text, depth);
    }
    if (depth >= longest || depth >= TEXT_BYTES) {
        sort_by_length(s, start, n);
        return;
    }
    sort_words(s, start, n);
    split_equal_words(s, start, n, depth + WORD_BYTES);
}

static void sort_seconds(const sorting *s, int32_t start, int32_t n)
{
    for (int32_t i = start; i < start + n; i++)
        s->entries[i].word = s->seconds[s->entries[i].pick];
    sort_words(s, start, n);
    split_equal_words(s, start, n, INT64_MAX);
}

/* Takes sorted words apart: runs of the same word go on by what is behind `depth`, INT64_MAX: nothing is. */
static void split_equal_words(const sorting *s, int32_t start, int32_t n, int64_t depth)
{
    for (int32_t i = start, end; i < start + n; i = end) {
        for (end = i + 1; end < start + n && s->entries[end].word == s->entries[i].word; end++)
            continue;
        if (end - i == 1 || depth == INT64_MAX)
            put_out(s, i, end - i);
        else if (s->texts != NULL)
            sort_texts(s, i, end - i, depth);
        else
            sort_seconds(s, i, end - i);
    }
}

static void gather_row(sorting *s, const fl_vec *vec, int64_t row, int32_t pick, entry *to)
{
    to->pick = pick;
    if (s->texts != NULL) {
        s->texts[pick] = fl_vec_str(vec, row);
        __builtin_prefetch(s->texts[pick].data); /* they lie all over the vector */
    } else if (s->seconds != NULL) {
        fl_u128 key = fl_sort_key_wide(vec, row);
        to->word = (uint64_t)(key >> 64);
        s->seconds[pick] = (uint64_t)key;
    } else {
        to->word = fl_sort_key(vec, row);
    }
}

static int64_t row_of(const fl_sample_column *column, int64_t vec, int64_t pick)
{
    return column->rows != NULL ? column->rows[pick] : pick - column->starts[vec];
}

static int32_t gather(sorting *s, const fl_sample_column *column)
{
    int32_t n = 0;
    for (int64_t v = 0; v < column->n_vecs; v++) {
        const fl_vec *vec = column->vecs[v];
        for (int64_t pick = column->starts[v]; pick < column->starts[v + 1]; pick++) {
            int64_t row = row_of(column, v, pick);
            if (vec->type.id != FL_NULL && fl_vec_is_valid(vec, row))
                gather_row(s, vec, row, (int32_t)pick, &s->entries[n++]);
        }
    }
    return n;
}

fl_status fl_sample_values_sort(fl_arena *arena, const fl_sample_column *column, fl_sample_values *ret, fl_err *err)
{
    fl_status st = FL_OK;
    sorting s = {.out = ret};
    int64_t picks = fl_sample_picks(column), bytes = (picks + 1) * (int64_t)sizeof(entry);
    *ret = (fl_sample_values){0};
    FL_TRY(fl_arena_get(arena, bytes, (void **)&s.entries, err));
    FL_TRY(fl_arena_get(arena, bytes, (void **)&s.spare, err));
    if (fl_type_is_string(column->type))
        FL_TRY(fl_arena_get(arena, (picks + 1) * (int64_t)sizeof(fl_str), (void **)&s.texts, err));
    else if (fl_sort_key_words(column->type) == 2)
        FL_TRY(fl_arena_get(arena, (picks + 1) * WORD_BYTES, (void **)&s.seconds, err));
    FL_TRY(fl_arena_get(arena, (picks + 1) * (int64_t)sizeof(fl_sample_value), (void **)&ret->values, err));
    FL_TRY(fl_arena_get(arena, (picks + 1) * (int64_t)sizeof(int32_t), (void **)&ret->picks, err));
    int32_t n = gather(&s, column);
    ret->n_nulls = (int32_t)picks - n;
    if (n > 0 && s.texts != NULL) {
        sort_texts(&s, 0, n, 0);
    } else if (n > 0) {
        sort_words(&s, 0, n);
        split_equal_words(&s, 0, n, s.seconds != NULL ? 0 : INT64_MAX);
    }
    for (int32_t i = 0; i < n; i++)
        ret->picks[i] = s.entries[i].pick;
cleanup:
    return st;
}

fl_status fl_sample_value_get(fl_arena *arena, const fl_sample_column *column, int32_t pick, fl_value *ret, fl_err *err)
{
    int64_t low = 0, high = column->n_vecs - 1; /* the last vector that begins at or before the pick */
    while (low < high) {
        int64_t middle = (low + high + 1) / 2;
        if (column->starts[middle] <= pick)
            low = middle;
        else
            high = middle - 1;
    }
    return fl_value_from_vec(arena, column->vecs[low], row_of(column, low, pick), ret, err);
}
