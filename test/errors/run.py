#!/usr/bin/env python3
"""Golden messages: what the program says, word for word, of the mistakes and faults that people meet.

    run.py [--fletch PROGRAM] [--rewrite]

cases.txt has a case between blank lines: `# ` what it is, and what a message must say to be better than any engine's; then what is run; then
`----` and the output. A case runs in a folder of its own with the files that make_files() writes. `setup ` statements run before each
case behind them, until the next `setup`; `sql ` a statement with -c; `args ` what else the program is given; `interrupt ` seconds after which
it gets an interrupt; `shell ` a shell command, in which $F is the program. Folders, times and shares in messages are blanked out.
With --rewrite what is said now is put in. Exit status 1 when a message differs. Relies on: ../pipe.py (which program).
"""

import argparse
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

CASES = HERE / "cases.txt"
BLANKED = [(re.compile(r"after \d+\.\d s"), "after N s"), (re.compile(r"at \d+ % of"), "at N % of"),
           (re.compile(r"[\d.]+ [kM]B (are in)"), r"N MB \1"), (re.compile(r"[\d.]+ [kM]B more"), "N MB more"),
           (re.compile(r'in "[^"]*" already'), "in TEMP already"), (re.compile(r"at line \d+: +\d+ "), "")]


def make_files(folder, program):
    lines = ["id,name,amount"] + [f"{i},n{i},{i}.5" for i in range(1, 200)]
    folder.joinpath("orders.csv").write_text("\n".join(lines) + "\n")
    folder.joinpath("extra.csv").write_text("\n".join([*lines[:101], "101,n101,1.5,extra,more", *lines[102:]]) + "\n")
    folder.joinpath("quote.csv").write_text("\n".join([*lines[:11], '11,"unterminated,5.5', *lines[12:]]) + "\n")
    many = ["id,amount"] + [f"{i},{i}" for i in range(1, 60001)]
    folder.joinpath("bad.csv").write_text("\n".join([*many[:50001], "50001,abc", *many[50002:]]) + "\n")
    folder.joinpath("latin.csv").write_bytes(b"id,name\n1,abc\n2,caf\xe9 noir\n3,x\n")
    folder.joinpath("bad.json").write_text('{"a": 1}\n{"a": 2}\n{"a": 3,, "b": 1}\n{"a": 4}\n')
    folder.joinpath("deep.sql").write_text("SELECT " + "(" * 20000 + "1" + ")" * 20000 + "\n")
    folder.joinpath("empty").mkdir()
    subprocess.run([program, "-c", "COPY (SELECT range AS id, 'name ' || range AS name FROM range(20000)) TO 'orders.parquet'"],
                   cwd=folder, check=True, capture_output=True)
    whole = folder.joinpath("orders.parquet").read_bytes()
    folder.joinpath("short.parquet").write_bytes(whole[:50000])
    folder.joinpath("corrupt.parquet").write_bytes(whole[:2000] + bytes(byte ^ 0x5a for byte in whole[2000:2060]) + whole[2060:])


def say(program, folder, setup, lines):
    """What a case prints."""
    args, interrupt, command = [], None, None
    for statement in setup:
        args += ["-c", statement]
    for line in lines:
        how, _, rest = line.partition(" ")
        if how == "sql":
            args += ["-c", rest]
        elif how == "args":
            args += shlex.split(rest)
        elif how == "bare":
            args = []
        elif how == "interrupt":
            interrupt = float(rest)
        elif how == "shell":
            command = rest
        else:
            raise ValueError(f"an unknown line: {line}")
    env = {**os.environ, "F": str(program), "HOME": str(folder), "COLUMNS": "80"}
    run = ["bash", "-c", command] if command else [str(program), *args]
    process = subprocess.Popen(run, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if interrupt is not None:
        time.sleep(interrupt)
        process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=120)[0].decode().replace(str(folder), "FOLDER")
    for pattern, blank in BLANKED:
        text = pattern.sub(blank, text)
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n")) + f"\n[exit status {process.returncode}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", type=pathlib.Path, default=pipe.PROGRAM)
    parser.add_argument("--rewrite", action="store_true")
    args = parser.parse_args()
    program, blocks, setup, failed, count = args.fletch.resolve(), [], [], 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        make_files(folder, program)
        for block in re.split(r"\n\n(?=#|setup )", CASES.read_text(encoding="utf-8").strip("\n")):
            head, _, expected = block.partition("\n----\n")
            lines = [line for line in head.split("\n") if not line.startswith("#")]
            if lines and lines[0].startswith("setup "):
                setup = [line.removeprefix("setup ") for line in lines]
            elif lines:
                said = say(program, folder, setup, lines)
                count += 1
                if said != expected and not args.rewrite:
                    failed += 1
                    print(f"{head}\n---- instead of\n{expected}\n---- the program says\n{said}\n")
                head += "\n----\n" + said
            blocks.append(head)
    if args.rewrite:
        CASES.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    print(f"{count} messages, {failed} of them not as expected")
    return 1 if failed or count < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
