/* The engine's registry is extended while plans and queries are under way: each goes on with the one that it began with. */
#include "engine/internal.h"

#include "exec/agg.h"
#include "exec/func.h"
#include "plan/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#define READERS 3
#define EXTENSIONS 60

static fl_status do_nothing(fl_rule_call *call, fl_err *err)
{
    return fl_rule_call_transform_to(call, call->node, err);
}

static fl_rule_desc rule_of(const char *name, const char *phase)
{
    return (fl_rule_desc){FL_DESC(fl_rule_desc),  .name = name,           .phase = phase,        .pattern = "?",
                          .scope = FL_SCOPE_BOTH, .keeps = FL_KEEPS_COLS, .on_match = do_nothing};
}

static fl_status add_rule(void *ctx, fl_registry *registry, fl_err *err)
{
    return fl_registry_add_rule(registry, ctx, err);
}

static bool has_rule(const fl_registry *registry, const char *name)
{
    int32_t n = 0;
    const fl_rule_desc *const *rules = fl_registry_rules(registry, &n);
    for (int32_t i = 0; i < n; i++)
        if (strcmp(rules[i]->name, name) == 0)
            return true;
    return false;
}

static fl_engine *open_engine(void)
{
    fl_engine *engine = NULL;
    fl_err err = {0};
    if (fl_engine_open(NULL, &engine, &err) != FL_OK)
        fail_msg("%s", err.message);
    return engine;
}

static fl_plan *plan_of(fl_engine *engine)
{
    fl_plan *plan = NULL;
    const fl_registry *registry = fl_engine_registry(engine);
    if (fl_plan_new(NULL, registry, &plan, NULL) != FL_OK)
        plan = NULL;
    fl_registry_unref(registry);
    return plan;
}

static void test_plans_keep_theirs(void **state)
{
    (void)state;
    fl_engine *engine = open_engine();
    fl_rule_desc rule = rule_of("added_late", "refine");
    fl_plan *old_plan = plan_of(engine);
    assert_int_equal(fl_engine_extend(engine, add_rule, &rule, NULL), FL_OK);
    fl_plan *new_plan = plan_of(engine);
    assert_false(has_rule(fl_plan_registry(old_plan), "added_late"));
    assert_true(has_rule(fl_plan_registry(new_plan), "added_late"));
    assert_true(has_rule(fl_plan_registry(old_plan), "push_filter"));
    assert_true(has_rule(fl_plan_registry(new_plan), "push_filter"));
    fl_engine_close(engine); /* plans need no engine for it */
    assert_false(has_rule(fl_plan_registry(old_plan), "added_late"));
    fl_plan_unref(old_plan);
    fl_plan_unref(new_plan);
}

static void test_failures_change_nothing(void **state)
{
    (void)state;
    fl_engine *engine = open_engine();
    fl_rule_desc no_phase = rule_of("no_phase", "refin"), twice = rule_of("push_filter", "refine");
    fl_err err = {0};
    const fl_registry *before = fl_engine_registry(engine);
    assert_int_equal(fl_engine_extend(engine, add_rule, &no_phase, &err), FL_ERR_CONFIG);
    assert_non_null(strstr(err.hint, "did you mean \"refine\"?"));
    assert_int_equal(fl_engine_extend(engine, add_rule, &twice, &err), FL_ERR_DUPLICATE);
    const fl_registry *after = fl_engine_registry(engine);
    assert_ptr_equal(before, after);
    fl_registry_unref(before);
    fl_registry_unref(after);
    fl_engine_close(engine);
}

/* A session's next call sees what was added. */
static void test_sessions_follow(void **state)
{
    (void)state;
    fl_engine *engine = open_engine();
    fl_session *session = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    fl_rule_desc rule = rule_of("added_late", "refine");
    assert_int_equal(fl_session_open(engine, &session, &err), FL_OK);
    assert_int_equal(fl_session_query(session, "SET disabled_rules = 'added_late'", &rows, &err), FL_ERR_CONFIG);
    assert_int_equal(fl_engine_extend(engine, add_rule, &rule, NULL), FL_OK);
    assert_int_equal(fl_session_query(session, "SET disabled_rules = 'added_late'", &rows, &err), FL_OK);
    rows.release(&rows);
    fl_session_close(session);
    fl_engine_close(engine);
}

/* ---- threads: assertions jump out of the test, so threads count what is wrong ---- */

typedef struct reader {
    pthread_t thread;
    fl_engine *engine;
    _Atomic bool *is_over;
    int32_t wrong;
} reader;

static bool query_works(fl_session *session)
{
    struct ArrowArrayStream rows;
    if (fl_session_query(session, "SELECT count(*) FROM range(10) WHERE range > 3", &rows, NULL) != FL_OK)
        return false;
    rows.release(&rows);
    return true;
}

static void *read_on(void *ctx)
{
    reader *r = ctx;
    fl_session *session = NULL;
    int32_t seen = 0;
    r->wrong += fl_session_open(r->engine, &session, NULL) != FL_OK;
    while (!atomic_load(r->is_over) && r->wrong == 0) {
        int32_t n = 0, again = 0;
        fl_plan *plan = plan_of(r->engine);
        if (plan == NULL) {
            r->wrong++;
            break;
        }
        fl_registry_rules(fl_plan_registry(plan), &n);
        r->wrong += n < seen || !query_works(session);
        fl_registry_rules(fl_plan_registry(plan), &again);
        r->wrong += again != n;
        seen = n;
        fl_plan_unref(plan);
    }
    fl_session_close(session);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    static char names[EXTENSIONS][24];
    static fl_rule_desc rules[EXTENSIONS];
    reader readers[READERS] = {0};
    _Atomic bool is_over = false;
    fl_engine *engine = open_engine();
    for (int32_t i = 0; i < READERS; i++) {
        readers[i] = (reader){.engine = engine, .is_over = &is_over};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    int32_t failed = 0;
    for (int32_t i = 0; i < EXTENSIONS; i++) {
        snprintf(names[i], sizeof(names[i]), "added_%d", i);
        rules[i] = rule_of(names[i], "refine");
        failed += fl_engine_extend(engine, add_rule, &rules[i], NULL) != FL_OK;
    }
    atomic_store(&is_over, true);
    for (int32_t i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        failed += readers[i].wrong;
    }
    assert_int_equal(failed, 0);
    fl_engine_close(engine);
}

/* ---- functions that come and go ---- */

typedef struct adder {
    fl_func_owner owner;
    fl_func_desc desc;
    int64_t number; /* that is added */
    _Atomic int32_t n_locals;
    bool *is_freed;
} adder;

static fl_status add_number(fl_call *call, fl_err *err)
{
    (void)err;
    const adder *a = call->func->ctx;
    if (call->local != a)
        return FL_FAIL(err, FL_ERR_INTERNAL, "not the worker's own");
    for (int32_t i = 0; i < call->rows; i++)
        fl_ret_i64(call)[i] = fl_arg_i64(call, 0)[i] + a->number;
    return FL_OK;
}

static fl_status adder_local_new(fl_call *call, void **ret, fl_err *err)
{
    (void)err;
    adder *a = call->func->ctx;
    atomic_fetch_add(&a->n_locals, 1);
    *ret = a;
    return FL_OK;
}

static void adder_local_free(const fl_func_desc *func, void *local)
{
    atomic_fetch_sub(&((adder *)local)->n_locals, 1);
    (void)func;
}

static void adder_free(fl_func_owner *owner)
{
    *((adder *)owner)->is_freed = ((adder *)owner)->n_locals == 0;
}

static const fl_func_overload adder_overload = {FL_ARGS(FL_I64), FL_I64, 0, add_number};

static adder adder_of(const char *name, int64_t number, bool *is_freed)
{
    return (adder){.owner = {.refs = 1, .free = adder_free},
                   .desc = {FL_DESC(fl_func_desc), .name = name, .traits = FL_PURE | FL_NULL_GIVES_NULL,
                            .overloads = &adder_overload, .n_overloads = 1, .local_new = adder_local_new,
                            .local_free = adder_local_free, .identity = (uint64_t)number},
                   .number = number,
                   .is_freed = is_freed};
}

static fl_status put_adder(void *ctx, fl_registry *registry, fl_err *err)
{
    adder *a = ctx;
    return fl_registry_put_user_func(registry, &a->desc, NULL, &a->owner, err);
}

static fl_status remove_adder(void *ctx, fl_registry *registry, fl_err *err)
{
    (void)err;
    return fl_registry_remove_user_func(registry, fl_str_of(ctx)) ? FL_OK : FL_ERR_FUNCTION;
}

static int64_t sum_of(fl_session *session, const char *sql)
{
    struct ArrowArrayStream rows;
    struct ArrowArray batch = {0};
    fl_err err = {0};
    if (fl_session_query(session, sql, &rows, &err) != FL_OK)
        return -1;
    int64_t sum = rows.get_next(&rows, &batch) == 0 && batch.length == 1
                      ? ((const int64_t *)batch.children[0]->buffers[1])[0]
                      : -2;
    if (batch.release != NULL)
        batch.release(&batch);
    rows.release(&rows);
    return sum;
}

static void test_user_functions(void **state)
{
    (void)state;
    static const char text[] = "SELECT max(plus_some(range)) FROM range(100000)";
    bool is_old_freed = false, is_new_freed = false, is_sin_freed = false;
    adder old = adder_of("plus_some", 1, &is_old_freed), new = adder_of("PLUS_SOME", 2, &is_new_freed),
          sin = adder_of("sin", 3, &is_sin_freed);
    old.desc.ctx = &old;
    new.desc.ctx = &new;
    fl_engine *engine = open_engine();
    fl_session *session = NULL;
    fl_err err = {0};
    uint64_t first = 0, second = 0;
    assert_int_equal(fl_session_open(engine, &session, &err), FL_OK);
    assert_int_equal(fl_engine_extend(engine, put_adder, &sin, &err), FL_ERR_DUPLICATE);
    assert_int_equal(fl_engine_extend(engine, put_adder, &old, &err), FL_OK);
    atomic_fetch_sub(&old.owner.refs, 1); /* the registry has its own */
    assert_int_equal(sum_of(session, text), 100000);
    assert_int_equal(fl_session_plan_hash(session, text, &first, &err), FL_OK);
    fl_plan *plan = plan_of(engine);
    assert_int_equal(fl_engine_extend(engine, put_adder, &new, &err), FL_OK);
    atomic_fetch_sub(&new.owner.refs, 1);
    assert_int_equal(sum_of(session, text), 100001);
    assert_int_equal(fl_session_plan_hash(session, text, &second, &err), FL_OK);
    assert_int_not_equal(first, second); /* the same name, another implementation */
    assert_false(is_old_freed);          /* a plan may call it yet */
    fl_plan_unref(plan);
    assert_true(is_old_freed);
    assert_int_equal(fl_engine_extend(engine, remove_adder, "plus_some", &err), FL_OK);
    assert_int_equal(fl_engine_extend(engine, remove_adder, "plus_some", &err), FL_ERR_FUNCTION);
    assert_int_equal(sum_of(session, text), -1);
    assert_int_equal(sum_of(session, "SELECT max(abs(range)) FROM range(7)"), 6);
    fl_session_close(session);
    fl_engine_close(engine);
    assert_true(is_new_freed);
    assert_false(is_sin_freed);
}

/* Every kernel that an aggregate chooses says how its states leave memory. */
static void test_states_of_aggregates(void **state)
{
    (void)state;
    static const uint8_t ids[] = {FL_NULL, FL_BOOL, FL_I8,   FL_I32,       FL_I64,      FL_U64,    FL_F32,    FL_F64,
                                  FL_UTF8, FL_DATE, FL_TIME, FL_TIMESTAMP, FL_INTERVAL, FL_BINARY, FL_DECIMAL};
    fl_engine *engine = open_engine();
    const fl_registry *registry = fl_engine_registry(engine);
    fl_arena arena;
    int32_t n = 0, n_kernels = 0;
    const fl_agg_desc *const *aggs = fl_registry_aggs(registry, &n);
    fl_arena_init(&arena, NULL);
    for (int32_t i = 0; i < n; i++)
        for (size_t a = 0; a < sizeof(ids); a++)
            for (size_t b = 0; b < sizeof(ids); b++)
                for (int32_t n_args = 0; n_args < 3; n_args++) {
                    fl_agg_choice choice = {.arena = &arena};
                    fl_type args[2] = {{.id = ids[a], .precision = 30}, {.id = ids[b], .precision = 10}};
                    if ((n_args < 2 && b > 0) || (n_args < 1 && a > 0) || aggs[i]->alias_of != NULL ||
                        aggs[i]->resolve(args, n_args, &choice, NULL) != FL_OK)
                        continue;
                    const fl_agg_kernel *kernel = choice.kernel;
                    n_kernels++;
                    if (kernel->state_kind < FL_STATE_PLAIN || kernel->state_kind > FL_STATE_LATE)
                        fail_msg("%s does not say how its states leave memory", aggs[i]->name);
                    if (kernel->state_kind == FL_STATE_SAVED && (kernel->save == NULL || kernel->load == NULL))
                        fail_msg("%s cannot save its states", aggs[i]->name);
                    if (kernel->state_kind == FL_STATE_LATE && aggs[i]->ignores_order)
                        fail_msg("%s is fed at once, and cannot save its states", aggs[i]->name);
                }
    assert_true(n_kernels > 500);
    fl_arena_drop(&arena);
    fl_registry_unref(registry);
    fl_engine_close(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_of_aggregates),
        cmocka_unit_test(test_plans_keep_theirs),
        cmocka_unit_test(test_failures_change_nothing),
        cmocka_unit_test(test_sessions_follow),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_user_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
