/* Applications of rules by the ids of what they made, which grow; and for each node that was made again the one it was made of. */
#include "plan/provenance.h"

#include "plan/plan_internal.h"

typedef struct application {
    const char *rule;
    int32_t first, end; /* ids of the nodes that it made */
    int32_t node;       /* id of what its pattern matched */
} application;

struct fl_provenance {
    fl_memory *memory;
    application *applications;
    int64_t applications_capacity;
    int32_t n_applications;
    int32_t *made_of; /* by node id; 0: of none; negative: of that one, over other inputs */
    int64_t made_of_capacity;
};

fl_status fl_plan_keep_provenance(fl_plan *plan, fl_err *err)
{
    fl_status st = FL_OK;
    FL_ASSERT(plan->making != NULL);
    if (plan->making->provenance == NULL) {
        st = fl_alloc_zero(plan->memory, (int64_t)sizeof(*plan->making->provenance), (void **)&plan->making->provenance,
                           err);
        if (st == FL_OK)
            plan->making->provenance->memory = plan->memory;
    }
    return st;
}

void fl_provenance_free(fl_provenance *p)
{
    if (p == NULL)
        return;
    fl_free(p->applications);
    fl_free(p->made_of);
    fl_free(p);
}

fl_status fl_provenance_note_made(fl_plan *plan, const fl_node *of, const fl_node *made, bool is_same, fl_err *err)
{
    fl_provenance *p = plan->making->provenance;
    FL_ASSERT(p != NULL);
    if (made->id <= of->id) /* it was there before */
        return FL_OK;
    int64_t old = p->made_of_capacity;
    fl_status st =
        fl_grow(p->memory, (void **)&p->made_of, &p->made_of_capacity, made->id + 1, (int64_t)sizeof(*p->made_of), err);
    if (st != FL_OK)
        return st;
    if (p->made_of_capacity > old)
        memset(p->made_of + old, 0, (size_t)(p->made_of_capacity - old) * sizeof(*p->made_of));
    if (p->made_of[made->id] == 0)
        p->made_of[made->id] = is_same ? -of->id : of->id;
    return FL_OK;
}

fl_status fl_provenance_note_rule(fl_plan *plan, const char *rule, const fl_node *node, int32_t n_before, fl_err *err)
{
    fl_provenance *p = plan->making->provenance;
    if (p == NULL || plan->n_nodes == n_before)
        return FL_OK;
    FL_ASSERT(node->id <= n_before && n_before < plan->n_nodes);
    FL_ASSERT(p->n_applications == 0 || p->applications[p->n_applications - 1].end <= n_before + 1);
    fl_status st = fl_grow(p->memory, (void **)&p->applications, &p->applications_capacity, p->n_applications + 1,
                           (int64_t)sizeof(*p->applications), err);
    if (st == FL_OK)
        p->applications[p->n_applications++] = (application){rule, n_before + 1, plan->n_nodes + 1, node->id};
    return st;
}

static const application *find_application(const fl_provenance *p, int32_t id)
{
    int32_t low = 0, high = p->n_applications;
    while (low < high) {
        int32_t mid = low + (high - low) / 2;
        if (p->applications[mid].end <= id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < p->n_applications && p->applications[low].first <= id ? &p->applications[low] : NULL;
}

int32_t fl_provenance_rules(const fl_plan *plan, const fl_node *node, const char *ret[FL_PROVENANCE_RULES_MAX])
{
    const fl_provenance *p = plan->making == NULL ? NULL : plan->making->provenance;
    int32_t n = 0;
    for (int32_t id = node->id; p != NULL && id > 0 && n < FL_PROVENANCE_RULES_MAX;) {
        const application *a = find_application(p, id);
        int32_t of = id < p->made_of_capacity ? p->made_of[id] : 0;
        if (a != NULL && of >= 0 && (n == 0 || ret[n - 1] != a->rule))
            ret[n++] = a->rule;
        if (of == 0 && a != NULL)
            of = a->node;
        of = of < 0 ? -of : of;
        FL_ASSERT(of < id); /* so it ends */
        id = of;
    }
    return n;
}
