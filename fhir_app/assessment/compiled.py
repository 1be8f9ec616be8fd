"""The rules of an intake as functions, made once for each intake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from fhir_app.knowledge.answers import Answers, State
from fhir_app.knowledge.criteria import (
    Criterion,
    Missing,
    Reading,
    Test,
    Ticked,
    Unanswered,
    branches,
    compile_criterion,
    gate,
    leaves,
    link_ids,
)
from fhir_app.knowledge.intake import Cause, Evidence, Floor, Hint, Intake, RedFlag, Rule, Trigger, Variant


@dataclass(frozen=True)
class Branch:
    """One row as read: fires when `when` is yes, or when it is unknown while `gate` is yes."""

    when: Test
    gate: Test


@dataclass(frozen=True)
class CompiledFlag:
    flag: RedFlag
    branches: tuple[Branch, ...]
    strict: Test
    link_ids: frozenset[str]


@dataclass(frozen=True)
class CompiledEvidence:
    evidence: Evidence
    when: Test
    link_ids: frozenset[str]


@dataclass(frozen=True)
class CompiledFloor:
    floor: Floor
    when: Test | None


@dataclass(frozen=True)
class CompiledCause:
    cause: Cause
    required: Test
    ceiling_lifted: Test | None
    evidence: tuple[CompiledEvidence, ...]
    variants: tuple[tuple[Variant, Test], ...]
    floors: tuple[CompiledFloor, ...]


@dataclass(frozen=True)
class CompiledIntake:
    """Everything of an intake that has a criterion, with the function that reads it."""

    intake: Intake
    flags: tuple[CompiledFlag, ...]
    triggers: tuple[tuple[Trigger, tuple[Branch, ...]], ...]
    causes: tuple[CompiledCause, ...]
    hints: tuple[tuple[Hint, Test], ...]
    none_fits_floors: tuple[CompiledFloor, ...]
    weak_leaders: Mapping[str, Test | None]
    askable: tuple[str, ...]


@lru_cache(maxsize=32)
def compiled(intake: Intake) -> CompiledIntake:
    """The compiled form of an intake (kept by identity of the intake)."""
    reading = intake.reading

    def rule(rule: Rule, missing: Missing = Missing.RULE) -> Test:
        return compile_criterion(rule.tree, missing, reading)

    none_fits = intake.scoring.none_fits
    causes = tuple(_cause(cause, reading) for cause in intake.causes)
    return CompiledIntake(
        intake=intake,
        flags=tuple(_flag(flag, reading) for flag in intake.red_flags),
        triggers=tuple((trigger, _branches(trigger.when.tree, reading)) for trigger in intake.triggers),
        causes=causes,
        hints=tuple((hint, rule(hint.when)) for hint in intake.hints),
        none_fits_floors=_floors(none_fits.floors, reading),
        weak_leaders={
            cause_id: None if unless is None else rule(unless) for cause_id, unless in none_fits.weak_leaders.items()
        },
        askable=_askable(intake, causes),
    )


def _branches(tree: Criterion, reading: Reading) -> tuple[Branch, ...]:
    return tuple(
        Branch(compile_criterion(row, Missing.RULE, reading), compile_criterion(gate(row), Missing.RULE, reading))
        for row in branches(tree)
    )


def _flag(flag: RedFlag, reading: Reading) -> CompiledFlag:
    tree = flag.when.tree
    return CompiledFlag(
        flag, _branches(tree, reading), compile_criterion(tree, Missing.STRICT, reading), link_ids(tree)
    )


def _floors(floors: tuple[Floor, ...], reading: Reading) -> tuple[CompiledFloor, ...]:
    return tuple(
        CompiledFloor(floor, None if floor.when is None else compile_criterion(floor.when.tree, Missing.RULE, reading))
        for floor in floors
    )


def _cause(cause: Cause, reading: Reading) -> CompiledCause:
    lifted = cause.ceiling_lifted
    return CompiledCause(
        cause=cause,
        required=compile_criterion(cause.required.tree, Missing.SHOWN, reading),
        ceiling_lifted=None if lifted is None else compile_criterion(lifted.tree, Missing.RULE, reading),
        evidence=tuple(
            CompiledEvidence(
                item, compile_criterion(item.when.tree, Missing.STRICT, reading), link_ids(item.when.tree)
            )
            for item in cause.evidence
        ),
        variants=tuple(
            (variant, compile_criterion(variant.when.tree, Missing.RULE, reading)) for variant in cause.variants
        ),
        floors=_floors(cause.floors, reading),
    )


def _askable(intake: Intake, causes: tuple[CompiledCause, ...]) -> tuple[str, ...]:
    """Questions that bear on the ranking, in the order of the form."""
    used = {link_id for cause in causes for item in cause.evidence for link_id in item.link_ids}
    return tuple(link_id for link_id in intake.questionnaire.by_link_id if link_id in used)


def gaps_of(answers: Answers, reading: Reading) -> frozenset[str]:
    """The questions without a usable answer: blank, undetermined, "not sure" or declined."""
    gaps = {link_id for link_id, state in answers.states.items() if state is not State.NOT_ASKED}
    for link_id in answers.answered:
        codes = answers.codes(link_id)
        if codes & reading.not_sure or codes & set((reading.declines or {}).get(link_id, ())):
            gaps.add(link_id)
    return frozenset(gaps)


def codes_read(criterion: Criterion) -> frozenset[tuple[str, str]]:
    """Every (question, option) that a tree names."""
    return frozenset(
        (leaf.link_id, code) for leaf in leaves(criterion) if isinstance(leaf, Ticked) for code in leaf.codes
    )


def asks_for_gap(criterion: Criterion) -> bool:
    """Whether the tree speaks of unanswered questions themselves."""
    return any(isinstance(leaf, Unanswered) for leaf in leaves(criterion))
