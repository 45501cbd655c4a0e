/* Casts of JSON and maps, and those that change a type's name alone. JSON is taken apart a level at a time: elements become a vector of
 * JSON again, which is cast to the type of elements. Enums, UUIDs and times with offsets are cast by value, as their text is read. */
#include "exec/cast_extension.h"

#include "arrow/value.h"
#include "exec/cast.h"
#include "exec/cast_nested.h"
#include "exec/json_text.h"

#include <math.h>

static bool is_wanted(const fl_call *call, int32_t row)
{
    return fl_call_wants(call, row) && fl_vec_is_valid(&call->args[0], row);
}

static void copy_views(fl_call *call)
{
    memcpy((void *)(uintptr_t)call->ret->data, call->args[0].data, (size_t)call->rows * sizeof(fl_view));
}

/* ---- to JSON ------------------------------------------------------------------------------------------------------- */

static fl_status text_to_json(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    copy_views(call);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_json_work work;
        yyjson_val *value;
        if (!is_wanted(call, row))
            continue;
        fl_json_begin(&work, call);
        st = fl_json_read(&work, fl_vec_str(&call->args[0], row), &value, err);
        fl_json_end(&work);
        if (st == FL_ERR_VALUE && is_try) {
            fl_bit_clear(fl_call_valid(call), row);
            st = FL_OK;
        }
        FL_TRY(st);
    }
cleanup:
    return st;
}

static fl_status any_to_json(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value value;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!is_wanted(call, row))
            continue;
        fl_arena_mark mark = fl_arena_mark_get(call->heap);
        fl_text_clear(&text);
        st = fl_value_from_vec(call->heap, &call->args[0], row, &value, err);
        if (st == FL_OK)
            st = fl_json_add_value(&value, &text, err);
        fl_arena_rewind(call->heap, mark);
        FL_TRY(st);
        FL_TRY(fl_call_work(call, text.len + 8, err));
        FL_TRY(fl_json_keep(call, row, &text, err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

/* ---- from JSON ----------------------------------------------------------------------------------------------------- */

/* What the rows of JSON are taken apart into: pieces of `n` kinds; a struct has one of each kind in every row. */
typedef struct parts {
    fl_pieces *pieces;
    int32_t n;
} parts;

static fl_status add_text(fl_call *call, fl_pieces *to, const fl_text *text, fl_err *err)
{
    char *room = NULL;
    fl_status st = fl_text_status(text, err);
    if (st == FL_OK)
        st = fl_call_room(call, text->len + 1, &room, err);
    if (st != FL_OK)
        return st;
    if (text->len > 0)
        memcpy(room, text->data, (size_t)text->len);
    return fl_pieces_add(call, to, (fl_str){room, text->len}, false, err);
}

/* What a part that becomes a value of type `to` is taken out as: strings that become texts lose their quotes. */
static fl_type piece_type(fl_type to)
{
    return fl_type_is_text(to) ? to : FL_TYPE_JSON;
}

/* A part that becomes a value of type `type`; what is not there is null, and so is JSON's null. */
static fl_status add_part(fl_json_work *work, fl_type type, fl_pieces *to, yyjson_val *value, fl_text *text,
                          fl_err *err)
{
    fl_status st = FL_OK;
    if (value == NULL || yyjson_is_null(value))
        return fl_pieces_add(work->call, to, FL_STR(""), true, err);
    fl_text_clear(text);
    FL_TRY(fl_type_is_text(type) ? fl_json_print_plain(work, value, text, err)
                                 : fl_json_print_value(work, value, YYJSON_WRITE_NOFLAG, text, err));
    st = add_text(work->call, to, text, err);
cleanup:
    return st;
}

/* Texts of numbers and strings are cast as texts are; a number with a fraction or an exponent is rounded where a whole one is wanted,
 * halves away from zero, as PostgreSQL rounds jsonb. */
static fl_status take_plain(fl_json_work *work, yyjson_val *value, parts *to, fl_text *text, bool *ret_fits,
                            fl_err *err)
{
    fl_status st = FL_OK;
    *ret_fits = !yyjson_is_ctn(value);
    if (!*ret_fits || yyjson_is_null(value))
        return fl_pieces_add(work->call, &to->pieces[0], FL_STR(""), true, err);
    fl_text_clear(text);
    if (yyjson_is_real(value) && fl_type_is_integer(work->call->ret->type))
        fl_text_addf(text, "%.0f", round(yyjson_get_real(value)));
    else
        FL_TRY(fl_json_print_plain(work, value, text, err));
    st = add_text(work->call, &to->pieces[0], text, err);
cleanup:
    return st;
}

static fl_status take_elements(fl_json_work *work, yyjson_val *value, parts *to, fl_text *text, bool *ret_fits,
                               fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, n;
    yyjson_val *item;
    *ret_fits = yyjson_is_arr(value);
    yyjson_arr_foreach(value, i, n, item)
    {
        FL_TRY(add_part(work, work->call->ret->type.fields[0].type, &to->pieces[0], item, text, err));
    }
cleanup:
    return st;
}

static fl_status take_entries(fl_json_work *work, yyjson_val *value, parts *to, fl_text *text, bool *ret_fits,
                              fl_err *err)
{
    fl_status st = FL_OK;
    size_t i, n;
    yyjson_val *name, *member;
    *ret_fits = yyjson_is_obj(value);
    yyjson_obj_foreach(value, i, n, name, member)
    {
        fl_text_clear(text);
        FL_TRY(fl_json_print_plain(work, name, text, err));
        FL_TRY(add_text(work->call, &to->pieces[0], text, err));
        FL_TRY(add_part(work, fl_type_map_value(work->call->ret->type), &to->pieces[1], member, text, err));
    }
cleanup:
    return st;
}

static fl_status take_fields(fl_json_work *work, yyjson_val *value, parts *to, fl_text *text, bool *ret_fits,
                             fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = work->call->ret->type;
    *ret_fits = yyjson_is_obj(value);
    for (int32_t i = 0; i < type.n_fields; i++) {
        fl_str name = type.fields[i].name;
        yyjson_val *member = *ret_fits ? yyjson_obj_getn(value, name.data, (size_t)name.len) : NULL;
        FL_TRY(add_part(work, type.fields[i].type, &to->pieces[i], member, text, err));
    }
cleanup:
    return st;
}

typedef fl_status (*taker)(fl_json_work *work, yyjson_val *value, parts *to, fl_text *text, bool *ret_fits,
                           fl_err *err);

static fl_status fail_shape(const fl_call *call, int32_t row, fl_err *err)
{
    fl_str text = fl_vec_str(&call->args[0], row);
    fl_status st = FL_FAIL(err, FL_ERR_VALUE, "the JSON %.*s cannot be a value of type %s",
                           (int)(text.len > 100 ? 100 : text.len), text.data, FL_TYPE_NAME(call->ret->type));
    return fl_err_state(err, "22P02", st);
}

/* The text that one row holds: JSON, which was looked at when it became so; files may hold other text. */
static fl_status take_row(fl_call *call, int32_t row, taker take, parts *to, fl_text *text, bool *ret_null,
                          bool *ret_fits, fl_err *err)
{
    fl_status st = FL_OK;
    fl_json_work work;
    yyjson_val *value;
    fl_json_begin(&work, call); /* what is taken stays in the heap, and so does the tree under it */
    FL_TRY(fl_json_read(&work, fl_vec_str(&call->args[0], row), &value, err));
    *ret_null = yyjson_is_null(value);
    if (!*ret_null)
        FL_TRY(take(&work, value, to, text, ret_fits, err));
cleanup:
    return st;
}

/* Takes all rows apart. Rows of lists and maps say in call->ret which pieces are theirs (n_kinds 1 or 2 and `is_list`), others have one
 * piece of each kind. */
static fl_status take_rows(fl_call *call, taker take, parts *to, bool is_list, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *own_valid = NULL;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        bool is_null = !is_wanted(call, row), fits = true;
        int64_t start = to->pieces[0].n;
        if (!is_null)
            FL_TRY(take_row(call, row, take, to, &text, &is_null, &fits, err));
        if (!fits && !is_try) {
            st = fail_shape(call, row, err);
            goto cleanup;
        }
        if ((is_null || !fits) && is_wanted(call, row)) {
            if (own_valid == NULL)
                FL_TRY(fl_call_own_valid(call, &own_valid, err));
            fl_bit_clear(own_valid, row);
        }
        for (int32_t i = 0; i < to->n && !is_list && to->pieces[i].n == start; i++)
            FL_TRY(fl_pieces_add(call, &to->pieces[i], FL_STR(""), true, err));
        if (is_list)
            fl_pieces_end_row(call, &to->pieces[0], row, start);
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status json_to_plain(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    parts to = {&pieces, 1};
    uint64_t *valid = NULL;
    fl_vec made;
    FL_TRY(take_rows(call, take_plain, &to, false, is_try, err));
    FL_TRY(fl_cast_pieces(call, &pieces, FL_TYPE(FL_UTF8), call->ret->type, is_try, &made, err));
    FL_ASSERT(pieces.n == call->rows);
    if (call->ret->valid != NULL && made.valid != NULL) {
        FL_TRY(fl_call_own_valid(call, &valid, err));
        for (int64_t w = 0; w < fl_bitmap_words(call->rows); w++)
            valid[w] &= made.valid[w];
    } else if (made.valid != NULL) {
        call->ret->valid = made.valid;
    }
    call->ret->data = made.data;
    call->ret->width = made.width;
cleanup:
    return st;
}

static fl_status json_to_list(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    parts to = {&pieces, 1};
    fl_vec *child = NULL;
    FL_TRY(take_rows(call, take_elements, &to, true, is_try, err));
    FL_TRY(FL_NEW(call->heap, &child, err));
    fl_type type = call->ret->type.fields[0].type;
    FL_TRY(fl_cast_pieces(call, &pieces, piece_type(type), type, is_try, child, err));
    call->ret->child = child;
    call->ret->child_rows = pieces.n;
cleanup:
    return st;
}

static fl_status json_to_map(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces[2] = {{0}, {0}};
    parts to = {pieces, 2};
    fl_type type = call->ret->type;
    fl_vec keys, values;
    FL_TRY(take_rows(call, take_entries, &to, true, is_try, err));
    FL_TRY(fl_cast_pieces(call, &pieces[0], FL_TYPE(FL_UTF8), fl_type_map_key(type), is_try, &keys, err));
    FL_TRY(fl_cast_pieces(call, &pieces[1], piece_type(fl_type_map_value(type)), fl_type_map_value(type), is_try,
                          &values, err));
    st = fl_cast_set_entries(call, &keys, &values, pieces[0].n, is_try, err);
cleanup:
    return st;
}

static fl_status json_to_struct(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = call->ret->type;
    fl_vec *fields = NULL;
    parts to = {.n = type.n_fields};
    FL_TRY(FL_NEW_ARRAY(call->heap, type.n_fields + 1, &to.pieces, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, type.n_fields + 1, &fields, err));
    FL_TRY(take_rows(call, take_fields, &to, false, is_try, err));
    for (int32_t i = 0; i < type.n_fields; i++)
        FL_TRY(fl_cast_pieces(call, &to.pieces[i], piece_type(type.fields[i].type), type.fields[i].type, is_try,
                              &fields[i], err));
    call->ret->child = fields;
    call->ret->child_rows = call->rows;
cleanup:
    return st;
}

/* ---- bit strings --------------------------------------------------------------------------------------------------- */

/* As many bits as the integer has, the highest first. */
static fl_status integer_to_bit(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t bits = fl_type_width(call->args[0].type) * 8;
    for (int32_t row = 0; row < call->rows; row++) {
        fl_value value;
        char *room = NULL;
        fl_ret_view(call)[row] = (fl_view){0};
        if (!is_wanted(call, row))
            continue;
        FL_TRY(fl_value_from_vec(call->heap, &call->args[0], row, &value, err));
        FL_TRY(fl_call_room(call, bits, &room, err));
        for (int32_t i = 0; i < bits; i++)
            room[i] = (char)('0' + (value.u >> (bits - 1 - i) & 1));
        fl_ret_view(call)[row] = fl_view_of(room, bits);
    }
cleanup:
    return st;
}

static fl_status bit_to_integer(fl_call *call, bool is_try, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type type = call->ret->type;
    int32_t width = fl_type_width(type);
    for (int32_t row = 0; row < call->rows; row++) {
        uint64_t number = 0;
        if (!is_wanted(call, row))
            continue;
        fl_str bits = fl_vec_str(&call->args[0], row);
        if (bits.len > width * 8 && !is_try)
            return FL_FAIL(err, FL_ERR_RANGE, "%lld bits are out of range for type %s", (long long)bits.len,
                           FL_TYPE_NAME(type));
        if (bits.len > width * 8)
            fl_bit_clear(fl_call_valid(call), row);
        for (int64_t i = 0; i < bits.len && i < 64; i++)
            number = number << 1 | (uint64_t)(bits.data[i] == '1');
        memcpy((uint8_t *)(uintptr_t)call->ret->data + (int64_t)row * width, &number, (size_t)width);
    }
    return st;
}

/* ---- which is which ------------------------------------------------------------------------------------------------ */

fl_status fl_cast_extension(fl_call *call, bool is_try, bool *ret_done, fl_err *err)
{
    fl_type from = call->args[0].type, to = call->ret->type;
    FL_ASSERT(from.extension != FL_PLAIN || to.extension != FL_PLAIN);
    *ret_done = true;
    if (to.extension == FL_JSON)
        return fl_type_is_text(from) ? text_to_json(call, is_try, err) : any_to_json(call, err);
    if (from.id == FL_UTF8 && fl_type_is_text(to)) { /* only the name of the type changes */
        copy_views(call);
        return FL_OK;
    }
    if (from.extension == FL_JSON)
        return to.extension == FL_MAP ? json_to_map(call, is_try, err)
               : to.id == FL_LIST     ? json_to_list(call, is_try, err)
               : to.id == FL_STRUCT   ? json_to_struct(call, is_try, err)
                                      : json_to_plain(call, is_try, err);
    if (to.extension == FL_MAP && fl_type_is_text(from))
        return fl_cast_text_to_map(call, is_try, err);
    if (to.extension == FL_BIT && fl_type_is_integer(from))
        return integer_to_bit(call, err);
    if (from.extension == FL_BIT && fl_type_is_integer(to))
        return bit_to_integer(call, is_try, err);
    *ret_done = false;
    return FL_OK;
}
