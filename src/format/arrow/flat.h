/* FlatBuffers, as Arrow's messages are written in (google.github.io/flatbuffers, "Internals"): reading and writing.
 *
 * Reading trusts nothing: what points outside makes the reader bad for good, and gives zero; callers ask once, at the end. Writing goes from front
 * to back: a table is written with its fields, those that point to other things are filled in when these are written behind it. The text
 * begins at an address that is a multiple of 8. */
#ifndef FL_FORMAT_ARROW_FLAT_H
#define FL_FORMAT_ARROW_FLAT_H

#include "base/text.h"

/* ---- reading ---- */

typedef struct fl_flat {
    const uint8_t *data;
    int64_t bytes;
    bool is_bad;
} fl_flat;

/** The root table's place. 0: none, in this and the calls below; each takes 0 for a table and gives what is not there then. */
int64_t fl_flat_root(fl_flat *f);

int64_t fl_flat_int(fl_flat *f, int64_t table, int32_t slot, int32_t width, int64_t otherwise);
int64_t fl_flat_table(fl_flat *f, int64_t table, int32_t slot);
fl_str fl_flat_str(fl_flat *f, int64_t table, int32_t slot);

/** A vector's first element and how many there are; all of them lie inside. */
int64_t fl_flat_vector(fl_flat *f, int64_t table, int32_t slot, int32_t element_bytes, int64_t *ret_n);

/** The table that an element of a vector of tables points to. */
int64_t fl_flat_element(fl_flat *f, int64_t element);

/** Whole numbers at a place that is known to lie inside. */
int64_t fl_flat_i64(const fl_flat *f, int64_t at);
int32_t fl_flat_i32(const fl_flat *f, int64_t at);

/* ---- writing ---- */

typedef struct fl_flat_field {
    int32_t slot, width; /* 1, 2, 4 or 8 bytes; a pointer has 4 */
    int64_t value;
    int64_t *at; /* out: the field's place, for fl_flat_point; may be NULL */
} fl_flat_field;

#define FL_FLAT_FIELDS_MAX 8

/** A pointer to the root, to be filled by fl_flat_point(text, 0). */
void fl_flat_begin(fl_text *text);

/** Fills a pointer: what is written next is what it points to, on a multiple of `alignment`. */
void fl_flat_point(fl_text *text, int64_t at, int32_t alignment);

/** A table; fields of zero width are left out. The pointer at `from` leads to it. */
void fl_flat_write_table(fl_text *text, int64_t from, const fl_flat_field *fields, int32_t n);
void fl_flat_write_str(fl_text *text, int64_t from, fl_str s);

/** A vector's head; its elements, which have so many bytes and lie on multiples of `alignment`, follow. */
void fl_flat_write_vector(fl_text *text, int64_t from, int64_t n, int32_t alignment);

#endif
