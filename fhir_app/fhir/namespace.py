"""The one place that knows our canonicals and identifier systems, and how ids are derived."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, UUID, uuid5

PERMANENT_BASE = "https://w3id.org/fhir-app"


@dataclass(frozen=True)
class Namespace:
    """Everything under one base URL, which may change only before the first publish.

    Causes and red flags have a code system for each intake, because two intakes may use one id for two things.
    """

    base: str = PERMANENT_BASE
    _uuid: UUID = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", self.base.rstrip("/"))
        object.__setattr__(self, "_uuid", uuid5(NAMESPACE_URL, self.base))

    def derived_id(self, *parts: str) -> str:
        """A uuid5 of the parts: the same parts give the same id on every machine, and no two lists give one."""
        return str(uuid5(self._uuid, json.dumps(parts, ensure_ascii=True)))

    def canonical(self, resource_type: str, name: str) -> str:
        return f"{self.base}/{resource_type}/{name}"

    # --- code systems -------------------------------------------------------------------------------------------

    @property
    def observations(self) -> str:
        """Codes for what is observed: urgency from this intake, place of care."""
        return self.canonical("CodeSystem", "observation")

    @property
    def urgency(self) -> str:
        return self.canonical("CodeSystem", "urgency")

    @property
    def place(self) -> str:
        return self.canonical("CodeSystem", "place")

    @property
    def likelihood(self) -> str:
        return self.canonical("CodeSystem", "likelihood")

    @property
    def finding(self) -> str:
        """Codes `present` and `absent`."""
        return self.canonical("CodeSystem", "finding")

    def causes(self, intake: str) -> str:
        return self.canonical("CodeSystem", f"{intake}-cause")

    def red_flags(self, intake: str) -> str:
        return self.canonical("CodeSystem", f"{intake}-red-flag")

    # --- other definitions --------------------------------------------------------------------------------------

    @property
    def urgency_to_request_priority(self) -> str:
        return self.canonical("ConceptMap", "urgency-to-request-priority")

    @property
    def assess_operation(self) -> str:
        return self.canonical("OperationDefinition", "questionnaireresponse-assess")

    def library(self, intake: str) -> str:
        return self.canonical("Library", f"{intake}-knowledge")

    # --- identifier systems -------------------------------------------------------------------------------------

    def identifiers(self, kind: str) -> str:
        """The system of our identifiers for one kind of resource (`observation`, `document`, `device`, ...)."""
        return f"{self.base}/identifier/{kind}"

    @property
    def questionnaire_response_identifiers(self) -> str:
        return self.identifiers("questionnaire-response")

    @property
    def observation_identifiers(self) -> str:
        return self.identifiers("observation")

    @property
    def document_identifiers(self) -> str:
        return self.identifiers("document")

    @property
    def device_identifiers(self) -> str:
        return self.identifiers("device")

    @property
    def organization_identifiers(self) -> str:
        return self.identifiers("organization")

    @property
    def provenance_tags(self) -> str:
        """Provenance has no identifier in R4: where its id is not ours to choose, a tag of this system finds it."""
        return self.canonical("CodeSystem", "provenance-id")

    @property
    def response_tags(self) -> str:
        """Marks the copy of a response that we wrote to its origin, so that its notification is recognised."""
        return self.canonical("CodeSystem", "response-id")
