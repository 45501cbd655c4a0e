/* The engine's own structs, shared by the files of this folder. */
#ifndef FL_ENGINE_INTERNAL_H
#define FL_ENGINE_INTERNAL_H

#include "base/buffer.h"
#include "base/fiber.h"
#include "base/full_name.h"
#include "base/interrupt.h"
#include "base/nearest.h"
#include "base/workers.h"
#include "engine/key_index.h"
#include "exec/exec.h"
#include "exec/sequences.h"
#include "exec/session_facts.h"
#include "exec/session_state.h"
#include "exec/spill_file.h"
#include "fletch/fletch.h"
#include "format/files_cache.h"
#include "front/sql/sql.h"
#include "opt/optimize.h"
#include "plan/catalog.h"
#include "plan/plan_hash.h"
#include "plan/registry.h"
#include "store/arrow_stream.h"
#include "store/memory_table.h"
#include "store/segment_pick.h"
#include "udf/store.h"

#include <pthread.h>

#define FL_TEMP_DIRECTORY_BYTES 1024

/* A comment on a column or a key. */
typedef struct fl_named_comment {
    struct fl_named_comment *next;
    bool is_key;
    char *name;
    char *text;
} fl_named_comment;

/* A table or view in the catalog. */
typedef struct fl_catalog_item {
    char *name;          /* its key: base/full_name.h; as are names of other things below */
    uint64_t name_hash;  /* see fl_name_hash */
    fl_table *table;     /* NULL: a view */
    fl_key_index *index; /* of the table's keys, as the last INSERT left it; NULL: none */
    char *view_text;
    char *view_database, *view_schema; /* where names in the text mean what they meant when it was written */
    fl_str *view_cols;
    int32_t n_view_cols;
    char *comment; /* NULL: none; as of other things below */
    fl_named_comment *comments;
    bool is_temporary; /* it was made as such: EXPORT leaves it out */
} fl_catalog_item;

/* An index that is no key. */
typedef struct fl_plain_index {
    struct fl_plain_index *next;
    char *name;
    char *table_name;
    char *comment;
} fl_plain_index;

/* A sequence. */
typedef struct fl_sequence {
    struct fl_sequence *next;
    char *name;
    char *table_name; /* that it goes with; NULL: none */
    int64_t id;
    int64_t start, increment, min, max;
    bool cycles;
    bool is_given; /* `last` was given out; else it comes next */
    int64_t last;
    char *comment;
    int64_t made; /* fl_engine.n_made when it was; as of macros and schemas */
} fl_sequence;

/* A macro: its definition, and where names in it are that say no schema. */
typedef struct fl_macro {
    struct fl_macro *next;
    char *name;
    uint64_t name_hash;
    fl_macro_kind kind;
    char *text;
    char *database, *schema;
    char *comment;
    int64_t made;
} fl_macro;

/* A schema besides the one that is always there in each database. */
typedef struct fl_schema {
    struct fl_schema *next;
    char *database;
    char *name;
    char *comment;
    int64_t made;
} fl_schema;

/* A database besides the one that is always there. */
typedef struct fl_database {
    struct fl_database *next;
    char *name;
    char *main_comment; /* on its main schema */
} fl_database;

/* A variable. */
typedef struct fl_variable {
    struct fl_variable *next;
    fl_arena arena; /* of the rest */
    fl_str name;
    fl_value value;
} fl_variable;

/* A schema in which names are that say none. */
typedef struct fl_home {
    struct fl_home *next;
    fl_str database, schema;
    char bytes[];
} fl_home;

/* What a session was given by a sequence last. */
typedef struct fl_given_number {
    int64_t sequence;
    int64_t value;
} fl_given_number;

struct fl_engine {
    fl_memory memory;
    fl_region_pool *pool;
    fl_workers *workers;
    fl_fibers *fibers;
    fl_files_cache *files; /* tables of files that were opened before */
    int32_t threads;
    pthread_mutex_t lock;           /* guards items, registry and is_changing; taken inside of registry_lock */
    pthread_cond_t changed;         /* is_changing is false */
    bool is_changing;               /* a statement changes tables: one at a time */
    pthread_mutex_t registry_lock;  /* one call at a time makes a new registry */
    pthread_mutex_t functions_lock; /* guards functions; registry_lock is taken inside of it */
    fl_udf_store functions;
    uint8_t *udf_keys; /* public keys, 32 bytes each, of those whose native code is run */
    int32_t n_udf_keys;
    uint32_t allow_python;                    /* FL_PYTHON_… */
    char *python_path;                        /* NULL: none */
    struct fl_function_store *function_store; /* NULL: functions last as long as the engine */
    const fl_registry *registry;              /* the one that is now; see fl_engine_registry */
    fl_catalog_item *items;
    int64_t items_capacity;
    int32_t n_items;
    fl_plain_index *plain_indexes; /* guarded by lock, as are the next four */
    fl_sequence *sequences;
    fl_schema *schemas;
    fl_macro *macros;
    char *main_comment; /* on the main schema */
    int64_t n_made;     /* sequences, macros and schemas that ever were made */
    fl_database *databases;
    uint64_t seed;
    _Atomic int32_t refs;       /* of who opened it, of sessions and of streams */
    struct fl_running *running; /* guarded by lock, as are the next two */
    int64_t n_statements;       /* that ever ran: ids */
    int64_t n_sessions;
    fl_spill_quota spill_quota; /* what all sessions have spilled */
    char temp_directory[FL_TEMP_DIRECTORY_BYTES];
};

enum { FL_OPTIMIZER_SEARCH, FL_OPTIMIZER_SIMPLE, FL_OPTIMIZER_NONE };

typedef struct fl_settings {
    int32_t threads;
    int32_t vector_rows;
    int64_t memory_limit_bytes; /* 0: the engine's */
    int64_t timeout_ms;         /* 0: none */
    int32_t optimizer;          /* FL_OPTIMIZER_... */
    double optimizer_threshold;
    int64_t recursion_limit;  /* rounds; 0: none */
    int64_t plan_number;      /* 0: the cheapest plan */
    int64_t false_statistics; /* 0: those that there are */
    bool verifies_rules;
    fl_sql_null_order null_order;
    char zone[64];             /* of the session */
    char disabled_rules[2048]; /* as it was set; names apart by commas */
    int64_t temp_limit_bytes;  /* 0: none but the disk */
    char temp_directory[FL_TEMP_DIRECTORY_BYTES];
} fl_settings;

typedef struct fl_prepared {
    struct fl_prepared *next;
    char *name;
    char *text;           /* the statement behind AS */
    fl_type *param_types; /* [n_params] */
    int32_t n_params;
    char **param_names; /* [n_params]; NULL: they have numbers */
} fl_prepared;

typedef struct fl_session_catalog {
    fl_catalog base;
    fl_session *session;
    fl_arena *arena; /* what find() gives lives here: the statement's arena */
} fl_session_catalog;

/* What was made from a session and may outlive it: prepared statements, builders. Each begins with this. When the session is
 * closed first, `detach` gives back what was the session's, and `session` is NULL from then on: the handle's calls fail, and
 * closing it is all that is left. */
typedef struct fl_handle {
    fl_session *session;
    struct fl_handle *previous, *next;
    void (*detach)(struct fl_handle *handle);
} fl_handle;

/* ---- what runs (running.c) ---- */

typedef enum fl_running_state {
    FL_RUNNING_WAITS,   /* for memory */
    FL_RUNNING_WORKS,   /* a call is under way */
    FL_RUNNING_STREAMS, /* its rows are read, between two reads */
} fl_running_state;

#define FL_RUNNING_TEXT_BYTES 512 /* of a statement, as SHOW queries shows it */

/* A statement, or a stream of its rows, as SHOW queries and KILL see it. Guarded by the engine's lock while it is in its list. */
typedef struct fl_running {
    struct fl_running *previous, *next;
    int64_t id; /* 0: it is in no list */
    fl_session *session;
    fl_running_state state;
    fl_interrupt *interrupt; /* stops it */
    fl_exec *exec;           /* for progress; NULL: none yet */
    const fl_memory *memory;
    int64_t began_ns;
    char text[FL_RUNNING_TEXT_BYTES];
} fl_running;

/* ---- new versions of tables (versions.c) ---- */

typedef struct fl_table_version {
    fl_str name;
    fl_table *table;
    fl_key_index *index; /* NULL: the next statement that needs one makes it */
    bool moved_places;   /* they were moved by a version before this one */
    bool has_places;     /* rows that were there when the statement began are where they were */
} fl_table_version;

typedef struct fl_versions {
    fl_arena arena;
    fl_table_version *items;
    int32_t n;
    int32_t capacity;
    bool keeps_places; /* a table may be changed more than once */
} fl_versions;

void fl_versions_init(fl_versions *versions, fl_memory *memory);
void fl_versions_drop(fl_versions *versions);

#define NOTES_BYTES 1024

/* A query of the statement under way whose figures EXPLAIN ANALYZE asks for. */
typedef struct fl_observed {
    const fl_query *query;
    fl_optimize_report *report;
    fl_explain *explain; /* its actual figures lie in the arena */
    fl_arena *arena;
} fl_observed;
typedef struct fl_parquet_key fl_parquet_key;

struct fl_session {
    fl_engine *engine;
    const fl_registry *registry; /* what the call under way began with: held until the next begins */
    fl_memory memory;            /* of the session: what lives on between calls */
    fl_memory statement_memory;  /* below it, led to `interrupt`: what a call works with */
    fl_interrupt interrupt;      /* of the call under way */
    _Atomic int32_t n_calls;     /* under way: statements and reads of streams */
    _Atomic int64_t n_between;   /* interrupts that came while there was none: meant for open streams */
    fl_spill_quota spill_quota;  /* what its statements have spilled, held against temp_limit */
    fl_files_in_use files;       /* what the statement under way reads */
    fl_handle *handles;          /* made from this session and not closed yet */
    fl_settings settings;
    fl_prepared *prepared;
    fl_variable *variables;
    _Atomic(const fl_home *) home; /* where names are that say no schema: USE */
    fl_home *homes; /* that it ever was; they last as long as the session, whose streams may look at one */
    fl_parquet_key *parquet_keys; /* by name, the last one first */
    fl_sequences sequences;       /* for functions, as are the facts */
    fl_session_facts facts;
    fl_given_number *given; /* guarded by the engine's lock, as are the next three */
    int64_t given_capacity;
    int32_t n_given;
    int64_t last_given;    /* id of the sequence; 0: none yet */
    fl_versions *versions; /* that the statement under way made; NULL: it is none that changes tables */
    fl_observed *observed; /* by EXPLAIN ANALYZE of a change; NULL: it is none */
    int64_t changed_rows;  /* by the last statement; -1: it was none that changes rows */
    const char *command;   /* what it was: "INSERT", ... ; empty: none of those */
    int64_t now_us;        /* when the statement under way began: now() */
    int64_t binding_ns;    /* what binding it took, until its plan is made */
    pthread_mutex_t lock;  /* guards exec, which fl_session_progress looks at */
    fl_exec *exec;
    int64_t cpu_ns;
    int64_t id;
    fl_running running;      /* the statement under way */
    _Atomic int32_t refs;    /* of who opened it and of its streams: what they use is there until the last one goes */
    char notes[NOTES_BYTES]; /* of the last call, a line each */
};

/* ---- engine (engine.c) ---- */
void fl_engine_unref(fl_engine *engine);

/** fl_engine_open on a system that must outlive the engine (base/system.h; NULL: the one that there is). */
fl_status fl_engine_open_on(const fl_system *system, const fl_engine_options *options, fl_engine **ret_engine,
                            fl_err *err);

/* ---- keys of encrypted files (parquet_keys.c) ---- */

/** Keeps a key under a name, for the session; and puts keys in the place of their names in options. */
fl_status fl_parquet_key_add(fl_session *session, const fl_value *args, int32_t n_args, fl_err *err);
fl_status fl_parquet_keys_resolve(const fl_session *session, fl_arena *arena, fl_option *options, int32_t n_options,
                                  fl_err *err);
void fl_parquet_keys_free(fl_session *session);

/* ---- session (session.c) ---- */

/** Gives a reference back; when it is the last, the closed session's memory goes. Any thread. */
void fl_session_unref(fl_session *session);

/** Begins a call that may work for long: an interrupt that came before it is not meant for it. Gives the process's
 *  processor time, for fl_session_end. */
int64_t fl_session_begin(fl_session *session);

/** Ends it: gives `st` back, or FL_ERR_CANCELLED or FL_ERR_TIMEOUT where a call that was stopped failed with what followed
 *  from that (a function that could not be resolved, say). */
fl_status fl_session_end(fl_session *session, int64_t started_ns, fl_status st, fl_err *err);

/** What a caller of the C API gives as a table's name: FL_ERR_CONFIG where it is missing or empty, FL_ERR_VALUE where it is no UTF-8. */
fl_status fl_session_check_table_name(const char *name, fl_err *err);

/** Adds a handle to its session's; takes it out again (a detached one is in no list). */
void fl_handle_attach(fl_handle *handle, fl_session *session, void (*detach)(fl_handle *handle));
void fl_handle_remove(fl_handle *handle);

/** FL_ERR_CONFIG when the handle's session is closed. */
fl_status fl_handle_check(const fl_handle *handle, fl_err *err);

/** Adds a line to the session's notes, once; what has no room any more is left out. */
void fl_session_add_note(fl_session *session, fl_str subject, fl_str note);

/** Waits for the turn to change tables; whatever other statements do until fl_session_end_change, they change none. FL_ERR_CANCELLED
 *  or FL_ERR_TIMEOUT while it waits. */
fl_status fl_session_begin_change(fl_session *session, fl_err *err);
void fl_session_end_change(fl_session *session);

/* ---- registry (builtins.c, registry.c) ---- */
fl_status fl_engine_add_builtins(fl_registry *registry, fl_err *err);

/** The registry that is now, a reference of the caller's. Any thread. */
const fl_registry *fl_engine_registry(fl_engine *engine);

/** Puts a registry in its place that holds what `add` adds, too; what failed has changed nothing. Calls that began before, and
 *  plans that were, go on with the one that they hold. Any thread; `add` runs in the caller's. */
typedef fl_status (*fl_registry_adder)(void *ctx, fl_registry *registry, fl_err *err);
fl_status fl_engine_extend(fl_engine *engine, fl_registry_adder add, void *ctx, fl_err *err);

/** The same; `keep` (may be NULL) is called when all that can fail is done: where it succeeds the registry is put in its place. */
fl_status fl_engine_extend_kept(fl_engine *engine, fl_registry_adder add, fl_status (*keep)(void *ctx, fl_err *err),
                                void *ctx, fl_err *err);

/* ---- catalog (catalog.c) ---- */
void fl_session_catalog_init(fl_session_catalog *catalog, fl_session *session, fl_arena *arena);

/** Puts a table (its reference and the index of its keys, if any, are taken over on success) or view under a name.
 *  FL_ERR_DUPLICATE unless `replaces`. */
fl_status fl_engine_put_table(fl_engine *engine, fl_str name, fl_table *table, fl_key_index *index, bool replaces,
                              fl_err *err);
fl_status fl_engine_put_view(fl_engine *engine, fl_str name, const fl_catalog_entry *view, bool replaces, fl_err *err);

/** Puts versions of tables that are there in their places; their tables and indexes are taken over. Cannot fail. */
void fl_engine_replace_tables(fl_engine *engine, fl_table_version *versions, int32_t n);

/** Calls a table or view otherwise, and what goes with it. The name, which nothing has, is taken over. Cannot fail. */
void fl_engine_rename(fl_engine *engine, fl_str name, char *new_name);

/** The table of that name, a reference of the caller's, or NULL; and the index of its keys, which is the caller's then. */
fl_table *fl_engine_table(fl_engine *engine, fl_str name);
fl_key_index *fl_engine_take_key_index(fl_engine *engine, fl_str name);

/** Takes an index over, of the rows that the table of the name has now: for who has the turn to change tables. */
void fl_engine_give_key_index(fl_engine *engine, fl_str name, fl_key_index *index);

/** The table or view of that name, or NULL; the engine's lock is held. */
fl_catalog_item *fl_engine_item(fl_engine *engine, fl_str name);
/** Says of a table or view that there is whether it was made as a temporary one; and tells it. */
void fl_engine_set_temporary(fl_engine *engine, fl_str name, bool is_temporary);
bool fl_engine_is_temporary(fl_engine *engine, fl_str name);

/** Whether there is a table (1) or view (2) of that name; 0 neither. */
int fl_engine_has(fl_engine *engine, fl_str name);

/** Whether there is anything of that name. */
bool fl_engine_knows(fl_engine *engine, fl_str name);

/** Indexes that are no keys, which are names alone; they go with their table. FL_ERR_DUPLICATE unless `if_not_exists`; an empty name is not
 *  kept. Dropping says whether there was one. */
fl_status fl_engine_add_plain_index(fl_engine *engine, fl_str name, fl_str table_name, bool if_not_exists, int32_t pos,
                                    fl_err *err);
bool fl_engine_drop_plain_index(fl_engine *engine, fl_str name);
void fl_engine_forget_plain_indexes(fl_engine *engine, fl_str table_name);

/** Writes the hint, for which names of these indexes count, too. */
void fl_engine_hint_index(fl_engine *engine, fl_nearest *near, fl_err *err);

/** Drops a table or view; and whether that would succeed. */
fl_status fl_engine_check_drop(fl_engine *engine, fl_str name, bool wants_view, bool if_exists, int32_t pos,
                               fl_err *err);
fl_status fl_engine_drop(fl_engine *engine, fl_str name, bool wants_view, bool if_exists, int32_t pos, fl_err *err);

/** Names of tables and views, sorted, in the arena. */
fl_status fl_engine_names(fl_engine *engine, fl_arena *arena, fl_str **ret, int32_t *ret_n, fl_err *err);
void fl_engine_clear(fl_engine *engine);

/** A rule of the session's registry by its name. FL_ERR_CONFIG with the nearest name. */
fl_status fl_session_find_rule(fl_session *session, fl_str name, const struct fl_rule_desc **ret, fl_err *err);

/* ---- settings (settings.c) ---- */
void fl_settings_init(fl_settings *settings, const fl_engine *engine);
fl_status fl_settings_set(fl_session *session, fl_str name, const fl_value *values, int32_t n_values, int32_t pos,
                          fl_err *err);
fl_status fl_settings_reset(fl_session *session, fl_str name, int32_t pos, fl_err *err);

/** The i-th setting's name, or empty behind the last; its value as text. */
fl_str fl_settings_name(int32_t i);
fl_status fl_settings_print(const fl_session *session, fl_str name, fl_text *text, int32_t pos, fl_err *err);

/* ---- running (run.c) ---- */

/* Rows of a query, or of a statement that makes its own. */
typedef struct fl_rows {
    fl_arena arena;
    fl_field *fields;
    int32_t n_cols;
    fl_segment **segments;
    int64_t n_segments;
    struct fl_result_stream *stream; /* more comes of it behind the segments; NULL: those are all */
} fl_rows;

void fl_rows_drop(fl_rows *rows);

/** Runs a plan that is optimized; columns are the query's outputs. `use`: what the segments are for. Nothing is written into
 *  the plan: sessions may run one plan at once. `explain` (may be NULL) gets actual figures, which lie in `ret`. */
fl_status fl_session_run_plan(fl_session *session, const fl_query *query, const fl_value *params, int32_t n_params,
                              fl_segment_use use, fl_memory *keep, fl_rows *ret, fl_explain *explain, fl_err *err);

/** Optimizes a query that runs once. Where that took much memory it becomes that of fl_session_optimize. */
fl_status fl_session_optimize_once(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                                   fl_err *err);

/** Optimizes and runs a query once. Where optimizing took much memory it becomes that of fl_session_optimize before it runs. */
fl_status fl_session_run(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                         fl_segment_use use, fl_memory *keep, fl_rows *ret, fl_err *err);

/** The same of one that was optimized with fl_session_optimize_open. */
fl_status fl_session_run_optimized(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                                   fl_segment_use use, fl_memory *keep, fl_rows *ret, fl_err *err);

/* ---- what runs (running.c) ---- */

/** Puts the session's statement among those that run, unless it is there; waits until there is memory to begin with, while others work
 *  that may give some back. FL_ERR_CANCELLED, FL_ERR_TIMEOUT while it waits. */
fl_status fl_running_begin(fl_session *session, fl_str text, bool *ret_is_outermost, fl_err *err);
void fl_running_end(fl_session *session);

/** A stream takes the statement's place. */
void fl_running_hand_over(fl_session *session, fl_running *to, fl_interrupt *interrupt, fl_exec *exec,
                          const fl_memory *memory);
void fl_running_set_state(fl_running *running, fl_running_state state);

/** Takes a stream out. Does nothing for one that is in no list. */
void fl_running_remove(fl_running *running);

/** Id, session, state, seconds, percent done, bytes, text of all that run. */
fl_status fl_running_show(fl_session *session, fl_rows *ret, fl_err *err);

/** Stops the statement or stream of the engine whose id has these digits. FL_ERR_PARAMETER when there is none. */
fl_status fl_running_kill(fl_session *session, fl_str digits, int32_t pos, fl_err *err);

/* ---- rows that are read while they are computed (result_stream.c) ---- */

/* A query that runs as its rows are read. It holds what it needs, so it may outlive its session. One thread at a time, not always
 * the same one. */
typedef struct fl_result_stream fl_result_stream;

/** Optimizes the query, runs it until rows are there, and gives what they are in `ret`: a stream if there is more to compute.
 *  The session's files in use become the stream's. */
fl_status fl_session_open_stream(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                                 fl_rows *ret, fl_err *err);

/** The next rows, the caller's reference; NULL: the end. After a failure it fails in the same way. */
fl_status fl_result_stream_next(fl_result_stream *stream, fl_segment **ret, fl_err *err);

/** Runs it to its end and drops the rows: a statement whose rows nobody wants has still to succeed. */
fl_status fl_result_stream_finish(fl_result_stream *stream, fl_err *err);

/** Stops it where it is. Any thread. NULL does nothing. */
void fl_result_stream_free(fl_result_stream *stream);

/** Takes what words its errors from now on. */
struct fl_locator;
void fl_result_stream_set_locator(fl_result_stream *stream, struct fl_locator *locator);

/** Makes rows a stream as the C API gives it. They are the stream's on success. */
fl_status fl_rows_give(fl_session *session, fl_rows *rows, struct ArrowArrayStream *ret, fl_err *err);

/* What a session's run works with besides its plan. */
fl_session_state fl_session_state_of(const fl_session *session, const fl_value *params, int32_t n_params);

/** The same for running a plan: batches are larger where a function of it wants that, unless the session says what they are, or has little memory. */
void fl_session_state_fit(const fl_session *session, fl_session_state *state, const fl_plan *plan);

/** Says of a query that was stopped how far it came. */
void fl_exec_tell_progress(fl_exec *exec, fl_status st, fl_err *err);

/** Copies the query's columns. */
fl_status fl_rows_name_columns(fl_rows *rows, const fl_query *query, fl_err *err);

/** Rows of text columns made by hand: cells row by row (NULL data: null). */
fl_status fl_rows_of_text(fl_memory *memory, const char *const *names, int32_t n_cols, const fl_str *cells,
                          int64_t n_rows, fl_rows *ret, fl_err *err);

/** Optimizes a query that is kept. It becomes one over a copy of what was chosen (plan/plan_copy.h), and its reference to the
 *  plan in which that was chosen is given back. On failure it holds that still. */
fl_status fl_session_optimize(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                              fl_err *err);

/** Optimizes a query in its own plan, in which more can be made and where `report` (may be NULL) lies. */
fl_status fl_session_optimize_open(fl_session *session, fl_query *query, const fl_value *params, int32_t n_params,
                                   fl_optimize_report *report, fl_err *err);

/** The latest version of the table of that name, one that the statement made before others; a reference of the caller's, or NULL. */
fl_table *fl_session_latest(const fl_session *session, fl_str name);
bool fl_session_has_version(const fl_session *session, fl_str name);

/** Says that the version that was put last has the rows of the one before in their places; and asks for it: true, too, where there is no
 *  version. */
void fl_session_set_places(fl_session *session, fl_str name);
bool fl_session_has_places(const fl_session *session, fl_str name);

/** The index of the rows of this version of a table, which is the caller's then; NULL: there is none. */
fl_key_index *fl_session_take_index(fl_session *session, fl_str name, const fl_table *table);

/** Keeps a new version of the table of that name until the statement is done. Takes over table and index on success. FL_ERR_MEMORY. */
fl_status fl_session_put_version(fl_session *session, fl_str name, fl_table *table, fl_key_index *index, fl_err *err);

/** Puts all new versions in the places of the old ones. Cannot fail. */
void fl_session_publish(fl_session *session);

/* ---- comments (comment.c) ---- */
fl_status fl_session_comment(fl_session *session, const fl_sql_bound *bound, fl_err *err);
void fl_named_comments_free(fl_named_comment *list);

/** The comment on a column or key; NULL: none. The engine's lock is held. */
const char *fl_item_comment(const fl_catalog_item *item, bool is_key, fl_str name);

/** A column that is called otherwise takes its comment along; and of columns and keys that the table has no more the comments go. */
void fl_engine_rename_column_comment(fl_engine *engine, fl_str table, fl_str column, fl_str to);
void fl_engine_keep_comments(fl_engine *engine, fl_str name, const fl_table *table);

/* ---- variables (variable.c) ---- */
fl_status fl_session_set_variable(fl_session *session, const fl_sql_bound *bound, const fl_value *params,
                                  int32_t n_params, fl_err *err);
void fl_session_reset_variable(fl_session *session, fl_str name);
void fl_session_drop_variables(fl_session *session);

/** The variable's value; NULL: there is none. */
const fl_value *fl_session_variable(fl_session *session, fl_str name);

/** The one value of a query of one column, null where it has no row, in the arena. FL_ERR_CARDINALITY for several. */
fl_status fl_session_scalar(fl_session *session, const fl_query *query, const fl_value *params, int32_t n_params,
                            fl_arena *arena, fl_value *ret, fl_err *err);

/* ---- facts (facts.c) ---- */
void fl_session_facts_init(fl_session *session);

/* ---- sequences (sequence.c) ---- */
void fl_session_sequences_init(fl_session *session);
fl_status fl_session_create_sequence(fl_session *session, const fl_sql_bound *bound, fl_err *err);
fl_status fl_session_alter_sequence(fl_session *session, const fl_sql_bound *bound, fl_err *err);
/** Drops one, and with `cascades` the defaults that count by it. FL_ERR_UNSUPPORTED (2BP01) where something does. */
fl_status fl_session_drop_sequence(fl_session *session, fl_str name, bool if_exists, bool cascades, int32_t pos,
                                   fl_err *err);
fl_status fl_engine_drop_sequence(fl_engine *engine, fl_str name, bool if_exists, bool cascades, int32_t pos,
                                  fl_err *err);
bool fl_engine_has_sequence(fl_engine *engine, fl_str name);

/** A sequence that nobody knows yet; of a table unless the name is empty, with numbers of a type. */
fl_status fl_sequence_new(fl_str name, fl_str table_name, const fl_ast_sequence_options *options, fl_type_id type,
                          fl_sequence **ret, fl_err *err);
void fl_sequence_free(fl_sequence *sequence); /* NULL does nothing */

/** Takes one over, in the place of one of its name. Cannot fail. */
void fl_engine_add_sequence(fl_engine *engine, fl_sequence *sequence);

/** Drops those that go with a table, or are in a schema. The engine's lock is held. */
void fl_engine_forget_sequences(fl_engine *engine, fl_str table_name);
void fl_engine_forget_sequences_in(fl_engine *engine, fl_str database, fl_str schema);
bool fl_engine_has_sequence_in(fl_engine *engine, fl_str database, fl_str schema);

/* ---- schemas (schema.c) ---- */
fl_status fl_session_create_schema(fl_session *session, const fl_sql_bound *bound, fl_err *err);
fl_status fl_session_drop_schema(fl_session *session, fl_str name, bool if_exists, bool cascades, int32_t pos,
                                 fl_err *err);
bool fl_engine_has_schema(fl_engine *engine, fl_str database, fl_str name);
void fl_schema_free(fl_schema *schema); /* NULL does nothing */

/** Drops all that is in a schema, and it; with an empty name, in all of a database. */
fl_status fl_session_drop_inside(fl_session *session, fl_str database, fl_str schema, fl_err *err);

/* ---- macros (macro.c) ---- */
fl_status fl_session_create_macro(fl_session *session, const fl_sql_bound *bound, fl_err *err);
fl_status fl_session_drop_macro(fl_session *session, fl_str name, fl_macro_kind kind, bool if_exists, int32_t pos,
                                fl_err *err);
void fl_macro_free(fl_macro *macro); /* NULL does nothing */
bool fl_engine_has_macro(fl_engine *engine, fl_str name, fl_macro_kind kind);

/** The macro's text, in the arena; false: there is none, or no memory. `ret` NULL: whether there are macros at all. */
bool fl_engine_find_macro(fl_engine *engine, fl_str name, fl_macro_kind kind, fl_arena *arena, fl_catalog_macro *ret);
void fl_engine_offer_macros(fl_engine *engine, fl_macro_kind kind, fl_nearest *near);

/** As of sequences: drops those in a schema, with the engine's lock held. */
void fl_engine_forget_macros_in(fl_engine *engine, fl_str database, fl_str schema);
bool fl_engine_has_macro_in(fl_engine *engine, fl_str database, fl_str schema);

/* ---- databases (database.c) ---- */
fl_status fl_session_attach(fl_session *session, const fl_sql_bound *bound, fl_err *err);
fl_status fl_session_detach(fl_session *session, const fl_sql_bound *bound, fl_err *err);
fl_status fl_session_use(fl_session *session, const fl_sql_bound *bound, fl_err *err);
/** Names of databases, sorted. */
fl_status fl_engine_databases(fl_engine *engine, fl_arena *arena, fl_str **ret, int32_t *ret_n, fl_err *err);
fl_status fl_engine_show_databases(fl_engine *engine, fl_rows *ret, fl_err *err);
/** Puts the session into a schema that is there. FL_ERR_MEMORY where it was never in it. */
fl_status fl_session_go_to(fl_session *session, fl_str database, fl_str schema, fl_err *err);
fl_status fl_session_use_main(fl_session *session, fl_err *err);
void fl_session_drop_homes(fl_session *session);
bool fl_engine_has_database(fl_engine *engine, fl_str name);
fl_status fl_engine_fail_database(fl_engine *engine, fl_str name, fl_err *err); /* 3D000 */
void fl_database_free(fl_database *database);                                   /* NULL does nothing */

/** The key of a name of n parts that is written where names without a schema are in this one. `is_new`: of something that is made;
 *  else of what is there, in that schema or in the main one of its database. FL_ERR_TABLE (3D000, 3F000), FL_ERR_AMBIGUOUS. */
fl_status fl_session_qualify(fl_session *session, fl_str database, fl_str schema, const fl_str *parts, int32_t n,
                             bool is_new, fl_arena *arena, fl_str *ret, fl_err *err);

/** The same of what is there, of a name in a text, as of nextval('s.q'). */
fl_status fl_session_qualify_text(fl_session *session, fl_str text, fl_arena *arena, fl_str *ret, fl_err *err);

/** A copy to be freed with fl_free. */
fl_status fl_copy_name(fl_str name, char **ret, fl_err *err);

/* ---- what tables ask of rows (row_rules.c, foreign_key.c) ---- */

/* Rows that a change leaves, as its query gives them. */
typedef struct fl_new_rows {
    fl_segment *const *segments;
    int64_t n;
    int32_t first;       /* from this column on they are the table's columns */
    const int32_t *cols; /* which ones; NULL: all in order */
    int32_t n_cols;
    int32_t first_check; /* from this column on CHECKs are */
    int32_t n_checks;
    fl_segment *const *old; /* the table's, for messages */
    int32_t place;          /* the column that says where in them a row is; -1: none */
} fl_new_rows;

/** NOT NULL and CHECK: FL_ERR_CONSTRAINT (23502, 23514) with the row's values. */
fl_status fl_check_new_rows(const fl_new_rows *rows, const fl_table *table, fl_str name, fl_err *err);

/** Whether a foreign key of the table has one of these columns. */
bool fl_refers_by(const fl_table *table, const int32_t *cols, int32_t n);

/** Whether foreign keys from and to the new version of a table are of types that can be compared: FL_ERR_TYPE (42804). */
fl_status fl_check_reference_types(fl_session *session, const fl_table *made, fl_str name, fl_err *err);

/** Whether the rows, of the table's columns, refer to rows that are there: FL_ERR_CONSTRAINT (23503). The table is the new version of
 *  its name; others are looked at in their latest one. */

fl_status fl_check_references(fl_session *session, fl_table *table, fl_str name, const fl_segments *rows, fl_err *err);

/* ---- changing tables (change.c, merge.c, alter.c): between fl_session_begin_change and fl_session_end_change ---- */
fl_status fl_session_create_table(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                                  fl_err *err);

/** Those that change rows give what RETURNING asks for in `ret`. */
fl_status fl_session_insert(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                            fl_rows *ret, fl_err *err);

/** UPDATE, DELETE and TRUNCATE. */
fl_status fl_session_change_rows(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                                 fl_rows *ret, fl_err *err);
fl_status fl_session_merge(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                           fl_rows *ret, fl_err *err);

fl_status fl_session_alter(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                           fl_err *err);

/** FL_ERR_UNSUPPORTED where the statement under way has changed that table already, in a way after which rows are elsewhere. */
fl_status fl_check_one_change(const fl_session *session, fl_str name, fl_err *err);

/** Only a unique index has an effect: a key. Of others the name is kept. */
fl_status fl_session_create_index(fl_session *session, const fl_sql_bound *bound, fl_err *err);
fl_status fl_session_drop_index(fl_session *session, fl_str name, bool if_exists, int32_t pos, fl_err *err);

/* ---- statements (statement.c) ---- */

/** Copies names of parameters, each to be freed as the list is; *ret NULL where they have numbers. */
fl_status fl_copy_param_names(const fl_ast_statement *statement, char ***ret, fl_err *err);
void fl_free_param_names(char **names, int32_t n);
void fl_prepared_free(fl_prepared *prepared); /* NULL does nothing */

/** Runs one parsed statement. Parameters may be given (values known). */
fl_status fl_session_execute(fl_session *session, fl_str text, const fl_ast_statement *ast, const fl_value *params,
                             int32_t n_params, fl_rows *ret, fl_err *err);

/* Words an error's position for a query that has no text; for as long as its rows are read. */
typedef struct fl_locator {
    void (*locate)(void *ctx, fl_err *err);
    void (*free)(void *ctx); /* on whichever thread releases the rows; may be NULL */
    void *ctx;
} fl_locator;

/** Runs a query that has no text, as the session's current one, and gives its rows out (session.c). Positions in *err are as they are in
 *  `ast`. The locator is taken (*locator empty) where rows are still to be computed: errors of reading them are worded by it. */
fl_status fl_session_run_statement(fl_session *session, const fl_ast_statement *ast, fl_locator *locator,
                                   struct ArrowArrayStream *ret_rows, fl_err *err);

/** Plan hash and explained plan of such a query, as calls of their own (unwritten.c); the text is to be freed with fl_text_free. */
fl_status fl_session_statement_hash(fl_session *session, const fl_ast_statement *ast, uint64_t *ret_hash, fl_err *err);
fl_status fl_session_statement_explain(fl_session *session, const fl_ast_statement *ast, char **ret_text, fl_err *err);

/* COPY (copy.c), whose rows are one: how many rows were copied; EXPORT and IMPORT DATABASE (export.c). */
fl_status fl_session_copy_to(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                             fl_rows *ret, fl_err *err);
fl_status fl_session_copy_from(fl_session *session, fl_sql_bound *bound, const fl_value *params, int32_t n_params,
                               fl_rows *ret, fl_err *err);
fl_status fl_session_export(fl_session *session, const fl_sql_bound *bound, fl_err *err);

/** Adds the statement that makes a table without its rows, and those that add its foreign keys. */
fl_status fl_table_print_sql(fl_session *session, const fl_full_name *name, const fl_table *table, bool is_temporary,
                             fl_text *ret_table, fl_text *ret_foreign_keys, fl_err *err);
fl_status fl_session_import(fl_session *session, const fl_sql_bound *bound, fl_err *err);

/* Users' functions (function.c). Names are told from others' without regard to case. */

/** A language by its name, NULL when there is none. */
const fl_udf_language *fl_engine_language(fl_str name);

fl_status fl_session_create_function(fl_session *session, const fl_sql_bound *bound, fl_err *err);

/** Makes a version of a function, whose code the declaration has, or makes the one active that is the same. */
fl_status fl_session_put_function(fl_session *session, const fl_function_declaration *declaration, fl_err *err);

/** Makes another version of a name the active one; `version` 0: the one before. */
fl_status fl_session_activate_function(fl_session *session, fl_str name, int64_t version, fl_err *err);

/** Drops functions with all their versions; none where one of the names is unknown, unless `if_exists`. */
fl_status fl_session_drop_functions(fl_session *session, const fl_str *names, const int32_t *names_pos, int32_t n,
                                    bool if_exists, fl_err *err);
fl_status fl_session_show_functions(fl_session *session, fl_rows *ret, fl_err *err);
fl_status fl_session_show_versions(fl_session *session, fl_str name, fl_rows *ret, fl_err *err);

/** A value for a parameter of `type` (FL_NULL: any): cast to that type without its modifiers. FL_ERR_VALUE, FL_ERR_RANGE,
 *  FL_ERR_TYPE. Text is borrowed from the value or the arena; *ret may be *value. */
fl_status fl_param_cast(fl_arena *arena, const fl_value *value, fl_type type, fl_value *ret, fl_err *err);

/** Binds without running, parameters unknown: what they are is in ret->query. The arena holds what is given. */
fl_status fl_session_bind_only(fl_session *session, fl_arena *arena, fl_str text, const fl_ast_statement *ast,
                               fl_sql_bound *ret, fl_err *err);

#endif
