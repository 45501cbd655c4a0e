/* Statements under fault: every allocation, every call of the system and every look at an interrupt of a statement is made to fail in
 * turn, each in a run of its own. What must hold of every run is checked here:
 *
 * - it gives the answer that it gives undisturbed, or fails with the SQLSTATE of what struck, and a message;
 * - memory of session and engine is what it was before, no file is open, nothing is left on the disk;
 * - the same session then gives the right answer;
 * - a statement that changes rows changed all of them or none.
 *
 * The right answer is the one without a limit of memory. A statement with a limit must be seen to spill below it. A check that does not
 * hold says so and aborts. Fault points belong to the process (base/fault.h), so one test at a time uses them. */
#ifndef TEST_FAULTS_H
#define TEST_FAULTS_H

#include "engine/internal.h"

#include "owned_system.h"

typedef struct faults faults;
typedef struct fault_statement fault_statement;

/* What a run gave: how many rows, and a sum over them that does not depend on their order. */
typedef struct fault_answer {
    int64_t rows;
    uint64_t sum;
} fault_answer;

enum {
    FAULT_VARIES = 1, /* the answer's rows are others each time: only their number counts */
    FAULT_TELLS =
        2, /* it tells of estimates, which are other ones where there is no memory for them: any rows will do */
    FAULT_KEEPS = 4, /* what it reads of files is looked at as it was: files are not opened anew for each run */
};

struct fault_statement {
    const char *sql;
    int64_t rows;       /* of the answer */
    int64_t limit_kb;   /* of memory, below which it spills; 0: none */
    uint32_t flags;     /* FAULT_... */
    const char *before; /* puts back what the statement changes; NULL: it changes nothing */
    const char *check;  /* its answer is the one before or after the change; NULL: not asked */
    fl_status (*run)(faults *f, const fault_statement *statement, fault_answer *ret,
                     fl_err *err); /* NULL: fault_query */
};

struct faults {
    owned_system owned; /* first */
    fl_engine *engine;
    fl_session *session;
    int64_t
        tries_max; /* of each kind of fault: every place while there are no more, else half of it from the first place on, the
                            others evenly spaced from there to the last; INT64_MAX when opened */
    int64_t right_every; /* after so many tries the right answer is asked for; 1 when opened */
    int64_t n_statements, n_spilling, n_tries, n_places; /* so far */
};

/** Opens engine and session, with one worker, and runs the statements. */
void faults_open(faults *f, const char *const *list, int32_t n);
void faults_close(faults *f);

/** Runs statements that must succeed. */
void faults_run(faults *f, const char *sql);

/** Runs `sql` and reads its rows to their end. */
fl_status fault_query(faults *f, const fault_statement *statement, fault_answer *ret, fl_err *err);

/** Reads a stream to its end, or no more than `batches_max` batches (0: all), and releases it. */
fl_status fault_read(struct ArrowArrayStream *rows, int64_t batches_max, fault_answer *ret, fl_err *err);

/** Lets each statement fail everywhere. */
void faults_try(faults *f, const fault_statement *list, size_t n);

#endif
