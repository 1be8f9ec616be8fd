"""A share of a count, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054  # the 97.5th percentile of the normal distribution


@dataclass(frozen=True)
class Proportion:
    """`hits` out of `total`; no share and no interval where the total is 0."""

    hits: int
    total: int

    @staticmethod
    def of(held: Iterable[bool]) -> Proportion:
        """How many are true, out of how many there are."""
        every = [bool(one) for one in held]
        return Proportion(sum(every), len(every))

    @property
    def share(self) -> float | None:
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval (J Am Stat Assoc 1927;22:209), honest for small counts and for 0 % and 100 %."""
        if not self.total:
            return None
        n, p = self.total, self.hits / self.total
        centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
        return max(0.0, centre - half), min(1.0, centre + half)
