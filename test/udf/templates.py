#!/usr/bin/env python3
"""The scoring function of example/udf in every language whose compiler is on this machine: built by its build line, deployed, called.

Relies on: ../pipe.py, example/udf/build.sh; tools/install-deps.sh languages installs compilers (Go is looked for in the path). Answers are
those of the same arithmetic in Python, bit for bit, by the interpreter and compiled. A language that cannot be built is said, and no failure,
unless it is named behind --must.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

LANGUAGES = ["c", "cpp", "rust", "assemblyscript", "go"]
ROWS = 2000
RATES = [1.0, 1.05, 1.1, 1.25]
QUERY = f"""SELECT score(range % 29 - 3 + 0.25::double * (range % 4), (range % 10)::double, (range % 28 - 2)::integer) AS s
            FROM range({ROWS}) ORDER BY range"""


def score(price, quantity, bonus):
    total, weight = 0.0, 1.0
    for i in range(min(max(bonus, 0), 20) + 1):
        total += price * quantity * weight * RATES[i % 4]
        weight /= 2
    return total if total > 100 else total / 2


def build(folder):
    environment = dict(os.environ)
    asc = ROOT / ".deps" / "assemblyscript" / "node_modules" / ".bin" / "asc"
    if asc.exists():
        environment.setdefault("ASC", str(asc))
    if pathlib.Path("/usr/bin/rustc").exists():
        environment.setdefault("RUSTC", "/usr/bin/rustc")  # Debian's, which has a library for WebAssembly
    done = subprocess.run([ROOT / "example" / "udf" / "build.sh", folder], env=environment, text=True, capture_output=True)
    print(done.stdout, done.stderr, sep="", end="")
    if done.returncode != 0:
        sys.exit("example/udf/build.sh failed")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--fletch", default=str(pipe.PROGRAM))
    arguments.add_argument("--must", default="", help="languages that must be built, apart by commas")
    options = arguments.parse_args()
    expected = [score(row % 29 - 3 + 0.25 * (row % 4), float(row % 10), row % 28 - 2) for row in range(ROWS)]
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        build(tmp)
        for language in LANGUAGES:
            module = pathlib.Path(tmp, f"{language}.wasm")
            if not module.exists():
                failed += language in options.must.split(",")
                continue
            session = pipe.Pipe(options.fletch)
            session.run(f"CREATE FUNCTION score LANGUAGE wasm AS '{module}'")
            for turn in range(20):  # the first ones may be interpreted
                rows = [row[0] for row in session.run(QUERY)["rows"]]
                if rows != expected:
                    failed += 1
                    print(f"{language}: other answers, turn {turn}")
                    break
            else:
                print(f"{language}: the same answers")
            session.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
