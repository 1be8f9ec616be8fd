"""The criteria and citations of an intake's files, read where they stand: parsed, expanded, looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_app.knowledge.criteria import Criterion, expand
from fhir_app.knowledge.criteria_text import CriterionError, parse_criterion
from fhir_app.knowledge.intake import Citation, Rule, Source
from fhir_app.knowledge.strict_yaml import Document, KeyPath

Documents = Mapping[str, Document]
_NEVER = parse_criterion("never includes never")


class CitedRules:
    """The named conditions and the sources of an intake, and every rule and citation read against them.

    What cannot be read is added to `problems`, with its file and line.
    """

    def __init__(self, documents: Documents, problems: list[str]) -> None:
        self._documents = documents
        self._problems = problems
        self.sources = {row["id"]: _source(row) for row in documents["sources.yaml"].data["sources"]}
        self.conditions: dict[str, Rule] = {}
        self._trees: dict[str, Criterion] = {}
        self._read_conditions()

    def _read_conditions(self) -> None:
        rows = self._documents["intake.yaml"].data["conditions"]
        for index, row in enumerate(rows):
            tree = self._parse("intake.yaml", ("conditions", index, "when"), row["when"])
            if tree is not None:
                self._trees[row["name"]] = tree
        for index, row in enumerate(rows):
            if row["name"] in self._trees:
                rule = self.rule("intake.yaml", ("conditions", index, "when"), row["when"])
                self.conditions[row["name"]] = rule

    def _problem(self, file: str, at: KeyPath, message: str) -> None:
        self._problems.append(f"{self._documents[file].place(at)}: {message}")

    def _parse(self, file: str, at: KeyPath, text: str) -> Criterion | None:
        try:
            return parse_criterion(text)
        except CriterionError as error:
            self._problem(file, at, f"{error}, column {error.column} of the criterion")
            return None

    def rule(self, file: str, at: KeyPath, text: str) -> Rule:
        """The line with its tree, every `@NAME` in it replaced; one that is never yes where it cannot be read."""
        tree = self._parse(file, at, text)
        if tree is None:
            return Rule(text, _NEVER)
        try:
            return Rule(text, expand(tree, self._trees))
        except KeyError as error:
            self._problem(file, at, f"no condition is named @{error.args[0]}")
        except RecursionError:
            self._problem(file, at, "the named conditions go round in a circle")
        return Rule(text, _NEVER)

    def optional_rule(self, file: str, at: KeyPath, text: str | None) -> Rule | None:
        return None if text is None else self.rule(file, at, text)

    def citations(self, file: str, at: KeyPath, cites: list[str]) -> tuple[Citation, ...]:
        found = []
        for cite in cites:
            key, _, locator = cite.partition("#")
            source = self.sources.get(key)
            if source is None:
                self._problem(file, at, f"no source {key!r} in sources.yaml")
            elif locator not in source.locators:
                self._problem(file, at, f"source {key!r} has no locator {locator!r}")
            else:
                found.append(Citation(source, locator))
        return tuple(found)


def _source(row: Mapping[str, Any]) -> Source:
    return Source(
        id=row["id"],
        title=row["title"],
        publisher=row["publisher"],
        year=row["year"],
        url=row["url"],
        found_at=row["found_at"],
        locators=tuple(row["locators"]),
        confirmed=row["confirmed"],
        note=row["note"],
    )
