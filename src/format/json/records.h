/* Records of a JSON file: where each one's text lies, before it is parsed.
 *
 * Three layouts, found by how a file begins, whatever its name says. Lines (NDJSON): a record a line, found by newlines
 * alone, as no string holds a raw one; so a file can be cut anywhere, and a chunk owns the lines that begin within it.
 * Array: one array, its elements are the records. Sequence: values one after the other, each over several lines. The last
 * two are cut by counting brackets from the start, in one piece.
 *
 * What is no JSON inside of a record is for the parser to find. Blank lines are no records. One thread at a time. */
#ifndef FL_FORMAT_JSON_RECORDS_H
#define FL_FORMAT_JSON_RECORDS_H

#include "format/text_file.h"

#define FL_JSON_WHOLE_BYTES_MAX (2LL << 30) /* of a file that is not cut */

typedef enum fl_json_layout { FL_JSON_LINES, FL_JSON_ARRAY, FL_JSON_SEQUENCE } fl_json_layout;

typedef struct fl_json_source {
    fl_text_file *file; /* the table's */
    int64_t start;      /* behind a byte order mark */
    fl_json_layout layout;
} fl_json_source;

typedef struct fl_json_record {
    uint32_t start;
    uint32_t len;
} fl_json_record;

typedef struct fl_json_chunk {
    fl_text_piece text;
    fl_json_record *records;
    int64_t count;
    int64_t capacity;
} fl_json_chunk;

void fl_json_chunk_init(fl_json_chunk *chunk, fl_memory *memory);
void fl_json_chunk_drop(fl_json_chunk *chunk);

/** Says what a file is from its first bytes, and fills source->file. FL_ERR_CONFIG, FL_ERR_FORMAT, FL_ERR_IO. */
fl_status fl_json_source_find(fl_memory *memory, fl_file *file, const fl_text_wishes *wishes, fl_json_source *source,
                              fl_err *err);

/** Reads the lines that begin in [begin, end), for the lines layout. FL_ERR_LIMIT for one of more than 100 MB. */
fl_status fl_json_chunk_read_lines(fl_json_chunk *chunk, const fl_json_source *source, int64_t begin, int64_t end,
                                   fl_err *err);

/** Reads all records of a file of the other layouts. FL_ERR_FORMAT where brackets are missing, FL_ERR_LIMIT beyond 2 GB. */
fl_status fl_json_chunk_read_whole(fl_json_chunk *chunk, const fl_json_source *source, fl_err *err);

/** Where the value of a record's first key of that name begins, as an offset in the file; the record's own where there is
 *  none. The chunk's records must not have been parsed. */
int64_t fl_json_find_key(const fl_json_chunk *chunk, int64_t record, fl_str key);

/** Fills `err` with `complaint` and the line and column of the file's byte `offset`; gives its code back. Cost: O(offset). */
fl_status fl_json_fail_at(const fl_json_source *source, int64_t offset, const fl_err *complaint, fl_err *err)
    __attribute__((cold));

#endif
