/* How a function in Python is called, and what that costs. */
#include "base/text.h"
#include "udf/python/function.h"

/* Nanoseconds a row where nothing was measured yet: about what `make bench BENCH_FLAGS="--suites udf"` prints. */
#define COST_BATCH 20
#define COST_BY_ROW 400

static const python_function *function_of(const fl_func_desc *func)
{
    return ((const fl_udf *)func->ctx)->state;
}

void fl_python_explain(const fl_func_desc *func, fl_text *text)
{
    const python_function *f = function_of(func);
    fl_text_addf(text, "python: %s, %s", f->is_in_process ? "in this process" : "in worker processes",
                 f->form == FL_PYTHON_NUMPY   ? "batches of NumPy's arrays"
                 : f->form == FL_PYTHON_ARROW ? "batches of Arrow's arrays"
                                              : "called row by row: it does not say @fletch.batch");
}

double fl_python_cost_ns(const fl_func_desc *func)
{
    const python_function *f = function_of(func);
    return fl_call_times_row_ns(&f->times, f->form != FL_PYTHON_BY_ROW ? COST_BATCH : COST_BY_ROW);
}
