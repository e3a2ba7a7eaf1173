"""The controller in an operator's hands: who may speak for what, tokens, backup and restore, reload, two on one folder, damage."""
from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import unittest

from system import BIN, Case, System, wait_for

FAIL = {"name": "build", "script": ["echo 'x.c:7:1: error: boom'", "exit 1"]}


class OperatorCase(Case):
    def refused(self, system: System, *arguments: str) -> str:
        done = system.run("gitaiops-controller", *arguments, "--config", str(system.controller_toml), check=False)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stderr + done.stdout


class Isolation(OperatorCase):
    def test_an_agent_cannot_speak_for_projects_its_token_does_not_name(self) -> None:
        lab = self.lab()
        system = self.system(lab, agent=False)
        token = system.control("token", "create", "--project", "main:grp/a*")
        system.run("gitaiops-agent", "enroll", "--config", str(system.agent_toml), "--controller",
                   f"127.0.0.1:{system.enrollment_port}", "--token", token)
        system.start_agent()
        requests = {}
        for path in ("grp/b", "other/a", "grp/a1"):
            project = lab.project(path, files={"a": "a"})
            lab.commit(project, "feature", {"b": "b"})
            requests[path] = lab.merge_request(project, "feature")
            lab.wait(lab.pipeline(project, [FAIL], merge_request=requests[path]))
        system.note(requests["grp/a1"], "build")
        self.assertEqual({job["project_path"] for job in system.jobs()}, {"grp/a1"})
        refused = lambda: system.get("/metrics")[1].split('envelopes_refused_total{reason="scope"} ')[1].split("\n")[0]  # noqa: E731
        wait_for("both strangers are counted", lambda: float(refused()) >= 2)
        self.assertEqual(lab.notes(requests["grp/b"]) + lab.notes(requests["other/a"]), [])
        self.assertIn("may not speak for grp/b", system.log("controller"))
        wait_for("nothing is sent again and again", lambda: system.status()["spool_messages"] == 0)


class Tokens(OperatorCase):
    def test_what_makes_no_sense_is_refused_with_the_cure(self) -> None:
        system = self.system(self.lab(), agent=False)
        self.assertIn("30m, 1h or 90d", self.refused(system, "token", "create", "--ttl", "5"))
        self.assertIn("at least 1", self.refused(system, "token", "create", "--uses", "0"))
        self.assertIn("--api", self.refused(system, "token", "create", "--admin"))
        self.assertIn("--api", self.refused(system, "token", "create", "--api", "--uses", "3"))
        self.assertIn("names no project", self.refused(system, "token", "create", "--project", "main:"))
        self.assertIn('no [[gitlab]] has the id "mian"; there is main', self.refused(system, "token", "create", "--project", "mian:grp/*"))
        for option in ("--name", "--label"):
            kind = ("--api",) if option == "--name" else ()
            refused = self.refused(system, "token", "create", *kind, option, "a\x1b[2J\nb")
            self.assertIn(f'{option}: "a\\x1b[2J\\x0ab" has control characters', refused)
            self.assertNotIn("\x1b", refused)
        self.assertIn("no token nope", self.refused(system, "token", "revoke", "nope"))
        self.assertIn('unknown command "tokne"', system.run("gitaiops-controller", "tokne", check=False).stderr)

    def test_list_and_revoke(self) -> None:
        system = self.system(agent=False)
        token = system.control("token", "create", "--api", "--admin", "--name", "robot", "--project", "main:grp/*")
        self.assertEqual(system.get("/api/v1/agents", token=token)[0], 200)
        row = next(line for line in system.control("token", "list").splitlines() if "robot" in line)
        self.assertRegex(row, r"^\S{36}  api, admin  robot +main:grp/\* +valid until ")
        self.assertNotIn(token, row)
        self.assertNotIn("certificates", system.control("token", "revoke", row.split()[0]))
        self.assertEqual(system.get("/api/v1/agents", token=token)[0], 401)
        self.assertIn("revoked", next(line for line in system.control("token", "list").splitlines() if "robot" in line))


class Service(OperatorCase):
    def serve(self, system: System) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(BIN / "gitaiops-controller"), "serve", "--config", str(system.controller_toml)],
                              capture_output=True, text=True, timeout=20)

    def test_a_second_one_on_the_same_folder_is_refused(self) -> None:
        system = self.system(agent=False)
        done = self.serve(system)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"another gitaiops-controller serves from {system.folder / 'controller'}", done.stderr)
        self.assertEqual(system.get("/health", token="")[0], 200)
        system.stop_controller(signal.SIGKILL)
        system.start_controller()       # a killed one leaves no lock behind

    def test_backup_while_running_and_restore(self) -> None:
        lab = self.lab()
        system = self.system(lab)
        job = lab.wait(lab.pipeline(lab.project("grp/demo", files={"a": "a"}), [FAIL], ref="main"))["jobs"][0]
        wait_for("the report", lambda: system.job(job["id"]))
        saved = self.base / "saved.db"
        self.assertIn("pki", system.control("backup", str(saved)))
        self.assertEqual(saved.stat().st_mode & 0o777, 0o600)
        again = system.run("gitaiops-controller", "backup", str(saved), "--config", str(system.controller_toml), check=False)
        self.assertIn("does not overwrite", again.stderr)
        system.stop_controller()
        state = system.folder / "controller"
        for file in state.glob("controller.db*"):
            file.unlink()
        shutil.copy(saved, state / "controller.db")
        system.start_controller()
        self.assertEqual(system.job(job["id"])["diagnosis"]["root_cause"]["text"], "x.c:7:1: error: boom")
        wait_for("the agent is back", lambda: system.status().get("link_state") == "connected", 60)
        later = lab.wait(lab.pipeline(lab.project("grp/later", files={"a": "a"}), [FAIL], ref="main"))["jobs"][0]
        wait_for("a later report", lambda: system.job(later["id"]))

    def test_reload_takes_what_is_good_and_keeps_on_with_what_is_bad(self) -> None:
        system = self.system(agent=False)
        text = system.controller_toml.read_text(encoding="utf-8")
        system.controller_toml.write_text(text + "[retention]\nage = 5\n", encoding="utf-8")
        system.controller.send_signal(signal.SIGHUP)
        wait_for("the refusal names the key", lambda: "configuration not reloaded" in system.log("controller") and "retention.age" in system.log("controller"))
        system.controller_toml.write_text(text.replace(str(system.api_port), str(system.api_port + 1)), encoding="utf-8")
        system.controller.send_signal(signal.SIGHUP)
        wait_for("what needs a restart is named", lambda: "needs a restart key=api.port" in system.log("controller"))
        self.assertEqual(system.get("/health", token="")[0], 200)

    def test_a_damaged_database_is_named_and_left_alone(self) -> None:
        system = self.system(agent=False)
        system.stop_controller()
        file = system.folder / "controller" / "controller.db"
        good = file.read_bytes()
        for damage, words in ((b"not a database at all, but long enough to be looked at " * 20, "not a database"),
                              (good[:12288] + os.urandom(4096 * 8) + good[12288 + 4096 * 8:], "damaged")):
            with self.subTest(words=words):
                for other in file.parent.glob("controller.db-*"):
                    other.unlink()
                file.write_bytes(damage)
                done = self.serve(system)
                self.assertEqual(done.returncode, 1)
                self.assertIn(str(file), done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(file.read_bytes(), damage)


if __name__ == "__main__":
    unittest.main()
