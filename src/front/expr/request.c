/* Requests to syntax trees. Relies on yyjson for the text. */
#include "front/expr/request.h"

#include "front/expr/filter.h"
#include "front/expr/infix.h"
#include "front/expr/tree.h"

void fl_request_init(fl_request *request, fl_memory *memory)
{
    *request = (fl_request){.memory = memory};
    fl_arena_init(&request->arena, memory);
}

void fl_request_drop(fl_request *request)
{
    yyjson_doc_free(request->document);
    request->document = NULL;
    fl_places_drop(&request->places);
    fl_arena_drop(&request->arena);
}

void fl_request_locate(const fl_request *request, fl_err *err)
{
    fl_places_locate(&request->places, err);
}

/* ---- memory of the document ---- */

static void *document_malloc(void *memory, size_t bytes)
{
    void *block = NULL;
    return fl_alloc(memory, (int64_t)bytes, &block, NULL) == FL_OK ? block : NULL;
}

static void *document_realloc(void *memory, void *block, size_t old_bytes, size_t bytes)
{
    void *grown = document_malloc(memory, bytes);
    if (grown == NULL)
        return NULL;
    memcpy(grown, block, old_bytes < bytes ? old_bytes : bytes);
    fl_free(block);
    return grown;
}

static void document_free(void *memory, void *block)
{
    (void)memory;
    fl_free(block);
}

static void place_in_text(fl_str text, size_t at, fl_err *err)
{
    if (err == NULL)
        return;
    err->line = err->column = 1;
    for (size_t i = 0; i < at && i < (size_t)text.len; i++) {
        err->column++;
        if (text.data[i] == '\n') {
            err->line++;
            err->column = 1;
        }
    }
}

static fl_status read_document(fl_request *request, fl_str json, fl_err *err)
{
    yyjson_alc allocator = {document_malloc, document_realloc, document_free, request->memory};
    yyjson_read_err fault;
    FL_ASSERT(request->document == NULL);
    request->document =
        yyjson_read_opts((char *)(uintptr_t)json.data, (size_t)json.len, YYJSON_READ_NUMBER_AS_RAW, &allocator, &fault);
    if (request->document != NULL)
        return FL_OK;
    if (fault.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return FL_FAIL(err, FL_ERR_MEMORY, "out of memory: a request of %lld bytes", (long long)json.len);
    fl_err where = {0};
    place_in_text(json, fault.pos, &where);
    fl_status st = FL_FAIL(err, FL_ERR_SYNTAX, "the request is no JSON: %s at line %lld, column %lld", fault.msg,
                           (long long)where.line, (long long)where.column);
    return st;
}

/* ---- clauses ---- */

static fl_status fail_kind(maker *m, json_ref ref, const char *expected)
{
    char buffer[JSON_DESCRIBE_BYTES];
    return fl_maker_fail(m, ref.at, "expected %s, found %s", expected,
                         fl_json_ref_describe(ref.value, buffer, sizeof(buffer)));
}

static fl_status parse_from(maker *m, json_ref ref, fl_ast_table **ret)
{
    fl_status st = FL_OK;
    if (!yyjson_is_str(ref.value) || yyjson_get_len(ref.value) == 0)
        return fail_kind(m, ref, "the name of a table, or the path of a file");
    fl_str name = fl_json_ref_text(ref.value);
    FL_TRY(fl_maker_check_name(m, name, ref.at));
    FL_TRY(FL_NEW(m->arena, ret, m->err));
    **ret = (fl_ast_table){.height = 1, .start = ref.at, .end = ref.at + 1};
    if (memchr(name.data, '.', (size_t)name.len) != NULL || memchr(name.data, '/', (size_t)name.len) != NULL) {
        (*ret)->kind = FL_AST_TABLE_FILE;
        (*ret)->file = name;
        return FL_OK;
    }
    (*ret)->kind = FL_AST_TABLE_NAME;
    FL_TRY(FL_NEW(m->arena, &(*ret)->path.parts, m->err));
    (*ret)->path.parts[0] = (fl_ast_name){name, ref.at, ref.at + 1};
    (*ret)->path.count = 1;
cleanup:
    return st;
}

/* An expression with or without a name: "a * 2 as b", {"expr": …, "as": "b"}. */
static fl_status parse_item(maker *m, json_ref ref, fl_ast_item *ret)
{
    fl_status st = FL_OK;
    json_ref as;
    int32_t base = 0;
    *ret = (fl_ast_item){0};
    if (yyjson_is_str(ref.value)) {
        FL_TRY(fl_json_ref_infix_place(m, ref, &base));
        return fl_infix_parse_item(m, fl_json_ref_text(ref.value), base, ret);
    }
    if (!yyjson_is_obj(ref.value))
        return fail_kind(m, ref, "a text or an expression's object");
    FL_TRY(fl_json_ref_get(m, ref, "as", &as));
    if (as.value != NULL) {
        if (!yyjson_is_str(as.value) || yyjson_get_len(as.value) == 0)
            return fail_kind(m, as, "a name");
        FL_TRY(fl_maker_check_name(m, fl_json_ref_text(as.value), as.at));
        ret->alias = (fl_ast_name){fl_json_ref_text(as.value), as.at, as.at + 1};
    }
    m->item = ref.value;
    st = fl_tree_parse_expression(m, ref, &ret->expr);
cleanup:
    return st;
}

/* Items of an array, or one that stands alone. */
static fl_status parse_items(maker *m, json_ref ref, fl_ast_item **ret, int32_t *ret_n)
{
    fl_status st = FL_OK;
    size_t i, n = 1;
    yyjson_val *value;
    if (yyjson_is_arr(ref.value))
        n = yyjson_arr_size(ref.value);
    if (n == 0)
        return fail_kind(m, ref, "one expression or more");
    FL_TRY(FL_NEW_ARRAY(m->arena, (int64_t)n, ret, m->err));
    *ret_n = (int32_t)n;
    if (!yyjson_is_arr(ref.value))
        return parse_item(m, ref, *ret);
    yyjson_arr_foreach(ref.value, i, n, value)
    {
        json_ref item;
        FL_TRY(fl_json_ref_item(m, ref, (int32_t)i, value, &item));
        FL_TRY(parse_item(m, item, &(*ret)[i]));
    }
cleanup:
    return st;
}

/* {"field": "a", "order": "desc", "nulls": "last"}: reads what goes beside the expression. */
static fl_status parse_direction(maker *m, json_ref ref, fl_ast_order *ret)
{
    fl_status st = FL_OK;
    json_ref order, nulls;
    FL_TRY(fl_json_ref_get(m, ref, "order", &order));
    FL_TRY(fl_json_ref_get(m, ref, "nulls", &nulls));
    if (order.value != NULL) {
        ret->is_descending = yyjson_equals_str(order.value, "desc");
        if (!ret->is_descending && !yyjson_equals_str(order.value, "asc"))
            return fail_kind(m, order, "\"asc\" or \"desc\"");
    }
    if (nulls.value != NULL) {
        ret->has_nulls = true;
        ret->nulls_first = yyjson_equals_str(nulls.value, "first");
        if (!ret->nulls_first && !yyjson_equals_str(nulls.value, "last"))
            return fail_kind(m, nulls, "\"first\" or \"last\"");
    }
cleanup:
    return st;
}

static fl_status parse_sort_key(maker *m, json_ref ref, fl_ast_order *ret)
{
    static const char *const names[] = {"field", "expr", "order", "nulls", NULL};
    fl_status st = FL_OK;
    json_ref value;
    int32_t base = 0;
    *ret = (fl_ast_order){.start = ref.at, .end = ref.at + 1};
    if (yyjson_is_str(ref.value)) {
        fl_str text = fl_json_ref_text(ref.value), field = {text.data + 1, text.len - 1};
        FL_TRY(fl_json_ref_infix_place(m, ref, &base));
        if (text.len > 1 && text.data[0] == '-' && fl_infix_is_field(field)) {
            ret->is_descending = true;
            text = field;
            base++;
        }
        return fl_infix_parse(m, text, base, &ret->expr);
    }
    if (!yyjson_is_obj(ref.value))
        return fail_kind(m, ref, "a field, as in \"-price\", or an object");
    FL_TRY(fl_json_ref_check_names(m, ref, names, "a sort key"));
    FL_TRY(parse_direction(m, ref, ret));
    FL_TRY(fl_json_ref_get(m, ref, "field", &value));
    if (value.value != NULL) {
        if (!yyjson_is_str(value.value))
            return fail_kind(m, value, "a field's name");
        return fl_maker_field(m, fl_json_ref_text(value.value), value.at, &ret->expr);
    }
    FL_TRY(fl_json_ref_get(m, ref, "expr", &value));
    if (value.value == NULL)
        return fl_maker_fail(m, ref.at, "a sort key has \"field\" or \"expr\", this object has none");
    st = fl_tree_parse_expression(m, value, &ret->expr);
cleanup:
    return st;
}

static fl_status parse_sort(maker *m, json_ref ref, fl_ast_query *ret)
{
    fl_status st = FL_OK;
    size_t i, n = 1;
    yyjson_val *value;
    if (yyjson_is_arr(ref.value))
        n = yyjson_arr_size(ref.value);
    FL_TRY(FL_NEW_ARRAY(m->arena, (int64_t)n + 1, &ret->order, m->err));
    ret->order_count = (int32_t)n;
    if (!yyjson_is_arr(ref.value))
        return parse_sort_key(m, ref, ret->order);
    yyjson_arr_foreach(ref.value, i, n, value)
    {
        json_ref item;
        FL_TRY(fl_json_ref_item(m, ref, (int32_t)i, value, &item));
        FL_TRY(parse_sort_key(m, item, &ret->order[i]));
    }
cleanup:
    return st;
}

static fl_status parse_count(maker *m, json_ref ref, fl_ast_expr **ret)
{
    fl_str digits = yyjson_is_raw(ref.value) ? fl_json_ref_text(ref.value) : (fl_str){0};
    bool is_whole = digits.len > 0;
    for (int64_t i = 0; i < digits.len; i++)
        is_whole &= digits.data[i] >= '0' && digits.data[i] <= '9';
    return is_whole ? fl_maker_number(m, digits, ref.at, ret) : fail_kind(m, ref, "a number of rows");
}

/* All columns; of groups their keys and how many rows each has. */
static fl_status select_default(maker *m, const fl_ast_item *groups, int32_t n_groups, int32_t at, fl_ast_select *ret)
{
    fl_status st = FL_OK;
    FL_TRY(FL_NEW_ARRAY(m->arena, n_groups + 1, &ret->items, m->err));
    ret->item_count = n_groups + 1;
    if (n_groups == 0)
        return fl_maker_star(m, at, &ret->items[0].expr);
    memcpy(ret->items, groups, (size_t)n_groups * sizeof(*groups));
    FL_TRY(fl_maker_call(m, FL_STR("count"), NULL, 0, true, false, at, &ret->items[n_groups].expr));
    ret->items[n_groups].alias = (fl_ast_name){FL_STR("count"), at, at + 1};
cleanup:
    return st;
}

static fl_status parse_select(maker *m, json_ref root, fl_ast_select *ret)
{
    fl_status st = FL_OK;
    fl_ast_item *groups = NULL;
    int32_t n_groups = 0;
    json_ref part;
    FL_TRY(fl_json_ref_get(m, root, "from", &part));
    if (part.value == NULL)
        return fl_maker_fail(m, root.at, "a request has no \"from\"");
    FL_TRY(parse_from(m, part, &ret->from));
    FL_TRY(fl_json_ref_get(m, root, "filter", &part));
    if (part.value != NULL)
        FL_TRY(fl_filter_parse(m, part, &ret->where));
    FL_TRY(fl_json_ref_get(m, root, "group", &part));
    if (part.value != NULL) {
        FL_TRY(parse_items(m, part, &groups, &n_groups));
        FL_TRY(FL_NEW_ARRAY(m->arena, n_groups, &ret->groups, m->err));
        for (int32_t i = 0; i < n_groups; i++)
            ret->groups[i] = groups[i].expr;
        ret->group_count = n_groups;
        ret->has_group = true;
    }
    FL_TRY(fl_json_ref_get(m, root, "having", &part));
    if (part.value != NULL)
        FL_TRY(fl_filter_parse(m, part, &ret->having));
    FL_TRY(fl_json_ref_get(m, root, "distinct", &part));
    if (part.value != NULL && !yyjson_is_bool(part.value))
        return fail_kind(m, part, "true or false");
    ret->is_distinct = yyjson_is_true(part.value);
    FL_TRY(fl_json_ref_get(m, root, "select", &part));
    st = part.value != NULL ? parse_items(m, part, &ret->items, &ret->item_count)
                            : select_default(m, groups, n_groups, root.at, ret);
cleanup:
    return st;
}

static fl_status parse_query(maker *m, json_ref root, fl_ast_query **ret)
{
    static const char *const names[] = {"from", "filter", "group",  "select",   "having",
                                        "sort", "limit",  "offset", "distinct", NULL};
    fl_status st = FL_OK;
    fl_ast_query *query = NULL;
    json_ref part;
    if (!yyjson_is_obj(root.value))
        return fail_kind(m, root, "a request's object, such as {\"from\": \"orders\"}");
    FL_TRY(fl_json_ref_check_names(m, root, names, "a request"));
    FL_TRY(FL_NEW(m->arena, &query, m->err));
    FL_TRY(FL_NEW(m->arena, &query->body, m->err));
    FL_TRY(FL_NEW(m->arena, &query->body->select, m->err));
    query->body->kind = FL_AST_BODY_SELECT;
    query->start = query->body->start = root.at;
    query->end = query->body->end = root.at + 1;
    FL_TRY(parse_select(m, root, query->body->select));
    FL_TRY(fl_json_ref_get(m, root, "sort", &part));
    if (part.value != NULL)
        FL_TRY(parse_sort(m, part, query));
    FL_TRY(fl_json_ref_get(m, root, "limit", &part));
    if (part.value != NULL)
        FL_TRY(parse_count(m, part, &query->limit));
    FL_TRY(fl_json_ref_get(m, root, "offset", &part));
    if (part.value != NULL)
        FL_TRY(parse_count(m, part, &query->offset));
    *ret = query;
cleanup:
    return st;
}

/* ---- whole texts ---- */

static maker maker_of(fl_request *request, fl_err *err)
{
    return (maker){.memory = request->memory, .arena = &request->arena, .places = &request->places, .err = err};
}

static fl_status begin(fl_request *request, maker *m, fl_str json, json_ref *ret)
{
    fl_status st = read_document(request, json, m->err);
    if (st != FL_OK)
        return st;
    ret->value = yyjson_doc_get_root(request->document);
    st = fl_places_add(m->places, m->memory, (fl_place){.parent = FL_NO_PLACE}, &ret->place, m->err);
    ret->at = 0;
    return st;
}

fl_status fl_request_parse(fl_request *request, fl_str json, fl_ast_statement *ret, fl_err *err)
{
    fl_status st = FL_OK;
    maker m = maker_of(request, err);
    json_ref root;
    *ret = (fl_ast_statement){.kind = FL_AST_QUERY};
    FL_TRY(begin(request, &m, json, &root));
    FL_TRY(parse_query(&m, root, &ret->query));
    ret->end = 1;
cleanup:
    return st;
}

fl_status fl_request_parse_tree(fl_request *request, fl_str json, fl_ast_expr **ret, fl_err *err)
{
    maker m = maker_of(request, err);
    json_ref root;
    fl_status st = begin(request, &m, json, &root);
    return st == FL_OK ? fl_tree_parse_expression(&m, root, ret) : st;
}

fl_status fl_request_parse_infix(fl_request *request, fl_str text, fl_ast_expr **ret, fl_err *err)
{
    fl_status st = FL_OK;
    maker m = maker_of(request, err);
    fl_str copy;
    int32_t number = 0;
    FL_TRY(fl_arena_copy_str(&request->arena, text, &copy, err));
    FL_TRY(fl_places_add(&request->places, request->memory, (fl_place){.parent = FL_NO_PLACE, .text = copy}, &number,
                         err));
    st = fl_infix_parse(&m, copy, request->places.items[number].base, ret);
cleanup:
    return st;
}
