/* Native code that was compiled before, kept in files: a process that calls a function which another one compiled reads its code instead.
 *
 * A file's name is the SHA-256 of all that its code depends on; its contents begin with that name and end with the code, and carry
 * the code's own SHA-256. What is damaged, cut short or another's is not used: the code is compiled again and put in its place.
 * The folder is looked at before each use, as whoever writes to it decides what runs here (udf/folder.h). Files that were not used for the
 * longest time go when there are too many bytes. It only ever saves time: where it cannot be read or written, code is compiled.
 * Thread-safe; processes share a folder. */
#ifndef FL_UDF_CODE_CACHE_H
#define FL_UDF_CODE_CACHE_H

#include "base/text.h"
#include "udf/digest.h"
#include "udf/folder.h"

#define FL_CODE_CACHE_BYTES_MAX (256ll << 20)

typedef struct fl_code_cache {
    const fl_system *system;
    char folder[FL_UDF_PATH_BYTES];
    int64_t bytes_max;
} fl_code_cache;

/* Native code, and the SHA-256 of all that it depends on. */
typedef struct fl_native_code {
    uint8_t name[FL_DIGEST_SHA256_BYTES];
    fl_str code;
} fl_native_code;

/* What became of modules' code, in this process: for tests, which ask once an engine and its compilers are gone. What an engine has
 * counted is in its metrics (base/metrics.h). */
typedef struct fl_code_counters {
    _Atomic int64_t compiles;   /* that succeeded */
    _Atomic int64_t cache_hits; /* code that was read */
    _Atomic int64_t cache_writes;
    _Atomic int64_t cache_evictions; /* files */
    _Atomic int64_t signed_uses;     /* code that came with its module, and was taken */
} fl_code_counters;

extern fl_code_counters fl_code_counted;

/** A cache in the folder `cache` of a folder of functions, which is made at the first write. */
fl_status fl_code_cache_init(fl_code_cache *cache, const fl_system *system, const char *folder, fl_err *err);

/** The name of code that is made of these parts: a module's bytes, versions, settings. Features of this machine's processor are added. */
fl_status fl_code_cache_key(const fl_str *parts, int32_t n_parts, uint8_t ret[FL_DIGEST_SHA256_BYTES], fl_err *err);

/** What is added of the processor, as a text: code for one with more features would not run on one with less. */
void fl_code_cache_print_processor(fl_text *text);

/** Code of that name, in memory to be freed with fl_free (*ret_block); false: there is none that is good. */
bool fl_code_cache_get(const fl_code_cache *cache, const uint8_t key[FL_DIGEST_SHA256_BYTES], void **ret_block,
                       fl_str *ret_code);

/** Keeps code, and lets go of what is too much. */
void fl_code_cache_put(const fl_code_cache *cache, const uint8_t key[FL_DIGEST_SHA256_BYTES], fl_str code);

/** The folder's fault, if it is one that code is not read from: FL_ERR_CONFIG. */
fl_status fl_code_cache_check(const fl_code_cache *cache, fl_err *err);

#endif
