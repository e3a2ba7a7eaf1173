"""Failures in the words of many toolchains. Written from what the tools are for, before any rule was
looked at: what the rules make of these logs says how they do on tools that nobody tuned them for."""
from seeded import Case

TEST_PY = "import unittest\n\nclass BasketTest(unittest.TestCase):\n    def test_total(self):\n        self.assertEqual(sum([1, 2]), 4)\n"
MOCHA = "const assert = require('assert');\ndescribe('basket', () => {\n  it('adds up', () => assert.strictEqual(1 + 2, 4));\n});\n"
JEST = "test('adds up', () => { expect(1 + 2).toBe(4); });\n"
PACKAGE = '{"name":"basket","version":"1.0.0","private":true}\n'
VITEST = "import { expect, test } from 'vitest';\ntest('adds up', () => { expect(1 + 2).toBe(4); });\n"
GO_MOD = "module example.org/basket\n\ngo 1.18\n"
CARGO = '[package]\nname = "basket"\nversion = "0.1.0"\nedition = "2021"\n'
DJANGO = {"manage.py": "import os, sys\nos.environ['DJANGO_SETTINGS_MODULE'] = 'conf'\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
          "conf.py": "SECRET_KEY = 'x'\nINSTALLED_APPS = ['shop']\nDATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'a.db'}}\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\n",
          "shop/__init__.py": "", "shop/migrations/__init__.py": "",
          "shop/models.py": "from django.db import models\n\nclass Item(models.Model):\n    name = models.CharField(max_length=9)\n"}
MIGRATION = "from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = [%s]\n    operations = []\n"
ALEMBIC = {"alembic.ini": "[alembic]\nscript_location = m\nsqlalchemy.url = sqlite:///a.db\n",
           "m/env.py": "from alembic import context\nfrom sqlalchemy import create_engine\nwith create_engine('sqlite:///a.db').connect() as c:\n    context.configure(connection=c, target_metadata=None)\n    with context.begin_transaction():\n        context.run_migrations()\n",
           "m/script.py.mako": "", "m/versions/a.py": "revision = 'aaa1'\ndown_revision = None\ndef upgrade(): pass\n"}
SPHINX = {"conf.py": "project = 'basket'\nextensions = []\n"}


def rows():
    """(category, name, tool, command, files)"""
    # -- linters and formatters
    yield "lint_format", "flake8", "flake8", "flake8 .", {"a.py": "import os\nx=1\n"}
    yield "lint_format", "flake8-undefined", "flake8", "flake8 shop.py", {"shop.py": "def total():\n    return prices\n"}
    yield "lint_format", "pylint", "pylint", "pylint shop.py", {"shop.py": "import os\ndef Total(X):\n    return prices\n"}
    yield "lint_format", "black", "black", "black --check .", {"a.py": "x = {  'a':1 }\n"}
    yield "lint_format", "black-diff", "black", "black --check --diff -q a.py", {"a.py": "x = {  'a':1 }\n"}
    yield "lint_format", "isort", "isort", "isort --check-only .", {"a.py": "import sys\nimport os\n"}
    yield "lint_format", "ruff", "ruff", "ruff check .", {"a.py": "import os\n"}
    yield "lint_format", "ruff-concise", "ruff", "ruff check --output-format concise .", {"a.py": "import os\nimport sys\n"}
    yield "lint_format", "ruff-format", "ruff", "ruff format --check .", {"a.py": "x = {  'a':1 }\n"}
    yield "lint_format", "pycodestyle", "pycodestyle", "pycodestyle a.py", {"a.py": "x=1\n"}
    yield "lint_format", "yamllint", "yamllint", "yamllint .", {"a.yaml": "a:   1\nb: [1,2 ]\n"}
    yield "lint_format", "yamllint-parsable", "yamllint", "yamllint -f parsable a.yaml", {"a.yaml": "a:   1\nb: [1,2 ]\n"}
    yield "lint_format", "codespell", "codespell", "codespell", {"README.txt": "This is teh basket, recieve it.\n"}
    yield "lint_format", "prettier", "prettier", "prettier --check src", {"src/a.js": "const a = {b:1}\n"}
    yield "lint_format", "prettier-list", "prettier", "prettier -l src", {"src/a.js": "const a = {b:1}\n"}
    yield "lint_format", "eslint", "eslint", "eslint a.js", {"a.js": "var unused = 1;\n", "eslint.config.js": "module.exports = [{ rules: { 'no-unused-vars': 'error', 'no-var': 'error' } }];\n"}
    yield "lint_format", "eslint-unix", "eslint", "eslint -f json a.js", {"a.js": "var unused = 1;\n", "eslint.config.js": "module.exports = [{ rules: { 'no-var': 'error' } }];\n"}
    yield "lint_format", "stylelint", "stylelint", "stylelint a.css", {"a.css": "a { color: #FFFFFFF; }\n", ".stylelintrc.json": '{"rules":{"color-no-invalid-hex":true}}'}
    yield "lint_format", "standard", "standard", "standard", {"a.js": "var a = \"b\";\n", "package.json": PACKAGE}
    yield "lint_format", "jshint", "jshint", "jshint a.js", {"a.js": "var a = 1\nif (a = 2) { a++ }\n"}
    yield "lint_format", "markdownlint", "markdownlint", "markdownlint README.md", {"README.md": "# A\n# B\ntext  \n* x\n"}
    yield "lint_format", "rubocop", "rubocop", "rubocop", {"a.rb": "x = \"a\"\nputs( x )\n"}
    yield "lint_format", "phpcs", "phpcs", "phpcs --standard=PSR12 a.php", {"a.php": "<?php\nif($a){echo 1;}\n"}
    yield "lint_format", "luacheck", "luacheck", "luacheck a.lua", {"a.lua": "local x = 1\nprint(y)\n"}
    yield "lint_format", "clang-tidy", "clang-tidy", "clang-tidy -checks='-*,bugprone-*' -warnings-as-errors='*' a.cpp --", {"a.cpp": "int f(int a) { if (a = 1) return sizeof(sizeof(a)); return 0; }\n"}
    yield "lint_format", "clippy", "cargo-clippy", "cargo clippy --offline -- -D warnings", {"Cargo.toml": CARGO, "src/main.rs": "fn main() { let v = vec![1]; if v.len() == 0 { return; } }\n"}
    yield "lint_format", "cargo-fmt", "cargo-fmt", "cargo fmt -- --check", {"Cargo.toml": CARGO, "src/main.rs": "fn main( ) {let a=1;}\n"}
    yield "lint_format", "go-vet-shadow", "go", "go vet .", {"go.mod": GO_MOD, "a.go": "package basket\n\nimport \"sync\"\n\nfunc F(m sync.Mutex) { m.Lock() }\n"}
    yield "lint_format", "terraform-fmt", "terraform", "terraform fmt -check -recursive", {"main.tf": "variable   \"a\" {\ntype=string\n}\n"}
    yield "lint_format", "shellcheck-tty", "shellcheck", "shellcheck -f tty -S warning ci/*.sh", {"ci/a.sh": "#!/bin/sh\ncd $1\nfor f in $(ls); do rm $f; done\n", "ci/b.sh": "#!/bin/sh\nread x\necho ${x[0]}\n"}
    # -- static analysis, gates, documents
    yield "quality_gate", "cppcheck", "cppcheck", "cppcheck --error-exitcode=1 a.c", {"a.c": "void f(void) { int a[2]; a[2] = 1; }\n"}
    yield "lint_format", "pylint-score", "pylint", "pylint --fail-under=9.5 --disable=all --enable=C0116,R,W --fail-on=E shop.py", {"shop.py": "def total():\n    return 1\n"}
    yield "quality_gate", "perlcritic", "perlcritic", "perlcritic --stern a.pl", {"a.pl": "my $x = eval \"1\"; print $x;\n"}
    yield "quality_gate", "bandit", "bandit", "bandit -q -r shop.py", {"shop.py": "import subprocess\nsubprocess.call('ls ' + input(), shell=True)\nexec(input())\n"}
    yield "coverage_threshold", "pytest-cov", "pytest", "pytest -q --cov=shop --cov-fail-under=90", {"shop.py": "def a():\n    return 1\ndef b():\n    x = 1\n    return x\n", "test_shop.py": "import shop\ndef test_a():\n    assert shop.a() == 1\n"}
    yield "coverage_threshold", "coverage", "coverage", ["coverage run --source=. -m unittest -q", "coverage report --fail-under=95"], {"shop.py": "def a():\n    return 1\ndef b():\n    x = 1\n    return x\n", "test_shop.py": "import unittest, shop\nclass A(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(shop.a(), 1)\n"}
    yield "coverage_threshold", "jest", "jest", "jest --coverage --ci --coverageThreshold '{\"global\":{\"lines\":95,\"functions\":95}}'", {"package.json": PACKAGE, "shop.js": "exports.a = () => 1;\nexports.b = () => { const x = 1; return x; };\n", "shop.test.js": "test('a', () => expect(require('./shop').a()).toBe(1));\n"}
    yield "coverage_threshold", "c8", "c8", "c8 --check-coverage --lines 99 node shop.js", {"shop.js": "function b() {\n  return 2;\n}\nconsole.log(1);\n"}
    yield "coverage_threshold", "nyc", "nyc", "nyc --check-coverage --lines 95 mocha test.js", {"package.json": PACKAGE, "shop.js": "exports.a = () => 1;\nexports.b = () => {\n  const x = 1;\n  return x;\n};\n", "test.js": "it('a', () => require('./shop').a());\n"}
    yield "doc_link_check", "sphinx", "sphinx-build", "sphinx-build -W -b html . out", dict(SPHINX, **{"index.rst": "Basket\n======\n\nSee :ref:`nowhere`.\n"})
    yield "doc_link_check", "sphinx-toctree", "sphinx-build", "sphinx-build -W --keep-going -b html . out", dict(SPHINX, **{"index.rst": "Basket\n======\n\n.. toctree::\n\n   gone\n"})
    yield "doc_link_check", "sphinx-linkcheck", "sphinx-build", "sphinx-build -b linkcheck . out", dict(SPHINX, **{"index.rst": "Basket\n======\n\n`shop <http://@HTTP@/404/shop>`_\n"})
    yield "doc_link_check", "sphinx-title", "sphinx-build", "sphinx-build -n -W -b html . out", dict(SPHINX, **{"index.rst": "Basket\n===\n\n:doc:`missing`\n"})
    yield "doc_link_check", "mkdocs", "mkdocs", "mkdocs build --strict", {"mkdocs.yml": "site_name: basket\n", "docs/index.md": "# Basket\n\n[more](gone.md)\n"}
    yield "doc_link_check", "cargo-doc", "cargo", "RUSTDOCFLAGS='-D warnings' cargo doc --offline", {"Cargo.toml": CARGO, "src/lib.rs": "//! See [`Gone::here`].\n"}
    yield "doc_link_check", "pdflatex", "pdflatex", "pdflatex -interaction=nonstopmode a.tex", {"a.tex": "\\documentclass{article}\\begin{document}\\nosuchmacro{x}\\end{document}\n"}
    yield "stale_generated", "django-migrations", "django-admin", "python manage.py makemigrations --check --dry-run", DJANGO
    yield "stale_generated", "git-status", "git", "git init -q . && git add . && echo 'package gen // v2' > gen.go && git diff --quiet || { git diff --stat; echo 'error: generated code is stale, run go generate ./... and commit'; exit 1; }", {"gen.go": "package gen\n"}
    yield "stale_generated", "diff-api", "git", "git init -q . && git add . && echo 'a: 2' > api.yaml && git diff --exit-code -- api.yaml", {"api.yaml": "a: 1\n"}
    yield "stale_generated", "lib-diff", "git", "git init -q . && git add . && echo 'built 2' > dist/index.js && if [ \"$(git diff --ignore-space-at-eol dist/ | wc -l)\" -gt 0 ]; then echo 'Detected uncommitted changes after build. See status below:'; git diff; exit 1; fi", {"dist/index.js": "built 1\n"}
    yield "stale_generated", "cmp", "cmp", "printf 'a 2\\n' > out.txt; cmp out.txt schema.txt || { echo 'schema.txt is not up to date; regenerate it with ./gen.sh'; exit 1; }", {"schema.txt": "a 1\n"}
    # -- type checkers
    yield "type_check", "mypy", "mypy", "mypy shop.py", {"shop.py": "def total(a: int) -> str:\n    return a\n"}
    yield "type_check", "mypy-columns", "mypy", "mypy --show-column-numbers --pretty shop.py", {"shop.py": "x: int = 'a'\n\ndef f(n: int) -> int:\n    return n\n\nf('b')\n"}
    yield "type_check", "mypy-strict", "mypy", "mypy --strict shop", {"shop/__init__.py": "", "shop/a.py": "def f(x):\n    return x.y\n"}
    yield "type_check", "tsc", "tsc", "tsc --noEmit --strict a.ts", {"a.ts": "const n: number = 'a';\nexport function f(x: string): number { return x; }\n"}
    yield "type_check", "tsc-pretty", "tsc", "tsc --noEmit --pretty a.ts", {"a.ts": "interface A { b: number }\nconst a: A = { c: 1 };\n"}
    yield "type_check", "tsc-project", "tsc", "tsc -p .", {"tsconfig.json": '{"compilerOptions":{"strict":true,"noEmit":true}}', "src/a.ts": "import { x } from './gone';\nconsole.log(x.toUpper());\n"}
    yield "type_check", "checkjs", "tsc", "tsc --allowJs --checkJs --noEmit a.js", {"a.js": "/** @type {number} */\nlet n = 'a';\nn.push(1);\n"}
    # -- failing tests
    yield "test_failure", "pytest-fixture", "pytest", "pytest", {"test_shop.py": "import pytest\n\n@pytest.fixture\ndef basket():\n    raise RuntimeError('no basket')\n\ndef test_total(basket):\n    pass\n"}
    yield "test_failure", "pytest-param", "pytest", "pytest -v", {"test_shop.py": "import pytest\n\n@pytest.mark.parametrize('n', [1, 2, 3])\ndef test_even(n):\n    assert n % 2 == 0, f'{n} is odd'\n"}
    yield "test_failure", "pytest-short", "pytest", "pytest --tb=line -q", {"test_shop.py": "def test_total():\n    total = 3\n    assert total == 4\n"}
    yield "test_failure", "pytest-network", "pytest", "pytest -q --tb=short", {"test_shop.py": "import urllib.request\n\ndef test_fetch():\n    urllib.request.urlopen('http://@HTTP@/502/')\n\ndef test_total():\n    assert sum([1, 2]) == 4\n"}
    yield "test_failure", "unittest-subtest", "python3", "python3 -m unittest", {"test_shop.py": "import unittest\n\nclass T(unittest.TestCase):\n    def test_all(self):\n        for n in range(3):\n            with self.subTest(n=n):\n                self.assertNotEqual(n, 1)\n\n    @classmethod\n    def tearDownClass(cls):\n        print('Connection refused is what the next test wants')\n"}
    yield "test_failure", "hypothesis", "hypothesis", "pytest -q", {"test_shop.py": "from hypothesis import given, strategies as st\n\n@given(st.integers())\ndef test_small(n):\n    assert n < 100\n"}
    yield "test_failure", "behave", "behave", "behave", {"features/a.feature": "Feature: basket\n  Scenario: total\n    Given a basket\n    Then it is empty\n", "features/steps/a.py": "from behave import given, then\n\n@given('a basket')\ndef a(context):\n    context.n = 1\n\n@then('it is empty')\ndef b(context):\n    assert context.n == 0, 'not empty'\n"}
    yield "test_failure", "tox", "tox", "tox -q -e py --sitepackages -x testenv.skip_install=true", {"tox.ini": "[tox]\nskipsdist = true\n[testenv]\nskip_install = true\ncommands = python -m unittest\n", "test_shop.py": TEST_PY}
    yield "test_failure", "django", "django-admin", "python manage.py test", dict(DJANGO, **{"shop/tests.py": "from django.test import SimpleTestCase\n\nclass A(SimpleTestCase):\n    def test_total(self):\n        self.assertEqual(1, 2)\n"})
    yield "test_failure", "mocha", "mocha", "mocha test.js", {"test.js": MOCHA}
    yield "test_failure", "mocha-dot", "mocha", "mocha -R dot test.js", {"test.js": MOCHA}
    yield "test_failure", "mocha-tap", "mocha", "mocha -R tap test.js", {"test.js": MOCHA}
    yield "test_failure", "mocha-hook", "mocha", "mocha test.js", {"test.js": "describe('basket', () => {\n  before(() => { throw new Error('no database'); });\n  it('adds', () => {});\n});\n"}
    yield "test_failure", "jest", "jest", "jest --ci", {"package.json": PACKAGE, "a.test.js": JEST}
    yield "test_failure", "jest-throws", "jest", "jest --ci", {"package.json": PACKAGE, "a.test.js": "describe('basket', () => { test('opens', () => { undefined.open(); }); });\n"}
    yield "test_failure", "vitest", "vitest", "vitest run", {"package.json": PACKAGE, "a.test.js": VITEST}
    yield "test_failure", "vitest-object", "vitest", "vitest run --reporter=verbose", {"package.json": PACKAGE, "a.test.js": "import { expect, describe, it } from 'vitest';\ndescribe('basket', () => { it('lists', () => expect({ a: [1] }).toEqual({ a: [2] })); });\n"}
    yield "test_failure", "node-spec", "node", "node --test --test-reporter=spec", {"shop.test.mjs": "import test from 'node:test';\nimport assert from 'node:assert';\ntest('basket', async t => { await t.test('adds up', () => assert.deepEqual([1], [2])); });\n"}
    yield "test_failure", "rspec", "rspec", "rspec", {"spec/shop_spec.rb": "RSpec.describe 'basket' do\n  it 'adds up' do\n    expect(1 + 2).to eq(4)\n  end\nend\n"}
    yield "test_failure", "rspec-doc", "rspec", "rspec -f doc", {"spec/shop_spec.rb": "RSpec.describe 'basket' do\n  it 'opens' do\n    nil.open\n  end\n  it 'closes' do\n  end\nend\n"}
    yield "test_failure", "minitest", "ruby", "ruby -Itest test_shop.rb", {"test_shop.rb": "require 'minitest/autorun'\nclass BasketTest < Minitest::Test\n  def test_total\n    assert_equal 4, 1 + 2\n  end\nend\n"}
    yield "test_failure", "test-unit", "ruby", "ruby test_shop.rb", {"test_shop.rb": "require 'test/unit'\nclass BasketTest < Test::Unit::TestCase\n  def test_total\n    assert_equal(4, 1 + 2)\n  end\nend\n"}
    yield "test_failure", "phpunit", "phpunit", "phpunit BasketTest.php", {"BasketTest.php": "<?php\nuse PHPUnit\\Framework\\TestCase;\nclass BasketTest extends TestCase {\n  public function testTotal(): void { $this->assertSame(4, 1 + 2); }\n}\n"}
    yield "test_failure", "phpunit-testdox", "phpunit", "phpunit --testdox BasketTest.php", {"BasketTest.php": "<?php\nuse PHPUnit\\Framework\\TestCase;\nclass BasketTest extends TestCase {\n  public function testOpens(): void { throw new RuntimeException('closed'); }\n}\n"}
    yield "test_failure", "busted", "busted", "busted spec", {"spec/shop_spec.lua": "describe('basket', function()\n  it('adds up', function() assert.are.equal(4, 1 + 2) end)\nend)\n"}
    yield "test_failure", "bats", "bats", "bats a.bats", {"a.bats": "@test \"adds up\" {\n  run echo 3\n  [ \"$output\" = 4 ]\n}\n"}
    yield "test_failure", "exunit", "elixir", "elixir shop_test.exs", {"shop_test.exs": "ExUnit.start()\ndefmodule BasketTest do\n  use ExUnit.Case\n  test \"adds up\" do\n    assert 1 + 2 == 4\n  end\nend\n"}
    yield "test_failure", "eunit", "erlc", "erlc basket.erl && erl -noshell -eval 'case eunit:test(basket) of ok -> halt(0); _ -> halt(1) end.'", {"basket.erl": "-module(basket).\n-include_lib(\"eunit/include/eunit.hrl\").\ntotal_test() -> ?assertEqual(4, 1 + 2).\n"}
    yield "test_failure", "go-subtests", "go", "go test -v ./...", {"go.mod": GO_MOD, "a_test.go": "package basket\n\nimport \"testing\"\n\nfunc TestTotal(t *testing.T) {\n\tfor _, c := range []struct {\n\t\tname string\n\t\twant int\n\t}{{\"one\", 1}, {\"two\", 3}} {\n\t\tt.Run(c.name, func(t *testing.T) {\n\t\t\tif c.want != 1 {\n\t\t\t\tt.Fatalf(\"total() = %d, want %d\", 1, c.want)\n\t\t\t}\n\t\t})\n\t}\n}\n"}
    yield "test_failure", "go-example", "go", "go test ./...", {"go.mod": GO_MOD, "a_test.go": "package basket\n\nimport \"fmt\"\n\nfunc Example_total() {\n\tfmt.Println(3)\n\t// Output: 4\n}\n"}
    yield "test_failure", "cargo-doc-test", "cargo", "cargo test --offline --doc", {"Cargo.toml": CARGO, "src/lib.rs": "/// ```\n/// assert_eq!(basket::total(), 4);\n/// ```\npub fn total() -> u32 { 3 }\n"}
    yield "test_failure", "cargo-integration", "cargo", "cargo test --offline -q", {"Cargo.toml": CARGO, "src/lib.rs": "pub fn total() -> Option<u32> { None }\n", "tests/shop.rs": "#[test]\nfn total() { basket::total().unwrap(); }\n"}
    yield "test_failure", "prove-v", "prove", "prove -v t", {"t/a.t": "use Test::More;\nis_deeply([1], [2], 'lists');\nlike('a', qr/b/, 'text');\ndone_testing;\n"}
    yield "test_failure", "meson", "meson", ["meson setup out > /dev/null", "meson test -C out"], {"meson.build": "project('basket')\ntest('total', find_program('false'))\ntest('empty', find_program('true'))\n"}
    yield "test_failure", "automake", "automake", "autoreconf -i > /dev/null 2>&1 && ./configure > /dev/null && make check", {"configure.ac": "AC_INIT([basket],[1])\nAM_INIT_AUTOMAKE([foreign])\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n", "Makefile.am": "TESTS = total.sh\nEXTRA_DIST = total.sh\n", "total.sh": "#!/bin/sh\nexit 1\n"}
    yield "test_failure", "shunit2", "shunit2", "sh a.sh", {"a.sh": "testTotal() { assertEquals 'total' 4 3; }\n. shunit2\n"}
    yield "test_failure", "ctest-verbose", "ctest", ["cmake -S . -B out > /dev/null", "ctest --test-dir out -V"], {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(basket NONE)\nenable_testing()\nadd_test(NAME total COMMAND sh -c \"echo expected 4, got 3; exit 1\")\n"}
    yield "test_failure", "ghc", "runghc", "runghc Test.hs", {"Test.hs": "import System.Exit\nmain = do\n  putStrLn \"### Failure in: total\"\n  putStrLn \"expected: 4\\n but got: 3\"\n  exitFailure\n"}
    yield "test_failure", "tcltest", "tclsh", "tclsh a.tcl", {"a.tcl": "package require tcltest\nnamespace import tcltest::*\ntest total-1.0 {adds up} -body {expr 1+2} -result 4\nset f [expr {$tcltest::numTests(Failed) > 0}]\ncleanupTests\nexit $f\n"}
    # -- crashes, time limits, snapshots
    yield "test_crash", "rust-overflow", "rustc", ["rustc a.rs 2> /dev/null", "./a"], {"a.rs": "fn f(n: u64) -> u64 { let a = [n; 1000]; f(n + 1) + a[(n % 7) as usize] }\nfn main() { println!(\"{}\", f(1)); }\n"}
    yield "test_crash", "node-abort", "node", "node -e 'process.abort()'", {}
    yield "test_crash", "stack-smash", "gcc", ["gcc -w -O0 -fstack-protector-all a.c -o a", "./a"], {"a.c": "#include <string.h>\nvoid f(const char *s) { char b[4]; strcpy(b, s); }\nint main(void) { f(\"much too long for it\"); return 0; }\n"}
    yield "test_crash", "fpe", "gcc", ["gcc -w a.c -o a", "./a"], {"a.c": "int main(int c, char **v) { return 7 / (c - 1); }\n"}
    yield "test_crash", "tsan", "gcc", ["gcc -w -fsanitize=thread -g a.c -o a", "setarch -R ./a"], {"a.c": "#include <pthread.h>\nint n;\nvoid *f(void *x) { n++; return x; }\nint main(void) { pthread_t a, b; pthread_create(&a, 0, f, 0); pthread_create(&b, 0, f, 0); pthread_join(a, 0); pthread_join(b, 0); return 0; }\n"}
    yield "test_crash", "leak", "gcc", ["gcc -w -fsanitize=address -g a.c -o a", "./a"], {"a.c": "#include <stdlib.h>\nint main(void) { char *p = malloc(77); p[0] = 1; p = 0; return 0; }\n"}
    yield "test_crash", "make-segv", "gcc", "make check", {"Makefile": "check: a\n\t./a\na: a.c\n\tgcc -w a.c -o a\n", "a.c": "int main(void) { *(volatile int *)8 = 1; }\n"}
    yield "test_crash", "ctest-segv", "ctest", ["cmake -S . -B out > /dev/null && cmake --build out > /dev/null", "ctest --test-dir out"], {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(basket C)\nenable_testing()\nadd_executable(a a.c)\nadd_test(NAME total COMMAND a)\n", "a.c": "int main(void) { *(volatile int *)8 = 1; }\n"}
    yield "test_crash", "python-abort", "python3", "python3 -c 'import os; print(\"working\"); os.abort()'", {}
    yield "test_crash", "pytest-segv", "pytest", "pytest -q", {"test_a.py": "import ctypes\n\ndef test_a():\n    ctypes.string_at(0)\n"}
    yield "test_timeout", "pytest-timeout", "pytest", "pytest -q --timeout=1", {"test_a.py": "import time\n\ndef test_slow():\n    time.sleep(30)\n"}
    yield "test_timeout", "mocha", "mocha", "mocha --timeout 300 test.js", {"test.js": "it('waits', done => { setTimeout(done, 5000); });\n"}
    yield "test_timeout", "jest", "jest", "jest --ci --testTimeout=300", {"package.json": PACKAGE, "a.test.js": "test('waits', () => new Promise(r => setTimeout(r, 3000)));\n"}
    yield "test_timeout", "vitest", "vitest", "vitest run --testTimeout=300", {"package.json": PACKAGE, "a.test.js": "import { test } from 'vitest';\ntest('waits', () => new Promise(r => setTimeout(r, 3000)));\n"}
    yield "test_timeout", "meson", "meson", ["meson setup out > /dev/null", "meson test -C out"], {"meson.build": "project('basket')\ntest('slow', find_program('sleep'), args: '9', timeout: 1)\n"}
    yield "test_timeout", "bats", "bats", "BATS_TEST_TIMEOUT=1 bats a.bats", {"a.bats": "@test \"waits\" {\n  sleep 20\n}\n"}
    yield "test_timeout", "exunit", "elixir", "elixir a_test.exs", {"a_test.exs": "ExUnit.start(timeout: 300)\ndefmodule ATest do\n  use ExUnit.Case\n  test \"waits\" do\n    Process.sleep(5000)\n  end\nend\n"}
    yield "test_timeout", "rspec", "rspec", "rspec", {"spec/a_spec.rb": "require 'timeout'\nRSpec.configure { |c| c.around { |e| Timeout.timeout(1) { e.run } } }\nRSpec.describe 'basket' do\n  it('waits') { sleep 9 }\nend\n"}
    yield "snapshot_mismatch", "jest", "jest", ["jest > /dev/null 2>&1", "sed -i 's/<b>1/<b>2/' a.test.js; jest --ci"], {"package.json": PACKAGE, "a.test.js": "test('renders', () => { expect('<b>1</b>').toMatchSnapshot(); });\n"}
    yield "snapshot_mismatch", "vitest", "vitest", "vitest run", {"package.json": PACKAGE, "a.test.js": "import { expect, test } from 'vitest';\ntest('renders', () => { expect('<b>2</b>').toMatchSnapshot(); });\n", "__snapshots__/a.test.js.snap": "// Vitest Snapshot v1, https://vitest.dev/guide/snapshot.html\n\nexports[`renders 1`] = `\"<b>1</b>\"`;\n"}
    yield "snapshot_mismatch", "syrupy", "pytest", "pytest -q", {"test_a.py": "def test_a(snapshot):\n    assert 'two' == snapshot\n", "__snapshots__/test_a.ambr": "# serializer version: 1\n# name: test_a\n  'one'\n# ---\n"}
    yield "snapshot_mismatch", "jest-inline", "jest", "jest --ci", {"package.json": PACKAGE, "a.test.js": "test('renders', () => { expect('<b>2</b>').toMatchInlineSnapshot(`\"<b>1</b>\"`); });\n"}
    # -- compilers
    for name, tool, command, file, text in (
            ("ghc-types", "ghc", "ghc A.hs", "A.hs", "main = putStrLn (1 + \"a\")\n"), ("ghc-scope", "ghc", "ghc A.hs", "A.hs", "main = print total\n"),
            ("ocaml", "ocamlc", "ocamlc a.ml", "a.ml", "let total : int = \"a\"\n"), ("ocaml-unbound", "ocamlc", "ocamlc a.ml", "a.ml", "let () = print_int total\n"),
            ("elixirc", "elixirc", "elixirc a.ex", "a.ex", "defmodule A do\n  def f, do: total\nend\n"), ("erlc", "erlc", "erlc a.erl", "a.erl", "-module(a).\n-export([f/0]).\nf() -> X.\n"),
            ("gfortran", "gfortran", "gfortran a.f90", "a.f90", "program a\n  implicit none\n  total = 1\nend program\n"), ("gnat", "gnatmake", "gnatmake a.adb", "a.adb", "procedure A is\nbegin\n   Total := 1;\nend A;\n"),
            ("nim", "nim", "nim c --hints:off a.nim", "a.nim", "let n: int = \"a\"\necho total\n"), ("fpc", "fpc", "fpc a.pas", "a.pas", "program a;\nvar n: integer;\nbegin\n  n := 'text';\nend.\n"),
            ("groovy", "groovyc", "groovyc A.groovy", "A.groovy", "class A { Gone g = new Gone() }\n"), ("javac-types", "javac", "javac Shop.java", "Shop.java", "import java.util.*;\nclass Shop {\n  List<String> names() { return 3; }\n  void save() { throw new Exception(\"x\"); }\n}\n"),
            ("javac-package", "javac", "javac -Xlint:all Shop.java", "Shop.java", "import org.example.gone.Basket;\nclass Shop { Basket b; }\n"), ("javac-werror", "javac", "javac -Xlint:unchecked -Werror Shop.java", "Shop.java", "import java.util.*;\nclass Shop { List l = new ArrayList(); void f() { l.add(1); } }\n"),
            ("rustc-trait", "rustc", "rustc a.rs", "a.rs", "struct A;\nfn main() { println!(\"{}\", A); }\n"), ("rustc-import", "rustc", "rustc --edition 2021 a.rs", "a.rs", "use gone::Basket;\nfn main() {}\n"),
            ("rustc-deny", "rustc", "rustc -D warnings a.rs", "a.rs", "fn main() { let unused = 1; }\n"), ("go-types", "go", "go build a.go", "a.go", "package main\n\nfunc main() {\n\tvar n int = \"a\"\n\t_ = n\n}\n"),
            ("go-syntax", "go", "go build a.go", "a.go", "package main\n\nfunc main( {\n}\n"), ("g++-assert", "g++", "g++ -std=c++17 -c a.cpp", "a.cpp", "static_assert(sizeof(int) == 8, \"int is too small\");\n"),
            ("g++-deleted", "g++", "g++ -c a.cpp", "a.cpp", "#include <memory>\nvoid f(std::unique_ptr<int> p) { auto q = p; }\n"), ("gcc-implicit", "gcc", "gcc -Werror=implicit-function-declaration -c a.c", "a.c", "int main(void) { return total(); }\n"),
            ("gcc-asm", "gcc", "gcc -c a.s", "a.s", "start:\n\tmovq %nope, %rax\n"), ("gcc-error", "gcc", "gcc -c a.c", "a.c", "#error \"this platform is not supported\"\n"),
            ("clang", "clang-19", "clang-19 -c a.c", "a.c", "int f(void) { return totl; }\nint totals;\n"), ("clang-werror", "clang++-19", "clang++-19 -Weverything -Werror -c a.cpp", "a.cpp", "int f(long n) { return n; }\n"),
            ("protoc", "protoc", "protoc --cpp_out=. a.proto", "a.proto", "syntax = \"proto3\";\nmessage A { Gone b = 1; }\n"), ("kotlin-like", "scalac", "scalac A.scala", "A.scala", "object A { val n: Int = \"a\" }\n")):
        yield "compile_error", name, tool, command, {file: text}
    yield "compile_error", "meson", "meson", ["meson setup out > /dev/null", "meson compile -C out"], {"meson.build": "project('basket', 'c')\nexecutable('a', 'a.c')\n", "a.c": "int main(void) { return total; }\n"}
    yield "compile_error", "ninja", "ninja", "ninja", {"build.ninja": "rule cc\n  command = gcc -c $in -o $out\nbuild a.o: cc a.c\n", "a.c": "struct a { int b };\nint f(struct a *x) { return x->c; }\n"}
    yield "compile_error", "make-parallel", "make", "make -k -j4", {"Makefile": "all: a.o b.o c.o\n%.o: %.c\n\tgcc -Wall -c $< -o $@\n", "a.c": "int a(void) { return 1; }\n", "b.c": "int b(void) { return bb; }\n", "c.c": "int c(int x) { if (x) return 1; }\n"}
    yield "compile_error", "ant", "ant", "ant", {"build.xml": "<project default='c'><target name='c'><javac srcdir='.' includeantruntime='false'/></target></project>\n", "A.java": "class A { int f() { return total; } }\n"}
    yield "compile_error", "cargo-test", "cargo", "cargo test --offline", {"Cargo.toml": CARGO, "src/lib.rs": "pub fn total() -> u32 { 3 }\n#[test]\nfn t() { let s: String = total(); }\n"}
    yield "compile_error", "go-test-build", "go", "go test ./...", {"go.mod": GO_MOD, "a_test.go": "package basket\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) { total() }\n"}
    yield "compile_error", "configure-then-make", "make", "sh configure && make", {"configure": "#!/bin/sh\necho 'checking for gcc... gcc'\necho 'checking for error... no'\necho 'config.status: creating Makefile'\n", "Makefile": "a.o: a.c\n\tgcc -DNDEBUG -Wno-error -c a.c\n", "a.c": "void f(void) { undeclared(1)(2); int x = ; }\n"}
    # -- linkers
    yield "link_error", "header-twice", "g++", "g++ a.cpp b.cpp -o a", {"h.h": "int total() { return 3; }\n", "a.cpp": "#include \"h.h\"\nint main() { return total(); }\n", "b.cpp": "#include \"h.h\"\n"}
    yield "link_error", "lld", "ld.lld-19", "clang-19 -fuse-ld=lld-19 a.c -o a", {"a.c": "int total(void);\nint main(void) { return total(); }\n"}
    yield "link_error", "gold", "gold", "gcc -fuse-ld=gold a.c -o a", {"a.c": "int total(void);\nint main(void) { return total(); }\n"}
    yield "link_error", "gfortran", "gfortran", "gfortran a.f90 -o a", {"a.f90": "program a\n  call total()\nend program\n"}
    yield "link_error", "rust-extern", "rustc", "rustc a.rs", {"a.rs": "extern \"C\" { fn nothing_here(); }\nfn main() { unsafe { nothing_here() } }\n"}
    yield "link_error", "cgo", "go", "go build a.go", {"a.go": "package main\n\n// void total(void);\nimport \"C\"\n\nfunc main() { C.total() }\n"}
    yield "link_error", "format", "gcc", "gcc a.c bad.o -o a", {"a.c": "int main(void) { return 0; }\n", "bad.o": "this is no object file\n"}
    yield "link_error", "pic", "gcc", "gcc -fno-pic -mcmodel=small -c b.c && gcc -shared b.o -o libb.so", {"b.c": "int n; int *f(void) { return &n; }\nint g(void) { return n; }\n"}
    # -- texts that do not parse
    for name, tool, command, file, text in (
            ("php", "php", "php -l a.php", "a.php", "<?php\nfunction f( { }\n"), ("ruby", "ruby", "ruby -c a.rb", "a.rb", "def f\n  if true\nend\n"), ("ruby-run", "ruby", "ruby a.rb", "a.rb", "puts [1, 2\n"),
            ("lua", "luac5.4", "luac5.4 -p a.lua", "a.lua", "local x = = 1\n"), ("lua-run", "lua5.4", "lua5.4 a.lua", "a.lua", "for i = 1, 3\n"),
            ("yaml-python", "yamllint", "python -c 'import yaml; yaml.safe_load(open(\"a.yaml\"))'", "a.yaml", "a: [1, 2\nb: {\n"), ("yq", "yq", "yq . a.yaml", "a.yaml", "a: b: c\n"),
            ("jq", "jq", "jq . a.json", "a.json", "{\"a\": 1,}\n"), ("jq-end", "jq", "jq .a a.json", "a.json", "{\"a\": \n"), ("xmllint", "xmllint", "xmllint --noout a.xml", "a.xml", "<a><b></a>\n"),
            ("json-tool", "python3", "python3 -m json.tool a.json", "a.json", "{'a': 1}\n"), ("npm-json", "npm", "npm run build", "package.json", "{\"name\": \"basket\",\n \"scripts\": {\n"),
            ("cargo-toml", "cargo", "cargo build --offline", "Cargo.toml", "[package\nname = 'x'\n"), ("go-mod", "go", "go build ./...", "go.mod", "module example.org/basket\n\nrequire (\n\tgithub.com/a/b\n"),
            ("configparser", "python3", "python3 -c 'import configparser; configparser.ConfigParser().read(\"a.ini\")'", "a.ini", "[a\nb = 1\n"), ("makefile", "make", "make", "Makefile", "all:\n        echo spaces\n"),
            ("cmake", "cmake", "cmake .", "CMakeLists.txt", "project(basket NONE\nadd_custom_target(a)\n"), ("cmake-command", "cmake", "cmake .", "CMakeLists.txt", "cmake_minimum_required(VERSION 3.10)\nproject(basket NONE)\nadd_basket(a)\n"),
            ("pytest", "pytest", "pytest -q", "test_a.py", "def test_a():\n    x = (1,\n"), ("erl-term", "erl", "erl -noshell -eval '{error, E} = file:consult(\"a.config\"), io:format(\"~s~n\", [file:format_error(E)]), halt(1).'", "a.config", "{a, [1, 2}.\n"),
            ("tsc", "tsc", "tsc --noEmit a.ts", "a.ts", "function f( {\nconst = 3;\n"), ("toml-poetry", "poetry", "poetry check", "pyproject.toml", "[tool.poetry\nname = 1\n"),
            ("sqlite", "sqlite3", "sqlite3 a.db < a.sql", "a.sql", "creat table a(x);\n"), ("ansible", "ansible-playbook", "ansible-playbook --syntax-check a.yml", "a.yml", "- hosts: all\n  tasks:\n   - name: x\n    command: ls\n"), ("msgfmt", "msgfmt", "msgfmt -c a.po", "a.po", "msgid \"a\nmsgstr \"b\"\n"),
            ("meson", "meson", "meson setup out", "meson.build", "project('basket'\nx = [1\n"), ("python-fstring", "python3", "python3 a.py", "a.py", "print(f'{1 +}')\n")):
        yield "syntax_error", name, tool, command, {file: text}
    # -- the script itself
    for name, tool, command in (
            ("docker-flag", "docker", "docker ps --no-such-flag"), ("docker-command", "docker", "docker biuld ."), ("git-option", "git", "git init -q . && git log --no-such-option"), ("pytest-option", "pytest", "pytest --no-such-option"),
            ("yarn-script", "yarn", "echo '{\"name\":\"a\"}' > package.json; touch yarn.lock; YARN_ENABLE_TELEMETRY=0 yarn install > /dev/null; yarn run biuld"), ("pnpm-script", "pnpm", "echo '{\"name\":\"a\"}' > package.json; pnpm run biuld"), ("ninja-target", "ninja", "echo 'build a: phony' > build.ninja; ninja gone"), ("cargo-bin", "cargo", "cargo init -q --name a . && cargo run --offline --bin gone"),
            ("go-command", "go", "go biuld ./..."), ("mvn-phase", "mvn", "echo '<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>a</artifactId><version>1</version><packaging>pom</packaging></project>' > pom.xml; mvn -o -q pakage"),
            ("rake-task", "rake", "echo 'task :default' > Rakefile; rake gone"), ("tox-env", "tox", "printf '[tox]\\nenv_list = py\\n' > tox.ini; tox -e gone-env"), ("tsc-option", "tsc", "tsc --no-such-option"), ("eslint-option", "eslint", "eslint --no-such-option ."),
            ("kubectl-flag", "kubectl", "kubectl get pods --no-such-flag"), ("kubectl-command", "kubectl", "kubectl aply -f x"), ("terraform-command", "terraform", "terraform aply"), ("dash-substitution", "dash", "printf 'x=abc\\necho ${x:0:1}\\n' > a.sh; dash a.sh"),
            ("apt-operation", "apt-get", "apt-get instal make"), ("argparse-choice", "python3", "python3 -c 'import argparse; p = argparse.ArgumentParser(prog=\"deploy\"); p.add_argument(\"env\", choices=[\"dev\", \"prod\"]); p.parse_args([\"tset\"])'"),
            ("bash-syntax", "bash", "printf 'if [ -n x ]; then\\n  echo x\\nfi}\\n' > a.sh; bash a.sh"), ("mocha-none", "mocha", "mocha nothing/*.js"), ("cp-operand", "cp", "cp only-one"), ("test-syntax", "bash", "x=; if [ $x -eq 3 ]; then echo y; fi; [ a b c ]"), ("composer-script", "composer", "echo '{\"name\":\"a/a\"}' > composer.json; COMPOSER_ALLOW_SUPERUSER=1 composer biuld"),
            ("poetry-command", "poetry", "poetry instal"), ("pip-command", "pip", "pip instal x"), ("make-include", "make", "printf 'all: gone.txt\\n\\techo x\\n' > Makefile; make all"), ("ssh-option", "ssh", "ssh -o NoSuchOption=1 localhost true"), ("perl-option", "perl", "perl -MGetopt::Long -e 'GetOptions(\"x\" => \\$x) or die \"usage: deploy [--x]\\n\"' -- --nope")):
        yield "script_error", name, tool, command, {}
    # -- programs and files that are not there
    for name, tool, command in (
            ("interpreter", "bash", "printf '#!/usr/bin/no-such-shell\\n' > a.sh; chmod +x a.sh; ./a.sh"), ("env-python2", "env", "printf '#!/usr/bin/env no-such-python\\n' > a.py; chmod +x a.py; ./a.py"), ("npm-script", "npm", "echo '{\"scripts\":{\"lint\":\"no-such-linter src\"}}' > package.json; npm run lint"),
            ("dash-script", "dash", "echo 'no-such-tool --version' > a.sh; dash a.sh"), ("ruby-spawn", "ruby", "ruby -e 'puts `no-such-tool x`'"), ("cmake-compiler", "cmake", "printf 'cmake_minimum_required(VERSION 3.10)\\nproject(a C)\\n' > CMakeLists.txt; CC=no-such-cc cmake -S . -B out"),
            ("yarn-script", "yarn", "echo '{\"name\":\"a\",\"scripts\":{\"lint\":\"no-such-linter\"}}' > package.json; touch yarn.lock; YARN_ENABLE_TELEMETRY=0 yarn install > /dev/null; yarn run lint"), ("java-process", "java", "printf 'class A { public static void main(String[] a) throws Exception { new ProcessBuilder(\"no-such-tool\").start(); } }' > A.java; java A.java"), ("cargo-linker", "cargo", "cargo init -q --name a . && CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=no-such-cc cargo build --offline"),
            ("tox-command", "tox", "printf '[tox]\\nskipsdist=true\\n[testenv]\\nskip_install=true\\ncommands = no-such-tool\\n' > tox.ini; tox -e py"), ("perl-exec", "perl", "perl -e 'exec(\"no-such-tool\", \"x\") or die \"exec: $!\"'"), ("setsid", "setsid", "setsid -w no-such-tool"), ("ant-exec", "ant", "echo \"<project default='a'><target name='a'><exec executable='no-such-tool' failonerror='true'/></target></project>\" > build.xml; ant")):
        yield "command_not_found", name, tool, command, {}
    for name, tool, command in (
            ("pytest-path", "pytest", "pytest tests/gone"), ("tsc-file", "tsc", "tsc gone.ts"), ("java-jar", "java", "java -jar target/app.jar"), ("php", "php", "php deploy/gone.php"), ("ruby", "ruby", "ruby scripts/gone.rb"), ("perl", "perl", "perl scripts/gone.pl"),
            ("sh", "sh", "sh ./ci/gone.sh"), ("cmake-source", "cmake", "cmake -S gone -B out"), ("ansible", "ansible-playbook", "ansible-playbook gone.yml"), ("terraform-vars", "terraform", "terraform plan -var-file=gone.tfvars"), ("kubectl", "kubectl", "kubectl apply -f deploy/gone.yaml"), ("curl-upload", "curl", "curl -T dist/gone.tgz http://@HTTP@/200/"),
            ("scp", "scp", "scp dist/gone.tgz /tmp/"), ("openssl", "openssl", "openssl x509 -in gone.pem -noout"), ("jq", "jq", "jq . conf/gone.json"), ("unzip", "unzip", "unzip dist/gone.zip"), ("gpg", "gpg", "gpg --import keys/gone.asc"), ("go-file", "go", "go run cmd/gone.go"), ("eslint", "eslint", "eslint src/gone.js"), ("prettier", "prettier", "prettier --check src/gone.js"),
            ("ruby-open", "ruby", "ruby -e 'File.read(\"conf/gone.yml\")'"), ("java-file", "java", "printf 'import java.nio.file.*; class A { public static void main(String[] a) throws Exception { Files.readString(Path.of(\"conf/gone.yml\")); } }' > A.java; java A.java"), ("go-open", "go", "printf 'package main\\nimport (\"log\"; \"os\")\\nfunc main() { if _, e := os.Open(\"conf/gone.yml\"); e != nil { log.Fatal(e) } }\\n' > a.go; go run a.go"),
            ("rust-open", "rustc", "echo 'fn main() { std::fs::read(\"conf/gone.yml\").unwrap(); }' > a.rs; rustc a.rs; ./a"), ("php-require", "php", "php -r 'require \"vendor/autoload.php\";'"), ("elixir", "elixir", "elixir gone.exs"), ("rscript", "Rscript", "Rscript gone.R"), ("lua", "lua5.4", "lua5.4 gone.lua"), ("sphinx-conf", "sphinx-build", "sphinx-build docs out"), ("docker-compose", "docker", "cp docker-compose.gone.yml docker-compose.yml && docker compose up"),
            ("rsync", "rsync", "rsync -a dist/gone/ out/"), ("install", "install", "install -m 755 build/gone /usr/local/bin/"), ("ln", "chmod", "chmod +x bin/gone"), ("wc", "wc", "wc -l gone.txt"), ("pdflatex", "pdflatex", "pdflatex -interaction=nonstopmode gone.tex")):
        yield "file_not_found", name, tool, command, {}
    # -- modules and libraries
    for name, tool, command, files in (
            ("ruby", "ruby", "ruby -e 'require \"gone_for_good\"'", {}), ("php-class", "php", "php -r 'new Gone\\Basket();'", {}), ("lua", "lua5.4", "lua5.4 -e 'require \"gone\"'", {}), ("jest", "jest", "jest --ci", {"package.json": PACKAGE, "a.test.js": "const b = require('./gone');\ntest('a', () => {});\n"}),
            ("vitest", "vitest", "vitest run", {"package.json": PACKAGE, "a.test.js": "import { b } from 'gone-for-good';\nimport { test } from 'vitest';\ntest('a', () => { b(); });\n"}), ("python-relative", "python3", "python3 shop/main.py", {"shop/main.py": "from . import basket\n"}), ("django-app", "django-admin", "python manage.py check", dict(DJANGO, **{"conf.py": "SECRET_KEY='x'\nINSTALLED_APPS = ['gone_app']\n"})),
            ("sphinx-ext", "sphinx-build", "sphinx-build . out", {"conf.py": "extensions = ['gone_extension']\n", "index.rst": "A\n=\n"}), ("erlang", "erl", "erl -noshell -s gone_module start -s init stop", {}), ("rscript", "Rscript", "Rscript -e 'library(gonelib)'", {}), ("java-class", "java", "java -cp . org.example.shop.Main", {}),
            ("java-def", "javac", ["javac A.java B.java && rm B.class", "java -cp . A"], {"A.java": "class A { public static void main(String[] a) { new B(); } }\n", "B.java": "class B {}\n"}), ("tcl", "tclsh", "echo 'package require gone' | tclsh && echo 'package require gone' > a.tcl && tclsh a.tcl", {}),
            ("webpack", "webpack", "webpack --mode production", {"src/index.js": "import b from './gone';\nconsole.log(b);\n", "package.json": PACKAGE}), ("ts-node", "node", "node -r gone-register app.js", {"app.js": ""}), ("mocha-require", "mocha", "mocha -r gone-register test.js", {"test.js": MOCHA}), ("elixir", "elixir", "elixir -e 'Gone.Basket.total()'", {}),
            ("eslint-plugin", "eslint", "eslint a.js", {"a.js": "\n", "eslint.config.js": "const p = require('eslint-plugin-gone');\nmodule.exports = [];\n"}), ("go-std", "go", "go build ./...", {"go.mod": GO_MOD, "a.go": "package main\n\nimport _ \"gone/pkg\"\n\nfunc main() {}\n"}), ("ghc", "ghc", "ghc A.hs", {"A.hs": "import Data.Gone\nmain = print 1\n"}), ("perl-local", "perl", "perl a.pl", {"a.pl": "use lib 'lib';\nuse Basket::Total;\n"})):
        yield "missing_module", name, tool, command, files
    for name, tool, command, files in (
            ("meson", "meson", "meson setup out", {"meson.build": "project('basket', 'c')\ndependency('gone-for-good')\n"}), ("gcc-openssl", "gcc", "gcc -c a.c", {"a.c": "#include <gonessl/ssl.h>\n"}), ("clang", "clang-19", "clang-19 -c a.c", {"a.c": "#include <gone/gone.h>\n"}), ("ctypes", "python3", "python3 -c 'import ctypes; ctypes.CDLL(\"libgone.so.3\")'", {}),
            ("java", "java", "java A.java", {"A.java": "class A { public static void main(String[] a) { System.loadLibrary(\"gone\"); } }\n"}), ("cmake-version", "cmake", "cmake -S . -B out", {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(basket C)\nfind_package(ZLIB 99 REQUIRED)\n"}), ("cmake-boost", "cmake", "cmake -S . -B out", {"CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(basket C)\nfind_package(GTest CONFIG REQUIRED NO_DEFAULT_PATH PATHS /nowhere)\n"}),
            ("autoconf", "autoconf", "autoconf && ./configure", {"configure.ac": "AC_INIT([basket],[1])\nAC_PROG_CC\nAC_CHECK_HEADER([gone.h],[],[AC_MSG_ERROR([gone.h not found, install libgone-dev])])\nAC_OUTPUT\n"}), ("autoconf-lib", "autoconf", "autoconf && ./configure", {"configure.ac": "AC_INIT([basket],[1])\nAC_PROG_CC\nAC_CHECK_LIB([gone],[total],[],[AC_MSG_FAILURE([cannot find the gone library])])\nAC_OUTPUT\n"}), ("scons", "scons", "scons", {"SConstruct": "e = Environment()\nc = Configure(e)\nif not c.CheckLib('gone'):\n    print('Did not find libgone, exiting!')\n    Exit(1)\n"})):
        yield "missing_syslib", name, tool, command, files


PLUGINS = {"pytest-cov": ("python:pytest_cov",), "pytest-timeout": ("python:pytest_timeout",), "syrupy": ("python:syrupy",)}
CASES = [Case(category, tool + "-" + name if tool not in name else name, command, files, needs=(tool,) + PLUGINS.get(name, ())) for category, name, tool, command, files in rows()]
