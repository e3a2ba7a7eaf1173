"""A merge request that brings a vulnerability gets a note that says so, and the same note tells when it is gone."""
from __future__ import annotations

import json
import subprocess
import unittest

from system import SharedCase, System, wait_for
from vulnerabilities_test import advisory

ACCEPTED = """
[[ignore]]
project = "grp/shop"
id = "CVE-T-4"
reason = "only used by a test"
"""


def manifests(**versions: str) -> dict:
    """package.json and its lock file, with these packages."""
    packages = {"": {"name": "web", "dependencies": {name: "^" + version for name, version in versions.items()}}}
    packages.update({f"node_modules/{name}": {"version": version} for name, version in versions.items()})
    return {"package.json": json.dumps(packages[""]), "package-lock.json": json.dumps(
        {"name": "web", "lockfileVersion": 3, "packages": packages})}


class MergeRequestDependencies(SharedCase):
    @classmethod
    def setUpClass(cls) -> None:
        from doubles.lab import Lab
        cls.make_folder()
        cls.index = cls.base / "advisories.gdb"
        cls.lab = Lab(cls.base / "lab").__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.system = System(cls.base / "system", cls.lab, controller_toml=f'[advisories]\nindex = "{cls.index}"\n' + ACCEPTED).__enter__()
        cls.addClassCleanup(cls.system.close)

    def build(self, *records: dict) -> None:
        folder = self.base / "records"
        folder.mkdir(exist_ok=True)
        for record in records:
            (folder / (record["id"] + ".json")).write_text(json.dumps(record), encoding="utf-8")
        subprocess.run([str(self.system.bin / "gitaiops"), "advisories", "build", "--out", str(self.index), str(folder)], check=True,
                       capture_output=True)
        self.index.chmod(0o644)

    def run_pipeline(self, project: dict, **where: object) -> None:
        self.lab.wait(self.lab.pipeline(project, [{"name": "build", "script": ["sleep 1"]}], **where))

    def get(self, path: str) -> dict:
        code, answer = self.system.get(path)
        self.assertEqual(code, 200, answer)
        return answer

    def run_on_main(self, project: dict) -> None:
        """What a merge request is compared with, matched before there is one."""
        self.run_pipeline(project, ref="main")
        path = f"/api/v1/vulnerabilities?project={project['path_with_namespace']}"
        wait_for("main's inventory", lambda: [v for v in self.get(path)["vulnerabilities"] if v["ref"] == "main"])

    def test_what_a_merge_request_brings_is_told_until_it_is_gone(self) -> None:
        self.build(advisory("T-1", "lodash", "4.17.21"), advisory("T-2", "old", "9.0.0"), advisory("T-4", "tool", "2.0.0"))
        project = self.lab.project("grp/shop", files=manifests(old="1.0.0"))
        self.run_on_main(project)

        self.lab.commit(project, "feature", manifests(old="1.0.1", lodash="4.17.20", tool="1.0.0"))
        request = self.lab.merge_request(project, "feature", title="Use lodash")
        self.run_pipeline(project, merge_request=request)
        note = self.system.note(request, "1 new vulnerability")
        self.assertIn("**Dependencies:** 1 new vulnerability against `main` (1 high); packages: 2 added, 1 changed; 1 accepted.", note["body"])
        self.assertIn("- **high** `lodash 4.17.20` → fixed in `4.17.21` · `CVE-T-1` · asked for directly", note["body"])
        self.assertNotIn("`old", note["body"], "it was there before, whatever its version")

        self.assertIn("`CVE-T-4`: `only used by a test`", note["body"][note["body"].index("<details>"):])

        # The same by REST, and as documents that other programs read.
        place = f"/api/v1/projects/main/{project['id']}/"
        ref = next(v["ref"] for v in self.get("/api/v1/vulnerabilities?project=grp/shop")["vulnerabilities"] if v["package"] == "lodash")
        changes = self.get(f"{place}dependency_changes?from=main&to={ref}")
        self.assertEqual({v["package"]: v["accepted"] for v in changes["vulnerabilities_added"]},
                         {"lodash": None, "tool": "only used by a test"})
        self.assertEqual(changes["vulnerabilities_removed"], [])
        bill = self.get(f"{place}sbom?ref={ref}")
        self.assertIn("pkg:npm/lodash@4.17.20", [c["purl"] for c in bill["components"]])
        report = self.get(f"{place}dependency_scanning_report?ref={ref}")
        self.assertEqual(len(report["vulnerabilities"]), 2, "what is accepted is not in it")
        self.assertEqual(self.system.get(f"{place}sbom?ref=gone")[0], 404)

        # An advisory of today is told without a job.
        self.build(advisory("T-3", "lodash", "4.17.22"))
        told = self.system.note(request, "CVE-T-3")
        self.assertEqual(told["id"], note["id"])

        self.lab.commit(project, "feature", manifests(old="1.0.1", lodash="4.17.22"))
        self.run_pipeline(project, merge_request=request)
        mended = self.system.note(request, "**Dependencies:** no new vulnerability against `main`")
        self.assertEqual(mended["id"], note["id"])
        self.assertEqual(len(self.lab.notes(request)), 1)

    def test_what_a_project_lives_with_by_its_own_file_does_not_count_there(self) -> None:
        self.build(advisory("T-2", "old", "9.0.0"), advisory("T-9", "leftpad", "2.0.0"))
        project = self.lab.project("grp/own", files=manifests(old="1.0.0"))
        self.run_on_main(project)
        self.lab.commit(project, "feature", manifests(old="1.0.0", leftpad="1.0.0"))
        request = self.lab.merge_request(project, "feature", title="Use leftpad")
        self.run_pipeline(project, merge_request=request)
        self.system.note(request, "1 new vulnerability")

        self.lab.commit(project, "main", {".gitaiops.yml": "ignore:\n  - id: CVE-T-9\n    reason: never given foreign input\n"})
        self.run_pipeline(project, merge_request=request)
        body = self.system.note(request, "no new vulnerability")["body"]
        self.assertIn("`CVE-T-9`: `never given foreign input`", body[body.index("<details>"):])

        def accepted() -> set:
            found = self.get("/api/v1/vulnerabilities?project=grp/own")["vulnerabilities"]
            return {v["accepted"] for v in found if v["package"] == "leftpad"}
        self.assertEqual(accepted(), {"never given foreign input"})
        self.system.stop_controller()
        self.system.start_controller()
        self.assertEqual(accepted(), {"never given foreign input"})

    def test_a_merge_request_that_brings_nothing_bad_gets_none(self) -> None:
        self.build(advisory("T-1", "lodash", "4.17.21"))
        project = self.lab.project("grp/quiet", files=manifests(lodash="4.17.20"))
        self.run_on_main(project)
        self.lab.commit(project, "feature", manifests(lodash="4.17.20", other="1.0.0"))
        request = self.lab.merge_request(project, "feature", title="More")
        self.run_pipeline(project, merge_request=request)
        wait_for("its inventory", lambda: len(self.get("/api/v1/vulnerabilities?project=grp/quiet")["vulnerabilities"]) == 2)
        # What would have been told is told by a failure of the next job at the latest.
        self.lab.wait(self.lab.pipeline(project, [{"name": "build", "script": ["exit 1"]}], merge_request=request))
        note = self.system.note(request, "1 job failed")
        self.assertNotIn("new vulnerabilities", note["body"])
        wait_for("the packages", lambda: "no new vulnerability against `main`; packages: 1 added." in self.lab.notes(request)[0]["body"])


if __name__ == "__main__":
    unittest.main()
