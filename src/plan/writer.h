/* Writers: how rows become the bytes of a file. A writer is a plug-in, FL_WRITER(<name>) in engine/builtins.def, as a format is
 * that reads them (plan/table.h). It touches no file: it is given rows and gives bytes, which whoever owns the file puts there.
 *
 *     writer->ops->begin(writer, &head, ...)                             the bytes in front
 *     writer->ops->encode(writer, batches, n, &chunk, ...)               rows as bytes: on many threads at once
 *     writer->ops->place(writer, &chunk, offset, ...)                    in the rows' order: where its bytes will lie
 *     writer->ops->finish(writer, offset, &tail, ...)                    the bytes behind
 *
 * Between two chunks stands the separator. Chunks are of any number of rows, but most are of chunk_rows. A chunk may be placed
 * by another writer than the one that encoded it, if both were opened alike: so a long result can go on in the next file. */
#ifndef FL_PLAN_WRITER_H
#define FL_PLAN_WRITER_H

#include "plan/table.h"

typedef struct fl_writer fl_writer;

/* Rows as bytes. */
typedef struct fl_chunk {
    fl_text bytes;
    int64_t rows;
    fl_arena arena; /* of `more` */
    void *more;     /* the writer's: what the end of the file says of these rows */
} fl_chunk;

void fl_chunk_init(fl_chunk *chunk, fl_memory *memory);
void fl_chunk_drop(fl_chunk *chunk);

typedef struct fl_writer_ops {
    fl_status (*begin)(fl_writer *writer, fl_text *head, fl_err *err);
    /** Encodes all rows of the batches, which have no masks and n_fields columns each, into an empty chunk. Thread-safe. */
    fl_status (*encode)(fl_writer *writer, const fl_batch *batches, int32_t n, fl_chunk *chunk, fl_err *err);
    /** NULL: it is the same anywhere. May put other bytes into the chunk's place. */
    fl_status (*place)(fl_writer *writer, fl_chunk *chunk, int64_t offset, fl_err *err);
    fl_status (*finish)(fl_writer *writer, int64_t offset, fl_text *tail, fl_err *err);
    void (*free)(fl_writer *writer);
} fl_writer_ops;

struct fl_writer { /* writers put their own struct around this one */
    const fl_writer_ops *ops;
    fl_str suffix;       /* of a file of this writer's: ".csv.gz" */
    fl_str separator;    /* outlives the writer, as the suffix does */
    int64_t chunk_rows;  /* a multiple of 64 */
    int64_t chunk_bytes; /* that the rows of a chunk have in memory, more or less; 0: any number */
};

typedef struct fl_writer_desc {
    uint32_t size;               /* FL_DESC */
    const char *name;            /* of FORMAT: "parquet" */
    const char *const *suffixes; /* ".parquet", ...; ends with NULL */
    const char *reader;          /* the table function that reads what it writes */
    /** A writer of rows with these columns, which outlive it. Options are checked as those of a reader are (format/options.h).
     *  FL_ERR_UNSUPPORTED where there is no such value of a column's type in the format, FL_ERR_DUPLICATE where its columns need
     *  different names. */
    fl_status (*open)(fl_memory *memory, const fl_field *fields, int32_t n_fields, const fl_option *options,
                      int32_t n_options, fl_writer **ret, fl_err *err);
    uint32_t extensions; /* FL_KNOWS(…): which types over others it writes; values of others are given as text */
    const char *doc;
} fl_writer_desc;

static inline void fl_writer_free(fl_writer *writer)
{
    if (writer != NULL)
        writer->ops->free(writer);
}

#endif
