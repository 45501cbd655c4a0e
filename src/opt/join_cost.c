/* Weights as measured over TPC-H: a row that is built costs twice one that is put out, one that probes a third of it. */
#include "opt/join_cost.h"

#define BUILD 2.0
#define PROBE 0.3
#define BYTE (1.0 / 1024) /* of a row that is copied: into the table, or put out */

double fl_join_cost(fl_join_side left, fl_join_side right, double rows, bool builds_right)
{
    bool swaps = !builds_right && fl_join_builds_left(left, right);
    fl_join_side build = swaps ? left : right, probe = swaps ? right : left;
    double put_out = 1 + BYTE * (build.width + probe.width), built = BUILD + BYTE * build.width;
    return put_out * rows + built * build.rows + PROBE * probe.rows;
}
