"""One job from the coordinator's answer to its end."""
from __future__ import annotations

import os
import pwd
import signal
import subprocess
import threading
import time
import urllib.parse
from typing import IO, Any, Optional

from .config import Config
from .containers import Containers
from .log import RunnerLog
from .network import Network
from .script import JobScripts
from .trace import Stream, Trace, TraceFile
from .uploading import Outcome, Uploader, go_duration

CLEAR, CYAN, RESET = "\x1b[0K", "\x1b[36;1m", "\x1b[0;m"
PIPE_READ_BYTES = 32 * 1024
# How long output of a stage is still awaited after its shell ended, when something it left behind holds the pipe.
ORPHANED_OUTPUT_S = 2.0


class StageFailure(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


class Build:
    """Made when the job was received; run() in a thread of its own. `number` tells it from its siblings of the project."""

    def __init__(self, config: Config, network: Network, log: RunnerLog, job: dict[str, Any], runner_command: list[str],
                 concurrent_id: int, number: int) -> None:
        self._config, self._log, self._job = config, log, job
        self.id, self.project_id = int(job["id"]), int(job["job_info"]["project_id"])
        self.concurrent_id, self.number = concurrent_id, number
        self.started, self._began = time.time(), time.monotonic()
        self.state, self.stage = "pending", "prepare"
        self._scripts = self._make_scripts(runner_command)
        in_containers = config.container_engine and self._scripts.variable("LAB_EXECUTOR") != "shell"
        self._containers = self._make_containers() if in_containers else None
        # Everything below is guarded by the lock: what runs, and why it has to stop.
        self._lock = threading.Lock()
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._stopped: Optional[Outcome] = None
        self._after_script_allowed = True
        file = TraceFile(config.tmp_dir, config.output_limit_kib * 1024)
        masked = [str(v["value"]) for v in job["variables"] if v.get("masked")]
        self._trace = Trace(file, masked, config.timestamped)
        self._uploader = Uploader(config, network, log, self.id, job["token"], file, self._cancelled)

    # What others ask --------------------------------------------------------------------------------------------------

    @property
    def repo_url(self) -> str:
        """Without credentials."""
        url = urllib.parse.urlsplit(self._job["git_info"]["repo_url"])
        return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()

    @property
    def url(self) -> str:
        return f"{self.repo_url.removesuffix('.git')}/-/jobs/{self.id}"

    @property
    def duration_s(self) -> float:
        return time.monotonic() - self._began

    def abort(self, why: str) -> None:
        """The runner itself is told to go."""
        self._stop(Outcome(f"aborted: {why}", "runner_system_failure"), after_script=False)

    # The job ----------------------------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Returns when the coordinator has the final state, or refuses it, and the trace file is gone."""
        self._uploader.start()
        timeout_s = float(self._job["runner_info"].get("timeout") or 3600)
        clock = threading.Timer(timeout_s, self._stop, [
            Outcome(f"execution took longer than {go_duration(timeout_s)} seconds", "job_execution_timeout"), False])
        clock.daemon = True
        clock.start()
        try:
            outcome = self._execute()
        except Exception as error:      # the job must end in the coordinator's eyes whatever happened here
            outcome = Outcome(str(error), "runner_system_failure")
        finally:
            clock.cancel()
        self.state = "finished"
        if self._containers:
            self._containers.close()
        self._announce(outcome)
        self._trace.finish()
        self._uploader.settle(outcome)
        self._trace.file.close()
        return outcome

    def _execute(self) -> Outcome:
        release, short = self._config.release, self._config.short_token
        self._say(f"Running with gitlab-runner {release.version} ({release.revision})")
        system = f", system ID: {self._config.system_id}" if release.since(15, 6) else ""
        self._say(f"  on {self._config.name} {short}{system}")
        executor = "docker" if self._containers else "shell"
        self._section("prepare_executor", f'Preparing the "{executor}" executor')
        if self._containers:
            self._say("Using Docker executor with image debian:12 ...")
        else:
            self._say("Using Shell executor..." if not release.since(15, 0) else "Using Shell (bash) executor...")
        self._section_end("prepare_executor")
        self.state = "running"
        outcome = self._stages()
        with self._lock:
            return self._stopped or outcome

    def _stages(self) -> Outcome:
        scripts, failure = self._scripts, Outcome()
        try:
            self._stage("prepare_script", "Preparing environment", scripts.prepare_script())
            self._stage("get_sources", "Getting source from Git repository", scripts.get_sources())
            self._stage("restore_cache", "Restoring cache", scripts.restore_cache())
            try:
                self._stage("step_script", 'Executing "step_script" stage of the job script', scripts.step_script())
            finally:
                self._after_script()
            self._stage("archive_cache", "Saving cache for successful job", scripts.archive_cache())
        except StageFailure as error:
            failure = error.outcome
        failed = bool(failure.error)
        name = "upload_artifacts_on_failure" if failed else "upload_artifacts_on_success"
        try:
            self._stage(name, f"Uploading artifacts for {'failed' if failed else 'successful'} job",
                        scripts.upload_artifacts(failed))
        except StageFailure as error:
            failure = failure if failed else error.outcome
        try:
            self._stage("cleanup_file_variables", "Cleaning up project directory and file based variables",
                        scripts.cleanup_file_variables())
        except StageFailure:
            pass
        return failure

    def _after_script(self) -> None:
        """Runs whatever the script's end, unless the job is to stop at once; its own end does not matter."""
        script = self._scripts.after_script()
        with self._lock:
            stopped = self._stopped
            if stopped and self._after_script_allowed:
                self._stopped = None
        try:
            self._stage("after_script", "Running after_script", script)
        except StageFailure:
            pass
        with self._lock:
            self._stopped = self._stopped or stopped

    def _announce(self, outcome: Outcome) -> None:
        """The end: a line in the trace, then one in the log."""
        fields: dict[str, Any] = {"duration_s": round(self.duration_s, 9), "job": self.id, "project": self.project_id,
                                  "runner": self._config.short_token}
        if not outcome.error:
            self._trace.runner.write(f"\x1b[32;1mJob succeeded{RESET}\n".encode())
            self._log.info("Job succeeded", fields)
            return
        if self._config.release.since(18, 0):
            fields.update(failure_reason=outcome.failure_reason, exit_code=outcome.exit_code)
        kind = " (system failure)" if outcome.failure_reason == "runner_system_failure" else ""
        message = f"Job failed{kind}: {outcome.error}\n"
        self._trace.runner.write(f"\x1b[31;1mERROR: {message}{RESET}\n".encode())
        self._log.warning(message, fields)

    # Stages -----------------------------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self._trace.runner.write(f"{CLEAR}{text}{RESET}\n".encode())

    def _section(self, name: str, title: str) -> None:
        self.stage = name
        self._trace.runner.write(f"section_start:{int(time.time())}:{name}\r{CLEAR}".encode())
        self._say(f"{CYAN}{title}{RESET}")

    def _section_end(self, name: str) -> None:
        self._trace.runner.write(f"section_end:{int(time.time())}:{name}\r{CLEAR}".encode())

    def _stage(self, name: str, title: str, script: str) -> None:
        if not script:
            return
        with self._lock:
            if self._stopped:
                raise StageFailure(self._stopped)
        self._section(name, title)
        try:
            code = self._shell(script)
        finally:
            self._trace.end_stage()
            self._section_end(name)
        with self._lock:
            if self._stopped:
                raise StageFailure(self._stopped)
        if code > 0:
            raise StageFailure(Outcome(f"exit status {code}", "script_failure", code))
        if code < 0:
            word = signal.strsignal(-code) or str(-code)
            raise StageFailure(Outcome(f"signal: {word.lower()}", "script_failure", -1))

    def _shell(self, script: str) -> int:
        """A login shell in a process group of its own, reading the script from its standard input."""
        command = ["bash", "--login"]
        if self._config.user:
            command = ["su", "-s", "/bin/bash", self._config.user, "-c", "bash --login"]
        if self._containers:
            command = self._containers.command(self.stage)
        two_streams = self._trace.timestamped
        with self._lock:
            if self._stopped:
                return 0
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0,
                                       stderr=subprocess.PIPE if two_streams else subprocess.STDOUT)
            self._process = process
        assert process.stdin and process.stdout
        readers = [self._pump(process.stdout, self._trace.stdout)]
        if process.stderr:
            readers.append(self._pump(process.stderr, self._trace.stderr))
        try:
            process.stdin.write(script.encode("utf-8", "surrogateescape"))
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.wait()
        with self._lock:
            self._process = None
        patience = time.monotonic() + ORPHANED_OUTPUT_S
        for reader in readers:
            reader.join(max(patience - time.monotonic(), 0))
        return process.returncode

    @staticmethod
    def _pump(pipe: IO[bytes], stream: Stream) -> threading.Thread:
        def copy() -> None:
            with pipe:
                while chunk := os.read(pipe.fileno(), PIPE_READ_BYTES):
                    stream.write(chunk)
        thread = threading.Thread(target=copy, daemon=True)
        thread.start()
        return thread

    # Stopping ---------------------------------------------------------------------------------------------------------

    def _cancelled(self, gracefully: bool) -> None:
        self._stop(Outcome("canceled", "unknown_failure"), after_script=gracefully)

    def _stop(self, outcome: Outcome, after_script: bool) -> None:
        with self._lock:
            if self._stopped and self._after_script_allowed == after_script:
                return
            self._stopped, self._after_script_allowed = outcome, after_script
            process = self._process
            if process:
                _signal_group(process, signal.SIGTERM)
        if process:
            killer = threading.Timer(self._config.graceful_kill_s, _signal_group, [process, signal.SIGKILL])
            killer.daemon = True
            killer.start()

    # Containers -------------------------------------------------------------------------------------------------------

    def _make_containers(self) -> Containers:
        git, config = self._job["git_info"], self._config
        labels = {"job.id": str(self.id), "job.url": self.url, "job.sha": git["sha"], "job.before_sha": git.get("before_sha", ""),
                  "job.ref": git["ref"], "job.timeout": "1h0m0s", "project.id": str(self.project_id),
                  "pipeline.id": self._scripts.variable("CI_PIPELINE_ID"), "runner.id": config.short_token,
                  "runner.local_id": str(self.concurrent_id), "runner.system_id": config.system_id}
        name = f"runner-{config.short_token}-project-{self.project_id}-concurrent-{self.concurrent_id}"
        return Containers(config.container_engine, name, labels, self._job["variables"])

    # Places -----------------------------------------------------------------------------------------------------------

    def _make_scripts(self, runner_command: list[str]) -> JobScripts:
        config = self._config
        slug = urllib.parse.urlsplit(self._job["git_info"]["repo_url"]).path.strip("/").removesuffix(".git")
        project_dir = os.path.join(config.builds_dir, config.short_token, str(self.number), slug)
        _own(config.builds_dir, config.user)
        _own(config.cache_dir, config.user)
        extra = {"CI_BUILDS_DIR": config.builds_dir, "CI_PROJECT_DIR": project_dir,
                 "CI_CONCURRENT_ID": str(self.concurrent_id), "CI_CONCURRENT_PROJECT_ID": str(self.number),
                 "CI_SERVER": "yes", "CI_JOB_STATUS": "running", "CI_SHARED_ENVIRONMENT": "true",
                 "CI_JOB_TIMEOUT": str(self._job["runner_info"].get("timeout") or 3600),
                 "CI_RUNNER_VERSION": config.release.version, "CI_RUNNER_REVISION": config.release.revision,
                 "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64"}
        return JobScripts(config.release, self._job, project_dir, config.cache_dir, config.url, runner_command, extra)


def _own(folder: str, user: str) -> None:
    os.makedirs(folder, exist_ok=True)
    if user:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass
