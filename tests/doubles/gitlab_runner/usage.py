"""The usage log: one JSON line a finished job, in files named after when they were begun."""
from __future__ import annotations

import datetime
import json
import os
import threading
import time
import uuid
from typing import Any, Optional

FILE_LIFETIME_S = 24 * 3600
FILES_KEPT = 14


def _stamp(seconds: float) -> str:
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


class UsageLog:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._path: Optional[str] = None
        self._begun = 0.0

    def add(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"
        with self._lock:
            now = time.time()
            if self._path is None or now - self._begun > FILE_LIFETIME_S:
                self._begin(now)
            assert self._path
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(line)

    def _begin(self, now: float) -> None:
        os.makedirs(self._folder, 0o755, exist_ok=True)
        at = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
        name = at.strftime("usage-log-%Y-%m-%d-%H-%M-%S.") + f"{at.microsecond // 1000:03d}.json"
        self._path, self._begun = os.path.join(self._folder, name), now
        old = sorted(n for n in os.listdir(self._folder) if n.startswith("usage-log-") and n != name)
        for surplus in old[:max(len(old) - FILES_KEPT + 1, 0)]:
            os.unlink(os.path.join(self._folder, surplus))


def record(runner: dict[str, str], job: dict[str, Any], url: str, outcome_state: str, failure_reason: str,
           started: float, finished: float) -> dict[str, Any]:
    """`job` is the coordinator's job_info joined with its git_info."""
    return {
        "uuid": str(uuid.uuid4()), "timestamp": _stamp(finished), "runner": runner,
        "job": {"id": job["id"], "pipeline_id": job.get("pipeline_id", 0), "ref": job.get("ref", ""), "url": url,
                "duration_seconds": round(finished - started, 9), "status": outcome_state,
                "failure_reason": failure_reason, "started_at": _stamp(started), "finished_at": _stamp(finished),
                "project": {"id": job["project_id"], "name": job["project_name"],
                            "full_path": job.get("project_full_path", "")},
                "namespace": {"id": job.get("namespace_id", 0)},
                "root_namespace": {"id": job.get("root_namespace_id", 0)},
                "organization": {"id": job.get("organization_id", 0)}, "instance": {"id": "", "unique_id": ""},
                "user": {"id": job.get("user_id", 0)}, "scoped_user": {"id": 0}},
        "labels": {}}
