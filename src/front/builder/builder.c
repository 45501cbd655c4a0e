/* Steps to text. A clause that is already passed makes the query so far a subquery. */
#include "front/builder/builder.h"

void fl_steps_init(fl_steps *s, fl_memory *memory)
{
    *s = (fl_steps){.take = -1};
    fl_text *texts[] = {&s->from, &s->where, &s->group, &s->select, &s->order};
    for (int64_t i = 0; i < FL_LEN(texts); i++)
        fl_text_init(texts[i], memory);
}

void fl_steps_drop(fl_steps *s)
{
    fl_text *texts[] = {&s->from, &s->where, &s->group, &s->select, &s->order};
    for (int64_t i = 0; i < FL_LEN(texts); i++)
        fl_text_drop(texts[i]);
}

static void fail(fl_steps *s, const char *message)
{
    if (s->st == FL_OK)
        s->st = FL_FAIL(&s->err, FL_ERR_SYNTAX, "%s", message);
}

static void print(const fl_steps *s, fl_text *text)
{
    fl_text_add(text, FL_STR("SELECT "));
    fl_text_add(text, s->select.len > 0 ? fl_text_str(&s->select) : FL_STR("*"));
    fl_text_add(text, FL_STR(" FROM "));
    fl_text_add(text, fl_text_str(&s->from));
    const struct {
        const char *word;
        const fl_text *clause;
    } clauses[] = {{" WHERE ", &s->where}, {" GROUP BY ", &s->group}, {" ORDER BY ", &s->order}};
    for (int64_t i = 0; i < FL_LEN(clauses); i++)
        if (clauses[i].clause->len > 0) {
            fl_text_add(text, fl_str_of(clauses[i].word));
            fl_text_add(text, fl_text_str(clauses[i].clause));
        }
    if (s->take >= 0)
        fl_text_addf(text, " LIMIT %lld", (long long)s->take);
    if (s->skip > 0)
        fl_text_addf(text, " OFFSET %lld", (long long)s->skip);
}

/* Makes room for a step of this kind: what is there becomes a subquery when its clause is passed. */
static void begin(fl_steps *s, fl_step step)
{
    if (s->from.len == 0 && step != FL_STEP_FROM)
        fail(s, "a query begins with its table");
    if (s->is_grouped && step > FL_STEP_GROUP && step != FL_STEP_SELECT)
        fail(s, "group_by is followed by agg");
    if (s->last > step || (s->last == step && (step == FL_STEP_SELECT || step == FL_STEP_TAKE || step == FL_STEP_SKIP))) {
        fl_text inner;
        fl_text_init(&inner, s->from.memory);
        fl_text_add_char(&inner, '(');
        print(s, &inner);
        fl_text_add(&inner, FL_STR(") AS q"));
        fl_text_clear(&s->where);
        fl_text_clear(&s->group);
        fl_text_clear(&s->select);
        fl_text_clear(&s->order);
        s->take = -1;
        s->skip = 0;
        fl_text_drop(&s->from);
        s->from = inner;
    }
    s->last = step;
}

static void add(fl_text *text, const char *between, fl_str part)
{
    if (text->len > 0)
        fl_text_add(text, fl_str_of(between));
    fl_text_add(text, part);
}

/* A table's name as it is; what looks like a path or a pattern is quoted. */
static void add_table(fl_text *text, fl_str table)
{
    bool is_path = table.len > 0 && table.data[0] != '\'' && table.data[0] != '(' && memchr(table.data, '(', (size_t)table.len) == NULL &&
                   (memchr(table.data, '.', (size_t)table.len) != NULL || memchr(table.data, '/', (size_t)table.len) != NULL);
    if (!is_path) {
        fl_text_add(text, table);
        return;
    }
    fl_text_add_char(text, '\'');
    for (int64_t i = 0; i < table.len; i++) {
        if (table.data[i] == '\'')
            fl_text_add_char(text, '\'');
        fl_text_add_char(text, table.data[i]);
    }
    fl_text_add_char(text, '\'');
}

void fl_steps_from(fl_steps *s, fl_str table)
{
    begin(s, FL_STEP_FROM);
    add_table(&s->from, table);
}

void fl_steps_join(fl_steps *s, fl_str table, fl_str kind, fl_str on)
{
    static const char *const kinds[] = {"inner", "left", "right", "full", "semi", "anti", "cross"};
    bool known = false;
    for (int64_t i = 0; i < FL_LEN(kinds); i++)
        known |= fl_str_is_equal_nocase(kind, fl_str_of(kinds[i]));
    if (!known)
        fail(s, "the kind of a join is inner, left, right, full, semi, anti or cross");
    begin(s, FL_STEP_JOIN);
    fl_text_add_char(&s->from, ' ');
    fl_text_add(&s->from, kind);
    fl_text_add(&s->from, FL_STR(" JOIN "));
    add_table(&s->from, table);
    if (on.len > 0) {
        fl_text_add(&s->from, FL_STR(" ON "));
        fl_text_add(&s->from, on);
    }
}

void fl_steps_where(fl_steps *s, fl_str condition)
{
    begin(s, FL_STEP_WHERE);
    if (s->where.len > 0) { /* both in parentheses: an OR must not reach over */
        fl_text both;
        fl_text_init(&both, s->where.memory);
        fl_text_add_char(&both, '(');
        fl_text_add(&both, fl_text_str(&s->where));
        fl_text_add(&both, FL_STR(") AND ("));
        fl_text_add(&both, condition);
        fl_text_add_char(&both, ')');
        fl_text_drop(&s->where);
        s->where = both;
        return;
    }
    fl_text_add(&s->where, condition);
}

void fl_steps_group_by(fl_steps *s, fl_str expressions)
{
    begin(s, FL_STEP_GROUP);
    add(&s->group, ", ", expressions);
    s->is_grouped = true;
}

void fl_steps_agg(fl_steps *s, fl_str aggregates)
{
    begin(s, FL_STEP_SELECT);
    if (s->is_grouped)
        add(&s->select, ", ", fl_text_str(&s->group));
    add(&s->select, ", ", aggregates);
    s->is_grouped = false;
}

void fl_steps_select(fl_steps *s, fl_str expressions)
{
    if (s->is_grouped)
        fail(s, "group_by is followed by agg");
    begin(s, FL_STEP_SELECT);
    add(&s->select, ", ", expressions);
}

void fl_steps_order_by(fl_steps *s, fl_str keys)
{
    begin(s, FL_STEP_ORDER);
    add(&s->order, ", ", keys);
}

void fl_steps_take(fl_steps *s, int64_t rows)
{
    if (rows < 0)
        fail(s, "take needs a number of rows, not a negative one");
    begin(s, FL_STEP_TAKE);
    s->take = rows;
}

void fl_steps_skip(fl_steps *s, int64_t rows)
{
    if (rows < 0)
        fail(s, "skip needs a number of rows, not a negative one");
    begin(s, FL_STEP_SKIP);
    s->skip = rows;
}

fl_status fl_steps_sql(fl_steps *s, fl_text *text, fl_err *err)
{
    if (s->is_grouped)
        fail(s, "group_by is followed by agg");
    if (s->st != FL_OK) {
        if (err != NULL)
            *err = s->err;
        return s->st;
    }
    const fl_text *texts[] = {&s->from, &s->where, &s->group, &s->select, &s->order};
    for (int64_t i = 0; i < FL_LEN(texts); i++)
        if (texts[i]->st != FL_OK)
            return fl_text_status(texts[i], err);
    print(s, text);
    return fl_text_status(text, err);
}
