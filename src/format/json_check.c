/* A text is read as a tree, which is dropped (json_check.h). */
#include "format/json_check.h"

#include "base/json_memory.h"

fl_status fl_json_check(fl_arena *arena, fl_str text, bool *ret, fl_err *err)
{
    fl_arena_mark mark = fl_arena_mark_get(arena);
    fl_json_memory memory;
    fl_json_memory_init(&memory, arena);
    yyjson_read_err fault = {0};
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text.data, (size_t)text.len, YYJSON_READ_BIGNUM_AS_RAW,
                                       &memory.alc, &fault);
    *ret = doc != NULL;
    fl_arena_rewind(arena, mark);
    return doc == NULL ? fl_json_memory_status(&memory, err) : FL_OK;
}
