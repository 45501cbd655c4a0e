/* Limits, Landlock and seccomp, before the first line of Python runs.
 *
 * Landlock leaves of the file system what Python reads its modules from, and nothing to write. It knows no names and sizes: those of other
 * files can be asked for (stat), their contents cannot. The seccomp filter lists the calls that there are; all others fail with EPERM, as
 * Python's PermissionError says. Threads are allowed, processes, programs, sockets and signals to others are not. */
#include "sandbox.h"

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMORY_BYTES_MAX (4ll << 30) /* or half of the machine's, where that is less */
#define PROCESSOR_SECONDS_MAX 3600
#define FILES_MAX 256
#define TASKS_MAX 4096 /* of the user: a second wall behind seccomp, which forbids processes */

/* ---- limits ---- */

static rlim_t address_limit(void)
{
    int64_t half = (int64_t)sysconf(_SC_PHYS_PAGES) / 2 * (int64_t)sysconf(_SC_PAGESIZE);
    return (rlim_t)(PYTHON_SHARED_BYTES + (half > 0 && half < MEMORY_BYTES_MAX ? half : MEMORY_BYTES_MAX));
}

static bool set_limits(char *message, size_t bytes)
{
    const struct {
        int resource; /* glibc has an enum of its own for it */
        rlim_t limit;
    } limits[] = {
        {RLIMIT_AS, address_limit()}, {RLIMIT_CPU, PROCESSOR_SECONDS_MAX}, {RLIMIT_FSIZE, 0},   {RLIMIT_CORE, 0},
        {RLIMIT_NOFILE, FILES_MAX},   {RLIMIT_NPROC, TASKS_MAX},           {RLIMIT_MSGQUEUE, 0}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit now, wanted = {limits[i].limit, limits[i].limit};
        if (getrlimit(limits[i].resource, &now) == 0 && now.rlim_max < wanted.rlim_max)
            wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
        if (setrlimit(limits[i].resource, &wanted) != 0) {
            snprintf(message, bytes, "its limits cannot be set: %s", strerror(errno));
            return false;
        }
    }
    return true;
}

/* ---- Landlock; its numbers, since older headers lack some ---- */

#define LANDLOCK_CREATE_RULESET 444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_READ_FILE (1u << 2)
#define LANDLOCK_READ_DIR (1u << 3)

struct ruleset {
    uint64_t files, network, scoped;
};

struct __attribute__((packed)) path_rule {
    uint64_t allowed;
    int32_t fd;
};

/* Everything that this version of it can refuse. */
static struct ruleset everything(long version)
{
    struct ruleset all = {.files = (1u << 13) - 1};
    if (version >= 2)
        all.files |= 1u << 13; /* moving to another folder */
    if (version >= 3)
        all.files |= 1u << 14; /* cutting off */
    if (version >= 4)
        all.network = 3; /* TCP: bind, connect */
    if (version >= 5)
        all.files |= 1u << 15; /* ioctl of devices */
    if (version >= 6)
        all.scoped = 3; /* abstract sockets, signals */
    return all;
}

/* What is not there cannot be read anyway. */
static void allow_path(int ruleset, const char *path, bool is_folder)
{
    struct path_rule rule = {.allowed = LANDLOCK_READ_FILE | (is_folder ? LANDLOCK_READ_DIR : 0)};
    rule.fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.fd < 0)
        return;
    (void)syscall(LANDLOCK_ADD_RULE, ruleset, 1, &rule, 0);
    close(rule.fd);
}

static void allow_paths(int ruleset, const char *module_path)
{
    static const char *const folders[] = {FLETCH_PYTHON_PREFIX "/lib", "/usr/lib", "/usr/local/lib", "/lib", "/lib64",
                                          "/usr/share/zoneinfo"};
    static const char *const files[] = {"/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom"};
    char path[4096];
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        allow_path(ruleset, folders[i], true);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        allow_path(ruleset, files[i], false);
    while (*module_path != 0) {
        size_t length = strcspn(module_path, ":");
        if (length > 0 && length < sizeof(path)) {
            memcpy(path, module_path, length);
            path[length] = 0;
            allow_path(ruleset, path, true);
        }
        module_path += length + (module_path[length] != 0);
    }
}

static bool close_files(const char *module_path, char *message, size_t bytes)
{
    long version = syscall(LANDLOCK_CREATE_RULESET, NULL, 0, 1);
    if (version < 1) {
        snprintf(message, bytes, "this kernel has no Landlock, which keeps files from it");
        return false;
    }
    struct ruleset all = everything(version);
    int ruleset = (int)syscall(LANDLOCK_CREATE_RULESET, &all, sizeof(all), 0);
    if (ruleset < 0) {
        snprintf(message, bytes, "Landlock makes no rules: %s", strerror(errno));
        return false;
    }
    allow_paths(ruleset, module_path);
    bool is_closed = syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0;
    if (!is_closed)
        snprintf(message, bytes, "Landlock does not confine it: %s", strerror(errno));
    close(ruleset);
    return is_closed;
}

/* ---- seccomp ---- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

#define FOREIGN_CALLS 0x40000000 /* x86-64's numbers for programs with 32-bit pointers begin here */

static const int allowed_calls[] = {
    /* open files */
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_close,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_lseek,
    SYS_getdents64,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_eventfd2,
    SYS_ppoll,
    SYS_pselect6,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    /* names */
    SYS_faccessat,
    SYS_readlinkat,
    SYS_getcwd,
    /* memory */
    SYS_mmap,
    SYS_mprotect,
    SYS_munmap,
    SYS_mremap,
    SYS_brk,
    SYS_madvise,
    /* threads, and signals of this process */
    SYS_futex,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_set_tid_address,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_getscheduler,
    SYS_sched_getparam,
    SYS_membarrier,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_exit,
    SYS_exit_group,
    SYS_restart_syscall,
    /* clocks, numbers of the process and machine */
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_uname,
    SYS_sysinfo,
    SYS_getrusage,
    SYS_times,
    SYS_getrandom,
    SYS_getcpu,
#if defined(SYS_rseq)
    SYS_rseq,
#endif
#if defined(SYS_faccessat2)
    SYS_faccessat2,
#endif
#if defined(__x86_64__)
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_dup2,
    SYS_pipe,
    SYS_poll,
    SYS_select,
    SYS_epoll_wait,
    SYS_arch_prctl,
    SYS_time,
#endif
};

#define FILTER_MAX 256
#define ARGUMENT(n) ((uint32_t)offsetof(struct seccomp_data, args[n])) /* its low half: processors here begin with it */

typedef struct filter {
    struct sock_filter code[FILTER_MAX];
    unsigned short n;
} filter;

static void add(filter *f, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
    f->code[f->n++] = (struct sock_filter){code, if_true, if_false, k};
}

static void give(filter *f, uint32_t verdict)
{
    add(f, BPF_RET | BPF_K, verdict, 0, 0);
}

static void load(filter *f, uint32_t at)
{
    add(f, BPF_LD | BPF_W | BPF_ABS, at, 0, 0);
}

/* The number is loaded; a call that is not this one goes on behind. */
static void allow_call(filter *f, int call)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1);
    give(f, SECCOMP_RET_ALLOW);
}

#define DENY (SECCOMP_RET_ERRNO | EPERM)

/* Allows a call whose argument is one of some values, and denies it else. */
static void allow_values(filter *f, int call, int argument, const uint32_t *values, int n)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, (uint8_t)(2 * n + 2));
    load(f, ARGUMENT(argument));
    for (int i = 0; i < n; i++)
        allow_call(f, (int)values[i]);
    give(f, DENY);
}

/* Allows a call of whose argument's bits `set` all, and `clear` none are set. */
static void allow_bits(filter *f, int call, int argument, uint32_t set, uint32_t clear)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 5);
    load(f, ARGUMENT(argument));
    add(f, BPF_ALU | BPF_AND | BPF_K, set | clear, 0, 0);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, set, 0, 1);
    give(f, SECCOMP_RET_ALLOW);
    give(f, DENY);
}

/* Without new ones: both halves of that pointer are 0. */
static void allow_asking_limits(filter *f)
{
    add(f, BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 6);
    load(f, ARGUMENT(2));
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load(f, ARGUMENT(2) + 4);
    add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    give(f, SECCOMP_RET_ALLOW);
    give(f, DENY);
}

static bool close_calls(char *message, size_t bytes)
{
    static const uint32_t writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
    static const uint32_t ioctls[] = {TCGETS, FIOCLEX, FIONCLEX, FIONREAD, FIONBIO};
    static const uint32_t fcntls[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};
    static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* the name of a region */};
    const uint32_t self[] = {(uint32_t)getpid()};
    filter f = {.n = 0};
    load(&f, offsetof(struct seccomp_data, arch));
    add(&f, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    give(&f, SECCOMP_RET_KILL_PROCESS);
    load(&f, offsetof(struct seccomp_data, nr));
    add(&f, BPF_JMP | BPF_JGE | BPF_K, FOREIGN_CALLS, 0, 1);
    give(&f, DENY);
    for (size_t i = 0; i < sizeof(allowed_calls) / sizeof(allowed_calls[0]); i++)
        allow_call(&f, allowed_calls[i]);
    allow_bits(&f, SYS_openat, 2, 0, writes);
#if defined(SYS_open)
    allow_bits(&f, SYS_open, 1, 0, writes);
#endif
    allow_bits(&f, SYS_clone, 0, CLONE_THREAD, 0);
    allow_values(&f, SYS_ioctl, 1, ioctls, (int)(sizeof(ioctls) / sizeof(ioctls[0])));
    allow_values(&f, SYS_fcntl, 1, fcntls, (int)(sizeof(fcntls) / sizeof(fcntls[0])));
    allow_values(&f, SYS_prctl, 0, prctls, (int)(sizeof(prctls) / sizeof(prctls[0])));
    allow_values(&f, SYS_kill, 0, self, 1);
    allow_values(&f, SYS_tgkill, 0, self, 1);
    allow_asking_limits(&f);
#if defined(SYS_clone3)
    add(&f, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1); /* its flags are out of sight: callers go on with clone */
    give(&f, SECCOMP_RET_ERRNO | ENOSYS);
#endif
    give(&f, DENY);
    struct sock_fprog program = {f.n, f.code};
    if (ARCHITECTURE == 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        snprintf(message, bytes,
                 "this kernel has no seccomp filters, which keep it from the network and other programs: %s",
                 ARCHITECTURE == 0 ? "none is written for this processor" : strerror(errno));
        return false;
    }
    return true;
}

/* What root may do beyond others. */
static void drop_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    (void)syscall(SYS_capset, &header, none);
}

bool fl_python_confine(const char *module_path, char *message, size_t bytes)
{
    (void)prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        snprintf(message, bytes, "this kernel gives new privileges: %s", strerror(errno));
        return false;
    }
    drop_privileges();
    bool has_limits = set_limits(message, bytes);
    bool is_closed = close_files(module_path, message, bytes);
    return close_calls(message, bytes) && has_limits && is_closed;
}
