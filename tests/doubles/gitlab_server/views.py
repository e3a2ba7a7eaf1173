"""The JSON that the REST API answers with, one function a kind of thing."""
from __future__ import annotations

import datetime
from typing import Any, Optional

from . import repository
from .model import Job, MergeRequest, Note, Pipeline, Project, Runner, User
from .store import Store


def moment(seconds: Optional[float]) -> Optional[str]:
    """"2026-11-22T13:29:10.123Z": UTC, always three digits."""
    if seconds is None:
        return None
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


class Views:
    def __init__(self, store: Store, base_url: str) -> None:
        self._store = store
        self._base = base_url

    def user(self, user: User) -> dict[str, Any]:
        return {"id": user.id, "username": user.username, "name": user.name, "state": "active", "locked": False,
                "avatar_url": None, "web_url": f"{self._base}/{user.username}"}

    def me(self, user: User) -> dict[str, Any]:
        return {**self.user(user), "bot": user.bot, "email": f"{user.username}@example.com", "is_admin": False}

    def project(self, project: Project, short: bool = False) -> dict[str, Any]:
        namespace, _, name = project.path.rpartition("/")
        view: dict[str, Any] = {
            "id": project.id, "description": None, "name": name, "name_with_namespace": project.path.replace("/", " / "),
            "path": name, "path_with_namespace": project.path, "created_at": moment(project.created_at),
            "default_branch": project.default_branch, "web_url": f"{self._base}/{project.path}",
            "http_url_to_repo": f"{self._base}/{project.path}.git", "visibility": project.visibility,
            "namespace": {"id": 5, "name": namespace, "path": namespace, "kind": "group", "full_path": namespace}}
        if not short:
            view.update({"archived": False, "jobs_enabled": True, "merge_requests_enabled": True,
                         "last_activity_at": moment(project.created_at)})
            if project.forked_from is not None:
                view["forked_from_project"] = self.project(self._store.projects[project.forked_from], short=True)
        return view

    def commit(self, project: Project, sha: str) -> dict[str, Any]:
        fields = repository.describe(project.repository, sha)
        return {"id": fields["id"], "short_id": fields["id"][:8], "created_at": fields["committed_date"],
                "parent_ids": fields["parents"].split(), "title": fields["title"], "message": fields["message"],
                "author_name": fields["author_name"], "author_email": fields["author_email"],
                "authored_date": fields["authored_date"], "committer_name": fields["author_name"],
                "committer_email": fields["author_email"], "committed_date": fields["committed_date"],
                "web_url": f"{self._base}/{project.path}/-/commit/{fields['id']}"}

    def merge_request(self, request: MergeRequest, full: bool = False) -> dict[str, Any]:
        store = self._store
        target, source = store.projects[request.project_id], store.projects[request.source_project_id]
        author = self.user(store.users[request.author_id])
        view: dict[str, Any] = {
            "id": request.id, "iid": request.iid, "project_id": request.project_id, "title": request.title,
            "description": request.description, "state": request.state, "created_at": moment(request.created_at),
            "updated_at": moment(request.updated_at), "merged_at": None, "closed_at": None, "merge_user": None,
            "target_branch": request.target_branch, "source_branch": request.source_branch,
            "source_project_id": source.id, "target_project_id": target.id, "author": author, "assignees": [],
            "reviewers": [self.user(store.users[number]) for number in request.reviewer_ids],
            "labels": request.labels, "draft": request.title.startswith("Draft:"),
            "merge_status": "can_be_merged", "detailed_merge_status": "mergeable", "sha": request.sha,
            "merge_commit_sha": None, "squash_commit_sha": None, "discussion_locked": None,
            "user_notes_count": sum(n.merge_request_id == request.id for n in store.notes.values()),
            "reference": f"!{request.iid}", "web_url": f"{self._base}/{target.path}/-/merge_requests/{request.iid}",
            "references": {"short": f"!{request.iid}", "relative": f"!{request.iid}",
                           "full": f"{target.path}!{request.iid}"}}
        if full:
            base = repository.git(target.repository, "merge-base", request.sha,
                                  f"refs/heads/{request.target_branch}")
            view["diff_refs"] = {"base_sha": base, "head_sha": request.sha, "start_sha": base}
            head = self.head_pipeline(request)
            view["head_pipeline"] = self.pipeline(head, full=True) if head else None
            view["pipeline"] = self.pipeline(head) if head else None
        return view

    def head_pipeline(self, request: MergeRequest) -> Optional[Pipeline]:
        """The newest pipeline of the request's head commit, in either project."""
        found = [p for p in self.pipelines_of(request) if p.sha == request.sha]
        return found[0] if found else None

    def pipelines_of(self, request: MergeRequest) -> list[Pipeline]:
        own = (request.project_id, request.iid)
        found = [p for p in self._store.pipelines.values() if p.merge_request == own or (
            p.merge_request is None and p.parent is None
            and (p.project_id, p.ref) == (request.source_project_id, request.source_branch))]
        return sorted(found, key=lambda p: -p.id)

    def note(self, note: Note) -> dict[str, Any]:
        request = self._store.merge_requests[note.merge_request_id]
        return {"id": note.id, "type": None, "body": note.body, "attachment": None,
                "author": self.user(self._store.users[note.author_id]), "created_at": moment(note.created_at),
                "updated_at": moment(note.updated_at), "system": False, "noteable_id": request.id,
                "noteable_type": "MergeRequest", "project_id": request.project_id, "noteable_iid": request.iid,
                "resolvable": False, "confidential": note.confidential, "internal": note.confidential, "imported": False,
                "commands_changes": {}}

    def discussion(self, notes: list[Note]) -> dict[str, Any]:
        return {"id": notes[0].discussion, "individual_note": len(notes) == 1, "notes": [self.note(n) for n in notes]}

    def pipeline(self, pipeline: Pipeline, full: bool = False) -> dict[str, Any]:
        store = self._store
        status = store.pipeline_status(pipeline)
        view: dict[str, Any] = {
            "id": pipeline.id, "iid": pipeline.iid, "project_id": pipeline.project_id, "sha": pipeline.sha,
            "ref": pipeline.ref, "status": status, "source": pipeline.source, "created_at": moment(pipeline.created_at),
            "updated_at": moment(pipeline.updated_at),
            "web_url": f"{self._base}/{store.projects[pipeline.project_id].path}/-/pipelines/{pipeline.id}"}
        if full:
            jobs = [store.jobs[number] for number in pipeline.jobs]
            starts = [job.started_at for job in jobs if job.started_at]
            ends = [job.finished_at for job in jobs if job.finished_at]
            over = status in ("success", "failed", "canceled", "skipped")
            view.update({
                "before_sha": pipeline.before_sha, "tag": False, "yaml_errors": None,
                "user": self.user(store.users[pipeline.user_id]), "started_at": moment(min(starts, default=None)),
                "finished_at": moment(max(ends, default=None)) if over else None, "committed_at": None,
                "duration": round(max(ends) - min(starts)) if over and starts and ends else None,
                "queued_duration": None, "coverage": None, "detailed_status": {"text": status, "group": status}})
        return view

    def bridge(self, child: Pipeline) -> dict[str, Any]:
        """The trigger job that started this pipeline, as its parent lists it."""
        store = self._store
        parent = store.pipelines[child.parent or 0]
        return {"id": 1_000_000 + child.id, "name": f"child-{child.id}", "stage": "test", "status": "success",
                "ref": parent.ref, "tag": False, "allow_failure": False, "created_at": moment(child.created_at),
                "pipeline": self.pipeline(parent), "downstream_pipeline": self.pipeline(child)}

    def job(self, job: Job) -> dict[str, Any]:
        store = self._store
        project, pipeline = store.projects[job.project_id], store.pipelines[job.pipeline_id]
        runner = store.runners.get(job.runner_id or 0)
        ended = job.finished_at
        view: dict[str, Any] = {
            "id": job.id, "status": job.status, "stage": job.stage, "name": job.name, "ref": pipeline.ref, "tag": False,
            "coverage": None, "allow_failure": job.allow_failure, "created_at": moment(job.created_at),
            "started_at": moment(job.started_at), "finished_at": moment(ended), "erased_at": None,
            "duration": round(ended - job.started_at, 6) if ended and job.started_at else None,
            "queued_duration": round(job.started_at - job.queued_at, 6) if job.started_at and job.queued_at else None,
            "user": self.user(store.users[job.user_id]), "commit": self.commit(project, pipeline.sha),
            "pipeline": self.pipeline(pipeline), "web_url": f"{self._base}/{project.path}/-/jobs/{job.id}",
            "project": {"ci_job_token_scope_enabled": False}, "artifacts": self._artifacts(job),
            "runner": self.runner(runner) if runner else None, "artifacts_expire_at": None, "archived": False,
            "tag_list": job.tags}
        if job.status == "failed":
            view["failure_reason"] = job.failure_reason
        if runner and job.system_id:
            view["runner_manager"] = {"id": 1, "system_id": job.system_id}
        return view

    @staticmethod
    def _artifacts(job: Job) -> list[dict[str, Any]]:
        listed = []
        if job.archive is not None:
            listed.append({"file_type": "archive", "size": len(job.archive), "filename": job.archive_name,
                           "file_format": "zip"})
        if job.trace:
            listed.append({"file_type": "trace", "size": len(job.trace), "filename": "job.log", "file_format": None})
        return listed

    @staticmethod
    def runner(runner: Runner) -> dict[str, Any]:
        return {"id": runner.id, "description": runner.description, "ip_address": "127.0.0.1",
                "active": not runner.paused, "paused": runner.paused, "is_shared": False,
                "runner_type": "project_type", "name": runner.info.get("name"),
                "online": runner.contacted_at is not None, "status": "online" if runner.contacted_at else "never_contacted"}
