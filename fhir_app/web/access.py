"""Who may come in: bearer tokens, or this machine alone; browsers by an allow-list of web origins."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request

from fhir_app.auth.tokens import Token, find_token
from fhir_app.errors import Forbidden, NotAuthorised

OPEN_WITH_TOKENS = frozenset({"fhir.metadata", "ops.healthz", "ops.readyz", "ops.openapi"})
"""Endpoints that hold nothing of anybody, and that probes and clients must reach before they have a token."""

_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost")


@dataclass(frozen=True)
class Caller:
    """Who asks. `origin`: the FHIR server that references in what they send belong to, or `local`.

    `sees`: the only origin whose results they may read, None for all of them.
    """

    name: str
    origin: str
    sees: str | None = None


def caller() -> Caller:
    """The caller of this request, once `guard` has let it in."""
    found: Caller = g.caller
    return found


def guard(app: Flask, tokens: tuple[Token, ...], default_origin: str, cors_origins: tuple[str, ...]) -> None:
    """Puts the door in front of every route of `app`, those that do not exist included."""

    @app.before_request
    def let_in() -> Response | None:
        if not tokens:
            check_this_machine(request.remote_addr, request.host, current_app.config["BASE_URL"])
        if request.method == "OPTIONS":  # a browser's preflight carries no credentials
            return Response(status=204)
        g.caller = _caller(tokens, default_origin)
        return None

    @app.after_request
    def mark(reply: Response) -> Response:
        _add_cors(reply, cors_origins)
        reply.headers.setdefault("X-Content-Type-Options", "nosniff")
        reply.headers.setdefault("Referrer-Policy", "no-referrer")
        reply.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        reply.headers.setdefault("Cache-Control", "no-store")
        return reply


def check_this_machine(peer: str | None, host: str, base_url: str | None) -> None:
    """Without authentication only this machine may connect, whatever server runs us. Raises Forbidden.

    The Host header must name this machine as well: a web page elsewhere can make a browser here call a name of its
    own that resolves to 127.0.0.1 (DNS rebinding).
    """
    if not is_loopback(peer):
        raise Forbidden("Without authentication configured, only this machine may connect.")
    name = (urlsplit(f"//{host}").hostname or "") if host.count("@") == 0 else ""
    if name not in _LOCAL_NAMES and not is_loopback(name) and name != (urlsplit(base_url or "").hostname or None):
        raise Forbidden("Without authentication configured, this service answers to the name localhost only.")


def is_loopback(address: str | None) -> bool:
    try:
        ip = ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_loopback)


def _caller(tokens: tuple[Token, ...], default_origin: str) -> Caller:
    if not tokens:
        return Caller("this machine", default_origin)
    found = find_token(request.headers.get("Authorization", ""), tokens)
    if found is not None:
        return Caller(found.name, found.origin or default_origin, sees=found.origin)
    if request.endpoint in OPEN_WITH_TOKENS:
        return Caller("anyone", default_origin)
    raise NotAuthorised("A valid bearer token is needed.")


def _add_cors(reply: Response, allowed: tuple[str, ...]) -> None:
    """https://fetch.spec.whatwg.org/#http-cors-protocol: no credentials mode, so cookies never count."""
    if not allowed:
        return
    reply.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    if origin not in allowed:
        return
    reply.headers["Access-Control-Allow-Origin"] = origin
    reply.headers["Access-Control-Expose-Headers"] = "Content-Location, ETag, Last-Modified, Location"
    if request.method == "OPTIONS":
        reply.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT"
        reply.headers["Access-Control-Allow-Headers"] = (
            "Accept, Authorization, Content-Type, If-Match, If-None-Match, If-Modified-Since, Prefer"
        )
        reply.headers["Access-Control-Max-Age"] = "600"
