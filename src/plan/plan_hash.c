/* Hashes and equality of plans, by one canonical form.
 *
 * A walk over a plan makes a term of each part: what it is, and the numbers of its parts' terms. Terms are hash-consed in a table,
 * so the same part has the same number, and of two plans that were put into one table the roots' numbers say whether they are
 * equal. Beside its number each term has a hash, which is made of its parts' hashes: of names and values.
 *
 * Ids of columns mean nothing outside of their plan. A column is the place in the node that makes it, and a node is told from
 * those like it by a count in the order of the walk: so both scans of a self join keep their own columns. The count is over
 * stems, the nodes without their expressions, since a scan's filters already read its columns. What a subquery counted is
 * forgotten behind it, as nobody else sees its columns: thus conjuncts with subqueries may stand in any order. */
#include "plan/plan_hash.h"

#include "base/hash.h"
#include "base/interrupt.h"
#include "plan/plan_internal.h"
#include "plan/table.h"

#include <stdlib.h>

/* What a term is: its first word. */
enum {
    TERM_STEM,
    TERM_INSTANCE,
    TERM_NODE,
    TERM_SHARED,
    TERM_COLUMN,
    TERM_FREE_COLUMN,
    TERM_TABLE,
    TERM_TABLE_COLUMN,
    TERM_DETAIL,
    TERM_AGG,
    TERM_KEY,
    TERM_ROOT,
    TERM_EXPR /* and the expression's kind */
};

/* What is said of a term beside words. */
typedef struct detail {
    fl_str text;
    const fl_type *type;
    const fl_value *value;
} detail;

typedef struct term {
    uint64_t hash;
    const uint64_t *words; /* numbers of other terms among them; what stands where follows from the words before it */
    int32_t n_words;
    int32_t n_instances; /* of stems: nodes seen that have it */
    detail detail;
} term;

/* A word of a term in the making; `hash` is what it adds to the term's. */
typedef struct token {
    uint64_t word;
    uint64_t hash;
} token;

typedef struct made_col {
    int32_t maker; /* the instance of the node that makes it; 0: none that was seen */
    int32_t field;
    int32_t place;
    int32_t term; /* 0: not asked for yet */
} made_col;

typedef struct canon {
    bool literals;
    fl_arena arena; /* words */
    fl_work work;
    term *terms; /* from 1 on; 0 is none */
    int64_t terms_capacity;
    int32_t n_terms;
    int32_t *slots; /* open addressing by hash: numbers of terms, 0 = free; a power of two */
    int64_t n_slots;
    token *tokens; /* a stack: terms in the making, parts behind what they are parts of */
    int64_t tokens_capacity;
    int32_t n_tokens;

    /* Of the plan that is walked. */
    int32_t *nodes; /* terms, by id */
    made_col *cols; /* by id */
    fl_index_map exprs;
    int32_t n_free_cols;
    int32_t *counted; /* stems, in the order in which they were counted */
    int64_t counted_capacity;
    int32_t n_counted;
} canon;

/* ---- terms -------------------------------------------------------------------------------------------------------- */

static fl_status put_token(canon *c, uint64_t word, uint64_t hash, fl_err *err)
{
    fl_status st = fl_grow(c->arena.memory, (void **)&c->tokens, &c->tokens_capacity, c->n_tokens + 1,
                           (int64_t)sizeof(*c->tokens), err);
    if (st == FL_OK)
        c->tokens[c->n_tokens++] = (token){word, hash};
    return st;
}

static fl_status put(canon *c, uint64_t word, fl_err *err)
{
    return put_token(c, word, word, err);
}

/* `number` 0: no part. */
static fl_status put_term(canon *c, int32_t number, fl_err *err)
{
    return put_token(c, (uint64_t)number, number == 0 ? 0 : c->terms[number].hash, err);
}

static int compare_tokens(const void *a, const void *b)
{
    const token *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->word < y->word ? -1 : x->word > y->word;
}

/* Brings the parts that were put from `from` on into the one order of all orders. */
static void sort_tokens(canon *c, int32_t from)
{
    if (c->n_tokens - from > 1)
        qsort(c->tokens + from, (size_t)(c->n_tokens - from), sizeof(*c->tokens), compare_tokens);
}

static bool is_term(const canon *c, const term *t, int32_t from, uint64_t hash, const detail *d)
{
    if (t->hash != hash || t->n_words != c->n_tokens - from || !fl_str_is_equal(t->detail.text, d->text) ||
        (t->detail.type == NULL) != (d->type == NULL) || (t->detail.value == NULL) != (d->value == NULL) ||
        (d->type != NULL && !fl_type_is_equal(*t->detail.type, *d->type)) ||
        (d->value != NULL && !fl_value_is_same(t->detail.value, d->value)))
        return false;
    for (int32_t i = 0; i < t->n_words; i++)
        if (t->words[i] != c->tokens[from + i].word)
            return false;
    return true;
}

static int64_t free_slot(const canon *c, uint64_t hash)
{
    int64_t at = (int64_t)(hash & (uint64_t)(c->n_slots - 1));
    while (c->slots[at] != 0)
        at = (at + 1) & (c->n_slots - 1);
    return at;
}

static fl_status grow_slots(canon *c, fl_err *err)
{
    int32_t *old = c->slots;
    int64_t grown = c->n_slots == 0 ? 256 : c->n_slots * 2;
    fl_status st = fl_alloc_zero(c->arena.memory, grown * (int64_t)sizeof(*c->slots), (void **)&c->slots, err);
    if (st != FL_OK) {
        c->slots = old;
        return st;
    }
    c->n_slots = grown;
    for (int32_t number = 1; number <= c->n_terms; number++)
        c->slots[free_slot(c, c->terms[number].hash)] = number;
    fl_free(old);
    return FL_OK;
}

/* Makes a term of the tokens from `from` on, which are taken away, or finds it. */
static fl_status finish(canon *c, int32_t from, const detail *d, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *words = NULL;
    int32_t n = c->n_tokens - from;
    uint64_t hash = fl_hash_bytes(d->text.data, d->text.len);
    if (d->type != NULL)
        hash = fl_hash_combine(hash, fl_type_hash(*d->type));
    if (d->value != NULL)
        hash = fl_hash_combine(hash, fl_value_hash(d->value));
    for (int32_t i = from; i < c->n_tokens; i++)
        hash = fl_hash_combine(hash, c->tokens[i].hash);
    FL_TRY(fl_work_add(&c->work, 8 * (int64_t)n + d->text.len, err));
    if (((int64_t)c->n_terms + 1) * 2 > c->n_slots)
        FL_TRY(grow_slots(c, err));
    for (int64_t at = (int64_t)(hash & (uint64_t)(c->n_slots - 1)); c->slots[at] != 0;
         at = (at + 1) & (c->n_slots - 1)) {
        if (is_term(c, &c->terms[c->slots[at]], from, hash, d)) {
            *ret = c->slots[at];
            c->n_tokens = from;
            return FL_OK;
        }
    }
    FL_TRY(fl_grow(c->arena.memory, (void **)&c->terms, &c->terms_capacity, c->n_terms + 2, (int64_t)sizeof(*c->terms),
                   err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, n, &words, err));
    for (int32_t i = 0; i < n; i++)
        words[i] = c->tokens[from + i].word;
    c->terms[++c->n_terms] = (term){.hash = hash, .words = words, .n_words = n, .detail = *d};
    c->slots[free_slot(c, hash)] = c->n_terms;
    *ret = c->n_terms;
    c->n_tokens = from;
cleanup:
    return st;
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

static fl_status term_of_col(canon *c, fl_col_id col, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    made_col *made = &c->cols[col.n];
    int32_t from = c->n_tokens;
    if (made->term == 0 && made->maker == 0) {
        FL_TRY(put(c, TERM_FREE_COLUMN, err));
        FL_TRY(put(c, (uint64_t)c->n_free_cols++, err));
        FL_TRY(finish(c, from, &(detail){0}, &made->term, err));
    } else if (made->term == 0) {
        FL_TRY(put(c, TERM_COLUMN, err));
        FL_TRY(put_term(c, made->maker, err));
        FL_TRY(put(c, (uint64_t)made->field, err));
        FL_TRY(put(c, (uint64_t)made->place, err));
        FL_TRY(finish(c, from, &(detail){0}, &made->term, err));
    }
    *ret = made->term;
cleanup:
    return st;
}

static fl_status put_col(canon *c, fl_col_id col, fl_err *err)
{
    int32_t number = 0;
    fl_status st = term_of_col(c, col, &number, err);
    return st != FL_OK ? st : put_term(c, number, err);
}

/* A column that passes through keeps its first maker. */
static void note_maker(canon *c, fl_col_id col, int32_t maker, int32_t field, int32_t place)
{
    if (col.n > 0 && c->cols[col.n].maker == 0)
        c->cols[col.n] = (made_col){.maker = maker, .field = field, .place = place};
}

/* ---- expressions -------------------------------------------------------------------------------------------------- */

static fl_status term_of_expr(canon *c, const fl_expr *expr, int32_t *ret, fl_err *err);
static fl_status visit(canon *c, const fl_node *node, fl_err *err);

/* `expr` NULL: none. */
static fl_status put_expr(canon *c, const fl_expr *expr, fl_err *err)
{
    int32_t number = 0;
    fl_status st = expr == NULL ? FL_OK : term_of_expr(c, expr, &number, err);
    return st != FL_OK ? st : put_term(c, number, err);
}

static fl_status put_exprs(canon *c, const fl_expr *const *exprs, int32_t n, bool is_unordered, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(put(c, (uint64_t)n, err));
    int32_t from = c->n_tokens;
    for (int32_t i = 0; i < n; i++)
        FL_TRY(put_expr(c, exprs[i], err));
    if (is_unordered)
        sort_tokens(c, from);
cleanup:
    return st;
}

/* A type as it counts: in a shape decimals are one type, since a literal's digits decide which it and its neighbours have. */
static const fl_type *type_that_counts(const canon *c, const fl_type *type)
{
    static const fl_type decimal = {.id = FL_DECIMAL};
    return !c->literals && type->id == FL_DECIMAL ? &decimal : type;
}

static fl_status finish_typed(canon *c, int32_t from, const fl_type *type, int32_t *ret, fl_err *err)
{
    detail d = {.type = type_that_counts(c, type)};
    return finish(c, from, &d, ret, err);
}

/* The nth thing of those that are alike: as many as the stem has are told apart, until uncount(). */
static fl_status count_instance(canon *c, int32_t stem, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens;
    FL_TRY(fl_grow(c->arena.memory, (void **)&c->counted, &c->counted_capacity, c->n_counted + 1,
                   (int64_t)sizeof(*c->counted), err));
    FL_TRY(put(c, TERM_INSTANCE, err));
    FL_TRY(put_term(c, stem, err));
    FL_TRY(put(c, (uint64_t)c->terms[stem].n_instances, err));
    FL_TRY(finish(c, from, &(detail){0}, ret, err));
    c->terms[stem].n_instances++;
    c->counted[c->n_counted++] = stem;
cleanup:
    return st;
}

static void uncount(canon *c, int32_t n_counted)
{
    while (c->n_counted > n_counted)
        c->terms[c->counted[--c->n_counted]].n_instances--;
}

/* `x IN (constants)` in a shape, where one constant, which is written `x = constant`, is as good as many. */
static fl_status term_of_membership(canon *c, const fl_expr *x, const fl_type *type, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens;
    FL_TRY(put(c, TERM_EXPR + FL_EXPR_IN, err));
    FL_TRY(put_expr(c, x, err));
    st = finish_typed(c, from, type, ret, err);
cleanup:
    return st;
}

static fl_status term_of_call(canon *c, const fl_expr *e, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const char *name = e->func->name;
    int32_t from = c->n_tokens;
    if (!c->literals && e->n_args == 2 && strcmp(name, "=") == 0 &&
        fl_expr_is_const(e->args[0]) != fl_expr_is_const(e->args[1])) {
        bool is_mirrored = fl_expr_is_const(e->args[0]);
        return term_of_membership(c, e->args[is_mirrored], &e->args[!is_mirrored]->type, ret, err);
    }
    FL_TRY(put(c, TERM_EXPR + FL_EXPR_CALL, err));
    FL_TRY(put(c, e->func->identity, err));
    FL_TRY(put_exprs(c, e->args, e->n_args, false, err));
    if (e->n_args == 2 && e->func->mirror != NULL) {
        token *args = &c->tokens[c->n_tokens - 2];
        int order = compare_tokens(&args[0], &args[1]);
        if (order > 0 || (order == 0 && strcmp(e->func->mirror, name) < 0))
            name = e->func->mirror;
        sort_tokens(c, c->n_tokens - 2);
    }
    FL_TRY(finish(c, from, &(detail){.text = fl_str_of(name)}, ret, err));
    if (!(e->traits & (FL_PURE | FL_STABLE))) /* each is another, but where one is used twice */
        st = count_instance(c, *ret, ret, err);
cleanup:
    return st;
}

static fl_status term_of_subquery(canon *c, const fl_subquery *s, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens, n_counted = c->n_counted;
    int32_t n_cols = s->kind == FL_SUBQUERY_SCALAR ? 1 : s->kind == FL_SUBQUERY_EXISTS ? 0 : s->n_left;
    FL_TRY(visit(c, s->query, err));
    FL_TRY(put(c, TERM_EXPR + FL_EXPR_SUBQUERY, err));
    FL_TRY(put(c, (uint64_t)s->kind, err));
    FL_TRY(put_exprs(c, s->left, s->n_left, false, err));
    FL_TRY(put_term(c, c->nodes[s->query->id], err));
    for (int32_t i = 0; i < n_cols; i++)
        FL_TRY(put_col(c, s->query->cols[i], err));
    FL_TRY(finish(c, from, &(detail){.text = fl_str_of(s->compare)}, ret, err));
    uncount(c, n_counted);
cleanup:
    return st;
}

static fl_status make_expr(canon *c, const fl_expr *e, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens;
    switch (e->kind) {
    case FL_EXPR_COLUMN:
        return term_of_col(c, e->col, ret, err);
    case FL_EXPR_CALL:
        return term_of_call(c, e, ret, err);
    case FL_EXPR_SUBQUERY:
        return term_of_subquery(c, e->subquery, ret, err);
    case FL_EXPR_IN:
        if (!c->literals)
            return term_of_membership(c, e->args[0], &e->args[1]->type, ret, err);
        break;
    default:
        break;
    }
    FL_TRY(put(c, TERM_EXPR + (uint64_t)e->kind, err));
    switch (e->kind) {
    case FL_EXPR_CONST: {
        detail value = {.type = &e->type, .value = e->value}; /* the value's hash sees no names of fields */
        return c->literals ? finish(c, from, &value, ret, err) : finish_typed(c, from, &e->type, ret, err);
    }
    case FL_EXPR_PARAM:
    case FL_EXPR_FIELD:
        FL_TRY(put(c, (uint64_t)e->param, err));
        break;
    case FL_EXPR_CAST:
        FL_TRY(put(c, (uint64_t)e->is_try * 2 + e->is_compared, err));
        break;
    default:
        break;
    }
    FL_TRY(put_exprs(c, e->args, e->n_args, e->kind == FL_EXPR_AND || e->kind == FL_EXPR_OR, err));
    if (e->kind == FL_EXPR_PARAM || e->kind == FL_EXPR_CAST || e->kind == FL_EXPR_STRUCT)
        return finish_typed(c, from, &e->type, ret, err);
    st = finish(c, from, &(detail){0}, ret, err);
cleanup:
    return st;
}

static fl_status term_of_expr(canon *c, const fl_expr *expr, int32_t *ret, fl_err *err)
{
    bool is_kept = expr->size > FL_EXPR_SMALL || (expr->flags & FL_EXPR_VOLATILE);
    int32_t known = is_kept ? fl_index_map_find(&c->exprs, fl_index_map_key(expr)) : -1;
    if (known >= 0) {
        *ret = known;
        return FL_OK;
    }
    fl_status st = make_expr(c, expr, ret, err);
    return st == FL_OK && is_kept ? fl_index_map_add(&c->exprs, fl_index_map_key(expr), *ret, err) : st;
}

/* ---- nodes -------------------------------------------------------------------------------------------------------- */

static fl_status put_keys(canon *c, const fl_sort_key *keys, int32_t n, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(put(c, (uint64_t)n, err));
    for (int32_t i = 0; i < n; i++) {
        FL_TRY(put_expr(c, keys[i].expr, err));
        FL_TRY(put(c, (uint64_t)keys[i].is_descending * 2 + keys[i].nulls_first, err));
    }
cleanup:
    return st;
}

static fl_status put_agg(canon *c, const fl_agg *agg, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens, number = 0;
    FL_TRY(put(c, TERM_AGG, err));
    FL_TRY(put(c, agg->agg->identity, err));
    FL_TRY(put(c, agg->is_distinct, err));
    FL_TRY(put_exprs(c, agg->args, agg->n_args, false, err));
    FL_TRY(put_expr(c, agg->filter, err));
    FL_TRY(put_keys(c, agg->order, agg->n_order, err));
    if (agg->frame != NULL) {
        const fl_frame *f = agg->frame;
        FL_TRY(put(c,
                   (uint64_t)f->unit << 32 | (uint64_t)f->start << 24 | (uint64_t)f->end << 16 |
                       (uint64_t)f->exclude << 8 | f->ignores_nulls,
                   err));
        for (int32_t i = 0; i < FL_FRAME_EXPRS; i++)
            FL_TRY(put_expr(c, f->exprs[i], err));
    }
    FL_TRY(finish(c, from, &(detail){.text = fl_str_of(agg->agg->name)}, &number, err));
    st = put_term(c, number, err);
cleanup:
    return st;
}

static fl_status put_table(canon *c, const fl_table *table, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens, number = 0;
    bool is_function = !c->literals && table->function.len > 0;
    FL_TRY(put(c, TERM_TABLE, err));
    FL_TRY(put(c, c->literals ? table->options_hash : 0, err));
    FL_TRY(put(c, fl_hash_bytes(table->format, (int64_t)strlen(table->format)), err));
    for (int32_t i = 0; i < table->n_cols; i++) {
        int32_t col_from = c->n_tokens;
        detail col = {.text = table->fields[i].name, .type = &table->fields[i].type};
        FL_TRY(put(c, TERM_TABLE_COLUMN, err));
        FL_TRY(finish(c, col_from, &col, &number, err));
        FL_TRY(put_term(c, number, err));
    }
    FL_TRY(finish(c, from, &(detail){.text = is_function ? table->function : table->name}, &number, err));
    st = put_term(c, number, err);
cleanup:
    return st;
}

/* A term of its own for what is more than a word. */
static fl_status put_detail(canon *c, const detail *d, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens, number = 0;
    FL_TRY(put(c, TERM_DETAIL, err));
    FL_TRY(finish(c, from, d, &number, err));
    st = put_term(c, number, err);
cleanup:
    return st;
}

static fl_status put_order_key(canon *c, const fl_order_key *key, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t flags = (uint64_t)key->is_descending * 4 + (uint64_t)key->nulls_first * 2 + key->is_null_free;
    FL_TRY(put(c, (uint64_t)key->n_cols * 8 + flags, err));
    int32_t from = c->n_tokens;
    for (int32_t i = 0; i < key->n_cols; i++)
        FL_TRY(put_col(c, key->cols[i], err));
    sort_tokens(c, from); /* of columns that are equal none comes first */
cleanup:
    return st;
}

/* Fields without expressions: they belong to the stem. */
static fl_status put_stem_field(canon *c, const fl_attr_field *f, const void *attrs, fl_err *err)
{
    fl_status st = FL_OK;
    switch (f->kind) {
    case FL_FIELD_COL:
        return put(c, FL_FIELD_AT(fl_col_id, attrs, f->offset).n != 0, err);
    case FL_FIELD_COLS:
        return put(c, (uint64_t)fl_field_count(f, attrs), err);
    case FL_FIELD_COLS_USED: {
        FL_TRY(put(c, (uint64_t)fl_field_count(f, attrs), err));
        int32_t from = c->n_tokens;
        for (int32_t i = 0; i < fl_field_count(f, attrs); i++)
            FL_TRY(put_col(c, FL_FIELD_AT(const fl_col_id *, attrs, f->offset)[i], err));
        if (f->is_unordered)
            sort_tokens(c, from);
        break;
    }
    case FL_FIELD_I32:
        return put(c, (uint64_t)FL_FIELD_AT(int32_t, attrs, f->offset), err);
    case FL_FIELD_I64: { /* a literal of the text; negative: it has none */
        int64_t value = FL_FIELD_AT(int64_t, attrs, f->offset);
        return put(c, c->literals ? (uint64_t)value : value < 0, err);
    }
    case FL_FIELD_BOOL:
        return put(c, FL_FIELD_AT(bool, attrs, f->offset), err);
    case FL_FIELD_ENUM: {
        const char *name = f->names[FL_FIELD_AT(int32_t, attrs, f->offset)];
        return put(c, fl_hash_bytes(name, (int64_t)strlen(name)), err);
    }
    case FL_FIELD_TABLE:
        return put_table(c, FL_FIELD_AT(fl_table *, attrs, f->offset), err);
    case FL_FIELD_STR:
        return put_detail(c, &(detail){.text = FL_FIELD_AT(fl_str, attrs, f->offset)}, err);
    case FL_FIELD_TYPE:
        return put_detail(c, &(detail){.type = &FL_FIELD_AT(fl_type, attrs, f->offset)}, err);
    case FL_FIELD_VALUE: {
        const fl_value *value = FL_FIELD_AT(const fl_value *, attrs, f->offset);
        detail d = {.type = value == NULL ? NULL : &value->type, .value = c->literals ? value : NULL};
        return put_detail(c, &d, err);
    }
    case FL_FIELD_F64: {
        double value = FL_FIELD_AT(double, attrs, f->offset);
        uint64_t bits = 0;
        memcpy(&bits, &value, sizeof(bits));
        return put(c, c->literals ? bits : 0, err);
    }
    case FL_FIELD_ORDER_KEYS:
        FL_TRY(put(c, (uint64_t)fl_field_count(f, attrs), err));
        for (int32_t i = 0; i < fl_field_count(f, attrs); i++)
            FL_TRY(put_order_key(c, &FL_FIELD_AT(const fl_order_key *, attrs, f->offset)[i], err));
        break;
    case FL_FIELD_PLAN: {
        const fl_node *node = FL_FIELD_AT(const fl_node *, attrs, f->offset);
        return node == NULL ? put(c, 0, err) : put_term(c, c->nodes[node->id], err);
    }
    case FL_FIELD_NAME: /* whatever it is called */
    case FL_FIELD_EXPR:
    case FL_FIELD_EXPRS:
    case FL_FIELD_SORT_KEYS:
    case FL_FIELD_AGGS:
        break;
    }
cleanup:
    return st;
}

static fl_status put_expr_field(canon *c, const fl_attr_field *f, const void *attrs, fl_err *err)
{
    fl_status st = FL_OK;
    switch (f->kind) {
    case FL_FIELD_EXPR:
        return put_expr(c, FL_FIELD_AT(const fl_expr *, attrs, f->offset), err);
    case FL_FIELD_EXPRS:
        return put_exprs(c, FL_FIELD_AT(const fl_expr *const *, attrs, f->offset), fl_field_count(f, attrs),
                         f->is_unordered, err);
    case FL_FIELD_SORT_KEYS:
        return put_keys(c, FL_FIELD_AT(const fl_sort_key *, attrs, f->offset), fl_field_count(f, attrs), err);
    case FL_FIELD_AGGS:
        FL_TRY(put(c, (uint64_t)fl_field_count(f, attrs), err));
        for (int32_t i = 0; i < fl_field_count(f, attrs); i++)
            FL_TRY(put_agg(c, &FL_FIELD_AT(const fl_agg *, attrs, f->offset)[i], err));
        break;
    default:
        break;
    }
cleanup:
    return st;
}

static void note_made_cols(canon *c, const fl_node *node, int32_t maker)
{
    for (int32_t i = 0; i < node->op->n_fields; i++) {
        const fl_attr_field *f = &node->op->fields[i];
        int32_t n = f->kind == FL_FIELD_COLS || f->kind == FL_FIELD_AGGS ? fl_field_count(f, node->attrs) : 0;
        if (f->kind == FL_FIELD_COL)
            note_maker(c, FL_FIELD_AT(fl_col_id, node->attrs, f->offset), maker, i, 0);
        for (int32_t place = 0; place < n; place++)
            note_maker(c,
                       f->kind == FL_FIELD_COLS ? FL_FIELD_AT(const fl_col_id *, node->attrs, f->offset)[place]
                                                : FL_FIELD_AT(const fl_agg *, node->attrs, f->offset)[place].out,
                       maker, i, place);
    }
}

/* The inputs have terms. */
static fl_status add_node(canon *c, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens, number = 0;
    FL_TRY(put(c, TERM_STEM, err));
    FL_TRY(put(c, (uint64_t)node->n_inputs, err));
    for (int32_t i = 0; i < node->n_inputs; i++)
        FL_TRY(put_term(c, c->nodes[node->inputs[i]->id], err));
    for (int32_t i = 0; i < node->op->n_fields; i++)
        FL_TRY(put_stem_field(c, &node->op->fields[i], node->attrs, err));
    FL_TRY(finish(c, from, &(detail){.text = fl_str_of(node->op->name)}, &number, err));
    FL_TRY(count_instance(c, number, &number, err));
    note_made_cols(c, node, number);
    FL_TRY(put(c, TERM_NODE, err));
    FL_TRY(put_term(c, number, err));
    for (int32_t i = 0; i < node->op->n_fields; i++)
        FL_TRY(put_expr_field(c, &node->op->fields[i], node->attrs, err));
    st = finish(c, from, &(detail){0}, &c->nodes[node->id], err);
cleanup:
    return st;
}

/* Rows that are computed once are one thing to all that read them, also behind this subquery: they stay counted. What is below
 * them does not, since nobody else sees its columns. */
static fl_status count_shared(canon *c, const fl_node *node, int32_t n_counted, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t from = c->n_tokens, number = 0;
    uncount(c, n_counted);
    FL_TRY(put(c, TERM_SHARED, err));
    FL_TRY(put_term(c, c->nodes[node->id], err));
    FL_TRY(finish(c, from, &(detail){0}, &number, err));
    FL_TRY(count_instance(c, number, &c->nodes[node->id], err));
    c->n_counted = n_counted;
cleanup:
    return st;
}

static fl_status visit(canon *c, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    for (int32_t i = 0; i < node->n_inputs && c->nodes[node->id] == 0; i++) {
        const fl_node *input = node->inputs[i];
        bool is_new = c->nodes[input->id] == 0;
        int32_t n_counted = c->n_counted;
        FL_TRY(visit(c, input, err));
        if (is_new && node->op->is_computed_once)
            FL_TRY(count_shared(c, input, n_counted, err));
    }
    for (int32_t i = 0; i < node->op->n_fields && c->nodes[node->id] == 0; i++) {
        const fl_attr_field *f = &node->op->fields[i];
        const fl_node *plan = f->kind == FL_FIELD_PLAN ? FL_FIELD_AT(const fl_node *, node->attrs, f->offset) : NULL;
        if (plan != NULL)
            FL_TRY(visit(c, plan, err));
    }
    if (c->nodes[node->id] == 0)
        st = add_node(c, node, err);
cleanup:
    return st;
}

/* ---- queries ------------------------------------------------------------------------------------------------------ */

static void init(canon *c, const fl_query *query, bool literals)
{
    *c = (canon){.literals = literals};
    fl_arena_init(&c->arena, query->plan->memory);
    c->work = fl_work_of(c->arena.memory);
}

static void drop(canon *c)
{
    fl_free(c->terms);
    fl_free(c->slots);
    fl_free(c->tokens);
    fl_free(c->counted);
    fl_arena_drop(&c->arena);
}

static fl_status term_of_query(canon *c, const fl_query *query, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    c->n_free_cols = 0;
    c->n_counted = 0;
    for (int32_t i = 1; i <= c->n_terms; i++)
        c->terms[i].n_instances = 0;
    fl_index_map_init(&c->exprs, &c->arena);
    FL_TRY(FL_NEW_ARRAY(&c->arena, fl_plan_nodes(query->plan) + 1, &c->nodes, err));
    FL_TRY(FL_NEW_ARRAY(&c->arena, fl_plan_cols(query->plan) + 1, &c->cols, err));
    FL_TRY(visit(c, query->root, err));
    FL_TRY(put(c, TERM_ROOT, err));
    FL_TRY(put_term(c, c->nodes[query->root->id], err));
    for (int32_t i = 0; i < query->n_outputs; i++)
        FL_TRY(put_col(c, query->outputs[i], err));
    st = finish(c, 0, &(detail){0}, ret, err);
cleanup:
    return st;
}

fl_status fl_plan_hash(const fl_query *query, bool literals, uint64_t *ret, fl_err *err)
{
    canon c;
    int32_t root = 0;
    init(&c, query, literals);
    fl_status st = term_of_query(&c, query, &root, err);
    if (st == FL_OK)
        *ret = c.terms[root].hash;
    drop(&c);
    return st;
}

fl_status fl_plan_is_equal(const fl_query *a, const fl_query *b, bool literals, bool *ret, fl_err *err)
{
    fl_status st = FL_OK;
    canon c;
    int32_t root_a = 0, root_b = 0;
    init(&c, a, literals);
    FL_TRY(term_of_query(&c, a, &root_a, err));
    FL_TRY(term_of_query(&c, b, &root_b, err));
    *ret = root_a == root_b;
cleanup:
    drop(&c);
    return st;
}
