"""Polls for jobs, runs as many at once as it may, and goes when told to."""
from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any, Optional

from . import status, usage
from .build import Build
from .config import Config
from .log import RunnerLog
from .network import Answer, Network

UNHEALTHY_LIMIT = 3
SHUTDOWN_S = 30.0
SIGNAL_CHECK_S = 0.1


class Manager:
    def __init__(self, config: Config, log: RunnerLog, runner_command: list[str]) -> None:
        self._config, self._log, self._runner_command = config, log, runner_command
        self._network = Network(config)
        self._usage = usage.UsageLog(config.usage_log_dir) if config.usage_log_dir else None
        # Guarded by the condition, which is notified when a build ends and when it is time to go.
        self._changed = threading.Condition()
        self._builds: list[Build] = []
        self._handled = 0
        self._stopping: Optional[signal.Signals] = None
        self._refusals = 0

    # Life -------------------------------------------------------------------------------------------------------------

    def run(self) -> int:
        for number in (signal.SIGQUIT, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, lambda *_: self._log.info("Configuration loaded", self._counts()))
        self._log.info("Configuration loaded", self._counts())
        self._serve_status()
        self._log.info("[session_server].listen_address not defined, session endpoints disabled", self._counts())
        if self._config.release.since(16, 0):
            self._log.info("Initializing executor providers", self._counts())
        poller = threading.Thread(target=self._poll, daemon=True)
        poller.start()
        while self._stopping is None:
            time.sleep(SIGNAL_CHECK_S)      # a handler may only set the field: a wait on a lock could meet itself
        return self._shut_down()

    def _serve_status(self) -> None:
        if not self._config.listen_address:
            self._log.info("listen_address not defined, metrics & debug endpoints disabled", self._counts())
            return
        port = status.serve(self._config.listen_address, {
            "/debug/jobs/list": lambda: status.jobs_list(self._running()),
            "/metrics": lambda: status.metrics(self._config, self._running(), self._handled)})
        address = f"{self._config.listen_address.rpartition(':')[0]}:{port}"
        self._log.info("Metrics server listening", {"address": address, **self._counts()})
        if self._config.status_port_file:
            with open(self._config.status_port_file + ".new", "w", encoding="ascii") as file:
                file.write(f"{port}\n")
            os.replace(self._config.status_port_file + ".new", self._config.status_port_file)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._stopping = signal.Signals(number)

    def _shut_down(self) -> int:
        """SIGQUIT lets the jobs finish; SIGTERM and SIGINT, at once or after a SIGQUIT, end them."""
        in_json = self._config.log_format == "json"
        first = self._stopping
        assert first
        shown: Any = int(first) if in_json else _word(first)
        self._log.warning("[runWait] received stop signal", {**self._counts(), "stop-signal": shown})
        manner = "graceful" if first == signal.SIGQUIT else "forceful"
        self._log.warning(f"Starting {manner} shutdown, waiting for builds to finish",
                          {**self._counts(), "StopSignal": shown})
        deadline = time.monotonic() + SHUTDOWN_S
        while self._running():
            now = self._stopping
            if now != signal.SIGQUIT:
                for build in self._running():
                    build.abort(_word(now or signal.SIGTERM))
                if time.monotonic() > deadline:
                    return 1
            else:
                deadline = time.monotonic() + SHUTDOWN_S
            with self._changed:
                self._changed.wait(0.2)
        self._log.info("All workers stopped. Can exit now", self._counts())
        return 0 if self._stopping == signal.SIGQUIT else 1

    # Polling ----------------------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        while self._stopping is None:
            with self._changed:
                self._changed.wait_for(lambda: len(self._builds) < self._config.concurrent, self._config.check_interval_s)
                full = len(self._builds) >= self._config.concurrent
            if full:
                continue
            answer = self._network.request_job()
            if answer.status == 201 and (answer.headers.get("Content-Type") or "").startswith("application/json"):
                self._refusals = 0
                self._receive(json.loads(answer.body), answer.correlation)
                continue                        # another worker asks at once
            pause = self._config.check_interval_s
            if answer.status == 403:
                pause = self._refused()
            elif answer.status != 204:
                self._complain(answer)
            with self._changed:
                self._changed.wait_for(lambda: self._stopping is not None, pause)

    def _receive(self, job: dict[str, Any], correlation: str) -> None:
        since, short = self._config.release.since, self._config.short_token
        build_url = job["git_info"]["repo_url"]
        scheme, _, rest = build_url.partition("://")
        fields = {"job": job["id"], "repo_url": f"{scheme}://{rest.rpartition('@')[2]}", "runner": short}
        if since(18, 1):
            fields["correlation_id"] = correlation
        self._log.info("Checking for jobs... received", fields)
        if since(18, 5):
            self._log.info("Updating job...", {"bytesize": 0, "checksum": "", "correlation_id": correlation,
                                               "job": job["id"], "runner": short})
        if since(18, 5) and self._network.update_job(job["id"], job["token"], "running", 0, "",
                                                     acknowledge=True).status in (400, 403, 409):
            return
        with self._changed:
            build = Build(self._config, self._network, self._log, job, self._runner_command,
                          _lowest_free({b.concurrent_id for b in self._builds}),
                          _lowest_free({b.number for b in self._builds if b.project_id == job["job_info"]["project_id"]}))
            self._builds.append(build)
            self._handled += 1
        if since(16, 0):
            self._log.info("Added job to processing list", self._listed(build, job))
        threading.Thread(target=self._work, args=(build, job), daemon=True).start()

    def _work(self, build: Build, job: dict[str, Any]) -> None:
        outcome = build.run()
        finished = time.time()
        if self._usage:
            runner = {"uuid": "", "id": self._config.short_token, "name": self._config.name,
                      "system_id": self._config.system_id, "executor": self._config.executor}
            self._usage.add(usage.record(runner, {**job["git_info"], **job["job_info"], "id": job["id"]}, build.url,
                                         outcome.state, outcome.failure_reason, build.started, finished))
        with self._changed:
            self._builds.remove(build)
            self._changed.notify_all()
        if self._config.release.since(16, 0):
            self._log.info("Removed job from processing list", self._listed(build, job))
        if outcome.error:
            self._log.warning("Failed to process runner", {**self._counts(), "error": outcome.error,
                                                           "executor": self._config.executor, "runner": self._config.short_token})

    def _refused(self) -> float:
        """After three refusals in a row the runner leaves the coordinator alone for a long while."""
        self._refusals += 1
        short = self._config.short_token
        self._log.error("Checking for jobs... forbidden", {
            "runner": short, "status": f"POST {self._config.url}/api/v4/jobs/request: 403 Forbidden"})
        if self._refusals < UNHEALTHY_LIMIT:
            return self._config.check_interval_s
        self._refusals = 0
        self._log.error(f'Runner "{self._config.url}{short}" is unhealthy and will be disabled for 1h0m0s seconds!',
                        {"unhealthy_requests": UNHEALTHY_LIMIT, "unhealthy_requests_limit": UNHEALTHY_LIMIT})
        return self._config.unhealthy_interval_s

    def _complain(self, answer: Answer) -> None:
        self._log.warning("Checking for jobs... failed", {
            "runner": self._config.short_token,
            "status": f"POST {self._config.url}/api/v4/jobs/request: {answer.status_line if answer.status else answer.reason}"})

    # What is going on -------------------------------------------------------------------------------------------------

    def _running(self) -> list[Build]:
        with self._changed:
            return list(self._builds)

    def _counts(self) -> dict[str, Any]:
        fields = {"builds": len(self._builds)}
        if self._config.release.since(16, 0):
            fields["max_builds"] = self._config.concurrent
        return fields

    def _listed(self, build: Build, job: dict[str, Any]) -> dict[str, Any]:
        info = job["job_info"]
        fields = {**self._counts(), "job": build.id, "project": build.project_id, "repo_url": build.repo_url}
        if self._config.release.since(16, 4):
            fields["time_in_queue_seconds"] = info.get("time_in_queue_seconds", 0)
        if self._config.release.since(18, 1):
            fields.update(queue_size=info.get("queue_size", 0), queue_depth=info.get("queue_depth", 0))
        if self._config.release.since(19, 0):
            fields["project_full_path"] = info.get("project_full_path", "")
        return fields


def _lowest_free(taken: set[int]) -> int:
    return next(number for number in range(len(taken) + 1) if number not in taken)


def _word(number: signal.Signals) -> str:
    return {signal.SIGQUIT: "quit", signal.SIGTERM: "terminated", signal.SIGINT: "interrupt"}[number]


def start(config: Config, runner_command: list[str]) -> int:
    stream = open(config.log_file, "a", encoding="utf-8") if config.log_file else sys.stderr
    log = RunnerLog(stream, config.log_format, config.log_style, config.log_twice)
    counts: dict[str, Any] = {"builds": 0, **({"max_builds": 0} if config.release.since(16, 0) else {})}
    log.start_text("Runtime platform", arch="amd64", os="linux", pid=os.getpid(), revision=config.release.revision,
                   version=config.release.version)
    log.start_text("Starting multi-runner from config.toml...", **counts)
    if os.geteuid() == 0:
        log.start_text("Running in system-mode.")
    else:
        log.start_warning("Running in user-mode.")
        log.start_warning("Use sudo for system-mode:")
        log.start_warning("$ sudo gitlab-runner...")
    log.start_text("")
    return Manager(config, log, runner_command).run()
