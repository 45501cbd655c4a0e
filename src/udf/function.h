/* Users' functions: what is made of a declaration by a language.
 *
 * A function is a version: it never changes, and lives until nobody calls it any more (fl_func_owner). Its descriptor is put into the
 * engine's registry, from where it is resolved, folded, moved and run as a built-in one is.
 *
 *     FL_TRY(fl_udf_new(&language, &declaration, environment, cache, metrics, interrupt, NULL, &udf, err));
 *     FL_TRY(fl_registry_put_user_func(registry, udf->is_aggregate ? NULL : &udf->func, …, &udf->owner, err));
 *     fl_udf_unref(udf);
 *
 * One that lies in a folder, or is not the active version, is *stored*: all but its code is known, which is read and loaded when it is first
 * called. A call is resolved to the function that was loaded, whose descriptor is another. */
#ifndef FL_UDF_FUNCTION_H
#define FL_UDF_FUNCTION_H

#include "base/arena.h"
#include "base/metrics.h"
#include "exec/agg.h"
#include "exec/func.h"
#include "plan/function_declaration.h"
#include "plan/registry.h"

#include <pthread.h>

#define FL_UDF_HASH_BYTES 32 /* SHA-256 */

typedef struct fl_udf fl_udf;
struct fl_code_cache;
struct fl_native_code;

/* What reads the code of stored functions, one at a time. */
typedef struct fl_udf_loader {
    pthread_mutex_t lock; /* recursive: an expression is loaded with those that it calls */
    fl_status (*fetch)(struct fl_udf_loader *loader, const fl_udf *udf, char **ret, int64_t *ret_bytes, fl_err *err);
} fl_udf_loader;

/* What a language of functions does. */
typedef struct fl_udf_language {
    uint32_t size;
    const char *name; /* as LANGUAGE says it */
    const char *doc;
    bool is_text; /* the code is written between the quotes; else they hold a file's name */
    /** Makes the function of udf->declaration, whose signature it completes where there is none: sets `run` (or `aggregate`, or
     *  func.expand), and what else of udf->func it knows better. Errors have their place in the code where it is a text. */
    fl_status (*load)(fl_udf *udf, fl_err *err);
    void (*unload)(fl_udf *udf); /* may be NULL */
    /** Native code of a function that was loaded: waits until it is compiled, adds the code to `ret_code`, to `ret_runtime` by what and for
     *  which processor it was made. NULL where the language has none. */
    fl_status (*compile)(const fl_udf *udf, fl_interrupt *interrupt, struct fl_native_code *ret, fl_text *ret_code,
                         fl_text *ret_runtime, fl_err *err);
    fl_metric deployed; /* what counts its deployments; none: they are not counted */
} fl_udf_language;

struct fl_udf {
    fl_func_owner owner; /* first: whoever holds it holds the function */
    fl_arena arena;      /* of all that follows */
    fl_function_declaration declaration;
    const fl_udf_language *language;
    void *environment;           /* of the languages: the engine's */
    struct fl_code_cache *cache; /* of native code; NULL: none */
    fl_metrics *metrics;         /* where it counts; NULL: it does not */
    /* While it is loaded: code that came with it and may be believed, and what stops the statement; NULL: none. */
    const struct fl_native_code *native;
    fl_interrupt *interrupt;
    bool takes_native;               /* what `native` names is what it needs */
    fl_udf_loader *loader;           /* of a stored one; else NULL */
    _Atomic(fl_udf *) loaded;        /* of a stored one: once it was called */
    bool is_loading;                 /* guarded by the loader's lock */
    fl_str refusal;                  /* of a stored one that cannot be loaded: why */
    uint8_t hash[FL_UDF_HASH_BYTES]; /* of the code */
    int64_t version;                 /* from 1, by name */
    int64_t created_us;
    fl_func_desc func; /* of a scalar function */
    fl_agg_desc agg;   /* of an aggregate */
    fl_func_run run;
    const fl_agg_kernel *kernel;
    void *state; /* the language's own */
};

/** Makes a function. The declaration and its code are copied; the rest outlives it. FL_ERR_SYNTAX, FL_ERR_TYPE and what the language says of bad code.
 *  `interrupt` (may be NULL) stops the making; `native` (may be NULL) is code that the caller believes; it is copied where it is what the function needs (takes_native). */
fl_status fl_udf_new(const fl_udf_language *language, const fl_function_declaration *declaration, void *environment,
                     struct fl_code_cache *cache, fl_metrics *metrics, fl_interrupt *interrupt,
                     const struct fl_native_code *native, fl_udf **ret, fl_err *err);

/** Makes a stored one, of a declaration that is whole but for its code, by the hash of that. Its version and time are the caller's to set.
 *  `refusal` (empty: none): calls fail with it as FL_ERR_CORRUPT. The loader outlives it. */
fl_status fl_udf_new_stored(const fl_udf_language *language, const fl_function_declaration *declaration,
                            const uint8_t hash[FL_UDF_HASH_BYTES], void *environment, struct fl_code_cache *cache,
                            fl_metrics *metrics, fl_udf_loader *loader, fl_str refusal, fl_udf **ret, fl_err *err);

/** The same version, stored and not loaded, for one that is not called any more: its code is with the loader, or (NULL) is kept in memory. */
fl_status fl_udf_new_unloaded(const fl_udf *udf, fl_udf_loader *loader, fl_udf **ret, fl_err *err);

/** Gives a stored version, unless it is loaded or needs no loading, what was made of the same code. Takes over `made`. */
void fl_udf_take_loaded(fl_udf *stored, fl_udf *made);

/** The function that was loaded: itself, unless it is stored. FL_ERR_CORRUPT and others where it cannot be, never FL_ERR_FUNCTION; the next
 *  call tries again. Any thread. */
fl_status fl_udf_load(const fl_udf *udf, const fl_udf **ret, fl_err *err);
void fl_udf_unref(fl_udf *udf);

/** "(double, text) → double" */
void fl_udf_print_signature(fl_text *text, const fl_udf *udf);

#endif
