"""YAML without surprises: doubled keys are refused, only true, false, null and whole numbers are not text."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """The data of one file, and the line on which each key path stands."""

    path: Path
    data: Any
    lines: dict[KeyPath, int]

    def place(self, key_path: KeyPath) -> str:
        """`file:line (a.b[3].c)` for a key path, or for its nearest parent that has a line."""
        known = key_path
        while known and known not in self.lines:
            known = known[:-1]
        line = self.lines.get(known, 1)
        words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in key_path).lstrip(".")
        return f"{self.path.name}:{line}" + (f" ({words})" if words else "")


# Composed by libyaml where PyYAML has it (its wheels do): a tenth of the time to start.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_Loader):  # type: ignore[misc]  # chosen above
    """SafeLoader with YAML 1.1's guesses taken out (`no` is text, a date is text, 0123 is text)."""


_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
):
    _StrictLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def read_yaml(path: Path) -> tuple[Document, list[str]]:
    """The file -> its document and the problems found (syntax, doubled keys), each naming file and line."""
    problems: list[str] = []
    lines: dict[KeyPath, int] = {}
    loader = _StrictLoader(path.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        data = _construct(loader, node, (), path, lines, problems) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        problems.append(f"{path.name}:{line}: not YAML: {getattr(error, 'problem', None) or 'cannot be read'}")
        data = None
    finally:
        loader.dispose()
    return Document(path, data, lines), problems


def _construct(
    loader: _StrictLoader, node: yaml.Node, at: KeyPath, path: Path, lines: dict[KeyPath, int], problems: list[str]
) -> Any:
    lines[at] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node)
            if key in result:
                problems.append(f"{path.name}:{key_node.start_mark.line + 1}: the key {key!r} stands twice")
            result[key] = _construct(loader, value_node, (*at, key), path, lines, problems)
            lines[(*at, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, child, (*at, i), path, lines, problems) for i, child in enumerate(node.value)]
    return loader.construct_object(node)
