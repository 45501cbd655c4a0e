/* Files of text, as CSV and JSON are: how they begin, pieces of them in memory, places in them.
 *
 * Readers see UTF-8 at offsets, whatever the file holds. A file that is UTF-8 is read where its bytes lie, by many threads. One that is
 * packed (format/unpack.h) or in another encoding (format/encoding.h) is a stream: a piece of it carries the stream on from the piece
 * before, so pieces are best read from front to back, by one thread; to go back is to begin anew. How long its text is is known
 * when some stream came to the end.
 *
 * A piece owns the lines that begin within [begin, end): its first may begin a little behind `begin`, its last is read on
 * past `end`. One thread at a time; memory is kept from piece to piece. */
#ifndef FL_FORMAT_TEXT_FILE_H
#define FL_FORMAT_TEXT_FILE_H

#include "base/buffer.h"
#include "base/file.h"
#include "format/encoding.h"
#include "format/unpack.h"

#define FL_TEXT_PIECE_BYTES (1 << 20)      /* a morsel: fits a core's second-level cache with its index */
#define FL_TEXT_LINE_BYTES_MAX (100 << 20) /* readers refuse longer ones */
#define FL_TEXT_SAMPLE_BYTES (256 << 10)   /* of a piece that is looked at to find columns */
#define FL_TEXT_SAMPLE_ROWS 20480          /* looked at unless the option sample_size says otherwise */
#define FL_TEXT_BYTES_UNKNOWN (INT64_MAX / 4)

typedef struct fl_text_file {
    fl_file *file; /* the table's */
    fl_packing packing;
    fl_encoding encoding;
    _Atomic int64_t bytes; /* of the text; FL_TEXT_BYTES_UNKNOWN: nobody read it to its end yet */
} fl_text_file;

#define FL_TEXT_COMPRESSION "'auto', 'none', 'gzip', 'zstd', 'bzip2' or 'zip'"
#define FL_TEXT_ENCODING "'utf-8', 'utf-16', 'latin-1' or 'windows-1252'"

/* What the user says of a file; the rest is found by looking. */
typedef struct fl_text_wishes {
    fl_str compression; /* empty or 'auto': by its first bytes */
    fl_str encoding;    /* empty: UTF-8, or UTF-16 where it begins with that byte order mark */
} fl_text_wishes;

typedef struct fl_text_piece {
    fl_memory *memory;
    fl_buffer *bytes; /* with room for a parser's padding behind the last byte */
    int64_t offset;   /* in the text, of the buffer's first byte */
    int64_t len;
    struct fl_text_stream *stream; /* at offset + len; NULL: none yet */
} fl_text_piece;

/** Finds what the file holds, fills `text` and reads the text's first bytes, enough to find a dialect or layout by, into the piece, whose
 *  offset is 0 then. *ret_start: where the text begins, behind a byte order mark. FL_ERR_CONFIG for a wish that cannot be;
 *  FL_ERR_FORMAT, FL_ERR_IO, FL_ERR_MEMORY. */
fl_status fl_text_file_begin(fl_text_file *text, fl_file *file, const fl_text_wishes *wishes, fl_text_piece *piece,
                             int64_t *ret_start, fl_err *err);

/** Whether pieces of it are a stream. */
static inline bool fl_text_file_is_stream(const fl_text_file *text)
{
    return text->packing != FL_PACKED_NOT || text->encoding != FL_ENCODING_UTF8;
}

static inline int64_t fl_text_file_bytes(const fl_text_file *text)
{
    return atomic_load_explicit(&text->bytes, memory_order_relaxed);
}

/** About how long the text is. */
double fl_text_file_estimate_bytes(const fl_text_file *text);

/** Whether its name ends so, before the packing's ending: "a.tsv.gz" is a ".tsv". */
bool fl_text_file_has_ending(const fl_text_file *text, fl_str ending);

/** Puts file, line and column into an error that is filled. */
void fl_text_file_err_at(const fl_text_file *text, int64_t line, int64_t column, fl_err *err);

/** Reads [begin, end), a little behind it, and the byte before, which says whether a line begins at `begin`. Of a stream there may be
 *  fewer bytes: the text ends within. */
fl_status fl_text_piece_read(fl_text_piece *piece, fl_text_file *text, int64_t begin, int64_t end, fl_err *err);

/** Reads as much again as there is, or up to the text's end. */
fl_status fl_text_piece_read_on(fl_text_piece *piece, fl_text_file *text, fl_err *err);

void fl_text_piece_drop(fl_text_piece *piece);

/** Whether the piece reaches to the text's end. */
static inline bool fl_text_piece_is_last(const fl_text_piece *piece, const fl_text_file *text)
{
    return piece->offset + piece->len == fl_text_file_bytes(text);
}

static inline const char *fl_text_piece_data(const fl_text_piece *piece)
{
    return (const char *)piece->bytes->data;
}

/** The text's offset of a byte of the piece. */
static inline int64_t fl_text_piece_offset(const fl_text_piece *piece, const char *at)
{
    return piece->offset + (at - fl_text_piece_data(piece));
}

#endif
