"""Removes what a run made, and nothing else: every resource is seen to carry the run's tag before it is deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from fhir_app.doctor.clients import RunClient
from fhir_app.doctor.patience import GaveUp, Patience
from fhir_app.doctor.run import MADE, Run
from fhir_app.fhir.entries import Resource, references
from fhir_app.fhir.replies import Delivered, Found, Rejected

PASSES = 3
"""Servers refuse to delete what something else still refers to; then the other goes first."""

_NEVER = "00000000-0000-0000-0000-000000000000"

Reference = tuple[str, str]


@dataclass(frozen=True)
class Removed:
    """`left`: what is still there, each with the reason. `unseen`: why what the server never confirmed could not be
    looked for."""

    gone: int
    left: Mapping[Reference, str]
    unseen: str | None


def heeds_tags(run: Run, client: RunClient, patience: Patience, patient: str) -> bool:
    """Whether a search by `_tag` finds the patient of the run by its tag and does not by another one."""

    def finds(code: str) -> bool | None:
        token = run.tag_token.replace(run.id, code)
        outcome = patience.asked(lambda: client.search("Patient", {"_id": patient, "_tag": token}))
        return bool(outcome.resources) if isinstance(outcome, Found) else None

    return patience.until(lambda: finds(run.id), bool) is True and finds(_NEVER) is False


def found_by_tag(run: Run, client: RunClient, patience: Patience) -> dict[Reference, Resource] | str:
    """Everything on the server that carries the run's tag; or why it could not be looked for."""
    found: dict[Reference, Resource] = {}
    for kind in MADE:
        outcome = patience.asked(partial(client.search, kind, {"_tag": run.tag_token}))
        if not isinstance(outcome, Found):
            return f"{kind}: {outcome.reason}"
        found |= {(kind, str(each["id"])): each for each in outcome.resources if run.owns(each)}
    return found


def remove(run: Run, client: RunClient, patience: Patience) -> Removed:
    """Deletes in the order in which nothing refers to what is gone, and looks again afterwards.

    What is sought is what the server said it had created, and what a search by tag finds besides, because the reply
    to its creation may have been lost. Nothing is raised: what could not be removed is told.
    """
    candidates: dict[Reference, Resource] = {}
    left: dict[Reference, str] = {}
    unseen: str | None = None
    gone = 0
    try:
        found = found_by_tag(run, client, patience)
        unseen = found if isinstance(found, str) else None
        candidates |= {} if isinstance(found, str) else found
        for reference in client.made - candidates.keys():
            outcome = patience.asked(partial(client.read, *reference))
            if isinstance(outcome, Delivered) and outcome.resource is not None:
                if run.owns(outcome.resource):
                    candidates[reference] = outcome.resource
            elif not (isinstance(outcome, Rejected) and outcome.status in {404, 410}):
                left[reference] = getattr(outcome, "reason", "an empty reply")
        left |= dict.fromkeys(candidates, "not tried")
        gone = _delete(candidates, left, client, patience)
        if unseen is None:
            again = found_by_tag(run, client, patience)
            left |= {} if isinstance(again, str) else {each: left.get(each, "found again") for each in again}
    except GaveUp as end:
        left = dict.fromkeys(left.keys() | client.made - candidates.keys(), f"{end}")
    return Removed(gone, left, unseen)


def _delete(
    candidates: Mapping[Reference, Resource], left: dict[Reference, str], client: RunClient, patience: Patience
) -> int:
    """Takes out of `left` what is gone, and puts in why the rest is not. Raises GaveUp."""
    waiting = in_order(candidates)
    gone = 0
    for _ in range(PASSES):
        for number, reference in enumerate(waiting, start=1):
            patience.tell(f"removing {number} of {len(waiting)}: {'/'.join(reference)}")
            # A conflict means that something refers to it: no use in asking for the same again at once.
            outcome = patience.asked(partial(client.delete, *reference), final=("401", "409", "412", "501"))
            if isinstance(outcome, Delivered):
                gone += 1
                del left[reference]
            else:
                left[reference] = outcome.reason
        waiting = [each for each in waiting if each in left and left[each].startswith(("409", "412"))]
    return gone


def in_order(resources: Mapping[Reference, Resource]) -> list[Reference]:
    """Each before everything that it refers to, and otherwise by type."""
    names = {"/".join(reference): reference for reference in resources}
    order: list[Reference] = []

    def follow(reference: Reference, path: Sequence[Reference]) -> None:
        if reference in order or reference in path:
            return
        for target in references(resources[reference]):
            if target in names:
                follow(names[target], (*path, reference))
        order.append(reference)

    for reference in sorted(resources, key=lambda each: (-MADE.index(each[0]), each[1])):
        follow(reference, ())
    return order[::-1]
