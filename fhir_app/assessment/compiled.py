"""The rules of an intake as functions, made once for each intake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fhir_app.assessment.assessment import RedFlagFinding
from fhir_app.assessment.because import Because, compile_because, sources_of
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.compile_criteria import Test, compile_criterion
from fhir_app.knowledge.criteria import (
    And,
    Compare,
    Criterion,
    Exists,
    Leaf,
    Named,
    Ticked,
    Unanswered,
    branches,
    by_code,
    gate,
    leaves,
    link_ids,
)
from fhir_app.knowledge.intake import Basis, Cause, Evidence, Floor, Hint, Intake, RedFlag, Rule, Trigger, Variant
from fhir_app.knowledge.missing_answers import Missing, Reading
from fhir_app.knowledge.reachability import shown_when
from fhir_app.knowledge.truth import NO, Truth

Sign = str | tuple[str, str | None]
"""What a rule may turn on: a gap in a question, one of its options, or its value (None)."""

EvidenceConstant = tuple[str, str, Literal["for", "against"], int, str, Basis, str | None, tuple[str, ...]]

_NONE: frozenset[str] = frozenset()


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
    because: Because
    absent: RedFlagFinding


@dataclass(frozen=True, slots=True)
class CompiledEvidence:
    """`quiet`: what the criterion says as long as nothing turns it. `constant`: what a finding says of it whatever
    the answers, in the order of EvidenceFinding."""

    id: str
    key: tuple[str, str]
    signed_strength: int
    when: Test
    link_ids: frozenset[str]
    quiet: Truth
    because: Because
    constant: EvidenceConstant


@dataclass(frozen=True)
class CompiledTrigger:
    """A trigger reads every gap as "no", so that an exclusion which was not affirmed does not stop it."""

    trigger: Trigger
    when: Test
    because: Because
    link_ids: frozenset[str]
    sources: tuple[str, ...]


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
    triggers: tuple[CompiledTrigger, ...]
    causes: tuple[CompiledCause, ...]
    hints: tuple[tuple[Hint, Test], ...]
    none_fits_floors: tuple[CompiledFloor, ...]
    weak_leaders: Mapping[str, Test | None]
    askable: tuple[str, ...]
    turned_by: Mapping[Sign, frozenset[str]]
    opened_by: Mapping[str, tuple[tuple[str, Test], ...]]

    def turned(self, answers: Answers, gaps: frozenset[str]) -> frozenset[str]:
        """The ids of the red flags and the pieces of evidence that may differ from how they stand when nothing was
        asked. Only a gap, a value that is compared, and a ticked option can do that: an option that is not ticked
        says what "not asked" says, no. So the other rules need not be evaluated."""
        turned_by = self.turned_by
        found = [turned_by.get(link_id, _NONE) for link_id in gaps]
        for link_id in answers.answered:
            found.append(turned_by.get((link_id, None), _NONE))
            found.extend([turned_by.get((link_id, code), _NONE) for code in answers.codes(link_id)])
        return _NONE.union(*found)


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
        triggers=tuple(
            CompiledTrigger(
                trigger,
                rule(trigger.when, Missing.SHOWN),
                compile_because(trigger.when.tree, reading),
                link_ids(trigger.when.tree),
                sources_of(trigger.citations),
            )
            for trigger in intake.triggers
        ),
        causes=causes,
        hints=tuple((hint, rule(hint.when)) for hint in intake.hints),
        none_fits_floors=_floors(none_fits.floors, reading),
        weak_leaders={
            cause_id: None if unless is None else rule(unless) for cause_id, unless in none_fits.weak_leaders.items()
        },
        askable=_askable(intake, causes),
        turned_by=_turned_by(intake),
        opened_by=_opened_by(intake),
    )


def _branches(tree: Criterion, reading: Reading) -> tuple[Branch, ...]:
    return tuple(
        Branch(compile_criterion(row, Missing.RULE, reading), compile_criterion(gate(row), Missing.RULE, reading))
        for row in branches(tree)
    )


def _flag(flag: RedFlag, reading: Reading) -> CompiledFlag:
    tree = flag.when.tree
    absent = RedFlagFinding(
        id=flag.id,
        family=flag.family,
        status="absent",
        disposition=None,
        reported=False,
        by_gap=False,
        says=flag.says,
        advice=flag.advice,
        because=(),
        unanswered=(),
        basis=flag.basis,
        sources=sources_of(flag.citations),
    )
    strict = compile_criterion(tree, Missing.STRICT, reading)
    if strict(_NO_ANSWERS) is not NO:
        raise ValueError(f"{flag.id} would be present on an empty form")
    because = compile_because(tree, reading)
    return CompiledFlag(flag, _branches(tree, reading), strict, link_ids(tree), because, absent)


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
        evidence=tuple(_evidence(item, reading) for item in cause.evidence),
        variants=tuple(
            (variant, compile_criterion(variant.when.tree, Missing.RULE, reading)) for variant in cause.variants
        ),
        floors=_floors(cause.floors, reading),
    )


def _evidence(item: Evidence, reading: Reading) -> CompiledEvidence:
    tree = item.when.tree
    when = compile_criterion(tree, Missing.STRICT, reading)
    return CompiledEvidence(
        id=item.id,
        key=(item.group, item.counts),
        signed_strength=item.strength if item.counts == "for" else -item.strength,
        when=when,
        link_ids=link_ids(tree),
        quiet=when(_NO_ANSWERS),
        because=compile_because(tree, reading),
        constant=(
            *(item.id, item.says, item.counts, item.strength, item.group, item.basis, item.figure),
            sources_of(item.citations),
        ),
    )


_NO_ANSWERS = Answers({})


def _turned_by(intake: Intake) -> Mapping[Sign, frozenset[str]]:
    """For everything that can turn a red flag or a piece of evidence, the ids of those that it can turn."""
    rules = [(flag.id, flag.when) for flag in intake.red_flags]
    rules += [(item.id, item.when) for cause in intake.causes for item in cause.evidence]
    found: dict[Sign, set[str]] = {}
    for rule_id, rule in rules:
        for leaf in leaves(rule.tree):
            for sign in _signs(leaf):
                found.setdefault(sign, set()).add(rule_id)
    return {sign: frozenset(ids) for sign, ids in found.items()}


def _signs(leaf: Leaf | Named) -> tuple[Sign, ...]:
    match leaf:
        case Ticked(link_id, codes, _):
            return (link_id, *((link_id, code) for code in codes))
        case Compare(link_id, _, _) | Exists(link_id, _):
            return (link_id, (link_id, None))
        case Unanswered(link_id):
            return (link_id,)
        case Named(name):
            raise ValueError(f"@{name} must be expanded before it is compiled")


def _opened_by(intake: Intake) -> Mapping[str, tuple[tuple[str, Test], ...]]:
    """For each question, the questions whose being shown depends on it, each with the strict reading of its
    conditions (its own and those of the groups around it)."""
    opened: dict[str, list[tuple[str, Test]]] = {}
    for link_id, conditions in shown_when(intake.questionnaire).items():
        if conditions and intake.questionnaire.by_link_id[link_id].is_question:
            tree = And(conditions)
            test = compile_criterion(by_code(tree), Missing.STRICT, intake.reading)
            for asked in link_ids(tree):
                opened.setdefault(asked, []).append((link_id, test))
    return {link_id: tuple(found) for link_id, found in opened.items()}


def _askable(intake: Intake, causes: tuple[CompiledCause, ...]) -> tuple[str, ...]:
    """Questions that bear on the ranking, in the order of the form."""
    used = {link_id for cause in causes for item in cause.evidence for link_id in item.link_ids}
    return tuple(link_id for link_id in intake.questionnaire.by_link_id if link_id in used)
