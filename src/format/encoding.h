/* Encodings of text files other than UTF-8, and how they become it. */
#ifndef FL_FORMAT_ENCODING_H
#define FL_FORMAT_ENCODING_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum fl_encoding {
    FL_ENCODING_UTF8,
    FL_ENCODING_UTF16_LE,
    FL_ENCODING_UTF16_BE,
    FL_ENCODING_LATIN1,
    FL_ENCODING_WINDOWS_1252
} fl_encoding;

#define FL_ENCODING_MARK_BYTES 2 /* of a file, enough for fl_encoding_of */

/** What a byte order mark at the start says; FL_ENCODING_UTF8 without one of UTF-16. */
fl_encoding fl_encoding_of(fl_str head);

/** The encoding of a name as 'latin-1' or 'UTF16'; false: there is none. "utf-16" is that of the mark in `head`, little endian without one. */
bool fl_encoding_by_name(fl_str name, fl_str head, fl_encoding *ret);

/** Makes UTF-8 of text in `encoding` (not UTF-8): as much as `room` bytes hold. *ret_used: bytes that were read; fewer than a
 *  character's are left for the next call. *ret_made: bytes written. False at *ret_used: no text of this encoding (half of a
 *  surrogate pair; of Windows-1252, a byte without a character). */
bool fl_encoding_convert(fl_encoding encoding, fl_str text, char *ret, int64_t room, int64_t *ret_used,
                         int64_t *ret_made);

#endif
