/* A map from numbers or pointers to places in a list: for lists that are looked into for each of many things, which would take
 * the product of both lengths otherwise.
 *
 * Open addressing over slots in an arena; grows by doubling. Keys are not 0 (column ids begin at 1, pointers are none). One
 * thread at a time while it grows, any number to look. */
#ifndef FL_BASE_INDEX_MAP_H
#define FL_BASE_INDEX_MAP_H

#include "base/arena.h"

typedef struct fl_index_map_slot {
    uint64_t key; /* 0: free */
    int32_t at;
} fl_index_map_slot;

typedef struct fl_index_map {
    fl_arena *arena;
    fl_index_map_slot *slots; /* a power of two, at least half of them free */
    int64_t n_slots;
    int64_t n;
} fl_index_map;

static inline void fl_index_map_init(fl_index_map *map, fl_arena *arena)
{
    *map = (fl_index_map){.arena = arena};
}

/** The place that was added for the key; -1: none. */
int32_t fl_index_map_find(const fl_index_map *map, uint64_t key);

/** Adds a key that may be there already: then its place stays. at ≥ 0. */
fl_status fl_index_map_add(fl_index_map *map, uint64_t key, int32_t at, fl_err *err);

static inline uint64_t fl_index_map_key(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

#endif
