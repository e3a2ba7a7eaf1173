"""The REST API, as far as a bot uses it: projects, jobs, pipelines, merge requests and their notes."""
from __future__ import annotations

import datetime
import hashlib
import re
import time
from typing import Any, Callable, Optional

from . import notes, repository
from .model import DEVELOPER, GUEST, MAINTAINER, Job, MergeRequest, Note, Pipeline, Project, User
from .store import Store
from .views import Views
from .web import Refusal, Reply, Request, Routes, page

NOTE_LIMIT = 1_000_000          # characters
NOTES_LIMIT = 5_000             # a merge request


class Caller:
    """Who asks, and what they may see and do. Private things of others do not exist for them."""

    def __init__(self, store: Store, request: Request) -> None:
        self._store = store
        value = request.headers.get("PRIVATE-TOKEN") or request.first("private_token")
        bearer = request.headers.get("Authorization") or ""
        if not value and bearer.lower().startswith("bearer "):
            value = bearer[7:]
        token = store.tokens.get(value or "")
        today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        if token is None or token.revoked or (token.expires_at and token.expires_at <= today):
            raise Refusal(401, {"message": "401 Unauthorized"})
        self.token = token
        self.user: User = store.users[token.user_id]
        writes = request.method not in ("GET", "HEAD")
        if not token.scopes & ({"api"} if writes else {"api", "read_api"}):
            raise Refusal(403, {"error": "insufficient_scope", "scope": "api",
                                "error_description": "The request requires higher privileges than provided by the access token."})

    def level(self, project: Project) -> int:
        return project.members.get(self.user.id, GUEST if project.visibility == "public" else 0)

    def project(self, key: str, needed: int = GUEST) -> Project:
        project = self._store.project(key)
        if project is None or self.level(project) < GUEST:
            raise Refusal(404, {"message": "404 Project Not Found"})
        if self.level(project) < needed:
            raise Refusal(403, {"message": "403 Forbidden"})
        return project

    def merge_request(self, project: Project, iid: str) -> MergeRequest:
        request = self._store.merge_request(project.id, int(iid))
        if request is None:
            raise Refusal(404, {"message": "404 Not found"})
        return request

    def job(self, project: Project, number: str) -> Job:
        job = self._store.jobs.get(int(number))
        if job is None or job.project_id != project.id:
            raise Refusal(404, {"message": "404 Not found"})
        return job

    def pipeline(self, project: Project, number: str) -> Pipeline:
        found = self._store.pipelines.get(int(number))
        if found is None or found.project_id != project.id:
            raise Refusal(404, {"message": "404 Not found"})
        return found

    def note(self, request: MergeRequest, number: str) -> Note:
        found = self._store.notes.get(int(number))
        if found is None or found.merge_request_id != request.id:
            raise Refusal(404, {"message": "404 Note Not Found"})
        return found


def ordered(request: Request, items: list[Any], default: str = "id") -> list[Any]:
    by = request.first("order_by", default)
    key = by if by in ("created_at", "updated_at") else "id"
    return sorted(items, key=lambda item: (getattr(item, key), item.id), reverse=request.first("sort", "desc") == "desc")


def changed(request: Request, items: list[Any]) -> list[Any]:
    """Those that changed in the time that was asked for."""
    def when(name: str, otherwise: float) -> float:
        text = request.first(name)
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() if text else otherwise
    after, before = when("updated_after", float("-inf")), when("updated_before", float("inf"))
    return [item for item in items if after < item.updated_at < before]


def routes(store: Store) -> Routes:
    table = Routes()
    project_path = r"/api/v4/projects/(?P<project>[^/]+)"

    def add(method: str, pattern: str) -> Callable[[Callable[..., Reply]], Callable[..., Reply]]:
        """Registers a handler that gets (request, caller, views, named parts) and runs under the store's lock."""
        def register(handler: Callable[..., Reply]) -> Callable[..., Reply]:
            def handle(request: Request, **parts: str) -> Reply:
                with store.lock:
                    return handler(request, Caller(store, request), Views(store, request.base_url), **parts)
            table.add(method, pattern)(handle)
            return handler
        return register

    _instance(store, add)
    _projects(store, add, project_path)
    _jobs(store, add, project_path)
    _pipelines(store, add, project_path)
    _statuses(store, add, project_path)
    _merge_requests(store, add, project_path)
    _notes(store, add, project_path + r"/merge_requests/(?P<iid>\d+)/notes")
    return table


def _instance(store: Store, add: Callable[..., Any]) -> None:
    @add("GET", r"/api/v4/version")
    def version(request: Request, caller: Caller, views: Views) -> Reply:
        return Reply(200, {"version": "18.5.0", "revision": "0123456789a"})

    @add("GET", r"/api/v4/user")
    def user(request: Request, caller: Caller, views: Views) -> Reply:
        return Reply(200, views.me(caller.user))

    @add("GET", r"/api/v4/personal_access_tokens/self")
    def token(request: Request, caller: Caller, views: Views) -> Reply:
        return Reply(200, {"id": 1, "name": "double", "active": True, "revoked": False, "user_id": caller.user.id,
                           "scopes": sorted(caller.token.scopes), "expires_at": caller.token.expires_at})

    @add("GET", r"/api/v4/users/(?P<number>\d+)")
    def one_user(request: Request, caller: Caller, views: Views, number: str) -> Reply:
        if int(number) not in store.users:
            raise Refusal(404, {"message": "404 User Not Found"})
        return Reply(200, views.user(store.users[int(number)]))

    @add("GET", r"/api/v4/users/(?P<number>\d+)/status")
    def status(request: Request, caller: Caller, views: Views, number: str) -> Reply:
        if int(number) not in store.users:
            raise Refusal(404, {"message": "404 User Not Found"})
        busy = store.users[int(number)].busy
        return Reply(200, {"emoji": None, "message": "", "availability": "busy" if busy else "not_set", "message_html": "",
                           "clear_status_at": None})

    @add("GET", r"/api/v4/merge_requests")
    def waiting(request: Request, caller: Caller, views: Views) -> Reply:
        reviewer, state = int(request.first("reviewer_id") or 0), request.first("state")
        found = [m for m in store.merge_requests.values()
                 if (not reviewer or reviewer in m.reviewer_ids) and (not state or m.state == state)
                 and caller.level(store.projects[m.project_id]) >= GUEST]
        return page(request, ordered(request, found), views.merge_request)

    @add("GET", r"/api/v4/projects")
    def projects(request: Request, caller: Caller, views: Views) -> Reply:
        visible = [p for p in store.projects.values() if caller.level(p) >= GUEST]
        if request.first("search"):
            visible = [p for p in visible if request.first("search") in p.path]
        return page(request, ordered(request, visible), views.project)


def _projects(store: Store, add: Callable[..., Any], base: str) -> None:
    @add("GET", base)
    def project(request: Request, caller: Caller, views: Views, project: str) -> Reply:
        return Reply(200, views.project(caller.project(project)))

    @add("GET", base + r"/runners")
    def project_runners(request: Request, caller: Caller, views: Views, project: str) -> Reply:
        caller.project(project, MAINTAINER)
        return page(request, ordered(request, list(store.runners.values())), views.runner)

    @add("PUT", r"/api/v4/runners/(?P<number>\d+)")
    def change_runner(request: Request, caller: Caller, views: Views, number: str) -> Reply:
        if not any(caller.level(p) >= MAINTAINER for p in store.projects.values()):
            raise Refusal(403, {"message": "403 Forbidden - No access granted"})
        runner = store.runners.get(int(number))
        if runner is None:
            raise Refusal(404, {"message": "404 Not found"})
        if "paused" in request.form():
            runner.paused = str(request.form()["paused"]).lower() == "true"
        return Reply(200, views.runner(runner))

    @add("GET", base + r"/members/all")
    def members(request: Request, caller: Caller, views: Views, project: str) -> Reply:
        found = caller.project(project)
        return page(request, [store.users[number] for number in sorted(found.members)],
                    lambda user: {**views.user(user), "access_level": found.members[user.id], "membership_state": "active"})

    @add("GET", base + r"/members/all/(?P<number>\d+)")
    def member(request: Request, caller: Caller, views: Views, project: str, number: str) -> Reply:
        found = caller.project(project)
        if int(number) not in found.members:
            raise Refusal(404, {"message": "404 Not found"})
        return Reply(200, {**views.user(store.users[int(number)]), "access_level": found.members[int(number)]})

    @add("GET", base + r"/repository/files/(?P<path>[^/]+)/raw")
    def file(request: Request, caller: Caller, views: Views, project: str, path: str) -> Reply:
        found = caller.project(project)
        ref = request.first("ref", "HEAD")
        content = repository.read(found.repository, found.default_branch if ref == "HEAD" else ref, path)
        if content is None:
            raise Refusal(404, {"message": "404 File Not Found"})
        etag = 'W/"' + hashlib.sha256(content).hexdigest()[:32] + '"'
        if request.headers.get("If-None-Match") == etag:
            return Reply(304, None, {"ETag": etag})
        return Reply(200, content, {"Content-Type": "text/plain", "ETag": etag})

    @add("GET", base + r"/repository/commits/(?P<sha>[^/]+)")
    def commit(request: Request, caller: Caller, views: Views, project: str, sha: str) -> Reply:
        found = caller.project(project)
        full = repository.resolve(found.repository, sha)
        if full is None:
            raise Refusal(404, {"message": "404 Commit Not Found"})
        return Reply(200, views.commit(found, full))

    @add("GET", base + r"/repository/commits/(?P<sha>[^/]+)/merge_requests")
    def commit_merge_requests(request: Request, caller: Caller, views: Views, project: str, sha: str) -> Reply:
        found = caller.project(project)
        full = repository.resolve(found.repository, sha)
        if full is None:
            raise Refusal(404, {"message": "404 Commit Not Found"})
        containing = [m for m in store.merge_requests.values()
                      if m.project_id == found.id and _brings(found, m, full)]
        return page(request, ordered(request, containing), views.merge_request)


def _brings(project: Project, request: MergeRequest, sha: str) -> bool:
    """Whether the commit is one of those that the merge request adds to its target."""
    if request.sha == sha:
        return True
    added = repository.git(project.repository, "rev-list", request.sha, f"^refs/heads/{request.target_branch}")
    return sha in added.split()


def _jobs(store: Store, add: Callable[..., Any], base: str) -> None:
    @add("GET", base + r"/jobs")
    def jobs(request: Request, caller: Caller, views: Views, project: str) -> Reply:
        found, scope = caller.project(project), request.many("scope")
        listed = [j for j in store.jobs.values() if j.project_id == found.id and (not scope or j.status in scope)]
        return page(request, ordered(request, listed), views.job)

    @add("GET", base + r"/jobs/(?P<number>\d+)")
    def job(request: Request, caller: Caller, views: Views, project: str, number: str) -> Reply:
        return Reply(200, views.job(caller.job(caller.project(project), number)))

    @add("GET", base + r"/jobs/(?P<number>\d+)/trace")
    def trace(request: Request, caller: Caller, views: Views, project: str, number: str) -> Reply:
        found = caller.job(caller.project(project), number)
        whole = bytes(found.trace)
        part = re.fullmatch(r"bytes=0-(\d+)", request.headers.get("Range") or "")
        if part and whole:
            some = whole[:int(part[1]) + 1]
            return Reply(206, some, {"Content-Type": "text/plain",
                                     "Content-Range": f"bytes 0-{len(some) - 1}/{len(whole)}"})
        return Reply(200, whole, {"Content-Type": "text/plain"})

    @add("GET", base + r"/jobs/(?P<number>\d+)/artifacts")
    def artifacts(request: Request, caller: Caller, views: Views, project: str, number: str) -> Reply:
        found = caller.job(caller.project(project), number)
        if found.archive is None:
            raise Refusal(404, {"message": "404 Not found"})
        return Reply(200, found.archive, {"Content-Type": "application/zip"})

    @add("POST", base + r"/jobs/(?P<number>\d+)/(?P<verb>retry|cancel|play)")
    def act(request: Request, caller: Caller, views: Views, project: str, number: str, verb: str) -> Reply:
        found = caller.job(caller.project(project, DEVELOPER), number)
        if verb == "retry":
            return Reply(201, views.job(store.retry(found, caller.user.id)))
        if verb == "cancel":
            store.cancel(found)
            return Reply(201, views.job(found))
        if found.status != "manual":
            raise Refusal(400, {"message": "400 Bad request - Unplayable Job"})
        store.enqueue(found)
        return Reply(200, views.job(found))


def _pipelines(store: Store, add: Callable[..., Any], base: str) -> None:
    @add("GET", base + r"/pipelines")
    def pipelines(request: Request, caller: Caller, views: Views, project: str) -> Reply:
        found = caller.project(project)
        listed = [p for p in store.pipelines.values() if p.project_id == found.id]
        for name in ("ref", "sha", "source"):
            if request.first(name):
                listed = [p for p in listed if getattr(p, name) == request.first(name)]
        if request.first("status"):
            listed = [p for p in listed if store.pipeline_status(p) == request.first("status")]
        if request.first("scope") == "finished":
            listed = [p for p in listed if store.pipeline_status(p) in ("success", "failed", "canceled", "skipped")]
        return page(request, ordered(request, changed(request, listed)), views.pipeline)

    @add("GET", base + r"/pipelines/latest")
    def latest(request: Request, caller: Caller, views: Views, project: str) -> Reply:
        found = caller.project(project)
        ref = request.first("ref") or found.default_branch
        listed = [p for p in store.pipelines.values() if (p.project_id, p.ref) == (found.id, ref)]
        if not listed:
            raise Refusal(403, {"message": "403 Forbidden"})
        return Reply(200, views.pipeline(listed[-1], full=True))

    @add("GET", base + r"/pipelines/(?P<number>\d+)")
    def pipeline(request: Request, caller: Caller, views: Views, project: str, number: str) -> Reply:
        return Reply(200, views.pipeline(caller.pipeline(caller.project(project), number), full=True))

    @add("GET", base + r"/pipelines/(?P<number>\d+)/jobs")
    def pipeline_jobs(request: Request, caller: Caller, views: Views, project: str, number: str) -> Reply:
        found, scope = caller.pipeline(caller.project(project), number), request.many("scope")
        with_retried = request.first("include_retried").lower() in ("true", "t", "1", "yes", "on")
        listed = [j for j in map(store.jobs.__getitem__, found.jobs)
                  if (with_retried or not j.retried) and (not scope or j.status in scope)]
        return page(request, ordered(request, listed), views.job)

    @add("GET", base + r"/pipelines/(?P<number>\d+)/bridges")
    def bridges(request: Request, caller: Caller, views: Views, project: str, number: str) -> Reply:
        parent = caller.pipeline(caller.project(project), number)
        return page(request, [p for p in store.pipelines.values() if p.parent == parent.id], views.bridge)

    @add("POST", base + r"/pipelines/(?P<number>\d+)/(?P<verb>retry|cancel)")
    def act(request: Request, caller: Caller, views: Views, project: str, number: str, verb: str) -> Reply:
        found = caller.pipeline(caller.project(project, DEVELOPER), number)
        for job in store.latest_jobs(found):
            if verb == "cancel":
                store.cancel(job)
            elif job.status in ("failed", "canceled"):
                store.retry(job, caller.user.id)
        return Reply(201 if verb == "retry" else 200, views.pipeline(found, full=True))


def _statuses(store: Store, add: Callable[..., Any], base: str) -> None:
    """What others than jobs say of a commit, and the external status checks of a merge request."""
    def of_commit(found: Project, sha: str) -> list[Pipeline]:
        full = repository.resolve(found.repository, sha)
        if full is None:
            raise Refusal(404, {"message": "404 Commit Not Found"})
        return [p for p in store.pipelines.values() if (p.project_id, p.sha) == (found.id, full)]

    @add("POST", base + r"/statuses/(?P<sha>[0-9a-f]+)")
    def set_status(request: Request, caller: Caller, views: Views, project: str, sha: str) -> Reply:
        found, fields = caller.project(project, DEVELOPER), request.form()
        if fields.get("state") not in ("pending", "running", "success", "failed", "canceled", "skipped"):
            raise Refusal(400, {"error": "state does not have a valid value"})
        wanted = int(fields.get("pipeline_id") or 0)
        candidates = [p for p in of_commit(found, sha) if wanted in (0, p.id)]
        if not candidates:
            raise Refusal(404, {"message": "404 Pipeline Not Found"})
        pipeline, name = candidates[-1], fields.get("name") or "default"
        last = next((s for s in reversed(pipeline.statuses) if s["name"] == name), None)
        if last and last["status"] == fields["state"] and fields["state"] == "running":
            raise Refusal(400, {"message": "Cannot transition status via :run from :running"})
        made = {"id": max((s["id"] for p in store.pipelines.values() for s in p.statuses), default=0) + 1, "sha": pipeline.sha,
                "ref": pipeline.ref, "status": fields["state"], "name": name, "target_url": fields.get("target_url"),
                "description": fields.get("description"), "allow_failure": False, "pipeline_id": pipeline.id, "coverage": None,
                "author": views.user(caller.user)}
        pipeline.statuses.append(made)
        return Reply(201, made)

    @add("GET", base + r"/repository/commits/(?P<sha>[^/]+)/statuses")
    def statuses(request: Request, caller: Caller, views: Views, project: str, sha: str) -> Reply:
        found, name, wanted = caller.project(project), request.first("name"), int(request.first("pipeline_id") or 0)
        newest = {(p.id, s["name"]): s for p in of_commit(found, sha) for s in p.statuses}
        listed = [s for s in newest.values() if name in ("", s["name"]) and wanted in (0, s["pipeline_id"])]
        return page(request, listed, lambda status: status)

    @add("GET", base + r"/merge_requests/(?P<iid>\d+)/status_checks")
    def checks(request: Request, caller: Caller, views: Views, project: str, iid: str) -> Reply:
        found = caller.merge_request(caller.project(project), iid)
        return page(request, found.checks, lambda check: {
            "id": check["id"], "name": check["name"], "external_url": "https://checks.example.com/",
            "status": check["answers"].get(found.sha, "pending")})

    @add("POST", base + r"/merge_requests/(?P<iid>\d+)/status_check_responses")
    def answer_check(request: Request, caller: Caller, views: Views, project: str, iid: str) -> Reply:
        found, fields = caller.merge_request(caller.project(project, DEVELOPER), iid), request.form()
        check = next((c for c in found.checks if c["id"] == int(fields.get("external_status_check_id") or 0)), None)
        if check is None:
            raise Refusal(404, {"message": "404 External Status Check Not Found"})
        if fields.get("sha") != found.sha:
            raise Refusal(409, {"message": "The provided commit sha is not the head of the merge request"})
        if fields.get("status") not in ("passed", "failed", "pending"):
            raise Refusal(400, {"error": "status does not have a valid value"})
        check["answers"][found.sha] = fields["status"]
        return Reply(201, {"id": check["id"], "merge_request": views.merge_request(found),
                           "external_status_check": {"id": check["id"], "name": check["name"]}})


def _merge_requests(store: Store, add: Callable[..., Any], base: str) -> None:
    @add("GET", base + r"/merge_requests")
    def listing(request: Request, caller: Caller, views: Views, project: str) -> Reply:
        found = caller.project(project)
        listed = [m for m in store.merge_requests.values() if m.project_id == found.id]
        for name in ("source_branch", "target_branch"):
            if request.first(name):
                listed = [m for m in listed if getattr(m, name) == request.first(name)]
        for name, attribute in (("source_project_id", "source_project_id"), ("author_id", "author_id")):
            if request.first(name):
                listed = [m for m in listed if getattr(m, attribute) == int(request.first(name))]
        if request.first("state") not in ("", "all"):
            listed = [m for m in listed if m.state == request.first("state")]
        if request.many("iids"):
            listed = [m for m in listed if str(m.iid) in request.many("iids")]
        return page(request, ordered(request, changed(request, listed), "created_at"), views.merge_request)

    @add("POST", base + r"/merge_requests")
    def create(request: Request, caller: Caller, views: Views, project: str) -> Reply:
        source, fields = caller.project(project, DEVELOPER), request.form()
        for name in ("title", "source_branch", "target_branch"):
            if not fields.get(name):
                raise Refusal(400, {"error": f"{name} is missing"})
        target = caller.project(str(fields.get("target_project_id") or source.id))
        made = store.add_merge_request(source, target, fields["source_branch"], fields["target_branch"],
                                       fields["title"], fields.get("description") or "", caller.user)
        labels = fields.get("labels") or []
        made.labels = labels.split(",") if isinstance(labels, str) else labels
        return Reply(201, views.merge_request(made, full=True))

    @add("GET", base + r"/merge_requests/(?P<iid>\d+)/diffs")
    def diffs(request: Request, caller: Caller, views: Views, project: str, iid: str) -> Reply:
        found = caller.merge_request(caller.project(project), iid)
        names = repository.changed(store.projects[found.project_id].repository, found.target_branch, found.sha)
        return page(request, names, lambda one: {"old_path": one[0], "new_path": one[1], "diff": one[2]})

    @add("GET", base + r"/merge_requests/(?P<iid>\d+)")
    def one(request: Request, caller: Caller, views: Views, project: str, iid: str) -> Reply:
        return Reply(200, views.merge_request(caller.merge_request(caller.project(project), iid), full=True))

    @add("PUT", base + r"/merge_requests/(?P<iid>\d+)")
    def update(request: Request, caller: Caller, views: Views, project: str, iid: str) -> Reply:
        found, fields = caller.merge_request(caller.project(project, DEVELOPER), iid), request.form()
        states = {"close": "closed", "reopen": "opened"}
        if fields.get("state_event"):
            found.state = states.get(fields["state_event"], found.state)
        found.title = fields.get("title", found.title)
        found.description = fields.get("description", found.description)
        named = lambda field: (lambda text: text.split(",") if isinstance(text, str) else text)(fields.get(field) or [])
        found.labels = [name for name in found.labels if name not in named("remove_labels")]
        found.labels += [name for name in named("add_labels") if name not in found.labels]
        found.updated_at = time.time()
        return Reply(200, views.merge_request(found, full=True))

    @add("GET", base + r"/merge_requests/(?P<iid>\d+)/pipelines")
    def pipelines(request: Request, caller: Caller, views: Views, project: str, iid: str) -> Reply:
        found = caller.merge_request(caller.project(project), iid)
        return page(request, views.pipelines_of(found), views.pipeline)


def _notes(store: Store, add: Callable[..., Any], base: str) -> None:
    def text(request: Request) -> str:
        body = request.form().get("body")
        if body is None:
            raise Refusal(400, {"error": "body is missing"})
        if not str(body).strip():
            raise Refusal(400, {"message": "400 Bad request - Note {:note=>[\"can't be blank\"]}"})
        if len(str(body)) > NOTE_LIMIT:
            raise Refusal(400, {"message": "400 Bad request - Note {:note=>[\"is too long (maximum is 1000000 characters)\"]}"})
        return str(body)

    def apply(note: Note, request: MergeRequest, body: str) -> Optional[Reply]:
        """Quick actions act, mentions notify; a note of nothing but quick actions leaves no note."""
        shown, commands, mentions = notes.read(body)
        note.body, note.commands, note.mentions = shown, note.commands + commands, mentions
        for command in commands:
            states = {"/close": "closed", "/reopen": "opened", "/merge": "merged"}
            request.state = states.get(command.split()[0], request.state)
        if commands and not shown.strip():
            del store.notes[note.id]
            return Reply(202, {"commands_changes": {}, "summary": [f"Applied {c}" for c in commands]})
        return None

    def own(caller: Caller, found: Project, note: Note) -> None:
        if note.author_id != caller.user.id and caller.level(found) < MAINTAINER:
            raise Refusal(403, {"message": "403 Forbidden"})

    @add("GET", base)
    def listing(request: Request, caller: Caller, views: Views, project: str, iid: str) -> Reply:
        found = caller.merge_request(caller.project(project), iid)
        listed = [n for n in store.notes.values() if n.merge_request_id == found.id]
        return page(request, ordered(request, listed, "created_at"), views.note)

    @add("POST", base)
    def create(request: Request, caller: Caller, views: Views, project: str, iid: str) -> Reply:
        found, body = caller.merge_request(caller.project(project), iid), text(request)
        if sum(n.merge_request_id == found.id for n in store.notes.values()) >= NOTES_LIMIT:
            raise Refusal(400, {"message": "400 Bad request - Note {:base=>[\"Maximum number of comments exceeded\"]}"})
        note = store.add_note(found, caller.user, body)
        return apply(note, found, body) or Reply(201, views.note(note))

    def discussed(request: MergeRequest, ident: str) -> list[Note]:
        found = [n for n in store.notes.values() if (n.merge_request_id, n.discussion) == (request.id, ident)]
        if not found:
            raise Refusal(404, {"message": "404 Discussion Not Found"})
        return found

    discussion = base.removesuffix("notes") + r"discussions/(?P<ident>[0-9a-f]+)"

    @add("GET", discussion)
    def thread(request: Request, caller: Caller, views: Views, project: str, iid: str, ident: str) -> Reply:
        return Reply(200, views.discussion(discussed(caller.merge_request(caller.project(project), iid), ident)))

    @add("POST", discussion + r"/notes")
    def answer(request: Request, caller: Caller, views: Views, project: str, iid: str, ident: str) -> Reply:
        found, body = caller.merge_request(caller.project(project), iid), text(request)
        discussed(found, ident)
        note = store.add_note(found, caller.user, body, ident)
        return apply(note, found, body) or Reply(201, views.note(note))

    @add("GET", base + r"/(?P<number>\d+)")
    def one(request: Request, caller: Caller, views: Views, project: str, iid: str, number: str) -> Reply:
        found = caller.merge_request(caller.project(project), iid)
        return Reply(200, views.note(caller.note(found, number)))

    @add("PUT", base + r"/(?P<number>\d+)")
    def update(request: Request, caller: Caller, views: Views, project: str, iid: str, number: str) -> Reply:
        holder = caller.project(project)
        found = caller.merge_request(holder, iid)
        note = caller.note(found, number)
        own(caller, holder, note)
        body = text(request)
        note.updated_at = time.time()
        return apply(note, found, body) or Reply(200, views.note(note))

    @add("DELETE", base + r"/(?P<number>\d+)")
    def delete(request: Request, caller: Caller, views: Views, project: str, iid: str, number: str) -> Reply:
        holder = caller.project(project)
        note = caller.note(caller.merge_request(holder, iid), number)
        own(caller, holder, note)
        del store.notes[note.id]
        return Reply(204)
