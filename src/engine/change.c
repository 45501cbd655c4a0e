/* Statements that change tables: each makes a new version that shares what stays, checks what comes against NOT NULL
 * and the unique keys, and puts it in the old one's place. A statement that fails changes nothing. They take turns
 * (fl_session_begin_change). */
#include "engine/internal.h"

#include "plan/props.h"
#include "store/table_change.h"

#define SMALL_SEGMENT_ROWS 4096

/* Whether the rows may be in the table: the columns from `first` on are the table's cols[0 .. n) (NULL: all in order). */
static fl_status check_not_null(const fl_rows *rows, int32_t first, const fl_table *table, const int32_t *cols,
                                int32_t n, fl_str name, fl_err *err)
{
    const fl_column_rules *rules = fl_memory_table_rules(table);
    for (int32_t i = 0; rules != NULL && i < n; i++) {
        int32_t c = cols == NULL ? i : cols[i];
        for (int64_t s = 0; rules[c].is_not_null && s < rows->n_segments; s++)
            if (rows->segments[s]->nulls[first + i] > 0)
                return FL_FAIL(err, FL_ERR_CONSTRAINT,
                               "null value in column \"%.*s\" of table \"%.*s\", which is NOT NULL",
                               FL_STR_ARG(table->fields[c].name), FL_STR_ARG(name));
    }
    return FL_OK;
}

/* The longest order of several keys that the query's rows come in, in terms of its outputs. Orders of one column are found when
 * they are asked for. Of an optimized query: what it was made of may promise more than it gives. */
static fl_status order_of(const fl_query *query, fl_arena *arena, fl_table_order *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_props *props = NULL;
    *ret = (fl_table_order){0};
    FL_TRY(fl_node_props(query->plan, query->root, &props, err));
    for (int32_t o = 0; o < props->n_orders; o++) {
        const fl_ordering *order = &props->orders[o];
        fl_table_order_key *keys = NULL;
        int32_t n = 0;
        FL_TRY(FL_NEW_ARRAY(arena, order->n_keys, &keys, err));
        for (; n < order->n_keys; n++) {
            int32_t at = 0;
            while (at < query->n_outputs && !fl_order_key_has(&order->keys[n], query->outputs[at]))
                at++;
            if (at == query->n_outputs)
                break;
            keys[n] = (fl_table_order_key){
                .col = at, .is_descending = order->keys[n].is_descending, .nulls_first = order->keys[n].nulls_first};
        }
        if (n > 1 && n > ret->n_keys)
            *ret = (fl_table_order){.keys = keys, .n_keys = n};
    }
cleanup:
    return st;
}

/* What a new version of a table is made of. */
typedef struct version {
    fl_segment *const *segments;
    int64_t n_segments;
    const fl_table_key *keys;
    int32_t n_keys;
    fl_table_order order; /* that the rows were put in */
    double n_changed;     /* rows that are other ones than before, or new */
} version;

/* Puts a new version in a table's place. Takes over the index (NULL: none), whose values are those of the segments. */
static fl_status replace_table(fl_session *session, fl_table *old, fl_str name, const version *v, fl_key_index *index,
                               fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *table = NULL;
    const fl_column_rules *rules = fl_memory_table_rules(old);
    FL_TRY(fl_memory_table_new(&session->engine->memory, old->name, old->fields, old->n_cols, v->segments,
                               v->n_segments, &table, err));
    if (rules != NULL)
        FL_TRY(fl_memory_table_set_rules(table, rules, err));
    FL_TRY(fl_memory_table_set_keys(table, v->keys, v->n_keys, err));
    FL_TRY(fl_memory_table_set_order(table, &v->order, err));
    fl_memory_table_inherit(table, old, v->n_changed);
    if (index != NULL)
        fl_key_index_set_version(index, table->version);
    FL_TRY(fl_engine_put_table(session->engine, name, table, index, true, err));
    table = NULL;
    index = NULL;
cleanup:
    fl_key_index_free(index);
    fl_table_unref(table);
    return st;
}

static fl_status check_changeable(const fl_table *table, fl_err *err)
{
    int64_t n = 0;
    if (fl_memory_table_segments(table, &n) != NULL || n == 0)
        if (table->format != NULL && strcmp(table->format, "memory") == 0)
            return FL_OK;
    FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%.*s\" is a file and cannot be changed", FL_STR_ARG(table->name));
    fl_err_hint(err, "CREATE TABLE t AS FROM '…' makes a table of its rows");
    return FL_ERR_UNSUPPORTED;
}

/* The query's rows as segments of a table, and the order that they come in. */
static fl_status run_into(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                          fl_arena *arena, fl_rows *ret, fl_table_order *ret_order, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_session_optimize_open(session, &bound->query, params, n_params, NULL, err));
    FL_TRY(order_of(&bound->query, arena, ret_order, err));
    st = fl_session_run_optimized(session, &bound->query, params, n_params, FL_SEGMENT_TABLE, &session->engine->memory,
                                  ret, err);
cleanup:
    return st;
}

fl_status fl_session_create_table(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0};
    fl_table *table = NULL;
    fl_arena arena;
    fl_field *fields = NULL;
    fl_column_rules *rules = NULL;
    fl_table_order order = {0};
    int known = fl_engine_has(session->engine, bound->name);
    fl_arena_init(&arena, &session->statement_memory);
    if (known != 0 && bound->if_not_exists)
        return FL_OK;
    if (known != 0 && !bound->or_replace) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "%s \"%.*s\" exists already", known == 1 ? "table" : "view",
                     FL_STR_ARG(bound->name));
        fl_err_hint(err, "CREATE OR REPLACE TABLE replaces it");
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    FL_TRY(FL_NEW_ARRAY(&arena, bound->n_columns + 1, &fields, err));
    FL_TRY(FL_NEW_ARRAY(&arena, bound->n_columns + 1, &rules, err));
    for (int32_t i = 0; i < bound->n_columns; i++) {
        fields[i] = (fl_field){
            .name = bound->columns[i].name, .type = bound->columns[i].type, .nullable = !bound->columns[i].is_not_null};
        rules[i] = (fl_column_rules){.default_text = bound->columns[i].default_text,
                                     .is_not_null = bound->columns[i].is_not_null};
    }
    if (bound->query.plan != NULL && !bound->is_empty)
        FL_TRY(run_into(session, bound, params, n_params, &arena, &rows, &order, err));
    FL_TRY(fl_memory_table_new(&session->engine->memory, bound->name, fields, bound->n_columns, rows.segments,
                               rows.n_segments, &table, err));
    FL_TRY(fl_memory_table_set_rules(table, rules, err));
    FL_TRY(fl_memory_table_set_keys(table, bound->keys, bound->n_keys, err));
    FL_TRY(fl_memory_table_set_order(table, &order, err));
    FL_TRY(fl_engine_put_table(session->engine, bound->name, table, NULL, bound->or_replace, err));
    fl_engine_forget_plain_indexes(session->engine, bound->name);
    table = NULL;
cleanup:
    fl_table_unref(table);
    fl_rows_drop(&rows);
    fl_arena_drop(&arena);
    return st;
}

/* The index of the table's rows as they are, if there is one; it is the caller's. */
static fl_key_index *take_index(fl_session *session, fl_str name, const fl_table *table)
{
    fl_key_index *index = fl_engine_take_key_index(session->engine, name);
    if (index == NULL || fl_key_index_version(index) == table->version)
        return index;
    fl_key_index_free(index);
    return NULL;
}

/* Puts an index back whose rows are those of the table as it is, or frees it: where it is not whole the next statement that needs
 * one makes it. NULL does nothing. */
static void give_back(fl_session *session, fl_str name, fl_key_index *index)
{
    if (index != NULL && fl_key_index_is_whole(index) && !fl_key_index_is_worn(index))
        fl_engine_give_key_index(session->engine, name, index);
    else
        fl_key_index_free(index);
}

/* An index of these rows; NULL when the table has no keys. */
static fl_status index_rows(fl_session *session, const fl_table *table, fl_segment *const *segments, int64_t n,
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

/* The index of the table's rows and of new ones: the one that the last INSERT left, or a new one. */
static fl_status index_with(fl_session *session, fl_str name, fl_table *table, const fl_rows *rows, fl_key_index **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n_old = 0;
    fl_segment *const *old = fl_memory_table_segments(table, &n_old);
    fl_key_index *index = take_index(session, name, table);
    *ret = NULL;
    if (table->n_keys > 0 && index == NULL)
        FL_TRY(index_rows(session, table, old, n_old, &index, err));
    if (table->n_keys > 0) {
        FL_TRY(fl_key_index_add(index, rows->segments, rows->n_segments, &session->interrupt, err));
        *ret = index;
        index = NULL;
    }
cleanup:
    give_back(session, name, index);
    return st;
}

/* Appends rows: small last segments are merged with what comes, so that single inserts do not make a segment each. */
fl_status fl_session_insert(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0};
    fl_segment **all = NULL, *merged = NULL;
    fl_segment_builder *builder = NULL;
    fl_key_index *index = NULL;
    fl_arena arena;
    fl_table *table = bound->table;
    fl_table_order order = {0};
    int64_t n_old = 0, n = 0, n_added = 0;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(check_changeable(table, err));
    FL_TRY(run_into(session, bound, params, n_params, &arena, &rows, &order, err));
    if (table->rows > 0)
        order = (fl_table_order){0};
    FL_TRY(check_not_null(&rows, 0, table, NULL, table->n_cols, bound->name, err));
    fl_segment *const *old = fl_memory_table_segments(table, &n_old);
    FL_TRY(FL_NEW_ARRAY(&arena, n_old + rows.n_segments + 1, &all, err));
    for (int64_t i = 0; i < n_old; i++)
        all[n++] = old[i];
    if (n > 0 && rows.n_segments == 1 && all[n - 1]->rows + rows.segments[0]->rows <= SMALL_SEGMENT_ROWS) {
        fl_type *types = NULL;
        FL_TRY(FL_NEW_ARRAY(&arena, table->n_cols + 1, &types, err));
        for (int32_t c = 0; c < table->n_cols; c++)
            types[c] = table->fields[c].type;
        FL_TRY(fl_segment_builder_new(&session->engine->memory, types, table->n_cols, FL_SEGMENT_TABLE, &builder, err));
        FL_TRY(fl_segment_builder_add_live(builder, all[n - 1], 0, (int32_t)all[n - 1]->rows, err));
        FL_TRY(fl_segment_builder_add_live(builder, rows.segments[0], 0, (int32_t)rows.segments[0]->rows, err));
        FL_TRY(fl_segment_builder_finish(builder, &merged, err));
        all[n - 1] = merged;
    } else {
        for (int64_t i = 0; i < rows.n_segments; i++)
            all[n++] = rows.segments[i];
    }
    FL_TRY(index_with(session, bound->name, table, &rows, &index, err));
    for (int64_t i = 0; i < rows.n_segments; i++)
        n_added += rows.segments[i]->rows;
    version v = {.segments = all,
                 .n_segments = n,
                 .keys = table->keys,
                 .n_keys = table->n_keys,
                 .order = order,
                 .n_changed = (double)n_added};
    st = replace_table(session, table, bound->name, &v, index, err);
cleanup:
    fl_segment_builder_free(builder);
    fl_segment_unref(merged);
    fl_rows_drop(&rows);
    fl_arena_drop(&arena);
    return st;
}

/* The order that the rows still have when these columns are assigned: they were in it up to the first of them. */
static fl_table_order order_without(fl_table_order order, const int32_t *cols, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        for (int32_t k = 0; k < order.n_keys; k++)
            if (order.keys[k].col == cols[i])
                order.n_keys = k;
    return order;
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

/* The index of what a DELETE leaves; NULL: the next statement that needs one makes it. */
static fl_status index_left(fl_session *session, const fl_sql_bound *bound, const fl_table_change *change,
                            fl_key_index **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_key_index *index = take_index(session, bound->name, bound->table);
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

/* The index of the rows behind an UPDATE: FL_ERR_CONSTRAINT when a key has a value twice. */
static fl_status index_updated(fl_session *session, const fl_sql_bound *bound, const fl_table_change *change,
                               fl_key_index **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_key_index *index = take_index(session, bound->name, bound->table);
    bool is_touched = has_key_of(bound->table, bound->assigned, bound->n_assigned);
    int64_t n_done = 0;
    *ret = NULL;
    if (index != NULL && is_touched)
        FL_TRY(remove_keys(session, index, change, err));
    if (is_touched && (index == NULL || fl_key_index_is_worn(index))) {
        FL_TRY(index_rows(session, bound->table, change->segments, change->n_segments, ret, err));
        goto cleanup;
    }
    if (is_touched) {
        st = add_keys(session, index, change, change->segments, change->n_old, &n_done, err);
        if (st == FL_ERR_CONSTRAINT && has_old_keys(session, index, change, n_done)) {
            give_back(session, bound->name, index);
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

/* UPDATE and DELETE: their query says which rows, and what they get. Where there is none, as with TRUNCATE, all rows go. */
fl_status fl_session_change_rows(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                                 fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0};
    fl_key_index *index = NULL;
    fl_table_change change;
    fl_table *table = bound->table;
    const int32_t *assigned = bound->assigned;
    int32_t n_assigned = bound->n_assigned;
    int64_t n_old = 0;
    fl_segment *const *old = fl_memory_table_segments(table, &n_old);
    version v = {.keys = table->keys, .n_keys = table->n_keys};
    fl_table_change_init(&change, &session->engine->memory, &session->statement_memory, table->fields, old, n_old);
    change.workers = session->engine->workers;
    change.n_workers = session->settings.threads;
    FL_TRY(check_changeable(table, err));
    if (bound->query.plan == NULL) {
        FL_TRY(replace_table(session, table, bound->name, &v, NULL, err));
        goto cleanup;
    }
    FL_TRY(fl_session_run(session, &bound->query, params, n_params, FL_SEGMENT_RESULT, &session->statement_memory,
                          &rows, err));
    if (rows.n_segments == 0)
        goto cleanup;
    FL_TRY(check_not_null(&rows, 1, table, assigned, n_assigned, bound->name, err));
    FL_TRY(fl_table_change_mark(&change, rows.segments, rows.n_segments, err));
    if (bound->kind == FL_AST_UPDATE) {
        FL_TRY(fl_table_change_update(&change, rows.segments, rows.n_segments, assigned, n_assigned, err));
        FL_TRY(index_updated(session, bound, &change, &index, err));
    } else {
        FL_TRY(fl_table_change_delete(&change, err));
        FL_TRY(index_left(session, bound, &change, &index, err));
    }
    v.segments = change.segments;
    v.n_segments = change.n_segments;
    v.n_changed = (double)change.n_changed;
    v.order = order_without(*fl_memory_table_order(table), assigned, n_assigned);
    st = replace_table(session, table, bound->name, &v, index, err);
cleanup:
    fl_table_change_drop(&change);
    fl_rows_drop(&rows);
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
    fl_table *changed = NULL;
    FL_TRY(check_changeable(table, err));
    FL_TRY(fl_memory_table_new(&session->engine->memory, table->name, table->fields, table->n_cols, NULL, 0, &changed,
                               err));
    FL_TRY(fl_memory_table_set_keys(changed, keys, n_keys, err));
    FL_TRY(index_rows(session, changed, segments, n, &index, err));
    version v = {
        .segments = segments, .n_segments = n, .keys = keys, .n_keys = n_keys, .order = *fl_memory_table_order(table)};
    st = replace_table(session, table, name, &v, index, err);
cleanup:
    fl_table_unref(changed);
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
    fl_nearest_init(&near, name);
    FL_TRY(fl_engine_names(session->engine, &arena, &names, &n, err));
    for (int32_t i = 0; i < n && !is_found; i++) {
        fl_table_unref(table);
        table = fl_engine_table(session->engine, names[i]);
        const fl_table_key *gone = table == NULL ? NULL : find_key(table, name);
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
    }
    if (!is_found && !if_exists)
        st = fail_no_index(session->engine, name, &near, pos, err);
cleanup:
    fl_table_unref(table);
    fl_arena_drop(&arena);
    return st;
}
