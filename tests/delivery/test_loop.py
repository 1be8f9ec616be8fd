"""The worker's thread: wakes, naps, stops, and says when it died."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from fhir_app.delivery import DeliveryLoop
from fhir_app.delivery.loop import LONGEST_SLEEP, nap
from tests.contract.fake_fhir import FakeFhir
from tests.delivery.queueing import NOON, Desk

PATIENCE = 30.0


@pytest.fixture
def kind() -> str:
    return "hapi"


@pytest.fixture
def arrived(fake: FakeFhir) -> threading.Semaphore:
    """Released whenever a write reaches the server."""
    semaphore = threading.Semaphore(0)
    fake.before_write = lambda: [semaphore.release(), None][1]
    return semaphore


def test_what_is_queued_before_and_after_the_start_is_delivered(desk: Desk, arrived: threading.Semaphore) -> None:
    desk.first()
    loop = DeliveryLoop(desk.worker())
    loop.start()
    assert arrived.acquire(timeout=PATIENCE)

    desk.form_id = "form-2"
    desk.first()
    loop.wake()
    assert arrived.acquire(timeout=PATIENCE)
    loop.stop(within=PATIENCE)

    assert not loop.is_alive()
    assert not loop.failed
    assert desk.states() == ["delivered", "delivered"]


def test_the_try_that_is_being_made_is_finished_before_the_loop_stops(desk: Desk, fake: FakeFhir) -> None:
    started, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        assert go_on.wait(PATIENCE)

    fake.before_write = hold
    desk.first()
    loop = DeliveryLoop(desk.worker())
    loop.start()
    assert started.wait(PATIENCE)

    loop.stop()
    go_on.set()
    loop.join(PATIENCE)

    assert desk.states() == ["delivered"]


def test_a_loop_that_was_never_started_has_not_failed_and_can_be_stopped(desk: Desk) -> None:
    loop = DeliveryLoop(desk.worker())
    loop.stop(within=PATIENCE)

    assert not loop.failed


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_this_program_ends_the_loop_and_shows(desk: Desk) -> None:
    def broken(_: object) -> bytes:
        raise RuntimeError("a fault of ours")

    desk.first()
    loop = DeliveryLoop(desk.worker(render=broken))
    loop.start()
    loop.join(PATIENCE)

    assert loop.failed


def test_a_nap_lasts_until_the_next_row_is_due_but_never_long() -> None:
    assert nap(None, NOON) == LONGEST_SLEEP
    assert nap(NOON + timedelta(seconds=1), NOON) == 1.0
    assert nap(NOON + timedelta(hours=1), NOON) == LONGEST_SLEEP
    assert 0 < nap(NOON - timedelta(hours=1), NOON) < LONGEST_SLEEP
