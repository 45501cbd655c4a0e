/* Reading options: getopt_long finds them, values are checked here. */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(number) TEXT_OF_EXPANDED(number)
#define TEXT_OF_EXPANDED(number) #number

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
    "  --threads N        workers, from 1 to " TEXT_OF(
        FL_THREADS_MAX) "; default: as many as processors\n"
                        "  --memory SIZE      limit of all queries and tables, as in 512MB or 8GB; default: 80 % of "
                        "the machine's\n"
                        "  --timing           say how long each statement took\n"
                        "  --pipe             a JSON object a line in, one a line out, for programs\n"
                        "  --help, --version\n"
                        "\n"
                        "Exit status: 0 all went well, 1 a statement, file or answer failed, 2 the options make no "
                        "sense, 130 Ctrl-C.\n";

static bool fail_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool fail_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("fletch: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\nfletch --help lists the options.\n", stderr);
    return false;
}

/* ---- nearest names ---- */

#define NAME_BYTES_MAX 32

/* Letters to insert, drop, replace or swap; more than a few for names that are too long to be one of ours. */
static int distance_of(const char *a, const char *b)
{
    int rows[3][NAME_BYTES_MAX + 1], *above2 = rows[0], *above = rows[1], *now = rows[2];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > NAME_BYTES_MAX || b_len > NAME_BYTES_MAX)
        return NAME_BYTES_MAX;
    for (size_t j = 0; j <= b_len; j++)
        above[j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        now[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            int moved = (above[j] < now[j - 1] ? above[j] : now[j - 1]) + 1;
            now[j] = replaced < moved ? replaced : moved;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < now[j])
                now[j] = above2[j - 2] + 1;
        }
        int *spare = above2;
        above2 = above;
        above = now;
        now = spare;
    }
    return above[b_len];
}

/* Keeps `name` as the best guess for `wanted` when it is nearer than *best (empty: none yet). */
static void offer(const char *wanted, const char *name, const char **best)
{
    int limit = strlen(wanted) < 6 ? 1 : 2, distance = distance_of(wanted, name);
    if (distance <= limit && (*best == NULL || distance < distance_of(wanted, *best)))
        *best = name;
}

/* ---- values ---- */

static bool parse_threads(const char *text, int32_t *ret)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != 0 || errno != 0 || value < 1 || value > FL_THREADS_MAX)
        return fail_usage("--threads takes a whole number from 1 to %d, not \"%s\"", FL_THREADS_MAX, text);
    *ret = (int32_t)value;
    return true;
}

static bool fail_size(const char *text)
{
    return fail_usage("--memory takes a size from 1 byte to 8 EB, such as 512MB or 8GB, not \"%s\"", text);
}

/* "512MB", "1.5 GB", "1073741824": MB is a million bytes, MiB and M are 2^20, as in SET memory_limit. */
static bool parse_size(const char *text, int64_t *ret)
{
    static const char units[] = "KMGT";
    char *end;
    double value = strtod(text, &end);
    const char *unit = end;
    if (end == text || (*text < '0' || *text > '9'))
        return fail_size(text);
    while (*unit == ' ')
        unit++;
    const char *known = *unit == 0 ? NULL : strchr(units, *unit & ~32);
    if (known != NULL) {
        unit++;
        double base = (*unit & ~32) == 'B' ? 1000 : 1024;
        for (const char *power = units; power <= known; power++)
            value *= base;
        if (*unit == 'i')
            unit++;
    }
    if (*unit != 0 && (*unit & ~32) == 'B')
        unit++;
    if (*unit != 0 || !(value >= 1) || value > 9e18)
        return fail_size(text);
    *ret = (int64_t)value;
    return true;
}

static bool parse_format(const char *text, const fl_cli_format **ret)
{
    const char *near = NULL;
    *ret = fl_cli_format_find(text);
    if (*ret != NULL)
        return true;
    for (int32_t i = 0; fl_cli_format_name(i) != NULL; i++)
        offer(text, fl_cli_format_name(i), &near);
    return near != NULL ? fail_usage("there is no format \"%s\": did you mean %s?", text, near)
                        : fail_usage("--format is table, csv, json, ndjson, markdown or line, not \"%s\"", text);
}

/* ---- the command line ---- */

enum { OPTION_FORMAT = 256, OPTION_THREADS, OPTION_MEMORY, OPTION_TIMING, OPTION_PIPE, OPTION_HELP, OPTION_VERSION };

static const struct option names[] = {
    {"format", required_argument, NULL, OPTION_FORMAT}, {"threads", required_argument, NULL, OPTION_THREADS},
    {"memory", required_argument, NULL, OPTION_MEMORY}, {"timing", no_argument, NULL, OPTION_TIMING},
    {"pipe", no_argument, NULL, OPTION_PIPE},           {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},     {NULL, 0, NULL, 0}};

/* What getopt stopped at: `word` is the argument as it was written, `letter` a short option or 0. */
static bool fail_option(int reason, const char *word, int letter)
{
    if (reason == ':' && letter < 256)
        return fail_usage("-%c needs a value: -c SQL, -f FILE, -o FILE", letter);
    if (reason == ':')
        return fail_usage("%s needs a value", word);
    if (letter != 0 && letter < 256)
        return fail_usage("there is no option -%c", letter);
    if (letter != 0)
        return fail_usage("%.*s takes no value", (int)strcspn(word, "="), word);
    char name[NAME_BYTES_MAX + 1] = "";
    const char *near = NULL;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    for (const struct option *option = names; option->name != NULL; option++)
        offer(name, option->name, &near);
    return near != NULL ? fail_usage("there is no option --%s: did you mean --%s?", name, near)
                        : fail_usage("there is no option --%s", name);
}

fl_cli_verdict fl_cli_options_read(int argc, char **argv, fl_cli_options *ret)
{
    bool is_good = true;
    int option;
    opterr = 0; /* mistakes are told here */
    while (is_good && (option = getopt_long(argc, argv, ":c:f:o:h", names, NULL)) != -1) {
        switch (option) {
        case 'c':
        case 'f':
            ret->sources[ret->n_sources++] = (fl_cli_source){option == 'f', optarg};
            break;
        case 'o':
            ret->output = optarg;
            break;
        case OPTION_FORMAT:
            is_good = parse_format(optarg, &ret->format);
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
            return FL_CLI_DONE;
        case OPTION_VERSION:
            printf("fletch %s\n", fl_version());
            return FL_CLI_DONE;
        default:
            is_good = fail_option(option, argv[optind - 1], optopt);
        }
    }
    if (is_good && optind < argc)
        is_good = fail_usage("what is \"%s\"? Statements go behind -c, files of statements behind -f", argv[optind]);
    if (is_good && ret->is_pipe && (ret->n_sources > 0 || ret->output != NULL))
        is_good = fail_usage("--pipe takes its statements from standard input and answers there");
    return is_good ? FL_CLI_GO : FL_CLI_MISTAKE;
}
