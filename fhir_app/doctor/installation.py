"""A service as it would be wired for the examined server, with a store of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fhir_app.delivery import Delivery
from fhir_app.submission import Submissions


@dataclass(frozen=True)
class Installation:
    submissions: Submissions
    delivery: Delivery


OpenInstallation = Callable[[str, str, str], Installation]
"""Kind of the destination, name of the responsible organization, and its identifier as `system|value` -> an
installation whose store is empty."""
