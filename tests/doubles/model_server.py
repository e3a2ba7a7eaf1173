"""A server that speaks OpenAI's chat completions, and says what the test wants.

    with ModelServer() as model:
        model.say(lambda data: {...})        # from the question's user text to the answer's content
        model.requests                       # bodies, in order
"""
from __future__ import annotations

import http.server
import json
import re
import threading
from typing import Any, Callable, Optional

Json = dict[str, Any]
PORT_OF_ANY = 0


def lines_of(data: str) -> list[tuple[int, str]]:
    """The numbered lines in a question, of a log or a change."""
    return [(int(number), text) for number, text in re.findall(r"^(\d+) \| (.*)$", data, re.MULTILINE)]


def explained(data: str, **more: Any) -> str:
    """An answer as it should be, which cites the question's last line."""
    answer = {"explanation": "The name totl was never declared.", "fix": "Write total.", "owner": "code", "confidence": "high",
              "lines": [lines_of(data)[-1][0]]}
    return json.dumps({**answer, **more})


def is_about_a_change(data: str) -> bool:
    return data.split("\n")[1].startswith("title: ")


def looked(data: str, **more: Any) -> str:
    """An answer about a change as it should be, which names the question's last line."""
    place = {"line": lines_of(data)[-1][0], "why": "totl is never declared.", "guideline": 0}
    return json.dumps({"kind": "bugfix", "risk": "high", "confidence": "high", "look_at": [{**place, **more}]})


def sensible(data: str) -> str:
    return looked(data) if is_about_a_change(data) else explained(data)


class ModelServer:
    def __init__(self) -> None:
        self.requests: list[Json] = []
        self.status = 200
        self.finish = "stop"
        self.tokens = {"prompt_tokens": 1000, "completion_tokens": 100}
        self.hold: Optional[threading.Event] = None     # answers wait for it
        self._say: Callable[[str], str] = sensible
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT_OF_ANY), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def say(self, answer: Callable[[str], str]) -> None:
        self._say = answer

    def questions(self) -> list[str]:
        with self._lock:
            return [request["messages"][1]["content"] for request in self.requests]

    def _answer(self, body: Json) -> Json:
        text = self._say(body["messages"][1]["content"])
        return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": self.finish}], "usage": self.tokens}

    def _handler(self) -> type:
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with double._lock:
                    double.requests.append(body)
                if double.hold:
                    double.hold.wait(30)
                right = self.path == "/v1/chat/completions"
                status = double.status if right else 404
                answer = json.dumps(double._answer(body) if status == 200 else {"error": {"message": "no"}}).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass    # whoever asked is gone

        return Handler
