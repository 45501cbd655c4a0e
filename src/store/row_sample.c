/* Picking rows: the table is cut into strata of equal length, and each gives as many rows as the others, drawn without
 * replacement. Strata are long: in columns that are clustered equal values lie side by side, and only where neighbours can be
 * drawn together does the sample show how often values repeat. */
#include "store/row_sample.h"

#define STRATUM_ROWS 131072
#define STRATUM_PICKS_MIN 64

/* Steele, Lea & Flood 2014, "SplitMix". */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

/* Sets `picks` bits among the first `rows`. Where most are wanted, those that are not are drawn. */
static void draw(uint64_t *map, int64_t rows, int64_t picks, uint64_t *random)
{
    bool draws_out = picks > rows / 2;
    memset(map, draws_out ? 0xFF : 0, (size_t)fl_bitmap_words(rows) * 8);
    for (int64_t left = draws_out ? rows - picks : picks; left > 0;) {
        int64_t row = (int64_t)((unsigned __int128)next_random(random) * (uint64_t)rows >> 64);
        if (fl_bit_get(map, row) == draws_out) {
            fl_bit_put(map, row, !draws_out);
            left--;
        }
    }
}

typedef struct cursor {
    fl_segment *const *segments;
    int64_t segment;
    int64_t first; /* the segment's first row in the table; deleted ones are not counted */
    int64_t word;  /* of the segment's live rows, */
    int64_t seen;  /* and how many there are before it */
} cursor;

/* Where the n-th of the segment's rows that were not deleted lies. */
static int64_t find_live(cursor *at, int64_t n)
{
    const uint64_t *live = at->segments[at->segment]->live;
    if (live == NULL)
        return n;
    for (int64_t ones; at->seen + (ones = __builtin_popcountll(live[at->word])) <= n; at->word++)
        at->seen += ones;
    uint64_t word = live[at->word];
    for (int64_t i = at->seen; i < n; i++)
        word &= word - 1;
    return at->word * 64 + __builtin_ctzll(word);
}

/* Adds a row of the table; rows come in ascending order. */
static void add(fl_row_sample *sample, cursor *at, int64_t row)
{
    for (int64_t rows; row >= at->first + (rows = fl_segment_live_rows(at->segments[at->segment]));) {
        *at = (cursor){.segments = at->segments, .segment = at->segment + 1, .first = at->first + rows};
        sample->starts[at->segment] = sample->rows;
    }
    sample->places[sample->rows++] = find_live(at, row - at->first);
}

fl_status fl_row_sample_pick(fl_arena *arena, fl_segment *const *segments, int64_t n_segments, int32_t wanted,
                             fl_row_sample *ret, fl_err *err)
{
    fl_status st = FL_OK;
    uint64_t *map = NULL;
    fl_row_sample sample = {0};
    int64_t rows = 0;
    for (int64_t s = 0; s < n_segments; s++)
        rows += fl_segment_live_rows(segments[s]);
    int64_t picks = rows < wanted ? rows : wanted;
    int64_t strata = rows / STRATUM_ROWS + 1, strata_max = picks / STRATUM_PICKS_MIN + 1;
    strata = strata < strata_max ? strata : strata_max;
    FL_TRY(fl_alloc(arena->memory, fl_bitmap_words(rows / strata + 1) * 8, (void **)&map, err));
    FL_TRY(FL_NEW_ARRAY(arena, n_segments + 1, &sample.starts, err));
    FL_TRY(FL_NEW_ARRAY(arena, picks + 1, &sample.places, err));
    cursor at = {.segments = segments};
    uint64_t random = (uint64_t)rows;
    for (int64_t i = 0; i < strata; i++) {
        int64_t start = (int64_t)((fl_i128)rows * i / strata), end = (int64_t)((fl_i128)rows * (i + 1) / strata);
        draw(map, end - start, picks * (i + 1) / strata - picks * i / strata, &random);
        for (int64_t row = 0; row < end - start; row = (row / 64 + 1) * 64)
            for (uint64_t word = map[row / 64]; word != 0; word &= word - 1) {
                int64_t bit = row + __builtin_ctzll(word);
                if (bit < end - start)
                    add(&sample, &at, start + bit);
            }
    }
    while (at.segment < n_segments)
        sample.starts[++at.segment] = sample.rows;
    FL_ASSERT(sample.rows == picks && sample.starts[n_segments] == picks);
    *ret = sample;
cleanup:
    fl_free(map);
    return st;
}
