"""A request as its bytes arrive: whether they are all of it. A server that knows need not wait inside a thread."""

from __future__ import annotations

import re

HEAD_BYTES = 65_536
"""More than this before the empty line is nobody's honest request; gunicorn bounds its lines and fields besides."""

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"([0-9a-f]{1,15})[ \t]*(?:;[^\r\n]*)?", re.IGNORECASE)
_CHUNK_LINE_BYTES = 8190


class ArrivingRequest:
    """The bytes of one request so far. `most` is the largest body that anybody will want to read.

    It decides only when a thread takes over, never what the request says: gunicorn parses the same bytes itself. So
    what cannot be understood here, and what is too large, counts as whole: it is refused by whoever reads it.
    """

    def __init__(self, most: int, received: bytes = b"") -> None:
        self.received = bytearray()
        self._most = most
        self._head_end = -1
        self._length: int | None = None  # of the body, None when it comes in chunks
        self._chunk_at = 0
        self._in_chunks = 0
        self.add(received)

    def add(self, data: bytes) -> None:
        """More of it."""
        searched = max(0, len(self.received) - len(_END) + 1)
        self.received += data
        if self._head_end < 0:
            end = self.received.find(_END, searched)
            if end >= 0:
                self._read_head(end + len(_END))

    @property
    def has_head(self) -> bool:
        """Whether the header is there up to its empty line."""
        return self._head_end >= 0

    @property
    def has_too_long_a_head(self) -> bool:
        return not self.has_head and len(self.received) > HEAD_BYTES

    @property
    def awaits_go_ahead(self) -> bool:
        """Whether the client keeps its body back until somebody says `100 Continue`."""
        return self.has_head and _CONTINUE.search(self.received, 0, self._head_end) is not None

    def is_whole(self) -> bool:
        """Whether nothing more is needed to answer it."""
        if not self.has_head:
            return False
        if self._length is None:
            return self._chunks_are_whole()
        return self._length > self._most or len(self.received) >= self._head_end + self._length

    def _read_head(self, end: int) -> None:
        self._head_end = self._chunk_at = end
        if _CHUNKED.search(self.received, 0, end):
            return
        length = _LENGTH.search(self.received, 0, end)
        self._length = int(length.group(1)) if length else 0

    def _chunks_are_whole(self) -> bool:
        """https://www.rfc-editor.org/rfc/rfc9112#section-7.1, each chunk looked at once."""
        while self._in_chunks <= self._most:
            line_end = self.received.find(b"\r\n", self._chunk_at, self._chunk_at + _CHUNK_LINE_BYTES)
            if line_end < 0:
                return len(self.received) - self._chunk_at >= _CHUNK_LINE_BYTES or self._has_too_much()
            line = _CHUNK_SIZE.fullmatch(self.received, self._chunk_at, line_end)
            if line is None:
                return True
            size = int(line.group(1), 16)
            if size == 0:  # then trailers, or at once the empty line
                return self.received.find(_END, line_end) >= 0 or self._has_too_much(line_end)
            after = line_end + 2 + size + 2
            if after > len(self.received):
                here = min(size, len(self.received) - line_end - 2)
                return self._in_chunks + here > self._most or self._has_too_much()
            self._in_chunks += size
            self._chunk_at = after
        return True

    def _has_too_much(self, since: int | None = None) -> bool:
        """Of what is not body: a trailer as long as no header may be, or chunks that are mostly their own frames."""
        if since is not None and len(self.received) - since > HEAD_BYTES:
            return True
        return len(self.received) - self._head_end > 2 * self._most + HEAD_BYTES
