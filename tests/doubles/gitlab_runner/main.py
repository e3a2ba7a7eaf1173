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
    if arguments[:1] == ["artifacts-uploader"]:
        call_yourself("gitlab-runner")
        return artifacts.main(arguments[1:])
    chosen = config.parse(arguments)
    call_yourself(chosen.process_name)
    threading.stack_size(THREAD_STACK_BYTES)
    return manager.start(chosen, [sys.executable, os.path.abspath(sys.argv[0])])


def call_yourself(name: str) -> None:
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
