"""The samples that people look at are what the product makes today."""

from __future__ import annotations

from tests.leaflets.samples import AS_PDF, SAMPLES_FOLDER, documentation, texts


def test_the_samples_are_up_to_date() -> None:
    held = {path.name: path.read_text(encoding="utf-8") for path in SAMPLES_FOLDER.glob("*.*") if path.suffix != ".pdf"}
    wanted = texts()
    assert sorted(held) == sorted(wanted), "write them anew: python -m tests.leaflets.samples"
    stale = [name for name in wanted if held[name] != wanted[name]]
    assert stale == [], "write them anew: python -m tests.leaflets.samples"


def test_some_samples_are_there_as_pdf() -> None:
    assert {path.name.split(".")[0] for path in SAMPLES_FOLDER.glob("*.pdf")} == set(AS_PDF)


def test_the_documented_readability_is_what_is_measured_today() -> None:
    held, wanted = documentation()
    assert held == wanted, "write it anew: python -m tests.leaflets.samples"
