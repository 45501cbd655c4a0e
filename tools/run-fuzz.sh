#!/bin/sh
# Runs every fuzz target of a build for some seconds, one after the other, with its corpus; ends at the first finding.
#
#   tools/run-fuzz.sh BUILD_DIR SECONDS [TARGET...]     no TARGET: all of them
#
# New inputs that reach new code go to BUILD_DIR/corpus/<target>, findings to BUILD_DIR/findings: a person decides what
# of them enters fuzz/corpus/. Relies on: the fuzz preset (clang's libFuzzer).
set -eu
build=$1
seconds=$2
shift 2
[ $# -gt 0 ] || set -- $(cd "$build/fuzz" && ls -d fuzz_* | sed 's/^fuzz_//')
mkdir -p "$build/findings"
for target in "$@"; do
    program=$build/fuzz/fuzz_$target
    mkdir -p "$build/corpus/$target" "fuzz/corpus/$target"
    dictionary=
    [ ! -f "fuzz/$target.dict" ] || dictionary=-dict=fuzz/$target.dict
    echo "fuzz: $target for $seconds s"
    # shellcheck disable=SC2086  # no dictionary means no argument
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$target-" $dictionary "$build/corpus/$target" "fuzz/corpus/$target" \
        2> "$build/findings/$target.log" || { tail -n 40 "$build/findings/$target.log"; exit 1; }
    grep -E 'number_of_executed_units|new_units_added' "$build/findings/$target.log"
done
