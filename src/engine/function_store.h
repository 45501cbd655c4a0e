/* Users' functions that outlive the engine: the folder that --udf-dir names.
 *
 *     functions.log   what was created, activated and dropped (udf/log.h)
 *     modules/        code, in files named by its SHA-256
 *     cache/          native code (udf/code_cache.h)
 *
 * What the log says is read when the engine is opened, and again when another process has changed it: then the registry's functions are
 * stored ones, whose code is read when they are first called. Who changes functions holds the log's lock from before it looks at them until
 * its record is on the disk: of two who change at once one waits for the other, and then sees what that one did. Code is on the disk
 * before the record that names it.
 *
 * All calls but those of opening, closing, fl_function_store_look and fl_function_store_hint are made under the engine's functions_lock. */
#ifndef FL_ENGINE_FUNCTION_STORE_H
#define FL_ENGINE_FUNCTION_STORE_H

#include "fletch/fletch.h"
#include "udf/code_cache.h"
#include "udf/function.h"
#include "udf/log.h"

typedef struct fl_function_store {
    fl_udf_loader loader; /* first */
    const fl_system *system;
    char folder[FL_UDF_PATH_BYTES], modules[FL_UDF_PATH_BYTES];
    fl_udf_log log;
    fl_code_cache cache;
    int64_t n_damages;     /* records that cannot be read */
    fl_udf_place nameless; /* the last of those whose function is not known; number 0: none */
} fl_function_store;

/** Reads the folder's functions into the engine, whose registry is sealed. FL_ERR_CONFIG for a folder that others may write to; FL_ERR_IO.
 *  What is damaged there is no error yet. */
fl_status fl_function_store_open(fl_engine *engine, fl_str folder, fl_err *err);
void fl_function_store_free(fl_function_store *store);

/** Takes in what another process has changed, unless that would have to wait: what is read then is seen by the next statement. */
void fl_function_store_look(fl_engine *engine);

/** Takes the lock and what others have changed; until fl_function_store_end. `makes`: a folder, too; else, where there is none, there are
 *  no functions either. */
fl_status fl_function_store_begin(fl_session *session, bool makes, fl_err *err);
void fl_function_store_end(fl_engine *engine);

/** Between the two: keeps a change. CREATED: the code, too; of one that is stored already it is put right where it is damaged. */
fl_status fl_function_store_keep(fl_engine *engine, fl_udf_change change, const fl_udf *udf, fl_err *err);
fl_status fl_function_store_keep_code(fl_engine *engine, const fl_udf *udf, fl_err *err);

/** Between the two: removes code that no version in the engine has. */
void fl_function_store_sweep(fl_engine *engine);

/** Why a version cannot be called, if so: it is loaded where it is active, else its code is looked at. */
fl_status fl_function_store_check(const fl_engine *engine, const fl_udf *udf, bool is_active, fl_err *err);

/** The declaration of a function of another name without code: of ("x" double) RETURNS double. What is given lies in the arena. */
fl_status fl_function_parse_signature(fl_engine *engine, fl_arena *arena, fl_str signature,
                                      fl_function_declaration *ret, fl_err *err);

/** Says of a function that there is not, that its record may be among those that are damaged. Takes functions_lock. */
void fl_function_store_hint(fl_engine *engine, fl_err *err);

#endif
