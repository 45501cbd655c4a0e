/* Arrow IPC (arrow.apache.org/docs/format/Columnar.html, "Serialization and Interprocess Communication"): what its messages are called
 * and numbered, as Schema.fbs, Message.fbs and File.fbs have it.
 *
 * A stream is messages one after the other: a mark, the length of the head, the head (a FlatBuffer), the body. A file is a stream between
 * two magic words, with a footer that says where its batches lie. */
#ifndef FL_FORMAT_ARROW_IPC_H
#define FL_FORMAT_ARROW_IPC_H

#define FL_IPC_MAGIC "ARROW1"
#define FL_IPC_MAGIC_BYTES 6
#define FL_IPC_MARK 0xFFFFFFFFu /* in front of a head's length; older streams have none */
#define FL_IPC_VERSION_5 4
#define FL_IPC_ALIGNMENT 8

enum { FL_IPC_SCHEMA = 1, FL_IPC_DICTIONARY = 2, FL_IPC_BATCH = 3 }; /* what a message is */

enum { FL_IPC_LZ4 = 0, FL_IPC_ZSTD = 1 }; /* how buffers are packed */

/* Types. */
enum {
    FL_IPC_NULL = 1,
    FL_IPC_INT = 2,
    FL_IPC_FLOAT = 3,
    FL_IPC_BINARY = 4,
    FL_IPC_UTF8 = 5,
    FL_IPC_BOOL = 6,
    FL_IPC_DECIMAL = 7,
    FL_IPC_DATE = 8,
    FL_IPC_TIME = 9,
    FL_IPC_TIMESTAMP = 10,
    FL_IPC_INTERVAL = 11,
    FL_IPC_LIST = 12,
    FL_IPC_STRUCT = 13,
    FL_IPC_FIXED_BINARY = 15,
    FL_IPC_MAP = 17,
    FL_IPC_LARGE_BINARY = 19,
    FL_IPC_LARGE_UTF8 = 20,
    FL_IPC_LARGE_LIST = 21
};

enum { FL_IPC_SECOND = 0, FL_IPC_MILLI = 1, FL_IPC_MICRO = 2, FL_IPC_NANO = 3 };

#endif
