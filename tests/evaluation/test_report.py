"""The report as data and as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fhir_app.errors import KnowledgeError
from fhir_app.evaluation.anchors import read_anchors
from fhir_app.evaluation.collection import case_files, collect
from fhir_app.evaluation.page import evaluation_page
from fhir_app.evaluation.pictures import confusion_matrix
from fhir_app.evaluation.report import Evaluation, evaluate, evaluation_json
from fhir_app.knowledge.library import Library, questionnaires_root
from tests.assessment.knowledge_fixture import intake

STORIES = Path(__file__).with_name("stories.yaml")
ANCHORS = read_anchors(questionnaires_root() / "anchors.yaml")


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(collect([STORIES], Library((intake(),))))


def test_each_part_is_counted_apart_and_together(evaluation: Evaluation) -> None:
    assert {part: scores.stories for part, scores in evaluation.sets.items()} == {"all": 3, "report": 2, "tune": 1}
    assert evaluation.sets["all"].of("emergency").missed == ("m3",)


def test_only_one_part_can_be_asked_for() -> None:
    only = evaluate(collect([STORIES], Library((intake(),)), "report"))
    assert list(only.sets) == ["report"]
    assert [outcome.id for outcome in only.outcomes] == ["m2", "m3"]


def test_the_data_says_what_was_scored_how_and_beside_what(evaluation: Evaluation) -> None:
    data = json.loads(json.dumps(evaluation_json(evaluation, ANCHORS)))
    assert data["knowledge"][0]["version"] == intake().knowledge_version
    assert data["knowledge"][0]["digest"] == intake().digest
    emergency = next(m for m in data["sets"][0]["measures"] if m["id"] == "emergency")
    assert (emergency["hits"], emergency["total"], emergency["meets_target"]) == (1, 2, False)
    assert emergency["interval_95"] == pytest.approx([0.0945, 0.9055], abs=0.001)
    assert data["sets"][0]["confusion"]["emergency"]["emergency"] == 1
    assert data["changes"] is None
    assert {published["source"] for published in data["published"]} == set(data["sources"])


def test_the_page_is_self_contained_and_the_same_each_time(evaluation: Evaluation) -> None:
    page = evaluation_page(evaluation, ANCHORS)
    assert page == evaluation_page(evaluation, ANCHORS)
    assert not re.search(r"<script|<link|<img|src=|url\(", page)
    assert "not yet reviewed by a clinician" in page
    for anchor in ("34 % (31-37)", "72.1 %", "97.0 % +/- 2.5"):
        assert anchor in page


def test_every_link_of_the_page_has_its_target(evaluation: Evaluation) -> None:
    page = evaluation_page(evaluation, ANCHORS)
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_the_picture_says_in_words_what_it_shows(evaluation: Evaluation) -> None:
    svg = ElementTree.fromstring(confusion_matrix(evaluation.sets["all"], "m"))
    space = "{http://www.w3.org/2000/svg}"
    title, description = svg.find(f"{space}title"), svg.find(f"{space}desc")
    assert title is not None
    assert title.text == "Urgency of the label against urgency of the rules, 3 stories"
    assert description is not None
    assert (
        description.text == "Of 2 labelled emergency: 1 emergency, 1 self-care. Of 1 labelled self-care: 1 self-care."
    )
    assert svg.get("aria-labelledby") == "m-title m-desc"


def test_a_case_that_comes_out_otherwise_is_named_with_what_is_unmet(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        STORIES.read_text(encoding="utf-8").replace("urgency: self-care\n", "urgency: emergency\n", 1), encoding="utf-8"
    )
    (failed,) = evaluate(collect([path], Library((intake(),)))).failed_cases
    assert failed.unmet == ("urgency is self-care, not emergency",)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("sx-side: one", "sx-side: both-feet", "made-up-tight-shoe: sx-side"),
        ("id: m2", "id: m1", "'m1' stands 2 times"),
        ("part: tune", "part: other", "wrong.yaml"),
    ],
)
def test_stories_that_cannot_be_played_are_refused_by_name(tmp_path: Path, before: str, after: str, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(STORIES.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError, match=said):
        evaluate(collect([path], Library((intake(),))))


def test_files_are_found_beside_an_intake_below_a_root_or_by_name() -> None:
    root = questionnaires_root()
    beside = case_files([root / "tingling-legs"])
    assert beside == case_files([root])
    assert beside == case_files([root / "tingling-legs" / "cases"])
    assert case_files([STORIES, STORIES]) == (STORIES,)
