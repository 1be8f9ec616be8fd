"""The kinds of server that we write to."""

from __future__ import annotations

from typing import get_args

import pytest

from fhir_app.fhir.destinations import SHAPES, Destination
from fhir_app.settings import DestinationKind


def test_every_kind_that_the_settings_allow_has_a_shape() -> None:
    assert set(SHAPES) == set(get_args(DestinationKind))


def test_every_kind_takes_plain_text_and_pdf() -> None:
    assert all({"text/plain", "application/pdf"} <= set(shape.document_types) for shape in SHAPES.values())


def test_a_destination_is_known_by_its_address_without_a_last_slash() -> None:
    assert Destination.of_kind("hapi", "https://fhir.example/r4/").base_url == "https://fhir.example/r4"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        Destination.of_kind("none", "https://fhir.example/r4")
