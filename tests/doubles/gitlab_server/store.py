"""The state of the instance and the rules that move pipelines along. Every method may be called from any thread."""
from __future__ import annotations

import hashlib
import pathlib
import threading
import time
from typing import Any, Callable, Iterable, Optional

from . import repository
from .model import AT_REST, MAINTAINER, Job, MergeRequest, Note, Pipeline, Project, Runner, Token, User
from .web import Refusal


class Store:
    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)   # notified whenever a job's status or a queue value moves
        self.users: dict[int, User] = {}
        self.tokens: dict[str, Token] = {}
        self.projects: dict[int, Project] = {}
        self.merge_requests: dict[int, MergeRequest] = {}
        self.notes: dict[int, Note] = {}
        self.pipelines: dict[int, Pipeline] = {}
        self.jobs: dict[int, Job] = {}
        self.runners: dict[int, Runner] = {}
        # Ids of different things start apart, so that a mix-up shows.
        self._next = {"user": 3, "project": 77, "merge_request": 500, "note": 9000, "pipeline": 900, "job": 4242,
                      "runner": 11}
        self.root = self.add_user("root", "Administrator")

    def new_id(self, kind: str, wanted: Optional[int] = None) -> int:
        number = wanted if wanted is not None else self._next[kind]
        self._next[kind] = max(self._next[kind], number + 1)
        return number

    # People -----------------------------------------------------------------------------------------------------------

    def add_user(self, username: str, name: str, bot: bool = False) -> User:
        with self.lock:
            user = User(self.new_id("user"), username, name, bot)
            self.users[user.id] = user
            return user

    def user_named(self, username: str) -> User:
        for user in self.users.values():
            if user.username == username:
                return user
        raise Refusal(404, {"message": "404 User Not Found"})

    # Projects ---------------------------------------------------------------------------------------------------------

    def add_project(self, path: str, files: dict[str, Optional[str]], wanted_id: Optional[int] = None,
                    default_branch: str = "main", visibility: str = "private", forked_from: Optional[int] = None,
                    members: Optional[dict[str, int]] = None) -> Project:
        with self.lock:
            if any(project.path == path for project in self.projects.values()):
                raise Refusal(400, {"message": {"path": ["has already been taken"]}})
            project = Project(self.new_id("project", wanted_id), path, self.folder / (path + ".git"), default_branch,
                              visibility, time.time(), forked_from)
            project.members = {self.user_named(name).id: level for name, level in (members or {}).items()}
            project.members[self.root.id] = MAINTAINER
            repository.create(project.repository, default_branch)
            if forked_from is not None:
                origin = self.projects[forked_from]
                repository.git(project.repository, "fetch", "--quiet", str(origin.repository),
                               "+refs/heads/*:refs/heads/*")
            elif files:
                repository.commit(project.repository, default_branch, None, "Initial commit", "root", files)
            self.projects[project.id] = project
            return project

    def project(self, key: Any) -> Optional[Project]:
        """By id or by path."""
        with self.lock:
            if str(key).isdigit():
                return self.projects.get(int(key))
            return next((p for p in self.projects.values() if p.path == key), None)

    def add_commit(self, project: Project, branch: str, files: dict[str, Optional[str]], message: str,
                   start_branch: Optional[str] = None, author: str = "root") -> str:
        with self.lock:
            start = repository.resolve(project.repository, f"refs/heads/{branch}") or repository.resolve(
                project.repository, f"refs/heads/{start_branch or project.default_branch}")
            sha = repository.commit(project.repository, branch, start, message, author, files)
            for request in self.merge_requests.values():
                if (request.source_project_id, request.source_branch, request.state) == (project.id, branch, "opened"):
                    request.sha, request.updated_at = sha, time.time()
                    self._point_merge_request(request)
            return sha

    # Merge requests ---------------------------------------------------------------------------------------------------

    def add_merge_request(self, source: Project, target: Project, source_branch: str, target_branch: str, title: str,
                          description: str, author: User) -> MergeRequest:
        with self.lock:
            sha = repository.resolve(source.repository, f"refs/heads/{source_branch}")
            if sha is None:
                raise Refusal(400, {"message": {"source_branch": ["does not exist"]}})
            for other in self.merge_requests.values():
                if (other.project_id, other.source_project_id, other.source_branch, other.target_branch,
                        other.state) == (target.id, source.id, source_branch, target_branch, "opened"):
                    raise Refusal(409, {"message": [
                        f"Another open merge request already exists for this source branch: !{other.iid}"]})
            target.last_merge_request += 1
            now = time.time()
            request = MergeRequest(self.new_id("merge_request"), target.last_merge_request, target.id, source.id,
                                   source_branch, target_branch, title, description, author.id, sha, now, now)
            self.merge_requests[request.id] = request
            self._point_merge_request(request)
            return request

    def _point_merge_request(self, request: MergeRequest) -> None:
        target, source = self.projects[request.project_id], self.projects[request.source_project_id]
        repository.bring(target.repository, source.repository, request.sha)
        repository.point(target.repository, f"refs/merge-requests/{request.iid}/head", request.sha)

    def merge_request(self, project_id: int, iid: int) -> Optional[MergeRequest]:
        with self.lock:
            return next((m for m in self.merge_requests.values() if (m.project_id, m.iid) == (project_id, iid)), None)

    def add_note(self, request: MergeRequest, author: User, body: str, discussion: str = "") -> Note:
        """In a discussion, else alone in a new one."""
        with self.lock:
            now = time.time()
            number = self.new_id("note")
            own = hashlib.sha1(f"discussion {number}".encode()).hexdigest()
            note = Note(number, request.id, author.id, body, now, now, discussion=discussion or own)
            self.notes[note.id] = note
            return note

    # Pipelines --------------------------------------------------------------------------------------------------------

    def add_pipeline(self, project: Project, jobs: list[dict[str, Any]], ref: Optional[str] = None,
                     merge_request: Optional[MergeRequest] = None, source: str = "push", kind: str = "head",
                     parent: Optional[Pipeline] = None) -> Pipeline:
        """A branch's pipeline, or with `merge_request` one of refs/merge-requests/IID/<kind>, run by `project`; or with
        `parent` one that it started: of the same commit, and not the merge request's own."""
        with self.lock:
            if parent:
                ref, sha, source = parent.ref, parent.sha, "parent_pipeline"
            elif merge_request:
                ref, sha, source = f"refs/merge-requests/{merge_request.iid}/{kind}", merge_request.sha, "merge_request_event"
                repository.bring(project.repository, self.projects[merge_request.source_project_id].repository, sha)
            else:
                ref = ref or project.default_branch
                sha = repository.resolve(project.repository, f"refs/heads/{ref}") or ""
                if not sha:
                    raise Refusal(400, {"message": {"base": ["Reference not found"]}})
            project.last_pipeline += 1
            now = time.time()
            stages = list(dict.fromkeys(job.get("stage", "test") for job in jobs))
            pipeline = Pipeline(self.new_id("pipeline"), project.last_pipeline, project.id, sha, ref, source, self.root.id,
                                now, now, stages)
            pipeline.parent = parent.id if parent else None
            if merge_request and not parent:
                pipeline.merge_request = (merge_request.project_id, merge_request.iid)
            self.pipelines[pipeline.id] = pipeline
            repository.point(project.repository, f"refs/pipelines/{pipeline.id}", sha)
            for fields in jobs:
                self._add_job(pipeline, dict(fields))
            self.advance(pipeline)
            return pipeline

    def _add_job(self, pipeline: Pipeline, fields: dict[str, Any]) -> Job:
        job_id = self.new_id("job", fields.pop("id", None))
        fields.setdefault("token", f"glcbt-64_{job_id:x}{'x' * 12}")
        fields.setdefault("stage", "test")
        if fields.get("when") == "manual":
            fields.setdefault("allow_failure", True)
        job = Job(id=job_id, project_id=pipeline.project_id, pipeline_id=pipeline.id, created_at=time.time(),
                  user_id=pipeline.user_id, **fields)
        self.jobs[job.id] = job
        pipeline.jobs.append(job.id)
        return job

    def latest_jobs(self, pipeline: Pipeline) -> list[Job]:
        return [job for job in map(self.jobs.__getitem__, pipeline.jobs) if not job.retried]

    def advance(self, pipeline: Pipeline) -> None:
        """Queues the jobs whose stage has come, skips those that cannot run any more."""
        with self.lock:
            broken = False                  # a stage before this one failed for good
            for stage in pipeline.stages:
                jobs = [job for job in self.latest_jobs(pipeline) if job.stage == stage]
                for job in jobs:
                    if job.status == "created":
                        self._start(job, broken)
                if any(job.status not in AT_REST for job in jobs):
                    break
                broken = broken or any(job.status in ("failed", "canceled") and not job.allow_failure for job in jobs)
                if any(job.status == "manual" and not job.allow_failure for job in jobs):
                    break
            pipeline.updated_at = time.time()
            self.changed.notify_all()

    def _start(self, job: Job, broken: bool) -> None:
        if job.when == "manual" and not broken:
            job.status = "manual"
        elif broken == (job.when == "on_failure") or job.when == "always":
            self.enqueue(job)
        else:
            job.status = "skipped"

    def enqueue(self, job: Job) -> None:
        with self.lock:
            job.status, job.queued_at = "pending", time.time()
            for runner in self.runners.values():
                runner.queue_value += 1
            self.changed.notify_all()

    def pipeline_status(self, pipeline: Pipeline) -> str:
        with self.lock:
            jobs = [j for j in self.latest_jobs(pipeline) if not (j.status == "manual" and j.allow_failure)]
            statuses = {("success" if job.allow_failure and job.status == "failed" else job.status) for job in jobs}
        if statuses & {"running", "canceling"} or ("pending" in statuses and statuses & {"success", "failed"}):
            return "running"
        for status in ("pending", "manual"):
            if status in statuses:
                return status
        if "created" in statuses:
            return "running" if statuses - {"created"} else "created"
        for status in ("failed", "canceled", "success"):
            if status in statuses:
                return status
        return "skipped"

    # Jobs -------------------------------------------------------------------------------------------------------------

    def finish(self, job: Job, status: str, failure_reason: Optional[str] = None,
               exit_code: Optional[int] = None) -> None:
        with self.lock:
            job.status, job.finished_at, job.awaits_runner = status, time.time(), False
            job.failure_reason = failure_reason if status == "failed" else None
            job.exit_code = exit_code
            self.advance(self.pipelines[job.pipeline_id])

    def cancel(self, job: Job) -> None:
        with self.lock:
            if job.status == "running" and job.cancels_gracefully:
                job.status = "canceling"
                self.changed.notify_all()
            elif not job.finished:
                self.finish(job, "canceled")

    def retry(self, job: Job, user_id: Optional[int] = None) -> Job:
        with self.lock:
            if not job.finished or job.retried or job.status == "skipped":
                raise Refusal(403, {"message": "403 Forbidden - Job is not retryable"})
            job.retried = True
            pipeline = self.pipelines[job.pipeline_id]
            copied = ("name", "stage", "script", "after_script", "variables", "allow_failure", "timeout", "artifacts",
                      "cache", "tags")
            again = self._add_job(pipeline, {name: getattr(job, name) for name in copied})
            again.user_id = user_id or again.user_id
            self.enqueue(again)
            for other in self.latest_jobs(pipeline):    # what was skipped behind it may run now
                if other.status == "skipped" and pipeline.stages.index(other.stage) > pipeline.stages.index(job.stage):
                    other.status = "created"
            return again

    def wait(self, done: Callable[[], bool], timeout_s: float) -> bool:
        """Blocks until `done` holds (evaluated under the lock) or the time is over."""
        with self.changed:
            return self.changed.wait_for(done, timeout_s)

    def at_rest(self, jobs: Iterable[int]) -> bool:
        return all(self.jobs[number].status in AT_REST for number in jobs)
