/* Instructions of function bodies, one after the other (WebAssembly 2.0, section 5.4; of SIMD's, section 5.4.9, the length alone). */
#ifndef FL_UDF_WASM_INSTRUCTION_H
#define FL_UDF_WASM_INSTRUCTION_H

#include "udf/wasm/binary.h"

enum {
    WASM_UNREACHABLE = 0x00,
    WASM_BLOCK = 0x02,
    WASM_LOOP = 0x03,
    WASM_IF = 0x04,
    WASM_ELSE = 0x05,
    WASM_END = 0x0B,
    WASM_BR = 0x0C,
    WASM_BR_IF = 0x0D,
    WASM_BR_TABLE = 0x0E,
    WASM_RETURN = 0x0F,
    WASM_CALL = 0x10,
    WASM_CALL_INDIRECT = 0x11,
    WASM_LOCAL_GET = 0x20,
    WASM_LOCAL_SET = 0x21,
    WASM_LOCAL_TEE = 0x22,
    WASM_GLOBAL_GET = 0x23,
    WASM_GLOBAL_SET = 0x24,
    WASM_I32_LOAD = 0x28,
    WASM_I64_LOAD = 0x29,
    WASM_F32_LOAD = 0x2A,
    WASM_F64_LOAD = 0x2B,
    WASM_I32_STORE = 0x36,
    WASM_I64_STORE = 0x37,
    WASM_F32_STORE = 0x38,
    WASM_F64_STORE = 0x39,
    WASM_MEMORY_SIZE = 0x3F,
    WASM_MEMORY_GROW = 0x40,
    WASM_I32_CONST = 0x41,
    WASM_I64_CONST = 0x42,
    WASM_F32_CONST = 0x43,
    WASM_F64_CONST = 0x44,
    WASM_SELECT = 0x1B,
    WASM_I32_EQZ = 0x45,
    WASM_I64_EQZ = 0x50,
    WASM_F32_EQ = 0x5B,
    WASM_F64_EQ = 0x61,
    WASM_I32_LE_U = 0x4D,
    WASM_I32_GE_U = 0x4F,
    WASM_I32_ADD = 0x6A,
    WASM_I32_SUB = 0x6B,
    WASM_I64_SUB = 0x7D,
    WASM_F32_CEIL = 0x8D, /* from here to max all but those of signs are arithmetic */
    WASM_F32_MAX = 0x97,
    WASM_F32_COPYSIGN = 0x98,
    WASM_F64_CEIL = 0x9B,
    WASM_F64_MAX = 0xA5,
    WASM_F64_COPYSIGN = 0xA6,
    WASM_I32_REINTERPRET = 0xBC,
    WASM_I64_REINTERPRET = 0xBD,
    WASM_PREFIX_MORE = 0xFC, /* saturating conversions, bulk memory, tables */
    WASM_PREFIX_SIMD = 0xFD
};

#define WASM_BLOCK_EMPTY 0x40 /* a block's type: nothing in, nothing out */

typedef struct wasm_instruction {
    uint8_t opcode;
    uint32_t
        index; /* of locals, globals, functions, labels; behind 0xFC and 0xFD the instruction's number; of a block its type, with a sign */
    wasm_span whole;
} wasm_instruction;

/** The next instruction; false at the end, or where *ret_fault is set: it is cut short, or unknown. */
bool fl_wasm_next_instruction(wasm_reader *r, wasm_instruction *ret, const char **ret_fault);

/** Whether wasm3 runs a module as it should be run, as far as it can be read. It has no SIMD, and does these wrongly, though they are valid:
 *
 * - br_if and br_table to a label that is given a value: it moves what is in a register out of the way on the one path, and
 *   believes it moved on both. Blocks with parameters do the same.
 * - f32 that a module can look at: a float goes through a register that holds doubles, in which a signalling NaN becomes a quiet one. */
bool fl_wasm_can_interpret(const wasm_module *module);

#endif
