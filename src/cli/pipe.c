/* The lines of --pipe. Relies on yyjson for requests; answers are written by value.c. */
#include "cli/pipe.h"

#include "cli/copy_in.h"
#include "cli/interrupt.h"
#include "cli/run.h"
#include "cli/split.h"
#include "cli/value.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#define REQUEST_BYTES_MAX (256 << 20)

/* Codes by name, as the answers give them. */
static const char *code_name(fl_status code)
{
    static const struct {
        fl_status code;
        const char *name;
    } names[] = {{FL_ERR_CONFIG, "config"},
                 {FL_ERR_SYNTAX, "syntax"},
                 {FL_ERR_TABLE, "table"},
                 {FL_ERR_COLUMN, "column"},
                 {FL_ERR_FUNCTION, "function"},
                 {FL_ERR_AMBIGUOUS, "ambiguous"},
                 {FL_ERR_GROUPING, "grouping"},
                 {FL_ERR_TYPE, "type"},
                 {FL_ERR_DUPLICATE, "duplicate"},
                 {FL_ERR_UNSUPPORTED, "unsupported"},
                 {FL_ERR_PARAMETER, "parameter"},
                 {FL_ERR_VALUE, "value"},
                 {FL_ERR_RANGE, "range"},
                 {FL_ERR_DIVISION, "division"},
                 {FL_ERR_CARDINALITY, "cardinality"},
                 {FL_ERR_CONSTRAINT, "constraint"},
                 {FL_ERR_FORMAT, "format"},
                 {FL_ERR_CORRUPT, "corrupt"},
                 {FL_ERR_MEMORY, "memory"},
                 {FL_ERR_LIMIT, "limit"},
                 {FL_ERR_IO, "io"},
                 {FL_ERR_CANCELLED, "cancelled"},
                 {FL_ERR_TIMEOUT, "timeout"},
                 {FL_ERR_PLAN, "plan"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].code == code)
            return names[i].name;
    return "internal";
}

static void set_error(fl_err *err, fl_status code, const char *sqlstate, const char *message)
{
    *err = (fl_err){.code = code};
    memcpy(err->sqlstate, sqlstate, 6);
    snprintf(err->message, sizeof(err->message), "%s", message);
}

static void add_error(fl_cli_text *line, const fl_err *err)
{
    fl_cli_text_addf(line, "{\"error\":{\"code\":\"%s\",\"sqlstate\":\"%s\",\"message\":", code_name(err->code),
                     err->sqlstate);
    fl_cli_text_add_json(line, err->message, strlen(err->message));
    if (err->position > 0)
        fl_cli_text_addf(line, ",\"position\":%lld", (long long)err->position - 1);
    else
        fl_cli_text_add_str(line, ",\"position\":null");
    fl_cli_text_add_str(line, ",\"hint\":");
    fl_cli_text_add_json(line, err->hint, strlen(err->hint));
    fl_cli_text_add_str(line, "}}\n");
}

/* ,"notes":["…"], where there are any. */
static void add_notes(fl_cli_text *line, const char *notes)
{
    const char *note = notes;
    for (const char *end; (end = strchr(note, '\n')) != NULL; note = end + 1) {
        fl_cli_text_add_str(line, note == notes ? ",\"notes\":[" : ",");
        fl_cli_text_add_json(line, note, (size_t)(end - note));
    }
    if (note != notes)
        fl_cli_text_add_char(line, ']');
}

/* ---- requests ---- */

/* Numbers are read as they are written: a query's keep their digits. */
static bool read_number(yyjson_val *raw, yyjson_val *ret, fl_err *err)
{
    yyjson_read_err fault;
    if (yyjson_read_number(yyjson_get_raw(raw), ret, YYJSON_READ_NOFLAG, NULL, &fault) != NULL)
        return true;
    set_error(err, FL_ERR_PARAMETER, "08P01", "");
    snprintf(err->message, sizeof(err->message), "a parameter is no number of JSON's: %s", fault.msg);
    return false;
}

static bool bind_value(fl_statement *statement, int32_t number, yyjson_val *value, fl_err *err)
{
    yyjson_val read;
    if (yyjson_is_raw(value)) {
        if (!read_number(value, &read, err))
            return false;
        value = &read;
    }
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_NULL:
        return fl_statement_bind_null(statement, number, err) == FL_OK;
    case YYJSON_TYPE_BOOL:
        return fl_statement_bind_bool(statement, number, yyjson_get_bool(value), err) == FL_OK;
    case YYJSON_TYPE_STR:
        return fl_statement_bind_text(statement, number, yyjson_get_str(value), yyjson_get_len(value), err) == FL_OK;
    case YYJSON_TYPE_NUM:
        if (yyjson_is_real(value))
            return fl_statement_bind_double(statement, number, yyjson_get_real(value), err) == FL_OK;
        if (yyjson_is_sint(value) || yyjson_get_uint(value) <= INT64_MAX)
            return fl_statement_bind_int64(statement, number, yyjson_get_sint(value), err) == FL_OK;
        set_error(err, FL_ERR_PARAMETER, "08P01", "a parameter is an integer beyond bigint: send it as a string");
        return false;
    default:
        set_error(err, FL_ERR_PARAMETER, "08P01",
                  "a parameter is null, a boolean, a number or a string, not an array or object");
        return false;
    }
}

static bool run_prepared(fl_session *session, const char *sql, size_t len, yyjson_val *params,
                         struct ArrowArrayStream *ret_rows, fl_err *err)
{
    fl_statement *statement = NULL;
    if (fl_session_prepare(session, sql, len, &statement, err) != FL_OK)
        return false;
    int32_t number = 0;
    bool is_good = true;
    yyjson_arr_iter iter = yyjson_arr_iter_with(params);
    for (yyjson_val *value; is_good && (value = yyjson_arr_iter_next(&iter)) != NULL;)
        is_good = bind_value(statement, ++number, value, err);
    yyjson_obj_iter named = yyjson_obj_iter_with(params);
    for (yyjson_val *key; is_good && (key = yyjson_obj_iter_next(&named)) != NULL;) {
        number = fl_statement_find_param(statement, yyjson_get_str(key));
        is_good = number > 0 && bind_value(statement, number, yyjson_obj_iter_get_val(key), err);
        if (number == 0) {
            set_error(err, FL_ERR_PARAMETER, "42P02", "");
            snprintf(err->message, sizeof(err->message), "the statement has no parameter $%s", yyjson_get_str(key));
        }
    }
    is_good = is_good && fl_statement_execute(statement, ret_rows, err) == FL_OK;
    fl_statement_close(statement);
    return is_good;
}

static bool run_query(fl_session *session, yyjson_val *query, struct ArrowArrayStream *ret_rows, fl_err *err)
{
    size_t len = 0;
    char *json = yyjson_val_write(query, YYJSON_WRITE_NOFLAG, &len);
    if (json == NULL) {
        set_error(err, FL_ERR_MEMORY, "53200", "out of memory: the request's query");
        return false;
    }
    bool is_good = fl_session_query_json(session, json, len, ret_rows, err) == FL_OK;
    free(json);
    return is_good;
}

/* Runs what a parsed line asks for. */
static bool run_request(fl_session *session, yyjson_val *request, struct ArrowArrayStream *ret_rows, fl_err *err)
{
    yyjson_val *sql = yyjson_obj_get(request, "sql"), *params = yyjson_obj_get(request, "params");
    yyjson_val *query = yyjson_obj_get(request, "query");
    if (query != NULL && sql == NULL && params == NULL)
        return run_query(session, query, ret_rows, err);
    if (!yyjson_is_str(sql) || query != NULL) {
        set_error(err, FL_ERR_PARAMETER, "08P01",
                  "a request is an object with a string named \"sql\", or with an object named \"query\" alone");
        return false;
    }
    if (params != NULL && !yyjson_is_arr(params) && !yyjson_is_obj(params) && !yyjson_is_null(params)) {
        set_error(err, FL_ERR_PARAMETER, "08P01", "\"params\" is an array, or an object of parameters by name");
        return false;
    }
    const char *text = yyjson_get_str(sql);
    size_t len = yyjson_get_len(sql);
    fl_cli_piece first = fl_cli_split(text, len, 0);
    for (size_t at = first.next; at < len;) {
        fl_cli_piece more = fl_cli_split(text, len, at);
        if (!more.is_empty) {
            set_error(err, FL_ERR_SYNTAX, "42601", "a request holds one statement; a second one begins here");
            err->position = (int64_t)more.start + 1;
            return false;
        }
        at = more.next;
    }
    if (yyjson_arr_size(params) > 0 || yyjson_obj_size(params) > 0)
        return run_prepared(session, text, first.end, params, ret_rows, err);
    return fl_session_query_text(session, text, first.end, ret_rows, err) == FL_OK;
}

/* ---- answers ---- */

static void add_columns(fl_cli_text *line, const struct ArrowSchema *schema)
{
    fl_cli_text name = {0};
    fl_cli_text_add_str(line, "{\"columns\":[");
    for (int64_t i = 0; i < schema->n_children; i++) {
        if (i > 0)
            fl_cli_text_add_char(line, ',');
        fl_cli_text_add_json(line, schema->children[i]->name, strlen(schema->children[i]->name));
    }
    fl_cli_text_add_str(line, "],\"types\":[");
    for (int64_t i = 0; i < schema->n_children; i++) {
        name.len = 0;
        fl_cli_type_add_name(&name, schema->children[i]);
        if (i > 0)
            fl_cli_text_add_char(line, ',');
        fl_cli_text_add_json(line, name.data, name.len);
    }
    fl_cli_text_add_str(line, "],\"rows\":[");
    fl_cli_text_drop(&name);
}

static void add_rows(fl_cli_text *line, const struct ArrowSchema *schema, const struct ArrowArray *batch, bool is_first)
{
    for (int64_t row = 0; row < batch->length && schema->n_children > 0; row++) {
        fl_cli_text_add_str(line, is_first && row == 0 ? "[" : ",[");
        for (int64_t i = 0; i < schema->n_children; i++) {
            if (i > 0)
                fl_cli_text_add_char(line, ',');
            fl_cli_value_add_json(line, schema->children[i], batch->children[i], batch->offset + row);
        }
        fl_cli_text_add_char(line, ']');
    }
}

/* The whole answer is made before it is written: an error on the way replaces it. */
static bool add_answer(fl_cli_text *line, struct ArrowArrayStream *rows, fl_err *err)
{
    struct ArrowSchema schema = {0};
    int rc = rows->get_schema(rows, &schema);
    if (rc == 0) {
        int64_t count = 0;
        add_columns(line, &schema);
        for (;;) {
            struct ArrowArray batch = {0};
            rc = rows->get_next(rows, &batch);
            if (rc != 0 || batch.release == NULL)
                break;
            add_rows(line, &schema, &batch, count == 0);
            count += batch.length;
            batch.release(&batch);
        }
        schema.release(&schema);
    }
    if (rc != 0) {
        if (fl_stream_error(rows, err) == FL_OK)
            set_error(err, FL_ERR_INTERNAL, "XX000", "the answer's stream broke");
    }
    fl_cli_text_add_char(line, ']');
    return rc == 0;
}

/* Whether the request is COPY … FROM STDIN, whose rows are the lines behind it. */
static bool is_copy_in(yyjson_val *request)
{
    yyjson_val *sql = yyjson_obj_get(request, "sql");
    return yyjson_is_str(sql) && fl_cli_split(yyjson_get_str(sql), yyjson_get_len(sql), 0).is_copy_in;
}

static void answer_line(fl_session *session, FILE *in, char *data, size_t len, fl_cli_text *line)
{
    fl_err err = {0};
    yyjson_read_err fault;
    struct ArrowArrayStream rows = {0};
    double start = fl_cli_clock_ms();
    yyjson_doc *request = yyjson_read_opts(data, len, YYJSON_READ_NUMBER_AS_RAW, NULL, &fault);
    line->len = 0;
    fl_cli_interrupt_clear();
    if (request == NULL) {
        set_error(&err, FL_ERR_PARAMETER, "08P01", "");
        snprintf(err.message, sizeof(err.message), "the request is no JSON: %s at byte %zu of the line", fault.msg,
                 fault.pos + 1);
        add_error(line, &err);
        return;
    }
    int saved = -1;
    bool is_good = !is_copy_in(yyjson_doc_get_root(request)) || fl_cli_copy_in_lines(in, &saved);
    if (is_good)
        is_good = run_request(session, yyjson_doc_get_root(request), &rows, &err);
    else
        set_error(&err, FL_ERR_IO, "58030", "the rows of standard input cannot be kept");
    if (saved >= 0)
        fl_cli_copy_in_end(saved);
    if (is_good) {
        is_good = add_answer(line, &rows, &err);
        rows.release(&rows);
    }
    yyjson_doc_free(request);
    if (is_good) {
        add_notes(line, fl_session_notes(session));
        if (fl_session_changed_rows(session) >= 0)
            fl_cli_text_addf(line, ",\"changed_rows\":%lld", (long long)fl_session_changed_rows(session));
        fl_cli_text_addf(line, ",\"ms\":%.3f,\"cpu_ms\":%.3f}\n", fl_cli_clock_ms() - start,
                         (double)fl_session_cpu_ns(session) / 1e6);
        return;
    }
    line->len = 0;
    add_error(line, &err);
}

static void refuse_line(fl_cli_text *answer)
{
    fl_err err;
    set_error(&err, FL_ERR_LIMIT, "54000", "");
    snprintf(err.message, sizeof(err.message), "a request has more than %d MB: the limit of a line",
             REQUEST_BYTES_MAX >> 20);
    answer->len = 0;
    add_error(answer, &err);
}

/* Reads a line without its end, up to one byte more than a request may have; false at the end of the input. Ctrl-C ends a
 * read, but not the session. */
static bool read_line(FILE *in, fl_cli_text *line)
{
    line->len = 0;
    while (line->len <= REQUEST_BYTES_MAX) {
        int c = getc_unlocked(in);
        if (c == '\n')
            return true;
        if (c != EOF) {
            fl_cli_text_add_char(line, (char)c);
        } else if (feof(in) || !fl_cli_interrupt_is_set()) {
            return line->len > 0;
        } else {
            fl_cli_interrupt_clear();
            clearerr(in);
        }
    }
    return true;
}

bool fl_cli_pipe(fl_session *session, FILE *in, FILE *out)
{
    fl_cli_text line = {0}, answer = {0};
    bool is_good = true;
    while (is_good && read_line(in, &line)) {
        bool is_endless = line.len > REQUEST_BYTES_MAX; /* where the next one begins is not to be known */
        if (is_endless)
            refuse_line(&answer);
        else
            answer_line(session, in, line.data, line.len, &answer);
        is_good = fwrite(answer.data, 1, answer.len, out) == answer.len && fflush(out) == 0 && !is_endless;
    }
    fl_cli_text_drop(&line);
    fl_cli_text_drop(&answer);
    return is_good;
}
