"""Small wrong changes to the knowledge, one at a time: what a slip of an editor's hand would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.criteria import And, Compare, Criterion, Named, Not, Or, Ticked, expand, leaves
from fhir_app.knowledge.criteria_text import parse_criterion
from fhir_app.knowledge.intake import Cause, Disposition, Floor, Intake, Rule, Urgency, Where
from fhir_app.knowledge.questionnaire import Questionnaire

LEVELS = (
    Disposition(Urgency.SELF_CARE),
    Disposition(Urgency.ROUTINE),
    Disposition(Urgency.SOON),
    Disposition(Urgency.SAME_DAY, Where.CLINIC),
    Disposition(Urgency.SAME_DAY, Where.HOSPITAL),
    Disposition(Urgency.EMERGENCY),
)


@dataclass(frozen=True)
class Mutant:
    """`rule`: what was changed. `kind`: what sort of rule that is. `change`: what was done, in words.

    `tree`: the changed criterion, expanded, where it was one, so that cases which cannot tell the difference need
    not be played. `touches`: otherwise, the finding without which a case cannot tell."""

    rule: str
    kind: str
    change: str
    intake: Callable[[], Intake]
    tree: Criterion | None = None
    touches: tuple[str, str] | None = None


def mutants(intake: Intake) -> Iterator[Mutant]:
    """Every mutant of every rule, in the order of the files."""
    yield from _of_criteria(intake)
    yield from _of_flags(intake)
    yield from _of_evidence(intake)
    yield from _of_floors(intake)
    yield from _of_numbers(intake)


# --- criteria -----------------------------------------------------------------------------------------------------


def _of_criteria(intake: Intake) -> Iterator[Mutant]:
    conditions = {name: parse(rule.text) for name, rule in intake.conditions.items()}
    for name, kind, rule in rules(intake):
        for change, tree in changed(parse(rule.text), intake.questionnaire):
            if kind == "condition":
                others = {**conditions, name.removeprefix("@"): tree}
                yield Mutant(name, kind, change, _with_conditions(intake, others))
            else:
                expanded = expand(tree, conditions)
                yield Mutant(name, kind, change, _with_rule(intake, name, Rule(rule.text, expanded)), tree=expanded)


@lru_cache(maxsize=4096)
def parse(text: str) -> Criterion:
    return parse_criterion(text)


def changed(tree: Criterion, questionnaire: Questionnaire) -> Iterator[tuple[str, Criterion]]:
    """Every tree that differs in one place, with what was done there."""
    yield from _here(tree, questionnaire)
    match tree:
        case And(terms) | Or(terms):
            for i, term in enumerate(terms):
                for change, other in changed(term, questionnaire):
                    yield change, type(tree)((*terms[:i], other, *terms[i + 1 :]))
        case Not(term):
            for change, other in changed(term, questionnaire):
                yield change, Not(other)


def _here(tree: Criterion, questionnaire: Questionnaire) -> Iterator[tuple[str, Criterion]]:
    match tree:
        case And(terms) | Or(terms):
            word, other = ("AND", Or) if isinstance(tree, And) else ("OR", And)
            yield f"{word} made {'OR' if word == 'AND' else 'AND'}", other(terms)
            for i, term in enumerate(terms):
                left = (*terms[:i], *terms[i + 1 :])
                yield f"{word} without {told(term)}", left[0] if len(left) == 1 else type(tree)(left)
        case Not(term):
            yield f"NOT dropped before {told(term)}", term
        case Ticked():
            yield f"NOT put before {told(tree)}", Not(tree)
            yield from _other_options(tree, questionnaire)
        case Compare(link_id, operator, value) if isinstance(value, int):
            yield f"NOT put before {told(tree)}", Not(tree)
            for step in (-1, 1):
                yield f"{told(tree)} by {step:+}", Compare(link_id, operator, value + step)
        case _:
            yield f"NOT put before {told(tree)}", Not(tree)


def _other_options(leaf: Ticked, questionnaire: Questionnaire) -> Iterator[tuple[str, Criterion]]:
    item = questionnaire.by_link_id[leaf.link_id]
    spare = [o.value.code for o in item.options if isinstance(o.value, Coding) and o.value.code not in leaf.codes]
    for i, code in enumerate(leaf.codes):
        others = (*leaf.codes[:i], *leaf.codes[i + 1 :])
        if spare and spare[0] is not None:
            yield f"{leaf.link_id}: {code} made {spare[0]}", replace(leaf, codes=(*others, spare[0]))
        if len(others) >= max(1, leaf.at_least):
            yield f"{leaf.link_id}: without {code}", replace(leaf, codes=others)
    if leaf.at_least > 1:
        yield f"{told(leaf)}: one fewer", replace(leaf, at_least=leaf.at_least - 1)
    if 1 < leaf.at_least < len(leaf.codes):
        yield f"{told(leaf)}: one more", replace(leaf, at_least=leaf.at_least + 1)


def told(tree: Criterion) -> str:
    """A short name for a tree."""
    match tree:
        case Ticked(link_id, codes, _):
            return f"{link_id} {{{', '.join(codes)}}}"
        case Compare(link_id, operator, value):
            return f"{link_id} {operator} {value}"
        case Named(name):
            return f"@{name}"
        case And(terms) | Or(terms):
            return f"({(' AND ' if isinstance(tree, And) else ' OR ').join(told(term) for term in terms)})"
        case Not(term):
            return f"NOT {told(term)}"
        case _:
            return f"{tree.link_id} {type(tree).__name__.lower()}"


# --- rules of an intake, by name ----------------------------------------------------------------------------------


def rules(intake: Intake) -> Iterator[tuple[str, str, Rule]]:
    """Every rule once: its name, its kind, and the rule."""
    found: dict[str, tuple[str, Rule]] = {}

    def note(name: str, kind: str, rule: Rule) -> Rule:
        found.setdefault(name, (kind, rule))
        return rule

    with_rules(intake, note)
    for name, (kind, rule) in found.items():
        yield name, kind, rule


Change = Callable[[str, str, Rule], Rule]


def _with_rule(intake: Intake, name: str, rule: Rule) -> Callable[[], Intake]:
    return lambda: with_rules(intake, lambda other, _, before: rule if other == name else before)


def _with_conditions(intake: Intake, conditions: dict[str, Criterion]) -> Callable[[], Intake]:
    def change(_: str, __: str, rule: Rule) -> Rule:
        tree = parse(rule.text)
        if any(isinstance(leaf, Named) for leaf in leaves(tree)):
            return Rule(rule.text, expand(tree, conditions))
        return rule

    def make() -> Intake:
        expanded = {
            name: Rule(intake.conditions[name].text, expand(tree, conditions)) for name, tree in conditions.items()
        }
        return replace(with_rules(intake, change), conditions=expanded)

    return make


def with_rules(intake: Intake, change: Change) -> Intake:
    """The intake with every rule passed through `change(name, kind, rule)`."""
    scoring = intake.scoring
    none_fits = replace(
        scoring.none_fits,
        floors=_floors(scoring.none_fits.id, scoring.none_fits.floors, change),
        weak_leaders={
            cause: None if rule is None else change(f"weak-leader {cause}", "scoring", rule)
            for cause, rule in scoring.none_fits.weak_leaders.items()
        },
    )
    return replace(
        intake,
        conditions={name: change(f"@{name}", "condition", rule) for name, rule in intake.conditions.items()},
        red_flags=tuple(replace(flag, when=change(flag.id, "red flag", flag.when)) for flag in intake.red_flags),
        triggers=tuple(replace(t, when=change(t.id, "trigger", t.when)) for t in intake.triggers),
        causes=tuple(_cause(cause, change) for cause in intake.causes),
        hints=tuple(replace(hint, when=change(hint.id, "hint", hint.when)) for hint in intake.hints),
        scoring=replace(scoring, none_fits=none_fits),
    )


def _cause(cause: Cause, change: Change) -> Cause:
    lifted = cause.ceiling_lifted
    return replace(
        cause,
        required=change(f"{cause.id}/required", "required", cause.required),
        ceiling_lifted=None if lifted is None else change(f"{cause.id}/ceiling", "ceiling", lifted),
        evidence=tuple(replace(item, when=change(item.id, "evidence", item.when)) for item in cause.evidence),
        variants=tuple(replace(v, when=change(f"{cause.id}/{v.id}", "variant", v.when)) for v in cause.variants),
        floors=_floors(cause.id, cause.floors, change),
    )


def _floors(owner: str, floors: tuple[Floor, ...], change: Change) -> tuple[Floor, ...]:
    return tuple(
        floor if floor.when is None else replace(floor, when=change(f"{owner}/floor-{i}", "floor", floor.when))
        for i, floor in enumerate(floors, start=1)
    )


# --- urgencies, strengths, numbers --------------------------------------------------------------------------------


def _other_levels(before: Disposition) -> Iterator[Disposition]:
    at = LEVELS.index(before)
    yield from (LEVELS[other] for other in (at - 1, at + 1) if 0 <= other < len(LEVELS))


def _level(disposition: Disposition) -> str:
    return f"{disposition.urgency.word} {disposition.where.word if disposition.where else ''}".strip()


def _of_flags(intake: Intake) -> Iterator[Mutant]:
    for i, flag in enumerate(intake.red_flags):

        def made(i: int = i, **change: Disposition | None) -> Callable[[], Intake]:
            rows = intake.red_flags
            return lambda: replace(intake, red_flags=(*rows[:i], replace(rows[i], **change), *rows[i + 1 :]))  # type: ignore[arg-type]

        for level in _other_levels(flag.disposition):
            said = f"urgency {_level(flag.disposition)} made {_level(level)}"
            yield Mutant(flag.id, "urgency of a flag", said, made(disposition=level), touches=("present", flag.id))
        if flag.blank is not None:
            for other in (*_other_levels(flag.blank), None):
                said = f"blank {_level(flag.blank)} made {'nothing' if other is None else _level(other)}"
                yield Mutant(flag.id, "blank of a flag", said, made(blank=other), touches=("by gap", flag.id))
    for i, trigger in enumerate(intake.triggers):
        for level in _other_levels(trigger.disposition):
            others = (*intake.triggers[:i], replace(trigger, disposition=level), *intake.triggers[i + 1 :])
            said = f"urgency {_level(trigger.disposition)} made {_level(level)}"
            yield Mutant(
                trigger.id, "urgency of a trigger", said, lambda others=others: replace(intake, triggers=others),  # type: ignore[misc]
                touches=("present", trigger.id),
            )  # fmt: skip


def _of_evidence(intake: Intake) -> Iterator[Mutant]:
    for i, cause in enumerate(intake.causes):
        for j, item in enumerate(cause.evidence):

            def made(i: int = i, j: int = j, **change: object) -> Callable[[], Intake]:
                before = intake.causes[i]
                evidence = (*before.evidence[:j], replace(before.evidence[j], **change), *before.evidence[j + 1 :])  # type: ignore[arg-type]
                causes = (*intake.causes[:i], replace(before, evidence=evidence), *intake.causes[i + 1 :])
                return lambda: replace(intake, causes=causes)

            turned = "against" if item.counts == "for" else "for"
            touches = ("evidence", item.id)
            yield Mutant(item.id, "strength", f"counts {turned}", made(counts=turned), touches=touches)
            for strength in {max(1, item.strength - 1), min(3, item.strength + 1)} - {item.strength}:
                said = f"strength {item.strength} made {strength}"
                yield Mutant(item.id, "strength", said, made(strength=strength), touches=touches)


def _of_floors(intake: Intake) -> Iterator[Mutant]:
    for i, cause in enumerate(intake.causes):
        for j, floor in enumerate(cause.floors):
            for level in _other_levels(floor.disposition):
                floors = (*cause.floors[:j], replace(floor, disposition=level), *cause.floors[j + 1 :])
                causes = (*intake.causes[:i], replace(cause, floors=floors), *intake.causes[i + 1 :])
                said = f"{_level(floor.disposition)} made {_level(level)}"
                yield Mutant(
                    f"{cause.id}/floor-{j + 1}", "urgency of a floor", said,
                    lambda causes=causes: replace(intake, causes=causes), touches=("first", cause.id),  # type: ignore[misc]
                )  # fmt: skip


def _of_numbers(intake: Intake) -> Iterator[Mutant]:
    scoring = intake.scoring
    for name in ("likely_score", "likely_groups", "possible_score", "without_required"):
        for step in (-1, 1):
            other = replace(scoring, **{name: getattr(scoring, name) + step})
            yield Mutant(name, "number", f"by {step:+}", lambda other=other: replace(intake, scoring=other))  # type: ignore[misc]
    for step in (-1, 1):
        none_fits = replace(scoring.none_fits, second_up_to=scoring.none_fits.second_up_to + step)
        changed_scoring = replace(scoring, none_fits=none_fits)
        yield Mutant(
            "second_up_to", "number", f"by {step:+}", lambda other=changed_scoring: replace(intake, scoring=other)  # type: ignore[misc]
        )  # fmt: skip
        older = replace(intake, adult_from=intake.adult_from + step)
        yield Mutant("adult_from", "number", f"by {step:+}", lambda older=older: older)  # type: ignore[misc]
        for i, cause in enumerate(intake.causes):
            if cause.ceiling is not None:
                causes = (*intake.causes[:i], replace(cause, ceiling=cause.ceiling + step), *intake.causes[i + 1 :])
                yield Mutant(
                    f"{cause.id}/ceiling", "number", f"by {step:+}",
                    lambda causes=causes: replace(intake, causes=causes),  # type: ignore[misc]
                )  # fmt: skip
