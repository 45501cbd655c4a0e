/* yyjson's allocator over an arena (json_memory.h). */
#include "base/json_memory.h"

#include <string.h>

static void *take(void *ctx, size_t size)
{
    fl_json_memory *memory = ctx;
    void *block = NULL;
    return fl_arena_get(memory->arena, (int64_t)size, &block, &memory->failure) == FL_OK ? block : NULL;
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
    (void)block; /* goes with the arena */
}

void fl_json_memory_init(fl_json_memory *memory, fl_arena *arena)
{
    FL_ASSERT(memory != NULL);
    FL_ASSERT(arena != NULL);
    *memory = (fl_json_memory){.arena = arena};
    memory->alc = (yyjson_alc){.malloc = take, .realloc = retake, .free = give_back, .ctx = memory};
}

fl_status fl_json_memory_status(const fl_json_memory *memory, fl_err *err)
{
    if (memory->failure.code != FL_OK && err != NULL)
        *err = memory->failure;
    return memory->failure.code;
}
