"""Value sets and code systems, from the resources that are given and the small ones of HL7 that forms use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Terminology:
    """What codes there are."""
