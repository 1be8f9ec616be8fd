"""What was received and made here, read and searched: responses, Observations, documents and so on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime

from flask import Response, request
from werkzeug.http import parse_date

from fhir_app.errors import NotFound
from fhir_app.store import record
from fhir_app.store.database import Database
from fhir_app.store.record import Recorded
from fhir_app.store.search import Wanted, search
from fhir_app.store.search_parameters import PARAMETERS, parameters_of
from fhir_app.web.access import caller
from fhir_app.web.negotiation import base_url, fhir_reply
from fhir_app.web.search_parameters import Asked, Page, SearchParameter, bundle_page

RESULT_PARAMETERS: Mapping[str, tuple[SearchParameter, ...]] = {
    resource_type: tuple(SearchParameter(name, kind) for name, kind in parameters_of(resource_type).items())
    for resource_type in PARAMETERS
}


def read_result(database: Database, resource_type: str, resource_id: str, version: int | None = None) -> Response:
    """https://hl7.org/fhir/R4/http.html#read and #vread; raises NotFound. Conditional reads are answered 304."""
    with database.read() as connection:
        found = record.read(connection, resource_type, resource_id, version)
    if found is None or not _may_see(found):
        raise NotFound(f"No {resource_type} with this id is held here.")
    headers = version_headers(found)
    if version is None and _is_known_to_caller(found):
        return Response(status=304, headers=headers)
    return fhir_reply(found.served, headers=headers)


def _may_see(found: Recorded) -> bool:
    """Whether it is the caller's to read. A refusal looks like an absence, so that it tells nothing."""
    return caller().sees in (None, found.origin) or found.resource["resourceType"] in record.SHARED


def version_headers(found: Recorded) -> dict[str, str]:
    """ETag and Last-Modified (https://hl7.org/fhir/R4/http.html#versioning)."""
    changed = found.last_updated.astimezone(UTC)
    return {"ETag": f'W/"{found.version}"', "Last-Modified": format_datetime(changed, usegmt=True)}


def version_url(found: Recorded) -> str:
    resource = found.resource
    return f"{base_url()}/{resource['resourceType']}/{resource['id']}/_history/{found.version}"


def _is_known_to_caller(found: Recorded) -> bool:
    if request.if_none_match:
        return request.if_none_match.contains_weak(str(found.version))
    since = parse_date(request.headers.get("If-Modified-Since"))
    return since is not None and _whole_second(found.last_updated) <= since


def _whole_second(moment: datetime) -> datetime:
    """HTTP's dates have no fractions."""
    return moment.astimezone(UTC).replace(microsecond=0)


def search_results(database: Database, resource_type: str, asked: Asked) -> Response:
    """One page of the matches that the caller may see, newest first. A relative reference is of the caller's origin."""
    wanted = [Wanted(each.name, each.values) for each in asked.criteria]
    with database.read() as connection:
        found = search(
            connection,
            resource_type,
            wanted,
            origin=caller().origin,
            count=asked.count,
            after=asked.after,
            within=caller().sees,
        )
    page = Page(found.total, found.resources, found.next_after)
    return fhir_reply(bundle_page(f"{base_url()}/{resource_type}", asked, page))
