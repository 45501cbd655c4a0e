/* What patterns.json needs loops and tables for. Texts are taken as bytes, in lower case where that matters. */
#include "exports.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

EXPORT(alloc) pointer alloc(pointer bytes)
{
    return take(bytes);
}

/* ---- hashes and check digits ---- */

/* FNV-1a of 64 bits, the lowest one dropped. */
EXPORT(fnv1a) long long fnv1a(const byte *at, pointer bytes)
{
    unsigned long long value = 0xCBF29CE484222325;
    for (pointer i = 0; i < bytes; i++)
        value = (value ^ at[i]) * 0x100000001B3;
    return (long long)(value >> 1);
}

EXPORT(crc32) long long crc32(const byte *at, pointer bytes)
{
    unsigned value = ~0u;
    for (pointer i = 0; i < bytes; i++) {
        value ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ ((value & 1) != 0 ? 0xEDB88320 : 0);
    }
    return ~value;
}

EXPORT(luhn_digit) int luhn_digit(long long number)
{
    long long total = 0;
    for (int place = 0; number > 0; place++, number /= 10) {
        long long digit = number % 10 * (place % 2 == 0 ? 2 : 1);
        total += digit > 9 ? digit - 9 : digit;
    }
    return (int)((10 - total % 10) % 10);
}

/* Of as many digits as there are. */
EXPORT(modulo_97) int modulo_97(const byte *at, pointer bytes)
{
    int rest = 0;
    for (pointer i = 0; i < bytes; i++)
        if (at[i] >= '0' && at[i] <= '9')
            rest = (rest * 10 + at[i] - '0') % 97;
    return rest;
}

/* ---- texts ---- */

#define WORD_MAX 64

EXPORT(jaro_winkler) double jaro_winkler(const byte *a, int a_bytes, const byte *b, int b_bytes)
{
    byte taken[WORD_MAX], found[WORD_MAX];
    int reach = (a_bytes > b_bytes ? a_bytes : b_bytes) / 2 - 1, n = 0, swaps = 0, same = 0;
    if (a_bytes > WORD_MAX || b_bytes > WORD_MAX)
        __builtin_trap();
    for (int j = 0; j < b_bytes; j++)
        taken[j] = 0;
    for (int i = 0; i < a_bytes; i++) {
        for (int j = i > reach ? i - reach : 0; j < b_bytes && j <= i + reach; j++) {
            if (taken[j] || a[i] != b[j])
                continue;
            taken[j] = 1;
            found[n++] = a[i];
            break;
        }
    }
    if (n == 0)
        return 0;
    for (int j = 0, k = 0; j < b_bytes; j++)
        if (taken[j])
            swaps += found[k++] != b[j];
    double score = ((double)n / a_bytes + (double)n / b_bytes + (n - swaps / 2.0) / n) / 3;
    while (same < 4 && same < a_bytes && same < b_bytes && a[same] == b[same])
        same++;
    return score + same * 0.1 * (1 - score);
}

EXPORT(soundex) text soundex(const byte *at, pointer bytes)
{
    static const char codes[] = "01230120022455012623010202"; /* a to z; h and w do not part equal codes */
    byte *out = (byte *)take(4);
    int n = 0;
    char last = 0;
    for (pointer i = 0; i < bytes && at[i] != ' ' && n < 4; i++) {
        byte letter = at[i] | 32;
        if (letter < 'a' || letter > 'z')
            continue;
        char code = codes[letter - 'a'];
        int is_first = n == 0;
        if (is_first)
            out[n++] = letter - 32;
        else if (code != '0' && code != last)
            out[n++] = code;
        if (is_first || (letter != 'h' && letter != 'w'))
            last = code;
    }
    while (n < 4)
        out[n++] = '0';
    return text_of((pointer)out, 4);
}

/* A text's parts of three bytes, with two blanks before it and one behind; each once. Returns how many. */
static int parts_of(const byte *at, int bytes, unsigned *parts)
{
    int n = 0;
    for (int i = 0; i <= bytes; i++) {
        unsigned part = 0;
        for (int k = i - 2; k <= i; k++)
            part = part << 8 | (k < 0 || k >= bytes ? ' ' : at[k]);
        int known = 0;
        for (int k = 0; k < n; k++)
            known |= parts[k] == part;
        if (!known)
            parts[n++] = part;
    }
    return n;
}

EXPORT(trigram_likeness) double trigram_likeness(const byte *a, int a_bytes, const byte *b, int b_bytes)
{
    unsigned *parts = (unsigned *)take((pointer)(a_bytes + b_bytes + 2) * sizeof(unsigned));
    int n_a = parts_of(a, a_bytes, parts), both = 0;
    int n_b = parts_of(b, b_bytes, parts + n_a);
    for (int i = 0; i < n_a; i++)
        for (int k = 0; k < n_b; k++)
            both += parts[i] == parts[n_a + k];
    return (double)both / (n_a + n_b - both);
}

/* How often a word stands between blanks. */
EXPORT(term_frequency) int term_frequency(const byte *at, int bytes, const byte *word, int word_bytes)
{
    int n = 0;
    for (int begin = 0; begin < bytes;) {
        int end = begin, same = 0;
        while (end < bytes && at[end] != ' ')
            end++;
        while (same < word_bytes && begin + same < end && at[begin + same] == word[same])
            same++;
        n += end > begin && same == word_bytes && end - begin == word_bytes;
        begin = end + 1;
    }
    return n;
}

/* ---- places ---- */

EXPORT(geohash) text geohash(double latitude, double longitude, int length)
{
    static const char letters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
    double low[2] = {-180, -90}, high[2] = {180, 90}, x[2] = {longitude, latitude};
    byte *out = (byte *)take((pointer)length);
    for (int i = 0, axis = 0; i < length; i++) {
        int value = 0;
        for (int bit = 0; bit < 5; bit++, axis ^= 1) {
            double middle = (low[axis] + high[axis]) / 2;
            int above = x[axis] >= middle;
            value = value * 2 + above;
            *(above ? &low[axis] : &high[axis]) = middle;
        }
        out[i] = (byte)letters[value];
    }
    return text_of((pointer)out, (pointer)length);
}

/* By ray casting: the area that is delivered to. */
EXPORT(is_delivered_to) int is_delivered_to(double x, double y)
{
    static const double corners[][2] = {{18.0, 59.3}, {18.2, 59.3}, {18.2, 59.36}, {18.0, 59.36}};
    int odd = 0;
    for (int i = 0; i < LENGTH(corners); i++) {
        const double *a = corners[i], *b = corners[(i + 1) % LENGTH(corners)];
        if ((a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
            odd = !odd;
    }
    return odd;
}

/* Of three dimensions, to what a guest likes. */
EXPORT(cosine_to_taste) double cosine_to_taste(double a, double b, double c)
{
    static const double taste[] = {5, 1, 1};
    double x[] = {a, b, c}, product = 0, length = 0, taste_length = 0;
    for (int i = 0; i < LENGTH(taste); i++) {
        product += x[i] * taste[i];
        length += x[i] * x[i];
        taste_length += taste[i] * taste[i];
    }
    return product / __builtin_sqrt(length * taste_length);
}

/* ---- money ---- */

EXPORT(drawdown) double drawdown(double a, double b, double c)
{
    double series[] = {a, b, c}, top = a, worst = 0;
    for (int i = 0; i < LENGTH(series); i++) {
        top = series[i] > top ? series[i] : top;
        worst = (top - series[i]) / top > worst ? (top - series[i]) / top : worst;
    }
    return worst;
}

/* Newton's method. */
EXPORT(internal_rate) double internal_rate(double a, double b, double c)
{
    double flows[] = {a, b, c}, rate = 0.1;
    for (int round = 0; round < 100; round++) {
        double value = 0, slope = 0, power = 1;
        for (int i = 0; i < LENGTH(flows); i++, power *= 1 + rate) {
            value += flows[i] / power;
            slope -= i * flows[i] / (power * (1 + rate));
        }
        rate -= value / slope;
    }
    return rate;
}

EXPORT(income_tax) double income_tax(double income)
{
    static const struct bracket {
        double high, rate;
    } brackets[] = {{11000, 0}, {25000, 0.1}, {50000, 0.2}, {1e300, 0.35}};
    double total = 0, low = 0;
    for (int i = 0; i < LENGTH(brackets) && income > low; i++) {
        total += ((income < brackets[i].high ? income : brackets[i].high) - low) * brackets[i].rate;
        low = brackets[i].high;
    }
    return total;
}

EXPORT(postal_zone) int postal_zone(const byte *at, pointer bytes)
{
    static const struct zone {
        char country[3];
        byte zone;
    } zones[] = {{"SE", 1}, {"NO", 1}, {"DK", 1}, {"DE", 2}, {"FR", 2}, {"US", 5}};
    for (int i = 0; i < LENGTH(zones); i++)
        if (bytes == 2 && at[0] == zones[i].country[0] && at[1] == zones[i].country[1])
            return zones[i].zone;
    return 7;
}

/* ---- time ---- */

/* From Monday to Friday; days since 1970, which began on a Thursday. */
EXPORT(working_days) int working_days(int begin, int end)
{
    int n = 0;
    for (int day = begin; day < end; day++)
        n += ((day + 3) % 7 + 7) % 7 < 5;
    return n;
}
