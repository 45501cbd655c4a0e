/* Unique keys: a group table per key, whose rows say by a byte whether they are there. */
#include "engine/key_index.h"

#include "exec/group_table.h"

#define ROWS_MAX 2048

typedef struct key_set {
    const fl_table_key *key;
    fl_row_layout layout; /* the key's columns; extra: whether the row is there */
    fl_group_table values;
    int64_t rows; /* that are there */
} key_set;

struct fl_key_index {
    fl_memory memory; /* of the index: led to the interrupt of the statement under way */
    fl_arena arena;   /* names, keys, layouts */
    fl_str *columns;
    uint64_t seed;
    uint64_t version;
    key_set *sets;
    int32_t n_sets;
    bool is_broken; /* it has some of the rows of a call that failed */
    int32_t failed; /* the set of the last duplicate */
};

/* Where noting rows stopped: those of the sets before `set` are noted up to at + ROWS_MAX, those of the others up to `at`. */
typedef struct progress {
    int64_t at;
    int32_t set;
} progress;

static fl_status copy_key(fl_arena *arena, const fl_table_key *from, const fl_table_key **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_table_key *key = NULL;
    int32_t *cols = NULL;
    FL_TRY(FL_NEW(arena, &key, err));
    FL_TRY(FL_NEW_ARRAY(arena, from->n_cols, &cols, err));
    memcpy(cols, from->cols, (size_t)from->n_cols * sizeof(*cols));
    *key = (fl_table_key){.cols = cols, .n_cols = from->n_cols, .is_primary = from->is_primary};
    FL_TRY(fl_arena_copy_str(arena, from->name, &key->name, err));
    *ret = key;
cleanup:
    return st;
}

fl_status fl_key_index_new(fl_memory *memory, const fl_table *table, uint64_t seed, fl_key_index **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_key_index *index = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*index), (void **)&index, err));
    fl_memory_init(&index->memory, memory, "index of keys", 0);
    fl_arena_init(&index->arena, &index->memory);
    index->seed = seed;
    index->version = table->version;
    FL_TRY(FL_NEW_ARRAY(&index->arena, table->n_cols + 1, &index->columns, err));
    for (int32_t c = 0; c < table->n_cols; c++)
        FL_TRY(fl_arena_copy_str(&index->arena, table->fields[c].name, &index->columns[c], err));
    FL_TRY(FL_NEW_ARRAY(&index->arena, table->n_keys + 1, &index->sets, err));
    for (; index->n_sets < table->n_keys; index->n_sets++) {
        key_set *set = &index->sets[index->n_sets];
        fl_type *types = NULL;
        FL_TRY(copy_key(&index->arena, &table->keys[index->n_sets], &set->key, err));
        FL_TRY(FL_NEW_ARRAY(&index->arena, set->key->n_cols, &types, err));
        for (int32_t k = 0; k < set->key->n_cols; k++)
            FL_TRY(fl_type_copy(&index->arena, table->fields[set->key->cols[k]].type, &types[k], err));
        FL_TRY(fl_row_layout_init(&set->layout, &index->arena, types, set->key->n_cols, 8, err));
        FL_TRY(fl_group_table_init(&set->values, &set->layout, set->key->n_cols, ROWS_MAX, &index->memory, err));
    }
    *ret = index;
    return FL_OK;
cleanup:
    fl_key_index_free(index);
    return st;
}

void fl_key_index_free(fl_key_index *index)
{
    if (index == NULL)
        return;
    for (int32_t i = 0; i < index->n_sets; i++)
        fl_group_table_drop(&index->sets[i].values);
    fl_arena_drop(&index->arena);
    fl_free(index);
}

static fl_status fail_duplicate(fl_key_index *index, const key_set *set, const fl_vec *vecs, int64_t row, fl_err *err)
{
    const fl_table_key *key = set->key;
    fl_arena arena;
    fl_text names, values;
    index->failed = (int32_t)(set - index->sets);
    fl_arena_init(&arena, NULL);
    fl_text_init(&names, NULL);
    fl_text_init(&values, NULL);
    for (int32_t k = 0; k < key->n_cols; k++) {
        fl_value value = {.is_null = true};
        fl_text_add(&names, k > 0 ? FL_STR(", ") : FL_STR(""));
        fl_text_add(&names, index->columns[key->cols[k]]);
        fl_text_add(&values, k > 0 ? FL_STR(", ") : FL_STR(""));
        if (fl_value_from_vec(&arena, &vecs[k], row, &value, NULL) == FL_OK)
            fl_value_print(&values, &value);
    }
    fl_status st = FL_FAIL(err, FL_ERR_CONSTRAINT,
                           "duplicate key value violates unique constraint \"%.*s\": (%.*s) = (%.*s) exists already",
                           FL_STR_ARG(key->name), FL_STR_ARG(fl_text_str(&names)), FL_STR_ARG(fl_text_str(&values)));
    fl_err_state(err, "23505", st);
    fl_text_drop(&names);
    fl_text_drop(&values);
    fl_arena_drop(&arena);
    return st;
}

/* Of the rows [at, at + count) those of `mask` (NULL: all) that were not deleted and have no null in the key. */
static int32_t list_rows(const fl_segment *segment, const uint64_t *mask, int64_t at, int32_t count, const fl_vec *vecs,
                         int32_t n_cols, uint16_t *ret)
{
    int32_t n = 0;
    for (int32_t i = 0; i < count; i++) {
        bool is_known = fl_is_valid(mask, at + i) && fl_segment_is_live(segment, at + i);
        for (int32_t k = 0; k < n_cols && is_known; k++)
            is_known = fl_vec_is_valid(&vecs[k], i);
        if (is_known)
            ret[n++] = (uint16_t)i;
    }
    return n;
}

/* Notes of the rows [at, at + count) of a segment in one key's values that they are there, or are not any more. */
static fl_status note_rows(fl_key_index *index, key_set *set, const fl_segment *segment, const uint64_t *mask,
                           int64_t at, int32_t count, bool is_there, fl_arena *scratch, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_table_key *key = set->key;
    fl_vec *vecs = NULL;
    uint16_t list[ROWS_MAX];
    uint8_t *rows[ROWS_MAX];
    FL_TRY(FL_NEW_ARRAY(scratch, key->n_cols, &vecs, err));
    for (int32_t k = 0; k < key->n_cols; k++)
        FL_TRY(fl_vec_slice(scratch, &segment->vecs[key->cols[k]], at, count, &vecs[k], err));
    int32_t n = list_rows(segment, mask, at, count, vecs, key->n_cols, list);
    FL_TRY(fl_group_table_find(&set->values, vecs, list, n, index->seed, true, rows, err));
    for (int32_t i = 0; i < n; i++) {
        uint8_t *was_there = rows[i] + set->layout.extra_offset;
        if (*was_there && is_there) {
            for (int32_t undone = 0; undone < i; undone++)
                rows[undone][set->layout.extra_offset] = false;
            set->rows -= i;
            return fail_duplicate(index, set, vecs, list[i], err);
        }
        FL_ASSERT(is_there || *was_there); /* who goes was there */
        *was_there = is_there;
        set->rows += is_there ? 1 : -1;
    }
cleanup:
    return st;
}

static bool has_any(const uint64_t *mask, int64_t at, int32_t count)
{
    return mask == NULL || !fl_bitmap_is_empty(mask + at / 64, count);
}

/* Notes rows of a segment piece by piece, as far as `end`, which is moved to where a failure stopped it. */
static fl_status note_until(fl_key_index *index, const fl_segment *segment, const uint64_t *mask, bool is_there,
                            progress *end, fl_interrupt *interrupt, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena scratch;
    progress now = {0};
    index->memory.interrupt = interrupt;
    fl_arena_init(&scratch, &index->memory);
    for (; now.at < segment->rows && (now.at < end->at || end->set > 0); now = (progress){now.at + ROWS_MAX, 0}) {
        int32_t count = segment->rows - now.at < ROWS_MAX ? (int32_t)(segment->rows - now.at) : ROWS_MAX;
        int32_t n_sets = now.at < end->at ? index->n_sets : end->set;
        for (; now.set < n_sets && has_any(mask, now.at, count); now.set++)
            FL_TRY(note_rows(index, &index->sets[now.set], segment, mask, now.at, count, is_there, &scratch, err));
        if (now.at >= end->at)
            break;
        fl_arena_reset(&scratch);
        FL_TRY(fl_interrupt_check(interrupt, err));
    }
cleanup:
    fl_arena_drop(&scratch);
    index->memory.interrupt = NULL;
    if (st != FL_OK)
        *end = now;
    return st;
}

static fl_status note_segment(fl_key_index *index, const fl_segment *segment, const uint64_t *mask, bool is_there,
                              fl_interrupt *interrupt, fl_err *err)
{
    progress end = {.at = segment->rows};
    FL_ASSERT(!index->is_broken);
    fl_status st = note_until(index, segment, mask, is_there, &end, interrupt, err);
    if (st == FL_ERR_CONSTRAINT && is_there)
        index->is_broken = note_until(index, segment, mask, false, &end, interrupt, NULL) != FL_OK;
    else
        index->is_broken = st != FL_OK;
    return st;
}

fl_status fl_key_index_add(fl_key_index *index, fl_segment *const *segments, int64_t n_segments,
                           fl_interrupt *interrupt, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t s = 0;
    for (; s < n_segments; s++)
        FL_TRY(note_segment(index, segments[s], NULL, true, interrupt, err));
cleanup:
    while (st != FL_OK && !index->is_broken && s > 0) /* those before are taken back, too */
        (void)note_segment(index, segments[--s], NULL, false, interrupt, NULL);
    return st;
}

fl_status fl_key_index_add_rows(fl_key_index *index, const fl_segment *segment, const uint64_t *rows,
                                fl_interrupt *interrupt, fl_err *err)
{
    return note_segment(index, segment, rows, true, interrupt, err);
}

fl_status fl_key_index_remove_rows(fl_key_index *index, const fl_segment *segment, const uint64_t *rows,
                                   fl_interrupt *interrupt, fl_err *err)
{
    return note_segment(index, segment, rows, false, interrupt, err);
}

/* What add_new looks at of one key in a piece. */
typedef struct piece {
    fl_vec *vecs;
    uint16_t *list;
    uint8_t **rows; /* [count]; NULL where the row has a null in the key */
} piece;

static fl_status look_up_piece(fl_key_index *index, key_set *set, const fl_segment *segment, int64_t at, int32_t count,
                               fl_arena *scratch, piece *ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t *found[ROWS_MAX];
    FL_TRY(FL_NEW_ARRAY(scratch, set->key->n_cols, &ret->vecs, err));
    FL_TRY(FL_NEW_ARRAY(scratch, count, &ret->list, err));
    FL_TRY(FL_NEW_ARRAY(scratch, count, &ret->rows, err));
    for (int32_t k = 0; k < set->key->n_cols; k++)
        FL_TRY(fl_vec_slice(scratch, &segment->vecs[set->key->cols[k]], at, count, &ret->vecs[k], err));
    int32_t n = list_rows(segment, NULL, at, count, ret->vecs, set->key->n_cols, ret->list);
    FL_TRY(fl_group_table_find(&set->values, ret->vecs, ret->list, n, index->seed, true, found, err));
    for (int32_t i = 0; i < n; i++)
        ret->rows[ret->list[i]] = found[i];
cleanup:
    return st;
}

/* Row i of a piece: *ret whether it is new. */
static fl_status note_new(fl_key_index *index, const piece *pieces, int32_t key, int32_t i, bool *ret, fl_err *err)
{
    *ret = true;
    for (int32_t s = 0; s < index->n_sets; s++)
        if ((key < 0 || key == s) && pieces[s].rows[i] != NULL && pieces[s].rows[i][index->sets[s].layout.extra_offset])
            *ret = false;
    for (int32_t s = 0; s < index->n_sets && *ret; s++) {
        uint8_t *row = pieces[s].rows[i];
        if (row == NULL)
            continue;
        if (row[index->sets[s].layout.extra_offset])
            return fail_duplicate(index, &index->sets[s], pieces[s].vecs, i, err);
        row[index->sets[s].layout.extra_offset] = true;
        index->sets[s].rows++;
    }
    return FL_OK;
}

fl_status fl_key_index_add_new(fl_key_index *index, const fl_segment *segment, int32_t key, uint64_t *ret_new,
                               fl_interrupt *interrupt, fl_err *err)
{
    fl_status st = FL_OK;
    fl_arena scratch;
    FL_ASSERT(!index->is_broken && key < index->n_sets);
    index->memory.interrupt = interrupt;
    fl_arena_init(&scratch, &index->memory);
    for (int64_t at = 0; at < segment->rows; at += ROWS_MAX) {
        int32_t count = segment->rows - at < ROWS_MAX ? (int32_t)(segment->rows - at) : ROWS_MAX;
        piece *pieces = NULL;
        FL_TRY(FL_NEW_ARRAY(&scratch, index->n_sets + 1, &pieces, err));
        for (int32_t s = 0; s < index->n_sets; s++)
            FL_TRY(look_up_piece(index, &index->sets[s], segment, at, count, &scratch, &pieces[s], err));
        for (int32_t i = 0; i < count; i++) {
            bool is_new = fl_segment_is_live(segment, at + i);
            if (is_new)
                FL_TRY(note_new(index, pieces, key, i, &is_new, err));
            fl_bit_put(ret_new, at + i, is_new);
        }
        fl_arena_reset(&scratch);
        FL_TRY(fl_interrupt_check(interrupt, err));
    }
cleanup:
    index->is_broken = st != FL_OK;
    fl_arena_drop(&scratch);
    index->memory.interrupt = NULL;
    return st;
}

int32_t fl_key_index_failed(const fl_key_index *index)
{
    return index->failed;
}

bool fl_key_index_is_whole(const fl_key_index *index)
{
    return !index->is_broken;
}

bool fl_key_index_is_worn(const fl_key_index *index)
{
    for (int32_t i = 0; i < index->n_sets; i++)
        if (fl_group_table_rows_max(&index->sets[i].values) / 2 > index->sets[i].rows)
            return true;
    return false;
}

uint64_t fl_key_index_version(const fl_key_index *index)
{
    return index->version;
}
void fl_key_index_set_version(fl_key_index *index, uint64_t version)
{
    index->version = version;
}
