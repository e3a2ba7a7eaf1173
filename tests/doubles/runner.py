#!/usr/bin/python3
"""Starts the runner double: `python3 runner.py --url URL --token TOKEN …` or `--config FILE.json`; see gitlab_runner/."""
import sys

from gitlab_runner.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
