/* JSON of values: to_json, json_quote, json_array, json_object. Texts become strings. */
#include "arrow/value.h"
#include "base/number.h"
#include "func/json/json.h"

#include <math.h>

static fl_status add_arg(fl_call *call, int32_t arg, int32_t row, fl_text *to, fl_err *err)
{
    fl_value value;
    fl_status st = fl_value_from_vec(call->heap, &call->args[arg], row, &value, err);
    return st != FL_OK ? st : fl_json_add_value(&value, to, err);
}

typedef fl_status (*maker)(fl_call *call, int32_t row, fl_text *to, fl_err *err);

static fl_status run(fl_call *call, maker make, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t row = 0; row < call->rows; row++) {
        fl_ret_view(call)[row] = (fl_view){0};
        if (!fl_call_wants(call, row))
            continue;
        fl_arena_mark mark = fl_arena_mark_get(call->heap);
        fl_text_clear(&text);
        st = make(call, row, &text, err);
        fl_arena_rewind(call->heap, mark);
        FL_TRY(st);
        FL_TRY(fl_call_work(call, text.len + 8, err));
        FL_TRY(fl_json_keep(call, row, &text, err));
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

static fl_status make_one(fl_call *call, int32_t row, fl_text *to, fl_err *err)
{
    return fl_vec_is_valid(&call->args[0], row) ? add_arg(call, 0, row, to, err) : FL_OK;
}

static fl_status make_array(fl_call *call, int32_t row, fl_text *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_add_char(to, '[');
    for (int32_t a = 0; a < call->n_args && st == FL_OK; a++) {
        if (a > 0)
            fl_text_add_char(to, ',');
        st = add_arg(call, a, row, to, err);
    }
    fl_text_add_char(to, ']');
    return st;
}

static fl_status make_object(fl_call *call, int32_t row, fl_text *to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_add_char(to, '{');
    for (int32_t a = 0; a < call->n_args && st == FL_OK; a += 2) {
        if (!fl_vec_is_valid(&call->args[a], row))
            return fl_err_state(err, "22004", FL_FAIL(err, FL_ERR_VALUE, "the name of a member cannot be null"));
        if (a > 0)
            fl_text_add_char(to, ',');
        fl_text_add_json(to, fl_vec_str(&call->args[a], row));
        fl_text_add_char(to, ':');
        st = add_arg(call, a + 1, row, to, err);
    }
    fl_text_add_char(to, '}');
    return st;
}

static fl_status to_json(fl_call *call, fl_err *err)
{
    return run(call, make_one, err);
}
static fl_status json_array(fl_call *call, fl_err *err)
{
    return run(call, make_array, err);
}
static fl_status json_object(fl_call *call, fl_err *err)
{
    return run(call, make_object, err);
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_run run_, fl_func_choice *ret, fl_err *err)
{
    if (n_args > FL_FUNC_ARGS_MAX)
        return FL_FAIL(err, FL_ERR_FUNCTION, "up to %d values were expected", FL_FUNC_ARGS_MAX);
    *ret = (fl_func_choice){.n_args = n_args, .ret = FL_TYPE_JSON, .traits = FL_CAN_FAIL, .run = run_};
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = args[i].id == FL_NULL ? FL_TYPE(FL_UTF8) : args[i];
    return FL_OK;
}

static fl_status resolve_to_json(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1)
        return FL_FAIL(err, FL_ERR_FUNCTION, "one value was expected");
    return resolve(args, n_args, to_json, ret, err);
}

static fl_status resolve_array(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    return resolve(args, n_args, json_array, ret, err);
}

static fl_status resolve_object(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    for (int32_t i = 0; i < n_args; i += 2)
        if (n_args % 2 != 0 || (!fl_type_is_text(fl_type_plain(args[i])) && args[i].id != FL_NULL))
            return FL_FAIL(err, FL_ERR_FUNCTION, "names and values in turn were expected");
    return resolve(args, n_args, json_object, ret, err);
}

static const fl_func_desc funcs[] = {
    {FL_DESC(fl_func_desc), .name = "to_json",
     .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_ANY_TYPE, .resolve = resolve_to_json,
     .doc = "to_json(x): a value of any type as JSON; texts become strings"},
    {FL_DESC(fl_func_desc), .name = "json_array", .traits = FL_PURE | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_ANY_TYPE,
     .resolve = resolve_array, .doc = "json_array(a, b, ...): an array of values"},
    {FL_DESC(fl_func_desc), .name = "json_object", .traits = FL_PURE | FL_CONST_ARGS | FL_OFFSETS_ARGS | FL_ANY_TYPE,
     .resolve = resolve_object, .doc = "json_object(name, value, ...): an object"},
};

FL_FUNC_SET(json_make, funcs);
