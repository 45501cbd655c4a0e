/* Reading and cutting chunks. */
#include "format/csv/chunk.h"

#include "base/utf8.h"

#define INDEX_ON_BYTES 1024

void fl_csv_chunk_init(fl_csv_chunk *chunk, fl_memory *memory)
{
    *chunk = (fl_csv_chunk){.text.memory = memory};
}

void fl_csv_chunk_drop(fl_csv_chunk *chunk)
{
    fl_text_piece_drop(&chunk->text);
    fl_csv_index_drop(&chunk->index);
    fl_free(chunk->starts);
    fl_free(chunk->padded);
    fl_free(chunk->uneven);
    *chunk = (fl_csv_chunk){0};
}

fl_status fl_csv_chunk_read(fl_csv_chunk *chunk, fl_text_file *file, int64_t begin, int64_t end, fl_err *err)
{
    chunk->begin = begin;
    chunk->end = end;
    chunk->rows = 0;
    fl_status st = fl_text_piece_read(&chunk->text, file, begin, end, err);
    if (st == FL_OK && fl_text_file_bytes(file) < end)
        chunk->end = fl_text_file_bytes(file);
    return st;
}

fl_str fl_csv_chunk_own(const fl_csv_chunk *chunk)
{
    return (fl_str){fl_text_piece_data(&chunk->text) + (chunk->begin - chunk->text.offset), chunk->end - chunk->begin};
}

/* Where the chunk's first line begins; own_end when there is none. */
static int64_t find_start(const fl_csv_chunk *chunk, const fl_csv_layout *layout, fl_csv_position at, int64_t own_end)
{
    const fl_csv_dialect *d = &layout->dialect;
    const char *data = fl_text_piece_data(&chunk->text);
    if (chunk->begin == layout->start)
        return chunk->begin - chunk->text.offset;
    if (data[0] == d->newline && !at.is_inside)
        return 1;
    for (int64_t i = 1; i < own_end; i++) {
        if (!at.is_inside && data[i] == d->newline)
            return i + 1;
        fl_csv_step(d, &at, data[i]);
    }
    return own_end;
}

/* Goes on behind the chunk's end until its last line is whole. */
static fl_status index_last_line(fl_csv_chunk *chunk, fl_text_file *file, const fl_csv_layout *layout, int64_t start,
                                 int64_t own_end, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_index *index = &chunk->index;
    int64_t line = index->lines > 0 ? (int64_t)index->at[index->ends[index->lines - 1]] + 1 : start;
    int64_t at = own_end, lines = index->lines;
    while (line < at || at < own_end) {
        if (at == chunk->text.len && fl_text_piece_is_last(&chunk->text, file)) {
            if (index->state.inside != 0)
                return fl_csv_fail_structure(file, layout, err);
            return fl_csv_index_end(index, chunk->text.memory, at, err);
        }
        if (at == chunk->text.len)
            FL_TRY(fl_text_piece_read_on(&chunk->text, file, err));
        int64_t to = at + INDEX_ON_BYTES < chunk->text.len ? at + INDEX_ON_BYTES : chunk->text.len;
        FL_TRY(fl_csv_index_add(index, chunk->text.memory, &layout->dialect, fl_text_piece_data(&chunk->text), at, to,
                                err));
        if (index->lines > lines) {
            index->lines = lines + 1;
            index->count = (int64_t)index->ends[lines] + 1;
            break;
        }
        at = to;
        if (at - line > FL_TEXT_LINE_BYTES_MAX) {
            fl_err complaint;
            FL_FAIL(&complaint, FL_ERR_LIMIT, "the line that begins here has more than 100 MB; is a quote not closed?");
            st = fl_csv_fail_at(file, layout, chunk->text.offset + line, &complaint, err);
            goto cleanup;
        }
    }
cleanup:
    return st;
}

static fl_status check_text(const fl_csv_chunk *chunk, fl_text_file *file, const fl_csv_layout *layout, int64_t start,
                            fl_err *err)
{
    const char *text = fl_text_piece_data(&chunk->text) + start;
    int64_t bad = fl_utf8_check(text, (int64_t)chunk->index.at[chunk->index.count - 1] - start);
    if (bad < 0)
        return FL_OK;
    fl_err complaint;
    FL_FAIL(&complaint, FL_ERR_FORMAT, "the byte 0x%02x is no UTF-8", (uint8_t)text[bad]);
    fl_err_state(&complaint, "22021", FL_ERR_FORMAT);
    fl_err_hint(&complaint, "is it Latin-1 (ISO 8859-1)? Read it so: encoding = 'latin-1'");
    return fl_csv_fail_at(file, layout, chunk->text.offset + start + bad, &complaint, err);
}

static bool is_blank(const fl_csv_chunk *chunk, int64_t from, int64_t to)
{
    return to == from || (to == from + 1 && chunk->text.bytes->data[from] == '\r');
}

/* Line by line: starts; comments go, and blank lines where they cannot be a value. False when a line is ragged. */
static bool cut_lines(fl_csv_chunk *chunk, char comment, int64_t start, int64_t *ret_lines)
{
    const char *data = fl_text_piece_data(&chunk->text);
    fl_csv_index *index = &chunk->index;
    int64_t n = chunk->n_cols, lines = 0, field = 0;
    for (int64_t i = 0; i < index->lines; i++) {
        int64_t last = index->ends[i], from = field == 0 ? start : (int64_t)index->at[field - 1] + 1;
        if (comment != 0 && from < index->at[last] && data[from] == comment) {
            field = last + 1;
            continue;
        }
        if (last - field + 1 == n) {
            if (lines < i)
                memmove(index->at + lines * n, index->at + field, (size_t)n * 4);
            chunk->starts[lines++] = (uint32_t)from;
        } else if (last > field || !is_blank(chunk, from, index->at[last])) {
            return false;
        }
        field = last + 1;
    }
    *ret_lines = lines;
    return true;
}

/* The ends of a line's fields, filled up with empty ones behind it. */
static void pad_line(const fl_csv_chunk *chunk, const uint32_t *ends, int64_t fields, uint32_t *to)
{
    const char *data = fl_text_piece_data(&chunk->text);
    memcpy(to, ends, (size_t)fields * sizeof(*to));
    bool has_cr = fields < chunk->n_cols && ends[fields - 1] > 0 && data[ends[fields - 1] - 1] == '\r';
    to[fields - 1] -= has_cr ? 1 : 0;
    to[fields - 1] += fields < chunk->n_cols ? (uint32_t)chunk->delim_more : 0;
    for (int64_t i = fields; i < chunk->n_cols;
         i++) /* empty wherever it lies: a field begins behind the end of the one before */
        to[i] = to[i - 1] + 1 + (i < chunk->n_cols - 1 ? (uint32_t)chunk->delim_more : 0);
}

static fl_status keep_uneven(fl_csv_chunk *chunk, int64_t from, const uint32_t *ends, int64_t fields, fl_err *err)
{
    fl_status st = FL_OK;
    uint32_t end = ends[fields - 1];
    FL_TRY(fl_grow(chunk->text.memory, (void **)&chunk->uneven, &chunk->uneven_capacity, chunk->n_skipped + 1,
                   (int64_t)sizeof(*chunk->uneven), err));
    chunk->uneven[chunk->n_skipped] = (fl_csv_uneven){.begin = (uint32_t)from,
                                                      .end = end,
                                                      .at = fields > chunk->n_cols ? ends[chunk->n_cols - 1] : end,
                                                      .fields = (int32_t)fields};
cleanup:
    return st;
}

/* As cut_lines, for layouts that pad or skip. */
static fl_status cut_uneven_lines(fl_csv_chunk *chunk, const fl_csv_layout *layout, int64_t start, int64_t *ret_lines,
                                  bool *ret_is_good, fl_err *err)
{
    const char *data = fl_text_piece_data(&chunk->text);
    fl_csv_index *index = &chunk->index;
    int64_t n = chunk->n_cols, lines = 0, field = 0;
    char comment = layout->dialect.comment;
    fl_status st =
        fl_grow(chunk->text.memory, (void **)&chunk->padded, &chunk->padded_capacity, index->lines * n, 4, err);
    *ret_is_good = true;
    for (int64_t i = 0; i < index->lines && st == FL_OK && *ret_is_good; i++) {
        int64_t last = index->ends[i], from = field == 0 ? start : (int64_t)index->at[field - 1] + 1,
                fields = last - field + 1;
        bool is_comment = comment != 0 && from < index->at[last] && data[from] == comment;
        bool is_line = !is_comment && !(n > 1 && fields == 1 && is_blank(chunk, from, index->at[last]));
        if (is_line && (fields == n || (fields < n && layout->pads))) {
            pad_line(chunk, index->at + field, fields, chunk->padded + lines * n);
            chunk->starts[lines++] = (uint32_t)from;
        } else if (is_line) {
            if (layout->keeps)
                st = keep_uneven(chunk, from, index->at + field, fields, err);
            chunk->n_skipped++;
            *ret_is_good = layout->skips;
        }
        field = last + 1;
    }
    if (st != FL_OK)
        return st;
    uint32_t *at = index->at;
    int64_t capacity = index->capacity;
    index->at = chunk->padded;
    index->capacity = chunk->padded_capacity;
    chunk->padded = at;
    chunk->padded_capacity = capacity;
    *ret_lines = lines;
    return FL_OK;
}

fl_status fl_csv_chunk_index_whole(fl_csv_chunk *chunk, const fl_csv_layout *layout, fl_csv_position before,
                                   fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_index *index = &chunk->index;
    const char *data = fl_text_piece_data(&chunk->text);
    int64_t own_end = chunk->end - chunk->text.offset, start = find_start(chunk, layout, before, own_end), lines = 0;
    chunk->n_cols = layout->n_cols;
    chunk->newline = layout->dialect.newline;
    chunk->delim_more = layout->dialect.delim_len - 1;
    chunk->rows = chunk->first = 0;
    fl_csv_index_begin(index);
    if (start >= own_end)
        return FL_OK;
    FL_TRY(fl_csv_index_add(index, chunk->text.memory, &layout->dialect, data, start, own_end, err));
    if (index->lines == 0 || (index->state.flags & (FL_CSV_FAULT_QUOTE | FL_CSV_FAULT_NUL)) != 0)
        return FL_OK;
    index->count = (int64_t)index->ends[index->lines - 1] + 1;
    *ret = (fl_str){data + start, (int64_t)index->at[index->count - 1] + 1 - start};
    if ((index->state.flags & FL_CSV_HAS_HIGH) != 0 && fl_utf8_check(ret->data, ret->len) >= 0)
        return FL_OK;
    FL_TRY(fl_grow(chunk->text.memory, (void **)&chunk->starts, &chunk->starts_capacity, index->lines, 4, err));
    if (!layout->pads && !layout->skips && cut_lines(chunk, layout->dialect.comment, start, &lines))
        chunk->rows = lines;
cleanup:
    return st;
}

fl_status fl_csv_chunk_index(fl_csv_chunk *chunk, fl_text_file *file, const fl_csv_layout *layout,
                             fl_csv_position before, bool has_header, fl_err *err)
{
    fl_status st = FL_OK;
    fl_csv_index *index = &chunk->index;
    int64_t own_end = chunk->end - chunk->text.offset, lines = 0;
    int64_t start = find_start(chunk, layout, before, own_end);
    chunk->n_cols = layout->n_cols;
    chunk->newline = layout->dialect.newline;
    chunk->delim_more = layout->dialect.delim_len - 1;
    chunk->rows = chunk->first = chunk->n_skipped = 0;
    fl_csv_index_begin(index);
    if (start >= own_end)
        return FL_OK;
    FL_TRY(fl_csv_index_add(index, chunk->text.memory, &layout->dialect, fl_text_piece_data(&chunk->text), start,
                            own_end, err));
    FL_TRY(index_last_line(chunk, file, layout, start, own_end, err));
    if ((index->state.flags & (FL_CSV_FAULT_QUOTE | FL_CSV_FAULT_NUL)) != 0)
        return fl_csv_fail_structure(file, layout, err);
    if ((index->state.flags & FL_CSV_HAS_HIGH) != 0)
        FL_TRY(check_text(chunk, file, layout, start, err));
    FL_TRY(fl_grow(chunk->text.memory, (void **)&chunk->starts, &chunk->starts_capacity, index->lines, 4, err));
    bool is_good = true;
    if (layout->pads || layout->skips)
        FL_TRY(cut_uneven_lines(chunk, layout, start, &lines, &is_good, err));
    else
        is_good = cut_lines(chunk, layout->dialect.comment, start, &lines);
    if (!is_good)
        return fl_csv_fail_structure(file, layout, err);
    chunk->first = has_header && lines > 0 ? 1 : 0;
    chunk->rows = lines - chunk->first;
cleanup:
    return st;
}
