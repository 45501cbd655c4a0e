/* The catalog as frontends see it: names become tables or views, files become tables. The engine implements it. */
#ifndef FL_PLAN_CATALOG_H
#define FL_PLAN_CATALOG_H

#include "plan/table.h"

typedef struct fl_catalog_entry {
    fl_table *table;         /* a reference for the caller; NULL for a view */
    fl_str view_text;        /* a view's SELECT; valid as long as the statement runs */
    const fl_str *view_cols; /* CREATE VIEW v (a, b): its column names; NULL = the query's own */
    int32_t n_view_cols;
} fl_catalog_entry;

typedef struct fl_catalog {
    /** Whether there is a schema of that name, besides the one that names are in which say none. The tables in it are found as
     *  schema.table. NULL: there is none. */
    bool (*has_schema)(struct fl_catalog *catalog, fl_str name);
    /** Finds a table or view by name (case-insensitive). FL_ERR_TABLE with nearest names, how many tables there are, or
     *  which files lie here that could be meant. */
    fl_status (*find)(struct fl_catalog *catalog, fl_str name, fl_catalog_entry *ret, fl_err *err);
    /** Opens 'path' (a glob too) by its suffix, or as `function` ("read_csv", "read_parquet", "read_json", "range",
     *  "generate_series"; NULL: by suffix) says. args: positional values (the path or a list of paths first). A reference
     *  for the caller. */
    fl_status (*open)(struct fl_catalog *catalog, fl_str function, const fl_value *args, int32_t n_args,
                      const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err);
} fl_catalog;

#endif
