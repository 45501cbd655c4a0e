/* SHA-256 of a function's code. OpenSSL's libcrypto is loaded at the first use: a program that has no functions does not pay for it. */
#ifndef FL_UDF_DIGEST_H
#define FL_UDF_DIGEST_H

#include "base/status.h"
#include "base/str.h"

#define FL_DIGEST_SHA256_BYTES 32

/** FL_ERR_CONFIG when there is no libcrypto. Thread-safe. */
fl_status fl_digest_sha256(fl_str bytes, uint8_t ret[FL_DIGEST_SHA256_BYTES], fl_err *err);

#endif
