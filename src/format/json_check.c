/* A text is read as a tree, which is dropped (json_check.h). */
#include "format/json_check.h"

#include <string.h>
#include <yyjson.h>

typedef struct source {
    fl_arena *arena;
    fl_err failure;
} source;

static void *take(void *ctx, size_t size)
{
    source *s = ctx;
    void *block = NULL;
    return fl_arena_get(s->arena, (int64_t)size, &block, &s->failure) == FL_OK ? block : NULL;
}

static void *retake(void *ctx, void *old, size_t old_size, size_t size)
{
    if (size <= old_size)
        return old;
    void *block = take(ctx, size);
    if (block != NULL && old_size > 0)
        memcpy(block, old, old_size);
    return block;
}

static void give_back(void *ctx, void *block)
{
    (void)ctx;
    (void)block; /* the arena goes back to its mark */
}

fl_status fl_json_check(fl_arena *arena, fl_str text, bool *ret, fl_err *err)
{
    fl_arena_mark mark = fl_arena_mark_get(arena);
    source s = {.arena = arena};
    yyjson_alc alc = {.malloc = take, .realloc = retake, .free = give_back, .ctx = &s};
    yyjson_read_err fault = {0};
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)text.data, (size_t)text.len, YYJSON_READ_BIGNUM_AS_RAW, &alc, &fault);
    *ret = doc != NULL;
    fl_arena_rewind(arena, mark);
    if (doc == NULL && s.failure.code != FL_OK) {
        if (err != NULL)
            *err = s.failure;
        return s.failure.code;
    }
    return FL_OK;
}
