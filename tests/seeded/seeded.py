#!/usr/bin/env python3
"""Logs of jobs that failed for a known reason.

    seeded.py OUT            makes the logs: OUT/<category>/<name>.log, OUT/truth.jsonl
    seeded.py OUT --check BIN [--reuse]  and judges what `BIN diagnose` says of them

Every case runs real commands that fail for a reason of our making (a full file system, a server that
answers 502, a missing tool ...), in the framing of gitlab-runner, so that the truth is known by
construction and comes from no rule. What only the runner itself can say (cases_runner.py) stands in its
own words. Look-alikes print what a category's failures look like and then fail for another reason, or
pass. A case whose tool is not installed, or that needs root without having it, is left out, and said so.
"""
import argparse
import collections
import concurrent.futures
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import servers  # noqa: E402

TIME_LIMIT = 60  # seconds for one command
RETRY_WORTHY = {  # categories of passing weather; everything else needs a change
    "dns", "net_conn", "tls_cert", "remote_timeout", "http_5xx", "rate_limited", "image_pull_transient",
    "git_transient", "service_unready", "runner_system", "docker_daemon", "pod_start", "runner_interrupted",
    "stalled_output", "job_timeout", "oom_killed", "disk_full", "resource_limit", "os_package",
    "checksum_mismatch", "artifact_cache", "deploy_k8s", "test_timeout", "flaky_test"}


@functools.lru_cache(None)
def available(tool):
    """A program in PATH, or "python:x": a module of its python3."""
    if tool.startswith("python:"):
        return subprocess.run(["python3", "-c", "import " + tool[7:]], capture_output=True).returncode == 0
    return shutil.which(tool) is not None


class Case:
    """One job. `script` lines run one after another until one fails; `files` are written before."""

    def __init__(self, category, name, script, files=None, needs=(), env=None, verdict=None, code=None,
                 root=False, not_category=None):
        self.category, self.name = category, name
        self.script = [script] if isinstance(script, str) else list(script)
        self.files, self.needs, self.env = files or {}, needs, env or {}
        self.verdict, self.code, self.root, self.not_category = verdict, code, root, not_category

    def missing(self):
        if self.root and os.geteuid() != 0:
            return "root"
        return next((tool for tool in self.needs if not available(tool)), None)


class Runner:
    """Writes a log as gitlab-runner frames it, with or without its time stamps."""

    def __init__(self, stamped):
        self.stamped, self.lines, self.clock = stamped, [], 1700000000

    def line(self, text, stream="00O"):
        if self.stamped:
            self.clock += 0.013
            second = self.clock % 60
            text = "2026-03-01T10:%02d:%09.6fZ %s %s" % (int(self.clock / 60) % 60, second, stream, text)
        self.lines.append(text)

    def section(self, name, title, closes=None):
        self.clock += 1
        end = "section_end:%d:%s\r\x1b[0K" % (self.clock, closes) if closes else ""
        self.line("%ssection_start:%d:%s\r\x1b[0K\x1b[0K\x1b[36;1m%s\x1b[0;m" % (end, self.clock, name, title))

    def head(self):
        self.line("Running with gitlab-runner 17.5.0 (12030cf4)")
        self.line("  on build-3 t3sT_t0kn, system ID: s_b188029b2abb")
        self.section("prepare_executor", 'Preparing the "docker" executor')
        self.line("Using Docker executor with image registry.example/tools:1 ...")
        self.section("get_sources", "Getting source from Git repository", "prepare_executor")
        self.line("Checking out 4d5c2a1f as detached HEAD (ref is main)...")
        self.section("step_script", 'Executing "step_script" stage of the job script', "get_sources")

    def command(self, text):
        self.line("\x1b[32;1m$ %s\x1b[0;m" % text, "01O")

    def output(self, data):
        text = data.decode("utf-8", "replace")
        for line in text.split("\n")[:-1] if text.endswith("\n") else text.split("\n"):
            self.line(line.rstrip("\r"), "01O")

    def tail(self, verdict):
        self.section("cleanup_file_variables", "Cleaning up project directory and file based variables",
                     "step_script")
        end = "section_end:%d:cleanup_file_variables\r\x1b[0K" % self.clock
        if verdict is None:
            self.line(end + "\x1b[32;1mJob succeeded\x1b[0;m")
        else:
            self.line(end + "\x1b[31;1mERROR: Job failed%s\x1b[0;m" % verdict)
            self.line("\x1b[0;m")

    def text(self):
        return "\n".join(self.lines) + "\n"


def placed(text, places):
    for key, value in places.items():
        text = text.replace("@%s@" % key.upper(), value)
    return text


def run_script(case, runner, folder, places):
    env = {"PATH": os.environ["PATH"], "HOME": str(folder / ".home"), "LANG": "C.UTF-8", "CI": "true",
           "GIT_TERMINAL_PROMPT": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_RETRIES": "1",
           "PIP_DEFAULT_TIMEOUT": "2", "npm_config_fetch_retries": "0", "npm_config_update_notifier": "false",
           "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "CARGO_NET_RETRY": "0", "NO_COLOR": "1"}
    env["GOCACHE"] = places["cache"] + "/go"
    for name in ("RUSTUP_HOME", "JAVA_HOME"):
        if name in os.environ:
            env[name] = os.environ[name]
    if "RUSTUP_HOME" not in env and (pathlib.Path.home() / ".rustup").exists():
        env["RUSTUP_HOME"] = str(pathlib.Path.home() / ".rustup")
    env.update({key: value.format(**places) for key, value in case.env.items()})
    (folder / ".home").mkdir()
    work = folder / "work"
    work.mkdir()
    for name, text in case.files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(placed(text, places))
        if text.startswith("#!"):
            path.chmod(0o755)
    for line in case.script:
        line = placed(line, places)
        runner.command(line.split("\n")[0])
        done = subprocess.run(["bash", "-c", "set -eo pipefail\n" + line], cwd=work, env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIME_LIMIT)
        runner.output(done.stdout)
        if done.returncode != 0:
            return done.returncode if done.returncode > 0 else 128 - done.returncode
    return 0


def make(case, index, places):
    runner = Runner(stamped=index % 3 == 0)
    runner.head()
    with tempfile.TemporaryDirectory(prefix="job-") as name:
        code = run_script(case, runner, pathlib.Path(name), places)
        log_folder = name
    if case.verdict is not None:
        verdict = case.verdict
    elif code == 0:
        verdict = None
    else:
        verdict = ": exit code %d" % (case.code or code)
    runner.tail(verdict)
    expected_pass = case.category == "passed"
    if (code == 0 and case.verdict is None) != expected_pass:
        raise RuntimeError("%s/%s: exit code %d is not what the case is about" % (case.category, case.name, code))
    return runner.text().replace(log_folder + "/work", "/builds/group/ring").replace(log_folder, "/builds")


def all_cases():
    import cases_code
    import cases_host
    import cases_lookalike
    import cases_runner
    import cases_services
    import cases_third
    import cases_toolchains
    return (cases_code.CASES + cases_host.CASES + cases_runner.CASES + cases_lookalike.CASES +
            cases_toolchains.CASES + cases_services.CASES + cases_third.CASES)


def generate(out, only):
    cases = [case for case in all_cases() if only in case.category + "/" + case.name]
    truth, left_out = [], []

    def one(index_and_case):
        index, case = index_and_case
        if case.missing():
            return "no " + case.missing()
        try:
            return {"text": make(case, index, places)}
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            return str(error)

    with servers.running() as places, tempfile.TemporaryDirectory() as cache, \
            concurrent.futures.ThreadPoolExecutor(4) as pool:
        places["cache"] = cache
        for case, made in zip(cases, pool.map(one, enumerate(cases))):
            if isinstance(made, str):
                left_out.append((case, made))
                continue
            path = out / case.category / (case.name + ".log")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made["text"])
            truth.append({"log": str(path.relative_to(out)), "category": case.category,
                          "not_category": case.not_category})
    (out / "truth.jsonl").write_text("".join(json.dumps(t) + "\n" for t in truth))
    for case, why in left_out:
        print("left out: %s/%s: %s" % (case.category, case.name, why), file=sys.stderr)
    return truth


def check(out, truth, binary, verbose):
    """Prints the figures of the issue; returns them."""
    hits, told, wanted = collections.Counter(), collections.Counter(), collections.Counter()
    sure_wrong = retries = retries_right = wrong_alikes = alikes = 0
    for entry in truth:
        done = subprocess.run([binary, "diagnose", "--format", "json", str(out / entry["log"])],
                              stdout=subprocess.PIPE, check=True)
        d = json.loads(done.stdout)
        got = d["category"] or "passed"
        sure = got not in ("unknown", "passed") and d["confidence"] >= 0.6
        if entry["not_category"]:
            alikes += 1
            wrong = got == entry["not_category"] and (sure or entry["category"] == "passed")
            wrong_alikes += wrong
        else:
            wanted[entry["category"]] += 1
            told[got] += 1
            hits[got] += got == entry["category"]
            wrong = sure and got != entry["category"]
        sure_wrong += wrong
        if d["retry"] not in (None, "never"):
            retries += 1
            retries_right += entry["category"] in RETRY_WORTHY
        if verbose and (wrong or not entry["not_category"] and got != entry["category"]):
            root = d["root_cause"]["text"] if d["root_cause"] else "-"
            print("%-5s %-44s %s %.2f  %s" % ("WRONG" if wrong else "miss", entry["log"], got,
                                              d["confidence"], root[:100]))
    scores = []
    for category in sorted(wanted):
        precision = hits[category] / told[category] if told[category] else 0
        recall = hits[category] / wanted[category]
        scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0)
        if verbose:
            print("  %-22s logs %3d  F1 %.2f" % (category, wanted[category], scores[-1]))
    figures = {"logs": len(truth), "categories": len(scores), "macro_f1": sum(scores) / max(1, len(scores)),
               "retry_precision": retries_right / max(1, retries), "confidently_wrong": sure_wrong / max(1, len(truth)),
               "lookalikes": alikes, "lookalikes_wrong": wrong_alikes}
    print("seeded logs %(logs)d  categories %(categories)d  macro-F1 %(macro_f1).3f  "
          "retry precision %(retry_precision).3f  confidently wrong %(confidently_wrong).3f  "
          "look-alikes %(lookalikes)d, wrong %(lookalikes_wrong)d" % figures)
    return figures


def reached(figures):
    return (figures["logs"] >= 200 and figures["macro_f1"] >= 0.9 and figures["retry_precision"] >= 0.95 and
            figures["confidently_wrong"] <= 0.02 and figures["lookalikes_wrong"] == 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--check", metavar="BIN")
    parser.add_argument("--reuse", action="store_true", help="judge the logs that OUT already holds")
    parser.add_argument("--floors", action="store_true", help="fail below the floors")
    parser.add_argument("--only", default="", help="part of category/name")
    parser.add_argument("-v", "--verbose", action="store_true")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.reuse:
        truth = [json.loads(line) for line in (arguments.out / "truth.jsonl").read_text().splitlines()]
    else:
        truth = generate(arguments.out, arguments.only)
    if arguments.check:
        figures = check(arguments.out, truth, arguments.check, arguments.verbose)
        if arguments.floors and not reached(figures):
            sys.exit(1)


if __name__ == "__main__":
    main()
