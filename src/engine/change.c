/* Statements that change the rows of tables: each makes a new version that shares what stays, holds what comes to the table's rules and
 * keys, and puts it in the old one's place. A statement that fails changes nothing. They take turns (fl_session_begin_change). */
#include "engine/change.h"

#include "plan/props.h"
#include "store/record_table.h"

#define SMALL_SEGMENT_ROWS 4096
#define NULLS_ROWS 8192

/* ---- what they share ---- */

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

fl_status fl_make_version(fl_session *session, fl_table *old, const fl_table_parts *parts, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *table = NULL;
    const fl_column_rules *rules = parts->rules != NULL ? parts->rules : fl_memory_table_rules(old);
    fl_str name = parts->name.len > 0 ? parts->name : old->name;
    FL_TRY(fl_memory_table_new(&session->engine->memory, name, old->fields, old->n_cols, parts->segments,
                               parts->n_segments, &table, err));
    if (rules != NULL)
        FL_TRY(fl_memory_table_set_rules(table, rules, err));
    FL_TRY(fl_memory_table_set_constraints(table, fl_memory_table_constraints(old), err));
    FL_TRY(fl_memory_table_set_keys(table, parts->keys, parts->n_keys, err));
    FL_TRY(fl_memory_table_set_order(table, &parts->order, err));
    fl_memory_table_inherit(table, old, parts->n_changed);
    *ret = table;
    table = NULL;
cleanup:
    fl_table_unref(table);
    return st;
}

fl_status fl_check_changeable(const fl_table *table, fl_err *err)
{
    int64_t n = 0;
    if (fl_memory_table_segments(table, &n) != NULL || n == 0)
        if (table->format != NULL && strcmp(table->format, "memory") == 0)
            return FL_OK;
    if (table->format != NULL && strcmp(table->format, FL_FORMAT_SYSTEM) == 0) {
        FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%.*s\" tells what there is and cannot be changed", FL_STR_ARG(table->name));
        fl_err_hint(err, "it follows CREATE, ALTER, DROP and SET");
        return fl_err_state(err, "42501", FL_ERR_UNSUPPORTED);
    }
    if (table->format != NULL && strcmp(table->format, FL_FORMAT_RECORDS) == 0) {
        FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%.*s\" are the program's own records and cannot be changed",
                FL_STR_ARG(table->name));
        fl_err_hint(err, "CREATE TABLE t AS FROM \"%.*s\" makes a table of them", FL_STR_ARG(table->name));
        return FL_ERR_UNSUPPORTED;
    }
    FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%.*s\" is a file and cannot be changed", FL_STR_ARG(table->name));
    fl_err_hint(err, "CREATE TABLE t AS FROM '…' makes a table of its rows");
    return FL_ERR_UNSUPPORTED;
}

fl_status fl_run_into(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params, fl_arena *arena,
                      fl_rows *ret, fl_table_order *ret_order, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_session_optimize_open(session, query, params, n_params, NULL, err));
    FL_TRY(order_of(query, arena, ret_order, err));
    st = fl_session_run_optimized(session, query, params, n_params, FL_SEGMENT_TABLE, &session->engine->memory, ret,
                                  err);
cleanup:
    return st;
}

/* Numbers of a sequence go to rows in their order, so that one worker makes them. */
static bool counts(const fl_table *table)
{
    const fl_column_rules *rules = fl_memory_table_rules(table);
    for (int32_t c = 0; rules != NULL && c < table->n_cols; c++)
        if (rules[c].sequence.len > 0)
            return true;
    return false;
}

static fl_status types_of(const fl_table *table, fl_arena *arena, fl_type **ret, fl_err *err)
{
    fl_status st = FL_NEW_ARRAY(arena, table->n_cols + 1, ret, err);
    for (int32_t c = 0; c < table->n_cols && st == FL_OK; c++)
        (*ret)[c] = table->fields[c].type;
    return st;
}

/* Numbers from `first` on. */
static fl_status numbers_from(int32_t first, int32_t n, fl_arena *arena, int32_t **ret, fl_err *err)
{
    fl_status st = FL_NEW_ARRAY(arena, n + 1, ret, err);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        (*ret)[i] = first + i;
    return st;
}

static fl_status add_reference(fl_segments *list, fl_segment *segment, fl_err *err)
{
    return fl_segment_list_add(list->memory, &list->items, &list->n, &list->capacity, fl_segment_ref(segment), err);
}

fl_status fl_append_segments(fl_session *session, const fl_table *table, fl_segment *const *old, int64_t n_old,
                             fl_segment *const *more, int64_t n_more, fl_segments *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    bool may_move = session->versions == NULL || !session->versions->keeps_places;
    bool is_small = may_move && n_old > 0 && n_more == 1 && old[n_old - 1]->rows + more[0]->rows <= SMALL_SEGMENT_ROWS;
    fl_arena_init(&arena, &session->statement_memory);
    for (int64_t i = 0; i < n_old - is_small; i++)
        FL_TRY(add_reference(ret, old[i], err));
    if (is_small) {
        fl_segment *const both[2] = {old[n_old - 1], more[0]};
        fl_type *types = NULL;
        int32_t *cols = NULL;
        FL_TRY(types_of(table, &arena, &types, err));
        FL_TRY(numbers_from(0, table->n_cols, &arena, &cols, err));
        FL_TRY(fl_segments_pack(&session->engine->memory, both, 2, cols, types, table->n_cols, NULL, FL_SEGMENT_TABLE,
                                ret, err));
    } else {
        for (int64_t i = 0; i < n_more; i++)
            FL_TRY(add_reference(ret, more[i], err));
    }
cleanup:
    fl_arena_drop(&arena);
    return st;
}

fl_status fl_give_returning(fl_session *session, const fl_sql_bound *bound, const fl_rows *rows, uint64_t *const *live,
                            fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = bound->n_returning, first = rows->n_cols - n;
    fl_rows made = {.n_cols = n};
    fl_segments list = {0};
    fl_type *types = NULL;
    int32_t *cols = NULL;
    if (!bound->returns)
        return FL_OK;
    FL_ASSERT(first >= 0);
    fl_arena_init(&made.arena, &session->engine->memory);
    FL_TRY(FL_NEW_ARRAY(&made.arena, n + 1, &made.fields, err));
    FL_TRY(FL_NEW_ARRAY(&made.arena, n + 1, &types, err));
    FL_TRY(numbers_from(first, n, &made.arena, &cols, err));
    for (int32_t i = 0; i < n; i++) {
        made.fields[i].nullable = true;
        FL_TRY(fl_arena_copy_str(&made.arena, rows->fields[first + i].name, &made.fields[i].name, err));
        FL_TRY(fl_type_copy(&made.arena, rows->fields[first + i].type, &made.fields[i].type, err));
        types[i] = made.fields[i].type;
    }
    FL_TRY(fl_segments_pack(&session->engine->memory, rows->segments, rows->n_segments, cols, types, n, live,
                            FL_SEGMENT_RESULT, &list, err));
    FL_TRY(FL_NEW_ARRAY(&made.arena, list.n + 1, &made.segments, err));
    for (; made.n_segments < list.n; made.n_segments++)
        made.segments[made.n_segments] = fl_segment_ref(list.items[made.n_segments]);
    *ret = made;
    made = (fl_rows){0};
cleanup:
    fl_segments_drop(&list);
    if (st != FL_OK)
        fl_rows_drop(&made);
    return st;
}

fl_status fl_null_columns(fl_session *session, const fl_rows *rows, const fl_table *table, const int32_t *cols,
                          int32_t n, fl_segments *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_type *types = NULL;
    fl_vec *vecs = NULL;
    fl_segment_builder *builder = NULL;
    fl_segment *made = NULL;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(FL_NEW_ARRAY(&arena, n + 1, &types, err));
    FL_TRY(FL_NEW_ARRAY(&arena, n + 1, &vecs, err));
    types[0] = FL_TYPE(FL_I64);
    for (int32_t i = 0; i < n; i++) {
        fl_value null = {.type = table->fields[cols[i]].type, .is_null = true};
        types[1 + i] = null.type;
        FL_TRY(fl_value_to_vec(&arena, &null, &vecs[1 + i], err));
    }
    FL_TRY(fl_segment_builder_new(&session->statement_memory, types, n + 1, FL_SEGMENT_RESULT, &builder, err));
    for (int64_t s = 0; s < rows->n_segments; s++) {
        for (int64_t at = 0; at < rows->segments[s]->rows; at += NULLS_ROWS) {
            int64_t left = rows->segments[s]->rows - at;
            int32_t count = left < NULLS_ROWS ? (int32_t)left : NULLS_ROWS;
            FL_TRY(fl_vec_slice(&arena, &rows->segments[s]->vecs[0], at, count, &vecs[0], err));
            FL_TRY(fl_segment_builder_add(builder, vecs, NULL, count, err));
        }
        FL_TRY(fl_segment_builder_finish(builder, &made, err));
        FL_TRY(fl_segment_list_add(ret->memory, &ret->items, &ret->n, &ret->capacity, made, err));
    }
cleanup:
    fl_segment_builder_free(builder);
    fl_arena_drop(&arena);
    return st;
}

/* ---- INSERT ---- */

/* An INSERT under way. */
typedef struct insertion {
    fl_session *session;
    fl_sql_bound *bound;
    fl_table *table; /* the latest version */
    fl_arena arena;
    fl_rows rows;      /* of the query */
    uint64_t **live;   /* [rows.n_segments] ON CONFLICT DO NOTHING: those that are new; NULL: all are */
    fl_segments added; /* what goes into the table */
    fl_segments all;
    fl_key_index *index;
    bool is_indexed; /* the index has what was added */
    fl_table *made;
} insertion;

static void drop_insertion(insertion *in)
{
    fl_table_unref(in->made);
    fl_key_index_free(in->index);
    fl_segments_drop(&in->all);
    fl_segments_drop(&in->added);
    fl_rows_drop(&in->rows);
    fl_table_unref(in->table);
    fl_arena_drop(&in->arena);
}

/* ON CONFLICT DO NOTHING: the rows whose keys are new, which the index has from here on. */
static fl_status leave_out_known(insertion *in, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_keys_take(in->session, in->bound->name, in->table, &in->index, err));
    if (in->index == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&in->arena, in->rows.n_segments + 1, &in->live, err));
    for (int64_t s = 0; s < in->rows.n_segments; s++) {
        const fl_segment *segment = in->rows.segments[s];
        FL_TRY(FL_NEW_ARRAY(&in->arena, fl_bitmap_words(segment->rows) + 1, &in->live[s], err));
        FL_TRY(
            fl_key_index_add_new(in->index, segment, in->bound->skips_key, in->live[s], &in->session->interrupt, err));
    }
cleanup:
    return st;
}

/* The table's columns of the rows that go into it. Columns of CHECK are dropped by sharing the others; where there are those of
 * RETURNING, too, the table's are copied, so that they do not stay. */
static fl_status pick_added(insertion *in, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = &in->session->engine->memory;
    int32_t *cols = NULL, n_cols = in->table->n_cols;
    fl_type *types = NULL;
    fl_segment *part = NULL;
    FL_TRY(numbers_from(0, n_cols, &in->arena, &cols, err));
    FL_TRY(types_of(in->table, &in->arena, &types, err));
    if (in->live != NULL || in->bound->n_returning > 0)
        return fl_segments_pack(memory, in->rows.segments, in->rows.n_segments, cols, types, n_cols, in->live,
                                FL_SEGMENT_TABLE, &in->added, err);
    for (int64_t s = 0; s < in->rows.n_segments; s++) {
        if (in->rows.n_cols == n_cols) {
            FL_TRY(add_reference(&in->added, in->rows.segments[s], err));
            continue;
        }
        FL_TRY(fl_segment_pick(memory, in->rows.segments[s], cols, n_cols, NULL, &part, err));
        FL_TRY(fl_segment_list_add(in->added.memory, &in->added.items, &in->added.n, &in->added.capacity, part, err));
    }
cleanup:
    return st;
}

/* Takes the rows back that were put into the index, where what follows failed. */
static void give_index_back(insertion *in)
{
    fl_status st = in->index != NULL && in->is_indexed ? FL_OK : FL_ERR_INTERNAL;
    for (int64_t s = 0; s < in->added.n && st == FL_OK; s++)
        st = fl_key_index_remove_rows(in->index, in->added.items[s], NULL, &in->session->interrupt, NULL);
    if (st != FL_OK)
        return;
    fl_keys_give_back(in->session, in->bound->name, in->index);
    in->index = NULL;
}

fl_status fl_session_insert(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                            fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    insertion in = {.session = session, .bound = bound, .table = fl_session_latest(session, bound->name)};
    fl_table_order order = {0};
    int64_t n_old = 0;
    bool skips = bound->skips_key != FL_SQL_NO_KEY;
    fl_arena_init(&in.arena, &session->statement_memory);
    FL_TRY(fl_check_changeable(in.table, err));
    int32_t threads = session->settings.threads;
    session->settings.threads = counts(in.table) ? 1 : threads;
    st = fl_run_into(session, &bound->query, params, n_params, &in.arena, &in.rows, &order, err);
    session->settings.threads = threads;
    FL_TRY(st);
    if (in.table->rows > 0 || skips)
        order = (fl_table_order){0};
    for (int32_t k = 0; k < order.n_keys; k++)
        if (order.keys[k].col >= in.table->n_cols) /* of RETURNING */
            order.n_keys = k;
    fl_new_rows check = {.segments = in.rows.segments,
                         .n = in.rows.n_segments,
                         .n_cols = in.table->n_cols,
                         .first_check = in.table->n_cols,
                         .n_checks = bound->n_checks,
                         .place = -1};
    FL_TRY(fl_check_new_rows(&check, in.table, bound->name, err));
    if (skips)
        FL_TRY(leave_out_known(&in, err));
    FL_TRY(pick_added(&in, err));
    in.is_indexed = skips;
    FL_TRY(fl_give_returning(session, bound, &in.rows, in.live, ret, err));
    fl_segment *const *old = fl_memory_table_segments(in.table, &n_old);
    FL_TRY(fl_append_segments(session, in.table, old, n_old, in.added.items, in.added.n, &in.all, err));
    int64_t n_added = fl_segments_rows(in.added.items, in.added.n);
    fl_table_parts parts = {.segments = in.all.items,
                            .n_segments = in.all.n,
                            .keys = in.table->keys,
                            .n_keys = in.table->n_keys,
                            .order = order,
                            .n_changed = (double)n_added};
    FL_TRY(fl_make_version(session, in.table, &parts, &in.made, err));
    if (!skips)
        FL_TRY(fl_keys_with(session, bound->name, in.table, in.added.items, in.added.n, &in.index, err));
    in.is_indexed = true;
    FL_TRY(fl_check_references(session, in.made, bound->name, &in.added, err));
    FL_TRY(fl_session_put_version(session, bound->name, in.made, in.index, err));
    in.made = NULL;
    in.index = NULL;
    fl_session_set_places(session, bound->name);
    session->changed_rows = n_added;
cleanup:
    if (st != FL_OK)
        give_index_back(&in);
    drop_insertion(&in);
    return st;
}

/* ---- UPDATE, DELETE, TRUNCATE ---- */

/* The order that the rows still have when these columns are assigned: they were in it up to the first of them. */
static fl_table_order order_without(fl_table_order order, const int32_t *cols, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        for (int32_t k = 0; k < order.n_keys; k++)
            if (order.keys[k].col == cols[i])
                order.n_keys = k;
    return order;
}

fl_status fl_check_one_change(const fl_session *session, fl_str name, fl_err *err)
{
    if (fl_session_has_places(session, name))
        return FL_OK;
    FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%.*s\" is changed twice in one statement", FL_STR_ARG(name));
    fl_err_hint(err, "run the changes one after the other");
    return FL_ERR_UNSUPPORTED;
}

fl_status fl_pick_updated(fl_session *session, const fl_table *table, const fl_table_change *change, fl_segments *ret,
                          fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    int32_t *cols = NULL;
    fl_type *types = NULL;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(numbers_from(0, table->n_cols, &arena, &cols, err));
    FL_TRY(types_of(table, &arena, &types, err));
    st = fl_segments_pack(&session->statement_memory, change->segments, change->n_old, cols, types, table->n_cols,
                          change->marks, FL_SEGMENT_TABLE, ret, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* All rows go. */
static fl_status empty_table(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *made = NULL, *table = bound->table;
    fl_table_parts parts = {.keys = table->keys, .n_keys = table->n_keys};
    if (bound->kind == FL_AST_TRUNCATE) { /* no cascades, as in PostgreSQL */
        st = fl_check_unreferred(session, bound->name, NULL, false, NULL, 0, err);
        if (st == FL_ERR_UNSUPPORTED) {
            st = fl_err_state(err, "0A000", st);
            fl_err_hint(err, "DELETE FROM does to rows that refer to it what their keys say");
        }
        FL_TRY(st);
    }
    FL_TRY(fl_make_version(session, table, &parts, &made, err));
    FL_TRY(fl_session_put_version(session, bound->name, made, NULL, err));
    made = NULL;
    fl_parent_change gone = {.session = session, .name = bound->name, .old = table};
    FL_TRY(fl_check_referrers(&gone, err));
    session->changed_rows = bound->kind == FL_AST_DELETE ? (int64_t)table->rows : -1;
cleanup:
    fl_table_unref(made);
    return st;
}

static fl_status put_changed(fl_session *session, const fl_sql_bound *bound, fl_table *table,
                             const fl_table_change *change, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table *made = NULL;
    fl_key_index *index = NULL;
    bool updates = bound->kind == FL_AST_UPDATE, is_indexed = false;
    fl_segments changed = {0};
    fl_table_parts parts = {.segments = change->segments,
                            .n_segments = change->n_segments,
                            .keys = table->keys,
                            .n_keys = table->n_keys,
                            .order = order_without(*fl_memory_table_order(table), bound->assigned, bound->n_assigned),
                            .n_changed = (double)change->n_changed};
    FL_TRY(fl_make_version(session, table, &parts, &made, err));
    if (updates)
        FL_TRY(fl_keys_updated(session, bound->name, table, change, bound->assigned, bound->n_assigned, &index, err));
    else
        FL_TRY(fl_keys_left(session, bound->name, table, change, &index, err));
    is_indexed = true;
    if (updates && fl_refers_by(table, bound->assigned, bound->n_assigned)) {
        FL_TRY(fl_pick_updated(session, table, change, &changed, err));
        FL_TRY(fl_check_references(session, made, bound->name, &changed, err));
    }
    st = fl_session_put_version(session, bound->name, fl_table_ref(made), index, err);
    if (st != FL_OK)
        fl_table_unref(made);
    FL_TRY(st);
    index = NULL;
    if (updates)
        fl_session_set_places(session, bound->name);
    fl_parent_change parent = {.session = session,
                               .name = bound->name,
                               .old = table,
                               .updates = updates ? change : NULL,
                               .cols = bound->assigned,
                               .n_cols = bound->n_assigned};
    FL_TRY(fl_check_referrers(&parent, err));
cleanup:
    if (st != FL_OK && is_indexed)
        fl_keys_restore(session, bound->name, table, made, index, change, updates ? bound->assigned : NULL,
                        bound->n_assigned);
    else
        fl_key_index_free(index);
    fl_segments_drop(&changed);
    fl_table_unref(made);
    return st;
}

/* Their query says which rows, and what they get. Where there is none, as with TRUNCATE, all rows go. */
fl_status fl_session_change_rows(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                                 fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0};
    fl_table_change change;
    fl_table *table = fl_session_latest(session, bound->name);
    int64_t n_old = 0;
    fl_segment *const *old = fl_memory_table_segments(table, &n_old);
    fl_table_change_init(&change, &session->engine->memory, &session->statement_memory, table->fields, old, n_old);
    change.workers = session->engine->workers;
    change.n_workers = session->settings.threads;
    FL_TRY(fl_check_changeable(table, err));
    FL_TRY(fl_check_one_change(session, bound->name, err));
    if (bound->query.plan == NULL) {
        st = empty_table(session, bound, err);
        goto cleanup;
    }
    FL_TRY(fl_session_run(session, &bound->query, params, n_params, FL_SEGMENT_RESULT, &session->statement_memory,
                          &rows, err));
    fl_new_rows check = {.segments = rows.segments,
                         .n = rows.n_segments,
                         .first = 1,
                         .cols = bound->assigned,
                         .n_cols = bound->n_assigned,
                         .first_check = 1 + bound->n_assigned,
                         .n_checks = bound->n_checks,
                         .old = old};
    FL_TRY(fl_check_new_rows(&check, table, bound->name, err));
    FL_TRY(fl_give_returning(session, bound, &rows, NULL, ret, err));
    if (rows.n_segments == 0)
        goto cleanup;
    FL_TRY(fl_table_change_mark(&change, rows.segments, rows.n_segments, err));
    if (bound->kind == FL_AST_UPDATE)
        FL_TRY(
            fl_table_change_update(&change, rows.segments, rows.n_segments, bound->assigned, bound->n_assigned, err));
    else
        FL_TRY(fl_table_change_delete(&change, err));
    FL_TRY(put_changed(session, bound, table, &change, err));
cleanup:
    if (st == FL_OK && bound->query.plan != NULL)
        session->changed_rows = change.n_changed;
    fl_table_change_drop(&change);
    fl_rows_drop(&rows);
    fl_table_unref(table);
    return st;
}
