/* yyjson over arenas, and its faults as ours. */
#include "format/json/parse.h"

typedef struct source_of_memory {
    fl_arena *arena;
    fl_err *err;
} source_of_memory;

static void *take(void *ctx, size_t size)
{
    source_of_memory *from = ctx;
    void *block = NULL;
    return fl_arena_get(from->arena, (int64_t)size, &block, from->err) == FL_OK ? block : NULL;
}

static void *retake(void *ctx, void *old, size_t old_size, size_t size)
{
    if (size <= old_size)
        return old;
    void *block = take(ctx, size);
    if (block != NULL)
        memcpy(block, old, old_size);
    return block;
}

static void give_back(void *ctx, void *block)
{
    (void)ctx;
    (void)block; /* the arena goes as a whole */
}

static yyjson_alc make_alc(source_of_memory *from)
{
    return (yyjson_alc){.malloc = take, .realloc = retake, .free = give_back, .ctx = from};
}

/* Brackets within brackets, before a parser sees them: bounds what walks over the tree later. */
static bool is_too_deep(const char *text, int64_t len)
{
    int64_t depth = 0;
    bool is_string = false;
    for (int64_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            is_string = !is_string;
        else if (!is_string && (c == '{' || c == '['))
            depth++;
        else if (!is_string && (c == '}' || c == ']'))
            depth--;
        if (depth > FL_JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

/* Cheap upper bound: without that many opening brackets there is no such depth. */
static bool may_be_too_deep(const char *text, int64_t len)
{
    int64_t opened = 0;
    for (int64_t i = 0; i < len; i++)
        opened += (text[i] | 0x20) == '{'; /* { and [ differ in this bit */
    return opened > FL_JSON_DEPTH_MAX;
}

fl_status fl_json_parse(fl_json_chunk *chunk, const fl_json_source *source, int64_t i, bool keeps_digits,
                        fl_arena *arena, yyjson_val **ret, fl_err *err)
{
    char *text = (char *)chunk->text.bytes->data + chunk->records[i].start, behind[YYJSON_PADDING_SIZE];
    int64_t len = chunk->records[i].len, at = fl_text_piece_offset(&chunk->text, text);
    fl_err complaint = {0}, memory_err = {0};
    source_of_memory from = {arena, &memory_err};
    yyjson_alc alc = make_alc(&from);
    yyjson_read_err fault = {0};
    if (may_be_too_deep(text, len) && is_too_deep(text, len)) {
        FL_FAIL(&complaint, FL_ERR_LIMIT, "the value that begins here is nested more than %d deep", FL_JSON_DEPTH_MAX);
        return fl_json_fail_at(source, at, &complaint, err);
    }
    memcpy(behind, text + len, sizeof(behind));
    memset(text + len, 0, sizeof(behind));
    yyjson_read_flag flags =
        YYJSON_READ_INSITU | (keeps_digits ? YYJSON_READ_NUMBER_AS_RAW : YYJSON_READ_BIGNUM_AS_RAW);
    yyjson_doc *doc = yyjson_read_opts(text, (size_t)len, flags, &alc, &fault);
    memcpy(text + len, behind, sizeof(behind));
    if (doc != NULL && yyjson_is_obj(yyjson_doc_get_root(doc))) {
        *ret = yyjson_doc_get_root(doc);
        return FL_OK;
    }
    if (doc == NULL && memory_err.code != FL_OK) {
        if (err != NULL)
            *err = memory_err;
        return memory_err.code;
    }
    if (doc != NULL) {
        FL_FAIL(&complaint, FL_ERR_FORMAT, "expected an object, as in {\"a\": 1}");
        return fl_json_fail_at(source, at, &complaint, err);
    }
    FL_FAIL(&complaint, FL_ERR_FORMAT, "%s", fault.msg);
    if (strstr(fault.msg, "UTF-8") != NULL)
        fl_err_state(&complaint, "22021", FL_ERR_FORMAT);
    return fl_json_fail_at(source, at + ((int64_t)fault.pos < len ? (int64_t)fault.pos : len), &complaint, err);
}

fl_status fl_json_print(fl_arena *arena, const yyjson_val *value, fl_str *ret, fl_err *err)
{
    fl_err memory_err = {0};
    source_of_memory from = {arena, &memory_err};
    yyjson_alc alc = make_alc(&from);
    size_t len = 0;
    const char *text = yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &alc, &len, NULL);
    if (text == NULL) {
        if (memory_err.code == FL_OK)
            return FL_FAIL(err, FL_ERR_INTERNAL, "a JSON value cannot be written");
        if (err != NULL)
            *err = memory_err;
        return memory_err.code;
    }
    *ret = (fl_str){text, (int64_t)len};
    return FL_OK;
}
