"""./dev demo: a pipeline with real tools on this machine, watched by the real programs, until its merge request has its note.

GitLab and GitLab Runner are doubles (tests/doubles) that behave like the real ones; everything else is what you would
install. Nothing outside a temporary folder is touched, and it is removed at the end unless --keep is given.
"""
from __future__ import annotations

import argparse
import pathlib
import shutil
import signal
import sys
import tempfile
import textwrap
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from doubles.lab import Lab                      # noqa: E402
from real_gitlab import RealGitlab               # noqa: E402
from system import System, wait_for              # noqa: E402

FILES = {
    "cart.cpp": "#include <vector>\n\nint total(const std::vector<int>& prices) {\n  int sum = 0;\n"
                "  for (int price : prices) sum += price;\n  return summ;\n}\n",
    "test_cart.py": "import unittest\n\n\nclass CartTest(unittest.TestCase):\n    def test_discount(self):\n"
                    "        price, discount = 100, 15\n        self.assertEqual(price - discount, 80)\n\n\n"
                    "if __name__ == \"__main__\":\n    unittest.main()\n",
    "train.py": "# Grows until somebody stops it.\nimport time\n\nrows = []\nwhile True:\n    rows.append(bytearray(b\"x\" * (8 << 20)))\n"
                "    time.sleep(0.12)\n",
    # What the kernel's OOM killer does, without needing root: SIGKILL above a limit.
    "with-memory-limit.sh": "#!/bin/bash\n# usage: with-memory-limit.sh MIB COMMAND…\nlimit=$(( $1 * 1024 )); shift\n\"$@\" & pid=$!\n"
                            "while kill -0 $pid 2>/dev/null; do\n"
                            "  rss=$(awk '/VmRSS/ {print $2}' /proc/$pid/status 2>/dev/null)\n"
                            "  [ \"${rss:-0}\" -gt $limit ] && kill -9 $pid\n  sleep 0.1\ndone\nwait $pid\n",
}
JOBS = [
    {"name": "compile", "stage": "test", "script": ["g++ -std=c++20 -Wall -c cart.cpp -o cart.o"]},
    {"name": "unit", "stage": "test", "script": ["/usr/bin/python3 test_cart.py"]},
    {"name": "train", "stage": "test", "script": ["bash with-memory-limit.sh 400 /usr/bin/python3 train.py"]},
    {"name": "docs", "stage": "test", "script": ["ls -l", "sleep 2", "echo built 12 pages"]},
]
BOLD, DIM, RED, GREEN, RESET = ("\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("",) * 5


class Story:
    def __init__(self) -> None:
        self.started = time.monotonic()

    def tell(self, text: str) -> None:
        print(f"{DIM}{time.monotonic() - self.started:6.1f} s{RESET}  {text}", flush=True)


def show_note(body: str) -> None:
    width = min(shutil.get_terminal_size().columns, 110)
    print(f"\n{BOLD}The note in the merge request{RESET}")
    print("┌" + "─" * (width - 2))
    for line in body.splitlines():
        if not line.startswith("<!--"):
            print("│ " + line)
    print("└" + "─" * (width - 2))


def watch(story: Story, lab, system: System, pipeline, jobs) -> None:
    """Says what happens when it happens, until every job has been reported."""
    ended, reported = set(), set()
    while len(reported) < len(jobs):
        for job in lab.show(pipeline)["jobs"]:
            if job["status"] in ("success", "failed", "canceled") and job["id"] not in ended:
                ended.add(job["id"])
                colour = GREEN if job["status"] == "success" else RED
                story.tell(f"GitLab: job {job['name']:8} {colour}{job['status']}{RESET}")
        for row in system.jobs():
            if row["state"] != "finished" or row["job_id"] in reported:
                continue
            reported.add(row["job_id"])
            name = next((job["name"] for job in jobs if job["id"] == row["job_id"]), row["job_id"])
            report = system.get(f"/api/v1/jobs/{row['id']}")[1]
            story.tell(f"agent:  job {name:8} {summary(report)}")
        time.sleep(0.1)


def summary(report) -> str:
    diagnosis, usage = report.get("diagnosis"), report.get("usage") or {}
    parts = [f"{BOLD}{diagnosis['category']}{RESET}" if diagnosis else "passed"]
    if diagnosis and diagnosis.get("root_cause"):
        parts.append(f"line {diagnosis['root_cause']['line']}")
    if usage.get("cpu_s") is not None:
        parts.append(f"CPU {usage['cpu_s']:.1f} s")
    if usage.get("memory_peak_bytes") is not None:
        parts.append(f"memory {usage['memory_peak_bytes'] / (1 << 20):.0f} MiB")
    if report.get("duration_s") is not None:
        parts.append(f"wall {report['duration_s']:.1f} s")
    return ", ".join(parts)


def run(folder: pathlib.Path, keep: bool, real: argparse.Namespace) -> None:
    story = Story()
    lab = RealGitlab(folder / "lab", real.gitlab, real.token_file) if real.gitlab else Lab(folder / "lab")
    with lab, System(folder / "system", lab) as system:
        story.tell(f"GitLab {'' if real.gitlab else 'double '}at {lab.url}, a runner beside it")
        story.tell("controller started, agent enrolled: it watches the runner and changes nothing")
        project = lab.project("shop/cart", files={"README.md": "A cart.\n"})
        lab.commit(project, "discounts", FILES)
        request = lab.merge_request(project, "discounts", title="Add discounts")
        pipeline = lab.pipeline(project, JOBS, merge_request=request)
        story.tell(f"merge request !{request['iid']} of {project['path_with_namespace']} opened; its pipeline has {len(JOBS)} jobs\n")
        watch(story, lab, system, pipeline, lab.show(pipeline)["jobs"])
        done = lab.wait(pipeline)
        failed = [job["name"] for job in done["jobs"] if job["status"] == "failed"]
        def complete():
            ours = [n["body"] for n in lab.notes(request) if "gitaiops:note" in n["body"]]
            return ours[0] if ours and all(name in ours[0] for name in failed) else None
        body = wait_for("the note names every failed job\n" + system.log("controller")[-2000:], complete)
        story.tell("controller: one note written")
        show_note(body)
        print(f"\n{BOLD}For any log file{RESET}   {system.bin / 'gitaiops'} diagnose FILE")
        if not keep:
            print(f"{BOLD}To look around{RESET}     ./dev demo --keep")
        else:
            address = f"http://127.0.0.1:{system.api_port}/api/v1/jobs"
            print(f"{BOLD}The same by REST{RESET}   curl -H 'Authorization: Bearer {system.token()}' {address}")
            print(f"{BOLD}Agent's own page{RESET}   http://127.0.0.1:{system.status_port}/")
            print(f"\nEverything keeps running in {folder} until Ctrl-C.")
            try:
                signal.pause()
            except KeyboardInterrupt:
                print()


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description="See it work on this machine.")
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.add_argument("--gitlab", metavar="URL", help="use this GitLab instead of the double: makes a private project there")
    parser.add_argument("--token-file", metavar="FILE", help="file with a token of scopes api and create_runner for it")
    options = parser.parse_args()
    if bool(options.gitlab) != bool(options.token_file):
        parser.error("--gitlab and --token-file belong together")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gitaiops-demo-"))
    folder.chmod(0o755)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))   # ends in order, too
    try:
        run(folder, options.keep, options)
    except KeyboardInterrupt:
        print("\nstopped")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
