/* OpenSSL's libcrypto, loaded at the first use: a program that needs none of it does not pay for it. */
#ifndef FL_BASE_LIBCRYPTO_H
#define FL_BASE_LIBCRYPTO_H

#include "base/status.h"

/** A function of libcrypto by its name, for memcpy into a pointer to functions (ISO C has no cast for it). NULL: it has none, or there is no
 *  libcrypto. It stays loaded. Thread-safe. */
void *fl_libcrypto_find(const char *name);

/** FL_ERR_CONFIG: there is no libcrypto, or it lacks what is called; `who` needs it: "functions of users". */
fl_status fl_libcrypto_fail(const char *who, fl_err *err);

#endif
