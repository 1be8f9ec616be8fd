"""A page as a tree of headed parts, filled and rendered: HTML for people and printers, plain text for the rest."""

from __future__ import annotations

import re
import textwrap
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from fhir_app.leaflets.care import CareSetting

TEXT_WIDTH = 78


@dataclass(frozen=True)
class Part:
    """A heading with Markdown under it and further parts below. `kind` is its class in the stylesheet."""

    kind: str
    heading: str
    markdown: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Page:
    """Everything that is rendered. The heading of `top` is the page's first line. `day` is the ISO date that PDF
    metadata takes; `icon` stands beside the first line and
    repeats it (PDF/UA has no picture without a text, ISO 14289-1 7.3); `call` labels a link that dials the
    emergency number, for a page read on a telephone."""

    top: Part
    language: str
    title: str
    footer: tuple[str, ...]
    day: str
    care: CareSetting
    icon: str | None = None
    icon_text: str = ""
    call: str | None = None


@dataclass(frozen=True)
class PatientDocument:
    """One document for a patient. `html` is self-contained; `text` says the same in plain text."""

    language: str
    title: str
    html: str
    text: str


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each `{name}` replaced. A name without a value raises KeyError: nothing half-filled goes out."""
    return re.sub(r"\{([^{}]+)\}", lambda match: values[match[1]], text)


def render(page: Page) -> PatientDocument:
    """The page as HTML and as plain text."""
    icon = _icon(page.icon) if page.icon else None
    html = _environment().get_template("document.html.jinja").render(page=page, top=page.top, icon=icon)
    return PatientDocument(page.language, page.title, html, _plain_page(page.top, page.footer))


@lru_cache(maxsize=8)
def _icon(name: str) -> str:
    """The picture as a data: URL, so that the page needs nothing beside itself."""
    svg = files("fhir_app.leaflets").joinpath("templates", "icons", f"{name}.svg").read_bytes()
    return "data:image/svg+xml;base64," + b64encode(svg.strip()).decode("ascii")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fhir_app.leaflets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters["markdown"] = _markdown
    environment.filters["section"] = _section
    return environment


# Cards repeat from patient to patient (the same leaflets on the same day), so their rendering is kept.
@lru_cache(maxsize=1024)
def _section(part: Part, level: int) -> Markup:
    """A part with its heading at `level` (2 for h2), and the parts below it one level deeper."""
    return Markup(_environment().get_template("section.html.jinja").render(part=part, level=level))  # noqa: S704


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # "zero" and what our texts use: no raw HTML, links or images can come in through a text or a care name.
    return MarkdownIt("zero").enable(["list", "emphasis"])


# Texts repeat from patient to patient (the same leaflets on the same day), so their rendering is kept.
@lru_cache(maxsize=2048)
def _markdown(text: str) -> Markup:
    # The parser escapes everything but the elements that it makes itself.
    return Markup(_parser().render(text))  # noqa: S704


def _plain_page(page: Part, footer: tuple[str, ...]) -> str:
    blocks = [page.heading.upper(), *([plain_text(page.markdown)] if page.markdown else ())]
    for part in page.parts:
        blocks += _plain_part(part)
    return "\n\n".join((*blocks, "-" * 20, *map(_filled, footer))) + "\n"


@lru_cache(maxsize=2048)
def _filled(line: str) -> str:
    return textwrap.fill(line, TEXT_WIDTH)


@lru_cache(maxsize=1024)
def _plain_part(part: Part, depth: int = 0) -> tuple[str, ...]:
    """The blocks of a part: its heading, marked by its depth, its text, and the parts below it."""
    blocks: list[str] = []
    if part.heading:
        mark = "=" if depth == 0 else "-"
        blocks.append(f"{part.heading}\n{mark * len(part.heading)}" if depth < 2 else f"{part.heading}:")
    if part.markdown:
        blocks.append(plain_text(part.markdown))
    for child in part.parts:
        blocks += _plain_part(child, depth + 1)
    return tuple(blocks)


@lru_cache(maxsize=2048)
def plain_text(markdown: str) -> str:
    """Our Markdown (paragraphs, bullets, bold) as wrapped plain text."""
    lines: list[str] = []
    for line in markdown.replace("**", "").split("\n"):
        indent = "  " if line.startswith("- ") else ""
        lines += textwrap.wrap(line, TEXT_WIDTH, subsequent_indent=indent, break_long_words=False) or [""]
    return "\n".join(lines).strip()
