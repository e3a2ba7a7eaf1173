# How every target here is made: one function a kind, so that flags stand in one place.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

find_program(CCACHE ccache)
if(CCACHE)
  # The precompiled header is safe to cache with this sloppiness (gcc's and clang's own advice). Base and hash folder:
  # what one checkout has compiled, another one finds.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true ${CCACHE})
endif()

add_library(gitaiops_options INTERFACE)
target_include_directories(gitaiops_options INTERFACE ${CMAKE_SOURCE_DIR})
# -pthread: some libraries bring it, and all targets share one precompiled header, so all say it.
target_compile_options(gitaiops_options INTERFACE -pthread -Wall -Wextra -Werror -Wnon-virtual-dtor
  $<$<CXX_COMPILER_ID:GNU>:-Wshadow=local>)
target_compile_definitions(gitaiops_options INTERFACE
  ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE  # Asio 1.22 does not detect coroutines under clang
  GITAIOPS_VERSION="${PROJECT_VERSION}")
target_link_libraries(gitaiops_options INTERFACE Threads::Threads)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own stable_sort uses what C++17 deprecated.
  target_compile_options(gitaiops_options INTERFACE -Wthread-safety -Wno-deprecated-declarations)
  target_link_options(gitaiops_options INTERFACE -fuse-ld=lld)
else()
  # gcc 12 reports the first two inside the standard library once everything is inlined (GCC bugs 105651, 109717), and takes
  # a coroutine frame's own operator delete for a mismatch (GCC bug 109224).
  target_compile_options(gitaiops_options INTERFACE -fpch-preprocess -Wno-restrict -Wno-maybe-uninitialized
    -Wno-mismatched-new-delete)
  if(CMAKE_UNITY_BUILD)
    # To gcc a source inside a unity file is a header, where file-local types would be a mistake.
    target_compile_options(gitaiops_options INTERFACE -Wno-subobject-linkage)
  endif()
  target_link_options(gitaiops_options INTERFACE -fuse-ld=mold)
endif()

# One precompiled header for all targets: the standard library only, so it depends on no target's definitions.
if(GITAIOPS_PCH)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gitaiops_pch.cpp CONTENT "")
  add_library(gitaiops_pch OBJECT ${CMAKE_BINARY_DIR}/gitaiops_pch.cpp)
  target_link_libraries(gitaiops_pch PRIVATE gitaiops_options)
  target_precompile_headers(gitaiops_pch PRIVATE
    <algorithm> <chrono> <functional> <map> <memory> <optional> <span> <string> <string_view> <unordered_map>
    <variant> <vector>)
endif()

function(gitaiops_flags target)
  target_link_libraries(${target} PUBLIC gitaiops_options)
  if(GITAIOPS_PCH)
    target_precompile_headers(${target} REUSE_FROM gitaiops_pch)
  endif()
endfunction()

# gitaiops_library(NAME SOURCES a.cpp … LINK public …)
function(gitaiops_library target)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(${target} STATIC ${arg_SOURCES})
  gitaiops_flags(${target})
  target_link_libraries(${target} PUBLIC ${arg_LINK})
endfunction()

function(gitaiops_program target)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  gitaiops_flags(${target})
  target_link_libraries(${target} PRIVATE ${arg_LINK})
endfunction()

# gitaiops_test(NAME SOURCES a_test.cpp … LINK … [SLOW]): one GoogleTest program, one ctest entry. SLOW: takes 20 seconds or
# more, so the sanitizers leave it out.
function(gitaiops_test target)
  cmake_parse_arguments(arg "SLOW" "" "SOURCES;LINK" ${ARGN})
  find_package(GTest REQUIRED)
  gitaiops_program(${target} SOURCES ${arg_SOURCES} LINK ${arg_LINK} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE GITAIOPS_SOURCE_DIR="${CMAKE_SOURCE_DIR}" GITAIOPS_BINARY_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)  # each file of tests has names of its own
  add_test(NAME ${target} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${target} PROPERTIES TIMEOUT 300)
  if(arg_SLOW)
    set_tests_properties(${target} PROPERTIES LABELS slow)
  endif()
endfunction()

# gitaiops_fuzzer(NAME SOURCES a_fuzz.cpp LINK …): libFuzzer under the fuzz preset; elsewhere a program that replays the
# files it is given, so that every found crash stays a test.
if(GITAIOPS_FUZZ)
  add_custom_target(fuzzers)
endif()
function(gitaiops_fuzzer target)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  if(GITAIOPS_FUZZ)
    gitaiops_program(${target} SOURCES ${arg_SOURCES} LINK ${arg_LINK})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers ${target})
  else()
    gitaiops_program(${target} SOURCES ${arg_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cpp LINK ${arg_LINK})
    file(GLOB seeds CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${target}/*)
    add_test(NAME ${target} COMMAND ${target} ${seeds})
  endif()
endfunction()

# gitaiops_bench(NAME SOURCES … LINK …): prints a figure beside its target; `./dev bench` runs all of them.
function(gitaiops_bench target)
  gitaiops_program(${target} ${ARGN})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/bench)
endfunction()
