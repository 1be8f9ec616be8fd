"""The shape of the house, held by machine: layers, sizes, names, and where a wide net may be cast."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "fhir_app").rglob("*.py"))
HOLLOW_NAMES = ("Manager", "Helper", "Util", "Base", "Common", "Handler", "Processor", "Service")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_point_one_way() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_opens_with_a_line_that_says_what_it_is(path: Path) -> None:
    if path.read_text(encoding="utf-8").strip():
        first = (ast.get_docstring(tree(path)) or "").splitlines()
        assert first, "no docstring"
        assert len(first[0]) > 10


def test_no_module_is_longer_than_it_can_be_read_in_one_sitting() -> None:
    long = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in long.items() if lines > 500} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{name_of(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in MODULES
        if "migrations" not in path.parts
        for function in functions(path)
    }
    assert {name: lines for name, lines in long.items() if lines > 60} == {}


def test_no_name_is_hollow() -> None:
    found = [
        f"{name_of(path)}: {node.name}"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and node.name.strip("_").endswith(HOLLOW_NAMES)
    ]
    assert found == []


def test_only_the_door_casts_a_wide_net() -> None:
    """`except Exception` hides faults; the one error handler registers for Exception in app.py instead."""
    found = [
        name_of(path)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
    ]
    assert found == []


def test_no_test_patches_the_product() -> None:
    found = [
        name_of(path)
        for path in (ROOT / "tests").rglob("*.py")
        if any(
            word in path.read_text(encoding="utf-8")
            for word in ("mock." + "patch", "Magic" + "Mock", 'setattr("' + "fhir_app")
        )
    ]
    assert found == []


def test_types_are_checked_strictly() -> None:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert configuration["strict"] is True
    assert configuration["packages"] == ["fhir_app"]
