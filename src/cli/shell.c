/* The interactive prompt. Line editing and history are libedit's, which starts here and nowhere else.
 *
 * libedit reads through our own function, so that Ctrl-C, which ends a read, can be told from the end of the input. */
#include "cli/shell.h"

#include "cli/interrupt.h"
#include "cli/split.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_LINES 1000

typedef struct prompt {
    fl_cli_text statement; /* lines so far */
} prompt;

static char *show_prompt(EditLine *editor)
{
    static char first[] = "fletch> ", next[] = "   ...> ";
    prompt *p = NULL;
    el_get(editor, EL_CLIENTDATA, &p);
    return p->statement.len == 0 ? first : next;
}

/* A character of UTF-8 from the terminal: 1, or 0 at the end, or -1 when a signal or a fault ends the read. */
static int read_character(EditLine *editor, wchar_t *ret)
{
    (void)editor;
    char bytes[4];
    for (size_t len = 0; len < sizeof(bytes);) {
        ssize_t got = read(STDIN_FILENO, bytes + len, 1);
        if (got < 0 && errno == EINTR && !fl_cli_interrupt_is_set())
            continue;
        if (got <= 0)
            return (int)got;
        uint32_t code;
        if (fl_cli_utf8_decode(bytes, ++len, &code) > 0) {
            *ret = (wchar_t)code;
            return 1;
        }
        if (len == 1 && (uint8_t)bytes[0] < 0xC2)
            len = 0; /* no character begins so */
    }
    *ret = 0xFFFD;
    return 1;
}

static bool is_word(const fl_cli_text *text, const char *word)
{
    size_t len = text->len;
    while (len > 0 && (text->data[len - 1] == '\n' || text->data[len - 1] == ' ' || text->data[len - 1] == ';'))
        len--;
    return len == strlen(word) && strncasecmp(text->data, word, len) == 0;
}

static void show_help(void)
{
    puts("Statements end with a semicolon and may take several lines.\n"
         "  FROM 'file.parquet' LIMIT 10;     files are tables: Parquet, CSV, JSON\n"
         "  DESCRIBE 'file.csv';              columns and their types\n"
         "  SHOW TABLES;                      tables and views of this session\n"
         "  EXPLAIN ANALYZE SELECT ...;       the plan, with rows and times\n"
         "Ctrl-C stops a query. Ctrl-D or exit leaves.");
}

/* Runs the statements that are whole and keeps the rest for the next line. */
static void run_whole(fl_cli_run *run, fl_cli_text *text)
{
    size_t whole = 0;
    for (size_t at = 0; at < text->len;) {
        fl_cli_piece piece = fl_cli_split(text->data, text->len, at);
        if (piece.is_ended)
            whole = piece.next;
        else if (piece.is_empty && !piece.is_open)
            whole = text->len;
        at = piece.next;
    }
    if (whole == 0)
        return;
    fl_cli_interrupt_clear();
    fl_cli_run_text(run, text->data, whole);
    fl_cli_interrupt_clear();
    memmove(text->data, text->data + whole, text->len - whole);
    text->len -= whole;
}

/* One line; false when the session ends. *is_quitting: the last thing was a Ctrl-C on an empty line. */
static bool read_and_run(fl_cli_run *run, EditLine *editor, History *lines, prompt *p, bool *is_quitting)
{
    int len = 0;
    const char *line = el_gets(editor, &len);
    if (line == NULL || len <= 0) {
        if (!fl_cli_interrupt_is_set())
            return false;
        fl_cli_interrupt_clear();
        el_reset(editor);
        puts(*is_quitting ? "" : "^C (again to leave)");
        p->statement.len = 0;
        bool was_quitting = *is_quitting;
        *is_quitting = true;
        return !was_quitting;
    }
    *is_quitting = false;
    fl_cli_text_add(&p->statement, line, (size_t)len);
    if (is_word(&p->statement, "exit") || is_word(&p->statement, "quit") || is_word(&p->statement, ".quit") ||
        is_word(&p->statement, ".exit") || is_word(&p->statement, "\\q"))
        return false;
    HistEvent event;
    if (len > 1)
        history(lines, &event, H_ENTER, line);
    if (is_word(&p->statement, "help") || is_word(&p->statement, ".help")) {
        show_help();
        p->statement.len = 0;
        return true;
    }
    run_whole(run, &p->statement);
    return true;
}

bool fl_cli_shell(fl_cli_run *run)
{
    prompt p = {0};
    HistEvent event;
    run->tells_changes = true;
    setlocale(LC_CTYPE, "C.UTF-8"); /* what is typed is UTF-8, whatever the environment says */
    History *lines = history_init();
    EditLine *editor = el_init("fletch", stdin, stdout, stderr);
    if (lines == NULL || editor == NULL) {
        fprintf(stderr, "fletch: the terminal cannot be set up\n");
        return false;
    }
    history(lines, &event, H_SETSIZE, HISTORY_LINES);
    history(lines, &event, H_SETUNIQUE, 1);
    el_set(editor, EL_CLIENTDATA, &p);
    el_set(editor, EL_PROMPT, show_prompt);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_HIST, history, lines);
    el_set(editor, EL_GETCFN, read_character);
    el_set(editor, EL_SIGNAL, 0);
    printf("fletch %s. Statements end with ; — help; for help, Ctrl-D to leave.\n", fl_version());
    bool is_quitting = false;
    while (read_and_run(run, editor, lines, &p, &is_quitting))
        continue;
    putchar('\n');
    el_end(editor);
    history_end(lines);
    fl_cli_text_drop(&p.statement);
    return true;
}
