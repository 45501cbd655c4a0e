/* The driver: phases in order, rules to a fixpoint.
 *
 * A phase walks the plan bottom-up and tries each of its rules on each node; a node that a rule replaced is tried again.
 * Walks repeat until one changes nothing. Applications are counted: rules that undo each other are named, not looped on. */
#include "opt/optimize.h"

#include "base/interrupt.h"
#include "opt/pattern.h"

#define APPLICATIONS_MAX 20000 /* per phase and 100 nodes; far beyond what terminating rules need */

typedef struct driver {
    fl_plan *plan;
    const fl_query *query;
    const fl_optimize_options *options;
    fl_optimize_report *report;
    const fl_rule_desc *rules[FL_RULES_MAX];
    int32_t n_rules;
    const fl_phase_desc *phase;
    const fl_node *root;
    fl_col_set wanted;
    int64_t applications, applications_max;
    const char *last_rules[4]; /* the last ones that fired, for the message about loops */
} driver;

fl_status fl_rule_call_transform_to(fl_rule_call *call, const fl_node *node, fl_err *err)
{
    (void)err;
    call->n_results++;
    if (call->result == NULL)
        call->result = node;
    return FL_OK;
}

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
    if (report->n_fired < FL_RULES_MAX) {
        report->rules_fired[report->n_fired++] = rule->name;
        report->rules_fired[report->n_fired] = NULL;
    }
}

/* What a rule gives must put out what the node did. */
static fl_status check_result(const driver *d, const fl_rule_desc *rule, const fl_node *before, const fl_node *after,
                              fl_err *err)
{
    (void)d;
    if (!fl_col_set_has_all(&after->made, &before->made) && !fl_pattern_is_root(rule->pattern))
        return FL_FAIL(err, FL_ERR_INTERNAL, "rule %s lost columns of %s", rule->name, before->op->name);
    return FL_OK;
}

static fl_status try_rule(driver *d, const fl_rule_desc *rule, const fl_node *node, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rule_call call = {.plan = d->plan,
                         .node = node,
                         .root = d->root,
                         .wanted = &d->wanted,
                         .evaluator = d->options->evaluator,
                         .rule = rule};
    *ret = node;
    FL_TRY(fl_interrupt_check(fl_plan_arena(d->plan)->memory->interrupt, err));
    if (rule->check != NULL && !rule->check(&call))
        return FL_OK;
    FL_TRY(rule->on_match(&call, err));
    if (call.result == NULL || call.result == node)
        return FL_OK;
    FL_TRY(check_result(d, rule, node, call.result, err));
    note_fired(d, rule);
    if (d->applications > d->applications_max)
        return FL_FAIL(err, FL_ERR_INTERNAL, "the rules %s and %s undo each other in phase %s", d->last_rules[0],
                       d->last_rules[1] == NULL ? "?" : d->last_rules[1], d->phase->name);
    *ret = call.result;
cleanup:
    return st;
}

/* The first rule that fires on a node. */
static fl_status apply_one(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    (void)plan;
    driver *d = ctx;
    *ret = node;
    for (int32_t r = 0; r < d->n_rules && *ret == node; r++) {
        if (fl_pattern_is_root(d->rules[r]->pattern) || !fl_pattern_matches(d->rules[r]->pattern, node))
            continue;
        fl_status st = try_rule(d, d->rules[r], node, ret, err);
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

static fl_status run_phase(driver *d, const fl_registry *registry, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t n = 0;
    const fl_rule_desc *const *all = fl_registry_rules(registry, &n);
    counting c = {0};
    d->n_rules = 0;
    for (int32_t i = 0; i < n; i++) { /* by promise, ties in order of registration */
        if (strcmp(all[i]->phase, d->phase->name) != 0 || is_disabled(d->options, all[i]) ||
            !(all[i]->scope & FL_SCOPE_GLOBAL) || d->n_rules == FL_RULES_MAX)
            continue;
        int32_t at = d->n_rules++;
        for (; at > 0 && d->rules[at - 1]->promise < all[i]->promise; at--)
            d->rules[at] = d->rules[at - 1];
        d->rules[at] = all[i];
    }
    FL_TRY(fl_node_visit(d->root, count_node, &c, err));
    d->applications = 0;
    d->applications_max = APPLICATIONS_MAX + APPLICATIONS_MAX / 100 * c.nodes;
    for (bool changed = true; changed;) {
        const fl_node *before = d->root;
        for (int32_t r = 0; r < d->n_rules; r++)
            if (fl_pattern_is_root(d->rules[r]->pattern))
                FL_TRY(try_rule(d, d->rules[r], d->root, &d->root, err));
        if (d->phase->strategy == FL_PHASE_EXHAUST)
            FL_TRY(fl_node_settle(d->plan, d->root, apply_one, d, &d->root, err));
        else
            FL_TRY(fl_node_rewrite(d->plan, d->root, exhaust_node, d, &d->root, err));
        changed = d->root != before && d->phase->strategy == FL_PHASE_EXHAUST;
    }
cleanup:
    return st;
}

static fl_status check_lowered(void *ctx, const fl_node *node, fl_err *err)
{
    (void)ctx;
    if (fl_trait_get(node->traits, &fl_trait_convention) != FL_LOGICAL)
        return FL_OK;
    fl_status st = FL_FAIL(err, FL_ERR_PLAN, "no rule gives the operator %s an implementation", node->op->name);
    fl_err_hint(err, "the plan still holds a logical operator: a lowering rule is missing");
    return st;
}

fl_status fl_optimize(fl_query *query, const fl_optimize_options *options, fl_optimize_report *report, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_registry *registry = fl_plan_registry(query->plan);
    int32_t n = 0;
    const fl_phase_desc *const *phases = fl_registry_phases(registry, &n);
    driver d = {.plan = query->plan, .query = query, .options = options, .report = report, .root = query->root};
    if (report != NULL)
        *report = (fl_optimize_report){0};
    fl_col_set_init(&d.wanted);
    for (int32_t i = 0; i < query->n_outputs; i++)
        FL_TRY(fl_col_set_add(fl_plan_arena(query->plan), &d.wanted, query->outputs[i], err));
    const char *last = NULL;
    for (int32_t done = 0; done < n; done++) { /* each phase behind the one it names */
        d.phase = NULL;
        for (int32_t i = 0; i < n && d.phase == NULL; i++)
            if (last == NULL ? phases[i]->after == NULL
                             : phases[i]->after != NULL && strcmp(phases[i]->after, last) == 0)
                d.phase = phases[i];
        if (d.phase == NULL)
            break;
        last = d.phase->name;
        if (options->is_reference && !d.phase->is_reference)
            continue;
        FL_TRY(run_phase(&d, registry, err));
    }
    query->root = d.root;
    st = fl_node_visit(d.root, check_lowered, NULL, err);
cleanup:
    return st;
}
