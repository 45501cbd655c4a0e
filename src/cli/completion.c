/* Finding words: what kind is wanted is told by the quote that is open, the dot before the word, or the start of the line. */
#include "cli/completion.h"

#include "cli/dot_command.h"
#include "cli/listing.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TABLES_MAX 20 /* of the statement, whose columns are offered */
#define PATH_BYTES 4096

typedef struct finding {
    fl_session *session;
    const char *text;
    size_t len;
    const char *prefix; /* what the words must begin with */
    size_t prefix_len;
    fl_cli_text words; /* as found, in any order */
} finding;

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (uint8_t)c >= 0x80;
}

/* Takes a word where it begins as wanted: in the case that it was begun in, where that is all capitals. */
static void offer(finding *f, const char *word, size_t len, bool follows_case)
{
    if (len < f->prefix_len || strncasecmp(word, f->prefix, f->prefix_len) != 0)
        return;
    bool is_upper = follows_case && f->prefix_len > 0;
    for (size_t i = 0; i < f->prefix_len; i++)
        is_upper &= !(f->prefix[i] >= 'a' && f->prefix[i] <= 'z');
    for (size_t i = 0; i < len; i++)
        fl_cli_text_add_char(&f->words, is_upper && word[i] >= 'a' && word[i] <= 'z' ? (char)(word[i] - 32) : word[i]);
    fl_cli_text_add_char(&f->words, '\n');
}

static void offer_lines(finding *f, const fl_cli_text *lines, bool follows_case)
{
    for (size_t at = 0; at < lines->len;) {
        const char *end = memchr(lines->data + at, '\n', lines->len - at);
        size_t len = (size_t)(end - lines->data) - at;
        offer(f, lines->data + at, len, follows_case);
        at += len + 1;
    }
}

/* ---- files ---- */

static void offer_files(finding *f)
{
    char folder[PATH_BYTES] = ".", path[PATH_BYTES + 256];
    size_t base = f->prefix_len;
    while (base > 0 && f->prefix[base - 1] != '/')
        base--;
    if (base >= sizeof(folder))
        return;
    if (base > 0) {
        memcpy(folder, f->prefix, base);
        folder[base] = 0;
    }
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct stat info;
        bool is_hidden = entry->d_name[0] == '.' && !(f->prefix_len > base && f->prefix[base] == '.');
        snprintf(path, sizeof(path), "%.*s%s", (int)base, f->prefix, entry->d_name);
        if (is_hidden || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode))
            strncat(path, "/", sizeof(path) - strlen(path) - 1);
        if (strncmp(path, f->prefix, f->prefix_len) == 0)
            offer(f, path, strlen(path), false);
    }
    if (dir != NULL)
        closedir(dir);
}

/* ---- names ---- */

static void offer_words(finding *f)
{
    char *words = NULL;
    fl_err err = {0};
    if (fl_session_words(f->session, &words, &err) != FL_OK)
        return;
    fl_cli_text lines = {.data = words, .len = strlen(words)};
    offer_lines(f, &lines, true);
    fl_text_free(words);
}

static void offer_columns(finding *f, const char *name, size_t len, bool is_file)
{
    fl_cli_text sql = {0}, columns = {0};
    fl_err err = {0};
    fl_cli_text_add_str(&sql, "DESCRIBE ");
    if (is_file)
        fl_cli_text_addf(&sql, "'%.*s'", (int)len, name);
    else
        fl_cli_add_name(&sql, name, len);
    fl_cli_text_add_char(&sql, 0);
    if (fl_cli_list(f->session, sql.data, 1, &columns, &err))
        offer_lines(f, &columns, false);
    fl_cli_text_drop(&columns);
    fl_cli_text_drop(&sql);
}

static bool has_line(const fl_cli_text *lines, const char *word, size_t len)
{
    for (size_t at = 0; at < lines->len;) {
        const char *end = memchr(lines->data + at, '\n', lines->len - at);
        size_t own = (size_t)(end - lines->data) - at;
        if (own == len && strncasecmp(lines->data + at, word, len) == 0)
            return true;
        at += own + 1;
    }
    return false;
}

/* Columns of the statement's tables and files: of `qualifier` alone, or of the table that stands before that name, where there is
 * one. */
static void offer_statement(finding *f, const fl_cli_text *tables, const char *qualifier, size_t qualifier_len)
{
    const char *before = NULL; /* the table that was named last */
    size_t before_len = 0;
    bool before_is_file = false;
    int n = 0;
    for (size_t at = 0; at < f->len && n < TABLES_MAX;) {
        size_t end = at;
        bool is_file = f->text[at] == '\'';
        if (is_file) {
            for (end = at + 1; end < f->len && f->text[end] != '\'';)
                end++;
        } else {
            while (end < f->len && is_name_byte(f->text[end]))
                end++;
        }
        const char *word = f->text + at + is_file;
        size_t len = end - at - is_file;
        at = end + (is_file || end == at);
        if (len == 0)
            continue;
        bool is_table = is_file ? memchr(word, '.', len) != NULL : has_line(tables, word, len);
        bool is_wanted = qualifier == NULL || (len == qualifier_len && strncasecmp(word, qualifier, len) == 0);
        if (is_table) {
            before = word;
            before_len = len;
            before_is_file = is_file;
        }
        if (is_table && is_wanted) {
            offer_columns(f, word, len, is_file);
            n++;
        } else if (qualifier != NULL && is_wanted && before != NULL && word + len != qualifier + qualifier_len) {
            offer_columns(f, before, before_len, before_is_file);
            n++;
        }
    }
}

/* ---- putting together ---- */

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each word once, in order, and what all begin with. */
static void collect(fl_cli_text *found, fl_cli_completion *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < found->len; i++)
        n += found->data[i] == '\n';
    char **lines = calloc(n + 1, sizeof(*lines));
    if (lines == NULL)
        return;
    n = 0;
    for (size_t at = 0; at < found->len; at += strlen(found->data + at) + 1) {
        *(char *)memchr(found->data + at, '\n', found->len - at) = 0;
        lines[n++] = found->data + at;
    }
    qsort(lines, n, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && strcmp(lines[i], lines[i - 1]) == 0)
            continue;
        size_t same = 0;
        while (ret->n > 0 && same < ret->common && lines[i][same] == lines[0][same])
            same++;
        ret->common = ret->n == 0 ? strlen(lines[i]) : same;
        ret->n++;
        fl_cli_text_add_str(&ret->words, lines[i]);
        fl_cli_text_add_char(&ret->words, '\n');
    }
    free(lines);
}

/* Where a quote is open at the end: behind it; else SIZE_MAX. */
static size_t open_quote(const char *text, size_t len)
{
    size_t start = SIZE_MAX;
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\'')
            start = start == SIZE_MAX ? i + 1 : SIZE_MAX;
    return start;
}

static void find_words(finding *f, size_t start)
{
    fl_cli_text tables = {0};
    fl_err err = {0};
    (void)fl_cli_list(f->session, "SHOW TABLES", 1, &tables, &err);
    if (start > 0 && f->text[start - 1] == '.') {
        size_t end = start - 1, begin = end;
        while (begin > 0 && is_name_byte(f->text[begin - 1]))
            begin--;
        offer_statement(f, &tables, f->text + begin, end - begin);
    } else {
        offer_words(f);
        offer_lines(f, &tables, false);
        offer_statement(f, &tables, NULL, 0);
    }
    fl_cli_text_drop(&tables);
}

void fl_cli_complete(fl_session *session, const char *text, size_t len, size_t at, fl_cli_completion *ret)
{
    finding f = {.session = session, .text = text, .len = len};
    size_t start = open_quote(text, at);
    bool is_file = start != SIZE_MAX, is_dot = !is_file && fl_cli_is_dot_command(text, len);
    *ret = (fl_cli_completion){0};
    if (is_dot) {
        const char *blank = memrchr(text, ' ', at);
        is_file = blank != NULL;
        start = blank == NULL ? 0 : (size_t)(blank - text) + 1;
    } else if (!is_file) {
        for (start = at; start > 0 && is_name_byte(text[start - 1]);)
            start--;
    }
    f.prefix = text + start;
    f.prefix_len = at - start;
    if (is_file)
        offer_files(&f);
    else if (is_dot)
        for (int i = 0; fl_cli_dot_command_name(i) != NULL; i++)
            offer(&f, fl_cli_dot_command_name(i), strlen(fl_cli_dot_command_name(i)), false);
    else
        find_words(&f, start);
    ret->start = start;
    collect(&f.words, ret);
    fl_cli_text_drop(&f.words);
}

void fl_cli_completion_drop(fl_cli_completion *completion)
{
    fl_cli_text_drop(&completion->words);
    *completion = (fl_cli_completion){0};
}
