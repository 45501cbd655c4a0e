/* Dictionaries on their way into a file, and their Bloom filters. */
#ifndef FL_FORMAT_PARQUET_WRITE_DICTIONARY_H
#define FL_FORMAT_PARQUET_WRITE_DICTIONARY_H

#include "base/arena.h"
#include "format/parquet/write_values.h"

typedef struct fl_pq_out_dictionary {
    int64_t n;       /* entries, in the order in which they came */
    void *values;    /* as the leaf's values lie */
    uint32_t *codes; /* one for each value */
    int64_t bytes;   /* of the entries as they are stored */
} fl_pq_out_dictionary;

/** Makes a dictionary of the values, unless it and its codes would take `bytes_most` bytes or more: then *ret_is_made is false. */
fl_status fl_pq_dictionary_make(fl_arena *arena, const fl_pq_out_leaf *leaf, const fl_pq_shred *shred,
                                int64_t bytes_most, fl_pq_out_dictionary *ret, bool *ret_is_made, fl_err *err);

/** Adds a split block Bloom filter of the entries, its header included: one look in a hundred for what is not there says yes. */
void fl_pq_bloom_write(fl_text *to, const fl_pq_out_leaf *leaf, const fl_pq_out_dictionary *dictionary);

#endif
