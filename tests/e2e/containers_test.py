"""Jobs of the docker executor are metered by their containers' control groups, and what the engine keeps secret stays there.

The engine is a double (tests/doubles/container_engine.py) with real namespaces and groups, so this needs root and groups that
can be made; it is skipped without.
"""
from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import unittest

from doubles.lab import PYTHON, Lab
from system import SharedCase, System, wait_for

ENGINE = pathlib.Path(__file__).resolve().parents[1] / "doubles" / "container_engine.py"
SECRET = "swordfish-in-the-environment-9137"
BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"


def can_make_groups() -> bool:
    tops = [pathlib.Path("/sys/fs/cgroup")]
    if not (tops[0] / "cgroup.controllers").exists():
        tops = [tops[0] / name for name in ("memory", "cpuacct")]
    try:
        for top in tops:
            (top / "gitaiops-probe").mkdir()
            (top / "gitaiops-probe").rmdir()
    except OSError:
        return False
    return subprocess.run(["unshare", "--pid", "--fork", "true"], check=False).returncode == 0


@unittest.skipUnless(os.geteuid() == 0 and can_make_groups(), "needs root and control groups that can be made")
class Containers(SharedCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.make_folder()
        socket = cls.base / "docker.sock"
        cls.engine = subprocess.Popen([PYTHON, str(ENGINE), "--socket", str(socket), "--root", str(cls.base / "docker"),
                                       "--builds", str(cls.base / "lab" / "runner" / "builds"), "serve"])
        cls.addClassCleanup(cls.engine.wait)
        cls.addClassCleanup(cls.engine.terminate)
        wait_for("the engine listens", socket.exists)
        cls.lab = Lab(cls.base / "lab", container_engine=str(socket)).__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.system = System(cls.base / "system", cls.lab, observer_flags=("--docker-root", str(cls.base / "docker"))).__enter__()
        cls.addClassCleanup(cls.system.close)
        cls.count = 0

    def job(self, script: list[str], files: dict | None = None, variables: dict | None = None) -> tuple[dict, dict, list]:
        """The finished job, its report, and what the engine itself counted for it, one entry a start of a container."""
        type(self).count += 1
        before = self.truth()
        project = self.lab.project(f"grp/demo{self.count}", files={"README.md": "demo\n", **(files or {})})
        done = self.lab.wait(self.lab.pipeline(project, [{"name": "job", "script": script, "variables": variables or {}}], ref="main"))
        report = wait_for(lambda: f"the report\n{self.system.story()}", lambda: self.system.job(done["jobs"][0]["id"]))
        return done["jobs"][0], report, self.truth()[len(before):]

    def truth(self) -> list:
        file = self.base / "docker" / "truth.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()] if file.exists() else []

    def test_cpu_of_all_containers_is_counted(self) -> None:
        _, report, truth = self.job(["python3 burn.py"], {"burn.py": BURN.format(seconds=2)})
        usage = report["usage"]
        self.assertEqual(usage["methods"]["cpu_s"], "cgroup", self.system.story())
        actual = sum(life["cpu_us"] for life in truth) / 1e6
        self.assertGreater(actual, 2)
        error = abs(usage["cpu_s"] - actual) / actual
        print(f"    CPU of {len(truth)} starts: told {usage['cpu_s']:.3f} s, counted {actual:.3f} s, error {error:.2%}", flush=True)
        self.assertLess(error, 0.05)
        self.assertEqual({part["kind"] for part in usage["containers"]}, {"build", "helper"})
        build = next(part for part in usage["containers"] if part["kind"] == "build")
        self.assertGreater(build["cpu_s"], 2)
        self.assertEqual(build["engine"], "docker")

    def test_a_short_job_is_counted_too(self) -> None:
        _, report, truth = self.job(["python3 burn.py"], {"burn.py": BURN.format(seconds=0.2)})
        actual = sum(life["cpu_us"] for life in truth) / 1e6
        error = abs(report["usage"].get("cpu_s", 0) - actual) / actual
        print(f"    CPU of a short job: told {report['usage'].get('cpu_s', 0):.3f} s, counted {actual:.3f} s, error {error:.2%}", flush=True)
        self.assertLess(error, 0.25)

    def test_the_kernels_own_memory_peak_is_told(self) -> None:
        hungry = "data = bytearray(120 << 20)\ndata[::4096] = b'x' * len(data[::4096])\ndel data\nimport time\ntime.sleep(0.5)\n"
        _, report, truth = self.job(["python3 hungry.py"], {"hungry.py": hungry})
        usage = report["usage"]
        self.assertEqual(usage["methods"]["memory_peak_bytes"], "cgroup")
        self.assertEqual(usage["memory_peak_bytes"], max(life["memory_peak_bytes"] for life in truth))
        self.assertGreater(usage["memory_peak_bytes"], 120 << 20)

    def test_a_kill_for_memory_is_counted_and_explains_the_failure(self) -> None:
        hungry = "import time\ntime.sleep(0.5)\ndata = bytearray(200 << 20)\ndata[::4096] = b'x' * len(data[::4096])\n"
        _, report, truth = self.job(["python3 hungry.py"], {"hungry.py": hungry}, {"LAB_MEMORY_LIMIT": str(64 << 20)})
        self.assertEqual(sum(life["oom_kills"] for life in truth), 1)
        self.assertEqual(report["usage"]["oom_kills"], 1, self.system.story())
        self.assertEqual(report["outcome"], "failed")
        self.assertEqual(report["diagnosis"]["category"], "oom_killed")
        build = next(part for part in report["usage"]["containers"] if part["kind"] == "build")
        self.assertEqual(build["memory_limit_bytes"], 64 << 20)

    def test_what_a_checkout_inside_a_container_depends_on_is_known(self) -> None:
        """Its builds folder is a volume: at its path, the host has nothing."""
        lock = """{"name": "web", "lockfileVersion": 3, "packages": {"": {"dependencies": {"%s": "1.2.3"}},
                  "node_modules/%s": {"version": "1.2.3"}}}"""
        # By the log's word, which comes late; then, where it is known where this runner has them, for short jobs, too.
        for name, script in (("left", "sleep 5"), ("right", "sleep 1")):
            project = self.lab.project("grp/in-" + name, files={"package-lock.json": lock % (name, name)})
            self.lab.wait(self.lab.pipeline(project, [{"name": "job", "script": [script]}], ref="main"))
            self.assertEqual([p for p in (self.base / "lab" / "runner" / "builds").rglob("*") if p.is_file()], [])
            uses = wait_for(lambda name=name: f"the inventory of {name}\n{self.system.story()}",
                            lambda name=name: self.system.get("/api/v1/packages?ecosystem=npm&name=" + name)[1].get("packages"))
            self.assertEqual([(use["project_path"], use["version"]) for use in uses], [("grp/in-" + name, "1.2.3")])

    def test_services_are_parts_of_the_job(self) -> None:
        _, report, truth = self.job(["sleep 2"], variables={"LAB_SERVICE": "while :; do :; done"})
        service = next(part for part in report["usage"]["containers"] if part["kind"] == "service")
        actual = max(life["cpu_us"] for life in truth) / 1e6    # what a busy machine gave it
        self.assertLess(abs(service["cpu_s"] - actual) / actual, 0.1)
        self.assertGreater(report["usage"]["cpu_s"], service["cpu_s"])

    def test_two_jobs_at_once_have_their_own(self) -> None:
        project = self.lab.project("grp/pair", files={"burn.py": "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass\n"})
        done = self.lab.wait(self.lab.pipeline(project, [{"name": "small", "script": ["python3 burn.py 0.5; sleep 1"]},
                                                         {"name": "large", "script": ["python3 burn.py 2"]}], ref="main"))
        told = {}
        for job in done["jobs"]:
            told[job["name"]] = wait_for("the report", lambda: self.system.job(job["id"]))["usage"]["cpu_s"]
        self.assertGreater(told["large"], 2)
        self.assertGreater(told["small"], 0.5)
        self.assertLess(told["small"], 1.5)

    def test_the_log_is_read_as_ever(self) -> None:
        _, report, _ = self.job(["echo 'main.c:3:1: error: boom'", "exit 1"])
        self.assertEqual(report["log"]["availability"], "complete")
        self.assertEqual(report["outcome"], "failed")

    def test_labels_that_do_not_fit_the_job_are_not_its_own(self) -> None:
        """Who holds the engine's socket can write the job's number on a container; instance and project must fit, too."""
        project = self.lab.project("grp/victim", files={"a": "a"})
        pipeline = self.lab.pipeline(project, [{"name": "calm", "script": ["sleep 3"]}], ref="main")
        job = self.lab.show(pipeline)["jobs"][0]
        self.lab.wait_job(job, "running")
        for url in (f"{self.lab.url}/grp/other/-/jobs/{job['id']}", f"https://elsewhere.example.com/grp/victim/-/jobs/{job['id']}"):
            labels = {"job.id": str(job["id"]), "job.url": url, "project.id": str(project["id"]), "type": "build"}
            made = self.control("create", text=json.dumps({"name": "forged", "env": [], "labels": {
                "com.gitlab.gitlab-runner." + key: value for key, value in labels.items()}}))
            self.control("start", made, "python3", "-c", BURN.format(seconds=0.7))
            self.control("remove", made)
        self.lab.wait(pipeline)
        report = wait_for("the report", lambda: self.system.job(job["id"]))
        self.assertLess(report["usage"]["cpu_s"], 0.6)

    def control(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run([PYTHON, str(ENGINE), "--socket", str(self.base / "docker.sock"), *arguments], check=True, text=True,
                              capture_output=True, input=text)
        return done.stdout.strip()

    def test_the_environment_of_containers_leaves_no_trace(self) -> None:
        project = self.lab.project("grp/secret", files={"a": "a"})
        pipeline = self.lab.pipeline(project, [{"name": "job", "script": ["sleep 1", "exit 1"], "variables": {"DEPLOY_KEY": SECRET}}], ref="main")
        wait_for("the secret is in a state file", lambda: any(SECRET in p.read_text(encoding="utf-8", errors="replace")
                                                              for p in (self.base / "docker").glob("containers/*/config.v2.json")))
        done = self.lab.wait(pipeline)
        report = wait_for("the report", lambda: self.system.job(done["jobs"][0]["id"]))
        self.assertEqual(report["usage"]["methods"]["cpu_s"], "cgroup", "the containers were read")
        self.assertNotIn(SECRET, json.dumps(report))
        places = [self.system.agent_state, self.system.folder / "controller", self.system.folder]
        stored = b"".join(f.read_bytes() for place in places for f in place.glob("*") if f.is_file())
        self.assertIn(b"grp/secret", stored, "the right files were looked at")
        self.assertNotIn(SECRET.encode(), stored)
        agent = memory_of(self.system.agent_pid())
        self.assertIn(b"grp/secret", agent, "the right memory was looked at")
        self.assertNotIn(SECRET.encode(), agent, "not even in memory that was given back")
        observer = memory_of(self.system.observer.pid)
        self.assertNotIn(SECRET.encode(), observer)

    @unittest.skipUnless(shutil.which("setpriv"), "needs setpriv (util-linux)")
    def test_two_capabilities_are_enough_to_read_what_only_root_may(self) -> None:
        made = self.control("create", text=json.dumps({"name": "db", "env": [], "labels": {}}))
        self.addCleanup(self.control, "remove", made)
        for program in ("gitaiops-agent", "gitaiops-observer"):
            shutil.copy(self.system.bin / program, self.base / program)     # where every user may run it
        config = self.base / "agent.toml"
        config.write_text(self.system.agent_toml.read_text(encoding="utf-8"), encoding="utf-8")
        config.chmod(0o644)

        def doctor(*capabilities: str) -> str:
            kept = ",".join(f"+{name}" for name in capabilities) or "-all"
            return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={kept}", f"--ambient-caps={kept}",
                                   str(self.base / "gitaiops-observer"), "--docker-root", str(self.base / "docker"), "--",
                                   str(self.base / "gitaiops-agent"), "doctor", "--config", str(config)],
                                  capture_output=True, text=True, timeout=60, check=False).stdout
        self.assertRegex(doctor("sys_ptrace", "dac_read_search"), r"ok    docker: \d+ containers are seen\n")
        without = doctor()
        self.assertNotIn("containers are seen", without)
        self.assertRegex(without, r"containers of docker in \S+ cannot be read: Permission denied")

    def test_doctor_says_what_it_sees(self) -> None:
        made = self.control("create", text=json.dumps({"name": "db", "env": [], "labels": {}}))
        self.addCleanup(self.control, "remove", made)
        said = self.system.run("gitaiops-observer", "--docker-root", str(self.base / "docker"), "--", str(self.system.bin / "gitaiops-agent"),
                               "doctor", "--config", str(self.system.agent_toml), check=False).stdout
        self.assertRegex(said, r"ok    docker: \d+ containers are seen")
        self.assertIn("control groups", said)


def memory_of(pid: int) -> bytes:
    """Everything that a process may write to, as it is now."""
    parts = []
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            places, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            first, last = (int(place, 16) for place in places.split("-"))
            try:
                memory.seek(first)
                parts.append(memory.read(last - first))
            except OSError:
                continue
    return b"".join(parts)


if __name__ == "__main__":
    unittest.main()
