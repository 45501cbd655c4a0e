/* fletch-python-worker: a process that runs one function. It is begun by the plugin, with a socket and shared memory, and confines itself
 * before Python starts.
 *
 *     fletch-python-worker <the host's process> <confined | unconfined> <folders of modules> */
#include "interpreter.h"
#include "message.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXIT_HOST_IS_GONE 0
#define EXIT_NO_MEMORY 2

static uint8_t *shared;
static python_message *message;
static python_callable callable;
static python_bytes texts;

/* It goes when the host goes, and before others when the machine's memory ends. */
static void leave_nothing(pid_t host)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != host)
        _exit(EXIT_HOST_IS_GONE);
    (void)syscall(SYS_close_range, PYTHON_MEMORY_FD + 1, ~0u, 0);
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        (void)!write(score, "1000", 4);
        close(score);
    }
    if (chdir("/") != 0)
        _exit(EXIT_HOST_IS_GONE);
}

static void map_memory(void)
{
    shared = mmap(NULL, PYTHON_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, PYTHON_MEMORY_FD, 0);
    if (shared == MAP_FAILED)
        _exit(EXIT_NO_MEMORY);
    close(PYTHON_MEMORY_FD);
    message = (python_message *)(void *)shared;
}

/* Waits for the host's turn to end; no return when the host has gone. */
static void wait_for_host(void)
{
    static python_patience patience = {.failed = PYTHON_FAILED_MAX};
    static uint32_t turns;
    char byte;
    ssize_t n;
    turns++;
    if (python_look(&message->asked, turns, &patience))
        return;
    atomic_store(&message->worker_sleeps, 1);
    while (atomic_load(&message->asked) != turns) {
        n = read(PYTHON_SOCKET_FD, &byte, 1);
        if (n == 0 || (n < 0 && errno != EINTR))
            _exit(EXIT_HOST_IS_GONE);
    }
    atomic_store(&message->worker_sleeps, 0);
}

static void answer(python_reply reply)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    message->processor_ms = used.tv_sec * 1000ll + used.tv_nsec / 1000000;
    message->reply = reply;
    atomic_fetch_add(&message->answered, 1);
    if (atomic_load(&message->host_sleeps) != 0 && write(PYTHON_SOCKET_FD, "", 1) != 1)
        _exit(EXIT_HOST_IS_GONE);
}

static fl_python_column column_of(const python_place *place)
{
    return (fl_python_column){.type = place->type,
                              .unit = place->unit,
                              .values = shared + place->values,
                              .nulls = place->nulls >= 0 ? shared + place->nulls : NULL,
                              .bytes = (const char *)shared + place->bytes,
                              .bytes_length = place->bytes_length};
}

static bool define(fl_python_fault *fault)
{
    fl_python_declaration d = {.n_args = message->n_args,
                               .returns = message->result.type,
                               .takes_nulls = message->takes_nulls,
                               .errors_are_null = message->errors_are_null,
                               .is_repeatable = message->is_repeatable,
                               .code_bytes = (size_t)message->code_bytes};
    const char *name = (const char *)shared + PYTHON_ROOM_AT;
    const char *path = name + strlen(name) + 1;
    d.name = strdup(name);
    d.module_path = strdup(path);
    d.code = path + strlen(path) + 1;
    if (d.name == NULL || d.module_path == NULL)
        return fl_python_fail(fault, FL_PYTHON_NO_MEMORY, "out of memory: its name");
    bool is_good = fl_python_define(&d, &callable, fault);
    callable.declaration.code = NULL; /* it is gone with the next batch */
    message->signature = callable.signature;
    return is_good;
}

static bool run_batch(fl_python_fault *fault)
{
    fl_python_batch batch = {.rows = message->rows, .n_args = message->n_args};
    python_run run = {
        .callable = &callable, .batch = &batch, .texts = &texts, .progress = &message->row, .fault = fault};
    for (int32_t i = 0; i < batch.n_args; i++)
        batch.args[i] = column_of(&message->args[i]);
    batch.result = column_of(&message->result);
    if (!fl_python_call(&run))
        return false;
    message->texts_bytes = texts.length;
    while (texts.length > message->texts_room) {
        answer(PYTHON_NEEDS_ROOM);
        wait_for_host();
    }
    if (texts.length > 0)
        memcpy(shared + message->result.bytes, texts.data, (size_t)texts.length);
    return true;
}

int main(int argc, char **argv)
{
    fl_python_fault fault = {.row = -1};
    char missing[256] = "";
    if (argc != 4)
        return EXIT_NO_MEMORY;
    bool must_be_confined = strcmp(argv[2], "unconfined") != 0;
    leave_nothing((pid_t)atoi(argv[1]));
    map_memory();
    bool is_good = fl_python_confine(argv[3], missing, sizeof(missing)) || !must_be_confined;
    if (!is_good)
        fl_python_fail(&fault, FL_PYTHON_REFUSED, "functions in Python are not run: %s", missing);
    wait_for_host();
    is_good = is_good && fl_python_start(&fault);
    for (;;) {
        if (is_good)
            is_good = message->request == PYTHON_DEFINE ? define(&fault) : run_batch(&fault);
        if (!is_good)
            message->fault = fault;
        answer(is_good ? PYTHON_DONE : PYTHON_FAULT);
        is_good = true;
        fault = (fl_python_fault){.row = -1};
        wait_for_host();
    }
}
