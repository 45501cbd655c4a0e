/* A map from names, letters' case ignored, to places in a list: for lists of names that are looked into for each of many.
 *
 * Open addressing in an arena; names are borrowed. One thread at a time while it grows, any number to look. */
#ifndef FL_BASE_NAME_MAP_H
#define FL_BASE_NAME_MAP_H

#include "base/arena.h"

typedef struct fl_name_map_slot {
    fl_str name;
    uint64_t hash;
    int32_t at; /* + 1; 0: free */
} fl_name_map_slot;

typedef struct fl_name_map {
    fl_arena *arena;
    fl_name_map_slot *slots; /* a power of two, at least half of them free */
    int64_t n_slots;
    int64_t n;
} fl_name_map;

/** Equal for names that differ in case only. */
uint64_t fl_name_hash(fl_str name);

static inline void fl_name_map_init(fl_name_map *map, fl_arena *arena)
{
    *map = (fl_name_map){.arena = arena};
}

/** The place that was added for the name; -1: none. */
int32_t fl_name_map_find(const fl_name_map *map, fl_str name);

/** Adds a name. When it is there already, its place stays and *ret_known (may be NULL) gives it; else that is -1. */
fl_status fl_name_map_add(fl_name_map *map, fl_str name, int32_t at, int32_t *ret_known, fl_err *err);

#endif
