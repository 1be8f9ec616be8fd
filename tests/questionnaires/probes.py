"""Answers without a person: each tells a rule from a slip of it that no case notices, so that its record changes.

`python -m tests.questionnaires.mutation --probes` adds the answers that are missing; record them afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from fhir_app.knowledge.cases import Case, Expected
from fhir_app.knowledge.reachability import Witness

PATH = Path(__file__).with_name("probes.jsonl")
_NOTHING = Expected(None, (), (), (), False, None, {}, {}, (), ())


@lru_cache(maxsize=1)
def probes() -> tuple[Case, ...]:
    """Every probe as a case that expects nothing: what comes out of it is recorded, nobody says that it is right."""
    return tuple(
        Case(f"probe-{number}", "", answers, _NOTHING, "completed", False)
        for number, answers in enumerate(map(json.loads, PATH.read_text(encoding="utf-8").splitlines()), start=1)
    )


def as_answers(found: Witness) -> Mapping[str, Any]:
    return {link_id: sorted(codes) for link_id, codes in found.codes.items()} | dict(found.numbers)


def add(found: Iterable[Mapping[str, Any]]) -> int:
    """Adds those that are not there yet; returns how many."""
    known = PATH.read_text(encoding="utf-8").splitlines() if PATH.exists() else []
    lines = dict.fromkeys([*known, *(json.dumps(answers, sort_keys=True) for answers in found)])
    PATH.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines) - len(known)
