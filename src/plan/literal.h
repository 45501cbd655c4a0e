/* The type that a text takes beside a value of another type: an untyped literal, or a parameter's value.
 *
 * It takes its neighbour's type without what modifies that: '1.54' beside a decimal(3,1) is decimal(3,2), as 1.54 would be; a
 * text beside a timestamp(3) keeps its microseconds. Where both meet is then settled as for any two values (PostgreSQL, section
 * 10.2: unknown literals take the type alone). */
#ifndef FL_PLAN_LITERAL_H
#define FL_PLAN_LITERAL_H

#include "arrow/type.h"

/** The type of `text` beside a value of type `beside`; `beside` itself where that has no modifiers, or where the text is none of
 *  its values (a cast then tells). FL_ERR_RANGE for numbers of too many digits. Fields of lists go to the arena. */
fl_status fl_literal_type(fl_arena *arena, fl_str text, fl_type beside, fl_type *ret, fl_err *err);

#endif
