"""Static bearer tokens, of which this service only ever holds the SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """One accepted token. `origin`: the FHIR server whose references come with it, None for the configured one."""

    name: str
    digest: str = field(repr=False)
    origin: str | None = None


def read_token(text: str) -> Token:
    """`name:sha256[:origin]` -> Token. Raises ValueError, whose text never repeats what was given."""
    name, _, rest = text.strip().partition(":")
    digest, _, origin = rest.partition(":")
    if not _NAME.fullmatch(name):
        raise ValueError("a token's name is 1 to 64 letters, digits, dots, dashes or underscores")
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a token is given as name:sha256[:origin], its SHA-256 in 64 lower-case hex digits")
    if origin and not is_base_url(origin):
        raise ValueError("the origin of a token must be the base URL of a FHIR server")
    return Token(name, digest, origin.rstrip("/") or None)


def read_tokens(text: str) -> tuple[Token, ...]:
    """Tokens separated by commas or white space. Raises ValueError, which tells the place in the list only."""
    tokens: list[Token] = []
    for place, part in enumerate((part for part in re.split(r"[\s,]+", text) if part), start=1):
        try:
            tokens.append(read_token(part))
        except ValueError as error:
            raise ValueError(f"entry {place}: {error}") from None
    if len({token.name for token in tokens}) != len(tokens):
        raise ValueError("two tokens have the same name")
    if len({token.digest for token in tokens}) != len(tokens):
        raise ValueError("two tokens have the same secret, so nobody could tell which of them a caller presents")
    return tuple(tokens)


def is_base_url(text: str) -> bool:
    """Whether `text` can be the base URL of a server: http or https, a host, no query, fragment or password."""
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and port_is_fine
        and "@" not in parts.netloc
        and not re.search(r"[?#\s]", text)
    )


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token(name: str, origin: str | None = None) -> tuple[str, str]:
    """A fresh secret of 256 bits, and the line for the settings that accepts it. Raises ValueError for a bad name."""
    secret = "fa_" + secrets.token_urlsafe(32)
    line = ":".join(part for part in (name, digest_of(secret), origin) if part)
    read_token(line)
    return secret, line


def find_token(authorization: str, tokens: Iterable[Token]) -> Token | None:
    """The token that an Authorization header presents (RFC 6750 section 2.1), if we accept it.

    Every token is compared in constant time and none is skipped, so the time tells nothing about which came close.
    """
    presented = _BEARER.fullmatch(authorization.strip())
    digest = digest_of(presented.group(1)) if presented else ""
    found: Token | None = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    return found
