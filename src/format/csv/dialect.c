/* Finding a dialect: each delimiter is tried, and the one that cuts most lines into as many fields as the first wins. */
#include "format/csv/dialect.h"

#define LINES_MAX 1000

typedef struct trial {
    int32_t fields; /* of the first line */
    int32_t lines;
    int32_t agreeing; /* lines with as many */
} trial;

/* Counts fields a line, forgiving: a quote that opens anywhere but at a field's start is text. */
static trial try_delim(fl_str text, bool is_whole, fl_csv_dialect d)
{
    trial t = {0};
    int32_t fields = 1;
    bool inside = false, is_start = true, is_blank = true;
    for (int64_t i = 0; i < text.len && t.lines < LINES_MAX; i++) {
        char c = text.data[i];
        if (inside) {
            if (c == d.escape && d.escape != d.quote)
                i++;
            else if (c == d.quote)
                inside = false;
            continue;
        }
        if (c == d.newline) {
            if (!is_blank) {
                t.fields = t.lines == 0 ? fields : t.fields;
                t.lines++;
                t.agreeing += fields == t.fields;
            }
            fields = 1;
            is_start = is_blank = true;
            continue;
        }
        is_blank &= c == '\r';
        inside = d.quote != 0 && c == d.quote && (is_start || (i > 0 && text.data[i - 1] == d.quote));
        is_start = c == d.delim;
        fields += c == d.delim;
    }
    if (!is_blank && t.lines < LINES_MAX && (is_whole || t.lines == 0)) {
        t.fields = t.lines == 0 ? fields : t.fields;
        t.lines++;
        t.agreeing += fields == t.fields;
    }
    return t;
}

/* CR ends lines only where there is no LF. */
static char find_newline(fl_str sample)
{
    bool has_lf = sample.len > 0 && memchr(sample.data, '\n', (size_t)sample.len) != NULL;
    bool has_cr = sample.len > 0 && memchr(sample.data, '\r', (size_t)sample.len) != NULL;
    return !has_lf && has_cr ? '\r' : '\n';
}

fl_csv_dialect fl_csv_dialect_find(fl_str sample, bool is_whole, bool prefers_tab, const fl_csv_wishes *wishes,
                                   int32_t *ret_fields)
{
    static const char delims[] = {',', ';', '\t', '|'};
    fl_csv_dialect d = {.delim = ',', .quote = wishes->has_quote ? wishes->quote : '"'};
    d.escape = wishes->has_escape ? wishes->escape : d.quote;
    d.newline = find_newline(sample);
    if (wishes->has_delim) {
        d.delim = wishes->delim;
        trial t = try_delim(sample, is_whole, d);
        *ret_fields = t.fields > 0 ? t.fields : 1;
        return d;
    }
    char best_delim = prefers_tab ? '\t' : ',';
    double best = 0;
    int32_t best_fields = 1;
    for (int i = 0; i < (int)sizeof(delims); i++) {
        d.delim = delims[i];
        trial t = try_delim(sample, is_whole, d);
        if (t.fields < 2)
            continue;
        double score = (double)t.agreeing / t.lines + (prefers_tab && delims[i] == '\t' ? 1 : 0);
        if (score > best || (score == best && t.fields > best_fields)) {
            best = score;
            best_delim = delims[i];
            best_fields = t.fields;
        }
    }
    d.delim = best_delim;
    *ret_fields = best_fields;
    return d;
}

int64_t fl_csv_unquote(const fl_csv_dialect *dialect, fl_str text, char *ret)
{
    int64_t len = 0;
    for (int64_t i = 0; i < text.len; i++) {
        if (text.data[i] == dialect->escape && i + 1 < text.len &&
            (dialect->escape != dialect->quote || text.data[i + 1] == dialect->quote))
            i++;
        ret[len++] = text.data[i];
    }
    return len;
}
