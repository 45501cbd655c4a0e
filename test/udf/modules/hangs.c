/* An aggregate that never says how large its state is; its vectors keep it from the interpreter, which would count its steps. */
#include "exports.h"

#include <wasm_simd128.h>

EXPORT(hangs_state) int hangs_state(void)
{
    volatile int n = 0;
    for (;;)
        n++;
    return n;
}

EXPORT(hangs_init) void hangs_init(double *state)
{
    *state = 0;
}

EXPORT(hangs_update) void hangs_update(double *state, double x)
{
    v128_t both = wasm_f64x2_mul(wasm_f64x2_make(x, *state), wasm_f64x2_make(2, 3));
    *state = wasm_f64x2_extract_lane(both, 0) + wasm_f64x2_extract_lane(both, 1);
}

EXPORT(hangs_combine) void hangs_combine(double *into, const double *from)
{
    *into += *from;
}

EXPORT(hangs_finish) double hangs_finish(const double *state)
{
    return *state;
}
