"""Assessments and an intake made by hand: only what a document reads."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from fhir_app.assessment.assessment import Assessment, CauseFinding, RedFlagFinding, TriggerFinding
from fhir_app.knowledge.intake import Disposition, Intake, NoneFits, RedFlag, Scoring, Urgency, Where
from fhir_app.knowledge.leaflet_files import read_leaflets
from fhir_app.leaflets.care import read_care_settings
from fhir_app.leaflets.compose import compose
from fhir_app.leaflets.page import PatientDocument

ROOT = Path(__file__).parents[2] / "questionnaires"
FOLDER = ROOT / "tingling-legs" / "leaflets"
TODAY = date(2026, 11, 24)
LANGUAGES = ("en", "es")

E0 = Disposition(Urgency.EMERGENCY)
E1H = Disposition(Urgency.SAME_DAY, Where.HOSPITAL)
E1C = Disposition(Urgency.SAME_DAY, Where.CLINIC)
SOON = Disposition(Urgency.SOON)
ROUTINE = Disposition(Urgency.ROUTINE)
SELF_CARE = Disposition(Urgency.SELF_CARE)

CARE = read_care_settings(ROOT / "care-settings.yaml")


@lru_cache(maxsize=1)
def intake() -> Intake:
    none_fits = NoneFits("none-fits", "None fits", "", 5, {}, (), "")
    scoring = Scoring(8, 3, 4, 3, (), (), {}, (), none_fits)
    empty: dict[str, Any] = dict.fromkeys(Intake.__dataclass_fields__, ())
    leaflets = read_leaflets(FOLDER)
    families = sorted({id_ for id_, _ in leaflets if id_ == "NA" or id_.startswith("RF")})
    rows = tuple(_row(f"{family}.{number}") for family in families for number in range(1, 10))
    given = {"name": "tingling-legs", "scoring": scoring, "leaflets": leaflets, "red_flags": rows}
    return Intake(**cast(Any, {**empty, **given}))


def _row(id_: str) -> RedFlag:
    family = id_.split(".")[0]
    kind = {"RF00": "age", "NA": "not-assessed"}.get(family, "red-flag")
    empty: dict[str, Any] = dict.fromkeys(RedFlag.__dataclass_fields__, ())
    return RedFlag(**cast(Any, {**empty, "id": id_, "family": family, "kind": kind}))


def flag(row: str, disposition: Disposition, *, by_gap: bool = False, reported: bool = True) -> RedFlagFinding:
    family = row.split(".")[0]
    return RedFlagFinding(row, family, "present", disposition, reported, by_gap, "", "", (), (), "judgement", ())


def cause(id_: str, rank: int, likelihood: str = "likely", variants: tuple[str, ...] = ()) -> CauseFinding:
    return CauseFinding(
        id_, id_, rank, cast(Any, likelihood), 10 - rank, 3, (), (), (), False, None, variants, ""
    )  # fmt: skip


def trigger(id_: str, disposition: Disposition = ROUTINE) -> TriggerFinding:
    return TriggerFinding(id_, disposition, "", (), (), ())


def result(
    disposition: Disposition,
    *,
    flags: tuple[RedFlagFinding, ...] = (),
    causes: tuple[CauseFinding, ...] = (),
    triggers: tuple[TriggerFinding, ...] = (),
    because: str | None = None,
) -> Assessment:
    return Assessment(
        intake="tingling-legs", canonical="https://example.org/q|1", knowledge_version="1",
        disposition=disposition, floor=None, leading_cause_asks=None, assessed=because is None,
        not_assessed_because=cast(Any, because), red_flags=flags, triggers=triggers, causes=causes,
        hints=(), outside_explanation=(), unanswered=(), best_next_question=None,
    )  # fmt: skip


def document(assessment: Assessment, language: str = "en", country: str = "us") -> PatientDocument:
    return compose(intake(), assessment, language=language, today=TODAY, care=CARE[country])


SAMPLES: dict[str, Assessment] = {
    "self-care-two-causes": result(
        SELF_CARE,
        causes=(cause("restrictive-clothing", 1), cause("nerve-compression", 2, "possible", ("bike-position",))),
    ),
    "self-care-none-fits": result(SELF_CARE, causes=(cause("none-fits", 1), cause("warm-up", 2, "less-likely"))),
    "routine-neuropathy-b12": result(
        ROUTINE,
        causes=(cause("peripheral-neuropathy", 1), cause("b12-deficiency", 2, "possible")),
        triggers=(trigger("B2.2"), trigger("B2.6")),
    ),
    "soon-artery": result(
        SOON, flags=(flag("RF02.4", SOON),), causes=(cause("popliteal-entrapment", 1), cause("cecs", 2, "possible"))
    ),
    "same-day-clinic-swollen-leg": result(E1C, flags=(flag("RF06.2", E1C),), causes=(cause("sciatica", 1),)),
    "same-day-hospital-both-legs": result(
        E1H, flags=(flag("RF01b.1", E1H), flag("RF20.2", SOON)), causes=(cause("sciatica", 1),)
    ),
    "emergency-bladder": result(
        E0, flags=(flag("RF01.1", E0), flag("RF10.1", E0), flag("RF18.1", SELF_CARE)), causes=(cause("sciatica", 1),)
    ),
    "emergency-not-sure": result(E0, flags=(flag("RF02.2", E0, by_gap=True),)),
    "under-18": result(SOON, flags=(flag("RF00.1", SOON),), because="under-age"),
    "under-18-emergency": result(E0, flags=(flag("RF00.1", SOON), flag("RF03.1", E0)), because="under-age"),
    "emergency-low-sugar": result(E0, flags=(flag("RF23.1", E0), flag("RF12b.1", E1H))),
    "self-care-long-known": result(
        SELF_CARE, causes=(cause("peripheral-neuropathy", 1), cause("b12-deficiency", 2, "possible"))
    ),
    "open-safety-questions": result(SOON, triggers=(trigger("NA.1", SOON),), causes=(cause("sciatica", 1),)),
    "fluid-and-salt": result(
        SELF_CARE,
        flags=(flag("RF12b.2", SELF_CARE),),
        causes=(
            cause("fluid-overload", 1, "possible"),
            cause("dehydration-electrolyte", 2, "possible", ("low-potassium", "low-calcium")),
        ),
    ),
}  # fmt: skip


def compose_sample(name: str, language: str = "en", country: str = "us") -> PatientDocument:
    return document(SAMPLES[name], language, country)


@lru_cache(maxsize=1)
def real_intake() -> Intake:
    """The published intake as the service reads it."""
    from fhir_app.knowledge.loader import load_intake

    return load_intake(FOLDER.parent)
