/* Sampling files: a scan of one column that claims the morsels of the places, and passes over the batches between them. */
#include "format/file_sample.h"

#include "arrow/vec_order.h"
#include "base/hash.h"
#include "base/index_map.h"
#include "base/interrupt.h"
#include "format/file_scan.h"
#include "plan/sample_estimate.h"
#include "plan/sample_stats.h"

#include <math.h>

#define PLACE_ROWS (FL_SAMPLE_ROWS_MAX / FL_FILE_SAMPLE_PLACES)
#define WORK_BYTES_MAX (3 << 20) /* of a column: a millisecond or two */
#define TEXT_BYTES_MAX (1 << 20) /* of a column that are kept */
#define TEXTS_MAX 256            /* of a dictionary */
#define PIVOTS 4

/* ---- places --------------------------------------------------------------------------------------------------------- */

/* A number below n (≥ 1), the i-th of those drawn for a table of so many rows. */
static int64_t draw(uint64_t *random, int64_t n)
{
    return (int64_t)((unsigned __int128)fl_hash_u64(++*random, 0) * (uint64_t)n >> 64);
}

/* `n` of the rows [first, end) of a batch, one of each of n stretches. */
static fl_status pick_rows(fl_arena *arena, int32_t first, int32_t end, int32_t n, uint64_t *random,
                           fl_file_place *place, fl_err *err)
{
    uint16_t *list = NULL;
    int64_t rows = end - first;
    fl_status st = FL_NEW_ARRAY(arena, n, &list, err);
    if (st != FL_OK)
        return st;
    for (int32_t i = 0; i < n; i++) {
        int64_t from = rows * i / n, to = rows * (i + 1) / n;
        list[i] = (uint16_t)(first + from + draw(random, to - from));
    }
    place->rows = list;
    place->n_rows = n;
    place->span = end - first;
    return FL_OK;
}

/* The place of a part of the table: rows [start, end), those of a morsel counted from its first row on. */
static fl_status pick_place(fl_arena *arena, int64_t start, int64_t end, int64_t row, uint64_t *random,
                            fl_file_place *place, fl_err *err)
{
    int64_t batch = row / FL_FILE_SAMPLE_BATCH_ROWS, first = batch * FL_FILE_SAMPLE_BATCH_ROWS;
    int64_t low = start > first ? start - first : 0;
    int64_t high = end - first < FL_FILE_SAMPLE_BATCH_ROWS ? end - first : FL_FILE_SAMPLE_BATCH_ROWS;
    int64_t rows = high - low < PLACE_ROWS ? high - low : PLACE_ROWS;
    place->batch = (int32_t)batch;
    return pick_rows(arena, (int32_t)low, (int32_t)high, (int32_t)rows, random, place, err);
}

/* A table of few rows in few morsels: all of it. */
static fl_status pick_all(fl_arena *arena, const fl_scan *scan, int64_t n_morsels,
                          int64_t (*rows_of)(const fl_scan *scan, int64_t morsel), fl_file_places *to, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t random = 0;
    to->is_whole = true;
    for (int64_t m = 0; m < n_morsels; m++) {
        int32_t rows = (int32_t)rows_of(scan, m);
        to->items[to->n].morsel = m;
        FL_TRY(pick_rows(arena, 0, rows, rows, &random, &to->items[to->n++], err));
    }
cleanup:
    return st;
}

/* The i-th part's place in the order in which places are read: bits turned around, so that the first 2 and 4 lie evenly, too. */
static int32_t turned(int32_t i)
{
    return (i & 1) << 2 | (i & 2) | (i & 4) >> 2;
}

fl_status fl_file_places_pick(fl_arena *arena, const fl_scan *scan, int64_t n_morsels,
                              int64_t (*rows_of)(const fl_scan *scan, int64_t morsel), fl_file_places *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_places to = {0};
    int64_t rows = 0, first = 0, morsel = 0; /* first: the morsel's first row in the table */
    for (int64_t m = 0; m < n_morsels; m++)
        rows += rows_of(scan, m);
    if (rows <= FL_SAMPLE_ROWS_MAX && n_morsels <= FL_FILE_SAMPLE_PLACES) {
        FL_TRY(pick_all(arena, scan, n_morsels, rows_of, &to, err));
    } else {
        uint64_t random = (uint64_t)rows << 8;
        for (int32_t i = 0; i < FL_FILE_SAMPLE_PLACES; i++) {
            int64_t start = (int64_t)((fl_i128)rows * i / FL_FILE_SAMPLE_PLACES);
            int64_t end = (int64_t)((fl_i128)rows * (i + 1) / FL_FILE_SAMPLE_PLACES);
            if (end == start)
                continue; /* there are fewer rows than places */
            int64_t row = start + draw(&random, end - start);
            while (row >= first + rows_of(scan, morsel))
                first += rows_of(scan, morsel++);
            fl_file_place *place = &to.items[turned(i)];
            place->morsel = morsel;
            int64_t morsel_end = first + rows_of(scan, morsel);
            FL_TRY(pick_place(arena, start - first, (end < morsel_end ? end : morsel_end) - first, row - first, &random,
                              place, err));
        }
        for (int32_t i = 0; i < FL_FILE_SAMPLE_PLACES; i++)
            if (to.items[i].n_rows > 0)
                to.items[to.n++] = to.items[i];
    }
    for (int32_t i = 0; i < to.n; i++)
        to.ends[i] = (i > 0 ? to.ends[i - 1] : 0) + to.items[i].n_rows;
    *ret = to;
cleanup:
    return st;
}

/* Each window is a place, with as many rows as the sample has room for. */
static fl_status pick_windows(fl_arena *arena, const fl_scan *scan, const fl_file_sampling *how, fl_file_places *ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_places to = {0};
    const fl_file_scan *of = (const fl_file_scan *)scan;
    int64_t n = of->n_morsels, all = 0;
    uint64_t random = (uint64_t)n << 8;
    for (int32_t i = 0; i < FL_FILE_SAMPLE_PLACES; i++) {
        int64_t window = turned(i), wanted = FL_SAMPLE_ROWS_MAX / (n > 0 ? n : 1);
        if (window >= n)
            continue;
        int64_t rows = how->rows_of(scan, window);
        rows = rows < FL_FILE_SAMPLE_BATCH_ROWS ? rows : FL_FILE_SAMPLE_BATCH_ROWS;
        fl_file_place *place = &to.items[to.n];
        place->morsel = window;
        FL_TRY(pick_rows(arena, 0, (int32_t)rows, (int32_t)(rows < wanted ? rows : wanted), &random, place, err));
        to.ends[to.n++] = (int32_t)(all += place->n_rows);
    }
    to.is_whole = of->table->has_counted && (double)all == of->table->table.rows;
    *ret = to;
cleanup:
    return st;
}

/* ---- a column ------------------------------------------------------------------------------------------------------- */

/* Rows of a place lie where its end says: in the order of the sample, which is not that of reading. */
typedef struct fl_file_column {
    fl_arena arena;
    int32_t n_places; /* that were read; 0: it cannot be read, or is of a type that is not sampled */
    int64_t text_bytes;
    bool has_nulls;
    double likeness;
    void *values; /* bits of booleans */
    uint64_t *valid;
    fl_vec vec;
    fl_col_stats stats;
} fl_file_column;

void fl_file_sample_init(fl_file_sample *sample, fl_memory *memory)
{
    *sample = (fl_file_sample){.memory = memory};
    pthread_mutex_init(&sample->lock, NULL);
    fl_arena_init(&sample->arena, memory);
}

static void column_free(fl_file_column *column)
{
    if (column == NULL)
        return;
    fl_arena_drop(&column->arena);
    fl_free(column);
}

void fl_file_sample_drop(fl_file_sample *sample)
{
    for (int32_t i = 0; i < sample->n_cols; i++)
        column_free(sample->cols[i]);
    sample->n_cols = 0;
    fl_arena_drop(&sample->arena);
    pthread_mutex_destroy(&sample->lock);
}

static fl_status keep_texts(fl_file_column *column, const fl_vec *flat, int32_t at, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_view *from = flat->data;
    fl_view *to = (fl_view *)column->values + at;
    for (int32_t i = 0; i < n; i++) {
        fl_str text = fl_is_valid(flat->valid, i) ? fl_view_str(&from[i]) : (fl_str){0};
        column->text_bytes += text.len;
        if (column->text_bytes > TEXT_BYTES_MAX)
            return FL_FAIL(err, FL_ERR_LIMIT, "the texts of a sample have more than %d bytes", TEXT_BYTES_MAX);
        FL_TRY(fl_arena_copy_str(&column->arena, text, &text, err));
        to[i] = fl_view_of(text.data, text.len);
    }
cleanup:
    return st;
}

/* Copies rows of a batch to row `at` of the sample and on. */
static fl_status keep_rows(fl_file_column *column, const fl_file_place *place, const fl_vec *batch, int32_t at,
                           fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec flat;
    fl_type type = column->vec.type;
    int32_t n = place->n_rows;
    FL_TRY(fl_vec_gather(scratch, batch, place->rows, n, &flat, err));
    FL_TRY(fl_vec_flatten(scratch, &flat, n, &flat, err));
    for (int32_t i = 0; i < n; i++) {
        bool is_valid = fl_is_valid(flat.valid, i);
        column->has_nulls |= !is_valid;
        fl_bit_put(column->valid, at + i, is_valid);
    }
    if (fl_type_is_string(type))
        FL_TRY(keep_texts(column, &flat, at, n, err));
    else if (type.id == FL_BOOL)
        for (int32_t i = 0; i < n; i++)
            fl_bit_put(column->values, at + i, fl_bit_get(flat.data, i));
    else
        memcpy((uint8_t *)column->values + (int64_t)at * flat.width, flat.data, (size_t)n * flat.width);
cleanup:
    return st;
}

static bool is_before(const fl_file_places *places, int32_t a, int32_t b)
{
    const fl_file_place *x = &places->items[a], *y = &places->items[b];
    return x->morsel != y->morsel ? x->morsel < y->morsel : x->batch != y->batch ? x->batch < y->batch : a < b;
}

/* Of the places [from, to) the first one in the table behind `done`, which is negative in the beginning. */
static int32_t next_place(const fl_file_places *places, int32_t from, int32_t to, int32_t done)
{
    int32_t next = -1;
    for (int32_t i = from; i < to; i++)
        if ((done < 0 || is_before(places, done, i)) && (next < 0 || is_before(places, i, next)))
            next = i;
    FL_ASSERT(next >= 0);
    return next;
}

/* Reads places [from, to) in the order of the table, so that no page that two of them lie in is unpacked twice. */
static fl_status read_places(fl_file_column *column, const fl_file_places *places, int32_t from, int32_t to,
                             fl_scan_worker *worker, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_scan *scan = (fl_file_scan *)worker->scan;
    int64_t morsel = -1, claimed = -1;
    int32_t batch = -1, rows = 0, done = -1;
    fl_vec vec = {0};
    fl_arena scratch;
    fl_arena_init(&scratch, memory);
    for (int32_t n = from; n < to; n++) {
        int32_t next = next_place(places, from, to, done);
        const fl_file_place *place = &places->items[next];
        bool any = true, is_at_hand = place->morsel == morsel && place->batch == batch;
        if (place->morsel != morsel) {
            atomic_store(&scan->next, place->morsel);
            FL_TRY(worker->scan->ops->claim(worker, &any, &claimed, err));
            morsel = place->morsel;
            batch = -1;
        }
        for (; batch < place->batch && any && claimed == morsel; batch++)
            FL_TRY(worker->scan->ops->next(worker, &rows, err));
        if (!any || claimed != morsel || rows <= place->rows[place->n_rows - 1])
            FL_TRY(FL_FAIL(err, FL_ERR_CORRUPT, "a place of the sample has not the rows that it should have"));
        if (!is_at_hand)
            FL_TRY(worker->scan->ops->read(worker, 0, NULL, &vec, err));
        FL_TRY(keep_rows(column, place, &vec, places->ends[next] - place->n_rows, &scratch, err));
        fl_arena_reset(&scratch);
        done = next;
    }
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

/* How alike the rows of a place are: for some of the values, whether a row's is less. */
static fl_status find_likeness(fl_file_column *column, const fl_table_sample *sample, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_vec *vec = &column->vec;
    uint64_t *is_less = NULL;
    double sum = 0;
    int32_t n = 0;
    column->likeness = 1;
    if (sample->n_places < 2 || !fl_type_is_ordered(vec->type))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&column->arena, fl_bitmap_words(sample->rows), &is_less, err));
    for (int32_t p = 0; p < PIVOTS; p++) {
        int32_t pivot = (int32_t)((int64_t)sample->rows * (2 * p + 1) / (2 * PIVOTS));
        if (!fl_vec_is_valid(vec, pivot))
            continue;
        for (int32_t i = 0; i < sample->rows; i++)
            fl_bit_put(is_less, i, fl_vec_is_valid(vec, i) && fl_vec_compare(vec, i, vec, pivot) < 0);
        sum += fl_sample_likeness(sample, (const uint64_t *const *)&is_less, 1);
        n++;
    }
    column->likeness = n > 0 ? sum / n : 1;
cleanup:
    return st;
}

/* Few texts become a dictionary: conjuncts look at each of them once. */
static fl_status code_texts(fl_file_column *column, int32_t rows, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_index_map places;
    fl_view *texts = NULL;
    uint32_t *codes = NULL;
    fl_vec *dict = NULL;
    int32_t n = 0;
    fl_arena scratch;
    fl_arena_init(&scratch, memory);
    fl_index_map_init(&places, &scratch);
    FL_TRY(FL_NEW_ARRAY(&column->arena, TEXTS_MAX + 1, &texts, err));
    FL_TRY(FL_NEW_ARRAY(&column->arena, rows + 16, &codes, err));
    FL_TRY(FL_NEW(&column->arena, &dict, err));
    for (int32_t i = 0; i < rows; i++) {
        if (!fl_vec_is_valid(&column->vec, i))
            continue;
        fl_str text = fl_vec_str(&column->vec, i);
        uint64_t key = fl_hash_str(text.data, text.len, 0) | 1;
        int32_t at = fl_index_map_find(&places, key);
        if (at < 0) {
            if (n == TEXTS_MAX)
                goto cleanup;
            FL_TRY(fl_index_map_add(&places, key, at = n, err));
            texts[n++] = fl_view_of(text.data, text.len);
        } else if (!fl_str_is_equal(fl_view_str(&texts[at]), text)) {
            goto cleanup; /* of one hash: it stays as it is */
        }
        codes[i] = (uint32_t)at;
    }
    fl_vec_set_flat(dict, column->vec.type, texts, NULL);
    if (n > 0)
        column->vec = (fl_vec){.type = column->vec.type,
                               .layout = FL_DICT,
                               .form = FL_VIEWS,
                               .width = 16,
                               .data = codes,
                               .valid = column->vec.valid,
                               .child = dict,
                               .child_rows = n,
                               .dict_id = fl_dict_id_new()};
cleanup:
    fl_arena_drop(&scratch);
    return st;
}

static fl_table_sample sample_of(const fl_file_places *places, int32_t n_places)
{
    return (fl_table_sample){.rows = n_places > 0 ? places->ends[n_places - 1] : 0,
                             .n_places = places->is_whole ? 0 : n_places,
                             .place_ends = places->ends,
                             .likeness = 1};
}

/* What the column's values tell, beside what the table says without a look at them. */
static fl_status find_stats(fl_file_column *column, const fl_file_places *places, const fl_table_sample *sample,
                            double rows, fl_table *table, int32_t col, fl_memory *memory, fl_err *err)
{
    const fl_vec *vec = &column->vec;
    const int64_t starts[] = {0, sample->rows};
    double span = 0;
    for (int32_t i = 0; i < column->n_places; i++)
        span += places->items[i].span;
    fl_sampled_column sampled = {.column = {.type = vec->type, .vecs = &vec, .n_vecs = 1, .starts = starts},
                                 .sample = *sample,
                                 .place_rows = column->n_places > 0 ? span / column->n_places : 0,
                                 .rows = rows,
                                 .distinct_max = INFINITY};
    sampled.sample.likeness = column->likeness;
    column->stats = (fl_col_stats){.null_fraction = -1, .distinct = -1};
    if (table->ops->stats != NULL)
        table->ops->stats(table, col, &column->stats);
    return fl_sample_stats_add(&sampled, &column->arena, memory, &column->stats, err);
}

/* Whether a failure may be another one, or none, next time. */
static bool is_passing(fl_status st)
{
    return fl_interrupt_is_cause(st) || st == FL_ERR_MEMORY || st == FL_ERR_IO;
}

static double sample_rows(const fl_file_sample *sample, const fl_table *table)
{
    return sample->rows > 0 ? sample->rows : table->rows;
}

/* Reads rounds of places while there is work to spend. What fails behind the first round leaves those that were read. */
static fl_status fill_column(const fl_file_sample *sample, fl_file_column *column, fl_table *table, int32_t col,
                             fl_scan_worker *worker, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_file_places *places = sample->places;
    int32_t rows = places->n > 0 ? places->ends[places->n - 1] : 0;
    int64_t bit_bytes = fl_bitmap_words(rows) * 8, width = fl_type_width(column->vec.type);
    int64_t bytes = column->vec.type.id == FL_BOOL ? bit_bytes : rows * width;
    FL_TRY(FL_NEW_ARRAY(&column->arena, bytes + 64, &column->values, err)); /* kernels read past the end */
    FL_TRY(fl_arena_get_zero(&column->arena, bit_bytes + 64, (void **)&column->valid, err));
    for (int32_t to = places->is_whole ? places->n : 2; column->n_places < places->n; to *= 2) {
        to = to < places->n ? to : places->n;
        fl_status read = read_places(column, places, column->n_places, to, worker, memory, err);
        if (is_passing(read) || column->n_places == 0)
            FL_TRY(read);
        if (read != FL_OK)
            break;
        column->n_places = to;
        if (2 * worker->work_bytes > WORK_BYTES_MAX)
            break;
    }
    fl_vec_set_flat(&column->vec, column->vec.type, column->values, column->has_nulls ? column->valid : NULL);
    fl_table_sample found = sample_of(places, column->n_places);
    FL_TRY(find_likeness(column, &found, err));
    FL_TRY(find_stats(column, places, &found, sample_rows(sample, table), table, col, memory, err));
    if (fl_type_is_string(column->vec.type))
        st = code_texts(column, found.rows, memory, err);
cleanup:
    return st;
}

static fl_status find_places(fl_file_sample *sample, const fl_scan *scan, const fl_file_sampling *how, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_places *places = NULL;
    if (sample->places != NULL)
        return FL_OK;
    FL_TRY(FL_NEW(&sample->arena, &places, err));
    if (how->has_windows)
        FL_TRY(pick_windows(&sample->arena, scan, how, places, err));
    else
        FL_TRY(fl_file_places_pick(&sample->arena, scan, ((const fl_file_scan *)scan)->n_morsels, how->rows_of, places,
                                   err));
    sample->places = places;
cleanup:
    return st;
}

static fl_status read_column(fl_file_sample *sample, fl_table *table, const fl_file_sampling *how, int32_t col,
                             fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_column *column = NULL;
    fl_scan *scan = NULL;
    fl_scan_worker *worker = NULL;
    fl_scan_request request = {
        .cols = &col, .n_cols = 1, .rows_max = FL_FILE_SAMPLE_BATCH_ROWS, .is_sparse = true, .memory = memory};
    FL_TRY(fl_alloc_zero(sample->memory, (int64_t)sizeof(*column), (void **)&column, err));
    fl_arena_init(&column->arena, sample->memory);
    column->vec.type = table->fields[col].type;
    if (!fl_type_is_nested(column->vec.type) && column->vec.type.id != FL_NULL) {
        FL_TRY(how->scan_new(table, &request, &scan, err));
        FL_TRY(find_places(sample, scan, how, err));
        FL_TRY(scan->ops->worker_new(scan, memory, &worker, err));
        st = fill_column(sample, column, table, col, worker, memory, err);
        if (st != FL_OK && !is_passing(st)) {
            fl_arena_drop(&column->arena);
            column->n_places = 0;
            st = FL_OK;
        }
        FL_TRY(st);
    }
    sample->cols[col] = column;
    column = NULL;
cleanup:
    if (worker != NULL)
        scan->ops->worker_free(worker);
    if (scan != NULL)
        scan->ops->free(scan);
    column_free(column);
    return st;
}

/* The column, read if nobody asked for it before. The sample is locked. */
static fl_status find_column(fl_file_sample *sample, fl_table *table, const fl_file_sampling *how, int32_t col,
                             fl_memory *memory, const fl_file_column **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(col >= 0 && col < table->n_cols);
    if (sample->cols == NULL) {
        FL_TRY(FL_NEW_ARRAY(&sample->arena, table->n_cols + 1, &sample->cols, err));
        sample->n_cols = table->n_cols;
    }
    if (sample->cols[col] == NULL)
        FL_TRY(read_column(sample, table, how, col, memory, err));
    *ret = sample->cols[col];
cleanup:
    return st;
}

fl_status fl_file_sample_get(fl_file_sample *sample, fl_table *table, const fl_file_sampling *how, fl_memory *memory,
                             const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs, fl_table_sample *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n_places = FL_FILE_SAMPLE_PLACES;
    double likeness = 1;
    fl_table_sample found = {.likeness = 1};
    pthread_mutex_lock(&sample->lock);
    for (int32_t i = 0; i < n_cols; i++) {
        const fl_file_column *column = NULL;
        FL_TRY(find_column(sample, table, how, cols[i], memory, &column, err));
        n_places = column->n_places < n_places ? column->n_places : n_places;
        likeness = column->likeness > likeness ? column->likeness : likeness;
        ret_vecs[i] = column->vec;
    }
    if (n_cols > 0 && n_places > 0) {
        found = sample_of(sample->places, n_places);
        found.likeness = likeness;
    }
    *ret = found;
cleanup:
    pthread_mutex_unlock(&sample->lock);
    return st;
}

fl_status fl_file_sample_stats(fl_file_sample *sample, fl_table *table, const fl_file_sampling *how, fl_memory *memory,
                               int32_t col, fl_col_stats *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_file_column *column = NULL;
    pthread_mutex_lock(&sample->lock);
    FL_TRY(find_column(sample, table, how, col, memory, &column, err));
    if (column->n_places > 0)
        *ret = column->stats;
cleanup:
    pthread_mutex_unlock(&sample->lock);
    if (st == FL_OK && column->n_places == 0) { /* it cannot be read, or is of a type that is not sampled */
        *ret = (fl_col_stats){.null_fraction = -1, .distinct = -1};
        if (table->ops->stats != NULL)
            table->ops->stats(table, col, ret);
    }
    return st;
}

fl_status fl_file_sample_rows(fl_file_sample *sample, fl_table *table, const fl_file_sampling *how, fl_memory *memory,
                              double *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_scan *scan = NULL;
    fl_scan_request request = {.rows_max = FL_FILE_SAMPLE_BATCH_ROWS, .is_sparse = true, .memory = memory};
    pthread_mutex_lock(&sample->lock);
    if (sample->places == NULL && how->has_windows) {
        FL_TRY(how->scan_new(table, &request, &scan, err));
        FL_TRY(find_places(sample, scan, how, err));
    }
    *ret = sample_rows(sample, table);
cleanup:
    pthread_mutex_unlock(&sample->lock);
    if (scan != NULL)
        scan->ops->free(scan);
    return st;
}
