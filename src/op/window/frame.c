/* window: frames. Each is a stretch of the partition's rows, of which EXCLUDE takes some out of the middle. */
#include "op/window/run.h"

#include <math.h>

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* `at` moved by the offset, between the partition's ends; neither overflows. */
static int64_t before(int64_t at, int64_t offset, int64_t first)
{
    return offset > at - first ? first : at - offset;
}

static int64_t behind(int64_t at, int64_t offset, int64_t end)
{
    return offset > end - at ? end : at + offset;
}

/* ---- ROWS ----------------------------------------------------------------------------------------------------------- */

/* How far from a row its frame begins, or ends: at the partition's end where that is further. */
static int64_t distance(uint8_t bound, int64_t offset, bool is_end, int64_t n)
{
    switch (bound) {
    case FL_FRAME_UNBOUNDED_PRECEDING:
        return -n;
    case FL_FRAME_PRECEDING:
        return is_end - least(offset, n);
    case FL_FRAME_CURRENT_ROW:
        return is_end;
    case FL_FRAME_FOLLOWING:
        return is_end + least(offset, n);
    default:
        return n;
    }
}

window_span fl_window_distances(const window_part *part, int64_t n)
{
    const fl_frame *frame = part->agg->frame;
    return (window_span){distance(frame->start, part->start_offset, false, n),
                         distance(frame->end, part->end_offset, true, n)};
}

static void rows_frames(window_chunk *c, const window_part *part, const window_batch *batch)
{
    window_span to = fl_window_distances(part, c->n);
    for (int32_t i = 0, stop; i < batch->rows; i = stop) {
        int64_t first = window_partition_start(c, i), end = window_partition_end(c, i);
        stop = (int32_t)least(batch->rows, end - batch->first);
        for (int32_t j = i; j < stop; j++) {
            c->start[j] = most(first, least(end, batch->first + j + to.start));
            c->end[j] = most(first, least(end, batch->first + j + to.end));
        }
    }
}

/* ---- GROUPS --------------------------------------------------------------------------------------------------------- */

static int64_t groups_start(const window_chunk *c, const window_part *part, int32_t i)
{
    int64_t p = c->partition[i], first = c->first_peers[p], end = c->first_peers[p + 1], at = c->peer[i];
    switch (part->agg->frame->start) {
    case FL_FRAME_PRECEDING:
        at = before(at, part->start_offset, first);
        break;
    case FL_FRAME_CURRENT_ROW:
        break;
    case FL_FRAME_FOLLOWING:
        at = behind(at, part->start_offset, end);
        break;
    default:
        at = first;
    }
    return c->peers[at]; /* of the group behind the last one: where the partition ends */
}

static int64_t groups_end(const window_chunk *c, const window_part *part, int32_t i)
{
    int64_t p = c->partition[i], first = c->first_peers[p], end = c->first_peers[p + 1], at = c->peer[i];
    switch (part->agg->frame->end) {
    case FL_FRAME_PRECEDING:
        at = part->end_offset > at - first ? first : at - part->end_offset + 1;
        break;
    case FL_FRAME_CURRENT_ROW:
        at++;
        break;
    case FL_FRAME_FOLLOWING:
        at = part->end_offset >= end - at ? end : at + part->end_offset + 1;
        break;
    default:
        at = end;
    }
    return c->peers[at];
}

/* ---- RANGE ---------------------------------------------------------------------------------------------------------- */

static fl_i128 read_whole(fl_type type, const uint8_t *at)
{
    switch (fl_type_width(type)) {
    case 1:
        return *(const int8_t *)at;
    case 2: {
        int16_t v;
        memcpy(&v, at, 2);
        return v;
    }
    case 4: {
        int32_t v;
        memcpy(&v, at, 4);
        return v;
    }
    case 8: {
        int64_t v;
        memcpy(&v, at, 8);
        return v;
    }
    default: {
        fl_i128 v;
        memcpy(&v, at, 16);
        return v;
    }
    }
}

/* As intervals are compared: a month has 30 days. */
static fl_i128 length_of(const uint8_t *at)
{
    fl_interval v;
    memcpy(&v, at, sizeof(v));
    return ((fl_i128)v.months * 30 + v.days) * 86400000000000LL + v.nanos;
}

static int compare_floats(double a, double b)
{
    if (isnan(a) || isnan(b)) /* behind all others, as they are sorted */
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

/* Orders the values of two columns of one type, in two rows. */
static int compare(const fl_row_layout *layout, int32_t col_a, const uint8_t *a, int32_t col_b, const uint8_t *b)
{
    fl_type type = layout->types[col_a];
    const uint8_t *x = a + layout->offsets[col_a], *y = b + layout->offsets[col_b];
    if (type.id == FL_F64) {
        double v, w;
        memcpy(&v, x, 8);
        memcpy(&w, y, 8);
        return compare_floats(v, w);
    }
    bool is_interval = type.id == FL_INTERVAL;
    fl_i128 v = is_interval ? length_of(x) : read_whole(type, x);
    fl_i128 w = is_interval ? length_of(y) : read_whole(type, y);
    return (v > w) - (v < w);
}

/* The partition's rows whose key is not null. */
static window_span keyed_rows(const window_chunk *c, int32_t i)
{
    int64_t p = c->partition[i];
    window_span span = {c->partitions[p], c->partitions[p + 1]};
    int32_t key = c->shape->order_key;
    if (fl_row_is_null(c->shape->layout, c->rows[span.start], key))
        span.start = c->peers[c->first_peers[p] + 1];
    if (span.start < span.end && fl_row_is_null(c->shape->layout, c->rows[span.end - 1], key))
        span.end = c->peers[c->first_peers[p + 1] - 1];
    return span;
}

/* Whether the key at a place comes before the row's bound, or behind it. */
static bool is_before(const window_chunk *c, const window_part *part, int64_t at, int32_t bound, const uint8_t *row)
{
    int order = compare(c->shape->layout, part->exprs[FL_FRAME_KEY], c->rows[at], part->exprs[bound], row);
    return c->shape->is_descending ? order > 0 : order < 0;
}

static bool is_behind(const window_chunk *c, const window_part *part, int64_t at, int32_t bound, const uint8_t *row)
{
    int order = compare(c->shape->layout, part->exprs[FL_FRAME_KEY], c->rows[at], part->exprs[bound], row);
    return c->shape->is_descending ? order < 0 : order > 0;
}

/* Bounds grow with the rows: each is looked for from the one before it on. */
static int64_t range_start(const window_chunk *c, const window_part *part, window_part_state *s, window_span keyed,
                           int64_t row)
{
    int64_t at = least(most(s->low, keyed.start), keyed.end);
    while (at > keyed.start && !is_before(c, part, at - 1, FL_FRAME_LOW, c->rows[row]))
        at--;
    while (at < keyed.end && is_before(c, part, at, FL_FRAME_LOW, c->rows[row]))
        at++;
    s->low = at;
    return at;
}

static int64_t range_end(const window_chunk *c, const window_part *part, window_part_state *s, window_span keyed,
                         int64_t row)
{
    int64_t at = least(most(s->high, keyed.start), keyed.end);
    while (at > keyed.start && is_behind(c, part, at - 1, FL_FRAME_HIGH, c->rows[row]))
        at--;
    while (at < keyed.end && !is_behind(c, part, at, FL_FRAME_HIGH, c->rows[row]))
        at++;
    s->high = at;
    return at;
}

/* Where to look for the first bounds: a stretch may begin far behind its partition's start. */
static void find_bounds(const window_chunk *c, const window_part *part, window_part_state *s, window_span keyed,
                        int64_t row)
{
    window_span low = keyed, high = keyed;
    while (part->exprs[FL_FRAME_LOW] >= 0 && low.start < low.end) {
        int64_t middle = low.start + (low.end - low.start) / 2;
        bool is = is_before(c, part, middle, FL_FRAME_LOW, c->rows[row]);
        low = is ? (window_span){middle + 1, low.end} : (window_span){low.start, middle};
    }
    while (part->exprs[FL_FRAME_HIGH] >= 0 && high.start < high.end) {
        int64_t middle = high.start + (high.end - high.start) / 2;
        bool is = !is_behind(c, part, middle, FL_FRAME_HIGH, c->rows[row]);
        high = is ? (window_span){middle + 1, high.end} : (window_span){high.start, middle};
    }
    s->low = low.start;
    s->high = high.start;
}

static void range_frames(window_chunk *c, int32_t number, const window_batch *batch)
{
    const window_part *part = &c->shape->parts[number];
    const fl_frame *frame = part->agg->frame;
    window_part_state *s = &c->parts[number];
    bool by_low = part->exprs[FL_FRAME_LOW] >= 0, by_high = part->exprs[FL_FRAME_HIGH] >= 0;
    for (int32_t i = 0; i < batch->rows; i++) {
        int64_t row = batch->first + i;
        window_span peers = {c->peers[c->peer[i]], c->peers[c->peer[i] + 1]}, keyed = {0};
        bool has_key = by_low || by_high;
        if (has_key) {
            keyed = keyed_rows(c, i);
            has_key = row >= keyed.start && row < keyed.end; /* those without one are peers, and no others are near */
            if (has_key && s->partition != c->partition[i]) {
                find_bounds(c, part, s, keyed, row);
                s->partition = c->partition[i];
            }
        }
        c->start[i] = frame->start == FL_FRAME_UNBOUNDED_PRECEDING ? window_partition_start(c, i)
                      : by_low && has_key                          ? range_start(c, part, s, keyed, row)
                                                                   : peers.start;
        c->end[i] = frame->end == FL_FRAME_UNBOUNDED_FOLLOWING ? window_partition_end(c, i)
                    : by_high && has_key                       ? range_end(c, part, s, keyed, row)
                                                               : peers.end;
    }
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

void fl_window_place_rows(window_chunk *c, const window_batch *batch, int64_t *partition, int64_t *peer)
{
    int64_t p = *partition, q = *peer;
    FL_ASSERT(c->partitions[p] <= batch->first && c->peers[q] <= batch->first);
    for (int32_t i = 0, stop; i < batch->rows; i = stop) {
        while (c->partitions[p + 1] <= batch->first + i)
            p++;
        stop = (int32_t)least(batch->rows, c->partitions[p + 1] - batch->first);
        for (int32_t j = i; j < stop; j++)
            c->partition[j] = p;
    }
    for (int32_t i = 0; i < batch->rows && c->peers != c->partitions; i++) {
        q += batch->first + i >= c->peers[q + 1];
        c->peer[i] = q;
    }
    if (c->peers == c->partitions)
        memcpy(c->peer, c->partition, (size_t)batch->rows * sizeof(*c->peer));
    *partition = p;
    *peer = c->peers == c->partitions ? p : q;
}

void fl_window_frames(window_chunk *c, int32_t number, const window_batch *batch)
{
    const window_part *part = &c->shape->parts[number];
    switch ((fl_frame_unit)part->agg->frame->unit) {
    case FL_FRAME_ROWS:
        rows_frames(c, part, batch);
        return;
    case FL_FRAME_GROUPS:
        for (int32_t i = 0; i < batch->rows; i++) {
            c->start[i] = groups_start(c, part, i);
            c->end[i] = groups_end(c, part, i);
        }
        return;
    case FL_FRAME_RANGE:
        range_frames(c, number, batch);
        return;
    }
}

static void add_span(window_span *spans, int32_t *n, int64_t start, int64_t end)
{
    if (start < end)
        spans[(*n)++] = (window_span){start, end};
}

int32_t fl_window_spans(const window_chunk *c, const window_part *part, const window_batch *batch, int32_t i,
                        window_span ret[3])
{
    int64_t start = c->start[i], end = c->end[i], row = batch->first + i;
    window_span hole = {c->peers[c->peer[i]], c->peers[c->peer[i] + 1]};
    uint8_t exclude = part->agg->frame->exclude;
    int32_t n = 0;
    if (exclude == FL_EXCLUDE_NO_OTHERS) {
        add_span(ret, &n, start, end);
        return n;
    }
    if (exclude == FL_EXCLUDE_CURRENT_ROW)
        hole = (window_span){row, row + 1};
    add_span(ret, &n, start, least(end, hole.start));
    if (exclude == FL_EXCLUDE_TIES && row >= start && row < end)
        add_span(ret, &n, row, row + 1);
    add_span(ret, &n, most(start, hole.end), end);
    return n;
}
