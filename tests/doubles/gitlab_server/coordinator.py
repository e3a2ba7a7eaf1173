"""The side that runners talk to: hands out jobs, takes traces, final states and artifacts.

The rules are those of GitLab's own coordinator as real runners see them: 403 for whatever is unknown or over (never
404), 416 with the stored size when a patch does not continue the trace, 202 while a final update is not settled, 412
when the trace does not match its checksum, `Job-Status` as the way to tell a runner that its job was cancelled.
"""
from __future__ import annotations

import dataclasses
import hmac
import re
import time
import urllib.parse
import zlib
from typing import Any, Optional

from .model import Job, Runner
from .store import Store
from .web import Refusal, Reply, Request, Routes, multipart

POLL_HOLD_LIMIT_S = 50.0
ACCEPTED_RETRY_S = 1            # what a 202 tells the runner to wait before it asks again
CHECKSUM = re.compile(r"crc32:([0-9a-f]{1,8})\Z")


@dataclasses.dataclass
class Settings:
    """Changed by tests while the server runs."""
    poll_hold_s: float = 0.0                # how long a request for a job may be held when nothing is new
    trace_update_interval_s: int = 3        # 0: the header is not sent
    trace_limit_bytes: int = 100 * 1024 * 1024
    require_git_credentials: bool = True


class Coordinator:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    # Runners ----------------------------------------------------------------------------------------------------------

    def runner(self, request: Request, fields: dict[str, Any]) -> Runner:
        token = fields.get("token") or request.headers.get("RUNNER-TOKEN") or ""
        for runner in self._store.runners.values():
            if hmac.compare_digest(runner.token.encode(), str(token).encode()):
                return runner
        raise Refusal(403, {"message": "403 Forbidden"})

    def add_runner(self, token: str, description: str = "lab", tags: Optional[list[str]] = None) -> Runner:
        with self._store.lock:
            number = self._store.new_id("runner")
            runner = Runner(number, token, description, tags or [])
            self._store.runners[number] = runner
            return runner

    # Handing out ------------------------------------------------------------------------------------------------------

    def request_job(self, request: Request) -> Reply:
        fields = request.json()
        runner = self.runner(request, fields)
        store, info = self._store, fields.get("info") or {}
        with store.changed:
            runner.contacted_at, runner.info = time.time(), info
            runner.system_id = fields.get("system_id") or ""
            job = None if runner.paused else self._next_job(runner)
            known = fields.get("last_update") == f"lu-{runner.queue_value}"
            if job is None and known and self._settings.poll_hold_s > 0 and not runner.paused:
                seen = runner.queue_value
                store.changed.wait_for(lambda: runner.queue_value != seen,
                                       min(self._settings.poll_hold_s, POLL_HOLD_LIMIT_S))
                return Reply(204, None, {"Gitlab-Ci-Builds-Polling": "yes"})
            if job is None:
                return Reply(204, None, {"X-GitLab-Last-Update": f"lu-{runner.queue_value}"})
            features = info.get("features") or {}
            job.runner_id, job.system_id = runner.id, runner.system_id
            job.cancels_gracefully = bool(features.get("cancel_gracefully"))
            job.awaits_runner = bool(features.get("two_phase_job_commit"))
            if not job.awaits_runner:
                self._begin(job)
            return Reply(201, self._payload(request, job))

    def _next_job(self, runner: Runner) -> Optional[Job]:
        for job in self._store.jobs.values():
            if job.status == "pending" and not job.awaits_runner and set(job.tags) <= set(runner.tags):
                return job
        return None

    def _begin(self, job: Job) -> None:
        job.status, job.started_at, job.awaits_runner = "running", time.time(), False
        self._store.changed.notify_all()

    def _payload(self, request: Request, job: Job) -> dict[str, Any]:
        store = self._store
        project, pipeline = store.projects[job.project_id], store.pipelines[job.pipeline_id]
        server = urllib.parse.urlsplit(request.base_url)
        clone = f"{server.scheme}://gitlab-ci-token:{job.token}@{server.netloc}/{project.path}.git"
        is_branch = not pipeline.ref.startswith("refs/")
        refspecs = [f"+refs/pipelines/{pipeline.id}:refs/pipelines/{pipeline.id}"]
        if is_branch:
            refspecs.append(f"+refs/heads/{pipeline.ref}:refs/remotes/origin/{pipeline.ref}")
        steps = [{"name": "script", "script": job.script, "timeout": job.timeout, "when": "on_success",
                  "allow_failure": False}]
        if job.after_script:
            steps.append({"name": "after_script", "script": job.after_script, "timeout": job.timeout,
                          "when": "always", "allow_failure": True})
        namespace, _, name = project.path.rpartition("/")
        return {
            "id": job.id, "token": job.token, "allow_git_fetch": True,
            "job_info": {"id": job.id, "name": job.name, "stage": job.stage, "pipeline_id": pipeline.id,
                         "project_id": project.id, "project_name": name, "project_full_path": project.path,
                         "namespace_id": 5, "root_namespace_id": 5, "organization_id": 1, "user_id": job.user_id,
                         "time_in_queue_seconds": round(time.time() - (job.queued_at or time.time()), 3),
                         "project_jobs_running_on_instance_runners_count": "0", "queue_size": 1, "queue_depth": 1},
            "git_info": {"repo_url": clone, "repo_object_format": "sha1", "ref": pipeline.ref, "sha": pipeline.sha,
                         "before_sha": pipeline.before_sha, "ref_type": "branch" if is_branch else "merge_request",
                         "refspecs": refspecs, "depth": 20, "protected": False},
            "runner_info": {"timeout": job.timeout, "runner_session_url": None},
            "variables": self._variables(request, job, clone), "steps": steps, "image": None, "services": [],
            "artifacts": [{"name": "artifacts", "untracked": False, "exclude": [], "when": "on_success",
                           "artifact_type": "archive", "artifact_format": "zip", **a} for a in job.artifacts],
            "cache": [{"untracked": False, "policy": "pull-push", "when": "on_success", **c} for c in job.cache],
            "credentials": [], "dependencies": [], "hooks": [], "secrets": {}, "run": "[]",
            "features": {"trace_sections": True, "token_mask_prefixes": [],
                         "failure_reasons": ["unknown_failure", "script_failure", "runner_system_failure",
                                             "job_execution_timeout", "image_pull_failure"]}}

    def _variables(self, request: Request, job: Job, clone: str) -> list[dict[str, Any]]:
        project, pipeline = self._store.projects[job.project_id], self._store.pipelines[job.pipeline_id]
        namespace, _, name = project.path.rpartition("/")
        values: dict[str, Any] = {
            "CI_PIPELINE_ID": pipeline.id, "CI_JOB_ID": job.id, "CI_BUILD_ID": job.id,
            "CI_JOB_URL": f"{request.base_url}/{project.path}/-/jobs/{job.id}",
            "CI_JOB_TOKEN": {"value": job.token, "masked": True, "public": False},
            "CI_REPOSITORY_URL": {"value": clone, "public": False},
            "CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": request.base_url,
            "CI_SERVER_HOST": urllib.parse.urlsplit(request.base_url).hostname,
            "CI_JOB_NAME": job.name, "CI_JOB_STAGE": job.stage, "CI_PROJECT_ID": project.id,
            "CI_PROJECT_NAME": name, "CI_PROJECT_NAMESPACE": namespace, "CI_PROJECT_PATH": project.path,
            "CI_PROJECT_URL": f"{request.base_url}/{project.path}", "CI_DEFAULT_BRANCH": project.default_branch,
            "CI_COMMIT_SHA": pipeline.sha, "CI_COMMIT_SHORT_SHA": pipeline.sha[:8], "CI_COMMIT_REF_NAME": pipeline.ref,
            "CI_PIPELINE_SOURCE": pipeline.source}
        if pipeline.merge_request:
            values["CI_MERGE_REQUEST_IID"] = pipeline.merge_request[1]
            values["CI_MERGE_REQUEST_PROJECT_ID"] = pipeline.merge_request[0]
        else:
            values["CI_COMMIT_BRANCH"] = pipeline.ref
        values.update(job.variables)
        listed = []
        for key, value in values.items():
            detail = value if isinstance(value, dict) else {"value": value}
            listed.append({"key": key, "public": True, "masked": False, "file": False, "raw": False, **detail,
                           "value": str(detail["value"])})
        return listed

    # While it runs ----------------------------------------------------------------------------------------------------

    def _job(self, number: str, token: Optional[str]) -> Job:
        job = self._store.jobs.get(int(number))
        if job is None or not token or not hmac.compare_digest(job.token.encode(), token.encode()):
            raise Refusal(403, {"message": "403 Forbidden"})
        return job

    def _live_job(self, number: str, token: Optional[str]) -> Job:
        job = self._job(number, token)
        if job.status not in ("running", "canceling"):
            raise Refusal(403, {"message": "403 Forbidden - Job is not running"}, {"Job-Status": job.status})
        return job

    def _answer(self, status: int, body: Any, job: Job, more: Optional[dict[str, str]] = None) -> Reply:
        headers = {"Job-Status": job.status, **(more or {})}
        if self._settings.trace_update_interval_s > 0:
            headers.setdefault("X-GitLab-Trace-Update-Interval", str(self._settings.trace_update_interval_s))
        return Reply(status, body, headers)

    def patch_trace(self, request: Request, job: str) -> Reply:
        with self._store.lock:
            live = self._live_job(job, request.headers.get("JOB-TOKEN"))
            span = re.match(r"(\d+)-(\d+)\Z", request.headers.get("Content-Range") or "")
            if not span:
                raise Refusal(400, {"error": "400 Missing header Content-Range"}, {"Job-Status": live.status})
            if int(span.group(1)) != len(live.trace) or self._mood_mismatch(live):
                return self._answer(416, {"error": "416 Range Not Satisfiable"}, live,
                                    {"Range": f"0-{len(live.trace)}"})
            if len(live.trace) + len(request.body) > self._settings.trace_limit_bytes:
                self._store.finish(live, "failed", "trace_size_exceeded")
                raise Refusal(403, {"message": "403 Forbidden"}, {"Job-Status": "failed"})
            live.trace += request.body
            return self._answer(202, b"", live, {"Range": f"0-{len(live.trace)}"})

    def _mood_mismatch(self, job: Job) -> bool:
        if job.moods.get("range_mismatch", 0) <= 0:
            return False
        if job.moods.get("range_mismatch_after", 0) > 0:
            job.moods["range_mismatch_after"] -= 1
            return False
        job.moods["range_mismatch"] -= 1
        return True

    def update_job(self, request: Request, job: str) -> Reply:
        fields = request.json()
        token = fields.get("token") or request.headers.get("JOB-TOKEN")
        with self._store.lock:
            if fields.get("state") == "running":
                return self._still_running(self._job(job, token))
            live = self._live_job(job, token)
            if fields.get("state") not in ("success", "failed"):
                raise Refusal(400, {"error": "state does not have a valid value"})
            if not self._matches(live, fields) or live.moods.get("reject_412", 0) > 0:
                live.moods["reject_412"] = max(live.moods.get("reject_412", 0) - 1, 0)
                live.trace.clear()          # so that a resend from the start fits
                return self._answer(412, b"", live)
            if live.moods.get("accept_202", 0) > 0:
                live.moods["accept_202"] -= 1
                return self._answer(202, "202", live, {"X-GitLab-Trace-Update-Interval": str(ACCEPTED_RETRY_S)})
            status = "canceled" if live.status == "canceling" else fields["state"]
            self._store.finish(live, status, fields.get("failure_reason") or "script_failure", fields.get("exit_code"))
            return Reply(200, "200", {"Job-Status": live.status})

    def _still_running(self, job: Job) -> Reply:
        if job.status == "pending" and job.awaits_runner:
            self._begin(job)
        elif job.status not in ("running", "canceling"):
            raise Refusal(403, {"message": "403 Forbidden - Job is not running"}, {"Job-Status": job.status})
        return self._answer(200, "200", job)

    @staticmethod
    def _matches(job: Job, fields: dict[str, Any]) -> bool:
        output = fields.get("output") or {}
        checksum = CHECKSUM.match(str(output.get("checksum") or fields.get("checksum") or ""))
        if checksum is None:
            return True
        return (int(checksum.group(1), 16) == zlib.crc32(job.trace)
                and output.get("bytesize", len(job.trace)) == len(job.trace))

    # Artifacts --------------------------------------------------------------------------------------------------------

    def upload(self, request: Request, job: str) -> Reply:
        parts = multipart(request.headers.get("Content-Type") or "", request.body)
        with self._store.lock:
            live = self._live_job(job, request.headers.get("JOB-TOKEN"))
            for field, file_name, content in parts:
                if field == "file":
                    live.archive, live.archive_name = content, file_name
                    return Reply(201, {"message": "201 Created"})
        raise Refusal(400, {"message": "400 Bad request - Missing artifacts file!"})

    def download(self, request: Request, job: str) -> Reply:
        with self._store.lock:
            known = self._job(job, request.headers.get("JOB-TOKEN"))
            if known.archive is None:
                raise Refusal(404, {"message": "404 Not found"})
            return Reply(200, known.archive, {"Content-Type": "application/zip"})


def routes(coordinator: Coordinator) -> Routes:
    table = Routes()
    api = r"/api/v4"

    @table.add("POST", api + r"/runners/verify")
    def verify(request: Request) -> Reply:
        runner = coordinator.runner(request, request.form())
        return Reply(200, {"id": runner.id, "token": runner.token, "token_expires_at": None})

    @table.add("POST", api + r"/runners")
    def register(request: Request) -> Reply:
        fields = request.form()
        if not fields.get("token"):
            raise Refusal(400, {"error": "token is missing"})
        tags = fields.get("tag_list") or []
        runner = coordinator.add_runner(f"glrt-{fields['token'][-4:]}{len(coordinator._store.runners):016d}",
                                        fields.get("description") or "", tags.split(",") if isinstance(tags, str) else tags)
        return Reply(201, {"id": runner.id, "token": runner.token, "token_expires_at": None})

    @table.add("DELETE", api + r"/runners(/managers)?")
    def unregister(request: Request, **_: str) -> Reply:
        runner = coordinator.runner(request, request.form())
        with coordinator._store.lock:
            del coordinator._store.runners[runner.id]
        return Reply(204)

    table.add("POST", api + r"/jobs/request")(coordinator.request_job)
    table.add("PUT", api + r"/jobs/(?P<job>\d+)")(coordinator.update_job)
    table.add("PATCH", api + r"/jobs/(?P<job>\d+)/trace")(coordinator.patch_trace)
    table.add("POST", api + r"/jobs/(?P<job>\d+)/artifacts")(coordinator.upload)
    table.add("GET", api + r"/jobs/(?P<job>\d+)/artifacts")(coordinator.download)
    return table
