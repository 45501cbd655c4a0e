# Finds the codecs, utf8proc, libedit and yyjson that tools/install-deps.sh installed.
#
# Sets FLETCH_CODECS_SHARED and FLETCH_CODECS_STATIC (archives where the system has them), FLETCH_EDIT, YYJSON_DIR and
# YYJSON_SOURCE. yyjson has no Debian package in stable; its two files come pinned and hash-checked from a registry.

set(FLETCH_CODECS_SHARED)
set(FLETCH_CODECS_STATIC)

function(fletch_find_codec name)
    find_library(${name}_SHARED NAMES lib${name}.so ${name} REQUIRED)
    find_library(${name}_STATIC NAMES lib${name}.a)
    if(NOT ${name}_STATIC)
        set(${name}_STATIC ${${name}_SHARED})
    endif()
    set(FLETCH_CODECS_SHARED ${FLETCH_CODECS_SHARED} ${${name}_SHARED} PARENT_SCOPE)
    set(FLETCH_CODECS_STATIC ${FLETCH_CODECS_STATIC} ${${name}_STATIC} PARENT_SCOPE)
endfunction()

# Order matters to a static link: the brotli halves come before what they share.
foreach(codec zstd lz4 snappy brotlidec brotlienc brotlicommon z bz2)
    fletch_find_codec(${codec})
endforeach()
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)   # used header-only, inlined
fletch_find_codec(xxhash)
find_path(UTF8PROC_INCLUDE utf8proc.h REQUIRED)   # upper and lower case
fletch_find_codec(utf8proc)

# snappy is C++ inside; its archive brings the C++ runtime along, as an archive too, so that the program does not load it.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libstdc++.a
    OUTPUT_VARIABLE stdcxx OUTPUT_STRIP_TRAILING_WHITESPACE)
if(snappy_STATIC MATCHES "\\.a$")
    if(IS_ABSOLUTE "${stdcxx}")
        list(APPEND FLETCH_CODECS_STATIC ${stdcxx})
    else()
        list(APPEND FLETCH_CODECS_STATIC stdc++)
    endif()
    list(APPEND FLETCH_CODECS_STATIC gcc_eh)
endif()

find_library(edit_SHARED NAMES edit)
set(FLETCH_EDIT)
if(edit_SHARED)
    set(FLETCH_EDIT ${edit_SHARED})
endif()

set(YYJSON_DIR ${PROJECT_SOURCE_DIR}/.deps/yyjson CACHE PATH "Folder with yyjson.c and yyjson.h")
set(YYJSON_SOURCE ${YYJSON_DIR}/yyjson.c)
if(NOT EXISTS ${YYJSON_SOURCE})
    message(FATAL_ERROR "yyjson is missing: run tools/install-deps.sh build (or pass -DYYJSON_DIR=...)")
endif()

# Engines of the WebAssembly plugin; without them it is not built.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64" AND CMAKE_CROSSCOMPILING)
    set(wasmtime_folder wasmtime-arm64)
else()
    set(wasmtime_folder wasmtime)
endif()
set(WASMTIME_DIR ${PROJECT_SOURCE_DIR}/.deps/${wasmtime_folder} CACHE PATH "Folder with Wasmtime's include/ and lib/")
set(WASM3_DIR ${PROJECT_SOURCE_DIR}/.deps/wasm3 CACHE PATH "Folder with wasm3's C sources")

# CPython for functions in Python (Debian's python3-dev); without it that plugin is not built.
find_package(PkgConfig)
if(PkgConfig_FOUND AND NOT CMAKE_CROSSCOMPILING)
    pkg_check_modules(PYTHON_EMBED python3-embed)
    pkg_get_variable(PYTHON_PREFIX python3-embed prefix)
    if(PYTHON_EMBED_FOUND AND PYTHON_EMBED_VERSION VERSION_LESS 3.10)
        set(PYTHON_EMBED_FOUND FALSE)
    endif()
endif()
