"""Everything that was delivered, read back: by identifier, element by element, and by a clinical system's searches."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_app.delivery import Delivery
from fhir_app.doctor.chart import LEAFLET, Chart, Written, codes_of, is_summary
from fhir_app.doctor.findings import Notes
from fhir_app.doctor.removal import found_by_tag, heeds_tags
from fhir_app.fhir.codes import SUMMARY_CODE


def read_back(chart: Chart, delivery: Delivery, submission_ids: Sequence[str], notes: Notes) -> Written | None:
    """The findings `identified` and `unaltered`; None when nothing could be looked up."""
    notes.tell("reading back by identifier")
    written = chart.written(delivery, submission_ids)
    if isinstance(written, str):
        notes.failed("identified", written)
        return None
    notes.judge("identified", written.missing, f"{len(written.held)} resources")
    notes.judge("unaltered", list(chart.altered(written)), "element by element")
    return written


def search(chart: Chart, written: Written, notes: Notes) -> None:
    """The findings of what a clinical system finds: it knows the patient, and our codes."""
    notes.tell("searching as a clinical system would")
    summaries = written.summaries
    query = {"patient": chart.patient, "code": f"{chart.run.namespace.observations}|{SUMMARY_CODE}"}
    notes.judge("summaries", chart.search_problems("Observation", query, summaries), f"{len(summaries)} found")
    _search_flags(chart, written, notes)
    for name, kind, parameters in (
        ("leaflets", "DocumentReference", {"patient": chart.patient, "type": LEAFLET}),
        ("responses", "QuestionnaireResponse", {"subject": f"Patient/{chart.patient}"}),
    ):
        ids = written.ids(kind)
        notes.judge(name, chart.search_problems(kind, parameters, ids), f"{len(ids)} found")
    _search_provenance(chart, written, notes)
    _search_tags(chart, notes)


def _search_flags(chart: Chart, written: Written, notes: Notes) -> None:
    by_code: dict[str, set[str]] = {}
    for known in written.observations:
        if not is_summary(known.resource):
            for code in codes_of(known.resource):
                by_code.setdefault(code, set()).add(known.id)
    problems = [
        problem
        for code, ids in by_code.items()
        for problem in chart.search_problems("Observation", {"patient": chart.patient, "code": code}, ids)
    ]
    notes.judge("flags", problems, f"{sum(map(len, by_code.values()))} found")


def _search_provenance(chart: Chart, written: Written, notes: Notes) -> None:
    problems = []
    for summary in sorted(written.summaries):
        ids = {
            known.id
            for (kind, _), known in written.held.items()
            if kind == "Provenance"
            and any(str(each.get("reference")).endswith(f"/{summary}") for each in known.resource.get("target") or ())
        }
        problems += chart.search_problems("Provenance", {"target": f"Observation/{summary}"}, ids)
    notes.judge("provenance", problems, f"{len(written.ids('Provenance'))} found")


def _search_tags(chart: Chart, notes: Notes) -> None:
    if not heeds_tags(chart.run, chart.client, chart.patience, chart.patient):
        return notes.failed("tagged", "a search by _tag finds what does not carry it, or nothing")
    found = chart.patience.until(
        lambda: found_by_tag(chart.run, chart.client, chart.patience),
        lambda seen: not isinstance(seen, str) and chart.client.made <= seen.keys(),
    )
    if isinstance(found, str):
        return notes.failed("tagged", found)
    notes.judge("tagged", [f"{kind} is missing" for kind, _ in chart.client.made - found.keys()], f"{len(found)} found")
    return None
