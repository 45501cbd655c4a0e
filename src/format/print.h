/* Values of vectors as text, for writers of text formats: as fl_value_print has them, without a value in between where that is dear. */
#ifndef FL_FORMAT_PRINT_H
#define FL_FORMAT_PRINT_H

#include "arrow/value.h"

/** As fl_text_add_char, without a call while there is room, and without the terminating zero: for who adds more. */
static inline void fl_print_char(fl_text *text, char c)
{
    if (text->st == FL_OK && text->len + 1 < text->capacity)
        text->data[text->len++] = c;
    else
        fl_text_add_char(text, c);
}

/** Adds the value of a valid row, of any type. `arena` is for values of nested types. */
fl_status fl_print_value(fl_text *text, const fl_vec *vec, int64_t row, fl_arena *arena, fl_err *err);

#endif
