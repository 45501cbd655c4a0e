# Registers every test with ctest: unit tests, sqllogictest files, oracle comparisons, layers, install, corpus replay.
#
# Labels: unit, slt, oracle (needs .deps/venv), program, parallel (what the thread sanitizer watches), fuzz, tree.
# All tests run in the repository's root and may assume nothing about their order.

find_library(CMOCKA cmocka REQUIRED)
set(fletch_python ${PROJECT_SOURCE_DIR}/.deps/venv/bin/python)

# What a sanitizer finds ends the test; leaks count.
set(fletch_test_environment
    "ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:exitcode=99:suppressions=${PROJECT_SOURCE_DIR}/cmake/tsan.supp")

if(CMAKE_CROSSCOMPILING)
    list(APPEND fletch_test_environment "FLETCH_WASM_INSTANCES=0")   # qemu would keep notes of each of a pool's pages
endif()

function(fletch_test name labels)
    cmake_parse_arguments(arg "" "TIMEOUT" "COMMAND" ${ARGN})
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    if(CMAKE_CROSSCOMPILING)
        math(EXPR arg_TIMEOUT "4 * ${arg_TIMEOUT}")   # another processor is imitated
    endif()
    add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77
        ENVIRONMENT "${fletch_test_environment}")
endfunction()

# What unit tests and fuzz targets share.
add_library(fletch_table_rows STATIC test/table_rows.c test/owned_system.c test/faults.c test/arrow_text.c)
fletch_flags(fletch_table_rows)
target_include_directories(fletch_table_rows INTERFACE ${PROJECT_SOURCE_DIR}/test)
target_link_libraries(fletch_table_rows PUBLIC fletch_static)

# ---- unit tests: src/<area>/<thing>_test.c -------------------------------------------------------------------------

foreach(source ${fletch_tests})
    string(REGEX REPLACE "^src/(.*)_test\\.c$" "\\1" thing ${source})
    string(REPLACE "/" "_" target "test_${thing}")
    add_executable(${target} ${source})
    fletch_flags(${target})
    target_link_libraries(${target} PRIVATE fletch_table_rows fletch_static ${CMOCKA})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
    target_compile_definitions(${target} PRIVATE FLETCH_PLUGIN_DIR="${PROJECT_BINARY_DIR}")
    set(labels unit)
    file(STRINGS ${source} threads REGEX "workers\\.h|pthread\\.h|scheduler\\.h" LIMIT_COUNT 1)
    if(threads)
        list(APPEND labels parallel)
    endif()
    fletch_test(unit/${thing} "${labels}" COMMAND ${target})
endforeach()

# They run each statement as often as it asks for memory or touches a file, or read very many rows; sanitizers make that many minutes.
set_tests_properties(unit/engine/fault unit/engine/fault_spill unit/engine/result_stream unit/engine/wasm_function PROPERTIES TIMEOUT 1500)

# It gives a block of the library's pages of its own, which cannot be written.
target_link_options(test_engine_shared_plan PRIVATE LINKER:--wrap=malloc,--wrap=realloc,--wrap=free)

# It counts the locks that a thread holds where a fiber pauses.
target_link_options(test_engine_result_stream PRIVATE
    LINKER:--wrap=pthread_mutex_lock,--wrap=pthread_mutex_unlock,--wrap=fl_fiber_pause)

# ---- sqllogictest --------------------------------------------------------------------------------------------------

if(fletch_cli)
    add_executable(slt_runner test/slt_runner.c test/arrow_text.c test/md5.c)
    fletch_flags(slt_runner)
    target_link_libraries(slt_runner PRIVATE fletch_static)

    # One test per folder of test/slt, so that a failure names the feature and folders run side by side.
    file(GLOB slt_folders CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/test/slt test/slt/*)
    foreach(folder ${slt_folders})
        if(folder STREQUAL "spill") # whose files have limits of their own; with one worker threads need no watching
            file(GLOB files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} test/slt/spill/*.slt)
            set(one_worker ${files})
            list(FILTER one_worker INCLUDE REGEX "_one_worker")
            list(REMOVE_ITEM files ${one_worker})
            fletch_test(slt/spill "slt;parallel" TIMEOUT 1200 COMMAND slt_runner --engine fletch ${files})
            fletch_test(slt/spill_one_worker slt TIMEOUT 1200 COMMAND slt_runner --engine fletch ${one_worker})
        elseif(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/test/slt/${folder})
            fletch_test(slt/${folder} "slt;parallel" TIMEOUT 1200 COMMAND slt_runner --engine fletch test/slt/${folder})
            list(APPEND slt_roomy test/slt/${folder})
        endif()
    endforeach()
    fletch_test(slt_16MB/own slt TIMEOUT 1200 COMMAND slt_runner --engine fletch --memory 16MB ${slt_roomy})
    file(GLOB foreign CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ../shared/slt/*.test)
    if(foreign)
        foreach(file ${foreign})
            get_filename_component(name ${file} NAME_WE)
            fletch_test(slt/foreign/${name} slt TIMEOUT 600
                COMMAND slt_runner --engine postgresql --classic ${file})
        endforeach()
        fletch_test(slt_16MB/foreign slt TIMEOUT 600 COMMAND slt_runner --engine postgresql --classic --memory 16MB ${foreign})
    else()
        message(STATUS "SQLite's sqllogictest files are not at ../shared/slt: they are left out")
    endif()
endif()

# ---- against oracles, and against itself ---------------------------------------------------------------------------

if(fletch_cli)
    fletch_test(udf/bad_modules program COMMAND ${fletch_python} test/udf/bad_modules.py $<TARGET_FILE:fletch>)
    fletch_test(front/errors program COMMAND ${fletch_python} test/front/errors.py $<TARGET_FILE:fletch>)
    fletch_test(program/errors program COMMAND ${fletch_python} test/errors/run.py --fletch $<TARGET_FILE:fletch>)
    fletch_test(program/shell program COMMAND ${fletch_python} test/shell.py $<TARGET_FILE:fletch>)
    set(program --fletch $<TARGET_FILE:fletch>)
    set(slack 1)
    if(NOT CMAKE_BUILD_TYPE STREQUAL "Release")
        set(slack 10)
    endif()
    fletch_test(expr/expressions program COMMAND ${fletch_python} test/expr/expressions.py ${program})
    fletch_test(expr/filters program COMMAND ${fletch_python} test/expr/filters.py ${program})
    fletch_test(expr/errors program COMMAND ${fletch_python} test/expr/errors.py ${program} --slack ${slack})
    add_executable(function_list test/function_list.c)
    fletch_flags(function_list)
    target_link_libraries(function_list PRIVATE fletch_static)
    fletch_test(expr/document program
        COMMAND ${fletch_python} test/expr/document.py ${program} --functions $<TARGET_FILE:function_list>)
    fletch_test(functions/page program
        COMMAND ${fletch_python} test/functions/page.py ${program} --functions $<TARGET_FILE:function_list>)
    fletch_test(udf/python program TIMEOUT 900 COMMAND ${fletch_python} test/udf/python.py ${program} --slack 10)
    fletch_test(udf/python_model program COMMAND example/python_model/run.sh $<TARGET_FILE:fletch>)
    fletch_test(udf/patterns program COMMAND ${fletch_python} test/udf/patterns.py ${program})
    set(oracle_tests
        "tpch/sf0.01\;test/tpch/compare.py\;--data\;.deps/data/tpch-sf0.01"
        "tpch/sf1\;test/tpch/compare.py\;--data\;.deps/data/tpch-sf1\;--engines\;duckdb,polars,datafusion"
        "same/slt\;test/same/differential.py\;--slt\;--rule-queries\;5\;--every\;3"
        "same/tpch\;test/same/differential.py\;--tpch"
        "same/plans\;test/same/plans.py"
        "same/generated\;test/same/generated.py"
        "same/logic\;test/same/logic.py"
        "program/contract\;test/program.py"
        "plan/rules\;test/plan/run.py"
        "plan/estimates\;test/plan/estimates.py"
        "exact_variance\;test/exact_variance.py"
        "bad_input\;test/bad_input.py"
        "parquet_corruption\;test/parquet_corruption.py"
        "file_changes\;test/file_changes.py"
        "parquet_index\;test/parquet_index.py"
        "parquet_order\;test/parquet_order.py"
        "many_files\;test/many_files.py"
        "spill\;test/spill.py"
        "spilled_order\;test/spilled_order.py"
        "every_limit\;test/every_limit.py"
        "udf/store\;test/udf/store.py"
        "udf/kill\;test/udf/kill.py"
        "functions/duckdb\;test/functions/compare.py"
        "functions/columns\;test/functions/columns.py"
        "metrics/metrics\;test/metrics/metrics.py"
        "metrics/promtool\;test/metrics/promtool.py")
    foreach(line ${oracle_tests})
        list(GET line 0 name)
        list(SUBLIST line 1 -1 command)
        list(GET command 0 script)
        if(EXISTS ${PROJECT_SOURCE_DIR}/${script})
            set(labels oracle)
            if(name MATCHES "^(tpch/sf1|same/.*|spill.*|every_limit)$" AND NOT CMAKE_BUILD_TYPE STREQUAL "Release")
                continue()   # the same queries run once each under a sanitizer; every road of each takes an hour there
            elseif(name STREQUAL "tpch/sf0.01")
                list(APPEND labels parallel)
            endif()
            fletch_test(${name} "${labels}" TIMEOUT 1500 COMMAND ${fletch_python} ${command} ${program})
        endif()
    endforeach()
endif()

# ---- fuzz targets: libFuzzer's main in the fuzz preset, a replay of the corpus elsewhere ----------------------------

file(GLOB fuzz_sources CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} fuzz/*.c)
list(FILTER fuzz_sources EXCLUDE REGEX "replay\\.c$")
foreach(source ${fuzz_sources})
    get_filename_component(boundary ${source} NAME_WE)
    if(FLETCH_FUZZ)
        add_executable(fuzz_${boundary} ${source})
        target_link_options(fuzz_${boundary} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(fuzz_${boundary} ${source} test/replay.c)
    endif()
    fletch_flags(fuzz_${boundary})
    target_link_libraries(fuzz_${boundary} PRIVATE fletch_table_rows fletch_static)
    target_compile_definitions(fuzz_${boundary} PRIVATE FLETCH_PLUGIN_DIR="${PROJECT_BINARY_DIR}")
    set_target_properties(fuzz_${boundary} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
    if(FLETCH_FUZZ)
        fletch_test(fuzz/${boundary} fuzz COMMAND fuzz_${boundary} -runs=0 fuzz/corpus/${boundary})
    else()
        fletch_test(fuzz/${boundary} fuzz COMMAND fuzz_${boundary} fuzz/corpus/${boundary})
    endif()
endforeach()

# ---- the tree and what is installed from it -------------------------------------------------------------------------

fletch_test(tree/layers tree COMMAND python3 tools/check_layers.py)
fletch_test(tree/frozen tree COMMAND python3 tools/check_frozen.py)
fletch_test(tree/rules tree COMMAND python3 tools/check_rules.py)
fletch_test(tree/system tree COMMAND python3 tools/check_system.py)
fletch_test(tree/headers tree COMMAND test/headers.sh)
fletch_test(tree/symbols tree COMMAND test/symbols.sh $<TARGET_FILE:fletch_static>)
fletch_test(tree/bench_noise tree COMMAND python3 test/bench_noise.py)
if(fletch_cli AND CMAKE_BUILD_TYPE STREQUAL "Release")
    fletch_test(program/limits program COMMAND python3 test/program_limits.py $<TARGET_FILE:fletch>)
    fletch_test(program/memory_check program COMMAND python3 test/memory_check.py --fletch $<TARGET_FILE:fletch>)
    add_executable(hot_kernels test/hot_kernels.c)
    fletch_flags(hot_kernels)
    target_link_libraries(hot_kernels PRIVATE fletch_static)
    fletch_test(program/cancel program TIMEOUT 900
        COMMAND ${fletch_python} test/cancel.py --fletch $<TARGET_FILE:fletch> --times 2 --longest 0.3)
    fletch_test(program/instruction_counts program
        COMMAND python3 test/instruction_counts.py --kernels $<TARGET_FILE:hot_kernels>)
    if(EXISTS ${fletch_python})
        fletch_test(program/doubling program TIMEOUT 1500
            COMMAND ${fletch_python} test/doubling.py --every 4 --fletch $<TARGET_FILE:fletch>)
    endif()
endif()
if(EXISTS ${PROJECT_SOURCE_DIR}/test/install.sh AND NOT FLETCH_SANITIZE)
    fletch_test(tree/install tree COMMAND test/install.sh ${PROJECT_BINARY_DIR})
endif()

# The longest begin first, so that none is left to run alone: seconds, roughly.
foreach(line "same/slt 200" "program/doubling 110" "spilled_order 90" "udf/python 80" "spill 50" "same/logic 40")
    string(REPLACE " " ";" line ${line})
    list(GET line 0 name)
    list(GET line 1 seconds)
    if(TEST ${name})
        set_tests_properties(${name} PROPERTIES COST ${seconds})
    endif()
endforeach()
