/* Reading tables of files, and what must hold of all of them. */
#include "table_rows.h"

#include "base/fault.h"
#include "format/files_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s: %s does not hold\n", __FILE__, __LINE__, __func__, #cond); \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int table_file_new(const void *data, int64_t bytes, char path[64])
{
    int fd = memfd_create("table", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, data, (size_t)bytes) == bytes);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

fl_status table_open(const table_source *source, fl_memory *memory, fl_table **ret, fl_err *err)
{
    char path[64];
    int fd = table_file_new(source->data, source->bytes, path);
    fl_str name = fl_str_of(path);
    fl_status st = source->format->open(memory, &name, 1, source->options, source->n_options, ret, err);
    close(fd);
    return st;
}

/* ---- scanning ---- */

typedef struct walk {
    const fl_table *table;
    const table_scan *how;
    fl_scan_worker *worker;
    int32_t n_cols;
    fl_vec *vecs; /* per column */
    bool *is_read;
    fl_arena arena;
    int64_t batches;
    table_rows *ret;
} walk;

static fl_status add_batch(walk *w, int32_t rows, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < w->n_cols; i++) {
        w->is_read[i] = w->how->every == 0 || (w->batches + i) % w->how->every == 0;
        if (w->is_read[i])
            FL_TRY(w->worker->scan->ops->read(w->worker, i, NULL, &w->vecs[i], err));
    }
    for (int32_t row = 0; row < rows; row++) {
        fl_arena_reset(&w->arena);
        for (int32_t i = 0; i < w->n_cols; i++) {
            fl_value value;
            if (!w->is_read[i])
                continue;
            FL_TRY(fl_value_from_vec(&w->arena, &w->vecs[i], row, &value, err));
            w->ret->hash = w->ret->hash * 1000003 + fl_value_hash(&value);
            if (w->ret->text != NULL) {
                fl_value_print(w->ret->text, &value);
                fl_text_add_char(w->ret->text, i + 1 < w->n_cols ? '|' : '\n');
            }
        }
    }
    w->ret->rows += rows;
cleanup:
    return st;
}

static fl_status walk_morsels(walk *w, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_scan_ops *ops = w->worker->scan->ops;
    int64_t last = -1, morsel = 0, batches_max = w->how->batches_max > 0 ? w->how->batches_max : INT64_MAX;
    for (bool any = true; any && w->batches < batches_max; last = morsel) {
        FL_TRY(ops->claim(w->worker, &any, &morsel, err));
        CHECK(!any || morsel > last);
        for (int32_t rows = any; rows > 0 && w->batches < batches_max; w->batches++) {
            FL_TRY(ops->next(w->worker, &rows, err));
            CHECK(rows <= w->how->rows_max);
            if (rows > 0)
                FL_TRY(add_batch(w, rows, err));
            if (w->how->after_batch != NULL)
                w->how->after_batch(w->how->ctx, w->batches);
        }
    }
cleanup:
    return st;
}

fl_status table_scan_rows(fl_table *table, const table_scan *how, fl_memory *memory, table_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_scan *scan = NULL;
    fl_scan_bounds *bounds = NULL;
    int32_t n_cols = how->cols_max > 0 && how->cols_max < table->n_cols ? how->cols_max : table->n_cols;
    walk w = {.table = table, .how = how, .n_cols = n_cols, .ret = ret};
    int32_t *cols = calloc((size_t)n_cols + 1, sizeof(*cols));
    w.vecs = calloc((size_t)n_cols + 1, sizeof(*w.vecs));
    w.is_read = calloc((size_t)n_cols + 1, sizeof(*w.is_read));
    CHECK(cols != NULL && w.vecs != NULL && w.is_read != NULL);
    fl_arena_init(&w.arena, memory);
    for (int32_t i = 0; i < n_cols; i++)
        cols[i] = i;
    FL_TRY(fl_scan_bounds_new(memory, &bounds, err));
    for (int32_t i = 0; i < how->n_bounds; i++)
        FL_TRY(fl_scan_bounds_add(bounds, &how->bounds[i], err));
    if (how->piece_bytes > 0)
        ((fl_files_table *)table)->piece_bytes = how->piece_bytes;
    fl_scan_request request = {
        .cols = cols, .n_cols = n_cols, .rows_max = how->rows_max, .memory = memory, .bounds = bounds};
    FL_TRY(table->ops->scan_new(table, &request, &scan, err));
    FL_TRY(scan->ops->worker_new(scan, memory, &w.worker, err));
    FL_TRY(walk_morsels(&w, err));
    ret->pruned = atomic_load(&scan->morsels_pruned);
    ret->is_passed = atomic_load(&scan->rows_done) == scan->rows_total;
cleanup:
    if (w.worker != NULL)
        scan->ops->worker_free(w.worker);
    if (scan != NULL)
        scan->ops->free(scan);
    fl_scan_bounds_free(bounds);
    fl_arena_drop(&w.arena);
    free(cols);
    free(w.vecs);
    free(w.is_read);
    return st;
}

/* ---- what must hold ---- */

static fl_status read_text(const table_source *source, fl_memory *memory, fl_text *ret, fl_err *err)
{
    fl_table *table = NULL;
    table_rows rows = {.text = ret};
    fl_status st = table_open(source, memory, &table, err);
    for (int32_t i = 0; st == FL_OK && i < table->n_cols; i++) {
        fl_text_add(ret, table->fields[i].name);
        fl_text_add_char(ret, ' ');
        fl_type_print(ret, table->fields[i].type);
        fl_text_add(ret, i + 1 < table->n_cols ? FL_STR(", ") : FL_STR("\n"));
    }
    if (st == FL_OK)
        st = table_scan_rows(table, &(table_scan){.rows_max = 3}, memory, &rows, err);
    fl_table_unref(table);
    return st;
}

void table_check_text(const table_source *source, const char *wanted, fl_memory *memory)
{
    fl_text text;
    fl_err err = {0};
    fl_text_init(&text, NULL);
    fl_status st = read_text(source, memory, &text, &err);
    bool is_same = st == FL_OK && fl_str_is_equal(fl_text_str(&text), fl_str_of(wanted));
    if (!is_same)
        fprintf(stderr, "%.*s\n%.*s%s\ninstead of\n%s", (int)source->bytes, (const char *)source->data,
                FL_STR_ARG(fl_text_str(&text)), err.message, wanted);
    CHECK(is_same);
    fl_text_drop(&text);
}

void table_check_fails(const table_source *source, const char *sqlstate, int64_t line, int64_t column,
                       fl_memory *memory)
{
    fl_text text;
    fl_err err = {0};
    fl_text_init(&text, NULL);
    fl_status st = read_text(source, memory, &text, &err);
    bool is_same = st != FL_OK && st == err.code && strcmp(err.sqlstate, sqlstate) == 0 && err.line == line &&
                   err.column == column;
    if (!is_same)
        fprintf(stderr, "%.60s: %s (%s) instead of %s at line %lld, column %lld\n", (const char *)source->data,
                err.message, err.sqlstate, sqlstate, (long long)line, (long long)column);
    CHECK(is_same);
    fl_text_drop(&text);
}

void table_check_pieces(const table_source *source, int64_t piece_bytes_max, fl_memory *memory)
{
    fl_table *table = NULL;
    table_rows whole = {0};
    CHECK(table_open(source, memory, &table, NULL) == FL_OK);
    CHECK(table_scan_rows(table, &(table_scan){.rows_max = 2048}, memory, &whole, NULL) == FL_OK);
    for (int64_t bytes = 1; bytes <= piece_bytes_max; bytes++) {
        table_rows pieces = {0};
        table_scan how = {.rows_max = 1 + (int32_t)bytes % 5, .piece_bytes = bytes};
        CHECK(table_scan_rows(table, &how, memory, &pieces, NULL) == FL_OK);
        CHECK(pieces.rows == whole.rows && pieces.hash == whole.hash);
    }
    fl_table_unref(table);
}

void table_check_faults(const table_source *source, const table_scan *scan, fl_memory *memory)
{
    static const struct {
        fl_fault fault;
        fl_status status;
    } kinds[] = {{FL_FAULT_ALLOC, FL_ERR_MEMORY}, {FL_FAULT_OPEN, FL_ERR_IO}, {FL_FAULT_READ, FL_ERR_IO}};
    for (int64_t kind = 0; kind < FL_LEN(kinds); kind++) {
        bool is_untouched = false;
        for (int64_t n = 1; !is_untouched; n++) {
            fl_err err = {0};
            fl_table *table = NULL;
            table_rows rows = {0};
            fl_fault_arm(kinds[kind].fault, n);
            fl_status st = table_open(source, memory, &table, &err);
            if (st == FL_OK)
                st = table_scan_rows(table, scan, memory, &rows, &err);
            is_untouched = fl_fault_is_armed(kinds[kind].fault);
            fl_fault_arm(kinds[kind].fault, 0);
            fl_table_unref(table);
            CHECK(st == (is_untouched ? FL_OK : kinds[kind].status));
            CHECK(st == err.code && (st == FL_OK || err.message[0] != 0));
            CHECK(atomic_load(&memory->used_bytes) == 0);
            CHECK(n < 100000);
        }
    }
}

static void scan_twice(fl_table *table, uint8_t choice, fl_memory *memory)
{
    table_rows whole = {0}, pieces = {0};
    fl_err err = {0}, other = {0};
    table_scan how = {.rows_max = 100, .cols_max = 16};
    fl_status st = table_scan_rows(table, &how, memory, &whole, &err);
    how.piece_bytes = 1 + choice % 61;
    fl_status again = table_scan_rows(table, &how, memory, &pieces, &other);
    CHECK((st == FL_OK) == (again == FL_OK));
    if (st == FL_OK)
        CHECK(whole.hash == pieces.hash && whole.rows == pieces.rows);
    else
        CHECK(err.message[0] != 0 && other.message[0] != 0);
    if (st == FL_ERR_FORMAT)
        CHECK(err.line > 0 && err.column > 0);
}

/* Whatever the bytes are, a sample is had of them or none is. */
static void sample_columns(fl_table *table, fl_memory *memory)
{
    double rows = 0;
    CHECK(table->ops->sample_rows(table, memory, &rows, NULL) == FL_OK && rows >= 0);
    for (int32_t i = 0; i < table->n_cols && i < 16; i++) {
        fl_vec vec;
        fl_table_sample sample;
        fl_col_stats stats;
        if (table->ops->sample(table, memory, &i, 1, &vec, &sample, NULL) == FL_OK)
            CHECK(sample.rows >= 0 && sample.rows <= FL_SAMPLE_ROWS_MAX && sample.n_places <= FL_SAMPLE_PLACES_MAX);
        (void)table->ops->sample_stats(table, memory, i, &stats, NULL);
    }
}

void table_fuzz_text(const fl_format_desc *format, int32_t (*choose_options)(uint8_t choice, fl_option *ret),
                     const uint8_t *data, size_t bytes)
{
    fl_memory memory;
    fl_err err = {0};
    fl_table *table = NULL;
    fl_option options[8];
    if (bytes < 1 || bytes > 20000)
        return;
    table_source source = {format, data + 1, (int64_t)bytes - 1, options, choose_options(data[0], options)};
    fl_memory_init(&memory, NULL, "fuzz", 64 << 20);
    fl_status st = table_open(&source, &memory, &table, &err);
    CHECK(st == FL_OK || err.message[0] != 0);
    if (st == FL_OK) {
        scan_twice(table, data[0], &memory);
        sample_columns(table, &memory);
    }
    fl_table_unref(table);
    CHECK(atomic_load(&memory.used_bytes) == 0);
}
