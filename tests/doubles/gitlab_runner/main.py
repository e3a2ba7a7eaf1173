"""The program: the runner itself, or with `artifacts-uploader` the helper that its jobs call."""
from __future__ import annotations

import ctypes
import os
import sys
import threading

from . import artifacts, config, manager

PR_SET_NAME = 15
THREAD_STACK_BYTES = 512 * 1024     # a job takes four threads, and there may be a hundred jobs


def main(arguments: list[str]) -> int:
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"gitlab-runner", 0, 0, 0)
    if arguments[:1] == ["artifacts-uploader"]:
        return artifacts.main(arguments[1:])
    threading.stack_size(THREAD_STACK_BYTES)
    return manager.start(config.parse(arguments), [sys.executable, os.path.abspath(sys.argv[0])])
