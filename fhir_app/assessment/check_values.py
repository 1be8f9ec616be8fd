"""The check of one answer whose type is right: constraints, options, value sets, parts of its data type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_app.assessment.check_datatypes import datatype_problems, referenced_type
from fhir_app.assessment.form import FormItem
from fhir_app.assessment.option_membership import folded, option_key
from fhir_app.errors import Severity
from fhir_app.knowledge.answers import AnswerValue, Coding
from fhir_app.knowledge.questionnaire import Option
from fhir_app.knowledge.terminology import Terminology
from fhir_app.knowledge.truth import Truth

Finding = tuple[Severity, str, str, str]
"""Severity, IssueType, what is wrong, and where below the value ("" or ".data")."""
_NOTHING: tuple[Finding, ...] = ()
_WITH_PARTS = frozenset({"valueCoding", "valueQuantity", "valueReference", "valueAttachment"})
_CHECKED_PARTS = _WITH_PARTS | {"valueString"}


class ValueCheck:
    """Checks the answers of one response, with the terminology that its Questionnaire sees."""

    __slots__ = ("_contained", "_language", "_terminology")

    def __init__(self, terminology: Terminology, questionnaire_response: Mapping[str, Any]) -> None:
        self._terminology = terminology
        language = questionnaire_response.get("language")
        self._language = language.split("-")[0].lower() if isinstance(language, str) else "en"
        contained = questionnaire_response.get("contained")
        listed = contained if isinstance(contained, list) else []
        self._contained = {f"#{entry.get('id')}" for entry in listed if isinstance(entry, Mapping)}

    def __call__(self, form_item: FormItem, key: str, raw: Any, value: AnswerValue) -> tuple[Finding, ...]:
        """Everything that is wrong with one answer."""
        demands = form_item.constraints[key]
        if not demands and not form_item.is_choice and key not in _CHECKED_PARTS:
            return _NOTHING
        if isinstance(value, Coding) and _is_plain_option(form_item, raw, value):
            return _NOTHING
        return tuple(self._findings(form_item, key, raw, value))

    def _findings(self, form_item: FormItem, key: str, raw: Any, value: AnswerValue) -> Iterator[Finding]:
        if isinstance(value, str) and not value.strip():
            # https://hl7.org/fhir/R4/datatypes.html#string says SHOULD
            yield "warning", "value", "has nothing but white space", ""
        if key in _WITH_PARTS:
            for problem in datatype_problems(key, raw):
                yield "error", *problem
        for demand in form_item.constraints[key]:
            broken = demand(raw, value)
            if broken is not None:
                yield "error", *broken, ""
        option: Option | None = None
        if form_item.is_choice:
            option = form_item.options.get(option_key(value))
            yield from self._membership(form_item, key, value, option)
        if isinstance(value, Coding):
            yield from self._code(form_item, value, option)
        elif key == "valueReference":
            yield from self._reference(form_item, raw)

    # --- options and value sets

    def _membership(
        self, form_item: FormItem, key: str, value: AnswerValue, option: Option | None
    ) -> Iterator[Finding]:
        item = form_item.item
        if option is not None or (item.type == "open-choice" and key == "valueString"):
            return
        if form_item.options:
            yield "error", "code-invalid", "is not one of the options of the question", ""
        elif item.answer_value_set is not None and isinstance(value, Coding):
            member = self._terminology.member(item.answer_value_set, value)
            if member is Truth.NO:
                yield "error", "code-invalid", "is not in the value set of the question", ""
            elif member is Truth.UNKNOWN:
                yield "warning", "not-found", "is not checked: the value set or a code system of it is not at hand", ""

    def _code(self, form_item: FormItem, value: Coding, option: Option | None) -> Iterator[Finding]:
        if value.system is not None and value.system in self._terminology.value_sets:
            yield "error", "value", "has a value set where its code system should stand", ".system"
        if option is not None and _is_display_of_another(form_item, option, value.display):
            # The person read the display and the rules read the code: nobody can say which of the two was meant.
            yield "error", "value", "has the display of another option of the question", ".display"
            return
        system = self._terminology.system(value)
        if system is None or value.code is None:
            if option is not None and not _is_display_of(option, value.display):
                text = "has a display that is neither the option's nor one of its translations"
                yield "warning", "value", text, ".display"
            return
        concept = system.find(value.code)
        if concept is None:
            if option is None:
                yield "error", "code-invalid", "has a code that its code system does not have", ".code"
            return
        said = folded(value.display) if value.display is not None else None
        if said is None or (option is not None and _is_display_of(option, value.display)):
            return
        known = {folded(display) for displays in concept.displays.values() for display in displays}
        if known and said not in known:
            has_language = self._language == "en" or any(
                language.split("-")[0].lower() == self._language for language in concept.displays
            )
            # A code system without displays in this language cannot say that one is wrong.
            severity: Severity = "error" if has_language else "warning"
            yield severity, "value", "has a display that its code system does not give to this code", ".display"

    # --- references

    def _reference(self, form_item: FormItem, raw: Mapping[str, Any]) -> Iterator[Finding]:
        reference = raw.get("reference")
        if isinstance(reference, str) and reference.startswith("#") and reference not in self._contained:
            # https://hl7.org/fhir/R4/references.html#invs ref-1
            yield "error", "invariant", "refers to a contained resource that is not there", ""
        target = referenced_type(raw)
        if target is None:
            named = raw.get("type")
            target = named if isinstance(named, str) else None
        if form_item.targets and target is not None and target not in form_item.targets:
            yield "error", "value", "refers to a type of resource that the question does not take", ".reference"


def _is_plain_option(form_item: FormItem, raw: Any, value: Coding) -> bool:
    """Whether the answer is an option word for word, with no part besides system, code and display: the usual answer,
    of which nothing else can be wrong."""
    option = form_item.options.get(("Coding", value.system, value.code))
    if option is None or not _is_display_of(option, value.display):
        return False
    return len(raw) == sum(part is not None for part in (value.system, value.code, value.display))


def _is_display_of(option: Option, display: str | None) -> bool:
    return display is None or display == option.text or display in option.texts.values()


def _is_display_of_another(form_item: FormItem, option: Option, display: str | None) -> bool:
    if display is None or _is_display_of(option, display):
        return False
    named = form_item.by_display.get(folded(display), ())
    return bool(named) and option not in named
