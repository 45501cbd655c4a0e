/* How many distinct values a column has, from how often values repeat in a sample of its rows. */
#ifndef FL_PLAN_DISTINCT_ESTIMATE_H
#define FL_PLAN_DISTINCT_ESTIMATE_H

#include "base/status.h"

#define FL_FREQUENCY_MAX 50

/* Frequencies of frequencies. A value that was seen more than FL_FREQUENCY_MAX times has left none of its like unseen. */
typedef struct fl_frequencies {
    int64_t times[FL_FREQUENCY_MAX + 1]; /* [i]: values seen i times */
    int64_t n_frequent;                  /* values seen more often */
    int64_t rows;                        /* of all values */
} fl_frequencies;

/** Counts a value that was seen `count` times. */
void fl_frequencies_add(fl_frequencies *f, int64_t count);

/** Distinct values of a column of `rows` rows without nulls, of which the sample is a random part. At least those seen, at
 *  most `rows`. */
double fl_distinct_estimate(const fl_frequencies *f, double rows);

#endif
