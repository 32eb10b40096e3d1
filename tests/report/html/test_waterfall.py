"""The stages of an HTTP exchange."""

from __future__ import annotations

import pytest

from tests.report.pictured import STALLED
from tests.report.runs import Script
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.html.waterfall import waterfall, waterfall_of


def test_stages_follow_one_another_and_the_last_did_not_end() -> None:
    """Each begins where the one before it ends."""
    figure = waterfall(STALLED)
    assert figure is not None
    assert [stage.name for stage in figure.stages] == [
        "name look-up", "connect", "request sent", "first byte", "body",
    ]  # fmt: skip
    assert figure.stages[-1].took == "1.80 s, not ended"
    assert [stage.bar.style for stage in figure.stages] == ["stage"] * 4 + ["broken"]
    for before, after in zip(figure.stages[2:], figure.stages[3:], strict=False):
        assert after.bar.x == pytest.approx(before.bar.x + before.bar.width, abs=0.2)


def test_a_command_to_redis_has_no_stages() -> None:
    """Nor has an exchange in the journal of an older version."""
    assert waterfall(Exchange(protocol="redis", request="PING redis://127.0.0.1")) is None


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ({"total_ms": 700.0, "first_byte_ms": 600.0, "connect_ms": 10.0, "tls_ms": None},
         ["connect", "first byte", "body"]),
        ({"total_ms": 20.0, "first_byte_ms": 10.0, "connect_ms": 1.0, "tls_ms": None}, None),
        ({"total_ms": 700.0, "first_byte_ms": None}, None),
        ({"total_ms": 700.0, "first_byte_ms": 600.0, "redirects": ["http://x"]}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_slow_exchange_that_passed_is_drawn_by_its_facts(facts: JsonObject, names: list[str] | None) -> None:
    """A quick one, one of several requests, and a check of another kind are not."""
    script = Script("Slow", "x")
    script.check("api/query:answers", "T", facts=facts)
    figure = waterfall_of(build_report(script.events()).checks[0])
    assert (None if figure is None else [stage.name for stage in figure.stages]) == names
