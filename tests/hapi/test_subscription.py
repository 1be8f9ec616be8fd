"""A real rest-hook Subscription: the server notifies us of a response, and finds our result beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from werkzeug.serving import make_server

from fhir_app.app import Parts, create_app
from fhir_app.fhir.replies import Delivered
from fhir_app.store import submissions
from tests.hapi.conftest import Ehr, Form, as_body

pytestmark = pytest.mark.hapi
SEEN = TypeVar("SEEN")


@pytest.fixture
def service(parts: Parts) -> Iterator[str]:
    """The service on a loopback port, its delivery loop beside it."""
    server = make_server("127.0.0.1", 0, create_app(parts), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    parts.loop.start()
    yield f"http://127.0.0.1:{server.server_port}"
    parts.loop.stop(within=30)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def subscription(ehr: Ehr, service: str, form: Form) -> Iterator[str]:
    """Active, for responses to our questionnaire, whatever its version."""
    resource: dict[str, Any] = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "assess responses",
        "criteria": f"QuestionnaireResponse?questionnaire={form.intake.questionnaire.url}",
        "channel": {"type": "rest-hook", "endpoint": f"{service}/fhir", "payload": "application/fhir+json"},
    }
    created = ehr.client.create(resource)
    assert isinstance(created, Delivered), created
    eventually(lambda: ehr.read(f"Subscription/{created.id}")["status"] == "active")
    yield str(created.id)
    current = ehr.read(f"Subscription/{created.id}")
    ehr.client.update({**current, "status": "off"})


def eventually(look: Callable[[], SEEN], *, within: float = 60.0) -> SEEN:
    """What `look` sees once it sees something; the other side works in its own time and tells nobody."""
    patience = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < patience, "nothing happened"
        time.sleep(0.1)
    return seen


def test_a_response_that_is_written_to_the_server_gets_its_result_there(
    ehr: Ehr, subscription: str, form: Form, parts: Parts
) -> None:
    patient = ehr.new_patient()
    assert isinstance(ehr.client.create(form.filled_in(patient)), Delivered)

    eventually(lambda: ehr.search("DocumentReference", patient=patient))

    (response,) = ehr.search("QuestionnaireResponse", subject=f"Patient/{patient}")
    (summary,) = ehr.search("Observation", patient=patient)
    assert summary["derivedFrom"][0]["reference"] == f"QuestionnaireResponse/{response['id']}"
    assert response["meta"]["versionId"] == "1"
    with parts.database.read() as connection:
        known = submissions.listing(connection)
    assert [each.submission.subject for each in known] == [f"Patient/{patient}"]


def test_a_correction_on_the_server_is_notified_and_amends_the_result(ehr: Ehr, subscription: str, form: Form) -> None:
    patient = ehr.new_patient()
    created = ehr.client.create(form.filled_in(patient))
    assert isinstance(created, Delivered)
    eventually(lambda: ehr.search("DocumentReference", patient=patient))

    corrected = {**form.filled_in(patient, status="amended", sx_side="one"), "id": created.id}
    assert isinstance(ehr.client.update(corrected), Delivered)

    eventually(lambda: len(ehr.search("DocumentReference", patient=patient)) == 2)
    (summary,) = ehr.search("Observation", patient=patient)
    assert summary["status"] == "amended"


def test_a_response_that_we_wrote_ourselves_is_notified_and_leads_to_nothing_more(
    ehr: Ehr, subscription: str, form: Form, parts: Parts, service: str
) -> None:
    patient, other = ehr.new_patient(), ehr.new_patient()
    parts.submissions.submit(as_body(form.filled_in(patient)), origin=ehr.url)
    eventually(lambda: ehr.search("DocumentReference", patient=patient))
    # Notifications come in order: when this one has led to a result, ours has come in as well.
    assert isinstance(ehr.client.create(form.filled_in(other)), Delivered)
    eventually(lambda: ehr.search("DocumentReference", patient=other))

    assert len(ehr.search("Observation", patient=patient)) == 1
    assert len(ehr.search("DocumentReference", patient=patient)) == 1
    with parts.database.read() as connection:
        known = submissions.listing(connection)
    assert sorted(str(each.submission.subject) for each in known) == sorted([f"Patient/{patient}", f"Patient/{other}"])
