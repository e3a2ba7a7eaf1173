"""What only the runner, a container engine or a cluster can say: in their own words around a real job."""
from seeded import Case

WORK = "echo building; for i in 1 2 3; do echo step $i; done"


def verdicts():
    for category, words in {
            "runner_system": (
                " (system failure): prepare environment: exit status 1. Check https://docs.example/runner/shells for more information",
                " (system failure): Error response from daemon: OCI runtime create failed: container_linux.go:380: starting container process caused: exec failed: unknown",
                " (system failure): prepare environment: etcdserver: leader changed",
                " (system failure): prepare environment: etcdserver: request timed out",
                " (system failure): Internal error occurred: unable to upgrade connection: container not found (\"build\")",
                " (system failure): Error response from daemon: conflict: unable to delete 3f1c (cannot be forced)",
                " (system failure): preparing environment: exec: \"pwsh\": executable file not found in $PATH",
                " (system failure): preparation failed: unable to acquire instance: context deadline exceeded",
                " (system failure): error executing the custom prepare stage: exit status 2",
                " (system failure): Error response from daemon: failed to create shim task: OCI runtime create failed"),
            "pod_start": (
                " (system failure): prepare environment: waiting for pod running: timed out waiting for pod to start. Check https://docs.example for more information",
                " (system failure): prepare environment: setting up build pod: pods \"runner-x\" is forbidden: exceeded quota: compute, requested: limits.cpu=4, used: limits.cpu=8, limited: limits.cpu=8",
                " (system failure): prepare environment: waiting for pod running: pod status is failed",
                " (system failure): pod \"runner-ab-project-7-concurrent-0\" status is \"Failed\": The node was low on resource: memory. Evicted",
                " (system failure): pods \"runner-ab-project-7-concurrent-0\" not found",
                " (system failure): prepare environment: waiting for pod running: 0/5 nodes are available: 5 Insufficient cpu. Unschedulable"),
            "runner_interrupted": (": aborted: terminated", ": aborted: interrupt", ": aborted: quit"),
            "job_timeout": (": execution took longer than 1h0m0s seconds", ": execution took longer than 30m0s seconds", ": execution took longer than 10m0s seconds"),
            "canceled": (": canceled",),
            "oom_killed": (": command terminated with exit code 137", " (system failure): Error in container build: exit code: 137, reason: 'OOMKilled'"),
            "image_not_found": (
                ": failed to pull image \"registry.example/ring/tools:9\" with specified policies [always]: Error response from daemon: manifest for registry.example/ring/tools:9 not found: manifest unknown: manifest unknown (manager.go:250:0s)",
                ": failed to pull image \"alpine:no-such\" with specified policies [if-not-present]: Error response from daemon: manifest for alpine:no-such not found: manifest unknown (manager.go:250:1s)",
                " (system failure): prepare environment: waiting for pod running: pulling image \"registry.example/ring/tools:9\": image pull failed: rpc error: code = NotFound desc = failed to pull and unpack image: failed to resolve reference \"registry.example/ring/tools:9\": registry.example/ring/tools:9: not found",
                ": failed to pull image \"Ring/Tools:1\" with specified policies [always]: invalid reference format: repository name must be lowercase (manager.go:250:0s)",
                " (system failure): prepare environment: waiting for pod running: pulling image \"ring//tools\": image pull failed: InvalidImageName: Failed to apply default image tag \"ring//tools\""),
            "image_auth": (
                ": failed to pull image \"registry.example/ring/private:1\" with specified policies [always]: Error response from daemon: pull access denied for registry.example/ring/private, repository does not exist or may require 'docker login': denied: requested access to the resource is denied (manager.go:250:0s)",
                ": failed to pull image \"registry.example/ring/private:1\" with specified policies [always]: Error response from daemon: Head \"https://registry.example/v2/ring/private/manifests/1\": denied: access forbidden (manager.go:250:0s)",
                ": failed to pull image \"registry.example/ring/private:1\" with specified policies [always]: Error response from daemon: Get \"https://registry.example/v2/\": unauthorized: HTTP Basic: Access denied (manager.go:250:0s)",
                " (system failure): prepare environment: waiting for pod running: pulling image \"registry.example/ring/private:1\": image pull failed: failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
                ": failed to pull image \"registry.example/ring/private:1\" with specified policies [always]: Error response from daemon: Get \"https://registry.example/v2/\": no basic auth credentials (manager.go:250:0s)"),
            "image_pull_transient": (
                ": failed to pull image \"registry.example/ring/tools:1\" with specified policies [always]: Error response from daemon: Get \"https://registry.example/v2/\": EOF (manager.go:250:0s)",
                ": failed to pull image \"registry.example/ring/tools:1\" with specified policies [always]: error pulling image configuration: download failed after attempts=6: unexpected EOF (manager.go:250:9s)",
                " (system failure): prepare environment: waiting for pod running: pulling image \"registry.example/ring/tools:1\": image pull failed: Back-off pulling image \"registry.example/ring/tools:1\"",
                ": failed to pull image \"registry.example/ring/tools:1\" with specified policies [always]: Error response from daemon: received unexpected HTTP status: 503 Service Unavailable (manager.go:250:2s)"),
            "rate_limited": (
                ": failed to pull image \"alpine:3\" with specified policies [always]: Error response from daemon: toomanyrequests: You have reached your pull rate limit. (manager.go:250:0s)",),
    }.items():
        for number, verdict in enumerate(words):
            yield Case(category, "verdict-%d" % number, WORK, verdict=verdict)
            if number < 3:  # the same after other work
                yield Case(category, "verdict-%d-after-warnings" % number, "echo 'warning: 3 deprecated calls'; echo '0 errors'; " + WORK, verdict=verdict)


def said(text):
    return "printf '%s\\n' " + " ".join("'" + line.replace("'", "'\\''") + "'" for line in text) + "; exit 1"


def words():
    """Tools that cannot run here, in the words their own documentation shows."""
    for category, texts in {
            "docker_build": (
                ["#7 [3/4] COPY dist /app", "#7 ERROR: failed to calculate checksum of ref a1b2::x: \"/dist\": not found", "ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref a1b2::x: \"/dist\": not found"],
                ["Dockerfile:3", "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RNU (did you mean RUN?)"],
                ["unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat /builds/ring/Dockerfile: no such file or directory"],
                ["Step 3/5 : COPY dist /app", "COPY failed: file not found in build context or excluded by .dockerignore: stat dist: file does not exist"],
                ["ERROR: failed to build: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory"],
                ["error building image: error building stage: failed to execute command: waiting for process to exit: exit status 1"]),
            "deploy_k8s": (
                ["Error: UPGRADE FAILED: timed out waiting for the condition"], ["Error: INSTALLATION FAILED: cannot re-use a name that is still in use"],
                ["deployment.apps/ring configured", "Waiting for deployment \"ring\" rollout to finish: 0 of 1 updated replicas are available...", "error: deployment \"ring\" exceeded its progress deadline"],
                ["Error from server (Forbidden): error when creating \"ring.yaml\": deployments.apps is forbidden: User \"ci\" cannot create resource \"deployments\""],
                ["error: unable to recognize \"ring.yaml\": no matches for kind \"Deployment\" in version \"extensions/v1beta1\""],
                ["error: error validating \"ring.yaml\": error validating data: unknown field \"spec.replica\""]),
            "artifact_cache": (
                ["Uploading artifacts...", "dist: found 31 matching artifact files and directories", "ERROR: Uploading artifacts as \"archive\" to coordinator... 413 Request Entity Too Large  id=71 responseStatus=413 Request Entity Too Large status=413 token=64_x", "FATAL: too large"],
                ["Downloading artifacts for build (70)...", "ERROR: Downloading artifacts from coordinator... not found  id=70 responseStatus=404 Not Found token=64_x", "FATAL: permission denied"],
                ["Downloading artifacts for build (70)...", "ERROR: Downloading artifacts from coordinator... forbidden  host=gitlab.example id=70 responseStatus=403 Forbidden status=403 token=64_x"],
                ["FATAL: invalid argument: artifacts.zip: zip: not a valid zip file"]),
            "stalled_output": (["step 1", "No output has been received in the last 10m0s, this potentially indicates a stalled build or something wrong with the build itself."],),
            "dep_conflict": (
                ["Your requirements could not be resolved to an installable set of packages.", "", "  Problem 1", "    - ring/part 2.0 requires ring/core ^2 -> found ring/core[1.0] but it conflicts with your root composer.json require (^1)."],
                ["Bundler could not find compatible versions for gem \"ring\":", "  In Gemfile:", "    ring (~> 2.0)"],
                ["Because ring (1.0) depends on part (^2.0)", " and box depends on part (^1.0), ring is forbidden.", "So, because box depends on ring (1.0), version solving failed."],
                ["ERROR: Cannot install ring==1 and part==2 because these package versions have conflicting dependencies.", "ERROR: ResolutionImpossible: for help visit the documentation"],
                ["error: failed to select a version for `part`.", "    ... required by package `ring v0.1.0`", "versions that meet the requirements `^9` are: none"]),
            "coverage_threshold": (
                ["TOTAL      210     60    71%", "FAIL Required test coverage of 80% not reached. Total coverage: 71.43%", "9 passed in 0.3s"],
                ["Jest: \"global\" coverage threshold for lines (90%) not met: 84.1%"],
                ["Coverage for lines (71.2%) does not meet global threshold (80%)"],
                ["[ERROR] Failed to execute goal org.jacoco:jacoco-maven-plugin:0.8.8:check: Coverage checks have not been met. See log for details."],
                ["Line coverage (71.2%) is below the expected minimum coverage (80.00%).", "SimpleCov failed with exit 2 due to a coverage related error"],
                ["ERROR: Coverage for statements (61%) does not meet global threshold (70%)"]),
            "license_policy": (
                ["[ERROR] Missing header in: /builds/ring/src/Ring.java", "[ERROR] Some files do not have the expected license header"], ["The following files are missing a license header:", "  src/ring.go"],
                ["2 files with unapproved licenses"], ["ERROR: license \"GPL-3.0\" of part@1.0 is not allowed by policy"]),
            "vuln_gate": (
                ["Found 3 known vulnerabilities in 2 packages", "Name Version ID Fix Versions", "part 1.0 PYSEC-2024-1 1.1"], ["registry.example/ring (alpine 3.18)", "Total: 2 (HIGH: 1, CRITICAL: 1)"],
                ["One or more dependencies were identified with vulnerabilities that have a CVSS score greater than or equal to '7.0'"], ["3:21PM WRN leaks found: 2"]),
            "quality_gate": (
                ["INFO: ANALYSIS SUCCESSFUL", "ERROR: QUALITY GATE STATUS: FAILED - View details on https://sonar.example/dashboard?id=ring"],
                ["> Task :checkstyleMain FAILED", "[ant:checkstyle] [ERROR] /builds/ring/src/Ring.java:7:1: Missing a Javadoc comment. [JavadocVariable]"],
                ["[INFO] PMD version: 6.55", "[ERROR] PMD Failure: org.example.Ring:7 Rule:UnusedLocalVariable Priority:3 Avoid unused local variables"], ["[ERROR] Failed to execute goal spotbugs: SpotBugs violations were found"]),
            "doc_link_check": (
                ["FILE: README.md", "  [✖] https://example.org/gone → Status: 404", "ERROR: 1 dead links found!"], ["docs/ring.rst:12: WARNING: undefined label: gone"],
                ["(line   9) broken    https://example.org/gone - 404 Client Error", "build finished with problems, 1 broken links"], ["  ✗ https://example.org/gone", "1 broken link"]),
            "type_check": (
                ["src/ring.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'."], ["ring/core.py:9: error: Incompatible return value type (got \"str\", expected \"int\")  [return-value]", "Found 1 error in 1 file (checked 3 source files)"],
                ["  /builds/ring/core.py:9:12 - error: Argument of type \"str\" cannot be assigned (reportArgumentType)", "1 error, 0 warnings, 0 informations"], ["src/a.tsx:4:7 - error TS2304: Cannot find name 'size'.", "Found 1 error."]),
            "log_limit": (["\x1b[31;1mJob's log exceeded limit of 4194304 bytes.", "Job execution will continue but no more output will be collected.\x1b[0;m"],),
            "snapshot_mismatch": (
                ["FAIL src/ring.test.js", "  ● Ring › renders", "", "    expect(received).toMatchSnapshot()", "", " › 1 snapshot failed.", "Snapshot Summary"], ["Error: Snapshot `Ring > renders 1` mismatched"],
                ["E       AssertionError: assert [+ received] == [- snapshot]", "1 snapshot failed."], ["---- snapshot assertion for 'ring' failed in line 7"]),
            "git_transient": (
                ["Cloning into 'ring'...", "error: RPC failed; curl 56 GnuTLS recv error (-54): Error in the pull function.", "fatal: early EOF", "fatal: fetch-pack: invalid index-pack output"],
                ["fatal: the remote end hung up unexpectedly"], ["kex_exchange_identification: Connection closed by remote host", "fatal: Could not read from remote repository."]),
            "docker_daemon": (["ERROR: Cannot connect to the Docker daemon at tcp://docker:2375. Is the docker daemon running?"], ["error during connect: Get \"http://docker:2375/_ping\": dial tcp: lookup docker on 10.0.0.10:53: no such host"]),
            "native_ext_build": (
                ["  error: subprocess-exited-with-error", "  ERROR: Failed building wheel for ring", "ERROR: Could not build wheels for ring, which is required to install pyproject.toml-based projects"],
                ["Gem::Ext::BuildError: ERROR: Failed to build gem native extension.", "    current directory: /gems/ring-1.0/ext"], ["gyp ERR! build error", "gyp ERR! stack Error: `make` failed with exit code: 2"]),
            "iac_terraform": (["╷", "│ Error: Error acquiring the state lock", "│ ", "│ Error message: ConditionalCheckFailedException", "╵"], ["fatal: [web1]: FAILED! => {\"changed\": false, \"msg\": \"no package\"}", "web1 : ok=2 failed=1"]),
            "db_migration": (["ActiveRecord::PendingMigrationError: Migrations are pending."], ["django.db.migrations.exceptions.NodeNotFoundError: Migration ring.0002 dependencies reference nonexistent parent node"],
                             ["org.flywaydb.core.api.FlywayException: Validate failed: Migrations have failed validation"], ["alembic.util.exc.CommandError: Multiple head revisions are present"]),
            "stale_generated": (["Error: docs/cli.md is out of date. Run 'make docs' and commit the result."], ["The generated protobuf files are not up to date; please run make proto"], ["diff --git a/api/openapi.json b/api/openapi.json", "uncommitted changes after go generate"]),
            "service_unready": (["*** WARNING: Service runner-ab-postgres-0 probably didn't start properly.", "django.db.utils.OperationalError: could not connect to server: Connection refused", "\tIs the server running on host \"postgres\" (172.17.0.2) and accepting", "\tTCP/IP connections on port 5432?"],
                                ["MongoServerSelectionError: connect ECONNREFUSED mongo:27017"], ["com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure"]),
            "http_5xx": (["ERROR: HTTP error 502 while getting https://files.example/ring.whl"], ["[ERROR] Failed to transfer artifact: Could not transfer artifact org.example:ring:pom:1 from/to central: status code: 503, reason phrase: Service Unavailable (503)"]),
            "remote_timeout": (["java.net.SocketTimeoutException: Read timed out"], ["Get \"https://registry.example/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)"], ["Net::ReadTimeout: Net::ReadTimeout"]),
            "test_timeout": (["  1) Ring grows:", "     Error: Timeout of 2000ms exceeded. For async tests and hooks, ensure \"done()\" is called"], ["  ● Ring › grows", "    thrown: \"Exceeded timeout of 5000 ms for a test.\""]),
            "dep_not_found": (["[ERROR] Could not find artifact org.example:gone:jar:1.0 in central (https://repo.example/maven2)"], ["> Could not resolve all files for configuration ':compileClasspath'.", "   > Could not find org.example:gone:1.0."]),
    }.items():
        for number, text in enumerate(texts):
            yield Case(category, "words-%d" % number, said(text))


def more_words():
    for category, texts in {
            "license_policy": (["src/main/java/org/example/Shop.java does not have a license header", "Run 'mvn license:format' to add it"], ["FAIL: 3 files without licence header:", "  lib/basket.py"], ["Unapproved licenses:", "  src/shop.c"], ["The following files have unapproved licenses: web/app.js"],
                               ["license check failed: package left-basket uses AGPL-3.0, which is not on the allow list", "ERROR: licence AGPL-3.0 is not allowed"], ["Commit 1a2b3c4: missing Signed-off-by line", "DCO check: 1 commit is missing a sign-off"]),
            "vuln_gate": (["error[vulnerability]: Use after free in basket", "advisories FAILED", "error: 1 vulnerability found!"], ["Crate: basket", "error: 2 vulnerabilities found!"], ["# npm audit report", "2 high severity vulnerabilities found (audit level: high)"], ["Vulnerability #1: GO-2024-0001", "Your code is affected by 1 vulnerability from 1 module."],
                          ["Found 2 known vulnerabilities (1 critical) in the lock file"], ["secret detected: AWS key in deploy/conf.py", "1 secrets detected"]),
            "docker_build": (["ERROR: failed to solve: process \"/bin/sh -c make install\" did not complete successfully: exit code: 2"], ["The command '/bin/sh -c go build ./...' returned a non-zero code: 1"], ["Error: error building at STEP \"RUN npm run build\": error while running runtime: exit status 1"],
                             ["Dockerfile:7", "ERROR: failed to build: failed to solve: failed to compute cache key: \"/target/app.jar\": not found"]),
            "artifact_cache": (["ERROR: Downloading artifacts from coordinator... error  id=81 responseStatus=500 status=500"], ["ERROR: No files to upload"], ["This job depends on other jobs with expired/erased artifacts: build"], ["ERROR: Failed to extract cache", "zip: not a valid zip file"], ["ERROR: Uploading artifacts as \"archive\" to coordinator... too large archive  id=82", "FATAL: too large"], ["Unable to download artifact(s): artifact not found for name: dist"]),
            "deploy_k8s": (["Error: INSTALLATION FAILED: cannot patch \"shop\" with kind Deployment: spec.selector: field is immutable"],),
            "quality_gate": (["There were 4 errors reported by Checkstyle 10.3"], ["> Task :detekt FAILED", "Analysis failed with 7 weighted issues.", "detekt found issues: failed"], ["You have 3 PMD violations."]),
            "native_ext_build": (["  error: command '/usr/bin/gcc' failed with exit code 1", "  ERROR: Failed building wheel for fastbasket"],),
            "snapshot_mismatch": (["1) ring.spec.ts:3:1 › page ──────", "Error: Snapshot comparison failed: 812 pixels are different"],),
            "stale_generated": (["ERROR: go.pb.go is out of date, please run `make generate` and commit the result"],),
            "flaky_test": (["Flaky test failed too often, giving up: BasketTest.total"], ["[ERROR] There was 1 flake and failOnFlakeCount is set to 1"], ["  2 flaky tests found, failing the run"], ["3 passed, 1 flaky test detected", "Error: flaky tests are not allowed"], ["flaky tests detected: total (passed on attempt 2)"],
                           ["basket.total passed on retry 2: flaky, failing the job"], ["failing the build because of 2 flaky tests"], ["1 flaky spec found in 3 runs"], ["Flaky tests found:", "  basket.total: 1 of 3 runs failed"], ["The run failed due to flaky tests: basket.total"]),
            "log_limit": (["building", "\x1b[31;1mJob's log exceeded limit of 1048576 bytes.", "Job execution will continue but no more output will be collected.\x1b[0;m"], ["\x1b[31;1mJob's log exceeded limit of 16777216 bytes.", "Job execution will continue but no more output will be collected.\x1b[0;m"]),
            "stalled_output": (["compiling", "No output has been received in the last 30m0s, this potentially indicates a stalled build or something wrong with the build itself."], ["no output in the last 600 seconds, stopping", "Too long with no output (exceeded 10m0s): context deadline exceeded"])}.items():
        for number, text in enumerate(texts):
            yield Case(category, "more-words-%d" % number, said(text))
    works = ("echo compiling; for i in 1 2 3 4 5 6; do echo unit $i of 6; done", "echo '[INFO] Tests run: 31, Failures: 0, Errors: 0'", "echo 'warning: unused variable x'; echo '2 warnings generated.'",
             "for i in $(seq 40); do echo \"line $i ok\"; done", "curl -fsS http://@HTTP@/404/x || echo 'no cache, going on'", "echo 'ok 1 - survives a closed connection'; echo 'ok 2'")
    for category, verdict in (("runner_interrupted", ": aborted: terminated"), ("job_timeout", ": execution took longer than 2h0m0s seconds"), ("canceled", ": canceled"), ("canceled", ": canceled\r"),
                              ("pod_start", " (system failure): prepare environment: waiting for pod running: timed out waiting for pod to start"),
                              ("image_not_found", ": failed to pull image \"registry.example/ring/ci:v3\" with specified policies [always]: Error response from daemon: manifest for registry.example/ring/ci:v3 not found: manifest unknown (manager.go:250:0s)"),
                              ("image_auth", ": failed to pull image \"registry.example/other/ci:1\" with specified policies [always]: Error response from daemon: pull access denied for registry.example/other/ci, repository does not exist or may require 'docker login' (manager.go:250:0s)"),
                              ("image_pull_transient", ": failed to pull image \"registry.example/ring/ci:v3\" with specified policies [always]: Error response from daemon: Get \"https://registry.example/v2/\": EOF (manager.go:250:0s)")):
        for number, work in enumerate(works[:5]):
            yield Case(category, "verdict-work-%d%s" % (number, "-r" if verdict.endswith("\r") else ""), work, verdict=verdict.strip())


CASES = [case for group in (verdicts, words, more_words) for case in group()]
