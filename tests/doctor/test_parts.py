"""The small parts: tag, order of removal, words for a terminal, patience."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fhir_app.doctor.findings import CLAIMS, Notes, plain, summed_up
from fhir_app.doctor.patience import GaveUp, Patience
from fhir_app.doctor.removal import in_order
from fhir_app.doctor.run import Run
from fhir_app.doctor.samples import choose
from fhir_app.fhir.namespace import Namespace
from fhir_app.fhir.replies import Delivered, TryAgain
from fhir_app.knowledge.library import Library, load_library, questionnaires_root
from fhir_app.reading import read_response
from tests.doctor.conftest import Clock

RUN = Run("run-1", datetime(2026, 11, 24, tzinfo=UTC), Namespace())


def test_a_tag_is_added_once_beside_those_that_are_there() -> None:
    other = {"system": "https://x.example", "code": "x"}

    tagged = RUN.tagged({"resourceType": "Patient", "meta": {"tag": [other]}, "active": True})

    assert tagged["meta"]["tag"] == [other, RUN.tag]
    assert RUN.tagged(tagged) == tagged
    assert RUN.owns(tagged)
    assert not Run("run-2", RUN.started, RUN.namespace).owns(tagged)


@pytest.mark.parametrize("kind", ["Device", "Questionnaire", "CodeSystem"])
def test_what_is_shared_is_never_tagged_so_that_it_is_never_removed(kind: str) -> None:
    assert RUN.tagged({"resourceType": kind}) == {"resourceType": kind}


def test_each_resource_is_removed_before_what_it_refers_to() -> None:
    def to(*targets: str) -> Any:
        return {"link": [{"reference": target} for target in targets]}

    resources = {
        ("Patient", "p"): to(),
        ("Observation", "flag"): to("Patient/p"),
        ("Observation", "a-summary"): to("Patient/p", "Observation/flag"),
        ("DocumentReference", "old"): to("Observation/a-summary"),
        ("DocumentReference", "new"): to("DocumentReference/old", "Organization/elsewhere"),
        ("Provenance", "v"): to("DocumentReference/new", "Observation/a-summary"),
    }

    order = in_order(resources)

    assert order.index(("DocumentReference", "new")) < order.index(("DocumentReference", "old"))
    assert order.index(("Observation", "a-summary")) < order.index(("Observation", "flag"))
    assert (order[0], order[-1], len(order)) == (("Provenance", "v"), ("Patient", "p"), len(resources))


def test_a_circle_of_references_is_put_in_some_order() -> None:
    circle: Any = {("Observation", "a"): {"x": {"reference": "Observation/b"}}}
    circle["Observation", "b"] = {"x": {"reference": "Observation/a"}}

    assert sorted(in_order(circle)) == sorted(circle)


def test_words_of_a_server_cannot_move_the_cursor_or_fill_the_screen() -> None:
    assert plain("a\x1b[2J\r\nb\u202ec\u0000") == "a [2J b\u202ec"
    assert len(plain("x" * 1000)) == 240


def test_the_same_problem_is_counted_and_many_are_cut_short() -> None:
    assert summed_up(["a", "b", "a"]) == "a (2 times); b"
    assert summed_up(list("abcde")) == "a; b; c; and 2 more"


def test_every_claim_has_a_finding_whatever_was_found_out() -> None:
    notes = Notes(lambda words: None)
    notes.held("fits", "x")

    assert [finding.name for finding in notes.all()] == list(CLAIMS)
    assert {finding.verdict for finding in notes.all()} == {"held", "untested"}


def test_waiting_grows_keeps_to_the_wish_of_the_server_and_ends() -> None:
    clock, told = Clock(), []  # type: ignore[var-annotated]
    patience = Patience(30.0, clock, clock.sleep, told.append)
    outcomes = iter([TryAgain("503", 3.0), TryAgain("503"), Delivered(200)])

    assert patience.asked(lambda: next(outcomes)) == Delivered(200)
    assert clock.slept == [3.0, 1.0]
    assert told == ["the server says 503: waiting 3 s", "the server says 503: waiting 1 s"]
    assert patience.asked(lambda: TryAgain("503")) == TryAgain("503")
    with pytest.raises(GaveUp, match="429"):
        patience.asked(lambda: TryAgain("429"))


def test_a_refused_token_is_not_waited_for() -> None:
    clock = Clock()
    patience = Patience(30.0, clock, clock.sleep, lambda words: None)

    assert patience.asked(lambda: TryAgain("401, login")) == TryAgain("401, login")
    assert clock.slept == []


def test_samples_are_of_each_kind_in_each_language_and_about_the_patient_of_the_run(
    knowledge: tuple[Path, Library],
) -> None:
    root, library = knowledge

    samples = choose(library, root, RUN)

    assert [(each.case_id, each.language, each.flagged) for each in samples] == [
        ("fallen", "en", True),
        ("tight", "en", False),
        ("fallen", "es", True),
        ("tight", "es", False),
        ("cold", "en", True),
    ]
    for sample in samples:
        resource = read_response(sample.body(RUN, "77"), library).questionnaire_response
        assert resource["subject"] == {"reference": "Patient/77"}
        assert resource["identifier"]["value"].startswith(RUN.id)


def test_the_real_intakes_have_samples_with_and_without_a_red_flag() -> None:
    library = load_library(questionnaires_root())

    samples = choose(library, questionnaires_root(), RUN)

    for intake in library.intakes:
        own = [each for each in samples if each.intake.name == intake.name]
        assert {each.language for each in own} == set(intake.languages)
        assert {(each.finished, each.flagged) for each in own} == {(True, True), (True, False), (False, True)}
