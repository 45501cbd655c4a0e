/* The usual forms of dates and timestamps other than ISO's, and which of them the values of a column leave possible.
 *
 * A date is three numbers with the same byte between them, in one of the orders of day, month and year that people write; a timestamp has a
 * time of day behind a blank. Where several orders are possible to the end, the year is the first number rather than the last one, and the
 * day stands before the month, as in DuckDB. A column's form is a format of base/strptime.h, by which all of its values are read. */
#ifndef FL_FORMAT_CSV_FORMS_H
#define FL_FORMAT_CSV_FORMS_H

#include "base/arena.h"
#include "base/str.h"

typedef struct fl_csv_forms {
    char separator;            /* 0: none was seen */
    uint8_t orders;            /* bits: those that are possible */
    uint8_t times;             /* bits: forms of the time of day that are possible */
    bool has_dates, has_times; /* values without and with a time of day were seen */
} fl_csv_forms;

#define FL_CSV_FORMS_ANY ((fl_csv_forms){.orders = 0xFF, .times = 0xFF})

/** Takes a value into account. False: no form is left, or dates and timestamps would be mixed. */
bool fl_csv_forms_add(fl_csv_forms *forms, fl_str text);

/** The form of a column's values; at least one was added, with success. */
fl_status fl_csv_forms_format(const fl_csv_forms *forms, fl_arena *arena, fl_str *ret, fl_err *err);

#endif
