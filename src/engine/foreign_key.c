/* Foreign keys: rows that refer to others are held to it from both sides, by joins of the table that refers with the one that it refers to.
 * What is looked at are the versions that the statement leaves (fl_session_latest). */
#include "engine/change.h"

#include "op/filter/node.h"
#include "op/join/node.h"
#include "op/project/node.h"
#include "op/scan/node.h"
#include "op/sort/node.h"

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

static int32_t find_column(const fl_table *table, fl_str name)
{
    for (int32_t c = 0; c < table->n_cols; c++)
        if (fl_str_is_equal_nocase(table->fields[c].name, name))
            return c;
    return -1;
}

/* ---- rows without what they refer to ---- */

/* Rows of `child` that refer to none of `parent` by the key. `to` has the child's side, and where places are asked for the child's scan is
 * numbered. */
typedef struct orphans {
    fl_session *session;
    fl_table *child; /* or a numbered one of it */
    fl_table *parent;
    const fl_foreign_key *key;
    bool has_places; /* the first output is where a row is, in the child's order; then the key's columns */
} orphans;

static fl_status compare_keys(fl_plan *plan, const orphans *o, const fl_col_id *child, const fl_col_id *parent,
                              const fl_expr **equal, const fl_expr **known, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t k = 0; k < o->key->n_cols; k++) {
        const fl_expr *left, *right, *is_null;
        int32_t c = find_column(o->parent, o->key->table_cols[k]);
        FL_ASSERT(c >= 0);
        FL_TRY(fl_expr_column(plan, child[o->key->cols[k]], -1, &left, err));
        FL_TRY(fl_expr_column(plan, parent[c], -1, &right, err));
        FL_TRY(fl_expr_is_null(plan, left, -1, &is_null, err));
        FL_TRY(fl_expr_not(plan, is_null, -1, &known[k], err));
        FL_TRY(fl_expr_call_args(plan, "=", -1, &equal[k], err, 2, left, right));
    }
cleanup:
    return st;
}

static fl_status plan_orphans(fl_plan *plan, const orphans *o, fl_query *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(plan);
    int32_t n = o->key->n_cols, n_out = 0;
    const fl_node *child, *parent, *node;
    const fl_expr **equal = NULL, **known = NULL;
    fl_col_id *outputs = NULL;
    fl_str *names = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, n, &equal, err));
    FL_TRY(FL_NEW_ARRAY(arena, n, &known, err));
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &outputs, err));
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &names, err));
    FL_TRY(fl_scan_build(plan, o->child, &child, err));
    FL_TRY(fl_scan_build(plan, o->parent, &parent, err));
    const fl_col_id *cols = fl_scan_of(child)->cols;
    FL_TRY(compare_keys(plan, o, cols, fl_scan_of(parent)->cols, equal, known, err));
    FL_TRY(fl_filter_build_all(plan, child, known, n, &node, err));
    FL_TRY(fl_join_build_all(plan, FL_JOIN_ANTI, node, parent, equal, n, (fl_col_id){0}, &node, err));
    if (o->has_places) {
        fl_sort_key key = {0};
        outputs[n_out++] = cols[o->child->n_cols - 1];
        FL_TRY(fl_expr_column(plan, outputs[0], -1, &key.expr, err));
        FL_TRY(fl_sort_build(plan, node, &key, 1, &node, err));
    }
    for (int32_t k = 0; k < n; k++)
        outputs[n_out++] = cols[o->key->cols[k]];
    *ret = (fl_query){.plan = plan, .root = node, .n_outputs = n_out, .outputs = outputs, .names = names};
cleanup:
    return st;
}

static fl_status find_orphans(const orphans *o, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = NULL;
    fl_query query = {0};
    fl_session *session = o->session;
    FL_TRY(fl_plan_new(&session->statement_memory, session->registry, &plan, err));
    query.plan = plan;
    FL_TRY(plan_orphans(plan, o, &query, err));
    st = fl_session_run(session, &query, NULL, 0, FL_SEGMENT_RESULT, &session->statement_memory, ret, err);
    plan = query.plan; /* which may be another one by now */
cleanup:
    fl_plan_unref(plan);
    return st;
}

/* (a, b) = (1, x) of the first row. */
static void print_key(const orphans *o, const fl_rows *rows, fl_text *text)
{
    fl_arena arena;
    fl_arena_init(&arena, NULL);
    for (int32_t k = 0; k < o->key->n_cols; k++) {
        fl_text_add(text, k > 0 ? FL_STR(", ") : FL_STR("("));
        fl_text_add(text, o->child->fields[o->key->cols[k]].name);
    }
    fl_text_add(text, FL_STR(") = "));
    for (int32_t k = 0; k < o->key->n_cols; k++) {
        fl_value value = {.is_null = true};
        fl_text_add(text, k > 0 ? FL_STR(", ") : FL_STR("("));
        if (fl_value_from_vec(&arena, &rows->segments[0]->vecs[o->has_places + k], 0, &value, NULL) == FL_OK)
            fl_value_print(text, &value);
    }
    fl_text_add_char(text, ')');
    fl_arena_drop(&arena);
}

/* ---- the side that refers ---- */

static fl_status check_key(fl_session *session, fl_table *table, fl_str name, const fl_foreign_key *key, fl_table *rows,
                           fl_err *err)
{
    fl_status st = FL_OK;
    bool is_own = fl_str_is_equal_nocase(key->table, name);
    fl_rows found = {0};
    orphans o = {.session = session,
                 .child = rows,
                 .parent = is_own ? fl_table_ref(table) : fl_session_latest(session, key->table),
                 .key = key};
    if (o.parent == NULL)
        return FL_OK;
    FL_TRY(find_orphans(&o, &found, err));
    if (fl_segments_rows(found.segments, found.n_segments) > 0) {
        fl_text text;
        fl_text_init(&text, NULL);
        print_key(&o, &found, &text);
        st = FL_FAIL(err, FL_ERR_CONSTRAINT, "row of \"%.*s\" violates foreign key \"%.*s\": %.*s is not in \"%.*s\"",
                     FL_STR_ARG(name), FL_STR_ARG(key->name), FL_STR_ARG(fl_text_str(&text)), FL_STR_ARG(key->table));
        fl_text_drop(&text);
        st = fl_err_state(err, "23503", st);
    }
cleanup:
    fl_rows_drop(&found);
    fl_table_unref(o.parent);
    return st;
}

fl_status fl_check_references(fl_session *session, fl_table *table, fl_str name, const fl_segments *rows, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_table_constraints *constraints = fl_memory_table_constraints(table);
    fl_table *added = NULL;
    if (constraints->n_foreign_keys == 0 || fl_segments_rows(rows->items, rows->n) == 0)
        return FL_OK;
    FL_TRY(fl_memory_table_new(&session->statement_memory, name, table->fields, table->n_cols, rows->items, rows->n,
                               &added, err));
    for (int32_t f = 0; f < constraints->n_foreign_keys; f++)
        FL_TRY(check_key(session, table, name, &constraints->foreign_keys[f], added, err));
cleanup:
    fl_table_unref(added);
    return st;
}

/* ---- the side that is referred to ---- */

/* Calls `fn` for each foreign key of any table that refers to the one of that name. */
typedef fl_status (*key_visitor)(void *ctx, fl_str child_name, fl_table *child, const fl_foreign_key *key, fl_err *err);

static fl_status visit_referrers(fl_session *session, fl_str name, key_visitor fn, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena arena;
    fl_str *names = NULL;
    int32_t n = 0;
    fl_table *child = NULL;
    fl_arena_init(&arena, &session->statement_memory);
    FL_TRY(fl_engine_names(session->engine, &arena, &names, &n, err));
    for (int32_t i = 0; i < n; i++) {
        fl_table_unref(child);
        child = fl_session_latest(session, names[i]);
        const fl_table_constraints *constraints = child == NULL ? NULL : fl_memory_table_constraints(child);
        for (int32_t f = 0; constraints != NULL && f < constraints->n_foreign_keys; f++)
            if (fl_str_is_equal_nocase(constraints->foreign_keys[f].table, name))
                FL_TRY(fn(ctx, names[i], child, &constraints->foreign_keys[f], err));
    }
cleanup:
    fl_table_unref(child);
    fl_arena_drop(&arena);
    return st;
}

/* Whether the types of a foreign key's columns and of those that it refers to can be compared. */
static fl_status check_types(fl_str child_name, const fl_table *child, const fl_table *parent,
                             const fl_foreign_key *key, fl_err *err)
{
    fl_arena arena;
    fl_status st = FL_OK;
    fl_arena_init(&arena, NULL);
    for (int32_t i = 0; i < key->n_cols && st == FL_OK; i++) {
        int32_t c = find_column(parent, key->table_cols[i]);
        if (c < 0)
            continue;
        fl_type here = child->fields[key->cols[i]].type, there = parent->fields[c].type, common;
        bool is_text = (here.id == FL_UTF8) != (there.id == FL_UTF8);
        if (!is_text && fl_type_common_in(&arena, here, there, &common))
            continue;
        st = FL_FAIL(err, FL_ERR_TYPE,
                     "foreign key \"%.*s\" of \"%.*s\": its column \"%.*s\" would have type %s, the column \"%.*s\" "
                     "that it refers to %s, which cannot be compared",
                     FL_STR_ARG(key->name), FL_STR_ARG(child_name), FL_STR_ARG(child->fields[key->cols[i]].name),
                     FL_TYPE_NAME(here), FL_STR_ARG(parent->fields[c].name), FL_TYPE_NAME(there));
        fl_err_hint(err, "drop the constraint first");
        fl_err_state(err, "42804", st);
    }
    fl_arena_drop(&arena);
    return st;
}

typedef struct retyped {
    const fl_table *parent;
    fl_str name;
} retyped;

static fl_status check_child_types(void *ctx, fl_str child_name, fl_table *child, const fl_foreign_key *key,
                                   fl_err *err)
{
    const retyped *r = ctx;
    bool is_own = fl_str_is_equal_nocase(child_name, r->name);
    return is_own ? FL_OK : check_types(child_name, child, r->parent, key, err);
}

fl_status fl_check_reference_types(fl_session *session, const fl_table *made, fl_str name, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_table_constraints *constraints = fl_memory_table_constraints(made);
    retyped r = {made, name};
    for (int32_t f = 0; f < constraints->n_foreign_keys; f++) {
        const fl_foreign_key *key = &constraints->foreign_keys[f];
        bool is_own = fl_str_is_equal_nocase(key->table, name);
        fl_table *parent = is_own ? NULL : fl_session_latest(session, key->table);
        if (is_own || parent != NULL)
            st = check_types(name, made, is_own ? made : parent, key, err);
        fl_table_unref(parent);
        FL_TRY(st);
    }
    st = visit_referrers(session, name, check_child_types, &r, err);
cleanup:
    return st;
}

static fl_status fail_referred(const orphans *o, const fl_rows *rows, const fl_parent_change *p, fl_str child,
                               fl_err *err)
{
    fl_text text;
    fl_text_init(&text, NULL);
    print_key(o, rows, &text);
    fl_status st =
        FL_FAIL(err, FL_ERR_CONSTRAINT,
                "change of \"%.*s\" violates foreign key \"%.*s\" of \"%.*s\": %.*s is referred to still",
                FL_STR_ARG(p->name), FL_STR_ARG(o->key->name), FL_STR_ARG(child), FL_STR_ARG(fl_text_str(&text)));
    fl_text_drop(&text);
    return fl_err_state(err, "23503", st);
}

static bool reads(const fl_rule_text *rule, const fl_foreign_key *key)
{
    for (int32_t i = 0; i < rule->n_cols; i++)
        for (int32_t k = 0; k < key->n_cols; k++)
            if (rule->cols[i] == key->cols[k])
                return true;
    return false;
}

/* What is computed of the key's columns does not follow by itself: rather nothing is changed. */
static fl_status check_free(const fl_parent_change *p, fl_str name, const fl_table *child, const fl_foreign_key *key,
                            fl_err *err)
{
    const fl_column_rules *rules = fl_memory_table_rules(child);
    const fl_table_constraints *constraints = fl_memory_table_constraints(child);
    const char *what = NULL;
    for (int32_t c = 0; c < child->n_cols && rules != NULL; c++)
        if (rules[c].generated.text.len > 0 && reads(&rules[c].generated, key))
            what = "a generated column";
    for (int32_t c = 0; c < constraints->n_checks; c++)
        if (reads(&constraints->checks[c].condition, key))
            what = "a CHECK";
    for (int32_t k = 0; k < key->n_cols && rules != NULL; k++)
        if (rules[key->cols[k]].generated.text.len > 0)
            what = "itself, as it is generated,";
    if (what == NULL)
        return FL_OK;
    FL_FAIL(err, FL_ERR_UNSUPPORTED,
            "change of \"%.*s\": foreign key \"%.*s\" would change rows of \"%.*s\" whose columns %s reads",
            FL_STR_ARG(p->name), FL_STR_ARG(key->name), FL_STR_ARG(name), what);
    fl_err_hint(err, "change the rows of \"%.*s\" first", FL_STR_ARG(name));
    return FL_ERR_UNSUPPORTED;
}

/* Deletes the rows, sets the key's columns to null, or gives them the values that are in the rows. */
static fl_status change_orphans(const fl_parent_change *p, fl_str name, fl_table *child, const fl_foreign_key *key,
                                uint8_t action, const fl_rows *rows, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = p->session;
    fl_table_change change;
    fl_table *made = NULL;
    fl_key_index *index = NULL;
    int64_t n_old = 0;
    bool deletes = action == FL_REFERENCE_CASCADES && p->updates == NULL;
    bool sets_null = action == FL_REFERENCE_SETS_NULL;
    fl_segment *const *old = fl_memory_table_segments(child, &n_old);
    fl_segments assigned = {0};
    const fl_column_rules *rules = fl_memory_table_rules(child);
    fl_table_change_init(&change, &session->engine->memory, &session->statement_memory, child->fields, old, n_old);
    for (int32_t k = 0; k < key->n_cols && sets_null; k++)
        if (rules != NULL && rules[key->cols[k]].is_not_null) {
            st = FL_FAIL(err, FL_ERR_CONSTRAINT, "null value in column \"%.*s\" of table \"%.*s\", which is NOT NULL",
                         FL_STR_ARG(child->fields[key->cols[k]].name), FL_STR_ARG(name));
            goto cleanup;
        }
    if (!deletes)
        FL_TRY(check_free(p, name, child, key, err));
    FL_TRY(fl_table_change_mark(&change, rows->segments, rows->n_segments, err));
    if (deletes) {
        FL_TRY(fl_table_change_delete(&change, err));
    } else {
        if (sets_null)
            FL_TRY(fl_null_columns(session, rows, child, key->cols, key->n_cols, &assigned, err));
        FL_TRY(fl_table_change_update(&change, sets_null ? assigned.items : rows->segments,
                                      sets_null ? assigned.n : rows->n_segments, key->cols, key->n_cols, err));
    }
    fl_table_parts parts = {.segments = change.segments,
                            .n_segments = change.n_segments,
                            .keys = child->keys,
                            .n_keys = child->n_keys,
                            .n_changed = (double)change.n_changed};
    FL_TRY(fl_make_version(session, child, &parts, &made, err));
    if (!deletes)
        FL_TRY(fl_keys_of(session, made, change.segments, change.n_segments, &index, err));
    FL_TRY(fl_session_put_version(session, name, made, index, err));
    made = NULL;
    index = NULL;
    fl_parent_change below = {.session = session,
                              .name = name,
                              .old = child,
                              .updates = deletes ? NULL : &change,
                              .cols = key->cols,
                              .n_cols = key->n_cols,
                              .depth = p->depth + 1};
    FL_TRY(fl_check_referrers(&below, err));
cleanup:
    fl_key_index_free(index);
    fl_table_unref(made);
    fl_segments_drop(&assigned);
    fl_table_change_drop(&change);
    return st;
}

static bool is_updated(const fl_parent_change *p, const fl_foreign_key *key)
{
    for (int32_t k = 0; k < key->n_cols && p->updates != NULL; k++)
        for (int32_t i = 0; i < p->n_cols; i++)
            if (fl_str_is_equal_nocase(p->old->fields[p->cols[i]].name, key->table_cols[k]))
                return true;
    return p->updates == NULL;
}

/* ---- ON UPDATE CASCADE: rows follow the row that they refer to ---- */

/* The old and the new values of a key, of each row that was updated: a table of both. */
static fl_status map_keys(const fl_parent_change *p, const fl_foreign_key *key, fl_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_table_change *change = p->updates;
    fl_memory *memory = &p->session->statement_memory;
    int32_t n = key->n_cols;
    fl_arena arena;
    fl_field *fields = NULL;
    fl_type *types = NULL;
    int32_t *cols = NULL;
    fl_segments both = {0}, sides[2] = {{0}, {0}};
    fl_segment *pair = NULL;
    fl_arena_init(&arena, memory);
    FL_TRY(FL_NEW_ARRAY(&arena, 2 * n, &fields, err));
    FL_TRY(FL_NEW_ARRAY(&arena, n, &types, err));
    FL_TRY(FL_NEW_ARRAY(&arena, n, &cols, err));
    for (int32_t k = 0; k < n; k++) {
        cols[k] = find_column(p->old, key->table_cols[k]);
        FL_ASSERT(cols[k] >= 0);
        types[k] = p->old->fields[cols[k]].type;
        fields[k] = fields[n + k] = (fl_field){.name = key->table_cols[k], .type = types[k], .nullable = true};
    }
    FL_TRY(fl_segments_pack(memory, change->old, change->n_old, cols, types, n, change->marks, FL_SEGMENT_TABLE,
                            &sides[0], err));
    FL_TRY(fl_segments_pack(memory, change->segments, change->n_old, cols, types, n, change->marks, FL_SEGMENT_TABLE,
                            &sides[1], err));
    FL_ASSERT(sides[0].n == sides[1].n);
    for (int64_t s = 0; s < sides[0].n; s++) {
        FL_TRY(fl_segment_join(memory, sides[0].items[s], sides[1].items[s], &pair, err));
        FL_TRY(fl_segment_list_add(NULL, &both.items, &both.n, &both.capacity, pair, err));
    }
    FL_TRY(fl_memory_table_new(memory, p->name, fields, 2 * n, both.items, both.n, ret, err));
cleanup:
    fl_segments_drop(&both);
    fl_segments_drop(&sides[0]);
    fl_segments_drop(&sides[1]);
    fl_arena_drop(&arena);
    return st;
}

/* Where rows of the child are that refer to an updated row, and the new values. */
static fl_status plan_following(fl_plan *plan, const orphans *o, fl_table *map, fl_query *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena *arena = fl_plan_arena(plan);
    int32_t n = o->key->n_cols;
    const fl_node *child, *updated, *node;
    const fl_expr **equal = NULL, **values = NULL;
    fl_col_id *outputs = NULL;
    fl_str *names = NULL;
    fl_sort_key key = {0};
    FL_TRY(FL_NEW_ARRAY(arena, n, &equal, err));
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &values, err));
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &outputs, err));
    FL_TRY(FL_NEW_ARRAY(arena, n + 1, &names, err));
    FL_TRY(fl_scan_build(plan, o->child, &child, err));
    FL_TRY(fl_scan_build(plan, map, &updated, err));
    const fl_col_id *cols = fl_scan_of(child)->cols, *pairs = fl_scan_of(updated)->cols;
    for (int32_t k = 0; k < n; k++) {
        const fl_expr *left, *right;
        FL_TRY(fl_expr_column(plan, cols[o->key->cols[k]], -1, &left, err));
        FL_TRY(fl_expr_column(plan, pairs[k], -1, &right, err));
        FL_TRY(fl_expr_call_args(plan, "=", -1, &equal[k], err, 2, left, right));
        FL_TRY(fl_expr_column(plan, pairs[n + k], -1, &values[1 + k], err));
        FL_TRY(
            fl_expr_cast(plan, values[1 + k], o->child->fields[o->key->cols[k]].type, false, -1, &values[1 + k], err));
    }
    FL_TRY(fl_join_build_all(plan, FL_JOIN_INNER, child, updated, equal, n, (fl_col_id){0}, &node, err));
    FL_TRY(fl_expr_column(plan, cols[o->child->n_cols - 1], -1, &values[0], err));
    FL_TRY(fl_project_build(plan, node, values, names, n + 1, outputs, &node, err));
    FL_TRY(fl_expr_column(plan, outputs[0], -1, &key.expr, err));
    FL_TRY(fl_sort_build(plan, node, &key, 1, &node, err));
    *ret = (fl_query){.plan = plan, .root = node, .n_outputs = n + 1, .outputs = outputs, .names = names};
cleanup:
    return st;
}

/* Whether the columns that refer have the types of those that they refer to: else a value may have become another one. */
static bool has_same_types(const fl_parent_change *p, const fl_table *child, const fl_foreign_key *key)
{
    for (int32_t k = 0; k < key->n_cols; k++) {
        int32_t c = find_column(p->old, key->table_cols[k]);
        if (!fl_type_is_equal(p->old->fields[c].type, child->fields[key->cols[k]].type))
            return false;
    }
    return true;
}

static fl_status check_latest(fl_session *session, fl_str name, fl_err *err)
{
    int64_t n = 0;
    fl_table *latest = fl_session_latest(session, name);
    fl_segment *const *items = fl_memory_table_segments(latest, &n);
    fl_segments all = {.items = (fl_segment **)items, .n = n};
    fl_status st = fl_check_references(session, latest, name, &all, err);
    fl_table_unref(latest);
    return st;
}

static fl_status follow(const fl_parent_change *p, const orphans *o, fl_str name, fl_table *child, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = p->session;
    fl_table *map = NULL;
    fl_plan *plan = NULL;
    fl_query query = {0};
    fl_rows rows = {0};
    FL_TRY(map_keys(p, o->key, &map, err));
    FL_TRY(fl_plan_new(&session->statement_memory, session->registry, &plan, err));
    query.plan = plan;
    FL_TRY(plan_following(plan, o, map, &query, err));
    st = fl_session_run(session, &query, NULL, 0, FL_SEGMENT_RESULT, &session->statement_memory, &rows, err);
    plan = query.plan; /* which may be another one by now */
    if (st == FL_OK && fl_segments_rows(rows.segments, rows.n_segments) > 0)
        st = change_orphans(p, name, child, o->key, FL_REFERENCE_CASCADES, &rows, err);
    if (st == FL_OK && !has_same_types(p, child, o->key))
        st = check_latest(session, name, err);
cleanup:
    fl_rows_drop(&rows);
    fl_plan_unref(plan);
    fl_table_unref(map);
    return st;
}

static fl_status check_child(void *ctx, fl_str name, fl_table *child, const fl_foreign_key *key, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_parent_change *p = ctx;
    fl_rows found = {0};
    fl_table *numbered = NULL;
    uint8_t action = p->updates == NULL ? key->on_delete : key->on_update;
    orphans o = {.session = p->session, .key = key, .has_places = true};
    if (!is_updated(p, key))
        return FL_OK;
    o.parent = fl_session_latest(p->session, p->name);
    FL_TRY(child->ops->numbered(child, &p->session->statement_memory, &numbered, err));
    o.child = numbered;
    if (action == FL_REFERENCE_CASCADES && p->updates != NULL) {
        st = follow(p, &o, name, child, err);
        goto cleanup;
    }
    FL_TRY(find_orphans(&o, &found, err));
    if (fl_segments_rows(found.segments, found.n_segments) == 0)
        goto cleanup;
    if (action == FL_REFERENCE_REFUSES)
        st = fail_referred(&o, &found, p, name, err);
    else
        st = change_orphans(p, name, child, key, action, &found, err);
cleanup:
    fl_rows_drop(&found);
    fl_table_unref(numbered);
    fl_table_unref(o.parent);
    return st;
}

#define CASCADE_DEPTH_MAX 1000 /* changes that follow from each other */

fl_status fl_check_referrers(const fl_parent_change *change, fl_err *err)
{
    fl_parent_change copy = *change;
    if (change->depth > CASCADE_DEPTH_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "foreign keys cascade deeper than %d", CASCADE_DEPTH_MAX);
    return visit_referrers(change->session, change->name, check_child, &copy, err);
}

/* ---- definitions ---- */

typedef struct definition_change {
    fl_session *session;
    fl_str name;
    fl_table *made;          /* what becomes of the table; NULL: it goes */
    bool cascades;           /* foreign keys that have nothing to refer to go */
    fl_str new_name;         /* empty: the name stays */
    fl_str old_col, new_col; /* empty: columns keep their names */
    const fl_str *gone;      /* tables that go, too */
    int32_t n_gone;
} definition_change;

static bool has_key(const fl_table *table, const fl_foreign_key *key)
{
    for (int32_t t = 0; t < table->n_keys; t++) {
        int32_t n = 0;
        for (int32_t k = 0; k < table->keys[t].n_cols; k++)
            for (int32_t i = 0; i < key->n_cols; i++)
                n += fl_str_is_equal_nocase(table->fields[table->keys[t].cols[k]].name, key->table_cols[i]);
        if (n == key->n_cols && table->keys[t].n_cols == key->n_cols)
            return true;
    }
    return false;
}

/* The constraints with a foreign key as it becomes. */
static fl_status edit_constraints(const definition_change *d, const fl_table_constraints *old,
                                  const fl_foreign_key *key, fl_arena *arena, fl_table_constraints *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_foreign_key *keys = NULL;
    fl_str *names = NULL;
    int32_t n = 0;
    bool goes = d->new_name.len == 0 && d->new_col.len == 0;
    FL_TRY(FL_NEW_ARRAY(arena, old->n_foreign_keys + 1, &keys, err));
    for (int32_t f = 0; f < old->n_foreign_keys; f++) {
        keys[n] = old->foreign_keys[f];
        if (&old->foreign_keys[f] != key) {
            n++;
            continue;
        }
        if (goes)
            continue;
        if (d->new_name.len > 0)
            keys[n].table = d->new_name;
        FL_TRY(FL_NEW_ARRAY(arena, key->n_cols + 1, &names, err));
        for (int32_t k = 0; k < key->n_cols; k++)
            names[k] = d->new_col.len > 0 && fl_str_is_equal_nocase(key->table_cols[k], d->old_col)
                           ? d->new_col
                           : key->table_cols[k];
        keys[n++].table_cols = names;
    }
    *ret = *old;
    ret->foreign_keys = keys;
    ret->n_foreign_keys = n;
cleanup:
    return st;
}

/* Puts a version of the child with the foreign key as it becomes. */
static fl_status edit_child(void *ctx, fl_str name, fl_table *child, const fl_foreign_key *key, fl_err *err)
{
    fl_status st = FL_OK;
    const definition_change *d = ctx;
    fl_table *made = NULL, *own = NULL;
    fl_table_constraints constraints;
    int64_t n = 0;
    fl_arena arena;
    fl_arena_init(&arena, &d->session->statement_memory);
    bool is_own = fl_str_is_equal_nocase(name, d->name) && d->made != NULL;
    if (is_own && fl_session_has_version(d->session, name)) /* several of its keys refer to it */
        own = fl_session_latest(d->session, name);
    fl_table *from = own != NULL ? own : is_own ? d->made : child;
    if (is_own) { /* the key of the new definition that is the same */
        const fl_table_constraints *all = fl_memory_table_constraints(from);
        const fl_foreign_key *same = NULL;
        for (int32_t f = 0; f < all->n_foreign_keys; f++)
            if (fl_str_is_equal_nocase(all->foreign_keys[f].name, key->name))
                same = &all->foreign_keys[f];
        if (same == NULL)
            goto cleanup;
        key = same;
    }
    fl_table_parts parts = {.segments = fl_memory_table_segments(from, &n),
                            .keys = from->keys,
                            .n_keys = from->n_keys,
                            .order = *fl_memory_table_order(from)};
    parts.n_segments = n;
    FL_TRY(edit_constraints(d, fl_memory_table_constraints(from), key, &arena, &constraints, err));
    FL_TRY(fl_make_version(d->session, from, &parts, &made, err));
    FL_TRY(fl_memory_table_set_constraints(made, &constraints, err));
    FL_TRY(fl_session_put_version(d->session, name, made, NULL, err));
    made = NULL;
cleanup:
    fl_table_unref(made);
    fl_table_unref(own);
    fl_arena_drop(&arena);
    return st;
}

static fl_status check_unreferred(void *ctx, fl_str name, fl_table *child, const fl_foreign_key *key, fl_err *err)
{
    const definition_change *d = ctx;
    bool is_own = fl_str_is_equal_nocase(name, d->name);
    if (d->made == NULL ? is_own : has_key(d->made, key))
        return FL_OK;
    for (int32_t i = 0; i < d->n_gone; i++)
        if (fl_str_is_equal_nocase(d->gone[i], name))
            return FL_OK;
    if (d->cascades)
        return edit_child(ctx, name, child, key, err);
    fl_status st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "foreign key \"%.*s\" of \"%.*s\" refers to \"%.*s\"",
                           FL_STR_ARG(key->name), FL_STR_ARG(name), FL_STR_ARG(d->name));
    fl_err_hint(err, "DROP … CASCADE drops the foreign key, too");
    return fl_err_state(err, "2BP01", st);
}

fl_status fl_check_unreferred(fl_session *session, fl_str name, fl_table *made, bool cascades, const fl_str *gone,
                              int32_t n_gone, fl_err *err)
{
    definition_change d = {
        .session = session, .name = name, .made = made, .cascades = cascades, .gone = gone, .n_gone = n_gone};
    return visit_referrers(session, name, check_unreferred, &d, err);
}

fl_status fl_rename_referred(fl_session *session, fl_str name, fl_str new_name, fl_str old_col, fl_str new_col,
                             fl_table *made, fl_err *err)
{
    definition_change d = {
        .session = session, .name = name, .made = made, .new_name = new_name, .old_col = old_col, .new_col = new_col};
    return visit_referrers(session, name, edit_child, &d, err);
}
