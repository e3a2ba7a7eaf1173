"""Jobs whose output looks like a category's failure and is not: printed by tests that pass, by commands
that are retried, by old files; then the job fails for another plain reason, or passes."""
from seeded import Case

FAIL = {"unittest": ("python3 -m unittest", {"test_ring.py": "import unittest\n\nclass RingTest(unittest.TestCase):\n    def test_grows(self):\n        self.assertEqual(2, 3)\n"})}
SAYS = {  # what is only said
    "dns": ("curl -fsS http://files.ring.invalid/x || echo 'mirror not reachable, using the cache'",),
    "net_conn": ("curl -fsS http://@CLOSED@/x || true", "echo 'ok 3 - reports Connection refused'", "wget -q -t1 http://@RESET@/x || echo retrying from the second mirror"),
    "http_5xx": ("curl -fsS http://@HTTP@/502/x || echo 'trying the next mirror'", "echo '--- PASS: TestBadGateway502 (0.00s)'"),
    "http_4xx": ("curl -fsS http://@HTTP@/404/x || echo 'no cache yet'", "echo '✓ answers 404 Not Found (3 ms)'"),
    "rate_limited": ("curl -fsS http://@HTTP@/429/x || sleep 0", "echo 'API rate limit remaining: 4999'"),
    "tls_cert": ("curl -fsS https://@SELFSIGNED@/ || true", "echo 'ok 1 - refuses an expired certificate: certificate has expired'"),
    "remote_timeout": ("curl -fsS -m 1 http://@HANG@/ || true", "echo 'test_read_timed_out ... ok'"),
    "disk_full": ("echo 'test_no_space_left_on_device ... ok'", "grep -r 'No space left on device' . || true", "echo '✓ explains No space left on device'"),
    "oom_killed": ("bash -c 'kill -9 $$' || echo 'the worker was killed as the test wants'", "echo 'ok 2 - survives Killed'"),
    "compile_error": ("echo 'int x = ;' > a.c; gcc -c a.c || echo 'the negative test does not compile, as it should'", "echo 'errors.c:3:1: notes'"),
    "link_error": ("echo 'int f(void); int main(void) { return f(); }' > a.c; gcc a.c || true",),
    "syntax_error": ("python3 -c 'a =' || true", "echo 'test_raises_SyntaxError ... ok'"),
    "missing_module": ("python3 -c 'import ringlib_of_nobody' || echo 'ringlib is optional'", "echo 'SKIPPED [1] test_a.py:3: No module named cv2'"),
    "command_not_found": ("no-such-ring --version || true", "command -v no-such-ring || echo 'no-such-ring: not found, skipped'"),
    "file_not_found": ("cat gone.yml || true", "rm gone.log || true", "ls conf/ring.yml || echo none"),
    "permission_denied": ("touch a.sh; ./a.sh || true", "echo 'ok 7 - Permission denied is explained'"),
    "git_ref": ("git checkout gone || true", "git describe --tags || echo 0.0.0"),
    "auth_failed": ("curl -fsS http://@HTTP@/401/x || true", "echo 'test_wrong_password_is_401_Unauthorized ... ok'"),
    "docker_daemon": ("docker -H unix:///nowhere.sock ps || echo 'no docker here'",),
    "missing_variable": ("echo 'warning: DEPLOY_KEY is not set, deploying nothing'",),
    "test_crash": ("bash -c 'kill -SEGV $$' || true", "echo '--- PASS: TestSegmentationFault (0.00s)'"),
    "test_timeout": ("echo 'ok 4 - says test timed out after 3s'", "echo '✓ test timed out is retried'"),
    "job_timeout": ("timeout 1 sleep 5 || echo 'soak test over'",),
    "checksum_mismatch": ("echo 'test_checksum_mismatch ... ok'",),
    "dep_not_found": ("python3 -m pip install --no-index ringlib-of-nobody || echo 'optional'",),
    "os_package": ("echo 'W: Failed to fetch http://deb.example/a, using the old index'",),
    "resource_limit": ("echo 'ok 1 - Too many open files is handled'",),
    "runner_interrupted": ("echo 'ERROR: Job failed: aborted: terminated' | sed 's/^/expected: /'", "echo 'ERROR: Job failed: aborted: terminated'"),
    "runner_system": ("echo 'ERROR: Job failed (system failure): prepare environment: exit status 1'",),
    "image_not_found": ("echo 'docs: manifest for ring:9 not found means a wrong tag'", "echo '✓ manifest unknown is explained'"),
    "script_error": ("grep --no-such-option x y || true", "echo 'usage: ring [-h] FILE'"),
    "lint_format": ("echo '  3:8  warning  Unexpected console statement  no-console'; echo '✖ 1 problem (0 errors, 1 warning)'",),
    "vuln_gate": ("echo 'added 31 packages, and audited 32 packages in 2s'; echo '3 vulnerabilities (2 moderate, 1 high)'; echo 'found 0 vulnerabilities'",),
    "coverage_threshold": ("echo 'Required test coverage of 80% reached. Total coverage: 91.20%'",),
    "service_unready": ("psql -h /tmp/none -c 'select 1' || echo 'waiting for the database'",),
    "dep_conflict": ("echo 'npm WARN ERESOLVE overriding peer dependency'",),
}


def cases():
    command, files = FAIL["unittest"]
    for category, texts in SAYS.items():
        for number, text in enumerate(texts):
            name = "%s-%d" % (category, number)
            yield Case("test_failure", "like-" + name, [text, command], files, needs=("python3",), not_category=category)
            yield Case("passed", "like-" + name, [text, "echo done"], not_category=category)


TOLERATED = 5  # commands of a category


def tolerated():
    """What fails in other jobs, in one that goes on in spite of it: and then fails in a test, or passes."""
    import cases_code
    import cases_host
    import cases_runner
    command, files = FAIL["unittest"]
    chosen = {}
    for case in cases_code.CASES + cases_host.CASES + cases_runner.CASES:
        if not case.root and not case.env:
            chosen.setdefault(case.category, []).append(case)
    for category, known in sorted(chosen.items()):
        for number, case in enumerate(known[:TOLERATED]):
            if case.verdict is None:
                script = ["set +e; (%s) || echo 'going on without it'" % line for line in case.script]
            else:
                script = ["echo 'ERROR: Job failed%s' | sed 's/^/last run: /'" % case.verdict.replace("'", "")]
            name = "tolerated-%s-%d" % (category, number)
            needs = tuple(case.needs) + ("python3",)
            if category != "test_failure":
                yield Case("test_failure", name, script + [command], dict(case.files, **files), needs=needs, not_category=category)
            yield Case("passed", name, script + ["echo done"], case.files, needs=needs, not_category=category)


CASES = list(cases()) + list(tolerated())
