"""What the server holds of a run, found as a clinical system would find it, and what was meant to be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fhir_app.delivery import Delivery
from fhir_app.delivery.look_up import EVERYTHING, LookedUp, look_up
from fhir_app.doctor.clients import RunClient
from fhir_app.doctor.differences import differences
from fhir_app.doctor.patience import Patience
from fhir_app.doctor.run import Run
from fhir_app.fhir.codes import EDUCATION_NOTE, SUMMARY_CODE
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.entries import WITHDRAWN, Key, Known, Resource, key_of, with_references
from fhir_app.fhir.replies import Found

LEAFLET = f"{EDUCATION_NOTE['system']}|{EDUCATION_NOTE['code']}"


@dataclass(frozen=True)
class Written:
    """What submissions led to: as it was meant, and as the server holds it, by type and our own id."""

    meant: Mapping[Key, Resource]
    held: Mapping[Key, Known]

    def ids(self, resource_type: str) -> set[str]:
        """The server's ids of what it should hold of a type."""
        return {known.id for (kind, _), known in self.held.items() if kind == resource_type}

    @property
    def observations(self) -> list[Known]:
        return [known for (kind, _), known in self.held.items() if kind == "Observation"]

    @property
    def summaries(self) -> set[str]:
        return {known.id for known in self.observations if is_summary(known.resource)}

    @property
    def missing(self) -> list[str]:
        return [f"{kind} is not found" for kind, _ in self.meant.keys() - self.held.keys()]


@dataclass(frozen=True)
class Chart:
    """The chart of the made-up patient."""

    run: Run
    client: RunClient
    patience: Patience
    destination: Destination
    patient: str

    def written(self, delivery: Delivery, submission_ids: Sequence[str]) -> Written | str:
        """By identifier and tag, as the delivery itself looks things up; or why that could not be done."""
        meant: dict[Key, Resource] = {}
        for submission_id in submission_ids:
            meant |= {key_of(each): each for each in delivery.resources(submission_id, self.destination)}
        sought = list(meant.values())
        found = self.patience.until(
            lambda: self.patience.asked(lambda: look_up(self.client, sought, self.run.namespace, EVERYTHING)),
            lambda seen: isinstance(seen, LookedUp) and meant.keys() <= seen.known.keys(),
        )
        return Written(meant, found.known) if isinstance(found, LookedUp) else found.reason

    def altered(self, written: Written) -> Iterator[str]:
        """Paths of what the server does not hold as it was meant. What is withdrawn keeps the words that it had."""
        for key, resource in written.meant.items():
            known = written.held.get(key)
            if known is None:
                continue
            if resource.get("status") in WITHDRAWN:
                if known.resource.get("status") != resource["status"]:
                    yield f"{key[0]}.status"
                continue
            expected = with_references(self._as_sent(resource), lambda to: _reference(to, written.held))
            for path in differences(expected, known.resource, self.client.base_url):
                yield f"{key[0]}.{path}"

    def search_problems(self, resource_type: str, parameters: Mapping[str, str], ids: set[str]) -> list[str]:
        """Nothing when a search finds exactly these ids, else in what it errs."""

        def look() -> set[str] | str:
            outcome = self.patience.asked(lambda: self.client.search(resource_type, parameters))
            return {str(each.get("id")) for each in outcome.resources} if isinstance(outcome, Found) else outcome.reason

        seen = self.patience.until(look, lambda found: found == ids)
        words = f"{resource_type}?{'&'.join(parameters)}"
        if isinstance(seen, str):
            return [f"{words}: {seen}"]
        missing, more = len(ids - seen), len(seen - ids)
        found = [f"{missing} missing"] if missing else []
        found += [f"{more} too many"] if more else []
        return [f"{words}: {', '.join(found)}"] if found else []

    def everything(self, summaries: set[str]) -> set[tuple[str, str]] | str:
        """Type and id of all that is about this patient, to see later that it is no more; or why it is not known.

        `summaries`: the Observations whose Provenance counts.
        """
        subject = {"subject": f"Patient/{self.patient}"}
        identifier = {"identifier": f"{self.run.identifier_system}|{self.run.id}"}
        searches: list[tuple[str, Mapping[str, str]]] = [
            *((kind, subject) for kind in ("QuestionnaireResponse", "Observation", "DocumentReference")),
            *((kind, identifier) for kind in ("Patient", "Organization")),
            *(("Provenance", {"target": f"Observation/{each}"}) for each in sorted(summaries)),
        ]
        found: set[tuple[str, str]] = set()
        for kind, parameters in searches:
            outcome = self.patience.asked(partial(self.client.search, kind, parameters))
            if not isinstance(outcome, Found):
                return f"{kind}: {outcome.reason}"
            found |= {(kind, str(each.get("id"))) for each in outcome.resources}
        return found

    def _as_sent(self, resource: Resource) -> Resource:
        """With the forms of a document that this kind of destination gets."""
        if resource["resourceType"] != "DocumentReference":
            return resource
        taken = [
            each
            for each in resource["content"]
            if each["attachment"]["contentType"].split(";")[0] in self.destination.shape.document_types
        ]
        return {**resource, "content": taken or resource["content"]}


def is_summary(resource: Resource) -> bool:
    return SUMMARY_CODE in codes_of(resource)


def codes_of(observation: Resource) -> list[str]:
    """The codes of an Observation of ours."""
    codings: Sequence[Any] = (observation.get("code") or {}).get("coding") or ()
    return [str(coding.get("code")) for coding in codings]


def _reference(key: Key, held: Mapping[Key, Known]) -> dict[str, str] | None:
    return {"reference": f"{key[0]}/{held[key].id}"} if key in held else None
