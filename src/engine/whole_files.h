/* Whole files as rows: read_text, read_blob, glob. */
#ifndef FL_ENGINE_WHOLE_FILES_H
#define FL_ENGINE_WHOLE_FILES_H

#include "engine/internal.h"

/** The table that the function gives of the files that its argument names, by a pattern or a list of them; *ret NULL: there is no such
 *  function. FL_ERR_TABLE (58P01) where read_text or read_blob find none; FL_ERR_FORMAT (22021) for a text that is not UTF-8, FL_ERR_LIMIT for
 *  a file beyond 1 GB, FL_ERR_IO. */
fl_status fl_whole_files_call(fl_session *session, fl_str function, const fl_value *args, int32_t n_args,
                              fl_table **ret, fl_err *err);

/** Offers the functions' names to who looks for the nearest one. */
void fl_whole_files_offer(fl_nearest *near);

#endif
