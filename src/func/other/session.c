/* What programs ask of a server when they connect: version(), current_user, current_database() and their kin. There are no users and no
 * databases: the answers are the same names everywhere. */
#include "exec/pieces.h"

static fl_status put(fl_call *call, const char *text, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_view(call)[row] = fl_view_of(text, (int64_t)strlen(text));
    return FL_OK;
}

static fl_status name(fl_call *call, fl_err *err)
{
    return put(call, "fletch", err);
}

static fl_status schema(fl_call *call, fl_err *err)
{
    return put(call, "main", err);
}

static fl_status version(fl_call *call, fl_err *err)
{
    return put(call, "fletch " FLETCH_VERSION, err);
}

/* The schemas in which names are looked up: there is one. */
static fl_status schemas(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    for (int32_t row = 0; row < call->rows; row++) {
        FL_TRY(fl_pieces_add(call, &pieces, FL_STR("main"), false, err));
        fl_pieces_end_row(call, &pieces, row, pieces.n - 1);
    }
    st = fl_pieces_finish(call, &pieces, err);
cleanup:
    return st;
}

static fl_status resolve_schemas(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    if (n_args != 1 || (args[0].id != FL_BOOL && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a boolean was expected");
    *ret = (fl_func_choice){.args = {FL_TYPE(FL_BOOL)}, .n_args = 1, .run = schemas};
    return fl_type_list_of(arena, FL_TYPE(FL_UTF8), &ret->ret, err);
}

static fl_status in_search_path(fl_call *call, fl_err *err)
{
    (void)err;
    for (int32_t row = 0; row < call->rows; row++)
        fl_bit_put(fl_ret_bits(call), row,
                   fl_str_is_equal_nocase(fl_vec_str(&call->args[0], row), FL_STR("fletch")) &&
                       fl_str_is_equal_nocase(fl_vec_str(&call->args[1], row), FL_STR("main")));
    return FL_OK;
}

#define FUNC(name_, run, help)                                                                  \
    {                                                                                           \
        FL_DESC(fl_func_desc), .name = name_, .traits = FL_PURE, .n_overloads = 1, .doc = help, \
            .overloads = (const fl_func_overload[])                                             \
        {                                                                                       \
            {                                                                                   \
                FL_ARGS(), FL_UTF8, 0, run                                                      \
            }                                                                                   \
        }                                                                                       \
    }

static const fl_func_desc funcs[] = {
    FUNC("version", version, "version(): the program's name and version"),
    FUNC("current_database", name, "current_database(): fletch"),
    FUNC("current_schema", schema, "current_schema(): main"),
    {FL_DESC(fl_func_desc), .name = "current_schemas", .traits = FL_PURE | FL_NULL_GIVES_NULL | FL_CONST_ARGS,
     .resolve = resolve_schemas, .doc = "current_schemas(with those of the system): [main]"},
    {FL_DESC(fl_func_desc), .name = "in_search_path", .traits = FL_PURE | FL_NULL_GIVES_NULL, .n_overloads = 1,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, 0, in_search_path}},
     .doc = "in_search_path(database, schema): whether names are looked up there"},
    FUNC("current_user", name, "current_user(): fletch"),
};

FL_FUNC_SET(session, funcs);
