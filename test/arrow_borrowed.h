/* Arrow structs whose memory is the test's: releasing them gives nothing back and marks them released, as the C Data interface
 * asks. */
#ifndef FLETCH_TEST_ARROW_BORROWED_H
#define FLETCH_TEST_ARROW_BORROWED_H

#include <fletch/arrow.h>
#include <stddef.h>

static inline void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
}

static inline void release_array(struct ArrowArray *array)
{
    array->release = NULL;
}

static inline void release_stream(struct ArrowArrayStream *self)
{
    self->release = NULL;
}

#endif
