/* What a test owns, in front of the machine's own. */
#include "owned_system.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static owned_system *of(const fl_system *system)
{
    return (owned_system *)(uintptr_t)system;
}

static void note(owned_system *owned, const char *format, ...)
{
    size_t used = strlen(owned->notes);
    va_list args;
    if (!owned->is_noting)
        return;
    va_start(args, format);
    vsnprintf(owned->notes + used, sizeof(owned->notes) - used, format, args);
    va_end(args);
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* ---- clock ---- */

static int64_t monotonic_ns(const fl_system *system)
{
    owned_system *owned = of(system);
    if (!owned->owns_clock)
        return fl_system_own.monotonic_ns(system);
    int64_t look = atomic_fetch_add(&owned->looks, 1) + 1;
    int64_t step = owned->look_ns + (look == owned->jump_look ? owned->jump_ns : 0);
    return atomic_fetch_add(&owned->now_ns, step) + step;
}

static int64_t process_ns(const fl_system *system)
{
    return of(system)->owns_clock ? atomic_load(&of(system)->now_ns) : fl_system_own.process_ns(system);
}

static int64_t wall_us(const fl_system *system)
{
    return of(system)->owns_clock ? atomic_load(&of(system)->wall_us) : fl_system_own.wall_us(system);
}

static int wait_until(const fl_system *system, pthread_cond_t *woken, pthread_mutex_t *lock, int64_t until_ns)
{
    owned_system *owned = of(system);
    if (!owned->owns_clock)
        return fl_system_own.wait(system, woken, lock, until_ns);
    atomic_fetch_add(&owned->waits, 1);
    if (atomic_load(&owned->now_ns) < until_ns)
        atomic_store(&owned->now_ns, until_ns);
    return -ETIMEDOUT;
}

/* ---- files ---- */

static bool is_due(owned_system *owned)
{
    return atomic_fetch_add(&owned->calls, 1) % 2 == 0 && owned->is_interrupted;
}

static int64_t read_at(const fl_system *system, int fd, int64_t offset, void *ret, int64_t bytes)
{
    owned_system *owned = of(system);
    if (is_due(owned))
        return -EINTR;
    if (owned->piece_max > 0 && bytes > owned->piece_max)
        bytes = owned->piece_max;
    int64_t got = fl_system_own.read_at(system, fd, offset, ret, bytes);
    int64_t byte = owned->bit_flipped / 8;
    if (owned->bit_flipped >= 0 && byte >= offset && byte < offset + got)
        ((char *)ret)[byte - offset] ^= (char)(1 << owned->bit_flipped % 8);
    return got;
}

/* A disk takes what it can before it is full. */
static int64_t write_at(const fl_system *system, int fd, int64_t offset, const void *from, int64_t bytes)
{
    owned_system *owned = of(system);
    if (is_due(owned))
        return -EINTR;
    if (owned->room_bytes == 0)
        return -ENOSPC;
    if (owned->piece_max > 0 && bytes > owned->piece_max)
        bytes = owned->piece_max;
    if (owned->room_bytes > 0 && bytes > owned->room_bytes)
        bytes = owned->room_bytes;
    int64_t written = fl_system_own.write_at(system, fd, offset, from, bytes);
    if (owned->room_bytes > 0 && written > 0)
        owned->room_bytes -= written;
    note(owned, "write %lld; ", (long long)written);
    return written;
}

static int punch(const fl_system *system, int fd, int64_t offset, int64_t bytes)
{
    return of(system)->has_no_holes ? -EOPNOTSUPP : fl_system_own.punch(system, fd, offset, bytes);
}

static int resize(const fl_system *system, int fd, int64_t bytes)
{
    fl_file_info info;
    if (fl_system_own.look_open(system, fd, &info) == 0)
        of(system)->resized_bytes = info.bytes;
    note(of(system), "resize %lld; ", (long long)bytes);
    return fl_system_own.resize(system, fd, bytes);
}

static int make(const fl_system *system, const char *path)
{
    note(of(system), "make %s; ", name_of(path));
    return fl_system_own.make(system, path);
}

static int sync_file(const fl_system *system, int fd)
{
    note(of(system), "sync; ");
    return fl_system_own.sync(system, fd);
}

static int sync_folder(const fl_system *system, const char *path)
{
    note(of(system), "sync_folder; ");
    return fl_system_own.sync_folder(system, path);
}

static int rename_file(const fl_system *system, const char *from, const char *to)
{
    note(of(system), "rename %s %s; ", name_of(from), name_of(to));
    return fl_system_own.rename(system, from, to);
}

static int remove_file(const fl_system *system, const char *path)
{
    note(of(system), "remove %s; ", name_of(path));
    return fl_system_own.remove(system, path);
}

/* ---- randomness ---- */

static int random_bytes(const fl_system *system, void *ret, int64_t bytes)
{
    if (!of(system)->owns_random)
        return fl_system_own.random(system, ret, bytes);
    memset(ret, of(system)->random, (size_t)bytes);
    return 0;
}

void owned_system_init(owned_system *owned)
{
    memset(owned, 0, sizeof(*owned));
    owned->system = fl_system_own;
    owned->system.monotonic_ns = monotonic_ns;
    owned->system.process_ns = process_ns;
    owned->system.wall_us = wall_us;
    owned->system.wait = wait_until;
    owned->system.read_at = read_at;
    owned->system.write_at = write_at;
    owned->system.punch = punch;
    owned->system.resize = resize;
    owned->system.make = make;
    owned->system.sync = sync_file;
    owned->system.sync_folder = sync_folder;
    owned->system.rename = rename_file;
    owned->system.remove = remove_file;
    owned->system.random = random_bytes;
    owned->room_bytes = -1;
    owned->bit_flipped = -1;
}
