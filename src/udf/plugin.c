/* dlopen by a path that is known, never by a name that the environment may lead elsewhere. */
#include "udf/plugin.h"

#include "base/system.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#define PATH_BYTES_MAX 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char set_folder[PATH_BYTES_MAX];

void fl_plugin_set_folder(fl_str folder)
{
    pthread_mutex_lock(&lock);
    snprintf(set_folder, sizeof(set_folder), "%.*s", (int)folder.len, folder.data == NULL ? "" : folder.data);
    pthread_mutex_unlock(&lock);
}

/* The folder of the library or program that this code is part of. */
static void own_folder(char ret[PATH_BYTES_MAX])
{
    Dl_info info;
    char path[PATH_BYTES_MAX];
    ret[0] = 0;
    if (dladdr((const void *)set_folder, &info) == 0 || info.dli_fname == NULL)
        return;
    bool is_program = strchr(info.dli_fname, '/') == NULL; /* found by way of $PATH */
    int64_t n = is_program ? fl_system_read_link(NULL, "/proc/self/exe", path, sizeof(path) - 1) : -1;
    if (n > 0)
        path[n] = 0;
    snprintf(ret, PATH_BYTES_MAX, "%s", n > 0 ? path : info.dli_fname);
    char *slash = strrchr(ret, '/');
    if (slash != NULL)
        *slash = 0;
}

static void *try_open(const char *folder, const char *below, const char *name, char *path)
{
    if (folder[0] == 0)
        return NULL;
    int n = snprintf(path, PATH_BYTES_MAX, "%s/%s%s.so", folder, below, name);
    fl_file_info info;
    if (n >= PATH_BYTES_MAX || fl_system_look(NULL, path, true, &info) != 0)
        return NULL;
    return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

fl_status fl_plugin_open(const char *name, const char *symbol, void **ret, fl_err *err)
{
    static const char *const below[] = {"", "fletch/", "../lib/fletch/", "../lib/x86_64-linux-gnu/fletch/",
                                        "../lib/aarch64-linux-gnu/fletch/"};
    char folder[PATH_BYTES_MAX], path[PATH_BYTES_MAX] = "";
    fl_status st = FL_OK;
    pthread_mutex_lock(&lock);
    own_folder(folder);
    void *library = try_open(set_folder, "", name, path);
    for (int64_t i = 0; i < FL_LEN(below) && library == NULL; i++)
        library = try_open(folder, below[i], name, path);
    *ret = library != NULL ? dlsym(library, symbol) : NULL;
    if (*ret == NULL) {
        const char *why = dlerror();
        st = FL_FAIL(err, FL_ERR_CONFIG, "the plugin %s.so is not in \"%s\"%s%s", name,
                     set_folder[0] != 0 ? set_folder : folder, why != NULL ? ": " : "", why != NULL ? why : "");
        fl_err_hint(err, "it lies beside the library or program, or in the folder of --plugin-dir");
    }
    pthread_mutex_unlock(&lock);
    return st;
}
