#!/bin/sh
# Every symbol that the static library gives to whoever links it begins with fl_, so that none meets the embedder's own; yyjson keeps its
# names, and sanitizers and the compiler add some of theirs (__odr_asan.…). $1: libfletch.a
set -e
strange=$(nm -g --defined-only "$1" 2>/dev/null | awk '$2 ~ /[TDBRCVW]/ && $3 !~ /^(fl_|yyjson_|unsafe_yyjson_|__)/ {print $3}' | sort -u)
[ -z "$strange" ] || { echo "these symbols do not begin with fl_:"; echo "$strange"; exit 1; }
echo "all symbols begin with fl_"
