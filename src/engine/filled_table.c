/* Rows of values, put into one segment. */
#include "engine/filled_table.h"

/* Of a list of columns. */
static const fl_field name_and_type[] = {{.name = {"name", 4}, .type = {.id = FL_UTF8}, .nullable = true},
                                         {.name = {"type", 4}, .type = {.id = FL_UTF8}, .nullable = true}};
static const fl_field described_field = {
    .name = {"element", 7}, .type = {.id = FL_STRUCT, .n_fields = 2, .fields = name_and_type}, .nullable = true};

static fl_type type_of(char letter)
{
    switch (letter) {
    case 'i':
        return FL_TYPE(FL_I64);
    case 'u':
        return FL_TYPE(FL_U64);
    case 'b':
        return FL_TYPE(FL_BOOL);
    case 'x':
        return FL_TYPE(FL_BINARY);
    case 'z':
        return (fl_type){.id = FL_TIMESTAMPTZ, .unit = FL_MICRO};
    case 'f':
        return (fl_type){.id = FL_LIST, .n_fields = 1, .fields = &described_field};
    default:
        FL_ASSERT(letter == 't');
        return FL_TYPE(FL_UTF8);
    }
}

fl_status fl_filled_table_begin(fl_filled_table *t, fl_memory *memory, fl_arena *arena, const char *columns,
                                fl_err *err)
{
    fl_status st = FL_OK;
    fl_type types[FL_FILLED_COLUMNS_MAX];
    *t = (fl_filled_table){.memory = memory, .arena = arena};
    FL_TRY(FL_NEW_ARRAY(arena, FL_FILLED_COLUMNS_MAX, &t->fields, err));
    for (const char *at = columns; *at != 0;) {
        const char *colon = strchr(at, ':');
        FL_ASSERT(t->n_cols < FL_FILLED_COLUMNS_MAX && colon != NULL);
        types[t->n_cols] = type_of(colon[1]);
        t->fields[t->n_cols] = (fl_field){.name = {at, colon - at}, .type = types[t->n_cols], .nullable = true};
        t->n_cols++;
        at = colon[2] == ' ' ? colon + 3 : colon + 2;
    }
    FL_TRY(fl_segment_builder_new(memory, types, t->n_cols, FL_SEGMENT_RESULT, &t->builder, err));
cleanup:
    return st;
}

static fl_value *next_value(fl_filled_table *t)
{
    FL_ASSERT(t->at < t->n_cols);
    t->row[t->at] = (fl_value){.type = t->fields[t->at].type};
    return &t->row[t->at++];
}

void fl_fill_null(fl_filled_table *t)
{
    next_value(t)->is_null = true;
}

void fl_fill_text(fl_filled_table *t, fl_str text)
{
    fl_value *value = next_value(t);
    FL_ASSERT(fl_type_is_string(value->type));
    value->s = text;
    value->is_null = text.data == NULL;
}

void fl_fill(fl_filled_table *t, const char *text)
{
    fl_fill_text(t, text == NULL ? (fl_str){0} : fl_str_of(text));
}

void fl_fill_number(fl_filled_table *t, int64_t number)
{
    fl_value *value = next_value(t);
    if (value->type.id == FL_U64)
        value->u = (uint64_t)number;
    else
        value->i = number;
}

void fl_fill_bool(fl_filled_table *t, bool truth)
{
    fl_value *value = next_value(t);
    FL_ASSERT(value->type.id == FL_BOOL);
    value->b = truth;
}

fl_status fl_filled_type_name(fl_arena *arena, fl_type type, fl_str *ret, fl_err *err)
{
    fl_text text;
    fl_text_init(&text, arena->memory);
    fl_type_print(&text, type);
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), ret, err);
    fl_text_drop(&text);
    return st;
}

fl_status fl_fill_fields(fl_filled_table *t, const fl_field *fields, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *items = NULL, *parts = NULL;
    fl_value *value = next_value(t);
    FL_ASSERT(value->type.id == FL_LIST);
    FL_TRY(FL_NEW_ARRAY(t->arena, n + 1, &items, err));
    FL_TRY(FL_NEW_ARRAY(t->arena, 2 * (n + 1), &parts, err));
    for (int32_t i = 0; i < n; i++) {
        fl_value *part = parts + 2 * i;
        part[0] = part[1] = (fl_value){.type = FL_TYPE(FL_UTF8)};
        part[0].s = fields[i].name;
        FL_TRY(fl_filled_type_name(t->arena, fields[i].type, &part[1].s, err));
        items[i] = (fl_value){.type = described_field.type, .list = {part, 2}};
    }
    value->list.items = items;
    value->list.n = n;
cleanup:
    return st;
}

fl_status fl_filled_table_end_row(fl_filled_table *t, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec vecs[FL_FILLED_COLUMNS_MAX];
    while (t->at < t->n_cols)
        next_value(t)->is_null = true;
    for (int32_t i = 0; i < t->n_cols; i++)
        FL_TRY(fl_value_to_vec(t->arena, &t->row[i], &vecs[i], err));
    FL_TRY(fl_segment_builder_add(t->builder, vecs, NULL, 1, err));
    t->at = 0;
cleanup:
    return st;
}

fl_status fl_filled_table_finish(fl_filled_table *t, fl_str name, fl_table **ret, fl_err *err)
{
    fl_segment *segment = NULL;
    FL_ASSERT(t->at == 0);
    fl_status st = fl_segment_builder_finish(t->builder, &segment, err);
    if (st == FL_OK)
        st = fl_memory_table_new(t->memory, name, t->fields, t->n_cols, &segment, segment->rows > 0 ? 1 : 0, ret, err);
    if (st == FL_OK)
        (*ret)->format = FL_FORMAT_SYSTEM; /* nobody else has it yet */
    fl_segment_unref(segment);
    return st;
}

void fl_filled_table_drop(fl_filled_table *t)
{
    fl_segment_builder_free(t->builder);
    t->builder = NULL;
}
