/* Functions are made, called for the rows of a batch or for all of them at once, and their exceptions are told. */
#include "interpreter.h"

#include "prelude.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define ROWS_BETWEEN_LOOKS 16

static PyObject *prelude; /* the module of prelude.py; never freed */
static PyObject *code_fault, *result_fault, *moment_fault, *stopped;

bool fl_python_fail(fl_python_fault *fault, fl_python_fault_kind kind, const char *format, ...)
{
    va_list args;
    fault->kind = kind;
    fault->row = -1;
    fault->traceback[0] = 0;
    va_start(args, format);
    vsnprintf(fault->message, sizeof(fault->message), format, args);
    va_end(args);
    return false;
}

static void copy_text(PyObject *text, char *to, size_t bytes)
{
    const char *data = text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;
    if (data == NULL)
        PyErr_Clear();
    size_t length = data != NULL ? strlen(data) : 0;
    if (length >= bytes)
        for (length = bytes - 1; length > 0 && ((unsigned char)data[length] & 0xC0) == 0x80;)
            length--;
    if (length > 0)
        memcpy(to, data, length);
    to[length] = 0;
}

/* The end of a long text, from the begin of a line. */
static void copy_end(PyObject *text, char *to, size_t bytes)
{
    const char *data = text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;
    to[0] = 0;
    if (data == NULL) {
        PyErr_Clear();
        return;
    }
    while (strlen(data) >= bytes && strchr(data, '\n') != NULL)
        data = strchr(data, '\n') + 1;
    if (strlen(data) < bytes)
        strcpy(to, data);
}

bool fl_python_raised(fl_python_fault *fault, int32_t row)
{
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    if (trace != NULL)
        PyException_SetTraceback(error, trace);
    PyObject *told = prelude != NULL ? PyObject_CallMethod(prelude, "explain", "O", error) : NULL;
    bool is_code = code_fault != NULL && PyErr_GivenExceptionMatches(error, code_fault);
    bool is_result = result_fault != NULL && PyErr_GivenExceptionMatches(error, result_fault);
    bool is_moment = is_result && moment_fault != NULL && PyErr_GivenExceptionMatches(error, moment_fault);
    fl_python_fail(fault,
                   is_code     ? FL_PYTHON_CODE
                   : is_moment ? FL_PYTHON_MOMENT
                   : is_result ? FL_PYTHON_RESULT
                               : FL_PYTHON_RAISED,
                   "an exception");
    fault->row = row;
    if (is_code || is_result) {
        PyObject *text = PyObject_Str(error), *at = is_result ? PyObject_GetAttrString(error, "row") : NULL;
        copy_text(text, fault->message, sizeof(fault->message));
        if (at != NULL && PyLong_AsLong(at) >= 0)
            fault->row = (int32_t)PyLong_AsLong(at);
        Py_XDECREF(text);
        Py_XDECREF(at);
    } else if (told != NULL && PyTuple_Check(told) && PyTuple_GET_SIZE(told) == 2) {
        copy_text(PyTuple_GET_ITEM(told, 0), fault->message, sizeof(fault->message));
        copy_end(PyTuple_GET_ITEM(told, 1), fault->traceback, sizeof(fault->traceback));
    }
    Py_XDECREF(told);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    PyErr_Clear();
    return false;
}

/* ---- starting ---- */

static bool start_interpreter(fl_python_fault *fault)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.install_signal_handlers = 0;
    config.write_bytecode = 0;
    config.site_import = 1; /* where Debian's NumPy is */
    /* else it takes its libraries from beside whatever Python the environment finds first */
    PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, FLETCH_PYTHON_PREFIX "/bin/python3");
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        return fl_python_fail(fault, FL_PYTHON_REFUSED, "Python does not start: %s",
                              status.err_msg != NULL ? status.err_msg : "it exits");
    return true;
}

static bool run_prelude(fl_python_fault *fault)
{
    PyObject *module = PyModule_New("fletch_prelude");
    PyObject *names = module != NULL ? PyModule_GetDict(module) : NULL;
    if (names != NULL && PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) != 0)
        names = NULL;
    PyObject *code = names != NULL ? Py_CompileString(fl_python_prelude, "<fletch>", Py_file_input) : NULL;
    PyObject *done = code != NULL ? PyEval_EvalCode(code, names, names) : NULL;
    Py_XDECREF(code);
    Py_XDECREF(done);
    if (done == NULL || !fl_python_convert_start()) {
        Py_XDECREF(module);
        return fl_python_raised(fault, -1);
    }
    prelude = module;
    code_fault = PyObject_GetAttrString(prelude, "CodeFault");
    result_fault = PyObject_GetAttrString(prelude, "ResultFault");
    moment_fault = PyObject_GetAttrString(prelude, "MomentFault");
    stopped = PyObject_GetAttrString(prelude, "Stopped");
    return true;
}

void fl_python_stop(unsigned long thread, bool stops)
{
    (void)PyThreadState_SetAsyncExc(thread, stops ? stopped : NULL);
}

bool fl_python_start(fl_python_fault *fault)
{
    if (!Py_IsInitialized() && !start_interpreter(fault))
        return false;
    return prelude != NULL || run_prelude(fault);
}

static bool add_path(const char *folders, fl_python_fault *fault)
{
    PyObject *path = PySys_GetObject("path"); /* borrowed */
    int64_t at = 0;
    while (*folders != 0) {
        size_t length = strcspn(folders, ":");
        PyObject *folder = PyUnicode_DecodeFSDefaultAndSize(folders, (Py_ssize_t)length);
        int is_there = folder == NULL ? -1 : length == 0 ? 1 : PySequence_Contains(path, folder);
        if (is_there < 0 || (is_there == 0 && PyList_Insert(path, at++, folder) != 0)) {
            Py_XDECREF(folder);
            return fl_python_raised(fault, -1);
        }
        Py_DECREF(folder);
        folders += length + (folders[length] != 0);
    }
    return true;
}

/* (names, types as SQL writes them, the result's behind) */
static bool take_signature(PyObject *said, fl_python_signature *ret)
{
    PyObject *names = PyTuple_GET_ITEM(said, 0), *types = PyTuple_GET_ITEM(said, 1);
    ret->n_args = (int32_t)PyTuple_GET_SIZE(names);
    for (int32_t i = 0; i <= ret->n_args; i++) {
        int32_t type = 0;
        const char *wanted = PyUnicode_AsUTF8(PyTuple_GET_ITEM(types, i));
        if (wanted == NULL)
            return false;
        while (type + 1 < FL_PYTHON_TYPES && strcmp(fl_python_sql_name(type), wanted) != 0)
            type++;
        if (i == ret->n_args) {
            ret->returns = type;
            break;
        }
        ret->types[i] = type;
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        if (name == NULL)
            return false;
        if (strlen(name) < FL_PYTHON_NAME_BYTES)
            strcpy(ret->names[i], name);
    }
    return true;
}

bool fl_python_define(const fl_python_declaration *d, python_callable *ret, fl_python_fault *fault)
{
    *ret = (python_callable){.declaration = *d};
    if (!add_path(d->module_path, fault))
        return false;
    PyObject *text = PyUnicode_DecodeUTF8(d->code, (Py_ssize_t)d->code_bytes, NULL);
    PyObject *made = text != NULL ? PyObject_CallMethod(prelude, "define", "sOi", d->name, text, (int)d->n_args) : NULL;
    Py_XDECREF(text);
    if (made == NULL) {
        bool is_syntax = PyErr_ExceptionMatches(PyExc_SyntaxError);
        fl_python_raised(fault, -1);
        fault->kind = is_syntax ? FL_PYTHON_CODE : fault->kind;
        return false;
    }
    ret->function = Py_NewRef(PyTuple_GET_ITEM(made, 0));
    ret->signature.form = (int32_t)PyLong_AsLong(PyTuple_GET_ITEM(made, 1));
    PyObject *said = PyTuple_GET_ITEM(made, 2);
    bool is_good = said == Py_None || take_signature(said, &ret->signature);
    Py_DECREF(made);
    return is_good || fl_python_raised(fault, -1);
}

/* ---- a row at a time ---- */

static PyObject *call_row(const python_run *run, int32_t row)
{
    const fl_python_batch *batch = run->batch;
    PyObject *args[FL_PYTHON_ARGS_MAX + 1] = {NULL}, *result = NULL;
    int32_t n = 0;
    for (; n < batch->n_args; n++) {
        args[n + 1] = fl_python_value_of(&batch->args[n], row);
        if (args[n + 1] == NULL)
            break;
    }
    if (n == batch->n_args)
        result =
            PyObject_Vectorcall(run->callable->function, args + 1, (size_t)n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    for (int32_t i = 0; i < n; i++)
        Py_DECREF(args[i + 1]);
    return result;
}

static bool run_row(const python_run *run, int32_t row)
{
    PyObject *value = call_row(run, row);
    bool is_good = value != NULL && fl_python_put(value, &run->batch->result, row, run->texts, run->fault);
    Py_XDECREF(value);
    if (!is_good && PyErr_Occurred())
        fl_python_raised(run->fault, row);
    if (is_good || run->fault->kind == FL_PYTHON_NO_MEMORY || !run->callable->declaration.errors_are_null)
        return is_good;
    *run->fault = (fl_python_fault){.row = -1};
    fl_python_put_null(&run->batch->result, row, run->texts);
    return true;
}

static void start_texts(const python_run *run)
{
    run->texts->length = 0;
    if (fl_python_is_text(run->batch->result.type))
        ((int64_t *)run->batch->result.values)[0] = 0;
}

static bool is_stopped(const python_run *run, int32_t row)
{
    if (row % ROWS_BETWEEN_LOOKS != 0 || run->shall_stop == NULL || !run->shall_stop(run->ctx))
        return false;
    fl_python_fail(run->fault, FL_PYTHON_STOPPED, "it was stopped");
    return true;
}

static bool run_rows(const python_run *run)
{
    start_texts(run);
    for (int32_t row = 0; row < run->batch->rows; row++) {
        if (run->progress != NULL)
            atomic_store_explicit(run->progress, row, memory_order_relaxed);
        if (is_stopped(run, row) || !run_row(run, row))
            return false;
    }
    return true;
}

/* ---- a batch at a time ---- */

/* A column as the prelude takes it, from row `from` on. */
static PyObject *column_of(const fl_python_column *column, int32_t from, int32_t rows)
{
    char name[16];
    if (fl_python_is_text(column->type)) {
        PyObject *list = PyList_New(rows);
        for (int32_t i = 0; list != NULL && i < rows; i++) {
            PyObject *value = fl_python_value_of(column, from + i);
            if (value == NULL)
                Py_CLEAR(list);
            else
                PyList_SET_ITEM(list, i, value);
        }
        return list;
    }
    int64_t width = fl_python_width(column->type);
    PyObject *values =
        PyMemoryView_FromMemory((char *)column->values + from * width, (Py_ssize_t)(rows * width), PyBUF_READ);
    PyObject *nulls = column->nulls != NULL ? PyMemoryView_FromMemory((char *)column->nulls + from, rows, PyBUF_READ)
                                            : Py_NewRef(Py_None);
    PyObject *tuple =
        values != NULL && nulls != NULL
            ? Py_BuildValue("(sOO)", fl_python_numpy_name(column->type, column->unit, name), values, nulls)
            : NULL;
    Py_XDECREF(values);
    Py_XDECREF(nulls);
    return tuple;
}

static PyObject *read_only(const void *at, int64_t bytes)
{
    static const char none[1];
    return PyMemoryView_FromMemory((char *)(uintptr_t)(bytes > 0 ? at : none), (Py_ssize_t)bytes, PyBUF_READ);
}

/* A column as pyarrow takes it, from its first row on: its type and unit, values or offsets, nulls and bytes, or None for them. */
static PyObject *arrow_column_of(const fl_python_column *column, int32_t rows)
{
    bool is_text = fl_python_is_text(column->type);
    PyObject *values = read_only(column->values, (rows + is_text) * fl_python_width(column->type));
    PyObject *nulls = column->nulls != NULL ? read_only(column->nulls, rows) : Py_NewRef(Py_None);
    PyObject *bytes = is_text ? read_only(column->bytes, column->bytes_length) : Py_NewRef(Py_None);
    PyObject *tuple =
        values != NULL && nulls != NULL && bytes != NULL
            ? Py_BuildValue("(siOOO)", fl_python_sql_name(column->type), (int)column->unit, values, nulls, bytes)
            : NULL;
    Py_XDECREF(values);
    Py_XDECREF(nulls);
    Py_XDECREF(bytes);
    return tuple;
}

/* Texts as Arrow has them, of (offsets, bytes): offsets are what the function made, which may be anything. */
static bool put_arrow_texts(const python_run *run, PyObject *given, int32_t from, int32_t rows)
{
    fl_python_column *result = &run->batch->result;
    Py_buffer offsets = {0}, bytes = {0};
    bool is_good = PyTuple_Check(given) && PyTuple_GET_SIZE(given) == 2 &&
                   PyObject_GetBuffer(PyTuple_GET_ITEM(given, 0), &offsets, PyBUF_SIMPLE) == 0 &&
                   PyObject_GetBuffer(PyTuple_GET_ITEM(given, 1), &bytes, PyBUF_SIMPLE) == 0;
    if (is_good && (offsets.len != (rows + 1) * (Py_ssize_t)sizeof(int64_t)))
        is_good = fl_python_fail(run->fault, FL_PYTHON_RESULT, "it gave no column of %d values", (int)rows);
    int64_t *to = (int64_t *)result->values + from, before = 0, first = 0, last = 0;
    for (int32_t i = 0; is_good && i <= rows; i++) {
        memcpy(&last, (const char *)offsets.buf + i * (int64_t)sizeof(last), sizeof(last));
        first = i == 0 ? last : first;
        if (last < (i == 0 ? 0 : before) || last > bytes.len)
            is_good = fl_python_fail(run->fault, FL_PYTHON_RESULT, "it gave texts beyond their bytes");
        else
            to[i] = run->texts->length + last - first;
        before = last;
    }
    if (is_good)
        is_good = fl_python_add_bytes(run->texts, (const char *)bytes.buf + first, last - first, run->fault);
    PyBuffer_Release(&offsets);
    PyBuffer_Release(&bytes);
    return is_good;
}

static bool put_texts(const python_run *run, PyObject *sequence, int32_t from, int32_t rows)
{
    PyObject *items = PySequence_Fast(sequence, "it gave no column of texts");
    bool is_good = items != NULL && PySequence_Fast_GET_SIZE(items) == rows;
    for (int32_t i = 0; is_good && i < rows; i++)
        is_good =
            fl_python_put(PySequence_Fast_GET_ITEM(items, i), &run->batch->result, from + i, run->texts, run->fault);
    Py_XDECREF(items);
    return is_good;
}

/* Rows from .. from + rows. False: a fault, its row within the whole batch. */
static bool run_slice(const python_run *run, int32_t from, int32_t rows)
{
    fl_python_batch *batch = run->batch;
    fl_python_column *result = &batch->result;
    const char *kind;
    char name[16];
    bool is_good = true, is_arrow = run->callable->signature.form == FL_PYTHON_ARROW;
    PyObject *columns = PyList_New(batch->n_args), *values = NULL, *nulls = NULL, *given = NULL;
    for (int32_t i = 0; columns != NULL && is_good && i < batch->n_args; i++) {
        PyObject *column =
            is_arrow ? arrow_column_of(&batch->args[i], from + rows) : column_of(&batch->args[i], from, rows);
        is_good = column != NULL;
        PyList_SET_ITEM(columns, i, is_good ? column : Py_NewRef(Py_None));
    }
    int64_t width = fl_python_width(result->type);
    kind = fl_python_numpy_name(result->type, result->unit, name);
    values = PyMemoryView_FromMemory((char *)result->values + from * width, (Py_ssize_t)(rows * width), PyBUF_WRITE);
    nulls = PyMemoryView_FromMemory((char *)result->nulls + from, rows, PyBUF_WRITE);
    if (columns != NULL && is_good && values != NULL && nulls != NULL && is_arrow)
        given = PyObject_CallMethod(prelude, "run_arrow", "OOiisiOO", run->callable->function, columns, (int)from,
                                    (int)rows, fl_python_sql_name(result->type), (int)result->unit, values, nulls);
    else if (columns != NULL && is_good && values != NULL && nulls != NULL)
        given = PyObject_CallMethod(prelude, "run_batch", "OOiOzsOO", run->callable->function, columns, (int)rows,
                                    run->callable->declaration.takes_nulls ? Py_True : Py_False, kind,
                                    fl_python_sql_name(result->type), values, nulls);
    is_good = given != NULL && (kind != NULL ? true
                                : is_arrow   ? put_arrow_texts(run, given, from, rows)
                                             : put_texts(run, given, from, rows));
    Py_XDECREF(columns);
    Py_XDECREF(values);
    Py_XDECREF(nulls);
    Py_XDECREF(given);
    if (!is_good && PyErr_Occurred()) {
        fl_python_raised(run->fault, -1);
        run->fault->row += run->fault->row >= 0 ? from : 0;
    }
    return is_good;
}

/* A batch failed: its rows one by one, so that the error says which it is, or all others have their value. */
static bool run_singly(const python_run *run)
{
    bool are_null = run->callable->declaration.errors_are_null;
    fl_python_fault first = *run->fault;
    memset(run->batch->result.nulls, 0, (size_t)run->batch->rows);
    start_texts(run);
    for (int32_t row = 0; row < run->batch->rows; row++) {
        *run->fault = (fl_python_fault){.row = -1};
        if (is_stopped(run, row))
            return false;
        if (run->progress != NULL)
            atomic_store_explicit(run->progress, row, memory_order_relaxed);
        if (run_slice(run, row, 1))
            continue;
        run->fault->row = row;
        if (!are_null)
            return false;
        *run->fault = (fl_python_fault){.row = -1};
        fl_python_put_null(&run->batch->result, row, run->texts);
    }
    if (are_null)
        return true;
    *run->fault = first; /* the rows together are what it fails with */
    return false;
}

static bool run_batch(const python_run *run)
{
    start_texts(run);
    if (run->progress != NULL)
        atomic_store_explicit(run->progress, -1, memory_order_relaxed);
    if (run_slice(run, 0, run->batch->rows))
        return true;
    if (run->fault->kind == FL_PYTHON_FINE) /* a column of texts of another length meanwhile */
        fl_python_fail(run->fault, FL_PYTHON_RESULT, "it gave no column of %d values", (int)run->batch->rows);
    const fl_python_declaration *d = &run->callable->declaration;
    bool has_row = run->fault->row >= 0 || run->batch->rows == 1;
    run->fault->row = run->batch->rows == 1 ? 0 : run->fault->row;
    bool is_of_rows = run->fault->kind == FL_PYTHON_RAISED && d->is_repeatable && !has_row;
    return d->errors_are_null || is_of_rows ? run_singly(run) : false;
}

bool fl_python_call(const python_run *run)
{
    *run->fault = (fl_python_fault){.row = -1};
    if (run->callable->signature.form != FL_PYTHON_BY_ROW ? !run_batch(run) : !run_rows(run))
        return false;
    run->batch->result.bytes = run->texts->data;
    run->batch->result.bytes_length = run->texts->length;
    return true;
}
