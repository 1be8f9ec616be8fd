"""Shares with Wilson's interval."""

from __future__ import annotations

import pytest

from fhir_app.evaluation.proportion import Proportion


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [  # as other implementations print them
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 2, 0.0945, 0.9055),
        (37, 42, 0.7500, 0.9481),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_is_wilsons(hits: int, total: int, low: float, high: float) -> None:
    assert Proportion(hits, total).interval == pytest.approx((low, high), abs=0.0001)


def test_nothing_counted_has_no_share_and_no_interval() -> None:
    assert (Proportion(0, 0).share, Proportion(0, 0).interval) == (None, None)
    assert Proportion.of([True, False, True]) == Proportion(2, 3)
