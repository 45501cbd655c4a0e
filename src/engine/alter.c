/* CREATE TABLE, ALTER TABLE, RENAME and DROP TABLE: definitions of tables, and rows where they have to change with them. Each takes effect
 * whole or not at all. */
#include "engine/change.h"

/* ---- definitions ---- */

/* A table of a definition's columns and constraints, with these segments. */
static fl_status make_table(fl_session *session, const fl_sql_bound *bound, fl_arena *arena,
                            fl_segment *const *segments, int64_t n, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *fields = NULL;
    fl_column_rules *rules = NULL;
    fl_table *made = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, bound->n_columns + 1, &fields, err));
    FL_TRY(FL_NEW_ARRAY(arena, bound->n_columns + 1, &rules, err));
    for (int32_t i = 0; i < bound->n_columns; i++) {
        const fl_sql_column *column = &bound->columns[i];
        fields[i] = (fl_field){.name = column->name, .type = column->type, .nullable = !column->is_not_null};
        rules[i] = (fl_column_rules){.default_text = column->default_text,
                                     .is_not_null = column->is_not_null,
                                     .identity = column->identity,
                                     .sequence = column->sequence,
                                     .generated = column->generated};
    }
    FL_TRY(
        fl_memory_table_new(&session->engine->memory, bound->name, fields, bound->n_columns, segments, n, &made, err));
    FL_TRY(fl_memory_table_set_rules(made, rules, err));
    FL_TRY(fl_memory_table_set_constraints(made, &bound->constraints, err));
    FL_TRY(fl_memory_table_set_keys(made, bound->keys, bound->n_keys, err));
    *ret = made;
    made = NULL;
cleanup:
    fl_table_unref(made);
    return st;
}

/* The sequences that new columns count by, not known to anybody yet. */
static fl_status make_sequences(fl_session *session, const fl_sql_bound *bound, fl_sequence **ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = NULL;
    for (int32_t i = 0; i < bound->n_columns; i++) {
        const fl_sql_column *column = &bound->columns[i];
        fl_sequence *made = NULL;
        if (!column->is_sequence_new)
            continue;
        if (fl_engine_has_sequence(session->engine, column->sequence) && !bound->or_replace) {
            st = FL_FAIL(err, FL_ERR_DUPLICATE, "sequence \"%.*s\" exists already", FL_STR_ARG(column->sequence));
            goto cleanup;
        }
        FL_TRY(fl_sequence_new(column->sequence, bound->name, column->sequence_options, column->type.id, &made, err));
        made->next = *ret;
        *ret = made;
    }
cleanup:
    while (st != FL_OK && *ret != NULL) {
        fl_sequence *next = (*ret)->next;
        fl_sequence_free(*ret);
        *ret = next;
    }
    return st;
}

static void add_sequences(fl_session *session, fl_sequence **list)
{
    while (*list != NULL) {
        fl_sequence *sequence = *list;
        *list = sequence->next;
        fl_engine_add_sequence(session->engine, sequence);
    }
}

static void free_sequences(fl_sequence *list)
{
    while (list != NULL) {
        fl_sequence *next = list->next;
        fl_sequence_free(list);
        list = next;
    }
}

/* ---- CREATE TABLE ---- */

fl_status fl_session_create_table(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0};
    fl_table *table = NULL;
    fl_sequence *sequences = NULL;
    fl_arena arena;
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
    if (known == 1)
        FL_TRY(fl_check_unreferred(session, bound->name, NULL, false, NULL, 0, err));
    if (fl_engine_has_sequence(session->engine, bound->name)) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "sequence \"%.*s\" exists already", FL_STR_ARG(bound->name));
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    FL_TRY(make_sequences(session, bound, &sequences, err));
    if (bound->query.plan != NULL && !bound->is_empty)
        FL_TRY(fl_run_into(session, &bound->query, params, n_params, &arena, &rows, &order, err));
    FL_TRY(make_table(session, bound, &arena, rows.segments, rows.n_segments, &table, err));
    FL_TRY(fl_memory_table_set_order(table, &order, err));
    FL_TRY(fl_engine_put_table(session->engine, bound->name, table, NULL, bound->or_replace, err));
    fl_engine_forget_plain_indexes(session->engine, bound->name);
    fl_engine_set_temporary(session->engine, bound->name, bound->is_temporary);
    table = NULL;
    add_sequences(session, &sequences);
cleanup:
    free_sequences(sequences);
    fl_table_unref(table);
    fl_rows_drop(&rows);
    fl_arena_drop(&arena);
    return st;
}

/* ---- ALTER TABLE ---- */

typedef struct alteration {
    fl_session *session;
    fl_sql_bound *bound;
    fl_table *table;
    fl_arena arena;
    fl_rows rows; /* of the query */
    fl_segments segments;
    fl_sequence *sequences; /* that nobody knows yet */
    bool counts;            /* there are new sequences */
    fl_table *made;
    fl_key_index *index;
} alteration;

static void drop_alteration(alteration *a)
{
    fl_key_index_free(a->index);
    fl_table_unref(a->made);
    free_sequences(a->sequences);
    fl_segments_drop(&a->segments);
    fl_rows_drop(&a->rows);
    fl_arena_drop(&a->arena);
}

/* NOT NULL of rows that are not made anew. */
static fl_status check_kept(alteration *a, fl_err *err)
{
    int64_t n = 0;
    fl_segment *const *old = fl_memory_table_segments(a->table, &n);
    for (int32_t i = 0; i < a->bound->n_columns; i++) {
        const fl_sql_column *column = &a->bound->columns[i];
        for (int64_t s = 0; s < n && column->is_not_null; s++)
            if (old[s]->nulls[column->from] > 0)
                return FL_FAIL(err, FL_ERR_CONSTRAINT, "column \"%.*s\" of table \"%.*s\" has nulls",
                               FL_STR_ARG(column->name), FL_STR_ARG(a->bound->name));
    }
    return FL_OK;
}

/* The rows as they are: columns that stay are shared. */
static fl_status keep_rows(alteration *a, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0;
    fl_segment *const *old = fl_memory_table_segments(a->table, &n);
    int32_t *cols = NULL;
    fl_segment *part = NULL;
    FL_TRY(FL_NEW_ARRAY(&a->arena, a->bound->n_columns + 1, &cols, err));
    for (int32_t i = 0; i < a->bound->n_columns; i++)
        cols[i] = a->bound->columns[i].from;
    FL_TRY(check_kept(a, err));
    for (int64_t s = 0; s < n; s++) {
        FL_TRY(fl_segment_pick(&a->session->engine->memory, old[s], cols, a->bound->n_columns, NULL, &part, err));
        FL_TRY(fl_segment_list_add(NULL, &a->segments.items, &a->segments.n, &a->segments.capacity, part, err));
    }
cleanup:
    return st;
}

/* The rows that the query gives, without what it says of CHECK. */
static fl_status run_rows(alteration *a, const fl_value *params, int32_t n_params, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table_order order;
    int32_t *cols = NULL, n = a->bound->n_columns;
    fl_segment *part = NULL;
    fl_table *shape = NULL;
    FL_TRY(FL_NEW_ARRAY(&a->arena, n + 1, &cols, err));
    for (int32_t i = 0; i < n; i++)
        cols[i] = i;
    int32_t threads = a->session->settings.threads;
    a->session->settings.threads = a->counts ? 1 : threads; /* numbers go to rows in their order */
    st = fl_run_into(a->session, &a->bound->query, params, n_params, &a->arena, &a->rows, &order, err);
    a->session->settings.threads = threads;
    FL_TRY(st);
    FL_TRY(make_table(a->session, a->bound, &a->arena, NULL, 0, &shape, err));
    fl_new_rows check = {.segments = a->rows.segments,
                         .n = a->rows.n_segments,
                         .n_cols = n,
                         .first_check = n,
                         .n_checks = a->bound->n_checks,
                         .place = -1};
    FL_TRY(fl_check_new_rows(&check, shape, a->bound->name, err));
    for (int64_t s = 0; s < a->rows.n_segments; s++) {
        FL_TRY(fl_segment_pick(&a->session->engine->memory, a->rows.segments[s], cols, n, NULL, &part, err));
        FL_TRY(fl_segment_list_add(NULL, &a->segments.items, &a->segments.n, &a->segments.capacity, part, err));
    }
cleanup:
    fl_table_unref(shape);
    return st;
}

static fl_status alter_table(alteration *a, const fl_value *params, int32_t n_params, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = a->session;
    fl_sql_bound *bound = a->bound;
    FL_TRY(fl_check_changeable(a->table, err));
    FL_TRY(make_sequences(session, bound, &a->sequences, err));
    a->counts = a->sequences != NULL;
    if (bound->query.plan != NULL) {
        add_sequences(session, &a->sequences); /* which the query counts by */
        FL_TRY(run_rows(a, params, n_params, err));
    } else {
        FL_TRY(keep_rows(a, err));
    }
    FL_TRY(make_table(session, bound, &a->arena, a->segments.items, a->segments.n, &a->made, err));
    FL_TRY(fl_check_reference_types(session, a->made, bound->name, err));
    if (bound->alters_foreign_keys)
        FL_TRY(fl_check_references(session, a->made, bound->name, &a->segments, err));
    if (bound->alters_keys)
        FL_TRY(fl_keys_of(session, a->made, a->segments.items, a->segments.n, &a->index, err));
    if (bound->new_column.len > 0)
        FL_TRY(
            fl_rename_referred(session, bound->name, (fl_str){0}, bound->old_column, bound->new_column, a->made, err));
    FL_TRY(fl_check_unreferred(session, bound->name, a->made, bound->cascades, NULL, 0, err));
    if (fl_session_has_version(session, bound->name)) { /* it refers to itself, and was put by what is above */
        fl_table_unref(a->made);
        a->made = fl_session_latest(session, bound->name);
    }
    FL_TRY(fl_session_put_version(session, bound->name, a->made, a->index, err));
    a->made = NULL;
    a->index = NULL;
cleanup:
    return st;
}

/* The table knows its name, too. */
static fl_status rename_version(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *table = fl_session_latest(session, bound->name), *made = NULL;
    fl_key_index *index = NULL;
    fl_table_parts parts = {.name = bound->new_name, .keys = table->keys, .n_keys = table->n_keys};
    parts.order = *fl_memory_table_order(table);
    parts.segments = fl_memory_table_segments(table, &parts.n_segments);
    FL_TRY(fl_check_changeable(table, err));
    FL_TRY(fl_make_version(session, table, &parts, &made, err));
    index = fl_session_take_index(session, bound->name, table);
    FL_TRY(fl_session_put_version(session, bound->name, made, index, err));
    made = NULL;
    index = NULL;
cleanup:
    fl_key_index_free(index);
    fl_table_unref(made);
    fl_table_unref(table);
    return st;
}

static fl_status rename_item(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    char *name = NULL;
    FL_TRY(fl_alloc_zero(NULL, bound->new_name.len + 1, (void **)&name, err));
    memcpy(name, bound->new_name.data, (size_t)bound->new_name.len);
    if (fl_engine_has(session->engine, bound->new_name) != 0 ||
        fl_engine_has_sequence(session->engine, bound->new_name)) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "\"%.*s\" exists already", FL_STR_ARG(bound->new_name));
        fl_err_at(err, bound->name_pos);
        goto cleanup;
    }
    if (!bound->is_view) {
        FL_TRY(fl_check_changeable(bound->table, err));
        FL_TRY(fl_rename_referred(session, bound->name, bound->new_name, (fl_str){0}, (fl_str){0}, NULL, err));
        FL_TRY(rename_version(session, bound, err));
    }
    fl_session_publish(session);
    fl_engine_rename(session->engine, bound->name, name);
    name = NULL;
cleanup:
    fl_free(name);
    return st;
}

static bool has_sequence(const fl_sql_bound *bound, fl_str name)
{
    for (int32_t i = 0; i < bound->n_columns; i++)
        if (fl_str_is_equal_nocase(bound->columns[i].sequence, name))
            return true;
    return false;
}

/* Those of columns that are gone or, where the statement failed, new. */
static void drop_sequences(const alteration *a, bool has_failed)
{
    const fl_column_rules *rules = fl_memory_table_rules(a->table);
    for (int32_t i = 0; has_failed && i < a->bound->n_columns; i++)
        if (a->bound->columns[i].is_sequence_new)
            (void)fl_engine_drop_sequence(a->session->engine, a->bound->columns[i].sequence, true, true, -1, NULL);
    for (int32_t c = 0; !has_failed && rules != NULL && c < a->table->n_cols; c++)
        if (rules[c].sequence.len > 0 && !has_sequence(a->bound, rules[c].sequence))
            (void)fl_engine_drop_sequence(a->session->engine, rules[c].sequence, true, true, -1, NULL);
}

fl_status fl_session_alter(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                           fl_err *err)
{
    fl_status st = FL_OK;
    alteration a = {.session = session, .bound = bound, .table = bound->table};
    if (bound->if_exists) /* there is none */
        return FL_OK;
    if (bound->new_name.len > 0)
        return rename_item(session, bound, err);
    fl_arena_init(&a.arena, &session->statement_memory);
    FL_TRY(alter_table(&a, params, n_params, err));
    add_sequences(session, &a.sequences);
    if (bound->new_column.len > 0)
        fl_engine_rename_column_comment(session->engine, bound->name, bound->old_column, bound->new_column);
    fl_table *latest = fl_session_latest(session, bound->name);
    fl_engine_keep_comments(session->engine, bound->name, latest);
    fl_table_unref(latest);
cleanup:
    if (a.counts || st == FL_OK)
        drop_sequences(&a, st != FL_OK);
    drop_alteration(&a);
    return st;
}
