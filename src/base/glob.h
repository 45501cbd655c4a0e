/* Patterns of names and texts, as shells have them: * is any text, ? one character, [a-z] one of a set, [!a-z] one that is not, and \ takes
 * the meaning from the character behind it. A set that is never closed is a bracket. */
#ifndef FL_BASE_GLOB_H
#define FL_BASE_GLOB_H

#include "base/str.h"

/** Whether the pattern matches the whole text. Characters are UTF-8; a byte that is none is a character. Cost: no more than the product of the
 *  lengths. */
bool fl_glob_matches(fl_str pattern, fl_str text);

#endif
