/* The group table: finds or makes the row of each key. One table serves grouping, DISTINCT and set operations.
 *
 * Two directories over rows that live in a row store and never move; nulls are equal.
 *
 *   hash   open addressing with linear probing over 8-byte entries: 16 bits of the hash as a tag, 48 bits of row pointer. A
 *          batch is looked up in steps (probe, then compare column by column), so that loops are typed and misses overlap.
 *   index  in front of it, for keys of a small range or with dictionary codes (exec/group_index.h): nothing is hashed or
 *          compared. Where it is complete, its rows are not in the hash directory.
 *
 * One thread at a time. */
#ifndef FL_EXEC_GROUP_TABLE_H
#define FL_EXEC_GROUP_TABLE_H

#include "exec/group_index.h"

typedef struct fl_group_table {
    fl_row_store store;
    int32_t n_keys; /* the layout's first columns */
    uint64_t *entries;
    int64_t n_entries;          /* power of two */
    int64_t n_hashed;           /* rows in the hash directory */
    bool has_doubles;           /* a key may have several rows in the store: some were appended */
    int64_t n_sampled, n_known; /* appended rows that were looked up, and those of them whose key had a row */
    fl_group_index index;
    struct fl_group_scratch *scratch;
    int32_t rows_max;
} fl_group_table;

/** The layout is borrowed; its first n_keys columns are the keys. Batches have up to rows_max rows. */
fl_status fl_group_table_init(fl_group_table *table, const fl_row_layout *layout, int32_t n_keys, int32_t rows_max,
                              fl_memory *memory, fl_err *err);
void fl_group_table_drop(fl_group_table *table);

/** Gives an empty table an index. ranges: of each key, or NULL; they need not hold. */
fl_status fl_group_table_add_index(fl_group_table *table, const fl_key_range *ranges, fl_err *err);

/** The rows of the keys in list[0 .. count), which ascends. Unknown keys get a new row where `inserts`, NULL otherwise. */
fl_status fl_group_table_find(fl_group_table *table, const fl_vec *keys, const uint16_t *list, int32_t count,
                              uint64_t seed, bool inserts, uint8_t **ret_rows, fl_err *err);

/** The same by the hash directory alone, with hashes parallel to list: for tables without an index. */
fl_status fl_group_table_find_hashed(fl_group_table *table, const fl_vec *keys, const uint16_t *list, int32_t count,
                                     const uint64_t *hashes, bool inserts, uint8_t **ret_rows, fl_err *err);

/** Adds a row for each key without looking whether it has one: where hardly any has, that costs more than to put the rows together when
 *  tables are merged. A sixteenth of them, those of one partition of the hash, are looked up, so that n_sampled and n_known tell whether
 *  it still pays; the caller sets them back. For tables without a complete index. After a failure the store is to be rewound. */
fl_status fl_group_table_append(fl_group_table *table, const fl_vec *keys, const uint16_t *list, int32_t count,
                                uint64_t seed, uint8_t **ret_rows, fl_err *err);

/** Rows in both directories, at the most. */
int64_t fl_group_table_rows_max(const fl_group_table *table);

/** All rows: by place where there is a complete index, then those found by hash, as they lie in the store where they are its own;
 *  ret_rows has room for rows_max. */
fl_status fl_group_table_list(const fl_group_table *table, uint8_t **ret_rows, int64_t *ret_n, fl_err *err);

/** Makes room for that many more rows in the hash directory at once. */
fl_status fl_group_table_reserve(fl_group_table *table, int64_t rows, fl_err *err);

/** Takes over a row with a hash (of the same layout, from another table's store) whose key is not in the hash directory yet,
 *  or gives the row that has the same key. The row's memory must outlive this table. */
fl_status fl_group_table_adopt(fl_group_table *table, uint8_t *row, uint8_t **ret_known, fl_err *err);

/** The same of a row whose hash is known: it is not looked at unless there may be another one. */
fl_status fl_group_table_adopt_hashed(fl_group_table *table, uint8_t *row, uint64_t hash, uint8_t **ret_known,
                                      fl_err *err);

#define FL_GROUP_POINTER_MASK ((1ull << 48) - 1)

/** Row of an entry of the hash directory, NULL: it is empty. */
static inline uint8_t *fl_group_table_entry(const fl_group_table *table, int64_t i)
{
    return (uint8_t *)(uintptr_t)(table->entries[i] & FL_GROUP_POINTER_MASK);
}

/** Asks for the memory in which a hash is looked up next. */
static inline void fl_group_table_prefetch(const fl_group_table *table, uint64_t hash)
{
    __builtin_prefetch(&table->entries[hash & (uint64_t)(table->n_entries - 1)]);
}

/** Looks at that, and asks for the row that may have the hash; whether there is one. */
static inline bool fl_group_table_prefetch_row(const fl_group_table *table, uint64_t hash)
{
    uint64_t entry = table->entries[hash & (uint64_t)(table->n_entries - 1)];
    if (entry == 0 || ((entry ^ hash) & ~FL_GROUP_POINTER_MASK) != 0)
        return false;
    __builtin_prefetch((const void *)(uintptr_t)(entry & FL_GROUP_POINTER_MASK));
    return true;
}

#endif
