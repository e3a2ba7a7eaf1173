"""Options of the runner double, from flags over a JSON file over defaults; and what its release prescribes."""
from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import typing
from typing import Any, Optional


@dataclasses.dataclass(frozen=True)
class Release:
    """What other programs can tell one release from another by."""
    version: str
    revision: str
    branch: str
    go: str

    @property
    def number(self) -> tuple[int, int]:
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    def since(self, major: int, minor: int) -> bool:
        return self.number >= (major, minor)

    @property
    def user_agent(self) -> str:
        return f"gitlab-runner {self.version} ({self.branch}; {self.go}; linux/amd64)"

    def short_token(self, token: str) -> str:
        """How the log and the builds folder name a runner: 8 characters once, prefix stripped and 9 since 15.0."""
        if not self.since(15, 0):
            return token[:8]
        for prefix in ("glrt-", "glcbt-", "GR1348941"):
            token = token.removeprefix(prefix)
        return token[:9]


def release(version: str) -> Release:
    known = {"14.7.0": Release("14.7.0", "HEAD", "HEAD", "go1.19.8"),
             "19.4.0": Release("19.4.0", "d79f3e7b", "19-4-stable", "go1.26.1")}
    return known.get(version) or Release(version, "0badc0de", version.replace(".", "-")[:4] + "-stable", "go1.22.0")


@dataclasses.dataclass
class Config:
    url: str = ""
    token: str = ""
    name: str = "lab"
    version: str = "14.7.0"
    concurrent: int = 1
    check_interval_s: float = 3.0
    update_interval_s: float = 3.0          # until the coordinator names another one
    builds_dir: str = "builds"
    cache_dir: str = "cache"
    tmp_dir: str = ""                       # where traces are made; "" is TMPDIR of the environment
    user: str = ""                          # jobs run through `su` as this user; needs root
    timestamps: Optional[bool] = None       # FF_TIMESTAMPS; None is what the release does
    output_limit_kib: int = 4096
    log_format: str = "text"                # text, json
    log_file: str = ""                      # "" is stderr
    log_style: str = "plain"                # plain; syslog: each line as rsyslog writes it to a file
    log_twice: bool = False                 # as --syslog makes it look in the journal
    usage_log_dir: str = ""                 # "" is off
    listen_address: str = ""                # "127.0.0.1:0" takes a free port
    status_port_file: str = ""
    system_id: str = "s_1a2b3c4d5e6f"
    keep_alive_s: float = 30.0              # a running update after so long without a patch
    graceful_kill_s: float = 10.0           # between SIGTERM and SIGKILL to a stage; the real default is 600
    unhealthy_interval_s: float = 3600.0
    working_directory: str = ""
    process_name: str = "gitlab-runner"     # another one for a test that must not see other runners of the host
    container_engine: str = ""              # socket of container_engine.py, or real_engine.py's FILE.json: the docker executor, but for jobs with the variable LAB_EXECUTOR=shell

    def __post_init__(self) -> None:
        self.url = self.url.rstrip("/").removesuffix("/ci")
        self.release = release(self.version)
        self.short_token = self.release.short_token(self.token)

    @property
    def executor(self) -> str:
        return "docker" if self.container_engine else "shell"

    @property
    def timestamped(self) -> bool:
        return self.release.since(18, 7) if self.timestamps is None else self.timestamps


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError("true or false")
    return text == "true"


def parse(arguments: list[str]) -> Config:
    parser = argparse.ArgumentParser(prog="runner.py", description="A gitlab-runner for tests.")
    parser.add_argument("--config", type=pathlib.Path, help="JSON file with the same names as the flags")
    kinds = typing.get_type_hints(Config)
    for field in dataclasses.fields(Config):
        kind: Any = kinds[field.name]
        parser.add_argument("--" + field.name.replace("_", "-"), default=None,
                            type=_boolean if kind in (bool, Optional[bool]) else kind)
    options = vars(parser.parse_args(arguments))
    file = options.pop("config")
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file else {}
    values.update({name: value for name, value in options.items() if value is not None})
    config = Config(**values)
    if not config.url or not config.token:
        parser.error("url and token are needed")
    if config.concurrent < 1:
        parser.error("concurrent must be at least 1")
    if config.working_directory:
        os.chdir(config.working_directory)
    config.builds_dir, config.cache_dir = os.path.abspath(config.builds_dir), os.path.abspath(config.cache_dir)
    config.tmp_dir = config.tmp_dir or os.environ.get("TMPDIR", "/tmp")
    return config
