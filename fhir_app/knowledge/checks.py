"""What a reader of single files cannot see: dead links, ids used twice, causes that nothing names, rules that can
never fire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.compile_criteria import compile_criterion
from fhir_app.knowledge.criteria import Not
from fhir_app.knowledge.intake import Citation, Intake
from fhir_app.knowledge.leaflet_files import missing_leaflets
from fhir_app.knowledge.links import dead_links, unused_options
from fhir_app.knowledge.missing_answers import Missing
from fhir_app.knowledge.phrase_files import PHRASES, TRIGGER_PHRASE, PhraseBook
from fhir_app.knowledge.reachability import witness
from fhir_app.knowledge.rules import Place, every_rule
from fhir_app.knowledge.strict_yaml import Document, KeyPath
from fhir_app.knowledge.truth import Truth


def check_intake(intake: Intake, documents: Mapping[str, Document]) -> list[str]:
    """Every problem of a built intake, one line each, naming file and place."""
    found: list[tuple[Place, str]] = []
    found.extend(_ids(intake))
    found.extend(dead_links(intake))
    found.extend(_names(intake))
    found.extend(unused_options(intake))
    found.extend(_unused_sources(intake, documents))
    found.extend(_present_on_an_empty_form(intake))
    if not found:
        found.extend(_unreachable(intake))
    problems = [f"{documents[file].place(at)}: {message}" for (file, at), message in found]
    none_fits = intake.scoring.none_fits.id
    problems.extend(_phrases(intake))
    return [*problems, *missing_leaflets(intake.leaflets, intake.causes, intake.red_flags, none_fits)]


def _ids(intake: Intake) -> Iterator[tuple[Place, str]]:
    kinds = {
        ("red_flags.yaml", "red_flags"): [flag.id for flag in intake.red_flags],
        ("red_flags.yaml", "triggers"): [trigger.id for trigger in intake.triggers],
        ("causes.yaml", "causes"): [cause.id for cause in intake.causes],
        ("causes.yaml", "hints"): [hint.id for hint in intake.hints],
    }
    for (file, key), ids in kinds.items():
        for row_id, count in Counter(ids).items():
            if count > 1:
                yield (file, (key, ids.index(row_id))), f"the id {row_id!r} stands {count} times"
    for i, cause in enumerate(intake.causes):
        for row_id, count in Counter(item.id for item in cause.evidence).items():
            if count > 1:
                yield ("causes.yaml", ("causes", i)), f"the evidence id {row_id!r} stands {count} times"


def _names(intake: Intake) -> Iterator[tuple[Place, str]]:
    causes = {cause.id for cause in intake.causes}
    families = {flag.family for flag in intake.red_flags}
    for i, flag in enumerate(intake.red_flags):
        if flag.family not in intake.families:
            yield ("red_flags.yaml", ("red_flags", i, "id")), f"no family {flag.family!r}"
    for i, family in enumerate(intake.families):
        if family not in families:
            yield ("red_flags.yaml", ("families", i)), f"no red flag belongs to family {family!r}"
    scoring = intake.scoring
    for i, tie in enumerate(scoring.tie_orders):
        for cause in sorted(causes ^ set(tie.causes)):
            yield ("causes.yaml", ("scoring", "ties", i)), f"{cause!r} is not in both causes and this order"
    for prefix, named in scoring.outside_rows.items():
        at: KeyPath = ("scoring", "outside", "rows", prefix)
        if not any(flag.id.startswith(prefix) for flag in intake.red_flags):
            yield ("causes.yaml", at), f"no red flag begins with {prefix!r}"
        for cause in sorted(set(named) - causes):
            yield ("causes.yaml", at), f"no cause {cause!r}"
    for cause in scoring.none_fits.weak_leaders:
        if cause not in causes:
            yield ("causes.yaml", ("scoring", "none_fits", "weak_leaders")), f"no cause {cause!r}"


def _citations(intake: Intake) -> Iterator[Citation]:
    for flag in intake.red_flags:
        yield from flag.citations
    for trigger in intake.triggers:
        yield from trigger.citations
    for hint in intake.hints:
        yield from hint.citations
    for cause in intake.causes:
        yield from (*cause.required_citations, *cause.next_step_citations)
        for item in cause.evidence:
            yield from item.citations
        for variant in cause.variants:
            yield from variant.citations


def _unused_sources(intake: Intake, documents: Mapping[str, Document]) -> Iterator[tuple[Place, str]]:
    used = {citation.source.id for citation in _citations(intake)}
    used |= {source for leaflet in intake.leaflets.values() for source in leaflet.sources}
    ids = [row["id"] for row in documents["sources.yaml"].data["sources"]]
    for i, source in enumerate(ids):
        if source not in used:
            yield ("sources.yaml", ("sources", i)), f"source {source!r} is cited nowhere"
        if ids.count(source) > 1 and ids.index(source) != i:
            yield ("sources.yaml", ("sources", i)), f"source {source!r} stands twice"
    for (name, language), leaflet in intake.leaflets.items():
        for source in leaflet.sources:
            if source not in intake.sources:
                yield ("sources.yaml", ()), f"leaflet {name}.{language} cites {source!r}, which is not there"


def _present_on_an_empty_form(intake: Intake) -> Iterator[tuple[Place, str]]:
    for i, flag in enumerate(intake.red_flags):
        when = compile_criterion(flag.when.tree, Missing.STRICT, intake.reading)
        if when(Answers({})) is not Truth.NO:
            yield ("red_flags.yaml", ("red_flags", i, "when")), f"{flag.id} would be present on an empty form"


def _phrases(intake: Intake) -> Iterator[str]:
    """Each language of the intake has its phrases; every trigger, and nothing else, has one."""
    triggers = {trigger.id for trigger in intake.triggers}
    rows = {flag.id for flag in intake.red_flags}
    for language in intake.languages:
        book = intake.leaflets.get((PHRASES, language))
        if not isinstance(book, PhraseBook):
            yield f"leaflets: there is no phrases.{language}.yaml"
            continue
        said = {key.removeprefix(TRIGGER_PHRASE) for key in book.texts if key.startswith(TRIGGER_PHRASE)}
        yield from (f"phrases.{language}.yaml: trigger-{id_} is missing" for id_ in sorted(triggers - said))
        yield from (f"phrases.{language}.yaml: there is no trigger {id_}" for id_ in sorted(said - triggers))
        yield from (f"plan.yaml: there is no red flag {id_}" for id_ in sorted(set(book.plan.red_flag_days) - rows))


def _unreachable(intake: Intake) -> Iterator[tuple[Place, str]]:
    for place, name, rule in every_rule(intake):
        if witness(rule.tree, intake) is None:
            yield place, f"{name} can never be true: no answers to the form make it so"
        elif witness(Not(rule.tree), intake) is None:
            yield place, f"{name} can never be false"
