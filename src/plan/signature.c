/* Printing what functions take and give. */
#include "plan/signature.h"

#include "arrow/type.h"

#define SHOWN_BYTES_MAX 260 /* a hint has room for 512 bytes, and for more than signatures */

#define PROBES 12

/* What the functions that choose by code are asked with. */
static fl_type probe_of(int32_t i)
{
    static const uint8_t ids[] = {FL_BOOL, FL_I32,  FL_I64,       FL_DECIMAL,     FL_F64,      FL_UTF8,
                                  FL_DATE, FL_TIME, FL_TIMESTAMP, FL_TIMESTAMPTZ, FL_INTERVAL, FL_BINARY};
    FL_ASSERT(i >= 0 && i < PROBES && FL_LEN(ids) == PROBES);
    return ids[i] == FL_DECIMAL ? FL_TYPE_DECIMAL(18, 3) : FL_TYPE(ids[i]);
}

/* Begins a signature; false: there is no more room, which the text says. */
static bool begin(fl_text *text, int64_t from, const char *name)
{
    if (text->len - from > SHOWN_BYTES_MAX) {
        if (text->data[text->len - 1] != '.')
            fl_text_add(text, FL_STR(", ..."));
        return false;
    }
    fl_text_addf(text, "%s%s(", text->len > from ? ", " : "", name);
    return true;
}

static void add_type(fl_text *text, fl_type type)
{
    if (type.id == FL_DECIMAL)
        fl_text_add(text, FL_STR("decimal")); /* of any size */
    else
        fl_type_print(text, type);
}

static void add_id(fl_text *text, uint8_t id)
{
    if (id == FL_ANY_DECIMAL || id == FL_DECIMAL)
        fl_text_add(text, FL_STR("decimal"));
    else if (id == FL_ANY || id == FL_SAME)
        fl_text_add(text, FL_STR("any"));
    else
        fl_type_print(text, fl_func_type_of(id));
}

static void add_overload(fl_text *text, const fl_func_overload *overload)
{
    int32_t n = 0;
    for (; n < FL_FUNC_ARGS_MAX && overload->args[n] != FL_END; n++) {
        if (n > 0)
            fl_text_add(text, FL_STR(", "));
        add_id(text, overload->args[n]);
    }
    fl_text_add(text, FL_STR(") → "));
    add_id(text, overload->ret == FL_SAME && n > 0 ? overload->args[0] : overload->ret);
}

/* What a call of one argument gives for each of the types that are asked with; FL_END in `id`: it is not taken. */
typedef struct answers {
    fl_type ret[PROBES];
    int32_t taken;
} answers;

static void add_answers(fl_text *text, const char *name, const answers *a)
{
    int64_t from = text->len;
    bool is_one = a->taken == PROBES, is_same = is_one, is_list = is_one;
    for (int32_t i = 0; i < PROBES; i++) {
        is_one &= a->ret[i].id == a->ret[0].id && !fl_type_is_nested(a->ret[i]);
        is_same &= a->ret[i].id == probe_of(i).id;
        is_list &= a->ret[i].id == FL_LIST;
    }
    if (is_one || is_same || is_list) { /* whatever the argument is */
        fl_text_addf(text, "%s(any) → ", name);
        if (is_one)
            add_type(text, a->ret[0]);
        else
            fl_text_add(text, is_same ? FL_STR("any") : FL_STR("any[]"));
        return;
    }
    for (int32_t i = 0; i < PROBES; i++) {
        if (a->ret[i].id == FL_END)
            continue;
        if (!begin(text, from, name))
            break;
        add_type(text, probe_of(i));
        fl_text_add(text, FL_STR(") → "));
        add_type(text, a->ret[i]);
    }
}

void fl_func_print_signatures(fl_text *text, const fl_func_desc *func)
{
    int64_t from = text->len;
    if (func->signature != NULL)
        fl_text_add(text, fl_str_of(func->signature));
    for (int32_t o = 0; o < func->n_overloads && begin(text, from, func->name); o++)
        add_overload(text, &func->overloads[o]);
    if (func->n_overloads > 0 || func->resolve == NULL || func->signature != NULL)
        return;
    fl_arena arena;
    answers a = {0};
    fl_arena_init(&arena, NULL);
    for (int32_t i = 0; i < PROBES; i++) {
        fl_type type = probe_of(i);
        fl_func_choice choice = {.func = func, .arena = &arena};
        bool takes = func->resolve(&type, 1, &choice, NULL) == FL_OK && choice.args[0].id == type.id;
        a.ret[i] = takes ? choice.ret : FL_TYPE(FL_END);
        a.taken += takes;
    }
    add_answers(text, func->name, &a);
    fl_arena_drop(&arena);
}

void fl_agg_print_signatures(fl_text *text, const fl_agg_desc *agg)
{
    fl_arena arena;
    answers a = {0};
    if (agg->signature != NULL) {
        fl_text_add(text, fl_str_of(agg->signature));
        return;
    }
    fl_arena_init(&arena, NULL);
    for (int32_t i = 0; i < PROBES; i++) {
        fl_type type = probe_of(i);
        fl_agg_choice choice = {.agg = agg, .arena = &arena};
        bool takes =
            agg->resolve(&type, 1, &choice, NULL) == FL_OK && choice.n_args == 1 && choice.args[0].id == type.id;
        a.ret[i] = takes ? choice.ret : FL_TYPE(FL_END);
        a.taken += takes;
    }
    add_answers(text, agg->name, &a);
    fl_arena_drop(&arena);
}
