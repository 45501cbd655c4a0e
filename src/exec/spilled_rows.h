/* Rows on the disk: rows of a layout, in blocks of a spill file, in the order in which they were written.
 *
 * In memory rows point at their texts and nested values (exec/rows.h), which costs nothing where nothing is spilled. On the disk a block
 * is a page of rows with all that they refer to, addressed by offsets: it can be read back anywhere, and becomes rows of the
 * layout again by one pass over them.
 *
 *     fl_spilled_rows_init(&spilled, &layout, states);
 *     FL_TRY(fl_spilled_rows_add(&spilled, file, rows, n, err));
 *     for (int64_t i = 0; i < spilled.n_pages; i++) {
 *         FL_TRY(fl_spilled_rows_read(&spilled, i, &heap, &page, err));
 *         …                                            page.rows[0 .. page.n), until fl_row_page_drop
 *     }
 *     fl_spilled_rows_drop(&spilled); */
#ifndef FL_EXEC_SPILLED_ROWS_H
#define FL_EXEC_SPILLED_ROWS_H

#include "exec/rows.h"
#include "exec/spill_file.h"

/* Bytes that grow, outside of any budget: small, and for as long as a block is made. */
typedef struct fl_spill_bytes {
    uint8_t *data;
    int64_t n, capacity;
} fl_spill_bytes;

fl_status fl_spill_bytes_add(fl_spill_bytes *bytes, const void *data, int64_t n, fl_err *err);

/** Appends a value that is nested or a text, with all that it points at; and makes it again in the heap, from *at on, which is moved
 *  behind it. Types of one process: what they point at stays where it is. */
fl_status fl_spill_value_save(fl_spill_bytes *to, const fl_value *value, fl_err *err);
fl_status fl_spill_value_load(const uint8_t **at, fl_type type, fl_arena *heap, fl_value *ret, fl_err *err);

/* What an operator keeps in the extra room of its rows, where that points at more. The room's own bytes travel by themselves. */
typedef struct fl_row_states {
    void *ctx;
    /** Appends what the row's room points at. */
    fl_status (*save)(void *ctx, const uint8_t *row, fl_spill_bytes *to, fl_err *err);
    /** Makes the room of a row that came back point at what save appended; what is needed lies in the heap. */
    fl_status (*load)(void *ctx, uint8_t *row, const uint8_t *from, int64_t bytes, fl_arena *heap, fl_err *err);
} fl_row_states;

/* Where a page is, and what is known of it unread. */
typedef struct fl_spilled_page {
    fl_spill_block block;
    int64_t rows;
    uint64_t head; /* what the first of them has where its hash would be */
} fl_spilled_page;

typedef struct fl_spilled_rows {
    const fl_row_layout *layout;
    const fl_row_states *states; /* NULL: the extra room holds nothing but bytes */
    fl_spill_file *file;         /* of the pages; NULL: there is none yet */
    fl_spilled_page *pages;
    int64_t n_pages, capacity;
    int64_t rows;
    int64_t bytes; /* that its rows take in memory when all are read */
} fl_spilled_rows;

/* Rows that came back. */
typedef struct fl_row_page {
    uint8_t *data;
    uint8_t **rows;
    int64_t n;
    int64_t bytes;
} fl_row_page;

/** No rows yet; layout and states are borrowed. */
void fl_spilled_rows_init(fl_spilled_rows *spilled, const fl_row_layout *layout, const fl_row_states *states);

/** Appends rows, in their order. What was written before a failure stays part of it. One thread at a time. */
fl_status fl_spilled_rows_add(fl_spilled_rows *spilled, fl_spill_file *file, uint8_t *const *rows, int64_t n,
                              fl_err *err);

/** Appends the next n rows of a store, from the cursor on, which is moved behind them. */
fl_status fl_spilled_rows_add_next(fl_spilled_rows *spilled, fl_spill_file *file, fl_row_cursor *at, int64_t n,
                                   fl_err *err);

/** Appends the rows of a store to the partitions of their hashes on a level (exec/spill.h). */
fl_status fl_spilled_rows_divide(fl_spilled_rows *partitions, int32_t level, fl_spill_file *file,
                                 const fl_row_store *store, fl_err *err);

/** Moves what one has behind what the other has, of the same file; the first has nothing then. */
fl_status fl_spilled_rows_move(fl_spilled_rows *into, fl_spilled_rows *from, fl_err *err);

/** What the rows of n of them take in memory when all are read. */
int64_t fl_spilled_rows_bytes(const fl_spilled_rows *spilled, int32_t n);

/** Reads page i. It is charged to the heap's budget; nested values and states lie in the heap. Any thread. */
fl_status fl_spilled_rows_read(const fl_spilled_rows *spilled, int64_t i, fl_arena *heap, fl_row_page *ret,
                               fl_err *err);
void fl_row_page_drop(fl_row_page *page);

/** Gives the pages' space back. */
void fl_spilled_rows_drop(fl_spilled_rows *spilled);

#endif
