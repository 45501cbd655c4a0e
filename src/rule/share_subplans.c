/* share_subplans: what a query computes in several places alike is computed once, and read from there.
 *
 * Subplans that are the same are as high as each other, so the plan is gone through from the top, all nodes of a height together. A hash
 * that one walk makes says which of them may be the same, fl_plan_is_equal which are. The highest are shared, where computing
 * them again costs more than keeping their rows. An operator with several inputs below one of its class is left alone: it is a part
 * of a region (of joins, of unions) that others take apart. So is what can raise: shared rows are computed whole, where a reader may
 * stop before the row that does. */
#include "base/hash.h"
#include "op/materialize/node.h"
#include "op/project/node.h"
#include "opt/cost.h"
#include "plan/plan_hash.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

#include <math.h>
#include <stdlib.h>

#define DEARER 2.0 /* computing again costs so many times what keeping costs: filters of run time do not pass */
#define SAVED_MIN_NS 100000 /* less is not worth a task */
#define MANY 1000
#define TRIED_MAX 16 /* subplans of one hash that another is held against */

/* What is known of a node, by its id. */
typedef struct seen {
    uint64_t hash;         /* 0: its rows are not always the same, or it was not met */
    double cost;           /* with all below; what is shared counts for each reader */
    bool is_read;          /* by a node that is not shared itself: it may be a subplan of its own */
    bool is_part;          /* of an operator of its class */
    bool is_scan;          /* of one table, row by row: it is read again, so that filters of run time reach it */
    int32_t next;          /* subplan of its hash and height; 0: none */
    int32_t first;         /* subplan that is the same and came before; 0: none */
    int32_t n_same;        /* how many are the same as the first one */
    const fl_node *reader; /* what reads the shared rows in its place */
} seen;

typedef struct sharing {
    fl_rule_call *call;
    seen *seen;
    int32_t n_ids;
    const fl_node **nodes; /* inputs first */
    int32_t n_nodes;
    int32_t *readers; /* by column: height of its highest reader, so a lower node's column is read above it */
    bool is_any;
} sharing;

static void note_readers(sharing *s, const fl_col_set *cols, int32_t height)
{
    for (int32_t w = 0; w < cols->n_words; w++)
        for (uint64_t word = cols->words[w]; word != 0; word &= word - 1) {
            int32_t *reader = &s->readers[(cols->first_word + w) * 64 + __builtin_ctzll(word)];
            *reader = *reader > height ? *reader : height;
        }
}

static bool is_read_above(const sharing *s, const fl_node *node, int32_t c)
{
    return s->readers[node->cols[c].n] > node->height;
}

static fl_status note_node(void *ctx, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    sharing *s = ctx;
    fl_col_set used;
    uint64_t hash = fl_hash_bytes(node->op->name, (int64_t)strlen(node->op->name));
    bool is_scan = node->n_inputs == 0 || (node->n_inputs == 1 && fl_rows_are(node, FL_ROWS_ALONE));
    bool is_fixed =
        !(node->holds & FL_HOLDS_VOLATILE) && !node->can_fail && fl_col_set_is_empty(&node->outer) && node->n_cols > 0;
    hash = fl_hash_combine(hash, fl_hash_bytes((const char *)&node->rows, sizeof(node->rows)));
    hash = fl_hash_combine(hash, (uint64_t)node->n_cols);
    for (int32_t i = 0; i < node->n_inputs; i++) {
        seen *below = &s->seen[node->inputs[i]->id];
        hash = fl_hash_combine(hash, below->hash);
        is_fixed &= below->hash != 0;
        is_scan &= below->is_scan;
        below->is_part |= node->n_inputs > 1 && node->inputs[i]->op == node->op;
    }
    s->seen[node->id].hash = is_fixed ? hash | 1 : 0;
    s->seen[node->id].is_scan = is_scan;
    s->nodes[s->n_nodes++] = node;
    fl_col_set_init(&used);
    FL_TRY(fl_node_add_used_cols(s->call->scratch, node, &used, err));
    note_readers(s, &used, node->height);
cleanup:
    return st;
}

/* Adds what nodes cost, without values that nobody reads: such columns are not left out of scans yet. */
static void add_costs(sharing *s)
{
    for (int32_t i = 0; i < s->n_nodes; i++) {
        const fl_node *node = s->nodes[i];
        fl_cost own = fl_cost_of(s->call->plan, node), unread = {0};
        int32_t n_unread = 0;
        for (int32_t c = 0; c < node->n_cols; c++)
            n_unread += !is_read_above(s, node, c);
        fl_cost_add(&unread, FL_COST_READ, node->rows * n_unread);
        s->seen[node->id].cost = fmax(fl_cost_bound(node->rows), fl_cost_total(&own) - fl_cost_total(&unread));
        for (int32_t k = 0; k < node->n_inputs; k++)
            s->seen[node->id].cost += s->seen[node->inputs[k]->id].cost;
    }
}

static int compare_heights(const void *a, const void *b)
{
    const fl_node *x = *(const fl_node *const *)a, *y = *(const fl_node *const *)b;
    return x->height != y->height ? (x->height > y->height ? -1 : 1) : (x->id > y->id) - (x->id < y->id);
}

/* What it costs to keep a node's rows and have them read so often. */
static double kept_cost(const sharing *s, const fl_node *node, double readers)
{
    fl_cost kept = {0};
    int32_t n_cols = 0;
    for (int32_t c = 0; c < node->n_cols; c++)
        n_cols += is_read_above(s, node, c);
    fl_cost_add_kept(&kept, node->rows, n_cols);
    fl_cost_add(&kept, FL_COST_READ, node->rows * n_cols * readers);
    return fl_cost_total(&kept);
}

/* Whether so many readers of its rows are cheaper than computing it for each. */
static bool pays(const sharing *s, const fl_node *node, double readers)
{
    double saved = s->seen[node->id].cost * (readers - 1);
    return saved > SAVED_MIN_NS && saved > DEARER * kept_cost(s, node, readers);
}

/* Whether it pays with any number of readers. */
static bool may_pay(const sharing *s, const fl_node *node)
{
    return s->seen[node->id].cost > SAVED_MIN_NS && pays(s, node, MANY);
}

static fl_status is_same(const sharing *s, const fl_node *a, const fl_node *b, bool *ret, fl_err *err)
{
    fl_query queries[2] = {{.plan = s->call->plan, .root = a, .n_outputs = a->n_cols, .outputs = a->cols},
                           {.plan = s->call->plan, .root = b, .n_outputs = b->n_cols, .outputs = b->cols}};
    *ret = false;
    return a->n_cols != b->n_cols ? FL_OK : fl_plan_is_equal(&queries[0], &queries[1], true, ret, err);
}

/* Finds what is the same among the nodes of one height that may be subplans. */
static fl_status find_same(sharing *s, const fl_node *const *nodes, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_index_map by_hash;
    fl_index_map_init(&by_hash, s->call->scratch);
    for (int32_t i = 0; i < n; i++) {
        seen *own = &s->seen[nodes[i]->id];
        int32_t tried = 0, at;
        bool same = false;
        if (own->hash == 0 || !own->is_read || own->is_part || own->is_scan || !may_pay(s, nodes[i]))
            continue;
        at = fl_index_map_find(&by_hash, own->hash);
        for (int32_t k = at; k >= 0 && !same && tried < TRIED_MAX; k = s->seen[nodes[k]->id].next - 1, tried++) {
            FL_TRY(is_same(s, nodes[k], nodes[i], &same, err));
            if (same) {
                own->first = nodes[k]->id;
                s->seen[nodes[k]->id].n_same++;
            }
        }
        if (at < 0)
            FL_TRY(fl_index_map_add(&by_hash, own->hash, i, err));
        else if (!same) { /* another one of the hash, behind the first */
            own->next = s->seen[nodes[at]->id].next;
            s->seen[nodes[at]->id].next = i + 1;
        }
    }
cleanup:
    return st;
}

/* Goes through the plan from the top, height by height; below what is shared nothing else is read. */
static fl_status choose(sharing *s, fl_err *err)
{
    fl_status st = FL_OK;
    qsort(s->nodes, (size_t)s->n_nodes, sizeof(*s->nodes), compare_heights);
    s->seen[s->call->root->id].is_read = true;
    for (int32_t from = 0, to; from < s->n_nodes; from = to) {
        for (to = from; to < s->n_nodes && s->nodes[to]->height == s->nodes[from]->height;)
            to++;
        FL_TRY(find_same(s, s->nodes + from, to - from, err));
        for (int32_t i = from; i < to; i++) {
            seen *own = &s->seen[s->nodes[i]->id];
            if (own->n_same > 0 && !pays(s, s->nodes[i], own->n_same + 1))
                own->n_same = 0;
        }
        for (int32_t i = from; i < to; i++) {
            seen *own = &s->seen[s->nodes[i]->id];
            if (own->first != 0 && s->seen[own->first].n_same == 0)
                own->first = 0;
            s->is_any |= own->first != 0;
            for (int32_t k = 0; k < s->nodes[i]->n_inputs && own->is_read && own->first == 0 && own->n_same == 0; k++)
                s->seen[s->nodes[i]->inputs[k]->id].is_read = true;
        }
    }
cleanup:
    return st;
}

static bool is_shared(const sharing *s, const fl_node *node)
{
    const seen *own = &s->seen[node->id];
    return own->is_read && (own->first != 0 || own->n_same > 0);
}

/* The places of the columns that somebody reads of one of the subplans that are the same; at least one. */
static fl_status find_columns(const sharing *s, const fl_node *first, int32_t *ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    bool *is_used = NULL;
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, first->n_cols, &is_used, err));
    for (int32_t i = 0; i < s->n_nodes; i++) {
        const fl_node *node = s->nodes[i];
        bool is_one = node == first || (is_shared(s, node) && s->seen[node->id].first == first->id);
        for (int32_t c = 0; c < node->n_cols && is_one; c++)
            is_used[c] |= is_read_above(s, node, c);
    }
    *ret_n = 0;
    for (int32_t c = 0; c < first->n_cols; c++)
        if (is_used[c])
            ret[(*ret_n)++] = c;
    if (*ret_n == 0)
        ret[(*ret_n)++] = 0;
cleanup:
    return st;
}

/* What `first` computes at some places, under ids of its own: readers give the old ones out again, and what is kept further up may
 * go by them. */
static fl_status rename_columns(sharing *s, const fl_node *first, const int32_t *places, int32_t n, fl_col_id *ret_cols,
                                const fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = s->call->plan;
    const fl_expr **exprs = NULL;
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, n, &exprs, err));
    for (int32_t i = 0; i < n; i++) {
        fl_col_info info = *fl_plan_col(plan, first->cols[places[i]]);
        FL_TRY(fl_plan_add_col(plan, &info, &ret_cols[i], err));
        FL_TRY(fl_expr_column(plan, first->cols[places[i]], -1, &exprs[i], err));
    }
    fl_project_attrs project = {.n_cols = n, .cols = ret_cols, .n_exprs = n, .exprs = exprs};
    st = fl_node_make(plan, &fl_op_project, &project, NULL, &first, 1, NULL, 0, ret, err);
cleanup:
    return st;
}

/* Reads the columns `from` of what is computed once, under the ids that `node` gives them. */
static fl_status make_reader(sharing *s, const fl_node *computed, const fl_col_id *from, const fl_node *node,
                             const int32_t *places, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = s->call->plan;
    fl_col_id *made = NULL, *cols = NULL;
    const fl_expr **exprs = NULL;
    const fl_node *rows = NULL;
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, n, &made, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, n, &cols, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, n, &exprs, err));
    for (int32_t i = 0; i < n; i++)
        cols[i] = node->cols[places[i]];
    FL_TRY(fl_materialize_build(plan, computed, FL_STR("shared"), from, n, false, made, &rows, err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(fl_expr_column(plan, made[i], -1, &exprs[i], err));
    fl_project_attrs project = {.n_cols = n, .cols = cols, .n_exprs = n, .exprs = exprs};
    st = fl_node_make(plan, &fl_op_project, &project, NULL, &rows, 1, NULL, 0, &s->seen[node->id].reader, err);
cleanup:
    return st;
}

static fl_status make_readers(sharing *s, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t *places = NULL, n = 0;
    fl_col_id *from = NULL;
    const fl_node *computed = NULL;
    for (int32_t i = 0; i < s->n_nodes; i++) {
        const fl_node *first = s->nodes[i];
        if (!is_shared(s, first) || s->seen[first->id].first != 0)
            continue;
        FL_TRY(FL_NEW_ARRAY(s->call->scratch, first->n_cols, &places, err));
        FL_TRY(find_columns(s, first, places, &n, err));
        FL_TRY(FL_NEW_ARRAY(s->call->scratch, n, &from, err));
        FL_TRY(rename_columns(s, first, places, n, from, &computed, err));
        for (int32_t k = 0; k < s->n_nodes; k++)
            if (s->nodes[k] == first || (is_shared(s, s->nodes[k]) && s->seen[s->nodes[k]->id].first == first->id))
                FL_TRY(make_reader(s, computed, from, s->nodes[k], places, n, err));
    }
cleanup:
    return st;
}

static fl_status put_reader(void *ctx, fl_plan *plan, const fl_node *node, const fl_node **ret, fl_err *err)
{
    (void)plan;
    (void)err;
    const sharing *s = ctx;
    *ret = node->id <= s->n_ids && s->seen[node->id].reader != NULL ? s->seen[node->id].reader : node;
    return FL_OK;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    sharing s = {.call = call};
    const fl_node *out = NULL;
    s.n_ids = fl_plan_nodes(call->plan);
    FL_TRY(FL_NEW_ARRAY(call->scratch, s.n_ids + 1, &s.seen, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, s.n_ids + 1, &s.nodes, err));
    FL_TRY(FL_NEW_ARRAY(call->scratch, fl_plan_cols(call->plan) + 1, &s.readers, err));
    note_readers(&s, call->wanted, INT32_MAX);
    FL_TRY(fl_node_visit(call->root, note_node, &s, err));
    add_costs(&s);
    FL_TRY(choose(&s, err));
    if (!s.is_any)
        return FL_OK;
    FL_TRY(make_readers(&s, err));
    FL_TRY(fl_node_rewrite(call->plan, call->root, put_reader, &s, &out, err));
    st = fl_rule_call_transform_to(call, out, err);
cleanup:
    return st;
}

const fl_rule_desc fl_rule_share_subplans = {FL_DESC(fl_rule_desc),
                                             .name = "share_subplans",
                                             .phase = "join_order",
                                             .pattern = "root",
                                             .scope = FL_SCOPE_GLOBAL,
                                             .promise = 10,
                                             .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                             .on_match = on_match,
                                             .doc = "what is computed in several places alike is computed once"};
