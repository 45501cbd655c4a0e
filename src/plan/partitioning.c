/* The trait kind partitioning. */
#include "plan/partitioning.h"

#include <stddef.h>

static const char *const kinds[] = {"none", "single", "hash", "range", "broadcast"};

fl_partitioning fl_partitioning_of(const fl_plan *plan, int32_t value)
{
    const fl_partitioning *partitioning = fl_trait_payload(plan, &fl_trait_partitioning, value);
    return partitioning != NULL ? *partitioning : (fl_partitioning){0};
}

static bool has_col(const fl_col_id *cols, int32_t n, fl_col_id col)
{
    for (int32_t i = 0; i < n; i++)
        if (fl_col_is_equal(cols[i], col))
            return true;
    return false;
}

/* How many of a's columns, from the first on, are among b's. */
static int32_t count_among(const fl_partitioning *a, const fl_partitioning *b)
{
    int32_t n = 0;
    while (n < a->n_cols && has_col(b->cols, b->n_cols, a->cols[n]))
        n++;
    return n;
}

/* How many of the first columns are the same. */
static int32_t count_same(const fl_partitioning *a, const fl_partitioning *b)
{
    int32_t n = 0;
    while (n < a->n_cols && n < b->n_cols && fl_col_is_equal(a->cols[n], b->cols[n]))
        n++;
    return n;
}

static bool satisfies(const fl_plan *plan, int32_t a, int32_t b)
{
    fl_partitioning have = fl_partitioning_of(plan, a), want = fl_partitioning_of(plan, b);
    if (want.kind == FL_PARTITION_HASH && (have.kind == FL_PARTITION_HASH || have.kind == FL_PARTITION_RANGE))
        return count_among(&have, &want) == have.n_cols;
    if (want.kind == FL_PARTITION_RANGE && have.kind == FL_PARTITION_RANGE)
        return count_same(&have, &want) == have.n_cols;
    return have.kind == FL_PARTITION_SINGLE && want.kind != FL_PARTITION_BROADCAST;
}

fl_status fl_partitioning_make(fl_plan *plan, fl_partitioning_kind kind, const fl_col_id *cols, int32_t n_cols,
                               int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_id *made = NULL;
    int32_t n = 0;
    bool has_cols = kind == FL_PARTITION_HASH || kind == FL_PARTITION_RANGE;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), n_cols, &made, err));
    for (int32_t i = 0; has_cols && i < n_cols; i++) {
        int32_t at = n;
        if (has_col(made, n, cols[i]))
            continue;
        for (; kind == FL_PARTITION_HASH && at > 0 && made[at - 1].n > cols[i].n; at--)
            made[at] = made[at - 1];
        made[at] = cols[i];
        n++;
    }
    fl_partitioning partitioning = {
        .kind = has_cols && n == 0 ? FL_PARTITION_SINGLE : (int32_t)kind, .cols = made, .n_cols = n};
    st = fl_trait_intern(plan, &fl_trait_partitioning, &partitioning, ret, err);
cleanup:
    return st;
}

/* Of two of which neither satisfies the other: what they have in common spreads rows less, and so gives both. Nothing in common
 * is single. */
static fl_status combine(fl_plan *plan, int32_t a, int32_t b, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_partitioning x = fl_partitioning_of(plan, a), y = fl_partitioning_of(plan, b);
    fl_col_id *cols = NULL;
    *ret = FL_TRAIT_NONE;
    if (x.kind == FL_PARTITION_BROADCAST || y.kind == FL_PARTITION_BROADCAST)
        return FL_OK;
    if (y.kind == FL_PARTITION_RANGE && x.kind == FL_PARTITION_HASH)
        return combine(plan, b, a, ret, err);
    if (x.kind == FL_PARTITION_RANGE)
        return fl_partitioning_make(plan, FL_PARTITION_RANGE, x.cols,
                                    y.kind == FL_PARTITION_RANGE ? count_same(&x, &y) : count_among(&x, &y), ret, err);
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), x.n_cols, &cols, err));
    for (int32_t i = 0; i < x.n_cols; i++)
        if (has_col(y.cols, y.n_cols, x.cols[i]))
            cols[n++] = x.cols[i];
    st = fl_partitioning_make(plan, FL_PARTITION_HASH, cols, n, ret, err);
cleanup:
    return st;
}

/* Without one of its columns nothing is left: rows that are equal in the others may lie apart. */
static fl_status project(fl_plan *plan, int32_t value, const fl_col_map *map, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_partitioning from = fl_partitioning_of(plan, value);
    fl_col_id *cols = NULL;
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(plan), from.n_cols, &cols, err));
    for (int32_t i = 0; i < from.n_cols; i++) {
        cols[i] = fl_col_map_get(map, from.cols[i]);
        if (cols[i].n == 0) {
            *ret = 0;
            return FL_OK;
        }
    }
    st = fl_partitioning_make(plan, from.kind, cols, from.n_cols, ret, err);
cleanup:
    return st;
}

static void print(fl_text *text, const fl_plan *plan, int32_t value)
{
    fl_partitioning partitioning = fl_partitioning_of(plan, value);
    fl_text_addf(text, "partitioning=%s", kinds[partitioning.kind]);
    for (int32_t i = 0; i < partitioning.n_cols; i++) {
        fl_text_add(text, i == 0 ? FL_STR("(") : FL_STR(", "));
        fl_text_add(text, fl_plan_col(plan, partitioning.cols[i])->name);
    }
    if (partitioning.n_cols > 0)
        fl_text_add_char(text, ')');
}

static const fl_attr_field fields[] = {
    {"kind", FL_FIELD_ENUM, offsetof(fl_partitioning, kind), 0, kinds, false, false},
    {"cols", FL_FIELD_COLS_USED, offsetof(fl_partitioning, cols), offsetof(fl_partitioning, n_cols), NULL, false,
     false},
};

const fl_trait_desc fl_trait_partitioning = {FL_DESC(fl_trait_desc),
                                             .name = "partitioning",
                                             .payload_bytes = sizeof(fl_partitioning),
                                             .fields = fields,
                                             .n_fields = FL_LEN(fields),
                                             .satisfies = satisfies,
                                             .combine = combine,
                                             .project = project,
                                             .print = print,
                                             .doc = "how rows are spread over workers"};
