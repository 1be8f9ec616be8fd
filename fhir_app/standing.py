"""Where a revision stands among the others of its response: newest, stale, and what it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_app.store.submissions import Revision

WITHDRAWN = "entered-in-error"


@dataclass(frozen=True)
class Standing:
    """`newest`: no later revision is known. `stale`: a later one already led to something, or withdrew the response,
    so that nothing may be made of this one any more. `follows`: the last revision that led to something.
    `arrival` counts from 0 in the order in which revisions came in."""

    newest: bool
    stale: bool
    follows: Revision | None
    arrival: int

    @property
    def first(self) -> bool:
        """Nothing came before that matters to what is made of it."""
        return self.follows is None and not self.stale


def standing(order: tuple[int, str], status: str | None, known: Sequence[Revision]) -> Standing:
    """The standing of a revision that just came in.

    Between equal orders the one that arrives later is the newer, with one exception: what was withdrawn stays
    withdrawn until a revision is provably newer, because a retraction may overtake what it retracts.
    """
    later = [revision for revision in known if _is_later(revision, order, status)]
    written = [revision for revision in known if revision.wrote and revision not in later]
    return Standing(
        newest=not later,
        stale=any(revision.wrote or revision.status == WITHDRAWN for revision in later),
        follows=max(written, key=lambda revision: (revision.order, revision.arrival), default=None),
        arrival=max((revision.arrival + 1 for revision in known), default=0),
    )


def _is_later(revision: Revision, order: tuple[int, str], status: str | None) -> bool:
    if revision.order == order:
        return revision.status == WITHDRAWN and status != WITHDRAWN
    return revision.order > order
