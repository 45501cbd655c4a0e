/* fletch: an embeddable query engine. SQL over Parquet, CSV, JSON and Arrow data, in your process.
 *
 *     fl_engine *engine;
 *     fl_session *session;
 *     struct ArrowArrayStream rows;
 *     fl_err err;
 *     fl_engine_open(NULL, &engine, &err);
 *     fl_session_open(engine, &session, &err);
 *     if (fl_session_query(session, "SELECT count(*) FROM 'orders.parquet'", &rows, &err) != FL_OK)
 *         fprintf(stderr, "%s\n", err.message);
 *     …                                   read the stream as the Arrow C stream interface says, then rows.release(&rows)
 *     fl_session_close(session);
 *     fl_engine_close(engine);
 *
 * An engine holds the worker threads, the buffer pool, the registry and the catalog of tables; a session holds settings and
 * prepared statements. Engine calls may come from any thread. A session, and what was made from it, is used by one thread
 * at a time, but for fl_session_interrupt and fl_session_progress. `err` may be NULL everywhere. Strings are UTF-8. */
#ifndef FLETCH_FLETCH_H
#define FLETCH_FLETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "fletch/arrow.h"
#include "fletch/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define FL_API __attribute__((visibility("default")))

typedef struct fl_engine fl_engine;
typedef struct fl_session fl_session;
typedef struct fl_statement fl_statement;
typedef struct fl_builder fl_builder;

#define FL_THREADS_MAX 256 /* workers that an engine has at most */

/* How functions in Python are run (fl_engine_options.allow_python). */
enum {
    FL_PYTHON_ALLOWED = 1,    /* in worker processes without files, network or secrets */
    FL_PYTHON_IN_PROCESS = 2, /* beside it: in this process, where they may do all that it may, and end it */
    FL_PYTHON_UNCONFINED = 4, /* beside it: in workers with what walls there are, where the kernel lacks some */
};

/* How an engine starts. Clear it, set `size`, change what you want. Texts are copied. */
typedef struct fl_engine_options {
    uint32_t size;              /* sizeof(fl_engine_options) */
    int32_t threads;            /* workers, the caller included, up to FL_THREADS_MAX; 0 = as many as processors */
    int64_t memory_limit_bytes; /* of all queries and tables together; 0 = 80 % of the machine's */
    /* The folder that keeps users' functions; NULL or "" = they go with the engine. It is made when the first is kept; its owner alone may
     * write to it. Several engines may use it. */
    const char *udf_dir;
    /* Where plugins (fletch_wasm.so) are looked for first; NULL or "" = beside the library or program. The process has one: the engine
     * that was opened last with one says it. */
    const char *plugin_dir;
    /* Files of public keys (PEM, Ed25519): native code that came with a module is run where one of these signed it. Read when the
     * engine is opened; their owner alone may write to them. */
    const char *const *udf_keys;
    int32_t n_udf_keys;
    uint32_t allow_python;   /* FL_PYTHON_ALLOWED and others: how LANGUAGE python is run; 0 = it is not */
    const char *python_path; /* folders of modules that functions in Python may import, between colons */
} fl_engine_options;

/** Opens an engine. `options` may be NULL. Errors: FL_ERR_MEMORY, FL_ERR_CONFIG. Starts no thread yet. */
FL_API fl_status fl_engine_open(const fl_engine_options *options, fl_engine **ret_engine, fl_err *err);

/** Closes an engine whose sessions are closed, and whose arrays are released. Streams of queries may be released later. NULL does
 *  nothing. */
FL_API void fl_engine_close(fl_engine *engine);

/** What the engine has counted since it was opened, over all sessions, in Prometheus' text format (version 0.0.4): docs/metrics.md lists
 *  the metrics. Durations are in seconds. The text ends with a NUL and is to be freed with fl_text_free. Any thread, also while queries
 *  run: they do not wait for it. FL_ERR_MEMORY. */
FL_API fl_status fl_engine_metrics(fl_engine *engine, char **ret_text, fl_err *err);

/** Opens a session. Tables that it creates are its engine's: other sessions see them. */
FL_API fl_status fl_session_open(fl_engine *engine, fl_session **ret_session, fl_err *err);

/** Closes a session. Statements and builders that were made from it are to be closed, too, before it or after; used after,
 *  they fail with FL_ERR_CONFIG. */
FL_API void fl_session_close(fl_session *session);

/** Runs one or several statements separated by `;` and gives the last one's rows as a stream. A statement without rows gives
 *  a stream of no columns. Any error stops at that statement; those before it have taken effect.
 *
 *  The call returns when the first rows are there; get_next computes more as it is called, and the engine's workers go on
 *  between the calls, until some megabytes wait. So an error may come from get_next (fl_stream_error tells it whole), and
 *  a query whose stream is released early is stopped. Several streams may be open at once. One thread at a time reads a
 *  stream; it may be released on any thread, and when its session is closed. The timeout counts time in calls. */
FL_API fl_status fl_session_query(fl_session *session, const char *sql, struct ArrowArrayStream *ret_rows, fl_err *err);

/** The same for a text with a length, which may hold NUL bytes (and is refused for them with their place). */
FL_API fl_status fl_session_query_text(fl_session *session, const char *sql, size_t bytes,
                                       struct ArrowArrayStream *ret_rows, fl_err *err);

/** Prepares a single statement; parameters are $1 …, $name or ?. Names and types are resolved now, and again when tables change. */
FL_API fl_status fl_session_prepare(fl_session *session, const char *sql, size_t bytes, fl_statement **ret_statement,
                                    fl_err *err);
FL_API void fl_statement_close(fl_statement *statement);

/** Number of parameters. */
FL_API int32_t fl_statement_params(const fl_statement *statement);

/** A parameter's name, empty where parameters have numbers or there is none of that number; valid until the statement is closed. And the
 *  number of the parameter of a name, whatever its case, to be bound by; 0: there is none. Parameters that have names are numbered in the
 *  order of their first places in the text. */
FL_API const char *fl_statement_param_name(const fl_statement *statement, int32_t number);
FL_API int32_t fl_statement_find_param(const fl_statement *statement, const char *name);

/** Binds parameter `number` (from 1). The value is copied and keeps until it is bound again. FL_ERR_PARAMETER when there is
 *  no such parameter, FL_ERR_VALUE (22021) for text that is no UTF-8. Text is cast to the type that the statement needs. */
FL_API fl_status fl_statement_bind_null(fl_statement *statement, int32_t number, fl_err *err);
FL_API fl_status fl_statement_bind_bool(fl_statement *statement, int32_t number, bool value, fl_err *err);
FL_API fl_status fl_statement_bind_int64(fl_statement *statement, int32_t number, int64_t value, fl_err *err);
FL_API fl_status fl_statement_bind_double(fl_statement *statement, int32_t number, double value, fl_err *err);
FL_API fl_status fl_statement_bind_text(fl_statement *statement, int32_t number, const char *text, size_t bytes,
                                        fl_err *err);

/** Runs it with the bound values; FL_ERR_PARAMETER when one is missing. */
FL_API fl_status fl_statement_execute(fl_statement *statement, struct ArrowArrayStream *ret_rows, fl_err *err);

/** Registers a stream as table `name`: it is read to its end now and released in any case; columns whose layout agrees keep
 *  the producer's memory until the table goes. FL_ERR_DUPLICATE when the name is taken and `replace` is false; FL_ERR_TYPE
 *  for Arrow types that fletch does not know; FL_ERR_CORRUPT for buffers that contradict the specification, and for values
 *  that their type cannot hold, FL_ERR_VALUE (22021) for text that is no UTF-8, with column and row. Timeout and
 *  fl_session_interrupt stop it, too. */
FL_API fl_status fl_session_register(fl_session *session, const char *name, struct ArrowArrayStream *rows, bool replace,
                                     fl_err *err);

/** Why get_next of a query's stream failed, with SQLSTATE and hint; FL_OK when it did not, or another library made the
 *  stream. */
FL_API fl_status fl_stream_error(const struct ArrowArrayStream *stream, fl_err *ret_err);

/** Stops what the session runs, from any thread (and from signal handlers): the running call fails with FL_ERR_CANCELLED
 *  within 100 ms, a read of a stream too, which then ends with it. Where no call runs, the session's open streams end at their next
 *  read, and without one it does nothing. */
FL_API void fl_session_interrupt(fl_session *session);

/** Share of the running statement's work that is done, 0 to 1; from any thread. */
FL_API double fl_session_progress(const fl_session *session);

/** Processor time that the session's last statement took, over all workers, in nanoseconds. */
FL_API int64_t fl_session_cpu_ns(const fl_session *session);

/** Rows that the session's last statement inserted, updated, deleted or merged; -1 where it was none that changes rows. */
FL_API int64_t fl_session_changed_rows(const fl_session *session);

/** What the last statement was, where it changes something: "INSERT", "UPDATE", "CREATE TABLE"; empty for others. Valid forever. */
FL_API const char *fl_session_command(const fl_session *session);

/** The words of the language, for completing and colouring: keywords, and functions with a parenthesis behind them ("sum("), a line each, sorted.
 *  fl_text_free the text. */
FL_API fl_status fl_session_words(fl_session *session, char **ret_text, fl_err *err);

/** What there is to know of the session's last statement besides its rows: that columns of a file have other names here,
 *  for one. A line each; empty when there is nothing. Valid until the session's next call. */
FL_API const char *fl_session_notes(const fl_session *session);

/** Runs a query that is written as a JSON object: docs/expressions.md has its language, by an example:
 *
 *      {"from": "orders.parquet", "filter": {"amount": {"$gt": 100}}, "group": ["region"],
 *       "select": ["region", "sum(amount) as total"], "sort": ["-total"], "limit": 10}
 *
 *  Rows, errors and times are those of fl_session_query. An error's message names its place as a JSON pointer
 *  ("at /filter/amount/$gt: …"); `position` counts in an infix text, where it is in one. */
FL_API fl_status fl_session_query_json(fl_session *session, const char *json, size_t bytes,
                                       struct ArrowArrayStream *ret_rows, fl_err *err);

/** The optimized plan of such a query as text, in memory to be freed with fl_text_free; and its plan hash, which is that of the same
 *  query in SQL. */
FL_API fl_status fl_session_explain_json(fl_session *session, const char *json, size_t bytes, char **ret_text,
                                         fl_err *err);
FL_API fl_status fl_session_plan_hash_json(fl_session *session, const char *json, size_t bytes, uint64_t *ret_hash,
                                           fl_err *err);

/* Users' functions. CREATE FUNCTION, DROP FUNCTION and SHOW FUNCTIONS are SQL; these are for who has names and code at hand. With
 * fl_engine_options.udf_dir what they do is on the disk when they return; where they fail nothing has changed. */

/** Makes a function, or a new version of it: `code` is an expression's text or a module's bytes, by the language ("expr", "wasm").
 *  `signature` is "(double, text) -> double", with parameters' names before their types or without; NULL: the code says it. The same code
 *  again makes its version the active one. FL_ERR_SYNTAX, FL_ERR_TYPE, FL_ERR_FUNCTION, FL_ERR_CORRUPT say what is wrong with it. */
FL_API fl_status fl_session_deploy_function(fl_session *session, const char *name, const char *language,
                                            const char *signature, const void *code, size_t bytes, fl_err *err);

/* What else CREATE FUNCTION can say of a function. Clear it, set `size`, change what you want. */
typedef struct fl_function_options {
    uint32_t size;        /* sizeof(fl_function_options) */
    bool is_aggregate;    /* CREATE AGGREGATE FUNCTION: it needs a signature */
    bool takes_nulls;     /* CALLED ON NULL INPUT */
    bool errors_are_null; /* ON ERROR NULL */
    int64_t fuel;         /* FUEL: steps that a call may take, of WebAssembly; 0: it is not bounded by steps */
} fl_function_options;

/** The same with options. FL_ERR_CONFIG where they are none. */
FL_API fl_status fl_session_deploy_function_with(fl_session *session, const fl_function_options *options,
                                                 const char *name, const char *language, const char *signature,
                                                 const void *code, size_t bytes, fl_err *err);

/** Compiles a function of a WebAssembly module for processors like this one, and signs module and native code with the private key (PEM,
 *  Ed25519) in a file: bytes that fl_session_deploy_function and CREATE FUNCTION take in the module's place, in memory to be freed with
 *  fl_text_free. Engines that have the public key in their udf_keys run the native code; others compile the module, as do those of
 *  another version, processor or signature, and say so in fl_session_notes. What was changed since it was signed is refused
 *  (FL_ERR_CORRUPT, 42501). `name` NULL: the one function that the module exports; `signature` as above. FL_ERR_CONFIG says what
 *  is wrong with a key. */
FL_API fl_status fl_session_compile_function(fl_session *session, const char *name, const char *signature,
                                             const void *module, size_t bytes, const char *key_file, char **ret_code,
                                             size_t *ret_bytes, fl_err *err);

/** Makes an earlier version of a function the active one: `version` counts from 1, 0 is the one before the active. FL_ERR_FUNCTION when
 *  there is no such function or version. */
FL_API fl_status fl_session_rollback_function(fl_session *session, const char *name, int64_t version, fl_err *err);

/** Rows of all versions of a function, the newest first: version, state (active or null), signature, language, sha256, created, and
 *  fault: why it cannot be called, where that is so. */
FL_API fl_status fl_session_show_function(fl_session *session, const char *name, struct ArrowArrayStream *ret_rows,
                                          fl_err *err);

/* Queries by builder: the same plans as SQL makes, without a text of the whole.
 *
 *     fl_builder *q = fl_query_from(session, "orders");
 *     fl_builder_where(q, "amount > 100 AND region = 'north'");
 *     fl_builder_group_by(q, "region");
 *     fl_builder_agg(q, "sum(amount) AS total, count(*) AS n");
 *     fl_builder_order_by(q, "total DESC");
 *     fl_builder_take(q, 10);
 *     fl_builder_run(q, &rows, &err);
 *     fl_builder_free(q);
 *
 * Steps apply in the order of the calls. Each gives the builder back, so that calls may be nested; the first error is kept
 * and reported by the call that ends the chain. Expressions are written as in SQL; texts are copied.
 *
 * Each text is parsed by itself, to its end: "a > 1) UNION SELECT (1" is a syntax error of that step, never another query.
 * An error's message names the step, and its position counts in that step's text, which is shown with a caret:
 *
 *     where: there is no column "amuont"
 *       amuont > 100 AND region = 'north'
 *       ^
 *
 * When a step comes behind one that SQL applies later (a where behind an agg), what is there becomes a subquery, called as
 * its table when it has just one: fl_builder_join may still say "orders.region" behind a where. */

/** A query over a table, view, table function or "(query)", with or without an alias behind it; or over a file:
 *  "orders.parquet", in single quotes where an alias follows. NULL when memory runs out,
 *  which the calls below take and the ones that end a chain report (FL_ERR_MEMORY). */
FL_API fl_builder *fl_query_from(fl_session *session, const char *table);

/** Keeps the rows for which the condition holds; of several calls all must hold. */
FL_API fl_builder *fl_builder_where(fl_builder *builder, const char *condition);

/** A select list, with aliases, stars and DISTINCT as in SQL. */
FL_API fl_builder *fl_builder_select(fl_builder *builder, const char *expressions);

/** Keys of groups, with aliases or without, or sets of them: "ROLLUP (a, b)"; fl_builder_agg must follow. */
FL_API fl_builder *fl_builder_group_by(fl_builder *builder, const char *expressions);

/** Aggregates of the groups named by the group_by before it (or of all rows): its rows are the groups' keys and these. */
FL_API fl_builder *fl_builder_agg(fl_builder *builder, const char *aggregates);

/** Named windows, "w AS (PARTITION BY a ORDER BY b)", for the select, agg and qualify behind it, which may as well have windows of their
 *  own: "rank() OVER (ORDER BY b) AS r". */
FL_API fl_builder *fl_builder_window(fl_builder *builder, const char *windows);

/** Keeps the rows for which a condition over functions of windows holds; it may use what the select before it calls them. */
FL_API fl_builder *fl_builder_qualify(fl_builder *builder, const char *condition);

/** A sample of the rows: "10%", "bernoulli(10)", "reservoir(100 ROWS) REPEATABLE (7)". */
FL_API fl_builder *fl_builder_sample(fl_builder *builder, const char *size);

/** Joins a table; `kind` is "inner", "left", "right", "full", "semi", "anti", "cross", "asof", "asof left" or "positional"; `on` is its
 *  condition, NULL for cross and positional. */
FL_API fl_builder *fl_builder_join(fl_builder *builder, const char *table, const char *kind, const char *on);

/** The rows and those of a table or "(query)": `kind` is "union", "intersect" or "except", with " all" behind it, for union with
 *  " by name" behind that or alone. */
FL_API fl_builder *fl_builder_set(fl_builder *builder, const char *kind, const char *table);

/** A column for each value of the keys, "month" or "month IN (1, 2)", and each aggregate (NULL: a count). `groups` NULL: all columns that
 *  nothing reads. */
FL_API fl_builder *fl_builder_pivot(fl_builder *builder, const char *keys, const char *aggregates, const char *groups);

/** A row for each of the columns, "jan, feb" or "COLUMNS(* EXCLUDE (id))", with its name and its value; NULL: they are called name and
 *  value. */
FL_API fl_builder *fl_builder_unpivot(fl_builder *builder, const char *columns, const char *name, const char *values);

/** Sort keys with ASC, DESC, NULLS FIRST, NULLS LAST. Calls in a row add keys. */
FL_API fl_builder *fl_builder_order_by(fl_builder *builder, const char *keys);

/** At most so many rows; all but the first so many. Not negative. */
FL_API fl_builder *fl_builder_take(fl_builder *builder, int64_t rows);
FL_API fl_builder *fl_builder_skip(fl_builder *builder, int64_t rows);

/** Writes the rows to a file instead of giving them, as COPY … TO does: running gives one row, how many they were. `options` are COPY's,
 *  "(FORMAT csv, HEADER)", or NULL. The last step. */
FL_API fl_builder *fl_builder_copy_to(fl_builder *builder, const char *file, const char *options);

/** Runs the query. The builder may be run again. */
FL_API fl_status fl_builder_run(fl_builder *builder, struct ArrowArrayStream *ret_rows, fl_err *err);

/** The optimized plan as text, in memory to be freed with fl_text_free. */
FL_API fl_status fl_builder_explain(fl_builder *builder, char **ret_text, fl_err *err);

/** The plan hash of the query as it was built (literals included), equal for the same query from SQL. */
FL_API fl_status fl_builder_plan_hash(fl_builder *builder, uint64_t *ret_hash, fl_err *err);
FL_API fl_status fl_session_plan_hash(fl_session *session, const char *sql, uint64_t *ret_hash, fl_err *err);
FL_API void fl_builder_free(fl_builder *builder);
FL_API void fl_text_free(char *text);

/** fletch's version, "major.minor.patch". */
FL_API const char *fl_version(void);

#ifdef __cplusplus
}
#endif

#endif
