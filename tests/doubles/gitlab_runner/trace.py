"""From bytes that a job writes to bytes in the trace file.

Each stream (the runner's own words, the script's stdout, its stderr) passes UTF-8 repair, masking and, where switched
on, timestamps; then all meet in the file, which fills in blocks of 4 KiB and is flushed when something is about to be
sent. The file's content is what the coordinator gets.
"""
from __future__ import annotations

import codecs
import datetime
import os
import random
import re
import threading
import zlib
from typing import Callable, Optional

BLOCK_BYTES = 4096
MASKED = "[MASKED]"
PARTIAL_LINE_BYTES = 8 * 1024       # a line without an end is written out in pieces of this size


def _one_mark_a_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("mark-each-byte", _one_mark_a_byte)


class TraceFile:
    """$TMPDIR/trace<digits>, 0600, gone when closed."""

    def __init__(self, folder: str, limit_bytes: int) -> None:
        self._lock = threading.Lock()
        self._limit = limit_bytes
        self._over = False
        self._block = bytearray()
        self._flushed = 0
        self._checksum = 0
        while True:
            self.path = os.path.join(folder, f"trace{random.randrange(1 << 32)}")
            try:
                self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                break
            except FileExistsError:
                continue

    def write(self, data: bytes) -> None:
        with self._lock:
            if self._over or not data:
                return
            room = self._limit - self._flushed - len(self._block)
            if len(data) > room:
                self._over = True
                data = data[:room] + (
                    f"\n\x1b[33;1mJob's log exceeded limit of {self._limit} bytes.\n"
                    "Job execution will continue but no more output will be collected.\x1b[0;m\n").encode()
            self._block += data
            self._flush(len(self._block) // BLOCK_BYTES * BLOCK_BYTES)

    def _flush(self, count: int) -> None:
        out = memoryview(bytes(self._block[:count]))
        del self._block[:count]
        self._checksum = zlib.crc32(out, self._checksum)
        self._flushed += count
        while out:
            out = out[os.write(self._fd, out):]

    def read(self, offset: int, count: int) -> bytes:
        """Flushes, as reading for an upload is the only reason to."""
        with self._lock:
            self._flush(len(self._block))
            return os.pread(self._fd, count, offset)

    def state(self) -> tuple[int, str]:
        """(size, checksum) of what is flushed."""
        with self._lock:
            return self._flushed, f"crc32:{self._checksum:08x}"

    def complete(self) -> None:
        with self._lock:
            self._flush(len(self._block))

    def close(self) -> None:
        os.close(self._fd)
        os.unlink(self.path)


class Masker:
    """Replaces phrases in a stream, wherever its writes are cut."""

    def __init__(self, phrases: list[str], out: Callable[[str], None]) -> None:
        self._phrases = sorted({p for p in phrases if p}, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._phrases))) if self._phrases else None
        self._held = ""
        self._out = out

    def write(self, text: str) -> None:
        if self._pattern is None:
            self._out(text)
            return
        text = self._held + text
        keep = len(text) - self._unfinished(text)
        done, position = [], 0
        for match in self._pattern.finditer(text):
            if match.start() >= keep:
                break
            done += [text[position:match.start()], MASKED]
            position = match.end()
        keep = max(keep, position)
        self._out("".join(done) + text[position:keep])
        self._held = text[keep:]

    def _unfinished(self, text: str) -> int:
        """Length of the longest end of `text` that may still become a phrase."""
        for length in range(min(len(text), len(self._phrases[0]) - 1), 0, -1):
            end = text[-length:]
            if any(len(phrase) > length and phrase.startswith(end) for phrase in self._phrases):
                return length
        return 0

    def close(self) -> None:
        held, self._held = self._held, ""
        self._out(self._pattern.sub(MASKED, held) if self._pattern else held)


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


class Timestamper:
    """Puts `<time> <stream><O|E><flag>` before every line; the flag `+` marks what continues the line before.

    A write that ends in neither newline nor carriage return waits for the rest of its line; the last carriage return
    of such a write ends a piece, which is how section marks and progress bars become lines of their own.
    """

    def __init__(self, stream: int, kind: str, out: Callable[[bytes], None],
                 now: Callable[[], datetime.datetime] = utc_now) -> None:
        self._stream = f"{stream:02x}{kind}".encode()
        self._out, self._now = out, now
        self._waiting = bytearray()
        self._continues = False

    def write(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._end(line + b"\n")
        cut = rest.rfind(b"\r") + 1
        if cut:
            self._end(rest[:cut] + b"\n")
            self._continues, rest = True, rest[cut:]
        if rest and len(rest) + len(self._waiting) > PARTIAL_LINE_BYTES:
            self._end(rest + b"\n")
            self._continues = True
        elif rest:
            self._waiting += rest if self._waiting else self._header() + rest

    def _end(self, piece: bytes) -> None:
        self._out((bytes(self._waiting) or self._header()) + piece)
        self._waiting.clear()

    def _header(self) -> bytes:
        at = self._now()
        flag, self._continues = b"+" if self._continues else b" ", False
        return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ ").encode() + self._stream + flag

    def close(self) -> None:
        if self._waiting:
            self._end(b"\n")


class Stream:
    """One writer into the trace. Several threads may share one: a write is never cut by another."""

    def __init__(self, file: TraceFile, phrases: list[str], stamp: Optional[tuple[int, str]]) -> None:
        self._lock = threading.Lock()
        self._decoder = codecs.getincrementaldecoder("utf-8")("mark-each-byte")
        self._stamper = Timestamper(*stamp, file.write) if stamp else None
        sink = self._stamper.write if self._stamper else file.write
        self._masker = Masker(phrases, lambda text: sink(text.encode()) if text else None)

    def write(self, data: bytes) -> None:
        with self._lock:
            self._masker.write(self._decoder.decode(data))

    def close(self) -> None:
        with self._lock:
            self._masker.write(self._decoder.decode(b"", final=True))
            self._masker.close()
            if self._stamper:
                self._stamper.close()


class Trace:
    """The three streams of one job over its file. Without timestamps they are one."""

    def __init__(self, file: TraceFile, phrases: list[str], timestamped: bool) -> None:
        self.file, self.timestamped = file, timestamped
        self.runner = Stream(file, phrases, (0, "O") if timestamped else None)
        self.stdout = Stream(file, phrases, (1, "O")) if timestamped else self.runner
        self.stderr = Stream(file, phrases, (1, "E")) if timestamped else self.runner

    def end_stage(self) -> None:
        """What a script left without a newline does not wait for the next stage."""
        if self.timestamped:
            self.stdout.close()
            self.stderr.close()

    def finish(self) -> None:
        self.end_stage()
        self.runner.close()
        self.file.complete()
