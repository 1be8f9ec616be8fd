"""How long the doctor waits for a server that is slow, busy or away, and which refusals it takes at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from fhir_app.fhir.replies import TryAgain, Unknown

Asked = TypeVar("Asked")

FINAL = ("401", "501")
"""A token does not get better by waiting, nor does a server learn an interaction."""

INDEXING = 10.0
"""Seconds that a server may take until a search finds what it was given."""

MOST_GIVEN_UP = 2
LONGEST_PAUSE = 10.0


class GaveUp(Exception):
    """The server was waited for in vain too often. Its words are those of its last outcome."""


@dataclass
class Patience:
    """`seconds` for one request or delivery; `tell` hears what is waited for.

    One exhausted wait is a finding, since it may be about one request alone; at the second the run ends.
    """

    seconds: float
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    tell: Callable[[str], None]
    given_up: int = field(default=0, init=False)

    def asked(self, ask: Callable[[], Asked], *, final: tuple[str, ...] = FINAL) -> Asked:
        """The outcome of `ask`, which is asked again while the server says "later", and as it wishes.

        `ask` must do no harm when it is done twice. An outcome whose reason begins with one of `final` stands.
        Raises GaveUp.
        """
        started, wait = self.clock(), 0.5
        while True:
            outcome = ask()
            if not isinstance(outcome, TryAgain | Unknown) or outcome.reason.startswith(final):
                return outcome
            pause = max(wait, outcome.after or 0.0)
            if not self.wait(started, pause, outcome.reason):
                return outcome
            wait = min(2 * wait, LONGEST_PAUSE)

    def until(self, look: Callable[[], Asked], is_there: Callable[[Asked], bool]) -> Asked:
        """What `look` sees, as soon as it is what was hoped for, or else at the end of a server's time to index."""
        started, wait = self.clock(), 0.25
        while not is_there(seen := look()) and self.since(started) + wait <= INDEXING:
            self.sleep(wait)
            wait *= 2
        return seen

    def wait(self, started: datetime, pause: float, reason: str) -> bool:
        """Sleeps, unless what was begun at `started` would then have taken too long. Raises GaveUp."""
        if self.since(started) + pause <= self.seconds:
            self.tell(f"the server says {reason}: waiting {pause:.0f} s")
            self.sleep(pause)
            return True
        self.given_up += 1
        if self.given_up >= MOST_GIVEN_UP:
            raise GaveUp(reason)
        return False

    def since(self, started: datetime) -> float:
        return (self.clock() - started).total_seconds()
