/* Running aggregates over lists (aggregate.h). */
#include "func/list/aggregate.h"

#include "func/list/list.h"
#include "plan/expr.h"
#include "plan/registry.h"

#include <stdio.h>

#define CHUNK_ROWS 2048 /* elements that are fed at once; row numbers have 16 bits */

static const fl_agg_desc *aggregate_of(const fl_func_desc *func)
{
    const fl_list_aggregate *of = func->ctx;
    for (int32_t i = 0; i < of->set->n_aggs; i++)
        if (strcmp(of->set->aggs[i].name, of->name) == 0)
            return &of->set->aggs[i];
    FL_ASSERT(false);
    return NULL;
}

/* What the aggregate chooses for lists of such elements and the other arguments. */
static fl_status choose(const fl_func_desc *func, const fl_type *args, int32_t n_args, fl_arena *arena,
                        fl_agg_choice *ret, fl_err *err)
{
    fl_type types[FL_AGG_ARGS_MAX];
    const fl_agg_desc *agg = aggregate_of(func);
    if (n_args < 1 || n_args > FL_AGG_ARGS_MAX || (!fl_list_is(args[0]) && args[0].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list was expected");
    for (int32_t i = 0; i < n_args; i++)
        types[i] = i > 0 ? args[i] : fl_list_is(args[0]) ? args[0].fields[0].type : FL_TYPE(FL_NULL);
    *ret = (fl_agg_choice){.agg = agg, .arena = arena};
    const fl_type *seen = types;
    fl_status st = agg->takes_any_type ? FL_OK : fl_types_plain(arena, types, n_args, agg->name, &seen, err);
    if (st == FL_OK)
        st = agg->resolve(seen, n_args, ret, err);
    if (ret->agg == NULL) /* resolvers write all of it */
        ret->agg = agg;
    return st;
}

/* ---- running ------------------------------------------------------------------------------------------------------- */

/* Elements that wait to be fed: of which list's row each is, and where in the child. */
typedef struct chunk {
    int32_t rows[CHUNK_ROWS]; /* of the child */
    int32_t of[CHUNK_ROWS];   /* the batch's row: its state and its other arguments */
    uint8_t *states[CHUNK_ROWS];
    uint16_t list[CHUNK_ROWS];
    int32_t n;
} chunk;

static fl_status feed(fl_call *call, fl_agg_call *agg, const fl_agg_kernel *kernel, chunk *c, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec *args = NULL;
    if (c->n == 0)
        return FL_OK;
    FL_TRY(FL_NEW_ARRAY(call->heap, agg->n_args + 1, &args, err));
    for (int32_t a = 0; a < agg->n_args; a++) {
        fl_vec picked;
        FL_TRY(fl_vec_gather32(call->heap, a == 0 ? call->args[0].child : &call->args[a], a == 0 ? c->rows : c->of,
                               c->n, &picked, err));
        FL_TRY(fl_vec_flatten(call->heap, &picked, c->n, &args[a], err));
    }
    agg->args = args;
    FL_TRY(kernel->update_groups(agg, c->states, 0, c->list, c->n, err));
    FL_TRY(fl_call_work(call, 16 * (int64_t)c->n, err));
    c->n = 0;
cleanup:
    return st;
}

/* A list's elements in the order in which the aggregate wants them. */
static fl_status order_of(fl_call *call, bool is_sorted, int32_t row, int32_t **ret, int32_t *ret_n, fl_err *err)
{
    fl_status st = FL_OK;
    fl_list_entry entry = fl_list_entry_of(&call->args[0], row);
    int32_t *spare = NULL;
    fl_value *values = NULL;
    *ret_n = entry.len;
    FL_TRY(FL_NEW_ARRAY(call->heap, entry.len + 1, ret, err));
    for (int32_t i = 0; i < entry.len; i++)
        (*ret)[i] = i;
    if (is_sorted) {
        FL_TRY(FL_NEW_ARRAY(call->heap, entry.len + 1, &spare, err));
        FL_TRY(fl_list_read(call, &call->args[0], row, &values, ret_n, err));
        FL_TRY(fl_list_sort(call, values, entry.len, false, false, *ret, spare, err));
    }
    for (int32_t i = 0; i < entry.len; i++)
        (*ret)[i] += entry.start;
cleanup:
    return st;
}

static fl_status feed_all(fl_call *call, fl_agg_call *agg, const fl_agg_kernel *kernel, uint8_t **states, fl_err *err)
{
    fl_status st = FL_OK;
    chunk *c = NULL;
    FL_TRY(FL_NEW(call->heap, &c, err));
    for (int32_t i = 0; i < CHUNK_ROWS; i++)
        c->list[i] = (uint16_t)i;
    for (int32_t row = 0; row < call->rows; row++) {
        int32_t *order = NULL, n;
        if (!fl_call_wants(call, row) || !fl_vec_is_valid(&call->args[0], row))
            continue;
        FL_TRY(order_of(call, agg->agg->is_sorted, row, &order, &n, err));
        for (int32_t i = 0; i < n; i++) {
            c->rows[c->n] = order[i];
            c->of[c->n] = row;
            c->states[c->n++] = states[row];
            if (c->n == CHUNK_ROWS)
                FL_TRY(feed(call, agg, kernel, c, err));
        }
    }
    st = feed(call, agg, kernel, c, err);
cleanup:
    return st;
}

/* What finish writes, in the place where the evaluator looks for it. */
static fl_status finish(fl_call *call, fl_agg_call *agg, const fl_agg_kernel *kernel, uint8_t **states, fl_err *err)
{
    fl_status st = FL_OK;
    fl_vec made = *call->ret;
    int64_t bytes = (int64_t)call->rows * fl_type_width(call->ret->type);
    if (bytes > 0) /* rows without a result are left out, and may hold the batch's before it */
        memset((void *)(uintptr_t)call->ret->data, 0, (size_t)bytes);
    FL_TRY(kernel->finish(agg, states, 0, call->rows, &made, err));
    FL_ASSERT(made.valid == call->ret->valid);
    if (made.type.id == FL_BOOL && made.data != call->ret->data)
        memcpy((void *)(uintptr_t)call->ret->data, made.data, (size_t)fl_bitmap_words(call->rows) * 8);
    else
        *call->ret = made;
    for (int32_t row = 0; row < call->rows; row++)
        if (!fl_vec_is_valid(&call->args[0], row))
            fl_bit_clear(fl_call_valid(call), row);
cleanup:
    return st;
}

static fl_status run(fl_call *call, fl_err *err)
{
    fl_status st = FL_OK;
    fl_type types[FL_AGG_ARGS_MAX];
    fl_agg_choice choice;
    uint8_t *memory = NULL, **states = NULL;
    for (int32_t a = 0; a < call->n_args; a++)
        types[a] = call->args[a].type;
    FL_TRY(choose(call->func, types, call->n_args, call->heap, &choice, err));
    FL_ASSERT(fl_type_is_equal(choice.ret, call->ret->type));
    const fl_agg_kernel *kernel = choice.kernel;
    fl_agg_call agg = {.n_args = choice.n_args,
                       .heap = call->heap,
                       .agg = choice.agg,
                       .arg_types = choice.args,
                       .ret_type = choice.ret};
    FL_TRY(FL_NEW_ARRAY(call->heap, call->rows + 1, &states, err));
    FL_TRY(FL_NEW_ARRAY(call->heap, (int64_t)call->rows * kernel->state_bytes + 8, &memory, err));
    for (int32_t row = 0; row < call->rows; row++)
        states[row] = memory + (int64_t)row * kernel->state_bytes;
    FL_TRY(feed_all(call, &agg, kernel, states, err));
    st = finish(call, &agg, kernel, states, err);
cleanup:
    return st;
}

fl_status fl_list_aggregate_resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    fl_arena *arena = ret->arena;
    fl_agg_choice choice;
    fl_status st = choose(ret->func, args, n_args, arena, &choice, err);
    if (st != FL_OK)
        return st;
    if (choice.n_args != n_args)
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list was expected");
    ret->n_args = n_args;
    ret->ret = choice.ret;
    ret->traits = choice.never_fails ? 0 : FL_CAN_FAIL;
    ret->run = run;
    for (int32_t i = 1; i < n_args; i++)
        ret->args[i] = choice.args[i];
    return fl_type_list_of(arena, choice.args[0].id == FL_NULL ? FL_TYPE(FL_UTF8) : choice.args[0], &ret->args[0], err);
}

/* ---- by name ------------------------------------------------------------------------------------------------------- */

fl_status fl_list_aggregate_resolve_named(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    if (n_args < 2 || n_args > FL_AGG_ARGS_MAX || (!fl_list_is(args[0]) && args[0].id != FL_NULL) ||
        (args[1].id != FL_UTF8 && args[1].id != FL_NULL))
        return FL_FAIL(err, FL_ERR_FUNCTION, "a list and an aggregate's name were expected");
    ret->n_args = n_args;
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = i == 1 ? FL_TYPE(FL_UTF8) : args[i];
    if (args[0].id == FL_NULL) {
        fl_status st = fl_type_list_of(ret->arena, FL_TYPE(FL_UTF8), &ret->args[0], err);
        if (st != FL_OK)
            return st;
    }
    ret->ret = ret->args[0];
    return FL_OK;
}

fl_status fl_list_aggregate_expand(const fl_func_desc *func, fl_plan *plan, const fl_expr *const *args, int32_t n_args,
                                   int32_t pos, const fl_expr **ret, fl_err *err)
{
    (void)func;
    const fl_registry *registry = fl_plan_registry(plan);
    const fl_expr *rest[FL_AGG_ARGS_MAX];
    char name[64];
    if (!fl_expr_is_const(args[1]) || args[1]->value->is_null)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "the name of an aggregate is a constant");
    const fl_agg_desc *agg = fl_registry_agg(registry, args[1]->value->s);
    snprintf(name, sizeof(name), "list_%s", agg != NULL ? agg->name : "");
    if (agg == NULL || fl_registry_func(registry, fl_str_of(name)) == NULL)
        return FL_FAIL(err, FL_ERR_FUNCTION, "there is no aggregate \"%.*s\" of lists",
                       (int)(args[1]->value->s.len < 60 ? args[1]->value->s.len : 60), args[1]->value->s.data);
    rest[0] = args[0];
    for (int32_t i = 2; i < n_args; i++)
        rest[i - 1] = args[i];
    return fl_expr_call(plan, fl_str_of(name), rest, n_args - 1, pos, ret, err);
}
