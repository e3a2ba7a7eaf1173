"""What goes wrong on real hosts: wrong configuration, wrong tokens, revocation, restarts, a full disk, a controller away."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import unittest

from doubles.lab import Lab
from system import BIN, Case, System, wait_for

FAIL = {"name": "build", "script": ["echo 'x.c:7:1: error: boom'", "exit 1"]}


class WorldCase(Case):
    def world(self, *, agent: bool = True, lab_options: dict | None = None, **options) -> tuple[Lab, System]:
        lab = self.lab(**(lab_options or {}))
        return lab, self.system(lab, agent=agent, **options)

    def run_job(self, lab: Lab, path: str = "grp/demo", job: dict | None = None) -> dict:
        project = lab.project(path, files={"a": "a"})
        return lab.wait(lab.pipeline(project, [job or FAIL], ref="main"))["jobs"][0]


class Configuration(WorldCase):
    def check(self, program: str, text: str) -> str:
        file = self.base / "config.toml"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run([str(BIN / program), "check-config", "--config", str(file)], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stderr.replace(str(file), "FILE")

    def test_an_unknown_key_names_place_and_nearest(self) -> None:
        message = self.check("gitaiops-agent", '[controller]\naddress = "c:1"\n[state]\nspool_max_byte = 1\n')
        self.assertIn('FILE:4:1: unknown key "state.spool_max_byte"; did you mean "state.spool_max_bytes"?', message)

    def test_a_wrong_type_and_bad_toml(self) -> None:
        self.assertIn("FILE:2:8: api.port: expected a whole number, found text", self.check("gitaiops-controller", '[api]\nport = "x"\n'))
        self.assertIn("FILE:1:", self.check("gitaiops-controller", "[api\n"))

    def test_an_open_api_without_tls_is_refused(self) -> None:
        self.assertIn("behind_proxy", self.check("gitaiops-controller", '[api]\naddress = "0.0.0.0"\n'))

    def test_the_agent_says_how_it_must_be_started(self) -> None:
        file = self.base / "agent.toml"
        file.write_text(f'[controller]\naddress = "c:1"\n[state]\ndir = "{self.base}"\n[[gitlab]]\nid = "m"\nurl = "http://g"\n', encoding="utf-8")
        done = subprocess.run([str(BIN / "gitaiops-agent"), "run", "--config", str(file)], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("gitaiops-observer -- gitaiops-agent run", done.stderr)


class Enrolment(WorldCase):
    def test_tokens_that_do_not_work_say_why(self) -> None:
        _, system = self.world(agent=False)
        def enroll(token: str) -> str:
            done = system.run("gitaiops-agent", "enroll", "--config", str(system.agent_toml), "--controller",
                              f"127.0.0.1:{system.enrollment_port}", "--token", token, check=False)
            return done.stderr if done.returncode else "enrolled"
        token = system.control("token", "create")
        secret, pin = token.rsplit(".", 1)
        self.assertIn("not the controller this token is for", enroll(f"{secret}.{'0' * len(pin)}"))
        self.assertEqual(enroll(token), "enrolled")
        self.assertIn("used", enroll(token))
        expired = system.control("token", "create", "--ttl", "1s")
        time.sleep(1.2)
        self.assertIn("expired", enroll(expired))

    def test_revocation_ends_the_open_stream_within_five_seconds(self) -> None:
        _, system = self.world()
        agent = system.get("/api/v1/agents")[1]["agents"][0]["id"]
        system.control("agents", "revoke", agent)
        wait_for("the link is no longer connected", lambda: system.status()["link_state"] != "connected", 5)
        wait_for("the status says why", lambda: "revoked" in system.status()["link_detail"], 20)


class Restarts(WorldCase):
    def test_the_agent_restarts_in_mid_job_and_still_reads_the_whole_log(self) -> None:
        lab, system = self.world()
        project = lab.project("grp/demo", files={"a": "a"})
        pipeline = lab.pipeline(project, [{"name": "slow", "script": ["echo first-line", "sleep 4", "echo 'x.c:7:1: error: boom'", "exit 1"]}], ref="main")
        job = lab.wait_job(lab.show(pipeline)["jobs"][0], "running")
        time.sleep(1)
        os.kill(system.agent_pid(), signal.SIGKILL)
        lab.wait(pipeline)
        report = wait_for("the report", lambda: system.job(job["id"]))
        self.assertEqual(report["log"]["availability"], "complete")
        self.assertEqual(report["log"]["bytes"], len(lab.trace(job)))

    def test_the_runner_dies_in_mid_job_and_the_job_is_still_reported(self) -> None:
        lab, system = self.world()
        project = lab.project("grp/demo", files={"a": "a"})
        pipeline = lab.pipeline(project, [{"name": "slow", "script": ["sleep 60"]}], ref="main")
        job = lab.wait_job(lab.show(pipeline)["jobs"][0], "running")
        time.sleep(1.5)
        lab.kill_runner()
        report = wait_for(f"the report; {system.log('agent')[-2000:]}", lambda: system.job(job["id"]), 60)
        self.assertEqual(report["outcome"], "unknown")
        lab.start_runner()
        later = self.run_job(lab, "grp/later")
        self.assertEqual(wait_for("a later job", lambda: system.job(later["id"]))["outcome"], "failed")

    def test_the_controller_is_away_and_nothing_is_lost(self) -> None:
        lab, system = self.world()
        system.stop_controller()
        jobs = [self.run_job(lab, f"grp/demo{i}") for i in range(3)]
        time.sleep(1)
        self.assertGreater(system.status()["spool_messages"], 2)
        system.start_controller()
        for job in jobs:
            wait_for(f"the report of job {job['id']}", lambda: system.job(job["id"]), 90)

    def test_a_database_that_is_gone_is_not_begun_anew_in_silence(self) -> None:
        _, system = self.world(agent=False)
        system.stop_controller()
        self.assertNotIn("the database is new", system.log("controller"))
        for file in (system.folder / "controller").glob("controller.db*"):
            file.unlink()
        system.start_controller()
        self.assertIn("the database is new, but its certificate authority is not", system.log("controller"))
        self.assertIn("gitaiops-controller restore FILE", system.log("controller"))

    def test_shutdown_is_quick_and_in_order(self) -> None:
        _, system = self.world()
        started = time.monotonic()
        system.stop_agent()
        system.stop_controller()
        self.assertLess(time.monotonic() - started, 10)
        self.assertIn("stopped", system.log("agent"))
        self.assertIn("stopped", system.log("controller"))


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("mount"), "needs root to mount a small file system")
class FullDisk(WorldCase):
    def small(self, disk: pathlib.Path, mib: int) -> None:
        disk.mkdir(parents=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(disk)], capture_output=True).returncode:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=True)

    def fill(self, disk: pathlib.Path) -> pathlib.Path:
        file = disk / "ballast"
        with open(file, "wb", buffering=0) as ballast:
            for size in (65536, 4096, 1):
                try:
                    while ballast.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass
        return file

    def test_the_controller_stands_it_and_nothing_is_lost(self) -> None:
        folder = self.base / "system"
        disk = folder / "controller"
        self.small(disk, 8)
        disk.chmod(0o700)
        lab = Lab(self.base / "lab").__enter__()
        self.addCleanup(lab.close)
        system = System(folder, lab).__enter__()
        self.addCleanup(system.close)
        ballast = self.fill(disk)
        jobs = [self.run_job(lab, f"grp/demo{i}") for i in range(3)]
        wait_for("the log says why", lambda: "no space left on the disk" in system.log("controller"), 30)
        self.assertEqual(system.get("/api/v1/jobs")[0], 200, "what is there can still be read")
        self.assertIsNone(system.controller.poll())
        ballast.unlink()
        for job in jobs:
            wait_for(f"the report of job {job['id']}", lambda: system.job(job["id"]), 90)
        self.assertEqual(len(system.get("/api/v1/jobs")[1]["jobs"]), len(jobs))

    def test_the_agent_says_so_keeps_working_and_counts(self) -> None:
        disk = self.base / "disk"
        self.small(disk, 6)
        lab = Lab(self.base / "lab").__enter__()
        self.addCleanup(lab.close)
        system = System(self.base / "system", lab)
        system.agent_state = disk / "agent"
        system.__enter__()
        self.addCleanup(system.close)
        ballast = self.fill(disk)
        job = self.run_job(lab)
        wait_for("the status says that the disk is full", lambda: system.status()["disk_full"], 45)
        self.assertIn("spool", system.log("agent"))
        ballast.unlink()
        wait_for("the report arrives once there is room", lambda: system.job(job["id"]), 60)
        later = self.run_job(lab, "grp/later")
        wait_for("later jobs are reported", lambda: system.job(later["id"]), 30)


class Help(WorldCase):
    def test_doctor_says_what_is_missing_and_the_lines_to_add(self) -> None:
        _, system = self.world()
        done = system.run("gitaiops-agent", "doctor", "--config", str(system.agent_toml), "--observer", str(BIN / "gitaiops-observer"), check=False)
        self.assertIn("debug_address = ", done.stdout, done.stderr)
        self.assertIn("enrolled", done.stdout)

    def test_status_of_a_running_agent(self) -> None:
        _, system = self.world()
        text = system.run("gitaiops-agent", "status", "--config", str(system.agent_toml)).stdout
        self.assertIn("connected", text)


if __name__ == "__main__":
    unittest.main()
