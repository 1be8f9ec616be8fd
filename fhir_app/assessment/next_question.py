"""The one unanswered question that would change the ranking most."""

from __future__ import annotations

from collections import defaultdict

from fhir_app.assessment.causes import Score
from fhir_app.assessment.compiled import CompiledCause
from fhir_app.knowledge.answers import UNDETERMINED, Answers


def best_next_question(
    askable: tuple[str, ...], answers: Answers, order: list[tuple[CompiledCause, Score]], gaps: frozenset[str]
) -> str | None:
    """The linkId whose answer could move the scores of the causes most; the first of equals; None when no open
    question could move any.

    What a question could move is read off the evidence that is unknown for want of it: for each cause, the strongest
    such piece beyond what its group already counts. Ceilings are left aside.
    """
    moves: dict[str, int] = defaultdict(int)
    for _, result in order:
        for link_id, move in _moves(result, gaps).items():
            moves[link_id] += move
    asked = [link_id for link_id in askable if moves[link_id] and answers.state(link_id) is not UNDETERMINED]
    return max(asked, key=lambda link_id: moves[link_id], default=None)


def _moves(result: Score, gaps: frozenset[str]) -> dict[str, int]:
    if not result.unknown:
        return {}
    counted = {item.key: abs(item.signed_strength) for item in result.held if item.id in result.counted}
    moves: dict[str, int] = {}
    for item in result.unknown:
        beyond = abs(item.signed_strength) - counted.get(item.key, 0)
        for link_id in item.link_ids & gaps:
            moves[link_id] = max(moves.get(link_id, 0), beyond)
    return moves
