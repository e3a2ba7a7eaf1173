"""Jobs in containers of real engines: docker, podman and containerd as Debian has them, each with folders and groups of its own.

What containers_test.py shows with a double is shown here with what writes the state files in the field. Needs root; each engine is
skipped where it is not installed or does not run.
"""
from __future__ import annotations

import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import unittest

from doubles.lab import PYTHON, Lab
from system import SharedCase, System, wait_for

DOUBLES = pathlib.Path(__file__).resolve().parents[1] / "doubles"
GROUPS = pathlib.Path("/sys/fs/cgroup")
SECRET = "swordfish-of-a-real-engine-2741"
BURN = "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass\n"
MOUNTED = ("/usr", "/etc")     # the image has no more than folders and links


def empty_image() -> bytes:
    """A root folder as a tar archive: whatever is in it comes from the host."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("usr", "etc", "proc", "sys", "dev", "tmp", "run", "var"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        for name in ("bin", "sbin", "lib", "lib64"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "usr/" + name
            tar.addfile(link)
    return packed.getvalue()


class Group:
    """The group above all containers of an engine: it still has the counts of those that are gone."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cpu_s(self) -> float:
        """Without what podman's own monitors used, whose group is in here, too."""
        monitors = [self._cpu_s(place) for place in self._top().glob("*conmon*/")]
        return self._cpu_s(self._top()) - sum(monitors)

    def _top(self) -> pathlib.Path:
        return GROUPS / self.name if (GROUPS / "cgroup.controllers").exists() else GROUPS / "cpuacct" / self.name

    @staticmethod
    def _cpu_s(group: pathlib.Path) -> float:
        if (group / "cpuacct.usage").exists():
            return int((group / "cpuacct.usage").read_text()) / 1e9
        return int((group / "cpu.stat").read_text().split()[1]) / 1e6

    def remove(self) -> None:
        for folder in [GROUPS / self.name, *GROUPS.glob(f"*/{self.name}")]:
            for place in [*folder.glob("*/"), folder]:
                if place.is_dir():
                    wait_for("the group is empty", lambda place=place: remove(place))


def remove(folder: pathlib.Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


class EngineCase(SharedCase):
    engine = ""
    client: list[str] = []
    roots: tuple[str, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        if cls is EngineCase:
            raise unittest.SkipTest("what the engines have in common")
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root")
        if not shutil.which(cls.engine):
            raise unittest.SkipTest(f"{cls.engine} is not installed")
        cls.make_folder()
        cls.group = Group(f"gitaiops-{cls.engine}-{os.getpid()}")
        cls.start_engine()
        imported = subprocess.run([*cls.client, "import", "-", "localhost/empty"], input=empty_image(), capture_output=True)
        if imported.returncode != 0:
            raise unittest.SkipTest(f"{cls.engine} does not run here: {imported.stderr.decode()[-300:]}")
        starts, described = cls.base / "lab" / "starts", cls.base / "engine.json"
        starts.mkdir(parents=True)
        volumes = [word for folder in MOUNTED for word in ("--volume", f"{folder}:{folder}:ro")]
        described.write_text(json.dumps({"client": cls.client, "image": "localhost/empty", "folder": str(starts), "options": [
            "--network", "host", "--cgroup-parent", "/" + cls.group.name, "--env", "HOME=/tmp", *volumes,
            "--volume", f"{cls.base / 'lab'}:{cls.base / 'lab'}"]}), encoding="utf-8")
        cls.addClassCleanup(cls.group.remove)
        cls.described = described
        cls.lab = Lab(cls.base / "lab", container_engine=str(described)).__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.system = System(cls.base / "system", cls.lab, observer_flags=cls.roots).__enter__()
        cls.addClassCleanup(cls.system.close)
        cls.count = 0

    @classmethod
    def start_engine(cls) -> None:
        raise NotImplementedError

    def job(self, script: list[str], files: dict | None = None, variables: dict | None = None) -> tuple[dict, float]:
        """The report of a finished job, and what the kernel counted for the engine's containers meanwhile, in seconds."""
        type(self).count += 1
        project = self.lab.project(f"grp/demo{self.count}", files={"burn.py": BURN, **(files or {})})
        before = self.group.cpu_s() if self.count > 1 else 0
        done = self.lab.wait(self.lab.pipeline(project, [{"name": "job", "script": script, "variables": variables or {}}], ref="main"))
        report = wait_for(lambda: f"the report\n{self.system.story()}", lambda: self.system.job(done["jobs"][0]["id"]))
        return report, self.group.cpu_s() - before

    def error(self, report: dict, actual: float) -> float:
        error = abs(report["usage"].get("cpu_s", 0) - actual) / actual
        print(f"    {self.engine}: told {report['usage'].get('cpu_s', 0):.3f} s, counted {actual:.3f} s, error {error:.2%}", flush=True)
        return error

    def test_cpu_of_all_containers_is_counted(self) -> None:
        report, actual = self.job(["python3 burn.py 2"])
        self.assertEqual(report["outcome"], "passed")
        self.assertEqual(report["usage"]["methods"]["cpu_s"], "cgroup", self.system.story())
        self.assertLess(self.error(report, actual), 0.05)
        self.assertEqual({(part["kind"], part["engine"]) for part in report["usage"]["containers"]},
                         {("build", self.engine), ("helper", self.engine)})

    def test_containers_of_a_moment_are_no_harm(self) -> None:
        """A job whose containers end within milliseconds: the report comes, and says what is known."""
        report, actual = self.job(["true"])
        self.assertEqual(report["outcome"], "passed")
        self.assertIn("usage", report)
        self.error(report, actual)

    def test_a_kill_for_memory_is_counted_and_explains_the_failure(self) -> None:
        hungry = "import time\ntime.sleep(0.5)\ndata = bytearray(200 << 20)\ndata[::4096] = b'x' * len(data[::4096])\n"
        report, _ = self.job(["python3 hungry.py"], {"hungry.py": hungry}, {"LAB_MEMORY_LIMIT": str(64 << 20)})
        self.assertEqual(report["usage"]["oom_kills"], 1, self.system.story())
        self.assertEqual(report["diagnosis"]["category"], "oom_killed")
        build = next(part for part in report["usage"]["containers"] if part["kind"] == "build")
        self.assertEqual(build["memory_limit_bytes"], 64 << 20)

    def test_services_are_parts_of_the_job(self) -> None:
        report, actual = self.job(["sleep 2"], variables={"LAB_SERVICE": "while :; do :; done"})
        self.assertIn("service", {part["kind"] for part in report["usage"]["containers"]})
        self.assertLess(self.error(report, actual), 0.05)

    def test_the_environment_of_containers_stays_there(self) -> None:
        report, _ = self.job(["sleep 1", "exit 1"], variables={"DEPLOY_KEY": SECRET})
        self.assertEqual(report["usage"]["methods"]["cpu_s"], "cgroup", "the containers were read")
        self.assertNotIn(SECRET, json.dumps(report))
        files = [f for place in (self.system.agent_state, self.system.folder / "controller") for f in place.glob("*") if f.is_file()]
        self.assertNotIn(SECRET.encode(), b"".join(f.read_bytes() for f in files))

    def test_doctor_sees_them(self) -> None:
        made = subprocess.run([PYTHON, str(DOUBLES / "real_engine.py"), "--socket", str(self.described), "create"], check=True, text=True,
                              capture_output=True, input=json.dumps({"name": "db", "labels": {}, "env": []})).stdout.strip()
        self.addCleanup(subprocess.run, [*self.client, "rm", "--force", made], stdout=subprocess.DEVNULL)
        subprocess.run([PYTHON, str(DOUBLES / "real_engine.py"), "--socket", str(self.described), "start", made, "true"],
                       check=True, stdin=subprocess.DEVNULL)     # podman writes no state before
        said = self.system.run("gitaiops-observer", *self.roots, "--", str(self.system.bin / "gitaiops-agent"), "doctor",
                               "--config", str(self.system.agent_toml), check=False).stdout
        self.assertRegex(said, rf"ok    {self.engine}: \d+ containers? (is|are) seen")


class Docker(EngineCase):
    engine = "docker"

    @classmethod
    def start_engine(cls) -> None:
        root, socket = cls.base / "docker", f"unix://{cls.base}/docker.sock"
        if not shutil.which("dockerd"):
            raise unittest.SkipTest("dockerd is not installed")
        with open(cls.base / "dockerd.log", "wb") as log:
            daemon = subprocess.Popen(["dockerd", "--data-root", str(root), "--exec-root", str(cls.base / "docker-run"), "--pidfile",
                                       str(cls.base / "docker.pid"), "--host", socket, "--storage-driver", "vfs", "--bridge", "none",
                                       "--iptables=false", "--ip6tables=false"], stdout=log, stderr=log)
        cls.addClassCleanup(subprocess.run, ["umount", str(cls.base / "docker-run/netns/default")], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(daemon.wait)
        cls.addClassCleanup(daemon.terminate)
        cls.client, cls.roots = ["docker", "--host", socket], ("--docker-root", str(root))
        wait_for("dockerd answers, or ends", lambda: daemon.poll() is not None or
                 subprocess.run([*cls.client, "version"], capture_output=True).returncode == 0)

    def test_two_jobs_at_once_have_their_own(self) -> None:
        project = self.lab.project("grp/pair", files={"burn.py": BURN})
        done = self.lab.wait(self.lab.pipeline(project, [{"name": "small", "script": ["python3 burn.py 0.5; sleep 1"]},
                                                         {"name": "large", "script": ["python3 burn.py 2"]}], ref="main"))
        told = {job["name"]: wait_for("the report", lambda job=job: self.system.job(job["id"]))["usage"]["cpu_s"] for job in done["jobs"]}
        self.assertGreater(told["large"], 2)
        self.assertGreater(told["small"], 0.5)
        self.assertLess(told["small"], 1.5)


class Podman(EngineCase):
    engine = "podman"

    @classmethod
    def start_engine(cls) -> None:
        root, run = cls.base / "podman", cls.base / "podman-run"
        cls.client = ["podman", "--root", str(root), "--runroot", str(run), "--tmpdir", str(cls.base / "podman-tmp"), "--storage-driver",
                      "overlay", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]     # crun wants no hybrid groups
        cls.roots = ("--podman-root", str(root), "--podman-run-root", str(run))
        cls.addClassCleanup(lambda: subprocess.run([*cls.client, "rm", "--all", "--force"], stdout=subprocess.DEVNULL))


if __name__ == "__main__":
    unittest.main()
