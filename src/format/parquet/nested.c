/* Lists and structs: levels and dense values of leaf columns, put together as trees of vectors. */
#include "format/parquet/nested.h"

void fl_pq_levels_drop(fl_pq_levels *levels)
{
    fl_free(levels->def);
    fl_free(levels->rep);
    fl_free(levels->values);
    *levels = (fl_pq_levels){0};
}

fl_status fl_pq_nested_read(fl_pq_reader *readers, const fl_pq_node *node, int64_t row, int64_t rows, fl_arena *arena,
                            fl_pq_levels *levels, fl_vec *ret, fl_err *err)
{
    (void)node, (void)row, (void)rows, (void)arena, (void)levels, (void)ret;
    return FL_FAIL(err, FL_ERR_UNSUPPORTED, "column \"%.*s\" is nested", FL_STR_ARG(readers->leaf->path));
}
