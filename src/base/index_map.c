/* Places by number or pointer. */
#include "base/index_map.h"

static fl_index_map_slot *slot_of(const fl_index_map *map, uint64_t key)
{
    uint64_t mask = (uint64_t)map->n_slots - 1, i = key * 0x9E3779B97F4A7C15ull >> 20 & mask;
    while (map->slots[i].key != 0 && map->slots[i].key != key)
        i = (i + 1) & mask;
    return &map->slots[i];
}

int32_t fl_index_map_find(const fl_index_map *map, uint64_t key)
{
    FL_ASSERT(key != 0);
    if (map->n == 0)
        return -1;
    const fl_index_map_slot *slot = slot_of(map, key);
    return slot->key == 0 ? -1 : slot->at;
}

static fl_status grow(fl_index_map *map, fl_err *err)
{
    fl_index_map grown = {.arena = map->arena, .n_slots = map->n_slots == 0 ? 16 : map->n_slots * 2, .n = map->n};
    fl_status st = FL_NEW_ARRAY(map->arena, grown.n_slots, &grown.slots, err);
    if (st != FL_OK)
        return st;
    for (int64_t i = 0; i < map->n_slots; i++)
        if (map->slots[i].key != 0)
            *slot_of(&grown, map->slots[i].key) = map->slots[i];
    *map = grown;
    return FL_OK;
}

fl_status fl_index_map_add(fl_index_map *map, uint64_t key, int32_t at, fl_err *err)
{
    FL_ASSERT(key != 0 && at >= 0);
    if (2 * (map->n + 1) > map->n_slots) {
        fl_status st = grow(map, err);
        if (st != FL_OK)
            return st;
    }
    fl_index_map_slot *slot = slot_of(map, key);
    if (slot->key == 0) {
        *slot = (fl_index_map_slot){.key = key, .at = at};
        map->n++;
    }
    return FL_OK;
}
