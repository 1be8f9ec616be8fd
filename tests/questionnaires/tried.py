"""Every case of every intake, read and assessed once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment, RedFlagFinding
from fhir_app.assessment.build_response import build_questionnaire_response
from fhir_app.assessment.read_answers import ReadResponse, read_answers
from fhir_app.knowledge.cases import Case, read_cases
from fhir_app.knowledge.compile_criteria import compile_criterion
from fhir_app.knowledge.criteria import Criterion
from fhir_app.knowledge.intake import Intake, RedFlag, Trigger
from fhir_app.knowledge.loader import load_intake
from fhir_app.knowledge.missing_answers import Missing
from fhir_app.knowledge.truth import Truth

ROOT = Path(__file__).parents[2] / "questionnaires"
FOLDERS = tuple(sorted(path.parent for path in ROOT.glob("*/cases")))


@dataclass(frozen=True)
class Tried:
    """A case with what the rules made of it."""

    case: Case
    response: dict[str, Any]
    read: ReadResponse
    assessment: Assessment

    @property
    def flags(self) -> dict[str, RedFlagFinding]:
        return {flag.id: flag for flag in self.assessment.red_flags}

    @property
    def triggers(self) -> frozenset[str]:
        return frozenset(trigger.id for trigger in self.assessment.triggers)

    def fires(self, row: str) -> bool:
        """Whether a row or trigger is there because of an answer, not because of a gap."""
        flag = self.flags.get(row)
        return row in self.triggers or (flag is not None and flag.status == "present" and not flag.by_gap)

    def is_silent(self, row: str) -> bool:
        flag = self.flags.get(row)
        return flag.status == "absent" if flag is not None else row not in self.triggers


@lru_cache(maxsize=4)
def intake_in(folder: Path) -> Intake:
    return load_intake(folder)


@lru_cache(maxsize=4)
def cases_in(folder: Path) -> tuple[tuple[str, Case], ...]:
    """File name and case, for every case of the intake."""
    files = sorted((folder / "cases").glob("*.yaml"))
    return tuple((path.name, case) for path in files for case in read_cases(path)[0])


@lru_cache(maxsize=1024)
def tried(folder: Path, case_id: str) -> Tried:
    intake = intake_in(folder)
    case = next(case for _, case in cases_in(folder) if case.id == case_id)
    response = build_questionnaire_response(
        intake.questionnaire, case.answers, status=case.status, authored="2026-11-24T10:00:00Z"
    )
    read = read_answers(intake.questionnaire, response)
    because: Literal["status"] | None = None if case.status in ("completed", "amended") else "status"
    return Tried(
        case, response, read, assess(intake, read.answers, rank_causes=because is None, because=because)
    )  # fmt: skip


def all_tried(folder: Path) -> tuple[Tried, ...]:
    return tuple(tried(folder, case.id) for _, case in cases_in(folder))


def rows_of(intake: Intake) -> tuple[RedFlag | Trigger, ...]:
    """The red-flag rows and the triggers."""
    return (*intake.red_flags, *intake.triggers)


def reader(tree: Criterion, intake: Intake) -> Callable[[Tried], bool]:
    """Whether an expanded tree is yes for the answers of a case, read as the rules read them."""
    test = compile_criterion(tree, Missing.RULE, intake.reading)
    return lambda one: test(one.read.answers) is Truth.YES
