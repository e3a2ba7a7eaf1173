#!/usr/bin/python3
"""container_engine.py's words for a real docker or podman, so that the runner's double drives one as the runner does.

    real_engine.py --socket FILE.json create < options.json   prints the id; {"name", "labels", "env", "memory_limit_bytes"}
    real_engine.py --socket FILE.json start ID COMMAND…       with our standard streams; exits as the container does
    real_engine.py --socket FILE.json remove ID

FILE.json: {"client": ["docker", "--host", …], "image": …, "folder": where the commands lie, "options": of `create`}. A container's
command is fixed when it is made, and the runner's double tells it at each start: so a container runs whatever its file says then.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
from typing import Any


def create(engine: dict[str, Any], options: dict[str, Any]) -> int:
    command = [*engine["client"], "create", "--interactive", "--name", options["name"], *engine["options"]]
    for key, value in options.get("labels", {}).items():
        command += ["--label", f"{key}={value}"]
    for variable in options.get("env", []):
        command += ["--env", variable]
    if limit := options.get("memory_limit_bytes"):
        command += ["--memory", str(limit), "--memory-swap", str(limit)]
    file = pathlib.Path(engine["folder"], options["name"])
    done = subprocess.run([*command, engine["image"], "sh", str(file)], stdout=subprocess.PIPE, text=True)
    if done.returncode == 0:
        pathlib.Path(engine["folder"], done.stdout.strip()).symlink_to(file)
        print(done.stdout.strip())
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=pathlib.Path, required=True)
    parser.add_argument("do", choices=("create", "start", "remove"))
    parser.add_argument("id", nargs="?")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    engine = json.loads(arguments.socket.read_text(encoding="utf-8"))
    if arguments.do == "create":
        return create(engine, json.load(sys.stdin))
    if arguments.do == "remove":
        return subprocess.run([*engine["client"], "rm", "--force", arguments.id], stdout=subprocess.DEVNULL).returncode
    pathlib.Path(engine["folder"], arguments.id).resolve().write_text("exec " + shlex.join(arguments.command) + "\n", encoding="utf-8")
    client = [*engine["client"], "start", "--attach", "--interactive", arguments.id]
    os.execvp(client[0], client)


if __name__ == "__main__":
    sys.exit(main())
