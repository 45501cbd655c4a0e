/* Steps to syntax nodes. A clause that is already passed makes the query so far a subquery. */
#include "front/builder/builder.h"

#include "base/excerpt.h"

#include <ctype.h>

#define POSITIONS_MAX (INT32_MAX / 2)
#define NO_PLACE (-1) /* of nodes that no fragment spells out */

typedef struct fl_step_text {
    struct fl_step_text *before;
    const char *step; /* "where" */
    fl_str text;
    int32_t base;
} fl_step_text;

/* ---- errors ---- */

static const fl_step_text *text_at(const fl_steps *s, int64_t place)
{
    const fl_step_text *text = s->texts;
    while (text != NULL && text->base > place)
        text = text->before;
    return text;
}

void fl_steps_locate(const fl_steps *s, fl_err *err)
{
    if (err == NULL || err->position <= 0)
        return;
    const fl_step_text *text = text_at(s, err->position - 1);
    if (text == NULL)
        return;
    int64_t place = err->position - 1 - text->base;
    fl_err_prefix(err, "%s: ", text->step);
    fl_err_add_excerpt(err, text->text, place < text->text.len ? place : text->text.len);
}

/* Keeps what a step's work came to; an error of `made` is told by its step. */
static void note(fl_steps *s, fl_status st, const fl_err *made)
{
    if (st == FL_OK || s->st != FL_OK)
        return;
    s->st = st;
    s->err = *made;
    fl_steps_locate(s, &s->err);
}

static void fail(fl_steps *s, const char *step, const char *message)
{
    if (s->st == FL_OK)
        s->st = FL_FAIL(&s->err, FL_ERR_SYNTAX, "%s: %s", step, message);
}

/* ---- nodes ---- */

static fl_status new_star(fl_steps *s, fl_ast_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW(&s->arena, ret, err));
    **ret = (fl_ast_expr){.kind = FL_AST_STAR, .height = 1, .start = NO_PLACE, .end = NO_PLACE, .at = NO_PLACE};
    FL_TRY(FL_NEW(&s->arena, &(*ret)->star, err));
cleanup:
    return st;
}

static fl_status new_count(fl_steps *s, int64_t rows, fl_ast_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW(&s->arena, ret, err));
    **ret = (fl_ast_expr){.kind = FL_AST_INTEGER, .height = 1, .start = NO_PLACE, .end = NO_PLACE, .at = NO_PLACE};
    FL_TRY(fl_arena_format(&s->arena, &(*ret)->text, err, "%lld", (long long)rows));
cleanup:
    return st;
}

/* SELECT * FROM `from`. */
static fl_status new_query(fl_steps *s, fl_ast_table *from, fl_err *err)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW(&s->arena, &s->query, err));
    FL_TRY(FL_NEW(&s->arena, &s->query->body, err));
    FL_TRY(FL_NEW(&s->arena, &s->select, err));
    FL_TRY(FL_NEW(&s->arena, &s->select->items, err));
    FL_TRY(new_star(s, &s->select->items[0].expr, err));
    s->query->start = s->query->end = s->query->body->start = s->query->body->end = NO_PLACE;
    s->query->body->kind = FL_AST_BODY_SELECT;
    s->query->body->select = s->select;
    s->select->item_count = 1;
    s->select->from = from;
cleanup:
    return st;
}

/* Both arrays one after the other. */
static fl_status append(fl_steps *s, void *items, int32_t *count, const void *more, int32_t more_count, int64_t bytes,
                        fl_err *err)
{
    char *old, *all;
    memcpy(&old, items, sizeof(old));
    fl_status st = fl_arena_get(&s->arena, (*count + more_count) * bytes + 1, (void **)&all, err);
    if (st != FL_OK)
        return st;
    if (*count > 0)
        memcpy(all, old, (size_t)(*count * bytes));
    if (more_count > 0)
        memcpy(all + *count * bytes, more, (size_t)(more_count * bytes));
    memcpy(items, &all, sizeof(all));
    *count += more_count;
    return FL_OK;
}

/* What columns of the query so far may still be called when it becomes a subquery: by its table, when it has one. */
static fl_ast_name name_of(const fl_ast_table *from)
{
    if (from->alias.text.len > 0)
        return from->alias;
    switch ((fl_ast_table_kind)from->kind) {
    case FL_AST_TABLE_NAME:
        return from->path.parts[from->path.count - 1];
    case FL_AST_TABLE_FUNCTION:
        return from->call->path.parts[from->call->path.count - 1];
    default:
        return (fl_ast_name){0};
    }
}

static fl_status wrap(fl_steps *s, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ast_table *table;
    FL_TRY(FL_NEW(&s->arena, &table, err));
    *table =
        (fl_ast_table){.kind = FL_AST_TABLE_QUERY, .height = 1, .start = NO_PLACE, .end = NO_PLACE, .query = s->query};
    if (s->select->from != NULL)
        table->alias = name_of(s->select->from);
    FL_TRY(new_query(s, table, err));
cleanup:
    return st;
}

/* ---- steps ---- */

/* Makes room for a step of this kind; false: there was an error, here or before. */
static bool begin(fl_steps *s, fl_step step, const char *name)
{
    fl_err err = {0};
    if (s->is_grouped && step != FL_STEP_GROUP && step != FL_STEP_WINDOW && step != FL_STEP_SELECT)
        fail(s, name, "group_by is followed by agg");
    if (s->copy != NULL)
        fail(s, name, "copy_to is the last step");
    if (s->st != FL_OK)
        return false;
    bool is_once = step == FL_STEP_SELECT || step == FL_STEP_TAKE || step == FL_STEP_SKIP || step == FL_STEP_SAMPLE;
    if (s->last > step || (s->last == step && is_once))
        note(s, wrap(s, &err), &err);
    s->last = step;
    return s->st == FL_OK;
}

/* Keeps a copy of the text, with a place in the space of positions. */
static fl_status enter(fl_steps *s, const char *step, fl_str text, fl_sql_fragment *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_step_text *made;
    if (text.len >= POSITIONS_MAX - s->base)
        return FL_FAIL(err, FL_ERR_LIMIT, "%s: the steps' texts have more than %d bytes", step, POSITIONS_MAX);
    FL_TRY(FL_NEW(&s->arena, &made, err));
    *made = (fl_step_text){.before = s->texts, .step = step, .base = s->base};
    FL_TRY(fl_arena_copy_str(&s->arena, text, &made->text, err));
    s->texts = made;
    s->base += (int32_t)text.len + 1; /* the end of a text is a place, too */
    *ret = (fl_sql_fragment){.memory = s->memory, .arena = &s->arena, .text = made->text, .base = made->base};
cleanup:
    return st;
}

static void leave(fl_steps *s, const fl_sql_fragment *fragment)
{
    if (fragment->parameter_count > s->parameter_count)
        s->parameter_count = fragment->parameter_count;
}

/* Whether a table's text is a file's path as it stands: it has a dot or a slash, and nothing that a path has not. */
static bool is_path(fl_str text)
{
    if (text.len == 0 || text.data[0] == '\'' || text.data[0] == '"' ||
        memchr(text.data, '(', (size_t)text.len) != NULL)
        return false;
    return memchr(text.data, '.', (size_t)text.len) != NULL || memchr(text.data, '/', (size_t)text.len) != NULL;
}

static fl_status parse_table(fl_steps *s, const char *step, fl_str text, fl_ast_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sql_fragment fragment;
    FL_TRY(enter(s, step, text, &fragment, err));
    if (is_path(text)) {
        FL_TRY(FL_NEW(&s->arena, ret, err));
        **ret = (fl_ast_table){.kind = FL_AST_TABLE_FILE,
                               .height = 1,
                               .start = fragment.base,
                               .end = fragment.base + (int32_t)text.len,
                               .file = fragment.text};
        return FL_OK;
    }
    FL_TRY(fl_sql_fragment_table(&fragment, ret, err));
    leave(s, &fragment);
cleanup:
    return st;
}

static fl_status parse_condition(fl_steps *s, const char *step, fl_str text, fl_ast_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sql_fragment fragment;
    FL_TRY(enter(s, step, text, &fragment, err));
    FL_TRY(fl_sql_fragment_condition(&fragment, ret, err));
    leave(s, &fragment);
cleanup:
    return st;
}

void fl_steps_init(fl_steps *s, fl_memory *memory)
{
    *s = (fl_steps){.memory = memory};
    fl_arena_init(&s->arena, memory);
}

void fl_steps_drop(fl_steps *s)
{
    fl_arena_drop(&s->arena);
}

void fl_steps_from(fl_steps *s, fl_str table)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_ast_table *from;
    FL_TRY(parse_table(s, "from", table, &from, &err));
    FL_TRY(new_query(s, from, &err));
cleanup:
    note(s, st, &err);
}

static const struct {
    const char *name;
    fl_ast_join_kind kind;
    bool is_asof;
} join_kinds[] = {
    {"inner", FL_AST_JOIN_INNER, false},   {"left", FL_AST_JOIN_LEFT, false},
    {"right", FL_AST_JOIN_RIGHT, false},   {"full", FL_AST_JOIN_FULL, false},
    {"semi", FL_AST_JOIN_SEMI, false},     {"anti", FL_AST_JOIN_ANTI, false},
    {"cross", FL_AST_JOIN_CROSS, false},   {"asof", FL_AST_JOIN_INNER, true},
    {"asof left", FL_AST_JOIN_LEFT, true}, {"positional", FL_AST_JOIN_POSITIONAL, false},
};

static bool has_condition(fl_ast_join_kind kind)
{
    return kind != FL_AST_JOIN_CROSS && kind != FL_AST_JOIN_POSITIONAL;
}

static fl_status add_join(fl_steps *s, fl_ast_join_kind kind, bool is_asof, fl_str table, fl_str on, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ast_table *joined;
    fl_ast_join *join;
    FL_TRY(FL_NEW(&s->arena, &joined, err));
    FL_TRY(FL_NEW(&s->arena, &join, err));
    join->kind = kind;
    join->is_asof = is_asof;
    join->left = s->select->from;
    FL_TRY(parse_table(s, "join", table, &join->right, err));
    if (has_condition(kind))
        FL_TRY(parse_condition(s, "join", on, &join->on, err));
    if (join->left->height >= FL_SQL_DEPTH_MAX) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "join: nested too deep: %d is the limit", FL_SQL_DEPTH_MAX);
        fl_err_state(err, "54001", st);
        goto cleanup;
    }
    *joined = (fl_ast_table){.kind = FL_AST_TABLE_JOIN,
                             .height = (uint16_t)(join->left->height + 1),
                             .start = join->right->start,
                             .end = join->right->end,
                             .join = join};
    s->select->from = joined;
cleanup:
    return st;
}

void fl_steps_join(fl_steps *s, fl_str table, fl_str kind, fl_str on)
{
    fl_err err = {0};
    int64_t found = 0;
    while (found < FL_LEN(join_kinds) && !fl_str_is_equal_nocase(kind, fl_str_of(join_kinds[found].name)))
        found++;
    if (found == FL_LEN(join_kinds)) {
        fail(s, "join",
             "the kind of a join is inner, left, right, full, semi, anti, cross, asof, asof left or positional");
        return;
    }
    bool is_free = !has_condition(join_kinds[found].kind);
    if (is_free != (on.len == 0))
        fail(s, "join",
             is_free ? "a cross or positional join has no condition"
                     : "a join needs a condition, unless it is a cross or positional join");
    if (begin(s, FL_STEP_JOIN, "join"))
        note(s, add_join(s, join_kinds[found].kind, join_kinds[found].is_asof, table, on, &err), &err);
}

/* Puts a condition to those that there are. */
static fl_status add_condition(fl_steps *s, const char *step, fl_str condition, fl_ast_expr **to, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ast_expr *more, *both, *old = *to;
    FL_TRY(parse_condition(s, step, condition, &more, err));
    if (old == NULL) {
        *to = more;
        return FL_OK;
    }
    FL_TRY(FL_NEW(&s->arena, &both, err));
    *both = (fl_ast_expr){.kind = FL_AST_AND,
                          .start = old->start,
                          .end = more->end,
                          .at = more->start,
                          .height = (uint16_t)((old->height > more->height ? old->height : more->height) + 1)};
    if (old->kind == FL_AST_AND) {
        both->height = old->height > more->height ? old->height : (uint16_t)(more->height + 1);
        both->list = old->list;
    } else {
        FL_TRY(append(s, &both->list.items, &both->list.count, &old, 1, sizeof(fl_ast_expr *), err));
    }
    FL_TRY(append(s, &both->list.items, &both->list.count, &more, 1, sizeof(fl_ast_expr *), err));
    *to = both;
cleanup:
    return st;
}

void fl_steps_where(fl_steps *s, fl_str condition)
{
    fl_err err = {0};
    if (begin(s, FL_STEP_WHERE, "where"))
        note(s, add_condition(s, "where", condition, &s->select->where, &err), &err);
}

void fl_steps_qualify(fl_steps *s, fl_str condition)
{
    fl_err err = {0};
    if (begin(s, FL_STEP_QUALIFY, "qualify"))
        note(s, add_condition(s, "qualify", condition, &s->select->qualify, &err), &err);
}

void fl_steps_window(fl_steps *s, fl_str windows)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    fl_ast_select made = {0};
    if (!begin(s, FL_STEP_WINDOW, "window"))
        return;
    FL_TRY(enter(s, "window", windows, &fragment, &err));
    FL_TRY(fl_sql_fragment_windows(&fragment, &made, &err));
    leave(s, &fragment);
    FL_TRY(append(s, &s->select->windows, &s->select->window_count, made.windows, made.window_count,
                  sizeof(*made.windows), &err));
cleanup:
    note(s, st, &err);
}

void fl_steps_sample(fl_steps *s, fl_str size)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    if (!begin(s, FL_STEP_SAMPLE, "sample"))
        return;
    FL_TRY(enter(s, "sample", size, &fragment, &err));
    FL_TRY(fl_sql_fragment_sample(&fragment, &s->select->sample, &err));
    leave(s, &fragment);
cleanup:
    note(s, st, &err);
}

/* Whether keys make several sets: a word of those that do stands in front of a parenthesis. */
static bool has_sets(fl_str keys)
{
    static const char *const words[] = {"rollup", "cube", "sets"};
    for (int64_t at = 0; at < keys.len; at++) {
        for (int64_t w = 0; w < FL_LEN(words); w++) {
            fl_str word = fl_str_of(words[w]);
            int64_t end = at + word.len;
            bool is_apart = at == 0 || (!isalnum((unsigned char)keys.data[at - 1]) && keys.data[at - 1] != '_');
            if (!is_apart || end > keys.len || !fl_str_is_equal_nocase((fl_str){keys.data + at, word.len}, word))
                continue;
            while (end < keys.len && keys.data[end] == ' ')
                end++;
            if (end < keys.len && keys.data[end] == '(')
                return true;
        }
    }
    return false;
}

static bool is_same_column(const fl_ast_expr *a, const fl_ast_expr *b)
{
    if (a->kind != FL_AST_COLUMN || b->kind != FL_AST_COLUMN || a->path.count != b->path.count)
        return false;
    for (int32_t i = 0; i < a->path.count; i++)
        if (!fl_str_is_equal_nocase(a->path.parts[i].text, b->path.parts[i].text))
            return false;
    return true;
}

/* The keys of an element of GROUP BY, each once, become columns of the agg. */
static fl_status add_set_keys(fl_steps *s, fl_ast_expr *element, fl_err *err)
{
    fl_status st = FL_OK;
    bool is_list = element->kind == FL_AST_ROLLUP || element->kind == FL_AST_CUBE || element->kind == FL_AST_SETS ||
                   element->kind == FL_AST_ROW;
    for (int32_t i = 0; is_list && i < element->list.count; i++)
        FL_TRY(add_set_keys(s, element->list.items[i], err));
    for (int32_t i = 0; !is_list && i < s->group_count; i++)
        if (is_same_column(s->groups[i].expr, element))
            return FL_OK;
    fl_ast_item item = {.expr = element};
    if (!is_list)
        FL_TRY(append(s, &s->groups, &s->group_count, &item, 1, sizeof(item), err));
cleanup:
    return st;
}

void fl_steps_group_by(fl_steps *s, fl_str keys)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    fl_ast_item *items;
    int32_t n;
    if (!begin(s, FL_STEP_GROUP, "group_by"))
        return;
    FL_TRY(enter(s, "group_by", keys, &fragment, &err));
    if (has_sets(keys)) {
        fl_ast_select made = {0};
        FL_TRY(fl_sql_fragment_groups(&fragment, &made, &err));
        leave(s, &fragment);
        FL_TRY(append(s, &s->select->groups, &s->select->group_count, made.groups, made.group_count,
                      sizeof(fl_ast_expr *), &err));
        for (int32_t i = 0; i < made.group_count; i++)
            FL_TRY(add_set_keys(s, made.groups[i], &err));
    } else {
        FL_TRY(fl_sql_fragment_items(&fragment, &items, &n, &err));
        leave(s, &fragment);
        FL_TRY(append(s, &s->groups, &s->group_count, items, n, sizeof(*items), &err));
        for (int32_t i = 0; i < n; i++)
            FL_TRY(
                append(s, &s->select->groups, &s->select->group_count, &items[i].expr, 1, sizeof(fl_ast_expr *), &err));
    }
    s->select->has_group = s->is_grouped = true;
cleanup:
    note(s, st, &err);
}

void fl_steps_agg(fl_steps *s, fl_str aggregates)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    fl_ast_item *items;
    int32_t n;
    if (!begin(s, FL_STEP_SELECT, "agg"))
        return;
    FL_TRY(enter(s, "agg", aggregates, &fragment, &err));
    FL_TRY(fl_sql_fragment_items(&fragment, &items, &n, &err));
    leave(s, &fragment);
    FL_TRY(append(s, &s->groups, &s->group_count, items, n, sizeof(*items), &err));
    s->select->items = s->groups;
    s->select->item_count = s->group_count;
    s->groups = NULL;
    s->group_count = 0;
    s->is_grouped = false;
cleanup:
    note(s, st, &err);
}

void fl_steps_select(fl_steps *s, fl_str list)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    if (s->is_grouped)
        fail(s, "select", "group_by is followed by agg");
    if (!begin(s, FL_STEP_SELECT, "select"))
        return;
    FL_TRY(enter(s, "select", list, &fragment, &err));
    FL_TRY(fl_sql_fragment_select(&fragment, s->select, &err));
    leave(s, &fragment);
cleanup:
    note(s, st, &err);
}

void fl_steps_order_by(fl_steps *s, fl_str keys)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    fl_ast_query made = {0};
    if (!begin(s, FL_STEP_ORDER, "order_by"))
        return;
    FL_TRY(enter(s, "order_by", keys, &fragment, &err));
    FL_TRY(fl_sql_fragment_order(&fragment, &made, &err));
    leave(s, &fragment);
    if (s->query->order_count > 0 && (made.order_all || s->query->order_all)) {
        fail(s, "order_by", "ALL goes with no other keys");
        goto cleanup;
    }
    s->query->order_all = made.order_all;
    FL_TRY(
        append(s, &s->query->order, &s->query->order_count, made.order, made.order_count, sizeof(*made.order), &err));
cleanup:
    note(s, st, &err);
}

void fl_steps_take(fl_steps *s, int64_t rows)
{
    fl_err err = {0};
    if (rows < 0)
        fail(s, "take", "a number of rows is not negative");
    if (begin(s, FL_STEP_TAKE, "take"))
        note(s, new_count(s, rows, &s->query->limit, &err), &err);
}

void fl_steps_skip(fl_steps *s, int64_t rows)
{
    fl_err err = {0};
    if (rows < 0)
        fail(s, "skip", "a number of rows is not negative");
    if (begin(s, FL_STEP_SKIP, "skip"))
        note(s, new_count(s, rows, &s->query->offset, &err), &err);
}

/* ---- set operations ---- */

/* "union all by name" */
static bool read_set_kind(fl_str kind, fl_ast_set *ret)
{
    static const struct {
        const char *name;
        fl_ast_set_op op;
        bool is_all, is_by_name;
    } kinds[] = {{"union", FL_AST_UNION, false, false},         {"union all", FL_AST_UNION, true, false},
                 {"union by name", FL_AST_UNION, false, true},  {"union all by name", FL_AST_UNION, true, true},
                 {"intersect", FL_AST_INTERSECT, false, false}, {"intersect all", FL_AST_INTERSECT, true, false},
                 {"except", FL_AST_EXCEPT, false, false},       {"except all", FL_AST_EXCEPT, true, false}};
    for (int64_t i = 0; i < FL_LEN(kinds); i++) {
        if (!fl_str_is_equal_nocase(kind, fl_str_of(kinds[i].name)))
            continue;
        *ret = (fl_ast_set){.op = kinds[i].op, .is_all = kinds[i].is_all, .is_by_name = kinds[i].is_by_name};
        return true;
    }
    return false;
}

static fl_status new_body(fl_steps *s, fl_ast_body_kind kind, fl_ast_body **ret, fl_err *err)
{
    fl_status st = FL_NEW(&s->arena, ret, err);
    if (st == FL_OK)
        **ret = (fl_ast_body){.kind = kind, .start = NO_PLACE, .end = NO_PLACE};
    return st;
}

/* The query so far as a side: its body, where it has nothing behind it. */
static fl_status side_of(fl_steps *s, fl_ast_body **ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_ast_query *query = s->query;
    *ret = query->body;
    if (query->order_count == 0 && query->limit == NULL && query->offset == NULL)
        return FL_OK;
    FL_TRY(new_body(s, FL_AST_BODY_QUERY, ret, err));
    (*ret)->query = s->query;
cleanup:
    return st;
}

static fl_status add_set(fl_steps *s, const fl_ast_set *kind, fl_str text, fl_err *err)
{
    fl_status st = FL_OK;
    fl_ast_body *left, *right, *whole;
    fl_ast_table *table;
    FL_TRY(side_of(s, &left, err));
    FL_TRY(parse_table(s, "set", text, &table, err));
    bool is_query = table->kind == FL_AST_TABLE_QUERY && table->alias.text.len == 0;
    if (is_query) {
        FL_TRY(new_body(s, FL_AST_BODY_QUERY, &right, err));
        right->query = table->query;
    } else {
        FL_TRY(new_query(s, table, err));
        right = s->query->body;
    }
    bool is_longer = left->kind == FL_AST_BODY_SET && left->set->op == kind->op && left->set->is_all == kind->is_all &&
                     left->set->is_by_name == kind->is_by_name;
    FL_TRY(new_query(s, table, err));
    s->select->from = NULL; /* what is below has no name for what comes behind */
    FL_TRY(new_body(s, FL_AST_BODY_SET, &whole, err));
    FL_TRY(FL_NEW(&s->arena, &whole->set, err));
    *whole->set = *kind;
    if (is_longer)
        FL_TRY(append(s, &whole->set->inputs, &whole->set->input_count, left->set->inputs, left->set->input_count,
                      sizeof(fl_ast_body *), err));
    else
        FL_TRY(append(s, &whole->set->inputs, &whole->set->input_count, &left, 1, sizeof(fl_ast_body *), err));
    FL_TRY(append(s, &whole->set->inputs, &whole->set->input_count, &right, 1, sizeof(fl_ast_body *), err));
    s->query->body = whole;
    s->last = FL_STEP_SET;
cleanup:
    return st;
}

void fl_steps_set(fl_steps *s, fl_str kind, fl_str table)
{
    fl_err err = {0};
    fl_ast_set made;
    if (s->is_grouped)
        fail(s, "set", "group_by is followed by agg");
    if (!read_set_kind(kind, &made))
        fail(s, "set", "the kind is union, intersect or except, behind it all, for union by name, too");
    if (s->st == FL_OK)
        note(s, add_set(s, &made, table, &err), &err);
}

/* ---- pivot ---- */

/* What there is as a table: the table itself, where there is nothing else. */
static fl_status take_source(fl_steps *s, const char *step, fl_ast_table_kind kind, fl_ast_table **ret_source,
                             fl_ast_table **ret, fl_err *err)
{
    fl_status st = FL_OK;
    if (s->is_grouped)
        fail(s, step, "group_by is followed by agg");
    if (s->st != FL_OK)
        return s->st;
    if (s->last > FL_STEP_JOIN)
        FL_TRY(wrap(s, err));
    *ret_source = s->select->from;
    FL_TRY(FL_NEW(&s->arena, ret, err));
    **ret = (fl_ast_table){
        .kind = (uint8_t)kind, .height = (uint16_t)(s->select->from->height + 1), .start = NO_PLACE, .end = NO_PLACE};
cleanup:
    return st;
}

void fl_steps_pivot(fl_steps *s, fl_str keys, fl_str usings, fl_str groups)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    fl_ast_table *table, *source;
    fl_ast_select made = {0};
    if (take_source(s, "pivot", FL_AST_TABLE_PIVOT, &source, &table, &err) != FL_OK)
        return note(s, s->st, &err);
    FL_TRY(FL_NEW(&s->arena, &table->pivot, &err));
    table->pivot->source = source;
    FL_TRY(enter(s, "pivot", keys, &fragment, &err));
    FL_TRY(fl_sql_fragment_pivot_keys(&fragment, table->pivot, &err));
    leave(s, &fragment);
    if (usings.len > 0) {
        FL_TRY(enter(s, "pivot", usings, &fragment, &err));
        FL_TRY(fl_sql_fragment_pivot_usings(&fragment, table->pivot, &err));
        leave(s, &fragment);
    }
    if (groups.len > 0) {
        FL_TRY(enter(s, "pivot", groups, &fragment, &err));
        FL_TRY(fl_sql_fragment_groups(&fragment, &made, &err));
        leave(s, &fragment);
        table->pivot->has_group = true;
        table->pivot->groups = made.groups;
        table->pivot->group_count = made.group_count;
    }
    FL_TRY(new_query(s, table, &err));
    s->last = FL_STEP_FROM;
cleanup:
    note(s, st, &err);
}

void fl_steps_unpivot(fl_steps *s, fl_str columns, fl_str name, fl_str values)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    fl_ast_table *table, *source;
    fl_ast_unpivot first = {0};
    if (take_source(s, "unpivot", FL_AST_TABLE_UNPIVOT, &source, &table, &err) != FL_OK)
        return note(s, s->st, &err);
    FL_TRY(FL_NEW(&s->arena, &table->unpivot, &err));
    table->unpivot->source = source;
    FL_TRY(enter(s, "unpivot", columns, &fragment, &err));
    FL_TRY(fl_sql_fragment_items(&fragment, &table->unpivot->items, &table->unpivot->item_count, &err));
    leave(s, &fragment);
    FL_TRY(enter(s, "unpivot", name.len > 0 ? name : FL_STR("name"), &fragment, &err));
    FL_TRY(fl_sql_fragment_value_names(&fragment, &first, &err));
    leave(s, &fragment);
    table->unpivot->name = first.values[0];
    FL_TRY(enter(s, "unpivot", values.len > 0 ? values : FL_STR("value"), &fragment, &err));
    FL_TRY(fl_sql_fragment_value_names(&fragment, table->unpivot, &err));
    leave(s, &fragment);
    FL_TRY(new_query(s, table, &err));
    s->last = FL_STEP_FROM;
cleanup:
    note(s, st, &err);
}

void fl_steps_copy_to(fl_steps *s, fl_str file, fl_str options)
{
    fl_status st = FL_OK;
    fl_err err = {0};
    fl_sql_fragment fragment;
    fl_ast_copy *copy = NULL;
    if (!begin(s, s->last, "copy_to"))
        return;
    if (file.len == 0) {
        fail(s, "copy_to", "a file's name cannot be empty");
        return;
    }
    FL_TRY(FL_NEW(&s->arena, &copy, &err));
    FL_TRY(fl_arena_copy_str(&s->arena, file, &copy->file, &err));
    copy->file_start = s->base; /* an error's place is the options' first byte where it is the file's */
    FL_TRY(enter(s, "copy_to", options, &fragment, &err));
    FL_TRY(fl_sql_fragment_copy_options(&fragment, copy, &err));
    leave(s, &fragment);
    s->copy = copy;
cleanup:
    note(s, st, &err);
}

fl_status fl_steps_finish(const fl_steps *s, fl_ast_statement *ret, fl_err *err)
{
    if (s->st != FL_OK) {
        if (err != NULL)
            *err = s->err;
        return s->st;
    }
    if (s->is_grouped)
        return FL_FAIL(err, FL_ERR_SYNTAX, "group_by: group_by is followed by agg");
    *ret = (fl_ast_statement){.kind = FL_AST_QUERY,
                              .start = NO_PLACE,
                              .end = NO_PLACE,
                              .parameter_count = s->parameter_count,
                              .query = s->query};
    if (s->copy != NULL) {
        s->copy->query = s->query;
        ret->kind = FL_AST_COPY_TO;
        ret->copy = s->copy;
    }
    return FL_OK;
}
