/* What the files that change tables share. Private to change.c, merge.c, alter.c, keys.c, foreign_key.c. Between
 * fl_session_begin_change and fl_session_end_change. */
#ifndef FL_ENGINE_CHANGE_H
#define FL_ENGINE_CHANGE_H

#include "engine/internal.h"
#include "store/table_change.h"

/* What a new version of a table is made of. */
typedef struct fl_table_parts {
    fl_str name; /* empty: the old one */
    fl_segment *const *segments;
    int64_t n_segments;
    const fl_table_key *keys;
    int32_t n_keys;
    fl_table_order order;         /* that the rows were put in */
    const fl_column_rules *rules; /* NULL: the old ones */
    double n_changed;             /* rows that are other ones than before, or new */
} fl_table_parts;

/** A table like `old` of these parts. */
fl_status fl_make_version(fl_session *session, fl_table *old, const fl_table_parts *parts, fl_table **ret, fl_err *err);

/** FL_ERR_UNSUPPORTED for a table that is no table in memory. */
fl_status fl_check_changeable(const fl_table *table, fl_err *err);

/** The query's rows as segments of a table, and the order that they come in, in the arena. */
fl_status fl_run_into(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params, fl_arena *arena,
                      fl_rows *ret, fl_table_order *ret_order, fl_err *err);

/** A list of the old segments and the new ones; a small last one is put together with what comes, so that single inserts do not make a
 *  segment each. Frees nothing of them: the list's own references are in *ret. */
fl_status fl_append_segments(fl_session *session, const fl_table *table, fl_segment *const *old, int64_t n_old,
                             fl_segment *const *more, int64_t n_more, fl_segments *ret, fl_err *err);

/** RETURNING: the last columns of the rows as the statement's answer; live (NULL: all) says which rows. Without RETURNING nothing. */
fl_status fl_give_returning(fl_session *session, const fl_sql_bound *bound, const fl_rows *rows, uint64_t *const *live,
                            fl_rows *ret, fl_err *err);

/** The rows that were updated, as they are then. */
fl_status fl_pick_updated(fl_session *session, const fl_table *table, const fl_table_change *change, fl_segments *ret,
                          fl_err *err);

/** Rows that say where others are (their first column), and null for each of these columns of the table. */
fl_status fl_null_columns(fl_session *session, const fl_rows *rows, const fl_table *table, const int32_t *cols,
                          int32_t n, fl_segments *ret, fl_err *err);

/* ---- foreign_key.c ---- */

/* A change of a table that others may refer to. */
typedef struct fl_parent_change {
    fl_session *session;
    fl_str name;
    const fl_table *old;
    const fl_table_change *updates; /* of these columns; NULL: rows were deleted */
    const int32_t *cols;
    int32_t n_cols;
    int32_t depth; /* of changes that this one followed from */
} fl_parent_change;

/** Behind a change of a table, whose new version was put: the rows of other tables that referred to what is gone are changed, too, or it is
 *  FL_ERR_CONSTRAINT (23503). */
fl_status fl_check_referrers(const fl_parent_change *change, fl_err *err);

/** Whether what becomes of a table (NULL: it goes) has all keys that foreign keys of others refer to: FL_ERR_UNSUPPORTED (2BP01); where it
 *  `cascades` these foreign keys go. Those of the tables gone[0 .. n) do not count. */
fl_status fl_check_unreferred(fl_session *session, fl_str name, fl_table *made, bool cascades, const fl_str *gone,
                              int32_t n_gone, fl_err *err);

/** Foreign keys that refer to a table follow its new name, or that of one of its columns. made: what becomes of it (NULL: it stays). */
fl_status fl_rename_referred(fl_session *session, fl_str name, fl_str new_name, fl_str old_col, fl_str new_col,
                             fl_table *made, fl_err *err);

/* ---- keys.c ---- */

/** An index of these rows; NULL when the table has no keys. */
fl_status fl_keys_of(fl_session *session, const fl_table *table, fl_segment *const *segments, int64_t n,
                     fl_key_index **ret, fl_err *err);

/** The index of the table's rows, taken or made; it is the caller's. NULL when the table has no keys. */
fl_status fl_keys_take(fl_session *session, fl_str name, fl_table *table, fl_key_index **ret, fl_err *err);

/** Puts an index back whose rows are those of the table as it is, or frees it: where it is not whole the next statement that needs
 *  one makes it. NULL does nothing. */
void fl_keys_give_back(fl_session *session, fl_str name, fl_key_index *index);

/** The index of the table's rows and of new ones: FL_ERR_CONSTRAINT when a key has a value twice. */
fl_status fl_keys_with(fl_session *session, fl_str name, fl_table *table, fl_segment *const *segments, int64_t n,
                       fl_key_index **ret, fl_err *err);

/** The index of what a DELETE leaves; NULL: the next statement that needs one makes it. */
fl_status fl_keys_left(fl_session *session, fl_str name, fl_table *table, const fl_table_change *change,
                       fl_key_index **ret, fl_err *err);

/** The index of the rows behind an UPDATE of these columns: FL_ERR_CONSTRAINT when a key has a value twice. */
fl_status fl_keys_updated(fl_session *session, fl_str name, fl_table *table, const fl_table_change *change,
                          const int32_t *assigned, int32_t n_assigned, fl_key_index **ret, fl_err *err);

/** Makes the index of `made`'s rows (index; NULL: the one that was put with it) that of the table's again, where what followed an UPDATE of
 *  these columns (NULL: a DELETE) failed; frees it where that does not succeed. */
void fl_keys_restore(fl_session *session, fl_str name, fl_table *table, const fl_table *made, fl_key_index *index,
                     const fl_table_change *change, const int32_t *assigned, int32_t n_assigned);

/** The index behind updates, deletes among the rows that they left, and new rows, of a MERGE. FL_ERR_CONSTRAINT; *ret_key, where not
 *  negative, is then the key of which a new row has a value that is there. */
fl_status fl_keys_merged(fl_session *session, fl_str name, fl_table *table, const fl_table_change *updates,
                         const fl_table_change *deletes, const fl_segments *added, fl_key_index **ret, int32_t *ret_key,
                         fl_err *err);

#endif
