if(TARGET agent_jobs AND TARGET agent_uplink AND TARGET agent_status)
    gitaiops_program(gitaiops-agent SOURCES main.cpp doctor.cpp service_user.cpp
    LINK agent_config agent_jobs agent_uplink agent_status base_command_line)
endif()
