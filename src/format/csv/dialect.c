/* Finding a dialect: each delimiter is tried, and the one that cuts most lines into as many fields as the first wins. Lines
 * that begin with # are comments where the others agree better without them. */
#include "format/csv/dialect.h"

#define LINES_MAX 1000
#define TITLES_MAX 20
#define COMMENT '#'

static const char delims[] = {',', ';', '\t', '|'};

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
    bool inside = false, is_start = true, is_blank = true, is_comment = false, is_line_start = true;
    for (int64_t i = 0; i < text.len && t.lines < LINES_MAX; i++) {
        char c = text.data[i];
        if (inside) {
            if (c == d.escape && d.escape != d.quote)
                i++;
            else if (c == d.quote)
                inside = false;
            continue;
        }
        is_comment |= is_line_start && d.comment != 0 && c == d.comment;
        is_line_start = c == d.newline;
        if (is_comment) {
            is_comment = !is_line_start;
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
        is_start = c == d.delim || (is_start && d.trims && c == ' ');
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

/* The delimiter that is best for a dialect, with its score: the part of lines that agree; 0 where they have one field. */
static fl_csv_dialect find_delim(fl_str sample, bool is_whole, bool prefers_tab, fl_csv_dialect d, bool is_given,
                                 double *ret_score, int32_t *ret_fields)
{
    fl_csv_dialect best = d;
    *ret_score = 0;
    *ret_fields = 1;
    for (int i = 0; i < (is_given ? 1 : (int)sizeof(delims)); i++) {
        d.delim = is_given ? d.delim : delims[i];
        trial t = try_delim(sample, is_whole, d);
        if (t.fields < 2)
            continue;
        double score = (double)t.agreeing / t.lines + (!is_given && prefers_tab && delims[i] == '\t' ? 1 : 0);
        if (score > *ret_score || (score == *ret_score && t.fields > *ret_fields)) {
            *ret_score = score;
            *ret_fields = t.fields;
            best.delim = d.delim;
        }
    }
    return best;
}

static bool has_line_with(fl_str sample, char newline, char first)
{
    for (int64_t i = 0; i < sample.len; i++)
        if (sample.data[i] == first && (i == 0 || sample.data[i - 1] == newline))
            return true;
    return false;
}

fl_csv_dialect fl_csv_dialect_find(fl_str sample, bool is_whole, bool prefers_tab, const fl_csv_wishes *wishes,
                                   int32_t *ret_fields)
{
    fl_csv_dialect d = {.delim = wishes->has_delim ? wishes->delim
                                 : prefers_tab     ? '\t'
                                                   : ',',
                        .quote = wishes->has_quote ? wishes->quote : '"',
                        .comment = wishes->comment,
                        .trims = wishes->trims};
    d.escape = wishes->has_escape ? wishes->escape : d.quote;
    d.newline = find_newline(sample);
    double score = 0;
    fl_csv_dialect best = find_delim(sample, is_whole, prefers_tab, d, wishes->has_delim, &score, ret_fields);
    if (wishes->has_comment || !has_line_with(sample, d.newline, COMMENT))
        return best;
    double other_score = 0;
    int32_t fields = 1;
    d.comment = COMMENT;
    fl_csv_dialect other = find_delim(sample, is_whole, prefers_tab, d, wishes->has_delim, &other_score, &fields);
    if (other_score > score && fields > 1) {
        *ret_fields = fields;
        return other;
    }
    return best;
}

int32_t fl_csv_count_titles(fl_str sample, bool is_whole, const fl_csv_dialect *dialect, fl_csv_dialect *ret_dialect,
                            int32_t *ret_fields)
{
    int64_t at = 0;
    for (int32_t titles = 1; titles <= TITLES_MAX; titles++) {
        const char *end = memchr(sample.data + at, dialect->newline, (size_t)(sample.len - at));
        if (end == NULL)
            break;
        at = end + 1 - sample.data;
        fl_str before = {sample.data, at}, rest = {sample.data + at, sample.len - at};
        for (int i = 0; i < (int)sizeof(delims); i++) {
            *ret_dialect = *dialect;
            ret_dialect->delim = delims[i];
            trial t = try_delim(rest, is_whole, *ret_dialect);
            *ret_fields = t.fields;
            if (t.fields > 1 && t.lines > 1 && t.agreeing == t.lines &&
                memchr(before.data, delims[i], (size_t)before.len) == NULL)
                return titles;
        }
    }
    return 0;
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
