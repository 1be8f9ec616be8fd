"""What counts as held as it was sent, and what does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_app.doctor.differences import differences

BASE = "https://ehr.example/fhir"


def found(sent: dict[str, Any], held: dict[str, Any]) -> list[str]:
    return list(differences(sent, held, BASE))


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        ({"status": "final"}, {"status": "final", "issued": "2026-01-01T00:00:00Z"}),
        ({"id": "a", "meta": {"tag": []}}, {"id": "b"}),
        ({"issued": "2026-01-01T10:00:00Z"}, {"issued": "2026-01-01T11:00:00+01:00"}),
        ({"issued": "2026-01-01T10:00:00Z"}, {"issued": "2026-01-01T10:00:00.000+00:00"}),
        ({"value": Decimal("1.50")}, {"value": Decimal("1.5")}),
        ({"subject": {"reference": "Patient/1"}}, {"subject": {"reference": f"{BASE}/Patient/1/_history/3"}}),
        ({"text": {"div": "<div><p>a &amp; b</p></div>"}}, {"text": {"div": "<div>\n <p>a &#38; b</p></div>"}}),
        ({"note": [{"text": "a"}, {"text": "b"}]}, {"note": [{"text": "b"}, {"text": "x"}, {"text": "a"}]}),
    ],
)
def test_what_a_server_may_do_is_no_difference(sent: dict[str, Any], held: dict[str, Any]) -> None:
    assert found(sent, held) == []


@pytest.mark.parametrize(
    ("sent", "held", "path"),
    [
        ({"status": "final"}, {}, "status"),
        ({"status": "final"}, {"status": "amended"}, "status"),
        ({"active": True}, {"active": "true"}, "active"),
        ({"value": 1}, {"value": True}, "value"),
        ({"issued": "2026-01-01T10:00:00Z"}, {"issued": "2026-01-01T10:00:01Z"}, "issued"),
        ({"who": {"reference": "Patient/1"}}, {"who": {"reference": "https://x.example/Patient/1"}}, "who.reference"),
        ({"text": {"div": "<div>a b</div>"}}, {"text": {"div": "<div>a c</div>"}}, "text.div"),
        ({"note": [{"text": "a"}]}, {"note": []}, "note[0]"),
        ({"note": [{"text": "a"}, {"text": "a"}]}, {"note": [{"text": "a"}]}, "note[1]"),
        ({"note": [{"text": "a", "time": "t"}]}, {"note": [{"text": "a"}]}, "note[0].time"),
        ({"note": [{"text": "a"}]}, {"note": {"text": "a"}}, "note"),
    ],
)  # fmt: skip
def test_a_loss_or_a_change_is_told_by_its_path(sent: dict[str, Any], held: dict[str, Any], path: str) -> None:
    assert found(sent, held) == [path]


def test_no_value_is_ever_told() -> None:
    assert "secret" not in "".join(found({"note": [{"text": "secret"}]}, {"note": [{"text": "SECRET"}]}))
