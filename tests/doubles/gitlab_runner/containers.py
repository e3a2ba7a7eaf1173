"""The docker executor's side: a build container for the job's own script, a helper for the rest, each started once a stage."""
from __future__ import annotations

import json
import pathlib
import secrets
import subprocess
import sys
from typing import Any

DOUBLES = pathlib.Path(__file__).resolve().parents[1]
BUILD_STAGES = ("step_script", "after_script")
PREFIX = "com.gitlab.gitlab-runner."


class Containers:
    """Of one job. `labels`: without prefix, type and managed. Made when first needed; close() removes them."""

    def __init__(self, engine: str, name: str, labels: dict[str, str], variables: list[dict[str, Any]]) -> None:
        program = "real_engine.py" if engine.endswith(".json") else "container_engine.py"
        self._engine = [sys.executable, str(DOUBLES / program), "--socket", engine]
        self._labels, self._variables = labels, variables
        self._name = f"{name}-{secrets.token_hex(8)}"
        self._ids: dict[str, str] = {}
        self._services: list[subprocess.Popen[bytes]] = []

    def variable(self, key: str) -> str:
        return next((str(v["value"]) for v in reversed(self._variables) if v["key"] == key), "")

    def command(self, stage: str) -> list[str]:
        """What a stage is started with."""
        if stage in BUILD_STAGES and not self._services and self.variable("LAB_SERVICE"):
            self._services.append(subprocess.Popen(self._start("service", ["bash", "-c", self.variable("LAB_SERVICE")]),
                                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self._start("build" if stage in BUILD_STAGES else "predefined", ["bash", "--login"])

    def close(self) -> None:
        for service in self._services:
            service.kill()
            service.wait()
        for container in self._ids.values():
            subprocess.run([*self._engine, "remove", container], check=False, stderr=subprocess.DEVNULL)

    def _start(self, kind: str, command: list[str]) -> list[str]:
        if kind not in self._ids:
            self._ids[kind] = self._create(kind)
        return [*self._engine, "start", self._ids[kind], *command]

    def _create(self, kind: str) -> str:
        options = {"name": f"{self._name}-{kind if kind != 'service' else 'postgres-0'}",
                   "labels": {PREFIX + key: value for key, value in {**self._labels, "managed": "true", "type": kind}.items()},
                   "env": [f"{v['key']}={v['value']}" for v in self._variables],
                   "memory_limit_bytes": int(self.variable("LAB_MEMORY_LIMIT") or 0) if kind == "build" else 0}
        done = subprocess.run([*self._engine, "create"], check=True, capture_output=True,
                              input=json.dumps(options), text=True)
        return done.stdout.strip()
