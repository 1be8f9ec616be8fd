"""What was answered, left blank, or not asked: the type that criteria read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Protocol


class State(Enum):
    """Where one question stands.

    `NOT_ASKED`: its condition is false. `UNDETERMINED`: it was not shown only because a question that decides
    about it was left blank, so nobody may read it as "no" when the record says what was assessed.
    """

    ANSWERED = "answered"
    BLANK = "blank"
    NOT_ASKED = "not-asked"
    UNDETERMINED = "undetermined"

    # Members are what they are: the hash that Python gives them is computed from their name each time.
    __hash__ = object.__hash__


# Names of their own: Python 3.11 takes longer to look a member up in its class than to evaluate most criteria.
ANSWERED, BLANK, NOT_ASKED, UNDETERMINED = State.ANSWERED, State.BLANK, State.NOT_ASKED, State.UNDETERMINED


@dataclass(frozen=True)
class Coding:
    """A FHIR Coding as answered."""

    system: str | None
    code: str | None
    display: str | None = None


@dataclass(frozen=True)
class Quantity:
    """A FHIR Quantity as answered; `value` keeps every digit that was sent."""

    value: Decimal | None
    unit: str | None = None
    system: str | None = None
    code: str | None = None
    comparator: str | None = None


@dataclass(frozen=True)
class Reference:
    """A FHIR Reference as answered."""

    reference: str | None
    type: str | None = None


@dataclass(frozen=True)
class DateText:
    """A FHIR date, dateTime or time as text, at the precision in which it was given."""

    text: str
    kind: str


AnswerValue = bool | int | Decimal | str | Coding | Quantity | Reference | DateText


CodingKey = tuple[str | None, str | None]
"""System and code."""


class AnswerSource(Protocol):
    """What a criterion needs to know; `Answers` for a whole response, a narrower view inside repeated groups."""

    def state(self, link_id: str) -> State: ...

    def values(self, link_id: str) -> tuple[AnswerValue, ...]: ...

    def codes(self, link_id: str) -> frozenset[str]: ...

    def codings(self, link_id: str) -> Collection[CodingKey]: ...

    @property
    def unread(self) -> Collection[str]: ...


_NO_CODES: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answers:
    """The answers of one response, by linkId.

    `answered` holds every question with at least one answer; `states` every question of the Questionnaire that is
    not answered and not simply `NOT_ASKED` (unknown linkIds read as not asked). `unread` holds every question with an
    answer of which something could not be read, such as a code that is none of its options. What could be read of it
    stands in `answered` and counts as ticked; what is not ticked there is unknown, as in a question that is blank,
    since the part that could not be read may have said it.
    """

    answered: Mapping[str, tuple[AnswerValue, ...]]
    states: Mapping[str, State] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    _codes: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes = {
            link_id: frozenset(v.code for v in values if isinstance(v, Coding) and v.code is not None)
            for link_id, values in self.answered.items()
        }
        object.__setattr__(self, "_codes", codes)
        if self.unread:
            blank = dict.fromkeys(self.unread.difference(self.answered), BLANK)
            object.__setattr__(self, "states", {**self.states, **blank})

    def state(self, link_id: str) -> State:
        if link_id in self.answered:
            return ANSWERED
        return self.states.get(link_id, NOT_ASKED)

    def values(self, link_id: str) -> tuple[AnswerValue, ...]:
        return self.answered.get(link_id, ())

    def codes(self, link_id: str) -> frozenset[str]:
        return self._codes.get(link_id, _NO_CODES)

    def codings(self, link_id: str) -> tuple[CodingKey, ...]:
        return tuple((v.system, v.code) for v in self.values(link_id) if isinstance(v, Coding))

    def with_unread_left_blank(self) -> Answers:
        """The same answers as if every question of which something could not be read had been left blank."""
        answered = {link_id: values for link_id, values in self.answered.items() if link_id not in self.unread}
        return Answers(answered, {**self.states, **dict.fromkeys(self.unread, BLANK)})
