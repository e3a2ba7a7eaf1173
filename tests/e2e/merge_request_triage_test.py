"""What a merge request is like among its project's changes: two lines in the note, labels where they are wanted, and the API."""
from __future__ import annotations

import unittest

from system import DemoCase, System, wait_for

BROKEN = {"lib/box.c": "int main() { return totl; }\n"}
RISKY = {**BROKEN, "lib/auth/login.c": "".join(f"int sign_in_{n};\n" for n in range(900))}
LABELS = '["risk::low", "risk::medium", "risk::high", "size::large", "size::trivial", "review:security", "type::bugfix"]'


class Triage(DemoCase):
    def setUp(self) -> None:
        super().setUp()
        self.world.settings(require_git_credentials=True)
        for number in range(24):
            self.world.commit(self.project, "main", {f"lib/{number % 4}.c": f"int n{number};\n"}, f"lib: change {number}")

    def start(self, more: str = "") -> System:
        return self.system(self.world, controller_toml=f"[triage]\nenabled = true\n{more}")

    def push(self, files: dict, **more: str) -> None:
        self.world.commit(self.project, "feature", files, **more)

    def run_jobs(self, request, script: str) -> None:
        self.world.wait(self.world.pipeline(self.project, [{"name": "build", "script": [script]}], merge_request=request))

    def request(self, files: dict, script: str, title: str = "fix: sign in twice"):
        self.push(files, start="main")
        request = self.world.merge_request(self.project, "feature", title=title)
        self.run_jobs(request, script)
        return request

    def labels(self, request) -> list[str]:
        return sorted(self.at_gitlab("GET", request)["labels"])

    def at_gitlab(self, method: str, request, body=None):
        return self.world.api(method, f"projects/{self.project['id']}/merge_requests/{request['iid']}", body)[2]

    def known(self, system: System, request):
        status, found = system.get(f"/api/v1/merge_requests/main/{self.project['id']}/{request['iid']}")
        return found if status == 200 else None

    def test_the_note_and_the_api_say_what_the_change_is_like(self) -> None:
        system = self.start()
        request = self.request(RISKY, "gcc -c lib/box.c")
        body = system.note(request, "Size large")["body"]
        self.assertIn("+901 −0 lines in 2 files", body)
        self.assertIn("needs a review of its security (it touches how people sign in or what they may do: `lib/auth/login.c`)", body)
        self.assertRegex(body, r"\n- Risk \**(low|medium|high)\**, above \d+ % of this project's changes")
        self.assertLess(body.index("- Risk"), body.index("box.c"))
        self.assertLessEqual(len(body.split("<details>")[0].splitlines()), 25)
        found = self.known(system, request)
        self.assertEqual(found["kind"], {"type": "bugfix", "confidence": 0.95, "said": True})
        self.assertEqual(found["size"]["lines_added"], 901)
        self.assertEqual(found["sha"], self.at_gitlab("GET", request)["sha"])
        self.assertEqual(found["required_reviews"][0]["area"], "security")
        self.assertIsNotNone(found["note_id"])
        self.assertEqual(self.labels(request), [])
        self.assertEqual(len(system.get("/api/v1/merge_requests?project=grp/demo")[1]["merge_requests"]), 1)

    def test_labels_follow_the_change_and_yield_to_people(self) -> None:
        system = self.start(f"labels = {LABELS}\n")
        request = self.request(RISKY, "gcc -c lib/box.c")
        wait_for("labels", lambda: "review:security" in self.labels(request))
        first = self.labels(request)
        self.assertIn("size::large", first)
        self.assertIn("type::bugfix", first)
        self.at_gitlab("PUT", request, {"remove_labels": "review:security", "add_labels": "mine"})
        self.push({"lib/auth/login.c": "int sign_in;\n"})
        self.run_jobs(request, "gcc -c lib/box.c")
        wait_for("the smaller size", lambda: "size::trivial" in self.labels(request))
        labels = self.labels(request)
        self.assertNotIn("size::large", labels)
        self.assertNotIn("review:security", labels)
        self.assertIn("mine", labels)
        audit = [(r["actor"], r["outcome"]) for r in system.get("/api/v1/audit")[1]["records"] if r["act"] == "labels.set"]
        self.assertTrue(any(who == "reaction:triage" and what.startswith("decided: add ") for who, what in audit), audit)
        self.assertTrue(any(what.startswith("done: add ") for _, what in audit), audit)
        self.assertEqual(len([n for n in self.world.notes(request) if "gitaiops:note" in n["body"]]), 1)

    def test_a_small_change_is_passed_over_and_thousands_of_files_are_not(self) -> None:
        system = self.start("own_note = true\n")
        small = self.request({"lib/1.c": "int a;\n"}, "true", title="Add a")
        wait_for("it is known", lambda: self.known(system, small))
        self.assertEqual(self.world.notes(small), [])
        self.push({f"data/{n}.txt": f"{n}\n" for n in range(3000)})
        self.run_jobs(small, "true")
        self.assertIn("lines in 3001 files", system.note(small, "Size huge")["body"])

    def test_a_history_that_cannot_be_read_keeps_nobody_waiting(self) -> None:
        system = self.start()
        mirrors = self.base / "system" / "controller" / "repositories"
        mirrors.rmdir()
        mirrors.write_text("in the way\n", encoding="ascii")
        request = self.request(RISKY, "gcc -c lib/box.c")
        body = system.note(request, "box.c")["body"]
        self.assertNotIn("Risk", body)
        log = self.base / "system" / "controller.log"
        wait_for("a warning", lambda: b"cannot be read" in log.read_bytes())
        self.assertEqual(log.read_bytes().count(b"history cannot be read"), 1)


if __name__ == "__main__":
    unittest.main()
