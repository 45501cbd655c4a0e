/* Native code that comes with a module (udf/signed_code.h): made for other engines, and taken from those who may be believed. */
#ifndef FL_ENGINE_SIGNED_FUNCTION_H
#define FL_ENGINE_SIGNED_FUNCTION_H

#include "fletch/fletch.h"
#include "udf/function.h"
#include "udf/signed_code.h"

/** Reads the public keys of fl_engine_options.udf_keys. FL_ERR_CONFIG for one that is none, or that others may write to; FL_ERR_TABLE,
 *  FL_ERR_IO. */
fl_status fl_engine_read_udf_keys(fl_engine *engine, const char *const *files, int32_t n_files, fl_err *err);

/** Makes a function of code that may be such a file: then its module is the function's code, and its native code is used where the
 *  engine has the signer's key and it is code for this machine. Where not, the session's notes say why, and the module is compiled. */
fl_status fl_session_make_function(fl_session *session, const fl_udf_language *language,
                                   const fl_function_declaration *declaration, fl_udf **ret, fl_err *err);

/** Compiles a function and adds the file of its module and native code, signed with the private key in `key_file`, to a text. Where the
 *  declaration has no name the module's one function is meant. FL_ERR_FUNCTION and what fl_udf_new says of bad code; FL_ERR_CONFIG of a bad key. */
fl_status fl_session_compile_signed(fl_session *session, const fl_function_declaration *declaration,
                                    const char *key_file, fl_text *ret, fl_err *err);

#endif
