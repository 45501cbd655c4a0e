/* yyjson over arenas, and its faults as ours. */
#include "format/json/parse.h"

#include "base/json_memory.h"
#include "base/json_nesting.h"

fl_status fl_json_parse(fl_json_chunk *chunk, const fl_json_source *source, int64_t i, bool keeps_digits,
                        fl_arena *arena, yyjson_val **ret, fl_err *err)
{
    char *text = (char *)chunk->text.bytes->data + chunk->records[i].start, behind[YYJSON_PADDING_SIZE];
    int64_t len = chunk->records[i].len, at = fl_text_piece_offset(&chunk->text, text);
    fl_err complaint = {0};
    fl_json_memory memory;
    fl_json_memory_init(&memory, arena);
    yyjson_read_err fault = {0};
    if (fl_json_is_deeper((fl_str){text, len}, FL_JSON_DEPTH_MAX)) {
        FL_FAIL(&complaint, FL_ERR_LIMIT, "the value that begins here is nested more than %d deep", FL_JSON_DEPTH_MAX);
        return fl_json_fail_at(source, at, &complaint, err);
    }
    memcpy(behind, text + len, sizeof(behind));
    memset(text + len, 0, sizeof(behind));
    yyjson_read_flag flags =
        YYJSON_READ_INSITU | (keeps_digits ? YYJSON_READ_NUMBER_AS_RAW : YYJSON_READ_BIGNUM_AS_RAW);
    yyjson_doc *doc = yyjson_read_opts(text, (size_t)len, flags, &memory.alc, &fault);
    memcpy(text + len, behind, sizeof(behind));
    if (doc != NULL && yyjson_is_obj(yyjson_doc_get_root(doc))) {
        *ret = yyjson_doc_get_root(doc);
        return FL_OK;
    }
    if (doc == NULL && memory.failure.code != FL_OK)
        return fl_json_memory_status(&memory, err);
    if (doc != NULL) {
        FL_FAIL(&complaint, FL_ERR_FORMAT, "expected an object, as in {\"a\": 1}");
        return fl_json_fail_at(source, at, &complaint, err);
    }
    FL_FAIL(&complaint, FL_ERR_FORMAT, "%s", fault.msg);
    if (strstr(fault.msg, "UTF-8") != NULL) {
        fl_err_state(&complaint, "22021", FL_ERR_FORMAT);
        fl_err_hint(&complaint, "is it Latin-1 (ISO 8859-1)? Read it so: encoding = 'latin-1'");
    }
    return fl_json_fail_at(source, at + ((int64_t)fault.pos < len ? (int64_t)fault.pos : len), &complaint, err);
}

fl_status fl_json_print(fl_arena *arena, const yyjson_val *value, fl_str *ret, fl_err *err)
{
    fl_json_memory memory;
    fl_json_memory_init(&memory, arena);
    size_t len = 0;
    const char *text = yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &memory.alc, &len, NULL);
    if (text == NULL) {
        fl_status st = fl_json_memory_status(&memory, err);
        return st != FL_OK ? st : FL_FAIL(err, FL_ERR_INTERNAL, "a JSON value cannot be written");
    }
    *ret = (fl_str){text, (int64_t)len};
    return FL_OK;
}
