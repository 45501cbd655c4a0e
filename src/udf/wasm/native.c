/* Native code that leaves the process, and that comes with a module. */
#include "base/text.h"
#include "udf/wasm/function.h"

#include <stdlib.h>

fl_status fl_wasm_name_code(const wasm_function *f, uint8_t ret[FL_DIGEST_SHA256_BYTES], fl_err *err)
{
    const fl_str parts[] = {f->code, fl_str_of(f->runtime->version),
                            f->ends_by_itself ? FL_STR("ends by itself") : FL_STR("looks at the clock")};
    return fl_code_cache_key(parts, FL_LEN(parts), ret, err);
}

fl_status fl_wasm_take_native(wasm_function *f, const fl_native_code *native, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t name[FL_DIGEST_SHA256_BYTES];
    char *copy = NULL;
    FL_TRY(fl_wasm_name_code(f, name, err));
    if (memcmp(name, native->name, sizeof(name)) != 0 || native->code.len == 0)
        return FL_OK;
    FL_TRY(fl_alloc(NULL, native->code.len, (void **)&copy, err));
    memcpy(copy, native->code.data, (size_t)native->code.len);
    f->native = (fl_str){copy, native->code.len};
    f->udf->takes_native = true;
cleanup:
    return st;
}

fl_status fl_wasm_compile(const fl_udf *udf, fl_interrupt *interrupt, fl_native_code *ret, fl_text *ret_code,
                          fl_text *ret_runtime, fl_err *err)
{
    fl_status st = FL_OK;
    wasm_function *f = udf->state;
    fl_wasm_fault fault = {0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    FL_TRY(fl_wasm_wait_compiled(f, interrupt, err));
    FL_TRY(fl_wasm_name_code(f, ret->name, err));
    if (!f->runtime->serialize(atomic_load(&f->compiled), &bytes, &n, &fault))
        FL_TRY(fl_wasm_fail(&fault, f->name, err));
    fl_text_add(ret_code, (fl_str){(const char *)bytes, (int64_t)n});
    fl_text_addf(ret_runtime, "%s for ", f->runtime->version);
    fl_code_cache_print_processor(ret_runtime);
    FL_TRY(fl_text_status(ret_code, err));
    FL_TRY(fl_text_status(ret_runtime, err));
    ret->code = fl_text_str(ret_code);
cleanup:
    free(bytes);
    return st;
}
