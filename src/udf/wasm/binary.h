/* WebAssembly modules as bytes: what of them functions of users need to know (WebAssembly 2.0, chapter 5, binary format).
 *
 * Reads the structure: types, imports, functions, memories, globals, exports, and where each section and body lies. What instructions do is
 * not looked at, and a module that was read need not be valid: a validator has the last word. */
#ifndef FL_UDF_WASM_BINARY_H
#define FL_UDF_WASM_BINARY_H

#include "base/arena.h"

#define WASM_PAGE_BYTES 65536 /* memories grow by pages */

enum { WASM_I32 = 0x7F, WASM_I64 = 0x7E, WASM_F32 = 0x7D, WASM_F64 = 0x7C, WASM_V128 = 0x7B };

enum {
    WASM_SECTION_CUSTOM,
    WASM_SECTION_TYPE,
    WASM_SECTION_IMPORT,
    WASM_SECTION_FUNCTION,
    WASM_SECTION_TABLE,
    WASM_SECTION_MEMORY,
    WASM_SECTION_GLOBAL,
    WASM_SECTION_EXPORT,
    WASM_SECTION_START,
    WASM_SECTION_ELEMENT,
    WASM_SECTION_CODE,
    WASM_SECTION_DATA,
    WASM_SECTION_DATA_COUNT,
    WASM_SECTIONS
};

enum { WASM_FUNC, WASM_TABLE, WASM_MEMORY, WASM_GLOBAL };

/* A piece of the module. */
typedef struct wasm_span {
    const uint8_t *at;
    int64_t bytes;
} wasm_span;

typedef struct wasm_type {
    const uint8_t *params, *results; /* value types, a byte each */
    int32_t n_params, n_results;
} wasm_type;

typedef struct wasm_import {
    fl_str module, name;
    int32_t kind; /* WASM_FUNC … */
    int32_t type; /* of functions */
} wasm_import;

typedef struct wasm_export {
    fl_str name;
    int32_t kind, index;
} wasm_export;

typedef struct wasm_body {
    wasm_span whole;  /* locals and instructions */
    wasm_span locals; /* their declaration: count, then groups */
    wasm_span code;   /* instructions, with the last `end` */
} wasm_body;

typedef struct wasm_module {
    wasm_span bytes;
    wasm_span sections[WASM_SECTIONS]; /* contents; at NULL: there is none. Of the custom ones, names */
    wasm_type *types;
    int32_t n_types;
    wasm_import *imports;
    int32_t n_imports;
    int32_t n_imported_funcs;
    int32_t *funcs; /* [n_funcs] type of each function, imported ones first */
    int32_t n_funcs;
    wasm_body *bodies; /* [n_funcs - n_imported_funcs] */
    int32_t n_memories, n_globals;
    uint64_t memory_pages; /* at first, of the one memory */
    bool is_memory64;
    wasm_export *exports;
    int32_t n_exports;
    int32_t start; /* function, _initialize where none is said; -1: none */
} wasm_module;

/** Reads a module, which is borrowed; the rest lies in the arena. FL_ERR_CORRUPT says what was expected, and at which byte. Cost: linear,
 *  bodies are not gone into. */
fl_status fl_wasm_read(fl_arena *arena, fl_str bytes, wasm_module *ret, fl_err *err);

/** An export by its name and kind; NULL when there is none. */
const wasm_export *fl_wasm_find_export(const wasm_module *module, fl_str name, int32_t kind);

/** The type of a function by its number. */
static inline const wasm_type *wasm_type_of(const wasm_module *module, int32_t func)
{
    FL_ASSERT(func >= 0 && func < module->n_funcs);
    return &module->types[module->funcs[func]];
}

/** "(i32, f64) → f64", in the arena. */
fl_status fl_wasm_print_type(fl_arena *arena, const wasm_type *type, fl_str *ret, fl_err *err);

/* ---- for readers of parts ---- */

typedef struct wasm_reader {
    const uint8_t *at, *end;
} wasm_reader;

/** LEB128 numbers of up to `bits` bits; false: cut short, or too large. */
bool fl_wasm_take_unsigned(wasm_reader *r, int32_t bits, uint64_t *ret);
bool fl_wasm_take_signed(wasm_reader *r, int32_t bits, int64_t *ret);

static inline bool wasm_take_byte(wasm_reader *r, uint8_t *ret)
{
    if (r->at == r->end)
        return false;
    *ret = *r->at++;
    return true;
}

#endif
