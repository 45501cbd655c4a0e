#!/usr/bin/env python3
"""Has Prometheus' promtool check the exposition, the alerts of example/metrics/ and what they fire on (alerts_test.yml).

    promtool.py [--fletch PROGRAM]

Relies on promtool (apt install prometheus); without it nothing is checked, and the exit status is 77: skipped. 1 when something is wrong.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77
STATEMENTS = ("CREATE TABLE t AS SELECT range AS a FROM range(1000)", "SELECT count(*) FROM t WHERE a % 3 = 1")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fletch", default=str(ROOT / "build" / "release" / "fletch"))
    args = parser.parse_args()
    if shutil.which("promtool") is None:
        print("skipped: there is no promtool (apt install prometheus)")
        return SKIPPED
    with tempfile.TemporaryDirectory() as tmp:
        path = pathlib.Path(tmp) / "fletch.prom"
        commands = [word for statement in STATEMENTS for word in ("-c", statement)]
        subprocess.run([args.fletch, "--metrics-file", str(path), *commands], check=True, capture_output=True, timeout=60)
        checks = [("check", "metrics"), ("check", "rules", str(ROOT / "example" / "metrics" / "alerts.yml")),
                  ("test", "rules", str(HERE / "alerts_test.yml"))]
        failed = 0
        for check in checks:
            with path.open("rb") as metrics:
                done = subprocess.run(["promtool", *check], stdin=metrics, capture_output=True, text=True, check=False, timeout=60)
            output = (done.stdout + done.stderr).strip()
            if done.returncode != 0 or (check[1] == "metrics" and output):
                failed += 1
                print(f"promtool {' '.join(check)}: status {done.returncode}\n{output}")
    print(f"promtool: {len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
