#!/usr/bin/env python3
"""R2, damaged Parquet files: fletch may refuse them, but must neither answer wrongly nor crash.

    parquet_corruption.py [--fletch PROGRAM] [--seed N] [--bits 300] [--bytes 1500] [--keep FOLDER]

PyArrow writes files with page checksums in several codecs, encodings and page versions. Then
  - `--bits` copies get one bit flipped inside a page's body: the answer is the right one or an error, never another;
  - `--bytes` copies get random bytes changed anywhere: any answer or error, but no crash and no hang.
A crash is an exit status of the process (a signal, or a sanitizer's); a hang is 30 s without an answer.
Relies on: pyarrow, test/pipe.py. Every file can be made again from the seed that is printed.
"""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

import pipe
import thrift

ROWS = 3000
SHOWN_MAX = 10
DEATHS_MAX = 20    # each hang costs 30 s


def make_table(rng):
    """Columns of every shape a reader has code for: narrow and wide, null and not, text, dictionary, nested."""
    words = [f"word {i % 97} of {'x' * (i % 13)}" for i in range(ROWS)]
    return pa.table({
        "id": pa.array(range(ROWS), pa.int64()),
        "small": pa.array([rng.randrange(5) for _ in range(ROWS)], pa.int32()),
        "maybe": pa.array([None if rng.random() < 0.2 else rng.randrange(10 ** 6) for _ in range(ROWS)], pa.int64()),
        "amount": pa.array([rng.random() * 1000 for _ in range(ROWS)], pa.float64()),
        "flag": pa.array([rng.random() < 0.3 for _ in range(ROWS)], pa.bool_()),
        "word": pa.array(words, pa.string()),
        "kind": pa.array([("red", "green", "blue")[rng.randrange(3)] for _ in range(ROWS)], pa.string()),
        "day": pa.array([rng.randrange(20000) for _ in range(ROWS)], pa.int32()).cast(pa.date32()),
        "items": pa.array([[rng.randrange(9) for _ in range(rng.randrange(4))] for _ in range(ROWS)], pa.list_(pa.int32())),
    })


FLAVOURS = [
    {"compression": codec, "data_page_version": version, "use_dictionary": dictionary, "write_page_index": dictionary}
    for codec in ("none", "snappy", "zstd", "gzip", "lz4", "brotli")
    for version in ("1.0", "2.0")
    for dictionary in (False, True)
]


def write_sources(table, folder):
    paths = []
    for number, flavour in enumerate(FLAVOURS):
        path = folder / f"source{number}.parquet"
        pq.write_table(table, path, row_group_size=1000, data_page_size=4096, write_page_checksum=True, **flavour)
        paths.append(path)
    return paths


def page_bodies(path):
    """(begin, end) of every page's body in a file."""
    data, bodies = path.read_bytes(), []
    metadata = pq.ParquetFile(path).metadata
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            at = chunk.data_page_offset
            if chunk.dictionary_page_offset:
                at = min(at, chunk.dictionary_page_offset)
            end = at + chunk.total_compressed_size
            while at < end:
                header = {}
                body = thrift.walk_struct(data, at, (), header)
                at = body + thrift.number(data, header[(3,)][0])   # compressed_page_size
                bodies.append((body, at))
    return bodies


QUERIES = [
    "SELECT * FROM '{path}' ORDER BY id",
    "SELECT count(*), count(maybe), sum(small), sum(maybe), min(word), max(word), min(day), max(day), "
    "count(CASE WHEN flag THEN 1 END) FROM '{path}'",
    "SELECT kind, count(*), sum(id) FROM '{path}' WHERE small = 3 AND kind <> 'red' GROUP BY kind ORDER BY kind",
]


class Driver:
    """A fletch process that is started again when a file kills it."""

    def __init__(self, program):
        self.program, self.deaths = program, []
        self.pipe = pipe.Pipe(program, timeout_s=30)

    def ask(self, sql, label):
        try:
            return self.pipe.ask(sql)
        except pipe.Died as died:
            self.deaths.append(f"{label}: {died}: {sql}")
            self.pipe.close()
            self.pipe = pipe.Pipe(self.program, timeout_s=30)
            return None

    def close(self):
        status = self.pipe.close()
        if status != 0:
            self.deaths.append(f"the process ended with status {status}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fletch", default=str(pipe.PROGRAM))
    parser.add_argument("--seed", type=int, default=20240229)
    parser.add_argument("--bits", type=int, default=300)
    parser.add_argument("--bytes", type=int, default=1500)
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for files that gave a wrong answer or a crash")
    args = parser.parse_args()
    print(f"seed {args.seed}: {args.bits} bit flips in page bodies, {args.bytes} files with random bytes", flush=True)

    rng = random.Random(args.seed)
    problems, refused, unharmed = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="parquet-corruption-") as name:
        folder = pathlib.Path(name)
        sources = write_sources(make_table(rng), folder)
        bodies = [page_bodies(path) for path in sources]
        driver = Driver(args.fletch)

        expected = []
        for path in sources:
            answers = [driver.ask(sql.format(path=path), path.name) for sql in QUERIES]
            broken = [answer["error"]["message"] for answer in answers if answer and "error" in answer]
            if broken or None in answers:
                problems.append(f"{path.name} is whole, but {broken[0] if broken else 'the process died'}")
            expected.append([answer and answer.get("rows") for answer in answers])
        same = {repr(rows) for rows in expected}
        if len(same) != 1:
            problems.append(f"the same table in {len(sources)} flavours gives {len(same)} different answers")

        for number in range(args.bits + args.bytes):
            source = rng.randrange(len(sources))
            data = bytearray(sources[source].read_bytes())
            if number < args.bits:
                begin, end = rng.choice([body for body in bodies[source] if body[1] > body[0]])
                at = rng.randrange(begin, end)
                data[at] ^= 1 << rng.randrange(8)
                label = f"bit flip {number} in {sources[source].name} at {at}"
            else:
                # damage of the footer is the likeliest to be believed, so that half of the files get it there
                footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
                begin = footer if number % 2 else 0
                places = [rng.randrange(begin, len(data)) for _ in range(rng.choice((1, 1, 2, 5, 20)))]
                for at in places:
                    data[at] = rng.randrange(256)
                label = f"random bytes {number} in {sources[source].name} at {places}"
            # a name of its own each time: nothing cached by name or size can stand in for reading the damage
            path = folder / f"damaged{number}.parquet"
            path.write_bytes(data)
            deaths = len(driver.deaths)
            wrong = False
            for query, sql in enumerate(QUERIES):
                answer = driver.ask(sql.format(path=path), label)
                if answer is None:
                    continue
                refused += "error" in answer
                unharmed += "error" not in answer
                if number < args.bits and "error" not in answer and answer["rows"] != expected[source][query]:
                    wrong = True
                    problems.append(f"{label}: wrong answer to {sql}")
            if args.keep and (wrong or len(driver.deaths) > deaths):
                args.keep.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, args.keep)
            path.unlink()
            if len(driver.deaths) >= DEATHS_MAX:
                problems.append(f"stopped after {number + 1} files: the process died {len(driver.deaths)} times")
                break
        driver.close()

    problems += driver.deaths
    for problem in problems[:SHOWN_MAX]:
        print(problem[:600])
    print(f"{refused} answers refused, {unharmed} given; {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
