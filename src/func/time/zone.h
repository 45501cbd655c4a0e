/* Zones that functions are called with, usually as a constant. */
#ifndef FL_FUNC_TIME_ZONE_H
#define FL_FUNC_TIME_ZONE_H

#include "base/zone.h"
#include "plan/func.h"

/** For a function's prepare: *ret is the zone of a constant's name; NULL where it is none, which is told when a row asks for it, or no
 *  constant (NULL). */
fl_status fl_zone_prepare(fl_arena *arena, const fl_value *name, void **ret, fl_err *err);

#endif
