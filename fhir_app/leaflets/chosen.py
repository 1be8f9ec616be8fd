"""What of an assessment a patient's document shows, and what it leaves to the clinician's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fhir_app.assessment.assessment import Assessment, CauseFinding, RedFlagFinding
from fhir_app.knowledge.intake import Disposition, Intake, Urgency
from fhir_app.knowledge.phrase_files import Plan

MOST_CAUSES = 2
MOST_CARDS = 3


@dataclass(frozen=True)
class ShownFlag:
    """A red-flag family as it is shown: by its most urgent present row."""

    family: str
    row: str
    kind: Literal["red-flag", "not-assessed"]
    disposition: Disposition
    by_gap: bool


@dataclass(frozen=True)
class ShownCause:
    """A cause (or "none fits") that is explained: its own leaflet, or those of its variants, or both."""

    cause: str
    leaflet: str
    variants: tuple[str, ...]
    none_fits: bool = False


@dataclass(frozen=True)
class Chosen:
    """`flags` have a card each, most urgent first; `also` are families that are only named. `under_age` is the
    leaflet that a minor gets in place of causes and prevention, and of every card below a same-day one."""

    urgent: bool
    under_age: str | None
    flags: tuple[ShownFlag, ...]
    also: tuple[ShownFlag, ...]
    gaps: bool
    causes: tuple[ShownCause, ...]
    triggers: tuple[str, ...]
    topics: tuple[str, ...]

    @property
    def leaflet_ids(self) -> tuple[str, ...]:
        ids = [flag.family for flag in self.flags]
        for shown in self.causes:
            ids += [shown.leaflet, *shown.variants]
        ids += [f"prevention-{topic}" for topic in self.topics]
        return tuple(dict.fromkeys([*ids, self.under_age] if self.under_age else ids))


def choose(assessment: Assessment, intake: Intake, plan: Plan) -> Chosen:
    """Red flags always; causes and prevention only below a same-day result (the explanation of a cause never
    stands above an urgent disposition, so there it is left out) and never for a minor."""
    urgent = assessment.disposition.urgency >= Urgency.SAME_DAY
    minor = assessment.not_assessed_because == "under-age"
    under_age = next((flag.family for flag in intake.red_flags if flag.kind == "age"), None) if minor else None
    flags = _flags(assessment, intake)
    causes = () if urgent or minor else _causes(assessment, intake, plan)
    cards = () if minor and not urgent else _cards(flags, causes, plan, urgent=urgent)
    beside = {flag.family for flag in flags} | {shown.cause for shown in causes}
    return Chosen(
        urgent=urgent,
        under_age=under_age,
        flags=cards,
        also=tuple(flag for flag in flags if flag not in cards),
        gaps=any(flag.kind == "not-assessed" for flag in flags),
        causes=causes,
        triggers=() if urgent or minor else tuple(finding.id for finding in assessment.triggers),
        topics=() if urgent or minor else _topics(causes, plan, beside),
    )


def _cards(
    flags: list[ShownFlag], causes: tuple[ShownCause, ...], plan: Plan, *, urgent: bool
) -> tuple[ShownFlag, ...]:
    """The families that are explained. One whose advice is the opposite of another card's or cause's is only named."""
    near = [flag for flag in flags if not urgent or flag.disposition.urgency >= Urgency.SAME_DAY]
    beside = {flag.family for flag in near} | {shown.cause for shown in causes}
    return tuple(flag for flag in near if not _opposite(flag.family, beside, plan))[:MOST_CARDS]


def _opposite(id_: str, beside: set[str], plan: Plan) -> bool:
    return not beside.isdisjoint(plan.never_with.get(id_, ()))


def _flags(assessment: Assessment, intake: Intake) -> list[ShownFlag]:
    """The present families, most urgent first. Rows that report gaps may stand among the flags or the triggers."""
    rows = {row.id: row for row in intake.red_flags}
    shown: dict[str, ShownFlag] = {}
    for finding in sorted(assessment.present_flags, key=_most_urgent_first):
        kind = rows[finding.id].kind
        if kind != "age" and finding.disposition is not None:
            flag = ShownFlag(finding.family, finding.id, kind, finding.disposition, finding.by_gap)
            shown.setdefault(finding.family, flag)
    for trigger in assessment.triggers:
        row = rows.get(trigger.id)
        if row is not None and row.kind == "not-assessed":
            flag = ShownFlag(row.family, row.id, row.kind, trigger.disposition, by_gap=False)
            shown.setdefault(row.family, flag)
    return list(shown.values())


def _most_urgent_first(flag: RedFlagFinding) -> tuple[int, int, str]:
    urgency, where = flag.disposition.rank if flag.disposition is not None else (0, 0)
    return -urgency, -where, flag.id


def _causes(assessment: Assessment, intake: Intake, plan: Plan) -> tuple[ShownCause, ...]:
    if not assessment.assessed:
        return ()
    none_fits = intake.scoring.none_fits.id
    leading = sorted(assessment.causes, key=lambda finding: finding.rank)[:MOST_CAUSES]
    shown = [f for f in leading if f.id == none_fits or f.likelihood in ("likely", "possible")]
    mild = assessment.disposition.urgency is Urgency.SELF_CARE
    outcome = ShownCause(none_fits, f"{none_fits}-mild" if mild else none_fits, (), none_fits=True)
    beside = {f.id for f in shown} | {flag.family for flag in assessment.present_flags}
    chosen = [outcome if f.id == none_fits else _with_variants(f, plan, beside) for f in shown]
    return tuple(cause for cause in chosen if cause is not None) or (outcome,)


def _with_variants(finding: CauseFinding, plan: Plan, beside: set[str]) -> ShownCause | None:
    """One variant speaks for its cause; several stand below the general leaflet. Beside something that asks for
    the opposite ("drink", "stop drinking") only a variant is left: one page must not give both."""
    if _opposite(finding.id, beside, plan):
        return (
            ShownCause(finding.id, finding.variants[0], finding.variants[1:MOST_CAUSES]) if finding.variants else None
        )
    if len(finding.variants) == 1 and finding.id not in plan.keep_general:
        return ShownCause(finding.id, finding.variants[0], ())
    return ShownCause(finding.id, finding.id, finding.variants[:MOST_CAUSES])


def _topics(causes: tuple[ShownCause, ...], plan: Plan, beside: set[str]) -> tuple[str, ...]:
    own = [topic for shown in causes for topic in plan.prevention.get(shown.cause, ())]
    topics = dict.fromkeys((*own, *plan.always))
    return tuple(topic for topic in topics if not _opposite(f"prevention-{topic}", beside, plan))
