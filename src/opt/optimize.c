/* The driver: phases in order, rules to a fixpoint.
 *
 * A phase walks the plan bottom-up and tries each of its rules on each node; a node that a rule replaced is tried again.
 * Walks repeat until one changes nothing; what a walk left as it is, is not tried again. Applications are counted: rules that undo each other are named, not looped on. */
#include "opt/optimize.h"

#include "base/interrupt.h"
#include "base/metrics.h"
#include "opt/check_result.h"
#include "opt/search.h"
#include "plan/provenance.h"
#include "plan/sample_estimate.h"
#include "plan/rule_set.h"

#define SEARCH_HEIGHT_MAX \
    1000 /* higher plans are lowered by rules alone: a search looks at each group in several ways */
#define APPLICATIONS_MAX 20000 /* per phase and 100 nodes; far beyond what terminating rules need */

typedef struct driver {
    fl_plan *plan;
    const fl_optimize_options *options;
    fl_optimize_report *report;
    const fl_rule_set *set;
    bool *is_off; /* by a rule's index */
    const fl_phase_rules *phase;
    const fl_node *root;
    fl_col_set wanted;
    fl_arena scratch; /* of one application */
    bool is_decided, searches;
    int64_t applications, applications_max;
    int64_t complexity;        /* groups of the memo, and operators of the plan */
    const char *last_rules[4]; /* the last ones that fired, for the message about loops */
} driver;

static bool is_disabled(const fl_optimize_options *options, const fl_rule_desc *rule)
{
    if (rule->is_required)
        return false;
    if (options->is_reference)
        return true;
    for (int32_t i = 0; i < options->n_disabled; i++)
        if (fl_str_is_equal_nocase(options->disabled_rules[i], fl_str_of(rule->name)))
            return true;
    return false;
}

static void note_fired(driver *d, const fl_rule_desc *rule)
{
    d->applications++;
    memmove(d->last_rules + 1, d->last_rules, sizeof(d->last_rules) - sizeof(d->last_rules[0]));
    d->last_rules[0] = rule->name;
    fl_optimize_report *report = d->report;
    if (report == NULL)
        return;
    report->applications++;
    for (int32_t i = 0; i < report->n_fired; i++)
        if (report->rules_fired[i] == rule->name)
            return;
    report->rules_fired[report->n_fired++] = rule->name;
}

/* For those who asked. */
static fl_status note_try(driver *d, const fl_rule_desc *rule, const fl_node *node, fl_rule_outcome outcome,
                          fl_err *err)
{
    return d->report == NULL ? FL_OK : fl_rule_inquiry_note(d->report->inquiry, d->plan, rule, node, outcome, err);
}

/* All plans that are handed over are held to the rule's promise; the first that is another node is gone on with. */
static fl_status apply_rule(driver *d, fl_rule_call *call, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *chosen = NULL;
    int32_t n_nodes = fl_plan_nodes(d->plan);
    if (call->rule->check != NULL && !call->rule->check(call))
        return note_try(d, call->rule, call->node, FL_RULE_REFUSED, err);
    FL_TRY(call->rule->on_match(call, err));
    FL_TRY(fl_provenance_note_rule(d->plan, call->rule->name, call->node, n_nodes, err));
    for (int32_t i = 0; i < call->n_results; i++) {
        if (call->results[i] == call->node)
            continue;
        FL_TRY(fl_check_result(call, call->results[i], d->options->verifies_properties, err));
        if (chosen == NULL)
            chosen = call->results[i];
    }
    FL_TRY(note_try(d, call->rule, call->node, chosen == NULL ? FL_RULE_SILENT : FL_RULE_FIRED, err));
    if (chosen == NULL)
        return FL_OK;
    note_fired(d, call->rule);
    if (d->applications > d->applications_max)
        return FL_FAIL(err, FL_ERR_INTERNAL, "the rules %s and %s undo each other in phase %s", d->last_rules[0],
                       d->last_rules[1] == NULL ? "?" : d->last_rules[1], d->phase->phase->name);
    *ret = chosen;
cleanup:
    return st;
}

/* Tries a rule on a node, which *ret already is. */
static fl_status try_rule(driver *d, const fl_rule_entry *entry, const fl_node *node, const fl_node **ret, fl_err *err)
{
    const fl_node *bound[FL_PATTERN_NODES_MAX];
    if (d->is_off[entry->index])
        return FL_OK;
    if (!fl_pattern_matches(entry->pattern, node, bound))
        return note_try(d, entry->rule, node, FL_RULE_UNMATCHED, err);
    fl_rule_call call = {.plan = d->plan,
                         .node = node,
                         .root = d->root,
                         .wanted = &d->wanted,
                         .evaluator = d->options->evaluator,
                         .rule = entry->rule,
                         .pattern = entry->pattern,
                         .bound = bound,
                         .scratch = &d->scratch};
    fl_status st = fl_interrupt_check(d->scratch.memory->interrupt, err);
    if (st == FL_OK)
        st = apply_rule(d, &call, ret, err);
    fl_arena_reset(&d->scratch);
    return st;
}

/* The first rule that fires on a node. */
static fl_status apply_one(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    (void)plan;
    driver *d = ctx;
    const fl_rule_list *rules = fl_rule_set_of_class(d->set, d->phase, node->op);
    *ret = node;
    for (int32_t r = 0; r < rules->n && *ret == node; r++) {
        fl_status st = try_rule(d, rules->entries[r], node, ret, err);
        if (st != FL_OK)
            return st;
    }
    return FL_OK;
}

/* Tries all rules on a node until none fires. */
static fl_status exhaust_node(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    const fl_node *before;
    *ret = node;
    do {
        before = *ret;
        fl_status st = apply_one(ctx, plan, before, ret, err);
        if (st != FL_OK)
            return st;
    } while (*ret != before);
    return FL_OK;
}

typedef struct counting {
    int64_t nodes;
} counting;

static fl_status count_node(void *ctx, const fl_node *node, fl_err *err)
{
    (void)node;
    (void)err;
    ((counting *)ctx)->nodes++;
    return FL_OK;
}

static fl_status run_phase(driver *d, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_rule_list *on_root = &d->phase->on_root;
    bool is_exhausting = d->phase->phase->strategy == FL_PHASE_EXHAUST;
    counting c = {0};
    fl_settled settled = {0};
    FL_TRY(fl_node_visit(d->root, count_node, &c, err));
    d->applications = 0;
    d->applications_max = APPLICATIONS_MAX + APPLICATIONS_MAX / 100 * c.nodes;
    for (bool changed = true; changed;) {
        const fl_node *before = d->root;
        for (int32_t r = 0; r < on_root->n; r++)
            FL_TRY(try_rule(d, on_root->entries[r], d->root, &d->root, err));
        if (is_exhausting)
            FL_TRY(fl_node_settle(d->plan, d->root, apply_one, d, &settled, &d->root, err));
        else
            FL_TRY(fl_node_rewrite(d->plan, d->root, exhaust_node, d, &d->root, err));
        changed = d->root != before && is_exhausting;
    }
cleanup:
    fl_free(settled.results);
    return st;
}

/* ---- searching ---------------------------------------------------------------------------------------------------- */

static fl_status note_choice(void *ctx, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    driver *d = ctx;
    bool has_choice = node->n_inputs > 1;
    if (!has_choice && node->op->has_choice != NULL && !d->searches)
        st = node->op->has_choice(d->plan, node, &has_choice, err);
    d->searches |= has_choice;
    return st;
}

/* Whether a search takes the place of phases: where no operator has two inputs, or a choice of its own, rules know
 * what is best. Decided once, before the first of
 * these phases. */
static fl_status decide_search(driver *d, fl_err *err)
{
    d->is_decided = true;
    if (!d->options->searches || d->options->is_reference || d->root->height > SEARCH_HEIGHT_MAX)
        return FL_OK;
    return fl_node_visit(d->root, note_choice, d, err);
}

static void note_search_fired(void *ctx, const fl_rule_desc *rule)
{
    note_fired(ctx, rule);
}

static fl_status run_search(driver *d, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_optimize_options *options = d->options;
    fl_rule_call call = {.plan = d->plan, .root = d->root, .wanted = &d->wanted, .evaluator = options->evaluator};
    fl_search_options search = {.set = d->set,
                                .phase = d->phase,
                                .is_off = d->is_off,
                                .call = &call,
                                .verifies_properties = options->verifies_properties,
                                .ticks_max = options->ticks_max,
                                .threshold = options->threshold,
                                .plan_number = options->plan_number,
                                .shown = d->report == NULL ? NULL : d->report->memo,
                                .inquiry = d->report == NULL ? NULL : d->report->inquiry,
                                .n_groups = &d->complexity,
                                .fired = note_search_fired,
                                .ctx = d};
    FL_TRY(fl_trait_with(d->plan, fl_trait_none(d->plan), &fl_trait_convention, FL_VECTORIZED, &search.want, err));
    st = fl_search(d->plan, d->root, &search, &d->root, err);
cleanup:
    return st;
}

/* Whether the phase runs: a search, and those that it stands for, are each other's alternative. */
static fl_status is_phase_on(driver *d, const fl_phase_desc *phase, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_search = phase->strategy == FL_PHASE_SEARCH, has_search = is_search;
    *ret = !d->options->is_reference || phase->is_reference;
    for (int32_t i = 0; i < d->set->n_phases && !has_search; i++)
        has_search = fl_phase_replaces(d->set->phases[i].phase, phase);
    if (!has_search)
        return FL_OK;
    if (!d->is_decided)
        FL_TRY(decide_search(d, err));
    *ret &= is_search == d->searches;
cleanup:
    return st;
}

/* Whether a rule that is asked about may do something in this phase. */
static void note_phase(driver *d)
{
    fl_rule_inquiry *inquiry = d->report->inquiry;
    const fl_phase_desc *phase = d->phase->phase;
    for (int32_t i = 0; i < d->set->n_phases && inquiry != NULL; i++) {
        const fl_phase_desc *own = d->set->phases[i].phase;
        if (strcmp(own->name, inquiry->rule->phase) == 0)
            inquiry->has_run |= own == phase || fl_phase_replaces(phase, own);
    }
}

static fl_status check_lowered(void *ctx, const fl_node *node, fl_err *err)
{
    ((driver *)ctx)->complexity++;
    if (fl_trait_get(node->traits, &fl_trait_convention) != FL_LOGICAL)
        return FL_OK;
    fl_status st = FL_FAIL(err, FL_ERR_PLAN, "no rule gives the operator %s an implementation", node->op->name);
    fl_err_hint(err, "the plan still holds a logical operator: a lowering rule is missing");
    return st;
}

/* Which rules are off, once for all phases; room for the names of those that fire. */
static fl_status prepare_rules(driver *d, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    const fl_rule_desc *const *rules = fl_registry_rules(fl_plan_registry(d->plan), &n);
    FL_TRY(FL_NEW_ARRAY(fl_plan_arena(d->plan), n, &d->is_off, err));
    for (int32_t i = 0; i < n; i++)
        d->is_off[i] = !(rules[i]->scope & FL_SCOPE_GLOBAL) || is_disabled(d->options, rules[i]);
    for (int32_t i = 0; d->report != NULL && d->report->inquiry != NULL && i < n; i++)
        if (rules[i] == d->report->inquiry->rule)
            d->report->inquiry->is_off = d->is_off[i];
    if (d->report != NULL)
        st = FL_NEW_ARRAY(fl_plan_arena(d->plan), n + 1, &d->report->rules_fired, err);
cleanup:
    return st;
}

fl_status fl_optimize(fl_query *query, const fl_optimize_options *options, fl_optimize_report *report, fl_err *err)
{
    fl_status st = FL_OK;
    driver d = {.plan = query->plan,
                .options = options,
                .report = report,
                .set = fl_registry_rule_set(fl_plan_registry(query->plan)),
                .root = query->root};
    if (report != NULL)
        *report = (fl_optimize_report){.memo = report->memo, .inquiry = report->inquiry};
    if (d.set == NULL)
        return FL_FAIL(err, FL_ERR_INTERNAL, "the plan's registry is not sealed");
    fl_arena_init(&d.scratch, fl_plan_arena(query->plan)->memory);
    fl_col_set_init(&d.wanted);
    for (int32_t i = 0; i < query->n_outputs; i++)
        FL_TRY(fl_col_set_add(fl_plan_arena(query->plan), &d.wanted, query->outputs[i], err));
    FL_TRY(prepare_rules(&d, err));
    if (!options->is_reference)
        FL_TRY(fl_plan_look_at_samples(query->plan, options->evaluator, err));
    for (int32_t i = 0; i < d.set->n_phases; i++) {
        bool is_on = false;
        d.phase = &d.set->phases[i];
        FL_TRY(is_phase_on(&d, d.phase->phase, &is_on, err));
        if (is_on && report != NULL)
            note_phase(&d);
        if (is_on)
            FL_TRY(d.phase->phase->strategy == FL_PHASE_SEARCH ? run_search(&d, err) : run_phase(&d, err));
    }
    query->root = d.root;
    FL_TRY(fl_node_visit(d.root, check_lowered, &d, err));
    fl_metrics_observe(fl_memory_metrics(d.scratch.memory), FL_METRIC_QUERY_PLAN_COMPLEXITY, d.complexity);
    if (report != NULL && report->inquiry != NULL && !d.searches) /* a search has answered */
        st = fl_rule_inquiry_finish(report->inquiry, err);
cleanup:
    (void)fl_plan_look_at_samples(query->plan, NULL, NULL); /* the evaluator is the caller's */
    fl_arena_drop(&d.scratch);
    return st;
}
