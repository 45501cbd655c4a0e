/* Macros and named types in the catalog: texts, which are bound where they are called. Those that give values, those that give tables and
 * types have names of their own each. */
#include "engine/internal.h"

#include "base/name_map.h"
#include "base/nearest.h"

static const struct {
    fl_macro_kind kind;
    const char *name, *text;
} builtins[] = {
#define FL_BUILTIN_MACRO(kind, name, text) {FL_MACRO_##kind, #name, text},
#include "engine/builtin_macros.def"
#undef FL_BUILTIN_MACRO
};

/* The one that is there without being made; ret may be NULL. */
static bool find_builtin(fl_str name, fl_macro_kind kind, fl_catalog_macro *ret)
{
    for (int64_t i = 0; i < FL_LEN(builtins); i++) {
        if (builtins[i].kind != kind || !fl_str_is_equal_nocase(name, fl_str_of(builtins[i].name)))
            continue;
        if (ret != NULL)
            *ret = (fl_catalog_macro){fl_str_of(builtins[i].text), FL_MAIN_DATABASE, FL_MAIN_SCHEMA};
        return true;
    }
    return false;
}

/* Where the macro of the name is linked in; behind the last where there is none. The lock is held. */
static fl_macro **look_up(fl_engine *engine, fl_str name, fl_macro_kind kind)
{
    fl_macro **at = &engine->macros;
    uint64_t hash = fl_name_hash(name);
    while (*at != NULL &&
           ((*at)->name_hash != hash || (*at)->kind != kind || !fl_str_is_equal_nocase(fl_str_of((*at)->name), name)))
        at = &(*at)->next;
    return at;
}

void fl_macro_free(fl_macro *macro)
{
    if (macro != NULL) {
        fl_free(macro->name);
        fl_free(macro->text);
        fl_free(macro->database);
        fl_free(macro->schema);
        fl_free(macro->comment);
    }
    fl_free(macro);
}

bool fl_engine_has_macro(fl_engine *engine, fl_str name, fl_macro_kind kind)
{
    pthread_mutex_lock(&engine->lock);
    bool has = *look_up(engine, name, kind) != NULL;
    pthread_mutex_unlock(&engine->lock);
    return has;
}

bool fl_engine_find_macro(fl_engine *engine, fl_str name, fl_macro_kind kind, fl_arena *arena, fl_catalog_macro *ret)
{
    bool is_found = false;
    pthread_mutex_lock(&engine->lock);
    if (ret == NULL) {
        is_found = engine->macros != NULL;
    } else {
        const fl_macro *macro = *look_up(engine, name, kind);
        is_found = macro == NULL && find_builtin(name, kind, ret);
        is_found =
            is_found || (macro != NULL && fl_arena_copy_str(arena, fl_str_of(macro->text), &ret->text, NULL) == FL_OK &&
                         fl_arena_copy_str(arena, fl_str_of(macro->database), &ret->database, NULL) == FL_OK &&
                         fl_arena_copy_str(arena, fl_str_of(macro->schema), &ret->schema, NULL) == FL_OK);
    }
    pthread_mutex_unlock(&engine->lock);
    return is_found;
}

void fl_engine_offer_macros(fl_engine *engine, fl_macro_kind kind, fl_nearest *near)
{
    pthread_mutex_lock(&engine->lock);
    for (const fl_macro *m = engine->macros; m != NULL; m = m->next)
        if (m->kind == kind)
            fl_nearest_offer(near, fl_str_of(m->name));
    pthread_mutex_unlock(&engine->lock);
    for (int64_t i = 0; i < FL_LEN(builtins); i++)
        if (builtins[i].kind == kind)
            fl_nearest_offer(near, fl_str_of(builtins[i].name));
}

fl_status fl_session_create_macro(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_macro *made = NULL;
    const fl_home *home = session->home;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*made), (void **)&made, err));
    FL_TRY(fl_copy_name(bound->name, &made->name, err));
    FL_TRY(fl_copy_name(bound->view_text, &made->text, err));
    FL_TRY(fl_copy_name(home->database, &made->database, err));
    FL_TRY(fl_copy_name(home->schema, &made->schema, err));
    made->name_hash = fl_name_hash(bound->name);
    made->kind = bound->macro_kind;
    pthread_mutex_lock(&engine->lock);
    fl_macro **at = look_up(engine, bound->name, made->kind), *known = *at;
    if (known != NULL && !bound->or_replace) {
        if (!bound->if_not_exists) {
            bool is_type = made->kind == FL_MACRO_TYPE;
            st = FL_FAIL(err, FL_ERR_DUPLICATE, "%s \"%.*s\" exists already", is_type ? "type" : "macro",
                         FL_STR_ARG(bound->name));
            fl_err_hint(err, "CREATE OR REPLACE %s replaces it", is_type ? "TYPE" : "MACRO");
            fl_err_at(err, bound->name_pos);
            fl_err_state(err, is_type ? "42710" : "42723", st);
        }
    } else {
        made->next = known != NULL ? known->next : NULL;
        made->made = ++engine->n_made;
        *at = made;
        made = known;
    }
    pthread_mutex_unlock(&engine->lock);
cleanup:
    fl_macro_free(made);
    return st;
}

fl_status fl_session_drop_macro(fl_session *session, fl_str name, fl_macro_kind kind, bool if_exists, int32_t pos,
                                fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    pthread_mutex_lock(&engine->lock);
    fl_macro **at = look_up(engine, name, kind), *found = *at;
    if (found != NULL)
        *at = found->next;
    pthread_mutex_unlock(&engine->lock);
    if (found == NULL && !if_exists) {
        fl_nearest near;
        bool is_type = kind == FL_MACRO_TYPE;
        st = FL_FAIL(err, is_type ? FL_ERR_TYPE : FL_ERR_FUNCTION, "%s \"%.*s\" does not exist",
                     is_type ? "type" : "macro", FL_STR_ARG(name));
        fl_nearest_init(&near, name);
        fl_engine_offer_macros(engine, kind, &near);
        fl_nearest_hint(&near, err);
        bool is_table = kind == FL_MACRO_TABLE;
        if (near.count == 0 && !is_type &&
            fl_engine_has_macro(engine, name, is_table ? FL_MACRO_VALUE : FL_MACRO_TABLE))
            fl_err_hint(err, is_table ? "DROP MACRO drops it: it gives values"
                                      : "DROP MACRO TABLE drops it: it gives tables");
        fl_err_at(err, pos);
        fl_err_state(err, is_type ? "42704" : "42883", st);
    }
    fl_macro_free(found);
    return st;
}

bool fl_engine_has_macro_in(fl_engine *engine, fl_str database, fl_str schema)
{
    bool has = false;
    pthread_mutex_lock(&engine->lock);
    for (const fl_macro *m = engine->macros; m != NULL; m = m->next)
        has |= fl_key_is_in(fl_str_of(m->name), database, schema);
    pthread_mutex_unlock(&engine->lock);
    return has;
}

void fl_engine_forget_macros_in(fl_engine *engine, fl_str database, fl_str schema)
{
    for (fl_macro **at = &engine->macros; *at != NULL;) {
        fl_macro *macro = *at;
        if (!fl_key_is_in(fl_str_of(macro->name), database, schema)) {
            at = &macro->next;
            continue;
        }
        *at = macro->next;
        fl_macro_free(macro);
    }
}
