/* Tasks: exploring groups, reaching goals, pricing expressions.
 *
 * Only tasks on the stack are under way, and each is begun once a pass for a group or a goal. A goal is reached when every
 * executable expression of its group was priced in every way, inputs first. An expression is given up as soon as what it costs by
 * itself, with its inputs as far as they are known and with the least that the others can cost, is no less than the best.
 *
 * Winners cannot refer to themselves, though merged groups can: a plan costs no less than what it contains did when it was
 * priced, costs only fall from then on, and only what is cheaper takes a winner's place. */
#include "opt/search.h"

#include "base/interrupt.h"
#include "opt/cost.h"
#include "opt/check_result.h"
#include "opt/memo_print.h"
#include "opt/search_internal.h"
#include "plan/provenance.h"
#include "plan/registry.h"

#include <math.h>

#define TICKS_PER_LOOK 64 /* at whether the statement shall stop */
#define BEFORE_FIRST (-2) /* an expression's place in a list that was not begun */

typedef enum task_kind { TASK_EXPLORE, TASK_GOAL, TASK_PRICE } task_kind;

struct search_task {
    task_kind kind;
    int32_t thing; /* explore: a group; else a goal */
    int32_t expr;
    int32_t way;
    int32_t input;       /* the next one to look at */
    int32_t phase, rule; /* the next rule to apply */
    bool has_begun;
    fl_cost cost; /* so far */
};

static fl_status push(fl_search_state *s, const search_task *task, fl_err *err)
{
    fl_status st = fl_grow(s->memo.arena.memory, (void **)&s->tasks, &s->tasks_capacity, s->n_tasks + 1,
                           (int64_t)sizeof(*s->tasks), err);
    if (st == FL_OK)
        s->tasks[s->n_tasks++] = *task;
    return st;
}

static void pop(fl_search_state *s)
{
    s->n_tasks--;
}

/* ---- exploring ---------------------------------------------------------------------------------------------------- */

static bool has_executable(const fl_search_state *s, int32_t group)
{
    for (int32_t e = s->memo.groups[group].first; e != FL_MEMO_NONE; e = s->memo.exprs[e].next)
        if (fl_search_is_executable(s, &s->memo.exprs[e]))
            return true;
    return false;
}

static fl_status explore_group(fl_search_state *s, int32_t group, fl_err *err)
{
    fl_memo_group *g = &s->memo.groups[group];
    search_task task = {.kind = TASK_EXPLORE, .thing = group, .expr = g->first};
    g->explored_in = s->pass;
    return push(s, &task, err);
}

/* The next rule for an expression that was not applied to it yet; NULL: none is left. */
static const fl_rule_entry *next_rule(const fl_search_state *s, search_task *task, const fl_memo_expr *expr)
{
    for (; task->phase < s->n_phases; task->phase++, task->rule = 0) {
        const fl_rule_list *rules = fl_rule_set_of_class(s->options->set, s->phases[task->phase], expr->node->op);
        while (task->rule < rules->n) {
            const fl_rule_entry *entry = rules->entries[task->rule++];
            if (!s->options->is_off[entry->index] && !entry->rule->answers_wants &&
                !fl_bit_get(expr->fired, entry->index))
                return entry;
        }
    }
    return NULL;
}

/* Inputs are explored before rules are applied, since patterns go into them. What a rule adds is met further on in the list. */
static fl_status explore(fl_search_state *s, search_task *task, fl_err *err)
{
    fl_memo *memo = &s->memo;
    int32_t group = fl_memo_find(memo, task->thing), i = task->expr;
    if (i == FL_MEMO_NONE || s->is_stopping || (fl_search_is_greedy(s) && has_executable(s, group))) {
        pop(s);
        return FL_OK;
    }
    const fl_memo_expr *expr = &memo->exprs[i];
    while (expr->node != NULL && task->input < fl_search_inputs(expr->node)) {
        int32_t input = fl_memo_input(memo, expr->node, task->input++);
        if (memo->groups[input].explored_in != s->pass)
            return explore_group(s, input, err);
    }
    const fl_rule_entry *entry = expr->node == NULL || fl_is_group(expr->node) ? NULL : next_rule(s, task, expr);
    if (entry != NULL)
        return fl_search_apply(s, i, entry, NULL, err);
    task->expr = expr->next;
    task->input = task->phase = task->rule = 0;
    return FL_OK;
}

/* ---- goals -------------------------------------------------------------------------------------------------------- */

/* Rules that answer wants, for each plan of the goal's group. What they add is behind the plans that it is of. */
static fl_status answer_want(fl_search_state *s, int32_t goal, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_trait_set *want = s->memo.goals[goal].want;
    int32_t e = s->memo.groups[fl_memo_find(&s->memo, s->memo.goals[goal].group)].first;
    for (; e != FL_MEMO_NONE && want != s->plain; e = s->memo.exprs[e].next) {
        const fl_node *node = s->memo.exprs[e].node;
        for (int32_t p = 0; p < s->n_phases && node != NULL; p++) {
            const fl_rule_list *rules = fl_rule_set_of_class(s->options->set, s->phases[p], node->op);
            for (int32_t r = 0; r < rules->n; r++)
                if (rules->entries[r]->rule->answers_wants && !s->options->is_off[rules->entries[r]->index])
                    FL_TRY(fl_search_apply(s, e, rules->entries[r], want, err));
        }
    }
cleanup:
    return st;
}

static fl_status begin_goal(fl_search_state *s, int32_t goal, fl_err *err)
{
    search_task task = {.kind = TASK_GOAL, .thing = goal, .expr = BEFORE_FIRST};
    s->memo.goals[goal].begun_in = s->pass;
    return push(s, &task, err);
}

static fl_status price(fl_search_state *s, int32_t goal, int32_t expr, int32_t way, fl_err *err)
{
    search_task task = {.kind = TASK_PRICE, .thing = goal, .expr = expr, .way = way};
    return push(s, &task, err);
}

static fl_status reach_goal(fl_search_state *s, search_task *task, fl_err *err)
{
    fl_memo *memo = &s->memo;
    int32_t goal = task->thing, group = fl_memo_find(memo, memo->goals[goal].group);
    bool is_enough = memo->goals[goal].expr != FL_MEMO_NONE && (s->is_stopping || fl_search_is_greedy(s));
    if (!is_enough && memo->groups[group].explored_in != s->pass && !s->is_stopping)
        return explore_group(s, group, err);
    if (task->expr == BEFORE_FIRST && !is_enough) {
        fl_status st = answer_want(s, goal, err);
        if (st != FL_OK)
            return st;
    }
    if (task->expr == BEFORE_FIRST)
        task->expr = memo->groups[fl_memo_find(memo, group)].first;
    while (!is_enough && task->expr != FL_MEMO_NONE) {
        const fl_memo_expr *expr = &memo->exprs[task->expr];
        int32_t n_ways = memo->goals[goal].want == s->plain || expr->node == NULL ? 1 : fl_search_ways(expr->node);
        if (fl_search_is_executable(s, expr) && task->way < n_ways)
            return price(s, goal, task->expr, task->way++, err);
        task->expr = expr->next;
        task->way = 0;
    }
    if (!is_enough && !task->has_begun) { /* the enforcer comes last, and once */
        fl_status st = fl_search_make_enforcer(s, goal, err);
        task->has_begun = true;
        if (st != FL_OK || memo->goals[goal].enforcer == FL_MEMO_NONE)
            return st;
        return price(s, goal, memo->goals[goal].enforcer, 0, err);
    }
    /* All plans of the group were priced where nothing is wanted: with something wanted they cost no less. */
    if (memo->goals[goal].want == s->plain && memo->goals[goal].expr != FL_MEMO_NONE && !fl_search_is_greedy(s) &&
        !s->is_stopping)
        memo->groups[group].bound = fmax(memo->groups[group].bound, memo->goals[goal].total);
    pop(s);
    return FL_OK;
}

/* ---- prices ------------------------------------------------------------------------------------------------------- */

static fl_status give_up(fl_search_state *s, const search_task *task, fl_memo_verdict verdict, double total,
                         fl_err *err)
{
    fl_memo_trial trial = {.goal = task->thing,
                           .expr = task->expr,
                           .way = task->way,
                           .input = task->input,
                           .verdict = verdict,
                           .total = total};
    pop(s);
    return fl_memo_note(&s->memo, &trial, err);
}

static void begin_price(fl_search_state *s, search_task *task, const fl_node *node)
{
    task->has_begun = true;
    if (!fl_is_group(node)) /* nothing runs for it */
        task->cost = fl_cost_of(s->plan, node);
}

/* What an expression costs at least: what is known of it, and the bounds of the inputs that are not priced yet. */
static double least_cost(const fl_search_state *s, const search_task *task, const fl_node *node)
{
    double least = fl_cost_total(&task->cost);
    for (int32_t i = task->input; i < fl_search_inputs(node); i++)
        least += s->memo.groups[fl_memo_input(&s->memo, node, i)].bound;
    return least;
}

/* The expression's goal for an input; FL_MEMO_NONE: this way there is none. */
static fl_status input_goal(fl_search_state *s, int32_t goal, int32_t expr, int32_t way, int32_t input, int32_t *ret,
                            fl_err *err)
{
    const fl_trait_set *want = NULL;
    *ret = FL_MEMO_NONE;
    fl_status st = fl_search_needs(s, goal, expr, way, input, &want, err);
    if (st == FL_OK && want != NULL)
        st = fl_memo_goal_of(&s->memo, fl_memo_input(&s->memo, s->memo.exprs[expr].node, input), want, ret, err);
    return st;
}

/* All inputs are priced: what the expression gives decides, and what it costs. */
static fl_status settle(fl_search_state *s, search_task *task, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memo_goal *goal = NULL;
    const fl_trait_set **inputs = NULL, *given = NULL;
    int32_t from = 0;
    FL_TRY(FL_NEW_ARRAY(&s->trees, fl_search_inputs(node) + 1, &inputs, err));
    for (int32_t i = 0; i < fl_search_inputs(node); i++) {
        FL_TRY(input_goal(s, task->thing, task->expr, task->way, i, &from, err));
        inputs[i] = s->memo.goals[from].given;
    }
    FL_TRY(fl_search_gives(s, node, inputs, &given, err));
    goal = &s->memo.goals[task->thing];
    double total = fl_cost_total(&task->cost);
    if (!fl_trait_set_satisfies(s->plan, given, goal->want))
        return give_up(s, task, FL_MEMO_UNFIT, total, err);
    if (total >= goal->total)
        return give_up(s, task, FL_MEMO_DEARER, total, err);
    if (!(total > goal->total * (1 - s->options->threshold)))
        s->quiet = 0;
    goal->expr = task->expr;
    goal->way = task->way;
    goal->given = given;
    goal->cost = task->cost;
    goal->total = total;
    st = give_up(s, task, FL_MEMO_BEST, total, err);
cleanup:
    fl_arena_reset(&s->trees);
    return st;
}

static fl_status price_inputs(fl_search_state *s, search_task *task, fl_err *err)
{
    fl_status st = FL_OK;
    fl_memo *memo = &s->memo;
    const fl_node *node = memo->exprs[task->expr].node;
    int32_t from = 0;
    if (node == NULL) {
        pop(s);
        return FL_OK;
    }
    if (!task->has_begun)
        begin_price(s, task, node);
    for (; task->input < fl_search_inputs(node); task->input++) {
        double least = least_cost(s, task, node);
        if (least >= memo->goals[task->thing].total)
            return give_up(s, task, FL_MEMO_PRUNED, least, err);
        FL_TRY(input_goal(s, task->thing, task->expr, task->way, task->input, &from, err));
        if (from == FL_MEMO_NONE) {
            pop(s);
            return FL_OK;
        }
        const fl_memo_goal *goal = &memo->goals[from];
        if (goal->begun_in != s->pass && !s->is_stopping)
            return begin_goal(s, from, err);
        if (goal->expr == FL_MEMO_NONE)
            return give_up(s, task, FL_MEMO_NO_INPUT, INFINITY, err);
        fl_cost_sum(&task->cost, &goal->cost);
    }
    st = settle(s, task, node, err);
cleanup:
    return st;
}

/* ---- passes ------------------------------------------------------------------------------------------------------- */

/* A task is worked on in a copy: the stack may grow under it. One that is done has popped itself. */
static fl_status step(fl_search_state *s, fl_err *err)
{
    int32_t at = s->n_tasks - 1;
    search_task task = s->tasks[at];
    fl_status st = task.kind == TASK_EXPLORE ? explore(s, &task, err)
                   : task.kind == TASK_GOAL  ? reach_goal(s, &task, err)
                                             : price_inputs(s, &task, err);
    if (s->n_tasks > at)
        s->tasks[at] = task;
    return st;
}

static fl_status run_pass(fl_search_state *s, int32_t goal, int32_t pass, fl_err *err)
{
    fl_status st = FL_OK;
    s->pass = pass;
    s->ticks = s->quiet = 0;
    FL_TRY(begin_goal(s, goal, err));
    while (s->n_tasks > 0) {
        if (s->ticks % TICKS_PER_LOOK == 0)
            FL_TRY(fl_interrupt_check(s->scratch.memory->interrupt, err));
        s->is_stopping = !fl_search_is_greedy(s) && (s->ticks >= s->options->ticks_max || s->quiet > FL_SEARCH_QUIET);
        s->ticks++;
        s->quiet += s->tasks[s->n_tasks - 1].kind == TASK_PRICE; /* exploring makes nothing cheaper */
        FL_TRY(step(s, err));
    }
cleanup:
    return st;
}

/* The deepest group that has no implementation, whatever was wanted, names the trouble; else it is what was wanted. */
static fl_status fail_without_plan(fl_search_state *s, int32_t goal, fl_err *err)
{
    const fl_memo *memo = &s->memo;
    fl_text tried, want;
    int32_t bare = 0;
    const fl_node *node = NULL, *root = memo->groups[fl_memo_find(memo, memo->goals[goal].group)].leaf->inputs[0];
    for (; bare < memo->n_groups && node == NULL; bare++)
        if (memo->groups[bare].parent == bare && !has_executable(s, bare))
            node = memo->exprs[memo->groups[bare].first].node;
    fl_text_init(&tried, NULL);
    fl_text_init(&want, NULL);
    fl_trait_print(&want, s->plan, memo->goals[goal].want);
    for (int32_t p = 0; p < s->n_phases && node != NULL; p++) {
        const fl_rule_list *rules = fl_rule_set_of_class(s->options->set, s->phases[p], node->op);
        for (int32_t r = 0; r < rules->n; r++)
            fl_text_addf(&tried, "%s%s%s", tried.len > 0 ? ", " : "", rules->entries[r]->rule->name,
                         s->options->is_off[rules->entries[r]->index] ? " (switched off)" : "");
    }
    fl_status st =
        node != NULL ? FL_FAIL(err, FL_ERR_PLAN, "no rule gives the operator %s an implementation in the convention %s",
                               node->op->name, fl_trait_convention.values[s->convention])
                     : FL_FAIL(err, FL_ERR_PLAN, "no plan gives rows of the operator %s that are %.*s", root->op->name,
                               FL_STR_ARG(fl_text_str(&want)));
    if (node != NULL)
        fl_err_hint(err, "rules for it: %.*s", FL_STR_ARG(tried.len > 0 ? fl_text_str(&tried) : FL_STR("none")));
    fl_text_drop(&tried);
    fl_text_drop(&want);
    return st;
}

/* The phases whose rules are used: those that the search stands for, in their order, and its own. */
static fl_status collect_phases(fl_search_state *s, fl_err *err)
{
    const fl_rule_set *set = s->options->set;
    const fl_phase_desc *own = s->options->phase->phase;
    fl_status st = FL_NEW_ARRAY(&s->memo.arena, set->n_phases, &s->phases, err);
    for (int32_t i = 0; i < set->n_phases && st == FL_OK; i++)
        if (&set->phases[i] == s->options->phase || fl_phase_replaces(own, set->phases[i].phase))
            s->phases[s->n_phases++] = &set->phases[i];
    return st;
}

/* Adds another plan for a part of the whole one, which call->node is. */
static fl_status add_equal(fl_search_state *s, const fl_rule_call *call, int32_t rule, const fl_node *other,
                           fl_err *err)
{
    fl_status st = FL_OK;
    int32_t group = 0;
    FL_TRY(fl_check_result(call, other, s->options->verifies_properties, err));
    FL_TRY(fl_memo_add_plan(&s->memo, call->node, &group, err));
    st = fl_memo_add_equal(&s->memo, group, other, rule, err);
cleanup:
    return st;
}

static fl_status apply_to_root(fl_search_state *s, const fl_rule_entry *entry, const fl_node *root, fl_err *err)
{
    fl_status st = FL_OK;
    fl_rule_call call = *s->options->call;
    int32_t n_exprs = s->memo.n_exprs, n_nodes = fl_plan_nodes(s->plan);
    fl_rule_outcome outcome = FL_RULE_REFUSED;
    call.node = root;
    call.is_costed = true;
    call.is_numbered = s->options->plan_number > 0;
    call.rule = entry->rule;
    call.pattern = entry->pattern;
    call.scratch = &s->scratch;
    if (entry->rule->check != NULL && !entry->rule->check(&call))
        goto note;
    FL_TRY(entry->rule->on_match(&call, err));
    FL_TRY(fl_provenance_note_rule(s->plan, entry->rule->name, root, n_nodes, err));
    for (int32_t i = 0; i < call.n_results; i++)
        if (call.results[i] != root)
            FL_TRY(add_equal(s, &call, entry->index, call.results[i], err));
    for (int32_t i = 0; i < call.n_equals; i++) {
        call.node = call.equals[i].part;
        FL_TRY(add_equal(s, &call, entry->index, call.equals[i].other, err));
    }
    outcome = s->memo.n_exprs > n_exprs ? FL_RULE_FIRED : FL_RULE_SILENT;
    if (outcome == FL_RULE_FIRED)
        s->options->fired(s->options->ctx, entry->rule);
note:
    st = fl_rule_inquiry_note(s->options->inquiry, s->plan, entry->rule, root, outcome, err);
cleanup:
    fl_arena_reset(&s->scratch);
    return st;
}

/* Rules of the whole plan, once. */
static fl_status apply_on_root(fl_search_state *s, const fl_node *root, fl_err *err)
{
    const fl_rule_list *rules = &s->options->phase->on_root;
    fl_status st = FL_OK;
    for (int32_t r = 0; r < rules->n && st == FL_OK; r++)
        if (!s->options->is_off[rules->entries[r]->index])
            st = apply_to_root(s, rules->entries[r], root, err);
    return st;
}

static fl_status choose(fl_search_state *s, int32_t goal, const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    double n_plans = 0;
    int64_t number = -1;
    if (s->memo.goals[goal].expr == FL_MEMO_NONE)
        return fail_without_plan(s, goal, err);
    if (s->options->plan_number > 0) {
        FL_TRY(fl_search_count(s, goal, &n_plans, err));
        number = n_plans >= 1 ? (s->options->plan_number - 1) % (int64_t)n_plans : -1;
        if (s->options->shown != NULL)
            fl_text_addf(s->options->shown, "plan %lld of %.0f\n", (long long)number + 1, n_plans);
    }
    st = fl_search_extract(s, goal, number, ret, err);
cleanup:
    return st;
}

/* The memo, and what became of a rule's plans, for those who asked. */
static fl_status show(fl_search_state *s, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_search_options *options = s->options;
    const fl_rule_desc *const *rules = fl_registry_rules(fl_plan_registry(s->plan), &(int32_t){0});
    fl_text *texts[] = {options->shown, options->inquiry == NULL ? NULL : options->inquiry->text};
    if (options->shown != NULL)
        fl_memo_print(options->shown, &s->memo, rules);
    if (options->inquiry != NULL) {
        FL_TRY(fl_rule_inquiry_finish(options->inquiry, err));
        fl_memo_print_rule(options->inquiry->text, &s->memo, rules, options->inquiry->rule);
    }
    for (int32_t i = 0; i < FL_LEN(texts) && s->is_stopping; i++)
        if (texts[i] != NULL)
            fl_text_addf(texts[i], "the search was stopped after %lld tasks: %s\n", (long long)s->ticks,
                         s->ticks >= options->ticks_max ? "there may be no more" : "no plan became much cheaper");
cleanup:
    return st;
}

fl_status fl_search(fl_plan *plan, const fl_node *root, const fl_search_options *options, const fl_node **ret,
                    fl_err *err)
{
    fl_status st = FL_OK;
    int32_t group = 0, goal = 0;
    fl_search_state s = {
        .options = options, .plan = plan, .convention = fl_trait_get(options->want, &fl_trait_convention)};
    fl_memo_init(&s.memo, plan, options->set->n_rules);
    s.memo.keeps_trials = options->shown != NULL || options->inquiry != NULL;
    fl_arena_init(&s.scratch, fl_plan_arena(plan)->memory);
    fl_arena_init(&s.trees, fl_plan_arena(plan)->memory);
    FL_TRY(collect_phases(&s, err));
    FL_TRY(fl_trait_with(plan, fl_trait_none(plan), &fl_trait_convention, s.convention, &s.plain, err));
    FL_TRY(fl_memo_add_plan(&s.memo, root, &group, err));
    FL_TRY(apply_on_root(&s, root, err));
    FL_TRY(fl_memo_goal_of(&s.memo, group, options->want, &goal, err));
    FL_TRY(run_pass(&s, goal, 1, err));
    FL_TRY(run_pass(&s, goal, 2, err));
    FL_TRY(show(&s, err));
    if (options->n_groups != NULL)
        *options->n_groups = s.memo.n_groups;
    st = choose(&s, goal, ret, err);
cleanup:
    fl_free(s.tasks);
    fl_arena_drop(&s.trees);
    fl_arena_drop(&s.scratch);
    fl_memo_drop(&s.memo);
    return st;
}
