/* What runs in an engine: shown, stopped, and let in as memory allows. */
#include "engine/internal.h"

#include "base/clock.h"
#include "base/number.h"

#include <stdio.h>

#define FLOOR_PART 32            /* of the engine's limit: what a statement finds free when it begins */
#define LOOK_NS (10ll * 1000000) /* at memory, while a statement waits for it: what is given back tells nobody */

static void put_in(fl_engine *engine, fl_running *running)
{
    running->previous = NULL;
    running->next = engine->running;
    if (running->next != NULL)
        running->next->previous = running;
    engine->running = running;
}

static void take_out(fl_engine *engine, fl_running *running)
{
    if (running->id == 0)
        return;
    if (running->previous != NULL)
        running->previous->next = running->next;
    else
        engine->running = running->next;
    if (running->next != NULL)
        running->next->previous = running->previous;
    running->id = 0;
}

/* Whether to begin now would rob those that work. Streams between two reads give nothing back while one waits for them. The lock is
 * held. */
static bool has_to_wait(const fl_engine *engine, const fl_running *running)
{
    int64_t limit = engine->memory.limit_bytes;
    if (atomic_load(&engine->memory.used_bytes) + limit / FLOOR_PART <= limit)
        return false;
    for (const fl_running *other = engine->running; other != NULL; other = other->next)
        if (other != running && other->state == FL_RUNNING_WORKS)
            return true;
    return false;
}

fl_status fl_running_begin(fl_session *session, fl_str text, bool *ret_is_outermost, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_running *running = &session->running;
    *ret_is_outermost = running->id == 0;
    if (running->id != 0)
        return FL_OK;
    int64_t len = text.len < FL_RUNNING_TEXT_BYTES - 1 ? text.len : FL_RUNNING_TEXT_BYTES - 1;
    while (len > 0 && len < text.len && ((uint8_t)text.data[len] & 0xC0) == 0x80) /* within a character */
        len--;
    *running = (fl_running){.session = session,
                            .state = FL_RUNNING_WORKS,
                            .interrupt = &session->interrupt,
                            .memory = &session->statement_memory,
                            .began_ns = fl_clock_ns(engine->memory.system)};
    if (len > 0)
        memcpy(running->text, text.data, (size_t)len);
    pthread_mutex_lock(&engine->lock);
    running->id = ++engine->n_statements;
    put_in(engine, running);
    while (st == FL_OK && has_to_wait(engine, running)) {
        running->state = FL_RUNNING_WAITS;
        (void)fl_system_wait(engine->memory.system, &engine->changed, &engine->lock,
                             fl_clock_ns(engine->memory.system) + LOOK_NS);
        st = fl_interrupt_check(&session->interrupt, err);
    }
    running->state = FL_RUNNING_WORKS;
    if (st != FL_OK)
        take_out(engine, running);
    pthread_mutex_unlock(&engine->lock);
    if (st != FL_OK)
        fl_err_hint(err, "it waited for memory that other statements have");
    return st;
}

void fl_running_end(fl_session *session)
{
    fl_running_remove(&session->running);
}

void fl_running_hand_over(fl_session *session, fl_running *to, fl_interrupt *interrupt, fl_exec *exec,
                          const fl_memory *memory)
{
    fl_engine *engine = session->engine;
    pthread_mutex_lock(&engine->lock);
    *to = session->running;
    take_out(engine, &session->running);
    to->session = session;
    if (to->id != 0) {
        to->interrupt = interrupt;
        to->exec = exec;
        to->memory = memory;
        put_in(engine, to);
    }
    pthread_mutex_unlock(&engine->lock);
}

void fl_running_set_state(fl_running *running, fl_running_state state)
{
    FL_ASSERT(running->session != NULL);
    pthread_mutex_lock(&running->session->engine->lock);
    running->state = state;
    pthread_mutex_unlock(&running->session->engine->lock);
}

void fl_running_remove(fl_running *running)
{
    if (running->session == NULL)
        return;
    fl_engine *engine = running->session->engine;
    pthread_mutex_lock(&engine->lock);
    take_out(engine, running);
    pthread_mutex_unlock(&engine->lock);
}

#define COLUMNS 7
#define CELL_BYTES 32

static fl_status add_row(const fl_running *running, fl_arena *arena, int64_t now_ns, fl_str *cells, fl_err *err)
{
    static const char *const states[] = {
        [FL_RUNNING_WAITS] = "waits for memory", [FL_RUNNING_WORKS] = "works", [FL_RUNNING_STREAMS] = "is read"};
    fl_status st = FL_OK;
    char texts[COLUMNS - 1][CELL_BYTES];
    double done = running->exec != NULL ? fl_exec_progress(running->exec) : 0;
    snprintf(texts[0], CELL_BYTES, "%lld", (long long)running->id);
    snprintf(texts[1], CELL_BYTES, "%lld", (long long)running->session->id);
    snprintf(texts[2], CELL_BYTES, "%s", states[running->state]);
    snprintf(texts[3], CELL_BYTES, "%.3f", (double)(now_ns - running->began_ns) / 1e9);
    snprintf(texts[4], CELL_BYTES, "%.0f", 100 * done);
    snprintf(texts[5], CELL_BYTES, "%lld", (long long)atomic_load(&running->memory->used_bytes));
    for (int32_t i = 0; i < COLUMNS - 1; i++)
        FL_TRY(fl_arena_copy_str(arena, fl_str_of(texts[i]), &cells[i], err));
    st = fl_arena_copy_str(arena, fl_str_of(running->text), &cells[COLUMNS - 1], err);
cleanup:
    return st;
}

fl_status fl_running_show(fl_session *session, fl_rows *ret, fl_err *err)
{
    static const char *const names[COLUMNS] = {"id", "session", "state", "seconds", "percent", "bytes", "query"};
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_str *cells = NULL;
    int64_t n = 0, now_ns = fl_clock_ns(engine->memory.system);
    fl_arena_init(&arena, &session->statement_memory);
    pthread_mutex_lock(&engine->lock);
    for (const fl_running *r = engine->running; r != NULL; r = r->next)
        n++;
    st = FL_NEW_ARRAY(&arena, n * COLUMNS + 1, &cells, err);
    n = 0;
    for (const fl_running *r = engine->running; r != NULL && st == FL_OK; r = r->next)
        st = add_row(r, &arena, now_ns, &cells[n++ * COLUMNS], err);
    pthread_mutex_unlock(&engine->lock);
    FL_TRY(st);
    st = fl_rows_of_text(&engine->memory, names, COLUMNS, cells, n, ret, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

fl_status fl_running_kill(fl_session *session, fl_str digits, int32_t pos, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    int64_t id = 0;
    if (fl_i64_parse(digits, &id) != 0)
        id = 0; /* no statement has a number so large */
    pthread_mutex_lock(&engine->lock);
    fl_running *running = engine->running;
    while (running != NULL && running->id != id)
        running = running->next;
    if (running != NULL)
        fl_interrupt_stop(running->interrupt);
    pthread_mutex_unlock(&engine->lock);
    if (running == NULL) {
        st = FL_FAIL(err, FL_ERR_PARAMETER, "no statement with the id %.*s runs", FL_STR_ARG(digits));
        fl_err_hint(err, "SHOW queries tells what runs");
        fl_err_at(err, pos);
    }
    return st;
}
