if(TARGET agent_jobs AND TARGET agent_uplink AND TARGET agent_status)
  find_package(CLI11 REQUIRED)
  gitaiops_program(gitaiops-agent SOURCES main.cpp doctor.cpp service_user.cpp
    LINK agent_config agent_jobs agent_uplink agent_status CLI11::CLI11)
endif()
