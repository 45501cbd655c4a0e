/* Budgets and the counted allocator. Each block has a 16-byte header with its size and its budget; those that nearly fill a region of the
 * engine's pool lie in one. */
#include "base/memory.h"

#include "base/fault.h"
#include "base/interrupt.h"
#include "base/region_pool.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HUGE_BYTES_MIN (2 * FL_HUGE_PAGE_BYTES) /* below it, pages that are not filled would cost more than they save */

#define CLEARED_BYTES (32ll << 20) /* between looks whether the statement shall stop */

typedef struct header {
    uint64_t is_pooled : 1; /* in a region of the budget's pool */
    uint64_t bytes : 63;
    fl_memory *memory;
} header;

_Static_assert(sizeof(header) == 16, "blocks stay 16-byte aligned");

void fl_memory_init(fl_memory *memory, fl_memory *parent, const char *name, int64_t limit_bytes)
{
    memory->name = name;
    memory->parent = parent;
    memory->pool = parent != NULL ? parent->pool : NULL;
    memory->interrupt = parent != NULL ? parent->interrupt : NULL;
    memory->system = parent != NULL ? parent->system : NULL;
    memory->metrics = parent != NULL ? parent->metrics : NULL;
    memory->rejects = parent != NULL ? parent->rejects : NULL;
    memory->limit_bytes = limit_bytes;
    memory->give_up = NULL;
    memory->kept = NULL;
    atomic_store(&memory->used_bytes, 0);
    atomic_store(&memory->peak_bytes, 0);
}

void fl_memory_trim(void)
{
#if defined(__GLIBC__)
    (void)malloc_trim(0);
#endif
}

static void note_peak(fl_memory *memory, int64_t used)
{
    int64_t peak = atomic_load_explicit(&memory->peak_bytes, memory_order_relaxed);
    while (used > peak && !atomic_compare_exchange_weak(&memory->peak_bytes, &peak, used))
        ;
}

void fl_size_print(char ret[FL_SIZE_TEXT_BYTES], int64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)bytes / 1000;
    int64_t unit = 0;
    for (; size >= 999.95 && unit + 1 < FL_LEN(units); unit++)
        size /= 1000;
    int tenths = (int)(size * 10 + 0.5);
    if (bytes < 1000)
        snprintf(ret, FL_SIZE_TEXT_BYTES, "%lld bytes", (long long)bytes);
    else if (tenths % 10 == 0)
        snprintf(ret, FL_SIZE_TEXT_BYTES, "%d %s", tenths / 10, units[unit]);
    else
        snprintf(ret, FL_SIZE_TEXT_BYTES, "%d.%d %s", tenths / 10, tenths % 10, units[unit]);
}

bool fl_size_read(fl_str text, int64_t *ret)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"", 1},
                 {"b", 1},
                 {"kb", 1e3},
                 {"kib", 1024},
                 {"k", 1024},
                 {"mb", 1e6},
                 {"mib", 1048576},
                 {"m", 1048576},
                 {"gb", 1e9},
                 {"gib", 1073741824.0},
                 {"g", 1073741824.0},
                 {"tb", 1e12},
                 {"tib", 1099511627776.0}};
    char copy[64] = "", *end = copy;
    if (text.len >= (int64_t)sizeof(copy))
        return false;
    if (text.len > 0)
        memcpy(copy, text.data, (size_t)text.len);
    double number = strtod(copy, &end);
    bool is_number = end != copy && number >= 0;
    while (*end == ' ')
        end++;
    for (int64_t i = 0; i < FL_LEN(units) && is_number; i++)
        if (fl_str_is_equal_nocase(fl_str_of(end), fl_str_of(units[i].unit)) && number * units[i].bytes < 9e18) {
            *ret = number <= 0 ? 0 : (int64_t)(number * units[i].bytes);
            return true;
        }
    return false;
}

static const char asked[] = "more were asked for";

static fl_status fail_limit(const fl_memory *m, int64_t used, int64_t bytes, fl_err *err)
{
    char limit_text[FL_SIZE_TEXT_BYTES], used_text[FL_SIZE_TEXT_BYTES], bytes_text[FL_SIZE_TEXT_BYTES];
    fl_size_print(limit_text, m->limit_bytes);
    fl_size_print(used_text, used);
    fl_size_print(bytes_text, bytes);
    FL_FAIL(err, FL_ERR_MEMORY, "out of memory: the %s limit is %s, %s are in use and %s %s", m->name, limit_text,
            used_text, bytes_text, asked);
    fl_err_hint(err, "raise it with SET memory_limit = '…' or --memory, or let the query keep fewer rows");
    return FL_ERR_MEMORY;
}

bool fl_memory_say_who(fl_err *err, const char *who)
{
    if (err == NULL || err->code != FL_ERR_MEMORY)
        return false;
    size_t len = strlen(err->message), tail = sizeof(asked) - 1;
    if (len < tail || strcmp(err->message + len - tail, asked) != 0)
        return false;
    snprintf(err->message + len, sizeof(err->message) - len, " by %s", who);
    return true;
}

/* Charges all budgets of the chain; or none, and gives the one whose limit that would pass, and what is in use of it. */
static fl_memory *charge_chain(fl_memory *memory, int64_t bytes, int64_t *ret_used)
{
    for (fl_memory *m = memory; m != NULL; m = m->parent) {
        int64_t used = atomic_fetch_add_explicit(&m->used_bytes, bytes, memory_order_relaxed) + bytes;
        if (bytes > 0 && m->limit_bytes > 0 && used > m->limit_bytes) {
            for (fl_memory *undo = memory;; undo = undo->parent) {
                atomic_fetch_sub_explicit(&undo->used_bytes, bytes, memory_order_relaxed);
                if (undo == m)
                    break;
            }
            *ret_used = used - bytes;
            return m;
        }
        note_peak(m, used);
    }
    return NULL;
}

fl_status fl_memory_charge(fl_memory *memory, int64_t bytes, fl_err *err)
{
    int64_t used = 0;
    if (bytes > 0 && memory != NULL) {
        fl_status st = fl_interrupt_check(memory->interrupt, err);
        if (st != FL_OK)
            return st;
    }
    for (;;) {
        const fl_memory *full = charge_chain(memory, bytes, &used);
        if (full == NULL)
            return FL_OK;
        if (full->give_up == NULL || !full->give_up(full->kept, used + bytes - full->limit_bytes))
            return fail_limit(full, used, bytes, err);
    }
}

fl_status fl_memory_move(fl_memory *memory, fl_memory *parent, fl_err *err)
{
    int64_t used = atomic_load(&memory->used_bytes);
    fl_status st = fl_memory_charge(parent, used, err);
    if (st != FL_OK)
        return st;
    fl_memory_release(memory->parent, used);
    memory->parent = parent;
    memory->pool = parent->pool;
    memory->interrupt = parent->interrupt;
    memory->system = parent->system;
    memory->metrics = parent->metrics;
    memory->rejects = parent->rejects;
    return FL_OK;
}

int64_t fl_memory_left(const fl_memory *memory, int64_t *ret_limit)
{
    int64_t least = INT64_MAX;
    *ret_limit = 0;
    for (; memory != NULL; memory = memory->parent) {
        int64_t left = memory->limit_bytes - atomic_load_explicit(&memory->used_bytes, memory_order_relaxed);
        if (memory->limit_bytes > 0 && left < least) {
            least = left;
            *ret_limit = memory->limit_bytes;
        }
    }
    return least;
}

void fl_memory_release(fl_memory *memory, int64_t bytes)
{
    for (fl_memory *m = memory; m != NULL; m = m->parent) {
        int64_t used = atomic_fetch_sub_explicit(&m->used_bytes, bytes, memory_order_relaxed);
        FL_ASSERT(used >= bytes); /* what goes was charged */
    }
}

static int64_t whole_bytes(int64_t bytes)
{
    return (int64_t)sizeof(header) + bytes;
}

static bool fills_region(const fl_memory *memory, int64_t whole)
{
    return memory != NULL && whole >= FL_REGION_BYTES_MIN && fl_region_is_filled(memory->pool, whole);
}

/* NULL: the system has none. */
static header *block_new(fl_memory *memory, int64_t bytes)
{
    int64_t whole = whole_bytes(bytes);
    bool is_pooled = fills_region(memory, whole);
    header *block = is_pooled                ? fl_region_get(memory->pool, whole)
                    : whole < HUGE_BYTES_MIN ? malloc((size_t)whole)
                                             : fl_region_alloc(whole);
    if (block != NULL)
        *block = (header){.is_pooled = is_pooled, .bytes = (uint64_t)bytes, .memory = memory};
    return block;
}

static void block_free(header *block)
{
    if (block->is_pooled)
        fl_region_put(block->memory->pool, block, whole_bytes((int64_t)block->bytes));
    else
        free(block);
}

/* The block in another size, or NULL: the old one is as it was. */
static header *block_resized(header *old, int64_t bytes)
{
    fl_memory *memory = old->memory;
    if (old->is_pooled || fills_region(memory, whole_bytes(bytes))) {
        header *block = block_new(memory, bytes);
        if (block == NULL)
            return NULL;
        memcpy(block + 1, old + 1, (size_t)(bytes < (int64_t)old->bytes ? bytes : (int64_t)old->bytes));
        block_free(old);
        return block;
    }
    header *block = realloc(old, (size_t)whole_bytes(bytes));
    if (block != NULL)
        block->bytes = (uint64_t)bytes;
    return block;
}

fl_status fl_alloc(fl_memory *memory, int64_t bytes, void **ret, fl_err *err)
{
    FL_ASSERT(bytes >= 0);
    fl_status st = fl_memory_charge(memory, bytes, err);
    if (st != FL_OK)
        return st;
    header *block = fl_fault_is_due(FL_FAULT_ALLOC) ? NULL : block_new(memory, bytes);
    if (block == NULL) {
        fl_memory_release(memory, bytes);
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: the system has no %lld bytes more", (long long)bytes);
    }
    *ret = block + 1;
    return FL_OK;
}

fl_status fl_alloc_zero(fl_memory *memory, int64_t bytes, void **ret, fl_err *err)
{
    void *block = NULL;
    fl_status st = fl_alloc(memory, bytes, &block, err);
    for (int64_t at = 0; st == FL_OK && at < bytes; at += CLEARED_BYTES) {
        memset((char *)block + at, 0, (size_t)(bytes - at < CLEARED_BYTES ? bytes - at : CLEARED_BYTES));
        if (memory != NULL && bytes > CLEARED_BYTES)
            st = fl_interrupt_check(memory->interrupt, err);
    }
    if (st != FL_OK) {
        fl_free(block);
        return st;
    }
    *ret = block;
    return FL_OK;
}

fl_status fl_realloc(fl_memory *memory, void **block, int64_t bytes, fl_err *err)
{
    if (*block == NULL)
        return fl_alloc(memory, bytes, block, err);
    header *old = (header *)*block - 1;
    FL_ASSERT(old->memory == memory);
    int64_t more = bytes - (int64_t)old->bytes;
    fl_status st = fl_memory_charge(memory, more, err);
    if (st != FL_OK)
        return st;
    header *grown = fl_fault_is_due(FL_FAULT_ALLOC) ? NULL : block_resized(old, bytes);
    if (grown == NULL) {
        fl_memory_release(memory, more);
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: the system has no %lld bytes more", (long long)bytes);
    }
    *block = grown + 1;
    return FL_OK;
}

void fl_free(void *block)
{
    if (block == NULL)
        return;
    header *h = (header *)block - 1;
    fl_memory *memory = h->memory;
    int64_t bytes = (int64_t)h->bytes;
    block_free(h);
    fl_memory_release(memory, bytes);
}

fl_status fl_grow(fl_memory *memory, void **block, int64_t *capacity, int64_t wanted, int64_t element_bytes,
                  fl_err *err)
{
    if (wanted <= *capacity)
        return FL_OK;
    int64_t grown = *capacity < 8 ? 8 : *capacity * 2;
    if (grown < wanted)
        grown = wanted;
    fl_status st = fl_realloc(memory, block, grown * element_bytes, err);
    if (st == FL_OK)
        *capacity = grown;
    return st;
}
