/* Fuzzing the Arrow IPC reader: any bytes are opened as a file or stream and scanned within a memory budget; nothing may crash, leak or
 * run on. */
#include "format/arrow/table.h"
#include "table_rows.h"

#define COLUMNS_MAX 50
#define BATCHES_MAX 200 /* a file of a few bytes may claim to have billions of rows */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_memory memory;
    fl_err err = {0};
    fl_table *table = NULL;
    table_rows rows = {0};
    table_source source = {&fl_format_arrow, data, (int64_t)bytes, NULL, 0};
    table_scan how = {.rows_max = 2048, .cols_max = COLUMNS_MAX, .batches_max = BATCHES_MAX};
    fl_memory_init(&memory, NULL, "fuzz", 256 << 20);
    if (table_open(&source, &memory, &table, &err) == FL_OK)
        (void)table_scan_rows(table, &how, &memory, &rows, &err);
    fl_table_unref(table);
    FL_ASSERT(atomic_load(&memory.used_bytes) == 0);
    return 0;
}
