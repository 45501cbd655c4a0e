#!/bin/sh
# Compiles every public header alone, as strict C11 and as C++17, so that an embedder may include any of them first.
# Relies on gcc and, for C++, g++.
set -eu
for header in include/fletch/*.h; do
    echo "#include <fletch/${header##*/}>" > "${TMPDIR:-/tmp}/fletch-header-$$.c"
    for language in "c -std=c11" "c++ -std=c++17"; do
        # shellcheck disable=SC2086  # two words
        gcc -x $language -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude "${TMPDIR:-/tmp}/fletch-header-$$.c" ||
            { echo "$header does not stand alone as $language"; rm -f "${TMPDIR:-/tmp}/fletch-header-$$.c"; exit 1; }
    done
done
rm -f "${TMPDIR:-/tmp}/fletch-header-$$.c"
