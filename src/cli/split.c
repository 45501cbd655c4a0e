/* Finding where statements end. */
#include "cli/split.h"

#include "cli/scan.h"

#include <string.h>
#include <strings.h>

/* How far a statement is COPY … FROM STDIN. */
typedef enum copy_state { COPY_UNKNOWN, COPY_NOT, COPY_BEGUN, COPY_FROM, COPY_IN } copy_state;

static bool is_said(const char *word, size_t len, const char *said)
{
    return len == strlen(said) && strncasecmp(word, said, len) == 0;
}

static copy_state note_word(copy_state state, const char *word, size_t len)
{
    if (state == COPY_UNKNOWN)
        return is_said(word, len, "copy") ? COPY_BEGUN : COPY_NOT;
    if (state == COPY_FROM)
        return is_said(word, len, "stdin") ? COPY_IN : COPY_NOT;
    return state == COPY_BEGUN && is_said(word, len, "from") ? COPY_FROM : state;
}

fl_cli_piece fl_cli_split(const char *text, size_t len, size_t from)
{
    fl_cli_piece piece = {.start = from, .is_empty = true};
    copy_state state = COPY_UNKNOWN;
    int depth = 0; /* of parentheses: the FROM of a query is none of COPY's */
    size_t at = from;
    for (bool has_begun = false; at < len && text[at] != ';';) {
        fl_cli_scanned next = fl_cli_scan(text, len, at);
        if (!has_begun)
            piece.start = next.kind == FL_CLI_SPACE ? next.end : at;
        has_begun |= next.kind != FL_CLI_SPACE;
        if (next.kind != FL_CLI_SPACE) /* an open comment is the engine's to refuse */
            piece.is_empty &= next.kind == FL_CLI_COMMENT && !next.is_open;
        depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
        if (next.kind == FL_CLI_WORD && depth == 0)
            state = note_word(state, text + at, next.end - at);
        piece.is_open = next.is_open;
        at = next.end;
    }
    piece.is_copy_in = state == COPY_IN;
    piece.end = at;
    piece.is_ended = at < len;
    piece.next = at + (piece.is_ended ? 1 : 0);
    return piece;
}
