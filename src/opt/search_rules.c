/* Applying rules to expressions: a pattern that goes into inputs is bound to each expression of their groups. */
#include "opt/check_result.h"
#include "opt/search_internal.h"
#include "plan/provenance.h"

#define TREES_MAX 256 /* that a pattern is bound to in one expression */

/* Plans over groups, in `trees`. */
typedef struct tree_list {
    const fl_node **nodes;
    int64_t capacity;
    int32_t n;
} tree_list;

static fl_status add_tree(fl_search_state *s, tree_list *list, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    if (list->n == TREES_MAX)
        return FL_OK;
    if (list->nodes == NULL)
        FL_TRY(FL_NEW_ARRAY(&s->trees, TREES_MAX, &list->nodes, err));
    list->nodes[list->n++] = node;
cleanup:
    return st;
}

/* `?` that asks for nothing: a group will do. */
static bool is_any(const fl_pattern_node *p)
{
    return p->op == NULL && p->n_tests == 0 && p->n_inputs == 0;
}

static bool is_flat(const fl_pattern *pattern)
{
    for (int32_t i = 1; i < pattern->n_nodes; i++)
        if (!is_any(&pattern->nodes[i]))
            return false;
    return true;
}

static bool fits(const fl_pattern_node *p, const fl_node *node)
{
    bool is_fit =
        node != NULL && !fl_is_group(node) && (p->op == NULL || p->op == node->op) && p->n_inputs <= node->n_inputs;
    for (int32_t i = 0; i < p->n_tests && is_fit; i++)
        is_fit = fl_trait_get(node->traits, p->tests[i].trait) == p->tests[i].value;
    return is_fit;
}

static fl_status bind(fl_search_state *s, const fl_pattern *pattern, int32_t place, const fl_node *node, tree_list *ret,
                      fl_err *err);

/* Each of `trees` with each plan that the pattern's part at `place` is bound to as input `input`. */
static fl_status bind_input(fl_search_state *s, const fl_pattern *pattern, int32_t place, int32_t input,
                            tree_list *trees, fl_err *err)
{
    fl_status st = FL_OK;
    tree_list below = {0}, above = {0};
    const fl_node **inputs = NULL, *tree = NULL;
    int32_t group = fl_memo_input(&s->memo, trees->nodes[0], input);
    for (int32_t e = s->memo.groups[group].first; e != FL_MEMO_NONE; e = s->memo.exprs[e].next)
        FL_TRY(bind(s, pattern, place, s->memo.exprs[e].node, &below, err));
    for (int32_t t = 0; t < trees->n; t++) {
        const fl_node *node = trees->nodes[t];
        FL_TRY(FL_NEW_ARRAY(&s->trees, node->n_inputs, &inputs, err));
        memcpy(inputs, node->inputs, (size_t)node->n_inputs * sizeof(*inputs));
        for (int32_t b = 0; b < below.n; b++) {
            inputs[input] = below.nodes[b];
            FL_TRY(fl_node_with_inputs(s->plan, node, inputs, &tree, err));
            FL_TRY(add_tree(s, &above, tree, err));
        }
    }
    *trees = above;
cleanup:
    return st;
}

static fl_status bind(fl_search_state *s, const fl_pattern *pattern, int32_t place, const fl_node *node, tree_list *ret,
                      fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pattern_node *p = &pattern->nodes[place];
    tree_list trees = {0};
    if (!fits(p, node))
        return FL_OK;
    FL_TRY(add_tree(s, &trees, node, err));
    for (int32_t i = 0; i < p->n_inputs && trees.n > 0; i++)
        if (!is_any(&pattern->nodes[p->inputs[i]]))
            FL_TRY(bind_input(s, pattern, p->inputs[i], i, &trees, err));
    for (int32_t t = 0; t < trees.n; t++)
        FL_TRY(add_tree(s, ret, trees.nodes[t], err));
cleanup:
    return st;
}

/* Adds what the rule makes of one plan. */
static fl_status apply_to(fl_search_state *s, int32_t expr, const fl_rule_entry *entry, const fl_node *node,
                          const fl_trait_set *want, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *bound[FL_PATTERN_NODES_MAX];
    fl_rule_call call = *s->options->call;
    fl_rule_inquiry *inquiry = s->options->inquiry;
    fl_rule_outcome outcome = FL_RULE_REFUSED;
    int32_t n_exprs = s->memo.n_exprs, n_merges = s->memo.n_merges, n_nodes = fl_plan_nodes(s->plan);
    if (!fl_pattern_matches(entry->pattern, node, bound))
        return fl_rule_inquiry_note(inquiry, s->plan, entry->rule, node, FL_RULE_UNMATCHED, err);
    call.node = node;
    call.is_costed = true;
    call.want = want;
    call.rule = entry->rule;
    call.pattern = entry->pattern;
    call.bound = bound;
    call.scratch = &s->scratch;
    if (entry->rule->check != NULL && !entry->rule->check(&call))
        goto note;
    outcome = FL_RULE_SILENT;
    FL_TRY(entry->rule->on_match(&call, err));
    FL_TRY(fl_provenance_note_rule(s->plan, entry->rule->name, node, n_nodes, err));
    for (int32_t i = 0; i < call.n_results; i++) {
        if (call.results[i] == node)
            continue;
        FL_TRY(fl_check_result(&call, call.results[i], s->options->verifies_properties, err));
        FL_TRY(fl_memo_add_equal(&s->memo, s->memo.exprs[expr].group, call.results[i], entry->index, err));
    }
    if (s->memo.n_exprs > n_exprs || s->memo.n_merges > n_merges) {
        outcome = FL_RULE_FIRED;
        s->options->fired(s->options->ctx, entry->rule);
    }
note:
    st = fl_rule_inquiry_note(inquiry, s->plan, entry->rule, node, outcome, err);
cleanup:
    fl_arena_reset(&s->scratch);
    return st;
}

fl_status fl_search_apply(fl_search_state *s, int32_t expr, const fl_rule_entry *entry, const fl_trait_set *want,
                          fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *node = s->memo.exprs[expr].node;
    tree_list trees = {0};
    fl_bit_set(s->memo.exprs[expr].fired, entry->index);
    if (is_flat(entry->pattern))
        return apply_to(s, expr, entry, node, want, err);
    FL_TRY(bind(s, entry->pattern, 0, node, &trees, err));
    for (int32_t t = 0; t < trees.n; t++)
        FL_TRY(apply_to(s, expr, entry, trees.nodes[t], want, err));
cleanup:
    fl_arena_reset(&s->trees);
    return st;
}
