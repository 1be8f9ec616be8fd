"""Interleaved rounds: every candidate once in each round, so that a slow phase of the machine hits all alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "15"))


@dataclass(frozen=True)
class Budget:
    """What a ratio to the floor must keep to, and what it is meant to reach."""

    limit: float
    aim: float
    at_most: bool = True

    def verdict(self, ratio: float) -> str:
        def reached(wanted: float) -> bool:
            return ratio <= wanted if self.at_most else ratio >= wanted

        word = "aim reached" if reached(self.aim) else "kept" if reached(self.limit) else "MISSED"
        return f"{word} ({'at most' if self.at_most else 'at least'} {self.limit:g}, aim {self.aim:g})"


def interleaved(
    work: Mapping[str, Callable[[], float]], rounds: int = ROUNDS, *, warm_up: bool = True
) -> dict[str, list[float]]:
    """What each of `work` gives (seconds, or requests a second), once a round; the first round is thrown away."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for number in range(rounds + warm_up):
        for name, measure in work.items():
            value = measure()
            if number or not warm_up:
                found[name].append(value)
    return found


def ratio(measured: Sequence[float], floor: Sequence[float]) -> float:
    """The median of the ratios of the same rounds."""
    return median(each / base for each, base in zip(measured, floor, strict=True))


def cpu_seconds(call: Callable[[], object], times: int) -> Callable[[], float]:
    """A measurement: processor time of one call, over `times` calls."""

    def measure() -> float:
        begin = process_time()
        for _ in range(times):
            call()
        return (process_time() - begin) / times

    return measure
