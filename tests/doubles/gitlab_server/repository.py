"""Bare git repositories: every change is one git process, so a test may make many."""
from __future__ import annotations

import functools
import os
import pathlib
import subprocess
import time
from typing import Mapping, Optional

# Nothing of the host's git configuration may change what the double does.
_ENVIRONMENT = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "GIT_CONFIG_GLOBAL": "/dev/null",
                "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/", "LC_ALL": "C.UTF-8",
                "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}


class GitError(Exception):
    pass


def git(repository: pathlib.Path, *arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["git", "--git-dir", str(repository), *arguments], input=stdin, capture_output=True,
                          env=_ENVIRONMENT, check=False)
    if done.returncode != 0:
        raise GitError(f"git {' '.join(arguments)}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout.decode("utf-8", "replace").strip()


def create(repository: pathlib.Path, default_branch: str) -> None:
    repository.parent.mkdir(parents=True, exist_ok=True)
    git(repository, "init", "--quiet", "--bare", f"--initial-branch={default_branch}", str(repository))
    # Runners fetch refs that are no branches, and single commits of them.
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(repository, "config", "uploadpack.allowFilter", "true")


def resolve(repository: pathlib.Path, revision: str) -> Optional[str]:
    try:
        return git(repository, "rev-parse", "--verify", "--quiet", revision + "^{commit}")
    except GitError:
        return None


def read(repository: pathlib.Path, revision: str, path: str) -> Optional[bytes]:
    """A file's content; None where there is none."""
    done = subprocess.run(["git", "--git-dir", str(repository), "cat-file", "blob", f"{revision}:{path}"],
                          capture_output=True, env=_ENVIRONMENT, check=False)
    return done.stdout if done.returncode == 0 else None


def changed(repository: pathlib.Path, target: str, sha: str) -> list[tuple[str, str, str]]:
    """Of the files that a branch changes since it left its target: the names, before and after, and the hunks."""
    def diff(how: str, *paths: str) -> str:
        return git(repository, "diff", how, "--find-renames", f"refs/heads/{target}...{sha}", "--", *paths)

    def hunks(*paths: str) -> str:
        return "".join("@@" + part + "\n" for part in diff("--patch", *paths).split("\n@@")[1:])

    names = [line.split("\t") for line in diff("--name-status").splitlines()]
    return [(part[1], part[-1], hunks(part[1], part[-1])) for part in names]


def commit(repository: pathlib.Path, branch: str, start: Optional[str], message: str, author: str,
           files: Mapping[str, Optional[str]]) -> str:
    """Adds one commit to `branch`; a file whose content is None is deleted. Returns the new commit's id."""
    stream = bytearray()

    def data(content: bytes) -> None:
        stream.extend(b"data %d\n%b\n" % (len(content), content))

    stream += f"commit refs/heads/{branch}\ncommitter {author} <{author}@example.com> {int(time.time())} +0000\n".encode()
    data(message.encode())
    if start:
        stream += f"from {start}\n".encode()
    for path, content in files.items():
        if content is None:
            stream += f"D {path}\n".encode()
        else:
            stream += f"M {'100755' if content.startswith('#!') else '100644'} inline {path}\n".encode()
            data(content.encode("utf-8", "surrogateescape"))
    git(repository, "fast-import", "--quiet", "--force", stdin=bytes(stream))
    created = resolve(repository, f"refs/heads/{branch}")
    assert created, f"fast-import left no {branch}"
    return created


def point(repository: pathlib.Path, ref: str, sha: str) -> None:
    git(repository, "update-ref", ref, sha)


def bring(repository: pathlib.Path, origin: pathlib.Path, sha: str) -> None:
    """Copies a commit and what it needs from another repository."""
    if repository != origin and resolve(repository, sha) is None:
        git(repository, "fetch", "--quiet", "--no-write-fetch-head", str(origin), sha)


@functools.lru_cache(maxsize=4096)     # commits do not change, and every job shows one
def describe(repository: pathlib.Path, sha: str) -> dict[str, str]:
    fields = git(repository, "show", "--no-patch", "--format=%H%x00%P%x00%an%x00%ae%x00%aI%x00%cI%x00%s%x00%B", sha)
    keys = ("id", "parents", "author_name", "author_email", "authored_date", "committed_date", "title", "message")
    return dict(zip(keys, fields.split("\0")))


def serve(repository_root: pathlib.Path, path: str, method: str, query: str, headers: Mapping[str, str],
          body: bytes) -> tuple[int, dict[str, str], bytes]:
    """One request of git's smart HTTP protocol, answered by git http-backend."""
    environment = dict(_ENVIRONMENT)
    environment.update({
        "GIT_PROJECT_ROOT": str(repository_root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
        "REQUEST_METHOD": method, "QUERY_STRING": query, "CONTENT_TYPE": headers.get("Content-Type") or "",
        "CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": headers.get("Content-Encoding") or "",
        "GIT_PROTOCOL": headers.get("Git-Protocol") or "", "REMOTE_ADDR": "127.0.0.1"})
    done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    status, fields = 200, {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = int(value.split()[0])
        elif name:
            fields[name] = value
    return (status, fields, content) if head else (500, {}, done.stderr)
