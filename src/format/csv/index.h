/* The structural index of a piece of CSV: where its fields and lines end.
 *
 * One pass over the bytes, 64 at a time: bits of quotes become, by a running exclusive or, bits of "inside of quotes";
 * delimiters and newlines outside are what ends fields (after Langdale & Lemire 2019, "Parsing gigabytes of JSON per
 * second", and Mison before it). That is right as long as quotes stand only at the borders of fields or doubled inside,
 * so the pass tests just that, and says FL_CSV_FAULT_QUOTE where it does not hold: parse_place.h then finds the place.
 *
 *     fl_csv_index index = {0};
 *     fl_csv_index_begin(&index);
 *     fl_csv_index_add(&index, memory, &dialect, data, from, to, err)     in order, without gaps
 *     index.at[i] is where field i ends (the last byte of the delimiter behind it); index.ends[r] the number of the field that ends line r
 *
 * Positions are offsets into `data`, below 2^32. 64 bytes behind `to` must be readable. One thread at a time. */
#ifndef FL_FORMAT_CSV_INDEX_H
#define FL_FORMAT_CSV_INDEX_H

#include "base/memory.h"
#include "format/csv/dialect.h"

enum { FL_CSV_FAULT_QUOTE = 1, FL_CSV_FAULT_NUL = 2, FL_CSV_HAS_HIGH = 4 /* bytes beyond ASCII: check the UTF-8 */ };

/* What passes from block to block. */
typedef struct fl_csv_state {
    uint64_t inside;          /* all ones inside of quotes, else 0 */
    uint64_t can_open;        /* 1: the byte before ended a field, or closed a quote */
    uint64_t was_close;       /* 1: the byte before closed a quote */
    fl_csv_position position; /* of dialects that are read in order; and of those of several bytes: */
    int64_t delim_from;       /* where the next delimiter may begin */
    int64_t close_at;         /* the quote that closed last, or a blank behind it */
    uint32_t flags;
} fl_csv_state;

typedef struct fl_csv_index {
    uint32_t *at;
    int64_t count;
    int64_t capacity;
    uint32_t *ends;
    int64_t lines;
    int64_t lines_capacity;
    fl_csv_state state;
} fl_csv_index;

/* The bytes that matter. A quote of 0 means that nothing quotes. */
typedef struct fl_csv_marks {
    char delim;
    char quote;
    char newline;
} fl_csv_marks;

typedef struct fl_csv_kernels {
    /** Indexes data[from, to): adds to at and ends, which have room for to - from more each. */
    void (*index)(const char *data, int64_t from, int64_t to, fl_csv_marks marks, fl_csv_state *state, uint32_t *at,
                  int64_t *count, uint32_t *ends, int64_t *lines);
    /** How often a byte occurs in data[0, bytes). */
    int64_t (*count)(const char *data, int64_t bytes, char wanted);
} fl_csv_kernels;

/** The kernels of this machine. */
const fl_csv_kernels *fl_csv_kernels_choose(void);

/** At the start of a record, outside of quotes. Keeps the memory. */
void fl_csv_index_begin(fl_csv_index *index);
void fl_csv_index_drop(fl_csv_index *index);

/** Indexes data[from, to). FL_ERR_MEMORY. */
fl_status fl_csv_index_add(fl_csv_index *index, fl_memory *memory, const fl_csv_dialect *dialect, const char *data,
                           int64_t from, int64_t to, fl_err *err);

/** Ends the last line at `to`, the file's end. */
fl_status fl_csv_index_end(fl_csv_index *index, fl_memory *memory, int64_t to, fl_err *err);

/** Goes on by data[0, bytes). Whether a line starts there is kept only for dialects that are read in order. */
void fl_csv_pass(const fl_csv_dialect *dialect, const char *data, int64_t bytes, fl_csv_position *at);

#endif
