/* The spill file: where rows go that leave memory.
 *
 * A run has at most one, made when it is first needed: a file without a name in the temporary directory, so that nothing is left
 * of it whatever ends the process. Any thread appends blocks to it, and reads blocks back in any order; a block that is
 * forgotten gives its space back. What is on the disk is compressed where that pays, and every byte of it is held against a
 * checksum that stays in memory: what comes back is what was written, or FL_ERR_CORRUPT.
 *
 * Neither the file nor writing takes memory from a budget, since that is what is done when there is none left: a block goes through a
 * buffer on the stack, piece by piece. Blocks of 64 kB and more cost least: each takes whole pages of 4 kB on the disk. */
#ifndef FL_EXEC_SPILL_FILE_H
#define FL_EXEC_SPILL_FILE_H

#include "base/memory.h"
#include "base/str.h"

/* How much may be spilled: a limit of a session, below it what an engine has spilled in all. Counts bytes on the disk. */
typedef struct fl_spill_quota {
    struct fl_spill_quota *parent; /* NULL at the top */
    const char *name;              /* for messages: "temp_limit" */
    int64_t limit_bytes;           /* 0 = none */
    _Atomic int64_t used_bytes;
    _Atomic int64_t peak_bytes;
} fl_spill_quota;

void fl_spill_quota_init(fl_spill_quota *quota, fl_spill_quota *parent, const char *name, int64_t limit_bytes);

typedef struct fl_spill_file fl_spill_file;

/* Where a block is, and what must be there. The caller keeps it. */
typedef struct fl_spill_block {
    int64_t offset;
    int64_t raw_bytes;    /* as it was written and is read */
    int64_t stored_bytes; /* on the disk; whole pages are taken for them */
    uint64_t checksum;    /* of all that is stored */
} fl_spill_block;

/* What went through a file so far. */
typedef struct fl_spill_stats {
    int64_t blocks;
    int64_t raw_bytes;
    int64_t stored_bytes;
    int64_t used_bytes; /* on the disk now */
} fl_spill_stats;

/** Makes the file in the directory, which must exist: FL_ERR_IO (58P01) with the nearest name when it does not, FL_ERR_IO (58030) when it
 *  cannot be written to. The budget, whose interrupt and system it works with, and the quota (NULL: no limit) must
 *  outlive it. */
fl_status fl_spill_file_new(fl_memory *memory, fl_str directory, fl_spill_quota *quota, fl_spill_file **ret,
                            fl_err *err);

/** Gives the file and all its blocks back. NULL does nothing. */
void fl_spill_file_free(fl_spill_file *file);

/** Appends a block of `bytes` ≥ 0. FL_ERR_IO (53100) when the disk is full, FL_ERR_LIMIT (53400) when a limit of the quota would
 *  be passed: nothing of the block takes space then, and the file goes on. Any thread. Looks whether the statement shall
 *  stop. */
fl_status fl_spill_file_write(fl_spill_file *file, const void *from, int64_t bytes, fl_spill_block *ret, fl_err *err);

/** Reads a block back: raw_bytes bytes to `ret`. FL_ERR_CORRUPT when they are not those that were written; what `ret` holds after a
 *  failure must not be used. Any thread. Looks whether the statement shall stop. */
fl_status fl_spill_file_read(fl_spill_file *file, const fl_spill_block *block, void *ret, fl_err *err);

/** The block will soon be read: the system may fetch it meanwhile. Any thread. */
void fl_spill_file_prefetch(fl_spill_file *file, const fl_spill_block *block);

/** The block is not needed any more: its space goes back to the disk and to the quota. Once for each block. Any thread. */
void fl_spill_file_forget(fl_spill_file *file, const fl_spill_block *block);

/** What went through so far. Any thread. */
fl_spill_stats fl_spill_file_stats(const fl_spill_file *file);

#endif
