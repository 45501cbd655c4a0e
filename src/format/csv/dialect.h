/* Dialects of CSV: what separates fields, quotes them and ends lines; and how a file's dialect is found by looking.
 *
 * Lines end with LF, before which a CR is dropped, or, where a file has no LF at all, with CR. A quoted field's quotes
 * stand at its borders; inside, a quote is doubled or follows the escape byte. */
#ifndef FL_FORMAT_CSV_DIALECT_H
#define FL_FORMAT_CSV_DIALECT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define FL_CSV_DELIM_MAX 4

typedef struct fl_csv_dialect {
    char delim[FL_CSV_DELIM_MAX];
    uint8_t delim_len;
    char quote;   /* 0: quotes mean nothing */
    char escape;  /* the quote itself: it is doubled */
    char newline; /* '\n' or '\r' */
    char comment; /* begins lines that are no records; 0: none does */
    bool trims;   /* blanks around fields, and around their quotes, are no part of them */
} fl_csv_dialect;

static inline fl_str fl_csv_delim(const fl_csv_dialect *dialect)
{
    return (fl_str){dialect->delim, dialect->delim_len};
}

static inline void fl_csv_set_delim(fl_csv_dialect *dialect, char delim)
{
    dialect->delim[0] = delim;
    dialect->delim_len = 1;
}

static inline bool fl_csv_has_escape(const fl_csv_dialect *dialect)
{
    return dialect->quote != 0 && dialect->escape != dialect->quote;
}

/* Whether what a byte is can only be said when all bytes before it were looked at in order: a quote that is escaped or
 * part of a comment is none, and a delimiter of several bytes may begin where another one ends. Otherwise the parity of quotes says it. */
static inline bool fl_csv_is_in_order(const fl_csv_dialect *dialect)
{
    return fl_csv_has_escape(dialect) || dialect->comment != 0 || dialect->trims || dialect->delim_len > 1;
}

/* Between two bytes: what the next one is part of. */
typedef struct fl_csv_position {
    bool is_inside;  /* of quotes */
    bool is_escaped; /* the byte before was an escape within quotes */
    bool is_comment;
    bool is_line_start;
} fl_csv_position;

#define FL_CSV_AT_START ((fl_csv_position){.is_line_start = true})

/* Goes on by a byte. */
static inline void fl_csv_step(const fl_csv_dialect *dialect, fl_csv_position *at, char c)
{
    if (at->is_inside) {
        if (at->is_escaped)
            at->is_escaped = false;
        else if (fl_csv_has_escape(dialect) && c == dialect->escape)
            at->is_escaped = true;
        else if (c == dialect->quote)
            at->is_inside = false;
        at->is_line_start = false;
        return;
    }
    at->is_comment = c != dialect->newline &&
                     (at->is_comment || (at->is_line_start && dialect->comment != 0 && c == dialect->comment));
    at->is_inside = !at->is_comment && dialect->quote != 0 && c == dialect->quote;
    at->is_line_start = c == dialect->newline;
}

/* What the user said; the rest is found by looking. */
typedef struct fl_csv_wishes {
    bool has_delim, has_quote, has_escape, has_comment, trims;
    fl_str delim; /* of at most FL_CSV_DELIM_MAX bytes */
    char quote, escape, comment;
} fl_csv_wishes;

/** The dialect of a file that begins with `sample`. is_whole: the sample is the file. prefers_tab: its name says so.
 *  *ret_fields: fields of the first line, at least 1; *ret_agree: all lines have as many. Cost: a few passes over the sample. */
fl_csv_dialect fl_csv_dialect_find(fl_str sample, bool is_whole, bool prefers_tab, const fl_csv_wishes *wishes,
                                   int32_t *ret_fields, bool *ret_agree);

/** How many lines before a table are none of it: they have one field alone, or a blank line stands between; 0 when there are
 *  none, or the lines behind do not agree. has_delim: the dialect's is the only one. *ret_dialect is that of those behind, *ret_fields the
 *  number of their fields, *ret_bytes what the titles take. */
int32_t fl_csv_count_titles(fl_str sample, bool is_whole, const fl_csv_dialect *dialect, bool has_delim,
                            fl_csv_dialect *ret_dialect, int32_t *ret_fields, int64_t *ret_bytes);

/** The raw text of a field without its quotes; *is_quoted says whether it had any. Doubled and escaped quotes stay. */
static inline fl_str fl_csv_field_text(const fl_csv_dialect *dialect, fl_str field, bool *is_quoted)
{
    if (dialect->trims) {
        while (field.len > 0 && field.data[0] == ' ')
            field = (fl_str){field.data + 1, field.len - 1};
        while (field.len > 0 && field.data[field.len - 1] == ' ')
            field.len--;
    }
    *is_quoted = dialect->quote != 0 && field.len >= 2 && field.data[0] == dialect->quote;
    return *is_quoted ? (fl_str){field.data + 1, field.len - 2} : field;
}

/** Takes doubled and escaped quotes of a quoted field's text apart; `ret` has room for text.len. Returns the length. */
int64_t fl_csv_unquote(const fl_csv_dialect *dialect, fl_str text, char *ret);

#endif
