/* The new versions of tables that a statement makes. They take the places of the old ones all at once, when the statement has done all
 * that can fail; until then whatever the statement itself reads is what was there before it. Of whoever has the turn to change tables. */
#include "engine/internal.h"

void fl_versions_init(fl_versions *versions, fl_memory *memory)
{
    *versions = (fl_versions){0};
    fl_arena_init(&versions->arena, memory);
}

void fl_versions_drop(fl_versions *versions)
{
    for (int32_t i = 0; i < versions->n; i++) {
        fl_key_index_free(versions->items[i].index);
        fl_table_unref(versions->items[i].table);
    }
    fl_arena_drop(&versions->arena);
    *versions = (fl_versions){0};
}

static fl_table_version *find(fl_versions *versions, fl_str name)
{
    for (int32_t i = 0; versions != NULL && i < versions->n; i++)
        if (fl_str_is_equal_nocase(versions->items[i].name, name))
            return &versions->items[i];
    return NULL;
}

fl_table *fl_session_latest(const fl_session *session, fl_str name)
{
    const fl_table_version *version = find(session->versions, name);
    return version != NULL ? fl_table_ref(version->table) : fl_engine_table(session->engine, name);
}

bool fl_session_has_version(const fl_session *session, fl_str name)
{
    return find(session->versions, name) != NULL;
}

void fl_session_set_places(fl_session *session, fl_str name)
{
    fl_table_version *version = find(session->versions, name);
    FL_ASSERT(version != NULL);
    version->has_places = !version->moved_places;
}

bool fl_session_has_places(const fl_session *session, fl_str name)
{
    const fl_table_version *version = find(session->versions, name);
    return version == NULL || version->has_places;
}

fl_key_index *fl_session_take_index(fl_session *session, fl_str name, const fl_table *table)
{
    fl_table_version *version = find(session->versions, name);
    fl_key_index *index = version != NULL ? version->index : fl_engine_take_key_index(session->engine, name);
    if (version != NULL)
        version->index = NULL;
    if (index == NULL || fl_key_index_version(index) == table->version)
        return index;
    fl_key_index_free(index);
    return NULL;
}

fl_status fl_session_put_version(fl_session *session, fl_str name, fl_table *table, fl_key_index *index, fl_err *err)
{
    fl_status st = FL_OK;
    fl_versions *versions = session->versions;
    fl_table_version *known = find(versions, name), *more = NULL;
    FL_ASSERT(versions != NULL);
    if (index != NULL)
        fl_key_index_set_version(index, table->version);
    if (known == NULL && versions->n == versions->capacity) {
        int32_t capacity = versions->capacity == 0 ? 4 : versions->capacity * 2;
        FL_TRY(FL_NEW_ARRAY(&versions->arena, capacity, &more, err));
        if (versions->n > 0)
            memcpy(more, versions->items, (size_t)versions->n * sizeof(*more));
        versions->items = more;
        versions->capacity = capacity;
    }
    if (known == NULL) {
        fl_str copy;
        FL_TRY(fl_arena_copy_str(&versions->arena, name, &copy, err));
        known = &versions->items[versions->n++];
        *known = (fl_table_version){.name = copy};
    }
    bool is_new = known->table == NULL;
    fl_key_index_free(known->index);
    fl_table_unref(known->table);
    known->table = table;
    known->index = index;
    known->moved_places |= !is_new && !known->has_places;
    known->has_places = false;
cleanup:
    return st;
}

void fl_session_publish(fl_session *session)
{
    fl_versions *versions = session->versions;
    if (versions->n > 0)
        fl_engine_replace_tables(session->engine, versions->items, versions->n);
    versions->n = 0;
}
