"""Yes, no or unknown."""

from __future__ import annotations

from enum import IntEnum


class Truth(IntEnum):
    """Kleene's three values; AND is the least, OR the greatest, NOT mirrors."""

    NO = 0
    UNKNOWN = 1
    YES = 2


# Names of their own: Python 3.11 takes longer to look a member up in its class than to evaluate most criteria.
NO, UNKNOWN, YES = Truth.NO, Truth.UNKNOWN, Truth.YES
