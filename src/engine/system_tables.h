/* What the engine knows of itself, as tables: information_schema's, those of pg_catalog that drivers ask for, and DuckDB's functions.
 *
 * Each is made anew when a statement names it, of what there is then. */
#ifndef FL_ENGINE_SYSTEM_TABLES_H
#define FL_ENGINE_SYSTEM_TABLES_H

#include "engine/internal.h"

/** Whether names may be in this schema: information_schema, pg_catalog. */
bool fl_system_has_schema(fl_str name);

/** Whether there is such a table of that name, with or without its schema. */
bool fl_system_has_table(fl_str name);

/** The table of that name, "information_schema.tables", or "pg_tables", whose schema may be left out; a reference for the caller. *ret NULL:
 *  there is none. Not with the engine's lock. */
fl_status fl_system_table_find(fl_session *session, fl_str name, fl_table **ret, fl_err *err);

/** The table that the function gives, as duckdb_tables(); *ret NULL: there is none. FL_ERR_FUNCTION for other arguments than it takes. */
fl_status fl_system_table_call(fl_session *session, fl_str function, const fl_value *args, int32_t n_args,
                               fl_table **ret, fl_err *err);

/** Offers the functions' names to who looks for the nearest one. */
void fl_system_table_offer(fl_nearest *near);

#endif
