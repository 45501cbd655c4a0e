/* Shards of counters, and their text. */
#include "base/metrics.h"

#include "base/memory.h"
#include "base/region_pool.h"

#include <stdlib.h>

#define SHARDS_MAX 64
#define CACHE_LINE_BYTES 64

/* Upper ends of buckets; of seconds in nanoseconds. */
static const int64_t seconds_bounds[] = {
    250,     500,     1000,    2500,     5000,     10000,    25000,     50000,     100000,    250000,     500000,
    1000000, 2500000, 5000000, 10000000, 25000000, 50000000, 100000000, 250000000, 500000000, 1000000000, 10000000000};
static const int64_t number_bounds[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};
static const int64_t seconds_unit = 1000000000, number_unit = 1;

/* Where each metric's values lie in a shard. A histogram has a count for each bound, one for what is beyond, and the sum. */
#define FL_COUNTER(id, name, doc) SLOT_##id,
#define FL_HISTOGRAM(id, name, unit, doc) SLOT_##id, SLOT_SUM_##id = SLOT_##id + (int)FL_LEN(unit##_bounds) + 1,
enum {
#include "base/metrics.def"
    SLOTS
};
#undef FL_COUNTER
#undef FL_HISTOGRAM

typedef struct description {
    const char *name, *doc;
    int32_t slot;
    int32_t n_bounds;      /* 0: a counter */
    const int64_t *bounds; /* ascending */
    int64_t unit;          /* as many are one of the unit that is shown */
} description;

#define FL_COUNTER(id, metric_name, metric_doc) [FL_METRIC_##id] = {metric_name, metric_doc, SLOT_##id, 0, NULL, 1},
#define FL_HISTOGRAM(id, metric_name, unit, metric_doc) \
    [FL_METRIC_##id] = {metric_name, metric_doc, SLOT_##id, FL_LEN(unit##_bounds), unit##_bounds, unit##_unit},
static const description descriptions[FL_METRICS] = {
#include "base/metrics.def"
};
#undef FL_COUNTER
#undef FL_HISTOGRAM

typedef struct shard {
    _Alignas(CACHE_LINE_BYTES) _Atomic int64_t slots[SLOTS];
} shard;

struct fl_metrics {
    shard *shards;
    uint32_t n_shards; /* a power of two */
};

fl_status fl_metrics_new(int32_t n_threads, fl_metrics **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_metrics *metrics = NULL;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*metrics), (void **)&metrics, err));
    metrics->n_shards = 1;
    while (metrics->n_shards < SHARDS_MAX && (int64_t)metrics->n_shards < n_threads)
        metrics->n_shards *= 2;
    metrics->shards = fl_region_alloc(metrics->n_shards * (int64_t)sizeof(shard));
    if (metrics->shards == NULL)
        FL_TRY(FL_FAIL(err, FL_ERR_MEMORY, "out of memory: counters of the engine"));
    memset((void *)metrics->shards, 0, metrics->n_shards * sizeof(shard));
    *ret = metrics;
    return FL_OK;
cleanup:
    fl_metrics_free(metrics);
    return st;
}

void fl_metrics_free(fl_metrics *metrics)
{
    if (metrics != NULL)
        free(metrics->shards);
    fl_free(metrics);
}

/* ---- counting ---- */

/* Threads get numbers in the order in which they first count, so the workers of an engine have shards of their own. */
static _Atomic int64_t *slots_of_thread(fl_metrics *metrics)
{
    static _Atomic uint32_t n_threads;
    static _Thread_local uint32_t number; /* from 1; 0: none yet */
    if (FL_UNLIKELY(number == 0))
        number = atomic_fetch_add(&n_threads, 1) % INT32_MAX + 1;
    return metrics->shards[number & (metrics->n_shards - 1)].slots;
}

static void add(fl_metrics *metrics, int32_t slot, int64_t n)
{
    atomic_fetch_add_explicit(&slots_of_thread(metrics)[slot], n, memory_order_relaxed);
}

void fl_metrics_add(fl_metrics *metrics, fl_metric metric, int64_t n)
{
    FL_ASSERT(metric > FL_METRIC_NONE && metric < FL_METRICS && descriptions[metric].n_bounds == 0 && n >= 0);
    if (metrics != NULL && n > 0)
        add(metrics, descriptions[metric].slot, n);
}

void fl_metrics_observe(fl_metrics *metrics, fl_metric metric, int64_t value)
{
    const description *d = &descriptions[metric];
    int32_t bucket = 0;
    FL_ASSERT(metric > FL_METRIC_NONE && metric < FL_METRICS && d->n_bounds > 0);
    if (metrics == NULL)
        return;
    value = value < 0 ? 0 : value; /* by a clock that went back */
    while (bucket < d->n_bounds && value > d->bounds[bucket])
        bucket++;
    add(metrics, d->slot + bucket, 1);
    add(metrics, d->slot + d->n_bounds + 1, value);
}

/* ---- reading ---- */

static int64_t read_slot(const fl_metrics *metrics, int32_t slot)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < metrics->n_shards; i++)
        sum += atomic_load_explicit(&metrics->shards[i].slots[slot], memory_order_relaxed);
    return sum;
}

int64_t fl_metrics_value(const fl_metrics *metrics, fl_metric metric)
{
    const description *d = &descriptions[metric];
    int64_t sum = 0;
    FL_ASSERT(metric > FL_METRIC_NONE && metric < FL_METRICS);
    for (int32_t i = 0; i < (d->n_bounds > 0 ? d->n_bounds + 1 : 1); i++)
        sum += read_slot(metrics, d->slot + i);
    return sum;
}

/* A line of HELP, in which a backslash and the end of a line are escaped. */
static void print_help(fl_text *text, const description *d)
{
    fl_text_addf(text, "# HELP %s ", d->name);
    for (const char *c = d->doc; *c != 0; c++)
        if (*c == '\\' || *c == '\n')
            fl_text_add(text, *c == '\n' ? FL_STR("\\n") : FL_STR("\\\\"));
        else
            fl_text_add_char(text, *c);
    fl_text_addf(text, "\n# TYPE %s %s\n", d->name, d->n_bounds > 0 ? "histogram" : "counter");
}

static void print_histogram(fl_text *text, const fl_metrics *metrics, const description *d)
{
    int64_t count = 0;
    for (int32_t i = 0; i < d->n_bounds; i++) {
        count += read_slot(metrics, d->slot + i);
        fl_text_addf(text, "%s_bucket{le=\"%g\"} %lld\n", d->name, (double)d->bounds[i] / (double)d->unit,
                     (long long)count);
    }
    count += read_slot(metrics, d->slot + d->n_bounds);
    int64_t sum = read_slot(metrics, d->slot + d->n_bounds + 1);
    fl_text_addf(text, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum %lld", d->name, (long long)count, d->name,
                 (long long)(sum / d->unit));
    if (d->unit == seconds_unit)
        fl_text_addf(text, ".%09lld", (long long)(sum % d->unit));
    fl_text_addf(text, "\n%s_count %lld\n", d->name, (long long)count);
}

void fl_metrics_print(fl_text *text, const fl_metrics *metrics)
{
    for (int32_t i = FL_METRIC_NONE + 1; i < FL_METRICS; i++) {
        const description *d = &descriptions[i];
        print_help(text, d);
        if (d->n_bounds > 0)
            print_histogram(text, metrics, d);
        else
            fl_text_addf(text, "%s %lld\n", d->name, (long long)read_slot(metrics, d->slot));
    }
}
