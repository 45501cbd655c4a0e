/* A table of Arrow IPC files or streams: their schema, where their batches lie, and what scans share with it. */
#ifndef FL_FORMAT_ARROW_TABLE_H
#define FL_FORMAT_ARROW_TABLE_H

#include "fletch/arrow.h"
#include "format/arrow/flat.h"
#include "format/files_table.h"

#define FL_IPC_FORMAT_BYTES 40

/* A field of the schema. */
typedef struct fl_ipc_field {
    struct ArrowSchema schema;   /* as the C data interface has it; lives as long as the table */
    int32_t n_buffers;           /* of its own */
    int32_t offset_bytes;        /* of an offset; 0: it has none */
    int32_t width;               /* bits of a value that is of fixed width; 0: it is not, or has no values */
    int64_t dictionary;          /* its id; negative: none */
    struct fl_ipc_field *values; /* of the dictionary */
    struct fl_ipc_field *children;
    int32_t n_children;
    int32_t first_node, first_buffer; /* of a column: in a batch's lists */
} fl_ipc_field;

/* A message's head. */
typedef struct fl_ipc_message {
    fl_flat flat;
    int32_t kind;   /* FL_IPC_SCHEMA ..., 0: the stream's end */
    int64_t header; /* the table in `flat` */
    int64_t body_at, body_bytes;
    int64_t end; /* where the next one begins */
} fl_ipc_message;

/* A batch of rows, or of a dictionary's values. */
typedef struct fl_ipc_batch {
    int64_t at; /* of its message */
    int64_t rows;
    int64_t n_dictionaries; /* that were there when it came */
    int64_t id;             /* of a dictionary */
} fl_ipc_batch;

typedef struct fl_ipc_file {
    fl_file *file;
    fl_ipc_field *columns;
    int32_t n_columns;
    fl_ipc_batch *batches, *dictionaries;
    int64_t n_batches, n_dictionaries;
    int64_t batches_capacity, dictionaries_capacity;
    int64_t first_morsel;
} fl_ipc_file;

typedef struct fl_arrow_table {
    fl_files_table base;
    fl_ipc_file *files;
} fl_arrow_table;

extern const fl_format_desc fl_format_arrow;

/** Reads the head of the message at `at`. FL_ERR_CORRUPT; FL_ERR_UNSUPPORTED of versions before 4. */
fl_status fl_ipc_message_read(fl_arena *arena, fl_file *file, int64_t at, fl_ipc_message *ret, fl_err *err);

/** The array of a batch's columns cols[0 .. n), with all that it needs; its release frees it. */
fl_status fl_ipc_batch_read(fl_memory *memory, const fl_ipc_file *file, const fl_ipc_batch *batch, const int32_t *cols,
                            int32_t n, struct ArrowArray *ret, fl_err *err);

/** As fl_table_ops.scan_new. */
fl_status fl_arrow_scan_new(fl_table *table, const fl_scan_request *request, fl_scan **ret, fl_err *err);

fl_status fl_ipc_corrupt(const fl_file *file, const char *what, fl_err *err);

#endif
