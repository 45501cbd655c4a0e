/* What COLLATE stands for: a text whose type says how it is compared. Its value stays as it is; who compares takes a key of it
 * (front/sql/bind_collation.c). The names have a blank in them: no call is written so. */
#include "base/collation.h"
#include "exec/func.h"

static fl_status run(fl_call *call, fl_err *err)
{
    (void)err;
    fl_view *ret = fl_ret_view(call);
    for (int32_t row = 0; row < call->rows; row++)
        ret[row] = fl_vec_is_valid(&call->args[0], row) ? fl_vec_view(&call->args[0], row) : (fl_view){0};
    return FL_OK;
}

static fl_status choose(fl_collation collation, const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args != 1 || (args[0].id != FL_NULL && !fl_type_is_text(args[0])))
        return FL_FAIL(err, FL_ERR_FUNCTION, "collations are of texts");
    fl_type type = FL_TYPE(FL_UTF8);
    type.precision = (uint8_t)collation;
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_UTF8)}, .n_args = 1, .ret = type, .run = run};
    return FL_OK;
}

#define COLLATE(suffix, collation)                                                                           \
    static fl_status resolve_##suffix(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err) \
    {                                                                                                        \
        return choose(collation, args, n_args, ret, err);                                                    \
    }

COLLATE(c, FL_COLLATION_C)
COLLATE(nocase, FL_COLLATION_NOCASE)
COLLATE(noaccent, FL_COLLATION_NOACCENT)
COLLATE(nocase_noaccent, FL_COLLATION_NOCASE_NOACCENT)
COLLATE(nfc, FL_COLLATION_NFC)

#define FUNC(text, resolve_) \
    {FL_DESC(fl_func_desc), .name = text, .traits = FL_PURE | FL_NULL_GIVES_NULL, .resolve = resolve_, .doc = "COLLATE"}

static const fl_func_desc funcs[] = {
    FUNC("collate C", resolve_c),
    FUNC("collate nocase", resolve_nocase),
    FUNC("collate noaccent", resolve_noaccent),
    FUNC("collate nocase.noaccent", resolve_nocase_noaccent),
    FUNC("collate nfc", resolve_nfc),
};

FL_FUNC_SET(collate, funcs);
