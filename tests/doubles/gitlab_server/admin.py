"""/double/...: what tests use to build a world, to spoil it and to look at it. No part of GitLab; loopback only.

    POST   /double/users            {username, name?, bot?, busy?}
    POST   /double/tokens           {user, token?, scopes?, expires_at?}          DELETE …/TOKEN revokes
    POST   /double/projects         {path, files?, id?, default_branch?, visibility?, forked_from?, members?}
    POST   /double/projects/ID/commits  {branch, files, message?, start_branch?}   a file of null is deleted
    POST   /double/pipelines        {project, jobs, ref?} or {project, jobs, merge_request: {project, iid}, kind?}
                                    or {project, jobs, parent} for a child of that pipeline
           a job is {name, stage?, script, after_script?, variables?, allow_failure?, when?, timeout?, artifacts?,
           cache?, tags?, id?, token?}
    GET    /double/pipelines/ID     status and jobs, retried ones marked, with exit codes and moods
    GET    /double/wait?pipeline=ID&timeout_s=N   the same once all jobs are at rest; 408 otherwise
    GET    /double/wait?job=ID&status=S&timeout_s=N
    PATCH  /double/jobs/ID          {moods?, status?, failure_reason?, exit_code?, forget_trace?}
    POST   /double/runners          {token, description?, tags?}                  PATCH …/ID {paused?}
    PATCH  /double/settings         {poll_hold_s?, trace_update_interval_s?, trace_limit_bytes?, …}
    GET    /double/notes?project=ID&iid=N    with the mentions and quick actions that GitLab would have acted on, and the discussion
    PATCH  /double/notes/ID         {author?, confidential?}
    POST   /double/checks           {project, iid, name}: an external status check that the merge request waits for
    POST   /double/faults           see faults.Fault     GET lists, DELETE clears
    GET    /double/requests?method=&path=&after=N        DELETE clears
"""
from __future__ import annotations

import dataclasses
import secrets
from typing import Any

from .coordinator import Coordinator, Settings
from .faults import Faults, Recorder
from .model import Job, Pipeline, Token
from .store import Store
from .views import Views
from .web import Refusal, Reply, Request, Routes

WAIT_LIMIT_S = 600.0


def routes(store: Store, coordinator: Coordinator, settings: Settings, faults: Faults, recorder: Recorder) -> Routes:
    table = Routes()
    _world(store, table)
    _runs(store, coordinator, settings, table)
    _observation(store, faults, recorder, table)
    return table


def _project(store: Store, key: Any) -> Any:
    project = store.project(key)
    if project is None:
        raise Refusal(404, {"error": f"no project {key}"})
    return project


def _change(target: Any, fields: dict[str, Any]) -> None:
    known = {field.name for field in dataclasses.fields(target)}
    unknown = set(fields) - known
    if unknown:
        raise Refusal(400, {"error": f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}"})
    for name, value in fields.items():
        setattr(target, name, value)


def _world(store: Store, table: Routes) -> None:
    @table.add("POST", "/double/users")
    def user(request: Request) -> Reply:
        fields = request.json()
        made = store.add_user(fields["username"], fields.get("name") or fields["username"], bool(fields.get("bot")))
        made.busy = bool(fields.get("busy"))
        return Reply(201, dataclasses.asdict(made))

    @table.add("POST", "/double/tokens")
    def token(request: Request) -> Reply:
        fields = request.json()
        value = fields.get("token") or f"glpat-{secrets.token_hex(10)}"
        store.tokens[value] = Token(value, store.user_named(fields["user"]).id,
                                    frozenset(fields.get("scopes") or ["api"]), fields.get("expires_at"))
        return Reply(201, {"token": value})

    @table.add("DELETE", "/double/tokens/(?P<value>[^/]+)")
    def revoke(request: Request, value: str) -> Reply:
        store.tokens[value].revoked = True
        return Reply(204)

    @table.add("POST", "/double/projects")
    def project(request: Request) -> Reply:
        fields = request.json()
        origin = fields.get("forked_from")
        made = store.add_project(fields["path"], fields.get("files") or {"README.md": "demo\n"}, fields.get("id"),
                                 fields.get("default_branch", "main"), fields.get("visibility", "private"),
                                 _project(store, origin).id if origin else None, fields.get("members"))
        return Reply(201, Views(store, request.base_url).project(made))

    @table.add("POST", "/double/projects/(?P<key>[^/]+)/commits")
    def commit(request: Request, key: str) -> Reply:
        fields = request.json()
        sha = store.add_commit(_project(store, key), fields["branch"], fields["files"],
                               fields.get("message") or "Change", fields.get("start_branch"))
        return Reply(201, {"id": sha})


def _show(store: Store, request: Request, pipeline: Pipeline) -> dict[str, Any]:
    with store.lock:
        view = Views(store, request.base_url).pipeline(pipeline, full=True)
        view["jobs"] = [_show_job(store.jobs[number]) for number in pipeline.jobs]
        return view


def _show_job(job: Job) -> dict[str, Any]:
    names = ("id", "token", "name", "stage", "status", "failure_reason", "exit_code", "retried", "allow_failure",
             "project_id", "pipeline_id", "started_at", "finished_at", "runner_id", "system_id", "moods")
    return {**{name: getattr(job, name) for name in names}, "trace_bytes": len(job.trace),
            "archive_bytes": len(job.archive) if job.archive is not None else None}


def _runs(store: Store, coordinator: Coordinator, settings: Settings, table: Routes) -> None:
    def pipeline_of(key: str) -> Pipeline:
        if int(key) not in store.pipelines:
            raise Refusal(404, {"error": f"no pipeline {key}"})
        return store.pipelines[int(key)]

    def job_of(key: str) -> Job:
        if int(key) not in store.jobs:
            raise Refusal(404, {"error": f"no job {key}"})
        return store.jobs[int(key)]

    @table.add("POST", "/double/pipelines")
    def pipeline(request: Request) -> Reply:
        fields = request.json()
        project, wanted, chosen = _project(store, fields["project"]), fields.get("merge_request"), None
        if wanted:
            chosen = store.merge_request(_project(store, wanted.get("project", project.id)).id, wanted["iid"])
            if chosen is None:
                raise Refusal(404, {"error": f"no merge request {wanted}"})
        parent = pipeline_of(fields["parent"]) if fields.get("parent") else None
        made = store.add_pipeline(project, fields["jobs"], fields.get("ref"), chosen, fields.get("source", "push"),
                                  fields.get("kind", "head"), parent)
        return Reply(201, _show(store, request, made))

    @table.add("GET", r"/double/pipelines/(?P<key>\d+)")
    def show(request: Request, key: str) -> Reply:
        return Reply(200, _show(store, request, pipeline_of(key)))

    @table.add("GET", "/double/wait")
    def wait(request: Request) -> Reply:
        limit = min(float(request.first("timeout_s", "30")), WAIT_LIMIT_S)
        if request.first("pipeline"):
            found = pipeline_of(request.first("pipeline"))
            done = store.wait(lambda: store.at_rest(found.jobs), limit)
            return Reply(200 if done else 408, _show(store, request, found))
        job, status = job_of(request.first("job")), request.first("status")
        done = store.wait(lambda: job.status == status if status else job.finished, limit)
        return Reply(200 if done else 408, _show_job(job))

    @table.add("PATCH", r"/double/jobs/(?P<key>\d+)")
    def change_job(request: Request, key: str) -> Reply:
        fields, job = request.json(), job_of(key)
        with store.lock:
            job.moods.update(fields.get("moods") or {})
            if fields.get("forget_trace"):
                job.trace.clear()
            if fields.get("status"):
                store.finish(job, fields["status"], fields.get("failure_reason"), fields.get("exit_code"))
            return Reply(200, _show_job(job))

    @table.add("POST", "/double/runners")
    def runner(request: Request) -> Reply:
        fields = request.json()
        made = coordinator.add_runner(fields["token"], fields.get("description", "lab"), fields.get("tags"))
        return Reply(201, dataclasses.asdict(made))

    @table.add("PATCH", r"/double/runners/(?P<key>\d+)")
    def change_runner(request: Request, key: str) -> Reply:
        with store.lock:
            _change(store.runners[int(key)], request.json())
            return Reply(200, dataclasses.asdict(store.runners[int(key)]))

    @table.add("PATCH", "/double/settings")
    def change_settings(request: Request) -> Reply:
        _change(settings, request.json())
        return Reply(200, dataclasses.asdict(settings))


def _observation(store: Store, faults: Faults, recorder: Recorder, table: Routes) -> None:
    @table.add("GET", "/double/notes")
    def all_notes(request: Request) -> Reply:
        with store.lock:
            found = store.merge_request(_project(store, request.first("project")).id, int(request.first("iid")))
            if found is None:
                raise Refusal(404, {"error": "no such merge request"})
            views = Views(store, request.base_url)
            return Reply(200, [{**views.note(n), "mentions": n.mentions, "commands": n.commands, "discussion_id": n.discussion}
                               for n in store.notes.values() if n.merge_request_id == found.id])

    @table.add("PATCH", r"/double/notes/(?P<key>\d+)")
    def change_note(request: Request, key: str) -> Reply:
        fields = request.json()
        with store.lock:
            if "author" in fields:
                fields["author_id"] = store.user_named(fields.pop("author")).id
            _change(store.notes[int(key)], fields)
            return Reply(200, Views(store, request.base_url).note(store.notes[int(key)]))

    @table.add("POST", "/double/checks")
    def add_check(request: Request) -> Reply:
        fields = request.json()
        with store.lock:
            found = store.merge_request(_project(store, fields["project"]).id, fields["iid"])
            if found is None:
                raise Refusal(404, {"error": "no such merge request"})
            found.checks.append({"id": len(found.checks) + 1, "name": fields["name"], "answers": {}})
            return Reply(201, found.checks[-1])

    @table.add("POST", "/double/faults")
    def add_fault(request: Request) -> Reply:
        return Reply(201, dataclasses.asdict(faults.add(request.json())))

    @table.add("GET", "/double/faults")
    def list_faults(request: Request) -> Reply:
        return Reply(200, [dataclasses.asdict(fault) for fault in faults.all()])

    @table.add("DELETE", "/double/faults")
    def clear_faults(request: Request) -> Reply:
        faults.clear()
        return Reply(204)

    @table.add("GET", "/double/requests")
    def list_requests(request: Request) -> Reply:
        return Reply(200, recorder.matching(request.first("method") or ".*", request.first("path"),
                                            int(request.first("after") or 0)))

    @table.add("DELETE", "/double/requests")
    def clear_requests(request: Request) -> Reply:
        recorder.clear()
        return Reply(204)
