/* Compiling by recursive descent. The parser stays before the word that it refuses: so a failure's place is where it stands. */
#include "plan/pattern.h"

#include "base/nearest.h"
#include "plan/registry.h"

typedef struct parser {
    const fl_registry *registry;
    fl_arena *arena;
    const char *at;
    fl_pattern *pattern;
} parser;

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static void skip_blanks(parser *p)
{
    while (*p->at == ' ')
        p->at++;
}

/* The word that comes next, which stays there; empty when it is no word. */
static fl_str next_word(parser *p)
{
    skip_blanks(p);
    int64_t len = 0;
    while (is_word_char(p->at[len]))
        len++;
    return (fl_str){p->at, len};
}

static bool eat(parser *p, char c)
{
    skip_blanks(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static fl_status expect(parser *p, char c, fl_err *err)
{
    return eat(p, c) ? FL_OK : FL_FAIL(err, FL_ERR_CONFIG, "'%c' is expected", c);
}

static fl_status fail_operator(const parser *p, fl_str name, fl_err *err)
{
    fl_nearest near;
    int32_t n = 0;
    const fl_op_desc *const *ops = fl_registry_ops(p->registry, &n);
    fl_status st = FL_FAIL(err, FL_ERR_CONFIG, "there is no operator \"%.*s\"", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < n; i++)
        fl_nearest_offer(&near, fl_str_of(ops[i]->name));
    fl_nearest_hint(&near, err);
    return st;
}

/* A value alone is a likely mistake: the kinds that have it are the hint. */
static fl_status fail_trait(const parser *p, fl_str name, fl_err *err)
{
    fl_nearest near;
    int32_t n = 0;
    const fl_trait_desc *const *traits = fl_registry_traits(p->registry, &n);
    fl_status st = FL_FAIL(err, FL_ERR_CONFIG, "there is no kind of trait \"%.*s\"", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (int32_t i = 0; i < n; i++)
        fl_nearest_offer(&near, fl_str_of(traits[i]->name));
    fl_nearest_hint(&near, err);
    for (int32_t i = 0; i < n; i++)
        if (fl_registry_trait_value(p->registry, traits[i], name) != FL_TRAIT_NONE) {
            fl_err_hint(err, "did you mean \"%s=%.*s\"?", traits[i]->name, FL_STR_ARG(name));
            break;
        }
    return st;
}

static fl_status parse_value(parser *p, const fl_trait_desc *trait, int32_t *ret, fl_err *err)
{
    fl_str word = next_word(p);
    int64_t number = 0;
    bool is_number = word.len > 0 && word.len < 10;
    if (trait->values != NULL) {
        fl_nearest near;
        *ret = fl_registry_trait_value(p->registry, trait, word);
        if (*ret != FL_TRAIT_NONE) {
            p->at += word.len;
            return FL_OK;
        }
        fl_status st = FL_FAIL(err, FL_ERR_CONFIG, "the trait %s has no value \"%.*s\"", trait->name, FL_STR_ARG(word));
        fl_nearest_init(&near, word);
        for (int32_t i = 0; i < trait->n_values; i++)
            fl_nearest_offer(&near, fl_str_of(trait->values[i]));
        fl_nearest_hint(&near, err);
        return st;
    }
    if (trait->payload_bytes > 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "the trait %s has no values with names", trait->name);
    for (int64_t i = 0; i < word.len && is_number; i++) {
        is_number = word.data[i] >= '0' && word.data[i] <= '9';
        number = number * 10 + (word.data[i] - '0');
    }
    if (!is_number)
        return FL_FAIL(err, FL_ERR_CONFIG, "the trait %s takes a number", trait->name);
    *ret = (int32_t)number;
    p->at += word.len;
    return FL_OK;
}

static fl_status parse_tests(parser *p, fl_pattern_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    fl_trait_value *tests = NULL;
    int32_t n = 0, n_kinds = 0;
    fl_registry_traits(p->registry, &n_kinds);
    FL_TRY(FL_NEW_ARRAY(p->arena, n_kinds, &tests, err));
    do {
        fl_str word = next_word(p);
        const fl_trait_desc *trait = fl_registry_trait(p->registry, word);
        if (trait == NULL)
            return fail_trait(p, word, err);
        for (int32_t i = 0; i < n; i++)
            if (tests[i].trait == trait)
                return FL_FAIL(err, FL_ERR_CONFIG, "the trait %s is tested twice", trait->name);
        p->at += word.len;
        FL_TRY(expect(p, '=', err));
        tests[n].trait = trait;
        FL_TRY(parse_value(p, trait, &tests[n].value, err));
        n++;
    } while (eat(p, ','));
    node->tests = tests;
    node->n_tests = n;
    st = expect(p, ']', err);
cleanup:
    return st;
}

/* [name:]class or [name:]? */
static fl_status parse_class(parser *p, fl_pattern_node *node, fl_err *err)
{
    fl_str word = next_word(p);
    const char *behind = word.data + word.len;
    while (*behind == ' ')
        behind++;
    if (word.len > 0 && *behind == ':') {
        if (fl_pattern_find(p->pattern, word) >= 0)
            return FL_FAIL(err, FL_ERR_CONFIG, "the name \"%.*s\" is given twice", FL_STR_ARG(word));
        node->name = word;
        p->at = behind + 1;
        word = next_word(p);
    }
    if (eat(p, '?'))
        return FL_OK;
    if (word.len == 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "an operator or ? is expected");
    node->op = fl_registry_op(p->registry, word);
    if (node->op == NULL)
        return fail_operator(p, word, err);
    p->at += word.len;
    return FL_OK;
}

static fl_status parse_node(parser *p, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (p->pattern->n_nodes == FL_PATTERN_NODES_MAX)
        return FL_FAIL(err, FL_ERR_CONFIG, "a pattern has at most %d operators", FL_PATTERN_NODES_MAX);
    int32_t place = p->pattern->n_nodes++;
    fl_pattern_node *node = &p->pattern->nodes[place];
    FL_TRY(parse_class(p, node, err));
    if (eat(p, '['))
        FL_TRY(parse_tests(p, node, err));
    if (eat(p, '(')) {
        int32_t inputs_max = node->op == NULL || node->op->n_inputs < 0 ? FL_PATTERN_NODES_MAX : node->op->n_inputs;
        do {
            if (node->n_inputs == inputs_max)
                return FL_FAIL(err, FL_ERR_CONFIG, "%s has at most %d inputs",
                               node->op == NULL ? "an operator" : node->op->name, inputs_max);
            int32_t input = 0;
            FL_TRY(parse_node(p, &input, err));
            node->inputs[node->n_inputs++] = (int8_t)input;
        } while (eat(p, ','));
        FL_TRY(expect(p, ')', err));
    }
    *ret = place;
cleanup:
    return st;
}

static fl_status parse(parser *p, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t place = 0;
    if (strcmp(p->at, "root") == 0) {
        p->pattern->is_root = true;
        p->pattern->n_nodes = 1;
        return FL_OK;
    }
    FL_TRY(parse_node(p, &place, err));
    FL_ASSERT(place == 0);
    skip_blanks(p);
    if (*p->at != 0)
        return FL_FAIL(err, FL_ERR_CONFIG, "the end is expected");
cleanup:
    return st;
}

fl_status fl_pattern_compile(const fl_registry *registry, const char *rule, const char *text, fl_arena *arena,
                             const fl_pattern **ret, fl_err *err)
{
    fl_pattern *pattern = NULL;
    fl_status st = FL_NEW(arena, &pattern, err);
    if (st != FL_OK)
        return st;
    parser p = {.registry = registry, .arena = arena, .at = text, .pattern = pattern};
    st = parse(&p, err);
    if (st == FL_ERR_CONFIG) {
        fl_err_prefix(err, "rule %s, pattern \"%s\", byte %lld: ", rule, text, (long long)(p.at - text) + 1);
        fl_err_at(err, p.at - text);
    }
    if (st == FL_OK)
        *ret = pattern;
    return st;
}

static bool matches_at(const fl_pattern *pattern, int32_t place, const fl_node *node, const fl_node **bound)
{
    const fl_pattern_node *p = &pattern->nodes[place];
    if ((p->op != NULL && p->op != node->op) || p->n_inputs > node->n_inputs)
        return false;
    for (int32_t i = 0; i < p->n_tests; i++)
        if (fl_trait_get(node->traits, p->tests[i].trait) != p->tests[i].value)
            return false;
    bound[place] = node;
    for (int32_t i = 0; i < p->n_inputs; i++)
        if (!matches_at(pattern, p->inputs[i], node->inputs[i], bound))
            return false;
    return true;
}

bool fl_pattern_matches(const fl_pattern *pattern, const fl_node *node, const fl_node **ret_bound)
{
    return matches_at(pattern, 0, node, ret_bound);
}

int32_t fl_pattern_find(const fl_pattern *pattern, fl_str name)
{
    for (int32_t i = 0; i < pattern->n_nodes; i++)
        if (pattern->nodes[i].name.len > 0 && fl_str_is_equal(pattern->nodes[i].name, name))
            return i;
    return -1;
}
