/* Unique keys of tables: the index of their values through changes, and CREATE and DROP of unique indexes. */
#include "engine/change.h"

void fl_keys_give_back(fl_session *session, fl_str name, fl_key_index *index)
{
    if (index != NULL && fl_key_index_is_whole(index) && !fl_key_index_is_worn(index))
        fl_engine_give_key_index(session->engine, name, index);
    else
        fl_key_index_free(index);
}

fl_status fl_keys_of(fl_session *session, const fl_table *table, fl_segment *const *segments, int64_t n,
                     fl_key_index **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_key_index *index = NULL;
    *ret = NULL;
    if (table->n_keys == 0)
        return FL_OK;
    FL_TRY(fl_key_index_new(&session->engine->memory, table, session->engine->seed, &index, err));
    FL_TRY(fl_key_index_add(index, segments, n, &session->interrupt, err));
    *ret = index;
    index = NULL;
cleanup:
    fl_key_index_free(index);
    return st;
}

fl_status fl_keys_take(fl_session *session, fl_str name, fl_table *table, fl_key_index **ret, fl_err *err)
{
    int64_t n = 0;
    fl_segment *const *segments = fl_memory_table_segments(table, &n);
    *ret = fl_session_take_index(session, name, table);
    return *ret != NULL ? FL_OK : fl_keys_of(session, table, segments, n, ret, err);
}

fl_status fl_keys_with(fl_session *session, fl_str name, fl_table *table, fl_segment *const *segments, int64_t n,
                       fl_key_index **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_key_index *index = NULL;
    *ret = NULL;
    FL_TRY(fl_keys_take(session, name, table, &index, err));
    if (index == NULL)
        return FL_OK;
    FL_TRY(fl_key_index_add(index, segments, n, &session->interrupt, err));
    *ret = index;
    index = NULL;
cleanup:
    fl_keys_give_back(session, name, index);
    return st;
}

static bool has_key_of(const fl_table *table, const int32_t *cols, int32_t n)
{
    for (int32_t k = 0; k < table->n_keys; k++)
        for (int32_t i = 0; i < table->keys[k].n_cols; i++)
            for (int32_t c = 0; c < n; c++)
                if (table->keys[k].cols[i] == cols[c])
                    return true;
    return false;
}

/* Takes the marked rows out of the index. */
static fl_status remove_keys(fl_session *session, fl_key_index *index, const fl_table_change *change, fl_err *err)
{
    fl_status st = FL_OK;
    for (int64_t s = 0; s < change->n_old && st == FL_OK; s++)
        if (change->marks[s] != NULL)
            st = fl_key_index_remove_rows(index, change->old[s], change->marks[s], &session->interrupt, err);
    return st;
}

fl_status fl_keys_left(fl_session *session, fl_str name, fl_table *table, const fl_table_change *change,
                       fl_key_index **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_key_index *index = fl_session_take_index(session, name, table);
    *ret = NULL;
    if (index == NULL)
        return FL_OK;
    FL_TRY(remove_keys(session, index, change, err));
    if (!fl_key_index_is_worn(index)) {
        *ret = index;
        index = NULL;
    }
cleanup:
    fl_key_index_free(index);
    return st;
}

/* Puts the marked rows of segments that have the places of the old ones into the index, as far as segment `end`; *ret_done: of how
 * many segments it did. */
static fl_status add_keys(fl_session *session, fl_key_index *index, const fl_table_change *change,
                          fl_segment *const *segments, int64_t end, int64_t *ret_done, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t s = 0;
    for (; s < end; s++)
        if (change->marks[s] != NULL)
            FL_TRY(fl_key_index_add_rows(index, segments[s], change->marks[s], &session->interrupt, err));
cleanup:
    *ret_done = s;
    return st;
}

/* Puts the old rows back where the new ones could not go: whether that was done. n_done: segments whose new rows are in the index. */
static bool has_old_keys(fl_session *session, fl_key_index *index, const fl_table_change *change, int64_t n_done)
{
    fl_status st = fl_key_index_is_whole(index) ? FL_OK : FL_ERR_CONSTRAINT;
    int64_t n = 0;
    for (int64_t s = 0; s < n_done && st == FL_OK; s++)
        if (change->marks[s] != NULL)
            st = fl_key_index_remove_rows(index, change->segments[s], change->marks[s], &session->interrupt, NULL);
    return st == FL_OK && add_keys(session, index, change, change->old, change->n_old, &n, NULL) == FL_OK;
}

fl_status fl_keys_updated(fl_session *session, fl_str name, fl_table *table, const fl_table_change *change,
                          const int32_t *assigned, int32_t n_assigned, fl_key_index **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_key_index *index = fl_session_take_index(session, name, table);
    bool is_touched = has_key_of(table, assigned, n_assigned);
    int64_t n_done = 0;
    *ret = NULL;
    if (index != NULL && is_touched)
        FL_TRY(remove_keys(session, index, change, err));
    if (is_touched && (index == NULL || fl_key_index_is_worn(index))) {
        FL_TRY(fl_keys_of(session, table, change->segments, change->n_segments, ret, err));
        goto cleanup;
    }
    if (is_touched) {
        st = add_keys(session, index, change, change->segments, change->n_old, &n_done, err);
        if (st == FL_ERR_CONSTRAINT && has_old_keys(session, index, change, n_done)) {
            fl_keys_give_back(session, name, index);
            index = NULL;
        }
        FL_TRY(st);
    }
    *ret = index;
    index = NULL;
cleanup:
    fl_key_index_free(index);
    return st;
}

void fl_keys_restore(fl_session *session, fl_str name, fl_table *table, const fl_table *made, fl_key_index *index,
                     const fl_table_change *change, const int32_t *assigned, int32_t n_assigned)
{
    bool is_update = assigned != NULL, is_restored = true;
    int64_t n = 0;
    if (index == NULL && made != NULL)
        index = fl_session_take_index(session, name, made);
    if (index == NULL)
        return;
    if (!fl_key_index_is_whole(index))
        is_restored = false;
    else if (!is_update)
        is_restored = add_keys(session, index, change, change->old, change->n_old, &n, NULL) == FL_OK;
    else if (has_key_of(table, assigned, n_assigned))
        is_restored = has_old_keys(session, index, change, change->n_old);
    if (is_restored) {
        fl_key_index_set_version(index, table->version);
        fl_keys_give_back(session, name, index);
    } else {
        fl_key_index_free(index);
    }
}

fl_status fl_keys_merged(fl_session *session, fl_str name, fl_table *table, const fl_table_change *updates,
                         const fl_table_change *deletes, const fl_segments *added, fl_key_index **ret, int32_t *ret_key,
                         fl_err *err)
{
    fl_status st = FL_OK;
    fl_key_index *index = fl_session_take_index(session, name, table);
    int64_t n_done = 0;
    *ret = NULL;
    *ret_key = -1;
    if (table->n_keys == 0)
        return FL_OK;
    if (index != NULL) {
        FL_TRY(remove_keys(session, index, updates, err));
        FL_TRY(remove_keys(session, index, deletes, err));
    }
    if (index == NULL || fl_key_index_is_worn(index)) {
        fl_key_index_free(index);
        index = NULL;
        FL_TRY(fl_keys_of(session, table, deletes->segments, deletes->n_segments, &index, err));
    } else {
        FL_TRY(add_keys(session, index, updates, updates->segments, updates->n_old, &n_done, err));
    }
    st = fl_key_index_add(index, added->items, added->n, &session->interrupt, err);
    if (st == FL_ERR_CONSTRAINT)
        *ret_key = fl_key_index_failed(index);
    FL_TRY(st);
    *ret = index;
    index = NULL;
cleanup:
    fl_key_index_free(index);
    return st;
}

static const fl_table_key *find_key(const fl_table *table, fl_str name)
{
    for (int32_t i = 0; i < table->n_keys; i++)
        if (fl_str_is_equal_nocase(table->keys[i].name, name))
            return &table->keys[i];
    return NULL;
}

/* The table's rows under other keys. */
static fl_status change_keys(fl_session *session, fl_table *table, fl_str name, const fl_table_key *keys,
                             int32_t n_keys, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0;
    fl_segment *const *segments = fl_memory_table_segments(table, &n);
    fl_key_index *index = NULL;
    fl_table *made = NULL;
    fl_table_parts parts = {
        .segments = segments, .n_segments = n, .keys = keys, .n_keys = n_keys, .order = *fl_memory_table_order(table)};
    FL_TRY(fl_check_changeable(table, err));
    FL_TRY(fl_make_version(session, table, &parts, &made, err));
    FL_TRY(fl_keys_of(session, made, segments, n, &index, err));
    FL_TRY(fl_session_put_version(session, name, made, index, err));
    made = NULL;
    index = NULL;
cleanup:
    fl_key_index_free(index);
    fl_table_unref(made);
    return st;
}

fl_status fl_session_create_index(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *table = bound->table;
    fl_table_key *keys = NULL;
    fl_arena arena;
    fl_arena_init(&arena, &session->statement_memory);
    if (bound->n_keys == 0) /* scans need no index: accepted, without effect */
        return fl_engine_add_plain_index(session->engine, bound->name, bound->table_name, bound->if_not_exists,
                                         bound->name_pos, err);
    if (find_key(table, bound->keys[0].name) != NULL) {
        if (!bound->if_not_exists) {
            st = FL_FAIL(err, FL_ERR_DUPLICATE, "index \"%.*s\" exists already", FL_STR_ARG(bound->keys[0].name));
            fl_err_at(err, bound->name_pos);
        }
        goto cleanup;
    }
    FL_TRY(FL_NEW_ARRAY(&arena, table->n_keys + 1, &keys, err));
    if (table->n_keys > 0)
        memcpy(keys, table->keys, (size_t)table->n_keys * sizeof(*keys));
    keys[table->n_keys] = bound->keys[0];
    st = change_keys(session, table, bound->table_name, keys, table->n_keys + 1, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* `near` has the names of the keys. */
static fl_status fail_no_index(fl_engine *engine, fl_str name, fl_nearest *near, int32_t pos, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_TABLE, "index \"%.*s\" does not exist", FL_STR_ARG(name));
    fl_engine_hint_index(engine, near, err);
    fl_err_at(err, pos);
    return fl_err_state(err, "42704", st);
}

fl_status fl_session_drop_index(fl_session *session, fl_str name, bool if_exists, int32_t pos, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_nearest near;
    bool is_found = fl_engine_drop_plain_index(session->engine, name);
    int32_t n = 0;
    fl_table *table = NULL;
    fl_table_key *keys = NULL;
    fl_arena arena;
    fl_arena_init(&arena, &session->statement_memory);
    fl_full_name full;
    fl_nearest_init(&near, name);
    FL_TRY(fl_full_name_of_key(&arena, name, &full, err));
    FL_TRY(fl_engine_names(session->engine, &arena, &names, &n, err));
    for (int32_t i = 0; i < n && !is_found; i++) {
        if (!fl_key_is_in(names[i], full.database, full.schema))
            continue;
        fl_table_unref(table);
        table = fl_engine_table(session->engine, names[i]);
        const fl_table_key *gone = table == NULL ? NULL : find_key(table, full.name);
        int32_t kept = 0;
        for (int32_t k = 0; table != NULL && gone == NULL && k < table->n_keys; k++) {
            fl_str offered;
            FL_TRY(fl_arena_copy_str(&arena, table->keys[k].name, &offered, err));
            fl_nearest_offer(&near, offered);
        }
        if (gone == NULL)
            continue;
        is_found = true;
        FL_TRY(FL_NEW_ARRAY(&arena, table->n_keys, &keys, err));
        for (int32_t k = 0; k < table->n_keys; k++)
            if (&table->keys[k] != gone)
                keys[kept++] = table->keys[k];
        st = change_keys(session, table, names[i], keys, kept, err);
        fl_table *latest = fl_session_latest(session, names[i]);
        if (st == FL_OK)
            fl_engine_keep_comments(session->engine, names[i], latest);
        fl_table_unref(latest);
    }
    if (!is_found && !if_exists)
        st = fail_no_index(session->engine, name, &near, pos, err);
cleanup:
    fl_table_unref(table);
    fl_arena_drop(&arena);
    return st;
}
