"""What is made of a response that was read: results for the chart, their retraction, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fhir_app.assessment.assessment import Assessment
from fhir_app.fhir import codes
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.parties import Author
from fhir_app.fhir.received import ReceivedResponse
from fhir_app.fhir.writeback import DocumentContent, WriteBack, added, retract, write_back
from fhir_app.knowledge.intake import Intake
from fhir_app.reading import Reading

ComposeDocument = Callable[[Intake, Assessment, ReceivedResponse], tuple[DocumentContent, ...]]


def no_document(intake: Intake, assessment: Assessment, received: ReceivedResponse) -> tuple[DocumentContent, ...]:
    """For an installation that files no leaflets."""
    return ()


@dataclass(frozen=True)
class Making:
    """With what every result is made."""

    author: Author
    namespace: Namespace
    compose_document: ComposeDocument = no_document


def is_for_the_chart(reading: Reading) -> bool:
    """Finished and valid responses, and whatever holds a red flag; the rest is for the work list alone.

    That a list was not answered is no flag of an unfinished or invalid response: it is what makes it so.
    """
    if reading.intake is None or reading.assessment is None or reading.withdrawn:
        return False
    families = codes.families(reading.intake)
    return reading.verified or any(flag.family in families for flag in reading.assessment.present_flags)


def result(
    making: Making, reading: Reading, received: ReceivedResponse, intake: Intake | None, previous: WriteBack | None
) -> WriteBack | None:
    """The result of a revision that follows `previous`; None when there is nothing to write or to take back.

    A response without a patient is assessed and shown, but there is no chart to write to; a revision that no longer
    names the patient takes back what stands in that chart. A patient's document comes with verified results only. An
    unfinished or invalid revision adds to what stands, and takes nothing back: its silence is no ground for that.
    """
    if intake is None:
        return None
    nobody = received.subject is None and reading.verified
    if reading.withdrawn or nobody:
        if previous is None:
            return None
        return retract(previous, received, intake, author=making.author, namespace=making.namespace)
    if not is_for_the_chart(reading) or received.subject is None or reading.assessment is None:
        return None
    made = write_back(
        received,
        reading.assessment,
        intake,
        author=making.author,
        documents=making.compose_document(intake, reading.assessment, received) if reading.verified else (),
        previous=previous,
        namespace=making.namespace,
    )
    return made if reading.verified or previous is None else added(previous, made)
