"""How a merge request stands, as a commit status and as the answer to an external status check."""
from __future__ import annotations

import unittest

from system import DemoCase, System, wait_for

STATUS = '[status]\ncommit = true\nfails_on = ["jobs", "vulnerabilities"]\n'


class Standing(DemoCase):
    def setUp(self) -> None:
        super().setUp()

    def start(self, toml: str) -> System:
        return self.system(self.world, controller_toml=toml)

    def request(self, *scripts: str):
        self.world.commit(self.project, "feature", {"a.c": "int a;\n"}, start="main")
        request = self.world.merge_request(self.project, "feature")
        self.run_jobs(request, *scripts)
        return request

    def run_jobs(self, request, *scripts: str) -> None:
        jobs = [{"name": f"job {number}", "script": [script]} for number, script in enumerate(scripts)]
        self.sha = self.world.wait(self.world.pipeline(self.project, jobs, merge_request=request))["sha"]

    def statuses(self):
        return self.world.api("GET", f"projects/{self.project['id']}/repository/commits/{self.sha}/statuses")[2]

    def told(self, status: str):
        """The status that the commit of the newest pipeline comes to have."""
        return wait_for(f"status {status}", lambda: next((s for s in self.statuses() if s["status"] == status), None), 60)

    def writes(self) -> int:
        return len(self.world.requests("/statuses/", "POST"))

    def audit(self, system: System, act: str) -> list[str]:
        return [r["outcome"] for r in system.get("/api/v1/audit")[1]["records"] if r["act"] == act]

    def test_a_pipeline_that_passed_has_a_status_and_no_note(self) -> None:
        system = self.start(STATUS)
        request = self.request("true")
        status = self.told("success")
        self.assertEqual(status["name"], "gitaiops")
        self.assertIn("1 job passed", status["description"])
        self.assertEqual(status["target_url"], request["web_url"])
        self.assertEqual(self.world.notes(request), [])
        self.assertEqual(len(self.audit(system, "commit_status.set")), 2, "decided, done")

    def test_it_fails_with_a_job_says_so_once_and_leads_to_the_note(self) -> None:
        system = self.start(STATUS)
        request = self.request("gcc -c nothing.c")
        status = self.told("failed")
        self.assertIn("1 of 1 job failed", status["description"])
        system.note(request, "nothing.c")
        said = self.writes()
        system.stop_controller()
        system.start_controller()
        self.run_jobs(request, "true")
        self.told("success")
        self.assertEqual(self.writes(), said + 1)
        self.assertEqual(len(self.statuses()), 2, "one in each pipeline")

    def test_an_external_check_is_answered_for_the_newest_commit(self) -> None:
        system = self.start('[status]\nexternal_check = "review"\nfails_on = ["jobs"]\n')
        self.world.commit(self.project, "feature", {"a.c": "int a;\n"}, start="main")
        request = self.world.merge_request(self.project, "feature")
        for name in ("other", "review"):
            self.world.double("POST", "checks", {"project": self.project["id"], "iid": request["iid"], "name": name})
        path = f"projects/{self.project['id']}/merge_requests/{request['iid']}/status_checks"
        answers = lambda: {check["name"]: check["status"] for check in self.world.api("GET", path)[2]}
        self.run_jobs(request, "true")
        wait_for("an answer", lambda: answers() == {"other": "pending", "review": "passed"}, 60)
        self.world.commit(self.project, "feature", {"a.c": "int b;\n"})
        self.assertEqual(answers()["review"], "pending")
        self.run_jobs(request, "false")
        wait_for("another", lambda: answers() == {"other": "pending", "review": "failed"}, 60)
        self.assertEqual(self.statuses(), [], "no commit status is wanted")
        self.assertTrue(any(o.startswith("done: passed") for o in self.audit(system, "status_check.answer")))

    def test_a_token_that_may_not_is_said_once_and_the_note_comes_all_the_same(self) -> None:
        self.world.fault("/statuses/", method="POST", status=403, times=100)
        system = self.start(STATUS)
        request = self.request("gcc -c nothing.c")
        system.note(request, "nothing.c")
        wait_for("the refusal", lambda: any(o.startswith("refused") for o in self.audit(system, "commit_status.set")))
        self.run_jobs(request, "gcc -c nothing.c")
        wait_for("the second try", lambda: len([o for o in self.audit(system, "commit_status.set") if o.startswith("decided")]) > 1)
        warnings = (self.base / "system" / "controller.log").read_bytes().count(b"does not take how a merge request stands")
        self.assertEqual(warnings, 1)


if __name__ == "__main__":
    unittest.main()
