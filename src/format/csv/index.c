/* The index's memory, the choice of kernels, and the slow pass for dialects that are read in order. */
#include "format/csv/index.h"

#include "base/simd.h"

#define PIECE_BYTES (16 << 10) /* so that the arrays grow with what is found, not with what could be */

extern const fl_csv_kernels fl_csv_kernels_baseline, fl_csv_kernels_avx2, fl_csv_kernels_avx512;

const fl_csv_kernels *fl_csv_kernels_choose(void)
{
    return FL_SIMD_CHOOSE(fl_csv_kernels);
}

void fl_csv_index_begin(fl_csv_index *index)
{
    index->count = index->lines = 0;
    index->state = (fl_csv_state){.can_open = 1, .position = FL_CSV_AT_START};
}

void fl_csv_index_drop(fl_csv_index *index)
{
    fl_free(index->at);
    fl_free(index->ends);
    *index = (fl_csv_index){0};
}

/* Whether a delimiter that begins at `from` or later ends with byte i. */
static bool ends_delim(const fl_csv_dialect *d, const char *data, int64_t from, int64_t i)
{
    int64_t begin = i + 1 - d->delim_len;
    return begin >= from && memcmp(data + begin, d->delim, d->delim_len) == 0;
}

/* The same tests as the fast pass's. A line of comment is a line of one field, which its reader leaves out. */
static void index_in_order(const fl_csv_dialect *d, const char *data, int64_t from, int64_t to, fl_csv_index *index)
{
    fl_csv_state *s = &index->state;
    fl_csv_position at = s->position;
    for (int64_t i = from; i < to; i++) {
        char c = data[i];
        bool was_inside = at.is_inside;
        s->flags |= c == 0 ? FL_CSV_FAULT_NUL : (c & 0x80) != 0 ? FL_CSV_HAS_HIGH : 0;
        fl_csv_step(d, &at, c);
        if (was_inside) {
            s->was_close = !at.is_inside;
            s->close_at = i;
            s->can_open = 0;
            continue;
        }
        if (at.is_comment)
            continue;
        bool is_border = c == d->newline || ends_delim(d, data, s->delim_from, i);
        if (c == ' ' && d->trims && !is_border) { /* may stand before a quote and behind one */
            s->close_at = i;
            continue;
        }
        int64_t behind = i - s->close_at - 1;
        if (s->was_close != 0 && !is_border && behind < d->delim_len - 1 && c == d->delim[behind])
            continue; /* a delimiter begins */
        if (s->was_close != 0 && !is_border && c != '\r' && !at.is_inside)
            s->flags |= FL_CSV_FAULT_QUOTE;
        if (at.is_inside && s->can_open == 0 && (s->was_close == 0 || fl_csv_has_escape(d)))
            s->flags |= FL_CSV_FAULT_QUOTE;
        s->was_close = 0;
        if (is_border) {
            if (c == d->newline)
                index->ends[index->lines++] = (uint32_t)index->count;
            index->at[index->count++] = (uint32_t)i;
            s->delim_from = i + 1;
        }
        s->can_open = is_border;
    }
    s->position = at;
    s->inside = at.is_inside ? ~0ull : 0;
}

static fl_status reserve(fl_csv_index *index, fl_memory *memory, int64_t more, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(fl_grow(memory, (void **)&index->at, &index->capacity, index->count + more, 4, err));
    FL_TRY(fl_grow(memory, (void **)&index->ends, &index->lines_capacity, index->lines + more, 4, err));
cleanup:
    return st;
}

fl_status fl_csv_index_add(fl_csv_index *index, fl_memory *memory, const fl_csv_dialect *dialect, const char *data,
                           int64_t from, int64_t to, fl_err *err)
{
    const fl_csv_kernels *kernels = fl_csv_kernels_choose();
    fl_csv_marks marks = {dialect->delim[0], dialect->quote, dialect->newline};
    while (from < to) {
        int64_t end = to - from > PIECE_BYTES ? from + PIECE_BYTES : to;
        fl_status st = reserve(index, memory, end - from, err);
        if (st != FL_OK)
            return st;
        if (fl_csv_is_in_order(dialect))
            index_in_order(dialect, data, from, end, index);
        else
            kernels->index(data, from, end, marks, &index->state, index->at, &index->count, index->ends, &index->lines);
        from = end;
    }
    return FL_OK;
}

fl_status fl_csv_index_end(fl_csv_index *index, fl_memory *memory, int64_t to, fl_err *err)
{
    fl_status st = reserve(index, memory, 1, err);
    if (st != FL_OK)
        return st;
    index->ends[index->lines++] = (uint32_t)index->count;
    index->at[index->count++] = (uint32_t)to;
    return FL_OK;
}

void fl_csv_pass(const fl_csv_dialect *dialect, const char *data, int64_t bytes, fl_csv_position *at)
{
    if (!fl_csv_is_in_order(dialect)) {
        if (dialect->quote != 0)
            at->is_inside ^= fl_csv_kernels_choose()->count(data, bytes, dialect->quote) & 1;
        return;
    }
    for (int64_t i = 0; i < bytes; i++)
        fl_csv_step(dialect, at, data[i]);
}
