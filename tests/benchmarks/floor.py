"""The floor of HTTP: Flask that parses a JSON body and says thanks, on the same gunicorn."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, Response, jsonify, request
from gunicorn.app.base import BaseApplication

app = Flask("floor")


@app.post("/")
def echo() -> tuple[Response, int]:
    body = request.get_json()
    return jsonify(id=body.get("resourceType")), 201


@app.get("/readyz")
def ready() -> str:
    return "ready"


class Server(BaseApplication):  # type: ignore[misc]
    def load_config(self) -> None:
        for name, value in {
            "bind": [f"127.0.0.1:{os.environ['FHIR_APP_PORT']}"],
            "worker_class": "gthread",
            "threads": 8,
            "keepalive": 15,
            "loglevel": "warning",
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return app


if __name__ == "__main__":
    Server().run()
