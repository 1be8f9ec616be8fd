"""Whether what the rules read is there, and whether what the form asks is read."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.criteria import Compare, Criterion, Leaf, Named, Ticked, leaves
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.questionnaire import Item, Questionnaire
from fhir_app.knowledge.rules import Place, every_rule


def dead_links(intake: Intake) -> Iterator[tuple[Place, str]]:
    for place, _, rule in every_rule(intake):
        for message in _dead_links_of(rule.tree, intake.questionnaire):
            yield place, message
    asked = [intake.age_link_id, *intake.reading.core, *intake.scoring.needed, *(intake.reading.declines or {})]
    for link_id in asked:
        if link_id not in intake.questionnaire.by_link_id:
            yield ("intake.yaml", ()), f"the questionnaire has no item {link_id!r}"


def _dead_links_of(tree: Criterion, questionnaire: Questionnaire) -> Iterator[str]:
    for leaf in leaves(tree):
        if isinstance(leaf, Named):
            continue
        item = questionnaire.by_link_id.get(leaf.link_id)
        if item is None:
            yield f"the questionnaire has no item {leaf.link_id!r}"
        else:
            yield from _misfits(leaf, item)


def _misfits(leaf: Leaf, item: Item) -> Iterator[str]:
    """Why a leaf does not fit its question: options that are not there, an operator that its type does not take."""
    if isinstance(leaf, Ticked):
        options = {option.value.code for option in item.options if isinstance(option.value, Coding)}
        for code in leaf.codes:
            if code not in options:
                yield f"{leaf.link_id!r} has no option {code!r}"
        if leaf.at_least > 1 and not item.repeats:
            yield f"{leaf.link_id!r} takes one answer only"
        if leaf.at_least > len(leaf.codes):
            yield f"{leaf.at_least} of {len(leaf.codes)} options can never be ticked"
    elif isinstance(leaf, Compare) and item.type not in ("integer", "decimal", "quantity"):
        yield f"{leaf.link_id!r} is no number"


def unused_options(intake: Intake) -> Iterator[tuple[Place, str]]:
    """Every option is read by a rule, opens a question, or is declared to be for the clinician's eyes only."""
    place: Place = ("intake.yaml", ("descriptive",))
    rules = [rule.tree for _, _, rule in every_rule(intake)]
    rules += [item.enable_when for item in intake.questionnaire.by_link_id.values() if item.enable_when is not None]
    read = {
        (leaf.link_id, code)
        for tree in rules
        for leaf in leaves(tree)
        if not isinstance(leaf, Named)
        for code in _codes_read(leaf)
    }
    silent = intake.reading.not_sure | {"none"}
    known = set()
    for item in intake.questionnaire.by_link_id.values():
        codes = {option.value.code for option in item.options if isinstance(option.value, Coding)}
        known |= {item.link_id, *(f"{item.link_id}/{code}" for code in codes)}
        if item.link_id in intake.descriptive:
            continue
        for code in sorted(str(code) for code in codes - silent):
            if (item.link_id, code) not in read and f"{item.link_id}/{code}" not in intake.descriptive:
                yield place, f"no rule reads {item.link_id}/{code}, and it is not declared descriptive"
    for name in sorted(intake.descriptive - known):
        yield place, f"the questionnaire has no {name!r}"


def _codes_read(leaf: Leaf) -> tuple[str, ...]:
    if isinstance(leaf, Ticked):
        return leaf.codes
    if isinstance(leaf, Compare) and isinstance(leaf.value, Coding) and leaf.value.code is not None:
        return (leaf.value.code,)
    return ()
