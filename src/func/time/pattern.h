/* PostgreSQL's patterns of dates and times (section 9.8), which to_char writes and to_date reads, and how they are spelled. */
#ifndef FL_FUNC_TIME_PATTERN_H
#define FL_FUNC_TIME_PATTERN_H

#include "base/text.h"

typedef enum pattern {
    P_ERA,
    P_ERA_DOTS,
    P_HALF,
    P_HALF_DOTS,
    P_CC,
    P_DAY,
    P_DDD,
    P_DD,
    P_DY,
    P_D,
    P_FRACTION, /* FF1 to FF6 */
    P_FX,
    P_HH24,
    P_HH12,
    P_IDDD,
    P_ID,
    P_IW,
    P_IYYY,
    P_IYY,
    P_IY,
    P_I,
    P_J,
    P_MI,
    P_MM,
    P_MONTH,
    P_MON,
    P_MS,
    P_OF,
    P_Q,
    P_RM,
    P_SSSS,
    P_SS,
    P_TZH,
    P_TZM,
    P_TZ,
    P_US,
    P_WW,
    P_W,
    P_YCOMMA,
    P_YYYY,
    P_YYY,
    P_YY,
    P_Y
} pattern;

/* Longer ones stand before those that begin them. */
static const struct {
    const char *text;
    pattern pattern;
    bool is_name; /* may also be written with a capital and small letters */
} patterns[] = {
    {"A.D.", P_ERA_DOTS, false},
    {"A.M.", P_HALF_DOTS, false},
    {"AD", P_ERA, false},
    {"AM", P_HALF, false},
    {"B.C.", P_ERA_DOTS, false},
    {"BC", P_ERA, false},
    {"CC", P_CC, false},
    {"DAY", P_DAY, true},
    {"DDD", P_DDD, false},
    {"DD", P_DD, false},
    {"DY", P_DY, true},
    {"D", P_D, false},
    {"FF1", P_FRACTION, false},
    {"FF2", P_FRACTION, false},
    {"FF3", P_FRACTION, false},
    {"FF4", P_FRACTION, false},
    {"FF5", P_FRACTION, false},
    {"FF6", P_FRACTION, false},
    {"FX", P_FX, false},
    {"HH24", P_HH24, false},
    {"HH12", P_HH12, false},
    {"HH", P_HH12, false},
    {"IDDD", P_IDDD, false},
    {"ID", P_ID, false},
    {"IW", P_IW, false},
    {"IYYY", P_IYYY, false},
    {"IYY", P_IYY, false},
    {"IY", P_IY, false},
    {"I", P_I, false},
    {"J", P_J, false},
    {"MI", P_MI, false},
    {"MM", P_MM, false},
    {"MONTH", P_MONTH, true},
    {"MON", P_MON, true},
    {"MS", P_MS, false},
    {"OF", P_OF, false},
    {"P.M.", P_HALF_DOTS, false},
    {"PM", P_HALF, false},
    {"Q", P_Q, false},
    {"RM", P_RM, false},
    {"SSSSS", P_SSSS, false},
    {"SSSS", P_SSSS, false},
    {"SS", P_SS, false},
    {"TZH", P_TZH, false},
    {"TZM", P_TZM, false},
    {"TZ", P_TZ, false},
    {"US", P_US, false},
    {"WW", P_WW, false},
    {"W", P_W, false},
    {"Y,YYY", P_YCOMMA, false},
    {"YYYY", P_YYYY, false},
    {"YYY", P_YYY, false},
    {"YY", P_YY, false},
    {"Y", P_Y, false},
};

/* What FM and TM leave out. */
typedef enum padding { PADDED, BARE_NAMES, BARE } padding;

/* How a word begins the text: in capitals, in small letters, or both. */
typedef enum letters { NOT_THERE, LARGE, SMALL, CAPITAL } letters;

static inline letters letters_of(fl_str text, const char *word, bool is_name)
{
    int64_t len = (int64_t)strlen(word);
    bool is_large = true, is_small = true, is_capital = is_name;
    for (int64_t i = 0; i < len; i++) {
        if (i >= text.len)
            return NOT_THERE;
        is_large &= text.data[i] == word[i];
        is_small &= text.data[i] == fl_char_lower(word[i]);
        is_capital &= text.data[i] == (i == 0 ? word[i] : fl_char_lower(word[i]));
    }
    return is_large ? LARGE : is_small ? SMALL : is_capital ? CAPITAL : NOT_THERE;
}

#endif
