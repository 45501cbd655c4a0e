/* eliminate_self_join: a table that is joined with itself by a key is read once: each row meets itself and no other.
 *
 * The conditions of the right side's scan become conditions of the left one's, its columns copies. Inner and semi joins; left
 * ones where the right side has no condition of its own. */
#include "op/join/node.h"
#include "op/project/node.h"
#include "op/scan/node.h"
#include "plan/expr_walk.h"
#include "plan/rewrites.h"
#include "plan/rule.h"

typedef struct self_join {
    fl_rule_call *call;
    const fl_join_attrs *join;
    const fl_scan_attrs *left, *right;
    bool *is_of_key; /* by conjunct */
} self_join;

/* The conjunct that makes a column of the table equal in both scans; -1: none. */
static int32_t find_equality(const self_join *s, int32_t column)
{
    fl_col_id a = s->left->cols[column], b = s->right->cols[column];
    for (int32_t i = 0; i < s->join->n_conjuncts; i++) {
        fl_col_id sides[2];
        if (fl_join_equality(s->call->node, s->join->conjuncts[i], sides) && fl_col_is_equal(sides[0], a) &&
            fl_col_is_equal(sides[1], b))
            return i;
    }
    return -1;
}

/* A key of the table whose columns the join makes equal; NULL: there is none. */
static const fl_table_key *find_key(const self_join *s)
{
    const fl_table *table = s->left->table;
    for (int32_t k = 0; k < table->n_keys; k++) {
        bool is_met = true;
        for (int32_t c = 0; c < table->keys[k].n_cols && is_met; c++)
            is_met = find_equality(s, table->keys[k].cols[c]) >= 0;
        if (is_met)
            return &table->keys[k];
    }
    return NULL;
}

/* Whether the right side's conditions, and those of the join beyond the key, may be tested of the left rows. */
static bool may_move(const self_join *s, const fl_table_key *key)
{
    bool has_others = s->right->n_filters > 0;
    for (int32_t i = 0; i < s->right->n_filters; i++)
        if (!fl_expr_is_movable(s->right->filters[i]))
            return false;
    for (int32_t i = 0; i < s->join->n_conjuncts; i++) {
        if (!fl_expr_is_movable(s->join->conjuncts[i]))
            return false;
        has_others |= !s->is_of_key[i];
    }
    bool is_not_null = true;
    for (int32_t c = 0; c < key->n_cols; c++)
        is_not_null &= !s->left->table->fields[key->cols[c]].nullable;
    return s->join->kind != FL_JOIN_LEFT || (!has_others && is_not_null);
}

/* The left scan's filters, and behind them what the key, the right scan and the join ask. */
static fl_status collect_filters(const self_join *s, const fl_table_key *key, fl_substitution *to_left,
                                 fl_scan_attrs *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = s->call->plan;
    const fl_expr **filters = NULL, *e = NULL;
    int32_t n = 0;
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, s->left->n_filters + s->right->n_filters + s->join->n_conjuncts + key->n_cols,
                        &filters, err));
    for (int32_t i = 0; i < s->left->n_filters; i++)
        filters[n++] = s->left->filters[i];
    for (int32_t c = 0; c < key->n_cols; c++) {
        if (!s->left->table->fields[key->cols[c]].nullable)
            continue;
        FL_TRY(fl_expr_column(plan, s->left->cols[key->cols[c]], -1, &e, err));
        FL_TRY(fl_expr_is_null(plan, e, -1, &e, err));
        FL_TRY(fl_expr_not(plan, e, -1, &filters[n++], err));
    }
    for (int32_t i = 0; i < s->right->n_filters; i++)
        FL_TRY(fl_substitute(to_left, s->right->filters[i], &filters[n++], err));
    for (int32_t i = 0; i < s->join->n_conjuncts; i++)
        if (!s->is_of_key[i])
            FL_TRY(fl_substitute(to_left, s->join->conjuncts[i], &filters[n++], err));
    ret->filters = filters;
    ret->n_filters = n;
cleanup:
    return st;
}

/* The left scan with the filters, and the right one's columns as copies. */
static fl_status read_once(const self_join *s, const fl_scan_attrs *attrs, const fl_expr *const *copies, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_node *join = s->call->node, *left = join->inputs[0], *scan = NULL, *out = NULL;
    fl_col_set read;
    fl_col_id *cols = NULL, *passed = NULL, *made = NULL;
    const fl_expr **exprs = NULL;
    int32_t n = 0, n_passed = 0, n_made = 0;
    fl_col_set_init(&read);
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, attrs->n_cols, &cols, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, join->n_cols, &passed, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, join->n_cols, &made, err));
    FL_TRY(FL_NEW_ARRAY(s->call->scratch, join->n_cols, &exprs, err));
    for (int32_t i = 0; i < join->n_cols; i++) {
        int32_t column = -1;
        for (int32_t c = 0; c < attrs->n_cols && column < 0; c++)
            column = fl_col_is_equal(s->right->cols[c], join->cols[i]) ? c : -1;
        if (column < 0) {
            passed[n_passed++] = join->cols[i];
            FL_TRY(fl_col_set_add(s->call->scratch, &read, join->cols[i], err));
            continue;
        }
        exprs[n_made] = copies[column];
        made[n_made++] = join->cols[i];
        FL_TRY(fl_col_set_add(s->call->scratch, &read, attrs->cols[column], err));
    }
    for (int32_t c = 0; c < attrs->n_cols; c++)
        if (fl_col_set_has(&read, attrs->cols[c]))
            cols[n++] = attrs->cols[c];
    FL_TRY(fl_node_make(s->call->plan, left->op, attrs, left->traits, NULL, 0, cols, n, &scan, err));
    fl_project_attrs project = {
        .n_cols = n_made, .cols = made, .n_exprs = n_made, .exprs = exprs, .n_passed = n_passed, .passed = passed};
    out = scan;
    if (n_made > 0)
        FL_TRY(fl_node_make(s->call->plan, &fl_op_project, &project, NULL, &scan, 1, NULL, 0, &out, err));
    FL_TRY(fl_node_with_cols(s->call->plan, out, join->cols, join->n_cols, &out, err));
    st = fl_rule_call_transform_to(s->call, out, err);
cleanup:
    return st;
}

static fl_status on_match(fl_rule_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    self_join s = {.call = call,
                   .join = fl_join_of(call->node),
                   .left = fl_scan_of(fl_rule_call_bound(call, "left")),
                   .right = fl_scan_of(fl_rule_call_bound(call, "right"))};
    fl_substitution to_left = {0};
    const fl_expr **copies = NULL;
    fl_scan_attrs attrs = *s.left;
    if ((s.join->kind != FL_JOIN_INNER && s.join->kind != FL_JOIN_SEMI && s.join->kind != FL_JOIN_LEFT) ||
        s.left->table != s.right->table || !fl_rows_are(fl_rule_call_bound(call, "left"), FL_ROWS_CHOSEN) ||
        !fl_rows_are(fl_rule_call_bound(call, "right"), FL_ROWS_CHOSEN))
        return FL_OK;
    const fl_table_key *key = find_key(&s);
    if (key == NULL)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, s.join->n_conjuncts, &s.is_of_key, err));
    for (int32_t c = 0; c < key->n_cols; c++)
        s.is_of_key[find_equality(&s, key->cols[c])] = true;
    if (!may_move(&s, key))
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->scratch, s.left->n_cols, &copies, err));
    for (int32_t c = 0; c < s.left->n_cols; c++)
        FL_TRY(fl_expr_column(call->plan, s.left->cols[c], -1, &copies[c], err));
    FL_TRY(fl_substitution_init(&to_left, call->plan, s.right->cols, copies, s.right->n_cols, err));
    FL_TRY(collect_filters(&s, key, &to_left, &attrs, err));
    st = read_once(&s, &attrs, copies, err);
cleanup:
    fl_substitution_drop(&to_left);
    return st;
}

const fl_rule_desc fl_rule_eliminate_self_join = {FL_DESC(fl_rule_desc),
                                                  .name = "eliminate_self_join",
                                                  .phase = "refine",
                                                  .pattern = "join(left:scan, right:scan)",
                                                  .scope = FL_SCOPE_BOTH,
                                                  .promise = 34,
                                                  .keeps = FL_KEEPS_COLS | FL_KEEPS_NOT_NULL,
                                                  .on_match = on_match,
                                                  .doc = "a table joined with itself by a key is read once"};
