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

/* ---- the call that fails ---- */

/* Whether it is this one. Each call goes on to be of its own kind and of any. */
static bool fails(owned_system *owned, owned_call kind, const char *name)
{
    if (owned->failing != OWNED_CALL_ANY && owned->failing != kind)
        return false;
    if (atomic_load(&owned->calls_left) <= 0 || atomic_fetch_sub(&owned->calls_left, 1) != 1)
        return false;
    owned->failed = name;
    return true;
}

static int opened(owned_system *owned, int fd)
{
    if (fd >= 0)
        atomic_fetch_add(&owned->files_open, 1);
    return fd;
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
    bool is_failing = fails(owned, OWNED_CALL_READ, "read_at");
    if (is_failing && owned->failure < 0)
        return owned->failure;
    int64_t got = fl_system_own.read_at(system, fd, offset, ret, bytes);
    if (is_failing && got > 0)
        ((char *)ret)[got / 2] ^= 16;
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
    if (fails(owned, OWNED_CALL_WRITE, "write_at"))
        return owned->failure;
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
    if (fails(of(system), OWNED_CALL_ANY, "punch"))
        return of(system)->failure;
    return of(system)->has_no_holes ? -EOPNOTSUPP : fl_system_own.punch(system, fd, offset, bytes);
}

static int resize(const fl_system *system, int fd, int64_t bytes)
{
    fl_file_info info;
    if (fails(of(system), OWNED_CALL_WRITE, "resize"))
        return of(system)->failure;
    if (fl_system_own.look_open(system, fd, &info) == 0)
        of(system)->resized_bytes = info.bytes;
    note(of(system), "resize %lld; ", (long long)bytes);
    return fl_system_own.resize(system, fd, bytes);
}

static int make(const fl_system *system, const char *path)
{
    owned_system *owned = of(system);
    note(owned, "make %s; ", name_of(path));
    return fails(owned, OWNED_CALL_ANY, "make") ? owned->failure : opened(owned, fl_system_own.make(system, path));
}

static int create(const fl_system *system, const char *path)
{
    owned_system *owned = of(system);
    note(owned, "create %s; ", name_of(path));
    return fails(owned, OWNED_CALL_ANY, "create") ? owned->failure : opened(owned, fl_system_own.create(system, path));
}

static int edit(const fl_system *system, const char *path)
{
    owned_system *owned = of(system);
    note(owned, "edit %s; ", name_of(path));
    return fails(owned, OWNED_CALL_ANY, "edit") ? owned->failure : opened(owned, fl_system_own.edit(system, path));
}

static int lock(const fl_system *system, int fd)
{
    return fails(of(system), OWNED_CALL_ANY, "lock") ? of(system)->failure : fl_system_own.lock(system, fd);
}

static int make_folder(const fl_system *system, const char *path)
{
    note(of(system), "make_folder %s; ", name_of(path));
    if (fails(of(system), OWNED_CALL_WRITE, "make_folder"))
        return of(system)->failure;
    return fl_system_own.make_folder(system, path);
}

static int create_folder(const fl_system *system, const char *path)
{
    note(of(system), "create_folder %s; ", name_of(path));
    if (fails(of(system), OWNED_CALL_WRITE, "create_folder"))
        return of(system)->failure;
    return fl_system_own.create_folder(system, path);
}

static int touch(const fl_system *system, const char *path)
{
    return fails(of(system), OWNED_CALL_ANY, "touch") ? of(system)->failure : fl_system_own.touch(system, path);
}

static int open_file(const fl_system *system, const char *path)
{
    owned_system *owned = of(system);
    return fails(owned, OWNED_CALL_ANY, "open") ? owned->failure : opened(owned, fl_system_own.open(system, path));
}

static int make_temporary(const fl_system *system, const char *folder)
{
    owned_system *owned = of(system);
    if (fails(owned, OWNED_CALL_ANY, "make_temporary"))
        return owned->failure;
    return opened(owned, fl_system_own.make_temporary(system, folder));
}

static void close_file(const fl_system *system, int fd)
{
    atomic_fetch_sub(&of(system)->files_open, 1);
    fl_system_own.close(system, fd);
}

static int look(const fl_system *system, const char *path, bool follows_links, fl_file_info *ret)
{
    if (fails(of(system), OWNED_CALL_ANY, "look"))
        return of(system)->failure;
    return fl_system_own.look(system, path, follows_links, ret);
}

static int look_open(const fl_system *system, int fd, fl_file_info *ret)
{
    if (fails(of(system), OWNED_CALL_ANY, "look_open"))
        return of(system)->failure;
    return fl_system_own.look_open(system, fd, ret);
}

static int64_t read_link(const fl_system *system, const char *path, char *ret, int64_t bytes)
{
    if (fails(of(system), OWNED_CALL_ANY, "read_link"))
        return of(system)->failure;
    return fl_system_own.read_link(system, path, ret, bytes);
}

static int list(const fl_system *system, const char *folder, bool (*each)(void *ctx, const char *name), void *ctx)
{
    if (fails(of(system), OWNED_CALL_ANY, "list"))
        return of(system)->failure;
    return fl_system_own.list(system, folder, each, ctx);
}

static int sync_file(const fl_system *system, int fd)
{
    note(of(system), "sync; ");
    if (fails(of(system), OWNED_CALL_WRITE, "sync"))
        return of(system)->failure;
    return fl_system_own.sync(system, fd);
}

static int sync_folder(const fl_system *system, const char *path)
{
    note(of(system), "sync_folder; ");
    if (fails(of(system), OWNED_CALL_WRITE, "sync_folder"))
        return of(system)->failure;
    return fl_system_own.sync_folder(system, path);
}

static int rename_file(const fl_system *system, const char *from, const char *to)
{
    note(of(system), "rename %s %s; ", name_of(from), name_of(to));
    if (fails(of(system), OWNED_CALL_WRITE, "rename"))
        return of(system)->failure;
    return fl_system_own.rename(system, from, to);
}

static int remove_file(const fl_system *system, const char *path)
{
    note(of(system), "remove %s; ", name_of(path));
    if (fails(of(system), OWNED_CALL_WRITE, "remove"))
        return of(system)->failure;
    return fl_system_own.remove(system, path);
}

/* ---- randomness ---- */

static int random_bytes(const fl_system *system, void *ret, int64_t bytes)
{
    if (fails(of(system), OWNED_CALL_ANY, "random"))
        return of(system)->failure;
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
    owned->system.open = open_file;
    owned->system.edit = edit;
    owned->system.lock = lock;
    owned->system.make_folder = make_folder;
    owned->system.touch = touch;
    owned->system.make_temporary = make_temporary;
    owned->system.close = close_file;
    owned->system.look = look;
    owned->system.look_open = look_open;
    owned->system.read_link = read_link;
    owned->system.list = list;
    owned->system.read_at = read_at;
    owned->system.write_at = write_at;
    owned->system.punch = punch;
    owned->system.resize = resize;
    owned->system.make = make;
    owned->system.create = create;
    owned->system.create_folder = create_folder;
    owned->system.sync = sync_file;
    owned->system.sync_folder = sync_folder;
    owned->system.rename = rename_file;
    owned->system.remove = remove_file;
    owned->system.random = random_bytes;
    owned->room_bytes = -1;
    owned->bit_flipped = -1;
}
