/* Cutting JSON files into records, and finding the place of a fault. */
#include "format/json/records.h"

#define BLOCK_BYTES (256 << 10)

void fl_json_chunk_init(fl_json_chunk *chunk, fl_memory *memory)
{
    *chunk = (fl_json_chunk){.text.memory = memory};
}

void fl_json_chunk_drop(fl_json_chunk *chunk)
{
    fl_text_piece_drop(&chunk->text);
    fl_free(chunk->records);
    *chunk = (fl_json_chunk){0};
}

fl_status fl_json_fail_at(const fl_json_source *source, int64_t offset, const fl_err *complaint, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_piece piece = {0};
    int64_t line = 1, line_offset = source->start;
    for (int64_t at = source->start; at < offset;) {
        int64_t bytes = offset - at < BLOCK_BYTES ? offset - at : BLOCK_BYTES;
        FL_TRY(fl_text_piece_read(&piece, source->file, at, at + bytes, err));
        const char *block = fl_text_piece_data(&piece) + (at - piece.offset);
        for (const char *p = block; (p = memchr(p, '\n', (size_t)(block + bytes - p))) != NULL; p++) {
            line++;
            line_offset = at + (p - block) + 1;
        }
        at += bytes;
    }
    if (err != NULL)
        *err = *complaint;
    fl_text_file_err_at(source->file, line, offset - line_offset + 1, err);
    st = complaint->code;
cleanup:
    fl_text_piece_drop(&piece);
    return st;
}

/* ---- what a file is ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Behind the value that begins at `at`: a bracketed one ends where its brackets do, any other at a comma, bracket or white
 * space. `len` when it has no end; *ret_is_whole says so. */
static int64_t skip_value(const char *text, int64_t at, int64_t len, bool *ret_is_whole)
{
    int64_t depth = 0;
    bool is_string = false;
    for (; at < len; at++) {
        char c = text[at];
        if (is_string) {
            if (c == '\\')
                at++;
            else if (c == '"')
                is_string = false;
            continue;
        }
        if (c == '"') {
            is_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                break;
            if (--depth == 0) {
                at++;
                break;
            }
        } else if (depth == 0 && (c == ',' || is_space(c))) {
            break;
        }
    }
    *ret_is_whole = depth == 0 && !is_string;
    return at < len ? at : len;
}

static int64_t skip_space(const char *text, int64_t at, int64_t len)
{
    while (at < len && is_space(text[at]))
        at++;
    return at;
}

static fl_json_layout find_layout(const fl_json_source *source, const char *head, int64_t len)
{
    int64_t at = skip_space(head, source->start, len);
    bool is_whole;
    bool is_said = fl_text_file_has_ending(source->file, FL_STR(".ndjson")) ||
                   fl_text_file_has_ending(source->file, FL_STR(".jsonl"));
    if (at == len || (head[at] != '{' && head[at] != '['))
        return FL_JSON_LINES;
    const char *newline = memchr(head + at, '\n', (size_t)(len - at));
    (void)skip_value(head, at, newline == NULL ? len : newline - head, &is_whole);
    if (is_said) { /* a first line that goes on with the next one is none; a broken one is followed by a record's start */
        int64_t next = newline == NULL ? len : skip_space(head, newline - head, len);
        if (is_whole || next == len || (head[at] == '{' && head[next] != '"' && head[next] != '}'))
            return FL_JSON_LINES;
    }
    if (head[at] == '[')
        return FL_JSON_ARRAY;
    return is_whole || newline == NULL ? FL_JSON_LINES : FL_JSON_SEQUENCE;
}

fl_status fl_json_source_find(fl_memory *memory, fl_file *file, const fl_text_wishes *wishes, fl_json_source *source,
                              fl_err *err)
{
    fl_text_piece head = {.memory = memory};
    fl_status st = fl_text_file_begin(source->file, file, wishes, &head, &source->start, err);
    if (st == FL_OK)
        source->layout = find_layout(source, fl_text_piece_data(&head), head.len);
    fl_text_piece_drop(&head);
    return st;
}

int64_t fl_json_find_key(const fl_json_chunk *chunk, int64_t record, fl_str key)
{
    const char *text = fl_text_piece_data(&chunk->text);
    int64_t begin = chunk->records[record].start, end = begin + chunk->records[record].len, at = begin + 1;
    bool is_whole = true;
    while (at < end && is_whole) {
        at = skip_space(text, at, end);
        int64_t name = at, behind;
        for (behind = name + 1; behind < end && text[behind] != '"'; behind++)
            behind += text[behind] == '\\';
        at = skip_space(text, behind + 1, end);
        if (at >= end || text[at] != ':')
            break;
        at = skip_space(text, at + 1, end);
        if (fl_str_is_equal((fl_str){text + name + 1, behind - name - 1}, key))
            return chunk->text.offset + at;
        at = skip_space(text, skip_value(text, at, end, &is_whole), end) + 1;
    }
    return chunk->text.offset + begin;
}

/* ---- lines ---- */

static fl_status add_record(fl_json_chunk *chunk, int64_t from, int64_t to, fl_err *err)
{
    const char *text = fl_text_piece_data(&chunk->text);
    while (from < to && is_space(text[from]))
        from++;
    while (from < to && is_space(text[to - 1]))
        to--;
    if (from == to)
        return FL_OK;
    fl_status st = fl_grow(chunk->text.memory, (void **)&chunk->records, &chunk->capacity, chunk->count + 1,
                           (int64_t)sizeof(*chunk->records), err);
    if (st == FL_OK)
        chunk->records[chunk->count++] = (fl_json_record){(uint32_t)from, (uint32_t)(to - from)};
    return st;
}

/* The newline that ends the line, or the file's end; reads on as far as it takes. */
static fl_status find_newline(fl_json_chunk *chunk, const fl_json_source *source, int64_t line, int64_t *ret,
                              fl_err *err)
{
    fl_text_piece *text = &chunk->text;
    for (int64_t from = line;;) {
        const char *data = fl_text_piece_data(text);
        const char *newline = from < text->len ? memchr(data + from, '\n', (size_t)(text->len - from)) : NULL;
        *ret = newline == NULL ? text->len : newline - data;
        if (newline != NULL || fl_text_piece_is_last(text, source->file))
            return FL_OK;
        if (text->len - line > FL_TEXT_LINE_BYTES_MAX) {
            fl_err complaint;
            FL_FAIL(&complaint, FL_ERR_LIMIT, "the line that begins here has more than 100 MB");
            return fl_json_fail_at(source, text->offset + line, &complaint, err);
        }
        from = text->len;
        fl_status st = fl_text_piece_read_on(text, source->file, err);
        if (st != FL_OK)
            return st;
    }
}

fl_status fl_json_chunk_read_lines(fl_json_chunk *chunk, const fl_json_source *source, int64_t begin, int64_t end,
                                   fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_piece *text = &chunk->text;
    chunk->count = 0;
    FL_TRY(fl_text_piece_read(text, source->file, begin, end, err));
    end = end < fl_text_file_bytes(source->file) ? end : fl_text_file_bytes(source->file);
    int64_t own_end = end - text->offset, line = begin - text->offset, newline;
    if (begin > source->start) { /* behind the first newline, which may be the byte before */
        const char *first = memchr(fl_text_piece_data(text), '\n', (size_t)own_end);
        line = first == NULL ? own_end : first - fl_text_piece_data(text) + 1;
    }
    while (line < own_end) {
        FL_TRY(find_newline(chunk, source, line, &newline, err));
        FL_TRY(add_record(chunk, line, newline, err));
        line = newline + 1;
    }
cleanup:
    return st;
}

/* ---- arrays and sequences ---- */

static fl_status fail_structure(const fl_json_chunk *chunk, const fl_json_source *source, int64_t at,
                                const char *message, fl_err *err)
{
    fl_err complaint;
    FL_FAIL(&complaint, FL_ERR_FORMAT, "%s", message);
    return fl_json_fail_at(source, chunk->text.offset + at, &complaint, err);
}

static fl_status cut_sequence(fl_json_chunk *chunk, int64_t at, fl_err *err)
{
    const char *text = fl_text_piece_data(&chunk->text);
    int64_t len = chunk->text.len;
    bool is_whole;
    for (at = skip_space(text, at, len); at < len; at = skip_space(text, at, len)) {
        int64_t end = skip_value(text, at, len, &is_whole);
        end += end == at; /* a stray comma or bracket is a record that the parser refuses */
        fl_status st = add_record(chunk, at, end, err);
        if (st != FL_OK)
            return st;
        at = end;
    }
    return FL_OK;
}

static fl_status cut_array(fl_json_chunk *chunk, const fl_json_source *source, int64_t at, fl_err *err)
{
    const char *text = fl_text_piece_data(&chunk->text);
    int64_t len = chunk->text.len;
    bool is_whole, has_more = false;
    at = skip_space(text, at, len) + 1;
    for (;;) {
        at = skip_space(text, at, len);
        if (at == len)
            return fail_structure(chunk, source, len, "the file ends within the array that it begins with", err);
        if (text[at] == ']' && !has_more)
            break;
        int64_t end = skip_value(text, at, len, &is_whole);
        if (end == at)
            return fail_structure(chunk, source, at, "expected a value", err);
        fl_status st = add_record(chunk, at, end, err);
        if (st != FL_OK)
            return st;
        at = skip_space(text, end, len);
        has_more = at < len && text[at] == ',';
        if (at < len && !has_more && text[at] != ']')
            return fail_structure(chunk, source, at, "expected a comma or the array's end", err);
        at += has_more;
    }
    at = skip_space(text, at + 1, len);
    return at == len ? FL_OK : fail_structure(chunk, source, at, "text behind the array", err);
}

fl_status fl_json_chunk_read_whole(fl_json_chunk *chunk, const fl_json_source *source, fl_err *err)
{
    chunk->count = 0;
    int64_t bytes = fl_text_file_bytes(source->file), most = FL_JSON_WHOLE_BYTES_MAX;
    fl_status st = fl_text_piece_read(&chunk->text, source->file, source->start, bytes < most ? bytes : most, err);
    if (st != FL_OK)
        return st;
    if (!fl_text_piece_is_last(&chunk->text, source->file)) {
        FL_FAIL(err, FL_ERR_LIMIT, "\"%s\" is a JSON array of more than 2 GB", source->file->file->path);
        fl_err_hint(err, "an object a line (NDJSON) has no such limit, and is read in parallel");
        return FL_ERR_LIMIT;
    }
    int64_t at = source->start - chunk->text.offset;
    return source->layout == FL_JSON_ARRAY ? cut_array(chunk, source, at, err) : cut_sequence(chunk, at, err);
}
