#!/usr/bin/python3
"""Starts the GitLab double: `python3 gitlab.py --state DIR [--port N] [--port-file F]`; see gitlab_server/."""
import sys

from gitlab_server.server import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
