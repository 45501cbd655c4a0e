/* Rows on their way into files: the queue in which they are put in order, the chunks that are made of them, the files.
 *
 * Workers put pieces of their morsels into an output's queue. Where those that nobody can put rows before are enough for a chunk, whoever
 * sees it takes them, makes bytes of them, and gives these in; one worker at a time writes what is next. So workers encode at the same
 * time, and a file is the same for any number of them: chunks end at the same rows.
 *
 * An output is a file, or a row of files of one folder; several share the workers' places in the source (`bounds`). */
#ifndef FL_OP_COPY_SINK_H
#define FL_OP_COPY_SINK_H

#include "base/new_file.h"
#include "exec/exec.h"
#include "op/copy/node.h"
#include "plan/registry.h"
#include "store/segment.h"

typedef struct copy_piece {
    struct copy_piece *next;
    int64_t place; /* pipeline, then morsel */
    int64_t bytes;
    fl_segment *segment;
} copy_piece;

typedef struct copy_file {
    struct copy_file *next;
    fl_new_file file;
} copy_file;

typedef struct copy_folder {
    struct copy_folder *next;
    const char *path;
} copy_folder;

/* Bytes that wait for those before them. */
typedef struct copy_waiting {
    struct copy_waiting *next;
    int64_t number;
    fl_chunk chunk;
} copy_waiting;

typedef struct copy_output {
    fl_str folder;            /* behind the target's path: "a=1/b=x"; empty: none. Of a worker: its number */
    copy_piece *first, *last; /* in the order of the rows */
    int64_t n_skipped;        /* rows of the first one that are taken already */
    int64_t n_taken;          /* chunks */
    copy_waiting *waiting;    /* by number */
    int64_t n_written;        /* chunks */
    bool is_writing;          /* a worker is: what follows is his */
    fl_writer *writer;        /* of the file that is open */
    copy_file *file;          /* NULL: none is */
    bool has_chunk;           /* the file has */
    int32_t n_files;
} copy_output;

typedef struct copy_sink {
    fl_stage base;
    fl_exec *exec;
    const fl_copy_attrs *attrs;
    const fl_writer_desc *desc;
    fl_option *options;
    int32_t n_options;
    fl_field *fields;
    fl_writer *model; /* encodes for all outputs */
    fl_type *types;
    int32_t *from, *parts; /* columns of the input */
    int64_t chunk_bytes, queue_bytes;
    int64_t piece_rows;      /* of a piece at the most */
    _Atomic int64_t *bounds; /* [workers]: no rows come from it before this place; INT64_MAX: it holds no morsel */
    _Atomic int64_t highest; /* place that is known to be claimed */
    _Atomic int64_t rows, queued_bytes;
    pthread_cond_t moved; /* rows were taken, or a worker's place is another */
    pthread_mutex_t lock; /* of what follows, and of outputs but for what a writing worker has */
    fl_arena arena;
    copy_output **outputs;
    _Atomic int64_t n_outputs; /* added to under the lock */
    int64_t outputs_capacity;
    copy_file *files;
    copy_folder *folders; /* that were made, the last one first */
    bool is_committed;
} copy_sink;

/** Makes what a sink needs of the node: a writer, fields, and for a file that there is a place for it. */
fl_status fl_copy_sink_begin(copy_sink *sink, fl_exec *exec, const fl_node *node, fl_err *err);

/** Undoes what was not committed. */
void fl_copy_sink_drop(copy_sink *sink);

/** The output of a folder, made when it is asked for first. Any thread. */
fl_status fl_copy_output_find(copy_sink *sink, fl_str folder, int32_t *ret, fl_err *err);

/** Takes a segment of so many bytes over. */
fl_status fl_copy_output_put(copy_sink *sink, int32_t output, int64_t place, fl_segment *segment, int64_t bytes,
                             fl_err *err);

/** Waits while too much is queued and others have rows before the worker's: who has the first ones never waits. */
fl_status fl_copy_sink_wait(copy_sink *sink, const fl_worker *worker, int64_t place, fl_err *err);

/** Sets the place before which no rows come from a worker. */
void fl_copy_sink_move(copy_sink *sink, const fl_worker *worker, int64_t place);

/** Encodes and writes what there is enough of. */
fl_status fl_copy_output_work(copy_sink *sink, int32_t output, fl_err *err);

/** Encodes and writes all that is left, on the pool, and ends the files. */
fl_status fl_copy_sink_finish(copy_sink *sink, fl_err *err);

fl_status fl_copy_sink_commit(copy_sink *sink, fl_err *err);

#endif
