/* PRAGMA add_parquet_key('name', 'key'): keys of encrypted files that a session knows by name, for encryption_config. They go with it. */
#include "engine/internal.h"

struct fl_parquet_key {
    struct fl_parquet_key *next;
    fl_str name, key; /* behind the struct */
};

fl_status fl_parquet_key_add(fl_session *session, const fl_value *args, int32_t n_args, fl_err *err)
{
    fl_status st = FL_OK;
    fl_parquet_key *made = NULL;
    bool are_texts = n_args == 2;
    for (int32_t i = 0; i < n_args && are_texts; i++)
        are_texts = !args[i].is_null && args[i].type.id == FL_UTF8;
    if (!are_texts)
        return FL_FAIL(err, FL_ERR_FUNCTION, "add_parquet_key takes a name and a key, both texts");
    FL_TRY(fl_alloc_zero(&session->memory, (int64_t)sizeof(*made) + args[0].s.len + args[1].s.len + 2, (void **)&made,
                         err));
    char *texts = (char *)(made + 1);
    if (args[0].s.len > 0)
        memcpy(texts, args[0].s.data, (size_t)args[0].s.len);
    if (args[1].s.len > 0)
        memcpy(texts + args[0].s.len, args[1].s.data, (size_t)args[1].s.len);
    made->name = (fl_str){texts, args[0].s.len};
    made->key = (fl_str){texts + args[0].s.len, args[1].s.len};
    made->next = session->parquet_keys; /* the last one of a name counts */
    session->parquet_keys = made;
cleanup:
    return st;
}

void fl_parquet_keys_free(fl_session *session)
{
    for (fl_parquet_key *key = session->parquet_keys, *next; key != NULL; key = next) {
        next = key->next;
        fl_free(key);
    }
    session->parquet_keys = NULL;
}

/* Texts of the value, in structs too, that are names of keys become these. */
static fl_status resolve(const fl_session *session, fl_arena *arena, fl_value *value, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *items = NULL;
    if (value->is_null || (value->type.id != FL_STRUCT && value->type.id != FL_UTF8))
        return FL_OK;
    if (value->type.id == FL_UTF8) {
        const fl_parquet_key *key = session->parquet_keys;
        while (key != NULL && !fl_str_is_equal(key->name, value->s))
            key = key->next;
        if (key != NULL)
            value->s = key->key;
        return FL_OK;
    }
    FL_TRY(FL_NEW_ARRAY(arena, value->type.n_fields + 1, &items, err));
    for (int32_t i = 0; i < value->type.n_fields; i++) {
        items[i] = value->list.items[i];
        FL_TRY(resolve(session, arena, &items[i], err));
    }
    value->list.items = items;
cleanup:
    return st;
}

fl_status fl_parquet_keys_resolve(const fl_session *session, fl_arena *arena, fl_option *options, int32_t n_options,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < n_options && st == FL_OK && session->parquet_keys != NULL; i++)
        if (fl_str_is_equal_nocase(options[i].name, FL_STR("encryption_config")))
            st = resolve(session, arena, &options[i].value, err);
    return st;
}
