"""One run of the doctor: its id, and the tag by which everything of it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_app.fhir.entries import Resource, escaped
from fhir_app.fhir.namespace import Namespace

TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
"""The security label that marks test data (http://hl7.org/fhir/R4/security-labels.html)."""

MADE = ("Provenance", "DocumentReference", "Observation", "QuestionnaireResponse", "Patient", "Organization")
"""The types of what a run writes for itself, each before what it may refer to."""


@dataclass(frozen=True)
class Run:
    """`id`: unique. `started`: the time that the made-up responses carry."""

    id: str
    started: datetime
    namespace: Namespace

    @property
    def tag(self) -> dict[str, str]:
        return {"system": self.namespace.canonical("CodeSystem", "doctor-run"), "code": self.id}

    @property
    def tag_token(self) -> str:
        """The tag as the value of a search parameter."""
        return f"{escaped(self.tag['system'])}|{self.id}"

    @property
    def identifier_system(self) -> str:
        return self.namespace.identifiers("doctor-run")

    def tagged(self, resource: Resource) -> dict[str, Any]:
        """The resource with this run's tag and the label of test data, each once. What is shared stays as it is."""
        if resource["resourceType"] not in MADE:
            return dict(resource)
        meta = dict(resource.get("meta") or {})
        for name, label in (("security", TEST_DATA), ("tag", self.tag)):
            others = [each for each in meta.get(name) or () if not _is_same(each, label)]
            meta[name] = [*others, label]
        head = {name: resource[name] for name in ("resourceType", "id") if name in resource}
        return {
            **head,
            "meta": meta,
            **{name: value for name, value in resource.items() if name not in {*head, "meta"}},
        }

    def owns(self, resource: Resource) -> bool:
        """Whether a resource, as a server shows it, carries this run's tag."""
        tags = (resource.get("meta") or {}).get("tag") or ()
        return any(_is_same(tag, self.tag) for tag in tags)


def _is_same(coding: Mapping[str, Any], label: Mapping[str, str]) -> bool:
    return (coding.get("system"), coding.get("code")) == (label["system"], label["code"])
