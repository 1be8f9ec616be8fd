"""Sessions that lose what a real network loses, in front of any server."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ProtocolError


class LosesReplies(HTTPAdapter):
    """Lets each write through and then drops its reply, for the first `times` writes from number `first` on."""

    def __init__(self, first: int = 0, times: int = 1) -> None:
        super().__init__()
        self._first = first
        self._times = times
        self.writes = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        reply = super().send(request, *args, **kwargs)
        if request.method in {"POST", "PUT"}:
            self.writes += 1
            if self._first < self.writes <= self._first + self._times:
                raise requests.ConnectionError(ProtocolError("Connection aborted."))
        return reply


def lossy_session(first: int = 0, times: int = 1) -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, LosesReplies(first, times))
    return session
