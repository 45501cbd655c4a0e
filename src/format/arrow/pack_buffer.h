/* Buffers of a packed batch: how many bytes they have unpacked (8 bytes; -1: they are not packed), then a frame of LZ4 or Zstandard. */
#ifndef FL_FORMAT_ARROW_PACK_BUFFER_H
#define FL_FORMAT_ARROW_PACK_BUFFER_H

#include "base/text.h"

/** Adds a buffer, packed where that makes it smaller. codec: FL_IPC_LZ4 or FL_IPC_ZSTD. */
fl_status fl_ipc_pack(int32_t codec, fl_str from, fl_text *to, fl_err *err);

/** The bytes that a packed buffer has unpacked; negative: it is malformed. */
int64_t fl_ipc_unpacked_bytes(fl_str from);

/** Unpacks into `to`, which has room for them. NULL, or what is wrong. */
const char *fl_ipc_unpack(int32_t codec, fl_str from, char *to);

#endif
