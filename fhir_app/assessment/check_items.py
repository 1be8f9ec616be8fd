"""The walk through a Questionnaire with what a response holds: what is shown, missing, disabled; how each question
stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fhir_app.assessment.form import Form, FormItem, Scope, nearest
from fhir_app.assessment.gather import Gathering, Level, Occurrence, noun
from fhir_app.assessment.option_membership import option_key
from fhir_app.errors import Issue, Severity
from fhir_app.knowledge.answers import BLANK, UNDETERMINED, State
from fhir_app.knowledge.truth import NO, YES

Shown = Literal["yes", "no", "undetermined", "untold"]
"""Whether a person sees an item. `untold`: its condition is not evaluated here, or rests on an answer that cannot be
read, so nobody can say, and the item is neither demanded nor refused."""

Demand = Literal["error", "warning"] | None
"""How much it matters that a required item is missing."""


@dataclass(slots=True)
class _Walk:
    demand: Demand
    empty: Mapping[tuple[str, str], str]
    issues: list[Issue] = field(default_factory=list)

    def report(self, code: str, text: str, path: str, form_item: FormItem, severity: Severity = "error") -> None:
        said = f"{noun(form_item)} {text}."
        self.issues.append(Issue(severity, code, said, path, form_item.link_id, form_item.item.text))


def check_items(form: Form, gathering: Gathering, *, held_to_required: bool) -> tuple[Issue, ...]:
    """Sets the state of every question in the gathering's scopes and returns what is wrong with the whole."""
    before: dict[str, State] = {}
    rounds = len(form.every) + 1 if form.read_ahead else 1
    walk = _Walk("error" if held_to_required else None, gathering.empty)
    for _ in range(rounds):
        # A condition may read the state of a question that comes later: repeat until those were read as they are.
        walk = _Walk("error" if held_to_required else None, gathering.empty)
        _level(walk, form.items, gathering.top, "QuestionnaireResponse", (gathering.root,), walk.demand)
        states = {link_id: state for link_id, state in gathering.root.states.items() if link_id in form.read_ahead}
        if states == before:
            break
        before = states
    return tuple(walk.issues)


def _level(
    walk: _Walk, items: tuple[FormItem, ...], found: Level, path: str, scopes: tuple[Scope, ...], demand: Demand
) -> None:
    unread = scopes[0].unread
    for form_item in items:
        occurrences = found.get(form_item.link_id)
        shown = _shown(form_item, scopes)
        if shown == "yes" or (shown == "untold" and occurrences):
            demanded = shown == "yes" and not (unread and _rests_on_unread(form_item, scopes))
            _shown_item(walk, form_item, occurrences, path, scopes, demand if demanded else None)
            continue
        if occurrences:
            _disabled_item(walk, form_item, occurrences)
        if shown != "no":
            _leave_undetermined((form_item,), scopes[-1])


def _shown(form_item: FormItem, scopes: tuple[Scope, ...]) -> Shown:
    if form_item.item.condition_unread:
        return "untold"
    if form_item.shown is None or form_item.strict is None:
        return "yes"
    answers = nearest(form_item, scopes)
    # What holds or fails even though gaps are unknown does so when they are read as "no": the usual case, told first.
    known = form_item.strict(answers)
    if known is NO:
        return "no"
    if known is YES or form_item.shown(answers) is YES:
        return "yes"
    return "untold" if _rests_on_unread(form_item, scopes) else "undetermined"


def _rests_on_unread(form_item: FormItem, scopes: tuple[Scope, ...]) -> bool:
    """Whether the condition reads an answer that cannot be read in full."""
    return not form_item.looks_in.keys().isdisjoint(nearest(form_item, scopes).unread)


def _shown_item(
    walk: _Walk,
    form_item: FormItem,
    occurrences: list[Occurrence] | None,
    path: str,
    scopes: tuple[Scope, ...],
    demand: Demand,
) -> None:
    item = form_item.item
    if not occurrences:
        if demand is not None and item.required:
            here = walk.empty.get((path, item.link_id), path)
            walk.report("required", "is required, but not answered", here, form_item, demand)
        if item.is_question:
            scopes[-1].settle(item.link_id, BLANK)
            _leave_undetermined(form_item.children, scopes[-1])
        elif item.type == "group":
            inner = (*scopes, Scope(scopes[-1])) if form_item.is_container else scopes
            _level(walk, form_item.children, {}, path, inner, _demand_inside(form_item, demand))
        return
    _occurs(walk, form_item, occurrences, demand)
    for occurrence in occurrences:
        if item.is_question:
            if not occurrence.values:
                scopes[-1].settle(item.link_id, BLANK)
            _exclusive(walk, form_item, occurrence)
        for scope, level, here in occurrence.inside:
            inner = (*scopes, scope) if form_item.is_container else scopes
            _level(walk, form_item.children, level, here, inner, walk.demand)


def _demand_inside(group: FormItem, demand: Demand) -> Demand:
    """What is demanded inside a group that is not there. HL7's validator asks for its questions only when it is itself
    required; a group that cannot repeat was most likely left out by mistake, so its questions are warned of."""
    if demand is None or group.item.required:
        return demand
    return None if group.item.repeats else "warning"


def _occurs(walk: _Walk, form_item: FormItem, occurrences: list[Occurrence], demand: Demand) -> None:
    least, most = form_item.min_occurs, form_item.max_occurs
    if not least and most is None:
        return
    is_question = form_item.item.is_question
    count = sum(o.answers for o in occurrences) if is_question else len(occurrences)
    what = "answers" if is_question else "repetitions"
    if demand is not None and count < least:
        walk.report("required", f"has fewer than {least} {what}", occurrences[0].path, form_item)
    if most is not None and count > most:
        walk.report("business-rule", f"has more than {most} {what}", occurrences[0].path, form_item)


def _exclusive(walk: _Walk, form_item: FormItem, occurrence: Occurrence) -> None:
    # https://hl7.org/fhir/R4/extension-questionnaire-optionexclusive.html
    if occurrence.answers < 2 or not form_item.exclusive:
        return
    if any(option_key(value) in form_item.exclusive for value in occurrence.values):
        text = "has an option that excludes all others, together with others"
        walk.report("business-rule", text, occurrence.path, form_item)


def _disabled_item(walk: _Walk, form_item: FormItem, occurrences: list[Occurrence]) -> None:
    for occurrence in occurrences:
        walk.report("invariant", "is answered, but its condition is not met", occurrence.path, form_item)


def _leave_undetermined(items: tuple[FormItem, ...], scope: Scope) -> None:
    for form_item in items:
        if form_item.item.is_question:
            scope.settle(form_item.link_id, UNDETERMINED)
        _leave_undetermined(form_item.children, scope)
