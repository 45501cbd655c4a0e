/* The regular expressions of regex.h: parser to tree, tree to program, and the machine that runs it. */
#include "func/text/regex.h"

#include "base/utf8.h"
#include "func/text/case.h"

#define DEPTH_MAX 250
#define REPEAT_MAX 1000
#define PROGRAM_MAX 20000

/* ---- characters ---------------------------------------------------------------------------------------------------- */

typedef enum set_kind {
    SET_DIGIT,
    SET_SPACE,
    SET_WORD,
    SET_ALPHA,
    SET_LOWER,
    SET_UPPER,
    SET_ALNUM,
    SET_PUNCT,
    SET_XDIGIT,
    SET_BLANK,
    SET_CNTRL,
    SET_PRINT,
    SET_GRAPH,
    SET_COUNT
} set_kind;

typedef struct range {
    uint32_t low, high;
} range;

typedef struct char_class {
    range *ranges;
    int32_t n;
    uint32_t sets, not_sets; /* bits of set_kind: members, and all but members */
    bool negated;
    uint64_t ascii[2]; /* the answer for code points below 128 */
} char_class;

static bool in_set(set_kind kind, uint32_t c)
{
    bool is_digit = c >= '0' && c <= '9';
    switch (kind) {
    case SET_DIGIT:
        return is_digit;
    case SET_SPACE:
        return c == ' ' || (c >= 9 && c <= 13);
    case SET_WORD:
        return c == '_' || fl_case_is_word(c);
    case SET_ALPHA:
        return fl_case_is_word(c) && !is_digit;
    case SET_LOWER:
        return fl_case_upper(c) != c;
    case SET_UPPER:
        return fl_case_lower(c) != c;
    case SET_ALNUM:
        return fl_case_is_word(c);
    case SET_PUNCT:
        return c > 32 && c < 127 && !fl_case_is_word(c);
    case SET_XDIGIT:
        return is_digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    case SET_BLANK:
        return c == ' ' || c == '\t';
    case SET_CNTRL:
        return c < 32 || c == 127;
    case SET_PRINT:
        return c >= 32 && c != 127;
    case SET_GRAPH:
        return c > 32 && c != 127;
    case SET_COUNT:
        break;
    }
    return false;
}

static bool class_has(const char_class *class, uint32_t c)
{
    for (int32_t i = 0; i < class->n; i++)
        if (c >= class->ranges[i].low && c <= class->ranges[i].high)
            return true;
    for (int kind = 0; kind < SET_COUNT; kind++) {
        if (class->sets >> kind & 1 && in_set((set_kind)kind, c))
            return true;
        if (class->not_sets >> kind & 1 && !in_set((set_kind)kind, c))
            return true;
    }
    return false;
}

/* ---- tree ---------------------------------------------------------------------------------------------------------- */

typedef enum node_kind {
    NODE_EMPTY,
    NODE_CHAR,
    NODE_ANY,
    NODE_CLASS,
    NODE_TEST,
    NODE_GROUP,
    NODE_CAT,
    NODE_ALT,
    NODE_REPEAT
} node_kind;
typedef enum op { OP_CHAR, OP_ANY, OP_ANY_BUT_NEWLINE, OP_CLASS, OP_SPLIT, OP_JUMP, OP_SAVE, OP_TEST, OP_MATCH } op;
typedef enum test {
    TEST_START,
    TEST_END,
    TEST_LINE_START,
    TEST_LINE_END,
    TEST_BORDER,
    TEST_NO_BORDER,
    TEST_WORD_START,
    TEST_WORD_END
} test;

typedef struct node {
    node_kind kind;
    uint32_t code; /* char, test, group number (0: not captured) */
    const char_class *class;
    struct node *a, *b;
    int32_t min, max; /* repeat; max -1: no end */
    bool lazy;
} node;

typedef struct inst {
    uint8_t op;
    bool is_join; /* several ways lead here: depth first, they are told apart no further */
    bool is_run;  /* split: a loop over one character that can be left at its end alone, if at all */
    int32_t x, y; /* split: x first */
    const char_class *class;
} inst;

struct fl_regex {
    inst *code;
    int32_t n;
    int32_t n_forks; /* instructions that push on the depth-first stack */
    int32_t n_groups;
    bool no_case;
    bool starts_at_start; /* begins with ^ */
    int16_t first_byte;   /* every match begins with it; -1: not known */
};

typedef struct parser {
    fl_arena *arena;
    fl_str text;
    int64_t at;
    uint32_t flags;
    int32_t depth;
    int32_t n_groups;
    fl_regex *regex;
    int32_t capacity;
    fl_err *err;
} parser;

static fl_status fail(parser *p, const char *why)
{
    fl_status st = FL_FAIL(p->err, FL_ERR_VALUE, "regular expression \"%.*s\": %s",
                           (int)(p->text.len < 200 ? p->text.len : 200), p->text.data, why);
    return fl_err_state(p->err, "2201B", st);
}

static bool has_more(const parser *p)
{
    return p->at < p->text.len;
}
static char peek(const parser *p)
{
    return p->at < p->text.len ? p->text.data[p->at] : 0;
}

static bool take(parser *p, const char *what)
{
    int64_t len = (int64_t)strlen(what);
    if (p->text.len - p->at < len || memcmp(p->text.data + p->at, what, (size_t)len) != 0)
        return false;
    p->at += len;
    return true;
}

static uint32_t next_code(parser *p)
{
    int width;
    uint32_t code = fl_utf8_decode(p->text.data + p->at, p->text.len - p->at, &width);
    p->at += width;
    return code;
}

static fl_status new_node(parser *p, node_kind kind, node **ret)
{
    fl_status st = FL_NEW(p->arena, ret, p->err);
    if (st == FL_OK)
        (*ret)->kind = kind;
    return st;
}

static fl_status add_range(parser *p, char_class *class, uint32_t low, uint32_t high)
{
    if ((class->n & (class->n - 1)) == 0) { /* full at powers of two */
        range *grown;
        fl_status st = FL_NEW_ARRAY(p->arena, class->n == 0 ? 1 : class->n * 2, &grown, p->err);
        if (st != FL_OK)
            return st;
        if (class->n > 0)
            memcpy(grown, class->ranges, (size_t)class->n * sizeof(range));
        class->ranges = grown;
    }
    class->ranges[class->n++] = (range){low, high};
    return FL_OK;
}

static bool class_takes(const parser *p, const char_class *class, uint32_t c)
{
    bool has = class_has(class, c);
    if (!has && p->flags & FL_REGEX_NO_CASE)
        has = class_has(class, fl_case_lower(c)) || class_has(class, fl_case_upper(c));
    return has != class->negated;
}

static fl_status finish_class(parser *p, char_class *class, node **ret)
{
    for (uint32_t c = 0; c < 128; c++)
        if (class_takes(p, class, c))
            class->ascii[c >> 6] |= 1ull << (c & 63);
    fl_status st = new_node(p, NODE_CLASS, ret);
    if (st == FL_OK)
        (*ret)->class = class;
    return st;
}

static fl_status read_hex(parser *p, int digits, uint32_t *ret)
{
    *ret = 0;
    for (int i = 0; i < digits; i++, p->at++) {
        char c = fl_char_lower(peek(p));
        if (!in_set(SET_XDIGIT, (uint8_t)c))
            return fail(p, "hexadecimal digits are missing");
        *ret = *ret * 16 + (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return *ret > 0x10FFFF ? fail(p, "there is no such character") : FL_OK;
}

/* Behind a backslash: a set (*ret_set >= 0, negated when its letter is large) or a character. */
static fl_status read_escape(parser *p, int *ret_set, bool *ret_negated, uint32_t *ret_code)
{
    *ret_set = -1;
    *ret_negated = false;
    if (!has_more(p))
        return fail(p, "it ends with a backslash");
    char c = peek(p);
    switch (c) {
    case 'd':
    case 'D':
        *ret_set = SET_DIGIT;
        break;
    case 's':
    case 'S':
        *ret_set = SET_SPACE;
        break;
    case 'w':
    case 'W':
        *ret_set = SET_WORD;
        break;
    default:
        break;
    }
    if (*ret_set >= 0) {
        *ret_negated = c < 'a';
        p->at++;
        return FL_OK;
    }
    static const char letters[8] = "tnrfvae0", codes[] = "\t\n\r\f\v\a\033";
    const char *hit = memchr(letters, c, sizeof(letters));
    if (hit != NULL) {
        *ret_code = (uint8_t)codes[hit - letters];
        p->at++;
        return FL_OK;
    }
    if (take(p, "x"))
        return read_hex(p, 2, ret_code);
    if (take(p, "u"))
        return read_hex(p, 4, ret_code);
    if (take(p, "U"))
        return read_hex(p, 8, ret_code);
    if (c >= '1' && c <= '9')
        return fail(p, "references back into the pattern are not supported");
    if (in_set(SET_ALPHA, (uint8_t)c) && (uint8_t)c < 128)
        return fail(p, "unknown escape");
    *ret_code = next_code(p);
    return FL_OK;
}

static fl_status read_named_set(parser *p, char_class *class)
{
    static const char *const names[SET_COUNT] = {"digit:]", "space:]", "word:]",  "alpha:]",  "lower:]",
                                                 "upper:]", "alnum:]", "punct:]", "xdigit:]", "blank:]",
                                                 "cntrl:]", "print:]", "graph:]"};
    for (int kind = 0; kind < SET_COUNT; kind++) {
        if (take(p, names[kind])) {
            class->sets |= 1u << kind;
            return FL_OK;
        }
    }
    return fail(p, "unknown class of characters");
}

static fl_status read_bracket(parser *p, node **ret)
{
    fl_status st = FL_OK;
    char_class *class;
    FL_TRY(FL_NEW(p->arena, &class, p->err));
    class->negated = take(p, "^");
    if (class->negated && p->flags & FL_REGEX_LINES)
        FL_TRY(add_range(p, class, '\n', '\n'));
    for (bool first = true;; first = false) {
        uint32_t low, high;
        int set = -1;
        bool negated;
        if (!has_more(p))
            return fail(p, "a bracket is not closed");
        if (!first && take(p, "]"))
            break;
        if (take(p, "[:")) {
            FL_TRY(read_named_set(p, class));
            continue;
        }
        if (take(p, "\\"))
            FL_TRY(read_escape(p, &set, &negated, &low));
        else
            low = next_code(p);
        if (set >= 0) {
            *(negated ? &class->not_sets : &class->sets) |= 1u << set;
            continue;
        }
        high = low;
        if (p->text.len - p->at >= 2 && peek(p) == '-' && p->text.data[p->at + 1] != ']') {
            p->at++;
            if (take(p, "\\"))
                FL_TRY(read_escape(p, &set, &negated, &high));
            else
                high = next_code(p);
            if (set >= 0 || high < low)
                return fail(p, "a range of characters runs backwards");
        }
        FL_TRY(add_range(p, class, low, high));
    }
    st = finish_class(p, class, ret);
cleanup:
    return st;
}

static fl_status read_alternatives(parser *p, node **ret);

static fl_status read_group(parser *p, node **ret)
{
    fl_status st = FL_OK;
    uint32_t number = 0;
    if (take(p, "?:")) {
    } else if (take(p, "?")) {
        return fail(p, "look-around is not supported");
    } else {
        number = (uint32_t)++p->n_groups;
    }
    if (++p->depth > DEPTH_MAX)
        return fail(p, "too deeply nested");
    FL_TRY(new_node(p, NODE_GROUP, ret));
    (*ret)->code = number;
    FL_TRY(read_alternatives(p, &(*ret)->a));
    p->depth--;
    if (!take(p, ")"))
        return fail(p, "a parenthesis is not closed");
cleanup:
    return st;
}

static fl_status new_test(parser *p, test what, node **ret)
{
    fl_status st = new_node(p, NODE_TEST, ret);
    if (st == FL_OK)
        (*ret)->code = what;
    return st;
}

static fl_status read_atom(parser *p, node **ret)
{
    static const struct {
        const char *text;
        test test;
    } tests[] = {{"\\y", TEST_BORDER},    {"\\b", TEST_BORDER},     {"\\Y", TEST_NO_BORDER},
                 {"\\B", TEST_NO_BORDER}, {"\\m", TEST_WORD_START}, {"\\M", TEST_WORD_END},
                 {"\\A", TEST_START},     {"\\Z", TEST_END},        {"\\z", TEST_END}};
    fl_status st = FL_OK;
    bool lines = p->flags & FL_REGEX_LINES, negated;
    for (int64_t i = 0; i < FL_LEN(tests); i++)
        if (take(p, tests[i].text))
            return new_test(p, tests[i].test, ret);
    if (take(p, "^"))
        return new_test(p, lines ? TEST_LINE_START : TEST_START, ret);
    if (take(p, "$"))
        return new_test(p, lines ? TEST_LINE_END : TEST_END, ret);
    if (take(p, "."))
        return new_node(p, NODE_ANY, ret);
    if (take(p, "["))
        return read_bracket(p, ret);
    if (take(p, "("))
        return read_group(p, ret);
    if (peek(p) == '*' || peek(p) == '+' || peek(p) == '?')
        return fail(p, "there is nothing to repeat");
    if (peek(p) == ')')
        return fail(p, "a parenthesis is not open");
    uint32_t code;
    if (take(p, "\\")) {
        int set;
        FL_TRY(read_escape(p, &set, &negated, &code));
        if (set >= 0) {
            char_class *class;
            FL_TRY(FL_NEW(p->arena, &class, p->err));
            class->sets = 1u << set;
            class->negated = negated;
            return finish_class(p, class, ret);
        }
    } else {
        code = next_code(p);
    }
    FL_TRY(new_node(p, NODE_CHAR, ret));
    (*ret)->code = p->flags & FL_REGEX_NO_CASE ? fl_case_lower(code) : code;
cleanup:
    return st;
}

static bool read_number(parser *p, int32_t *ret)
{
    if (peek(p) < '0' || peek(p) > '9')
        return false;
    *ret = 0;
    while (peek(p) >= '0' && peek(p) <= '9' && *ret <= REPEAT_MAX)
        *ret = *ret * 10 + (p->text.data[p->at++] - '0');
    return true;
}

static fl_status read_repeat(parser *p, node **ret)
{
    fl_status st = FL_OK;
    FL_TRY(read_atom(p, ret));
    for (int times = 0;; times++) {
        int32_t min = 0, max = -1;
        int64_t was = p->at;
        if (take(p, "*")) {
        } else if (take(p, "+")) {
            min = 1;
        } else if (take(p, "?")) {
            max = 1;
        } else if (take(p, "{") && read_number(p, &min)) {
            max = min;
            if (take(p, ",") && !read_number(p, &max))
                max = -1;
            if (!take(p, "}"))
                return fail(p, "a repetition is not closed");
            if (min > REPEAT_MAX || max > REPEAT_MAX || (max >= 0 && max < min))
                return fail(p, "invalid number of repetitions");
        } else {
            p->at = was;
            return FL_OK;
        }
        if (times > 0)
            return fail(p, "a repetition of a repetition");
        node *repeat;
        FL_TRY(new_node(p, NODE_REPEAT, &repeat));
        *repeat = (node){.kind = NODE_REPEAT, .a = *ret, .min = min, .max = max, .lazy = take(p, "?")};
        *ret = repeat;
    }
cleanup:
    return st;
}

/* Chains hang to the right and are walked in loops, so that a long pattern needs no deep stack. */
static fl_status read_sequence(parser *p, node **ret)
{
    fl_status st = FL_OK;
    node **end = ret;
    while (has_more(p) && peek(p) != '|' && !(peek(p) == ')' && p->depth > 0)) {
        node *cat;
        FL_TRY(new_node(p, NODE_CAT, &cat));
        FL_TRY(read_repeat(p, &cat->a));
        *end = cat;
        end = &cat->b;
    }
    st = new_node(p, NODE_EMPTY, end);
cleanup:
    return st;
}

static fl_status read_alternatives(parser *p, node **ret)
{
    fl_status st = FL_OK;
    node **end = ret;
    for (;;) {
        node *first, *alt;
        FL_TRY(read_sequence(p, &first));
        if (!take(p, "|")) {
            *end = first;
            break;
        }
        FL_TRY(new_node(p, NODE_ALT, &alt));
        alt->a = first;
        *end = alt;
        end = &alt->b;
    }
cleanup:
    return st;
}

/* ---- program ------------------------------------------------------------------------------------------------------- */

static fl_status emit(parser *p, inst in)
{
    fl_regex *re = p->regex;
    if (re->n >= PROGRAM_MAX)
        return fail(p, "too large");
    if (re->n == p->capacity) {
        inst *grown;
        p->capacity = p->capacity == 0 ? 32 : p->capacity * 2;
        fl_status st = FL_NEW_ARRAY(p->arena, p->capacity, &grown, p->err);
        if (st != FL_OK)
            return st;
        if (re->n > 0)
            memcpy(grown, re->code, (size_t)re->n * sizeof(inst));
        re->code = grown;
    }
    re->code[re->n++] = in;
    return FL_OK;
}

static void set_split(parser *p, int32_t at, int32_t inner, int32_t behind, bool lazy)
{
    p->regex->code[at].x = lazy ? behind : inner;
    p->regex->code[at].y = lazy ? inner : behind;
}

static fl_status compile(parser *p, const node *n);

static fl_status compile_repeat(parser *p, const node *n)
{
    fl_status st = FL_OK;
    fl_regex *re = p->regex;
    for (int32_t i = 0; i < n->min; i++) {
        int32_t before = re->n;
        FL_TRY(compile(p, n->a));
        if (re->n == before) /* nothing, however often */
            return FL_OK;
    }
    if (n->max < 0) {
        int32_t split = re->n;
        FL_TRY(emit(p, (inst){.op = OP_SPLIT}));
        FL_TRY(compile(p, n->a));
        FL_TRY(emit(p, (inst){.op = OP_JUMP, .x = split}));
        set_split(p, split, split + 1, re->n, n->lazy);
        return FL_OK;
    }
    int32_t first =
        re->n; /* a?a?a?: every split may leave for the end; y holds the one before until the end is known */
    int32_t chain = -1;
    for (int32_t i = n->min; i < n->max; i++) {
        int32_t split = re->n;
        FL_TRY(emit(p, (inst){.op = OP_SPLIT, .y = chain}));
        chain = split;
        FL_TRY(compile(p, n->a));
        if (re->n == split + 1)
            break;
    }
    while (chain >= first) {
        int32_t before = re->code[chain].y;
        set_split(p, chain, chain + 1, re->n, n->lazy);
        chain = before;
    }
cleanup:
    return st;
}

static fl_status compile(parser *p, const node *n)
{
    fl_status st = FL_OK;
    fl_regex *re = p->regex;
    for (; n->kind == NODE_CAT; n = n->b)
        FL_TRY(compile(p, n->a));
    switch (n->kind) {
    case NODE_EMPTY:
    case NODE_CAT:
        break;
    case NODE_CHAR:
        FL_TRY(emit(p, (inst){.op = OP_CHAR, .x = (int32_t)n->code}));
        break;
    case NODE_ANY:
        FL_TRY(emit(p, (inst){.op = p->flags & FL_REGEX_LINES ? OP_ANY_BUT_NEWLINE : OP_ANY}));
        break;
    case NODE_CLASS:
        FL_TRY(emit(p, (inst){.op = OP_CLASS, .class = n->class}));
        break;
    case NODE_TEST:
        FL_TRY(emit(p, (inst){.op = OP_TEST, .x = (int32_t)n->code}));
        break;
    case NODE_GROUP:
        if (n->code > 0 && n->code < FL_REGEX_CAPS_MAX / 2)
            FL_TRY(emit(p, (inst){.op = OP_SAVE, .x = (int32_t)n->code * 2}));
        FL_TRY(compile(p, n->a));
        if (n->code > 0 && n->code < FL_REGEX_CAPS_MAX / 2)
            FL_TRY(emit(p, (inst){.op = OP_SAVE, .x = (int32_t)n->code * 2 + 1}));
        break;
    case NODE_REPEAT:
        st = compile_repeat(p, n);
        break;
    case NODE_ALT: {
        int32_t jumps = -1; /* a chain through x of the jumps to the end */
        for (; n->kind == NODE_ALT; n = n->b) {
            int32_t split = re->n;
            FL_TRY(emit(p, (inst){.op = OP_SPLIT}));
            FL_TRY(compile(p, n->a));
            FL_TRY(emit(p, (inst){.op = OP_JUMP, .x = jumps}));
            jumps = re->n - 1;
            set_split(p, split, split + 1, re->n, false);
        }
        FL_TRY(compile(p, n));
        while (jumps >= 0) {
            int32_t before = re->code[jumps].x;
            re->code[jumps].x = re->n;
            jumps = before;
        }
        break;
    }
    }
cleanup:
    return st;
}

static bool takes(const fl_regex *re, const inst *in, uint32_t c, uint32_t folded)
{
    switch (in->op) {
    case OP_CHAR:
        return (uint32_t)in->x == (re->no_case ? folded : c);
    case OP_ANY:
        return true;
    case OP_ANY_BUT_NEWLINE:
        return c != '\n';
    default:
        if (c < 128)
            return in->class->ascii[c >> 6] >> (c & 63) & 1;
        bool has = class_has(in->class, c);
        if (!has && re->no_case)
            has = class_has(in->class, folded) || class_has(in->class, fl_case_upper(c));
        return has != in->class->negated;
    }
}

/* Whether what comes behind a loop over `in` fails where the loop could go on: it needs a character that the loop takes, or the end. */
static bool is_left_at_end(const fl_regex *re, const inst *in, int32_t behind)
{
    const inst *next = &re->code[behind];
    while (next->op == OP_SAVE || next->op == OP_JUMP)
        next = next->op == OP_JUMP ? &re->code[next->x] : next + 1;
    if (next->op == OP_CHAR)
        return !takes(re, in, (uint32_t)next->x, (uint32_t)next->x);
    return next->op == OP_MATCH || (next->op == OP_TEST && next->x == TEST_END);
}

static void mark_runs(fl_regex *re)
{
    for (int32_t i = 0; i + 2 < re->n; i++) {
        inst *in = &re->code[i];
        const inst *inner = &re->code[i + 1], *back = &re->code[i + 2];
        bool is_loop = in->op == OP_SPLIT && in->x == i + 1 && back->op == OP_JUMP && back->x == i;
        bool takes_one =
            inner->op == OP_CHAR || inner->op == OP_ANY || inner->op == OP_ANY_BUT_NEWLINE || inner->op == OP_CLASS;
        in->is_run = is_loop && takes_one && !re->no_case && is_left_at_end(re, inner, in->y);
    }
}

/* Counts the ways that lead to each instruction; those with one need no bit of their own when the search goes depth first. */
static fl_status mark_joins(parser *p)
{
    fl_regex *re = p->regex;
    int32_t *ways;
    fl_status st = FL_NEW_ARRAY(p->arena, re->n + 1, &ways, p->err);
    if (st != FL_OK)
        return st;
    ways[0] = 2; /* begun at every place of the text */
    for (int32_t i = 0; i < re->n; i++) {
        const inst *in = &re->code[i];
        re->n_forks += in->op == OP_SPLIT || in->op == OP_SAVE;
        if (in->op == OP_SPLIT || in->op == OP_JUMP)
            ways[in->x]++;
        if (in->op == OP_SPLIT)
            ways[in->y]++;
        else if (in->op != OP_JUMP && in->op != OP_MATCH)
            ways[i + 1]++;
    }
    for (int32_t i = 0; i < re->n; i++)
        re->code[i].is_join = ways[i] > 1;
    return FL_OK;
}

fl_status fl_regex_flags(fl_str text, uint32_t *flags, fl_err *err)
{
    for (int64_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case 'i':
            *flags |= FL_REGEX_NO_CASE;
            break;
        case 'c':
            *flags &= ~(uint32_t)FL_REGEX_NO_CASE;
            break;
        case 'n':
        case 'm':
            *flags |= FL_REGEX_LINES;
            break;
        case 's':
            *flags &= ~(uint32_t)FL_REGEX_LINES;
            break;
        case 'q':
            *flags |= FL_REGEX_LITERAL;
            break;
        case 'g':
            *flags |= FL_REGEX_GLOBAL;
            break;
        default:
            return fl_err_state(err, "22023",
                                FL_FAIL(err, FL_ERR_VALUE,
                                        "\"%.*s\" has a flag that regular expressions don't know: %c", FL_STR_ARG(text),
                                        text.data[i]));
        }
    }
    return FL_OK;
}

fl_status fl_regex_compile(fl_arena *arena, fl_str pattern, uint32_t flags, fl_regex **ret, fl_err *err)
{
    fl_status st = FL_OK;
    parser p = {.arena = arena, .text = pattern, .flags = flags, .err = err};
    FL_TRY(FL_NEW(arena, &p.regex, err));
    if (flags & FL_REGEX_LITERAL) {
        while (has_more(&p)) {
            uint32_t code = next_code(&p);
            FL_TRY(
                emit(&p, (inst){.op = OP_CHAR, .x = (int32_t)(flags & FL_REGEX_NO_CASE ? fl_case_lower(code) : code)}));
        }
    } else {
        node *tree;
        if (take(&p, "(?i)"))
            p.flags |= FL_REGEX_NO_CASE;
        FL_TRY(read_alternatives(&p, &tree));
        FL_TRY(compile(&p, tree));
    }
    FL_TRY(emit(&p, (inst){.op = OP_MATCH}));
    FL_TRY(mark_joins(&p));
    p.regex->n_groups = p.n_groups;
    p.regex->no_case = p.flags & FL_REGEX_NO_CASE;
    mark_runs(p.regex);
    p.regex->first_byte = -1;
    int32_t at = 0;
    while (p.regex->code[at].op == OP_SAVE)
        at++;
    const inst *first = &p.regex->code[at];
    p.regex->starts_at_start = first->op == OP_TEST && first->x == TEST_START;
    if (first->op == OP_CHAR && !p.regex->no_case) {
        char bytes[4];
        fl_utf8_encode((uint32_t)first->x, bytes);
        p.regex->first_byte = (uint8_t)bytes[0];
    }
    *ret = p.regex;
cleanup:
    return st;
}

/* ---- machine ------------------------------------------------------------------------------------------------------- */

/* Threads in order of preference. `seen` holds the step in which an instruction was last added. */
typedef struct fl_regex_threads {
    int32_t n;
    int32_t *pc;
    int64_t *caps; /* n_caps for each */
    int64_t *seen;
} threads;

typedef struct fl_regex_jump {
    int32_t pc;   /* where to go on; or, when slot >= 0: */
    int32_t slot; /* the capture to put back to `old` */
    int64_t old;  /* depth first without a slot: the place in the text */
} jump;

int32_t fl_regex_groups(const fl_regex *regex)
{
    return regex->n_groups < FL_REGEX_CAPS_MAX / 2 - 1 ? regex->n_groups : FL_REGEX_CAPS_MAX / 2 - 1;
}

fl_status fl_regex_run_init(fl_regex_run *run, const fl_regex *regex, bool wants_caps, fl_arena *arena, fl_err *err)
{
    fl_status st = FL_OK;
    *run = (fl_regex_run){.regex = regex, .arena = arena, .work = fl_work_of(arena->memory)};
    if (wants_caps)
        run->n_caps = 2 * (1 + fl_regex_groups(regex));
    threads **both[2] = {&run->now, &run->next};
    for (int i = 0; i < 2; i++) {
        FL_TRY(FL_NEW(arena, both[i], err));
        FL_TRY(FL_NEW_ARRAY(arena, regex->n, &(*both[i])->pc, err));
        FL_TRY(FL_NEW_ARRAY(arena, regex->n, &(*both[i])->seen, err));
        FL_TRY(FL_NEW_ARRAY(arena, (int64_t)regex->n * run->n_caps + 1, &(*both[i])->caps, err));
    }
    FL_TRY(FL_NEW_ARRAY(arena, regex->n + 1, &run->stack, err));
cleanup:
    return st;
}

static bool is_word_at(fl_str text, int64_t at)
{
    int width;
    if (at < 0 || at >= text.len)
        return false;
    return in_set(SET_WORD, fl_utf8_decode(text.data + at, text.len - at, &width));
}

static bool is_true(test what, fl_str text, int64_t at)
{
    if (what == TEST_START)
        return at == 0;
    if (what == TEST_END)
        return at == text.len;
    if (what == TEST_LINE_START)
        return at == 0 || text.data[at - 1] == '\n';
    if (what == TEST_LINE_END)
        return at == text.len || text.data[at] == '\n';
    int64_t before = at - 1;
    while (before > 0 && ((uint8_t)text.data[before] & 0xC0) == 0x80)
        before--;
    bool left = is_word_at(text, before), right = is_word_at(text, at);
    switch (what) {
    case TEST_BORDER:
        return left != right;
    case TEST_NO_BORDER:
        return left == right;
    case TEST_WORD_START:
        return !left && right;
    default:
        return left && !right;
    }
}

/* ---- depth first ---------------------------------------------------------------------------------------------------- */

#define SHORT_BITS_MAX (1 << 20)
#define RUN_TEXT_MAX 1024 /* runs leave no bits, so that a place may be gone over for each that a run begins at */

/* Makes room for the bits of the text up to the word; those that are new are clear. Doubling, so that a match at a long text's
 * start does not pay for its length. */
static fl_status clear_ahead(fl_regex_run *run, int64_t word, fl_err *err)
{
    int64_t wanted = (word + 1) * 2, words = run->regex->n * (run->text.len + 1) / 64 + 1;
    FL_ASSERT(word < words);
    wanted = wanted < words ? wanted : words;
    if (wanted > run->visited_capacity) {
        uint64_t *grown = NULL;
        fl_status st = fl_arena_get(run->arena, wanted * 8, (void **)&grown, err);
        if (st != FL_OK)
            return st;
        if (run->visited_words > 0)
            memcpy(grown, run->visited, (size_t)run->visited_words * 8);
        run->visited = grown;
        run->visited_capacity = wanted;
    }
    memset(run->visited + run->visited_words, 0, (size_t)(wanted - run->visited_words) * 8);
    run->visited_words = wanted;
    return fl_work_add(&run->work, wanted, err);
}

static fl_status grow_trail(fl_regex_run *run, int64_t used, fl_err *err)
{
    jump *grown = NULL;
    int64_t capacity = run->trail_capacity * 2 + 256;
    fl_status st = fl_arena_get(run->arena, capacity * (int64_t)sizeof(jump), (void **)&grown, err);
    if (st != FL_OK)
        return st;
    if (used > 0)
        memcpy(grown, run->trail, (size_t)used * sizeof(jump));
    run->trail = grown;
    run->trail_capacity = capacity;
    return FL_OK;
}

/* Forgets what failed at a place. When a match ends there, an instruction may have failed only because it led back to one that
 * was under way, as loops over nothing do; later ones look at that place again. Elsewhere nothing is forgotten: places in
 * front are not looked at again, and what lies behind does not depend on what was under way here. */
static void forget_place(fl_regex_run *run, int64_t at)
{
    for (int64_t bit = at * run->regex->n, end = bit + run->regex->n; bit < end && bit >> 6 < run->visited_words; bit++)
        run->visited[bit >> 6] &= ~(1ull << (bit & 63));
}

/* Behind all characters that the instruction takes. */
static int64_t run_over(const fl_regex *re, const inst *in, fl_str text, int64_t at)
{
    if (in->op == OP_ANY)
        return text.len;
    while (at < text.len) {
        int width = 1;
        uint32_t c = (uint8_t)text.data[at];
        if (c >= 0x80)
            c = fl_utf8_decode(text.data + at, text.len - at, &width);
        if (!takes(re, in, c, c))
            break;
        at += width;
    }
    return at;
}

/* A match that begins at `from`. Bits stay set between calls: what failed from there fails again. */
static fl_status match_from(fl_regex_run *run, int64_t from, bool *ret_found, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_regex *re = run->regex;
    fl_str text = run->text;
    int64_t top = 0;
    run->caps[0] = from;
    *ret_found = false;
    if (run->trail_capacity == 0)
        FL_TRY(grow_trail(run, 0, err));
    run->trail[top++] = (jump){.pc = 0, .slot = -1, .old = from};
    while (top > 0) {
        jump here = run->trail[--top];
        if (here.slot >= 0) {
            run->caps[here.slot] = here.old;
            continue;
        }
        int64_t at = here.old;
        if (top + 1 >= run->trail_capacity)
            FL_TRY(grow_trail(run, top, err));
        for (int32_t pc = here.pc;;) {
            const inst *in = &re->code[pc];
            if (in->is_join) {
                int64_t bit = at * re->n + pc;
                if (bit >> 6 >= run->visited_words)
                    FL_TRY(clear_ahead(run, bit >> 6, err));
                if (run->visited[bit >> 6] >> (bit & 63) & 1)
                    break;
                run->visited[bit >> 6] |= 1ull << (bit & 63);
            }
            if (in->op == OP_JUMP) {
                pc = in->x;
            } else if (in->is_run && text.len <= RUN_TEXT_MAX) {
                int64_t end = run_over(re, in + 1, text, at);
                FL_TRY(fl_work_add(&run->work, end - at, err));
                at = end;
                pc = in->y;
            } else if (in->op == OP_SPLIT || (in->op == OP_SAVE && in->x < run->n_caps)) {
                if (top == run->trail_capacity)
                    FL_TRY(grow_trail(run, top, err));
                if (in->op == OP_SPLIT) {
                    run->trail[top++] = (jump){.pc = in->y, .slot = -1, .old = at};
                    pc = in->x;
                } else {
                    run->trail[top++] = (jump){.slot = in->x, .old = run->caps[in->x]};
                    run->caps[in->x] = at;
                    pc++;
                }
            } else if (in->op == OP_SAVE) {
                pc++;
            } else if (in->op == OP_TEST) {
                if (!is_true((test)in->x, text, at))
                    break;
                pc++;
            } else if (in->op == OP_MATCH) {
                run->caps[1] = at;
                *ret_found = true;
                forget_place(run, at);
                goto cleanup;
            } else {
                if (at >= text.len)
                    break;
                int width = 1;
                uint32_t c = (uint8_t)text.data[at];
                if (c >= 0x80)
                    c = fl_utf8_decode(text.data + at, text.len - at, &width);
                if (!takes(re, in, c, re->no_case ? fl_case_lower(c) : c))
                    break;
                at += width;
                pc++;
            }
            FL_TRY(fl_work_add(&run->work, 4, err));
        }
    }
cleanup:
    return st;
}

static fl_status search_depth_first(fl_regex_run *run, int64_t start, bool *ret_found, fl_err *err)
{
    const fl_regex *re = run->regex;
    fl_str text = run->text;
    memset(run->caps, 0xFF, sizeof(run->caps));
    *ret_found = false;
    for (int64_t from = start; from <= text.len;) {
        if (re->starts_at_start && from > 0)
            return FL_OK;
        if (re->first_byte >= 0) {
            const char *hit =
                from < text.len ? memchr(text.data + from, re->first_byte, (size_t)(text.len - from)) : NULL;
            if (hit == NULL)
                return FL_OK;
            from = hit - text.data;
        }
        fl_status st = match_from(run, from, ret_found, err);
        if (st != FL_OK || *ret_found)
            return st;
        from++;
        while (from < text.len && fl_utf8_is_continuation(text.data[from]))
            from++;
    }
    return FL_OK;
}

/* ---- all threads together -------------------------------------------------------------------------------------------- */

/* Adds a thread at pc and, by preference, all that it reaches without reading a character. */
static void add(fl_regex_run *run, threads *list, int32_t pc, fl_str text, int64_t at, int64_t step, int64_t *caps)
{
    const inst *code = run->regex->code;
    jump *stack = run->stack;
    int32_t top = 0;
    stack[top++] = (jump){.pc = pc, .slot = -1};
    while (top > 0) {
        jump here = stack[--top];
        if (here.slot >= 0) {
            caps[here.slot] = here.old;
            continue;
        }
        for (pc = here.pc; list->seen[pc] != step;) {
            const inst *in = &code[pc];
            list->seen[pc] = step;
            if (in->op == OP_JUMP) {
                pc = in->x;
            } else if (in->op == OP_SPLIT) {
                stack[top++] = (jump){.pc = in->y, .slot = -1};
                pc = in->x;
            } else if (in->op == OP_SAVE) {
                if (in->x < run->n_caps) {
                    stack[top++] = (jump){.slot = in->x, .old = caps[in->x]};
                    caps[in->x] = at;
                }
                pc++;
            } else if (in->op == OP_TEST) {
                if (!is_true((test)in->x, text, at))
                    break;
                pc++;
            } else {
                if (run->n_caps > 0)
                    memcpy(list->caps + (int64_t)list->n * run->n_caps, caps, (size_t)run->n_caps * 8);
                list->pc[list->n++] = pc;
                break;
            }
        }
    }
}

static fl_status search_together(fl_regex_run *run, int64_t start, bool *ret_found, fl_err *err)
{
    const fl_regex *re = run->regex;
    fl_str text = run->text;
    threads *now = run->now, *next = run->next;
    int64_t fresh[FL_REGEX_CAPS_MAX], at = start;
    bool matched = false;
    *ret_found = false;
    now->n = next->n = 0;
    memset(now->seen, 0xFF, (size_t)re->n * 8);
    memset(next->seen, 0xFF, (size_t)re->n * 8);
    for (;;) {
        if (now->n == 0) {
            if (matched || (re->starts_at_start && at > 0))
                break;
            if (re->first_byte >= 0) {
                const char *hit =
                    at < text.len ? memchr(text.data + at, re->first_byte, (size_t)(text.len - at)) : NULL;
                if (hit == NULL)
                    break;
                at = hit - text.data;
            }
        }
        if (!matched) {
            memset(fresh, 0xFF, sizeof(fresh));
            fresh[0] = at;
            add(run, now, 0, text, at, at, fresh);
        }
        int width = 0;
        bool at_end = at >= text.len;
        uint32_t c = at_end ? 0 : fl_utf8_decode(text.data + at, text.len - at, &width);
        uint32_t folded = re->no_case ? fl_case_lower(c) : c;
        fl_status st = fl_work_add(&run->work, 8 + (int64_t)now->n * 16, err);
        if (st != FL_OK)
            return st;
        run->walked++;
        next->n = 0;
        for (int32_t i = 0; i < now->n; i++) {
            const inst *in = &re->code[now->pc[i]];
            int64_t *caps = now->caps + (int64_t)i * run->n_caps;
            if (in->op == OP_MATCH) {
                if (run->n_caps == 0) {
                    *ret_found = true;
                    return FL_OK;
                }
                memset(run->caps, 0xFF, sizeof(run->caps));
                memcpy(run->caps, caps, (size_t)run->n_caps * 8);
                run->caps[1] = at;
                matched = true;
                break; /* those behind are worth less */
            }
            if (!at_end && takes(re, in, c, folded))
                add(run, next, now->pc[i] + 1, text, at + width, at + width, caps);
        }
        if (at_end)
            break;
        at += width;
        threads *swap = now;
        now = next;
        next = swap;
    }
    *ret_found = matched;
    return FL_OK;
}

void fl_regex_begin(fl_regex_run *run, fl_str text)
{
    run->text = text;
    run->is_depth_first = run->regex->n * (text.len + 1) <= SHORT_BITS_MAX;
    run->visited_words = 0;
    run->walked = 0;
}

fl_status fl_regex_search(fl_regex_run *run, int64_t start, bool *ret_found, fl_err *err)
{
    FL_ASSERT(start >= 0 && start <= run->text.len);
    run->is_depth_first |= run->walked > 4 * run->text.len;
    return run->is_depth_first ? search_depth_first(run, start, ret_found, err)
                               : search_together(run, start, ret_found, err);
}
