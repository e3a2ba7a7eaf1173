"""What was seen before: repeated failures, flaky jobs, what passing runs print, lines of kept logs, jobs without an agent."""
from __future__ import annotations

import time

from system import Case, System, wait_for

BROKEN = "echo 'main.cpp:3:10: error: use of undeclared identifier total'; exit 1"


class SeenBefore(Case):
    def failing(self, lab, project, request, flag, text=BROKEN):
        """A pipeline whose job fails until the flag is there."""
        job = {"name": "build", "script": [f"if [ -e {flag} ]; then true; else {text}; fi"]}
        return lab.wait(lab.pipeline(project, [job], merge_request=request))["jobs"][0]

    def test_a_failure_that_comes_again_is_told_with_what_made_it_pass(self) -> None:
        lab = self.lab()
        system = self.system(lab)
        flag = self.base / "flag"
        project = lab.project("grp/demo", files={"a": "a"})
        lab.commit(project, "feature", {"b": "1"})
        request = lab.merge_request(project, "feature")
        first = self.failing(lab, project, request, flag)
        report = wait_for("the first report", lambda: self.resolved(system, first["id"]))
        self.assertEqual(report["seen"]["times"], 0)
        self.assertEqual(report["source"], "agent")
        system.note(request, "build")

        # A retry on the same commit passes: the failure was a flake, and both runs are the evidence.
        flag.touch()
        retried = lab.retry(first)
        lab.wait_job(retried, "success")
        flaky = wait_for("the verdict", lambda: (system.job(first["id"])["seen"] or {}).get("flaky") and system.job(first["id"]))
        self.assertEqual(flaky["seen"]["passed_on_same_sha"], retried["id"])
        self.assertTrue(flaky["seen"]["passed"]["same_sha"])
        listed = system.get("/api/v1/failures?flaky=true")[1]["failures"]
        self.assertEqual([f["times"] for f in listed], [1])
        self.assertEqual(system.get("/api/v1/failures?flaky=false")[1]["failures"], [])

        # And comes again with the next commit.
        flag.unlink()
        lab.commit(project, "feature", {"b": "2"})
        second = self.failing(lab, project, request, flag)
        note = system.note(request, "Seen 1 time before in this project since ")
        self.assertIn("last passed after a retry.", note["body"])
        again = wait_for("the second report", lambda: self.resolved(system, second["id"]))
        self.assertEqual(again["seen"]["failure_id"], flaky["seen"]["failure_id"])
        detail = system.get("/api/v1/failures/" + again["seen"]["failure_id"])[1]
        self.assertEqual([o["job_id"] for o in detail["occurrences"]], [second["id"], first["id"]])
        self.assertEqual(detail["occurrences"][1]["passed_on_same_sha"], retried["id"])

        # Who may not see the project sees none of it.
        stranger = system.control("token", "create", "--api", "--name", "x", "--ttl", "1h", "--project", "main:other/*")
        self.assertEqual(system.get("/api/v1/failures", token=stranger)[1]["failures"], [])
        self.assertEqual(system.get("/api/v1/failures/" + detail["id"], token=stranger)[0], 404)

    def resolved(self, system: System, job_id: int):
        """The report, once GitLab was asked about the job."""
        job = system.job(job_id)
        return job if job and job["gitlab"] else None

    def test_lines_of_a_kept_log_are_told_redacted_also_after_a_restart(self) -> None:
        lab = self.lab()
        system = self.system(lab)
        project = lab.project("grp/demo", files={"colours.sh": "printf 'pass\\033[31mword=hunter2hunter2\\n'\n"})
        script = ["for i in $(seq 1 200); do echo \"row $i\"; done", "sh colours.sh", "echo 'key glpat-abcdefghij0123456789 here'", BROKEN]
        done = lab.wait(lab.pipeline(project, [{"name": "build", "script": script}], ref="main"))["jobs"][0]
        report = wait_for("the report", lambda: system.job(done["id"]))
        line = report["diagnosis"]["root_cause"]["line"]
        path = f"/api/v1/jobs/{report['id']}/log?line={line}&before=12&after=1"
        wait_for("the log is kept", lambda: list((system.agent_state / "logs").glob("*.log")))
        status, lines = system.get(path)
        self.assertEqual(status, 200, lines)
        self.assertIn("use of undeclared identifier", lines["text"])
        self.assertIn("key [REDACTED] here", lines["text"])
        self.assertIn("row 200", lines["text"])
        self.assertNotIn("hunter2", lines["text"])
        self.assertNotIn("\x1b", lines["text"])
        self.assertEqual(lines["text"].split("\n")[line - lines["first_line"]], report["diagnosis"]["root_cause"]["text"])
        kept = next((system.agent_state / "logs").glob("*.log"))
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        self.assertNotIn("glpat-", kept.read_text(encoding="utf-8"))
        self.assertNotIn("hunter2", kept.read_text(encoding="utf-8"))

        system.stop_agent()
        self.assertEqual(system.get(path)[0], 503)
        system.start_agent()
        self.assertEqual(system.get(path)[0], 200)
        kept.unlink()
        self.assertEqual(system.get(path)[0], 404)
        self.assertEqual(system.get(f"/api/v1/jobs/{report['id']}/log")[0], 400)
        stranger = system.control("token", "create", "--api", "--name", "x", "--ttl", "1h", "--project", "main:other/*")
        self.assertEqual(system.get(path, token=stranger)[0], 404)

    def test_a_job_without_an_agent_is_diagnosed_from_gitlabs_log(self) -> None:
        lab = self.lab()
        system = self.system(lab, agent=False, gitlab_toml='poll_projects = ["grp/demo"]\npoll_interval = "5s"')
        project = lab.project("grp/demo", files={"a": "a"})
        lab.commit(project, "feature", {"b": "1"})
        request = lab.merge_request(project, "feature")
        script = ["echo 'key glpat-abcdefghij0123456789 here'", BROKEN]
        done = lab.wait(lab.pipeline(project, [{"name": "build", "script": script}], merge_request=request))["jobs"][0]
        report = wait_for("the report", lambda: system.job(done["id"]), 40)
        self.assertEqual(report["source"], "api")
        self.assertIsNone(report["agent_id"])
        self.assertEqual(report["diagnosis"]["category"], "compile_error")
        self.assertNotIn("glpat-", str(report))
        note = system.note(request, "main.cpp:3")
        self.assertIn("No agent watched this job", note["body"])
        lines = system.get(f"/api/v1/jobs/{report['id']}/log?line={report['diagnosis']['root_cause']['line']}")
        self.assertEqual(lines[0], 200, lines)
        self.assertIn("key [REDACTED] here", lines[1]["text"])
        traces = len(lab.requests("/trace", "GET"))
        time.sleep(6)  # the next look
        self.assertEqual(len(lab.requests("/trace", "GET")), traces, "a log is read once")
        self.assertEqual(len([job for job in system.jobs() if job["job_id"] == done["id"]]), 1)

    def test_what_passing_runs_print_is_kept_shared_and_used(self) -> None:
        lab = self.lab()
        system = self.system(lab)
        flag = self.base / "fail"
        project = lab.project("grp/demo", files={"a": "a"})
        noise = "echo 'error: could not read the optional cache, going on'"
        job = {"name": "build", "script": [noise, "sleep 3", f"if [ -e {flag} ]; then {BROKEN}; fi"]}
        done = lab.wait(lab.pipeline(project, [job], ref="main"))["jobs"][0]
        self.assertEqual(done["status"], "success")
        folder = system.agent_state / "baselines"
        wait_for(lambda: "a baseline\n" + system.story(), lambda: list(folder.glob("*.baseline")))
        kept = next(folder.glob("*.baseline"))
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)

        # Another host, which has none, gets it from the controller.
        wait_for("the passing run is known", lambda: (self.resolved(system, done["id"]) or {}).get("name") == "build")
        wait_for("nothing is left in the spool", lambda: system.status()["spool_messages"] == 0)
        system.stop_agent()
        kept.unlink()
        system.start_agent()
        flag.touch()
        failed = lab.wait(lab.pipeline(project, [job], ref="main"))["jobs"][0]
        wait_for("it came", lambda: list(folder.glob("*.baseline")))
        report = wait_for("the report", lambda: system.job(failed["id"]))
        self.assertIn("undeclared identifier", report["diagnosis"]["root_cause"]["text"])
        scores = {c["text"]: c["score"] for c in report["diagnosis"]["candidates"]}
        self.assertFalse([text for text, score in scores.items() if "optional cache" in text and score > 0.5], scores)

        # A damaged file is set aside and begun anew.
        system.stop_agent()
        kept.write_bytes(b"gitaiops-baseline 1\nnonsense")
        system.start_agent()
        flag.unlink()
        lab.wait(lab.pipeline(project, [job], ref="main"))
        wait_for("it is set aside", lambda: list(folder.glob("*.damaged")))
        wait_for("and begun anew", lambda: kept.exists() and kept.stat().st_size > 80)
