/* Fuzzing the JSON reader: any bytes are opened as a file, under options that the first byte chooses, and scanned within a
 * memory budget; nothing may crash, leak or run on. The file is scanned twice, in one chunk and in tiny ones, and both must
 * give the same rows, or both fail: where chunks begin is no matter of content. */
#include "format/json/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(cond)  \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static fl_status hash_batch(fl_scan_worker *worker, const fl_table *table, int32_t rows, fl_memory *memory,
                            uint64_t *hash, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_vec vecs[16];
    int32_t n_cols = table->n_cols < 16 ? table->n_cols : 16;
    fl_arena_init(&arena, memory);
    for (int32_t i = 0; i < n_cols; i++)
        FL_TRY(worker->scan->ops->read(worker, i, NULL, &vecs[i], err));
    for (int32_t row = 0; row < rows; row++)
        for (int32_t i = 0; i < n_cols; i++) {
            fl_value value;
            FL_TRY(fl_value_from_vec(&arena, &vecs[i], row, &value, err));
            *hash = *hash * 1000003 + fl_value_hash(&value);
        }
cleanup:
    fl_arena_drop(&arena);
    return st;
}

static fl_status scan_all(fl_json_table *table, int64_t chunk_bytes, fl_memory *memory, uint64_t *ret_hash,
                          int64_t *ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    fl_scan *scan = NULL;
    fl_scan_worker *worker = NULL;
    int32_t cols[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    fl_scan_request request = {
        .cols = cols, .n_cols = table->base.table.n_cols < 16 ? table->base.table.n_cols : 16, .rows_max = 100, .memory = memory};
    int64_t morsel;
    *ret_hash = 0;
    *ret_rows = 0;
    table->base.piece_bytes = chunk_bytes;
    FL_TRY(table->base.table.ops->scan_new(&table->base.table, &request, &scan, err));
    FL_TRY(scan->ops->worker_new(scan, memory, &worker, err));
    for (bool any = true; any;) {
        FL_TRY(scan->ops->claim(worker, &any, &morsel, err));
        for (int32_t rows = any; rows > 0; *ret_rows += rows) {
            FL_TRY(scan->ops->next(worker, &rows, err));
            if (rows > 0)
                FL_TRY(hash_batch(worker, &table->base.table, rows, memory, ret_hash, err));
        }
    }
cleanup:
    if (worker != NULL)
        scan->ops->worker_free(worker);
    if (scan != NULL)
        scan->ops->free(scan);
    return st;
}

static int32_t choose_options(uint8_t choice, fl_option *options)
{
    options[0] = (fl_option){.name = FL_STR("sample_size"), .value = {.type = FL_TYPE(FL_I64), .i = 1 + (choice & 3)}};
    return (choice & 128) != 0 ? 1 : 0;
}

static void scan_twice(fl_table *table, uint8_t choice, fl_memory *memory)
{
    uint64_t whole, pieces;
    int64_t whole_rows, pieces_rows;
    fl_err err = {0}, other = {0};
    fl_status st = scan_all((fl_json_table *)table, FL_TEXT_PIECE_BYTES, memory, &whole, &whole_rows, &err);
    fl_status again = scan_all((fl_json_table *)table, 1 + choice % 61, memory, &pieces, &pieces_rows, &other);
    CHECK((st == FL_OK) == (again == FL_OK));
    if (st == FL_OK)
        CHECK(whole == pieces && whole_rows == pieces_rows);
    else
        CHECK(err.message[0] != 0 && other.message[0] != 0);
    if (st == FL_ERR_FORMAT)
        CHECK(err.line > 0 && err.column > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];
    fl_memory memory;
    fl_err err = {0};
    fl_table *table = NULL;
    fl_option options[8];
    if (bytes < 1 || bytes > 20000)
        return 0;
    int fd = memfd_create("json", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    if (write(fd, data + 1, bytes - 1) == (ssize_t)bytes - 1) {
        fl_memory_init(&memory, NULL, "fuzz", 64 << 20);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        fl_str name = fl_str_of(path);
        fl_status st = fl_format_json.open(&memory, &name, 1, options, choose_options(data[0], options), &table, &err);
        CHECK(st == FL_OK || err.message[0] != 0);
        if (st == FL_OK) {
            scan_twice(table, data[0], &memory);
            fl_table_unref(table);
        }
        CHECK(memory.used_bytes == 0);
    }
    close(fd);
    return 0;
}
