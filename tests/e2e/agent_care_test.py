"""What operators do to an agent: broken reloads, two agents on one folder, files gone or not theirs; and what it answers."""
from __future__ import annotations

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time
import unittest

from bad_days_test import FAIL, WorldCase
from system import BIN, wait_for

SERVICE_USER = "nobody"      # stands for the user of the unit


class Reload(WorldCase):
    def test_a_broken_file_changes_nothing_and_is_explained(self) -> None:
        lab, system = self.world()
        good, pid = system.agent_toml.read_text(encoding="utf-8"), system.agent_pid()
        system.agent_toml.write_text(good + "[usage]\nintervall = 1\n", encoding="utf-8")
        system.observer.send_signal(signal.SIGHUP)
        wait_for("the log names the key", lambda: 'did you mean "usage.interval"' in system.log("agent").replace("\\", ""))
        system.agent_toml.write_text(good + '[log]\nlevel = "debug"\n[state]\nspool_max_bytes = 8388608\n', encoding="utf-8")
        system.observer.send_signal(signal.SIGHUP)
        wait_for("a table that stands twice", lambda: system.log("agent").count("configuration not reloaded") == 2)
        system.agent_toml.write_text('[log]\nlevel = "debug"\n' + good.replace("[state]", "[state]\nspool_max_bytes = 8388608"), encoding="utf-8")
        system.observer.send_signal(signal.SIGHUP)
        wait_for("the setting that needs a restart", lambda: "state.spool_max_bytes" in system.log("agent"))
        wait_for("the rest is applied", lambda: "configuration reloaded" in system.log("agent"))
        self.assertEqual(system.agent_pid(), pid, "it is still the same process")
        job = self.run_job(lab)
        wait_for("a job is reported", lambda: system.job(job["id"]))


class Files(WorldCase):
    def test_a_second_agent_on_one_state_folder_says_so(self) -> None:
        lab, system = self.world()
        done = subprocess.Popen([str(BIN / "gitaiops-observer"), "--", str(BIN / "gitaiops-agent"), "run", "--config", str(system.agent_toml)],
                                stderr=subprocess.PIPE, text=True)
        self.addCleanup(done.stderr.close)
        self.addCleanup(done.wait)
        self.addCleanup(done.terminate)
        self.assertIn("spool.db is in use by another process", done.stderr.readline())
        job = self.run_job(lab)
        wait_for("the first one works on", lambda: system.job(job["id"]))

    def test_the_spool_is_deleted_under_it(self) -> None:
        lab, system = self.world()
        jobs = [self.run_job(lab, "grp/before")]
        for file in system.agent_state.glob("spool.db*"):
            file.unlink()
        jobs.append(self.run_job(lab, "grp/between"))
        for job in jobs:
            wait_for("what it held open still serves", lambda: system.job(job["id"]))
        system.stop_agent()
        system.start_agent()
        jobs.append(self.run_job(lab, "grp/after"))
        wait_for("a new spool", lambda: system.job(jobs[-1]["id"]))
        self.assertEqual(sorted(row["job_id"] for row in system.jobs()), sorted(job["id"] for job in jobs))

    def test_the_controller_dies_while_reports_are_uploaded(self) -> None:
        lab, system = self.world()
        project = lab.project("grp/many", files={"a": "a"})
        pipeline = lab.pipeline(project, [{**FAIL, "name": f"build{i}"} for i in range(12)], ref="main")
        for _ in range(3):
            time.sleep(0.7)
            system.controller.kill()
            system.controller.wait()
            system.start_controller()
        jobs = lab.wait(pipeline)["jobs"]
        def finished() -> list[int]:
            return [row["job_id"] for row in system.jobs() if row["state"] == "finished"]
        wait_for("all of them", lambda: len(finished()) >= len(jobs), 90)
        self.assertEqual(sorted(finished()), sorted(job["id"] for job in jobs))


@unittest.skipUnless(os.geteuid() == 0, "needs root to act as the service's user")
class ServiceUser(WorldCase):
    def installed(self):
        """As installed: the programs where every user can run them, the state folder of the service's user."""
        lab, system = self.world(agent=False)
        for name in ("gitaiops-agent", "gitaiops-observer"):
            shutil.copy(BIN / name, self.base / name)
        owner = pwd.getpwnam(SERVICE_USER)
        system.agent_state.mkdir(mode=0o700)
        os.chown(system.agent_state, owner.pw_uid, owner.pw_gid)
        system.folder.chmod(0o755)
        return lab, system, owner

    def enroll(self, system) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.base / "gitaiops-agent"), "enroll", "--config", str(system.agent_toml), "--controller",
                               f"127.0.0.1:{system.enrollment_port}", "--token", system.control("token", "create")],
                              capture_output=True, text=True, timeout=30)

    def doctor(self, system) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(self.base / "gitaiops-agent"), "doctor", "--config", str(system.agent_toml)], capture_output=True, text=True, timeout=30)

    def test_root_enrols_for_the_service_and_doctor_sees_with_its_eyes(self) -> None:
        _, system, owner = self.installed()
        doctor = self.doctor(system)
        self.assertEqual(doctor.returncode, 69, doctor.stdout + doctor.stderr)
        self.assertIn("FAIL  not enrolled", doctor.stdout)
        enrolled = self.enroll(system)
        self.assertEqual(enrolled.returncode, 0, enrolled.stderr)
        self.assertIn(f"which belongs to {SERVICE_USER}", enrolled.stdout)
        for path in system.agent_state.rglob("*"):
            self.assertEqual(path.stat().st_uid, owner.pw_uid, path)
        doctor = self.doctor(system)
        self.assertEqual(doctor.returncode, 0, doctor.stdout + doctor.stderr)
        self.assertIn("enrolled: the identity is in", doctor.stdout, doctor.stderr)
        self.assertIn("CAP_SYS_PTRACE: effective", doctor.stdout)
        self.assertRegex(doctor.stdout, r"ok +running: gitlab-runner \(pid \d+\)")

    def test_an_identity_of_somebody_else_is_explained_and_ends_nothing(self) -> None:
        _, system, owner = self.installed()
        identity = system.agent_state / "identity"
        identity.mkdir(mode=0o700)
        (identity / "identity.json").write_text("{}", encoding="ascii")
        log = open(self.base / "log", "wb")
        self.addCleanup(log.close)
        # Without capabilities, which see through everything.
        observer = subprocess.Popen(["setpriv", f"--reuid={SERVICE_USER}", f"--regid={owner.pw_gid}", "--clear-groups", str(self.base / "gitaiops-observer"),
                                     "--", str(self.base / "gitaiops-agent"), "run", "--config", str(system.agent_toml)], stderr=log)
        self.addCleanup(observer.wait)
        self.addCleanup(observer.terminate)
        status = wait_for("the status", lambda: (s := system.status()) and "belongs to another user" in s["link_detail"] and s)
        self.assertEqual(status["link_state"], "waiting")
        self.assertNotIn("bug", pathlib.Path(self.base / "log").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
