/* Which of several names was meant: the program sees none of the library's own helpers. */
#ifndef FL_CLI_NEAREST_H
#define FL_CLI_NEAREST_H

/** Keeps `name` as the best guess for `wanted` where it is near, and nearer than *best (NULL: none yet). */
void fl_cli_nearest_offer(const char *wanted, const char *name, const char **best);

#endif
