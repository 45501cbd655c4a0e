/* Ed25519 signatures (RFC 8032) by OpenSSL's libcrypto: keys are PEM files, as `openssl genpkey -algorithm ed25519` makes them. */
#ifndef FL_UDF_SIGNATURE_H
#define FL_UDF_SIGNATURE_H

#include "base/status.h"
#include "base/str.h"

#define FL_PUBLIC_KEY_BYTES 32
#define FL_SIGNATURE_BYTES 64

/* A private key. One thread at a time. */
typedef struct fl_signer {
    void *key;
    uint8_t public_key[FL_PUBLIC_KEY_BYTES];
} fl_signer;

/** A private key of a PEM text, which was in the file of that name. FL_ERR_CONFIG says what is wrong with it: no key, one of another
 *  kind, one that is under a password. */
fl_status fl_signer_init(fl_signer *signer, fl_str pem, const char *file, fl_err *err);

/** Forgets the key. One that fl_signer_init refused, or that is zeroed, may be dropped, too. */
void fl_signer_drop(fl_signer *signer);

/** Signs the bytes. FL_ERR_MEMORY. */
fl_status fl_signer_sign(const fl_signer *signer, fl_str bytes, uint8_t ret[FL_SIGNATURE_BYTES], fl_err *err);

/** The public key of a PEM text. FL_ERR_CONFIG as above. */
fl_status fl_public_key_read(fl_str pem, const char *file, uint8_t ret[FL_PUBLIC_KEY_BYTES], fl_err *err);

/** Whether the bytes were signed by that key's owner. FL_ERR_CONFIG: there is no libcrypto; FL_ERR_MEMORY. Thread-safe. */
fl_status fl_signature_check(const uint8_t key[FL_PUBLIC_KEY_BYTES], fl_str bytes,
                             const uint8_t signature[FL_SIGNATURE_BYTES], bool *ret_is_good, fl_err *err);

#endif
