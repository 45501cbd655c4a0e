/* The interactive prompt. Line editing is libedit's, which starts here and nowhere else; on a terminal that has colours it draws
 * nowhere, and what it holds is drawn by line_view.h.
 *
 * libedit reads through our own function, so that Ctrl-C, which ends a read, can be told from the end of the input, and what is pasted from
 * what is typed. What ~/.fletchrc says is run first. */
#include "cli/shell.h"

#include "cli/completion.h"
#include "cli/dot_command.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/line_view.h"
#include "cli/split.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROWS_SHOWN 40
#define RC_BYTES_MAX (1 << 20)
#define CANDIDATES_SHOWN 200
#define LOOK_MS 100 /* between looks whether Ctrl-C was pressed */

typedef struct prompt {
    fl_cli_shell shell;
    EditLine *editor;
    FILE *nowhere; /* where libedit draws when we do; NULL: we do not */
    fl_cli_highlight highlight;
    fl_cli_line_view view;
    fl_cli_history history;
    bool is_quitting; /* the last thing was a Ctrl-C on an empty line */
    bool is_pasting;  /* what comes was not typed, until the terminal says that it ends */
    char quoted;      /* comes next: it was said that it means itself; 0: none */
    size_t n_ended;   /* characters of the sequence that ends a paste that came */
} prompt;

static prompt *prompt_of(EditLine *editor)
{
    prompt *p = NULL;
    el_get(editor, EL_CLIENTDATA, &p);
    return p;
}

static char *show_prompt(EditLine *editor)
{
    static char first[] = "fletch> ", next[] = "   ...> ";
    return prompt_of(editor)->shell.statement.len == 0 ? first : next;
}

/* ---- drawing --------------------------------------------------------------------------------------------------------- */

static bool has_colours(void)
{
    const char *terminal = getenv("TERM"), *refused = getenv("NO_COLOR"); /* no-color.org */
    return isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0 && terminal[0] != 0 &&
           (refused == NULL || refused[0] == 0);
}

/* The line, with the cursor where libedit has it, or behind it. */
static void draw(prompt *p, const char *line, size_t len, size_t cursor)
{
    fl_cli_text text = {0};
    size_t first = p->shell.statement.len;
    fl_cli_text_add(&text, p->shell.statement.data, first);
    fl_cli_text_add(&text, line, len);
    p->view.highlight = p->shell.has_highlight ? &p->highlight : NULL;
    fl_cli_line_view_draw(&p->view, &(fl_cli_line){.prompt = show_prompt(p->editor),
                                                   .text = text.data,
                                                   .len = text.len,
                                                   .first = first,
                                                   .cursor = first + cursor});
    fl_cli_text_drop(&text);
}

static void draw_edited(prompt *p)
{
    const LineInfo *line = el_line(p->editor);
    draw(p, line->buffer, (size_t)(line->lastchar - line->buffer), (size_t)(line->cursor - line->buffer));
}

/* What was drawn stays, and what comes now is written below it. */
static void leave_line(prompt *p)
{
    if (p->nowhere != NULL)
        fl_cli_line_view_end(&p->view);
    else
        putchar('\n');
}

static unsigned char clear_screen(EditLine *editor, int key)
{
    (void)key;
    fl_cli_line_view_clear(&prompt_of(editor)->view);
    return CC_NORM;
}

static bool is_more_waiting(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

/* Until there is something to read; false: Ctrl-C came first. One that comes before the wait begins ends it soon. */
static bool wait_for_input(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        int n = poll(&input, 1, LOOK_MS);
        if (n <= 0 && fl_cli_interrupt_is_set())
            return false;
        if (n > 0 || (n < 0 && errno != EINTR))
            return true;
    }
}

/* A character of UTF-8 from the terminal: 1, or 0 at the end, or -1 when a signal or a fault ends the read. */
static int read_typed(wchar_t *ret)
{
    char bytes[4];
    for (size_t len = 0; len < sizeof(bytes);) {
        if (!wait_for_input())
            return -1;
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

/* ---- pasting ----
 *
 * A terminal that was told so (bracketed paste) says where a paste begins and ends. Within one keys mean nothing: a tab is a tab, and other
 * control characters but the ends of lines are left out. */

#define PASTES_ARE_TOLD "\x1b[?2004h"
#define PASTES_ARE_TYPED "\x1b[?2004l"
#define QUOTING 0x16 /* Ctrl-V: the next character means itself */
static const char paste_end[] = "\x1b[201~";

static unsigned char begin_paste(EditLine *editor, int key)
{
    (void)key;
    prompt *p = prompt_of(editor);
    p->is_pasting = true;
    p->n_ended = 0;
    return CC_NORM;
}

static int read_character(EditLine *editor, wchar_t *ret)
{
    prompt *p = prompt_of(editor);
    if (p->quoted != 0) {
        *ret = (wchar_t)p->quoted;
        p->quoted = 0;
        return 1;
    }
    for (;;) {
        if (p->nowhere != NULL && !p->is_pasting && !is_more_waiting())
            draw_edited(p);
        int got = read_typed(ret);
        if (got <= 0)
            p->is_pasting = false;
        if (!p->is_pasting)
            return got;
        if (*ret == (wchar_t)paste_end[p->n_ended]) { /* no paste holds an escape: terminals take it out */
            p->is_pasting = paste_end[++p->n_ended] != 0;
            continue;
        }
        p->n_ended = 0;
        if (*ret == '\t') {
            p->quoted = '\t';
            *ret = QUOTING;
        } else if (*ret == '\r') {
            *ret = '\n';
        }
        if (*ret >= ' ' || *ret == '\n' || *ret == QUOTING)
            return 1;
    }
}

/* ---- completion ---- */

/* In columns, as wide as the terminal. */
static void show_candidates(prompt *p, const fl_cli_completion *found)
{
    struct winsize size;
    size_t width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80, widest = 1,
           n = 0;
    leave_line(p);
    for (size_t at = 0; at < found->words.len;) {
        size_t len =
            (size_t)((const char *)memchr(found->words.data + at, '\n', found->words.len - at) - found->words.data) -
            at;
        widest = len > widest ? len : widest;
        at += len + 1;
    }
    size_t columns = width / (widest + 2) > 0 ? width / (widest + 2) : 1;
    for (size_t at = 0; at < found->words.len && n < CANDIDATES_SHOWN;) {
        size_t len =
            (size_t)((const char *)memchr(found->words.data + at, '\n', found->words.len - at) - found->words.data) -
            at;
        n++;
        printf("%.*s%*s", (int)len, found->words.data + at, n % columns == 0 ? 0 : (int)(widest + 2 - len), "");
        if (n % columns == 0)
            putchar('\n');
        at += len + 1;
    }
    if (n % columns != 0)
        putchar('\n');
    if (n < found->n)
        printf("and %zu more\n", found->n - n);
}

/* Tab: adds what all candidates go on with; shows them where that is nothing. */
static unsigned char complete(EditLine *editor, int key)
{
    (void)key;
    prompt *p = prompt_of(editor);
    const LineInfo *line = el_line(editor);
    fl_cli_text text = {0};
    fl_cli_completion found;
    unsigned char verdict = CC_ERROR;
    fl_cli_text_add(&text, p->shell.statement.data, p->shell.statement.len);
    fl_cli_text_add(&text, line->buffer, (size_t)(line->lastchar - line->buffer));
    size_t at = p->shell.statement.len + (size_t)(line->cursor - line->buffer);
    fl_cli_complete(p->shell.run->session, text.data, text.len, at, &found);
    size_t typed = at - found.start;
    if (found.n > 0 && (found.common > typed || found.n == 1)) {
        char *word = strndup(found.words.data, found.common);
        bool is_whole = found.n == 1 && found.common > 0 && strchr("(/", found.words.data[found.common - 1]) == NULL;
        if (word != NULL && typed <= (size_t)(line->cursor - line->buffer)) {
            el_deletestr(editor, (int)typed); /* the case of the letters may be another */
            el_insertstr(editor, word);
            if (is_whole && at == text.len && memchr(text.data, '\'', text.len) == NULL)
                el_insertstr(editor, " ");
            verdict = CC_REFRESH;
        }
        free(word);
    } else if (found.n > 1) {
        show_candidates(p, &found);
        verdict = CC_REDISPLAY;
    }
    fl_cli_completion_drop(&found);
    fl_cli_text_drop(&text);
    fl_cli_interrupt_clear();
    return verdict;
}

/* ---- statements ---- */

static bool is_word(const char *text, size_t len, const char *word)
{
    while (len > 0 && strchr("\n ;", text[len - 1]) != NULL)
        len--;
    return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static bool is_blank(const fl_cli_text *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (strchr(" \t\r\n", text->data[i]) == NULL)
            return false;
    return true;
}

/* Sends answers through a pager, until end_pager. */
static FILE *begin_pager(fl_cli_shell *shell)
{
    const char *command = getenv("PAGER");
    FILE *pager = NULL;
    if (shell->has_pager && shell->run->file == stdout && isatty(STDOUT_FILENO)) {
        fflush(stdout);
        pager = popen(command != NULL && *command != 0 ? command : "less -SFX", "w");
    }
    if (pager != NULL) {
        signal(SIGPIPE, SIG_IGN); /* it may be left before it has read everything */
        shell->run->file = pager;
    }
    return pager;
}

bool fl_cli_shell_statements(fl_cli_shell *shell, const char *text, size_t len)
{
    FILE *pager = begin_pager(shell);
    fl_cli_interrupt_clear();
    bool is_good = fl_cli_run_text(shell->run, text, len);
    fl_cli_interrupt_clear();
    if (pager != NULL) {
        pclose(pager);
        signal(SIGPIPE, SIG_DFL);
        shell->run->file = shell->terminal;
    }
    if (shell->is_once) {
        if (fclose(shell->run->file) != 0)
            fprintf(stderr, "Error: cannot write the answer: %s\n", strerror(errno));
        shell->run->file = shell->terminal;
        shell->is_once = false;
    }
    return is_good;
}

/* Runs the statements that are whole and keeps the rest for the next line. *ret_whole: bytes that ran. */
static bool run_whole(fl_cli_shell *shell, size_t *ret_whole)
{
    fl_cli_text *text = &shell->statement;
    size_t whole = 0;
    for (size_t at = 0; at < text->len;) {
        fl_cli_piece piece = fl_cli_split(text->data, text->len, at);
        if (piece.is_ended)
            whole = piece.next;
        else if (piece.is_empty && !piece.is_open)
            whole = text->len;
        at = piece.next;
    }
    *ret_whole = whole;
    if (whole == 0)
        return true;
    if (!is_blank(&(fl_cli_text){.data = text->data, .len = whole})) {
        shell->last.len = 0;
        fl_cli_text_add(&shell->last, text->data, whole);
    }
    bool is_good = fl_cli_shell_statements(shell, text->data, whole);
    memmove(text->data, text->data + whole, text->len - whole);
    text->len -= whole;
    return is_good;
}

/* One line, with its newline. */
static bool take_line(fl_cli_shell *shell, const char *line, size_t len)
{
    size_t whole, blanks = 0;
    while (blanks < len && (line[blanks] == ' ' || line[blanks] == '\t'))
        blanks++;
    static const char *const leaving[] = {"exit", "quit"};
    if (is_blank(&shell->statement)) {
        for (size_t i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++)
            shell->is_leaving |= is_word(line, len, leaving[i]);
        bool is_help = is_word(line, len, "help");
        if (shell->is_leaving)
            return true;
        if (is_help || fl_cli_is_dot_command(line + blanks, len - blanks)) {
            shell->statement.len = 0;
            return is_help ? fl_cli_dot_command(shell, ".help", 5)
                           : fl_cli_dot_command(shell, line + blanks, len - blanks);
        }
    }
    fl_cli_text_add(&shell->statement, line, len);
    return run_whole(shell, &whole);
}

bool fl_cli_shell_lines(fl_cli_shell *shell, const char *text, size_t len)
{
    bool is_good = true;
    fl_cli_text before = shell->statement;
    shell->statement = (fl_cli_text){0};
    for (size_t at = 0; at < len && is_good && !shell->is_leaving;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t end = newline == NULL ? len : (size_t)(newline - text) + 1;
        fl_cli_rows rows = {text + end, len - end};
        shell->run->rows = &rows;
        is_good = take_line(shell, text + at, end - at);
        shell->run->rows = NULL;
        at = len - rows.len;
    }
    if (is_good && !is_blank(&shell->statement)) /* the last one may do without a semicolon */
        is_good = fl_cli_shell_statements(shell, shell->statement.data, shell->statement.len);
    fl_cli_text_drop(&shell->statement);
    shell->statement = before;
    return is_good;
}

/* ---- the prompt ---- */

static void run_rc(fl_cli_shell *shell)
{
    char path[FL_CLI_PATH_BYTES];
    fl_cli_text text = {0};
    const char *home = getenv("HOME");
    if (home == NULL)
        return;
    snprintf(path, sizeof(path), "%s/.fletchrc", home);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fl_cli_text_add_file(&text, file, RC_BYTES_MAX))
        (void)fl_cli_shell_lines(shell, text.data, text.len);
    fclose(file);
    fl_cli_text_drop(&text);
}

/* One line; false when the session ends. */
static bool read_and_run(prompt *p)
{
    int len = 0;
    fl_cli_shell *shell = &p->shell;
    fputs(PASTES_ARE_TOLD, stdout);
    fflush(stdout);
    const char *line = el_gets(p->editor, &len);
    if (p->nowhere != NULL) { /* what was typed since the last drawing */
        bool has_newline = len > 0 && line != NULL && line[len - 1] == '\n';
        if (line != NULL && len > 0)
            draw(p, line, (size_t)(len - has_newline), (size_t)(len - has_newline));
        if (has_newline)
            fl_cli_line_view_end(&p->view);
    }
    fputs(PASTES_ARE_TYPED, stdout);
    fflush(stdout);
    if (line == NULL || len <= 0) {
        if (!fl_cli_interrupt_is_set())
            return false;
        fl_cli_line_view_end(&p->view);
        fl_cli_interrupt_clear();
        el_reset(p->editor);
        puts(p->is_quitting ? "" : "^C (again to leave)");
        shell->statement.len = 0;
        bool was_quitting = p->is_quitting;
        p->is_quitting = true;
        return !was_quitting;
    }
    fl_cli_text typed = {0};
    p->is_quitting = false;
    fl_cli_text_add(&typed, shell->statement.data, shell->statement.len);
    fl_cli_text_add(&typed, line, (size_t)len);
    size_t before = shell->statement.len;
    (void)take_line(shell, line, (size_t)len);
    if (shell->statement.len < before + (size_t)len &&
        !shell->is_leaving) /* it was taken: what is left of it is no entry yet */
        fl_cli_history_add(&p->history, typed.data, typed.len - shell->statement.len);
    fl_cli_text_drop(&typed);
    return !shell->is_leaving;
}

static bool begin(prompt *p, fl_cli_run *run)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* what is typed is UTF-8, whatever the environment says */
    p->nowhere = has_colours() ? fopen("/dev/null", "we") : NULL;
    p->editor = p->nowhere != NULL
                    ? el_init_fd("fletch", stdin, p->nowhere, stderr, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO)
                    : el_init("fletch", stdin, stdout, stderr);
    if (!fl_cli_history_open(&p->history) || p->editor == NULL) {
        fprintf(stderr, "fletch: the terminal cannot be set up\n");
        return false;
    }
    run->tells_changes = run->is_prompt = true;
    run->view.rows_max = ROWS_SHOWN;
    p->shell.run = run;
    p->shell.has_highlight = true;
    p->shell.history_path = p->history.path;
    p->shell.terminal = run->file;
    el_set(p->editor, EL_CLIENTDATA, p);
    el_set(p->editor, EL_PROMPT, show_prompt);
    el_set(p->editor, EL_EDITOR, "emacs");
    el_set(p->editor, EL_HIST, history, p->history.list);
    el_set(p->editor, EL_GETCFN, read_character);
    el_set(p->editor, EL_SIGNAL, 0);
    el_set(p->editor, EL_ADDFN, "fletch-complete", "completes a word", complete);
    el_set(p->editor, EL_BIND, "^I", "fletch-complete", NULL);
    el_set(p->editor, EL_ADDFN, "fletch-paste", "takes what is pasted as it is", begin_paste);
    el_set(p->editor, EL_BIND, "\\e[200~", "fletch-paste", NULL);
    el_set(p->editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    if (p->nowhere != NULL) {
        el_set(p->editor, EL_ADDFN, "fletch-clear-screen", "clears the terminal", clear_screen);
        el_set(p->editor, EL_BIND, "^L", "fletch-clear-screen", NULL);
        fl_cli_highlight_open(&p->highlight, run->session);
    }
    return true;
}

bool fl_cli_shell_run(fl_cli_run *run)
{
    prompt p = {0};
    if (!begin(&p, run))
        return false;
    printf("fletch %s. Statements end with ; — .help for help, Ctrl-D to leave.\n", fl_version());
    run_rc(&p.shell);
    while (!p.shell.is_leaving && read_and_run(&p))
        continue;
    putchar('\n');
    if (run->file != p.shell.terminal) {
        fclose(run->file);
        run->file = p.shell.terminal;
    }
    el_end(p.editor);
    if (p.nowhere != NULL)
        fclose(p.nowhere);
    fl_cli_highlight_close(&p.highlight);
    fl_cli_line_view_drop(&p.view);
    fl_cli_history_close(&p.history);
    fl_cli_text_drop(&p.shell.statement);
    fl_cli_text_drop(&p.shell.last);
    return true;
}
