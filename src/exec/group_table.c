/* The group table. */
#include "exec/group_table.h"

#include "arrow/vec_check.h"
#include "base/hash.h"
#include "base/interrupt.h"

#define POINTER_MASK FL_GROUP_POINTER_MASK
#define AHEAD 16            /* rows between asking for an entry's memory and using it */
#define SAMPLED_PARTITION 0 /* by the upper four bits of the hash */
#define FAR_ENTRIES 65536   /* from here on rows are not in the near caches */

static uint64_t entry_of(uint64_t hash, const uint8_t *row)
{
    FL_ASSERT_SLOW(((uint64_t)(uintptr_t)row & ~POINTER_MASK) == 0);
    return (hash & ~POINTER_MASK) | (uint64_t)(uintptr_t)row;
}

/* Working memory of one batch, parallel to its list. */
struct fl_group_scratch {
    uint64_t *hashes, *slots;
    uint8_t **fresh_rows, **far_rows;
    uint16_t *pending, *candidates, *differ, *fresh, *misses, *far;
};

static fl_status make_scratch(fl_group_table *table, fl_memory *memory, fl_err *err)
{
    int64_t n = table->rows_max;
    struct fl_group_scratch *s = NULL;
    fl_status st = fl_alloc(memory, (int64_t)sizeof(*s) + n * (4 * 8 + 6 * 2), (void **)&s, err);
    if (st != FL_OK)
        return st;
    s->hashes = (uint64_t *)(s + 1);
    s->slots = s->hashes + n;
    s->fresh_rows = (uint8_t **)(s->slots + n);
    s->far_rows = s->fresh_rows + n;
    s->pending = (uint16_t *)(s->far_rows + n);
    s->candidates = s->pending + n;
    s->differ = s->candidates + n;
    s->fresh = s->differ + n;
    s->misses = s->fresh + n;
    s->far = s->misses + n;
    table->scratch = s;
    return FL_OK;
}

fl_status fl_group_table_init(fl_group_table *table, const fl_row_layout *layout, int32_t n_keys, int32_t rows_max,
                              fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(n_keys <= layout->n_cols && rows_max > 0 && rows_max <= UINT16_MAX + 1);
    *table = (fl_group_table){.n_keys = n_keys, .rows_max = rows_max};
    fl_row_store_init(&table->store, layout, memory);
    table->n_entries = 1024;
    FL_TRY(fl_alloc_zero(memory, table->n_entries * 8, (void **)&table->entries, err));
    FL_TRY(make_scratch(table, memory, err));
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
    fl_group_index_drop(&table->index);
    fl_row_store_drop(&table->store);
}

fl_status fl_group_table_add_index(fl_group_table *table, const fl_key_range *ranges, fl_err *err)
{
    return fl_group_index_init(&table->index, table->store.layout, table->n_keys, ranges, table->rows_max,
                               table->store.memory, err);
}

/* Whether the hash directory has the rows of the store, and no others. */
static bool owns_rows(const fl_group_table *table)
{
    return !table->index.is_complete && table->store.rows == table->n_hashed;
}

int64_t fl_group_table_rows_max(const fl_group_table *table)
{
    return table->n_hashed + (table->index.is_complete ? table->index.n_places : 0);
}

fl_status fl_group_table_list(const fl_group_table *table, uint8_t **ret_rows, int64_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0;
    fl_work work = fl_work_of(table->store.memory);
    if (table->index.is_complete)
        for (int64_t i = 0; i < table->index.n_places; i++) {
            FL_TRY(fl_work_add(&work, 1, err));
            if (table->index.rows[i] != NULL)
                ret_rows[n++] = table->index.rows[i];
        }
    if (owns_rows(table)) {
        for (const fl_row_block *b = table->store.first; b != NULL; b = b->next) {
            FL_TRY(fl_work_add(&work, b->rows, err));
            for (int32_t i = 0; i < b->rows; i++)
                ret_rows[n++] = b->data + (int64_t)i * table->store.layout->bytes;
        }
        goto cleanup;
    }
    for (int64_t i = 0; i < table->n_entries && table->n_hashed > 0; i++) {
        FL_TRY(fl_work_add(&work, 1, err));
        if (table->entries[i] != 0)
            ret_rows[n++] = fl_group_table_entry(table, i);
    }
cleanup:
    *ret_n = n;
    FL_ASSERT(n <= fl_group_table_rows_max(table)); /* for so many there is room */
    return st;
}

static void enter(uint64_t *entries, uint64_t mask, uint64_t entry, uint64_t hash)
{
    uint64_t slot = hash & mask;
    while (entries[slot] != 0)
        slot = (slot + 1) & mask;
    entries[slot] = entry;
}

/* Enters the rows of a store, which are all that there are: they lie side by side. */
static fl_status enter_store(const fl_row_store *store, uint64_t *entries, uint64_t mask, fl_err *err)
{
    fl_status st = FL_OK;
    fl_work work = fl_work_of(store->memory);
    int64_t stride = store->layout->bytes;
    for (const fl_row_block *b = store->first; b != NULL; b = b->next) {
        FL_TRY(fl_work_add(&work, b->rows, err));
        for (int32_t i = 0; i < b->rows; i++) {
            const uint8_t *row = b->data + i * stride;
            if (i + AHEAD < b->rows)
                __builtin_prefetch(&entries[fl_row_hash(row + AHEAD * stride) & mask], 1);
            enter(entries, mask, entry_of(fl_row_hash(row), row), fl_row_hash(row));
        }
    }
cleanup:
    return st;
}

/* The same of rows that lie anywhere. */
static fl_status enter_entries(const fl_group_table *table, uint64_t *entries, uint64_t mask, fl_err *err)
{
    fl_status st = FL_OK;
    fl_work work = fl_work_of(table->store.memory);
    for (int64_t i = 0; i < table->n_entries; i++) {
        FL_TRY(fl_work_add(&work, 1, err));
        if (i + AHEAD < table->n_entries && table->entries[i + AHEAD] != 0)
            __builtin_prefetch(fl_group_table_entry(table, i + AHEAD));
        if (table->entries[i] != 0)
            enter(entries, mask, table->entries[i], fl_row_hash(fl_group_table_entry(table, i)));
    }
cleanup:
    return st;
}

#if defined(FLETCH_SLOW_ASSERTS)
static int64_t count_entries(const uint64_t *entries, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += entries[i] != 0;
    return count;
}

/* What is wrong with the rows that were found or made for hashes, NULL: nothing is. */
static const char *rows_fault(const uint64_t *hashes, int32_t count, bool inserts, uint8_t *const *rows)
{
    for (int32_t i = 0; i < count; i++) {
        if (rows[i] == NULL && inserts)
            return "a key has no row";
        if (rows[i] != NULL && fl_row_hash(rows[i]) != hashes[i])
            return "a key's row has another hash";
    }
    return NULL;
}
#endif

/* Makes room for `rows` in a directory that is at the most half full; `growth` rows are expected to come. */
static fl_status make_room(fl_group_table *table, int64_t rows, int64_t growth, fl_err *err)
{
    if (rows * 2 <= table->n_entries)
        return FL_OK;
    int64_t grown = table->n_entries;
    while (grown < (rows + growth) * 2)
        grown *= 2;
    uint64_t *entries = NULL;
    fl_status st = fl_alloc_zero(table->store.memory, grown * 8, (void **)&entries, err);
    if (st != FL_OK)
        return st;
    st = owns_rows(table) ? enter_store(&table->store, entries, (uint64_t)(grown - 1), err)
                          : enter_entries(table, entries, (uint64_t)(grown - 1), err);
    if (st != FL_OK) {
        fl_free(entries);
        return st;
    }
    FL_ASSERT_SLOW(count_entries(entries, grown) == table->n_hashed);
    fl_free(table->entries);
    table->entries = entries;
    table->n_entries = grown;
    return FL_OK;
}

fl_status fl_group_table_reserve(fl_group_table *table, int64_t rows, fl_err *err)
{
    return make_room(table, table->n_hashed + rows, 0, err);
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
    for (int32_t i = 0; i < count && table->n_entries >= FAR_ENTRIES; i++)
        fl_group_table_prefetch_row(table, hashes[i]);
    for (int32_t i = 0; i < count; i++) {
        uint64_t slot = hashes[i] & mask, tag = hashes[i] & ~POINTER_MASK;
        uint64_t value = x[list[i]];
        uint8_t *row = NULL;
        for (;; slot = (slot + 1) & mask) {
            uint64_t entry = entries[slot];
            if (entry == 0) {
                if (!inserts)
                    break;
                fl_status st = fl_row_store_add_one(&table->store, &row, err);
                if (st != FL_OK)
                    return st;
                *(uint64_t *)row = hashes[i];
                *(uint64_t *)(row + at) = value;
                entries[slot] = entry_of(hashes[i], row);
                table->n_hashed++;
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
    FL_ASSERT_NO_FAULT(rows_fault(hashes, count, inserts, ret_rows));
    return FL_OK;
}

fl_status fl_group_table_find_hashed(fl_group_table *table, const fl_vec *keys, const uint16_t *list, int32_t count,
                                     const uint64_t *hashes, bool inserts, uint8_t **ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(count <= table->rows_max);
    FL_ASSERT(((uint64_t)(uintptr_t)table->store.last & ~POINTER_MASK) == 0); /* else rows would be taken for tags */
    if (inserts)
        FL_TRY(make_room(table, table->n_hashed + count, table->n_hashed + count, err));
    if (is_single_word(table, &keys[0]))
        return find_words(table, &keys[0], list, count, hashes, inserts, ret_rows, err);
    uint16_t *pending = table->scratch->pending, *candidates = table->scratch->candidates,
             *differ = table->scratch->differ;
    uint16_t *fresh_list = table->scratch->fresh;
    uint8_t **fresh_rows = table->scratch->fresh_rows;
    uint64_t mask = (uint64_t)(table->n_entries - 1), *slots = table->scratch->slots;
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
                        FL_TRY(fl_row_store_add_one(&table->store, &row, err));
                        *(uint64_t *)row = hashes[i];
                        table->entries[slot] = entry_of(hashes[i], row);
                        table->n_hashed++;
                        fresh_rows[n_fresh] = row;
                        fresh_list[n_fresh++] = list[i];
                    }
                    ret_rows[i] = row;
                    break;
                }
                if ((entry & ~POINTER_MASK) == tag) {
                    ret_rows[i] = (uint8_t *)(uintptr_t)(entry & POINTER_MASK);
                    __builtin_prefetch(ret_rows[i]); /* all are compared when all were found */
                    candidates[n_candidates++] = (uint16_t)i;
                    break;
                }
            }
            slots[i] = slot;
        }
        for (int32_t k = 0; k < table->n_keys && n_fresh > 0; k++)
            FL_TRY(fl_rows_write(table->store.layout, k, &keys[k], fresh_list, n_fresh, fresh_rows, &table->store.heap,
                                 err));
        for (int32_t k = 0; k < table->n_keys && n_candidates > 0; k++)
            n_candidates = fl_rows_match(table->store.layout, k, &keys[k], list, ret_rows, candidates, n_candidates,
                                         differ, &n_differ);
        for (int32_t d = 0; d < n_differ; d++) { /* another key with this tag: on to the next slot */
            slots[differ[d]] = (slots[differ[d]] + 1) & mask;
            pending[d] = differ[d];
        }
        n_pending = n_differ;
    }
    FL_ASSERT_NO_FAULT(rows_fault(hashes, count, inserts, ret_rows));
cleanup:
    return st;
}

fl_status fl_group_table_find(fl_group_table *table, const fl_vec *keys, const uint16_t *list, int32_t count,
                              uint64_t seed, bool inserts, uint8_t **ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    struct fl_group_scratch *s = table->scratch;
    fl_group_index *index = &table->index;
    int32_t n_misses = 0, n_far = 0, n_fresh = 0;
    bool is_used = false;
    FL_ASSERT_NO_FAULT(fl_list_fault(list, count, UINT16_MAX + 1));
    FL_TRY(fl_group_index_find(index, keys, list, count, ret_rows, s->misses, &n_misses, &is_used, err));
    if (!is_used) {
        fl_rows_hash(keys, table->n_keys, list, count, seed, s->hashes);
        return fl_group_table_find_hashed(table, keys, list, count, s->hashes, inserts, ret_rows, err);
    }
    for (int32_t m = 0; m < n_misses; m++) {
        int32_t i = s->misses[m];
        uint32_t place = index->places[i];
        if (!index->is_complete || place >= index->n_places) {
            s->misses[n_far] = (uint16_t)i;
            s->far[n_far++] = list[i];
            continue;
        }
        if (index->rows[place] == NULL && inserts) {
            FL_TRY(fl_row_store_add_one(&table->store, &index->rows[place], err));
            s->fresh_rows[n_fresh] = index->rows[place];
            s->fresh[n_fresh++] = list[i];
        }
        ret_rows[i] = index->rows[place];
    }
    for (int32_t k = 0; k < table->n_keys && n_fresh > 0; k++)
        FL_TRY(
            fl_rows_write(table->store.layout, k, &keys[k], s->fresh, n_fresh, s->fresh_rows, &table->store.heap, err));
    if (n_far == 0)
        return FL_OK;
    fl_rows_hash(keys, table->n_keys, s->far, n_far, seed, s->hashes);
    FL_TRY(fl_group_table_find_hashed(table, keys, s->far, n_far, s->hashes, inserts, s->far_rows, err));
    for (int32_t f = 0; f < n_far; f++) {
        int32_t i = s->misses[f];
        ret_rows[i] = s->far_rows[f];
        if (index->places[i] < index->n_places)
            index->rows[index->places[i]] = s->far_rows[f];
    }
cleanup:
    return st;
}

fl_status fl_group_table_append(fl_group_table *table, const fl_vec *keys, const uint16_t *list, int32_t count,
                                uint64_t seed, uint8_t **ret_rows, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_row_layout *layout = table->store.layout;
    uint64_t *hashes = table->scratch->hashes;
    FL_ASSERT(!table->index.is_complete && count <= table->rows_max);
    fl_rows_hash(keys, table->n_keys, list, count, seed, hashes);
    FL_TRY(make_room(table, table->n_hashed + count, table->n_hashed + count,
                     err)); /* so that nothing fails between here and the last row */
    FL_TRY(fl_row_store_add(&table->store, count, ret_rows, err));
    table->has_doubles = true;
    for (int32_t i = 0; i < count; i++)
        *(uint64_t *)ret_rows[i] = hashes[i];
    for (int32_t k = 0; k < table->n_keys; k++)
        FL_TRY(fl_rows_write(layout, k, &keys[k], list, count, ret_rows, &table->store.heap, err));
    for (int32_t i = 0; i < count; i++) {
        uint8_t *known = NULL;
        if (hashes[i] >> 60 != SAMPLED_PARTITION)
            continue;
        FL_TRY(fl_group_table_adopt_hashed(table, ret_rows[i], hashes[i], &known, err));
        table->n_sampled++;
        table->n_known += known != NULL;
    }
    FL_ASSERT(table->n_hashed <= table->store.rows);
cleanup:
    return st;
}

fl_status fl_group_table_adopt(fl_group_table *table, uint8_t *row, uint8_t **ret_known, fl_err *err)
{
    return fl_group_table_adopt_hashed(table, row, fl_row_hash(row), ret_known, err);
}

fl_status fl_group_table_adopt_hashed(fl_group_table *table, uint8_t *row, uint64_t hash, uint8_t **ret_known,
                                      fl_err *err)
{
    fl_status st = make_room(table, table->n_hashed + 1, table->n_hashed + 1, err);
    if (st != FL_OK)
        return st;
    uint64_t mask = (uint64_t)(table->n_entries - 1);
    *ret_known = NULL;
    FL_ASSERT_SLOW(fl_row_hash(row) == hash);
    for (uint64_t slot = hash & mask;; slot = (slot + 1) & mask) {
        uint64_t entry = table->entries[slot];
        if (entry == 0) {
            table->entries[slot] = entry_of(hash, row);
            table->n_hashed++;
            return FL_OK;
        }
        uint8_t *known = (uint8_t *)(uintptr_t)(entry & POINTER_MASK);
        if ((entry & ~POINTER_MASK) == (hash & ~POINTER_MASK) && fl_row_hash(known) == hash &&
            fl_rows_are_same(table->store.layout, table->n_keys, row, known)) {
            *ret_known = known;
            return FL_OK;
        }
    }
}
