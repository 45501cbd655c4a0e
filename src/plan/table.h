/* Tables and scans: the door between operators and whatever holds rows (files, segments, registered streams).
 *
 * A table is counted, immutable and read from many threads. A scan of it is made for one run; each worker takes a
 * fl_scan_worker, claims morsels, and walks a morsel in batches:
 *
 *     while (claim(w, &any, …), any)                      a row group, a piece of a file, a segment
 *         while (next(w, &rows, …), rows > 0)             positions on the next batch of ≤ rows_max rows, of which w->mask are there
 *             read(w, slot, mask, &vec, …)                decodes one wanted column of that batch, when asked
 *
 * A column that is not read is skipped, so filters are read first and the rest only where rows are left: late
 * materialization is the caller's business, skipping cheaply the source's. Vectors are valid until the next call of
 * next() on that worker. */
#ifndef FL_PLAN_TABLE_H
#define FL_PLAN_TABLE_H

#include "arrow/value.h"

typedef struct fl_table fl_table;
typedef struct fl_scan fl_scan;
typedef struct fl_scan_worker fl_scan_worker;

/* Where a column's figures come from; later ones are better. */
typedef enum fl_stats_source {
    FL_STATS_GUESS,   /* bounds or a dictionary, or nothing */
    FL_STATS_FOOTER,  /* what the file says of itself */
    FL_STATS_SAMPLE,  /* some rows of the table */
    FL_STATS_ANALYZE, /* ANALYZE: all rows were looked at */
    FL_STATS_EXACT,   /* all rows, counted; or a key says it */
} fl_stats_source;

typedef struct fl_common_value {
    fl_value value;
    double share; /* of all rows */
} fl_common_value;

#define FL_COMMON_VALUES_MAX 32

/* What is known of a column without reading it, or after a look at some rows. Values are of the column's type; all but the
 * numbers is borrowed from the table. */
typedef struct fl_col_stats {
    bool has_bounds; /* min and max are exact or wider than the truth (never narrower) */
    fl_value min;
    fl_value max;
    double null_fraction; /* negative = unknown */
    double distinct;      /* values that are not null; estimate; negative = unknown */
    uint8_t source;       /* fl_stats_source of distinct and of what follows */
    int32_t n_common;     /* most frequent first; none where no value stands out */
    const fl_common_value *common;
    int32_t n_histogram; /* 0, or at least 2 */
    const fl_value
        *histogram; /* ascending bounds of parts that hold as many rows each, of the values that are neither null
                                  nor common; NaN is greatest */
} fl_col_stats;

/* Rows of a table picked at random, the same for all columns and calls: row i of every vector is of one row of the table. Of a
 * column that is dear to read there may be the first ones only, in whole places. */
typedef struct fl_table_sample {
    int32_t rows;     /* that there are of all columns asked for; 0: none */
    int32_t n_places; /* 0: each row was picked by itself. Else rows lie together in so many places of the table */
    const int32_t *place_ends; /* [n_places]: place i has the rows before ends[i] that no place before it has */
    double likeness; /* 1, or more where rows of one place are alike in a column: by so much fewer picked by themselves
                        would tell as much of it (Kish 1965, the design effect) */
} fl_table_sample;

#define FL_SAMPLE_ROWS_MAX 2048
#define FL_SAMPLE_PLACES_MAX 8

/* What is true of all rows of a table, and of one of its columns: counted, never estimated, and nothing that a file only claims. */
typedef struct fl_table_facts {
    int64_t rows;
    int64_t nulls; /* negative: unknown */
    bool
        has_extremes; /* of the values that are not null; null where there are none. Of types that are compared exactly */
    fl_value min, max; /* of the column's type, values of rows; borrowed from the table */
} fl_table_facts;

/* A conjunct that the source may use to skip rows: column within [low, high], null rows are not wanted. Best effort: the
 * caller tests every row that arrives. */
typedef struct fl_scan_bound {
    int32_t slot;
    bool has_low, has_high;
    bool is_low_open, is_high_open;
    fl_value low, high; /* of the column's type */
} fl_scan_bound;

/* A conjunct over one column that is more than a bound: whether it can be true where the column lies in [min, max]. */
typedef struct fl_scan_test {
    int32_t slot;
    bool (*can_hold)(const void *ctx, const fl_value *min, const fl_value *max);
    const void *ctx; /* outlives the bounds */
} fl_scan_test;

/* The bounds of a scan. They may sharpen while it runs (join builds, top-k thresholds): read them per morsel and, where
 * there are zones, per zone. Locks. */
typedef struct fl_scan_bounds fl_scan_bounds;

fl_status fl_scan_bounds_new(fl_memory *memory, fl_scan_bounds **ret, fl_err *err);
void fl_scan_bounds_free(fl_scan_bounds *bounds);

/** Bounds that look into others, which outlive them: slot i is slots[i] there. Both are borrowed; nothing can be added. */
fl_status fl_scan_bounds_new_view(fl_memory *memory, const fl_scan_bounds *of, const int32_t *slots,
                                  fl_scan_bounds **ret, fl_err *err);

/** Adds a bound, or intersects with the one there is for the slot. Values are copied. */
fl_status fl_scan_bounds_add(fl_scan_bounds *bounds, const fl_scan_bound *bound, fl_err *err);

/** Adds a test. Before the scan begins. */
fl_status fl_scan_bounds_add_test(fl_scan_bounds *bounds, const fl_scan_test *test, fl_err *err);

/** Whether rows whose column lies in [min, max] (NULL pointers: unknown) can pass. all_null: the zone holds nulls only. */
bool fl_scan_bounds_can_match(const fl_scan_bounds *bounds, int32_t slot, const fl_value *min, const fl_value *max,
                              bool all_null);

/** Whether there is any bound for the slot: saves decoding statistics. */
bool fl_scan_bounds_has(const fl_scan_bounds *bounds, int32_t slot);

typedef struct fl_scan_request {
    const int32_t *cols; /* columns of the table wanted; slot i is cols[i]. May be none: only counts of rows */
    int32_t n_cols;
    int32_t rows_max; /* rows of a batch at the most (the session's vector size) */
    int32_t
        n_workers; /* that may read at once: towards the end morsels should be small, so that all have some; 0: unknown */
    bool
        is_sparse; /* few batches will be read: what lies between them should cost little. What is very large may be refused */
    fl_memory *memory;      /* the query's budget */
    fl_scan_bounds *bounds; /* may be NULL */
} fl_scan_request;

typedef struct fl_scan_ops {
    /** One per worker thread; `memory` is charged for its buffers. */
    fl_status (*worker_new)(fl_scan *scan, fl_memory *memory, fl_scan_worker **ret, fl_err *err);
    void (*worker_free)(fl_scan_worker *worker);
    /** Takes the next morsel that can hold wanted rows. *ret_any false: none is left. *ret_morsel: its number in table
     *  order, so that results can be put in order. Thread-safe among workers. */
    fl_status (*claim)(fl_scan_worker *worker, bool *ret_any, int64_t *ret_morsel, fl_err *err);
    /** Positions on the next batch; *ret_rows 0 at the morsel's end. Sets the worker's mask where not all its rows are there. */
    fl_status (*next)(fl_scan_worker *worker, int32_t *ret_rows, fl_err *err);
    /** Decodes the slot's column for the current batch; at most once per batch and slot. mask NULL = all rows are wanted;
     *  rows outside it may hold anything that is safe to read. */
    fl_status (*read)(fl_scan_worker *worker, int32_t slot, const uint64_t *mask, fl_vec *ret, fl_err *err);
    /** The worker reads no more of its morsel: what is held for that alone, as an open file, is let go. At a morsel's end next() does
     *  so. May be NULL. */
    void (*leave)(fl_scan_worker *worker);
    /** Where the rows of a morsel lie, for messages: `"a.parquet", row group 3`. May be NULL, then there is nothing to say. */
    void (*place)(const fl_scan *scan, int64_t morsel, fl_text *text);
    /** Whether it is certain, and not only claimed, that no row before the morsel stands behind one of its rows in the table's order.
     *  May be NULL, then it never is. */
    bool (*is_apart)(const fl_scan *scan, int64_t morsel);
    void (*free)(fl_scan *scan);
} fl_scan_ops;

struct fl_scan { /* sources put their own struct around this one */
    const fl_scan_ops *ops;
    bool has_large_morsels;    /* of any number of rows */
    int64_t rows_total;        /* for progress; estimate */
    _Atomic int64_t rows_done; /* rows passed or pruned so far */
    _Atomic int64_t morsels_pruned;
};

struct fl_scan_worker {
    fl_scan *scan;
    int64_t work_bytes; /* read and unpacked so far, where the scan is sparse and the source counts them */
    const uint64_t
        *mask; /* of the batch: rows that the table has, at least one; tail cleared, valid until next(). NULL: all */
};

/* An order in which rows come when a table is scanned: morsels by number, rows within them as they are read. */
typedef struct fl_table_order_key {
    int32_t col;
    bool is_descending;
    bool nulls_first;
    bool is_null_free; /* there is no null: it does not matter where nulls would stand */
} fl_table_order_key;

typedef struct fl_table_order {
    const fl_table_order_key *keys; /* the first one decides first */
    int32_t n_keys;
    bool
        is_claimed; /* a file says so, of types that are ordered (arrow/vec_order.h): who relies on it holds the rows to it */
} fl_table_order;

typedef struct fl_table_ops {
    fl_status (*scan_new)(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);
    /** Statistics of a column; may be NULL, then nothing is known. Thread-safe. What costs time is found out at the first
     *  call and kept. */
    void (*stats)(fl_table *table, int32_t col, fl_col_stats *ret);
    /** A sample of FL_SAMPLE_ROWS_MAX rows at most (all rows of a smaller table), ret_vecs[i] of cols[i]; what vectors and places
     *  point to lives as long as the table. Found at the first call and kept; `memory` is for what is not. Fails where memory is
     *  short, the work shall stop or the source cannot be read (FL_ERR_IO), also where a scan of it cannot begin, whatever the
     *  reason: what failed is tried again at the next call. Columns whose values are not as they should be, or too large, have no
     *  sample. Thread-safe; may be NULL, then there is none. */
    fl_status (*sample)(fl_table *table, fl_memory *memory, const int32_t *cols, int32_t n_cols, fl_vec *ret_vecs,
                        fl_table_sample *ret, fl_err *err);
    /** As `stats`, after a look at the column's sample; fails as that does. Thread-safe; may be NULL, then `stats` says it all. */
    fl_status (*sample_stats)(fl_table *table, fl_memory *memory, int32_t col, fl_col_stats *ret, fl_err *err);
    /** How many rows there are, after a look at some; fails as `sample` does. Thread-safe; may be NULL, then `rows` says it. */
    fl_status (*sample_rows)(fl_table *table, fl_memory *memory, double *ret, fl_err *err);
    /** Orders that the rows come in, all of them at once; borrowed from the table. Returns how many. None of a table that has less
     *  than two rows. Thread-safe; found at the first call and kept. May be NULL, then nothing is known. */
    int32_t (*orders)(fl_table *table, const fl_table_order **ret);
    /** What is known for sure of all rows that a scan gives, and of the column; -1: of none. Costs what looking at a segment's
     *  or a file's head costs, for each of them. Thread-safe; may be NULL, then nothing is known. */
    void (*facts)(fl_table *table, int32_t col, fl_table_facts *ret);
    /** A table of the same rows with a last column, of 64 bits, that says where in this version of the table each row lies and
     *  ascends as they come. NULL: rows of such a table cannot be changed. */
    fl_status (*numbered)(fl_table *table, fl_memory *memory, fl_table **ret, fl_err *err);
    void (*free)(fl_table *table);
} fl_table_ops;

/* Columns whose values differ from row to row: PRIMARY KEY or UNIQUE. Rows with a null among them may repeat. */
typedef struct fl_table_key {
    fl_str name; /* of the constraint */
    const int32_t *cols;
    int32_t n_cols;
    bool is_primary;
} fl_table_key;

#define FL_FORMAT_SYSTEM "system" /* fl_table.format of tables that tell what there is */

struct fl_table { /* sources put their own struct around this one */
    const fl_table_ops *ops;
    _Atomic int32_t refs;
    fl_str name;        /* the catalog's name or the file's path: identity in plan hashes */
    const char *format; /* "parquet", "csv", "memory" */
    fl_str function; /* what makes it of the numbers in its name, if that is so: what counts in the shape of a plan */
    uint64_t options_hash; /* of what it was opened with and its name does not say; stable across processes */
    const fl_field *fields;
    int32_t n_cols;
    const fl_table_key *keys;
    int32_t n_keys;
    fl_str note;         /* what its user should know of how it is read, in a sentence; empty: nothing */
    double rows;         /* exact or estimated */
    uint64_t version;    /* changes when the contents do */
    bool is_sample_read; /* a sample is read from a file: worth it where several tables are to be put in order */
};

static inline fl_table *fl_table_ref(fl_table *table)
{
    atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
    return table;
}

static inline void fl_table_unref(fl_table *table)
{
    if (table != NULL && atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1)
        table->ops->free(table);
}

static inline int32_t fl_table_orders(fl_table *table, const fl_table_order **ret)
{
    *ret = NULL;
    return table->ops->orders == NULL ? 0 : table->ops->orders(table, ret);
}

/* Formats: how files become tables. A format is a plug-in: FL_FORMAT(<name>) in engine/builtins.def. */
typedef struct fl_option {
    fl_str name;
    fl_value value;
    int32_t pos; /* place in the query text */
} fl_option;

typedef struct fl_format_desc {
    uint32_t size;               /* FL_DESC */
    const char *name;            /* "parquet" */
    const char *function;        /* "read_parquet" */
    const char *const *aliases;  /* other names of the function; ends with NULL; NULL: none */
    const char *const *suffixes; /* ".parquet", … ; ends with NULL */
    const char *types_option;    /* by which it takes types of columns, {'column': 'type'}; NULL: none */
    bool has_all_types;          /* which names all columns that there are */
    /** Opens one or several files (in order; all must have the first one's columns) as one table. Options are the named
     *  arguments; an unknown one is FL_ERR_COLUMN-like FL_ERR_CONFIG with the nearest name. Strings are copied. */
    fl_status (*open)(fl_memory *memory, const fl_str *paths, int64_t n_paths, const fl_option *options,
                      int32_t n_options, fl_table **ret, fl_err *err);
    const char *doc;
} fl_format_desc;

#endif
