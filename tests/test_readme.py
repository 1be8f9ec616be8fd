"""What the documents name exists: files, commands, make targets, links."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from fhir_app.cli import main

ROOT = Path(__file__).parents[1]
AT_THE_TOP = ("README.md", "CHANGELOG.md", "questionnaires/README.md")
DOCUMENTS = [*(ROOT / name for name in AT_THE_TOP), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
        assert (path.parent / link).exists(), link
    for named in re.findall(r"questionnaires/[\w./-]+\.(?:json|yaml|md)\b", text):
        assert (ROOT / named).exists(), named
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) <= targets
    for words in re.findall(r"(?:bin/|`)fhir-app ([a-z]+(?: [a-z]+)?)", text):
        command = main.get_command(click.Context(main), words.split()[0])  # type: ignore[attr-defined]
        assert command is not None, words
        if isinstance(command, click.Group) and " " in words:
            assert words.split()[1] in command.commands, words


def test_every_make_target_says_what_it_is_for() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(phony.split()) == set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
