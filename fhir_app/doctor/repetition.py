"""The same again, twice: to the service that has it already, and from one that has lost everything it knew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fhir_app.doctor.chart import Chart
from fhir_app.doctor.deliveries import deliver_all, problems
from fhir_app.doctor.findings import Notes
from fhir_app.doctor.installation import Installation
from fhir_app.doctor.samples import Sample
from fhir_app.store import outbox


def submit_again(chart: Chart, samples: Sequence[Sample], to: Installation, notes: Notes) -> None:
    """The finding `repeated`."""
    notes.tell("submitting the same again")
    wrong = []
    for sample in samples:
        again = to.submissions.submit(sample.body(chart.run, chart.patient), origin=chart.client.base_url)
        if again.status_code != 200:
            wrong.append(f"{sample.case_id} is answered with {again.status_code}")
    with to.delivery.database.read() as connection:
        wrong += ["it is queued again" for row in outbox.listing(connection) if row.state == "pending"]
    notes.judge("repeated", wrong, f"{len(samples)} responses")


def deliver_again(
    chart: Chart, samples: Sequence[Sample], empty: Installation, summaries: set[str], notes: Notes
) -> None:
    """The finding `undoubled`: `empty` knows nothing of what was delivered, and must not write it twice.

    Raises GaveUp.
    """
    notes.tell("delivering everything again from an empty store")
    before = chart.everything(summaries)
    for sample in samples:
        empty.submissions.submit(sample.body(chart.run, chart.patient), origin=chart.client.base_url)
    wrong = problems(deliver_all(empty.delivery, chart.patience), empty.delivery)
    after = chart.everything(summaries)
    if isinstance(before, str) or isinstance(after, str):
        wrong += [each for each in (before, after) if isinstance(each, str)]
        notes.judge("undoubled", wrong)
        return
    wrong += [f"there is another {kind} now" for kind, _ in sorted(after - before)]
    wrong += [f"a {kind} has disappeared" for kind, _ in sorted(before - after)]
    counted = Counter(kind for kind, _ in sorted(after))
    notes.judge("undoubled", wrong, "still " + ", ".join(f"{number} {kind}" for kind, number in counted.items()))
