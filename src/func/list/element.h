/* The type "list of x" for functions that make lists: a call is resolved without an arena, so the field behind the type has
 * to be there already. Scalar element types only; decimals are widened to 18 or 38 digits. */
#ifndef FL_FUNC_LIST_ELEMENT_H
#define FL_FUNC_LIST_ELEMENT_H

#include "plan/func.h"

/** *ret = a list of `element`; *ret_element is the type that elements must be cast to. False for nested types. */
bool fl_list_of(fl_type element, fl_type *ret, fl_type *ret_element);

#endif
