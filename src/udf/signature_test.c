/* Ed25519 by libcrypto: a test vector of RFC 8032, what is no signature, and keys that are none. */
#include "udf/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "udf_keys.h"

/* RFC 8032, 7.1, test 3 */
static const uint8_t known_key[] = {0xfc, 0x51, 0xcd, 0x8e, 0x62, 0x18, 0xa1, 0xa3, 0x8d, 0xa4, 0x7e,
                                    0xd0, 0x02, 0x30, 0xf0, 0x58, 0x08, 0x16, 0xed, 0x13, 0xba, 0x33,
                                    0x03, 0xac, 0x5d, 0xeb, 0x91, 0x15, 0x48, 0x90, 0x80, 0x25};
static const char known_bytes[] = {(char)0xaf, (char)0x82};
static const uint8_t known_signature[] = {0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02, 0x48, 0x27, 0xe6, 0x9c, 0x3a,
                                          0xbe, 0x01, 0xa3, 0x0c, 0xe5, 0x48, 0xa2, 0x84, 0x74, 0x3a, 0x44, 0x5e, 0x36,
                                          0x80, 0xd7, 0xdb, 0x5a, 0xc3, 0xac, 0x18, 0xff, 0x9b, 0x53, 0x8d, 0x16, 0xf2,
                                          0x90, 0xae, 0x67, 0xf7, 0x60, 0x98, 0x4d, 0xc6, 0x59, 0x4a, 0x7c, 0x15, 0xe9,
                                          0x71, 0x6e, 0xd2, 0x8d, 0xc0, 0x27, 0xbe, 0xce, 0xea, 0x1e, 0xc4, 0x0a};

static bool is_good(const uint8_t *key, fl_str bytes, const uint8_t *signature)
{
    bool is = false;
    assert_int_equal(fl_signature_check(key, bytes, signature, &is, NULL), FL_OK);
    return is;
}

static void test_vector(void **state)
{
    (void)state;
    fl_str bytes = {known_bytes, sizeof(known_bytes)};
    assert_true(is_good(known_key, bytes, known_signature));
    for (int32_t bit = 0; bit < 8 * FL_SIGNATURE_BYTES; bit++) {
        uint8_t changed[FL_SIGNATURE_BYTES];
        memcpy(changed, known_signature, sizeof(changed));
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(is_good(known_key, bytes, changed));
    }
    for (int32_t bit = 0; bit < 8 * FL_PUBLIC_KEY_BYTES; bit++) {
        uint8_t changed[FL_PUBLIC_KEY_BYTES];
        memcpy(changed, known_key, sizeof(changed));
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(is_good(changed, bytes, known_signature));
    }
    assert_false(is_good(known_key, (fl_str){known_bytes, 1}, known_signature));
}

static void test_signs(void **state)
{
    (void)state;
    fl_signer signer;
    fl_err err = {0};
    uint8_t key[FL_PUBLIC_KEY_BYTES], signature[FL_SIGNATURE_BYTES];
    assert_int_equal(fl_signer_init(&signer, FL_STR(PRIVATE_KEY), "key", &err), FL_OK);
    assert_int_equal(fl_public_key_read(FL_STR(PUBLIC_KEY), "key", key, &err), FL_OK);
    assert_memory_equal(key, signer.public_key, sizeof(key));
    assert_int_equal(fl_signer_sign(&signer, FL_STR("some bytes"), signature, &err), FL_OK);
    assert_true(is_good(key, FL_STR("some bytes"), signature));
    assert_false(is_good(key, FL_STR("other bytes"), signature));
    fl_signer_drop(&signer);
    fl_signer_drop(&signer);
}

/* Public keys of other kinds, an elliptic curve's and X25519's, which has as many bytes. */
#define CURVE_KEY                                                        \
    "-----BEGIN PUBLIC KEY-----\n"                                       \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYCp+NOQgCAA7toJOVuO7gtkCg9sx\n" \
    "4UTCo/WKGRZXJKZ+oHTkxCUx+NkAZs2K7ogpd1RiO6lSwbSMO3xE12QLHg==\n"     \
    "-----END PUBLIC KEY-----\n"
#define X25519_KEY                                                   \
    "-----BEGIN PUBLIC KEY-----\n"                                   \
    "MCowBQYDK2VuAyEAB2IO2KjvAVHdtYrNAqmajP+T2DcXjko9BU7dmU+HrRc=\n" \
    "-----END PUBLIC KEY-----\n"
#define CURVE_PRIVATE_KEY                                                \
    "-----BEGIN EC PRIVATE KEY-----\n"                                   \
    "MHcCAQEEIAPsXe4ozMNMVMoJZB7xZYmFRYfUrPT9sufHjnD2VhGMoAoGCCqGSM49\n" \
    "AwEHoUQDQgAEYCp+NOQgCAA7toJOVuO7gtkCg9sx4UTCo/WKGRZXJKZ+oHTkxCUx\n" \
    "+NkAZs2K7ogpd1RiO6lSwbSMO3xE12QLHg==\n"                             \
    "-----END EC PRIVATE KEY-----\n"
#define LOCKED_KEY                                                       \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                            \
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhILd8SIheddQICCAAw\n" \
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEOoLRFSu/v+a32GuA5O6DnQEQBGB\n" \
    "KDE7PwtqU+ZdouenZrqRsoEAeXVvI2dVySyYyDYZPH7qxYWp0iJlQyWsBum+F1Wm\n" \
    "q8a2Is1+zimhlE2JSL8=\n"                                             \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

static void test_bad_keys(void **state)
{
    (void)state;
    static const struct {
        const char *pem, *says;
        bool is_private;
    } cases[] = {
        {"", "holds no public key", false},
        {"not a key", "holds no public key", false},
        {PRIVATE_KEY, "holds no public key", false},
        {"-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n", "holds no public key", false},
        {CURVE_KEY, "of another kind", false},
        {X25519_KEY, "of another kind", false},
        {"", "holds no private key", true},
        {PUBLIC_KEY, "holds no private key", true},
        {CURVE_PRIVATE_KEY, "of another kind", true},
        {LOCKED_KEY, "is under a password", true},
    };
    for (int64_t i = 0; i < FL_LEN(cases); i++) {
        fl_err err = {0};
        fl_signer signer;
        uint8_t key[FL_PUBLIC_KEY_BYTES];
        fl_status st = cases[i].is_private ? fl_signer_init(&signer, fl_str_of(cases[i].pem), "the.pem", &err)
                                           : fl_public_key_read(fl_str_of(cases[i].pem), "the.pem", key, &err);
        assert_int_equal(st, FL_ERR_CONFIG);
        assert_non_null(strstr(err.message, cases[i].says));
        assert_non_null(strstr(err.message, "the.pem"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_signs),
        cmocka_unit_test(test_bad_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
