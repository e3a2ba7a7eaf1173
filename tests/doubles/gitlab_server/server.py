"""Sockets: HTTP/1.1 with keep-alive on loopback, one thread a connection.

A request meets, in this order: /double/ (tests; never spoiled, never recorded), faults, the coordinator, the REST API,
git over HTTP.
"""
from __future__ import annotations

import argparse
import base64
import http.server
import os
import pathlib
import signal
import socket
import sys
import threading
import time
import traceback
import urllib.parse
from typing import Optional

from . import admin, coordinator, repository, rest
from .faults import Faults, Recorder
from .store import Store
from .web import Refusal, Reply, Request, Routes

BODY_LIMIT_BYTES = 256 * 1024 * 1024
IDLE_CONNECTION_S = 120


class GitLab:
    """All parts together, without sockets: one method from request to reply."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.store = Store(folder)
        self.settings = coordinator.Settings()
        self.faults, self.recorder = Faults(), Recorder()
        runners = coordinator.Coordinator(self.store, self.settings)
        self._admin = admin.routes(self.store, runners, self.settings, self.faults, self.recorder)
        self._tables: list[Routes] = [coordinator.routes(runners), rest.routes(self.store)]

    def answer(self, request: Request) -> Reply:
        try:
            if request.path.startswith("/double/"):
                return self._route([self._admin], request)
            if request.path.startswith("/api/v4/"):
                return self._route(self._tables, request)
            if ".git/" in request.path:
                return self._git(request)
            return Reply(404, {"error": "404 Not Found"})
        except Refusal as refusal:
            return refusal.reply
        except Exception as error:  # a bug of the double or nonsense from a test: say so, keep serving
            traceback.print_exc()
            return Reply(500, {"message": f"500 Internal Server Error: {type(error).__name__}: {error}"})

    @staticmethod
    def _route(tables: list[Routes], request: Request) -> Reply:
        other_method: Optional[Refusal] = None
        for table in tables:
            try:
                found = table.find(request.method, request.path)
            except Refusal as refusal:
                other_method = refusal
                continue
            if found:
                handler, parts = found
                return handler(request, **parts)
        raise other_method or Refusal(404, {"error": "404 Not Found"})

    def _git(self, request: Request) -> Reply:
        path = urllib.parse.unquote(request.path)
        project = self.store.project(path[1:].partition(".git/")[0])
        if project is None or not self._may_fetch(request, project.id):
            return Reply(401, b"HTTP Basic: Access denied.\n",
                         {"WWW-Authenticate": 'Basic realm="GitLab"', "Content-Type": "text/plain"})
        query = urllib.parse.urlencode([(name, value) for name, values in request.query.items() for value in values])
        status, headers, body = repository.serve(self.store.folder, path, request.method, query, request.headers,
                                                 request.body)
        return Reply(status, body, headers)

    def _may_fetch(self, request: Request, project_id: int) -> bool:
        """A running job's token as the password of gitlab-ci-token, or a member's token as any user's."""
        if not self.settings.require_git_credentials:
            return True
        kind, _, value = (request.headers.get("Authorization") or "").partition(" ")
        if kind.lower() != "basic":
            return False
        user, _, password = base64.b64decode(value).decode("utf-8", "replace").partition(":")
        if user == "gitlab-ci-token":
            return any(job.token == password and job.project_id == project_id and job.status in ("running", "canceling")
                       for job in self.store.jobs.values())
        token = self.store.tokens.get(password)
        return token is not None and token.user_id in self.store.projects[project_id].members


class _Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""
    wbufsize = -1                           # head and body leave in one segment
    disable_nagle_algorithm = True
    timeout = IDLE_CONNECTION_S
    gitlab: GitLab                          # set by the server's subclass

    def _serve(self) -> None:
        started, body = time.time(), self._read_body()
        if body is None:
            self.close_connection = True
            self.send_error(413)
            return
        url = urllib.parse.urlsplit(self.path)
        request = Request(self.command, url.path, urllib.parse.parse_qs(url.query, keep_blank_values=True), self.headers,
                          body, f"http://{self.headers.get('Host') or self.server.server_address}")
        for_tests = url.path.startswith("/double/")
        fault = None if for_tests else self.gitlab.faults.take(self.command, self.path)
        if fault and fault.delay_s > 0:
            time.sleep(fault.delay_s)
        reply: Optional[Reply] = None
        if not fault or fault.drop != "before":
            reply = fault.reply() if fault and fault.status is not None else self.gitlab.answer(request)
        if fault and fault.drop:
            reply = None
        if not for_tests:       # before the answer leaves, so that who got an answer finds its request recorded
            self.gitlab.recorder.add(self.command, self.path, dict(self.headers.items()), body,
                                     reply.status if reply else 0, started)
        if reply:
            self._send(reply)
        else:
            self._drop()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def _read_body(self) -> Optional[bytes]:
        if (self.headers.get("Transfer-Encoding") or "").lower() != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            return None if length > BODY_LIMIT_BYTES else self.rfile.read(length)
        body = bytearray()
        while True:
            size = int(self.rfile.readline(1024).split(b";")[0], 16)
            if size == 0:
                break
            if len(body) + size > BODY_LIMIT_BYTES:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(8)
        while self.rfile.readline(65536).strip():   # trailers
            pass
        return bytes(body)

    def _send(self, reply: Reply) -> None:
        content = reply.encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("X-Request-Id", self.headers.get("X-Request-Id") or f"{time.monotonic_ns():032x}")
        if reply.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and reply.status != 204:
            self.wfile.write(content)
        self.wfile.flush()

    def _drop(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, gitlab: GitLab, port: int) -> None:
        super().__init__(("127.0.0.1", port), type("Connection", (_Connection,), {"gitlab": gitlab}))

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, ValueError)):
            super().handle_error(request, client_address)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="gitlab.py", description="A GitLab for tests, on loopback.")
    parser.add_argument("--state", type=pathlib.Path, required=True, help="folder for the git repositories")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=pathlib.Path, help="where to write the port once it listens")
    options = parser.parse_args(arguments)
    options.state.mkdir(parents=True, exist_ok=True)
    server = Server(GitLab(options.state.resolve()), options.port)
    port = server.server_address[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    if options.port_file:
        unfinished = options.port_file.with_suffix(".new")
        unfinished.write_text(f"{port}\n", encoding="ascii")
        os.replace(unfinished, options.port_file)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    return 0
