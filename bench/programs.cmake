# bench programs, one line each
if(TARGET controller_store)
  gitaiops_bench(bench_store SOURCES bench_store.cpp LINK controller_store agent_spool)
endif()
pkg_check_modules(HS REQUIRED IMPORTED_TARGET libhs)
gitaiops_bench(bench_diagnosis SOURCES bench_diagnosis.cpp LINK diagnosis PkgConfig::HS)
gitaiops_bench(observer_scan SOURCES observer_scan.cpp LINK agent_observer_service)
