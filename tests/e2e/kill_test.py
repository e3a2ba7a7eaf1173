"""Agent, observer and controller are killed at random while jobs run: every finished job is reported exactly once.

GITAIOPS_KILLS sets how often (default 200).
"""
from __future__ import annotations

import collections
import os
import pathlib
import random
import signal
import sqlite3
import tempfile
import threading
import time
import unittest

from doubles.lab import Lab
from system import System, wait_for

KILLS = int(os.environ.get("GITAIOPS_KILLS", "200"))
PAUSE_S = 1.0


class Kills(unittest.TestCase):
    def test_every_finished_job_is_reported_exactly_once(self) -> None:
        chance = random.Random(20261122)
        with tempfile.TemporaryDirectory(prefix="gitaiops-e2e-") as name:
            base = pathlib.Path(name)
            base.chmod(0o755)
            with Lab(base / "lab", concurrent=8) as lab, System(base / "system", lab) as system:
                project = lab.project("grp/load", files={"a": "a"})
                stop, pipelines = threading.Event(), []

                def load() -> None:
                    while not stop.is_set():
                        jobs = [{"name": f"j{i}", "script": [f"sleep {chance.choice((0.1, 0.5, 1.5))}", "echo 'x.c:1:1: error: boom'", f"exit {i % 2}"]}
                                for i in range(8)]
                        pipelines.append(lab.pipeline(project, jobs, ref="main"))
                        lab.wait(pipelines[-1], timeout_s=120)

                feeder = threading.Thread(target=load)
                feeder.start()
                try:
                    for _ in range(KILLS):
                        self.kill_one(system, chance)
                        time.sleep(PAUSE_S * chance.random())
                finally:
                    stop.set()
                    feeder.join(150)
                finished = [job for p in pipelines for job in lab.wait(p, timeout_s=120)["jobs"]]
                self.revive(system)
                expected = {job["id"] for job in finished}
                wait_for(f"a report of each of {len(expected)} jobs",
                         lambda: expected <= {row["job_id"] for row in system.jobs() if row["state"] == "finished"}, 90)
                rows = [row for row in system.jobs() if row["state"] == "finished"]
                counts = collections.Counter(row["job_id"] for row in rows)
                self.assertEqual({job: n for job, n in counts.items() if n != 1}, {})
                self.assertEqual(set(counts), expected)
                outcomes = {row["job_id"]: row["outcome"] for row in rows}
                wrong = [job["id"] for job in finished if outcomes[job["id"]] != {"success": "passed"}.get(job["status"], job["status"])]
                self.assertEqual(wrong, [])
                self.events_are_gapless(system)
                logs = [system.get(f"/api/v1/jobs/{row['id']}")[1]["log"] for row in rows]
                availability = collections.Counter(log["reason"] or log["availability"] for log in logs)
                self.assertTrue(all(log["reason"] for log in logs if log["availability"] != "complete"), "what is missing says why")
                print(f"    {KILLS} kills, {len(rows)} jobs reported once; logs: {dict(availability)}", flush=True)

    def kill_one(self, system: System, chance: random.Random) -> None:
        victim = chance.choice(("agent", "agent", "observer", "controller"))
        if victim == "agent":
            if pid := system.agent_pid():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        elif victim == "observer":
            system.stop_agent(signal.SIGKILL)
            system.start_agent(wait=False)
        else:
            system.stop_controller(signal.SIGKILL)
            system.start_controller()

    def revive(self, system: System) -> None:
        if system.observer is None or system.observer.poll() is not None:
            system.start_agent(wait=False)
        wait_for("the agent is connected again", lambda: system.status().get("link_state") == "connected", 60)

    def events_are_gapless(self, system: System) -> None:
        with sqlite3.connect(f"file:{system.folder / 'controller/controller.db'}?mode=ro", uri=True) as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchone(), ("ok",))


if __name__ == "__main__":
    unittest.main()
