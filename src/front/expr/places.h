/* Where the parts of a request stand: positions of syntax nodes, told as JSON pointers.
 *
 * The binder knows positions in one text. A request is many values; each that may be wrong gets a position of its own, and an infix text as
 * many as it has bytes. What is said of a position is then said of the value: "at /filter/age/$gt: …". */
#ifndef FL_FRONT_EXPR_PLACES_H
#define FL_FRONT_EXPR_PLACES_H

#include "base/arena.h"

#define FL_NO_PLACE (-1)

typedef struct fl_place {
    int32_t base;   /* its first position */
    int32_t parent; /* number of the place around it; FL_NO_PLACE: the root */
    fl_str key;     /* of an object; NULL data: of an array */
    int32_t index;
    fl_str text; /* infix: its bytes are positions */
} fl_place;

typedef struct fl_places {
    fl_place *items;
    int64_t capacity;
    int32_t n;
    int32_t end; /* the next free position */
} fl_places;

void fl_places_drop(fl_places *places);

/** Adds a place; ret its number. Texts are borrowed. FL_ERR_LIMIT beyond 2^30 positions. */
fl_status fl_places_add(fl_places *places, fl_memory *memory, fl_place place, int32_t *ret, fl_err *err);

/** Words an error that has a position by the place which that belongs to: its message begins with "at <pointer>", of an infix text it
 *  shows the line. The error's position is one in that text afterwards, or none. */
void fl_places_locate(const fl_places *places, fl_err *err);

#endif
