/* libcrypto's SHA256. */
#include "udf/digest.h"

#include "base/libcrypto.h"

#include <pthread.h>

typedef unsigned char *(*sha256_call)(const unsigned char *bytes, size_t n, unsigned char *ret); /* SHA256(3) */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sha256_call sha256;

static void load(void)
{
    void *symbol = fl_libcrypto_find("SHA256");
    memcpy(&sha256, &symbol, sizeof(sha256));
}

fl_status fl_digest_sha256(fl_str bytes, uint8_t ret[FL_DIGEST_SHA256_BYTES], fl_err *err)
{
    pthread_once(&once, load);
    if (sha256 == NULL)
        return fl_libcrypto_fail("functions of users", err);
    sha256((const unsigned char *)bytes.data, (size_t)bytes.len, ret);
    return FL_OK;
}
