"""How many bytes a base64 text holds (https://hl7.org/fhir/R4/datatypes.html#base64Binary)."""

from __future__ import annotations

import re
from typing import Any

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_SPACE = re.compile(r"[ \t\r\n]+")


def decoded_size(text: Any) -> int | None:
    """The number of bytes, or None when `text` is not base64."""
    if not isinstance(text, str):
        return None
    packed = _SPACE.sub("", text)
    if _BASE64.fullmatch(packed) is None:
        return None
    return len(packed) // 4 * 3 - packed[-2:].count("=")
