/* copy: writes its input's rows to a file, or to the files of a folder, and puts out one row: how many they were.
 *
 * The rows keep their order. How they become bytes is a writer's business (plan/writer.h), which is found by its name. */
#ifndef FL_OP_COPY_NODE_H
#define FL_OP_COPY_NODE_H

#include "plan/node.h"
#include "plan/table.h"

typedef struct fl_copy_attrs {
    fl_str path;             /* of the file, or of the folder: */
    bool is_folder;          /* files of their own for */
    fl_str format;           /* the writer's name */
    const fl_value *options; /* the writer's, as fields of a struct; NULL: none */
    int32_t n_from;
    const fl_col_id *from;  /* what is written, */
    const fl_value *names;  /* under these names: a list of texts */
    int32_t n_parts;        /* each combination of values of these has a folder in the folder: */
    const fl_col_id *parts; /* part=value */
    const fl_value *part_names;
    bool may_overwrite; /* the folder may hold files already */
    bool is_by_worker;  /* each worker writes a file */
    int64_t file_bytes; /* a file ends behind so many; negative: at no size */
    fl_col_id count;    /* made */
} fl_copy_attrs;

extern const fl_op_desc fl_op_copy;

/** Makes the column `count`, whatever the attributes say of it. */
fl_status fl_copy_build(fl_plan *plan, const fl_node *input, const fl_copy_attrs *attrs, fl_col_id *ret_count,
                        const fl_node **ret, fl_err *err);

/** The options of a value of fl_copy_attrs.options as a writer takes them, in the arena. */
fl_status fl_copy_options(fl_arena *arena, const fl_value *options, fl_option **ret, int32_t *ret_n, fl_err *err);

static inline const fl_copy_attrs *fl_copy_of(const fl_node *node)
{
    return node->attrs;
}

#endif
