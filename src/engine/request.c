/* Queries as JSON objects, run in a session. */
#include "engine/internal.h"

#include "front/expr/request.h"

static void locate_by_request(void *ctx, fl_err *err)
{
    fl_request_locate(ctx, err);
}

static void free_request(void *ctx)
{
    fl_request_drop(ctx);
    fl_free(ctx);
}

/* What is done with a request's statement. */
typedef fl_status (*use_statement)(fl_session *session, const fl_ast_statement *ast, fl_locator *locator, void *ret,
                                   fl_err *err);

static fl_status with_request(fl_session *session, const char *json, size_t bytes, use_statement use, void *ret,
                              fl_err *err)
{
    fl_request *request = NULL;
    fl_ast_statement statement;
    if (json == NULL)
        return FL_FAIL(err, FL_ERR_CONFIG, "the request's text is missing: NULL was given");
    fl_status st = fl_alloc(NULL, (int64_t)sizeof(*request), (void **)&request, err);
    if (st != FL_OK)
        return st;
    fl_request_init(request, &session->memory);
    fl_locator locator = {locate_by_request, free_request, request};
    st = fl_request_parse(request, (fl_str){json, (int64_t)bytes}, &statement, err);
    if (st == FL_OK)
        st = use(session, &statement, &locator, ret, err);
    if (st != FL_OK && locator.ctx != NULL)
        fl_request_locate(request, err);
    if (locator.ctx != NULL)
        free_request(request);
    return st;
}

static fl_status run(fl_session *session, const fl_ast_statement *ast, fl_locator *locator, void *ret, fl_err *err)
{
    return fl_session_run_statement(session, ast, locator, ret, err);
}

static fl_status explain(fl_session *session, const fl_ast_statement *ast, fl_locator *locator, void *ret, fl_err *err)
{
    (void)locator;
    return fl_session_statement_explain(session, ast, ret, err);
}

static fl_status hash(fl_session *session, const fl_ast_statement *ast, fl_locator *locator, void *ret, fl_err *err)
{
    (void)locator;
    return fl_session_statement_hash(session, ast, ret, err);
}

fl_status fl_session_query_json(fl_session *session, const char *json, size_t bytes, struct ArrowArrayStream *ret_rows,
                                fl_err *err)
{
    return with_request(session, json, bytes, run, ret_rows, err);
}

fl_status fl_session_explain_json(fl_session *session, const char *json, size_t bytes, char **ret_text, fl_err *err)
{
    return with_request(session, json, bytes, explain, ret_text, err);
}

fl_status fl_session_plan_hash_json(fl_session *session, const char *json, size_t bytes, uint64_t *ret_hash,
                                    fl_err *err)
{
    return with_request(session, json, bytes, hash, ret_hash, err);
}
