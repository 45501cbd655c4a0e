/* Chunks of a writer's bytes. */
#include "plan/writer.h"

void fl_chunk_init(fl_chunk *chunk, fl_memory *memory)
{
    *chunk = (fl_chunk){0};
    fl_text_init(&chunk->bytes, memory);
    fl_arena_init(&chunk->arena, memory);
}

void fl_chunk_drop(fl_chunk *chunk)
{
    fl_text_drop(&chunk->bytes);
    fl_arena_drop(&chunk->arena);
    chunk->rows = 0;
    chunk->more = NULL;
}
