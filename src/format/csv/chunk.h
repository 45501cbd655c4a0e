/* A piece of a CSV file, cut at a fixed offset, as lines and fields.
 *
 * A chunk owns the lines that begin within [begin, end): its first may begin a little behind `begin`, its last is read on
 * past `end`. Where lines begin depends on whether `begin` lies inside of quotes, which the bytes before decide; the
 * caller knows (scan.c, how workers tell each other).
 *
 *     fl_csv_chunk_read(chunk, file, begin, end)        the bytes
 *     fl_csv_chunk_index(chunk, …, is_inside, …)        the lines
 *     fl_csv_chunk_field(chunk, row, col)               a field, with its quotes
 *
 * One thread at a time. Memory is kept from chunk to chunk. */
#ifndef FL_FORMAT_CSV_CHUNK_H
#define FL_FORMAT_CSV_CHUNK_H

#include "format/csv/index.h"
#include "format/csv/place.h"
#include "format/text_file.h"

/* A line that was left out, by offsets in the text. */
typedef struct fl_csv_uneven {
    uint32_t begin, end;
    uint32_t at; /* of the first byte too many, or of the line's end */
    int32_t fields;
} fl_csv_uneven;

typedef struct fl_csv_chunk {
    fl_text_piece text;
    int64_t begin;
    int64_t end;
    fl_csv_index index;
    uint32_t *starts; /* of each line's first field */
    int64_t starts_capacity;
    uint32_t *padded; /* where lines are filled up: what becomes index.at */
    int64_t padded_capacity;
    int64_t n_skipped;     /* lines of this chunk that were left out */
    fl_csv_uneven *uneven; /* the same, where they are told */
    int64_t uneven_capacity;
    int64_t rows;  /* behind the header */
    int64_t first; /* 1: line 0 is the header, rows begin with line 1 */
    int32_t n_cols;
    int32_t delim_more; /* bytes of a delimiter but its last one */
    char newline;
} fl_csv_chunk;

void fl_csv_chunk_init(fl_csv_chunk *chunk, fl_memory *memory);
void fl_csv_chunk_drop(fl_csv_chunk *chunk);

/** Reads [begin, end) of the file, and a little around it; chunk->end is the text's end where that comes first. FL_ERR_IO,
 *  FL_ERR_MEMORY; FL_ERR_FORMAT of streams. */
fl_status fl_csv_chunk_read(fl_csv_chunk *chunk, fl_text_file *file, int64_t begin, int64_t end, fl_err *err);

/** The bytes of [begin, end). */
fl_str fl_csv_chunk_own(const fl_csv_chunk *chunk);

/** Finds the lines. before: the position before `begin`. has_header: the first line is no row (for the file's
 *  first chunk). Every line has layout->n_cols fields (but for layout->pads and skips), or this fails with its place: FL_ERR_FORMAT (22000; 22021 for what
 *  is no UTF-8), FL_ERR_LIMIT for a line of more than 100 MB. */
fl_status fl_csv_chunk_index(fl_csv_chunk *chunk, fl_text_file *file, const fl_csv_layout *layout,
                             fl_csv_position before, bool has_header, fl_err *err);

/** Finds the whole lines of what was read as [begin, end), alone: where none is, a line has another number of fields, or quotes
 *  stand where they must not, there are no rows. Of the state before only quotes count. *ret: the bytes of the lines.
 *  FL_ERR_MEMORY. */
fl_status fl_csv_chunk_index_whole(fl_csv_chunk *chunk, const fl_csv_layout *layout, fl_csv_position before,
                                   fl_str *ret, fl_err *err);

/** A field with its quotes. Valid until the next fl_csv_chunk_read. */
static inline fl_str fl_csv_chunk_field(const fl_csv_chunk *chunk, int64_t row, int32_t col)
{
    const char *data = fl_text_piece_data(&chunk->text);
    int64_t line = row + chunk->first, i = line * chunk->n_cols + col;
    int64_t from = col == 0 ? chunk->starts[line] : (int64_t)chunk->index.at[i - 1] + 1, to = chunk->index.at[i];
    if (col < chunk->n_cols - 1)
        to -= chunk->delim_more;
    else if (to > from && data[to - 1] == '\r')
        to--;
    return (fl_str){data + from, to - from};
}

#endif
