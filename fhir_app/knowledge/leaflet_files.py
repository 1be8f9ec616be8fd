"""Reads the leaflet files of one intake, strictly: front matter, headings, placeholders, languages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from fhir_app.errors import KnowledgeError
from fhir_app.knowledge.intake import Cause, LeafletText, RedFlag
from fhir_app.knowledge.phrase_files import (
    LEAFLET_PLACEHOLDERS,
    PHRASES,
    PhraseBook,
    placeholder_problems,
    read_phrases,
)

HEADINGS = ("what", "why", "now", "helps", "help")
RED_FLAG_HEADINGS = (*HEADINGS, "tell")
MARKERS = frozenset({"emergency", "same-day", "same-day-hospital", "same-day-clinic", "soon", "routine", "self-care"})

_FRONT_KEYS = ["id", "language", "title", "sources", "reviewed"]
_FRONT_LINE = re.compile(r"([a-z]+): (\S.*)")
_SOURCE_LIST = re.compile(r"\[(?:[A-Za-z0-9-]+(?:, [A-Za-z0-9-]+)*)?\]")
_REVIEWED = re.compile(r"null|\d{4}-\d{2}-\d{2} .+")
_MARKER = re.compile(r"^- \[([^\]]+)\] ", re.MULTILINE)


def read_leaflets(folder: Path) -> Mapping[tuple[str, str], LeafletText]:
    """`folder` with `<id>.<lang>.md`, `rf/<family>.<lang>.md`, `phrases.<lang>.yaml` and `plan.yaml` -> the texts
    by (id, language), among them a PhraseBook `("phrases", lang)` per language.

    Raises KnowledgeError with every problem at once: malformed files, unknown placeholders or markers, headings
    that are not those of the phrases, and texts or phrases that one language has and another lacks."""
    problems: list[str] = []
    books = read_phrases(folder, problems)
    texts: dict[tuple[str, str], LeafletText] = {(PHRASES, language): book for language, book in books.items()}
    for path in sorted((*folder.glob("*.md"), *folder.glob("rf/*.md"))):
        leaflet = _read_leaflet(path, folder, books, problems)
        if leaflet is not None:
            texts[leaflet.id, leaflet.language] = leaflet
    problems += [
        f"leaflets: {id_} is not translated into {language}"
        for id_ in sorted({id_ for id_, _ in texts})
        for language in sorted(books)
        if (id_, language) not in texts
    ]
    problems += _plan_problems(texts, books)
    if problems:
        raise KnowledgeError(problems)
    return MappingProxyType(texts)


def missing_leaflets(
    leaflets: Mapping[tuple[str, str], LeafletText],
    causes: Iterable[Cause],
    red_flags: Iterable[RedFlag],
    none_fits: str,
) -> tuple[str, ...]:
    """One line for each cause, variant, red-flag family and form of "none fits" without a leaflet in a language."""
    wanted = [none_fits, f"{none_fits}-mild"]
    for cause in causes:
        wanted += [cause.id, *(variant.id for variant in cause.variants)]
    wanted += sorted({flag.family for flag in red_flags})
    languages = sorted({language for id_, language in leaflets if id_ == PHRASES})
    return tuple(
        f"leaflets: {id_} has no leaflet in {language}"
        for id_ in wanted
        for language in languages
        if (id_, language) not in leaflets
    )


@lru_cache(maxsize=1024)
def split_sections(markdown: str) -> tuple[tuple[str, str], ...]:
    """The (heading, body) pairs of a leaflet's second-level headings, in the order written."""
    parts = re.split(r"^## +(.+?) *$", markdown, flags=re.MULTILINE)
    return tuple((parts[i], parts[i + 1].strip()) for i in range(1, len(parts), 2))


def _read_leaflet(path: Path, folder: Path, books: Mapping[str, PhraseBook], problems: list[str]) -> LeafletText | None:
    where = path.relative_to(folder).as_posix()
    match = re.fullmatch(r"---\n(.*?)\n---\n(.*)", path.read_text(encoding="utf-8"), re.DOTALL)
    if match is None:
        problems.append(f"{where}: no front matter between two lines of ---")
        return None
    lines = [_FRONT_LINE.fullmatch(line) for line in match[1].split("\n")]
    front = {line[1]: line[2] for line in lines if line is not None}
    found = _front_problems(front, match[1], path, where) or _body_problems(match[2], where, books, path)
    problems += found
    if found:
        return None
    return LeafletText(
        id=front["id"],
        language=front["language"],
        title=front["title"],
        reviewed=None if front["reviewed"] == "null" else front["reviewed"],
        sources=tuple(re.findall(r"[A-Za-z0-9-]+", front["sources"])),
        markdown=match[2].strip() + "\n",
    )


def _front_problems(front: Mapping[str, str], written: str, path: Path, where: str) -> list[str]:
    """Front matter is five plain lines of YAML; text that YAML would read otherwise (": ", " #") is refused."""
    if [line.split(":")[0] for line in written.split("\n")] != _FRONT_KEYS or list(front) != _FRONT_KEYS:
        return [f"{where}: the front matter is not one line each of {', '.join(_FRONT_KEYS)}"]
    found: list[str] = []
    if f"{front['id']}.{front['language']}.md" != path.name:
        found.append(f"{where}: id and language of the front matter are not those of the file name")
    if ": " in front["title"] or " #" in front["title"]:
        found.append(f"{where}: the title is not plain YAML text")
    if not _SOURCE_LIST.fullmatch(front["sources"]):
        found.append(f"{where}: sources is not a list of source ids (empty where the text rests on judgement)")
    if not _REVIEWED.fullmatch(front["reviewed"]):
        found.append(f"{where}: reviewed is neither null nor a date and a name")
    return found


def _body_problems(body: str, where: str, books: Mapping[str, PhraseBook], path: Path) -> list[str]:
    language = path.name.split(".")[-2]
    if language not in books:
        return [f"{where}: there is no phrases.{language}.yaml"]
    wanted: Collection[str] = RED_FLAG_HEADINGS if path.parent.name == "rf" else HEADINGS
    expected = [books[language].texts.get(f"heading-{key}", key) for key in wanted]
    sections = split_sections(body)
    found = placeholder_problems(body, where, LEAFLET_PLACEHOLDERS)
    if [heading for heading, _ in sections] != expected:
        found.append(f"{where}: the headings are not {' / '.join(expected)}")
    found += [f"{where}: nothing under {heading}" for heading, text in sections if not text]
    markers = [word.strip() for match in _MARKER.finditer(body) for word in match[1].split(",")]
    return found + [f"{where}: unknown marker [{word}]" for word in markers if word not in MARKERS]


def _plan_problems(texts: Mapping[tuple[str, str], LeafletText], books: Mapping[str, PhraseBook]) -> list[str]:
    ids = {id_ for id_, _ in texts}
    named: list[str] = []
    for book in list(books.values())[:1]:
        plan = book.plan
        named += [*plan.cause_days, *plan.prevention, *plan.keep_general, *plan.never_with]
        named += [id_ for ids_ in plan.never_with.values() for id_ in ids_]
        named += [f"prevention-{topic}" for topics in (*plan.prevention.values(), plan.always) for topic in topics]
    return [f"plan.yaml: no leaflet {name}" for name in dict.fromkeys(named) if name not in ids]
