/* Sorting by words: keys are looked at 64 bits at a time, as deep as rows tie.
 *
 *     part      a large range is cut by splitters of a sample into buckets; rows with a splitter's own word have a bucket
 *               of their own, and if it is large it is cut again by the next word. All workers count, then scatter. Where
 *               the sample tells that there are few words, each has a bucket.
 *     task      a bucket: its words are sorted (radix where there are many), ranges of equal words by their next words.
 *
 * Every step keeps the order of equal rows, so the sort is stable, and the result does not depend on how many workers there
 * are. Row pointers are written once, in their place. */
#include "exec/sorter.h"

#define LEVELS_MAX 48       /* words looked at; rows that tie in so many are compared as a whole */
#define PART_ROWS_MIN 32768 /* smaller ranges are tasks */
#define CHUNK_ROWS 16384    /* of a range that is cut, per turn of a worker */
#define SPLITTERS_MAX 63    /* a power of two less one; 128 buckets: between, equal to, and null */
#define BUCKETS (2 * SPLITTERS_MAX + 2)
#define NULL_BUCKET (2 * SPLITTERS_MAX + 1)
#define SAMPLES 1024
#define WORD_BUCKETS_MAX 2048
#define CHECK_ROWS 65536 /* a power of two: merged between looks whether the statement shall stop */
#define RADIX_ROWS_MIN 256
#define INSERTION_ROWS_MAX 16
#define SUFFIXES_MAX 4   /* of the columns that are looked at whether rows come in their order */
#define WORDS_ROWS_MIN 4 /* fewer rows are compared as a whole */

/* A row, and the word that it is sorted by at the moment. */
typedef struct entry {
    uint64_t word;
    uint8_t *row;
} entry;

static fl_i128 span_of(const uint8_t *value)
{
    fl_interval v;
    memcpy(&v, value, 16);
    return ((fl_i128)v.months * 30 + v.days) * 86400000000000LL + v.nanos;
}

/* What orders a column's values that are the same up to `depth`: whole values of up to eight bytes; the two halves of wider
 * ones; seven bytes of a string and, below them, how many there are, 8 for more. Not for lists and structs. */
static uint64_t value_word(fl_type type, const uint8_t *value, int32_t depth)
{
    switch (type.id) {
    case FL_BOOL:
    case FL_U8:
        return *value;
    case FL_I8:
        return (uint64_t)(*(const int8_t *)value + 128);
    case FL_I16:
        return (uint64_t)(*(const int16_t *)value + 32768);
    case FL_U16:
        return *(const uint16_t *)value;
    case FL_I32:
    case FL_DATE:
        return (uint64_t)((int64_t)*(const int32_t *)value + 2147483648LL);
    case FL_U32:
        return *(const uint32_t *)value;
    case FL_F32:
        return fl_order_word_f64((double)*(const float *)value);
    case FL_F64:
        return fl_order_word_f64(*(const double *)value);
    case FL_U64:
        return *(const uint64_t *)value;
    case FL_UTF8:
    case FL_BINARY: {
        fl_view view;
        memcpy(&view, value, 16);
        return fl_order_word_str(&view, depth);
    }
    case FL_INTERVAL:
    case FL_DECIMAL: {
        fl_i128 wide;
        if (type.id == FL_INTERVAL)
            wide = span_of(value);
        else if (fl_type_width(type) == 16)
            memcpy(&wide, value, 16);
        else
            break;
        return depth == 0 ? (uint64_t)(wide >> 64) ^ 1ull << 63 : (uint64_t)wide;
    }
    default:
        break;
    }
    return *(const uint64_t *)value ^ 1ull << 63;
}

static int compare_values(fl_type type, const uint8_t *a, const uint8_t *b)
{
#define ORDER(x, y) (((x) > (y)) - ((x) < (y)))
#define AS(t) ORDER(*(const t *)a, *(const t *)b)
    switch (type.id) {
    case FL_NULL:
        return 0;
    case FL_BOOL:
    case FL_U8:
        return AS(uint8_t);
    case FL_I8:
        return AS(int8_t);
    case FL_I16:
        return AS(int16_t);
    case FL_U16:
        return AS(uint16_t);
    case FL_I32:
    case FL_DATE:
        return AS(int32_t);
    case FL_U32:
        return AS(uint32_t);
    case FL_U64:
        return AS(uint64_t);
    case FL_F32:
        return ORDER(fl_order_word_f64((double)*(const float *)a), fl_order_word_f64((double)*(const float *)b));
    case FL_F64:
        return ORDER(fl_order_word_f64(*(const double *)a), fl_order_word_f64(*(const double *)b));
    case FL_DECIMAL:
        if (fl_type_width(type) == 16) {
            fl_i128 x, y;
            memcpy(&x, a, 16);
            memcpy(&y, b, 16);
            return ORDER(x, y);
        }
        return AS(int64_t);
    case FL_UTF8:
    case FL_BINARY: {
        fl_view x, y;
        memcpy(&x, a, 16);
        memcpy(&y, b, 16);
        return fl_view_compare(&x, &y);
    }
    case FL_INTERVAL:
        return ORDER(span_of(a), span_of(b));
    case FL_LIST:
    case FL_STRUCT: {
        const fl_value *x, *y;
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        return fl_value_compare(x, y);
    }
    default:
        return AS(int64_t);
    }
}

int fl_sort_compare(const fl_row_layout *layout, const fl_sort_column *columns, int32_t n_columns, const uint8_t *a,
                    const uint8_t *b)
{
    for (int32_t i = 0; i < n_columns; i++) {
        const fl_sort_column *c = &columns[i];
        bool null_a = fl_row_is_null(layout, a, c->col), null_b = fl_row_is_null(layout, b, c->col);
        if (null_a || null_b) {
            if (null_a != null_b)
                return null_a == c->nulls_first ? -1 : 1;
            continue;
        }
        int order = compare_values(layout->types[c->col], a + layout->offsets[c->col], b + layout->offsets[c->col]);
        if (order != 0)
            return c->is_descending ? -order : order;
    }
    return 0;
}

bool fl_sort_head_decides(fl_type type)
{
    return !fl_type_is_string(type) && !fl_type_is_nested(type) && type.id != FL_NULL && fl_type_width(type) <= 8;
}

fl_sort_head fl_sort_head_of(const fl_row_layout *layout, const fl_sort_column *column, const uint8_t *row)
{
    fl_type type = layout->types[column->col];
    if (fl_row_is_null(layout, row, column->col))
        return (fl_sort_head){0, column->nulls_first ? -1 : 1};
    if (fl_type_is_nested(type))
        return (fl_sort_head){0, 0};
    uint64_t word = value_word(type, row + layout->offsets[column->col], 0);
    return (fl_sort_head){column->is_descending ? ~word : word, 0};
}

/* Which word of the keys a range is sorted by. */
typedef struct place {
    int32_t column; /* of the sort's columns */
    int32_t depth;  /* bytes of the value that were looked at before */
    int32_t level;  /* words before this one */
} place;

/* A range of rows that are the same up to their place. */
typedef struct range {
    int64_t start, end;
    place at;
    bool in_spare;  /* which of the two arrays holds it */
    bool has_words; /* words are those of the place, and there are no nulls */
} range;

typedef struct range_list {
    range *items;
    int64_t n, capacity;
} range_list;

typedef struct sorting {
    fl_exec *exec;
    const fl_row_layout *layout;
    const fl_sort_column *columns;
    int32_t n_columns;
    fl_memory *memory;
    entry *entries, *spare;
    uint8_t *buckets; /* by row, of the range that is cut */
    uint8_t **rows;   /* the result */
    range_list parts; /* to cut */
    range_list tasks;
    range now; /* the range that is cut */
    uint64_t splitters[SPLITTERS_MAX];
    int32_t n_splitters;
    int64_t (*counts)[BUCKETS]; /* by chunk of the range that is cut: rows of each bucket, then where they go */
    uint64_t least_word;        /* a bucket for each word from here on: */
    int32_t n_words;
    int64_t *word_counts;    /* as `counts`, of such buckets */
    _Atomic bool has_others; /* a row has another word, or null */
    int64_t n;
    _Atomic uint32_t suffixes; /* bit i: as far as was seen, the rows come in the order of the columns from i on */
} sorting;

static fl_status add_range(sorting *s, range_list *list, range r, fl_err *err)
{
    fl_status st = fl_grow(s->memory, (void **)&list->items, &list->capacity, list->n + 1, sizeof(range), err);
    if (st == FL_OK)
        list->items[list->n++] = r;
    return st;
}

/* fn(s, i) for i in 0 .. n - 1: by all workers, or on this thread where it is a worker itself. */
static fl_status run_all(sorting *s, int64_t n, fl_status (*fn)(void *s, int32_t i, fl_err *err), fl_err *err)
{
    fl_status st = FL_OK;
    if (s->exec != NULL)
        return fl_exec_parallel(s->exec, (int32_t)n, fn, s, err);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        st = fn(s, i, err);
    return st;
}

static bool is_null_at(const sorting *s, place at, const uint8_t *row)
{
    return fl_row_is_null(s->layout, row, s->columns[at.column].col);
}

static uint64_t word_at(const sorting *s, place at, const uint8_t *row)
{
    const fl_sort_column *c = &s->columns[at.column];
    uint64_t word = value_word(s->layout->types[c->col], row + s->layout->offsets[c->col], at.depth);
    return c->is_descending ? ~word : word;
}

static bool has_words(const sorting *s, place at)
{
    fl_type type = s->layout->types[s->columns[at.column].col];
    return !fl_type_is_nested(type) && at.level < LEVELS_MAX;
}

/* The place behind a word that rows have in common. */
static place next_place(const sorting *s, place at, uint64_t word, bool is_null)
{
    const fl_sort_column *c = &s->columns[at.column];
    fl_type type = s->layout->types[c->col];
    bool is_half = at.depth == 0 && (type.id == FL_INTERVAL || (type.id == FL_DECIMAL && fl_type_width(type) == 16));
    bool has_more = fl_type_is_string(type) && ((c->is_descending ? ~word : word) & 15) > FL_ORDER_STRING_BYTES;
    if (!is_null && (is_half || has_more))
        return (place){at.column, at.depth + (is_half ? 8 : FL_ORDER_STRING_BYTES), at.level + 1};
    return (place){at.column + 1, 0, at.level + 1};
}

/* ---- small ranges ------------------------------------------------------------------------------------------------- */

/* Whether b must come in front of a, which it follows now. */
static inline bool is_before(const sorting *s, place at, bool by_word, const entry *b, const entry *a)
{
    if (by_word)
        return b->word < a->word;
    return fl_sort_compare(s->layout, s->columns + at.column, s->n_columns - at.column, b->row, a->row) < 0;
}

static void insertion_sort(const sorting *s, place at, bool by_word, entry *a, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        entry e = a[i];
        int64_t j = i;
        for (; j > 0 && is_before(s, at, by_word, &e, &a[j - 1]); j--)
            a[j] = a[j - 1];
        a[j] = e;
    }
}

/* Whether the statement shall stop. Sorting then ends with the rows in any order; who called it says why. */
static bool is_stopped(const sorting *s)
{
    return s->memory != NULL && fl_interrupt_check(s->memory->interrupt, NULL) != FL_OK;
}

/* Sorts a by merging; b is as large. Returns the array that holds the result. */
static entry *merge_sort(const sorting *s, place at, bool by_word, entry *a, entry *b, int64_t n)
{
    for (int64_t i = 0; i < n; i += INSERTION_ROWS_MAX)
        insertion_sort(s, at, by_word, a + i, n - i < INSERTION_ROWS_MAX ? n - i : INSERTION_ROWS_MAX);
    for (int64_t width = INSERTION_ROWS_MAX; width < n; width *= 2) {
        for (int64_t start = 0; start < n; start += 2 * width) {
            int64_t middle = start + width < n ? start + width : n, end = middle + width < n ? middle + width : n;
            int64_t i = start, j = middle;
            for (int64_t to = start; to < end; to++) {
                if ((to & (CHECK_ROWS - 1)) == 0 && is_stopped(s))
                    return a;
                bool right = i == middle || (j < end && is_before(s, at, by_word, &a[j], &a[i]));
                b[to] = right ? a[j++] : a[i++];
            }
        }
        entry *swap = a;
        a = b;
        b = swap;
    }
    return a;
}

/* Least significant digit first, 8 bits a pass; digits that are the same in all rows are skipped. Returns the array that
 * holds the result. */
static entry *radix_sort(const sorting *s, entry *a, entry *b, int64_t n)
{
    uint64_t varying = 0;
    for (int64_t i = 1; i < n; i++)
        varying |= a[i].word ^ a[0].word;
    for (int shift = 0; shift < 64; shift += 8) {
        int64_t starts[257] = {0};
        if ((varying >> shift & 0xFF) == 0)
            continue;
        if (n >= CHECK_ROWS && is_stopped(s))
            return a;
        for (int64_t i = 0; i < n; i++)
            starts[(a[i].word >> shift & 0xFF) + 1]++;
        for (int d = 0; d < 256; d++)
            starts[d + 1] += starts[d];
        for (int64_t i = 0; i < n; i++)
            b[starts[a[i].word >> shift & 0xFF]++] = a[i];
        entry *swap = a;
        a = b;
        b = swap;
    }
    return a;
}

/* Moves nulls to their end of the range, in order, and gives the others their words. Returns how many nulls there are. */
static int64_t make_words(const sorting *s, place at, entry *a, entry *b, int64_t n)
{
    int64_t n_nulls = 0, kept = 0;
    int32_t value_at = s->layout->offsets[s->columns[at.column].col];
    for (int64_t i = 0; i < n; i++) {
        if (i + 16 < n) { /* its null bit and its value, which may lie in two lines */
            __builtin_prefetch(a[i + 16].row + s->layout->nulls_offset);
            __builtin_prefetch(a[i + 16].row + value_at);
        }
        if (is_null_at(s, at, a[i].row)) {
            b[n_nulls++] = a[i];
            continue;
        }
        a[kept] = a[i];
        a[kept++].word = word_at(s, at, a[i].row);
    }
    if (n_nulls > 0 && s->columns[at.column].nulls_first)
        memmove(a + n_nulls, a, (size_t)kept * sizeof(*a));
    if (n_nulls > 0)
        memcpy(s->columns[at.column].nulls_first ? a : a + kept, b, (size_t)n_nulls * sizeof(*a));
    return n_nulls;
}

static void write_rows(const entry *a, int64_t n, uint8_t **rows)
{
    for (int64_t i = 0; i < n; i++)
        rows[i] = a[i].row;
}

/* Rows of a table often come in the order of its time or number: within each value of the keys before, they still do. */
static bool is_ascending(const entry *a, int64_t n)
{
    int64_t i = 1;
    while (i < n && a[i - 1].word <= a[i].word)
        i++;
    return i >= n;
}

/* Sorts the n entries of a, using b, to rows. */
static void sort_range(const sorting *s, place at, bool words_made, entry *a, entry *b, int64_t n, uint8_t **rows)
{
    if (at.column == s->n_columns || n < 2) {
        write_rows(a, n, rows);
        return;
    }
    if (n < WORDS_ROWS_MIN || !has_words(s, at)) {
        write_rows(merge_sort(s, at, false, a, b, n), n, rows);
        return;
    }
    if (n >= CHECK_ROWS && is_stopped(s)) {
        write_rows(a, n, rows);
        return;
    }
    int64_t n_nulls = words_made ? 0 : make_words(s, at, a, b, n);
    if (n_nulls > 0) {
        int64_t nulls_at = s->columns[at.column].nulls_first ? 0 : n - n_nulls;
        sort_range(s, next_place(s, at, 0, true), false, a + nulls_at, b + nulls_at, n_nulls, rows + nulls_at);
        int64_t others_at = nulls_at == 0 ? n_nulls : 0;
        a += others_at;
        b += others_at;
        rows += others_at;
        n -= n_nulls;
    }
    entry *sorted = is_ascending(a, n)   ? a
                    : n < RADIX_ROWS_MIN ? merge_sort(s, at, true, a, b, n)
                                         : radix_sort(s, a, b, n);
    entry *other = sorted == a ? b : a;
    for (int64_t start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && sorted[end].word == sorted[start].word;)
            end++;
        if (end - start == 1)
            rows[start] = sorted[start].row;
        else
            sort_range(s, next_place(s, at, sorted[start].word, false), false, sorted + start, other + start,
                       end - start, rows + start);
    }
}

static fl_status run_task(void *ctx, int32_t i, fl_err *err)
{
    (void)err;
    sorting *s = ctx;
    const range *r = &s->tasks.items[i];
    entry *a = r->in_spare ? s->spare : s->entries, *b = r->in_spare ? s->entries : s->spare;
    sort_range(s, r->at, r->has_words, a + r->start, b + r->start, r->end - r->start, s->rows + r->start);
    return FL_OK;
}

/* ---- large ranges ------------------------------------------------------------------------------------------------- */

static entry *now_from(const sorting *s)
{
    return s->now.in_spare ? s->spare : s->entries;
}

/* Words that a sample has, and some on both sides. */
static void choose_words(sorting *s, uint64_t least, uint64_t greatest)
{
    uint64_t span = greatest - least + 1, beside = (WORD_BUCKETS_MAX - span) / 2;
    if (greatest - least >= WORD_BUCKETS_MAX)
        return;
    beside = beside < span + 16 ? beside : span + 16;
    beside = beside < least ? beside : least;
    s->least_word = least - beside;
    s->n_words = (int32_t)(span + 2 * beside);
}

/* Words at even steps through a sample, each once. */
static void choose_splitters(sorting *s)
{
    entry samples[SAMPLES], spare[SAMPLES];
    int64_t rows = s->now.end - s->now.start, n = 0;
    s->n_splitters = 0;
    for (int64_t i = 0; i < SAMPLES; i++) {
        uint8_t *row = now_from(s)[s->now.start + (int64_t)((fl_i128)rows * i / SAMPLES)].row;
        if (!is_null_at(s, s->now.at, row))
            samples[n++] = (entry){word_at(s, s->now.at, row), row};
    }
    const entry *sorted = radix_sort(s, samples, spare, n);
    s->n_words = 0;
    if (n > 0 && fl_sort_head_decides(s->layout->types[s->columns[s->now.at.column].col]))
        choose_words(s, sorted[0].word, sorted[n - 1].word);
    for (int32_t i = 1; i <= SPLITTERS_MAX && n > 0; i++) {
        uint64_t word = sorted[n * i / (SPLITTERS_MAX + 1)].word;
        if (s->n_splitters == 0 || word != s->splitters[s->n_splitters - 1])
            s->splitters[s->n_splitters++] = word;
    }
    for (int32_t i = s->n_splitters; i < SPLITTERS_MAX; i++)
        s->splitters[i] = UINT64_MAX;
}

/* How many splitters are below the word. The same steps whatever it is: where it lies cannot be foretold, and so no branch asks. */
static inline int32_t splitters_below(const uint64_t *splitters, uint64_t word)
{
    int32_t low = 0;
    for (int32_t half = (SPLITTERS_MAX + 1) / 2; half > 0; half /= 2)
        low += -(int32_t)(splitters[low + half - 1] < word) & half;
    return low;
}

static int64_t chunk_end(const sorting *s, int64_t start)
{
    return start + CHUNK_ROWS < s->now.end ? start + CHUNK_ROWS : s->now.end;
}

/* Rows between splitters i - 1 and i are in bucket 2i, those with the word of splitter i in bucket 2i + 1. */
static fl_status count_chunk(void *ctx, int32_t c, fl_err *err)
{
    (void)err;
    sorting *s = ctx;
    entry *from = now_from(s);
    int64_t *counts = s->counts[c], start = s->now.start + (int64_t)c * CHUNK_ROWS, end = chunk_end(s, start);
    memset(counts, 0, sizeof(s->counts[c]));
    for (int64_t i = start; i < end; i++) {
        if (i + 8 < end)
            __builtin_prefetch(from[i + 8].row);
        int32_t bucket = NULL_BUCKET;
        if (!is_null_at(s, s->now.at, from[i].row)) {
            uint64_t word = from[i].word = word_at(s, s->now.at, from[i].row);
            int32_t low = splitters_below(s->splitters, word);
            bucket = 2 * low + (low < s->n_splitters && s->splitters[low] == word);
        }
        s->buckets[i] = (uint8_t)bucket;
        counts[bucket]++;
    }
    return FL_OK;
}

static fl_status scatter_chunk(void *ctx, int32_t c, fl_err *err)
{
    (void)err;
    sorting *s = ctx;
    const entry *from = now_from(s);
    entry *to = s->now.in_spare ? s->entries : s->spare;
    int64_t *at = s->counts[c], start = s->now.start + (int64_t)c * CHUNK_ROWS, end = chunk_end(s, start);
    for (int64_t i = start; i < end; i++)
        to[at[s->buckets[i]]++] = from[i];
    return FL_OK;
}

/* The same where each word has a bucket. */
static fl_status count_words(void *ctx, int32_t c, fl_err *err)
{
    (void)err;
    sorting *s = ctx;
    entry *from = now_from(s);
    int64_t *counts = s->word_counts + (int64_t)c * s->n_words;
    int64_t start = s->now.start + (int64_t)c * CHUNK_ROWS, end = chunk_end(s, start);
    bool has_others = atomic_load_explicit(&s->has_others, memory_order_relaxed);
    memset(counts, 0, (size_t)s->n_words * sizeof(*counts));
    for (int64_t i = start; i < end && !has_others; i++) {
        if (i + 8 < end)
            __builtin_prefetch(from[i + 8].row);
        uint64_t word = from[i].word = word_at(s, s->now.at, from[i].row);
        has_others = is_null_at(s, s->now.at, from[i].row) || word - s->least_word >= (uint64_t)s->n_words;
        if (!has_others)
            counts[word - s->least_word]++;
    }
    if (has_others)
        atomic_store_explicit(&s->has_others, true, memory_order_relaxed);
    return FL_OK;
}

static fl_status scatter_words(void *ctx, int32_t c, fl_err *err)
{
    (void)err;
    sorting *s = ctx;
    const entry *from = now_from(s);
    entry *to = s->now.in_spare ? s->entries : s->spare;
    int64_t *at = s->word_counts + (int64_t)c * s->n_words;
    int64_t start = s->now.start + (int64_t)c * CHUNK_ROWS, end = chunk_end(s, start);
    if (s->now.at.column + 1 == s->n_columns) { /* they are in their places */
        for (int64_t i = start; i < end; i++)
            s->rows[at[from[i].word - s->least_word]++] = from[i].row;
        return FL_OK;
    }
    for (int64_t i = start; i < end; i++)
        to[at[from[i].word - s->least_word]++] = from[i];
    return FL_OK;
}

/* Whether a range is worth cutting: its rows go on to be told apart by words. */
static bool is_part(const sorting *s, const range *r)
{
    return r->end - r->start >= PART_ROWS_MIN && r->at.column < s->n_columns && has_words(s, r->at);
}

/* Cuts the range by its words, if it has no others. */
static fl_status cut_by_words(sorting *s, int64_t n_chunks, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    range r = s->now;
    int64_t at = r.start;
    fl_free(s->word_counts);
    s->word_counts = NULL;
    atomic_store(&s->has_others, false);
    FL_TRY(fl_alloc(s->memory, n_chunks * s->n_words * 8, (void **)&s->word_counts, err));
    FL_TRY(run_all(s, n_chunks, count_words, err));
    *ret = !atomic_load(&s->has_others);
    for (int32_t w = 0; *ret && w < s->n_words; w++) {
        int64_t start = at;
        for (int64_t c = 0; c < n_chunks; c++) {
            int64_t *count = &s->word_counts[c * s->n_words + w], n = *count;
            *count = at;
            at += n;
        }
        range made = {.start = start, .end = at, .in_spare = !r.in_spare};
        made.at = next_place(s, r.at, s->least_word + (uint64_t)w, false);
        if (at > start && made.at.column < s->n_columns)
            FL_TRY(add_range(s, is_part(s, &made) ? &s->parts : &s->tasks, made, err));
    }
    FL_ASSERT(!*ret || at == r.end); /* each row has one place */
    if (*ret)
        FL_TRY(run_all(s, n_chunks, scatter_words, err));
cleanup:
    return st;
}

/* Cuts the range: its buckets become tasks, or parts in their turn. */
static fl_status cut(sorting *s, range r, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n_chunks = (r.end - r.start + CHUNK_ROWS - 1) / CHUNK_ROWS, at = r.start;
    s->now = r;
    choose_splitters(s);
    bool is_cut = false;
    if (s->n_words > 0)
        FL_TRY(cut_by_words(s, n_chunks, &is_cut, err));
    if (is_cut)
        return FL_OK;
    FL_TRY(run_all(s, n_chunks, count_chunk, err));
    for (int32_t i = 0; i < BUCKETS; i++) {
        bool nulls_first = s->columns[r.at.column].nulls_first;
        int32_t bucket = !nulls_first ? i : i == 0 ? NULL_BUCKET : i - 1;
        int64_t start = at;
        for (int64_t c = 0; c < n_chunks; c++) {
            int64_t n = s->counts[c][bucket];
            s->counts[c][bucket] = at;
            at += n;
        }
        if (at == start)
            continue;
        range made = {.start = start, .end = at, .at = r.at, .in_spare = !r.in_spare, .has_words = true};
        if (bucket == NULL_BUCKET || bucket % 2 == 1) {
            made.at = next_place(s, r.at, bucket == NULL_BUCKET ? 0 : s->splitters[bucket / 2], bucket == NULL_BUCKET);
            made.has_words = false;
            FL_TRY(add_range(s, is_part(s, &made) ? &s->parts : &s->tasks, made, err));
        } else {
            FL_TRY(add_range(s, &s->tasks, made, err));
        }
    }
    FL_ASSERT(at == r.end); /* each row has one place */
    FL_TRY(run_all(s, n_chunks, scatter_chunk, err));
cleanup:
    return st;
}

#if defined(FLETCH_SLOW_ASSERTS)
static bool is_sorted(const sorting *s, int32_t n_columns)
{
    for (int64_t i = 1; i < s->n; i++)
        if (fl_sort_compare(s->layout, s->columns, n_columns, s->rows[i - 1], s->rows[i]) > 0)
            return false;
    return true;
}

/* Of the same rows in any order it is the same. */
static uint64_t sum_rows(uint8_t *const *rows, int64_t n)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (uint64_t)(uintptr_t)rows[i] * 0x9E3779B97F4A7C15ull >> 8;
    return sum;
}
#endif

/* ---- what is in order already --------------------------------------------------------------------------------------- */

/* Takes rows in, and looks from which columns on they are in order: of those in the order of (b, c) the stable sort by (a, b, c) is that by
 * (a), which looks at each row once less. In rows that come in no order this ends after a few of them. */
static fl_status take_chunk(void *ctx, int32_t c, fl_err *err)
{
    sorting *s = ctx;
    int64_t start = (int64_t)c * CHUNK_ROWS, end = start + CHUNK_ROWS < s->n ? start + CHUNK_ROWS : s->n;
    uint32_t suffixes = atomic_load_explicit(&s->suffixes, memory_order_relaxed);
    for (int64_t i = start; i < end; i++)
        s->entries[i].row = s->rows[i];
    for (int64_t i = start > 0 ? start : 1; i < end && suffixes != 0; i++)
        for (uint32_t left = suffixes; left != 0; left &= left - 1) {
            int32_t k = __builtin_ctz(left);
            if (fl_sort_compare(s->layout, s->columns + k, s->n_columns - k, s->rows[i - 1], s->rows[i]) > 0)
                suffixes &= ~(1u << k);
        }
    atomic_fetch_and_explicit(&s->suffixes, suffixes, memory_order_relaxed);
    return fl_interrupt_check(s->memory != NULL ? s->memory->interrupt : NULL, err);
}

fl_status fl_sort_rows(fl_exec *exec, const fl_row_layout *layout, const fl_sort_column *columns, int32_t n_columns,
                       uint8_t **rows, int64_t n, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    sorting s = {.exec = exec,
                 .layout = layout,
                 .columns = columns,
                 .n_columns = n_columns,
                 .memory = memory,
                 .rows = rows,
                 .n = n};
    range all = {.end = n};
    if (n < 2 || n_columns == 0)
        return FL_OK;
    FL_TRY(fl_alloc(memory, n * 2 * (int64_t)sizeof(entry), (void **)&s.entries, err));
    s.spare = s.entries + n;
    atomic_init(&s.suffixes, (1u << (n_columns < SUFFIXES_MAX ? n_columns : SUFFIXES_MAX)) - 1);
    FL_TRY(run_all(&s, (n + CHUNK_ROWS - 1) / CHUNK_ROWS, take_chunk, err));
    uint32_t suffixes = atomic_load(&s.suffixes);
    if (suffixes != 0)
        s.n_columns = __builtin_ctz(suffixes);
#if defined(FLETCH_SLOW_ASSERTS)
    uint64_t sum = sum_rows(rows, n);
#endif
    if (is_part(&s, &all)) {
        FL_TRY(fl_alloc(memory, n, (void **)&s.buckets, err));
        FL_TRY(fl_alloc(memory, (n / CHUNK_ROWS + 1) * (int64_t)sizeof(*s.counts), (void **)&s.counts, err));
    }
    if (s.n_columns > 0)
        FL_TRY(add_range(&s, is_part(&s, &all) ? &s.parts : &s.tasks, all, err));
    while (s.parts.n > 0)
        FL_TRY(cut(&s, s.parts.items[--s.parts.n], err));
    FL_TRY(run_all(&s, s.tasks.n, run_task, err));
    FL_ASSERT_SLOW(is_stopped(&s) || is_sorted(&s, n_columns));
    FL_ASSERT_SLOW(sum_rows(rows, n) == sum);
cleanup:
    fl_free(s.entries);
    fl_free(s.buckets);
    fl_free(s.counts);
    fl_free(s.word_counts);
    fl_free(s.parts.items);
    fl_free(s.tasks.items);
    return st;
}
