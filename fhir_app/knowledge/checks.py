"""What a reader of single files cannot see: dead links, ids used twice, causes that nothing names, rules that can
never fire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.criteria import Compare, Criterion, Named, Not, Ticked, leaves
from fhir_app.knowledge.intake import Cause, Citation, Intake, Rule
from fhir_app.knowledge.questionnaire import Questionnaire
from fhir_app.knowledge.reachability import witness
from fhir_app.knowledge.strict_yaml import Document, KeyPath

Place = tuple[str, KeyPath]


def check_intake(intake: Intake, documents: Mapping[str, Document]) -> list[str]:
    """Every problem of a built intake, one line each, naming file and place."""
    found: list[tuple[Place, str]] = []
    found.extend(_ids(intake))
    found.extend(_dead_links(intake))
    found.extend(_names(intake))
    found.extend(_unused_options(intake))
    found.extend(_unused_sources(intake, documents))
    if not found:
        found.extend(_unreachable(intake))
    return [f"{documents[file].place(at)}: {message}" for (file, at), message in found]


def every_rule(intake: Intake) -> Iterator[tuple[Place, str, Rule]]:
    """Every criterion of the intake: its place, what it is for, and the rule."""
    flags, causes = "red_flags.yaml", "causes.yaml"
    for i, (name, rule) in enumerate(intake.conditions.items()):
        yield ("intake.yaml", ("conditions", i, "when")), f"@{name}", rule
    for i, flag in enumerate(intake.red_flags):
        yield (flags, ("red_flags", i, "when")), flag.id, flag.when
    for i, trigger in enumerate(intake.triggers):
        yield (flags, ("triggers", i, "when")), trigger.id, trigger.when
    for i, cause in enumerate(intake.causes):
        yield from _rules_of_cause(cause, (causes, ("causes", i)))
    for i, hint in enumerate(intake.hints):
        yield (causes, ("hints", i, "when")), hint.id, hint.when
    none_fits = intake.scoring.none_fits
    for i, floor in enumerate(none_fits.floors):
        if floor.when is not None:
            yield (causes, ("scoring", "none_fits", "floors", i, "when")), none_fits.id, floor.when


def _rules_of_cause(cause: Cause, place: Place) -> Iterator[tuple[Place, str, Rule]]:
    file, at = place
    yield (file, (*at, "required", "when")), f"{cause.id} required", cause.required
    if cause.ceiling_lifted is not None:
        yield (file, (*at, "ceiling", "lifted_when")), f"{cause.id} ceiling", cause.ceiling_lifted
    for i, floor in enumerate(cause.floors):
        if floor.when is not None:
            yield (file, (*at, "floors", i, "when")), f"{cause.id} floor", floor.when
    for i, variant in enumerate(cause.variants):
        yield (file, (*at, "variants", i, "when")), variant.id, variant.when
    for i, item in enumerate(cause.evidence):
        yield (file, (*at, "evidence", i, "when")), item.id, item.when


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


def _dead_links(intake: Intake) -> Iterator[tuple[Place, str]]:
    for place, _, rule in every_rule(intake):
        for message in _dead_links_of(rule.tree, intake.questionnaire):
            yield place, message
    asked = [intake.age_link_id, *intake.reading.core, *intake.scoring.needed, *(intake.reading.declines or {})]
    for link_id in asked:
        if link_id not in intake.questionnaire.by_link_id:
            yield ("intake.yaml", ()), f"the questionnaire has no item {link_id!r}"


def _dead_links_of(tree: Criterion, questionnaire: Questionnaire) -> Iterator[str]:
    for leaf in leaves(tree):
        if isinstance(leaf, Named | Not):
            continue
        item = questionnaire.by_link_id.get(leaf.link_id)
        if item is None:
            yield f"the questionnaire has no item {leaf.link_id!r}"
        elif isinstance(leaf, Ticked):
            options = {option.value.code for option in item.options if isinstance(option.value, Coding)}
            for code in leaf.codes:
                if code not in options:
                    yield f"{leaf.link_id!r} has no option {code!r}"
            if leaf.at_least > 1 and not item.repeats:
                yield f"{leaf.link_id!r} takes one answer only"
            if leaf.at_least > len(leaf.codes):
                yield f"{leaf.at_least} of {len(leaf.codes)} options can never be ticked"
        elif isinstance(leaf, Compare) and item.type not in ("integer", "decimal", "quantity"):
            yield f"{leaf.link_id!r} is no number"


def _unused_options(intake: Intake) -> Iterator[tuple[Place, str]]:
    """Every option is read by a rule, opens a question, or is declared to be for the clinician's eyes only."""
    place: Place = ("intake.yaml", ("descriptive",))
    rules = [rule.tree for _, _, rule in every_rule(intake)]
    rules += [item.enable_when for item in intake.questionnaire.by_link_id.values() if item.enable_when is not None]
    read = {(leaf.link_id, code) for tree in rules for leaf in leaves(tree) for code in _codes_read(leaf)}
    silent = intake.reading.not_sure | {"none"}
    known = set()
    for item in intake.questionnaire.by_link_id.values():
        codes = {option.value.code for option in item.options if isinstance(option.value, Coding)}
        known |= {item.link_id, *(f"{item.link_id}/{code}" for code in codes)}
        if item.link_id in intake.descriptive:
            continue
        for code in sorted(str(code) for code in codes - silent):
            if (item.link_id, code) not in read and f"{item.link_id}/{code}" not in intake.descriptive:
                yield place, f"no rule reads {item.link_id}/{code}, and it is not declared descriptive"
    for name in sorted(intake.descriptive - known):
        yield place, f"the questionnaire has no {name!r}"


def _codes_read(leaf: Criterion) -> tuple[str, ...]:
    if isinstance(leaf, Ticked):
        return leaf.codes
    if isinstance(leaf, Compare) and isinstance(leaf.value, Coding) and leaf.value.code is not None:
        return (leaf.value.code,)
    return ()


def _citations(intake: Intake) -> Iterator[Citation]:
    for flag in intake.red_flags:
        yield from flag.citations
    for trigger in intake.triggers:
        yield from trigger.citations
    for hint in intake.hints:
        yield from hint.citations
    for cause in intake.causes:
        yield from (*cause.required_citations, *cause.next_step_citations)
        for claim in (*cause.evidence, *cause.variants):
            yield from claim.citations


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


def _unreachable(intake: Intake) -> Iterator[tuple[Place, str]]:
    for place, name, rule in every_rule(intake):
        if witness(rule.tree, intake) is None:
            yield place, f"{name} can never be true: no answers to the form make it so"
        elif witness(Not(rule.tree), intake) is None:
            yield place, f"{name} can never be false"
