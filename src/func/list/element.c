/* Tables of element fields (element.h). */
#include "func/list/element.h"

#define ITEM(...)                                                      \
    {                                                                  \
        .name = {"item", 4}, .nullable = true, .type = { __VA_ARGS__ } \
    }

static const fl_field scalars[FL_TYPE_COUNT] = {
    [FL_BOOL] = ITEM(.id = FL_BOOL),
    [FL_I8] = ITEM(.id = FL_I8),
    [FL_I16] = ITEM(.id = FL_I16),
    [FL_I32] = ITEM(.id = FL_I32),
    [FL_I64] = ITEM(.id = FL_I64),
    [FL_U8] = ITEM(.id = FL_U8),
    [FL_U16] = ITEM(.id = FL_U16),
    [FL_U32] = ITEM(.id = FL_U32),
    [FL_U64] = ITEM(.id = FL_U64),
    [FL_F32] = ITEM(.id = FL_F32),
    [FL_F64] = ITEM(.id = FL_F64),
    [FL_UTF8] = ITEM(.id = FL_UTF8),
    [FL_BINARY] = ITEM(.id = FL_BINARY),
    [FL_DATE] = ITEM(.id = FL_DATE),
    [FL_TIME] = ITEM(.id = FL_TIME),
    [FL_TIMESTAMP] = ITEM(.id = FL_TIMESTAMP),
    [FL_TIMESTAMPTZ] = ITEM(.id = FL_TIMESTAMPTZ),
    [FL_INTERVAL] = ITEM(.id = FL_INTERVAL),
};

static const fl_field narrow[19] = {
#define NARROW(s) [s] = ITEM(.id = FL_DECIMAL, .precision = 18, .scale = (s))
    NARROW(0),  NARROW(1),  NARROW(2),  NARROW(3),  NARROW(4),  NARROW(5),  NARROW(6),
    NARROW(7),  NARROW(8),  NARROW(9),  NARROW(10), NARROW(11), NARROW(12), NARROW(13),
    NARROW(14), NARROW(15), NARROW(16), NARROW(17), NARROW(18),
};
static const fl_field wide[39] = {
#define WIDE(s) [s] = ITEM(.id = FL_DECIMAL, .precision = 38, .scale = (s))
    WIDE(0),  WIDE(1),  WIDE(2),  WIDE(3),  WIDE(4),  WIDE(5),  WIDE(6),  WIDE(7),  WIDE(8),  WIDE(9),
    WIDE(10), WIDE(11), WIDE(12), WIDE(13), WIDE(14), WIDE(15), WIDE(16), WIDE(17), WIDE(18), WIDE(19),
    WIDE(20), WIDE(21), WIDE(22), WIDE(23), WIDE(24), WIDE(25), WIDE(26), WIDE(27), WIDE(28), WIDE(29),
    WIDE(30), WIDE(31), WIDE(32), WIDE(33), WIDE(34), WIDE(35), WIDE(36), WIDE(37), WIDE(38),
};

bool fl_list_of(fl_type element, fl_type *ret, fl_type *ret_element)
{
    const fl_field *field;
    if (fl_type_is_nested(element))
        return false;
    if (element.id == FL_NULL)
        element = FL_TYPE(FL_UTF8);
    if (element.id == FL_DECIMAL)
        field = element.precision <= FL_DECIMAL64_PRECISION_MAX && element.scale >= 0 ? &narrow[element.scale]
                : element.scale >= 0                                                  ? &wide[element.scale]
                                                                                      : NULL;
    else
        field = &scalars[element.id]; /* timestamps of other units become microseconds */
    if (field == NULL)
        return false;
    *ret = (fl_type){.id = FL_LIST, .n_fields = 1, .fields = field};
    *ret_element = field->type;
    return true;
}
