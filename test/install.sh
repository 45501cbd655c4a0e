#!/bin/sh
# Installs a build into a folder of its own, then builds and runs example/*.c against it as an embedder would: through
# CMake's package files (shared and static library) and through pkg-config. Checks that only public symbols are visible.
#
#   test/install.sh BUILD_DIR       relies on: BUILD_DIR being built; cmake, ninja, pkg-config, readelf
set -eu
build=$1
top=$(pwd)
tree=$top/$build/install-test
case $build in /*) tree=$build/install-test ;; esac
rm -rf "$tree"
cmake --install "$build" --prefix "$tree/usr" >/dev/null

lib=$(find "$tree/usr" -name libfletch.so | head -n 1)
readelf -d "$lib" | grep -q 'SONAME.*\[libfletch.so.0\]' || { echo "SONAME is not libfletch.so.0"; exit 1; }
# Of defined symbols, those that are neither ours nor the version node's name would leak into an embedder.
leaks=$(readelf -W --dyn-syms "$lib" | awk '$5 == "GLOBAL" && $7 != "UND" {print $8}' | grep -v '^fl_\|^FLETCH_' || true)
[ -z "$leaks" ] || { echo "exported, but not public: $leaks"; exit 1; }

ls "$top"/example/*.c >/dev/null 2>&1 || { echo "no example/*.c to build"; exit 77; }
cmake -S test/install -B "$tree/build" -G Ninja -DCMAKE_PREFIX_PATH="$tree/usr" -DEXAMPLES="$top/example" >/dev/null
cmake --build "$tree/build" >/dev/null
export PKG_CONFIG_PATH="${lib%/*}/pkgconfig" LD_LIBRARY_PATH="${lib%/*}"
for source in "$top"/example/*.c; do
    name=$(basename "$source" .c)
    lines=$(wc -l < "$source")
    [ "$lines" -le 40 ] || { echo "example/$name.c has $lines lines; an example has at most 40"; exit 1; }
    # shellcheck disable=SC2046  # the flags are words
    cc -std=c17 -Wall -Wextra -Werror "$source" -o "$tree/$name" $(pkg-config --cflags --libs fletch)
    for program in "$tree/$name" "$tree/build/${name}_shared" "$tree/build/${name}_static"; do
        "$program" > "$tree/out" || { echo "$program failed"; exit 1; }
        [ -s "$tree/out" ] || { echo "$program printed nothing"; exit 1; }
    done
    echo "example/$name.c: built and run three ways"
done
