/* Samples are the tables' own; the bits of a conjunct lie in an arena of the plan's, found by the expression. */
#include "plan/sample_estimate.h"

#include "base/bitmap.h"
#include "base/index_map.h"
#include "plan/plan_internal.h"

#define COLS_MAX 8       /* of a conjunct */
#define PARTS_MAX 200    /* of a conjunct: it is evaluated for as many rows as the sample has */
#define CONJUNCTS_MAX 64 /* of a set */

/* What a conjunct was found to be true for. */
typedef struct seen {
    fl_col_id col;          /* one that it reads: tells the tables of a self-join apart */
    fl_table_sample sample; /* rows 0: it was tried in vain */
    uint64_t *mask;
} seen;

struct fl_samples {
    fl_arena arena;
    fl_evaluator *evaluator;
    fl_index_map places; /* in conjuncts */
    seen *conjuncts;
    int64_t capacity;
    int32_t n;
    fl_index_map growing_places; /* by a pair of columns, in growing; NULL there: they do not grow together */
    const fl_sample_growing **growing;
    int64_t growing_capacity;
    int32_t n_growing;
    bool has_scans; /* there are several scans: how many rows each gives decides something */
};

static bool has_scans(const fl_plan *plan)
{
    fl_col_id first = {0};
    for (int32_t n = 1; n <= fl_plan_cols(plan); n++) {
        if (fl_plan_col(plan, (fl_col_id){n})->table == NULL)
            continue;
        if (first.n != 0 && !fl_plan_is_one_scan(plan, first, (fl_col_id){n}))
            return true;
        first.n = n;
    }
    return false;
}

fl_status fl_plan_look_at_samples(fl_plan *plan, fl_evaluator *evaluator, fl_err *err)
{
    fl_samples **samples = &plan->making->samples;
    if (*samples == NULL) {
        if (evaluator == NULL)
            return FL_OK;
        fl_status st = fl_alloc_zero(plan->memory, sizeof(**samples), (void **)samples, err);
        if (st != FL_OK)
            return st;
        fl_arena_init(&(*samples)->arena, plan->memory);
        fl_index_map_init(&(*samples)->places, &(*samples)->arena);
        fl_index_map_init(&(*samples)->growing_places, &(*samples)->arena);
    }
    fl_index_map_init(&plan->making->share_places, &plan->making->arena); /* what was estimated is no longer true */
    plan->making->n_shares = 0;
    plan->making->n_unsampled = plan->n_nodes;
    (*samples)->evaluator = evaluator;
    (*samples)->has_scans = evaluator != NULL && has_scans(plan);
    return FL_OK;
}

void fl_samples_free(fl_samples *samples)
{
    if (samples == NULL)
        return;
    fl_arena_drop(&samples->arena);
    fl_free(samples->conjuncts);
    fl_free(samples->growing);
    fl_free(samples);
}

static bool is_read(const fl_plan *plan, const fl_table *table)
{
    const fl_samples *samples = plan->making == NULL ? NULL : plan->making->samples;
    return samples != NULL && samples->has_scans && table->is_sample_read;
}

bool fl_sample_estimate_stats(const fl_plan *plan, fl_table *table, int32_t col, fl_col_stats *ret)
{
    return is_read(plan, table) && table->ops->sample_stats != NULL &&
           table->ops->sample_stats(table, plan->memory, col, ret, NULL) == FL_OK;
}

bool fl_sample_estimate_rows(const fl_plan *plan, fl_table *table, double *ret)
{
    return is_read(plan, table) && table->ops->sample_rows != NULL &&
           table->ops->sample_rows(table, plan->memory, ret, NULL) == FL_OK;
}

/* Adds the columns of an expression; false when they are not few columns of one table, or it is not to be tried. */
static bool find_cols(const fl_plan *plan, const fl_expr *e, fl_col_id *cols, int32_t *n)
{
    if (e->kind == FL_EXPR_COLUMN) {
        const fl_col_info *info = fl_plan_col(plan, e->col);
        for (int32_t i = 0; i < *n; i++)
            if (cols[i].n == e->col.n)
                return true;
        if (info->table == NULL || info->table->ops->sample == NULL || *n == COLS_MAX ||
            (info->table->is_sample_read && !plan->making->samples->has_scans) ||
            (*n > 0 && !fl_plan_is_one_scan(plan, cols[0], e->col)))
            return false;
        cols[(*n)++] = e->col;
        return true;
    }
    if (e->kind == FL_EXPR_CALL && e->func->cost_ns != NULL) /* it may take any time, on rows that nobody asks it for */
        return false;
    for (int32_t i = 0; i < e->n_args; i++)
        if (!find_cols(plan, e->args[i], cols, n))
            return false;
    return true;
}

/* Makes the bits of a conjunct. What fails, as by a row that its neighbours would have kept from it, is not looked at. */
static fl_status look(const fl_plan *plan, const fl_expr *e, seen *ret)
{
    fl_status st = FL_OK;
    fl_samples *s = plan->making->samples;
    fl_col_id cols[COLS_MAX];
    fl_vec vecs[COLS_MAX];
    int32_t places[COLS_MAX], n = 0;
    fl_table_sample sample = {0};
    *ret = (seen){0};
    if (e->size > PARTS_MAX || (e->flags & (FL_EXPR_VOLATILE | FL_EXPR_HAS_SUBQUERY)) ||
        !(e->flags & FL_EXPR_HAS_COLUMN) || !find_cols(plan, e, cols, &n))
        return FL_OK;
    fl_table *table = fl_plan_col(plan, cols[0])->table;
    for (int32_t i = 0; i < n; i++)
        places[i] = fl_plan_col(plan, cols[i])->table_col;
    FL_TRY(table->ops->sample(table, plan->memory, places, n, vecs, &sample, NULL));
    if (sample.rows == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(&s->arena, fl_bitmap_words(sample.rows), &ret->mask, NULL));
    for (int32_t i = 0; i < sample.rows; i++)
        fl_bit_set(ret->mask, i);
    FL_TRY(s->evaluator->select(s->evaluator, plan, e, cols, vecs, n, sample.rows, ret->mask, NULL));
    ret->sample = sample;
    ret->col = cols[0];
cleanup:
    return st;
}

/* NULL: it was not and cannot be looked at. */
static const seen *find_seen(const fl_plan *plan, const fl_expr *e)
{
    fl_samples *s = plan->making->samples;
    int32_t at = fl_index_map_find(&s->places, fl_index_map_key(e));
    if (at < 0) {
        if (s->evaluator == NULL || s->evaluator->select == NULL)
            return NULL;
        seen made;
        if (look(plan, e, &made) != FL_OK) /* an interrupt is met again by who can tell of it */
            made.sample.rows = 0;
        if (fl_grow(s->arena.memory, (void **)&s->conjuncts, &s->capacity, s->n + 1, (int64_t)sizeof(*s->conjuncts),
                    NULL) != FL_OK ||
            fl_index_map_add(&s->places, fl_index_map_key(e), s->n, NULL) != FL_OK)
            return NULL;
        at = s->n++;
        s->conjuncts[at] = made;
    }
    return s->conjuncts[at].sample.rows > 0 ? &s->conjuncts[at] : NULL;
}

/* Rows for which all masks are set, from `row` to `end`. */
static int32_t count_hits(const uint64_t *const *masks, int32_t n, int32_t row, int32_t end)
{
    int32_t hits = 0;
    for (int32_t w = row / 64; w * 64 < end; w++) {
        uint64_t word = ~0ull;
        for (int32_t m = 0; m < n; m++)
            word &= masks[m][w];
        if (w == row / 64)
            word &= ~0ull << row % 64;
        if (end - w * 64 < 64)
            word &= fl_bitmap_tail(end);
        hits += __builtin_popcountll(word);
    }
    return hits;
}

double fl_sample_likeness_of_hits(const fl_table_sample *sample, const int32_t *hits)
{
    double all = 0, sum = 0;
    for (int32_t i = 0; i < sample->n_places; i++)
        all += hits[i];
    double share = all / sample->rows;
    double chance = share * (1 - share) / sample->rows; /* the variance of the share among rows picked by themselves */
    if (sample->n_places < 2 || chance <= 0)
        return 1;
    for (int32_t i = 0; i < sample->n_places; i++) {
        int32_t rows = sample->place_ends[i] - (i == 0 ? 0 : sample->place_ends[i - 1]);
        double off = (hits[i] - rows * share) / sample->rows;
        sum += off * off;
    }
    double variance = sum * sample->n_places / (sample->n_places - 1);
    return variance > chance ? variance / chance : 1;
}

double fl_sample_likeness(const fl_table_sample *sample, const uint64_t *const *masks, int32_t n)
{
    int32_t hits[FL_SAMPLE_PLACES_MAX];
    FL_ASSERT(sample->n_places <= FL_SAMPLE_PLACES_MAX);
    for (int32_t i = 0; i < sample->n_places; i++)
        hits[i] = count_hits(masks, n, i == 0 ? 0 : sample->place_ends[i - 1], sample->place_ends[i]);
    return fl_sample_likeness_of_hits(sample, hits);
}

void fl_sample_estimate_conjuncts(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n, bool *ret_seen,
                                  fl_sample_estimate *ret)
{
    const uint64_t *masks[CONJUNCTS_MAX];
    int32_t n_masks = 0;
    fl_col_id col = {0};
    fl_table_sample sample = {0};
    double likeness = 1;
    *ret = (fl_sample_estimate){0};
    for (int32_t i = 0; i < n; i++)
        ret_seen[i] = false;
    if (plan->making == NULL || plan->making->samples == NULL)
        return;
    for (int32_t i = 0; i < n && n_masks < CONJUNCTS_MAX; i++) {
        const seen *one = find_seen(plan, conjuncts[i]);
        if (one == NULL || (n_masks > 0 && !fl_plan_is_one_scan(plan, col, one->col)))
            continue;
        col = one->col;
        if (n_masks == 0 || one->sample.rows < sample.rows)
            sample = one->sample;
        likeness = one->sample.likeness > likeness ? one->sample.likeness : likeness;
        masks[n_masks++] = one->mask;
        ret_seen[i] = true;
    }
    if (n_masks == 0)
        return;
    double hits = count_hits(masks, n_masks, 0, sample.rows);
    double shrunk = fl_sample_likeness(&sample, masks, n_masks);
    if (hits < FL_SAMPLE_HITS_MIN * shrunk &&
        likeness > shrunk) /* few hits do not tell how they lie, the columns' values do */
        shrunk = likeness;
    ret->rows = sample.rows / shrunk;
    ret->hits = hits / shrunk;
}

/* Adds what conjuncts of one scan were seen to be true for. */
static void add_masks(const fl_plan *plan, const fl_expr *const *conjuncts, int32_t n, const uint64_t **masks,
                      int32_t *n_masks, int32_t *rows)
{
    for (int32_t i = 0; i < n && *n_masks < CONJUNCTS_MAX; i++) {
        const seen *one = find_seen(plan, conjuncts[i]);
        if (one == NULL)
            continue;
        masks[(*n_masks)++] = one->mask;
        *rows = one->sample.rows < *rows ? one->sample.rows : *rows;
    }
}

double fl_sample_estimate_overlap(const fl_plan *plan, const fl_expr *const *a, int32_t n_a, const fl_expr *const *b,
                                  int32_t n_b)
{
    const uint64_t *masks[CONJUNCTS_MAX];
    int32_t n = 0, rows = FL_SAMPLE_ROWS_MAX;
    if (plan->making == NULL || plan->making->samples == NULL)
        return 1;
    add_masks(plan, a, n_a, masks, &n, &rows);
    int32_t of_a = n;
    add_masks(plan, b, n_b, masks, &n, &rows);
    if (of_a == 0 || of_a == n)
        return 1;
    double hits_a = count_hits(masks, of_a, 0, rows), hits_b = count_hits(masks + of_a, n - of_a, 0, rows);
    double both = count_hits(masks, n, 0, rows), expected = hits_a * hits_b / rows;
    return expected < FL_SAMPLE_HITS_MIN ? 1 : (both + 0.1) / (expected + 0.1); /* none is few */
}

/* ---- columns that grow together ------------------------------------------------------------------------------------- */

#define GROWING_VALUES_MIN 4 /* different ones that are seen of the column: fewer grow by chance */

/* Sorts the rows by their keys; few as they are. */
static void sort_growing(fl_sample_growing *rows)
{
    for (int32_t i = 1; i < rows->n; i++) {
        double key = rows->keys[i], value = rows->values[i];
        int32_t at = i;
        for (; at > 0 && rows->keys[at - 1] > key; at--) {
            rows->keys[at] = rows->keys[at - 1];
            rows->values[at] = rows->values[at - 1];
        }
        rows->keys[at] = key;
        rows->values[at] = value;
    }
}

static bool is_growing(const fl_sample_growing *rows)
{
    int32_t steps = 0;
    for (int32_t i = 1; i < rows->n; i++) {
        if (rows->values[i] < rows->values[i - 1])
            return false;
        steps += rows->values[i] > rows->values[i - 1];
    }
    return steps + 1 >= GROWING_VALUES_MIN;
}

/* Of a file's column the least and greatest value are known; of a sample's they are as far out as rows go. */
static void add_bounds(const fl_plan *plan, const fl_col_id *cols, fl_sample_growing *rows)
{
    double ends[2][2];
    for (int32_t i = 0; i < 2; i++) {
        const fl_col_info *info = fl_plan_col(plan, cols[i]);
        fl_col_stats stats = {.null_fraction = -1, .distinct = -1};
        if (info->table->ops->stats == NULL)
            return;
        info->table->ops->stats(info->table, info->table_col, &stats);
        if (!stats.has_bounds || !fl_value_to_double(&stats.min, &ends[i][0]) ||
            !fl_value_to_double(&stats.max, &ends[i][1]))
            return;
    }
    for (int32_t end = 0; end < 2; end++) {
        rows->keys[rows->n] = ends[0][end];
        rows->values[rows->n++] = ends[1][end];
    }
}

static fl_status look_at_growing(const fl_plan *plan, const fl_col_id *cols, const fl_sample_growing **ret)
{
    fl_status st = FL_OK;
    fl_samples *s = plan->making->samples;
    fl_table *table = fl_plan_col(plan, cols[0])->table;
    fl_table_sample sample = {0};
    fl_sample_growing *rows = NULL;
    fl_vec vecs[2];
    int32_t places[2];
    *ret = NULL;
    for (int32_t i = 0; i < 2; i++)
        places[i] = fl_plan_col(plan, cols[i])->table_col;
    if (table->ops->sample == NULL || (table->is_sample_read && !s->has_scans))
        return FL_OK;
    FL_TRY(table->ops->sample(table, plan->memory, places, 2, vecs, &sample, NULL));
    FL_TRY(FL_NEW(&s->arena, &rows, NULL));
    int32_t wanted = FL_SAMPLE_GROWING_MAX - 2; /* and bounds */
    for (int32_t i = 0; i < wanted && i < sample.rows; i++) {
        int64_t row = sample.rows <= wanted ? i : (int64_t)i * sample.rows / wanted;
        fl_value key, value;
        FL_TRY(fl_value_from_vec(&s->arena, &vecs[0], row, &key, NULL));
        FL_TRY(fl_value_from_vec(&s->arena, &vecs[1], row, &value, NULL));
        if (key.is_null || value.is_null)
            continue;
        if (!fl_value_to_double(&key, &rows->keys[rows->n]) || !fl_value_to_double(&value, &rows->values[rows->n]))
            return FL_OK;
        rows->n++;
    }
    add_bounds(plan, cols, rows);
    sort_growing(rows);
    if (rows->n > 0 && is_growing(rows))
        *ret = rows;
cleanup:
    return st;
}

const fl_sample_growing *fl_sample_estimate_growing(const fl_plan *plan, fl_col_id key, fl_col_id value)
{
    if (plan->making == NULL || plan->making->samples == NULL || plan->making->samples->evaluator == NULL)
        return NULL;
    fl_samples *s = plan->making->samples;
    uint64_t pair = (uint64_t)(uint32_t)key.n << 32 | (uint32_t)value.n;
    int32_t at = fl_index_map_find(&s->growing_places, pair);
    if (at >= 0)
        return s->growing[at];
    const fl_sample_growing *made = NULL;
    fl_col_id cols[2] = {key, value};
    if (look_at_growing(plan, cols, &made) != FL_OK ||
        fl_grow(s->arena.memory, (void **)&s->growing, &s->growing_capacity, s->n_growing + 1,
                (int64_t)sizeof(*s->growing), NULL) != FL_OK ||
        fl_index_map_add(&s->growing_places, pair, s->n_growing, NULL) != FL_OK)
        return NULL;
    s->growing[s->n_growing++] = made;
    return made;
}
