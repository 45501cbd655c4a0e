/* Fuzzing text files that are packed, in another encoding, or read forgivingly: any bytes are opened as a CSV file, under options that the
 * first byte chooses, and scanned in one chunk and in tiny ones, which must give the same rows, or both fail. */
#include "format/csv/table.h"
#include "table_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int32_t choose_options(uint8_t choice, fl_option *ret)
{
    static const char *const encodings[] = {"utf-8", "utf-16", "utf-16be", "latin-1", "windows-1252"};
    int32_t n = 0;
    if ((choice & 7) < FL_LEN(encodings) && (choice & 7) != 0)
        ret[n++] = (fl_option){.name = FL_STR("encoding"),
                               .value = {.type = FL_TYPE(FL_UTF8), .s = fl_str_of(encodings[choice & 7])}};
    if (choice & 8)
        ret[n++] = (fl_option){.name = FL_STR("null_padding"), .value = {.type = FL_TYPE(FL_BOOL), .b = true}};
    if (choice & 16)
        ret[n++] = (fl_option){.name = FL_STR("ignore_errors"), .value = {.type = FL_TYPE(FL_BOOL), .b = true}};
    if (choice & 32)
        ret[n++] =
            (fl_option){.name = FL_STR("dateformat"), .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR("%d.%m.%Y")}};
    if (choice & 64)
        ret[n++] =
            (fl_option){.name = FL_STR("decimal_separator"), .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR(",")}};
    if (choice & 128)
        ret[n++] = (fl_option){.name = FL_STR("sample_size"), .value = {.type = FL_TYPE(FL_I64), .i = 2}};
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    table_fuzz_text(&fl_format_csv, choose_options, data, bytes);
    return 0;
}
