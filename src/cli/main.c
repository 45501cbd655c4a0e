/* The program `fletch`: opens an engine and a session as its options say, and hands over to what runs statements.
 *
 * It sees the library through include/fletch/ alone, as any embedder does. Exit status: 0 all went well, 1 a statement,
 * file or answer failed, 2 the options make no sense, 130 Ctrl-C stopped what ran (the prompt and --pipe go on instead). A
 * reader that goes away ends it silently (SIGPIPE). */
#include "cli/interrupt.h"
#include "cli/metrics.h"
#include "cli/options.h"
#include "cli/pipe.h"
#include "cli/run.h"
#include "cli/shell.h"
#include "cli/udf.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

#define STATEMENTS_BYTES_MAX (256 << 20) /* of a file of statements, which is read whole */

static bool run_file(fl_cli_run *run, FILE *file, const char *name,
                     bool (*run_text)(fl_cli_run *run, const char *text, size_t len))
{
    fl_cli_text text = {0};
    bool is_good = file != NULL && fl_cli_text_add_file(&text, file, STATEMENTS_BYTES_MAX);
    if (fl_cli_interrupt_is_set())
        is_good = false; /* Ctrl-C ends a read, too */
    else if (!is_good && errno == EFBIG)
        fprintf(stderr, "Error: \"%s\" has more than %d MB: the limit of a text of statements\n", name,
                STATEMENTS_BYTES_MAX >> 20);
    else if (!is_good)
        fprintf(stderr, "Error: cannot read \"%s\": %s\n", name, strerror(errno));
    else {
        run->is_script = true;
        is_good = run_text(run, text.data, text.len);
        run->is_script = false;
    }
    fl_cli_text_drop(&text);
    return is_good;
}

static bool run_sources(fl_cli_run *run, const fl_cli_options *opts)
{
    for (int i = 0; i < opts->n_sources; i++) {
        const fl_cli_source *from = &opts->sources[i];
        bool is_json = from->kind == FL_CLI_SOURCE_JSON, is_stdin = is_json && strcmp(from->text, "-") == 0;
        if (from->kind == FL_CLI_SOURCE_SQL) {
            if (!fl_cli_run_text(run, from->text, strlen(from->text)))
                return false;
            continue;
        }
        FILE *file = is_stdin ? stdin : fopen(from->text, "re");
        bool is_good = run_file(run, file, from->text, is_json ? fl_cli_run_json : fl_cli_run_text);
        if (file != NULL && !is_stdin)
            fclose(file);
        if (!is_good)
            return false;
    }
    if (opts->n_sources > 0)
        return true;
    return isatty(STDIN_FILENO) ? fl_cli_shell_run(run) : run_file(run, stdin, "standard input", fl_cli_run_text);
}

static bool run_session(fl_session *session, const fl_cli_options *opts)
{
    if (opts->is_pipe)
        return fl_cli_pipe(session, stdin, stdout);
    fl_cli_run run = {.session = session, .format = opts->format, .file = stdout, .has_timing = opts->has_timing};
    if (opts->output != NULL) {
        run.file = fopen(opts->output, "we");
        if (run.file == NULL) {
            fprintf(stderr, "Error: cannot write \"%s\": %s\n", opts->output, strerror(errno));
            return false;
        }
    }
    bool is_good = opts->udf.words != NULL ? fl_cli_udf(&run, &opts->udf) : run_sources(&run, opts);
    if (opts->output != NULL && fclose(run.file) != 0) {
        fprintf(stderr, "Error: cannot write \"%s\": %s\n", opts->output, strerror(errno));
        is_good = false;
    }
    return is_good;
}

static int run_engine(const fl_cli_options *opts)
{
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    fl_err err = {0};
    fl_cli_metrics metrics = {0};
    bool is_good =
        fl_engine_open(&opts->engine, &engine, &err) == FL_OK && fl_session_open(engine, &session, &err) == FL_OK;
    if (!is_good) {
        fprintf(stderr, "Error: %s\n", err.message);
    } else {
        fl_cli_interrupt_watch(session);
        is_good = fl_cli_metrics_begin(&metrics, engine, opts->metrics_file) && run_session(session, opts);
        fl_cli_interrupt_watch(NULL);
        is_good &= fl_cli_metrics_end(&metrics);
    }
    fl_session_close(session);
    fl_engine_close(engine);
    return is_good ? STATUS_OK : fl_cli_interrupt_is_set() ? fl_cli_interrupt_status() : STATUS_FAILED;
}

int main(int argc, char **argv)
{
    fl_cli_options opts = {.format = &fl_cli_format_table, .engine = {.size = (uint32_t)sizeof(fl_engine_options)}};
    int status = STATUS_USAGE;
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of its statement */
    opts.sources = calloc((size_t)argc, sizeof(*opts.sources));
    opts.udf_keys = calloc((size_t)argc, sizeof(*opts.udf_keys));
    opts.engine.udf_keys = opts.udf_keys;
    if (opts.sources == NULL || opts.udf_keys == NULL) {
        fprintf(stderr, "fletch: out of memory\n");
        return STATUS_FAILED;
    }
    switch (fl_cli_options_read(argc, argv, &opts)) {
    case FL_CLI_GO:
        status = run_engine(&opts);
        break;
    case FL_CLI_DONE:
        status = fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
        break;
    case FL_CLI_MISTAKE:
        break;
    }
    free(opts.sources);
    free(opts.udf_keys);
    return status;
}
