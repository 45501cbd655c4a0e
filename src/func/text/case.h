/* Upper and lower case, one code point to one (Unicode's simple mappings, by utf8proc). */
#ifndef FL_FUNC_TEXT_CASE_H
#define FL_FUNC_TEXT_CASE_H

#include "exec/func.h"

uint32_t fl_case_lower(uint32_t code);
uint32_t fl_case_upper(uint32_t code);

/** Whether the code point is a letter or a digit. */
bool fl_case_is_word(uint32_t code);

/** Bytes that the mapped text may take: a character of two bytes may become one of three. */
static inline int64_t fl_case_room(int64_t bytes)
{
    return bytes * 2 + 8;
}

/** Writes `text` with each code point mapped; `ret` has fl_case_room(text.len) bytes. */
fl_status fl_case_map(fl_call *call, fl_str text, bool to_upper, char *ret, int64_t *ret_len, fl_err *err);

#endif
