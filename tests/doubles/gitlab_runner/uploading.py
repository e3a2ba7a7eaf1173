"""Sends a trace while it grows and settles the job's final state, as the coordinator allows."""
from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any, Callable

from .config import Config
from .log import RunnerLog
from .network import UNREACHABLE, Answer, Network
from .trace import TraceFile

PATCH_BYTES = 1024 * 1024
INTERVAL_LIMIT_S = 15 * 60.0
FINAL_TRIES = 10
FINAL_BACKOFF_S = 1.0


@dataclasses.dataclass
class Outcome:
    """How a job ended, in the runner's words."""
    error: str = ""                 # "" is success; else what follows "Job failed: "
    failure_reason: str = ""
    exit_code: int = 0

    @property
    def state(self) -> str:
        return "failed" if self.error else "success"


class Uploader:
    """Ticks in a thread of its own from start() to settle()."""

    def __init__(self, config: Config, network: Network, log: RunnerLog, job: int, token: str, file: TraceFile,
                 on_cancel: Callable[[bool], None]) -> None:
        self._config, self._network, self._log = config, network, log
        self._job, self._token, self._file = job, token, file
        self._on_cancel = on_cancel             # called with True when what remains (after_script) may still run
        self._interval_s = config.update_interval_s
        self._sent = 0
        self._sent_at = time.monotonic()
        self._refused = False                   # the coordinator wants no more of this job
        self._cancelled = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="gitlab-runner", daemon=True)

    @property
    def _fields(self) -> dict[str, Any]:
        return {"job": self._job, "runner": self._config.short_token}

    def start(self) -> None:
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(self._interval_s):
            if self._refused:
                continue
            if not self._patch():
                continue
            if time.monotonic() - self._sent_at > self._config.keep_alive_s:
                self._keep_alive()

    def _patch(self) -> bool:
        """Sends the next piece if there is one; True when there is no reason to wait."""
        content = self._file.read(self._sent, PATCH_BYTES)
        if not content:
            return True
        first, last = self._sent, self._sent + len(content) - 1
        answer = self._network.patch_trace(self._job, self._token, first, content)
        self._heed(answer)
        note = {**self._fields, "sent-log": f"{first}-{last}", "job-log": answer.headers.get("Range") or "",
                "job-status": answer.job_status, "code": answer.status, "status": answer.status_line,
                "update-interval": self._shown_interval(answer), **_correlated(answer)}
        if answer.status == 202:
            self._sent, self._sent_at = last + 1, time.monotonic()
            if self._config.release.since(15, 0):
                self._log.info("Appending trace to coordinator...ok", note)
            return True
        if answer.status == 416:
            self._sent, self._sent_at = answer.stored_bytes, time.monotonic()
            self._log.warning("Appending trace to coordinator... range mismatch", note)
        elif answer.status in (403, 404):
            self._refused = answer.status == 403
            self._log.warning(f"Appending trace to coordinator... {'forbidden' if self._refused else 'not-found'}", note)
            return answer.status == 404
        else:
            self._log.warning("Appending trace to coordinator... failed", note)
        return False

    def _shown_interval(self, answer: Answer) -> Any:
        """A Go duration: nanoseconds in JSON, `3s` in text."""
        seconds = answer.update_interval_s
        return int(seconds * 1e9) if self._config.log_format == "json" else go_duration(seconds)

    def _keep_alive(self) -> None:
        size, checksum = self._file.state()
        if self._config.release.since(15, 0):       # of a part only: the job still writes
            self._log.info("Updating job...", {**self._fields, "bytesize": size, "checksum": checksum})
        answer = self._network.update_job(self._job, self._token, "running", size, checksum)
        self._heed(answer)
        if answer.status == 200:
            self._sent_at = time.monotonic()

    def _heed(self, answer: Answer) -> None:
        if answer.update_interval_s > 0:
            self._interval_s = min(answer.update_interval_s, INTERVAL_LIMIT_S)
        if answer.job_status == "canceling" and not self._cancelled and self._config.release.since(15, 0):
            self._cancelled = True
            self._on_cancel(True)
        elif answer.job_status in ("canceled", "failed") or answer.status == 403:
            self._refused = True
            if not self._cancelled:
                self._cancelled = True
                self._on_cancel(False)

    def settle(self, outcome: Outcome) -> None:
        """The trace is complete: sends the rest, then the final state until the coordinator is content."""
        self._over.set()
        self._thread.join()
        self._interval_s = self._config.update_interval_s
        failures = 0
        while not self._refused:
            if not self._send_rest():
                return
            answer = self._final(outcome)
            if answer.status in (200, 403, 404) or answer.job_status == "failed" and answer.status != 200:
                return
            if answer.status == 412:
                self._sent = 0
            elif answer.status != 202:
                failures += 1
                if failures >= FINAL_TRIES and self._config.release.since(17, 9):
                    return
                time.sleep(min(FINAL_BACKOFF_S * 2 ** (failures - 1), 60.0) if self._config.release.since(17, 9)
                           else self._interval_s)
                continue
            time.sleep(self._interval_s)

    def _send_rest(self) -> bool:
        size = self._file.state()[0]
        while self._sent != size and not self._refused:
            if not self._patch() and not self._refused:
                time.sleep(self._interval_s)
        return not self._refused

    def _final(self, outcome: Outcome) -> Answer:
        size, checksum = self._file.state()
        note = {**self._fields, "bytesize": size, "checksum": checksum}
        talkative = self._config.release.since(15, 0)
        if talkative:
            self._log.info("Updating job...", note)
        answer = self._network.update_job(self._job, self._token, outcome.state, size, checksum,
                                          outcome.failure_reason, outcome.exit_code)
        if answer.update_interval_s > 0:
            self._interval_s = min(answer.update_interval_s, INTERVAL_LIMIT_S)
        note.update({"code": answer.status, "job-status": answer.job_status,
                     "update-interval": self._shown_interval(answer), **_correlated(answer)})
        said = {200: "ok", 202: "accepted, but not yet completed", 412: "trace validation failed"}.get(answer.status)
        if said:
            if talkative:
                self._log.info(f"Submitting job to coordinator...{said}", note)
        elif answer.status == 403:
            self._log.error("Submitting job to coordinator... forbidden", {**note, "status": answer.status_line})
        else:
            status = answer.reason if answer.status == UNREACHABLE else answer.status_line
            self._log.warning("Submitting job to coordinator... failed", {**note, "status": status})
        return answer


def _correlated(answer: Answer) -> dict[str, str]:
    return {"correlation_id": answer.correlation} if answer.correlation else {}


def go_duration(seconds: float) -> str:
    """As Go prints a time.Duration: 0s, 850ms, 6.103243s, 1m2.5s, 1h0m0s."""
    if seconds == 0:
        return "0s"
    if seconds < 1:
        for unit, factor in (("ms", 1e3), ("µs", 1e6), ("ns", 1e9)):
            if seconds * factor >= 1:
                return f"{_number(seconds * factor)}{unit}"
        return "0s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    lead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{lead}{_number(rest)}s"


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
