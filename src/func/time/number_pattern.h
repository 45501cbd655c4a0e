/* PostgreSQL's patterns of numbers (section 9.8, table 9.30), which to_char writes and to_number reads. */
#ifndef FL_FUNC_TIME_NUMBER_PATTERN_H
#define FL_FUNC_TIME_NUMBER_PATTERN_H

#include "base/status.h"
#include "base/str.h"

#define FL_NUMBER_PATTERN_DIGITS_MAX 175 /* of a pattern, in front of the point and behind it */

typedef enum fl_number_part {
    FL_PART_NINE,
    FL_PART_ZERO,
    FL_PART_GROUP,
    FL_PART_COMMA,
    FL_PART_POINT,
    FL_PART_S,
    FL_PART_MI,
    FL_PART_PL,
    FL_PART_SG,
    FL_PART_SPELLED, /* SP means nothing, as in PostgreSQL */
    FL_PART_PR,
    FL_PART_TH,
    FL_PART_FM,
    FL_PART_L,
    FL_PART_V,
    FL_PART_ROMAN,
    FL_PART_EXPONENT
} fl_number_part;

/* What a pattern asks for as a whole. */
typedef struct fl_number_pattern {
    int before, after; /* digits in front of the point and behind it; those behind V are in front of it */
    int shift;         /* nines behind V: the number is shown times ten to this power */
    int first_zero;    /* among those in front; -1: none */
    int last_zero;     /* among those behind; -1: none */
    bool is_bare;      /* FM */
    bool has_point, has_shift, is_roman, has_exponent;
    bool has_s, s_is_first, has_pr;
    bool has_mi, has_pl, has_sg;
} fl_number_pattern;

/** Whether a part begins at *at, which moves behind it; else it is text. */
bool fl_number_part_next(fl_str pattern, int64_t *at, fl_number_part *ret);

/** Where the text ends that begins at `at`, quoted or a character, and what is shown of it: a part of the pattern. */
int64_t fl_number_text_end(fl_str pattern, int64_t at, fl_str *ret);

/** FL_ERR_SYNTAX (42601) for parts that exclude each other. */
fl_status fl_number_pattern_read(fl_str pattern, fl_number_pattern *ret, fl_err *err);

#endif
