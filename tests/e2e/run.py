"""Runs the end-to-end tests: every tests/e2e/*_test.py, or those named on the command line.

GITAIOPS_BIN is the folder of the built programs. Real processes on a machine that is busy with other things now and then miss
a deadline: what fails is run once more and named, and counts as failed when it fails again. Ends with one line
`N passed, N failed, N skipped`.
"""
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))   # doubles
sys.path.insert(0, str(HERE))


class Result(unittest.TextTestResult):
    """Counts what passed; the base class only counts what did not."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def run(suite):
    return unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)


def names_of(troubles):
    """The tests, or the classes whose preparation failed, as the loader knows them."""
    names = set()
    for test, _ in troubles:
        name = getattr(test, "test_case", test).id()          # a subtest stands for its test
        names.add(name.partition("(")[2].rstrip(")") or name)  # "setUpClass (module.Class)"
    return names


def main(names):
    files = [pathlib.Path(name).name for name in names] or [f.name for f in sorted(HERE.glob("*_test.py"))]
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromName(name.removesuffix(".py")) for name in files)
    result = run(suite)
    again = names_of(result.failures + result.errors)
    failed = 0
    if again:
        print("Once more, because they failed: " + " ".join(sorted(again)), flush=True)
        second = run(unittest.defaultTestLoader.loadTestsFromNames(sorted(again)))
        failed = len(names_of(second.failures + second.errors))
        result.passed += second.passed
    failed += len(result.unexpectedSuccesses)
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or result.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
