/* The group table. */
#include "exec/group_table.h"

#include "base/hash.h"

#define POINTER_BITS 48
#define POINTER_MASK ((1ull << POINTER_BITS) - 1)

static uint64_t entry_of(uint64_t hash, const uint8_t *row)
{
    return (hash & ~POINTER_MASK) | (uint64_t)(uintptr_t)row;
}

fl_status fl_group_table_init(fl_group_table *table, const fl_row_layout *layout, int32_t n_keys, int32_t rows_max,
                              fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    *table = (fl_group_table){.n_keys = n_keys, .rows_max = rows_max};
    fl_row_store_init(&table->store, layout, memory);
    table->n_entries = 1024;
    FL_TRY(fl_alloc_zero(memory, table->n_entries * 8, (void **)&table->entries, err));
    FL_TRY(fl_alloc(memory, (int64_t)rows_max * 4 * 2 + 64, (void **)&table->scratch, err));
    return FL_OK;
cleanup:
    fl_group_table_drop(table);
    return st;
}

void fl_group_table_drop(fl_group_table *table)
{
    fl_free(table->entries);
    fl_free(table->scratch);
    table->entries = NULL;
    table->scratch = NULL;
    fl_row_store_drop(&table->store);
}

static fl_status make_room(fl_group_table *table, int64_t rows, fl_err *err)
{
    if (rows * 2 <= table->n_entries)
        return FL_OK;
    int64_t grown = table->n_entries;
    while (grown < rows * 4)
        grown *= 2;
    uint64_t *entries = NULL;
    fl_status st = fl_alloc_zero(table->store.memory, grown * 8, (void **)&entries, err);
    if (st != FL_OK)
        return st;
    for (int64_t i = 0; i < table->n_entries; i++) {
        uint64_t entry = table->entries[i];
        if (entry == 0)
            continue;
        uint64_t slot = fl_row_hash((const uint8_t *)(uintptr_t)(entry & POINTER_MASK)) & (uint64_t)(grown - 1);
        while (entries[slot] != 0)
            slot = (slot + 1) & (uint64_t)(grown - 1);
        entries[slot] = entry;
    }
    fl_free(table->entries);
    table->entries = entries;
    table->n_entries = grown;
    return FL_OK;
}

/* One 64-bit key without nulls, the commonest case: probe and compare in one loop. */
static bool is_single_word(const fl_group_table *table, const fl_vec *key)
{
    return table->n_keys == 1 && key->layout == FL_FLAT && key->width == 8 && key->valid == NULL &&
           !fl_type_is_float(key->type) && !fl_type_is_nested(key->type) && !fl_type_is_string(key->type) &&
           fl_type_width(key->type) == 8;
}

static fl_status find_words(fl_group_table *table, const fl_vec *key, const uint16_t *list, int32_t count,
                            const uint64_t *hashes, bool inserts, uint8_t **ret_rows, fl_err *err)
{
    const uint64_t *x = key->data;
    const fl_row_layout *layout = table->store.layout;
    int32_t at = layout->offsets[0], null_byte = layout->nulls_offset;
    uint64_t mask = (uint64_t)(table->n_entries - 1);
    uint64_t *entries = table->entries;
    for (int32_t i = 0; i < count; i++)
        __builtin_prefetch(&entries[hashes[i] & mask]);
    for (int32_t i = 0; i < count; i++) {
        uint64_t slot = hashes[i] & mask, tag = hashes[i] & ~POINTER_MASK;
        uint64_t value = x[list[i]];
        uint8_t *row = NULL;
        for (;; slot = (slot + 1) & mask) {
            uint64_t entry = entries[slot];
            if (entry == 0) {
                if (!inserts)
                    break;
                fl_status st = fl_row_store_add(&table->store, 1, &row, err);
                if (st != FL_OK)
                    return st;
                *(uint64_t *)row = hashes[i];
                *(uint64_t *)(row + at) = value;
                entries[slot] = entry_of(hashes[i], row);
                break;
            }
            if ((entry & ~POINTER_MASK) != tag)
                continue;
            uint8_t *known = (uint8_t *)(uintptr_t)(entry & POINTER_MASK);
            if (*(const uint64_t *)(known + at) == value && (known[null_byte] & 1) == 0) {
                row = known;
                break;
            }
        }
        ret_rows[i] = row;
    }
    return FL_OK;
}

fl_status fl_group_table_find(fl_group_table *table, const fl_vec *keys, const uint16_t *list, int32_t count,
                              const uint64_t *hashes, bool inserts, uint8_t **ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(count <= table->rows_max);
    if (inserts)
        FL_TRY(make_room(table, table->store.rows + count, err));
    if (is_single_word(table, &keys[0]))
        return find_words(table, &keys[0], list, count, hashes, inserts, ret_rows, err);
    uint16_t *pending = table->scratch, *candidates = pending + table->rows_max;
    uint16_t *fresh = candidates + table->rows_max, *differ = fresh + table->rows_max;
    uint64_t mask = (uint64_t)(table->n_entries - 1);
    uint64_t *slots = NULL;
    uint16_t *fresh_list = NULL;
    uint8_t **fresh_rows = NULL;
    FL_TRY(fl_alloc(table->store.memory, (int64_t)count * 18 + 64, (void **)&slots, err));
    fresh_rows = (uint8_t **)(slots + count);
    fresh_list = (uint16_t *)(fresh_rows + count);
    for (int32_t i = 0; i < count; i++) {
        slots[i] = hashes[i] & mask;
        __builtin_prefetch(&table->entries[slots[i]]);
        pending[i] = (uint16_t)i;
    }
    int32_t n_pending = count;
    while (n_pending > 0) {
        int32_t n_candidates = 0, n_fresh = 0, n_differ = 0;
        for (int32_t p = 0; p < n_pending; p++) {
            int32_t i = pending[p];
            uint64_t slot = slots[i], tag = hashes[i] & ~POINTER_MASK;
            for (;; slot = (slot + 1) & mask) {
                uint64_t entry = table->entries[slot];
                if (entry == 0) {
                    uint8_t *row = NULL;
                    if (inserts) {
                        FL_TRY(fl_row_store_add(&table->store, 1, &row, err));
                        *(uint64_t *)row = hashes[i];
                        table->entries[slot] = entry_of(hashes[i], row);
                        fresh_rows[n_fresh] = row;
                        fresh_list[n_fresh++] = list[i];
                    }
                    ret_rows[i] = row;
                    break;
                }
                if ((entry & ~POINTER_MASK) == tag) {
                    ret_rows[i] = (uint8_t *)(uintptr_t)(entry & POINTER_MASK);
                    candidates[n_candidates++] = (uint16_t)i;
                    break;
                }
            }
            slots[i] = slot;
        }
        for (int32_t k = 0; k < table->n_keys && n_fresh > 0; k++)
            FL_TRY(fl_rows_write(table->store.layout, k, &keys[k], fresh_list, n_fresh, fresh_rows, &table->store.heap, err));
        for (int32_t k = 0; k < table->n_keys && n_candidates > 0; k++)
            n_candidates = fl_rows_match(table->store.layout, k, &keys[k], list, ret_rows, candidates, n_candidates, differ, &n_differ);
        for (int32_t d = 0; d < n_differ; d++) { /* another key with this tag: on to the next slot */
            slots[differ[d]] = (slots[differ[d]] + 1) & mask;
            pending[d] = differ[d];
        }
        n_pending = n_differ;
    }
cleanup:
    fl_free(slots);
    return st;
}

/* Whether two rows of the layout have the same keys: read back as vectors of one, so that one comparison serves all. */
static bool is_same_key(const fl_group_table *table, uint8_t *a, uint8_t *b, fl_arena *arena)
{
    static const uint16_t zero[1] = {0};
    for (int32_t k = 0; k < table->n_keys; k++) {
        fl_vec vec;
        uint16_t match[1] = {0}, differ[1];
        int32_t n_differ = 0;
        if (fl_rows_read(table->store.layout, k, &a, 1, arena, &vec, NULL) != FL_OK ||
            fl_rows_match(table->store.layout, k, &vec, zero, &b, match, 1, differ, &n_differ) != 1)
            return false;
    }
    return true;
}

fl_status fl_group_table_adopt(fl_group_table *table, uint8_t *row, uint8_t **ret_known, fl_err *err)
{
    fl_status st = make_room(table, ++table->store.rows, err);
    if (st != FL_OK)
        return st;
    uint64_t hash = fl_row_hash(row), mask = (uint64_t)(table->n_entries - 1);
    fl_arena arena;
    fl_arena_init(&arena, NULL);
    *ret_known = NULL;
    for (uint64_t slot = hash & mask;; slot = (slot + 1) & mask) {
        uint64_t entry = table->entries[slot];
        if (entry == 0) {
            table->entries[slot] = entry_of(hash, row);
            break;
        }
        uint8_t *known = (uint8_t *)(uintptr_t)(entry & POINTER_MASK);
        if ((entry & ~POINTER_MASK) == (hash & ~POINTER_MASK) && fl_row_hash(known) == hash && is_same_key(table, row, known, &arena)) {
            *ret_known = known;
            table->store.rows--;
            break;
        }
    }
    fl_arena_drop(&arena);
    return FL_OK;
}
