/* Rows for COPY … FROM STDIN: what follows the statement, up to a line `\.`, is put where the library finds standard input.
 *
 * The library reads files, which it may read twice, so that rows are written to one that has no name, and descriptor 0 leads to it while
 * the statement runs. What stdio has read ahead of the old one stays as it is. */
#include "cli/copy_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(const char *what)
{
    fprintf(stderr, "Error: %s: %s\n", what, strerror(errno));
    return false;
}

/* Makes the file standard input, and closes it; *ret_saved is what was. */
static bool put(FILE *file, int *ret_saved)
{
    int saved = -1;
    bool is_good = !ferror(file) && fflush(file) == 0 && (saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) >= 0 &&
                   dup2(fileno(file), STDIN_FILENO) >= 0 && lseek(STDIN_FILENO, 0, SEEK_SET) == 0;
    if (!is_good)
        fail("cannot keep the rows of standard input");
    if (!is_good && saved >= 0)
        fl_cli_copy_in_end(saved);
    fclose(file);
    *ret_saved = saved;
    return is_good;
}

void fl_cli_copy_in_end(int saved)
{
    (void)dup2(saved, STDIN_FILENO);
    close(saved);
}

/* `\.`, with the end of its line or without. */
static bool is_end(const char *line, size_t len)
{
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    return len == 2 && line[0] == '\\' && line[1] == '.';
}

bool fl_cli_copy_in_text(fl_cli_rows *rows, int *ret_saved)
{
    FILE *file = tmpfile();
    if (file == NULL)
        return fail("cannot make a file for the rows");
    while (rows->len > 0) {
        const char *newline = memchr(rows->data, '\n', rows->len), *line = rows->data;
        size_t len = newline == NULL ? rows->len : (size_t)(newline - line) + 1;
        rows->data += len;
        rows->len -= len;
        if (is_end(line, len))
            break;
        if (fwrite(line, 1, len, file) != len)
            break;
    }
    return put(file, ret_saved);
}

#define TYPED_END (-1)
#define TYPED_FAULT (-2)

/* A line from the terminal, byte by byte: nothing is read ahead that is the editor's. Its length; TYPED_END: there is none. */
static ssize_t type_line(char **line, size_t *capacity)
{
    size_t len = 0;
    for (;;) {
        char c;
        ssize_t got = read(STDIN_FILENO, &c, 1);
        if (got < 0)
            return TYPED_FAULT;
        if (got == 0)
            return len > 0 ? (ssize_t)len : TYPED_END;
        if (len == *capacity) {
            size_t wanted = *capacity < 128 ? 256 : *capacity * 2;
            char *grown = realloc(*line, wanted);
            if (grown == NULL)
                return TYPED_FAULT;
            *line = grown;
            *capacity = wanted;
        }
        (*line)[len++] = c;
        if (c == '\n')
            return (ssize_t)len;
    }
}

bool fl_cli_copy_in_lines(FILE *in, int *ret_saved)
{
    FILE *file = tmpfile();
    char *line = NULL;
    size_t capacity = 0;
    bool is_good = true;
    if (file == NULL)
        return fail("cannot make a file for the rows");
    for (ssize_t len; is_good;) {
        len = in != NULL ? getline(&line, &capacity, in) : type_line(&line, &capacity);
        if (len < 0) {
            is_good = in != NULL ? feof(in) != 0 : len == TYPED_END;
            break;
        }
        if (is_end(line, (size_t)len))
            break;
        is_good = fwrite(line, 1, (size_t)len, file) == (size_t)len;
    }
    free(line);
    if (is_good)
        return put(file, ret_saved);
    fail("cannot read the rows of standard input, or keep them");
    fclose(file);
    return false;
}

bool fl_cli_copy_in_whole(void)
{
    struct stat info;
    char bytes[65536];
    ssize_t got;
    int saved;
    if (fstat(STDIN_FILENO, &info) != 0 || (!S_ISFIFO(info.st_mode) && !S_ISSOCK(info.st_mode)))
        return true;
    FILE *file = tmpfile();
    if (file == NULL)
        return fail("cannot make a file for what is read of standard input");
    while ((got = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
        if (fwrite(bytes, 1, (size_t)got, file) != (size_t)got)
            break;
    if (got != 0) {
        fail("cannot read standard input");
        fclose(file);
        return false;
    }
    if (!put(file, &saved))
        return false;
    close(saved); /* it is at its end */
    return true;
}
