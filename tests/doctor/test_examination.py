"""Whole runs: on a server that does everything, and on many that do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from fhir_app.doctor import Doctor
from fhir_app.doctor.findings import CLAIMS
from fhir_app.doctor.run import MADE, TEST_DATA
from tests.contract.fake_fhir import Fault
from tests.doctor.conftest import Clock, detail, not_held, verdicts
from tests.doctor.sandbox import HANG, Sandbox, at, capability, owned

MakeDoctor = Callable[..., Doctor]
DROPPED = Fault(after_commit=True)


def made(sandbox: Sandbox) -> list[Any]:
    return sandbox.held(*MADE)


@pytest.mark.parametrize("kind", ["hapi", "generic-r4", "sequential"])
def test_everything_holds_on_a_server_that_does_everything(doctor: MakeDoctor, sandbox: Sandbox, kind: str) -> None:
    report = doctor(kind=kind).examine()

    assert not_held(report) == {}
    assert report.all_held
    assert report.kind == kind
    assert made(sandbox) == []
    assert report.left == ()


def test_definitions_and_the_device_stay_and_a_second_run_finds_them(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    first = doctor().examine()
    kinds = {kind for kind, _ in sandbox.resources}
    second = doctor().examine()

    assert {"Questionnaire", "CodeSystem", "ValueSet", "Library", "Device"} <= kinds
    assert not kinds & set(MADE)
    assert first.definitions == {"created": sum(first.definitions.values())}
    assert second.definitions == {"unchanged": sum(first.definitions.values())}
    assert second.all_held


def test_all_that_is_sent_about_anybody_carries_the_tag_of_the_run_and_is_labelled_as_test_data(
    doctor: MakeDoctor, sandbox: Sandbox
) -> None:
    report = doctor(keep=True).examine()

    sent = [
        resource
        for seen in sandbox.writes
        for resource in ([entry["resource"] for entry in seen.body["entry"]] if "entry" in seen.body else [seen.body])
    ]
    about_people = [each for each in sent if each["resourceType"] in MADE]
    assert {each["resourceType"] for each in about_people} == set(MADE)
    for each in about_people:
        assert owned(each, report.run), each["resourceType"]
        assert TEST_DATA in each["meta"]["security"]
    patients = {each["subject"]["reference"] for each in about_people if "subject" in each}
    assert patients == {f"Patient/{report.patient}"}


def test_what_is_kept_is_there_and_told(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    report = doctor(keep=True).examine()

    assert report.all_held
    assert verdicts(report)["removed"] == "waived"
    assert sorted(report.left) == sorted(f"{each['resourceType']}/{each['id']}" for each in made(sandbox))
    assert Counter(each["resourceType"] for each in made(sandbox))["Patient"] == 1
    assert sandbox.deleted == []


def test_samples_are_in_every_language_of_the_intake(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    doctor(keep=True).examine()

    assert {each["language"] for each in sandbox.held("QuestionnaireResponse")} == {"en", "es"}


# --- servers that are none, or of another kind -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(200, body=b"<html>Welcome</html>"), "not FHIR"),
        (Fault(200, body=b'{"resourceType": "Patient", "fhirVersion": "4.0.1"}'), "not a CapabilityStatement"),
        (Fault(200, body=b'{"ok": true}'), "not FHIR"),
        (Fault(401), "--token-file"),
        (Fault(403), "does not let"),
        (Fault(404), "no FHIR server at this address"),
        (Fault(302, headers={"Location": "https://elsewhere.example/fhir"}), "leads elsewhere"),
        (Fault(503), "503"),
        (Fault(), "no reply"),
    ],
)
def test_an_address_without_a_usable_server_is_told_in_one_line(
    doctor: MakeDoctor, sandbox: Sandbox, fault: Fault, words: str
) -> None:
    sandbox.strike = at("GET", "metadata", fault)

    report = doctor().examine()

    assert verdicts(report)["speaks-r4"] == "failed"
    assert words in detail(report, "speaks-r4")
    assert {verdict for name, verdict in verdicts(report).items() if name != "speaks-r4"} == {"untested"}
    assert sandbox.writes == []


@pytest.mark.parametrize("version", ["5.0.0", "4.3.0", "3.0.2", ""])
def test_another_version_of_fhir_is_refused_before_anything_is_sent(
    doctor: MakeDoctor, sandbox: Sandbox, version: str
) -> None:
    sandbox.declared = capability(version=version)

    report = doctor().examine()

    assert "4.0 is needed" in detail(report, "speaks-r4")
    assert sandbox.writes == []
    assert not report.all_held


def test_nobody_at_the_address_is_told_at_once(doctor: MakeDoctor, clock: Clock) -> None:
    report = doctor("http://127.0.0.1:1/fhir").examine()

    assert detail(report, "speaks-r4").startswith("nothing answers at this address")
    assert clock.slept == []


def test_the_kind_follows_what_is_declared_and_says_why(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.declared = capability(transactions=False)

    report = doctor().examine()

    assert report.kind == "sequential"
    assert "does not declare transactions" in detail(report, "fits")
    assert report.all_held
    assert not [seen for seen in sandbox.writes if seen.path.rstrip("/") == "/fhir"]


# --- servers that are slow, busy or lose things -----------------------------------------------------------------------


def test_a_busy_server_is_given_the_time_that_it_asks_for(doctor: MakeDoctor, sandbox: Sandbox, clock: Clock) -> None:
    busy = Fault(503, headers={"Retry-After": "7"})
    strikes = [at("GET", "metadata", busy, 1), at("POST", "", busy, 2), at("PUT", "CodeSystem/.*", busy, 1)]
    strikes += [at("GET", "Observation", busy, 1), at("DELETE", "Patient/.*", busy, 1)]
    sandbox.strike = lambda method, path: next((fault for each in strikes if (fault := each(method, path))), None)

    report = doctor().examine()

    assert not_held(report) == {}
    assert max(clock.slept) >= 7


def test_a_server_that_stays_busy_ends_the_run_with_what_it_said(
    doctor: MakeDoctor, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.strike = at("POST", ".*", Fault(503))
    started = clock()

    report = doctor(patience_seconds=20.0).examine()

    assert not report.all_held
    assert "503" in " ".join(not_held(report).values())
    assert (clock() - started).total_seconds() < 120
    assert made(sandbox) == []


@pytest.mark.parametrize("path", ["", "Patient", "Organization"])
def test_a_reply_lost_after_the_commit_leaves_one_of_each(doctor: MakeDoctor, sandbox: Sandbox, path: str) -> None:
    sandbox.strike = at("POST", path, DROPPED, 1)

    report = doctor(keep=True).examine()

    assert not_held(report).keys() == {"removed"}
    counted = Counter(each["resourceType"] for each in made(sandbox))
    assert (counted["Patient"], counted["Organization"]) == (1, 1)


def test_what_was_created_without_a_reply_is_removed_as_well(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    """Nothing after the patient works, and the server never said that it had taken the results."""
    sandbox.strike = at("POST", "", Fault(502, after_commit=True))

    report = doctor(patience_seconds=5.0).examine()

    assert sandbox.deleted != []
    assert made(sandbox) == []
    assert verdicts(report)["removed"] in {"held", "failed"}


def test_a_server_that_hangs_is_told(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.strike = at("GET", "metadata", HANG)

    report = doctor(timeout=(1.0, 0.05), patience_seconds=0.3).examine()

    assert "no reply (ReadTimeout)" in detail(report, "speaks-r4")


# --- servers that do half of it ---------------------------------------------------------------------------------------


def test_a_server_without_transactions_is_told_with_what_to_try(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.strike = at("POST", "", Fault(404, text="HAPI-0302: no\x1b[31m such thing"))

    report = doctor().examine()

    said = detail(report, "delivered")
    assert "try --destination sequential" in said
    assert "no [31m such thing" in said
    assert "\x1b" not in said
    assert verdicts(report)["identified"] == "untested"
    assert made(sandbox) == []


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_validate_leaves_that_untested_and_the_rest_holds(
    doctor: MakeDoctor, sandbox: Sandbox, status: int
) -> None:
    sandbox.strike = at("POST", r".*\$validate", Fault(status))

    report = doctor().examine()

    assert not_held(report).keys() == {"valid"}
    assert verdicts(report)["valid"] == "untested"
    assert not report.all_held


def test_what_validate_finds_is_told_in_the_words_of_the_server(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.invalid = [
        {"severity": "warning", "code": "processing", "diagnostics": "no matter"},
        {"severity": "error", "code": "processing", "diagnostics": "the status does not please me"},
    ]

    report = doctor().examine()

    assert not_held(report).keys() == {"valid"}
    assert "the status does not please me" in detail(report, "valid")
    assert "no matter" not in detail(report, "valid")


def test_an_element_that_the_server_does_not_keep_is_named(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.drops = {"note"}

    report = doctor().examine()

    assert verdicts(report)["unaltered"] == "failed"
    assert "Observation.note" in detail(report, "unaltered")


def test_a_server_that_overlooks_conditions_is_found_to_double(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.doubles = {"DocumentReference"}

    report = doctor().examine()

    assert verdicts(report)["undoubled"] == "failed"
    assert "there is another DocumentReference now" in detail(report, "undoubled")
    assert made(sandbox) == []


def test_two_of_one_identifier_are_found_before_anything_is_corrected(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.doubles = {"Organization"}

    report = doctor().examine()

    assert "several Organization" in detail(report, "identified")
    assert verdicts(report)["amended"] == "untested"
    assert made(sandbox) == []


def test_a_search_that_finds_too_much_is_told(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.ignores = {"code"}

    report = doctor().examine()

    assert verdicts(report)["summaries"] == "failed"
    assert "too many" in detail(report, "summaries")


@pytest.mark.parametrize("kind", ["hapi", "sequential"])
def test_nothing_of_anybody_else_is_removed_also_where_tags_are_overlooked(
    doctor: MakeDoctor, sandbox: Sandbox, kind: str
) -> None:
    for number, resource_type in enumerate(MADE):
        tag = {"system": "https://elsewhere.example", "code": "theirs"}
        sandbox.create({"resourceType": resource_type, "status": "final", "meta": {"tag": [tag]}, "id": f"f{number}"})
    theirs = dict(sandbox.resources)
    sandbox.ignores = {"_tag"}

    report = doctor(kind=kind).examine()

    assert verdicts(report)["tagged"] == "failed"
    assert {key: each for key, each in sandbox.resources.items() if key[0] in MADE} == theirs
    assert verdicts(report)["removed"] == "held"


def test_a_server_that_does_not_delete_is_told_with_what_is_left(doctor: MakeDoctor, sandbox: Sandbox) -> None:
    sandbox.deletes = False

    report = doctor().examine()

    assert not_held(report).keys() == {"removed"}
    assert "405" in detail(report, "removed")
    assert sorted(report.left) == sorted(f"{each['resourceType']}/{each['id']}" for each in made(sandbox))
    assert report.patient is not None


@pytest.mark.parametrize("stops_at", ["creating", "submitting", "$validate", "delivering everything", "sending"])
def test_after_an_interruption_what_was_made_is_removed(doctor: MakeDoctor, sandbox: Sandbox, stops_at: str) -> None:
    def tell(words: str) -> None:
        if words.startswith(stops_at):
            raise KeyboardInterrupt

    report = doctor(tell=tell).examine()

    assert not report.all_held
    assert "interrupted" in not_held(report).values()
    assert made(sandbox) == []


# --- servers out of their mind ----------------------------------------------------------------------------------------

NONSENSE = [
    b"",
    b"[]",
    b'"text"',
    b'{"resourceType": 5}',
    b'{"resourceType": "Bundle", "entry": "x"}',
    b'{"resourceType": "Bundle", "entry": [5]}',
    b'{"resourceType": "Bundle", "link": [{"relation": "next", "url": 7}], "entry": [{"resource": "x"}]}',
    b'{"resourceType": "Bundle", "entry": [{"search": "match", "resource": {"resourceType": "Patient"}}]}',
    b'{"resourceType": "Bundle", "entry": [{"response": "201"}]}',
    b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation", "id": 7, "meta": []}}]}',
    b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "expression": 7, "diagnostics": {}}]}',
    b'{"resourceType": "OperationOutcome", "issue": 7}',
    b'{"resourceType": "Patient", "meta": {"tag": {}}, "identifier": "x"}',
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "Observation", 200), ("GET", "(Questionnaire|Patient).*", 200), ("POST", "", 200), ("POST", "", 422)],
)
def test_nonsense_in_a_reply_is_survived(
    doctor: MakeDoctor, sandbox: Sandbox, method: str, path: str, body: bytes, status: int
) -> None:
    sandbox.strike = at(method, path, Fault(status, body=body))

    report = doctor(patience_seconds=3.0).examine()

    assert [each.name for each in report.findings] == list(CLAIMS)
    assert not report.all_held


@pytest.mark.parametrize("seed", range(8))
def test_a_server_that_fails_at_random_is_survived_and_nothing_of_others_is_touched(
    doctor: MakeDoctor, sandbox: Sandbox, seed: int
) -> None:
    rng = Random(seed)
    sandbox.create({"resourceType": "Patient", "active": True})
    theirs = dict(sandbox.resources)
    faults = [Fault(), DROPPED, Fault(500), Fault(503, headers={"Retry-After": "2"}), Fault(409), Fault(429)]
    faults += [Fault(500, after_commit=True), Fault(200, body=b"<html>")]
    sandbox.strike = lambda method, path: rng.choice(faults) if rng.random() < 0.15 else None

    report = doctor().examine()

    assert theirs.items() <= sandbox.resources.items()
    assert len(report.findings) == len(CLAIMS)
    left = {f"{each['resourceType']}/{each['id']}" for each in made(sandbox) if owned(each, report.run)}
    assert left <= set(report.left) or verdicts(report)["removed"] == "failed"
