/* Table functions that tell something of each file that their argument names, by a name, a pattern or a list of them. */
#ifndef FL_ENGINE_FILE_FUNCTIONS_H
#define FL_ENGINE_FILE_FUNCTIONS_H

#include "engine/filled_table.h"

typedef struct fl_file_function fl_file_function;

struct fl_file_function {
    const char *name;
    const char *columns; /* as of fl_filled_table_begin */
    bool may_find_none;  /* a pattern without files is no error */
    bool has_options;
    /** Adds the rows of one file. The arena is that of the rows until the table is finished. */
    fl_status (*add)(fl_session *session, const fl_file_function *f, fl_str path, const fl_option *options,
                     int32_t n_options, fl_arena *arena, fl_filled_table *table, fl_err *err);
};

/* Each ends with a function without a name. */
extern const fl_file_function fl_whole_file_functions[], fl_parquet_functions[], fl_csv_functions[];

/** The table that the function gives; *ret NULL: there is no such function. FL_ERR_TABLE (58P01) where a file is not found, and what
 *  the function fails with. */
fl_status fl_file_function_call(fl_session *session, fl_str name, const fl_value *args, int32_t n_args,
                                const fl_option *options, int32_t n_options, fl_table **ret, fl_err *err);

/** Offers the functions' names to who looks for the nearest one. */
void fl_file_functions_offer(fl_nearest *near);

#endif
