"""What a criterion says about answers: yes, no or unknown."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_app.knowledge.answers import Answers, AnswerValue, Coding, State
from fhir_app.knowledge.compile_criteria import compile_criterion
from fhir_app.knowledge.criteria import And, Compare, Criterion, Exists, Not, Or, Ticked, Unanswered, leaves
from fhir_app.knowledge.criteria_text import parse_criterion
from fhir_app.knowledge.missing_answers import Missing, Reading
from fhir_app.knowledge.truth import NO, UNKNOWN, YES, Truth

READING = Reading(core=frozenset({"core"}), declines={"core": {"rather-not": frozenset({"private"})}})
A, B = Ticked("a", ("x",)), Ticked("b", ("x",))


def ticks(*codes: str) -> tuple[AnswerValue, ...]:
    return tuple(Coding("http://example.org", code) for code in codes)


def value(tree: Criterion, answers: Answers, missing: Missing = Missing.RULE) -> Truth:
    return compile_criterion(tree, missing, READING)(answers)


def standing(**truths: Truth) -> Answers:
    """Answers in which the option x of each question has this truth."""
    answered = {name: ticks("x" if truth is YES else "y") for name, truth in truths.items() if truth is not UNKNOWN}
    return Answers(answered, {name: State.BLANK for name, truth in truths.items() if truth is UNKNOWN})


@pytest.mark.parametrize(("left", "right"), list(product(Truth, Truth)))
def test_and_is_the_least_or_the_greatest_and_not_mirrors(left: Truth, right: Truth) -> None:
    answers = standing(a=left, b=right)
    assert value(And((A, B)), answers) is min(left, right)
    assert value(Or((A, B)), answers) is max(left, right)
    assert value(Not(A), answers) is {NO: YES, UNKNOWN: UNKNOWN, YES: NO}[left]


@pytest.mark.parametrize(("first", "second", "third"), list(product(Truth, Truth, Truth)))
def test_what_de_morgan_says_holds_for_three_values(first: Truth, second: Truth, third: Truth) -> None:
    answers = standing(a=first, b=second, c=third)
    terms = (A, B, Ticked("c", ("x",)))
    assert value(Not(And(terms)), answers) is value(Or(tuple(Not(term) for term in terms)), answers)


@pytest.mark.parametrize(
    ("missing", "question", "state", "expected"),
    [
        (Missing.RULE, "core", State.BLANK, NO),
        (Missing.RULE, "other", State.BLANK, UNKNOWN),
        (Missing.RULE, "other", State.UNDETERMINED, NO),
        (Missing.RULE, "other", State.NOT_ASKED, NO),
        (Missing.STRICT, "core", State.BLANK, UNKNOWN),
        (Missing.STRICT, "other", State.BLANK, UNKNOWN),
        (Missing.STRICT, "other", State.UNDETERMINED, UNKNOWN),
        (Missing.STRICT, "other", State.NOT_ASKED, NO),
        (Missing.SHOWN, "core", State.BLANK, NO),
        (Missing.SHOWN, "other", State.BLANK, NO),
        (Missing.SHOWN, "other", State.UNDETERMINED, NO),
        (Missing.SHOWN, "other", State.NOT_ASKED, NO),
    ],
)
def test_how_a_gap_is_read(missing: Missing, question: str, state: State, expected: Truth) -> None:
    answers = Answers({}, {question: state})
    assert value(Ticked(question, ("x",)), answers, missing) is expected
    assert value(Compare(question, ">", 3), answers, missing) is expected


@pytest.mark.parametrize(
    ("missing", "expected"), [(Missing.RULE, UNKNOWN), (Missing.STRICT, UNKNOWN), (Missing.SHOWN, NO)]
)
def test_not_sure_is_unknown_except_for_what_is_shown(missing: Missing, expected: Truth) -> None:
    assert value(A, Answers({"a": ticks("not-sure")}), missing) is expected


def test_who_declines_leaves_only_the_private_options_unknown_and_only_for_the_strict_reading() -> None:
    declined = Answers({"core": ticks("rather-not")})
    assert value(Ticked("core", ("private",)), declined, Missing.STRICT) is UNKNOWN
    assert value(Ticked("core", ("public",)), declined, Missing.STRICT) is NO
    assert value(Ticked("core", ("private",)), declined, Missing.RULE) is NO


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (Answers({}, {"a": State.BLANK}), YES),
        (Answers({"a": ticks("not-sure")}), YES),
        (Answers({"a": ticks("x")}), NO),
        (Answers({}, {"a": State.UNDETERMINED}), NO),
        (Answers({}), NO),
    ],
)
def test_unanswered_means_shown_and_blank_or_not_sure(answers: Answers, expected: Truth) -> None:
    assert value(Unanswered("a"), answers) is expected


def test_at_least_counts_ticked_options() -> None:
    two_of = parse_criterion("a n>=2 of {x, y, z}")
    assert value(two_of, Answers({"a": ticks("x", "z")})) is YES
    assert value(two_of, Answers({"a": ticks("x", "other")})) is NO
    assert value(two_of, Answers({"a": ticks("x", "not-sure")})) is UNKNOWN


# --- an answer of which something could not be read ---------------------------------------------------------------


@pytest.mark.parametrize("missing", list(Missing))
@pytest.mark.parametrize("question", ["core", "a"])
def test_what_is_not_ticked_in_an_answer_that_is_not_read_in_full_is_as_in_a_blank(
    missing: Missing, question: str
) -> None:
    nothing = Answers({}, {}, frozenset({question}))
    part, text = Answers({question: ticks("x")}, {}, nothing.unread), Answers({question: ("text",)}, {}, nothing.unread)
    like_x = Compare(question, "=", Coding("http://example.org", "x"))
    for tree in (Ticked(question, ("x",)), like_x, Or((like_x, Compare(question, "=", Coding("s", "z"))))):
        blank = value(tree, Answers({}, {question: State.BLANK}), missing)
        assert value(tree, nothing, missing) is blank
        assert value(tree, text, missing) is blank
        assert value(tree, part, missing) is YES
    blank = value(Ticked(question, ("y",)), Answers({}, {question: State.BLANK}), missing)
    assert value(Ticked(question, ("y",)), part, missing) is blank
    assert value(Ticked(question, ("x", "y"), 2), part, missing) is blank
    assert value(Compare(question, "=", Coding("http://example.org", "y")), part, missing) is blank
    assert value(Compare(question, ">", 3), Answers({question: (1,)}, {}, nothing.unread), missing) is blank
    assert value(Compare(question, ">", 3), Answers({question: (4,)}, {}, nothing.unread), missing) is YES


@pytest.mark.parametrize(
    ("missing", "left_out"), [(Missing.RULE, YES), (Missing.STRICT, UNKNOWN), (Missing.SHOWN, YES)]
)
def test_an_answer_that_is_not_read_in_full_exists_and_may_be_none(missing: Missing, left_out: Truth) -> None:
    part, nothing = Answers({"a": ticks("x")}, {}, frozenset("a")), Answers({}, {}, frozenset("a"))
    assert value(Exists("a"), part, missing) is YES
    assert value(Exists("a", False), part, missing) is left_out
    assert value(Exists("a", False), nothing, missing) is left_out


@pytest.mark.parametrize("codes", [(), ("x",), ("not-sure",)])
def test_a_question_that_is_not_read_in_full_is_unanswered(codes: tuple[str, ...]) -> None:
    answered = {"a": ticks(*codes)} if codes else {}
    assert value(Unanswered("a"), Answers(answered, {}, frozenset("a"))) is YES


def test_not_sure_leaves_a_list_that_is_not_read_in_full_as_open_as_it_does_elsewhere() -> None:
    answers = Answers({"core": ticks("not-sure")}, {}, frozenset({"core"}))
    assert value(Ticked("core", ("x",)), answers) is UNKNOWN


# --- more answers never turn yes into no or no into yes -----------------------------------------------------------

LEAVES: st.SearchStrategy[Criterion] = st.builds(
    Ticked,
    st.sampled_from(["a", "b", "core"]),
    st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=3, unique=True).map(tuple),
)
TREES: st.SearchStrategy[Criterion] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
FORMS = st.dictionaries(
    st.sampled_from(["a", "b", "core"]), st.sets(st.sampled_from(["x", "y", "z"]), min_size=1), min_size=3
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TREES, FORMS, st.sets(st.sampled_from(["a", "b", "core"])))
def test_what_is_certain_with_gaps_stays_so_when_they_are_filled(
    tree: Criterion, form: dict[str, set[str]], left_out: set[str]
) -> None:
    full = Answers({question: ticks(*sorted(codes)) for question, codes in form.items()})
    gappy = Answers(
        {question: values for question, values in full.answered.items() if question not in left_out},
        dict.fromkeys(left_out, State.BLANK),
    )
    before, after = value(tree, gappy, Missing.STRICT), value(tree, full, Missing.STRICT)
    assert before is UNKNOWN or before is after


@settings(max_examples=100, deadline=None, derandomize=True)
@given(TREES, FORMS)
def test_without_gaps_every_reading_agrees_and_is_certain(tree: Criterion, form: dict[str, set[str]]) -> None:
    answers = Answers({question: ticks(*sorted(codes)) for question, codes in form.items()})
    read = {value(tree, answers, missing) for missing in Missing}
    assert len(read) == 1
    assert UNKNOWN not in read
    assert all(isinstance(leaf, Ticked) for leaf in leaves(tree))
