/* How kernels of functions are called: one call a batch, typed loops, no allocation but in the call's heap.
 *
 * Before a kernel runs, the evaluator has brought every argument to FL_FLAT and canonical width (strings: views), unless
 * the function's traits say that it takes more (FL_CONST_ARGS, FL_DICT_ARGS, FL_OFFSETS_ARGS); decimal arguments may be
 * stored in 8 or 16 bytes at any precision: read arg->width. ret->data has room for `rows` values in canonical width
 * (bool: bits, tail may be written), ret->valid is computed for FL_NULL_GIVES_NULL; with FL_SETS_VALID the kernel writes
 * fl_call_valid(call), with FL_GIVES_NULL what fl_call_own_valid gives.
 * A kernel with FL_CAN_FAIL looks at rows of call->mask only (or looks at all, and checks the mask before it raises): mask =
 * selected and no argument null; NULL = all. Others may compute all rows, null slots too.
 *
 * Where fl_func_desc.bounds and those of the arguments prove that no row wanted overflows, ret has bounds when the kernel is
 * called, and it may leave its checks out; rows not wanted and slots of nulls may overflow still, so it must wrap around.
 *
 * Kernels may be called on dictionary values instead of rows. A whole function file:
 *
 *     static fl_status sign_i64(fl_call *call, fl_err *err) { … }
 *     static const fl_func_desc funcs[] = {{FL_DESC(fl_func_desc), .name = "sign", .traits = FL_PURE | FL_NULL_GIVES_NULL,
 *         .overloads = (fl_func_overload[]){{FL_ARGS(FL_I64), FL_I64, 0, sign_i64}}, .n_overloads = 1, .doc = "…"}};
 *     FL_FUNC_SET(sign, funcs);          // and FL_FUNC(sign) in engine/builtins.def */
#ifndef FL_EXEC_FUNC_H
#define FL_EXEC_FUNC_H

#include "base/interrupt.h"
#include "plan/func.h"

typedef struct fl_call {
    int32_t rows;
    int32_t n_args;
    const fl_vec *args;   /* [n_args] */
    fl_vec *ret;          /* data and validity preallocated, see above; a kernel may change ret->width (decimals: 8) */
    const uint64_t *mask; /* see above */
    fl_arena *heap;       /* for the bytes of new strings; reset with the next batch */
    const fl_func_desc *func;               /* which is called */
    void *state;                            /* of fl_func_desc.prepare */
    void *local;                            /* of fl_func_desc.local_new */
    fl_memory *memory;                      /* the budget of the run; its interrupt holds cancellation and deadline */
    const struct fl_session_state *session; /* zone, now(); see exec/session_state.h */
    fl_work work;                           /* see fl_call_work */
} fl_call;

#define FL_CALL_DATA(name, ctype)                                            \
    static inline const ctype *fl_arg_##name(const fl_call *call, int32_t i) \
    {                                                                        \
        return (const ctype *)call->args[i].data;                            \
    }                                                                        \
    static inline ctype *fl_ret_##name(fl_call *call)                        \
    {                                                                        \
        return (ctype *)(uintptr_t)call->ret->data;                          \
    }
FL_CALL_DATA(i8, int8_t)
FL_CALL_DATA(i16, int16_t)
FL_CALL_DATA(i32, int32_t)
FL_CALL_DATA(i64, int64_t)
FL_CALL_DATA(u8, uint8_t)
FL_CALL_DATA(u16, uint16_t)
FL_CALL_DATA(u32, uint32_t)
FL_CALL_DATA(u64, uint64_t)
FL_CALL_DATA(f32, float)
FL_CALL_DATA(f64, double)
FL_CALL_DATA(i128, fl_i128)
FL_CALL_DATA(view, fl_view)
FL_CALL_DATA(interval, fl_interval)
FL_CALL_DATA(bits, uint64_t)
#undef FL_CALL_DATA

/** ret's validity bitmap, to be written by kernels with FL_SETS_VALID (starts as all valid). */
static inline uint64_t *fl_call_valid(fl_call *call)
{
    return (uint64_t *)(uintptr_t)call->ret->valid;
}

/** A copy of ret's validity bitmap that the kernel may write, for kernels with FL_GIVES_NULL. */
static inline fl_status fl_call_own_valid(fl_call *call, uint64_t **ret, fl_err *err)
{
    int64_t words = fl_bitmap_words(call->rows);
    fl_status st = fl_arena_get(call->heap, words * 8 + 8, (void **)ret, err);
    if (st != FL_OK)
        return st;
    if (call->ret->valid != NULL)
        memcpy(*ret, call->ret->valid, (size_t)words * 8);
    else
        fl_bitmap_fill(*ret, call->rows, true);
    call->ret->valid = *ret;
    return FL_OK;
}

/** Whether row i of a kernel with FL_CAN_FAIL is wanted. */
static inline bool fl_call_wants(const fl_call *call, int32_t i)
{
    return call->mask == NULL || fl_bit_get(call->mask, i);
}

/** Counts steps (bytes gone through, comparisons) and looks whether the statement shall stop. Kernels call it where a value, or
 *  a batch of long ones, may take milliseconds: per value, and inside of values that take more than FL_WORK_STEPS steps. */
static inline fl_status fl_call_work(fl_call *call, int64_t steps, fl_err *err)
{
    return fl_work_add(&call->work, steps, err);
}

/** Room for a new string of `bytes` bytes; short ones go inside the view: write, then fl_view_of. */
static inline fl_status fl_call_room(fl_call *call, int64_t bytes, char **ret, fl_err *err)
{
    return fl_arena_get(call->heap, bytes, (void **)ret, err);
}

#endif
