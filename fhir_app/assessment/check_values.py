"""The check of one answer whose type is right: constraints, options, value sets, parts of its data type."""

from __future__ import annotations

from typing import Any

from fhir_app.assessment.form import FormItem
from fhir_app.assessment.option_membership import option_key
from fhir_app.errors import Severity
from fhir_app.knowledge.answers import AnswerValue, Coding
from fhir_app.knowledge.questionnaire import Option
from fhir_app.knowledge.terminology import Terminology

Finding = tuple[Severity, str, str]
_NOTHING: tuple[Finding, ...] = ()


class ValueCheck:
    """Checks answers against their items with one terminology."""

    __slots__ = ("_terminology",)

    def __init__(self, terminology: Terminology) -> None:
        self._terminology = terminology

    def __call__(self, form_item: FormItem, key: str, raw: Any, value: AnswerValue) -> tuple[Finding, ...]:
        """Severity, IssueType and text of everything that is wrong with one answer."""
        demands = form_item.constraints[key]
        is_choice = form_item.is_choice
        if not demands and not is_choice:
            return _NOTHING
        found: list[Finding] = []
        for demand in demands:
            problem = demand(raw, value)
            if problem is not None:
                found.append(("error", *problem))
        if is_choice:
            found.extend(self._choice(form_item, key, value))
        return tuple(found)

    def _choice(self, form_item: FormItem, key: str, value: AnswerValue) -> tuple[Finding, ...]:
        if key == "valueString" and form_item.item.type == "open-choice":
            return _NOTHING
        if form_item.options:
            option = form_item.options.get(option_key(value))
            if option is None:
                return (("error", "code-invalid", "is not one of the options of the question"),)
            if isinstance(value, Coding) and value.display is not None:
                return self._display(value, option)
            return _NOTHING
        return _NOTHING

    def _display(self, value: Coding, option: Option) -> tuple[Finding, ...]:
        if value.display == option.text or value.display in option.texts.values():
            return _NOTHING
        text = "has a display that is neither the option's nor one of its translations"
        return (("warning", "value", text),)
