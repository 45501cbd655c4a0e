"""Talks to `fletch --pipe`: one JSON object a line in, one a line out. What every test and benchmark in Python uses.

Relies on: the contract of docs (`{"sql": ...}` in; `columns`, `types`, `rows`, `ms`, `cpu_ms` or `error` out). The
program is build/release/fletch unless another path is given.
"""

import json
import os
import pathlib
import selectors
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "release" / "fletch"


class QueryError(Exception):
    """fletch refused or failed a statement; `sqlstate` says how."""

    def __init__(self, error):
        super().__init__(f"{error.get('sqlstate')}: {error.get('message')}")
        self.sqlstate = error.get("sqlstate")
        self.error = error

    def __reduce__(self):  # so that one process can tell another
        return QueryError, (self.error,)


class Died(Exception):
    """The process ended, or hung and was killed, while a statement ran."""


class Pipe:
    """One fletch process with one session."""

    def __init__(self, program=PROGRAM, args=(), timeout_s=120, env=None):
        self.command = [str(program), "--pipe", *args]
        self.timeout_s = timeout_s
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.start()

    def start(self):
        self.buffer = b""
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def close(self):
        """Ends the process and returns its exit status; negative is a signal."""
        if self.process is None:
            return 0
        try:
            self.process.stdin.close()
        except OSError:
            pass  # it died before
        try:
            status = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        self.selector.close()
        self.process = None
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read_line(self):
        end = time.monotonic() + self.timeout_s
        parts = [self.buffer]
        while b"\n" not in parts[-1]:
            left = end - time.monotonic()
            if left <= 0 or not self.selector.select(left):
                self.process.kill()
                raise Died(f"no answer within {self.timeout_s} s")
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            if not piece:
                status = self.process.wait()
                raise Died(f"exit status {status}")
            parts.append(piece)
        head, _, tail = parts[-1].partition(b"\n")
        self.buffer = tail
        return b"".join(parts[:-1]) + head

    def ask(self, sql, params=None):
        """The whole answer of one statement as a dictionary, errors included."""
        return self.exchange(json.dumps({"sql": sql} if params is None else {"sql": sql, "params": params}))

    def ask_json(self, query):
        """The whole answer of a query that is a JSON object: a dictionary, or its text."""
        return self.exchange('{"query": ' + (query if isinstance(query, str) else json.dumps(query)) + "}")

    def exchange(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
        except OSError as error:
            raise Died(f"{error}; exit status {self.process.wait()}") from error
        return json.loads(self.read_line())

    def run(self, sql, params=None):
        """The answer, or QueryError."""
        answer = self.ask(sql, params)
        if "error" in answer:
            raise QueryError(answer["error"])
        return answer

    def rows(self, sql, params=None):
        return self.run(sql, params)["rows"]

    def peak_mb(self):
        """The process's largest resident size so far."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        return 0.0
