/* A file: "FLNATIVE", the key, the code's bytes, the SHA-256 of the code, the code. */
#include "udf/code_cache.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__aarch64__)
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#endif

#define CODE_BYTES_MAX (512ll << 20)

typedef struct head {
    char magic[8];
    uint8_t key[FL_DIGEST_SHA256_BYTES];
    uint64_t bytes;
    uint8_t hash[FL_DIGEST_SHA256_BYTES];
} head;

static const char magic[8] = {'F', 'L', 'N', 'A', 'T', 'I', 'V', 'E'};

fl_code_counters fl_code_counted;

static void count(_Atomic int64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

fl_status fl_code_cache_init(fl_code_cache *cache, const fl_system *system, const char *folder, fl_err *err)
{
    *cache = (fl_code_cache){.system = system, .bytes_max = FL_CODE_CACHE_BYTES_MAX};
    if (snprintf(cache->folder, sizeof(cache->folder), "%s/cache", folder) >= FL_UDF_PATH_BYTES)
        return FL_FAIL(err, FL_ERR_CONFIG, "the path of the functions' folder has more than %d bytes",
                       FL_UDF_PATH_BYTES);
    return fl_code_cache_check(cache, err);
}

fl_status fl_code_cache_check(const fl_code_cache *cache, fl_err *err)
{
    bool is_there = false;
    return fl_udf_folder_check(cache->system, cache->folder, &is_there, err);
}

/* ---- names ---- */

/* What the compiler asks the processor for. */
void fl_code_cache_print_processor(fl_text *text)
{
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    fl_text_add(text, FL_STR("x86_64"));
    for (unsigned leaf = 0; leaf < 3; leaf++) {
        static const unsigned leaves[] = {1, 7, 0x80000001};
        if (__get_cpuid_count(leaves[leaf], 0, &a, &b, &c, &d) == 0)
            continue;
        if (leaf == 0)
            b = 0; /* which processor it is that this thread is on */
        if (leaf == 2)
            a = b = 0;
        fl_text_addf(text, " %x:%x:%x:%x", a, b, c & ~(leaf == 0 ? 1u << 27 : 0), d);
    }
#elif defined(__aarch64__)
    fl_text_addf(text, "aarch64 %lx:%lx", getauxval(AT_HWCAP), getauxval(AT_HWCAP2));
#else
    fl_text_add(text, FL_STR("another"));
#endif
}

fl_status fl_code_cache_key(const fl_str *parts, int32_t n_parts, uint8_t ret[FL_DIGEST_SHA256_BYTES], fl_err *err)
{
    fl_text text;
    fl_text_init(&text, NULL);
    for (int32_t i = 0; i < n_parts; i++) {
        fl_text_addf(&text, "%lld:", (long long)parts[i].len); /* where a part ends is part of the name */
        fl_text_add(&text, parts[i]);
    }
    fl_code_cache_print_processor(&text);
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_digest_sha256(fl_text_str(&text), ret, err);
    fl_text_drop(&text);
    return st;
}

static void name_of(const uint8_t key[FL_DIGEST_SHA256_BYTES], char ret[2 * FL_DIGEST_SHA256_BYTES + 1])
{
    for (int32_t i = 0; i < FL_DIGEST_SHA256_BYTES; i++)
        snprintf(ret + 2 * i, 3, "%02x", key[i]);
}

/* ---- getting ---- */

static bool is_good(const char *bytes, int64_t n, const uint8_t key[FL_DIGEST_SHA256_BYTES])
{
    head h;
    uint8_t hash[FL_DIGEST_SHA256_BYTES];
    if (n < (int64_t)sizeof(h))
        return false;
    memcpy(&h, bytes, sizeof(h));
    fl_str code = {bytes + sizeof(h), n - (int64_t)sizeof(h)};
    return memcmp(h.magic, magic, sizeof(magic)) == 0 && memcmp(h.key, key, sizeof(h.key)) == 0 &&
           h.bytes == (uint64_t)code.len && fl_digest_sha256(code, hash, NULL) == FL_OK &&
           memcmp(h.hash, hash, sizeof(hash)) == 0;
}

bool fl_code_cache_get(const fl_code_cache *cache, const uint8_t key[FL_DIGEST_SHA256_BYTES], void **ret_block,
                       fl_str *ret_code)
{
    char name[2 * FL_DIGEST_SHA256_BYTES + 1], path[FL_UDF_PATH_BYTES], *bytes = NULL;
    int64_t n = 0;
    name_of(key, name);
    bool has = fl_code_cache_check(cache, NULL) == FL_OK &&
               snprintf(path, sizeof(path), "%s/%s", cache->folder, name) < FL_UDF_PATH_BYTES &&
               fl_udf_file_read(cache->system, path, CODE_BYTES_MAX, &bytes, &n, NULL) == FL_OK &&
               is_good(bytes, n, key);
    if (!has) {
        fl_free(bytes);
        return false;
    }
    count(&fl_code_counted.cache_hits);
    (void)fl_system_touch(cache->system, path);
    *ret_block = bytes;
    *ret_code = (fl_str){bytes + sizeof(head), n - (int64_t)sizeof(head)};
    return true;
}

/* ---- putting ---- */

typedef struct cached_file {
    char name[2 * FL_DIGEST_SHA256_BYTES + 32];
    int64_t bytes, used_ns;
} cached_file;

typedef struct listing {
    const fl_code_cache *cache;
    cached_file *files;
    int64_t capacity;
    int32_t n;
    int64_t bytes;
} listing;

static bool add_file(void *ctx, const char *name)
{
    listing *l = ctx;
    fl_file_info info;
    char path[FL_UDF_PATH_BYTES];
    if (snprintf(path, sizeof(path), "%s/%s", l->cache->folder, name) >= FL_UDF_PATH_BYTES ||
        strlen(name) >= sizeof(l->files->name) || fl_system_look(l->cache->system, path, false, &info) != 0 ||
        info.kind != FL_FILE_REGULAR)
        return true;
    if (fl_grow(NULL, (void **)&l->files, &l->capacity, l->n + 1, (int64_t)sizeof(*l->files), NULL) != FL_OK)
        return false;
    cached_file *file = &l->files[l->n++];
    snprintf(file->name, sizeof(file->name), "%s", name);
    file->bytes = info.bytes;
    file->used_ns = info.modified_ns;
    l->bytes += info.bytes;
    return true;
}

static int compare_used(const void *a, const void *b)
{
    int64_t x = ((const cached_file *)a)->used_ns, y = ((const cached_file *)b)->used_ns;
    return (x > y) - (x < y);
}

/* Files that a killed process began are among them, and grow old as others do. */
static void make_room(const fl_code_cache *cache)
{
    listing l = {.cache = cache};
    char path[FL_UDF_PATH_BYTES];
    if (fl_system_list(cache->system, cache->folder, add_file, &l) == 0 && l.bytes > cache->bytes_max)
        qsort(l.files, (size_t)l.n, sizeof(*l.files), compare_used);
    for (int32_t i = 0; i < l.n && l.bytes > cache->bytes_max; i++) {
        if (snprintf(path, sizeof(path), "%s/%s", cache->folder, l.files[i].name) < FL_UDF_PATH_BYTES &&
            fl_system_remove(cache->system, path) == 0)
            count(&fl_code_counted.cache_evictions);
        l.bytes -= l.files[i].bytes;
    }
    fl_free(l.files);
}

/* Not brought to the disk: what a power failure leaves of it does not fit its hash, and is compiled again. */
void fl_code_cache_put(const fl_code_cache *cache, const uint8_t key[FL_DIGEST_SHA256_BYTES], fl_str code)
{
    char name[2 * FL_DIGEST_SHA256_BYTES + 1];
    head h = {.bytes = (uint64_t)code.len};
    memcpy(h.magic, magic, sizeof(magic));
    memcpy(h.key, key, sizeof(h.key));
    name_of(key, name);
    if (code.len > cache->bytes_max || code.len > CODE_BYTES_MAX || fl_digest_sha256(code, h.hash, NULL) != FL_OK ||
        fl_udf_folder_make(cache->system, cache->folder, NULL) != FL_OK)
        return;
    fl_str parts[] = {{(const char *)&h, (int64_t)sizeof(h)}, code};
    if (fl_udf_file_write(cache->system, cache->folder, name, parts, FL_LEN(parts), false, NULL) == FL_OK) {
        count(&fl_code_counted.cache_writes);
        make_room(cache);
    }
}
