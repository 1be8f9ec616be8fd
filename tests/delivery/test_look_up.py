"""Whether a result is there, asked of servers that answer as they should and of what stands before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from fhir_app.delivery.look_up import is_complete
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.entries import Resource
from fhir_app.fhir.replies import TryAgain
from tests.contract.fake_fhir import MISDIRECTIONS, FakeFhir, Fault, running
from tests.delivery.queueing import NAMES, Desk

OTHER_RESOURCE = Fault(status=200, body=b'{"resourceType":"OperationOutcome","issue":[]}')


def seen_complete(desk: Desk, resources: Sequence[Resource], at: FakeFhir) -> object:
    return is_complete(FhirClient(at.url), resources, desk.destination.shape, NAMES)


def test_a_result_is_complete_once_it_was_written(desk: Desk, fake: FakeFhir) -> None:
    resources = desk.first().resources

    assert seen_complete(desk, resources, fake) is False
    assert desk.drain() == ["delivered"]
    assert seen_complete(desk, resources, fake) is True


@pytest.mark.parametrize("kind", ["hapi"])
@pytest.mark.parametrize("bare", [each for each in MISDIRECTIONS if each.status == 404])
@pytest.mark.parametrize("written", [True, False])
def test_a_404_that_is_not_in_the_words_of_fhir_is_no_answer_and_a_search_is_one(
    desk: Desk, fake: FakeFhir, bare: Fault, written: bool
) -> None:
    resources = desk.first().resources
    if written:
        desk.drain()
    fake.read_faults.append(bare)

    assert seen_complete(desk, resources, fake) is written


@pytest.mark.parametrize("kind", ["hapi"])
def test_a_read_that_gives_something_else_is_no_answer(desk: Desk, fake: FakeFhir) -> None:
    resources = desk.first().resources
    fake.read_faults.append(OTHER_RESOURCE)

    assert isinstance(seen_complete(desk, resources, fake), TryAgain)


@pytest.mark.parametrize("kind", ["generic-r4", "sequential"])
def test_what_a_server_finds_that_overlooks_tags_is_not_taken_for_ours(desk: Desk) -> None:
    class Overlooking(FakeFhir):
        def search(self, resource_type: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
            return super().search(resource_type, {})

    resources = desk.first().resources
    with running(Overlooking()) as overlooking:
        overlooking.create({"resourceType": "Provenance", "meta": {"tag": [{"system": "s", "code": "another"}]}})

        assert seen_complete(desk, resources, overlooking) is False
