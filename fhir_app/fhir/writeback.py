"""Assessment -> every resource that is written, in the order in which they depend on each other.

Pure: the same input gives the same resources byte for byte; ids are derived, times are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_app.assessment.assessment import Assessment
from fhir_app.fhir import codes, document_reference, observation
from fhir_app.fhir.document_reference import DocumentContent
from fhir_app.fhir.identifiers import ResponseAs, reference
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.observation import Circumstances, ResultStatus
from fhir_app.fhir.parties import Author, device, organization
from fhir_app.fhir.provenance import provenance
from fhir_app.fhir.received import ReceivedResponse
from fhir_app.knowledge.intake import Intake

__all__ = [
    "Author",
    "DocumentContent",
    "MissingSubject",
    "WriteBack",
    "added",
    "retract",
    "with_contents",
    "write_back",
]

_MISTAKE = "entered-in-error"
_WITHDRAWN = "<p><b>Entered in error. Do not use.</b></p>"


class MissingSubject(ValueError):
    """The response names no patient: it is assessed and shown, but there is no chart to write to."""


@dataclass(frozen=True)
class WriteBack:
    """What one revision of a response leads to.

    `retracted_flags`: Observations of earlier revisions whose flag no longer fires. `earlier_documents`: every document
    of earlier revisions, oldest first, superseded or entered in error. Nobody knows here which of all these a
    destination holds: a delivery leaves out those that it does not. `held_by_origin`: the response need not be written,
    because its server has it. `released`: this or an earlier revision was more than preliminary.
    """

    questionnaire_response: Mapping[str, Any]
    held_by_origin: bool
    organization: Mapping[str, Any] | None
    device: Mapping[str, Any]
    flags: tuple[Mapping[str, Any], ...]
    retracted_flags: tuple[Mapping[str, Any], ...]
    summary: Mapping[str, Any]
    earlier_documents: tuple[Mapping[str, Any], ...]
    document: Mapping[str, Any] | None
    provenance: Mapping[str, Any]
    released: bool

    @property
    def writes_response(self) -> bool:
        """Whether the response itself is among the resources. An unverified one never is: a server that validates
        would refuse it, and with it the red flag that must arrive."""
        return not self.held_by_origin and self.released and self.summary["status"] != "preliminary"

    @property
    def resources(self) -> tuple[Mapping[str, Any], ...]:
        """Everything to write, each after what it refers to."""
        optional = (
            self.organization,
            self.device,
            self.questionnaire_response if self.writes_response else None,
            *self.flags,
            *self.retracted_flags,
            self.summary,
            *self.earlier_documents,
            self.document,
            self.provenance,
        )
        return tuple(resource for resource in optional if resource is not None)

    def as_json(self) -> dict[str, Any]:
        """Plain data for a store; `from_json` reads it back."""
        return {name: _listed(getattr(self, name)) for name in self.__dataclass_fields__}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> WriteBack:
        lists = {name: tuple(data[name]) for name in ("flags", "retracted_flags", "earlier_documents")}
        return WriteBack(**{**data, **lists})


def write_back(
    received: ReceivedResponse,
    assessment: Assessment,
    intake: Intake,
    *,
    author: Author,
    documents: Sequence[DocumentContent] = (),
    previous: WriteBack | None = None,
    namespace: Namespace,
    response_as: ResponseAs = "reference",
) -> WriteBack:
    """The resources for one assessed revision.

    `previous` is what the last delivered revision wrote: Observations keep their ids and become `amended`, flags that
    no longer fire are retracted, every earlier document is superseded. An unfinished or invalid response gives
    `preliminary` results and is not written itself. `response_as="identifier"` is for a destination that refuses the
    response. Raises MissingSubject without a patient, ValueError for a response that is entered in error: that is what
    `retract` is for.
    """
    if received.subject is None:
        raise MissingSubject("the response names no patient")
    if received.status == _MISTAKE:
        raise ValueError("a response that is entered in error is retracted, not written")
    status = _status(received, assessment, previous)
    unwritten = status == "preliminary" and not received.held_by_origin
    about = _circumstances(received, intake, author, namespace, status, "identifier" if unwritten else response_as)
    flags = observation.flags(about, assessment)
    summary = observation.summary(about, assessment, flags)
    retracted = _no_longer_present(previous, flags)
    earlier = _superseded(previous)
    document = document_reference.document(about, documents, summary, earlier) if documents else None
    targets = [resource for resource in (*flags, *retracted, summary, *earlier, document) if resource is not None]
    return WriteBack(
        questionnaire_response=received.questionnaire_response,
        held_by_origin=received.held_by_origin,
        organization=about.organization,
        device=about.device,
        flags=flags,
        retracted_flags=retracted,
        summary=summary,
        earlier_documents=earlier,
        document=document,
        provenance=provenance(about, targets, "update" if previous else "create"),
        released=about.status != "preliminary" or (previous is not None and previous.released),
    )


def added(previous: WriteBack, made: WriteBack) -> WriteBack | None:
    """What an unfinished or invalid revision changes of what stands: flags that are new or more urgent, which the
    summary then names, and the urgency when it is higher; nothing is taken back and nothing lowered. None when no flag
    is new or more urgent.

    `made` is what `write_back` makes of it. Earlier documents are superseded: they know nothing of the new flag.
    """
    before = {flag["id"]: _flag_urgency(flag) for flag in previous.flags}
    new = tuple(flag for flag in made.flags if _flag_urgency(flag) > before.get(flag["id"], 0))
    if not new:
        return None
    ids = {flag["id"] for flag in new}
    flags = (*new, *(flag for flag in previous.flags if flag["id"] not in ids))
    stands = previous.summary["status"] != _MISTAKE
    raised = not stands or _summary_urgency(made.summary) > _summary_urgency(previous.summary)
    status = "preliminary" if raised or previous.summary["status"] == "preliminary" else "amended"
    summary = observation.with_flags({**(made if raised else previous).summary, "status": status}, flags)
    targets = (*new, summary, *made.earlier_documents)
    return replace(
        made,
        questionnaire_response=(previous if previous.released else made).questionnaire_response,
        flags=flags,
        retracted_flags=tuple(flag for flag in previous.retracted_flags if flag["id"] not in ids),
        summary=summary,
        provenance={**made.provenance, "target": [reference(target) for target in targets]},
    )


def _flag_urgency(flag: Mapping[str, Any]) -> int:
    return codes.urgency_level(flag["component"][0]["valueCodeableConcept"])


def _summary_urgency(summary: Mapping[str, Any]) -> int:
    return codes.urgency_level(summary["valueCodeableConcept"])


def retract(
    previous: WriteBack,
    received: ReceivedResponse,
    intake: Intake,
    *,
    author: Author,
    namespace: Namespace,
    response_as: ResponseAs = "reference",
) -> WriteBack:
    """Everything that `previous` and those before it wrote as entered in error, because the response is.

    Subject and content stay those that were filed, whatever the withdrawn revision says: what a server took once it
    takes again, and a retraction must arrive.
    """
    filed = replace(received, subject=previous.summary["subject"]["reference"])
    as_ = response_as if received.held_by_origin or previous.released else "identifier"
    about = _circumstances(filed, intake, author, namespace, "amended", as_)
    retracted = tuple(_withdrawn(flag) for flag in (*previous.flags, *previous.retracted_flags))
    summary = _withdrawn(previous.summary)
    earlier = tuple(_withdrawn(document) for document in previous.earlier_documents)
    document = _withdrawn(previous.document) if previous.document else None
    targets = [resource for resource in (*retracted, summary, *earlier, document) if resource is not None]
    return WriteBack(
        questionnaire_response={**previous.questionnaire_response, "status": _MISTAKE},
        held_by_origin=received.held_by_origin,
        organization=about.organization,
        device=about.device,
        flags=(),
        retracted_flags=retracted,
        summary=summary,
        earlier_documents=earlier,
        document=document,
        provenance=provenance(about, targets, "nullify"),
        released=previous.released,
    )


def with_contents(written: WriteBack, contents: Sequence[DocumentContent]) -> WriteBack:
    """The same with further forms of its document, such as a PDF that the worker rendered."""
    if written.document is None:
        return written
    return replace(written, document=document_reference.with_contents(written.document, contents))


def _circumstances(
    received: ReceivedResponse,
    intake: Intake,
    author: Author,
    namespace: Namespace,
    status: ResultStatus,
    response_as: ResponseAs,
) -> Circumstances:
    return Circumstances(
        received=received,
        intake=intake,
        namespace=namespace,
        status=status,
        device=device(author, namespace),
        organization=organization(author, namespace),
        software_version=author.software_version,
        response_as=response_as,
    )


def _status(received: ReceivedResponse, assessment: Assessment, previous: WriteBack | None) -> ResultStatus:
    if assessment.not_assessed_because in ("status", "invalid"):
        return "preliminary"
    was_final = previous is not None and previous.released
    return "amended" if was_final or received.status == "amended" else "final"


def _no_longer_present(previous: WriteBack | None, flags: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Also those retracted before: their retraction may not have arrived, and saying it twice changes nothing."""
    if previous is None:
        return ()
    present = {flag["id"] for flag in flags}
    earlier = (*previous.flags, *previous.retracted_flags)
    return tuple(_withdrawn(flag) for flag in earlier if flag["id"] not in present)


def _documents(previous: WriteBack) -> tuple[Mapping[str, Any], ...]:
    """Oldest first, as each refers to those before it."""
    return previous.earlier_documents if previous.document is None else (*previous.earlier_documents, previous.document)


def _superseded(previous: WriteBack | None) -> tuple[Mapping[str, Any], ...]:
    """Every earlier document, for a delivery may have failed in between; one that was in error stays in error.

    Also where this revision has no document of its own, as it is unverified and holds a red flag: a leaflet made from
    answers that no longer stand, calmer perhaps than the flag beside it, must not be what a patient is given. The next
    verified revision has the document that replaces it.
    """
    return tuple(
        document if document["status"] == _MISTAKE else {**document, "status": "superseded"}
        for document in (_documents(previous) if previous else ())
    )


def _withdrawn(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Entered in error, and its narrative says so, because some systems show nothing else."""
    opening, _, rest = resource["text"]["div"].partition(">")
    div = f"{opening}>{_WITHDRAWN}{rest.removeprefix(_WITHDRAWN)}"
    withdrawn = {**resource, "text": {**resource["text"], "div": div}, "status": _MISTAKE}
    return withdrawn | ({"docStatus": _MISTAKE} if "docStatus" in resource else {})


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
