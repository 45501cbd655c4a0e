# The front door: installs what is missing, then hands over to CMake presets (CMakePresets.json).
#
#   make run      install, build, run the main job over real files        make test    install, build, run every test
#   make build    the release program, build/release/fletch               make bench   fletch beside its peers
#   make debug | asan | tsan    build and test one sanitizer's preset     make fuzz    each fuzz target (or FUZZ_TARGETS)
#                                                                                     for FUZZ_SECONDS
#   make cancel   long statements, stopped at random 25 times each way    make soak    SOAK_QUERIES generated queries, each
#   make test-oracles  TPC-DS and TPC-H at scale 1 from Parquet,          planned in many ways, and SOAK_LOGIC_QUERIES
#                      and more rows than memory holds, beside            held against logic (about an hour on 2 cores)
#                      DuckDB's (ORACLE_FLAGS); queries on every road;    make clean
#                      users' functions in each language, built anew;
#                      metrics by promtool
#   make test-arm64    builds for 64-bit Arm and runs the unit tests under qemu
#   make lint | format | check-layers | check-rules
#
# Relies on: tools/install-deps.sh, which leaves a stamp in .deps/ for each thing installed, so that a second run does
# nothing. JOBS bounds the compilers and tests that run at once.

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 600
FUZZ_TARGETS ?=
BENCH_FLAGS ?=
ORACLE_FLAGS ?=
SOAK_QUERIES ?= 50000
SOAK_LOGIC_QUERIES ?= 200000
SOAK_SEED ?= $(shell date +%Y%m%d)
INSTALL = tools/install-deps.sh
RELEASE = build/release
export CTEST_OUTPUT_ON_FAILURE = 1

.PHONY: run build test debug asan tsan fuzz bench cancel soak test-oracles test-tpch-sf1 test-arm64 check-layers check-rules format lint install-deps clean
.DEFAULT_GOAL := build

# One stamp per group of dependencies; the script's own text is what can make one stale.
.deps/tpcds.stamp: tools/requirements-tpcds.txt test/tpcds/generate.py
.deps/%.stamp: $(INSTALL) tools/requirements.txt tools/sources.txt
	$(INSTALL) $*

build/%/build.ninja: .deps/build.stamp CMakePresets.json
	cmake --preset $*

install-deps: .deps/build.stamp .deps/test.stamp

# Ninja decides what is stale, sources that appear or vanish included.
build: $(RELEASE)/build.ninja
	cmake --build --preset release -j $(JOBS)

run: build .deps/data.stamp
	example/run.sh

test: build .deps/data.stamp .deps/bench-data.stamp .deps/test.stamp
	ctest --preset release -j $(JOBS)

debug asan tsan: %: build/%/build.ninja .deps/data.stamp .deps/test.stamp
	cmake --build --preset $@ -j $(JOBS)
	$(if $(filter tsan,$@),FLETCH_STRESS_SECONDS=60 FLETCH_SWAPS=10000) ctest --preset $@ -j $(JOBS)

fuzz: .deps/fuzz.stamp .deps/data.stamp
	cmake --preset fuzz
	cmake --build --preset fuzz -j $(JOBS)
	tools/run-fuzz.sh build/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

bench: build .deps/test.stamp .deps/bench-data.stamp .deps/tpcds.stamp
	.deps/venv/bin/python bench/run.py $(BENCH_FLAGS)

cancel: build .deps/test.stamp
	.deps/venv/bin/python test/cancel.py

# By one worker and by two; ORACLE_FLAGS="--memory 200MB" gives TPC-DS and TPC-H a limit.
test-oracles: build .deps/test.stamp .deps/bench-data.stamp .deps/tpcds.stamp .deps/languages.stamp .deps/promtool.stamp
	.deps/venv/bin/python test/tpcds/compare.py $(ORACLE_FLAGS)
	.deps/venv/bin/python test/tpch/compare.py --data .deps/data/tpch-sf1 --threads 1 $(ORACLE_FLAGS)
	.deps/venv/bin/python test/tpch/compare.py --data .deps/data/tpch-sf1 --threads 2 $(ORACLE_FLAGS)
	.deps/venv/bin/python test/spill_cases.py
	.deps/venv/bin/python test/doubling.py --every 4 --first 1
	.deps/venv/bin/python test/doubling.py --every 4 --first 2
	.deps/venv/bin/python test/same/differential.py --slt --rule-queries 5 --every 3 --first 1
	.deps/venv/bin/python test/udf/templates.py --must c,cpp,rust
	.deps/venv/bin/python test/udf/bad_modules.py --repeats 200
	.deps/venv/bin/python test/metrics/promtool.py

# A seed a day, so that each run asks other queries; SOAK_SEED asks one day's again.
soak: build .deps/test.stamp
	.deps/venv/bin/python test/doubling.py
	.deps/venv/bin/python test/same/differential.py --slt
	.deps/venv/bin/python test/same/generated.py --queries $(SOAK_QUERIES) --seed $(SOAK_SEED) --jobs $(JOBS)
	.deps/venv/bin/python test/same/logic.py --queries $(SOAK_LOGIC_QUERIES) --seed $(SOAK_SEED) --jobs $(JOBS)

test-arm64: .deps/arm64.stamp
	cmake --preset arm64
	cmake --build --preset arm64 -j $(JOBS)
	ctest --preset arm64 -j $(JOBS)

test-tpch-sf1: build .deps/test.stamp .deps/bench-data.stamp
	ctest --preset release -R tpch/sf1

check-layers:
	python3 tools/check_layers.py
	python3 tools/check_frozen.py

check-rules:
	python3 tools/check_rules.py
	python3 tools/check_system.py

format: .deps/lint.stamp
	git ls-files 'src/*.[ch]' 'include/*.h' 'fuzz/*.c' 'example/*.c' 'test/*.c' | xargs -r clang-format-19 -i

lint: .deps/lint.stamp build check-layers check-rules
	git ls-files 'src/*.[ch]' 'include/*.h' 'fuzz/*.c' 'example/*.c' 'test/*.c' | xargs -r clang-format-19 --dry-run -Werror
	git ls-files 'src/*.c' | grep -v '_test\.c$$' | xargs -r clang-tidy-19 -p $(RELEASE) --quiet

clean:
	rm -rf build
