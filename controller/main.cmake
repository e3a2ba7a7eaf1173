if(TARGET controller_store AND TARGET controller_fleet AND TARGET controller_api AND TARGET controller_reactions)
    gitaiops_program(gitaiops-controller SOURCES figures.cpp main.cpp operator.cpp operator_advisories.cpp operator_inbox.cpp reviewing.cpp service.cpp settings.cpp state_folder.cpp
    LINK controller_config controller_store controller_enrollment controller_fleet controller_ingest controller_gitlab controller_history controller_triaging controller_checks
         controller_note controller_project_files controller_queue controller_reactions controller_acting controller_commands controller_baselines controller_fetching controller_models controller_advisories controller_feed controller_webhooks controller_reconciler controller_api base_notify base_command_line)
endif()
