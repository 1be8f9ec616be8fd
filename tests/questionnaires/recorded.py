"""What every case, story and probe comes out as, a line each, so that a change of the knowledge shows as changed lines.

`python -m tests.questionnaires.recorded` writes recorded.txt anew; look at the difference before you commit it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fhir_app.assessment.assessment import Assessment
from fhir_app.evaluation.played import Result, in_words, play_case, play_story
from tests.assessment.knowledge_fixture import cases_and_stories, intake
from tests.questionnaires.probes import probes

_LETTER = {"likely": "L", "possible": "P", "less-likely": "", "not-assessed": "?"}
PATH = Path(__file__).with_name("recorded.txt")


def line(assessment: Assessment) -> str:
    """Urgency; rows that are present (with ? and its urgency where a gap made them so); every cause with its score
    (L likely, P possible, ^ held back), in rank order; variants and hints."""
    result = Result.of(assessment)
    gaps = {flag.id: in_words(flag.disposition) for flag in assessment.red_flags if flag.by_gap and flag.disposition}
    rows = " ".join(f"{row}?{gaps[row].replace(' ', '-')}" if row in gaps else row for row in result.present)
    causes = ""
    if assessment.assessed:
        causes = " ".join(
            f"{cause.id}={cause.score}{_LETTER[cause.likelihood]}{'^' if cause.capped_by else ''}"
            f"{'(' + ','.join(cause.variants) + ')' if cause.variants else ''}"
            for cause in assessment.causes
        )
    hints = " ".join(hint.id for hint in assessment.hints)
    return f"{result.urgency} | {rows} | {causes} | {hints}"


def lines() -> tuple[str, ...]:
    """One line for each case, story and probe, under the digest of the knowledge that gave them."""
    cases, stories = cases_and_stories()
    found = [f"{case.id}: {line(play_case(intake(), case))}" for case in cases]
    found += [f"{story.id}: {line(play_story(intake(), story))}" for story in stories]
    found += [f"{probe.id}: {line(play_case(intake(), probe))}" for probe in probes()]
    return (f"# knowledge {intake().knowledge_version}", *found)


if __name__ == "__main__":
    PATH.write_text("\n".join(lines()) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(lines()) - 1} results written to {PATH.name}.\n")
