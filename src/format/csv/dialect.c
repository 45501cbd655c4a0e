/* Finding a dialect: each delimiter is tried, and the one that cuts most lines into as many fields as the first wins. Lines
 * that begin with # are comments where the others agree better without them.
 *
 * Quotes are the usual ones, doubled inside, unless that goes wrong somewhere in the sample, or there are none but fields that have ' around
 * them: then the other ways of quoting are tried, and one is taken by which all lines agree and nothing is wrong. */
#include "format/csv/dialect.h"

#include "base/status.h"

#define LINES_MAX 1000
#define TITLES_MAX 20
#define COMMENT '#'

static const char delims[] = {',', ';', '\t', '|'};

typedef struct trial {
    int32_t fields; /* of the first line */
    int32_t lines;
    int32_t agreeing;    /* lines with as many */
    int32_t quoted;      /* fields with quotes */
    int32_t apostrophes; /* fields that begin with one */
    int32_t faults;      /* quotes that stand where they must not */
} trial;

static bool is_delim_at(const fl_csv_dialect *d, fl_str text, int64_t at)
{
    return text.len - at >= d->delim_len && memcmp(text.data + at, d->delim, d->delim_len) == 0;
}

static void end_line(trial *t, int32_t fields)
{
    t->fields = t->lines == 0 ? fields : t->fields;
    t->lines++;
    t->agreeing += fields == t->fields;
}

/* Counts fields a line, forgiving: a quote that opens anywhere but at a field's start is text. */
static trial try_delim(fl_str text, bool is_whole, fl_csv_dialect d)
{
    trial t = {0};
    int32_t fields = 1;
    bool inside = false, is_start = true, is_blank = true, is_comment = false, is_line_start = true, was_close = false;
    for (int64_t i = 0; i < text.len && t.lines < LINES_MAX; i++) {
        char c = text.data[i];
        if (inside) {
            if (c == d.escape && d.escape != d.quote)
                i++;
            else if (c == d.quote)
                inside = false;
            was_close = !inside;
            continue;
        }
        is_comment |= is_line_start && d.comment != 0 && c == d.comment;
        is_line_start = c == d.newline;
        if (is_comment) {
            is_comment = !is_line_start;
            continue;
        }
        bool is_delim = is_delim_at(&d, text, i), is_quote = d.quote != 0 && c == d.quote;
        if (is_quote)
            t.faults += !is_start && !(was_close && d.escape == d.quote);
        else if (was_close)
            t.faults += !is_delim && c != d.newline && c != '\r' && !(d.trims && c == ' ');
        if (c == d.newline) {
            if (!is_blank)
                end_line(&t, fields);
            fields = 1;
            is_start = is_blank = true;
            was_close = false;
            continue;
        }
        is_blank &= c == '\r';
        inside = is_quote && (is_start || was_close);
        t.quoted += inside && is_start;
        t.apostrophes += is_start && c == '\'';
        was_close = was_close && d.trims && c == ' ';
        is_start = is_delim || (is_start && d.trims && c == ' ');
        fields += is_delim;
        i += is_delim ? d.delim_len - 1 : 0;
    }
    t.faults += inside && is_whole;
    if (!is_blank && t.lines < LINES_MAX && (is_whole || t.lines == 0))
        end_line(&t, fields);
    return t;
}

/* CR ends lines only where there is no LF. */
static char find_newline(fl_str sample)
{
    bool has_lf = sample.len > 0 && memchr(sample.data, '\n', (size_t)sample.len) != NULL;
    bool has_cr = sample.len > 0 && memchr(sample.data, '\r', (size_t)sample.len) != NULL;
    return !has_lf && has_cr ? '\r' : '\n';
}

/* What a dialect makes of a sample. */
typedef struct finding {
    fl_csv_dialect dialect;
    trial trial;
    double score; /* the part of lines that agree; 0 where they have one field */
} finding;

/* The delimiter that is best for a dialect. */
static finding find_delim(fl_str sample, bool is_whole, bool prefers_tab, fl_csv_dialect d, bool is_given)
{
    finding best = {.dialect = d, .trial = try_delim(sample, is_whole, d)};
    best.trial.fields = 1;
    for (int i = 0; i < (is_given ? 1 : (int)sizeof(delims)); i++) {
        if (!is_given)
            fl_csv_set_delim(&d, delims[i]);
        trial t = try_delim(sample, is_whole, d);
        if (t.fields < 2)
            continue;
        double score = (double)t.agreeing / t.lines + (!is_given && prefers_tab && delims[i] == '\t' ? 1 : 0);
        if (score > best.score || (score == best.score && t.fields > best.trial.fields))
            best = (finding){d, t, score};
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

/* Delimiter and comments by one way of quoting. */
static finding find_comment(fl_str sample, bool is_whole, bool prefers_tab, fl_csv_dialect d,
                            const fl_csv_wishes *wishes)
{
    bool is_given = wishes->delim.len > 0;
    finding best = find_delim(sample, is_whole, prefers_tab, d, is_given);
    if (wishes->has_comment || !has_line_with(sample, d.newline, COMMENT))
        return best;
    d.comment = COMMENT;
    finding other = find_delim(sample, is_whole, prefers_tab, d, is_given);
    return other.score > best.score && other.trial.fields > 1 ? other : best;
}

fl_csv_dialect fl_csv_dialect_find(fl_str sample, bool is_whole, bool prefers_tab, const fl_csv_wishes *wishes,
                                   int32_t *ret_fields, bool *ret_agree)
{
    static const struct {
        char quote, escape;
    } ways[] = {{'"', '\\'}, {'\'', '\''}, {'\'', '\\'}, {0, 0}};
    fl_csv_dialect d = {
        .quote = wishes->has_quote ? wishes->quote : '"', .comment = wishes->comment, .trims = wishes->trims};
    fl_csv_set_delim(&d, prefers_tab ? '\t' : ',');
    if (wishes->delim.len > 0) {
        memcpy(d.delim, wishes->delim.data, (size_t)wishes->delim.len);
        d.delim_len = (uint8_t)wishes->delim.len;
    }
    d.escape = wishes->has_escape ? wishes->escape : d.quote;
    d.newline = find_newline(sample);
    finding best = find_comment(sample, is_whole, prefers_tab, d, wishes);
    const trial usual = best.trial;
    bool is_odd = usual.faults > 0 || (usual.quoted == 0 && usual.apostrophes > 0);
    for (int i = 0; i < FL_LEN(ways) && is_odd && !wishes->has_escape; i++) {
        if (wishes->has_quote && (ways[i].quote != wishes->quote || wishes->quote == 0))
            continue;
        if (ways[i].quote != '"' && usual.quoted > 0) /* somebody meant them */
            continue;
        if (ways[i].quote == 0 && usual.faults == 0)
            continue;
        d.quote = ways[i].quote;
        d.escape = ways[i].escape;
        finding other = find_comment(sample, is_whole, prefers_tab, d, wishes);
        bool is_right = other.trial.faults == 0 && other.trial.agreeing == other.trial.lines && other.trial.fields > 1;
        if (is_right && (other.trial.quoted > 0 || d.quote == 0)) {
            best = other;
            break;
        }
    }
    *ret_fields = best.trial.fields;
    *ret_agree = best.trial.agreeing == best.trial.lines;
    return best.dialect;
}

static bool has_delim_in(const fl_csv_dialect *d, fl_str text)
{
    for (int64_t i = 0; i < text.len; i++)
        if (is_delim_at(d, text, i))
            return true;
    return false;
}

int32_t fl_csv_count_titles(fl_str sample, bool is_whole, const fl_csv_dialect *dialect, bool has_delim,
                            fl_csv_dialect *ret_dialect, int32_t *ret_fields, int64_t *ret_bytes)
{
    int64_t at = 0;
    for (int32_t titles = 1; titles <= TITLES_MAX; titles++) {
        const char *end =
            at < sample.len ? memchr(sample.data + at, dialect->newline, (size_t)(sample.len - at)) : NULL;
        if (end == NULL)
            break;
        bool is_blank = end == sample.data + at || (end == sample.data + at + 1 && sample.data[at] == '\r');
        at = end + 1 - sample.data;
        fl_str before = {sample.data, at}, rest = {sample.data + at, sample.len - at};
        for (int i = 0; i < (has_delim ? 1 : (int)sizeof(delims)); i++) {
            *ret_dialect = *dialect;
            if (!has_delim)
                fl_csv_set_delim(ret_dialect, delims[i]);
            trial t = try_delim(rest, is_whole, *ret_dialect);
            *ret_fields = t.fields;
            *ret_bytes = at;
            if (t.fields > 1 && t.lines > 1 && t.agreeing == t.lines && t.faults == 0 &&
                (is_blank || !has_delim_in(ret_dialect, before)))
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
