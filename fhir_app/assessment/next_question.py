"""The one unanswered question that would change the ranking most."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_app.assessment.causes import Score, score
from fhir_app.assessment.compiled import CompiledCause, CompiledEvidence, CompiledIntake
from fhir_app.knowledge.answers import Answers, Coding, State


def best_next_question(
    rules: CompiledIntake, answers: Answers, order: list[tuple[CompiledCause, Score]]
) -> str | None:
    """The linkId whose answer could move the scores of the causes most; the first of equals; None when no
    unanswered question could move any. Each option is tried alone, as if the patient had chosen only that."""
    best, best_change = None, 0
    for link_id in _open_questions(rules, answers):
        affected = [
            (cause, result, [item for item in cause.evidence if link_id in item.link_ids]) for cause, result in order
        ]
        affected = [(cause, result, items) for cause, result, items in affected if items]
        change = max(
            (
                sum(_change(rules, cause, result, items, supposed) for cause, result, items in affected)
                for supposed in _supposed(rules, answers, link_id)
            ),
            default=0,
        )
        if change > best_change:
            best, best_change = link_id, change
    return best


def _change(
    rules: CompiledIntake, cause: CompiledCause, result: Score, items: list[CompiledEvidence], supposed: Answers
) -> int:
    """By how much the cause's score would move; only the evidence that reads the question is read again."""
    truths = {**result.truths, **{item.evidence.id: item.when(supposed) for item in items}}
    return abs(score(cause, truths, supposed, rules.intake.scoring).value - result.value)


def _open_questions(rules: CompiledIntake, answers: Answers) -> Iterable[str]:
    not_sure = rules.intake.reading.not_sure
    for link_id in rules.askable:
        state = answers.state(link_id)
        if state is State.BLANK or (state is State.ANSWERED and answers.codes(link_id) & not_sure):
            yield link_id


def _supposed(rules: CompiledIntake, answers: Answers, link_id: str) -> Iterable[Answers]:
    named = rules.named.get(link_id)
    states = {key: state for key, state in answers.states.items() if key != link_id}
    for option in rules.intake.questionnaire.by_link_id[link_id].options:
        if isinstance(option.value, Coding) and option.value.code in (named or ()):
            yield Answers({**answers.answered, link_id: (option.value,)}, states)
