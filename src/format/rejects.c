/* Two lists in an arena, behind a lock. */
#include "format/rejects.h"

#include <pthread.h>

struct fl_rejects {
    pthread_mutex_t lock;
    fl_arena arena;
    fl_reject *first, **last;
    fl_reject_file *first_file, **last_file;
    int64_t n, n_scans;
};

fl_status fl_rejects_new(fl_memory *memory, fl_rejects **ret, fl_err *err)
{
    fl_rejects *log = NULL;
    fl_status st = fl_alloc_zero(memory, (int64_t)sizeof(*log), (void **)&log, err);
    if (st != FL_OK)
        return st;
    pthread_mutex_init(&log->lock, NULL);
    fl_arena_init(&log->arena, memory);
    log->last = &log->first;
    log->last_file = &log->first_file;
    *ret = log;
    return FL_OK;
}

void fl_rejects_free(fl_rejects *log)
{
    if (log == NULL)
        return;
    pthread_mutex_destroy(&log->lock);
    fl_arena_drop(&log->arena);
    fl_free(log);
}

int64_t fl_rejects_begin(fl_rejects *log)
{
    pthread_mutex_lock(&log->lock);
    int64_t scan = ++log->n_scans;
    pthread_mutex_unlock(&log->lock);
    return scan;
}

static fl_status copy_str(fl_arena *arena, fl_str *str, fl_err *err)
{
    return str->data == NULL ? FL_OK : fl_arena_copy_str(arena, *str, str, err);
}

fl_status fl_rejects_add(fl_rejects *log, const fl_reject *reject, fl_err *err)
{
    fl_status st = FL_OK;
    fl_reject *copy = NULL;
    pthread_mutex_lock(&log->lock);
    if (log->n >= FL_REJECTS_MAX)
        goto cleanup;
    FL_TRY(FL_NEW(&log->arena, &copy, err));
    *copy = *reject;
    copy->next = NULL;
    FL_TRY(copy_str(&log->arena, &copy->column_name, err));
    FL_TRY(copy_str(&log->arena, &copy->text, err));
    FL_TRY(copy_str(&log->arena, &copy->message, err));
    *log->last = copy;
    log->last = &copy->next;
    log->n++;
cleanup:
    pthread_mutex_unlock(&log->lock);
    return st;
}

fl_status fl_rejects_add_file(fl_rejects *log, const fl_reject_file *file, fl_err *err)
{
    fl_status st = FL_OK;
    fl_reject_file *copy = NULL;
    pthread_mutex_lock(&log->lock);
    FL_TRY(FL_NEW(&log->arena, &copy, err));
    *copy = *file;
    copy->next = NULL;
    fl_str *const texts[] = {&copy->path,    &copy->delim,   &copy->quote,       &copy->escape,
                             &copy->newline, &copy->columns, &copy->date_format, &copy->timestamp_format,
                             &copy->options};
    for (int64_t i = 0; i < FL_LEN(texts); i++)
        FL_TRY(copy_str(&log->arena, texts[i], err));
    *log->last_file = copy;
    log->last_file = &copy->next;
cleanup:
    pthread_mutex_unlock(&log->lock);
    return st;
}

void fl_rejects_end(fl_rejects *log, int64_t scan, const int64_t *first_lines)
{
    pthread_mutex_lock(&log->lock);
    for (fl_reject *r = log->first; r != NULL; r = r->next) {
        if (r->scan != scan || r->piece < 0)
            continue;
        r->line = first_lines[r->piece] < 0 ? -1 : first_lines[r->piece] + r->line;
        r->piece = -1;
    }
    pthread_mutex_unlock(&log->lock);
}

fl_status fl_rejects_each(fl_rejects *log, fl_status (*each)(void *ctx, const fl_reject *reject, fl_err *err),
                          void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&log->lock);
    for (const fl_reject *r = log->first; r != NULL && st == FL_OK; r = r->next)
        st = each(ctx, r, err);
    pthread_mutex_unlock(&log->lock);
    return st;
}

fl_status fl_rejects_each_file(fl_rejects *log, fl_status (*each)(void *ctx, const fl_reject_file *file, fl_err *err),
                               void *ctx, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&log->lock);
    for (const fl_reject_file *f = log->first_file; f != NULL && st == FL_OK; f = f->next)
        st = each(ctx, f, err);
    pthread_mutex_unlock(&log->lock);
    return st;
}
