"""A stateful GitLab over HTTP: runner coordinator, REST v4, git over HTTP, switchable faults, recorded requests.

    web         requests, replies, routes: what every part below speaks
    model       users, projects, merge requests, pipelines, jobs as plain values
    store       the state, its one lock, and the rules that move jobs and pipelines along
    repository  bare git repositories
    coordinator the side that runners talk to
    rest        the side that API clients talk to (views: the JSON it answers with; notes: note text)
    admin       /double/...: the side that tests talk to
    faults      what goes wrong on purpose, and the record of what came in
    server      sockets, and the order in which the parts see a request
"""
