/* Packing of whole files: a chunk is a member of its own (gzip, RFC 1952) or a frame (Zstandard, RFC 8878), which readers of either put
 * together; so chunks are packed by many workers. Relies on zlib and zstd. */
#ifndef FL_FORMAT_PACK_H
#define FL_FORMAT_PACK_H

#include "arrow/value.h"

typedef enum fl_packing { FL_PACK_NONE, FL_PACK_GZIP, FL_PACK_ZSTD } fl_packing;

#define FL_OPTION_PACKING "'none', 'gzip' or 'zstd'"

/** Reads the option `compression` (format/options.h) into an fl_packing. */
fl_status fl_option_packing(fl_arena *arena, const fl_value *value, void *ret_packing, fl_err *err);

/** Packs what a text holds in its place. */
fl_status fl_pack(fl_packing packing, fl_text *text, fl_err *err);

#endif
