/* Places are multiples of 32 bytes, so that a header lies in one sector of the disk and is written whole or not at all. */
#include "udf/log.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

#define UNIT 32 /* bytes; places and sizes are multiples of it */
#define PAYLOAD_BYTES_MAX (1 << 20)
#define LOG_BYTES_MAX (1ll << 30)
#define VERSION_MAX (1ll << 62)
#define LOOK_NS 5000000 /* between tries to get the lock */

typedef struct header {
    char magic[4];
    uint32_t bytes; /* of the payload, a multiple of UNIT */
    uint64_t name_hash;
    uint64_t payload_hash;
    uint64_t own_hash; /* of what is above, and of the place */
} header;

typedef struct payload {
    uint8_t change, flags, volatility, unused;
    uint32_t name_bytes, language_bytes, signature_bytes; /* of the texts behind */
    int64_t version, created_us;
    uint8_t hash[FL_UDF_HASH_BYTES];
} payload;

enum { FLAG_AGGREGATE = 1, FLAG_TAKES_NULLS = 2, FLAG_ERRORS_ARE_NULL = 4, FLAG_HAS_FUEL = 8, FLAGS_KNOWN = 15 };

_Static_assert(sizeof(header) == UNIT && sizeof(payload) == 2 * UNIT, "records have no gaps");

static const char magic[4] = {'F', 'L', 'U', '1'};

static int64_t round_up(int64_t bytes)
{
    return (bytes + UNIT - 1) / UNIT * UNIT;
}

static uint64_t header_hash(const header *h, int64_t at)
{
    return fl_hash_combine(fl_hash_bytes(h, (int64_t)offsetof(header, own_hash)), (uint64_t)at);
}

uint64_t fl_udf_log_name_hash(fl_str name)
{
    uint64_t hash = (uint64_t)name.len;
    for (int64_t i = 0; i < name.len; i++)
        hash = fl_hash_combine(hash, (uint8_t)fl_char_lower(name.data[i]));
    return hash;
}

static fl_status fail(const fl_udf_log *log, const char *what, int64_t failure, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_IO, "cannot %s \"%s\": %s", what, log->path, fl_system_reason(failure));
}

fl_status fl_udf_log_init(fl_udf_log *log, const fl_system *system, const char *folder, fl_err *err)
{
    *log = (fl_udf_log){.system = system, .fd = -1};
    if (snprintf(log->path, sizeof(log->path), "%s/functions.log", folder) >= FL_UDF_PATH_BYTES)
        return FL_FAIL(err, FL_ERR_CONFIG, "the path of the functions' folder has more than %d bytes",
                       FL_UDF_PATH_BYTES);
    return FL_OK;
}

void fl_udf_log_rewind(fl_udf_log *log)
{
    log->end = log->records = log->seen_bytes = 0;
    log->device = log->inode = 0;
}

bool fl_udf_log_is_read(const fl_udf_log *log)
{
    fl_file_info info = {0};
    int failure = fl_system_look(log->system, log->path, true, &info);
    return failure == 0 ? info.inode == log->inode && info.device == log->device && info.bytes == log->seen_bytes
                        : log->inode == 0;
}

/* ---- the lock ---- */

fl_status fl_udf_log_lock(fl_udf_log *log, fl_udf_log_use use, int64_t wait_ns, fl_interrupt *interrupt, bool *ret_has,
                          fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    FL_ASSERT(log->fd < 0);
    *ret_has = false;
    fl_file_info info;
    int fd = use == FL_UDF_LOG_MAKE ? 0 : fl_system_look(log->system, log->path, true, &info);
    if (fd == 0)
        fd = use == FL_UDF_LOG_READ ? fl_system_open(log->system, log->path) : fl_system_edit(log->system, log->path);
    if (fd == -ENOENT && use != FL_UDF_LOG_MAKE)
        return FL_OK;
    if (fd < 0)
        return fail(log, "open", fd, err);
    int failure;
    int64_t until_ns = fl_clock_ns(log->system) + wait_ns;
    fl_condition_init(&never);
    pthread_mutex_lock(&lock);
    while ((failure = fl_system_lock(log->system, fd)) == -EAGAIN && fl_clock_ns(log->system) < until_ns &&
           (st = fl_interrupt_check(interrupt, err)) == FL_OK)
        (void)fl_system_wait(log->system, &never, &lock, fl_clock_ns(log->system) + LOOK_NS);
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&never);
    if (st == FL_OK && failure != 0 && (failure != -EAGAIN || wait_ns > 0))
        st = FL_FAIL(err, FL_ERR_IO, "cannot lock \"%s\": %s", log->path,
                     failure == -EAGAIN ? "another process changes functions there" : fl_system_reason(failure));
    *ret_has = st == FL_OK && failure == 0;
    if (*ret_has)
        log->fd = fd;
    else
        fl_system_close(log->system, fd);
    return st;
}

void fl_udf_log_unlock(fl_udf_log *log)
{
    if (log->fd >= 0)
        fl_system_close(log->system, log->fd);
    log->fd = -1;
}

bool fl_udf_log_is_another(const fl_udf_log *log)
{
    fl_file_info info = {0};
    FL_ASSERT(log->fd >= 0);
    return log->inode != 0 && (fl_system_look_open(log->system, log->fd, &info) != 0 || info.inode != log->inode ||
                               info.device != log->device || info.bytes < log->seen_bytes);
}

/* ---- reading ---- */

static bool take_text(const char **at, const char *end, uint32_t bytes, fl_str *ret)
{
    if ((int64_t)bytes > end - *at)
        return false;
    *ret = (fl_str){*at, bytes};
    *at += bytes;
    return true;
}

/* Behind the texts, where a flag says that it is there: records from before there was any go on being read. */
static bool take_fuel(const char **at, const char *end, int64_t *ret)
{
    if (end - *at < (int64_t)sizeof(*ret))
        return false;
    memcpy(ret, *at, sizeof(*ret));
    return *ret > 0;
}

/* False: it says what no record says. Its hash was right: another version of fletch wrote it. */
static bool parse(const char *bytes, int64_t n, fl_udf_record *ret)
{
    payload p;
    if (n < (int64_t)sizeof(p))
        return false;
    memcpy(&p, bytes, sizeof(p));
    const char *at = bytes + sizeof(p), *end = bytes + n;
    *ret = (fl_udf_record){.change = p.change,
                           .is_aggregate = p.flags & FLAG_AGGREGATE,
                           .takes_nulls = (p.flags & FLAG_TAKES_NULLS) != 0,
                           .errors_are_null = (p.flags & FLAG_ERRORS_ARE_NULL) != 0,
                           .volatility = p.volatility,
                           .version = p.version,
                           .created_us = p.created_us};
    memcpy(ret->hash, p.hash, sizeof(ret->hash));
    return p.change >= FL_UDF_CREATED && p.change < FL_UDF_CHANGES && p.volatility <= FL_FUNCTION_VOLATILE &&
           p.flags <= FLAGS_KNOWN && p.version >= 0 && p.version < VERSION_MAX &&
           take_text(&at, end, p.name_bytes, &ret->name) && take_text(&at, end, p.language_bytes, &ret->language) &&
           take_text(&at, end, p.signature_bytes, &ret->signature) &&
           ((p.flags & FLAG_HAS_FUEL) == 0 || take_fuel(&at, end, &ret->fuel));
}

/* The file's bytes from where it was read to; `at` counts in the file. */
typedef struct reading {
    const char *bytes; /* those from `from` on; zeros behind the end, up to a whole unit */
    int64_t from, size;
} reading;

static const char *bytes_at(const reading *r, int64_t at)
{
    return r->bytes + (at - r->from);
}

static bool header_at(const reading *r, int64_t at, header *ret)
{
    memcpy(ret, bytes_at(r, at), sizeof(*ret));
    return memcmp(ret->magic, magic, sizeof(magic)) == 0 && ret->own_hash == header_hash(ret, at) &&
           ret->bytes <= PAYLOAD_BYTES_MAX && ret->bytes % UNIT == 0;
}

static bool is_blank(const reading *r, int64_t at)
{
    static const header blank;
    return memcmp(bytes_at(r, at), &blank, sizeof(blank)) == 0;
}

static fl_status read_records(fl_udf_log *log, const reading *r, fl_udf_log_reader each, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    int64_t at = r->from;
    while (at < r->size && !is_blank(r, at)) {
        header h;
        fl_udf_record record;
        fl_udf_place place = {.number = log->records + 1, .at = at};
        if (header_at(r, at, &h)) {
            place.has_name = true;
            place.name_hash = h.name_hash;
            at += UNIT;
            bool is_good = h.bytes <= r->size - at &&
                           h.payload_hash == fl_hash_bytes(bytes_at(r, at), (int64_t)h.bytes) &&
                           parse(bytes_at(r, at), (int64_t)h.bytes, &record);
            FL_TRY(each(ctx, is_good ? &record : NULL, &place, err));
            at += (int64_t)h.bytes; /* one that was cut short keeps its place: what is appended is none of it */
        } else {
            for (at += UNIT; at < r->size && !header_at(r, at, &h);)
                at += UNIT;
            FL_TRY(each(ctx, NULL, &place, err));
        }
        log->records++;
        log->end = at;
    }
cleanup:
    return st;
}

fl_status fl_udf_log_read(fl_udf_log *log, fl_udf_log_reader each, void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    fl_file_info info = {0};
    char *bytes = NULL;
    FL_ASSERT(log->fd >= 0);
    int failure = fl_system_look_open(log->system, log->fd, &info);
    if (failure != 0)
        FL_TRY(fail(log, "look at", failure, err));
    if (info.bytes > LOG_BYTES_MAX)
        FL_TRY(FL_FAIL(err, FL_ERR_LIMIT, "\"%s\" has more than %lld bytes", log->path, LOG_BYTES_MAX));
    reading r = {.from = log->end, .size = round_up(info.bytes)};
    log->device = info.device;
    log->inode = info.inode;
    log->seen_bytes = info.bytes;
    if (r.size <= r.from)
        return FL_OK;
    FL_TRY(fl_alloc_zero(NULL, r.size - r.from, (void **)&bytes, err));
    int64_t got = fl_system_read_at(log->system, log->fd, r.from, bytes, r.size - r.from);
    if (got < 0)
        FL_TRY(fail(log, "read", got, err));
    r.bytes = bytes;
    st = read_records(log, &r, each, ctx, err);
cleanup:
    fl_free(bytes);
    if (st != FL_OK)
        fl_udf_log_rewind(log);
    return st;
}

/* ---- appending ---- */

static void add_payload(fl_text *text, const fl_udf_record *r)
{
    payload p = {.change = (uint8_t)r->change,
                 .flags =
                     (uint8_t)((r->is_aggregate ? FLAG_AGGREGATE : 0) | (r->takes_nulls ? FLAG_TAKES_NULLS : 0) |
                               (r->errors_are_null ? FLAG_ERRORS_ARE_NULL : 0) | (r->fuel > 0 ? FLAG_HAS_FUEL : 0)),
                 .volatility = (uint8_t)r->volatility,
                 .name_bytes = (uint32_t)r->name.len,
                 .language_bytes = (uint32_t)r->language.len,
                 .signature_bytes = (uint32_t)r->signature.len,
                 .version = r->version,
                 .created_us = r->created_us};
    memcpy(p.hash, r->hash, sizeof(p.hash));
    fl_text_add(text, (fl_str){(const char *)&p, (int64_t)sizeof(p)});
    fl_text_add(text, r->name);
    fl_text_add(text, r->language);
    fl_text_add(text, r->signature);
    if (r->fuel > 0)
        fl_text_add(text, (fl_str){(const char *)&r->fuel, (int64_t)sizeof(r->fuel)});
    while (text->st == FL_OK && text->len % UNIT != 0)
        fl_text_add_char(text, 0);
}

/* Takes back what was written of a record, as far as that can be done. */
static void take_back(fl_udf_log *log, bool has_header)
{
    static const header blank;
    if (has_header && fl_system_write_at(log->system, log->fd, log->end, &blank, (int64_t)sizeof(blank)) == 0)
        (void)fl_system_sync(log->system, log->fd);
    (void)fl_system_resize(log->system, log->fd, log->end);
}

fl_status fl_udf_log_append(fl_udf_log *log, const fl_udf_record *record, fl_err *err)
{
    fl_status st = FL_OK;
    bool has_header = false;
    fl_text text;
    FL_ASSERT(log->fd >= 0);
    fl_text_init(&text, NULL);
    add_payload(&text, record);
    FL_TRY(fl_text_status(&text, err));
    if (text.len > PAYLOAD_BYTES_MAX) {
        st = FL_FAIL(err, FL_ERR_LIMIT, "the function's name and types have more than %d bytes", PAYLOAD_BYTES_MAX);
        goto cleanup;
    }
    header h = {.bytes = (uint32_t)text.len,
                .name_hash = fl_udf_log_name_hash(record->name),
                .payload_hash = fl_hash_bytes(text.data, text.len)};
    memcpy(h.magic, magic, sizeof(magic));
    h.own_hash = header_hash(&h, log->end);
    int failure = fl_system_resize(log->system, log->fd, log->end); /* a torn tail is cut off */
    if (failure == 0)
        failure = fl_system_write_at(log->system, log->fd, log->end + UNIT, text.data, text.len);
    if (failure == 0)
        failure = fl_system_sync(log->system, log->fd);
    if (failure == 0) {
        has_header = true;
        failure = fl_system_write_at(log->system, log->fd, log->end, &h, (int64_t)sizeof(h));
    }
    if (failure == 0)
        failure = fl_system_sync(log->system, log->fd);
    if (failure != 0) {
        take_back(log, has_header);
        FL_TRY(fail(log, "write to", failure, err));
    }
    log->end += UNIT + text.len;
    log->seen_bytes = log->end;
    log->records++;
cleanup:
    fl_text_drop(&text);
    return st;
}
