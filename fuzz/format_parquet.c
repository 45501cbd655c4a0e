/* Fuzzing the Parquet reader: any bytes are opened as a file and scanned within a memory budget, every column, whole
 * and with gaps; nothing may crash, leak or run on. */
#include "plan/table.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define BATCHES_MAX 200 /* a file of a few bytes may claim to have billions of rows */

extern const fl_format_desc fl_format_parquet;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* every: how many batches are passed over between those that are read. */
static fl_status scan_all(fl_table *table, fl_memory *memory, int32_t rows_max, int every, fl_err *err)
{
    fl_status st = FL_OK;
    fl_scan *scan = NULL;
    fl_scan_worker *worker = NULL;
    fl_scan_bounds *bounds = NULL;
    int32_t *cols = NULL;
    int32_t n_cols = table->n_cols < 50 ? table->n_cols : 50;
    FL_TRY(fl_alloc(memory, n_cols * 4, (void **)&cols, err));
    for (int32_t i = 0; i < n_cols; i++)
        cols[i] = i;
    FL_TRY(fl_scan_bounds_new(memory, &bounds, err));
    for (int32_t i = 0; every > 1 && i < n_cols; i++) {
        fl_col_stats stats;
        table->ops->stats(table, i, &stats);
        if (stats.has_bounds) {
            fl_scan_bound bound = {.slot = i, .has_low = true, .low = stats.min};
            FL_TRY(fl_scan_bounds_add(bounds, &bound, err));
        }
    }
    fl_scan_request request = {
        .cols = cols, .n_cols = n_cols, .rows_max = rows_max, .memory = memory, .bounds = bounds};
    FL_TRY(table->ops->scan_new(table, &request, &scan, err));
    FL_TRY(scan->ops->worker_new(scan, memory, &worker, err));
    int64_t batches = 0, morsel = 0;
    for (bool any = true; any && batches < BATCHES_MAX;) {
        FL_TRY(scan->ops->claim(worker, &any, &morsel, err));
        for (int32_t rows = any; rows > 0 && batches < BATCHES_MAX; batches++) {
            FL_TRY(scan->ops->next(worker, &rows, err));
            for (int32_t i = 0; rows > 0 && i < n_cols && (batches + i) % every == 0; i++) {
                fl_arena arena;
                fl_vec vec;
                fl_value value;
                FL_TRY(scan->ops->read(worker, i, NULL, &vec, err));
                fl_arena_init(&arena, memory);
                uint64_t hash = 0;
                for (int64_t row = 0; st == FL_OK && row < rows; row++)
                    if ((st = fl_value_from_vec(&arena, &vec, row, &value, err)) == FL_OK)
                        hash ^= fl_value_hash(&value); /* touches every byte */
                fl_arena_drop(&arena);
                FL_TRY(st);
            }
        }
    }
cleanup:
    if (worker != NULL)
        scan->ops->worker_free(worker);
    if (scan != NULL)
        scan->ops->free(scan);
    fl_scan_bounds_free(bounds);
    fl_free(cols);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];
    fl_memory memory;
    fl_err err = {0};
    fl_table *table = NULL;
    int fd = memfd_create("parquet", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    fl_str name = fl_str_of(path);
    fl_memory_init(&memory, NULL, "fuzz", 256 << 20);
    /* checksums are left out, so that damage gets past them */
    fl_option option = {.name = FL_STR("verify_checksums"), .value = {.type = FL_TYPE(FL_BOOL), .b = false}};
    if (fl_format_parquet.open(&memory, &name, 1, &option, 1, &table, &err) == FL_OK) {
        (void)scan_all(table, &memory, 2048, 1, &err);
        (void)scan_all(table, &memory, 100, 3, &err);
        fl_table_unref(table);
    }
    FL_ASSERT(atomic_load(&memory.used_bytes) == 0);
    close(fd);
    return 0;
}
