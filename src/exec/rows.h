/* Rows: the one row layout for grouping, joining, sorting's payload (spilled rows are pages of it).
 *
 * A row is `bytes` long and 8-byte aligned: the hash, a null bit per column (1 = null), the columns' values at fixed
 * offsets, and room for an operator's own use (aggregate states). Strings are views into the heap of whoever wrote the
 * row; nested values are pointers to fl_value copies in that heap. Decimals are stored in canonical width. */
#ifndef FL_EXEC_ROWS_H
#define FL_EXEC_ROWS_H

#include "arrow/value.h"

typedef struct fl_row_layout {
    int32_t n_cols;
    fl_type *types;
    int32_t *offsets;     /* of each column's value */
    int32_t nulls_offset; /* null bits */
    int32_t extra_offset; /* 8-byte aligned room for the operator */
    int32_t bytes;        /* of a row, multiple of 8 */
} fl_row_layout;

/** Lays out n columns and extra_bytes behind them. Arrays lie in the arena. */
fl_status fl_row_layout_init(fl_row_layout *layout, fl_arena *arena, const fl_type *types, int32_t n,
                             int32_t extra_bytes, fl_err *err);

static inline uint64_t fl_row_hash(const uint8_t *row)
{
    return *(const uint64_t *)row;
}

static inline bool fl_row_is_null(const fl_row_layout *layout, const uint8_t *row, int32_t col)
{
    return row[layout->nulls_offset + (col >> 3)] >> (col & 7) & 1;
}

/** Hashes of the rows list[0 .. count) of the key columns (flat or dictionary or constant; strings in any form): equal keys
 *  have equal hashes, nulls too; -0 and 0, all NaNs, decimals of any width are equal. */
void fl_rows_hash(const fl_vec *keys, int32_t n_keys, const uint16_t *list, int32_t count, uint64_t seed,
                  uint64_t *ret);

/** Writes column `col` of rows[i] from row list[i] of vec, with its null bit. Strings longer than a view holds are copied
 *  to the heap. */
fl_status fl_rows_write(const fl_row_layout *layout, int32_t col, const fl_vec *vec, const uint16_t *list,
                        int32_t count, uint8_t *const *rows, fl_arena *heap, fl_err *err);

/** Keeps of the candidates those whose column equals: candidate c compares row list[c] of vec with rows[c]. `match` holds
 *  candidate numbers and is narrowed in place; candidates that differ are appended to `differ`. Nulls equal nulls. */
int32_t fl_rows_match(const fl_row_layout *layout, int32_t col, const fl_vec *vec, const uint16_t *list,
                      uint8_t *const *rows, uint16_t *match, int32_t count, uint16_t *differ, int32_t *n_differ);

/** How many of the first n columns are the same in two rows, up to the first that differs. Nulls are the same as nulls. */
int32_t fl_rows_same_cols(const fl_row_layout *layout, int32_t n, const uint8_t *a, const uint8_t *b);

/** Whether two rows are the same in a column. Nulls are the same as nulls. */
bool fl_rows_same_col(const fl_row_layout *layout, int32_t col, const uint8_t *a, const uint8_t *b);

/** Whether two rows are the same in the first n columns. Nulls are the same as nulls. */
bool fl_rows_are_same(const fl_row_layout *layout, int32_t n, const uint8_t *a, const uint8_t *b);

/** Column `col` of rows as a flat vector in the arena; a NULL row gives null. */
fl_status fl_rows_read(const fl_row_layout *layout, int32_t col, uint8_t *const *rows, int32_t count, fl_arena *arena,
                       fl_vec *ret, fl_err *err);

/* Blocks of rows: where an operator's rows live. Rows never move. */
typedef struct fl_row_block {
    struct fl_row_block *next;
    uint8_t *data;
    int32_t rows;
    int32_t rows_max;
} fl_row_block;

typedef struct fl_row_store {
    const fl_row_layout *layout;
    fl_memory *memory;
    fl_arena heap; /* strings and nested values of the rows */
    fl_row_block *first, *last;
    int64_t rows;
    int64_t block_bytes; /* of all blocks */
} fl_row_store;

/* Where a store ended. */
typedef struct fl_row_mark {
    fl_row_block *last;
    int32_t last_rows;
    int64_t rows;
} fl_row_mark;

void fl_row_store_init(fl_row_store *store, const fl_row_layout *layout, fl_memory *memory);
void fl_row_store_drop(fl_row_store *store);

/** What the store takes of its budget: blocks and heap. */
static inline int64_t fl_row_store_bytes(const fl_row_store *store)
{
    return store->block_bytes + store->heap.bytes;
}

fl_row_mark fl_row_store_mark(const fl_row_store *store);

/** Takes back the rows behind a mark. What they have in the heap stays there until the store is dropped. */
void fl_row_store_rewind(fl_row_store *store, fl_row_mark mark);

/* Where a store is read on: at its first row to begin with. */
typedef struct fl_row_cursor {
    const fl_row_store *store;
    const fl_row_block *block; /* the store's first one to begin with */
    int32_t row;               /* of the block */
} fl_row_cursor;

/** The row at the cursor, which goes to the next one. There must be one. */
static inline uint8_t *fl_row_cursor_next(fl_row_cursor *at)
{
    if (at->row == at->block->rows) { /* no block is empty */
        at->block = at->block->next;
        at->row = 0;
    }
    FL_ASSERT_SLOW(at->block != NULL && at->row < at->block->rows);
    return at->block->data + (int64_t)at->row++ * at->store->layout->bytes;
}

/** Makes `count` new rows (cleared null bits and extra room); ret[i] points at them. */
fl_status fl_row_store_add(fl_row_store *store, int32_t count, uint8_t **ret, fl_err *err);

/** The same for one row. */
static inline fl_status fl_row_store_add_one(fl_row_store *store, uint8_t **ret, fl_err *err)
{
    fl_row_block *block = store->last;
    if (block == NULL || block->rows == block->rows_max)
        return fl_row_store_add(store, 1, ret, err);
    int32_t bytes = store->layout->bytes;
    *ret = block->data + (int64_t)block->rows * bytes;
    memset(*ret, 0, (size_t)bytes);
    block->rows++;
    store->rows++;
    return FL_OK;
}

#endif
