/* EXPORT DATABASE and IMPORT DATABASE: a folder with schema.sql, which makes the tables, views and indexes, load.sql, which copies the
 * rows in, and a file a table. Both files are plain SQL, which DuckDB reads, too. */
#include "engine/internal.h"

fl_status fl_session_export(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    (void)session;
    return FL_FAIL(err, FL_ERR_UNSUPPORTED, "EXPORT DATABASE '%.*s' is not supported yet", FL_STR_ARG(bound->name));
}

fl_status fl_session_import(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    (void)session;
    return FL_FAIL(err, FL_ERR_UNSUPPORTED, "IMPORT DATABASE '%.*s' is not supported yet", FL_STR_ARG(bound->name));
}
