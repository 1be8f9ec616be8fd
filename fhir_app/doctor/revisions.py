"""A correction and a retraction of one delivered response, and what they should have done to its chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_app.delivery import Delivery
from fhir_app.doctor.chart import Chart, Written, is_summary
from fhir_app.doctor.deliveries import deliver_all, problems
from fhir_app.doctor.findings import Notes
from fhir_app.doctor.installation import Installation
from fhir_app.doctor.samples import Sample
from fhir_app.fhir.entries import Known, Resource


def revise(chart: Chart, delivered: Mapping[str, Sample], of: Installation, notes: Notes) -> None:
    """Corrects one flagged response so that its flag is gone, then retracts it. `delivered`: by submission id.

    Raises GaveUp.
    """
    chosen = next(((key, each) for key, each in delivered.items() if each.finished and each.flagged), None)
    calm = next((each for each in delivered.values() if each.finished and not each.flagged), None)
    if chosen is None or calm is None:
        return
    before = chart.written(of.delivery, [chosen[0]])
    if isinstance(before, str):
        return
    revisions = Revisions(chart, of.delivery, before, notes)
    for status, name, judge in (
        ("amended", "amended", revisions.judge_correction),
        ("entered-in-error", "retracted", revisions.judge_retraction),
    ):
        notes.tell(f"sending a revision that is {status}")
        body = chosen[1].body(chart.run, chart.patient, status=status, answers=calm.answers)
        submitted = of.submissions.submit(body, origin=chart.client.base_url)
        rows = deliver_all(of.delivery, chart.patience)
        own = [row for row in rows if row.submission_id == submitted.submission_id]
        wrong = problems(own, of.delivery) if own else [f"it was not queued ({submitted.status_code})"]
        if wrong:
            return notes.failed(name, wrong[0])
        judge(submitted.submission_id)
    return None


@dataclass(frozen=True)
class Revisions:
    """`before`: what the first revision wrote."""

    chart: Chart
    delivery: Delivery
    before: Written
    notes: Notes

    def judge_correction(self, submission_id: str) -> None:
        """The findings `amended`, `unflagged` and `replaced`."""
        after = self.chart.written(self.delivery, [submission_id])
        if isinstance(after, str):
            for name in ("amended", "unflagged", "replaced"):
                self.notes.untested(name, after)
            return
        wrong = after.missing + sorted(set(self.chart.altered(after)))
        old, new = _summary(self.before), _summary(after)
        if old is None or new is None:
            wrong.append("the summary is not found")
        else:
            wrong += [] if old.id == new.id else ["the summary has another id than before"]
            wrong += [] if old.version != new.version else ["the summary has the same version as before"]
            wrong += _not_in(new.resource, {"amended"})
        self.notes.judge("amended", wrong, "same id, a new version, status amended")
        flags = [_now(after, known.id) for known in self.before.observations if not is_summary(known.resource)]
        if flags:
            wrong = [word for flag in flags for word in _not_in(flag, {"entered-in-error"})]
            self.notes.judge("unflagged", wrong, f"{len(flags)} entered in error")
        else:
            self.notes.untested("unflagged", "the sample that was corrected had no red flag")
        self._judge_documents(after)

    def _judge_documents(self, after: Written) -> None:
        former = next(iter(self.before.ids("DocumentReference")), None)
        if former is None:
            return self.notes.untested("replaced", "no leaflet was filed before")
        current = [
            known.resource
            for (kind, _), known in after.held.items()
            if kind == "DocumentReference" and known.id != former
        ]
        wrong = [] if len(current) == 1 else [f"{len(current)} new leaflets in place of one"]
        wrong += [word for document in current for word in _not_in(document, {"current"})]
        wrong += _not_in(_now(after, former), {"superseded"})
        targets = [each.get("target") or {} for document in current for each in document.get("relatesTo") or ()]
        if not any(str(target.get("reference")).split("/_history/")[0].endswith(former) for target in targets):
            wrong.append("the new leaflet does not refer to the one that it replaces")
        self.notes.judge("replaced", wrong, "the old one is superseded")
        return None

    def judge_retraction(self, submission_id: str) -> None:
        """The finding `retracted`."""
        after = self.chart.written(self.delivery, [submission_id])
        if isinstance(after, str):
            return self.notes.untested("retracted", after)
        wrong = after.missing + sorted(set(self.chart.altered(after)))
        for kind in ("Observation", "DocumentReference", "QuestionnaireResponse"):
            for (found, _), known in after.held.items():
                if found == kind:
                    wrong += _not_in(known.resource, {"entered-in-error"})
        self.notes.judge("retracted", wrong, "observations, leaflet and response are entered in error")
        return None


def _summary(written: Written) -> Known | None:
    return next((known for known in written.observations if is_summary(known.resource)), None)


def _now(written: Written, server_id: str) -> Resource:
    """The resource of this id as the server holds it now; without anything in it when it is not found."""
    return next((known.resource for known in written.held.values() if known.id == server_id), {})


def _not_in(resource: Resource, statuses: set[str]) -> list[str]:
    if resource.get("status") in statuses:
        return []
    return [f"{resource.get('resourceType', 'a resource')} is not {' or '.join(sorted(statuses))}"]
