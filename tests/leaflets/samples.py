"""Writes the sample documents of docs/leaflet-samples: `python -m tests.leaflets.samples`."""

from __future__ import annotations

from pathlib import Path

from fhir_app.leaflets.pdf import render_pdf
from tests.leaflets.results import LANGUAGES, SAMPLES, compose_sample

SAMPLES_FOLDER = Path(__file__).parents[2] / "docs" / "leaflet-samples"
AS_PDF = ("emergency-bladder", "self-care-two-causes")
COUNTRY = {"en": "gb", "es": "es"}


def texts() -> dict[str, str]:
    """What the folder holds, by file name, but for the PDF files (their bytes depend on the machine's fonts)."""
    found: dict[str, str] = {}
    for name in SAMPLES:
        for language in LANGUAGES:
            page = compose_sample(name, language, COUNTRY[language])
            found[f"{name}.{language}.html"] = page.html
            found[f"{name}.{language}.txt"] = page.text
    return found


def main() -> None:
    SAMPLES_FOLDER.mkdir(parents=True, exist_ok=True)
    for file_name, text in texts().items():
        (SAMPLES_FOLDER / file_name).write_text(text, encoding="utf-8")
    for name in AS_PDF:
        for language in LANGUAGES:
            page = compose_sample(name, language, COUNTRY[language])
            (SAMPLES_FOLDER / f"{name}.{language}.pdf").write_bytes(render_pdf(page))


if __name__ == "__main__":
    main()
