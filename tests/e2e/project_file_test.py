"""A project decides by its own file `.gitaiops.yml` what its notes hold."""
from __future__ import annotations

import unittest

from system import DemoCase, System, wait_for


class ProjectFile(DemoCase):
    def setUp(self) -> None:
        super().setUp()
        self.world.commit(self.project, "feature", {"box.c": "int main() { return totl; }\n"}, start="main")
        self.request = self.world.merge_request(self.project, "feature")

    def start(self, more: str = "") -> System:
        return self.system(self.world, controller_toml=more)

    def run_job(self, name: str) -> None:
        self.world.wait(self.world.pipeline(self.project, [{"name": name, "script": ["gcc -c box.c"]}], merge_request=self.request))

    def says(self, text: str) -> None:
        self.world.commit(self.project, "main", {".gitaiops.yml": text}, "Notes as we want them")

    def test_a_section_is_switched_off_a_mistake_is_told_and_then_the_whole_note_goes(self) -> None:
        system = self.start()
        self.run_job("first")
        self.assertIn(" · wall ", system.note(self.request, "`first`")["body"])

        self.says("note:\n  usage: off\n  risks: off\n")
        self.run_job("second")
        body = system.note(self.request, "`second`")["body"]
        self.assertNotIn(" · wall ", body)
        self.assertIn('`.gitaiops.yml, line 3: nothing is called "risks" here; did you mean "note.risk"?`',
                      body.partition("<details>")[2])

        self.says("note: off\n")
        self.run_job("third")
        body = system.note(self.request, "switched off")["body"]
        self.assertNotIn("box.c", body)
        self.assertEqual(len([n for n in self.world.notes(self.request) if "gitaiops:note" in n["body"]]), 1)

    def test_guidelines_for_the_files_that_are_touched(self) -> None:
        system = self.start()
        self.world.commit(self.project, "main", {
            ".gitaiops.yml": "guidelines:\n  - name: C sources\n    files: ['**/*.c']\n    text: Is every size checked?\n",
            ".gitlab/duo/mr-review-instructions.yaml": "instructions:\n  - name: Pages\n    fileFilters: ['web/**']\n    instructions: Works without a mouse\n"})
        self.run_job("first")
        body = system.note(self.request, "Guidelines for what it touches: `C sources`")["body"]
        self.assertIn("| Is every size checked?", body.partition("<details>")[2])
        self.assertNotIn("mouse", body)

    def test_the_branch_of_a_merge_request_switches_nothing_off(self) -> None:
        system = self.start()
        self.world.commit(self.project, "feature", {".gitaiops.yml": "note: off\n"})
        self.run_job("first")
        self.assertIn("box.c", system.note(self.request, "`first`")["body"])

    def test_what_the_configuration_leaves_out_a_project_may_want(self) -> None:
        system = self.start('[note]\nleave_out = ["usage"]\n')
        self.run_job("first")
        self.assertNotIn(" · wall ", system.note(self.request, "`first`")["body"])
        self.says("note:\n  usage: on\n")
        self.run_job("second")
        wait_for("its usage", lambda: " · wall " in system.note(self.request, "`second`")["body"])


if __name__ == "__main__":
    unittest.main()
