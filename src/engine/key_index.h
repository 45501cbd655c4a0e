/* The values of a table's unique keys, so that rows that come are told from rows that are there.
 *
 * A key's values are the rows of a group table; a row with a null in a key is not looked at (SQL: nulls are distinct).
 * An index belongs to one version of a table and goes on with the next, when the rows that go have been removed and those that come
 * added. One thread at a time: whoever has the turn to change tables. Relies on exec/group_table.h. */
#ifndef FL_ENGINE_KEY_INDEX_H
#define FL_ENGINE_KEY_INDEX_H

#include "base/interrupt.h"
#include "plan/table.h"
#include "store/segment.h"

typedef struct fl_key_index fl_key_index;

/** An index of the table's keys without rows; the table's keys and fields are borrowed only for the call. */
fl_status fl_key_index_new(fl_memory *memory, const fl_table *table, uint64_t seed, fl_key_index **ret, fl_err *err);
void fl_key_index_free(fl_key_index *index); /* NULL does nothing */

/** Adds the rows of segments with the table's columns, but for deleted ones. FL_ERR_CONSTRAINT (23505), with the key and its value, when one is
 *  there already: then the rows are taken back, and the index is what it was. Looks at the interrupt, which may
 *  be NULL, all the time. */
fl_status fl_key_index_add(fl_key_index *index, fl_segment *const *segments, int64_t n_segments,
                           fl_interrupt *interrupt, fl_err *err);

/** The same of the rows that `rows` has a bit for, of one segment. */
fl_status fl_key_index_add_rows(fl_key_index *index, const fl_segment *segment, const uint64_t *rows,
                                fl_interrupt *interrupt, fl_err *err);

/** Adds those of a segment's rows that have no value which is there already in the key with number `key` (negative: in any key), in their
 *  order; *ret_new has room for a bit a row and says which those are. A value that is there in another key is FL_ERR_CONSTRAINT, as above, but
 *  then the index can only be freed. */
fl_status fl_key_index_add_new(fl_key_index *index, const fl_segment *segment, int32_t key, uint64_t *ret_new,
                               fl_interrupt *interrupt, fl_err *err);

/** The number of the key that the last call with FL_ERR_CONSTRAINT was about. */
int32_t fl_key_index_failed(const fl_key_index *index);

/** Forgets rows that are there. */
fl_status fl_key_index_remove_rows(fl_key_index *index, const fl_segment *segment, const uint64_t *rows,
                                   fl_interrupt *interrupt, fl_err *err);

/** Whether it has the rows that calls which succeeded left: where memory or patience ended on the way it has not, and can only be freed. */
bool fl_key_index_is_whole(const fl_key_index *index);

/** Whether most of its memory is of rows that were removed: a new one is better. */
bool fl_key_index_is_worn(const fl_key_index *index);

/** The version of the table whose rows these are. */
uint64_t fl_key_index_version(const fl_key_index *index);
void fl_key_index_set_version(fl_key_index *index, uint64_t version);

#endif
