"""What bash is told for each stage of a job. Pure: text in, text out; an empty script means no stage."""
from __future__ import annotations

import dataclasses
import re
import shlex
from typing import Any, Optional

from .config import Release

GREEN, YELLOW, RESET = "\x1b[32;1m", "\x1b[0;33m", "\x1b[0;m"
quote = shlex.quote


@dataclasses.dataclass
class JobScripts:
    """`job` is the coordinator's answer; folders are absolute; `runner_command` is how the uploader is called."""
    release: Release
    job: dict[str, Any]
    project_dir: str
    cache_dir: str
    url: str
    runner_command: list[str]
    extra: dict[str, str]               # variables that the runner adds

    @property
    def temporary_dir(self) -> str:
        return self.project_dir + ".tmp"

    def variable(self, name: str, default: str = "") -> str:
        for entry in reversed(self.job["variables"]):
            if entry["key"] == name:
                return str(entry["value"])
        return self.extra.get(name, default)

    # Stages -----------------------------------------------------------------------------------------------------------

    def prepare_script(self) -> str:
        return self._whole(['echo "Running on $(hostname)..."'])

    def get_sources(self) -> str:
        lines = self._exports()
        strategy = self.variable("GIT_STRATEGY") or ("fetch" if self.job["allow_git_fetch"] else "clone")
        if strategy == "none":
            lines += [_say("Skipping Git repository setup"), f"mkdir -p {quote(self.project_dir)}",
                      _say("Skipping Git checkout")]
        else:
            lines += self._fetch(strategy) + self._checkout()
        return self._whole(lines + [_say("Skipping Git submodules setup")])

    def _fetch(self, strategy: str) -> list[str]:
        git, directory, template = self.job["git_info"], quote(self.project_dir), self.temporary_dir + "/git-template"
        config, url = quote(template + "/config"), quote(git["repo_url"])
        depth = self.variable("GIT_DEPTH") or str(git.get("depth") or "")
        said = f"Fetching changes with git depth set to {depth}..." if depth else "Fetching changes..."
        lines = [f"rm -r -f {directory}"] if strategy == "clone" else []
        lines += ["export GIT_TERMINAL_PROMPT=0", _say(said), f"mkdir -p {quote(template)}",
                  f"git config -f {config} fetch.recurseSubmodules false"]
        if self.release.since(15, 0):
            lines.append(f"git config -f {config} init.defaultBranch none")
        lines += [f"rm -f {directory}/.git/index.lock {directory}/.git/shallow.lock {directory}/.git/HEAD.lock",
                  f"git init {directory} --template {quote(template)}", f"cd {directory}",
                  f"if git remote add origin {url} >/dev/null 2>&1; then", "  " + _say("Created fresh repository."),
                  f"else git remote set-url origin {url}; fi"]
        agent = f"http.userAgent=gitlab-runner {self.release.version} linux/amd64"
        refspecs = " ".join(map(quote, git["refspecs"]))
        limit = f" --depth {depth}" if depth else ""
        return lines + [f"git -c {quote(agent)} fetch origin {refspecs}{limit} --prune --quiet"]

    def _checkout(self) -> list[str]:
        git = self.job["git_info"]
        named = f"detached HEAD (ref is {git['ref']})" if self.release.since(15, 6) else git["ref"]
        return [_say(f"Checking out {git['sha'][:8]} as {named}..."), f"git checkout -f -q {quote(git['sha'])}",
                "git clean -ffdx"]

    def restore_cache(self) -> str:
        lines = []
        for cache in self.job.get("cache") or []:
            archive = quote(self._cache_file(cache))
            lines += [_say(f"Checking cache for {cache['key']}..."),
                      f"if [ -e {archive} ]; then tar -xf {archive}; {_say('Successfully extracted cache')}",
                      f"else {_say('Failed to extract cache', YELLOW)}; fi"]
        return self._in_project(lines)

    def step_script(self) -> str:
        return self._in_project(self._commands("script"))

    def after_script(self) -> str:
        commands = self._commands("after_script")
        return self._in_project([_say("Running after script...")] + commands if commands else [])

    def archive_cache(self) -> str:
        lines = []
        for cache in self.job.get("cache") or []:
            archive = self._cache_file(cache)
            lines += [_say(f"Creating cache {cache['key']}..."), f"mkdir -p {quote(archive.rpartition('/')[0])}",
                      f"if tar -cf {quote(archive)} {' '.join(map(quote, cache['paths']))}; then {_say('Created cache')}",
                      f"else {_say('Failed to create cache', YELLOW)}; fi"]
        return self._in_project(lines)

    def upload_artifacts(self, failed: bool) -> str:
        lines = []
        for artifact in self.job.get("artifacts") or []:
            if artifact.get("when", "on_success") not in ("always", "on_failure" if failed else "on_success"):
                continue
            call = self.runner_command + ["artifacts-uploader", "--url", self.url, "--token", self.job["token"], "--id",
                                          str(self.job["id"])]
            for path in artifact.get("paths") or []:
                call += ["--path", path]
            call += ["--artifact-format", artifact["artifact_format"], "--artifact-type", artifact["artifact_type"],
                     "--name", artifact["name"], "--runner-version", self.release.version]
            if artifact.get("expire_in"):
                call += ["--expire-in", artifact["expire_in"]]
            lines += [_say("Uploading artifacts..."), " ".join(map(quote, call))]
        return self._in_project(lines)

    def cleanup_file_variables(self) -> str:
        files = [e["key"] for e in self.job["variables"] if e.get("file")]
        removed = [f"rm -f {quote(f'{self.temporary_dir}/{key}')}" for key in files]
        return self._whole(removed or ([":"] if self.release.since(15, 0) else []))

    def _whole(self, lines: list[str]) -> str:
        """The commands run in a subshell of the login shell, without its standard input, which is this very script.

        `: | eval` loses what a command ended with: under errexit bash leaves with 1 unless the script said `exit N`.
        Real runners did just that, unless the feature flag asked for one subshell more, until 19.4 gave up the pipe.
        """
        if not lines:
            return ""
        call = f"eval {quote(chr(10).join(lines))}"
        if self.release.since(19, 4) and self.variable("FF_USE_LEGACY_BASH_EVAL") != "true":
            return (f"trap 'exit 1' TERM\nset -o errexit -o pipefail +o noclobber\n"
                    f"(trap 'exit 1' TERM; {call}) < /dev/null\nexit 0\n")
        if self.variable("FF_USE_NEW_BASH_EVAL_STRATEGY") == "true":
            call = f"({call})"
        return f"trap 'exit 1' TERM\nset -o errexit -o pipefail +o noclobber\n: | {call}\nexit 0\n"

    # Pieces -----------------------------------------------------------------------------------------------------------

    def _cache_file(self, cache: dict[str, Any]) -> str:
        project = self.job["job_info"].get("project_full_path") or str(self.job["job_info"]["project_id"])
        return f"{self.cache_dir}/{project}/{re.sub(r'[^A-Za-z0-9_.-]', '_', cache['key'])}/cache.tar"

    def _in_project(self, lines: list[str]) -> str:
        return self._whole(self._exports() + [f"cd {quote(self.project_dir)}"] + lines) if lines else ""

    def _exports(self) -> list[str]:
        lines = [f"export {name}={quote(value)}" for name, value in self.extra.items()]
        for entry in self.job["variables"]:
            key, value = entry["key"], str(entry["value"])
            if entry.get("file"):
                path = quote(f"{self.temporary_dir}/{key}")
                lines += [f"mkdir -p {quote(self.temporary_dir)}", f"printf '%s' {quote(value)} > {path}",
                          f"export {key}={path}"]
            else:
                lines.append(f"export {key}={quote(value if entry.get('raw') else self._expand(value))}")
        return lines

    def _expand(self, value: str) -> str:
        """$NAME and ${NAME} of variables that the job has; others vanish."""
        def known(match: re.Match[str]) -> str:
            return "$" if match.group() == "$$" else self.variable(match.group(1) or match.group(2))
        return re.sub(r"\$\$|\$(?:\{(\w+)\}|([A-Za-z_]\w*))", known, value)

    def _commands(self, step_name: str) -> list[str]:
        step: Optional[dict[str, Any]] = next((s for s in self.job["steps"] if s["name"] == step_name), None)
        lines = []
        for command in (step or {}).get("script") or []:
            first, newline, _ = command.strip().partition("\n")
            lines += [_say(f"$ {first}{' # collapsed multi-line command' if newline else ''}"), command.strip()]
        return lines


def _say(text: str, color: str = GREEN) -> str:
    return f"echo {quote(color + text + RESET)}"
