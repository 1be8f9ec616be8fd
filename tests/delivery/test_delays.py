"""How long a worker waits before the next try."""

from __future__ import annotations

from random import Random

import pytest

from fhir_app.delivery.delays import LONGEST, delay


@pytest.mark.parametrize(
    ("attempts", "low", "high"), [(1, 0.5, 1.5), (2, 1.0, 3.0), (5, 8.0, 24.0), (300, 450.0, 1350.0)]
)
def test_each_try_doubles_the_wait_up_to_the_longest_spread_by_half(attempts: int, low: float, high: float) -> None:
    waits = [delay(attempts, Random(seed)).total_seconds() for seed in range(200)]

    assert low <= min(waits) < max(waits) <= high
    assert max(waits) - min(waits) > (high - low) / 2


def test_a_server_that_asks_for_longer_gets_longer() -> None:
    assert 3600.0 <= delay(1, Random(1), 3600.0).total_seconds() <= 3601.0


def test_a_server_that_asks_for_less_does_not_shorten_the_wait() -> None:
    assert delay(10, Random(1), 1.0) == delay(10, Random(1))


def test_nobody_is_waited_for_longer_than_a_day() -> None:
    assert delay(1, Random(1), 1e9).total_seconds() <= 86_401.0


def test_no_wait_overflows_however_many_tries() -> None:
    assert delay(10**9, Random(1)).total_seconds() <= LONGEST * 1.5
