"""Runs the end-to-end tests: every tests/e2e/*_test.py, or those named on the command line.

GITAIOPS_BIN is the folder of the built programs. Each file runs as a process of its own, several at a time where each can have a
process namespace of its own: an agent sees every job of its host, so two systems in one namespace would see each other. What a
file prints comes when it has ended. Real processes on a machine that is busy with other things now and then miss a deadline: what
fails is run once more, alone and named, and counts as failed when it fails again. Ends with one line
`N passed, N failed, N skipped`.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))   # doubles
sys.path.insert(0, str(HERE))

ONE_RUN = "--one-run"                  # OUTCOME_FILE TEST…: what the processes of this script are started with
OWN_PROCESSES = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child"]
FILE_LIMIT_S = 1200


class Result(unittest.TextTestResult):
    """Counts what passed; the base class only counts what did not."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def names_of(troubles):
    """The tests, or the classes whose preparation failed, as the loader knows them."""
    names = set()
    for test, _ in troubles:
        name = getattr(test, "test_case", test).id()          # a subtest stands for its test
        names.add(name.partition("(")[2].rstrip(")") or name)  # "setUpClass (module.Class)"
    return names


def one_run(outcome_file, names):
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    failed = sorted(names_of(result.failures + result.errors))
    outcome = {"passed": result.passed, "skipped": len(result.skipped), "failed": failed, "unexpected": len(result.unexpectedSuccesses)}
    pathlib.Path(outcome_file).write_text(json.dumps(outcome), encoding="ascii")


def run_apart(names, isolation):
    """The outcome of these tests in a process of their own; one that dies or never ends has failed them all."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome_file = pathlib.Path(folder) / "outcome.json"
        command = [*isolation, sys.executable, "-u", __file__, ONE_RUN, str(outcome_file), *names]
        try:
            printed = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     timeout=FILE_LIMIT_S, check=False).stdout
        except subprocess.TimeoutExpired as late:
            printed = (late.stdout or b"") + f"\nstopped: not done within {FILE_LIMIT_S} s\n".encode()
        outcome = {"passed": 0, "skipped": 0, "failed": names, "unexpected": 0}
        if outcome_file.exists():
            outcome = json.loads(outcome_file.read_text(encoding="ascii"))
    print(f"{printed.decode(errors='backslashreplace')}{' '.join(names)}: {time.monotonic() - started:.0f} s\n", flush=True)
    return outcome


def isolated():
    """How a process gets a namespace of its own here; nothing where it cannot."""
    try:
        allowed = subprocess.run([*OWN_PROCESSES, "true"], stderr=subprocess.DEVNULL, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        allowed = False
    return OWN_PROCESSES if allowed else []


def main(names):
    modules = [pathlib.Path(name).name.removesuffix(".py") for name in names] or [f.stem for f in sorted(HERE.glob("*_test.py"))]
    isolation = isolated()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() if isolation else 1) as pool:
        outcomes = list(pool.map(lambda module: run_apart([module], isolation), modules))
    again = [name for outcome in outcomes for name in outcome["failed"]]
    failed = []
    if again:
        print("Once more, because they failed: " + " ".join(again), flush=True)
        second = run_apart(again, isolation)
        failed = second["failed"]
        outcomes.append(second | {"skipped": 0})
    passed, skipped, unexpected = (sum(outcome[key] for outcome in outcomes) for key in ("passed", "skipped", "unexpected"))
    print(f"{passed} passed, {len(failed) + unexpected} failed, {skipped} skipped")
    return 1 if failed or unexpected or passed == 0 else 0


if __name__ == "__main__":
    if sys.argv[1:2] == [ONE_RUN]:
        one_run(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main(sys.argv[1:]))
