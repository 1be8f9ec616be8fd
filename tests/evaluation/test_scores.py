"""What each measure counts, on outcomes made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from fhir_app.evaluation.anchors import read_anchors
from fhir_app.evaluation.outcome import StoryOutcome
from fhir_app.evaluation.scores import MEASURES, URGENCIES, score_stories
from fhir_app.knowledge.cases import Label
from fhir_app.knowledge.intake import Urgency
from fhir_app.knowledge.library import questionnaires_root

LISTED = frozenset({"sciatica", "cecs"})


def story(
    diagnosis: str = "sciatica", accept: Iterable[str] = (), gold: str = "routine", given: str = "routine",
    ranked: tuple[str, ...] = ("sciatica", "cecs", "none-fits"), red_flag: str | None = None,
    present: tuple[str, ...] = (), flagged: bool = False,
) -> StoryOutcome:  # fmt: skip
    return StoryOutcome(
        id="one",
        part="report",
        label=Label(diagnosis, tuple(accept), gold, red_flag, "why"),
        gold=Urgency.from_word(gold),
        given=Urgency.from_word(given),
        where=None,
        ranked=ranked,
        words=("likely",) * len(ranked),
        present=present,
        flagged=flagged,
        none_fits="none-fits",
        listed=LISTED,
    )


def count(measure: str, *outcomes: StoryOutcome) -> tuple[int, int]:
    proportion = score_stories(outcomes).of(measure).proportion
    return proportion.hits, proportion.total


def test_the_right_cause_counts_where_it_stands() -> None:
    second = story(ranked=("cecs", "sciatica", "none-fits"))
    assert [count(f"top-{k}", story(), second) for k in (1, 3, 5)] == [(1, 2), (2, 2), (2, 2)]


def test_an_acceptable_label_is_right_too() -> None:
    assert count("top-1", story("cecs", accept=["sciatica"])) == (1, 1)


def test_a_story_from_outside_is_strict_only_by_its_acceptable_label_and_open_by_none_fits() -> None:
    with_label = story("other:clot", accept=["cecs"], ranked=("none-fits", "cecs", "sciatica"))
    without = story("other:clot", accept=["other:stroke"], ranked=("none-fits", "cecs", "sciatica"))
    assert count("top-1", with_label, without) == (0, 1)
    assert count("top-3", with_label, without) == (1, 1)
    assert count("top-1-open", with_label, without) == (2, 2)


def test_none_fits_is_never_right_for_a_diagnosis_of_the_list() -> None:
    assert count("top-3-open", story(ranked=("none-fits", "cecs"))) == (0, 1)
    assert count("none-fits-only-outside", story(ranked=("none-fits", "cecs")), story()) == (1, 2)


def test_none_fits_counts_first_or_second_for_outside_stories_that_no_label_fits() -> None:
    outside = [
        story("other:x", ranked=order)
        for order in (("none-fits", "cecs"), ("cecs", "none-fits"), ("cecs", "sciatica", "none-fits"))
    ]
    assert count("none-fits", *outside, story("other:x", accept=["cecs"]), story()) == (2, 3)


@pytest.mark.parametrize(
    ("gold", "given", "held"),
    [
        ("emergency", "emergency", {"emergency", "safe", "not-under", "exact"}),
        ("emergency", "same-day", {"safe"}),
        ("emergency", "soon", set()),
        ("same-day", "emergency", {"same-day", "safe", "not-under"}),
        ("same-day", "soon", {"safe"}),
        ("routine", "soon", {"safe", "not-under", "low-not-raised"}),
        ("routine", "routine", {"safe", "not-under", "low-not-raised", "routine-not-soon", "routine", "exact"}),
        ("routine", "self-care", {"safe", "low-not-raised", "routine-not-soon"}),
        ("self-care", "self-care", {"safe", "not-under", "low-not-raised", "self-care", "exact"}),
        ("self-care", "same-day", {"safe", "not-under"}),
    ],
)  # fmt: skip
def test_urgency_is_counted_as_its_name_says(gold: str, given: str, held: set[str]) -> None:
    urgent = [m.id for m in MEASURES if m.group != "Causes" and m.id != "red-flag"]
    found = score_stories([story(gold=gold, given=given)])
    assert {name for name in urgent if found.of(name).proportion.hits == 1} == held


def test_a_missed_red_flag_is_one_without_a_red_flag_row() -> None:
    caught, missed = story(red_flag="clot", flagged=True), story(red_flag="clot", present=("NA.1", "B2.5"))
    assert count("red-flag", caught, missed, story()) == (1, 2)


def test_the_confusion_matrix_counts_label_by_row() -> None:
    confusion = score_stories(
        [story(gold="emergency", given="soon"), story(gold="self-care", given="self-care")]
    ).confusion
    words = [urgency.word for urgency in URGENCIES]
    assert confusion[words.index("emergency")][words.index("soon")] == 1
    assert confusion[words.index("self-care")][words.index("self-care")] == 1
    assert sum(map(sum, confusion)) == 2


def test_what_was_missed_is_named() -> None:
    assert score_stories([story(gold="emergency", given="soon")]).of("emergency").missed == ("one",)


def test_a_minor_whose_causes_are_withheld_is_not_covered_and_not_right() -> None:
    minor = story(ranked=())
    assert count("coverage", minor, story()) == (1, 2)
    assert count("top-1", minor) == (0, 1)


def test_every_measure_has_its_line_in_the_anchors_and_no_line_is_without_a_measure() -> None:
    path: Path = questionnaires_root() / "anchors.yaml"
    anchors = read_anchors(path)
    assert set(anchors.published) == {measure.id for measure in MEASURES}
    assert anchors.target["emergency"] == 100
    assert {a.cite for a in anchors.published["top-1"]} >= {"Semigran15", "Semigran16"}
