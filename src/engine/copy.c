/* COPY: to a file its query is run, which writes it; from one rows are inserted as by INSERT. Both tell how many rows they were. */
#include "engine/internal.h"

fl_status fl_session_copy_to(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                             fl_rows *ret, fl_err *err)
{
    FL_ASSERT(bound->query.n_outputs == 1);
    fl_status st =
        fl_session_run(session, &bound->query, params, n_params, FL_SEGMENT_RESULT, &session->engine->memory, ret, err);
    if (st == FL_OK && bound->ast->copy != NULL && fl_str_is_equal(bound->ast->copy->file, FL_STR("/dev/stdout"))) {
        fl_rows_drop(ret); /* nothing but the rows is wanted there */
        *ret = (fl_rows){0};
    }
    return st;
}

/* One row with a count, which is still to be put in: what can fail is done before rows are inserted. */
static fl_status make_count(fl_memory *memory, fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {.n_cols = 1};
    fl_segment_builder *builder = NULL;
    fl_type type = FL_TYPE(FL_I64);
    int64_t none = 0;
    fl_vec vec;
    fl_arena_init(&rows.arena, memory);
    fl_vec_set_flat(&vec, type, &none, NULL);
    FL_TRY(FL_NEW_ARRAY(&rows.arena, 1, &rows.fields, err));
    FL_TRY(FL_NEW_ARRAY(&rows.arena, 1, &rows.segments, err));
    rows.fields[0] = (fl_field){.name = FL_STR("Count"), .type = type, .nullable = true};
    FL_TRY(fl_segment_builder_new(memory, &type, 1, FL_SEGMENT_RESULT, &builder, err));
    FL_TRY(fl_segment_builder_add(builder, &vec, NULL, 1, err));
    FL_TRY(fl_segment_builder_finish(builder, &rows.segments[0], err));
    rows.n_segments = 1;
    *ret = rows;
    rows = (fl_rows){0};
cleanup:
    fl_segment_builder_free(builder);
    fl_rows_drop(&rows);
    return st;
}

fl_status fl_session_copy_from(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                               fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rows rows = {0}, nothing = {0}; /* there is no RETURNING */
    FL_TRY(make_count(&session->engine->memory, &rows, err));
    FL_TRY(fl_session_insert(session, bound, params, n_params, &nothing, err));
    FL_ASSERT(session->changed_rows >= 0);
    memcpy(rows.segments[0]->buffers[0]->data, &session->changed_rows, 8); /* nobody else has it yet */
    *ret = rows;
    rows = (fl_rows){0};
cleanup:
    fl_rows_drop(&rows);
    fl_rows_drop(&nothing);
    return st;
}
