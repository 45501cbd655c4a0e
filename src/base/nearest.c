/* Edit distance over three rows of the usual table, and a list of the best few. */
#include "base/nearest.h"

#include <stdio.h>

static int32_t min_of(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

int32_t fl_nearest_distance(fl_str a, fl_str b, int32_t limit)
{
    int64_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (gap > limit || a.len > FL_NEAREST_BYTES_MAX || b.len > FL_NEAREST_BYTES_MAX)
        return limit + 1;

    int32_t rows[3][FL_NEAREST_BYTES_MAX + 1];
    int32_t *above2 = rows[0], *above = rows[1], *now = rows[2];
    for (int64_t j = 0; j <= b.len; j++)
        above[j] = (int32_t)j;
    for (int64_t i = 1; i <= a.len; i++) {
        char ca = fl_char_lower(a.data[i - 1]);
        int32_t best = now[0] = (int32_t)i;
        for (int64_t j = 1; j <= b.len; j++) {
            char cb = fl_char_lower(b.data[j - 1]);
            int32_t edits = min_of(above[j - 1] + (ca != cb), min_of(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && ca == fl_char_lower(b.data[j - 2]) && fl_char_lower(a.data[i - 2]) == cb)
                edits = min_of(edits, above2[j - 2] + 1);
            now[j] = edits;
            best = min_of(best, edits);
        }
        if (best > limit)
            return limit + 1;
        int32_t *spare = above2;
        above2 = above;
        above = now;
        now = spare;
    }
    return above[b.len] > limit ? limit + 1 : above[b.len];
}

void fl_nearest_init(fl_nearest *nearest, fl_str wanted)
{
    *nearest = (fl_nearest){.wanted = wanted};
}

/* A third of the letters may be wrong, at least one, at most three. */
static int32_t distance_limit(fl_str wanted)
{
    int64_t third = wanted.len / 3;
    return third < 1 ? 1 : third > 3 ? 3 : (int32_t)third;
}

/* `name` for `customer_name` and the like: one holds the other whole. Ranks behind every misspelling. */
static bool is_part(fl_str small, fl_str large)
{
    if (small.len < 3 || small.len >= large.len)
        return false;
    for (int64_t at = 0; at + small.len <= large.len; at++)
        if (fl_str_is_equal_nocase(small, (fl_str){large.data + at, small.len}))
            return true;
    return false;
}

void fl_nearest_offer(fl_nearest *nearest, fl_str name)
{
    int32_t limit = distance_limit(nearest->wanted);
    int32_t distance = fl_nearest_distance(nearest->wanted, name, limit);
    if (distance > limit) {
        if (!is_part(nearest->wanted, name) && !is_part(name, nearest->wanted))
            return;
        distance = FL_NEAREST_BYTES_MAX;
    } else if (distance == nearest->wanted.len) {
        return; /* nothing of what was written is left: "b" is no guess for "a" */
    }
    for (int32_t i = 0; i < nearest->count; i++)
        if (fl_str_is_equal_nocase(nearest->name[i], name))
            return;
    int32_t at = nearest->count;
    while (at > 0 && nearest->distance[at - 1] > distance)
        at--;
    if (at == FL_NEAREST_MAX)
        return;
    if (nearest->count < FL_NEAREST_MAX)
        nearest->count++;
    for (int32_t i = nearest->count - 1; i > at; i--) {
        nearest->name[i] = nearest->name[i - 1];
        nearest->distance[i] = nearest->distance[i - 1];
    }
    nearest->name[at] = name;
    nearest->distance[at] = distance;
}

void fl_nearest_hint(const fl_nearest *nearest, fl_err *err)
{
    if (nearest->count == 0)
        return;
    char others[FL_NEAREST_MAX * (FL_NEAREST_BYTES_MAX + 4)] = "";
    size_t used = 0;
    for (int32_t i = 1; i < nearest->count && used < sizeof(others); i++) {
        int added = snprintf(others + used, sizeof(others) - used, "%s\"%.*s\"", i == 1 ? " (near, too: " : ", ",
                             FL_STR_ARG(nearest->name[i]));
        used += added > 0 ? (size_t)added : 0;
    }
    fl_err_hint(err, "did you mean \"%.*s\"?%s%s", FL_STR_ARG(nearest->name[0]), others, nearest->count > 1 ? ")" : "");
}
