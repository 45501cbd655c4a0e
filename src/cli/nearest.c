/* Distances between names (Damerau and Levenshtein). */
#include "cli/nearest.h"

#include <string.h>

#define NAME_BYTES_MAX 32

/* Letters to insert, drop, replace or swap; more than a few for names that are too long to be one of ours. */
static int distance_of(const char *a, const char *b)
{
    int rows[3][NAME_BYTES_MAX + 1], *above2 = rows[0], *above = rows[1], *now = rows[2];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > NAME_BYTES_MAX || b_len > NAME_BYTES_MAX)
        return NAME_BYTES_MAX;
    for (size_t j = 0; j <= b_len; j++)
        above[j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        now[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            int moved = (above[j] < now[j - 1] ? above[j] : now[j - 1]) + 1;
            now[j] = replaced < moved ? replaced : moved;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < now[j])
                now[j] = above2[j - 2] + 1;
        }
        int *spare = above2;
        above2 = above;
        above = now;
        now = spare;
    }
    return above[b_len];
}

void fl_cli_nearest_offer(const char *wanted, const char *name, const char **best)
{
    int limit = strlen(wanted) < 6 ? 1 : 2, distance = distance_of(wanted, name);
    if (distance <= limit && (*best == NULL || distance < distance_of(wanted, *best)))
        *best = name;
}
