/* COMMENT ON: texts that stand beside what there is, and go with it. */
#include "engine/change.h"
#include "engine/system_tables.h"

/* ---- of columns and keys of a table; the engine's lock is held ---- */

static fl_named_comment **look_up(fl_catalog_item *item, bool is_key, fl_str name)
{
    fl_named_comment **at = &item->comments;
    while (*at != NULL && ((*at)->is_key != is_key || !fl_str_is_equal_nocase(fl_str_of((*at)->name), name)))
        at = &(*at)->next;
    return at;
}

static void free_named(fl_named_comment *comment)
{
    if (comment != NULL) {
        fl_free(comment->name);
        fl_free(comment->text);
    }
    fl_free(comment);
}

void fl_named_comments_free(fl_named_comment *list)
{
    while (list != NULL) {
        fl_named_comment *next = list->next;
        free_named(list);
        list = next;
    }
}

const char *fl_item_comment(const fl_catalog_item *item, bool is_key, fl_str name)
{
    const fl_named_comment *found = *look_up((fl_catalog_item *)(uintptr_t)item, is_key, name);
    return found != NULL ? found->text : NULL;
}

/* The text is taken over. */
static fl_status set_named(fl_catalog_item *item, bool is_key, fl_str name, char **text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_named_comment *made = NULL;
    fl_named_comment **at = look_up(item, is_key, name), *old = *at;
    if (*text != NULL) {
        FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*made), (void **)&made, err));
        FL_TRY(fl_copy_name(name, &made->name, err));
        made->is_key = is_key;
        made->text = *text;
        *text = NULL;
        made->next = old != NULL ? old->next : NULL;
        *at = made;
        made = NULL;
    } else if (old != NULL) {
        *at = old->next;
    }
    free_named(old);
cleanup:
    free_named(made);
    return st;
}

void fl_engine_rename_column_comment(fl_engine *engine, fl_str table, fl_str column, fl_str to)
{
    char *name = NULL;
    pthread_mutex_lock(&engine->lock);
    fl_catalog_item *item = fl_engine_item(engine, table);
    fl_named_comment *found = item == NULL ? NULL : *look_up(item, false, column);
    if (found != NULL && fl_copy_name(to, &name, NULL) == FL_OK) {
        char *old = found->name;
        found->name = name;
        name = old;
    }
    pthread_mutex_unlock(&engine->lock);
    fl_free(name);
}

void fl_engine_keep_comments(fl_engine *engine, fl_str name, const fl_table *table)
{
    pthread_mutex_lock(&engine->lock);
    fl_catalog_item *item = fl_engine_item(engine, name);
    for (fl_named_comment **at = item == NULL ? NULL : &item->comments; at != NULL && *at != NULL;) {
        fl_named_comment *comment = *at;
        bool is_there = false;
        for (int32_t i = 0; i < table->n_cols && !comment->is_key; i++)
            is_there |= fl_str_is_equal_nocase(table->fields[i].name, fl_str_of(comment->name));
        for (int32_t i = 0; i < table->n_keys && comment->is_key; i++)
            is_there |= fl_str_is_equal_nocase(table->keys[i].name, fl_str_of(comment->name));
        if (is_there) {
            at = &comment->next;
            continue;
        }
        *at = comment->next;
        free_named(comment);
    }
    pthread_mutex_unlock(&engine->lock);
}

/* ---- the statement ------------------------------------------------------------------------------------------------- */

static fl_status fail_kind(const fl_sql_bound *bound, const char *what, const char *state, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_TABLE, "%s \"%.*s\" does not exist", what, FL_STR_ARG(bound->name));
    fl_err_at(err, bound->name_pos);
    return fl_err_state(err, state, st);
}

/* The item that has a unique key of the name, in the same schema. */
static fl_catalog_item *item_of_key(fl_engine *engine, const fl_full_name *index)
{
    for (int32_t i = 0; i < engine->n_items; i++) {
        const fl_table *table = engine->items[i].table;
        if (table == NULL || !fl_key_is_in(fl_str_of(engine->items[i].name), index->database, index->schema))
            continue;
        for (int32_t k = 0; k < table->n_keys; k++)
            if (fl_str_is_equal_nocase(table->keys[k].name, index->name))
                return &engine->items[i];
    }
    return NULL;
}

/* Where a schema's comment is; NULL: there is no such schema. */
static char **place_of_schema(fl_engine *engine, const fl_full_name *schema)
{
    if (fl_is_main_schema(schema->schema)) {
        if (fl_str_is_equal_nocase(schema->database, FL_MAIN_DATABASE))
            return &engine->main_comment;
        for (fl_database *d = engine->databases; d != NULL; d = d->next)
            if (fl_str_is_equal_nocase(fl_str_of(d->name), schema->database))
                return &d->main_comment;
        return NULL;
    }
    for (fl_schema *s = engine->schemas; s != NULL; s = s->next)
        if (fl_str_is_equal_nocase(fl_str_of(s->database), schema->database) &&
            fl_str_is_equal_nocase(fl_str_of(s->name), schema->schema))
            return &s->comment;
    return NULL;
}

/* Puts the text, which is taken over, in its place. The lock is held. */
static fl_status put(fl_engine *engine, const fl_sql_bound *bound, const fl_full_name *name, char **text, fl_err *err)
{
    fl_catalog_item *item = NULL;
    char **place = NULL;
    switch (bound->object) {
    case FL_AST_OBJECT_TABLE:
    case FL_AST_OBJECT_VIEW:
        item = fl_engine_item(engine, bound->name); /* which the binder has found */
        place = item != NULL ? &item->comment : NULL;
        break;
    case FL_AST_OBJECT_COLUMN:
        item = fl_engine_item(engine, bound->name);
        return item != NULL ? set_named(item, false, bound->old_column, text, err)
                            : fail_kind(bound, "table", "42P01", err);
    case FL_AST_OBJECT_INDEX:
        for (fl_plain_index *i = engine->plain_indexes; i != NULL && place == NULL; i = i->next)
            if (fl_str_is_equal_nocase(fl_str_of(i->name), bound->name))
                place = &i->comment;
        if (place == NULL && (item = item_of_key(engine, name)) != NULL)
            return set_named(item, true, name->name, text, err);
        break;
    case FL_AST_OBJECT_SEQUENCE:
        for (fl_sequence *s = engine->sequences; s != NULL && place == NULL; s = s->next)
            if (fl_str_is_equal_nocase(fl_str_of(s->name), bound->name))
                place = &s->comment;
        break;
    case FL_AST_OBJECT_SCHEMA:
        place = place_of_schema(engine, name);
        break;
    case FL_AST_OBJECT_MACRO:
    case FL_AST_OBJECT_TYPE:
        for (fl_macro *m = engine->macros; m != NULL && place == NULL; m = m->next)
            if (m->kind == bound->macro_kind && fl_str_is_equal_nocase(fl_str_of(m->name), bound->name))
                place = &m->comment;
        break;
    case FL_AST_OBJECT_FUNCTION:
        break;
    }
    if (place != NULL) {
        char *old = *place;
        *place = *text;
        *text = old;
        return FL_OK;
    }
    return bound->object == FL_AST_OBJECT_SCHEMA     ? fail_kind(bound, "schema", "3F000", err)
           : bound->object == FL_AST_OBJECT_INDEX    ? fail_kind(bound, "index", "42704", err)
           : bound->object == FL_AST_OBJECT_MACRO    ? fail_kind(bound, "macro", "42883", err)
           : bound->object == FL_AST_OBJECT_TYPE     ? fail_kind(bound, "type", "42704", err)
           : bound->object == FL_AST_OBJECT_SEQUENCE ? fail_kind(bound, "sequence", "42P01", err)
                                                     : fail_kind(bound, "table", "42P01", err);
}

fl_status fl_session_comment(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    char *text = NULL;
    fl_full_name name = {0};
    fl_arena arena;
    fl_arena_init(&arena, &session->statement_memory);
    if (bound->object == FL_AST_OBJECT_SCHEMA) {
        fl_str parts[FL_NAME_PARTS_MAX];
        int32_t n = 0;
        FL_TRY(fl_name_split(&arena, bound->name, parts, &n, err));
        name = (fl_full_name){.database = n > 1 ? parts[n - 2] : session->home->database, .schema = parts[n - 1]};
    } else {
        FL_TRY(fl_full_name_of_key(&arena, bound->name, &name, err));
    }
    if (!bound->is_empty)
        FL_TRY(fl_copy_name(bound->view_text, &text, err));
    pthread_mutex_lock(&session->engine->lock);
    st = put(session->engine, bound, &name, &text, err);
    pthread_mutex_unlock(&session->engine->lock);
cleanup:
    fl_free(text);
    fl_arena_drop(&arena);
    return st;
}
