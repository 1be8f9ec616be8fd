"""What a log line may hold."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

from fhir_app.scrubbed_log import frames, keep_allowed


def test_a_key_that_is_not_listed_is_dropped() -> None:
    kept = keep_allowed(None, "info", {"event": "x", "route": "/fhir/metadata", "subject": "Patient/1", "body": "..."})
    assert kept == {"event": "x", "route": "/fhir/metadata"}


def test_the_frames_of_an_error_name_places_and_kinds_but_no_message() -> None:
    def fail(answer: str) -> None:
        raise ValueError(f"cannot read {answer}")

    try:
        try:
            fail("MARKER-9f")
        except ValueError as error:
            raise KeyError("MARKER-9f") from error
    except KeyError as error:
        places = frames(error)
    assert "ValueError" in places
    assert "KeyError" in places
    assert any("fail" in place for place in places)
    assert "MARKER-9f" not in str(places)


def test_a_library_that_logs_data_is_reduced_to_its_name() -> None:
    program = (
        "import logging; from fhir_app.scrubbed_log import configure_log, log; configure_log('INFO');"
        "logging.getLogger('urllib3').warning('retry /Patient?name=MARKER-9f');"
        "log().info('request', route='/x', subject='MARKER-9f')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "MARKER-9f" not in done.stderr
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["library", "request"]
    assert logging.getLogger("urllib3").name in done.stderr
