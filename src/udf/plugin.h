/* Plugins: shared libraries that are loaded when something first needs them, from the folder that was set, from beside this library or
 * program, or from where it is installed. They stay loaded. */
#ifndef FL_UDF_PLUGIN_H
#define FL_UDF_PLUGIN_H

#include "base/status.h"
#include "base/str.h"

/** Looks for plugins in this folder first (empty: not). Before any is loaded; copied. */
void fl_plugin_set_folder(fl_str folder);

/** Loads a plugin ("fletch_wasm") and looks up its symbol; each is loaded once. FL_ERR_CONFIG says where it was looked for. Any thread. */
fl_status fl_plugin_open(const char *name, const char *symbol, void **ret, fl_err *err);

#endif
