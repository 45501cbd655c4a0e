/* Cutting JSON files into records, and finding the place of a fault. */
#include "format/json/records.h"

#define HEAD_BYTES (64 << 10)
#define READ_ON_BYTES (16 << 10)
#define PADDING 16
#define BLOCK_BYTES (256 << 10)

void fl_json_chunk_init(fl_json_chunk *chunk, fl_memory *memory)
{
    *chunk = (fl_json_chunk){.memory = memory};
}

void fl_json_chunk_drop(fl_json_chunk *chunk)
{
    fl_buffer_unref(chunk->bytes);
    fl_free(chunk->records);
    *chunk = (fl_json_chunk){0};
}

fl_status fl_json_fail_at(const fl_json_source *source, int64_t offset, const fl_err *complaint, fl_err *err)
{
    fl_status st = FL_OK;
    char *block = NULL;
    int64_t line = 1, line_offset = source->start;
    FL_TRY(fl_alloc(NULL, BLOCK_BYTES, (void **)&block, err));
    for (int64_t at = source->start; at < offset;) {
        int64_t bytes = offset - at < BLOCK_BYTES ? offset - at : BLOCK_BYTES;
        FL_TRY(fl_file_read_at(source->file, at, block, bytes, err));
        for (char *p = block; (p = memchr(p, '\n', (size_t)(block + bytes - p))) != NULL; p++) {
            line++;
            line_offset = at + (p - block) + 1;
        }
        at += bytes;
    }
    if (err != NULL) {
        *err = *complaint;
        err->line = line;
        err->column = offset - line_offset + 1;
        fl_err_prefix(err, "\"%s\", line %lld, column %lld: ", source->file->path, (long long)line,
                      (long long)err->column);
    }
    st = complaint->code;
cleanup:
    fl_free(block);
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

static fl_json_layout find_layout(const fl_json_source *source, const char *head, int64_t len)
{
    int64_t at = source->start;
    bool is_whole;
    fl_str path = fl_str_of(source->file->path);
    if (fl_str_has_suffix(path, FL_STR(".ndjson")) || fl_str_has_suffix(path, FL_STR(".jsonl")))
        return FL_JSON_LINES;
    while (at < len && is_space(head[at]))
        at++;
    if (at == len || head[at] != '{')
        return at < len && head[at] == '[' ? FL_JSON_ARRAY : FL_JSON_LINES;
    int64_t end = skip_value(head, at, len, &is_whole);
    return memchr(head + at, '\n', (size_t)(end - at)) != NULL ? FL_JSON_SEQUENCE : FL_JSON_LINES;
}

fl_status fl_json_source_find(fl_memory *memory, fl_json_source *source, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t bytes = source->file->bytes < HEAD_BYTES ? source->file->bytes : HEAD_BYTES;
    uint8_t *head = NULL;
    FL_TRY(fl_alloc_zero(memory, bytes + 4, (void **)&head, err));
    FL_TRY(fl_file_read_at(source->file, 0, head, bytes, err));
    if ((head[0] == 0x1F && head[1] == 0x8B) || memcmp(head, "\x28\xB5\x2F\xFD", 4) == 0) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "\"%s\" is compressed, which read_json does not read yet",
                     source->file->path);
        fl_err_hint(err, "unpack it first, with %s", head[0] == 0x1F ? "gunzip" : "unzstd");
        goto cleanup;
    }
    if ((head[0] == 0xFF && head[1] == 0xFE) || (head[0] == 0xFE && head[1] == 0xFF)) {
        FL_FAIL(err, FL_ERR_FORMAT, "\"%s\", line 1, column 1: this is UTF-16, not UTF-8", source->file->path);
        st = fl_err_state(err, "22021", FL_ERR_FORMAT);
        fl_err_hint(err, "convert it first: iconv -f utf-16 -t utf-8");
        goto cleanup;
    }
    source->start = memcmp(head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    source->layout = find_layout(source, (const char *)head, bytes);
cleanup:
    fl_free(head);
    return st;
}

/* ---- lines ---- */

static fl_status read_bytes(fl_json_chunk *chunk, const fl_json_source *source, int64_t len, fl_err *err)
{
    fl_status st = FL_OK;
    if (chunk->bytes != NULL && chunk->bytes->capacity > 8 * (len + READ_ON_BYTES)) { /* a long line's room goes back */
        fl_buffer_unref(chunk->bytes);
        chunk->bytes = NULL;
    }
    if (chunk->bytes == NULL)
        FL_TRY(fl_buffer_new(chunk->memory, len + PADDING, &chunk->bytes, err));
    FL_TRY(fl_buffer_grow(&chunk->bytes, len + PADDING, err));
    FL_TRY(fl_file_read_at(source->file, chunk->offset + chunk->len, chunk->bytes->data + chunk->len, len - chunk->len,
                           err));
    chunk->len = len;
cleanup:
    return st;
}

static fl_status add_record(fl_json_chunk *chunk, int64_t from, int64_t to, fl_err *err)
{
    const char *text = (const char *)chunk->bytes->data;
    while (from < to && is_space(text[from]))
        from++;
    while (from < to && is_space(text[to - 1]))
        to--;
    if (from == to)
        return FL_OK;
    fl_status st = fl_grow(chunk->memory, (void **)&chunk->records, &chunk->capacity, chunk->count + 1,
                           (int64_t)sizeof(*chunk->records), err);
    if (st == FL_OK)
        chunk->records[chunk->count++] = (fl_json_record){(uint32_t)from, (uint32_t)(to - from)};
    return st;
}

/* The newline at or behind `from`, or the file's end; reads on as far as it takes. */
static fl_status find_newline(fl_json_chunk *chunk, const fl_json_source *source, int64_t line, int64_t from,
                              int64_t *ret, fl_err *err)
{
    for (;;) {
        const char *text = (const char *)chunk->bytes->data;
        const char *newline = from < chunk->len ? memchr(text + from, '\n', (size_t)(chunk->len - from)) : NULL;
        *ret = newline == NULL ? chunk->len : newline - text;
        int64_t left = source->file->bytes - chunk->offset - chunk->len;
        if (newline != NULL || left == 0)
            return FL_OK;
        if (chunk->len - line > FL_JSON_RECORD_BYTES_MAX) {
            fl_err complaint;
            FL_FAIL(&complaint, FL_ERR_LIMIT, "the line that begins here has more than 100 MB");
            return fl_json_fail_at(source, chunk->offset + line, &complaint, err);
        }
        from = chunk->len;
        fl_status st = read_bytes(chunk, source, chunk->len + (left < chunk->len ? left : chunk->len), err);
        if (st != FL_OK)
            return st;
    }
}

fl_status fl_json_chunk_read_lines(fl_json_chunk *chunk, const fl_json_source *source, int64_t begin, int64_t end,
                                   fl_err *err)
{
    fl_status st = FL_OK;
    bool is_first = begin == source->start;
    int64_t behind = end + READ_ON_BYTES < source->file->bytes ? end + READ_ON_BYTES : source->file->bytes;
    chunk->count = chunk->len = 0;
    chunk->offset = is_first ? begin : begin - 1; /* the byte before says whether a line begins with the first */
    FL_TRY(read_bytes(chunk, source, behind - chunk->offset, err));
    int64_t own_end = end - chunk->offset, line = 0, newline;
    if (!is_first) {
        const char *text = (const char *)chunk->bytes->data;
        const char *first = memchr(text, '\n', (size_t)own_end);
        line = first == NULL ? own_end : first - text + 1;
    }
    while (line < own_end) {
        FL_TRY(find_newline(chunk, source, line, line, &newline, err));
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
    return fl_json_fail_at(source, chunk->offset + at, &complaint, err);
}

static int64_t skip_space(const char *text, int64_t at, int64_t len)
{
    while (at < len && is_space(text[at]))
        at++;
    return at;
}

static fl_status cut_sequence(fl_json_chunk *chunk, fl_err *err)
{
    const char *text = (const char *)chunk->bytes->data;
    bool is_whole;
    for (int64_t at = skip_space(text, 0, chunk->len); at < chunk->len; at = skip_space(text, at, chunk->len)) {
        int64_t end = skip_value(text, at, chunk->len, &is_whole);
        end += end == at; /* a stray comma or bracket is a record that the parser refuses */
        fl_status st = add_record(chunk, at, end, err);
        if (st != FL_OK)
            return st;
        at = end;
    }
    return FL_OK;
}

static fl_status cut_array(fl_json_chunk *chunk, const fl_json_source *source, fl_err *err)
{
    const char *text = (const char *)chunk->bytes->data;
    int64_t len = chunk->len, at = skip_space(text, 0, len) + 1;
    bool is_whole, has_more = false;
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
    int64_t bytes = source->file->bytes - source->start;
    chunk->count = chunk->len = 0;
    chunk->offset = source->start;
    if (bytes > FL_JSON_WHOLE_BYTES_MAX) {
        FL_FAIL(err, FL_ERR_LIMIT, "\"%s\" is a JSON array of more than 2 GB", source->file->path);
        fl_err_hint(err, "an object a line (NDJSON) has no such limit, and is read in parallel");
        return FL_ERR_LIMIT;
    }
    fl_status st = read_bytes(chunk, source, bytes, err);
    if (st != FL_OK)
        return st;
    return source->layout == FL_JSON_ARRAY ? cut_array(chunk, source, err) : cut_sequence(chunk, err);
}
