# bench programs, one line each
if(TARGET controller_store)
  gitaiops_bench(bench_store SOURCES bench_store.cpp LINK controller_store agent_spool)
endif()
pkg_check_modules(HS REQUIRED IMPORTED_TARGET libhs)
gitaiops_bench(bench_diagnosis SOURCES bench_diagnosis.cpp LINK diagnosis PkgConfig::HS)
gitaiops_bench(observer_scan SOURCES observer_scan.cpp LINK agent_observer_service)
# The figures of the corpus test, beside their targets.
find_package(GTest REQUIRED)
find_package(nlohmann_json REQUIRED)
gitaiops_bench(bench_diagnosis_corpus SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/diagnosis/corpus_test.cpp
  LINK diagnosis nlohmann_json::nlohmann_json GTest::gmock GTest::gtest_main)
target_compile_definitions(bench_diagnosis_corpus PRIVATE GITAIOPS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
