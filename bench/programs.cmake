# bench programs, one line each, and what they share
gitaiops_library(bench_support SOURCES bench.cpp LINK gitaiops_options)
if(TARGET controller_store)
  gitaiops_bench(bench_store SOURCES bench_store.cpp LINK bench_support controller_store agent_spool)
endif()
pkg_check_modules(HS REQUIRED IMPORTED_TARGET libhs)
gitaiops_bench(bench_diagnosis SOURCES bench_diagnosis.cpp LINK bench_support diagnosis PkgConfig::HS)
gitaiops_bench(bench_advisories SOURCES bench_advisories.cpp LINK bench_support base_files scanner_advisories_builder scanner_findings)
gitaiops_bench(bench_scanner SOURCES bench_scanner.cpp LINK bench_support scanner_inventory)
gitaiops_bench(bench_scan SOURCES bench_scan.cpp LINK bench_support base_files scanner_advisories_builder)
gitaiops_bench(observer_scan SOURCES observer_scan.cpp LINK bench_support agent_observer_service)
gitaiops_bench(bench_provenance SOURCES bench_provenance.cpp LINK scanner_provenance sigstore_test_instance)
# The figures of the corpus test, beside their targets; and the same for projects as if nobody had read their logs.
find_package(GTest REQUIRED)
find_package(nlohmann_json REQUIRED)
gitaiops_bench(bench_diagnosis_corpus SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/diagnosis/corpus_test.cpp unseen_projects.cpp
  LINK diagnosis nlohmann_json::nlohmann_json GTest::gmock GTest::gtest_main)
target_compile_definitions(bench_diagnosis_corpus PRIVATE GITAIOPS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

# These run real controllers. What an agent costs, with a runner and its jobs: bench_agent.py.
if(TARGET controller_store AND TARGET base_rpc)
  gitaiops_library(bench_agents SOURCES agents.cpp LINK bench_support base_rpc base_tls controller_enrollment controller_store)
  gitaiops_bench(bench_ingest SOURCES bench_ingest.cpp LINK bench_agents)
  gitaiops_bench(bench_connected SOURCES bench_connected.cpp LINK bench_agents)
  gitaiops_bench(bench_api SOURCES bench_api.cpp LINK bench_support base_outgoing base_sqlite controller_store)
endif()
find_package(ZLIB REQUIRED)
gitaiops_bench(bench_triage SOURCES bench_triage.cpp LINK bench_support triage ZLIB::ZLIB)
target_compile_definitions(bench_triage PRIVATE GITAIOPS_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
