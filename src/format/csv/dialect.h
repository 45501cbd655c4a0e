/* Dialects of CSV: what separates fields, quotes them and ends lines; and how a file's dialect is found by looking.
 *
 * Lines end with LF, before which a CR is dropped, or, where a file has no LF at all, with CR. A quoted field's quotes
 * stand at its borders; inside, a quote is doubled or follows the escape byte. */
#ifndef FL_FORMAT_CSV_DIALECT_H
#define FL_FORMAT_CSV_DIALECT_H

#include "base/str.h"

#include <stdint.h>

typedef struct fl_csv_dialect {
    char delim;
    char quote;   /* 0: quotes mean nothing */
    char escape;  /* the quote itself: it is doubled */
    char newline; /* '\n' or '\r' */
} fl_csv_dialect;

static inline bool fl_csv_has_escape(const fl_csv_dialect *dialect)
{
    return dialect->quote != 0 && dialect->escape != dialect->quote;
}

/* What the user said; the rest is found by looking. */
typedef struct fl_csv_wishes {
    bool has_delim, has_quote, has_escape;
    char delim, quote, escape;
} fl_csv_wishes;

/** The dialect of a file that begins with `sample`. is_whole: the sample is the file. prefers_tab: its name says so.
 *  *ret_fields: fields of the first line, at least 1. Cost: a few passes over the sample. */
fl_csv_dialect fl_csv_dialect_find(fl_str sample, bool is_whole, bool prefers_tab, const fl_csv_wishes *wishes,
                                   int32_t *ret_fields);

/** The raw text of a field without its quotes; *is_quoted says whether it had any. Doubled and escaped quotes stay. */
static inline fl_str fl_csv_field_text(const fl_csv_dialect *dialect, fl_str field, bool *is_quoted)
{
    *is_quoted = dialect->quote != 0 && field.len >= 2 && field.data[0] == dialect->quote;
    return *is_quoted ? (fl_str){field.data + 1, field.len - 2} : field;
}

/** Takes doubled and escaped quotes of a quoted field's text apart; `ret` has room for text.len. Returns the length. */
int64_t fl_csv_unquote(const fl_csv_dialect *dialect, fl_str text, char *ret);

#endif
