"""The language follows the response, then the patient, then the setting."""

from __future__ import annotations

import pytest

from fhir_app.leaflets.language import choose_language


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (("es-MX", "en"), "es"),
        ((None, "es"), "es"),
        (("fr", "es_ES"), "es"),
        (("fr", None), "en"),
        ((), "en"),
        (("EN-gb", "es"), "en"),
    ],
)
def test_the_first_wanted_language_that_we_have_is_chosen(wanted: tuple[str | None, ...], chosen: str) -> None:
    assert choose_language(("en", "es"), wanted, "en") == chosen


def test_a_default_that_we_do_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="default language"):
        choose_language(("en",), ("fr",), "de")
