/* Folders of functions and the files in them.
 *
 * A folder is believed while nobody but its owner may write to it: who can put native code there could run it. A file is written beside
 * its place and renamed, so that under its name there is a whole file or none, whenever the process ends. Thread-safe. */
#ifndef FL_UDF_FOLDER_H
#define FL_UDF_FOLDER_H

#include "base/memory.h"
#include "base/str.h"
#include "base/system.h"

#define FL_UDF_PATH_BYTES 1280

/** Whether there is a folder; FL_ERR_CONFIG when it is no folder, or others may write to it; FL_ERR_IO. */
fl_status fl_udf_folder_check(const fl_system *system, const char *path, bool *ret_is_there, fl_err *err);

/** Makes the folder where there is none, in a folder that there is, and checks it. */
fl_status fl_udf_folder_make(const fl_system *system, const char *path, fl_err *err);

/** Reads a whole file, in memory to be freed with fl_free. FL_ERR_TABLE (58P01): there is none; FL_ERR_LIMIT: it has more than bytes_max;
 *  FL_ERR_IO. */
fl_status fl_udf_file_read(const fl_system *system, const char *path, int64_t bytes_max, char **ret, int64_t *ret_bytes,
                           fl_err *err);

/** Puts a file of these parts under a name in the folder, in place of one that is there. `lasts`: it is on the disk when this returns.
 *  What is left behind by a process that was killed meanwhile ends in FL_UDF_FILE_UNFINISHED. */
fl_status fl_udf_file_write(const fl_system *system, const char *folder, const char *name, const fl_str *parts,
                            int32_t n_parts, bool lasts, fl_err *err);

#define FL_UDF_FILE_UNFINISHED ".new"

#endif
