/* UUIDs as text. */
#include "base/uuid.h"

void fl_uuid_print(__int128 uuid, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    fl_uuid_to_bytes(uuid, bytes);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *ret++ = '-';
        *ret++ = digits[bytes[i] >> 4];
        *ret++ = digits[bytes[i] & 15];
    }
}

bool fl_uuid_parse(fl_str text, __int128 *ret)
{
    uint8_t bytes[16] = {0};
    int n = 0;
    if (text.len >= 2 && text.data[0] == '{' && text.data[text.len - 1] == '}')
        text = (fl_str){text.data + 1, text.len - 2};
    for (int64_t i = 0; i < text.len; i++) {
        char c = fl_char_lower(text.data[i]);
        int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (c == '-' && n > 0 && n % 4 == 0 && n < 32 && text.data[i - 1] != '-')
            continue;
        if (value < 0 || n == 32)
            return false;
        bytes[n / 2] = (uint8_t)(n % 2 == 0 ? value << 4 : bytes[n / 2] | value);
        n++;
    }
    *ret = fl_uuid_of_bytes(bytes);
    return n == 32;
}
