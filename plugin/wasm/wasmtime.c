/* The compiling engine. Two of it: one whose code looks at an epoch in each loop and function, which a thread moves on while calls are
 * under way; and one without, for modules whose functions end by themselves, where the look would cost more than the work.
 *
 * Both have a pool of places for instances, which are as new when an instance goes (its pages are given back, those of its data are mapped
 * anew from the module's image): 5 µs instead of 30 for each. A place reserves addresses, 4 GB for each memory, so there are not any number:
 * behind the pool stands an engine without one, for instances for which there is no place, and for modules that are larger than one.
 *
 * Cranelift only, never Winch; NaNs are canonical, as the interpreter's results are made to be. */
#include "engines.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <wasmtime.h>

#define TICK_NS 5000000
#define STACK_BYTES (256 << 10)
#define POOL_INSTANCES 128    /* at once, of each of the two engines */
#define POOL_INSTANCES_MIN 16 /* fewer are not worth a pool */
#define RESERVED_BYTES \
    ((4ull << 30) + (32ull << 20)) /* addresses of a memory: all that an i32 reaches, and a guard behind it */
#define TABLE_ELEMENTS 100000      /* of a table in the pool */
#define NAME_BYTES_MAX 64          /* of a function in a backtrace */
#define FRAMES_MAX 8

typedef struct module {
    wasmtime_module_t *pooled;             /* NULL: it fits into no place, or there are none */
    _Atomic(wasmtime_module_t *) separate; /* NULL: nobody needed it yet */
    pthread_mutex_t lock;                  /* of its making */
    bool ends_by_itself;
} module;

typedef struct instance {
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    wasmtime_instance_t instance;
    wasmtime_memory_t memories[FL_WASM_MEMORIES];
    wasmtime_global_t steps;
    bool has_memory[FL_WASM_MEMORIES], has_steps, ends_by_itself;
    fl_wasm_shall_stop shall_stop; /* of the call under way */
    void *ctx;
    bool was_stopped, is_awake; /* it is counted in n_awake */
    struct handle *handles;
} instance;

typedef struct handle {
    struct handle *next;
    wasmtime_func_t func;
    bool has_result;
} handle;

typedef struct engines {
    wasm_engine_t *pooled; /* NULL: there are no addresses for it */
    wasm_engine_t *separate;
} engines;

static engines bounded, ending;

static const engines *engines_of(bool ends_by_itself)
{
    return ends_by_itself ? &ending : &bounded;
}

/* ---- the clock ---------------------------------------------------------------------------------------------------------- */

static pthread_mutex_t clock_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t clock_wanted = PTHREAD_COND_INITIALIZER;
static _Atomic int32_t n_awake; /* instances that are called, or were and may be again soon, and can be stopped */
static _Atomic bool is_idle;    /* the clock waits for one */
static bool has_clock;

static void *tick(void *unused)
{
    const struct timespec period = {.tv_nsec = TICK_NS};
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&clock_lock);
        while (atomic_load(&n_awake) == 0) {
            atomic_store(&is_idle, true);
            if (atomic_load(&n_awake) == 0)
                pthread_cond_wait(&clock_wanted, &clock_lock);
            atomic_store(&is_idle, false);
        }
        pthread_mutex_unlock(&clock_lock);
        nanosleep(&period, NULL);
        wasmtime_engine_increment_epoch(bounded.separate);
        if (bounded.pooled != NULL)
            wasmtime_engine_increment_epoch(bounded.pooled);
    }
    return NULL;
}

static bool start_clock(void)
{
    pthread_t thread;
    pthread_mutex_lock(&clock_lock);
    if (!has_clock && pthread_create(&thread, NULL, tick, NULL) == 0) {
        pthread_detach(thread);
        has_clock = true;
    }
    pthread_mutex_unlock(&clock_lock);
    return has_clock;
}

/* An epoch that passed since the last call is met in the next one's begin, where on_epoch looks and goes on: so no deadline is set for a call,
 * and what follows runs once for many. */
static void wake(instance *made)
{
    made->is_awake = true;
    atomic_fetch_add(&n_awake, 1);
    if (atomic_load(&is_idle)) {
        pthread_mutex_lock(&clock_lock);
        pthread_cond_signal(&clock_wanted);
        pthread_mutex_unlock(&clock_lock);
    }
}

static void begin_call(instance *made, fl_wasm_shall_stop shall_stop, void *ctx)
{
    made->shall_stop = shall_stop;
    made->ctx = ctx;
    made->was_stopped = false;
    if (!made->is_awake && !made->ends_by_itself)
        wake(made);
}

static void rest(void *ptr)
{
    instance *made = ptr;
    if (made->is_awake)
        atomic_fetch_sub(&n_awake, 1);
    made->is_awake = false;
}

static wasmtime_error_t *on_epoch(const wasmtime_context_t *context, void *data, uint64_t *ret_delta,
                                  wasmtime_update_deadline_kind_t *ret_kind)
{
    instance *made = data;
    (void)context;
    if (made->shall_stop != NULL && made->shall_stop(made->ctx)) {
        made->was_stopped = true;
        return wasmtime_error_new("stopped");
    }
    *ret_delta = 1;
    *ret_kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
    return NULL;
}

/* ---- faults ------------------------------------------------------------------------------------------------------------- */

static bool fail_error(wasmtime_error_t *error, fl_wasm_fault_kind kind, fl_wasm_fault *fault)
{
    wasm_byte_vec_t text;
    wasmtime_error_message(error, &text);
    size_t n = 0;
    while (n < text.size && text.data[n] != 0 && text.data[n] != '\n')
        n++;
    fl_wasm_fail(fault, kind, "%.*s", (int)n, text.data);
    wasm_byte_vec_delete(&text);
    wasmtime_error_delete(error);
    return false;
}

static const char *trap_name(wasmtime_trap_code_t code)
{
    switch (code) {
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS:
        return "out of bounds memory access";
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS:
        return "undefined element";
    case WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL:
        return "null table element";
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE:
        return "indirect call type mismatch";
    case WASMTIME_TRAP_CODE_INTEGER_OVERFLOW:
        return "integer overflow";
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO:
        return "integer divide by zero";
    case WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER:
        return "invalid conversion to integer";
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED:
        return "unreachable executed";
    default:
        return NULL;
    }
}

static void add_frames(const wasm_trap_t *trap, fl_wasm_fault *fault)
{
    wasm_frame_vec_t frames;
    size_t len = 0;
    wasm_trap_trace(trap, &frames);
    for (size_t i = 0; i < frames.size && i < FRAMES_MAX && len < sizeof(fault->backtrace) - NAME_BYTES_MAX; i++) {
        const wasm_name_t *name = wasmtime_frame_func_name(frames.data[i]);
        int bytes = name == NULL ? 0 : (int)(name->size < NAME_BYTES_MAX / 2 ? name->size : NAME_BYTES_MAX / 2);
        int added = name != NULL ? snprintf(fault->backtrace + len, sizeof(fault->backtrace) - len, "%s%.*s",
                                            i > 0 ? "\n" : "", bytes, name->data)
                                 : snprintf(fault->backtrace + len, sizeof(fault->backtrace) - len, "%sfunction %u",
                                            i > 0 ? "\n" : "", wasm_frame_func_index(frames.data[i]));
        len += (size_t)added;
    }
    wasm_frame_vec_delete(&frames);
}

static bool is_out_of_steps(const instance *made)
{
    wasmtime_val_t steps;
    if (!made->has_steps)
        return false;
    wasmtime_global_get(made->context, &made->steps, &steps);
    return steps.of.i64 == -1;
}

static bool fail_trap(const instance *made, wasm_trap_t *trap, fl_wasm_fault *fault)
{
    wasmtime_trap_code_t code = 0;
    const char *name = wasmtime_trap_code(trap, &code) ? trap_name(code) : NULL;
    if (code == WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED && is_out_of_steps(made)) {
        fl_wasm_fail(fault, FL_WASM_STEPS, "the function takes more steps than it may");
    } else if (name == NULL && code == WASMTIME_TRAP_CODE_STACK_OVERFLOW) {
        fl_wasm_fail(fault, FL_WASM_LIMIT, "the function calls itself too deep");
    } else {
        fl_wasm_fail(fault, FL_WASM_TRAP, "%s", name != NULL ? name : "trap");
        add_frames(trap, fault);
    }
    wasm_trap_delete(trap);
    return false;
}

/* ---- what the thread sanitizer is told ------------------------------------------------------------------------------------ */

/* Wasmtime is not built with the thread sanitizer, which does not see what orders its threads: what one instance left is there before the
 * next one gets the pages, and compilers use each other's scratch memory. Compiling one at a time there spares it from looking at
 * thousands of races that are none. */
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
static char pages;
static pthread_mutex_t compile_lock = PTHREAD_MUTEX_INITIALIZER;
#define TELL_FREED() __tsan_release(&pages)
#define TELL_TAKEN() __tsan_acquire(&pages)
#define TELL_COMPILES() pthread_mutex_lock(&compile_lock)
#define TELL_COMPILED() pthread_mutex_unlock(&compile_lock)
#else
#define TELL_FREED() ((void)0)
#define TELL_TAKEN() ((void)0)
#define TELL_COMPILES() ((void)0)
#define TELL_COMPILED() ((void)0)
#endif

/* ---- engines ------------------------------------------------------------------------------------------------------------ */

/* How many instances can have a place. Wasmtime ends the process where it cannot have the addresses, so they are asked for before.
 * FLETCH_WASM_INSTANCES says how many at the most, for machines on which addresses are dear: qemu keeps notes of each page. */
static uint32_t find_room(uint32_t most)
{
    for (uint32_t n = most; n >= POOL_INSTANCES_MIN; n /= 2) {
        size_t bytes = n * FL_WASM_MEMORIES * RESERVED_BYTES * 2; /* of both engines */
        void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (room == MAP_FAILED)
            continue;
        munmap(room, bytes);
        return n;
    }
    return 0;
}

static void add_pool(wasm_config_t *config, uint32_t n)
{
    wasmtime_pooling_allocation_config_t *pool = wasmtime_pooling_allocation_config_new();
    wasmtime_pooling_allocation_config_total_core_instances_set(pool, n);
    wasmtime_pooling_allocation_config_total_memories_set(pool, n * FL_WASM_MEMORIES);
    wasmtime_pooling_allocation_config_max_memories_per_module_set(pool, FL_WASM_MEMORIES);
    wasmtime_pooling_allocation_config_max_memory_size_set(pool, (size_t)4 << 30); /* a store's limits are tighter */
    wasmtime_pooling_allocation_config_total_tables_set(pool, n);
    wasmtime_pooling_allocation_config_table_elements_set(pool, TABLE_ELEMENTS);
    wasmtime_pooling_allocation_config_total_gc_heaps_set(pool, 0);
    wasmtime_pooling_allocation_strategy_set(config, pool);
    wasmtime_pooling_allocation_config_delete(pool);
}

/* is_frugal: a memory has the addresses that it uses, and code compares them. */
static wasm_engine_t *make_engine(bool has_epochs, uint32_t n_pooled, bool is_frugal)
{
    wasm_config_t *config = wasm_config_new();
    wasmtime_config_strategy_set(config, WASMTIME_STRATEGY_CRANELIFT);
    wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
    wasmtime_config_cranelift_nan_canonicalization_set(config, true);
    wasmtime_config_parallel_compilation_set(config, false);
    wasmtime_config_epoch_interruption_set(config, has_epochs);
    wasmtime_config_max_wasm_stack_set(config, STACK_BYTES);
    wasmtime_config_wasm_threads_set(config, false);
    wasmtime_config_wasm_relaxed_simd_set(config, false);
    wasmtime_config_wasm_tail_call_set(config, false);
    wasmtime_config_wasm_memory64_set(config, false);
    wasmtime_config_native_unwind_info_set(config, false);
    if (n_pooled > 0)
        add_pool(config, n_pooled);
    if (is_frugal) {
        wasmtime_config_memory_reservation_set(config, 0);
        wasmtime_config_memory_reservation_for_growth_set(config, 0); /* else 2 GB behind each */
        wasmtime_config_memory_guard_size_set(config, 0);
    }
    return wasm_engine_new_with_config(config);
}

static void open_engines(void)
{
    const char *said = getenv("FLETCH_WASM_INSTANCES");
    uint32_t most = said != NULL ? (uint32_t)strtoul(said, NULL, 10) : POOL_INSTANCES, n_pooled = find_room(most);
    bool is_frugal = most == 0;
    bounded = (engines){n_pooled > 0 ? make_engine(true, n_pooled, false) : NULL, make_engine(true, 0, is_frugal)};
    ending = (engines){n_pooled > 0 ? make_engine(false, n_pooled, false) : NULL, make_engine(false, 0, is_frugal)};
}

bool fl_wasmtime_open(char *message, size_t bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_engines);
    if (bounded.separate != NULL && ending.separate != NULL)
        return true;
    snprintf(message, bytes, "Wasmtime cannot start an engine");
    return false;
}

bool fl_wasmtime_validate(const uint8_t *bytes, size_t n, fl_wasm_fault *fault)
{
    wasmtime_error_t *error = wasmtime_module_validate(bounded.separate, bytes, n);
    return error == NULL || fail_error(error, FL_WASM_INVALID, fault);
}

/* Takes over both, of which one is NULL. */
static void *keep_module(wasmtime_module_t *pooled, wasmtime_module_t *separate, bool ends_by_itself,
                         fl_wasm_fault *fault)
{
    module *kept = calloc(1, sizeof(*kept));
    if (kept == NULL) {
        fl_wasm_fail(fault, FL_WASM_NO_MEMORY, "out of memory: a module");
        wasmtime_module_delete(pooled != NULL ? pooled : separate);
        return NULL;
    }
    kept->pooled = pooled;
    kept->ends_by_itself = ends_by_itself;
    atomic_store(&kept->separate, separate);
    pthread_mutex_init(&kept->lock, NULL);
    return kept;
}

typedef wasmtime_error_t *(*module_maker)(wasm_engine_t *engine, const uint8_t *bytes, size_t n,
                                          wasmtime_module_t **ret);

/* In the pool; where that says no, without it. */
static void *make_module(module_maker make, const uint8_t *bytes, size_t n, bool ends_by_itself, fl_wasm_fault *fault)
{
    const engines *of = engines_of(ends_by_itself);
    wasmtime_module_t *pooled = NULL, *separate = NULL;
    wasmtime_error_t *error = of->pooled != NULL ? make(of->pooled, bytes, n, &pooled) : NULL;
    if (error != NULL)
        wasmtime_error_delete(error);
    error = pooled == NULL ? make(of->separate, bytes, n, &separate) : NULL;
    if (error != NULL) {
        fail_error(error, FL_WASM_INVALID, fault);
        return NULL;
    }
    return keep_module(pooled, separate, ends_by_itself, fault);
}

static void *module_new(const uint8_t *bytes, size_t n, bool ends_by_itself, fl_wasm_fault *fault)
{
    TELL_COMPILES();
    void *made = make_module(wasmtime_module_new, bytes, n, ends_by_itself, fault);
    TELL_COMPILED();
    return made;
}

static void module_free(void *ptr)
{
    module *made = ptr;
    if (made == NULL)
        return;
    if (made->pooled != NULL)
        wasmtime_module_delete(made->pooled);
    if (atomic_load(&made->separate) != NULL)
        wasmtime_module_delete(atomic_load(&made->separate));
    pthread_mutex_destroy(&made->lock);
    free(made);
}

bool fl_wasmtime_serialize(void *ptr, uint8_t **ret, size_t *ret_n, fl_wasm_fault *fault)
{
    const module *made = ptr;
    wasm_byte_vec_t bytes;
    wasmtime_error_t *error =
        wasmtime_module_serialize(made->pooled != NULL ? made->pooled : atomic_load(&made->separate), &bytes);
    if (error != NULL)
        return fail_error(error, FL_WASM_UNSUPPORTED, fault);
    *ret = malloc(bytes.size + 1);
    *ret_n = bytes.size;
    if (*ret != NULL)
        memcpy(*ret, bytes.data, bytes.size);
    wasm_byte_vec_delete(&bytes);
    return *ret != NULL || fl_wasm_fail(fault, FL_WASM_NO_MEMORY, "out of memory: native code");
}

void *fl_wasmtime_deserialize(const uint8_t *bytes, size_t n, bool ends_by_itself, fl_wasm_fault *fault)
{
    return make_module(wasmtime_module_deserialize, bytes, n, ends_by_itself, fault);
}

/* The same code for an instance outside of the pool: both engines compile alike. NULL: it cannot be had. */
static wasmtime_module_t *separate_module(module *of)
{
    wasmtime_module_t *made = atomic_load(&of->separate);
    wasm_byte_vec_t bytes;
    if (made != NULL)
        return made;
    pthread_mutex_lock(&of->lock);
    made = atomic_load(&of->separate);
    wasmtime_error_t *error = made == NULL ? wasmtime_module_serialize(of->pooled, &bytes) : NULL;
    if (made == NULL && error == NULL) {
        error = wasmtime_module_deserialize(engines_of(of->ends_by_itself)->separate, (const uint8_t *)bytes.data,
                                            bytes.size, &made);
        wasm_byte_vec_delete(&bytes);
        if (error == NULL)
            atomic_store(&of->separate, made);
    }
    pthread_mutex_unlock(&of->lock);
    if (error != NULL)
        wasmtime_error_delete(error);
    return made;
}

/* ---- instances ---------------------------------------------------------------------------------------------------------- */

static void instance_free(void *ptr)
{
    instance *made = ptr;
    if (made == NULL)
        return;
    rest(made);
    TELL_FREED();
    if (made->store != NULL)
        wasmtime_store_delete(made->store);
    for (handle *h = made->handles; h != NULL;) {
        handle *next = h->next;
        free(h);
        h = next;
    }
    free(made);
}

/* What a call came to; false: it failed. */
static bool settle(const instance *made, wasmtime_error_t *error, wasm_trap_t *trap, fl_wasm_fault *fault)
{
    if (made->was_stopped) {
        if (error != NULL)
            wasmtime_error_delete(error);
        if (trap != NULL)
            wasm_trap_delete(trap);
        return fl_wasm_fail(fault, FL_WASM_STOPPED, "stopped");
    }
    if (error != NULL)
        return fail_error(error, FL_WASM_LIMIT, fault);
    return trap == NULL || fail_trap(made, trap, fault);
}

static const char *const memory_names[FL_WASM_MEMORIES] = {"fletch_memory", "fletch_columns"};

/* False: there is no instance, for the reason that *ret_error or *ret_trap tells. */
static bool instantiate(instance *made, wasm_engine_t *engine, const wasmtime_module_t *from,
                        const fl_wasm_limits *limits, wasmtime_error_t **ret_error, wasm_trap_t **ret_trap)
{
    made->store = wasmtime_store_new(engine, NULL, NULL);
    made->context = wasmtime_store_context(made->store);
    wasmtime_store_limiter(made->store, limits->memory_bytes, limits->table_elements, 1, 4, FL_WASM_MEMORIES);
    if (!made->ends_by_itself) {
        wasmtime_store_epoch_deadline_callback(made->store, on_epoch, made, NULL);
        wasmtime_context_set_epoch_deadline(made->context, 1);
    }
    *ret_error = wasmtime_instance_new(made->context, from, NULL, 0, &made->instance, ret_trap);
    TELL_TAKEN(); /* behind what maps: another thread's instance may have left the pages meanwhile */
    return *ret_error == NULL && *ret_trap == NULL;
}

/* In the pool, or, where that has no place, outside of it. */
static bool place(instance *made, module *from, const fl_wasm_limits *limits, fl_wasm_fault *fault)
{
    const engines *of = engines_of(from->ends_by_itself);
    wasmtime_module_t *separate = NULL;
    wasmtime_error_t *error = NULL;
    wasm_trap_t *trap = NULL;
    bool is_placed = from->pooled != NULL && instantiate(made, of->pooled, from->pooled, limits, &error, &trap);
    if (!is_placed && trap == NULL && !made->was_stopped)
        separate = separate_module(from);
    if (separate != NULL) {
        if (error != NULL)
            wasmtime_error_delete(error);
        if (made->store != NULL)
            wasmtime_store_delete(made->store);
        is_placed = instantiate(made, of->separate, separate, limits, &error, &trap);
    }
    return is_placed || settle(made, error, trap, fault);
}

static void *instance_new(void *ptr, const fl_wasm_limits *limits, fl_wasm_shall_stop shall_stop, void *ctx,
                          fl_wasm_fault *fault)
{
    module *from = ptr;
    wasmtime_extern_t memory, steps;
    instance *made = calloc(1, sizeof(*made));
    if (made == NULL || (!from->ends_by_itself && !start_clock())) {
        fl_wasm_fail(fault, FL_WASM_NO_MEMORY, "out of memory: an instance");
        free(made);
        return NULL;
    }
    made->ends_by_itself = from->ends_by_itself;
    begin_call(made, shall_stop, ctx);
    if (!place(made, from, limits, fault)) {
        instance_free(made);
        return NULL;
    }
    for (int32_t i = 0; i < FL_WASM_MEMORIES; i++) {
        made->has_memory[i] = wasmtime_instance_export_get(made->context, &made->instance, memory_names[i],
                                                           strlen(memory_names[i]), &memory);
        if (made->has_memory[i])
            made->memories[i] = memory.of.memory;
    }
    made->has_steps =
        wasmtime_instance_export_get(made->context, &made->instance, "fletch_steps", strlen("fletch_steps"), &steps);
    if (made->has_steps)
        made->steps = steps.of.global;
    return made;
}

static void *find(void *ptr, const char *name, fl_wasm_fault *fault)
{
    instance *made = ptr;
    wasmtime_extern_t item;
    if (!wasmtime_instance_export_get(made->context, &made->instance, name, strlen(name), &item)) {
        fl_wasm_fail(fault, FL_WASM_FINE, "there is no function %s", name);
        return NULL;
    }
    handle *h = item.kind == WASMTIME_EXTERN_FUNC ? calloc(1, sizeof(*h)) : NULL;
    if (h == NULL) {
        fl_wasm_fail(fault, FL_WASM_NO_MEMORY, "%s is no function", name);
        return NULL;
    }
    wasm_functype_t *type = wasmtime_func_type(made->context, &item.of.func);
    h->func = item.of.func;
    h->has_result = wasm_functype_results(type)->size > 0;
    wasm_functype_delete(type);
    h->next = made->handles;
    made->handles = h;
    return h;
}

static bool call(void *ptr, void *func, uint64_t *values, int32_t n, fl_wasm_shall_stop shall_stop, void *ctx,
                 fl_wasm_fault *fault)
{
    instance *made = ptr;
    handle *h = func;
    wasmtime_val_raw_t raw[64];
    wasm_trap_t *trap = NULL;
    size_t room = n > 0 ? (size_t)n : 1;
    if (n > 64)
        return fl_wasm_fail(fault, FL_WASM_LIMIT, "a call of more than 64 values");
    for (int32_t i = 0; i < n; i++) /* one by one: two at once would wait for both to reach the cache */
        raw[i].i64 = (int64_t)((const volatile uint64_t *)values)[i];
    begin_call(made, shall_stop, ctx);
    wasmtime_error_t *error = wasmtime_func_call_unchecked(made->context, &h->func, raw, room, &trap);
    if (error != NULL || trap != NULL)
        return settle(made, error, trap, fault);
    if (h->has_result)
        values[0] = (uint64_t)raw[0].i64;
    return true;
}

static uint8_t *memory(void *ptr, fl_wasm_memory which, size_t *ret_bytes)
{
    instance *made = ptr;
    bool has = made->has_memory[which];
    *ret_bytes = has ? wasmtime_memory_data_size(made->context, &made->memories[which]) : 0;
    return has ? wasmtime_memory_data(made->context, &made->memories[which]) : NULL;
}

static bool grow(void *ptr, fl_wasm_memory which, uint32_t pages)
{
    instance *made = ptr;
    uint64_t before;
    wasmtime_error_t *error = wasmtime_memory_grow(made->context, &made->memories[which], pages, &before);
    if (error != NULL)
        wasmtime_error_delete(error);
    TELL_TAKEN();
    return error == NULL;
}

static void set_steps(void *ptr, int64_t steps)
{
    instance *made = ptr;
    wasmtime_val_t value = {.kind = WASMTIME_I64, .of.i64 = steps};
    if (!made->has_steps)
        return;
    wasmtime_error_t *error = wasmtime_global_set(made->context, &made->steps, &value);
    if (error != NULL) /* it is an i64 that may be set */
        wasmtime_error_delete(error);
}

const fl_wasm_engine_ops fl_wasmtime_ops = {
    .name = "compiled",
    .module_new = module_new,
    .module_free = module_free,
    .instance_new = instance_new,
    .instance_free = instance_free,
    .find = find,
    .call = call,
    .rest = rest,
    .memory = memory,
    .grow = grow,
    .set_steps = set_steps,
};
