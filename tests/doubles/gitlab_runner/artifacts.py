"""The artifact uploader: a process of its own inside the job, which is called gitlab-runner like the runner."""
from __future__ import annotations

import argparse
import glob
import http.client
import io
import os
import secrets
import sys
import time
import urllib.parse
import zipfile
from typing import Iterator

from .config import release
from .log import RunnerLog
from .network import Http

TRIES = 3
FIRST_PAUSE_S = 1.0
CHUNK_BYTES = 32 * 1024


def _collect(paths: list[str], log: RunnerLog) -> list[str]:
    found: list[str] = []
    for path in paths:
        matches = []
        for match in sorted(glob.glob(path.rstrip("/") or "/", recursive=True)):
            matches.append(match)
            for folder, folders, files in os.walk(match):
                matches += [os.path.join(folder, name) for name in folders + files]
        if matches:
            log.info(f"{path}: found {len(matches)} matching files and directories", {})
        else:
            log.warning(f"{path}: no matching files. Ensure that the artifact path is relative to the working directory", {})
        found += [m for m in matches if m not in found]
    return found


def _zip(paths: list[str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for path in paths:
            writer.write(path)
    return archive.getvalue()


def _multipart(boundary: str, file_name: str, content: bytes) -> Iterator[bytes]:
    yield (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
           "Content-Type: application/octet-stream\r\n\r\n").encode()
    for start in range(0, len(content), CHUNK_BYTES):
        yield content[start:start + CHUNK_BYTES]
    yield f"\r\n--{boundary}--\r\n".encode()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="artifacts-uploader")
    for name in ("url", "token", "id", "name", "artifact-format", "artifact-type", "expire-in", "runner-version"):
        parser.add_argument("--" + name, default="")
    parser.add_argument("--path", action="append", default=[])
    options = parser.parse_args(arguments)
    kind, log = release(options.runner_version), RunnerLog(sys.stderr)
    log.info("Runtime platform", {"arch": "amd64", "os": "linux", "pid": os.getpid(), "revision": kind.revision,
                                  "version": kind.version})
    paths = _collect(options.path, log)
    if not paths:
        log.error("No files to upload", {})
        return 0
    return _upload(options, log, Http(options.url, kind.user_agent), kind.short_token(options.token), _zip(paths))


def _upload(options: argparse.Namespace, log: RunnerLog, http_client: Http, short_token: str, content: bytes) -> int:
    wanted = {"artifact_format": options.artifact_format, "artifact_type": options.artifact_type}
    if options.expire_in:
        wanted["expire_in"] = options.expire_in
    said = f'Uploading artifacts as "{options.artifact_type}" to coordinator...'
    fields = {"id": options.id, "token": short_token}
    for attempt in range(TRIES):
        if attempt:
            time.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
        boundary = secrets.token_hex(30)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Job-Token": options.token}
        try:
            answer = http_client.send("POST", f"jobs/{options.id}/artifacts?{urllib.parse.urlencode(wanted)}", headers,
                                      _multipart(boundary, f"{options.name}.zip", content))
        except (OSError, http.client.HTTPException) as error:
            log.error(f"{said} error", {**fields, "error": error})
            continue
        fields["responseStatus"] = answer.status_line
        if answer.status == 201:
            log.info(f"{said} 201 Created", fields)
            return 0
        log.warning(f"{said} {answer.status_line}", {**fields, "status": answer.status})
        if answer.status in (403, 413):
            break
    log.error("Uploading artifacts failed", {})
    return 1
