#!/usr/bin/python3
"""What agent and observer cost together, and how exact they count: a controller, a runner and its jobs as real processes, the
runner's and the container engine's doubles of tests/doubles among them, in a pid namespace of their own.

  idle      500 processes that are none of their business, a runner without jobs, the controller connected; node_exporter beside
            them, scraped every 15 s, when it is installed (Debian's prometheus-node-exporter)
  loaded    20 jobs that write 1 MB/s together: 10 of the shell executor with 30 processes each, 10 in containers
  counting  what reports tell of the processor time of jobs, against what the kernel counted for the same processes

  GITAIOPS_BIN            the programs
  GITAIOPS_BENCH_SECONDS  how long idle and loaded are measured (60)
Needs root, for containers.
"""
from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any, Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/e2e")]

import containers_test  # noqa: E402
import table  # noqa: E402
from doubles.lab import PYTHON, Lab  # noqa: E402
from system import System, free_port, wait_for  # noqa: E402

RUNNER_NAME = "bench-runner"
FOREIGN, EACH_KIND, PROCESSES, BYTES_S = 500, 10, 30, 1_000_000
SETTLE_S, SCRAPE_EVERY_S = 12, 15
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
BURN = "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass\n"
WRITE = """import os, sys, time
rate, stop = int(sys.argv[1]), sys.argv[2]
number, due = 0, time.monotonic()
while not os.path.exists(stop):
    text = ""
    while len(text) < rate / 10:
        number += 1
        text += f"[{number}] Building CXX object src/part_{number % 97}/CMakeFiles/part.dir/file_{number}.cpp.o\\n"
    sys.stdout.write(text)
    sys.stdout.flush()
    due += 0.1
    time.sleep(max(0, due - time.monotonic()))
"""


class Cost:
    """Of processes together, now."""

    def __init__(self, *pids: int) -> None:
        self.anonymous = self.pss = self.rss = self.cpu_s = 0.0
        self.at = time.monotonic()
        for pid in pids:
            sizes = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
            self.anonymous += int(sizes["Anonymous"].split()[0]) * 1024 / 1e6
            self.pss += int(sizes["Pss"].split()[0]) * 1024 / 1e6
            self.rss += int(sizes["Rss"].split()[0]) * 1024 / 1e6
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            self.cpu_s += (int(fields[11]) + int(fields[12])) * TICK_S

    def percent_since(self, before: Cost) -> float:
        return (self.cpu_s - before.cpu_s) / (self.at - before.at) * 100


class Exporter:
    """node_exporter, if there is one."""

    def __init__(self) -> None:
        program, self.port = shutil.which("prometheus-node-exporter"), free_port()
        self.process = program and subprocess.Popen([program, f"--web.listen-address=127.0.0.1:{self.port}"],
                                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def scrape(self) -> None:
        if self.process:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10).read()

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait()


@contextlib.contextmanager
def foreign_processes() -> Iterator[None]:
    sleeping = [subprocess.Popen(["sleep", "infinity"]) for _ in range(FOREIGN)]
    try:
        yield
    finally:
        for process in sleeping:
            process.kill()
        for process in sleeping:    # by us: not every init does
            process.wait()


class Bench:
    def __init__(self, base: pathlib.Path, stack: contextlib.ExitStack) -> None:
        self.base, self.seconds = base, table.setting("GITAIOPS_BENCH_SECONDS", 60)
        base.chmod(0o755)
        socket = base / "docker.sock"
        engine = subprocess.Popen([PYTHON, str(containers_test.ENGINE), "--socket", str(socket), "--root", str(base / "docker"), "serve"])
        stack.callback(engine.wait)
        stack.callback(engine.terminate)
        wait_for("the engine listens", socket.exists)
        self.lab = stack.enter_context(Lab(base / "lab", container_engine=str(socket), process_name=RUNNER_NAME, check_interval_s=1,
                                           concurrent=2 * EACH_KIND, output_limit_kib=1 << 20))
        flags = ("--runner-name", RUNNER_NAME, "--docker-root", str(base / "docker"))
        self.system = stack.enter_context(System(base / "system", self.lab, observer_flags=flags))
        self.pids = (self.system.observer.pid, self.system.agent_pid())
        self.projects = 0

    def pass_time(self, exporter: Exporter | None = None) -> None:
        ends = time.monotonic() + self.seconds
        while time.monotonic() < ends:
            if exporter:
                exporter.scrape()
            time.sleep(max(0.0, min(SCRAPE_EVERY_S, ends - time.monotonic())))

    def pipeline(self, files: dict[str, str], jobs: list[dict[str, Any]]) -> dict[str, Any]:
        self.projects += 1
        return self.lab.pipeline(self.lab.project(f"bench/p{self.projects}", files=files), jobs, ref="main")

    def idle(self) -> Cost:
        with foreign_processes():
            exporter = Exporter()
            time.sleep(SETTLE_S)
            exporter.scrape()
            ours, watcher = Cost(*self.pids), Cost(self.pids[0])
            theirs = Cost(exporter.process.pid) if exporter.process else None
            self.pass_time(exporter)
            after, watched = Cost(*self.pids), Cost(self.pids[0])
            table.row("agent and observer idle, anonymous", after.anonymous, "MB", 8)
            table.row("agent and observer idle, PSS", after.pss, "MB", 25)
            table.row("agent and observer idle, RSS", after.rss, "MB", 40)
            table.row("agent and observer idle, processor", after.percent_since(ours), "% of a core", 0.3)
            table.fact("… of which the observer", watched.percent_since(watcher), "% of a core")
            if theirs:
                beside = Cost(exporter.process.pid)
                table.fact("node_exporter beside them, anonymous", beside.anonymous, "MB")
                table.fact("node_exporter beside them, RSS", beside.rss, "MB")
                table.fact("node_exporter beside them, processor", beside.percent_since(theirs), "% of a core")
            else:
                print("node_exporter is not installed (prometheus-node-exporter): nothing to compare", flush=True)
            exporter.stop()
        return after

    def loaded(self, idle: Cost) -> None:
        stop, each = self.base / "stop", BYTES_S // (2 * EACH_KIND)
        write = f"python3 write.py {each} {stop}"
        many = [f"for i in $(seq {PROCESSES - 2}); do sleep infinity & done", write, "kill $(jobs -p); wait"]
        jobs = [{"name": f"shell{i}", "script": many, "variables": {"LAB_EXECUTOR": "shell"}} for i in range(EACH_KIND)]
        jobs += [{"name": f"container{i}", "script": [write]} for i in range(EACH_KIND)]
        pipeline = self.pipeline({"write.py": WRITE}, jobs)
        for job in self.lab.show(pipeline)["jobs"]:
            self.lab.wait_job(job, "running")
        wait_for(lambda: f"the jobs are seen\n{self.system.story()}", lambda: self.system.status().get("jobs_open") == 2 * EACH_KIND)
        time.sleep(SETTLE_S)
        before, watcher = Cost(*self.pids), Cost(self.pids[0])
        self.pass_time()
        after, watched = Cost(*self.pids), Cost(self.pids[0])
        stop.touch()
        done = self.lab.wait(pipeline, timeout_s=120)
        sizes = [len(self.lab.trace(job)) for job in done["jobs"]]
        table.row("agent and observer, 20 jobs that write 1 MB/s together, processor", after.percent_since(before), "% of a core", 3)
        table.fact("… of which the observer", watched.percent_since(watcher), "% of a core")
        table.row("… anonymous memory a job", (after.anonymous - idle.anonymous) * 1e6 / (1 << 20) / (2 * EACH_KIND), "MiB", 1)
        table.fact("… written in the whole", sum(sizes) / 1e6, "MB")
        reports = wait_for("the reports", lambda: (lambda all: all if all and None not in all else None)(
            [self.system.job(job["id"]) for job in done["jobs"]]), 60)
        cut = [r["log"] for r, size in zip(reports, sizes) if r["log"]["availability"] != "complete" or r["log"]["bytes"] != size]
        table.row("… logs not read whole", len(cut), "logs", 0)
        for log in cut:
            print(f"    {log}", flush=True)

    def told(self, script: list[str], variables: dict[str, str]) -> float:
        done = self.lab.wait(self.pipeline({"burn.py": BURN}, [{"name": "job", "script": script, "variables": variables}]), timeout_s=120)
        report = wait_for("the report", lambda: self.system.job(done["jobs"][0]["id"]))
        return float(report["usage"].get("cpu_s") or 0)

    def counting(self) -> None:
        kinds = {
            "one process, 2 s": ["python3 burn.py 2"],
            "30 processes of 100 ms, one after the other": ["for i in $(seq 30); do python3 burn.py 0.1; done"],
            "5 at a time that leave their parents (setsid, double fork)":
                ["for i in 1 2 3 4 5; do (setsid sh -c 'python3 burn.py 0.6; touch done'$i >/dev/null 2>&1 &) ; done",
                 "while [ $(ls | grep -c done) -lt 5 ]; do sleep 0.1; done"]}
        truth = self.base / "docker/truth.jsonl"
        for kind, script in kinds.items():
            before = len(truth.read_text().splitlines()) if truth.exists() else 0
            told = self.told(script, {})
            lives = [json.loads(line) for line in truth.read_text().splitlines()[before:]]
            table.row(f"processor time of a job in containers, error: {kind}", error(told, sum(life["cpu_us"] for life in lives) / 1e6), "%", 5)
        with Group(self.base / "lab/runner/.bash_profile") as group:
            for kind, script in kinds.items():
                before = group.cpu_s()
                told = self.told(script, {"LAB_EXECUTOR": "shell"})
                counted = group.cpu_s() - before
                table.fact(f"processor time of a shell job, told {told:.2f} s, counted {counted:.2f} s, error: {kind}", error(told, counted), "%")


def error(told: float, counted: float) -> float:
    return abs(told - counted) / counted * 100


class Group:
    """A control group that every login shell of the runner's jobs joins, as their profile says: the kernel counts for us."""

    def __init__(self, profile: pathlib.Path) -> None:
        top = pathlib.Path("/sys/fs/cgroup")
        self.unified = (top / "cgroup.controllers").exists()
        self.folder = (top if self.unified else top / "cpuacct") / f"gitaiops-bench-{os.getpid()}"
        self.profile = profile

    def __enter__(self) -> Group:
        self.folder.mkdir()
        self.profile.write_text(f"echo $$ > {self.folder}/cgroup.procs\n", encoding="ascii")
        return self

    def __exit__(self, *_: Any) -> None:
        self.profile.unlink()
        wait_for("the group is empty", lambda: not (self.folder / "cgroup.procs").read_text())
        self.folder.rmdir()

    def cpu_s(self) -> float:
        if self.unified:
            return int((self.folder / "cpu.stat").read_text().split()[1]) / 1e6
        return int((self.folder / "cpuacct.usage").read_text()) / 1e9


def main() -> int:
    if os.geteuid() != 0 or not containers_test.can_make_groups():
        print("what the agent costs is not measured: that needs root and control groups that can be made")
        return 0
    if not os.environ.get("GITAIOPS_BENCH_ALONE"):      # what else this machine runs would be looked at, too
        return subprocess.call(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", PYTHON, __file__],
                               env={**os.environ, "GITAIOPS_BENCH_ALONE": "1"})
    with tempfile.TemporaryDirectory(prefix="gitaiops-bench-") as folder, contextlib.ExitStack() as stack:
        bench = Bench(pathlib.Path(folder), stack)
        idle = bench.idle()
        bench.loaded(idle)
        bench.counting()
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
