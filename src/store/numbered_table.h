/* A table in memory beside the places of its rows, for statements that change some of them. */
#ifndef FL_STORE_NUMBERED_TABLE_H
#define FL_STORE_NUMBERED_TABLE_H

#include "plan/table.h"

/** As fl_table_ops.numbered, of a table of store/memory_table.h, to which the new one holds a reference. */
fl_status fl_numbered_table_new(fl_table *table, fl_memory *memory, fl_table **ret, fl_err *err);

#endif
