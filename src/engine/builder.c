/* The builder of the C API: the frontend's steps, run in a session. */
#include "front/builder/builder.h"

#include "engine/internal.h"

struct fl_builder {
    fl_handle handle;
    fl_steps steps;
};

/* NULL is an empty text: the step says what it lacks. */
static fl_str text_of(const char *text)
{
    return text != NULL ? fl_str_of(text) : (fl_str){0};
}

static bool is_open(const fl_builder *builder)
{
    return builder != NULL && builder->handle.session != NULL;
}

static void detach(fl_handle *handle)
{
    fl_steps_drop(&((fl_builder *)handle)->steps);
}

fl_builder *fl_query_from(fl_session *session, const char *table)
{
    fl_builder *builder = NULL;
    if (fl_alloc_zero(NULL, (int64_t)sizeof(*builder), (void **)&builder, NULL) != FL_OK)
        return NULL;
    fl_handle_attach(&builder->handle, session, detach);
    fl_steps_init(&builder->steps, &session->memory);
    fl_steps_from(&builder->steps, text_of(table));
    return builder;
}

void fl_builder_free(fl_builder *builder)
{
    if (builder == NULL)
        return;
    if (builder->handle.session != NULL)
        fl_steps_drop(&builder->steps);
    fl_handle_remove(&builder->handle);
    fl_free(builder);
}

#define STEP(name)                                                       \
    fl_builder *fl_builder_##name(fl_builder *builder, const char *text) \
    {                                                                    \
        if (is_open(builder))                                            \
            fl_steps_##name(&builder->steps, text_of(text));             \
        return builder;                                                  \
    }
STEP(where)
STEP(select)
STEP(group_by)
STEP(agg)
STEP(order_by)
STEP(window)
STEP(qualify)
STEP(sample)

fl_builder *fl_builder_set(fl_builder *builder, const char *kind, const char *table)
{
    if (is_open(builder))
        fl_steps_set(&builder->steps, text_of(kind), text_of(table));
    return builder;
}

fl_builder *fl_builder_pivot(fl_builder *builder, const char *keys, const char *aggregates, const char *groups)
{
    if (is_open(builder))
        fl_steps_pivot(&builder->steps, text_of(keys), text_of(aggregates), text_of(groups));
    return builder;
}

fl_builder *fl_builder_unpivot(fl_builder *builder, const char *columns, const char *name, const char *values)
{
    if (is_open(builder))
        fl_steps_unpivot(&builder->steps, text_of(columns), text_of(name), text_of(values));
    return builder;
}

fl_builder *fl_builder_copy_to(fl_builder *builder, const char *file, const char *options)
{
    if (is_open(builder))
        fl_steps_copy_to(&builder->steps, text_of(file), text_of(options));
    return builder;
}

fl_builder *fl_builder_join(fl_builder *builder, const char *table, const char *kind, const char *on)
{
    if (is_open(builder))
        fl_steps_join(&builder->steps, text_of(table), text_of(kind), text_of(on));
    return builder;
}

fl_builder *fl_builder_take(fl_builder *builder, int64_t rows)
{
    if (is_open(builder))
        fl_steps_take(&builder->steps, rows);
    return builder;
}

fl_builder *fl_builder_skip(fl_builder *builder, int64_t rows)
{
    if (is_open(builder))
        fl_steps_skip(&builder->steps, rows);
    return builder;
}

/* The statement of the steps; a builder that could not be made says so. */
static fl_status finish(const fl_builder *builder, fl_ast_statement *ret, fl_err *err)
{
    if (builder == NULL)
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: there is no builder");
    fl_status st = fl_handle_check(&builder->handle, err);
    if (st != FL_OK)
        return st;
    return fl_steps_finish(&builder->steps, ret, err);
}

/* The steps may be gone by the time that rows are read, and positions mean nothing without them. */
static void forget_position(void *ctx, fl_err *err)
{
    (void)ctx;
    if (err != NULL)
        err->position = 0;
}

fl_status fl_builder_run(fl_builder *builder, struct ArrowArrayStream *ret_rows, fl_err *err)
{
    fl_ast_statement statement;
    fl_locator locator = {.locate = forget_position};
    fl_status st = finish(builder, &statement, err);
    if (st != FL_OK)
        return st;
    st = fl_session_run_statement(builder->handle.session, &statement, &locator, ret_rows, err);
    if (st != FL_OK)
        fl_steps_locate(&builder->steps, err);
    return st;
}

fl_status fl_builder_plan_hash(fl_builder *builder, uint64_t *ret_hash, fl_err *err)
{
    fl_ast_statement statement;
    fl_status st = finish(builder, &statement, err);
    if (st != FL_OK)
        return st;
    st = fl_session_statement_hash(builder->handle.session, &statement, ret_hash, err);
    if (st != FL_OK)
        fl_steps_locate(&builder->steps, err);
    return st;
}

fl_status fl_builder_explain(fl_builder *builder, char **ret_text, fl_err *err)
{
    fl_ast_statement statement;
    fl_status st = finish(builder, &statement, err);
    if (st != FL_OK)
        return st;
    st = fl_session_statement_explain(builder->handle.session, &statement, ret_text, err);
    if (st != FL_OK)
        fl_steps_locate(&builder->steps, err);
    return st;
}
