/* The plugin for functions in this process: what an embedder asks for who trusts them, or has confined the process itself. */
#include "interpreter.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 20000000 /* between looks at whether a call shall end */

typedef struct here_function {
    python_callable callable;
    char *text; /* the declaration's strings */
} here_function;

/* A call that is under way. */
typedef struct here_call {
    struct here_call *next;
    unsigned long thread;
    fl_python_shall_stop shall_stop;
    void *ctx;
    bool is_stopped;
} here_call;

typedef struct here_caller {
    const here_function *function;
    python_bytes texts;
} here_caller;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_started;

/* Modules in C, NumPy's for example, look for Python's symbols among those of the whole process. */
static void show_symbols(void)
{
    Dl_info info;
    if (dladdr((const void *)(uintptr_t)Py_IsInitialized, &info) != 0 && info.dli_fname != NULL)
        (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

/* The interpreter's lock is free between calls, whoever started it. */
static bool start(fl_python_fault *fault)
{
    pthread_mutex_lock(&lock);
    if (!is_started) {
        show_symbols();
        bool was_there = Py_IsInitialized();
        PyGILState_STATE state = was_there ? PyGILState_Ensure() : PyGILState_UNLOCKED;
        is_started = fl_python_start(fault);
        if (was_there)
            PyGILState_Release(state);
        else if (is_started)
            PyEval_SaveThread();
    }
    pthread_mutex_unlock(&lock);
    return is_started;
}

/* ---- stopping: a thread looks at all calls and raises an exception in those that shall end. What is in C it cannot stop ---- */

static struct {
    pthread_mutex_t lock; /* the interpreter's is taken outside of it */
    here_call *calls;
    bool has_thread;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool must_stop_any(void)
{
    bool any = false;
    pthread_mutex_lock(&watch.lock);
    for (here_call *call = watch.calls; call != NULL; call = call->next)
        any |= call->shall_stop(call->ctx);
    pthread_mutex_unlock(&watch.lock);
    return any;
}

static void stop_calls(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    pthread_mutex_lock(&watch.lock);
    for (here_call *call = watch.calls; call != NULL; call = call->next) {
        if (!call->shall_stop(call->ctx))
            continue;
        call->is_stopped = true; /* again and again: the function may catch it */
        fl_python_stop(call->thread, true);
    }
    pthread_mutex_unlock(&watch.lock);
    PyGILState_Release(state);
}

static void *watch_calls(void *ctx)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    (void)ctx;
    for (;;) {
        nanosleep(&pause, NULL);
        if (must_stop_any())
            stop_calls();
    }
    return NULL;
}

/* With the interpreter's lock, as end_call. */
static void begin_call(here_call *call)
{
    pthread_t thread;
    pthread_attr_t attributes;
    call->thread = PyThread_get_thread_ident();
    if (call->shall_stop == NULL)
        return;
    pthread_mutex_lock(&watch.lock);
    if (!watch.has_thread) {
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        watch.has_thread = pthread_create(&thread, &attributes, watch_calls, NULL) == 0;
        pthread_attr_destroy(&attributes);
    }
    call->next = watch.calls;
    watch.calls = call;
    pthread_mutex_unlock(&watch.lock);
}

static void end_call(here_call *call)
{
    if (call->shall_stop == NULL)
        return;
    pthread_mutex_lock(&watch.lock);
    here_call **at = &watch.calls;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    pthread_mutex_unlock(&watch.lock);
    if (call->is_stopped)
        fl_python_stop(call->thread, false);
}

static bool copy_declaration(const fl_python_declaration *from, here_function *ret)
{
    fl_python_declaration *to = &ret->callable.declaration;
    size_t name = strlen(from->name) + 1, path = strlen(from->module_path) + 1;
    *to = *from;
    ret->text = malloc(name + path + from->code_bytes + 1);
    if (ret->text == NULL)
        return false;
    to->name = memcpy(ret->text, from->name, name);
    to->module_path = memcpy(ret->text + name, from->module_path, path);
    to->code = ret->text + name + path;
    memcpy(ret->text + name + path, from->code, from->code_bytes);
    return true;
}

static void function_free(void *ptr)
{
    here_function *f = ptr;
    PyGILState_STATE state = PyGILState_Ensure();
    Py_XDECREF(f->callable.function);
    PyGILState_Release(state);
    free(f->text);
    free(f);
}

static void *function_new(const fl_python_declaration *declaration, fl_python_shall_stop shall_stop, void *ctx,
                          fl_python_signature *ret, fl_python_fault *fault)
{
    here_function *f = calloc(1, sizeof(*f));
    if (f == NULL || !start(fault)) {
        if (f == NULL)
            fl_python_fail(fault, FL_PYTHON_NO_MEMORY, "out of memory: a function");
        free(f);
        return NULL;
    }
    bool is_good = copy_declaration(declaration, f);
    if (!is_good)
        fl_python_fail(fault, FL_PYTHON_NO_MEMORY, "out of memory: a function's text");
    here_call call = {.shall_stop = shall_stop, .ctx = ctx};
    PyGILState_STATE state = PyGILState_Ensure();
    fl_python_declaration copy = f->callable.declaration;
    begin_call(&call);
    is_good = is_good && fl_python_define(&copy, &f->callable, fault);
    end_call(&call);
    PyGILState_Release(state);
    if (!is_good) {
        if (call.is_stopped)
            fl_python_fail(fault, FL_PYTHON_STOPPED, "it was stopped");
        function_free(f);
        return NULL;
    }
    *ret = f->callable.signature;
    return f;
}

static void *caller_new(void *function, fl_python_fault *fault)
{
    here_caller *caller = calloc(1, sizeof(*caller));
    if (caller == NULL)
        fl_python_fail(fault, FL_PYTHON_NO_MEMORY, "out of memory: a caller");
    else
        caller->function = function;
    return caller;
}

static void caller_free(void *ptr)
{
    here_caller *caller = ptr;
    free(caller->texts.data);
    free(caller);
}

static bool run(void *ptr, fl_python_batch *batch, fl_python_shall_stop shall_stop, void *ctx, fl_python_fault *fault)
{
    here_caller *caller = ptr;
    python_run run = {.callable = &caller->function->callable,
                      .batch = batch,
                      .texts = &caller->texts,
                      .shall_stop = shall_stop,
                      .ctx = ctx,
                      .fault = fault};
    here_call call = {.shall_stop = shall_stop, .ctx = ctx};
    PyGILState_STATE state = PyGILState_Ensure();
    begin_call(&call);
    bool is_good = fl_python_call(&run);
    end_call(&call);
    PyGILState_Release(state);
    if (is_good || !call.is_stopped)
        return is_good;
    return fl_python_fail(fault, FL_PYTHON_STOPPED, "it was stopped");
}

static const fl_python_runtime runtime = {
    .abi = FL_PYTHON_RUNTIME_ABI,
    .function_new = function_new,
    .function_free = function_free,
    .caller_new = caller_new,
    .caller_free = caller_free,
    .run = run,
};

__attribute__((visibility("default"))) const fl_python_runtime *fletch_python_runtime(void);

const fl_python_runtime *fletch_python_runtime(void)
{
    return &runtime;
}
