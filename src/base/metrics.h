/* What an engine counts while it works: counters and histograms, which Prometheus reads as text.
 *
 *     fl_metrics_add(metrics, FL_METRIC_FILTER_MERGES, 1);
 *     fl_metrics_observe(metrics, FL_METRIC_QUERY_PLANNING_DURATION, ns);
 *
 * metrics.def lists them. A thread counts in a shard, and shards share no cache line, so that threads that count do not wait for each
 * other; who reads adds the shards up. Rows are counted a batch at a time. Thread-safe; `metrics` NULL: nothing is counted. */
#ifndef FL_BASE_METRICS_H
#define FL_BASE_METRICS_H

#include "base/text.h"

#define FL_COUNTER(id, name, doc) FL_METRIC_##id,
#define FL_HISTOGRAM(id, name, unit, doc) FL_METRIC_##id,
typedef enum fl_metric {
    FL_METRIC_NONE, /* which whoever has nothing to count says */
#include "base/metrics.def"
    FL_METRICS
} fl_metric;
#undef FL_COUNTER
#undef FL_HISTOGRAM

#define FL_METRICS_EVERY \
    16 /* batches, of which one is measured: a look at the clock costs as much as some work on a batch */

typedef struct fl_metrics fl_metrics;

/** For about so many threads that count at once; there may be any number. */
fl_status fl_metrics_new(int32_t n_threads, fl_metrics **ret, fl_err *err);
void fl_metrics_free(fl_metrics *metrics);

/** Adds to a counter; n ≥ 0. */
void fl_metrics_add(fl_metrics *metrics, fl_metric metric, int64_t n);

/** Adds a value to a histogram: nanoseconds where its unit is seconds. */
void fl_metrics_observe(fl_metrics *metrics, fl_metric metric, int64_t value);

/** What a counter says, or how many values a histogram has. */
int64_t fl_metrics_value(const fl_metrics *metrics, fl_metric metric);

/** All of them in Prometheus' text format, version 0.0.4. A histogram's count fits its buckets, whatever is counted meanwhile. */
void fl_metrics_print(fl_text *text, const fl_metrics *metrics);

#endif
