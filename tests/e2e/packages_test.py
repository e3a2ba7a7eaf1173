"""The packages on a host that runs GitLab Runner: installed, upgraded from the version before, removed, and purged, while jobs run.

The host is a folder (debian_root.py); the runner double works outside of it and must not notice. The packages are made here from
the programs under test; lintian judges them where it is installed.
"""
from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import debian_root
from bad_days_test import FAIL, WorldCase
from system import BIN, wait_for
from unit import Unit

REPOSITORY = pathlib.Path(__file__).parents[2]
OLDER = "0.1.0~before"


def missing() -> str:
    if not shutil.which("dh"):
        return "needs debhelper and dpkg-dev (./dev package installs them)"
    return debian_root.missing()


def tree(folder: pathlib.Path) -> dict[str, tuple]:
    """Every file with owner, mode and content."""
    return {str(path.relative_to(folder)): (path.stat().st_uid, path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in sorted(folder.rglob("*"))}


@unittest.skipIf(missing(), missing())
class Packages(WorldCase):
    packages: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="gitaiops-packages-")
        cls.addClassCleanup(folder.cleanup)
        cls.packages = pathlib.Path(folder.name)
        done = subprocess.run([str(REPOSITORY / "packaging/build"), str(BIN.resolve()), str(cls.packages / "new")], capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        (cls.packages / "old").mkdir()
        for file in (cls.packages / "new").glob("*.deb"):
            cls.make_older(file)

    @classmethod
    def make_older(cls, file: pathlib.Path) -> None:
        """The same, as if of the version before: with its number, and another sample configuration."""
        with tempfile.TemporaryDirectory() as folder:
            parts = pathlib.Path(folder) / "parts"
            subprocess.run(["dpkg-deb", "-R", str(file), str(parts)], check=True)
            control = parts / "DEBIAN/control"
            control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {OLDER}", control.read_text(encoding="utf-8")), encoding="utf-8")
            for sample in parts.glob("etc/gitaiops/*.toml"):
                sample.write_text("# of the version before\n" + sample.read_text(encoding="utf-8"), encoding="utf-8")
            subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", str(parts), str(cls.packages / "old" / file.name)], check=True, capture_output=True)

    def deb(self, name: str, which: str = "new") -> str:
        (found,) = (self.packages / which).glob(f"{name}_*.deb")
        return str(found)

    def host(self) -> debian_root.DebianRoot:
        root = debian_root.DebianRoot(self.base / "host", (self.base / "lab", self.packages))
        runner = root.path / "etc/gitlab-runner"
        runner.mkdir(mode=0o700)
        (runner / "config.toml").write_text('concurrent = 4\n[[runners]]\n  token = "glrt-secret"\n', encoding="ascii")
        (runner / "config.toml").chmod(0o600)
        return root

    @unittest.skipUnless(shutil.which("lintian"), "needs lintian")
    def test_lintian_finds_no_error(self) -> None:
        done = subprocess.run(["lintian", "--fail-on", "error", *map(str, (self.packages / "new").glob("*.deb"))], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([line for line in done.stdout.splitlines() if line.startswith("E:")], [])

    def test_three_packages_with_manual_pages_and_configuration(self) -> None:
        self.assertEqual(sorted(path.name.split("_")[0] for path in (self.packages / "new").glob("*.deb")), ["gitaiops", "gitaiops-agent", "gitaiops-controller"])
        for name, pages in (("gitaiops", ["man1/gitaiops.1.gz"]), ("gitaiops-agent", ["man8/gitaiops-agent.8.gz", "man8/gitaiops-observer.8.gz"]),
                            ("gitaiops-controller", ["man8/gitaiops-controller.8.gz"])):
            out = self.base / name
            subprocess.run(["dpkg-deb", "-x", self.deb(name), str(out)], check=True)
            for page in pages:
                file = out / "usr/share/man" / page
                shown = subprocess.run(["man", "--warnings", "-l", str(file)], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
                self.assertEqual((shown.returncode, shown.stderr), (0, ""), page)
                self.assertIn("SYNOPSIS", shown.stdout)
        self.assertIn("token create", subprocess.run(["man", "-l", str(self.base / "gitaiops-controller/usr/share/man/man8/gitaiops-controller.8.gz")],
                                                     capture_output=True, text=True).stdout)
        for service in ("agent", "controller"):
            out = self.base / f"gitaiops-{service}"
            shipped = (out / f"etc/gitaiops/{service}.toml").read_text(encoding="utf-8")
            self.assertEqual(shipped, subprocess.run([str(BIN / f"gitaiops-{service}"), "sample-config"], capture_output=True, text=True).stdout)
            fields = subprocess.run(["dpkg-deb", "--info", self.deb(f"gitaiops-{service}"), "conffiles"], capture_output=True, text=True).stdout
            self.assertEqual(fields, f"/etc/gitaiops/{service}.toml\n")
            for document in re.findall(r"file://(\S+)", (out / f"lib/systemd/system/gitaiops-{service}.service").read_text(encoding="utf-8")):
                self.assertTrue((out / document.lstrip("/")).is_file(), document)

    def start(self, root: debian_root.DebianRoot, system) -> None:
        """As the installed unit does."""
        unit = Unit("gitaiops-agent")
        unit.path = root.path / "lib/systemd/system/gitaiops-agent.service"
        with open(system.folder / "agent.log", "ab") as log:
            for line in (unit.get("ExecStartPre"), unit.get("ExecStart")):
                system.observer = subprocess.Popen(root.command(*unit.setpriv(), *shlex.split(line)), stdout=log, stderr=log)
                if line == unit.get("ExecStartPre"):
                    self.assertEqual(system.observer.wait(30), 0, system.log("agent"))
        wait_for("the agent is connected", lambda: system._alive(system.observer, "agent") and system.status().get("link_state") == "connected")

    def test_install_upgrade_remove_and_purge_while_jobs_run(self) -> None:
        lab, system = self.world(agent=False)
        root = self.host()
        runner_files, runner = tree(root.path / "etc/gitlab-runner"), lab.runner.pid
        config, state = root.path / "etc/gitaiops/agent.toml", root.path / "var/lib/gitaiops-agent"

        said = root.run("dpkg", "-i", self.deb("gitaiops-agent", "old"), self.deb("gitaiops", "old"))
        self.assertIn(f"Setting up gitaiops-agent ({OLDER})", said)
        self.assertRegex((root.path / "etc/passwd").read_text(), r"(?m)^gitaiops-agent:[^:]*:\d+:\d+:GitAIOps agent:/var/lib/gitaiops-agent:/usr/sbin/nologin$")
        self.assertEqual(list((root.path / "etc/systemd/system").rglob("gitaiops*")), [], "nothing is enabled before it is configured")
        self.assertFalse(state.exists())
        self.assertIn("no [[gitlab]] is configured; add one", root.run("gitaiops-agent", "check-config", status=2))
        self.assertIn("gitaiops", root.run("gitaiops", "version"))

        config.write_text(system.agent_toml.read_text(encoding="utf-8").replace(f'dir = "{system.agent_state}"', ""), encoding="utf-8")
        edited = config.read_text(encoding="utf-8")
        token = root.path / "tmp/enroll.token"
        token.write_text(system.control("token", "create"), encoding="ascii")
        token.chmod(0o600)
        enrolled = root.run("gitaiops-agent", "enroll", "--controller", f"127.0.0.1:{system.enrollment_port}", "--token-file", "/tmp/enroll.token")
        agent_id = re.search(r"enrolled as (\S+);", enrolled).group(1)
        self.start(root, system)
        first = self.run_job(lab, "grp/first")
        wait_for("the first report", lambda: system.job(first["id"]))

        # A job that runs through all of it.
        project = lab.project("grp/through", files={"a": "a"})
        through = lab.pipeline(project, [{"name": "long", "script": ["until [ -e go-on ]; do sleep 0.1; done", *FAIL["script"]]}], ref="main")
        job = lab.wait_job(lab.show(through)["jobs"][0], "running")
        system.stop_agent()
        said = root.run("dpkg", "--force-confold", "-i", self.deb("gitaiops-agent"), self.deb("gitaiops"))
        self.assertIn(f"over ({OLDER})", said)
        self.assertEqual(config.read_text(encoding="utf-8"), edited, "the operator's configuration stays")
        self.assertTrue(config.with_suffix(".toml.dpkg-dist").exists(), "the new sample lies beside it")
        self.start(root, system)
        self.assertEqual([line.split()[0] for line in system.control("agents", "list").splitlines()[1:]], [agent_id], "still the same agent")
        (go_on,) = (path for path in lab.builds_dir.rglob("*") if path.is_dir() and path.name == "through")
        (go_on / "go-on").touch()
        lab.wait(through)
        seen = wait_for("the report of the job that ran through the upgrade", lambda: system.job(job["id"]))
        self.assertEqual(seen["diagnosis"]["root_cause"]["text"], "x.c:7:1: error: boom")

        system.stop_agent()
        kept = tree(state)
        said = root.run("dpkg", "-r", "gitaiops-agent")
        self.assertFalse((root.path / "usr/bin/gitaiops-observer").exists())
        self.assertEqual((config.read_text(encoding="utf-8"), tree(state)), (edited, kept), "removal keeps configuration and data")
        self.assertEqual(lab.wait(lab.pipeline(project, [{"name": "quick", "script": ["true"]}], ref="main"))["jobs"][0]["status"], "success")

        root.run("dpkg", "-i", self.deb("gitaiops-agent"))
        self.start(root, system)
        missed = self.run_job(lab, "grp/again")
        wait_for("it works on with what it had", lambda: system.job(missed["id"]))
        system.stop_agent()
        said = root.run("dpkg", "-P", "gitaiops-agent")
        self.assertIn("deleting /var/lib/gitaiops-agent: this host's identity", said)
        self.assertFalse(state.exists())
        self.assertFalse((root.path / "etc/gitaiops").exists())
        self.assertEqual(tree(root.path / "etc/gitlab-runner"), runner_files)
        self.assertEqual((lab.runner.pid, lab.runner.poll()), (runner, None), "the runner never noticed")

    @unittest.skipUnless(shutil.which("setcap"), "needs setcap (libcap2-bin)")
    def test_the_agent_starts_as_in_its_image(self) -> None:
        """What the Dockerfile does after the package is installed, with the rights that its `docker run` gives."""
        lines = (REPOSITORY / "packaging/agent/Dockerfile").read_text(encoding="utf-8")
        lab, system = self.world(agent=False)
        root = self.host()
        root.run("dpkg", "-i", self.deb("gitaiops-agent"))
        capabilities, program = re.search(r"&& setcap (\S+) (\S+)", lines).groups()
        subprocess.run(["setcap", capabilities, str(root.path / program.lstrip("/"))], check=True)
        root.run("sh", "-c", re.search(r"&& (install -d .*?) \\\n", lines).group(1))
        (root.path / "etc/gitaiops/agent.toml").write_text(system.agent_toml.read_text(encoding="utf-8").replace(f'dir = "{system.agent_state}"', ""), encoding="utf-8")
        user = re.search(r"(?m)^USER (\S+)$", lines).group(1)
        given = ",".join("+" + name.lower() for name in re.findall(r"--cap-add=(\w+)", lines))
        rights = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all", f"--bounding-set=-all,{given}"]
        root.run(*rights, "gitaiops-agent", "enroll", "--controller", f"127.0.0.1:{system.enrollment_port}", "--token", system.control("token", "create"))
        with open(system.folder / "agent.log", "ab") as log:
            system.observer = subprocess.Popen(root.command(*rights, *json.loads(re.search(r"(?m)^ENTRYPOINT (.*)$", lines).group(1))), stdout=log, stderr=log)
        wait_for("the agent is connected", lambda: system._alive(system.observer, "agent") and system.status().get("link_state") == "connected")
        job = self.run_job(lab)
        seen = wait_for("the report", lambda: system.job(job["id"]))
        self.assertEqual(seen["log"]["availability"], "complete", seen)

    def test_the_controllers_purge_keeps_what_operators_made(self) -> None:
        (self.base / "lab").mkdir()
        root = self.host()
        root.run("dpkg", "-i", self.deb("gitaiops-controller", "old"))
        self.assertIn("is valid", root.run("gitaiops-controller", "check-config"))
        (root.path / "etc/gitaiops/gitlab.token").write_text("glpat-x", encoding="ascii")
        unit = Unit("gitaiops-controller")
        state = root.path / "var/lib/gitaiops-controller"
        state.mkdir(mode=0o700, exist_ok=True)     # as StateDirectory= does, or check-config did as the service
        root.run("chown", "gitaiops-controller:", "/var/lib/gitaiops-controller")
        words = [word for word in unit.setpriv() if word not in ("--inh-caps=-all", "--ambient-caps=-all")]
        token = root.run(*words, "gitaiops-controller", "token", "create").strip()
        kept = {name: content for name, content in tree(state).items() if name.startswith("pki")}
        self.assertIn("pki/ca.key", kept)
        root.run("dpkg", "-i", self.deb("gitaiops-controller"))
        root.run("dpkg", "-r", "gitaiops-controller")
        self.assertEqual({name: content for name, content in tree(state).items() if name.startswith("pki")}, kept)
        root.run("dpkg", "-i", self.deb("gitaiops-controller"))
        self.assertIn("1 left", root.run(*words, "gitaiops-controller", "token", "list"), token)
        said = root.run("dpkg", "-P", "gitaiops-controller")
        self.assertIn("deleting /var/lib/gitaiops-controller: all job reports, and the certificate authority", said)
        self.assertIn("/etc/gitaiops is kept; it holds files of yours: gitlab.token", said)
        self.assertFalse(state.exists())
        self.assertEqual((root.path / "etc/gitaiops/gitlab.token").read_text(), "glpat-x")


if __name__ == "__main__":
    unittest.main()
