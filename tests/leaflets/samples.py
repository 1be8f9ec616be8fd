"""Writes docs/leaflet-samples and the tables of docs/leaflets.md: `python -m tests.leaflets.samples`."""

from __future__ import annotations

import re
from pathlib import Path

from fhir_app.knowledge.phrase_files import PHRASES
from fhir_app.leaflets.page import fill
from fhir_app.leaflets.pdf import render_pdf
from fhir_app.leaflets.words import words_for
from tests.leaflets.readability import count, fernandez_huerta, flesch_kincaid, inflesz, smog
from tests.leaflets.results import CARE, LANGUAGES, SAMPLES, TODAY, compose_sample, intake

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "leaflets.md"
SAMPLES_FOLDER = DOCUMENTATION.parent / "leaflet-samples"
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


def readability_tables() -> str:
    """The measured readability of every leaflet and sample, as the tables of docs/leaflets.md."""
    ids = [id_ for id_, language in intake().leaflets if language == "en" and id_ != PHRASES]
    leaflets = {id_: (_filled(id_, "en"), _filled(id_, "es")) for id_ in ids}
    samples = {name: (_prose(name, "en"), _prose(name, "es")) for name in SAMPLES}
    return "\n\n".join(("\n".join(_table("leaflet", leaflets)), "\n".join(_table("composed document", samples))))


def _table(what: str, rows: dict[str, tuple[str, str]]) -> list[str]:
    head = [what, "words", "Flesch-Kincaid", "SMOG", "words (es)", "Fernández Huerta", "INFLESZ"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, (english, spanish) in rows.items():
        en, es = count(english, "en"), count(spanish, "es")
        cells = [name, str(en.words), f"{flesch_kincaid(en):.1f}", f"{smog(en):.1f}"]
        cells += [str(es.words), f"{fernandez_huerta(es):.0f}", f"{inflesz(es):.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _filled(leaflet_id: str, language: str) -> str:
    words = words_for(intake(), language, today=TODAY, review=TODAY, care=CARE["default"])
    return fill(intake().leaflets[leaflet_id, language].markdown, words.values)


def _prose(name: str, language: str) -> str:
    return re.sub(r"\n[=-]{3,}\n", "\n\n", compose_sample(name, language, "default").text)


def documentation() -> tuple[str, str]:
    """docs/leaflets.md as it is, and as it should be."""
    held = DOCUMENTATION.read_text(encoding="utf-8")
    marked = f"<!-- readability -->\n{readability_tables()}\n<!-- /readability -->"
    pattern = r"<!-- readability -->\n.*?<!-- /readability -->"
    return held, re.sub(pattern, lambda _: marked, held, flags=re.DOTALL)


def main() -> None:
    DOCUMENTATION.write_text(documentation()[1], encoding="utf-8")
    SAMPLES_FOLDER.mkdir(parents=True, exist_ok=True)
    for file_name, text in texts().items():
        (SAMPLES_FOLDER / file_name).write_text(text, encoding="utf-8")
    for name in AS_PDF:
        for language in LANGUAGES:
            page = compose_sample(name, language, COUNTRY[language])
            (SAMPLES_FOLDER / f"{name}.{language}.pdf").write_bytes(render_pdf(page))


if __name__ == "__main__":
    main()
