/* What functions may ask of the session that calls them: where its names are, what its settings are. The engine has it. It does not change
 * while a statement runs; any worker may ask. */
#ifndef FL_EXEC_SESSION_FACTS_H
#define FL_EXEC_SESSION_FACTS_H

#include "base/text.h"

typedef struct fl_session_facts {
    /** The database and schema in which names are that say none. */
    fl_str (*database)(const struct fl_session_facts *facts);
    fl_str (*schema)(const struct fl_session_facts *facts);
    /** Adds a setting's value as text. FL_ERR_CONFIG (42704) where there is none of that name. */
    fl_status (*print_setting)(const struct fl_session_facts *facts, fl_str name, fl_text *text, fl_err *err);
} fl_session_facts;

#endif
