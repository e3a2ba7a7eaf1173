"""As installed, but without systemd: observer and agent under the user, capabilities and system calls that are parsed from the
unit, against a runner of another user.

The user is made by systemd-sysusers in a copy of /etc/passwd that only the service's mount namespace sees, so nothing of this
host changes. Capabilities come from setpriv, the system-call filter from python3-seccomp.
"""
from __future__ import annotations

import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import unittest

from bad_days_test import FAIL, WorldCase
from system import BIN, wait_for
from unit import UNDER_FILTER, UNITS, Unit

HIGHEST_EXPOSURE = 30       # tenths: 3.0


def missing() -> str:
    if os.geteuid() != 0:
        return "needs root: another user is taken and a mount namespace made"
    for program in ("setpriv", "unshare", "systemd-sysusers", "systemd-analyze"):
        if not shutil.which(program):
            return f"needs {program} (util-linux, systemd)"
    if subprocess.run(["/usr/bin/python3", "-c", "import seccomp"], capture_output=True).returncode:
        return "needs python3-seccomp"
    return ""


class Units(unittest.TestCase):
    def test_nothing_that_blinds_the_observer_and_nothing_that_debugs(self) -> None:
        agent = Unit("gitaiops-agent")
        for key in ("DynamicUser", "PrivateUsers", "ProcSubset", "ProtectProc"):
            self.assertNotIn(key, agent.all)
        for unit in (agent, Unit("gitaiops-controller")):
            with self.subTest(unit=unit.path.name):
                self.assertEqual(unit.get("LimitCORE"), "0")
                self.assertEqual(unit.get("NoNewPrivileges"), "yes")
                self.assertIn("check-config", unit.get("ExecStartPre"))
                self.assertIn("check-config", unit.all["ExecReload"][0], "a broken file is refused before the reload")
                for limit in ("MemoryMax", "CPUQuota", "TasksMax"):
                    self.assertTrue(unit.get(limit), limit)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_the_filter_allows_no_debugging(self) -> None:
        for name in ("gitaiops-agent", "gitaiops-controller"):
            calls = Unit(name).system_calls()
            self.assertIn("openat2", calls)
            self.assertFalse(calls & {"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "perf_event_open", "mount", "bpf", "kexec_load"})

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_exposure(self) -> None:
        for name in ("gitaiops-agent", "gitaiops-controller"):
            with self.subTest(unit=name):
                done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={HIGHEST_EXPOSURE}",
                                       str(UNITS / f"{name}.service")], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


@unittest.skipIf(missing(), missing())
class AsInstalled(WorldCase):
    def setUp(self) -> None:
        super().setUp()
        self.unit = Unit("gitaiops-agent")
        self.user = self.unit.get("User")
        for program in ("gitaiops-agent", "gitaiops-observer"):
            shutil.copy(BIN / program, self.base / program)     # where every user may run it
        self.etc, self.var_lib = self.base / "root/etc", self.base / "var-lib"
        self.etc.mkdir(parents=True)
        self.var_lib.mkdir()
        for name in ("passwd", "group"):
            shutil.copy(f"/etc/{name}", self.etc / name)
        subprocess.run(["systemd-sysusers", f"--root={self.base / 'root'}", str(UNITS / "gitaiops-agent.sysusers")], check=True, capture_output=True)
        self.uid, self.gid = map(int, re.search(rf"^{self.user}:[^:]*:(\d+):(\d+):", (self.etc / "passwd").read_text(), re.M).groups())
        self.filter, self.launcher = self.base / "filter", self.base / "under_filter.py"
        self.filter.write_text("\n".join(sorted(self.unit.system_calls())), encoding="ascii")
        self.launcher.write_text(UNDER_FILTER, encoding="ascii")

    def inside(self, *command: str) -> list[str]:
        """Where the unit's user exists and /var/lib is ours."""
        mounts = [f"mount --bind {shlex.quote(str(ours))} {theirs}" for ours, theirs in
                  ((self.etc / "passwd", "/etc/passwd"), (self.etc / "group", "/etc/group"), (self.var_lib, "/var/lib"))]
        return ["unshare", "--mount", "sh", "-ec", "; ".join([*mounts, f"umask {self.unit.get('UMask')}", "ulimit -c 0", 'exec "$@"']), "sh", *command]

    def as_unit(self, command: str) -> list[str]:
        """The command of the unit with its user, groups, capabilities and system calls."""
        words = [str(self.base / word.removeprefix("/usr/bin/")) if word.startswith("/usr/bin/") else word for word in shlex.split(command)]
        words = [str(self.config) if word == "/etc/gitaiops/agent.toml" else word for word in words]
        return self.inside(
            *self.unit.setpriv(), "/usr/bin/python3", str(self.launcher), str(self.filter), *words)

    def installed(self, lab_options: dict):
        lab, system = self.world(agent=False, lab_options=lab_options)
        system.folder.chmod(0o755)
        system.agent_state = self.var_lib / "gitaiops-agent"
        self.config = system.agent_toml
        text = self.config.read_text(encoding="utf-8")
        self.config.write_text(re.sub(r'^dir = ".*"$', 'dir = "/var/lib/gitaiops-agent"', text, flags=re.M), encoding="utf-8")
        self.config.chmod(0o644)
        return lab, system

    def run_inside(self, *command: str, status: int = 0) -> str:
        done = subprocess.run(self.inside(*command), capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def enroll(self, system) -> str:
        token = self.base / "enroll.token"
        token.write_text(system.control("token", "create"), encoding="ascii")
        token.chmod(0o600)
        return self.run_inside(str(self.base / "gitaiops-agent"), "enroll", "--config", str(self.config), "--controller",
                               f"127.0.0.1:{system.enrollment_port}", "--token-file", str(token))

    def start(self, system) -> None:
        with open(system.folder / "agent.log", "ab") as log:
            pre = subprocess.run(self.as_unit(self.unit.get("ExecStartPre")), stdout=log, stderr=log, timeout=30)
            self.assertEqual(pre.returncode, 0, system.log("agent"))
            # exec all the way: this very process becomes the observer
            system.observer = subprocess.Popen(self.as_unit(self.unit.get("ExecStart")), stdout=log, stderr=log)
        wait_for("the agent is connected", lambda: system._alive(system.observer, "agent") and system.status().get("link_state") == "connected")

    def facts(self, pid: int) -> dict[str, str]:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}

    def test_a_job_of_another_user_is_diagnosed_with_exactly_the_rights_of_the_unit(self) -> None:
        lab, system = self.installed({"user": "nobody", "update_interval_s": 0.2})
        said = self.enroll(system)
        self.assertIn(f"which belongs to {self.user}", said)
        state = system.agent_state
        for path, mode in ((state, 0o40700), (state / "identity", 0o40700), (state / "identity/key.pem", 0o100600), (state / "identity/cert.pem", 0o100600)):
            about = path.stat()
            self.assertEqual((about.st_uid, about.st_gid, about.st_mode), (self.uid, self.gid, mode), path)
        self.start(system)

        two = 1 << 19 | 1 << 2      # CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH
        observer, agent = self.facts(system.observer.pid), self.facts(system.agent_pid())
        for who, facts, capabilities in (("observer", observer, two), ("agent", agent, 0)):
            with self.subTest(who=who):
                self.assertEqual(set(facts["Uid"].split()), {str(self.uid)})
                for kind, value in (("CapEff", capabilities), ("CapPrm", capabilities), ("CapAmb", 0), ("CapBnd", two)):
                    self.assertEqual(int(facts[kind], 16), value, kind)
                self.assertEqual((facts["NoNewPrivs"], facts["Seccomp"]), ("1", "2"))
        self.assertEqual((observer["Name"], agent["Name"]), ("gitaiops-observ", "gitaiops-agent"))

        project = lab.project("grp/demo", files={"a": "a"})
        lab.commit(project, "feature", {"b": "b"})
        request = lab.merge_request(project, "feature")
        # The job works for a second, so that its processes are seen.
        burn = "python3 -c 'import time\nwhile time.process_time() < 1: pass'"
        job = lab.wait(lab.pipeline(project, [{"name": "build", "script": [burn, *FAIL["script"]]}], merge_request=request))["jobs"][0]
        seen = wait_for("the report", lambda: system.job(job["id"]))
        self.assertEqual(seen["exit_code"], 1)
        self.assertEqual(seen["log"]["availability"], "complete", seen)
        self.assertEqual(seen["diagnosis"]["root_cause"]["text"], "x.c:7:1: error: boom")
        self.assertGreater(seen["usage"]["cpu_s"], 0.5, seen["usage"])
        system.note(request, "x.c:7:1: error: boom")

        doctor = self.run_inside(str(self.base / "gitaiops-agent"), "doctor", "--config", str(self.config))
        self.assertIn("CAP_SYS_PTRACE: effective", doctor)
        self.assertRegex(doctor, r"ok +running: gitlab-runner \(pid \d+\)")
        self.assertNotIn("EPERM", system.log("agent"))
        # A reload as the unit does it, and an end in time.
        self.assertEqual(subprocess.run(self.as_unit(self.unit.all["ExecReload"][0]), capture_output=True).returncode, 0)
        system.observer.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: "configuration reloaded" in system.log("agent"))
        system.stop_agent()

    def test_enrolled_before_the_first_start_and_again_after_it(self) -> None:
        _, system = self.installed({})
        self.assertFalse(system.agent_state.exists())
        first = re.search(r"enrolled as (\S+);", self.enroll(system)).group(1)
        self.start(system)
        system.stop_agent()
        second = re.search(r"enrolled as (\S+);", self.enroll(system)).group(1)
        self.assertNotEqual(first, second)
        self.start(system)
        self.assertIn(second, system.control("agents", "list"))


if __name__ == "__main__":
    sys.exit(unittest.main())
