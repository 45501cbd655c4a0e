#!/usr/bin/env python3
"""kill -9 at many moments of deployments: behind each there is the old version or the new one, whole.

Relies on: ../pipe.py. One session deploys a module that was not there before and is killed at a moment of it; the moments are spread over
the time that deployments took which were let through, and some more; where a round of them finds the old version alone, or the new one,
the next round spreads over more time, or less, since a busy machine takes longer than it did. Another process then calls the function: it must give what the
old version gives or the new one, and the new one for sure where its deployment had been answered. Nothing of what is in the way may stop
the next deployment.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import pipe  # noqa: E402  (found through the line above)

ROUND = 20  # moments
AT_MOST = 5  # times the moments that are asked for


def number(value):
    """Signed LEB128."""
    out = b""
    while not -64 <= value < 64:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value & 0x7F])


def section(kind, content):
    return bytes([kind, len(content)]) + content


def module(added):
    """f(bigint) → bigint, which adds a number."""
    body = b"\0\x20\0\x42" + number(added) + b"\x7c\x0b"  # local.get 0, i64.const, i64.add
    return (b"\0asm\1\0\0\0" + section(1, b"\1\x60\1\x7e\1\x7e") + section(3, b"\1\0") + section(7, b"\1\1f\0\0")
            + section(10, b"\1" + bytes([len(body)]) + body))


def create(folder, added):
    path = pathlib.Path(folder, f"{added}.wasm")
    path.write_bytes(module(added))
    return f"CREATE OR REPLACE FUNCTION f LANGUAGE wasm AS '{path}'"


class Deployer:
    def __init__(self, program, udf_dir):
        self.session = pipe.Pipe(program, ["--udf-dir", udf_dir, "--threads", "1"])
        self.session.ask("SELECT f(0)")  # the plugin is loaded by now

    def deploy(self, sql):
        """Seconds."""
        began = time.perf_counter()
        self.session.run(sql)
        return time.perf_counter() - began

    def kill(self, sql, after_s):
        """Whether the deployment was answered before."""
        process = self.session.process
        process.stdin.write(json.dumps({"sql": sql}).encode() + b"\n")
        until = time.perf_counter() + after_s
        while time.perf_counter() < until:
            pass  # sleeping is too coarse
        process.send_signal(signal.SIGKILL)
        process.wait()
        answer = process.stdout.read()
        self.session.close()
        if b'"error"' in answer:
            raise AssertionError(f"it failed: {answer}")
        return answer.endswith(b"\n")


def value_of(program, udf_dir):
    """What f adds, as a new process sees it."""
    run = subprocess.run([program, "--udf-dir", udf_dir, "--format", "csv", "-c", "SELECT f(0) AS f"], capture_output=True, text=True)
    if run.returncode != 0:
        raise AssertionError(f"f cannot be called: {run.stderr}")
    return int(run.stdout.split()[1])


def faults_of(program, udf_dir):
    run = subprocess.run([program, "udf", "show", "f", "--udf-dir", udf_dir, "--format", "json"], capture_output=True, text=True, check=True)
    return [row["fault"] for row in json.loads(run.stdout) if row["fault"] is not None]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--fletch", default=str(pipe.PROGRAM))
    arguments.add_argument("--moments", type=int, default=200)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        udf_dir = os.path.join(folder, "functions")
        took = []
        for added in range(12):  # each by a session of its own, as those that are killed
            deployer = Deployer(options.fletch, udf_dir)
            took.append(deployer.deploy(create(folder, added)))
            deployer.session.close()
        longest = 1.75 * statistics.median(took[1:])
        now, outcomes, moments = 11, {"old": 0, "new": 0}, 0
        enough = options.moments // 20
        while moments < options.moments or (min(outcomes.values()) < enough and moments < AT_MOST * options.moments):
            found = {"old": 0, "new": 0}
            for step in range(ROUND):
                added = 1000 + moments
                after_s = longest * step / ROUND
                answered = Deployer(options.fletch, udf_dir).kill(create(folder, added), after_s)
                value = value_of(options.fletch, udf_dir)
                if value not in (now, added) or (answered and value != added):
                    sys.exit(f"killed after {after_s * 1e3:.3f} ms, answered: {answered}: "
                             f"f adds {value}, not {now} (before) or {added} (deployed)")
                found["new" if value == added else "old"] += 1
                now = value
                moments += 1
            longest *= 1.5 if found["new"] <= 1 else 0.75 if found["old"] <= 1 else 1
            outcomes = {version: outcomes[version] + found[version] for version in outcomes}
        faults = faults_of(options.fletch, udf_dir)
        if faults:
            sys.exit(f"versions that cannot be called: {faults}")
        deployer = Deployer(options.fletch, udf_dir)
        deployer.deploy(create(folder, 5000))
        deployer.session.close()
        if value_of(options.fletch, udf_dir) != 5000:
            sys.exit("the deployment behind all of them is not seen")
        print(f"killed at {moments} moments, the last of {longest * 1e3:.2f} ms: {outcomes['old']} times the old version is there, "
              f"{outcomes['new']} times the new one")
        if min(outcomes.values()) < enough:
            sys.exit("the moments are not spread over deployments")


if __name__ == "__main__":
    main()
