"""Searches of the embedded record: https://hl7.org/fhir/R4/search.html, the part that we support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, not_, or_, select, true

from fhir_app.errors import InvalidSearch
from fhir_app.store.date_ranges import Range, date_range, microseconds
from fhir_app.store.record import SHARED, recorded, with_body
from fhir_app.store.search_parameters import Kind, parameters_of
from fhir_app.store.tables import record, record_search

_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_EPOCH = datetime.fromtimestamp(0, UTC)
_FIRST, _LAST = (microseconds(moment.replace(tzinfo=UTC)) for moment in (datetime.min, datetime.max))


@dataclass(frozen=True)
class Wanted:
    """`parameter=value,value`: any of the values. The values are FHIR's search texts, such as `ge2026-03`."""

    parameter: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """How many there are in all, one page of them as a server shows them, and where the next page begins."""

    total: int
    resources: tuple[Mapping[str, Any], ...]
    next_after: str | None


def search(
    connection: Connection,
    resource_type: str,
    wanted: Sequence[Wanted],
    *,
    origin: str,
    count: int,
    after: str | None = None,
    within: str | None = None,
) -> Found:
    """Current resources of one type that hold to every `wanted`, newest first.

    A relative reference means a resource of `origin`: Patient/1 of two servers are two people. `within`: only what
    came from this origin, beside what is the same for all (`SHARED`). Raises
    InvalidSearch for a parameter that the type does not have, a value that cannot be read, or a foreign `after`.
    """
    kinds = parameters_of(resource_type)
    holds = and_(
        record.c.resource_type == resource_type,
        record.c.is_current,
        true() if within is None or resource_type in SHARED else record.c.origin == within,
        *(_any_of(each, kinds, origin) for each in wanted),
    )
    total = connection.execute(select(func.count()).select_from(record).where(holds)).scalar_one()
    query = (
        with_body()
        .where(holds, true() if after is None else record.c.id < _mark(after))
        .order_by(record.c.id.desc())
        .limit(count + 1)
    )
    rows = connection.execute(query).all()
    page = rows[:count]
    return Found(
        total=total,
        resources=tuple(recorded(row).served for row in page),
        next_after=str(page[-1].id) if len(rows) > count and page else None,
    )


def _mark(after: str) -> int:
    if not after.isascii() or not after.isdigit() or len(after) > 18:
        raise InvalidSearch("This page does not exist.")
    return int(after)


def _any_of(wanted: Wanted, kinds: Mapping[str, Kind], origin: str) -> ColumnElement[bool]:
    if wanted.parameter not in kinds:
        raise InvalidSearch("A search parameter is not supported for this type.")
    return or_(*(_one(wanted.parameter, kinds[wanted.parameter], value, origin) for value in wanted.values))


def _one(parameter: str, kind: Kind, value: str, origin: str) -> ColumnElement[bool]:
    if parameter == "_id":
        return record.c.resource_id == value
    if parameter == "_lastUpdated":
        prefix, span = _span(value)
        low, high = _moment(span.low), _moment(span.high)
        return _compare(prefix, record.c.last_updated, record.c.last_updated, low, high)
    if parameter == "patient":
        value = value if "/" in value else f"Patient/{value}"
        return and_(_reference("subject", value, origin), _in_index("subject", _is_patient()))
    if kind == "reference":
        return _reference(parameter, value, origin)
    return _in_index(parameter, _same(kind, value))


def _moment(at: int) -> datetime:
    """The nearest that Python knows: year 1 begins earlier east of Greenwich, and year 9999 ends later in the west."""
    return _EPOCH + timedelta(microseconds=min(max(at, _FIRST), _LAST))


def _same(kind: Kind, value: str) -> ColumnElement[bool]:
    if kind == "date":
        prefix, span = _span(value)
        return _compare(prefix, record_search.c.low, record_search.c.high, span.low, span.high)
    return _same_canonical(value) if kind == "uri" else _same_token(value)


def _in_index(parameter: str, holds: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(record_search.c.record_id == record.c.id, record_search.c.parameter == parameter, holds)


def _same_token(value: str) -> ColumnElement[bool]:
    """`code`, `system|code`, `|code` (no system) or `system|` (any code)."""
    system, bar, code = value.rpartition("|")
    if not bar:
        return record_search.c.value == code
    same_system = record_search.c.system == system if system else record_search.c.system.is_(None)
    return and_(same_system, record_search.c.value == code) if code else same_system


def _same_canonical(value: str) -> ColumnElement[bool]:
    """`url|version` finds that version, a bare `url` all of them, as on other servers."""
    if "|" in value:
        return record_search.c.value == value
    return or_(record_search.c.value == value, record_search.c.value.startswith(f"{value}|", autoescape=True))


def _reference(parameter: str, value: str, origin: str) -> ColumnElement[bool]:
    """`Type/id` or `id` of `origin`, or an absolute URL; each finds what was written in either form."""
    base, type_and_id = _split_reference(value)
    whose = record.c.origin == (base or origin)
    if "/" not in type_and_id:
        ends = record_search.c.value.endswith(f"/{type_and_id}", autoescape=True)
        return _in_index(parameter, and_(whose, ends, ~record_search.c.value.contains("://")))
    relative = and_(whose, record_search.c.value == type_and_id)
    absolute = record_search.c.value == f"{base or origin}/{type_and_id}"
    return _in_index(parameter, or_(relative, absolute))


def _split_reference(value: str) -> tuple[str | None, str]:
    if "://" not in value:
        return None, value
    base, _, rest = value.rpartition("/")
    base, _, resource_type = base.rpartition("/")
    return base, f"{resource_type}/{rest}"


def _is_patient() -> ColumnElement[bool]:
    return or_(record_search.c.value.startswith("Patient/"), record_search.c.value.contains("/Patient/"))


def _span(value: str) -> tuple[str, Range]:
    prefix, text = (value[:2], value[2:]) if value[:2] in _PREFIXES else ("eq", value)
    span = date_range(text)
    if span is None:
        raise InvalidSearch("A date in the search cannot be read.")
    return prefix, span


def _compare(prefix: str, low: Any, high: Any, first: Any, last: Any) -> ColumnElement[bool]:
    """https://hl7.org/fhir/R4/search.html#prefix, the stored range `low` to `high` against `first` to `last`."""
    within = and_(low >= first, high <= last)
    comparisons: dict[str, ColumnElement[bool]] = {
        "eq": within,
        "ne": not_(within),
        "gt": high > last,
        "lt": low < first,
        "ge": or_(high > last, within),
        "le": or_(low < first, within),
        "sa": low > last,
        "eb": high < first,
        "ap": and_(low <= last, high >= first),
    }
    return comparisons[prefix]
