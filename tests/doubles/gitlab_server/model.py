"""What a GitLab instance consists of, as plain values. Times are seconds since the epoch."""
from __future__ import annotations

import dataclasses
import pathlib
from typing import Any, Optional

TERMINAL = frozenset({"success", "failed", "canceled", "skipped"})
# Statuses in which nothing will happen to a job by itself.
AT_REST = TERMINAL | {"manual"}
GUEST, REPORTER, DEVELOPER, MAINTAINER = 10, 20, 30, 40


@dataclasses.dataclass
class User:
    id: int
    username: str
    name: str
    bot: bool = False
    busy: bool = False                      # what people set when they are away


@dataclasses.dataclass
class Token:
    value: str
    user_id: int
    scopes: frozenset[str] = frozenset({"api"})
    expires_at: Optional[str] = None        # "2027-01-31"
    revoked: bool = False


@dataclasses.dataclass
class Project:
    id: int
    path: str                               # "grp/demo"
    repository: pathlib.Path
    default_branch: str
    visibility: str
    created_at: float
    forked_from: Optional[int] = None
    members: dict[int, int] = dataclasses.field(default_factory=dict)   # user id → access level
    last_merge_request: int = 0
    last_pipeline: int = 0


@dataclasses.dataclass
class MergeRequest:
    id: int
    iid: int
    project_id: int                         # the target
    source_project_id: int
    source_branch: str
    target_branch: str
    title: str
    description: str
    author_id: int
    sha: str
    created_at: float
    updated_at: float
    state: str = "opened"
    labels: list[str] = dataclasses.field(default_factory=list)
    reviewer_ids: list[int] = dataclasses.field(default_factory=list)
    checks: list[dict[str, Any]] = dataclasses.field(default_factory=list)     # id, name, answers by commit


@dataclasses.dataclass
class Note:
    id: int
    merge_request_id: int
    author_id: int
    body: str
    created_at: float
    updated_at: float
    mentions: list[str] = dataclasses.field(default_factory=list)       # whom GitLab would have notified
    commands: list[str] = dataclasses.field(default_factory=list)       # quick actions GitLab would have run
    discussion: str = ""        # 40 hex digits
    confidential: bool = False


@dataclasses.dataclass
class Runner:
    id: int
    token: str
    description: str = "lab"
    tags: list[str] = dataclasses.field(default_factory=list)
    paused: bool = False
    queue_value: int = 1                    # what X-GitLab-Last-Update tells
    contacted_at: Optional[float] = None
    system_id: str = ""
    info: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Job:
    id: int
    token: str
    project_id: int
    pipeline_id: int
    name: str
    stage: str
    script: list[str]
    created_at: float
    user_id: int
    after_script: list[str] = dataclasses.field(default_factory=list)
    variables: dict[str, Any] = dataclasses.field(default_factory=dict)  # name → value or {value, masked, file}
    allow_failure: bool = False
    when: str = "on_success"
    timeout: int = 3600
    artifacts: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    cache: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    tags: list[str] = dataclasses.field(default_factory=list)
    status: str = "created"
    failure_reason: Optional[str] = None
    exit_code: Optional[int] = None
    retried: bool = False
    awaits_runner: bool = False             # handed out, the runner's first `running` is still to come
    cancels_gracefully: bool = False        # the runner said that it can
    runner_id: Optional[int] = None
    system_id: str = ""
    queued_at: Optional[float] = None
    started_at: Optional[float] = None
    finished_at: Optional[float] = None
    trace: bytearray = dataclasses.field(default_factory=bytearray)
    archive: Optional[bytes] = None
    archive_name: str = ""
    # Coordinator moods, set by tests: accept_202 and reject_412 count final updates; range_mismatch counts patches, of
    # which range_mismatch_after go through first.
    moods: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return self.status in TERMINAL


@dataclasses.dataclass
class Pipeline:
    id: int
    iid: int
    project_id: int
    sha: str
    ref: str
    source: str
    user_id: int
    created_at: float
    updated_at: float
    stages: list[str]
    jobs: list[int] = dataclasses.field(default_factory=list)
    merge_request: Optional[tuple[int, int]] = None     # (target project id, iid)
    parent: Optional[int] = None                        # the pipeline that started this one
    before_sha: str = "0" * 40
    statuses: list[dict[str, Any]] = dataclasses.field(default_factory=list)   # of others than jobs, oldest first
