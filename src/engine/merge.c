/* MERGE and INSERT ... ON CONFLICT DO UPDATE: one query says of rows where they are and what becomes of them (front/sql/bind_merge.c); here
 * they are taken apart into updates, deletes and new rows. */
#include "engine/change.h"

#define LEAD_COLUMNS 2 /* place and action */

typedef struct merging {
    fl_session *session;
    fl_sql_bound *bound;
    fl_table *table;
    fl_arena arena;
    fl_rows rows;                          /* in the order of the table, new ones last */
    uint64_t **masks[FL_MERGE_DELETE + 1]; /* [action][segment]: its rows; NULL: none */
    int64_t counts[FL_MERGE_DELETE + 1];
    fl_segments updated, deleted, added;
    fl_table_change updates, deletes;
    fl_segments all;
    fl_key_index *index;
    fl_table *made;
} merging;

static void drop_merging(merging *m)
{
    fl_table_unref(m->made);
    fl_key_index_free(m->index);
    fl_segments_drop(&m->all);
    fl_table_change_drop(&m->deletes);
    fl_table_change_drop(&m->updates);
    fl_segments_drop(&m->updated);
    fl_segments_drop(&m->deleted);
    fl_segments_drop(&m->added);
    fl_rows_drop(&m->rows);
    fl_table_unref(m->table);
    fl_arena_drop(&m->arena);
}

static fl_status fail_twice(const merging *m, fl_err *err)
{
    bool is_upsert = m->bound->conflict_key != FL_SQL_NO_KEY;
    FL_FAIL(err, FL_ERR_CARDINALITY, "%s meets a row of \"%.*s\" a second time",
            is_upsert ? "ON CONFLICT DO UPDATE" : "MERGE", FL_STR_ARG(m->bound->name));
    fl_err_hint(err, is_upsert ? "no two rows to be inserted may have the same key: group them, or SELECT DISTINCT ON"
                               : "no two rows of the source may meet the same row: group them, or SELECT DISTINCT ON");
    return fl_err_state(err, "21000", FL_ERR_CARDINALITY);
}

/* Says of each action which rows it is for. */
static fl_status sort_out(merging *m, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t last = -1;
    for (int32_t a = FL_MERGE_INSERT; a <= FL_MERGE_DELETE; a++)
        FL_TRY(FL_NEW_ARRAY(&m->arena, m->rows.n_segments + 1, &m->masks[a], err));
    for (int64_t s = 0; s < m->rows.n_segments; s++) {
        const fl_segment *segment = m->rows.segments[s];
        const fl_vec *places = &segment->vecs[0], *actions = &segment->vecs[1];
        FL_ASSERT(places->layout == FL_FLAT && places->width == 8 && actions->layout == FL_FLAT && actions->width == 4);
        for (int64_t row = 0; row < segment->rows; row++) {
            int32_t action = ((const int32_t *)actions->data)[row];
            uint64_t **mask = &m->masks[action][s];
            FL_ASSERT(action >= FL_MERGE_INSERT && action <= FL_MERGE_DELETE);
            if (*mask == NULL)
                FL_TRY(FL_NEW_ARRAY(&m->arena, fl_bitmap_words(segment->rows) + 1, mask, err));
            fl_bit_set(*mask, row);
            m->counts[action]++;
            if (action == FL_MERGE_INSERT)
                continue;
            int64_t place = ((const int64_t *)places->data)[row];
            if (place == last)
                return fail_twice(m, err);
            last = place;
        }
    }
cleanup:
    return st;
}

/* The rows of an action, of these columns. */
static fl_status pick(merging *m, fl_merge_action action, const int32_t *cols, int32_t n, fl_memory *memory,
                      fl_segment_use use, fl_segments *ret, fl_err *err)
{
    fl_type *types = NULL;
    fl_status st = FL_NEW_ARRAY(&m->arena, n + 1, &types, err);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        types[i] = m->rows.fields[cols[i]].type;
    return st != FL_OK ? st
                       : fl_segments_pack(memory, m->rows.segments, m->rows.n_segments, cols, types, n,
                                          m->masks[action], use, ret, err);
}

static fl_status take_apart(merging *m, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_sql_bound *bound = m->bound;
    fl_memory *memory = &m->session->statement_memory;
    int32_t n_cols = m->table->n_cols, *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(&m->arena, n_cols + 2, &cols, err));
    for (int32_t i = 0; i < bound->n_assigned; i++)
        cols[1 + i] = LEAD_COLUMNS + bound->assigned[i];
    FL_TRY(pick(m, FL_MERGE_UPDATE, cols, 1 + bound->n_assigned, memory, FL_SEGMENT_RESULT, &m->updated, err));
    FL_TRY(pick(m, FL_MERGE_DELETE, cols, 1, memory, FL_SEGMENT_RESULT, &m->deleted, err));
    for (int32_t c = 0; c < n_cols; c++)
        cols[c] = LEAD_COLUMNS + c;
    FL_TRY(pick(m, FL_MERGE_INSERT, cols, n_cols, &m->session->engine->memory, FL_SEGMENT_TABLE, &m->added, err));
cleanup:
    return st;
}

static void init_change(merging *m, fl_table_change *change, fl_segment *const *old, int64_t n_old)
{
    fl_table_change_init(change, &m->session->engine->memory, &m->session->statement_memory, m->table->fields, old,
                         n_old);
    change->workers = m->session->engine->workers;
    change->n_workers = m->session->settings.threads;
}

/* Updates, then deletes among what they leave, where rows have the same places; then the new rows. */
static fl_status change_rows(merging *m, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n_old = 0;
    fl_segment *const *old = fl_memory_table_segments(m->table, &n_old);
    init_change(m, &m->updates, old, n_old);
    FL_TRY(fl_table_change_mark(&m->updates, m->updated.items, m->updated.n, err));
    FL_TRY(fl_table_change_update(&m->updates, m->updated.items, m->updated.n, m->bound->assigned, m->bound->n_assigned,
                                  err));
    init_change(m, &m->deletes, m->updates.segments, m->updates.n_segments);
    FL_TRY(fl_table_change_mark(&m->deletes, m->deleted.items, m->deleted.n, err));
    FL_TRY(fl_table_change_delete(&m->deletes, err));
    FL_TRY(fl_append_segments(m->session, m->table, m->deletes.segments, m->deletes.n_segments, m->added.items,
                              m->added.n, &m->all, err));
    fl_table_parts parts = {
        .segments = m->all.items,
        .n_segments = m->all.n,
        .keys = m->table->keys,
        .n_keys = m->table->n_keys,
        .n_changed = (double)(m->counts[FL_MERGE_INSERT] + m->counts[FL_MERGE_UPDATE] + m->counts[FL_MERGE_DELETE])};
    FL_TRY(fl_make_version(m->session, m->table, &parts, &m->made, err));
cleanup:
    return st;
}

/* Holds the new version to the keys of the table and of others, and puts it in place. */
static fl_status put_merged(merging *m, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = m->session;
    const fl_sql_bound *bound = m->bound;
    int32_t failed = -1;
    fl_segments updated = {0};
    st = fl_keys_merged(session, bound->name, m->table, &m->updates, &m->deletes, &m->added, &m->index, &failed, err);
    if (st == FL_ERR_CONSTRAINT && failed >= 0 && failed == bound->conflict_key)
        st = fail_twice(m, err);
    FL_TRY(st);
    FL_TRY(fl_check_references(session, m->made, bound->name, &m->added, err));
    if (m->counts[FL_MERGE_UPDATE] > 0 && fl_refers_by(m->table, bound->assigned, bound->n_assigned)) {
        FL_TRY(fl_pick_updated(session, m->table, &m->updates, &updated, err));
        FL_TRY(fl_check_references(session, m->made, bound->name, &updated, err));
    }
    FL_TRY(fl_session_put_version(session, bound->name, m->made, m->index, err));
    m->made = NULL;
    m->index = NULL;
    fl_parent_change parent = {.session = session,
                               .name = bound->name,
                               .old = m->table,
                               .updates = &m->updates,
                               .cols = bound->assigned,
                               .n_cols = bound->n_assigned};
    if (m->counts[FL_MERGE_UPDATE] > 0)
        FL_TRY(fl_check_referrers(&parent, err));
    parent.updates = NULL;
    if (m->counts[FL_MERGE_DELETE] > 0)
        FL_TRY(fl_check_referrers(&parent, err));
cleanup:
    fl_segments_drop(&updated);
    return st;
}

fl_status fl_session_merge(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                           fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    merging m = {.session = session, .bound = bound, .table = fl_session_latest(session, bound->name)};
    int64_t n_old = 0;
    fl_arena_init(&m.arena, &session->statement_memory);
    FL_TRY(fl_check_changeable(m.table, err));
    FL_TRY(fl_check_one_change(session, bound->name, err));
    FL_TRY(fl_session_run(session, &bound->query, params, n_params, FL_SEGMENT_RESULT, &session->statement_memory,
                          &m.rows, err));
    fl_new_rows check = {.segments = m.rows.segments,
                         .n = m.rows.n_segments,
                         .first = LEAD_COLUMNS,
                         .n_cols = m.table->n_cols,
                         .first_check = LEAD_COLUMNS + m.table->n_cols,
                         .n_checks = bound->n_checks,
                         .old = fl_memory_table_segments(m.table, &n_old)};
    FL_TRY(sort_out(&m, err));
    FL_TRY(fl_check_new_rows(&check, m.table, bound->name, err));
    FL_TRY(fl_give_returning(session, bound, &m.rows, NULL, ret, err));
    session->changed_rows = fl_segments_rows(m.rows.segments, m.rows.n_segments);
    if (session->changed_rows == 0)
        goto cleanup;
    FL_TRY(take_apart(&m, err));
    FL_TRY(change_rows(&m, err));
    st = put_merged(&m, err);
cleanup:
    drop_merging(&m);
    return st;
}
