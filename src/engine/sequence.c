/* Sequences: CREATE, ALTER and DROP, and the numbers that they give. A number that was given is not given back, whatever becomes of the
 * statement that asked for it. Names are told from others' without regard to case. */
#include "engine/internal.h"

#include "base/nearest.h"

/* ---- finding; the engine's lock is held ---- */

static fl_sequence **look_up(fl_engine *engine, fl_str name)
{
    fl_sequence **at = &engine->sequences;
    while (*at != NULL && !fl_str_is_equal_nocase(fl_str_of((*at)->name), name))
        at = &(*at)->next;
    return at;
}

static fl_status fail_missing(fl_engine *engine, fl_str name, fl_err *err)
{
    fl_nearest near;
    fl_status st = FL_FAIL(err, FL_ERR_TABLE, "sequence \"%.*s\" does not exist", FL_STR_ARG(name));
    fl_nearest_init(&near, name);
    for (const fl_sequence *s = engine->sequences; s != NULL; s = s->next)
        fl_nearest_offer(&near, fl_str_of(s->name));
    fl_nearest_hint(&near, err);
    return st;
}

void fl_sequence_free(fl_sequence *sequence)
{
    if (sequence == NULL)
        return;
    fl_free(sequence->name);
    fl_free(sequence->table_name);
    fl_free(sequence->comment);
    fl_free(sequence);
}

/* ---- options ---- */

/* What the options make of a sequence. */
static fl_status apply(fl_sequence *s, const fl_ast_sequence_options *o, bool is_new, fl_type_id type, fl_err *err)
{
    int64_t highest = type == FL_I16 ? INT16_MAX : type == FL_I32 ? INT32_MAX : INT64_MAX;
    if (o->has_increment)
        s->increment = o->increment;
    if (is_new) {
        s->min = s->increment > 0 ? 1 : -highest - 1;
        s->max = s->increment > 0 ? highest : -1;
    }
    if (o->has_min)
        s->min = o->min;
    if (o->has_max)
        s->max = o->max;
    if (o->has_cycle)
        s->cycles = o->cycles;
    if (o->has_start)
        s->start = o->start;
    else if (is_new)
        s->start = s->increment > 0 ? s->min : s->max;
    if (is_new || o->has_restart) {
        s->last = o->is_restart_given ? o->restart : s->start;
        s->is_given = false;
    }
    fl_status st = FL_OK;
    if (s->min >= s->max)
        st = FL_FAIL(err, FL_ERR_VALUE, "MINVALUE %lld is not less than MAXVALUE %lld", (long long)s->min,
                     (long long)s->max);
    else if (s->start < s->min || s->start > s->max)
        st = FL_FAIL(err, FL_ERR_VALUE, "START %lld is not between MINVALUE %lld and MAXVALUE %lld",
                     (long long)s->start, (long long)s->min, (long long)s->max);
    else if (s->last < s->min || s->last > s->max)
        st = FL_FAIL(err, FL_ERR_VALUE, "RESTART %lld is not between MINVALUE %lld and MAXVALUE %lld",
                     (long long)s->last, (long long)s->min, (long long)s->max);
    return st == FL_OK ? st : fl_err_state(err, "22023", st);
}

fl_status fl_sequence_new(fl_str name, fl_str table_name, const fl_ast_sequence_options *options, fl_type_id type,
                          fl_sequence **ret, fl_err *err)
{
    static const fl_ast_sequence_options none = {0};
    static _Atomic int64_t ids;
    fl_status st = FL_OK;
    fl_sequence *made = NULL;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*made), (void **)&made, err));
    FL_TRY(fl_copy_name(name, &made->name, err));
    if (table_name.len > 0)
        FL_TRY(fl_copy_name(table_name, &made->table_name, err));
    made->id = atomic_fetch_add(&ids, 1) + 1;
    made->increment = 1;
    FL_TRY(apply(made, options != NULL ? options : &none, true, type, err));
    *ret = made;
    made = NULL;
cleanup:
    fl_sequence_free(made);
    return st;
}

/* ---- statements ---- */

bool fl_engine_has_sequence(fl_engine *engine, fl_str name)
{
    pthread_mutex_lock(&engine->lock);
    bool has = *look_up(engine, name) != NULL;
    pthread_mutex_unlock(&engine->lock);
    return has;
}

void fl_engine_add_sequence(fl_engine *engine, fl_sequence *sequence)
{
    pthread_mutex_lock(&engine->lock);
    fl_sequence **at = look_up(engine, fl_str_of(sequence->name)), *old = *at;
    sequence->next = old != NULL ? old->next : NULL;
    sequence->made = ++engine->n_made;
    *at = sequence;
    fl_sequence_free(old);
    pthread_mutex_unlock(&engine->lock);
}

fl_status fl_session_create_sequence(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_sequence *made = NULL;
    fl_engine *engine = session->engine;
    bool is_known = fl_engine_has_sequence(engine, bound->name);
    if (is_known && bound->if_not_exists)
        return FL_OK;
    if ((is_known && !bound->or_replace) || fl_engine_has(engine, bound->name) != 0) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "\"%.*s\" exists already", FL_STR_ARG(bound->name));
        fl_err_at(err, bound->name_pos);
        return st;
    }
    FL_TRY(fl_sequence_new(bound->name, bound->table_name, bound->sequence, FL_I64, &made, err));
    fl_engine_add_sequence(engine, made);
cleanup:
    if (st != FL_OK)
        fl_err_at(err, bound->name_pos);
    return st;
}

fl_status fl_session_alter_sequence(fl_session *session, const fl_sql_bound *bound, fl_err *err)
{
    fl_status st = FL_OK;
    fl_engine *engine = session->engine;
    char *name = NULL;
    if (bound->new_name.len > 0)
        FL_TRY(fl_copy_name(bound->new_name, &name, err));
    pthread_mutex_lock(&engine->lock);
    fl_sequence *found = *look_up(engine, bound->name);
    if (found == NULL) {
        st = bound->if_exists ? FL_OK : fail_missing(engine, bound->name, err);
    } else if (name != NULL &&
               (*look_up(engine, bound->new_name) != NULL || fl_engine_item(engine, bound->new_name) != NULL)) {
        st = FL_FAIL(err, FL_ERR_DUPLICATE, "\"%s\" exists already", name);
    } else if (name != NULL) {
        char *old = found->name;
        found->name = name;
        name = old;
    } else {
        fl_sequence changed = *found;
        st = apply(&changed, bound->sequence, false, FL_I64, err);
        if (st == FL_OK)
            *found = changed;
    }
    pthread_mutex_unlock(&engine->lock);
    if (st != FL_OK)
        fl_err_at(err, bound->name_pos);
cleanup:
    fl_free(name);
    return st;
}

fl_status fl_engine_drop_sequence(fl_engine *engine, fl_str name, bool if_exists, bool cascades, int32_t pos,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    pthread_mutex_lock(&engine->lock);
    fl_sequence **at = look_up(engine, name), *found = *at;
    if (found == NULL) {
        st = if_exists ? FL_OK : fail_missing(engine, name, err);
    } else if (found->table_name != NULL && !cascades) {
        st = FL_FAIL(err, FL_ERR_UNSUPPORTED, "sequence \"%s\" goes with table \"%s\"", found->name, found->table_name);
        fl_err_hint(err, "DROP TABLE drops both");
        fl_err_state(err, "2BP01", st);
    } else {
        *at = found->next;
        fl_sequence_free(found);
    }
    pthread_mutex_unlock(&engine->lock);
    if (st != FL_OK)
        fl_err_at(err, pos);
    return st;
}

void fl_engine_forget_sequences(fl_engine *engine, fl_str table_name)
{
    for (fl_sequence **at = &engine->sequences; *at != NULL;) {
        fl_sequence *s = *at;
        if (s->table_name == NULL || !fl_str_is_equal_nocase(fl_str_of(s->table_name), table_name)) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        fl_sequence_free(s);
    }
}

bool fl_engine_has_sequence_in(fl_engine *engine, fl_str database, fl_str schema)
{
    bool has = false;
    pthread_mutex_lock(&engine->lock);
    for (const fl_sequence *s = engine->sequences; s != NULL; s = s->next)
        has |= fl_key_is_in(fl_str_of(s->name), database, schema);
    pthread_mutex_unlock(&engine->lock);
    return has;
}

void fl_engine_forget_sequences_in(fl_engine *engine, fl_str database, fl_str schema)
{
    for (fl_sequence **at = &engine->sequences; *at != NULL;) {
        fl_sequence *s = *at;
        if (!fl_key_is_in(fl_str_of(s->name), database, schema)) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        fl_sequence_free(s);
    }
}

/* ---- numbers ---- */

/* What a name in the text of a call means. Not with the lock. Most are keys as they stand, and a call is made for each row. */
static fl_status key_of(fl_session *session, fl_str text, fl_arena *arena, fl_str *ret, fl_err *err)
{
    bool is_plain = text.len > 0 && memchr(text.data, '.', (size_t)text.len) == NULL && text.data[0] != '"';
    *ret = text;
    if (is_plain && fl_is_main_schema(session->home->schema) &&
        fl_str_is_equal_nocase(session->home->database, FL_MAIN_DATABASE))
        return FL_OK;
    return fl_session_qualify_text(session, text, arena, ret, err);
}

static fl_session *session_of(fl_sequences *sequences)
{
    return (fl_session *)((char *)sequences - offsetof(fl_session, sequences));
}

/* Where the session keeps what it was given; NULL: nothing yet. The lock is held. */
static fl_given_number *given(fl_session *session, int64_t id)
{
    for (int32_t i = 0; i < session->n_given; i++)
        if (session->given[i].sequence == id)
            return &session->given[i];
    return NULL;
}

static fl_status keep(fl_session *session, int64_t id, int64_t value, fl_err *err)
{
    fl_given_number *number = given(session, id);
    if (number == NULL) {
        fl_status st = fl_grow(NULL, (void **)&session->given, &session->given_capacity, session->n_given + 1,
                               (int64_t)sizeof(*session->given), err);
        if (st != FL_OK)
            return st;
        number = &session->given[session->n_given++];
    }
    *number = (fl_given_number){.sequence = id, .value = value};
    session->last_given = id;
    return FL_OK;
}

static fl_status advance(fl_sequence *s, int64_t *ret, fl_err *err)
{
    int64_t value = s->last;
    if (s->is_given) {
        bool is_over = __builtin_add_overflow(s->last, s->increment, &value) || value < s->min || value > s->max;
        if (is_over && !s->cycles) {
            fl_status st = FL_FAIL(err, FL_ERR_RANGE, "sequence \"%s\" has given its last number, %lld", s->name,
                                   (long long)s->last);
            return fl_err_state(err, "2200H", st);
        }
        if (is_over)
            value = s->increment > 0 ? s->min : s->max;
    }
    *ret = value;
    return FL_OK;
}

static fl_status next(fl_sequences *sequences, fl_str name, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = session_of(sequences);
    fl_engine *engine = session->engine;
    int64_t value = 0;
    fl_arena arena;
    fl_arena_init(&arena, NULL);
    st = key_of(session, name, &arena, &name, err);
    pthread_mutex_lock(&engine->lock);
    FL_TRY(st);
    fl_sequence *s = *look_up(engine, name);
    FL_TRY(s != NULL ? FL_OK : fail_missing(engine, name, err));
    FL_TRY(advance(s, &value, err));
    FL_TRY(keep(session, s->id, value, err));
    s->last = value;
    s->is_given = true;
    *ret = value;
cleanup:
    pthread_mutex_unlock(&engine->lock);
    fl_arena_drop(&arena);
    return st;
}

static fl_status current(fl_sequences *sequences, fl_str name, int64_t *ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = session_of(sequences);
    fl_engine *engine = session->engine;
    int64_t id = session->last_given;
    fl_arena arena;
    fl_arena_init(&arena, NULL);
    st = name.len > 0 ? key_of(session, name, &arena, &name, err) : FL_OK;
    pthread_mutex_lock(&engine->lock);
    FL_TRY(st);
    if (name.len > 0) {
        const fl_sequence *s = *look_up(engine, name);
        FL_TRY(s != NULL ? FL_OK : fail_missing(engine, name, err));
        id = s->id;
    }
    const fl_given_number *number = given(session, id);
    if (number == NULL) {
        st = FL_FAIL(err, FL_ERR_VALUE, "nextval has given this session no number%s yet",
                     name.len > 0 ? " of the sequence" : "");
        fl_err_state(err, "55000", st);
    } else {
        *ret = number->value;
    }
cleanup:
    pthread_mutex_unlock(&engine->lock);
    fl_arena_drop(&arena);
    return st;
}

static fl_status set(fl_sequences *sequences, fl_str name, int64_t value, bool is_given, fl_err *err)
{
    fl_status st = FL_OK;
    fl_session *session = session_of(sequences);
    fl_engine *engine = session->engine;
    fl_arena arena;
    fl_arena_init(&arena, NULL);
    st = key_of(session, name, &arena, &name, err);
    pthread_mutex_lock(&engine->lock);
    FL_TRY(st);
    fl_sequence *s = *look_up(engine, name);
    FL_TRY(s != NULL ? FL_OK : fail_missing(engine, name, err));
    if (value < s->min || value > s->max) {
        st = FL_FAIL(err, FL_ERR_RANGE, "setval: %lld is not between %lld and %lld, as sequence \"%s\" has it",
                     (long long)value, (long long)s->min, (long long)s->max, s->name);
        fl_err_state(err, "22003", st);
        goto cleanup;
    }
    if (is_given)
        FL_TRY(keep(session, s->id, value, err));
    s->last = value;
    s->is_given = is_given;
cleanup:
    pthread_mutex_unlock(&engine->lock);
    fl_arena_drop(&arena);
    return st;
}

void fl_session_sequences_init(fl_session *session)
{
    session->sequences = (fl_sequences){.next = next, .current = current, .set = set};
}
