/* The schema of a message, as fields of the C data interface. */
#ifndef FL_FORMAT_ARROW_SCHEMA_H
#define FL_FORMAT_ARROW_SCHEMA_H

#include "format/arrow/table.h"

/** Reads the columns of a schema's table in `f`; all is the arena's. */
fl_status fl_ipc_schema_read(fl_arena *arena, fl_flat *f, int64_t schema, fl_ipc_file *ret, fl_err *err);

/** A schema of some of the columns, which live as long as it does: it needs no release. */
fl_status fl_ipc_schema_of(fl_arena *arena, const fl_ipc_file *file, const int32_t *cols, int32_t n,
                           struct ArrowSchema *ret, fl_err *err);

#endif
