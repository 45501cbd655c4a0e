/* The built-in trait kinds, but for ordering and partitioning, which have files of their own. Beyond the first two and
 * input_mode they are asked for by nothing yet: streams and plans on several machines will. */
#include "plan/trait.h"

#include <stddef.h>

static const char *const conventions[] = {"logical", "vectorized", "compiled"};
static const char *const implementations[] = {"any",  "hash",   "perfect_hash", "nested_loop", "sort",
                                              "heap", "stream", "merge",        "sorted",      "partly_sorted"};
static const char *const input_modes[] = {"batch", "unbounded"};
static const char *const data_formats[] = {"any", "batches", "rows", "arrow"};
static const char *const windowings[] = {"none", "tumbling", "sliding", "session"};
static const char *const deliveries[] = {"at_most_once", "at_least_once", "exactly_once"};
static const char *const features[] = {"avx2", "avx512", "neon", "gpu"};

const fl_trait_desc fl_trait_convention = {
    FL_DESC(fl_trait_desc), .name = "convention", .values = conventions, .n_values = FL_LEN(conventions),
    .doc = "who can run the operator; a plan with a logical one is not executable"};
const fl_trait_desc fl_trait_implementation = {FL_DESC(fl_trait_desc), .name = "implementation",
                                               .values = implementations, .n_values = FL_LEN(implementations),
                                               .doc = "the algorithm chosen by a lowering rule"};
const fl_trait_desc fl_trait_input_mode = {FL_DESC(fl_trait_desc), .name = "input_mode", .values = input_modes,
                                           .n_values = FL_LEN(input_modes), .doc = "whether the input ends"};
const fl_trait_desc fl_trait_data_format = {FL_DESC(fl_trait_desc), .name = "data_format", .values = data_formats,
                                            .n_values = FL_LEN(data_formats),
                                            .doc = "how rows lie in memory between operators"};
const fl_trait_desc fl_trait_windowing = {FL_DESC(fl_trait_desc), .name = "windowing", .values = windowings,
                                          .n_values = FL_LEN(windowings),
                                          .doc = "how a stream is cut into pieces that end"};

/* ---- delivery ---- */

static bool is_at_least(const fl_plan *plan, int32_t a, int32_t b)
{
    (void)plan;
    return a >= b;
}

const fl_trait_desc fl_trait_delivery = {
    FL_DESC(fl_trait_desc),   .name = "delivery",
    .values = deliveries,     .n_values = FL_LEN(deliveries),
    .satisfies = is_at_least, .doc = "how often a row arrives when something on its way fails"};

/* ---- lateness ---- */

typedef struct lateness {
    int64_t us;
} lateness;

static int64_t us_of(const fl_plan *plan, int32_t value)
{
    const lateness *l = fl_trait_payload(plan, &fl_trait_lateness, value);
    return l == NULL ? 0 : l->us;
}

static bool is_later(const fl_plan *plan, int32_t a, int32_t b)
{
    return us_of(plan, a) >= us_of(plan, b);
}

static void print_lateness(fl_text *text, const fl_plan *plan, int32_t value)
{
    fl_text_addf(text, "lateness=%lldus", (long long)us_of(plan, value));
}

static const fl_attr_field lateness_fields[] = {
    {"us", FL_FIELD_I64, offsetof(lateness, us), 0, NULL, false, false},
};

const fl_trait_desc fl_trait_lateness = {FL_DESC(fl_trait_desc),
                                         .name = "lateness",
                                         .payload_bytes = sizeof(lateness),
                                         .fields = lateness_fields,
                                         .n_fields = FL_LEN(lateness_fields),
                                         .satisfies = is_later,
                                         .print = print_lateness,
                                         .doc = "how late a row may come and is counted still"};

fl_status fl_lateness_make(fl_plan *plan, int64_t us, int32_t *ret, fl_err *err)
{
    FL_ASSERT(us >= 0);
    lateness made = {.us = us};
    return fl_trait_intern(plan, &fl_trait_lateness, &made, ret, err);
}

/* ---- placement ---- */

typedef struct placement {
    fl_str name;
} placement;

static void print_placement(fl_text *text, const fl_plan *plan, int32_t value)
{
    const placement *p = fl_trait_payload(plan, &fl_trait_placement, value);
    fl_text_addf(text, "placement=%.*s", FL_STR_ARG(p->name));
}

static const fl_attr_field placement_fields[] = {
    {"name", FL_FIELD_STR, offsetof(placement, name), 0, NULL, false, false},
};

const fl_trait_desc fl_trait_placement = {FL_DESC(fl_trait_desc),
                                          .name = "placement",
                                          .payload_bytes = sizeof(placement),
                                          .fields = placement_fields,
                                          .n_fields = FL_LEN(placement_fields),
                                          .print = print_placement,
                                          .doc = "where the operator runs"};

fl_status fl_placement_make(fl_plan *plan, fl_str name, int32_t *ret, fl_err *err)
{
    placement made = {.name = name};
    return fl_trait_intern(plan, &fl_trait_placement, &made, ret, err);
}

/* ---- hardware ---- */

typedef struct hardware {
    int64_t features;
} hardware;

static int64_t features_of(const fl_plan *plan, int32_t value)
{
    const hardware *h = fl_trait_payload(plan, &fl_trait_hardware, value);
    return h == NULL ? 0 : h->features;
}

static bool has_features(const fl_plan *plan, int32_t a, int32_t b)
{
    int64_t wanted = features_of(plan, b);
    return (features_of(plan, a) & wanted) == wanted;
}

static fl_status combine_features(fl_plan *plan, int32_t a, int32_t b, int32_t *ret, fl_err *err)
{
    return fl_hardware_make(plan, features_of(plan, a) | features_of(plan, b), ret, err);
}

static void print_hardware(fl_text *text, const fl_plan *plan, int32_t value)
{
    int64_t set = features_of(plan, value);
    const char *between = "hardware=";
    for (int32_t i = 0; i < FL_LEN(features); i++)
        if (set >> i & 1) {
            fl_text_addf(text, "%s%s", between, features[i]);
            between = "+";
        }
}

static const fl_attr_field hardware_fields[] = {
    {"features", FL_FIELD_I64, offsetof(hardware, features), 0, NULL, false, false},
};

const fl_trait_desc fl_trait_hardware = {FL_DESC(fl_trait_desc),
                                         .name = "hardware",
                                         .payload_bytes = sizeof(hardware),
                                         .fields = hardware_fields,
                                         .n_fields = FL_LEN(hardware_fields),
                                         .satisfies = has_features,
                                         .combine = combine_features,
                                         .print = print_hardware,
                                         .doc = "what the machine that runs the operator can do"};

fl_status fl_hardware_make(fl_plan *plan, int64_t set, int32_t *ret, fl_err *err)
{
    FL_ASSERT(set >= 0 && set < 1 << FL_LEN(features));
    hardware made = {.features = set};
    return fl_trait_intern(plan, &fl_trait_hardware, &made, ret, err);
}
