"""Every intake under questionnaires/: found by canonical, and nothing that is not exactly named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.loader import load_intake


@dataclass(frozen=True)
class Library:
    """The intakes that this service publishes and assesses."""

    intakes: tuple[Intake, ...]

    def by_canonical(self, canonical: str) -> Intake | None:
        """The intake whose Questionnaire is exactly `url|version`; a bare url finds nothing, never "the latest"."""
        return next((intake for intake in self.intakes if intake.canonical == canonical), None)

    @property
    def questionnaires(self) -> tuple[Mapping[str, Any], ...]:
        """The published Questionnaire resources."""
        return tuple(intake.questionnaire.resource for intake in self.intakes)


def questionnaires_root() -> Path:
    """The folder with the intakes: beside the package in a checkout, inside it in an installed wheel."""
    packaged = Path(str(resources.files("fhir_app").joinpath("_questionnaires")))
    return packaged if packaged.is_dir() else Path(str(resources.files("fhir_app"))).parent / "questionnaires"


def load_library(root: Path) -> Library:
    """Every intake under `root`, or the one that `root` is. Raises KnowledgeError with every problem of each."""
    one = [root] if (root / "intake.yaml").is_file() else []
    folders = one or sorted(path.parent for path in root.glob("*/intake.yaml"))
    if not folders:
        raise KnowledgeError([f"{root.name}: no intake found"])
    problems: list[str] = []
    intakes: list[Intake] = []
    for folder in folders:
        try:
            intakes.append(load_intake(folder))
        except KnowledgeError as error:
            problems.extend(f"{folder.name}/{line}" for line in error.problems)
    if problems or (problems := _twice(folders, intakes)):
        raise KnowledgeError(problems)
    return Library(tuple(intakes))


def _twice(folders: list[Path], intakes: list[Intake]) -> list[str]:
    """A copy left beside the original would be used in its place, whichever of the two was edited."""
    first: dict[str, Path] = {}
    problems = []
    for folder, intake in zip(folders, intakes, strict=True):
        if (before := first.setdefault(intake.canonical, folder)) is not folder:
            problems.append(f"{folder.name}: {intake.canonical} stands in {before.name} as well; move one of them away")
    return problems
