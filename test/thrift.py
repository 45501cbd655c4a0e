"""Thrift's compact protocol, as Parquet's footers, page headers and indexes are written in it: where each field's value lies.

What tests need that damage a file in a given place, or look for its pages. Types that Parquet does not use are refused.
"""


def varint(data, at):
    """An unsigned number of 7 bits a byte, and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def walk_value(data, at, kind, path, found):
    """The position behind a value; found: path -> [(begin, end)] of the values below it."""
    begin = at
    if kind in (1, 2):
        pass
    elif kind == 3:
        at += 1
    elif kind in (4, 5, 6):
        _, at = varint(data, at)
    elif kind == 7:
        at += 8
    elif kind == 8:
        length, at = varint(data, at)
        at += length
    elif kind in (9, 10):
        head = data[at]
        at += 1
        count, element = head >> 4, head & 15
        if count == 15:
            count, at = varint(data, at)
        for _ in range(count):
            if element in (1, 2):
                found.setdefault(path, []).append((at, at + 1))
                at += 1
            else:
                at = walk_value(data, at, element, path, found)
        return at
    elif kind == 12:
        return walk_struct(data, at, path, found)
    else:
        raise ValueError(f"kind {kind}")
    found.setdefault(path, []).append((begin, at))
    return at


def walk_struct(data, at, path, found):
    """The position behind a struct. Paths are field numbers from `path` down; those that end in "head" are fields' heads."""
    number = 0
    while True:
        head = data[at]
        at += 1
        if head == 0:
            return at
        if head >> 4:
            number += head >> 4
        else:
            zigzag, at = varint(data, at)
            number = zigzag >> 1
        found.setdefault(path + (number, "head"), []).append((at - 1, at))
        at = walk_value(data, at, head & 15, path + (number,), found)


def number(data, span):
    """The signed integer whose value lies there."""
    raw = varint(data, span[0])[0]
    return (raw >> 1) ^ -(raw & 1)
