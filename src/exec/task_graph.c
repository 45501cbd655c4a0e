/* Running a graph of tasks on workers that come and go.
 *
 * Under the run's lock a thread takes a worker that nobody is and looks for a pipeline that may run and has a place, and enters it; then
 * it claims morsels without a lock. When no morsel is left the pipeline takes nobody in any more, and the last worker to leave
 * it ends it: from then on what waited for it may run. The caller, the thread that called fl_exec_run_until, works as the others do,
 * finishes sinks, and waits only where all that is left to do is in other hands.
 *
 * A worker that paused keeps its state and its place in the pipeline. It is nobody's: who looks for work goes on with one that need not
 * wait any longer, the earliest rows first, before it enters anything. So the caller never depends on the pool to come
 * to the rows that it waits for. */
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
    int32_t inside;        /* workers, those that pause included */
    uint8_t *has_entered;  /* by worker: it took part */
    _Atomic bool is_empty; /* no morsel is left, or no row is wanted any more */
} fl_task;

typedef struct fl_wait {
    struct fl_wait *next;
    const fl_stage *sink; /* for its finish; NULL: */
    fl_task *pipeline;    /* for this one, and so for all before it that feed the same sink */
} fl_wait;

/* ---- the graph ----------------------------------------------------------------------------------------------------- */

fl_status fl_exec_wait_for(fl_exec *exec, fl_wait **waits, const fl_stage *sink, fl_err *err)
{
    fl_wait *wait = NULL;
    fl_status st = FL_NEW(&exec->arena, &wait, err);
    if (st != FL_OK)
        return st;
    *wait = (fl_wait){*waits, sink, NULL};
    *waits = wait;
    return FL_OK;
}

fl_status fl_exec_wait_for_feeders(fl_exec *exec, fl_wait **waits, const fl_stage *stage, fl_err *err)
{
    fl_wait *wait = NULL;
    while (stage->next != NULL)
        stage = stage->next;
    FL_ASSERT(stage->feeder != NULL);
    fl_status st = FL_NEW(&exec->arena, &wait, err);
    if (st != FL_OK)
        return st;
    *wait = (fl_wait){*waits, NULL, stage->feeder};
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
        FL_ASSERT(waits->sink == NULL || waits->sink->finish != NULL); /* it was added before */
        st = put_behind(exec, task, waits->sink == NULL ? waits->pipeline : waits->sink->finish, err);
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
    FL_ASSERT(task->sink->finish == NULL); /* it would not wait for this pipeline */
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
    return task->source != NULL && task->state == TASK_READY && !atomic_load(&task->is_empty) && !is_full(task) &&
           (task->source->ops->has_morsel == NULL || task->source->ops->has_morsel(task->source));
}

/* How many workers may enter. A source may have said more since it was added. */
static int32_t places_of(const fl_task *task)
{
    int32_t most = task->source->workers_max;
    most = most > 0 && most < task->workers_max ? most : task->workers_max;
    return most > task->inside ? most - task->inside : 0;
}

static fl_task *find_open(fl_exec *exec)
{
    fl_task *task = exec->tasks;
    while (task != NULL && (!is_open(task) || places_of(task) == 0))
        task = task->next;
    return task;
}

/* Whether a worker that is in the middle of a morsel has to wait. */
static bool is_held(const fl_stay *stay)
{
    fl_stage *sink = stay->task->sink;
    return sink->ops->is_held(sink, stay->worker);
}

static bool is_before(const fl_worker *a, const fl_worker *b)
{
    return a->pipeline != b->pipeline ? a->pipeline < b->pipeline : a->morsel < b->morsel;
}

/* A worker that paused and may go on, the earliest one; NULL: there is none. The lock is held. */
static fl_stay *find_paused(const fl_exec *exec)
{
    fl_stay *best = NULL;
    for (int32_t w = 0; exec->n_paused > 0 && w < exec->n_workers; w++) {
        fl_stay *stay = &exec->stays[w];
        if (stay->is_paused && (best == NULL || is_before(stay->worker, best->worker)) &&
            (atomic_load(&exec->stops) || !is_held(stay)))
            best = stay;
    }
    return best;
}

/* The state of a worker that is in no pipeline: the thread's own, where it is free. The lock is held. */
static fl_stay *find_idle(const fl_exec *exec, int32_t own)
{
    if (exec->n_running + exec->n_paused == exec->n_workers)
        return NULL;
    while (exec->stays[own].task != NULL)
        own = own + 1 < exec->n_workers ? own + 1 : 0;
    return &exec->stays[own];
}

/* Takes something to do for a thread: a worker that paused, or one that enters a pipeline. NULL: there is nothing. The lock is held. */
static fl_stay *find_stay(fl_exec *exec, int32_t own)
{
    fl_stay *stay = find_paused(exec);
    fl_task *task = NULL;
    if (stay != NULL) {
        stay->is_paused = false;
        exec->n_paused--;
        exec->n_running++;
        return stay;
    }
    stay = find_idle(exec, own);
    if (stay == NULL || (task = find_open(exec)) == NULL)
        return NULL;
    if (task->number == 0)
        task->number = ++exec->n_pipelines;
    task->inside++;
    task->has_entered[stay->worker->id] = 1;
    stay->worker->pipeline = task->number;
    stay->task = task;
    stay->ends_task = false;
    exec->n_running++;
    return stay;
}

/* Says how many helpers have something to do: those inside, and as many as there are workers to go on with and places to enter,
 * of which one is the caller's, who comes back. The lock is held. */
static void call_helpers(fl_exec *exec)
{
    int32_t places = 0, paused = 0, idle = exec->n_workers - exec->n_running - exec->n_paused;
    bool is_caller_inside = exec->n_running > exec->n_helping;
    for (const fl_task *task = exec->tasks; task != NULL && !atomic_load(&exec->stops); task = task->next)
        places += is_open(task) ? places_of(task) : 0;
    for (int32_t w = 0; exec->n_paused > 0 && w < exec->n_workers && !atomic_load(&exec->stops); w++)
        paused += exec->stays[w].is_paused && !is_held(&exec->stays[w]);
    places -= places > 0 && !is_caller_inside;
    fl_job_call(&exec->job, exec->n_helping + paused + (places < idle ? places : idle));
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

/* When the caller has rows enough. */
typedef struct fl_enough {
    bool (*fn)(void *ctx);
    void *ctx;
} fl_enough;

static bool has_enough(const fl_enough *e)
{
    return e != NULL && e->fn != NULL && e->fn(e->ctx);
}

/* Whether the thread has a reason to let go of what it does. */
static bool is_thread_due(const fl_stay *stay)
{
    return fl_job_shall_leave(stay->turn) || has_enough(stay->enough);
}

/* Morsel by morsel, until there is none, or a reason to leave. */
static fl_status run_morsels(const fl_stay *stay, fl_err *err)
{
    fl_status st = FL_OK;
    fl_task *task = stay->task;
    fl_worker *worker = stay->worker;
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
        if (is_full(task) || is_thread_due(stay) ||
            (source->ops->has_morsel != NULL && !source->ops->has_morsel(source)))
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

/* Leaves the pipeline, but for the last one of an empty one: it ends that, and nobody enters any more. */
static bool leave_or_end(fl_task *task, fl_exec *exec)
{
    pthread_mutex_lock(&exec->lock);
    bool ends = task->inside == 1 && atomic_load(&task->is_empty) && !atomic_load(&exec->stops);
    task->inside -= !ends;
    pthread_mutex_unlock(&exec->lock);
    return ends;
}

/* A worker's stay, from its entering to its leaving; on a fiber, or the thread's stack. */
static void stay_in(void *ctx)
{
    fl_stay *stay = ctx;
    fl_task *task = stay->task;
    fl_worker *worker = stay->worker;
    fl_exec *exec = worker->exec;
    fl_err err;
    fl_err_clear(&err);
    const fl_system *system = exec->context.memory->system;
    int64_t started_ns = fl_clock_ns(system);
    fl_status st = make_locals(task, worker, &err);
    if (st == FL_OK)
        st = fl_push_event(task->stage, worker, FL_EVENT_ENTER, &err);
    if (st == FL_OK)
        st = run_morsels(stay, &err);
    if (st == FL_OK)
        st = fl_push_event(task->stage, worker, FL_EVENT_LEAVE, &err);
    if (task->source->node != NULL) {
        worker->actual[task->source->node->id].ns += fl_clock_ns(system) - started_ns;
        worker->actual[task->source->node->id].has_run = true;
    }
    if (st != FL_OK)
        fail(exec, st, &err);
    stay->ends_task = leave_or_end(task, exec);
    if (stay->ends_task) {
        st = tell_end(task, worker, &err);
        if (st != FL_OK)
            fail(exec, st, &err);
    }
}

/* Whether what is made of a morsel has no bound, while somebody reads. */
static bool needs_fiber(const fl_exec *exec, const fl_task *task)
{
    const fl_source_ops *ops = task->source->ops;
    bool is = ops->has_large_morsels != NULL && ops->has_large_morsels(task->source);
    for (const fl_stage *s = task->stage; s != NULL && !is; s = s->next)
        is = s->multiplies;
    return is && task->sink->is_paced && exec->context.fibers != NULL;
}

/* Goes on with a stay that was found, until it ends or pauses: the lock is held before and after. */
static void work_on(fl_exec *exec, fl_stay *stay, const fl_job_turn *turn, const fl_enough *e)
{
    fl_task *task = stay->task;
    fl_status st = FL_OK;
    bool has_ended = true;
    stay->turn = turn;
    stay->enough = e;
    exec->n_helping += turn != NULL;
    if (turn == NULL)
        call_helpers(exec);
    pthread_mutex_unlock(&exec->lock);

    if (stay->fiber == NULL && needs_fiber(exec, task)) {
        fl_err err;
        fl_err_clear(&err);
        st = fl_fiber_get(exec->context.fibers, stay_in, stay, &stay->fiber, &err);
        if (st != FL_OK) {
            fail(exec, st, &err);
            (void)leave_or_end(task, exec);
        }
    }
    if (st == FL_OK && stay->fiber == NULL)
        stay_in(stay);
    else if (st == FL_OK)
        has_ended = fl_fiber_run(stay->fiber);
    if (has_ended && stay->fiber != NULL) {
        fl_fiber_put(exec->context.fibers, stay->fiber);
        stay->fiber = NULL;
    }

    pthread_mutex_lock(&exec->lock);
    exec->n_running--;
    exec->n_helping -= turn != NULL;
    exec->n_paused += !has_ended;
    stay->is_paused = !has_ended;
    if (has_ended) {
        stay->task = NULL;
        if (stay->ends_task) {
            FL_ASSERT(task->inside > 0);
            task->inside--;
            if (exec->st == FL_OK)
                end_task(exec, task);
        }
    }
    call_helpers(exec);
    pthread_cond_broadcast(&exec->changed);
}

fl_status fl_exec_pause_if_due(fl_worker *worker, fl_err *err)
{
    fl_stay *stay = worker->stay;
    if (stay == NULL || stay->fiber == NULL || (!is_held(stay) && !is_thread_due(stay)))
        return FL_OK;
    fl_fiber_pause(stay->fiber);
    if (atomic_load(&worker->exec->stops))
        return FL_FAIL(err, FL_ERR_CANCELLED, "the query has ended while a part of it waited for its reader");
    return FL_OK;
}

void fl_exec_end_paused(fl_exec *exec)
{
    fl_stay *stay = NULL;
    pthread_mutex_lock(&exec->lock);
    FL_ASSERT(atomic_load(&exec->stops) && exec->n_running == 0);
    while (exec->n_paused > 0 && (stay = find_stay(exec, 0)) != NULL)
        work_on(exec, stay, NULL, NULL);
    pthread_mutex_unlock(&exec->lock);
}

void fl_exec_help(fl_job *job, int32_t worker, const fl_job_turn *turn)
{
    fl_exec *exec = (fl_exec *)((char *)job - offsetof(fl_exec, job));
    fl_stay *stay = NULL;
    pthread_mutex_lock(&exec->lock);
    while (!atomic_load(&exec->stops) && !fl_job_shall_leave(turn) && (stay = find_stay(exec, worker)) != NULL)
        work_on(exec, stay, turn, NULL);
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

fl_status fl_exec_run_until(fl_exec *exec, bool (*is_enough)(void *ctx), void *ctx, bool *ret_has_ended, fl_err *err)
{
    fl_enough e = {is_enough, ctx};
    fl_stay *stay = NULL;
    pthread_mutex_lock(&exec->lock);
    for (;;) {
        fl_task *task = NULL;
        if (atomic_load(&exec->stops) && exec->n_running + exec->n_paused == 0)
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
        }
        if ((!atomic_load(&exec->stops) || exec->n_paused > 0) && (stay = find_stay(exec, 0)) != NULL) {
            work_on(exec, stay, NULL, &e);
            continue;
        }
        if (!atomic_load(&exec->stops))
            call_helpers(exec);
        FL_ASSERT(exec->n_running > 0); /* nobody else could change anything */
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
