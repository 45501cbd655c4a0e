"""fletch by its C API, in this process: what tests and benchmarks use where --pipe would mostly measure JSON.

Relies on: libfletch.so beside the program (include/fletch/fletch.h is its interface); pyarrow for `execute`.
"""

import ctypes
import pathlib

import pipe

LIBRARY = pipe.PROGRAM.with_name("libfletch.so")


class Library:
    """One engine with one session. A call holds no lock of Python's, so another thread may interrupt it."""

    class Options(ctypes.Structure):
        _fields_ = [("size", ctypes.c_uint32), ("threads", ctypes.c_int32), ("memory_limit_bytes", ctypes.c_int64)]

    class Error(ctypes.Structure):
        _fields_ = [("code", ctypes.c_int), ("sqlstate", ctypes.c_char * 6), ("message", ctypes.c_char * 1024),
                    ("hint", ctypes.c_char * 512), ("position", ctypes.c_int64), ("line", ctypes.c_int64),
                    ("column", ctypes.c_int64)]

    class Array(ctypes.Structure):
        pass

    class Stream(ctypes.Structure):
        pass

    Array._fields_ = [("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64),
                      ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64), ("buffers", ctypes.c_void_p),
                      ("children", ctypes.c_void_p), ("dictionary", ctypes.c_void_p),
                      ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))), ("private_data", ctypes.c_void_p)]
    Stream._fields_ = [("get_schema", ctypes.c_void_p),
                       ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Array))),
                       ("get_last_error", ctypes.c_void_p),
                       ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Stream))), ("private_data", ctypes.c_void_p)]

    def __init__(self, threads, library=LIBRARY, memory_bytes=0):
        self.library = ctypes.CDLL(str(pathlib.Path(library)))
        self.engine, self.session, self.error = ctypes.c_void_p(), ctypes.c_void_p(), self.Error()
        options = self.Options(ctypes.sizeof(self.Options), threads, memory_bytes)
        self.check(self.library.fl_engine_open(ctypes.byref(options), ctypes.byref(self.engine), ctypes.byref(self.error)))
        self.check(self.library.fl_session_open(self.engine, ctypes.byref(self.session), ctypes.byref(self.error)))

    def close(self):
        self.library.fl_session_close(self.session)
        self.library.fl_engine_close(self.engine)

    def check(self, status):
        if status != 0:
            raise pipe.QueryError({"sqlstate": self.error.sqlstate.decode(), "message": self.error.message.decode()})

    def query(self, sql):
        """Runs statements and gives the last one's stream, which the caller releases: stream.release(stream)."""
        text = sql.encode()
        stream = self.Stream()
        self.check(self.library.fl_session_query_text(self.session, text, ctypes.c_size_t(len(text)),
                                                      ctypes.byref(stream), ctypes.byref(self.error)))
        return stream

    def run(self, sql):
        """Runs statements and drops their rows, all of which are computed."""
        self.drain(self.query(sql))

    def prepare(self, sql):
        """A statement, which lives until the session is closed."""
        text, statement = sql.encode(), ctypes.c_void_p()
        self.check(self.library.fl_session_prepare(self.session, text, ctypes.c_size_t(len(text)), ctypes.byref(statement),
                                                   ctypes.byref(self.error)))
        return statement

    def run_prepared(self, statement, value):
        """Runs a prepared statement of one parameter, an integer, and drops its rows."""
        stream = self.Stream()
        self.check(self.library.fl_statement_bind_int64(statement, 1, ctypes.c_int64(value), ctypes.byref(self.error)))
        self.check(self.library.fl_statement_execute(statement, ctypes.byref(stream), ctypes.byref(self.error)))
        self.drain(stream)

    def drain(self, stream):
        array = self.Array()
        while True:
            if stream.get_next(ctypes.byref(stream), ctypes.byref(array)) != 0:
                self.library.fl_stream_error(ctypes.byref(stream), ctypes.byref(self.error))
                stream.release(ctypes.byref(stream))
                self.check(self.error.code)
            if not array.release:
                break
            array.release(ctypes.byref(array))
        stream.release(ctypes.byref(stream))

    def execute(self, sql):
        """The rows as a pyarrow table."""
        import pyarrow as pa
        stream = self.query(sql)
        return pa.RecordBatchReader._import_from_c(ctypes.addressof(stream)).read_all()

    def interrupt(self):
        self.library.fl_session_interrupt(self.session)
