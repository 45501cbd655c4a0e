/* Fuzzing the JSON reader: any bytes are opened as a file, under options that the first byte chooses, and scanned within a
 * memory budget; nothing may crash, leak or run on. The file is scanned twice, in one chunk and in tiny ones, and both must
 * give the same rows, or both fail: where chunks begin is no matter of content. */
#include "format/json/table.h"
#include "table_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int32_t choose_options(uint8_t choice, fl_option *ret)
{
    ret[0] = (fl_option){.name = FL_STR("sample_size"), .value = {.type = FL_TYPE(FL_I64), .i = 1 + (choice & 3)}};
    return (choice & 128) != 0 ? 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    table_fuzz_text(&fl_format_json, choose_options, data, bytes);
    return 0;
}
