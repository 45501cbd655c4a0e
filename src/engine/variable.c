/* Variables of a session: SET VARIABLE, RESET VARIABLE, and what getvariable() reads when a statement is bound. Names are told from others'
 * without regard to case. */
#include "engine/internal.h"

static fl_variable **look_up(fl_session *session, fl_str name)
{
    fl_variable **at = &session->variables;
    while (*at != NULL && !fl_str_is_equal_nocase((*at)->name, name))
        at = &(*at)->next;
    return at;
}

static void free_variable(fl_variable *variable)
{
    if (variable == NULL)
        return;
    fl_arena_drop(&variable->arena);
    fl_free(variable);
}

void fl_session_drop_variables(fl_session *session)
{
    while (session->variables != NULL) {
        fl_variable *next = session->variables->next;
        free_variable(session->variables);
        session->variables = next;
    }
}

fl_status fl_session_set_variable(fl_session *session, const fl_sql_bound *bound, const fl_value *params,
                                  int32_t n_params, fl_err *err)
{
    fl_status st = FL_OK;
    fl_variable *made = NULL;
    fl_value value;
    FL_TRY(fl_alloc_zero(&session->memory, (int64_t)sizeof(*made), (void **)&made, err));
    fl_arena_init(&made->arena, &session->memory);
    FL_TRY(fl_arena_copy_str(&made->arena, bound->name, &made->name, err));
    FL_TRY(fl_session_scalar(session, &bound->query, params, n_params, &made->arena, &value, err));
    FL_TRY(fl_value_copy(&made->arena, &value, &made->value, err));
    fl_variable **at = look_up(session, bound->name), *old = *at;
    made->next = old != NULL ? old->next : NULL;
    *at = made;
    made = old;
cleanup:
    free_variable(made);
    return st;
}

void fl_session_reset_variable(fl_session *session, fl_str name)
{
    fl_variable **at = look_up(session, name), *gone = *at;
    if (gone != NULL)
        *at = gone->next;
    free_variable(gone);
}

const fl_value *fl_session_variable(fl_session *session, fl_str name)
{
    const fl_variable *variable = *look_up(session, name);
    return variable != NULL ? &variable->value : NULL;
}
