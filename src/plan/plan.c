/* The plan as a container: its arena, columns, held tables, interned things; and column sets. */
#include "plan/plan_internal.h"

#include "base/hash.h"
#include "plan/registry.h"
#include "plan/table.h"

/* A plan that is made, with what it needs for that. */
typedef struct open_plan {
    fl_plan plan;
    fl_plan_making making;
} open_plan;

fl_status fl_plan_new(fl_memory *memory, const fl_registry *registry, fl_plan **ret, fl_err *err)
{
    open_plan *made = NULL;
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*made), (void **)&made, err);
    if (st != FL_OK)
        return st;
    fl_arena_init(&made->making.arena, memory);
    fl_index_map_init(&made->making.struct_places, &made->making.arena);
    fl_index_map_init(&made->making.derived, &made->making.arena);
    fl_index_map_init(&made->making.share_places, &made->making.arena);
    fl_index_map_init(&made->making.meeting_places, &made->making.arena);
    fl_index_map_init(&made->making.conditions, &made->making.arena);
    atomic_store(&made->plan.refs, 1);
    made->plan.memory = memory;
    made->plan.registry = fl_registry_ref(registry);
    made->plan.making = &made->making;
    *ret = &made->plan;
    return FL_OK;
}

fl_plan *fl_plan_ref(fl_plan *plan)
{
    atomic_fetch_add(&plan->refs, 1);
    return plan;
}

void fl_plan_unref(fl_plan *plan)
{
    if (plan == NULL || atomic_fetch_sub(&plan->refs, 1) > 1)
        return;
    fl_plan_making *making = plan->making;
    for (int32_t i = 0; i < plan->n_tables; i++)
        fl_table_unref(plan->tables[i]);
    if (making != NULL) {
        fl_free(plan->tables);
        fl_free(plan->cols);
        fl_free(plan->payloads);
        fl_free(making->structs);
        fl_free(making->implied);
        fl_free(making->shares);
        fl_free(making->meetings);
        fl_free(making->grids);
        fl_samples_free(making->samples);
        fl_free(making->props);
        fl_provenance_free(making->provenance);
        fl_free(making->orders);
        fl_free(making->scratch);
        fl_free(making->expanded);
        fl_free(making->exprs.slots);
        fl_free(making->nodes.slots);
        fl_free(making->traits.slots);
        fl_free(making->payload_places.slots);
        fl_arena_drop(&making->arena);
    }
    fl_registry_unref(plan->registry);
    fl_free(plan);
}

fl_status fl_plan_scratch_cols(fl_plan *plan, fl_col_id **ret, fl_err *err)
{
    fl_plan_making *making = plan->making;
    FL_ASSERT(making != NULL);
    fl_status st = fl_grow(plan->memory, (void **)&making->scratch, &making->scratch_capacity, plan->n_cols + 1,
                           (int64_t)sizeof(*making->scratch), err);
    *ret = making->scratch;
    return st;
}

fl_arena *fl_plan_arena(fl_plan *plan)
{
    FL_ASSERT(plan->making != NULL);
    return &plan->making->arena;
}

bool fl_plan_wants_many_rows(const fl_plan *plan)
{
    return plan->wants_many_rows;
}

fl_memory *fl_plan_memory(const fl_plan *plan)
{
    return plan->memory;
}

const fl_registry *fl_plan_registry(const fl_plan *plan)
{
    return plan->registry;
}

fl_status fl_plan_add_col(fl_plan *plan, const fl_col_info *info, fl_col_id *ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(plan->making != NULL);
    FL_TRY(fl_grow(plan->memory, (void **)&plan->cols, &plan->making->cols_capacity, plan->n_cols + 1,
                   (int64_t)sizeof(*plan->cols), err));
    fl_col_info copy = *info;
    FL_TRY(fl_arena_copy_str(fl_plan_arena(plan), info->name, &copy.name, err));
    FL_TRY(fl_type_copy(fl_plan_arena(plan), info->type, &copy.type, err));
    plan->cols[plan->n_cols] = copy;
    ret->n = plan->n_told = ++plan->n_cols;
cleanup:
    return st;
}

const fl_col_info *fl_plan_col(const fl_plan *plan, fl_col_id col)
{
    FL_ASSERT(col.n >= 1 && col.n <= plan->n_told);
    return &plan->cols[col.n - 1];
}

bool fl_plan_is_one_scan(const fl_plan *plan, fl_col_id a, fl_col_id b)
{
    const fl_col_info *x = fl_plan_col(plan, a), *y = fl_plan_col(plan, b);
    /* a scan's columns are numbered in a row; those that stand for some of them elsewhere may seem to begin where another table's do */
    return x->table != NULL && x->table == y->table && a.n - x->table_col == b.n - y->table_col;
}

void fl_plan_call_col(fl_plan *plan, fl_col_id col, fl_str name)
{
    FL_ASSERT(plan->making != NULL && col.n >= 1 && col.n <= plan->n_cols);
    if (plan->cols[col.n - 1].table == NULL)
        plan->cols[col.n - 1].name = name;
}

void fl_plan_place_subquery(fl_plan *plan, fl_col_id col, int32_t pos)
{
    FL_ASSERT(plan->making != NULL && col.n >= 1 && col.n <= plan->n_cols);
    plan->cols[col.n - 1].subquery_at = pos + 1;
}

int32_t fl_plan_cols(const fl_plan *plan)
{
    return plan->n_cols;
}

fl_status fl_plan_derive_once(fl_plan *plan, const fl_expr *expr, bool *ret_is_new, fl_err *err)
{
    *ret_is_new = fl_index_map_find(&plan->making->derived, fl_index_map_key(expr)) < 0;
    return *ret_is_new ? fl_index_map_add(&plan->making->derived, fl_index_map_key(expr), 0, err) : FL_OK;
}

fl_status fl_plan_note_implied(fl_plan *plan, const fl_expr *condition, const fl_expr *implied, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan_making *making = plan->making;
    int32_t at = fl_index_map_find(&making->conditions, fl_index_map_key(condition));
    FL_TRY(fl_grow(plan->memory, (void **)&making->implied, &making->implied_capacity, making->n_implied + 1,
                   (int64_t)sizeof(*making->implied), err));
    if (at < 0)
        FL_TRY(fl_index_map_add(&making->conditions, fl_index_map_key(condition), making->n_implied, err));
    making->implied[making->n_implied] = (fl_implied){implied, -1};
    while (at >= 0 && making->implied[at].next >= 0)
        at = making->implied[at].next;
    if (at >= 0)
        making->implied[at].next = making->n_implied;
    making->n_implied++;
cleanup:
    return st;
}

const fl_expr *fl_plan_implied(const fl_plan *plan, const fl_expr *condition, int32_t at)
{
    const fl_plan_making *making = plan->making;
    int32_t place = making == NULL ? -1 : fl_index_map_find(&making->conditions, fl_index_map_key(condition));
    while (place >= 0 && at-- > 0)
        place = making->implied[place].next;
    return place < 0 ? NULL : making->implied[place].expr;
}

const fl_func_desc *const *fl_plan_expanded(const fl_plan *plan, int32_t *ret_n)
{
    *ret_n = plan->making != NULL ? plan->making->n_expanded : 0;
    return plan->making != NULL ? plan->making->expanded : NULL;
}

int32_t fl_plan_nodes(const fl_plan *plan)
{
    return plan->n_nodes;
}

fl_status fl_plan_hold_table(fl_plan *plan, fl_table *table, fl_err *err)
{
    for (int32_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i] == table)
            return FL_OK;
    FL_ASSERT(plan->making != NULL);
    fl_status st = fl_grow(plan->memory, (void **)&plan->tables, &plan->making->tables_capacity, plan->n_tables + 1,
                           (int64_t)sizeof(*plan->tables), err);
    if (st == FL_OK)
        plan->tables[plan->n_tables++] = fl_table_ref(table);
    return st;
}

const void *fl_intern_find(const fl_intern *intern, uint64_t hash, bool (*is_same)(const void *ctx, const void *thing),
                           const void *ctx)
{
    if (intern->n_slots == 0)
        return NULL;
    for (int64_t i = (int64_t)(hash & (uint64_t)(intern->n_slots - 1));; i = (i + 1) & (intern->n_slots - 1)) {
        const fl_intern_slot *slot = &intern->slots[i];
        if (slot->thing == NULL)
            return NULL;
        if (slot->hash == hash && is_same(ctx, slot->thing))
            return slot->thing;
    }
}

static void put(fl_intern_slot *slots, int64_t n_slots, fl_intern_slot thing)
{
    int64_t i = (int64_t)(thing.hash & (uint64_t)(n_slots - 1));
    while (slots[i].thing != NULL)
        i = (i + 1) & (n_slots - 1);
    slots[i] = thing;
}

fl_status fl_intern_add(fl_plan *plan, fl_intern *intern, uint64_t hash, const void *thing, fl_err *err)
{
    if ((intern->n_used + 1) * 4 > intern->n_slots * 3) {
        int64_t grown = intern->n_slots == 0 ? 64 : intern->n_slots * 2;
        fl_intern_slot *slots = NULL;
        fl_status st = fl_alloc_zero(plan->memory, grown * (int64_t)sizeof(*slots), (void **)&slots, err);
        if (st != FL_OK)
            return st;
        for (int64_t i = 0; i < intern->n_slots; i++)
            if (intern->slots[i].thing != NULL)
                put(slots, grown, intern->slots[i]);
        fl_free(intern->slots);
        intern->slots = slots;
        intern->n_slots = grown;
    }
    put(intern->slots, intern->n_slots, (fl_intern_slot){hash, thing});
    intern->n_used++;
    return FL_OK;
}

void fl_col_set_init(fl_col_set *set)
{
    *set = (fl_col_set){0};
}

/* Makes room for words [first, end); grows by half at least, at the side where it grows, so that adding one by one is linear. */
static fl_status make_room(fl_arena *arena, fl_col_set *set, int32_t first, int32_t end, fl_err *err)
{
    int32_t set_end = set->first_word + set->n_words;
    uint64_t *words = NULL;
    FL_ASSERT(first >= 0 && first < end);
    if (set->n_words > 0 && first >= set->first_word && end <= set_end)
        return FL_OK;
    if (set->n_words > 0) {
        int32_t more = set->n_words / 2;
        first = first >= set->first_word ? set->first_word : first > more ? first - more : 0;
        end = end <= set_end ? set_end : end + more;
    }
    fl_status st = FL_NEW_ARRAY(arena, end - first, &words, err);
    if (st != FL_OK)
        return st;
    if (set->n_words > 0)
        memcpy(words + (set->first_word - first), set->words, (size_t)set->n_words * 8);
    *set = (fl_col_set){.first_word = first, .n_words = end - first, .words = words};
    return FL_OK;
}

/* The word that holds the ids [64 word, 64 word + 63]. */
static inline uint64_t word_of(const fl_col_set *set, int32_t word)
{
    int32_t at = word - set->first_word;
    return at >= 0 && at < set->n_words ? set->words[at] : 0;
}

fl_status fl_col_set_add(fl_arena *arena, fl_col_set *set, fl_col_id col, fl_err *err)
{
    fl_status st = make_room(arena, set, col.n >> 6, (col.n >> 6) + 1, err);
    if (st == FL_OK)
        set->words[(col.n >> 6) - set->first_word] |= 1ull << (col.n & 63);
    return st;
}

fl_status fl_col_set_add_cols(fl_arena *arena, fl_col_set *set, const fl_col_id *cols, int32_t n, fl_err *err)
{
    if (n == 0)
        return FL_OK;
    int32_t first = cols[0].n, last = first;
    for (int32_t i = 1; i < n; i++) {
        first = cols[i].n < first ? cols[i].n : first;
        last = cols[i].n > last ? cols[i].n : last;
    }
    fl_status st = make_room(arena, set, first >> 6, (last >> 6) + 1, err);
    for (int32_t i = 0; i < n && st == FL_OK; i++)
        set->words[(cols[i].n >> 6) - set->first_word] |= 1ull << (cols[i].n & 63);
    return st;
}

fl_status fl_col_set_add_all(fl_arena *arena, fl_col_set *set, const fl_col_set *other, fl_err *err)
{
    int32_t first = 0, end = other->n_words; /* its room to grow is no reason for more here: sets of sets would swell */
    while (first < end && other->words[first] == 0)
        first++;
    while (first < end && other->words[end - 1] == 0)
        end--;
    if (first == end)
        return FL_OK;
    fl_status st = make_room(arena, set, other->first_word + first, other->first_word + end, err);
    if (st == FL_OK)
        for (int32_t i = first; i < end; i++)
            set->words[other->first_word - set->first_word + i] |= other->words[i];
    return st;
}

void fl_col_set_remove(fl_col_set *set, fl_col_id col)
{
    int32_t at = (col.n >> 6) - set->first_word;
    if (at >= 0 && at < set->n_words)
        set->words[at] &= ~(1ull << (col.n & 63));
}

void fl_col_set_remove_all(fl_col_set *set, const fl_col_set *other)
{
    for (int32_t i = 0; i < set->n_words; i++)
        set->words[i] &= ~word_of(other, set->first_word + i);
}

void fl_col_set_keep_all(fl_col_set *set, const fl_col_set *other)
{
    for (int32_t i = 0; i < set->n_words; i++)
        set->words[i] &= word_of(other, set->first_word + i);
}

bool fl_col_set_has(const fl_col_set *set, fl_col_id col)
{
    return word_of(set, col.n >> 6) >> (col.n & 63) & 1;
}

bool fl_col_set_has_all(const fl_col_set *set, const fl_col_set *part)
{
    for (int32_t i = 0; i < part->n_words; i++)
        if (part->words[i] & ~word_of(set, part->first_word + i))
            return false;
    return true;
}

bool fl_col_set_meets(const fl_col_set *a, const fl_col_set *b)
{
    const fl_col_set *narrow = a->n_words < b->n_words ? a : b, *wide = narrow == a ? b : a;
    for (int32_t i = 0; i < narrow->n_words; i++)
        if (narrow->words[i] & word_of(wide, narrow->first_word + i))
            return true;
    return false;
}

bool fl_col_set_is_empty(const fl_col_set *set)
{
    for (int32_t i = 0; i < set->n_words; i++)
        if (set->words[i] != 0)
            return false;
    return true;
}

int32_t fl_col_set_count(const fl_col_set *set)
{
    int32_t n = 0;
    for (int32_t i = 0; i < set->n_words; i++)
        n += __builtin_popcountll(set->words[i]);
    return n;
}

fl_col_id fl_col_set_first(const fl_col_set *set)
{
    for (int32_t i = 0; i < set->n_words; i++)
        if (set->words[i] != 0)
            return (fl_col_id){(set->first_word + i) * 64 + __builtin_ctzll(set->words[i])};
    return (fl_col_id){0};
}
