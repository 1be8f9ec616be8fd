"""The one unanswered question that would change the ranking most."""

from __future__ import annotations

from collections import defaultdict

from fhir_app.assessment.causes import Score
from fhir_app.assessment.compiled import CompiledCause
from fhir_app.knowledge.answers import Answers, State
from fhir_app.knowledge.criteria import Truth


def best_next_question(
    askable: tuple[str, ...], answers: Answers, order: list[tuple[CompiledCause, Score]], gaps: frozenset[str]
) -> str | None:
    """The linkId whose answer could move the scores of the causes most; the first of equals; None when no open
    question could move any.

    What a question could move is read off the evidence that is unknown for want of it: for each cause, the strongest
    such piece beyond what its group already counts. Ceilings are left aside.
    """
    moves: dict[str, int] = defaultdict(int)
    for cause, result in order:
        for link_id, move in _moves(cause, result, gaps).items():
            moves[link_id] += move
    asked = [link_id for link_id in askable if moves[link_id] and answers.state(link_id) is not State.UNDETERMINED]
    return max(asked, key=lambda link_id: moves[link_id], default=None)


def _moves(cause: CompiledCause, result: Score, gaps: frozenset[str]) -> dict[str, int]:
    counted: dict[tuple[str, str], int] = {}
    for item in cause.evidence:
        if item.evidence.id in result.counted:
            counted[item.evidence.group, item.evidence.counts] = item.evidence.strength
    moves: dict[str, int] = {}
    for item in cause.evidence:
        if result.truths[item.evidence.id] is Truth.UNKNOWN:
            beyond = item.evidence.strength - counted.get((item.evidence.group, item.evidence.counts), 0)
            for link_id in item.link_ids & gaps:
                moves[link_id] = max(moves.get(link_id, 0), beyond)
    return moves
