/* encryption_config: keys as options say them. */
#include "format/options.h"
#include "format/parquet/crypt.h"

/* 16, 24 or 32 bytes, as they are or in base64. */
static fl_status read_key(fl_arena *arena, const fl_value *value, fl_str *ret, fl_err *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bool is_text = !value->is_null && (value->type.id == FL_UTF8 || value->type.id == FL_BINARY);
    if (!is_text)
        return FL_ERR_TYPE;
    fl_str s = value->s;
    if (s.len == 16 || s.len == 32 || (s.len == 24 && (value->type.id == FL_BINARY || s.data[23] != '=')))
        return fl_arena_copy_str(arena, s, ret, err);
    uint8_t bytes[48];
    uint32_t bits = 0;
    int64_t n = 0, count = 0;
    while (s.len > 0 && s.data[s.len - 1] == '=')
        s.len--;
    for (int64_t i = 0; i < s.len && n < 40; i++) {
        const char *at = s.data[i] != 0 ? strchr(letters, s.data[i]) : NULL;
        if (at == NULL)
            return FL_ERR_TYPE;
        bits = bits << 6 | (uint32_t)(at - letters);
        if (++count % 4 != 1)
            bytes[n++] = (uint8_t)(bits >> (6 - 2 * ((count - 1) % 4)));
    }
    if (n != 16 && n != 24 && n != 32)
        return FL_ERR_TYPE;
    return fl_arena_copy_str(arena, (fl_str){(const char *)bytes, n}, ret, err);
}

static fl_status read_column_keys(fl_arena *arena, const fl_value *value, fl_pq_keys *keys, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_column_key *columns = NULL;
    if (value->is_null || value->type.id != FL_STRUCT)
        return FL_ERR_TYPE;
    FL_TRY(FL_NEW_ARRAY(arena, value->type.n_fields + 1, &columns, err));
    for (int32_t i = 0; i < value->type.n_fields; i++) {
        FL_TRY(fl_arena_copy_str(arena, value->type.fields[i].name, &columns[i].path, err));
        FL_TRY(read_key(arena, &value->list.items[i], &columns[i].key, err));
    }
    keys->columns = columns;
    keys->n_columns = value->type.n_fields;
cleanup:
    return st;
}

/* {'a': '…'}: what is written of the keys of columns that have some. */
static fl_status read_column_metadata(fl_arena *arena, const fl_value *value, fl_pq_keys *keys, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_column_key *columns = NULL;
    if (value->is_null || value->type.id != FL_STRUCT)
        return FL_ERR_TYPE;
    FL_TRY(FL_NEW_ARRAY(arena, keys->n_columns + 1, &columns, err));
    memcpy(columns, keys->columns, (size_t)keys->n_columns * sizeof(*columns));
    for (int32_t i = 0; i < value->type.n_fields; i++) {
        int32_t at = 0;
        while (at < keys->n_columns && !fl_str_is_equal(columns[at].path, value->type.fields[i].name))
            at++;
        if (at == keys->n_columns)
            return FL_FAIL(err, FL_ERR_CONFIG, "column \"%.*s\" has key metadata, but column_keys has no key of it",
                           FL_STR_ARG(value->type.fields[i].name));
        FL_TRY(fl_option_text(arena, &value->list.items[i], &columns[at].metadata, err));
    }
    keys->columns = columns;
cleanup:
    return st;
}

fl_status fl_pq_keys_read(fl_arena *arena, const fl_value *value, void *ret_keys, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_keys *keys = NULL;
    const fl_value *metadata = NULL; /* of the columns' keys, which may stand behind it */
    if (value->is_null || value->type.id != FL_STRUCT || value->type.n_fields == 0)
        return FL_ERR_TYPE;
    FL_TRY(FL_NEW(arena, &keys, err));
    for (int32_t i = 0; i < value->type.n_fields; i++) {
        fl_str name = value->type.fields[i].name;
        const fl_value *own = &value->list.items[i];
        if (fl_str_is_equal_nocase(name, FL_STR("footer_key")) ||
            fl_str_is_equal_nocase(name, FL_STR("footer_key_value")))
            FL_TRY(read_key(arena, own, &keys->footer, err));
        else if (fl_str_is_equal_nocase(name, FL_STR("column_keys")))
            FL_TRY(read_column_keys(arena, own, keys, err));
        else if (fl_str_is_equal_nocase(name, FL_STR("aad_prefix")))
            FL_TRY(fl_option_text(arena, own, &keys->aad_prefix, err));
        else if (fl_str_is_equal_nocase(name, FL_STR("footer_key_metadata")))
            FL_TRY(fl_option_text(arena, own, &keys->footer_metadata, err));
        else if (fl_str_is_equal_nocase(name, FL_STR("column_key_metadata")))
            metadata = own;
        else
            return FL_ERR_TYPE;
    }
    if (metadata != NULL)
        FL_TRY(read_column_metadata(arena, metadata, keys, err));
    *(const fl_pq_keys **)ret_keys = keys;
cleanup:
    return st;
}
