/* How often values of several columns meet: a grid of values, with each column's share of rows in each cell.
 *
 * A cell is a value that is common in some column, or a range between bounds of their histograms; where values are no numbers, there
 * is one range of all that are not common. In a cell the values of a column are equally frequent, and those of the column that has fewer
 * are among the others'. So rows of any of the columns that have the same value are counted cell by cell: keys whose
 * frequent values are the same ones meet often, and those that have few values in common meet seldom (after Selinger et al. 1979 within
 * a cell; Ioannidis & Christodoulakis 1993, "Optimal histograms for limiting worst-case error propagation", on joining them). */
#ifndef FL_PLAN_VALUE_GRID_H
#define FL_PLAN_VALUE_GRID_H

#include "base/arena.h"
#include "plan/table.h"

typedef struct fl_grid_column {
    const fl_col_stats *stats;
    double rows; /* of its table */
} fl_grid_column;

typedef struct fl_grid_cell {
    double each; /* the share of one of the values, of the rows of the column's table */
    double distinct;
} fl_grid_cell;

typedef struct fl_value_grid {
    int32_t n_columns;
    int32_t n_cells;
    fl_grid_cell *cells; /* [n_columns][n_cells] */
} fl_value_grid;

/** Makes the grid of columns of one type; in arena memory. FL_ERR_MEMORY. */
fl_status fl_value_grid_make(fl_arena *arena, fl_type type, const fl_grid_column *columns, int32_t n,
                             fl_value_grid *ret, fl_err *err);

/** What part of all combinations of rows of the columns in list[0 .. n) has one value in all of them. Of one column: that is not
 *  null. Cost: cells times n. */
double fl_value_grid_share(const fl_value_grid *grid, const int32_t *list, int32_t n);

#endif
