/* Statement by statement: ask, write the answer, report errors and times. */
#include "cli/run.h"

#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/split.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

double fl_cli_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool write_out(fl_cli_run *run, fl_cli_answer *answer)
{
    size_t written = fwrite(answer->text.data, 1, answer->text.len, run->file);
    bool is_whole = written == answer->text.len && fflush(run->file) == 0;
    answer->text.len = 0;
    if (!is_whole && errno != EPIPE) /* a pager that was left */
        fprintf(stderr, "Error: cannot write the answer: %s\n", strerror(errno));
    return is_whole;
}

static bool fail_stream(struct ArrowArrayStream *rows)
{
    fl_err err = {0};
    if (fl_stream_error(rows, &err) == FL_OK)
        snprintf(err.message, sizeof(err.message), "the answer's stream broke");
    fl_cli_report(stderr, &err, "", 0, 0);
    return false;
}

/* The terminal's width now: it may have been made wider since the last answer. */
static void measure_terminal(fl_cli_run *run)
{
    struct winsize size;
    if (!run->view.has_width)
        run->view.width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Writes a stream's rows, a batch at a time. */
static bool write_rows(fl_cli_run *run, struct ArrowArrayStream *rows)
{
    struct ArrowSchema schema = {0};
    fl_cli_answer answer = {.schema = &schema, .view = &run->view};
    bool is_fitted = run->is_prompt && run->format == &fl_cli_format_table && run->file == stdout;
    const fl_cli_format *format = is_fitted ? &fl_cli_format_fitted : run->format;
    if (is_fitted)
        measure_terminal(run);
    if (rows->get_schema(rows, &schema) != 0)
        return fail_stream(rows);
    bool is_good = true;
    if (schema.n_children > 0) {
        format->begin(&answer);
        while (is_good && !fl_cli_interrupt_is_set()) {
            struct ArrowArray batch = {0};
            if (rows->get_next(rows, &batch) != 0) {
                is_good = fail_stream(rows);
                break;
            }
            if (batch.release == NULL)
                break;
            format->batch(&answer, &batch);
            answer.rows += batch.length;
            batch.release(&batch);
            if (answer.text.len > 0) /* rows are shown as they come; batches grow */
                is_good = write_out(run, &answer);
        }
        if (is_good)
            format->end(&answer);
        is_good = is_good && write_out(run, &answer);
    }
    fl_cli_answer_drop(&answer);
    schema.release(&schema);
    if (is_good && fl_cli_interrupt_is_set()) {
        fprintf(stderr, "Error: cancelled while the answer was written\n");
        is_good = false;
    }
    return is_good;
}

/* As PostgreSQL's shell says it. */
static void tell_change(const fl_cli_run *run)
{
    const char *command = fl_session_command(run->session);
    long long rows = (long long)fl_session_changed_rows(run->session);
    if (rows >= 0)
        fprintf(run->file, "%s%s %lld\n", command, strcmp(command, "INSERT") == 0 ? " 0" : "", rows);
    else if (command[0] != 0)
        fprintf(run->file, "%s\n", command);
    fflush(run->file);
}

/* What there is to say of it goes to standard error. */
bool fl_cli_run_answer(fl_cli_run *run, struct ArrowArrayStream *rows, double start_ms)
{
    bool is_good = write_rows(run, rows);
    rows->release(rows);
    if (is_good && run->tells_changes)
        tell_change(run);
    for (const char *note = fl_session_notes(run->session), *end; (end = strchr(note, '\n')) != NULL; note = end + 1)
        fprintf(stderr, "Note: %.*s\n", (int)(end - note), note);
    if (run->has_timing)
        fprintf(stderr, "Time: %.3f ms, processor time: %.3f ms\n", fl_cli_clock_ms() - start_ms,
                (double)fl_session_cpu_ns(run->session) / 1e6);
    return is_good;
}

static bool ask(fl_cli_run *run, const char *text, size_t len, const fl_cli_piece *piece)
{
    struct ArrowArrayStream rows = {0};
    fl_err err = {0};
    fl_cli_progress progress = {0};
    double start = fl_cli_clock_ms();
    if (run->is_prompt)
        fl_cli_progress_begin(&progress, run->session);
    fl_status st = fl_session_query_text(run->session, text + piece->start, piece->end - piece->start, &rows, &err);
    fl_cli_progress_end(&progress);
    if (st == FL_OK)
        return fl_cli_run_answer(run, &rows, start);
    fl_cli_report(stderr, &err, text, len, piece->start);
    return false;
}

/* The rows that follow a statement; those behind the rest of its line where it stands in a script. */
static bool copy_in(fl_cli_run *run, const char *text, size_t len, fl_cli_piece *piece, int *ret_saved)
{
    bool is_typed = run->is_prompt && run->rows == NULL;
    if (!run->is_script) {
        if (is_typed)
            fprintf(stderr, "The rows, line by line; \\. on a line of its own ends them.\n");
        return run->rows != NULL ? fl_cli_copy_in_text(run->rows, ret_saved)
                                 : fl_cli_copy_in_lines(is_typed ? NULL : stdin, ret_saved);
    }
    const char *newline = memchr(text + piece->next, '\n', len - piece->next);
    size_t at = newline == NULL ? len : (size_t)(newline - text) + 1;
    fl_cli_rows rows = {text + at, len - at};
    bool is_good = fl_cli_copy_in_text(&rows, ret_saved);
    piece->next = len - rows.len;
    return is_good;
}

static bool run_statement(fl_cli_run *run, const char *text, size_t len, fl_cli_piece *piece)
{
    int saved = -1;
    if (piece->is_copy_in) {
        if (!copy_in(run, text, len, piece, &saved))
            return false;
    } else if (memmem(text + piece->start, piece->end - piece->start, "/dev/stdin", 10) != NULL) {
        if (!fl_cli_copy_in_whole())
            return false;
    }
    bool is_good = ask(run, text, len, piece);
    if (saved >= 0)
        fl_cli_copy_in_end(saved);
    return is_good;
}

bool fl_cli_run_json(fl_cli_run *run, const char *text, size_t len)
{
    struct ArrowArrayStream rows = {0};
    fl_err err = {0};
    double start = fl_cli_clock_ms();
    if (fl_session_query_json(run->session, text, len, &rows, &err) == FL_OK)
        return fl_cli_run_answer(run, &rows, start);
    err.position = 0; /* its message shows the place */
    fl_cli_report(stderr, &err, "", 0, 0);
    return false;
}

bool fl_cli_run_text(fl_cli_run *run, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        fl_cli_piece piece = fl_cli_split(text, len, at);
        if (fl_cli_interrupt_is_set() || (!piece.is_empty && !run_statement(run, text, len, &piece)))
            return false;
        at = piece.next;
    }
    return true;
}
