/* Parquet's schema as fletch's types: annotations, the several ways to write a list, maps as lists of key and value. */
#include "format/parquet/variant.h"

/* ConvertedType and LogicalType, as far as they are told apart here. */
enum {
    CONVERTED_UTF8 = 0,
    CONVERTED_MAP = 1,
    CONVERTED_MAP_KEY_VALUE = 2,
    CONVERTED_LIST = 3,
    CONVERTED_ENUM = 4,
    CONVERTED_DECIMAL = 5,
    CONVERTED_DATE = 6,
    CONVERTED_TIME_MILLIS = 7,
    CONVERTED_TIME_MICROS = 8,
    CONVERTED_TIMESTAMP_MILLIS = 9,
    CONVERTED_TIMESTAMP_MICROS = 10,
    CONVERTED_UINT_8 = 11,
    CONVERTED_INT_8 = 15,
    CONVERTED_INT_64 = 18,
    CONVERTED_JSON = 19,
    CONVERTED_INTERVAL = 21,
    LOGICAL_STRING = 1,
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
    LOGICAL_ENUM = 4,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
    LOGICAL_NULL = 11,
    LOGICAL_JSON = 12,
    LOGICAL_BSON = 13,
    LOGICAL_UUID = 14,
    LOGICAL_FLOAT16 = 15,
    LOGICAL_VARIANT = 16,
};

enum { REQUIRED, OPTIONAL, REPEATED };

typedef struct builder {
    fl_arena *arena;
    const fl_pq_element *elements;
    int64_t n_elements;
    int64_t at;
    fl_pq_metadata *meta;
    int64_t claimed; /* children that groups have said to have: never more than there are elements */
    fl_str path[FL_PQ_NESTING_MAX + 1];
    int32_t depth;
    int32_t variants; /* groups around the element that are variants: bytes below them are never text */
} builder;

/* Levels that hold around an element. */
typedef struct levels {
    int32_t def, rep;
} levels;

/* The older annotations said in the newer ones' words, so that there is one set of rules. They do not tell instants
 * from local times; readers agree on local ones, whatever the format's description has meant since. */
static fl_pq_element normalize(const fl_pq_element *raw)
{
    fl_pq_element e = *raw;
    if (e.logical != 0)
        return e;
    switch (e.converted) {
    case CONVERTED_UTF8:
        e.logical = LOGICAL_STRING;
        break;
    case CONVERTED_MAP:
        e.logical = LOGICAL_MAP;
        break;
    case CONVERTED_LIST:
        e.logical = LOGICAL_LIST;
        break;
    case CONVERTED_ENUM:
        e.logical = LOGICAL_ENUM;
        break;
    case CONVERTED_DECIMAL:
        e.logical = LOGICAL_DECIMAL;
        break;
    case CONVERTED_DATE:
        e.logical = LOGICAL_DATE;
        break;
    case CONVERTED_JSON:
        e.logical = LOGICAL_JSON;
        break;
    case CONVERTED_TIME_MILLIS:
    case CONVERTED_TIME_MICROS:
        e.logical = LOGICAL_TIME;
        e.unit = e.converted == CONVERTED_TIME_MILLIS ? 1 : 2;
        break;
    case CONVERTED_TIMESTAMP_MILLIS:
    case CONVERTED_TIMESTAMP_MICROS:
        e.logical = LOGICAL_TIMESTAMP;
        e.unit = e.converted == CONVERTED_TIMESTAMP_MILLIS ? 1 : 2;
        break;
    default:
        if (e.converted >= CONVERTED_UINT_8 && e.converted <= CONVERTED_INT_64) {
            e.logical = LOGICAL_INTEGER;
            e.is_signed = e.converted >= CONVERTED_INT_8;
            e.bit_width = 8 << (e.converted - (e.is_signed ? CONVERTED_INT_8 : CONVERTED_UINT_8));
        }
    }
    return e;
}

static void set(fl_pq_leaf *leaf, fl_type type, fl_pq_convert convert, int32_t width)
{
    leaf->type = type;
    leaf->convert = (uint8_t)convert;
    leaf->width = width;
}

static fl_type timestamp_type(const fl_pq_element *e)
{
    fl_type type = FL_TYPE(e->is_utc ? FL_TIMESTAMPTZ : FL_TIMESTAMP);
    type.unit = e->unit == 1 ? FL_MILLI : e->unit == 3 ? FL_NANO : FL_MICRO;
    return type;
}

static bool is_decimal(const fl_pq_element *e)
{
    return e->logical == LOGICAL_DECIMAL;
}

/* Decimals of more digits than a decimal can have are read as far as their values fit. */
static fl_type decimal_type(const fl_pq_element *e)
{
    int32_t precision = e->precision < FL_DECIMAL_PRECISION_MAX ? e->precision : FL_DECIMAL_PRECISION_MAX;
    return FL_TYPE_DECIMAL(precision, e->scale);
}

/* Whether values of an annotation that is read as another one's, or not at all, are in an order that is known here. */
static bool is_order_known(const fl_pq_element *e)
{
    switch (e->logical) {
    case 0:
        return e->converted != CONVERTED_INTERVAL;
    case LOGICAL_STRING:
    case LOGICAL_ENUM:
    case LOGICAL_JSON:
    case LOGICAL_BSON:
    case LOGICAL_DECIMAL:
    case LOGICAL_DATE:
    case LOGICAL_TIME:
    case LOGICAL_TIMESTAMP:
    case LOGICAL_INTEGER:
    case LOGICAL_FLOAT16:
        return true;
    default:
        return false;
    }
}

static void set_int32(fl_pq_leaf *leaf, const fl_pq_element *e)
{
    leaf->is_signed_order = e->logical != LOGICAL_INTEGER || e->is_signed;
    if (e->logical == LOGICAL_INTEGER && e->bit_width == 8)
        set(leaf, FL_TYPE(e->is_signed ? FL_I8 : FL_U8), FL_PQ_NARROW_8, 1);
    else if (e->logical == LOGICAL_INTEGER && e->bit_width == 16)
        set(leaf, FL_TYPE(e->is_signed ? FL_I16 : FL_U16), FL_PQ_NARROW_16, 2);
    else if (e->logical == LOGICAL_INTEGER && !e->is_signed)
        set(leaf, FL_TYPE(FL_U32), FL_PQ_COPY, 4);
    else if (e->logical == LOGICAL_DATE)
        set(leaf, FL_TYPE(FL_DATE), FL_PQ_COPY, 4);
    else if (e->logical == LOGICAL_TIME)
        set(leaf, FL_TYPE(FL_TIME), FL_PQ_MILLI_TIME, 8);
    else if (is_decimal(e)) /* the vector may be narrower than the precision asks for */
        set(leaf, decimal_type(e), FL_PQ_WIDEN_64, 8);
    else
        set(leaf, FL_TYPE(FL_I32), FL_PQ_COPY, 4);
}

static void set_int64(fl_pq_leaf *leaf, const fl_pq_element *e)
{
    leaf->is_signed_order = e->logical != LOGICAL_INTEGER || e->is_signed;
    if (e->logical == LOGICAL_INTEGER && !e->is_signed)
        set(leaf, FL_TYPE(FL_U64), FL_PQ_COPY, 8);
    else if (e->logical == LOGICAL_TIME)
        set(leaf, FL_TYPE(FL_TIME), e->unit == 3 ? FL_PQ_NANO_TIME : FL_PQ_MICRO_TIME, 8);
    else if (e->logical == LOGICAL_TIMESTAMP)
        set(leaf, timestamp_type(e), e->unit == 1 ? FL_PQ_MILLI_STAMP : FL_PQ_COPY, 8);
    else if (is_decimal(e))
        set(leaf, decimal_type(e), FL_PQ_DECIMAL_64, 8);
    else
        set(leaf, FL_TYPE(FL_I64), FL_PQ_COPY, 8);
}

static void set_bytes(fl_pq_leaf *leaf, const fl_pq_element *e, bool has_text_in_bytes)
{
    bool is_fixed = leaf->physical == FL_PQ_FIXED;
    if (is_decimal(e)) {
        bool is_narrow = e->precision <= FL_DECIMAL64_PRECISION_MAX;
        set(leaf, decimal_type(e), is_narrow ? FL_PQ_BIG_ENDIAN_64 : FL_PQ_BIG_ENDIAN_128, is_narrow ? 8 : 16);
    } else if (is_fixed && e->logical == LOGICAL_UUID && e->type_length == 16) {
        set(leaf, FL_TYPE_UUID, FL_PQ_UUID, 16);
    } else if (is_fixed && e->logical == LOGICAL_FLOAT16 && e->type_length == 2) {
        set(leaf, FL_TYPE(FL_F32), FL_PQ_HALF, 4);
    } else if (is_fixed && e->converted == CONVERTED_INTERVAL && e->type_length == 12) {
        set(leaf, FL_TYPE(FL_INTERVAL), FL_PQ_INTERVAL, 16);
    } else {
        leaf->is_text = e->logical == LOGICAL_STRING || e->logical == LOGICAL_ENUM || e->logical == LOGICAL_JSON ||
                        (has_text_in_bytes && !is_fixed && e->logical == 0 && e->converted < 0);
        set(leaf, e->logical == LOGICAL_JSON ? FL_TYPE_JSON : FL_TYPE(leaf->is_text ? FL_UTF8 : FL_BINARY),
            FL_PQ_STRING, 16);
    }
}

static fl_status fail_type(const fl_pq_leaf *leaf, const char *why, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_CORRUPT, "column \"%.*s\" %s", FL_STR_ARG(leaf->path), why);
}

/* A decimal's digits are part of its values: what makes no sense cannot be passed over. */
static fl_status check_decimal(const fl_pq_leaf *leaf, const fl_pq_element *e, fl_err *err)
{
    bool is_valid = e->precision >= 1 && e->scale >= 0 && e->scale <= e->precision;
    if (e->logical != LOGICAL_DECIMAL || (is_valid && e->scale <= FL_DECIMAL_PRECISION_MAX))
        return FL_OK;
    fl_status st = FL_FAIL(err, is_valid ? FL_ERR_UNSUPPORTED : FL_ERR_CORRUPT, "column \"%.*s\" is a decimal(%d,%d)",
                           FL_STR_ARG(leaf->path), e->precision, e->scale);
    if (is_valid)
        fl_err_hint(err, "decimals have at most %d digits, behind the point, too", FL_DECIMAL_PRECISION_MAX);
    else
        fl_err_hint(err, "a decimal has at least one digit, and no more behind the point than in all");
    return st;
}

static fl_status make_path(builder *b, fl_str *ret, fl_err *err)
{
    int64_t bytes = 0;
    for (int32_t i = 1; i <= b->depth; i++)
        bytes += b->path[i].len + 1;
    char *text = NULL;
    fl_status st = fl_arena_get(b->arena, bytes + 1, (void **)&text, err);
    if (st != FL_OK)
        return st;
    int64_t len = 0;
    for (int32_t i = 1; i <= b->depth; i++) {
        if (i > 1)
            text[len++] = '.';
        memcpy(text + len, b->path[i].data, (size_t)b->path[i].len);
        len += b->path[i].len;
    }
    *ret = (fl_str){text, len};
    return FL_OK;
}

static fl_status build_leaf(builder *b, const fl_pq_element *raw, levels at, fl_pq_node *ret, fl_err *err)
{
    static const uint8_t stored_width[FL_PQ_PHYSICAL_COUNT] = {
        [FL_PQ_INT32] = 4, [FL_PQ_INT64] = 8, [FL_PQ_INT96] = 12, [FL_PQ_FLOAT] = 4, [FL_PQ_DOUBLE] = 8};
    fl_pq_element e = normalize(raw);
    fl_pq_metadata *meta = b->meta;
    if (meta->n_leaves >= FL_PQ_COLUMNS_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "it has more than %d columns", FL_PQ_COLUMNS_MAX);
    fl_pq_leaf *leaf = &meta->leaves[meta->n_leaves];
    fl_status st = make_path(b, &leaf->path, err);
    if (st != FL_OK)
        return st;
    if (e.physical >= FL_PQ_PHYSICAL_COUNT)
        return fail_type(leaf, "has an unknown type", err);
    leaf->physical = (uint8_t)e.physical;
    leaf->stored_width = stored_width[e.physical];
    leaf->def_max = (uint8_t)at.def;
    leaf->rep_max = (uint8_t)at.rep;
    leaf->is_nested = b->depth > 1 || at.rep > 0;
    leaf->is_signed_order = true;
    leaf->is_order_known = is_order_known(&e);
    leaf->is_null_type = e.logical == LOGICAL_NULL && at.def > 0;
    if ((st = check_decimal(leaf, &e, err)) != FL_OK)
        return st;
    switch (leaf->physical) {
    case FL_PQ_BOOLEAN:
        set(leaf, FL_TYPE(FL_BOOL), FL_PQ_BITS, 1);
        break;
    case FL_PQ_INT32:
        set_int32(leaf, &e);
        break;
    case FL_PQ_INT64:
        set_int64(leaf, &e);
        break;
    case FL_PQ_INT96:
        set(leaf, FL_TYPE(FL_TIMESTAMP), FL_PQ_INT96_MICRO, 8);
        if (meta->options.has_nanoseconds) {
            leaf->type.unit = FL_NANO;
            leaf->convert = FL_PQ_INT96_NANO;
        }
        leaf->is_order_known = leaf->is_signed_order = false;
        break;
    case FL_PQ_FLOAT:
        set(leaf, FL_TYPE(FL_F32), FL_PQ_COPY, 4);
        break;
    case FL_PQ_DOUBLE:
        set(leaf, FL_TYPE(FL_F64), FL_PQ_COPY, 8);
        break;
    default:
        leaf->is_signed_order = false;
        if (leaf->physical == FL_PQ_FIXED) {
            if (e.type_length < 1 || e.type_length > (1 << 24))
                return fail_type(leaf, "has values of an impossible fixed length", err);
            leaf->stored_width = e.type_length;
        }
        set_bytes(leaf, &e, meta->options.has_text_in_bytes && b->variants == 0);
    }
    *ret = (fl_pq_node){
        .kind = FL_PQ_LEAF, .def = (uint8_t)at.def, .type = leaf->type, .leaf = meta->n_leaves, .leaves = 1};
    meta->n_leaves++;
    return FL_OK;
}

static fl_status build(builder *b, levels at, bool is_item, fl_field *ret_field, fl_pq_node *ret, fl_err *err);

static fl_status enter(builder *b, const fl_pq_element **ret, fl_err *err)
{
    if (b->at >= b->n_elements)
        return FL_FAIL(err, FL_ERR_CORRUPT, "its schema is cut off");
    if (b->depth >= FL_PQ_NESTING_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "its schema is nested deeper than %d", FL_PQ_NESTING_MAX);
    const fl_pq_element *e = &b->elements[b->at++];
    if (e->physical < 0)
        b->claimed += e->n_children;
    if (e->repetition < REQUIRED || e->repetition > REPEATED || (e->physical < 0 && e->n_children < 0) ||
        b->claimed > b->n_elements)
        return FL_FAIL(err, FL_ERR_CORRUPT, "its schema is malformed at element %lld", (long long)b->at - 1);
    b->path[++b->depth] = e->name;
    *ret = e;
    return FL_OK;
}

/* The fields of a group, whose own levels are `at`, as a struct. */
static fl_status build_struct(builder *b, const fl_pq_element *e, levels at, fl_pq_node *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_node *children = NULL;
    fl_field *fields = NULL;
    int32_t leaf = b->meta->n_leaves;
    FL_TRY(FL_NEW_ARRAY(b->arena, e->n_children, &children, err));
    FL_TRY(FL_NEW_ARRAY(b->arena, e->n_children, &fields, err));
    for (int32_t i = 0; i < e->n_children; i++)
        FL_TRY(build(b, at, false, &fields[i], &children[i], err));
    *ret = (fl_pq_node){.kind = FL_PQ_STRUCT,
                        .def = (uint8_t)at.def,
                        .leaf = leaf,
                        .leaves = b->meta->n_leaves - leaf,
                        .n_children = e->n_children,
                        .children = children};
    ret->type = (fl_type){.id = FL_STRUCT, .n_fields = e->n_children, .fields = fields};
    if (ret->leaves == 0)
        st = FL_FAIL(err, FL_ERR_CORRUPT, "its schema has a group without columns (\"%.*s\")", FL_STR_ARG(e->name));
cleanup:
    return st;
}

/* A variant: a group that is read as JSON. */
static fl_status build_variant(builder *b, const fl_pq_element *e, levels at, fl_pq_node *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_pq_node *group = NULL;
    FL_TRY(FL_NEW(b->arena, &group, err));
    b->variants++;
    st = build_struct(b, e, at, group, err);
    b->variants--;
    if (st != FL_OK)
        return st;
    *ret = (fl_pq_node){.kind = FL_PQ_VARIANT,
                        .def = group->def,
                        .type = FL_TYPE_JSON,
                        .leaf = group->leaf,
                        .leaves = group->leaves,
                        .n_children = 1,
                        .children = group};
    FL_TRY(make_path(b, &ret->path, err));
    const char *fault = fl_pq_variant_fault(group);
    if (fault != NULL)
        st = FL_FAIL(err, FL_ERR_CORRUPT, "column \"%.*s\" cannot be a variant: %s", FL_STR_ARG(ret->path), fault);
cleanup:
    return st;
}

/* A list node around an item that is built by the caller. */
static fl_status wrap_list(builder *b, int32_t def, levels item_at, fl_field *item_field, fl_pq_node *item,
                           fl_pq_node *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_field *field = NULL;
    fl_pq_node *child = NULL;
    FL_TRY(FL_NEW(b->arena, &field, err));
    FL_TRY(FL_NEW(b->arena, &child, err));
    *field = *item_field;
    *child = *item;
    *ret = (fl_pq_node){.kind = FL_PQ_LIST,
                        .def = (uint8_t)def,
                        .item_def = (uint8_t)item_at.def,
                        .item_rep = (uint8_t)item_at.rep,
                        .leaf = item->leaf,
                        .leaves = item->leaves,
                        .n_children = 1,
                        .children = child};
    ret->type = (fl_type){.id = FL_LIST, .n_fields = 1, .fields = field};
cleanup:
    return st;
}

/* Whether the repeated group is the list's element itself: the older writers' two levels. */
static bool is_two_level(const builder *b, const fl_pq_element *list, const fl_pq_element *repeated)
{
    if (repeated->physical >= 0 || repeated->n_children != 1)
        return true;
    if (fl_str_is_equal(repeated->name, FL_STR("array")))
        return true;
    if (repeated->name.len == list->name.len + 6 && fl_str_has_prefix(repeated->name, list->name) &&
        fl_str_has_suffix(repeated->name, FL_STR("_tuple")))
        return true;
    /* its one field is repeated: it is a struct or a list of its own */
    return b->at < b->n_elements && b->elements[b->at].repetition == REPEATED;
}

/* The element after b->at is repeated: what it repeats becomes the item. */
static fl_status build_items(builder *b, const fl_pq_element *list, bool is_map, levels at, fl_pq_node *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_element *repeated = b->elements;
    fl_field field = {0};
    fl_pq_node item = {0};
    FL_TRY(enter(b, &repeated, err));
    levels item_at = {at.def + 1, at.rep + 1};
    if (is_map) {
        FL_TRY(build_struct(b, repeated, item_at, &item, err));
        field = (fl_field){.name = FL_STR("entry"), .type = item.type};
        fl_field *names = (fl_field *)(uintptr_t)item.type.fields;
        names[0].name = FL_STR("key");
        if (item.type.n_fields > 1)
            names[1].name = FL_STR("value");
    } else if (is_two_level(b, list, repeated)) {
        b->at--;
        b->depth--;
        b->claimed -= repeated->physical < 0 ? repeated->n_children : 0;
        FL_TRY(build(b, item_at, true, &field, &item, err));
        b->depth++;
    } else {
        FL_TRY(build(b, item_at, false, &field, &item, err));
    }
    b->depth--;
    FL_TRY(wrap_list(b, at.def, item_at, &field, &item, ret, err));
    if (is_map && item.type.n_fields == 2)
        st = fl_type_map_of(b->arena, item.type.fields[0].type, item.type.fields[1].type, &ret->type, err);
cleanup:
    return st;
}

/* One element and all below it. is_item: it is the item of a list that the caller makes, so that its being repeated is
 * already in `at`. */
static fl_status build(builder *b, levels at, bool is_item, fl_field *ret_field, fl_pq_node *ret, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_pq_element *e = b->elements;
    FL_TRY(enter(b, &e, err));
    bool is_repeated = e->repetition == REPEATED && !is_item;
    levels own = at;
    if (e->repetition == OPTIONAL)
        own.def++;
    levels item_at = {at.def + 1, at.rep + 1};
    fl_pq_element n = normalize(e);
    fl_pq_node node = {0};
    if (e->physical >= 0) {
        FL_TRY(build_leaf(b, e, is_repeated ? item_at : own, &node, err));
    } else {
        bool is_map = n.logical == LOGICAL_MAP ||
                      (n.logical == 0 && n.converted == CONVERTED_MAP_KEY_VALUE && e->n_children == 1);
        const fl_pq_element *child = b->at < b->n_elements ? &b->elements[b->at] : NULL;
        bool is_list = e->n_children == 1 && child != NULL && child->repetition == REPEATED &&
                       (n.logical == LOGICAL_LIST ||
                        (is_map && child->physical < 0 && child->n_children >= 1 && child->n_children <= 2));
        if (is_list)
            FL_TRY(build_items(b, e, is_map, is_repeated ? item_at : own, &node, err));
        else if (n.logical == LOGICAL_VARIANT)
            FL_TRY(build_variant(b, e, is_repeated ? item_at : own, &node, err));
        else
            FL_TRY(build_struct(b, e, is_repeated ? item_at : own, &node, err));
    }
    *ret_field = (fl_field){.name = e->name, .type = node.type, .nullable = e->repetition == OPTIONAL};
    if (is_repeated) { /* without a LIST around it: a list that is never null, of items that are never null */
        fl_field item_field = {.name = FL_STR("element"), .type = node.type};
        FL_TRY(wrap_list(b, at.def, item_at, &item_field, &node, ret, err));
        ret_field->type = ret->type;
    } else {
        *ret = node;
    }
    b->depth--;
cleanup:
    return st;
}

fl_status fl_pq_schema_build(fl_arena *arena, const fl_pq_element *elements, int64_t n_elements, fl_pq_metadata *ret,
                             fl_err *err)
{
    fl_status st = FL_OK;
    builder *b = NULL; /* kept off the stack: it holds a path of a hundred names */
    const fl_pq_element *root = &elements[0];
    if (root->n_children < 0 || root->n_children >= n_elements)
        return FL_FAIL(err, FL_ERR_CORRUPT, "its schema has %lld elements and says %d columns", (long long)n_elements,
                       root->n_children);
    if (root->n_children > FL_PQ_COLUMNS_MAX)
        return FL_FAIL(err, FL_ERR_LIMIT, "it has %d columns; %d are the most", root->n_children, FL_PQ_COLUMNS_MAX);
    FL_TRY(FL_NEW(arena, &b, err));
    *b = (builder){.arena = arena, .elements = elements, .n_elements = n_elements, .at = 1, .meta = ret};
    FL_TRY(FL_NEW_ARRAY(arena, n_elements, &ret->leaves, err));
    FL_TRY(FL_NEW_ARRAY(arena, root->n_children + 1, &ret->columns, err));
    FL_TRY(FL_NEW_ARRAY(arena, root->n_children, &ret->fields, err));
    for (int32_t i = 0; i < root->n_children; i++)
        FL_TRY(build(b, (levels){0, 0}, false, &ret->fields[i], &ret->columns[i], err));
    ret->n_columns = root->n_children;
    ret->columns[ret->n_columns] = (fl_pq_node){.kind = FL_PQ_ROW_NUMBER, .type = FL_TYPE(FL_I64)};
    if (b->at != n_elements)
        st = FL_FAIL(err, FL_ERR_CORRUPT, "its schema has %lld elements, but its columns use %lld",
                     (long long)n_elements, (long long)b->at);
cleanup:
    return st;
}
