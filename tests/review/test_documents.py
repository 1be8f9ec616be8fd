"""The safety case names tests that exist, and the documents link to what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("safety-case.md", "intended-use.md", "evaluation.md")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "safety-case.md").read_text("utf-8"))))


def test_the_safety_case_names_tests() -> None:
    assert len(NAMED) >= 40


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_the_safety_case_names_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_link_to_another_page_finds_it(document: str) -> None:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / "docs" / target).exists(), target
