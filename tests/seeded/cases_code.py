"""Failures of the code, its tests, its dependencies and the job's own configuration."""
from seeded import Case

C_MAIN = "int main(void) { return 0; }\n"
GO_MOD = "module example.org/ring\n\ngo 1.18\n"
CARGO = '[package]\nname = "ring"\nversion = "0.1.0"\nedition = "2021"\n'
POM_HEAD = ('<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>org.example</groupId><artifactId>ring</artifactId><version>1</version>")


def compile_errors():
    bad = {
        "gcc": ("ring.c", "int size(void) {\n  return sizee;\n}\n", "gcc -c ring.c", "gcc"),
        "g++": ("ring.cpp", "#include <string>\nint main() { std::string s = 3.5L; return s.sizee(); }\n",
                "g++ -std=c++17 ring.cpp -o ring", "g++"),
        "make": ("ring.c", "void f(void) { int x = ; }\n", "printf 'ring.o: ring.c\\n\\tgcc -c ring.c\\n' > Makefile && make",
                 "make"),
        "javac": ("Ring.java", "class Ring {\n  int size() { return sizee; }\n}\n", "javac Ring.java", "javac"),
        "rustc": ("ring.rs", "fn main() {\n    let n: u32 = \"three\";\n}\n", "rustc ring.rs", "rustc"),
        "rustc borrow": ("ring.rs", "fn main() { let a = vec![1]; let b = a; println!(\"{:?}\", a); drop(b); }\n",
                         "rustc ring.rs", "rustc"),
        "go build": ("ring.go", "package main\n\nfunc main() {\n\tprintln(size)\n}\n", "go build ring.go", "go"),
        "go unused": ("ring.go", "package main\n\nimport \"os\"\n\nfunc main() {\n}\n", "go run ring.go", "go"),
        "gcc werror": ("ring.c", "int f(void) { int unused; return 0; }\n", "gcc -Wall -Werror -c ring.c", "gcc"),
        "g++ template": ("ring.cpp", "#include <vector>\n#include <algorithm>\nstruct A {};\nint main() { std::vector<A> v; "
                         "std::sort(v.begin(), v.end()); }\n", "g++ -c ring.cpp", "g++"),
        "protoc then gcc": ("ring.c", "struct a { int x; };\nint f(struct a *p) { return p->y; }\n",
                            "gcc -O2 -c ring.c -o ring.o", "gcc"),
    }
    for name, (file, text, command, tool) in bad.items():
        yield Case("compile_error", name.replace(" ", "-"), command, {file: text}, needs=(tool,))
    yield Case("compile_error", "cargo", "cargo build --offline",
               {"Cargo.toml": CARGO, "src/main.rs": "fn main() { grow(); }\n"}, needs=("cargo",))
    yield Case("compile_error", "cmake", ["cmake -S . -B out > /dev/null", "cmake --build out"],
               {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(ring C)\nadd_executable(ring ring.c)\n",
                "ring.c": "int main(void) { return nothing; }\n"}, needs=("cmake", "gcc"))


def link_errors():
    for name, source, flags in (
            ("undefined", "void grow(void);\nint main(void) { grow(); return 0; }\n", ""),
            ("two undefined", "int a(void); int b(void);\nint main(void) { return a() + b(); }\n", "-O2"),
            ("library", C_MAIN, "-lnosuchring"),
            ("static library", C_MAIN, "-Wl,-Bstatic -lneverbuilt"),
            ("math", "#include <math.h>\nint main(int c, char **v) { return (int)pow(c, 0.3 * c + (long)v); }\n", "-fno-builtin")):
        yield Case("link_error", "gcc-" + name.replace(" ", "-"), "gcc ring.c %s -o ring" % flags, {"ring.c": source},
                   needs=("gcc",))
    yield Case("link_error", "gcc-twice", "gcc a.c b.c -o ring",
               {"a.c": "int size;\nint grow(void) { return 1; }\nint main(void) { return 0; }\n",
                "b.c": "int grow(void) { return 2; }\n"}, needs=("gcc",))
    yield Case("link_error", "g++-class", "g++ ring.cpp -o ring",
               {"ring.cpp": "struct Ring { void grow(); virtual ~Ring(); };\nint main() { Ring().grow(); }\n"}, needs=("g++",))
    yield Case("link_error", "no-main", "g++ ring.cpp -o ring", {"ring.cpp": "int f() { return 0; }\n"}, needs=("g++",))
    yield Case("link_error", "make", "make",
               {"Makefile": "ring: ring.o\n\tgcc ring.o -o ring\nring.o: ring.c\n\tgcc -c ring.c\n",
                "ring.c": "extern int missing_part(int);\nint main(void) { return missing_part(1); }\n"}, needs=("make", "gcc"))
    yield Case("link_error", "cmake", ["cmake -S . -B out > /dev/null", "cmake --build out -j2"],
               {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(ring C)\nadd_executable(ring ring.c)\n"
                "target_link_libraries(ring gone_for_good)\n", "ring.c": C_MAIN}, needs=("cmake", "gcc"))
    yield Case("link_error", "rustc", "rustc -C link-arg=-lnosuchring ring.rs", {"ring.rs": "fn main() {}\n"}, needs=("rustc",))


def syntax_errors():
    for name, file, text, command, tool in (
            ("python", "ring.py", "def size(:\n    pass\n", "python3 ring.py", "python3"),
            ("python-indent", "ring.py", "def size():\nreturn 1\n", "python3 ring.py", "python3"),
            ("python-tabs", "ring.py", "if True:\n\tx = 1\n        y = 2\n", "python3 -tt ring.py", "python3"),
            ("python-compileall", "ring.py", "print('a'\n", "python3 -m compileall -q .", "python3"),
            ("node", "ring.js", "function size( {\n", "node ring.js", "node"),
            ("node-check", "ring.js", "const a = ;\n", "node --check ring.js", "node"),
            ("perl", "ring.pl", "my $a = ;\nprint $a\n", "perl ring.pl", "perl"),
            ("perl-check", "ring.pl", "sub f { if (1) { }\n", "perl -c ring.pl", "perl"),
            ("json-python", "ring.json", "{\"a\": 1,}\n", "python3 -c 'import json; json.load(open(\"ring.json\"))'", "python3"),
            ("json-node", "ring.json", "{\"a\": 1,}\n", "node -e 'require(\"./ring.json\")'", "node"),
            ("toml", "ring.toml", "a = \n", "python3 -c 'import tomllib; tomllib.load(open(\"ring.toml\", \"rb\"))'", "python3"),
            ("xml", "ring.xml", "<a><b></a>\n", "python3 -c 'import xml.dom.minidom as m; m.parse(\"ring.xml\")'", "python3")):
        yield Case("syntax_error", name, command, {file: text}, needs=(tool,))


def script_errors():
    for name, command, tool in (
            ("unbound", "set -u; echo deploying $NOT_SET_ANYWHERE", "bash"),
            ("make-target", "echo 'all:' > Makefile; make chekc", "make"),
            ("make-none", "make", "make"),
            ("option-grep", "grep --no-such-option x y", "grep"),
            ("option-tar", "tar --frobnicate -cf x.tar .", "tar"),
            ("option-ls", "ls --nope", "ls"),
            ("npm-script", "echo '{\"name\":\"ring\",\"scripts\":{\"test\":\"true\"}}' > package.json; npm run biuld", "npm"),
            ("git-command", "git chekout main", "git"),
            ("unexpected", "echo 'if true; then echo a' > a.sh; bash a.sh", "bash"),
            ("near-token", "echo 'for i in 1 2; do; done' > a.sh; bash a.sh", "bash"),
            ("unary", "[ $EMPTY == x -a ] ", "bash"),
            ("python-args", "python3 -c 'import argparse; p = argparse.ArgumentParser(prog=\"ring\"); p.add_argument(\"--size\", "
             "required=True); p.parse_args()'", "python3"),
            ("cargo-command", "cargo biuld", "cargo"),
            ("curl-option", "curl --frobnicate http://localhost", "curl")):
        yield Case("script_error", name, command, needs=(tool,))
    yield Case("script_error", "ambiguous", "echo 1 > $(echo a b)", needs=("bash",))


def tests():
    failing = "import unittest\n\nclass RingTest(unittest.TestCase):\n    def test_grows(self):\n        self.assertEqual(1 + 1, 3)\n"
    yield Case("test_failure", "unittest", "python3 -m unittest -v", {"test_ring.py": failing}, needs=("python3",))
    yield Case("test_failure", "pytest", "pytest -q", {"test_ring.py": "def test_grows():\n    assert [1, 2] == [1, 3]\n"}, needs=("pytest",))
    yield Case("test_failure", "pytest-raises", "pytest", {"test_ring.py": "def test_grows():\n    {}['size']\n"}, needs=("pytest",))
    yield Case("test_failure", "doctest", "python3 -m doctest ring.py",
               {"ring.py": '"""\n>>> 1 + 1\n3\n"""\n'}, needs=("python3",))
    yield Case("test_failure", "node-test", "node --test",
               {"ring.test.js": "const t = require('node:test'); const a = require('node:assert');\n"
                "t('grows', () => a.strictEqual(1, 2));\n"}, needs=("node",))
    yield Case("test_failure", "node-assert", "node ring.js", {"ring.js": "require('assert').deepStrictEqual([1], [2])\n"}, needs=("node",))
    yield Case("test_failure", "go-test", "go test ./...",
               {"go.mod": GO_MOD, "ring_test.go": "package ring\n\nimport \"testing\"\n\nfunc TestGrow(t *testing.T) {\n"
                "\tt.Errorf(\"got %d, want 3\", 2)\n}\n"}, needs=("go",))
    yield Case("test_failure", "cargo-test", "cargo test --offline",
               {"Cargo.toml": CARGO, "src/lib.rs": "#[test]\nfn grows() { assert_eq!(1 + 1, 3); }\n"}, needs=("cargo",))
    yield Case("test_failure", "prove", "prove t", {"t/ring.t": "use Test::More tests => 2;\nok(1);\nis(1 + 1, 3, 'adds');\n"}, needs=("prove",))
    yield Case("test_failure", "ctest", ["cmake -S . -B out > /dev/null", "cd out && ctest --output-on-failure"],
               {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(ring NONE)\nenable_testing()\n"
                "add_test(NAME grows COMMAND false)\n"}, needs=("cmake", "ctest"))
    yield Case("test_failure", "make-check", "make check",
               {"Makefile": "check:\n\t@python3 -m unittest\n", "test_ring.py": failing}, needs=("make", "python3"))
    crash = "#include <stdlib.h>\nint main(int c, char **v) { %s return c + (long)v; }\n"
    for name, body, flags in (("segv", "*(volatile int *)0 = 1;", ""), ("abort", "abort();", ""),
                              ("asan", "char *p = malloc(4); free(p); p[c] = 1; return p[c];", "-fsanitize=address -g"),
                              ("ubsan", "int x = 2147483647; x += c; return x;", "-fsanitize=undefined -fno-sanitize-recover=all"),
                              ("heap", "char *p = malloc(8); p[-8] = 1; free(p); free(p);", "")):
        yield Case("test_crash", name, ["gcc %s -w ring_test.c -o ring_test" % flags, "./ring_test"],
                   {"ring_test.c": crash % body}, needs=("gcc",))
    yield Case("test_crash", "assert", ["gcc ring_test.c -o ring_test", "./ring_test"],
               {"ring_test.c": "#include <assert.h>\nint main(int c, char **v) { assert(c == 7 && v); }\n"}, needs=("gcc",))
    yield Case("test_crash", "terminate", ["g++ ring_test.cpp -o ring_test", "./ring_test"],
               {"ring_test.cpp": "#include <stdexcept>\nint main() { throw std::runtime_error(\"no ring\"); }\n"}, needs=("g++",))
    yield Case("test_crash", "go-panic", "go run ring.go",
               {"ring.go": "package main\n\nfunc main() {\n\tvar a []int\n\tprintln(a[3])\n}\n"}, needs=("go",))
    yield Case("test_crash", "go-deadlock", "go run ring.go",
               {"ring.go": "package main\n\nfunc main() {\n\tc := make(chan int)\n\t<-c\n}\n"}, needs=("go",))
    yield Case("test_crash", "python-segv", "python3 -X faulthandler -c 'import ctypes; ctypes.string_at(0)'", needs=("python3",))
    yield Case("test_crash", "valgrind", ["gcc -g ring_test.c -o ring_test", "valgrind --error-exitcode=9 ./ring_test"],
               {"ring_test.c": "#include <stdlib.h>\nint main(void) { int *p = malloc(4); p[1] = 3; return p[1] == 4; }\n"},
               needs=("gcc", "valgrind"))
    yield Case("test_timeout", "go", "go test -timeout 1s ./...",
               {"go.mod": GO_MOD, "ring_test.go": "package ring\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\n"
                "func TestGrow(t *testing.T) {\n\ttime.Sleep(time.Minute)\n}\n"}, needs=("go",))
    yield Case("test_timeout", "ctest", ["cmake -S . -B out > /dev/null", "cd out && ctest --timeout 1"],
               {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(ring NONE)\nenable_testing()\n"
                "add_test(NAME grows COMMAND sleep 20)\n"}, needs=("cmake", "ctest"))
    yield Case("test_timeout", "node", "node --test --test-timeout 500",
               {"ring.test.js": "require('node:test')('grows', () => new Promise(r => setTimeout(r, 9000)));\n"}, needs=("node",))
    yield Case("snapshot_mismatch", "golden", "./golden.sh",
               {"golden.sh": "#!/bin/sh\ndiff -u golden.txt out.txt || { echo 'golden file golden.txt does not match out.txt'; exit 1; }\n",
                "golden.txt": "a\nb\n", "out.txt": "a\nc\n"})


def dependencies():
    npm = '{"name":"ring","version":"1.0.0","dependencies":{%s}}'
    for name, command, tool in (
            ("pip", "python3 -m pip install --no-index ringlib-of-nobody==9", "pip"),
            ("pip-requirements", "echo 'ringlib-of-nobody>=2' > requirements.txt; python3 -m pip install --no-index -r requirements.txt", "pip")):
        yield Case("dep_not_found", name, command, needs=(tool,))
    yield Case("dep_not_found", "npm-404", "npm install --registry http://@HTTP@/404/", {"package.json": npm % '"ring-of-nobody":"1.0.0"'}, needs=("npm",))
    yield Case("dep_not_found", "cargo", "cargo build --offline",
               {"Cargo.toml": CARGO + '\n[dependencies]\nring_of_nobody = "1"\n', "src/main.rs": "fn main() {}\n"}, needs=("cargo",))
    yield Case("dep_not_found", "maven", "mvn -o -q -B package",
               {"pom.xml": POM_HEAD + "<dependencies><dependency><groupId>org.example</groupId><artifactId>gone</artifactId>"
                "<version>1</version></dependency></dependencies></project>"}, needs=("mvn",))
    yield Case("dep_not_found", "go", "go build ./...",
               {"go.mod": GO_MOD, "ring.go": "package main\n\nimport _ \"example.org/gone/part\"\n\nfunc main() {}\n"}, needs=("go",),
               env={"GOFLAGS": "-mod=readonly", "GOPROXY": "off"})
    for name, command, tool in (
            ("python", "python3 -c 'import ringlib_of_nobody'", "python3"), ("python-m", "python3 -m ringlib_of_nobody", "python3"),
            ("python-from", "python3 -c 'from os import ring_of_nobody'", "python3"),
            ("node", "node -e 'require(\"ring-of-nobody\")'", "node"),
            ("node-esm", "node --input-type=module -e 'import \"ring-of-nobody\"'", "node"),
            ("perl", "perl -e 'use Ring::Of::Nobody;'", "perl"), ("java", "java -cp . org.example.Gone", "java")):
        yield Case("missing_module", name, command, needs=(tool,))
    yield Case("missing_module", "pytest", "pytest", {"test_ring.py": "import ringlib_of_nobody\n\ndef test_a():\n    pass\n"}, needs=("pytest",))
    yield Case("missing_module", "node-file", "node app.js", {"app.js": "const r = require('./lib/gone');\n"}, needs=("node",))
    yield Case("missing_syslib", "shared-library", ["gcc -shared -fPIC part.c -o libpart.so", "gcc main.c -L. -lpart -o ring", "./ring"],
               {"part.c": "int part(void) { return 0; }\n", "main.c": "int part(void);\nint main(void) { return part(); }\n"}, needs=("gcc",))
    for name, command, tool in (("pkg-config", "pkg-config --cflags --libs ring-of-nobody", "pkg-config"),):
        yield Case("missing_syslib", name, command, needs=(tool,))
    yield Case("missing_syslib", "header", "gcc -c ring.c", {"ring.c": "#include <nobody/ring.h>\n"}, needs=("gcc",))
    yield Case("missing_syslib", "header-g++", "g++ -c ring.cpp", {"ring.cpp": "#include \"nobody/ring.hpp\"\n"}, needs=("g++",))
    yield Case("missing_syslib", "cmake", "cmake -S . -B out",
               {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(ring C)\nfind_package(RingOfNobody REQUIRED)\n"}, needs=("cmake", "gcc"))
    yield Case("missing_syslib", "cmake-pkg", "cmake -S . -B out",
               {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(ring C)\nfind_package(PkgConfig REQUIRED)\n"
                "pkg_check_modules(NOBODY REQUIRED ring-of-nobody)\n"}, needs=("cmake", "pkg-config"))
    yield Case("missing_syslib", "cmake-library", "cmake -S . -B out",
               {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.18)\nproject(ring C)\nfind_library(RING ring_of_nobody REQUIRED)\n"}, needs=("cmake",))
    yield Case("missing_syslib", "configure", "./configure",
               {"configure": "#!/bin/sh\necho 'checking for gcc... gcc'\necho 'checking for ring_new in -lring... no'\n"
                "echo 'configure: error: libring is required' >&2\nexit 1\n"})
    for name, command in (("locate", "apt-get install -y --no-download ring-of-nobody"), ("apt", "apt-get install -y --no-download libring-of-nobody-dev make"),
                          ("version", "apt-get install -y --no-download bash=99.9"), ("dpkg", "dpkg -i gone.deb")):
        yield Case("os_package", name, command, needs=("apt-get",), root=True)
    yield Case("lockfile_sync", "npm-ci", "npm ci --offline",
               {"package.json": npm % '"a":"file:./a"', "a/package.json": '{"name":"a","version":"1.0.0"}',
                "package-lock.json": '{"name":"ring","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"ring","version":"1.0.0"}}}'}, needs=("npm",))
    yield Case("lockfile_sync", "npm-ci-none", "npm ci", {"package.json": npm % ""}, needs=("npm",))
    yield Case("lockfile_sync", "cargo", "cargo build --locked --offline",
               {"Cargo.toml": CARGO + '\n[dependencies]\npart = { path = "part" }\n', "src/main.rs": "fn main() {}\n",
                "part/Cargo.toml": CARGO.replace("ring", "part"), "part/src/lib.rs": "",
                "Cargo.lock": 'version = 3\n\n[[package]]\nname = "ring"\nversion = "0.1.0"\n'}, needs=("cargo",))
    yield Case("lockfile_sync", "go", "go build ./...",
               {"go.mod": GO_MOD + "\nrequire example.org/part v1.0.0\n", "ring.go": "package main\n\nimport _ \"example.org/part\"\n\nfunc main() {}\n"},
               needs=("go",), env={"GOFLAGS": "-mod=readonly", "GOPROXY": "off"})
    for name, command in (("sha256", "sha256sum -c ring.sum"), ("md5", "md5sum --check ring.sum")):
        digest = "0" * (64 if name == "sha256" else 32)
        yield Case("checksum_mismatch", name, command, {"ring.bin": "x", "ring.sum": digest + "  ring.bin\n"})
    yield Case("checksum_mismatch", "pip-hash", "python3 -m pip install --no-index --require-hashes -r requirements.txt",
               {"requirements.txt": "./ring-1.tar.gz --hash=sha256:" + "0" * 64 + "\n", "ring-1.tar.gz": "no archive"}, needs=("pip",))
    yield Case("toolchain_version", "cmake", "cmake -S . -B out", {"CMakeLists.txt": "cmake_minimum_required(VERSION 99.0)\nproject(ring)\n"}, needs=("cmake",))
    yield Case("toolchain_version", "go", "go build ./...", {"go.mod": "module ring\n\ngo 1.99\n", "a.go": "package main\n\nfunc main() {}\n"}, needs=("go",))
    yield Case("toolchain_version", "cargo", "cargo build --offline", {"Cargo.toml": CARGO + 'rust-version = "1.999"\n', "src/main.rs": "fn main() {}\n"}, needs=("cargo",))
    yield Case("toolchain_version", "javac", "javac --release 99 Ring.java", {"Ring.java": "class Ring {}\n"}, needs=("javac",))
    yield Case("toolchain_version", "npm-engine", "npm install --offline --engine-strict", {"package.json": '{"name":"ring","version":"1.0.0","engines":{"node":">=99"}}'}, needs=("npm",))
    yield Case("toolchain_version", "perl", "perl -e 'use v7.99;'", needs=("perl",))


def configuration():
    for name in ("terrafrom", "helmm", "pnpmm", "sonar-scanner-x", "ring-tool"):
        yield Case("command_not_found", name, name + " --version")
    for name, command, tool in (("exec", "env no-such-ring", "env"), ("xargs", "echo a | xargs no-such-ring", "xargs"), ("sudo", "timeout 5 no-such-ring", "timeout"),
                                ("sh", "sh -c 'no-such-ring build'", "sh"), ("dash", "dash -c 'no-such-ring build'", "dash"),
                                ("python", "python3 -c 'import subprocess; subprocess.run([\"no-such-ring\"], check=True)'", "python3"),
                                ("node", "node -e 'require(\"child_process\").spawn(\"no-such-ring\")'", "node"),
                                ("make", "printf 'all:\\n\\tno-such-ring build\\n' > Makefile; make", "make"),
                                ("go", "printf 'package main\\nimport \"os/exec\"\\nfunc main() { if e := exec.Command(\"no-such-ring\").Run(); e != nil { panic(e) } }' > a.go; go run a.go", "go")):
        yield Case("command_not_found", name, command, needs=(tool,))
    for name, command, tool in (("cp", "cp dist/ring.tar out/", "cp"), ("cat", "cat conf/ring.yml", "cat"), ("cd", "cd frontend", "bash"), ("tar", "tar xzf dist.tgz", "tar"),
                                ("python", "python3 deploy.py", "python3"), ("python-open", "python3 -c 'open(\"conf/ring.yml\")'", "python3"),
                                ("node", "node -e 'require(\"fs\").readFileSync(\"conf/ring.yml\")'", "node"), ("bash", "bash ./scripts/build.sh", "bash"),
                                ("source", "source ./env.sh", "bash"), ("gcc", "gcc gone.c", "gcc"), ("mv", "mv target/app.jar release/", "mv"), ("sed", "sed -i s/a/b/ gone.conf", "sed")):
        yield Case("file_not_found", name, command, needs=(tool,))
    for name, command, tool in (("bash", ": ${DEPLOY_KEY:?not set}", "bash"), ("python", "python3 -c 'import os; os.environ[\"DEPLOY_HOST\"]'", "python3"),
                                ("script", "./deploy.sh", "bash"), ("sh-param", "sh -c ': ${API_TOKEN?}'", "sh"),
                                ("node", "node -e 'if (!process.env.DEPLOY_URL) throw new Error(\"Environment variable DEPLOY_URL is required\")'", "node"),
                                ("make", "printf 'all:\\nifndef DEPLOY_ENV\\n\\t$(error DEPLOY_ENV is not set)\\nendif\\n' > Makefile; make", "make")):
        yield Case("missing_variable", name, command, {"deploy.sh": "#!/bin/sh\n[ -n \"$DEPLOY_KEY\" ] || { echo 'Error: DEPLOY_KEY is not set' >&2; exit 1; }\n"}, needs=(tool,))
    for name, command in (("not-executable", "touch build.sh && ./build.sh"), ("immutable", "echo x > /proc/sys/kernel/ostype"),
                          ("as-nobody", "chmod 700 . ; setpriv --reuid=65534 --clear-groups cat /etc/shadow"), ("nobody-write", "setpriv --reuid=65534 --clear-groups touch /etc/ring.conf"),
                          ("nobody-mkdir", "setpriv --reuid=65534 --clear-groups mkdir /opt/ring"), ("nobody-python", "setpriv --reuid=65534 --clear-groups python3 -c 'open(\"/etc/ring\", \"w\")'"),
                          ("nobody-node", "setpriv --reuid=65534 --clear-groups node -e 'require(\"fs\").writeFileSync(\"/etc/ring\", \"x\")'"), ("nobody-cp", "setpriv --reuid=65534 --clear-groups cp /bin/true /usr/bin/ring")):
        yield Case("permission_denied", name, command, needs=("setpriv",), root=True)
    yield Case("permission_denied", "not-executable-sh", "echo true > build.sh && sh -c ./build.sh")
    git = "git init -q . && git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m a && "
    for name, command in (("branch", "git clone -q --branch gone . ../copy"), ("pathspec", "git checkout gone"), ("ref", "git fetch -q . gone"),
                          ("tag", "git tag v1 && git tag v1"), ("revision", "git diff gone..HEAD"), ("object", "git rev-parse --verify 0123456789abcdef0123456789abcdef01234567^{commit}"),
                          ("merge", "echo a > f && git add f && git -c user.name=a -c user.email=a@x commit -qm b && git checkout -q -b o HEAD~1 && echo b > f && git add f && "
                           "git -c user.name=a -c user.email=a@x commit -qm c && git -c user.name=a -c user.email=a@x merge -"),
                          ("worktree", "git reset -q --hard gone"), ("log", "git log v9.9.9 --oneline"),
                          ("push", "git init -q --bare ../up.git && git push -q ../up.git HEAD:main && git -c user.name=a -c user.email=a@x commit -q --amend --allow-empty -m z && git push ../up.git HEAD:main")):
        yield Case("git_ref", name, git + command, needs=("git",))
    yield Case("git_ref", "no-repository", "cd / && git describe --tags", needs=("git",))
    yield Case("lint_format", "shellcheck", "shellcheck a.sh", {"a.sh": "#!/bin/sh\nrm -rf $DIR/*\n[ $a == b ]\n"}, needs=("shellcheck",))
    yield Case("lint_format", "shellcheck-gcc", "shellcheck -f gcc a.sh", {"a.sh": "#!/bin/sh\nls *.c | grep $x\n"}, needs=("shellcheck",))
    yield Case("lint_format", "gofmt", "test -z \"$(gofmt -l . | tee /dev/stderr)\" || { echo 'Go files are not formatted, please run gofmt'; exit 1; }", {"a.go": "package a\nfunc  f( ) {}\n"}, needs=("gofmt",))
    yield Case("lint_format", "go-vet", "go vet ./...", {"go.mod": GO_MOD, "a.go": "package ring\n\nimport \"fmt\"\n\nfunc F() { fmt.Printf(\"%d\", \"a\") }\n"}, needs=("go",))
    yield Case("lint_format", "rustfmt", "rustfmt --check a.rs", {"a.rs": "fn main(){let a=1;}\n"}, needs=("rustfmt",))
    yield Case("lint_format", "clang-format", "clang-format-19 --dry-run -Werror a.c", {"a.c": "int   main( ){return 0 ;}\n"}, needs=("clang-format-19",))
    yield Case("lint_format", "git-whitespace", "git init -q . && git add . && git diff --cached --check", {"a.txt": "trailing  \n"}, needs=("git",))
    for name, text in (("block", 'resource "x" {\n'), ("argument", "variable a {}\nvariable a {}\n"), ("reference", 'output "a" {\n  value = var.gone\n}\n')):
        yield Case("iac_terraform", name, "terraform init -backend=false -input=false && terraform validate", {"main.tf": text}, needs=("terraform",))
    for name, command in (("get", "kubectl --server=http://@CLOSED@ get pods"), ("apply", "kubectl --server=http://@CLOSED@ apply -f a.yaml"), ("file", "kubectl apply --dry-run=client --validate=false -f a.yaml")):
        yield Case("deploy_k8s", name, command, {"a.yaml": "kind: Deployment\n"}, needs=("kubectl",))
    yield Case("stale_generated", "git-diff", "git init -q . && git add . && echo new > docs/cli.md && (git diff --exit-code || { echo 'Generated files are out of date, run make docs and commit the result'; exit 1; })", {"docs/cli.md": "old\n"}, needs=("git",))
    yield Case("db_migration", "sqlite", "sqlite3 ring.db 'select * from rings'", needs=("sqlite3",))
    yield Case("db_migration", "sqlite-twice", "sqlite3 ring.db 'create table a(x); create table a(x);'", needs=("sqlite3",))
    yield Case("db_migration", "python", "python3 -c 'import sqlite3; sqlite3.connect(\"a.db\").execute(\"select x from rings\")'", needs=("python3",))
    yield Case("native_ext_build", "pip", "python3 -m pip install --no-index --no-build-isolation .",
               {"setup.py": "from setuptools import setup, Extension\nsetup(name='ring', version='1', ext_modules=[Extension('ring', ['ring.c'])])\n", "ring.c": "#error no\n"}, needs=("pip", "gcc"))


CASES = [case for group in (compile_errors, link_errors, syntax_errors, script_errors, tests, dependencies, configuration) for case in group()]
