/* Random deletes and updates of tables of several segments beside a plain list of rows: what is left and in which order, nulls, bounds
 * and samples of each version; and that the version before is as it was. */
#include "store/memory_table.h"
#include "store/row_sample.h"
#include "store/table_change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS_MAX 90000
#define SEGMENTS_MAX 64
#define N_COLS 4

static uint64_t state = 11;

static int64_t random_below(int64_t n)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (int64_t)((state >> 33) % (uint64_t)n);
}

/* A row: a number, and what the other columns are made of; negative: null. The last column is a list of `length` numbers. */
typedef struct row {
    int64_t id;
    int32_t text;
    int32_t flag;
    int32_t length;
    int64_t place;
} row;

typedef struct version {
    fl_segment *segments[SEGMENTS_MAX];
    int64_t n_segments;
    row *rows;
    int64_t n_rows;
} version;

static const fl_field element = {.name = FL_STR("item"), .type = FL_TYPE(FL_I64), .nullable = true};
static fl_field fields[N_COLS] = {{.name = FL_STR("id"), .type = FL_TYPE(FL_I64)},
                                  {.name = FL_STR("text"), .type = FL_TYPE(FL_UTF8), .nullable = true},
                                  {.name = FL_STR("flag"), .type = FL_TYPE(FL_BOOL), .nullable = true},
                                  {.name = FL_STR("list"), .nullable = true}};

static row random_row(void)
{
    return (row){.id = random_below(1000000),
                 .text = (int32_t)random_below(random_below(2) ? 30 : 30000) - 3,
                 .flag = (int32_t)random_below(3) - 1,
                 .length = (int32_t)random_below(5) - 1};
}

/* ---- segments of rows --------------------------------------------------------------------------------------------- */

static fl_str text_of(int32_t n, char *buffer)
{
    int len = snprintf(buffer, 64, n % 2 ? "t%d" : "a text that is longer than a view, %d", n);
    return (fl_str){buffer, len};
}

/* Columns of the rows: place and cols[0 .. n); without places where `cols` is NULL: all. */
static void add_row(fl_segment_builder *builder, const row *r, const int32_t *cols, int32_t n)
{
    fl_vec vecs[N_COLS + 1], all[N_COLS], child;
    char buffer[64];
    int64_t items[4] = {r->id, 1, 2, 3};
    uint64_t zero = 0, flag = r->flag == 1;
    fl_str text = text_of(r->text, buffer);
    fl_view view = fl_view_of(text.data, text.len);
    fl_list_entry entry = {0, r->length};
    fl_vec_set_flat(&all[0], fields[0].type, &r->id, NULL);
    fl_vec_set_flat(&all[1], fields[1].type, &view, r->text < 0 ? &zero : NULL);
    fl_vec_set_flat(&all[2], fields[2].type, &flag, r->flag < 0 ? &zero : NULL);
    fl_vec_set_flat(&child, element.type, items, NULL);
    fl_vec_set_flat(&all[3], fields[3].type, &entry, r->length < 0 ? &zero : NULL);
    all[3].child = &child;
    all[3].child_rows = 4;
    if (cols == NULL) {
        assert_int_equal(fl_segment_builder_add(builder, all, NULL, 1, NULL), FL_OK);
        return;
    }
    fl_vec_set_flat(&vecs[0], FL_TYPE(FL_I64), &r->place, NULL);
    for (int32_t i = 0; i < n; i++)
        vecs[1 + i] = all[cols[i]];
    assert_int_equal(fl_segment_builder_add(builder, vecs, NULL, 1, NULL), FL_OK);
}

static fl_segment_builder *new_builder(const int32_t *cols, int32_t n)
{
    fl_type types[N_COLS + 1] = {FL_TYPE(FL_I64)};
    fl_segment_builder *builder = NULL;
    for (int32_t i = 0; i < n; i++)
        types[(cols != NULL) + i] = fields[cols != NULL ? cols[i] : i].type;
    assert_int_equal(fl_segment_builder_new(NULL, types, n + (cols != NULL),
                                            cols != NULL ? FL_SEGMENT_RESULT : FL_SEGMENT_TABLE, &builder, NULL),
                     FL_OK);
    return builder;
}

/* Cuts rows into segments at random places, mostly of up to `part` rows. */
static int64_t make_segments(const row *rows, int64_t n, const int32_t *cols, int32_t n_cols, int64_t part,
                             fl_segment **ret)
{
    int64_t made = 0;
    fl_segment_builder *builder = new_builder(cols, n_cols);
    for (int64_t i = 0; i < n;) {
        int64_t end = made + 1 == SEGMENTS_MAX / 2 ? n : i + 1 + random_below(part);
        for (; i < n && i < end; i++)
            add_row(builder, &rows[i], cols, n_cols);
        assert_int_equal(fl_segment_builder_finish(builder, &ret[made++], NULL), FL_OK);
    }
    fl_segment_builder_free(builder);
    return made;
}

static void drop(version *v)
{
    for (int64_t s = 0; s < v->n_segments; s++)
        fl_segment_unref(v->segments[s]);
    free(v->rows);
    *v = (version){0};
}

/* ---- what must be so ---------------------------------------------------------------------------------------------- */

static void check_row(const fl_segment *segment, int64_t i, const row *r)
{
    char buffer[64];
    const fl_vec *v = segment->vecs;
    assert_int_equal(((const int64_t *)v[0].data)[i], r->id);
    assert_true(fl_value_compare(&segment->min[0], &(fl_value){.type = FL_TYPE(FL_I64), .i = r->id}) <= 0);
    assert_true(fl_value_compare(&segment->max[0], &(fl_value){.type = FL_TYPE(FL_I64), .i = r->id}) >= 0);
    assert_int_equal(fl_vec_is_valid(&v[1], i), r->text >= 0);
    if (r->text >= 0) {
        fl_str text = text_of(r->text, buffer);
        assert_true(fl_str_is_equal(fl_vec_str(&v[1], i), text));
        assert_true(fl_str_compare(segment->min[1].s, text) <= 0 && fl_str_compare(segment->max[1].s, text) >= 0);
    }
    assert_int_equal(fl_vec_is_valid(&v[2], i), r->flag >= 0);
    if (r->flag >= 0)
        assert_int_equal(fl_bit_get(v[2].data, i), r->flag);
    assert_int_equal(fl_vec_is_valid(&v[3], i), r->length >= 0);
    if (r->length < 0)
        return;
    fl_list_entry entry = ((const fl_list_entry *)v[3].data)[i];
    assert_int_equal(entry.len, r->length);
    for (int32_t e = 0; e < entry.len; e++)
        assert_int_equal(((const int64_t *)v[3].child->data)[entry.start + e], e == 0 ? r->id : e);
}

/* Notes the rows' places, too. */
static void check(version *v)
{
    int64_t at = 0;
    for (int64_t s = 0; s < v->n_segments; s++) {
        const fl_segment *segment = v->segments[s];
        int64_t nulls[N_COLS] = {0}, live = 0;
        for (int64_t i = 0; i < segment->rows; i++) {
            if (!fl_segment_is_live(segment, i))
                continue;
            row *r = &v->rows[at++];
            r->place = fl_row_place(s, i);
            check_row(segment, i, r);
            live++;
            nulls[1] += r->text < 0;
            nulls[2] += r->flag < 0;
            nulls[3] += r->length < 0;
        }
        assert_true(live > 0);
        assert_int_equal(live, fl_segment_live_rows(segment));
        for (int32_t c = 0; c < N_COLS; c++)
            assert_int_equal(segment->nulls[c], nulls[c]);
    }
    assert_int_equal(at, v->n_rows);
}

static void check_sample(const version *v)
{
    fl_arena arena;
    fl_row_sample sample;
    int32_t wanted = 1 + (int32_t)random_below(700);
    fl_arena_init(&arena, NULL);
    assert_int_equal(fl_row_sample_pick(&arena, v->segments, v->n_segments, wanted, &sample, NULL), FL_OK);
    assert_int_equal(sample.rows, v->n_rows < wanted ? v->n_rows : wanted);
    assert_int_equal(sample.starts[v->n_segments], sample.rows);
    for (int64_t s = 0; s < v->n_segments; s++)
        for (int64_t i = sample.starts[s]; i < sample.starts[s + 1]; i++) {
            assert_true(fl_segment_is_live(v->segments[s], sample.places[i]));
            assert_true(i == sample.starts[s] || sample.places[i - 1] < sample.places[i]);
        }
    fl_arena_drop(&arena);
}

/* ---- changing ----------------------------------------------------------------------------------------------------- */

/* Rows at random: one in so many, in some part of the table. */
static int64_t pick(const version *v, int64_t *ret)
{
    int64_t in_so_many = 1 + random_below(random_below(2) ? 3 : 3000), n = 0;
    int64_t from = random_below(v->n_rows),
            to = random_below(3) ? from + 1 + random_below(v->n_rows - from) : v->n_rows;
    for (int64_t i = random_below(3) ? from : 0; i < to; i++)
        if (random_below(in_so_many) == 0)
            ret[n++] = i;
    return n;
}

static version change(const version *old, bool is_delete)
{
    version made = {.rows = malloc((size_t)(old->n_rows + 1) * sizeof(row)), .n_rows = old->n_rows};
    int64_t *picks = malloc((size_t)old->n_rows * sizeof(*picks)), n = pick(old, picks);
    row *changed = malloc((size_t)(n + 1) * sizeof(row));
    int32_t cols[N_COLS], n_cols = 0;
    fl_segment *rows[SEGMENTS_MAX] = {NULL};
    fl_table_change c;
    memcpy(made.rows, old->rows, (size_t)old->n_rows * sizeof(row));
    for (int32_t col = 0; col < N_COLS && !is_delete; col++)
        if (random_below(2))
            cols[n_cols++] = col;
    for (int64_t i = 0; i < n; i++) {
        row *r = &made.rows[picks[i]], was = *r, is = random_row();
        bool has[N_COLS] = {0};
        for (int32_t k = 0; k < n_cols; k++)
            has[cols[k]] = true;
        r->id = has[0] ? is.id : was.id;
        r->text = has[1] ? is.text : was.text;
        r->flag = has[2] ? is.flag : was.flag;
        r->length = has[3] ? is.length : was.length;
        if (has[0] && !has[3] && was.length > 0) /* the list's first element is the number */
            r->id = was.id;
        changed[i] = *r;
    }
    int64_t n_changes = make_segments(changed, n, cols, n_cols, 1 + n / 3, rows);
    fl_table_change_init(&c, NULL, NULL, fields, old->segments, old->n_segments);
    assert_int_equal(fl_table_change_mark(&c, rows, n_changes, NULL), FL_OK);
    if (is_delete) {
        assert_int_equal(fl_table_change_delete(&c, NULL), FL_OK);
        made.n_rows = 0;
        for (int64_t i = 0, p = 0; i < old->n_rows; i++) {
            bool is_picked = p < n && picks[p] == i;
            p += is_picked;
            if (!is_picked)
                made.rows[made.n_rows++] = old->rows[i];
        }
    } else {
        assert_int_equal(fl_table_change_update(&c, rows, n_changes, cols, n_cols, NULL), FL_OK);
    }
    assert_true(c.n_segments <= SEGMENTS_MAX);
    for (int64_t s = 0; s < c.n_segments; s++)
        made.segments[s] = fl_segment_ref(c.segments[s]);
    made.n_segments = c.n_segments;
    for (int64_t s = 0; s < n_changes; s++)
        fl_segment_unref(rows[s]);
    fl_table_change_drop(&c);
    free(changed);
    free(picks);
    return made;
}

static version new_table(int64_t n)
{
    version v = {.rows = malloc((size_t)(n + 1) * sizeof(row)), .n_rows = n};
    for (int64_t i = 0; i < n; i++)
        v.rows[i] = random_row();
    v.n_segments = make_segments(v.rows, n, NULL, N_COLS, 1 + n * 2 / (1 + random_below(5)), v.segments);
    check(&v);
    return v;
}

static void test_changes(void **unused)
{
    (void)unused;
    for (int round = 0; round < 60; round++) {
        version now = new_table(1 + random_below(round % 20 == 0 ? ROWS_MAX : 9000));
        for (int step = 0; step < 8 && now.n_rows > 0; step++) {
            version next = change(&now, random_below(2) == 0);
            check(&next);
            check(&now);
            check_sample(&next);
            drop(&now);
            now = next;
        }
        drop(&now);
    }
}

int main(void)
{
    fields[3].type = (fl_type){.id = FL_LIST, .n_fields = 1, .fields = &element};
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
