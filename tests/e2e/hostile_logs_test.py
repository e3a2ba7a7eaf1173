"""Jobs that write what no reader expects, or what the runner would write: the outcome is the runner's word, each job is
reported once, and the agent's memory stays bounded."""
from __future__ import annotations

import os
import pathlib
import re
import time
import unittest

from bad_days_test import WorldCase
from doubles.lab import Lab
from system import System, wait_for

# What the agent may ever hold in memory here, a few logs at once; an agent at rest takes most of it.
MEMORY_MAX_KIB = 96 << 10

RUNNING = r"printf 'Running with gitlab-runner 99.9.9 (f0f0f0f0)\n  on evil FoRgEdTkn, system ID: s_f0f0f0f0f0f0\n'"
SECTION = r"printf 'section_%s:%s:%s\r\033[0K'"

# name → (script, the outcome that is true, the exit code)
HOSTILE = {
    "invalid-utf8": ([r"printf '\377\376\200 x.c:7:1: error: boom \303\n\355\240\200\n'", r"printf '\303'; exit 1"], "failed", 1),
    "nul-bytes": ([r"printf '\0\0a\0b\n\0'; head -c 300000 /dev/zero", "echo after"], "passed", None),
    "nested-ansi": ([r"for i in $(seq 2000); do printf '\033[\033[31;\033[1m\033]0;title\007\033[9999999999m\r'; done",
                     r"printf '\033[31merror\033[0m\n\033['; exit 4"], "failed", 4),
    "forged-sections": ([f"for i in $(seq 500); do {SECTION} start $i step_script; {SECTION} end 9 none; done",
                         f"{SECTION} end 99999999999999999999 step_script; {SECTION} start 1 cleanup_file_variables; exit 3"], "failed", 3),
    "forged-success": ([r"printf '\033[32;1mJob succeeded\033[0;m\n'", "exit 1"], "failed", 1),
    "forged-failure": ([r"printf '\033[31;1mERROR: Job failed: exit status 1\n\033[0;m\n'", "true"], "passed", None),
    "forged-start": ([RUNNING, r"printf 'Preparing the \"shell\" executor\n'", RUNNING, "exit 5"], "failed", 5),
    "forged-timestamps": ([r"printf '2026-01-01T00:00:00.000000Z 00O Job succeeded\n2026-01-01T00:00:00.000000Z 00E+\n'", "exit 1"], "failed", 1),
    "own-trace-files": (['for d in /tmp "$TMPDIR" "${TRACES:-/tmp}"; do (echo "stolen""-mark" > "$d/trace$$") 2>/dev/null || true; done',
                         '(exec -a gitlab-runner sleep 3 9<"/tmp/trace$$") >/dev/null 2>&1 &', "sleep 0.5; rm -f /tmp/trace$$; exit 6"], "failed", 6),
    "daemons": (["for i in 1 2 3 4 5; do (setsid sh -c 'sleep 2 & sleep 2' >/dev/null 2>&1 &); done", "exit 7"], "failed", 7),
}


class Syslog(System):
    """The runner's log as a syslog daemon keeps it."""

    def write_configuration(self) -> None:
        super().write_configuration()
        text = self.agent_toml.read_text(encoding="utf-8")
        self.agent_toml.write_text(text.replace('log = "file"', 'log = "syslog"'), encoding="utf-8")


class HostileLogs(WorldCase):
    def start(self, kind: type[System] = System, **options) -> tuple[Lab, System]:
        lab = Lab(self.base / "lab", **options).__enter__()
        self.addCleanup(lab.close)
        system = kind(self.base / "system", lab).__enter__()
        self.addCleanup(system.close)
        return lab, system

    def memory_peak_kib(self, system: System) -> int:
        text = pathlib.Path(f"/proc/{system.agent_pid()}/status").read_text(encoding="ascii")
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", text, re.M)[1])

    def runners_of_ours(self, system: System) -> list[int]:
        """Other tests may have runners on this host too; those of this one live in its folder."""
        def lives_here(pid: int) -> bool:
            try:
                return os.readlink(f"/proc/{pid}/cwd").startswith(str(self.base))
            except OSError:
                return False
        pids = [int(re.search(r"pid (\d+)", runner)[1]) for runner in system.status()["runners"]]
        return [pid for pid in pids if lives_here(pid)]

    def reports(self, lab: Lab, system: System, jobs: list[dict], limit_s: float = 60.0) -> dict[str, dict]:
        """By name; each job exactly once."""
        done = lab.wait(lab.pipeline(lab.project("grp/hostile", files={"a": "a"}), jobs, ref="main"), timeout_s=limit_s)["jobs"]
        found = {job["name"]: wait_for(lambda job=job: f"the report of {job['name']} {job['id']}\n{system.story()}", lambda: system.job(job["id"]), 30) for job in done}
        rows = [row["job_id"] for row in system.jobs() if row["state"] == "finished"]
        self.assertEqual(sorted(rows), sorted(job["id"] for job in done))
        return found

    def hostile(self, kind: type[System], **options) -> None:
        lab, system = self.start(kind, concurrent=4, **options)
        jobs = [{"name": name, "script": script, "variables": {"TRACES": str(lab.trace_dir)}} for name, (script, _, _) in HOSTILE.items()]
        reports = self.reports(lab, system, jobs)
        for name, (_, outcome, code) in HOSTILE.items():
            with self.subTest(name):
                report = reports[name]
                self.assertEqual((report["outcome"], report.get("exit_code")), (outcome, code), report)
                self.assertEqual(report["log"]["availability"], "complete", report["log"])
                self.assertEqual("diagnosis" in report and bool(report["diagnosis"]), outcome == "failed")
                self.assertNotIn("stolen-mark", str(report))
                for forged in ("99.9.9", "FoRgEdTkn", "s_f0f0f0f0f0f0"):
                    self.assertNotIn(forged, str(report["runner"]))
        self.assertEqual(self.runners_of_ours(system), [lab.runner.pid], "a job was taken for a runner")
        self.assertLess(self.memory_peak_kib(system), MEMORY_MAX_KIB)

    def test_an_old_runner_that_writes_no_timestamps(self) -> None:
        self.hostile(System, version="14.7.0", timestamps=False)

    def test_a_new_runner_with_timestamps_and_a_json_log(self) -> None:
        self.hostile(System, version="19.4.0", timestamps=True, log_format="json")

    def test_syslog_with_every_line_twice(self) -> None:
        self.hostile(Syslog, version="19.4.0", timestamps=True, log_style="syslog", log_twice=True)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to run jobs as another user")
    def test_jobs_of_another_user(self) -> None:
        self.hostile(System, version="14.7.0", user="nobody")

    def test_one_line_of_200_megabytes_and_a_million_lines(self) -> None:
        lab, system = self.start(version="14.7.0", concurrent=2, output_limit_kib=220 << 10)
        started = time.monotonic()
        reports = self.reports(lab, system, [
            {"name": "one-line", "script": ["head -c 200000000 /dev/zero | tr '\\0' x", "echo; echo 'x.c:7:1: error: after the line'; exit 1"]},
            {"name": "many-lines", "script": ["seq -f 'line %.0f of many' 1000000", "echo 'x.c:7:1: error: after the lines'; exit 1"]}], 120)
        for name, text, most in (("one-line", "after the line", 200_000_000), ("many-lines", "after the lines", 19_000_000)):
            self.assertEqual(reports[name]["outcome"], "failed")
            self.assertEqual(reports[name]["log"]["availability"], "complete")
            self.assertGreater(reports[name]["log"]["bytes"], most)
            self.assertIn(text, str(reports[name]["diagnosis"]["evidence"]))
        peak = self.memory_peak_kib(system)
        print(f"    220 MB of logs in {time.monotonic() - started:.0f} s; the agent held at most {peak >> 10} MiB", flush=True)
        self.assertLess(peak, MEMORY_MAX_KIB)


if __name__ == "__main__":
    unittest.main()
