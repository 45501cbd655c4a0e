/* Reads one column chunk, forward: from file ranges to values in rows. One per worker and leaf column, used again for
 * one row group after another.
 *
 * A reader stands before a row. Asked for rows further on, it skips: whole pages without decompressing them, values in
 * a page without making them. Flat columns (at most one level of null) come as slots with validity bits; all others as
 * levels and dense values, which nested.c puts together. */
#ifndef FL_FORMAT_PARQUET_READER_H
#define FL_FORMAT_PARQUET_READER_H

#include "format/parquet/codec.h"
#include "format/parquet/values.h"

#include <pthread.h>

/* Where the workers of a row group that was cut in pieces find its dictionary. Locks. */
typedef struct fl_pq_dict_slot {
    pthread_mutex_t lock;
    fl_pq_dict *dict;
} fl_pq_dict_slot;

typedef struct fl_pq_reader {
    /* fixed */
    const fl_pq_kernels *kernels;
    fl_pq_codecs *codecs; /* the worker's */
    fl_memory *memory;
    fl_memory *dict_memory; /* dictionaries may outlive the worker */
    bool verifies_checksums;
    int64_t page_bytes_max; /* of an unpacked page; a larger one is refused */
    int64_t work_bytes;     /* read and unpacked so far */
    uint32_t *scratch;      /* the worker's; block_rows codes and padding */
    uint8_t *dense;         /* the worker's; block_rows values and padding */
    int64_t block_rows;

    /* the chunk */
    const fl_pq_metadata *meta;
    const fl_pq_leaf *leaf;
    int32_t group;
    const fl_pq_chunk *chunk;
    const fl_pq_page_place *places; /* borrowed; NULL: no offset index */
    int32_t n_places;
    fl_pq_dict_slot *dict_slot; /* NULL: the dictionary is not shared */
    fl_pq_dict *dict;
    int64_t
        dict_header_bytes; /* of the dictionary page, once it was seen: old writers left it out of the chunk's size */
    int64_t at;            /* the next page's header */
    int64_t row;           /* the reader stands before this row of the row group */
    int64_t values_left;   /* in pages not yet loaded */
    int32_t data_page;     /* the number of the next data page: what sealed ones are opened by */
    fl_buffer *opened;     /* a sealed page or header */

    /* the page */
    int64_t page_at;
    int64_t page_left; /* slots (values and nulls) left */
    bool has_nulls;
    fl_pq_hybrid defs;
    fl_pq_values values;
    uint8_t *page_bytes;
    const uint8_t *def_levels; /* nested: a byte per slot */
    const uint8_t *rep_levels;
    uint8_t *level_bytes;

    /* the window on the file */
    int64_t read_ahead_bytes;
    fl_buffer *window;
    int64_t window_at;
    int64_t window_bytes;
    fl_pq_pool pool;
} fl_pq_reader;

/* Slots of a flat column for one batch; the caller's buffers, padded by 64 bytes. */
typedef struct fl_pq_slots {
    void *values;    /* leaf->width bytes a row */
    uint32_t *codes; /* strings: where dictionary codes go; NULL for other types */
    uint64_t *valid;
    bool has_nulls; /* else `valid` means nothing */
    bool is_coded;  /* codes hold the rows, not values */
} fl_pq_slots;

/* Levels and dense values of a nested column; grows as needed. */
typedef struct fl_pq_levels {
    uint8_t *def;
    uint8_t *rep;
    uint8_t *values;
    int64_t def_capacity, rep_capacity, value_capacity;
    int64_t n;        /* levels */
    int64_t n_values; /* present values */
} fl_pq_levels;

/** How many values a chunk's dictionary page says it has; 0 when there is none or it cannot be read, and false then. A
 *  guess for the planner: one small read, nothing else is looked at. */
bool fl_pq_dict_count(const fl_pq_metadata *meta, int32_t group, int32_t leaf, int64_t *ret);

void fl_pq_reader_drop(fl_pq_reader *r);

/** Whether the pages of a flat column lie where an offset index says, with as many rows as it says. Cost: a small read a
 *  page. False, too, when they cannot be read. */
bool fl_pq_are_places_true(const fl_pq_metadata *meta, int32_t group, int32_t leaf, const fl_pq_page_place *places,
                           int32_t n_places);

/** Puts the reader before the first row of a chunk. places and slot may be NULL. */
void fl_pq_reader_open(fl_pq_reader *r, const fl_pq_metadata *meta, int32_t group, int32_t leaf,
                       const fl_pq_page_place *places, int32_t n_places, fl_pq_dict_slot *slot);

/** Reads rows [row, row + rows) of a flat column, row at or after the last call's end. Values and views are valid until
 *  the next call. FL_ERR_CORRUPT, FL_ERR_IO, FL_ERR_MEMORY; the message names file, row group, column and page. */
fl_status fl_pq_reader_read_slots(fl_pq_reader *r, int64_t row, int64_t rows, fl_pq_slots *slots, fl_err *err);

/** The same for a nested column: all levels of the rows. */
fl_status fl_pq_reader_read_levels(fl_pq_reader *r, int64_t row, int64_t rows, fl_pq_levels *levels, fl_err *err);

/** Fills the error with the reader's place and what is wrong there: FL_ERR_CORRUPT. */
fl_status fl_pq_reader_fail(fl_pq_reader *r, fl_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

#endif
