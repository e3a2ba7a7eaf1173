// Every solid category: whole small logs of different tools that it must recognise.
#include <gtest/gtest.h>

#include "tests/unit/diagnosis/job_log.h"

namespace gitaiops::diagnosis {
namespace {

struct TrueLog {
  const char* category;
  const char* text;  // the job's output; the last line may be the runner's verdict
};

const TrueLog kTrue[] = {
    {"compile_error",
     "$ make\ncc -c ring.c\nring.c:12:5: error: expected ';' before 'return'\n   12 |     return "
     "0;\nmake: *** [ring.o] Error 1"},
    {"compile_error",
     "$ cargo build\n   Compiling ring v0.1.0\nerror[E0425]: cannot find value `size` in this "
     "scope\n --> src/lib.rs:3:5\nerror: could not compile `ring` due to 1 previous error"},
    {"compile_error",
     "$ go build ./...\n# example.org/ring\n./ring.go:9:2: undefined: size\nERROR: Job failed: "
     "exit code 2"},
    {"link_error",
     "$ make\nc++ -o app main.o\n/usr/bin/ld: main.o: in function `main':\nmain.cpp:(.text+0x9): "
     "undefined reference to `ring_new()'\ncollect2: error: ld returned 1 exit status\nmake: *** "
     "[app] Error 1"},
    {"link_error",
     "$ swift build\nUndefined symbols for architecture x86_64:\n  \"_ring_new\", referenced "
     "from:\n      _main in main.o\nld: symbol(s) not found for architecture x86_64\nclang: error: "
     "linker command failed with exit code 1"},
    {"link_error",
     "$ cmake --build .\n/usr/bin/ld: cannot find -lring\ncollect2: error: ld returned 1 exit "
     "status"},
    {"type_check",
     "$ npx tsc --noEmit\nsrc/ring.ts(3,7): error TS2322: Type 'string' is not assignable to type "
     "'number'.\nERROR: Job failed: exit code 2"},
    {"type_check",
     "$ mypy ring\nring/core.py:9: error: Incompatible return value type (got \"str\", expected "
     "\"int\")  [return-value]\nFound 1 error in 1 file (checked 3 source files)"},
    {"type_check",
     "$ pyright\n  /app/ring/core.py:9:12 - error: Expression of type \"str\" is incompatible\n1 "
     "error, 0 warnings"},
    {"syntax_error",
     "$ python ring.py\n  File \"ring.py\", line 3\n    def size(:\n             ^\nSyntaxError: "
     "invalid syntax"},
    {"syntax_error",
     "$ php -l ring.php\nPHP Parse error:  syntax error, unexpected token \"}\" in ring.php on "
     "line 9\nERROR: Job failed: exit code 255"},
    {"syntax_error",
     "$ node check.js\n/app/check.js:3\nSyntaxError: Unexpected token '}'\n    at wrapSafe "
     "(node:internal)"},
    {"lint_format",
     "$ npx eslint .\n\n/app/src/ring.js\n  3:8  error  'size' is defined but never used  "
     "no-unused-vars\n\n✖ 1 problem (1 error, 0 warnings)"},
    {"lint_format",
     "$ black --check .\nwould reformat ring/core.py\n\nOh no!\n1 file would be reformatted, 9 "
     "files would be left unchanged."},
    {"lint_format",
     "$ rubocop\nInspecting 9 files\nlib/ring.rb:3:5: C: [Correctable] Style/StringLiterals: "
     "Prefer single-quoted strings\n\n9 files inspected, 1 offense detected, 1 offense "
     "autocorrectable"},
    {"test_failure",
     "$ python -m "
     "unittest\nF.\n======================================================================\nFAIL: "
     "test_size "
     "(test_ring.RingTest)\n----------------------------------------------------------------------"
     "\nTraceback (most recent call last):\n  File \"test_ring.py\", line 9, in test_size\n    "
     "self.assertEqual(ring.size(), 4)\nAssertionError: 3 != 4\n\nFAILED (failures=1)"},
    {"test_failure",
     "$ go test ./...\n--- FAIL: TestSize (0.00s)\n    ring_test.go:9: got 3, want "
     "4\nFAIL\nFAIL\texample.org/ring\t0.004s"},
    {"test_failure",
     "$ npx jest\nFAIL src/ring.test.js\n  ● Ring › grows\n\n    "
     "expect(received).toBe(expected)\n\nTests:       1 failed, 3 passed, 4 total"},
    {"snapshot_mismatch",
     "$ npx jest --ci\nFAIL src/ring.test.js\n  ● Ring › renders\n\n    "
     "expect(received).toMatchSnapshot()\n\n    Snapshot name: `Ring renders 1`\n\n › 1 snapshot "
     "failed."},
    {"snapshot_mismatch",
     "$ npx vitest run\nError: Snapshot `Ring > renders 1` mismatched\n- Expected\n+ Received"},
    {"snapshot_mismatch",
     "$ ./golden.sh\ngolden file out/ring.txt does not match testdata/ring.txt\nERROR: Job failed: "
     "exit code 1"},
    {"test_crash",
     "$ "
     "./ring_test\n=================================================================\n==41==ERROR: "
     "AddressSanitizer: heap-use-after-free on address 0x602000000010\n    #0 0x55 in ring_free "
     "ring.c:9\nSUMMARY: AddressSanitizer: heap-use-after-free ring.c:9 in ring_free"},
    {"test_crash",
     "$ ctest\n/bin/bash: line 140:    41 Segmentation fault      (core dumped) "
     "./ring_test\nERROR: Job failed: exit code 139"},
    {"test_crash",
     "$ go run .\npanic: runtime error: invalid memory address or nil pointer dereference\n[signal "
     "SIGSEGV: segmentation violation code=0x1]\n\ngoroutine 1 [running]:\nmain.main()\nexit "
     "status 2"},
    {"test_timeout",
     "$ go test ./...\npanic: test timed out after 10m0s\n\ngoroutine 17 "
     "[running]:\ntesting.(*M).startAlarm.func1()\nFAIL\texample.org/ring\t600.0s"},
    {"test_timeout",
     "$ npx mocha\n  1) Ring grows:\n     Error: Timeout of 2000ms exceeded. For async tests and "
     "hooks, ensure \"done()\" is called"},
    {"test_timeout",
     "$ mix test\n  1) test grows (RingTest)\n     ** (ExUnit.TimeoutError) test timed out after "
     "60000ms"},
    {"coverage_threshold",
     "$ pytest --cov\n9 passed in 1.2s\nFAIL Required test coverage of 90% not reached. Total "
     "coverage: 84.10%"},
    {"coverage_threshold",
     "$ npx jest --coverage\nTests:       4 passed, 4 total\nJest: \"global\" coverage threshold "
     "for branches (90%) not met: 71%"},
    {"coverage_threshold",
     "$ mvn verify\n[WARNING] Rule violated for bundle ring: lines covered ratio is 0.71, but "
     "expected minimum is 0.90\n[ERROR] Failed to execute goal "
     "org.jacoco:jacoco-maven-plugin:check: Coverage checks have not been met."},
    {"dep_conflict",
     "$ npm install\nnpm ERR! code ERESOLVE\nnpm ERR! ERESOLVE unable to resolve dependency "
     "tree\nnpm ERR! Found: ring@2.0.0"},
    {"dep_conflict",
     "$ pip install -r requirements.txt\nERROR: Cannot install ring==1 and wheel==2 because these "
     "package versions have conflicting dependencies.\nERROR: ResolutionImpossible: for help visit "
     "https://pip.example"},
    {"dep_conflict",
     "$ bundle install\nBundler could not find compatible versions for gem \"ring\":\n  In "
     "Gemfile:\n    ring (= 2)"},
    {"dep_not_found",
     "$ pip install ringg\nERROR: Could not find a version that satisfies the requirement ringg "
     "(from versions: none)\nERROR: No matching distribution found for ringg"},
    {"dep_not_found",
     "$ mvn package\n[ERROR] Failed to execute goal on project app: Could not resolve "
     "dependencies: Could not find artifact org.example:ring:jar:9 in central -> [Help 1]"},
    {"dep_not_found",
     "$ npm install\nnpm ERR! code E404\nnpm ERR! 404 Not Found - GET "
     "https://registry.example/ringg - Not found"},
    {"lockfile_sync",
     "$ npm ci\nnpm ERR! code EUSAGE\nnpm ERR! `npm ci` can only install packages when your "
     "package.json and package-lock.json or npm-shrinkwrap.json are in sync."},
    {"lockfile_sync",
     "$ yarn install --frozen-lockfile\nerror Your lockfile needs to be updated, but yarn was run "
     "with `--frozen-lockfile`."},
    {"lockfile_sync",
     "$ cargo build --locked\nerror: the lock file /app/Cargo.lock needs to be updated but "
     "--locked was passed to prevent this"},
    {"missing_module",
     "$ python main.py\nTraceback (most recent call last):\n  File \"main.py\", line 1, in "
     "<module>\n    import yaml\nModuleNotFoundError: No module named 'yaml'"},
    {"missing_module",
     "$ node main.js\nnode:internal/modules/cjs/loader:1080\n  throw err;\n  ^\n\nError: Cannot "
     "find module 'left-ring'\nRequire stack:\n- /app/main.js"},
    {"missing_module",
     "$ ruby main.rb\nmain.rb:1:in `require': cannot load such file -- ring (LoadError)"},
    {"missing_syslib",
     "$ make\ncc -c db.c\ndb.c:1:10: fatal error: sqlite3.h: No such file or directory\n    1 | "
     "#include <sqlite3.h>\ncompilation terminated.\nmake: *** [db.o] Error 1"},
    {"missing_syslib",
     "$ ./configure\nchecking for zlib... no\nconfigure: error: zlib is required"},
    {"missing_syslib",
     "$ cmake .\nCMake Error at CMakeLists.txt:9 (find_package):\n  By not providing "
     "\"FindRing.cmake\" in CMAKE_MODULE_PATH\n\n-- Configuring incomplete, errors occurred!"},
    {"os_package",
     "$ apt-get install -y libring-dev\nReading package lists...\nE: Unable to locate package "
     "libring-dev\nERROR: Job failed: exit code 100"},
    {"os_package",
     "$ apk add ring\nERROR: unable to select packages:\n  ring (no such package):\n    required "
     "by: world[ring]"},
    {"os_package",
     "$ dnf install -y ring\nNo match for argument: ring\nError: Unable to find a match: ring"},
    {"checksum_mismatch",
     "$ go mod download\ngo: verifying example.org/ring@v1.0.0: checksum mismatch\n\tdownloaded: "
     "h1:abc\nSECURITY ERROR"},
    {"checksum_mismatch",
     "$ npm ci\nnpm ERR! code EINTEGRITY\nnpm ERR! sha512-xyz integrity checksum failed when using "
     "sha512"},
    {"checksum_mismatch",
     "$ sha256sum -c ring.sha256\nring.tar.gz: FAILED\nsha256sum: WARNING: 1 computed checksum did "
     "NOT match"},
    {"script_error", "$ ./deploy.sh\n./deploy.sh: line 3: VERSION: unbound variable"},
    {"script_error",
     "$ make chek\nmake: *** No rule to make target 'chek'.  Stop.\nERROR: Job failed: exit code "
     "2"},
    {"script_error", "$ npm run biuld\nnpm ERR! Missing script: \"biuld\""},
    {"command_not_found",
     "$ terraform plan\n/bin/bash: line 152: terraform: command not found\nERROR: Job failed: exit "
     "code 127"},
    {"command_not_found",
     "$ npm test\n> ring test\n> jest\n\nsh: 1: jest: not found\nERROR: Job failed: exit code 127"},
    {"command_not_found", "$ ./run\nexec: \"helm\": executable file not found in $PATH"},
    {"file_not_found",
     "$ cp dist/ring.tar out\ncp: cannot stat 'dist/ring.tar': No such file or directory"},
    {"file_not_found",
     "$ python load.py\nTraceback (most recent call last):\n  File \"load.py\", line 3, in "
     "<module>\n    open('conf/ring.yml')\nFileNotFoundError: [Errno 2] No such file or directory: "
     "'conf/ring.yml'"},
    {"file_not_found",
     "$ node build.js\nError: ENOENT: no such file or directory, open '/app/conf/ring.json'"},
    {"permission_denied",
     "$ ./build.sh\n/bin/bash: line 150: ./build.sh: Permission denied\nERROR: Job failed: exit "
     "code 126"},
    {"permission_denied",
     "$ python install.py\nPermissionError: [Errno 13] Permission denied: '/opt/ring'"},
    {"permission_denied",
     "$ npm install -g ring\nnpm ERR! code EACCES\nnpm ERR! syscall mkdir\nnpm ERR! Error: EACCES: "
     "permission denied, mkdir '/usr/lib/node_modules/ring'"},
    {"toolchain_version",
     "$ mvn package\n[ERROR] Failed to execute goal: Fatal error compiling: invalid target "
     "release: 21 -> [Help 1]"},
    {"toolchain_version",
     "$ yarn\nerror ring@3.0.0: The engine \"node\" is incompatible with this module. Expected "
     "version \">=20\". Got \"16.1.0\"\nerror Found incompatible module."},
    {"toolchain_version",
     "$ pip install ring\nERROR: Package 'ring' requires a different Python: 3.8.1 not in "
     "'>=3.10'"},
    {"docker_build",
     "$ docker build .\n#9 ERROR: process \"/bin/sh -c ./prepare\" did not complete successfully: "
     "exit code: 3\nERROR: failed to solve: process \"/bin/sh -c ./prepare\" did not complete "
     "successfully: exit code: 3"},
    {"docker_build",
     "$ docker build .\nStep 4/9 : COPY dist /app\nCOPY failed: file not found in build context or "
     "excluded by .dockerignore: stat dist: file does not exist"},
    {"docker_build",
     "$ docker build .\nERROR: failed to solve: dockerfile parse error on line 3: unknown "
     "instruction: RUNN"},
    {"image_not_found",
     "$ docker pull reg.example/ring:nine\nError response from daemon: manifest for "
     "reg.example/ring:nine not found: manifest unknown: manifest unknown"},
    {"image_not_found",
     "x\nERROR: Job failed: failed to pull image \"reg.example/ring:nine\" with specified policies "
     "[always]: Error response from daemon: manifest for reg.example/ring:nine not found: manifest "
     "unknown: manifest unknown (manager.go:1:0s)"},
    {"image_not_found",
     "$ docker build .\nERROR: failed to solve: reg.example/ring:nine: failed to resolve source "
     "metadata for reg.example/ring:nine: not found"},
    {"auth_failed",
     "$ git clone https://git.example/a.git\nCloning into 'a'...\nfatal: Authentication failed for "
     "'https://git.example/a.git/'\nERROR: Job failed: exit code 128"},
    {"auth_failed",
     "$ npm publish\nnpm ERR! code E403\nnpm ERR! 403 403 Forbidden - PUT "
     "https://registry.example/ring"},
    {"auth_failed",
     "$ scp out host:\ndeploy@host: Permission denied (publickey).\nlost connection"},
    {"artifact_cache",
     "$ true\nERROR: Uploading artifacts as \"archive\" to coordinator... 413 Request Entity Too "
     "Large  id=9 responseStatus=413\nFATAL: too large"},
    {"artifact_cache",
     "Downloading artifacts for build (9)...\nERROR: Downloading artifacts from coordinator... not "
     "found  host=git.example id=9 responseStatus=404 Not Found"},
    {"artifact_cache",
     "$ ./fetch\nThis job depends on other jobs with expired/erased artifacts: build"},
    {"dns",
     "$ curl -O https://files.example/ring\ncurl: (6) Could not resolve host: "
     "files.example\nERROR: Job failed: exit code 6"},
    {"dns",
     "$ npm ci\nnpm ERR! code ENOTFOUND\nnpm ERR! network request to https://registry.example/ring "
     "failed, reason: getaddrinfo ENOTFOUND registry.example"},
    {"dns",
     "$ go mod download\ngo: example.org/ring@v1: dial tcp: lookup proxy.example on 10.0.0.2:53: "
     "no such host"},
    {"net_conn",
     "$ curl -O https://files.example/ring\ncurl: (7) Failed to connect to files.example port 443: "
     "Connection refused\nERROR: Job failed: exit code 7"},
    {"net_conn", "$ npm ci\nnpm ERR! code ECONNRESET\nnpm ERR! network read ECONNRESET"},
    {"net_conn",
     "$ pip install ring\nERROR: Could not install packages due to an OSError: ('Connection "
     "aborted.', RemoteDisconnected('Remote end closed connection without response'))"},
    {"tls_cert",
     "$ curl https://files.example\ncurl: (60) SSL certificate problem: certificate has "
     "expired\nERROR: Job failed: exit code 60"},
    {"tls_cert",
     "$ docker login reg.example\nError response from daemon: Get \"https://reg.example/v2/\": "
     "x509: certificate signed by unknown authority"},
    {"tls_cert",
     "$ mvn package\n[ERROR] Could not transfer artifact: PKIX path building failed: unable to "
     "find valid certification path"},
    {"remote_timeout",
     "$ curl https://files.example\ncurl: (28) Operation timed out after 30001 milliseconds with 0 "
     "bytes received\nERROR: Job failed: exit code 28"},
    {"remote_timeout",
     "$ pip install ring\nReadTimeoutError: HTTPSConnectionPool(host='files.example', port=443): "
     "Read timed out."},
    {"remote_timeout",
     "$ go mod download\ngo: example.org/ring: Get \"https://proxy.example/ring\": dial tcp "
     "10.0.0.9:443: i/o timeout"},
    {"http_5xx",
     "$ curl -f https://files.example\ncurl: (22) The requested URL returned error: 503\nERROR: "
     "Job failed: exit code 22"},
    {"http_5xx",
     "$ pip install ring\nERROR: HTTP error 502 while getting https://files.example/ring.whl"},
    {"http_5xx",
     "$ mvn deploy\n[ERROR] Failed to deploy artifacts: status code: 500, reason phrase: Internal "
     "Server Error (500)"},
    {"rate_limited",
     "$ docker pull ring\nError response from daemon: toomanyrequests: You have reached your pull "
     "rate limit."},
    {"rate_limited",
     "$ curl -f https://api.example\ncurl: (22) The requested URL returned error: 429\nERROR: Job "
     "failed: exit code 22"},
    {"rate_limited", "$ ./release\nError: API rate limit exceeded for installation ID 9"},
    {"git_transient",
     "$ git clone https://git.example/a.git\nerror: RPC failed; curl 56 GnuTLS recv error (-54): "
     "Error in the pull function.\nfatal: early EOF\nfatal: index-pack failed"},
    {"git_transient",
     "$ git fetch\nfatal: unable to access 'https://git.example/a.git/': Empty reply from server"},
    {"git_transient",
     "$ git fetch\nfatal: the remote end hung up unexpectedly\nERROR: Job failed: exit code 128"},
    {"git_ref",
     "$ git clone -b nine https://git.example/a.git\nfatal: Remote branch nine not found in "
     "upstream origin"},
    {"git_ref",
     "$ git merge main\nAuto-merging ring.c\nCONFLICT (content): Merge conflict in "
     "ring.c\nAutomatic merge failed; fix conflicts and then commit the result."},
    {"git_ref",
     "$ git checkout nine\nerror: pathspec 'nine' did not match any file(s) known to git"},
    {"service_unready",
     "$ psql -h db\npsql: error: connection to server at \"db\" (10.0.0.3), port 5432 failed: "
     "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?"},
    {"service_unready",
     "$ ./migrate\nERROR 2002 (HY000): Can't connect to MySQL server on 'db' (115)"},
    {"service_unready",
     "$ python worker.py\nredis.exceptions.ConnectionError: Error 111 connecting to redis:6379. "
     "Connection refused."},
    {"oom_killed",
     "$ npm run build\n<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed - "
     "JavaScript heap out of memory\nERROR: Job failed: exit code 134"},
    {"oom_killed",
     "$ make\nc++: fatal error: Killed signal terminated program cc1plus\ncompilation "
     "terminated.\nmake: *** [ring.o] Error 1"},
    {"oom_killed",
     "$ ./train\n/bin/bash: line 141:    45 Killed                  ./train\nERROR: Job failed: "
     "exit code 137"},
    {"disk_full",
     "$ tar xf ring.tar\ntar: ring/a: Cannot write: No space left on device\ntar: Exiting with "
     "failure status due to previous errors"},
    {"disk_full",
     "$ docker build .\nERROR: failed to solve: write /var/lib/docker/tmp/x: no space left on "
     "device"},
    {"disk_full",
     "$ npm ci\nnpm ERR! code ENOSPC\nnpm ERR! nospc ENOSPC: no space left on device, write"},
    {"runner_system",
     "x\nERROR: Job failed (system failure): prepare environment: etcdserver: leader changed"},
    {"runner_system",
     "ERROR: Preparation failed: unable to acquire instance: context canceled\nERROR: Job failed "
     "(system failure): unable to acquire instance: context canceled"},
    {"runner_system",
     "x\nERROR: Job failed (system failure): Error response from daemon: OCI runtime create "
     "failed: container_linux.go:380"},
    {"runner_interrupted", "$ make\ncc -c a.c\nERROR: Job failed: aborted: terminated"},
    {"runner_interrupted",
     "$ make\ninstance unexpectedly removed\nERROR: Job failed (system failure): instance "
     "unexpectedly removed"},
    {"runner_interrupted",
     "$ make\nThe runner has received a shutdown signal\nERROR: Job failed: aborted: interrupt"},
    {"job_timeout",
     "$ ./soak\nstill running\nERROR: Job failed: execution took longer than 1h0m0s seconds"},
    {"job_timeout",
     "$ pytest\ntests/test_ring.py ....\nERROR: Job failed: execution took longer than 30m0s "
     "seconds"},
    {"job_timeout",
     "$ make\nsrc/a.c:3:5: error: expected expression\nERROR: Job failed: execution took longer "
     "than 10m0s seconds"},
    {"canceled", "$ make\ncc -c a.c\nERROR: Job failed: canceled"},
    {"canceled", "$ pytest\ntests/test_ring.py ..\nERROR: Job failed: canceled"},
    {"canceled", "$ npm ci\nnpm ERR! network ECONNRESET\nERROR: Job failed: canceled"},
    {"quality_gate",
     "$ sonar-scanner\nINFO: ANALYSIS SUCCESSFUL\nERROR: QUALITY GATE STATUS: FAILED - View "
     "details on https://sonar.example/ring"},
    {"quality_gate",
     "$ gradle checkstyleMain\n[ant:checkstyle] [ERROR] /b/src/Ring.java:7:1: Missing a Javadoc "
     "comment. [JavadocVariable]"},
    {"quality_gate",
     "$ mvn pmd:check\n[ERROR] PMD Failure: org.example.Ring:7 Rule:UnusedLocalVariable Priority:3 "
     "Avoid unused local variables"},
    {"stale_generated",
     "$ make docs-check\nGenerated files are out of date, run 'make docs' and commit the result"},
    {"stale_generated", "$ ./check\nThe protobuf bindings are not up to date"},
    {"stale_generated", "$ go generate ./...\nError: docs/cli.md needs to be regenerated"},
    {"license_policy",
     "$ mvn license:check\n[ERROR] Missing header in: /b/src/main/java/Ring.java"},
    {"license_policy", "$ rat\n2 files with unapproved licenses"},
    {"license_policy", "$ addlicense -check .\nring.go: missing license header"},
    {"db_migration", "$ rake test\nActiveRecord::PendingMigrationError: Migrations are pending."},
    {"db_migration",
     "$ ./manage migrate\ndjango.db.migrations.exceptions.InconsistentMigrationHistory: "
     "no\nCommandError: Conflicting migrations detected; multiple leaf nodes in the migration "
     "graph"},
    {"db_migration",
     "$ flyway validate\norg.flywaydb.core.api.FlywayException: Validate failed: Migrations have "
     "failed validation"},
    {"doc_link_check",
     "$ lychee docs\n[404] https://example.org/gone | Failed: Network error: Not Found"},
    {"doc_link_check",
     "$ markdown-link-check README.md\n  [\xe2\x9c\x96] https://example.org/gone \xe2\x86\x92 "
     "Status: 404"},
    {"doc_link_check", "$ sphinx-build -W . out\ndocs/ring.rst:12: WARNING: undefined label: gone"},
    {"vuln_gate", "$ pip-audit\nFound 3 known vulnerabilities in 2 packages"},
    {"vuln_gate", "$ trivy image ring\nTotal: 2 (HIGH: 1, CRITICAL: 1)"},
    {"vuln_gate", "$ gitleaks detect\n3:21PM WRN leaks found: 2"},
    {"native_ext_build",
     "$ pip install .\n  error: subprocess-exited-with-error\n  ERROR: Failed building wheel for "
     "ring"},
    {"native_ext_build",
     "$ bundle install\nGem::Ext::BuildError: ERROR: Failed to build gem native extension."},
    {"native_ext_build",
     "$ npm install\ngyp ERR! build error\ngyp ERR! stack Error: `make` failed with exit code: 2"},
    {"http_4xx",
     "$ curl -fsSO https://files.example/ring.tgz\ncurl: (22) The requested URL returned error: "
     "404"},
    {"http_4xx",
     "$ wget https://files.example/ring.tgz\n2026-03-01 10:00:00 ERROR 404: Not Found."},
    {"http_4xx", "$ python3 get.py\nurllib.error.HTTPError: HTTP Error 404: Not Found"},
    {"missing_variable", "$ ./deploy.sh\ndeploy.sh: DEPLOY_KEY is not set"},
    {"missing_variable",
     "$ python3 deploy.py\nTraceback (most recent call last):\n  File \"deploy.py\", line 3, in "
     "<module>\n    os.environ['DEPLOY_HOST']\nKeyError: 'DEPLOY_HOST'"},
    {"missing_variable", "$ node deploy.js\nError: environment variable DEPLOY_URL is required"},
    {"image_auth",
     "ERROR: Job failed: failed to pull image \"reg.example/ring:1\" with specified policies "
     "[always]: Error response from daemon: pull access denied for reg.example/ring, repository "
     "does not exist or may require 'docker login'"},
    {"image_auth",
     "ERROR: Job failed: failed to pull image \"reg.example/ring:1\" with specified policies "
     "[always]: Error response from daemon: Head \"https://reg.example/v2/ring\": denied: access "
     "forbidden"},
    {"image_auth",
     "$ docker pull reg.example/ring:1\nError response from daemon: Get "
     "\"https://reg.example/v2/\": unauthorized: HTTP Basic: Access denied"},
    {"deploy_k8s",
     "$ helm upgrade ring .\nError: UPGRADE FAILED: timed out waiting for the condition"},
    {"deploy_k8s",
     "$ kubectl rollout status deployment/ring\nerror: deployment \"ring\" exceeded its progress "
     "deadline"},
    {"deploy_k8s",
     "$ kubectl apply -f ring.yaml\nerror: unable to recognize \"ring.yaml\": no matches for kind "
     "\"Deployment\" in version \"extensions/v1beta1\""},
    {"iac_terraform",
     "$ terraform plan\n\xe2\x94\x82 Error: Unsupported argument\n\xe2\x94\x82 \n\xe2\x94\x82   on "
     "main.tf line 3:"},
    {"iac_terraform", "$ terraform apply\nError acquiring the state lock"},
    {"iac_terraform",
     "$ ansible-playbook site.yml\nfatal: [web1]: FAILED! => {\"changed\": false, \"msg\": \"no "
     "package\"}"},
    {"log_limit",
     "$ make -j8 V=1\nbuilding\n\x1b[31;1mJob's log exceeded limit of 4194304 bytes.\n\x1b[0;m"},
    {"log_limit",
     "$ ./noise\nJob's log exceeded limit of 1048576 bytes.\nJob execution will continue but no "
     "more output will be collected."},
    {"log_limit", "$ ./noise\nJob's log exceeded limit of 4194304 bytes."},
    {"image_pull_transient",
     "ERROR: Job failed: failed to pull image \"reg.example/ring:1\" with specified policies "
     "[always]: Error response from daemon: Get \"https://reg.example/v2/\": EOF"},
    {"image_pull_transient",
     "ERROR: Job failed (system failure): prepare environment: waiting for pod running: pulling "
     "image \"reg.example/ring:1\": image pull failed: Back-off pulling image "
     "\"reg.example/ring:1\""},
    {"image_pull_transient",
     "ERROR: Job failed: failed to pull image \"reg.example/ring:1\" with specified policies "
     "[always]: error pulling image configuration: download failed after attempts=6: EOF"},
    {"docker_daemon",
     "$ docker build .\nERROR: Cannot connect to the Docker daemon at tcp://docker:2375. Is the "
     "docker daemon running?"},
    {"docker_daemon",
     "$ docker ps\nerror during connect: Get \"http://docker:2375/_ping\": dial tcp 10.0.0.3:2375: "
     "connect: no route"},
    {"docker_daemon",
     "$ docker-compose up\nCouldn't connect to Docker daemon at http+docker://localhost - is it "
     "running?"},
    {"pod_start",
     "ERROR: Job failed (system failure): prepare environment: waiting for pod running: timed out "
     "waiting for pod to start"},
    {"pod_start",
     "ERROR: Job failed (system failure): prepare environment: setting up build pod: pods "
     "\"runner-x\" is forbidden: exceeded quota: compute"},
    {"pod_start",
     "ERROR: Job failed (system failure): prepare environment: waiting for pod running: pod status "
     "is failed"},
    {"stalled_output",
     "$ make soak\nstep 1\nNo output has been received in the last 10m0s, this potentially "
     "indicates a stalled build"},
    {"stalled_output", "$ ./soak\nToo long with no output (exceeded 10m0s)"},
    {"stalled_output", "$ ./soak\nstep 9 has not produced any output for 600 seconds"},
    {"resource_limit", "$ npm start\nError: EMFILE: too many open files, watch '/app'"},
    {"resource_limit", "$ make -j99\n/bin/bash: fork: retry: Resource temporarily unavailable"},
    {"resource_limit", "$ pytest -n 99\nRuntimeError: can't start new thread"},
};

TEST(Categories, TrueLogs) {
  std::map<std::string, int> right;
  for (const auto& log : kTrue) {
    const Diagnosis d = diagnose_job(log.text);
    EXPECT_EQ(d.category, log.category)
        << log.text << "\n  root: " << (d.root_cause ? d.root_cause->text : "-");
    EXPECT_EQ(d.outcome,
              std::string_view(log.category) == "canceled" ? Outcome::canceled : Outcome::failed)
        << log.text;
    EXPECT_GT(d.confidence, 0.4) << log.text;
    ++right[log.category];
  }
  for (const auto& [category, n] : right) EXPECT_GE(n, 3) << category;
  EXPECT_GE(right.size(), 59u);
}

}  // namespace
}  // namespace gitaiops::diagnosis
