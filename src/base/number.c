/* Numbers and text. Shortest doubles are found by trying 15, 16, then 17 digits: by 128 bits where these hold the number exactly, which
 * numbers between 1e-10 and 1e16 do, else by the C library's conversions, which are exact, too. */
#include "base/number.h"

#include "base/status.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGITS_64 19                     /* that a word always holds */
#define POWER_64 10000000000000000000ull /* 10 to that */

static const char pairs[201] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Writes the digits of a value before `end`, two at a time, and zeros until there are n; returns where they begin. */
static char *put_digits(uint64_t value, int32_t n, char *end)
{
    char *at = end;
    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, &pairs[value % 100 * 2], 2);
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, &pairs[value * 2], 2);
    } else if (value > 0) {
        *--at = (char)('0' + value);
    }
    while (end - at < n)
        *--at = '0';
    return at;
}

/* The same of 128 bits: up to 39 digits. */
static char *put_wide(unsigned __int128 value, int32_t n, char *end)
{
    while (value > UINT64_MAX) {
        char *at = put_digits((uint64_t)(value % POWER_64), DIGITS_64, end);
        n -= (int32_t)(end - at);
        end = at;
        value /= POWER_64;
    }
    return put_digits((uint64_t)value, n, end);
}

static unsigned __int128 magnitude(__int128 value)
{
    return value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
}

int32_t fl_u64_print(uint64_t value, char *ret)
{
    char digits[24], *end = digits + sizeof(digits), *at = put_digits(value, 1, end);
    int32_t len = (int32_t)(end - at);
    memcpy(ret, at, (size_t)len);
    ret[len] = 0;
    return len;
}

int32_t fl_i128_print(__int128 value, char *ret)
{
    return fl_decimal_print(value, 0, ret);
}

int32_t fl_decimal_print(__int128 value, int32_t scale, char *ret)
{
    char digits[64], *end = digits + sizeof(digits);
    int32_t len = 0, behind = scale > 0 ? scale : 0;
    char *at = put_wide(magnitude(value), behind + 1, end); /* at least one digit before the point */
    int32_t before = (int32_t)(end - at) - behind;
    if (value < 0)
        ret[len++] = '-';
    memcpy(ret + len, at, (size_t)before);
    len += before;
    if (behind > 0) {
        ret[len++] = '.';
        memcpy(ret + len, at + before, (size_t)behind);
        len += behind;
    }
    ret[len] = 0;
    return len;
}

static int32_t print_special(double value, char *ret)
{
    const char *text = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    strcpy(ret, text);
    return (int32_t)strlen(text);
}

/* ---- shortest doubles ---------------------------------------------------------------------------------------------- */

#define POWER_OF_5_MAX \
    27 /* that a word holds: times a mantissa it is exact in 128 bits, with the bits that tell halves of a step */

static const uint64_t powers_of_10[] = {1ull,
                                        10ull,
                                        100ull,
                                        1000ull,
                                        10000ull,
                                        100000ull,
                                        1000000ull,
                                        10000000ull,
                                        100000000ull,
                                        1000000000ull,
                                        10000000000ull,
                                        100000000000ull,
                                        1000000000000ull,
                                        10000000000000ull,
                                        100000000000000ull,
                                        1000000000000000ull,
                                        10000000000000000ull,
                                        100000000000000000ull};

/* A positive binary number, mantissa * 2^exponent, and in how many digits it is written. */
typedef struct binary_number {
    uint64_t mantissa;
    int32_t exponent;
    bool is_step; /* the numbers below it lie half as far apart as those above */
    int32_t digits_min, digits_max;
} binary_number;

static const uint64_t powers_of_5[POWER_OF_5_MAX + 1] = {1ull,
                                                         5ull,
                                                         25ull,
                                                         125ull,
                                                         625ull,
                                                         3125ull,
                                                         15625ull,
                                                         78125ull,
                                                         390625ull,
                                                         1953125ull,
                                                         9765625ull,
                                                         48828125ull,
                                                         244140625ull,
                                                         1220703125ull,
                                                         6103515625ull,
                                                         30517578125ull,
                                                         152587890625ull,
                                                         762939453125ull,
                                                         3814697265625ull,
                                                         19073486328125ull,
                                                         95367431640625ull,
                                                         476837158203125ull,
                                                         2384185791015625ull,
                                                         11920928955078125ull,
                                                         59604644775390625ull,
                                                         298023223876953125ull,
                                                         1490116119384765625ull,
                                                         7450580596923828125ull};

/* Four times the number times 10^k is `fixed` / 2^bits. False where that is no integer of 128 bits. */
static bool scale(const binary_number *x, int32_t k, unsigned __int128 *ret_fixed, int32_t *ret_bits)
{
    int32_t bits = 2 - x->exponent - k;
    if (k < 0 || k > POWER_OF_5_MAX || bits < 0 || bits > 120)
        return false;
    *ret_fixed = (unsigned __int128)(x->mantissa * 4) * powers_of_5[k];
    *ret_bits = bits;
    return true;
}

/* %.<digits>g's text of value / 10^(digits - 1) * 10^exponent. */
static int32_t put_general(uint64_t value, int32_t digits, int32_t exponent, char *ret)
{
    char text[24], *end = text + sizeof(text), *at = put_digits(value, 1, end);
    int32_t n = (int32_t)(end - at), len = 0, whole = exponent + 1;
    bool is_scientific = exponent < -4 || exponent >= digits;
    FL_ASSERT(n == digits);
    while (n > 1 && at[n - 1] == '0')
        n--;
    if (is_scientific)
        whole = 1;
    if (whole <= 0) { /* 0.00123 */
        memcpy(ret, "0.000000", 8);
        len = 2 - whole;
        memcpy(ret + len, at, (size_t)n);
        len += n;
    } else if (n <= whole) { /* 12300 */
        memset(ret, '0', (size_t)whole);
        memcpy(ret, at, (size_t)n);
        len = whole;
    } else {
        memcpy(ret, at, (size_t)whole);
        ret[whole] = '.';
        memcpy(ret + whole + 1, at + whole, (size_t)(n - whole));
        len = n + 1;
    }
    if (is_scientific) {
        int32_t power = exponent < 0 ? -exponent : exponent;
        ret[len++] = 'e';
        ret[len++] = exponent < 0 ? '-' : '+';
        memcpy(ret + len, &pairs[power * 2], 2); /* below 100: see `scale` */
        len += 2;
    }
    ret[len] = 0;
    return len;
}

/* As printing by ever more digits does until one text reads back, but by integers alone. 0 where these do not suffice: numbers that are
 * very large or very small. */
static int32_t print_shortest(const binary_number *x, char *ret)
{
    unsigned __int128 fixed = 0;
    int32_t bits = 0;
    int32_t top = x->exponent + 63 - __builtin_clzll(x->mantissa); /* 2^top <= x */
    int32_t exponent = (top * 78913) >> 18; /* of ten, by log10(2) * 2^18: this one, or the next */
    FL_ASSERT(top >= -1100 && top <= 1024);
    if (exponent < -99 || exponent > 98 || !scale(x, x->digits_max - 1 - exponent, &fixed, &bits))
        return 0;
    if (fixed >> bits >= powers_of_10[x->digits_max]) {
        exponent++;
        if (!scale(x, x->digits_max - 1 - exponent, &fixed, &bits))
            return 0;
    }
    unsigned __int128 step =
        powers_of_5[x->digits_max - 1 - exponent]; /* a quarter of the distance to the number above */
    uint64_t whole = (uint64_t)(fixed >> bits);
    bool has_rest = fixed != (unsigned __int128)whole << bits;
    bool is_even = x->mantissa % 2 == 0; /* then what lies halfway reads back as this one */
    FL_ASSERT(whole >= powers_of_10[x->digits_max - 1] && whole < powers_of_10[x->digits_max]);
    for (int32_t digits = x->digits_min; digits <= x->digits_max; digits++) {
        int32_t n_dropped = x->digits_max - digits;
        uint64_t unit = powers_of_10[n_dropped]; /* divided by constants where it is a double */
        uint64_t kept = n_dropped == 0   ? whole
                        : n_dropped == 1 ? whole / 10
                        : n_dropped == 2 ? whole / 100
                                         : whole / unit;
        uint64_t dropped = whole - kept * unit;
        bool is_half = false, is_more = false; /* of what is dropped */
        if (digits < x->digits_max) {
            is_half = dropped * 2 == unit && !has_rest;
            is_more = dropped * 2 > unit || (dropped * 2 == unit && has_rest);
        } else if (bits > 0) {
            unsigned __int128 rest = fixed - ((unsigned __int128)whole << bits),
                              half = (unsigned __int128)1 << (bits - 1);
            is_half = rest == half;
            is_more = rest > half;
        }
        kept += is_more || (is_half && kept % 2 == 1);
        unsigned __int128 shown = (unsigned __int128)(kept * unit) << bits;
        bool is_above = shown >= fixed;
        unsigned __int128 off = is_above ? shown - fixed : fixed - shown;
        unsigned __int128 room = is_above || !x->is_step ? step * 2 : step;
        if (digits < x->digits_max && (is_even ? off > room : off >= room))
            continue;
        bool is_carried = kept == powers_of_10[digits];
        return put_general(is_carried ? kept / 10 : kept, digits, exponent + is_carried, ret);
    }
    FL_ASSERT(false);
    return 0;
}

/* %g's text in PostgreSQL's form: it writes 1e+20 with at least two exponent digits, as printf does. */
int32_t fl_double_print(double value, char *ret)
{
    int32_t len = 0;
    uint64_t bits;
    if (!isfinite(value))
        return print_special(value, ret);
    if (fabs(value) < 1e15 && value == (double)(int64_t)value &&
        (value != 0 || !signbit(value))) /* whole numbers: no trial */
        return fl_decimal_print((int64_t)value, 0, ret);
    if (signbit(value))
        ret[len++] = '-';
    memcpy(&bits, &value, 8);
    int32_t exponent = (int32_t)(bits >> 52 & 0x7ff);
    uint64_t digits_2 = bits & ((1ull << 52) - 1), mantissa = digits_2 | 1ull << 52;
    binary_number x = {mantissa, exponent - 1075, digits_2 == 0, DBL_DIG, DBL_DECIMAL_DIG};
    int32_t n = exponent == 0 ? 0 : print_shortest(&x, ret + len);
    if (n > 0)
        return len + n;
    for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
        len = snprintf(ret, 32, "%.*g", digits, value);
        if (strtod(ret, NULL) == value)
            break;
    }
    return len;
}

int32_t fl_float_print(float value, char *ret)
{
    int32_t len = 0;
    uint32_t bits;
    if (!isfinite(value))
        return print_special(value, ret);
    if (signbit(value))
        ret[len++] = '-';
    memcpy(&bits, &value, 4);
    int32_t exponent = (int32_t)(bits >> 23 & 0xff);
    uint32_t digits_2 = bits & ((1u << 23) - 1), mantissa = digits_2 | 1u << 23;
    binary_number x = {mantissa, exponent - 150, digits_2 == 0, FLT_DIG, FLT_DECIMAL_DIG};
    int32_t n = exponent == 0 ? 0 : print_shortest(&x, ret + len);
    if (n > 0)
        return len + n;
    for (int digits = FLT_DIG; digits <= FLT_DECIMAL_DIG; digits++) {
        len = snprintf(ret, 32, "%.*g", digits, (double)value);
        if (strtof(ret, NULL) == value)
            break;
    }
    return len;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static fl_str trim(fl_str text)
{
    while (text.len > 0 && (text.data[0] == ' ' || (text.data[0] >= '\t' && text.data[0] <= '\r')))
        text = (fl_str){text.data + 1, text.len - 1};
    while (text.len > 0 &&
           (text.data[text.len - 1] == ' ' || (text.data[text.len - 1] >= '\t' && text.data[text.len - 1] <= '\r')))
        text.len--;
    return text;
}

static bool take_sign(fl_str *text)
{
    bool negative = text->len > 0 && text->data[0] == '-';
    if (negative || (text->len > 0 && text->data[0] == '+'))
        *text = (fl_str){text->data + 1, text->len - 1};
    return negative;
}

static int parse_magnitude(fl_str text, uint64_t *ret)
{
    uint64_t value = 0;
    if (text.len == 0)
        return 1;
    int rc = 0;
    for (int64_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (digit > 9)
            return 1;
        if (__builtin_mul_overflow(value, 10ull, &value) || __builtin_add_overflow(value, (uint64_t)digit, &value))
            rc = 2;
    }
    *ret = value;
    return rc;
}

int fl_i64_parse(fl_str text, int64_t *ret)
{
    text = trim(text);
    bool negative = take_sign(&text);
    uint64_t value = 0;
    int rc = parse_magnitude(text, &value);
    if (rc != 0)
        return rc;
    if (value > (uint64_t)INT64_MAX + negative)
        return 2;
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

int fl_u64_parse(fl_str text, uint64_t *ret)
{
    text = trim(text);
    bool negative = take_sign(&text);
    int rc = parse_magnitude(text, ret);
    return rc == 0 && negative && *ret != 0 ? 2 : rc;
}

int fl_decimal_parse(fl_str text, int32_t precision, int32_t scale, __int128 *ret)
{
    text = trim(text);
    bool negative = take_sign(&text);
    int64_t exponent = 0, mantissa = text.len;
    for (int64_t i = 0; i < text.len; i++)
        if (text.data[i] == 'e' || text.data[i] == 'E') {
            mantissa = i;
            int rc = fl_i64_parse((fl_str){text.data + i + 1, text.len - i - 1}, &exponent);
            if (rc != 0 || i + 1 >= text.len || text.data[i + 1] == ' ')
                return rc == 2 ? 2 : 1;
            if (exponent > 1000 || exponent < -1000)
                exponent = exponent > 0 ? 1000 : -1000;
            break;
        }
    unsigned __int128 value = 0;
    bool overflow = false, has_digit = false, has_point = false;
    int64_t before = 0, point = 0; /* digits before and behind the point */
    for (int64_t i = 0; i < mantissa; i++) {
        char c = text.data[i];
        if (c == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return 1;
        has_digit = true;
        before += !has_point;
        point += has_point;
    }
    int32_t round_digit = 0;
    int64_t place =
        -before - exponent; /* of the digit before the first, counted from the point, the exponent applied */
    for (int64_t i = 0; i < mantissa && place <= scale; i++) {
        if (text.data[i] == '.')
            continue;
        unsigned digit = (unsigned)(text.data[i] - '0');
        place++;
        if (place == scale + 1) /* the first digit that is dropped */
            round_digit = (int32_t)digit;
        else if (place <= scale && value > ((~(unsigned __int128)0 >> 1) - 9) / 10)
            overflow = true;
        else if (place <= scale)
            value = value * 10 + digit;
    }
    if (!has_digit)
        return 1;
    int64_t kept = point - exponent < scale ? point - exponent : scale; /* scale that value has now */
    for (; kept < scale && !overflow && value != 0; kept++) {
        if (value > (~(unsigned __int128)0 >> 1) / 10)
            overflow = true;
        else
            value *= 10;
    }
    if (round_digit >= 5 && !overflow)
        value++;
    unsigned __int128 max = 1;
    for (int32_t i = 0; i < precision; i++)
        max *= 10;
    if (overflow || value >= max)
        return 2;
    *ret = negative ? -(__int128)value : (__int128)value;
    return 0;
}

int fl_double_parse(fl_str text, double *ret)
{
    text = trim(text);
    char buffer[128], *copy = buffer, *end = NULL;
    if (text.len == 0)
        return 1;
    char first = text.data[0] == '-' || text.data[0] == '+' ? (text.len > 1 ? text.data[1] : 0) : text.data[0];
    fl_str word = text;
    bool negative = take_sign(&word);
    if (fl_str_is_equal_nocase(word, FL_STR("nan"))) {
        *ret = NAN;
        return 0;
    }
    if (fl_str_is_equal_nocase(word, FL_STR("infinity")) || fl_str_is_equal_nocase(word, FL_STR("inf"))) {
        *ret = negative ? -INFINITY : INFINITY;
        return 0;
    }
    if ((first < '0' || first > '9') && first != '.')
        return 1;
    if (text.len >= 2 &&
        (text.data[text.len > 1 && (text.data[0] == '-' || text.data[0] == '+') ? 2 % text.len : 1] | 32) == 'x')
        return 1; /* strtod reads hexadecimal; SQL does not */
    if (text.len >= (int64_t)sizeof(buffer) && (copy = malloc((size_t)text.len + 1)) == NULL)
        return 1;
    memcpy(copy, text.data, (size_t)text.len);
    copy[text.len] = 0;
    errno = 0;
    double value = strtod(copy, &end);
    bool is_lost = errno == ERANGE && (value == HUGE_VAL || value == -HUGE_VAL || value == 0); /* subnormals are not */
    int rc = end != copy + text.len ? 1 : is_lost ? 2 : 0;
    if (copy != buffer)
        free(copy);
    if (rc == 0)
        *ret = value;
    return rc;
}

double fl_decimal_to_double(__int128 value, int32_t scale)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const __int128 exact = (__int128)1 << 53;
    char text[64];
    double ret = 0;
    if (value >= -exact && value <= exact &&
        scale < FL_LEN(powers)) /* both are exact: one rounding, that of the division */
        return (double)value / powers[scale];
    int32_t len = fl_decimal_print(value, scale, text);
    fl_double_parse((fl_str){text, len}, &ret);
    return ret;
}
