/* What INSERT and the MERGE that ON CONFLICT DO UPDATE is have in common. Private to bind_dml.c and bind_merge.c. */
#ifndef FL_FRONT_SQL_BIND_INSERT_H
#define FL_FRONT_SQL_BIND_INSERT_H

#include "front/sql/bind_change.h"

/** The rows that an INSERT has: node and image. */
fl_status fl_sql_plan_new_rows(binder *b, const change *ch, changed_rows *ret);

/** 0, 1, 2, …, for changed_rows.put. */
fl_status fl_sql_all_columns(binder *b, const change *ch, const int32_t **ret);

/** OVERRIDING USER VALUE: values for identity columns are not looked at. */
static inline bool fl_sql_ignores_value(const change *ch, int32_t col)
{
    return ch->ast->insert->ignores_values && ch->rules != NULL && ch->rules[col].identity != FL_IDENTITY_NONE;
}

/** Which key ON CONFLICT means: fills skips_key or conflict_key of the bound statement. FL_ERR_COLUMN (42P10). */
fl_status fl_sql_find_conflict(change *ch, const fl_ast_conflict *conflict, fl_err *err);

/** Binds INSERT ... ON CONFLICT DO UPDATE: it becomes a MERGE. */
fl_status fl_sql_bind_upsert(change *ch, fl_arena *arena, fl_err *err);

#endif
