/* A growing text: answers on their way out, statements on their way in.
 *
 * The program sees the library through its public headers alone, so it has a text of its own. Running out of memory here
 * ends the program with a message: there is no query to blame. One thread at a time. */
#ifndef FL_CLI_TEXT_H
#define FL_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct fl_cli_text {
    char *data; /* not terminated */
    size_t len;
    size_t capacity;
} fl_cli_text;

void fl_cli_text_drop(fl_cli_text *text);

void fl_cli_text_add(fl_cli_text *text, const char *data, size_t len);
void fl_cli_text_add_str(fl_cli_text *text, const char *terminated);
void fl_cli_text_add_char(fl_cli_text *text, char c);
void fl_cli_text_add_repeated(fl_cli_text *text, char c, size_t count);
void fl_cli_text_addf(fl_cli_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Adds a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD. */
void fl_cli_text_add_json(fl_cli_text *text, const char *data, size_t len);

/** Adds everything up to the end of a file; false when reading fails (errno says why), or when there is more than
 *  bytes_max (EFBIG), as in a device that never ends. */
bool fl_cli_text_add_file(fl_cli_text *text, FILE *file, size_t bytes_max);

/** Bytes of the well-formed UTF-8 character at p (1 to 4), its code point in *ret_code; 0 when it is none. */
int fl_cli_utf8_decode(const char *p, size_t left, uint32_t *ret_code);

/** Columns that the text takes on a terminal: wide characters two, combining ones none. */
size_t fl_cli_display_width(const char *data, size_t len);

#endif
