"""Who may come in."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from fhir_app.auth.tokens import Token, digest_of
from fhir_app.web.access import caller, guard, is_loopback
from fhir_app.web.faults import reply_to_error

TOKENS = (Token("clinic", digest_of("s3cret")), Token("other", digest_of("0ther"), "https://other.example/fhir"))


def door(tokens: tuple[Token, ...] = (), cors: tuple[str, ...] = (), base_url: str | None = None) -> Flask:
    app = Flask("door")
    app.config["BASE_URL"] = base_url
    guard(app, tokens, "local", cors)
    app.register_error_handler(Exception, reply_to_error)

    @app.route("/who", methods=["GET", "POST"])
    def who() -> str:
        return f"{caller().name} {caller().origin}"

    return app


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_without_tokens_this_machine_may_connect(peer: str) -> None:
    reply = door().test_client().get("/who", environ_base={"REMOTE_ADDR": peer})
    assert (reply.status_code, reply.text) == (200, "this machine local")


@pytest.mark.parametrize("path", ["/who", "/nowhere"])
@pytest.mark.parametrize("peer", ["10.0.0.1", "192.168.1.7", "203.0.113.9", "::", "2001:db8::1", "", "unix:"])
def test_without_tokens_nobody_else_may(peer: str, path: str) -> None:
    reply = door().test_client().get(path, environ_base={"REMOTE_ADDR": peer})
    assert reply.status_code == 403
    assert "only this machine" in reply.get_json()["error"]


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "X-Forwarded-Host"]
)
def test_a_stranger_cannot_say_that_it_is_this_machine(header: str) -> None:
    value = "for=127.0.0.1;host=localhost" if header == "Forwarded" else "127.0.0.1"
    reply = door().test_client().get("/who", headers={header: value}, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert reply.status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "a@localhost", "127.0.0.1.nip.example"]
)
def test_without_tokens_a_name_that_merely_resolves_to_this_machine_is_refused(host: str) -> None:
    """DNS rebinding: the browser of somebody here asks for a stranger."""
    reply = door().test_client().get("/who", headers={"Host": host})
    assert reply.status_code in (400, 403)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "intake.example"])
def test_the_names_of_this_machine_and_the_configured_one_are_served(host: str) -> None:
    reply = door(base_url="https://intake.example").test_client().get("/who", headers={"Host": host})
    assert reply.status_code == 200


def test_with_tokens_the_right_one_opens_from_anywhere_and_brings_its_origin() -> None:
    client = door(TOKENS).test_client()
    far = {"REMOTE_ADDR": "203.0.113.9"}
    clinic = client.get("/who", headers={"Authorization": "Bearer s3cret", "Host": "x.example"}, environ_base=far)
    other = client.get("/who", headers={"Authorization": "bearer 0ther"}, environ_base=far)
    assert clinic.text == "clinic local"
    assert other.text == "other https://other.example/fhir"


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic czNjcmV0", "s3cret"])
def test_with_tokens_everything_else_is_401_even_from_this_machine(header: str | None) -> None:
    reply = door(TOKENS).test_client().get("/who", headers={"Authorization": header} if header else {})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_behind_a_configured_proxy_the_forwarded_address_counts() -> None:
    app = door()
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)  # type: ignore[method-assign]
    reply = app.test_client().get("/who", headers={"X-Forwarded-For": "127.0.0.1, 203.0.113.9"})
    assert reply.status_code == 403


def test_a_listed_web_origin_may_ask_and_read() -> None:
    client = door(TOKENS, cors=("https://ehr.example",)).test_client()
    preflight = client.options("/who", headers={"Origin": "https://ehr.example"})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://ehr.example"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    reply = client.get("/who", headers={"Origin": "https://ehr.example", "Authorization": "Bearer s3cret"})
    assert reply.headers["Access-Control-Allow-Origin"] == "https://ehr.example"
    assert "Location" in reply.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in reply.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://ehr.example.evil.example", "*"])
def test_no_other_web_origin_may(origin: str) -> None:
    client = door(TOKENS, cors=("https://ehr.example",)).test_client()
    for reply in (client.options("/who", headers={"Origin": origin}), client.get("/who", headers={"Origin": origin})):
        assert not [name for name, _ in reply.headers if name.startswith("Access-Control")]
        assert "Origin" in reply.headers["Vary"]


@pytest.mark.parametrize("text", [None, "", "localhost", "127.0.0.1 ", "127.0.0.1, 10.0.0.1", "0.0.0.0", "::2"])
def test_only_a_loopback_address_is_loopback(text: str | None) -> None:
    assert not is_loopback(text)
