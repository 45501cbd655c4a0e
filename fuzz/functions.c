/* Fuzzing scalar functions: the input chooses an expression over the registry's functions, operators, casts and special forms,
 * and the values that go through it: columns of an Arrow table of every type and layout, parameters, constants.
 *
 * What must hold: nothing crashes, no error is internal. A parameter's text is taken if and only if it is UTF-8; a table
 * whose buffers are as they should be is taken, one that is not may be refused. Every text that comes out is UTF-8 and
 * every offset in order, also in lists and structs. Batches of one row give the same rows, or an error where others do; so does
 * a run without the optimizer, but that the optimizer may save an error.
 *
 * Functions are chosen by their names' hashes, so that an input goes on meaning the same when others are added. */
#include "base/hash.h"
#include "engine/internal.h"
#include "bytes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond)                                                           \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #cond); \
            abort();                                                          \
        }                                                                     \
    } while (0)

#define COLUMNS_MAX 6
#define PARAMETERS_MAX 6
#define CHILDREN_MAX 3
#define DEPTH_MAX 3
#define SQL_BYTES 8000
#define TEXT_BYTES 600
#define ROWS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* ---- the input ----------------------------------------------------------------------------------------------------- */

static uint64_t take_number(input *in)
{
    uint64_t ret = 0;
    for (int i = 0; i < 8; i++)
        ret = ret << 8 | take(in);
    return ret;
}

/* ---- columns ------------------------------------------------------------------------------------------------------- */

/* What a column or something in it is: a type, and how it lies. */
typedef struct kind {
    uint8_t id;
    const char *format;
    const char *sql; /* the name of the type, for casts */
    bool is_dictionary;
    uint8_t key; /* of a dictionary: which integer */
    int n_children;
    struct kind *children[CHILDREN_MAX];
} kind;

typedef struct parameter {
    uint8_t id; /* how it is bound */
    bool is_null;
    int64_t number;
    double real;
    char text[TEXT_BYTES];
    int64_t bytes;
} parameter;

/* A question: its text, and what it asks of. */
typedef struct question {
    input in;
    bool is_corrupt;  /* values and structs may be wrong */
    bool is_volatile; /* answers need not be the same */
    char sql[SQL_BYTES];
    size_t len;
    kind kinds[64];
    int n_kinds;
    kind *columns[COLUMNS_MAX];
    int n_columns;
    parameter parameters[PARAMETERS_MAX];
    int n_parameters;
    int batches;
} question;

static const struct {
    uint8_t id;
    const char *format;
    const char *sql;
} layouts[] = {
    {FL_NULL, "n", "text"},
    {FL_BOOL, "b", "boolean"},
    {FL_I8, "c", "tinyint"},
    {FL_I16, "s", "smallint"},
    {FL_I32, "i", "integer"},
    {FL_I64, "l", "bigint"},
    {FL_U8, "C", "utinyint"},
    {FL_U16, "S", "usmallint"},
    {FL_U32, "I", "uinteger"},
    {FL_U64, "L", "ubigint"},
    {FL_F32, "f", "real"},
    {FL_F64, "g", "double"},
    {FL_DECIMAL, "d:9,2", "decimal(9,2)"},
    {FL_DECIMAL, "d:18,4", "decimal(18,4)"},
    {FL_DECIMAL, "d:38,10", "decimal(38,10)"},
    {FL_DECIMAL, "d:5,5,32", "decimal(5,5)"},
    {FL_DECIMAL, "d:12,3,64", "decimal(12,3)"},
    {FL_DECIMAL, "d:30,0,256", "decimal(30,0)"},
    {FL_UTF8, "u", "text"},
    {FL_UTF8, "U", "varchar"},
    {FL_BINARY, "z", "bytea"},
    {FL_BINARY, "Z", "blob"},
    {FL_DATE, "tdD", "date"},
    {FL_DATE, "tdm", "date"},
    {FL_TIME, "ttu", "time"},
    {FL_TIME, "tts", "time(0)"},
    {FL_TIME, "ttm", "time(3)"},
    {FL_TIME, "ttn", "time"},
    {FL_TIMESTAMP, "tsu:", "timestamp"},
    {FL_TIMESTAMP, "tss:", "timestamp(0)"},
    {FL_TIMESTAMP, "tsm:", "timestamp(3)"},
    {FL_TIMESTAMP, "tsn:", "timestamp(9)"},
    {FL_TIMESTAMPTZ, "tsu:UTC", "timestamptz"},
    {FL_TIMESTAMPTZ, "tsn:Asia/Tokyo", "timestamptz(9)"},
    {FL_INTERVAL, "tin", "interval"},
    {FL_LIST, "+l", "integer[]"},
    {FL_LIST, "+L", "text[]"},
    {FL_STRUCT, "+s", "struct(a integer, b text)"},
};

/* A kind of the type, or of any where there is none. A list's id may be followed by its elements', eight bits on. */
static kind *make_kind(question *q, int wanted, int depth)
{
    int id = wanted & 0xFF, element = wanted >> 8;
    uint8_t bits = take(&q->in);
    int fits[FL_LEN(layouts)], n = 0;
    CHECK(q->n_kinds < FL_LEN(q->kinds));
    for (int i = 0; i < FL_LEN(layouts); i++)
        if ((layouts[i].id == id || id == FL_ANY) && (depth < DEPTH_MAX || layouts[i].format[0] != '+'))
            fits[n++] = i;
    int chosen = n > 0 ? fits[bits % n] : 4;
    kind *ret = &q->kinds[q->n_kinds++];
    *ret = (kind){.id = layouts[chosen].id, .format = layouts[chosen].format, .sql = layouts[chosen].sql};
    if (ret->format[0] == '+') {
        ret->n_children = ret->id == FL_LIST ? 1 : 1 + take(&q->in) % CHILDREN_MAX;
        if (q->n_kinds + ret->n_children >= FL_LEN(q->kinds) / 2)
            ret->n_children = 1;
        for (int i = 0; i < ret->n_children; i++) {
            uint8_t way = take(&q->in);
            ret->children[i] = make_kind(q,
                                         element != 0                        ? element
                                         : way < 96                          ? FL_UTF8
                                         : way < 160                         ? FL_I32
                                         : q->n_kinds > FL_LEN(q->kinds) / 2 ? FL_F64
                                                                             : FL_ANY,
                                         depth + 1);
        }
    } else if (bits >= 192 && ret->id != FL_NULL) {
        ret->is_dictionary = true;
        ret->key = take(&q->in);
    }
    return ret;
}

/* ---- values -------------------------------------------------------------------------------------------------------- */

/* Texts that functions know, or that somebody thought hard about. */
static const char *const texts[] = {
    "",
    "a",
    "ab",
    "abcabc",
    " a b ",
    "A",
    "\xc3\xa4\xc3\x96",
    "\xc3\x9f",
    "\xc4\xb0",
    "\xc5\x89",
    "\xef\xac\x81",
    "e\xcc\x81",
    "\xf0\x9f\x98\x80",
    "(\xe2\x82\xac)",
    "\xf4\x8f\xbf\xbf",
    "\x7f",
    "\\",
    "%",
    "_",
    "a%_b",
    "%a%",
    "\\%",
    ".",
    ".*",
    "a*",
    "(a|b)*c",
    "(",
    "[^a]",
    "[[:alpha:]]+",
    "\\d+",
    "(?i)a",
    "^",
    "$",
    "\\1",
    "\\0",
    "a{2,3}",
    "(a)(b)?",
    ",",
    "1",
    "-1",
    "0.5",
    "1e308",
    "1e-400",
    "99999999999999999999",
    "NaN",
    "infinity",
    "-infinity",
    "true",
    "null",
    "2024-02-29",
    "24:00:00",
    "2024-02-29 12:34:56.789012",
    "2024-02-29 12:34:56+02",
    "0001-01-01 BC",
    "1 day -2 hours",
    "P1Y2M3DT4H5M6S",
    "[1, 2]",
    "['a', null]",
    "{'a': 1}",
    "(1,a)",
    "Europe/Berlin",
    "UTC",
    "year",
    "month",
    "week",
    "epoch",
    "timezone",
    "quarter",
    "YYYY-MM-DD HH24:MI:SS.US",
    "FMDay, Month DDth",
    "RM TZH SSSS",
    "%Y-%m-%d %H:%M:%S",
    "%f%j%p",
    "999,990.99S",
    "base64",
    "hex",
    "escape",
    "YQ==",
    "deadbeef",
    "g",
    "gi",
    "\\xff",
    "\\x00",
    "a text that is longer than what a view holds",
    "\xce\xa3\xce\x91\xcf\x83",
};

static bool is_utf8(const uint8_t *s, int64_t bytes)
{
    for (int64_t i = 0; i < bytes;) {
        int n = s[i] < 0x80 ? 0 : s[i] < 0xC2 ? -1 : s[i] < 0xE0 ? 1 : s[i] < 0xF0 ? 2 : s[i] < 0xF5 ? 3 : -1;
        if (n < 0 || i + n >= bytes)
            return false;
        uint32_t code = n == 0 ? s[i] : s[i] & (0x3Fu >> n);
        for (int k = 1; k <= n; k++) {
            if ((s[i + k] & 0xC0) != 0x80)
                return false;
            code = code << 6 | (s[i + k] & 0x3F);
        }
        if ((n == 2 && code < 0x800) || (n == 3 && (code < 0x10000 || code > 0x10FFFF)) || (code >> 11) == 0x1B)
            return false;
        i += n + 1;
    }
    return true;
}

static int64_t put_character(uint32_t code, char *ret)
{
    code %= 0x110000;
    if (code >> 11 == 0x1B)
        code = 0x20AC;
    if (code < 0x80)
        return *ret = (char)code, 1;
    int n = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    ret[0] = (char)((n == 1 ? 0xC0 : n == 2 ? 0xE0 : 0xF0) | code >> 6 * n);
    for (int k = 1; k <= n; k++)
        ret[k] = (char)(0x80 | (code >> 6 * (n - k) & 0x3F));
    return n + 1;
}

/* Text of at most TEXT_BYTES; bytes of any kind where they need not be UTF-8. */
static int64_t take_text(input *in, bool is_any, char *ret)
{
    uint8_t way = take(in);
    int64_t len = 0;
    if (way < 160) {
        const char *text = texts[take(in) % FL_LEN(texts)];
        len = (int64_t)strlen(text);
        memcpy(ret, text, (size_t)len);
        if (way < 32) { /* twice, or very often */
            const char *other = texts[take(in) % FL_LEN(texts)];
            int64_t more = (int64_t)strlen(other);
            for (int i = way % 16 == 0 ? 20 : 1; i > 0 && len + more < TEXT_BYTES; i--, len += more)
                memcpy(ret + len, other, (size_t)more);
        }
        return len;
    }
    for (int64_t n = way % 32; n > 0; n--) {
        uint8_t byte = take(in);
        if (is_any || byte < 0x80)
            ret[len++] = (char)byte;
        else
            len += put_character((uint32_t)byte << (byte % 4 * 4) | take(in), ret + len);
    }
    return len;
}

static int64_t take_integer(input *in)
{
    static const int64_t known[] = {
        0,         1,          -1,          2,         -2,        INT8_MAX, INT8_MIN, INT16_MAX,    INT32_MAX,
        INT32_MIN, UINT32_MAX, INT64_MAX,   INT64_MIN, 64,        1000000,  -86400,   253402300799, INT64_MAX / 1000,
        63,        2147483648, -2147483649, 10957,     106751991, 32,       31,       12,           INT64_MIN + 1,
    };
    uint8_t way = take(in);
    return way < 110 ? way % 20 - 5 : way < 220 ? known[way % FL_LEN(known)] : (int64_t)take_number(in);
}

static double take_real(input *in)
{
    static const double known[] = {0.0,       -0.0, 1,    -1,     0.5, -1.5,  1e308, -1e308,       5e-324, INFINITY,
                                   -INFINITY, NAN,  1e18, 9.3e18, 0.1, 1e-10, 255.5, 2147483648.0, 100};
    uint8_t way = take(in);
    if (way < 200)
        return known[way % FL_LEN(known)];
    if (way < 230)
        return (double)take_integer(in) / 3;
    uint64_t bits = take_number(in);
    double ret;
    memcpy(&ret, &bits, 8);
    return ret;
}

/* A value of at most 32 bytes; returns how many. */
static int take_value(question *q, const kind *k, uint8_t *ret)
{
    const char *f = k->format;
    bool is_any = q->is_corrupt;
    int64_t v = f[0] != 'f' && f[0] != 'g' ? take_integer(&q->in) : 0;
    if (f[0] == 'f' || f[0] == 'g') {
        double real = take_real(&q->in);
        float narrow = isfinite(real) && fabs(real) > 3e38 ? 3e38f : (float)real;
        memcpy(ret, f[0] == 'f' ? (void *)&narrow : (void *)&real, f[0] == 'f' ? 4 : 8);
        return f[0] == 'f' ? 4 : 8;
    }
    if (f[0] == 'd') {
        int precision = 0, scale = 0, bits = 128;
        (void)sscanf(f, "d:%d,%d,%d", &precision, &scale, &bits);
        fl_i128 wide[2] = {(fl_i128)v * (take(&q->in) % 4 == 0 ? take_integer(&q->in) : 1), 0};
        if (!is_any)
            wide[0] %= fl_pow10_i128[precision];
        wide[1] = wide[0] < 0 ? -1 : 0;
        memcpy(ret, wide, (size_t)bits / 8);
        return bits / 8;
    }
    if (strcmp(f, "tin") == 0) {
        fl_interval i = {.months = (int32_t)v, .days = (int32_t)take_integer(&q->in), .nanos = take_integer(&q->in)};
        memcpy(ret, &i, sizeof(i));
        return sizeof(i);
    }
    if (strcmp(f, "tdm") == 0) {
        v = is_any ? v : (int64_t)(int32_t)v * 86400000;
    } else if (strncmp(f, "tt", 2) == 0) {
        int64_t unit = f[2] == 's' ? 1 : f[2] == 'm' ? 1000 : 1000000;
        if (!is_any)
            v = (v % (86400 * unit) + 86400 * unit) % (86400 * unit) * (f[2] == 'n' ? 1000 : 1);
        memcpy(ret, &v, 8);
        return f[2] == 's' || f[2] == 'm' ? 4 : 8;
    } else if ((strncmp(f, "tss", 3) == 0 || strncmp(f, "tsm", 3) == 0) && !is_any) {
        v %= INT64_MAX / 1000000;
    }
    memcpy(ret, &v, 8);
    return f[0] == 'c' || f[0] == 'C'                            ? 1
           : f[0] == 's' || f[0] == 'S'                          ? 2
           : f[0] == 'i' || f[0] == 'I' || strcmp(f, "tdD") == 0 ? 4
                                                                 : 8;
}

/* ---- the table: everything is allocated one by one, so that the address sanitizer knows every end ------------------- */

static void *zeroed(int64_t count, int64_t bytes)
{
    void *ret = calloc(count > 0 ? (size_t)count : 1, bytes > 0 ? (size_t)bytes : 1);
    CHECK(ret != NULL);
    return ret;
}

static void release_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    if (schema->dictionary != NULL) {
        schema->dictionary->release(schema->dictionary);
        free(schema->dictionary);
    }
    schema->release = NULL;
}

static const char *const keys[] = {"c", "s", "i", "l", "C", "S", "I", "L"};

static void make_schema(const kind *k, const char *name, struct ArrowSchema *ret)
{
    static const char *const names[] = {"a", "b", "c"};
    *ret = (struct ArrowSchema){.format = k->format, .name = name, .flags = 2, .release = release_schema};
    if (k->is_dictionary) {
        kind values = *k;
        values.is_dictionary = false;
        ret->format = keys[k->key % FL_LEN(keys)];
        ret->dictionary = zeroed(1, sizeof(*ret));
        make_schema(&values, "", ret->dictionary);
        return;
    }
    ret->children = zeroed(k->n_children, sizeof(*ret->children));
    for (int i = 0; i < k->n_children; i++) {
        ret->children[i] = zeroed(1, sizeof(*ret));
        make_schema(k->children[i], names[i], ret->children[i]);
    }
    ret->n_children = k->n_children;
}

typedef struct owned {
    int64_t n_buffers;
    int64_t n_children;
    const void *buffers[3];
} owned;

static void release_array(struct ArrowArray *array)
{
    owned *o = array->private_data;
    for (int64_t i = 0; i < o->n_buffers; i++)
        free((void *)(uintptr_t)o->buffers[i]);
    for (int64_t i = 0; i < o->n_children; i++) {
        array->children[i]->release(array->children[i]);
        free(array->children[i]);
    }
    free(array->children);
    free(array->buffers);
    if (array->dictionary != NULL) {
        array->dictionary->release(array->dictionary);
        free(array->dictionary);
    }
    free(o);
    array->release = NULL;
}

static void set_bit(uint8_t *bits, int64_t i)
{
    bits[i / 8] = (uint8_t)(bits[i / 8] | 1 << i % 8);
}

static void make_array(question *q, const kind *k, int64_t rows, struct ArrowArray *ret);

static struct ArrowArray *new_array(question *q, const kind *k, int64_t rows)
{
    struct ArrowArray *ret = zeroed(1, sizeof(*ret));
    make_array(q, k, rows, ret);
    return ret;
}

static uint8_t *make_offsets(question *q, int64_t slots, bool is_wide, int64_t step_max, int64_t *ret_end)
{
    uint8_t *ret = zeroed(slots + 1, is_wide ? 8 : 4);
    int64_t at = take(&q->in) % 4;
    for (int64_t i = 0; i <= slots; i++) {
        if (is_wide)
            ((int64_t *)ret)[i] = at;
        else
            ((int32_t *)ret)[i] = (int32_t)at;
        at += i < slots ? take(&q->in) % (step_max + 1) : 0;
    }
    *ret_end = at;
    return ret;
}

static void make_strings(question *q, const kind *k, int64_t slots, const void **buffers)
{
    bool is_wide = k->format[0] == 'U' || k->format[0] == 'Z', is_any = q->is_corrupt || k->id == FL_BINARY;
    uint8_t *offsets = zeroed(slots + 1, is_wide ? 8 : 4);
    char *chars = zeroed(slots, TEXT_BYTES);
    int64_t len = 0;
    for (int64_t i = 0; i < slots; i++) {
        len += q->in.at < q->in.end ? take_text(&q->in, is_any, chars + len) : 0;
        if (is_wide)
            ((int64_t *)offsets)[i + 1] = len;
        else
            ((int32_t *)offsets)[i + 1] = (int32_t)len;
    }
    char *exact = zeroed(len, 1);
    memcpy(exact, chars, (size_t)len);
    free(chars);
    buffers[1] = offsets;
    buffers[2] = exact;
}

/* What an array lacks, or says wrongly: the first of its kinds of wrongs are no wrongs to anybody who looks. */
static void break_array(question *q, struct ArrowArray *array, const kind *k)
{
    owned *o = array->private_data;
    uint8_t way = take(&q->in);
    switch (way % 32) {
    case 0:
        array->n_buffers = way < 128 ? array->n_buffers - 1 : -1;
        break;
    case 1:
        array->buffers[way >> 5 & 1] = NULL;
        break;
    case 2:
        array->buffers[2] = NULL;
        break;
    case 3:
        array->length = way < 128 ? -1 : INT64_MAX;
        break;
    case 4:
        array->offset = way < 128 ? -1 : INT64_MAX;
        break;
    case 5:
        array->null_count = way < 128 ? 0 : INT64_MAX;
        break;
    case 6:
        array->n_children = way < 128 ? -1 : 0;
        break;
    case 7:
        if (o->buffers[1] != NULL && !k->is_dictionary && (k->format[0] == 'u' || k->format[0] == '+') &&
            array->length > 0) {
            int32_t *offsets = (int32_t *)(uintptr_t)o->buffers[1];
            offsets[take(&q->in) % array->length] = way < 128 ? -1 : 0;
        }
        break;
    case 8:
        if (o->n_buffers > 1)
            memset((void *)(uintptr_t)o->buffers[1], 0xFF, 1);
        break;
    default:
        break;
    }
}

static void make_array(question *q, const kind *k, int64_t rows, struct ArrowArray *ret)
{
    uint8_t bits = take(&q->in);
    int64_t offset = (bits & 1) != 0 ? bits >> 4 : 0, slots = offset + rows;
    owned *o = zeroed(1, sizeof(*o));
    *ret = (struct ArrowArray){
        .length = rows, .offset = offset, .null_count = (bits & 2) != 0 ? -1 : 0, .release = release_array};
    ret->private_data = o;
    ret->buffers = zeroed(3, sizeof(void *));
    o->n_buffers = k->id == FL_NULL ? 0 : k->format[0] == '+' && k->id == FL_STRUCT ? 1 : 2;
    if ((bits & 2) != 0 && k->id != FL_NULL) {
        uint8_t *valid = zeroed((slots + 7) / 8, 1);
        uint8_t pattern = take(&q->in);
        for (int64_t i = 0; i < slots; i++)
            if (pattern != 0 && (pattern >> i % 8 & 1) != 0)
                set_bit(valid, i);
        o->buffers[0] = valid;
    }
    if (k->is_dictionary) {
        int width = (const int[]){1, 2, 4, 8}[k->key % 4];
        int64_t n_values = 1 + take(&q->in) % 12;
        kind values = *k;
        values.is_dictionary = false;
        uint8_t *codes = zeroed(slots, width);
        for (int64_t i = 0; i < slots; i++) {
            uint8_t code = take(&q->in);
            codes[i * width] = q->is_corrupt && code > 200 ? code : (uint8_t)(code % n_values);
        }
        o->buffers[1] = codes;
        ret->dictionary = new_array(q, &values, n_values);
    } else if (k->id == FL_UTF8 || k->id == FL_BINARY) {
        o->n_buffers = 3;
        make_strings(q, k, slots, o->buffers);
    } else if (k->id == FL_LIST) {
        int64_t end = 0;
        o->buffers[1] = make_offsets(q, slots, k->format[1] == 'L', slots < 30 ? 4 : 1, &end);
        ret->children = zeroed(1, sizeof(*ret->children));
        ret->children[0] = new_array(q, k->children[0], end);
        ret->n_children = o->n_children = 1;
    } else if (k->id == FL_STRUCT) {
        ret->children = zeroed(k->n_children, sizeof(*ret->children));
        for (int i = 0; i < k->n_children; i++)
            ret->children[i] = new_array(q, k->children[i], slots);
        ret->n_children = o->n_children = k->n_children;
    } else if (k->id == FL_BOOL) {
        uint8_t *values = zeroed((slots + 7) / 8, 1);
        for (int64_t i = 0; i < (slots + 7) / 8; i++)
            values[i] = take(&q->in);
        o->buffers[1] = values;
    } else if (k->id != FL_NULL) {
        uint8_t value[32], *values = NULL;
        int width = 0;
        for (int64_t i = 0; i < slots || values == NULL; i++) {
            if (i == 0 || q->in.at < q->in.end)
                width = take_value(q, k, value);
            if (values == NULL)
                values = zeroed(slots, width);
            if (i < slots)
                memcpy(values + i * width, value, (size_t)width);
        }
        o->buffers[1] = values;
    }
    ret->n_buffers = o->n_buffers;
    memcpy(ret->buffers, o->buffers, sizeof(o->buffers));
    if (q->is_corrupt)
        break_array(q, ret, k);
}

static int give_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret)
{
    static const char *const names[COLUMNS_MAX] = {"c0", "c1", "c2", "c3", "c4", "c5"};
    const question *q = stream->private_data;
    *ret = (struct ArrowSchema){.format = "+s", .name = "", .release = release_schema};
    ret->children = zeroed(q->n_columns, sizeof(*ret->children));
    for (int i = 0; i < q->n_columns; i++) {
        ret->children[i] = zeroed(1, sizeof(*ret));
        make_schema(q->columns[i], names[i], ret->children[i]);
    }
    ret->n_children = q->n_columns;
    return 0;
}

static int give_next(struct ArrowArrayStream *stream, struct ArrowArray *ret)
{
    question *q = stream->private_data;
    *ret = (struct ArrowArray){0};
    if (q->batches-- <= 0)
        return 0;
    uint8_t size = take(&q->in);
    int64_t rows = size < 240 ? 1 + size % 20 : size < 250 ? 64 + size % 4 : size < 254 ? 0 : ROWS_MAX;
    owned *o = zeroed(1, sizeof(*o));
    *ret = (struct ArrowArray){.length = rows, .n_buffers = 1, .release = release_array, .private_data = o};
    ret->buffers = zeroed(1, sizeof(void *));
    ret->children = zeroed(q->n_columns, sizeof(*ret->children));
    for (int i = 0; i < q->n_columns; i++)
        ret->children[i] = new_array(q, q->columns[i], rows);
    ret->n_children = o->n_children = q->n_columns;
    return 0;
}

static const char *give_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return NULL;
}

static void release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

/* ---- the expression ------------------------------------------------------------------------------------------------ */

static void add(question *q, const char *text)
{
    size_t len = strlen(text);
    if (q->len + len + 1 >= SQL_BYTES) /* the rest is missing: a syntax error */
        return;
    memcpy(q->sql + q->len, text, len + 1);
    q->len += len;
}

static void addf(question *q, const char *format, const char *text)
{
    char line[200];
    (void)snprintf(line, sizeof(line), format, text);
    add(q, line);
}

static void add_number(question *q, const char *format, int number)
{
    char line[40];
    (void)snprintf(line, sizeof(line), format, number);
    add(q, line);
}

static int add_column(question *q, int id)
{
    if (q->n_columns < COLUMNS_MAX && q->n_kinds < FL_LEN(q->kinds) / 2)
        q->columns[q->n_columns++] = make_kind(q, id, 0);
    int number = q->n_columns - 1;
    CHECK(number >= 0);
    add_number(q, "c%d", number);
    return number;
}

static const char *type_name(question *q, int wanted)
{
    uint8_t bits = take(&q->in);
    int id = wanted & 0xFF;
    if (wanted >> 8 != 0)
        return wanted >> 8 == FL_I32    ? "integer[]"
               : wanted >> 8 == FL_UTF8 ? "text[]"
               : wanted >> 8 == FL_F64  ? "double[]"
                                        : "integer[][]";
    int n = 0, first = bits % FL_LEN(layouts);
    if (id == FL_ANY)
        return layouts[first].sql;
    for (int i = 0; i < FL_LEN(layouts); i++)
        n += layouts[i].id == id;
    for (int i = 0, skip = n > 0 ? bits % n : 0; i < FL_LEN(layouts); i++)
        if (layouts[i].id == id && skip-- == 0)
            return layouts[i].sql;
    return "text";
}

static void add_parameter(question *q, int id)
{
    if (q->n_parameters == PARAMETERS_MAX) {
        add(q, "NULL");
        return;
    }
    parameter *p = &q->parameters[q->n_parameters++];
    uint8_t bits = take(&q->in);
    bool is_number = id >= FL_I8 && id <= FL_U64, is_real = id == FL_F32 || id == FL_F64 || id == FL_DECIMAL;
    *p = (parameter){.id = bits % 16 == 0  ? FL_BINARY /* text of any bytes */
                           : is_number     ? FL_I64
                           : is_real       ? FL_F64
                           : id == FL_BOOL ? FL_BOOL
                                           : FL_UTF8,
                     .is_null = bits % 16 == 1};
    if (p->id == FL_I64 || p->id == FL_BOOL)
        p->number = take_integer(&q->in);
    else if (p->id == FL_F64)
        p->real = take_real(&q->in);
    else
        p->bytes = take_text(&q->in, p->id == FL_BINARY, p->text);
    add_number(q, "$%d", q->n_parameters);
    if ((bits & 0x80) != 0 && id != FL_ANY)
        addf(q, "::%s", type_name(q, id));
}

static void add_literal(question *q, int id)
{
    char text[TEXT_BYTES + 1];
    text[take_text(&q->in, false, text)] = 0;
    if (id != FL_UTF8 && id != FL_ANY)
        add(q, "(");
    add(q, "'");
    for (const char *at = text; *at != 0; at++)
        add(q, (const char[]){*at, *at == '\'' ? '\'' : 0, 0});
    add(q, "'");
    if (id != FL_UTF8 && id != FL_ANY)
        addf(q, "::%s)", type_name(q, id));
}

static const fl_registry *registry;

/* The function whose name and the number together have the greatest hash. */
static const fl_func_desc *choose_function(uint64_t number)
{
    int32_t n = 0;
    const fl_func_desc *const *funcs = fl_registry_funcs(registry, &n), *ret = funcs[0];
    uint64_t best = 0;
    for (int32_t i = 0; i < n; i++) {
        uint64_t hash = fl_hash_str(funcs[i]->name, (int64_t)strlen(funcs[i]->name), number * 0x9E3779B97F4A7C15ull);
        if (hash > best && funcs[i]->alias_of == NULL) {
            best = hash;
            ret = funcs[i];
        }
    }
    return ret;
}

static void add_expression(question *q, int id, int depth);

/* Words without which a function does little: what is not listed takes any text. */
static const struct {
    const char *name;
    int argument;
    const char *words[12];
} words[] = {
    {"extract", 0, {"year", "epoch", "week", "isodow", "doy", "microseconds", "quarter", "century", "timezone", "day"}},
    {"date_part", 0, {"month", "isoyear", "dow", "milliseconds", "hour", "decade", "julian", "second", "minute"}},
    {"date_trunc", 0, {"year", "month", "week", "quarter", "day", "hour", "second", "microseconds", "century"}},
    {"encode", 1, {"hex", "base64", "escape"}},
    {"decode", 1, {"hex", "base64", "escape"}},
    {"timezone", 0, {"Europe/Berlin", "UTC", "America/New_York", "+05:30", "Pacific/Apia"}},
    {"make_timestamptz", 6, {"Asia/Tokyo", "UTC"}},
    {"to_char",
     1,
     {"YYYY-MM-DD HH24:MI:SS.US", "FMDay, FMMonth DDth", "9,990.99S", "RM TZH IYYY-IW SSSS", "FM0999EEEE"}},
    {"strftime", 1, {"%Y-%m-%d %H:%M:%S.%f", "%a %b %j %U %W %p %I", "%-d/%-m/%y %z %Z"}},
    {"strptime", 1, {"%Y-%m-%d %H:%M:%S", "%d.%m.%y", "%Y-%m-%d"}},
    {"date_diff",
     0,
     {"year", "month", "week", "day", "hour", "quarter", "isoyear", "microseconds", "century", "epoch"}},
    {"date_sub", 0, {"year", "month", "week", "day", "minute", "quarter", "second", "milliseconds", "decade", "doy"}},
    {"to_date", 1, {"YYYY-MM-DD", "DD Mon YYYY", "YYYYMMDD", "J", "YYYY DDD", "Month DD, YY BC"}},
    {"to_timestamp", 1, {"YYYY-MM-DD HH24:MI:SS.US", "HH12:MI PM", "YYYY-MM-DD\"T\"HH24:MI:SSTZH:TZM", "SSSS", "FF3"}},
    {"printf", 0, {"%d %s", "%5.2f|%-8s", "%x %05d", "%s %s %s", "%c%%", "%,d", "%+.3e"}},
    {"format", 0, {"{} {}", "{1:>8} {0:05.2f}", "%s %I %L", "{:x} {:,}", "%2$s %1$10s", "{:*^9}", "{{}}"}},
    {"list_aggregate",
     1,
     {"sum", "avg", "min", "string_agg", "median", "mode", "count", "entropy", "approx_top_k", "list"}},
    {"json_extract", 0, {"{\"a\":[1,{\"b\":null}]}", "[1,\"x\",2.5]", "\"x\"", "null", "{\"a\":{\"a\":1}}"}},
    {"json_extract", 1, {"$.a", "$[0]", "a", "/a/0", "$.a[#-1].b", "$", "/", "$.\"a\"", "$.a[1].b.c", "$.*"}},
    {"json_extract_string",
     0,
     {"{\"a\":[1,{\"b\":null}]}", "[1,\"x\",2.5]", "{\"a\":\"\\u0000\"}", "{\"a\":\"\\u00e4\"}"}},
    {"json_extract_string", 1, {"$.a", "$[0]", "a", "/a/0", "$.a[#-1].b", "$"}},
    {"json_keys", 0, {"{\"a\":1,\"b\":2}", "[]", "{\"\":{}}", "{\"a\":{\"long name of a member\":1}}"}},
    {"json_set", 0, {"{\"a\":{\"b\":1}}", "[1,2]", "1", "{}"}},
    {"json_set", 1, {"$.a", "$.a.b.c", "$[1]", "$[2]", "$", "$.x.y"}},
    {"json_set", 2, {"1", "\"x\"", "[null]", "{\"z\":0}"}},
    {"json_remove", 0, {"{\"a\":{\"b\":1}}", "[1,2]", "{\"a\":1,\"b\":2}"}},
    {"json_remove", 1, {"$.a", "$.a.b", "$[1]", "$[0]", "$"}},
    {"json_merge_patch", 0, {"{\"a\":{\"b\":1}}", "1", "{}"}},
    {"json_merge_patch", 1, {"{\"a\":null}", "{\"a\":{\"c\":2}}", "[1]"}},
    {"json_structure", 0, {"[{\"a\":1},{\"a\":1.5,\"b\":null}]", "[[],[1]]", "{\"a\":[true,\"x\"]}"}},
    {"json_normalize", 0, {"{\"b\":1,\"a\":{\"d\":2,\"c\":[]}}", "{\"a\":1,\"a\":2}"}},
    {"json_strip_nulls", 0, {"{\"a\":null,\"b\":{\"c\":null}}", "[null,{\"a\":null}]"}},
    {"json_deep_merge", 0, {"{\"a\":{\"b\":1}}", "{}"}},
    {"json_deep_merge", 1, {"{\"a\":{\"c\":[1]}}", "{\"a\":null}", "null"}},
    {"try_strptime", 1, {"%Y-%m-%d %H:%M:%S", "%H:%M %p", "%Y%m%d"}},
};

static bool add_word(question *q, const char *function, int argument)
{
    for (int i = 0; i < FL_LEN(words); i++)
        if (words[i].argument == argument && strcmp(words[i].name, function) == 0) {
            const char *word = words[i].words[take(&q->in) % (2 * FL_LEN(words[i].words)) / 2];
            if (word != NULL)
                addf(q, "'%s'", word);
            return word != NULL;
        }
    return false;
}

static void add_argument(question *q, int id, int first, int depth)
{
    add_expression(q, id == FL_SAME ? first : id == FL_ANY_DECIMAL ? FL_DECIMAL : id, depth);
}

/* Types of arguments that a function with a resolver takes, if any of a number of guesses is right. Returns how many. */
static int choose_types(question *q, const fl_func_desc *f, int *ret)
{
    static const fl_field i32 = {.type = {.id = FL_I32}}, utf8 = {.type = {.id = FL_UTF8}},
                          f64 = {.type = {.id = FL_F64}};
    static const fl_field list = {.type = {.id = FL_LIST, .n_fields = 1, .fields = &i32}};
    static const struct {
        fl_type type;
        int wanted;
    } guesses[] = {
        {{.id = FL_I32}, FL_I32},
        {{.id = FL_I64}, FL_I64},
        {{.id = FL_U8}, FL_U8},
        {{.id = FL_U64}, FL_U64},
        {{.id = FL_F32}, FL_F32},
        {{.id = FL_F64}, FL_F64},
        {{.id = FL_DECIMAL, .precision = 9, .scale = 2}, FL_DECIMAL},
        {{.id = FL_UTF8}, FL_UTF8},
        {{.id = FL_UTF8}, FL_UTF8},
        {{.id = FL_BINARY}, FL_BINARY},
        {{.id = FL_BOOL}, FL_BOOL},
        {{.id = FL_DATE}, FL_DATE},
        {{.id = FL_TIME}, FL_TIME},
        {{.id = FL_TIMESTAMP}, FL_TIMESTAMP},
        {{.id = FL_TIMESTAMPTZ}, FL_TIMESTAMPTZ},
        {{.id = FL_INTERVAL}, FL_INTERVAL},
        {{.id = FL_LIST, .n_fields = 1, .fields = &i32}, FL_LIST | FL_I32 << 8},
        {{.id = FL_LIST, .n_fields = 1, .fields = &utf8}, FL_LIST | FL_UTF8 << 8},
        {{.id = FL_LIST, .n_fields = 1, .fields = &f64}, FL_LIST | FL_F64 << 8},
        {{.id = FL_LIST, .n_fields = 1, .fields = &list}, FL_LIST | FL_LIST << 8 | FL_I32 << 16},
    };
    uint64_t seed = (uint64_t)take(&q->in) << 8 | take(&q->in);
    fl_func_choice choice;
    fl_arena arena;
    int n = 0;
    fl_arena_init(&arena, NULL);
    for (int attempt = 0; attempt < 200; attempt++) {
        fl_type types[FL_FUNC_ARGS_MAX];
        seed = fl_hash_u64(seed, 1);
        n = (const int[]){2, 2, 2, 1, 1, 3, 3, 4}[seed % 8];
        for (int i = 0; i < n; i++) {
            uint64_t part = seed >> (8 + 12 * i);
            int64_t guess = (int64_t)(part >> 4) % FL_LEN(guesses);
            types[i] = i > 0 && part % 2 == 0 ? types[i - 1] : guesses[guess].type;
            ret[i] = i > 0 && part % 2 == 0 ? ret[i - 1] : guesses[guess].wanted;
        }
        if (fl_func_resolve(f, &arena, types, n, &choice, NULL) == FL_OK)
            break;
    }
    fl_arena_drop(&arena);
    return n;
}

static void add_call(question *q, int depth)
{
    const fl_func_desc *f = choose_function((uint64_t)take(&q->in) << 8 | take(&q->in));
    uint8_t bits = take(&q->in);
    const fl_func_overload *overload = f->n_overloads > 0 ? &f->overloads[bits % f->n_overloads] : NULL;
    uint32_t traits = f->traits | (overload != NULL ? overload->traits : 0);
    q->is_volatile |= (traits & FL_PURE) == 0;
    addf(q, "\"%s\"(", f->name);
    if (overload != NULL) {
        int n = 0;
        while (n < FL_FUNC_ARGS_MAX && overload->args[n] != FL_END)
            n++;
        for (int i = 0; i < n; i++) {
            add(q, i > 0 ? ", " : "");
            if (overload->args[i] != FL_UTF8 || !add_word(q, f->name, i))
                add_argument(q, overload->args[i], overload->args[0], depth - 1);
        }
        for (int i = (traits & FL_VARIADIC) != 0 && n > 0 ? bits >> 6 : 0; i > 0; i--) {
            add(q, ", ");
            add_argument(q, overload->args[n - 1], overload->args[0], depth - 1);
        }
    } else {
        int wanted[FL_FUNC_ARGS_MAX];
        int n = choose_types(q, f, wanted);
        for (int i = 0; i < n; i++) {
            add(q, i > 0 ? ", " : "");
            add_expression(q, wanted[i], depth - 1);
        }
    }
    add(q, ")");
}

/* Forms that have a syntax of their own; a digit is an argument: 0 of the wanted type, 1 of any, 2 text, 3 boolean,
 * 4 whole number, 5 list, 6 the name of a type, 7 struct, 8 timestamp. */
static const char *const forms[] = {
    "CASE WHEN 3 THEN 0 ELSE 0 END",
    "CASE 4 WHEN 4 THEN 0 WHEN 4 THEN 0 END",
    "coalesce(0, 0, 0)",
    "nullif(0, 0)",
    "(0 IN (0, 0, 0))",
    "(0 NOT IN (0, 0))",
    "(0 BETWEEN 0 AND 0)",
    "(0 IS DISTINCT FROM 0)",
    "(0 IS NULL)",
    "(3 AND 3)",
    "(3 OR NOT 3)",
    "(2 LIKE 2)",
    "(2 LIKE 2 ESCAPE 2)",
    "(2 NOT ILIKE 2)",
    "(2 SIMILAR TO 2)",
    "(2 !~* 2)",
    "(0 = 0)",
    "(0 < 0)",
    "(0 + 0)",
    "(0 - 0)",
    "(0 * 0)",
    "(0 / 0)",
    "(2 || 0)",
    "(0 || 0)",
    "(0 = ANY (5))",
    "(5)[4]",
    "(5)[4:4]",
    "[0, 0]",
    "{'a': 0, 'b': 1}",
    "(7).a",
    "ROW(0, 1)",
    "((0, 1) = (0, 1))",
    "((0, 1) < (0, 1))",
    "CAST(1 AS 6)",
    "TRY_CAST(1 AS 6)",
    "TRY_CAST(2 AS 6)",
    "CAST(2 AS 6)",
    "CAST(CAST(1 AS 6) AS 6)",
    "(CAST(2 AS 6)::text)",
    "substring(2 FROM 4 FOR 4)",
    "trim(BOTH 2 FROM 2)",
    "overlay(2 PLACING 2 FROM 4)",
    "position(2 IN 2)",
    "extract(year FROM 8)",
    "extract(epoch FROM 0)",
    "(8 AT TIME ZONE 2)",
    "(5 = 5)",
    "(7 = 7)",
    "(4 << 4)",
    "greatest(0, 0)",
};

static void add_form(question *q, int id, int depth)
{
    static const uint8_t of_digit[] = {0, FL_ANY, FL_UTF8, FL_BOOL, FL_I64, FL_LIST, 0, FL_STRUCT, FL_TIMESTAMP};
    for (const char *at = forms[take(&q->in) % FL_LEN(forms)]; *at != 0; at++)
        if (*at == '6')
            add(q, type_name(q, FL_ANY));
        else if (*at >= '0' && *at <= '8')
            add_expression(q, *at == '0' ? id : of_digit[*at - '0'], depth - 1);
        else
            add(q, (const char[]){*at, 0});
}

/* A call whose result is cast to the type, whatever it is. */
static void add_cast_call(question *q, int id, int depth)
{
    add(q, "CAST(");
    add_call(q, depth);
    addf(q, " AS %s)", type_name(q, id));
}

/* An expression that is of the type, if the input is kind. */
static void add_expression(question *q, int id, int depth)
{
    uint8_t way = take(&q->in);
    if (way < 96)
        add_column(q, id);
    else if (way < 128)
        add_parameter(q, id);
    else if (way < 160)
        add_literal(q, id);
    else if (way < 168)
        add(q, "NULL");
    else if (way < 184 && q->n_columns > 0)
        add_number(q, "c%d", way % q->n_columns);
    else if (way < 204 && depth > 0)
        add_call(q, depth);
    else if (way < 224 && depth > 0)
        add_cast_call(q, id, depth);
    else if (depth > 0)
        add_form(q, id, depth);
    else
        add_column(q, id);
}

/* ---- the answer ---------------------------------------------------------------------------------------------------- */

static bool is_valid(const struct ArrowArray *array, int64_t row)
{
    const uint8_t *bits = array->n_buffers > 0 ? array->buffers[0] : NULL;
    return bits == NULL || (bits[row / 8] >> row % 8 & 1) != 0;
}

static void hash_value(const void *value, int64_t bytes, uint64_t *hash)
{
    *hash = fl_hash_str(value, bytes, *hash);
}

/* Looks at rows [from, to) as a consumer does, and hashes them. */
static void read_rows(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t from, int64_t to,
                      uint64_t *hash)
{
    const char *f = schema->format;
    CHECK(array->offset == 0 && array->length >= to && array->n_children == schema->n_children);
    for (int64_t i = from; i < to; i++) {
        bool valid = f[0] != 'n' && is_valid(array, i);
        hash_value(&valid, 1, hash);
        if (f[0] == 'u' || f[0] == 'z' || strcmp(f, "+l") == 0) { /* offsets count for nulls, too */
            const int32_t *offsets = array->buffers[1];
            CHECK(offsets[i] >= 0 && offsets[i] <= offsets[i + 1]);
            const uint8_t *chars = f[0] != '+' ? array->buffers[2] : NULL;
            int64_t len = offsets[i + 1] - offsets[i];
            if (f[0] == 'u' && valid)
                CHECK(is_utf8(chars + offsets[i], len));
            if (valid)
                hash_value(&len, 8, hash);
            if (valid && f[0] == '+')
                read_rows(schema->children[0], array->children[0], offsets[i], offsets[i + 1], hash);
            else if (valid && len > 0)
                hash_value(chars + offsets[i], len, hash);
        } else if (valid && strcmp(f, "+s") == 0) {
            for (int64_t c = 0; c < array->n_children; c++)
                read_rows(schema->children[c], array->children[c], i, i + 1, hash);
        } else if (valid && f[0] == 'b') {
            uint8_t bit = ((const uint8_t *)array->buffers[1])[i / 8] >> i % 8 & 1;
            hash_value(&bit, 1, hash);
        } else if (valid && (f[0] == 'f' || f[0] == 'g')) {
            double value = f[0] == 'f' ? ((const float *)array->buffers[1])[i] : ((const double *)array->buffers[1])[i];
            value = isnan(value) ? NAN : value;
            hash_value(&value, 8, hash);
        } else if (valid) {
            int64_t width = f[0] == 'c' || f[0] == 'C'                            ? 1
                            : f[0] == 's' || f[0] == 'S'                          ? 2
                            : f[0] == 'i' || f[0] == 'I' || strcmp(f, "tdD") == 0 ? 4
                            : f[0] == 'd' || strcmp(f, "tin") == 0                ? 16
                                                                                  : 8;
            hash_value((const uint8_t *)array->buffers[1] + i * width, width, hash);
        }
    }
}

static fl_status drain(struct ArrowArrayStream *rows, uint64_t *ret_hash)
{
    struct ArrowSchema schema;
    fl_status st = FL_OK;
    CHECK(rows->get_schema(rows, &schema) == 0);
    *ret_hash = 0;
    for (int64_t c = 0; c < schema.n_children; c++)
        hash_value(schema.children[c]->format, (int64_t)strlen(schema.children[c]->format), ret_hash);
    for (;;) {
        struct ArrowArray array;
        if (rows->get_next(rows, &array) != 0) { /* memory may run out here, too */
            CHECK(rows->get_last_error(rows) != NULL);
            st = FL_ERR_MEMORY;
            break;
        }
        if (array.release == NULL)
            break;
        CHECK(array.n_children == schema.n_children);
        for (int64_t c = 0; c < array.n_children; c++) {
            CHECK(array.children[c]->length == array.length);
            read_rows(schema.children[c], array.children[c], 0, array.length, ret_hash);
        }
        array.release(&array);
    }
    schema.release(&schema);
    rows->release(rows);
    return st;
}

/* ---- asking -------------------------------------------------------------------------------------------------------- */

static bool is_shown; /* FUZZ_SHOW=1 says what an input asks, and what the answers were */

static bool is_resource(fl_status st)
{
    return st == FL_ERR_MEMORY || st == FL_ERR_LIMIT || st == FL_ERR_TIMEOUT || st == FL_ERR_CANCELLED;
}

static void check_error(const fl_err *err)
{
    CHECK(strncmp(err->sqlstate, "XX000", 5) != 0 && err->message[0] != 0);
    CHECK(is_utf8((const uint8_t *)err->message, (int64_t)strlen(err->message)));
    CHECK(is_utf8((const uint8_t *)err->hint, (int64_t)strlen(err->hint)));
}

/* Binds a parameter, as NULL where the statement has no use for such a value. */
static void bind(fl_statement *statement, int32_t number, const parameter *p, fl_err *err)
{
    fl_status st = FL_OK;
    if (p->is_null)
        st = fl_statement_bind_null(statement, number, err);
    else if (p->id == FL_I64)
        st = fl_statement_bind_int64(statement, number, p->number, err);
    else if (p->id == FL_F64)
        st = fl_statement_bind_double(statement, number, p->real, err);
    else if (p->id == FL_BOOL)
        st = fl_statement_bind_bool(statement, number, (p->number & 1) != 0, err);
    else
        st = fl_statement_bind_text(statement, number, p->text, (size_t)p->bytes, err);
    bool is_text = is_utf8((const uint8_t *)p->text, p->bytes);
    CHECK(is_text || p->is_null || (st == FL_ERR_VALUE && strcmp(err->sqlstate, "22021") == 0));
    CHECK(!is_text || st == FL_OK || strcmp(err->sqlstate, "22021") != 0);
    if (st == FL_OK)
        return;
    check_error(err);
    CHECK(fl_statement_bind_null(statement, number, err) == FL_OK);
}

static fl_status ask(fl_session *session, const question *q, const char *setting, uint64_t *ret_hash)
{
    struct ArrowArrayStream rows;
    fl_statement *statement = NULL;
    fl_err err = {0};
    CHECK(fl_session_query(session, setting, &rows, &err) == FL_OK);
    rows.release(&rows);
    fl_status st = fl_session_prepare(session, q->sql, q->len, &statement, &err);
    if (st == FL_OK) {
        CHECK(fl_statement_params(statement) <= q->n_parameters);
        for (int32_t i = 0; i < fl_statement_params(statement); i++)
            bind(statement, i + 1, &q->parameters[i], &err);
        st = fl_statement_execute(statement, &rows, &err);
    }
    if (st == FL_OK)
        st = drain(&rows, ret_hash);
    else
        check_error(&err);
    fl_statement_close(statement);
    if (is_shown)
        fprintf(stderr, "  %s: %s %s, hash %016llx\n", setting, err.sqlstate, err.message,
                (unsigned long long)*ret_hash);
    return st;
}

static void show(const question *q)
{
    fprintf(stderr, "%s\n", q->sql);
    for (int i = 0; i < q->n_columns; i++)
        fprintf(stderr, "  c%d: %s%s\n", i, q->columns[i]->format,
                q->columns[i]->is_dictionary ? " by dictionary" : "");
    for (int i = 0; i < q->n_parameters; i++) {
        const parameter *p = &q->parameters[i];
        fprintf(stderr, "  $%d: %lld %g \"%.*s\"%s\n", i + 1, (long long)p->number, p->real, (int)p->bytes, p->text,
                p->is_null ? " null" : "");
    }
}

#define UNOPTIMIZED 2

static void compare(fl_session *session, const question *q)
{
    static const char *const settings[] = {"SET optimizer = 'simple'; SET vector_size = 2048", "SET vector_size = 1",
                                           "SET optimizer = 'none'; SET vector_size = 2048"};
    fl_status first = FL_OK;
    uint64_t wanted = 0;
    for (int i = 0; i < FL_LEN(settings); i++) {
        uint64_t hash = 0;
        fl_status st = ask(session, q, settings[i], &hash);
        if (i == 0) {
            first = st;
            wanted = hash;
        } else if (!is_resource(first) && !is_resource(st) && !q->is_volatile) {
            /* a call that a null constant decides is not computed, and rules find more constants than the text has */
            CHECK((first == FL_OK) == (st == FL_OK) || (i == UNOPTIMIZED && first == FL_OK));
            CHECK(st != FL_OK || hash == wanted);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static fl_engine *engine;
    static question q;
    fl_session *session = NULL;
    struct ArrowArrayStream rows;
    fl_err err = {0};
    if (engine == NULL) {
        fl_engine_options options = {.size = sizeof(options), .threads = 1, .memory_limit_bytes = 48 << 20};
        CHECK(fl_engine_open(&options, &engine, &err) == FL_OK);
        registry = engine->registry;
        is_shown = getenv("FUZZ_SHOW") != NULL;
    }
    q = (question){.in = {data, data + bytes}};
    uint8_t head = take(&q.in);
    q.is_corrupt = head % 8 == 7;
    q.batches = 1 + (head >> 6) % 2;
    add(&q, (head & 0x20) != 0 ? "SELECT r FROM (SELECT " : "SELECT ");
    add_expression(&q, FL_ANY, DEPTH_MAX);
    add(&q, (head & 0x20) != 0 ? " AS r FROM t) x WHERE r IS NOT NULL" : " AS r FROM t");
    if (q.n_columns == 0)
        q.columns[q.n_columns++] = make_kind(&q, FL_UTF8, 0);
    if (is_shown)
        show(&q);
    CHECK(fl_session_open(engine, &session, &err) == FL_OK);
    CHECK(fl_session_query(session, "SET timeout = 300", &rows, &err) == FL_OK);
    rows.release(&rows);
    struct ArrowArrayStream stream = {.get_schema = give_schema,
                                      .get_next = give_next,
                                      .get_last_error = give_error,
                                      .release = release_stream,
                                      .private_data = &q};
    fl_status st = fl_session_register(session, "t", &stream, true, &err);
    CHECK(stream.release == NULL && (st == FL_OK || q.is_corrupt || is_resource(st)));
    if (st == FL_OK)
        compare(session, &q);
    else
        check_error(&err);
    fl_session_close(session);
    return 0;
}
