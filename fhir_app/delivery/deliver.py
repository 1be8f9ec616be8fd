"""One queued result: claimed, tried once, and settled as delivered, rejected or held, or left for a later try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

from fhir_app.delivery.attempt import Attempt, Done
from fhir_app.delivery.delays import delay
from fhir_app.delivery.leaflet_pdf import Render, with_pdf
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.entries import Resource
from fhir_app.fhir.model import OutboundResourceError
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.replies import Delivered, Rejected, TryAgain, Unknown, unless_misdirected
from fhir_app.scrubbed_log import log
from fhir_app.store import outbox, write_backs
from fhir_app.store.database import Database
from fhir_app.store.outbox import Claimed, State

NOT_CONFIGURED = "no destination of this address is configured"
NOTHING_RECORDED = "nothing was recorded for this submission"


@dataclass(frozen=True)
class Settled:
    """What became of one row in one try. `lost`: the lease had run out, so the row is another worker's to settle."""

    row_id: int
    submission_id: str
    state: State
    reason: str | None = None
    lost: bool = False


@dataclass
class Delivery:
    """A worker of one thread: `owner` names it in its leases, and its clients keep their connections.

    `destinations` are the configured ones by base URL, which is what the outbox calls them. `render` makes the PDF of
    a leaflet; without it the other forms are sent alone. A lease outlasts the time-outs of one try together.
    """

    database: Database
    destinations: Mapping[str, Destination]
    open_client: Callable[[Destination], FhirClient]
    namespace: Namespace
    owner: str
    clock: Callable[[], datetime]
    rng: Random
    render: Render | None = None
    lease_seconds: float = 300.0
    most_attempts: int = 300
    _clients: dict[str, FhirClient] = field(default_factory=dict, init=False, repr=False)

    def deliver_one(self) -> Settled | None:
        """One try for the row that has been due for longest; None when nothing is due.

        Raises nothing that a destination can cause. A fault of this program or of the database is raised and should
        end the process: the lease runs out, and the next worker looks first what had been written.
        """
        with self.database.begin() as connection:
            claimed = outbox.claim(connection, self.owner, self.clock(), self.lease_seconds)
        if claimed is None:
            return None
        destination = self.destinations.get(claimed.destination)
        if destination is None:
            return self._settle(claimed, "held", NOT_CONFIGURED)
        client = self.client(destination)
        if isinstance(client, FhirClient):
            outcome = self._try(claimed, destination, client)
            if isinstance(outcome, TryAgain | Unknown) and outcome.astray:
                # Before the next try it is asked again whether an R4 server is there.
                self._clients.pop(destination.base_url, None)
            return self._conclude(claimed, outcome)
        if claimed.look_up_first:
            # Whether an earlier try succeeded is as open as it was.
            return self._later(claimed, "unknown", client.reason, getattr(client, "after", None))
        if isinstance(client, Rejected):
            # A wrong address, version or permission is no fault of this result: a person puts it right.
            return self._settle(claimed, "held", f"not a usable FHIR R4 server: {client.reason}")
        return self._conclude(claimed, client)

    def resources(self, submission_id: str, destination: Destination) -> tuple[Resource, ...]:
        """What one submission has to write there, its PDF included; empty for a submission without a result."""
        with self.database.read() as connection:
            written = write_backs.get(connection, submission_id)
        resources = () if written is None else written.resources
        if self.render is None:
            return resources
        return with_pdf(
            resources,
            submission_id=submission_id,
            shape=destination.shape,
            render=self.render,
            database=self.database,
            now=self.clock(),
        )

    def client(self, destination: Destination) -> FhirClient | TryAgain | Rejected | Unknown:
        """A client of a destination that was seen to speak R4; Rejected only in that server's own words."""
        if destination.base_url not in self._clients:
            client = self.open_client(destination)
            outcome = client.capability()
            if not isinstance(outcome, Delivered):
                return unless_misdirected(outcome)
            self._clients[destination.base_url] = client
        return self._clients[destination.base_url]

    def _try(
        self, claimed: Claimed, destination: Destination, client: FhirClient
    ) -> Done | TryAgain | Rejected | Unknown:
        resources = self.resources(claimed.submission_id, destination)
        if not resources:
            return Rejected(NOTHING_RECORDED)
        attempt = Attempt(
            client=client,
            destination=destination,
            namespace=self.namespace,
            database=self.database,
            submission_id=claimed.submission_id,
            look_up_first=claimed.look_up_first,
            may_send=claimed.attempts <= self.most_attempts,
            clock=self.clock,
            keep_lease=lambda: self._renewed(claimed),
        )
        try:
            return unless_misdirected(attempt.make(resources))
        except OutboundResourceError as error:
            # To send what breaks FHIR would only move our fault into somebody's chart.
            return Rejected(error.public_text)

    def _conclude(self, claimed: Claimed, outcome: Done | TryAgain | Rejected | Unknown) -> Settled:
        match outcome:
            case Done(written, reason):
                return self._settle(claimed, "delivered", reason, {"written": list(written)} if written else None)
            case Rejected(reason, outcome=said):
                return self._settle(claimed, "rejected", reason, said)
            case Unknown(reason, after):
                return self._later(claimed, "unknown", reason, after)
            case TryAgain(reason, after):
                if claimed.attempts >= self.most_attempts:
                    return self._settle(claimed, "rejected", f"given up after {claimed.attempts} tries: {reason}")
                return self._later(claimed, "pending", reason, after)

    def _settle(
        self,
        claimed: Claimed,
        state: Literal["delivered", "rejected", "held"],
        reason: str | None,
        outcome: Mapping[str, Any] | None = None,
    ) -> Settled:
        with self.database.begin() as connection:
            ours = outbox.settle(
                connection, claimed.id, self.owner, state, self.clock(), reason=reason, outcome=outcome
            )
        return self._said(claimed, state, reason, ours)

    def _later(
        self, claimed: Claimed, state: Literal["pending", "unknown"], reason: str, after: float | None
    ) -> Settled:
        now = self.clock()
        due = now + delay(claimed.attempts, self.rng, after)
        with self.database.begin() as connection:
            ours = outbox.retry(connection, claimed.id, self.owner, due, now, state=state, reason=reason)
        return self._said(claimed, state, reason, ours)

    def _renewed(self, claimed: Claimed) -> bool:
        now = self.clock()
        with self.database.begin() as connection:
            return outbox.renew(connection, claimed.id, self.owner, now + timedelta(seconds=self.lease_seconds), now)

    def _said(self, claimed: Claimed, state: State, reason: str | None, ours: bool) -> Settled:
        log().info(
            "delivery",
            outbox_id=claimed.id,
            submission_id=claimed.submission_id,
            state=state if ours else "lease lost",
            reason=reason,
            attempts=claimed.attempts,
        )
        return Settled(claimed.id, claimed.submission_id, state, reason, lost=not ours)
