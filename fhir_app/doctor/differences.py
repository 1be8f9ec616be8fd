"""What of a resource as it was sent is missing or other in it as a server holds it, by path and never by value."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

THE_SERVERS_OWN = {"id", "meta"}
_NUMBER = (int, float, Decimal)


def differences(sent: Mapping[str, Any], held: Mapping[str, Any], base_url: str) -> Iterator[str]:
    """Paths of what is not held as it was sent. What a server adds is its own affair.

    References may be absolute or carry a version; times may be written in another zone; the narrative may be laid out
    anew. Lists may be in another order.
    """
    for name, value in sent.items():
        if name not in THE_SERVERS_OWN:
            yield from _at(name, name, value, held.get(name), base_url)


def _at(path: str, name: str, sent: Any, held: Any, base_url: str) -> Iterator[str]:
    if isinstance(sent, Mapping) and isinstance(held, Mapping):
        for inner, value in sent.items():
            yield from _at(f"{path}.{inner}", inner, value, held.get(inner), base_url)
    elif isinstance(sent, Sequence) and not isinstance(sent, str) and isinstance(held, list):
        yield from _in_list(path, name, sent, held, base_url)
    elif not _is_same(name, sent, held, base_url):
        yield path


def _in_list(path: str, name: str, sent: Sequence[Any], held: list[Any], base_url: str) -> Iterator[str]:
    """Each item sent has an item held of its own; of those without, the one in its place is compared in detail."""
    free = list(enumerate(held))
    for place, value in enumerate(sent):
        nearest_first = sorted(free, key=lambda each: abs(each[0] - place))
        found = next((each for each in nearest_first if not any(_at(path, name, value, each[1], base_url))), None)
        if found is not None:
            free.remove(found)
        elif place < len(held):
            yield from _at(f"{path}[{place}]", name, value, held[place], base_url)
        else:
            yield f"{path}[{place}]"


def _is_same(name: str, sent: Any, held: Any, base_url: str) -> bool:
    if isinstance(sent, bool) or isinstance(held, bool):
        return sent is held
    if isinstance(sent, _NUMBER) and isinstance(held, _NUMBER):
        return Decimal(str(sent)) == Decimal(str(held))
    if not (isinstance(sent, str) and isinstance(held, str)):
        return bool(sent == held)
    if sent == held:
        return True
    if name == "reference":
        return sent == re.sub(r"/_history/[^/]+$", "", held).removeprefix(f"{base_url}/")
    if name == "div":
        return _words(sent) == _words(held)
    return _instant(sent) is not None and _instant(sent) == _instant(held)


def _words(xhtml: str) -> list[str]:
    return html.unescape(re.sub(r"<[^>]*>", " ", xhtml)).split()


def _instant(text: str) -> datetime | None:
    if "T" not in text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
