/* Records as a table: morsels are stretches of the array, columns are gathered a batch at a time. What the caller's records hold is
 * foreign data: values are held against their types as they are read. */
#include "store/record_table.h"

#include "arrow/vec.h"
#include "base/datetime.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/utf8.h"
#include "plan/sample_stats.h"

#include <math.h>
#include <pthread.h>

#define MORSEL_ROWS 30720 /* a multiple of 64 */

/* A column of the sample. */
typedef struct record_sample {
    fl_arena arena;
    bool can_be_read; /* its values are as they should be, and can be sorted */
    fl_vec vec;
    fl_col_stats stats;
} record_sample;

typedef struct record_table {
    fl_table base;
    fl_arena arena;
    fl_memory *memory;
    fl_records records;
    fl_record_column *columns;
    pthread_mutex_t lock; /* guards what follows; held while a column is sampled */
    int64_t *picks;       /* rows of the sample, ascending; NULL: nobody asked */
    int32_t n_picks;
    record_sample **samples; /* [n_cols]; NULL where nobody asked */
} record_table;

typedef struct record_scan {
    fl_scan base;
    record_table *table;
    int32_t *cols;
    int32_t rows_max;
    _Atomic int64_t next;
} record_scan;

typedef struct record_worker {
    fl_scan_worker base;
    fl_arena arena; /* the batch's */
    fl_work work;
    int64_t next, end; /* rows of the morsel */
    int64_t at;
    int32_t rows;
} record_worker;

/* Records that are gathered: a stretch of the array, or a list of its rows. */
typedef struct record_rows {
    const uint8_t *data; /* the array's first record */
    int64_t stride;
    int64_t first;
    const int64_t *list;  /* NULL: first, first + 1, … */
    const uint64_t *mask; /* NULL: all are wanted */
    int32_t n;
} record_rows;

bool fl_record_type_is_held(fl_type type)
{
    bool is_whole_unit =
        type.id == FL_DECIMAL || type.scale == 0; /* time(2) promises what nobody holds the values to */
    return is_whole_unit && type.id != FL_NULL && type.id != FL_INTERVAL && !fl_type_is_nested(type);
}

int64_t fl_record_column_bytes(const fl_record_column *column)
{
    if (fl_type_is_string(column->type))
        return column->field.text == FL_RECORD_TEXT_ARRAY ? (int64_t)column->field.length_bytes
                                                          : (int64_t)sizeof(char *);
    return column->type.id == FL_BOOL ? 1 : fl_type_width(column->type);
}

static inline int64_t row_of(const record_rows *rows, int32_t i)
{
    return rows->list != NULL ? rows->list[i] : rows->first + i;
}

static inline const uint8_t *record_of(const record_rows *rows, int32_t i)
{
    return rows->data + row_of(rows, i) * rows->stride;
}

static inline bool is_wanted(const record_rows *rows, int32_t i)
{
    return rows->mask == NULL || fl_bit_get(rows->mask, i);
}

/* ---- which rows are null --------------------------------------------------------------------------------------------- */

/* A signed or unsigned whole number of 1, 2, 4 or 8 bytes; of 16, what of it 64 bits hold. */
static bool is_null_value(const fl_record_column *column, const uint8_t *at)
{
    int64_t value = column->field.null_value;
    int32_t bytes = (int32_t)fl_record_column_bytes(column);
    if (bytes == 16) {
        fl_i128 wide;
        memcpy(&wide, at, 16);
        return wide == value;
    }
    return memcmp(at, &value, (size_t)bytes) == 0; /* low bytes come first; that the value fits was checked */
}

static bool is_nan(const fl_record_column *column, const uint8_t *at)
{
    float narrow;
    double wide;
    if (column->type.id == FL_F64) {
        memcpy(&wide, at, 8);
        return isnan(wide);
    }
    memcpy(&narrow, at, 4);
    return isnan(narrow);
}

static bool is_null(const fl_record_column *column, const uint8_t *record)
{
    const fl_record_field *field = &column->field;
    switch (field->nulls) {
    case FL_RECORD_NULL_BYTE:
    case FL_RECORD_VALID_BYTE:
        return (record[field->null_offset] != 0) == (field->nulls == FL_RECORD_NULL_BYTE);
    case FL_RECORD_NULL_BIT:
    case FL_RECORD_VALID_BIT:
        return (record[field->null_offset + field->null_bit / 8] >> (field->null_bit % 8) & 1) ==
               (field->nulls == FL_RECORD_NULL_BIT);
    case FL_RECORD_NULL_VALUE:
        return is_null_value(column, record + field->offset);
    case FL_RECORD_NULL_NAN:
        return is_nan(column, record + field->offset);
    default:
        return false;
    }
}

/* *ret is NULL where all rows have values. */
static fl_status gather_valid(const fl_record_column *column, const record_rows *rows, fl_arena *arena, uint64_t **ret,
                              fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    bool any = false;
    *ret = NULL;
    if (column->field.nulls == FL_RECORD_NEVER_NULL)
        return FL_OK;
    FL_TRY(fl_arena_get_zero(arena, fl_bitmap_words(rows->n) * 8 + 8, (void **)&valid, err));
    for (int32_t i = 0; i < rows->n; i++) {
        bool has = !is_null(column, record_of(rows, i));
        valid[i >> 6] |= (uint64_t)has << (i & 63);
        any |= !has;
    }
    *ret = any ? valid : NULL;
cleanup:
    return st;
}

/* ---- values ----------------------------------------------------------------------------------------------------------- */

static fl_status fail_value(const fl_record_column *column, const record_rows *rows, int32_t i, const char *what,
                            fl_err *err)
{
    return FL_FAIL(err, FL_ERR_CORRUPT, "record %lld has in column \"%.*s\" %s", (long long)row_of(rows, i) + 1,
                   FL_STR_ARG(column->name), what);
}

/* Values that are more than their type holds. */
static fl_status check_values(const fl_record_column *column, const record_rows *rows, const void *values,
                              const uint64_t *valid, fl_err *err)
{
    fl_type type = column->type;
    fl_i128 low = 0, high = 0;
    const char *what = "a timestamp out of range";
    if (type.id == FL_DECIMAL) {
        high = fl_pow10_i128[type.precision] - 1;
        low = -high;
        what = "a decimal of more digits than its type has";
    } else if (type.id == FL_TIME) {
        high = FL_US_PER_DAY;
        what = "a time beyond 24 hours";
    } else if (fl_type_is_timestamp(type) && (type.unit == FL_SECOND || type.unit == FL_MILLI)) {
        high = INT64_MAX / (type.unit == FL_SECOND ? FL_US_PER_SECOND : 1000); /* what microseconds hold */
        low = -high;
    } else {
        return FL_OK;
    }
    bool is_wide = fl_type_width(type) == 16;
    for (int32_t i = 0; i < rows->n; i++) {
        fl_i128 value = is_wide ? ((const fl_i128 *)values)[i] : ((const int64_t *)values)[i];
        if ((value < low || value > high) && fl_is_valid(valid, i) && is_wanted(rows, i))
            return fail_value(column, rows, i, what, err);
    }
    return FL_OK;
}

static void gather_bools(int64_t offset, const record_rows *rows, uint64_t *ret)
{
    memset(ret, 0, (size_t)fl_bitmap_words(rows->n) * 8);
    for (int32_t i = 0; i < rows->n; i++)
        ret[i >> 6] |= (uint64_t)(record_of(rows, i)[offset] != 0) << (i & 63);
}

/* Of a width that the compiler knows. */
static inline void gather_width(int64_t offset, const record_rows *rows, void *ret, size_t width)
{
    if (rows->list == NULL) {
        const uint8_t *from = rows->data + rows->first * rows->stride + offset;
        for (int32_t i = 0; i < rows->n; i++)
            memcpy((uint8_t *)ret + (size_t)i * width, from + i * rows->stride, width);
        return;
    }
    for (int32_t i = 0; i < rows->n; i++)
        memcpy((uint8_t *)ret + (size_t)i * width, record_of(rows, i) + offset, width);
}

static void gather_plain(int64_t offset, const record_rows *rows, void *ret, int32_t width)
{
    switch (width) {
    case 1:
        gather_width(offset, rows, ret, 1);
        break;
    case 2:
        gather_width(offset, rows, ret, 2);
        break;
    case 4:
        gather_width(offset, rows, ret, 4);
        break;
    case 8:
        gather_width(offset, rows, ret, 8);
        break;
    default:
        FL_ASSERT(width == 16);
        gather_width(offset, rows, ret, 16);
    }
}

static fl_status gather_numbers(const fl_record_column *column, const record_rows *rows, const uint64_t *valid,
                                fl_arena *arena, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t offset = column->field.offset;
    int32_t width = fl_type_width(column->type);
    const uint8_t *in_place = rows->data + rows->first * rows->stride + offset;
    void *values = NULL;
    if (column->type.id == FL_BOOL) {
        FL_TRY(fl_arena_get(arena, fl_bitmap_words(rows->n) * 8 + 64, &values, err));
        gather_bools(offset, rows, values);
    } else if (rows->list == NULL && rows->stride == width && ((uintptr_t)in_place & (uintptr_t)(width - 1)) == 0) {
        FL_TRY(check_values(column, rows, in_place, valid, err));
        fl_vec_set_flat(ret, column->type, in_place, valid);
        goto cleanup;
    } else {
        FL_TRY(fl_arena_get(arena, (int64_t)rows->n * width + 64, &values, err));
        gather_plain(offset, rows, values, width);
        FL_TRY(check_values(column, rows, values, valid, err));
    }
    fl_vec_set_flat(ret, column->type, values, valid);
cleanup:
    return st;
}

/* ---- texts ------------------------------------------------------------------------------------------------------------ */

static uint64_t length_at(const uint8_t *at, uint32_t bytes)
{
    uint64_t length = 0;
    memcpy(&length, at, bytes); /* low bytes come first */
    return length;
}

/* Where the text of a record lies; data is NULL where it is null. */
static fl_status text_of(const fl_record_column *column, const record_rows *rows, int32_t i, fl_str *ret, fl_err *err)
{
    const fl_record_field *field = &column->field;
    const uint8_t *record = record_of(rows, i);
    const char *text = (const char *)record + field->offset;
    uint64_t length = field->length_bytes;
    if (field->text == FL_RECORD_TEXT_ARRAY) {
        *ret = (fl_str){text, column->type.id == FL_BINARY ? (int64_t)length : (int64_t)strnlen(text, length)};
        return FL_OK;
    }
    memcpy(&text, record + field->offset, sizeof(text));
    if (field->text == FL_RECORD_TEXT_SIZED)
        length = length_at(record + field->length_offset, field->length_bytes);
    else
        length = text == NULL ? 0 : strlen(text);
    if (text != NULL && length > INT32_MAX)
        return fail_value(column, rows, i, "a value of more than 2 GB", err);
    *ret = text == NULL ? (fl_str){0} : (fl_str){text, (int64_t)length};
    return FL_OK;
}

static fl_status check_text(const fl_record_column *column, const record_rows *rows, int32_t i, fl_str text,
                            fl_err *err)
{
    int64_t bad =
        column->type.id == FL_UTF8 && !fl_utf8_is_valid(text.data, text.len) ? fl_utf8_check(text.data, text.len) : -1;
    if (bad < 0)
        return FL_OK;
    fl_status st = FL_FAIL(
        err, FL_ERR_VALUE, "record %lld has in column \"%.*s\" text that is no UTF-8: byte 0x%02x at offset %lld",
        (long long)row_of(rows, i) + 1, FL_STR_ARG(column->name), (unsigned char)text.data[bad], (long long)bad);
    fl_err_hint(err, "give the field the type bytea, which holds any bytes");
    return fl_err_state(err, "22021", st);
}

/* Rows that nobody wants are not looked at: their texts are empty. */
static fl_status gather_texts(const fl_record_column *column, const record_rows *rows, uint64_t *valid, fl_arena *arena,
                              fl_work *work, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_view *views = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, (int64_t)rows->n + 4, &views, err));
    for (int32_t i = 0; i < rows->n; i++) {
        fl_str text = {0};
        views[i] = fl_view_of(NULL, 0);
        if (!is_wanted(rows, i) || !fl_is_valid(valid, i))
            continue;
        FL_TRY(text_of(column, rows, i, &text, err));
        if (text.data == NULL && valid == NULL) {
            FL_TRY(fl_arena_get(arena, fl_bitmap_words(rows->n) * 8 + 8, (void **)&valid, err));
            memset(valid, 0xFF, (size_t)fl_bitmap_words(rows->n) * 8);
        }
        if (text.data == NULL) {
            fl_bit_put(valid, i, false);
            continue;
        }
        FL_TRY(check_text(column, rows, i, text, err));
        views[i] = fl_view_of(text.data, text.len);
        FL_TRY(fl_work_add(work, text.len, err));
    }
    fl_vec_set_flat(ret, column->type, views, valid);
cleanup:
    return st;
}

static fl_status gather(const fl_record_column *column, const record_rows *rows, fl_arena *arena, fl_work *work,
                        fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *valid = NULL;
    FL_TRY(gather_valid(column, rows, arena, &valid, err));
    if (fl_type_is_string(column->type))
        FL_TRY(gather_texts(column, rows, valid, arena, work, ret, err));
    else
        FL_TRY(gather_numbers(column, rows, valid, arena, ret, err));
    FL_ASSERT(ret->layout == FL_FLAT);
cleanup:
    return st;
}

/* ---- scan ------------------------------------------------------------------------------------------------------------- */

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    record_worker *w = NULL;
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*w), (void **)&w, err);
    if (st != FL_OK)
        return st;
    w->base.scan = base;
    w->work = fl_work_of(memory);
    fl_arena_init(&w->arena, memory);
    *ret = &w->base;
    return FL_OK;
}

static void worker_free(fl_scan_worker *base)
{
    fl_arena_drop(&((record_worker *)base)->arena);
    fl_free(base);
}

static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    (void)err;
    record_worker *w = (record_worker *)base;
    record_scan *scan = (record_scan *)base->scan;
    int64_t n = atomic_fetch_add(&scan->next, 1), rows = scan->table->records.rows;
    w->next = n * MORSEL_ROWS;
    *ret_any = w->next < rows;
    w->end = w->next + MORSEL_ROWS < rows ? w->next + MORSEL_ROWS : rows;
    *ret_morsel = n;
    return FL_OK;
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    (void)err;
    record_worker *w = (record_worker *)base;
    record_scan *scan = (record_scan *)base->scan;
    fl_arena_reset(&w->arena);
    w->at = w->next;
    w->rows = w->end - w->next < scan->rows_max ? (int32_t)(w->end - w->next) : scan->rows_max;
    w->next += w->rows;
    atomic_fetch_add_explicit(&scan->base.rows_done, w->rows, memory_order_relaxed);
    *ret_rows = w->rows;
    return FL_OK;
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    record_worker *w = (record_worker *)base;
    const record_scan *scan = (const record_scan *)base->scan;
    const fl_records *records = &scan->table->records;
    FL_ASSERT(w->rows > 0 && w->at + w->rows <= records->rows);
    record_rows rows = {.data = records->data, .stride = records->stride, .first = w->at, .mask = mask, .n = w->rows};
    return gather(&scan->table->columns[scan->cols[slot]], &rows, &w->arena, &w->work, ret, err);
}

/* Morsels are stretches in the order of the array. */
static void place(const fl_scan *base, int64_t morsel, fl_text *text)
{
    fl_text_addf(text, "records from %lld on", (long long)(morsel * MORSEL_ROWS) + 1);
    (void)base;
}

static void scan_free(fl_scan *base)
{
    record_scan *scan = (record_scan *)base;
    fl_table_unref(&scan->table->base);
    fl_free(scan->cols);
    fl_free(scan);
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .place = place,
                                     .free = scan_free};

static fl_status scan_new(fl_table *base, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    fl_status st = FL_OK;
    record_scan *scan = NULL;
    FL_TRY(fl_alloc_zero(request->memory, (int64_t)sizeof(*scan), (void **)&scan, err));
    FL_TRY(fl_alloc(request->memory, request->n_cols * 4 + 4, (void **)&scan->cols, err));
    memcpy(scan->cols, request->cols, (size_t)request->n_cols * sizeof(*scan->cols));
    scan->base.ops = &scan_ops;
    scan->base.rows_total = ((record_table *)base)->records.rows;
    scan->table = (record_table *)fl_table_ref(base);
    scan->rows_max = request->rows_max;
    *ret = &scan->base;
    return FL_OK;
cleanup:
    fl_free(scan);
    return st;
}

/* ---- what is known ----------------------------------------------------------------------------------------------------- */

static void stats(fl_table *base, int32_t col, fl_col_stats *ret)
{
    *ret = (fl_col_stats){.null_fraction = base->fields[col].nullable ? -1 : 0, .distinct = -1};
}

static void facts(fl_table *base, int32_t col, fl_table_facts *ret)
{
    *ret = (fl_table_facts){.rows = ((const record_table *)base)->records.rows,
                            .nulls = col >= 0 && !base->fields[col].nullable ? 0 : -1};
}

/* One row of each of as many stretches as the sample has rows; all of a small table. */
static fl_status pick_rows(record_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t rows = table->records.rows, n = rows < FL_SAMPLE_ROWS_MAX ? rows : FL_SAMPLE_ROWS_MAX, *picks = NULL;
    if (table->picks != NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&table->arena, n + 1, &picks, err));
    for (int64_t i = 0; i < n; i++) {
        int64_t from = (int64_t)((fl_i128)rows * i / n), to = (int64_t)((fl_i128)rows * (i + 1) / n);
        picks[i] = from + (int64_t)((fl_u128)fl_hash_u64((uint64_t)i + 1, 0) * (uint64_t)(to - from) >> 64);
    }
    table->n_picks = (int32_t)n;
    table->picks = picks;
cleanup:
    return st;
}

static fl_status fill_sample(record_table *table, record_sample *sample, int32_t col, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_work work = fl_work_of(memory);
    const fl_record_column *column = &table->columns[col];
    record_rows rows = {
        .data = table->records.data, .stride = table->records.stride, .list = table->picks, .n = table->n_picks};
    const int64_t starts[] = {0, rows.n};
    const fl_vec *vec = &sample->vec;
    stats(&table->base, col, &sample->stats);
    if (rows.n == 0)
        return FL_OK;
    st = gather(column, &rows, &sample->arena, &work, &sample->vec, err);
    if (st == FL_ERR_VALUE || st == FL_ERR_CORRUPT) /* who reads these rows is told */
        return FL_OK;
    FL_TRY(st);
    sample->can_be_read = true;
    fl_sampled_column sampled = {.column = {.type = column->type, .vecs = &vec, .n_vecs = 1, .starts = starts},
                                 .sample = {.rows = rows.n, .likeness = 1},
                                 .rows = table->base.rows,
                                 .distinct_max = INFINITY};
    FL_TRY(fl_sample_stats_add(&sampled, &sample->arena, memory, &sample->stats, err));
cleanup:
    return st;
}

static void sample_free(record_sample *sample)
{
    if (sample == NULL)
        return;
    fl_arena_drop(&sample->arena);
    fl_free(sample);
}

/* The table is locked. */
static fl_status find_sample(record_table *table, int32_t col, fl_memory *memory, const record_sample **ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    record_sample *sample = NULL;
    if (table->samples[col] == NULL) {
        FL_TRY(pick_rows(table, err));
        FL_TRY(fl_alloc_zero(table->memory, (int64_t)sizeof(*sample), (void **)&sample, err));
        fl_arena_init(&sample->arena, table->memory);
        FL_TRY(fill_sample(table, sample, col, memory, err));
        table->samples[col] = sample;
        sample = NULL;
    }
    *ret = table->samples[col];
cleanup:
    sample_free(sample);
    return st;
}

static fl_status sample(fl_table *base, fl_memory *memory, const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs,
                        fl_table_sample *ret, fl_err *err)
{
    fl_status st = FL_OK;
    record_table *table = (record_table *)base;
    bool has_all = n_cols > 0;
    pthread_mutex_lock(&table->lock);
    for (int32_t i = 0; i < n_cols; i++) {
        const record_sample *found = NULL;
        FL_TRY(find_sample(table, cols[i], memory, &found, err));
        has_all &= found->can_be_read;
        ret_vecs[i] = found->vec;
    }
    *ret = (fl_table_sample){.rows = has_all ? table->n_picks : 0, .likeness = 1};
cleanup:
    pthread_mutex_unlock(&table->lock);
    return st;
}

static fl_status sample_stats(fl_table *base, fl_memory *memory, int32_t col, fl_col_stats *ret, fl_err *err)
{
    fl_status st = FL_OK;
    record_table *table = (record_table *)base;
    const record_sample *found = NULL;
    pthread_mutex_lock(&table->lock);
    FL_TRY(find_sample(table, col, memory, &found, err));
    *ret = found->stats;
cleanup:
    pthread_mutex_unlock(&table->lock);
    return st;
}

/* ---- table ------------------------------------------------------------------------------------------------------------- */

static void table_free(fl_table *base)
{
    record_table *table = (record_table *)base;
    for (int32_t i = 0; i < base->n_cols && table->samples != NULL; i++)
        sample_free(table->samples[i]);
    if (table->records.release != NULL)
        table->records.release(table->records.owner);
    pthread_mutex_destroy(&table->lock);
    fl_arena_drop(&table->arena);
    fl_free(table);
}

static const fl_table_ops table_ops = {.scan_new = scan_new,
                                       .stats = stats,
                                       .sample = sample,
                                       .sample_stats = sample_stats,
                                       .facts = facts,
                                       .free = table_free};

/* Pointers may be NULL whatever the field says of nulls. */
static bool is_nullable(const fl_record_column *column)
{
    return column->field.nulls != FL_RECORD_NEVER_NULL ||
           (fl_type_is_string(column->type) && column->field.text != FL_RECORD_TEXT_ARRAY);
}

fl_status fl_record_table_new(fl_memory *memory, fl_str name, const fl_records *records,
                              const fl_record_column *columns, int32_t n_cols, fl_table **ret, fl_err *err)
{
    static _Atomic uint64_t versions; /* contents are told apart within the process */
    fl_status st = FL_OK;
    record_table *table = NULL;
    fl_field *fields = NULL;
    FL_ASSERT(records->rows >= 0 && n_cols > 0 && (records->rows == 0 || records->data != NULL));
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*table), (void **)&table, err));
    fl_arena_init(&table->arena, memory);
    pthread_mutex_init(&table->lock, NULL);
    table->memory = memory;
    table->base.ops = &table_ops;
    atomic_store(&table->base.refs, 1);
    FL_TRY(fl_arena_copy_str(&table->arena, name, &table->base.name, err));
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_cols, &fields, err));
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_cols, &table->columns, err));
    FL_TRY(FL_NEW_ARRAY(&table->arena, n_cols, &table->samples, err));
    for (int32_t i = 0; i < n_cols; i++) {
        FL_ASSERT(fl_record_type_is_held(columns[i].type));
        table->columns[i] = columns[i];
        FL_TRY(fl_arena_copy_str(&table->arena, columns[i].name, &table->columns[i].name, err));
        fields[i] =
            (fl_field){.name = table->columns[i].name, .type = columns[i].type, .nullable = is_nullable(&columns[i])};
    }
    table->base.format = FL_FORMAT_RECORDS;
    table->base.fields = fields;
    table->base.n_cols = n_cols;
    table->base.rows = (double)records->rows;
    table->base.version = atomic_fetch_add(&versions, 1) + 1;
    table->records = *records; /* from here on they are the table's to release */
    *ret = &table->base;
    return FL_OK;
cleanup:
    if (table != NULL)
        table_free(&table->base);
    return st;
}
