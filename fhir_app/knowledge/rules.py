"""Every criterion of an intake, with its place in the files."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_app.knowledge.intake import Cause, Intake, Rule
from fhir_app.knowledge.strict_yaml import KeyPath

Place = tuple[str, KeyPath]


def every_rule(intake: Intake) -> Iterator[tuple[Place, str, Rule]]:
    """Every criterion of the intake: its place, what it is for, and the rule."""
    flags, causes = "red_flags.yaml", "causes.yaml"
    for i, (name, rule) in enumerate(intake.conditions.items()):
        yield ("intake.yaml", ("conditions", i, "when")), f"@{name}", rule
    for i, flag in enumerate(intake.red_flags):
        yield (flags, ("red_flags", i, "when")), flag.id, flag.when
    for i, trigger in enumerate(intake.triggers):
        yield (flags, ("triggers", i, "when")), trigger.id, trigger.when
    for i, cause in enumerate(intake.causes):
        yield from _rules_of_cause(cause, (causes, ("causes", i)))
    for i, hint in enumerate(intake.hints):
        yield (causes, ("hints", i, "when")), hint.id, hint.when
    none_fits = intake.scoring.none_fits
    for i, floor in enumerate(none_fits.floors):
        if floor.when is not None:
            yield (causes, ("scoring", "none_fits", "floors", i, "when")), none_fits.id, floor.when


def _rules_of_cause(cause: Cause, place: Place) -> Iterator[tuple[Place, str, Rule]]:
    file, at = place
    yield (file, (*at, "required", "when")), f"{cause.id} required", cause.required
    if cause.ceiling_lifted is not None:
        yield (file, (*at, "ceiling", "lifted_when")), f"{cause.id} ceiling", cause.ceiling_lifted
    for i, floor in enumerate(cause.floors):
        if floor.when is not None:
            yield (file, (*at, "floors", i, "when")), f"{cause.id} floor", floor.when
    for i, variant in enumerate(cause.variants):
        yield (file, (*at, "variants", i, "when")), variant.id, variant.when
    for i, item in enumerate(cause.evidence):
        yield (file, (*at, "evidence", i, "when")), item.id, item.when
