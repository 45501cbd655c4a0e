/* Vectors of 128 bits: the interpreter does not know them. */
#include "exports.h"

#include <wasm_simd128.h>

EXPORT(norm4) double norm4(double a, double b, double c, double d)
{
    v128_t x = wasm_f64x2_make(a, b), y = wasm_f64x2_make(c, d);
    v128_t s = wasm_f64x2_add(wasm_f64x2_mul(x, x), wasm_f64x2_mul(y, y));
    return wasm_f64x2_extract_lane(s, 0) + wasm_f64x2_extract_lane(s, 1);
}
