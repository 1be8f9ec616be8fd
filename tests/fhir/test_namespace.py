from __future__ import annotations

from uuid import UUID

from fhir_app.fhir.namespace import Namespace


def test_a_derived_id_is_the_same_everywhere_and_a_uuid5() -> None:
    assert Namespace().derived_id("a", "b") == Namespace().derived_id("a", "b")
    assert UUID(Namespace().derived_id("a", "b")).version == 5


def test_no_two_lists_of_parts_share_an_id() -> None:
    derive = Namespace().derived_id
    assert len({derive("ab"), derive("a", "b"), derive("b", "a"), derive("a", "b", ""), derive('a", "b')}) == 5


def test_another_base_gives_other_ids_and_canonicals() -> None:
    other = Namespace("https://example.org/forms/")
    assert other.derived_id("a") != Namespace().derived_id("a")
    assert other.urgency == "https://example.org/forms/CodeSystem/urgency"
    assert other == Namespace("https://example.org/forms")


def test_two_intakes_do_not_share_codes_for_causes_and_flags() -> None:
    names = Namespace()
    assert names.causes("tingling-legs") != names.causes("knee-pain")
    assert names.red_flags("tingling-legs") != names.red_flags("knee-pain")
