"""How long to wait before the next try."""

from __future__ import annotations

from datetime import timedelta
from random import Random

FIRST = 1.0
LONGEST = 900.0


def delay(attempts: int, rng: Random, wish: float | None = None) -> timedelta:
    """Twice as long after each try, up to a quarter of an hour, spread by a half either way so that workers that
    failed together do not come back together. What the server asked for (`wish`, seconds) is kept, up to a day."""
    grown = min(LONGEST, FIRST * 2.0 ** min(attempts - 1, 20))
    seconds = grown * rng.uniform(0.5, 1.5)
    if wish is not None:
        seconds = max(seconds, min(wish, 86_400.0) + rng.uniform(0.0, 1.0))
    return timedelta(seconds=seconds)
