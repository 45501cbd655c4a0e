/* Encrypted Parquet files (Parquet Modular Encryption): modules, each sealed for its place in the file.
 *
 * A module is [4 bytes: length][nonce, 12 bytes][ciphertext][tag, 16 bytes]: AES-GCM with 128, 192 or 256 bits, whose additional data say
 * which file, module, row group, column and page it is, so that none can be put into another's place. In files of AES_GCM_CTR_V1 pages have
 * no tag: AES-CTR. Keys come from the user, in options; nothing of a file is kept longer than its table. */
#ifndef FL_FORMAT_PARQUET_CRYPT_H
#define FL_FORMAT_PARQUET_CRYPT_H

#include "base/arena.h"
#include "base/str.h"
#include "base/text.h"

#define FL_PQ_MODULE_EXTRA 32 /* bytes of a module that are no ciphertext, at the most */

typedef enum fl_pq_module {
    FL_PQ_MODULE_FOOTER,
    FL_PQ_MODULE_COLUMN_METADATA,
    FL_PQ_MODULE_DATA_PAGE,
    FL_PQ_MODULE_DICTIONARY_PAGE,
    FL_PQ_MODULE_DATA_HEADER,
    FL_PQ_MODULE_DICTIONARY_HEADER
} fl_pq_module;

typedef struct fl_pq_column_key {
    fl_str path; /* "a.b": a column, or a group of which all columns are meant */
    fl_str key;
    fl_str metadata; /* that is written for readers who ask others for the key; empty: none */
} fl_pq_column_key;

/* What the user gave: keys of 16, 24 or 32 bytes. */
typedef struct fl_pq_keys {
    fl_str footer; /* empty: none */
    const fl_pq_column_key *columns;
    int32_t n_columns;
    fl_str aad_prefix;      /* empty: the file has it, or none */
    fl_str footer_metadata; /* as of a column's key */
} fl_pq_keys;

/* What a file says of its modules. */
typedef struct fl_pq_crypt {
    bool is_ctr;  /* pages have no tag */
    bool is_bare; /* modules are sealed without additional data, as DuckDB does it: for no place */
    fl_str aad;   /* what all additional data begin with */
} fl_pq_crypt;

/* A module's place; what its kind has not is not looked at. */
typedef struct fl_pq_module_place {
    fl_pq_module module;
    int32_t group, column, page;
} fl_pq_module_place;

/** Opens a sealed module of `sealed.len` bytes, its length included; `ret` has room for as many. Gives the number of bytes; -1: it was
 *  sealed with another key, for another place, or was changed. FL_ERR_CONFIG: there is no libcrypto. Thread-safe. */
fl_status fl_pq_module_open(const fl_pq_crypt *crypt, fl_str key, fl_pq_module_place place, fl_str sealed, uint8_t *ret,
                            int64_t *ret_bytes, fl_err *err);

/** Seals a module with additional data, by a fresh nonce, and adds it to `to`. */
fl_status fl_pq_module_seal(const fl_pq_crypt *crypt, fl_str key, fl_pq_module_place place, fl_str plain, fl_text *to,
                            fl_err *err);

/** Whether the tag is that of a footer in plain text. */
fl_status fl_pq_footer_is_signed(const fl_pq_crypt *crypt, fl_str key, fl_str footer, fl_str nonce_and_tag, bool *ret,
                                 fl_err *err);

/** A key of 16, 24 or 32 bytes, as it is or in base64; FL_ERR_TYPE: it is none. And keys, as options say them. */
struct fl_value;
fl_status fl_pq_keys_read(fl_arena *arena, const struct fl_value *value, void *ret_keys, fl_err *err);
#define FL_PQ_OPTION_KEYS "keys of 16, 24 or 32 bytes, as {'footer_key': '…', 'column_keys': {'a': '…'}}"

/** The key of a column's path, or of the nearest group around it; NULL where there is none. */
const fl_pq_column_key *fl_pq_key_of(const fl_pq_keys *keys, fl_str path);

#endif
