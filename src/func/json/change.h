/* JSON that is changed: a tree of the row's first text, and what is printed of it in the end. */
#ifndef FL_FUNC_JSON_CHANGE_H
#define FL_FUNC_JSON_CHANGE_H

#include "func/json/json.h"

/** Gives the tree that a row's result is, in the document. */
typedef fl_status (*fl_json_changer)(fl_json_work *work, yyjson_mut_doc *doc, int32_t row, yyjson_mut_val **ret,
                                     fl_err *err);

/** fl_func_run of a changer. */
fl_status fl_json_change(fl_call *call, fl_json_changer change, fl_err *err);

/** A row's argument as a tree of the document. */
fl_status fl_json_read_arg(fl_json_work *work, yyjson_mut_doc *doc, int32_t arg, int32_t row, yyjson_mut_val **ret,
                           fl_err *err);

#endif
