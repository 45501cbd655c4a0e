/* UTF-16, Latin-1 and Windows-1252 as UTF-8. */
#include "format/encoding.h"

#include "base/status.h"
#include "base/utf8.h"

#define CHARACTER_BYTES_MAX 4

fl_encoding fl_encoding_of(fl_str head)
{
    if (fl_str_has_prefix(head, FL_STR("\xFF\xFE")))
        return FL_ENCODING_UTF16_LE;
    return fl_str_has_prefix(head, FL_STR("\xFE\xFF")) ? FL_ENCODING_UTF16_BE : FL_ENCODING_UTF8;
}

bool fl_encoding_by_name(fl_str name, fl_str head, fl_encoding *ret)
{
    static const struct {
        fl_str name;
        fl_encoding encoding;
    } names[] = {{FL_STR("utf-8"), FL_ENCODING_UTF8},         {FL_STR("utf8"), FL_ENCODING_UTF8},
                 {FL_STR("utf-16"), FL_ENCODING_UTF16_LE},    {FL_STR("utf16"), FL_ENCODING_UTF16_LE},
                 {FL_STR("utf-16le"), FL_ENCODING_UTF16_LE},  {FL_STR("utf-16be"), FL_ENCODING_UTF16_BE},
                 {FL_STR("latin-1"), FL_ENCODING_LATIN1},     {FL_STR("latin1"), FL_ENCODING_LATIN1},
                 {FL_STR("iso-8859-1"), FL_ENCODING_LATIN1},  {FL_STR("windows-1252"), FL_ENCODING_WINDOWS_1252},
                 {FL_STR("cp1252"), FL_ENCODING_WINDOWS_1252}};
    for (int64_t i = 0; i < FL_LEN(names); i++)
        if (fl_str_is_equal_nocase(name, names[i].name)) {
            bool is_either = names[i].name.len <= 6 && names[i].encoding == FL_ENCODING_UTF16_LE;
            *ret = is_either && fl_encoding_of(head) == FL_ENCODING_UTF16_BE ? FL_ENCODING_UTF16_BE : names[i].encoding;
            return true;
        }
    return false;
}

/* Windows-1252 from 0x80 to 0x9F (the rest is Latin-1); 0: no character (Unicode, "cp1252 to Unicode table"). */
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static uint32_t unit_at(fl_encoding encoding, const uint8_t *p)
{
    return encoding == FL_ENCODING_UTF16_LE ? (uint32_t)(p[0] | p[1] << 8) : (uint32_t)(p[0] << 8 | p[1]);
}

/* The character at p and its bytes; 0 bytes: there are too few left, negative: there is none. */
static int decode(fl_encoding encoding, const uint8_t *p, int64_t left, uint32_t *ret)
{
    if (encoding == FL_ENCODING_LATIN1 || encoding == FL_ENCODING_WINDOWS_1252) {
        bool is_special = encoding == FL_ENCODING_WINDOWS_1252 && *p >= 0x80 && *p < 0xA0;
        *ret = is_special ? windows_1252[*p - 0x80] : *p;
        return is_special && *ret == 0 ? -1 : 1;
    }
    if (left < 2)
        return 0;
    uint32_t high = unit_at(encoding, p);
    *ret = high;
    if (high < 0xD800 || high > 0xDFFF)
        return 2;
    if (high > 0xDBFF)
        return -1;
    if (left < 4)
        return 0;
    uint32_t low = unit_at(encoding, p + 2);
    *ret = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return low >= 0xDC00 && low <= 0xDFFF ? 4 : -1;
}

bool fl_encoding_convert(fl_encoding encoding, fl_str text, char *ret, int64_t room, int64_t *ret_used,
                         int64_t *ret_made)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    int64_t at = 0, made = 0;
    FL_ASSERT(encoding != FL_ENCODING_UTF8);
    while (at < text.len && room - made >= CHARACTER_BYTES_MAX) {
        uint32_t code = 0;
        int width = decode(encoding, bytes + at, text.len - at, &code);
        if (width <= 0) {
            *ret_used = at;
            *ret_made = made;
            return width == 0;
        }
        made += fl_utf8_encode(code, ret + made);
        at += width;
    }
    FL_ASSERT(at <= text.len && made <= room);
    *ret_used = at;
    *ret_made = made;
    return true;
}
