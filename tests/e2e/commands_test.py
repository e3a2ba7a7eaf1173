"""People ask in comments: webhooks bring them, GitLab says who may, what is asked for is done once and answered once."""
from __future__ import annotations

import json
import signal
import time
from typing import Any

from doubles.model_server import ModelServer
from system import System, wait_for
import webhooks_test

LEASE_S = 120    # what was being done when the controller was killed waits that long
BROKEN = {"lib/box.c": "int main() { return totl; }\n"}
# One after the other: the logs of jobs that start within one moment may be withheld.
JOBS = [{"name": "lint", "stage": "lint", "script": ["exit 1"], "allow_failure": True},
        {"name": "build", "stage": "build", "script": ["gcc -c lib/box.c"]}]


class Commands(webhooks_test.Hooks):
    def setUp(self) -> None:
        super().setUp()
        self.world = self.lab()
        for name in ("ben", "cem", "gus", "mal"):
            self.world.double("POST", "users", {"username": name, "name": name.title() + " Ode"})
            self.world.double("POST", "tokens", {"user": name, "token": f"token-of-{name}"})
        self.project = self.world.project("grp/demo", files={"README.md": "demo\n"}, members={"ben": 30, "cem": 30, "gus": 10})
        self.sent = 0

    def change(self, jobs: list[dict[str, Any]] = JOBS, branch: str = "feature") -> dict[str, Any]:
        self.world.commit(self.project, branch, BROKEN, start="main")
        request = self.world.merge_request(self.project, branch)
        self.pipeline = self.world.pipeline(self.project, jobs, merge_request=request)
        self.world.wait(self.pipeline)
        return request

    def comment(self, request: dict[str, Any], body: str, token: str = "") -> dict[str, Any]:
        """Written at GitLab, told to nobody."""
        status, _, made = self.world.api("POST", f"projects/{request['project_id']}/merge_requests/{request['iid']}/notes", {"body": body},
                                         token=token or None)
        self.assertEqual(status, 201, made)
        return next(note for note in self.world.notes(request) if note["id"] == made["id"])

    def hook(self, system: System, request: dict[str, Any], note: dict[str, Any], **fields: Any) -> None:
        """Signed as GitLab does; another delivery each time."""
        self.sent += 1
        attributes = {"id": note["id"], "note": note["body"], "action": "create", "noteable_type": "MergeRequest", "system": False,
                      "discussion_id": note["discussion_id"], **fields}
        body = json.dumps({"object_kind": "note", "event_type": "note", "project_id": request["project_id"],
                           "project": {"id": request["project_id"], "path_with_namespace": "grp/demo"}, "object_attributes": attributes,
                           "merge_request": {"iid": request["iid"], "target_project_id": request["project_id"]}}).encode()
        self.assertEqual(self.send(system, body, {"X-Gitlab-Event": "Note Hook"} | webhooks_test.Proof.signed(self, body, f"m{self.sent}", time.time())), 200)

    def ask(self, system: System, request: dict[str, Any], body: str, token: str = "") -> dict[str, Any]:
        note = self.comment(request, body, token)
        self.hook(system, request, note)
        return note

    def replies(self, request: dict[str, Any], note: dict[str, Any]) -> list[dict[str, Any]]:
        return [n for n in self.world.notes(request) if n["discussion_id"] == note["discussion_id"] and n["id"] != note["id"]]

    def answer(self, system: System, request: dict[str, Any], body: str, token: str = "") -> str:
        note = self.ask(system, request, body, token)
        found = wait_for(lambda: "a reply\n" + system.story(), lambda: self.replies(request, note))
        self.assertEqual(len(found), 1)
        self.assertEqual((found[0]["mentions"], found[0]["commands"]), ([], []))
        self.assertEqual(found[0]["author"]["username"], "gitaiops-bot")
        marker, _, words = found[0]["body"].partition("\n")
        self.assertEqual(marker, f"<!-- gitaiops:reply v1 {note['id']} -->")
        return words

    def idle(self, system: System) -> None:
        wait_for("events are read", lambda: not self.events(system, state="waiting"))
        wait_for("an idle queue", lambda: all(f'gitaiops_queue_items{{state="{state}"}} 0' in system.get("/metrics")[1]
                                              for state in ("waiting", "leased")), LEASE_S + 30)

    def retries(self) -> int:
        return len(self.world.requests("/jobs/[0-9]+/retry", "POST"))

    def audit(self, system: System) -> list[str]:
        return [f"{r['actor']} {r['act']} {r['outcome']}" for r in system.get("/api/v1/audit?limit=200")[1]["records"]
                if r["actor"].startswith("user:")]


class Asked(Commands):
    def test_every_command(self) -> None:
        system = self.hooked(self.world)
        request = self.change()
        system.note(request, "compile error")
        self.assertIn("- `/gitaiops explain`", self.answer(system, request, "/gitaiops help"))
        self.assertIn("`/gitaiops help` lists them", self.answer(system, request, "/gitaiops tidy `@all`"))
        words = self.answer(system, request, "Why?\n\n/gitaiops explain")
        self.assertIn("`build` — compile error", words)
        self.assertIn("`lib/box.c:1:21: error: ‘totl’ undeclared", words)
        self.assertIn("`lint`", words)
        self.assertIn("does not look for reviewers", self.answer(system, request, "/gitaiops reviewers"))
        self.assertEqual(self.answer(system, request, "/gitaiops wrong-reviewer @ben"),
                         "`ben` is not proposed for this merge request again.\n")

        self.assertIn("stays as it is", self.answer(system, request, "/gitaiops mute"))
        muted = system.note(request, "Muted by `alice`; a comment with `/gitaiops unmute` ends that.")["body"]
        self.assertEqual(self.answer(system, request, "/gitaiops retry"), "- `build` is retried.\n")
        self.world.wait(self.pipeline)
        time.sleep(2)
        self.assertEqual(system.note(request)["body"], muted)
        self.answer(system, request, "/gitaiops unmute")
        self.assertNotIn("Muted", system.note(request, "`build` was retried for `alice`; it failed again.")["body"])
        self.assertEqual(self.answer(system, request, "/gitaiops retry lint"), "- `lint` is retried.\n")
        self.world.wait(self.pipeline)
        self.assertEqual(self.retries(), 2)
        self.assertEqual(len([n for n in self.world.notes(request) if "gitaiops:note" in n["body"]]), 1)
        audit = self.audit(system)
        for act in ("help", "explain", "reviewers", "wrong-reviewer", "mute", "unmute", "retry"):
            self.assertTrue(any(line.startswith(f"user:alice command.{act} done, asked for in note ") for line in audit), (act, audit))
        self.assertEqual(sum(line == "user:alice job.retry done" for line in audit), 2)
        self.assertIn('gitaiops_commands_total{command="retry",outcome="done"} 2', system.get("/metrics")[1])
        self.assertIn("are as they were written", system.control("audit", "verify"))

    def test_who_may_not(self) -> None:
        system = self.hooked(self.world, agent=False)
        request = self.change([])
        self.assertEqual(self.answer(system, request, "/gitaiops mute", "token-of-gus"),
                         "That takes the role Developer in this project, or more.\n")
        stranger = self.comment(request, "/gitaiops mute")
        self.world.double("PATCH", f"notes/{stranger['id']}", {"author": "mal"})
        secret = self.comment(request, "/gitaiops mute")
        self.world.double("PATCH", f"notes/{secret['id']}", {"confidential": True})
        lie = self.comment(request, "nothing is asked for here")
        edit = self.comment(request, "/gitaiops mute")
        for note in (stranger, secret, lie | {"body": "/gitaiops mute"}):
            self.hook(system, request, note)
        self.hook(system, request, edit, action="update")
        self.idle(system)
        for note in (stranger, secret, lie, edit):
            self.assertEqual(self.replies(request, note), [])
        self.assertEqual([line.split(",")[0] for line in self.audit(system)],
                         ["user:mal command.refuse no active member of the project", "user:gus command.refuse no developer of the project"])

    def test_switched_off(self) -> None:
        system = self.hooked(self.world, agent=False, controller_toml="[commands]\nenabled = false\n")
        request = self.change([])
        note = self.ask(system, request, "/gitaiops help")
        wait_for("it is read", lambda: self.events(system, state="ignored"))
        self.assertEqual(self.replies(request, note), [])


class Reviewers(Commands):
    def test_who_could_review_this_and_who_could_not(self) -> None:
        for number in range(3):
            for name in ("Ben Ode", "Cem Ode", "Ben Ode"):
                self.world.commit(self.project, "main", {"lib/a.c": f"{number} {name}\n"},
                                  f"lib: change {number}\n\nReviewed-by: {name} <{name[:3].lower()}@people.example>\n")
        system = self.hooked(self.world, controller_toml="[reviewers]\nenabled = true\n")
        request = self.change()
        system.note(request, "Ask `ben`")
        self.assertIn("- Ask `ben` (`Ben Ode`): gave ", self.answer(system, request, "/gitaiops reviewers"))
        self.answer(system, request, "/gitaiops wrong-reviewer @ben")
        self.assertNotIn("`ben`", system.note(request, "Ask `cem`")["body"])
        words = self.answer(system, request, "/gitaiops reviewers")
        self.assertIn("- Ask `cem`", words)
        self.assertNotIn("`ben`", words)


class Once(Commands):
    def test_a_delivery_that_comes_again(self) -> None:
        system = self.hooked(self.world)
        request = self.change()
        system.note(request, "compile error")
        note = self.ask(system, request, "/gitaiops retry")
        wait_for("a reply", lambda: self.replies(request, note))
        for _ in range(3):
            self.hook(system, request, note)
        self.idle(system)
        self.assertEqual((self.retries(), len(self.replies(request, note))), (1, 1))

    def test_killed_between_the_act_and_the_reply(self) -> None:
        system = self.hooked(self.world)
        request = self.change()
        system.note(request, "compile error")
        # GitLab has taken both, and the controller never hears of it.
        self.world.fault(r".*/retry", method="POST", times=1, drop="after")
        self.world.fault(r".*/discussions/[0-9a-f]+/notes", method="POST", times=1, drop="after")
        note = self.ask(system, request, "/gitaiops retry")
        wait_for("the retry", lambda: self.retries() == 1)
        system.stop_controller(signal.SIGKILL)
        system.start_controller()
        wait_for(lambda: "a reply\n" + system.story(), lambda: self.replies(request, note), 90)
        system.stop_controller(signal.SIGKILL)
        system.start_controller()
        self.hook(system, request, note)
        self.idle(system)
        self.assertEqual((self.retries(), len(self.replies(request, note))), (1, 1))

    def test_hostile_comments(self) -> None:
        system = self.hooked(self.world, agent=False)
        request = self.change([])
        many = "".join(f"/gitaiops retry @all{n} </code>\n" for n in range(10_000))
        words = self.answer(system, request, many)
        self.assertIn("No more than 5 commands of one comment are read.", words)
        self.assertLess(len(words), 2000)
        large = "x" * 999_000 + "\n/gitaiops help"
        self.assertIn("`/gitaiops explain`", self.answer(system, request, large))
        self.assertIn("is no command", self.answer(system, request, "/gitaiops ``@all`<b>~label /close"))
        for body in ("```\n/gitaiops mute\n```", "> /gitaiops mute", "<!--\n/gitaiops mute\n-->"):
            self.ask(system, request, body)
        self.idle(system)
        self.assertEqual(self.retries(), 0)
        self.assertFalse(any("mute" in line for line in self.audit(system)))
        # 7 are used up: 13 more, then silence.
        for n in range(13):
            self.answer(system, request, f"/gitaiops retry job{n}")
        note = self.ask(system, request, "/gitaiops help")
        self.idle(system)
        self.assertEqual(self.replies(request, note), [])
        self.assertIn('gitaiops_commands_total{command="help",outcome="limited"} 1', system.get("/metrics")[1])


class Models(Commands):
    def test_a_model_is_asked_where_the_rules_are_sure(self) -> None:
        model = ModelServer().__enter__()
        self.addCleanup(model.close)
        system = self.hooked(self.world, controller_toml=f"""[[model_price]]
model = "tiny"
input = 1.0
output = 10.0
[models]
provider = "openai"
names = ["tiny"]
url = "{model.url}"
projects = ["grp/*"]
""")
        request = self.change([{"name": "fetch", "script": ["echo 'curl: (6) Could not resolve host: mirror.example.invalid'; exit 6"]}])
        system.note(request, "host name does not resolve")
        self.idle(system)
        self.assertEqual(len(model.questions()), 0)
        self.assertIn("A model is asked about 1 job", self.answer(system, request, "/gitaiops explain"))
        self.assertIn("`tiny`", system.note(request, "which may be wrong, reads it as")["body"])
        self.assertEqual(len(model.questions()), 1)


if __name__ == "__main__":
    import unittest
    unittest.main()
