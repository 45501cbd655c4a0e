/* Copying plans. The routine runs twice: once to find the bytes and to number the columns that are read, with copies that are thrown
 * away; then into the block. It takes the same steps both times, so each thing gets the same place. */
#include "plan/plan_copy.h"

#include "plan/plan_internal.h"
#include "plan/registry.h"
#include "plan/table.h"

typedef struct copier {
    fl_field_mover base;
    const fl_plan *from;
    fl_arena scratch;
    char *block;  /* NULL: measuring */
    int64_t used; /* bytes of it */
    fl_index_map places;
    void **copies; /* by place, of what is copied once; NULL: not yet */
    int64_t copies_capacity;
    int32_t n_copies;
    int32_t n_nodes;
    int32_t *numbers; /* new ids of columns, by old ones; 0: none yet */
    fl_col_id *told;  /* old ids of columns, by new ones from 0 */
    int32_t n_cols;
    int32_t n_told;
    const fl_trait_payload_entry **payloads;
    int32_t n_payloads;
    fl_table **tables;
    int64_t tables_capacity;
    int32_t n_tables;
} copier;

static fl_status take(fl_field_mover *mover, int64_t bytes, int64_t alignment, void **ret, fl_err *err)
{
    copier *c = (copier *)mover;
    int64_t at = (c->used + alignment - 1) & -alignment;
    c->used = at + bytes;
    if (c->block == NULL)
        return fl_arena_get(&c->scratch, bytes, ret, err);
    *ret = c->block + at;
    return FL_OK;
}

#define TAKE(c, n, ret, err) \
    take(&(c)->base, (n) * (int64_t)sizeof(**(ret)), (int64_t)_Alignof(__typeof__(**(ret))), (void **)(ret), (err))

/* The place of what is copied once. */
static fl_status find_place(copier *c, const void *thing, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    *ret = fl_index_map_find(&c->places, fl_index_map_key(thing));
    if (*ret >= 0)
        return FL_OK;
    FL_TRY(fl_grow(c->scratch.memory, (void **)&c->copies, &c->copies_capacity, c->n_copies + 1,
                   (int64_t)sizeof(*c->copies), err));
    FL_TRY(fl_index_map_add(&c->places, fl_index_map_key(thing), c->n_copies, err));
    c->copies[c->n_copies] = NULL;
    *ret = c->n_copies++;
cleanup:
    return st;
}

/* ---- columns ---- */

static bool is_of_table(const fl_plan *plan, fl_col_id col)
{
    return col.n > plan->n_told || fl_plan_col(plan, col)->table != NULL;
}

static void move_col(fl_field_mover *mover, fl_col_id *col, bool is_made)
{
    copier *c = (copier *)mover;
    if (col->n == 0)
        return;
    int32_t *number = &c->numbers[col->n];
    if (*number == 0) {
        if (is_made && c->block == NULL && is_of_table(c->from, *col))
            return; /* behind all others, if nothing reads it */
        c->told[c->n_cols] = *col;
        *number = ++c->n_cols;
    }
    col->n = *number;
}

static fl_status move_set(copier *c, fl_col_set *set, fl_err *err)
{
    fl_status st = FL_OK;
    fl_col_set moved = {0};
    int32_t first = INT32_MAX, end = 0;
    for (int32_t round = 0; round < 2; round++) {
        for (int32_t w = 0; w < set->n_words; w++)
            for (uint64_t word = set->words[w]; word != 0; word &= word - 1) {
                fl_col_id col = {(set->first_word + w) * 64 + __builtin_ctzll(word)};
                move_col(&c->base, &col, false);
                int32_t at = col.n >> 6;
                if (round == 1)
                    moved.words[at - first] |= 1ull << (col.n & 63);
                first = at < first ? at : first;
                end = at >= end ? at + 1 : end;
            }
        if (end == 0)
            break;
        if (round == 0) {
            FL_TRY(TAKE(c, end - first, &moved.words, err));
            memset(moved.words, 0, (size_t)(end - first) * sizeof(*moved.words));
            moved.first_word = first;
            moved.n_words = end - first;
        }
    }
    *set = moved;
cleanup:
    return st;
}

static fl_status move_cols(copier *c, const fl_col_id **cols, int32_t n, fl_err *err)
{
    fl_col_id *copy = NULL;
    fl_status st = n == 0 ? FL_OK : TAKE(c, n, &copy, err);
    for (int32_t i = 0; i < n && st == FL_OK; i++) {
        copy[i] = (*cols)[i];
        move_col(&c->base, &copy[i], false);
    }
    *cols = copy;
    return st;
}

/* ---- types and values ---- */

static fl_status move_type(fl_field_mover *mover, fl_type *type, fl_err *err)
{
    fl_status st = FL_OK;
    copier *c = (copier *)mover;
    int32_t place = 0;
    fl_field *fields = NULL;
    if (type->n_fields == 0)
        return FL_OK;
    FL_TRY(find_place(c, type->fields, &place, err));
    if (c->copies[place] == NULL) {
        FL_TRY(TAKE(c, type->n_fields, &fields, err));
        memcpy(fields, type->fields, (size_t)type->n_fields * sizeof(*fields));
        for (int32_t i = 0; i < type->n_fields; i++) {
            FL_TRY(fl_field_move_str(mover, &fields[i].name, err));
            FL_TRY(move_type(mover, &fields[i].type, err));
        }
        c->copies[place] = fields;
    }
    type->fields = c->copies[place];
cleanup:
    return st;
}

/* What a copy of the value's own bytes points to. */
static fl_status move_parts(copier *c, fl_value *value, fl_err *err)
{
    fl_status st = FL_OK;
    fl_value *items = NULL;
    FL_TRY(move_type(&c->base, &value->type, err));
    if (value->is_null)
        return FL_OK;
    if (fl_type_is_string(value->type))
        return fl_field_move_str(&c->base, &value->s, err);
    if (fl_type_is_nested(value->type)) {
        if (value->list.n > 0)
            FL_TRY(TAKE(c, value->list.n, &items, err));
        for (int64_t i = 0; i < value->list.n; i++) {
            items[i] = value->list.items[i];
            FL_TRY(move_parts(c, &items[i], err));
        }
        value->list.items = items;
    }
cleanup:
    return st;
}

static fl_status move_value(fl_field_mover *mover, const fl_value **value, fl_err *err)
{
    fl_status st = FL_OK;
    copier *c = (copier *)mover;
    fl_value *copy = NULL;
    FL_TRY(TAKE(c, 1, &copy, err));
    *copy = **value;
    FL_TRY(move_parts(c, copy, err));
    *value = copy;
cleanup:
    return st;
}

/* ---- expressions ---- */

static fl_status move_expr(fl_field_mover *mover, const fl_expr **expr, fl_err *err);

static fl_status move_exprs(copier *c, const fl_expr *const **exprs, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_expr **copy = NULL;
    if (n > 0)
        FL_TRY(TAKE(c, n, &copy, err));
    for (int32_t i = 0; i < n; i++) {
        copy[i] = (*exprs)[i];
        FL_TRY(move_expr(&c->base, &copy[i], err));
    }
    *exprs = copy;
cleanup:
    return st;
}

static fl_status move_node(fl_field_mover *mover, const fl_node **node, fl_err *err);

static fl_status move_subquery(copier *c, const fl_subquery **subquery, fl_err *err)
{
    fl_status st = FL_OK;
    fl_subquery *copy = NULL;
    FL_TRY(TAKE(c, 1, &copy, err));
    *copy = **subquery;
    if (copy->compare != NULL) {
        fl_str compare = fl_str_of(copy->compare);
        FL_TRY(fl_field_move_str(&c->base, &compare, err));
        copy->compare = compare.data;
    }
    FL_TRY(move_exprs(c, &copy->left, copy->n_left, err));
    FL_TRY(move_node(&c->base, &copy->query, err));
    *subquery = copy;
cleanup:
    return st;
}

static fl_status copy_expr(copier *c, const fl_expr *expr, fl_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_expr *copy = NULL;
    fl_headed_expr *whole = NULL;
    if (expr->size > FL_EXPR_SMALL) {
        FL_TRY(TAKE(c, 1, &whole, err));
        whole->head = (fl_expr_head){.cols = fl_expr_head_of(expr)->cols};
        FL_TRY(move_set(c, &whole->head.cols, err));
        copy = &whole->expr;
    } else {
        FL_TRY(TAKE(c, 1, &copy, err));
    }
    *copy = *expr;
    FL_TRY(move_type(&c->base, &copy->type, err));
    FL_TRY(move_exprs(c, &copy->args, copy->n_args, err));
    if (expr->kind == FL_EXPR_COLUMN)
        move_col(&c->base, &copy->col, false);
    else if (expr->kind == FL_EXPR_CONST)
        FL_TRY(move_value(&c->base, &copy->value, err));
    else if (expr->kind == FL_EXPR_SUBQUERY)
        FL_TRY(move_subquery(c, &copy->subquery, err));
    *ret = copy;
cleanup:
    return st;
}

static fl_status move_expr(fl_field_mover *mover, const fl_expr **expr, fl_err *err)
{
    fl_status st = FL_OK;
    copier *c = (copier *)mover;
    int32_t place = 0;
    fl_expr *copy = NULL;
    FL_TRY(find_place(c, *expr, &place, err));
    if (c->copies[place] == NULL) {
        FL_TRY(copy_expr(c, *expr, &copy, err));
        c->copies[place] = copy;
    }
    *expr = c->copies[place];
cleanup:
    return st;
}

/* ---- traits ---- */

static fl_status move_payload(copier *c, const fl_trait_desc *trait, int32_t *value, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_trait_payload_entry *from = c->from->payloads[*value - 1];
    fl_trait_payload_entry *entry = NULL;
    char *payload = NULL;
    int32_t place = 0;
    FL_TRY(find_place(c, from, &place, err));
    if (c->copies[place] == NULL) {
        FL_TRY(TAKE(c, 1, &entry, err));
        FL_TRY(take(&c->base, trait->payload_bytes, FL_ATTRS_ALIGNMENT, (void **)&payload, err));
        memcpy(payload, from->payload, (size_t)trait->payload_bytes);
        FL_TRY(fl_fields_move(&c->base, trait->fields, trait->n_fields, payload, err));
        *entry = (fl_trait_payload_entry){trait, payload, from->hash, c->n_payloads + 1};
        c->payloads[c->n_payloads++] = entry;
        c->copies[place] = entry;
    }
    *value = ((const fl_trait_payload_entry *)c->copies[place])->value;
cleanup:
    return st;
}

static fl_status move_traits(copier *c, const fl_trait_set **set, fl_err *err)
{
    fl_status st = FL_OK;
    fl_trait_set *copy = NULL;
    int32_t place = 0;
    if (*set == &fl_trait_set_none)
        return FL_OK;
    FL_TRY(find_place(c, *set, &place, err));
    if (c->copies[place] == NULL) {
        int64_t bytes = (int64_t)sizeof(*copy) + (*set)->n * (int64_t)sizeof((*set)->values[0]);
        FL_TRY(take(&c->base, bytes, (int64_t)_Alignof(fl_trait_set), (void **)&copy, err));
        memcpy(copy, *set, (size_t)bytes);
        for (int32_t i = 0; i < copy->n; i++)
            if (copy->values[i].trait->payload_bytes > 0)
                FL_TRY(move_payload(c, copy->values[i].trait, &copy->values[i].value, err));
        c->copies[place] = copy;
    }
    *set = c->copies[place];
cleanup:
    return st;
}

/* ---- operators ---- */

static fl_status note_table(fl_field_mover *mover, fl_table *table, fl_err *err)
{
    copier *c = (copier *)mover;
    for (int32_t i = 0; i < c->n_tables; i++)
        if (c->tables[i] == table)
            return FL_OK;
    fl_status st = fl_grow(c->scratch.memory, (void **)&c->tables, &c->tables_capacity, c->n_tables + 1,
                           (int64_t)sizeof(*c->tables), err);
    if (st == FL_OK)
        c->tables[c->n_tables++] = table;
    return st;
}

static fl_status copy_node(copier *c, const fl_node *node, fl_node **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_node *copy = NULL;
    char *attrs = NULL;
    int64_t bytes = (int64_t)sizeof(*copy) + node->n_inputs * (int64_t)sizeof(node->inputs[0]);
    FL_TRY(take(&c->base, bytes, (int64_t)_Alignof(fl_node), (void **)&copy, err));
    memcpy(copy, node, (size_t)bytes);
    for (int32_t i = 0; i < node->n_inputs; i++)
        FL_TRY(move_node(&c->base, &copy->inputs[i], err));
    if (node->op->attr_bytes > 0) {
        FL_TRY(take(&c->base, node->op->attr_bytes, FL_ATTRS_ALIGNMENT, (void **)&attrs, err));
        memcpy(attrs, node->attrs, (size_t)node->op->attr_bytes);
        FL_TRY(fl_fields_move(&c->base, node->op->fields, node->op->n_fields, attrs, err));
        copy->attrs = attrs;
    }
    FL_TRY(move_traits(c, &copy->traits, err));
    FL_TRY(move_cols(c, &copy->cols, copy->n_cols, err));
    FL_TRY(move_set(c, &copy->made, err));
    FL_TRY(move_set(c, &copy->outer, err));
    copy->id = ++c->n_nodes;
    *ret = copy;
cleanup:
    return st;
}

static fl_status move_node(fl_field_mover *mover, const fl_node **node, fl_err *err)
{
    fl_status st = FL_OK;
    copier *c = (copier *)mover;
    int32_t place = 0;
    fl_node *copy = NULL;
    FL_TRY(find_place(c, *node, &place, err));
    if (c->copies[place] == NULL) {
        FL_TRY(copy_node(c, *node, &copy, err));
        c->copies[place] = copy;
    }
    *node = c->copies[place];
cleanup:
    return st;
}

/* ---- the plan ---- */

/* Of columns that are read. */
static fl_status copy_infos(copier *c, fl_plan *plan, fl_err *err)
{
    fl_status st = FL_OK;
    if (plan->n_told == 0)
        return FL_OK;
    FL_TRY(TAKE(c, plan->n_told, &plan->cols, err));
    for (int32_t i = 0; i < plan->n_told; i++) {
        fl_col_info *info = &plan->cols[i];
        *info = *fl_plan_col(c->from, c->told[i]);
        FL_TRY(move_type(&c->base, &info->type, err));
        if (info->table != NULL)
            FL_TRY(note_table(&c->base, info->table, err));
        fl_str known = info->table != NULL ? info->table->fields[info->table_col].name : (fl_str){0};
        if (info->table != NULL && fl_str_is_equal(info->name, known))
            info->name = known;
        else
            FL_TRY(fl_field_move_str(&c->base, &info->name, err));
    }
cleanup:
    return st;
}

/* What a query's columns are called and what its parameters are. */
static fl_status copy_outside(copier *c, const fl_plan *plan, fl_query *query, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str *names = NULL;
    fl_type *param_types = NULL;
    if (query->names != NULL && query->n_outputs > 0)
        FL_TRY(TAKE(c, query->n_outputs, &names, err));
    for (int32_t i = 0; i < query->n_outputs && names != NULL; i++) {
        names[i] = fl_plan_col(plan, query->outputs[i])->name;
        if (fl_str_is_equal(names[i], query->names[i]))
            continue;
        names[i] = query->names[i];
        FL_TRY(fl_field_move_str(&c->base, &names[i], err));
    }
    query->names = names;
    if (query->n_params > 0)
        FL_TRY(TAKE(c, query->n_params, &param_types, err));
    for (int32_t i = 0; i < query->n_params; i++) {
        param_types[i] = query->param_types[i];
        FL_TRY(move_type(&c->base, &param_types[i], err));
    }
    query->param_types = param_types;
cleanup:
    return st;
}

/* Tables are not counted yet: nothing fails behind that. */
static fl_status copy_query(copier *c, const fl_query *query, fl_memory *memory, fl_query *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_plan *plan = NULL;
    fl_query copy = *query;
    for (int32_t i = 0; i < c->n_copies; i++)
        c->copies[i] = NULL;
    c->used = 0;
    c->n_nodes = 0;
    c->n_payloads = 0;
    FL_TRY(TAKE(c, 1, &plan, err));
    FL_TRY(move_node(&c->base, &copy.root, err));
    FL_TRY(move_cols(c, &copy.outputs, copy.n_outputs, err));
    if (c->block == NULL)
        c->n_told = c->n_cols;
    *plan = (fl_plan){.refs = 1,
                      .n_cols = c->n_cols,
                      .n_told = c->n_told,
                      .wants_many_rows = c->from->wants_many_rows,
                      .false_statistics = c->from->false_statistics,
                      .n_nodes = c->n_nodes,
                      .n_payloads = c->n_payloads,
                      .memory = memory,
                      .registry = c->from->registry};
    memcpy(plan->zone, c->from->zone, sizeof(plan->zone));
    copy.plan = plan;
    FL_TRY(copy_infos(c, plan, err));
    FL_TRY(copy_outside(c, plan, &copy, err));
    plan->n_tables = c->n_tables;
    if (c->n_tables > 0) {
        FL_TRY(TAKE(c, c->n_tables, &plan->tables, err));
        memcpy(plan->tables, c->tables, (size_t)c->n_tables * sizeof(*plan->tables));
    }
    if (c->n_payloads > 0) {
        FL_TRY(TAKE(c, c->n_payloads, &plan->payloads, err));
        memcpy(plan->payloads, c->payloads, (size_t)c->n_payloads * sizeof(*plan->payloads));
    }
    *ret = copy;
cleanup:
    return st;
}

fl_status fl_query_copy(const fl_query *query, fl_memory *memory, fl_query *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_plan *from = query->plan;
    copier c = {.base = {take, move_type, move_value, move_expr, move_node, move_col, note_table}, .from = from};
    fl_query copy;
    char *block = NULL;
    fl_arena_init(&c.scratch, memory);
    fl_index_map_init(&c.places, &c.scratch);
    FL_TRY(FL_NEW_ARRAY(&c.scratch, from->n_cols + 1, &c.numbers, err));
    FL_TRY(FL_NEW_ARRAY(&c.scratch, from->n_cols + 1, &c.told, err));
    FL_TRY(FL_NEW_ARRAY(&c.scratch, from->n_payloads + 1, &c.payloads, err));
    FL_TRY(copy_query(&c, query, memory, &copy, err));
    int64_t bytes = c.used;
    FL_TRY(fl_alloc(memory, bytes, (void **)&block, err));
    c.block = block;
    FL_TRY(copy_query(&c, query, memory, &copy, err));
    FL_ASSERT(c.used == bytes && (char *)copy.plan == block);
    block = NULL;
    fl_registry_ref(from->registry);
    for (int32_t i = 0; i < copy.plan->n_tables; i++)
        fl_table_ref(copy.plan->tables[i]);
    *ret = copy;
cleanup:
    fl_free(block);
    fl_free(c.copies);
    fl_free(c.tables);
    fl_arena_drop(&c.scratch);
    return st;
}
