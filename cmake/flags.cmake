# Compiler flags of everything of ours: language, warnings as errors, hardening, sanitizers.
#
# Hardening stays out of the hot loops: stack protectors go only to functions with arrays on the stack, and fortified calls
# are resolved at compile time where sizes are known.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)   # __int128 and statement expressions
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_FLAGS_RELEASE "-O3")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g1")   # sanitizers: speed enough for the whole suite, lines in the reports
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
find_package(Threads REQUIRED)

# Multiply-add is never contracted and a char has a sign, so that every instruction set gives the same bits.
add_compile_options(-fsigned-char -ffp-contract=off -fno-math-errno -fno-trapping-math)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    add_compile_options(-march=x86-64-v2 -fcf-protection)
endif()
add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed)

if(FLETCH_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_definitions(FLETCH_VERIFY_RULES FLETCH_SLOW_ASSERTS)
endif()
if(FLETCH_SANITIZE)
    add_compile_options(-fsanitize=${FLETCH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${FLETCH_SANITIZE})
    if(FLETCH_FUZZ)
        add_compile_options(-fsanitize=fuzzer-no-link)
    endif()
else()
    add_compile_options(-fstack-protector-strong -fstack-clash-protection)
    if(CMAKE_BUILD_TYPE STREQUAL "Release")
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    endif()
endif()

# Our own targets: warnings are errors. Third-party sources get the flags above and no warnings.
function(fletch_flags target)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    target_include_directories(${target} SYSTEM PRIVATE ${YYJSON_DIR})
    target_compile_definitions(${target} PRIVATE "_GNU_SOURCE=" FLETCH_VERSION="${PROJECT_VERSION}")
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-unused-parameter)
    # clang builds the fuzz targets only; gcc's opinion is the one that counts
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()
