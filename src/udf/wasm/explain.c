/* How a function is called now, and what that costs. */
#include "arrow/type.h"
#include "base/text.h"
#include "udf/wasm/function.h"

/* Nanoseconds a row where nothing was measured yet: about what `make bench BENCH_FLAGS="--suites udf"` prints. */
#define COST_SPLICED 2
#define COST_CALLED 6
#define COST_INTERPRETED 25
#define COST_TEXTS 60   /* that are copied into the module */
#define COST_BY_ROW 130 /* and out of it */

/* False: it is interpreted, or cannot be called. */
static bool print_tier(const wasm_function *f, fl_text *text)
{
    int state = atomic_load(&f->state);
    if (f->interpreted == NULL && state == WASM_NOT_COMPILED) {
        fl_text_addf(text, "wasm: the interpreter cannot run it, and it cannot be compiled: %s",
                     f->compile_fault.message);
        return false;
    }
    if (f->interpreted == NULL)
        fl_text_add(text, FL_STR("wasm: the interpreter cannot run it, so compiled before the first answer: "));
    else if (state == WASM_COMPILED)
        fl_text_add(text, FL_STR("wasm: compiled: "));
    else if (state == WASM_COMPILES)
        fl_text_add(text, FL_STR("wasm: interpreted: compiled code is not ready"));
    else
        fl_text_addf(text, "wasm: interpreted: it cannot be compiled: %s", f->compile_fault.message);
    return f->interpreted == NULL || state == WASM_COMPILED;
}

void fl_wasm_explain(const fl_func_desc *func, fl_text *text)
{
    const wasm_function *f = ((fl_udf *)func->ctx)->state;
    if (!print_tier(f, text))
        return;
    if (f->takes_columns)
        fl_text_add(text, FL_STR("called with whole columns"));
    else if (!f->has_loop)
        fl_text_add(text, FL_STR("called row by row: it returns texts"));
    else if (f->is_spliced)
        fl_text_add(text, FL_STR("batch loop that holds the body"));
    else
        fl_text_add(text, FL_STR("batch loop that calls the body: it has loops, calls or the like"));
}

void fl_wasm_explain_aggregate(const fl_agg_desc *agg, fl_text *text)
{
    if (print_tier(((fl_udf *)agg->ctx)->state, text))
        fl_text_add(text, FL_STR("batch loop around its update"));
}

static double expected_cost_ns(const wasm_function *f, bool is_compiled)
{
    bool takes_texts = fl_wasm_takes_texts(&f->udf->declaration);
    if (f->takes_columns)
        return is_compiled ? COST_SPLICED : COST_INTERPRETED;
    if (!f->has_loop || (takes_texts && !is_compiled))
        return COST_BY_ROW;
    return takes_texts ? COST_TEXTS : !is_compiled ? COST_INTERPRETED : f->is_spliced ? COST_SPLICED : COST_CALLED;
}

double fl_wasm_cost_ns(const fl_func_desc *func)
{
    const wasm_function *f = ((fl_udf *)func->ctx)->state;
    bool is_compiled = f->interpreted == NULL || atomic_load(&f->state) == WASM_COMPILED;
    return fl_call_times_row_ns(&f->times[is_compiled], expected_cost_ns(f, is_compiled));
}
