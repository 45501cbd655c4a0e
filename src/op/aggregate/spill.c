/* Groups that leave memory. A worker writes its groups and what it collected beside them to partitions of the hash of the keys, and
 * begins anew; they come back pile by pile (exec/spilled_groups.h).
 *
 * Collected values of a DISTINCT aggregate can be fed in any order, so where a pile has too many of them they are split once more by
 * themselves, and fed to groups that stay where they are: one group's values need not fit. Without keys there is nothing else to
 * split by. What is fed in an order must fit, a group at a time. */
#include "op/aggregate/run.h"

#define ORDERED_WEIGHT 8    /* what sorted rows and the states made of them take, by what the rows do */
#define FED_WEIGHT 3        /* the same of rows that need not be read first */
#define MERGED_ROW_BYTES 80 /* what the merge of tables takes for each row: lists and directories */
#define LISTED_ROW_BYTES 8  /* what the list of groups in order takes */
#define DISTINCT_WEIGHT 4   /* the same of values whose states keep them */

/* ---- states -------------------------------------------------------------------------------------------------------- */

static bool is_saved(const agg_part *part)
{
    return part->feed == FEED_DIRECT && part->agg->kernel->state_kind == FL_STATE_SAVED;
}

static fl_status save(void *ctx, const uint8_t *row, fl_spill_bytes *to, fl_err *err)
{
    fl_status st = FL_OK;
    const aggregate_stage *stage = ctx;
    for (int32_t a = 0; a < stage->n_parts; a++) {
        const agg_part *part = &stage->parts[a];
        if (!is_saved(part))
            continue;
        fl_agg_call call = aggregate_call(part, NULL, NULL);
        int64_t bytes = 0, at = to->n;
        FL_TRY(fl_spill_bytes_add(to, &bytes, 8, err));
        FL_TRY(part->agg->kernel->save(&call, row + part->offset, to, err));
        bytes = to->n - at - 8;
        memcpy(to->data + at, &bytes, 8);
    }
cleanup:
    return st;
}

static fl_status load(void *ctx, uint8_t *row, const uint8_t *from, int64_t bytes, fl_arena *heap, fl_err *err)
{
    fl_status st = FL_OK;
    const uint8_t *end = from + bytes;
    const aggregate_stage *stage = ctx;
    for (int32_t a = 0; a < stage->n_parts; a++) {
        const agg_part *part = &stage->parts[a];
        int64_t own = 0;
        if (!is_saved(part))
            continue;
        fl_agg_call call = aggregate_call(part, NULL, heap);
        memcpy(&own, from, 8);
        FL_TRY(part->agg->kernel->load(&call, row + part->offset, from + 8, err));
        from += 8 + own;
    }
    FL_ASSERT(from == end); /* what save appended */
cleanup:
    return st;
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static bool side_can_spill(const aggregate_stage *stage, const agg_part *part)
{
    return part->feed == FEED_DISTINCT || (part->feed == FEED_ORDERED && stage->n_keys > 0);
}

static fl_status complete(void *ctx, fl_worker *worker, fl_group_pile *pile, bool *ret_is_split, fl_err *err);
static fl_status emit(void *ctx, fl_worker *worker, uint8_t **rows, int32_t count, fl_err *err);

static const fl_group_pile_ops pile_ops = {.complete = complete, .emit = emit};

fl_status fl_aggregate_plan_spill(aggregate_stage *stage, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_row_layout **layouts = NULL;
    int32_t n = 0;
    bool has_saved = false;
    if (!fl_spill_is_possible(stage->exec))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&stage->exec->arena, stage->n_parts + 1, &layouts, err));
    if (stage->n_keys > 0)
        layouts[n++] = &stage->layout;
    for (int32_t a = 0; a < stage->n_parts; a++) {
        agg_part *part = &stage->parts[a];
        has_saved |= is_saved(part);
        if (!side_can_spill(stage, part))
            continue;
        part->kind = n;
        layouts[n++] = &part->side;
    }
    stage->states = (fl_row_states){stage, save, load};
    stage->kinds = (fl_group_kinds){.exec = stage->exec,
                                    .node = stage->base.node,
                                    .n_kinds = n,
                                    .n_keys = stage->n_keys,
                                    .layouts = layouts,
                                    .states = has_saved && stage->n_keys > 0 ? &stage->states : NULL,
                                    .combine = fl_aggregate_combine_row,
                                    .ctx = stage};
    if (n > 0 && !stage->is_sorted)
        fl_group_piles_init(&stage->piles, &stage->kinds, &pile_ops);
    stage->can_spill = n > 0;
cleanup:
    return st;
}

void fl_aggregate_drop_spill(aggregate_stage *stage)
{
    if (stage->can_spill && !stage->is_sorted)
        fl_group_piles_drop(&stage->piles);
    fl_ordered_pages_drop(&stage->pages);
}

fl_status fl_aggregate_spill_side(aggregate_stage *stage, aggregate_local *local, int32_t a, fl_err *err)
{
    fl_status st = FL_OK;
    const agg_part *part = &stage->parts[a];
    fl_memory *memory = stage->exec->context.memory;
    if (part->feed == FEED_DISTINCT && local->distinct[a].store.rows > 0) {
        fl_group_table *table = &local->distinct[a];
        /* without keys values are divided by themselves, by the hash that they have here */
        FL_TRY(
            fl_group_parts_divide(&stage->kinds, &local->spilled, part->kind, &table->store, stage->n_keys == 0, err));
        fl_group_table_drop(table);
        FL_TRY(fl_group_table_init(table, &part->side, part->n_side, stage->exec->context.session->vector_rows, memory,
                                   err));
        FL_TRY(fl_group_table_add_index(table, NULL, err));
    }
    if (part->feed == FEED_ORDERED && local->ordered[a].rows > 0) {
        FL_TRY(fl_group_parts_divide(&stage->kinds, &local->spilled, part->kind, &local->ordered[a], false, err));
        fl_row_store_drop(&local->ordered[a]);
    }
cleanup:
    return st;
}

fl_status fl_aggregate_spill(aggregate_stage *stage, aggregate_local *local, fl_err *err)
{
    fl_status st = FL_OK;
    fl_group_table *table = &local->groups;
    for (int32_t a = 0; a < stage->n_parts; a++)
        if (stage->parts[a].kind >= 0)
            FL_TRY(fl_aggregate_spill_side(stage, local, a, err));
    if (stage->n_keys > 0 && table->store.rows > 0) {
        bool is_hashed = !table->index.is_complete;
        local->appends |= stage->n_collected == 0 && is_hashed && !local->looks_up && aggregate_repeats_few(local);
        local->n_seen = 0;
        FL_TRY(fl_group_parts_divide(&stage->kinds, &local->spilled, 0, &table->store, is_hashed, err));
        fl_group_table_drop(table);
        FL_TRY(fl_group_table_init(table, &stage->layout, stage->n_keys, stage->exec->context.session->vector_rows,
                                   stage->exec->context.memory, err));
        if (!local->appends)
            FL_TRY(fl_group_table_add_index(table, stage->ranges, err));
    }
cleanup:
    return st;
}

fl_status fl_aggregate_spill_if_due(aggregate_stage *stage, aggregate_local *local, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t bytes = stage->n_keys > 0 ? fl_group_table_bytes(&local->groups) : 0;
    for (int32_t a = 0; a < stage->n_parts; a++) {
        const agg_part *part = &stage->parts[a];
        const fl_row_store *store = &local->ordered[a];
        if (part->kind >= 0)
            bytes +=
                part->feed == FEED_DISTINCT ? fl_group_table_bytes(&local->distinct[a]) : fl_row_store_bytes(store);
    }
    if (!fl_spill_is_due(stage->exec, &local->holder, bytes))
        return FL_OK;
    if (stage->is_sorted)
        FL_TRY(fl_aggregate_spill_runs(stage, local, worker, err));
    else
        FL_TRY(fl_aggregate_spill(stage, local, err));
    fl_spill_gave_back(&local->holder);
cleanup:
    return st;
}

/* ---- feeding ------------------------------------------------------------------------------------------------------- */

typedef struct spill_counts {
    int64_t bytes, splits;
} spill_counts;

/* Feeds each value of a group once. level: by which their own hash is split when they are too many. */
static fl_status feed_distinct(aggregate_stage *stage, int32_t a, fl_spilled_rows *from, bool is_hashed, int32_t level,
                               const fed_groups *groups, spill_counts *counts, fl_err *err)
{
    fl_status st = FL_OK;
    fl_group_table table = {0};
    fl_spilled_rows parts[FL_SPILL_PARTITIONS];
    uint8_t **rows = NULL;
    int64_t n = 0;
    bool is_split = false;
    fl_group_reading gather = {.exec = stage->exec,
                               .n_keys = stage->parts[a].n_side,
                               .is_hashed = is_hashed,
                               .level = level,
                               .limit_bytes = fl_group_piles_share(&stage->piles)};
    if (from->n_pages == 0)
        return FL_OK;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        fl_spilled_rows_init(&parts[p], from->layout, NULL);
    FL_TRY(fl_group_read_rows(&gather, from, &table, parts, &is_split, &counts->bytes, err));
    counts->splits += is_split;
    if (is_split) {
        fl_group_table_drop(&table);
        for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
            FL_TRY(feed_distinct(stage, a, &parts[p], true, level + 1, groups, counts, err));
    } else {
        FL_TRY(fl_alloc(stage->exec->context.memory, fl_group_table_rows_max(&table) * 8 + 8, (void **)&rows, err));
        FL_TRY(fl_group_table_list(&table, rows, &n, err));
        FL_TRY(fl_aggregate_feed(stage, a, groups, rows, n, err));
    }
cleanup:
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        fl_spilled_rows_drop(&parts[p]);
    if (table.store.layout != NULL)
        fl_group_table_drop(&table);
    fl_free(rows);
    return st;
}

/* Feeds rows in their aggregate's order: all at once. */
static fl_status feed_ordered(aggregate_stage *stage, int32_t a, fl_spilled_rows *from, const fed_groups *groups,
                              fl_err *err)
{
    fl_status st = FL_OK;
    fl_memory *memory = stage->exec->context.memory;
    fl_row_page *pages = NULL;
    fl_arena heap;
    uint8_t **rows = NULL;
    int64_t n = 0, n_pages = 0;
    fl_arena_init(&heap, memory);
    FL_TRY(fl_alloc_zero(memory, (from->n_pages + 1) * (int64_t)sizeof(*pages), (void **)&pages, err));
    FL_TRY(fl_alloc(memory, from->rows * 8 + 8, (void **)&rows, err));
    for (; n_pages < from->n_pages; n_pages++) {
        FL_TRY(fl_spilled_rows_read(from, n_pages, &heap, &pages[n_pages], err));
        if (pages[n_pages].n > 0)
            memcpy(rows + n, pages[n_pages].rows, (size_t)pages[n_pages].n * 8);
        n += pages[n_pages].n;
    }
    FL_ASSERT(n == from->rows); /* for so many there is room */
    fl_spilled_rows_drop(from);
    FL_TRY(fl_aggregate_order_rows(stage, a, NULL, rows, &n, err));
    st = fl_aggregate_feed(stage, a, groups, rows, n, err);
cleanup:
    for (int64_t i = 0; i < n_pages; i++)
        fl_row_page_drop(&pages[i]);
    fl_free(pages);
    fl_free(rows);
    fl_arena_drop(&heap);
    return st;
}

/* ---- coming back --------------------------------------------------------------------------------------------------- */

/* What a source's morsel works for. */
typedef struct putting_out {
    aggregate_source *source;
    fl_stage *to;
} putting_out;

static fl_status complete(void *ctx, fl_worker *worker, fl_group_pile *pile, bool *ret_is_split, fl_err *err)
{
    fl_status st = FL_OK;
    aggregate_stage *stage = ((putting_out *)ctx)->source->stage;
    fed_groups groups = {.tables = &pile->table, .n_tables = 1, .heap = &pile->heap};
    spill_counts counts = {0};
    int64_t bytes = 0;
    for (int32_t a = 0; a < stage->n_parts; a++) {
        const agg_part *part = &stage->parts[a];
        if (part->feed == FEED_ORDERED)
            bytes += pile->rows[part->kind].bytes * ORDERED_WEIGHT;
        else if (part->feed == FEED_DISTINCT && part->agg->kernel->state_kind != FL_STATE_PLAIN)
            bytes += pile->rows[part->kind].bytes * DISTINCT_WEIGHT;
    }
    *ret_is_split = fl_group_pile_can_split(pile) && bytes > fl_group_piles_share(&stage->piles);
    for (int32_t a = 0; a < stage->n_parts && !*ret_is_split; a++) {
        const agg_part *part = &stage->parts[a];
        if (part->feed == FEED_DISTINCT)
            FL_TRY(feed_distinct(stage, a, &pile->rows[part->kind], false, 0, &groups, &counts, err));
        else if (part->feed == FEED_ORDERED)
            FL_TRY(feed_ordered(stage, a, &pile->rows[part->kind], &groups, err));
    }
    fl_spill_count(worker, stage->base.node, counts.bytes, counts.splits);
cleanup:
    return st;
}

static fl_status emit(void *ctx, fl_worker *worker, uint8_t **rows, int32_t count, fl_err *err)
{
    putting_out *out = ctx;
    return fl_aggregate_emit(out->source, worker, out->to, rows, count, err);
}

fl_status fl_aggregate_run_spilled(aggregate_source *source, fl_worker *worker, fl_stage *to, bool *ret_any,
                                   fl_err *err)
{
    putting_out out = {source, to};
    return fl_group_piles_run(&source->stage->piles, worker, &out, ret_any, err);
}

/* ---- the end of the input ------------------------------------------------------------------------------------------ */

typedef struct ending {
    aggregate_stage *stage;
    aggregate_local *const *locals;
    int32_t a;
    fl_group_pile *piles[FL_SPILL_PARTITIONS];
    uint8_t *rows[FL_SPILL_PARTITIONS]; /* of a state each */
    spill_counts counts[FL_SPILL_PARTITIONS];
} ending;

static fl_status spill_rest(void *ctx, int32_t w, fl_err *err)
{
    ending *e = ctx;
    return e->locals[w] == NULL ? FL_OK : fl_aggregate_spill(e->stage, e->locals[w], err);
}

static fl_status feed_partition(void *ctx, int32_t p, fl_err *err)
{
    ending *e = ctx;
    fl_group_pile *pile = e->piles[p];
    fed_groups groups = {.single = e->rows[p], .heap = &pile->heap};
    return feed_distinct(e->stage, e->a, &pile->rows[e->stage->parts[e->a].kind], true, 1, &groups, &e->counts[p], err);
}

/* Without keys: each partition's values go to a state of their own, so that workers share them. */
static fl_status feed_single(aggregate_stage *stage, ending *e, uint8_t *single, fl_err *err)
{
    fl_status st = FL_OK;
    const agg_part *part = &stage->parts[e->a];
    fl_agg_call call = aggregate_call(part, NULL, &stage->heap);
    fl_group_pile *pile = stage->piles.first;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++, pile = pile->next) {
        e->piles[p] = pile;
        FL_TRY(fl_arena_get_zero(&pile->heap, stage->layout.bytes, (void **)&e->rows[p], err));
    }
    FL_TRY(fl_exec_parallel(stage->exec, FL_SPILL_PARTITIONS, feed_partition, e, err));
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        FL_TRY(part->agg->kernel->combine(&call, single + part->offset, e->rows[p] + part->offset, err));
cleanup:
    return st;
}

bool fl_aggregate_can_finish(const aggregate_stage *stage, aggregate_local *const *locals, int32_t n_locals)
{
    int64_t needed = 0;
    for (int32_t w = 0; w < n_locals; w++) {
        const aggregate_local *local = locals[w];
        if (local == NULL)
            continue;
        needed +=
            stage->n_keys > 0 ? local->groups.store.rows * (stage->is_sorted ? LISTED_ROW_BYTES : MERGED_ROW_BYTES) : 0;
        for (int32_t a = 0; a < stage->n_parts; a++) {
            const agg_part *part = &stage->parts[a];
            if (part->feed == FEED_DISTINCT)
                needed += local->distinct[a].store.rows * MERGED_ROW_BYTES;
            else if (part->feed == FEED_ORDERED)
                needed += (local->ordered[a].rows * part->side.bytes + local->ordered[a].heap.bytes) * FED_WEIGHT;
        }
    }
    return needed == 0 || fl_spill_has_room(stage->exec, needed, FL_SPILL_FREE_PART);
}

fl_status fl_aggregate_finish_spill(aggregate_stage *stage, aggregate_local *const *locals, int32_t n_locals,
                                    uint8_t *single, fl_err *err)
{
    fl_status st = FL_OK;
    ending e = {.stage = stage, .locals = locals};
    int64_t bytes = 0, splits = 0;
    FL_TRY(fl_exec_parallel(stage->exec, n_locals, spill_rest, &e, err));
    for (int32_t w = 0; w < n_locals; w++)
        if (locals[w] != NULL) {
            bytes += locals[w]->spilled.bytes;
            FL_TRY(fl_group_piles_add(&stage->piles, &locals[w]->spilled, err));
        }
    for (int32_t a = 0; stage->piles.first != NULL && stage->n_keys == 0 && a < stage->n_parts; a++) {
        e.a = a;
        if (stage->parts[a].kind >= 0)
            FL_TRY(feed_single(stage, &e, single, err));
    }
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++) {
        bytes += e.counts[p].bytes;
        splits += e.counts[p].splits;
    }
    fl_spill_count(stage->exec->finisher, stage->base.node, bytes, splits);
cleanup:
    return st;
}
