"""What the runner tells over HTTP on its listen address: running jobs and metrics."""
from __future__ import annotations

import http.server
import threading
from typing import Callable

from .build import Build
from .config import Config
from .uploading import go_duration


def jobs_list(builds: list[Build]) -> str:
    return "".join(f"url={b.url} state={b.state} stage={b.stage} executor_stage=prepare "
                   f"duration={go_duration(b.duration_s)}\n" for b in builds)


def metrics(config: Config, builds: list[Build], handled: int) -> str:
    runner = f'runner="{config.short_token}",system_id="{config.system_id}"'
    counts: dict[tuple[str, str], int] = {}
    for build in builds:
        counts[build.state, build.stage] = counts.get((build.state, build.stage), 0) + 1
    lines = ["# HELP gitlab_runner_concurrent The current value of concurrent setting",
             "# TYPE gitlab_runner_concurrent gauge", f"gitlab_runner_concurrent {config.concurrent}",
             "# HELP gitlab_runner_jobs The current number of running builds.", "# TYPE gitlab_runner_jobs gauge"]
    lines += [f'gitlab_runner_jobs{{executor_stage="prepare",{runner},stage="{stage}",state="{state}"}} {count}'
              for (state, stage), count in sorted(counts.items())]
    lines += ["# HELP gitlab_runner_jobs_total Total number of handled jobs", "# TYPE gitlab_runner_jobs_total counter",
              f"gitlab_runner_jobs_total{{{runner}}} {handled}",
              "# HELP gitlab_runner_version_info A metric with a constant '1' value labeled by different build stats fields.",
              "# TYPE gitlab_runner_version_info gauge",
              f'gitlab_runner_version_info{{architecture="linux/amd64",branch="{config.release.branch}",'
              f'go_version="{config.release.go}",name="gitlab-runner",os="linux",revision="{config.release.revision}",'
              f'version="{config.release.version}"}} 1']
    return "\n".join(lines) + "\n"


def serve(address: str, pages: dict[str, Callable[[], str]]) -> int:
    """Starts serving in the background; returns the port."""
    class Page(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            show = pages.get(self.path.partition("?")[0])
            body = show().encode() if show else b"404 page not found\n"
            self.send_response(200 if show else 404)
            self.send_header("X-List-Version", "2")
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    host, _, port = address.rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])
