"""What is wrong with what projects depend on is listed: after a job, and, when an advisory is new, without one."""
from __future__ import annotations

import http.server
import json
import subprocess
import threading
import unittest

from system import SharedCase, wait_for, System

LOCK = """{"name": "web", "lockfileVersion": 3, "packages": {
  "": {"name": "web", "dependencies": {"express": "^4.0.0"}},
  "node_modules/express": {"version": "4.17.1", "dependencies": {"qs": "6.7.0"}},
  "node_modules/qs": {"version": "6.7.0"}}}
"""


def advisory(name: str, package: str, fixed: str) -> dict:
    return {"id": name, "modified": "2026-01-02T03:04:05Z", "aliases": ["CVE-" + name], "summary": f"{package} can be stopped from afar",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
            "affected": [{"package": {"ecosystem": "npm", "name": package},
                          "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}]}


class Vulnerabilities(SharedCase):
    @classmethod
    def setUpClass(cls) -> None:
        from doubles.lab import Lab
        cls.make_folder()
        cls.index = cls.base / "advisories.gdb"
        cls.lab = Lab(cls.base / "lab").__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.system = System(cls.base / "system", cls.lab, controller_toml=f'[advisories]\nindex = "{cls.index}"\n').__enter__()
        cls.addClassCleanup(cls.system.close)

    def build(self, *records: dict) -> None:
        folder = self.base / "records"
        folder.mkdir(exist_ok=True)
        for record in records:
            (folder / (record["id"] + ".json")).write_text(json.dumps(record), encoding="utf-8")
        subprocess.run([str(self.system.bin / "gitaiops"), "advisories", "build", "--out", str(self.index), str(folder)], check=True,
                       capture_output=True)
        self.index.chmod(0o644)

    def found(self, query: str = "") -> list:
        code, page = self.system.get("/api/v1/vulnerabilities" + query)
        self.assertEqual(code, 200, page)
        return page["vulnerabilities"]

    def test_an_advisory_of_today_concerns_a_commit_of_yesterday(self) -> None:
        self.build(advisory("T-1", "qs", "6.7.3"))
        project = self.lab.project("grp/shop", files={"README.md": "demo\n"})
        self.lab.commit(project, "feature", {"web/package.json": '{"dependencies": {"express": "^4.0.0"}}\n', "web/package-lock.json": LOCK})
        request = self.lab.merge_request(project, "feature", title="Change")
        self.lab.wait(self.lab.pipeline(project, [{"name": "build", "script": ["sleep 1; exit 1"]}], merge_request=request))
        first = wait_for("what is wrong with the checkout", self.found)
        self.assertEqual([(v["project_path"], v["package"], v["version"], v["advisory"], v["severity"], v["fixed_version"]) for v in first],
                         [("grp/shop", "qs", "6.7.0", "T-1", "high", "6.7.3")])
        self.assertEqual(first[0]["path"], ["express@4.17.1", "qs@6.7.0"])
        wait_for("the branch, by GitLab's word", lambda: [v for v in self.found() if v["ref"]])
        jobs = len(self.system.jobs())

        self.build(advisory("T-2", "express", "4.18.0"))
        second = wait_for("what the new advisory says", lambda: self.found("?purl=pkg:npm/express"))
        self.assertEqual((second[0]["advisory"], second[0]["project_path"]), ("T-2", "grp/shop"))
        self.assertEqual(len(self.system.jobs()), jobs, "no job brought it")
        self.assertEqual([v["advisory"] for v in self.found("?advisory=CVE-T-1&severity=high")], ["T-1"])
        self.assertEqual(self.found("?severity=critical"), [])

        self.index.with_suffix(".new").write_bytes(b"no index")
        self.index.with_suffix(".new").replace(self.index)
        wait_for("the warning", lambda: "the index of advisories cannot be used" in self.system.log("controller"))
        self.assertEqual(len(self.found()), 2)


class Publisher(http.server.ThreadingHTTPServer):
    """Serves one body, with a version, until told otherwise."""

    def __init__(self) -> None:
        self.body, self.status, self.asked = b"", 200, 0
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        publisher = self.server
        assert isinstance(publisher, Publisher)
        publisher.asked += 1
        version = f'"{hash(publisher.body)}"'
        same = self.headers.get("If-None-Match") == version
        self.send_response(304 if same else publisher.status)
        self.send_header("ETag", version)
        self.send_header("Content-Length", "0" if same else str(len(publisher.body)))
        self.end_headers()
        if not same:
            self.wfile.write(publisher.body)

    def log_message(self, *_: object) -> None:
        pass


class Sources(SharedCase):
    """Advisories that the controller fetches itself."""

    @classmethod
    def setUpClass(cls) -> None:
        from doubles.lab import Lab
        cls.make_folder()
        cls.publisher = Publisher()
        cls.addClassCleanup(cls.publisher.shutdown)
        cls.publisher.body = json.dumps(advisory("T-1", "qs", "6.7.3")).encode()
        cls.own = cls.base / "own"
        cls.own.mkdir()
        sources = [f"http://127.0.0.1:{cls.publisher.server_address[1]}/npm.json", str(cls.own)]
        cls.lab = Lab(cls.base / "lab").__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.system = System(cls.base / "system", cls.lab, controller_toml=f"[advisories]\nsources = {json.dumps(sources)}\n").__enter__()
        cls.addClassCleanup(cls.system.close)

    def refresh(self) -> subprocess.CompletedProcess:
        return self.system.run("gitaiops-controller", "advisories", "refresh", "--config", str(self.system.controller_toml), check=False)

    def found(self) -> list:
        return sorted(v["advisory"] for v in self.system.get("/api/v1/vulnerabilities")[1]["vulnerabilities"])

    def test_they_are_fetched_at_the_start_and_later_without_a_job(self) -> None:
        wait_for(lambda: f"the first index\n{self.system.story()}", lambda: "advisories are in use" in self.system.log("controller"))
        project = self.lab.project("grp/shop", files={"package-lock.json": LOCK})
        self.lab.wait(self.lab.pipeline(project, [{"name": "build", "script": ["sleep 1"]}], ref="main"))
        wait_for(lambda: f"what is wrong\n{self.system.story()}", lambda: self.found() == ["T-1"])

        (self.own / "ours.json").write_text(json.dumps(advisory("OURS-1", "express", "4.18.0")), encoding="utf-8")
        self.publisher.status, self.publisher.body = 200, b"<html>sign in</html>"
        done = self.refresh()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("the copy before it stays in use", done.stderr)
        self.assertIn("1 of the sources failed", done.stderr)
        wait_for("what our own record says, and what the lost source said before", lambda: self.found() == ["OURS-1", "T-1"])

        self.publisher.body = json.dumps(advisory("T-2", "qs", "6.7.4")).encode()
        done = self.refresh()
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_for("what is known by now", lambda: self.found() == ["OURS-1", "T-2"])


if __name__ == "__main__":
    unittest.main()
