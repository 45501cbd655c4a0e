/* LANGUAGE python: the text is Python, and the function is what it defines by that name.
 *
 * A function is called once a row with Python's own values, or once a batch with NumPy's arrays
 * (@fletch.batch) or pyarrow's (@fletch.arrow). */
#ifndef FL_UDF_PYTHON_FUNCTION_H
#define FL_UDF_PYTHON_FUNCTION_H

#include "udf/call_times.h"
#include "udf/function.h"
#include "udf/python/runtime.h"

/* How functions in Python are run. */
typedef struct fl_python_settings {
    bool is_allowed;
    bool is_in_process;     /* else in workers */
    bool may_be_unconfined; /* where the kernel cannot confine workers */
    const char *module_path;
} fl_python_settings;

typedef struct python_function {
    fl_udf *udf;
    const fl_python_runtime *runtime;
    void *function; /* the runtime's */
    bool is_in_process;
    fl_python_form form;
    fl_call_times times;                 /* of all batches */
    int32_t types[FL_FUNC_ARGS_MAX + 1]; /* fl_python_type; the last is the result's */
} python_function;

/** fl_udf_language.load and unload. */
fl_status fl_python_load(fl_udf *udf, const fl_python_settings *settings, fl_err *err);
void fl_python_unload(fl_udf *udf);

/** The type as Python's side knows it, and of timestamps the unit; -1: it cannot be passed. */
int32_t fl_python_type_of(fl_type type, int32_t *ret_unit);

/** fl_func_run, fl_func_desc.local_new and local_free of these functions (call.c). */
fl_status fl_python_run(fl_call *call, fl_err *err);
fl_status fl_python_local_new(fl_call *call, void **ret, fl_err *err);
void fl_python_local_free(const fl_func_desc *func, void *local);

/** fl_func_desc.explain and cost_ns (explain.c). */
void fl_python_explain(const fl_func_desc *func, fl_text *text);
double fl_python_cost_ns(const fl_func_desc *func);

#endif
