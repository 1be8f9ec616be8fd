"""Bearer tokens: made, read and found."""

from __future__ import annotations

import pytest

from fhir_app.auth.tokens import Token, digest_of, find_token, is_base_url, new_token, read_token, read_tokens

CLINIC = Token("clinic", digest_of("s3cret"), None)
OTHER = Token("other", digest_of("0ther"), "https://ehr.example/fhir")


def test_a_new_token_is_accepted_by_the_line_made_for_it() -> None:
    secret, line = new_token("clinic", "https://ehr.example/fhir")
    token = read_token(line)
    assert secret not in line
    assert token.origin == "https://ehr.example/fhir"
    assert find_token(f"Bearer {secret}", [token]) is token


def test_two_new_tokens_differ() -> None:
    assert new_token("a")[0] != new_token("a")[0]


@pytest.mark.parametrize("header", ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret", " Bearer s3cret "])
def test_the_scheme_is_case_insensitive(header: str) -> None:
    assert find_token(header, [OTHER, CLINIC]) is CLINIC


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "s3cret", "Basic s3cret", "Bearer s3cret x", "Bearer S3CRET", "Bearer s3cré"]
)
def test_anything_else_finds_no_token(header: str) -> None:
    assert find_token(header, [CLINIC, OTHER]) is None


def test_the_digest_itself_opens_nothing() -> None:
    assert find_token(f"Bearer {CLINIC.digest}", [CLINIC]) is None


@pytest.mark.parametrize(
    "text", ["", "clinic", "clinic:abc", f":{'0' * 64}", f"a b:{'0' * 64}", f"a:{'G' * 64}", f"a:{'0' * 64}:nowhere"]
)
def test_a_wrong_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="token"):
        read_token(text)


def test_two_tokens_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        read_tokens(f"a:{'0' * 64},a:{'1' * 64}")


def test_a_wrong_entry_is_told_by_its_place() -> None:
    with pytest.raises(ValueError, match="entry 2"):
        read_tokens(f"a:{'0' * 64}, b")


def test_the_digest_is_not_in_the_repr() -> None:
    assert CLINIC.digest not in repr(CLINIC)


def test_one_secret_for_two_tokens_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="same secret") as caught:
        read_tokens(f"a:{CLINIC.digest}:https://one.example b:{CLINIC.digest}:https://two.example")
    assert CLINIC.digest not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("https://ehr.example/fhir", True),
        ("http://127.0.0.1:8080/fhir", True),
        ("https://u:p@ehr.example", False),
        ("https://ehr.example/fhir?x=1", False),
        ("https://ehr.example:99999/", False),
        ("ehr.example", False),
        ("https://", False),
    ],
)
def test_a_base_url_is_plain(text: str, fine: bool) -> None:
    assert is_base_url(text) is fine
