/* Scanning CSV in parallel: chunks of fixed offsets, batches of their lines, fields read when they are asked for.
 *
 * Whether a chunk begins inside of quotes is the parity of all quotes before it. So a worker that takes a chunk first
 * counts the quotes in it and publishes the parity, then waits for the parities of the chunks before, all of which were
 * taken earlier by workers that publish theirs before they do anything else: no wait is longer than reading a chunk.
 * Where another byte escapes quotes, or lines may be comments, a chunk's end depends on its beginning, and workers hand
 * the state on in order.
 *
 * Texts are views into the chunk's bytes; only those with quotes inside are copied. */
#include "base/datetime.h"
#include "base/interrupt.h"
#include "base/strptime.h"
#include "base/metrics.h"
#include "format/csv/bad_lines.h"
#include "format/csv/table.h"
#include "format/csv/values.h"
#include "format/csv/kept_lines.h"
#include "format/file_scan.h"
#include "format/json_check.h"

#include <sched.h>

#define SHOWN_BYTES 80 /* of a value in a message */

/* What is published of a chunk. UNKNOWN is what cleared memory holds. */
enum {
    UNKNOWN = 0,
    EVEN = 1, /* own: quotes in the chunk */
    ODD = 2,
    OUTSIDE = 1, /* before: the state before its first byte */
    INSIDE = 2,
    FAILED = 3, /* both: the bytes could not be read */
    ESCAPED = 4,
    IN_COMMENT = 5,
    LINE_START = 6 /* outside, where it matters */
};

typedef struct csv_scan {
    fl_file_scan base;
    const fl_csv_table *table;
    _Atomic uint8_t *own;    /* per chunk */
    _Atomic uint8_t *before; /* per chunk */
    _Atomic bool has_failed; /* some worker could not read its chunk; the first to say so owns `fault` */
    _Atomic bool has_fault;  /* `fault` is written */
    fl_csv_kept_lines kept;  /* of lines that are left out */
    fl_err fault;            /* what those behind it tell, too: the query's error is the first one that arrives */
} csv_scan;

/* A column's values of a batch. */
typedef struct slot_buffers {
    fl_buffer *values;
    fl_buffer *valid;
    int32_t room; /* rows */
} slot_buffers;

typedef struct csv_worker {
    fl_scan_worker base;
    fl_csv_chunk chunk;
    const fl_csv_file *file; /* of the chunk */
    fl_csv_position before;  /* of a stream: before its next chunk */
    int64_t piece;           /* of the scan, whose number is the chunk's */
    int64_t lines;           /* of a stream: before its chunk */
    slot_buffers *slots;
    fl_arena texts; /* of the batch */
    int64_t row;    /* the batch's first, in the chunk */
    int32_t rows;   /* of the batch */
} csv_worker;

static csv_scan *scan_of(const csv_worker *w)
{
    return (csv_scan *)w->base.scan;
}

/* ---- the scan ---- */

static fl_status make_chunks(csv_scan *scan, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_csv_table *table = scan->table;
    for (int32_t f = 0; f < table->base.n_files; f++)
        fl_file_scan_cut(&scan->base, f, table->files[f].layout.start, false);
    FL_TRY(FL_NEW_ARRAY(&scan->base.arena, scan->base.n_morsels + 1, &scan->own, err));
    FL_TRY(FL_NEW_ARRAY(&scan->base.arena, scan->base.n_morsels + 1, &scan->before, err));
    for (int32_t f = 0; f < table->base.n_files; f++)
        atomic_store_explicit(&scan->before[scan->base.cuts[f].first_piece], LINE_START, memory_order_relaxed);
cleanup:
    return st;
}

static const fl_scan_ops scan_ops;
static void scan_free(fl_scan *base);

/* windows: what is read alone; NULL: all of the files. */
static fl_status make_scan(fl_table *table, const fl_scan_request *request, const fl_text_windows *windows,
                           fl_scan **ret, fl_err *err)
{
    csv_scan *scan = NULL;
    fl_status st = fl_file_scan_new(table, &scan_ops, request, (int64_t)sizeof(*scan), (fl_file_scan **)&scan, err);
    if (st != FL_OK)
        return st;
    scan->table = (const fl_csv_table *)table;
    if (windows != NULL)
        fl_file_scan_cut_windows(&scan->base, windows);
    else
        st = make_chunks(scan, err);
    if (st == FL_OK && windows == NULL)
        st = fl_csv_keep_begin(&scan->kept, scan->table, &scan->base, err);
    if (st == FL_OK)
        *ret = &scan->base.scan;
    else
        scan_free(&scan->base.scan);
    return st;
}

fl_status fl_csv_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    return make_scan(table, request, NULL, ret, err);
}

fl_status fl_csv_sample_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err)
{
    const fl_text_windows *windows = NULL;
    fl_status st = fl_csv_find_windows((fl_csv_table *)table, request->memory, &windows, err);
    return st == FL_OK ? make_scan(table, request, windows, ret, err) : st;
}

static void scan_free(fl_scan *base)
{
    fl_csv_keep_end(&((csv_scan *)base)->kept);
    fl_file_scan_free(base);
}

/* ---- workers ---- */

static void worker_free(fl_scan_worker *base)
{
    csv_worker *w = (csv_worker *)base;
    for (int32_t i = 0; w->slots != NULL && i < scan_of(w)->base.n_slots; i++) {
        fl_buffer_unref(w->slots[i].values);
        fl_buffer_unref(w->slots[i].valid);
    }
    fl_free(w->slots);
    fl_csv_chunk_drop(&w->chunk);
    fl_arena_drop(&w->texts);
    fl_free(w);
}

static fl_status worker_new(fl_scan *base, fl_memory *memory, fl_scan_worker **ret, fl_err *err)
{
    fl_status st = FL_OK;
    csv_scan *scan = (csv_scan *)base;
    csv_worker *w = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*w), (void **)&w, err));
    w->base.scan = base;
    fl_csv_chunk_init(&w->chunk, memory);
    fl_arena_init(&w->texts, memory);
    FL_TRY(fl_alloc_zero(memory, scan->base.n_slots * (int64_t)sizeof(*w->slots), (void **)&w->slots, err));
    *ret = &w->base;
    return FL_OK;
cleanup:
    if (w != NULL)
        worker_free(&w->base);
    return st;
}

/* ---- chunks ---- */

/* Waits until another worker has published. */
static uint8_t wait_for(const csv_scan *scan, _Atomic uint8_t *published)
{
    for (;;) {
        uint8_t value = atomic_load_explicit(published, memory_order_acquire);
        if (value != UNKNOWN)
            return value;
        if (fl_interrupt_check(scan->base.memory->interrupt, NULL) != FL_OK)
            return FAILED;
        sched_yield();
    }
}

/* The state before a chunk, from parities: from the nearest chunk whose state is known, on to this one. */
static uint8_t state_before(csv_scan *scan, int64_t chunk)
{
    int64_t known = chunk;
    while (atomic_load_explicit(&scan->before[known], memory_order_acquire) == UNKNOWN)
        known--;
    uint8_t state = atomic_load_explicit(&scan->before[known], memory_order_acquire);
    for (; known < chunk; known++) {
        uint8_t own = wait_for(scan, &scan->own[known]);
        if (own == FAILED)
            return FAILED;
        state = own == ODD ? (state == INSIDE ? OUTSIDE : INSIDE) : state == INSIDE ? INSIDE : OUTSIDE;
        atomic_store_explicit(&scan->before[known + 1], state, memory_order_release);
    }
    return state;
}

static fl_csv_position position_of(uint8_t state)
{
    return (fl_csv_position){.is_inside = state == INSIDE || state == ESCAPED,
                             .is_escaped = state == ESCAPED,
                             .is_comment = state == IN_COMMENT,
                             .is_line_start = state == LINE_START};
}

static uint8_t state_of(const fl_csv_position *at)
{
    return at->is_escaped      ? ESCAPED
           : at->is_inside     ? INSIDE
           : at->is_comment    ? IN_COMMENT
           : at->is_line_start ? LINE_START
                               : OUTSIDE;
}

/* Publishes what the workers behind need of this chunk, and finds the state before it. */
static uint8_t exchange_states(csv_scan *scan, const csv_worker *w, int64_t chunk, bool is_read, bool is_last)
{
    const fl_csv_dialect *d = &w->file->layout.dialect;
    if (scan->base.windows != NULL)
        return LINE_START;
    fl_str own = is_read ? fl_csv_chunk_own(&w->chunk) : (fl_str){0};
    if (d->quote == 0 && d->comment == 0)
        return OUTSIDE;
    if (!fl_csv_is_in_order(d)) {
        fl_csv_position at = {0};
        fl_csv_pass(d, own.data, own.len, &at);
        atomic_store_explicit(&scan->own[chunk], !is_read ? FAILED : at.is_inside ? ODD : EVEN, memory_order_release);
        return state_before(scan, chunk);
    }
    uint8_t state = wait_for(scan, &scan->before[chunk]), after = FAILED;
    if (is_read && state != FAILED) {
        fl_csv_position at = position_of(state);
        fl_csv_pass(d, own.data, own.len, &at);
        after = state_of(&at);
    }
    if (!is_last)
        atomic_store_explicit(&scan->before[chunk + 1], after, memory_order_release);
    return state;
}

/* Keeps the first fault for the workers that wait for the chunk. */
static void keep_fault(csv_scan *scan, const fl_err *fault)
{
    if (atomic_exchange(&scan->has_failed, true))
        return;
    scan->fault = *fault;
    atomic_store_explicit(&scan->has_fault, true, memory_order_release);
}

/* A chunk before could not be read: its fault is this worker's, too. Without one the wait was cancelled. */
static fl_status pass_fault(const csv_scan *scan, fl_err *err)
{
    while (atomic_load(&scan->has_failed) && !atomic_load_explicit(&scan->has_fault, memory_order_acquire))
        sched_yield(); /* its owner is about to write it */
    if (!atomic_load_explicit(&scan->has_fault, memory_order_acquire))
        return fl_interrupt_check(scan->base.memory->interrupt, err);
    if (err != NULL)
        *err = scan->fault;
    return scan->fault.code;
}

/* Leaves lines out that cannot be read, where that was asked for, and counts what is left out. */
static fl_status drop_bad_lines(csv_worker *w, fl_err *err)
{
    fl_status st = FL_OK;
    csv_scan *scan = scan_of(w);
    fl_csv_chunk *chunk = &w->chunk;
    int64_t dropped = 0;
    fl_csv_keeper keeper = {.kept = &scan->kept, .piece = w->piece, .file = w->file, .lines = w->lines};
    if (!scan->table->options.ignore_errors)
        return FL_OK;
    FL_TRY(fl_csv_keep_uneven(&keeper, chunk, err));
    FL_TRY(fl_csv_drop_bad_lines(scan->table, &w->file->layout.dialect, chunk,
                                 scan->kept.log != NULL ? fl_csv_keep_bad : NULL, &keeper, &dropped, err));
    w->lines = fl_csv_keep_count(&keeper, chunk);
    dropped += chunk->n_skipped;
    if (fl_memory_metrics(scan->base.memory) != NULL)
        fl_metrics_add(fl_memory_metrics(scan->base.memory), FL_METRIC_CSV_LINES_SKIPPED, dropped);
cleanup:
    return st;
}

/* A stream's next chunks, up to one with rows, or to its end. */
static fl_status load_on(csv_worker *w, fl_err *err)
{
    fl_status st = FL_OK;
    const csv_scan *scan = scan_of(w);
    const fl_csv_file *file = w->file;
    FL_ASSERT(fl_text_file_is_stream(file->file));
    do {
        int64_t begin = w->chunk.end;
        FL_TRY(fl_interrupt_check(scan->base.memory->interrupt, err));
        FL_TRY(fl_csv_chunk_read(&w->chunk, file->file, begin, begin + scan->table->base.piece_bytes, err));
        bool has_header = scan->table->has_header && file->first_line >= begin && file->first_line < w->chunk.end;
        FL_TRY(fl_csv_chunk_index(&w->chunk, file->file, &file->layout, w->before, has_header, err));
        fl_str own = fl_csv_chunk_own(&w->chunk);
        fl_csv_pass(&file->layout.dialect, own.data, own.len, &w->before);
        FL_TRY(drop_bad_lines(w, err));
    } while (w->chunk.rows == 0 && w->chunk.end < fl_text_file_bytes(file->file));
cleanup:
    return st;
}

static fl_status load_chunk(csv_worker *w, int64_t chunk, fl_err *err)
{
    csv_scan *scan = scan_of(w);
    fl_file_piece piece = fl_file_scan_piece(&scan->base, chunk);
    const fl_csv_file *file = w->file = &scan->table->files[piece.file];
    w->piece = chunk;
    w->lines = 0;
    if (fl_text_file_is_stream(file->file)) {
        w->before = FL_CSV_AT_START;
        w->chunk.end = piece.begin;
        return load_on(w, err);
    }
    fl_err fault = {0};
    fl_status st = fl_csv_chunk_read(&w->chunk, file->file, piece.begin, piece.end, &fault);
    if (st != FL_OK)
        keep_fault(scan, &fault);
    uint8_t state = exchange_states(scan, w, chunk, st == FL_OK, piece.end == fl_text_file_bytes(file->file));
    if (st != FL_OK && err != NULL)
        *err = fault;
    if (st != FL_OK)
        return st;
    if (state == FAILED)
        return pass_fault(scan, err);
    bool has_header = scan->table->has_header && file->first_line >= piece.begin && file->first_line < piece.end;
    st = fl_csv_chunk_index(&w->chunk, file->file, &file->layout, position_of(state), has_header, err);
    return st == FL_OK ? drop_bad_lines(w, err) : st;
}

static fl_status claim(fl_scan_worker *base, bool *ret_any, int64_t *ret_morsel, fl_err *err)
{
    fl_status st = FL_OK;
    csv_worker *w = (csv_worker *)base;
    w->row = w->rows = 0;
    do {
        FL_TRY(fl_file_scan_claim(&scan_of(w)->base, ret_any, ret_morsel, err));
        if (*ret_any)
            FL_TRY(load_chunk(w, *ret_morsel, err));
    } while (*ret_any && w->chunk.rows == 0);
cleanup:
    return st;
}

static fl_status next(fl_scan_worker *base, int32_t *ret_rows, fl_err *err)
{
    csv_worker *w = (csv_worker *)base;
    csv_scan *scan = scan_of(w);
    w->row += w->rows;
    int64_t left = w->chunk.rows - w->row;
    if (left == 0 && fl_text_file_is_stream(w->file->file) && w->chunk.end < fl_text_file_bytes(w->file->file)) {
        fl_status st = load_on(w, err);
        if (st != FL_OK)
            return st;
        w->row = 0;
        left = w->chunk.rows;
    }
    w->rows = (int32_t)(left < scan->base.rows_max ? left : scan->base.rows_max);
    fl_arena_reset(&w->texts);
    atomic_fetch_add_explicit(&scan->base.scan.rows_done, w->rows, memory_order_relaxed);
    *ret_rows = w->rows;
    return FL_OK;
}

/* ---- fields ---- */

/* One column of one batch. */
typedef struct reading {
    csv_worker *w;
    const fl_csv_table *table;
    const fl_csv_dialect *dialect;
    const fl_field *field;
    fl_str format; /* of dates and timestamps; empty: ISO's */
    int32_t col;
    const uint64_t *mask;
    uint64_t *valid;
    bool is_guessed; /* the type was found by looking: what the sample did not show is text, and no number */
    fl_err *err;
} reading;

static fl_status fail_field(const reading *r, int32_t row, const fl_err *complaint)
{
    fl_str raw = fl_csv_chunk_field(&r->w->chunk, r->w->row + row, r->col);
    return fl_csv_fail_at(r->w->file->file, &r->w->file->layout, fl_text_piece_offset(&r->w->chunk.text, raw.data),
                          complaint, r->err);
}

/* The value is none of its column's type; `inner` says more, or is NULL. */
static fl_status fail_value(const reading *r, int32_t row, fl_str text, const fl_err *inner)
{
    fl_err complaint;
    int shown = (int)(text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES);
    while (shown < text.len && shown > 0 && (text.data[shown] & 0xC0) == 0x80)
        shown--;
    FL_FAIL(&complaint, inner == NULL ? FL_ERR_VALUE : inner->code, "\"%.*s\"%s is no %s (column \"%.*s\")", shown,
            text.data, shown < text.len ? "..." : "", FL_TYPE_NAME(r->field->type), FL_STR_ARG(r->field->name));
    if (inner != NULL)
        fl_err_state(&complaint, inner->sqlstate, complaint.code);
    if (r->is_guessed)
        fl_err_hint(&complaint,
                    "the first rows of the column are %s; sample_size = -1 looks at all rows to find the type, "
                    "all_varchar = true reads texts",
                    FL_TYPE_NAME(r->field->type));
    else
        fl_err_hint(&complaint, "give the column another type, or read it as text and use TRY_CAST, which gives NULL");
    return fail_field(r, row, &complaint);
}

/* The text of a field; false when it is NULL or not wanted. *ret_st: FL_OK, or the fault. */
static inline bool get_text(const reading *r, int32_t row, bool is_text, fl_str *ret, bool *ret_quoted,
                            fl_status *ret_st)
{
    if (r->mask != NULL && !fl_bit_get(r->mask, row))
        return false;
    fl_str raw = fl_csv_chunk_field(&r->w->chunk, r->w->row + row, r->col);
    *ret = fl_csv_field_text(r->dialect, raw, ret_quoted);
    if (FL_UNLIKELY(*ret_quoted && ret->data[ret->len] != r->dialect->quote)) { /* a CR between quote and delimiter */
        *ret_st = fl_csv_fail_structure(r->w->file->file, &r->w->file->layout, r->err);
        return false;
    }
    if (!fl_csv_is_null(&r->table->options, *ret, *ret_quoted, is_text))
        return true;
    fl_bit_clear(r->valid, row);
    return false;
}

/* A loop over the batch: `expression` reads `text` into to[row] and is false where it cannot. */
#define READ_ALL(type, expression)                                 \
    do {                                                           \
        type *to = values;                                         \
        for (int32_t row = 0; row < r->w->rows; row++) {           \
            fl_str text;                                           \
            bool is_quoted;                                        \
            to[row] = 0;                                           \
            if (get_text(r, row, false, &text, &is_quoted, &st)) { \
                if (FL_UNLIKELY(!(expression)))                    \
                    return fail_value(r, row, text, NULL);         \
            } else if (FL_UNLIKELY(st != FL_OK)) {                 \
                return st;                                         \
            }                                                      \
        }                                                          \
    } while (0)

static fl_status read_texts(const reading *r, fl_view *to)
{
    fl_status st = FL_OK;
    for (int32_t row = 0; row < r->w->rows; row++) {
        fl_str text;
        bool is_quoted;
        to[row] = (fl_view){0};
        if (!get_text(r, row, true, &text, &is_quoted, &st)) {
            FL_TRY(st);
            continue;
        }
        if (is_quoted && memchr(text.data, r->dialect->escape, (size_t)text.len) != NULL) {
            char *copy = NULL;
            FL_TRY(fl_arena_get(&r->w->texts, text.len, (void **)&copy, r->err));
            text = (fl_str){copy, fl_csv_unquote(r->dialect, text, copy)};
        }
        to[row] = fl_view_of(text.data, text.len);
    }
cleanup:
    return st;
}

/* Texts, each of which must be JSON. */
static fl_status read_json(const reading *r, fl_view *to)
{
    fl_status st = FL_OK;
    FL_TRY(read_texts(r, to));
    for (int32_t row = 0; row < r->w->rows; row++) {
        bool is_json;
        if (!fl_bit_get(r->valid, row) || (r->mask != NULL && !fl_bit_get(r->mask, row)))
            continue;
        FL_TRY(fl_json_check(&r->w->texts, fl_view_str(&to[row]), &is_json, r->err));
        if (!is_json)
            return fail_value(r, row, fl_view_str(&to[row]), NULL);
    }
cleanup:
    return st;
}

static fl_status read_bools(const reading *r, uint64_t *to)
{
    fl_status st = FL_OK;
    memset(to, 0, (size_t)fl_bitmap_words(r->w->rows) * 8);
    for (int32_t row = 0; row < r->w->rows; row++) {
        fl_str text;
        bool is_quoted, value;
        if (!get_text(r, row, false, &text, &is_quoted, &st)) {
            FL_TRY(st);
            continue;
        }
        if (!fl_csv_read_bool(text, &value)) {
            fl_value other;
            fl_err inner;
            if (r->is_guessed)
                return fail_value(r, row, text, NULL);
            if (fl_value_from_text(r->field->type, text, &other, &inner) != FL_OK)
                return fail_value(r, row, text, &inner);
            value = other.b;
        }
        if (value)
            fl_bit_set(to, row);
    }
cleanup:
    return st;
}

static void store_value(void *values, int32_t row, const fl_value *v, int32_t width)
{
    char *to = (char *)values + (int64_t)row * width;
    if (v->type.id == FL_F32) {
        float f = (float)v->f;
        memcpy(to, &f, 4);
    } else if (v->type.id == FL_INTERVAL) {
        memcpy(to, &v->interval, sizeof(v->interval));
    } else if (v->type.id == FL_DECIMAL) {
        memcpy(to, &v->d, (size_t)width); /* little endian: the low half is the value where it is stored in 8 bytes */
    } else {
        memcpy(to, &v->i, (size_t)width);
    }
}

/* All other types, as a cast from text reads them. */
static fl_status read_others(const reading *r, void *values, int32_t width)
{
    fl_status st = FL_OK;
    char number[FL_CSV_NUMBER_BYTES];
    memset(values, 0, (size_t)r->w->rows * (size_t)width);
    for (int32_t row = 0; row < r->w->rows; row++) {
        fl_str text;
        bool is_quoted;
        fl_value value;
        fl_err inner;
        if (!get_text(r, row, false, &text, &is_quoted, &st)) {
            FL_TRY(st);
            continue;
        }
        if (r->is_guessed && r->field->type.id == FL_DECIMAL && (fl_csv_is_padded(text) || !fl_csv_is_whole(text)))
            return fail_value(r, row, text, NULL);
        fl_str written = fl_type_is_numeric(r->field->type) ? fl_csv_number(&r->table->options, text, number) : text;
        if (fl_value_from_text(r->field->type, written, &value, &inner) != FL_OK)
            return fail_value(r, row, text, &inner);
        if (fl_type_is_string(value.type)) {
            char *copy = NULL;
            FL_TRY(fl_arena_get(&r->w->texts, value.s.len + 1, (void **)&copy, r->err));
            memcpy(copy, value.s.data, (size_t)value.s.len);
            ((fl_view *)values)[row] = fl_view_of(copy, value.s.len);
        } else {
            store_value(values, row, &value, width);
        }
    }
cleanup:
    return st;
}

static bool read_i32(fl_str text, int32_t *ret)
{
    int64_t value;
    if (!fl_csv_read_i64(text, &value) || value < INT32_MIN || value > INT32_MAX)
        return false;
    *ret = (int32_t)value;
    return true;
}

/* ISO first, which is what files have; then whatever else a cast takes, unless the type is a guess. */
static bool read_date(const reading *r, fl_str text, int32_t *ret)
{
    int64_t us = 0;
    if (r->format.len > 0) {
        bool is_date = fl_strptime(text, r->format, &us) == FL_STRPTIME_OK;
        *ret = (int32_t)fl_floor_div(us, FL_US_PER_DAY);
        return is_date;
    }
    return fl_csv_read_date(text, ret) || (!r->is_guessed && fl_date_parse(text, ret) == 0);
}

static bool read_timestamp(const reading *r, fl_str text, bool has_zone, int64_t *ret)
{
    bool zoned;
    if (r->format.len > 0)
        return fl_strptime(text, r->format, ret) == FL_STRPTIME_OK;
    return fl_csv_read_timestamp(text, has_zone, ret) ||
           (!r->is_guessed && fl_timestamp_parse(text, ret, has_zone ? &zoned : NULL) == 0);
}

static fl_status read_column(const reading *r, void *values)
{
    fl_status st = FL_OK;
    fl_type type = r->field->type;
    char number[FL_CSV_NUMBER_BYTES];
    if (type.extension != FL_PLAIN)
        return type.extension == FL_JSON ? read_json(r, values) : read_others(r, values, fl_type_width(type));
    switch (type.id) {
    case FL_UTF8:
        return read_texts(r, values);
    case FL_BOOL:
        return read_bools(r, values);
    case FL_I64:
        if (r->is_guessed)
            READ_ALL(int64_t, fl_csv_read_i64(text, &to[row]) && !fl_csv_is_padded(text));
        else
            READ_ALL(int64_t, fl_csv_read_i64(text, &to[row]));
        return FL_OK;
    case FL_I32:
        READ_ALL(int32_t, read_i32(text, &to[row]));
        return FL_OK;
    case FL_F64:
        if (r->table->options.decimal_separator != 0)
            READ_ALL(double, fl_csv_read_f64(fl_csv_number(&r->table->options, text, number), &to[row]));
        else if (r->is_guessed)
            READ_ALL(double, fl_csv_read_f64(text, &to[row]) && !fl_csv_is_padded(text));
        else
            READ_ALL(double, fl_csv_read_f64(text, &to[row]));
        return FL_OK;
    case FL_DATE:
        READ_ALL(int32_t, read_date(r, text, &to[row]));
        return FL_OK;
    case FL_TIME:
        if (!r->is_guessed)
            return read_others(r, values, 8);
        READ_ALL(int64_t, fl_csv_read_time(text, &to[row]));
        return FL_OK;
    case FL_TIMESTAMP:
    case FL_TIMESTAMPTZ:
        if (type.unit != FL_MICRO || type.scale != 0)
            return read_others(r, values, 8);
        READ_ALL(int64_t, read_timestamp(r, text, type.id == FL_TIMESTAMPTZ, &to[row]));
        return FL_OK;
    default:
        return read_others(r, values, fl_type_width(type));
    }
}

/* Room for the batch's rows, twice as many each time, up to whole batches: a file may have 100,000 columns and one row. */
static fl_status make_room(const csv_worker *w, fl_type type, slot_buffers *b, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_file_scan *scan = &scan_of(w)->base;
    int64_t width = type.id == FL_BOOL ? 1 : fl_type_width(type);
    int32_t room = 2 * b->room > w->rows ? 2 * b->room : w->rows;
    if (w->rows <= b->room)
        return FL_OK;
    room = room < scan->rows_max ? room : scan->rows_max;
    b->room = 0;
    fl_buffer_unref(b->values);
    fl_buffer_unref(b->valid);
    b->values = b->valid = NULL;
    FL_TRY(fl_buffer_new(scan->memory, (room + 63) * width, &b->values, err));
    FL_TRY(fl_buffer_new(scan->memory, fl_bitmap_words(room) * 8, &b->valid, err));
    b->room = room;
cleanup:
    return st;
}

static fl_status read(fl_scan_worker *base, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    csv_worker *w = (csv_worker *)base;
    csv_scan *scan = scan_of(w);
    int32_t col = scan->base.cols[slot];
    slot_buffers *b = &w->slots[slot];
    fl_status st = make_room(w, scan->table->base.table.fields[col].type, b, err);
    if (st != FL_OK)
        return st;
    void *bits = b->valid->data;
    uint64_t *valid = bits;
    reading r = {.w = w,
                 .table = scan->table,
                 .dialect = &w->file->layout.dialect,
                 .field = &scan->table->base.table.fields[col],
                 .format = fl_csv_column_format(scan->table, col),
                 .col = col,
                 .mask = mask,
                 .valid = valid,
                 .is_guessed = fl_csv_is_guessed(scan->table, col),
                 .err = err};
    fl_bitmap_fill(valid, w->rows, true);
    st = read_column(&r, b->values->data);
    if (st == FL_OK)
        fl_vec_set_flat(ret, r.field->type, b->values->data, fl_bitmap_count(valid, w->rows) == w->rows ? NULL : valid);
    return st;
}

static const fl_scan_ops scan_ops = {.worker_new = worker_new,
                                     .worker_free = worker_free,
                                     .claim = claim,
                                     .next = next,
                                     .read = read,
                                     .free = scan_free};
