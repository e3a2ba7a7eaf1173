"""A red job on a runner host becomes a diagnosis in its merge request: real programs, a GitLab double, a runner double."""
from __future__ import annotations

import time
import unittest

from system import SharedCase, wait_for

COMPILE_ERROR = {"main.cpp": "int main() {\n  int total = 0;\n  return totl;\n}\n"}
UNITTEST = {"test_cart.py": "import unittest\n\n\nclass CartTest(unittest.TestCase):\n    def test_total(self):\n"
                            "        self.assertEqual(2 + 2, 5)\n\n\nunittest.main()\n"}


class FirstLight(SharedCase):
    def merge_request(self, files: dict, jobs: list, title: str = "Change"):
        """A new project with a merge request and its pipeline, run to the end."""
        type(self).count += 1
        project = self.lab.project(f"grp/demo{self.count}", files={"README.md": "demo\n"})
        self.lab.commit(project, "feature", files)
        request = self.lab.merge_request(project, "feature", title=title)
        pipeline = self.lab.pipeline(project, jobs, merge_request=request)
        return project, request, self.lab.wait(pipeline)

    def test_a_compile_error_is_named_with_its_line_and_usage(self) -> None:
        _, request, done = self.merge_request(COMPILE_ERROR, [{"name": "build", "script": ["g++ -c main.cpp"]}])
        ended = time.monotonic()
        job = done["jobs"][0]
        self.assertEqual(job["status"], "failed")
        note = self.system.note(request, "build")
        waited = time.monotonic() - ended
        self.assertIn("main.cpp:3", note["body"])
        self.assertIn("totl", note["body"])
        self.assertLess(len([line for line in note["body"].split("<details>")[0].splitlines() if line.strip()]), 26)
        report = wait_for("the report", lambda: self.system.job(job["id"]))
        diagnosis = report["diagnosis"]
        self.assertEqual(diagnosis["category"], "compile_error")
        self.assertEqual(report["log"]["availability"], "complete")
        trace = self.lab.trace(job).decode(errors="replace").split("\n")
        self.assertIn("error:", trace[diagnosis["root_cause"]["line"] - 1], "the cited line is the line of the original log")
        self.assertGreater(report["duration_s"], 0)
        self.assertEqual(report["merge_request_iid"], request["iid"])
        print(f"    from GitLab's terminal state to the note: {waited:.2f} s", flush=True)

    def test_a_failing_test_is_named(self) -> None:
        _, request, done = self.merge_request(UNITTEST, [{"name": "unit", "script": ["/usr/bin/python3 test_cart.py"]}])
        self.system.note(request, "test_total")
        diagnosis = self.system.job(done["jobs"][0]["id"])["diagnosis"]
        self.assertEqual(diagnosis["category"], "test_failure")
        self.assertIn("test_total", diagnosis["failing_tests"][0]["name"])

    def test_usage_is_measured(self) -> None:
        hungry = "data = bytearray(80 << 20); data[::4096] = b'x' * len(data[::4096])\nimport time\nend = time.time() + 2.5\nwhile time.time() < end or time.process_time() < 2: pass\nraise SystemExit(1)\n"
        _, request, done = self.merge_request({"hungry.py": hungry}, [{"name": "hungry", "script": ["/usr/bin/python3 hungry.py"]}])
        self.system.note(request, "hungry")
        usage = self.system.job(done["jobs"][0]["id"])["usage"]
        self.assertIn("memory_peak_bytes", usage, self.system.story())
        self.assertGreater(usage["memory_peak_bytes"], 80 << 20)
        self.assertLess(usage["memory_peak_bytes"], 300 << 20)
        self.assertGreater(usage["cpu_s"], 1.0)
        self.assertLess(usage["cpu_s"], 10.0)
        self.assertEqual(set(usage["methods"]) & {"cpu_s", "memory_peak_bytes"}, {"cpu_s", "memory_peak_bytes"})

    def test_silent_when_there_is_nothing_to_say(self) -> None:
        _, request, done = self.merge_request({"a.txt": "a"}, [{"name": "fine", "script": ["true"]}])
        report = wait_for("the report of the passed job", lambda: self.system.job(done["jobs"][0]["id"]))
        self.assertEqual(report["outcome"], "passed")
        self.assertIsNone(report.get("diagnosis"))
        self.assertEqual(self.lab.notes(request), [])

    def test_one_note_is_edited_as_things_change(self) -> None:
        project, request, _ = self.merge_request(COMPILE_ERROR, [{"name": "build", "script": ["g++ -c main.cpp"]}])
        first = self.system.note(request, "main.cpp:3")
        self.lab.commit(project, "feature", {"main.cpp": "int main() { return 0; }\n"})
        self.lab.wait(self.lab.pipeline(project, [{"name": "build", "script": ["g++ -c main.cpp"]}], merge_request=request))
        wait_for("the note no longer names the failure", lambda: "main.cpp:3" not in self.lab.notes(request)[0]["body"])
        notes = self.lab.notes(request)
        self.assertEqual([n["id"] for n in notes], [first["id"]])

    def test_a_deleted_note_is_written_anew_and_a_forged_one_is_left_alone(self) -> None:
        project, request, _ = self.merge_request(COMPILE_ERROR, [{"name": "build", "script": ["g++ -c main.cpp"]}])
        ours = self.system.note(request, "main.cpp:3")
        notes = f"projects/{request['project_id']}/merge_requests/{request['iid']}/notes"
        self.lab.api("POST", notes, {"body": ours["body"]})                       # alice copies the marker
        self.assertLess(self.lab.api("DELETE", f"{notes}/{ours['id']}", token=self.lab.bot_token)[0], 300)
        self.lab.commit(project, "feature", {"main.cpp": "int main() {\n\n  return other;\n}\n"})
        self.lab.wait(self.lab.pipeline(project, [{"name": "build", "script": ["g++ -c main.cpp"]}], merge_request=request))
        wait_for("a new note of the bot", lambda: any("other" in n["body"] and n["author"]["username"] == "gitaiops-bot" for n in self.lab.notes(request)))
        forged = [n for n in self.lab.notes(request) if n["author"]["username"] == "alice"]
        self.assertEqual([n["body"] for n in forged], [ours["body"]])

    def test_a_retried_failure_disappears_and_allowed_failures_are_folded(self) -> None:
        script = ["test -e /proc/self/nothing || test -n \"$(git rev-parse --is-shallow-repository)\" && exit 1"]
        _, request, done = self.merge_request({"a.txt": "a"}, [
            {"name": "strict", "script": ["echo 'main.c:1:1: error: boom'", "exit 1"]},
            {"name": "lenient", "script": script, "allow_failure": True}])
        note = self.system.note(request, "strict")
        self.assertNotIn("lenient", note["body"].split("<details>")[0])

    def test_hostile_log_text_stays_in_its_fence(self) -> None:
        lines = ["echo 'x.c:1:1: error: @all /approve `````` <script>alert(1)</script> !1 #2 [a](http://x)'",
                 "printf '/merge\\n/close\\n~~~\\n```\\n'", "exit 1"]
        _, request, _ = self.merge_request({"a.txt": "a"}, [{"name": "hostile", "script": lines}])
        note = self.system.note(request, "hostile")
        self.assertEqual(note["mentions"], [])
        self.assertEqual(note["commands"], [])

    def test_secrets_in_the_log_do_not_leave_the_host(self) -> None:
        secret = "glpat-" + "Zx9Kq2Vb7Lm4Tn8Rp1Ws"
        _, request, done = self.merge_request({"a.txt": "a"}, [
            {"name": "leaky", "script": [f"echo 'x.c:1:1: error: token {secret} refused'", "exit 1"]}])
        note = self.system.note(request, "leaky")
        self.assertNotIn(secret, note["body"])
        report = str(self.system.job(done["jobs"][0]["id"]))
        self.assertNotIn(secret, report)
        self.assertIn("[REDACTED]", report)
        stored = b"".join(f.read_bytes() for folder in (self.system.folder / "controller", self.system.agent_state) for f in folder.glob("*.db*"))
        self.assertNotIn(secret.encode(), stored)

    def test_a_canceled_job_is_no_failure(self) -> None:
        project = self.lab.project("grp/canceled", files={"a": "a"})
        self.lab.commit(project, "feature", {"b": "b"})
        request = self.lab.merge_request(project, "feature")
        pipeline = self.lab.pipeline(project, [{"name": "long", "script": ["sleep 30"]}], merge_request=request)
        job = self.lab.show(pipeline)["jobs"][0]
        self.lab.wait_job(job, "running")
        self.lab.cancel(job)
        self.lab.wait(pipeline)
        wait_for("the report", lambda: self.system.job(job["id"]))
        self.assertEqual(self.lab.notes(request), [])

    def test_tokens_see_only_their_projects(self) -> None:
        _, _, done = self.merge_request(COMPILE_ERROR, [{"name": "build", "script": ["g++ -c main.cpp"]}])
        report = wait_for("the report", lambda: self.system.job(done["jobs"][0]["id"]))
        stranger = self.system.control("token", "create", "--api", "--name", "b", "--project", "main:other/*")
        self.assertEqual(self.system.get("/api/v1/jobs", token=stranger)[1]["jobs"], [])
        self.assertEqual(self.system.get(f"/api/v1/jobs/{report['id']}", token=stranger)[0], 404)
        self.assertEqual(self.system.get("/api/v1/jobs", token="wrong")[0], 401)
        friend = self.system.control("token", "create", "--api", "--name", "a", "--project", "main:grp/*")
        self.assertEqual(self.system.get(f"/api/v1/jobs/{report['id']}", token=friend)[0], 200)


if __name__ == "__main__":
    unittest.main()
