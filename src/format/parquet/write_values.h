/* The values of a leaf of the schema on their way into a file: dense, without nulls, in the form in which they are stored; and the levels
 * that say where nulls and lists are. */
#ifndef FL_FORMAT_PARQUET_WRITE_VALUES_H
#define FL_FORMAT_PARQUET_WRITE_VALUES_H

#include "arrow/vec.h"

/* How values lie in memory. */
typedef enum fl_pq_lay {
    FL_PQ_LAY_1,     /* booleans: a byte each */
    FL_PQ_LAY_4,     /* uint32_t */
    FL_PQ_LAY_8,     /* uint64_t */
    FL_PQ_LAY_BYTES, /* fl_str, of a fixed length or any */
} fl_pq_lay;

/* What order their bounds are in. */
typedef enum fl_pq_rank {
    FL_PQ_RANK_NONE,
    FL_PQ_RANK_SIGNED,
    FL_PQ_RANK_UNSIGNED,
    FL_PQ_RANK_FLOAT,
    FL_PQ_RANK_BYTES,      /* unsigned bytes */
    FL_PQ_RANK_BIG_ENDIAN, /* signed, of a fixed length */
} fl_pq_rank;

/* A step from a column to a leaf below it. */
typedef struct fl_pq_step {
    bool is_list;     /* its elements; else: */
    bool is_required; /* it is never null: it has no definition level of its own */
    int32_t field;
} fl_pq_step;

typedef struct fl_pq_out_leaf {
    int32_t column; /* of the rows */
    fl_pq_step *steps;
    int32_t n_steps;
    fl_str *path; /* names in the schema, from the column on */
    int32_t n_path;
    fl_type type;
    int32_t physical; /* fl_pq_physical */
    int32_t type_length;
    uint8_t lay, rank;
    bool is_required;
    int32_t def_max, rep_max;
} fl_pq_out_leaf;

typedef struct fl_pq_shred {
    int64_t n_levels;
    uint8_t *def; /* NULL: all are def_max, and rep is 0 */
    uint8_t *rep; /* NULL: all are 0 */
    int64_t n_values;
    void *values;
    int64_t bytes; /* of all strings */
} fl_pq_shred;

/** The leaf's part of all rows of the batches, in the arena; strings point into the batches. FL_ERR_RANGE for values that the format
 *  cannot hold. */
fl_status fl_pq_shred_make(fl_arena *arena, const fl_pq_out_leaf *leaf, const fl_batch *batches, int32_t n,
                           fl_pq_shred *ret, fl_err *err);

static inline int32_t fl_pq_lay_bytes(uint8_t lay)
{
    return lay == FL_PQ_LAY_1 ? 1 : lay == FL_PQ_LAY_4 ? 4 : lay == FL_PQ_LAY_8 ? 8 : (int32_t)sizeof(fl_str);
}

#endif
