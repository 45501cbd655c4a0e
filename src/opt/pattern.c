/* Patterns are read while they are matched: they are a few characters long, and the class name decides most of the time. */
#include "opt/pattern.h"

bool fl_pattern_is_root(const char *pattern)
{
    return strcmp(pattern, "root") == 0;
}

static bool has_trait(const fl_node *node, fl_str value)
{
    if (fl_str_is_equal(value, FL_STR("logical")))
        return fl_trait_get(node->traits, &fl_trait_convention) == FL_LOGICAL;
    for (int32_t i = 0; i < node->traits->n; i++) {
        const fl_trait_value *v = &node->traits->values[i];
        if (v->trait->values != NULL && v->value < v->trait->n_values &&
            fl_str_is_equal(fl_str_of(v->trait->values[v->value]), value))
            return true;
    }
    return false;
}

static fl_str word(const char **at)
{
    const char *start = *at;
    while ((**at >= 'a' && **at <= 'z') || **at == '_')
        (*at)++;
    return (fl_str){start, *at - start};
}

/* Matches one pattern and moves behind it. node NULL: only moves. */
static bool match(const char **at, const fl_node *node)
{
    bool ok = node != NULL;
    if (**at == '?') {
        (*at)++;
    } else {
        fl_str name = word(at);
        FL_ASSERT(name.len > 0);
        ok = ok && fl_str_is_equal(fl_str_of(node->op->name), name);
    }
    if (**at == '[') {
        (*at)++;
        fl_str value = word(at);
        ok = ok && has_trait(node, value);
        FL_ASSERT(**at == ']');
        (*at)++;
    }
    if (**at == '(') {
        int32_t input = 0;
        do {
            (*at)++;
            while (**at == ' ')
                (*at)++;
            const fl_node *below = ok && input < node->n_inputs ? node->inputs[input] : NULL;
            ok = match(at, below) && ok;
            input++;
        } while (**at == ',');
        FL_ASSERT(**at == ')');
        (*at)++;
    }
    return ok;
}

bool fl_pattern_matches(const char *pattern, const fl_node *node)
{
    size_t len = strcspn(pattern, "[(");
    if (pattern[0] != '?' && (strncmp(pattern, node->op->name, len) != 0 || node->op->name[len] != 0))
        return false;
    const char *at = pattern;
    return match(&at, node) && *at == 0;
}
