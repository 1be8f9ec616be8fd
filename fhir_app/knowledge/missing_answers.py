"""What a question without a usable answer means: it depends on who asks, and on the intake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Missing(Enum):
    """How a criterion reads a question that has no usable answer.

    `RULE` (whether a red flag fires): a blank core question is no, because the rule "this list was not answered"
    speaks for it; a blank or "not sure" follow-up is unknown.
    `STRICT` (whether a flag may be called absent, and whether evidence counts): every gap is unknown.
    `SHOWN` (whether a question is shown, and required features): every gap is no, so its NOT is true.
    """

    RULE = "rule"
    STRICT = "strict"
    SHOWN = "shown"


@dataclass(frozen=True)
class Reading:
    """How the questions of one intake are read when an answer is missing.

    `core`: questions whose own rule reports a blank. `not_sure`: option codes that mean "not sure".
    `declines`: question -> {option that declines: the options which it leaves unknown}.
    """

    core: frozenset[str] = frozenset()
    not_sure: frozenset[str] = frozenset({"not-sure"})
    declines: Mapping[str, Mapping[str, frozenset[str]]] | None = None
