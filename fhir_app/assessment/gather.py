"""The walk through a QuestionnaireResponse: linkIds, nesting, types of answers; gathers what was answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_app.assessment.form import Form, FormItem, Scope
from fhir_app.assessment.refused_answers import NOTHING_SAID, Refused, still_said
from fhir_app.errors import Issue, Severity
from fhir_app.knowledge.answers import AnswerValue

CheckAnswer = Callable[[FormItem, str, Any, AnswerValue], tuple[tuple[Severity, str, str, str], ...]]
"""Item, key (valueCoding), raw JSON and value of one answer -> severity, IssueType, text and place of what is wrong."""


@dataclass(slots=True)
class Occurrence:
    """One item of the response with content. `inside` holds, for a group, its own items, and for a question the
    items under each answer; each with the scope that they are in."""

    path: str
    answers: int
    values: list[AnswerValue]
    inside: list[tuple[Scope, Level, str]]


_ANSWER = "The answer"

Level = dict[str, list[Occurrence]]


@dataclass(slots=True)
class Gathering:
    """What the walk found: `top` for the walk through the Questionnaire, `root` with every answer, and the issues.
    `empty`: path of the parent and linkId of each item that is there without content -> its own path."""

    form: Form
    check_answer: CheckAnswer
    empty: dict[tuple[str, str], str] = field(default_factory=dict)
    root: Scope = field(default_factory=lambda: Scope(None))
    top: Level = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def report(
        self,
        code: str,
        text: str,
        path: str,
        form_item: FormItem | None = None,
        severity: Severity = "error",
        subject: str | None = None,
    ) -> None:
        """`text` goes on from the subject, which is the item unless another is given."""
        link_id = form_item.link_id if form_item else None
        question = form_item.item.text if form_item else None
        said = f"{subject or noun(form_item)} {text}."
        self.issues.append(Issue(severity, code, said, path, link_id, question))


def noun(form_item: FormItem | None) -> str:
    """What an issue calls an item."""
    if form_item is None:
        return "The item"
    return "The question" if form_item.item.is_question else f"The {form_item.item.type}"


def gather(form: Form, questionnaire_response: Mapping[str, Any], check_answer: CheckAnswer) -> Gathering:
    """Walks the whole response. Takes any JSON object; never raises.

    Every answer to a question of the form is gathered, wherever it stands: under an item that is not enabled or whose
    condition rests on an answer that cannot be read, at another place than in the form, and inside an item that the
    form does not have. Rules read it as any other answer, because a red flag may be among them.
    """
    gathering = Gathering(form, check_answer)
    _modifiers(gathering, questionnaire_response, "QuestionnaireResponse", None)
    gathering.top = _items(gathering, questionnaire_response, form.by_link_id, "QuestionnaireResponse", gathering.root)
    return gathering


def _modifiers(gathering: Gathering, element: Mapping[str, Any], path: str, form_item: FormItem | None) -> None:
    # https://hl7.org/fhir/R4/extensibility.html#modifierExtension: what is not understood must not be processed.
    if element.get("modifierExtension"):
        text = "has a modifier extension that is not understood here"
        subject = "The response" if form_item is None else None
        gathering.report("extension", text, f"{path}.modifierExtension", form_item, subject=subject)


def _items(
    gathering: Gathering, element: Mapping[str, Any], expected: Mapping[str, FormItem], path: str, scope: Scope
) -> Level:
    level: Level = {}
    raw_items = element.get("item")
    if raw_items is None:
        return level
    if not isinstance(raw_items, list):
        gathering.report("structure", "must be in a list", f"{path}.item")
        return level
    last = -1
    counts: dict[str, list[str]] = {}
    for index, raw in enumerate(raw_items):
        here = f"{path}.item[{index}]"
        form_item = _form_item(gathering, raw, expected, here)
        if form_item is None:
            for link_id, occurrences in _inside_unknown(gathering, raw, expected, here, scope).items():
                level.setdefault(link_id, []).extend(occurrences)
            continue
        occurrence = _occurrence(gathering, raw, form_item, here, scope)
        if form_item.link_id not in expected:
            continue
        if form_item.position < last:
            text = "stands before an item that comes earlier in the Questionnaire"
            gathering.report("structure", text, here, form_item, "warning")
        last = max(last, form_item.position)
        counts.setdefault(form_item.link_id, []).append(here)
        if occurrence.answers or occurrence.inside:
            level.setdefault(form_item.link_id, []).append(occurrence)
        else:
            gathering.empty[path, form_item.link_id] = here
    if len(counts) < len(raw_items):
        for link_id, paths in counts.items():
            if len(paths) > 1:
                _repeated(gathering, expected[link_id], paths[1])
    return level


def _inside_unknown(gathering: Gathering, raw: Any, expected: Mapping[str, FormItem], path: str, scope: Scope) -> Level:
    """What stands inside an item that the form does not have, read as if it stood in the place of that item."""
    level: Level = {}
    if not isinstance(raw, dict):
        return level
    answers = raw.get("answer")
    inside = [(raw, path)]
    if isinstance(answers, list):
        inside += [(answer, f"{path}.answer[{index}]") for index, answer in enumerate(answers)]
    for element, here in inside:
        if isinstance(element, dict) and "item" in element:
            for link_id, occurrences in _items(gathering, element, expected, here, scope).items():
                level.setdefault(link_id, []).extend(occurrences)
    return level


def _repeated(gathering: Gathering, form_item: FormItem, second: str) -> None:
    if not form_item.item.repeats:
        text = "stands more than once, but the Questionnaire does not let it repeat"
        gathering.report("structure", text, second, form_item)
    elif form_item.item.is_question:
        # https://hl7.org/fhir/R4/questionnaireresponse.html#notes: several answers are several `answer` of one item.
        text = "stands more than once; several answers to a question belong into one item"
        gathering.report("structure", text, second, form_item, "warning")


def _form_item(gathering: Gathering, raw: Any, expected: Mapping[str, FormItem], path: str) -> FormItem | None:
    if not isinstance(raw, dict):
        gathering.report("structure", "must be an object", path)
        return None
    link_id = raw.get("linkId")
    if not isinstance(link_id, str) or not link_id:
        gathering.report("required", "must have a linkId, as text", f"{path}.linkId")
        return None
    form_item = expected.get(link_id)
    if form_item is None:
        form_item = gathering.form.every.get(link_id)
        if form_item is None:
            gathering.report("not-found", "has a linkId that the Questionnaire does not have", f"{path}.linkId")
            return None
        gathering.report("structure", "stands at another place than in the Questionnaire", path, form_item)
    if "modifierExtension" in raw:
        _modifiers(gathering, raw, path, form_item)
    if "text" in raw:
        _text(gathering, raw["text"], path, form_item)
    return form_item


def _text(gathering: Gathering, text: Any, path: str, form_item: FormItem) -> None:
    if not isinstance(text, str):
        gathering.report("value", "has a text that is none", f"{path}.text", form_item)
    elif text not in form_item.words:
        said = "has a text that is neither the Questionnaire's nor one of its translations"
        gathering.report("value", said, f"{path}.text", form_item, "warning")


def _occurrence(
    gathering: Gathering, raw: Mapping[str, Any], form_item: FormItem, path: str, scope: Scope
) -> Occurrence:
    occurrence = Occurrence(path, 0, [], [])
    item_type = form_item.item.type
    if item_type == "group":
        inner = Scope(scope) if form_item.is_container else scope
        level = _items(gathering, raw, form_item.by_link_id, path, inner)
        if raw.get("item"):
            occurrence.inside.append((inner, level, path))
        if "answer" in raw:
            gathering.report("structure", "cannot have an answer", f"{path}.answer", form_item)
            occurrence.answers = 1
        return occurrence
    if "item" in raw:
        is_question = form_item.item.is_question
        text = "has items that belong under its answer" if is_question else "cannot have items"
        gathering.report("structure", text, f"{path}.item", form_item)
        # The answers in there are still read, because a red flag may be among them.
        _items(gathering, raw, form_item.by_link_id, path, scope)
    if "answer" in raw:
        if item_type == "display":
            gathering.report("structure", "cannot have an answer", f"{path}.answer", form_item)
        else:
            _answers(gathering, raw["answer"], form_item, occurrence, scope)
    return occurrence


def _answers(gathering: Gathering, raw_answers: Any, form_item: FormItem, occurrence: Occurrence, scope: Scope) -> None:
    path = occurrence.path
    if not isinstance(raw_answers, list):
        gathering.report("structure", "must have its answers in a list", f"{path}.answer", form_item)
        scope.mark_unread(form_item.link_id)
        return
    occurrence.answers = len(raw_answers)
    if len(raw_answers) > 1 and not form_item.item.repeats:
        text = "has several answers, but the Questionnaire allows one"
        gathering.report("structure", text, f"{path}.answer[1]", form_item)
    for index, answer in enumerate(raw_answers):
        if not isinstance(answer, dict):
            gathering.report("structure", "must be an object", f"{path}.answer[{index}]", form_item, subject=_ANSWER)
            scope.mark_unread(form_item.link_id)
            continue
        value = _value(gathering, answer, form_item, path, index)
        if isinstance(value, Refused):
            scope.mark_unread(form_item.link_id)
            for said in value.says:
                occurrence.values.append(said)
                scope.add(form_item.link_id, said)
        elif value is not None:
            occurrence.values.append(value)
            scope.add(form_item.link_id, value)
        if "modifierExtension" in answer:
            _modifiers(gathering, answer, f"{path}.answer[{index}]", form_item)
        if form_item.children or "item" in answer:
            here = f"{path}.answer[{index}]"
            inner = Scope(scope) if form_item.is_container else scope
            occurrence.inside.append((inner, _items(gathering, answer, form_item.by_link_id, here, inner), here))


def _value(
    gathering: Gathering, answer: Mapping[str, Any], form_item: FormItem, path: str, index: int
) -> AnswerValue | Refused | None:
    """What one answer says; None when it has no value, which is no answer."""
    for key, read in form_item.kinds:
        if key in answer:
            raw = answer[key]
            value = read(raw)
            if value is None:
                text = f"is not a valid {key}"
                gathering.report("value", text, f"{path}.answer[{index}].value", form_item, subject=_ANSWER)
                return NOTHING_SAID
            is_read = True
            for severity, code, text, part in gathering.check_answer(form_item, key, raw, value):
                gathering.report(code, text, f"{path}.answer[{index}].value{part}", form_item, severity, _ANSWER)
                is_read = is_read and severity != "error"
            if len(answer) > 1 and len(_value_keys(answer)) > 1:
                text = "has values of several types"
                gathering.report("structure", text, f"{path}.answer[{index}].value", form_item, subject=_ANSWER)
                is_read = False
            return value if is_read else still_said(form_item, value)
    if _value_keys(answer):
        wanted = " or ".join(key for key, _ in form_item.kinds)
        article = "an" if form_item.item.type[0] in "aeio" else "a"  # a url
        text = f"has the wrong type: {article} {form_item.item.type} question takes {wanted}"
        gathering.report("structure", text, f"{path}.answer[{index}].value", form_item, subject=_ANSWER)
        return NOTHING_SAID
    return None


def _value_keys(answer: Mapping[str, Any]) -> list[str]:
    return [key for key in answer if isinstance(key, str) and key.startswith("value")]
