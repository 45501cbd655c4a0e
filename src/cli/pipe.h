/* `fletch --pipe`: a session that programs drive, a JSON object a line each way.
 *
 *     in    {"sql": "SELECT $1 + 1", "params": [41]}, or {"sql": "SELECT $n + 1", "params": {"n": 41}}
 *     out   {"columns":["?column?"],"types":["bigint"],"rows":[[42]],"ms":0.2,"cpu_ms":0.1}
 *     in    {"query": {"from": "orders.parquet", "filter": {"amount": {"$gt": 100}}}}        docs/expressions.md
 *     out   {"error":{"code":"column","sqlstate":"42703","message":"…","position":7,"hint":"…"}}
 *
 * Each line out is flushed at once. A line that is no such object is answered by an error; only the end of the input ends
 * the session. `position` counts bytes of `sql` from 0 and is null where there is none. */
#ifndef FL_CLI_PIPE_H
#define FL_CLI_PIPE_H

#include "fletch/fletch.h"

#include <stdio.h>

/** Answers lines of `in` on `out` until `in` ends. False when an answer cannot be written. */
bool fl_cli_pipe(fl_session *session, FILE *in, FILE *out);

#endif
