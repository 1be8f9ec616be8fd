"""Checked YAML data -> the frozen dataclasses of an intake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_app.knowledge.cited_rules import CitedRules, Documents
from fhir_app.knowledge.intake import (
    Cause,
    CodingRef,
    Disposition,
    Evidence,
    Family,
    Floor,
    Hint,
    Intake,
    LeafletText,
    NoneFits,
    RedFlag,
    Scoring,
    TieOrder,
    Trigger,
    Urgency,
    Variant,
    Where,
)
from fhir_app.knowledge.missing_answers import Reading
from fhir_app.knowledge.questionnaire import Questionnaire
from fhir_app.knowledge.strict_yaml import KeyPath

Leaflets = Mapping[tuple[str, str], LeafletText]


def intake(
    documents: Documents, questionnaire: Questionnaire, leaflets: Leaflets, digest: str, problems: list[str]
) -> Intake | None:
    """All of an intake, or None after adding to `problems` what cannot be built."""
    rules = CitedRules(documents, problems)
    rows = _Rows(rules)
    head = documents["intake.yaml"].data
    flags_file = documents["red_flags.yaml"].data
    causes_file = documents["causes.yaml"].data
    families = {row["id"]: Family(row["id"], row["label"], _codings(row)) for row in flags_file["families"]}
    gaps = head["missing_answers"]
    return Intake(
        name=head["name"],
        title=head["title"],
        knowledge_version=head["knowledge_version"],
        reviewed_by=head["reviewed"]["by"],
        reviewed_on=head["reviewed"]["date"],
        questionnaire=questionnaire,
        reading=Reading(
            core=frozenset(gaps["core"]),
            not_sure=frozenset(gaps["not_sure"]),
            declines={
                link_id: {option: frozenset(codes) for option, codes in declined.items()}
                for link_id, declined in gaps["declines"].items()
            },
        ),
        descriptive=frozenset(head["descriptive"]),
        age_link_id=head["age"]["question"],
        adult_from=head["age"]["adult_from"],
        urgency_texts=head["urgency"],
        conditions=rules.conditions,
        families=families,
        red_flags=rows.red_flags(flags_file["red_flags"], head["urgency"]),
        triggers=rows.triggers(flags_file["triggers"]),
        causes=rows.causes(causes_file["causes"]),
        hints=rows.hints(causes_file["hints"]),
        scoring=rows.scoring(causes_file["scoring"]),
        sources=rules.sources,
        leaflets=leaflets,
        languages=tuple(head["languages"]),
        digest=digest,
    )


class _Rows:
    """Rows of the files -> what they say, their rules and citations read by `rules`."""

    def __init__(self, rules: CitedRules) -> None:
        self._rules = rules

    def red_flags(self, rows: list[dict[str, Any]], texts: Mapping[str, str]) -> tuple[RedFlag, ...]:
        file = "red_flags.yaml"
        return tuple(
            RedFlag(
                id=row["id"],
                family=row["id"].partition(".")[0],
                kind=row["kind"],
                says=row["says"],
                when=self._rules.rule(file, ("red_flags", index, "when"), row["when"]),
                disposition=_disposition(row),
                blank=None if row["blank"] is None else disposition_from_words(row["blank"]),
                advice=row["advice"] or texts[_words(row)],
                why=row["why"],
                basis=row["basis"],
                citations=self._rules.citations(file, ("red_flags", index, "cite"), row["cite"]),
            )
            for index, row in enumerate(rows)
        )

    def triggers(self, rows: list[dict[str, Any]]) -> tuple[Trigger, ...]:
        file = "red_flags.yaml"
        return tuple(
            Trigger(
                id=row["id"],
                says=row["says"],
                when=self._rules.rule(file, ("triggers", index, "when"), row["when"]),
                disposition=_disposition(row),
                why=row["why"],
                basis=row["basis"],
                citations=self._rules.citations(file, ("triggers", index, "cite"), row["cite"]),
            )
            for index, row in enumerate(rows)
        )

    def causes(self, rows: list[dict[str, Any]]) -> tuple[Cause, ...]:
        return tuple(self._cause(row, ("causes", index)) for index, row in enumerate(rows))

    def _cause(self, row: dict[str, Any], at: KeyPath) -> Cause:
        file = "causes.yaml"
        required, ceiling, next_step = row["required"], row["ceiling"], row["next_step"]
        return Cause(
            id=row["id"],
            label=row["label"],
            says=row["says"],
            coding=_codings(row),
            required=self._rules.rule(file, (*at, "required", "when"), required["when"]),
            required_says=required["says"],
            required_basis=required["basis"],
            required_citations=self._rules.citations(file, (*at, "required", "cite"), required["cite"]),
            ceiling=ceiling["score"] if ceiling else None,
            ceiling_lifted=self._rules.optional_rule(
                file, (*at, "ceiling", "lifted_when"), ceiling["lifted_when"] if ceiling else None
            ),
            evidence=tuple(
                self._evidence(row["id"], item, (*at, "evidence", i)) for i, item in enumerate(row["evidence"])
            ),
            variants=tuple(self._variant(item, (*at, "variants", i)) for i, item in enumerate(row["variants"])),
            floors=self._floors(row["floors"], (*at, "floors")),
            next_step=next_step["says"],
            next_step_citations=self._rules.citations(file, (*at, "next_step", "cite"), next_step["cite"]),
        )

    def _evidence(self, cause_id: str, row: dict[str, Any], at: KeyPath) -> Evidence:
        return Evidence(
            id=f"{cause_id}/{row['id']}",
            says=row["says"],
            when=self._rules.rule("causes.yaml", (*at, "when"), row["when"]),
            counts=row["counts"],
            strength=row["strength"],
            group=row["group"],
            basis=row["basis"],
            figure=row["figure"],
            citations=self._rules.citations("causes.yaml", (*at, "cite"), row["cite"]),
        )

    def _variant(self, row: dict[str, Any], at: KeyPath) -> Variant:
        return Variant(
            id=row["id"],
            label=row["label"],
            when=self._rules.rule("causes.yaml", (*at, "when"), row["when"]),
            says=row["says"],
            basis=row["basis"],
            citations=self._rules.citations("causes.yaml", (*at, "cite"), row["cite"]),
            coding=_codings(row),
        )

    def _floors(self, rows: list[dict[str, Any]], at: KeyPath) -> tuple[Floor, ...]:
        return tuple(
            Floor(
                self._rules.optional_rule("causes.yaml", (*at, index, "when"), row["when"]),
                row["likelihood"],
                _disposition(row),
            )
            for index, row in enumerate(rows)
        )

    def hints(self, rows: list[dict[str, Any]]) -> tuple[Hint, ...]:
        return tuple(
            Hint(
                id=row["id"],
                says=row["says"],
                when=self._rules.rule("causes.yaml", ("hints", index, "when"), row["when"]),
                outside=row["outside"],
                basis=row["basis"],
                citations=self._rules.citations("causes.yaml", ("hints", index, "cite"), row["cite"]),
            )
            for index, row in enumerate(rows)
        )

    def scoring(self, row: dict[str, Any]) -> Scoring:
        none_fits = row["none_fits"]
        at: KeyPath = ("scoring", "none_fits")
        return Scoring(
            likely_score=row["likely"]["score"],
            likely_groups=row["likely"]["groups"],
            possible_score=row["possible"]["score"],
            without_required=row["without_required_feature"]["score"],
            needed=tuple(row["needed"]),
            tie_orders=tuple(TieOrder(tie["from_age"], tuple(tie["causes"])) for tie in row["ties"]),
            outside_rows={key: tuple(causes) for key, causes in row["outside"]["rows"].items()},
            always_outside=tuple(row["outside"]["always"]),
            none_fits=NoneFits(
                id=none_fits["id"],
                label=none_fits["label"],
                says=none_fits["says"],
                second_up_to=none_fits["second_up_to"],
                weak_leaders={
                    leader["cause"]: self._rules.optional_rule(
                        "causes.yaml", (*at, "weak_leaders", i, "unless"), leader["unless"]
                    )
                    for i, leader in enumerate(none_fits["weak_leaders"])
                },
                floors=self._floors(none_fits["floors"], (*at, "floors")),
                next_step=none_fits["next_step"],
            ),
        )


def _words(row: Mapping[str, Any]) -> str:
    return f"{row['urgency']} {row['where']}" if "where" in row else str(row["urgency"])


def _disposition(row: Mapping[str, Any]) -> Disposition:
    return disposition_from_words(_words(row))


def disposition_from_words(words: str) -> Disposition:
    """`same-day hospital` -> Disposition. Raises KeyError for words that are none of ours."""
    urgency, _, where = words.partition(" ")
    return Disposition(Urgency.from_word(urgency), Where[where.upper()] if where else None)


def _codings(row: Mapping[str, Any]) -> tuple[CodingRef, ...]:
    return tuple(CodingRef(c["system"], c["code"], c["display"]) for c in row["coding"])
