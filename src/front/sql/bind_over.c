/* Functions over windows that no text has: what the binder numbers rows with. */
#include "front/sql/bind.h"

#include "op/window/node.h"

fl_status fl_sql_make_over(binder *b, const fl_agg_desc *desc, fl_agg *ret)
{
    static const fl_frame all = {
        .unit = FL_FRAME_ROWS, .start = FL_FRAME_UNBOUNDED_PRECEDING, .end = FL_FRAME_UNBOUNDED_FOLLOWING};
    static const fl_frame none = {
        .unit = FL_FRAME_RANGE, .start = FL_FRAME_UNBOUNDED_PRECEDING, .end = FL_FRAME_CURRENT_ROW};
    fl_status st = fl_agg_make_of(b->plan, desc, NULL, 0, false, NULL, NULL, 0, -1, ret, b->err);
    if (st == FL_OK)
        ret->frame = fl_window_has_frame(desc) ? &all : &none;
    return st;
}

fl_status fl_sql_number_rows(binder *b, const fl_node *input, fl_col_id *ret_number, const fl_node **ret)
{
    fl_status st = FL_OK;
    fl_agg number;
    FL_TRY(fl_sql_make_over(b, fl_window_find(FL_STR("row_number")), &number));
    fl_window_attrs attrs = {.n_functions = 1, .functions = &number, .limit = -1};
    FL_TRY(fl_window_build(b->plan, input, &attrs, ret, b->err));
    *ret_number = number.out;
cleanup:
    return st;
}
