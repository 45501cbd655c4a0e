/* Fuzzing the SQL frontend: any bytes are parsed, statement by statement, within a memory budget; nothing may crash,
 * leak or run on. */
#include "front/sql/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_memory memory;
    fl_arena arena;
    fl_sql_parser parser;
    fl_err err = {0};
    fl_memory_init(&memory, NULL, "fuzz", 64 << 20);
    fl_arena_init(&arena, &memory);
    if (fl_sql_parser_init(&parser, &memory, (fl_str){(const char *)data, (int64_t)bytes}, &err) == FL_OK) {
        fl_ast_statement *statement = NULL;
        fl_status st;
        do {
            st = fl_sql_parser_next(&parser, &arena, &statement, &err);
            FL_ASSERT(st != FL_OK || statement == NULL || statement->end <= (int64_t)bytes);
            FL_ASSERT(st == FL_OK || err.position <= (int64_t)bytes + 1);
        } while (st == FL_OK && statement != NULL);
    }
    fl_sql_parser_drop(&parser);
    fl_arena_drop(&arena);
    return 0;
}
