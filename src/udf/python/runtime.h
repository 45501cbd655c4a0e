/* What runs Python: the table that the plugins `fletch_python` and `fletch_python_here` export, and that call.c calls.
 *
 * Two plugins have the same calls. One runs functions in worker processes, which are confined; the other in this process. Plain C types
 * alone cross this border. A fault is written into the caller's record.
 *
 * A batch's columns are dense: rows that nobody wants are left out before. Where the runtime has room of its own (`room`), columns lie
 * in it, so that a process reads them where they are; else they lie anywhere. */
#ifndef FL_UDF_PYTHON_RUNTIME_H
#define FL_UDF_PYTHON_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_PYTHON_RUNTIME_ABI 2
#define FL_PYTHON_RUNTIME_SYMBOL "fletch_python_runtime"
#define FL_PYTHON_ARGS_MAX 8
#define FL_PYTHON_NAME_BYTES 64 /* of a parameter; longer ones are not told */

typedef enum fl_python_type {
    FL_PYTHON_BOOL, /* a byte */
    FL_PYTHON_I8,
    FL_PYTHON_I16,
    FL_PYTHON_I32,
    FL_PYTHON_I64,
    FL_PYTHON_U8,
    FL_PYTHON_U16,
    FL_PYTHON_U32,
    FL_PYTHON_U64,
    FL_PYTHON_F32,
    FL_PYTHON_F64,
    FL_PYTHON_DATE,      /* int32, days since 1970 */
    FL_PYTHON_TIME,      /* int64, microseconds */
    FL_PYTHON_TIMESTAMP, /* int64, in the column's unit, without a zone */
    FL_PYTHON_TIMESTAMPTZ,
    FL_PYTHON_TEXT, /* offsets, int64, one more than rows, into bytes */
    FL_PYTHON_BINARY,
    FL_PYTHON_TYPES
} fl_python_type;

typedef enum fl_python_unit { FL_PYTHON_SECONDS, FL_PYTHON_MILLIS, FL_PYTHON_MICROS, FL_PYTHON_NANOS } fl_python_unit;

typedef struct fl_python_column {
    int32_t type;         /* fl_python_type */
    int32_t unit;         /* timestamps: fl_python_unit */
    void *values;         /* texts: offsets; arguments are not written to */
    uint8_t *nulls;       /* a byte a row, 1: it is null; an argument's may be NULL: no row is. A result's is not */
    const char *bytes;    /* texts */
    int64_t bytes_length; /* of them */
} fl_python_column;

typedef struct fl_python_batch {
    int32_t rows;
    int32_t n_args;
    fl_python_column args[FL_PYTHON_ARGS_MAX];
    fl_python_column
        result; /* values and nulls are the caller's to give; bytes come from the runtime, until its next call */
} fl_python_batch;

typedef enum fl_python_fault_kind {
    FL_PYTHON_FINE,
    FL_PYTHON_CODE,      /* the text is no Python, or has no such function */
    FL_PYTHON_RAISED,    /* the function's exception */
    FL_PYTHON_RESULT,    /* a result that is not of the declared type, or as many as there were rows */
    FL_PYTHON_MOMENT,    /* a date, time or timestamp that the declared type does not hold as it is */
    FL_PYTHON_ENDED,     /* the process ended */
    FL_PYTHON_STOPPED,   /* shall_stop said so */
    FL_PYTHON_LIMIT,     /* more than there is room for */
    FL_PYTHON_NO_MEMORY, /* of this process */
    FL_PYTHON_REFUSED,   /* it cannot be run here: no worker program, a kernel without walls */
} fl_python_fault_kind;

typedef struct fl_python_fault {
    fl_python_fault_kind kind;
    int32_t row; /* of the batch; -1: unknown */
    char message[512];
    char traceback[480]; /* its last lines; may be empty */
} fl_python_fault;

/* Whether a call shall end; asked every few milliseconds. */
typedef bool (*fl_python_shall_stop)(void *ctx);

typedef struct fl_python_declaration {
    const char *name;
    const char *code;
    size_t code_bytes;
    int32_t n_args;                    /* -1: the text's annotations say types and returns */
    int32_t types[FL_PYTHON_ARGS_MAX]; /* fl_python_type */
    int32_t returns;
    bool takes_nulls;
    bool errors_are_null;
    bool is_repeatable;      /* it may be called again for the same row */
    const char *module_path; /* folders of modules, between colons; "" */
    bool may_be_unconfined;  /* a kernel that cannot confine processes will do */
} fl_python_declaration;

/* How a function is called. */
typedef enum fl_python_form {
    FL_PYTHON_BY_ROW, /* for each row, with Python's values */
    FL_PYTHON_NUMPY,  /* for all rows of a batch, with NumPy's arrays */
    FL_PYTHON_ARROW,  /* the same with pyarrow's */
    FL_PYTHON_FORMS
} fl_python_form;

/* What the text says of a function. */
typedef struct fl_python_signature {
    int32_t form;   /* fl_python_form */
    int32_t n_args; /* what follows is told where the declaration has it from the text */
    int32_t types[FL_PYTHON_ARGS_MAX];
    int32_t returns;
    char names[FL_PYTHON_ARGS_MAX][FL_PYTHON_NAME_BYTES]; /* of parameters; may be empty */
} fl_python_signature;

typedef struct fl_python_runtime {
    uint32_t abi; /* FL_PYTHON_RUNTIME_ABI */
    /** Runs the text, for half a minute at the most, and finds the function in it. Strings are copied. Any thread; NULL with a fault. */
    void *(*function_new)(const fl_python_declaration *declaration, fl_python_shall_stop shall_stop, void *ctx,
                          fl_python_signature *ret, fl_python_fault *fault);
    void (*function_free)(void *function);
    /** What one thread at a time calls a function by. */
    void *(*caller_new)(void *function, fl_python_fault *fault);
    void (*caller_free)(void *caller);
    /** Room for a batch's columns: what was there before is gone. NULL where the runtime has none. */
    void *(*room)(void *caller, int64_t bytes, fl_python_shall_stop shall_stop, void *ctx, fl_python_fault *fault);
    /** Calls the function for all rows. */
    bool (*run)(void *caller, fl_python_batch *batch, fl_python_shall_stop shall_stop, void *ctx,
                fl_python_fault *fault);
} fl_python_runtime;

/** The plugins' one symbol. */
typedef const fl_python_runtime *(*fl_python_runtime_open)(void);

/** Bytes of a value; texts: of an offset. */
static inline int64_t fl_python_width(int32_t type)
{
    static const int8_t widths[FL_PYTHON_TYPES] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 4, 8, 8, 8, 8, 8};
    return widths[type];
}

static inline bool fl_python_is_text(int32_t type)
{
    return type == FL_PYTHON_TEXT || type == FL_PYTHON_BINARY;
}

#endif
