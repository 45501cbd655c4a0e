/* Packed files as a stream of the bytes that were packed: gzip, zstd, bzip2, and zip with one file in it.
 *
 * What a file is, its first bytes say. A stream goes from front to back alone and holds a window of the packed file, so a file of any
 * size takes little memory. Several gzip members, zstd frames or bzip2 streams behind each other are one text, as their tools
 * write them. Checksums are compared; what follows the end, other than zeros, is an error. One thread at a time. */
#ifndef FL_FORMAT_UNPACK_H
#define FL_FORMAT_UNPACK_H

#include "base/file.h"

typedef enum fl_packing { FL_PACKED_NOT, FL_PACKED_GZIP, FL_PACKED_ZSTD, FL_PACKED_BZIP2, FL_PACKED_ZIP } fl_packing;

#define FL_PACKING_HEAD_BYTES 4 /* enough to tell */

/** What begins with these bytes. */
fl_packing fl_packing_of(fl_str head);

/** "gzip"; of FL_PACKED_NOT "none". */
const char *fl_packing_name(fl_packing packing);

typedef struct fl_unpacker fl_unpacker;

/** Begins at the file's start; FL_PACKED_NOT gives the file's own bytes. Borrows the file. FL_ERR_MEMORY. */
fl_status fl_unpacker_new(fl_memory *memory, fl_file *file, fl_packing packing, fl_unpacker **ret, fl_err *err);
void fl_unpacker_free(fl_unpacker *unpacker);

/** The next bytes, `bytes` of them, or fewer where the text ends. FL_ERR_FORMAT (XX001) where the packed bytes are damaged, end early, or
 *  are a zip with several files; FL_ERR_IO, FL_ERR_MEMORY. After an error only free. */
fl_status fl_unpacker_read(fl_unpacker *unpacker, void *ret, int64_t bytes, int64_t *ret_bytes, fl_err *err);

#endif
