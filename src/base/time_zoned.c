/* Times of day with an offset. Relies on the readers of times and timestamps, which know the forms of zones. */
#include "base/time_zoned.h"

#include "base/date_words.h"
#include "base/status.h"
#include "base/datetime.h"

#include <stdio.h>
#include <string.h>

#define OFFSET_BITS 17 /* twice FL_TIME_OFFSET_MAX, and zero */
#define TEXT_BYTES_MAX 100

int64_t fl_time_zoned_of(int64_t local_us, int32_t offset)
{
    FL_ASSERT(local_us >= 0 && local_us <= FL_US_PER_DAY);
    FL_ASSERT(offset >= -FL_TIME_OFFSET_MAX && offset <= FL_TIME_OFFSET_MAX);
    int64_t utc = local_us - (int64_t)offset * FL_US_PER_SECOND;
    return utc * (1 << OFFSET_BITS) + (FL_TIME_OFFSET_MAX - offset);
}

int32_t fl_time_zoned_offset(int64_t zoned)
{
    return FL_TIME_OFFSET_MAX - (int32_t)fl_floor_mod(zoned, 1 << OFFSET_BITS);
}

int64_t fl_time_zoned_local(int64_t zoned)
{
    return fl_floor_div(zoned, 1 << OFFSET_BITS) + (int64_t)fl_time_zoned_offset(zoned) * FL_US_PER_SECOND;
}

int32_t fl_time_zoned_print(int64_t zoned, char *ret)
{
    int32_t len = fl_time_print(fl_time_zoned_local(zoned), ret), offset = fl_time_zoned_offset(zoned);
    int32_t seconds = offset < 0 ? -offset : offset;
    len += snprintf(ret + len, 16, "%c%02d", offset < 0 ? '-' : '+', seconds / 3600);
    if (seconds % 3600 != 0)
        len += snprintf(ret + len, 8, ":%02d", seconds / 60 % 60);
    if (seconds % 60 != 0)
        len += snprintf(ret + len, 8, ":%02d", seconds % 60);
    return len;
}

int fl_time_zoned_parse(fl_str text, int64_t *ret)
{
    /* The offset is read as that of a timestamp on a day that has no changes of clocks. */
    char buffer[TEXT_BYTES_MAX + 16];
    int64_t local, utc, midnight;
    bool is_zoned;
    int rc = fl_time_parse_words(text, &local);
    if (rc != 0 || text.len > TEXT_BYTES_MAX)
        return rc != 0 ? rc : 1;
    int len = snprintf(buffer, sizeof(buffer), "2000-01-01 %.*s", FL_STR_ARG(text));
    rc = fl_timestamp_parse_words((fl_str){buffer, len}, false, &utc, &is_zoned);
    if (rc == 0)
        rc = fl_timestamp_parse_words(FL_STR("2000-01-01"), false, &midnight, NULL);
    if (rc != 0)
        return rc;
    int64_t offset = is_zoned ? (midnight + local - utc) / FL_US_PER_SECOND : 0;
    if (offset < -FL_TIME_OFFSET_MAX || offset > FL_TIME_OFFSET_MAX)
        return 2;
    *ret = fl_time_zoned_of(local, (int32_t)offset);
    return 0;
}
