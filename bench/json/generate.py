#!/usr/bin/env python3
"""Writes events.ndjson: 1,000,000 objects of sixteen keys in the same order, some 300 MB.

    generate.py FOLDER [ROWS]          relies on numpy and pyarrow; the same seed gives the same file
"""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SEED = 1645
BLOCK = 100_000
KINDS = pa.array(["view", "click", "buy", "search", "leave"])
COUNTRIES = pa.array("DE FR IT ES PL NL SE AT CZ DK".split())
MESSAGES = pa.array(["all is well", "slow answer, tried again", 'said \\"no\\"', "größer als erwartet", "", "two\\nlines"])


def quoted(column):
    return pc.binary_join_element_wise('"', column, '"', "")


def text(values):
    return pa.array(values).cast(pa.string())


def take(rng, pool, rows):
    return pool.take(pa.array(rng.integers(0, len(pool), rows, dtype=np.int32)))


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    rng = np.random.default_rng(SEED)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "events.ndjson", "w", encoding="utf-8") as file:
        for first in range(0, rows, BLOCK):
            n = min(BLOCK, rows - first)
            user = rng.integers(0, 50_000, n)
            values = {
                "id": text(np.arange(first, first + n)), "user_id": text(user), "kind": quoted(take(rng, KINDS, n)),
                "country": quoted(take(rng, COUNTRIES, n)), "amount": text(np.round(rng.gamma(2, 20, n), 2)), "quantity": text(rng.integers(1, 20, n)),
                "score": text(np.round(rng.random(n), 6)), "is_new": pa.array(np.where(rng.random(n) < .2, "true", "false")),
                "session": quoted(pc.binary_join_element_wise("s-", text(user * 31 + 7), "")),
                "path": quoted(pc.binary_join_element_wise("/shop/item/", text(rng.integers(0, 100_000, n)), "")),
                "agent": quoted(pc.binary_join_element_wise("agent/", text(rng.integers(1, 90, n)), ".0 (linux)", "")),
                "referrer": quoted(pc.binary_join_element_wise("https://example.org/page/", text(rng.integers(0, 9_000, n)), "")),
                "message": quoted(take(rng, MESSAGES, n)), "latitude": text(np.round(rng.random(n) * 180 - 90, 5)),
                "longitude": text(np.round(rng.random(n) * 360 - 180, 5)),
                "discount": pa.array(np.where(rng.random(n) < .3, "null", "5")),
            }
            parts = [part for place, (key, column) in enumerate(values.items()) for part in (f'{"," if place else "{"}"{key}":', column)]
            file.write("\n".join(pc.binary_join_element_wise(*parts, "}", "").to_pylist()) + "\n")


if __name__ == "__main__":
    main()
