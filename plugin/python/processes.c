/* The plugin for functions in worker processes.
 *
 * A worker runs one version of one function, for one caller at a time; between queries it waits for the next caller of that function. What
 * a function leaves in its process is therefore seen by itself alone. A worker that ends, that is stopped, or that has used much processor
 * time is replaced by the next call.
 *
 * All are begun by one thread that lives as long as the process: the kernel ends a worker when the thread ends that began it. */
#include "message.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKER "fletch-python-worker"
#define PATH_BYTES 4096
#define LOOK_US 10000              /* between looks at whether the statement was stopped */
#define DEFINE_MS_MAX 30000        /* of a function's text */
#define PROCESSOR_MS_MAX 1800000   /* then a worker is replaced: half of its limit */
#define IDLE_MAX 8                 /* workers that wait */
#define IDLE_BYTES_MAX (8ll << 20) /* that such a one keeps of its memory */
#define STALE_BYTES_MAX 100
#define TEXTS_BYTES_MIN 65536 /* room for a result's texts */
#define ALIGN(bytes) (((bytes) + 63) & ~63ll)

typedef struct function {
    fl_python_declaration declaration; /* strings are in `text` */
    char *text;
} function;

typedef struct process {
    const function *function;
    pid_t pid;  /* 0: it has ended, or never began */
    int handle; /* of the process, since others may reap it and its number be given again; -1: the kernel has none */
    int socket, memory;
    uint8_t *shared;
    int64_t bytes; /* of the file behind it */
    python_message *message;
    uint32_t turns;
    python_patience patience;
} process;

typedef struct caller {
    const function *function;
    process *process; /* NULL: none yet */
    int64_t texts_at; /* where its result's texts go */
} caller;

static bool fail(fl_python_fault *fault, fl_python_fault_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(fl_python_fault *fault, fl_python_fault_kind kind, const char *format, ...)
{
    va_list args;
    fault->kind = kind;
    fault->row = -1;
    fault->traceback[0] = 0;
    va_start(args, format);
    vsnprintf(fault->message, sizeof(fault->message), format, args);
    va_end(args);
    return false;
}

static int64_t clock_ms(void)
{
    return python_clock_us() / 1000;
}

/* ---- beginning ---- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_thread;
    bool has_work, is_done;
    const char *program;
    char *const *arguments;
    posix_spawn_file_actions_t *files;
    pid_t pid;
    int failure; /* errno */
} launcher = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static pthread_mutex_t launch_lock = PTHREAD_MUTEX_INITIALIZER; /* one is begun at a time */

static int spawn(void)
{
    /* no secret of the host's is in it; linear algebra keeps to its thread, as the engine has a worker for each of its own; pyarrow's own
     * memory takes as long again as a sum over a batch */
    static char *const environment[] = {"LANG=C.UTF-8",      "OPENBLAS_NUM_THREADS=1",           "OMP_NUM_THREADS=1",
                                        "MKL_NUM_THREADS=1", "ARROW_DEFAULT_MEMORY_POOL=system", NULL};
    posix_spawnattr_t attributes;
    sigset_t none, all;
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0); /* a terminal's Ctrl-C is the host's */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    int failure =
        posix_spawn(&launcher.pid, launcher.program, launcher.files, &attributes, launcher.arguments, environment);
    posix_spawnattr_destroy(&attributes);
    return failure;
}

static void *launch(void *ctx)
{
    (void)ctx;
    pthread_mutex_lock(&launcher.lock);
    for (;;) {
        while (!launcher.has_work)
            pthread_cond_wait(&launcher.changed, &launcher.lock);
        launcher.failure = spawn();
        launcher.has_work = false;
        launcher.is_done = true;
        pthread_cond_broadcast(&launcher.changed);
    }
    return NULL;
}

static bool has_launcher(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (launcher.has_thread)
        return true;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the host's threads */
    launcher.has_thread = pthread_create(&thread, &attributes, launch, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return launcher.has_thread;
}

/* The program beside this plugin. */
static bool find_program(char ret[PATH_BYTES], fl_python_fault *fault)
{
    Dl_info info;
    const char *path = dladdr((const void *)&launcher, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "";
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash - path) : 0;
    int n = snprintf(ret, PATH_BYTES, "%.*s/" WORKER, folder, path);
    if (n < PATH_BYTES && access(ret, X_OK) == 0)
        return true;
    return fail(fault, FL_PYTHON_REFUSED, "the program " WORKER " is not in \"%.*s\", beside the plugin", folder, path);
}

static bool launch_worker(process *p, int theirs, fl_python_fault *fault)
{
    const fl_python_declaration *d = &p->function->declaration;
    posix_spawn_file_actions_t files;
    char program[PATH_BYTES], host[16];
    if (!find_program(program, fault))
        return false;
    snprintf(host, sizeof(host), "%d", (int)getpid());
    char *arguments[] = {WORKER, host, d->may_be_unconfined ? "unconfined" : "confined",
                         (char *)(uintptr_t)d->module_path, NULL};
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, 0, 1);
    posix_spawn_file_actions_adddup2(&files, 0, 2);
    posix_spawn_file_actions_adddup2(&files, theirs, PYTHON_SOCKET_FD);
    posix_spawn_file_actions_adddup2(&files, p->memory, PYTHON_MEMORY_FD);
    pthread_mutex_lock(&launch_lock);
    pthread_mutex_lock(&launcher.lock);
    int failure = has_launcher() ? 0 : EAGAIN;
    if (failure == 0) {
        launcher.program = program;
        launcher.arguments = arguments;
        launcher.files = &files;
        launcher.has_work = true;
        launcher.is_done = false;
        pthread_cond_broadcast(&launcher.changed);
        while (!launcher.is_done)
            pthread_cond_wait(&launcher.changed, &launcher.lock);
        failure = launcher.failure;
        p->pid = launcher.pid;
        p->handle = failure == 0 ? (int)syscall(SYS_pidfd_open, p->pid, 0) : -1;
    }
    pthread_mutex_unlock(&launcher.lock);
    pthread_mutex_unlock(&launch_lock);
    posix_spawn_file_actions_destroy(&files);
    if (failure == 0)
        return true;
    p->pid = 0;
    return fail(fault, FL_PYTHON_REFUSED, "%s cannot be started: %s", program, strerror(failure));
}

/* Descriptors that stay clear of those that a worker's program is given: one would be closed by the other. */
static int move_up(int fd)
{
    if (fd < 0 || fd > PYTHON_MEMORY_FD)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, PYTHON_MEMORY_FD + 1);
    close(fd);
    return moved;
}

static bool grow(process *p, int64_t bytes, fl_python_fault *fault)
{
    if (bytes <= p->bytes)
        return true;
    if (bytes > PYTHON_SHARED_BYTES)
        return fail(fault, FL_PYTHON_LIMIT, "a batch of %lld bytes is more than the %lld that a process is given",
                    (long long)bytes, (long long)PYTHON_SHARED_BYTES);
    if (ftruncate(p->memory, bytes) != 0)
        return fail(fault, FL_PYTHON_NO_MEMORY, "shared memory of %lld bytes: %s", (long long)bytes, strerror(errno));
    p->bytes = bytes;
    return true;
}

static bool make_memory(process *p, fl_python_fault *fault)
{
    p->memory = move_up(memfd_create("fletch-python", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (p->memory < 0 || fcntl(p->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        return fail(fault, FL_PYTHON_NO_MEMORY, "shared memory: %s", strerror(errno));
    if (!grow(p, PYTHON_ROOM_AT, fault))
        return false;
    void *shared = mmap(NULL, PYTHON_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, p->memory, 0);
    if (shared == MAP_FAILED)
        return fail(fault, FL_PYTHON_NO_MEMORY, "shared memory: %s", strerror(errno));
    p->shared = shared;
    p->message = shared;
    return true;
}

/* ---- ending ---- */

static void send_signal(const process *p, int number)
{
    if (p->handle >= 0)
        (void)syscall(SYS_pidfd_send_signal, p->handle, number, NULL, 0);
    else
        (void)kill(p->pid, number);
}

/* Its status, once it has ended: by itself within `wait_ms`, or now. */
static int reap(process *p, int64_t wait_ms, bool *ret_was_killed)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    int status = 0;
    int64_t until_ms = clock_ms() + wait_ms;
    pid_t got = 0;
    *ret_was_killed = false;
    while (wait_ms > 0 && (got = waitpid(p->pid, &status, WNOHANG)) == 0 && clock_ms() < until_ms)
        nanosleep(&pause, NULL);
    if (got == 0) {
        send_signal(p, SIGKILL);
        *ret_was_killed = true;
        do {
            got = waitpid(p->pid, &status, 0);
        } while (got < 0 && errno == EINTR);
    }
    p->pid = 0;
    return status;
}

static void process_free(process *p)
{
    bool was_killed;
    if (p == NULL)
        return;
    if (p->pid > 0)
        (void)reap(p, 0, &was_killed);
    if (p->handle >= 0)
        close(p->handle);
    if (p->socket >= 0)
        close(p->socket);
    if (p->shared != NULL)
        munmap(p->shared, PYTHON_SHARED_BYTES);
    if (p->memory >= 0)
        close(p->memory);
    free(p);
}

/* The socket was closed: how did it end? */
static bool fail_ended(process *p, fl_python_fault *fault)
{
    bool was_killed;
    int status = reap(p, 500, &was_killed);
    int32_t row = atomic_load(&p->message->row);
    if (was_killed)
        fail(fault, FL_PYTHON_ENDED, "its process closed the connection");
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        fail(fault, FL_PYTHON_ENDED, "its process used up its processor time");
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        fail(fault, FL_PYTHON_ENDED, "its process was killed from outside, perhaps for want of memory");
    else if (WIFSIGNALED(status))
        fail(fault, FL_PYTHON_ENDED, "its process was ended by signal %d (%s)", WTERMSIG(status),
             strsignal(WTERMSIG(status)));
    else
        fail(fault, FL_PYTHON_ENDED, "its process exited with status %d", WEXITSTATUS(status));
    fault->row = row;
    return false;
}

/* ---- talking ---- */

/* Gives the turn to the worker and waits for it to come back. `until_ms` 0: as long as shall_stop lets it. A process that fails has ended. */
static bool exchange(process *p, fl_python_shall_stop shall_stop, void *ctx, int64_t until_ms, fl_python_fault *fault)
{
    python_message *m = p->message;
    char byte = 0;
    p->turns++;
    atomic_store(&m->asked, p->turns);
    if (atomic_load(&m->worker_sleeps) != 0 && send(p->socket, &byte, 1, MSG_NOSIGNAL) != 1)
        return fail_ended(p, fault);
    if (python_look(&m->answered, p->turns, &p->patience))
        return true;
    atomic_store(&m->host_sleeps, 1);
    for (;;) {
        ssize_t n = atomic_load(&m->answered) == p->turns ? 1 : recv(p->socket, &byte, 1, 0);
        if (n == 1 && atomic_load(&m->answered) == p->turns) {
            atomic_store(&m->host_sleeps, 0);
            return true;
        }
        if (n == 1)
            continue; /* for a turn before, which was seen otherwise */
        if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return fail_ended(p, fault);
        bool is_stopped = shall_stop != NULL && shall_stop(ctx), is_late = until_ms != 0 && clock_ms() > until_ms;
        bool was_killed;
        if (!is_stopped && !is_late)
            continue;
        (void)reap(p, 0, &was_killed);
        return is_stopped ? fail(fault, FL_PYTHON_STOPPED, "it was stopped")
                          : fail(fault, FL_PYTHON_LIMIT, "its text runs for more than %d s", DEFINE_MS_MAX / 1000);
    }
}

/* A fault that a worker tells: copied before it is looked at. */
static bool take_fault(const process *p, int32_t rows, fl_python_fault *fault)
{
    memcpy(fault, &p->message->fault, sizeof(*fault));
    fault->message[sizeof(fault->message) - 1] = fault->traceback[sizeof(fault->traceback) - 1] = 0;
    switch (fault->kind) {
    case FL_PYTHON_CODE:
    case FL_PYTHON_RESULT:
    case FL_PYTHON_MOMENT:
    case FL_PYTHON_LIMIT:
    case FL_PYTHON_REFUSED:
        break;
    default:
        fault->kind = FL_PYTHON_RAISED; /* of memory, too: it is the worker's own */
    }
    if (fault->row < -1 || fault->row >= rows)
        fault->row = -1;
    return false;
}

static bool define(process *p, fl_python_shall_stop shall_stop, void *ctx, fl_python_signature *ret,
                   fl_python_fault *fault)
{
    const fl_python_declaration *d = &p->function->declaration;
    python_message *m = p->message;
    size_t name = strlen(d->name) + 1, path = strlen(d->module_path) + 1;
    if (!grow(p, PYTHON_ROOM_AT + (int64_t)(name + path + d->code_bytes) + 1, fault))
        return false;
    uint8_t *room = p->shared + PYTHON_ROOM_AT;
    memcpy(room, d->name, name);
    memcpy(room + name, d->module_path, path);
    memcpy(room + name + path, d->code, d->code_bytes);
    room[name + path + d->code_bytes] = 0;
    m->request = PYTHON_DEFINE;
    m->n_args = d->n_args;
    m->result.type = d->returns;
    m->code_bytes = (int64_t)d->code_bytes;
    m->takes_nulls = d->takes_nulls;
    m->errors_are_null = d->errors_are_null;
    m->is_repeatable = d->is_repeatable;
    atomic_store(&m->row, -1);
    if (!exchange(p, shall_stop, ctx, clock_ms() + DEFINE_MS_MAX, fault))
        return false;
    if (m->reply == PYTHON_FAULT)
        return take_fault(p, 0, fault);
    memcpy(ret, &m->signature, sizeof(*ret));
    return true;
}

/* A worker that has its function. */
static process *process_new(const function *f, fl_python_shall_stop shall_stop, void *ctx, fl_python_signature *ret,
                            fl_python_fault *fault)
{
    const struct timeval look = {.tv_usec = LOOK_US};
    int sockets[2] = {-1, -1};
    process *p = calloc(1, sizeof(*p));
    if (p == NULL) {
        fail(fault, FL_PYTHON_NO_MEMORY, "out of memory: a process");
        return NULL;
    }
    p->function = f;
    p->socket = p->memory = p->handle = -1;
    bool is_good = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0;
    p->socket = sockets[0];
    int theirs = move_up(sockets[1]);
    if (!is_good || theirs < 0)
        is_good = fail(fault, FL_PYTHON_NO_MEMORY, "a socket: %s", strerror(errno));
    is_good = is_good && setsockopt(p->socket, SOL_SOCKET, SO_RCVTIMEO, &look, sizeof(look)) == 0;
    is_good = is_good && make_memory(p, fault) && launch_worker(p, theirs, fault);
    if (theirs >= 0)
        close(theirs);
    is_good = is_good && define(p, shall_stop, ctx, ret, fault);
    if (is_good)
        return p;
    process_free(p);
    return NULL;
}

/* ---- workers that wait, the one that waits longest first ---- */

static struct {
    pthread_mutex_t lock;
    process *items[IDLE_MAX];
    int n;
} idle = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Takes out the one at `i`. */
static process *take_idle(int i)
{
    process *p = idle.items[i];
    idle.n--;
    memmove(&idle.items[i], &idle.items[i + 1], (size_t)(idle.n - i) * sizeof(idle.items[0]));
    return p;
}

static process *find_idle(const function *f)
{
    process *p = NULL;
    pthread_mutex_lock(&idle.lock);
    for (int i = idle.n - 1; i >= 0 && p == NULL; i--)
        if (idle.items[i]->function == f)
            p = take_idle(i);
    pthread_mutex_unlock(&idle.lock);
    if (p != NULL)
        send_signal(p, SIGCONT);
    return p;
}

/* Whether it waits for its turn, and may go on. */
static bool is_alive(const process *p)
{
    char byte;
    ssize_t n = 1;
    for (int i = 0; i < STALE_BYTES_MAX && n == 1; i++) /* it answered twice where it saw too late that nobody slept */
        n = recv(p->socket, &byte, 1, MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && atomic_load(&p->message->answered) == p->turns &&
           p->message->processor_ms < PROCESSOR_MS_MAX;
}

/* It is stopped meanwhile: threads that a function began do not go on between calls. */
static void keep_idle(process *p)
{
    process *oldest = NULL;
    if (!is_alive(p)) {
        process_free(p);
        return;
    }
    send_signal(p, SIGSTOP);
    if (p->bytes > IDLE_BYTES_MAX)
        (void)madvise(p->shared + IDLE_BYTES_MAX, (size_t)(p->bytes - IDLE_BYTES_MAX), MADV_REMOVE);
    pthread_mutex_lock(&idle.lock);
    if (idle.n == IDLE_MAX)
        oldest = take_idle(0);
    idle.items[idle.n++] = p;
    pthread_mutex_unlock(&idle.lock);
    process_free(oldest);
}

/* ---- the table ---- */

static void function_free(void *ptr)
{
    function *f = ptr;
    for (process *p = find_idle(f); p != NULL; p = find_idle(f))
        process_free(p);
    free(f->text);
    free(f);
}

/* Folders as a process sees them that works elsewhere. */
static char *absolute_path(const char *folders)
{
    char here[PATH_BYTES];
    size_t n = 0, entries = 2;
    for (const char *p = folders; *p != 0; p++)
        entries += *p == ':';
    if (getcwd(here, sizeof(here)) == NULL)
        here[0] = 0;
    size_t bytes = strlen(folders) + entries * (strlen(here) + 2);
    char *path = calloc(1, bytes);
    for (const char *p = folders; path != NULL && *p != 0; p += p[strcspn(p, ":")] != 0) {
        int length = (int)strcspn(p, ":");
        if (length > 0)
            n += (size_t)snprintf(path + n, bytes - n, "%s%s%s%.*s", n > 0 ? ":" : "", *p == '/' ? "" : here,
                                  *p == '/' ? "" : "/", length, p);
        p += length;
    }
    return path;
}

static function *copy_function(const fl_python_declaration *d)
{
    char *folders = absolute_path(d->module_path);
    size_t name = strlen(d->name) + 1, path = folders != NULL ? strlen(folders) + 1 : 1;
    function *f = calloc(1, sizeof(*f));
    char *text = malloc(name + path + d->code_bytes + 1);
    if (f == NULL || text == NULL || folders == NULL) {
        free(f);
        free(text);
        free(folders);
        return NULL;
    }
    f->text = text;
    f->declaration = *d;
    f->declaration.name = memcpy(text, d->name, name);
    f->declaration.module_path = memcpy(text + name, folders, path);
    f->declaration.code = memcpy(text + name + path, d->code, d->code_bytes);
    free(folders);
    return f;
}

static void *function_new(const fl_python_declaration *declaration, fl_python_shall_stop shall_stop, void *ctx,
                          fl_python_signature *ret, fl_python_fault *fault)
{
    function *f = copy_function(declaration);
    if (f == NULL) {
        fail(fault, FL_PYTHON_NO_MEMORY, "out of memory: a function");
        return NULL;
    }
    process *p = process_new(f, shall_stop, ctx, ret, fault);
    if (p == NULL) {
        function_free(f);
        return NULL;
    }
    keep_idle(p);
    if (f->declaration.n_args < 0) { /* the same is asked of the next worker */
        f->declaration.n_args = ret->n_args;
        f->declaration.returns = ret->returns;
    }
    return f;
}

static void *caller_new(void *function, fl_python_fault *fault)
{
    caller *c = calloc(1, sizeof(*c));
    if (c == NULL)
        fail(fault, FL_PYTHON_NO_MEMORY, "out of memory: a caller");
    else
        c->function = function;
    return c;
}

static void caller_free(void *ptr)
{
    caller *c = ptr;
    if (c->process != NULL)
        keep_idle(c->process);
    free(c);
}

static void drop_process(caller *c)
{
    process_free(c->process);
    c->process = NULL;
}

/* Room for columns, and behind them some for the result's texts. */
static void *room(void *ptr, int64_t bytes, fl_python_shall_stop shall_stop, void *ctx, fl_python_fault *fault)
{
    caller *c = ptr;
    fl_python_signature known;
    if (c->process == NULL)
        c->process = find_idle(c->function);
    if (c->process != NULL && !is_alive(c->process))
        drop_process(c);
    if (c->process == NULL)
        c->process = process_new(c->function, shall_stop, ctx, &known, fault);
    if (c->process == NULL)
        return NULL;
    bool has_texts = fl_python_is_text(c->function->declaration.returns);
    c->texts_at = PYTHON_ROOM_AT + ALIGN(bytes);
    if (!grow(c->process, c->texts_at + (has_texts ? TEXTS_BYTES_MIN : 0), fault))
        return NULL;
    return c->process->shared + PYTHON_ROOM_AT;
}

static python_place place_of(const process *p, const fl_python_column *column)
{
    const uint8_t *values = column->values;
    return (python_place){.type = column->type,
                          .unit = column->unit,
                          .values = values - p->shared,
                          .nulls = column->nulls != NULL ? column->nulls - p->shared : -1,
                          .bytes = column->bytes != NULL ? (const uint8_t *)column->bytes - p->shared : PYTHON_ROOM_AT,
                          .bytes_length = column->bytes_length};
}

/* Until the worker has its result in the memory. */
static bool run_batch(process *p, int64_t texts_at, fl_python_batch *batch, fl_python_shall_stop shall_stop, void *ctx,
                      fl_python_fault *fault)
{
    python_message *m = p->message;
    for (;;) {
        m->texts_room = p->bytes - texts_at;
        if (!exchange(p, shall_stop, ctx, 0, fault))
            return false;
        int32_t reply = *(volatile int32_t *)&m->reply;
        int64_t bytes = *(volatile int64_t *)&m->texts_bytes;
        if (reply == PYTHON_FAULT)
            return take_fault(p, batch->rows, fault);
        if (bytes < 0 || bytes > PYTHON_SHARED_BYTES - texts_at)
            return fail(fault, FL_PYTHON_LIMIT, "its texts have %lld bytes, a batch's may have %lld", (long long)bytes,
                        (long long)(PYTHON_SHARED_BYTES - texts_at));
        if (reply == PYTHON_DONE && bytes <= p->bytes - texts_at) {
            batch->result.bytes = (const char *)p->shared + texts_at;
            batch->result.bytes_length = fl_python_is_text(batch->result.type) ? bytes : 0;
            return true;
        }
        if (!grow(p, texts_at + bytes, fault))
            return false;
        m->request = PYTHON_GO_ON;
    }
}

static bool run(void *ptr, fl_python_batch *batch, fl_python_shall_stop shall_stop, void *ctx, fl_python_fault *fault)
{
    caller *c = ptr;
    process *p = c->process;
    python_message *m = p->message;
    m->request = PYTHON_RUN;
    m->rows = batch->rows;
    m->n_args = batch->n_args;
    for (int32_t i = 0; i < batch->n_args; i++)
        m->args[i] = place_of(p, &batch->args[i]);
    m->result = place_of(p, &batch->result);
    m->result.bytes = c->texts_at;
    m->texts_bytes = 0;
    atomic_store(&m->row, -1);
    bool is_good = run_batch(p, c->texts_at, batch, shall_stop, ctx, fault);
    if (!is_good && (p->pid == 0 || fault->kind == FL_PYTHON_LIMIT))
        drop_process(c);
    return is_good;
}

static const fl_python_runtime runtime = {
    .abi = FL_PYTHON_RUNTIME_ABI,
    .function_new = function_new,
    .function_free = function_free,
    .caller_new = caller_new,
    .caller_free = caller_free,
    .room = room,
    .run = run,
};

__attribute__((visibility("default"))) const fl_python_runtime *fletch_python_runtime(void);

const fl_python_runtime *fletch_python_runtime(void)
{
    return &runtime;
}
