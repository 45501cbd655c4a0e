/* By dlopen, under the names that Debian and others give it. */
#include "base/libcrypto.h"

#include "base/str.h"

#include <dlfcn.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *library;

static void load(void)
{
    static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"};
    for (int64_t i = 0; i < FL_LEN(names) && library == NULL; i++)
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
}

void *fl_libcrypto_find(const char *name)
{
    pthread_once(&once, load);
    return library != NULL ? dlsym(library, name) : NULL;
}

fl_status fl_libcrypto_fail(const char *who, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_CONFIG, "OpenSSL's libcrypto is not there, which %s need", who);
    fl_err_hint(err, "install it: apt install libssl3");
    return st;
}
