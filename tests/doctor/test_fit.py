"""Which kind fits, by what a server declares."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_app.doctor.fit import fit, software
from tests.doctor.sandbox import TYPES, capability


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ({}, "hapi"),
        ({"client_ids": False}, "generic-r4"),
        ({"conditional": False}, "sequential"),
        ({"transactions": False}, "sequential"),
    ],
)
def test_the_kind_needs_no_more_than_is_declared(declared: dict[str, bool], kind: str) -> None:
    assert fit(capability(**declared)).kind == kind  # type: ignore[arg-type]


def test_hapi_is_known_by_its_name_because_it_does_not_declare_client_ids() -> None:
    declared = {**capability(client_ids=False), "software": {"name": "HAPI FHIR Server", "version": "8.8.0"}}

    assert fit(declared).kind == "hapi"


def test_types_that_are_written_and_not_declared_are_named() -> None:
    declared = capability()
    declared["rest"][0]["resource"] = [each for each in declared["rest"][0]["resource"] if each["type"] != "Provenance"]

    assert fit(declared).undeclared == ("Provenance",)
    assert set(TYPES) >= set(fit(declared).undeclared)


@pytest.mark.parametrize("rest", [None, "x", [], ["x"], [{"mode": "client"}], [{"interaction": 5, "resource": {}}]])
def test_a_server_that_declares_nothing_readable_is_written_to_one_by_one(rest: Any) -> None:
    assert fit({"rest": rest}).kind == "sequential"
    assert software({"software": rest}) == "unnamed software"
