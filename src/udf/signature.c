/* libcrypto's calls are looked up once, all or none. What it says of a fault is in a queue of the thread's, which is emptied: its words are for
 * who knows OpenSSL, ours name the file and what it should hold. */
#include "udf/signature.h"

#include "base/libcrypto.h"

#include <pthread.h>

#define ED25519 1087 /* NID_ED25519 */

typedef struct bio bio;
typedef struct evp_key evp_key;
typedef struct digest_context digest_context;
typedef int (*password_call)(char *buffer, int size, int writes, void *ctx);

static struct {
    bio *(*BIO_new_mem_buf)(const void *bytes, int n);
    int (*BIO_free)(bio *from);
    evp_key *(*PEM_read_bio_PrivateKey)(bio *from, evp_key **ret, password_call password, void *ctx);
    evp_key *(*PEM_read_bio_PUBKEY)(bio *from, evp_key **ret, password_call password, void *ctx);
    int (*EVP_PKEY_get_raw_public_key)(const evp_key *key, unsigned char *ret, size_t *ret_n);
    evp_key *(*EVP_PKEY_new_raw_public_key)(int kind, void *engine, const unsigned char *bytes, size_t n);
    void (*EVP_PKEY_free)(evp_key *key);
    digest_context *(*EVP_MD_CTX_new)(void);
    void (*EVP_MD_CTX_free)(digest_context *context);
    int (*EVP_DigestSignInit)(digest_context *context, void *ret, const void *digest, void *engine, evp_key *key);
    int (*EVP_DigestSign)(digest_context *context, unsigned char *ret, size_t *ret_n, const unsigned char *bytes,
                          size_t n);
    int (*EVP_DigestVerifyInit)(digest_context *context, void *ret, const void *digest, void *engine, evp_key *key);
    int (*EVP_DigestVerify)(digest_context *context, const unsigned char *signature, size_t signature_n,
                            const unsigned char *bytes, size_t n);
    void (*ERR_clear_error)(void);
} calls;

static int (*kind_of)(const evp_key *key); /* its name is another since OpenSSL 3 */
static bool has_calls;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#define FIND(name) find(#name, &calls.name, sizeof(calls.name))

static bool find(const char *name, void *ret, size_t bytes)
{
    void *symbol = fl_libcrypto_find(name);
    memcpy(ret, &symbol, bytes);
    return symbol != NULL;
}

static void load(void)
{
    has_calls = FIND(BIO_new_mem_buf) && FIND(BIO_free) && FIND(PEM_read_bio_PrivateKey) && FIND(PEM_read_bio_PUBKEY) &&
                FIND(EVP_PKEY_get_raw_public_key) && FIND(EVP_PKEY_new_raw_public_key) && FIND(EVP_PKEY_free) &&
                FIND(EVP_MD_CTX_new) && FIND(EVP_MD_CTX_free) && FIND(EVP_DigestSignInit) && FIND(EVP_DigestSign) &&
                FIND(EVP_DigestVerifyInit) && FIND(EVP_DigestVerify) && FIND(ERR_clear_error) &&
                (find("EVP_PKEY_get_base_id", &kind_of, sizeof(kind_of)) ||
                 find("EVP_PKEY_base_id", &kind_of, sizeof(kind_of)));
}

static fl_status open_calls(fl_err *err)
{
    pthread_once(&once, load);
    return has_calls ? FL_OK : fl_libcrypto_fail("functions of users", err);
}

/* ---- keys --------------------------------------------------------------------------------------------------------------- */

/* Without one of these OpenSSL would ask whoever sits at the terminal. */
static int no_password(char *buffer, int size, int writes, void *ctx)
{
    (void)buffer;
    (void)size;
    (void)writes;
    *(bool *)ctx = true;
    return -1;
}

static fl_status read_key(fl_str pem, const char *file, bool is_private, evp_key **ret,
                          uint8_t ret_public[FL_PUBLIC_KEY_BYTES], fl_err *err)
{
    const char *wanted = is_private ? "private" : "public";
    bool is_locked = false;
    size_t n = FL_PUBLIC_KEY_BYTES;
    fl_status st = open_calls(err);
    if (st != FL_OK)
        return st;
    bio *from = pem.len < INT32_MAX ? calls.BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    evp_key *key = from == NULL ? NULL
                   : is_private ? calls.PEM_read_bio_PrivateKey(from, NULL, no_password, &is_locked)
                                : calls.PEM_read_bio_PUBKEY(from, NULL, no_password, &is_locked);
    calls.BIO_free(from);
    if (key == NULL) {
        st = is_locked
                 ? FL_FAIL(err, FL_ERR_CONFIG, "the key in \"%s\" is under a password, which nobody is asked for", file)
                 : FL_FAIL(err, FL_ERR_CONFIG, "\"%s\" holds no %s key in PEM form", file, wanted);
        fl_err_hint(err, is_private ? "openssl genpkey -algorithm ed25519 -out KEY makes one"
                                    : "openssl pkey -in PRIVATE_KEY -pubout -out KEY makes one of a private key");
    } else if (kind_of(key) != ED25519 || calls.EVP_PKEY_get_raw_public_key(key, ret_public, &n) != 1 ||
               n != FL_PUBLIC_KEY_BYTES) {
        st = FL_FAIL(err, FL_ERR_CONFIG, "\"%s\" holds a %s key of another kind, it should be an Ed25519 key", file,
                     wanted);
        fl_err_hint(err, "openssl genpkey -algorithm ed25519 makes a private key");
    }
    calls.ERR_clear_error();
    if (st != FL_OK) {
        calls.EVP_PKEY_free(key);
        return st;
    }
    *ret = key;
    return FL_OK;
}

fl_status fl_signer_init(fl_signer *signer, fl_str pem, const char *file, fl_err *err)
{
    evp_key *key = NULL;
    *signer = (fl_signer){0};
    fl_status st = read_key(pem, file, true, &key, signer->public_key, err);
    signer->key = key;
    return st;
}

void fl_signer_drop(fl_signer *signer)
{
    if (signer->key != NULL)
        calls.EVP_PKEY_free(signer->key);
    *signer = (fl_signer){0};
}

fl_status fl_public_key_read(fl_str pem, const char *file, uint8_t ret[FL_PUBLIC_KEY_BYTES], fl_err *err)
{
    evp_key *key = NULL;
    fl_status st = read_key(pem, file, false, &key, ret, err);
    if (st == FL_OK)
        calls.EVP_PKEY_free(key);
    return st;
}

/* ---- signatures --------------------------------------------------------------------------------------------------------- */

static fl_status fail_memory(fl_err *err)
{
    calls.ERR_clear_error();
    return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: a signature");
}

fl_status fl_signer_sign(const fl_signer *signer, fl_str bytes, uint8_t ret[FL_SIGNATURE_BYTES], fl_err *err)
{
    size_t n = FL_SIGNATURE_BYTES;
    FL_ASSERT(signer->key != NULL);
    digest_context *context = calls.EVP_MD_CTX_new();
    bool is_good = context != NULL && calls.EVP_DigestSignInit(context, NULL, NULL, NULL, signer->key) == 1 &&
                   calls.EVP_DigestSign(context, ret, &n, (const unsigned char *)bytes.data, (size_t)bytes.len) == 1;
    calls.EVP_MD_CTX_free(context);
    return is_good ? FL_OK : fail_memory(err);
}

fl_status fl_signature_check(const uint8_t key[FL_PUBLIC_KEY_BYTES], fl_str bytes,
                             const uint8_t signature[FL_SIGNATURE_BYTES], bool *ret_is_good, fl_err *err)
{
    fl_status st = open_calls(err);
    if (st != FL_OK)
        return st;
    evp_key *known = calls.EVP_PKEY_new_raw_public_key(ED25519, NULL, key, FL_PUBLIC_KEY_BYTES);
    digest_context *context = calls.EVP_MD_CTX_new();
    bool can_check =
        known != NULL && context != NULL && calls.EVP_DigestVerifyInit(context, NULL, NULL, NULL, known) == 1;
    if (can_check) /* 0 and negative: whatever is wrong, it is not this key's signature */
        *ret_is_good = calls.EVP_DigestVerify(context, signature, FL_SIGNATURE_BYTES, (const unsigned char *)bytes.data,
                                              (size_t)bytes.len) == 1;
    calls.EVP_MD_CTX_free(context);
    calls.EVP_PKEY_free(known);
    calls.ERR_clear_error();
    return can_check ? FL_OK : fail_memory(err);
}
