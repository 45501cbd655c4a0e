/* The program's options: what the command line says, checked.
 *
 * Mistakes are told on standard error, with what was expected and the nearest name of an option or format. */
#ifndef FL_CLI_OPTIONS_H
#define FL_CLI_OPTIONS_H

#include "cli/format.h"
#include "fletch/fletch.h"

/* A source of statements, in the order of the options. */
typedef struct fl_cli_source {
    bool is_file;
    const char *text; /* SQL, or the file's name; borrowed from argv */
} fl_cli_source;

typedef struct fl_cli_options {
    fl_cli_source *sources; /* room for argc of them, the caller's */
    int n_sources;
    const fl_cli_format *format;
    const char *output;
    fl_engine_options engine;
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
