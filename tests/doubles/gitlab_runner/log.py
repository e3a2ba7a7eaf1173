"""The runner's own log, byte for byte.

Text, the default: no timestamp; the level's colour and prefix; the message padded so that both fill 50 columns; a
reset; then the fields, sorted, unquoted, each name followed by a reset. A message that ends in a newline is padded after
it, so its fields land on the next line. JSON: one object a line, keys sorted, the time in seconds with its zone.
"""
from __future__ import annotations

import datetime
import json
import os
import socket
import threading
from typing import Any, Callable, Mapping, TextIO

RESET = "\x1b[0;m"
COLUMNS = 50
# level → colour, prefix, name in JSON
LEVELS = {"info": ("", ""), "warning": ("\x1b[0;33m", "WARNING: "), "error": ("\x1b[31;1m", "ERROR: "),
          "fatal": ("\x1b[31;1m", "FATAL: ")}


def text_line(level: str, message: str, fields: Mapping[str, Any]) -> str:
    color, prefix = LEVELS[level]
    padded = message.ljust(COLUMNS - len(prefix))
    return f"{color}{prefix}{padded}{RESET} " + "".join(
        f" {color}{name}{RESET}={_plain(fields[name])}" for name in sorted(fields)) + "\n"


def json_line(level: str, message: str, fields: Mapping[str, Any], now: datetime.datetime) -> str:
    stamp = now.isoformat(timespec="seconds").replace("+00:00", "Z")
    entry = {**fields, "level": level, "msg": message, "time": stamp}
    encoded = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        encoded = encoded.replace(character, escape)
    return encoded + "\n"


def syslog_lines(text: str, host: str, pid: int, now: datetime.datetime) -> str:
    """As rsyslog writes them to a file: a stamp on each line, control characters as #ooo."""
    head = f"{now.strftime('%b')} {now.day:2d} {now.strftime('%H:%M:%S')} {host} gitlab-runner[{pid}]: "
    escaped = "".join(f"#{ord(c):03o}" if ord(c) < 32 and c != "\n" else c for c in text)
    return "".join(head + line + "\n" for line in escaped.rstrip("\n").split("\n"))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class RunnerLog:
    """Any thread may write; one record is one write, so that records never mix."""

    def __init__(self, stream: TextIO, form: str = "text", style: str = "plain", twice: bool = False,
                 clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now().astimezone()) -> None:
        self._stream, self._form, self._style, self._twice = stream, form, style, twice
        self._clock = clock
        self._lock = threading.Lock()

    def start_text(self, message: str, **fields: Any) -> None:
        """What is said before the configuration with its format is read: text whatever the format."""
        self._write(text_line("info", message, fields))

    def start_warning(self, message: str) -> None:
        self._write(text_line("warning", message, {}))

    def info(self, message: str, fields: Mapping[str, Any]) -> None:
        self._record("info", message, fields)

    def warning(self, message: str, fields: Mapping[str, Any]) -> None:
        self._record("warning", message, fields)

    def error(self, message: str, fields: Mapping[str, Any]) -> None:
        self._record("error", message, fields)

    def _record(self, level: str, message: str, fields: Mapping[str, Any]) -> None:
        if self._form == "json":
            self._write(json_line(level, message, fields, self._clock()))
        else:
            self._write(text_line(level, message, fields))

    def _write(self, text: str) -> None:
        if self._style == "syslog":
            text = syslog_lines(text, socket.gethostname(), os.getpid(), self._clock())
        with self._lock:
            self._stream.write(text * (2 if self._twice else 1))
            self._stream.flush()
