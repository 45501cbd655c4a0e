/* Reading options: getopt_long finds them, values are checked here. */
#include "cli/options.h"

#include "cli/nearest.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 32 /* of an option */

#define TEXT_OF(number) TEXT_OF_EXPANDED(number)
#define TEXT_OF_EXPANDED(number) #number

static const char usage[] =
    "usage: fletch [options]\n"
    "       fletch udf deploy FILE --name NAME | list | show NAME | delete NAME | rollback NAME [VERSION]\n"
    "       fletch udf compile MODULE --key FILE -o FILE\n"
    "\n"
    "Runs SQL over Parquet, CSV, JSON and Arrow data: from -c, -f and --json in their order, else from standard\n"
    "input, else, at a terminal, from a prompt.\n"
    "\n"
    "  -c SQL             run these statements\n"
    "  -f FILE            run the statements of a file\n"
    "  --json FILE        run a query that is a JSON object, as in docs/expressions.md; - is standard input\n"
    "  --format FORMAT    table (default), csv, json, ndjson, markdown or line\n"
    "  -o FILE            write answers to a file\n"
    "  --threads N        workers, from 1 to " TEXT_OF(
        FL_THREADS_MAX) "; default: as many as processors\n"
                        "  --memory SIZE      limit of all queries and tables, as in 512MB or 8GB; default: 80 % of "
                        "the machine's\n"
                        "  --plugin-dir DIR   look for plugins here first, then beside the program\n"
                        "  --allow-python     run functions in Python, in confined processes; "
                        "--allow-python=unconfined: also "
                        "where\n"
                        "                     the kernel cannot confine them\n"
                        "  --python-path DIRS folders of modules that these may import, between colons\n"
                        "  --udf-dir DIR      keep users' functions in this folder, and take them from there\n"
                        "  --udf-key FILE     run native code that this public key's owner signed; may be said again\n"
                        "  --metrics-file FILE   keep counters for Prometheus in a file, written each second and at "
                        "the end\n"
                        "  --timing           say how long each statement took\n"
                        "  --pipe             a JSON object a line in, one a line out, for programs\n"
                        "  --help, --version\n"
                        "\n"
                        "fletch udf changes the functions in the folder of --udf-dir; answers are written as --format "
                        "says:\n"
                        "\n"
                        "  deploy FILE        make a function, or a new version of it, of a WebAssembly module or a "
                        "text\n"
                        "      --name NAME        of the function\n"
                        "      --signature TYPES  as in \"(price double, text) -> double\"; default: the module's own\n"
                        "      --language NAME    wasm, expr or python; default: what the file's bytes and name say\n"
                        "      --aggregate        it is an aggregate, of a WebAssembly module\n"
                        "      --fuel STEPS       that a call may take, of a WebAssembly module; default: any\n"
                        "  compile MODULE     compile a function for this machine into the file of -o, to be "
                        "deployed\n"
                        "      --key FILE         the private key (Ed25519, PEM) that signs it\n"
                        "      --name NAME        of the function; default: the module's only one; --signature as "
                        "above\n"
                        "  list               the functions that there are\n"
                        "  show NAME          all versions of a function\n"
                        "  delete NAME        forget all versions of it\n"
                        "  rollback NAME [VERSION]   make this version the active one, or the one before it is\n"
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
        fl_cli_nearest_offer(text, fl_cli_format_name(i), &near);
    return near != NULL ? fail_usage("there is no format \"%s\": did you mean %s?", text, near)
                        : fail_usage("--format is table, csv, json, ndjson, markdown or line, not \"%s\"", text);
}

/* ---- the command line ---- */

enum {
    OPTION_FORMAT = 256,
    OPTION_JSON,
    OPTION_THREADS,
    OPTION_MEMORY,
    OPTION_UDF_DIR,
    OPTION_PLUGIN_DIR,
    OPTION_ALLOW_PYTHON,
    OPTION_PYTHON_PATH,
    OPTION_UDF_NAME,
    OPTION_UDF_SIGNATURE,
    OPTION_UDF_LANGUAGE,
    OPTION_UDF_AGGREGATE,
    OPTION_UDF_FUEL,
    OPTION_UDF_SIGNING_KEY,
    OPTION_UDF_KEY,
    OPTION_METRICS_FILE,
    OPTION_TIMING,
    OPTION_PIPE,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option names[] = {{"json", required_argument, NULL, OPTION_JSON},
                                      {"format", required_argument, NULL, OPTION_FORMAT},
                                      {"threads", required_argument, NULL, OPTION_THREADS},
                                      {"memory", required_argument, NULL, OPTION_MEMORY},
                                      {"udf-dir", required_argument, NULL, OPTION_UDF_DIR},
                                      {"plugin-dir", required_argument, NULL, OPTION_PLUGIN_DIR},
                                      {"allow-python", optional_argument, NULL, OPTION_ALLOW_PYTHON},
                                      {"python-path", required_argument, NULL, OPTION_PYTHON_PATH},
                                      {"name", required_argument, NULL, OPTION_UDF_NAME},
                                      {"signature", required_argument, NULL, OPTION_UDF_SIGNATURE},
                                      {"language", required_argument, NULL, OPTION_UDF_LANGUAGE},
                                      {"aggregate", no_argument, NULL, OPTION_UDF_AGGREGATE},
                                      {"fuel", required_argument, NULL, OPTION_UDF_FUEL},
                                      {"key", required_argument, NULL, OPTION_UDF_SIGNING_KEY},
                                      {"udf-key", required_argument, NULL, OPTION_UDF_KEY},
                                      {"metrics-file", required_argument, NULL, OPTION_METRICS_FILE},
                                      {"timing", no_argument, NULL, OPTION_TIMING},
                                      {"pipe", no_argument, NULL, OPTION_PIPE},
                                      {"help", no_argument, NULL, OPTION_HELP},
                                      {"version", no_argument, NULL, OPTION_VERSION},
                                      {NULL, 0, NULL, 0}};

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
        fl_cli_nearest_offer(name, option->name, &near);
    return near != NULL ? fail_usage("there is no option --%s: did you mean --%s?", name, near)
                        : fail_usage("there is no option --%s", name);
}

static bool parse_python(const char *how, uint32_t *ret)
{
    *ret = FL_PYTHON_ALLOWED;
    if (how != NULL && strcmp(how, "unconfined") == 0)
        *ret |= FL_PYTHON_UNCONFINED;
    else if (how != NULL)
        return fail_usage("--allow-python=%s: it takes nothing, or \"unconfined\"", how);
    return true;
}

/* Steps, a whole number from 1 on. */
static bool parse_fuel(const char *text, int64_t *ret)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != 0 || errno != 0 || number < 1)
        return fail_usage("--fuel takes the steps of a call, a whole number from 1 on, not \"%s\"", text);
    *ret = number;
    return true;
}

/* fletch udf: which words there may be. */
static bool read_udf(char **words, int n_words, fl_cli_options *ret)
{
    static const struct {
        const char *name, *takes;
        int n_min, n_max;
    } commands[] = {{"deploy", "FILE", 1, 1}, {"compile", "MODULE", 1, 1}, {"list", "nothing", 0, 0},
                    {"show", "NAME", 1, 1},   {"delete", "NAME", 1, 1},    {"rollback", "NAME [VERSION]", 1, 2}};
    static const int n_commands = (int)(sizeof(commands) / sizeof(commands[0]));
    const char *near = NULL;
    int known = 0;
    ret->udf.words = words;
    ret->udf.n_words = n_words;
    if (n_words == 0)
        return fail_usage("fletch udf takes deploy, compile, list, show, delete or rollback");
    while (known < n_commands && strcmp(words[0], commands[known].name) != 0)
        fl_cli_nearest_offer(words[0], commands[known++].name, &near);
    if (known == n_commands)
        return near != NULL
                   ? fail_usage("there is no fletch udf %s: did you mean %s?", words[0], near)
                   : fail_usage("there is no fletch udf %s: it is deploy, compile, list, show, delete or rollback",
                                words[0]);
    if (n_words - 1 < commands[known].n_min || n_words - 1 > commands[known].n_max)
        return fail_usage("fletch udf %s takes %s", words[0], commands[known].takes);
    bool deploys = known == 0, compiles = known == 1;
    if (deploys && ret->udf.name == NULL)
        return fail_usage("fletch udf deploy needs --name NAME");
    if (compiles && (ret->udf.key == NULL || ret->output == NULL))
        return fail_usage("fletch udf compile needs --key FILE, the private key that signs, and -o FILE");
    if ((!deploys && ret->udf.language != NULL) ||
        (!deploys && !compiles && (ret->udf.name != NULL || ret->udf.signature != NULL)))
        return fail_usage("--name, --signature and --language belong to fletch udf deploy FILE");
    if (!deploys && (ret->udf.is_aggregate || ret->udf.fuel > 0))
        return fail_usage("--aggregate and --fuel belong to fletch udf deploy FILE");
    if (!compiles && ret->udf.key != NULL)
        return fail_usage("--key belongs to fletch udf compile MODULE; those that are believed are --udf-key");
    if (!compiles && (ret->engine.udf_dir == NULL || ret->engine.udf_dir[0] == 0))
        return fail_usage("fletch udf needs --udf-dir DIR, the folder that keeps functions");
    if (ret->is_pipe || ret->n_sources > 0)
        return fail_usage("fletch udf takes no statements: leave -c, -f, --json and --pipe out");
    return true;
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
            ret->sources[ret->n_sources++] =
                (fl_cli_source){option == 'f' ? FL_CLI_SOURCE_FILE : FL_CLI_SOURCE_SQL, optarg};
            break;
        case OPTION_JSON:
            ret->sources[ret->n_sources++] = (fl_cli_source){FL_CLI_SOURCE_JSON, optarg};
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
        case OPTION_UDF_DIR:
            ret->engine.udf_dir = optarg;
            break;
        case OPTION_PLUGIN_DIR:
            ret->engine.plugin_dir = optarg;
            break;
        case OPTION_ALLOW_PYTHON:
            is_good = parse_python(optarg, &ret->engine.allow_python);
            break;
        case OPTION_PYTHON_PATH:
            ret->engine.python_path = optarg;
            break;
        case OPTION_UDF_NAME:
            ret->udf.name = optarg;
            break;
        case OPTION_UDF_SIGNATURE:
            ret->udf.signature = optarg;
            break;
        case OPTION_UDF_LANGUAGE:
            ret->udf.language = optarg;
            break;
        case OPTION_UDF_AGGREGATE:
            ret->udf.is_aggregate = true;
            break;
        case OPTION_UDF_FUEL:
            is_good = parse_fuel(optarg, &ret->udf.fuel);
            break;
        case OPTION_UDF_SIGNING_KEY:
            ret->udf.key = optarg;
            break;
        case OPTION_UDF_KEY:
            ret->udf_keys[ret->engine.n_udf_keys++] = optarg;
            break;
        case OPTION_METRICS_FILE:
            ret->metrics_file = optarg;
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
    if (is_good && optind < argc && strcmp(argv[optind], "udf") == 0)
        return read_udf(argv + optind + 1, argc - optind - 1, ret) ? FL_CLI_GO : FL_CLI_MISTAKE;
    if (is_good && ret->udf.key != NULL)
        is_good = fail_usage("--key belongs to fletch udf compile MODULE");
    if (is_good && (ret->udf.is_aggregate || ret->udf.fuel > 0))
        is_good = fail_usage("--aggregate and --fuel belong to fletch udf deploy FILE");
    if (is_good && (ret->udf.name != NULL || ret->udf.signature != NULL || ret->udf.language != NULL))
        is_good = fail_usage("--name, --signature and --language belong to fletch udf deploy FILE");
    if (is_good && optind < argc)
        is_good = fail_usage("what is \"%s\"? Statements go behind -c, files of statements behind -f", argv[optind]);
    if (is_good && ret->is_pipe && (ret->n_sources > 0 || ret->output != NULL))
        is_good = fail_usage("--pipe takes its statements from standard input and answers there");
    return is_good ? FL_CLI_GO : FL_CLI_MISTAKE;
}
