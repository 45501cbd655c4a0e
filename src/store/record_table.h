/* Tables of records that lie in memory which somebody else owns, one behind the other at a fixed distance (include/fletch/records.h).
 *
 * A scan gathers a column's values out of the records of its batch when it is asked for them; long texts are pointed to. Single values
 * that lie one behind the other, as in an array of numbers, are not even gathered. Records do not change, so that nothing is locked
 * but the sample. */
#ifndef FL_STORE_RECORD_TABLE_H
#define FL_STORE_RECORD_TABLE_H

#include "fletch/records.h"
#include "plan/table.h"

#define FL_FORMAT_RECORDS "records" /* fl_table.format */

/* A field whose description was checked. */
typedef struct fl_record_column {
    fl_str name;
    fl_type type;
    fl_record_field field; /* its name and type are not looked at any more */
} fl_record_column;

/** Whether records can hold values of the type. */
bool fl_record_type_is_held(fl_type type);

/** Bytes that a value of the column takes in the record itself. */
int64_t fl_record_column_bytes(const fl_record_column *column);

/** A table of the records; name and columns are copied. On success it releases them when it goes. */
fl_status fl_record_table_new(fl_memory *memory, fl_str name, const fl_records *records,
                              const fl_record_column *columns, int32_t n_cols, fl_table **ret, fl_err *err);

#endif
