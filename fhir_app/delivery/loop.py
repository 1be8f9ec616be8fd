"""The worker's thread: delivers what is due, sleeps until more is, and wakes when something is queued."""

from __future__ import annotations

import threading
from datetime import datetime

from fhir_app.delivery.deliver import Delivery
from fhir_app.store import outbox

LONGEST_SLEEP = 2.0
"""Seconds. Other processes queue too, and nobody tells this one."""


class DeliveryLoop(threading.Thread):
    """Runs until `stop`. An error that `Delivery` raises ends the thread; `failed` then says so, for the process to
    end with it or the readiness check to show it."""

    def __init__(self, delivery: Delivery, *, name: str = "delivery") -> None:
        super().__init__(name=name, daemon=True)
        self._delivery = delivery
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._started_to_run = threading.Event()
        self._ended_well = False

    @property
    def failed(self) -> bool:
        """Whether the thread ended without having been asked to."""
        return self._started_to_run.is_set() and not self.is_alive() and not self._ended_well

    def wake(self) -> None:
        """Something may be due now. Cheap, from any thread."""
        self._woken.set()

    def stop(self, *, within: float | None = None) -> None:
        """Ends after the try that is being made; waits for that at most `within` seconds (None: does not wait)."""
        self._stopping.set()
        self._woken.set()
        if within is not None and self.is_alive():
            self.join(within)

    def run(self) -> None:
        """Until stopped: one row after the other, then a nap."""
        self._started_to_run.set()
        while not self._stopping.is_set():
            self._woken.clear()
            if self._delivery.deliver_one() is None:
                self._woken.wait(self._nap())
        self._ended_well = True

    def _nap(self) -> float:
        with self._delivery.database.read() as connection:
            due = outbox.next_due(connection)
        return nap(due, self._delivery.clock())


def nap(due: datetime | None, now: datetime) -> float:
    """Seconds until the next row is due. One that is overdue waits for another row or lease: look again soon."""
    if due is None:
        return LONGEST_SLEEP
    wait = (due - now).total_seconds()
    return min(wait, LONGEST_SLEEP) if wait > 0 else LONGEST_SLEEP / 4
