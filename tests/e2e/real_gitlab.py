"""The laboratory of the demo against a GitLab that is real: a private project and a runner of its own, made by the API.

The runner is still the double (it speaks the runner's protocol); jobs run on this machine. The project stays behind, so that
the note can be read; delete it in GitLab when done.
"""
from __future__ import annotations

import json
import pathlib
import time
from typing import Any

from doubles.lab import Lab

PIPELINE_LIMIT_S = 60.0
FINAL = ("success", "failed", "canceled", "skipped")


class RealGitlab(Lab):
    def __init__(self, folder: pathlib.Path, url: str, token_file: str) -> None:
        super().__init__(folder, runner=False)
        self.url = url.rstrip("/")
        self.bot_token = self.user_token = pathlib.Path(token_file).read_text(encoding="ascii").strip()

    def _start_gitlab(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._api("GET", "user")   # fails early, with GitLab's words, when address or token are wrong

    def project(self, path: str = "", files: Any = None, **fields: Any) -> dict:
        name = f"gitaiops-demo-{time.strftime('%Y%m%d-%H%M%S')}"
        project = self._api("POST", "projects", {"name": name, "visibility": "private", "initialize_with_readme": True, **fields})
        made = self._api("POST", "user/runners", {"runner_type": "project_type", "project_id": project["id"], "run_untagged": True,
                                                  "description": "gitaiops demo"})
        self.runner_token = made["token"]
        self.start_runner()
        return project

    def commit(self, project: dict, branch: str, files: Any, message: str = "Change", start: Any = None) -> str:
        branches = [b["name"] for b in self._api("GET", f"projects/{project['id']}/repository/branches")]
        body = {"branch": branch, "commit_message": message,
                "actions": [{"action": "create", "file_path": name, "content": text} for name, text in files.items()]}
        if branch not in branches:
            body["start_branch"] = start or project["default_branch"]
        return self._api("POST", f"projects/{project['id']}/repository/commits", body)["id"]

    def pipeline(self, project: dict, jobs: list, ref: Any = None, merge_request: Any = None, kind: str = "head") -> dict:
        """Commits a .gitlab-ci.yml with the jobs to the merge request's branch (JSON is YAML) and takes the pipeline it starts."""
        stages = list(dict.fromkeys(job.get("stage", "test") for job in jobs))
        text = {"stages": stages, "workflow": {"rules": [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]},
                **{job["name"]: {"stage": job.get("stage", "test"), "script": job["script"], "needs": []} for job in jobs}}
        self.commit(project, merge_request["source_branch"], {".gitlab-ci.yml": json.dumps(text, indent=2)}, "Run the demo's jobs")
        deadline = time.monotonic() + PIPELINE_LIMIT_S
        while time.monotonic() < deadline:
            found = self._api("GET", f"projects/{project['id']}/merge_requests/{merge_request['iid']}/pipelines")
            if found:
                return {**found[0], "project_id": project["id"]}
            time.sleep(1)
        raise RuntimeError(f"GitLab started no pipeline for {merge_request['web_url']} within {PIPELINE_LIMIT_S:.0f} s")

    def show(self, pipeline: dict) -> dict:
        jobs = self._api("GET", f"projects/{pipeline['project_id']}/pipelines/{pipeline['id']}/jobs?per_page=100")
        return {**pipeline, "jobs": jobs}

    def wait(self, pipeline: dict, timeout_s: float = 600.0) -> dict:
        deadline = time.monotonic() + timeout_s
        while True:
            seen = self.show(pipeline)
            if all(job["status"] in FINAL for job in seen["jobs"]):
                return seen
            if time.monotonic() > deadline:
                raise RuntimeError(f"pipeline {pipeline['id']} did not end within {timeout_s:.0f} s")
            time.sleep(1)

    def notes(self, request: dict) -> list:
        return self._api("GET", f"projects/{request['project_id']}/merge_requests/{request['iid']}/notes?sort=asc")
