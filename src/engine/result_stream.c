/* A query's run that goes on as its rows are read.
 *
 * The call that starts it runs it until rows are there. If it has ended by then nothing is left of it but these rows. Otherwise a stream
 * owns the run: each read takes what is ready, and where nothing is works on the query itself; helpers of the pool work on between reads,
 * until the queue is full. It refers to its session, whose budgets it is charged to, and to the plan; a session that is closed stays in
 * memory as long. Time between reads does not count for the timeout. */
#include "engine/internal.h"

#include "base/clock.h"
#include "op/materialize/result_queue.h"

/* What is put in before a query's call returns. A run of one morsel, or of few rows, ends in the call, and its errors are told there. */
#define MORSELS_FIRST 2
#define ROWS_FIRST 16384

struct fl_result_stream {
    fl_session *session;
    fl_memory memory;
    fl_interrupt interrupt; /* of this run; requests to the session are meant for it, too */
    fl_arena arena;
    fl_session_state state;
    fl_plan *plan;
    fl_exec *exec;
    fl_result_queue *queue;
    fl_files_in_use files;
    fl_running running;
    int64_t left_ns;        /* until the timeout, while nobody reads */
    int64_t between_before; /* session->n_between, when the last read ended */
    bool has_ended;
    fl_locator locator; /* of a query without a text */
    fl_status st;       /* of the first failure */
    fl_err err;
};

static fl_status copy_params(fl_result_stream *stream, const fl_value *params, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *copies = NULL;
    FL_TRY(FL_NEW_ARRAY(&stream->arena, n + 1, &copies, err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_value_copy(&stream->arena, &params[i], &copies[i], err));
    stream->state = fl_session_state_of(stream->session, copies, n);
cleanup:
    return st;
}

static void show_exec(fl_result_stream *stream, fl_exec *exec)
{
    fl_session *session = stream->session;
    pthread_mutex_lock(&session->lock);
    if (exec != NULL || session->exec == stream->exec)
        session->exec = exec;
    pthread_mutex_unlock(&session->lock);
}

/* The run's memory goes as soon as nothing is left to compute. */
static void end_run(fl_result_stream *stream)
{
    if (stream->exec == NULL)
        return;
    fl_running_remove(&stream->running);
    fl_interrupt_stop(&stream->interrupt); /* helpers need not come to the end of their morsels */
    show_exec(stream, NULL);
    fl_exec_free(stream->exec);
    stream->exec = NULL;
    stream->queue = NULL;
    fl_plan_unref(stream->plan);
    stream->plan = NULL;
    fl_files_in_use_drop(&stream->files);
}

void fl_result_stream_free(fl_result_stream *stream)
{
    if (stream == NULL)
        return;
    fl_session *session = stream->session;
    end_run(stream);
    fl_plan_unref(stream->plan); /* where there was no run to end */
    fl_files_in_use_drop(&stream->files);
    fl_arena_drop(&stream->arena);
    if (stream->locator.free != NULL)
        stream->locator.free(stream->locator.ctx);
    fl_free(stream);
    fl_session_unref(session);
}

void fl_result_stream_set_locator(fl_result_stream *stream, fl_locator *locator)
{
    FL_ASSERT(stream->locator.locate == NULL);
    stream->locator = *locator;
    *locator = (fl_locator){0};
}

static fl_status fail(fl_result_stream *stream, fl_status st, fl_err *err)
{
    if (fl_interrupt_is_cause(st))
        fl_exec_tell_progress(stream->exec, st, err);
    if (stream->locator.locate != NULL)
        stream->locator.locate(stream->locator.ctx, err);
    stream->st = st;
    if (err != NULL)
        stream->err = *err;
    end_run(stream);
    return st;
}

/* Works on the query until is_enough. What was told to stop stops, though there may be rows. */
static fl_status go_on(fl_result_stream *stream, bool (*is_enough)(void *ctx), fl_err *err)
{
    fl_err own;
    fl_err_clear(&own);
    fl_status st = fl_interrupt_check(&stream->interrupt, &own);
    if (st == FL_OK && !is_enough(stream->queue))
        st = fl_exec_run_until(stream->exec, is_enough, stream->queue, &stream->has_ended, &own);
    if (st != FL_OK)
        st = fail(stream, st, &own);
    if (st != FL_OK && err != NULL)
        *err = own;
    return st;
}

/* Begins and ends a call that works on the stream. An interrupt that came while a read was under way, or no call at all, is heard by the
 * next read at the latest. */
static void begin_read(fl_result_stream *stream)
{
    fl_interrupt_go_on(&stream->interrupt, stream->left_ns);
    if (atomic_load(&stream->session->n_between) != stream->between_before)
        fl_interrupt_stop(&stream->interrupt);
}

static void end_read(fl_result_stream *stream)
{
    if (fl_interrupt_is_asked(&stream->interrupt))
        fl_interrupt_stop(&stream->interrupt);
    stream->left_ns = fl_interrupt_rest(&stream->interrupt);
    stream->between_before = atomic_load(&stream->session->n_between);
}

fl_status fl_result_stream_next(fl_result_stream *stream, fl_segment **ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = NULL;
    if (stream->st != FL_OK) {
        if (err != NULL)
            *err = stream->err;
        return stream->st;
    }
    if (stream->exec == NULL)
        return FL_OK;
    int64_t started_ns = fl_clock_process_ns(stream->memory.system);
    atomic_fetch_add(&stream->session->n_calls, 1);
    begin_read(stream);
    fl_running_set_state(&stream->running, FL_RUNNING_WORKS);
    if (!stream->has_ended)
        st = go_on(stream, fl_result_queue_has_any, err);
    if (st == FL_OK) {
        fl_err own;
        fl_err_clear(&own);
        st = fl_result_queue_take(stream->queue, ret, &own);
        if (st != FL_OK)
            fail(stream, st, &own);
        if (st != FL_OK && err != NULL)
            *err = own;
    }
    if (st == FL_OK && *ret == NULL)
        end_run(stream);
    fl_running_set_state(&stream->running, FL_RUNNING_STREAMS);
    end_read(stream);
    atomic_fetch_sub(&stream->session->n_calls, 1);
    stream->session->cpu_ns += fl_clock_process_ns(stream->memory.system) - started_ns;
    return st;
}

fl_status fl_result_stream_finish(fl_result_stream *stream, fl_err *err)
{
    fl_segment *segment = NULL;
    fl_status st = FL_OK;
    do {
        st = fl_result_stream_next(stream, &segment, err);
        fl_segment_unref(segment);
    } while (st == FL_OK && segment != NULL);
    return st;
}

static bool is_begun(void *ctx)
{
    fl_result_queue *queue = ctx;
    return (atomic_load(&queue->morsels) >= MORSELS_FIRST || atomic_load(&queue->rows) >= ROWS_FIRST ||
            fl_result_queue_is_full(queue)) &&
           fl_result_queue_has_any(queue);
}

static fl_status begin(fl_result_stream *stream, const fl_query *query, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = stream->session;
    fl_exec_context context = {.plan = query->plan,
                               .session = &stream->state,
                               .memory = &stream->memory,
                               .workers = session->engine->workers,
                               .fibers = session->engine->fibers,
                               .spill_quota = &session->spill_quota};
    FL_TRY(
        fl_arena_copy_str(&stream->arena, fl_str_of(session->settings.temp_directory), &context.temp_directory, err));
    FL_TRY(fl_exec_new(&context, &stream->exec, err));
    FL_TRY(fl_result_queue_new(stream->exec, query->outputs, query->n_outputs, query->root, &session->engine->memory,
                               &stream->queue, err));
    FL_TRY(fl_exec_build(stream->exec, query->root, &stream->queue->base, err));
    FL_TRY(fl_exec_add_finish(stream->exec, &stream->queue->base, err));
    show_exec(stream, stream->exec);
    fl_running_hand_over(session, &stream->running, &stream->interrupt, stream->exec, &stream->memory);
    st = go_on(stream, is_begun, err);
cleanup:
    return st;
}

/* Takes what a run left that has ended: rows like any other statement's. */
static fl_status take_all(fl_result_stream *stream, fl_rows *rows, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t n = 0, capacity = 0;
    fl_segment **segments = NULL, *segment = NULL;
    for (;;) {
        FL_TRY(fl_result_queue_take(stream->queue, &segment, err));
        if (segment == NULL)
            break;
        FL_TRY(fl_segment_list_add(&stream->session->engine->memory, &segments, &n, &capacity, segment, err));
    }
    FL_TRY(FL_NEW_ARRAY(&rows->arena, n + 1, &rows->segments, err));
    if (n > 0)
        memcpy(rows->segments, segments, (size_t)n * sizeof(*segments));
    rows->n_segments = n;
    n = 0;
cleanup:
    for (int64_t i = 0; i < n; i++)
        fl_segment_unref(segments[i]);
    fl_free(segments);
    return st;
}

fl_status fl_session_open_stream(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                                 fl_rows *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_result_stream *stream = NULL;
    fl_rows rows = {0};
    fl_arena_init(&rows.arena, &session->engine->memory);
    FL_TRY(fl_session_optimize_once(session, query, params, n_params, err));
    FL_TRY(fl_rows_name_columns(&rows, query, err));
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*stream), (void **)&stream, err));
    atomic_fetch_add(&session->refs, 1);
    stream->session = session;
    fl_memory_init(&stream->memory, &session->statement_memory, "query's memory", 0);
    fl_interrupt_begin_below(&stream->interrupt, &session->interrupt);
    stream->memory.interrupt = &stream->interrupt;
    fl_arena_init(&stream->arena, &stream->memory);
    stream->plan = query->plan;
    fl_plan_ref(stream->plan);
    stream->files = session->files;
    session->files = (fl_files_in_use){0};
    FL_TRY(copy_params(stream, params, n_params, err));
    fl_session_state_fit(session, &stream->state, query->plan);
    FL_TRY(begin(stream, query, err));
    end_read(stream);
    if (stream->has_ended) {
        FL_TRY(take_all(stream, &rows, err));
    } else {
        fl_running_set_state(&stream->running, FL_RUNNING_STREAMS);
        rows.stream = stream;
        stream = NULL;
    }
    *ret = rows;
    rows = (fl_rows){0};
cleanup:
    fl_result_stream_free(stream);
    fl_rows_drop(&rows);
    return st;
}

/* ---- giving rows out ------------------------------------------------------------------------------------------------ */

/* What feeds a stream of the C API. It holds the engine, whose budget the rows are charged to. */
typedef struct giving {
    fl_engine *engine;
    fl_result_stream *stream;
} giving;

static fl_status next_given(void *ctx, fl_segment **ret, fl_err *err)
{
    return fl_result_stream_next(((giving *)ctx)->stream, ret, err);
}

static void release_given(void *ctx)
{
    giving *g = ctx;
    fl_engine *engine = g->engine;
    fl_result_stream_free(g->stream);
    fl_free(g);
    fl_engine_unref(engine);
}

fl_status fl_rows_give(fl_session *session, fl_rows *rows, struct ArrowArrayStream *ret, fl_err *err)
{
    fl_engine *engine = session->engine;
    giving *g = NULL;
    fl_str zone = fl_str_of(session->settings.zone);
    fl_status st = FL_OK;
    if (rows->stream == NULL) {
        st = fl_arrow_export(&engine->memory, rows->fields, rows->n_cols, rows->segments, rows->n_segments, ret, err);
        if (st == FL_OK && (st = fl_arrow_export_set_zone(ret, zone, err)) != FL_OK)
            ret->release(ret);
        return st;
    }
    st = fl_alloc_zero(NULL, (int64_t)sizeof(*g), (void **)&g, err);
    if (st != FL_OK)
        return st;
    *g = (giving){engine, rows->stream};
    fl_segment_feed feed = {.next = next_given, .release = release_given, .ctx = g};
    st = fl_arrow_export_feed(&engine->memory, rows->fields, rows->n_cols, &feed, ret, err);
    if (st != FL_OK) {
        fl_free(g);
        return st;
    }
    atomic_fetch_add(&engine->refs, 1);
    rows->stream = NULL;
    st = fl_arrow_export_set_zone(ret, zone, err);
    if (st != FL_OK)
        ret->release(ret);
    return st;
}
