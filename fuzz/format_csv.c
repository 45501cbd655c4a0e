/* Fuzzing the CSV reader: any bytes are opened as a file, under options that the first byte chooses, and scanned within a
 * memory budget; nothing may crash, leak or run on. The file is scanned twice, in one chunk and in tiny ones, and both must
 * give the same rows, or both fail: where chunks begin is no matter of content. */
#include "format/csv/table.h"
#include "table_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int32_t choose_options(uint8_t choice, fl_option *ret)
{
    int32_t n = 0;
    if (choice & 1)
        ret[n++] = (fl_option){.name = FL_STR("all_varchar"), .value = {.type = FL_TYPE(FL_BOOL), .b = true}};
    if (choice & 2)
        ret[n++] = (fl_option){.name = FL_STR("header"), .value = {.type = FL_TYPE(FL_BOOL), .b = (choice & 4) != 0}};
    if (choice & 8)
        ret[n++] = (fl_option){.name = FL_STR("escape"), .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR("\\")}};
    if (choice & 16)
        ret[n++] = (fl_option){.name = FL_STR("delim"), .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR(",")}};
    if (choice & 32)
        ret[n++] = (fl_option){.name = FL_STR("quote"), .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR("")}};
    if (choice & 64)
        ret[n++] = (fl_option){.name = FL_STR("sample_size"), .value = {.type = FL_TYPE(FL_I64), .i = 2}};
    if ((choice & 192) == 128)
        ret[n++] = (fl_option){.name = FL_STR("comment"), .value = {.type = FL_TYPE(FL_UTF8), .s = FL_STR("#")}};
    if ((choice & 192) == 192)
        ret[n++] = (fl_option){.name = FL_STR("trim"), .value = {.type = FL_TYPE(FL_BOOL), .b = true}};
    if ((choice & 160) == 160)
        ret[n++] = (fl_option){.name = FL_STR("skip"), .value = {.type = FL_TYPE(FL_I64), .i = 1}};
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    table_fuzz_text(&fl_format_csv, choose_options, data, bytes);
    return 0;
}
