"""For commands that load the knowledge once and then read many responses."""

from __future__ import annotations

import gc

from fhir_app.assessment.assess import assess
from fhir_app.assessment.read_answers import read_answers
from fhir_app.knowledge.library import Library


def keep_loaded(library: Library) -> None:
    """Makes ready whatever is made once for each intake, before processes are forked that would each make their own.

    Then tells Python's collector that all of this stays, and to look less often: else it goes through the knowledge
    again every few responses, and in forked processes it touches, and so copies, the pages that they share.
    """
    for intake in library.intakes:
        assess(intake, read_answers(intake.questionnaire, {}).answers)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
