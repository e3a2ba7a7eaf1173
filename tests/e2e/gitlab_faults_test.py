"""GitLab on its bad days, and what may and may not reach a merge request: one note, in the right place, of the right failure."""
from __future__ import annotations

import sqlite3
import time
import unittest

from system import SharedCase, wait_for

NOTES = r"/merge_requests/\d+/notes"


def failing(text: str = "boom", before: str = "true") -> dict:
    return {"name": "build", "script": [before, f"echo 'x.c:7:1: error: {text}'", "exit 1"]}


class FaultsCase(SharedCase):
    def setUp(self) -> None:
        self.addCleanup(self.lab.clear_faults)

    def request(self) -> tuple[dict, dict]:
        type(self).count += 1
        project = self.lab.project(f"grp/{type(self).__name__.lower()}{self.count}", files={"README.md": "demo\n"})
        self.lab.commit(project, "feature", {"a.txt": "a"})
        return project, self.lab.merge_request(project, "feature")

    def run_in(self, project: dict, request: dict, *jobs: dict) -> dict:
        return self.lab.wait(self.lab.pipeline(project, list(jobs), merge_request=request))

    def ours(self, request: dict) -> list[dict]:
        return [note for note in self.lab.notes(request) if "gitaiops:note" in note["body"]]

    def posts(self, request: dict) -> list[dict]:
        return self.lab.requests(f"projects/{request['project_id']}/merge_requests/{request['iid']}/notes", "POST")

    def query(self, sql: str) -> list[tuple]:
        with sqlite3.connect(f"file:{self.system.folder}/controller/controller.db?mode=ro", uri=True) as store:
            return store.execute(sql).fetchall()

    def idle(self) -> None:
        """The controller has no work left that is due."""
        wait_for("an empty work queue", lambda: self.query("SELECT count(*) FROM work") == [(0,)])


class Faults(FaultsCase):
    def one_note_despite(self, path: str, method: str, posts: int, **fault) -> None:
        project, request = self.request()
        self.lab.fault(path, method=method, **fault)
        self.run_in(project, request, failing())
        self.system.note(request, "boom")
        self.idle()
        self.assertEqual(len(self.ours(request)), 1)
        self.assertEqual(len(self.posts(request)), posts)

    def test_429_with_retry_after(self) -> None:
        self.one_note_despite(NOTES, "POST", 2, status=429, headers={"Retry-After": "1"})

    def test_429_without_retry_after(self) -> None:
        self.one_note_despite(NOTES, "POST", 3, status=429, times=2)

    def test_500_502_503_on_every_way(self) -> None:
        for status in (500, 502, 503):
            with self.subTest(status=status):
                self.one_note_despite(r"/jobs/\d+$", "GET", 1, status=status)
        self.one_note_despite(NOTES, "POST", 2, status=502)

    def test_a_connection_that_breaks_before_the_note_exists(self) -> None:
        self.one_note_despite(NOTES, "POST", 2, drop="before")

    def test_a_connection_that_breaks_after_the_note_exists_makes_no_second_one(self) -> None:
        self.one_note_despite(NOTES, "POST", 1, drop="after")

    def test_an_answer_that_is_no_json(self) -> None:
        self.one_note_despite(r"/merge_requests/\d+$", "GET", 1, status=200, body="<html>please log in</html>")

    def test_slow_answers(self) -> None:
        self.one_note_despite(r"/jobs/\d+$", "GET", 1, delay_s=3)

    def test_403_is_given_up_and_audited(self) -> None:
        project, request = self.request()
        self.lab.fault(NOTES, method="POST", times=99, status=403)
        self.run_in(project, request, failing())
        place = f"main/{request['project_id']}/{request['iid']}"
        why = wait_for("the dead letter", lambda: self.query(f"SELECT why FROM dead_letters WHERE unique_key = '{place}'"))[0][0]
        self.assertIn("403", why)
        acts = self.query(f"SELECT act, object, outcome FROM audit WHERE project_id = {project['id']}")
        self.assertEqual([(act, thing) for act, thing, _ in acts],
                         [("note.update", f"merge request {request['iid']} of {project['path_with_namespace']}")])
        self.assertRegex(acts[0][2], r"^failed: .*403")
        self.assertEqual(len(self.posts(request)), 1, "asked once, not again and again")
        self.lab.clear_faults()
        self.run_in(project, request, failing("later"))
        self.system.note(request, "later")

    def test_a_deleted_note_is_made_again(self) -> None:
        project, request = self.request()
        self.run_in(project, request, failing("first"))
        note = self.system.note(request, "first")
        path = f"projects/{request['project_id']}/merge_requests/{request['iid']}/notes/{note['id']}"
        self.assertLess(self.lab.api("DELETE", path, token=self.lab.bot_token)[0], 300)
        self.run_in(project, request, failing("second"))
        self.assertNotEqual(self.system.note(request, "second")["id"], note["id"])
        self.assertEqual(len(self.ours(request)), 1)


class WhatIsSaid(FaultsCase):
    def test_a_fork_s_failure_is_told_in_the_target_project(self) -> None:
        upstream = self.lab.project("grp/upstream", files={"README.md": "demo\n"})
        fork = self.lab.project("alice/upstream", forked_from=upstream["id"])
        self.lab.commit(fork, "feature", {"a.txt": "a"}, start="main")
        request = self.lab.merge_request(fork, "feature", target=upstream)
        self.assertEqual(request["project_id"], upstream["id"])
        self.run_in(fork, request, failing())
        self.system.note(request, "build")
        self.assertEqual(len(self.posts(request)), 1)
        self.assertEqual(self.lab.requests(f"projects/{fork['id']}/.*/notes", "POST"), [])

    def test_a_failure_that_was_retried_before_it_was_told_never_appears(self) -> None:
        project, request = self.request()
        self.lab.fault(f"projects/{project['id']}/jobs/\\d+$", method="GET", times=1, delay_s=2)
        flag = self.system.folder / "second-time"
        job = {"name": "flaky", "script": [f"test -e {flag} || {{ echo 'x.c:7:1: error: superseded'; exit 1; }}"]}
        first = self.run_in(project, request, job)["jobs"][0]
        self.assertEqual(first["status"], "failed")
        flag.touch()
        self.lab.wait_job(self.lab.retry(first), "success")
        wait_for("the report", lambda: self.system.job(first["id"]))
        time.sleep(2.5)   # what would be wrong is a note, and only time shows that none comes
        self.idle()
        self.assertEqual(self.posts(request), [])

    def test_the_retry_s_failure_replaces_the_first_one(self) -> None:
        project, request = self.request()
        marker = self.system.folder / "runs"
        job = {"name": "again", "script": [f"echo run >> {marker}", f"echo \"x.c:$(wc -l < {marker}):1: error: boom\"", "exit 1"]}
        marker.write_text("", encoding="ascii")
        marker.chmod(0o666)
        pipeline = self.run_in(project, request, job)
        first = pipeline["jobs"][0]
        self.system.note(request, "x.c:1")
        self.lab.retry(first)
        note = self.system.note(request, "x.c:2")
        self.assertNotIn("x.c:1", note["body"])
        self.assertEqual(len(self.ours(request)), 1)
        self.assertEqual([self.system.job(run["id"])["gitlab"]["retried"] for run in self.lab.show(pipeline)["jobs"]],
                         [True, False])

    def test_a_child_pipeline_s_failure_is_told(self) -> None:
        project, request = self.request()
        parent = self.run_in(project, request, {"name": "parent", "script": ["true"]})
        self.assertEqual(self.lab.wait(self.lab.child_pipeline(parent, [failing("in the child")]))["source"],
                         "parent_pipeline")
        self.system.note(request, "in the child")
        self.assertEqual(len(self.ours(request)), 1)

    def test_a_superseded_pipeline_leaves(self) -> None:
        project, request = self.request()
        old = self.lab.pipeline(project, [failing("old", before="sleep 3")], merge_request=request)
        self.lab.wait_job(self.lab.show(old)["jobs"][0], "running")
        self.lab.commit(project, "feature", {"a.txt": "b"})
        new = self.run_in(project, request, {"name": "fine", "script": ["true"]})
        self.assertEqual(new["jobs"][0]["status"], "success")
        failed = self.lab.wait(old)["jobs"][0]
        self.assertEqual(failed["status"], "failed")
        wait_for("the report", lambda: self.system.job(failed["id"]))
        time.sleep(1.5)
        self.idle()
        self.assertEqual([n for n in self.ours(request) if "old" in n["body"]], [])

    def test_what_may_fail_is_folded(self) -> None:
        project, request = self.request()
        self.run_in(project, request, {**failing("strict"), "name": "strict"},
                    {**failing("lenient"), "name": "lenient", "allow_failure": True})
        shown, _, folded = self.system.note(request, "lenient")["body"].partition("<details>")
        self.assertIn("strict", shown)
        self.assertNotIn("lenient", shown)
        self.assertIn("lenient", folded)

    def test_a_merge_request_that_was_closed_gets_no_new_note(self) -> None:
        project, request = self.request()
        pipeline = self.lab.pipeline(project, [failing(before="sleep 1")], merge_request=request)
        self.lab.close_merge_request(request)
        job = self.lab.wait(pipeline)["jobs"][0]
        wait_for("the report", lambda: self.system.job(job["id"]))
        time.sleep(1.5)
        self.idle()
        self.assertEqual(self.posts(request), [])


if __name__ == "__main__":
    unittest.main()
