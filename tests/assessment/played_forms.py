"""Forms filled in as people might: a case as a base, then further ticks, answers taken away, answers changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from fhir_app.evaluation.played import answers_of
from fhir_app.knowledge.answers import Answers, Coding
from fhir_app.knowledge.questionnaire import Item
from tests.assessment.knowledge_fixture import cases_and_stories, intake

Plain = Mapping[str, Any]


@lru_cache(maxsize=1)
def bases() -> tuple[Plain, ...]:
    cases, stories = cases_and_stories()
    return tuple(case.answers for case in cases) + tuple(story.answers for story in stories)


@lru_cache(maxsize=1)
def options() -> tuple[tuple[str, str], ...]:
    """Every option of every choice question, in the order of the form."""
    return tuple(
        (item.link_id, option.value.code)
        for item in intake().questionnaire.by_link_id.values()
        for option in item.options
        if isinstance(option.value, Coding) and option.value.code is not None
    )


def exclusive(item: Item) -> frozenset[str]:
    """Options that stand alone: "none of these" and "not sure"."""
    codes = {o.value.code for o in item.options if o.exclusive and isinstance(o.value, Coding) and o.value.code}
    return frozenset(codes) | intake().reading.not_sure


def ticked(plain: Plain, link_id: str, code: str) -> Plain:
    """The form with one more option chosen: an option that stands alone replaces the others, and gives way to them."""
    item = intake().questionnaire.by_link_id[link_id]
    if not item.repeats:
        return {**plain, link_id: code}
    alone = exclusive(item)
    before = codes_of(plain, link_id)
    kept = [] if code in alone else [one for one in before if one not in alone and one != code]
    return {**plain, link_id: [*kept, code]}


def codes_of(plain: Plain, link_id: str) -> list[str]:
    value = plain.get(link_id, [])
    return list(value) if isinstance(value, list) else [value]


def read(plain: Plain) -> Answers:
    return answers_of(intake(), plain, name="a form")


def plain_forms() -> st.SearchStrategy[Plain]:
    """A case with up to six further choices, most of them in questions that the case has already."""

    def with_choices(base: Plain, choices: list[tuple[str, str]]) -> Plain:
        for link_id, code in choices:
            base = ticked(base, link_id, code)
        return base

    return st.builds(with_choices, st.sampled_from(bases()), st.lists(st.sampled_from(options()), max_size=6))
