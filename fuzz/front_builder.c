/* Fuzzing the builder frontend: each line of the input is a step, its first letter says which, the rest is the fragment.
 * The statement is made, not bound: whatever the fragments are, nothing may crash, leak or run on, one SELECT per level
 * comes out, and an error lies within the text of a step.
 *
 *     f from   j join (the fragment is the condition)   x cross join   w where   g group_by   a agg   s select   o order_by
 *     t take   k skip */
#include "front/builder/builder.h"

#include <stdlib.h>

#define CHECK(cond)  \
    do {             \
        if (!(cond)) \
            abort(); \
    } while (0)

#define OTHER "u AS other" /* what is joined */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void add_step(fl_steps *steps, char kind, fl_str text)
{
    switch (kind) {
    case 'j':
        fl_steps_join(steps, FL_STR(OTHER), FL_STR("left"), text);
        break;
    case 'x':
        fl_steps_join(steps, text, FL_STR("cross"), (fl_str){0});
        break;
    case 'g':
        fl_steps_group_by(steps, text);
        break;
    case 'a':
        fl_steps_agg(steps, text);
        break;
    case 's':
        fl_steps_select(steps, text);
        break;
    case 'o':
        fl_steps_order_by(steps, text);
        break;
    case 't':
        fl_steps_take(steps, text.len);
        break;
    case 'k':
        fl_steps_skip(steps, text.len);
        break;
    default:
        fl_steps_where(steps, text);
        break;
    }
}

/* The query and those in its FROM, down to the first table. */
static void check_query(const fl_ast_query *query, int64_t steps)
{
    for (int64_t level = 0; query != NULL; level++) {
        CHECK(level <= steps);
        CHECK(query->body->kind == FL_AST_BODY_SELECT && query->body->select->item_count > 0);
        const fl_ast_table *from = query->body->select->from;
        while (from->kind == FL_AST_TABLE_JOIN)
            from = from->join->left;
        query = from->kind == FL_AST_TABLE_QUERY && from->start < 0 ? from->query : NULL;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    fl_memory memory;
    fl_steps steps;
    fl_ast_statement statement;
    fl_err err = {0};
    int64_t n = 0, place_max = (int64_t)(bytes + sizeof(OTHER));
    fl_memory_init(&memory, NULL, "fuzz", 64 << 20);
    fl_steps_init(&steps, &memory);
    for (size_t at = 0; at < bytes || n == 0;) {
        const uint8_t *end = at < bytes ? memchr(data + at, '\n', bytes - at) : NULL;
        size_t next = end == NULL ? bytes : (size_t)(end - data);
        fl_str line = {(const char *)data + at, (int64_t)(next - at)};
        char kind = line.len > 0 ? line.data[0] : 'w';
        fl_str text = line.len > 0 ? (fl_str){line.data + 1, line.len - 1} : line;
        if (n++ > 0)
            add_step(&steps, kind, text);
        else if (kind == 'f')
            fl_steps_from(&steps, text);
        else
            fl_steps_from(&steps, FL_STR("t"));
        at = next + 1;
    }
    if (fl_steps_finish(&steps, &statement, &err) == FL_OK)
        check_query(statement.query, n);
    else
        CHECK(err.message[0] != 0 && err.position <= place_max);
    for (int64_t place = 1; place < steps.base + 2; place += 7) { /* any place is a place in some step */
        fl_err at = {.code = FL_ERR_VALUE, .position = place, .message = "bad"};
        fl_steps_locate(&steps, &at);
        CHECK(at.position <= place_max);
    }
    fl_steps_drop(&steps);
    CHECK(memory.used_bytes == 0);
    return 0;
}
