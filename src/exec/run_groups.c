/* Run groups: a directory that new runs need not clear. */
#include "exec/run_groups.h"

#include "arrow/vec_check.h"
#include "base/hash.h"
#include "exec/runs.h"

#define ENTRIES_MIN 256     /* a power of two */
#define ENTRIES_LARGE 65536 /* beyond the nearest caches: from here on memory counts more than ways */
#define SMALLER_AGAIN 32    /* entries for each group of the run before that make the directory half as large */
#define CHECK_ROWS 65536    /* a power of two: groups of a seam between looks whether the statement shall stop */

struct fl_run_entry {
    uint64_t probe; /* the hash of the group's keys, or its one key */
    int64_t number; /* 1 + the group's place in the store; up to that of the run's begin: empty */
};

/* A group of the run under way. */
struct fl_open_group {
    uint8_t *row;
    uint64_t probe;
};

/* Of a batch: by row of its list, and by group that is new in it. */
struct fl_run_scratch {
    uint64_t *hashes, *probes; /* of the keys, has_words: of new groups alone; what entries are asked for */
    int64_t *numbers;
    uint8_t **fresh;
    uint16_t *firsts, *first_rows; /* where a group was seen first: its number in the list, its row in the batch */
    uint16_t *differ;              /* rows that are of another group than the one of their hash */
    uint16_t *matches, *pairs, *others, *pair_rows;
    uint8_t *marks; /* by pair, or whether a key of has_words is null */
};

static fl_status make_scratch(fl_run_groups *groups, fl_err *err)
{
    int64_t n = groups->rows_max;
    struct fl_run_scratch *s = NULL;
    fl_status st = fl_alloc(groups->store->memory, (int64_t)sizeof(*s) + n * (4 * 8 + 7 * 2 + 1), (void **)&s, err);
    if (st != FL_OK)
        return st;
    s->hashes = (uint64_t *)(s + 1);
    s->probes = s->hashes + n;
    s->numbers = (int64_t *)(s->probes + n);
    s->fresh = (uint8_t **)(s->numbers + n);
    s->firsts = (uint16_t *)(s->fresh + n);
    s->first_rows = s->firsts + n;
    s->differ = s->first_rows + n;
    s->matches = s->differ + n;
    s->pairs = s->matches + n;
    s->others = s->pairs + n;
    s->pair_rows = s->others + n;
    s->marks = (uint8_t *)(s->pair_rows + n);
    groups->scratch = s;
    return FL_OK;
}

fl_status fl_run_groups_init(fl_run_groups *groups, fl_row_store *store, int32_t n_ordered, int32_t n_keys,
                             int32_t rows_max, uint64_t seed, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = store->layout->types[n_keys - 1];
    FL_ASSERT(0 < n_ordered && n_ordered < n_keys);
    *groups = (fl_run_groups){.store = store,
                              .n_ordered = n_ordered,
                              .n_keys = n_keys,
                              .seed = seed,
                              .n_entries = ENTRIES_MIN,
                              .rows_max = rows_max};
    FL_TRY(fl_alloc_zero(store->memory, groups->n_entries * (int64_t)sizeof(*groups->entries),
                         (void **)&groups->entries, err));
    FL_TRY(make_scratch(groups, err));
    groups->has_words = n_keys == n_ordered + 1 && !fl_type_is_nested(type) && !fl_type_is_string(type) &&
                        !fl_type_is_float(type) && type.id != FL_BOOL && type.id != FL_DECIMAL &&
                        fl_type_width(type) <= 8;
    return FL_OK;
cleanup:
    fl_run_groups_drop(groups);
    return st;
}

void fl_run_groups_drop(fl_run_groups *groups)
{
    fl_free(groups->entries);
    fl_free(groups->open);
    fl_free(groups->scratch);
    *groups = (fl_run_groups){0};
}

/* Puts an entry into a directory that holds no other with its probe. */
static void put(struct fl_run_entry *entries, int64_t n_entries, uint64_t seed, struct fl_run_entry entry)
{
    uint64_t mask = (uint64_t)(n_entries - 1), slot = fl_hash_u64(entry.probe, seed) & mask;
    while (entries[slot].number != 0)
        slot = (slot + 1) & mask;
    entries[slot] = entry;
}

static void replace(fl_run_groups *groups, struct fl_run_entry *entries, int64_t n_entries)
{
    fl_free(groups->entries);
    groups->entries = entries;
    groups->n_entries = n_entries;
}

static int64_t groups_max(int64_t n_entries)
{
    return n_entries / (n_entries < ENTRIES_LARGE ? 4 : 2);
}

/* Makes the directory larger, for a run that began at `begin`. */
static fl_status enlarge(fl_run_groups *groups, int64_t begin, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = groups->n_entries * (groups->n_entries < ENTRIES_LARGE ? 4 : 2);
    struct fl_run_entry *entries = NULL;
    FL_TRY(fl_alloc_zero(groups->store->memory, n * (int64_t)sizeof(*entries), (void **)&entries, err));
    for (int64_t i = 0; i < groups->n_entries; i++)
        if (groups->entries[i].number > begin)
            put(entries, n, groups->seed, groups->entries[i]);
    replace(groups, entries, n);
cleanup:
    return st;
}

/* A directory as it was before the batch: with the groups in the store alone. */
static fl_status restore(fl_run_groups *groups, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = groups->n_entries, n_open = groups->store->rows - groups->begin;
    struct fl_run_entry *entries = NULL;
    while (n_open > groups_max(n))
        n *= 2;
    FL_TRY(fl_alloc_zero(groups->store->memory, n * (int64_t)sizeof(*entries), (void **)&entries, err));
    for (int64_t i = 0; i < n_open; i++)
        put(entries, n, groups->seed, (struct fl_run_entry){groups->open[i].probe, groups->begin + i + 1});
    replace(groups, entries, n);
cleanup:
    return st;
}

#define GATHER(type)                                                         \
    do {                                                                     \
        const type *x = key->data;                                           \
        for (int32_t i = 0; i < count; i++)                                  \
            groups->scratch->probes[i] = (uint64_t)x[is_same ? 0 : list[i]]; \
    } while (0)

/* The values of the one other key, and by `marks` which are nulls; whether any is. */
static bool gather_words(fl_run_groups *groups, const fl_vec *key, const uint16_t *list, int32_t count)
{
    bool is_same = key->layout == FL_CONST, any = false;
    switch (key->width) {
    case 1:
        GATHER(uint8_t);
        break;
    case 2:
        GATHER(uint16_t);
        break;
    case 4:
        GATHER(uint32_t);
        break;
    default:
        FL_ASSERT(key->width == 8);
        GATHER(uint64_t);
    }
    for (int32_t i = 0; i < count && key->valid != NULL; i++)
        any |= groups->scratch->marks[i] = !fl_bit_get(key->valid, is_same ? 0 : list[i]);
    return any;
}

/* Gives each row the number of the first group of its run that has its probe, or a new one. *begin: that of the run under way. */
static fl_status number_rows(fl_run_groups *groups, const uint16_t *list, int32_t count, const uint8_t *starts,
                             bool has_nulls, int64_t *begin, int32_t *ret_fresh, fl_err *err)
{
    fl_status st = FL_OK;
    struct fl_run_scratch *s = groups->scratch;
    struct fl_run_entry *entries = groups->entries;
    uint64_t mask = (uint64_t)(groups->n_entries - 1);
    uint64_t seed = groups->seed;
    int64_t most = groups_max(groups->n_entries);
    int64_t known = groups->store->rows, next = known; /* groups so far */
    for (int32_t i = 0; i < count; i++) {
        if (starts[i]) {
            /* Smaller again behind a run that was larger than others. */
            if (groups->n_entries > ENTRIES_MIN && (next - *begin) * SMALLER_AGAIN < groups->n_entries)
                groups->n_entries /= 2;
            mask = (uint64_t)(groups->n_entries - 1);
            most = groups_max(groups->n_entries);
            *begin = next;
        }
        uint64_t probe = s->probes[i], slot = fl_hash_u64(probe, seed) & mask;
        bool is_null = has_nulls && s->marks[i];
        while (entries[slot].number > *begin && entries[slot].probe != probe)
            slot = (slot + 1) & mask;
        int64_t *number = is_null ? &groups->null_number : &entries[slot].number;
        if (*number > *begin) {
            s->numbers[i] = *number - 1;
            continue;
        }
        s->firsts[next - known] = (uint16_t)i;
        s->first_rows[next - known] = list[i];
        s->numbers[i] = next++;
        *number = next;
        if (!is_null)
            entries[slot].probe = probe;
        if (next - *begin > most) {
            FL_TRY(enlarge(groups, *begin, err));
            entries = groups->entries;
            mask = (uint64_t)(groups->n_entries - 1);
            most = groups_max(groups->n_entries);
        }
    }
    *ret_fresh = (int32_t)(next - known);
cleanup:
    return st;
}

/* Which rows are not of the group that their hash led to: scratch's `differ`. */
static int32_t find_differing(fl_run_groups *groups, const fl_vec *keys, const uint16_t *list, int32_t count,
                              uint8_t **rows)
{
    struct fl_run_scratch *s = groups->scratch;
    int64_t known = groups->store->rows;
    int32_t n_old = 0, n_pairs = 0, n_differ = 0;
    for (int32_t i = 0; i < count; i++) {
        int64_t number = s->numbers[i];
        if (number < known) {
            rows[i] = groups->open[number - groups->begin].row;
            s->matches[n_old++] = (uint16_t)i;
        } else if (s->firsts[number - known] != i) {
            s->pairs[n_pairs] = list[i];
            s->others[n_pairs] = s->first_rows[number - known];
            s->pair_rows[n_pairs++] = (uint16_t)i;
        }
    }
    memset(s->marks, 0, (size_t)n_pairs);
    for (int32_t k = groups->n_ordered; k < groups->n_keys; k++) {
        if (n_old > 0)
            n_old =
                fl_rows_match(groups->store->layout, k, &keys[k], list, rows, s->matches, n_old, s->differ, &n_differ);
        fl_runs_mark_pairs(&keys[k], s->pairs, s->others, n_pairs, s->marks);
    }
    for (int32_t p = 0; p < n_pairs; p++)
        if (s->marks[p])
            s->differ[n_differ++] = s->pair_rows[p];
    return n_differ;
}

fl_status fl_run_groups_find(fl_run_groups *groups, const fl_vec *keys, const uint16_t *list, int32_t count,
                             const uint8_t *starts, uint8_t **ret_rows, int32_t *ret_fresh, fl_err *err)
{
    fl_status st = FL_OK;
    struct fl_run_scratch *s = groups->scratch;
    fl_row_store *store = groups->store;
    int64_t known = store->rows, begin;
    int32_t n_fresh = 0, n_differ;
    FL_ASSERT(count <= groups->rows_max);
    FL_ASSERT(count == 0 || starts[0] || known > groups->begin);
    FL_ASSERT_NO_FAULT(fl_list_fault(list, count, UINT16_MAX + 1));
    const fl_vec *others = keys + groups->n_ordered;
    int32_t n_others = groups->n_keys - groups->n_ordered;
    bool has_nulls = groups->has_words && gather_words(groups, others, list, count);
    if (!groups->has_words) {
        fl_rows_hash(others, n_others, list, count, groups->seed, s->hashes);
        memcpy(s->probes, s->hashes, (size_t)count * 8);
    }
    for (;;) {
        begin = groups->begin;
        FL_TRY(number_rows(groups, list, count, starts, has_nulls, &begin, &n_fresh, err));
        if (groups->has_words)
            break;
        n_differ = find_differing(groups, keys, list, count, ret_rows);
        if (n_differ == 0)
            break;
        /* Different keys have the same hash, all 64 bits of it: their rows are looked up by the next one of a sequence, as if
         * this were another entry of the way. All rows of a key go the same way as long as the run lasts. */
        for (int32_t d = 0; d < n_differ; d++)
            s->probes[s->differ[d]] = fl_hash_combine(s->probes[s->differ[d]], groups->seed);
        FL_TRY(restore(groups, err));
    }
    FL_TRY(fl_grow(store->memory, (void **)&groups->open, &groups->open_capacity,
                   (begin < known ? known - begin : 0) + n_fresh + 1, (int64_t)sizeof(*groups->open), err));
    FL_TRY(fl_row_store_add(store, n_fresh, s->fresh, err));
    for (int32_t k = 0; k < groups->n_keys && n_fresh > 0; k++)
        FL_TRY(fl_rows_write(store->layout, k, &keys[k], s->first_rows, n_fresh, s->fresh, &store->heap, err));
    if (groups->has_words) /* seams ask for the hashes of groups, nobody for those of rows */
        fl_rows_hash(others, n_others, s->first_rows, n_fresh, groups->seed, s->hashes);
    for (int32_t f = 0; f < n_fresh; f++)
        *(uint64_t *)s->fresh[f] = s->hashes[groups->has_words ? f : s->firsts[f]];
    for (int32_t i = 0; i < count; i++) {
        int64_t number = s->numbers[i];
        ret_rows[i] = number < known ? groups->open[number - groups->begin].row : s->fresh[number - known];
    }
    for (int64_t number = begin < known ? known : begin; number < store->rows; number++)
        groups->open[number - begin] =
            (struct fl_open_group){s->fresh[number - known], s->probes[s->firsts[number - known]]};
    FL_ASSERT(store->rows == known + n_fresh && begin <= store->rows);
    groups->begin = begin;
    *ret_fresh = n_fresh;
cleanup:
    return st;
}

/* ---- seams -------------------------------------------------------------------------------------------------------- */

fl_status fl_run_groups_join(fl_exec *exec, const fl_row_layout *layout, int32_t n_ordered, int32_t n_keys,
                             uint8_t **rows, const int64_t *starts, int64_t n_stretches, fl_group_combine combine,
                             void *ctx, fl_arena *heap, int64_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_group_table table = {0}; /* with the groups of the last run, where is_listed */
    bool is_listed = false;
    int64_t kept = 0, run = 0; /* where the last run begins */
    for (int64_t s = 0; s < n_stretches; s++) {
        int64_t from = starts[s], end = starts[s + 1];
        FL_TRY(fl_exec_check(exec, err));
        while (kept > 0 && from < end && fl_rows_are_same(layout, n_ordered, rows[run], rows[from])) {
            uint8_t *same = NULL;
            if (!is_listed) {
                if (table.store.layout != NULL)
                    fl_group_table_drop(&table);
                FL_TRY(fl_group_table_init(&table, layout, n_keys, 1, exec->context.memory, err));
                for (int64_t i = run; i < kept; i++)
                    FL_TRY(fl_group_table_adopt(&table, rows[i], &same, err));
                is_listed = true;
            }
            FL_TRY(fl_group_table_adopt(&table, rows[from], &same, err));
            if (same == NULL)
                rows[kept++] = rows[from];
            else
                FL_TRY(combine(ctx, same, rows[from], heap, err));
            if ((++from & (CHECK_ROWS - 1)) == 0)
                FL_TRY(fl_exec_check(exec, err));
        }
        if (from == end)
            continue;
        int64_t first = kept;
        if (kept < from)
            memmove(rows + kept, rows + from, (size_t)(end - from) * sizeof(*rows));
        kept += end - from;
        for (run = kept - 1; run > first && fl_rows_are_same(layout, n_ordered, rows[run - 1], rows[kept - 1]);)
            run--;
        is_listed = false;
    }
    FL_ASSERT(n_stretches == 0 || kept <= starts[n_stretches]);
    *ret_n = kept;
cleanup:
    if (table.store.layout != NULL)
        fl_group_table_drop(&table);
    return st;
}
