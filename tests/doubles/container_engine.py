#!/usr/bin/python3
"""A container engine as its host sees it: real namespaces and control groups, docker's folders and state files.

    container_engine.py --socket FILE --root DIR [--builds DIR] serve        until SIGTERM; needs to be root
    container_engine.py --socket FILE create < options.json   prints the id; {"name", "labels", "env", "memory_limit_bytes"}
    container_engine.py --socket FILE start ID COMMAND…       with our standard streams; exits as the container does
    container_engine.py --socket FILE remove ID

What is like docker: DIR/containers/<id>/config.v2.json, written anew (and renamed) at each change, with the environment and
all its secrets in it; a group "docker/<id>" in every hierarchy of version 1, or "docker/<id>" in version 2, that is made at
each start and removed as soon as the last process ended; containers are children of the engine, not of who asked.
What is not: images, file systems, networks: a container sees the host's. But for one folder: behind --builds the containers of
a name share a volume of their own (DIR/volumes/…), as the runner's builds folder is inside containers.

DIR/truth.jsonl gets a line a start, read by the engine before it removes the group: {"id", "cpu_us", "rusage_us",
"memory_peak_bytes", "oom_kills"}. Tests compare with it.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Optional

Json = dict[str, Any]
CGROUPS = pathlib.Path("/sys/fs/cgroup")
LEGACY = ("cpu", "cpuacct", "memory", "blkio", "pids")
BUFFER = 1 << 20


def count(file: pathlib.Path, key: str = "") -> Optional[int]:
    try:
        text = file.read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if name == key and value.isdigit():
            return int(value)
    return None


class Groups:
    """The groups of one life of a container."""

    def __init__(self, parent: str, identity: str, memory_limit: int) -> None:
        self.unified = (CGROUPS / "cgroup.controllers").exists()
        tops = [CGROUPS] if self.unified else [CGROUPS / name for name in LEGACY if (CGROUPS / name).is_dir()]
        self.folders = [top / parent / identity for top in tops]
        for folder in self.folders:
            if self.unified:
                for outer in (CGROUPS, folder.parent):
                    outer.mkdir(exist_ok=True)
                    (outer / "cgroup.subtree_control").write_text("+cpu +memory +io +pids", encoding="ascii")
            folder.mkdir(parents=True)
        if memory_limit:
            name = "memory.max" if self.unified else "memory.limit_in_bytes"
            (self._of("memory") / name).write_text(str(memory_limit), encoding="ascii")
            swap = self._of("memory") / ("memory.swap.max" if self.unified else "memory.memsw.limit_in_bytes")
            if swap.exists():
                swap.write_text("0" if self.unified else str(memory_limit), encoding="ascii")

    def _of(self, controller: str) -> pathlib.Path:
        return self.folders[0] if self.unified else next(f for f in self.folders if f.parts[len(CGROUPS.parts)] == controller)

    def enter(self) -> list[str]:
        """A command that joins them and becomes the command behind it. (Not a function between fork and exec: other threads of
        ours may hold any lock then.)"""
        script = 'while [ "$1" != -- ]; do echo $$ > "$1"; shift; done; shift; exec "$@"'
        return ["sh", "-c", script, "sh", *(str(folder / "cgroup.procs") for folder in self.folders), "--"]

    def truth(self) -> Json:
        memory = self._of("memory")
        if self.unified:
            return {"cpu_us": count(memory / "cpu.stat", "usage_usec"), "memory_peak_bytes": count(memory / "memory.peak"),
                    "oom_kills": count(memory / "memory.events", "oom_kill")}
        return {"cpu_us": (count(self._of("cpuacct") / "cpuacct.usage") or 0) // 1000,
                "memory_peak_bytes": count(memory / "memory.max_usage_in_bytes"),
                "oom_kills": count(memory / "memory.oom_control", "oom_kill")}

    def remove(self) -> None:
        for folder in self.folders:
            for attempt in range(200):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    if attempt == 199:
                        raise
                    time.sleep(0.01)


class Container:
    def __init__(self, engine: Engine, options: Json) -> None:
        self.engine, self.options, self.id = engine, options, secrets.token_hex(32)
        self.folder = engine.root / "containers" / self.id
        self.folder.mkdir(parents=True)
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.write({"Running": False, "Pid": 0, "OOMKilled": False})

    def write(self, state: Json) -> None:
        whole = {"StreamConfig": {}, "State": {"Running": False, "Paused": False, "Restarting": False, "OOMKilled": False,
                 "RemovalInProgress": False, "Dead": False, "Pid": 0, "ExitCode": 0, "Error": "", "Health": None, **state},
                 "ID": self.id, "Managed": False, "Path": "sh", "Args": [],
                 "Config": {"Hostname": self.id[:12], "Env": self.options.get("env", []), "Cmd": ["sh"], "Image": "debian:12",
                            "Labels": self.options.get("labels", {})},
                 "Name": "/" + self.options["name"], "Driver": "overlay2", "HostConfig": {"Memory": self.options.get("memory_limit_bytes", 0)}}
        fresh = self.folder / ".tmp-config.v2.json"
        fresh.write_text(json.dumps(whole), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.rename(self.folder / "config.v2.json")

    def start(self, command: list[str], streams: list[int], caller: socket.socket) -> int:
        groups = Groups(self.engine.parent, self.id, self.options.get("memory_limit_bytes", 0))
        # Login shells read a profile: that of whoever runs the engine is not in a container.
        environment = {**os.environ, "HOME": str(self.engine.root), **dict(e.split("=", 1) for e in self.options.get("env", []))}
        inside = ["unshare", "--pid", "--fork", "--kill-child", *self._volume(), *command]
        self.process = subprocess.Popen([*groups.enter(), *inside], stdin=streams[0],
                                        stdout=streams[1], stderr=streams[2], env=environment, start_new_session=True)
        for stream in streams:
            os.close(stream)
        threading.Thread(target=self._follow, args=(caller,), daemon=True).start()
        self.write({"Running": True, "Pid": self._first(self.process.pid)})
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = code = os.waitstatus_to_exitcode(status)
        truth = groups.truth()
        groups.remove()
        with open(self.engine.root / "truth.jsonl", "a", encoding="ascii") as file:
            file.write(json.dumps({"id": self.id, "rusage_us": int((usage.ru_utime + usage.ru_stime) * 1e6), **truth}) + "\n")
        self.write({"Running": False, "Pid": 0, "ExitCode": code, "OOMKilled": bool(truth["oom_kills"])})
        return code if code >= 0 else 128 - code

    def _volume(self) -> list[str]:
        """Options of unshare and the command that puts the volume in place."""
        if not self.engine.builds:
            return []
        volume = self.engine.root / "volumes" / self.options["name"].split("-concurrent-")[0]
        volume.mkdir(parents=True, exist_ok=True)
        volume.chmod(0o777)
        return ["--mount", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", str(volume), str(self.engine.builds)]

    @staticmethod
    def _first(outer: int) -> int:
        """The process that is number one inside; 0 when it is over already."""
        while os.waitid(os.P_PID, outer, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            try:
                children = pathlib.Path(f"/proc/{outer}/task/{outer}/children").read_text(encoding="ascii").split()
            except OSError:
                return 0
            if children:
                return int(children[0])
            time.sleep(0.001)
        return 0

    def _follow(self, caller: socket.socket) -> None:
        """Who started it went away: it ends, too."""
        try:
            caller.recv(1)
        except OSError:
            pass
        if self.process and self.process.returncode is None:
            try:
                os.kill(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def remove(self) -> None:
        for file in self.folder.iterdir():
            file.unlink()
        self.folder.rmdir()


class Engine:
    def __init__(self, root: pathlib.Path, builds: Optional[pathlib.Path]) -> None:
        self.root, self.parent, self.builds = root, f"docker-double-{secrets.token_hex(4)}", builds
        self.containers: dict[str, Container] = {}
        (root / "containers").mkdir(parents=True, exist_ok=True)
        root.chmod(0o710)

    def serve(self, path: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(path)
            listener.listen(16)
            while True:
                caller, _ = listener.accept()
                threading.Thread(target=self._answer, args=(caller,), daemon=True).start()

    def stop(self) -> None:
        """Everything with it: its groups would stay for ever."""
        for container in self.containers.values():
            if container.process and container.process.returncode is None:
                container.process.kill()
        for folder in [CGROUPS / self.parent, *(CGROUPS / name / self.parent for name in LEGACY)]:
            for place in [*folder.glob("*/"), folder]:
                for _ in range(100):
                    try:
                        place.rmdir()
                        break
                    except FileNotFoundError:
                        break
                    except OSError:
                        time.sleep(0.01)
        os._exit(0)

    def _answer(self, caller: socket.socket) -> None:
        with caller:
            packet, streams, _, _ = socket.recv_fds(caller, BUFFER, 3)
            if not packet:
                return
            request = json.loads(packet)
            if request["do"] == "create":
                container = Container(self, request["options"])
                self.containers[container.id] = container
                answer: Json = {"id": container.id}
            elif request["do"] == "start":
                answer = {"exit": self.containers[request["id"]].start(request["command"], streams, caller)}
            else:
                self.containers.pop(request["id"]).remove()
                answer = {}
            try:
                caller.send(json.dumps(answer).encode())
            except OSError:
                pass


def ask(path: str, request: Json, streams: Optional[list[int]] = None) -> Json:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as caller:
        caller.connect(path)
        socket.send_fds(caller, [json.dumps(request).encode()], streams or [])
        packet = caller.recv(BUFFER)
    if not packet:
        raise SystemExit("the engine is gone")
    return json.loads(packet)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("do", choices=("serve", "create", "start", "remove"))
    parser.add_argument("--root", type=pathlib.Path)
    parser.add_argument("--builds", type=pathlib.Path)
    parser.add_argument("--socket", required=True)
    parser.add_argument("id", nargs="?")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.do == "serve":
        engine = Engine(arguments.root, arguments.builds)
        signal.signal(signal.SIGTERM, lambda *_: engine.stop())
        engine.serve(arguments.socket)
    elif arguments.do == "create":
        print(ask(arguments.socket, {"do": "create", "options": json.load(sys.stdin)})["id"])
    elif arguments.do == "start":
        return int(ask(arguments.socket, {"do": "start", "id": arguments.id, "command": arguments.command}, [0, 1, 2])["exit"])
    else:
        ask(arguments.socket, {"do": "remove", "id": arguments.id})
    return 0


if __name__ == "__main__":
    sys.exit(main())
