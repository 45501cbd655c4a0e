/* Blocks in a file without a name.
 *
 * A block is a sequence of pieces of up to 64 kB, as far as LZ4 looks back: a header of 8 bytes, then the piece, compressed or as it
 * was. A block begins on a page of the file and is given as much of its length as it would take uncompressed, since how much it will
 * be shows at its end only; what it does not write, and what is forgotten, is a hole, which takes no disk. So space is
 * bounded by the blocks that there are, without lists of free places; only offsets grow. When no block is left the file begins
 * anew, which also bounds it where a file system makes no holes. */
#include "exec/spill_file.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/system.h"

#include <errno.h>
#include <lz4.h>

#define PAGE_BYTES 4096
#define PIECE_BYTES (64 << 10)
#define HEADER_BYTES 8
#define STORED_BYTES_MAX (HEADER_BYTES + LZ4_COMPRESSBOUND(PIECE_BYTES))
#define TRIED_EVERY 4 /* while pieces of a block do not get smaller */

/* In front of each piece; the block's checksum covers it, too. */
typedef struct piece_header {
    uint32_t raw_bytes;
    uint32_t stored_bytes; /* as raw_bytes: it is not compressed */
} piece_header;

_Static_assert(sizeof(piece_header) == HEADER_BYTES, "no holes in what is stored");

struct fl_spill_file {
    fl_memory *memory;
    const fl_system *system;
    fl_spill_quota *quota;
    char *directory;
    int fd;
    pthread_mutex_t lock; /* of end and n_blocks */
    int64_t end;          /* where the next block begins */
    int64_t n_blocks;     /* that take space */
    _Atomic int64_t blocks, raw_bytes, stored_bytes, used_bytes;
};

static int64_t pages_of(int64_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* ---- quota ---- */

void fl_spill_quota_init(fl_spill_quota *quota, fl_spill_quota *parent, const char *name, int64_t limit_bytes)
{
    quota->parent = parent;
    quota->name = name;
    quota->limit_bytes = limit_bytes;
    atomic_store(&quota->used_bytes, 0);
    atomic_store(&quota->peak_bytes, 0);
}

static void release(fl_spill_file *file, int64_t bytes)
{
    FL_ASSERT(bytes >= 0 && bytes <= atomic_load(&file->used_bytes));
    atomic_fetch_sub(&file->used_bytes, bytes);
    for (fl_spill_quota *q = file->quota; q != NULL; q = q->parent)
        atomic_fetch_sub(&q->used_bytes, bytes);
}

static fl_status charge(fl_spill_file *file, int64_t bytes, fl_err *err)
{
    for (fl_spill_quota *q = file->quota; q != NULL; q = q->parent) {
        int64_t used = atomic_fetch_add(&q->used_bytes, bytes) + bytes;
        if (q->limit_bytes > 0 && used > q->limit_bytes) {
            char limit_text[FL_SIZE_TEXT_BYTES], used_text[FL_SIZE_TEXT_BYTES];
            for (fl_spill_quota *undo = file->quota; undo != q->parent; undo = undo->parent)
                atomic_fetch_sub(&undo->used_bytes, bytes);
            fl_size_print(limit_text, q->limit_bytes);
            fl_size_print(used_text, used - bytes);
            FL_FAIL(err, FL_ERR_LIMIT, "too much is spilled: %s is %s, and %s are in \"%s\" already", q->name,
                    limit_text, used_text, file->directory);
            fl_err_hint(err, "raise it with SET temp_limit = '…', or let the query keep fewer rows");
            return fl_err_state(err, "53400", FL_ERR_LIMIT);
        }
        int64_t peak = atomic_load_explicit(&q->peak_bytes, memory_order_relaxed);
        while (used > peak && !atomic_compare_exchange_weak(&q->peak_bytes, &peak, used))
            ;
    }
    atomic_fetch_add(&file->used_bytes, bytes);
    return FL_OK;
}

/* ---- the file ---- */

static fl_status fail_make(const fl_spill_file *file, int failure, fl_err *err)
{
    fl_file_info info;
    if (fl_system_look(file->system, file->directory, true, &info) < 0 || info.kind != FL_FILE_FOLDER) {
        FL_FAIL(err, FL_ERR_IO, "there is no temporary directory \"%s\"", file->directory);
        fl_file_hint_nearest(file->system, file->directory, err);
        return fl_err_state(err, "58P01", FL_ERR_IO);
    }
    FL_FAIL(err, FL_ERR_IO, "cannot make a file in the temporary directory \"%s\": %s", file->directory,
            fl_system_reason(failure));
    fl_err_hint(err, "SET temp_directory = '…' names another");
    return FL_ERR_IO;
}

fl_status fl_spill_file_new(fl_memory *memory, fl_str directory, fl_spill_quota *quota, fl_spill_file **ret,
                            fl_err *err)
{
    fl_status st = FL_OK;
    fl_spill_file *file = NULL;
    FL_ASSERT(directory.len == 0 || memchr(directory.data, 0, (size_t)directory.len) == NULL);
    FL_TRY(
        fl_alloc_zero(NULL, (int64_t)sizeof(*file), (void **)&file, err)); /* the budget may be used up: not counted */
    file->fd = -1;
    file->memory = memory;
    file->system = fl_memory_system(memory);
    file->quota = quota;
    pthread_mutex_init(&file->lock, NULL);
    FL_TRY(fl_alloc(NULL, directory.len + 1, (void **)&file->directory, err));
    if (directory.len > 0)
        memcpy(file->directory, directory.data, (size_t)directory.len);
    file->directory[directory.len] = 0;
    file->fd = fl_system_make_temporary(file->system, file->directory);
    if (file->fd < 0) {
        st = fail_make(file, file->fd, err);
        goto cleanup;
    }
    *ret = file;
    return FL_OK;
cleanup:
    fl_spill_file_free(file);
    return st;
}

void fl_spill_file_free(fl_spill_file *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        fl_system_close(file->system, file->fd);
    release(file, atomic_load(&file->used_bytes));
    pthread_mutex_destroy(&file->lock);
    fl_free(file->directory);
    fl_free(file);
}

/* A place for a block, and that a block takes it. */
static int64_t take_place(fl_spill_file *file, int64_t bytes)
{
    pthread_mutex_lock(&file->lock);
    int64_t offset = file->end;
    file->end += pages_of(bytes);
    file->n_blocks++;
    pthread_mutex_unlock(&file->lock);
    return offset;
}

/* A block's place becomes a hole while it is still the block's, so that nobody else's bytes go. Where the file system makes no holes
 * they stay on the disk, and counted, until no block is left. */
static void give_place(fl_spill_file *file, int64_t offset, int64_t bytes)
{
    if (bytes > 0 && fl_system_punch(file->system, file->fd, offset, bytes) == 0)
        release(file, bytes);
    pthread_mutex_lock(&file->lock);
    FL_ASSERT(file->n_blocks > 0);
    if (--file->n_blocks == 0 && fl_system_resize(file->system, file->fd, 0) == 0) {
        release(file, atomic_load(&file->used_bytes));
        file->end = 0;
    }
    pthread_mutex_unlock(&file->lock);
}

/* ---- writing ---- */

/* A piece as it is stored, behind its header: smaller by an eighth at least, or as it is. */
static int64_t pack_piece(const char *from, int64_t bytes, bool *tries, char *to)
{
    piece_header header = {(uint32_t)bytes, (uint32_t)bytes};
    if (*tries) {
        int packed = LZ4_compress_default(from, to + HEADER_BYTES, (int)bytes, STORED_BYTES_MAX - HEADER_BYTES);
        *tries = packed > 0 && packed <= bytes - bytes / 8;
        if (*tries)
            header.stored_bytes = (uint32_t)packed;
    }
    if (header.stored_bytes == header.raw_bytes)
        memcpy(to + HEADER_BYTES, from, (size_t)bytes);
    memcpy(to, &header, HEADER_BYTES);
    return HEADER_BYTES + header.stored_bytes;
}

static fl_status fail_write(const fl_spill_file *file, int failure, fl_err *err)
{
    char used_text[FL_SIZE_TEXT_BYTES];
    fl_size_print(used_text, atomic_load(&file->used_bytes));
    if (failure != -ENOSPC && failure != -EDQUOT && failure != -EFBIG)
        return FL_FAIL(err, FL_ERR_IO, "cannot write to the temporary directory \"%s\": %s", file->directory,
                       fl_system_reason(failure));
    FL_FAIL(err, FL_ERR_IO, "the temporary directory \"%s\" is full: %s are spilled by this statement (%s)",
            file->directory, used_text, fl_system_reason(failure));
    fl_err_hint(err, "SET temp_directory = '…' names another; SET memory_limit = '…' lets more stay in memory");
    return fl_err_state(err, "53100", FL_ERR_IO);
}

fl_status fl_spill_file_write(fl_spill_file *file, const void *from, int64_t bytes, fl_spill_block *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char piece[STORED_BYTES_MAX];
    fl_spill_block block = {.raw_bytes = bytes};
    int64_t n_pieces = (bytes + PIECE_BYTES - 1) / PIECE_BYTES, charged = 0;
    bool tries = true;
    FL_ASSERT(bytes >= 0);
    if (bytes == 0) { /* takes no place */
        *ret = block;
        return FL_OK;
    }
    block.offset = take_place(file, bytes + n_pieces * HEADER_BYTES);
    block.checksum = (uint64_t)block.offset; /* what lies elsewhere is another block */
    for (int64_t i = 0; i < n_pieces; i++) {
        int64_t at = i * PIECE_BYTES, left = bytes - at;
        if (file->memory != NULL)
            FL_TRY(fl_interrupt_check(file->memory->interrupt, err));
        tries |= i % TRIED_EVERY == 0;
        int64_t stored = pack_piece((const char *)from + at, left < PIECE_BYTES ? left : PIECE_BYTES, &tries, piece);
        int64_t more = pages_of(block.stored_bytes + stored) - charged;
        FL_TRY(charge(file, more, err));
        charged += more;
        int failure = fl_system_write_at(file->system, file->fd, block.offset + block.stored_bytes, piece, stored);
        if (failure < 0) {
            st = fail_write(file, failure, err);
            goto cleanup;
        }
        block.stored_bytes += stored;
        block.checksum = fl_hash_combine(block.checksum, fl_hash_bytes(piece, stored));
    }
    atomic_fetch_add(&file->blocks, 1);
    atomic_fetch_add(&file->raw_bytes, block.raw_bytes);
    atomic_fetch_add(&file->stored_bytes, block.stored_bytes);
    FL_ASSERT(charged == pages_of(block.stored_bytes)); /* what is given back when it is forgotten */
    *ret = block;
    return FL_OK;
cleanup:
    give_place(file, block.offset, charged);
    return st;
}

/* ---- reading ---- */

static fl_status fail_changed(const fl_spill_file *file, const fl_spill_block *block, const char *how, fl_err *err)
{
    FL_FAIL(err, FL_ERR_CORRUPT, "a spilled block of %lld bytes at offset %lld of a file in \"%s\" was changed: %s",
            (long long)block->stored_bytes, (long long)block->offset, file->directory, how);
    fl_err_hint(err, "the disk or the memory of the machine lost what was written; nothing else is damaged by it");
    return FL_ERR_CORRUPT;
}

static bool unpack_piece(const piece_header *header, const char *from, char *to)
{
    if (header->stored_bytes == header->raw_bytes) {
        memcpy(to, from, header->raw_bytes);
        return true;
    }
    return LZ4_decompress_safe(from, to, (int)header->stored_bytes, (int)header->raw_bytes) == (int)header->raw_bytes;
}

/* What is known of a block is held against what the file says of it as long as it is read, its checksum at the end. */
fl_status fl_spill_file_read(fl_spill_file *file, const fl_spill_block *block, void *ret, fl_err *err)
{
    fl_status st = FL_OK;
    char buffer[HEADER_BYTES +
                PIECE_BYTES]; /* stored bytes from `read` on: pieces that are whole, and the beginning of one */
    int64_t filled = 0, read = 0, done = 0;
    uint64_t checksum = (uint64_t)block->offset;
    while (done < block->raw_bytes) {
        int64_t used = 0;
        int64_t wanted = block->stored_bytes - read - filled, room = (int64_t)sizeof(buffer) - filled;
        if (file->memory != NULL)
            FL_TRY(fl_interrupt_check(file->memory->interrupt, err));
        if (wanted > room)
            wanted = room;
        int64_t got = fl_system_read_at(file->system, file->fd, block->offset + read + filled, buffer + filled, wanted);
        if (got < 0) {
            st = FL_FAIL(err, FL_ERR_IO, "cannot read from the temporary directory \"%s\": %s", file->directory,
                         fl_system_reason(got));
            goto cleanup;
        }
        filled += got;
        while (done < block->raw_bytes && filled - used >= HEADER_BYTES) {
            piece_header header;
            int64_t left = block->raw_bytes - done;
            memcpy(&header, buffer + used, HEADER_BYTES);
            if (header.raw_bytes != (left < PIECE_BYTES ? left : PIECE_BYTES) || header.stored_bytes == 0 ||
                header.stored_bytes > header.raw_bytes) {
                st = fail_changed(file, block, "a length in it cannot be", err);
                goto cleanup;
            }
            int64_t whole = HEADER_BYTES + (int64_t)header.stored_bytes;
            if (filled - used < whole)
                break;
            checksum = fl_hash_combine(checksum, fl_hash_bytes(buffer + used, whole));
            if (!unpack_piece(&header, buffer + used + HEADER_BYTES, (char *)ret + done)) {
                st = fail_changed(file, block, "what is compressed in it cannot be read", err);
                goto cleanup;
            }
            done += header.raw_bytes;
            used += whole;
        }
        if (used == 0) {
            st = fail_changed(file, block, "it ends before its end", err);
            goto cleanup;
        }
        memmove(buffer, buffer + used, (size_t)(filled - used));
        filled -= used;
        read += used;
    }
    if (checksum != block->checksum)
        st = fail_changed(file, block, "its checksum is another", err);
cleanup:
    return st;
}

void fl_spill_file_prefetch(fl_spill_file *file, const fl_spill_block *block)
{
    if (block->stored_bytes > 0)
        fl_system_prefetch(file->system, file->fd, block->offset, block->stored_bytes);
}

void fl_spill_file_forget(fl_spill_file *file, const fl_spill_block *block)
{
    if (block->stored_bytes > 0)
        give_place(file, block->offset, pages_of(block->stored_bytes));
}

fl_spill_stats fl_spill_file_stats(const fl_spill_file *file)
{
    return (fl_spill_stats){.blocks = atomic_load(&file->blocks),
                            .raw_bytes = atomic_load(&file->raw_bytes),
                            .stored_bytes = atomic_load(&file->stored_bytes),
                            .used_bytes = atomic_load(&file->used_bytes)};
}
