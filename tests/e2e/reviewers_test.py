"""Who should look at a merge request: the controller mirrors the project over git's smart HTTP and proposes people in the note."""
from __future__ import annotations

import unittest

from system import Case, System, wait_for

BROKEN = {"lib/box.c": "int main() { return totl; }\n"}


class Reviewers(Case):
    def setUp(self) -> None:
        super().setUp()
        self.world = self.lab()
        self.world.settings(require_git_credentials=True)
        for username, name, more in (("ben", "Ben Ode", {}), ("cem", "Cem Dal", {}), ("dan", "Dan Eld", {"busy": True}),
                                     ("eve", "Eve Fay", {})):
            self.world.double("POST", "users", {"username": username, "name": name, **more})
        self.project = self.world.project("grp/demo", files={"README.md": "demo\n"},
                                          members={"ben": 30, "cem": 40, "dan": 30, "eve": 20})
        for number in range(3):
            for name in ("Ben Ode", "Dan Eld", "Eve Fay"):
                address = name.split()[0].lower()
                self.world.commit(self.project, "main", {"lib/a.c": f"{number} {name}\n"},
                                  f"lib: change {number}\n\nReviewed-by: {name} <{address}@people.example>\n")
        self.world.commit(self.project, "main", {"doc/a.md": "a\n"}, "doc: a\n\nReviewed-by: Cem Dal <cem@people.example>\n")

    def start(self, more: str = "") -> System:
        return self.system(self.world, controller_toml=f"[reviewers]\nenabled = true\n{more}")

    def run_change(self, files: dict, script: str):
        self.world.commit(self.project, "feature", files, start="main")
        request = self.world.merge_request(self.project, "feature")
        self.world.wait(self.world.pipeline(self.project, [{"name": "build", "script": [script]}], merge_request=request))
        return request

    def test_members_with_rights_and_time_are_proposed_with_the_reason(self) -> None:
        system = self.start()
        request = self.run_change(BROKEN, "gcc -c lib/box.c")
        body = system.note(request, "Ask `ben`")["body"]
        self.assertIn("Ask `ben` (`Ben Ode`): gave 3 of the last 9 reviews in `lib`, last review today", body)
        self.assertIn("or `cem`", body)
        for absent in ("dan", "eve", "alice"):
            self.assertNotIn(f"`{absent}`", body)
        self.assertEqual(system.note(request, "Ask `ben`")["mentions"], [])
        path = "/api/v1/reviewers?project=grp/demo&path=doc/b.md"
        answer = wait_for("an answer by REST", lambda: (lambda found: found[1] if not found[1]["pending"] else None)(system.get(path)))
        self.assertEqual(answer["reviewers"][0]["username"], "cem")
        mirrors = list((self.base / "system" / "controller" / "repositories").glob("*.git"))
        self.assertEqual(len(mirrors), 1)
        stored = b"".join(f.read_bytes() for f in mirrors[0].rglob("*") if f.is_file())
        self.assertNotIn(self.world.bot_token.encode(), stored)

    def test_a_note_for_reviewers_alone_where_that_is_wanted(self) -> None:
        system = self.start("own_note = true\n")
        request = self.run_change({"lib/box.c": "int a;\n"}, "true")
        self.assertIn("or `cem`", system.note(request, "Ask `ben`")["body"])

    def test_without_it_nothing_is_mirrored_or_said(self) -> None:
        system = System(self.base / "system", self.world)
        with system:
            request = self.run_change(BROKEN, "gcc -c lib/box.c")
            self.assertNotIn("ben", system.note(request, "box.c")["body"])
            self.assertFalse((self.base / "system" / "controller" / "repositories").exists())
            self.assertEqual([r for r in self.world.requests(path=".*/members/all.*")], [])


if __name__ == "__main__":
    unittest.main()
