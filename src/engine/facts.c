/* What functions may ask of their session. */
#include "engine/internal.h"

static const fl_session *session_of(const fl_session_facts *facts)
{
    return (const fl_session *)((const char *)facts - offsetof(fl_session, facts));
}

static fl_str database(const fl_session_facts *facts)
{
    return session_of(facts)->home->database;
}

static fl_str schema(const fl_session_facts *facts)
{
    return session_of(facts)->home->schema;
}

static fl_status print_setting(const fl_session_facts *facts, fl_str name, fl_text *text, fl_err *err)
{
    return fl_settings_print(session_of(facts), name, text, -1, err);
}

void fl_session_facts_init(fl_session *session)
{
    session->facts = (fl_session_facts){.database = database, .schema = schema, .print_setting = print_setting};
}
