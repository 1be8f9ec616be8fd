"""What is claimed of a server, and what was found of each claim: the table that a person or a machine reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["held", "failed", "untested", "waived"]

CLAIMS: Mapping[str, str] = {
    "speaks-r4": "It speaks FHIR R4",
    "fits": "It fits a kind of destination",
    "published": "It has every definition as it is here",
    "people": "A made-up patient and organization can be filed",
    "accepted": "Sample responses are valid, and accepted here",
    "delivered": "Every result is delivered",
    "identified": "All that was written is found by identifier, once",
    "unaltered": "It reads back as it was sent",
    "summaries": "Results are found by patient and code",
    "flags": "Red flags are found by patient and code",
    "leaflets": "Leaflets are found by patient and type",
    "responses": "Responses are found by subject",
    "provenance": "Provenance is found by target",
    "tagged": "All that was written is found by tag",
    "valid": "Its $validate finds no error in any of it",
    "repeated": "The same submissions again change nothing",
    "undoubled": "A second delivery from an empty store doubles nothing",
    "amended": "A correction amends the result in place",
    "unflagged": "A red flag that no longer holds is withdrawn",
    "replaced": "The new leaflet replaces the old one",
    "retracted": "A retraction withdraws all of it",
    "removed": "What this run made is removed again",
}
"""By a name for machines, in the order in which they are tried."""

NOT_REACHED = "something before it did not hold"
SHOWN = 3
"""Problems of one kind that are named; the rest is counted."""


@dataclass(frozen=True)
class Finding:
    """`waived`: not tried because the caller said so. `untested`: could not be tried."""

    name: str
    verdict: Verdict
    detail: str = ""

    @property
    def claim(self) -> str:
        return CLAIMS[self.name]


@dataclass
class Notes:
    """The findings so far. `tell` is called with what is being done, in a few words, before it is done."""

    tell: Callable[[str], None]
    found: dict[str, Finding] = field(default_factory=dict)
    ended: str = NOT_REACHED
    """Why the claims without a finding have none."""

    def held(self, name: str, detail: str = "") -> None:
        self._note(name, "held", detail)

    def failed(self, name: str, detail: str) -> None:
        self._note(name, "failed", detail)

    def untested(self, name: str, detail: str) -> None:
        self._note(name, "untested", detail)

    def waived(self, name: str, detail: str) -> None:
        self._note(name, "waived", detail)

    def judge(self, name: str, problems: Sequence[str], detail: str = "") -> bool:
        """Held when there is no problem; `detail` is said then. Returns whether it held."""
        if problems:
            self.failed(name, summed_up(problems))
        else:
            self.held(name, detail)
        return not problems

    def all(self) -> tuple[Finding, ...]:
        """One for each claim, in order."""
        return tuple(self.found.get(name, Finding(name, "untested", self.ended)) for name in CLAIMS)

    def _note(self, name: str, verdict: Verdict, detail: str) -> None:
        assert name in CLAIMS
        self.found[name] = Finding(name, verdict, detail)


@dataclass(frozen=True)
class Report:
    """One run. `definitions`: what became of them, counted. `made`: how many resources the run wrote that carry its
    tag. `left`: those of them that are still there, as `Type/id`."""

    server: str
    run: str
    tag: str
    software: str
    kind: str | None
    seconds: float
    findings: tuple[Finding, ...]
    definitions: Mapping[str, int]
    patient: str | None
    made: int
    left: tuple[str, ...]

    @property
    def all_held(self) -> bool:
        return all(finding.verdict in ("held", "waived") for finding in self.findings)

    def count(self, verdict: Verdict) -> int:
        return sum(finding.verdict == verdict for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "server": self.server,
            "software": self.software,
            "destination": self.kind,
            "run": self.run,
            "tag": self.tag,
            "seconds": round(self.seconds, 1),
            "allHeld": self.all_held,
            "findings": [
                {"name": each.name, "claim": each.claim, "verdict": each.verdict, "detail": each.detail}
                for each in self.findings
            ],
            "definitions": dict(self.definitions),
            "patient": self.patient,
            "made": self.made,
            "left": list(self.left),
        }


def summed_up(problems: Sequence[str]) -> str:
    """The first few different ones in words, the rest as a number."""
    counted = Counter(problems)
    words = [f"{text} ({times} times)" if times > 1 else text for text, times in list(counted.items())[:SHOWN]]
    more = len(counted) - SHOWN
    return "; ".join(words) + (f"; and {more} more" if more > 0 else "")


def plain(text: object, most: int = 240) -> str:
    """Words of a server for a terminal: one line, of a bearable length, without control characters."""
    line = " ".join(re.sub(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]", " ", str(text)).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
