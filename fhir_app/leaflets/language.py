"""Which language a document is written in."""

from __future__ import annotations

from collections.abc import Collection


def choose_language(available: Collection[str], wanted: Collection[str | None], default: str) -> str:
    """The first wanted BCP-47 tag that we have, by its primary subtag; `default` when there is none.

    Callers give, in this order, `QuestionnaireResponse.language`, `Patient.communication` (preferred first) and
    the setting. `default` must be available (ValueError otherwise: nothing may be shown in a language by guess).
    https://hl7.org/fhir/R4/languages.html"""
    for tag in (*wanted, default):
        primary = (tag or "").replace("_", "-").split("-")[0].lower()
        if primary in available:
            return primary
    raise ValueError(f"no texts in the default language {default}")
