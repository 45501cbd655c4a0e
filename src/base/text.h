/* A growing text: for EXPLAIN, JSON and results on their way out. Always terminated once anything was added.
 *
 * Errors are sticky: after the first failed allocation further additions do nothing, and fl_text_status says so; so a
 * printer needs one check at its end. One thread at a time. */
#ifndef FL_BASE_TEXT_H
#define FL_BASE_TEXT_H

#include "base/memory.h"
#include "base/str.h"

typedef struct fl_text {
    char *data;
    int64_t len;
    int64_t capacity;
    fl_memory *memory;
    fl_status st;
} fl_text;

void fl_text_init(fl_text *text, fl_memory *memory);
void fl_text_drop(fl_text *text);

/** Forgets the contents, keeps the room. */
void fl_text_clear(fl_text *text);

void fl_text_add(fl_text *text, fl_str part);

/** Room for `bytes` more behind the contents, for who writes there himself and then adds to `len`; NULL: an addition failed. */
char *fl_text_room(fl_text *text, int64_t bytes);

/** Adds what another text holds, or that an addition to it failed. */
void fl_text_add_text(fl_text *text, const fl_text *part);
void fl_text_add_char(fl_text *text, char c);
void fl_text_addf(fl_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Adds `part` between quotes, with those in it doubled: SQL's names and strings. */
void fl_text_add_quoted(fl_text *text, fl_str part, char quote);

/** Adds a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void fl_text_add_json(fl_text *text, fl_str part);

/** FL_OK, or FL_ERR_MEMORY, FL_ERR_CANCELLED or FL_ERR_TIMEOUT if any addition failed (err is filled then). */
fl_status fl_text_status(const fl_text *text, fl_err *err);

static inline fl_str fl_text_str(const fl_text *text)
{
    return (fl_str){text->data, text->len};
}

#endif
