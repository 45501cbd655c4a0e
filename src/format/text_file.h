/* Files of text, as CSV and JSON are: how they begin, pieces of them in memory, places in them.
 *
 * A piece owns the lines that begin within [begin, end): its first may begin a little behind `begin`, its last is read on
 * past `end`. One thread at a time; memory is kept from piece to piece. */
#ifndef FL_FORMAT_TEXT_FILE_H
#define FL_FORMAT_TEXT_FILE_H

#include "base/buffer.h"
#include "base/file.h"

#define FL_TEXT_PIECE_BYTES (1 << 20)      /* a morsel: fits a core's second-level cache with its index */
#define FL_TEXT_LINE_BYTES_MAX (100 << 20) /* readers refuse longer ones */
#define FL_TEXT_SAMPLE_BYTES (256 << 10)   /* of a piece that is looked at to find columns */
#define FL_TEXT_SAMPLE_ROWS 20480          /* looked at unless the option sample_size says otherwise */

typedef struct fl_text_piece {
    fl_memory *memory;
    fl_buffer *bytes; /* with room for a parser's padding behind the last byte */
    int64_t offset;   /* in the file, of the buffer's first byte */
    int64_t len;
} fl_text_piece;

/** Reads the file's first bytes and says where its text begins: behind a byte order mark. *ret_head is the caller's to
 *  free, also on failure. FL_ERR_UNSUPPORTED for a packed file, FL_ERR_FORMAT (22021) for UTF-16, FL_ERR_IO. */
fl_status fl_text_file_begin(fl_memory *memory, fl_file *file, char **ret_head, int64_t *ret_bytes, int64_t *ret_start,
                             fl_err *err);

/** Puts file, line and column into an error that is filled. */
void fl_text_file_err_at(const fl_file *file, int64_t line, int64_t column, fl_err *err);

/** Reads [begin, end), a little behind it, and the byte before, which says whether a line begins at `begin`. */
fl_status fl_text_piece_read(fl_text_piece *piece, fl_file *file, int64_t begin, int64_t end, fl_err *err);

/** Reads as much again as there is, or up to the file's end. */
fl_status fl_text_piece_read_on(fl_text_piece *piece, fl_file *file, fl_err *err);

void fl_text_piece_drop(fl_text_piece *piece);

/** Whether the piece reaches to the file's end. */
static inline bool fl_text_piece_is_last(const fl_text_piece *piece, const fl_file *file)
{
    return piece->offset + piece->len == file->bytes;
}

static inline const char *fl_text_piece_data(const fl_text_piece *piece)
{
    return (const char *)piece->bytes->data;
}

/** The file's offset of a byte of the piece. */
static inline int64_t fl_text_piece_offset(const fl_text_piece *piece, const char *at)
{
    return piece->offset + (at - fl_text_piece_data(piece));
}

#endif
