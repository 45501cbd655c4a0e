/* One pass counts opening brackets; only a text with enough of them is looked at closely (json_nesting.h). */
#include "base/json_nesting.h"

#include "base/status.h"

/* Cheap upper bound: without that many opening brackets there is no such depth. */
static bool may_be_deeper(fl_str text, int64_t most)
{
    if (text.len <= most)
        return false;
    int64_t opened = 0;
    for (int64_t i = 0; i < text.len; i++)
        opened += (text.data[i] | 0x20) == '{'; /* { and [ differ in this bit */
    return opened > most;
}

bool fl_json_is_deeper(fl_str text, int64_t most)
{
    FL_ASSERT(text.len >= 0);
    FL_ASSERT(most > 0);
    if (!may_be_deeper(text, most))
        return false;
    int64_t depth = 0;
    bool is_string = false;
    for (int64_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\\')
            i++;
        else if (c == '"')
            is_string = !is_string;
        else if (!is_string && (c == '{' || c == '['))
            depth++;
        else if (!is_string && (c == '}' || c == ']'))
            depth--;
        if (depth > most)
            return true;
    }
    return false;
}
