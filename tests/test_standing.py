"""Where a revision stands, whatever the order in which revisions arrive."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fhir_app.standing import standing
from fhir_app.store.submissions import Revision

ORIGINAL = ((1, ""), "completed")


def arrive(revisions: list[tuple[tuple[int, str], str]]) -> list[Revision]:
    """What is known after these came in one after the other, when every one that was not stale led to something."""
    known: list[Revision] = []
    for number, (order, status) in enumerate(revisions):
        stands = standing(order, status, known)
        if stands.newest:
            known = [replace(revision, newest=False) for revision in known]
        # A retraction leads to something only when there is something to take back.
        wrote = not stands.stale and (status == "completed" or stands.follows is not None)
        known.append(Revision(str(number), order, stands.arrival, stands.newest, status, None, wrote))
    return known


def test_the_first_revision_is_the_newest_and_follows_nothing() -> None:
    stands = standing((0, ""), "completed", [])
    assert (stands.newest, stands.stale, stands.follows, stands.arrival) == (True, False, None, 0)


def test_a_later_version_follows_the_last_one_that_led_to_something() -> None:
    known = arrive([((1, ""), "completed"), ((2, ""), "completed")])
    stands = standing((3, ""), "completed", known)
    assert stands.follows == known[1]
    assert stands.arrival == 2


def test_an_older_version_that_comes_late_is_stale() -> None:
    stands = standing((1, ""), "completed", arrive([((2, ""), "completed")]))
    assert (stands.newest, stands.stale) == (False, True)


def test_an_older_version_counts_when_nothing_was_made_of_the_newer_one() -> None:
    newer = Revision("n", (2, ""), 0, True, "in-progress", None, False)
    stands = standing((1, ""), "completed", [newer])
    assert (stands.newest, stands.stale, stands.follows) == (False, False, None)


def test_between_equal_orders_the_later_arrival_is_the_newer() -> None:
    stands = standing((0, ""), "completed", arrive([((0, ""), "completed")]))
    assert (stands.newest, stands.stale) == (True, False)


def test_a_retraction_that_overtakes_its_original_leaves_the_original_stale() -> None:
    for order in ((0, ""), (2, "")):
        stands = standing((min(order[0], 1), ""), "completed", arrive([(order, "entered-in-error")]))
        assert (stands.newest, stands.stale) == (False, True)


def test_only_a_provably_newer_version_undoes_a_retraction() -> None:
    known = arrive([((1, ""), "completed"), ((2, ""), "entered-in-error")])
    assert standing((2, ""), "completed", known).stale
    assert not standing((3, ""), "completed", known).stale


_orders = st.integers(1, 6).map(lambda number: (number, ""))


@given(
    st.lists(
        st.tuples(_orders, st.sampled_from(["completed", "entered-in-error"])),
        min_size=1,
        max_size=6,
        unique_by=lambda revision: revision[0],
    ).flatmap(lambda revisions: st.permutations(revisions))
)
def test_whatever_the_order_of_arrival_nothing_old_is_made_after_something_new(
    revisions: list[tuple[tuple[int, str], str]],
) -> None:
    known = arrive(revisions)
    made = [revision.order for revision in known if revision.wrote]
    assert made == sorted(made)
    (newest,) = [revision for revision in known if revision.newest]
    assert newest.order == max(order for order, _ in revisions)
    if newest.status == "completed":
        assert made[-1] == newest.order
    elif made:
        last = max((revision for revision in known if revision.wrote), key=lambda revision: revision.order)
        assert last.status == "entered-in-error"
