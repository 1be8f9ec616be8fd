"""Made-up responses in every language of an intake: with a red flag, without one, and one that is not finished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.doctor.run import Run
from fhir_app.fhir.read_json import dump_json
from fhir_app.knowledge.cases import read_cases
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library
from fhir_app.reading import Reading, read_response


@dataclass(frozen=True)
class Sample:
    """Answers to one intake in one language. `flagged`: they hold a red flag."""

    intake: Intake
    case_id: str
    answers: Mapping[str, Any]
    status: str
    language: str
    flagged: bool

    @property
    def finished(self) -> bool:
        return self.status == "completed"

    def body(
        self, run: Run, patient: str, *, status: str | None = None, answers: Mapping[str, Any] | None = None
    ) -> bytes:
        """The response as it would come in, about the patient of the run. Another status or other answers make it
        a later revision of the same response."""
        resource = build_questionnaire_response(
            self.intake.questionnaire,
            self.answers if answers is None else answers,
            status=status or self.status,
            authored=run.started.isoformat(timespec="seconds"),
            subject={"reference": f"Patient/{patient}"},
            identifier={"system": run.identifier_system, "value": f"{run.id}-{self.case_id}-{self.language}"},
            language=self.language,
        )
        return dump_json(resource)


def choose(library: Library, root: Path, run: Run) -> tuple[Sample, ...]:
    """Few, but of each kind, out of the cases beside each intake that are marked as samples."""
    return tuple(sample for intake in library.intakes for sample in _of_intake(intake, library, root, run))


def _of_intake(intake: Intake, library: Library, root: Path, run: Run) -> Iterator[Sample]:
    files = sorted((root / intake.name / "cases").glob("*.yaml"))
    cases = [case for path in files for case in read_cases(path)[0] if case.sample]
    language = intake.languages[0]
    plain = [Sample(intake, case.id, case.answers, case.status, language, flagged=False) for case in cases]
    read = [(sample, read_response(sample.body(run, "example"), library)) for sample in plain]
    flagged = next((sample for sample, found in read if found.valid and sample.finished and _is_flagged(found)), None)
    calm = next((sample for sample, found in read if found.valid and sample.finished and not _is_flagged(found)), None)
    for language in intake.languages:
        for sample in (flagged, calm):
            if sample is not None:
                yield replace(sample, language=language, flagged=sample is flagged)
    unfinished = [(_urgency(found), sample) for sample, found in read if not sample.finished and _is_flagged(found)]
    if unfinished:
        _, sample = max(unfinished, key=lambda each: each[0])
        yield replace(sample, flagged=True)


def _is_flagged(reading: Reading) -> bool:
    return reading.assessment is not None and bool(reading.assessment.present_flags)


def _urgency(reading: Reading) -> int:
    return 0 if reading.assessment is None else int(reading.assessment.disposition.urgency)
