/* LANGUAGE python, as the engine allows it. */
#include "engine/internal.h"
#include "udf/python/function.h"

static fl_status load(fl_udf *udf, fl_err *err)
{
    const fl_engine *engine = udf->environment;
    fl_python_settings settings = {.is_allowed = engine->allow_python != 0,
                                   .is_in_process = (engine->allow_python & FL_PYTHON_IN_PROCESS) != 0,
                                   .may_be_unconfined = (engine->allow_python & FL_PYTHON_UNCONFINED) != 0,
                                   .module_path = engine->python_path != NULL ? engine->python_path : ""};
    return fl_python_load(udf, &settings, err);
}

extern const fl_udf_language fl_python_language;

const fl_udf_language fl_python_language = {
    .size = sizeof(fl_udf_language),
    .name = "python",
    .doc = "a function of a text in Python",
    .is_text = true,
    .load = load,
    .unload = fl_python_unload,
};
