/* Running a graph of tasks on workers that come and go.
 *
 * Under the run's lock a worker looks for a pipeline that may run and has a place, and enters it; then it claims morsels
 * without a lock. When no morsel is left the pipeline takes nobody in any more, and the last worker to leave it ends it: from
 * then on what waited for it may run. Worker 0 is the thread that called fl_exec_run_until: it works as the others do, finishes
 * sinks, and waits only where all that is left to do is in other hands. */
#include "exec/task_graph.h"

#include "base/clock.h"

typedef enum task_state { TASK_WAITS, TASK_READY, TASK_ENDED } task_state;

/* A task that waits for another. */
typedef struct waiting {
    struct waiting *next;
    struct fl_task *task;
} waiting;

/* A pipeline, or a sink to finish. */
typedef struct fl_task {
    struct fl_task *next;
    fl_source *source; /* NULL: the sink is finished */
    fl_stage *stage;   /* the chain; or the sink */
    fl_stage *sink;
    waiting *then;
    int32_t waits; /* tasks that it waits for */
    task_state state;
    int32_t number;        /* of a pipeline, in the order in which they start */
    int32_t workers_max;   /* at a time, unless the source says less */
    int32_t inside;        /* workers */
    uint8_t *has_entered;  /* by worker: it took part */
    _Atomic bool is_empty; /* no morsel is left, or no row is wanted any more */
} fl_task;

typedef struct fl_wait {
    struct fl_wait *next;
    const fl_stage *sink;
} fl_wait;

/* ---- the graph ----------------------------------------------------------------------------------------------------- */

fl_status fl_exec_wait_for(fl_exec *exec, fl_wait **waits, const fl_stage *sink, fl_err *err)
{
    fl_wait *wait = NULL;
    fl_status st = FL_NEW(&exec->arena, &wait, err);
    if (st != FL_OK)
        return st;
    *wait = (fl_wait){*waits, sink};
    *waits = wait;
    return FL_OK;
}

/* The task starts no earlier than `first` has ended. */
static fl_status put_behind(fl_exec *exec, fl_task *task, fl_task *first, fl_err *err)
{
    waiting *link = NULL;
    if (first == NULL || first == task || first->state == TASK_ENDED)
        return FL_OK;
    fl_status st = FL_NEW(&exec->arena, &link, err);
    if (st != FL_OK)
        return st;
    *link = (waiting){first->then, task};
    first->then = link;
    task->waits++;
    return FL_OK;
}

static fl_status put_behind_waits(fl_exec *exec, fl_task *task, const fl_wait *waits, fl_err *err)
{
    fl_status st = FL_OK;
    for (; waits != NULL && st == FL_OK; waits = waits->next) {
        FL_ASSERT(waits->sink->finish != NULL); /* it was added before */
        st = put_behind(exec, task, waits->sink->finish, err);
    }
    return st;
}

/* Who waits for the finish under way waits for what it adds. The lock is held. */
static fl_status put_before_waiting(fl_exec *exec, fl_task *task, fl_err *err)
{
    fl_status st = FL_OK;
    for (waiting *w = exec->finishing != NULL ? exec->finishing->then : NULL; w != NULL && st == FL_OK; w = w->next)
        st = put_behind(exec, w->task, task, err);
    return st;
}

static fl_status add_task(fl_exec *exec, fl_source *source, fl_stage *stage, fl_task **ret, fl_err *err)
{
    fl_task *task = NULL;
    fl_status st = FL_NEW(&exec->arena, &task, err);
    if (st != FL_OK)
        return st;
    task->source = source;
    task->stage = task->sink = stage;
    while (task->sink->next != NULL)
        task->sink = task->sink->next;
    *ret = task;
    return FL_OK;
}

/* Puts a task with all its links among the others, where workers may see it. */
static fl_status publish(fl_exec *exec, fl_task *task, fl_err *err)
{
    pthread_mutex_lock(&exec->lock);
    fl_status st = put_before_waiting(exec, task, err);
    if (st == FL_OK) {
        task->state = task->waits == 0 ? TASK_READY : TASK_WAITS;
        if (exec->tasks_last == NULL)
            exec->tasks = task;
        else
            exec->tasks_last->next = task;
        exec->tasks_last = task;
    }
    pthread_mutex_unlock(&exec->lock);
    return st;
}

fl_status fl_exec_add_pipeline(fl_exec *exec, fl_source *source, fl_stage *chain, fl_err *err)
{
    fl_status st = FL_OK;
    fl_task *task = NULL;
    FL_TRY(add_task(exec, source, chain, &task, err));
    task->workers_max = exec->n_workers;
    FL_TRY(FL_NEW_ARRAY(&exec->arena, exec->n_workers, &task->has_entered, err));
    pthread_mutex_lock(&exec->lock);
    st = put_behind_waits(exec, task, source->waits, err);
    for (fl_stage *s = chain; s != NULL && st == FL_OK; s = s->next) {
        task->workers_max = s->is_ordered ? 1 : task->workers_max;
        st = put_behind_waits(exec, task, s->waits, err);
    }
    if (st == FL_OK)
        st = put_behind(exec, task, task->sink->feeder, err);
    pthread_mutex_unlock(&exec->lock);
    FL_TRY(st);
    FL_TRY(publish(exec, task, err));
    task->sink->feeder = task;
    if (source->scan != NULL) {
        source->next_scan = atomic_load(&exec->scans);
        atomic_store(&exec->scans, source);
    }
cleanup:
    return st;
}

fl_status fl_exec_add_finish(fl_exec *exec, fl_stage *sink, fl_err *err)
{
    fl_status st = FL_OK;
    fl_task *task = NULL;
    FL_ASSERT(sink->next == NULL && sink->finish == NULL);
    FL_TRY(add_task(exec, NULL, sink, &task, err));
    pthread_mutex_lock(&exec->lock);
    st = put_behind(exec, task, sink->feeder, err); /* pipelines of one sink end one after the other */
    pthread_mutex_unlock(&exec->lock);
    FL_TRY(st);
    FL_TRY(publish(exec, task, err));
    sink->finish = task;
cleanup:
    return st;
}

/* The lock is held. */
static void end_task(fl_exec *exec, fl_task *task)
{
    FL_ASSERT(task->state == TASK_READY && task->inside == 0);
    task->state = TASK_ENDED;
    for (waiting *w = task->then; w != NULL; w = w->next) {
        FL_ASSERT(w->task->waits > 0 && w->task->state == TASK_WAITS);
        if (--w->task->waits == 0)
            w->task->state = TASK_READY;
    }
    if (task->source != NULL)
        atomic_store(&task->source->has_ended, true);
    while (exec->tasks != NULL && exec->tasks->state == TASK_ENDED)
        exec->tasks = exec->tasks->next;
    if (exec->tasks == NULL)
        exec->tasks_last = NULL;
}

/* ---- pipelines ----------------------------------------------------------------------------------------------------- */

static bool is_full(const fl_task *task)
{
    return task->sink->ops->is_full != NULL && task->sink->ops->is_full(task->sink);
}

/* Whether a worker may enter. The lock is held. */
static bool is_open(const fl_task *task)
{
    return task->source != NULL && task->state == TASK_READY && !atomic_load(&task->is_empty) && !is_full(task);
}

/* How many workers may be in it. A source may have said so since it was added. */
static int32_t places_of(const fl_task *task)
{
    int32_t most = task->source->workers_max;
    return most > 0 && most < task->workers_max ? most : task->workers_max;
}

static fl_task *find_open(fl_exec *exec)
{
    fl_task *task = exec->tasks;
    while (task != NULL && (!is_open(task) || task->inside >= places_of(task)))
        task = task->next;
    return task;
}

/* Helpers that have something to do: as many as have a place, but for the caller's. The lock is held. */
static void call_helpers(fl_exec *exec)
{
    int32_t places = 0;
    for (const fl_task *task = exec->tasks; task != NULL && !atomic_load(&exec->stops); task = task->next)
        places += is_open(task) ? places_of(task) : 0;
    fl_job_call(&exec->job, places > 0 ? places - 1 : 0);
}

static void fail(fl_exec *exec, fl_status st, const fl_err *err)
{
    pthread_mutex_lock(&exec->lock);
    if (exec->st == FL_OK) {
        exec->st = st;
        exec->err = *err;
    }
    atomic_store(&exec->stops, true);
    pthread_mutex_unlock(&exec->lock);
}

static fl_status make_locals(const fl_task *task, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    fl_source *source = task->source;
    if (source->ops->local_new != NULL && source->locals[worker->id] == NULL)
        st = source->ops->local_new(source, worker, &source->locals[worker->id], err);
    if (st == FL_ERR_MEMORY)
        fl_exec_say_who(NULL, source->node, err);
    for (fl_stage *s = task->stage; s != NULL && st == FL_OK; s = s->next)
        if (s->ops->local_new != NULL && s->locals[worker->id] == NULL) {
            st = s->ops->local_new(s, worker, &s->locals[worker->id], err);
            if (st == FL_ERR_MEMORY)
                fl_exec_say_who(s->ops->what, s->node, err);
        }
    return st;
}

/* When worker 0 has rows enough. */
typedef struct enough {
    bool (*fn)(void *ctx);
    void *ctx;
} enough;

static bool has_enough(const enough *e)
{
    return e != NULL && e->fn != NULL && e->fn(e->ctx);
}

/* Morsel by morsel, until there is none, or a reason to leave. */
static fl_status run_morsels(fl_task *task, fl_worker *worker, const fl_job_turn *turn, const enough *e, fl_err *err)
{
    fl_status st = FL_OK;
    fl_exec *exec = worker->exec;
    fl_source *source = task->source;
    void *local = source->locals[worker->id];
    bool any = true;
    while (any && !atomic_load_explicit(&task->is_empty, memory_order_relaxed) &&
           !atomic_load_explicit(&exec->stops, memory_order_relaxed)) {
        st = source->ops->run(source, worker, local, task->stage, &any, err);
        if (st == FL_ERR_MEMORY)
            fl_exec_say_who(NULL, source->node, err);
        if (st == FL_DONE) /* nobody needs to go on */
            atomic_store(&task->is_empty, true);
        FL_TRY(st == FL_DONE ? FL_OK : st);
        FL_TRY(fl_exec_check(exec, err));
        st = any ? fl_push_event(task->stage, worker, FL_EVENT_MORSEL, err) : FL_OK;
        if (st == FL_DONE)
            atomic_store(&task->is_empty, true);
        FL_TRY(st == FL_DONE ? FL_OK : st);
        if (fl_job_shall_leave(turn) || is_full(task) || has_enough(e))
            break;
    }
    if (!any)
        atomic_store(&task->is_empty, true);
    return FL_OK;
cleanup:
    return st;
}

/* The pipeline's last worker tells the chain, stage by stage, on behalf of all who took part: nobody else is in it. */
static fl_status tell_end(const fl_task *task, fl_worker *worker, fl_err *err)
{
    fl_status st = FL_OK;
    for (fl_stage *s = task->stage; s != NULL && st == FL_OK; s = s->next)
        for (int32_t w = 0; s->ops->on_event != NULL && w < worker->exec->n_workers && st == FL_OK; w++)
            if (task->has_entered[w])
                st = s->ops->on_event(s, worker, s->locals[w], FL_EVENT_END, err);
    return st == FL_DONE ? FL_OK : st;
}

/* A worker's stay in a pipeline: the lock is held before and after. */
static void work_on(fl_exec *exec, fl_task *task, fl_worker *worker, const fl_job_turn *turn, const enough *e)
{
    fl_err err;
    fl_err_clear(&err);
    if (task->number == 0)
        task->number = ++exec->n_pipelines;
    task->inside++;
    task->has_entered[worker->id] = 1;
    worker->pipeline = task->number;
    pthread_mutex_unlock(&exec->lock);

    const fl_system *system = exec->context.memory->system;
    int64_t started_ns = fl_clock_ns(system);
    fl_status st = make_locals(task, worker, &err);
    if (st == FL_OK)
        st = fl_push_event(task->stage, worker, FL_EVENT_ENTER, &err);
    if (st == FL_OK)
        st = run_morsels(task, worker, turn, e, &err);
    if (st == FL_OK)
        st = fl_push_event(task->stage, worker, FL_EVENT_LEAVE, &err);
    if (task->source->node != NULL) {
        worker->actual[task->source->node->id].ns += fl_clock_ns(system) - started_ns;
        worker->actual[task->source->node->id].has_run = true;
    }
    if (st != FL_OK)
        fail(exec, st, &err);

    pthread_mutex_lock(&exec->lock);
    bool ends = task->inside == 1 && atomic_load(&task->is_empty) && !atomic_load(&exec->stops);
    if (ends) { /* nobody enters an empty one */
        pthread_mutex_unlock(&exec->lock);
        st = tell_end(task, worker, &err);
        if (st != FL_OK)
            fail(exec, st, &err);
        pthread_mutex_lock(&exec->lock);
    }
    task->inside--;
    if (ends && st == FL_OK)
        end_task(exec, task);
    call_helpers(exec);
    pthread_cond_broadcast(&exec->changed);
}

void fl_exec_help(fl_job *job, int32_t worker, const fl_job_turn *turn)
{
    fl_exec *exec = (fl_exec *)((char *)job - offsetof(fl_exec, job));
    fl_task *task = NULL;
    pthread_mutex_lock(&exec->lock);
    while (!atomic_load(&exec->stops) && !fl_job_shall_leave(turn) && (task = find_open(exec)) != NULL)
        work_on(exec, task, &exec->workers[worker], turn, NULL);
    call_helpers(exec); /* what was open when this one was called may be so no more */
    pthread_mutex_unlock(&exec->lock);
}

/* ---- running ------------------------------------------------------------------------------------------------------- */

static fl_task *find_finish(fl_exec *exec)
{
    fl_task *task = exec->tasks;
    while (task != NULL && (task->source != NULL || task->state != TASK_READY))
        task = task->next;
    return task;
}

/* The lock is held before and after. */
static void finish_sink(fl_exec *exec, fl_task *task)
{
    fl_status st = FL_OK;
    const fl_stage_ops *ops = task->sink->ops;
    fl_err err;
    fl_err_clear(&err);
    pthread_mutex_unlock(&exec->lock);
    exec->finishing = task;
    if (ops->finish != NULL)
        st = ops->finish(task->sink, task->sink->locals, exec->n_workers, &err);
    exec->finishing = NULL;
    if (st == FL_ERR_MEMORY)
        fl_exec_say_who(ops->what, task->sink->node, &err);
    if (st != FL_OK)
        fail(exec, st, &err);
    pthread_mutex_lock(&exec->lock);
    if (st == FL_OK)
        end_task(exec, task);
}

static bool is_anyone_inside(const fl_exec *exec)
{
    for (const fl_task *task = exec->tasks; task != NULL; task = task->next)
        if (task->inside > 0)
            return true;
    return false;
}

fl_status fl_exec_run_until(fl_exec *exec, bool (*is_enough)(void *ctx), void *ctx, bool *ret_has_ended, fl_err *err)
{
    enough e = {is_enough, ctx};
    pthread_mutex_lock(&exec->lock);
    for (;;) {
        fl_task *task = NULL;
        if (atomic_load(&exec->stops) && !is_anyone_inside(exec))
            break;
        if (!atomic_load(&exec->stops)) {
            if (exec->tasks == NULL || has_enough(&e))
                break;
            fl_err stopped;
            fl_err_clear(&stopped);
            fl_status st = fl_exec_check(exec, &stopped);
            if (st != FL_OK) {
                pthread_mutex_unlock(&exec->lock);
                fail(exec, st, &stopped);
                pthread_mutex_lock(&exec->lock);
                continue;
            }
            if ((task = find_finish(exec)) != NULL) {
                finish_sink(exec, task);
                continue;
            }
            call_helpers(exec);
            if ((task = find_open(exec)) != NULL) {
                work_on(exec, task, &exec->workers[0], NULL, &e);
                continue;
            }
        }
        FL_ASSERT(is_anyone_inside(exec)); /* nobody else could change anything */
        pthread_cond_wait(&exec->changed, &exec->lock);
    }
    *ret_has_ended = exec->st == FL_OK && exec->tasks == NULL;
    fl_status st = exec->st;
    if (st != FL_OK && err != NULL)
        *err = exec->err;
    pthread_mutex_unlock(&exec->lock);
    return st;
}

fl_status fl_exec_run(fl_exec *exec, fl_err *err)
{
    bool has_ended = false;
    fl_status st = fl_exec_run_until(exec, NULL, NULL, &has_ended, err);
    FL_ASSERT(st != FL_OK || has_ended);
    return st;
}

void fl_exec_wake(fl_exec *exec)
{
    pthread_mutex_lock(&exec->lock);
    call_helpers(exec);
    pthread_cond_broadcast(&exec->changed);
    pthread_mutex_unlock(&exec->lock);
}
