/* Fuzzing files of native code: those of the cache, and those that are signed and come with a module.
 *
 * The first byte says which, the rest is the file as it is, or changes to a good one: bits that are flipped, an end that is missing, bytes
 * that are added. Only what is as it was made may be taken. A signed file may also be signed anew after its changes, by one whom
 * everybody believes: then its parts must lie within it. */
#include "bytes.h"
#include "udf/code_cache.h"
#include "udf/signed_code.h"

#include "udf_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(cond)                                                           \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #cond); \
            abort();                                                          \
        }                                                                     \
    } while (0)

#define FILE_BYTES_MAX 65536
#define SIGNER_AT 64 /* in the head of a signed file */
#define CHANGES_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char folder[] = "/tmp/fletch-fuzz-code-XXXXXX";
static fl_code_cache cache;
static fl_signer signer;
static fl_text signed_file; /* a good one */
static uint8_t name[FL_DIGEST_SHA256_BYTES];
static char path[128]; /* of the good file in the cache */
static char cached_file[4096];
static size_t cached_bytes;

static void remove_folder(void)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", folder);
}

static void add_name(char *to)
{
    for (int32_t i = 0; i < FL_DIGEST_SHA256_BYTES; i++)
        snprintf(to + 2 * i, 3, "%02x", name[i]);
}

static void prepare(void)
{
    fl_signed_code parts = {.runtime = FL_STR("a compiler"),
                            .module = FL_STR("the module"),
                            .native = {.name = {1, 2, 3}, .code = FL_STR("its native code, which is longer")}};
    fl_str part = FL_STR("a module");
    CHECK(mkdtemp(folder) != NULL);
    atexit(remove_folder);
    CHECK(fl_signer_init(&signer, FL_STR(PRIVATE_KEY), "key", NULL) == FL_OK);
    fl_text_init(&signed_file, NULL);
    CHECK(fl_signed_code_make(&parts, &signer, &signed_file, NULL) == FL_OK);
    CHECK(fl_code_cache_init(&cache, NULL, folder, NULL) == FL_OK);
    CHECK(fl_code_cache_key(&part, 1, name, NULL) == FL_OK);
    fl_code_cache_put(&cache, name, parts.native.code);
    int n = snprintf(path, sizeof(path), "%s/cache/", folder);
    add_name(path + n);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    cached_bytes = fread(cached_file, 1, sizeof(cached_file), file);
    fclose(file);
}

/* The good file with the changes that the input says. */
static size_t change(input *in, const char *from, size_t n, char *to)
{
    memcpy(to, from, n);
    for (int32_t i = take(in) % CHANGES_MAX; i > 0; i--) {
        size_t at = (size_t)take(in) << 8 | take(in);
        to[at % n] ^= (char)take(in);
    }
    switch (take(in)) {
    case 1:
        return take(in) % (n + 1);
    case 2:
        memset(to + n, take(in), 32);
        return n + take(in) % 33;
    default:
        return n;
    }
}

static size_t make_file(input *in, const char *good, size_t n, char *to)
{
    if (take(in) % 2 == 0)
        return change(in, good, n, to);
    size_t left = (size_t)(in->end - in->at);
    size_t used = left < FILE_BYTES_MAX - 64 ? left : FILE_BYTES_MAX - 64;
    memcpy(to, in->at, used);
    return used;
}

static void try_signed(input *in)
{
    static char file[FILE_BYTES_MAX];
    fl_signed_code parts = {0};
    bool is_signed_anew = take(in) % 2 == 0;
    size_t n = make_file(in, signed_file.data, (size_t)signed_file.len, file);
    if (is_signed_anew && n >= SIGNER_AT + FL_PUBLIC_KEY_BYTES + FL_SIGNATURE_BYTES) {
        memcpy(file, "FLSIGNED\1\0\0\0", 12); /* all but lengths are as they should be */
        memcpy(file + SIGNER_AT, signer.public_key, FL_PUBLIC_KEY_BYTES);
        CHECK(fl_signer_sign(&signer, (fl_str){file, (int64_t)n - FL_SIGNATURE_BYTES},
                             (uint8_t *)file + n - FL_SIGNATURE_BYTES, NULL) == FL_OK);
    }
    char *copy = malloc(n + 1); /* ends where the file does */
    CHECK(copy != NULL);
    memcpy(copy, file, n);
    fl_str bytes = {copy, (int64_t)n};
    if (fl_signed_code_is(bytes) && fl_signed_code_open(bytes, &parts, NULL) == FL_OK) {
        CHECK(is_signed_anew || (n == (size_t)signed_file.len && memcmp(copy, signed_file.data, n) == 0));
        CHECK(parts.runtime.len >= 0 && parts.module.len >= 0 && parts.native.code.len >= 0);
        CHECK(parts.runtime.data >= copy && parts.module.data == parts.runtime.data + parts.runtime.len &&
              parts.native.code.data == parts.module.data + parts.module.len &&
              parts.native.code.data + parts.native.code.len + FL_SIGNATURE_BYTES == copy + n);
    }
    free(copy);
}

static void try_cached(input *in)
{
    static char file[FILE_BYTES_MAX];
    void *block = NULL;
    fl_str code = {0};
    size_t n = make_file(in, cached_file, cached_bytes, file);
    FILE *to = fopen(path, "wb");
    CHECK(to != NULL && fwrite(file, 1, n, to) == n && fclose(to) == 0);
    bool is_same = n == cached_bytes && memcmp(file, cached_file, n) == 0;
    CHECK(fl_code_cache_get(&cache, name, &block, &code) == is_same);
    if (is_same)
        CHECK(fl_str_is_equal(code, FL_STR("its native code, which is longer")));
    fl_free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    input in = {data, data + bytes};
    if (signed_file.len == 0)
        prepare();
    if (take(&in) % 2 == 0)
        try_signed(&in);
    else
        try_cached(&in);
    return 0;
}
