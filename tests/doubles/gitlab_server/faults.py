"""What goes wrong on purpose, and the record of all that came in."""
from __future__ import annotations

import dataclasses
import re
import threading
import time
from typing import Any, Optional

from .web import Reply

RECORDED_BODY_BYTES = 256 * 1024
RECORDED_REQUESTS = 50_000


@dataclasses.dataclass
class Fault:
    """Applies to the next `times` requests that match, after letting `skip` of them through."""
    id: int
    method: str = ".*"                      # regular expressions, matched whole (method) and anywhere (path with query)
    path: str = ""
    times: int = 1
    skip: int = 0
    status: Optional[int] = None            # answered instead of the real thing
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: Any = None
    delay_s: float = 0.0                    # before anything else happens
    drop: str = ""                          # "before": nothing happened, "after": it happened, nobody was told
    hits: int = 0

    def reply(self) -> Reply:
        assert self.status is not None
        body = self.body if self.body is not None else {"message": f"{self.status} made by a fault"}
        return Reply(self.status, body, dict(self.headers))


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, fields: dict[str, Any]) -> Fault:
        with self._lock:
            self._last_id += 1
            fault = Fault(id=self._last_id, **fields)
            re.compile(fault.method), re.compile(fault.path)
            if fault.drop not in ("", "before", "after"):
                raise ValueError("drop is before or after")
            self._faults.append(fault)
            return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def all(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def take(self, method: str, target: str) -> Optional[Fault]:
        """The first fault that this request meets; spent by the meeting."""
        with self._lock:
            for fault in self._faults:
                if fault.times <= 0 or not re.fullmatch(fault.method, method) or not re.search(fault.path, target):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                fault.hits += 1
                return fault
        return None


class Recorder:
    """Every request but those of the tests themselves, in the order of their answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[dict[str, Any]] = []
        self._number = 0

    def add(self, method: str, target: str, headers: dict[str, str], body: bytes, status: int, started: float) -> None:
        """Status 0: the connection was dropped."""
        entry = {"t": started, "seconds": round(time.time() - started, 6), "method": method, "path": target,
                 "headers": headers, "body": body[:RECORDED_BODY_BYTES].decode("utf-8", "replace"),
                 "body_bytes": len(body), "status": status}
        with self._lock:
            self._number += 1
            entry["number"] = self._number
            self._entries.append(entry)
            del self._entries[:-RECORDED_REQUESTS]

    def matching(self, method: str, path: str, after: int) -> list[dict[str, Any]]:
        with self._lock:
            return [e for e in self._entries if e["number"] > after and re.fullmatch(method, e["method"])
                    and re.search(path, e["path"])]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
