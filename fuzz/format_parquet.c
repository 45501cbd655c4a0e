/* Fuzzing the Parquet reader: any bytes are opened as a file and scanned within a memory budget, every column, whole,
 * with gaps and sampled; nothing may crash, leak or run on. */
#include "format/parquet/table.h"
#include "table_rows.h"

#define COLUMNS_MAX 50
#define BATCHES_MAX 200 /* a file of a few bytes may claim to have billions of rows */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Columns are read now and then, within the bounds that their statistics give. */
static void scan_with_gaps(fl_table *table, fl_memory *memory)
{
    fl_err err = {0};
    fl_scan_bound bounds[COLUMNS_MAX];
    table_rows rows = {0};
    table_scan how = {
        .rows_max = 100, .cols_max = COLUMNS_MAX, .batches_max = BATCHES_MAX, .every = 3, .bounds = bounds};
    for (int32_t i = 0; i < table->n_cols && i < COLUMNS_MAX; i++) {
        fl_col_stats stats;
        table->ops->stats(table, i, &stats);
        if (stats.has_bounds)
            bounds[how.n_bounds++] = (fl_scan_bound){.slot = i, .has_low = true, .low = stats.min};
    }
    (void)table_scan_rows(table, &how, memory, &rows, &err);
}

static void sample(fl_table *table, fl_memory *memory)
{
    for (int32_t i = 0; i < table->n_cols && i < COLUMNS_MAX; i++) {
        fl_table_sample got;
        fl_vec vec;
        fl_col_stats stats;
        (void)table->ops->sample(table, memory, &i, 1, &vec, &got, NULL);
        (void)table->ops->sample_stats(table, memory, i, &stats, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_memory memory;
    fl_err err = {0};
    fl_table *table = NULL;
    table_rows rows = {0};
    /* checksums are left out, so that damage gets past them */
    fl_option option = {.name = FL_STR("verify_checksums"), .value = {.type = FL_TYPE(FL_BOOL), .b = false}};
    table_source source = {&fl_format_parquet, data, (int64_t)bytes, &option, 1};
    table_scan how = {.rows_max = 2048, .cols_max = COLUMNS_MAX, .batches_max = BATCHES_MAX};
    fl_memory_init(&memory, NULL, "fuzz", 256 << 20);
    if (table_open(&source, &memory, &table, &err) == FL_OK) {
        (void)table_scan_rows(table, &how, &memory, &rows, &err);
        scan_with_gaps(table, &memory);
        sample(table, &memory);
    }
    fl_table_unref(table);
    FL_ASSERT(atomic_load(&memory.used_bytes) == 0);
    return 0;
}
