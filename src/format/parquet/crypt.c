/* libcrypto's AES, by its EVP interface. */
#include "format/parquet/crypt.h"

#include "base/libcrypto.h"
#include "base/system.h"

#include <pthread.h>

#define LENGTH_BYTES 4
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define IV_BYTES 16
#define SET_TAG 0x11 /* EVP_CTRL_GCM_SET_TAG */
#define GET_TAG 0x10

typedef struct evp { /* EVP_EncryptInit(3) */
    void *(*ctx_new)(void);
    void (*ctx_free)(void *ctx);
    int (*ctx_ctrl)(void *ctx, int type, int arg, void *ptr);
    const void *(*gcm[3])(void);
    const void *(*ctr[3])(void);
    int (*init)(void *ctx, const void *cipher, void *engine, const unsigned char *key, const unsigned char *iv,
                int enc);
    int (*update)(void *ctx, unsigned char *out, int *out_len, const unsigned char *in, int in_len);
    int (*final)(void *ctx, unsigned char *out, int *out_len);
} evp;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static evp calls;
static bool has_calls;

static bool find(const char *name, void *ret_call)
{
    void *symbol = fl_libcrypto_find(name);
    memcpy(ret_call, &symbol, sizeof(symbol));
    return symbol != NULL;
}

static void load(void)
{
    has_calls = find("EVP_CIPHER_CTX_new", &calls.ctx_new) && find("EVP_CIPHER_CTX_free", &calls.ctx_free) &&
                find("EVP_CIPHER_CTX_ctrl", &calls.ctx_ctrl) && find("EVP_aes_128_gcm", &calls.gcm[0]) &&
                find("EVP_aes_192_gcm", &calls.gcm[1]) && find("EVP_aes_256_gcm", &calls.gcm[2]) &&
                find("EVP_aes_128_ctr", &calls.ctr[0]) && find("EVP_aes_192_ctr", &calls.ctr[1]) &&
                find("EVP_aes_256_ctr", &calls.ctr[2]) && find("EVP_CipherInit_ex", &calls.init) &&
                find("EVP_CipherUpdate", &calls.update) && find("EVP_CipherFinal_ex", &calls.final);
}

static int add_short(uint8_t *to, int at, int32_t value)
{
    to[at] = (uint8_t)value;
    to[at + 1] = (uint8_t)(value >> 8);
    return at + 2;
}

/* What a module's additional data have behind the file's. */
static int end_of_aad(fl_pq_module_place p, uint8_t ret[8])
{
    int n = 0;
    bool has_page = p.module == FL_PQ_MODULE_DATA_PAGE || p.module == FL_PQ_MODULE_DATA_HEADER;
    ret[n++] = (uint8_t)p.module;
    if (p.module == FL_PQ_MODULE_FOOTER)
        return n;
    n = add_short(ret, n, p.group);
    n = add_short(ret, n, p.column);
    return has_page ? add_short(ret, n, p.page) : n;
}

static bool is_key(fl_str key)
{
    return key.len == 16 || key.len == 24 || key.len == 32;
}

/* Goes over text[0, bytes) into `ret`, one way or the other; the tag is checked or made. False where something is wrong. */
static bool run_gcm(void *ctx, const fl_pq_crypt *crypt, fl_str key, fl_pq_module_place place, const uint8_t *nonce,
                    const uint8_t *text, int64_t bytes, bool encrypts, uint8_t *tag, uint8_t *ret)
{
    uint8_t end[8], none[16];
    int done = 0, n = end_of_aad(place, end);
    bool is_good =
        calls.init(ctx, calls.gcm[(key.len - 16) / 8](), NULL, (const uint8_t *)key.data, nonce, encrypts) == 1;
    if (is_good && !crypt->is_bare && crypt->aad.len > 0)
        is_good = calls.update(ctx, NULL, &done, (const uint8_t *)crypt->aad.data, (int)crypt->aad.len) == 1;
    if (is_good && !crypt->is_bare)
        is_good = calls.update(ctx, NULL, &done, end, n) == 1;
    if (bytes > 0)
        is_good = is_good && calls.update(ctx, ret, &done, text, (int)bytes) == 1;
    if (!encrypts)
        is_good = is_good && calls.ctx_ctrl(ctx, SET_TAG, TAG_BYTES, tag) == 1;
    is_good = is_good && calls.final(ctx, none, &done) == 1;
    return is_good && (!encrypts || calls.ctx_ctrl(ctx, GET_TAG, TAG_BYTES, tag) == 1);
}

static bool run_ctr(void *ctx, fl_str key, const uint8_t *nonce, const uint8_t *text, int64_t bytes, uint8_t *ret)
{
    uint8_t iv[IV_BYTES] = {0};
    int done = 0;
    memcpy(iv, nonce, NONCE_BYTES);
    iv[IV_BYTES - 1] = 1;
    return calls.init(ctx, calls.ctr[(key.len - 16) / 8](), NULL, (const uint8_t *)key.data, iv, 0) == 1 &&
           (bytes == 0 || calls.update(ctx, ret, &done, text, (int)bytes) == 1);
}

static fl_status begin(void **ret_ctx, fl_err *err)
{
    pthread_once(&once, load);
    *ret_ctx = has_calls ? calls.ctx_new() : NULL;
    return *ret_ctx != NULL ? FL_OK : fl_libcrypto_fail("encrypted files", err);
}

fl_status fl_pq_module_open(const fl_pq_crypt *crypt, fl_str key, fl_pq_module_place place, fl_str sealed, uint8_t *ret,
                            int64_t *ret_bytes, fl_err *err)
{
    void *ctx = NULL;
    bool is_page = place.module == FL_PQ_MODULE_DATA_PAGE || place.module == FL_PQ_MODULE_DICTIONARY_PAGE;
    bool is_ctr = crypt->is_ctr && is_page;
    int64_t extra = LENGTH_BYTES + NONCE_BYTES + (is_ctr ? 0 : TAG_BYTES);
    const uint8_t *data = (const uint8_t *)sealed.data, *text = data + LENGTH_BYTES + NONCE_BYTES;
    *ret_bytes = -1;
    if (!is_key(key) || sealed.len < extra || sealed.len > INT32_MAX)
        return FL_OK;
    uint32_t said = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
    if ((int64_t)said != sealed.len - LENGTH_BYTES)
        return FL_OK;
    fl_status st = begin(&ctx, err);
    if (st != FL_OK)
        return st;
    int64_t bytes = sealed.len - extra;
    uint8_t tag[TAG_BYTES];
    if (!is_ctr)
        memcpy(tag, text + bytes, TAG_BYTES);
    bool is_good = is_ctr ? run_ctr(ctx, key, data + LENGTH_BYTES, text, bytes, ret)
                          : run_gcm(ctx, crypt, key, place, data + LENGTH_BYTES, text, bytes, false, tag, ret);
    calls.ctx_free(ctx);
    *ret_bytes = is_good ? bytes : -1;
    return FL_OK;
}

fl_status fl_pq_module_seal(const fl_pq_crypt *crypt, fl_str key, fl_pq_module_place place, fl_str plain, fl_text *to,
                            fl_err *err)
{
    fl_status st = FL_OK;
    void *ctx = NULL;
    uint8_t head[LENGTH_BYTES + NONCE_BYTES], tag[TAG_BYTES];
    uint8_t *sealed = NULL;
    int64_t bytes = NONCE_BYTES + plain.len + TAG_BYTES;
    FL_ASSERT(is_key(key));
    if (bytes > INT32_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "a part of an encrypted file has more than 2 GB");
    for (int i = 0; i < LENGTH_BYTES; i++)
        head[i] = (uint8_t)(bytes >> (8 * i));
    if (fl_system_random(fl_memory_system(to->memory), head + LENGTH_BYTES, NONCE_BYTES) < 0)
        return FL_FAIL(err, FL_ERR_IO, "there are no random numbers to encrypt with");
    FL_TRY(fl_alloc(to->memory, plain.len + 1, (void **)&sealed, err));
    FL_TRY(begin(&ctx, err));
    if (!run_gcm(ctx, crypt, key, place, head + LENGTH_BYTES, (const uint8_t *)plain.data, plain.len, true, tag,
                 sealed)) {
        st = FL_FAIL(err, FL_ERR_INTERNAL, "libcrypto cannot encrypt");
        goto cleanup;
    }
    fl_text_add(to, (fl_str){(const char *)head, (int64_t)sizeof(head)});
    fl_text_add(to, (fl_str){(const char *)sealed, plain.len});
    fl_text_add(to, (fl_str){(const char *)tag, TAG_BYTES});
    st = fl_text_status(to, err);
cleanup:
    if (ctx != NULL)
        calls.ctx_free(ctx);
    fl_free(sealed);
    return st;
}

fl_status fl_pq_footer_is_signed(const fl_pq_crypt *crypt, fl_str key, fl_str footer, fl_str nonce_and_tag, bool *ret,
                                 fl_err *err)
{
    void *ctx = NULL;
    uint8_t tag[TAG_BYTES], *copy = NULL;
    *ret = false;
    if (!is_key(key) || nonce_and_tag.len != NONCE_BYTES + TAG_BYTES || footer.len > INT32_MAX)
        return FL_OK;
    fl_status st = fl_alloc(NULL, footer.len + 1, (void **)&copy, err);
    if (st == FL_OK)
        st = begin(&ctx, err);
    if (st == FL_OK) {
        fl_pq_module_place place = {.module = FL_PQ_MODULE_FOOTER};
        const uint8_t *nonce = (const uint8_t *)nonce_and_tag.data;
        *ret = run_gcm(ctx, crypt, key, place, nonce, (const uint8_t *)footer.data, footer.len, true, tag, copy) &&
               memcmp(tag, nonce + NONCE_BYTES, TAG_BYTES) == 0;
        calls.ctx_free(ctx);
    }
    fl_free(copy);
    return st;
}

const fl_pq_column_key *fl_pq_key_of(const fl_pq_keys *keys, fl_str path)
{
    const fl_pq_column_key *best = NULL;
    for (int32_t i = 0; i < keys->n_columns; i++) {
        fl_str own = keys->columns[i].path;
        bool is_around = fl_str_has_prefix(path, own) && (path.len == own.len || path.data[own.len] == '.');
        if (is_around && (best == NULL || own.len > best->path.len))
            best = &keys->columns[i];
    }
    return best;
}
