"""A dry run says what would be sent, and writes nothing anywhere."""

from __future__ import annotations

from fhir_app.delivery.planned import planned
from tests.contract.fake_fhir import FakeFhir, Fault
from tests.delivery.queueing import Desk


def test_a_first_result_is_shown_as_its_bundle_without_asking_anybody(desk: Desk, fake: FakeFhir) -> None:
    desk.first()

    (each,) = planned(desk.worker())

    assert each.bundle is not None
    assert each.bundle["type"] == "transaction"
    assert fake.seen == []
    assert [(row.state, row.attempts) for row in desk.rows] == [("pending", 0)]


def test_the_bundle_of_a_dry_run_is_the_one_that_is_sent(desk: Desk, fake: FakeFhir, kind: str) -> None:
    desk.first()
    (each,) = planned(desk.worker())
    desk.worker().deliver_one()

    if kind != "sequential":
        assert fake.writes[-1].body == each.bundle


def test_a_correction_is_shown_with_what_the_server_holds_and_only_read(desk: Desk, fake: FakeFhir) -> None:
    first = desk.first()
    desk.drain()
    writes = len(fake.writes)
    desk.correction(first)

    (each,) = planned(desk.worker())

    assert each.bundle is not None
    methods = {entry["request"]["method"] for entry in each.bundle["entry"]}
    assert methods == {"POST", "PUT"}
    assert len(fake.writes) == writes


def test_a_retraction_of_what_never_arrived_is_said_to_be_nothing(desk: Desk) -> None:
    first = desk.first()
    desk.retraction(first)

    _, each = planned(desk.worker())

    assert each.bundle is None
    assert not each.failed
    assert each.reason is not None


def test_a_server_that_cannot_be_asked_is_a_failure(desk: Desk, fake: FakeFhir) -> None:
    desk.correction(desk.first())
    fake.read_faults += [Fault(status=500)] * 5

    first, correction = planned(desk.worker())

    assert first.bundle is not None
    assert (correction.bundle, correction.failed) == (None, True)


def test_many_rows_are_all_shown(desk: Desk) -> None:
    for number in range(105):
        desk.form_id = f"form-{number}"
        desk.first()

    assert len(list(planned(desk.worker()))) == 105
