/* The checks behind faults.h. */
#include "faults.h"

#include "arrow_text.h"
#include "base/arena.h"
#include "base/fault.h"
#include "base/hash.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What strikes. */
typedef enum strike {
    STRIKE_ALLOC,     /* an allocation */
    STRIKE_CALL,      /* any call of the system */
    STRIKE_FULL,      /* a write, for want of room */
    STRIKE_FLIP,      /* a bit of what is read */
    STRIKE_INTERRUPT, /* a look at an interrupt finds a request */
    STRIKE_COUNT
} strike;

static const char *const strike_names[STRIKE_COUNT] = {"allocation", "call", "write on a full disk", "flipped bit",
                                                       "interrupt"};

static _Noreturn void die(const fault_statement *statement, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static _Noreturn void die(const fault_statement *statement, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s\n  ", statement->sql);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    abort();
}

/* ---- running ---- */

void faults_run(faults *f, const char *sql)
{
    struct ArrowArrayStream rows = {0};
    fault_answer answer;
    fl_err err = {0};
    fl_status st = fl_session_query(f->session, sql, &rows, &err);
    if (st == FL_OK)
        st = fault_read(&rows, 0, &answer, &err);
    if (st != FL_OK) {
        fprintf(stderr, "%s\n  must succeed: %s %s\n", sql, err.sqlstate, err.message);
        abort();
    }
}

void faults_open(faults *f, const char *const *list, int32_t n)
{
    fl_engine_options options = {.size = sizeof(options), .threads = 1};
    fl_err err = {0};
    mallopt(M_MMAP_THRESHOLD, 64 << 20); /* what one run gives back the next one takes: not from the system each time */
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    mallopt(M_TOP_PAD, 16 << 20);
    memset(f, 0, sizeof(*f));
    f->tries_max = INT64_MAX;
    f->right_every = 1;
    owned_system_init(&f->owned);
    f->owned.owns_random = true; /* the same hashes each time, so the same rows in each partition */
    f->owned.random = 17;
    if (fl_engine_open_on(&f->owned.system, &options, &f->engine, &err) != FL_OK ||
        fl_session_open(f->engine, &f->session, &err) != FL_OK) {
        fprintf(stderr, "cannot open: %s\n", err.message);
        abort();
    }
    for (int32_t i = 0; i < n; i++)
        faults_run(f, list[i]);
}

void faults_close(faults *f)
{
    printf("%lld statements, of which %lld spill: %lld places that can fail, %lld tries\n", (long long)f->n_statements,
           (long long)f->n_spilling, (long long)f->n_places, (long long)f->n_tries);
    fl_session_close(f->session);
    fl_engine_close(f->engine);
}

static void add_rows(const struct ArrowSchema *schema, const struct ArrowArray *batch, struct text *text,
                     fault_answer *ret)
{
    for (int64_t row = 0; row < batch->length; row++) {
        text->len = 0;
        for (int64_t col = 0; col < schema->n_children; col++) {
            arrow_text(schema->children[col], batch->children[col], row, text);
            text_add(text, "|", 1);
        }
        ret->sum += fl_hash_bytes(text->data, (int64_t)text->len);
    }
    ret->rows += batch->length;
}

fl_status fault_read(struct ArrowArrayStream *rows, int64_t batches_max, fault_answer *ret, fl_err *err)
{
    struct ArrowSchema schema = {0};
    struct text text = {0};
    fl_status st = FL_OK;
    *ret = (fault_answer){0};
    if (rows->get_schema(rows, &schema) == 0) {
        for (int64_t n = 0; batches_max == 0 || n < batches_max; n++) {
            struct ArrowArray batch = {0};
            if (rows->get_next(rows, &batch) != 0 || batch.release == NULL)
                break;
            add_rows(&schema, &batch, &text, ret);
            batch.release(&batch);
        }
        schema.release(&schema);
        st = fl_stream_error(rows, err);
    } else {
        st = fl_stream_error(rows, err);
        if (st == FL_OK) { /* the interface has no other way of telling: a reason, and no text */
            const char *text_of = rows->get_last_error(rows);
            st = FL_FAIL(err, FL_ERR_MEMORY, "get_schema: %s", text_of != NULL ? text_of : "");
        }
    }
    rows->release(rows);
    free(text.data);
    return st;
}

fl_status fault_query(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    struct ArrowArrayStream rows = {0};
    fl_status st = fl_session_query(f->session, statement->sql, &rows, err);
    return st == FL_OK ? fault_read(&rows, 0, ret, err) : st;
}

static fl_status run(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err)
{
    *ret = (fault_answer){0};
    return statement->run != NULL ? statement->run(f, statement, ret, err) : fault_query(f, statement, ret, err);
}

static void set_limit(faults *f, const fault_statement *statement, bool is_on)
{
    char sql[64];
    if (statement->limit_kb == 0)
        return;
    snprintf(sql, sizeof(sql), "SET memory_limit = '%lldkB'", (long long)(is_on ? statement->limit_kb : 0));
    faults_run(f, sql);
}

/* ---- one try ---- */

static void arm(faults *f, strike kind, int64_t n)
{
    f->owned.failed = NULL;
    switch (kind) {
    case STRIKE_ALLOC:
        fl_fault_arm(FL_FAULT_ALLOC, n);
        return;
    case STRIKE_INTERRUPT:
        fl_fault_arm(FL_FAULT_INTERRUPT, n);
        return;
    case STRIKE_CALL:
        f->owned.failing = OWNED_CALL_ANY;
        f->owned.failure = -EIO;
        break;
    case STRIKE_FULL:
        f->owned.failing = OWNED_CALL_WRITE;
        f->owned.failure = -ENOSPC;
        break;
    case STRIKE_FLIP:
    case STRIKE_COUNT:
        f->owned.failing = OWNED_CALL_READ;
        f->owned.failure = 0;
        break;
    }
    atomic_store(&f->owned.calls_left, n);
}

/* Gives how many places are left before the one that was armed; 0 and less: it struck. */
static int64_t disarm(faults *f, strike kind)
{
    int64_t left;
    if (kind == STRIKE_ALLOC || kind == STRIKE_INTERRUPT) {
        fl_fault fault = kind == STRIKE_ALLOC ? FL_FAULT_ALLOC : FL_FAULT_INTERRUPT;
        left = atomic_load(&fl_fault_left[fault]);
        fl_fault_arm(fault, 0);
    } else {
        left = atomic_load(&f->owned.calls_left);
        atomic_store(&f->owned.calls_left, 0);
    }
    return left;
}

static bool is_clean(strike kind, const fl_err *err)
{
    static const char *const states[STRIKE_COUNT] = {"53200", "58030", "53100", "XX001", "57014"};
    return err->message[0] != 0 && strcmp(err->sqlstate, states[kind]) == 0;
}

static bool is_same(const fault_statement *statement, fault_answer a, fault_answer b)
{
    if ((statement->flags & FAULT_TELLS) != 0)
        return true;
    return a.rows == b.rows && (a.sum == b.sum || (statement->flags & FAULT_VARIES) != 0);
}

/* What is in use between two statements. */
typedef struct held {
    int64_t session, engine, spilled, files;
} held;

static held look_held(const faults *f)
{
    return (held){atomic_load(&f->session->memory.used_bytes), atomic_load(&f->engine->memory.used_bytes),
                  atomic_load(&f->engine->spill_quota.used_bytes), atomic_load(&f->owned.files_open)};
}

static void begin_try(faults *f, const fault_statement *statement)
{
    if (statement->before != NULL)
        faults_run(f, statement->before);
    if ((statement->flags & FAULT_KEEPS) == 0)
        fl_files_cache_give_up(f->engine->files, INT64_MAX);
}

static fault_answer ask_check(faults *f, const fault_statement *statement)
{
    fault_statement check = {.sql = statement->check};
    fault_answer answer = {0};
    fl_err err = {0};
    if (check.sql != NULL && fault_query(f, &check, &answer, &err) != FL_OK)
        die(statement, "cannot be checked: %s", err.message);
    return answer;
}

static void check_held(faults *f, const fault_statement *statement, held before, const char *when, int64_t n)
{
    held now = look_held(f);
    if (memcmp(&now, &before, sizeof(now)) != 0)
        die(statement,
            "%s %lld: held in session %lld, in engine %lld bytes, spilled %lld, %lld files; before %lld, %lld, %lld, "
            "%lld",
            when, (long long)n, (long long)now.session, (long long)now.engine, (long long)now.spilled,
            (long long)now.files, (long long)before.session, (long long)before.engine, (long long)before.spilled,
            (long long)before.files);
}

static void check_right(faults *f, const fault_statement *statement, fault_answer wanted, const char *when, int64_t n)
{
    fault_answer answer;
    fl_err err = {0};
    if (run(f, statement, &answer, &err) != FL_OK)
        die(statement, "after %s %lld: %s %s", when, (long long)n, err.sqlstate, err.message);
    if (!is_same(statement, answer, wanted))
        die(statement, "after %s %lld: another answer, of %lld rows", when, (long long)n, (long long)answer.rows);
}

/* ---- all of them ---- */

static int64_t next_place(const faults *f, int64_t n, int64_t places)
{
    int64_t dense = f->tries_max / 2;
    if (places <= f->tries_max || n < dense)
        return n + 1;
    return n + (places - dense + dense - 1) / dense;
}

/* One run that is struck at its n-th place. Answers of `check`: before and after the statement. */
static void try_one(faults *f, const fault_statement *statement, strike kind, int64_t n, fault_answer wanted,
                    fault_answer before, fault_answer after)
{
    fault_answer answer;
    fl_err err = {0};
    const char *name = strike_names[kind];
    arm(f, kind, n);
    fl_status st = run(f, statement, &answer, &err);
    bool struck = disarm(f, kind) <= 0;
    const char *failed = f->owned.failed != NULL ? f->owned.failed : "";
    f->n_tries++;
    if (st == FL_OK && !is_same(statement, answer, wanted))
        die(statement, "%s %lld %s: another answer, and no error", name, (long long)n, failed);
    if (st != FL_OK && !struck)
        die(statement, "%s %lld did not strike: %s %s", name, (long long)n, err.sqlstate, err.message);
    if (st != FL_OK && !is_clean(kind, &err))
        die(statement, "%s %lld %s: %s %s", name, (long long)n, failed, err.sqlstate, err.message);
    if (statement->check != NULL) {
        fault_answer now = ask_check(f, statement); /* all may be done, and its answer fail for want of memory */
        if (!is_same(statement, now, after) && (st == FL_OK || !is_same(statement, now, before)))
            die(statement, "%s %lld %s: changed a part of the rows", name, (long long)n, failed);
    }
}

static void try_kind(faults *f, const fault_statement *statement, strike kind, fault_answer wanted)
{
    fault_answer before, after, answer;
    fl_err err = {0};
    const char *name = strike_names[kind];
    begin_try(f, statement);
    before = ask_check(f, statement);
    arm(f, kind, INT64_MAX);
    fl_status st = run(f, statement, &answer, &err);
    int64_t places = INT64_MAX - disarm(f, kind);
    if (st != FL_OK)
        die(statement, "undisturbed: %s", err.message);
    after = ask_check(f, statement);
    begin_try(f, statement);
    held base = look_held(f);
    f->n_places += places;
    for (int64_t n = 1; n <= places; n = next_place(f, n, places)) {
        begin_try(f, statement);
        check_held(f, statement, base, name, n);
        try_one(f, statement, kind, n, wanted, before, after);
        if (statement->before != NULL)
            faults_run(f, statement->before);
        if (f->n_tries % f->right_every == 0)
            check_right(f, statement, wanted, name, n);
    }
    begin_try(f, statement);
    check_held(f, statement, base, name, places + 1);
}

static void try_statement(faults *f, const fault_statement *statement)
{
    fault_answer wanted, answer;
    fl_err err = {0};
    begin_try(f, statement);
    if (run(f, statement, &wanted, &err) != FL_OK)
        die(statement, "without a limit: %s %s", err.sqlstate, err.message);
    if (wanted.rows != statement->rows)
        die(statement, "%lld rows instead of %lld", (long long)wanted.rows, (long long)statement->rows);
    f->n_statements++;
    if (statement->limit_kb > 0) {
        set_limit(f, statement, true);
        begin_try(f, statement);
        atomic_store(&f->session->spill_quota.peak_bytes, 0);
        fl_status st = run(f, statement, &answer, &err);
        bool spills = atomic_load(&f->session->spill_quota.peak_bytes) > 0;
        if (FL_ARENA_IS_EXACT && (st == FL_ERR_MEMORY || (st == FL_OK && !spills))) {
            set_limit(f, statement,
                      false); /* objects are counted otherwise there: limits are chosen for the other builds */
            return;
        }
        if (st != FL_OK)
            die(statement, "with a limit: %s %s", err.sqlstate, err.message);
        if (!is_same(statement, answer, wanted))
            die(statement, "with a limit: another answer, of %lld rows", (long long)answer.rows);
        if (!spills)
            die(statement, "spilled nothing");
        f->n_spilling++;
    }
    for (strike kind = 0; kind < STRIKE_COUNT; kind++)
        if (kind != STRIKE_FLIP || statement->limit_kb > 0) /* not every file has checksums */
            try_kind(f, statement, kind, wanted);
    set_limit(f, statement, false);
}

void faults_try(faults *f, const fault_statement *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        try_statement(f, &list[i]);
}
