/* What on_match asks of its call. */
#include "plan/rule.h"

#define RESULTS_MIN 4

fl_status fl_rule_call_transform_to(fl_rule_call *call, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    if (call->n_results == call->results_capacity) { /* the old array stays in the scratch until it is reset */
        const fl_node **grown = NULL;
        int64_t capacity = call->n_results == 0 ? RESULTS_MIN : call->results_capacity * 2;
        FL_TRY(FL_NEW_ARRAY(call->scratch, capacity, &grown, err));
        for (int32_t i = 0; i < call->n_results; i++)
            grown[i] = call->results[i];
        call->results = grown;
        call->results_capacity = capacity;
    }
    call->results[call->n_results++] = node;
cleanup:
    return st;
}

fl_status fl_rule_call_equate(fl_rule_call *call, const fl_node *part, const fl_node *other, fl_err *err)
{
    fl_status st = FL_OK;
    fl_equal_plans *grown = NULL;
    FL_ASSERT(call->is_costed && part != other);
    if (call->n_equals == call->equals_capacity) {
        int64_t capacity = call->n_equals == 0 ? RESULTS_MIN : call->equals_capacity * 2;
        FL_TRY(FL_NEW_ARRAY(call->scratch, capacity, &grown, err));
        for (int32_t i = 0; i < call->n_equals; i++)
            grown[i] = call->equals[i];
        call->equals = grown;
        call->equals_capacity = capacity;
    }
    call->equals[call->n_equals++] = (fl_equal_plans){part, other};
cleanup:
    return st;
}

const fl_node *fl_rule_call_bound(const fl_rule_call *call, const char *name)
{
    int32_t place = fl_pattern_find(call->pattern, fl_str_of(name));
    FL_ASSERT(place >= 0);
    return call->bound[place];
}
