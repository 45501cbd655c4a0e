#!/usr/bin/env python3
"""Drives the prompt at a terminal: completion, history over two sessions, Ctrl-C, resizing, wide and long tables, progress, colours.

    shell.py [PROGRAM]

Relies on: a pseudo-terminal of the system. What the program writes is searched for texts; pyte, a terminal of its own, says what of it is
seen, and in which colours. Waits have an end of a minute, and nothing asks how long anything took. Exit status 1 when a step differs.
"""

import codecs
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time

import pyte

ROOT = pathlib.Path(__file__).resolve().parent.parent
WAIT_SECONDS = 60
ROWS = 50


class Terminal:
    """The program at a terminal of its own."""

    def __init__(self, program, home, columns=80, more_environment=None):
        environment = dict(os.environ, HOME=str(home), TERM="xterm")
        environment.pop("FLETCH_HISTORY", None)
        environment.pop("NO_COLOR", None)
        environment.update(more_environment or {})
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execve(program, [str(program), "--threads", "2"], environment)
        self.screen = pyte.Screen(columns, ROWS)
        self.stream = pyte.Stream(self.screen)
        self.resize(columns)
        self.seen, self.decoder = "", codecs.getincrementaldecoder("utf-8")("replace")
        self.wait("fletch> ")

    def resize(self, columns, rows=ROWS):
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait_screen(self, lines, cursor):
        """Waits until these are the last lines that are seen and the cursor is at (row from the first of them, column)."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            seen = [line.rstrip() for line in self.screen.display]
            last = max((n + 1 for n, line in enumerate(seen) if line), default=0)
            first = max(0, max(last, self.screen.cursor.y + 1) - len(lines))
            at = (self.screen.cursor.y - first, self.screen.cursor.x)
            if seen[first:first + len(lines)] == lines and at == cursor:
                return first
            if time.monotonic() > end:
                raise AssertionError(f"{lines}, {cursor} are not seen, but {seen[:last]}, {at}")
            self.read(0.1)

    def colours(self, row):
        """The first letters of the colours of a row, as far as it is written; a dot where there is none."""
        width = len(self.screen.display[row].rstrip())
        return "".join(self.screen.buffer[row][x].fg[0].replace("d", ".") for x in range(width))

    def type(self, text, at_prompt=True):
        """Types, and forgets what was written before. At the prompt once the program takes keys itself: it shows the prompt before."""
        end = time.monotonic() + WAIT_SECONDS
        while at_prompt and termios.tcgetattr(self.fd)[3] & termios.ECHO and time.monotonic() < end:
            time.sleep(0.01)
        self.seen = ""
        os.write(self.fd, text.encode())

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        text = self.decoder.decode(data)
        self.seen += text
        self.stream.feed(text)
        return bool(data)

    def wait(self, text):
        """Waits until `text` was written; gives all that was."""
        end = time.monotonic() + WAIT_SECONDS
        while text not in self.plain():
            if time.monotonic() > end or not self.read(1) and not self.is_alive():
                raise AssertionError(f"{text!r} does not come; written was:\n{self.plain()}")
        return self.plain()

    def plain(self):
        """What was written, without the codes that steer a terminal."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen).replace("\r", "")

    def is_alive(self):
        return os.waitpid(self.pid, os.WNOHANG) == (0, 0)

    def run(self, statement, ends_with="fletch> ", at_prompt=True):
        """Runs a statement to the next prompt; gives what was written behind it."""
        self.type(statement + "\n", at_prompt)
        end = time.monotonic() + WAIT_SECONDS
        while not self.plain().rstrip().endswith(ends_with.rstrip()) or "\n" not in self.plain():
            if time.monotonic() > end or not self.read(1) and not self.is_alive():
                raise AssertionError(f"no prompt after {statement!r}; written was:\n{self.plain()}")
        return self.plain().split("\n", 1)[1]

    def leave(self):
        self.type(".quit\n")
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            self.read(0.1)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("it does not leave")


def expect(condition, what, seen):
    if not condition:
        raise AssertionError(f"{what}; written was:\n{seen}")


def completion(open_terminal):
    t = open_terminal()
    t.run("CREATE TABLE measurements(temperature double, taken_at timestamp);")
    t.type("SEL\t")
    t.wait("SELECT ")
    t.type("temp\x15")  # Ctrl-U empties the line
    t.type("SELECT tempe FROM measurements")
    t.type("\x01" + "\x06" * 12 + "\t")  # to the start, behind "tempe"
    t.wait("rature")
    t.type("\x05;\n")
    t.wait("(0 rows)")
    t.type("FROM meas\t;\n")
    t.wait("(0 rows)")
    t.type("SELECT m.tak\t\x15")
    t.type("SELECT m.tak FROM measurements m")
    t.type("\x01" + "\x06" * 12 + "\t")
    t.wait("en_at")
    t.type("\x15")
    t.type("FROM 'test/data/csv/peo\t")
    t.wait("people")
    t.type("\x15SELECT regexp_f\t")
    t.wait("regexp_full_match(")
    t.type("\x15.maxr\t")
    t.wait(".maxrows")
    t.type("\x15SELECT list_s\t\t")
    seen = t.wait("list_sort(")
    expect("list_slice(" in seen, "all candidates are shown", seen)
    t.type("\x15")
    t.leave()


def history(open_terminal):
    t = open_terminal()
    t.run("SELECT 40 + 2 AS\n answer;")
    t.run("SELECT 'second one';")
    t.leave()
    t = open_terminal()
    t.type("\x1b[A")  # up
    t.wait("SELECT 'second one';")
    t.type("\x1b[A")
    t.wait("40 + 2 AS  answer;")
    t.type("\n")
    seen = t.wait("(1 row)")
    expect("42" in seen, "the statement of two lines is one entry", seen)
    t.leave()


def histories(open_terminal, home):
    """Two prompts at once keep what both ran; the file is added to; where it cannot be, that is said once."""
    file = home / ".fletch_history"
    file.unlink(missing_ok=True)
    first, second = open_terminal(), open_terminal()
    first.run("SELECT 'of the first';")
    before = file.read_bytes()
    second.run("SELECT 'of the second';")
    second.run("SELECT 'of the second';")
    first.run("SELECT 'first again';")
    first.leave()
    second.leave()
    text = file.read_bytes()
    expect(text.startswith(before) and file.stat().st_mode & 0o077 == 0, "the file is added to, and its owner's", repr(text))
    expect(text.count(b"second") == 1, "what is run twice in a row is one entry", repr(text))
    for back, said in ((3, "of the first"), (2, "of the second"), (1, "first again")):
        (home / "copy").write_bytes(text)
        t = open_terminal(more_environment={"FLETCH_HISTORY": str(home / "copy")})
        t.type("\x1b[A" * back + "\n")
        seen = t.wait("(1 row)")
        expect(f" {said}\n(1 row)" in seen, "both prompts' statements are there", seen)
        t.leave()
    file.write_text(file.read_text().split("\n")[0] + "\n" + "".join(f"SELECT\\040{n};\n" for n in range(5000)))
    t = open_terminal()
    t.run("SELECT 'behind many';")
    t.leave()
    lines = file.read_text().strip().split("\n")
    expect(len(lines) < 2100 and "4999" in lines[-2] and "many" in lines[-1], "a long file is made shorter", str(len(lines)))
    t = open_terminal(more_environment={"FLETCH_HISTORY": str(home / "none" / "history")})
    expect("history cannot be kept" in t.run("SELECT 1;"), "it is said that the file cannot be written", t.plain())
    expect("history" not in t.run("SELECT 2;"), "once", t.plain())
    t.leave()


def pasting(open_terminal):
    t = open_terminal()
    t.run("CREATE TABLE pasted(a integer);")
    t.type("\x1b[200~SELECT 'x\ty' AS c,\n\t7 AS seven FROM pas\t\n")   # a tab that was typed would complete
    t.wait("   ...> ")
    t.type("\x1b[201~", at_prompt=False)
    t.type("\x15, range(1) UNION ALL SELECT 'x', 8;\n")
    t.wait('table "pas" does not exist')   # a tab that completes makes it "pasted"
    t.type("\x1b[200~SELECT 'a\tb' AS c;\r\nSELECT 41 + 1 AS sum;\r\x1b[201~")
    seen = t.wait("42")
    expect("a\\tb" in seen, "a pasted tab is a tab", seen)
    t.type("SELECT 'typ\x01\x05ed';\n")
    t.wait("typed")
    t.leave()


def interrupts(open_terminal):
    t = open_terminal()
    t.type("SELECT count(*) FROM range(100000) a, range(1000000) b WHERE a.range + b.range = 3;\n")
    t.wait("%")  # the bar is there: it runs
    t.type("\x03", at_prompt=False)
    t.wait("Error:")
    t.wait("fletch> ")
    t.run("SELECT 'still here';")
    t.type("SELECT half\n")
    t.wait("   ...> ")
    t.type("\x03")
    t.wait("^C (again to leave)")
    expect("1" in t.run("SELECT 1 AS one;"), "the statement that was begun is forgotten", t.plain())
    t.type("\x03")
    t.wait("again to leave")
    t.leave()


def tables(open_terminal):
    t = open_terminal(columns=60)
    columns = ", ".join(f"'a longer value of column {i}' AS column_{i}" for i in range(16))
    seen = t.run(f"SELECT {columns};")
    lines = [line for line in seen.split("\n") if " | " in line]
    expect(lines and all(len(line) <= 60 for line in lines), "lines are as wide as the terminal", seen)
    expect("16 columns, " in seen and "…" in seen, "it is said that columns are left out", seen)
    t.resize(200)
    wider = t.run(f"SELECT {columns};")
    shown = [int(re.search(r"16 columns, (\d+) shown", text).group(1)) for text in (seen, wider)]
    expect(shown[1] > shown[0], "a wider terminal shows more columns", wider)
    seen = t.run("SELECT range AS n FROM range(100000);")
    expect("(100000 rows, 40 shown)" in seen and "99999" in seen and "50000" not in seen, "the ends are shown", seen)
    t.run(".maxrows 0")
    seen = t.run("SELECT range AS n FROM range(300);")
    expect("(300 rows)" in seen and "150" in seen, "all rows", seen)
    t.run(".maxrows 4")
    seen = t.run("SELECT range AS n FROM range(30);")
    expect("(30 rows, 4 shown)" in seen, "four rows", seen)
    seen = t.run(".last")
    expect("(30 rows)" in seen, "the last answer as a whole", seen)
    t.run(".nullvalue nothing")
    seen = t.run("SELECT NULL AS n;")
    expect("nothing" in seen, "NULL has another text", seen)
    t.leave()


def commands(open_terminal):
    t = open_terminal()
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "part.sql").write_text("CREATE TABLE read_in(a integer NOT NULL, b text);\n.mode csv\nINSERT INTO read_in VALUES (1, 'x')\n;\nSELECT 'last' AS w")
    seen = t.run(f".read {folder}/part.sql")
    expect("last" in seen, "a file's statements and commands run", seen)
    seen = t.run("FROM read_in;")
    expect("1,x" in seen, ".mode csv", seen)
    t.run(".mode table")
    expect("read_in" in t.run(".tables"), ".tables", t.plain())
    expect("read_in" not in t.run(".tables x*"), ".tables with a pattern", t.plain())
    seen = t.run(".schema read_in")
    expect('CREATE TABLE "read_in"("a" integer NOT NULL, "b" text' in seen, ".schema", seen)
    t.run(f".once {folder}/once.txt")
    t.run("SELECT 77 AS n;")
    expect("77" in (folder / "once.txt").read_text(), ".once", t.plain())
    expect("78" in t.run("SELECT 78 AS n;"), "one answer alone", t.plain())
    t.run(f".output {folder}/out.txt")
    t.run("SELECT 79 AS n;")
    t.run(".output")
    expect("79" in (folder / "out.txt").read_text(), ".output", t.plain())
    t.run(".timer on")
    expect("Time:" in t.run("SELECT 1;"), ".timer", t.plain())
    t.run(".timer off")
    seen = t.run(".tabels")
    expect('did you mean ".tables"' in seen, "the nearest command", seen)
    expect('no command "."' in t.run("."), "a dot alone begins no statement", t.plain())
    expect("5" in t.run("SELECT 5 AS five;"), "nor what is behind it", t.plain())
    expect("expected on or off" in t.run(".timer maybe"), "what is expected", t.plain())
    expect("takes FILE" in t.run(".read"), "an argument is missing", t.plain())
    expect("cannot read" in t.run(f".read {folder}/none.sql"), "a missing file", t.plain())
    expect("no database files" in t.run(".open a.db"), ".open says what there is", t.plain())
    seen = t.run(".show")
    seen = t.run("SELECT 5 AS five;")
    expect("5" in seen, "a command without a semicolon is no part of the next statement", seen)
    expect(".maxrows" in t.run(".help"), ".help", t.plain())
    t.leave()
    t = open_terminal(more_environment={"EDITOR": "sed -i s/80/81/"})
    t.run("SELECT 80 AS n;")
    seen = t.run(".edit")
    expect("81" in seen, "the statement that the editor left runs", seen)
    t.leave()
    shutil.rmtree(folder)


def schema(open_terminal):
    """What .schema says makes the same tables again; rows of COPY FROM STDIN are typed."""
    folder = pathlib.Path(tempfile.mkdtemp())
    t = open_terminal()
    for sql in ("CREATE TABLE z (a integer PRIMARY KEY);",
                "CREATE TABLE b (a integer NOT NULL DEFAULT 1 + 1, \"B b\" text DEFAULT 'it''s', c integer REFERENCES z (a) ON DELETE CASCADE, "
                "d integer CHECK (d > 0 AND d < 9), e integer GENERATED ALWAYS AS (a * 2) STORED, "
                "f bigint GENERATED BY DEFAULT AS IDENTITY (START 5 INCREMENT 2), UNIQUE (a, d));"):
        t.run(sql)
    t.run(f".output {folder}/first.sql")
    t.run(".schema")
    t.run(".output")
    t.leave()
    t = open_terminal()
    t.run(f".read {folder}/first.sql")
    t.run(f".output {folder}/second.sql")
    t.run(".schema")
    t.run(".output")
    first = (folder / "first.sql").read_text()
    expect(first.count("\n") == 3 and first == (folder / "second.sql").read_text(), "a schema that runs again", first)
    t.run("INSERT INTO z VALUES (1); INSERT INTO b (c, d) VALUES (1, 2);")
    seen = t.run("FROM b;")
    expect("it's" in seen and "5" in seen, "rules of the tables made again", seen)
    expect("b_d_check" in t.run("INSERT INTO b (d) VALUES (10);"), "a check", t.plain())
    t.run("COPY z FROM STDIN (FORMAT csv);", ends_with="ends them.")
    seen = t.run("8\n9\n\\.", at_prompt=False)
    expect("2" in seen, "rows that are typed", seen)
    expect("18" in t.run("SELECT sum(a) FROM z;"), "and are there", t.plain())
    expect("b_c_fkey" in t.run("INSERT INTO b (c, d) VALUES (7, 3);"), "a foreign key", t.plain())
    t.leave()
    shutil.rmtree(folder)


def colours(open_terminal):
    """What is typed is coloured and drawn where it belongs: rows that wrap, edits within them, wide characters, a terminal of another size,
    a line that is longer than the screen."""
    t = open_terminal(columns=40)
    t.type("SELECT 'a text', 12.5, sum(x) FROM t -- remark here that wraps")
    row = t.wait_screen(["fletch> SELECT 'a text', 12.5, sum(x) FR", "OM t -- remark here that wraps"], (1, 30))
    expect(t.colours(row) == "........bbbbbb.gggggggg..mmmm..ccc....bb", "keywords, texts, numbers and functions", t.colours(row))
    expect(t.colours(row + 1) == "bb...bbbbbbbbbbbbbbbbbbbbbbbbb", "a word and a remark over the margin", t.colours(row + 1))
    t.type("\x01" + "\x06" * 3 + "XY\x05 END")
    t.wait_screen(["fletch> SELXYECT 'a text', 12.5, sum(x)", "FROM t -- remark here that wraps END"], (1, 36))
    t.type("\x15" + "a" * 32)
    t.wait_screen(["fletch> " + "a" * 32, ""], (1, 0))
    t.type("b")
    t.wait_screen(["fletch> " + "a" * 32, "b"], (1, 1))
    t.type("\x7f\x7f")
    t.wait_screen(["fletch> " + "a" * 31], (0, 39))
    t.type("\x15SELECT '" + "\u6587" * 15 + "' AS x;")
    row = t.wait_screen(["fletch> SELECT '" + "\u6587" * 12, "\u6587" * 3 + "' AS x;"], (1, 13))
    expect(t.colours(row + 1)[:7] == "ggggggg", "a text goes on", t.colours(row + 1))
    t.type("\n")
    t.wait("(1 row)")
    t.type("SELECT 'over\n")
    t.wait("   ...> ")
    t.type("two lines' FROM")
    row = t.wait_screen(["   ...> two lines' FROM"], (0, 23))
    expect(t.colours(row) == "........gggggggggg.bbbb", "a text of two lines", t.colours(row))
    t.type("\x03")
    t.wait("again to leave")
    t.type("\x12SEL")   # Ctrl-R
    t.wait("bck:SEL")
    t.type("\x1b\x15")
    t.type(".maxrows 7")
    row = t.wait_screen(["fletch> .maxrows 7"], (0, 18))
    expect(t.colours(row)[8:16] in ("yyyyyyyy", "bbbbbbbb"), "a command", t.colours(row))   # pyte calls yellow brown
    t.type("\x15\x0c")   # Ctrl-L
    expect(t.wait_screen(["fletch>"], (0, 8)) == 0, "the screen is cleared", str(t.screen.display))
    t.resize(30, 6)
    words = [f"{n:02d} words" for n in range(30)]
    t.type(" ".join(words))
    t.wait_screen(["9 words 20 words 21 words 22 w", "ords 23 words 24 words 25 word", "s 26 words 27 words 28 words 2", "9 words"], (3, 7))
    t.type("\x01")
    t.wait_screen(["fletch> 00 words 01 words 02 w", "ords 03 words 04 words 05 word", "s 06 words 07 words 08 words 0", "9 words 10 words 11 words 12 w",
                   "ords 13 words 14 words 15 word", "s 16 words 17 words 18 words 1"], (0, 8))
    t.type("\x05\x15.highlight off\n")
    t.type("SELECT 1")
    row = t.wait_screen(["fletch> SELECT 1"], (0, 16))
    expect(set(t.colours(row)) == {"."}, "no colours", t.colours(row))
    t.type("\x15")
    t.leave()


def without_colours(open_terminal):
    """Where colours are refused libedit draws."""
    t = open_terminal(more_environment={"NO_COLOR": "1"})
    t.run("SELECT 40 + 2 AS\n answer;")
    t.type("SEL\t")
    t.wait("SELECT ")
    t.type("\x15\x1b[A\n")
    expect("42" in t.wait("(1 row)") and "\x1b[3" not in t.seen, "no colours", t.seen)
    t.leave()


def rc_file(open_terminal, home):
    (home / ".fletchrc").write_text(".nullvalue empty\nCREATE TABLE from_rc(a integer);\n")
    t = open_terminal()
    expect("from_rc" in t.run(".tables"), "statements of the file ran", t.plain())
    expect("empty" in t.run("SELECT NULL AS n;"), "commands, too", t.plain())
    t.leave()
    (home / ".fletchrc").unlink()


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/fletch").resolve()
    home = pathlib.Path(tempfile.mkdtemp())
    failed = 0

    def open_terminal(**more):
        return Terminal(program, home, **more)

    steps = [completion, history, lambda t: histories(t, home), pasting, interrupts, tables, commands, schema, colours, without_colours, lambda t: rc_file(t, home)]
    for step in steps:
        name = getattr(step, "__name__", "")
        try:
            step(open_terminal)
        except AssertionError as error:
            failed += 1
            print(f"{name}: {error}\n")
    shutil.rmtree(home)
    print(f"{len(steps) - failed} of {len(steps)} parts are as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
