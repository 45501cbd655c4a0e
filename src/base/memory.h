/* Counted and limited memory: every byte that a query takes is charged to a budget.
 *
 * Budgets form a chain (engine <- session <- query): a charge goes to the whole chain or to none of it. Over a limit
 * the caller gets FL_ERR_MEMORY with the budget's name and sizes; when the statement shall stop (base/interrupt.h),
 * FL_ERR_CANCELLED or FL_ERR_TIMEOUT. Also the one place where an allocation can be made
 * to fail on purpose (base/fault.h). Thread-safe: counters are atomic. */
#ifndef FL_BASE_MEMORY_H
#define FL_BASE_MEMORY_H

#include "base/status.h"
#include "base/str.h"

#include <stdatomic.h>

typedef struct fl_memory {
    const char *name;               /* for messages: "query", "engine" */
    struct fl_memory *parent;       /* NULL at the top */
    struct fl_region_pool *pool;    /* the engine's; NULL = plain allocations */
    struct fl_interrupt *interrupt; /* stops the work that the budget is for; NULL = nothing does */
    const struct fl_system *system; /* what clocks, files and randomness come from; NULL = the system's own */
    struct fl_metrics *metrics;     /* of the engine, where what is done is counted; NULL = it is not */
    struct fl_rejects *rejects;     /* of the session: lines of files that are left out; NULL = they are not kept */
    int64_t limit_bytes;            /* 0 = none */
    /** Where the limit would be passed: frees what is only kept for later, `bytes` of it if there is so much, and says
     *  whether it freed any. From any thread; charges nothing. NULL = nothing is kept. Set before the budget is used. */
    bool (*give_up)(void *kept, int64_t bytes);
    void *kept;
    _Atomic int64_t used_bytes;
    _Atomic int64_t peak_bytes;
} fl_memory;

/** Makes a budget below `parent` (may be NULL), whose pool, interrupt, system and metrics it takes on. limit_bytes 0 = only the
 *  parents' limits. */
void fl_memory_init(fl_memory *memory, fl_memory *parent, const char *name, int64_t limit_bytes);

/** Puts a budget with all that is charged to it below another parent, whose pool, interrupt, system and metrics it takes on.
 *  FL_ERR_MEMORY when that would pass a limit: it stays where it was. One thread at a time. */
fl_status fl_memory_move(fl_memory *memory, fl_memory *parent, fl_err *err);

/** The system of a budget; NULL for none. */
static inline const struct fl_system *fl_memory_system(const fl_memory *memory)
{
    return memory != NULL ? memory->system : NULL;
}

/** Where what is done with a budget is counted; NULL: nowhere. */
static inline struct fl_metrics *fl_memory_metrics(const fl_memory *memory)
{
    return memory != NULL ? memory->metrics : NULL;
}

/** Charges bytes (may be negative to give back). FL_ERR_MEMORY when a limit in the chain would be passed, FL_ERR_CANCELLED
 *  or FL_ERR_TIMEOUT when the work shall stop: nothing is charged then. */
fl_status fl_memory_charge(fl_memory *memory, int64_t bytes, fl_err *err);

/** Adds who asked ("the sort") to an error of fl_memory_charge that does not say so yet, and says that it did; leaves others as they are. */
bool fl_memory_say_who(fl_err *err, const char *who);

/** A size as people say it: "900 bytes", "12.4 MB", "16 MB". Powers of a thousand, as SET memory_limit = '16MB' reads them. */
#define FL_SIZE_TEXT_BYTES 32
void fl_size_print(char ret[FL_SIZE_TEXT_BYTES], int64_t bytes);

/** Reads one: "512 MB", "1.5GB", "64MiB", "1000000"; of the letters alone, as in "64M", powers of 1,024. False when it is none. */
bool fl_size_read(fl_str text, int64_t *ret);

/** What may still be charged: the least that the limits in the chain leave, and of which limit. INT64_MAX, 0: there is none. A
 *  number of the moment. */
int64_t fl_memory_left(const fl_memory *memory, int64_t *ret_limit);

/** Gives bytes back; never fails. */
void fl_memory_release(fl_memory *memory, int64_t bytes);

/** Allocates `bytes` charged to `memory` (NULL = not counted), 16-byte aligned, not cleared. Free with fl_free; the
 *  block remembers its size and budget, which must outlive it. */
fl_status fl_alloc(fl_memory *memory, int64_t bytes, void **ret, fl_err *err);

/** As fl_alloc, cleared. */
fl_status fl_alloc_zero(fl_memory *memory, int64_t bytes, void **ret, fl_err *err);

/** Grows or shrinks *block (NULL is an empty block) keeping its contents; on failure *block is as before. */
fl_status fl_realloc(fl_memory *memory, void **block, int64_t bytes, fl_err *err);

/** Frees a block of fl_alloc; NULL does nothing. */
void fl_free(void *block);

/** Gives freed blocks back to the system, where the allocator keeps them for later: after much was freed because there is a limit. Takes
 *  as long as clearing the pages that go would. */
void fl_memory_trim(void);

/** Makes room for `wanted` elements in a growing array: doubles *capacity as needed. */
fl_status fl_grow(fl_memory *memory, void **block, int64_t *capacity, int64_t wanted, int64_t element_bytes,
                  fl_err *err);

#endif
