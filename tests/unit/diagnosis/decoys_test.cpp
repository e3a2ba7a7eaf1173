// Logs in which a category's words stand but something else failed, or nothing. A wrong category is
// only a failure of the engine when it is sure of it.
#include <gtest/gtest.h>

#include "tests/unit/diagnosis/job_log.h"

namespace gitaiops::diagnosis {
namespace {

struct Decoy {
  const char* not_category;
  const char* text;
};

// What stands before the plain cause; the cause itself is added by the test.
const Decoy kDecoys[] = {
    {"compile_error", "$ make docs\nWrote errors.cc:3:1: notes\ng++ -Werror -c error.cc"},
    {"compile_error", "$ ./list\n0 errors, 3 warnings\nCompiling error-chain v0.12"},
    {"compile_error", "$ ctest\nok 3 - reports error: expected ';' for bad input"},
    {"link_error", "$ make\nwarning: undefined symbols are allowed here\nLinking app"},
    {"link_error", "$ nm app\nno undefined references found"},
    {"link_error", "$ ./x\nok 1 - undefined reference to `x' is reported"},
    {"missing_module",
     "$ apt-get install -y tool\ndebconf: (Can't locate Term/ReadLine.pm in @INC (@INC contains: "
     "x) "
     "at /usr/share/perl5/Debconf/FrontEnd/Readline.pm line 7.)"},
    {"permission_denied",
     "$ pytest -v\ntests/test_run.py::test_hint[./run: Permission denied] PASSED [ 18%]"},
    {"type_check", "$ npx tsc -v\nVersion 5.0 error TS docs: none"},
    {"type_check", "$ mypy .\nSuccess: no issues found in 9 source files"},
    {"type_check", "$ ./x\nok 2 - explains error TS2322: wrong type"},
    {"syntax_error", "$ ./x\n✓ throws SyntaxError: bad input (3 ms)"},
    {"syntax_error", "$ ./x\nok 4 - syntax error, unexpected end is explained"},
    {"syntax_error", "$ npm test\nPASS src/SyntaxError.test.js"},
    {"lint_format",
     "$ npx eslint .\n  3:8  warning  Unexpected console statement  no-console\n\n✖ 1 problem (0 "
     "errors, 1 warning)"},
    {"lint_format", "$ black .\nAll done! 9 files left unchanged."},
    {"lint_format", "$ rubocop\n9 files inspected, no offenses detected"},
    {"snapshot_mismatch", "$ ./x\nSnapshots:   3 passed, 3 total"},
    {"snapshot_mismatch", "$ ./x\nok 3 - snapshot mismatch is printed"},
    {"snapshot_mismatch", "$ ./x\ncreated snapshot of volume"},
    {"test_crash", "$ ./x\nok 9 - recovers from SIGSEGV"},
    {"test_crash", "$ ./x\n--- PASS: TestSegmentationFault (0.00s)"},
    {"test_crash", "$ pip install x\nCollecting crash-reporter (core dumped helper)"},
    {"test_timeout", "$ ./x\n--- PASS: TestTimeout (2.00s)"},
    {"test_timeout", "$ ./x\nok 3 - test timed out is handled"},
    {"test_timeout", "$ ./x\n✓ says test timed out (12 ms)"},
    {"coverage_threshold",
     "$ pytest --cov\nRequired test coverage of 80% reached. Total coverage: 91.20%"},
    {"coverage_threshold", "$ ./x\nok 1 - coverage below threshold is refused"},
    {"coverage_threshold", "$ ./x\nCoverage report written"},
    {"dep_conflict",
     "$ npm install\nnpm WARN ERESOLVE overriding peer dependency\nadded 3 packages"},
    {"dep_conflict", "$ ./x\nok 2 - conflicting dependencies are shown"},
    {"dep_conflict", "$ ./x\nno conflicts found"},
    {"dep_not_found", "$ npm install\nnpm WARN old 404 page for package left-pad"},
    {"dep_not_found", "$ ./x\nok 7 - No matching distribution found is printed"},
    {"dep_not_found", "$ ./x\n✓ npm ERR! 404 is explained"},
    {"lockfile_sync",
     "$ npm install\nnpm WARN old lockfile\nnpm notice created a lockfile as package-lock.json"},
    {"lockfile_sync", "$ ./x\nok 1 - lockfile needs to be updated"},
    {"lockfile_sync", "$ ./x\nLock file is up to date"},
    {"missing_module",
     "$ pytest -rs\nSKIPPED [2] tests/test_x.py:3: could not import 'cv2': No module named 'cv2'"},
    {"missing_module", "$ ./x\nok 2 - ModuleNotFoundError: is reported"},
    {"missing_module", "$ ./x\n✓ Cannot find module 'x' is explained (3 ms)"},
    {"missing_syslib",
     "$ cmake .\n-- Could NOT find Doxygen (missing: DOXYGEN_EXECUTABLE)\n-- Configuring done"},
    {"missing_syslib", "$ ./configure\nchecking for zlib.h... no\nchecking for z.h... yes"},
    {"missing_syslib", "$ ./x\nok 3 - fatal error: x.h: No such file or directory"},
    {"os_package",
     "$ apt-get update\nW: Some index files are old\nIgn:3 http://deb.example stable InRelease"},
    {"os_package", "$ ./x\nok 2 - E: Unable to locate package is explained"},
    {"os_package", "$ apt-get install x\nSetting up dpkg-error (1.0)"},
    {"checksum_mismatch", "$ sha256sum -c x\nring.tar.gz: OK"},
    {"checksum_mismatch", "$ ./x\nok 2 - checksum mismatch"},
    {"checksum_mismatch", "$ ./x\n--- PASS: TestChecksumMismatch (0.0s)"},
    {"command_not_found", "$ ./x\nok 1 - command not found"},
    {"command_not_found", "$ ./x\nwarning: jq: command not found"},
    {"command_not_found", "$ which ring\nwhich: no ring in (/usr/bin)"},
    {"file_not_found", "$ rm out\nwarning: out: No such file or directory"},
    {"file_not_found", "$ ./x\nok 3 - FileNotFoundError: is raised"},
    {"file_not_found", "$ ./x\n✓ ENOENT: no such file or directory is handled"},
    {"permission_denied", "$ find /\nfind: '/root': Permission denied"},
    {"permission_denied", "$ ./x\nok 2 - Permission denied"},
    {"permission_denied", "$ ./x\n--- PASS: TestPermissionDenied (0.0s)"},
    {"auth_failed", "$ ./x\n✓ answers 401 Unauthorized without a token (4ms)"},
    {"auth_failed", "$ ./x\nok 5 - 403 Forbidden for strangers"},
    {"auth_failed", "$ ./x\n--- PASS: TestAuthenticationFailed (0.0s)"},
    {"dns", "$ ./x\nok 2 - Could not resolve host is retried"},
    {"dns", "$ ./x\n✓ getaddrinfo ENOTFOUND is explained"},
    {"dns", "$ sudo true\nsudo: unable to resolve host builder: Name or service not known"},
    {"net_conn", "$ ./x\nok 2 - connection refused"},
    {"net_conn", "$ ./fetch\nwarning: connection reset by peer, retrying in 3 s"},
    {"net_conn", "$ ./x\n--- PASS: TestConnectionReset (0.0s)"},
    {"tls_cert", "$ ./x\nok 2 - x509: certificate has expired"},
    {"tls_cert", "$ ./gen\nGenerating self-signed certificate"},
    {"tls_cert", "$ ./x\n✓ SSL certificate problem is told"},
    {"remote_timeout", "$ ./x\nok 2 - read timed out"},
    {"remote_timeout", "$ ./fetch\nwarning: operation timed out, retrying"},
    {"remote_timeout", "$ ./x\n--- PASS: TestDeadlineExceeded (0.0s)"},
    {"http_5xx", "$ ./x\n✓ answers 503 Service Unavailable (3 ms)"},
    {"http_5xx", "$ ./x\nok 2 - 502 Bad Gateway"},
    {"http_5xx", "$ ./serve\nGET /x HTTP/1.1 500 Internal Server Error expected"},
    {"rate_limited", "$ ./x\nok 2 - 429 Too Many Requests"},
    {"rate_limited", "$ ./x\nAPI rate limit remaining: 4999"},
    {"rate_limited", "$ ./x\n✓ rate limit exceeded is told"},
    {"git_transient", "$ ./x\nok 2 - fatal: early EOF"},
    {"git_transient", "$ ./x\n✓ the remote end hung up is retried"},
    {"git_transient", "$ git gc\nno early EOF found"},
    {"git_ref", "$ git pull\nhint: Pulling without specifying how to reconcile divergent branches"},
    {"git_ref", "$ ./x\nok 2 - CONFLICT (content)"},
    {"git_ref", "$ ./x\n✓ reference is not a tree"},
    {"service_unready",
     "$ ./wait\nstill waiting for postgres: could not connect to server: Connection refused"},
    {"service_unready", "$ ./x\nok 1 - Can't connect to MySQL"},
    {"service_unready", "$ ./x\n✓ MongoNetworkError is told"},
    {"oom_killed", "$ java -version\nPicked up JAVA_TOOL_OPTIONS: -XX:+HeapDumpOnOutOfMemoryError"},
    {"oom_killed", "$ ./x\nok 2 - Out of memory: kill"},
    {"oom_killed", "$ ./x\n✓ exit code 137 is explained"},
    {"disk_full", "$ ./x\nok 2 - No space left on device"},
    {"disk_full", "$ df\n/dev/sda1 100 60 40 60% /"},
    {"disk_full", "$ ./x\n✓ ENOSPC is told"},
    {"runner_system", "$ echo\nERROR: Job failed (system failure): a lie\n1\n2\n3\n4\n5\n6\n7"},
    {"runner_system", "$ ./x\nok 2 - etcdserver: leader changed"},
    {"runner_system", "$ ./x\n✓ unable to upgrade connection"},
    {"runner_interrupted", "$ echo\nERROR: Job failed: aborted: terminated\n1\n2\n3\n4\n5\n6\n7"},
    {"runner_interrupted", "$ ./x\nok 1 - lost communication with the server"},
    {"runner_interrupted", "$ ./x\n✓ instance unexpectedly removed"},
    {"job_timeout",
     "$ echo\nERROR: Job failed: execution took longer than 1h0m0s seconds\n1\n2\n3\n4\n5\n6\n7"},
    {"job_timeout", "$ ./x\nok 1 - exceeded the maximum time"},
    {"job_timeout", "$ ./x\n✓ exit code 124"},
    {"canceled", "$ echo\nERROR: Job failed: canceled\n1\n2\n3\n4\n5\n6\n7"},
    {"canceled", "$ ./x\nok 2 - request was canceled"},
    {"canceled", "$ ./x\n✓ The operation was canceled."},
    {"quality_gate", "$ sonar-scanner\nINFO: QUALITY GATE STATUS: PASSED"},
    {"quality_gate", "$ ./x\n[INFO] You have 0 Checkstyle violations."},
    {"quality_gate", "$ ./x\nok 3 - quality gate failed is shown"},
    {"stale_generated",
     "$ pip list\nYour pip version is out of date, run pip install --upgrade pip"},
    {"stale_generated", "$ ./x\nok 1 - generated files are out of date"},
    {"stale_generated", "$ make docs\nGenerated docs are up to date"},
    {"license_policy", "$ ./x\n0 files missing license header"},
    {"license_policy", "$ ./x\nok 2 - missing license header is found"},
    {"license_policy", "$ ./x\nLicense header check: success"},
    {"db_migration", "$ ./x\nok 2 - no such table: is reported"},
    {"db_migration", "$ ./manage migrate\nNo migrations to apply."},
    {"db_migration", "$ ./x\n\xe2\x9c\x93 duplicate column name is refused (3 ms)"},
    {"doc_link_check", "$ ./x\nno broken links found"},
    {"doc_link_check", "$ ./x\nok 3 - broken links are listed"},
    {"doc_link_check", "$ ./x\n\xe2\x9c\x93 finds broken links (2 ms)"},
    {"vuln_gate",
     "$ npm install\nadded 31 packages, and audited 32 packages in 2s\nfound 0 vulnerabilities"},
    {"vuln_gate", "$ npm install\n3 vulnerabilities (2 moderate, 1 high)"},
    {"vuln_gate", "$ gitleaks detect\nno leaks found"},
    {"native_ext_build", "$ ./x\nok 2 - Failed building wheel for is quoted"},
    {"native_ext_build", "$ pip install x\nBuilding wheel for x: finished with status 'done'"},
    {"native_ext_build", "$ npm install\nnpm warn gyp ERR! is optional here"},
    {"http_4xx", "$ ./x\n\xe2\x9c\x93 answers 404 Not Found (3 ms)"},
    {"http_4xx", "$ ./serve\n10.0.0.1 - - \"GET /favicon.ico HTTP/1.1\" 404 -"},
    {"http_4xx", "$ apt-get update\nIgn:3 http://deb.example stable InRelease 404 Not Found"},
    {"missing_variable", "$ ./x\nwarning: DEPLOY_KEY is not set, nothing is deployed"},
    {"missing_variable", "$ ./x\nok 2 - environment variable is required"},
    {"missing_variable", "$ java -version\nJAVA_HOME is not set"},
    {"image_not_found", "$ ./x\nok 2 - manifest unknown is explained"},
    {"image_not_found", "$ ./x\n\xe2\x9c\x93 says manifest for ring:9 not found (2 ms)"},
    {"image_not_found", "$ ./x\n--- PASS: TestManifestUnknown (0.00s)"},
    {"image_auth", "$ ./x\nok 2 - pull access denied is explained"},
    {"image_auth", "$ ./x\n\xe2\x9c\x93 no basic auth credentials (2 ms)"},
    {"image_auth", "$ ./x\n--- PASS: TestPullAccessDenied (0.00s)"},
    {"deploy_k8s", "$ ./x\nok 1 - ImagePullBackOff is noticed"},
    {"deploy_k8s", "$ ./x\n\xe2\x9c\x93 waits through CrashLoopBackOff (9 ms)"},
    {"deploy_k8s", "$ helm lint\n1 chart(s) linted, 0 chart(s) failed"},
    {"iac_terraform",
     "$ terraform plan\nNo changes. Your infrastructure matches the configuration."},
    {"iac_terraform", "$ ./x\nok 1 - Error acquiring the state lock is retried"},
    {"iac_terraform", "$ ansible-playbook site.yml\nweb1 : ok=3 changed=1 unreachable=0 failed=0"},
    {"log_limit", "$ cat doc.txt\n  The docs say: Job's log exceeded limit of some bytes"},
    {"log_limit", "$ ./x\nok 1 - log exceeded limit is shown"},
    {"log_limit", "$ ./x\nrotating: log limit 4 MB"},
    {"docker_build", "$ ./x\nok 1 - failed to solve: is shown"},
    {"docker_build", "$ docker build .\n#7 DONE 0.3s"},
    {"docker_build", "$ ./x\n\xe2\x9c\x93 dockerfile parse error (2 ms)"},
    {"docker_daemon", "$ ./x\nok 1 - Cannot connect to the Docker daemon is explained"},
    {"docker_daemon", "$ ./x\n\xe2\x9c\x93 Is the docker daemon running (1 ms)"},
    {"docker_daemon", "$ ./x\n--- PASS: TestErrorDuringConnect (0.00s)"},
    {"pod_start", "$ ./x\nok 1 - Evicted pods are counted"},
    {"pod_start", "$ ./x\n\xe2\x9c\x93 timed out waiting for pod is retried (1 ms)"},
    {"pod_start", "$ ./x\n--- PASS: TestFailedScheduling (0.00s)"},
    {"stalled_output", "$ ./x\nok 1 - Too long with no output is shown"},
    {"stalled_output", "$ ./x\n\xe2\x9c\x93 No output has been received in the last minute (1 ms)"},
    {"stalled_output", "$ ./x\n--- PASS: TestStalled (0.00s)"},
    {"resource_limit", "$ ./x\nok 1 - Too many open files is handled"},
    {"resource_limit", "$ ./x\n\xe2\x9c\x93 EMFILE is retried (1 ms)"},
    {"resource_limit", "$ ulimit -n\n1024"},
    {"script_error", "$ ./x\nok 1 - unknown option is refused"},
    {"script_error", "$ ./x --help\n  --size N   the size"},
    {"script_error", "$ ./x\n\xe2\x9c\x93 No rule to make target (1 ms)"},
    {"toolchain_version", "$ npm install\nnpm warn EBADENGINE Unsupported engine"},
    {"toolchain_version", "$ ./x\nok 1 - requires python >= 3.9 is shown"},
    {"toolchain_version", "$ ./x\n\xe2\x9c\x93 invalid target release: 99 (1 ms)"},
    {"artifact_cache", "$ ./x\nok 1 - Failed to extract cache is shown"},
    {"artifact_cache", "$ ./x\nWARNING: cache.zip: no matching files"},
    {"artifact_cache", "$ ./x\n\xe2\x9c\x93 zip: not a valid zip file (1 ms)"},
};

constexpr std::string_view kPlainTestFailure =
    "\n$ python -m unittest\nFAIL: test_nine (test_box.BoxTest)\nTraceback (most recent call "
    "last):\n  File \"test_box.py\", line 9, in test_nine\n"
    "AssertionError: 8 != 9\n\nFAILED (failures=1)";
constexpr std::string_view kPlainCompileError =
    "\n$ make\nbox.c:3:5: error: expected expression\nmake: *** [box.o] Error 1";

TEST(Decoys, BeforeAnotherCause) {
  for (const auto& decoy : kDecoys) {
    const bool about_code = std::string_view(decoy.not_category) == "compile_error" ||
                            std::string_view(decoy.not_category) == "link_error";
    const std::string_view cause = about_code ? kPlainTestFailure : kPlainCompileError;
    const Diagnosis d = diagnose_job(std::string(decoy.text) + std::string(cause));
    EXPECT_EQ(d.category, about_code ? "test_failure" : "compile_error")
        << decoy.text << "\n  root: " << (d.root_cause ? d.root_cause->text : "-");
  }
}

// The same words with no other cause in the log: silence is right, being sure is wrong.
TEST(Decoys, AloneAreNotBelieved) {
  for (const auto& decoy : kDecoys) {
    const Diagnosis d = diagnose_job(decoy.text);
    EXPECT_TRUE(d.category != decoy.not_category || d.confidence < 0.5)
        << decoy.text << "\n  said " << d.category << " " << d.confidence << ": "
        << (d.root_cause ? d.root_cause->text : "-");
  }
}

}  // namespace
}  // namespace gitaiops::diagnosis
