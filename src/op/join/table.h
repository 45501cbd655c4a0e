/* The join table: build rows behind a directory.
 *
 * Two kinds of directory, one way to walk it. Hashed: the hash's high bits choose the entry, whose upper 16 bits are a
 * small Bloom filter of its chain (Birler et al. 2024), so that most probes without a partner touch one word. Dense: where
 * the single integer key's range is not much larger than the number of rows, key - min is the entry: no hash, no
 * comparison. Rows of an entry are chained through their first extra word. */
#ifndef FL_OP_JOIN_TABLE_H
#define FL_OP_JOIN_TABLE_H

#include "exec/rows.h"

typedef struct fl_join_table {
    const fl_row_layout *layout;
    uint64_t *entries;
    int64_t n_entries;
    int32_t shift; /* hashed: hash >> shift */
    bool is_dense;
    int64_t min;    /* dense: key of entry 0 */
    uint64_t range; /* dense: last entry */
    int64_t rows;
    fl_memory *memory;
} fl_join_table;

#define FL_JOIN_POINTER_MASK ((1ull << 48) - 1)

/** The next row of the chain, NULL at its end. */
static inline uint8_t *fl_join_next(const fl_join_table *table, const uint8_t *row)
{
    return *(uint8_t *const *)(row + table->layout->extra_offset);
}

/** Makes the directory for `rows` rows. With has_range, [min, max] are the key's bounds, and a dense one is made when it
 *  pays. */
fl_status fl_join_table_init(fl_join_table *table, const fl_row_layout *layout, int64_t rows, bool has_range,
                             int64_t min, int64_t max, fl_memory *memory, fl_err *err);
/** What it takes. */
int64_t fl_join_table_bytes(int64_t rows, bool has_range, int64_t min, int64_t max);
void fl_join_table_drop(fl_join_table *table);

/** Enters a row; from many threads at once. `key` is its key where the directory is dense. */
void fl_join_table_add(fl_join_table *table, uint8_t *row, int64_t key);

/** The chain for a hash; NULL: surely none. Rows of other hashes may be in it. */
static inline uint8_t *fl_join_table_find(const fl_join_table *table, uint64_t hash)
{
    uint64_t entry = table->entries[hash >> table->shift];
    return entry >> 48 & 1ull << (hash & 15) ? (uint8_t *)(uintptr_t)(entry & FL_JOIN_POINTER_MASK) : NULL;
}

/** The chain for a key of a dense directory: all its rows have that key. */
static inline uint8_t *fl_join_table_find_dense(const fl_join_table *table, int64_t key)
{
    uint64_t at = (uint64_t)key - (uint64_t)table->min;
    return at <= table->range ? (uint8_t *)(uintptr_t)table->entries[at] : NULL;
}

#endif
