#!/usr/bin/env python3
"""Compares every #include in src/ and include/ with the arrows of tools/layers.txt.

Relies on: includes of ours being written from src/ or include/ ("base/status.h", <fletch/status.h>), never relative.
Prints each include that points up or sideways, with the arrow it would need, and exits with status 1.
"""

import fnmatch
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<(fletch/[^>]+)>)', re.M)


def read_layers(path):
    """Folder patterns and file patterns, each with what it may include."""
    folders, files = {}, {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, colon, targets = line.partition(":")
        if not colon:
            sys.exit(f"{path}:{number}: no colon")
        name = name.strip()
        table = files if name.startswith("file ") else folders
        table[name.removeprefix("file ").strip()] = targets.split()
    return folders, files


def layer_of(name, folders):
    """The folder pattern of a path such as 'op/join/build.h', and the folder itself; None for a file of no layer."""
    parts = name.split("/")
    for depth in (2, 1):
        folder = "/".join(parts[:depth])
        for pattern in folders:
            # rule/<name>.c is a file in a folder of depth one; op/<name>/ has two
            if len(parts) > depth and pattern.count("/") == depth - 1 and fnmatch.fnmatchcase(folder, pattern):
                return pattern, folder
    return None, None


def reach(pattern, folders):
    """All patterns that `pattern` may include, in turn."""
    seen, todo = set(), list(folders[pattern])
    while todo:
        target = todo.pop()
        if target not in seen:
            seen.add(target)
            todo += folders.get(target, [])
    return seen


def check(folders, files):
    problems, count = [], 0
    sources = sorted((ROOT / "src").rglob("*.[ch]")) + sorted((ROOT / "src").rglob("*.def"))
    sources += sorted((ROOT / "include").rglob("*.h"))
    for source in sources:
        in_public = source.is_relative_to(ROOT / "include")
        name = "public/x" if in_public else str(source.relative_to(ROOT / "src"))
        here, here_folder = layer_of(name, folders)
        where = source.relative_to(ROOT)
        if here is None:
            problems.append(f"{where}: belongs to no layer")
            continue
        allowed = reach(here, folders)
        own_folder = True
        for pattern, targets in files.items():
            if fnmatch.fnmatchcase(name, pattern):
                allowed = set(targets).union(*(reach(target, folders) for target in targets if target in folders))
                own_folder = False
        for match in INCLUDE.finditer(source.read_text(errors="replace")):
            target = match.group(1) or match.group(2)
            line = source.read_text(errors="replace")[: match.start() + 1].count("\n") + 1
            if target.startswith("fletch/"):
                layer, folder = "public", "public"
            else:
                if "/" not in target and not (ROOT / "src" / target).exists():
                    # a system or third-party header in quotes, or a neighbour: the second must be written in full
                    if (source.parent / target).exists():
                        problems.append(f"{where}:{line}: \"{target}\" is relative: write it from src/")
                    continue
                layer, folder = layer_of(target, folders)
                if layer is None:
                    if target.startswith(".") or (ROOT / "src" / target).exists():
                        problems.append(f"{where}:{line}: \"{target}\" belongs to no layer")
                    continue
            count += 1
            same = own_folder and folder == here_folder
            as_file = any(fnmatch.fnmatchcase(target, pattern) and pattern in allowed for pattern in files)
            if not (same or layer in allowed or as_file):
                problems.append(f"{where}:{line}: {here_folder} may not include {target} (no arrow {here} -> {layer})")
    return problems, count


def main():
    problems, count = check(*read_layers(ROOT / "tools" / "layers.txt"))
    print("\n".join(problems) if problems else f"layers: {count} includes, all of them point down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
