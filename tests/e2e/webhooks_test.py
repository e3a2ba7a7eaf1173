"""GitLab tells by webhooks: proven or refused, once however often, and nothing lost when the controller is killed in the middle."""
from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import random
import signal
import threading
import time
import unittest
from typing import Any, Optional

from system import Case, System, wait_for

TOKEN = "a-secret-token"
KEY = bytes(range(32))
FAIL = {"name": "build", "script": ["echo 'x.c:7:1: error: boom'", "exit 1"]}


class Hooks(Case):
    def hooked(self, lab: Any = None, **options: Any) -> System:
        """A system whose GitLab may send webhooks: by token, or signed."""
        lab = lab or self.lab()
        files = []
        for name, text in (("hook.token", TOKEN), ("hook.key", "whsec_" + base64.b64encode(KEY).decode())):
            file = self.base / name
            file.write_text(text + "\n", encoding="ascii")
            file.chmod(0o600)
            files.append(str(file))
        return self.system(lab, gitlab_toml=f"webhook_secret_files = {json.dumps(files)}\n" + options.pop("gitlab_toml", ""), **options)

    @staticmethod
    def send(system: System, body: bytes, headers: dict[str, str], connection: Optional[http.client.HTTPConnection] = None) -> int:
        own = connection or http.client.HTTPConnection("127.0.0.1", system.api_port, timeout=10)
        try:
            own.request("POST", "/webhooks/gitlab/main", body, {"Content-Type": "application/json", **headers})
            answer = own.getresponse()
            answer.read()
            return answer.status
        finally:
            if connection is None:
                own.close()

    def tell(self, system: System, event: str, body: dict[str, Any], key: str = "", token: str = TOKEN) -> int:
        headers = {"X-Gitlab-Event": event, "X-Gitlab-Token": token}
        if key:
            headers["Idempotency-Key"] = key
        return self.send(system, json.dumps(body).encode(), headers)

    @staticmethod
    def events(system: System, **query: str) -> list[dict[str, Any]]:
        out, after = [], ""
        while True:
            filters = "".join(f"&{name}={value}" for name, value in query.items())
            status, page = system.get(f"/api/v1/events?limit=200{filters}" + (f"&after={after}" if after else ""))
            assert status == 200, page
            out += page["events"]
            if not page["next"]:
                return out
            after = page["next"]


class Proof(Hooks):
    def signed(self, body: bytes, ident: str, at: float, key: bytes = KEY) -> dict[str, str]:
        mac = hmac.new(key, f"{ident}.{int(at)}.".encode() + body, hashlib.sha256).digest()
        return {"webhook-id": ident, "webhook-timestamp": str(int(at)), "webhook-signature": "v1," + base64.b64encode(mac).decode()}

    def test_what_is_forged_late_or_doubled(self) -> None:
        system = self.hooked(agent=False)
        body = b'{"object_kind":"push","project_id":7}'
        now = time.time()
        self.assertEqual(self.send(system, body, {"X-Gitlab-Token": "guess"}), 401)
        self.assertEqual(self.send(system, body, {}), 401)
        self.assertEqual(self.send(system, body, self.signed(body, "a", now, b"x" * 32)), 401)
        self.assertEqual(self.send(system, body + b" ", self.signed(body, "a", now)), 401)
        self.assertEqual(self.send(system, body, self.signed(body, "a", now - 400)), 401)
        self.assertEqual(self.send(system, body, self.signed(body, "a", now - 400) | {"X-Gitlab-Token": TOKEN}), 401)
        self.assertEqual(self.events(system), [])
        for _ in range(3):      # GitLab's retries, and somebody who recorded one
            self.assertEqual(self.send(system, body, self.signed(body, "a", now)), 200)
        self.assertEqual(self.send(system, body, {"X-Gitlab-Token": TOKEN, "Idempotency-Key": "a"}), 200)
        self.assertEqual(self.send(system, b"not json", {"X-Gitlab-Token": TOKEN}), 200)
        wait_for("both are read", lambda: not self.events(system, state="waiting"))
        self.assertEqual(sorted(e["state"] for e in self.events(system)), ["ignored", "unreadable"])
        self.assertIn('gitaiops_webhooks_total{gitlab="main",result="known"} 3', system.get("/metrics")[1])
        self.assertEqual(system.log("controller").count("a webhook was refused"), 1)

    def test_ten_megabytes(self) -> None:
        system = self.hooked(agent=False)
        large = b'{"object_kind":"push","project_id":7,"x":"' + b"y" * 10_000_000 + b'"}'
        self.assertEqual(self.send(system, large, {"X-Gitlab-Token": TOKEN}), 200)
        wait_for("it is read", lambda: self.events(system, state="ignored"))
        refused = self.control_of_size(system, 11 << 20)
        self.assertIn(refused, (413, -1))       # -1: told while we were still sending
        self.assertEqual(len(self.events(system)), 1)

    def control_of_size(self, system: System, size: int) -> int:
        try:
            return self.send(system, b"x" * size, {"X-Gitlab-Token": TOKEN})
        except (BrokenPipeError, ConnectionResetError):
            return -1


class Promptness(Hooks):
    def test_a_job_without_an_agent_is_fetched_when_its_hook_comes(self) -> None:
        lab = self.lab()
        # The look by itself comes only once an hour; only the hook can be this prompt.
        system = self.hooked(lab, agent=False, gitlab_toml='poll_projects = ["grp/demo"]\npoll_interval = "1h"\n')
        project = lab.project("grp/demo", files={"a": "a"})
        job = lab.wait(lab.pipeline(project, [FAIL], ref="main"))["jobs"][0]
        body = {"object_kind": "build", "build_id": job["id"], "build_status": "failed", "project_id": project["id"],
                "project": {"id": project["id"], "path_with_namespace": "grp/demo"}}
        for key in ("k1", "k2"):    # two hooks tell the same
            self.assertEqual(self.tell(system, "Job Hook", body, key), 200)
        found = wait_for("the job is diagnosed", lambda: system.job(job["id"]), 60)
        self.assertEqual(found["diagnosis"]["root_cause"]["text"], "x.c:7:1: error: boom")
        self.assertEqual(len(system.jobs()), 1)
        self.assertEqual(len(lab.requests(f".*/jobs/{job['id']}/trace", "GET")), 1)


class Kill(Hooks):
    def test_killed_in_the_middle_nothing_is_lost_and_nothing_doubled(self) -> None:
        system = self.hooked(agent=False)
        answered: set[str] = set()
        stop = threading.Event()

        def gitlab(worker: int) -> None:
            """Sends until it is answered, as GitLab does."""
            n, connection = 0, None
            while not stop.is_set():
                key = f"{worker}-{n}"
                body = json.dumps({"object_kind": "build", "build_id": worker * 100_000 + n + 1, "build_status": "success",
                                   "project_id": 7, "project": {"path_with_namespace": "grp/demo"}}).encode()
                try:
                    connection = connection or http.client.HTTPConnection("127.0.0.1", system.api_port, timeout=10)
                    status = self.send(system, body, {"X-Gitlab-Token": TOKEN, "X-Gitlab-Event": "Job Hook", "Idempotency-Key": key}, connection)
                except (OSError, http.client.HTTPException):
                    if connection:
                        connection.close()
                    connection = None
                    time.sleep(0.02)
                    continue
                if status == 200:
                    answered.add(key)
                    n += 1

        workers = [threading.Thread(target=gitlab, args=(worker,)) for worker in range(4)]
        for worker in workers:
            worker.start()
        chance = random.Random(7)
        try:
            for _ in range(6):
                time.sleep(0.3 + chance.random())
                system.stop_controller(signal.SIGKILL)
                system.start_controller()
        finally:
            stop.set()
            for worker in workers:
                worker.join(20)
        self.assertGreater(len(answered), 100)
        wait_for("all are read", lambda: not self.events(system, state="waiting"), 60)
        rows = self.events(system)
        self.assertEqual({row["state"] for row in rows}, {"done"})
        objects = [row["object"] for row in rows]
        self.assertEqual(len(objects), len(set(objects)))
        said = {f"job {int(key.split('-')[0]) * 100_000 + int(key.split('-')[1]) + 1}" for key in answered}
        self.assertEqual(said - set(objects), set())
        self.assertLessEqual(len(set(objects) - said), 4 * 7)      # written down, the answer lost, never asked again


class Letters(Hooks):
    def test_events_are_shown_and_replayed_and_the_trail_holds(self) -> None:
        system = self.hooked(agent=False)
        self.assertEqual(self.tell(system, "Weather Hook", {"object_kind": "weather"}, "k"), 200)
        wait_for("it is read", lambda: self.events(system, state="ignored"))
        row = next(line for line in system.control("events", "list").splitlines() if "weather" in line)
        ident = row.split()[0]
        self.assertIn('{"object_kind": "weather"}', system.control("events", "show", ident))
        system.control("events", "replay", ident)
        wait_for("it is read again", lambda: self.events(system, state="ignored"))
        self.assertIn("(none)", system.control("dead-letters", "list"))
        verdict = system.control("audit", "verify")
        self.assertIn("are as they were written", verdict)
        noted = verdict.split(" is ")[-1]
        self.assertIn("are as they were written", system.control("audit", "verify", "--noted", noted))
        lines = [json.loads(line) for line in system.control("audit", "export").splitlines()]
        previous = bytes(32)
        for line in lines:      # by docs/operate.md, without us
            fields = [line[name] for name in ("n", "at_us", "actor", "act", "instance", "project_id", "object", "outcome")]
            text = b"".join(b"%d:%s," % (len(str(field).encode()), str(field).encode()) for field in fields)
            previous = hashlib.sha256(previous + text).digest()
            self.assertEqual(previous.hex(), line["hash"])
        self.assertEqual(noted, f"{lines[-1]['n']}:{lines[-1]['hash']}")


if __name__ == "__main__":
    unittest.main()
