/* Fuzzing infix expressions: any text is read as one, and where it is one it is read as its parts say. Nothing may crash, leak or run on;
 * an error stands inside of the text and its words are UTF-8 where the text is.
 *
 * The text is read alone, and bound as a function's body and as a selected item in front_request.c. */
#include "base/utf8.h"
#include "front/expr/request.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(cond)  \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

#define DEPTH_MAX FL_SQL_DEPTH_MAX

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Whoever walks a tree may recurse: its height is what the root says, at the most. */
static void check_height(const fl_ast_expr *e, int32_t height_max)
{
    CHECK(e != NULL && e->height >= 1 && e->height <= height_max);
    if (e->kind == FL_AST_AND || e->kind == FL_AST_OR || e->kind == FL_AST_LIST) {
        for (int32_t i = 0; i < e->list.count; i++)
            check_height(e->list.items[i], e->height - 1);
    } else if (e->kind == FL_AST_CALL) {
        for (int32_t i = 0; i < e->call->arg_count; i++)
            check_height(e->call->args[i].value, e->height - 1);
    } else if (e->kind == FL_AST_BINARY) {
        check_height(e->ops.left, e->height - 1);
        check_height(e->ops.right, e->height - 1);
    } else if (e->kind == FL_AST_NOT || e->kind == FL_AST_UNARY) {
        check_height(e->ops.left, e->height - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_memory memory;
    fl_request request;
    fl_ast_expr *expr = NULL;
    fl_err err = {0};
    fl_str text = {(const char *)data, (int64_t)bytes};
    fl_memory_init(&memory, NULL, "fuzz", 64 << 20);
    fl_request_init(&request, &memory);
    fl_status st = fl_request_parse_infix(&request, text, &expr, &err);
    if (st == FL_OK) {
        check_height(expr, DEPTH_MAX);
    } else {
        CHECK(err.position >= 0 && err.position <= text.len + 1 && err.message[0] != 0);
        fl_request_locate(&request, &err);
        CHECK(err.position >= 0 && err.position <= text.len + 1);
        if (fl_utf8_is_valid(text.data, text.len))
            CHECK(fl_utf8_is_valid(err.message, (int64_t)strlen(err.message)));
    }
    fl_request_drop(&request);
    CHECK(memory.used_bytes == 0);
    return 0;
}
