"""The doubles are honest: recordings of a real runner get the answers they got, a real client library finds a GitLab,
and the runner double shows its host what a real runner shows.

Run: /usr/bin/python3 tests/e2e/doubles_test.py [-v] [Class[.test]]. As root it also tries jobs under another user.
"""
from __future__ import annotations

import datetime
import http.client
import io
import json
import os
import pathlib
import pwd
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile
import zlib
from typing import Any, Callable, Optional

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from doubles.gitlab_runner import config, log, trace, uploading  # noqa: E402
from doubles.gitlab_server import notes  # noqa: E402
from doubles.lab import Json, Lab  # noqa: E402

try:
    import gitlab as python_gitlab
except ImportError:
    python_gitlab = None

WAIT_S = 30.0


def until(what: str, found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} did not happen within {WAIT_S} s")


def corpus(name: str) -> Optional[pathlib.Path]:
    """The unpacked corpus, or None where there is none."""
    folder = os.environ.get("GITAIOPS_CORPUS")
    unpack = ROOT.parent / "shared" / "corpus" / "unpack"
    if not folder and unpack.exists():
        folder = subprocess.run([str(unpack), name], capture_output=True, text=True, check=False).stdout.strip()
    found = pathlib.Path(folder) / name if folder else None
    return found if found and found.exists() else None


class LabCase(unittest.TestCase):
    """A folder and the doubles in it, for one test."""
    runner = True
    options: dict[str, Any] = {}

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="gitaiops-doubles-")
        self.addCleanup(folder.cleanup)
        self.lab = self.enterContext(Lab(folder.name, runner=self.runner, **self.options))
        self.project = self.lab.project(files={"hello.txt": "hello\n"})

    def run_jobs(self, *jobs: Json) -> Json:
        return self.lab.wait(self.lab.pipeline(self.project, list(jobs)))

    def gate(self, name: str = "gate") -> pathlib.Path:
        """Jobs can wait for this file: `while [ ! -e PATH ]; do sleep 0.02; done`."""
        return self.lab.folder / name

    def waiting(self, name: str = "gate") -> str:
        return f"while [ ! -e {self.gate(name)} ]; do sleep 0.02; done"


# The coordinator ------------------------------------------------------------------------------------------------------


class Recordings(LabCase):
    runner = False

    def replay(self, name: str, moods: dict[str, int]) -> Json:
        folder = corpus("runner")
        if folder is None:
            self.skipTest("no corpus: set GITAIOPS_CORPUS, or put ../shared/corpus beside the sources")
        job = self.lab.pipeline(self.project, [
            {"name": "recorded", "script": ["true"], "id": 4242, "token": "glcbt-64_testjobtoken"}])["jobs"][0]
        self.lab.set_job(job, moods=moods)
        requests = [json.loads(line) for line in (folder / f"traffic.{name}.jsonl").read_text("utf-8").splitlines()]
        for number, request in enumerate(requests, 1):
            if "m" in request:
                self.assertEqual(self.send(request), request["code"], f"{name}, request {number}: {request['m']} {request['p']}")
            else:
                stored = self.lab.trace(job)
                self.assertEqual(f"crc32:{zlib.crc32(stored):08x}", request["server_crc"])
                self.assertEqual(len(stored), request["server_len"])
        return self.lab.show({"id": job["pipeline_id"]})["jobs"][0]

    def send(self, request: Json) -> int:
        """As recorded, byte for byte, but for the host."""
        connection = http.client.HTTPConnection(self.lab.url.partition("//")[2], timeout=10)
        connection.putrequest(request["m"], request["p"], skip_host=True, skip_accept_encoding=True)
        body = request["b"].encode()
        chunked = "Transfer-Encoding" in request["h"]
        for header, value in request["h"].items():
            if header not in ("Host", "Content-Length"):
                connection.putheader(header, value)
        connection.putheader("Host", self.lab.url.partition("//")[2])
        if not chunked:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(iter([body[:100], body[100:]]) if chunked else body, encode_chunked=chunked)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def test_success(self) -> None:
        job = self.replay("ok", {})
        self.assertEqual((job["status"], job["exit_code"]), ("success", None))
        self.assertGreater(job["archive_bytes"], 0)

    def test_failure(self) -> None:
        job = self.replay("fail", {})
        self.assertEqual((job["status"], job["failure_reason"], job["exit_code"]), ("failed", "script_failure", 3))

    def test_range_mismatch(self) -> None:
        self.assertEqual(self.replay("range", {"range_mismatch": 1, "range_mismatch_after": 1})["status"], "success")

    def test_accepted_three_times(self) -> None:
        self.assertEqual(self.replay("accept202", {"accept_202": 3})["status"], "success")


class RequestsLikeRecorded(LabCase):
    """The runner double sends what the real runner sent: same headers in the same order, same body but for its values."""

    @staticmethod
    def shape(method: str, path: str, headers: dict[str, str], body: str) -> tuple[Any, ...]:
        names = [name for name in headers if name != "Host"]
        path = re.sub(r"jobs/\d+", "jobs/N", path)
        if headers.get("Content-Type") != "application/json":
            return method, path, names, headers.get("Content-Type", "").partition(";")[0]
        fields = json.loads(body)
        kept = {k: v for k, v in fields.items() if k not in ("token", "last_update", "checksum", "output")}
        return method, path, names, headers["User-Agent"], list(fields), json.dumps(kept)

    def test_every_kind_of_request(self) -> None:
        folder = corpus("runner")
        if folder is None:
            self.skipTest("no corpus: set GITAIOPS_CORPUS, or put ../shared/corpus beside the sources")
        recorded = set()
        for name in ("ok", "fail"):
            for line in (folder / f"traffic.{name}.jsonl").read_text("utf-8").splitlines():
                request = json.loads(line)
                if "m" in request:
                    recorded.add(repr(self.shape(request["m"], request["p"], request["h"], request["b"])))
        artifact = {"paths": ["out/"], "expire_in": "7d", "when": "always", "name": "art"}
        self.run_jobs({"name": "ok", "script": ["mkdir out; echo art > out/a.txt"], "artifacts": [artifact]},
                      {"name": "fail", "script": ["mkdir -p out; echo art > out/a.txt", "exit 3"], "artifacts": [artifact]})
        # After a job, as in the recording, the runner has asked again.
        until("a poll with last_update", lambda: "last_update" in self.lab.requests("jobs/request")[-1]["body"])
        ours = {repr(self.shape(r["method"], r["path"], r["headers"], r["body"]))
                for r in self.lab.requests("^/api/v4/jobs/") }
        self.assertEqual(ours - recorded, set())
        self.assertEqual(recorded - ours, set())


class CoordinatorRules(LabCase):
    runner = False

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.lab.url.partition("//")[2], timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, "/api/v4/" + path, body, names)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.headers

    def take_job(self, features: Optional[Json] = None, **fields: Any) -> Json:
        job = self.lab.pipeline(self.project, [{"name": "unit", "script": ["true"], **fields}])["jobs"][0]
        body = {"info": {"features": features or {}}, "token": self.lab.runner_token}
        self.assertEqual(self.call("POST", "jobs/request", json.dumps(body).encode())[0], 201)
        return job

    def patch(self, job: Json, span: str, body: bytes) -> tuple[int, Any]:
        return self.call("PATCH", f"jobs/{job['id']}/trace", body, Content_Range=span, JOB_TOKEN=job["token"])

    def put(self, job: Json, **fields: Any) -> tuple[int, Any]:
        return self.call("PUT", f"jobs/{job['id']}", json.dumps({"token": job["token"], **fields}).encode())

    def test_unknown_runner_is_forbidden(self) -> None:
        self.assertEqual(self.call("POST", "jobs/request", b'{"token":"glrt-unknown"}')[0], 403)

    def test_empty_queue_names_its_state(self) -> None:
        status_code, headers = self.call("POST", "jobs/request", json.dumps({"token": self.lab.runner_token}).encode())
        self.assertEqual((status_code, headers["X-GitLab-Last-Update"]), (204, "lu-1"))

    def test_long_poll_ends_when_a_job_comes(self) -> None:
        self.lab.settings(poll_hold_s=20)
        connection = http.client.HTTPConnection(self.lab.url.partition("//")[2], timeout=60)
        connection.request("POST", "/api/v4/jobs/request", json.dumps(
            {"token": self.lab.runner_token, "last_update": "lu-1"}))
        self.lab.pipeline(self.project, [{"name": "unit", "script": ["true"]}])
        answer = connection.getresponse()
        self.assertIn(answer.status, (201, 204))        # 201 when the job was there before the request
        if answer.status == 204:
            self.assertIsNone(answer.headers["X-GitLab-Last-Update"])
            self.assertEqual(answer.headers["Gitlab-Ci-Builds-Polling"], "yes")
        answer.read()
        connection.close()

    def test_trace_goes_on_where_it_ended(self) -> None:
        job = self.take_job()
        code, headers = self.patch(job, "0-4", b"hello")
        self.assertEqual((code, headers["Range"], headers["Job-Status"]), (202, "0-5", "running"))
        self.assertEqual(headers["X-GitLab-Trace-Update-Interval"], "3")
        code, headers = self.patch(job, "9-13", b"world")
        self.assertEqual((code, headers["Range"]), (416, "0-5"))
        self.assertEqual(self.patch(job, "", b"world")[0], 400)
        self.assertEqual(self.patch(job, "5-9", b"world")[0], 202)
        self.assertEqual(self.lab.trace(job), b"helloworld")

    def test_wrong_checksum_starts_again(self) -> None:
        job = self.take_job()
        self.patch(job, "0-4", b"hello")
        wrong = {"checksum": "crc32:00000000", "bytesize": 5}
        self.assertEqual(self.put(job, state="success", output=wrong)[0], 412)
        self.assertEqual(self.patch(job, "0-4", b"hello")[0], 202)
        right = {"checksum": f"crc32:{zlib.crc32(b'hello'):08x}", "bytesize": 5}
        self.assertEqual(self.put(job, state="success", output=right)[0], 200)
        code, headers = self.patch(job, "5-5", b"!")
        self.assertEqual((code, headers["Job-Status"]), (403, "success"))

    def test_two_phases(self) -> None:
        job = self.take_job({"two_phase_job_commit": True})
        self.assertEqual(self.lab.wait_job(job, "pending")["status"], "pending")
        self.assertEqual(self.patch(job, "0-0", b"x")[0], 403)
        self.assertEqual(self.put(job, state="running", output={})[0], 200)
        self.assertEqual(self.patch(job, "0-0", b"x")[0], 202)

    def test_cancel_tells_by_what_the_runner_can(self) -> None:
        job = self.take_job()
        self.lab.cancel(job)
        code, headers = self.patch(job, "0-0", b"x")
        self.assertEqual((code, headers["Job-Status"]), (403, "canceled"))
        job = self.take_job({"cancel_gracefully": True})
        self.lab.cancel(job)
        code, headers = self.patch(job, "0-0", b"x")
        self.assertEqual((code, headers["Job-Status"]), (202, "canceling"))
        self.assertEqual(self.put(job, state="failed")[0], 200)
        self.assertEqual(self.lab.wait_job(job)["status"], "canceled")

    def test_log_limit_drops_the_job(self) -> None:
        self.lab.settings(trace_limit_bytes=4)
        job = self.take_job()
        code, headers = self.patch(job, "0-4", b"hello")
        self.assertEqual((code, headers["Job-Status"]), (403, "failed"))
        self.assertEqual(self.lab.wait_job(job)["failure_reason"], "trace_size_exceeded")

    def test_strangers_token_and_unknown_job(self) -> None:
        job = self.take_job()
        self.assertEqual(self.patch({**job, "token": "glcbt-wrong"}, "0-0", b"x")[0], 403)
        self.assertEqual(self.patch({**job, "id": 999999}, "0-0", b"x")[0], 403)

    def test_runner_verify_register_and_delete(self) -> None:
        self.assertEqual(self.call("POST", "runners/verify", b'{"token":"glrt-unknown"}', Content_Type="application/json")[0], 403)
        self.assertEqual(self.call("POST", "runners", b'{"token":"glrtr-abcd"}', Content_Type="application/json")[0], 201)
        own = json.dumps({"token": self.lab.runner_token}).encode()
        self.assertEqual(self.call("POST", "runners/verify", own, Content_Type="application/json")[0], 200)
        self.assertEqual(self.call("DELETE", "runners", own, Content_Type="application/json")[0], 204)
        self.assertEqual(self.call("POST", "jobs/request", own)[0], 403)


# REST -----------------------------------------------------------------------------------------------------------------


@unittest.skipUnless(python_gitlab, "python3-gitlab is missing (Debian package python3-gitlab)")
class RestByPythonGitlab(LabCase):
    runner = False

    def setUp(self) -> None:
        super().setUp()
        self.lab.commit(self.project, "feature", {"hello.txt": "bye\n"})
        self.request = self.lab.merge_request(self.project, "feature")
        self.bot = self.client(self.lab.bot_token)

    def client(self, token: str, **options: Any) -> Any:
        return python_gitlab.Gitlab(self.lab.url, private_token=token, **options)

    def refused(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> int:
        with self.assertRaises(python_gitlab.exceptions.GitlabError) as caught:
            call(*arguments, **options)
        return int(caught.exception.response_code)

    def test_who_am_i(self) -> None:
        self.bot.auth()
        self.assertEqual((self.bot.user.username, self.bot.user.bot), ("gitaiops-bot", True))
        bearer = python_gitlab.Gitlab(self.lab.url, oauth_token=self.lab.user_token)
        bearer.auth()
        self.assertEqual(bearer.user.username, "alice")
        self.assertEqual(self.refused(self.client("glpat-unknown").auth), 401)

    def test_projects_by_id_and_path_only_for_members(self) -> None:
        self.assertEqual(self.bot.projects.get("grp/demo").id, self.project["id"])
        self.assertEqual(self.bot.projects.get(self.project["id"]).path_with_namespace, "grp/demo")
        stranger = self.client(self.lab.stranger_token)
        self.assertEqual(self.refused(stranger.projects.get, self.project["id"]), 404)
        self.assertEqual(list(stranger.projects.list(iterator=True)), [])

    def test_read_only_token(self) -> None:
        token = self.lab.double("POST", "tokens", {"user": "alice", "scopes": ["read_api"]})["token"]
        request = self.client(token).projects.get("grp/demo").mergerequests.get(1)
        self.assertEqual(self.refused(request.notes.create, {"body": "x"}), 403)

    def test_merge_request_is_found_in_every_way(self) -> None:
        project = self.bot.projects.get("grp/demo")
        self.assertEqual([m.iid for m in project.mergerequests.list(source_branch="feature", state="opened")], [1])
        self.assertEqual(project.mergerequests.list(source_branch="other"), [])
        sha = self.request["sha"]
        self.assertEqual([m["iid"] for m in project.commits.get(sha).merge_requests()], [1])
        self.assertEqual(project.mergerequests.get(1).diff_refs["head_sha"], sha)
        self.lab.close_merge_request(self.request)
        self.assertEqual(project.mergerequests.list(source_branch="feature", state="opened"), [])
        self.assertEqual(self.refused(project.mergerequests.get, 7), 404)

    def test_a_push_moves_the_merge_request(self) -> None:
        sha = self.lab.commit(self.project, "feature", {"new.txt": "n"})
        request = self.bot.projects.get("grp/demo").mergerequests.get(1)
        self.assertEqual(request.sha, sha)

    def test_fork(self) -> None:
        fork = self.lab.project("alice/demo", forked_from="grp/demo")
        self.lab.commit(fork, "fix", {"fix.txt": "f"})
        request = self.lab.merge_request(fork, "fix", target=self.project)
        self.assertEqual((request["project_id"], request["source_project_id"]), (self.project["id"], fork["id"]))
        seen = self.bot.projects.get(fork["id"])
        self.assertEqual(seen.forked_from_project["id"], self.project["id"])
        self.assertEqual(seen.mergerequests.list(), [])
        pipeline = self.lab.pipeline(fork, [{"name": "unit", "script": ["true"]}], merge_request=request)
        self.assertEqual((pipeline["project_id"], pipeline["ref"]), (fork["id"], f"refs/merge-requests/{request['iid']}/head"))
        target = self.bot.projects.get("grp/demo").mergerequests.get(request["iid"])
        self.assertEqual(target.head_pipeline["id"], pipeline["id"])

    def test_note_lives_and_dies(self) -> None:
        notes_of = self.bot.projects.get("grp/demo").mergerequests.get(1).notes
        note = notes_of.create({"body": "one"})
        self.assertEqual((note.author["username"], note.body), ("gitaiops-bot", "one"))
        note.body = "two"
        note.save()
        self.assertEqual(notes_of.get(note.id).body, "two")
        others = self.client(self.lab.user_token).projects.get("grp/demo").mergerequests.get(1).notes
        self.assertEqual(self.refused(others.delete, note.id), 403)
        self.assertEqual(self.refused(notes_of.create, {"body": " "}), 400)
        note.delete()
        self.assertEqual(self.refused(notes_of.get, note.id), 404)
        self.assertEqual(self.refused(notes_of.update, note.id, {"body": "x"}), 404)

    def test_note_by_multipart(self) -> None:
        """Other clients send forms."""
        body = b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\nform\r\n--b--\r\n'
        connection = http.client.HTTPConnection(self.lab.url.partition("//")[2], timeout=10)
        connection.request("POST", f"/api/v4/projects/{self.project['id']}/merge_requests/1/notes", body,
                           {"PRIVATE-TOKEN": self.lab.bot_token, "Content-Type": "multipart/form-data; boundary=b"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, json.loads(answer.read())["body"]), (201, "form"))
        connection.close()

    def test_pages(self) -> None:
        notes_of = self.bot.projects.get("grp/demo").mergerequests.get(1).notes
        made = [notes_of.create({"body": f"note {n}"}).id for n in range(5)]
        listed = [n.id for n in notes_of.list(iterator=True, per_page=2, sort="asc")]
        self.assertEqual(listed, made)
        _, headers, _ = self.lab.api("GET", f"projects/{self.project['id']}/merge_requests/1/notes?per_page=2&page=2")
        self.assertIn('page=3&per_page=2>; rel="next"', headers["Link"])
        self.assertEqual((headers["X-Total"], headers["X-Next-Page"]), ("5", "3"))

    def test_keyset_pages(self) -> None:
        jobs = [{"name": f"j{n}", "script": ["true"]} for n in range(5)]
        pipeline = self.lab.pipeline(self.project, jobs)
        listed = self.bot.projects.get("grp/demo").jobs.list(iterator=True, per_page=2, pagination="keyset",
                                                             order_by="id", sort="asc")
        self.assertEqual([j.id for j in listed], [j["id"] for j in pipeline["jobs"]])

    def test_jobs_of_a_pipeline_with_stages_retries_and_allowed_failures(self) -> None:
        pipeline = self.lab.pipeline(self.project, [
            {"name": "build", "stage": "build", "script": ["true"]},
            {"name": "lint", "stage": "build", "script": ["true"], "allow_failure": True},
            {"name": "unit", "stage": "test", "script": ["true"]},
            {"name": "mail", "stage": "end", "script": ["true"], "when": "on_failure"}], merge_request=self.request)
        seen = self.bot.projects.get("grp/demo").pipelines.get(pipeline["id"])

        def statuses() -> dict[str, str]:
            return {job.name: job.status for job in seen.jobs.list(get_all=True)}

        build, lint, unit, _ = pipeline["jobs"]
        self.assertEqual(statuses(), {"build": "pending", "lint": "pending", "unit": "created", "mail": "created"})
        self.lab.set_job(lint, status="failed", failure_reason="script_failure")
        self.lab.set_job(build, status="failed", failure_reason="script_failure")
        self.assertEqual(statuses(), {"build": "failed", "lint": "failed", "unit": "skipped", "mail": "pending"})
        again = self.bot.projects.get("grp/demo").jobs.get(build["id"], lazy=True)
        again.retry()
        self.assertEqual(self.refused(again.retry), 403)
        self.assertEqual(len(seen.jobs.list(get_all=True)), 4)
        self.assertEqual(len(seen.jobs.list(get_all=True, include_retried=True)), 5)
        newest = max(seen.jobs.list(get_all=True), key=lambda job: job.id)
        self.assertEqual((newest.name, newest.status), ("build", "pending"))
        self.lab.set_job({"id": newest.id}, status="success")
        self.assertEqual(statuses()["unit"], "pending")
        self.lab.set_job(unit, status="success")
        self.lab.set_job(pipeline["jobs"][3], status="success")
        self.assertEqual(self.bot.projects.get("grp/demo").pipelines.get(pipeline["id"]).status, "success")

    def test_superseding_pipeline_is_the_head(self) -> None:
        self.lab.pipeline(self.project, [{"name": "unit", "script": ["true"]}], merge_request=self.request)
        newer = self.lab.pipeline(self.project, [{"name": "unit", "script": ["true"]}], merge_request=self.request)
        request = self.bot.projects.get("grp/demo").mergerequests.get(1)
        self.assertEqual(request.head_pipeline["id"], newer["id"])
        self.assertEqual([p.source for p in request.pipelines.list()], ["merge_request_event"] * 2)

    def test_times_are_iso_8601(self) -> None:
        self.assertRegex(self.request["created_at"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")

    def test_cancel_and_trace_of_a_job(self) -> None:
        job_id = self.lab.pipeline(self.project, [{"name": "unit", "script": ["true"]}])["jobs"][0]["id"]
        job = self.bot.projects.get("grp/demo").jobs.get(job_id)
        job.cancel()
        job.refresh()
        self.assertEqual((job.status, job.trace(), job.pipeline["status"]), ("canceled", b"", "canceled"))

    def test_faults_come_and_go(self) -> None:
        project = self.bot.projects.get("grp/demo", lazy=True)
        for code in (403, 404, 409, 500, 502, 503):
            self.lab.fault("/merge_requests/1/notes", method="POST", status=code)
            self.assertEqual(self.refused(project.mergerequests.get(1).notes.create, {"body": "x"}), code)
        self.lab.fault("/merge_requests/1$", status=429, headers={"Retry-After": "0"}, times=2)
        self.assertEqual(project.mergerequests.get(1).iid, 1)       # the library tried again, as told
        self.assertEqual([r["status"] for r in self.lab.requests("/merge_requests/1$", "GET")][-3:], [429, 429, 200])

    def test_dropped_before_nothing_happened_dropped_after_it_did(self) -> None:
        for when, notes_left in (("before", 0), ("after", 1)):
            self.lab.fault("/notes", method="POST", drop=when)
            with self.assertRaises((http.client.HTTPException, OSError)):
                self.lab.api("POST", f"projects/{self.project['id']}/merge_requests/1/notes", {"body": "x"})
            self.assertEqual(len(self.lab.notes(self.request)), notes_left, when)


class NoteText(unittest.TestCase):
    def test_quick_actions_and_mentions_act_outside_code_only(self) -> None:
        for body, commands, mentions in (
                ("/close", ["/close"], []), ("text\n/label ~bug\nmore @alice", ["/label ~bug"], ["alice"]),
                ("```\n/close\n@alice\n```", [], []), ("````\n```\n/close\n````\n", [], []),
                ("```\n@alice\n``` x\n/close\n", [], []), ("```\nx\n```\n/close", ["/close"], []),
                ("`@alice` and ``a `@bob` b``", [], []), ("<!-- @alice\n/close\n-->", [], []),
                ("me@example.com", [], []), ("/usr/bin/cc: not found", [], [])):
            shown, done, named = notes.read(body)
            self.assertEqual((done, named), (commands, mentions), body)
            self.assertEqual([line for line in body.split("\n") if line not in commands], shown.split("\n") if shown else [])


# The runner -----------------------------------------------------------------------------------------------------------


class LogLines(unittest.TestCase):
    NOW = datetime.datetime(2026, 11, 22, 13, 29, 10, 500000, datetime.timezone.utc)

    def test_received(self) -> None:
        self.assertEqual(
            log.text_line("info", "Checking for jobs... received", {
                "job": 4242, "repo_url": "http://127.0.0.1:18080/grp/demo.git", "runner": "glrt-AbC"}),
            "Checking for jobs... received                     \x1b[0;m  job\x1b[0;m=4242 "
            "repo_url\x1b[0;m=http://127.0.0.1:18080/grp/demo.git runner\x1b[0;m=glrt-AbC\n")

    def test_failed_spans_two_lines(self) -> None:
        self.assertEqual(
            log.text_line("warning", "Job failed: exit status 3\n", {
                "duration_s": 7.407560768, "job": 4242, "project": 77, "runner": "glrt-AbC"}),
            "\x1b[0;33mWARNING: Job failed: exit status 3\n               \x1b[0;m  \x1b[0;33mduration_s\x1b[0;m=7.407560768 "
            "\x1b[0;33mjob\x1b[0;m=4242 \x1b[0;33mproject\x1b[0;m=77 \x1b[0;33mrunner\x1b[0;m=glrt-AbC\n")

    def test_message_longer_than_its_column(self) -> None:
        self.assertEqual(log.text_line("info", "x" * 60, {"builds": 0}), "x" * 60 + "\x1b[0;m  builds\x1b[0;m=0\n")

    def test_no_fields(self) -> None:
        self.assertEqual(log.text_line("info", "Running in system-mode.", {}),
                         "Running in system-mode.                           \x1b[0;m \n")

    def test_json(self) -> None:
        self.assertEqual(
            log.json_line("warning", "Job failed: exit status 3\n", {
                "duration_s": 7.407560768, "job": 4242, "project": 77, "runner": "glrt-AbC"}, self.NOW),
            '{"duration_s":7.407560768,"job":4242,"level":"warning","msg":"Job failed: exit status 3\\n","project":77,'
            '"runner":"glrt-AbC","time":"2026-11-22T13:29:10Z"}\n')
        self.assertIn(r'"msg":"\u003ca\u0026b\u003e ü"', log.json_line("info", "<a&b> ü", {}, self.NOW))

    def test_syslog_file(self) -> None:
        line = log.text_line("info", "Job succeeded", {"job": 1})
        self.assertEqual(log.syslog_lines(line, "vm", 42, self.NOW),
                         "Nov 22 13:29:10 vm gitlab-runner[42]: Job succeeded" + " " * 37 + "#033[0;m  job#033[0;m=1\n")

    def test_lines_like_recorded(self) -> None:
        folder = corpus("runner")
        if folder is None:
            self.skipTest("no corpus: set GITAIOPS_CORPUS, or put ../shared/corpus beside the sources")
        lines = [line for file in sorted(folder.glob("runner.*.log")) for line in file.read_text("utf-8").splitlines(True)]
        rebuilt = 0
        for line in lines:
            if line.startswith("{"):
                fields = json.loads(line)
                level, message, stamp = fields.pop("level"), fields.pop("msg"), fields.pop("time")
                self.assertEqual(log.json_line(level, message, fields, datetime.datetime.fromisoformat(stamp)), line)
                rebuilt += 1
        self.assertGreater(rebuilt, 30)

    def test_go_durations(self) -> None:
        for seconds, shown in ((0, "0s"), (0.25, "250ms"), (6.1, "6.1s"), (62.5, "1m2.5s"), (3600, "1h0m0s"),
                               (0.0005, "500µs")):
            self.assertEqual(uploading.go_duration(seconds), shown)

    def test_names_of_a_runner(self) -> None:
        self.assertEqual(config.release("14.7.0").short_token("glrt-AbCdEfGhIjKl"), "glrt-AbC")
        self.assertEqual(config.release("19.4.0").short_token("glrt-AbCdEfGhIjKl"), "AbCdEfGhI")
        self.assertEqual(config.release("14.7.0").user_agent, "gitlab-runner 14.7.0 (HEAD; go1.19.8; linux/amd64)")


class TraceBytes(unittest.TestCase):
    NOW = datetime.datetime(2021, 1, 1, 0, 0, 0, 20010, datetime.timezone.utc)

    def setUp(self) -> None:
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def masked(self, phrases: list[str], *writes: str) -> list[str]:
        out: list[str] = []
        masker = trace.Masker(phrases, out.append)
        for text in writes:
            masker.write(text)
        masker.close()
        return out

    def test_masks_across_every_cut(self) -> None:
        text = "a secret, a secrets, secre, sesecret"
        for cut in range(len(text) + 1):
            self.assertEqual("".join(self.masked(["secret", "secrets"], text[:cut], text[cut:])),
                             "a [MASKED], a [MASKED], secre, se[MASKED]")

    def test_holds_back_no_more_than_needed(self) -> None:
        self.assertEqual(self.masked(["secret"], "done\nsec", "ond")[:2], ["done\n", "second"])

    def stamped(self, *writes: bytes) -> bytes:
        out = bytearray()
        stamper = trace.Timestamper(1, "O", out.extend, lambda: self.NOW)
        for data in writes:
            stamper.write(data)
        stamper.close()
        return bytes(out)

    def test_timestamps(self) -> None:
        head = b"2021-01-01T00:00:00.020010Z 01O"
        self.assertEqual(len(head) + 1, 28 + 4)
        self.assertEqual(self.stamped(b"one\ntwo", b" three\n"), head + b" one\n" + head + b" two three\n")
        self.assertEqual(self.stamped(b"open"), head + b" open\n")
        self.assertEqual(self.stamped(b"10%\r20%\r", b"done\n"), head + b" 10%\r20%\r\n" + head + b"+done\n")
        self.assertEqual(self.stamped(b"section_start:1:a\r\x1b[0K", b"Title\n"),
                         head + b" section_start:1:a\r\n" + head + b"+\x1b[0KTitle\n")
        long = self.stamped(b"x" * 9000, b"y\n")
        self.assertEqual(long, head + b" " + b"x" * 9000 + b"\n" + head + b"+y\n")

    def test_file_grows_in_blocks_and_is_private(self) -> None:
        file = trace.TraceFile(self.folder, 1 << 20)
        self.assertRegex(os.path.basename(file.path), r"\Atrace\d+\Z")
        self.assertEqual(stat.S_IMODE(os.stat(file.path).st_mode), 0o600)
        file.write(b"x" * 4095)
        self.assertEqual(os.path.getsize(file.path), 0)
        file.write(b"yz")
        self.assertEqual(os.path.getsize(file.path), 4096)
        self.assertEqual(file.read(4094, 100), b"xyz")
        self.assertEqual(file.state(), (4097, f"crc32:{zlib.crc32(b'x' * 4095 + b'yz'):08x}"))
        file.close()
        self.assertEqual(os.listdir(self.folder), [])

    def test_limit(self) -> None:
        file = trace.TraceFile(self.folder, 1024)
        file.write(b"x" * 2000)
        file.write(b"more")
        self.assertEqual(file.read(0, 5000), b"x" * 1024 + (
            b"\n\x1b[33;1mJob's log exceeded limit of 1024 bytes.\n"
            b"Job execution will continue but no more output will be collected.\x1b[0;m\n"))
        file.close()

    def test_invalid_utf8_becomes_marks(self) -> None:
        file = trace.TraceFile(self.folder, 1 << 20)
        stream = trace.Stream(file, [], None)
        for data in (b"a\xff", b"\xe2\x82", b"\xac \xe2\x28", b"\xf0\x9f"):
            stream.write(data)
        stream.close()
        self.assertEqual(file.read(0, 100).decode(), "a\ufffd€ \ufffd(\ufffd\ufffd")
        file.close()


class Jobs14(LabCase):
    """The whole way, as release 14.7."""
    options = {"update_interval_s": 0.2, "keep_alive_s": 0.2}

    def expected_head(self) -> bytes:
        return (b"\x1b[0KRunning with gitlab-runner 14.7.0 (HEAD)\x1b[0;m\n\x1b[0K  on lab glrt-AbC\x1b[0;m\n"
                b"section_start:T:prepare_executor\r\x1b[0K\x1b[0K\x1b[36;1mPreparing the \"shell\" executor\x1b[0;m\x1b[0;m\n"
                b"\x1b[0KUsing Shell executor...\x1b[0;m\nsection_end:T:prepare_executor\r\x1b[0K"
                b"section_start:T:prepare_script\r\x1b[0K\x1b[0K\x1b[36;1mPreparing environment\x1b[0;m\x1b[0;m\n")

    def test_success_word_for_word(self) -> None:
        done = self.run_jobs({"name": "ok", "script": ["echo hello", "echo $CI_JOB_NAME\necho two"],
                              "variables": {"GIT_STRATEGY": "none"}, "after_script": ["echo end"]})
        job = done["jobs"][0]
        self.assertEqual((done["status"], job["exit_code"]), ("success", None))
        text = re.sub(rb"(section_\w+:)\d+", rb"\1T", self.lab.trace(job))
        head = self.expected_head()
        self.assertEqual(text[:len(head)], head)
        host = os.uname().nodename.encode()
        self.assertEqual(text[len(head):], (
            b"Running on " + host + b"...\nsection_end:T:prepare_script\r\x1b[0K"
            b"section_start:T:get_sources\r\x1b[0K\x1b[0K\x1b[36;1mGetting source from Git repository\x1b[0;m\x1b[0;m\n"
            b"\x1b[32;1mSkipping Git repository setup\x1b[0;m\n\x1b[32;1mSkipping Git checkout\x1b[0;m\n"
            b"\x1b[32;1mSkipping Git submodules setup\x1b[0;m\nsection_end:T:get_sources\r\x1b[0K"
            b"section_start:T:step_script\r\x1b[0K\x1b[0K\x1b[36;1mExecuting \"step_script\" stage of the job script\x1b[0;m\x1b[0;m\n"
            b"\x1b[32;1m$ echo hello\x1b[0;m\nhello\n"
            b"\x1b[32;1m$ echo $CI_JOB_NAME # collapsed multi-line command\x1b[0;m\nok\ntwo\n"
            b"section_end:T:step_script\r\x1b[0K"
            b"section_start:T:after_script\r\x1b[0K\x1b[0K\x1b[36;1mRunning after_script\x1b[0;m\x1b[0;m\n"
            b"\x1b[32;1mRunning after script...\x1b[0;m\n\x1b[32;1m$ echo end\x1b[0;m\nend\n"
            b"section_end:T:after_script\r\x1b[0K\x1b[32;1mJob succeeded\x1b[0;m\n"))

    def test_failure_in_trace_log_and_api(self) -> None:
        done = self.run_jobs({"name": "bad", "script": ["exit 3"]})
        job = done["jobs"][0]
        self.assertEqual((job["status"], job["failure_reason"], job["exit_code"]), ("failed", "script_failure", 3))
        self.assertTrue(self.lab.trace(job).endswith(b"\x1b[31;1mERROR: Job failed: exit status 3\n\x1b[0;m\n"))
        until("the last log line", lambda: "Failed to process runner" in self.lab.log_text())
        tail = re.sub(r"duration_s\x1b\[0;m=[\d.]+", "duration_s\x1b[0;m=D", self.lab.log_text()).partition("\x1b[0;33mWARNING: Job")
        self.assertEqual(tail[1] + tail[2], (
            "\x1b[0;33mWARNING: Job failed: exit status 3\n               \x1b[0;m  \x1b[0;33mduration_s\x1b[0;m=D "
            f"\x1b[0;33mjob\x1b[0;m={job['id']} \x1b[0;33mproject\x1b[0;m=77 \x1b[0;33mrunner\x1b[0;m=glrt-AbC\n"
            "\x1b[0;33mWARNING: Failed to process runner                 \x1b[0;m  \x1b[0;33mbuilds\x1b[0;m=0 "
            "\x1b[0;33merror\x1b[0;m=exit status 3 \x1b[0;33mexecutor\x1b[0;m=shell \x1b[0;33mrunner\x1b[0;m=glrt-AbC\n"))

    def test_exit_status_of_a_command_is_forgotten_unless_flagged(self) -> None:
        for flag, code in (("false", 1), ("true", 5)):
            job = self.run_jobs({"name": "e", "script": ["sh -c 'exit 5'"], "variables": {
                "GIT_STRATEGY": "none", "FF_USE_NEW_BASH_EVAL_STRATEGY": flag}})["jobs"][0]
            self.assertEqual(job["exit_code"], code)

    def test_real_checkout_then_fetch_into_it(self) -> None:
        first = self.run_jobs({"name": "one", "script": ["cat hello.txt", "echo left > untracked.txt"]})
        text = self.lab.trace(first["jobs"][0]).decode()
        folder = self.lab.builds_dir / "glrt-AbC" / "0" / "grp" / "demo"
        self.assertIn(f"Initialized empty Git repository in {folder}/.git/\n\x1b[32;1mCreated fresh repository.\x1b[0;m\n", text)
        self.assertIn(f"\x1b[32;1mChecking out {first['sha'][:8]} as main...\x1b[0;m\n", text)
        self.assertIn("hello\n", text)
        self.lab.commit(self.project, "main", {"hello.txt": "changed\n"})
        text = self.lab.trace(self.run_jobs({"name": "two", "script": ["cat hello.txt"]})["jobs"][0]).decode()
        self.assertIn(f"Reinitialized existing Git repository in {folder}/.git/\n", text)
        self.assertIn("Removing untracked.txt\n", text)
        self.assertIn("changed\n", text)

    def test_masked_variable_never_leaves(self) -> None:
        done = self.run_jobs({"name": "m", "script": ["echo \"<$SECRET>\"", "printf 'sec'; sleep 0.1; printf 'ret-value'"],
                              "variables": {"SECRET": {"value": "secret-value", "masked": True},
                                            "GIT_STRATEGY": "none"}})
        text = self.lab.trace(done["jobs"][0])
        self.assertIn(b"<[MASKED]>\n", text)
        self.assertNotIn(b"secret-value", text)

    def test_range_mismatch_is_resent(self) -> None:
        pipeline = self.lab.pipeline(self.project, [{"name": "r", "script": ["echo one", self.waiting(), "echo two"]}])
        job = pipeline["jobs"][0]
        until("a first patch", lambda: b"echo one" in self.lab.trace(job))
        self.lab.set_job(job, forget_trace=True)
        self.gate().touch()
        self.assertEqual(self.lab.wait(pipeline)["status"], "success")
        text = self.lab.trace(job)
        self.assertTrue(text.startswith(b"\x1b[0KRunning with") and text.endswith(b"Job succeeded\x1b[0;m\n"))
        self.assertEqual(text.count(b"\none\n"), 1)
        self.assertIn("Appending trace to coordinator... range mismatch", self.lab.log_text())

    def test_unsettled_then_settled(self) -> None:
        pipeline = self.lab.pipeline(self.project, [{"name": "s", "script": [self.waiting()]}])
        self.lab.set_job(pipeline["jobs"][0], moods={"accept_202": 2, "reject_412": 1})
        self.gate().touch()
        self.assertEqual(self.lab.wait(pipeline)["status"], "success")
        self.assertEqual([r["status"] for r in self.lab.requests(r"jobs/\d+$", "PUT")], [412, 202, 202, 200])

    def test_a_coordinator_that_breaks_off(self) -> None:
        self.lab.fault(r"jobs/\d+/trace", drop="after")
        self.lab.fault(r"jobs/\d+$", method="PUT", drop="after")
        self.lab.fault(r"jobs/\d+$", method="PUT", status=502)
        done = self.run_jobs({"name": "b", "script": ["echo once"]})
        text = self.lab.trace(done["jobs"][0])
        self.assertEqual((done["status"], text.count(b"\nonce\n")), ("success", 1))

    def test_cancelled_job_dies_with_its_processes(self) -> None:
        pipeline = self.lab.pipeline(self.project, [{"name": "c", "script": ["echo pid=$BASHPID", self.waiting("never")],
                                                     "after_script": ["echo not reached"]}])
        job = pipeline["jobs"][0]
        found = until("the job's shell", lambda: re.search(rb"pid=(\d+)\n", self.lab.trace(job)))
        self.lab.cancel(job)
        until("the shell's end", lambda: not pathlib.Path(f"/proc/{int(found.group(1))}").exists())
        until("the end record", lambda: "Job failed: canceled" in self.lab.log_text())
        self.assertEqual(self.lab.show(pipeline)["status"], "canceled")
        until("the trace's end", lambda: not list(self.lab.trace_dir.glob("trace*")))

    def test_timeout(self) -> None:
        done = self.run_jobs({"name": "t", "script": [self.waiting("never")], "timeout": 1})
        job = done["jobs"][0]
        self.assertEqual((job["status"], job["failure_reason"]), ("failed", "job_execution_timeout"))
        self.assertIn(b"ERROR: Job failed: execution took longer than 1s seconds\n", self.lab.trace(job))

    def test_artifacts(self) -> None:
        done = self.run_jobs({"name": "a", "script": ["mkdir out; echo art > out/a.txt"],
                              "artifacts": [{"paths": ["out/", "absent"], "expire_in": "7d", "name": "art"}]})
        job = done["jobs"][0]
        text = self.lab.trace(job).decode()
        self.assertIn("out/: found 2 matching files and directories      \x1b[0;m \n", text)
        self.assertIn(f'Uploading artifacts as "archive" to coordinator... 201 Created\x1b[0;m  id\x1b[0;m={job["id"]} '
                      "responseStatus\x1b[0;m=201 Created token\x1b[0;m=glcbt-64\n", text)
        _, _, archive = self.lab.api("GET", f"projects/{self.project['id']}/jobs/{job['id']}/artifacts")
        self.assertEqual(zipfile.ZipFile(io.BytesIO(archive)).read("out/a.txt"), b"art\n")

    def test_cache_comes_back(self) -> None:
        cache = [{"key": "deps", "paths": ["vendor/"]}]
        self.run_jobs({"name": "fill", "script": ["mkdir vendor; echo v > vendor/v.txt"], "cache": cache})
        done = self.run_jobs({"name": "use", "script": ["cat vendor/v.txt"], "cache": cache})
        self.assertEqual(done["status"], "success")
        self.assertIn(b"\x1b[32;1mSuccessfully extracted cache\x1b[0;m\n", self.lab.trace(done["jobs"][0]))

    def test_graceful_and_forced_end_of_the_runner(self) -> None:
        pipeline = self.lab.pipeline(self.project, [{"name": "g", "script": [self.waiting()]}])
        until("the job", lambda: "state=running" in self.lab.jobs_list())
        assert self.lab.runner
        self.lab.runner.send_signal(signal.SIGQUIT)
        until("the wish", lambda: "Starting graceful shutdown" in self.lab.log_text())
        self.gate().touch()
        self.assertEqual(self.lab.stop_runner(), 0)
        self.assertEqual(self.lab.show(pipeline)["status"], "success")
        self.assertTrue(self.lab.log_text().endswith("All workers stopped. Can exit now                 \x1b[0;m  builds\x1b[0;m=0\n"))
        self.lab.start_runner()
        pipeline = self.lab.pipeline(self.project, [{"name": "f", "script": [self.waiting("never")]}])
        until("the job", lambda: "state=running" in self.lab.jobs_list())
        self.assertEqual(self.lab.stop_runner(signal.SIGTERM), 1)
        job = self.lab.show(pipeline)["jobs"][0]
        self.assertEqual((job["status"], job["failure_reason"]), ("failed", "runner_system_failure"))
        self.assertIn(b"ERROR: Job failed (system failure): aborted: terminated\n", self.lab.trace(job))

    def test_very_short_jobs(self) -> None:
        done = self.run_jobs(*[{"name": f"s{n}", "script": [f"echo mark-{n}-"], "variables": {"GIT_STRATEGY": "none"}}
                               for n in range(10)])
        self.assertEqual([b"\nmark-%d-\n" % n in self.lab.trace(job) for n, job in enumerate(done["jobs"])], [True] * 10)


class Outside(LabCase):
    """What the host sees of a runner and its jobs."""
    options = {"update_interval_s": 60.0, "concurrent": 20}

    def tree(self, pid: int) -> list[tuple[int, str, bytes]]:
        """(pid, comm, environment) of all descendants."""
        children = pathlib.Path(f"/proc/{pid}/task")
        found = []
        for task in children.iterdir():
            for child in (task / "children").read_text().split():
                folder = pathlib.Path("/proc") / child
                try:
                    found.append((int(child), (folder / "comm").read_text().strip(), (folder / "environ").read_bytes()))
                except OSError:         # it ended while we looked
                    continue
                found += self.tree(int(child))
        return found

    def test_processes_and_trace_file(self) -> None:
        assert self.lab.runner
        runner = self.lab.runner.pid
        self.assertEqual(pathlib.Path(f"/proc/{runner}/comm").read_text(), "gitlab-runner\n")
        pipeline = self.lab.pipeline(self.project, [{"name": "p", "script": ["echo started", "exec 3>&-; sleep 600"]}])
        below = until("sleep", lambda: [p for p in self.tree(runner) if p[1] == "sleep"] and self.tree(runner))
        marked = [(name, b"CI_JOB_ID=4242\0" in environment) for _, name, environment in below]
        self.assertEqual(marked, [("bash", False), ("bash", False), ("sleep", True)])
        self.assertEqual(os.getpgid(below[0][0]), below[0][0])      # a group of its own
        self.assertEqual(os.readlink(f"/proc/{below[2][0]}/cwd"), str(self.lab.builds_dir / "glrt-AbC/0/grp/demo"))
        traces = list(self.lab.trace_dir.glob("trace*"))
        self.assertEqual(len(traces), 1)
        held = [os.readlink(link) for link in pathlib.Path(f"/proc/{runner}/fd").iterdir() if link.is_symlink()]
        self.assertIn(str(traces[0]), held)
        self.assertEqual(traces[0].stat().st_size, 0)               # far less than a block, and no tick yet
        self.assertEqual(stat.S_IMODE(traces[0].stat().st_mode), 0o600)
        self.assertRegex(self.lab.jobs_list(), r"\Aurl=http://127\.0\.0\.1:\d+/grp/demo/-/jobs/4242 state=running "
                                               r"stage=step_script executor_stage=prepare duration=[\d.]+m?s\n\Z")
        os.kill(below[2][0], signal.SIGKILL)
        job = self.lab.wait(pipeline)["jobs"][0]
        self.assertEqual(job["exit_code"], 1)                       # bash forgot the 137, see script.py
        self.assertIn(b"Killed", self.lab.trace(job))
        until("the trace's end", lambda: not traces[0].exists())

    def test_received_is_logged_before_the_trace_exists(self) -> None:
        pipeline = self.lab.pipeline(self.project, [{"name": "p", "script": [self.waiting()]}])
        born = until("the trace", lambda: [t.stat().st_ctime_ns for t in self.lab.trace_dir.glob("trace*")])[0]
        self.assertIn("Checking for jobs... received", self.lab.log_text())
        self.assertLessEqual(self.lab.runner_log.stat().st_mtime_ns, born)
        self.gate().touch()
        self.lab.wait(pipeline)

    def test_twenty_at_once_stay_apart(self) -> None:
        script = ["echo mark-$CI_JOB_ID-$CI_CONCURRENT_PROJECT_ID-", self.waiting(), "pwd"]
        pipeline = self.lab.pipeline(self.project, [{"name": f"j{n}", "script": script} for n in range(20)])
        until("all twenty in their script", lambda: self.lab.jobs_list().count("stage=step_script") == 20)
        self.gate().touch()
        done = self.lab.wait(pipeline)
        self.assertEqual(done["status"], "success")
        numbers = set()
        for job in done["jobs"]:
            text = self.lab.trace(job).decode()
            marks = re.findall(r"^mark-(\d+)-(\d+)-$", text, re.M)
            self.assertEqual([mark[0] for mark in marks], [str(job["id"])])
            self.assertIn(f"\n{self.lab.builds_dir}/glrt-AbC/{marks[0][1]}/grp/demo\n", text)
            numbers.add(int(marks[0][1]))
        self.assertEqual(numbers, set(range(20)))
        until("the usage log", lambda: len(self.lab.usage()) == 20)


class Jobs19(LabCase):
    options = {"version": "19.4.0", "update_interval_s": 0.2, "keep_alive_s": 0.2, "log_format": "json"}

    def test_log_usage_and_trace(self) -> None:
        done = self.run_jobs({"name": "bad", "script": ["echo out", "sleep 0.05; echo err >&2", "exit 7"]})
        job = done["jobs"][0]
        until("the last line", lambda: "Failed to process runner" in self.lab.log_text())
        lines = [json.loads(line) for line in self.lab.log_text().splitlines() if line.startswith("{")]
        said = {line["msg"]: line for line in lines}
        received, failed = said["Checking for jobs... received"], said["Job failed: exit status 7\n"]
        self.assertEqual(sorted(received), ["correlation_id", "job", "level", "msg", "repo_url", "runner", "time"])
        self.assertNotIn("@", received["repo_url"])
        self.assertEqual(said["Added job to processing list"]["project_full_path"], "grp/demo")
        self.assertEqual((failed["level"], failed["exit_code"], failed["failure_reason"], failed["project"]),
                         ("warning", 7, "script_failure", 77))
        order = [line["msg"] for line in lines]
        updates = [line["checksum"] for line in lines if line["msg"] == "Updating job..."]
        self.assertEqual(updates[0], "", "before there is a log")
        self.assertRegex(updates[-1], r"\Acrc32:[0-9a-f]{8}\Z")
        self.assertLess(order.index("Job failed: exit status 7\n"), len(order) - 1 - order[::-1].index("Updating job..."))
        record = until("the usage log", self.lab.usage)[0]
        self.assertEqual((record["job"]["id"], record["job"]["status"], record["job"]["failure_reason"]),
                         (job["id"], "failed", "script_failure"))
        self.assertEqual((record["job"]["project"], record["job"]["ref"]), (
            {"id": 77, "name": "demo", "full_path": "grp/demo"}, "main"))
        text = self.lab.trace(job).decode()
        stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z "
        for line in text.splitlines():
            if line:
                self.assertRegex(line, r"\A" + stamp + r"0[01][OE][ +]", line)
        plain = re.sub("^" + stamp, "", text, flags=re.M)
        self.assertIn("00O \x1b[0K  on lab AbCdEfGhI, system ID: s_1a2b3c4d5e6f\x1b[0;m\n", plain)
        self.assertIn("01O out\n", plain)
        self.assertIn("01E err\n", plain)
        self.assertIn("as detached HEAD (ref is main)...", plain)
        first = [r for r in self.lab.requests(r"jobs/\d+") if r["method"] != "POST"][0]
        self.assertEqual((first["method"], json.loads(first["body"])["state"]), ("PUT", "running"))

    def test_graceful_cancel_runs_after_script(self) -> None:
        pipeline = self.lab.pipeline(self.project, [{"name": "c", "script": ["echo started", self.waiting("never")],
                                                     "after_script": ["echo cleaned-up"]}])
        job = pipeline["jobs"][0]
        until("the script", lambda: b"started" in self.lab.trace(job))
        self.lab.cancel(job)
        self.assertEqual(self.lab.wait(pipeline)["status"], "canceled")
        self.assertIn(b"01O cleaned-up\n", self.lab.trace(job))

    def test_retries_what_a_busy_server_refuses(self) -> None:
        self.lab.fault("jobs/request", status=503, times=2)
        self.lab.fault(r"jobs/\d+/trace", status=429, headers={"Retry-After": "0"})
        self.assertEqual(self.run_jobs({"name": "r", "script": ["true"]})["status"], "success")


@unittest.skipUnless(os.geteuid() == 0, "needs root: jobs under another user go through su")
class JobsAsAnotherUser(LabCase):
    options = {"user": "nobody", "update_interval_s": 0.2}

    def test_su_makes_a_session(self) -> None:
        pipeline = self.lab.pipeline(self.project, [{"name": "u", "script": [
            "id -un", "echo session=$(ps -o sid= -p $$) shell=$$", "cat hello.txt", self.waiting()]}])
        job = pipeline["jobs"][0]
        found = until("the script", lambda: re.search(rb"session= *(\d+) shell=(\d+)\n", self.lab.trace(job)))
        assert self.lab.runner
        stat_fields = pathlib.Path(f"/proc/{int(found.group(2))}/stat").read_text().rpartition(")")[2].split()
        parent = int(stat_fields[1])
        self.assertEqual(pathlib.Path(f"/proc/{parent}/comm").read_text(), "su\n")
        self.assertNotEqual(os.getsid(int(found.group(2))), os.getsid(self.lab.runner.pid))
        self.assertEqual(os.stat(f"/proc/{int(found.group(2))}").st_uid, pwd.getpwnam("nobody").pw_uid)
        self.gate().touch()
        self.assertEqual(self.lab.wait(pipeline)["status"], "success")
        self.assertIn(b"nobody\n", self.lab.trace(job))
        self.assertIn(b"hello\n", self.lab.trace(job))


if __name__ == "__main__":
    program = unittest.main(exit=False)
    result = program.result
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(1 if failed else 0)
