/* The walls around a worker: what it may not do is refused by the kernel. */
#ifndef FL_PLUGIN_PYTHON_SANDBOX_H
#define FL_PLUGIN_PYTHON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/** Confines this process, which has one thread, for good. `module_path`: folders between colons that it may read beside Python's own.
 *  False, and what is missing in `message`: the kernel has not all of it; what there is holds. */
bool fl_python_confine(const char *module_path, char *message, size_t bytes);

#endif
