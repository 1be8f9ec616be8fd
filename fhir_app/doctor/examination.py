"""The whole run, step by step; each step says what it found, and a step that cannot go on leaves the rest untested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from fhir_app.doctor import people
from fhir_app.doctor.chart import Chart
from fhir_app.doctor.clients import RunClient
from fhir_app.doctor.deliveries import deliver_all, problems
from fhir_app.doctor.findings import Notes, Report, summed_up
from fhir_app.doctor.fit import fit, software
from fhir_app.doctor.installation import Installation, OpenInstallation
from fhir_app.doctor.patience import FINAL, GaveUp, Patience
from fhir_app.doctor.publication import publish_all
from fhir_app.doctor.reading_back import read_back, search
from fhir_app.doctor.removal import Removed, remove
from fhir_app.doctor.repetition import deliver_again, submit_again
from fhir_app.doctor.revisions import revise
from fhir_app.doctor.run import Run
from fhir_app.doctor.samples import Sample, choose
from fhir_app.doctor.validity import validate_all
from fhir_app.fhir.client import FhirClient
from fhir_app.fhir.definitions import definitions
from fhir_app.fhir.destinations import Destination
from fhir_app.fhir.entries import Resource
from fhir_app.fhir.parties import Author
from fhir_app.fhir.replies import Delivered, Outcome, Rejected
from fhir_app.knowledge.library import Library
from fhir_app.review.source_attributes import library_attributes

_EXPLAINED = {
    "200, and a body": "what answers there is not FHIR as JSON",
    "301": "the address leads elsewhere: give the one that it leads to",
    "302": "the address leads elsewhere: give the one that it leads to",
    "307": "the address leads elsewhere: give the one that it leads to",
    "308": "the address leads elsewhere: give the one that it leads to",
    "401": "it wants a token that it accepts: --token-file",
    "403": "it does not let this caller in",
    "404": "there is no FHIR server at this address (is it /fhir, or /baseR4?)",
    "not reached": "nothing answers at this address",
}


@dataclass
class Doctor:
    """`kind`: of the destination; None means the one that fits. `keep`: leave on the server what the run makes.
    `root`: the folder of the intakes. `clock` and `sleep` belong together."""

    server: str
    run: Run
    library: Library
    root: Path
    software_version: str
    open_installation: OpenInstallation
    tell: Callable[[str], None]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    token: str | None = None
    kind: str | None = None
    keep: bool = False
    patience_seconds: float = 60.0
    timeout: tuple[float, float] = (5.0, 30.0)
    _software: str = field(default="", init=False)
    _definitions: Mapping[str, int] = field(default_factory=dict, init=False)
    _patient: str | None = field(default=None, init=False)
    _unanswered: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Raises ValueError for an address that is none of a FHIR server."""
        self.notes = Notes(self.tell)
        self.untagged = FhirClient(self.server, token=self.token, timeout=self.timeout)
        self.client = RunClient(self.server, self.run, token=self.token, timeout=self.timeout)
        self.patience = self._fresh_patience()

    def examine(self) -> Report:
        """The report. Nothing that a server does is raised. What was made is removed, also after an interruption."""
        started = self.clock()
        left: tuple[str, ...] = ()
        try:
            self._try_everything()
        except GaveUp as end:
            self.notes.ended = f"given up: {end}"
        except KeyboardInterrupt:
            self.notes.ended = "interrupted"
        finally:
            left = self._tidy_up()
        return Report(
            server=self.client.base_url,
            run=self.run.id,
            tag=self.run.tag_token,
            software=self._software,
            kind=self.kind,
            seconds=self.patience.since(started),
            findings=self.notes.all(),
            definitions=self._definitions,
            patient=self._patient if left else None,
            made=len(self.client.made),
            left=left,
        )

    def _fresh_patience(self) -> Patience:
        return Patience(self.patience_seconds, self.clock, self.sleep, self.tell)

    # --- the steps --------------------------------------------------------------------------------------------------

    def _try_everything(self) -> None:
        destination = self._meet()
        if destination is None:
            return
        author = Author(None, self.software_version)
        attributes = library_attributes(self.library, self.root)
        everything = definitions(self.library, self.run.namespace, author, attributes=attributes)
        shape = destination.shape
        self._definitions = publish_all(everything, self.untagged, shape, self.run.namespace, self.patience, self.notes)
        if not self._file_people():
            return
        chart = Chart(self.run, self.client, self.patience, destination, str(self._patient))
        first = self._opened(destination)
        delivered = self._deliver(self._submit(first), first)
        if not delivered:
            return
        written = read_back(chart, first.delivery, list(delivered), self.notes)
        if written is None:
            return
        search(chart, written, self.notes)
        held = [known.resource for known in written.held.values()]
        validate_all([*self._filed_patient(), *held], self.client, self.patience, self.notes)
        samples = list(delivered.values())
        submit_again(chart, samples, first, self.notes)
        deliver_again(chart, samples, self._opened(destination), written.summaries, self.notes)
        revise(chart, delivered, first, self.notes)

    def _meet(self) -> Destination | None:
        """The findings `speaks-r4` and `fits`."""
        self.tell("reading /metadata")
        outcome = self.patience.asked(self.untagged.capability, final=(*FINAL, "not reached", "200, and a body"))
        if not isinstance(outcome, Delivered):
            self.notes.failed("speaks-r4", _explained(outcome))
            return None
        capability = outcome.resource or {}
        if capability.get("resourceType") != "CapabilityStatement":
            self.notes.failed("speaks-r4", "its /metadata is not a CapabilityStatement")
            return None
        self._software = software(capability)
        self.notes.held("speaks-r4", f"{capability.get('fhirVersion')}, {self._software}")
        found = fit(capability)
        self.kind = self.kind or found.kind
        asked = "" if self.kind == found.kind else f"{self.kind} as asked for, though it would be "
        remark = f"; it does not declare {', '.join(found.undeclared)}" if found.undeclared else ""
        self.notes.held("fits", f"{asked}{found.kind}: {found.because}{remark}")
        return Destination.of_kind(self.kind, self.server)

    def _file_people(self) -> bool:
        """The finding `people`."""
        self.tell("creating a made-up patient and organization")
        wrong = []
        for resource in (people.organization(self.run), people.patient(self.run)):
            outcome = people.file(resource, self.client, self.patience, self.run)
            if isinstance(outcome, Rejected):
                wrong.append(f"{resource['resourceType']}: {outcome.reason}")
            elif resource["resourceType"] == "Patient":
                self._patient = outcome
        return self.notes.judge("people", wrong, f"Patient/{self._patient}")

    def _filed_patient(self) -> list[Resource]:
        outcome = self.patience.asked(lambda: self.client.read("Patient", str(self._patient)))
        return [outcome.resource] if isinstance(outcome, Delivered) and outcome.resource is not None else []

    def _opened(self, destination: Destination) -> Installation:
        """An installation that delivers with this run's client, on this run's clock."""
        identifier = f"{self.run.identifier_system}|{self.run.id}"
        opened = self.open_installation(destination.shape.kind, people.ORGANIZATION_NAME, identifier)
        return replace(opened, delivery=replace(opened.delivery, open_client=lambda _: self.client, clock=self.clock))

    def _submit(self, to: Installation) -> dict[str, Sample]:
        """The finding `accepted`; the samples by submission id."""
        samples = choose(self.library, self.root, self.run)
        taken: dict[str, Sample] = {}
        wrong = []
        for number, sample in enumerate(samples, start=1):
            self.tell(f"submitting {number} of {len(samples)}: {sample.case_id} ({sample.language})")
            body = sample.body(self.run, str(self._patient))
            submitted = to.submissions.submit(body, origin=self.client.base_url)
            taken[submitted.submission_id] = sample
            if submitted.status_code != 201:
                wrong.append(
                    f"{sample.case_id}: {submitted.status_code} {summed_up([i.text for i in submitted.issues])}"
                )
        if samples:
            languages = ", ".join(sorted({sample.language for sample in samples}))
            self.notes.judge("accepted", wrong, f"{len(samples)} responses ({languages})")
        else:
            self.notes.untested("accepted", "there are no sample cases beside the intakes")
        return taken

    def _deliver(self, taken: Mapping[str, Sample], of: Installation) -> dict[str, Sample]:
        """The finding `delivered`; those of the samples that were."""
        self.tell(f"delivering {len(taken)} results")
        rows = deliver_all(of.delivery, self.patience)
        self._unanswered = any(row.state == "unknown" for row in rows)
        if rows:
            self.notes.judge("delivered", problems(rows, of.delivery), f"{len(rows)} results")
        return {row.submission_id: taken[row.submission_id] for row in rows if row.state == "delivered"}

    # --- afterwards -------------------------------------------------------------------------------------------------

    def _tidy_up(self) -> tuple[str, ...]:
        """The finding `removed`; what is still there."""
        made = sorted("/".join(each) for each in self.client.made)
        if self.keep:
            self.notes.waived("removed", f"{len(made)} resources kept as asked for")
            return tuple(made)
        if "people" not in self.notes.found and not made and self._patient is None:
            return ()
        removed = remove(self.run, self.client, self._fresh_patience())
        self.notes.judge("removed", self._leftovers(removed), f"{removed.gone} resources")
        return tuple(sorted("/".join(each) for each in removed.left))

    def _leftovers(self, removed: Removed) -> list[str]:
        wrong = [f"{kind}: {reason}" for (kind, _), reason in sorted(removed.left.items())]
        if removed.unseen is not None:
            wrong.append(f"what the server did not confirm could not be looked for ({removed.unseen})")
        if self._unanswered:
            wrong.append("a request without a reply may still be carried out")
        return wrong


def _explained(outcome: Outcome) -> str:
    if isinstance(outcome, Delivered):
        return ""
    words = next((words for start, words in _EXPLAINED.items() if outcome.reason.startswith(start)), None)
    return f"{words} ({outcome.reason})" if words else outcome.reason
