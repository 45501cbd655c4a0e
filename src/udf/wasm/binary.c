/* Sections one after the other. */
#include "udf/wasm/binary.h"

#include "base/text.h"

#include <string.h>

#define COUNT_MAX 1000000 /* of anything in a module: engines have the like limits */

typedef struct reading {
    wasm_reader r;
    wasm_module *module;
    fl_arena *arena;
    fl_err *err;
    const char *section; /* for messages */
} reading;

bool fl_wasm_take_unsigned(wasm_reader *r, int32_t bits, uint64_t *ret)
{
    uint64_t value = 0;
    for (int32_t shift = 0; shift < bits && r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;
        if (shift + 7 > bits && (byte & 0x7F) >> (bits - shift) != 0)
            return false;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            *ret = value;
            return true;
        }
    }
    return false;
}

bool fl_wasm_take_signed(wasm_reader *r, int32_t bits, int64_t *ret)
{
    uint64_t value = 0;
    for (int32_t shift = 0; shift < bits && r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            if (shift + 7 < 64 && (byte & 0x40))
                value |= ~0ull << (shift + 7);
            *ret = (int64_t)value;
            return true;
        }
    }
    return false;
}

static fl_status fail(const reading *p, const char *expected)
{
    return FL_FAIL(p->err, FL_ERR_CORRUPT, "no WebAssembly module: expected %s in the %s at byte %lld", expected,
                   p->section, (long long)(p->r.at - p->module->bytes.at));
}

static fl_status take_number(reading *p, uint64_t max, const char *what, int32_t *ret)
{
    uint64_t value = 0;
    if (!fl_wasm_take_unsigned(&p->r, 32, &value) || value > max)
        return fail(p, what);
    *ret = (int32_t)value;
    return FL_OK;
}

/* How many items of at least a byte each follow. */
static fl_status take_count(reading *p, int32_t *ret)
{
    int64_t left = p->r.end - p->r.at;
    return take_number(p, (uint64_t)(left < COUNT_MAX ? left : COUNT_MAX), "a count", ret);
}

static fl_status take_name(reading *p, fl_str *ret)
{
    fl_status st = FL_OK;
    int32_t bytes = 0;
    FL_TRY(take_count(p, &bytes));
    if (bytes > p->r.end - p->r.at)
        return fail(p, "a name");
    *ret = (fl_str){(const char *)p->r.at, bytes};
    p->r.at += bytes;
cleanup:
    return st;
}

static fl_status take_value_types(reading *p, const uint8_t **ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    FL_TRY(take_count(p, ret_n));
    if (*ret_n > p->r.end - p->r.at)
        return fail(p, "value types");
    *ret = p->r.at;
    p->r.at += *ret_n;
cleanup:
    return st;
}

static fl_status read_types(reading *p)
{
    fl_status st = FL_OK;
    wasm_module *m = p->module;
    FL_TRY(take_count(p, &m->n_types));
    FL_TRY(FL_NEW_ARRAY(p->arena, m->n_types + 1, &m->types, p->err));
    for (int32_t i = 0; i < m->n_types; i++) {
        uint8_t form = 0;
        if (!wasm_take_byte(&p->r, &form) || form != 0x60)
            return fail(p, "a function type");
        FL_TRY(take_value_types(p, &m->types[i].params, &m->types[i].n_params));
        FL_TRY(take_value_types(p, &m->types[i].results, &m->types[i].n_results));
    }
cleanup:
    return st;
}

/* Limits of a memory or table. */
static fl_status take_limits(reading *p, uint64_t *ret_min, uint8_t *ret_flags)
{
    uint64_t max = 0;
    if (!wasm_take_byte(&p->r, ret_flags) || *ret_flags > 7 || !fl_wasm_take_unsigned(&p->r, 64, ret_min) ||
        ((*ret_flags & 1) && !fl_wasm_take_unsigned(&p->r, 64, &max)))
        return fail(p, "limits");
    return FL_OK;
}

static fl_status read_memories(reading *p)
{
    fl_status st = FL_OK;
    wasm_module *m = p->module;
    uint8_t flags = 0;
    FL_TRY(take_count(p, &m->n_memories));
    for (int32_t i = 0; i < m->n_memories; i++)
        FL_TRY(take_limits(p, &m->memory_pages, &flags));
    m->is_memory64 = flags & 4;
cleanup:
    return st;
}

static fl_status read_imports(reading *p)
{
    fl_status st = FL_OK;
    wasm_module *m = p->module;
    uint64_t min;
    uint8_t kind = 0, flags = 0, type = 0;
    FL_TRY(take_count(p, &m->n_imports));
    FL_TRY(FL_NEW_ARRAY(p->arena, m->n_imports + 1, &m->imports, p->err));
    for (int32_t i = 0; i < m->n_imports; i++) {
        wasm_import *import = &m->imports[i];
        FL_TRY(take_name(p, &import->module));
        FL_TRY(take_name(p, &import->name));
        if (!wasm_take_byte(&p->r, &kind) || kind > WASM_GLOBAL)
            return fail(p, "a kind of import");
        import->kind = kind;
        if (kind == WASM_FUNC) {
            FL_TRY(take_number(p, (uint64_t)(m->n_types - 1), "a type's number", &import->type));
            m->n_imported_funcs++;
        } else if (kind == WASM_GLOBAL) {
            if (!wasm_take_byte(&p->r, &type) || !wasm_take_byte(&p->r, &flags))
                return fail(p, "a global's type");
        } else {
            if (kind == WASM_TABLE && !wasm_take_byte(&p->r, &type))
                return fail(p, "a table's type");
            FL_TRY(take_limits(p, &min, &flags));
        }
    }
cleanup:
    return st;
}

static fl_status read_functions(reading *p)
{
    fl_status st = FL_OK;
    wasm_module *m = p->module;
    int32_t n = 0;
    FL_TRY(take_count(p, &n));
    m->n_funcs = m->n_imported_funcs + n;
    FL_TRY(FL_NEW_ARRAY(p->arena, m->n_funcs + 1, &m->funcs, p->err));
    for (int32_t i = 0, k = 0; i < m->n_imports; i++)
        if (m->imports[i].kind == WASM_FUNC)
            m->funcs[k++] = m->imports[i].type;
    for (int32_t i = m->n_imported_funcs; i < m->n_funcs; i++)
        FL_TRY(take_number(p, (uint64_t)(m->n_types - 1), "a type's number", &m->funcs[i]));
cleanup:
    return st;
}

static fl_status read_exports(reading *p)
{
    fl_status st = FL_OK;
    wasm_module *m = p->module;
    uint8_t kind = 0;
    FL_TRY(take_count(p, &m->n_exports));
    FL_TRY(FL_NEW_ARRAY(p->arena, m->n_exports + 1, &m->exports, p->err));
    for (int32_t i = 0; i < m->n_exports; i++) {
        FL_TRY(take_name(p, &m->exports[i].name));
        if (!wasm_take_byte(&p->r, &kind))
            return fail(p, "a kind of export");
        m->exports[i].kind = kind;
        FL_TRY(take_number(p, INT32_MAX, "a number", &m->exports[i].index));
        if (kind == WASM_FUNC && m->exports[i].index >= m->n_funcs)
            return fail(p, "the number of a function that there is");
    }
cleanup:
    return st;
}

static fl_status read_body(reading *p, wasm_body *ret)
{
    fl_status st = FL_OK;
    int32_t bytes = 0, n_groups = 0, unused = 0;
    FL_TRY(take_count(p, &bytes));
    if (bytes > p->r.end - p->r.at)
        return fail(p, "a function's body");
    ret->whole = (wasm_span){p->r.at, bytes};
    wasm_reader whole = p->r;
    p->r.end = p->r.at + bytes;
    FL_TRY(take_count(p, &n_groups));
    for (int32_t i = 0; i < n_groups; i++) {
        uint8_t type = 0;
        FL_TRY(take_number(p, INT32_MAX, "a count of locals", &unused));
        if (!wasm_take_byte(&p->r, &type))
            return fail(p, "the type of locals");
    }
    ret->locals = (wasm_span){ret->whole.at, p->r.at - ret->whole.at};
    ret->code = (wasm_span){p->r.at, p->r.end - p->r.at};
    p->r.at = p->r.end;
    p->r.end = whole.end;
cleanup:
    return st;
}

static fl_status read_code(reading *p)
{
    fl_status st = FL_OK;
    wasm_module *m = p->module;
    int32_t n = 0;
    FL_TRY(take_count(p, &n));
    if (n != m->n_funcs - m->n_imported_funcs)
        return fail(p, "a body for each function");
    FL_TRY(FL_NEW_ARRAY(p->arena, n + 1, &m->bodies, p->err));
    for (int32_t i = 0; i < n; i++)
        FL_TRY(read_body(p, &m->bodies[i]));
cleanup:
    return st;
}

static fl_status read_section(reading *p, int32_t id)
{
    wasm_module *m = p->module;
    switch (id) {
    case WASM_SECTION_TYPE:
        p->section = "type section";
        return read_types(p);
    case WASM_SECTION_IMPORT:
        p->section = "import section";
        return read_imports(p);
    case WASM_SECTION_FUNCTION:
        p->section = "function section";
        return read_functions(p);
    case WASM_SECTION_MEMORY:
        p->section = "memory section";
        return read_memories(p);
    case WASM_SECTION_GLOBAL:
        p->section = "global section";
        return take_count(p, &m->n_globals);
    case WASM_SECTION_EXPORT:
        p->section = "export section";
        return read_exports(p);
    case WASM_SECTION_START:
        p->section = "start section";
        return take_number(p, (uint64_t)m->n_funcs, "a function's number", &m->start);
    case WASM_SECTION_CODE:
        p->section = "code section";
        return read_code(p);
    default:
        return FL_OK;
    }
}

/* A module without functions has no section of them, but its imports count. */
static fl_status complete(reading *p)
{
    wasm_module *m = p->module;
    if (m->funcs != NULL)
        return m->bodies != NULL || m->n_funcs == m->n_imported_funcs ? FL_OK : fail(p, "a code section");
    wasm_reader none = {(const uint8_t *)"", (const uint8_t *)"" + 1}; /* a count of 0 */
    p->r = none;
    return read_functions(p);
}

/* Whether a custom section says how functions are called, for backtraces. */
static bool is_names(wasm_span content)
{
    return content.bytes > 5 && memcmp(content.at, "\4name", 5) == 0;
}

/* A library of WASI's exports what must run before all else, where it has no start function: it is that. */
static void find_initializer(wasm_module *m)
{
    const wasm_export *export = fl_wasm_find_export(m, FL_STR("_initialize"), WASM_FUNC);
    if (m->start >= 0 || export == NULL || export->index >= m->n_funcs)
        return;
    const wasm_type *type = wasm_type_of(m, export->index);
    if (type->n_params == 0 && type->n_results == 0)
        m->start = export->index;
}

fl_status fl_wasm_read(fl_arena *arena, fl_str bytes, wasm_module *ret, fl_err *err)
{
    static const uint8_t magic[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    fl_status st = FL_OK;
    *ret = (wasm_module){.bytes = {(const uint8_t *)bytes.data, bytes.len}, .start = -1};
    reading p = {.module = ret, .arena = arena, .err = err, .section = "header"};
    wasm_reader all = {ret->bytes.at, ret->bytes.at + ret->bytes.bytes};
    p.r = all;
    if (bytes.len < 8 || memcmp(bytes.data, magic, 8) != 0)
        return fail(&p, bytes.len == 0 ? "bytes, found none," : "the magic \"\\0asm\" and version 1");
    all.at += 8;
    while (all.at < all.end) {
        uint64_t size = 0;
        uint8_t id = *all.at++;
        p.r = all;
        p.section = "module";
        if (id >= WASM_SECTIONS || !fl_wasm_take_unsigned(&all, 32, &size) || (int64_t)size > all.end - all.at)
            return fail(&p, "a section");
        p.r = (wasm_reader){all.at, all.at + size};
        if (id != WASM_SECTION_CUSTOM && ret->sections[id].at != NULL)
            return fail(&p, "a section once only");
        if (id != WASM_SECTION_CUSTOM || is_names((wasm_span){all.at, (int64_t)size}))
            ret->sections[id] = (wasm_span){all.at, (int64_t)size};
        FL_TRY(read_section(&p, id));
        all.at += size;
    }
    FL_TRY(complete(&p));
    find_initializer(ret);
cleanup:
    return st;
}

const wasm_export *fl_wasm_find_export(const wasm_module *module, fl_str name, int32_t kind)
{
    for (int32_t i = 0; i < module->n_exports; i++)
        if (module->exports[i].kind == kind && fl_str_is_equal(module->exports[i].name, name))
            return &module->exports[i];
    return NULL;
}

static const char *name_of(uint8_t type)
{
    switch (type) {
    case WASM_I32:
        return "i32";
    case WASM_I64:
        return "i64";
    case WASM_F32:
        return "f32";
    case WASM_F64:
        return "f64";
    case WASM_V128:
        return "v128";
    default:
        return "reference";
    }
}

fl_status fl_wasm_print_type(fl_arena *arena, const wasm_type *type, fl_str *ret, fl_err *err)
{
    fl_text text;
    fl_text_init(&text, arena->memory);
    fl_text_add_char(&text, '(');
    for (int32_t i = 0; i < type->n_params; i++)
        fl_text_addf(&text, "%s%s", i > 0 ? ", " : "", name_of(type->params[i]));
    fl_text_add(&text, FL_STR(") →"));
    for (int32_t i = 0; i < type->n_results; i++)
        fl_text_addf(&text, " %s", name_of(type->results[i]));
    if (type->n_results == 0)
        fl_text_add(&text, FL_STR(" nothing"));
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(arena, fl_text_str(&text), ret, err);
    fl_text_drop(&text);
    return st;
}
