"""A Questionnaire prepared once for checking many responses: what each item takes, where its conditions look."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from fhir_app.assessment.option_membership import options_by_code, options_by_display, options_by_key
from fhir_app.assessment.value_constraints import Constraint, constraints
from fhir_app.knowledge.answer_values import READERS, Reader
from fhir_app.knowledge.answers import (
    ANSWERED,
    BLANK,
    NOT_ASKED,
    AnswerSource,
    AnswerValue,
    Coding,
    CodingKey,
    DateText,
    Reference,
    State,
)
from fhir_app.knowledge.compile_criteria import Test, compile_criterion
from fhir_app.knowledge.criteria import link_ids
from fhir_app.knowledge.extensions import extension_value, extensions
from fhir_app.knowledge.missing_answers import Missing, Reading
from fhir_app.knowledge.questionnaire import Item, Option, Questionnaire

# https://hl7.org/fhir/R4/valueset-item-type.html: the value[x] that an answer to each type has.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "boolean": ("Boolean",),
    "decimal": ("Decimal",),
    "integer": ("Integer",),
    "date": ("Date",),
    "dateTime": ("DateTime",),
    "time": ("Time",),
    "string": ("String",),
    "text": ("String",),
    "url": ("Uri",),
    "choice": ("Coding",),
    "open-choice": ("Coding", "String"),
    "attachment": ("Attachment",),
    "reference": ("Reference",),
    "quantity": ("Quantity",),
}
_REFERENCE_RESOURCE = "http://hl7.org/fhir/StructureDefinition/questionnaire-referenceResource"
_OCCURRENCES = "http://hl7.org/fhir/StructureDefinition/questionnaire-{}Occurs"


@dataclass(frozen=True, slots=True, eq=False)
class FormItem:
    """One item, prepared. `chain`: the repeating containers above it. `looks_in`: for each question that its
    condition reads, how many of those containers the two share, so that a condition inside a repeated group reads
    the answer of the same repetition. `by_code`, `by_display`: the options that one part of a Coding names alone."""

    item: Item
    link_id: str
    kinds: tuple[tuple[str, Reader], ...]
    constraints: Mapping[str, tuple[Constraint, ...]]
    children: tuple[FormItem, ...]
    by_link_id: Mapping[str, FormItem]
    position: int
    chain: tuple[str, ...]
    is_container: bool
    shown: Test | None
    strict: Test | None
    looks_in: Mapping[str, int]
    min_occurs: int
    max_occurs: int | None
    is_choice: bool
    options: Mapping[Hashable, Option]
    by_code: Mapping[str, tuple[Option, ...]]
    by_display: Mapping[str, tuple[Option, ...]]
    exclusive: frozenset[Hashable]
    targets: frozenset[str]
    words: frozenset[str] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A prepared Questionnaire. `read_ahead`: the questions that the condition of an earlier item reads."""

    questionnaire: Questionnaire
    items: tuple[FormItem, ...]
    by_link_id: Mapping[str, FormItem]
    every: Mapping[str, FormItem]
    read_ahead: frozenset[str]


@lru_cache(maxsize=256)
def prepare(questionnaire: Questionnaire) -> Form:
    """The Questionnaire, prepared; once for each Questionnaire object."""
    chains: dict[str, tuple[str, ...]] = {}
    _find_chains(questionnaire.items, (), chains)
    every: dict[str, FormItem] = {}
    items = tuple(_prepare(item, index, chains, every) for index, item in enumerate(questionnaire.items))
    order = {link_id: index for index, link_id in enumerate(chains)}
    read_ahead = frozenset(
        read
        for form_item in every.values()
        for read in form_item.looks_in
        if order.get(read, -1) >= order[form_item.link_id]
    )
    return Form(questionnaire, items, {item.link_id: item for item in items}, every, read_ahead)


def _is_container(item: Item) -> bool:
    return item.repeats and (item.type == "group" or bool(item.items))


def _find_chains(items: tuple[Item, ...], above: tuple[str, ...], chains: dict[str, tuple[str, ...]]) -> None:
    for item in items:
        chains[item.link_id] = above
        _find_chains(item.items, (*above, item.link_id) if _is_container(item) else above, chains)


def _prepare(item: Item, position: int, chains: Mapping[str, tuple[str, ...]], every: dict[str, FormItem]) -> FormItem:
    children = tuple(_prepare(child, index, chains, every) for index, child in enumerate(item.items))
    chain = chains[item.link_id]
    shown = strict = None
    looks_in: dict[str, int] = {}
    if item.enable_when is not None:
        shown = compile_criterion(item.enable_when, Missing.SHOWN, _PLAIN)
        strict = compile_criterion(item.enable_when, Missing.STRICT, _PLAIN)
        looks_in = {read: _shared(chain, chains.get(read, ())) for read in link_ids(item.enable_when)}
    kinds = _kinds(item)
    options = options_by_key(item)
    prepared = FormItem(
        item=item,
        link_id=item.link_id,
        kinds=tuple((f"value{kind}", READERS[kind]) for kind in kinds),
        constraints={f"value{kind}": constraints(item, kind) for kind in kinds},
        children=children,
        by_link_id={child.link_id: child for child in children},
        position=position,
        chain=chain,
        is_container=_is_container(item),
        shown=shown,
        strict=strict,
        looks_in=looks_in,
        min_occurs=_occurs(item, "min") or 0,
        max_occurs=_occurs(item, "max"),
        is_choice=item.type in ("choice", "open-choice"),
        options=options,
        by_code=options_by_code(item),
        by_display=options_by_display(item),
        exclusive=frozenset(key for key, option in options.items() if option.exclusive),
        targets=_targets(item),
        words=frozenset(item.texts.values()),
    )
    every[item.link_id] = prepared
    return prepared


# enableWhen compares values; what "not sure" means is no business of a form.
_PLAIN = Reading(not_sure=frozenset())


def _shared(chain: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for mine, theirs in zip(chain, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _kinds(item: Item) -> tuple[str, ...]:
    kinds = _KINDS.get(item.type, ())
    if item.type in ("choice", "open-choice"):
        kinds = (*kinds, *(kind for kind in map(_kind_of_option, (o.value for o in item.options)) if kind not in kinds))
    return tuple(dict.fromkeys(kinds))


def _kind_of_option(value: AnswerValue) -> str:
    match value:
        case Coding():
            return "Coding"
        case Reference():
            return "Reference"
        case DateText(_, kind):
            return kind[0].upper() + kind[1:]
        case int():
            return "Integer"
        case _:
            return "String"


def _targets(item: Item) -> frozenset[str]:
    # https://hl7.org/fhir/R4/extension-questionnaire-referenceresource.html
    codes = (entry.get("valueCode") for entry in extensions(item.resource, _REFERENCE_RESOURCE))
    return frozenset(code for code in codes if isinstance(code, str))


def _occurs(item: Item, which: str) -> int | None:
    value = extension_value(item.resource, _OCCURRENCES.format(which), "valueInteger")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class Scope:
    """The answers inside one repetition of a container (the root: of the whole response); an AnswerSource."""

    __slots__ = ("_codings", "answered", "parent", "states", "unread")

    def __init__(self, parent: Scope | None) -> None:
        self.parent = parent
        self.answered: dict[str, list[AnswerValue]] = {}
        self.states: dict[str, State] = {}
        self.unread: set[str] = set()
        self._codings: dict[str, list[CodingKey]] = {}

    def add(self, link_id: str, value: AnswerValue) -> None:
        scope: Scope | None = self
        while scope is not None:
            scope.answered.setdefault(link_id, []).append(value)
            if isinstance(value, Coding):
                scope._codings.setdefault(link_id, []).append((value.system, value.code))
            scope = scope.parent

    def mark_unread(self, link_id: str) -> None:
        """Something in an answer to the question cannot be read; as far as nothing else is answered, it is blank."""
        self.settle(link_id, BLANK)
        scope: Scope | None = self
        while scope is not None:
            scope.unread.add(link_id)
            scope = scope.parent

    def settle(self, link_id: str, state: State) -> None:
        """One repetition left blank makes the question blank, whatever the others are."""
        scope: Scope | None = self
        while scope is not None:
            if scope.states.get(link_id) is not BLANK:
                scope.states[link_id] = state
            scope = scope.parent

    def state(self, link_id: str) -> State:
        return ANSWERED if link_id in self.answered else self.states.get(link_id, NOT_ASKED)

    def values(self, link_id: str) -> tuple[AnswerValue, ...]:
        return tuple(self.answered.get(link_id, ()))

    def codes(self, link_id: str) -> frozenset[str]:
        return frozenset(code for _, code in self.codings(link_id) if code is not None)

    def codings(self, link_id: str) -> Sequence[CodingKey]:
        return self._codings.get(link_id, ())


class Nearest:
    """What a condition inside repeated groups sees: each question in the nearest repetition that holds both."""

    __slots__ = ("_looks_in", "_scopes")

    def __init__(self, scopes: tuple[Scope, ...], looks_in: Mapping[str, int]) -> None:
        self._scopes = scopes
        self._looks_in = looks_in

    def _scope(self, link_id: str) -> Scope:
        return self._scopes[min(self._looks_in.get(link_id, 0), len(self._scopes) - 1)]

    def state(self, link_id: str) -> State:
        return self._scope(link_id).state(link_id)

    def values(self, link_id: str) -> tuple[AnswerValue, ...]:
        return self._scope(link_id).values(link_id)

    def codes(self, link_id: str) -> frozenset[str]:
        return self._scope(link_id).codes(link_id)

    def codings(self, link_id: str) -> Sequence[CodingKey]:
        return self._scope(link_id).codings(link_id)

    @property
    def unread(self) -> frozenset[str]:
        return frozenset(link_id for link_id in self._looks_in if link_id in self._scope(link_id).unread)


def nearest(form_item: FormItem, scopes: tuple[Scope, ...]) -> AnswerSource:
    """The answers that the condition of `form_item` reads, given the repetitions around it."""
    return scopes[0] if len(scopes) == 1 else Nearest(scopes, form_item.looks_in)
