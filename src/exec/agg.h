/* How aggregates are called. A state is a fixed number of bytes in a group's row; what does not fit (strings, lists,
 * distinct sets) lies in the worker's heap that the call carries.
 *
 * update_groups: row list[i] of the arguments goes to the state at states[i] + offset. Rows whose argument is null are
 *   left out by the kernel itself (it reads args[0].valid). Arguments come flat (decimals: width 8 or 16; strings: views).
 * update_all: all rows of mask (NULL = all) go to one state. NULL pointer: the caller uses update_groups.
 * is_masked: update_all costs little however the mask looks, and gives the same however rows are split: where a batch has few
 *   groups it is called once for each of them. Arguments have bounds then, where they can have any.
 * combine: adds the state `from` to `into`; both heaps live on. subtract: takes back a combine, exactly, in whatever order; NULL: it cannot. slide: puts rows into a state or takes rows out of it that were put in; what is fed before the first call stays in. Called with no rows to
 *   begin with; cheaper than feeding a frame's rows anew. NULL: it cannot. save, load: of states that leave memory (fl_state_kind). finish: writes the result of group i to row i of ret
 *   (ret->data preallocated in canonical width, validity preset to all valid). */
#ifndef FL_EXEC_AGG_H
#define FL_EXEC_AGG_H

#include "exec/spilled_rows.h"
#include "plan/func.h"

typedef struct fl_agg_call {
    int32_t n_args;
    const fl_vec *args;
    fl_arena *heap;
    const fl_agg_desc *agg;      /* which is called */
    uint64_t run;                /* of the plan that it is part of: no other has this number */
    struct fl_call_tally *tally; /* gets what becomes of rows; NULL: nobody asks */
    const fl_type *arg_types;    /* [n_args] */
    fl_type ret_type;
} fl_agg_call;

/* How states leave memory with their group's row. 0 is none of these: each kernel says it. */
typedef enum fl_state_kind {
    FL_STATE_PLAIN = 1, /* the state's bytes are all of it */
    FL_STATE_SAVED,     /* it points at more, which save appends and load makes again */
    FL_STATE_LATE /* it points at more, but never leaves: the aggregate asks for an order, and what it is fed stays rows until the
                   * group is complete */
} fl_state_kind;

/* Which of a group's rows, in their order, a kernel needs. */
typedef enum fl_agg_rows { FL_ROWS_ALL, FL_ROWS_FIRST, FL_ROWS_LAST } fl_agg_rows;

typedef struct fl_agg_kernel {
    int32_t state_bytes; /* multiple of 8; states are 8-byte aligned and start as zeroes */
    fl_state_kind state_kind;
    fl_agg_rows wanted;
    bool is_masked;
    fl_status (*update_groups)(fl_agg_call *call, uint8_t *const *states, int32_t offset, const uint16_t *list,
                               int32_t count, fl_err *err);
    fl_status (*update_all)(fl_agg_call *call, void *state, const uint64_t *mask, int32_t rows, fl_err *err);
    fl_status (*combine)(fl_agg_call *call, void *into, const void *from, fl_err *err);
    void (*subtract)(void *into, const void *from);
    fl_status (*slide)(fl_agg_call *call, void *state, const uint16_t *list, int32_t count, bool adds, fl_err *err);
    fl_status (*finish)(fl_agg_call *call, uint8_t *const *states, int32_t offset, int32_t count, fl_vec *ret,
                        fl_err *err);
    /** FL_STATE_SAVED: appends what the state points at. The call has no heap. */
    fl_status (*save)(fl_agg_call *call, const void *state, fl_spill_bytes *to, fl_err *err);
    /** FL_STATE_SAVED: `state` came back with the bytes that it had; makes it point at what save appended, in the call's heap. */
    fl_status (*load)(fl_agg_call *call, void *state, const uint8_t *from, fl_err *err);
} fl_agg_kernel;

#endif
