/* Pieces in order, chunks, files. */
#include "op/copy/sink.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>

#define QUEUE_BYTES (256ll << 20) /* of rows that wait, before chunks are made of what there is */
#define WAIT_NS 20000000          /* between looks at whether the run shall stop */
#define LIMIT_PART 32             /* of the tightest limit of memory, that a chunk's rows may have */
#define SMALL_LIMIT (256ll << 20) /* of memory: pieces are small, whatever their rows hold */
#define SMALL_PIECE_ROWS 4096
#define OPEN_OUTPUTS 8  /* that keep their file open */
#define EARLY_ROWS 2048 /* of a chunk that is made because too much waits */

/* ---- pieces -------------------------------------------------------------------------------------------------------- */

/* Whether nobody brings rows that come before the piece. */
static bool is_ready(const copy_sink *sink, const copy_piece *piece)
{
    bool is = piece != NULL;
    for (int32_t w = 0; is && !sink->attrs->is_by_worker && w < sink->exec->n_workers; w++)
        is = piece->place <= atomic_load(&sink->bounds[w]);
    return is;
}

fl_status fl_copy_output_put(copy_sink *sink, int32_t output, int64_t place, fl_segment *segment, int64_t bytes,
                             fl_err *err)
{
    copy_piece *piece = NULL;
    fl_status st = fl_alloc_zero(sink->exec->context.memory, (int64_t)sizeof(*piece), (void **)&piece, err);
    if (st != FL_OK) {
        fl_segment_unref(segment);
        return st;
    }
    *piece = (copy_piece){.place = place, .segment = segment, .bytes = bytes};
    atomic_fetch_add(&sink->rows, segment->rows);
    atomic_fetch_add(&sink->queued_bytes, piece->bytes);
    pthread_mutex_lock(&sink->lock);
    copy_output *o = sink->outputs[output];
    if (o->last != NULL && o->last->place <= place) {
        o->last = o->last->next = piece;
    } else {
        copy_piece **at = &o->first;
        while (*at != NULL && (*at)->place <= place)
            at = &(*at)->next;
        piece->next = *at;
        *at = piece;
        if (piece->next == NULL)
            o->last = piece;
    }
    pthread_mutex_unlock(&sink->lock);
    return FL_OK;
}

static bool is_first(const copy_sink *sink, int64_t place)
{
    bool is = true;
    for (int32_t w = 0; is && w < sink->exec->n_workers; w++)
        is = place <= atomic_load(&sink->bounds[w]);
    return is;
}

fl_status fl_copy_sink_wait(copy_sink *sink, const fl_worker *worker, int64_t place, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_system *system = fl_memory_system(sink->exec->context.memory);
    if (atomic_load(&sink->queued_bytes) <= sink->queue_bytes)
        return FL_OK;
    FL_ASSERT(atomic_load(&sink->bounds[worker->id]) == place);
    pthread_mutex_lock(&sink->lock);
    while (atomic_load(&sink->queued_bytes) > sink->queue_bytes && !is_first(sink, place) && st == FL_OK) {
        (void)fl_system_wait(system, &sink->moved, &sink->lock, fl_clock_ns(system) + WAIT_NS);
        st = fl_exec_check(sink->exec, err);
        if (st == FL_OK && atomic_load(&sink->exec->stops)) /* whoever is first may never come back */
            st = FL_FAIL(err, FL_ERR_CANCELLED, "the run has ended");
    }
    pthread_mutex_unlock(&sink->lock);
    return st;
}

void fl_copy_sink_move(copy_sink *sink, const fl_worker *worker, int64_t place)
{
    atomic_store(&sink->bounds[worker->id], place);
    if (sink->exec->n_workers > 1 && atomic_load(&sink->queued_bytes) > sink->queue_bytes) {
        pthread_mutex_lock(&sink->lock);
        pthread_cond_broadcast(&sink->moved);
        pthread_mutex_unlock(&sink->lock);
    }
}

/* Outputs are added while others work on those that there are. */
static copy_output *output_at(copy_sink *sink, int64_t i)
{
    pthread_mutex_lock(&sink->lock);
    FL_ASSERT(i < atomic_load(&sink->n_outputs));
    copy_output *output = sink->outputs[i];
    pthread_mutex_unlock(&sink->lock);
    return output;
}

/* ---- chunks -------------------------------------------------------------------------------------------------------- */

/* Rows of a segment. */
typedef struct copy_part {
    fl_segment *segment;
    int64_t start, count;
} copy_part;

typedef struct copy_job {
    int32_t output;
    int64_t number;
    copy_part *parts;
    int64_t n_parts, parts_capacity;
} copy_job;

static void drop_job(copy_job *job)
{
    for (int64_t i = 0; i < job->n_parts; i++)
        fl_segment_unref(job->parts[i].segment);
    fl_free(job->parts);
    *job = (copy_job){0};
}

/* The rows that are ready to become a chunk; 0: not enough. The lock is held. */
static int64_t rows_to_take(const copy_sink *sink, const copy_output *o, bool all)
{
    int64_t rows = -o->n_skipped, bytes = 0, wanted = sink->model->chunk_rows;
    bool is_urgent = atomic_load(&sink->queued_bytes) > sink->queue_bytes;
    for (const copy_piece *p = o->first; (all && p != NULL) || is_ready(sink, p); p = p->next) {
        rows += p->segment->rows;
        bytes += p->bytes;
        if (rows >= wanted)
            return wanted;
        if (bytes >= sink->chunk_bytes)
            return rows;
    }
    return all || (is_urgent && rows >= EARLY_ROWS) ? rows : 0;
}

/* *ret_any false: there is nothing to do. */
static fl_status take_job(copy_sink *sink, int32_t output, bool all, copy_job *job, bool *ret_any, fl_err *err)
{
    fl_status st = FL_OK;
    *job = (copy_job){.output = output};
    pthread_mutex_lock(&sink->lock);
    copy_output *o = sink->outputs[output];
    int64_t left = rows_to_take(sink, o, all), n = 0;
    *ret_any = left > 0;
    for (const copy_piece *p = o->first; p != NULL && n < left + o->n_skipped; p = p->next) {
        n += p->segment->rows;
        job->parts_capacity++;
    }
    FL_TRY(fl_alloc(NULL, (job->parts_capacity + 1) * (int64_t)sizeof(*job->parts), (void **)&job->parts, err));
    while (left > 0) {
        copy_piece *p = o->first;
        int64_t there = p->segment->rows - o->n_skipped, count = there < left ? there : left;
        job->parts[job->n_parts++] = (copy_part){fl_segment_ref(p->segment), o->n_skipped, count};
        left -= count;
        o->n_skipped += count;
        if (o->n_skipped < p->segment->rows)
            break;
        o->n_skipped = 0;
        o->first = p->next;
        if (o->first == NULL)
            o->last = NULL;
        atomic_fetch_sub(&sink->queued_bytes, p->bytes);
        fl_segment_unref(p->segment);
        fl_free(p);
    }
    FL_ASSERT(left == 0 || !*ret_any);
    job->number = *ret_any ? o->n_taken++ : 0;
    pthread_cond_broadcast(&sink->moved);
cleanup:
    pthread_mutex_unlock(&sink->lock);
    return st;
}

static fl_status encode(copy_sink *sink, const copy_job *job, fl_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    fl_batch *batches = NULL;
    fl_arena arena;
    int32_t n_cols = sink->attrs->n_from;
    fl_arena_init(&arena, sink->exec->context.memory);
    FL_TRY(FL_NEW_ARRAY(&arena, job->n_parts, &batches, err));
    for (int64_t i = 0; i < job->n_parts; i++) {
        const copy_part *part = &job->parts[i];
        batches[i] = (fl_batch){.rows = (int32_t)part->count, .kept = (int32_t)part->count, .cols = n_cols};
        FL_TRY(FL_NEW_ARRAY(&arena, n_cols + 1, &batches[i].vec, err));
        for (int32_t c = 0; c < n_cols; c++)
            FL_TRY(fl_vec_slice(&arena, &part->segment->vecs[c], part->start, part->count, &batches[i].vec[c], err));
        chunk->rows += part->count;
    }
    st = sink->model->ops->encode(sink->model, batches, (int32_t)job->n_parts, chunk, err);
cleanup:
    fl_arena_drop(&arena);
    return st;
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

static fl_status fail_folder(const copy_sink *sink, const char *path, int failure, fl_err *err)
{
    return fl_new_file_fail(fl_memory_system(sink->exec->context.memory), path, "make the folder", failure, err);
}

/* Makes a folder where there is none; its parent is there. The lock is held. */
static fl_status make_folder(copy_sink *sink, fl_str path, fl_err *err)
{
    fl_status st = FL_OK;
    copy_folder *made = NULL;
    fl_str copy;
    FL_TRY(FL_NEW(&sink->arena, &made, err));
    FL_TRY(fl_arena_copy_str(&sink->arena, path, &copy, err));
    made->path = copy.data;
    int failure = fl_system_create_folder(fl_memory_system(sink->exec->context.memory), made->path);
    if (failure == 0) {
        made->next = sink->folders;
        sink->folders = made;
    } else if (failure != -EEXIST) {
        st = fail_folder(sink, made->path, failure, err);
    }
cleanup:
    return st;
}

/* The target's folder, and below it each part of the output's. */
static fl_status make_folders(copy_sink *sink, fl_str below, fl_str *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_str path = sink->attrs->path;
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    FL_TRY(make_folder(sink, path, err));
    FL_TRY(fl_arena_format(&sink->arena, ret, err, "%.*s/%.*s", FL_STR_ARG(path), FL_STR_ARG(below)));
    for (int64_t i = path.len + 1; below.len > 0 && i <= ret->len; i++)
        if (i == ret->len || ret->data[i] == '/')
            FL_TRY(make_folder(sink, (fl_str){ret->data, i}, err));
    while (ret->len > 1 && ret->data[ret->len - 1] == '/')
        ret->len--;
cleanup:
    return st;
}

/* data_0.csv, data_1.csv in the output's folder; of several workers data_0.csv and data_0_1.csv are the first one's. */
static fl_status name_file(copy_sink *sink, const copy_output *o, fl_str folder, fl_str *ret, fl_err *err)
{
    fl_str suffix = sink->model->suffix;
    if (!sink->attrs->is_by_worker)
        return fl_arena_format(&sink->arena, ret, err, "%.*s/data_%d%.*s", FL_STR_ARG(folder), o->n_files,
                               FL_STR_ARG(suffix));
    if (o->n_files == 0)
        return fl_arena_format(&sink->arena, ret, err, "%.*s/data_%.*s%.*s", FL_STR_ARG(folder), FL_STR_ARG(o->folder),
                               FL_STR_ARG(suffix));
    return fl_arena_format(&sink->arena, ret, err, "%.*s/data_%.*s_%d%.*s", FL_STR_ARG(folder), FL_STR_ARG(o->folder),
                           o->n_files, FL_STR_ARG(suffix));
}

static fl_status open_file(copy_sink *sink, copy_output *o, fl_err *err)
{
    fl_status st = FL_OK;
    copy_file *file = NULL;
    fl_str path = sink->attrs->path, folder;
    pthread_mutex_lock(&sink->lock);
    st = FL_NEW(&sink->arena, &file, err);
    if (st == FL_OK && sink->attrs->is_folder) {
        st = make_folders(sink, sink->attrs->is_by_worker ? FL_STR("") : o->folder, &folder, err);
        if (st == FL_OK)
            st = name_file(sink, o, folder, &path, err);
    }
    if (st == FL_OK)
        st = fl_new_file_open(&sink->arena, path, &file->file, err);
    if (st == FL_OK) {
        file->next = sink->files;
        sink->files = file;
    }
    pthread_mutex_unlock(&sink->lock);
    FL_TRY(st);
    FL_TRY(sink->desc->open(sink->exec->context.memory, sink->fields, sink->attrs->n_from, sink->options,
                            sink->n_options, &o->writer, err));
    o->file = file;
    o->has_chunk = false;
    o->n_files++;
cleanup:
    return st;
}

/* What the writer says in front or behind. */
static fl_status write_text(copy_output *o, bool is_head, fl_memory *memory, fl_err *err)
{
    fl_status st = FL_OK;
    fl_text text;
    fl_text_init(&text, memory);
    st = is_head ? o->writer->ops->begin(o->writer, &text, err)
                 : o->writer->ops->finish(o->writer, o->file->file.bytes, &text, err);
    if (st == FL_OK)
        st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_new_file_write(&o->file->file, fl_text_str(&text), err);
    fl_text_drop(&text);
    return st;
}

static fl_status begin_file(copy_sink *sink, copy_output *o, fl_err *err)
{
    fl_status st = open_file(sink, o, err);
    return st != FL_OK ? st : write_text(o, true, sink->exec->context.memory, err);
}

static fl_status end_file(copy_sink *sink, copy_output *o, fl_err *err)
{
    fl_status st = write_text(o, false, sink->exec->context.memory, err);
    fl_new_file_rest(&o->file->file);
    fl_writer_free(o->writer);
    o->writer = NULL;
    o->file = NULL;
    return st;
}

static fl_status write_chunk(copy_sink *sink, copy_output *o, fl_chunk *chunk, fl_err *err)
{
    fl_status st = FL_OK;
    if (o->file == NULL)
        FL_TRY(begin_file(sink, o, err));
    if (o->has_chunk)
        FL_TRY(fl_new_file_write(&o->file->file, o->writer->separator, err));
    if (o->writer->ops->place != NULL)
        FL_TRY(o->writer->ops->place(o->writer, chunk, o->file->file.bytes, err));
    FL_TRY(fl_new_file_write(&o->file->file, fl_text_str(&chunk->bytes), err));
    o->has_chunk = true;
    if (sink->attrs->file_bytes >= 0 && o->file->file.bytes >= sink->attrs->file_bytes)
        st = end_file(sink, o, err);
    else if (sink->n_outputs > OPEN_OUTPUTS)
        fl_new_file_rest(&o->file->file);
cleanup:
    return st;
}

/* Gives in a chunk's bytes; whoever has the next ones writes all that are there. */
static fl_status deliver(copy_sink *sink, copy_output *o, copy_waiting *made, fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&sink->lock);
    copy_waiting **at = &o->waiting;
    while (*at != NULL && (*at)->number < made->number)
        at = &(*at)->next;
    made->next = *at;
    *at = made;
    if (!o->is_writing) {
        o->is_writing = true;
        while (st == FL_OK && o->waiting != NULL && o->waiting->number == o->n_written) {
            copy_waiting *next = o->waiting;
            o->waiting = next->next;
            pthread_mutex_unlock(&sink->lock);
            st = write_chunk(sink, o, &next->chunk, err);
            fl_chunk_drop(&next->chunk);
            fl_free(next);
            pthread_mutex_lock(&sink->lock);
            o->n_written++;
        }
        o->is_writing = false;
    }
    pthread_mutex_unlock(&sink->lock);
    return st;
}

static fl_status do_job(copy_sink *sink, const copy_job *job, fl_err *err)
{
    fl_status st = FL_OK;
    copy_waiting *made = NULL;
    FL_TRY(fl_alloc_zero(sink->exec->context.memory, (int64_t)sizeof(*made), (void **)&made, err));
    fl_chunk_init(&made->chunk, sink->exec->context.memory);
    made->number = job->number;
    FL_TRY(encode(sink, job, &made->chunk, err));
    FL_TRY(fl_text_status(&made->chunk.bytes, err));
    st = deliver(sink, output_at(sink, job->output), made, err);
    made = NULL;
cleanup:
    if (made != NULL)
        fl_chunk_drop(&made->chunk);
    fl_free(made);
    return st;
}

fl_status fl_copy_output_work(copy_sink *sink, int32_t output, fl_err *err)
{
    fl_status st = FL_OK;
    bool any = true;
    while (any && st == FL_OK) {
        copy_job job;
        st = take_job(sink, output, false, &job, &any, err);
        if (st == FL_OK && any)
            st = do_job(sink, &job, err);
        drop_job(&job);
    }
    return st;
}

/* ---- the end ------------------------------------------------------------------------------------------------------- */

/* For fl_exec_parallel: one worker after the other takes what is left of any output. */
static fl_status do_rest(void *ctx, int32_t i, fl_err *err)
{
    fl_status st = FL_OK;
    copy_sink *sink = ctx;
    (void)i;
    for (int32_t o = 0; o < sink->n_outputs && st == FL_OK; o++)
        for (bool any = true; any && st == FL_OK;) {
            copy_job job;
            st = take_job(sink, o, true, &job, &any, err);
            if (st == FL_OK && any)
                st = do_job(sink, &job, err);
            drop_job(&job);
        }
    return st;
}

fl_status fl_copy_sink_finish(copy_sink *sink, fl_err *err)
{
    fl_status st = FL_OK;
    int32_t output;
    if (sink->n_outputs == 0 && sink->attrs->n_parts == 0)
        FL_TRY(fl_copy_output_find(sink, sink->attrs->is_by_worker ? FL_STR("0") : FL_STR(""), &output, err));
    FL_TRY(fl_exec_parallel(sink->exec, sink->exec->n_workers, do_rest, sink, err));
    for (int64_t i = 0; i < sink->n_outputs; i++) {
        copy_output *o = sink->outputs[i];
        FL_ASSERT(o->first == NULL && o->waiting == NULL && o->n_written == o->n_taken);
        if (o->file == NULL && o->n_files == 0)
            FL_TRY(begin_file(sink, o, err));
        if (o->file != NULL)
            FL_TRY(end_file(sink, o, err));
    }
cleanup:
    return st;
}

fl_status fl_copy_sink_commit(copy_sink *sink, fl_err *err)
{
    fl_status st = FL_OK;
    for (copy_file *file = sink->files; file != NULL && st == FL_OK; file = file->next)
        st = fl_new_file_commit(&file->file, err);
    sink->is_committed = st == FL_OK;
    return st;
}

/* ---- outputs ------------------------------------------------------------------------------------------------------- */

fl_status fl_copy_output_find(copy_sink *sink, fl_str folder, int32_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    copy_output *made = NULL;
    pthread_mutex_lock(&sink->lock);
    for (int64_t i = 0; i < sink->n_outputs; i++)
        if (fl_str_is_equal(sink->outputs[i]->folder, folder)) {
            *ret = (int32_t)i;
            goto cleanup;
        }
    FL_TRY(FL_NEW(&sink->arena, &made, err));
    FL_TRY(fl_arena_copy_str(&sink->arena, folder, &made->folder, err));
    FL_TRY(fl_grow(NULL, (void **)&sink->outputs, &sink->outputs_capacity, sink->n_outputs + 1,
                   (int64_t)sizeof(*sink->outputs), err));
    *ret = (int32_t)sink->n_outputs;
    sink->outputs[sink->n_outputs++] = made;
cleanup:
    pthread_mutex_unlock(&sink->lock);
    return st;
}

static bool note_any(void *ctx, const char *name)
{
    (void)name;
    *(bool *)ctx = true;
    return false;
}

/* A folder that is written to is empty, or there is none yet. */
static fl_status check_folder(const copy_sink *sink, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_system *system = fl_memory_system(sink->exec->context.memory);
    fl_file_info info;
    fl_str path;
    bool any = false;
    FL_TRY(fl_arena_copy_str(&sink->exec->arena, sink->attrs->path, &path, err));
    if (fl_system_look(system, path.data, true, &info) < 0)
        return FL_OK;
    if (info.kind != FL_FILE_FOLDER) {
        FL_FAIL(err, FL_ERR_IO, "cannot write a folder of files to \"%s\": it is no folder", path.data);
        return fl_err_state(err, "42809", FL_ERR_IO);
    }
    if (sink->attrs->may_overwrite)
        return FL_OK;
    int failure = fl_system_list(system, path.data, note_any, &any);
    if (failure < 0)
        return fail_folder(sink, path.data, failure, err);
    if (any) {
        FL_FAIL(err, FL_ERR_IO, "the folder \"%s\" is not empty", path.data);
        fl_err_hint(err, "OVERWRITE_OR_IGNORE writes over files of the same names, and leaves others");
        return fl_err_state(err, "58P02", FL_ERR_IO);
    }
cleanup:
    return st;
}

fl_status fl_copy_sink_begin(copy_sink *sink, fl_exec *exec, const fl_node *node, fl_err *err)
{
    fl_status st = FL_OK;
    const fl_copy_attrs *attrs = fl_copy_of(node);
    fl_arena *arena = &exec->arena;
    _Atomic int64_t *bounds = NULL;
    int64_t limit = 0;
    int32_t output;
    pthread_mutex_init(&sink->lock, NULL);
    fl_condition_init(&sink->moved);
    fl_arena_init(&sink->arena, exec->context.memory);
    sink->exec = exec;
    sink->attrs = attrs;
    FL_TRY(FL_NEW_ARRAY(arena, exec->n_workers, &bounds, err));
    for (int32_t w = 0; w < exec->n_workers; w++)
        atomic_init(&bounds[w], INT64_MAX);
    sink->bounds = bounds;
    FL_TRY(fl_exec_col_map(exec, attrs->from, attrs->n_from, node->inputs[0], &sink->from, err));
    FL_TRY(fl_exec_col_map(exec, attrs->parts, attrs->n_parts, node->inputs[0], &sink->parts, err));
    FL_TRY(FL_NEW_ARRAY(arena, attrs->n_from + 1, &sink->types, err));
    FL_TRY(FL_NEW_ARRAY(arena, attrs->n_from + 1, &sink->fields, err));
    for (int32_t i = 0; i < attrs->n_from; i++) {
        sink->types[i] = fl_plan_col(exec->plan, attrs->from[i])->type;
        sink->fields[i] = (fl_field){.name = attrs->names->list.items[i].s, .type = sink->types[i], .nullable = true};
    }
    FL_TRY(fl_copy_options(arena, attrs->options, &sink->options, &sink->n_options, err));
    sink->desc = fl_registry_writer(fl_plan_registry(exec->plan), attrs->format);
    FL_ASSERT(sink->desc != NULL);
    FL_TRY(sink->desc->open(exec->context.memory, sink->fields, attrs->n_from, sink->options, sink->n_options,
                            &sink->model, err));
    FL_ASSERT(sink->model->chunk_rows > 0 && sink->model->chunk_rows % 64 == 0);
    (void)fl_memory_left(exec->context.memory, &limit);
    sink->chunk_bytes = sink->model->chunk_bytes > 0 ? sink->model->chunk_bytes : INT64_MAX;
    sink->queue_bytes = QUEUE_BYTES;
    if (limit > 0 && limit / LIMIT_PART < sink->chunk_bytes)
        sink->chunk_bytes = limit / LIMIT_PART;
    if (limit > 0 && limit / 4 < sink->queue_bytes)
        sink->queue_bytes = limit / 4;
    sink->piece_rows = limit > 0 && limit < SMALL_LIMIT ? SMALL_PIECE_ROWS : sink->model->chunk_rows;
    if (attrs->is_folder) {
        st = check_folder(sink, err);
    } else { /* what cannot be written is told before rows are made */
        FL_TRY(fl_copy_output_find(sink, FL_STR(""), &output, err));
        st = begin_file(sink, output_at(sink, output), err);
    }
cleanup:
    return st;
}

void fl_copy_sink_drop(copy_sink *sink)
{
    const fl_system *system = fl_memory_system(sink->exec->context.memory);
    for (int64_t i = 0; i < sink->n_outputs; i++) {
        copy_output *o = sink->outputs[i];
        for (copy_piece *p = o->first, *next; p != NULL; p = next) {
            next = p->next;
            fl_segment_unref(p->segment);
            fl_free(p);
        }
        for (copy_waiting *w = o->waiting, *next; w != NULL; w = next) {
            next = w->next;
            fl_chunk_drop(&w->chunk);
            fl_free(w);
        }
        fl_writer_free(o->writer);
    }
    fl_writer_free(sink->model);
    for (copy_file *file = sink->files; file != NULL; file = file->next)
        fl_new_file_drop(&file->file, !sink->is_committed);
    for (copy_folder *folder = sink->folders; folder != NULL && !sink->is_committed; folder = folder->next)
        (void)fl_system_remove_folder(system, folder->path);
    fl_free(sink->outputs);
    fl_arena_drop(&sink->arena);
    pthread_mutex_destroy(&sink->lock);
    pthread_cond_destroy(&sink->moved);
}
