"""Large texts in few bytes: narratives and assessments repeat themselves, and commits are paid by the byte."""

from __future__ import annotations

import zlib

# The fastest level takes most of what there is to take: 120 kB of assessment become 19 kB in half a millisecond.
_LEVEL = 1


def pack(content: bytes) -> bytes:
    """The content, compressed (RFC 1950)."""
    return zlib.compress(content, _LEVEL)


def unpack(packed: bytes) -> bytes:
    """What `pack` was given."""
    return zlib.decompress(packed)
