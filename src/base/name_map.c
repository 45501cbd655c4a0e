/* Places by name. */
#include "base/name_map.h"

#include "base/hash.h"

uint64_t fl_name_hash(fl_str name)
{
    uint64_t hash = (uint64_t)name.len;
    for (int64_t i = 0; i < name.len; i++)
        hash = hash * 31 + (unsigned char)fl_char_lower(name.data[i]);
    return fl_hash_u64(hash, 0);
}

static fl_name_map_slot *slot_of(const fl_name_map *map, fl_str name, uint64_t hash)
{
    uint64_t mask = (uint64_t)map->n_slots - 1, i = hash & mask;
    while (map->slots[i].at != 0 && (map->slots[i].hash != hash || !fl_str_is_equal_nocase(map->slots[i].name, name)))
        i = (i + 1) & mask;
    return &map->slots[i];
}

int32_t fl_name_map_find(const fl_name_map *map, fl_str name)
{
    return map->n == 0 ? -1 : slot_of(map, name, fl_name_hash(name))->at - 1;
}

static fl_status grow(fl_name_map *map, fl_err *err)
{
    fl_name_map grown = {.arena = map->arena, .n_slots = map->n_slots == 0 ? 16 : map->n_slots * 2, .n = map->n};
    fl_status st = FL_NEW_ARRAY(map->arena, grown.n_slots, &grown.slots, err);
    if (st != FL_OK)
        return st;
    for (int64_t i = 0; i < map->n_slots; i++)
        if (map->slots[i].at != 0)
            *slot_of(&grown, map->slots[i].name, map->slots[i].hash) = map->slots[i];
    *map = grown;
    return FL_OK;
}

fl_status fl_name_map_add(fl_name_map *map, fl_str name, int32_t at, int32_t *ret_known, fl_err *err)
{
    FL_ASSERT(at >= 0);
    if (2 * (map->n + 1) > map->n_slots) {
        fl_status st = grow(map, err);
        if (st != FL_OK)
            return st;
    }
    uint64_t hash = fl_name_hash(name);
    fl_name_map_slot *slot = slot_of(map, name, hash);
    if (ret_known != NULL)
        *ret_known = slot->at - 1;
    if (slot->at == 0) {
        *slot = (fl_name_map_slot){.name = name, .hash = hash, .at = at + 1};
        map->n++;
    }
    return FL_OK;
}
