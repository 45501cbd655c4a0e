/* NOT NULL and CHECK of the rows that a change leaves: the change's query says what is true of them (front/sql/bind_row.c), here it is
 * looked at. */
#include "engine/internal.h"

static int32_t column_of(const fl_new_rows *rows, int32_t i)
{
    return rows->cols == NULL ? i : rows->cols[i];
}

static fl_status check_not_null(const fl_new_rows *rows, const fl_table *table, fl_str name, fl_err *err)
{
    const fl_column_rules *rules = fl_memory_table_rules(table);
    for (int32_t i = 0; rules != NULL && i < rows->n_cols; i++) {
        int32_t c = column_of(rows, i);
        for (int64_t s = 0; rules[c].is_not_null && s < rows->n; s++)
            if (rows->segments[s]->nulls[rows->first + i] > 0)
                return FL_FAIL(err, FL_ERR_CONSTRAINT,
                               "null value in column \"%.*s\" of table \"%.*s\", which is NOT NULL",
                               FL_STR_ARG(table->fields[c].name), FL_STR_ARG(name));
    }
    return FL_OK;
}

/* The first row in which the column is false; -1: none. */
static int64_t find_false(const fl_segment *segment, int32_t col)
{
    const fl_vec *vec = &segment->vecs[col];
    const uint64_t *bits = vec->data;
    FL_ASSERT(vec->type.id == FL_BOOL);
    for (int64_t row = 0; row < segment->rows; row++) {
        if (vec->layout == FL_FLAT && row % 64 == 0 && row + 64 <= segment->rows &&
            (~bits[row / 64] & (vec->valid == NULL ? ~0ull : vec->valid[row / 64])) == 0) {
            row += 63;
            continue;
        }
        fl_value value = {.is_null = true};
        if (fl_value_from_vec(NULL, vec, row, &value, NULL) == FL_OK && !value.is_null && !value.b)
            return row;
    }
    return -1;
}

/* The value of a table's column in a new row: one that was put there, else the one that was there. */
static fl_status value_of(const fl_new_rows *rows, const fl_segment *segment, int64_t row, int32_t col, fl_arena *arena,
                          fl_value *ret, fl_err *err)
{
    for (int32_t i = 0; i < rows->n_cols; i++)
        if (column_of(rows, i) == col)
            return fl_value_from_vec(arena, &segment->vecs[rows->first + i], row, ret, err);
    if (rows->place < 0)
        return FL_OK;
    int64_t place = ((const int64_t *)segment->vecs[rows->place].data)[row];
    const fl_segment *old = rows->old[fl_row_place_segment(place)];
    return fl_value_from_vec(arena, &old->vecs[col], fl_row_place_row(place), ret, err);
}

/* (1, x, NULL) */
static void print_row(const fl_new_rows *rows, const fl_segment *segment, int64_t row, const fl_table *table,
                      fl_text *text)
{
    fl_arena arena;
    fl_arena_init(&arena, NULL);
    fl_text_add_char(text, '(');
    for (int32_t c = 0; c < table->n_cols; c++) {
        fl_value value = {.is_null = true};
        fl_text_add(text, c > 0 ? FL_STR(", ") : FL_STR(""));
        if (value_of(rows, segment, row, c, &arena, &value, NULL) == FL_OK)
            fl_value_print(text, &value);
    }
    fl_text_add_char(text, ')');
    fl_arena_drop(&arena);
}

fl_status fl_check_new_rows(const fl_new_rows *rows, const fl_table *table, fl_str name, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_table_constraints *constraints = fl_memory_table_constraints(table);
    FL_TRY(check_not_null(rows, table, name, err));
    FL_ASSERT(rows->n_checks == 0 || rows->n_checks == constraints->n_checks);
    for (int32_t i = 0; i < rows->n_checks; i++)
        for (int64_t s = 0; s < rows->n; s++) {
            int64_t row = find_false(rows->segments[s], rows->first_check + i);
            if (row < 0)
                continue;
            fl_text text;
            fl_text_init(&text, NULL);
            print_row(rows, rows->segments[s], row, table, &text);
            st = FL_FAIL(err, FL_ERR_CONSTRAINT, "new row of \"%.*s\" violates check constraint \"%.*s\": %.*s",
                         FL_STR_ARG(name), FL_STR_ARG(constraints->checks[i].name), FL_STR_ARG(fl_text_str(&text)));
            fl_err_hint(err, "it holds where not false: CHECK (%.*s)",
                        FL_STR_ARG(constraints->checks[i].condition.text));
            fl_text_drop(&text);
            return fl_err_state(err, "23514", st);
        }
cleanup:
    return st;
}
