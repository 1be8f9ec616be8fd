"""Files of cases and stories, each with the intake that it belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.cases import Case, Story, read_cases
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.library import Library


@dataclass(frozen=True)
class Collected:
    """The cases and stories of one intake."""

    intake: Intake
    cases: tuple[Case, ...]
    stories: tuple[Story, ...]


def case_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files among `paths`, and those of the folders among them: `*.yaml`, `cases/*.yaml`, `*/cases/*.yaml`."""
    found: list[Path] = []
    for path in paths:
        if path.is_file():
            found.append(path)
        elif path.name == "cases":
            found.extend(sorted(path.glob("*.yaml")))
        else:
            found.extend(sorted([*path.glob("cases/*.yaml"), *path.glob("*/cases/*.yaml")]))
    return tuple(dict.fromkeys(found))


def collect(files: Sequence[Path], library: Library, part: str | None = None) -> tuple[Collected, ...]:
    """The cases and stories in `files`, by intake: that of the folder around `cases/`, else the only one there is.

    `part` keeps only the stories of that part. Raises KnowledgeError for files that cannot be read, that belong to no
    intake, or that use an id twice.
    """
    problems: list[str] = []
    cases: dict[str, list[Case]] = {intake.name: [] for intake in library.intakes}
    stories: dict[str, list[Story]] = {intake.name: [] for intake in library.intakes}
    for path in files:
        name = _intake_name(path, library)
        if name is None:
            problems.append(f"{path.name}: belongs to none of several intakes")
            continue
        try:
            found_cases, found_stories = read_cases(path)
        except KnowledgeError as error:
            problems.extend(error.problems)
            continue
        cases[name].extend(found_cases)
        stories[name].extend(story for story in found_stories if part in (None, story.part))
    for name in cases:
        ids = [case.id for case in cases[name]] + [story.id for story in stories[name]]
        problems.extend(f"the id {one!r} stands {count} times" for one, count in Counter(ids).items() if count > 1)
    if problems:
        raise KnowledgeError(problems)
    return tuple(
        Collected(intake, tuple(cases[intake.name]), tuple(stories[intake.name]))
        for intake in library.intakes
        if cases[intake.name] or stories[intake.name]
    )


def _intake_name(path: Path, library: Library) -> str | None:
    names = [intake.name for intake in library.intakes]
    around = path.resolve().parent.parent.name
    if around in names:
        return around
    return names[0] if len(names) == 1 else None
