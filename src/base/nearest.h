/* Nearest names: "did you mean" for a misspelt keyword, column, table, function or file.
 *
 * Offer every candidate to a small list that keeps the best few; distance is optimal string alignment (insert, delete,
 * replace, swap of neighbours), letters' case ignored. A name too far off is not kept, so a hint is never a wild guess.
 * Allocates nothing; one thread at a time.
 *
 *     fl_nearest near;
 *     fl_nearest_init(&near, wanted);
 *     for (int64_t i = 0; i < cols; i++)
 *         fl_nearest_offer(&near, name[i]);
 *     fl_nearest_hint(&near, err); */
#ifndef FL_BASE_NEAREST_H
#define FL_BASE_NEAREST_H

#include "base/status.h"
#include "base/str.h"

#define FL_NEAREST_MAX 4        /* names kept: one best guess and three more */
#define FL_NEAREST_BYTES_MAX 64 /* longer names are compared whole or not at all */

typedef struct fl_nearest {
    fl_str wanted;
    fl_str name[FL_NEAREST_MAX]; /* borrowed from the caller, best first */
    int32_t distance[FL_NEAREST_MAX];
    int32_t count;
} fl_nearest;

/** Edits between two names, or `limit` + 1 when there are more than `limit`. Cost: O(a.len × b.len). */
int32_t fl_nearest_distance(fl_str a, fl_str b, int32_t limit);

/** Begins with no candidate. `wanted` is borrowed until the hint is given. */
void fl_nearest_init(fl_nearest *nearest, fl_str wanted);

/** Keeps `name` if it is near enough and among the best; ties keep the order of offering. A name that is kept already
 *  is not kept twice. Borrows `name`. */
void fl_nearest_offer(fl_nearest *nearest, fl_str name);

/** Writes `did you mean "best"?`, with the others behind it, as the error's hint; does nothing when no name is near. */
void fl_nearest_hint(const fl_nearest *nearest, fl_err *err);

#endif
