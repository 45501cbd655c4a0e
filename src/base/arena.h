/* Arenas: a lifetime's memory, given back at once. Chunks are charged to a budget (base/memory.h).
 *
 * Nothing is freed one by one. `reset` keeps the chunks for the next round (a batch arena), `drop` gives them back.
 * One thread at a time. */
#ifndef FL_BASE_ARENA_H
#define FL_BASE_ARENA_H

#include "base/memory.h"
#include "base/str.h"

typedef struct fl_arena {
    fl_memory *memory;
    struct fl_arena_chunk *first; /* chunks in order of use */
    struct fl_arena_chunk *now;   /* where the next bytes come from */
    char *at;
    char *end;
    int64_t chunk_bytes; /* size of the next new chunk; doubles up to 1 MB, and is of huge pages once there are many */
    int64_t bytes;       /* of all chunks */
} fl_arena;

/** Makes an empty arena; takes no memory yet. */
void fl_arena_init(fl_arena *arena, fl_memory *memory);

/** Gives all chunks back; the arena is empty and usable again. */
void fl_arena_drop(fl_arena *arena);

/** Forgets all contents but keeps the chunks. */
void fl_arena_reset(fl_arena *arena);

/* A place in an arena, to come back to. */
typedef struct fl_arena_mark {
    struct fl_arena_chunk *now;
    char *at;
} fl_arena_mark;

static inline fl_arena_mark fl_arena_mark_get(const fl_arena *arena)
{
    return (fl_arena_mark){arena->now, arena->at};
}

/** Forgets what was taken since the mark; chunks are kept. */
void fl_arena_rewind(fl_arena *arena, fl_arena_mark mark);

/* Under the address sanitizer every object is a chunk of its own and a reset frees all, so that a step beyond an object or
 * a use after a reset is found. */
#if defined(__SANITIZE_ADDRESS__)
#define FL_ARENA_IS_EXACT 1
#else
#define FL_ARENA_IS_EXACT 0
#endif

/** Slow path of fl_arena_get. */
fl_status fl_arena_get_chunk(fl_arena *arena, int64_t bytes, void **ret, fl_err *err);

/** 16-byte aligned bytes, not cleared. FL_ERR_MEMORY leaves the arena as it was. */
static inline fl_status fl_arena_get(fl_arena *arena, int64_t bytes, void **ret, fl_err *err)
{
    int64_t rounded = (bytes + 15) & ~(int64_t)15;
    if (FL_UNLIKELY(FL_ARENA_IS_EXACT || arena->end - arena->at < rounded || bytes < 0 || arena->at == NULL))
        return fl_arena_get_chunk(arena, bytes, ret, err);
    *ret = arena->at;
    arena->at += rounded;
    return FL_OK;
}

/** As fl_arena_get, cleared. */
static inline fl_status fl_arena_get_zero(fl_arena *arena, int64_t bytes, void **ret, fl_err *err)
{
    fl_status st = fl_arena_get(arena, bytes, ret, err);
    if (FL_LIKELY(st == FL_OK))
        memset(*ret, 0, (size_t)bytes);
    return st;
}

/** Copies bytes and adds a terminating zero. */
fl_status fl_arena_copy_str(fl_arena *arena, fl_str text, fl_str *ret, fl_err *err);

/** Formats as printf does, into the arena. */
fl_status fl_arena_format(fl_arena *arena, fl_str *ret, fl_err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* FL_NEW(arena, &node, err): a cleared object of *node's type. FL_NEW_ARRAY: n of them. */
#define FL_NEW(arena, ret, err) fl_arena_get_zero((arena), (int64_t)sizeof(**(ret)), (void **)(ret), (err))
#define FL_NEW_ARRAY(arena, n, ret, err) \
    fl_arena_get_zero((arena), (int64_t)(n) * (int64_t)sizeof(**(ret)), (void **)(ret), (err))

#endif
