/* What follows each opcode. */
#include "udf/wasm/instruction.h"

#define BLOCK_TYPE_EMPTY (-64) /* WASM_BLOCK_EMPTY, as a signed number */
#define SIMD_MAX 255           /* the numbers behind are of relaxed SIMD, which there is not here */

/* Kinds of immediates. */
enum {
    UNKNOWN,
    NONE,
    BLOCK_TYPE,
    INDEX,
    INDEX_TWICE,
    TABLE,
    MEMORY,
    ONE_BYTE,
    CONST_I32,
    CONST_I64,
    CONST_F32,
    CONST_F64,
    TYPES,
    MORE,
    SIMD
};

static uint8_t kind_of(uint8_t opcode)
{
    switch (opcode) {
    case WASM_BLOCK:
    case WASM_LOOP:
    case WASM_IF:
        return BLOCK_TYPE;
    case WASM_BR:
    case WASM_BR_IF:
    case WASM_CALL:
    case WASM_LOCAL_GET:
    case WASM_LOCAL_SET:
    case WASM_LOCAL_TEE:
    case WASM_GLOBAL_GET:
    case WASM_GLOBAL_SET:
    case 0x25: /* table.get */
    case 0x26: /* table.set */
    case 0xD2: /* ref.func */
        return INDEX;
    case WASM_CALL_INDIRECT:
        return INDEX_TWICE;
    case WASM_BR_TABLE:
        return TABLE;
    case WASM_MEMORY_SIZE:
    case WASM_MEMORY_GROW:
    case 0xD0: /* ref.null */
        return ONE_BYTE;
    case WASM_I32_CONST:
        return CONST_I32;
    case WASM_I64_CONST:
        return CONST_I64;
    case WASM_F32_CONST:
        return CONST_F32;
    case WASM_F64_CONST:
        return CONST_F64;
    case 0x1C: /* select with types */
        return TYPES;
    case WASM_PREFIX_MORE:
        return MORE;
    case WASM_PREFIX_SIMD:
        return SIMD;
    case WASM_UNREACHABLE:
    case 0x01: /* nop */
    case WASM_ELSE:
    case WASM_END:
    case WASM_RETURN:
    case 0x1A: /* drop */
    case 0x1B: /* select */
    case 0xD1: /* ref.is_null */
        return NONE;
    default:
        break;
    }
    if (opcode >= WASM_I32_LOAD && opcode <= 0x3E)
        return MEMORY;
    return opcode >= WASM_I32_EQZ && opcode <= 0xC4 ? NONE : UNKNOWN;
}

static bool skip_indices(wasm_reader *r, int32_t n)
{
    uint64_t unused;
    for (int32_t i = 0; i < n; i++)
        if (!fl_wasm_take_unsigned(r, 32, &unused))
            return false;
    return true;
}

static bool skip_bytes(wasm_reader *r, int64_t n)
{
    if (r->end - r->at < n)
        return false;
    r->at += n;
    return true;
}

/* Behind 0xFC. */
static bool take_more(wasm_reader *r, wasm_instruction *ret, const char **ret_fault)
{
    static const uint8_t indices[] = {
        [8] = 2, [9] = 1, [10] = 2, [11] = 1, [12] = 2, [13] = 1, [14] = 2, [15] = 1, [16] = 1, [17] = 1};
    uint64_t number = 0;
    if (!fl_wasm_take_unsigned(r, 32, &number))
        return false;
    ret->index = (uint32_t)number;
    if (number >= FL_LEN(indices)) {
        *ret_fault = "an instruction that is not known";
        return false;
    }
    return number < 8 || skip_indices(r, indices[number]);
}

/* A place in memory: alignment, whose sixth bit says that a memory's number follows, and offset. */
static bool skip_place(wasm_reader *r)
{
    uint64_t number = 0;
    return fl_wasm_take_unsigned(r, 32, &number) && (number < 64 || skip_indices(r, 1)) &&
           fl_wasm_take_unsigned(r, 64, &number);
}

/* Behind 0xFD: loads and stores have a place, those of a lane its number behind that; constants and shuffles 16 bytes. */
static bool take_simd(wasm_reader *r, wasm_instruction *ret, const char **ret_fault)
{
    uint64_t number = 0;
    if (!fl_wasm_take_unsigned(r, 32, &number))
        return false;
    ret->index = (uint32_t)number;
    if (number > SIMD_MAX) {
        *ret_fault = "a SIMD instruction that is not known";
        return false;
    }
    if (number <= 11 || number == 92 || number == 93)
        return skip_place(r);
    if (number == 12 || number == 13)
        return skip_bytes(r, 16);
    if (number >= 84 && number <= 91)
        return skip_place(r) && skip_bytes(r, 1);
    return number < 21 || number > 34 || skip_bytes(r, 1);
}

static bool take_immediates(wasm_reader *r, wasm_instruction *ret, const char **ret_fault)
{
    uint64_t number = 0;
    int64_t value = 0;
    switch (kind_of(ret->opcode)) {
    case NONE:
        return true;
    case BLOCK_TYPE:
        if (!fl_wasm_take_signed(r, 33, &value))
            return false;
        ret->index = (uint32_t)value;
        return true;
    case INDEX:
        if (!fl_wasm_take_unsigned(r, 32, &number))
            return false;
        ret->index = (uint32_t)number;
        return true;
    case INDEX_TWICE:
        return skip_indices(r, 2);
    case TABLE:
        return fl_wasm_take_unsigned(r, 32, &number) && number < INT32_MAX - 1 && skip_indices(r, (int32_t)number + 1);
    case MEMORY:
        return skip_place(r);
    case ONE_BYTE:
        return skip_bytes(r, 1);
    case CONST_I32:
        return fl_wasm_take_signed(r, 32, &value);
    case CONST_I64:
        return fl_wasm_take_signed(r, 64, &value);
    case CONST_F32:
        return skip_bytes(r, 4);
    case CONST_F64:
        return skip_bytes(r, 8);
    case TYPES:
        return fl_wasm_take_unsigned(r, 32, &number) && skip_bytes(r, (int64_t)number);
    case MORE:
        return take_more(r, ret, ret_fault);
    case SIMD:
        return take_simd(r, ret, ret_fault);
    default:
        *ret_fault = "an instruction that is not known";
        return false;
    }
}

bool fl_wasm_next_instruction(wasm_reader *r, wasm_instruction *ret, const char **ret_fault)
{
    const uint8_t *begin = r->at;
    *ret_fault = NULL;
    *ret = (wasm_instruction){0};
    if (!wasm_take_byte(r, &ret->opcode))
        return false;
    if (!take_immediates(r, ret, ret_fault)) {
        if (*ret_fault == NULL)
            *ret_fault = "an instruction that is cut short";
        return false;
    }
    ret->whole = (wasm_span){begin, r->at - begin};
    return true;
}

/* ---- what wasm3 can do -------------------------------------------------------------------------------------------------- */

#define DEPTH_MAX 1000

/* Labels of a body at a place in it, the function's own first: whether a branch to them carries a value. */
typedef struct labels {
    bool carries[DEPTH_MAX];
    uint32_t n;
} labels;

static bool carries_value(const labels *l, uint64_t depth)
{
    return depth >= l->n || l->carries[l->n - 1 - depth];
}

/* Of br_if and br_table: whether one of their labels is given a value. */
static bool branches_with_value(const wasm_instruction *i, const labels *l)
{
    wasm_reader r = {i->whole.at + 1, i->whole.at + i->whole.bytes};
    uint64_t n = 0, depth = 0;
    if (i->opcode == WASM_BR_TABLE && !fl_wasm_take_unsigned(&r, 32, &n))
        return true;
    for (uint64_t k = 0; k <= n; k++)
        if (!fl_wasm_take_unsigned(&r, 32, &depth) || carries_value(l, depth))
            return true;
    return false;
}

static bool is_beyond_interpreter(const wasm_instruction *i, const labels *l)
{
    switch (i->opcode) {
    case WASM_BLOCK:
    case WASM_LOOP:
    case WASM_IF:
        return l->n == DEPTH_MAX || (int32_t)i->index >= 0;
    case WASM_BR_IF:
    case WASM_BR_TABLE:
        return branches_with_value(i, l);
    case WASM_F32_STORE:
    case WASM_F32_COPYSIGN:
    case WASM_I32_REINTERPRET:
    case WASM_PREFIX_SIMD:
        return true;
    default:
        return false;
    }
}

static bool can_interpret(const wasm_type *type, const wasm_body *body)
{
    wasm_reader r = {body->code.at, body->code.at + body->code.bytes};
    wasm_instruction i;
    const char *fault;
    labels l;
    l.n = 1;
    l.carries[0] = type->n_results > 0;
    while (fl_wasm_next_instruction(&r, &i, &fault)) {
        if (is_beyond_interpreter(&i, &l))
            return false;
        if (i.opcode == WASM_BLOCK || i.opcode == WASM_LOOP || i.opcode == WASM_IF)
            l.carries[l.n++] = i.opcode != WASM_LOOP && (int32_t)i.index != BLOCK_TYPE_EMPTY;
        l.n -= i.opcode == WASM_END && l.n > 0;
    }
    return true;
}

bool fl_wasm_can_interpret(const wasm_module *m)
{
    for (int32_t i = m->n_imported_funcs; i < m->n_funcs; i++)
        if (!can_interpret(wasm_type_of(m, i), &m->bodies[i - m->n_imported_funcs]))
            return false;
    return true;
}
