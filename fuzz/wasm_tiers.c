/* Fuzzing WebAssembly's two engines beside each other: what the compiled form of a module answers, its interpreted form must answer, too.
 *
 * The input is a module as it is, where it begins as one does ("\0asm"), or chooses one that is valid: functions of all numeric
 * types with arithmetic, conversions, memory, globals, tables, calls, loops and branches. Each exported function of numbers is called
 * with rows of arguments: by the interpreter for as many steps as it may take, compiled, and compiled in the loop over columns. All
 * give the same results, bit for bit but for NaNs, and the same memory, or all trap. Depth of calls and memory run out in their own ways, and
 * steps where the compiled form does not count them; where it does both end at the same one, as functions with FUEL do. Whatever Wasmtime's validator takes must be valid when it was rewritten. */
#include "bytes.h"
#include "udf/plugin.h"
#include "udf/wasm/function.h"
#include "udf/wasm/instruction.h"
#include "udf/wasm/rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(cond, ...)                                                      \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #cond); \
            fprintf(stderr, " " __VA_ARGS__);                                 \
            abort();                                                          \
        }                                                                     \
    } while (0)

#define FUNCS_MAX 3
#define PARAMS_MAX 3
#define LOCALS_OF_TYPE 2
#define LABELS_MAX 12
#define CODE_BYTES_MAX 3000 /* of a function; behind that it comes to its end */
#define RAW_BYTES_MAX 8192
#define ROWS 3
#define STEPS 20000
#define LOOKS_MAX 2000 /* of some 5 ms each: longer than any call that ended within its steps */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* ---- a module that is valid ----------------------------------------------------------------------------------------- */

enum { NONE = WASM_BLOCK_EMPTY }; /* a block's or label's type beside those of values */

static const uint8_t types[4] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64};

typedef struct func {
    uint8_t params[PARAMS_MAX], result;
    int32_t n_params;
} func;

typedef struct generator {
    input in;
    func funcs[FUNCS_MAX];
    int32_t n_funcs, at; /* `at`: the function whose body is made */
    uint8_t labels[LABELS_MAX];
    int32_t n_labels;
    bool has_value_branches, has_visible_f32; /* what the interpreter has not, so seldom */
    fl_text code;
} generator;

static void byte(fl_text *to, int32_t value)
{
    fl_text_add_char(to, (char)value);
}

static void number(fl_text *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        byte(to, (int32_t)(value & 0x7F) | 0x80);
    byte(to, (int32_t)value);
}

static void signed_number(fl_text *to, int64_t value)
{
    for (;; value >>= 7) {
        int32_t low = (int32_t)(value & 0x7F);
        bool is_last = value >> 6 == 0 || value >> 6 == -1;
        byte(to, is_last ? low : low | 0x80);
        if (is_last)
            return;
    }
}

static void section(fl_text *to, int32_t id, const fl_text *content)
{
    byte(to, id);
    number(to, (uint64_t)content->len);
    fl_text_add_text(to, content);
}

static int32_t choose(generator *g, int32_t n)
{
    return take(&g->in) % n;
}

static int32_t type_number(uint8_t type)
{
    return WASM_I32 - type;
}

static bool is_float(uint8_t type)
{
    return type == WASM_F32 || type == WASM_F64;
}

/* Numbers at which arithmetic changes, as often as any. */
static uint64_t take_bits(generator *g, uint8_t type)
{
    static const uint64_t f64[] = {0,
                                   0x8000000000000000,
                                   0x3FF0000000000000,
                                   0xBFF0000000000000,
                                   0x7FF0000000000000,
                                   0xFFF0000000000000,
                                   0x7FF8000000000000,
                                   0xFFF8000000000000,
                                   0x7FF4000000000001,
                                   0x41DFFFFFFFC00000,
                                   0xC1E0000000000000,
                                   0x43E0000000000000,
                                   1,
                                   0x3FE0000000000000,
                                   0x7FEFFFFFFFFFFFFF,
                                   0xFFFFFFFFFFFFFFFF};
    static const uint32_t f32[] = {0,          0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000,
                                   0x7FC00000, 0xFFC00000, 0x7FA00001, 0x4EFFFFFF, 0xCF000000, 0x5F000000,
                                   1,          0x3F000000, 0x7F7FFFFF, 0xFFFFFFFF};
    static const int64_t whole[] = {0,         1,         -1,        2,  7,  64,  65535, INT32_MAX,
                                    INT32_MIN, INT64_MAX, INT64_MIN, 31, 63, 100, 255,   -128};
    uint8_t what = take(&g->in);
    uint64_t bits = 0;
    if (what < 0xC0)
        return type == WASM_F64 ? f64[what % 16] : type == WASM_F32 ? f32[what % 16] : (uint64_t)whole[what % 16];
    for (int32_t i = 0; i < (what & 7) + 1; i++)
        bits = bits << 8 | take(&g->in);
    return bits;
}

static void constant(generator *g, uint8_t type)
{
    uint64_t bits = take_bits(g, type);
    byte(&g->code, WASM_I32_CONST + type_number(type));
    if (is_float(type))
        fl_text_add(&g->code, (fl_str){(const char *)&bits, type == WASM_F64 ? 8 : 4});
    else
        signed_number(&g->code, type == WASM_I64 ? (int64_t)bits : (int32_t)bits);
}

/* A parameter of the type, or one of the locals. */
static uint64_t local_of(generator *g, uint8_t type)
{
    const func *f = &g->funcs[g->at];
    int32_t wanted = choose(g, PARAMS_MAX + LOCALS_OF_TYPE);
    if (wanted < f->n_params && f->params[wanted] == type)
        return (uint64_t)wanted;
    return (uint64_t)(f->n_params + type_number(type) * LOCALS_OF_TYPE + wanted % LOCALS_OF_TYPE);
}

static void op(generator *g, int32_t opcode, uint64_t index)
{
    byte(&g->code, opcode);
    number(&g->code, index);
}

static void value(generator *g, uint8_t type, int32_t depth);
static void statement(generator *g, int32_t depth);

/* An address that is often within the memory, and an alignment and offset behind the opcode. */
static void access(generator *g, int32_t depth)
{
    value(g, WASM_I32, depth);
    if (choose(g, 8) > 0) {
        byte(&g->code, WASM_I32_CONST);
        signed_number(&g->code, 0xFFF);
        byte(&g->code, 0x71); /* and */
    }
}

static void memory_argument(generator *g)
{
    static const uint32_t offsets[] = {0, 0, 0, 1, 8, 1000, 0xFFFF, 0xFFFFFFFF};
    byte(&g->code, 0);
    number(&g->code, offsets[choose(g, 8)]);
}

static void block_begin(generator *g, int32_t opcode, uint8_t type, uint8_t label)
{
    byte(&g->code, opcode);
    byte(&g->code, type);
    g->labels[g->n_labels++] = label;
}

static void block_end(generator *g)
{
    byte(&g->code, WASM_END);
    g->n_labels--;
}

/* A label of the type; -1: there is none. */
static int32_t label_of(generator *g, uint8_t type)
{
    int32_t wanted = g->n_labels > 0 ? choose(g, g->n_labels) : 0;
    for (int32_t i = 0; i < g->n_labels; i++, wanted = (wanted + 1) % g->n_labels)
        if (g->labels[g->n_labels - 1 - wanted] == type)
            return wanted;
    return -1;
}

static void comparison(generator *g, int32_t depth)
{
    static const uint8_t first[4] = {0x46, 0x51, 0x5B, 0x61}, n[4] = {10, 10, 6, 6};
    int32_t of = choose(g, 4);
    value(g, types[of], depth);
    value(g, types[of], depth);
    byte(&g->code, first[of] + choose(g, n[of]));
}

static void conversion(generator *g, uint8_t type, int32_t depth)
{
    static const struct {
        uint8_t to, from, opcode, more; /* more: behind 0xFC */
    } all[] = {
        {WASM_I32, WASM_I64, 0xA7, 0}, {WASM_I32, WASM_F32, 0xA8, 0}, {WASM_I32, WASM_F32, 0xA9, 0},
        {WASM_I32, WASM_F64, 0xAA, 0}, {WASM_I32, WASM_F64, 0xAB, 0}, {WASM_I32, WASM_F32, 0xBC, 0},
        {WASM_I32, WASM_F32, 0xFC, 0}, {WASM_I32, WASM_F32, 0xFC, 1}, {WASM_I32, WASM_F64, 0xFC, 2},
        {WASM_I32, WASM_F64, 0xFC, 3}, {WASM_I32, WASM_I64, 0x50, 0}, {WASM_I32, WASM_I32, 0x45, 0},
        {WASM_I64, WASM_I32, 0xAC, 0}, {WASM_I64, WASM_I32, 0xAD, 0}, {WASM_I64, WASM_F32, 0xAE, 0},
        {WASM_I64, WASM_F32, 0xAF, 0}, {WASM_I64, WASM_F64, 0xB0, 0}, {WASM_I64, WASM_F64, 0xB1, 0},
        {WASM_I64, WASM_F64, 0xBD, 0}, {WASM_I64, WASM_F32, 0xFC, 4}, {WASM_I64, WASM_F32, 0xFC, 5},
        {WASM_I64, WASM_F64, 0xFC, 6}, {WASM_I64, WASM_F64, 0xFC, 7}, {WASM_F32, WASM_I32, 0xB2, 0},
        {WASM_F32, WASM_I32, 0xB3, 0}, {WASM_F32, WASM_I64, 0xB4, 0}, {WASM_F32, WASM_I64, 0xB5, 0},
        {WASM_F32, WASM_F64, 0xB6, 0}, {WASM_F32, WASM_I32, 0xBE, 0}, {WASM_F64, WASM_I32, 0xB7, 0},
        {WASM_F64, WASM_I32, 0xB8, 0}, {WASM_F64, WASM_I64, 0xB9, 0}, {WASM_F64, WASM_I64, 0xBA, 0},
        {WASM_F64, WASM_F32, 0xBB, 0}, {WASM_F64, WASM_I64, 0xBF, 0},
    };
    int32_t n = (int32_t)FL_LEN(all), at = choose(g, n);
    while (all[at].to != type || (all[at].opcode == WASM_I32_REINTERPRET && !g->has_visible_f32))
        at = (at + 1) % n;
    value(g, all[at].from, depth);
    byte(&g->code, all[at].opcode);
    if (all[at].opcode == 0xFC)
        byte(&g->code, all[at].more);
}

static void call(generator *g, int32_t callee, int32_t depth)
{
    const func *f = &g->funcs[callee];
    bool is_indirect = choose(g, 3) == 0;
    for (int32_t i = 0; i < f->n_params; i++)
        value(g, f->params[i], depth);
    if (!is_indirect) {
        op(g, WASM_CALL, (uint64_t)callee);
        return;
    }
    value(g, WASM_I32, 0); /* its place in the table, which may be another's, or none's */
    op(g, WASM_CALL_INDIRECT, (uint64_t)callee);
    byte(&g->code, 0);
}

/* Code that leaves one value. */
static void value(generator *g, uint8_t type, int32_t depth)
{
    static const uint8_t unary[4][8] = {{0x67, 0x68, 0x69, 0xC0, 0xC1, 0x45},
                                        {0x79, 0x7A, 0x7B, 0xC2, 0xC3, 0xC4},
                                        {0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x91},
                                        {0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F}};
    static const uint8_t n_unary[4] = {6, 6, 7, 7}, first_binary[4] = {0x6A, 0x7C, 0x92, 0xA0},
                         n_binary[4] = {15, 15, 7, 7};
    static const uint8_t loads[4][8] = {
        {0x28, 0x2C, 0x2D, 0x2E, 0x2F}, {0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35}, {0x2A}, {0x2B}};
    static const uint8_t n_loads[4] = {5, 7, 1, 1};
    int32_t n = type_number(type), label;
    int32_t what =
        depth <= 0 || g->code.len > CODE_BYTES_MAX || g->n_labels >= LABELS_MAX - 2 ? choose(g, 3) : choose(g, 19);
    depth--;
    switch (what) {
    case 0:
        constant(g, type);
        return;
    case 1:
        op(g, WASM_LOCAL_GET, local_of(g, type));
        return;
    case 2:
        op(g, WASM_GLOBAL_GET, (uint64_t)n);
        return;
    case 3:
        value(g, type, depth);
        byte(&g->code, unary[n][choose(g, n_unary[n])]);
        return;
    case 4:
    case 5:
    case 6:
        value(g, type, depth);
        value(g, type, depth);
        byte(&g->code, first_binary[n] + choose(g, n_binary[n] - (type == WASM_F32 && !g->has_visible_f32)));
        return;
    case 7:
    case 8:
        conversion(g, type, depth);
        return;
    case 9:
        access(g, depth);
        byte(&g->code, loads[n][choose(g, n_loads[n])]);
        memory_argument(g);
        return;
    case 10:
        value(g, type, depth);
        value(g, type, depth);
        value(g, WASM_I32, depth);
        byte(&g->code, WASM_SELECT);
        return;
    case 11: /* a block that may be left with its value, or left to the function's */
        block_begin(g, WASM_BLOCK, type, type);
        statement(g, depth);
        value(g, type, depth);
        if (g->has_value_branches) {
            value(g, WASM_I32, depth);
            op(g, WASM_BR_IF, 0);
        }
        block_end(g);
        return;
    case 12:
        value(g, WASM_I32, depth);
        block_begin(g, WASM_IF, type, type);
        value(g, type, depth);
        byte(&g->code, WASM_ELSE);
        statement(g, depth);
        value(g, type, depth);
        block_end(g);
        return;
    case 13:
        for (int32_t i = 0, at = choose(g, g->n_funcs); i < g->n_funcs; i++, at = (at + 1) % g->n_funcs)
            if (g->funcs[at].result == type) {
                call(g, at, depth);
                return;
            }
        constant(g, type);
        return;
    case 14:
        value(g, type, depth);
        op(g, WASM_LOCAL_TEE, local_of(g, type));
        return;
    case 15:
        if (type == WASM_I32 && choose(g, 4) == 0) {
            value(g, WASM_I32, 0);
            byte(&g->code, WASM_MEMORY_GROW);
            byte(&g->code, 0);
        } else if (type == WASM_I32 && choose(g, 4) == 0) {
            byte(&g->code, WASM_MEMORY_SIZE);
            byte(&g->code, 0);
        } else if (type == WASM_I32) {
            comparison(g, depth);
        } else {
            conversion(g, type, depth);
        }
        return;
    case 16: /* through the loop as often as its condition says */
        block_begin(g, WASM_LOOP, type, NONE);
        statement(g, depth);
        value(g, WASM_I32, depth);
        op(g, WASM_BR_IF, 0);
        value(g, type, depth);
        block_end(g);
        return;
    case 17: /* out of a block, this one or one around it, with a value */
        block_begin(g, WASM_BLOCK, type, type);
        value(g, type, depth);
        op(g, WASM_BR, (uint64_t)label_of(g, type));
        block_end(g);
        return;
    default:
        label = label_of(g, type);
        value(g, type, depth);
        if (label >= 0 && g->has_value_branches) {
            value(g, WASM_I32, depth);
            op(g, WASM_BR_IF, (uint64_t)label);
        }
    }
}

/* Code that leaves nothing. */
static void statement(generator *g, int32_t depth)
{
    static const uint8_t stores[4][4] = {{0x36, 0x3A, 0x3B}, {0x37, 0x3C, 0x3D, 0x3E}, {0x38}, {0x39}};
    static const uint8_t n_stores[4] = {3, 4, 1, 1};
    int32_t n = choose(g, 4), label;
    uint8_t type = types[n];
    int32_t what = depth <= 0 || g->code.len > CODE_BYTES_MAX || g->n_labels >= LABELS_MAX - 2 ? 0 : choose(g, 14);
    depth--;
    switch (what) {
    case 0:
        byte(&g->code, 0x01);
        return;
    case 1:
    case 2:
        value(g, type, depth);
        op(g, WASM_LOCAL_SET, local_of(g, type));
        return;
    case 3:
        value(g, type, depth);
        op(g, WASM_GLOBAL_SET, (uint64_t)n);
        return;
    case 4:
    case 5:
        if (type == WASM_F32 && !g->has_visible_f32)
            type = types[n = 0];
        access(g, depth);
        value(g, type, depth);
        byte(&g->code, stores[n][choose(g, n_stores[n])]);
        memory_argument(g);
        return;
    case 6:
        value(g, WASM_I32, depth);
        block_begin(g, WASM_IF, NONE, NONE);
        statement(g, depth);
        if (choose(g, 2) == 0) {
            byte(&g->code, WASM_ELSE);
            statement(g, depth);
        }
        block_end(g);
        return;
    case 7:
        block_begin(g, WASM_BLOCK, NONE, NONE);
        statement(g, depth);
        statement(g, depth);
        block_end(g);
        return;
    case 8: /* a local counts down from a few */
        block_begin(g, WASM_LOOP, NONE, NONE);
        statement(g, depth);
        n = (int32_t)local_of(g, WASM_I32);
        op(g, WASM_LOCAL_GET, (uint64_t)n);
        op(g, WASM_I32_CONST, 1);
        byte(&g->code, WASM_I32_SUB);
        op(g, WASM_LOCAL_TEE, (uint64_t)n);
        op(g, WASM_I32_CONST, (uint64_t)choose(g, 16));
        byte(&g->code, 0x4A); /* greater */
        op(g, WASM_BR_IF, 0);
        block_end(g);
        return;
    case 9: /* memory.fill or copy */
        access(g, depth);
        if (choose(g, 2) == 0) {
            value(g, WASM_I32, depth);
            access(g, depth);
            op(g, WASM_PREFIX_MORE, 11);
        } else {
            access(g, depth);
            access(g, depth);
            op(g, WASM_PREFIX_MORE, 10);
            byte(&g->code, 0);
        }
        byte(&g->code, 0);
        return;
    case 10:
        label = label_of(g, NONE);
        if (label < 0)
            return;
        value(g, WASM_I32, depth);
        op(g, WASM_BR_IF, (uint64_t)label);
        return;
    case 11: /* a table of two labels that nothing is given to */
        label = label_of(g, NONE);
        if (label < 0)
            return;
        block_begin(g, WASM_BLOCK, NONE, NONE);
        value(g, WASM_I32, depth);
        op(g, WASM_BR_TABLE, 1);
        number(&g->code, 0);
        number(&g->code, (uint64_t)label + 1);
        block_end(g);
        return;
    case 12: /* the function's end, under a condition */
        value(g, WASM_I32, depth);
        block_begin(g, WASM_IF, NONE, NONE);
        if (choose(g, 8) == 0) {
            byte(&g->code, WASM_UNREACHABLE);
        } else {
            value(g, g->funcs[g->at].result, depth);
            byte(&g->code, WASM_RETURN);
        }
        block_end(g);
        return;
    default:
        value(g, type, depth);
        byte(&g->code, 0x1A); /* drop */
    }
}

static void make_body(generator *g, int32_t at, fl_text *to)
{
    g->at = at;
    g->n_labels = 1;
    g->labels[0] = g->funcs[at].result;
    fl_text_clear(&g->code);
    number(&g->code, 4);
    for (int32_t i = 0; i < 4; i++) {
        number(&g->code, LOCALS_OF_TYPE);
        byte(&g->code, types[i]);
    }
    for (int32_t n = choose(g, 4); n > 0; n--)
        statement(g, 4);
    value(g, g->funcs[at].result, 6);
    byte(&g->code, WASM_END);
    number(to, (uint64_t)g->code.len);
    fl_text_add_text(to, &g->code);
}

static void make_module(const uint8_t *data, size_t bytes, fl_text *ret)
{
    generator g = {.in = {data, data + bytes}};
    fl_text part;
    fl_text_init(&g.code, NULL);
    fl_text_init(&part, NULL);
    g.n_funcs = 1 + choose(&g, FUNCS_MAX);
    g.has_value_branches = choose(&g, 8) == 1;
    g.has_visible_f32 = choose(&g, 8) == 1;
    for (int32_t i = 0; i < g.n_funcs; i++) {
        func *f = &g.funcs[i];
        f->n_params = choose(&g, PARAMS_MAX + 1);
        f->result = types[choose(&g, 4)];
        for (int32_t p = 0; p < f->n_params; p++)
            f->params[p] = types[choose(&g, 4)];
    }
    fl_text_add(ret, (fl_str){"\0asm\1\0\0\0", 8});
    number(&part, (uint64_t)g.n_funcs);
    for (int32_t i = 0; i < g.n_funcs; i++) {
        byte(&part, 0x60);
        number(&part, (uint64_t)g.funcs[i].n_params);
        fl_text_add(&part, (fl_str){(const char *)g.funcs[i].params, g.funcs[i].n_params});
        byte(&part, 1);
        byte(&part, g.funcs[i].result);
    }
    section(ret, WASM_SECTION_TYPE, &part);
    fl_text_clear(&part);
    number(&part, (uint64_t)g.n_funcs);
    for (int32_t i = 0; i < g.n_funcs; i++)
        number(&part, (uint64_t)i);
    section(ret, WASM_SECTION_FUNCTION, &part);
    fl_text_clear(&part);
    fl_text_add(&part, (fl_str){"\1\x70\0\5", 4}); /* five places, those behind the functions are empty */
    section(ret, WASM_SECTION_TABLE, &part);
    fl_text_clear(&part);
    fl_text_add(&part, (fl_str){"\1\1\1\3", 4}); /* one page, up to three */
    section(ret, WASM_SECTION_MEMORY, &part);
    fl_text_clear(&part);
    number(&part, 4);
    for (int32_t i = 0; i < 4; i++) {
        byte(&part, types[i]);
        byte(&part, 1);
        fl_text_clear(&g.code);
        constant(&g, types[i]);
        byte(&g.code, WASM_END);
        fl_text_add_text(&part, &g.code);
    }
    section(ret, WASM_SECTION_GLOBAL, &part);
    fl_text_clear(&part);
    number(&part, (uint64_t)g.n_funcs);
    for (int32_t i = 0; i < g.n_funcs; i++) {
        fl_text_add(&part, (fl_str){"\1f", 2});
        part.data[part.len - 1] = (char)('f' + i);
        byte(&part, WASM_FUNC);
        number(&part, (uint64_t)i);
    }
    section(ret, WASM_SECTION_EXPORT, &part);
    fl_text_clear(&part);
    fl_text_add(&part, (fl_str){"\1\0\x41\0\x0B", 5});
    number(&part, (uint64_t)g.n_funcs);
    for (int32_t i = 0; i < g.n_funcs; i++)
        number(&part, (uint64_t)i);
    section(ret, WASM_SECTION_ELEMENT, &part);
    fl_text_clear(&part);
    number(&part, (uint64_t)g.n_funcs);
    for (int32_t i = 0; i < g.n_funcs; i++)
        make_body(&g, i, &part);
    section(ret, WASM_SECTION_CODE, &part);
    fl_text_clear(&part);
    fl_text_add(&part, (fl_str){"\1\0\x41\0\x0B\x10", 6});
    for (int32_t i = 0; i < 16; i++)
        byte(&part, take(&g.in));
    section(ret, WASM_SECTION_DATA, &part);
    fl_text_drop(&part);
    fl_text_drop(&g.code);
}

/* ---- both engines ----------------------------------------------------------------------------------------------------- */

typedef enum end { ENDED, TRAPPED, OUT_OF_STEPS, RAN_OUT } end;

/* What a function came to, of rows of arguments one after the other. */
typedef struct outcome {
    end end;
    uint64_t results[ROWS];
    int32_t n; /* rows that it answered */
    uint8_t *memory;
    size_t memory_bytes;
} outcome;

static const fl_wasm_runtime *runtime;
static const fl_wasm_limits limits = {.memory_bytes = 8 * WASM_PAGE_BYTES, .table_elements = 1000};

static bool shall_stop(void *ctx)
{
    return ++*(int32_t *)ctx > LOOKS_MAX;
}

static end end_of(const fl_wasm_fault *fault)
{
    CHECK(fault->kind == FL_WASM_TRAP || fault->kind == FL_WASM_LIMIT || fault->kind == FL_WASM_STEPS ||
              fault->kind == FL_WASM_NO_MEMORY,
          "kind %d: %s\n", (int)fault->kind, fault->message);
    return fault->kind == FL_WASM_TRAP ? TRAPPED : fault->kind == FL_WASM_STEPS ? OUT_OF_STEPS : RAN_OUT;
}

static uint64_t canonical(uint64_t bits, uint8_t type)
{
    if (type == WASM_F32)
        return ((uint32_t)bits & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC00000 : (uint32_t)bits;
    if (type == WASM_F64)
        return (bits & 0x7FFFFFFFFFFFFFFF) > 0x7FF0000000000000 ? 0x7FF8000000000000 : bits;
    return type == WASM_I32 ? (uint32_t)bits : bits;
}

static uint8_t result_of(const wasm_type *type)
{
    return type->n_results == 1 ? type->results[0] : 0;
}

static void keep_memory(const fl_wasm_engine_ops *engine, void *instance, outcome *ret)
{
    const uint8_t *at = engine->memory(instance, FL_WASM_OWN_MEMORY, &ret->memory_bytes);
    ret->memory = malloc(ret->memory_bytes + 1);
    CHECK(ret->memory != NULL);
    if (ret->memory_bytes > 0)
        memcpy(ret->memory, at, ret->memory_bytes);
}

static outcome call_rows(const fl_wasm_engine_ops *engine, void *module, int32_t steps, const char *name,
                         const wasm_type *type, const uint64_t (*args)[FL_FUNC_ARGS_MAX])
{
    outcome ret = {0};
    fl_wasm_fault fault = {0};
    int32_t looks = 0;
    void *instance = engine->instance_new(module, &limits, shall_stop, &looks, &fault);
    if (instance == NULL) {
        /* wasm3 reads a module when it makes an instance, and does not know all that the validator takes */
        ret.end = fault.kind == FL_WASM_UNSUPPORTED ? RAN_OUT : end_of(&fault);
        return ret;
    }
    void *found = engine->find(instance, name, &fault);
    if (found == NULL) {
        CHECK(engine == runtime->interpreter && fault.kind != FL_WASM_FINE, "%s\n", fault.message);
        ret.end = RAN_OUT;
    }
    for (; ret.end == ENDED && ret.n < ROWS; ret.n++) {
        uint64_t values[FL_FUNC_ARGS_MAX];
        memcpy(values, args[ret.n], sizeof(values));
        engine->set_steps(instance, steps);
        if (!engine->call(instance, found, values, type->n_params, shall_stop, &looks, &fault)) {
            ret.end = end_of(&fault);
            break;
        }
        ret.results[ret.n] = canonical(values[0], result_of(type));
    }
    keep_memory(engine, instance, &ret);
    engine->instance_free(instance);
    return ret;
}

static int32_t width(uint8_t type)
{
    return type == WASM_I32 || type == WASM_F32 ? 4 : 8;
}

/* The same rows in the loop over columns, each column at a place of its own. */
static outcome call_batch(void *module, const wasm_type *type, const uint64_t (*args)[FL_FUNC_ARGS_MAX])
{
    const fl_wasm_engine_ops *engine = runtime->compiler;
    outcome ret = {0};
    fl_wasm_fault fault = {0};
    size_t n_bytes = 0;
    int32_t looks = 0;
    uint64_t values[FL_FUNC_ARGS_MAX + 2] = {ROWS};
    void *instance = engine->instance_new(module, &limits, shall_stop, &looks, &fault);
    if (instance == NULL) {
        ret.end = end_of(&fault);
        return ret;
    }
    CHECK(engine->grow(instance, FL_WASM_COLUMNS, 1));
    uint8_t *columns = engine->memory(instance, FL_WASM_COLUMNS, &n_bytes);
    CHECK(n_bytes == WASM_PAGE_BYTES);
    for (int32_t i = 0; i <= type->n_params; i++) {
        values[1 + i] = 1024 * (uint64_t)(i + 1);
        for (int32_t row = 0; row < ROWS && i < type->n_params; row++)
            memcpy(columns + values[1 + i] + (size_t)(row * width(type->params[i])), &args[row][i],
                   (size_t)width(type->params[i]));
    }
    uint64_t result_at = values[1 + type->n_params];
    void *found = engine->find(instance, WASM_BATCH_EXPORT, &fault);
    CHECK(found != NULL, "%s\n", fault.message);
    if (!engine->call(instance, found, values, type->n_params + 2, shall_stop, &looks, &fault)) {
        ret.end = end_of(&fault);
    } else {
        columns = engine->memory(instance, FL_WASM_COLUMNS, &n_bytes);
        for (; ret.n < ROWS; ret.n++) {
            uint64_t bits = 0;
            memcpy(&bits, columns + result_at + (size_t)(ret.n * width(type->results[0])),
                   (size_t)width(type->results[0]));
            ret.results[ret.n] = canonical(bits, type->results[0]);
        }
    }
    keep_memory(engine, instance, &ret);
    engine->instance_free(instance);
    return ret;
}

static void drop(outcome *o)
{
    free(o->memory);
}

/* How two outcomes came to be. */
typedef enum compared {
    BY_ROWS,   /* both called for a row at a time */
    BY_LOOP,   /* one of them for all: what it did before it failed is not known */
    BY_COUNTED /* and both counted their steps */
} compared;

static void compare(const char *what, const outcome *a, const outcome *b, compared by)
{
    if (a->end == RAN_OUT || b->end == RAN_OUT ||
        (by != BY_COUNTED && (a->end == OUT_OF_STEPS || b->end == OUT_OF_STEPS)))
        return;
    CHECK(a->end == b->end, "%s: ends are %d and %d\n", what, (int)a->end, (int)b->end);
    if (a->end != ENDED && by == BY_LOOP)
        return;
    CHECK(a->n == b->n, "%s: %d rows and %d\n", what, a->n, b->n);
    for (int32_t i = 0; i < a->n; i++)
        CHECK(a->results[i] == b->results[i], "%s: row %d is %016llx and %016llx\n", what, i,
              (unsigned long long)a->results[i], (unsigned long long)b->results[i]);
    if (a->end != ENDED && by != BY_COUNTED)
        return;
    CHECK(a->memory_bytes == b->memory_bytes && memcmp(a->memory, b->memory, a->memory_bytes) == 0,
          "%s: memories differ\n", what);
}

/* ---- the forms of a module ------------------------------------------------------------------------------------------ */

/* NULL: it has what the rewriter does not know. */
static void *make_form(const wasm_module *module, const fl_wasm_engine_ops *engine, wasm_rewriting what)
{
    fl_wasm_fault fault = {0};
    fl_text text;
    void *made = NULL;
    fl_text_init(&text, NULL);
    if (fl_wasm_rewrite(module, &what, &text, NULL) == FL_OK) {
        CHECK(runtime->validate((const uint8_t *)text.data, (size_t)text.len, &fault), "rewritten: %s\n",
              fault.message);
        made = engine->module_new((const uint8_t *)text.data, (size_t)text.len, false, &fault);
        CHECK(made != NULL, "%s\n", fault.message);
    }
    fl_text_drop(&text);
    return made;
}

static bool is_of_numbers(const wasm_type *type)
{
    bool is = type->n_results <= 1 && type->n_params <= FL_FUNC_ARGS_MAX;
    for (int32_t i = 0; is && i < type->n_params; i++)
        is = type->params[i] >= WASM_F64 && type->params[i] <= WASM_I32;
    return is && (type->n_results == 0 || (type->results[0] >= WASM_F64 && type->results[0] <= WASM_I32));
}

/* A function whose steps both forms count, and their few may run out; NULL interpreted or counted: there is none. */
static void try_fuel(const wasm_module *module, int32_t number, const char *name, void *interpreted, void *counted,
                     bool has_batch, generator *arguments, const uint64_t (*args)[FL_FUNC_ARGS_MAX])
{
    static const int32_t fuels[] = {1, 2, 3, 5, 10, 30, 100, 1000};
    const wasm_type *type = wasm_type_of(module, number);
    int32_t fuel = fuels[choose(arguments, FL_LEN(fuels))];
    if (interpreted == NULL || counted == NULL)
        return;
    outcome a = call_rows(runtime->interpreter, interpreted, fuel, name, type, args);
    outcome b = call_rows(runtime->compiler, counted, fuel, name, type, args);
    compare("steps interpreted and compiled", &a, &b, BY_COUNTED);
    wasm_rewriting what = {.batch_func = number, .counts_steps = true, .fuel = fuel};
    void *looped = has_batch && type->n_results == 1 ? make_form(module, runtime->compiler, what) : NULL;
    if (looped != NULL) {
        outcome c = call_batch(looped, type, args);
        CHECK(a.end == RAN_OUT || c.end == RAN_OUT || a.end == c.end, "steps of a row and in a batch: %d and %d\n",
              (int)a.end, (int)c.end);
        drop(&c);
        runtime->compiler->module_free(looped);
    }
    drop(&a);
    drop(&b);
}

static void try_function(const wasm_module *module, int32_t number, const char *name, void *interpreted, void *compiled,
                         void *counted, bool has_batch, generator *arguments)
{
    const wasm_type *type = wasm_type_of(module, number);
    uint64_t args[ROWS][FL_FUNC_ARGS_MAX] = {0};
    if (!is_of_numbers(type))
        return;
    for (int32_t row = 0; row < ROWS; row++)
        for (int32_t i = 0; i < type->n_params; i++)
            args[row][i] = take_bits(arguments, type->params[i]);
    outcome a = {.end = RAN_OUT};
    if (interpreted != NULL)
        a = call_rows(runtime->interpreter, interpreted, STEPS, name, type, args);
    try_fuel(module, number, name, interpreted, counted, has_batch, arguments, args);
    if (a.end != RAN_OUT && a.end != OUT_OF_STEPS) { /* else it may never end */
        outcome b = call_rows(runtime->compiler, compiled, STEPS, name, type, args);
        compare("interpreted and compiled", &a, &b, BY_ROWS);
        void *looped = has_batch && type->n_results == 1
                           ? make_form(module, runtime->compiler, (wasm_rewriting){.batch_func = number})
                           : NULL;
        if (looped != NULL) {
            outcome c = call_batch(looped, type, args);
            compare("a row and a batch", &b, &c, BY_LOOP);
            drop(&c);
            runtime->compiler->module_free(looped);
        }
        drop(&b);
    }
    drop(&a);
}

static void try_module(fl_str bytes, bool must_be_valid, const uint8_t *data, size_t n)
{
    fl_arena arena;
    fl_wasm_fault fault = {0};
    wasm_module module;
    char name[64];
    generator arguments = {.in = {data, data + n}};
    fl_arena_init(&arena, NULL);
    bool is_valid = fl_wasm_read(&arena, bytes, &module, NULL) == FL_OK &&
                    fl_wasm_check_imports(&module, NULL) == FL_OK &&
                    runtime->validate((const uint8_t *)bytes.data, (size_t)bytes.len, &fault);
    CHECK(is_valid || !must_be_valid, "%s\n", fault.message);
    bool is_interpreted = is_valid && fl_wasm_can_interpret(&module);
    void *interpreted =
        is_interpreted ? make_form(&module, runtime->interpreter,
                                   (wasm_rewriting){.batch_func = -1, .is_interpreted = true, .counts_steps = true})
                       : NULL;
    void *compiled = is_valid ? make_form(&module, runtime->compiler, (wasm_rewriting){.batch_func = -1}) : NULL;
    wasm_rewriting counts = {.batch_func = -1, .counts_steps = true, .fuel = 1};
    void *counted = interpreted != NULL ? make_form(&module, runtime->compiler, counts) : NULL;
    for (int32_t i = 0; compiled != NULL && i < module.n_exports && i < 8; i++) {
        const wasm_export *export = &module.exports[i];
        if (export->kind != WASM_FUNC || export->name.len >= (int64_t)sizeof(name) ||
            memchr(export->name.data, 0, (size_t)export->name.len) != NULL)
            continue;
        snprintf(name, sizeof(name), "%.*s", FL_STR_ARG(export->name));
        try_function(&module, export->index, name, interpreted, compiled, counted,
                     (size_t)i == n % (size_t)module.n_exports,
                     &arguments); /* one of them, as compiling takes most of the time */
    }
    if (interpreted != NULL)
        runtime->interpreter->module_free(interpreted);
    if (compiled != NULL)
        runtime->compiler->module_free(compiled);
    if (counted != NULL)
        runtime->compiler->module_free(counted);
    fl_arena_drop(&arena);
}

static bool open_runtime(void)
{
    char message[256] = "";
    void *symbol = NULL;
    fl_wasm_runtime_open start;
    fl_plugin_set_folder(FL_STR(FLETCH_PLUGIN_DIR));
    if (fl_plugin_open("fletch_wasm", FL_WASM_RUNTIME_SYMBOL, &symbol, NULL) != FL_OK)
        return false;
    memcpy(&start, &symbol, sizeof(start));
    runtime = start(message, sizeof(message));
    CHECK(runtime != NULL, "%s\n", message);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_text module;
    if (runtime == NULL && !open_runtime())
        return 0; /* a build without the plugin */
    fl_text_init(&module, NULL);
    if (bytes >= 4 && memcmp(data, "\0asm", 4) == 0) {
        if (bytes <= RAW_BYTES_MAX)
            try_module((fl_str){(const char *)data, (int64_t)bytes}, false, data, bytes);
    } else {
        make_module(data, bytes, &module);
        try_module(fl_text_str(&module), true, data, bytes);
    }
    fl_text_drop(&module);
    return 0;
}
