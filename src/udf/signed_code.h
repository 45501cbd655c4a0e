/* A file that holds a module, native code of one of its functions, and the signature of who compiled it.
 *
 *     head, 96 bytes   "FLSIGNED" · format · bytes of what follows · the native code's name · the signer's public key
 *     runtime          by what the code was compiled and for which processor, as a text for people
 *     module           as it was
 *     native code      what its name says: code_cache.h
 *     signature        Ed25519, of all that is before it
 *
 * Native code runs as it is, so it is taken from those alone whose public key was configured. The file names its signer, so
 * damage is told apart from a stranger: what does not fit its own signature is refused whole, what a stranger signed is a module like
 * any other. All numbers are little-endian. */
#ifndef FL_UDF_SIGNED_CODE_H
#define FL_UDF_SIGNED_CODE_H

#include "base/text.h"
#include "udf/code_cache.h"
#include "udf/signature.h"

typedef struct fl_signed_code {
    fl_str runtime, module;
    fl_native_code native;
    uint8_t signer[FL_PUBLIC_KEY_BYTES];
} fl_signed_code;

/** Whether bytes are meant to be such a file. */
bool fl_signed_code_is(fl_str bytes);

/** The parts of a file, which borrow its bytes. FL_ERR_CORRUPT with SQLSTATE 42501: it is not as it was signed; FL_ERR_UNSUPPORTED: its
 *  format is another. Whether the signer may be believed is the caller's to say. */
fl_status fl_signed_code_open(fl_str bytes, fl_signed_code *ret, fl_err *err);

/** Adds a file of these parts to a text; its signer is the one who signs. */
fl_status fl_signed_code_make(const fl_signed_code *parts, const fl_signer *signer, fl_text *ret, fl_err *err);

#endif
