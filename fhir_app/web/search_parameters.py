"""Search requests read strictly, and their pages: https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from fhir_app.errors import InvalidSearch, Issue
from fhir_app.fhir.outcome import operation_outcome

ParameterType = Literal["token", "reference", "date", "string", "uri"]

DEFAULT_COUNT = 20
MOST = 200
MOST_VALUES = 200
"""Of all parameters together. Each is a condition of the query, and SQLite takes no more than 1000 of those."""
PAGE_PARAMETER = "_page"

_DATE = re.compile(
    r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_ELSEWHERE = frozenset({"_format", "_pretty"})
_WHOSE = frozenset({"patient", "subject"})
"""Ignoring an unknown parameter widens a search; ignoring these would show everybody's results in one chart."""


@dataclass(frozen=True)
class SearchParameter:
    """A parameter that we support: its type, and the modifiers that we do support on it."""

    name: str
    type: ParameterType
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SearchCriterion:
    """`name[:modifier]=value,value`: any of the values. Several criteria must all hold."""

    name: str
    type: ParameterType
    modifier: str | None
    values: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """One search as understood. `used` are the arguments that counted, for the `self` link; `ignored` the others."""

    criteria: tuple[SearchCriterion, ...]
    count: int
    only_total: bool
    after: str | None
    used: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """What was found: how many in all, this page's resources, and where the next page begins."""

    total: int
    resources: Sequence[Mapping[str, Any]]
    next_after: str | None


def read_search(arguments: Iterable[tuple[str, str]], parameters: Sequence[SearchParameter], *, strict: bool) -> Asked:
    """The arguments of a search -> what is asked.

    Raises InvalidSearch for a bad value, for too many of them, for a modifier that we do not support on a parameter
    that we do, for a patient who is not named so that we can follow it, and, if `strict`, for every parameter that
    would otherwise be ignored.
    """
    known = {parameter.name: parameter for parameter in parameters}
    criteria: list[SearchCriterion] = []
    used: list[tuple[str, str]] = []
    ignored: list[str] = []
    paging: dict[str, str] = {}
    for key, value in arguments:
        name, _, modifier = key.partition(":")
        if _UNPRINTABLE.search(key) or _UNPRINTABLE.search(value):
            raise InvalidSearch("A search value holds a control character.")
        if key in ("_count", "_summary", PAGE_PARAMETER):
            paging[key] = value
        elif name in known and _split(value):
            criteria.append(_criterion(known[name], modifier or None, value))
            used.append((key, value))
        elif re.split(r"[:.]", key)[0].lower() in _WHOSE:
            raise InvalidSearch("The patient is not named in a way that is supported here, and is not left out.")
        elif key not in _ELSEWHERE:
            ignored.append(name if name in known else "another parameter")
    if sum(len(criterion.values) for criterion in criteria) > MOST_VALUES:
        raise InvalidSearch(f"A search takes {MOST_VALUES} values and no more; this one has more.")
    count, only_total = _size(paging, ignored)
    if strict and ignored:
        raise InvalidSearch(
            "Not supported here, or without a value: "
            + ", ".join(sorted(set(ignored)))
            + ". Supported: "
            + ", ".join(sorted([*known, "_count", "_summary=count"]))
            + "."
        )
    used += [(key, paging[key]) for key in ("_count", "_summary") if key in paging and key not in ignored]
    return Asked(tuple(criteria), count, only_total, _after(paging), tuple(used), tuple(sorted(set(ignored))))


def _criterion(parameter: SearchParameter, modifier: str | None, value: str) -> SearchCriterion:
    if modifier is not None and modifier not in parameter.modifiers:
        raise InvalidSearch(f"The parameter {parameter.name} is not supported with this modifier.")
    values = tuple(_split(value))
    if parameter.type == "date" and not all(_DATE.fullmatch(each) for each in values):
        raise InvalidSearch(f"A value of {parameter.name} is not a date, such as ge2026-11-24.")
    return SearchCriterion(parameter.name, parameter.type, modifier, values)


def _split(value: str) -> list[str]:
    r"""At commas that are not escaped; `\,` and `\\` are undone, `\|` and `\$` are kept for whoever splits there."""
    parts = re.findall(r"(?:[^,\\]|\\.|\\$)+", value)
    return [re.sub(r"\\([,\\])", r"\1", part) for part in parts]


def _size(paging: Mapping[str, str], ignored: list[str]) -> tuple[int, bool]:
    text = paging.get("_count", str(DEFAULT_COUNT))
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise InvalidSearch("_count must be a whole number.")
    summary = paging.get("_summary", "false")
    if summary not in ("count", "false"):
        ignored.append("_summary")
    return max(1, min(int(text), MOST)), summary == "count" or int(text) == 0


def _after(paging: Mapping[str, str]) -> str | None:
    """Our own mark in a `next` link; callers follow it and never make one."""
    after = paging.get(PAGE_PARAMETER)
    if after is not None and not re.fullmatch(r"\d{1,18}", after, re.ASCII):
        raise InvalidSearch("This page does not exist.")
    return after


def bundle_page(address: str, asked: Asked, page: Page) -> dict[str, Any]:
    """One page as a searchset; parameters that were ignored are told in an entry with the mode `outcome`."""
    base = address.rsplit("/", 1)[0]
    links = [{"relation": "self", "url": _url(address, asked.used)}]
    entries: list[dict[str, Any]] = []
    if not asked.only_total:
        entries = [
            {
                "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in page.resources
        ]
        if page.next_after is not None:
            following = _url(address, (*asked.used, (PAGE_PARAMETER, page.next_after)))
            links.append({"relation": "next", "url": following})
        if asked.ignored:
            text = "Ignored in this search: " + ", ".join(asked.ignored) + "."
            outcome = operation_outcome([Issue("warning", "not-supported", text)])
            entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": page.total, "link": links}
    if entries:
        bundle["entry"] = entries
    return bundle


def _url(address: str, arguments: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(arguments)}" if arguments else address
