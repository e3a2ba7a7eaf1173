"""What the jobs' checkouts depend on reaches the controller: read on the host, once a commit, for those who may see it."""
from __future__ import annotations

import unittest

from system import SharedCase, wait_for

LOCK = """{"name": "web", "lockfileVersion": 3, "packages": {
  "": {"name": "web", "dependencies": {"express": "^4.0.0"}},
  "node_modules/express": {"version": "4.17.1", "dependencies": {"qs": "6.7.0"}},
  "node_modules/qs": {"version": "6.7.0"}}}
"""


class Inventory(SharedCase):
    def run_job(self, path: str, files: dict, script: str):
        project = self.lab.project(path, files={"README.md": "demo\n"})
        self.lab.commit(project, "feature", files)
        request = self.lab.merge_request(project, "feature", title="Change")
        return self.lab.wait(self.lab.pipeline(project, [{"name": "build", "script": [script]}], merge_request=request))

    def uses(self, ecosystem: str, name: str, versions: str = "") -> list:
        query = f"/api/v1/packages?ecosystem={ecosystem}&name={name}" + (f"&versions={versions}" if versions else "")
        code, page = self.system.get(query)
        self.assertEqual(code, 200, page)
        return page["packages"]

    def test_packages_of_a_checkout_are_known_with_project_and_version(self) -> None:
        files = {"web/package.json": '{"dependencies": {"express": "^4.0.0"}}\n', "web/package-lock.json": LOCK,
                 "requirements.txt": "requests==2.19.0\n"}
        # Longer than a glance: a job of no time at all may be over before its checkout was read.
        self.run_job("grp/shop", files, "sleep 1; exit 1")
        deep = wait_for("the inventory", lambda: self.uses("npm", "qs"))
        self.assertEqual([(u["project_path"], u["version"], u["direct"]) for u in deep], [("grp/shop", "6.7.0", False)])
        self.assertTrue(self.uses("npm", "express")[0]["direct"])
        self.assertEqual(self.uses("PyPI", "Requests", "%3C2.20")[0]["version"], "2.19.0")
        self.assertEqual(self.uses("PyPI", "requests", "%3E%3D2.20"), [])
        wait_for("the branch, by GitLab's word", lambda: self.uses("npm", "qs")[0]["ref"])

    def test_a_broken_manifest_hides_nothing_else(self) -> None:
        self.run_job("grp/broken", {"a/package-lock.json": "<html>sign in</html>\n", "go.mod": "module x\n\nrequire golang.org/x/net v0.1.0\n"},
                     "sleep 1")
        found = wait_for("the inventory beside the broken file", lambda: self.uses("Go", "golang.org/x/net"))
        self.assertEqual(found[0]["project_path"], "grp/broken")


if __name__ == "__main__":
    unittest.main()
