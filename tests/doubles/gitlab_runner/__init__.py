"""A program that behaves on its host like gitlab-runner with the shell executor.

    config      options, and what differs between runner releases
    log         the runner's own log: text and JSON
    network     the coordinator's HTTP API as a client
    trace       masking, timestamps, the buffered trace file
    uploading   sends the trace while it grows, settles the final state
    script      what bash is told for each stage
    build       one job: directories, stages, processes, outcome
    manager     polling, concurrency, signals
    status      /debug/jobs/list and /metrics
    usage       the usage log
    artifacts   the uploader, which runs inside the job
"""
