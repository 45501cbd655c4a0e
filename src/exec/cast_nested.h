/* Casts of text to lists, structs and maps: the way back from how fl_value_print writes them, and from PostgreSQL's forms. */
#ifndef FL_EXEC_CAST_NESTED_H
#define FL_EXEC_CAST_NESTED_H

#include "exec/pieces.h"

/** Casts texts such as "[1, 2, NULL]" or "{1,2,NULL}" in call->args[0] to the list type of call->ret, rows of call->mask alone.
 *  is_try: as fl_cast_run. */
fl_status fl_cast_text_to_list(fl_call *call, bool is_try, fl_err *err);

/** Casts texts such as "{a=1, b=NULL}" to the map type of call->ret. */
fl_status fl_cast_text_to_map(fl_call *call, bool is_try, fl_err *err);

/** Gives call->ret its child: the keys and values of its rows' entries, whose lists are there, and refuses a key that is null (22004) or
 *  stands twice in one map (22023; is_try: makes the map null). */
fl_status fl_cast_set_entries(fl_call *call, const fl_vec *keys, const fl_vec *values, int64_t entries, bool is_try,
                              fl_err *err);

/** Refuses the same of maps whose keys are known. */
fl_status fl_cast_check_keys(fl_call *call, const fl_vec *keys, bool is_try, fl_err *err);

/** Pieces of text, or of JSON, cast to a type: a flat vector with a row for each. */
fl_status fl_cast_pieces(fl_call *call, const fl_pieces *pieces, fl_type from, fl_type to, bool is_try, fl_vec *ret,
                         fl_err *err);

/** The same for structs: "{'a': 1, 'b': x}", where fields that are not named are null, or by place "(1,x)". */
fl_status fl_cast_text_to_struct(fl_call *call, bool is_try, fl_err *err);

#endif
