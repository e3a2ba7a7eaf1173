"""The coordinator's HTTP API as a runner calls it: same headers, same bodies, same reading of the answers."""
from __future__ import annotations

import email.utils
import gzip
import http.client
import json
import random
import threading
import time
import urllib.parse
import uuid
from typing import Any, Iterable, Mapping, Optional, Union

from .config import Config

RESPONSE_TIMEOUT_S = 600.0
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
ATTEMPTS = 5
BACKOFF_FIRST_S, BACKOFF_LIMIT_S = 0.1, 60.0
UNREACHABLE = 0                 # stands for a status when no answer came

FEATURES_14 = {
    "variables": True, "image": False, "services": False, "artifacts": True, "cache": True, "shared": True,
    "upload_multiple_artifacts": True, "upload_raw_artifacts": True, "session": True, "terminal": True,
    "refspecs": True, "masking": True, "proxy": False, "raw_variables": True, "artifacts_exclude": True,
    "multi_build_steps": True, "trace_reset": True, "trace_checksum": True, "trace_size": True, "vault_secrets": True,
    "cancelable": True, "return_exit_code": True}


class Answer:
    def __init__(self, status: int, reason: str, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.reason, self.headers, self.body = status, reason, headers, body
        self.correlation = ""       # what X-Request-Id said, since 18.1

    @property
    def status_line(self) -> str:
        return f"{self.status} {self.reason}"

    @property
    def job_status(self) -> str:
        return self.headers.get("Job-Status") or ""

    @property
    def update_interval_s(self) -> float:
        """0 when the coordinator does not say."""
        value = self.headers.get("X-GitLab-Trace-Update-Interval") or ""
        return float(value) if value.isdigit() else 0.0

    @property
    def stored_bytes(self) -> int:
        """The end of `Range: 0-N`."""
        _, _, end = (self.headers.get("Range") or "").partition("-")
        return int(end) if end.isdigit() else 0


class Http:
    """Keep-alive connections to one server, shared by threads."""

    def __init__(self, url: str, user_agent: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._host, self._port, self._secure = parts.hostname or "", parts.port, parts.scheme == "https"
        self._prefix = parts.path.rstrip("/") + "/api/v4/"
        self._user_agent = user_agent
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    def send(self, method: str, path: str, headers: Mapping[str, str],
             body: Union[bytes, Iterable[bytes], None] = None) -> Answer:
        """An iterable body goes out chunked. Raises OSError or HTTPException when no answer comes."""
        with self._lock:
            reused = self._idle.pop() if self._idle else None
        if reused and (body is None or isinstance(body, bytes)):
            try:
                return self._exchange(reused, method, path, headers, body)
            except (http.client.RemoteDisconnected, ConnectionError):
                reused.close()          # the server had closed it while it was idle
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return self._exchange(kind(self._host, self._port, timeout=RESPONSE_TIMEOUT_S), method, path, headers, body)

    def _exchange(self, connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str],
                  body: Union[bytes, Iterable[bytes], None]) -> Answer:
        try:
            chunked = body is not None and not isinstance(body, bytes)
            connection.putrequest(method, self._prefix + path, skip_accept_encoding=True)
            connection.putheader("User-Agent", self._user_agent)
            if chunked:
                connection.putheader("Transfer-Encoding", "chunked")
            else:
                connection.putheader("Content-Length", str(len(body or b"")))   # type: ignore[arg-type]
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.putheader("Accept-Encoding", "gzip")
            connection.endheaders(body, encode_chunked=chunked)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        if response.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return Answer(response.status, response.reason, response.headers, content)


class Network:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._http = Http(config.url, config.release.user_agent)
        self.last_update = ""

    def info(self) -> dict[str, Any]:
        release, features = self._config.release, dict(FEATURES_14)
        if release.since(15, 0):
            features.update(fallback_cache_keys=True, service_variables=True, service_multiple_aliases=True,
                            image_executor_opts=False, service_executor_opts=False, cancel_gracefully=True)
        if release.since(18, 5):
            features.update(native_steps_integration=True, two_phase_job_commit=True, job_inputs=True)
        return {"name": "gitlab-runner", "version": release.version, "revision": release.revision, "platform": "linux",
                "architecture": "amd64", "executor": self._config.executor, "shell": "bash", "features": features,
                "config": {"gpus": ""}, **({"labels": {}} if release.since(18, 0) else {})}

    def request_job(self) -> Answer:
        body: dict[str, Any] = {"info": self.info(), "token": self._config.token}
        if self._config.release.since(15, 6):
            body["system_id"] = self._config.system_id
        if self.last_update:
            body["last_update"] = self.last_update
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._config.release.since(17, 11):
            headers["Runner-Token"] = self._config.token
        answer = self._call("POST", "jobs/request", headers, _encode(body))
        self.last_update = answer.headers.get("X-GitLab-Last-Update") or self.last_update
        return answer

    def patch_trace(self, job: int, token: str, offset: int, content: bytes) -> Answer:
        headers = {"Content-Range": f"{offset}-{offset + len(content) - 1}", "Content-Type": "text/plain",
                   "Job-Token": token}
        query = "?debug_trace=false" if self._config.release.since(15, 9) else ""
        return self._call("PATCH", f"jobs/{job}/trace{query}", headers, content)

    def update_job(self, job: int, token: str, state: str, size: int, checksum: str, failure_reason: str = "",
                   exit_code: int = 0, acknowledge: bool = False) -> Answer:
        body: dict[str, Any] = {"info": self.info(), "token": token, "state": state}
        if failure_reason:
            body["failure_reason"] = failure_reason
        if not acknowledge:
            body["checksum"] = checksum
        body["output"] = {} if acknowledge else {"checksum": checksum, "bytesize": size}
        if exit_code:
            body["exit_code"] = exit_code
        headers = {"Content-Type": "application/json"}
        if self._config.release.since(17, 11):
            headers["Job-Token"] = token
        return self._call("PUT", f"jobs/{job}", headers, _encode(body))

    def _call(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Since 16.0 some statuses are tried again before the caller hears of them."""
        correlation = uuid.uuid4().hex if self._config.release.since(18, 1) else ""
        if correlation:
            headers["X-Request-Id"] = correlation
        pause = BACKOFF_FIRST_S
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._http.send(method, path, headers, body)
            except (OSError, http.client.HTTPException) as error:
                answer = Answer(UNREACHABLE, f"{type(error).__name__}: {error}", {}, b"")
            answer.correlation = correlation
            again = answer.status in RETRIED or answer.status >= 512
            if not again or attempt == ATTEMPTS or not self._config.release.since(16, 0):
                return answer
            time.sleep(_asked_pause(answer) or random.uniform(pause / 2, pause))
            pause = min(pause * 2, BACKOFF_LIMIT_S)
        raise AssertionError("unreachable")


def _asked_pause(answer: Answer) -> Optional[float]:
    reset = email.utils.parsedate_to_datetime(answer.headers["RateLimit-ResetTime"]) \
        if answer.headers.get("RateLimit-ResetTime") else None
    if reset:
        return max(reset.timestamp() - time.time(), 0.0)
    after = answer.headers.get("Retry-After") or ""
    return float(after) if after.isdigit() else None


def _encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
