#!/usr/bin/env python3
"""Refuses calls of the system for clocks, files and randomness that go past its table (src/base/system.h).

What goes past it no test can own. ALLOWED are the files of the table itself. The program (src/cli) and tests may call what they want.
Prints each call that is not allowed and exits with status 1.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALLOWED = {"src/base/system.c", "src/base/clock.h"}
CALLS = """
    clock_gettime clock gettimeofday time timespec_get nanosleep clock_nanosleep usleep sleep localtime localtime_r
    pthread_cond_timedwait pthread_cond_clockwait pthread_mutex_timedlock pthread_mutex_clocklock
    open openat creat fopen freopen fdopen tmpfile mkstemp mkostemp mkdtemp close fclose
    read pread preadv readv fread write pwrite pwritev writev fwrite truncate ftruncate fallocate posix_fallocate
    posix_fadvise fsync fdatasync sync_file_range rename renameat unlink unlinkat remove mkdir rmdir flock utimensat
    stat lstat fstat fstatat access readlink opendir readdir closedir scandir glob
    getrandom getentropy rand random drand48 arc4random getpid
""".split()
SKIPPED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def blank(match):
    """Keeps lines where they are."""
    return re.sub(r"[^\n]", " ", match.group())


def main():
    problems, n_files = [], 0
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        name = str(path.relative_to(ROOT))
        if name in ALLOWED or name.startswith("src/cli/") or name.endswith("_test.c"):
            continue
        n_files += 1
        text = SKIPPED.sub(blank, path.read_text())
        for call in CALLS:
            if re.search(rf"^static [^;={{}}()]*\b{call}\(", text, re.M):
                continue  # a function of the file's own
            for match in re.finditer(rf"(?<![\w.]){call}\(", text):
                if text[: match.start()].endswith("->"):
                    continue  # an entry of a table
                line = text[: match.start()].count("\n") + 1
                problems.append(f"{name}:{line}: {call}() goes past the system's table: see src/base/system.h")
    print("\n".join(problems) if problems else f"system: {n_files} files, all ask through the table")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
