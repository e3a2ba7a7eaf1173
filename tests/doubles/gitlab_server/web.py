"""Requests, replies and routes: values only, no sockets."""
from __future__ import annotations

import dataclasses
import json
import re
import urllib.parse
from typing import Any, Callable, Mapping, Optional


@dataclasses.dataclass
class Request:
    method: str
    path: str                       # as sent: still percent-encoded, without the query
    query: dict[str, list[str]]
    headers: Mapping[str, str]      # look-up ignores case
    body: bytes
    base_url: str                   # "http://127.0.0.1:41234", how the client reached us

    def first(self, name: str, default: str = "") -> str:
        """The last value wins, as in Rails."""
        return self.query.get(name, [default])[-1]

    def many(self, name: str) -> list[str]:
        """`scope[]=a&scope[]=b`, or `scope=a`."""
        return self.query.get(name + "[]", []) + self.query.get(name, [])

    def form(self) -> dict[str, Any]:
        """The body's fields, whether sent as JSON, as a form or as multipart; the query's fields below them."""
        fields: dict[str, Any] = {name: values[-1] for name, values in self.query.items()}
        kind = self.headers.get("Content-Type") or ""
        if kind.startswith("application/json"):
            fields.update(self.json())
        elif kind.startswith("application/x-www-form-urlencoded"):
            fields.update(urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        elif kind.startswith("multipart/form-data"):
            fields.update({name: value.decode("utf-8", "replace")
                           for name, _, value in multipart(kind, self.body)})
        return fields

    def json(self) -> dict[str, Any]:
        if not self.body:
            return {}
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise Refusal(400, {"error": f"The provided content is not valid JSON: {error}"}) from error
        if not isinstance(value, dict):
            raise Refusal(400, {"error": "expected a JSON object"})
        return value


@dataclasses.dataclass
class Reply:
    status: int
    body: Any = None                # dict, list or str become JSON; bytes stay; None is an empty body
    headers: dict[str, str] = dataclasses.field(default_factory=dict)

    def encode(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        self.headers.setdefault("Content-Type", "application/json")
        return json.dumps(self.body, ensure_ascii=False).encode("utf-8", "surrogatepass")


class Refusal(Exception):
    """An answer that ends the handling of a request at once."""

    def __init__(self, status: int, body: Any, headers: Optional[dict[str, str]] = None) -> None:
        super().__init__(f"{status} {body}")
        self.reply = Reply(status, body, dict(headers or {}))


Handler = Callable[..., Reply]


class Routes:
    """(method, pattern over the encoded path) to a function; named groups arrive decoded as keyword arguments."""

    def __init__(self) -> None:
        self._entries: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, pattern: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._entries.append((method, re.compile(pattern + r"/?\Z"), handler))
            return handler
        return register

    def find(self, method: str, path: str) -> Optional[tuple[Handler, dict[str, str]]]:
        """None when no route has the path; 405 when only the method is wrong."""
        other_method = False
        for known, pattern, handler in self._entries:
            match = pattern.match(path)
            if match and known == method:
                return handler, {name: urllib.parse.unquote(value or "")
                                 for name, value in match.groupdict().items()}
            other_method = other_method or match is not None
        if other_method:
            raise Refusal(405, {"error": "405 Not Allowed"})
        return None


def multipart(content_type: str, body: bytes) -> list[tuple[str, str, bytes]]:
    """(field, file name, content) of each part."""
    match = re.search(r'boundary="?([^";]+)"?', content_type)
    if not match:
        raise Refusal(400, {"error": "multipart body without a boundary"})
    parts = []
    for piece in (b"\r\n" + body).split(b"\r\n--" + match.group(1).encode())[1:]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        if not separator:
            continue
        disposition = head.decode("utf-8", "replace")
        name = re.search(r'[; ]name="([^"]*)"', disposition)
        file_name = re.search(r'filename="([^"]*)"', disposition)
        if name:
            parts.append((name.group(1), file_name.group(1) if file_name else "", content))
    return parts


def page(request: Request, items: list[Any], show: Callable[[Any], Any]) -> Reply:
    """One page of a list: offset pages (page, per_page), or keyset pages by id when asked for."""
    size = min(max(int(request.first("per_page") or 20), 1), 100)
    url = request.base_url + request.path
    others = [(name, value) for name, values in request.query.items() for value in values
              if name not in ("page", "per_page", "cursor")]
    if request.first("pagination") == "keyset":
        ascending = request.first("sort", "desc") == "asc"
        items = sorted(items, key=lambda item: item.id, reverse=not ascending)
        cursor = request.first("cursor")
        if cursor:
            items = [i for i in items if (i.id > int(cursor) if ascending else i.id < int(cursor))]
        shown, links = items[:size], []
        if len(items) > size:
            links = [("next", others + [("per_page", str(size)), ("cursor", str(shown[-1].id))])]
        headers = {}
    else:
        number = max(int(request.first("page") or 1), 1)
        last = max((len(items) + size - 1) // size, 1)
        shown = items[(number - 1) * size:number * size]
        wanted = [("prev", number - 1), ("next", number + 1), ("first", 1), ("last", last)]
        links = [(name, others + [("page", str(n)), ("per_page", str(size))]) for name, n in wanted if 1 <= n <= last]
        headers = {"X-Page": str(number), "X-Per-Page": str(size), "X-Total": str(len(items)),
                   "X-Total-Pages": str(last), "X-Prev-Page": str(number - 1) if number > 1 else "",
                   "X-Next-Page": str(number + 1) if number < last else ""}
    headers["Link"] = ", ".join(f'<{url}?{urllib.parse.urlencode(fields)}>; rel="{name}"' for name, fields in links)
    return Reply(200, [show(item) for item in shown], headers)
