/* The join table's directory. */
#include "op/join/table.h"

/* A table without entries. */
static fl_join_table plan_table(int64_t rows, bool has_range, int64_t min, int64_t max)
{
    fl_join_table table = {.rows = rows};
    uint64_t range = (uint64_t)max - (uint64_t)min;
    table.is_dense = has_range && rows > 0 && range < (uint64_t)rows * 8 + 1024;
    if (table.is_dense) {
        table.min = min;
        table.range = range;
        table.n_entries = (int64_t)range + 1;
    } else {
        int32_t bits = 4;
        while ((1LL << bits) < rows + rows / 2)
            bits++;
        table.n_entries = 1LL << bits;
        table.shift = 64 - bits;
    }
    return table;
}

int64_t fl_join_table_bytes(int64_t rows, bool has_range, int64_t min, int64_t max)
{
    return plan_table(rows, has_range, min, max).n_entries * 8;
}

fl_status fl_join_table_init(fl_join_table *table, const fl_row_layout *layout, int64_t rows, bool has_range,
                             int64_t min, int64_t max, fl_memory *memory, fl_err *err)
{
    *table = plan_table(rows, has_range, min, max);
    table->layout = layout;
    table->memory = memory;
    return fl_alloc_zero(memory, table->n_entries * 8, (void **)&table->entries, err);
}

void fl_join_table_drop(fl_join_table *table)
{
    fl_free(table->entries);
    table->entries = NULL;
}

void fl_join_table_add(fl_join_table *table, uint8_t *row, int64_t key)
{
    uint64_t hash = fl_row_hash(row);
    uint64_t at = table->is_dense ? (uint64_t)key - (uint64_t)table->min : hash >> table->shift;
    uint64_t bloom = table->is_dense ? 0 : 1ull << (48 + (hash & 15));
    FL_ASSERT_SLOW(at < (uint64_t)table->n_entries);
    uint64_t *entry = &table->entries[at];
    uint64_t old = __atomic_load_n(entry, __ATOMIC_RELAXED);
    do
        *(uint64_t *)(row + table->layout->extra_offset) = old & FL_JOIN_POINTER_MASK;
    while (!__atomic_compare_exchange_n(entry, &old, (old & ~FL_JOIN_POINTER_MASK) | bloom | (uint64_t)(uintptr_t)row,
                                        true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}
