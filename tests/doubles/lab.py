"""A laboratory: both doubles as real processes in one folder, and the calls to build a world and to look at it.

    with Lab(folder) as lab:
        project = lab.project("grp/demo", files={"a.txt": "a"})         # GitLab's JSON of the project
        lab.commit(project, "feature", {"a.txt": "b"})
        request = lab.merge_request(project, "feature")                 # GitLab's JSON of the merge request
        pipeline = lab.pipeline(project, [{"name": "unit", "script": ["make"]}], merge_request=request)
        done = lab.wait(pipeline)                                       # with "jobs": [{id, status, exit_code, …}]
        lab.trace(done["jobs"][0]), lab.notes(request), lab.log_text()

Lab(folder, *, runner=True, **options): `options` are those of the runner (gitlab_runner/config.py: version="19.4.0",
    concurrent=20, user="nobody", log_format="json", timestamps=True, update_interval_s=0.2, …). They default to what
    makes tests fast: 4 jobs at once, polls every 0.1 s. The usage log and the status page are on.
    The folder's parents must let the runner's user through.

Attributes
    url, runner_token                       of the GitLab double, and what a runner or an agent knows it by
    bot_token, user_token, stranger_token   API tokens: of @gitaiops-bot and @alice (developers of every project made
                                            here) and of @mallory, who is a member of nothing
    gitlab, runner                          subprocess.Popen; runner is None when not started
    runner_log, usage_log_dir, builds_dir, trace_dir    paths; trace_dir is the runner's TMPDIR
    status_url                              "http://127.0.0.1:PORT" with /debug/jobs/list and /metrics

World   project(path, files, id?, forked_from?, visibility?, members?)   commit(project, branch, files, message, start)
        merge_request(source, branch, target_branch, title, target)   close_merge_request(request)
        pipeline(project, jobs, ref | merge_request, kind)               jobs: see gitlab_server/admin.py
        retry(job)   cancel(job)   set_job(job, status=…, moods=…, forget_trace=…)   settings(…)
Looking wait(pipeline)   wait_job(job, status)   show(pipeline)   trace(job)   notes(request)   log_text()   usage()
        jobs_list()   requests(path, method, after)
Faults  fault(path, method, times, skip, status, headers, delay_s, drop)   clear_faults()
Runner  start_runner(**options)   stop_runner(signal)   kill_runner()
Raw     api(method, path, body, token) → (status, headers, JSON or bytes)     double(method, path, body) → JSON
"""
from __future__ import annotations

import json
import os
import pathlib
import pwd
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from types import TracebackType
from typing import Any, Mapping, Optional, Union

PYTHON = "/usr/bin/python3"
HERE = pathlib.Path(__file__).resolve().parent
START_S, STOP_S, REQUEST_S = 20.0, 15.0, 620.0
DEVELOPER = 30

Json = dict[str, Any]


class LabError(Exception):
    pass


class Lab:
    def __init__(self, folder: Union[str, pathlib.Path], *, runner: bool = True, **options: Any) -> None:
        self.folder = pathlib.Path(folder).resolve()
        self.runner_log = self.folder / "runner" / "runner.log"
        self.usage_log_dir = self.folder / "runner" / "usage-log"
        self.builds_dir = self.folder / "runner" / "builds"
        self.trace_dir = self.folder / "runner" / "tmp"
        self.runner_token = "glrt-AbCdEfGhIjKlMnOpQrSt"
        self.bot_token, self.user_token, self.stranger_token = "glpat-bot", "glpat-alice", "glpat-mallory"
        self.url, self.status_url = "", ""
        self.gitlab: Optional[subprocess.Popen[bytes]] = None
        self.runner: Optional[subprocess.Popen[bytes]] = None
        self._options = options
        self._with_runner = runner

    # Life -------------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Lab:
        try:
            self._start_gitlab()
            if self._with_runner:
                self.start_runner()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        self.stop_runner(signal.SIGTERM)
        if self.gitlab:
            self.gitlab.terminate()
            _end(self.gitlab)
            self.gitlab = None

    def _start_gitlab(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)                    # the jobs' user has to pass
        state, port_file = self.folder / "gitlab", self.folder / "gitlab.port"
        with open(self.folder / "gitlab.err", "ab") as errors:
            self.gitlab = subprocess.Popen([PYTHON, str(HERE / "gitlab.py"), "--state", str(state), "--port-file",
                                            str(port_file)], stdout=subprocess.DEVNULL, stderr=errors)
        self.url = f"http://127.0.0.1:{_port(port_file, self.gitlab)}"
        for username, token, bot in (("gitaiops-bot", self.bot_token, True), ("alice", self.user_token, False),
                                     ("mallory", self.stranger_token, False)):
            self.double("POST", "users", {"username": username, "bot": bot})
            self.double("POST", "tokens", {"user": username, "token": token})
        self.double("POST", "runners", {"token": self.runner_token, "description": "lab"})

    def start_runner(self, **options: Any) -> None:
        """With other options than before, if given. Answers once the runner listens."""
        self._options.update(options)
        base = self.folder / "runner"
        for path in (base, self.trace_dir, self.builds_dir):
            path.mkdir(parents=True, exist_ok=True)
        chosen: Json = {
            "url": self.url, "token": self.runner_token, "concurrent": 4, "check_interval_s": 0.1,
            "builds_dir": str(self.builds_dir), "cache_dir": str(base / "cache"), "tmp_dir": str(self.trace_dir),
            "log_file": str(self.runner_log), "usage_log_dir": str(self.usage_log_dir),
            "listen_address": "127.0.0.1:0", "status_port_file": str(base / "status.port"), "graceful_kill_s": 2.0,
            "working_directory": str(base), **self._options}
        if chosen.get("user"):
            owner = pwd.getpwnam(chosen["user"])
            os.chown(self.builds_dir, owner.pw_uid, owner.pw_gid)
        if "update_interval_s" in self._options:    # else the coordinator's 3 s replace it after the first patch
            self.settings(trace_update_interval_s=0)
        config, port_file = base / "config.json", base / "status.port"
        port_file.unlink(missing_ok=True)
        config.write_text(json.dumps(chosen, indent=1), encoding="utf-8")
        # Jobs start with a login shell: whoever runs the tests has a profile that is none of their business.
        environment = {**os.environ, "TMPDIR": str(self.trace_dir), "HOME": str(base)}
        with open(base / "runner.err", "ab") as errors:
            self.runner = subprocess.Popen([PYTHON, str(HERE / "runner.py"), "--config", str(config)], cwd=base,
                                           env=environment, stdout=errors, stderr=errors, start_new_session=True)
        self.status_url = f"http://127.0.0.1:{_port(port_file, self.runner)}"

    def stop_runner(self, number: signal.Signals = signal.SIGQUIT) -> Optional[int]:
        """SIGQUIT waits for the jobs, SIGTERM ends them. Returns the exit status."""
        if self.runner is None:
            return None
        if self.runner.poll() is None:
            self.runner.send_signal(number)
        status = _end(self.runner)
        self.runner = None
        return status

    def kill_runner(self) -> None:
        """As a crash: the jobs' processes stay behind."""
        assert self.runner
        self.runner.kill()
        self.runner.wait()
        self.runner = None

    # World ------------------------------------------------------------------------------------------------------------

    def project(self, path: str = "grp/demo", files: Optional[Mapping[str, str]] = None, **fields: Any) -> Json:
        members = {"gitaiops-bot": DEVELOPER, "alice": DEVELOPER, **fields.pop("members", {})}
        return self.double("POST", "projects", {"path": path, "files": dict(files or {}), "members": members, **fields})

    def commit(self, project: Json, branch: str, files: Mapping[str, Optional[str]], message: str = "Change",
               start: Optional[str] = None) -> str:
        made = self.double("POST", f"projects/{project['id']}/commits", {
            "branch": branch, "files": dict(files), "message": message, "start_branch": start})
        return str(made["id"])

    def merge_request(self, source: Json, branch: str, target_branch: str = "main", title: str = "Change",
                      target: Optional[Json] = None) -> Json:
        """`target` is the upstream project when `source` is a fork."""
        return self._api("POST", f"projects/{source['id']}/merge_requests", {
            "source_branch": branch, "target_branch": target_branch, "title": title,
            "target_project_id": (target or source)["id"]})

    def close_merge_request(self, request: Json) -> None:
        self._api("PUT", f"projects/{request['project_id']}/merge_requests/{request['iid']}", {"state_event": "close"})

    def pipeline(self, project: Json, jobs: list[Json], ref: Optional[str] = None, merge_request: Optional[Json] = None,
                 kind: str = "head") -> Json:
        wanted: Json = {"project": project["id"], "jobs": jobs}
        if merge_request:
            wanted.update(merge_request={"project": merge_request["project_id"], "iid": merge_request["iid"]}, kind=kind)
        elif ref:
            wanted["ref"] = ref
        return self.double("POST", "pipelines", wanted)

    def child_pipeline(self, parent: Json, jobs: list[Json]) -> Json:
        """As if a trigger job of `parent` had started it."""
        return self.double("POST", "pipelines", {"project": parent["project_id"], "jobs": jobs, "parent": parent["id"]})

    def retry(self, job: Json) -> Json:
        return self._api("POST", f"projects/{job['project_id']}/jobs/{job['id']}/retry")

    def cancel(self, job: Json) -> Json:
        return self._api("POST", f"projects/{job['project_id']}/jobs/{job['id']}/cancel")

    def set_job(self, job: Json, **fields: Any) -> Json:
        return self.double("PATCH", f"jobs/{job['id']}", fields)

    def settings(self, **fields: Any) -> Json:
        return self.double("PATCH", "settings", fields)

    # Looking ----------------------------------------------------------------------------------------------------------

    def wait(self, pipeline: Json, timeout_s: float = 60.0) -> Json:
        """The pipeline with its jobs, once none of them will move by itself."""
        return self.double("GET", f"wait?pipeline={pipeline['id']}&timeout_s={timeout_s}")

    def wait_job(self, job: Json, status: str = "", timeout_s: float = 60.0) -> Json:
        return self.double("GET", f"wait?job={job['id']}&status={status}&timeout_s={timeout_s}")

    def show(self, pipeline: Json) -> Json:
        return self.double("GET", f"pipelines/{pipeline['id']}")

    def trace(self, job: Json) -> bytes:
        return bytes(self._api("GET", f"projects/{job['project_id']}/jobs/{job['id']}/trace"))

    def notes(self, request: Json) -> list[Json]:
        """Oldest first, each with the `mentions` and `commands` (quick actions) that GitLab would have acted on."""
        return self.double("GET", f"notes?project={request['project_id']}&iid={request['iid']}")

    def log_text(self) -> str:
        return self.runner_log.read_text(encoding="utf-8") if self.runner_log.exists() else ""

    def usage(self) -> list[Json]:
        lines = [line for file in sorted(self.usage_log_dir.glob("usage-log-*.json"))
                 for line in file.read_text(encoding="utf-8").splitlines()]
        return [json.loads(line) for line in lines]

    def jobs_list(self) -> str:
        with urllib.request.urlopen(self.status_url + "/debug/jobs/list", timeout=10) as answer:
            return str(answer.read().decode())

    def requests(self, path: str = "", method: str = ".*", after: int = 0) -> list[Json]:
        """What GitLab received; `path` and `method` are regular expressions."""
        query = urllib.parse.urlencode({"path": path, "method": method, "after": after})
        return self.double("GET", f"requests?{query}")

    # Faults -----------------------------------------------------------------------------------------------------------

    def fault(self, path: str, **fields: Any) -> Json:
        """method, times, skip, status, headers, body, delay_s, drop="before"|"after": see gitlab_server/faults.py."""
        return self.double("POST", "faults", {"path": path, **fields})

    def clear_faults(self) -> None:
        self.double("DELETE", "faults")

    # Raw --------------------------------------------------------------------------------------------------------------

    def api(self, method: str, path: str, body: Optional[Json] = None,
            token: Optional[str] = None) -> tuple[int, Mapping[str, str], Any]:
        """One REST call below /api/v4/, as alice unless told otherwise."""
        return self._exchange(method, "/api/v4/" + path, body, {"PRIVATE-TOKEN": token or self.user_token})

    def _api(self, method: str, path: str, body: Optional[Json] = None) -> Any:
        status, _, content = self.api(method, path, body)
        if status >= 300:
            raise LabError(f"{method} {path}: {status} {content}")
        return content

    def double(self, method: str, path: str, body: Optional[Json] = None) -> Any:
        status, _, content = self._exchange(method, "/double/" + path, body, {})
        if status >= 300:
            raise LabError(f"{method} /double/{path}: {status} {content}")
        return content

    def _exchange(self, method: str, path: str, body: Optional[Json],
                  headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **headers},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_S) as answer:
                status, fields, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            status, fields, content = error.code, error.headers, error.read()
        if (fields.get("Content-Type") or "").startswith("application/json"):
            return status, fields, json.loads(content)
        return status, fields, content


def _port(file: pathlib.Path, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if file.exists():
            return int(file.read_text(encoding="ascii"))
        if process.poll() is not None:
            raise LabError(f"{process.args} ended with {process.returncode}; see *.err beside {file}")
        time.sleep(0.01)
    raise LabError(f"{process.args} did not start within {START_S} s")


def _end(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
