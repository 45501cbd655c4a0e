/* One line for each operator and outcome, however often a fixpoint comes by and over whatever inputs. */
#include "opt/rule_inquiry.h"

#include "base/hash.h"
#include "plan/explain.h"

#define LINES_MAX 100

static const char *const outcomes[] = {"its pattern does not match", "its check refuses", "it hands over nothing new",
                                       "it fires"};

void fl_rule_inquiry_init(fl_rule_inquiry *inquiry, const fl_rule_desc *rule, fl_text *text)
{
    FL_ASSERT(rule != NULL && text != NULL);
    *inquiry = (fl_rule_inquiry){.rule = rule, .text = text};
    fl_text_init(&inquiry->tries, text->memory);
    fl_arena_init(&inquiry->arena, text->memory);
    fl_index_map_init(&inquiry->seen, &inquiry->arena);
}

void fl_rule_inquiry_drop(fl_rule_inquiry *inquiry)
{
    fl_text_drop(&inquiry->tries);
    fl_arena_drop(&inquiry->arena);
}

fl_status fl_rule_inquiry_write(fl_rule_inquiry *inquiry, const fl_plan *plan, const fl_node *node,
                                fl_rule_outcome outcome, fl_err *err)
{
    FL_ASSERT(node->id > 0 && outcome < FL_LEN(outcomes));
    fl_status st = FL_OK;
    fl_text line;
    fl_text_init(&line, inquiry->text->memory);
    fl_explain_operator(&line, plan, node);
    fl_text_addf(&line, ": %s", outcomes[outcome]);
    FL_TRY(fl_text_status(&line, err));
    uint64_t key = fl_hash_str(line.data, line.len, 0) | 1;
    if (fl_index_map_find(&inquiry->seen, key) >= 0)
        goto cleanup;
    if (inquiry->seen.n >= LINES_MAX) {
        inquiry->n_hidden++;
        goto cleanup;
    }
    fl_text_addf(&inquiry->tries, "  %.*s\n", FL_STR_ARG(fl_text_str(&line)));
    st = fl_index_map_add(&inquiry->seen, key, 0, err);
cleanup:
    fl_text_drop(&line);
    return st;
}

fl_status fl_rule_inquiry_finish(fl_rule_inquiry *inquiry, fl_err *err)
{
    fl_text *text = inquiry->text;
    const fl_rule_desc *rule = inquiry->rule;
    fl_text_addf(text, "why not %s (phase %s, pattern %s)\n", rule->name, rule->phase, rule->pattern);
    if (inquiry->is_off)
        fl_text_add(text, FL_STR("  it is switched off\n"));
    else if (!inquiry->has_run)
        fl_text_add(text, FL_STR("  its phase does not run\n"));
    else if (inquiry->seen.n == 0)
        fl_text_add(text, FL_STR("  no operator is one that its pattern begins with\n"));
    fl_text_add(text, fl_text_str(&inquiry->tries));
    if (inquiry->n_hidden > 0)
        fl_text_addf(text, "  … and %d tries more\n", inquiry->n_hidden);
    return fl_text_status(&inquiry->tries, err);
}
