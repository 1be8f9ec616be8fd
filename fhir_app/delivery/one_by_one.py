"""A result for a server without transactions: one request for each resource, each written down as soon as it is done.

What a crash or a lost reply leaves half written is found again in the ledger, or else by its identifier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_app.delivery.look_up import EVERYTHING, LookedUp, look_up
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.entries import Key, Known, Resource, Write, with_references, writes
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.read_json import dump_json
from fhir_app.fhir.replies import Delivered, Outcome, TryAgain, Unknown
from fhir_app.store import ledger
from fhir_app.store.database import Database
from fhir_app.store.ledger import Written


@dataclass(frozen=True)
class OneByOne:
    """The writing of one submission's resources to one destination.

    `keep_lease` is asked before each request, and a no ends the writing: somebody else has taken over.
    """

    database: Database
    client: FhirClient
    destination: Destination
    namespace: Namespace
    submission_id: str
    clock: Callable[[], datetime]
    keep_lease: Callable[[], bool]

    def deliver(self, resources: Sequence[Resource]) -> Outcome | None:
        """Everything in dependency order; None when there is nothing to write.

        What the ledger has with the same content is not sent again. The first request that is not Delivered ends the
        try, and its outcome is the outcome. Delivered has the locations as a transaction's reply has them.

        Everything is looked up first: few of these servers honour If-None-Exist.
        """
        looked_up = look_up(self.client, resources, self.namespace, EVERYTHING)
        if not isinstance(looked_up, LookedUp):
            return looked_up
        known = looked_up.known
        planned = writes(resources, known, self.destination.shape, self.namespace)
        done = self._done([write.key[1] for write in planned])
        if not planned:
            return None
        ids: dict[Key, str] = {key: held.id for key, held in known.items()}
        locations: list[str] = []
        for write in planned:
            resource = with_references(write.resource, lambda key: _reference(key, ids))
            digest = _digest(resource)
            entry = done.get("/".join(write.key))
            if entry is not None and entry.digest == digest:
                ids[write.key] = entry.server_id
                continue
            if not self.keep_lease():
                return TryAgain("another worker has taken over")
            outcome = self._send(write, resource, known.get(write.key))
            if not isinstance(outcome, Delivered):
                return outcome
            if outcome.id is None:
                return Unknown("the destination did not say under which id it stored a resource", astray=True)
            ids[write.key] = outcome.id
            locations.append(f"{write.key[0]}/{outcome.id}/_history/{outcome.version}")
            self._note(write.key, digest, outcome)
        return Delivered(200, {"entry": [{"response": {"location": location}} for location in locations]})

    def _send(self, write: Write, resource: Resource, known: Known | None) -> Outcome:
        if write.method == "PUT":
            return self.client.update(resource, if_match=write.version)
        if known is not None:
            return Delivered(200, id=known.id, version=known.version)
        return self.client.create(resource, if_none_exist=write.condition)

    def _done(self, resource_ids: Sequence[str]) -> Mapping[str, Written]:
        with self.database.read() as connection:
            return ledger.known(connection, self.destination.base_url, resource_ids)

    def _note(self, key: Key, digest: str, outcome: Delivered) -> None:
        with self.database.begin() as connection:
            ledger.note(
                connection,
                Written(
                    destination=self.destination.base_url,
                    resource_type=key[0],
                    resource_id=key[1],
                    submission_id=self.submission_id,
                    digest=digest,
                    server_id=str(outcome.id),
                    server_version=outcome.version,
                    written_at=self.clock(),
                ),
            )


def _digest(resource: Resource) -> str:
    """Of what is said, the same whether it is created or updated."""
    content = {name: value for name, value in resource.items() if name != "id"}
    return hashlib.sha256(dump_json(content)).hexdigest()


def _reference(key: Key, ids: Mapping[Key, str]) -> dict[str, str] | None:
    return {"reference": f"{key[0]}/{ids[key]}"} if key in ids else None
