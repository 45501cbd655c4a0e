/* English names of months and weekdays, for patterns of dates. */
#ifndef FL_FUNC_TIME_NAMES_H
#define FL_FUNC_TIME_NAMES_H

static const char *const fl_month_names[] = {"January", "February", "March",     "April",   "May",      "June",
                                             "July",    "August",   "September", "October", "November", "December"};
static const char *const fl_weekday_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};

#endif
