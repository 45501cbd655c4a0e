/* The program `fletch`: reads its options, opens an engine and a session, and hands over to what runs statements.
 *
 * It sees the library through include/fletch/ alone, as any embedder does. Exit status: 0 all went well, 1 a statement,
 * file or answer failed, 2 the options make no sense. A reader that goes away ends it silently (SIGPIPE). */
#include "cli/interrupt.h"
#include "cli/pipe.h"
#include "cli/run.h"
#include "cli/shell.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2 };

static const char usage[] =
    "usage: fletch [options]\n"
    "\n"
    "Runs SQL over Parquet, CSV, JSON and Arrow data: from -c and -f in their order, else from standard input,\n"
    "else, at a terminal, from a prompt.\n"
    "\n"
    "  -c SQL             run these statements\n"
    "  -f FILE            run the statements of a file\n"
    "  --format FORMAT    table (default), csv, json, ndjson, markdown or line\n"
    "  -o FILE            write answers to a file\n"
    "  --threads N        workers, from 1; default: as many as processors\n"
    "  --memory SIZE      limit of all queries and tables, as in 512MB or 8GB; default: 80 % of the machine's\n"
    "  --timing           say how long each statement took\n"
    "  --pipe             a JSON object a line in, one a line out, for programs\n"
    "  --help, --version\n";

/* A source of statements, in the order of the options. */
typedef struct source {
    bool is_file;
    const char *text; /* SQL, or the file's name */
} source;

typedef struct options {
    source *sources;
    int n_sources;
    const fl_cli_format *format;
    const char *output;
    fl_engine_options engine;
    bool has_timing;
    bool is_pipe;
} options;

static bool fail_usage(const char *message, const char *value)
{
    fprintf(stderr, "fletch: %s%s%s\n", message, value == NULL ? "" : ": ", value == NULL ? "" : value);
    fprintf(stderr, "fletch --help lists the options.\n");
    return false;
}

static bool parse_threads(const char *text, int32_t *ret)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != 0 || errno != 0 || value < 1 || value > 4096)
        return fail_usage("--threads takes a number from 1 to 4096", text);
    *ret = (int32_t)value;
    return true;
}

/* "512MB", "1.5 GB", "1073741824": powers of 1024, whether a B or iB follows or not. */
static bool parse_size(const char *text, int64_t *ret)
{
    static const char units[] = "KMGT";
    char *end;
    double value = strtod(text, &end);
    const char *unit = end;
    if (end == text || (*text < '0' || *text > '9'))
        return fail_usage("--memory takes a size such as 512MB", text);
    while (*unit == ' ')
        unit++;
    const char *known = *unit == 0 ? NULL : strchr(units, *unit & ~32);
    if (known != NULL) {
        value *= (double)(1LL << (10 * (known - units + 1)));
        unit++;
        if (*unit == 'i')
            unit++;
    }
    if (*unit != 0 && (*unit & ~32) == 'B')
        unit++;
    if (*unit != 0 || !(value >= 1) || value > 9e18)
        return fail_usage("--memory takes a size such as 512MB", text);
    *ret = (int64_t)value;
    return true;
}

enum { OPTION_FORMAT = 256, OPTION_THREADS, OPTION_MEMORY, OPTION_TIMING, OPTION_PIPE, OPTION_HELP, OPTION_VERSION };

/* Reads the options. *ret_status is set when the program is to end at once: --help, --version, or a mistake. */
static bool read_options(int argc, char **argv, options *ret, int *ret_status)
{
    static const struct option names[] = {
        {"format", required_argument, NULL, OPTION_FORMAT}, {"threads", required_argument, NULL, OPTION_THREADS},
        {"memory", required_argument, NULL, OPTION_MEMORY}, {"timing", no_argument, NULL, OPTION_TIMING},
        {"pipe", no_argument, NULL, OPTION_PIPE},           {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},     {NULL, 0, NULL, 0}};
    bool is_good = true;
    int option;
    *ret_status = STATUS_USAGE;
    while (is_good && (option = getopt_long(argc, argv, "c:f:o:h", names, NULL)) != -1) {
        switch (option) {
        case 'c':
        case 'f':
            ret->sources[ret->n_sources++] = (source){option == 'f', optarg};
            break;
        case 'o':
            ret->output = optarg;
            break;
        case OPTION_FORMAT:
            ret->format = fl_cli_format_find(optarg);
            if (ret->format == NULL)
                is_good = fail_usage("--format is table, csv, json, ndjson, markdown or line", optarg);
            break;
        case OPTION_THREADS:
            is_good = parse_threads(optarg, &ret->engine.threads);
            break;
        case OPTION_MEMORY:
            is_good = parse_size(optarg, &ret->engine.memory_limit_bytes);
            break;
        case OPTION_TIMING:
            ret->has_timing = true;
            break;
        case OPTION_PIPE:
            ret->is_pipe = true;
            break;
        case 'h':
        case OPTION_HELP:
            fputs(usage, stdout);
            *ret_status = STATUS_OK;
            return false;
        case OPTION_VERSION:
            printf("fletch %s\n", fl_version());
            *ret_status = STATUS_OK;
            return false;
        default: /* getopt has said what is wrong */
            return fail_usage("the options make no sense", NULL);
        }
    }
    if (is_good && optind < argc)
        is_good = fail_usage("what is this? Statements go behind -c, files of statements behind -f", argv[optind]);
    if (is_good && ret->is_pipe && (ret->n_sources > 0 || ret->output != NULL))
        is_good = fail_usage("--pipe takes its statements from standard input and answers there", NULL);
    return is_good;
}

static bool run_file(fl_cli_run *run, FILE *file, const char *name)
{
    fl_cli_text text = {0};
    bool is_good = file != NULL && fl_cli_text_add_file(&text, file);
    if (!is_good)
        fprintf(stderr, "Error: cannot read \"%s\": %s\n", name, strerror(errno));
    else
        is_good = fl_cli_run_text(run, text.data, text.len);
    fl_cli_text_drop(&text);
    return is_good;
}

static bool run_sources(fl_cli_run *run, const options *opts)
{
    for (int i = 0; i < opts->n_sources; i++) {
        const source *from = &opts->sources[i];
        if (!from->is_file) {
            if (!fl_cli_run_text(run, from->text, strlen(from->text)))
                return false;
            continue;
        }
        FILE *file = fopen(from->text, "re");
        bool is_good = run_file(run, file, from->text);
        if (file != NULL)
            fclose(file);
        if (!is_good)
            return false;
    }
    if (opts->n_sources > 0)
        return true;
    return isatty(STDIN_FILENO) ? fl_cli_shell(run) : run_file(run, stdin, "standard input");
}

static bool run_session(fl_session *session, const options *opts)
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
    bool is_good = run_sources(&run, opts);
    if (opts->output != NULL && fclose(run.file) != 0) {
        fprintf(stderr, "Error: cannot write \"%s\": %s\n", opts->output, strerror(errno));
        is_good = false;
    }
    return is_good;
}

static bool run_engine(const options *opts)
{
    fl_engine *engine = NULL;
    fl_session *session = NULL;
    fl_err err = {0};
    bool is_good =
        fl_engine_open(&opts->engine, &engine, &err) == FL_OK && fl_session_open(engine, &session, &err) == FL_OK;
    if (!is_good) {
        fprintf(stderr, "Error: %s\n", err.message);
    } else {
        fl_cli_interrupt_watch(session);
        is_good = run_session(session, opts);
        fl_cli_interrupt_watch(NULL);
    }
    fl_session_close(session);
    fl_engine_close(engine);
    return is_good;
}

int main(int argc, char **argv)
{
    options opts = {.format = &fl_cli_format_table, .engine = {.size = (uint32_t)sizeof(fl_engine_options)}};
    int status;
    signal(SIGPIPE, SIG_DFL);
    opts.sources = calloc((size_t)argc, sizeof(*opts.sources));
    if (opts.sources == NULL) {
        fprintf(stderr, "fletch: out of memory\n");
        return STATUS_FAILED;
    }
    if (read_options(argc, argv, &opts, &status))
        status = run_engine(&opts) ? STATUS_OK : STATUS_FAILED;
    free(opts.sources);
    return status;
}
