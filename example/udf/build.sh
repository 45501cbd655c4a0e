#!/bin/sh
# Builds the scoring function of each language whose compiler is there into OUT/<language>.wasm, by the line in its
# source; what is not there is said.
#
#   example/udf/build.sh OUT
#
# Compilers: apt install clang-19 lld-19 rustc libstd-rust-dev-wasm32; Go from 1.24 on; npm's assemblyscript, whose asc is looked for in
# $ASC, then in $PATH. RUSTC says another rustc.
set -eu
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

try() {
    language=$1 tool=$2
    shift 2
    if command -v "$tool" > /dev/null; then
        "$@"
        echo "$language: $(wc -c < "$out/$language.wasm") bytes"
    else
        echo "$language: there is no $tool"
    fi
}

rust() {
    "$rustc" --target wasm32-unknown-unknown --crate-type lib --emit=obj -O -C panic=abort -o "$out/rust.o" rust/scoring.rs
    wasm-ld-19 --no-entry --export=score -s -o "$out/rust.wasm" "$out/rust.o"
    rm "$out/rust.o"
}

rustc=${RUSTC:-rustc}
asc=${ASC:-asc}
libraries=$("$rustc" --print target-libdir --target wasm32-unknown-unknown 2> /dev/null || true)
try c clang-19 clang-19 --target=wasm32 -O2 -nostdlib -Wl,--no-entry,-s -o "$out/c.wasm" c/scoring.c
try cpp clang++-19 clang++-19 --target=wasm32 -O2 -nostdlib -fno-exceptions -fno-rtti -Wl,--no-entry,-s -o "$out/cpp.wasm" cpp/scoring.cpp
if [ -d "$libraries" ]; then
    try rust "$rustc" rust
else
    echo "rust: $rustc is not there, or has no library for WebAssembly"
fi
try assemblyscript "$asc" "$asc" assemblyscript/scoring.ts -O3 --runtime stub -o "$out/assemblyscript.wasm"
try go go env GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 go build -buildmode=c-shared -ldflags="-s -w" -o "$out/go.wasm" go/scoring.go
