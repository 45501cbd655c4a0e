#!/bin/sh
# Builds the modules of this folder, which are checked in: apt install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32
set -e
cd "$(dirname "$0")"
for name in scoring loops traps texts aggregates plus_one plus_two columns initialized; do
    clang-19 --target=wasm32 -O2 -nostdlib -Wl,--no-entry,-s -o $name.wasm $name.c
done
# no loop becomes a call of memset, which there is not
clang-19 --target=wasm32 -O2 -nostdlib -fno-builtin -Wl,--no-entry,-s -o patterns.wasm patterns.c
for name in simd hangs; do
    clang-19 --target=wasm32 -msimd128 -O2 -nostdlib -Wl,--no-entry,-s -o $name.wasm $name.c
done
clang-19 --target=wasm32-wasi --sysroot=/usr -O2 -Wl,-s -o wasi.wasm wasi.c
