/* The plain reading of a CSV file that faults are named by. */
#include "format/csv/place.h"

#include <stdio.h>

#define BLOCK_BYTES (256 << 10)
#define SHOWN_BYTES 60 /* of a faulty line */
#define TITLES_MAX 20  /* lines before the table, for the hint */

typedef enum fault { NO_FAULT, RAGGED, QUOTE_INSIDE, BEHIND_QUOTE, UNCLOSED, NUL_BYTE } fault;
typedef enum at { AT_START, IN_PLAIN, IN_QUOTES, BEHIND_CLOSE, BEHIND_CR, IN_COMMENT } at;

typedef struct place {
    int64_t line;
    int64_t column;
} place;

typedef struct walk {
    const fl_csv_layout *layout;
    int64_t offset; /* of the byte at hand */
    int64_t line;
    int64_t line_offset; /* where that line begins */
    at state;
    char recent[FL_CSV_DELIM_MAX]; /* the last bytes */
    int64_t delim_from;            /* where the next delimiter may begin */
    int32_t behind_close;          /* bytes of a delimiter that began behind a closing quote */
    bool is_escaped;
    bool is_blank;            /* the field has nothing but blanks so far */
    char last;                /* the byte before */
    bool is_behind_backslash; /* the quote that closed last */
    int32_t fields;           /* ended in this record */
    int64_t record_line;
    int64_t record_offset;
    place open;              /* of the quote that opened last */
    char shown[SHOWN_BYTES]; /* the record's first bytes */
    fault found;
    place where;
} walk;

static place here(const walk *w)
{
    return (place){w->line, w->offset - w->line_offset + 1};
}

static void set_fault(walk *w, fault found, place where)
{
    if (w->found != NO_FAULT)
        return;
    w->found = found;
    w->where = where;
}

/* The record ends before the byte at hand. A line without a byte is no record where there are several columns. */
static void end_record(walk *w, int64_t bytes)
{
    bool is_blank = w->fields == 0 && (bytes == 0 || (bytes == 1 && w->shown[0] == '\r'));
    w->fields++;
    bool is_ragged = w->layout->pads ? w->fields > w->layout->n_cols : w->fields != w->layout->n_cols;
    if (!(is_blank && w->layout->n_cols > 1) && is_ragged && !w->layout->skips)
        set_fault(w, RAGGED, (place){w->record_line, 1});
}

/* Whether a delimiter began behind a closing quote and was not ended. */
static bool is_cut_off(const walk *w, bool is_delim)
{
    return w->state == BEHIND_CLOSE && w->behind_close > 0 && !is_delim;
}

static void step(walk *w, char c)
{
    const fl_csv_dialect *d = &w->layout->dialect;
    int64_t in_record = w->offset - w->record_offset;
    memmove(w->recent, w->recent + 1, FL_CSV_DELIM_MAX - 1);
    w->recent[FL_CSV_DELIM_MAX - 1] = c;
    bool is_delim = w->state != IN_QUOTES && w->offset + 1 - w->delim_from >= d->delim_len &&
                    memcmp(w->recent + FL_CSV_DELIM_MAX - d->delim_len, d->delim, d->delim_len) == 0;
    bool is_border = is_delim || (w->state != IN_QUOTES && c == d->newline);
    if (in_record < SHOWN_BYTES)
        w->shown[in_record] = c;
    if (c == 0)
        set_fault(w, NUL_BYTE, here(w));
    if (in_record == 0 && w->state == AT_START && d->comment != 0 && c == d->comment)
        w->state = IN_COMMENT;
    if (w->state == IN_COMMENT) {
        if (c == d->newline)
            w->state = AT_START;
        is_border = c == d->newline;
    } else if (w->state == IN_QUOTES) {
        if (w->is_escaped)
            w->is_escaped = false;
        else if (c == d->escape && d->escape != d->quote)
            w->is_escaped = true;
        else if (c == d->quote) {
            w->state = BEHIND_CLOSE;
            w->behind_close = 0;
            w->is_behind_backslash = w->last == '\\';
        }
    } else if (is_border) {
        if ((w->state == BEHIND_CR && is_delim) || is_cut_off(w, is_delim))
            set_fault(w, BEHIND_QUOTE, here(w));
        if (is_delim)
            w->fields++;
        else
            end_record(w, in_record);
        w->state = AT_START;
    } else if (d->quote != 0 && c == d->quote) {
        if (w->state == BEHIND_CLOSE && d->escape != d->quote)
            set_fault(w, BEHIND_QUOTE, here(w));
        else if (w->state == IN_PLAIN || w->state == BEHIND_CR)
            set_fault(w, QUOTE_INSIDE, here(w));
        else if (w->state == AT_START)
            w->open = here(w);
        w->state = IN_QUOTES;
    } else if (d->trims && c == ' ' && (w->state == AT_START || w->state == BEHIND_CLOSE)) {
        w->is_blank = true; /* no part of the field */
    } else if (w->state == BEHIND_CLOSE && w->behind_close < d->delim_len - 1 && c == d->delim[w->behind_close]) {
        w->behind_close++;
    } else if (w->state == BEHIND_CLOSE && c == '\r') {
        w->state = BEHIND_CR;
    } else if (w->state == BEHIND_CLOSE || w->state == BEHIND_CR) {
        set_fault(w, BEHIND_QUOTE, here(w));
    } else {
        w->is_blank = c == ' ' && (w->state == AT_START || w->is_blank);
        w->state = IN_PLAIN;
    }
    w->last = c;
    w->offset++;
    if (is_border)
        w->delim_from = w->offset;
    if (c == d->newline) {
        w->line++;
        w->line_offset = w->offset;
        if (is_border && w->found == NO_FAULT) { /* what is told of a faulty record stays */
            w->fields = 0;
            w->record_line = w->line;
            w->record_offset = w->offset;
        }
    }
}

static void finish(walk *w)
{
    if (w->state == IN_QUOTES)
        set_fault(w, UNCLOSED, w->open);
    else if (is_cut_off(w, false))
        set_fault(w, BEHIND_QUOTE, here(w));
    else if (w->offset > w->record_offset && w->state != IN_COMMENT)
        end_record(w, w->offset - w->record_offset);
}

/* Walks to the first fault, to `offset`, or to the file's end. */
static fl_status walk_to(walk *w, fl_text_file *file, int64_t offset, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text_piece piece = {0};
    while (w->offset < offset && w->offset < fl_text_file_bytes(file) && w->found == NO_FAULT) {
        int64_t end = offset - w->offset < BLOCK_BYTES ? offset : w->offset + BLOCK_BYTES;
        FL_TRY(fl_text_piece_read(&piece, file, w->offset, end, err));
        end = end < fl_text_file_bytes(file) ? end : fl_text_file_bytes(file);
        while (w->offset < end && w->found == NO_FAULT)
            step(w, fl_text_piece_data(&piece)[w->offset - piece.offset]);
    }
    if (w->found == NO_FAULT && w->offset == fl_text_file_bytes(file))
        finish(w);
cleanup:
    fl_text_piece_drop(&piece);
    return st;
}

/* The dialect in a few words, as the hint's options would write it. */
static void print_dialect(const fl_csv_dialect *d, char *ret, size_t bytes)
{
    char quote[8] = {d->quote, 0};
    fl_str delim = d->delim[0] == '\t' && d->delim_len == 1 ? FL_STR("\\t") : fl_csv_delim(d);
    snprintf(ret, bytes, "delim = '%.*s', quote = '%s'", FL_STR_ARG(delim), quote);
}

static fl_status fail_fault(const walk *w, const fl_text_file *file, fl_err *err)
{
    const fl_csv_dialect *d = &w->layout->dialect;
    char dialect[64];
    int64_t shown = w->offset - w->record_offset < SHOWN_BYTES ? w->offset - w->record_offset : SHOWN_BYTES;
    fl_status st = FL_ERR_FORMAT;
    while (shown > 0 && (w->shown[shown - 1] == '\n' || w->shown[shown - 1] == '\r'))
        shown--;
    print_dialect(d, dialect, sizeof(dialect));
    switch (w->found) {
    case RAGGED:
        st = FL_FAIL(err, FL_ERR_FORMAT, "expected %d field%s, found %d", w->layout->n_cols,
                     w->layout->n_cols == 1 ? "" : "s", w->fields);
        if (w->fields > w->layout->n_cols && w->record_line <= TITLES_MAX)
            fl_err_hint(err,
                        "the line begins with: %.*s   (read with %s; skip = %lld leaves out the lines before it; say "
                        "otherwise where that is wrong)",
                        (int)shown, w->shown, dialect, (long long)w->record_line - 1);
        else if (w->fields == 1 && shown > 0 && d->comment == 0 && strchr("#%/;!-", w->shown[0]) != NULL)
            fl_err_hint(err,
                        "the line begins with: %.*s   (read with %s; comment = '%c' leaves out lines that begin so)",
                        (int)shown, w->shown, dialect, w->shown[0]);
        else if (w->offset > w->record_offset)
            fl_err_hint(err, "the line begins with: %.*s   (read with %s; say otherwise where that is wrong)",
                        (int)shown, w->shown, dialect);
        else
            fl_err_hint(err, "read with %s; say otherwise where that is wrong", dialect);
        break;
    case QUOTE_INSIDE:
        st = FL_FAIL(err, FL_ERR_FORMAT, "a quote inside of a field that does not begin with one");
        if (w->is_blank)
            fl_err_hint(err, "trim = true leaves out blanks around fields and their quotes");
        else
            fl_err_hint(err,
                        "quote the whole field and double the quotes in it, or write quote = '' if quotes mean nothing "
                        "in this file");
        break;
    case BEHIND_QUOTE:
        st = FL_FAIL(err, FL_ERR_FORMAT, "text behind a field's closing quote");
        if (w->last == ' ' && !d->trims)
            fl_err_hint(err, "trim = true leaves out blanks around fields and their quotes");
        else if (w->is_behind_backslash && !fl_csv_has_escape(d))
            fl_err_hint(err, "write escape = '\\' if a backslash keeps a quote from closing the field");
        else
            fl_err_hint(err,
                        "double the quotes that are part of a field, or write quote = '' if quotes mean nothing in "
                        "this file");
        break;
    case UNCLOSED:
        st = FL_FAIL(err, FL_ERR_FORMAT, "the quote that opens here is never closed");
        fl_err_hint(err, "close it, or write quote = '' if quotes mean nothing in this file");
        break;
    case NUL_BYTE:
        FL_FAIL(err, FL_ERR_FORMAT, "a NUL byte: this is no UTF-8 text");
        st = fl_err_state(err, "22021", FL_ERR_FORMAT);
        fl_err_hint(err, "the file may be UTF-16, or no text at all");
        break;
    case NO_FAULT:
        st = FL_FAIL(err, FL_ERR_FORMAT, "broken CSV");
        break;
    }
    fl_text_file_err_at(file, w->where.line, w->where.column, err);
    return st;
}

static walk begin_walk(const fl_csv_layout *layout)
{
    return (walk){.layout = layout,
                  .offset = layout->start,
                  .line = 1 + layout->skipped,
                  .line_offset = layout->start,
                  .delim_from = layout->start,
                  .record_line = 1 + layout->skipped,
                  .record_offset = layout->start};
}

fl_status fl_csv_fail_at(fl_text_file *file, const fl_csv_layout *layout, int64_t offset, const fl_err *complaint,
                         fl_err *err)
{
    walk w = begin_walk(layout);
    fl_status st = walk_to(&w, file, offset, err);
    if (st != FL_OK)
        return st;
    if (w.found != NO_FAULT)
        return fail_fault(&w, file, err);
    if (err != NULL)
        *err = *complaint;
    fl_text_file_err_at(file, here(&w).line, here(&w).column, err);
    return complaint->code;
}

fl_status fl_csv_fail_structure(fl_text_file *file, const fl_csv_layout *layout, fl_err *err)
{
    walk w = begin_walk(layout);
    fl_status st = walk_to(&w, file, FL_TEXT_BYTES_UNKNOWN, err);
    return st != FL_OK ? st : fail_fault(&w, file, err);
}
