/* Hash joins of which the build side does not fit: both sides go to the disk by the hash of the keys, and meet partition by
 * partition.
 *
 * While the build side comes in, a worker whose turn it is writes its rows to 16 partitions. Was anything written, the rest follows
 * when the side is finished, and the probe side's rows are not looked up but written to partitions of the same hash. When they
 * are all there each partition is joined by itself: its build rows are read, its probe rows go by in batches. One that is too large is
 * divided again, by the next bits of the hash. Where that does not help, as one key has most of the rows, its build rows are read
 * in blocks, for each of which all its probe rows go by; what is known of a probe row from one block (it has a partner) is
 * kept in bits for the next. Without keys all rows are one partition, read in blocks.
 *
 * Probe rows with a null in a key have no partner, and are dealt with at once.
 *
 * Where somebody may rely on the order of the probe side, each probe row carries its place: its morsel, and its number in it. What is put
 * out carries it on, those with a null in a key go the same way as the others, and all is sorted by it (exec/collect.h) before it goes
 * on to where it is wanted. */
#include "op/join/hash.h"

#include "exec/sorted_runs.h"
#include "plan/ordering.h"

#define WRITE_BYTES_MIN (64 << 10)
#define WRITE_BYTES_MAX (8 << 20) /* probe rows are collected up to here, so that blocks on the disk are large enough */
#define BLOCKS_MAX 4 /* a partition of more is divided: that takes as long as reading the probe rows twice more */

/* ---- planning ----------------------------------------------------------------------------------------------------- */

/* Whether somebody may rely on the order in which a node's rows come: scans have it in their traits then, others are what they are for
 * the sake of an order, or make one. */
static bool comes_in_order(const fl_node *node)
{
    for (;; node = node->inputs[0]) {
        int32_t how = fl_trait_get(node->traits, &fl_trait_implementation);
        if (fl_trait_get(node->traits, &fl_trait_ordering) != 0 || how == FL_IMPL_SORT || how == FL_IMPL_HEAP ||
            how == FL_IMPL_MERGE || how == FL_IMPL_SORTED || how == FL_IMPL_PARTLY_SORTED)
            return true;
        bool is_passed =
            node->op->gives == fl_ordering_gives_passed || (node->op == &fl_op_join && fl_join_keeps_left_order(node));
        if (node->n_inputs == 0 || !is_passed)
            return false;
    }
}

static int32_t add_column(fl_join_spill *spill, fl_type *types, int32_t from, fl_type type)
{
    types[spill->n_cols] = type;
    spill->col_from[spill->n_cols] = from;
    return spill->n_cols++;
}

/* Of a column of the probe input, or of a place behind them. */
static fl_type probe_type(const fl_join_pairs *pairs, int32_t col)
{
    const fl_node *node = pairs->probe_side;
    return col < node->n_cols ? fl_plan_col(pairs->exec->plan, node->cols[col])->type : FL_TYPE(FL_I64);
}

/* Keeps a column of the probe input. */
static void want_column(const fl_join_pairs *pairs, fl_join_spill *spill, fl_type *types, int32_t col)
{
    if (spill->col_of[col] < 0)
        spill->col_of[col] = add_column(spill, types, col, probe_type(pairs, col));
}

static bool keeps_unmatched_probe(const fl_join_pairs *pairs)
{
    return pairs->kind != FL_JOIN_INNER && pairs->kind != FL_JOIN_RIGHT && !pairs->build_left;
}

fl_status fl_join_spill_plan(fl_hash_join *join, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_pairs *pairs = &join->pairs;
    fl_join_spill *spill = &join->spill;
    fl_arena *arena = &pairs->exec->arena;
    fl_type *types = NULL;
    fl_index_map places;
    int32_t n_probe = pairs->probe_side->n_cols, n_all = n_probe + FL_JOIN_PLACE_COLS + pairs->n_keys + 1;
    spill->is_possible = fl_spill_is_possible(pairs->exec) && !join->is_one_enough;
    if (!spill->is_possible)
        return FL_OK;
    spill->is_ordered = fl_join_keeps_left_order(pairs->node) && comes_in_order(pairs->probe_side);
    spill->n_probe = n_probe + (spill->is_ordered ? FL_JOIN_PLACE_COLS : 0);
    pthread_mutex_init(&spill->begin_lock, NULL);
    pthread_mutex_init(&spill->lock, NULL);
    spill->has_locks = true;
    FL_TRY(FL_NEW_ARRAY(arena, n_all, &types, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_all, &spill->col_from, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_all, &spill->col_of, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_all, &spill->key_of, err));
    for (int32_t c = 0; c < spill->n_probe; c++)
        spill->col_of[c] = -1;
    for (int32_t c = n_probe; c < spill->n_probe; c++)
        want_column(pairs, spill, types, c);
    for (int32_t c = 0; c < pairs->node->n_cols; c++)
        if (pairs->out_from[c] >= 0)
            want_column(pairs, spill, types, pairs->out_from[c]);
    for (int32_t c = 0; c < pairs->n_pair_cols; c++)
        if (pairs->pair_from[c] >= 0)
            want_column(pairs, spill, types, pairs->pair_from[c]);
    FL_TRY(fl_exec_col_places(pairs->exec, pairs->probe_side->cols, n_probe, &places, err));
    for (int32_t k = 0; k < pairs->n_keys; k++) {
        const fl_expr *key = pairs->probe_exprs[k];
        int32_t col = key->kind == FL_EXPR_COLUMN ? fl_index_map_find(&places, (uint64_t)key->col.n) : -1;
        if (col >= 0) {
            want_column(pairs, spill, types, col);
            spill->key_of[k] = spill->col_of[col];
        } else {
            spill->key_of[k] = add_column(spill, types, -1 - k, key->type);
        }
    }
    st = fl_row_layout_init(&spill->layout, arena, types, spill->n_cols, 0, err);
cleanup:
    return st;
}

/* ---- what a worker has of a side ---------------------------------------------------------------------------------- */

void fl_join_rows_init(fl_join_rows *rows, const fl_row_layout *layout, fl_exec *exec, bool is_holder)
{
    fl_row_store_init(&rows->store, layout, exec->context.memory);
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        fl_spilled_rows_init(&rows->partitions[p], layout, NULL);
    if (is_holder)
        fl_spill_register(exec, &rows->holder);
}

void fl_join_rows_drop(fl_join_rows *rows)
{
    fl_row_store_drop(&rows->store);
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        fl_spilled_rows_drop(&rows->partitions[p]);
}

int64_t fl_join_rows_count(const fl_join_rows *rows)
{
    int64_t count = rows->store.rows;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        count += rows->partitions[p].rows;
    return count;
}

fl_status fl_join_rows_write(fl_join_rows *rows, fl_exec *exec, fl_err *err)
{
    fl_status st = FL_OK;
    fl_spill_file *file = NULL;
    if (rows->store.rows == 0)
        return FL_OK;
    FL_TRY(fl_spill_get_file(exec, &file, err));
    FL_TRY(fl_spilled_rows_divide(rows->partitions, 0, file, &rows->store, err));
    fl_row_store_drop(&rows->store);
    fl_spill_gave_back(&rows->holder);
    rows->has_spilled = true;
cleanup:
    return st;
}

static fl_status write_and_count(const fl_hash_join *join, fl_worker *worker, fl_join_rows *rows, fl_err *err)
{
    int64_t before = fl_spilled_rows_bytes(rows->partitions, FL_SPILL_PARTITIONS);
    fl_status st = fl_join_rows_write(rows, worker->exec, err);
    fl_spill_count(worker, join->pairs.node, fl_spilled_rows_bytes(rows->partitions, FL_SPILL_PARTITIONS) - before, 0);
    return st;
}

fl_status fl_join_rows_write_due(const fl_hash_join *join, fl_worker *worker, fl_join_rows *rows, fl_err *err)
{
    bool is_due =
        rows->store.rows > 0 && fl_spill_is_due(worker->exec, &rows->holder, fl_row_store_bytes(&rows->store));
    return is_due ? write_and_count(join, worker, rows, err) : FL_OK;
}

fl_status fl_join_rows_make_room(const fl_hash_join *join, fl_worker *worker, fl_join_rows *rows, fl_row_mark mark,
                                 fl_status st, bool *ret_again, fl_err *err)
{
    *ret_again = false;
    if (st != FL_ERR_MEMORY || mark.rows == 0)
        return st;
    fl_row_store_rewind(&rows->store, mark);
    *ret_again = true;
    return write_and_count(join, worker, rows, err);
}

/* ---- the build side ----------------------------------------------------------------------------------------------- */

bool fl_join_spill_has_room(const fl_hash_join *join, int64_t table_bytes)
{
    return fl_spill_has_room(join->pairs.exec, table_bytes, FL_SPILL_FREE_PART);
}

typedef struct writing {
    fl_exec *exec;
    fl_join_rows *const *rows;
} writing;

static fl_status write_rows_of(void *ctx, int32_t w, fl_err *err)
{
    const writing *work = ctx;
    return work->rows[w] == NULL ? FL_OK : fl_join_rows_write(work->rows[w], work->exec, err);
}

fl_status fl_join_spill_build(fl_hash_join *join, fl_join_rows *const *rows, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = join->pairs.exec;
    writing work = {exec, rows};
    int64_t bytes = 0;
    for (int32_t w = 0; w < n; w++)
        bytes -= rows[w] == NULL ? 0 : fl_spilled_rows_bytes(rows[w]->partitions, FL_SPILL_PARTITIONS);
    FL_TRY(fl_exec_parallel(exec, n, write_rows_of, &work, err));
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++) {
        fl_spilled_rows_init(&join->spill.build_rows[p], &join->pairs.layout, NULL);
        fl_spilled_rows_init(&join->spill.probe_rows[p], &join->spill.layout, NULL);
    }
    for (int32_t w = 0; w < n; w++) {
        bytes += rows[w] == NULL ? 0 : fl_spilled_rows_bytes(rows[w]->partitions, FL_SPILL_PARTITIONS);
        for (int32_t p = 0; p < FL_SPILL_PARTITIONS && rows[w] != NULL; p++)
            FL_TRY(fl_spilled_rows_move(&join->spill.build_rows[p], &rows[w]->partitions[p], err));
    }
    fl_spill_count(exec->finisher, join->pairs.node, bytes, 0);
    for (int32_t c = join->pairs.probe_side->n_cols; c < join->spill.n_probe; c++)
        join->pairs.out_from[join->pairs.n_out++] = c;
    join->spill.has_spilled = true;
    join->spill.rest->workers_max = 0;
cleanup:
    return st;
}

/* ---- the probe side ----------------------------------------------------------------------------------------------- */

static fl_status take_probe_rows(const fl_hash_join *join, fl_join_prober *prober, fl_worker *worker,
                                 const fl_batch *batch, const fl_vec *keys, int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_spill *spill = &join->spill;
    fl_row_store *store = &prober->rows.store;
    uint8_t **rows = prober->heads;
    fl_rows_hash(keys, join->pairs.n_keys, prober->list, count, worker->exec->context.session->seed, prober->hashes);
    FL_TRY(fl_row_store_add(store, count, rows, err));
    for (int32_t i = 0; i < count; i++)
        *(uint64_t *)rows[i] = prober->hashes[i];
    for (int32_t c = 0; c < spill->n_cols; c++) {
        int32_t from = spill->col_from[c];
        FL_TRY(fl_rows_write(&spill->layout, c, from >= 0 ? &batch->vec[from] : &keys[-1 - from], prober->list, count,
                             rows, &store->heap, err));
    }
cleanup:
    return st;
}

/* The batch with the places of its rows. */
static fl_status add_places(const fl_hash_join *join, fl_join_prober *prober, fl_worker *worker, const fl_batch *batch,
                            fl_batch *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *vecs = NULL;
    int64_t *numbers = NULL, place = (int64_t)fl_sorted_run_place(worker->pipeline, worker->morsel);
    if (place != prober->place)
        prober->n_seen = 0;
    prober->place = place;
    FL_TRY(FL_NEW_ARRAY(&worker->arena, join->spill.n_probe, &vecs, err));
    FL_TRY(fl_arena_get(&worker->arena, (int64_t)batch->rows * 8 + 64, (void **)&numbers, err));
    for (int32_t i = 0; i < batch->rows; i++)
        numbers[i] = prober->n_seen + i;
    prober->n_seen += batch->rows;
    memcpy(vecs, batch->vec, (size_t)batch->cols * sizeof(*vecs));
    fl_vec_set_const(&vecs[batch->cols], FL_TYPE(FL_I64), &prober->place);
    fl_vec_set_flat(&vecs[batch->cols + 1], FL_TYPE(FL_I64), numbers, NULL);
    *ret = *batch;
    ret->cols = join->spill.n_probe;
    ret->vec = vecs;
cleanup:
    return st;
}

/* Rows that are kept and not in the list. */
static fl_status pass_without_partner(const fl_hash_join *join, fl_join_prober *prober, fl_worker *worker,
                                      fl_stage *next, const fl_batch *batch, const fl_vec *keys, int32_t count,
                                      fl_err *err)
{
    fl_status st = FL_OK;
    int64_t words = fl_bitmap_words(batch->rows);
    uint64_t *mask = NULL;
    fl_batch others = *batch;
    others.kept = batch->kept - count;
    if (others.kept == 0)
        return FL_OK;
    FL_TRY(fl_arena_get(&worker->arena, words * 8 + 8, (void **)&mask, err));
    fl_bitmap_fill(mask, batch->rows, true);
    mask[words - 1] &= fl_bitmap_tail(batch->rows);
    if (batch->mask != NULL)
        memcpy(mask, batch->mask, (size_t)words * 8);
    for (int32_t i = 0; i < count; i++)
        fl_bit_clear(mask, prober->list[i]);
    others.mask = mask;
    st = fl_join_finish_batch(&join->pairs, &prober->pairs, worker, next, &others, keys, err);
cleanup:
    return st;
}

fl_status fl_join_spill_probe(fl_hash_join *join, fl_join_prober *prober, fl_worker *worker, fl_stage *next,
                              const fl_batch *batch, const fl_vec *keys, int32_t count, fl_err *err)
{
    fl_status st = FL_OK;
    bool again = false;
    int64_t share = fl_spill_share(worker->exec), bytes = fl_row_store_bytes(&prober->rows.store);
    fl_batch placed;
    int64_t most = share > WRITE_BYTES_MAX ? WRITE_BYTES_MAX : share < WRITE_BYTES_MIN ? WRITE_BYTES_MIN : share;
    if (bytes >= most)
        FL_TRY(write_and_count(join, worker, &prober->rows, err));
    FL_TRY(fl_join_rows_write_due(join, worker, &prober->rows, err));
    if (join->spill.is_ordered) {
        FL_TRY(add_places(join, prober, worker, batch, &placed, err));
        batch = &placed;
        if (keeps_unmatched_probe(&join->pairs)) /* those with a null in a key, too, wait for their turn */
            count = fl_join_list_rows(batch, prober->list);
    }
    if (count > 0) {
        fl_row_mark mark = fl_row_store_mark(&prober->rows.store);
        st = take_probe_rows(join, prober, worker, batch, keys, count, err);
        FL_TRY(fl_join_rows_make_room(join, worker, &prober->rows, mark, st, &again, err));
        if (again)
            FL_TRY(take_probe_rows(join, prober, worker, batch, keys, count, err));
    }
    st = pass_without_partner(join, prober, worker, next, batch, keys, count, err);
cleanup:
    return st;
}

static fl_status gather_probe_rows(fl_hash_join *join, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_spill *spill = &join->spill;
    for (int32_t w = 0; w < worker->exec->n_workers; w++) {
        fl_join_prober *prober = spill->probe->locals[w];
        if (prober == NULL)
            continue;
        FL_TRY(write_and_count(join, worker, &prober->rows, err));
        for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
            FL_TRY(fl_spilled_rows_move(&spill->probe_rows[p], &prober->rows.partitions[p], err));
    }
cleanup:
    return st;
}

/* ---- pages in memory ---------------------------------------------------------------------------------------------- */

/* Pages that were read, with what they take. */
typedef struct loaded {
    fl_row_page *pages;
    int64_t n, capacity;
    int64_t rows, bytes;
    fl_arena heap;
} loaded;

static void drop_loaded(loaded *l)
{
    fl_memory *memory = l->heap.memory;
    for (int64_t i = 0; i < l->n; i++)
        fl_row_page_drop(&l->pages[i]);
    fl_free(l->pages);
    fl_arena_drop(&l->heap);
    *l = (loaded){0};
    fl_arena_init(&l->heap, memory);
}

static fl_status load_page(const fl_spilled_rows *from, int64_t i, loaded *l, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_grow(NULL, (void **)&l->pages, &l->capacity, l->n + 1, (int64_t)sizeof(*l->pages), err));
    if (i + 1 < from->n_pages)
        fl_spill_file_prefetch(from->file, &from->pages[i + 1].block);
    FL_TRY(fl_spilled_rows_read(from, i, &l->heap, &l->pages[l->n], err));
    l->rows += l->pages[l->n].n;
    l->bytes += l->pages[l->n].bytes;
    l->n++;
cleanup:
    return st;
}

/* ---- dividing again ----------------------------------------------------------------------------------------------- */

/* Appends the rows of loaded pages to the partitions of their hashes. */
static fl_status divide_loaded(const loaded *l, int32_t level, fl_spill_file *file, fl_spilled_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t ends[FL_SPILL_PARTITIONS + 1] = {0}, at = 0;
    uint8_t **rows = NULL;
    FL_TRY(fl_alloc(l->heap.memory, l->rows * 8 + 8, (void **)&rows, err));
    for (int64_t i = 0; i < l->n; i++)
        for (int64_t r = 0; r < l->pages[i].n; r++)
            ends[fl_spill_partition(fl_row_hash(l->pages[i].rows[r]), level) + 1]++;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++)
        ends[p + 1] += ends[p];
    for (int64_t i = 0; i < l->n; i++)
        for (int64_t r = 0; r < l->pages[i].n; r++)
            rows[ends[fl_spill_partition(fl_row_hash(l->pages[i].rows[r]), level)]++] = l->pages[i].rows[r];
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; at = ends[p++])
        if (ends[p] > at)
            FL_TRY(fl_spilled_rows_add(&to[p], file, rows + at, ends[p] - at, err));
cleanup:
    fl_free(rows);
    return st;
}

/* Divides one side of a partition, `room` bytes at a time. */
static fl_status divide(const fl_spilled_rows *from, int32_t level, int64_t room, fl_memory *memory,
                        fl_spilled_rows *to, fl_err *err)
{
    fl_status st = FL_OK;
    loaded l = {0};
    fl_arena_init(&l.heap, memory);
    for (int64_t i = 0; i < from->n_pages; i++) {
        st = load_page(from, i, &l, err);
        if (st == FL_ERR_MEMORY && l.n > 0) { /* with what there is */
            st = FL_OK;
            i--;
            room = 0;
        }
        FL_TRY(st);
        if (l.bytes < room && i + 1 < from->n_pages)
            continue;
        FL_TRY(divide_loaded(&l, level, from->file, to, err));
        drop_loaded(&l);
    }
cleanup:
    drop_loaded(&l);
    return st;
}

/* ---- joining a partition ------------------------------------------------------------------------------------------ */

/* A partition that is to be joined, or under way: by one worker at a time, who may be another one each time. */
typedef struct fl_join_partition {
    struct fl_join_partition *next; /* of those that wait */
    fl_spilled_rows build, probe;
    int32_t level;
    bool is_hot; /* dividing it does not help */
    bool has_begun;
    loaded block; /* of its build rows */
    fl_join_built built;
    int64_t build_at;       /* page behind the block */
    int64_t block_from;     /* the block's first page */
    int64_t probe_at;       /* page of probe rows that goes by the block next */
    int64_t room;           /* for a block */
    bool is_first, is_last; /* the block */
    /* what is known of probe rows from the blocks before: for each batch what was found, and what is unknown */
    uint64_t *known;
    int64_t known_at, known_words, known_capacity;
} partition;

/* Who works on one: what it needs beside the partition. */
typedef struct joining {
    fl_hash_join *join;
    fl_join_prober *prober;
    fl_worker *worker;
    fl_stage *next;
    partition *at;
} joining;

static partition *pop(partition **list)
{
    partition *p = *list;
    if (p != NULL)
        *list = p->next;
    return p;
}

static void push(partition **list, partition *p)
{
    p->next = *list;
    *list = p;
}

static fl_status add_partition(fl_hash_join *join, fl_spilled_rows *build, fl_spilled_rows *probe, int32_t level,
                               bool is_hot, fl_err *err)
{
    partition *p = NULL;
    fl_status st = fl_alloc_zero(NULL, (int64_t)sizeof(*p), (void **)&p, err);
    if (st != FL_OK)
        return st;
    p->build = *build;
    p->probe = *probe;
    fl_spilled_rows_init(build, p->build.layout, NULL);
    fl_spilled_rows_init(probe, p->probe.layout, NULL);
    p->level = level;
    p->is_hot = is_hot;
    fl_arena_init(&p->block.heap, join->pairs.exec->context.memory);
    p->built.hash_turn = 4 * (level + 1);
    pthread_mutex_lock(&join->spill.lock);
    push(&join->spill.waiting, p);
    pthread_mutex_unlock(&join->spill.lock);
    return FL_OK;
}

static void drop_block(partition *p)
{
    drop_loaded(&p->block);
    fl_join_table_drop(&p->built.table);
    fl_free(p->built.all_rows);
    p->built.all_rows = NULL;
    p->built.n_all_rows = 0;
}

static void free_partition(partition *p)
{
    drop_block(p);
    fl_spilled_rows_drop(&p->build);
    fl_spilled_rows_drop(&p->probe);
    fl_free(p->known);
    fl_free(p);
}

/* Reads the next build pages, as many as fit. */
static fl_status load_block(partition *p, fl_err *err)
{
    fl_status st = FL_OK;
    while (p->build_at < p->build.n_pages) {
        int64_t bytes = p->block.bytes + p->build.pages[p->build_at].block.raw_bytes;
        if (p->block.n > 0 && bytes + fl_join_table_bytes(p->block.rows, false, 0, 0) > p->room)
            return FL_OK;
        st = load_page(&p->build, p->build_at, &p->block, err);
        if (st == FL_ERR_MEMORY && p->block.n > 0)
            return FL_OK;
        FL_TRY(st);
        p->build_at++;
    }
cleanup:
    return st;
}

static fl_status enter_block(const fl_hash_join *join, partition *p, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = join->pairs.exec;
    fl_memory *memory = exec->context.memory;
    int32_t turn = p->built.hash_turn;
    if (join->pairs.n_keys == 0)
        FL_TRY(fl_alloc(memory, p->block.rows * 8 + 8, (void **)&p->built.all_rows, err));
    else
        FL_TRY(fl_join_table_init(&p->built.table, &join->pairs.layout, p->block.rows, false, 0, 0, memory, err));
    for (int64_t i = 0; i < p->block.n; i++) {
        FL_TRY(fl_exec_check(exec, err));
        for (int64_t r = 0; r < p->block.pages[i].n; r++) {
            uint8_t *row = p->block.pages[i].rows[r];
            uint64_t hash = fl_row_hash(row);
            if (join->pairs.n_keys == 0) {
                p->built.all_rows[p->built.n_all_rows++] = row;
                continue;
            }
            *(uint64_t *)row = hash << turn | hash >> (64 - turn);
            if (fl_join_can_match(join, row))
                fl_join_table_add(&p->built.table, row, 0);
        }
    }
cleanup:
    return st;
}

/* What the blocks before know of the next batch's rows; in the first one, room for what it will. */
static fl_status recall(const joining *j, int32_t rows, fl_err *err)
{
    partition *p = j->at;
    int64_t words = fl_bitmap_words(rows);
    fl_pair_list *list = &j->prober->pairs;
    if (!p->is_first) {
        FL_ASSERT(p->known_at + 2 * words <= p->known_words);
        memcpy(list->found, p->known + p->known_at, (size_t)words * 8);
        memcpy(list->unknown, p->known + p->known_at + words, (size_t)words * 8);
    } else if (!p->is_last) {
        p->known_words += 2 * words;
        return fl_grow(j->worker->exec->context.memory, (void **)&p->known, &p->known_capacity, p->known_words, 8, err);
    }
    return FL_OK;
}

static void remember(const joining *j, int32_t rows)
{
    partition *p = j->at;
    int64_t words = fl_bitmap_words(rows);
    if (!p->is_last) {
        memcpy(p->known + p->known_at, j->prober->pairs.found, (size_t)words * 8);
        memcpy(p->known + p->known_at + words, j->prober->pairs.unknown, (size_t)words * 8);
    }
    p->known_at += 2 * words;
}

/* Makes a batch of the probe side of rows that came back, and its keys. */
static fl_status read_batch(const fl_hash_join *join, fl_arena *arena, uint8_t *const *rows, int32_t n, fl_batch *ret,
                            fl_vec **ret_keys, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_pairs *pairs = &join->pairs;
    const fl_join_spill *spill = &join->spill;
    fl_vec *vecs = NULL, *keys = NULL;
    FL_TRY(FL_NEW_ARRAY(arena, spill->n_probe + 1, &vecs, err));
    FL_TRY(FL_NEW_ARRAY(arena, pairs->n_keys + 1, &keys, err));
    for (int32_t c = 0; c < spill->n_probe; c++)
        if (spill->col_of[c] >= 0)
            FL_TRY(fl_rows_read(&spill->layout, spill->col_of[c], rows, n, arena, &vecs[c], err));
        else
            fl_vec_set_const(&vecs[c], probe_type(pairs, c), NULL);
    for (int32_t k = 0; k < pairs->n_keys; k++) {
        int32_t col = spill->key_of[k], from = spill->col_from[col];
        if (from >= 0)
            keys[k] = vecs[from];
        else
            FL_TRY(fl_rows_read(&spill->layout, col, rows, n, arena, &keys[k], err));
    }
    *ret = (fl_batch){.rows = n, .cols = spill->n_probe, .vec = vecs, .kept = n};
    *ret_keys = keys;
cleanup:
    return st;
}

static fl_status probe_batch(const joining *j, uint8_t *const *rows, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_join_pairs *pairs = &j->join->pairs;
    partition *p = j->at;
    fl_batch batch;
    fl_vec *keys = NULL;
    bool is_kept = keeps_unmatched_probe(pairs);
    fl_arena_reset(&j->worker->arena);
    FL_TRY(read_batch(j->join, &j->worker->arena, rows, n, &batch, &keys, err));
    for (int32_t i = 0; i < n; i++)
        j->prober->list[i] = (uint16_t)i;
    memset(j->prober->pairs.found, 0, (size_t)fl_bitmap_words(n) * 8);
    memset(j->prober->pairs.unknown, 0, (size_t)fl_bitmap_words(n) * 8);
    if (is_kept)
        FL_TRY(recall(j, n, err));
    int32_t usable = fl_join_drop_null_keys(pairs, keys, j->prober->list, n);
    if (p->block.rows > 0)
        FL_TRY(fl_join_probe_rows(j->join, &p->built, j->prober, j->worker, j->next, &batch, keys, usable, err));
    if (is_kept)
        remember(j, n);
    if (p->is_last)
        st = fl_join_finish_batch(pairs, &j->prober->pairs, j->worker, j->next, &batch, keys, err);
cleanup:
    return st;
}

/* A page of the probe side goes by the block. */
static fl_status probe_page(const joining *j, int64_t page, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t rows_max = j->worker->exec->context.session->vector_rows;
    loaded l = {0};
    fl_arena_init(&l.heap, j->worker->exec->context.memory);
    FL_TRY(load_page(&j->at->probe, page, &l, err));
    for (int64_t r = 0; r < l.rows; r += rows_max)
        FL_TRY(probe_batch(j, l.pages[0].rows + r, (int32_t)(l.rows - r < rows_max ? l.rows - r : rows_max), err));
cleanup:
    drop_loaded(&l);
    return st;
}

static fl_status begin_block(const joining *j, fl_err *err)
{
    fl_status st = FL_OK;
    partition *p = j->at;
    p->block_from = p->build_at;
    for (;;) {
        FL_TRY(load_block(p, err));
        st = enter_block(j->join, p, err);
        if (st != FL_ERR_MEMORY || p->block.n <= 1)
            break;
        p->room = p->block.bytes / 2; /* the table did not fit: once more with half as many */
        p->build_at = p->block_from;
        drop_block(p);
    }
    p->is_first = p->block_from == 0;
    p->is_last = p->build_at == p->build.n_pages;
    p->probe_at = p->known_at = 0;
cleanup:
    return st;
}

/* All probe rows went by the block. */
static fl_status end_block(const joining *j, fl_err *err)
{
    fl_status st = FL_OK;
    partition *p = j->at;
    for (int64_t i = 0; i < p->block.n && j->join->keeps_unmatched_build; i++)
        FL_TRY(
            fl_join_emit_build_rows(j->join, j->worker, j->next, p->block.pages[i].rows[0], p->block.pages[i].n, err));
    drop_block(p);
cleanup:
    return st;
}

/* Divides both sides by the next bits; what comes of it waits to be joined. */
static fl_status divide_partition(const joining *j, int64_t room, fl_err *err)
{
    fl_status st = FL_OK;
    partition *p = j->at;
    fl_memory *memory = j->worker->exec->context.memory;
    fl_spilled_rows builds[FL_SPILL_PARTITIONS], probes[FL_SPILL_PARTITIONS];
    int64_t rows = p->build.rows;
    int32_t level = p->level + 1;
    for (int32_t i = 0; i < FL_SPILL_PARTITIONS; i++) {
        fl_spilled_rows_init(&builds[i], p->build.layout, NULL);
        fl_spilled_rows_init(&probes[i], p->probe.layout, NULL);
    }
    FL_TRY(divide(&p->build, level, room, memory, builds, err));
    fl_spilled_rows_drop(&p->build);
    FL_TRY(divide(&p->probe, level, room, memory, probes, err));
    fl_spilled_rows_drop(&p->probe);
    fl_spill_count(
        j->worker, j->join->pairs.node,
        fl_spilled_rows_bytes(builds, FL_SPILL_PARTITIONS) + fl_spilled_rows_bytes(probes, FL_SPILL_PARTITIONS), 1);
    for (int32_t i = 0; i < FL_SPILL_PARTITIONS; i++) {
        bool is_hot = builds[i].rows > rows / 4 * 3;
        FL_TRY(add_partition(j->join, &builds[i], &probes[i], level, is_hot, err));
    }
cleanup:
    for (int32_t i = 0; i < FL_SPILL_PARTITIONS; i++) {
        fl_spilled_rows_drop(&builds[i]);
        fl_spilled_rows_drop(&probes[i]);
    }
    return st;
}

/* Goes a step on with a partition: no more than a page of probe rows at once, so that whoever reads the result can stop. */
static fl_status step(const joining *j, bool *ret_has_ended, fl_err *err)
{
    fl_status st = FL_OK;
    partition *p = j->at;
    const fl_join_pairs *pairs = &j->join->pairs;
    if (!p->has_begun) {
        bool is_needed = (p->probe.rows > 0 && (p->build.rows > 0 || keeps_unmatched_probe(pairs))) ||
                         (p->build.rows > 0 && j->join->keeps_unmatched_build);
        int64_t share = fl_spill_share(j->worker->exec);
        int64_t wanted = p->build.bytes + fl_join_table_bytes(p->build.rows, false, 0, 0);
        p->room = share < WRITE_BYTES_MIN ? WRITE_BYTES_MIN : share;
        bool is_divided = wanted / BLOCKS_MAX > p->room && p->probe.rows > 0 && !p->is_hot && pairs->n_keys > 0 &&
                          p->level + 1 < FL_SPILL_LEVELS;
        *ret_has_ended = !is_needed || is_divided;
        if (is_needed && is_divided)
            return divide_partition(j, p->room < WRITE_BYTES_MAX * 2 ? p->room / 2 : WRITE_BYTES_MAX, err);
        if (!is_needed)
            return FL_OK;
        p->has_begun = true;
        FL_TRY(begin_block(j, err));
    }
    if (p->probe_at < p->probe.n_pages)
        FL_TRY(probe_page(j, p->probe_at++, err));
    if (p->probe_at < p->probe.n_pages)
        return FL_OK;
    FL_TRY(end_block(j, err));
    *ret_has_ended = p->is_last;
    if (!p->is_last)
        st = begin_block(j, err);
cleanup:
    return st;
}

static fl_status add_partitions(fl_hash_join *join, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS && st == FL_OK; p++)
        st = add_partition(join, &join->spill.build_rows[p], &join->spill.probe_rows[p], 0, false, err);
    return st;
}

/* When the probe side has ended, the first worker that comes gathers what all have written. */
static fl_status begin(fl_hash_join *join, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    fl_join_spill *spill = &join->spill;
    pthread_mutex_lock(&spill->begin_lock);
    if (!spill->has_begun) {
        FL_TRY(gather_probe_rows(join, worker, err));
        FL_TRY(add_partitions(join, err));
        spill->has_begun = true;
    }
cleanup:
    pthread_mutex_unlock(&spill->begin_lock);
    return st;
}

/* While others are at the last partitions, workers come back when these are through a step: more may come of them. */
bool fl_join_spill_has_step(fl_hash_join *join)
{
    fl_join_spill *spill = &join->spill;
    pthread_mutex_lock(&spill->lock);
    bool has = spill->begun != NULL || spill->waiting != NULL || spill->n_under_way == 0;
    spill->is_missed |= !has;
    pthread_mutex_unlock(&spill->lock);
    return has;
}

/* A partition to go on with, or to begin; NULL: there is none now, or no more (*ret_any false). */
static partition *take_partition(fl_join_spill *spill, bool *ret_any)
{
    pthread_mutex_lock(&spill->lock);
    partition *p = pop(&spill->begun); /* it holds memory */
    if (p == NULL)
        p = pop(&spill->waiting);
    *ret_any = p != NULL || spill->n_under_way > 0;
    spill->n_under_way += p != NULL;
    pthread_mutex_unlock(&spill->lock);
    return p;
}

static void give_back(fl_hash_join *join, partition *p, bool has_ended)
{
    fl_join_spill *spill = &join->spill;
    if (has_ended)
        free_partition(p);
    pthread_mutex_lock(&spill->lock);
    spill->n_under_way--;
    if (!has_ended)
        push(&spill->begun, p);
    bool is_missed = spill->is_missed;
    spill->is_missed = false;
    pthread_mutex_unlock(&spill->lock);
    if (is_missed)
        fl_exec_wake(join->pairs.exec);
}

fl_status fl_join_spill_run(fl_hash_join *join, fl_join_prober **prober, fl_worker *worker, fl_stage *to, bool *ret_any,
                            fl_err *err)
{
    fl_status st = FL_OK;
    bool has_ended = false;
    *ret_any = false;
    FL_TRY(begin(join, worker, err));
    if (*prober == NULL)
        FL_TRY(fl_join_prober_new(join, worker, (void **)prober, err));
    partition *p = take_partition(&join->spill, ret_any);
    worker->morsel = atomic_fetch_add(&join->spill.n_steps, 1);
    if (p == NULL)
        return FL_OK;
    joining j = {join, *prober, worker, to, p};
    st = step(&j, &has_ended, err);
    give_back(join, p, has_ended || st != FL_OK); /* nobody goes on in the middle of a step */
cleanup:
    return st;
}

void fl_join_spill_drop(fl_hash_join *join)
{
    fl_join_spill *spill = &join->spill;
    for (partition *p = NULL; (p = pop(&spill->begun)) != NULL || (p = pop(&spill->waiting)) != NULL;)
        free_partition(p);
    for (int32_t p = 0; p < FL_SPILL_PARTITIONS; p++) {
        fl_spilled_rows_drop(&spill->build_rows[p]);
        fl_spilled_rows_drop(&spill->probe_rows[p]);
    }
    if (!spill->has_locks)
        return;
    pthread_mutex_destroy(&spill->begin_lock);
    pthread_mutex_destroy(&spill->lock);
}
