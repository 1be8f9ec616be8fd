"""One queued result on every kind of server: written once, whatever happens on the way."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from fhir_app.scrubbed_log import configure_log
from fhir_app.store import outbox
from tests.contract.fake_fhir import MISDIRECTIONS, ODD_SUCCESSES, FakeFhir, Fault
from tests.delivery.queueing import Desk

ONE_OF_EACH = {
    "Patient": 1,
    "Organization": 1,
    "Device": 1,
    "QuestionnaireResponse": 1,
    "Observation": 2,
    "DocumentReference": 1,
    "Provenance": 1,
}


def held(fake: FakeFhir) -> dict[str, int]:
    return dict(Counter(kind for kind, _ in fake.resources))


def test_a_result_is_written_whole_and_once(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    worker = desk.worker()

    settled = worker.deliver_one()

    assert settled is not None
    assert (settled.state, settled.lost) == ("delivered", False)
    assert held(fake) == ONE_OF_EACH
    assert worker.deliver_one() is None
    assert desk.states() == ["delivered"]


def test_a_transaction_is_one_request(desk: Desk, fake: FakeFhir, kind: str) -> None:
    desk.first()
    desk.worker().deliver_one()

    assert len(fake.writes) == (7 if kind == "sequential" else 1)


def test_results_refer_to_each_other_by_the_servers_ids(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    desk.worker().deliver_one()

    (summary,) = [each for each in fake.search("Observation", {}) if "hasMember" in each]
    kind, _, key = summary["hasMember"][0]["reference"].partition("/")
    assert (kind, key) in fake.resources
    (document,) = fake.search("DocumentReference", {})
    assert document["context"]["related"] == [{"reference": f"Observation/{summary['id']}"}]


def test_a_reply_that_is_lost_leaves_the_outcome_unknown_until_it_was_looked_up(
    desk: Desk, fake: FakeFhir, kind: str
) -> None:
    desk.first()
    fake.faults.append(Fault(after_commit=True))
    worker = desk.worker()

    first = worker.deliver_one()
    assert first is not None
    assert first.state == "unknown"
    desk.clock.forward(minutes=10)
    writes = len(fake.writes)
    second = worker.deliver_one()

    assert second is not None
    assert second.state == "delivered"
    assert held(fake) == ONE_OF_EACH
    if kind != "sequential":
        assert len(fake.writes) == writes


def test_a_request_that_never_arrived_is_sent_again_after_looking_it_up(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults.append(Fault())

    assert desk.drain() == ["delivered"]
    assert held(fake) == ONE_OF_EACH


@pytest.mark.parametrize("lost", range(7))
@pytest.mark.parametrize("after_commit", [True, False])
def test_a_connection_lost_at_any_request_leaves_one_of_each(
    desk: Desk, fake: FakeFhir, lost: int, after_commit: bool
) -> None:
    desk.first()
    writes = 0

    def lose_one() -> None:
        nonlocal writes
        if writes == lost:
            fake.faults.append(Fault(after_commit=after_commit))
        writes += 1

    fake.before_write = lose_one

    assert desk.drain() == ["delivered"]
    assert held(fake) == ONE_OF_EACH


def test_a_server_that_cannot_be_looked_up_keeps_the_outcome_unknown_and_is_sent_nothing(
    desk: Desk, fake: FakeFhir
) -> None:
    desk.first()
    fake.faults.append(Fault(after_commit=True))
    worker = desk.worker()
    worker.deliver_one()
    writes = len(fake.writes)
    desk.clock.forward(hours=1)
    fake.read_faults += [Fault(status=500)]

    settled = worker.deliver_one()

    assert settled is not None
    assert settled.state == "unknown"
    assert len(fake.writes) == writes


def test_a_conflict_is_sent_again(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults.append(Fault(status=409, text="HAPI-0550: HAPI-2745: constraint"))
    worker = desk.worker()

    first = worker.deliver_one()
    assert first is not None
    assert first.state == "pending"
    desk.clock.forward(minutes=1)
    second = worker.deliver_one()
    assert second is not None
    assert second.state == "delivered"


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults.append(Fault(status=503, headers={"Retry-After": "600"}))
    worker = desk.worker()

    worker.deliver_one()

    (row,) = desk.rows
    assert timedelta(seconds=600) <= row.next_attempt_at - desk.clock() < timedelta(seconds=602)
    desk.clock.forward(seconds=599)
    assert worker.deliver_one() is None
    desk.clock.forward(seconds=5)
    settled = worker.deliver_one()
    assert settled is not None
    assert settled.state == "delivered"


def test_a_refusal_is_a_dead_letter_with_the_servers_reasons_and_can_be_sent_again_by_a_person(
    desk: Desk, fake: FakeFhir
) -> None:
    desk.first()
    fake.faults.append(Fault(status=422, text="Observation.code: secret-answer is not a code"))
    desk.worker().deliver_one()

    (row,) = desk.rows
    assert row.state == "rejected"
    assert row.reason == "422, processing"
    assert row.outcome is not None
    assert "secret-answer" in str(row.outcome)
    assert desk.worker().deliver_one() is None

    with desk.database.begin() as connection:
        assert outbox.requeue(connection, row.id, desk.clock())
    assert desk.drain() == ["delivered"]
    assert held(fake) == ONE_OF_EACH


def test_tries_are_capped_and_what_is_given_up_is_a_dead_letter(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults += [Fault(status=503)] * 10
    worker = desk.worker(most_attempts=3)

    for _ in range(5):
        worker.deliver_one()
        desk.clock.forward(hours=1)

    (row,) = desk.rows
    assert row.state == "rejected"
    assert row.attempts == 3
    assert row.reason == "given up after 3 tries: 503, processing"


def test_an_outcome_that_stays_unknown_is_given_up_only_after_a_last_look(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults += [Fault(status=500)] * 10
    worker = desk.worker(most_attempts=2)

    for _ in range(4):
        worker.deliver_one()
        desk.clock.forward(hours=1)

    (row,) = desk.rows
    assert (row.state, row.attempts) == ("rejected", 3)
    assert len(fake.writes) == 2


def test_delays_grow_until_the_server_is_back(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults += [Fault(status=503)] * 6
    worker = desk.worker()
    waits = []
    for _ in range(6):
        worker.deliver_one()
        (row,) = desk.rows
        waits.append((row.next_attempt_at - desk.clock()).total_seconds())
        desk.clock.now = row.next_attempt_at

    assert waits[5] > waits[3] > waits[1]
    settled = worker.deliver_one()
    assert settled is not None
    assert settled.state == "delivered"


def test_a_destination_that_is_not_configured_holds_the_result(desk: Desk, fake: FakeFhir) -> None:
    desk.first()

    settled = desk.worker(destinations={}).deliver_one()

    assert settled is not None
    assert settled.state == "held"
    assert fake.seen == []


def test_a_server_of_another_fhir_version_is_sent_nothing(desk: Desk, fake: FakeFhir) -> None:
    fake.fhir_version = "5.0.0"
    desk.first()

    desk.worker().deliver_one()

    (row,) = desk.rows
    assert row.state == "held"
    assert "5.0.0" in str(row.reason)
    assert fake.writes == []


def test_the_version_of_a_server_is_asked_once(desk: Desk, fake: FakeFhir) -> None:
    first = desk.first()
    worker = desk.worker()
    worker.deliver_one()
    desk.correction(first)
    worker.deliver_one()

    assert fake.introductions == 1


def test_two_workers_at_once_write_one_of_each(desk: Desk, fake: FakeFhir) -> None:
    for number in range(4):
        desk.form_id = f"form-{number}"
        desk.first()
    workers = [desk.worker(f"worker-{number}") for number in range(2)]
    threads = [threading.Thread(target=lambda w=worker: [w.deliver_one() for _ in range(6)]) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert desk.drain() == ["delivered"] * 4
    assert held(fake) == {
        **ONE_OF_EACH,
        "QuestionnaireResponse": 4,
        "Observation": 8,
        "DocumentReference": 4,
        "Provenance": 4,
    }


def test_a_worker_that_slept_past_its_lease_changes_nothing_any_more(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    sleeper, other = desk.worker("sleeper"), desk.worker("other")
    overtaken = []

    def overtake() -> None:
        if not overtaken:
            overtaken.append(True)
            desk.clock.forward(hours=1)
            overtaken.append(other.deliver_one())

    fake.before_write = overtake
    settled = sleeper.deliver_one()

    assert settled is not None
    assert settled.lost
    assert overtaken[1].state == "delivered"
    assert desk.states() == ["delivered"]
    assert held(fake) == ONE_OF_EACH


def test_a_worker_that_lost_its_lease_before_it_sent_anything_sends_nothing(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    sleeper = desk.worker("sleeper", render=lambda _: overtake(desk))

    settled = sleeper.deliver_one()

    assert settled is not None
    assert settled.lost
    assert fake.writes == []
    assert desk.rows[0].lease_owner == "other"


@pytest.mark.parametrize("kind", ["sequential"])
def test_a_worker_that_lost_its_lease_between_two_requests_sends_no_more(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    sleeper = desk.worker("sleeper")

    def at_the_third() -> None:
        if len(fake.writes) == 3:
            overtake(desk)

    fake.before_write = at_the_third
    settled = sleeper.deliver_one()

    assert settled is not None
    assert settled.lost
    assert len(fake.writes) == 3


def overtake(desk: Desk) -> bytes:
    """Somebody else has the row now, whose lease ran out; a PDF, for who wants one."""
    desk.clock.forward(hours=1)
    with desk.database.begin() as connection:
        assert outbox.claim(connection, "other", desk.clock(), 300.0) is not None
    return b"%PDF-1.7"


@pytest.mark.parametrize("told", ODD_SUCCESSES)
@pytest.mark.parametrize("after_commit", [True, False])
def test_success_that_is_told_in_an_odd_shape_is_looked_up_before_it_is_believed(
    desk: Desk, fake: FakeFhir, told: Fault, after_commit: bool
) -> None:
    desk.first()
    fake.faults.append(replace(told, after_commit=after_commit))

    assert desk.worker().deliver_one().state == "unknown"
    assert desk.drain() == ["delivered"]
    assert held(fake) == ONE_OF_EACH


@pytest.mark.parametrize("kind", ["hapi", "generic-r4"])
def test_a_reply_that_leaves_out_what_was_merged_with_another_entry_is_believed(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    body = (
        b'{"resourceType":"Bundle","type":"transaction-response","entry":'
        b'[{"response":{"status":"201 Created","location":"Observation/1/_history/1"}},{"response":{"status":"200"}}]}'
    )
    fake.faults.append(Fault(status=200, body=body, after_commit=True))

    assert desk.worker().deliver_one().state == "delivered"
    assert desk.rows[0].outcome == {"written": ["Observation/1/_history/1"]}


@pytest.mark.parametrize("refusal", MISDIRECTIONS)
@pytest.mark.parametrize("after_commit", [True, False])
def test_what_a_proxy_refuses_is_sent_again_later_after_asking_who_is_there(
    desk: Desk, fake: FakeFhir, refusal: Fault, after_commit: bool
) -> None:
    desk.first()
    fake.faults.append(replace(refusal, after_commit=after_commit))
    worker = desk.worker()

    first = worker.deliver_one()

    assert first is not None
    assert (first.state, first.reason) == ("pending", f"{_said(refusal)}, and not in the words of a FHIR server")
    assert worker.deliver_one() is None
    assert fake.introductions == 1
    desk.clock.forward(minutes=1)
    second = worker.deliver_one()
    assert second is not None
    assert second.state == "delivered"
    assert fake.introductions == 2
    assert held(fake) == ONE_OF_EACH


def _said(refusal: Fault) -> str:
    return f"{refusal.status}" if refusal.body is not None else f"{refusal.status}, processing"


@pytest.mark.parametrize("refusal", [MISDIRECTIONS[0], MISDIRECTIONS[-1]])
def test_a_server_that_is_just_being_replaced_is_waited_for(desk: Desk, fake: FakeFhir, refusal: Fault) -> None:
    desk.first()
    fake.faults.append(refusal)
    fake.metadata_faults += [refusal] * 2
    worker = desk.worker()

    states = []
    for _ in range(4):
        states.append(worker.deliver_one())
        assert worker.deliver_one() is None
        desk.clock.forward(minutes=1)

    assert [settled.state for settled in states if settled] == ["pending"] * 3 + ["delivered"]
    assert len(fake.writes) == (8 if desk.destination.shape.kind == "sequential" else 2)
    assert held(fake) == ONE_OF_EACH


def test_a_proxy_that_never_lets_anything_through_is_given_up(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults.append(MISDIRECTIONS[0])
    fake.metadata_faults += [MISDIRECTIONS[0]] * 10
    worker = desk.worker(most_attempts=3)

    for _ in range(5):
        worker.deliver_one()
        desk.clock.forward(hours=1)

    (row,) = desk.rows
    assert (row.state, row.attempts) == ("rejected", 3)
    assert row.reason == "given up after 3 tries: 404, and not in the words of a FHIR server"


def test_what_turns_out_to_be_another_server_after_a_refusal_is_sent_nothing_more(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults.append(MISDIRECTIONS[0])
    worker = desk.worker()
    worker.deliver_one()
    fake.fhir_version = "5.0.0"
    desk.clock.forward(minutes=1)

    settled = worker.deliver_one()

    assert settled is not None
    assert settled.state == "held"
    assert "5.0.0" in str(settled.reason)
    assert len(fake.writes) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422])
def test_what_a_fhir_server_refuses_in_its_own_words_is_a_dead_letter_at_once(
    desk: Desk, fake: FakeFhir, status: int
) -> None:
    desk.first()
    fake.faults.append(Fault(status=status))

    settled = desk.worker().deliver_one()

    assert settled is not None
    assert (settled.state, settled.reason) == ("rejected", f"{status}, processing")


@pytest.mark.parametrize("status", [403, 404])
def test_a_server_that_refuses_to_say_what_it_is_in_the_words_of_fhir_holds_the_result(
    desk: Desk, fake: FakeFhir, status: int
) -> None:
    desk.first()
    fake.metadata_faults.append(Fault(status=status))

    assert desk.worker().deliver_one().state == "held"
    assert fake.writes == []


def test_a_token_that_has_run_out_is_no_fault_of_the_result(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults += [Fault(status=401), Fault(status=401, body=b"")]
    worker = desk.worker()

    for state in ("pending", "pending", "delivered"):
        assert worker.deliver_one().state == state
        desk.clock.forward(minutes=1)
    assert fake.introductions == 2  # the second time in nobody's words, so it was asked again who is there


def test_a_look_up_that_only_a_proxy_answers_leaves_the_outcome_unknown(desk: Desk, fake: FakeFhir) -> None:
    desk.first()
    fake.faults.append(Fault(after_commit=True))
    worker = desk.worker()
    worker.deliver_one()
    writes = len(fake.writes)
    fake.read_faults += [MISDIRECTIONS[0]] * 2
    desk.clock.forward(hours=1)

    settled = worker.deliver_one()

    assert settled is not None
    assert (settled.state, len(fake.writes)) == ("unknown", writes)
    asked = fake.introductions
    fake.read_faults.clear()
    desk.clock.forward(hours=1)
    assert worker.deliver_one().state == "delivered"
    assert fake.introductions == asked + 1
    assert held(fake) == ONE_OF_EACH


def test_what_breaks_fhir_is_not_sent(desk: Desk, fake: FakeFhir) -> None:
    written = desk.first()
    desk.form_id = "form-2"
    broken = replace(written, summary={**written.summary, "id": "not-of-form-1", "status": "perhaps"})
    desk.queue(desk.received(), broken)
    worker = desk.worker()
    worker.deliver_one()
    writes = len(fake.writes)

    settled = worker.deliver_one()

    assert settled is not None
    assert settled.state == "rejected"
    assert "status" in str(settled.reason)
    assert "perhaps" not in str(settled.reason)
    assert len(fake.writes) == writes


def test_two_resources_with_our_identifier_on_the_server_are_a_persons_decision(desk: Desk, fake: FakeFhir) -> None:
    first = desk.first()
    desk.drain()
    (summary,) = [each for each in fake.search("Observation", {}) if "hasMember" in each]
    fake.create({key: value for key, value in summary.items() if key != "id"})
    desk.correction(first)

    assert desk.drain() == ["delivered", "rejected"]
    assert desk.rows[1].reason == "the destination holds several Observation with one of our identifiers"


@pytest.fixture
def log_put_back() -> Iterator[None]:
    """For a test that configures the log: what it writes to is gone when the test is."""
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers = []


@pytest.mark.usefixtures("log_put_back")
def test_nothing_of_a_patient_is_in_the_log_or_in_a_reason(
    desk: Desk, fake: FakeFhir, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_log("DEBUG")
    desk.form_id = "marker-of-a-form"
    first = desk.first()
    desk.correction(first)
    fake.faults += [
        Fault(status=503, text="marker-of-the-server"),
        Fault(status=500, text="marker-of-the-server"),
        Fault(after_commit=True),
        Fault(status=422, text="marker-of-the-server"),
    ]
    desk.drain()
    printed = capsys.readouterr()

    said = printed.out + printed.err + "".join(str(row.reason) for row in desk.rows)
    assert "delivery" in said
    for word in ("marker", "pat-1", "Tómese", "hormigueo", "weak"):
        assert word not in said
