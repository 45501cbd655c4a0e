/* The program's options: what the command line says, checked.
 *
 * Mistakes are told on standard error, with what was expected and the nearest name of an option or format. */
#ifndef FL_CLI_OPTIONS_H
#define FL_CLI_OPTIONS_H

#include "cli/format.h"
#include "fletch/fletch.h"

/* A source of statements, in the order of the options. */
typedef enum fl_cli_source_kind {
    FL_CLI_SOURCE_SQL,  /* -c */
    FL_CLI_SOURCE_FILE, /* -f */
    FL_CLI_SOURCE_JSON, /* --json */
} fl_cli_source_kind;

typedef struct fl_cli_source {
    fl_cli_source_kind kind;
    const char *text; /* SQL, or the file's name; borrowed from argv */
} fl_cli_source;

/* What `fletch udf` is to do. */
typedef struct fl_cli_udf_options {
    char **words; /* behind "udf"; NULL: it was not said */
    int n_words;
    const char *name, *signature, *language; /* of what is deployed or compiled; NULL: not said */
    bool is_aggregate;
    int64_t fuel;    /* steps; 0: not said */
    const char *key; /* the file of the private key that signs; NULL: not said */
} fl_cli_udf_options;

typedef struct fl_cli_options {
    fl_cli_source *sources; /* room for argc of them, the caller's */
    int n_sources;
    const char **udf_keys; /* room for argc of them, the caller's; names of files */
    const fl_cli_format *format;
    const char *output, *metrics_file; /* NULL: not said */
    fl_engine_options engine;
    fl_cli_udf_options udf;
    bool has_timing;
    bool is_pipe;
} fl_cli_options;

typedef enum fl_cli_verdict {
    FL_CLI_GO,
    FL_CLI_DONE, /* --help and --version: all is said */
    FL_CLI_MISTAKE,
} fl_cli_verdict;

/** Reads the options into *ret, which holds the defaults. */
fl_cli_verdict fl_cli_options_read(int argc, char **argv, fl_cli_options *ret);

#endif
