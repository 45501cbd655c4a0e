/* What programs ask of a server when they connect: version(), current_user, current_database(), current_setting() and their kin. There are
 * no users: that answer is the same everywhere. */
#include "exec/pieces.h"
#include "exec/session_facts.h"
#include "exec/session_state.h"

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

static fl_status version(fl_call *call, fl_err *err)
{
    return put(call, "fletch " FLETCH_VERSION, err);
}

/* Where names are that say no schema. */
static fl_str database_of(const fl_call *call)
{
    const fl_session_facts *facts = call->session->facts;
    return facts != NULL ? facts->database(facts) : FL_STR("fletch");
}

static fl_str schema_of(const fl_call *call)
{
    const fl_session_facts *facts = call->session->facts;
    return facts != NULL ? facts->schema(facts) : FL_STR("main");
}

/* The same text in all rows. */
static fl_status put_copy(fl_call *call, fl_str text, fl_err *err)
{
    fl_status st = FL_OK;
    char *out;
    FL_TRY(fl_call_room(call, text.len + 1, &out, err));
    memcpy(out, text.data, (size_t)text.len);
    for (int32_t row = 0; row < call->rows; row++)
        fl_ret_view(call)[row] = fl_view_of(out, text.len);
cleanup:
    return st;
}

static fl_status database(fl_call *call, fl_err *err)
{
    return put_copy(call, database_of(call), err);
}

static fl_status schema(fl_call *call, fl_err *err)
{
    return put_copy(call, schema_of(call), err);
}

/* The schemas in which names are looked up. */
static fl_status schemas(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pieces pieces = {0};
    fl_str here = schema_of(call);
    bool is_main = fl_str_is_equal(here, FL_STR("main"));
    for (int32_t row = 0; row < call->rows; row++) {
        int64_t start = pieces.n;
        if (!is_main)
            FL_TRY(fl_pieces_add(call, &pieces, here, false, err));
        FL_TRY(fl_pieces_add(call, &pieces, FL_STR("main"), false, err));
        fl_pieces_end_row(call, &pieces, row, start);
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
                   fl_str_is_equal_nocase(fl_vec_str(&call->args[0], row), database_of(call)) &&
                       (fl_str_is_equal_nocase(fl_vec_str(&call->args[1], row), schema_of(call)) ||
                        fl_str_is_equal_nocase(fl_vec_str(&call->args[1], row), FL_STR("main"))));
    return FL_OK;
}

static fl_status setting(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_session_facts *facts = call->session->facts;
    uint64_t *valid = NULL;
    fl_text text;
    fl_text_init(&text, NULL);
    if (facts == NULL)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "there are no settings here");
    FL_TRY(fl_call_own_valid(call, &valid, err));
    for (int32_t row = 0; row < call->rows; row++) {
        char *out;
        fl_ret_view(call)[row] = fl_view_of("", 0);
        if (!fl_call_wants(call, row) || !fl_bit_get(valid, row))
            continue;
        fl_text_clear(&text);
        bool may_miss = call->n_args > 1 && fl_bit_get(fl_arg_bits(call, 1), row);
        st = facts->print_setting(facts, fl_vec_str(&call->args[0], row), &text, may_miss ? NULL : err);
        if (st == FL_ERR_CONFIG && may_miss) {
            fl_bit_put(valid, row, false);
            st = FL_OK;
            continue;
        }
        FL_TRY(st);
        FL_TRY(fl_text_status(&text, err));
        FL_TRY(fl_call_room(call, text.len + 1, &out, err));
        memcpy(out, fl_text_str(&text).data, (size_t)text.len);
        fl_ret_view(call)[row] = fl_view_of(out, text.len);
    }
cleanup:
    fl_text_drop(&text);
    return st;
}

#define FUNC(name_, traits_, run, help)                                                         \
    {                                                                                           \
        FL_DESC(fl_func_desc), .name = name_, .traits = traits_, .n_overloads = 1, .doc = help, \
            .overloads = (const fl_func_overload[])                                             \
        {                                                                                       \
            {                                                                                   \
                FL_ARGS(), FL_UTF8, 0, run                                                      \
            }                                                                                   \
        }                                                                                       \
    }

static const fl_func_desc funcs[] = {
    FUNC("version", FL_PURE, version, "version(): the program's name and version"),
    FUNC("current_database", FL_STABLE, database, "current_database(): where names are that say no database"),
    FUNC("current_schema", FL_STABLE, schema, "current_schema(): where names are that say no schema"),
    {FL_DESC(fl_func_desc), .name = "current_schemas", .traits = FL_STABLE | FL_NULL_GIVES_NULL | FL_CONST_ARGS,
     .resolve = resolve_schemas, .doc = "current_schemas(with those of the system): where names are looked up"},
    {FL_DESC(fl_func_desc), .name = "in_search_path", .traits = FL_STABLE | FL_NULL_GIVES_NULL, .n_overloads = 1,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8, FL_UTF8), FL_BOOL, 0, in_search_path}},
     .doc = "in_search_path(database, schema): whether names are looked up there"},
    {FL_DESC(fl_func_desc), .name = "current_setting",
     .traits = FL_STABLE | FL_NULL_GIVES_NULL | FL_GIVES_NULL | FL_CAN_FAIL, .n_overloads = 2,
     .overloads = (const fl_func_overload[]){{FL_ARGS(FL_UTF8), FL_UTF8, FL_CAN_FAIL, setting},
                                             {FL_ARGS(FL_UTF8, FL_BOOL), FL_UTF8, FL_CAN_FAIL, setting}},
     .doc = "current_setting(name [, may_miss]): a setting's value; may_miss: null where there is no such setting"},
    FUNC("current_user", FL_PURE, name, "current_user(): fletch"),
};

FL_FUNC_SET(session, funcs);
