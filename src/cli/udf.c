/* The library's calls, one for each word; what changed a function is answered by the function's versions. */
#include "cli/udf.h"

#include "cli/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CODE_BYTES_MAX (65 << 20) /* the library says what is too much; this ends a device that never ends */

static bool report(fl_err *err)
{
    err->position = 0; /* in a text that nobody wrote */
    fl_cli_report(stderr, err, "", 0, 0);
    return false;
}

static void write_notes(const fl_cli_run *run)
{
    for (const char *note = fl_session_notes(run->session), *end; (end = strchr(note, '\n')) != NULL; note = end + 1)
        fprintf(stderr, "Note: %.*s\n", (int)(end - note), note);
}

static bool show(fl_cli_run *run, const char *name)
{
    struct ArrowArrayStream rows = {0};
    fl_err err = {0};
    double start_ms = fl_cli_clock_ms();
    if (fl_session_show_function(run->session, name, &rows, &err) != FL_OK)
        return report(&err);
    return fl_cli_run_answer(run, &rows, start_ms);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);
    return len >= n && strcmp(text + len - n, end) == 0;
}

static const char *guess_language(const char *file, const fl_cli_text *code)
{
    static const char magic[] = {0, 'a', 's', 'm'};
    static const char signed_magic[] = {'F', 'L', 'S', 'I', 'G', 'N', 'E', 'D'};
    bool is_module = (code->len >= sizeof(magic) && memcmp(code->data, magic, sizeof(magic)) == 0) ||
                     (code->len >= sizeof(signed_magic) && memcmp(code->data, signed_magic, sizeof(signed_magic)) == 0);
    return is_module || ends_with(file, ".wasm") ? "wasm" : ends_with(file, ".py") ? "python" : "expr";
}

static bool read_code(const char *file_name, fl_cli_text *ret)
{
    FILE *file = fopen(file_name, "re");
    bool is_good = file != NULL && fl_cli_text_add_file(ret, file, CODE_BYTES_MAX);
    if (!is_good)
        fprintf(stderr, "Error: cannot read \"%s\": %s\n", file_name, strerror(errno));
    if (file != NULL)
        fclose(file);
    return is_good;
}

static bool deploy(fl_cli_run *run, const char *file_name, const fl_cli_udf_options *udf)
{
    fl_cli_text code = {0};
    fl_err err = {0};
    bool is_good = read_code(file_name, &code);
    if (is_good) {
        const char *language = udf->language != NULL ? udf->language : guess_language(file_name, &code);
        const fl_function_options options = {
            .size = sizeof(options), .is_aggregate = udf->is_aggregate, .fuel = udf->fuel};
        is_good = fl_session_deploy_function_with(run->session, &options, udf->name, language, udf->signature,
                                                  code.data != NULL ? code.data : "", code.len, &err) == FL_OK ||
                  report(&err);
        write_notes(run);
    }
    fl_cli_text_drop(&code);
    return is_good && show(run, udf->name);
}

static bool compile(fl_cli_run *run, const char *file_name, const fl_cli_udf_options *udf)
{
    fl_cli_text module = {0};
    fl_err err = {0};
    char *code = NULL;
    size_t bytes = 0;
    bool is_good =
        read_code(file_name, &module) &&
        (fl_session_compile_function(run->session, udf->name, udf->signature, module.data != NULL ? module.data : "",
                                     module.len, udf->key, &code, &bytes, &err) == FL_OK ||
         report(&err));
    if (is_good && fwrite(code, 1, bytes, run->file) != bytes) {
        fprintf(stderr, "Error: cannot write the code: %s\n", strerror(errno));
        is_good = false;
    }
    fl_text_free(code);
    fl_cli_text_drop(&module);
    return is_good;
}

static bool delete(fl_cli_run *run, const char *name)
{
    fl_cli_text text = {0};
    struct ArrowArrayStream rows = {0};
    fl_err err = {0};
    fl_cli_text_add_str(&text, "DROP FUNCTION \"");
    for (const char *c = name; *c != 0; c++) {
        if (*c == '"')
            fl_cli_text_add_char(&text, '"');
        fl_cli_text_add_char(&text, *c);
    }
    fl_cli_text_add_char(&text, '"');
    bool is_good = fl_session_query_text(run->session, text.data, text.len, &rows, &err) == FL_OK || report(&err);
    if (is_good)
        rows.release(&rows);
    fl_cli_text_drop(&text);
    return is_good;
}

static bool roll_back(fl_cli_run *run, const char *name, const char *version)
{
    fl_err err = {0};
    char *end = NULL;
    long long number = 0;
    if (version != NULL) {
        errno = 0;
        number = strtoll(version, &end, 10);
        if (end == version || *end != 0 || errno != 0 || number < 1) {
            fprintf(stderr, "Error: a version is a whole number from 1 on, not \"%s\"\n", version);
            return false;
        }
    }
    if (fl_session_rollback_function(run->session, name, number, &err) != FL_OK)
        return report(&err);
    return show(run, name);
}

bool fl_cli_udf(fl_cli_run *run, const fl_cli_udf_options *udf)
{
    static const char list[] = "SHOW FUNCTIONS";
    const char *word = udf->words[0], *first = udf->n_words > 1 ? udf->words[1] : NULL;
    if (strcmp(word, "deploy") == 0)
        return deploy(run, first, udf);
    if (strcmp(word, "compile") == 0)
        return compile(run, first, udf);
    if (strcmp(word, "show") == 0)
        return show(run, first);
    if (strcmp(word, "delete") == 0)
        return delete (run, first);
    if (strcmp(word, "rollback") == 0)
        return roll_back(run, first, udf->n_words > 2 ? udf->words[2] : NULL);
    return fl_cli_run_text(run, list, strlen(list));
}
