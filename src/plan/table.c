/* Bounds of scans: an intersected interval per slot, behind a lock, because join builds sharpen them while scans run; and
 * tests, which do not change any more by then. */
#include "plan/table.h"

#include <pthread.h>

struct fl_scan_bounds {
    pthread_mutex_t lock;
    fl_arena arena;
    fl_scan_bound *bounds;
    int64_t capacity;
    int32_t n;
    fl_scan_test *tests;
    int64_t tests_capacity;
    int32_t n_tests;
    fl_memory *memory;
    const fl_scan_bounds *of; /* of a view: what it looks into, and by which slots */
    const int32_t *slots;
};

fl_status fl_scan_bounds_new(fl_memory *memory, fl_scan_bounds **ret, fl_err *err)
{
    fl_scan_bounds *b = NULL;
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*b), (void **)&b, err);
    if (st != FL_OK)
        return st;
    pthread_mutex_init(&b->lock, NULL);
    fl_arena_init(&b->arena, memory);
    b->memory = memory;
    *ret = b;
    return FL_OK;
}

fl_status fl_scan_bounds_new_view(fl_memory *memory, const fl_scan_bounds *of, const int32_t *slots,
                                  fl_scan_bounds **ret, fl_err *err)
{
    FL_ASSERT(of != NULL && slots != NULL);
    fl_status st = fl_scan_bounds_new(memory, ret, err);
    if (st == FL_OK) {
        (*ret)->of = of;
        (*ret)->slots = slots;
    }
    return st;
}

void fl_scan_bounds_free(fl_scan_bounds *b)
{
    if (b == NULL)
        return;
    pthread_mutex_destroy(&b->lock);
    fl_free(b->bounds);
    fl_free(b->tests);
    fl_arena_drop(&b->arena);
    fl_free(b);
}

static fl_scan_bound *find(const fl_scan_bounds *b, int32_t slot)
{
    for (int32_t i = 0; i < b->n; i++)
        if (b->bounds[i].slot == slot)
            return &b->bounds[i];
    return NULL;
}

static fl_status add(fl_scan_bounds *b, const fl_scan_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_scan_bound *known = find(b, bound->slot);
    if (known == NULL) {
        FL_TRY(fl_grow(b->memory, (void **)&b->bounds, &b->capacity, b->n + 1, (int64_t)sizeof(*b->bounds), err));
        known = &b->bounds[b->n];
        *known = (fl_scan_bound){.slot = bound->slot};
        b->n++;
    }
    if (bound->has_low) {
        int order = known->has_low ? fl_value_compare(&bound->low, &known->low) : 1;
        if (order > 0 || (order == 0 && bound->is_low_open)) {
            FL_TRY(fl_value_copy(&b->arena, &bound->low, &known->low, err));
            known->has_low = true;
            known->is_low_open = bound->is_low_open;
        }
    }
    if (bound->has_high) {
        int order = known->has_high ? fl_value_compare(&bound->high, &known->high) : -1;
        if (order < 0 || (order == 0 && bound->is_high_open)) {
            FL_TRY(fl_value_copy(&b->arena, &bound->high, &known->high, err));
            known->has_high = true;
            known->is_high_open = bound->is_high_open;
        }
    }
cleanup:
    return st;
}

fl_status fl_scan_bounds_add(fl_scan_bounds *bounds, const fl_scan_bound *bound, fl_err *err)
{
    FL_ASSERT(bounds->of == NULL);
    pthread_mutex_lock(&bounds->lock);
    fl_status st = add(bounds, bound, err);
    pthread_mutex_unlock(&bounds->lock);
    return st;
}

fl_status fl_scan_bounds_add_test(fl_scan_bounds *b, const fl_scan_test *test, fl_err *err)
{
    fl_status st =
        fl_grow(b->memory, (void **)&b->tests, &b->tests_capacity, b->n_tests + 1, (int64_t)sizeof(*b->tests), err);
    if (st == FL_OK)
        b->tests[b->n_tests++] = *test;
    return st;
}

bool fl_scan_bounds_can_match(const fl_scan_bounds *bounds, int32_t slot, const fl_value *min, const fl_value *max,
                              bool all_null)
{
    if (bounds == NULL)
        return true;
    if (bounds->of != NULL)
        return fl_scan_bounds_can_match(bounds->of, bounds->slots[slot], min, max, all_null);
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&bounds->lock;
    bool can = true;
    pthread_mutex_lock(lock);
    const fl_scan_bound *b = find(bounds, slot);
    if (b != NULL) {
        if (all_null)
            can = false;
        if (can && b->has_low && max != NULL && fl_type_is_equal(max->type, b->low.type)) {
            int order = fl_value_compare(max, &b->low);
            can = order > 0 || (order == 0 && !b->is_low_open);
        }
        if (can && b->has_high && min != NULL && fl_type_is_equal(min->type, b->high.type)) {
            int order = fl_value_compare(min, &b->high);
            can = order < 0 || (order == 0 && !b->is_high_open);
        }
    }
    pthread_mutex_unlock(lock);
    for (int32_t i = 0; can && min != NULL && max != NULL && i < bounds->n_tests; i++)
        if (bounds->tests[i].slot == slot)
            can = bounds->tests[i].can_hold(bounds->tests[i].ctx, min, max);
    return can;
}

bool fl_scan_bounds_has(const fl_scan_bounds *bounds, int32_t slot)
{
    if (bounds == NULL)
        return false;
    if (bounds->of != NULL)
        return fl_scan_bounds_has(bounds->of, bounds->slots[slot]);
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&bounds->lock;
    pthread_mutex_lock(lock);
    bool has = find(bounds, slot) != NULL;
    pthread_mutex_unlock(lock);
    for (int32_t i = 0; !has && i < bounds->n_tests; i++)
        has = bounds->tests[i].slot == slot;
    return has;
}
