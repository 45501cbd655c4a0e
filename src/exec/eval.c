/* The evaluator. See eval.h for the ideas; here is how a node's value comes about. */
#include "exec/eval.h"

#include "arrow/vec_check.h"
#include "base/clock.h"
#include "base/index_map.h"
#include "base/metrics.h"
#include "exec/cast.h"
#include "exec/in_list.h"
#include "plan/bounds.h"
#include "plan/table.h"

#include <stdlib.h>

typedef struct prog_node {
    const fl_expr *expr;
    int32_t n_args;
    const int32_t *args; /* indices of nodes */
    int32_t col;         /* columns: position in the batch */
    const fl_vec *constant;
    void *state;         /* calls: of fl_func_desc.prepare */
    int32_t peel;        /* calls and casts: the argument to run per dictionary value; -1 = none */
    bool peels_wanted;   /* for values only that rows have which are asked for */
    fl_in_list *in_list; /* IN: its items */
} prog_node;

struct fl_program {
    const fl_plan *plan;
    const fl_session_state *session;
    prog_node *nodes;
    int32_t n_nodes;
    const int32_t *roots;
    int32_t n_roots;
};

/* A node's buffers in one worker. */
typedef struct slot {
    void *data;   /* `room` values of up to 16 bytes, or bits */
    int32_t room; /* rows; 0: nothing was made yet */
    uint64_t *valid;
    uint64_t *mask; /* scratch: selected and not null */
    fl_vec vec;
    uint64_t batch;        /* the batch that vec is of; 0 = none */
    fl_vec expanded;       /* constants: as a flat vector of so many rows */
    int32_t expanded_rows; /* 0: it was not made yet */
    uint64_t measured;     /* columns: the batch that bounds are of; 0 = none */
    fl_bounds bounds;
    uint64_t dict_id;  /* whose values the next three are about */
    int64_t dict_rows; /* rows seen with this dictionary so far */
    bool has_dict;
    fl_vec dict;          /* results per dictionary value, in dict_arena */
    uint8_t *dict_bytes;  /* booleans: 0 false, 1 true, 2 null per value */
    uint64_t dict_out;    /* strings: identity of the resulting dictionary */
    fl_vec dict_values;   /* strings: dict as a dictionary's values are, without nulls */
    uint64_t *dict_valid; /* peels_wanted: which results are not null, where any is */
    uint64_t *dict_seen;  /* peels_wanted: values whose results are there; NULL: none yet */
    fl_arena dict_arena;
    void *local; /* calls: of fl_func_desc.local_new; NULL: not made */
} slot;

struct fl_eval {
    const fl_program *program;
    fl_memory *memory;
    fl_arena arena;
    fl_arena *heap;
    int32_t rows_max;
    int32_t rows;
    uint64_t batch_no;
    const fl_batch *batch;
    fl_eval_load load;
    void *load_ctx;
    const uint64_t *asked; /* rows that the value at hand is asked for as a whole; NULL: all */
    fl_metrics *metrics;   /* NULL: nothing is counted */
    int64_t counted_rows;  /* computed, and not yet told there */
    bool is_measured;      /* the value at hand */
    int64_t loading_ns;    /* of it */
    slot *slots;
};

/* ---- compiling ---------------------------------------------------------------------------------------------------- */

typedef struct compiler {
    fl_arena *arena;
    fl_program *program;
    int64_t capacity;
    fl_memory *memory;
    fl_index_map known;  /* nodes by expression */
    fl_index_map places; /* the batch's columns by id */
} compiler;

static bool is_constant(const prog_node *node)
{
    return node->constant != NULL;
}

/* Whether null rows of an argument are null rows of the result: those of casts and IN are. */
static bool gives_null(const fl_expr *e)
{
    return e->kind != FL_EXPR_CALL || (e->traits & FL_NULL_GIVES_NULL);
}

/* Whether it may raise, or take any time, for a value that no row has which is asked for. */
static bool peels_wanted(const fl_expr *e)
{
    return e->kind == FL_EXPR_CALL && ((e->traits & FL_CAN_FAIL) || e->func->cost_ns != NULL);
}

/* The one argument that is not constant, where results per dictionary value make sense. */
static int32_t peelable(const fl_program *program, const fl_expr *e, const int32_t *args, int32_t n_args)
{
    int32_t found = -1;
    if (e->kind == FL_EXPR_CALL && !(e->traits & FL_PURE))
        return -1;
    if (peels_wanted(e) && e->type.id == FL_DECIMAL) /* whose results have one width or another */
        return -1;
    if (e->kind == FL_EXPR_CAST && (e->flags & FL_EXPR_CAN_FAIL))
        return -1;
    for (int32_t i = 0; i < n_args; i++) {
        if (is_constant(&program->nodes[args[i]]))
            continue;
        if (found >= 0)
            return -1;
        found = i;
    }
    return found >= 0 && fl_type_is_string(e->args[found]->type) && !fl_type_is_nested(e->type) ? found : -1;
}

static fl_status prepare(compiler *c, prog_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr *e = node->expr;
    const fl_value **values = NULL;
    FL_TRY(FL_NEW_ARRAY(c->arena, e->n_args + 1, &values, err));
    for (int32_t i = 0; i < e->n_args; i++) {
        const fl_expr *arg = e->args[i];
        if (arg->kind == FL_EXPR_CONST)
            values[i] = arg->value;
        else if (arg->kind == FL_EXPR_PARAM && arg->param < c->program->session->n_params)
            values[i] = &c->program->session->params[arg->param];
    }
    st = e->func->prepare(e->func, c->arena, values, e->n_args, &node->state, err);
    if (st != FL_OK)
        fl_err_at(err, e->pos);
cleanup:
    return st;
}

static fl_status compile(compiler *c, const fl_expr *e, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = fl_index_map_find(&c->known, fl_index_map_key(e));
    if (*ret >= 0)
        return FL_OK;
    int32_t *args = NULL;
    int32_t n_args = e->kind == FL_EXPR_IN ? 1 : e->n_args;
    prog_node node = {.expr = e, .n_args = n_args, .col = -1, .peel = -1};
    FL_TRY(FL_NEW_ARRAY(c->arena, n_args + 1, &args, err));
    for (int32_t i = 0; i < n_args; i++)
        FL_TRY(compile(c, e->args[i], &args[i], err));
    node.args = args;
    switch (e->kind) {
    case FL_EXPR_COLUMN:
        node.col = fl_index_map_find(&c->places, (uint64_t)e->col.n);
        if (node.col < 0)
            return FL_FAIL(err, FL_ERR_INTERNAL, "column %.*s (%d) is not among the operator's inputs",
                           FL_STR_ARG(fl_plan_col(c->program->plan, e->col)->name), e->col.n);
        break;
    case FL_EXPR_CONST:
    case FL_EXPR_PARAM: {
        fl_vec *vec = NULL;
        fl_value null = {.type = e->type, .is_null = true};
        const fl_value *value = &null;
        if (e->kind == FL_EXPR_CONST)
            value = e->value;
        else if (e->param < c->program->session->n_params)
            value = &c->program->session->params[e->param];
        FL_TRY(FL_NEW(c->arena, &vec, err));
        FL_TRY(fl_value_to_vec(c->arena, value, vec, err));
        vec->type = e->type;
        fl_vec_set_bounds(vec, fl_bounds_of_values(value, value));
        node.constant = vec;
        break;
    }
    case FL_EXPR_SUBQUERY:
        return FL_FAIL(err, FL_ERR_INTERNAL, "a subquery was left in an expression");
    case FL_EXPR_IN:
        FL_TRY(fl_in_list_new(c->arena, e->args + 1, e->n_args - 1, &node.in_list, err));
        node.peel = peelable(c->program, e, args, n_args);
        break;
    case FL_EXPR_CALL:
        if (e->func->prepare != NULL)
            FL_TRY(prepare(c, &node, err));
        node.peel = peelable(c->program, e, args, n_args);
        node.peels_wanted = peels_wanted(e);
        break;
    case FL_EXPR_CAST:
        node.peel = peelable(c->program, e, args, n_args);
        break;
    default:
        break;
    }
    FL_TRY(fl_grow(c->memory, (void **)&c->program->nodes, &c->capacity, c->program->n_nodes + 1,
                   (int64_t)sizeof(prog_node), err));
    *ret = c->program->n_nodes++;
    c->program->nodes[*ret] = node;
    st = fl_index_map_add(&c->known, fl_index_map_key(e), *ret, err);
cleanup:
    return st;
}

fl_status fl_program_new(fl_arena *arena, const fl_plan *plan, const fl_session_state *session,
                         const fl_expr *const *exprs, int32_t n_exprs, const fl_col_id *cols, int32_t n_cols,
                         fl_program **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_program *program = NULL;
    int32_t *roots = NULL;
    prog_node *nodes = NULL;
    compiler c = {.arena = arena, .memory = arena->memory};
    fl_index_map_init(&c.known, arena);
    fl_index_map_init(&c.places, arena);
    for (int32_t i = 0; i < n_cols; i++)
        FL_TRY(fl_index_map_add(&c.places, (uint64_t)cols[i].n, i, err));
    FL_TRY(FL_NEW(arena, &program, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_exprs + 1, &roots, err));
    program->plan = plan;
    program->session = session;
    c.program = program;
    for (int32_t i = 0; i < n_exprs; i++)
        FL_TRY(compile(&c, exprs[i], &roots[i], err));
    program->roots = roots;
    program->n_roots = n_exprs;
    FL_TRY(FL_NEW_ARRAY(arena, program->n_nodes + 1, &nodes, err));
    if (program->n_nodes > 0)
        memcpy(nodes, program->nodes, (size_t)program->n_nodes * sizeof(*nodes));
    fl_free(program->nodes);
    program->nodes = nodes;
    *ret = program;
    return FL_OK;
cleanup:
    if (program != NULL)
        fl_free(program->nodes);
    return st;
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

fl_status fl_eval_new(const fl_program *program, fl_memory *memory, int32_t rows_max, fl_eval **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_eval *eval = NULL;
    FL_TRY(fl_alloc_zero(memory, (int64_t)sizeof(*eval), (void **)&eval, err));
    fl_arena_init(&eval->arena, memory);
    eval->program = program;
    eval->memory = memory;
    eval->rows_max = rows_max;
    eval->metrics = program->session->metrics;
    FL_TRY(FL_NEW_ARRAY(&eval->arena, program->n_nodes + 1, &eval->slots, err));
    for (int32_t i = 0; i < program->n_nodes; i++)
        fl_arena_init(&eval->slots[i].dict_arena, memory);
    *ret = eval;
    return FL_OK;
cleanup:
    fl_eval_free(eval);
    return st;
}

void fl_eval_free(fl_eval *eval)
{
    if (eval == NULL)
        return;
    fl_metrics_add(eval->metrics, FL_METRIC_EXPRESSION_EVALUATIONS, eval->counted_rows);
    for (int32_t i = 0; eval->slots != NULL && i < eval->program->n_nodes; i++) {
        const fl_expr *e = eval->program->nodes[i].expr;
        if (eval->slots[i].local != NULL)
            e->func->local_free(e->func, eval->slots[i].local);
        fl_arena_drop(&eval->slots[i].dict_arena);
    }
    fl_arena_drop(&eval->arena);
    fl_free(eval);
}

void fl_eval_begin(fl_eval *eval, const fl_batch *batch, fl_arena *heap)
{
    eval->batch = batch;
    eval->rows = batch->rows;
    eval->load = NULL;
    eval->heap = heap;
    eval->batch_no++;
}

void fl_eval_begin_lazy(fl_eval *eval, int32_t rows, fl_eval_load load, void *ctx, fl_arena *heap)
{
    eval->batch = NULL;
    eval->rows = rows;
    eval->load = load;
    eval->load_ctx = ctx;
    eval->heap = heap;
    eval->batch_no++;
}

static fl_status value_of(fl_eval *eval, int32_t n, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err);

/* How many rows to make room for: a query of a few rows, or a round of a recursion, needs no more. */
static int32_t room_of(const fl_eval *eval)
{
    int32_t room = 64;
    while (room < eval->rows)
        room *= 2;
    return room < eval->rows_max ? room : eval->rows_max;
}

/* Room for a node's results: bits for booleans, values of the type's width for others. Some expressions have tens of thousands
 * of nodes, so none takes more than it needs. */
static fl_status make_buffers(fl_eval *eval, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    slot *s = &eval->slots[n];
    fl_type type = eval->program->nodes[n].expr->type;
    if (s->room >= eval->rows && s->room > 0)
        return FL_OK;
    int32_t room = room_of(eval);
    int64_t words = fl_bitmap_words(room) + 1, width = fl_type_width(type);
    int64_t bytes = type.id == FL_BOOL ? words * 8 : (int64_t)room * (width > 0 ? width : 16);
    FL_TRY(fl_arena_get(&eval->arena, words * 8, (void **)&s->valid, err));
    FL_TRY(fl_arena_get(&eval->arena, words * 8, (void **)&s->mask, err));
    FL_TRY(fl_arena_get_zero(&eval->arena, bytes + 128, &s->data, err));
    s->room = room;
cleanup:
    return st;
}

/* out = a & b over words; NULL is all ones. Gives NULL when both are. */
static const uint64_t *and_masks(const uint64_t *a, const uint64_t *b, uint64_t *out, int32_t rows)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    for (int64_t w = 0; w < fl_bitmap_words(rows); w++)
        out[w] = a[w] & b[w];
    return out;
}

/* A boolean vector as bits and validity; constants are spread into the given words. */
typedef struct bool_bits {
    const uint64_t *bits;
    const uint64_t *valid;
} bool_bits;

static fl_status as_bits(fl_eval *eval, const fl_vec *vec, bool_bits *ret, fl_err *err)
{
    fl_vec flat;
    fl_status st = fl_vec_flatten(eval->heap, vec, eval->rows, &flat, err);
    if (st == FL_OK)
        *ret = (bool_bits){flat.data, flat.valid};
    return st;
}

/* Brings an argument to what the kernel takes. `arg_slot` is the argument node's own slot. */
static fl_status normalise(fl_eval *eval, slot *arg_slot, bool arg_is_constant, uint32_t traits, fl_vec *vec,
                           fl_err *err)
{
    if (vec->layout == FL_CONST && !(traits & FL_CONST_ARGS)) {
        if (!arg_is_constant)
            return fl_vec_flatten(eval->heap, vec, eval->rows, vec, err);
        if (arg_slot->expanded_rows == 0 || arg_slot->expanded_rows < eval->rows) {
            fl_status st = fl_vec_flatten(&eval->arena, vec, room_of(eval), &arg_slot->expanded, err);
            if (st != FL_OK)
                return st;
            arg_slot->expanded_rows = room_of(eval);
        }
        *vec = arg_slot->expanded;
        return FL_OK;
    }
    if (vec->layout == FL_DICT && !(traits & FL_DICT_ARGS))
        return fl_vec_flatten(eval->heap, vec, eval->rows, vec, err);
    if (vec->layout == FL_FLAT && fl_type_is_string(vec->type) && vec->form == FL_OFFSETS &&
        !(traits & FL_OFFSETS_ARGS))
        return fl_vec_flatten(eval->heap, vec, eval->rows, vec, err);
    return FL_OK;
}

static fl_status at_expr(fl_status st, const fl_expr *e, fl_err *err)
{
    if (st != FL_OK)
        fl_err_at(err, e->pos);
    return st;
}

static const fl_expr *first_column(const fl_expr *e)
{
    const fl_expr *found = e->kind == FL_EXPR_COLUMN ? e : NULL;
    for (int32_t i = 0; i < e->n_args && found == NULL && (e->flags & FL_EXPR_HAS_COLUMN); i++)
        found = first_column(e->args[i]);
    return found;
}

/* A value that does not fit says little where it is not a literal: its column, and the table or file of that, say more. */
static void name_column(const fl_plan *plan, const fl_expr *cast, fl_err *err)
{
    const fl_expr *column = first_column(cast);
    const fl_col_info *info = column == NULL ? NULL : fl_plan_col(plan, column->col);
    if (info == NULL || info->name.len == 0 || info->name.data[0] == '?') /* ?column? is no name */
        return;
    const char *what = column == cast ? "column" : "expression over column";
    if (info->table != NULL && info->table->name.len > 0)
        fl_err_prefix(err, "%s \"%.*s\" of \"%.*s\": ", what, FL_STR_ARG(info->name), FL_STR_ARG(info->table->name));
    else
        fl_err_prefix(err, "%s \"%.*s\": ", what, FL_STR_ARG(info->name));
}

/* Proves bounds of the results, where the function can say: from what is known of the arguments; where that does not do, from
 * a look at them. A column that was looked at is remembered for the batch: it stays as it is, other nodes may run again. */
static void prove_bounds(fl_eval *eval, const prog_node *node, const fl_vec *args, int32_t rows, fl_vec *ret)
{
    const fl_expr *e = node->expr;
    fl_bounds bounds[FL_FUNC_ARGS_MAX];
    bool is_cast = e->kind == FL_EXPR_CAST, is_call = e->kind == FL_EXPR_CALL && e->func->bounds != NULL;
    if ((!is_cast && !is_call) || node->n_args > FL_FUNC_ARGS_MAX || !fl_bounds_apply(e->type))
        return;
    for (int32_t i = 0; i < node->n_args; i++)
        bounds[i] = fl_vec_bounds(&args[i]);
    fl_bounds proved = fl_expr_bounds_step(e, bounds);
    if (!fl_bounds_fit(proved, e->type)) {
        for (int32_t i = 0; i < node->n_args; i++) {
            fl_vec seen = args[i];
            fl_vec_measure(&seen, rows);
            bounds[i] = fl_vec_bounds(&seen);
            slot *s = &eval->slots[node->args[i]];
            if (eval->program->nodes[node->args[i]].expr->kind == FL_EXPR_COLUMN && seen.has_bounds) {
                s->measured = eval->batch_no;
                s->bounds = bounds[i];
            }
        }
        proved = fl_expr_bounds_step(e, bounds);
    }
    if (fl_bounds_fit(proved, e->type))
        fl_vec_set_bounds(ret, proved);
}

/* What the function keeps for this worker, from its first call on. */
static fl_status make_local(fl_eval *eval, const prog_node *node, fl_call *call, fl_err *err)
{
    slot *s = &eval->slots[node - eval->program->nodes];
    if (call->func == NULL || call->func->local_new == NULL || s->local != NULL)
        return FL_OK;
    fl_status st = call->func->local_new(call, &s->local, err);
    call->local = s->local;
    return at_expr(st, node->expr, err);
}

/* Runs a call, cast or IN on normalised arguments of `rows` rows into the given buffers. */
static fl_status run_kernel(fl_eval *eval, const prog_node *node, const fl_vec *args, int32_t rows,
                            const uint64_t *mask, uint64_t *mask_buffer, void *data, uint64_t *valid, fl_arena *heap,
                            fl_vec *ret, fl_err *err)
{
    const fl_expr *e = node->expr;
    uint32_t traits = e->kind == FL_EXPR_CALL ? e->traits : FL_NULL_GIVES_NULL | FL_CAN_FAIL;
    const uint64_t *ret_valid = NULL, *fail_mask = mask;
    if (traits & FL_NULL_GIVES_NULL) {
        bool copied = false;
        for (int32_t i = 0; i < node->n_args; i++) {
            if (args[i].layout == FL_CONST) {
                if (args[i].valid != NULL && !fl_bit_get(args[i].valid, 0)) {
                    fl_vec_set_const(ret, e->type, NULL);
                    return FL_OK;
                }
                continue;
            }
            if (args[i].valid == NULL)
                continue;
            if (ret_valid == NULL) {
                ret_valid = args[i].valid;
            } else {
                for (int64_t w = 0; w < fl_bitmap_words(rows); w++)
                    valid[w] = ret_valid[w] & args[i].valid[w];
                ret_valid = valid;
                copied = true;
            }
        }
        if ((e->kind == FL_EXPR_CAST && e->is_try) && !copied) { /* the kernel writes nulls of its own */
            if (ret_valid == NULL)
                fl_bitmap_fill(valid, rows, true);
            else
                memcpy(valid, ret_valid, (size_t)fl_bitmap_words(rows) * 8);
            ret_valid = valid;
        }
        if ((traits & FL_CAN_FAIL) && ret_valid != NULL)
            fail_mask = and_masks(mask, ret_valid, mask_buffer, rows);
    } else if (traits & FL_SETS_VALID) {
        fl_bitmap_fill(valid, rows, true);
        ret_valid = valid;
    }
    fl_vec_set_flat(ret, e->type, data, ret_valid);
    if (e->kind == FL_EXPR_IN) {
        fl_in_list_run(node->in_list, &args[0], rows, data);
        return FL_OK;
    }
    prove_bounds(eval, node, args, rows, ret);
    fl_call call = {.rows = rows,
                    .n_args = node->n_args,
                    .args = args,
                    .ret = ret,
                    .mask = fail_mask,
                    .heap = heap,
                    .func = e->kind == FL_EXPR_CALL ? e->func : NULL,
                    .state = node->state,
                    .local = eval->slots[node - eval->program->nodes].local,
                    .memory = eval->memory,
                    .session = eval->program->session,
                    .work = fl_work_of(eval->memory)};
    fl_status st = make_local(eval, node, &call, err);
    if (st != FL_OK)
        return st;
    if (e->kind == FL_EXPR_CAST && e->is_compared)
        fl_cast_compared(&call);
    else
        st = e->kind == FL_EXPR_CAST ? fl_cast_run(&call, e->is_try, err) : e->run(&call, err);
    for (int32_t i = 0; i < node->n_args; i++)
        FL_ASSERT_NO_FAULT(fl_vec_fault(&args[i], mask, rows));
    FL_ASSERT_NO_FAULT(st == FL_OK ? fl_vec_fault(ret, fail_mask, rows) : NULL);
    if (e->kind == FL_EXPR_CAST && (st == FL_ERR_VALUE || st == FL_ERR_RANGE))
        name_column(eval->program->plan, e->args[0], err);
    return at_expr(st, e, err);
}

/* Notes which dictionary the argument has: what is known of another one is forgotten. */
static void meet_dict(slot *s, const fl_vec *arg)
{
    if (s->dict_id == arg->dict_id && arg->dict_id != 0)
        return;
    s->dict_id = arg->dict_id;
    s->has_dict = false;
    s->dict_seen = NULL;
    s->dict_rows = 0;
}

/* Room for the results of a dictionary of which none is there. */
static fl_status begin_dict(slot *s, fl_type type, int64_t values, fl_err *err)
{
    fl_status st = FL_OK;
    void *data = NULL;
    uint64_t *valid = NULL, *seen = NULL;
    int64_t words = fl_bitmap_words(values) + 1;
    fl_arena_reset(&s->dict_arena);
    FL_TRY(fl_arena_get_zero(&s->dict_arena, values * 16 + 128, &data, err));
    FL_TRY(fl_arena_get(&s->dict_arena, words * 8, (void **)&valid, err));
    FL_TRY(fl_arena_get_zero(&s->dict_arena, words * 8, (void **)&seen, err));
    FL_TRY(fl_arena_get_zero(&s->dict_arena, values + 16, (void **)&s->dict_bytes, err));
    fl_bitmap_fill(valid, values, true);
    fl_vec_set_flat(&s->dict, type, data, NULL);
    s->dict_valid = valid;
    s->dict_seen = seen;
    s->dict_out =
        fl_dict_id_new(); /* though no value may be asked for yet: readers keep results by it, for as many values */
cleanup:
    return st;
}

/* Puts results of the listed values, which lie side by side, to their values. */
static void put_in_dict(slot *s, const fl_vec *from, const uint32_t *values, int32_t count)
{
    int32_t width = fl_type_width(from->type);
    for (int32_t i = 0; i < count; i++) {
        bool is_valid = fl_is_valid(from->valid, i);
        uint32_t value = values[i];
        fl_bit_put(s->dict_valid, value, is_valid);
        if (!is_valid)
            s->dict.valid = s->dict_valid;
        if (from->type.id == FL_BOOL)
            s->dict_bytes[value] = is_valid ? fl_bit_get(from->data, i) : 2;
        else
            memcpy((char *)(uintptr_t)s->dict.data + (int64_t)value * width,
                   (const char *)from->data + (int64_t)i * width, (size_t)width);
    }
}

/* Makes the results for values of the dictionary that rows of the mask have, and that were not there yet, in the order in which the rows
 * have them: what fails, fails for the row for which it would have. */
static fl_status peel_wanted(fl_eval *eval, int32_t n, const fl_vec *args, const uint64_t *mask, bool *ret_peeled,
                             fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    const fl_vec *arg = &args[node->peel];
    const uint32_t *codes = arg->data;
    fl_vec *vecs = NULL, ret;
    void *data = NULL;
    uint32_t *values = NULL;
    uint64_t *valid = NULL, *unused = NULL;
    int32_t count = 0;
    meet_dict(s, arg);
    s->dict_rows += eval->rows;
    *ret_peeled = arg->dict_id != 0 && arg->child_rows <= 2 * s->dict_rows; /* else it is not worth it (yet) */
    if (!*ret_peeled)
        return FL_OK;
    if (s->dict_seen == NULL)
        FL_TRY(begin_dict(s, node->expr->type, arg->child_rows, err));
    FL_TRY(FL_NEW_ARRAY(eval->heap, eval->rows, &values, err));
    for (int32_t row = 0; row < eval->rows; row++)
        if (!fl_bit_get(s->dict_seen, codes[row]) && fl_is_valid(mask, row) && fl_is_valid(arg->valid, row)) {
            fl_bit_set(s->dict_seen, codes[row]);
            values[count++] = codes[row];
        }
    if (count == 0)
        return FL_OK;
    int64_t words = fl_bitmap_words(count) + 1;
    fl_vec wanted = *arg;
    wanted.data = values;
    wanted.valid = NULL;
    FL_TRY(FL_NEW_ARRAY(eval->heap, node->n_args + 1, &vecs, err));
    FL_TRY(fl_arena_get_zero(eval->heap, (int64_t)count * 16 + 128, &data, err));
    FL_TRY(fl_arena_get(eval->heap, words * 8, (void **)&valid, err));
    FL_TRY(fl_arena_get(eval->heap, words * 8, (void **)&unused, err));
    for (int32_t i = 0; i < node->n_args; i++)
        if (i != node->peel && (node->expr->traits & FL_CONST_ARGS))
            vecs[i] = args[i];
        else
            FL_TRY(fl_vec_flatten(&s->dict_arena, i == node->peel ? &wanted : &args[i], count, &vecs[i], err));
    FL_TRY(run_kernel(eval, node, vecs, count, NULL, unused, data, valid, &s->dict_arena, &ret, err));
    FL_TRY(fl_vec_flatten(&s->dict_arena, &ret, count, &ret, err));
    put_in_dict(s, &ret, values, count);
    s->dict_out = fl_dict_id_new();
cleanup:
    if (st != FL_OK)
        s->dict_id = 0; /* values are noted that have no results */
    return st;
}

/* Makes (or finds) the results for every value of the dictionary. */
static fl_status peel_dict(fl_eval *eval, int32_t n, const fl_vec *args, bool *ret_peeled, fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    const fl_vec *arg = &args[node->peel];
    int64_t values = arg->child_rows;
    *ret_peeled = false;
    meet_dict(s, arg);
    if (s->has_dict) {
        *ret_peeled = true;
        return FL_OK;
    }
    s->dict_rows += eval->rows;
    if (arg->dict_id == 0 || values > 2 * s->dict_rows) /* not worth it (yet) */
        return FL_OK;
    fl_arena_reset(&s->dict_arena);
    fl_vec *vecs = NULL;
    void *data = NULL;
    uint64_t *valid = NULL, *mask = NULL;
    int64_t words = fl_bitmap_words(values) + 1;
    FL_TRY(FL_NEW_ARRAY(&s->dict_arena, node->n_args + 1, &vecs, err));
    FL_TRY(fl_arena_get_zero(&s->dict_arena, values * 16 + 128, &data, err));
    FL_TRY(fl_arena_get(&s->dict_arena, words * 8, (void **)&valid, err));
    FL_TRY(fl_arena_get(&s->dict_arena, words * 8, (void **)&mask, err));
    uint32_t traits = node->expr->kind == FL_EXPR_CALL ? node->expr->traits : 0;
    for (int32_t i = 0; i < node->n_args; i++) {
        vecs[i] = i == node->peel ? *arg->child : args[i];
        if ((vecs[i].layout == FL_CONST && !(traits & FL_CONST_ARGS)) ||
            (i == node->peel && vecs[i].form == FL_OFFSETS && !(traits & FL_OFFSETS_ARGS)))
            FL_TRY(fl_vec_flatten(&s->dict_arena, &vecs[i], values, &vecs[i], err));
    }
    FL_TRY(run_kernel(eval, node, vecs, (int32_t)values, NULL, mask, data, valid, &s->dict_arena, &s->dict, err));
    if (node->expr->type.id == FL_BOOL) {
        fl_vec flat;
        FL_TRY(fl_vec_flatten(&s->dict_arena, &s->dict, values, &flat, err));
        FL_TRY(fl_arena_get(&s->dict_arena, values + 16, (void **)&s->dict_bytes, err));
        for (int64_t i = 0; i < values; i++)
            s->dict_bytes[i] = fl_is_valid(flat.valid, i) ? fl_bit_get(flat.data, i) : 2;
    } else if (s->dict.layout == FL_CONST) {
        FL_TRY(fl_vec_flatten(&s->dict_arena, &s->dict, values, &s->dict, err));
    }
    s->dict_out = fl_dict_id_new();
    s->has_dict = true;
    *ret_peeled = true;
cleanup:
    return st;
}

/* Rows' results from the dictionary's. */
static fl_status apply_dict(fl_eval *eval, int32_t n, const fl_vec *arg, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    slot *s = &eval->slots[n];
    const uint32_t *codes = arg->data;
    fl_type type = eval->program->nodes[n].expr->type;
    int32_t rows = eval->rows;
    FL_TRY(make_buffers(eval, n, err));
    if (type.id == FL_BOOL) {
        uint64_t *bits = s->data;
        const uint8_t *bytes = s->dict_bytes;
        bool nulls = s->dict.valid != NULL || s->dict.layout == FL_CONST;
        for (int32_t w = 0; w * 64 < rows; w++) {
            uint64_t word = 0, ok = 0;
            int32_t count = rows - w * 64 < 64 ? rows - w * 64 : 64;
            for (int32_t i = 0; i < count; i++) {
                uint8_t b = bytes[codes[w * 64 + i]];
                word |= (uint64_t)(b & 1) << i;
                ok |= (uint64_t)(b < 2) << i;
            }
            bits[w] = word;
            if (nulls)
                s->valid[w] = ok & (arg->valid == NULL ? ~0ull : arg->valid[w]);
        }
        fl_vec_set_flat(ret, type, bits, nulls ? s->valid : arg->valid);
        return FL_OK;
    }
    const uint64_t *valid = arg->valid;
    if (s->dict.valid != NULL) {
        for (int32_t i = 0; i < rows; i++)
            fl_bit_put(s->valid, i, fl_bit_get(s->dict.valid, codes[i]) && fl_is_valid(arg->valid, i));
        valid = s->valid;
    }
    if (fl_type_is_string(type)) { /* nulls are the rows' */
        s->dict_values = s->dict;
        s->dict_values.valid = NULL;
        *ret = *arg;
        ret->type = type;
        ret->child = &s->dict_values;
        ret->dict_id = s->dict_out;
        ret->is_sorted_dict = false;
        ret->valid = valid;
        return FL_OK;
    }
    fl_vec dict = *arg;
    dict.type = type;
    dict.child = &s->dict;
    dict.valid = valid;
    st = fl_vec_flatten(eval->heap, &dict, rows, ret, err);
cleanup:
    return st;
}

static fl_status eval_call(fl_eval *eval, int32_t n, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    fl_vec local[FL_FUNC_ARGS_MAX], *args = local;
    uint32_t traits = node->expr->kind == FL_EXPR_CALL ? node->expr->traits : 0;
    bool all_const = true;
    if (node->n_args > FL_FUNC_ARGS_MAX)
        FL_TRY(FL_NEW_ARRAY(eval->heap, node->n_args, &args, err));
    for (int32_t i = 0; i < node->n_args; i++) {
        FL_TRY(value_of(eval, node->args[i], mask, is_base, &args[i], err));
        all_const &= args[i].layout == FL_CONST;
    }
    /* null rows are in no dictionary: they stay null, or the call is made row by row */
    if (node->peel >= 0 && args[node->peel].layout == FL_DICT &&
        (args[node->peel].valid == NULL || gives_null(node->expr))) {
        bool peeled = false;
        FL_TRY(node->peels_wanted ? peel_wanted(eval, n, args, mask, &peeled, err)
                                  : peel_dict(eval, n, args, &peeled, err));
        if (peeled)
            return apply_dict(eval, n, &args[node->peel], ret, err);
    }
    FL_TRY(make_buffers(eval, n, err));
    if (all_const && (node->expr->kind != FL_EXPR_CALL || (traits & FL_PURE))) { /* one row stands for all */
        uint64_t one = mask == NULL || !fl_bitmap_is_empty(mask, eval->rows);
        fl_vec flat;
        if (!one && (node->expr->flags & FL_EXPR_CAN_FAIL)) {
            fl_vec_set_const(ret, node->expr->type, NULL);
            return FL_OK;
        }
        for (int32_t i = 0; i < node->n_args; i++)
            if (!(traits & FL_CONST_ARGS))
                FL_TRY(fl_vec_flatten(eval->heap, &args[i], 1, &args[i], err));
        FL_TRY(run_kernel(eval, node, args, 1, NULL, s->mask, s->data, s->valid, eval->heap, &flat, err));
        *ret = flat;
        if (flat.layout == FL_FLAT) {
            ret->layout = FL_CONST;
            if (flat.type.id == FL_BOOL) { /* constants hold a byte */
                uint8_t on = fl_bit_get(flat.data, 0);
                *(uint8_t *)s->data = on;
            }
        }
        return FL_OK;
    }
    for (int32_t i = 0; i < node->n_args; i++) {
        int32_t a = node->args[i];
        FL_TRY(normalise(eval, &eval->slots[a], is_constant(&eval->program->nodes[a]), traits, &args[i], err));
    }
    st = run_kernel(eval, node, args, eval->rows, mask, s->mask, s->data, s->valid, eval->heap, ret, err);
cleanup:
    return st;
}

/* AND and OR in three-valued logic. `decided` collects rows that are false (AND) or true (OR): later arguments are not
 * evaluated for them. */
static fl_status eval_junction(fl_eval *eval, int32_t n, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    bool is_and = node->expr->kind == FL_EXPR_AND;
    int32_t rows = eval->rows;
    int64_t words = fl_bitmap_words(rows);
    uint64_t *live = NULL, *unknown = NULL;
    FL_TRY(make_buffers(eval, n, err));
    FL_TRY(fl_arena_get(eval->heap, words * 8, (void **)&live, err));
    FL_TRY(fl_arena_get_zero(eval->heap, words * 8, (void **)&unknown, err));
    uint64_t *bits = s->data; /* AND: not false so far; OR: true so far */
    fl_bitmap_fill(bits, rows, is_and);
    for (int64_t w = 0; w < words; w++)
        live[w] = mask == NULL ? ~0ull : mask[w];
    live[words - 1] &= fl_bitmap_tail(rows);
    bool any_unknown = false;
    for (int32_t i = 0; i < node->n_args; i++) {
        fl_vec arg;
        bool_bits b;
        bool all_live = i == 0;
        FL_TRY(value_of(eval, node->args[i], all_live ? mask : live, is_base && all_live, &arg, err));
        FL_TRY(as_bits(eval, &arg, &b, err));
        uint64_t left = 0;
        for (int64_t w = 0; w < words; w++) {
            uint64_t valid = b.valid == NULL ? ~0ull : b.valid[w];
            uint64_t hit = (is_and ? ~b.bits[w] : b.bits[w]) & valid & live[w];
            unknown[w] |= ~valid & live[w];
            bits[w] = is_and ? bits[w] & ~hit : bits[w] | hit;
            live[w] &= ~hit;
            left |= live[w];
        }
        any_unknown |= b.valid != NULL;
        if (left == 0)
            break;
    }
    if (any_unknown) {
        for (int64_t w = 0; w < words; w++) /* a decided row is not unknown any more */
            s->valid[w] = ~(unknown[w] & live[w]);
        fl_vec_set_flat(ret, node->expr->type, bits, s->valid);
    } else {
        fl_vec_set_flat(ret, node->expr->type, bits, NULL);
    }
cleanup:
    return st;
}

static void blend(void *to, const fl_vec *from, int32_t width, bool is_bits, const uint64_t *take, int32_t rows)
{
    for (int32_t w = 0; w * 64 < rows; w++) {
        uint64_t word = take[w];
        if (w == fl_bitmap_words(rows) - 1)
            word &= fl_bitmap_tail(rows);
        if (is_bits) {
            uint64_t *out = to;
            const uint64_t *in = from->data;
            out[w] = (out[w] & ~word) | (in[w] & word);
            continue;
        }
        while (word != 0) {
            int32_t row = w * 64 + __builtin_ctzll(word);
            word &= word - 1;
            int64_t src = from->layout == FL_CONST ? 0 : row;
            switch (width) {
            case 1:
                ((uint8_t *)to)[row] = ((const uint8_t *)from->data)[src];
                break;
            case 2:
                ((uint16_t *)to)[row] = ((const uint16_t *)from->data)[src];
                break;
            case 4:
                ((uint32_t *)to)[row] = ((const uint32_t *)from->data)[src];
                break;
            case 8:
                ((uint64_t *)to)[row] = ((const uint64_t *)from->data)[src];
                break;
            default:
                ((fl_i128 *)to)[row] = ((const fl_i128 *)from->data)[src];
                break;
            }
        }
    }
}

static fl_status eval_case(fl_eval *eval, int32_t n, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    int32_t rows = eval->rows;
    int64_t words = fl_bitmap_words(rows);
    fl_type type = node->expr->type;
    uint64_t *live = NULL, *take = NULL;
    bool nested = fl_type_is_nested(type); /* goes value by value: their vectors cannot be blended in place */
    const fl_value **values = NULL;
    if (nested)
        FL_TRY(FL_NEW_ARRAY(eval->heap, rows, &values, err));
    FL_TRY(make_buffers(eval, n, err));
    FL_TRY(fl_arena_get(eval->heap, words * 8, (void **)&live, err));
    FL_TRY(fl_arena_get(eval->heap, words * 8, (void **)&take, err));
    for (int64_t w = 0; w < words; w++)
        live[w] = mask == NULL ? ~0ull : mask[w];
    live[words - 1] &= fl_bitmap_tail(rows);
    fl_bitmap_fill(s->valid, rows, true);
    bool has_null = false, is_bounded = false;
    fl_bounds bounds = {0}; /* of all branches taken so far */
    for (int32_t i = 0; i < node->n_args; i += 2) {
        bool is_else = i == node->n_args - 1;
        fl_vec value;
        if (is_else) {
            memcpy(take, live, (size_t)words * 8);
        } else {
            fl_vec when;
            bool_bits b;
            FL_TRY(value_of(eval, node->args[i], live, false, &when, err));
            FL_TRY(as_bits(eval, &when, &b, err));
            for (int64_t w = 0; w < words; w++) {
                take[w] = b.bits[w] & (b.valid == NULL ? ~0ull : b.valid[w]) & live[w];
                live[w] &= ~take[w];
            }
        }
        if (fl_bitmap_is_empty(take, rows))
            continue;
        FL_TRY(value_of(eval, node->args[is_else ? i : i + 1], take, false, &value, err));
        for (int32_t row = 0; nested && row < rows; row++) {
            fl_value *one = NULL;
            if (!fl_bit_get(take, row))
                continue;
            FL_TRY(FL_NEW(eval->heap, &one, err));
            FL_TRY(fl_value_from_vec(eval->heap, &value, row, one, err));
            values[row] = one;
        }
        if (nested)
            continue;
        if (value.layout == FL_CONST && value.valid != NULL && !fl_bit_get(value.valid, 0)) {
            has_null = true;
            for (int64_t w = 0; w < words; w++)
                s->valid[w] &= ~take[w];
            if (fl_type_is_string(type)) {
                fl_i128 none = 0; /* an empty text, as blend reads it */
                fl_vec empty = value;
                empty.data = &none;
                blend(s->data, &empty, 16, false, take, rows);
            }
            continue;
        }
        fl_bounds branch = value.has_bounds ? fl_vec_bounds(&value) : (fl_bounds){0};
        bounds = is_bounded ? fl_bounds_hull(bounds, branch) : branch;
        is_bounded = true;
        bool is_plain_const = value.layout == FL_CONST && type.id != FL_BOOL && value.width == fl_type_width(type);
        if (!is_plain_const)
            FL_TRY(fl_vec_flatten(eval->heap, &value, rows, &value, err));
        if (value.layout == FL_FLAT && value.valid != NULL) {
            has_null = true;
            for (int64_t w = 0; w < words; w++)
                s->valid[w] = (s->valid[w] & ~take[w]) | (value.valid[w] & take[w]);
        }
        blend(s->data, &value, fl_type_width(type), type.id == FL_BOOL, take, rows);
    }
    if (nested)
        return fl_vec_from_values(eval->heap, type, values, rows, ret, err);
    if (fl_type_is_string(type)) { /* rows outside the mask must be safe to read */
        fl_view *views = s->data;
        for (int32_t row = 0; mask != NULL && row < rows; row++)
            if (!fl_bit_get(mask, row))
                views[row] = (fl_view){0};
    }
    fl_vec_set_flat(ret, type, s->data, has_null ? s->valid : NULL);
    fl_vec_set_bounds(ret, bounds);
cleanup:
    return st;
}

static fl_status eval_not(fl_eval *eval, int32_t n, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    fl_vec arg;
    bool_bits b;
    FL_TRY(make_buffers(eval, n, err));
    FL_TRY(value_of(eval, node->args[0], mask, is_base, &arg, err));
    FL_TRY(as_bits(eval, &arg, &b, err));
    for (int64_t w = 0; w < fl_bitmap_words(eval->rows); w++)
        ((uint64_t *)s->data)[w] = ~b.bits[w];
    fl_vec_set_flat(ret, node->expr->type, s->data, b.valid);
cleanup:
    return st;
}

static fl_status eval_is_null(fl_eval *eval, int32_t n, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    fl_vec arg;
    FL_TRY(make_buffers(eval, n, err));
    FL_TRY(value_of(eval, node->args[0], mask, is_base, &arg, err));
    uint64_t *bits = s->data;
    if (arg.layout == FL_CONST || arg.valid == NULL) {
        bool is_null = arg.layout == FL_CONST && arg.valid != NULL && !fl_bit_get(arg.valid, 0);
        fl_bitmap_fill(bits, eval->rows, is_null || arg.type.id == FL_NULL);
    } else {
        for (int64_t w = 0; w < fl_bitmap_words(eval->rows); w++)
            bits[w] = ~arg.valid[w];
    }
    fl_vec_set_flat(ret, node->expr->type, bits, NULL);
cleanup:
    return st;
}

static fl_status eval_field(fl_eval *eval, int32_t n, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    fl_vec arg;
    FL_TRY(make_buffers(eval, n, err));
    FL_TRY(value_of(eval, node->args[0], mask, is_base, &arg, err));
    if (arg.layout == FL_CONST && arg.valid != NULL && !fl_bit_get(arg.valid, 0)) {
        fl_vec_set_const(ret, node->expr->type, NULL);
        return FL_OK;
    }
    if (arg.layout == FL_CONST) { /* its fields have one row */
        *ret = arg.child[node->expr->param];
        ret->layout = FL_CONST;
        return FL_OK;
    }
    if (arg.layout != FL_FLAT)
        FL_TRY(fl_vec_flatten(eval->heap, &arg, eval->rows, &arg, err));
    fl_vec field = arg.child[node->expr->param];
    if (field.layout == FL_CONST)
        FL_TRY(fl_vec_flatten(eval->heap, &field, eval->rows, &field, err));
    field.valid = and_masks(field.valid, arg.valid, s->valid, eval->rows);
    *ret = field;
cleanup:
    return st;
}

static fl_status eval_struct(fl_eval *eval, int32_t n, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const prog_node *node = &eval->program->nodes[n];
    fl_vec *fields = NULL;
    FL_TRY(FL_NEW_ARRAY(eval->heap, node->n_args + 1, &fields, err));
    for (int32_t i = 0; i < node->n_args; i++) {
        fl_vec field;
        FL_TRY(value_of(eval, node->args[i], mask, is_base, &field, err));
        FL_TRY(fl_vec_flatten(eval->heap, &field, eval->rows, &fields[i], err));
        fields[i].type = node->expr->type.fields[i].type;
    }
    *ret = (fl_vec){.type = node->expr->type, .layout = FL_FLAT, .child = fields, .child_rows = eval->rows};
cleanup:
    return st;
}

/* Loads it once for all rows that the value is asked for: other parts need other rows. */
static fl_status load_column(fl_eval *eval, int32_t col, fl_vec *ret, fl_err *err)
{
    if (!eval->is_measured)
        return eval->load(eval->load_ctx, col, eval->asked, ret, err);
    const fl_system *system = fl_memory_system(eval->memory);
    int64_t began_ns = fl_clock_ns(system);
    fl_status st = eval->load(eval->load_ctx, col, eval->asked, ret, err);
    eval->loading_ns += fl_clock_ns(system) - began_ns;
    return st;
}

static fl_status value_of(fl_eval *eval, int32_t n, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err)
{
    const prog_node *node = &eval->program->nodes[n];
    slot *s = &eval->slots[n];
    fl_status st = FL_OK;
    if (node->constant != NULL) {
        *ret = *node->constant;
        return FL_OK;
    }
    if (node->expr->kind == FL_EXPR_COLUMN) {
        if (eval->load == NULL)
            *ret = eval->batch->vec[node->col];
        else
            st = load_column(eval, node->col, ret, err);
        if (st == FL_OK && s->measured == eval->batch_no)
            fl_vec_set_bounds(ret, s->bounds);
        return st;
    }
    if (s->batch == eval->batch_no) {
        *ret = s->vec;
        return FL_OK;
    }
    switch (node->expr->kind) {
    case FL_EXPR_AND:
    case FL_EXPR_OR:
        st = eval_junction(eval, n, mask, is_base, ret, err);
        break;
    case FL_EXPR_NOT:
        st = eval_not(eval, n, mask, is_base, ret, err);
        break;
    case FL_EXPR_IS_NULL:
        st = eval_is_null(eval, n, mask, is_base, ret, err);
        break;
    case FL_EXPR_CASE:
        st = eval_case(eval, n, mask, ret, err);
        break;
    case FL_EXPR_FIELD:
        st = eval_field(eval, n, mask, is_base, ret, err);
        break;
    case FL_EXPR_STRUCT:
        st = eval_struct(eval, n, mask, is_base, ret, err);
        break;
    default:
        st = eval_call(eval, n, mask, is_base, ret, err);
    }
    if (st == FL_OK && is_base) { /* later uses in this batch look at the same rows or fewer */
        s->vec = *ret;
        s->batch = eval->batch_no;
    }
    return st;
}

/* Whether what came of an evaluation is the expression's own fault. */
static bool is_fault(fl_status st)
{
    return st != FL_OK && st != FL_ERR_MEMORY && !fl_interrupt_is_cause(st);
}

/* The value of expression i, which is counted unless it is there already. The clock is looked at in one batch of some. */
static fl_status root_of(fl_eval *eval, int32_t i, const uint64_t *mask, bool is_base, fl_vec *ret, fl_err *err)
{
    int32_t n = eval->program->roots[i];
    const prog_node *node = &eval->program->nodes[n];
    const fl_system *system = fl_memory_system(eval->memory);
    eval->asked = mask;
    if (eval->metrics == NULL || is_constant(node) || node->expr->kind == FL_EXPR_COLUMN ||
        eval->slots[n].batch == eval->batch_no)
        return value_of(eval, n, mask, is_base, ret, err);
    eval->counted_rows += eval->rows;
    eval->is_measured = eval->batch_no % FL_METRICS_EVERY == 1;
    eval->loading_ns = 0;
    int64_t began_ns = eval->is_measured ? fl_clock_ns(system) : 0;
    fl_status st = value_of(eval, n, mask, is_base, ret, err);
    if (eval->is_measured) {
        fl_metrics_observe(eval->metrics, FL_METRIC_EXPRESSION_EVALUATION_DURATION,
                           fl_clock_ns(system) - began_ns - eval->loading_ns);
        fl_metrics_add(eval->metrics, FL_METRIC_EXPRESSION_EVALUATIONS, eval->counted_rows);
        eval->counted_rows = 0;
        eval->is_measured = false;
    }
    if (is_fault(st))
        fl_metrics_add(eval->metrics, FL_METRIC_EXPRESSION_ERRORS, 1);
    return st;
}

fl_status fl_eval_value(fl_eval *eval, int32_t i, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    return root_of(eval, i, mask, true, ret, err);
}

fl_status fl_eval_value_apart(fl_eval *eval, int32_t i, const uint64_t *mask, fl_vec *ret, fl_err *err)
{
    return root_of(eval, i, mask, false, ret, err);
}

fl_status fl_eval_filter(fl_eval *eval, int32_t i, uint64_t *mask, int32_t *ret_kept, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec vec;
    int32_t kept = 0, rows = eval->rows;
    int64_t words = fl_bitmap_words(rows);
    FL_TRY(root_of(eval, i, mask, true, &vec, err));
    if (vec.layout == FL_CONST) {
        bool on = (vec.valid == NULL || fl_bit_get(vec.valid, 0)) && *(const uint8_t *)vec.data != 0;
        if (!on)
            memset(mask, 0, (size_t)words * 8);
    } else {
        if (vec.layout == FL_DICT)
            FL_TRY(fl_vec_flatten(eval->heap, &vec, rows, &vec, err));
        const uint64_t *bits = vec.data;
        for (int64_t w = 0; w < words; w++)
            mask[w] &= bits[w] & (vec.valid == NULL ? ~0ull : vec.valid[w]);
    }
    for (int64_t w = 0; w < words; w++)
        kept += __builtin_popcountll(mask[w]);
    *ret_kept = kept;
cleanup:
    return st;
}

fl_status fl_eval_once(fl_arena *arena, const fl_plan *plan, const fl_session_state *session, const fl_expr *expr,
                       fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_program *program = NULL;
    fl_eval *eval = NULL;
    fl_vec vec;
    fl_batch batch = {.rows = 1, .kept = 1};
    fl_value value;
    FL_TRY(fl_program_new(arena, plan, session, &expr, 1, NULL, 0, &program, err));
    FL_TRY(fl_eval_new(program, arena->memory, 1, &eval, err));
    fl_eval_begin(eval, &batch, arena);
    FL_TRY(fl_eval_value(eval, 0, NULL, &vec, err));
    FL_TRY(fl_value_from_vec(arena, &vec, 0, &value, err));
    FL_TRY(fl_value_copy(arena, &value, ret, err));
cleanup:
    fl_eval_free(eval);
    return st;
}

fl_status fl_eval_folded(fl_arena *arena, const fl_plan *plan, const fl_session_state *session, const fl_expr *expr,
                         fl_value *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_interrupt *statements = arena->memory != NULL ? arena->memory->interrupt : NULL, brief = {0};
    fl_memory memory;
    fl_arena scratch;
    fl_value value;
    fl_memory_init(&memory, arena->memory, "memory of a constant", 0);
    if (statements != NULL)
        fl_interrupt_begin_below(&brief, statements);
    int64_t deadline_ns = fl_clock_ns(memory.system) + FL_FOLD_MS_MAX * 1000000ll;
    int64_t given_ns = atomic_load(&brief.deadline_ns);
    atomic_store(&brief.deadline_ns, given_ns != 0 && given_ns < deadline_ns ? given_ns : deadline_ns);
    memory.interrupt = &brief;
    fl_arena_init(&scratch, &memory);
    FL_TRY(fl_eval_once(&scratch, plan, session, expr, &value, err));
    st = fl_value_copy(arena, &value, ret, err);
cleanup:
    fl_arena_drop(&scratch);
    return st;
}
