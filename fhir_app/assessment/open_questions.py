"""What is not known: questions without a usable answer, and those that nobody asked because of such a gap."""

from __future__ import annotations

from fhir_app.assessment.compiled import CompiledIntake
from fhir_app.knowledge.answers import NOT_ASKED, UNDETERMINED, Answers
from fhir_app.knowledge.missing_answers import Reading
from fhir_app.knowledge.truth import UNKNOWN


def with_open_questions(rules: CompiledIntake, answers: Answers) -> Answers:
    """The same answers, with every question that was not shown only because of a "not sure", a declined answer or one
    that cannot be read marked as undetermined: nobody may read it as "no"."""
    reading = rules.intake.reading
    doubtful = [
        link_id
        for link_id in answers.answered
        if answers.codes(link_id) & (reading.not_sure | set((reading.declines or {}).get(link_id, ())))
    ]
    doubtful += sorted(answers.unread.difference(doubtful))
    if not doubtful:
        return answers
    states = dict(answers.states)
    while doubtful:
        settled = Answers(answers.answered, states, answers.unread)
        found = [
            link_id
            for asked in doubtful
            for link_id, shown in rules.opened_by.get(asked, ())
            if answers.state(link_id) is NOT_ASKED and link_id not in states
            if shown(settled) is UNKNOWN
        ]
        states.update(dict.fromkeys(found, UNDETERMINED))
        doubtful = found
    return Answers(answers.answered, states, answers.unread)


def gaps_of(answers: Answers, reading: Reading) -> frozenset[str]:
    """The questions without a usable answer: blank, undetermined, "not sure", declined, or not to be read in full."""
    gaps = {link_id for link_id, state in answers.states.items() if state is not NOT_ASKED}
    for link_id in answers.answered:
        codes = answers.codes(link_id)
        if codes & reading.not_sure or codes & set((reading.declines or {}).get(link_id, ())):
            gaps.add(link_id)
    return answers.unread.union(gaps)
