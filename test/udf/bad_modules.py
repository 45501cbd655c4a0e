#!/usr/bin/env python3
"""Modules that are wrong in every way, against the errors of bad_modules.txt; and each query behind them is answered.

Relies on: ../pipe.py. Modules are put together here byte by byte, so that each is wrong in one way only. A line of bad_modules.txt is
a name, a SQLSTATE and a part of the message, apart by tabs; names without a line are an error, and so are lines without a module.
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

I32, I64, F64 = b"\x7f", b"\x7e", b"\x7c"
MAGIC = b"\0asm\1\0\0\0"


def number(value):
    """Unsigned LEB128."""
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def vector(items):
    return number(len(items)) + b"".join(items)


def name(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return number(len(raw)) + raw


def section(kind, content):
    return bytes([kind]) + number(len(content)) + content


def module(params=(I32,), results=(I32,), code=b"\x20\0", export="f", locals_=b"\0", imports=(), memory=None, memories=(), start=None,
           more_types=(), more_funcs=(), more_code=(), globals_=(), data=None, table=None, extra=b""):
    """A module of one function, and whatever else is asked for."""
    types = [b"\x60" + vector(list(params)) + vector(list(results)), *more_types]
    body = locals_ + code + b"\x0b"
    out = MAGIC + section(1, vector(types))
    if imports:
        out += section(2, vector(list(imports)))
    first = sum(1 for i in imports if i[-2:] == b"\0\0")  # those of functions come before ours
    out += section(3, vector([b"\0", *more_funcs]))
    if table is not None:
        out += section(4, vector([table]))
    if memory is not None:
        memories = (memory,)
    if memories:
        out += section(5, vector(list(memories)))
    if globals_:
        out += section(6, vector(list(globals_)))
    out += section(7, vector([name(export) + b"\0" + number(first)]))
    if start is not None:
        out += section(8, number(start))
    out += section(10, vector([number(len(body)) + body, *more_code]))
    if data is not None:
        out += section(11, vector([data]))
    return out + extra


def body(code, locals_=b"\0"):
    whole = locals_ + code + b"\x0b"
    return number(len(whole)) + whole


LARGE_BYTES = 1 << 20  # which are not repeated
REPEATED_MS = 20
GROWN_KB_MAX = 1024
COMPILES_S = 0.3  # then the module is compiled: faults are told as the compiler words them

NOTHING = b"\x60\0\0"
LOOP = b"\x03\x40\x0c\0\x0b"  # loop br 0 end


def import_of(where, what, kind=b"\0", rest=b"\0"):
    return name(where) + name(what) + kind + rest


def modules():
    """name -> (bytes, statements behind CREATE FUNCTION that must fail; none: it fails itself)"""
    good = module()
    yield "empty", b"", None
    yield "not_wasm", b"#!/bin/sh\necho no\n", None
    yield "a_text", "(module)".encode(), None
    yield "version_2", b"\0asm\2\0\0\0" + good[8:], None
    for cut in (4, 8, 11, 20, len(good) - 1):
        yield f"cut_at_{cut}", good[:cut], None
    yield "section_beyond_the_end", good + b"\x0c\xff\xff\xff\xff\x0f", None
    yield "unknown_section", good + b"\x7f\0", None
    yield "twice_a_section", good + section(10, b"\0"), None
    yield "no_export", module(export="g"), None
    yield "export_is_a_memory", MAGIC + section(5, vector([b"\0\1"])) + section(7, vector([name("f") + b"\2\0"])), None
    yield "type_differs", module(params=(F64,), code=b"\x41\0"), None
    yield "no_result", module(results=(), code=b""), None
    yield "two_results", module(results=(I32, I32), code=b"\x20\0\x20\0"), None
    yield "stack_is_wrong", module(code=b"\x6a"), None
    yield "local_beyond", module(code=b"\x20\x05"), None
    yield "reads_a_global_that_is_not", module(code=b"\x23\0"), None
    yield "unknown_instruction", module(code=b"\xf5"), None
    yield "imports_a_function", module(imports=(import_of("env", "launch"),)), None
    yield "imports_another_type", module(imports=(import_of("wasi_snapshot_preview1", "fd_write"),)), None
    yield "imports_a_memory", module(imports=(import_of("env", "memory", b"\2", b"\0\1"),)), None
    yield "imports_a_global", module(imports=(import_of("env", "base", b"\3", I32 + b"\0"),)), None
    yield "two_memories", module(memories=(b"\0\1", b"\0\1")), None
    yield "memory_of_64_bits", module(memory=b"\4\1"), None
    yield "shared_memory", module(memory=b"\3\1\2"), None
    yield "million_types", MAGIC + section(1, number(1000000) + NOTHING * 1000000), None
    yield "fifty_megabytes_of_nothing", module(extra=b"\0" + number(50 << 20) + name("x") + b"\0" * ((50 << 20) - 2)), "SELECT f(7)"
    yield "memory_of_4_GB", module(memory=b"\0\x80\x80\x04"), "SELECT f(1)"
    yield "start_loops", module(start=1, more_types=(NOTHING,), more_funcs=(b"\1",), more_code=(body(LOOP),)), "SELECT f(1)"
    yield "start_traps", module(start=1, more_types=(NOTHING,), more_funcs=(b"\1",), more_code=(body(b"\0"),)), "SELECT f(1)"
    yield "loops", module(code=LOOP + b"\0"), "SELECT f(1)"
    yield "recurses", module(code=b"\x20\0\x10\0"), "SELECT f(1)"
    yield "grows", module(memory=b"\0\1", code=b"\x03\x40\x41\x10\x40\0\x41\x7f\x47\x0d\0\x0b\x41\x80\x80\x80\x80\x78\x28\2\0"), "SELECT f(1)"
    yield "traps_on_row_1000", module(code=b"\x41\x0a\x41\xe7\x07\x20\0\x6b\x6d"), "SELECT sum(f(range::integer)) FROM range(2000)"
    yield "table_of_a_billion", module(table=b"\x70\0\x80\x94\xeb\xdc\x03"), "SELECT f(1)"
    yield "data_beyond_memory", module(memory=b"\0\1", data=b"\0\x41\xff\xff\x03\x0b" + name("abcdef")), "SELECT f(1)"
    yield "indirect_call_of_nothing", module(table=b"\x70\0\1", code=b"\x20\0\x41\0\x11\0\0"), "SELECT f(1)"
    yield "columns_without_alloc", module(params=(I32, I32, I32), code=b"\x41\0", export="f_batch"), None
    yield "many_locals", module(locals_=b"\1\xc0\x96\xb1\x02" + I64), None


def state_of(answer):
    error = answer.get("error")
    return (error["sqlstate"], error["message"]) if error else ("", "an answer")


def resident_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise LookupError(f"no VmRSS of process {pid}")


def create(session, path):
    return session.ask(f"CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE wasm AS '{path}'")


def check_answers(session, path):
    """Failed cases, of how many."""
    expected = {}
    for line in (HERE / "bad_modules.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, state, part = (line.split("\t") + ["", ""])[:3]
            expected[key] = (state, part)
    failed = cases = 0
    for key, code, statement in modules():
        cases += 1
        pathlib.Path(path).write_bytes(code)
        session.run("SET timeout = 60000")
        answer = create(session, path)
        if statement is not None and "error" not in answer:
            time.sleep(COMPILES_S)
            session.run("SET timeout = 1000")
            answer = session.ask(statement)
        state, message = state_of(answer)
        wanted = expected.pop(key, ("?", "a line in bad_modules.txt"))
        if state != wanted[0] or wanted[1] not in message:
            failed += 1
            print(f"{key}: {state} {message}\n    expected {wanted[0]} {wanted[1]}")
        if session.ask("SELECT 6 * 7").get("rows") != [[42]]:
            failed += 1
            print(f"{key}: the next query was not answered")
    for key in expected:
        failed += 1
        print(f"{key}: there is no such module")
    return failed, cases


def check_memory(program, path, repeats):
    """Each module again and again, in a process of its own; the first tenth brings what is kept for good, or for a while.

    A thread's stack or heap that is used for the first time later on is a step of about a megabyte, once; what is lost again and again
    grows in both halves. So it is the half that grows less which counts, twice.
    """
    failed = cases = 0
    for key, code, statement in modules():
        if len(code) > LARGE_BYTES:
            continue
        cases += 1
        with pipe.Pipe(program) as session:
            session.run(f"SET timeout = {REPEATED_MS}")
            seen = []
            for i in range(repeats + repeats // 10):
                if i in (repeats // 10, repeats // 10 + repeats // 2):
                    seen.append(resident_kb(session.process.pid))
                # a byte behind differs, or the same version would be there already
                pathlib.Path(path).write_bytes(code + b"\0" + number(8) + name("i") + i.to_bytes(6, "little"))
                if "error" not in create(session, path):
                    if statement is not None:
                        session.ask(statement)
                    session.run("DROP FUNCTION f")
            begin, half, end = *seen, resident_kb(session.process.pid)
            grown = 2 * min(half - begin, end - half)
        if grown > GROWN_KB_MAX:
            failed += 1
        print(f"{key}: {grown:+d} kB after {repeats} repeats of {begin} kB{'' if grown <= GROWN_KB_MAX else ': too much'}", flush=True)
    return failed, cases


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program", nargs="?", type=pathlib.Path, default=pipe.PROGRAM)
    arguments.add_argument("--repeats", type=int, help="look at the memory after so many repeats instead")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.wasm")
        if options.repeats:
            failed, cases = check_memory(options.program, path, options.repeats)
            print(f"{cases - failed} of {cases} modules leave the memory as it was")
        else:
            with pipe.Pipe(options.program) as session:
                failed, cases = check_answers(session, path)
            print(f"{cases - failed} of {cases} modules are told as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
