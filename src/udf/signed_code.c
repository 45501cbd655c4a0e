/* Lengths are held against the file's before they are used; what they lead to is read once the signature was found good. */
#include "udf/signed_code.h"

#define FORMAT 1

typedef struct head {
    char magic[8];
    uint32_t format, runtime_bytes;
    uint64_t module_bytes, native_bytes;
    uint8_t name[FL_DIGEST_SHA256_BYTES];
    uint8_t signer[FL_PUBLIC_KEY_BYTES];
} head;

_Static_assert(sizeof(head) == 96, "the head has no gaps");

static const char magic[8] = {'F', 'L', 'S', 'I', 'G', 'N', 'E', 'D'};

bool fl_signed_code_is(fl_str bytes)
{
    return bytes.len >= (int64_t)sizeof(magic) && memcmp(bytes.data, magic, sizeof(magic)) == 0;
}

static fl_status refuse(const char *why, fl_err *err)
{
    fl_status st = FL_FAIL(err, FL_ERR_CORRUPT, "the file of signed code is refused: %s", why);
    fl_err_state(err, "42501", st);
    fl_err_hint(err, "fletch udf compile makes it anew");
    return st;
}

fl_status fl_signed_code_open(fl_str bytes, fl_signed_code *ret, fl_err *err)
{
    head h;
    bool is_good = false;
    int64_t end = bytes.len - FL_SIGNATURE_BYTES;
    FL_ASSERT(fl_signed_code_is(bytes));
    if (end < (int64_t)sizeof(h))
        return refuse("it ends within its head", err);
    memcpy(&h, bytes.data, sizeof(h));
    if (h.format != FORMAT)
        return FL_FAIL(err, FL_ERR_UNSUPPORTED, "the file of signed code has format %u, this version reads format %d",
                       h.format, FORMAT);
    uint64_t rest = (uint64_t)(end - (int64_t)sizeof(h));
    if (h.runtime_bytes > rest || h.module_bytes > rest - h.runtime_bytes ||
        h.native_bytes != rest - h.runtime_bytes - h.module_bytes)
        return refuse("it was cut short, or its head is damaged", err);
    fl_status st =
        fl_signature_check(h.signer, (fl_str){bytes.data, end}, (const uint8_t *)bytes.data + end, &is_good, err);
    if (st != FL_OK)
        return st;
    if (!is_good)
        return refuse("its bytes do not fit its signature", err);
    ret->runtime = (fl_str){bytes.data + sizeof(h), (int64_t)h.runtime_bytes};
    ret->module = (fl_str){ret->runtime.data + ret->runtime.len, (int64_t)h.module_bytes};
    ret->native.code = (fl_str){ret->module.data + ret->module.len, (int64_t)h.native_bytes};
    memcpy(ret->native.name, h.name, sizeof(h.name));
    memcpy(ret->signer, h.signer, sizeof(h.signer));
    return FL_OK;
}

fl_status fl_signed_code_make(const fl_signed_code *parts, const fl_signer *signer, fl_text *ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint8_t signature[FL_SIGNATURE_BYTES];
    head h = {.format = FORMAT,
              .runtime_bytes = (uint32_t)parts->runtime.len,
              .module_bytes = (uint64_t)parts->module.len,
              .native_bytes = (uint64_t)parts->native.code.len};
    int64_t begin = ret->len;
    FL_ASSERT(parts->runtime.len <= UINT32_MAX);
    memcpy(h.magic, magic, sizeof(magic));
    memcpy(h.name, parts->native.name, sizeof(h.name));
    memcpy(h.signer, signer->public_key, sizeof(h.signer));
    fl_text_add(ret, (fl_str){(const char *)&h, (int64_t)sizeof(h)});
    fl_text_add(ret, parts->runtime);
    fl_text_add(ret, parts->module);
    fl_text_add(ret, parts->native.code);
    FL_TRY(fl_text_status(ret, err));
    FL_TRY(fl_signer_sign(signer, (fl_str){ret->data + begin, ret->len - begin}, signature, err));
    fl_text_add(ret, (fl_str){(const char *)signature, (int64_t)sizeof(signature)});
    st = fl_text_status(ret, err);
cleanup:
    return st;
}
