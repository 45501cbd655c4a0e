/* Values: SQL's to Python's and back. Nothing is converted that would lose or guess: a float is no integer, a text no number. */
#include "interpreter.h"

#include <datetime.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAY_SECONDS 86400
#define SECOND_US 1000000ll
#define YEAR_MIN_DAY (-719162) /* 0001-01-01 */
#define YEAR_MAX_DAY 2932896   /* 9999-12-31 */

bool fl_python_convert_start(void)
{
    PyDateTime_IMPORT;
    return PyDateTimeAPI != NULL;
}

const char *fl_python_sql_name(int32_t type)
{
    static const char *const names[FL_PYTHON_TYPES] = {
        "boolean",     "tinyint", "smallint", "integer",          "bigint", "utinyint", "usmallint",
        "uinteger",    "ubigint", "real",     "double precision", "date",   "time",     "timestamp",
        "timestamptz", "text",    "binary"};
    return names[type];
}

const char *fl_python_numpy_name(int32_t type, int32_t unit, char ret[16])
{
    static const char *const names[] = {"?",  "i1", "i2", "i4", "i8",    "u1",    "u2",
                                        "u4", "u8", "f4", "f8", "M8[D]", "m8[us]"};
    static const char *const units[] = {"s", "ms", "us", "ns"};
    if (fl_python_is_text(type))
        return NULL;
    if (type < FL_PYTHON_TIMESTAMP)
        return names[type];
    snprintf(ret, 16, "M8[%s]", units[unit]);
    return ret;
}

/* ---- days (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms") ---- */

static void date_of_day(int64_t day, int *year, int *month, int *of_month)
{
    day += 719468;
    int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    int64_t of_era = day - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *of_month = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static int64_t day_of_date(int year, int month, int of_month)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + of_month - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* ---- to Python ---- */

static PyObject *fail_day(void)
{
    PyErr_SetString(PyExc_OverflowError, "the argument is beyond the years 1 to 9999, which Python's dates have");
    return NULL;
}

static PyObject *date_value(int64_t day)
{
    int year, month, of_month;
    if (day < YEAR_MIN_DAY || day > YEAR_MAX_DAY)
        return fail_day();
    date_of_day(day, &year, &month, &of_month);
    return PyDate_FromDate(year, month, of_month);
}

static PyObject *time_value(int64_t us)
{
    int64_t second = us / SECOND_US;
    if (second >= DAY_SECONDS) { /* 24:00, which Python does not have */
        second = DAY_SECONDS - 1;
        us = DAY_SECONDS * SECOND_US - 1;
    }
    return PyTime_FromTime((int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60), (int)(us % SECOND_US));
}

static PyObject *timestamp_value(int64_t value, int32_t unit, bool has_zone)
{
    static const int64_t per_second[] = {1, 1000, SECOND_US, 1000 * SECOND_US};
    int64_t second = floor_div(value, per_second[unit]);
    int64_t part = value - second * per_second[unit];
    int64_t us = unit == FL_PYTHON_NANOS ? part / 1000 : part * (SECOND_US / per_second[unit]);
    int64_t day = floor_div(second, DAY_SECONDS);
    int year, month, of_month, of_day = (int)(second - day * DAY_SECONDS);
    if (day < YEAR_MIN_DAY || day > YEAR_MAX_DAY)
        return fail_day();
    date_of_day(day, &year, &month, &of_month);
    return PyDateTimeAPI->DateTime_FromDateAndTime(year, month, of_month, of_day / 3600, of_day / 60 % 60, of_day % 60,
                                                   (int)us, has_zone ? PyDateTime_TimeZone_UTC : Py_None,
                                                   PyDateTimeAPI->DateTimeType);
}

PyObject *fl_python_value_of(const fl_python_column *column, int32_t row)
{
    const void *values = column->values;
    if (column->nulls != NULL && column->nulls[row] != 0)
        return Py_NewRef(Py_None);
    switch (column->type) {
    case FL_PYTHON_BOOL:
        return PyBool_FromLong(((const uint8_t *)values)[row]);
    case FL_PYTHON_I8:
        return PyLong_FromLong(((const int8_t *)values)[row]);
    case FL_PYTHON_I16:
        return PyLong_FromLong(((const int16_t *)values)[row]);
    case FL_PYTHON_I32:
        return PyLong_FromLong(((const int32_t *)values)[row]);
    case FL_PYTHON_I64:
        return PyLong_FromLongLong(((const int64_t *)values)[row]);
    case FL_PYTHON_U8:
        return PyLong_FromLong(((const uint8_t *)values)[row]);
    case FL_PYTHON_U16:
        return PyLong_FromLong(((const uint16_t *)values)[row]);
    case FL_PYTHON_U32:
        return PyLong_FromUnsignedLong(((const uint32_t *)values)[row]);
    case FL_PYTHON_U64:
        return PyLong_FromUnsignedLongLong(((const uint64_t *)values)[row]);
    case FL_PYTHON_F32:
        return PyFloat_FromDouble((double)((const float *)values)[row]);
    case FL_PYTHON_F64:
        return PyFloat_FromDouble(((const double *)values)[row]);
    case FL_PYTHON_DATE:
        return date_value(((const int32_t *)values)[row]);
    case FL_PYTHON_TIME:
        return time_value(((const int64_t *)values)[row]);
    case FL_PYTHON_TIMESTAMP:
    case FL_PYTHON_TIMESTAMPTZ:
        return timestamp_value(((const int64_t *)values)[row], column->unit, column->type == FL_PYTHON_TIMESTAMPTZ);
    default:
        break;
    }
    const int64_t *offsets = values;
    const char *data = column->bytes + offsets[row];
    Py_ssize_t bytes = (Py_ssize_t)(offsets[row + 1] - offsets[row]);
    return column->type == FL_PYTHON_TEXT ? PyUnicode_DecodeUTF8(data, bytes, NULL)
                                          : PyBytes_FromStringAndSize(data, bytes);
}

/* ---- from Python ---- */

static bool fail_type(PyObject *value, const fl_python_column *column, int32_t row, const char *more,
                      fl_python_fault *fault)
{
    fl_python_fail(fault, FL_PYTHON_RESULT, "it gave a value of type %s, it RETURNS %s%s", Py_TYPE(value)->tp_name,
                   fl_python_sql_name(column->type), more);
    fault->row = row;
    return false;
}

static bool fail_range(PyObject *value, const fl_python_column *column, int32_t row, fl_python_fault *fault)
{
    PyObject *text = PyObject_Str(value);
    const char *shown = text != NULL ? PyUnicode_AsUTF8(text) : NULL;
    fl_python_fail(fault, FL_PYTHON_RESULT, "it gave %.60s, beyond what %s holds", shown != NULL ? shown : "a number",
                   fl_python_sql_name(column->type));
    PyErr_Clear();
    Py_XDECREF(text);
    fault->row = row;
    return false;
}

/* A moment that the column's unit has not. */
static bool fail_moment(PyObject *value, const fl_python_column *column, int32_t row, fl_python_fault *fault)
{
    static const char *const units[] = {"seconds", "milliseconds", "microseconds", "nanoseconds"};
    PyObject *text = PyObject_Str(value);
    const char *shown = text != NULL ? PyUnicode_AsUTF8(text) : NULL;
    fl_python_fail(fault, FL_PYTHON_MOMENT, "it gave %.60s, which %s in %s does not hold",
                   shown != NULL ? shown : "a moment", fl_python_sql_name(column->type), units[column->unit]);
    PyErr_Clear();
    Py_XDECREF(text);
    fault->row = row;
    return false;
}

static bool put_integer(PyObject *value, fl_python_column *column, int32_t row, fl_python_fault *fault)
{
    static const int64_t least[] = {INT8_MIN, INT16_MIN, INT32_MIN, INT64_MIN, 0, 0, 0, 0};
    static const uint64_t most[] = {INT8_MAX,  INT16_MAX,  INT32_MAX,  INT64_MAX,
                                    UINT8_MAX, UINT16_MAX, UINT32_MAX, UINT64_MAX};
    int kind = column->type - FL_PYTHON_I8, overflow = 0;
    int64_t width = fl_python_width(column->type);
    if (!PyLong_Check(value) || PyBool_Check(value))
        return fail_type(value, column, row, PyFloat_Check(value) ? ": int() or round() gives one" : "", fault);
    int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (column->type == FL_PYTHON_U64 && overflow > 0) {
        uint64_t large = PyLong_AsUnsignedLongLong(value);
        if (PyErr_Occurred())
            return fail_range(value, column, row, fault);
        memcpy((char *)column->values + row * width, &large, sizeof(large));
        return true;
    }
    if (overflow != 0 || number < least[kind] || (number > 0 && (uint64_t)number > most[kind]))
        return fail_range(value, column, row, fault);
    memcpy((char *)column->values + row * width, &number, (size_t)width); /* the low bytes come first */
    return true;
}

static bool put_float(PyObject *value, fl_python_column *column, int32_t row, fl_python_fault *fault)
{
    double number;
    if (PyFloat_Check(value))
        number = PyFloat_AS_DOUBLE(value);
    else if (PyLong_Check(value) && !PyBool_Check(value))
        number = PyLong_AsDouble(value);
    else
        return fail_type(value, column, row, "", fault);
    if (number == -1 && PyErr_Occurred())
        return fail_range(value, column, row, fault);
    if (column->type == FL_PYTHON_F64) {
        ((double *)column->values)[row] = number;
        return true;
    }
    ((float *)column->values)[row] = (float)number;
    return !isinf((float)number) || isinf(number) || fail_range(value, column, row, fault);
}

bool fl_python_add_bytes(python_bytes *texts, const char *data, int64_t bytes, fl_python_fault *fault)
{
    if (texts->length + bytes > texts->capacity) {
        int64_t capacity = 2 * (texts->length + bytes) + 1024;
        char *larger = realloc(texts->data, (size_t)capacity);
        if (larger == NULL)
            return fl_python_fail(fault, FL_PYTHON_NO_MEMORY, "out of memory: its texts");
        texts->data = larger;
        texts->capacity = capacity;
    }
    if (bytes > 0)
        memcpy(texts->data + texts->length, data, (size_t)bytes);
    texts->length += bytes;
    return true;
}

static bool put_text(PyObject *value, fl_python_column *column, int32_t row, python_bytes *texts,
                     fl_python_fault *fault)
{
    const char *data = NULL;
    Py_ssize_t bytes = 0;
    if (column->type == FL_PYTHON_TEXT && PyUnicode_Check(value)) {
        data = PyUnicode_AsUTF8AndSize(value, &bytes);
        if (data == NULL) { /* a lone surrogate */
            PyErr_Clear();
            fl_python_fail(fault, FL_PYTHON_RESULT, "it gave a text that cannot be written as UTF-8");
            fault->row = row;
            return false;
        }
    } else if (column->type == FL_PYTHON_BINARY && PyBytes_Check(value)) {
        data = PyBytes_AS_STRING(value);
        bytes = PyBytes_GET_SIZE(value);
    } else if (column->type == FL_PYTHON_BINARY && PyByteArray_Check(value)) {
        data = PyByteArray_AS_STRING(value);
        bytes = PyByteArray_GET_SIZE(value);
    } else {
        return fail_type(value, column, row, "", fault);
    }
    return fl_python_add_bytes(texts, data, bytes, fault);
}

static bool put_timestamp(PyObject *value, fl_python_column *column, int32_t row, fl_python_fault *fault)
{
    bool wants_zone = column->type == FL_PYTHON_TIMESTAMPTZ;
    if (!PyDateTime_Check(value))
        return fail_type(value, column, row, "", fault);
    if (wants_zone != (PyDateTime_DATE_GET_TZINFO(value) != Py_None))
        return fail_type(value, column, row, wants_zone ? ", and it has no tzinfo" : ", and it has a tzinfo", fault);
    PyObject *in_utc =
        wants_zone ? PyObject_CallMethod(value, "astimezone", "O", PyDateTime_TimeZone_UTC) : Py_NewRef(value);
    if (in_utc == NULL)
        return false;
    int64_t day = day_of_date(PyDateTime_GET_YEAR(in_utc), PyDateTime_GET_MONTH(in_utc), PyDateTime_GET_DAY(in_utc));
    int64_t second = day * DAY_SECONDS + PyDateTime_DATE_GET_HOUR(in_utc) * 3600ll +
                     PyDateTime_DATE_GET_MINUTE(in_utc) * 60ll + PyDateTime_DATE_GET_SECOND(in_utc);
    int64_t us = PyDateTime_DATE_GET_MICROSECOND(in_utc), *to = &((int64_t *)column->values)[row];
    bool fits = true;
    Py_DECREF(in_utc);
    switch (column->unit) {
    case FL_PYTHON_SECONDS:
        *to = second;
        fits = us == 0;
        break;
    case FL_PYTHON_MILLIS:
        *to = second * 1000 + us / 1000;
        fits = us % 1000 == 0;
        break;
    case FL_PYTHON_MICROS:
        *to = second * SECOND_US + us;
        break;
    default:
        fits = !__builtin_mul_overflow(second * SECOND_US + us, 1000, to);
    }
    return fits || fail_moment(value, column, row, fault);
}

static bool put_time(PyObject *value, fl_python_column *column, int32_t row, fl_python_fault *fault)
{
    if (!PyTime_Check(value))
        return fail_type(value, column, row, "", fault);
    ((int64_t *)column->values)[row] = (PyDateTime_TIME_GET_HOUR(value) * 3600ll +
                                        PyDateTime_TIME_GET_MINUTE(value) * 60ll + PyDateTime_TIME_GET_SECOND(value)) *
                                           SECOND_US +
                                       PyDateTime_TIME_GET_MICROSECOND(value);
    return true;
}

static bool put_known(PyObject *value, fl_python_column *column, int32_t row, python_bytes *texts,
                      fl_python_fault *fault)
{
    switch (column->type) {
    case FL_PYTHON_BOOL:
        if (!PyBool_Check(value))
            return fail_type(value, column, row, "", fault);
        ((uint8_t *)column->values)[row] = value == Py_True;
        return true;
    case FL_PYTHON_F32:
    case FL_PYTHON_F64:
        return put_float(value, column, row, fault);
    case FL_PYTHON_TEXT:
    case FL_PYTHON_BINARY:
        return put_text(value, column, row, texts, fault);
    case FL_PYTHON_DATE:
        if (!PyDate_Check(value) || PyDateTime_Check(value))
            return fail_type(value, column, row, PyDate_Check(value) ? ": .date() gives one" : "", fault);
        ((int32_t *)column->values)[row] =
            (int32_t)day_of_date(PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value), PyDateTime_GET_DAY(value));
        return true;
    case FL_PYTHON_TIME:
        return put_time(value, column, row, fault);
    case FL_PYTHON_TIMESTAMP:
    case FL_PYTHON_TIMESTAMPTZ:
        return put_timestamp(value, column, row, fault);
    default:
        return put_integer(value, column, row, fault);
    }
}

void fl_python_put_null(fl_python_column *column, int32_t row, const python_bytes *texts)
{
    column->nulls[row] = 1;
    if (fl_python_is_text(column->type))
        ((int64_t *)column->values)[row + 1] = texts->length;
    else
        memset((char *)column->values + row * fl_python_width(column->type), 0, (size_t)fl_python_width(column->type));
}

/* NumPy's scalars have a Python value of their own. */
static bool is_scalar(PyObject *value)
{
    return strncmp(Py_TYPE(value)->tp_name, "numpy.", 6) == 0 && PyObject_HasAttrString(value, "dtype") &&
           PyObject_HasAttrString(value, "item");
}

bool fl_python_put(PyObject *value, fl_python_column *column, int32_t row, python_bytes *texts, fl_python_fault *fault)
{
    bool is_good;
    if (value == Py_None) {
        fl_python_put_null(column, row, texts);
        return true;
    }
    PyObject *plain = is_scalar(value) ? PyObject_CallMethod(value, "item", NULL) : Py_NewRef(value);
    if (plain == NULL)
        return false;
    is_good = put_known(plain, column, row, texts, fault);
    Py_DECREF(plain);
    if (is_good && fl_python_is_text(column->type))
        ((int64_t *)column->values)[row + 1] = texts->length;
    return is_good;
}
