/* Chunked bump allocation. A request larger than a chunk gets one of its own size. */
#include "base/arena.h"

#include "base/region_pool.h"

#include <stdarg.h>
#include <stdio.h>

#define CHUNK_BYTES_MIN 4096
#define CHUNK_BYTES_MAX (1024 * 1024)
#define LEFT_PART 8 /* of what is left of the budget: more is not taken ahead */
#define LARGE_ARENA_BYTES (64 * CHUNK_BYTES_MAX)
#define LARGE_CHUNK_BYTES (4 * FL_HUGE_PAGE_BYTES - 64)

typedef struct fl_arena_chunk {
    struct fl_arena_chunk *next;
    int64_t bytes; /* of data[] */
    char data[] __attribute__((aligned(16)));
} chunk;

void fl_arena_init(fl_arena *arena, fl_memory *memory)
{
    *arena = (fl_arena){.memory = memory, .chunk_bytes = CHUNK_BYTES_MIN};
}

void fl_arena_drop(fl_arena *arena)
{
    for (chunk *c = arena->first; c != NULL;) {
        chunk *next = c->next;
        fl_free(c);
        c = next;
    }
    fl_arena_init(arena, arena->memory);
}

static void use_chunk(fl_arena *arena, chunk *c)
{
    arena->now = c;
    arena->at = c->data;
    arena->end = c->data + c->bytes;
}

void fl_arena_reset(fl_arena *arena)
{
    if (FL_ARENA_IS_EXACT)
        fl_arena_drop(arena);
    else if (arena->first != NULL)
        use_chunk(arena, arena->first);
}

void fl_arena_rewind(fl_arena *arena, fl_arena_mark mark)
{
    if (mark.now == NULL) {
        fl_arena_reset(arena);
        return;
    }
    if (FL_ARENA_IS_EXACT) { /* later chunks go, so that a use of them is found */
        for (chunk *c = mark.now->next; c != NULL;) {
            chunk *next = c->next;
            fl_free(c);
            c = next;
        }
        mark.now->next = NULL;
    }
    use_chunk(arena, mark.now);
    arena->at = mark.at;
}

fl_status fl_arena_get_chunk(fl_arena *arena, int64_t bytes, void **ret, fl_err *err)
{
    if (bytes < 0 || bytes > INT64_MAX / 4)
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: a block of %lld bytes was asked for", (long long)bytes);
    int64_t rounded = FL_ARENA_IS_EXACT ? bytes : (bytes + 15) & ~(int64_t)15;
    while (!FL_ARENA_IS_EXACT && arena->now != NULL && arena->now->next != NULL) { /* chunks kept by a reset */
        use_chunk(arena, arena->now->next);
        if (arena->end - arena->at >= rounded)
            return fl_arena_get(arena, bytes, ret, err);
    }
    int64_t wanted = arena->chunk_bytes < CHUNK_BYTES_MIN ? CHUNK_BYTES_MIN : arena->chunk_bytes;
    if (arena->bytes >= LARGE_ARENA_BYTES)
        wanted = LARGE_CHUNK_BYTES;
    int64_t limit, left = fl_memory_left(arena->memory, &limit);
    if (wanted > left / LEFT_PART) /* the last of a budget is not for chunks that are hardly used */
        wanted = left / LEFT_PART > CHUNK_BYTES_MIN ? left / LEFT_PART : CHUNK_BYTES_MIN;
    if (wanted < rounded || FL_ARENA_IS_EXACT)
        wanted = rounded;
    chunk *c = NULL;
    fl_status st = fl_alloc(arena->memory, (int64_t)sizeof(chunk) + wanted, (void **)&c, err);
    if (st != FL_OK)
        return st;
    c->next = NULL;
    c->bytes = wanted;
    arena->bytes += wanted;
    if (arena->now == NULL)
        arena->first = c;
    else
        arena->now->next = c;
    if (arena->chunk_bytes < CHUNK_BYTES_MAX)
        arena->chunk_bytes = wanted * 2 > CHUNK_BYTES_MAX ? CHUNK_BYTES_MAX : wanted * 2;
    use_chunk(arena, c);
    *ret = arena->at;
    arena->at += rounded;
    return FL_OK;
}

fl_status fl_arena_copy_str(fl_arena *arena, fl_str text, fl_str *ret, fl_err *err)
{
    char *copy = NULL;
    fl_status st = fl_arena_get(arena, text.len + 1, (void **)&copy, err);
    if (st != FL_OK)
        return st;
    if (text.len > 0)
        memcpy(copy, text.data, (size_t)text.len);
    copy[text.len] = 0;
    *ret = (fl_str){copy, text.len};
    return FL_OK;
}

fl_status fl_arena_format(fl_arena *arena, fl_str *ret, fl_err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = NULL;
    fl_status st = fl_arena_get(arena, (int64_t)len + 1, (void **)&text, err);
    if (st != FL_OK)
        return st;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    *ret = (fl_str){text, len};
    return FL_OK;
}
