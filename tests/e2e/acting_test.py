"""What the controller does by itself where it is allowed to: retries of what passes, once, and runners of hosts that fail."""
from __future__ import annotations

import signal
import time

from system import Case, System, wait_for

DNS = "echo 'curl: (6) Could not resolve host: mirror.example.invalid'; exit 6"
FULL = "echo 'write /builds/a: no space left on device'; exit 1"
RETRY = '[[retry]]\nproject = "grp/*"\nowners = ["infrastructure", "runner"]\nbackoff = "1s"\n'


class Retry(Case):
    def world(self, **options) -> tuple:
        lab = self.lab()
        system = self.system(lab, **options)
        project = lab.project("grp/demo", files={"a": "a"})
        lab.commit(project, "feature", {"b": "1"})
        return lab, system, project, lab.merge_request(project, "feature")

    def audited(self, system: System, act: str) -> list:
        return [r for r in system.get("/api/v1/audit?limit=200")[1]["records"] if r["act"] == act]

    def retries(self, lab) -> int:
        return len([r for r in lab.requests("/jobs/[0-9]+/retry", "POST")])

    def runs(self, lab, pipeline) -> list:
        return [job for job in lab.show(pipeline)["jobs"] if job["name"] == "fetch"]

    def test_what_passes_is_retried_once_audited_and_told(self) -> None:
        lab, system, project, request = self.world(controller_toml=RETRY)
        flag = self.base / "flag"
        pipeline = lab.pipeline(project, [{"name": "fetch", "script": [f"if [ ! -e {flag} ]; then touch {flag}; {DNS}; fi"]}],
                                merge_request=request)
        flag.parent.chmod(0o777)
        wait_for(lambda: "the retry\n" + system.story(), lambda: len(self.runs(lab, pipeline)) == 2)
        lab.wait_job(self.runs(lab, pipeline)[1], "success")
        note = system.note(request, "was retried automatically, once; it passed.", 40)
        self.assertIn("`fetch` (host name does not resolve)", note["body"])
        outcomes = [r["outcome"] for r in self.audited(system, "job.retry")]
        self.assertEqual(outcomes, ["done", "decided: dns"])
        self.assertIn("job.retry", system.control("audit", "list"))
        self.assertEqual(self.retries(lab), 1)

    def test_never_twice_for_the_same_commit_job_and_category(self) -> None:
        lab, system, project, request = self.world(controller_toml=RETRY)
        pipeline = lab.pipeline(project, [{"name": "fetch", "script": [DNS]}], merge_request=request)
        wait_for(lambda: "the retry\n" + system.story(), lambda: len(self.runs(lab, pipeline)) == 2)
        system.note(request, "it failed again.", 40)
        time.sleep(4)
        self.assertEqual(self.retries(lab), 1)
        # Another pipeline of the same commit is the same act.
        again = lab.wait(lab.pipeline(project, [{"name": "fetch", "script": [DNS]}], merge_request=request))
        wait_for("its report", lambda: (system.job(again["jobs"][0]["id"]) or {}).get("gitlab"))
        time.sleep(4)
        self.assertEqual(self.retries(lab), 1)

    def test_a_retry_whose_answer_was_lost_is_not_done_twice(self) -> None:
        lab, system, project, request = self.world(controller_toml=RETRY)
        lab.fault("/jobs/[0-9]+/retry", method="POST", drop="after")
        pipeline = lab.pipeline(project, [{"name": "fetch", "script": [DNS]}], merge_request=request)
        wait_for(lambda: "the retry\n" + system.story(), lambda: self.retries(lab) > 0)
        system.stop_controller(signal.SIGKILL)
        system.start_controller()
        wait_for(lambda: "the end of the act\n" + system.story(),
                 lambda: "done" in [r["outcome"] for r in self.audited(system, "job.retry")], 160, 0.5)
        self.assertEqual(len(self.runs(lab, pipeline)), 2)
        self.assertEqual(self.retries(lab), 1)

    def test_nothing_is_retried_without_a_rule_beside_a_code_signal_or_after_a_person(self) -> None:
        lab, system, project, request = self.world(controller_toml=RETRY)
        other = lab.project("other/demo", files={"a": "a"})
        lab.wait(lab.pipeline(other, [{"name": "fetch", "script": [DNS]}], ref="main"))
        code = ["echo 'main.cpp:3:10: error: use of undeclared identifier total'", DNS]
        lab.wait(lab.pipeline(project, [{"name": "fetch", "script": code}], merge_request=request))
        system.stop_controller()  # a person is faster
        pipeline = lab.pipeline(project, [{"name": "fetch", "script": [DNS]}], merge_request=request)
        first = lab.wait(pipeline)["jobs"][0]
        lab.wait_job(lab.retry(first), "failed")
        system.start_controller()
        for job in self.runs(lab, pipeline):
            wait_for("the reports", lambda job=job: (system.job(job["id"]) or {}).get("gitlab"), 40)
        time.sleep(4)
        by_us = [r for r in lab.requests("/jobs/[0-9]+/retry", "POST") if lab.bot_token in r["headers"].values()]
        self.assertEqual(by_us, [])
        self.assertEqual(self.audited(system, "job.retry"), [])


class Hosts(Case):
    HOSTS = '[hosts]\njobs = 3\nprojects = 3\npause_runners = true\n'

    def fail_everywhere(self, lab, system, members: dict) -> None:
        """A job of each project fails for want of disk; again where its log was withheld (other runners on this machine)."""
        for name in ("a", "b", "c"):
            project = lab.project(f"grp/{name}", files={"a": "a"}, members=members)
            for _ in range(5):
                done = lab.wait(lab.pipeline(project, [{"name": "build", "script": [FULL]}], ref="main"))["jobs"][0]
                report = wait_for("the report", lambda: system.job(done["id"]))
                if report["category"] == "disk_full":
                    break
                time.sleep(2)

    def outcome(self, system) -> str:
        def look() -> list:
            return [r["outcome"] for r in system.get("/api/v1/audit")[1]["records"]
                    if r["act"] == "runner.pause" and not r["outcome"].startswith("decided")]
        return wait_for(lambda: "the act\n" + system.story(), look, 60)[0]

    def test_the_runner_of_a_host_that_fails_jobs_is_paused_when_another_is_there(self) -> None:
        lab = self.lab()
        other = lab.double("POST", "runners", {"token": "glrt-other-0123456789abcdef", "description": "other", "tags": ["x"]})
        lab.double("PATCH", f"runners/{other['id']}", {"contacted_at": 1.0})
        system = self.system(lab, controller_toml=self.HOSTS)
        self.fail_everywhere(lab, system, {"gitaiops-bot": 40})
        self.assertEqual(self.outcome(system), "done")
        puts = lab.requests("/api/v4/runners/", "PUT")
        self.assertEqual(len(puts), 1)
        self.assertIn('"paused":true', puts[0]["body"])
        self.assertNotIn(f"/runners/{other['id']}", puts[0]["path"])

    def test_a_host_that_fails_jobs_is_reported_and_the_last_runner_never_paused(self) -> None:
        lab = self.lab()
        lab.double("POST", "runners", {"token": "glrt-other-0123456789abcdef", "description": "other", "tags": ["x"]})
        system = self.system(lab, controller_toml=self.HOSTS)
        self.fail_everywhere(lab, system, {"gitaiops-bot": 40})
        host = wait_for(lambda: "the host\n" + system.story(), lambda: system.get("/api/v1/failing_hosts")[1]["hosts"], 60)[0]
        self.assertEqual((host["jobs"] >= 3, host["projects"]), (True, 3))
        # The other runner has never been there: this one is the last.
        self.assertIn("last active runner", self.outcome(system))
        self.assertIn("gitaiops_failing_hosts 1", system.get("/metrics")[1])
        self.assertIn("a host fails jobs of several projects", system.log("controller"))
        self.assertEqual(lab.requests("/api/v4/runners/", "PUT"), [])
