/* `fletch udf`: functions that are kept in a folder, deployed, shown, forgotten and rolled back from the shell. */
#ifndef FL_CLI_UDF_H
#define FL_CLI_UDF_H

#include "cli/options.h"
#include "cli/run.h"

/** Does what the words say. Errors are reported; false then. */
bool fl_cli_udf(fl_cli_run *run, const fl_cli_udf_options *udf);

#endif
