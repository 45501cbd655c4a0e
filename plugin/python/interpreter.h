/* CPython: functions are made of text and called for batches. What both the worker and the plugin in the process have.
 *
 * Who calls holds the interpreter's lock. */
#ifndef FL_PLUGIN_PYTHON_INTERPRETER_H
#define FL_PLUGIN_PYTHON_INTERPRETER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "udf/python/runtime.h"

typedef struct python_bytes {
    char *data; /* of malloc */
    int64_t length, capacity;
} python_bytes;

typedef struct python_callable {
    PyObject *function;
    fl_python_declaration declaration; /* its strings are the caller's */
    fl_python_signature signature;
} python_callable;

/* A run of one batch. */
typedef struct python_run {
    const python_callable *callable;
    fl_python_batch *batch;
    python_bytes *texts;             /* the results' bytes */
    _Atomic int32_t *progress;       /* the row that is under way; may be NULL */
    fl_python_shall_stop shall_stop; /* looked at between rows; may be NULL */
    void *ctx;
    fl_python_fault *fault;
} python_run;

/** Starts the interpreter, unless this process has one. */
bool fl_python_start(fl_python_fault *fault);

/** Makes the function; strings of the declaration outlive it. */
bool fl_python_define(const fl_python_declaration *declaration, python_callable *ret, fl_python_fault *fault);

/** Calls it for all rows of the batch, and sets the result's bytes where it is a text. */
bool fl_python_call(const python_run *run);

/** Raises an exception in the thread (PyThread_get_thread_ident) that a function is called in, or takes it back. */
void fl_python_stop(unsigned long thread, bool stops);

/** Writes a fault; always false. */
bool fl_python_fail(fl_python_fault *fault, fl_python_fault_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Takes Python's exception, which there is, as the fault. Always false. */
bool fl_python_raised(fl_python_fault *fault, int32_t row);

/* ---- values (convert.c) ---- */

/** Once, before the others. */
bool fl_python_convert_start(void);

/** The name of a type as SQL writes it, and as NumPy does (NULL: a text); 8 bytes or so are written. */
const char *fl_python_sql_name(int32_t type);
const char *fl_python_numpy_name(int32_t type, int32_t unit, char ret[16]);

/** A row of a column: a new reference; NULL with an exception. */
PyObject *fl_python_value_of(const fl_python_column *column, int32_t row);

/** Puts a value into a row; None is null. False: a fault, or an exception. Offsets of texts are those of `row` and `row + 1`. */
bool fl_python_put(PyObject *value, fl_python_column *column, int32_t row, python_bytes *texts, fl_python_fault *fault);

/** Adds to the results' bytes. */
bool fl_python_add_bytes(python_bytes *texts, const char *data, int64_t bytes, fl_python_fault *fault);

/** Puts null. */
void fl_python_put_null(fl_python_column *column, int32_t row, const python_bytes *texts);

#endif
