/* Quotients of products whose parts a double holds, but whose products it may not: powers of two are taken apart from the
 * digits and multiplied on their own, so that nothing is rounded that would not be. */
#ifndef FL_FUNC_AGGREGATE_SCALED_H
#define FL_FUNC_AGGREGATE_SCALED_H

#include <math.h>

/** a * b / (c * d). */
static inline double fl_quotient(double a, double b, double c, double d)
{
    int ea, eb, ec, ed;
    if (!isfinite(a) || !isfinite(b) || !isfinite(c) || !isfinite(d))
        return a * b / (c * d);
    a = frexp(a, &ea);
    b = frexp(b, &eb);
    c = frexp(c, &ec);
    d = frexp(d, &ed);
    return ldexp(a * b / (c * d), ea + eb - ec - ed);
}

/** a / sqrt(b * c). */
static inline double fl_quotient_of_root(double a, double b, double c)
{
    int ea, eb, ec;
    if (!isfinite(a) || !isfinite(b) || !isfinite(c))
        return a / sqrt(b * c);
    a = frexp(a, &ea);
    b = frexp(b, &eb);
    c = frexp(c, &ec);
    int is_odd = (eb + ec) & 1; /* a root halves the exponent */
    return ldexp(a / sqrt(ldexp(b * c, is_odd)), ea - (eb + ec - is_odd) / 2);
}

#endif
