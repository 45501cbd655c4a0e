/* Vectors as dense values and levels (Melnik et al. 2010, "Dremel", section 4).
 *
 * Values are counted first, so that every array is made once. A level of the schema that is a list or struct adds one to the definition
 * level where it is there, a list another one where it has an element, and elements but the first have the list's repetition level. */
#include "format/parquet/write_values.h"

#include "base/interrupt.h"
#include "base/uuid.h"
#include "format/parquet/metadata.h"

typedef struct shredding {
    fl_arena *arena;
    const fl_pq_out_leaf *leaf;
    fl_pq_shred *out;
    int64_t capacity; /* of levels, where they are made one by one */
    fl_work work;
} shredding;

/* ---- values -------------------------------------------------------------------------------------------------------- */

static fl_status fail_value(const fl_pq_out_leaf *leaf, const char *why, fl_err *err)
{
    fl_status st =
        FL_FAIL(err, FL_ERR_RANGE, "column \"%.*s\" holds %s, which Parquet cannot", FL_STR_ARG(leaf->path[0]), why);
    fl_err_hint(err, "write its text instead: CAST(… AS text)");
    return st;
}

/* Months, days and milliseconds, each a positive number of 32 bits. */
static fl_status store_interval(const fl_pq_out_leaf *leaf, fl_interval v, char *to, fl_err *err)
{
    uint32_t parts[3] = {(uint32_t)v.months, (uint32_t)v.days, (uint32_t)(v.nanos / 1000000)};
    if (v.months < 0 || v.days < 0 || v.nanos < 0)
        return fail_value(leaf, "a negative interval", err);
    if (v.nanos % 1000000 != 0)
        return fail_value(leaf, "an interval of fractions of a millisecond", err);
    if (v.nanos / 1000000 > UINT32_MAX)
        return fail_value(leaf, "an interval of more than 49 days of hours", err);
    memcpy(to, parts, sizeof(parts));
    return FL_OK;
}

static void store_big_endian(fl_i128 v, char *to)
{
    for (int32_t i = 15; i >= 0; i--, v >>= 8)
        to[i] = (char)v;
}

static fl_status store_fixed(shredding *s, const fl_vec *vec, int64_t row, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char *room = NULL;
    int32_t bytes = s->leaf->type_length;
    FL_TRY(fl_arena_get(s->arena, bytes, (void **)&room, err));
    if (s->leaf->type.id == FL_INTERVAL)
        FL_TRY(store_interval(s->leaf, ((const fl_interval *)vec->data)[fl_vec_row(vec, row)], room, err));
    else if (s->leaf->type.extension == FL_UUID)
        fl_uuid_to_bytes(fl_vec_i128(vec, row), (uint8_t *)room);
    else
        store_big_endian(fl_vec_i128(vec, row), room);
    *ret = (fl_str){room, bytes};
cleanup:
    return st;
}

/* An integer of any width, date, time or decimal of up to 18 digits. */
static int64_t load_int(const fl_vec *vec, int64_t row)
{
    row = fl_vec_row(vec, row);
    switch (vec->type.id) {
    case FL_I8:
        return ((const int8_t *)vec->data)[row];
    case FL_U8:
        return ((const uint8_t *)vec->data)[row];
    case FL_I16:
        return ((const int16_t *)vec->data)[row];
    case FL_U16:
        return ((const uint16_t *)vec->data)[row];
    case FL_I32:
    case FL_DATE:
    case FL_F32:
        return ((const int32_t *)vec->data)[row];
    case FL_U32:
        return ((const uint32_t *)vec->data)[row];
    case FL_DECIMAL:
        return (int64_t)fl_vec_i128(vec, row);
    default:
        return ((const int64_t *)vec->data)[row];
    }
}

static fl_status add_value(shredding *s, const fl_vec *vec, int64_t row, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_shred *out = s->out;
    int64_t at = out->n_values++;
    switch (s->leaf->lay) {
    case FL_PQ_LAY_1:
        ((uint8_t *)out->values)[at] = fl_bit_get(vec->data, fl_vec_row(vec, row));
        return FL_OK;
    case FL_PQ_LAY_4:
        ((uint32_t *)out->values)[at] = (uint32_t)load_int(vec, row);
        return FL_OK;
    case FL_PQ_LAY_8: {
        int64_t value = load_int(vec, row);
        bool is_seconds = fl_type_is_timestamp(vec->type) && vec->type.unit == FL_SECOND;
        if (is_seconds && value != INT64_MAX && value != INT64_MIN && __builtin_mul_overflow(value, 1000, &value))
            return fail_value(s->leaf, "a time that is no 64 bits of milliseconds", err);
        ((uint64_t *)out->values)[at] = (uint64_t)value;
        return FL_OK;
    }
    default: {
        fl_str *to = (fl_str *)out->values + at;
        if (s->leaf->physical == FL_PQ_FIXED)
            FL_TRY(store_fixed(s, vec, row, to, err));
        else
            *to = fl_vec_str(vec, row);
        out->bytes += to->len;
    }
    }
cleanup:
    return st;
}

/* ---- flat columns -------------------------------------------------------------------------------------------------- */

/* Whether the stored form is the vector's own: rows are copied. */
static bool is_copied(const fl_pq_out_leaf *leaf, const fl_vec *vec)
{
    int32_t bytes = leaf->lay == FL_PQ_LAY_4 ? 4 : leaf->lay == FL_PQ_LAY_8 ? 8 : 0;
    bool is_seconds = fl_type_is_timestamp(vec->type) && vec->type.unit == FL_SECOND;
    return vec->layout == FL_FLAT && vec->valid == NULL && bytes > 0 && vec->width == bytes && !is_seconds;
}

static fl_status shred_flat(shredding *s, const fl_vec *vec, int32_t rows, uint8_t *def, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_shred *out = s->out;
    if (is_copied(s->leaf, vec)) {
        int64_t bytes = vec->width;
        memcpy((char *)out->values + out->n_values * bytes, vec->data, (size_t)(rows * bytes));
        out->n_values += rows;
        if (def != NULL)
            memset(def, 1, (size_t)rows);
        return fl_work_add(&s->work, rows / 8, err);
    }
    bool is_null_type = vec->type.id == FL_NULL;
    if (vec->valid == NULL && !is_null_type && s->leaf->physical == FL_PQ_BYTE_ARRAY) {
        fl_str *to = (fl_str *)out->values + out->n_values;
        for (int32_t row = 0; row < rows; row++) {
            to[row] = fl_vec_str(vec, row);
            out->bytes += to[row].len;
        }
        out->n_values += rows;
        if (def != NULL)
            memset(def, 1, (size_t)rows);
        return fl_work_add(&s->work, rows, err);
    }
    for (int32_t row = 0; row < rows; row++) {
        bool is_there = !is_null_type && fl_vec_is_valid(vec, row);
        FL_TRY(fl_work_add(&s->work, 1, err));
        if (def != NULL)
            def[row] = is_there;
        if (is_there)
            FL_TRY(add_value(s, vec, row, err));
    }
cleanup:
    return st;
}

/* ---- nested columns ------------------------------------------------------------------------------------------------ */

static fl_status add_level(shredding *s, int32_t rep, int32_t def, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_shred *out = s->out;
    if (out->n_levels == s->capacity) { /* arrays of an arena grow by being made anew */
        int64_t capacity = s->capacity * 2 + 1024;
        uint8_t *defs = NULL, *reps = NULL;
        char *values = NULL;
        int64_t bytes = fl_pq_lay_bytes(s->leaf->lay);
        FL_TRY(fl_arena_get(s->arena, capacity, (void **)&defs, err));
        FL_TRY(fl_arena_get(s->arena, capacity, (void **)&reps, err));
        FL_TRY(fl_arena_get(s->arena, capacity * bytes, (void **)&values, err));
        if (out->n_levels > 0) {
            memcpy(defs, out->def, (size_t)out->n_levels);
            memcpy(reps, out->rep, (size_t)out->n_levels);
            memcpy(values, out->values, (size_t)(out->n_values * bytes));
        }
        out->def = defs;
        out->rep = reps;
        out->values = values;
        s->capacity = capacity;
    }
    FL_TRY(fl_work_add(&s->work, 1, err));
    out->def[out->n_levels] = (uint8_t)def;
    out->rep[out->n_levels++] = (uint8_t)rep;
cleanup:
    return st;
}

/* The value of a row at a step of the way to the leaf; `list_rep` is the repetition level of the lists on the way so far. */
static fl_status shred_nested(shredding *s, int32_t step, const fl_vec *vec, int64_t row, int32_t rep, int32_t def,
                              int32_t list_rep, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(vec->layout != FL_DICT || step == s->leaf->n_steps);
    if (vec->type.id == FL_NULL || !fl_vec_is_valid(vec, row))
        return add_level(s, rep, def, err);
    if (step == s->leaf->n_steps) {
        FL_TRY(add_level(s, rep, def + !s->leaf->is_required, err));
        return add_value(s, vec, row, err);
    }
    const fl_pq_step *to = &s->leaf->steps[step];
    def += !to->is_required;
    if (!to->is_list)
        return shred_nested(s, step + 1, &vec->child[to->field], fl_vec_row(vec, row), rep, def, list_rep, err);
    fl_list_entry entry = ((const fl_list_entry *)vec->data)[fl_vec_row(vec, row)];
    if (entry.len == 0)
        return add_level(s, rep, def, err);
    for (int32_t i = 0; i < entry.len; i++)
        FL_TRY(shred_nested(s, step + 1, vec->child, (int64_t)entry.start + i, i == 0 ? rep : list_rep + 1, def + 1,
                            list_rep + 1, err));
cleanup:
    return st;
}

fl_status fl_pq_shred_make(fl_arena *arena, const fl_pq_out_leaf *leaf, const fl_batch *batches, int32_t n,
                           fl_pq_shred *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t rows = 0;
    bool has_nulls = false;
    fl_pq_shred out = {0};
    shredding s = {.arena = arena, .leaf = leaf, .out = &out, .work = fl_work_of(arena->memory)};
    if (leaf->n_steps > 0) {
        for (int32_t b = 0; b < n; b++)
            for (int32_t row = 0; row < batches[b].rows; row++)
                FL_TRY(shred_nested(&s, 0, &batches[b].vec[leaf->column], row, 0, 0, 0, err));
        *ret = out;
        return FL_OK;
    }
    for (int32_t b = 0; b < n; b++) {
        const fl_vec *vec = &batches[b].vec[leaf->column];
        rows += batches[b].rows;
        has_nulls |= vec->valid != NULL || vec->type.id == FL_NULL;
    }
    FL_TRY(fl_arena_get(arena, rows * fl_pq_lay_bytes(leaf->lay) + 16, &out.values, err));
    if (has_nulls)
        FL_TRY(fl_arena_get(arena, rows + 16, (void **)&out.def, err));
    out.n_levels = rows;
    rows = 0;
    for (int32_t b = 0; b < n; b++) {
        FL_TRY(shred_flat(&s, &batches[b].vec[leaf->column], batches[b].rows, out.def == NULL ? NULL : out.def + rows,
                          err));
        rows += batches[b].rows;
    }
    if (out.n_values == rows) /* no row was null */
        out.def = NULL;
    *ret = out;
cleanup:
    return st;
}
