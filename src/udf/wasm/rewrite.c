/* Section by section, in their order. */
#include "udf/wasm/rewrite.h"

#include "base/nearest.h"
#include "udf/wasm/instruction.h"

#define MODULE_BYTES_MAX (64 << 20)
#define PAGES_MIN 1 /* of a module that has no memory */

/* ---- imports ------------------------------------------------------------------------------------------------------------ */

/* What an import does instead of reaching out. */
typedef enum stub_kind {
    STUB_FAIL,       /* gives 8, EBADF: there is no such file */
    STUB_NONE,       /* gives 0, or nothing */
    STUB_ZERO_PAIR,  /* writes 0 to both pointers, gives 0: there are no arguments */
    STUB_TIME,       /* writes 1 to the third, gives 0: the clock stands still, but Go's runtime takes 0 for none */
    STUB_ZERO_BYTES, /* fills (pointer, bytes) with 0, gives 0 */
    STUB_TRAP
} stub_kind;

typedef struct stub {
    const char *name;
    stub_kind kind;
    const char *type; /* of params, then ':' and of the result: i, l, d */
} stub;

static const stub wasi[] = {
    {"args_get", STUB_NONE, "ii:i"},
    {"args_sizes_get", STUB_ZERO_PAIR, "ii:i"},
    {"environ_get", STUB_NONE, "ii:i"},
    {"environ_sizes_get", STUB_ZERO_PAIR, "ii:i"},
    {"clock_res_get", STUB_FAIL, "ii:i"},
    {"clock_time_get", STUB_TIME, "ili:i"},
    {"fd_advise", STUB_FAIL, "illi:i"},
    {"fd_allocate", STUB_FAIL, "ill:i"},
    {"fd_close", STUB_FAIL, "i:i"},
    {"fd_datasync", STUB_FAIL, "i:i"},
    {"fd_fdstat_get", STUB_FAIL, "ii:i"},
    {"fd_fdstat_set_flags", STUB_FAIL, "ii:i"},
    {"fd_fdstat_set_rights", STUB_FAIL, "ill:i"},
    {"fd_filestat_get", STUB_FAIL, "ii:i"},
    {"fd_filestat_set_size", STUB_FAIL, "il:i"},
    {"fd_filestat_set_times", STUB_FAIL, "illi:i"},
    {"fd_pread", STUB_FAIL, "iiili:i"},
    {"fd_prestat_get", STUB_FAIL, "ii:i"},
    {"fd_prestat_dir_name", STUB_FAIL, "iii:i"},
    {"fd_pwrite", STUB_FAIL, "iiili:i"},
    {"fd_read", STUB_FAIL, "iiii:i"},
    {"fd_readdir", STUB_FAIL, "iiili:i"},
    {"fd_renumber", STUB_FAIL, "ii:i"},
    {"fd_seek", STUB_FAIL, "ilii:i"},
    {"fd_sync", STUB_FAIL, "i:i"},
    {"fd_tell", STUB_FAIL, "ii:i"},
    {"fd_write", STUB_FAIL, "iiii:i"},
    {"path_create_directory", STUB_FAIL, "iii:i"},
    {"path_filestat_get", STUB_FAIL, "iiiii:i"},
    {"path_filestat_set_times", STUB_FAIL, "iiiilli:i"},
    {"path_link", STUB_FAIL, "iiiiiii:i"},
    {"path_open", STUB_FAIL, "iiiiillii:i"},
    {"path_readlink", STUB_FAIL, "iiiiii:i"},
    {"path_remove_directory", STUB_FAIL, "iii:i"},
    {"path_rename", STUB_FAIL, "iiiiii:i"},
    {"path_symlink", STUB_FAIL, "iiiii:i"},
    {"path_unlink_file", STUB_FAIL, "iii:i"},
    {"poll_oneoff", STUB_FAIL, "iiii:i"},
    {"proc_exit", STUB_TRAP, "i:"},
    {"proc_raise", STUB_FAIL, "i:i"},
    {"random_get", STUB_ZERO_BYTES, "ii:i"},
    {"sched_yield", STUB_NONE, ":i"},
    {"sock_accept", STUB_FAIL, "iii:i"},
    {"sock_recv", STUB_FAIL, "iiiiii:i"},
    {"sock_send", STUB_FAIL, "iiiii:i"},
    {"sock_shutdown", STUB_FAIL, "ii:i"},
};

static const stub environment[] = {
    {"abort", STUB_TRAP, "iiii:"}, /* AssemblyScript's */
    {"seed", STUB_NONE, ":d"},     /* AssemblyScript's, of Math.random */
    {"emscripten_notify_memory_growth", STUB_NONE, "i:"},
};

static const stub *find_stub(const wasm_import *import)
{
    bool is_wasi = fl_str_is_equal(import->module, FL_STR("wasi_snapshot_preview1")) ||
                   fl_str_is_equal(import->module, FL_STR("wasi_unstable"));
    const stub *stubs = is_wasi ? wasi : environment;
    int64_t n = is_wasi ? FL_LEN(wasi) : FL_LEN(environment);
    if (!is_wasi && !fl_str_is_equal(import->module, FL_STR("env")))
        return NULL;
    for (int64_t i = 0; i < n; i++)
        if (fl_str_is_equal(import->name, fl_str_of(stubs[i].name)))
            return &stubs[i];
    return NULL;
}

static bool is_of_type(char letter, uint8_t type)
{
    return type == (letter == 'i' ? WASM_I32 : letter == 'l' ? WASM_I64 : WASM_F64);
}

static bool has_type(const wasm_type *type, const char *letters)
{
    const char *result = strchr(letters, ':') + 1;
    if (type->n_params != result - letters - 1 || type->n_results != (*result != 0))
        return false;
    for (int32_t i = 0; i < type->n_params; i++)
        if (!is_of_type(letters[i], type->params[i]))
            return false;
    return *result == 0 || is_of_type(*result, type->results[0]);
}

static fl_status fail_import(const wasm_import *import, fl_err *err)
{
    static const char *const kinds[] = {"function", "table", "memory", "global"};
    fl_status st = FL_FAIL(err, FL_ERR_FUNCTION, "the module imports the %s \"%.*s\" of \"%.*s\", which there is not",
                           kinds[import->kind], FL_STR_ARG(import->name), FL_STR_ARG(import->module));
    fl_err_hint(err,
                "a module may import WASI's functions (wasi_snapshot_preview1), which grant nothing, and env.abort");
    return st;
}

fl_status fl_wasm_check_imports(const wasm_module *module, fl_err *err)
{
    for (int32_t i = 0; i < module->n_imports; i++) {
        const wasm_import *import = &module->imports[i];
        const stub *found = import->kind == WASM_FUNC ? find_stub(import) : NULL;
        if (found == NULL)
            return fail_import(import, err);
        if (!has_type(&module->types[import->type], found->type))
            return FL_FAIL(err, FL_ERR_FUNCTION, "the module imports \"%.*s\" with another type than WASI gives it",
                           FL_STR_ARG(import->name));
    }
    if (module->n_memories > 1 || module->is_memory64)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "the module has %s, functions have one of 32 bits",
                       module->n_memories > 1 ? "several memories" : "a memory of 64 bits");
    return FL_OK;
}

/* ---- bytes -------------------------------------------------------------------------------------------------------------- */

static void add_byte(fl_text *to, int32_t byte)
{
    fl_text_add_char(to, (char)byte);
}

static void add_unsigned(fl_text *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        add_byte(to, (int32_t)(value & 0x7F) | 0x80);
    add_byte(to, (int32_t)value);
}

static void add_signed(fl_text *to, int64_t value)
{
    for (;;) {
        int32_t byte = (int32_t)(value & 0x7F);
        value >>= 7;
        bool is_last = (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40));
        add_byte(to, is_last ? byte : byte | 0x80);
        if (is_last)
            return;
    }
}

static void add_span(fl_text *to, wasm_span span)
{
    if (span.bytes > 0)
        fl_text_add(to, (fl_str){(const char *)span.at, span.bytes});
}

static void add_op(fl_text *to, uint8_t opcode, uint64_t index)
{
    add_byte(to, opcode);
    add_unsigned(to, index);
}

static void add_i32(fl_text *to, int32_t value)
{
    add_byte(to, WASM_I32_CONST);
    add_signed(to, value);
}

static void add_section(fl_text *to, int32_t id, const fl_text *content)
{
    add_byte(to, id);
    add_unsigned(to, (uint64_t)content->len);
    fl_text_add_text(to, content);
}

/* ---- bodies ------------------------------------------------------------------------------------------------------------- */

typedef struct rewriter {
    const wasm_module *m;
    wasm_rewriting *what;
    fl_text *out;
    fl_text section; /* in the making */
    fl_text body;
    int32_t steps;       /* number of the global */
    bool shows_nan_bits; /* a module could tell one NaN from another */
    fl_err *err;
} rewriter;

static int32_t width_of(uint8_t type)
{
    return type == WASM_I32 || type == WASM_F32 ? 4 : 8;
}

/* The instruction of this family (loads, stores) for a type in one of the memories: the alignment, whose sixth bit says that a memory's
 * number follows, and an offset. */
static void add_access(fl_text *to, uint8_t first, uint8_t type, int32_t memory)
{
    add_byte(to, first + (WASM_I32 - type));
    add_byte(to, (width_of(type) == 4 ? 2 : 3) | (memory > 0 ? 0x40 : 0));
    if (memory > 0)
        add_unsigned(to, (uint64_t)memory);
    add_unsigned(to, 0);
}

#define OWN_MEMORY 0
#define COLUMNS 1 /* the memory in which they are */

static void add_body(rewriter *w)
{
    add_unsigned(&w->section, (uint64_t)w->body.len);
    fl_text_add_text(&w->section, &w->body);
    fl_text_clear(&w->body);
}

/* Steps are i32 where they are interpreted, which wasm3 is faster with, and few; i64 else. */
static void add_steps_const(const rewriter *w, fl_text *to, int64_t value)
{
    add_byte(to, w->what->is_interpreted ? WASM_I32_CONST : WASM_I64_CONST);
    add_signed(to, value);
}

/* if (steps == 0) { steps = -1; unreachable; } steps-- */
static void add_count(const rewriter *w, fl_text *to)
{
    bool is_narrow = w->what->is_interpreted;
    add_op(to, WASM_GLOBAL_GET, (uint64_t)w->steps);
    add_byte(to, is_narrow ? WASM_I32_EQZ : WASM_I64_EQZ);
    add_byte(to, WASM_IF);
    add_byte(to, WASM_BLOCK_EMPTY);
    add_steps_const(w, to, -1);
    add_op(to, WASM_GLOBAL_SET, (uint64_t)w->steps);
    add_byte(to, WASM_UNREACHABLE);
    add_byte(to, WASM_END);
    add_op(to, WASM_GLOBAL_GET, (uint64_t)w->steps);
    add_steps_const(w, to, 1);
    add_byte(to, is_narrow ? WASM_I32_SUB : WASM_I64_SUB);
    add_op(to, WASM_GLOBAL_SET, (uint64_t)w->steps);
}

static fl_status fail_instruction(const rewriter *w, const wasm_reader *r, const char *fault)
{
    return FL_FAIL(w->err, FL_ERR_UNSUPPORTED, "the module has %s at byte %lld", fault,
                   (long long)(r->at - w->m->bytes.at));
}

/* ---- NaNs: the compiler makes those that arithmetic gives canonical, the interpreter leaves them as the processor has them, and those of
 * x86 have a sign. In a module that could tell it does what the compiler does. ---- */

static bool shows_nan_bits(const wasm_module *m)
{
    wasm_instruction i;
    const char *fault;
    for (int32_t f = 0; f < m->n_funcs - m->n_imported_funcs; f++) {
        wasm_reader r = {m->bodies[f].code.at, m->bodies[f].code.at + m->bodies[f].code.bytes};
        while (fl_wasm_next_instruction(&r, &i, &fault))
            if (i.opcode == WASM_F32_STORE || i.opcode == WASM_F64_STORE || i.opcode == WASM_F32_COPYSIGN ||
                i.opcode == WASM_F64_COPYSIGN || i.opcode == WASM_I32_REINTERPRET || i.opcode == WASM_I64_REINTERPRET)
                return true;
    }
    return false;
}

/* Three locals more: i32, f32 and f64. Gives the number of the first. */
static uint64_t add_locals(rewriter *w, const wasm_type *type, const wasm_body *body)
{
    wasm_reader r = {body->locals.at, body->locals.at + body->locals.bytes}, groups;
    uint64_t n_groups = 0, n = 0, first = (uint64_t)type->n_params;
    uint8_t unused;
    (void)fl_wasm_take_unsigned(&r, 32, &n_groups);
    groups = r;
    for (uint64_t g = 0; g < n_groups && fl_wasm_take_unsigned(&r, 32, &n) && wasm_take_byte(&r, &unused); g++)
        first += n;
    add_unsigned(&w->body, n_groups + 3);
    add_span(&w->body, (wasm_span){groups.at, groups.end - groups.at});
    add_op(&w->body, 1, WASM_I32);
    add_op(&w->body, 1, WASM_F32);
    add_op(&w->body, 1, WASM_F64);
    return first;
}

/* x == x ? x : NaN, of what is on the stack. */
static void add_canonical(fl_text *to, bool is_f32, uint64_t local)
{
    static const uint8_t f32_nan[] = {WASM_F32_CONST, 0, 0, 0xC0, 0x7F};
    static const uint8_t f64_nan[] = {WASM_F64_CONST, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F};
    add_op(to, WASM_LOCAL_TEE, local);
    add_span(to, is_f32 ? (wasm_span){f32_nan, sizeof(f32_nan)} : (wasm_span){f64_nan, sizeof(f64_nan)});
    add_op(to, WASM_LOCAL_GET, local);
    add_op(to, WASM_LOCAL_GET, local);
    add_byte(to, is_f32 ? WASM_F32_EQ : WASM_F64_EQ);
    add_byte(to, WASM_SELECT);
}

static bool can_grow(const wasm_body *body)
{
    wasm_reader r = {body->code.at, body->code.at + body->code.bytes};
    wasm_instruction i;
    const char *fault;
    while (fl_wasm_next_instruction(&r, &i, &fault))
        if (i.opcode == WASM_MEMORY_GROW)
            return true;
    return false;
}

#define PAGES_MAX 65536

/* min(pages, 65536), before memory.grow: wasm3 adds pages in 32 bits, and shrinks the memory for so many that the sum starts over. */
static void add_pages_limit(fl_text *to, uint64_t local)
{
    add_op(to, WASM_LOCAL_TEE, local);
    add_i32(to, PAGES_MAX);
    add_op(to, WASM_LOCAL_GET, local);
    add_i32(to, PAGES_MAX);
    add_byte(to, WASM_I32_LE_U);
    add_byte(to, WASM_SELECT);
}

/* A body whose steps are counted. */
static fl_status add_counted(rewriter *w, const wasm_type *type, const wasm_body *body)
{
    wasm_reader r = {body->code.at, body->code.at + body->code.bytes};
    wasm_instruction i;
    const char *fault;
    uint64_t local = 0;
    bool limits_growth = w->what->is_interpreted && can_grow(body);
    if (w->shows_nan_bits || limits_growth)
        local = add_locals(w, type, body);
    else
        add_span(&w->body, body->locals);
    add_count(w, &w->body);
    while (fl_wasm_next_instruction(&r, &i, &fault)) {
        if (i.opcode == WASM_MEMORY_GROW && limits_growth)
            add_pages_limit(&w->body, local);
        add_span(&w->body, i.whole);
        if (i.opcode == WASM_LOOP)
            add_count(w, &w->body);
        bool is_f32 = i.opcode >= WASM_F32_CEIL && i.opcode <= WASM_F32_MAX;
        if (w->shows_nan_bits && (is_f32 || (i.opcode >= WASM_F64_CEIL && i.opcode <= WASM_F64_MAX)))
            add_canonical(&w->body, is_f32, local + (is_f32 ? 1 : 2));
    }
    if (fault != NULL)
        return fail_instruction(w, &r, fault);
    add_body(w);
    return FL_OK;
}

/* What an import does here. */
static void add_stub(rewriter *w, const wasm_import *import)
{
    fl_text *to = &w->body;
    const stub *s = find_stub(import);
    const wasm_type *type = &w->m->types[import->type];
    FL_ASSERT(s != NULL && has_type(type, s->type));
    add_unsigned(to, 0); /* no locals */
    switch (s->kind) {
    case STUB_TRAP:
        add_byte(to, WASM_UNREACHABLE);
        break;
    case STUB_ZERO_PAIR:
        for (int32_t i = 0; i < 2; i++) {
            add_op(to, WASM_LOCAL_GET, (uint64_t)i);
            add_i32(to, 0);
            add_access(to, WASM_I32_STORE, WASM_I32, OWN_MEMORY);
        }
        break;
    case STUB_TIME:
        add_op(to, WASM_LOCAL_GET, 2);
        add_byte(to, WASM_I64_CONST);
        add_signed(to, 1);
        add_access(to, WASM_I32_STORE, WASM_I64, OWN_MEMORY);
        break;
    case STUB_ZERO_BYTES: /* memory.fill(pointer, 0, bytes) */
        add_op(to, WASM_LOCAL_GET, 0);
        add_i32(to, 0);
        add_op(to, WASM_LOCAL_GET, 1);
        add_op(to, WASM_PREFIX_MORE, 11);
        add_byte(to, 0);
        break;
    default:
        break;
    }
    if (type->n_results == 1 && type->results[0] == WASM_I32) {
        add_i32(to, s->kind == STUB_FAIL ? 8 : 0);
    } else if (type->n_results == 1) {
        static const uint8_t zero[9] = {WASM_F64_CONST};
        add_span(to, (wasm_span){zero, sizeof(zero)});
    }
    add_byte(to, WASM_END);
    add_body(w);
}

/* ---- the loop over columns ---------------------------------------------------------------------------------------------- */

/* Whether a body ends by itself, and may stand in the loop: it neither loops nor calls, nor grows the memory under the columns. */
static bool can_splice(const wasm_body *body)
{
    wasm_reader r = {body->code.at, body->code.at + body->code.bytes};
    wasm_instruction i;
    const char *fault;
    while (fl_wasm_next_instruction(&r, &i, &fault))
        if (i.opcode == WASM_LOOP || i.opcode == WASM_CALL || i.opcode == WASM_CALL_INDIRECT ||
            i.opcode == WASM_MEMORY_GROW || i.opcode == WASM_PREFIX_MORE || i.opcode == WASM_PREFIX_SIMD)
            return false;
    return fault == NULL;
}

/* The numbers of the loop's locals. */
typedef struct loop_locals {
    int32_t n_args;
    int32_t row;    /* i32: the row under way */
    int32_t values; /* of the function's own locals, its parameters first */
} loop_locals;
#define LOOP_N 0                 /* rows */
#define LOOP_COLUMN(i) (1 + (i)) /* pointers, moved on with the rows; the result's is the last */

/* Each declared local of the function, by its type. */
static void add_zeros(fl_text *to, const wasm_body *body, int32_t first)
{
    static const uint8_t f32_zero[5] = {WASM_F32_CONST}, f64_zero[9] = {WASM_F64_CONST};
    wasm_reader r = {body->locals.at, body->locals.at + body->locals.bytes};
    uint64_t n_groups = 0, n = 0;
    uint8_t type = 0;
    bool is_good = fl_wasm_take_unsigned(&r, 32, &n_groups);
    for (uint64_t g = 0; is_good && g < n_groups; g++) {
        is_good = fl_wasm_take_unsigned(&r, 32, &n) && wasm_take_byte(&r, &type);
        for (uint64_t i = 0; is_good && i < n; i++, first++) {
            if (type == WASM_F32)
                add_span(to, (wasm_span){f32_zero, sizeof(f32_zero)});
            else if (type == WASM_F64)
                add_span(to, (wasm_span){f64_zero, sizeof(f64_zero)});
            else {
                add_byte(to, type == WASM_I64 ? WASM_I64_CONST : WASM_I32_CONST);
                add_signed(to, 0);
            }
            add_op(to, WASM_LOCAL_SET, (uint64_t)first);
        }
    }
}

/* The body as a block of its own: its locals are the loop's, what returned leaves the block. Arguments are on the stack. */
static void add_spliced(rewriter *w, const wasm_type *type, const wasm_body *body, const loop_locals *l)
{
    fl_text *to = &w->body;
    wasm_reader r = {body->code.at, body->code.at + body->code.bytes};
    wasm_instruction i;
    const char *fault;
    uint32_t depth = 0;
    for (int32_t p = type->n_params - 1; p >= 0; p--)
        add_op(to, WASM_LOCAL_SET, (uint64_t)(l->values + p));
    add_zeros(to, body, l->values + type->n_params);
    add_byte(to, WASM_BLOCK);
    add_byte(to, type->n_results > 0 ? type->results[0] : WASM_BLOCK_EMPTY);
    while (fl_wasm_next_instruction(&r, &i, &fault)) {
        bool opens = i.opcode == WASM_BLOCK || i.opcode == WASM_IF;
        if (i.opcode == WASM_LOCAL_GET || i.opcode == WASM_LOCAL_SET || i.opcode == WASM_LOCAL_TEE)
            add_op(to, i.opcode, i.index + (uint64_t)l->values);
        else if (i.opcode == WASM_RETURN)
            add_op(to, WASM_BR, depth);
        else
            add_span(to, i.whole);
        depth += opens;
        depth -= i.opcode == WASM_END && depth > 0; /* the last one ends the block */
    }
    FL_ASSERT(fault == NULL);
}

/* block; loop; if row >= n, leave; *result = f(*column …), where it gives one; all pointers move on; row++; again; end; end */
static void add_loop(rewriter *w, int32_t func, bool is_spliced)
{
    const wasm_type *type = wasm_type_of(w->m, func);
    const wasm_body *body = func >= w->m->n_imported_funcs ? &w->m->bodies[func - w->m->n_imported_funcs] : NULL;
    fl_text *to = &w->body;
    loop_locals l = {.n_args = type->n_params, .row = type->n_params + 2, .values = type->n_params + 3};
    bool has_result = type->n_results > 0;
    if (is_spliced) { /* the row, the parameters one by one, then the groups as they are declared */
        wasm_reader r = {body->locals.at, body->locals.at + body->locals.bytes};
        uint64_t n_groups = 0;
        (void)fl_wasm_take_unsigned(&r, 32, &n_groups);
        add_unsigned(to, n_groups + 1 + (uint64_t)type->n_params);
        add_unsigned(to, 1);
        add_byte(to, WASM_I32);
        for (int32_t i = 0; i < type->n_params; i++) {
            add_unsigned(to, 1);
            add_byte(to, type->params[i]);
        }
        add_span(to, (wasm_span){r.at, r.end - r.at});
    } else {
        add_unsigned(to, 1);
        add_unsigned(to, 1);
        add_byte(to, WASM_I32);
    }
    add_byte(to, WASM_BLOCK);
    add_byte(to, WASM_BLOCK_EMPTY);
    add_byte(to, WASM_LOOP);
    add_byte(to, WASM_BLOCK_EMPTY);
    if (w->what->counts_steps) { /* each row has its own */
        add_steps_const(w, to, w->what->fuel);
        add_op(to, WASM_GLOBAL_SET, (uint64_t)w->steps);
    }
    add_op(to, WASM_LOCAL_GET, (uint64_t)l.row);
    add_op(to, WASM_LOCAL_GET, LOOP_N);
    add_byte(to, WASM_I32_GE_U);
    add_op(to, WASM_BR_IF, 1);
    if (has_result)
        add_op(to, WASM_LOCAL_GET, (uint64_t)LOOP_COLUMN(l.n_args));
    for (int32_t i = 0; i < l.n_args; i++) {
        add_op(to, WASM_LOCAL_GET, (uint64_t)LOOP_COLUMN(i));
        add_access(to, WASM_I32_LOAD, type->params[i], COLUMNS);
    }
    if (is_spliced)
        add_spliced(w, type, body, &l);
    else
        add_op(to, WASM_CALL, (uint64_t)func);
    if (has_result)
        add_access(to, WASM_I32_STORE, type->results[0], COLUMNS);
    for (int32_t i = 0; i < l.n_args + has_result; i++) {
        add_op(to, WASM_LOCAL_GET, (uint64_t)LOOP_COLUMN(i));
        add_i32(to, width_of(i < l.n_args ? type->params[i] : type->results[0]));
        add_byte(to, WASM_I32_ADD);
        add_op(to, WASM_LOCAL_SET, (uint64_t)LOOP_COLUMN(i));
    }
    add_op(to, WASM_LOCAL_GET, (uint64_t)l.row);
    add_i32(to, 1);
    add_byte(to, WASM_I32_ADD);
    add_op(to, WASM_LOCAL_SET, (uint64_t)l.row);
    add_op(to, WASM_BR, 0);
    add_byte(to, WASM_END);
    add_byte(to, WASM_END);
    add_byte(to, WASM_END);
    add_body(w);
}

/* ---- sections ----------------------------------------------------------------------------------------------------------- */

/* A section's items behind its count. */
static wasm_span items_of(wasm_span section)
{
    uint64_t n;
    if (section.at == NULL)
        return (wasm_span){0};
    wasm_reader r = {section.at, section.at + section.bytes};
    if (!fl_wasm_take_unsigned(&r, 32, &n))
        return (wasm_span){0};
    return (wasm_span){r.at, r.end - r.at};
}

static void add_types(rewriter *w)
{
    bool has_loop = w->what->batch_func >= 0;
    add_unsigned(&w->section, (uint64_t)w->m->n_types + has_loop);
    add_span(&w->section, items_of(w->m->sections[WASM_SECTION_TYPE]));
    if (!has_loop)
        return;
    int32_t n = wasm_type_of(w->m, w->what->batch_func)->n_params + 2;
    add_byte(&w->section, 0x60);
    add_unsigned(&w->section, (uint64_t)n);
    for (int32_t i = 0; i < n; i++)
        add_byte(&w->section, WASM_I32);
    add_unsigned(&w->section, 0);
}

static void add_functions(rewriter *w)
{
    bool has_loop = w->what->batch_func >= 0;
    add_unsigned(&w->section, (uint64_t)w->m->n_funcs + has_loop);
    for (int32_t i = 0; i < w->m->n_funcs; i++)
        add_unsigned(&w->section, (uint64_t)w->m->funcs[i]);
    if (has_loop)
        add_unsigned(&w->section, (uint64_t)w->m->n_types);
}

/* The module's own memory as it is; where it has none, one that what it imports may write to. */
static void add_memories(rewriter *w)
{
    add_unsigned(&w->section, 1 + (uint64_t)(w->what->batch_func >= 0));
    if (w->m->n_memories > 0) {
        add_span(&w->section, items_of(w->m->sections[WASM_SECTION_MEMORY]));
    } else {
        add_byte(&w->section, 0);
        add_unsigned(&w->section, PAGES_MIN);
    }
    if (w->what->batch_func >= 0) {
        add_byte(&w->section, 0);
        add_unsigned(&w->section, 0);
    }
}

static void add_globals(rewriter *w)
{
    add_unsigned(&w->section, (uint64_t)w->m->n_globals + w->what->counts_steps);
    add_span(&w->section, items_of(w->m->sections[WASM_SECTION_GLOBAL]));
    if (!w->what->counts_steps)
        return;
    add_byte(&w->section, w->what->is_interpreted ? WASM_I32 : WASM_I64);
    add_byte(&w->section, 1);                                                 /* may be set */
    add_steps_const(w, &w->section, w->what->is_interpreted ? 0 : INT64_MAX); /* its start is not a call */
    add_byte(&w->section, WASM_END);
}

static void add_export(rewriter *w, const char *name, int32_t kind, int32_t index)
{
    add_unsigned(&w->section, strlen(name));
    fl_text_add(&w->section, fl_str_of(name));
    add_byte(&w->section, kind);
    add_unsigned(&w->section, (uint64_t)index);
}

static void add_exports(rewriter *w)
{
    add_unsigned(&w->section, (uint64_t)w->m->n_exports + 1 + 2 * (w->what->batch_func >= 0) + w->what->counts_steps);
    add_span(&w->section, items_of(w->m->sections[WASM_SECTION_EXPORT]));
    add_export(w, WASM_MEMORY_EXPORT, WASM_MEMORY, 0);
    if (w->what->batch_func >= 0) {
        add_export(w, WASM_COLUMNS_EXPORT, WASM_MEMORY, COLUMNS);
        add_export(w, WASM_BATCH_EXPORT, WASM_FUNC, w->m->n_funcs);
    }
    if (w->what->counts_steps)
        add_export(w, WASM_STEPS_EXPORT, WASM_GLOBAL, w->steps);
}

static fl_status add_code(rewriter *w)
{
    fl_status st = FL_OK;
    const wasm_module *m = w->m;
    bool has_loop = w->what->batch_func >= 0;
    add_unsigned(&w->section, (uint64_t)m->n_funcs + has_loop);
    for (int32_t i = 0; i < m->n_imports; i++)
        add_stub(w, &m->imports[i]);
    for (int32_t i = 0; i < m->n_funcs - m->n_imported_funcs; i++) {
        if (w->what->counts_steps) {
            FL_TRY(add_counted(w, wasm_type_of(m, m->n_imported_funcs + i), &m->bodies[i]));
        } else {
            add_unsigned(&w->section, (uint64_t)m->bodies[i].whole.bytes);
            add_span(&w->section, m->bodies[i].whole);
        }
    }
    if (has_loop)
        add_loop(w, w->what->batch_func, w->what->is_spliced);
cleanup:
    return st;
}

static fl_status add_part(rewriter *w, int32_t id)
{
    fl_status st = FL_OK;
    wasm_span old = w->m->sections[id];
    fl_text_clear(&w->section);
    switch (id) {
    case WASM_SECTION_TYPE:
        add_types(w);
        break;
    case WASM_SECTION_IMPORT:
        return FL_OK;
    case WASM_SECTION_FUNCTION:
        add_functions(w);
        break;
    case WASM_SECTION_MEMORY:
        add_memories(w);
        break;
    case WASM_SECTION_GLOBAL:
        if (w->m->n_globals == 0 && !w->what->counts_steps)
            return FL_OK;
        add_globals(w);
        break;
    case WASM_SECTION_EXPORT:
        add_exports(w);
        break;
    case WASM_SECTION_START:
        if (w->m->start < 0)
            return FL_OK;
        add_unsigned(&w->section, (uint64_t)w->m->start);
        break;
    case WASM_SECTION_CODE:
        FL_TRY(add_code(w));
        break;
    default:
        if (old.at == NULL)
            return FL_OK;
        add_span(&w->section, old);
    }
    add_section(w->out, id, &w->section);
    st = fl_text_status(&w->section, w->err);
cleanup:
    return st;
}

fl_status fl_wasm_rewrite(const wasm_module *module, wasm_rewriting *what, fl_text *ret, fl_err *err)
{
    static const uint8_t order[] = {
        WASM_SECTION_TYPE,   WASM_SECTION_IMPORT, WASM_SECTION_FUNCTION, WASM_SECTION_TABLE,   WASM_SECTION_MEMORY,
        WASM_SECTION_GLOBAL, WASM_SECTION_EXPORT, WASM_SECTION_START,    WASM_SECTION_ELEMENT, WASM_SECTION_DATA_COUNT,
        WASM_SECTION_CODE,   WASM_SECTION_DATA,   WASM_SECTION_CUSTOM};
    fl_status st = FL_OK;
    rewriter w = {.m = module, .what = what, .out = ret, .steps = module->n_globals, .err = err};
    int32_t func = what->batch_func - module->n_imported_funcs;
    FL_ASSERT(what->batch_func < module->n_funcs);
    w.shows_nan_bits = what->is_interpreted && shows_nan_bits(module);
    fl_text_init(&w.section, ret->memory);
    fl_text_init(&w.body, ret->memory);
    what->is_spliced = what->batch_func >= 0 && func >= 0 && can_splice(&module->bodies[func]);
    FL_ASSERT(what->counts_steps || !what->is_interpreted);
    what->counts_steps &= what->is_interpreted || !what->is_spliced;
    fl_text_add(ret, (fl_str){(const char *)module->bytes.at, 8});
    for (int64_t i = 0; i < FL_LEN(order); i++)
        FL_TRY(add_part(&w, order[i]));
    FL_TRY(fl_text_status(&w.body, err));
    FL_TRY(fl_text_status(ret, err));
    if (ret->len > MODULE_BYTES_MAX)
        st = FL_FAIL(err, FL_ERR_LIMIT, "the module has more than %d MB", MODULE_BYTES_MAX >> 20);
cleanup:
    fl_text_drop(&w.section);
    fl_text_drop(&w.body);
    return st;
}
