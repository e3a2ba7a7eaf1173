"""Many jobs at once: short ones are caught whole, simultaneous ones keep their own lines, liars change nothing."""
from __future__ import annotations

import pathlib
import re
import tempfile
import unittest

from doubles.lab import Lab
from system import System, wait_for


class ManyJobs(unittest.TestCase):
    def world(self, **options):
        folder = tempfile.TemporaryDirectory(prefix="gitaiops-e2e-")
        self.addCleanup(folder.cleanup)
        base = pathlib.Path(folder.name)
        base.chmod(0o755)
        lab = Lab(base / "lab", **options).__enter__()
        self.addCleanup(lab.close)
        system = System(base / "system", lab).__enter__()
        self.addCleanup(system.close)
        return lab, system

    def reports(self, system, count, limit_s=90.0):
        def look():
            rows = [row for row in system.jobs() if row["state"] == "finished"]
            return rows if len(rows) >= count else None
        rows = wait_for(f"{count} reports; {system.status()}", look, limit_s)
        return {row["job_id"]: system.get(f"/api/v1/jobs/{row['id']}")[1] for row in rows}

    def test_short_jobs_are_caught_whole_in_bursts_and_in_a_stream(self) -> None:
        for concurrent in (10, 1):
            with self.subTest(concurrent=concurrent):
                self.hundred_short_jobs(concurrent)

    def hundred_short_jobs(self, concurrent: int) -> None:
        lab, system = self.world(concurrent=concurrent)
        project = lab.project("grp/short", files={"a": "a"})
        jobs = [{"name": f"short{i}", "script": [f"echo 'x.c:{i + 1}:1: error: number {i}'", "exit 1"]} for i in range(100)]
        done = lab.wait(lab.pipeline(project, jobs, ref="main"), timeout_s=200)
        reports = self.reports(system, 100)
        whole = 0
        for job in done["jobs"]:
            report = reports[job["id"]]
            self.assertEqual(report["outcome"], "failed")
            if report["log"]["availability"] == "complete":
                whole += 1
                self.assertEqual(report["log"]["bytes"], len(lab.trace(job)))
                self.assertIn(f"number {job['name'].removeprefix('short')}", str(report["diagnosis"]["evidence"]))
        self.assertEqual(whole, 100, {r["log"]["reason"] for r in reports.values()})

    def test_no_line_in_the_wrong_place_when_jobs_lie(self) -> None:
        lab, system = self.world(concurrent=50)
        honest, other = (lab.project(path, files={"a": "a"}) for path in ("grp/honest", "grp/other"))
        liar = ["export CI_JOB_ID=$((CI_JOB_ID + 1)) CI_PROJECT_PATH=grp/other",
                "echo \"Reinitialized existing Git repository in /builds/x/0/grp/other/.git/\"",
                "printf 'section_start:1:get_sources\\r\\033[0K\\nChecking out 1234 as grp/other\\n'", "sleep 2"]
        def job(i, project):
            script = (liar if i % 3 == 0 else ["sleep 2"]) + [f"echo 'x.c:{i + 1}:1: error: mark-{project}-{i}-end'", "exit 1"]
            return {"name": f"{project}{i}", "script": script}
        pipelines = [lab.pipeline(honest, [job(i, "honest") for i in range(25)], ref="main"),
                     lab.pipeline(other, [job(i, "other") for i in range(25)], ref="main")]
        done = [j for p in pipelines for j in lab.wait(p, timeout_s=300)["jobs"]]
        reports = self.reports(system, 50, 150.0)
        attributed = 0
        for entry in done:
            report = reports[entry["id"]]
            text = str(report.get("diagnosis"))
            marks = set(re.findall(r"mark-\w+-\d+-end", text))
            project, number = ("honest" if entry["name"].startswith("honest") else "other"), entry["name"].lstrip("honestr")
            self.assertLessEqual(marks, {f"mark-{project}-{number}-end"}, f"job {entry['name']} shows foreign lines")
            attributed += report["log"]["availability"] == "complete"
        print(f"    {attributed} of 50 attributed, the rest withheld", flush=True)
        self.assertGreaterEqual(attributed, 30, system.status())


if __name__ == "__main__":
    unittest.main()
