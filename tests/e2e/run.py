"""Runs the end-to-end tests: every tests/e2e/*_test.py, or those named on the command line.

GITAIOPS_BIN is the folder of the built programs. Ends with one line `N passed, N failed, N skipped`.
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


def main(names):
    files = [pathlib.Path(name).name for name in names] or [f.name for f in sorted(HERE.glob("*_test.py"))]
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromName(name.removesuffix(".py")) for name in files)
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or result.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
