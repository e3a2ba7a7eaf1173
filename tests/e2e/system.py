"""The product's own processes for end-to-end tests and the demo: a controller, and an observer that starts the agent.

    with Lab(folder / "lab") as lab, System(folder / "system", lab) as system:
        …                                            # enrolled and observing
        system.jobs()                                # what the REST API tells

Everything is below `folder`; ports are free ones. The programs come from GITAIOPS_BIN.
"""
from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from typing import Any, Callable, Optional

BIN = pathlib.Path(os.environ.get("GITAIOPS_BIN", pathlib.Path(__file__).parents[2] / "build/dev/bin"))
START_S, STOP_S = 20.0, 10.0

Json = dict[str, Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str | Callable[[], str], look: Callable[[], Any], limit_s: float = 30.0, pause_s: float = 0.05) -> Any:
    """The first true answer of `look`, or an error that says what was waited for."""
    deadline = time.monotonic() + limit_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s:.0f} s: {what() if callable(what) else what}")
        time.sleep(pause_s)


class System:
    def __init__(self, folder: pathlib.Path, lab: Any = None, *, gitlab: bool = True, agent: bool = True,
                 agent_toml: str = "", controller_toml: str = "", gitlab_toml: str = "", observer_flags: tuple[str, ...] = (),
                 bin_folder: pathlib.Path = BIN) -> None:
        self.folder, self.lab, self.bin = pathlib.Path(folder), lab, bin_folder
        self.controller: Optional[subprocess.Popen[bytes]] = None
        self.observer: Optional[subprocess.Popen[bytes]] = None
        self.fleet_port, self.enrollment_port, self.api_port, self.status_port = (free_port() for _ in range(4))
        self._with_gitlab, self._with_agent = gitlab, agent
        self._agent_extra, self._controller_extra = agent_toml, controller_toml
        self._gitlab_extra = gitlab_toml
        self._token = ""
        self._observer_flags = observer_flags
        self.agent_state = self.folder / "agent"
        self.agent_toml, self.controller_toml = self.folder / "agent.toml", self.folder / "controller.toml"

    # Life -------------------------------------------------------------------------------------------------------------

    def __enter__(self) -> System:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_configuration()
        try:
            self.start_controller()
            if self._with_agent:
                self.enroll()
                self.start_agent()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self.stop_agent()
        self.stop_controller()

    def write_configuration(self) -> None:
        gitlab = ""
        if self.lab and self._with_gitlab:
            token = self.folder / "gitlab.token"
            token.write_text(self.lab.bot_token, encoding="ascii")
            token.chmod(0o600)
            gitlab = f'[[gitlab]]\nid = "main"\nurl = "{self.lab.url}"\ntoken_file = "{token}"\n{self._gitlab_extra}\n'
        self.controller_toml.write_text(f"""{self._controller_extra}
[state]
dir = "{self.folder / 'controller'}"
[fleet]
address = "127.0.0.1"
port = {self.fleet_port}
[enrollment]
address = "127.0.0.1"
port = {self.enrollment_port}
[api]
port = {self.api_port}
{gitlab}""", encoding="utf-8")
        url = self.lab.url if self.lab else "https://gitlab.example.com"
        log = self.lab.runner_log if self.lab else self.folder / "runner.log"
        usage = f'usage_log_dir = "{self.lab.usage_log_dir}"' if self.lab else ""
        self.agent_toml.write_text(f"""{self._agent_extra}
[controller]
address = "127.0.0.1:{self.fleet_port}"
[runner]
log = "file"
log_file = "{log}"
{usage}
[state]
dir = "{self.agent_state}"
[status]
port = {self.status_port}
[[gitlab]]
id = "main"
url = "{url}"
""", encoding="utf-8")

    def run(self, program: str, *arguments: str, check: bool = True, text: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run([str(self.bin / program), *arguments], capture_output=True, text=True, input=text or None, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"{program} {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def control(self, *arguments: str, check: bool = True) -> str:
        return self.run("gitaiops-controller", *arguments, "--config", str(self.controller_toml), check=check).stdout.strip()

    def start_controller(self) -> None:
        with open(self.folder / "controller.log", "ab") as log:
            self.controller = subprocess.Popen([str(self.bin / "gitaiops-controller"), "serve", "--config", str(self.controller_toml)],
                                               stdout=log, stderr=log)
        wait_for("the controller is alive", lambda: self._alive(self.controller, "controller") and self.get("/health", token="")[0] == 200, START_S)

    def stop_controller(self, number: int = signal.SIGTERM) -> None:
        self.controller = _end(self.controller, number)

    def enroll(self) -> None:
        token = self.folder / "enroll.token"
        token.write_text(self.control("token", "create"), encoding="ascii")
        token.chmod(0o600)
        self.run("gitaiops-agent", "enroll", "--config", str(self.agent_toml), "--controller", f"127.0.0.1:{self.enrollment_port}",
                 "--token-file", str(token))

    def start_agent(self, wait: bool = True) -> None:
        with open(self.folder / "agent.log", "ab") as log:
            self.observer = subprocess.Popen([str(self.bin / "gitaiops-observer"), *self._observer_flags, "--", str(self.bin / "gitaiops-agent"), "run", "--config",
                                              str(self.agent_toml)], stdout=log, stderr=log)
        if wait:
            wait_for("the agent is connected", lambda: self._alive(self.observer, "agent") and self.status().get("link_state") == "connected", START_S)

    def stop_agent(self, number: int = signal.SIGTERM) -> None:
        self.observer = _end(self.observer, number)

    def agent_pid(self) -> int:
        """The agent below the observer; 0 when it is not there at the moment."""
        if not self.observer:
            return 0
        try:
            children = pathlib.Path(f"/proc/{self.observer.pid}/task/{self.observer.pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return 0
        return int(children[0]) if children else 0

    def _alive(self, process: Optional[subprocess.Popen[bytes]], name: str) -> bool:
        if process and process.poll() is not None:
            raise AssertionError(f"the {name} ended with {process.returncode}:\n{self.log(name)}")
        return True

    # Looking ----------------------------------------------------------------------------------------------------------

    def log(self, name: str) -> str:
        file = self.folder / f"{name}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def token(self) -> str:
        if not self._token:
            self._token = self.control("token", "create", "--api", "--admin", "--name", "test", "--ttl", "1h")
        return self._token

    def get(self, path: str, token: Optional[str] = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"} if token != "" else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.api_port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status, kind, body = answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as error:
            status, kind, body = error.code, error.headers.get("Content-Type", ""), error.read()
        except OSError:
            return 0, None
        return status, json.loads(body) if "json" in kind else body.decode()

    def jobs(self, **query: Any) -> list[Json]:
        """All of them, page after page, newest first."""
        found: list[Json] = []
        query = {"limit": 200, **query}
        while True:
            status, page = self.get("/api/v1/jobs?" + urllib.parse.urlencode(query))
            if status != 200:
                raise AssertionError(f"GET /api/v1/jobs: {status} {page}")
            found += page["jobs"]
            if not page.get("next"):
                return found
            query["after"] = page["next"]

    def job(self, job_id: int) -> Optional[Json]:
        """The finished job with its diagnosis, by GitLab's id; None while there is none."""
        for row in self.jobs():
            if row["job_id"] == job_id and row["state"] == "finished":
                return self.get(f"/api/v1/jobs/{row['id']}")[1]
        return None

    def status(self) -> Json:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.status_port}/status.json", timeout=5) as answer:
                return json.loads(answer.read())
        except OSError:
            return {}

    def note(self, request: Json, contains: str = "", limit_s: float = 30.0) -> Json:
        """The bot's note on the merge request, once it contains the text."""
        def look() -> Optional[Json]:
            ours = [n for n in self.lab.notes(request) if "gitaiops:note" in n["body"]]
            return ours[0] if ours and contains in ours[0]["body"] else None
        return wait_for(lambda: f"a note with {contains!r}\n{self.story()}", look, limit_s)

    def story(self) -> str:
        """What both have to say, for the message of a failed test."""
        return f"{self.log('controller')[-3000:]}\n{self.log('agent')[-3000:]}\n{json.dumps(self.status())}"


class Case(unittest.TestCase):
    """A test in a folder of its own, with a laboratory and a system in it as needed."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="gitaiops-e2e-")
        self.addCleanup(folder.cleanup)
        self.base = pathlib.Path(folder.name)
        self.base.chmod(0o755)

    def lab(self, **options: Any) -> Any:
        from doubles.lab import Lab
        lab = Lab(self.base / "lab", **options).__enter__()
        self.addCleanup(lab.close)
        return lab

    def system(self, lab: Any = None, **options: Any) -> System:
        system = System(self.base / "system", lab, **options).__enter__()
        self.addCleanup(system.close)
        return system


class DemoCase(Case):
    """A test in a laboratory of its own, `world`, with a project in it."""

    def setUp(self) -> None:
        super().setUp()
        self.world = self.lab()
        self.project = self.world.project("grp/demo", files={"README.md": "demo\n"})


class SharedCase(unittest.TestCase):
    """The tests of a class share a folder, a laboratory and a system, which are made before the first of them."""

    @classmethod
    def setUpClass(cls) -> None:
        from doubles.lab import Lab
        cls.make_folder()
        cls.lab = Lab(cls.base / "lab").__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.system = System(cls.base / "system", cls.lab).__enter__()
        cls.addClassCleanup(cls.system.close)
        cls.count = 0    # of what the tests have made so far, for names

    @classmethod
    def make_folder(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="gitaiops-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.base = pathlib.Path(folder.name)
        cls.base.chmod(0o755)


def _end(process: Optional[subprocess.Popen[bytes]], number: int) -> None:
    if process is None:
        return None
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f"{process.args} did not end within {STOP_S} s after signal {number}")
    return None
