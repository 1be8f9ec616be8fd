"""One try to write one result to its destination: look first where that is due, then send once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_app.delivery.look_up import LookedUp, is_complete, look_up
from fhir_app.delivery.one_by_one import OneByOne
from fhir_app.fhir import codes
from fhir_app.fhir.bundle import transaction_bundle
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.entries import Resource
from fhir_app.fhir.model import parse_with_library
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.replies import Delivered, Outcome, Rejected, TryAgain, Unknown, unless_misdirected
from fhir_app.store.database import Database

WRITTEN_BEFORE = "found complete at the destination"
NOTHING_TO_WRITE = "the destination holds nothing of this result that could be withdrawn"


@dataclass(frozen=True)
class Done:
    """The destination has it. `written`: where, as `Type/id/_history/version`."""

    written: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class Attempt:
    """`look_up_first`: an earlier try may have succeeded. `may_send`: false after the last try that is allowed."""

    client: FhirClient
    destination: Destination
    namespace: Namespace
    database: Database
    submission_id: str
    look_up_first: bool
    may_send: bool
    clock: Callable[[], datetime]
    keep_lease: Callable[[], bool]

    def make(self, resources: Sequence[Resource]) -> Done | TryAgain | Rejected | Unknown:
        """Raises OutboundResourceError for resources that break FHIR: nothing of them is sent."""
        if self.look_up_first:
            complete = is_complete(self.client, resources, self.destination.shape, self.namespace)
            if not isinstance(complete, bool):
                return _still_unknown(unless_misdirected(complete))
            if complete:
                return Done(reason=WRITTEN_BEFORE)
        if not self.may_send:
            return Rejected("given up after too many tries")
        if self.destination.shape.transactions:
            return self._as_transaction(resources)
        return self._one_by_one(resources)

    def _as_transaction(self, resources: Sequence[Resource]) -> Done | TryAgain | Rejected | Unknown:
        looked_up = LookedUp({})
        if self.look_up_first or is_correction(resources):
            found = look_up(self.client, resources, self.namespace)
            if not isinstance(found, LookedUp):
                return found
            looked_up = found
        bundle = transaction_bundle(resources, self.destination.shape, namespace=self.namespace, known=looked_up.known)
        if bundle is None:
            return Done(reason=NOTHING_TO_WRITE)
        parse_with_library(bundle)
        if not self.keep_lease():
            return TryAgain("another worker has taken over")
        return _done(_whole(self.client.transaction(bundle)))

    def _one_by_one(self, resources: Sequence[Resource]) -> Done | TryAgain | Rejected | Unknown:
        for resource in resources:
            parse_with_library(resource)
        writing = OneByOne(
            self.database,
            self.client,
            self.destination,
            self.namespace,
            self.submission_id,
            self.clock,
            self.keep_lease,
        )
        outcome = writing.deliver(resources)
        return Done(reason=NOTHING_TO_WRITE) if outcome is None else _done(outcome)


def is_correction(resources: Sequence[Resource]) -> bool:
    """Whether this revision follows another one, by what its Provenance says of itself."""
    for resource in resources:
        if resource["resourceType"] == "Provenance":
            codings: Sequence[Any] = (resource.get("activity") or {}).get("coding") or ()
            return not any(coding.get("code") == codes.CREATE["code"] for coding in codings)
    return True


def _still_unknown(looked: TryAgain | Rejected) -> Unknown:
    reason = f"could not be looked up: {looked.reason}"
    return Unknown(reason, looked.after, looked.astray) if isinstance(looked, TryAgain) else Unknown(reason)


def _done(outcome: Outcome) -> Done | TryAgain | Rejected | Unknown:
    if not isinstance(outcome, Delivered):
        return outcome
    replies = _entry_replies(outcome)
    # Some servers leave out a reply for an entry that they merged with another one.
    return Done(tuple(str(reply["location"]) for reply in replies if reply.get("location")))


def _whole(outcome: Outcome) -> Outcome:
    """A transaction is done as a whole (https://hl7.org/fhir/R4/http.html#trules) when its reply says so of what was
    sent. Whatever else a success may hold, nothing at all included, is to be looked for before it is believed: a
    proxy says 200 too."""
    if not isinstance(outcome, Delivered):
        return outcome
    body = outcome.resource or {}
    if (body.get("resourceType"), body.get("type")) != ("Bundle", "transaction-response"):
        return Unknown(f"{outcome.status}, and a body that is not the reply to a transaction", astray=True)
    statuses = [str(reply["status"]) for reply in _entry_replies(outcome) if reply.get("status")]
    if not statuses:
        return Unknown(f"{outcome.status}, and a reply that tells of nothing that was written")
    if not all(status.startswith("2") for status in statuses):
        return Unknown(f"{outcome.status}, and a part of the transaction was refused")
    return outcome


def _entry_replies(outcome: Delivered) -> list[Mapping[str, Any]]:
    return [entry.get("response", {}) for entry in (outcome.resource or {}).get("entry", ())]
