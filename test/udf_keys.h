/* Keys for tests of signed code, as `openssl genpkey` made them. Nobody believes them. */
#ifndef FL_TEST_UDF_KEYS_H
#define FL_TEST_UDF_KEYS_H

#define PRIVATE_KEY                                                      \
    "-----BEGIN PRIVATE KEY-----\n"                                      \
    "MC4CAQAwBQYDK2VwBCIEIOresCgrxZHyCuYRFfBLDtQQazc9XUChb1iJHXity1ql\n" \
    "-----END PRIVATE KEY-----\n"
#define PUBLIC_KEY                                                   \
    "-----BEGIN PUBLIC KEY-----\n"                                   \
    "MCowBQYDK2VwAyEAkN9fOkNRANV/ofhVG0FJHeKvN8jmPDoVeC7hYNku5e0=\n" \
    "-----END PUBLIC KEY-----\n"
#define OTHER_PRIVATE_KEY                                                \
    "-----BEGIN PRIVATE KEY-----\n"                                      \
    "MC4CAQAwBQYDK2VwBCIEIGhYXiIT+qHFp8CqoBSGuC+G5wspMxsy5aksDdpq3xPD\n" \
    "-----END PRIVATE KEY-----\n"

#endif
