/* English names of months and weekdays, for formats of dates. */
#ifndef FL_BASE_DATE_NAMES_H
#define FL_BASE_DATE_NAMES_H

static const char *const fl_month_names[] = {"January", "February", "March",     "April",   "May",      "June",
                                             "July",    "August",   "September", "October", "November", "December"};
static const char *const fl_weekday_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};

#endif
