/* The catalog as frontends see it: names become tables or views, files become tables. The engine implements it. */
#ifndef FL_PLAN_CATALOG_H
#define FL_PLAN_CATALOG_H

#include "plan/table.h"

typedef struct fl_catalog_entry {
    fl_table *table;         /* a reference for the caller; NULL for a view */
    fl_str view_text;        /* a view's SELECT; valid as long as the statement runs */
    const fl_str *view_cols; /* CREATE VIEW v (a, b): its column names; NULL = the query's own */
    int32_t n_view_cols;
    fl_str database, schema; /* of a view: where names in its text are that say no schema */
} fl_catalog_entry;

/* What a named text stands for: a value, a table, or a type. Each kind has names of its own. */
typedef enum fl_macro_kind { FL_MACRO_VALUE, FL_MACRO_TABLE, FL_MACRO_TYPE } fl_macro_kind;

/* A macro: its text, and where names in it are that say no schema. */
typedef struct fl_catalog_macro {
    fl_str text, database, schema;
} fl_catalog_macro;

struct fl_nearest;

typedef struct fl_catalog {
    /** Where names are that say no schema; frontends change it while they bind what was written elsewhere, as a view. */
    fl_str database, schema;
    /** What the catalog knows a name of n parts as, its key (base/full_name.h). `is_new`: of something that is to be made; else of what
     *  is there. FL_ERR_TABLE (3D000, 3F000), FL_ERR_AMBIGUOUS. NULL: there are no schemas. */
    fl_status (*qualify)(struct fl_catalog *catalog, const fl_str *parts, int32_t n, bool is_new, fl_arena *arena,
                         fl_str *ret, fl_err *err);
    /** Finds a table or view by its key (case-insensitive). FL_ERR_TABLE with nearest names, how many tables there are, or
     *  which files lie here that could be meant. */
    fl_status (*find)(struct fl_catalog *catalog, fl_str name, fl_catalog_entry *ret, fl_err *err);
    /** Opens 'path' (a glob too) by its suffix, or as `function` ("read_csv", "read_parquet", "read_json", "range",
     *  "generate_series"; NULL: by suffix) says. args: positional values (the path or a list of paths first). A reference
     *  for the caller. */
    fl_status (*open)(struct fl_catalog *catalog, fl_str function, const fl_value *args, int32_t n_args,
                      const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err);
    /** The macro of that key, valid as long as the statement runs; false: there is none. `ret` NULL: whether there are macros at all.
     *  NULL: there are none. */
    bool (*find_macro)(struct fl_catalog *catalog, fl_str key, fl_macro_kind kind, fl_catalog_macro *ret);
    void (*offer_macros)(struct fl_catalog *catalog, fl_macro_kind kind, struct fl_nearest *near);
} fl_catalog;

#endif
