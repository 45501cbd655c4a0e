/* Casts of text to lists and structs: the way back from how fl_value_print writes them, and from PostgreSQL's forms. */
#ifndef FL_EXEC_CAST_NESTED_H
#define FL_EXEC_CAST_NESTED_H

#include "exec/func.h"

/** Casts texts such as "[1, 2, NULL]" or "{1,2,NULL}" in call->args[0] to the list type of call->ret, rows of call->mask alone.
 *  is_try: as fl_cast_run. */
fl_status fl_cast_text_to_list(fl_call *call, bool is_try, fl_err *err);

/** The same for structs: "{'a': 1, 'b': x}", where fields that are not named are null, or by place "(1,x)". */
fl_status fl_cast_text_to_struct(fl_call *call, bool is_try, fl_err *err);

#endif
